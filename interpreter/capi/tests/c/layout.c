/* layout.c - prints offset and size of every field, to be compared with the other side's. */
#include <miniscript.h>

#include <stddef.h>
#include <stdio.h>

#define FIELD(t, f) printf("%s.%s %u %u\n", #t, #f, (unsigned)offsetof(t, f), (unsigned)sizeof(((t *)0)->f));
#define TYPE(t) printf("%s %u\n", #t, (unsigned)sizeof(t));

/* The layout that the reference document gives. */
typedef struct {
    const char* name;
    struct {
        const char* name;
        ms_ext_fn_t func;
    } functions[64];
    int function_count;
} reference_t;

int main(void) {
    if (sizeof(reference_t) != sizeof(ms_extension_t) ||
        offsetof(reference_t, functions) != offsetof(ms_extension_t, functions) ||
        offsetof(reference_t, functions[63].func) != offsetof(ms_extension_t, functions[63].func) ||
        offsetof(reference_t, function_count) != offsetof(ms_extension_t, function_count))
        return 1;
    TYPE(ms_value_t)
    FIELD(ms_value_t, tag) FIELD(ms_value_t, aux) FIELD(ms_value_t, payload)
    TYPE(ms_extension_t)
    FIELD(ms_extension_t, name) FIELD(ms_extension_t, functions)
    FIELD(ms_extension_t, function_count)
    TYPE(ms_function_t)
    FIELD(ms_function_t, name) FIELD(ms_function_t, func) FIELD(ms_function_t, doc)
    FIELD(ms_function_t, data) FIELD(ms_function_t, flags)
    TYPE(ms_extension_table_t)
    FIELD(ms_extension_table_t, size) FIELD(ms_extension_table_t, name)
    FIELD(ms_extension_table_t, doc) FIELD(ms_extension_table_t, functions)
    FIELD(ms_extension_table_t, function_count) FIELD(ms_extension_table_t, stride)
    TYPE(ms_config)
    FIELD(ms_config, size) FIELD(ms_config, flags) FIELD(ms_config, recursion)
    FIELD(ms_config, timeout) FIELD(ms_config, memory) FIELD(ms_config, fuel)
    FIELD(ms_config, allow_read) FIELD(ms_config, allow_read_count)
    FIELD(ms_config, allow_write) FIELD(ms_config, allow_write_count)
    FIELD(ms_config, module_path) FIELD(ms_config, module_path_count)
    FIELD(ms_config, write_out) FIELD(ms_config, write_err) FIELD(ms_config, data)
    FIELD(ms_config, allow_net) FIELD(ms_config, allow_net_count)
    FIELD(ms_config, allow_env) FIELD(ms_config, allow_env_count)
    FIELD(ms_config, allow_run) FIELD(ms_config, allow_run_count)
    FIELD(ms_config, allow_import) FIELD(ms_config, allow_import_count)
    FIELD(ms_config, allow_ext) FIELD(ms_config, allow_ext_count)
    FIELD(ms_config, ext_path) FIELD(ms_config, ext_path_count)
    return 0;
}
