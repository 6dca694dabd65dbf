//! Runs a script on the VM alone, without the engine: no imports, no files, no tasks.
//!
//!     cargo run -p miniscript-vm --example bare -- script.ms

use std::io::Write;
use std::sync::Arc;

use miniscript_vm::code::proto::SourceInfo;
use miniscript_vm::compile::{CompileMode, compile_module};
use miniscript_vm::host::{Host, Poll, Stream};
use miniscript_vm::interp::run::{Input, Resumed};
use miniscript_vm::native::NResult;
use miniscript_vm::{Value, Vm, VmConfig};

struct BareHost;

impl Host for BareHost {
    fn write(&self, stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
        match stream {
            Stream::Out => std::io::stdout().write_all(bytes),
            Stream::Err => std::io::stderr().write_all(bytes),
        }
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        Err(vm.err(
            miniscript_vm::builtins::Type::ModuleNotFoundError,
            format!("No module named '{name}'"),
        ))
    }

    fn poll(&self) -> Poll {
        Poll::Continue
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn main() -> std::process::ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: bare SCRIPT");
        return 2.into();
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(t) => t,
        Err(e) => {
            eprintln!("{path}: {e}");
            return 2.into();
        }
    };
    let module = match miniscript_syntax::parse(&text, miniscript_syntax::ast::Mode::Module) {
        Ok(m) => m,
        Err(e) => {
            eprintln!("{}", e.message);
            return 2.into();
        }
    };
    let source = Arc::new(SourceInfo::new(path, text));
    let proto = match compile_module(&module, source, CompileMode::default()) {
        Ok(p) => p,
        Err(e) => {
            eprintln!("{}", e.message);
            return 2.into();
        }
    };
    if std::env::var_os("DIS").is_some() {
        print!("{}", miniscript_vm::compile::disassemble(&proto));
    }
    let config = VmConfig {
        hash_seed: 0,
        gc_stress: std::env::var_os("MS_GC_STRESS").is_some(),
        max_memory: None,
    };
    let mut vm = Vm::new(&config, Box::new(BareHost));
    let func = {
        let globals = vm.dict();
        let _ = vm.dict_set_name(globals, vm.intern("__name__"), vm.intern("__main__"));
        match vm.module_function(&proto, Value::object(globals)) {
            Ok(f) => vm.retain(f),
            Err(_) => return 1.into(),
        }
    };
    let Some(task) = vm.new_task(func, &[]) else { return 1.into() };
    match vm.resume(task, Input::Start) {
        Some(Resumed::Returned(_)) => 0.into(),
        Some(Resumed::Raised(e)) => {
            if let Some(v) = vm.handle(e) {
                eprint!("{}", vm.render_exception(v));
            }
            1.into()
        }
        _ => {
            eprintln!("suspended");
            1.into()
        }
    }
}
