//! Handlers go on to each other by jumps: however long a script runs, the native stack stays as
//! it is. A handler whose last call is an ordinary one would fill these small stacks soon.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use miniscript_vm::code::proto::SourceInfo;
use miniscript_vm::compile::{CompileMode, compile_module};
use miniscript_vm::host::{Host, Poll, Stream};
use miniscript_vm::interp::run::{Input, Resumed};
use miniscript_vm::native::NResult;
use miniscript_vm::{Value, Vm, VmConfig};

#[derive(Default, Clone)]
struct Output(Rc<RefCell<String>>);

impl Host for Output {
    fn write(&self, _: Stream, bytes: &[u8]) -> std::io::Result<()> {
        self.0.borrow_mut().push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        Err(vm.err(miniscript_vm::builtins::Type::ModuleNotFoundError, name))
    }

    fn poll(&self) -> Poll {
        Poll::Continue
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// Runs `text` to its end and gives what it printed, and how many instructions it took.
fn run(text: &str, count: bool) -> (String, u64) {
    let out = Output::default();
    let config = VmConfig { hash_seed: 0, gc_stress: false, max_memory: None };
    let mut vm = Vm::new(&config, Box::new(out.clone()));
    if count {
        vm.counters.count_dispatches();
    }
    let module = miniscript_syntax::parse(text, miniscript_syntax::ast::Mode::Module)
        .unwrap_or_else(|e| panic!("{}", e.message));
    let source = Arc::new(SourceInfo::new("test.ms", text));
    let proto = compile_module(&module, source, CompileMode::default())
        .unwrap_or_else(|e| panic!("{}", e.message));
    let func = {
        let globals = vm.dict();
        let name = vm.intern("__name__");
        vm.dict_set_name(globals, name, vm.intern("__main__")).expect("a dict");
        let f = vm.module_function(&proto, Value::object(globals)).expect("small code");
        vm.retain(f)
    };
    let task = vm.new_task(func, &[]).expect("a callable");
    let ended = vm.resume(task, Input::Start);
    assert!(matches!(ended, Some(Resumed::Returned(_))), "{text}");
    let printed = out.0.borrow().clone();
    (printed, vm.counters.dispatched())
}

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(test);
    thread.expect("a thread").join().expect("the test");
}

#[test]
fn a_hundred_million_dispatches() {
    on_a_small_stack(|| {
        let loops =
            "def f(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\nprint(f(";
        let (_, few) = run(&format!("{loops}1000))\n"), true);
        assert!(few >= 2000, "{few} instructions for 1000 rounds");
        assert_eq!(run(&format!("{loops}50_000_000))\n"), false).0, "50000000\n");
    });
}

#[test]
fn every_fast_path_and_its_tail() {
    on_a_small_stack(|| {
        let (printed, _) = run(include_str!("every_tail.ms"), false);
        assert_eq!(printed, "115055838879 100000 1152921504606846976\n");
    });
}
