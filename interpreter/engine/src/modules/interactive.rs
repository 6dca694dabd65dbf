//! The builtins that are of use at a prompt: `exit`, `quit`, `help`, `breakpoint`.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;

/// The rows.
pub(super) static BUILTINS: &[NativeDef] = &[
    NativeDef::new("exit", "code=None", exit, "Exit by raising SystemExit(code)."),
    NativeDef::new("quit", "code=None", exit, "Exit by raising SystemExit(code)."),
    NativeDef::new("help", "*args", help, "Show what an object's documentation says."),
    NativeDef::new(
        "breakpoint",
        "*args, **kws",
        breakpoint,
        "Call sys.breakpointhook, if there is one.",
    ),
];

/// Raises SystemExit; also `sys.exit`.
pub(super) fn exit<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let code = if args[0].is_empty() { Value::NONE } else { args[0] };
    let args = if args[0].is_empty() { vm.empty_tuple() } else { vm.tuple(&[code])? };
    let e = vm.new_exception(Type::SystemExit.shape(), args);
    vm.set_attr_raw(e, vm.intern("code"), code)?;
    Err(Exit::Raise(e))
}

fn help<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let text = match args {
        [] => "help(object) shows what the object's documentation says; dir(object) lists what it \
               has."
            .to_owned(),
        [v, ..] => documentation(vm, *v),
    };
    match vm.dict_get_str(vm.builtins(), "print") {
        Some(print) => Err(Exit::tail(print, vec![vm.str(&text)?])),
        None => Ok(Value::NONE),
    }
}

fn documentation<'v>(vm: &'v Vm, v: Value<'v>) -> String {
    let text = |name: &str| {
        let found = vm.getattr_opt(v, vm.intern(name)).ok()?;
        found.get::<Str>().map(|s| s.to_display().into_owned())
    };
    let kind = match vm.type_name(v).as_str() {
        "type" => "class".to_owned(),
        "builtin_function_or_method" => "built-in function".to_owned(),
        kind => kind.to_owned(),
    };
    let title = match text("__name__") {
        Some(name) => match text("__module__") {
            Some(module) => format!("{kind} {name} in module {module}"),
            None => format!("{kind} {name}"),
        },
        None => format!("{kind} object"),
    };
    let doc = text("__doc__").unwrap_or_else(|| "There is no documentation.".to_owned());
    let mut out = format!("Help on {title}:\n");
    for line in doc.trim_end().lines() {
        out.push_str(format!("\n    {}", line.trim()).trim_end_matches(' '));
    }
    out
}

fn breakpoint<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let sys = vm.dict_get_str(vm.modules(), "sys").and_then(|sys| sys.get::<Module>());
    let hook = sys
        .and_then(|sys| sys.dict().get::<Dict>())
        .and_then(|d| vm.dict_get_str(d, "breakpointhook"));
    if let Some(hook) = hook {
        return Err(Exit::tail(hook, args[1..].to_vec()));
    }
    if let Some(host) = EngineHost::of(vm) {
        // There is nowhere to tell that standard error cannot be written.
        let _ = host.stderr.write(b"breakpoint: there is no debugger; the program goes on\n");
    }
    Ok(Value::NONE)
}
