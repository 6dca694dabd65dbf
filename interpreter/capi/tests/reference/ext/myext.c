// src/ext/myext.c
#include "myext.h"
#include <stdlib.h>

static ms_value_t my_func(ms_vm_t* vm, int argc, ms_value_t* args) {
    // Implementation
    return ms_value_int(42);
}

ms_extension_t* ms_myext_create(void) {
    ms_extension_t* ext = malloc(sizeof(ms_extension_t));
    ext->name = "myext";
    ext->function_count = 1;
    ext->functions[0].name = "my_func";
    ext->functions[0].func = my_func;
    return ext;
}

void ms_myext_destroy(ms_extension_t* ext) {
    if (ext) free(ext);
}
