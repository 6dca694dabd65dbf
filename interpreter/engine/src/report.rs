//! Uncaught errors, as the standard error stream shows them.

use miniscript_syntax::{Source, render};
use miniscript_vm::Vm;
use miniscript_vm::handles::Handle;
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::text::Str;

use crate::host::EngineHost;
use crate::source::BadSource;

/// A syntax error of a program, in CPython's form.
pub(crate) fn syntax_error(bad: &BadSource) -> String {
    render(&bad.error, &Source::new(&bad.text), &bad.name)
}

/// Shows an exception that nobody caught.
pub(crate) fn exception(vm: &mut Vm, host: &EngineHost, exc: Handle) {
    // There is nowhere to tell that standard error cannot be written.
    let _ = host.stderr.write(text(vm, exc).as_bytes());
}

fn text(vm: &Vm, exc: Handle) -> String {
    let Some(exc) = vm.handle(exc) else { return String::new() };
    let args = exc.get::<Exception>().map_or(&[][..], |e| e.args());
    let message = args.first().and_then(|m| m.get::<Str>()).map(|s| s.to_display());
    match message {
        Some(m) if !m.is_empty() => format!("{}: {m}\n", vm.type_name(exc)),
        _ => format!("{}\n", vm.type_name(exc)),
    }
}
