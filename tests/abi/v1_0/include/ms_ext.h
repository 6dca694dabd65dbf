/* ms_ext.h - everything a MiniScript extension written in C needs.
 *
 * An extension is a shared library libms_NAME.so (libms_NAME.dylib, ms_NAME.dll) that exports one
 * function, ms_ext_NAME, and carries a note that is read before any of its code runs:
 *
 *     #include "ms_ext.h"
 *
 *     static MsStatus add(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
 *         (void)cx; (void)argc;
 *         if (args[0].tag != MS_TAG_INT || args[1].tag != MS_TAG_INT)
 *             return ms_raise(cx, "TypeError", "add() wants two ints");
 *         *out = ms_int(args[0].payload.i + args[1].payload.i);
 *         return MS_OK;
 *     }
 *
 *     static const MsParam add_params[] = {
 *         { MS_STR("a"), MS_PARAM_NORMAL, 0, MS_NO_DEFAULT, MS_STR("int") },
 *         { MS_STR("b"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_INT(1), MS_STR("int") },
 *     };
 *
 *     static const MsFunction functions[] = {
 *         { MS_STR("add"), MS_STR("Adds two ints."), add, NULL, MS_TABLE(add_params, MsParam),
 *           MS_FN_PURE, MS_TYPED_NONE, NULL, MS_STR("int") },
 *     };
 *
 *     MS_EXTENSION(example, "1.0.0", "An example.",
 *                  MS_TABLE(functions, MsFunction), MS_NO_TABLE, MS_NO_TABLE, NULL, NULL)
 *
 * Rules: the host binds keywords and defaults, so args has one value for each parameter. Handles
 * are valid until the call returns, unless retained. Text is UTF-8 and borrowed for the call.
 * A status other than MS_OK from a host function is normally returned as it is. Records are only
 * ever appended to; a field that is zero is absent. C99 and C++. */
#ifndef MS_EXT_H
#define MS_EXT_H

#include "ms_value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the contract that must be equal on both sides. */
#define MS_ABI_MAJOR 1
/* Counts the appends since the major; each side may be ahead of the other. */
#define MS_ABI_MINOR 0

/* A VM, opaque to extensions. */
typedef struct MsVm MsVm;
typedef struct MsHost MsHost;

/* What a function of either side reports. */
typedef int32_t MsStatus;
/* Done; out holds the result. */
#define MS_OK 0
/* An exception is pending in the VM. */
#define MS_RAISED 1
/* From a native: the host shall make the call that was set by flow->tail_call. */
#define MS_CALL 2
/* From a native: the task waits for the future that was set by flow->suspend. */
#define MS_SUSPEND 3
/* From a poll: not ready; the token will be woken. */
#define MS_PENDING 4
/* An iteration ended, or an optional thing is not there; no exception is pending. */
#define MS_END 5
/* An I/O operation failed; the MsIo record says how; no exception is pending. */
#define MS_FAILED 6
/* Called on another thread than the VM's; nothing was done and no exception is pending. */
#define MS_WRONG_THREAD 7
/* The host does not have this function or request; no exception is pending. */
#define MS_UNSUPPORTED 8

/* Names a waiting task for host->wake, which any thread may call at any time: a token whose
 * task has ended wakes nothing. Tokens are plain numbers, copied freely, and never 0. */
typedef uint64_t MsToken;

/* Names a running operation of the host (timer, lookup, file request, blocking call). Never 0. */
typedef uint64_t MsOp;

/* Names a socket that the host owns. Never 0. */
typedef uint64_t MsSocket;

/* An array of records of one type. Readers step by stride, never by their own size. */
typedef struct MsTable {
    /* First record. */
    const void *ptr;
    /* Number of records. */
    size_t len;
    /* Bytes from one record to the next; the size of a record for the party that wrote it. */
    size_t stride;
} MsTable;

/* A value that stands in a descriptor: a default or a constant.
 *
 * Scalars stand in value. MS_TAG_STR and MS_TAG_BYTES take the bytes of text,
 * MS_TAG_BIGINT the decimal digits there with an optional minus sign. */
typedef struct MsLiteral {
    /* Tag, and payload of a scalar. */
    MsValue value;
    /* Bytes of a text, bytes or big integer. */
    MsStr text;
} MsLiteral;

/* What every entry of an extension receives. The host builds one for each function of each
 * VM in advance, so passing it costs nothing; it outlives the VM's use of the extension. */
typedef struct MsContext {
    /* Bytes of this record. */
    size_t size;
    /* The host's functions. */
    const MsHost *host;
    /* The VM, first argument of the host's functions. */
    MsVm *vm;
    /* What init stored for this VM. */
    void *state;
    /* The data of the function's record. */
    const void *data;
} MsContext;

/* Entry of a function, method, getter or setter. args holds one value for each parameter in
 * the order of the table, then those taken by the variadic parameter. out is None on entry. */
typedef MsStatus (*MsCall)(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out);

/* Polls a future. */
typedef MsStatus (*MsPoll)(void *data, const MsContext *cx, MsToken token, MsValue *out);

/* Continues after a call that the host made. */
typedef MsStatus (*MsContinue)(void *data, const MsContext *cx, MsStatus status, MsValue value,
    MsValue *out);

/* Ends something in place or frees it. */
typedef void (*MsDrop)(void *data);

/* Reports one handle held by a payload; see trace. */
typedef void (*MsVisit)(void *visitor, const MsValue *value);

/* Reports all traced handles of a payload. */
typedef void (*MsTrace)(void *payload, MsVisit visit, void *visitor);

/* Prepares an extension for one VM. */
typedef MsStatus (*MsInit)(const MsContext *cx, void **state);

/* Ends an extension's use by one VM. */
typedef void (*MsShutdown)(const MsContext *cx);

/* Type of the work of task->blocking: runs on a thread of the pool. */
typedef void (*MsWork)(void *data);

/* Only by position. */
#define MS_PARAM_POSITIONAL 0
/* By position or by name. */
#define MS_PARAM_NORMAL 1
/* Only by name. */
#define MS_PARAM_KEYWORD 2
/* *args: takes no slot of its own; the further arguments stand after all others. */
#define MS_PARAM_VARARGS 3
/* **kwargs: its slot holds a dict. */
#define MS_PARAM_KWARGS 4
/* default_value is given; the host passes it when the argument is missing. */
#define MS_PARAM_HAS_DEFAULT 1
/* May be missing without a default: the native gets MS_TAG_ABSENT. */
#define MS_PARAM_OPTIONAL 2

/* One parameter. */
typedef struct MsParam {
    /* Name for keywords, signatures and messages. */
    MsStr name;
    /* MS_PARAM_POSITIONAL and so on. */
    uint32_t kind;
    /* MS_PARAM_HAS_DEFAULT, MS_PARAM_OPTIONAL. */
    uint32_t flags;
    /* With MS_PARAM_HAS_DEFAULT. */
    MsLiteral default_value;
    /* Type as shown in a signature (int, list[str]); may be empty. */
    MsStr annotation;
} MsParam;

/* May run script, directly or through an operator: the host runs it where that may suspend.
 * Without it script may run all the same as long as it does not wait, which is a RuntimeError
 * then, and nothing is collected meanwhile. */
#define MS_FN_CALLS_BACK 1
/* Same arguments, same result, no effect: may be folded, repeated or dropped. */
#define MS_FN_PURE 2
/* No parameter table: any number of positional arguments, no keywords. */
#define MS_FN_VARIADIC 4
/* In a class: read access to an attribute; called with the object. */
#define MS_FN_GETTER 8
/* In a class: write access; called with the object and the value. */
#define MS_FN_SETTER 16
/* In a class: no implicit first argument (except for __new__, which gets the class). */
#define MS_FN_STATIC 32
/* In a class: the implicit first argument is the class. */
#define MS_FN_CLASS 64
/* The result is ready at once or later (MS_SUSPEND); shown in signatures, otherwise no matter. */
#define MS_FN_ASYNC 128

/* No typed entry. */
#define MS_TYPED_NONE 0
/* double f(double). */
#define MS_TYPED_F_F 1
/* double f(double, double). */
#define MS_TYPED_FF_F 2
/* int64_t f(int64_t, uint32_t *flag). */
#define MS_TYPED_I_I 3
/* int64_t f(int64_t, int64_t, uint32_t *flag). */
#define MS_TYPED_II_I 4
/* int64_t f(double, uint32_t *flag). */
#define MS_TYPED_F_I 5
/* uint32_t f(double): 0 or 1 is a bool, 2 asks for the repetition. */
#define MS_TYPED_F_B 6
/* double f(double, double, double). */
#define MS_TYPED_FFF_F 7
/* double f(int64_t). */
#define MS_TYPED_I_F 8

/* A typed entry, cast to the signature of its kind. */
typedef void (*MsTyped)(void);

/* A function of a module, or a method, getter or setter of a class (see the flags).
 *
 * A typed entry has no side effects and no error path. The host may use it when the argument
 * types fit (an int that a double holds exactly fits a double parameter); when the result is
 * NaN or infinite, or the flag was set, it repeats the call through call, which raises.
 * It is used for calls with exactly as many positional arguments as its kind has. */
typedef struct MsFunction {
    /* Name; a dunder name works as in a script class. */
    MsStr name;
    /* Documentation, may be empty. */
    MsStr doc;
    /* Entry. Never null. */
    MsCall call;
    /* Passed on in MsContext. */
    const void *data;
    /* Of MsParam. In a class without the implicit first parameter. */
    MsTable params;
    /* MS_FN_ flags. */
    uint32_t flags;
    /* MS_TYPED_ kind. */
    uint32_t typed_kind;
    /* Typed entry, to be cast to the kind's signature. */
    MsTyped typed;
    /* Return type as shown in a signature; may be empty. */
    MsStr returns;
} MsFunction;

/* A constant of a module or class. */
typedef struct MsConst {
    /* Name. */
    MsStr name;
    /* Value. */
    MsLiteral value;
    /* Documentation, may be empty. */
    MsStr doc;
} MsConst;

/* Scripts may derive from the class. */
#define MS_CLASS_SUBCLASSABLE 1
/* Instances cannot be made by calling the class. */
#define MS_CLASS_NO_CALL 2

/* A native class.
 *
 * An instance is made by the method __new__ (flag MS_FN_STATIC, first argument the
 * class), which builds a payload and calls object->native_new. Without one the class
 * cannot be called from script. */
typedef struct MsClass {
    /* Name. */
    MsStr name;
    /* Documentation, may be empty. */
    MsStr doc;
    /* Identifies the class in native_new, native_payload and class_of: any address of
     * the extension's own, such as that of this record. */
    const void *id;
    /* Name of a class of this table that stands before this one, or of a builtin exception; empty:
     * object. An exception class names its base here and has no payload. The payload of a class
     * begins with that of its base, and its drop ends all of it. */
    MsStr base;
    /* Of MsFunction. */
    MsTable methods;
    /* Of MsConst: class attributes. */
    MsTable constants;
    /* Bytes of the payload in each instance; 0: none. */
    size_t payload_size;
    /* Alignment of the payload, at most 16. */
    size_t payload_align;
    /* Ends a payload in place: once, on the VM's thread, at a collection or at the VM's end.
     * It cannot run script. May be null. */
    MsDrop drop;
    /* Calls visit for each handle the payload keeps with MS_RETAIN_TRACED. It cannot
     * call the host. May be null. */
    MsTrace trace;
    /* MS_CLASS_ flags. */
    uint32_t flags;
} MsClass;

/* Another extension that must be there first. */
typedef struct MsDependency {
    /* Its name. */
    MsStr name;
    /* Accepted versions, as in Cargo (>=1.2, <2); empty: any. */
    MsStr range;
} MsDependency;

/* A right that the extension asks for. */
typedef struct MsPermission {
    /* read, write, net, env, run. */
    MsStr kind;
    /* What for: a path, a host:port; empty: any. */
    MsStr scope;
} MsPermission;

/* The descriptor of an extension, returned by the exported function ms_ext_NAME. */
typedef struct MsExt {
    /* Bytes of this record for the party that wrote it. */
    size_t size;
    /* MS_ABI_MAJOR of the extension. */
    uint32_t abi_major;
    /* MS_ABI_MINOR of the extension. */
    uint32_t abi_minor;
    /* Name of the module; equal to the end of the file's and the symbol's name. */
    MsStr name;
    /* Version of the extension (semver). */
    MsStr version;
    /* Documentation of the module, may be empty. */
    MsStr doc;
    /* Of MsFunction. */
    MsTable functions;
    /* Of MsConst. */
    MsTable constants;
    /* Of MsClass. */
    MsTable classes;
    /* Of MsDependency. */
    MsTable dependencies;
    /* Of MsPermission. */
    MsTable permissions;
    /* Called once for each VM, at import; may store a pointer in *state and may raise.
     * cx->state is null here. May be null. */
    MsInit init;
    /* Called once for each VM in which init succeeded, when the VM ends, after all
     * payloads and futures were dropped. It cannot run script. May be null. */
    MsShutdown shutdown;
} MsExt;

/* Type of the exported function ms_ext_NAME. */
typedef const MsExt *(*MsDescriptor)(void);

/* A named argument. */
typedef struct MsKeyword {
    /* Name. */
    MsStr name;
    /* Value. */
    MsValue value;
} MsKeyword;

/* Work that completes later. The host owns it once it was handed over, and calls each
 * function on the VM's thread, never two at a time. */
typedef struct MsFuture {
    /* The extension's own. */
    void *data;
    /* MS_OK with out, MS_RAISED, or MS_PENDING after token was given to something
     * that will wake it. Not called again after another answer than MS_PENDING. */
    MsPoll poll;
    /* Frees data, exactly once, finished or not. The VM still lives, script cannot be run. */
    MsDrop drop;
} MsFuture;

/* What happens after a call that the host makes on behalf of a native (flow->tail_call). */
typedef struct MsThen {
    /* The extension's own. */
    void *data;
    /* Called once with MS_OK and the result, or MS_RAISED and the exception object (which
     * counts as handled, but is raised again by MS_RAISED without another one). Answers as a
     * native does. Null: the result is passed on. */
    MsContinue then;
    /* Frees data, exactly once, whether or not then was called. May be null. */
    MsDrop drop;
} MsThen;

/* ---- host: values ---- */

/* retain: the handle is a root until released. */
#define MS_RETAIN_ROOT 0
/* retain: the handle lives as long as the trace of a class reports it. */
#define MS_RETAIN_TRACED 1

/* Making and reading values. None of these runs script, except where noted. */
typedef struct MsHostValue {
    /* Bytes of this record. */
    size_t size;
    /* An int from its sign and magnitude (64-bit limbs, least significant first). The result
     * is MS_TAG_INT where it fits. */
    MsStatus (*int_make)(MsVm *vm, uint32_t negative, const uint64_t *limbs, size_t len,
        MsValue *out);
    /* Sign and magnitude of an int (also of a scalar or a bool). At most capacity limbs are
     * written; len gets the number there are. TypeError for another type. */
    MsStatus (*int_read)(MsVm *vm, MsValue value, uint32_t *negative, uint64_t *limbs,
        size_t capacity, size_t *len);
    /* An int from decimal digits with an optional minus sign; ValueError. */
    MsStatus (*int_parse)(MsVm *vm, MsStr text, MsValue *out);
    /* A str; ValueError where the text is not UTF-8. */
    MsStatus (*str_make)(MsVm *vm, MsStr text, MsValue *out);
    /* A str from UTF-8 that may hold surrogates (each as three bytes), as file names do. */
    MsStatus (*str_make_extended)(MsVm *vm, MsStr text, MsValue *out);
    /* Borrows the text of a str for the call; TypeError for another type,
     * UnicodeEncodeError where it holds lone surrogates. */
    MsStatus (*str_read)(MsVm *vm, MsValue value, MsStr *out);
    /* As str_read, but surrogates stand as three bytes each. */
    MsStatus (*str_read_extended)(MsVm *vm, MsValue value, MsStr *out);
    /* A bytes. */
    MsStatus (*bytes_make)(MsVm *vm, MsStr bytes, MsValue *out);
    /* Borrows the content of a bytes for the call, or that of another bytes-like object
     * until the next call that may run script; TypeError for another type. */
    MsStatus (*bytes_read)(MsVm *vm, MsValue value, MsStr *out);
    /* A tuple. */
    MsStatus (*tuple_make)(MsVm *vm, size_t len, const MsValue *items, MsValue *out);
    /* A list. */
    MsStatus (*list_make)(MsVm *vm, size_t len, const MsValue *items, MsValue *out);
    /* Appends to a list. */
    MsStatus (*list_push)(MsVm *vm, MsValue list, size_t len, const MsValue *items);
    /* A dict from key, value, key, value. May run script (__hash__, __eq__). */
    MsStatus (*dict_make)(MsVm *vm, size_t pairs, const MsValue *items, MsValue *out);
    /* Steps through a dict: start with *cursor 0; MS_END after the last pair,
     * RuntimeError when its size changed. */
    MsStatus (*dict_next)(MsVm *vm, MsValue dict, uint64_t *cursor, MsValue *key,
        MsValue *value);
    /* A set. May run script (__hash__, __eq__). */
    MsStatus (*set_make)(MsVm *vm, size_t len, const MsValue *items, MsValue *out);
    /* Copies handles of the items of a tuple, list, or set from index start on: at
     * most capacity; len gets the number of items in the container. */
    MsStatus (*items_read)(MsVm *vm, MsValue value, size_t start, MsValue *items,
        size_t capacity, size_t *len);
    /* Makes a handle that outlives the call; see MS_RETAIN_ROOT and MS_RETAIN_TRACED.
     * A scalar is passed through. */
    MsStatus (*retain)(MsVm *vm, MsValue value, uint32_t mode, MsValue *out);
    /* Ends a retained handle. Allowed in drop functions too. A scalar is ignored. */
    MsStatus (*release)(MsVm *vm, MsValue value);
    /* A handle of the running call for a retained one, which may then be released. */
    MsStatus (*scoped)(MsVm *vm, MsValue value, MsValue *out);
    /* Opens a scope for handles in a long loop. */
    MsStatus (*scope_open)(MsVm *vm, uint64_t *mark);
    /* Ends all handles made since the mark, but for keep (may be null), which is replaced
     * by a handle of the outer scope. */
    MsStatus (*scope_close)(MsVm *vm, uint64_t mark, MsValue *keep);
} MsHostValue;

/* ---- host: objects ---- */

/* ==, first of the comparison operators of compare. */
#define MS_CMP_EQ 0
/* != */
#define MS_CMP_NE 1
/* < */
#define MS_CMP_LT 2
/* <= */
#define MS_CMP_LE 3
/* > */
#define MS_CMP_GT 4
/* >= */
#define MS_CMP_GE 5

/* +, first of the operators of binary. */
#define MS_OP_ADD 0
/* - */
#define MS_OP_SUB 1
/* * */
#define MS_OP_MUL 2
/* / */
#define MS_OP_TRUEDIV 3
/* // */
#define MS_OP_FLOORDIV 4
/* % */
#define MS_OP_MOD 5
/* ** */
#define MS_OP_POW 6
/* << */
#define MS_OP_LSHIFT 7
/* >> */
#define MS_OP_RSHIFT 8
/* & */
#define MS_OP_AND 9
/* | */
#define MS_OP_OR 10
/* ^ */
#define MS_OP_XOR 11
/* @ */
#define MS_OP_MATMUL 12

/* The object protocol. All of these may run script, except where noted. */
typedef struct MsHostObject {
    /* Bytes of this record. */
    size_t size;
    /* object.name */
    MsStatus (*get_attr)(MsVm *vm, MsValue object, MsStr name, MsValue *out);
    /* object.name, or MS_END where get_attr raises AttributeError. */
    MsStatus (*find_attr)(MsVm *vm, MsValue object, MsStr name, MsValue *out);
    /* object.name = value */
    MsStatus (*set_attr)(MsVm *vm, MsValue object, MsStr name, MsValue value);
    /* del object.name */
    MsStatus (*del_attr)(MsVm *vm, MsValue object, MsStr name);
    /* A dunder method looked up on the type and bound, or MS_END. */
    MsStatus (*find_special)(MsVm *vm, MsValue object, MsStr name, MsValue *out);
    /* object[key] */
    MsStatus (*get_item)(MsVm *vm, MsValue object, MsValue key, MsValue *out);
    /* object[key] of a dict, or MS_END where the key is missing. */
    MsStatus (*find_item)(MsVm *vm, MsValue object, MsValue key, MsValue *out);
    /* object[key] = value */
    MsStatus (*set_item)(MsVm *vm, MsValue object, MsValue key, MsValue value);
    /* del object[key] */
    MsStatus (*del_item)(MsVm *vm, MsValue object, MsValue key);
    /* item in object */
    MsStatus (*contains)(MsVm *vm, MsValue object, MsValue item, uint32_t *out);
    /* len(object) */
    MsStatus (*len)(MsVm *vm, MsValue object, int64_t *out);
    /* iter(object) */
    MsStatus (*iter)(MsVm *vm, MsValue object, MsValue *out);
    /* The next item of an iterator, or MS_END. */
    MsStatus (*next)(MsVm *vm, MsValue iterator, MsValue *out);
    /* bool(object) */
    MsStatus (*truth)(MsVm *vm, MsValue object, uint32_t *out);
    /* A comparison; op is one of MS_CMP_. */
    MsStatus (*compare)(MsVm *vm, uint32_t op, MsValue left, MsValue right, MsValue *out);
    /* A binary operator; op is one of MS_OP_. */
    MsStatus (*binary)(MsVm *vm, uint32_t op, MsValue left, MsValue right, MsValue *out);
    /* hash(object) */
    MsStatus (*hash)(MsVm *vm, MsValue object, int64_t *out);
    /* left is right. Runs no script. */
    MsStatus (*same)(MsVm *vm, MsValue left, MsValue right, uint32_t *out);
    /* isinstance(object, type_object) */
    MsStatus (*is_instance)(MsVm *vm, MsValue object, MsValue type_object, uint32_t *out);
    /* Whether a call of the object can work. Runs no script. */
    MsStatus (*is_callable)(MsVm *vm, MsValue object, uint32_t *out);
    /* type(object). Runs no script. */
    MsStatus (*type_of)(MsVm *vm, MsValue object, MsValue *out);
    /* Name of the object's type, borrowed for the call, as messages show it. Runs no script. */
    MsStatus (*type_name)(MsVm *vm, MsValue object, MsStr *out);
    /* repr(object) */
    MsStatus (*repr)(MsVm *vm, MsValue object, MsValue *out);
    /* str(object) */
    MsStatus (*str)(MsVm *vm, MsValue object, MsValue *out);
    /* The number as a double, through __float__ or __index__:
     * TypeError "must be real number, not T", OverflowError. */
    MsStatus (*to_float)(MsVm *vm, MsValue object, double *out);
    /* The object as an int, through __index__:
     * TypeError "'T' object cannot be interpreted as an integer". */
    MsStatus (*to_index)(MsVm *vm, MsValue object, MsValue *out);
    /* import name; the result is the module of the full dotted name. */
    MsStatus (*import)(MsVm *vm, MsStr name, MsValue *out);
    /* A builtin by name (a class, a function). NameError. Runs no script. */
    MsStatus (*builtin)(MsVm *vm, MsStr name, MsValue *out);
    /* The class object of a native class of the running extension by its id. Runs no script. */
    MsStatus (*class_of)(MsVm *vm, const void *id, MsValue *out);
    /* A new instance: payload_size bytes are moved from payload, of which the host is
     * the owner with MS_OK. exact is the class or a script class derived from it; None
     * means the class itself. Runs no script. */
    MsStatus (*native_new)(MsVm *vm, const void *id, MsValue exact, const void *payload,
        MsValue *out);
    /* Address of the payload of an instance of the class or of one derived from it, valid as
     * long as the instance lives; TypeError for another object. Runs no script. */
    MsStatus (*native_payload)(MsVm *vm, const void *id, MsValue object, void **out);
} MsHostObject;

/* ---- host: sockets ---- */

/* No error. */
#define MS_IO_OK 0
/* An error without a name here. */
#define MS_IO_OTHER 1
/* No such file or name. */
#define MS_IO_NOT_FOUND 2
/* Denied by the system. */
#define MS_IO_PERMISSION 3
/* Denied by the permissions this VM runs under. */
#define MS_IO_DENIED 4
/* Already there. */
#define MS_IO_EXISTS 5
/* Connection refused. */
#define MS_IO_REFUSED 6
/* Connection reset. */
#define MS_IO_RESET 7
/* Connection aborted. */
#define MS_IO_ABORTED 8
/* Not connected. */
#define MS_IO_NOT_CONNECTED 9
/* Address in use. */
#define MS_IO_ADDR_IN_USE 10
/* Address not available. */
#define MS_IO_ADDR_NOT_AVAILABLE 11
/* Broken pipe. */
#define MS_IO_BROKEN_PIPE 12
/* Timed out. */
#define MS_IO_TIMED_OUT 13
/* Invalid argument or data. */
#define MS_IO_INVALID 14
/* Unsupported. */
#define MS_IO_UNSUPPORTED 15
/* Out of memory, or a limit of the VM. */
#define MS_IO_MEMORY 16
/* Is a directory. */
#define MS_IO_IS_DIR 17
/* Is not a directory. */
#define MS_IO_NOT_DIR 18
/* Directory not empty. */
#define MS_IO_NOT_EMPTY 19
/* The handle, operation or socket is not open. */
#define MS_IO_CLOSED 20
/* The host name could not be resolved. */
#define MS_IO_RESOLVE 21

/* Outcome of an I/O operation. */
typedef struct MsIo {
    /* Bytes moved (0 from a read: end of the stream). */
    uint64_t count;
    /* One of MS_IO_; MS_IO_OK after success. */
    uint32_t kind;
    /* errno or the system's error number; 0 if there is none. */
    int32_t os_error;
} MsIo;

/* MsAddr: IPv4. */
#define MS_ADDR_V4 4
/* MsAddr: IPv6. */
#define MS_ADDR_V6 6
/* shutdown: no more reading. */
#define MS_SHUT_READ 1
/* shutdown: no more writing. */
#define MS_SHUT_WRITE 2
/* shutdown: both. */
#define MS_SHUT_BOTH 3
/* set_option: TCP_NODELAY. */
#define MS_SOCKET_NODELAY 1
/* set_option: time to live. */
#define MS_SOCKET_TTL 2
/* set_option: broadcast (UDP). */
#define MS_SOCKET_BROADCAST 3
/* set_option: keep-alive probes (TCP). */
#define MS_SOCKET_KEEPALIVE 4

/* A socket address. */
typedef struct MsAddr {
    /* MS_ADDR_V4 or MS_ADDR_V6. */
    uint16_t family;
    /* Port, in the machine's byte order. */
    uint16_t port;
    /* IPv6 flow info. */
    uint32_t flow_info;
    /* IPv6 scope. */
    uint32_t scope_id;
    /* The address in network order: 4 or 16 bytes. */
    uint8_t octets[16];
} MsAddr;

/* Sockets and names. None of these runs script. Permissions are checked when a socket is
 * made, on the resolved address. */
typedef struct MsHostNet {
    /* Bytes of this record. */
    size_t size;
    /* Starts to look a host name up (an address in text form is answered at once). Poll the
     * operation, then resolve_take. */
    MsStatus (*resolve)(MsVm *vm, MsStr name, uint16_t port, MsOp *out);
    /* Addresses of a finished lookup: at most capacity are written, len gets their number.
     * MS_FAILED with io where the lookup failed. */
    MsStatus (*resolve_take)(MsVm *vm, MsOp op, MsAddr *addresses, size_t capacity, size_t *len,
        MsIo *io);
    /* Starts to connect; poll with connect_poll. */
    MsStatus (*tcp_connect)(MsVm *vm, const MsAddr *address, MsSocket *out, MsIo *io);
    /* Whether the connection stands. */
    MsStatus (*connect_poll)(MsVm *vm, MsSocket socket, MsToken token, MsIo *io);
    /* A listening socket. Port 0: one that is free. backlog: how many connections may wait to be
     * accepted, as far as the system goes; 0: as many as the host takes. */
    MsStatus (*tcp_listen)(MsVm *vm, const MsAddr *address, uint32_t backlog, MsSocket *out,
        MsIo *io);
    /* Takes a connection. */
    MsStatus (*accept_poll)(MsVm *vm, MsSocket socket, MsToken token, MsSocket *out,
        MsAddr *peer, MsIo *io);
    /* Reads into buffer; io.count 0 is the end. */
    MsStatus (*read_poll)(MsVm *vm, MsSocket socket, MsToken token, uint8_t *buffer,
        size_t capacity, MsIo *io);
    /* Writes some of bytes. */
    MsStatus (*write_poll)(MsVm *vm, MsSocket socket, MsToken token, MsStr bytes, MsIo *io);
    /* Shuts a direction down (MS_SHUT_). */
    MsStatus (*shutdown)(MsVm *vm, MsSocket socket, uint32_t how, MsIo *io);
    /* A UDP socket. */
    MsStatus (*udp_bind)(MsVm *vm, const MsAddr *address, MsSocket *out, MsIo *io);
    /* Sets the peer of a UDP socket. */
    MsStatus (*udp_connect)(MsVm *vm, MsSocket socket, const MsAddr *address, MsIo *io);
    /* Sends a datagram; address null: to the peer. */
    MsStatus (*send_poll)(MsVm *vm, MsSocket socket, MsToken token, MsStr bytes,
        const MsAddr *address, MsIo *io);
    /* Receives a datagram; sender may be null. */
    MsStatus (*receive_poll)(MsVm *vm, MsSocket socket, MsToken token, uint8_t *buffer,
        size_t capacity, MsAddr *sender, MsIo *io);
    /* Address of this end. */
    MsStatus (*local_address)(MsVm *vm, MsSocket socket, MsAddr *out, MsIo *io);
    /* Address of the other end. */
    MsStatus (*peer_address)(MsVm *vm, MsSocket socket, MsAddr *out, MsIo *io);
    /* Sets an option (MS_SOCKET_). */
    MsStatus (*set_option)(MsVm *vm, MsSocket socket, uint32_t option, int64_t value, MsIo *io);
    /* Closes a socket; a token that waits is woken. Allowed in drop functions too. */
    MsStatus (*close)(MsVm *vm, MsSocket socket);
} MsHostNet;

/* ---- host: flow ---- */

/* write: standard output. */
#define MS_STREAM_OUT 1
/* write: standard error. */
#define MS_STREAM_ERR 2

/* Exceptions, calls, limits and rights. */
typedef struct MsHostFlow {
    /* Bytes of this record. */
    size_t size;
    /* Raises an exception. type_name names one of the running extension's classes or a
     * builtin exception (in this order); another name gives a RuntimeError that tells it. cause
     * may be null. Always answers MS_RAISED (or MS_WRONG_THREAD), so a native can return the result. */
    MsStatus (*raise)(MsVm *vm, MsStr type_name, MsStr message, const MsValue *cause);
    /* Raises an exception object or class. Answers as raise. */
    MsStatus (*raise_value)(MsVm *vm, MsValue exception);
    /* Raises the OSError (of the fitting subclass) of a failed I/O operation, with the file
     * name if path is not empty. Answers as raise. */
    MsStatus (*raise_io)(MsVm *vm, const MsIo *io, MsStr path);
    /* Takes the pending exception, which is none afterwards; MS_END if there is none. */
    MsStatus (*take_error)(MsVm *vm, MsValue *out);
    /* Calls and waits for the result. Runs script. */
    MsStatus (*call)(MsVm *vm, MsValue callee, size_t argc, const MsValue *args,
        size_t keywords, const MsKeyword *named, MsValue *out);
    /* Sets the call that the host makes once the native returned; answers MS_CALL, which
     * the native returns. The cheap way to call back: nothing is nested. Takes over
     * then->data in any case; then may be null, the call's result is then the native's. */
    MsStatus (*tail_call)(MsVm *vm, MsValue callee, size_t argc, const MsValue *args,
        const MsThen *then);
    /* Sets the future that the task waits for; answers MS_SUSPEND, which the native
     * returns. Takes over the future in any case. */
    MsStatus (*suspend)(MsVm *vm, const MsFuture *future);
    /* Charges work of a long loop against fuel and time; about one unit per simple step.
     * Raises when a limit is reached, an interrupt arrived, or the task was cancelled. */
    MsStatus (*charge)(MsVm *vm, uint64_t units);
    /* Accounts memory the extension holds for this VM (negative: freed); MemoryError. */
    MsStatus (*account)(MsVm *vm, int64_t bytes);
    /* Asks for a right (read, write, net, env, run, ...); PermissionError. */
    MsStatus (*permission)(MsVm *vm, MsStr kind, MsStr scope);
    /* Writes text to a stream of the VM (MS_STREAM_), as print does. */
    MsStatus (*write)(MsVm *vm, uint32_t stream, MsStr text);
} MsHostFlow;

/* ---- host: tasks ---- */

/* Tasks, operations, timers and the thread pool. None of these runs script. */
typedef struct MsHostTask {
    /* Bytes of this record. */
    size_t size;
    /* Starts a task that calls the object; out is its Task object. */
    MsStatus (*spawn)(MsVm *vm, MsValue callee, size_t argc, const MsValue *args, MsValue *out);
    /* Starts a task that drives a future, which is taken over; out is its Task object. */
    MsStatus (*spawn_future)(MsVm *vm, const MsFuture *future, MsValue *out);
    /* Result of a task: MS_OK, MS_RAISED (its exception), or MS_PENDING and the token
     * is woken when it has ended. */
    MsStatus (*poll)(MsVm *vm, MsValue task, MsToken token, MsValue *out);
    /* Cancels a task. */
    MsStatus (*cancel)(MsVm *vm, MsValue task);
    /* Starts a timer. */
    MsStatus (*sleep)(MsVm *vm, uint64_t nanoseconds, MsOp *out);
    /* Runs work(data) on a thread of the pool. The operation is done when it has returned;
     * drop(data) is called once the operation was closed and the work has ended, on any
     * thread. The work must not call the host, except for wake. */
    MsStatus (*blocking)(MsVm *vm, MsWork work, void *data, MsDrop drop, MsOp *out);
    /* Whether an operation is done: MS_OK, or MS_PENDING and the token is woken. RuntimeError
     * for one that is not (or no longer) open. */
    MsStatus (*op_poll)(MsVm *vm, MsOp op, MsToken token);
    /* Ends an operation, done or not. Allowed in drop functions too. */
    MsStatus (*op_close)(MsVm *vm, MsOp op);
} MsHostTask;

/* ---- host: files ---- */

/* Reads the whole file at path into data. */
#define MS_FILE_READ_ALL 1
/* Writes data as the whole file at path (atomic for a regular file, which keeps its mode). */
#define MS_FILE_WRITE_ALL 2
/* Appends data to the file at path. */
#define MS_FILE_APPEND 3
/* Opens path with the MS_OPEN_ flags; number is the handle. */
#define MS_FILE_OPEN 4
/* Reads at most length bytes from handle into data; none: the end. */
#define MS_FILE_READ 5
/* Writes all of data to handle. */
#define MS_FILE_WRITE 6
/* Moves the position of handle by offset from flags (0 start, 1 current, 2 end); number
 * is the new position. */
#define MS_FILE_SEEK 7
/* Brings handle to the disk. */
#define MS_FILE_SYNC 8
/* Sets the length of handle to length. */
#define MS_FILE_TRUNCATE 9
/* Closes handle. */
#define MS_FILE_CLOSE 10
/* Metadata of path (flags 1: of the link itself), or of handle where it is not 0. */
#define MS_FILE_STAT 11
/* Entries of the directory path (flags 1: each with its metadata). */
#define MS_FILE_LIST 12
/* Makes the directory path (flags 1: with its parents, and it may exist). */
#define MS_FILE_MKDIR 13
/* Removes the file path (flags 1: an empty directory, 2: a directory with its content). */
#define MS_FILE_REMOVE 14
/* Renames path to target. */
#define MS_FILE_RENAME 15
/* Copies the file path to target; number is its length. */
#define MS_FILE_COPY 16
/* The absolute path without links in data. */
#define MS_FILE_REAL_PATH 17
/* Sets the mode bits of path to length. */
#define MS_FILE_CHMOD 18
/* Makes path a symbolic link to target. */
#define MS_FILE_SYMLINK 19
/* The target of the link path in data. */
#define MS_FILE_READ_LINK 20
/* MS_FILE_OPEN: for reading. */
#define MS_OPEN_READ 1
/* MS_FILE_OPEN: for writing. */
#define MS_OPEN_WRITE 2
/* MS_FILE_OPEN: each write goes to the end. */
#define MS_OPEN_APPEND 4
/* MS_FILE_OPEN: emptied. */
#define MS_OPEN_TRUNCATE 8
/* MS_FILE_OPEN: made if missing. */
#define MS_OPEN_CREATE 16
/* MS_FILE_OPEN: must not exist. */
#define MS_OPEN_EXCLUSIVE 32
/* MsMeta: a regular file. */
#define MS_KIND_FILE 1
/* MsMeta: a directory. */
#define MS_KIND_DIR 2
/* MsMeta: a symbolic link. */
#define MS_KIND_LINK 3
/* MsMeta: anything else. */
#define MS_KIND_OTHER 4

/* A request to the file service. */
typedef struct MsFileRequest {
    /* Bytes of this record. */
    size_t size;
    /* MS_FILE_ code. */
    uint32_t code;
    /* See the code. */
    uint32_t flags;
    /* Path, UTF-8 with surrogates for bytes that are not (as Python's os.fsdecode). */
    MsStr path;
    /* Second path. */
    MsStr target;
    /* An open file. */
    uint64_t handle;
    /* Signed offset. */
    int64_t offset;
    /* Length, or see the code. */
    uint64_t length;
    /* Bytes to write. */
    MsStr data;
} MsFileRequest;

/* Metadata of a file. Times are nanoseconds since 1970. */
typedef struct MsMeta {
    /* MS_KIND_; 0: not asked for. */
    uint32_t kind;
    /* Mode bits as st_mode has them (on Windows made up from the attributes). */
    uint32_t mode;
    /* Length in bytes. */
    uint64_t size;
    /* Last modification. */
    int64_t modified_ns;
    /* Last access. */
    int64_t accessed_ns;
    /* Change of the inode, or creation on Windows. */
    int64_t changed_ns;
    /* Device. */
    uint64_t device;
    /* Inode. */
    uint64_t inode;
    /* Number of links. */
    uint64_t links;
    /* Owner. */
    uint32_t user;
    /* Group. */
    uint32_t group;
} MsMeta;

/* One entry of a directory. */
typedef struct MsDirEntry {
    /* Name without the directory. */
    MsStr name;
    /* Kind, and the rest where it was asked for. */
    MsMeta meta;
} MsDirEntry;

/* Result of a request. The caller sets size; the host fills what fits. */
typedef struct MsFileResult {
    /* Bytes of this record. */
    size_t size;
    /* Outcome; count is the number of bytes read or written. */
    MsIo io;
    /* See the code. */
    uint64_t number;
    /* See the code. */
    MsStr data;
    /* Of MS_FILE_STAT. */
    MsMeta meta;
    /* Of MsDirEntry, from MS_FILE_LIST. */
    MsTable entries;
} MsFileResult;

/* The file service. None of these runs script. */
typedef struct MsHostFile {
    /* Bytes of this record. */
    size_t size;
    /* Starts a request; poll the operation with task->op_poll. MS_UNSUPPORTED for a code
     * the host does not know. */
    MsStatus (*submit)(MsVm *vm, const MsFileRequest *request, MsOp *out);
    /* Result of a finished request; MS_FAILED where io says so. */
    MsStatus (*result)(MsVm *vm, MsOp op, MsFileResult *out);
    /* Closes an open file without waiting (for drop functions; errors are lost). */
    MsStatus (*close_handle)(MsVm *vm, uint64_t handle);
} MsHostFile;

/* ---- host ---- */

/* The host. Lives as long as the process; equal for all VMs of one host. */
struct MsHost {
    /* Bytes of this record. */
    size_t size;
    /* MS_ABI_MAJOR of the host. */
    uint32_t abi_major;
    /* MS_ABI_MINOR of the host. */
    uint32_t abi_minor;
    /* Name and version of the product. */
    MsStr product;
    /* Wakes the task of a token. Any thread, any time, never blocks for long. */
    MsStatus (*wake)(MsToken token);
    /* Making and reading values. */
    const MsHostValue *value;
    /* The object protocol. */
    const MsHostObject *object;
    /* Exceptions, calls, limits. */
    const MsHostFlow *flow;
    /* Tasks, timers, the thread pool. */
    const MsHostTask *task;
    /* Sockets and names. */
    const MsHostNet *net;
    /* The file service. */
    const MsHostFile *file;
};

/* ---- the note that is read before the library is opened ---- */

/* No unwinding (C). */
#define MS_PANIC_NONE 0
/* Rust with panic = "unwind". */
#define MS_PANIC_UNWIND 1
/* Rust with panic = "abort": refused, since its panics cannot be caught. */
#define MS_PANIC_ABORT 2
/* Written in Rust: the library also exports an abi_stable root module. */
#define MS_LANG_RUST 1
/* Written in C or another language: checked by version, sizes and strides. */
#define MS_LANG_C 2

/* Content of the section. Texts are padded with NUL; numbers have the target's byte order. */
typedef struct MsAbiNote {
    /* MS_ABI_MAGIC. */
    char magic[8];
    /* Bytes of this record. */
    uint32_t size;
    /* ABI major the library was built against. */
    uint16_t abi_major;
    /* ABI minor the library was built against. */
    uint16_t abi_minor;
    /* Bytes of a pointer. */
    uint8_t pointer_size;
    /* MS_PANIC_ number. */
    uint8_t panic;
    /* MS_LANG_ number. */
    uint8_t language;
    /* Zero. */
    uint8_t reserved;
    /* Architecture as Rust's std::env::consts::ARCH names it. */
    char arch[16];
    /* Name of the module. */
    char name[64];
    /* Version of the extension. */
    char version[32];
} MsAbiNote;

#if defined(__x86_64__) || defined(_M_X64)
#define MS_ARCH "x86_64"
#elif defined(__aarch64__) || defined(_M_ARM64)
#define MS_ARCH "aarch64"
#elif defined(__i386__) || defined(_M_IX86)
#define MS_ARCH "x86"
#elif defined(__arm__) || defined(_M_ARM)
#define MS_ARCH "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define MS_ARCH "riscv64"
#elif defined(__powerpc64__)
#define MS_ARCH "powerpc64"
#elif defined(__s390x__)
#define MS_ARCH "s390x"
#elif defined(__loongarch64)
#define MS_ARCH "loongarch64"
#else
#error "name the architecture: define MS_ARCH as Rust's std::env::consts::ARCH has it"
#endif

#if defined(_MSC_VER)
#pragma section(".ms_abi", read)
#define MS_NOTE_PLACE __declspec(allocate(".ms_abi"))
#define MS_EXPORT __declspec(dllexport)
#elif defined(__APPLE__)
#define MS_NOTE_PLACE __attribute__((used, section("__DATA,__ms_abi")))
#define MS_EXPORT __attribute__((visibility("default")))
#elif defined(_WIN32)
#define MS_NOTE_PLACE __attribute__((used, section(".ms_abi")))
#define MS_EXPORT __declspec(dllexport)
#else
#define MS_NOTE_PLACE __attribute__((used, section(".ms_abi")))
#define MS_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#define MS_EXTERN_C extern "C"
#else
#define MS_EXTERN_C
#endif

/* ---- helpers for descriptors ---- */

/* The table of a static array, and no table. */
#define MS_TABLE(array, type) { (array), sizeof(array) / sizeof(type), sizeof(type) }
#define MS_NO_TABLE { NULL, 0, 0 }
#define MS_NO_STR { NULL, 0 }

/* Literals: defaults of parameters and values of constants. */
#define MS_NO_DEFAULT { { MS_TAG_NONE, 0, { 0 } }, MS_NO_STR }
#define MS_DEFAULT_NONE { { MS_TAG_NONE, 0, { 0 } }, MS_NO_STR }
#define MS_DEFAULT_BOOL(flag) { { MS_TAG_BOOL, 0, { (flag) != 0 } }, MS_NO_STR }
#define MS_DEFAULT_INT(number) { { MS_TAG_INT, 0, { (number) } }, MS_NO_STR }
#define MS_DEFAULT_STR(literal) { { MS_TAG_STR, 0, { 0 } }, MS_STR(literal) }

/* The note; part of MS_EXTENSION. */
#define MS_NOTE(NAME, VERSION)                                                                   \
    MS_NOTE_PLACE static const MsAbiNote ms_abi_note = {                                         \
        { 'M', 'S', 'A', 'B', 'I', '\r', '\n', 0 }, sizeof(MsAbiNote),                           \
        MS_ABI_MAJOR, MS_ABI_MINOR, sizeof(void *), MS_PANIC_NONE, MS_LANG_C, 0,                 \
        MS_ARCH, NAME, VERSION                                                                   \
    };

/* Defines the descriptor, the function that returns it, and the note. NAME is an identifier;
 * INIT and SHUTDOWN may be NULL. */
#define MS_EXTENSION(NAME, VERSION, DOC, FUNCTIONS, CONSTANTS, CLASSES, INIT, SHUTDOWN)          \
    MS_NOTE(#NAME, VERSION)                                                                      \
    MS_EXTERN_C MS_EXPORT const MsExt *ms_ext_##NAME(void);                                      \
    const MsExt *ms_ext_##NAME(void) {                                                           \
        static const MsExt descriptor = {                                                        \
            sizeof(MsExt), MS_ABI_MAJOR, MS_ABI_MINOR, MS_STR(#NAME), MS_STR(VERSION),           \
            MS_STR(DOC), FUNCTIONS, CONSTANTS, CLASSES, MS_NO_TABLE, MS_NO_TABLE, INIT, SHUTDOWN \
        };                                                                                       \
        return &descriptor;                                                                      \
    }

/* Whether a record of the host has a field: appended ones may lie beyond its size, and any
 * function may be null. */
#define MS_HAS(record, type, field)                                                              \
    (offsetof(type, field) + sizeof((record)->field) <= (record)->size && (record)->field)

/* ---- helpers for natives ---- */

/* Raises an exception; return the result. */
static inline MsStatus ms_raise(const MsContext *cx, const char *type, const char *message) {
    MsStr type_name = { type, 0 }, text = { message, 0 };
    while (type[type_name.len] != 0) type_name.len++;
    while (message[text.len] != 0) text.len++;
    return cx->host->flow->raise(cx->vm, type_name, text, NULL);
}

#ifdef __cplusplus
}
#endif

#endif
