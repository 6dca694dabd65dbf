/* memory.c - what a VM holds stays bounded between runs, and limits hold in the embedder's own
 * functions. */
#include "check.h"

static long resident_kib(void) {
    long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
    fclose(f);
    return pages * 4;
}

/* Short runs and values that are made between runs come to no safepoint of their own. */
static void short_runs(void) {
    ms_vm_t *vm = ms_vm_new();
    ms_value_t v;
    long early = 0;
    int i;
    for (i = 0; i < 60000; i++) {
        if (i == 10000) early = resident_kib();
        CHECK(ms_eval(vm, "['x' * 100, 2 ** 100]", &v, NULL) == MS_RUN_DONE);
        CHECK(!ms_value_release(vm, v));
    }
    CHECK(resident_kib() - early < 8192);
    early = resident_kib();
    for (i = 0; i < 1000000; i++) CHECK(!ms_value_release(vm, ms_value_string(vm, "some text")));
    CHECK(resident_kib() - early < 8192);
    CHECK(!ms_vm_free(vm));
}

static ms_vm_t *limited(double seconds) {
    ms_config config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.memory = 32 << 20;
    config.timeout = seconds;
    return ms_vm_new_with(&config, NULL);
}

/* A run that met the memory limit leaves a VM that can be used once the data is given up. */
static void after_the_limit(void) {
    static const char *const greedy[] = {
        "x = []\nwhile True: x.append('a' * 100 + str(len(x)))",
        "x = []\nwhile True: x.append([])",
        "x = {}\nwhile True: x[len(x)] = 1.5",
        "class A: pass\nx = A()\nwhile True:\n    a = A()\n    a.next = x\n    x = a",
    };
    size_t i;
    for (i = 0; i < sizeof greedy / sizeof *greedy; i++) {
        ms_vm_t *vm = limited(0);
        CHECK(ms_run_string(vm, greedy[i], NULL, NULL) == MS_RUN_LIMIT);
        CHECK(!ms_set_global(vm, "x", ms_value_nil()));
        CHECK(!ms_set_global(vm, "a", ms_value_nil()));
        CHECK(runs(vm, "y = ['b' * 100 for i in range(1000)]\nassert len(y) == 1000"));
        CHECK(!ms_vm_free(vm));
    }
}

/* A run is not the end: what lives goes on to live. */
static void finalisers(void) {
    ms_vm_t *vm = ms_vm_new();
    CHECK(runs(vm, "gone = []\nclass A:\n    def __del__(self): gone.append(1)\na = A()"));
    CHECK(runs(vm, "assert gone == []"));
    CHECK(runs(vm, "import gc\ndel a\ngc.collect()\nassert gone == [1]"));
    CHECK(!ms_vm_free(vm));
}

/* What the embedder keeps counts, and at the limit nothing more is made, until it lets go. */
static void values_that_are_kept(void) {
    static ms_value_t kept[400000];
    char text[300];
    size_t made = 0, i;
    ms_vm_t *vm = limited(0);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    while (made < 400000 && !ms_value_is_error(kept[made] = ms_value_string(vm, text))) made++;
    CHECK(made > 50000 && made < 200000);
    for (i = 0; i < 20; i++) CHECK(ms_value_is_error(ms_value_string(vm, text)));
    for (i = 0; i < made; i++) CHECK(!ms_value_release(vm, kept[i]));
    CHECK(!ms_value_is_error(ms_value_string(vm, text)));
    CHECK(!ms_vm_free(vm));
}

static ms_value_t make(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t v = ms_value_nil();
    (void)argc; (void)args;
    while (!ms_value_is_error(v)) v = ms_value_string(vm, "a string of the script's");
    return ms_value_nil();
}

static ms_value_t keep(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t v;
    ms_error_t *error = NULL;
    (void)argc;
    while (!error) error = ms_value_retain(vm, args[0], &v);
    CHECK(ms_error_code(error) == MS_ERR_LIMIT);
    ms_error_free(error);
    return ms_value_nil();
}

static ms_value_t read(ms_vm_t *vm, int argc, ms_value_t *args) {
    size_t len;
    ms_error_t *error = NULL;
    (void)argc;
    while (!error) error = ms_value_length(vm, args[0], &len);
    ms_error_free(error);
    return ms_value_int(1);
}

static ms_value_t fill(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t v;
    (void)argc; (void)args;
    for (;;) {
        v = ms_value_string(vm, "garbage of the function's");
        if (ms_value_is_error(v)) return v;
        CHECK(!ms_value_release(vm, v));
    }
}

static void in_functions(void) {
    static const ms_function_t rows[] = {
        { "make", make, NULL, NULL, 0 },
        { "keep", keep, NULL, NULL, 0 },
        { "keep_back", keep, NULL, NULL, MS_FUNCTION_CALLS_BACK },
        { "read", read, NULL, NULL, 0 },
        { "fill", fill, NULL, NULL, 0 },
    };
    ms_extension_table_t table = { sizeof table, "ext", NULL, rows, sizeof rows / sizeof *rows,
                                   sizeof *rows };
    static const char *const calls[] = { "make()", "keep([])", "keep_back([])", "fill()" };
    ms_vm_t *vm;
    ms_error_t *error;
    size_t i;
    for (i = 0; i < sizeof calls / sizeof *calls; i++) {
        char script[60];
        vm = limited(20);
        CHECK(!ms_register_extension_table(vm, &table));
        sprintf(script, "import ext\next.%s", calls[i]);
        CHECK(ms_run_string(vm, script, NULL, &error) == MS_RUN_LIMIT);
        CHECK(strcmp(ms_error_type(error), "MemoryError") == 0);
        ms_error_free(error);
        CHECK(resident_kib() < 400 << 10);
        if (strncmp(calls[i], "keep", 4) != 0) CHECK(runs(vm, "assert len('on') == 2"));
        CHECK(!ms_vm_free(vm));
    }
    vm = limited(0.2);
    CHECK(!ms_register_extension_table(vm, &table));
    CHECK(ms_run_string(vm, "import ext\next.read('x')\nprint('not here')", NULL, &error)
          == MS_RUN_LIMIT);
    CHECK(strcmp(ms_error_type(error), "TimeoutError") == 0);
    ms_error_free(error);
    CHECK(runs(vm, "assert True"));
    CHECK(!ms_vm_free(vm));
}

int main(void) {
    short_runs();
    finalisers();
    after_the_limit();
    values_that_are_kept();
    in_functions();
    return 0;
}
