//! `contextvars`: the values of context variables of the running task. The module's source has
//! the classes; here is the one dict that each task keeps, which is replaced and never changed.

use miniscript_vm::Value;
use miniscript_vm::native::NativeDef;

use crate::host::EngineHost;

pub(super) const SOURCE: &str = include_str!("../../../stdlib/lib/contextvars.ms");

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "_values",
        "",
        |vm, _| {
            let task = EngineHost::of(vm).and_then(|host| host.scheduler.running());
            let values = task.and_then(|task| task.context.get());
            Ok(values.and_then(|h| vm.handle(h)).unwrap_or_else(|| Value::object(vm.dict())))
        },
        "The dict of the running task.",
    ),
    NativeDef::new(
        "_set_values",
        "values, /",
        |vm, args| {
            if let Some(task) = EngineHost::of(vm).and_then(|host| host.scheduler.running()) {
                task.set_context(vm, args[0]);
            }
            Ok(Value::NONE)
        },
        "Replace it.",
    ),
];
