/* values.c - every kind of value made, read and sent through a script. */
#include "check.h"

#include <math.h>

static const char *text_of(ms_vm_t *vm, ms_value_t v) {
    static char out[400];
    const char *bytes;
    size_t len;
    ms_value_t shown;
    CHECK(!ms_value_repr(vm, v, &shown));
    CHECK(!ms_value_text(vm, shown, &bytes, &len) && len < sizeof out);
    memcpy(out, bytes, len);
    out[len] = 0;
    CHECK(!ms_value_release(vm, shown));
    return out;
}

static void shows(ms_vm_t *vm, ms_value_t v, const char *wanted) {
    ms_value_t back;
    const char *found = text_of(vm, v);
    if (strcmp(found, wanted) != 0) printf("%s is not %s\n", found, wanted);
    CHECK(strcmp(found, wanted) == 0);
    /* Through the script and back. */
    CHECK(!ms_set_global(vm, "x", v) && runs(vm, "y = x"));
    CHECK(!ms_get_global(vm, "y", &back) && strcmp(text_of(vm, back), wanted) == 0);
    CHECK(back.tag == v.tag);
    CHECK(!ms_value_release(vm, back));
}

int main(void) {
    ms_vm_t *vm = ms_vm_new();
    ms_value_t a, b, c, items[4];
    const char *bytes;
    size_t len;
    int64_t n = 7;
    int i;
    const int64_t ints[] = { 0, 1, -1, 1 << 20, INT64_MAX, INT64_MIN,
                             INT64_C(1) << 49, -(INT64_C(1) << 49), INT64_C(1) << 50 };

    /* scalars */
    shows(vm, ms_value_nil(), "None");
    shows(vm, ms_value_bool(2), "True");
    shows(vm, ms_value_bool(0), "False");
    shows(vm, ms_value_float(0.1), "0.1");
    shows(vm, ms_value_float(-HUGE_VAL), "-inf");
    shows(vm, ms_value_float(HUGE_VAL - HUGE_VAL), "nan");
    for (i = 0; i < 9; i++) {
        char wanted[30];
        sprintf(wanted, "%lld", (long long)ints[i]);
        shows(vm, ms_value_int(ints[i]), wanted);
        CHECK(ms_value_int64(ms_value_int(ints[i]), &n) && n == ints[i]);
    }
    CHECK(ms_value_as_int(ms_value_float(-2.9)) == -2 && ms_value_as_float(ms_value_int(3)) == 3.0);
    CHECK(ms_value_as_int(ms_value_float(1e300)) == INT64_MAX);
    CHECK(ms_value_as_int(ms_value_nil()) == 0 && !ms_value_int64(ms_value_float(1), &n));
    CHECK(ms_value_as_bool(ms_value_int(2)) && !ms_value_as_bool(ms_value_nil()));
    CHECK(ms_value_is_nil(ms_value_nil()) && ms_value_is_bool(ms_value_bool(1)));
    CHECK(ms_value_is_float(ms_value_float(1)) && !ms_value_is_int(ms_value_bool(1)));

    /* big ints */
    a = ms_value_bigint(vm, "-123456789012345678901234567890", 10);
    CHECK(ms_value_is_int(a) && !ms_value_int64(a, &n) && ms_value_as_int(a) == 0);
    shows(vm, a, "-123456789012345678901234567890");
    b = ms_value_bigint(vm, "ffffffffffffffffffff", 16);
    shows(vm, b, "1208925819614629174706175");
    c = ms_value_bigint(vm, "42", 10);
    CHECK(ms_value_int64(c, &n) && n == 42);
    CHECK(ms_value_is_error(ms_value_bigint(vm, "12x", 10)));
    CHECK(ms_value_is_error(ms_value_bigint(vm, "", 10)));
    CHECK(ms_value_is_error(ms_value_bigint(vm, "1", 1)));
    CHECK(!ms_value_release(vm, a) && !ms_value_release(vm, b) && !ms_value_release(vm, c));

    /* texts */
    a = ms_value_string(vm, "gr\xc3\xbc\xc3\x9f");
    CHECK(ms_value_is_string(a) && !ms_value_length(vm, a, &len) && len == 4);
    CHECK(!ms_value_text(vm, a, &bytes, &len) && len == 6 && memcmp(bytes, "gr\xc3\xbc", 4) == 0);
    shows(vm, a, "'gr\xc3\xbc\xc3\x9f'");
    b = ms_value_string_n(vm, "a\0b", 3);
    shows(vm, b, "'a\\x00b'");
    c = ms_value_bytes(vm, "\xff\0", 2);
    CHECK(ms_value_is_bytes(c) && !ms_value_text(vm, c, &bytes, &len) && len == 2);
    shows(vm, c, "b'\\xff\\x00'");
    shows(vm, ms_value_string_n(vm, NULL, 0), "''");
    CHECK(ms_value_is_error(ms_value_string(vm, "\xc3")));
    CHECK(ms_value_is_error(ms_value_string(vm, NULL)));

    /* containers */
    items[0] = ms_value_int(1);
    items[1] = a;
    items[2] = ms_value_nil();
    items[3] = c;
    b = ms_value_list(vm, 4, items);
    CHECK(ms_value_is_list(b));
    shows(vm, b, "[1, 'gr\xc3\xbc\xc3\x9f', None, b'\\xff\\x00']");
    CHECK(!ms_value_set(vm, b, ms_value_int(-1), ms_value_bool(1)));
    CHECK(!ms_value_get(vm, b, ms_value_int(3), &c) && ms_value_is_bool(c));
    CHECK(fails_with(ms_value_get(vm, b, ms_value_int(4), &c), MS_ERR_EXCEPTION));
    items[1] = ms_value_float(2.5);
    c = ms_value_tuple(vm, 3, items);
    CHECK(ms_value_is_tuple(c));
    shows(vm, c, "(1, 2.5, None)");
    shows(vm, ms_value_tuple(vm, 0, NULL), "()");
    items[0] = ms_value_string(vm, "k");
    items[1] = b;
    items[2] = c;
    items[3] = ms_value_int(9);
    a = ms_value_dict(vm, 2, items);
    CHECK(ms_value_is_dict(a) && !ms_value_length(vm, a, &len) && len == 2);
    shows(vm, a, "{'k': [1, 'gr\xc3\xbc\xc3\x9f', None, True], (1, 2.5, None): 9}");
    CHECK(!ms_value_get(vm, a, c, &b) && ms_value_as_int(b) == 9);
    CHECK(!ms_value_items(vm, a, &b) && !ms_value_length(vm, b, &len) && len == 2);
    shows(vm, b, "['k', (1, 2.5, None)]");
    items[0] = b;
    CHECK(ms_value_is_error(ms_value_dict(vm, 1, items))); /* a list is no key */

    /* other objects */
    CHECK(runs(vm, "class P:\n    def __init__(self):\n        self.n = 5\n"
                   "    def __str__(self):\n        return 'p'\np = P()\ns = {1}"));
    CHECK(!ms_get_global(vm, "p", &a) && !ms_value_attr(vm, a, "n", &b) && ms_value_as_int(b) == 5);
    CHECK(fails_with(ms_value_attr(vm, a, "m", &b), MS_ERR_EXCEPTION));
    CHECK(fails_with(ms_value_str(vm, a, &b), MS_ERR_BUSY)); /* runs script code */
    CHECK(!ms_value_type_name(vm, a, &b));
    shows(vm, b, "'P'");
    CHECK(!ms_get_global(vm, "s", &b) && ms_value_is_set(b));
    CHECK(!ms_value_str(vm, ms_value_float(1.5), &b));
    shows(vm, b, "'1.5'");

    /* handles */
    CHECK(!ms_value_retain(vm, b, &c) && !ms_value_release(vm, b));
    shows(vm, c, "'1.5'");
    CHECK(fails_with(ms_value_text(vm, b, &bytes, &len), MS_ERR_HANDLE));
    CHECK(!ms_value_retain(vm, ms_value_int(1), &c) && ms_value_as_int(c) == 1);
    CHECK(!ms_vm_free(vm));
    return 0;
}
