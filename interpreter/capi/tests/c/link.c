/* link.c - an extension of ms_ext.h that is a part of the embedder's program. */
#include "check.h"

#include <ms_ext.h>

static const char counter_id = 'c';

static MsStatus counter_new(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    int64_t start = args[1].payload.i;
    (void)argc;
    if (args[1].tag != MS_TAG_INT) return ms_raise(cx, "CountError", "start is no int");
    return cx->host->object->native_new(cx->vm, &counter_id, args[0], &start, out);
}

static MsStatus counter_add(const MsContext *cx, size_t argc, const MsValue *args, MsValue *out) {
    void *payload;
    MsStatus status = cx->host->object->native_payload(cx->vm, &counter_id, args[0], &payload);
    (void)argc;
    if (status == MS_OK) *out = ms_int(*(int64_t *)payload += args[1].payload.i);
    return status;
}

static const MsParam new_params[] = {
    { MS_STR("start"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_INT(0), MS_STR("int") },
};
static const MsParam add_params[] = {
    { MS_STR("by"), MS_PARAM_NORMAL, MS_PARAM_HAS_DEFAULT, MS_DEFAULT_INT(1), MS_STR("int") },
};
static const MsFunction methods[] = {
    { MS_STR("__new__"), MS_STR(""), counter_new, NULL, MS_TABLE(new_params, MsParam),
      MS_FN_STATIC, MS_TYPED_NONE, NULL, MS_STR("") },
    { MS_STR("add"), MS_STR("Adds."), counter_add, NULL, MS_TABLE(add_params, MsParam), 0,
      MS_TYPED_NONE, NULL, MS_STR("int") },
};
static const MsClass classes[] = {
    { MS_STR("CountError"), MS_STR(""), &classes[0], MS_STR("ValueError"), MS_NO_TABLE, MS_NO_TABLE,
      0, 0, NULL, NULL, MS_CLASS_SUBCLASSABLE },
    { MS_STR("Counter"), MS_STR("Counts."), &counter_id, MS_NO_STR, MS_TABLE(methods, MsFunction),
      MS_NO_TABLE, sizeof(int64_t), sizeof(int64_t), NULL, NULL, MS_CLASS_SUBCLASSABLE },
};

MS_EXTENSION(count, "1.0.0", "Counting.", MS_NO_TABLE, MS_NO_TABLE, MS_TABLE(classes, MsClass),
             NULL, NULL)

static ms_value_t link_now(ms_vm_t *vm, int argc, ms_value_t *args) {
    (void)argc; (void)args;
    CHECK(fails_with(ms_link_extension(vm, ms_ext_count()), MS_ERR_BUSY));
    return ms_value_nil();
}

int main(void) {
    static const ms_function_t row = { "link_now", link_now, NULL, NULL, 0 };
    ms_extension_table_t table = { sizeof table, "own", NULL, &row, 1, sizeof row };
    MsExt wrong = *ms_ext_count();
    ms_vm_t *vm = ms_vm_new(), *other = ms_vm_new();

    CHECK(raises(vm, "import count", "ModuleNotFoundError"));
    CHECK(!ms_link_extension(vm, ms_ext_count()));
    CHECK(!ms_link_extension(vm, ms_ext_count())); /* again is no harm */
    CHECK(runs(vm, "import count\n"
                   "c = count.Counter(start=40)\n"
                   "assert c.add() == 41 and c.add(by=1) == 42 and count.__doc__ == 'Counting.'\n"
                   "class Twice(count.Counter):\n"
                   "    def add(self, by=1): return super().add(2 * by)\n"
                   "assert Twice().add(3) == 6\n"
                   "try:\n    count.Counter('x')\n"
                   "except ValueError as e:\n    assert type(e) is count.CountError\n"));
    /* Each VM has its own. */
    CHECK(raises(other, "import count", "ModuleNotFoundError"));
    CHECK(!ms_link_extension(other, ms_ext_count()));
    CHECK(runs(other, "import count\nassert count.Counter().add() == 1"));

    CHECK(fails_with(ms_link_extension(vm, NULL), MS_ERR_ARGUMENT));
    CHECK(fails_with(ms_link_extension(NULL, ms_ext_count()), MS_ERR_ARGUMENT));
    wrong.size = 8;
    CHECK(fails_with(ms_link_extension(vm, &wrong), MS_ERR_ARGUMENT));
    wrong.size = sizeof wrong;
    wrong.abi_major = 9;
    CHECK(fails_with(ms_link_extension(vm, &wrong), MS_ERR_ARGUMENT));
    CHECK(!ms_register_extension_table(vm, &table));
    CHECK(runs(vm, "import own\nown.link_now()"));
    /* A module that is there is not replaced. */
    table.name = "count";
    CHECK(fails_with(ms_register_extension_table(vm, &table), MS_ERR_ARGUMENT));
    table.name = "__main__";
    CHECK(fails_with(ms_register_extension_table(vm, &table), MS_ERR_ARGUMENT));
    CHECK(!ms_vm_free(vm) && !ms_vm_free(other));
    CHECK(fails_with(ms_link_extension(vm, ms_ext_count()), MS_ERR_HANDLE));
    return 0;
}
