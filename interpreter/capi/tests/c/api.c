/* api.c - the C API from C: prints nothing and gives 0 if all is as it should be. */
#include "check.h"

#include <pthread.h>
#include <time.h>

static void *use_elsewhere(void *vm) {
    ms_value_t v;
    CHECK(fails_with(ms_get_global(vm, "x", &v), MS_ERR_THREAD));
    CHECK(ms_value_is_error(ms_value_string(vm, "x")));
    CHECK(fails_with(ms_vm_free(vm), MS_ERR_THREAD));
    ms_interrupt(vm);
    return NULL;
}

static void collect(void *data, const char *bytes, size_t len) {
    strncat(data, bytes, len);
}

int main(void) {
    char out[100] = "";
    ms_config config;
    ms_error_t *error;
    ms_value_t v, w, items[2];
    size_t len;
    const char *bytes;
    pthread_t thread;
    ms_vm_t *vm, *other;

    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.timeout = 0.3;
    config.memory = 32 << 20;
    config.write_out = collect;
    config.data = out;
    vm = ms_vm_new_with(&config, &error);
    CHECK(vm && !error);

    /* output, globals, values */
    CHECK(ms_run_string(vm, "print('hi')\nx = {'a': [1, 2.5, None, 2**70]}", "s", &error) == 0);
    CHECK(strcmp(out, "hi\n") == 0);
    CHECK(!ms_get_global(vm, "x", &v) && ms_value_is_dict(v));
    w = ms_value_string(vm, "a");
    CHECK(!ms_value_get(vm, v, w, &items[0]) && ms_value_is_list(items[0]));
    CHECK(!ms_value_length(vm, items[0], &len) && len == 4);
    CHECK(!ms_value_get(vm, items[0], ms_value_int(1), &items[1]));
    CHECK(ms_value_as_float(items[1]) == 2.5);
    CHECK(!ms_value_get(vm, items[0], ms_value_int(3), &items[1]) && ms_value_is_int(items[1]));
    CHECK(!ms_value_repr(vm, items[1], &items[1]));
    CHECK(!ms_value_text(vm, items[1], &bytes, &len) && len == 22);
    CHECK(memcmp(bytes, "1180591620717411303424", 22) == 0);

    /* stale, foreign and bad values */
    CHECK(!ms_value_release(vm, w));
    CHECK(fails_with(ms_value_release(vm, w), MS_ERR_HANDLE));
    CHECK(fails_with(ms_set_global(vm, "y", w), MS_ERR_HANDLE));
    other = ms_vm_new();
    CHECK(fails_with(ms_set_global(other, "y", v), MS_ERR_HANDLE));
    CHECK(!ms_vm_free(other));
    CHECK(ms_value_is_error(ms_value_string(vm, "\xff")));
    CHECK(fails_with(ms_get_global(vm, NULL, &v), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_get_global(NULL, "x", &v), MS_ERR_ARGUMENT));

    /* errors */
    CHECK(ms_eval(vm, "1 / 0", &v, &error) == MS_RUN_ERROR);
    CHECK(ms_error_code(error) == MS_ERR_EXCEPTION);
    CHECK(strcmp(ms_error_type(error), "ZeroDivisionError") == 0);
    CHECK(strcmp(ms_error_message(error), "division by zero") == 0);
    CHECK(strncmp(ms_error_traceback(error), "Traceback (most recent call last):", 34) == 0);
    CHECK(strcmp(ms_error_file(error), "<eval>") == 0 && ms_error_line(error) == 1);
    ms_error_free(error);
    CHECK(ms_run_string(vm, "def f():\n    return {}['k']\n\nf()", "place.ms", &error) == 1);
    CHECK(strcmp(ms_error_message(error), "'k'") == 0 && ms_error_line(error) == 2);
    CHECK(strcmp(ms_error_file(error), "place.ms") == 0);
    ms_error_free(error);
    CHECK(ms_run_string(vm, "x = 1\n\ny = (", "bad.ms", &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "SyntaxError") == 0 && ms_error_line(error) == 3);
    CHECK(strcmp(ms_error_message(error), "'(' was never closed") == 0);
    CHECK(strcmp(ms_error_file(error), "bad.ms") == 0);
    CHECK(fails_with(error, MS_ERR_SYNTAX));
    CHECK(ms_run_string(vm, "class E(Exception):\n    def __str__(self):\n        return 'own'\n"
                            "raise E()", "s", &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "E") == 0 && strcmp(ms_error_message(error), "own") == 0);
    ms_error_free(error);
    CHECK(ms_run_string(vm, "raise SystemExit(3)", "s", &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "SystemExit") == 0);
    ms_error_free(error);
    CHECK(ms_run_string(vm, "f(", "s", &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_SYNTAX));
    CHECK(ms_run_file(vm, "/no/such/file", &error) == MS_RUN_ERROR);
    CHECK(fails_with(error, MS_ERR_IO));

    /* limits, and the VM goes on */
    CHECK(ms_run_string(vm, "while True: pass", "s", &error) == MS_RUN_LIMIT);
    CHECK(fails_with(error, MS_ERR_LIMIT));
    CHECK(ms_run_string(vm, "x = 'a' * 10**9", "s", &error) == MS_RUN_LIMIT);
    CHECK(fails_with(error, MS_ERR_LIMIT));
    CHECK(ms_eval(vm, "6 * 7", &v, &error) == MS_RUN_DONE && ms_value_as_int(v) == 42);

    /* threads */
    CHECK(pthread_create(&thread, NULL, use_elsewhere, vm) == 0);
    pthread_join(thread, NULL);
    CHECK(ms_run_string(vm, "while True: pass", "s", &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "KeyboardInterrupt") == 0);
    ms_error_free(error);
    CHECK(!ms_vm_free(vm));

    /* a fuel limit, extensions by name */
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.fuel = 100000;
    vm = ms_vm_new_with(&config, &error);
    CHECK(ms_run_string(vm, "while True: pass", "s", &error) == MS_RUN_LIMIT);
    CHECK(fails_with(error, MS_ERR_LIMIT));
    CHECK(ms_run_string(vm, "for i in range(10000): pass", "s", NULL) == MS_RUN_DONE);
    CHECK(!ms_vm_free(vm));
    vm = ms_vm_new();
    CHECK(ms_run_string(vm, "import math", "s", NULL) == MS_RUN_DONE);
    CHECK(ms_eval(vm, "math.sqrt(2)", &v, NULL) == MS_RUN_DONE && ms_value_as_float(v) > 1.414);
    CHECK(!ms_vm_free(vm));
    CHECK(ms_http_event_loop_init() == 0);

    return 0;
}
