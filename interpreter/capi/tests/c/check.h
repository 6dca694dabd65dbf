/* check.h - what the test programs share. They print nothing and give 0 if all is as it should. */
#ifndef CHECK_H
#define CHECK_H

#include <miniscript.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(c) do { if (!(c)) { printf("%s:%d: %s\n", __FILE__, __LINE__, #c); exit(1); } } while (0)

/* Whether a call failed with a code; the error is freed. */
static inline int fails_with(ms_error_t *error, int code) {
    int found = ms_error_code(error);
    if (found != code) printf("error %d: %s\n", found, ms_error_message(error));
    ms_error_free(error);
    return found == code;
}

/* Whether a script ends well; if not, its traceback is shown. */
static inline int runs(ms_vm_t *vm, const char *script) {
    ms_error_t *error;
    ms_run_t ended = ms_run_string(vm, script, "script.ms", &error);
    if (error) fputs(ms_error_traceback(error), stdout);
    ms_error_free(error);
    return ended == MS_RUN_DONE;
}

/* Whether a script ends with an exception of a class. */
static inline int raises(ms_vm_t *vm, const char *script, const char *type) {
    ms_error_t *error;
    ms_run_t ended = ms_run_string(vm, script, "script.ms", &error);
    int found = ended == MS_RUN_ERROR && strcmp(ms_error_type(error), type) == 0;
    if (!found) printf("ended with %d: %s\n", ended, ms_error_traceback(error));
    ms_error_free(error);
    return found;
}

#endif
