/* Limits end a run whatever the script does, in whichever task; interrupts are not the script's. */
#include "check.h"

#include <time.h>

/* Errors of tasks are written, too. */
static void sink(void *data, const char *bytes, size_t length) {
    (void)data, (void)bytes, (void)length;
}

static ms_vm_t *limited(double timeout, uint64_t fuel) {
    ms_config config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.timeout = timeout;
    config.fuel = fuel;
    config.write_err = sink;
    ms_vm_t *vm = ms_vm_new_with(&config, NULL);
    CHECK(vm);
    return vm;
}

/* Whether a script is ended by a limit, within some seconds. */
static int stopped(ms_vm_t *vm, const char *script) {
    ms_error_t *error = NULL;
    time_t begin = time(NULL);
    ms_run_t ended = ms_run_string(vm, script, "s", &error);
    int good = ended == MS_RUN_LIMIT && ms_error_code(error) == MS_ERR_LIMIT
               && strcmp(ms_error_type(error), "TimeoutError") == 0 && time(NULL) - begin < 8;
    if (!good) printf("ended with %d: %s\n%s\n", ended, ms_error_type(error), script);
    ms_error_free(error);
    return good;
}

static const char *const STUBBORN[] = {
    "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "while True:\n    try:\n        while True: pass\n    finally:\n        continue",
    "class C:\n    def __enter__(self): pass\n    def __exit__(self, *a): return True\n"
    "while True:\n    with C():\n        while True: pass",
    /* in tasks, started again and again */
    "def f():\n    try:\n        while True: pass\n    except BaseException: pass\n    go(f)\n"
    "go(f); go(f)",
    "def g():\n    while True:\n        try: yield 1\n        except BaseException: pass\n"
    "while True:\n    try:\n        for x in g(): pass\n    except BaseException: pass",
    /* nothing but calls, of a function and of a class's methods */
    "def f(n):\n    if n: f(n - 1); f(n - 1)\nf(100)",
    "class C:\n    def __call__(self, n):\n        if n: self(n - 1); self.again(n - 1)\n"
    "    def again(self, n): self(n)\nC()(100)",
};

static void limits_cannot_be_caught(void) {
    ms_vm_t *timed = limited(0.1, 0), *fuelled = limited(0, 100000);
    for (size_t i = 0; i < sizeof STUBBORN / sizeof *STUBBORN; i++) {
        CHECK(stopped(timed, STUBBORN[i]));
        CHECK(stopped(fuelled, STUBBORN[i]));
        /* The VM goes on, and handlers catch again. */
        CHECK(runs(timed, "try: 1 / 0\nexcept ZeroDivisionError: x = 1\nassert x == 1"));
        CHECK(runs(fuelled, "try: 1 / 0\nexcept ZeroDivisionError: x = 1\nassert x == 1"));
    }
    CHECK(stopped(timed, "while True:\n    try: sleep(10)\n    except BaseException: pass"));
    /* What cleans up is left its time. */
    CHECK(stopped(timed, "done = []\ntry:\n    while True: pass\nfinally:\n    done.append(1)"));
    CHECK(runs(timed, "assert done == [1]"));
    CHECK(!ms_vm_free(timed));
    CHECK(!ms_vm_free(fuelled));
}

static void tasks_are_part_of_the_run(void) {
    ms_vm_t *vm = limited(0.2, 0);
    CHECK(stopped(vm, "go(sleep, 100)"));
    CHECK(stopped(vm, "def spin():\n    while True: pass\ngo(spin)"));
    CHECK(runs(vm, "def bad(): raise ValueError('lost')\n"
                   "try: go(bad).result()\nexcept ValueError: pass"));
    CHECK(raises(vm, "go(bad)", "ValueError"));
    CHECK(runs(vm, "go(sleep, 0)"));
    CHECK(!ms_vm_free(vm));
}

static void texts_are_read_within_the_limits(void) {
    ms_vm_t *vm = limited(0.2, 0);
    size_t lines = 600000, length = 0;
    char *text = malloc(lines * 12 + 1);
    CHECK(text);
    for (size_t i = 0; i < lines; i++) {
        memcpy(text + length, "x = [1, 2]\n", 11);
        length += 11;
    }
    text[length] = 0;
    CHECK(stopped(vm, text));
    CHECK(!ms_set_global(vm, "text", ms_value_string(vm, text)));
    CHECK(stopped(vm, "exec(text)"));
    CHECK(stopped(vm, "compile('[' + 'x,' * 3000000 + ']', '', 'eval')"));
    free(text);
    CHECK(!ms_vm_free(vm));
}

static void interrupts_are_not_the_scripts(void) {
    ms_vm_t *vm = limited(5, 0);
    ms_error_t *error = NULL;
    ms_value_t v;
    CHECK(runs(vm, "import signal\nsignal.signal(2, signal.SIG_IGN)"));
    ms_interrupt(vm);
    CHECK(raises(vm, "while True: pass", "KeyboardInterrupt"));
    CHECK(runs(vm, "signal.signal(2, lambda *a: None)"));
    ms_interrupt(vm);
    CHECK(raises(vm, "while True: pass", "KeyboardInterrupt"));
    /* One that comes between runs stops the next at once, and no further one. */
    ms_interrupt(vm);
    CHECK(raises(vm, "ran = True", "KeyboardInterrupt"));
    CHECK(raises(vm, "ran", "NameError"));
    ms_interrupt(vm);
    CHECK(ms_eval(vm, "1", &v, &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "KeyboardInterrupt") == 0);
    ms_error_free(error);
    CHECK(ms_eval(vm, "1", &v, NULL) == MS_RUN_DONE);
    CHECK(!ms_vm_free(vm));
}

static void names_are_identifiers(void) {
    ms_vm_t *vm = ms_vm_new();
    const char *const bad[] = { "", "a b", "a.b", "1a", "a-b" };
    ms_extension_table_t table;
    memset(&table, 0, sizeof table);
    table.size = sizeof table;
    table.stride = sizeof(ms_function_t);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(fails_with(ms_set_global(vm, bad[i], ms_value_int(1)), MS_ERR_ARGUMENT));
        table.name = bad[i];
        CHECK(fails_with(ms_register_extension_table(vm, &table), MS_ERR_ARGUMENT));
    }
    CHECK(!ms_set_global(vm, "\xc3\xa9", ms_value_int(1)));
    table.name = "good";
    CHECK(!ms_register_extension_table(vm, &table));
    CHECK(!ms_vm_free(vm));
}

int main(void) {
    limits_cannot_be_caught();
    tasks_are_part_of_the_run();
    texts_are_read_within_the_limits();
    interrupts_are_not_the_scripts();
    names_are_identifiers();
    return 0;
}
