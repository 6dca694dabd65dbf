//! Uncaught errors, as the standard error stream shows them.

use miniscript_syntax::{Source, SyntaxError, render};
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

/// A syntax error of a program, in CPython's form.
pub(crate) fn syntax_error(error: &SyntaxError, text: &str, filename: &str) -> String {
    render(error, &Source::new(text), filename)
}

/// An exception that nobody caught.
pub(crate) fn exception(vm: &Vm, exc: Value<'_>) -> String {
    let args = exc.get::<Exception>().map_or(&[][..], |e| e.args());
    let message = args.first().and_then(|m| m.get::<Str>()).map(|s| s.to_display());
    match message {
        Some(m) if !m.is_empty() => format!("{}: {m}\n", vm.type_name(exc)),
        _ => format!("{}\n", vm.type_name(exc)),
    }
}
