/* http.c - the http extension as the reference document names it. */
#include "check.h"

static const char *const SCRIPT =
    "import http\n"
    "server = http.serve(lambda request: 'you asked for ' + request.path)\n"
    "url = f'http://127.0.0.1:{server.port}/x'\n"
    "try:\n"
    "    response = http.get(url)\n"
    "    assert (response.status, response.text) == (200, 'you asked for /x')\n"
    "finally:\n"
    "    server.stop()\n";

int main(void) {
    static const char *const local[] = { "127.0.0.1" };
    ms_extension_t *ext = ms_http_extension_create();
    ms_config config;
    ms_value_t v, url;
    ms_error_t *error;
    ms_vm_t *vm = ms_vm_new();

    CHECK(ms_http_event_loop_init() == 0);
    CHECK(ext && strcmp(ext->name, "http") == 0);
    /* The network is a right of its own. */
    CHECK(!ms_register_extension(vm, ext));
    CHECK(raises(vm, "import http\nhttp.get('http://127.0.0.1:1/')", "PermissionError"));
    CHECK(raises(vm, SCRIPT, "PermissionError"));
    CHECK(!ms_vm_free(vm));

    memset(&config, 0, sizeof config);
    config.size = sizeof config;
    config.allow_net = local;
    config.allow_net_count = 1;
    config.timeout = 20;
    vm = ms_vm_new_with(&config, NULL);
    CHECK(!ms_register_extension(vm, ext));
    ms_http_extension_destroy(ext); /* before the VM */
    CHECK(runs(vm, SCRIPT));
    CHECK(ms_run_string(vm, "http.get('http://localhost:1/')", NULL, &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "PermissionError") == 0);
    CHECK(strstr(ms_error_message(error), "localhost"));
    ms_error_free(error);
    CHECK(raises(vm, "http.get('http://127.0.0.2:1/')", "PermissionError"));
    /* Called from C; the server waits for nobody. */
    url = ms_value_string(vm, "http://127.0.0.1:1/");
    CHECK(ms_call_extension_function(vm, "http", "get", 1, &url, &v, &error) == MS_RUN_ERROR);
    CHECK(strcmp(ms_error_type(error), "ConnectionError") == 0);
    ms_error_free(error);
    CHECK(!ms_vm_free(vm));
    ms_http_extension_destroy(NULL);
    ms_http_event_loop_shutdown();
    return 0;
}
