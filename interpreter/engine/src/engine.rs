//! One interpreter with its host: the Rust embedding API.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{SyntaxError, decode_source, parse};
use miniscript_vm::builtins::Type;
use miniscript_vm::code::proto::{CodeProto, SourceInfo};
use miniscript_vm::compile::{CompileMode, compile_module};
use miniscript_vm::handles::Handle;
use miniscript_vm::interp::run::{Input, Resumed};
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm, VmConfig};

use crate::config::{Config, random_seed};
use crate::host::EngineHost;
use crate::report;

/// No script is larger than this.
const MAX_SOURCE: u64 = 1 << 30;

/// A main program.
#[derive(Clone, Debug)]
pub enum Program {
    /// A file.
    File(PathBuf),
    /// Text under the name that tracebacks show.
    Text {
        /// The name.
        name: String,
        /// The bytes, not decoded yet.
        bytes: Vec<u8>,
    },
}

/// Why a program did not run to its end.
#[derive(Debug)]
pub enum Failure {
    /// The file cannot be read.
    Unreadable(String),
    /// The text is not a program.
    Syntax {
        /// What is wrong.
        error: Box<SyntaxError>,
        /// The text.
        text: String,
        /// Its name.
        name: String,
    },
    /// An exception; the handle must be released.
    Raised(Handle),
}

/// One interpreter.
pub struct Engine {
    vm: Box<Vm>,
    timeout: Option<std::time::Duration>,
}

impl Engine {
    /// A new interpreter.
    pub fn new(config: Config) -> Engine {
        let vm_config = VmConfig {
            hash_seed: config.hash_seed.unwrap_or_else(random_seed),
            gc_stress: config.gc_stress,
            max_memory: config.limits.max_memory,
        };
        let timeout = config.limits.timeout;
        let vm = Vm::new(&vm_config, Box::new(EngineHost::new(config)));
        Engine { vm, timeout }
    }

    /// The VM.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// The VM, to run code or collect.
    pub fn vm_mut(&mut self) -> &mut Vm {
        &mut self.vm
    }

    fn host(&self) -> &EngineHost {
        EngineHost::of(&self.vm).expect("the engine made this VM with its host")
    }

    /// Set it to have KeyboardInterrupt raised.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.host().interrupt)
    }

    /// Runs a main program to its end, reports what it did not catch on standard error, and
    /// gives the exit status: 0, 1 for an uncaught exception, 2 for a program that cannot start.
    pub fn run_program(&mut self, program: &Program) -> i32 {
        self.host().deadline.set(self.timeout.and_then(|t| Instant::now().checked_add(t)));
        let outcome = self.run_main(program);
        let status = match outcome {
            Ok(()) => 0,
            Err(failure) => self.report_failure(failure),
        };
        self.finish(status)
    }

    fn run_main(&mut self, program: &Program) -> Result<(), Failure> {
        let (name, bytes) = match program {
            Program::File(path) => (path.to_string_lossy().into_owned(), self.read_main(path)?),
            Program::Text { name, bytes } => (name.clone(), bytes.clone()),
        };
        let proto = compile_bytes(&bytes, &name)?;
        let func = {
            let vm = &*self.vm;
            let main = vm.new_module("__main__");
            let made = || {
                let globals = main.dict();
                if let Some(d) = globals.get::<Dict>() {
                    if let Program::File(_) = program {
                        vm.dict_set_name(d, vm.intern("__file__"), vm.str(&name)?)?;
                    }
                    vm.dict_set_name(d, vm.intern("__annotations__"), Value::object(vm.dict()))?;
                    let builtins = vm.new_module("builtins");
                    vm.dict_set_name(d, vm.intern("__builtins__"), Value::object(builtins))?;
                }
                vm.dict_set_name(vm.modules(), vm.intern("__main__"), Value::object(main))?;
                vm.module_function(&proto, globals)
            };
            match made() {
                Ok(f) => vm.retain(f),
                Err(e) => return Err(raised(vm, e)),
            }
        };
        self.run(func)
    }

    fn run(&mut self, func: Handle) -> Result<(), Failure> {
        let task = self.vm.new_task(func, &[]);
        self.vm.release(func);
        let Some(task) = task else { return Ok(()) };
        loop {
            match self.vm.resume(task, Input::Start) {
                Some(Resumed::Returned(v)) => {
                    self.vm.release(v);
                    return Ok(());
                }
                Some(Resumed::Raised(e)) => return Err(Failure::Raised(e)),
                Some(Resumed::OutOfFuel) => {}
                Some(Resumed::Suspended(_)) | None => return Ok(()),
            }
        }
    }

    fn read_main(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let access = Arc::clone(self.host().files.access());
        crate::files::ops::read_whole(&*access, path, Some(MAX_SOURCE)).map_err(|error| {
            let shown = path.to_string_lossy();
            let why = match &error {
                crate::files::FileError::Os(e) => match e.errno {
                    Some(n) => format!("[Errno {n}] {}", e.strerror),
                    None => e.strerror.clone(),
                },
                other => other.to_string(),
            };
            Failure::Unreadable(format!("can't open file '{shown}': {why}"))
        })
    }

    /// Shows a failure on standard error and gives the exit status it stands for.
    fn report_failure(&mut self, failure: Failure) -> i32 {
        match failure {
            Failure::Unreadable(text) => {
                self.complain(&format!("ms: {text}\n"));
                2
            }
            Failure::Syntax { error, text, name } => {
                self.complain(&report::syntax_error(&error, &text, &name));
                2
            }
            Failure::Raised(e) => {
                let status = self.report_exception(e);
                self.vm.release(e);
                status
            }
        }
    }

    fn report_exception(&self, e: Handle) -> i32 {
        let Some(exc) = self.vm.handle(e) else { return 1 };
        if self.vm.is_exception_of(exc, Type::SystemExit) {
            return self.exit_status(exc);
        }
        if self.host().stdout.is_broken() && self.vm.is_exception_of(exc, Type::BrokenPipeError) {
            return 1;
        }
        self.complain(&report::exception(&self.vm, exc));
        if self.vm.is_exception_of(exc, Type::KeyboardInterrupt) { 130 } else { 1 }
    }

    /// What `SystemExit` says: its code, or a text to be shown and 1.
    fn exit_status(&self, exc: Value<'_>) -> i32 {
        let args = exc.get::<Exception>().map_or(&[][..], |e| e.args());
        let Some(&code) = args.first() else { return 0 };
        if code.is_none() {
            0
        } else if let Some(n) = code.as_small() {
            (n & 0xFF) as i32
        } else if let Some(b) = code.as_bool() {
            i32::from(b)
        } else {
            if let Some(s) = code.get::<Str>() {
                self.complain(&format!("{}\n", s.to_display()));
            }
            1
        }
    }

    fn complain(&self, text: &str) {
        // There is nowhere to tell that standard error cannot be written.
        let _ = self.host().stderr.write(text.as_bytes());
    }

    /// Writes out what is buffered.
    fn finish(&self, status: i32) -> i32 {
        let host = self.host();
        host.files.flush_all();
        match host.stdout.flush() {
            Err(e) if status == 0 => {
                if e.kind() != std::io::ErrorKind::BrokenPipe {
                    self.complain(&format!("ms: cannot write to standard output: {e}\n"));
                }
                1
            }
            _ => status,
        }
    }
}

fn raised(vm: &Vm, exit: miniscript_vm::native::Exit<'_>) -> Failure {
    let exc = match exit {
        miniscript_vm::native::Exit::Raise(e) => e,
        miniscript_vm::native::Exit::Do(_) => {
            vm.exception(Type::SystemError, "a native asked for a call where none is possible")
        }
    };
    Failure::Raised(vm.retain(exc))
}

/// Decodes, parses and compiles a main program.
fn compile_bytes(bytes: &[u8], name: &str) -> Result<Arc<CodeProto>, Failure> {
    let failure = |error: SyntaxError, text: String| Failure::Syntax {
        error: Box::new(error),
        text,
        name: name.to_owned(),
    };
    let text = decode_source(bytes).map_err(|e| failure(e, String::new()))?;
    let module = match parse(&text, Mode::Module) {
        Ok(m) => m,
        Err(e) => return Err(failure(e, text)),
    };
    let source = Arc::new(SourceInfo::new(name, text));
    compile_module(&module, Arc::clone(&source), CompileMode::default())
        .map_err(|e| failure(e, source.text.clone()))
}
