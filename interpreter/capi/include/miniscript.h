/* miniscript.h - the C API of MiniScript. C99 and C++.
 *
 * A VM belongs to the thread that made it. Every call but ms_interrupt, the scalar functions and
 * those of ms_error_t is made on that thread; from another one it is an error and does nothing.
 * Several VMs, on one thread or many, share nothing. A VM that was freed is an error, too, until
 * many others were freed after it. A thread needs 512 KiB of stack to run scripts.
 *
 * While a script runs, its VM can be used only by the functions that it calls (ms_ext_fn_t): they
 * make and read values, call back (ms_call, where they said so) and raise. Running anything else,
 * freeing the VM, and any use in an output callback is MS_ERR_BUSY.
 *
 * A call that returns ms_error_t * returns null if all went well; otherwise the caller frees the
 * error. Where the error is an `ms_error_t **error` parameter, null may be passed, and null is
 * stored if all went well. Results are only stored if all went well.
 *
 * Strings passed in are NUL-terminated UTF-8 and borrowed for the call, except where a length or
 * another lifetime is mentioned. A null pointer where none is allowed is MS_ERR_ARGUMENT. */
#ifndef MINISCRIPT_H
#define MINISCRIPT_H

#include "ms_value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A VM. Owned by who made it, until ms_vm_free on the same thread. */
typedef struct ms_vm ms_vm_t;
/* An error: texts that outlive the VM. Owned by who received it, until ms_error_free; any thread
 * may use it, one at a time. */
typedef struct ms_error ms_error_t;
/* A value: a scalar, or a handle to an object of one VM. Handles that a call gives belong to the
 * caller, until ms_value_release or the end of the VM; those given to or made by a function that
 * a script called (ms_ext_fn_t) end when it returns, unless ms_value_retain made them last. A
 * handle that has ended, or of another VM, is an error wherever it is used. */
typedef MsValue ms_value_t;

/* ---- VMs ---- */

/* Takes output; called on the VM's thread, and may not use the VM. The bytes live for the call and
 * do not end in a NUL. It must return: no longjmp and no C++ exception may leave it. */
typedef void (*ms_write_fn_t)(void *data, const char *bytes, size_t len);

/* The script has all rights of the process. */
#define MS_ALLOW_ALL 1u
/* One right without bounds. The lists of ms_config grant a right for some things only. */
#define MS_ALLOW_READ 2u    /* look at files */
#define MS_ALLOW_WRITE 4u   /* make, change and remove files */
#define MS_ALLOW_NET 8u     /* use the network */
#define MS_ALLOW_ENV 16u    /* look at the environment */
#define MS_ALLOW_RUN 32u    /* run programs */
#define MS_ALLOW_IMPORT 64u /* import modules from module_path */
#define MS_ALLOW_EXT 128u   /* load extensions, which are native code */
#define MS_ALLOW_STDIN 256u /* read standard input; there is no list for it */

/* What a VM may do. Zero everything, set size, then what is wanted. Borrowed for the call, but for
 * the callbacks and their data, which must live as long as the VM. Fields are added at the end
 * only; what lies beyond the size is taken as zero. */
typedef struct ms_config {
    size_t size;                     /* sizeof(ms_config) */
    uint32_t flags;                  /* MS_ALLOW_ flags */
    uint32_t recursion;              /* depth of calls; 0: the usual one */
    double timeout;                  /* seconds a run may take; 0: no limit */
    uint64_t memory;                 /* bytes of the heap; 0: no limit */
    uint64_t fuel;                   /* loop turns and calls of a run, to the next 5000; 0: none */
    const char *const *allow_read;   /* files and folders that may be read */
    size_t allow_read_count;
    const char *const *allow_write;  /* files and folders that may be written */
    size_t allow_write_count;
    const char *const *module_path;  /* folders with modules (.ms, .py); those that may be read or
                                        that allow_import names can be imported */
    size_t module_path_count;
    ms_write_fn_t write_out;         /* null: the process's standard output */
    ms_write_fn_t write_err;         /* null: the process's standard error */
    void *data;                      /* handed to the callbacks */
    const char *const *allow_net;    /* "host", "host:port", "*.host", "address", "address:port",
                                        "[v6]:port", ":port" */
    size_t allow_net_count;
    const char *const *allow_env;    /* names of variables */
    size_t allow_env_count;
    const char *const *allow_run;    /* names of programs */
    size_t allow_run_count;
    const char *const *allow_import; /* modules of module_path, with their submodules */
    size_t allow_import_count;
    const char *const *allow_ext;    /* extensions; those of the installation need no grant */
    size_t allow_ext_count;
    const char *const *ext_path;     /* folders in which extensions are looked for first */
    size_t ext_path_count;
} ms_config;

/* A VM that may write output, use math, and nothing else. Null if there is no memory. */
ms_vm_t *ms_vm_new(void);
/* A VM with rights and limits; null config: as ms_vm_new. Null if the config is not right. */
ms_vm_t *ms_vm_new_with(const ms_config *config, ms_error_t **error);
/* Frees a VM; null does nothing. An error if it runs, or on another thread: then it stays. No
 * script code runs: finalisers (__del__) of what still lives are not called. */
ms_error_t *ms_vm_free(ms_vm_t *vm);

/* ---- errors ---- */

#define MS_ERR_EXCEPTION 1 /* an exception that the script did not catch */
#define MS_ERR_SYNTAX 2    /* the text is not a program */
#define MS_ERR_LIMIT 3     /* time, fuel or memory is used up */
#define MS_ERR_ARGUMENT 4  /* an argument cannot be used */
#define MS_ERR_HANDLE 5    /* a value has ended or belongs to another VM, or a VM was freed */
#define MS_ERR_THREAD 6    /* the VM belongs to another thread */
#define MS_ERR_BUSY 7      /* not possible at this moment */
#define MS_ERR_IO 8        /* a file cannot be read */
#define MS_ERR_INTERNAL 9  /* a fault of the interpreter */

/* One of the numbers above; 0 for null. */
int ms_error_code(const ms_error_t *error);
/* Name of the exception's class, message, and the text that an uncaught exception prints. They
 * live as long as the error; "" for null. */
const char *ms_error_type(const ms_error_t *error);
const char *ms_error_message(const ms_error_t *error);
const char *ms_error_traceback(const ms_error_t *error);
/* Where the exception was raised (or the text is wrong): file, which lives as long as the error and
 * is "" if unknown, and line, from 1, or 0 if unknown. */
const char *ms_error_file(const ms_error_t *error);
int ms_error_line(const ms_error_t *error);
/* Frees an error; null does nothing. */
void ms_error_free(ms_error_t *error);

/* ---- running ---- */

/* How a run ended. */
typedef int ms_run_t;
#define MS_RUN_DONE 0      /* it ended */
#define MS_RUN_ERROR 1     /* an error; see `error` */
#define MS_RUN_HOST_CALL 2 /* the script asks the embedder for something; not used yet */
#define MS_RUN_LIMIT 3     /* a limit ended it; see `error` */

/* A limit of time or fuel raises TimeoutError in whatever runs. For a second (100,000 loop
 * turns and calls) the script may clean up; after that no handler of it runs any more, and the run ends.
 * Reading and compiling a text counts, too. */

/* Runs statements in __main__ until all tasks have ended. Null name: "<string>". An exception that
 * ended a task whose result nobody asked for is the run's, if it has none of its own. */
ms_run_t ms_run_string(ms_vm_t *vm, const char *source, const char *name, ms_error_t **error);
/* The same for a file, which is read with the rights of the process. */
ms_run_t ms_run_file(ms_vm_t *vm, const char *path, ms_error_t **error);
/* The value of an expression in __main__. result may be null. */
ms_run_t ms_eval(ms_vm_t *vm, const char *source, ms_value_t *result, ms_error_t **error);
/* Calls a function. In a function that a script called: only with MS_FUNCTION_CALLS_BACK. */
ms_run_t ms_call(ms_vm_t *vm, ms_value_t function, size_t argc, const ms_value_t *args,
                 ms_value_t *result, ms_error_t **error);
/* Raises KeyboardInterrupt in the running script, or at once in the next one that runs, whatever
 * the script has set with signal.signal(). From any thread or signal handler, as long as the VM
 * lives. Null does nothing. */
void ms_interrupt(ms_vm_t *vm);

/* Globals of __main__. A name that is set is an identifier. */
ms_error_t *ms_get_global(ms_vm_t *vm, const char *name, ms_value_t *result);
ms_error_t *ms_set_global(ms_vm_t *vm, const char *name, ms_value_t value);

/* ---- scalars: no VM, any thread ---- */

ms_value_t ms_value_nil(void);
ms_value_t ms_value_bool(int flag);
ms_value_t ms_value_int(int64_t number);
ms_value_t ms_value_float(double number);
int ms_value_is_nil(ms_value_t value);
int ms_value_is_bool(ms_value_t value);
int ms_value_is_int(ms_value_t value);
int ms_value_is_float(ms_value_t value);
int ms_value_is_string(ms_value_t value);
int ms_value_is_bytes(ms_value_t value);
int ms_value_is_list(ms_value_t value);
int ms_value_is_tuple(ms_value_t value);
int ms_value_is_dict(ms_value_t value);
int ms_value_is_set(ms_value_t value);
/* Whether it could not be made. */
int ms_value_is_error(ms_value_t value);
/* 1 and the number of an int of up to 64 bits or a bool; else 0, and nothing is stored. */
int ms_value_int64(ms_value_t value, int64_t *number);
/* Numbers; 0 for what is none, and for ints beyond 64 bits. A float loses its fraction. */
int64_t ms_value_as_int(ms_value_t value);
double ms_value_as_float(ms_value_t value);
/* Truth of a scalar; handles are true. */
int ms_value_as_bool(ms_value_t value);

/* ---- objects ---- */

/* Made by copying. What cannot be made (no UTF-8, no memory, a stale item, another thread) is a
 * value that every use refuses; in a function that a script called, it also raises. */
ms_value_t ms_value_string(ms_vm_t *vm, const char *string);
ms_value_t ms_value_string_n(ms_vm_t *vm, const char *string, size_t len);
ms_value_t ms_value_bytes(ms_vm_t *vm, const char *bytes, size_t len);
/* An int of any size out of its digits, with an optional sign; base from 2 to 36. */
ms_value_t ms_value_bigint(ms_vm_t *vm, const char *digits, int base);
ms_value_t ms_value_list(ms_vm_t *vm, size_t count, const ms_value_t *items);
ms_value_t ms_value_tuple(ms_vm_t *vm, size_t count, const ms_value_t *items);
/* count keys and values in turn: 2 * count values. */
ms_value_t ms_value_dict(ms_vm_t *vm, size_t count, const ms_value_t *pairs);

/* The bytes of a str (UTF-8; a lone surrogate is three bytes) or bytes, without a NUL at the end;
 * they live as long as the value's handle. */
ms_error_t *ms_value_text(ms_vm_t *vm, ms_value_t value, const char **bytes, size_t *len);
/* Number of items of a str, bytes, tuple, list, dict or set. */
ms_error_t *ms_value_length(ms_vm_t *vm, ms_value_t value, size_t *len);
/* object[key]; object[key] = value; object.name; list of the items (of a dict: its keys); repr and
 * str, which is how an int of any size is read; the name of the class. The result is a new handle.
 * What would run script code is MS_ERR_BUSY: use ms_call or ms_eval. */
ms_error_t *ms_value_get(ms_vm_t *vm, ms_value_t object, ms_value_t key, ms_value_t *result);
ms_error_t *ms_value_set(ms_vm_t *vm, ms_value_t object, ms_value_t key, ms_value_t value);
ms_error_t *ms_value_attr(ms_vm_t *vm, ms_value_t object, const char *name, ms_value_t *result);
ms_error_t *ms_value_items(ms_vm_t *vm, ms_value_t object, ms_value_t *result);
ms_error_t *ms_value_repr(ms_vm_t *vm, ms_value_t value, ms_value_t *result);
ms_error_t *ms_value_str(ms_vm_t *vm, ms_value_t value, ms_value_t *result);
ms_error_t *ms_value_type_name(ms_vm_t *vm, ms_value_t value, ms_value_t *result);

/* A further handle to the same object, which lives until it is released. */
ms_error_t *ms_value_retain(ms_vm_t *vm, ms_value_t value, ms_value_t *result);
/* Ends a handle; scalars need none. Twice is an error. */
ms_error_t *ms_value_release(ms_vm_t *vm, ms_value_t value);

/* ---- functions of the embedder ---- */

struct MsExt; /* see ms_ext.h */

/* A function that scripts call, on the VM's thread, with positional arguments. args live for the
 * call; so does what it makes. The result may be any of its values; one that has ended raises. It
 * must return: no longjmp and no C++ exception may leave it. */
typedef ms_value_t (*ms_ext_fn_t)(ms_vm_t *vm, int argc, ms_value_t *args);

/* A module of up to 64 functions. */
typedef struct {
    const char* name;
    struct {
        const char* name;
        ms_ext_fn_t func;
    } functions[64];
    int function_count;
} ms_extension_t;

/* The function uses ms_call; it runs on a stack of its own, of 512 KiB. While the call waits, other
 * tasks run, and may call the same function. If the VM is freed meanwhile, ms_call never returns:
 * what the function holds then stays. */
#define MS_FUNCTION_CALLS_BACK 1u

/* A function of a table. */
typedef struct ms_function {
    const char *name;
    ms_ext_fn_t func;
    const char *doc;  /* or null */
    void *data;       /* what ms_function_data gives; lives as long as the VM */
    uint32_t flags;   /* MS_FUNCTION_ flags */
} ms_function_t;

/* A module of any number of functions. */
typedef struct ms_extension_table {
    size_t size;                     /* sizeof(ms_extension_table_t) */
    const char *name;
    const char *doc;                 /* or null */
    const ms_function_t *functions;
    size_t function_count;
    size_t stride;                   /* sizeof(ms_function_t) */
} ms_extension_table_t;

/* Make a module that scripts import, without a limit of their number. Everything is copied: struct,
 * names and table may be freed at once. A name that is no identifier, that is registered, or under
 * which a module was imported already, is an error. */
ms_error_t *ms_register_extension(ms_vm_t *vm, const ms_extension_t *extension);
ms_error_t *ms_register_extension_table(ms_vm_t *vm, const ms_extension_table_t *table);
/* Adds an extension as ms_ext.h describes them (with classes, keyword arguments, futures ...) that is
 * part of the program and not a library: what its ms_ext_NAME() returns. Scripts of this VM can
 * import it; it needs no right of its own. It is not copied: the descriptor and what it refers to
 * must live as long as the process. A descriptor that is not right is MS_ERR_ARGUMENT. One of the
 * same name that was added before is replaced, as long as no script has imported it. */
ms_error_t *ms_link_extension(ms_vm_t *vm, const struct MsExt *descriptor);
/* Calls a function of a registered or imported module; for the rest as ms_call. */
ms_run_t ms_call_extension_function(ms_vm_t *vm, const char *extension, const char *function,
                                    size_t argc, const ms_value_t *args, ms_value_t *result,
                                    ms_error_t **error);
/* In a function that a script called: it raises the builtin exception `type` (another name becomes
 * a RuntimeError that tells it), whatever it returns. */
ms_error_t *ms_vm_raise(ms_vm_t *vm, const char *type, const char *message);
/* In a function that a script called: the exception of its last ms_call that failed goes on, as the
 * same object. */
ms_error_t *ms_vm_reraise(ms_vm_t *vm);
/* The data of the running function's row. */
void *ms_function_data(ms_vm_t *vm);

/* ---- http ---- */

/* The http extension, to be registered and then destroyed, by any thread. It is linked into the
 * library. A VM needs the right to use the network besides (allow_net). */
ms_extension_t *ms_http_extension_create(void);
void ms_http_extension_destroy(ms_extension_t *extension);
/* Whether the system offers an event loop: 0 if so, else -1. Each VM makes its own when it first
 * waits and ends it with itself, so there is nothing to be kept or shut down. */
int ms_http_event_loop_init(void);
void ms_http_event_loop_shutdown(void);

#ifdef __cplusplus
}
#endif

#endif
