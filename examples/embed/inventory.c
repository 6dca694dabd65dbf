/* inventory.c - MiniScript inside a C program.
 *
 *   cc inventory.c -I include -L lib -lminiscript -o inventory
 *
 * The program lends the script a function, runs it with limits, calls one of its functions and
 * reads what it made. */
#include <miniscript.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program if a call failed. */
static void check(ms_error_t *error) {
    if (error) {
        fputs(ms_error_traceback(error), stderr);
        ms_error_free(error);
        exit(1);
    }
}

/* store.price(name): a price in cents; KeyError for what is not sold. */
static ms_value_t price(ms_vm_t *vm, int argc, ms_value_t *args) {
    const char *name;
    size_t len;
    if (argc != 1 || !ms_value_is_string(args[0])) {
        check(ms_vm_raise(vm, "TypeError", "price() takes a name"));
        return ms_value_nil();
    }
    check(ms_value_text(vm, args[0], &name, &len));
    if (len == 5 && memcmp(name, "apple", 5) == 0) return ms_value_int(30);
    if (len == 4 && memcmp(name, "pear", 4) == 0) return ms_value_int(45);
    check(ms_vm_raise(vm, "KeyError", "not sold here"));
    return ms_value_nil();
}

/* store.twice(f): f called two times, to show a call back into the script. */
static ms_value_t twice(ms_vm_t *vm, int argc, ms_value_t *args) {
    ms_value_t sum[2];
    int i;
    if (argc != 1) {
        check(ms_vm_raise(vm, "TypeError", "twice() takes a function"));
        return ms_value_nil();
    }
    for (i = 0; i < 2; i++) {
        ms_value_t n = ms_value_int(i);
        if (ms_call(vm, args[0], 1, &n, &sum[i], NULL) != MS_RUN_DONE) {
            check(ms_vm_reraise(vm)); /* what f raised */
            return ms_value_nil();
        }
    }
    return ms_value_int(ms_value_as_int(sum[0]) + ms_value_as_int(sum[1]));
}

static const char *SCRIPT =
    "import store\n"
    "def total(names):\n"
    "    return sum(store.price(n) for n in names)\n"
    "def label(names):\n"
    "    return ', '.join(sorted(names)) + f': {total(names) / 100:.2f}'\n"
    "print('twice', store.twice(lambda n: n + 20))\n"
    "try:\n"
    "    store.price('plum')\n"
    "except KeyError as e:\n"
    "    print('KeyError', e)\n";

int main(void) {
    static const ms_function_t functions[] = {
        { "price", price, "Price of a thing in cents.", NULL, 0 },
        { "twice", twice, "Call f two times.", NULL, MS_FUNCTION_CALLS_BACK },
    };
    ms_extension_table_t store = { 0 };
    ms_config config = { 0 };
    ms_error_t *error = NULL;
    ms_value_t label, names, items[2], text;
    const char *bytes;
    size_t len;
    ms_vm_t *vm;

    config.size = sizeof config;
    config.timeout = 5;
    config.memory = 64 << 20;
    vm = ms_vm_new_with(&config, &error);
    check(error);

    store.size = sizeof store;
    store.name = "store";
    store.functions = functions;
    store.function_count = sizeof functions / sizeof *functions;
    store.stride = sizeof *functions;
    check(ms_register_extension_table(vm, &store));

    ms_run_string(vm, SCRIPT, "inventory.ms", &error);
    check(error);

    items[0] = ms_value_string(vm, "pear");
    items[1] = ms_value_string(vm, "apple");
    names = ms_value_list(vm, 2, items);
    check(ms_get_global(vm, "label", &label));
    ms_call(vm, label, 1, &names, &text, &error);
    check(error);
    check(ms_value_text(vm, text, &bytes, &len));
    printf("%.*s\n", (int)len, bytes);
    fflush(stdout);

    /* What the script may not do is an error, and the VM goes on. */
    if (ms_run_string(vm, "open('/etc/passwd')", "curious", &error) == MS_RUN_ERROR) {
        printf("%s\n", ms_error_type(error));
        ms_error_free(error);
    }
    check(ms_vm_free(vm));
    return 0;
}
