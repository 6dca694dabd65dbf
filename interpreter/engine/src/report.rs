//! Uncaught errors, as the standard error stream shows them.

use std::borrow::Cow;
use std::rc::Rc;

use miniscript_syntax::{Source, render};
use miniscript_vm::handles::Handle;
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::read;
use miniscript_vm::object::text::Str;
use miniscript_vm::traceback::FORMAT_EXCEPTION;
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::scheduler::{self, Ended};
use crate::source::BadSource;
use crate::{colour, modules};

/// A syntax error of a program, in CPython's form.
pub(crate) fn syntax_error(bad: &BadSource) -> String {
    render(&bad.error, &Source::new(&bad.text), &bad.name)
}

/// A report as the standard error stream shows it: in colours on a terminal.
pub(crate) fn shown<'t>(host: &EngineHost, text: &'t str) -> Cow<'t, str> {
    if host.stderr.has_colour() { Cow::Owned(colour::paint(text)) } else { Cow::Borrowed(text) }
}

/// Shows an exception that nobody caught, or calls the script's `sys.excepthook` with it. Both
/// may be script code, so this runs as a task of its own.
pub(crate) fn uncaught(vm: &mut Vm, host: &Rc<EngineHost>, exc: Handle) {
    let call = {
        let Some(hook) = modules::script_hook(vm) else { return exception(vm, host, exc) };
        let e = vm.handle(exc).unwrap_or(Value::NONE);
        let traceback = e.get::<Exception>().map(|e| read(&e.traceback));
        let traceback = traceback.filter(|t| !t.is_empty()).unwrap_or(Value::NONE);
        let Ok(args) = vm.tuple(&[vm.class_value_of(e), e, traceback]) else { return };
        [vm.retain(hook), vm.retain(args)]
    };
    match scheduler::call(vm, host, call) {
        Ended::Returned(v) => {
            vm.release(v);
        }
        Ended::Raised(e) => {
            let _ = host.stderr.write(b"Error in sys.excepthook:\n");
            exception(vm, host, e);
            vm.release(e);
            let _ = host.stderr.write(b"\nOriginal exception was:\n");
            exception(vm, host, exc);
        }
    }
}

/// Shows an exception. Its `__str__` may be script code, so this runs as a task of its own.
pub(crate) fn exception(vm: &mut Vm, host: &Rc<EngineHost>, exc: Handle) {
    let text = formatted(vm, host, exc).unwrap_or_else(|| match vm.handle(exc) {
        Some(e) => vm.render_exception(e),
        None => String::new(),
    });
    // There is nowhere to tell that standard error cannot be written.
    let _ = host.stderr.write(shown(host, &text).as_bytes());
}

pub(crate) fn formatted(vm: &mut Vm, host: &Rc<EngineHost>, exc: Handle) -> Option<String> {
    let call = {
        let format = vm.foreign_native(&FORMAT_EXCEPTION, Value::EMPTY, Value::EMPTY, 0);
        let args = vm.tuple(&[vm.handle(exc)?]).ok()?;
        [vm.retain(format), vm.retain(args)]
    };
    match scheduler::call(vm, host, call) {
        Ended::Returned(v) => {
            let s = vm.handle(v)?.get::<Str>()?;
            let text = s.to_display().into_owned();
            vm.release(v);
            Some(text)
        }
        Ended::Raised(e) => {
            vm.release(e);
            None
        }
    }
}
