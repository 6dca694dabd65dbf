/* random.c - calls in any order with any values end in a result or an error. The seed may be given. */
#include "check.h"

static uint64_t state;

static unsigned below(unsigned n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 11) % n);
}

#define POOL 24
static ms_value_t pool[POOL];
static ms_vm_t *vms[3];
static int depth;

static ms_value_t some_value(void) {
    ms_value_t v = pool[below(POOL)];
    if (below(40) == 0) v.tag = below(30);
    if (below(40) == 0) v.aux = below(5);
    if (below(60) == 0) v.payload.h ^= (uint64_t)1 << below(64);
    return v;
}

static const char *some_text(void) {
    static const char *const texts[] = { "x", "f", "len", "print(x)", "x = [1, 2, {'a': 3}]", "(", "", "1 / 0",
        "def f(*a): return list(a)", "x", "import ext\next.any(ext.back, f, 1)", "f(f, x, 2.5)", "\xff",
        "[f] * 5", "{1: f}", "sum(range(1000))", "go(lambda: sleep(0.001))", "123456789012345678901",
        "class C:\n    def __eq__(self, o): return f(o)\n    __hash__ = None\nx = C()", "'text' * 20", "C()" };
    return texts[below(sizeof texts / sizeof *texts)];
}

static void step(ms_vm_t *vm) {
    ms_value_t items[6], *out = &pool[below(POOL)];
    ms_error_t *error = NULL;
    const char *bytes;
    size_t len = 0, i;
    for (i = 0; i < 6; i++) items[i] = some_value();
    switch (below(26)) {
    case 0: *out = ms_value_int((int64_t)state); break;
    case 1: *out = ms_value_float((double)below(1000) / 8); break;
    case 2: *out = ms_value_string(vm, some_text()); break;
    case 3: *out = ms_value_bytes(vm, some_text(), below(2)); break;
    case 4: *out = ms_value_list(vm, below(7), items); break;
    case 5: *out = ms_value_tuple(vm, below(7), items); break;
    case 6: *out = ms_value_dict(vm, below(4), items); break;
    case 7: *out = ms_value_bigint(vm, some_text(), (int)below(40)); break;
    case 8: error = ms_value_get(vm, items[0], items[1], out); break;
    case 9: error = ms_value_set(vm, items[0], items[1], items[2]); break;
    case 10: error = ms_value_attr(vm, items[0], some_text(), out); break;
    case 11: error = ms_value_items(vm, items[0], out); break;
    case 12: error = ms_value_repr(vm, items[0], out); break;
    case 13: error = ms_value_str(vm, items[0], out); break;
    case 14: error = ms_value_length(vm, items[0], &len); break;
    case 15:
        error = ms_value_text(vm, items[0], &bytes, &len);
        if (!error && len) CHECK(memchr(bytes, bytes[len - 1], len));
        break;
    case 16: error = ms_value_retain(vm, items[0], out); break;
    case 17: case 18: error = ms_value_release(vm, items[0]); break;
    case 19: error = ms_get_global(vm, some_text(), out); break;
    case 20: error = ms_set_global(vm, some_text(), items[0]); break;
    case 21: ms_run_string(vm, some_text(), below(2) ? "s" : NULL, &error); break;
    case 22: ms_eval(vm, some_text(), below(3) ? out : NULL, &error); break;
    case 23: ms_call(vm, items[0], below(6), items + 1, out, &error); break;
    case 24: error = ms_vm_raise(vm, below(2) ? "ValueError" : some_text(), some_text()); break;
    default: error = below(2) ? ms_vm_reraise(vm) : ms_value_type_name(vm, items[0], out); break;
    }
    if (error) {
        CHECK(ms_error_code(error) >= MS_ERR_EXCEPTION && ms_error_code(error) < MS_ERR_INTERNAL);
        CHECK(strlen(ms_error_traceback(error)) >= strlen(ms_error_message(error)));
    }
    ms_error_free(error);
}

/* A function of the embedder that does anything. */
static ms_value_t any(ms_vm_t *vm, int argc, ms_value_t *args) {
    int n = depth < 3 ? 6 : 0, i;
    depth++;
    for (i = 0; i < argc && i < POOL; i++) pool[below(POOL)] = args[i];
    while (n-- > 0) step(vm);
    depth--;
    return below(4) ? some_value() : ms_value_nil();
}

static void drop(void *data, const char *bytes, size_t len) {
    (void)data; (void)bytes; (void)len;
}

static ms_vm_t *new_vm(void) {
    static const ms_function_t rows[] = { { "any", any, "", NULL, 0 },
                                          { "back", any, NULL, NULL, MS_FUNCTION_CALLS_BACK } };
    ms_extension_table_t table = { sizeof table, "ext", NULL, rows, 2, sizeof rows[0] };
    ms_config config;
    ms_vm_t *vm;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.timeout = 0.5;
    config.fuel = 1000000;
    config.memory = 16 << 20;
    config.recursion = 60;
    config.write_out = config.write_err = drop;
    vm = ms_vm_new_with(&config, NULL);
    CHECK(vm && !ms_register_extension_table(vm, &table));
    CHECK(ms_run_string(vm, "import ext\nf = ext.back\nx = [ext.any]", NULL, NULL) == MS_RUN_DONE);
    return vm;
}

int main(int argc, char **argv) {
    int round, steps = argc > 2 ? atoi(argv[2]) : 20000;
    state = argc > 1 ? (uint64_t)atoll(argv[1]) + 1 : 20240229;
    for (round = 0; round < 3; round++) vms[round] = new_vm();
    for (round = 0; round < steps; round++) {
        unsigned i = below(3);
        step(vms[i]);
        if (below(500) == 0) {
            CHECK(!ms_vm_free(vms[i]));
            if (below(2)) step(vms[i]); /* freed */
            vms[i] = new_vm();
        }
    }
    for (round = 0; round < 3; round++) CHECK(!ms_vm_free(vms[round]));
    return 0;
}
