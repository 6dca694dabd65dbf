//! Modules bundled with the interpreter: one row each.

mod gc;
mod record;
mod sys;
mod time;
mod traceback;

use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;

pub(crate) use sys::{Settings, path as sys_path, script_hook, set_start};

/// Adds what a module has besides functions.
type Fill = for<'v> fn(&'v Vm, &EngineHost, &'v Dict) -> Result<(), Exit<'v>>;

/// A bundled module.
struct Bundled {
    name: &'static str,
    doc: &'static str,
    functions: &'static [NativeDef],
    fill: Fill,
}

static BUNDLED: &[Bundled] = &[
    Bundled { name: "sys", doc: sys::DOC, functions: sys::FUNCTIONS, fill: sys::fill },
    Bundled { name: "time", doc: time::DOC, functions: time::FUNCTIONS, fill: |_, _, _| Ok(()) },
    Bundled { name: "gc", doc: gc::DOC, functions: gc::FUNCTIONS, fill: |_, _, _| Ok(()) },
    Bundled {
        name: "traceback",
        doc: traceback::DOC,
        functions: traceback::FUNCTIONS,
        fill: |_, _, _| Ok(()),
    },
];

/// The bundled module of that name, new for this VM.
pub(crate) fn make<'v>(vm: &'v Vm, host: &EngineHost, name: &str) -> Option<NResult<'v>> {
    let row = BUNDLED.iter().find(|row| row.name == name)?;
    Some(build(vm, host, row))
}

/// Names of the modules that are part of the interpreter: `sys.builtin_module_names`.
pub fn bundled_modules() -> impl Iterator<Item = &'static str> {
    ["builtins"].into_iter().chain(BUNDLED.iter().map(|row| row.name))
}

fn build<'v>(vm: &'v Vm, host: &EngineHost, row: &'static Bundled) -> NResult<'v> {
    let module = vm.new_module(row.name);
    let value = Value::object(module);
    if let Some(d) = module.dict().get::<Dict>() {
        vm.dict_set_name(d, vm.intern("__doc__"), vm.str(row.doc)?)?;
        vm.dict_set_name(d, vm.intern("__package__"), vm.str("")?)?;
        for def in row.functions {
            let native = vm.foreign_native(def, Value::EMPTY, Value::EMPTY, 0);
            vm.dict_set_name(d, vm.intern(def.name), native)?;
        }
        (row.fill)(vm, host, d)?;
    }
    Ok(value)
}

/// What every program finds: `builtins` and `sys` in `sys.modules`, the builtin functions of the
/// engine.
pub(crate) fn install<'v>(vm: &'v Vm, host: &EngineHost) -> Result<(), Exit<'v>> {
    let builtins = vm.builtins_module();
    vm.dict_set_name(vm.modules(), vm.intern("builtins"), builtins)?;
    let open = vm.foreign_native(&crate::io::OPEN, Value::EMPTY, Value::EMPTY, 0);
    vm.dict_set_name(vm.builtins(), vm.intern("open"), open)?;
    for row in sys::EXITS {
        let native = vm.foreign_native(row, Value::EMPTY, Value::EMPTY, 0);
        vm.dict_set_name(vm.builtins(), vm.intern(row.name), native)?;
    }
    crate::scheduler::install(vm, host)?;
    if let Some(sys) = make(vm, host, "sys") {
        vm.dict_set_name(vm.modules(), vm.intern("sys"), sys?)?;
    }
    Ok(())
}
