/* misuse.c - what must not be done is an error and nothing worse. */
#include "check.h"

#include <pthread.h>
#include <time.h>

/* Every call that takes a VM, with arguments that are fine. */
static void refuses_all(ms_vm_t *vm, int code) {
    static ms_extension_t ext;
    static const ms_function_t row = { "f", NULL, NULL, NULL, 0 };
    ms_extension_table_t table = { sizeof table, "t", NULL, &row, 0, sizeof row };
    ms_value_t v = ms_value_int(1), out;
    ms_error_t *error;
    const char *bytes;
    size_t len;
    ext.name = "e";
    CHECK(ms_run_string(vm, "1", NULL, &error) == MS_RUN_ERROR && fails_with(error, code));
    CHECK(ms_run_file(vm, "none", &error) == MS_RUN_ERROR && fails_with(error, code));
    CHECK(ms_eval(vm, "1", &out, &error) == MS_RUN_ERROR && fails_with(error, code));
    CHECK(ms_call(vm, v, 0, NULL, &out, &error) == MS_RUN_ERROR && fails_with(error, code));
    CHECK(ms_call_extension_function(vm, "e", "f", 0, NULL, &out, &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, code));
    CHECK(fails_with(ms_get_global(vm, "x", &out), code));
    CHECK(fails_with(ms_set_global(vm, "x", v), code));
    CHECK(fails_with(ms_value_text(vm, v, &bytes, &len), code));
    CHECK(fails_with(ms_value_length(vm, v, &len), code));
    CHECK(fails_with(ms_value_get(vm, v, v, &out), code));
    CHECK(fails_with(ms_value_set(vm, v, v, v), code));
    CHECK(fails_with(ms_value_attr(vm, v, "real", &out), code));
    CHECK(fails_with(ms_value_items(vm, v, &out), code));
    CHECK(fails_with(ms_value_repr(vm, v, &out), code));
    CHECK(fails_with(ms_value_str(vm, v, &out), code));
    CHECK(fails_with(ms_value_type_name(vm, v, &out), code));
    CHECK(fails_with(ms_value_retain(vm, v, &out), code));
    CHECK(fails_with(ms_value_release(vm, v), code));
    CHECK(fails_with(ms_register_extension(vm, &ext), code));
    CHECK(fails_with(ms_register_extension_table(vm, &table), code));
    CHECK(fails_with(ms_vm_raise(vm, "ValueError", "x"), code));
    CHECK(fails_with(ms_vm_reraise(vm), code));
    CHECK(ms_function_data(vm) == NULL);
    CHECK(ms_value_is_error(ms_value_string(vm, "x")));
    CHECK(ms_value_is_error(ms_value_bytes(vm, "x", 1)));
    CHECK(ms_value_is_error(ms_value_list(vm, 0, NULL)));
    CHECK(ms_value_is_error(ms_value_bigint(vm, "1", 10)));
}

static void *from_elsewhere(void *vm) {
    refuses_all(vm, MS_ERR_THREAD);
    CHECK(fails_with(ms_vm_free(vm), MS_ERR_THREAD));
    return NULL;
}

static void *interrupt_soon(void *vm) {
    struct timespec soon = { 0, 50000000 };
    nanosleep(&soon, NULL);
    ms_interrupt(vm);
    return NULL;
}

static void null_arguments(ms_vm_t *vm) {
    ms_value_t v = ms_value_string(vm, "abc"), out;
    ms_error_t *error;
    const char *bytes;
    size_t len;
    refuses_all(NULL, MS_ERR_ARGUMENT);
    CHECK(!ms_vm_free(NULL));
    ms_interrupt(NULL);
    ms_error_free(NULL);
    CHECK(ms_error_code(NULL) == 0 && ms_error_line(NULL) == 0);
    CHECK(!*ms_error_type(NULL) && !*ms_error_message(NULL) && !*ms_error_traceback(NULL));
    CHECK(!*ms_error_file(NULL));
    CHECK(ms_run_string(vm, NULL, NULL, NULL) == MS_RUN_ERROR);
    CHECK(ms_run_file(vm, NULL, &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_ARGUMENT));
    CHECK(ms_run_file(vm, ".", &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_IO));
    CHECK(ms_eval(vm, NULL, &out, &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_ARGUMENT));
    CHECK(ms_eval(vm, "1", NULL, NULL) == MS_RUN_DONE);
    CHECK(ms_eval(vm, "\xff", NULL, &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_ARGUMENT));
    CHECK(ms_call(vm, v, 3, NULL, &out, &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_ARGUMENT));
    CHECK(ms_call(vm, ms_value_int(1), 0, NULL, &out, &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "TypeError") == 0);
    ms_error_free(error);
    CHECK(fails_with(ms_get_global(vm, "v", NULL), MS_ERR_EXCEPTION));
    CHECK(runs(vm, "v = 1") && fails_with(ms_get_global(vm, "v", NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_set_global(vm, NULL, v), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_value_text(vm, v, NULL, &len), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_value_text(vm, v, &bytes, NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_value_length(vm, v, NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_value_repr(vm, v, NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_value_retain(vm, v, NULL), MS_ERR_ARGUMENT));
    CHECK(ms_value_is_error(ms_value_list(vm, 2, NULL)));
    CHECK(ms_value_is_error(ms_value_dict(vm, (size_t)-1, &v)));
    CHECK(fails_with(ms_register_extension(vm, NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_register_extension_table(vm, NULL), MS_ERR_ARGUMENT));
    CHECK(!ms_value_release(vm, v));
}

/* Any bits as a value. */
static void garbage_values(ms_vm_t *vm) {
    static const uint64_t payloads[] = { 0, 1, 0xFFFFFFFF, UINT64_C(0x80000001FFFFFFFF),
                                         UINT64_C(0x8000000100FFFFFF), ~UINT64_C(0) };
    ms_value_t v, out;
    ms_error_t *error;
    const char *bytes;
    size_t len;
    uint32_t tag, p, aux;
    for (tag = 0; tag < 64; tag++)
        for (p = 0; p < 6; p++)
            for (aux = 0; aux < 3; aux++) {
                v.tag = tag == 63 ? 0xFFFFFFFF : tag;
                v.aux = aux;
                v.payload.h = payloads[p];
                error = ms_set_global(vm, "g", v);
                CHECK(error || v.tag < MS_TAG_HANDLE);
                ms_error_free(error);
                CHECK(v.tag < MS_TAG_HANDLE || fails_with(ms_value_retain(vm, v, &out), MS_ERR_HANDLE));
                CHECK(v.tag < MS_TAG_HANDLE || fails_with(ms_value_release(vm, v), MS_ERR_HANDLE));
                ms_error_free(ms_value_text(vm, v, &bytes, &len));
                ms_error_free(ms_value_items(vm, v, &out));
                CHECK(ms_call(vm, v, 1, &v, &out, NULL) == MS_RUN_ERROR);
                ms_value_as_int(v);
                ms_value_as_bool(v);
            }
}

static ms_value_t kept;

static ms_value_t keep(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)vm;
    CHECK(argc == 1);
    kept = args[0];
    return args[0];
}

static ms_value_t stale(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t v = ms_value_string(vm, "x");
    (void)argc; (void)args;
    CHECK(!ms_value_release(vm, v));
    CHECK(fails_with(ms_value_release(vm, v), MS_ERR_HANDLE));
    return v;
}

static ms_value_t broken(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)argc; (void)args;
    return ms_value_string(vm, "\xff");
}

static ms_value_t reenter(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_error_t *error;
    ms_value_t out;
    (void)argc; (void)args;
    CHECK(ms_run_string(vm, "1", NULL, &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_BUSY));
    CHECK(ms_eval(vm, "1", &out, &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_BUSY));
    CHECK(ms_run_file(vm, "x", &error) == MS_RUN_ERROR && fails_with(error, MS_ERR_BUSY));
    CHECK(fails_with(ms_vm_free(vm), MS_ERR_BUSY));
    return ms_value_int(1);
}

static ms_value_t call(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t out;
    ms_error_t *error;
    if (argc != 1 || ms_call(vm, args[0], 0, NULL, &out, &error) == MS_RUN_DONE)
        return argc == 1 ? out : ms_value_nil();
    CHECK(error && !ms_vm_reraise(vm));
    ms_error_free(error);
    return ms_value_nil();
}

/* Output callbacks may not use the VM, also while it ends. */
struct sink { ms_vm_t *vm; int calls; };

static void write_back(void *data, const char *bytes, size_t len) {
    struct sink *sink = data;
    (void)bytes; (void)len;
    sink->calls++;
    refuses_all(sink->vm, MS_ERR_BUSY);
    CHECK(fails_with(ms_vm_free(sink->vm), MS_ERR_BUSY));
}

static void functions(void) {
    static const ms_function_t rows[] = {
        { "keep", keep, NULL, NULL, 0 },       { "stale", stale, NULL, NULL, 0 },
        { "broken", broken, NULL, NULL, 0 },   { "reenter", reenter, NULL, NULL, 0 },
        { "reenter2", reenter, NULL, NULL, MS_FUNCTION_CALLS_BACK },
        { "call_plain", call, NULL, NULL, 0 }, { "call", call, NULL, NULL, MS_FUNCTION_CALLS_BACK },
    };
    ms_extension_table_t table = { sizeof table, "ext", NULL, rows, sizeof rows / sizeof *rows,
                                   sizeof *rows };
    struct sink sink = { NULL, 0 };
    ms_config config = { 0 };
    ms_value_t out;
    const char *bytes;
    size_t len;
    config.size = sizeof config;
    config.write_out = write_back;
    config.data = &sink;
    sink.vm = ms_vm_new_with(&config, NULL);
    CHECK(!ms_register_extension_table(sink.vm, &table));
    CHECK(fails_with(ms_register_extension_table(sink.vm, &table), MS_ERR_ARGUMENT));
    CHECK(runs(sink.vm, "import ext\nassert ext.keep('abc') == 'abc'"));
    CHECK(fails_with(ms_value_text(sink.vm, kept, &bytes, &len), MS_ERR_HANDLE));
    CHECK(raises(sink.vm, "ext.stale()", "RuntimeError"));
    CHECK(raises(sink.vm, "ext.broken()", "ValueError"));
    CHECK(runs(sink.vm, "assert ext.reenter() == 1 and ext.reenter2() == 1"));
    CHECK(raises(sink.vm, "ext.call_plain(len)", "RuntimeError"));
    CHECK(runs(sink.vm, "assert ext.call(lambda: 5) == 5"));
    CHECK(raises(sink.vm, "ext.call(lambda: 1 / 0)", "ZeroDivisionError"));
    CHECK(raises(sink.vm, "class E(Exception): pass\ndef f(): raise E\next.call(f)", "E"));
    CHECK(raises(sink.vm, "ext.keep(1, x=2)", "TypeError"));
    /* Recursion through the embedder ends as any other. */
    CHECK(raises(sink.vm, "def f():\n    return ext.call(f)\nf()", "RecursionError"));
    CHECK(sink.calls == 0 && runs(sink.vm, "print('x')") && sink.calls == 1);
    CHECK(fails_with(ms_vm_raise(sink.vm, "ValueError", "x"), MS_ERR_BUSY));
    CHECK(fails_with(ms_vm_reraise(sink.vm), MS_ERR_BUSY));
    CHECK(ms_call_extension_function(sink.vm, "ext", "none", 0, NULL, &out, NULL) == MS_RUN_ERROR);
    /* A task that is cancelled while it waits in a function of the embedder. */
    CHECK(runs(sink.vm, "def wait():\n    sleep(100)\nt = go(ext.call, wait)\nsleep(0.01)\nt.cancel()"));
    /* One that still waits then never returns, and what it holds is leaked, as Valgrind sees. */
    if (!getenv("MS_VALGRIND")) {
        CHECK(ms_eval(sink.vm, "go(ext.call, wait)", NULL, NULL) == MS_RUN_DONE);
        CHECK(ms_eval(sink.vm, "sleep(0.01)", NULL, NULL) == MS_RUN_DONE);
    }
    CHECK(!ms_vm_free(sink.vm));
}

static void configs(void) {
    union { ms_config c; char bytes[sizeof(ms_config) + 64]; } u;
    const char *bad[1];
    ms_error_t *error;
    ms_vm_t *vm;
    size_t size;
    for (size = 0; size <= sizeof u; size++) {
        memset(&u, 0, sizeof u);
        u.c.size = size;
        vm = ms_vm_new_with(&u.c, &error);
        CHECK(size < sizeof(size_t) ? fails_with(error, MS_ERR_ARGUMENT) : vm && !error);
        CHECK(!ms_vm_free(vm));
    }
    u.bytes[sizeof u - 1] = 1; /* a field of the future */
    u.c.size = sizeof u;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    memset(&u, 0, sizeof u);
    u.c.size = sizeof(ms_config);
    u.c.flags = 1u << 31;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    u.c.flags = 0;
    u.c.timeout = -1;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    u.c.timeout = 1e300;
    CHECK(!ms_vm_free(ms_vm_new_with(&u.c, &error)) && !error);
    u.c.timeout = 0;
    u.c.allow_read_count = 1;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    bad[0] = NULL;
    u.c.allow_read = bad;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    u.c.allow_read_count = 0;
    bad[0] = "host:port";
    u.c.allow_net = bad;
    u.c.allow_net_count = 1;
    CHECK(!ms_vm_new_with(&u.c, &error) && fails_with(error, MS_ERR_ARGUMENT));
    /* A heap too small for the interpreter itself. */
    memset(&u, 0, sizeof u);
    u.c.size = sizeof(ms_config);
    u.c.memory = 1;
    vm = ms_vm_new_with(&u.c, NULL);
    CHECK(vm && ms_run_string(vm, "x = [1] * 10**6", NULL, NULL) == MS_RUN_LIMIT);
    CHECK(!ms_vm_free(vm));
}

int main(void) {
    ms_vm_t *vm = ms_vm_new(), *other;
    pthread_t thread;
    ms_error_t *error;

    null_arguments(vm);
    garbage_values(vm);
    CHECK(pthread_create(&thread, NULL, from_elsewhere, vm) == 0);
    pthread_join(thread, NULL);
    CHECK(runs(vm, "x = 1"));

    CHECK(pthread_create(&thread, NULL, interrupt_soon, vm) == 0);
    CHECK(ms_run_string(vm, "while True: pass", NULL, &error) == MS_RUN_ERROR);
    pthread_join(thread, NULL);
    CHECK(strcmp(ms_error_type(error), "KeyboardInterrupt") == 0);
    ms_error_free(error);
    CHECK(pthread_create(&thread, NULL, interrupt_soon, vm) == 0);
    CHECK(ms_run_string(vm, "sleep(100)", NULL, &error) == MS_RUN_ERROR);
    pthread_join(thread, NULL);
    CHECK(strcmp(ms_error_type(error), "KeyboardInterrupt") == 0);
    ms_error_free(error);

    /* A VM that was freed. */
    other = ms_vm_new();
    CHECK(!ms_vm_free(other));
    refuses_all(other, MS_ERR_HANDLE);
    CHECK(fails_with(ms_vm_free(other), MS_ERR_HANDLE));
    ms_interrupt(other);

    functions();
    configs();
    CHECK(!ms_vm_free(vm));
    return 0;
}
