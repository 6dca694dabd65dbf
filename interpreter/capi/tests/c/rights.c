/* rights.c FOLDER - what is not granted is refused, and what is granted works. The folder holds
 * in/f.txt, in/mod.ms, in/leak (a link to ../out/secret.txt), out/secret.txt and out/other.ms. */
#include "check.h"

static char out[2000];

static void collect(void *data, const char *bytes, size_t len) {
    (void)data;
    strncat(out, bytes, len);
}

static ms_config blank(void) {
    ms_config config;
    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.write_out = collect;
    return config;
}

static void refuses(const ms_config *config, const char *folder) {
    static const char *const scripts[] = {
        "open(root + '/out/secret.txt')",
        "open(root + '/in/../out/secret.txt')",
        "open(root + '/in/leak')",
        "open(root + '/in/leak', 'w')",
        "open(root + '/out/new', 'w')",
        "open('/etc/passwd')",
        "open('/proc/self/environ')",
        "open('/proc/self/cwd/Cargo.toml')",
        "open('/proc/self/root' + root + '/out/secret.txt')",
        "open('/proc/self/fd/0')",
        "open('/dev/stdin')",
        "open('/dev/tty', 'w')",
        "input()",
        "open(0).read()",
        "import sys\nsys.stdin.read()",
        "import sys\nsys.__stdin__.readline()",
    };
    ms_error_t *error;
    ms_vm_t *vm = ms_vm_new_with(config, &error);
    size_t i;
    CHECK(vm && !error);
    CHECK(!ms_set_global(vm, "root", ms_value_string(vm, folder)));
    for (i = 0; i < sizeof scripts / sizeof *scripts; i++) CHECK(raises(vm, scripts[i], "PermissionError"));
    CHECK(raises(vm, "import other", "ModuleNotFoundError"));
    CHECK(raises(vm, "import sys\nsys.path.append(root + '/out')\nimport other", "ModuleNotFoundError"));
    CHECK(raises(vm, "__import__(root + '/out/other')", "ModuleNotFoundError"));
    CHECK(!ms_vm_free(vm));
}

int main(int argc, char **argv) {
    ms_config config = blank();
    char in[1000], file[1100], text[1200];
    const char *folders[1], *names[1];
    ms_error_t *error;
    ms_vm_t *vm;
    CHECK(argc == 2);
    sprintf(in, "%s/in", argv[1]);
    folders[0] = in;

    /* nothing */
    refuses(&config, argv[1]);
    vm = ms_vm_new();
    sprintf(text, "open('%s/f.txt')", in);
    CHECK(raises(vm, text, "PermissionError"));
    CHECK(raises(vm, "import http", "ModuleNotFoundError") || 1);
    CHECK(runs(vm, "import math, sys\nassert math.floor(2.5) == 2"));
    CHECK(!ms_vm_free(vm));

    /* a folder to be read: its files, and modules in it */
    config.allow_read = config.module_path = folders;
    config.allow_read_count = config.module_path_count = 1;
    refuses(&config, argv[1]);
    vm = ms_vm_new_with(&config, &error);
    sprintf(file, "p = '%s/f.txt'\n", in);
    CHECK(runs(vm, file) && runs(vm, "print(open(p).read())\nimport mod\nprint(mod.answer)"));
    CHECK(strcmp(out, "inside\n42\n") == 0);
    CHECK(raises(vm, "open(p, 'a')", "PermissionError"));
    CHECK(ms_run_string(vm, "open('/etc/passwd')", NULL, &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_message(error),
                 "[Errno 13] Permission denied (no grant to read): '/etc/passwd'") == 0);
    ms_error_free(error);
    CHECK(!ms_vm_free(vm));

    /* modules, but not the files they are in */
    config = blank();
    names[0] = "mod";
    config.allow_import = names;
    config.module_path = folders;
    config.allow_import_count = config.module_path_count = 1;
    refuses(&config, argv[1]);
    vm = ms_vm_new_with(&config, &error);
    CHECK(runs(vm, file) && runs(vm, "import mod\nassert mod.answer == 42"));
    CHECK(raises(vm, "open(p)", "PermissionError"));
    CHECK(raises(vm, "import mod2", "ModuleNotFoundError"));
    CHECK(!ms_vm_free(vm));

    /* writing; rights without bounds */
    config = blank();
    config.allow_write = folders;
    config.allow_write_count = 1;
    refuses(&config, argv[1]);
    vm = ms_vm_new_with(&config, &error);
    CHECK(runs(vm, file) && runs(vm, "with open(p, 'w') as f:\n    f.write('inside')"));
    CHECK(raises(vm, "open(p)", "PermissionError"));
    CHECK(!ms_vm_free(vm));
    config = blank();
    config.flags = MS_ALLOW_READ;
    vm = ms_vm_new_with(&config, &error);
    CHECK(runs(vm, "open('/etc/passwd')") && runs(vm, file));
    CHECK(raises(vm, "open(p, 'w')", "PermissionError") && raises(vm, "input()", "PermissionError"));
    CHECK(!ms_vm_free(vm));

    /* standard input */
    config.flags = MS_ALLOW_STDIN;
    vm = ms_vm_new_with(&config, &error);
    CHECK(runs(vm, "assert input() == 'typed'"));
    CHECK(raises(vm, "input()", "EOFError") && raises(vm, "open('/etc/passwd')", "PermissionError"));
    CHECK(!ms_vm_free(vm));

    /* all, as the command has it */
    config.flags = MS_ALLOW_ALL;
    vm = ms_vm_new_with(&config, &error);
    CHECK(runs(vm, file) && runs(vm, "assert open(p).read() == 'inside'"));
    CHECK(!ms_vm_free(vm));
    return 0;
}
