// src/main.c
#include "ext/myext.h"

int main() {
    ms_vm_t* vm = ms_vm_new();
    ms_extension_t* ext = ms_myext_create();
    ms_register_extension(vm, ext);
    ms_run_string(vm, "import myext\nprint(myext.my_func())", "main", NULL);
    ms_myext_destroy(ext);
    ms_vm_free(vm);
}
