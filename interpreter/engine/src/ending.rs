//! How a program ends: failures told, exit statuses, exit functions, finalisers.

use std::time::Instant;

use miniscript_vm::Value;
use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::text::Str;

use crate::engine::{Engine, Failure};
use crate::report;
use crate::scheduler::{self, Ended};

impl Engine {
    /// Shows a failure on standard error, releases it, and gives the exit status it stands for.
    pub fn report(&mut self, failure: Failure) -> i32 {
        match failure {
            Failure::Unreadable(text) => {
                self.complain(&format!("ms: {text}\n"));
                2
            }
            Failure::Syntax(bad) => {
                self.complain(&report::shown(&self.host, &report::syntax_error(&bad)));
                2
            }
            Failure::Raised(e) => {
                let status = self.report_exception(e);
                self.vm.release(e);
                status
            }
        }
    }

    fn report_exception(&mut self, e: Handle) -> i32 {
        let Some(exc) = self.vm.handle(e) else { return 1 };
        if self.vm.is_exception_of(exc, Type::SystemExit) {
            return self.exit_status(e);
        }
        let is = |t| self.vm.is_exception_of(exc, t);
        if self.host.stdout.is_broken() && is(Type::BrokenPipeError) {
            return 1;
        }
        let status = if is(Type::KeyboardInterrupt) { 130 } else { 1 };
        report::uncaught(&mut self.vm, &self.host, e);
        status
    }

    /// What `SystemExit` says: its code, or something whose text is shown and 1.
    fn exit_status(&mut self, exc: Handle) -> i32 {
        let vm = &*self.vm;
        let Some(exc) = vm.handle(exc) else { return 1 };
        let args = exc.get::<Exception>().map_or(&[][..], |e| e.args());
        let first = args.first().copied().unwrap_or(Value::NONE);
        let code = vm.get_attr_raw(exc, vm.intern("code")).unwrap_or(first);
        if code.is_none() {
            return 0;
        }
        match (code.as_small(), code.as_bool(), vm.is_instance_of(code, Type::Int)) {
            (Some(n), _, _) => return (n & 0xFF) as i32,
            (_, Some(b), _) => return i32::from(b),
            // What no status can be is taken for -1.
            (_, _, true) => return 255,
            _ => {}
        }
        let call = {
            let Ok(args) = vm.tuple(&[code]) else { return 1 };
            [vm.retain(Value::object(vm.class(Type::Str))), vm.retain(args)]
        };
        // Its `__str__` may be script code. What that raises is not told, as CPython does not.
        let text = match scheduler::call(&mut self.vm, &self.host, call) {
            Ended::Returned(v) | Ended::Raised(v) => v,
        };
        if let Some(s) = self.vm.handle(text).and_then(|v| v.get::<Str>()) {
            self.complain(&format!("{}\n", s.to_display()));
        }
        self.vm.release(text);
        1
    }

    pub(crate) fn complain(&self, text: &str) {
        // There is nowhere to tell that standard error cannot be written.
        let _ = self.host.stderr.write(text.as_bytes());
    }

    /// Calls what `atexit` was told, if the program imported it; whether it did.
    fn run_exit_functions(&mut self) -> bool {
        let func = {
            let vm = &*self.vm;
            let module = vm.dict_get_str(vm.modules(), "atexit").and_then(|m| m.get::<Module>());
            let d = module.and_then(|m| m.dict().get::<Dict>());
            d.and_then(|d| vm.dict_get_str(d, "_run_exitfuncs")).map(|f| vm.retain(f))
        };
        let Some(func) = func else { return false };
        match self.run_func(func, true) {
            Ok(v) => {
                self.vm.release(v);
            }
            Err(failure) => {
                self.report(failure);
            }
        }
        true
    }

    /// Runs the exit functions, then the finalisers of what is left, within the limits, and writes
    /// out what is buffered; the exit status.
    pub fn finish(&mut self, status: i32) -> i32 {
        self.exit_clock();
        let ran = self.run_exit_functions() | self.vm.watches();
        scheduler::finalize_rest(&mut self.vm, &self.host);
        let late = ran && self.host.deadline.get().is_some_and(|at| Instant::now() >= at);
        let status = if late && status == 0 { 1 } else { status };
        // What is left is the interpreter's own.
        self.stop_clock();
        self.host.files.flush_all();
        match self.host.stdout.flush() {
            Err(e) if status == 0 => {
                if e.kind() != std::io::ErrorKind::BrokenPipe {
                    let text = os_message(&e);
                    self.complain(&format!("ms: cannot write to standard output: {text}\n"));
                }
                1
            }
            _ => status,
        }
    }
}

/// An error of the system as Python's messages show it.
fn os_message(error: &std::io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(n) => format!("[Errno {n}] {}", text.split(" (os error").next().unwrap_or_default()),
        None => text,
    }
}
