/* cycles.c - 10,000 VMs leave nothing behind. With a number as argument: that many. */
#include "check.h"

#include <time.h>

static long resident_kib(void) {
    long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
    fclose(f);
    return pages * 4;
}

static ms_value_t one(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)vm; (void)argc; (void)args;
    return ms_value_int(1);
}

static void cycle(int number, ms_extension_t *ext) {
    ms_vm_t *vm = ms_vm_new();
    ms_value_t v;
    char name[30];
    sprintf(name, "of_vm_%d", number);
    ext->functions[1].name = name; /* another one in each VM */
    CHECK(vm && !ms_register_extension(vm, ext));
    CHECK(!ms_set_global(vm, "x", ms_value_string(vm, "text")));
    if (number % 8 == 0) {
        CHECK(ms_run_string(vm, "import ext, math\n"
                                "class C:\n    def m(self): return [self] * 100\n"
                                "y = C().m() + [ext.one(), math.sqrt(2)]\n"
                                "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    y.append(e)\n",
                            NULL, NULL) == MS_RUN_DONE);
        CHECK(!ms_get_global(vm, "y", &v));
    }
    if (number % 64 == 0) CHECK(ms_run_string(vm, "sleep(0.001)", NULL, NULL) == MS_RUN_DONE);
    CHECK(!ms_vm_free(vm));
}

int main(int argc, char **argv) {
    static ms_extension_t ext;
    int i, count = argc > 1 ? atoi(argv[1]) : 10000;
    long early = 0;
    clock_t start = clock();
    ext.name = "ext";
    ext.function_count = 2;
    ext.functions[0].name = "one";
    ext.functions[0].func = ext.functions[1].func = one;
    for (i = 0; i < count; i++) {
        if (i == count / 5) early = resident_kib();
        cycle(i, &ext);
    }
    if (argc > 2)
        printf("%.0f us each, %ld KiB, then %ld KiB\n",
               (double)(clock() - start) / CLOCKS_PER_SEC * 1e6 / count, early, resident_kib());
    /* A few are for Valgrind, whose own memory counts here. */
    CHECK(count < 1000 || resident_kib() - early < 1024);
    return 0;
}
