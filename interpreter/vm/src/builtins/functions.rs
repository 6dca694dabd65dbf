//! The builtin functions.

use crate::Vm;
use crate::value::Value;

/// Fills the builtins namespace.
pub(crate) fn install(vm: &Vm) {
    let d = vm.builtins();
    let tables = [
        super::numeric::FUNCTIONS,
        super::iterating::FUNCTIONS,
        super::print::FUNCTIONS,
        super::reflect::FUNCTIONS,
        super::execute::FUNCTIONS,
        super::async_gen::FUNCTIONS,
        std::slice::from_ref(&super::class::BUILD_CLASS),
        std::slice::from_ref(&super::import::IMPORT),
    ];
    for def in tables.into_iter().flatten() {
        let _ = vm.dict_set_name(d, vm.intern(def.name), vm.native(def, Value::EMPTY));
    }
    for &t in super::Type::ALL {
        if t.is_public() {
            let _ = vm.dict_set_name(d, vm.intern(t.name()), vm.class_value(t));
        }
    }
    let constants = [
        ("None", Value::NONE),
        ("True", Value::TRUE),
        ("False", Value::FALSE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("nil", Value::NONE),
        ("true", Value::TRUE),
        ("false", Value::FALSE),
        ("__debug__", Value::TRUE),
    ];
    for (name, v) in constants {
        let _ = vm.dict_set_name(d, vm.intern(name), v);
    }
    for (alias, t) in
        [("EnvironmentError", super::Type::OSError), ("IOError", super::Type::OSError)]
    {
        let _ = vm.dict_set_name(d, vm.intern(alias), vm.class_value(t));
    }
}
