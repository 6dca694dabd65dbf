/* ms_value.h - the values of MiniScript as they cross a C boundary.
 *
 * Shared by ms_ext.h (for extensions) and miniscript.h (for embedders). C99 and C++. */
#ifndef MS_VALUE_H
#define MS_VALUE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A script value: a scalar inline, or a handle to an object of one VM.
 *
 * A handle is valid until the call (or the poll) that received it returns, unless it was
 * retained. The host checks each handle it gets for VM, generation and thread, so a stale
 * one is an error and not undefined behaviour. */
typedef struct MsValue {
    /* One of the MS_TAG_ numbers. */
    uint32_t tag;
    /* Generation of a handle; 0 for scalars. */
    uint32_t aux;
    /* The i64, the bits of the f64, 0 or 1 of the bool, or the handle. */
    union {
        int64_t i;
        double f;
        uint64_t h;
    } payload;
} MsValue;

/* None. The zero of the type, so a result that nobody wrote is None. */
#define MS_TAG_NONE 0
/* A parameter that may be absent and was not passed. */
#define MS_TAG_ABSENT 1
/* A bool in payload. */
#define MS_TAG_BOOL 2
/* An integer that fits i64. */
#define MS_TAG_INT 3
/* A double. */
#define MS_TAG_FLOAT 4
/* From here on payload and aux are a handle; the tag tells the object's kind. */
#define MS_TAG_HANDLE 16
/* An integer beyond i64. */
#define MS_TAG_BIGINT 16
/* A str. Instances of script classes derived from a builtin type are MS_TAG_OBJECT; the
 * functions that read a str, bytes, list and so on accept them all the same. */
#define MS_TAG_STR 17
/* A bytes. */
#define MS_TAG_BYTES 18
/* A tuple. */
#define MS_TAG_TUPLE 19
/* A list. */
#define MS_TAG_LIST 20
/* A dict. */
#define MS_TAG_DICT 21
/* A set or frozenset. */
#define MS_TAG_SET 22
/* A class. */
#define MS_TAG_CLASS 23
/* Any other object. Newer hosts may name further kinds: a tag of MS_TAG_HANDLE or above that
 * the reader does not know is to be treated as this one. */
#define MS_TAG_OBJECT 24

/* Borrowed bytes; UTF-8 wherever a text is meant. Valid for the call, if it is not part of a
 * descriptor (which lives as long as the process). A null pointer goes with length 0. */
typedef struct MsStr {
    /* First byte. */
    const char *ptr;
    /* Number of bytes. */
    size_t len;
} MsStr;

/* The MsStr of a string literal, for use in static initialisers. */
#define MS_STR(literal) { (literal), sizeof(literal) - 1 }

/* None. */
static inline MsValue ms_none(void) {
    MsValue value = { MS_TAG_NONE, 0, { 0 } };
    return value;
}

/* A bool. */
static inline MsValue ms_bool(int flag) {
    MsValue value = { MS_TAG_BOOL, 0, { 0 } };
    value.payload.i = flag != 0;
    return value;
}

/* An integer. */
static inline MsValue ms_int(int64_t number) {
    MsValue value = { MS_TAG_INT, 0, { 0 } };
    value.payload.i = number;
    return value;
}

/* A double. */
static inline MsValue ms_float(double number) {
    MsValue value = { MS_TAG_FLOAT, 0, { 0 } };
    value.payload.f = number;
    return value;
}

#ifdef __cplusplus
}
#endif

#endif
