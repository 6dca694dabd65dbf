/* An extension for the tests: every part of the C contract, and some misuse on purpose. */
#include "ms_ext.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NORMAL(name) { MS_STR(name), MS_PARAM_NORMAL, 0, MS_NO_DEFAULT, MS_NO_STR }
#define POSITIONAL(name) { MS_STR(name), MS_PARAM_POSITIONAL, 0, MS_NO_DEFAULT, MS_NO_STR }
#define FUNCTION(name, doc, call, params, flags) \
    { MS_STR(name), MS_STR(doc), call, NULL, MS_TABLE(params, MsParam), flags, MS_TYPED_NONE, NULL, MS_NO_STR }
#define PLAIN(name, doc, call, flags) \
    { MS_STR(name), MS_STR(doc), call, NULL, MS_NO_TABLE, flags, MS_TYPED_NONE, NULL, MS_NO_STR }
#define TYPED(name, call, params, kind, entry) \
    { MS_STR(name), MS_NO_STR, call, NULL, MS_TABLE(params, MsParam), MS_FN_PURE, kind, (MsTyped)entry, MS_NO_STR }

#define UNUSED (void)argc, (void)args, (void)cx

typedef struct State {
    int64_t calls;
    MsValue kept;
} State;

/* For the whole process, so that a test can misuse them. */
static MsValue stashed;
static int64_t live_states, dropped_boxes, dropped_futures, dropped_thens;

static MsStr text(const char *s) {
    MsStr result = { s, strlen(s) };
    return result;
}

/* ---- arguments and results ---- */

static MsStatus add(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)argc;
    if (args[0].tag != MS_TAG_INT || args[1].tag != MS_TAG_INT)
        return ms_raise(cx, "TypeError", "add() wants two ints");
    *out = ms_int(args[0].payload.i + args[1].payload.i);
    return MS_OK;
}
static const MsParam add_params[] = {
    { MS_STR("a"), MS_PARAM_NORMAL, 0, MS_NO_DEFAULT, MS_STR("int") },
    { MS_STR("b"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_INT(40), MS_STR("int") },
};

/* A tuple of what arrived: a, b, and what is taken by *rest and **named. */
static MsStatus gather(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsValue rest, four[4];
    MsStatus status = cx->host->value->list_make(cx->vm, argc - 4, args + 4, &rest);
    if (status != MS_OK)
        return status;
    four[0] = args[0];
    four[1] = args[1].tag == MS_TAG_ABSENT ? ms_bool(0) : args[1];
    four[2] = args[2];
    four[3] = rest;
    status = cx->host->value->tuple_make(cx->vm, 4, four, out);
    if (status != MS_OK)
        return status;
    return cx->host->value->tuple_make(cx->vm, 2, (MsValue[]){ *out, args[3] }, out);
}
static const MsParam gather_params[] = {
    POSITIONAL("a"),
    { MS_STR("b"), MS_PARAM_NORMAL, MS_PARAM_OPTIONAL, MS_NO_DEFAULT, MS_NO_STR },
    { MS_STR("rest"), MS_PARAM_VARARGS, 0, MS_NO_DEFAULT, MS_NO_STR },
    { MS_STR("key"), MS_PARAM_KEYWORD, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_STR("none"), MS_NO_STR },
    { MS_STR("named"), MS_PARAM_KWARGS, 0, MS_NO_DEFAULT, MS_NO_STR },
};

static MsStatus count(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    *out = ms_int((int64_t)argc);
    return MS_OK;
}

static MsStatus echo(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    *out = args[0];
    return MS_OK;
}
static const MsParam value_params[] = { POSITIONAL("value") };

/* The double of an int of any size, limb by limb. */
static MsStatus twice_big(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    uint64_t limbs[32];
    uint32_t negative;
    size_t len, i;
    uint64_t carry = 0;
    MsStatus status = cx->host->value->int_read(cx->vm, args[0], &negative, limbs, 31, &len);
    (void)argc;
    if (status != MS_OK)
        return status;
    if (len > 31)
        return ms_raise(cx, "OverflowError", "too many limbs");
    for (i = 0; i < len; i++) {
        uint64_t next = limbs[i] >> 63;
        limbs[i] = limbs[i] << 1 | carry;
        carry = next;
    }
    limbs[len++] = carry;
    return cx->host->value->int_make(cx->vm, negative, limbs, len, out);
}

/* {"pairs": .., "sum": .., "items": ..} of a dict of ints, a list and a set. */
static MsStatus containers(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    const MsHostValue *v = cx->host->value;
    uint64_t cursor = 0;
    int64_t pairs = 0, sum = 0;
    MsValue key, value, items[8], made[6];
    size_t len, i;
    MsStatus status;
    (void)argc;
    while ((status = v->dict_next(cx->vm, args[0], &cursor, &key, &value)) == MS_OK) {
        pairs++;
        sum += value.payload.i;
    }
    if (status != MS_END)
        return status;
    status = v->items_read(cx->vm, args[1], 0, items, 8, &len);
    if (status != MS_OK)
        return status;
    for (i = 0; i < len && i < 8; i++)
        sum += items[i].payload.i;
    if ((status = v->str_make(cx->vm, text("pairs"), &made[0])) != MS_OK) return status;
    made[1] = ms_int(pairs);
    if ((status = v->str_make(cx->vm, text("sum"), &made[2])) != MS_OK) return status;
    made[3] = ms_int(sum);
    if ((status = v->bytes_make(cx->vm, text("raw"), &made[4])) != MS_OK) return status;
    if ((status = v->set_make(cx->vm, len < 8 ? len : 8, items, &made[5])) != MS_OK) return status;
    return v->dict_make(cx->vm, 3, made, out);
}
static const MsParam containers_params[] = { POSITIONAL("dict"), POSITIONAL("items") };

static double half(double x) { return x / 2; }
static double inverse(double x) { return 1 / x; }
static double area(double x, double y) { return x * y; }
static double volume(double x, double y, double z) { return x * y * z; }
static double from_int(int64_t n) { return (double)n / 4; }
static uint32_t is_big(double x) { return x > 1e6 ? 1 : x < 0 ? 2 : 0; }
static int64_t next_int(int64_t n, uint32_t *flag) {
    if (n == 100) *flag = 1;
    return n + 1;
}
static int64_t product(int64_t a, int64_t b, uint32_t *flag) {
    int64_t result;
    if (__builtin_mul_overflow(a, b, &result)) {
        *flag = 1;
        return 0;
    }
    return result;
}
static int64_t rounded(double x, uint32_t *flag) {
    if (!(x > -1e15 && x < 1e15)) *flag = 1;
    return *flag ? 0 : (int64_t)x;
}
/* The ordinary entry of all of them says that it was taken. */
static MsStatus ordinary(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    return cx->host->value->str_make(cx->vm, text("ordinary"), out);
}
static const MsParam one[] = { POSITIONAL("x") };
static const MsParam two[] = { POSITIONAL("x"), POSITIONAL("y") };
static const MsParam three[] = { POSITIONAL("x"), POSITIONAL("y"), POSITIONAL("z") };
static const MsParam one_or_two[] = {
    POSITIONAL("x"),
    { MS_STR("y"), MS_PARAM_POSITIONAL, MS_PARAM_OPTIONAL, MS_NO_DEFAULT, MS_NO_STR },
};

/* ---- exceptions ---- */

static MsStatus fail(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsStr name;
    MsStatus status = cx->host->value->str_read(cx->vm, args[0], &name);
    (void)argc, (void)out;
    if (status != MS_OK)
        return status;
    return cx->host->flow->raise(cx->vm, name, text("it failed"), NULL);
}

/* Calls, and raises a CError with what that raised as its cause. */
static MsStatus fail_from(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsValue cause;
    MsStatus status = cx->host->flow->call(cx->vm, args[0], 0, NULL, 0, NULL, out);
    (void)argc;
    if (status != MS_RAISED)
        return status;
    status = cx->host->flow->take_error(cx->vm, &cause);
    if (status != MS_OK)
        return status;
    return cx->host->flow->raise(cx->vm, text("CError"), text("caused"), &cause);
}

/* Statuses that no native may answer. */
static MsStatus bad_status(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)cx, (void)argc, (void)out;
    return (MsStatus)args[0].payload.i;
}

/* ---- calls ---- */

static MsStatus apply(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    if (argc == 0)
        return ms_raise(cx, "TypeError", "what shall be called?");
    return cx->host->flow->call(cx->vm, args[0], argc - 1, args + 1, 0, NULL, out);
}

static MsStatus apply_named(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsKeyword named[1];
    (void)argc;
    named[0].name = text("key");
    named[0].value = args[1];
    return cx->host->flow->call(cx->vm, args[0], 0, NULL, 1, named, out);
}

static MsStatus tail(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)out;
    if (argc == 0)
        return ms_raise(cx, "TypeError", "what shall be called?");
    return cx->host->flow->tail_call(cx->vm, args[0], argc - 1, args + 1, NULL);
}

/* Calls func(0), func(1) .. func(n - 1) one after the other without nesting, and sums up. */
typedef struct Sum {
    MsValue func;
    const MsContext *cx;
    int64_t i, n, sum;
} Sum;

static void end_sum(void *data) {
    Sum *sum = data;
    dropped_thens++;
    sum->cx->host->value->release(sum->cx->vm, sum->func);
    free(sum);
}

static MsStatus sum_next(void *data, const MsContext *cx, MsStatus status, MsValue value, MsValue *out);

static MsStatus sum_call(Sum *sum) {
    MsValue args[1];
    MsThen then = { sum, sum_next, end_sum };
    args[0] = ms_int(sum->i);
    return sum->cx->host->flow->tail_call(sum->cx->vm, sum->func, 1, args, &then);
}

static MsStatus sum_next(void *data, const MsContext *cx, MsStatus status, MsValue value, MsValue *out) {
    Sum *next, *sum = data;
    if (status != MS_OK) {
        MsValue cause = value;
        if (sum->n == 13)
            return MS_RAISED; /* hands on what it was given */
        return cx->host->flow->raise(cx->vm, text("CError"), text("in the sum"), &cause);
    }
    sum->sum += value.payload.i;
    if (++sum->i == sum->n) {
        *out = ms_int(sum->sum);
        return MS_OK;
    }
    /* The data of the call that ended is freed after this function, so the next one has its own. */
    next = malloc(sizeof *next);
    *next = *sum;
    status = cx->host->value->retain(cx->vm, sum->func, MS_RETAIN_ROOT, &next->func);
    if (status != MS_OK) {
        free(next);
        return status;
    }
    return sum_call(next);
}

static MsStatus sum_of(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Sum *sum = calloc(1, sizeof *sum);
    MsStatus status = cx->host->value->retain(cx->vm, args[0], MS_RETAIN_ROOT, &sum->func);
    (void)argc, (void)out;
    if (status != MS_OK) {
        free(sum);
        return status;
    }
    sum->cx = cx;
    sum->n = args[1].payload.i;
    return sum_call(sum);
}
static const MsParam sum_params[] = { POSITIONAL("func"), POSITIONAL("n") };

/* ---- futures ---- */

typedef struct Nap {
    const MsContext *cx;
    MsOp op;
    int64_t result;
} Nap;

static MsStatus poll_nap(void *data, const MsContext *cx, MsToken token, MsValue *out) {
    Nap *nap = data;
    MsStatus status = cx->host->task->op_poll(cx->vm, nap->op, token);
    if (status == MS_OK)
        *out = ms_int(nap->result);
    return status;
}

static void end_nap(void *data) {
    Nap *nap = data;
    dropped_futures++;
    nap->cx->host->task->op_close(nap->cx->vm, nap->op);
    free(nap);
}

static MsStatus start_nap(const MsContext *cx, int64_t milliseconds, MsFuture *future) {
    Nap *nap = calloc(1, sizeof *nap);
    MsStatus status = cx->host->task->sleep(cx->vm, (uint64_t)milliseconds * 1000000, &nap->op);
    if (status != MS_OK) {
        free(nap);
        return status;
    }
    nap->cx = cx;
    nap->result = milliseconds;
    future->data = nap;
    future->poll = poll_nap;
    future->drop = end_nap;
    return MS_OK;
}

static MsStatus nap(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsFuture future;
    MsStatus status = start_nap(cx, args[0].payload.i, &future);
    (void)argc, (void)out;
    return status == MS_OK ? cx->host->flow->suspend(cx->vm, &future) : status;
}

static MsStatus spawn_nap(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsFuture future;
    MsStatus status = start_nap(cx, args[0].payload.i, &future);
    (void)argc;
    return status == MS_OK ? cx->host->task->spawn_future(cx->vm, &future, out) : status;
}

/* Waits for a thread of its own. */
typedef struct Threaded {
    pthread_t thread;
    pthread_mutex_t lock;
    const MsHost *host;
    MsVm *vm;
    MsToken token;
    MsStatus from_thread;
    int started, done;
} Threaded;

static void *work(void *data) {
    Threaded *t = data;
    MsToken token;
    MsValue out;
    struct timespec pause = { 0, 30000000 };
    nanosleep(&pause, NULL);
    /* On another thread than the VM's every function but wake refuses. */
    t->from_thread = t->host->value->str_make(t->vm, text("x"), &out);
    pthread_mutex_lock(&t->lock);
    t->done = 1;
    token = t->token;
    pthread_mutex_unlock(&t->lock);
    t->host->wake(token);
    t->host->wake(token);
    return NULL;
}

static MsStatus poll_threaded(void *data, const MsContext *cx, MsToken token, MsValue *out) {
    Threaded *t = data;
    int done;
    pthread_mutex_lock(&t->lock);
    t->token = token;
    done = t->done;
    pthread_mutex_unlock(&t->lock);
    if (!t->started) {
        t->started = 1;
        if (pthread_create(&t->thread, NULL, work, t) != 0)
            return ms_raise(cx, "RuntimeError", "no thread");
    }
    if (!done)
        return MS_PENDING;
    *out = ms_int(t->from_thread);
    return MS_OK;
}

static void end_threaded(void *data) {
    Threaded *t = data;
    MsToken token = t->token;
    const MsHost *host = t->host;
    if (t->started)
        pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->lock);
    dropped_futures++;
    free(t);
    host->wake(token); /* a task that has ended wakes nothing */
}

static MsStatus threaded(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Threaded *t = calloc(1, sizeof *t);
    MsFuture future = { t, poll_threaded, end_threaded };
    UNUSED, (void)out;
    pthread_mutex_init(&t->lock, NULL);
    t->host = cx->host;
    t->vm = cx->vm;
    return cx->host->flow->suspend(cx->vm, &future);
}

/* Waits for ever, or answers the status that it is told. */
static MsStatus poll_status(void *data, const MsContext *cx, MsToken token, MsValue *out) {
    (void)cx, (void)token, (void)out;
    return *(MsStatus *)data;
}

static void end_status(void *data) {
    dropped_futures++;
    free(data);
}

static MsStatus answer(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsStatus *status = malloc(sizeof *status);
    MsFuture future = { status, poll_status, end_status };
    (void)argc, (void)out;
    *status = (MsStatus)args[0].payload.i;
    return cx->host->flow->suspend(cx->vm, &future);
}

/* Reads a file. */
typedef struct Reading {
    const MsContext *cx;
    MsOp op;
} Reading;

static MsStatus poll_reading(void *data, const MsContext *cx, MsToken token, MsValue *out) {
    Reading *reading = data;
    MsFileResult result;
    MsStatus status = cx->host->task->op_poll(cx->vm, reading->op, token);
    if (status != MS_OK)
        return status;
    memset(&result, 0, sizeof result);
    result.size = sizeof result;
    status = cx->host->file->result(cx->vm, reading->op, &result);
    if (status == MS_FAILED)
        return cx->host->flow->raise_io(cx->vm, &result.io, text("the file"));
    return status == MS_OK ? cx->host->value->bytes_make(cx->vm, result.data, out) : status;
}

static void end_reading(void *data) {
    Reading *reading = data;
    reading->cx->host->task->op_close(reading->cx->vm, reading->op);
    free(reading);
}

static MsStatus read_file(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsFileRequest request;
    Reading *reading = calloc(1, sizeof *reading);
    MsFuture future = { reading, poll_reading, end_reading };
    MsStatus status;
    (void)argc, (void)out;
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.code = MS_FILE_READ_ALL;
    reading->cx = cx;
    status = cx->host->value->str_read_extended(cx->vm, args[0], &request.path);
    if (status == MS_OK)
        status = cx->host->file->submit(cx->vm, &request, &reading->op);
    if (status != MS_OK) {
        free(reading);
        return status;
    }
    return cx->host->flow->suspend(cx->vm, &future);
}

/* ---- handles ---- */

static MsStatus stash(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED, (void)out;
    stashed = args[0];
    return MS_OK;
}

static MsStatus fetch(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    *out = stashed;
    return MS_OK;
}

static MsStatus keep(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    State *state = cx->state;
    (void)argc, (void)out;
    cx->host->value->release(cx->vm, state->kept);
    return cx->host->value->retain(cx->vm, args[0], MS_RETAIN_ROOT, &state->kept);
}

/* Retains its argument in a mode that there is not. */
static MsStatus keep_oddly(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)argc;
    return cx->host->value->retain(cx->vm, args[0], 7, out);
}

static MsStatus kept(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    return cx->host->value->scoped(cx->vm, ((State *)cx->state)->kept, out);
}

/* The last of n texts, made in scopes so that handles do not pile up. */
static MsStatus many_texts(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    int64_t i;
    (void)argc;
    for (i = 0; i < args[0].payload.i; i++) {
        uint64_t mark;
        MsStatus status = cx->host->value->scope_open(cx->vm, &mark);
        if (status == MS_OK)
            status = cx->host->value->str_make(cx->vm, text(i % 2 ? "odd" : "even"), out);
        if (status == MS_OK)
            status = cx->host->value->scope_close(cx->vm, mark, out);
        if (status != MS_OK)
            return status;
    }
    return MS_OK;
}

/* Starts n timers and forgets them. */
static MsStatus timers(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    int64_t i;
    MsStatus status = MS_OK;
    (void)argc, (void)out;
    for (i = 0; status == MS_OK && i < args[0].payload.i; i++) {
        MsOp op;
        status = cx->host->task->sleep(cx->vm, 1000000000, &op);
    }
    return status;
}

/* A list of n texts; it never charges. */
static MsStatus grow(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    int64_t i;
    MsStatus status = cx->host->value->list_make(cx->vm, 0, NULL, out);
    (void)argc;
    for (i = 0; status == MS_OK && i < args[0].payload.i; i++) {
        MsValue item = ms_int(i);
        status = cx->host->value->list_push(cx->vm, *out, 1, &item);
    }
    return status;
}

/* Ctrl-C while this runs. */
static MsStatus interrupted(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    *out = ms_none();
    return raise(SIGINT) == 0 ? MS_OK : ms_raise(cx, "OSError", "raise");
}

static MsStatus spin(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsStatus status = MS_OK;
    UNUSED, (void)out;
    while (status == MS_OK)
        status = cx->host->flow->charge(cx->vm, 10);
    return status;
}

static MsStatus counters(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsValue four[4];
    UNUSED;
    four[0] = ms_int(live_states);
    four[1] = ms_int(dropped_boxes);
    four[2] = ms_int(dropped_futures);
    four[3] = ms_int(dropped_thens);
    return cx->host->value->tuple_make(cx->vm, 4, four, out);
}

static MsStatus calls(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    UNUSED;
    *out = ms_int(++((State *)cx->state)->calls);
    return MS_OK;
}

static const MsParam one_value[] = { POSITIONAL("value") };

/* ---- a class ---- */

typedef struct Box {
    MsValue content;
    int64_t changes;
} Box;

static const char box_id;

static Box *box_of(const MsContext *cx, MsValue object) {
    void *payload = NULL;
    cx->host->object->native_payload(cx->vm, &box_id, object, &payload);
    return payload;
}

static MsStatus box_new(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box box;
    MsStatus status = cx->host->value->retain(cx->vm, args[1], MS_RETAIN_TRACED, &box.content);
    (void)argc;
    if (status != MS_OK)
        return status;
    box.changes = 0;
    status = cx->host->object->native_new(cx->vm, &box_id, args[0], &box, out);
    if (status != MS_OK)
        cx->host->value->release(cx->vm, box.content);
    return status;
}
static const MsParam box_new_params[] = {
    { MS_STR("content"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_NONE, MS_NO_STR },
};

static void box_drop(void *payload) {
    (void)payload;
    dropped_boxes++;
}

static void box_trace(void *payload, MsVisit visit, void *visitor) {
    visit(visitor, &((Box *)payload)->content);
}

static MsStatus box_get(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box *box = box_of(cx, args[0]);
    (void)argc;
    return box ? cx->host->value->scoped(cx->vm, box->content, out) : MS_RAISED;
}

static MsStatus box_set(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box *box = box_of(cx, args[0]);
    MsValue content;
    MsStatus status;
    (void)argc, (void)out;
    if (!box)
        return MS_RAISED;
    status = cx->host->value->retain(cx->vm, args[1], MS_RETAIN_TRACED, &content);
    if (status != MS_OK)
        return status;
    cx->host->value->release(cx->vm, box->content);
    box->content = content;
    box->changes++;
    return MS_OK;
}

static MsStatus box_len(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box *box = box_of(cx, args[0]);
    (void)argc;
    if (!box)
        return MS_RAISED;
    *out = ms_int(box->changes);
    return MS_OK;
}

/* Box(repr of the content) */
static MsStatus box_repr(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box *box = box_of(cx, args[0]);
    MsValue shown, parts[2];
    MsStatus status;
    (void)argc;
    if (!box)
        return MS_RAISED;
    status = cx->host->object->repr(cx->vm, box->content, &shown);
    if (status == MS_OK)
        status = cx->host->value->str_make(cx->vm, text("Box "), &parts[0]);
    return status == MS_OK ? cx->host->object->binary(cx->vm, MS_OP_ADD, parts[0], shown, out) : status;
}

/* Boxes are equal if what they hold is. */
static MsStatus box_eq(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Box *box = box_of(cx, args[0]), *other;
    MsValue class_object, mine, theirs;
    uint32_t is;
    MsStatus status;
    (void)argc;
    if (!box)
        return MS_RAISED;
    status = cx->host->object->class_of(cx->vm, &box_id, &class_object);
    if (status == MS_OK)
        status = cx->host->object->is_instance(cx->vm, args[1], class_object, &is);
    if (status != MS_OK)
        return status;
    if (!is)
        return cx->host->object->builtin(cx->vm, text("NotImplemented"), out);
    other = box_of(cx, args[1]);
    status = cx->host->value->scoped(cx->vm, box->content, &mine);
    if (status == MS_OK)
        status = cx->host->value->scoped(cx->vm, other->content, &theirs);
    return status == MS_OK ? cx->host->object->compare(cx->vm, MS_CMP_EQ, mine, theirs, out) : status;
}

static MsStatus box_static(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)argc, (void)args;
    return cx->host->value->str_make(cx->vm, text("static"), out);
}

static MsStatus box_class(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    (void)argc;
    return cx->host->object->get_attr(cx->vm, args[0], text("__name__"), out);
}

/* Calls func with the content; a method that calls back. */
static MsStatus box_map(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    MsValue content;
    MsStatus status = box_get(cx, argc, args, &content);
    return status == MS_OK ? cx->host->flow->call(cx->vm, args[1], 1, &content, 0, NULL, out) : status;
}
static const MsParam box_map_params[] = { NORMAL("func") };
static const MsParam box_other[] = { POSITIONAL("other") };

static const MsFunction box_methods[] = {
    FUNCTION("__new__", "Makes a box.", box_new, box_new_params, MS_FN_STATIC),
    PLAIN("content", "What is in it.", box_get, MS_FN_GETTER),
    PLAIN("content", "", box_set, MS_FN_SETTER),
    PLAIN("__len__", "", box_len, 0),
    PLAIN("__repr__", "", box_repr, MS_FN_CALLS_BACK),
    FUNCTION("__eq__", "", box_eq, box_other, MS_FN_CALLS_BACK),
    PLAIN("kind", "", box_static, MS_FN_STATIC),
    PLAIN("own_name", "", box_class, MS_FN_CLASS | MS_FN_CALLS_BACK),
    FUNCTION("map", "func(content)", box_map, box_map_params, MS_FN_CALLS_BACK),
};

static const MsConst box_constants[] = {
    { MS_STR("SIDES"), MS_DEFAULT_INT(6), MS_NO_STR },
};

static const char error_id;

/* A box that holds a number besides: its payload begins with that of a box. */
typedef struct Crate {
    Box box;
    int64_t number;
} Crate;

static const char crate_id;

static MsStatus crate_new(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    Crate crate;
    MsStatus status = cx->host->value->retain(cx->vm, args[1], MS_RETAIN_TRACED, &crate.box.content);
    (void)argc;
    if (status != MS_OK)
        return status;
    crate.box.changes = 0;
    crate.number = 7;
    status = cx->host->object->native_new(cx->vm, &crate_id, args[0], &crate, out);
    if (status != MS_OK)
        cx->host->value->release(cx->vm, crate.box.content);
    return status;
}

static MsStatus crate_number(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    void *crate;
    MsStatus status = cx->host->object->native_payload(cx->vm, &crate_id, args[0], &crate);
    (void)argc;
    if (status == MS_OK)
        *out = ms_int(((Crate *)crate)->number);
    return status;
}

static const MsFunction crate_methods[] = {
    FUNCTION("__new__", "", crate_new, box_new_params, MS_FN_STATIC),
    PLAIN("number", "", crate_number, MS_FN_GETTER),
};

static const MsClass classes[] = {
    { MS_STR("Box"), MS_STR("Holds a value."), &box_id, MS_NO_STR, MS_TABLE(box_methods, MsFunction),
      MS_TABLE(box_constants, MsConst), sizeof(Box), sizeof(void *), box_drop, box_trace,
      MS_CLASS_SUBCLASSABLE },
    { MS_STR("Crate"), MS_STR("A box with a number."), &crate_id, MS_STR("Box"),
      MS_TABLE(crate_methods, MsFunction), MS_NO_TABLE, sizeof(Crate), sizeof(void *), box_drop,
      box_trace, MS_CLASS_SUBCLASSABLE },
    { MS_STR("CError"), MS_STR("An error of C."), &error_id, MS_STR("ValueError"), MS_NO_TABLE,
      MS_NO_TABLE, 0, 0, NULL, NULL, 0 },
};

static const MsConst constants[] = {
    { MS_STR("ANSWER"), MS_DEFAULT_INT(42), MS_NO_STR },
    { MS_STR("NAME"), MS_DEFAULT_STR("cprobe"), MS_NO_STR },
    { MS_STR("BIG"), { { MS_TAG_BIGINT, 0, { 0 } }, MS_STR("-123456789012345678901234567890") },
      MS_NO_STR },
};

static const MsFunction functions[] = {
    FUNCTION("add", "Adds two ints.", add, add_params, MS_FN_PURE),
    FUNCTION("gather", "Everything that can be passed.", gather, gather_params, 0),
    PLAIN("count", "Counts its arguments.", count, MS_FN_VARIADIC),
    FUNCTION("echo", "", echo, value_params, 0),
    FUNCTION("twice_big", "", twice_big, value_params, 0),
    FUNCTION("containers", "", containers, containers_params, 0),
    TYPED("half", ordinary, one, MS_TYPED_F_F, half),
    TYPED("inverse", ordinary, one, MS_TYPED_F_F, inverse),
    TYPED("half_of", ordinary, one_or_two, MS_TYPED_F_F, half),
    TYPED("area", ordinary, two, MS_TYPED_FF_F, area),
    TYPED("volume", ordinary, three, MS_TYPED_FFF_F, volume),
    TYPED("from_int", ordinary, one, MS_TYPED_I_F, from_int),
    TYPED("is_big", ordinary, one, MS_TYPED_F_B, is_big),
    TYPED("next_int", ordinary, one, MS_TYPED_I_I, next_int),
    TYPED("product", ordinary, two, MS_TYPED_II_I, product),
    TYPED("rounded", ordinary, one, MS_TYPED_F_I, rounded),
    FUNCTION("fail", "", fail, one_value, 0),
    FUNCTION("fail_from", "", fail_from, one_value, MS_FN_CALLS_BACK),
    FUNCTION("bad_status", "", bad_status, one_value, 0),
    PLAIN("apply", "func(*args)", apply, MS_FN_VARIADIC | MS_FN_CALLS_BACK),
    PLAIN("apply_undeclared", "func(*args)", apply, MS_FN_VARIADIC),
    FUNCTION("apply_named", "func(key=value)", apply_named, two, MS_FN_CALLS_BACK),
    PLAIN("tail", "func(*args)", tail, MS_FN_VARIADIC),
    FUNCTION("sum_of", "func(0) + .. + func(n - 1)", sum_of, sum_params, 0),
    FUNCTION("nap", "", nap, one_value, MS_FN_ASYNC),
    FUNCTION("spawn_nap", "", spawn_nap, one_value, 0),
    PLAIN("threaded", "", threaded, MS_FN_ASYNC),
    FUNCTION("answer", "", answer, one_value, MS_FN_ASYNC),
    FUNCTION("read_file", "", read_file, one_value, MS_FN_ASYNC),
    FUNCTION("stash", "", stash, one_value, 0),
    PLAIN("fetch", "", fetch, 0),
    FUNCTION("keep", "", keep, one_value, 0),
    FUNCTION("keep_oddly", "", keep_oddly, one_value, 0),
    PLAIN("kept", "", kept, 0),
    FUNCTION("many_texts", "", many_texts, one_value, 0),
    FUNCTION("grow", "", grow, one_value, 0),
    FUNCTION("timers", "", timers, one_value, 0),
    PLAIN("interrupted", "", interrupted, 0),
    PLAIN("interrupted_back", "", interrupted, MS_FN_CALLS_BACK),
    PLAIN("spin", "", spin, 0),
    PLAIN("counters", "", counters, 0),
    PLAIN("calls", "", calls, 0),
};

static MsStatus start(const MsContext *cx, void **state) {
    State *made = calloc(1, sizeof *made);
    if (!made)
        return ms_raise(cx, "MemoryError", "no memory");
    made->kept = ms_none();
    live_states++;
    *state = made;
    return MS_OK;
}

static void end(const MsContext *cx) {
    State *state = cx->state;
    cx->host->value->release(cx->vm, state->kept);
    live_states--;
    free(state);
}

MS_EXTENSION(cprobe, "2.1.0", "The C contract.", MS_TABLE(functions, MsFunction),
             MS_TABLE(constants, MsConst), MS_TABLE(classes, MsClass), start, end)
