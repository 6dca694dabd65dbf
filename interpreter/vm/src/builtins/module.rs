//! Modules and `types.SimpleNamespace`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{NResult, NativeDef, Role};
use crate::object::map::Dict;
use crate::object::record::Module;
use crate::object::text::Str;
use crate::value::Value;

/// Rows of modules.
pub(crate) static MODULE: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new("__init__", "self, name, doc=None", init, "Initialize self."),
    NativeDef::new("__dir__", "self, /", dir, "__dir__() -> list"),
]];

/// Rows of simple namespaces.
pub(crate) static NAMESPACE: &[&[NativeDef]] = &[&[
    NativeDef::new("__init__", "self, /, *args, **kwargs", init_namespace, "Initialize self."),
    NativeDef::new("__eq__", "self, value, /", namespace_eq, "Return self==value."),
]];

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::Module)?;
    let dict = Value::object(vm.dict());
    Ok(Value::object(vm.heap.alloc(Module::new(shape, dict), 0, false)))
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(name) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "module.__init__() argument 1 must be str, not {}",
            vm.type_name(args[1])
        )));
    };
    let doc = if args[2].is_empty() { Value::NONE } else { args[2] };
    if let Some(d) = args[0].get::<Module>().and_then(|m| m.dict().get::<Dict>()) {
        let n = &vm.names;
        for (key, v) in [
            (n.__name__, Value::object(name)),
            (n.__doc__, doc),
            (n.__package__, Value::NONE),
            (n.__loader__, Value::NONE),
            (n.__spec__, Value::NONE),
        ] {
            vm.dict_set_name(d, vm.word_value(key), v)?;
        }
    }
    Ok(Value::NONE)
}

fn dir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.name_list(vm.own_attrs(args[0]).into_iter().map(|(k, _)| k).collect())
}

fn init_namespace<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args.len() > 2 {
        return Err(vm.type_error("no positional arguments expected"));
    }
    if let Some(d) = args[1].get::<Dict>() {
        for (k, v) in d.entries() {
            vm.set_attr_raw(args[0], k, v)?;
        }
    }
    Ok(Value::NONE)
}

fn namespace_eq<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if !vm.is_instance_of(args[1], Type::SimpleNamespace) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (a, b) = (vm.object_dict(args[0])?, vm.object_dict(args[1])?);
    match (a, b) {
        (Some(a), Some(b)) => vm.compare(crate::ops::compare::Cmp::Eq, a, b),
        _ => Ok(Value::bool(args[0].is(args[1]))),
    }
}
