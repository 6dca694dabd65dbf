/* many.c - extensions and functions without limit in number; what is registered is copied. */
#include "check.h"

static ms_value_t number(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)args;
    return ms_value_int((int64_t)(size_t)ms_function_data(vm) + argc);
}

static ms_value_t one(ms_vm_t *vm, int argc, ms_value_t *args) { (void)vm; (void)argc; (void)args; return ms_value_int(1); }
static ms_value_t two(ms_vm_t *vm, int argc, ms_value_t *args) { (void)vm; (void)argc; (void)args; return ms_value_int(2); }

/* The reference document's advice for arguments that are not right. */
static ms_value_t echo(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)vm;
    if (argc < 1 || !ms_value_is_string(args[0])) {
        return ms_value_nil();
    }
    return args[0];
}

static char *copied(const char *text) {
    char *copy = malloc(strlen(text) + 1);
    CHECK(copy);
    return strcpy(copy, text);
}

/* 40 extensions; each is freed as soon as it is registered, with its names. */
static void forty_extensions(ms_vm_t *vm) {
    char name[40], script[200];
    int i, n;
    for (i = 0; i < 40; i++) {
        ms_extension_t *ext = malloc(sizeof *ext);
        sprintf(name, "ext%d", i);
        memset(ext, 0xAB, sizeof *ext);
        ext->name = copied(name);
        ext->function_count = i == 39 ? 64 : 2;
        for (n = 0; n < ext->function_count; n++) {
            sprintf(name, "f%d", n);
            ext->functions[n].name = copied(name);
            ext->functions[n].func = n % 2 ? two : one;
        }
        CHECK(!ms_register_extension(vm, ext));
        for (n = 0; n < ext->function_count; n++) free((char *)ext->functions[n].name);
        free((char *)ext->name);
        free(ext);
    }
    for (i = 0; i < 40; i++) {
        sprintf(script, "import ext%d\nassert (ext%d.f0(), ext%d.f1()) == (1, 2)", i, i, i);
        CHECK(runs(vm, script));
    }
    CHECK(runs(vm, "assert ext39.f63() == 2 and ext39.__name__ == 'ext39'"));
    CHECK(raises(vm, "ext39.f64", "AttributeError"));
    CHECK(raises(vm, "import ext40", "ModuleNotFoundError"));
}

static void bad_extensions(ms_vm_t *vm) {
    static ms_extension_t ext;
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT)); /* no name */
    ext.name = "ext0";
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT)); /* there already */
    ext.name = "bad";
    ext.function_count = 65;
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT));
    ext.function_count = -1;
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT));
    ext.function_count = 1;
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT)); /* null name */
    ext.functions[0].name = "f";
    CHECK(fails_with(ms_register_extension(vm, &ext), MS_ERR_ARGUMENT)); /* null function */
    ext.functions[0].func = echo;
    CHECK(!ms_register_extension(vm, &ext));
    CHECK(runs(vm, "import bad\nassert bad.f() is None and bad.f(1) is None and bad.f('x') == 'x'"));
}

/* A table of 1,000, with a larger stride as a newer header would have it. */
static void thousand_functions(ms_vm_t *vm) {
    struct wide { ms_function_t row; void *later; } *rows = calloc(1000, sizeof *rows);
    ms_extension_table_t table = { 0 };
    ms_value_t v, arg = ms_value_nil();
    ms_error_t *error;
    char name[20];
    size_t i;
    for (i = 0; i < 1000; i++) {
        sprintf(name, "f%d", (int)i);
        rows[i].row.name = copied(name);
        rows[i].row.func = number;
        rows[i].row.data = (void *)(i * 10);
        rows[i].row.doc = i == 999 ? "The last one." : NULL;
    }
    table.size = sizeof table;
    table.name = "thousand";
    table.doc = "Many functions.";
    table.functions = &rows[0].row;
    table.function_count = 1000;
    table.stride = sizeof *rows;
    CHECK(!ms_register_extension_table(vm, &table));
    for (i = 0; i < 1000; i++) free((char *)rows[i].row.name);
    free(rows);
    CHECK(runs(vm, "import thousand\n"
                   "for i in range(1000):\n"
                   "    assert getattr(thousand, f'f{i}')('x', 'y') == i * 10 + 2\n"
                   "assert thousand.f999.__doc__ == 'The last one.'\n"
                   "assert thousand.__doc__ == 'Many functions.' and thousand.f0.__doc__ is None"));
    CHECK(ms_call_extension_function(vm, "thousand", "f7", 1, &arg, &v, &error) == MS_RUN_DONE);
    CHECK(ms_value_as_int(v) == 71 && !error);
    CHECK(ms_call_extension_function(vm, "thousand", "f1000", 0, NULL, &v, &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_ARGUMENT));
    CHECK(ms_call_extension_function(vm, "thousands", "f1", 0, NULL, &v, &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_ARGUMENT));
    table.name = "small";
    table.stride = 4;
    CHECK(fails_with(ms_register_extension_table(vm, &table), MS_ERR_ARGUMENT));
    table.size = 8;
    CHECK(fails_with(ms_register_extension_table(vm, &table), MS_ERR_ARGUMENT));
}

int main(void) {
    ms_vm_t *vm = ms_vm_new();
    ms_value_t v;
    forty_extensions(vm);
    bad_extensions(vm);
    thousand_functions(vm);
    CHECK(runs(vm, "import math"));
    CHECK(ms_call_extension_function(vm, "math", "isqrt", 1, (v = ms_value_int(17), &v), &v, NULL) == 0);
    CHECK(ms_value_as_int(v) == 4);
    CHECK(!ms_vm_free(vm));
    return 0;
}
