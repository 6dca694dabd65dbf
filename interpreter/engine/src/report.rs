//! Uncaught errors, as the standard error stream shows them.

use miniscript_syntax::{Source, render};
use std::rc::Rc;

use miniscript_vm::handles::Handle;
use miniscript_vm::object::text::Str;
use miniscript_vm::traceback::FORMAT_EXCEPTION;
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::scheduler::{self, Ended};
use crate::source::BadSource;

/// A syntax error of a program, in CPython's form.
pub(crate) fn syntax_error(bad: &BadSource) -> String {
    render(&bad.error, &Source::new(&bad.text), &bad.name)
}

/// Shows an exception that nobody caught. Its `__str__` may be script code, so this runs as a
/// task of its own.
pub(crate) fn exception(vm: &mut Vm, host: &Rc<EngineHost>, exc: Handle) {
    let text = formatted(vm, host, exc).unwrap_or_else(|| match vm.handle(exc) {
        Some(e) => vm.render_exception(e),
        None => String::new(),
    });
    // There is nowhere to tell that standard error cannot be written.
    let _ = host.stderr.write(text.as_bytes());
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
