//! `contextvars`: the values of context variables of the running task. The module's source has
//! the classes; here is the one dict that each task keeps, which is replaced and never changed.

use miniscript_vm::Value;
use miniscript_vm::native::NativeDef;

use crate::host::EngineHost;

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "_values",
        "",
        |vm, _| {
            let task = EngineHost::of(vm).and_then(|host| host.scheduler.running());
            let values = task.as_ref().and_then(|task| vm.handle(task.context.get()?));
            Ok(values.unwrap_or_else(|| {
                let new = Value::object(vm.dict());
                if let Some(task) = task {
                    task.set_context(vm, new);
                }
                new
            }))
        },
        "The dict of the running task: the same one as long as nothing is set.",
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
