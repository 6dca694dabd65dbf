//! For `abc`: which classes `match` takes for sequences and mappings.

use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::object::class::{Class, class_flags};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

pub(crate) const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("_set_collection", "cls, what, /", set, ""),
    NativeDef::new("_inherit_collection", "cls, base, /", inherit, ""),
];

fn set<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let sequence = a[1].get::<Str>().is_some_and(|s| s.bytes() == b"sequence");
    if let Some(class) = a[0].get::<Class>() {
        class.set_flag(if sequence { class_flags::SEQUENCE } else { class_flags::MAPPING });
    }
    Ok(Value::NONE)
}

/// A class registered with `base`, and those derived from it, match as those derived from `base`.
fn inherit<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (Some(class), Some(base)) = (a[0].get::<Class>(), a[1].get::<Class>()) else {
        return Ok(Value::NONE);
    };
    if let Some(flag) = vm.class_pattern(base) {
        pass_on(vm, class, flag);
    }
    Ok(Value::NONE)
}

fn pass_on<'v>(vm: &'v Vm, class: &'v Class, flags: u32) {
    if !class.has(class_flags::HEAP) || class.has(flags) {
        return;
    }
    class.set_flag(flags);
    for derived in vm.subclasses(class) {
        pass_on(vm, derived, flags);
    }
}
