//! One interpreter with its host: the Rust embedding API.

use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use miniscript_syntax::Watch;
use miniscript_syntax::ast::Mode;
use miniscript_vm::builtins::Type;
use miniscript_vm::code::proto::CodeProto;
use miniscript_vm::handles::Handle;
use miniscript_vm::interp::state::SLICE;
use miniscript_vm::native::Exit;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::{Value, Vm, VmConfig};

use crate::access::Unrestricted;
use crate::bridge::{Bridge, Extensions};
use crate::config::{Config, Limits, random_seed};
use crate::deadline::{self, Alarm};
use crate::files::FileError;
use crate::host::{EngineHost, HostHandle, Importer};
use crate::loader;
use crate::modules::{self, Settings};
use crate::report;
use crate::scheduler::{self, Ended, Wait};
use crate::source::{self, BadSource};

/// Why a program did not run to its end.
#[derive(Debug)]
pub enum Failure {
    /// It cannot be read, or there is no such module.
    Unreadable(String),
    /// The text is not a program.
    Syntax(Box<BadSource>),
    /// An exception; the handle must be released.
    Raised(Handle),
}

/// What came of text typed at a prompt.
#[derive(Debug)]
pub enum Reply {
    /// It may go on in another line.
    Incomplete,
    /// It ran.
    Done,
    /// It failed.
    Failed(Failure),
}

impl From<Box<BadSource>> for Failure {
    fn from(bad: Box<BadSource>) -> Failure {
        Failure::Syntax(bad)
    }
}

/// One interpreter.
pub struct Engine {
    // The VM goes first: what its objects drop still finds the host's services.
    pub(crate) vm: Box<Vm>,
    pub(crate) host: Rc<EngineHost>,
    limits: Limits,
    /// The thread that watches the time of a run, as long as the run holds its end of it.
    watch: Option<Alarm>,
    pub(crate) args: Vec<OsString>,
    /// The module `__main__`.
    main: Handle,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop_clock();
        self.host.scheduler.abandon();
        if let Some(importer) = self.host.importer.borrow().as_ref() {
            importer.close();
        }
    }
}

impl Engine {
    /// A new interpreter.
    pub fn new(mut config: Config) -> Engine {
        let vm_config = VmConfig {
            hash_seed: config.hash_seed.unwrap_or_else(random_seed),
            gc_stress: config.gc_stress,
            max_memory: config.limits.max_memory,
        };
        let limits = config.limits;
        let args = std::mem::take(&mut config.args);
        let argv = std::iter::once(OsString::new()).chain(args.iter().cloned()).collect();
        let settings = Settings::new(argv, std::mem::take(&mut config.path));
        let folders = std::mem::take(&mut config.ext_path);
        let linked = std::mem::take(&mut config.linked);
        let host = Rc::new(EngineHost::new(config, settings));
        host.loader.set_roots(&**host.files.access(), &host.settings.borrow().path);
        let bridge = Bridge::new(Rc::clone(&host.reactor), host.files.clone());
        *host.importer.borrow_mut() = Some(Rc::new(Extensions::new(bridge, folders, linked)));
        let vm = Vm::new(&vm_config, Box::new(HostHandle(Rc::clone(&host))));
        if let Some(n) = limits.recursion {
            vm.set_recursion_limit(n);
        }
        let main = {
            let main = vm.new_module("__main__");
            let value = Value::object(main);
            // Only a memory limit too small for the interpreter itself makes this fail, and then
            // the first allocation of the program says so.
            let _ = modules::install(&vm);
            let _ = prepare_main(&vm, main);
            vm.retain(value)
        };
        Engine { vm, host, limits, watch: None, args, main }
    }

    /// The VM.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// The VM, to collect or to run tasks by hand.
    pub fn vm_mut(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// The host: streams, reactor, files.
    pub fn host(&self) -> &Rc<EngineHost> {
        &self.host
    }

    /// Ends as the process does: what extensions keep is dropped, and memory is left to the system.
    pub fn leave(self) {
        self.vm.heap.leave_memory();
    }

    /// Where modules come from that are neither bundled nor source.
    pub fn set_importer(&mut self, importer: Rc<dyn Importer>) {
        *self.host.importer.borrow_mut() = Some(importer);
    }

    /// Adds an extension that is linked into the program.
    ///
    /// # Errors
    /// Why its descriptor is not right, or that something is being imported.
    pub fn link(&mut self, descriptor: &'static miniscript_abi::MsExt) -> Result<(), String> {
        let importer = self.host.importer.borrow().clone();
        importer.map_or(Err("there is no importer".to_owned()), |i| i.link(descriptor))
    }

    /// Set it, from any thread or a signal handler, to have KeyboardInterrupt raised, whatever the
    /// script does about signals.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.host.interrupt)
    }

    /// Set it when SIGINT comes: the script's handler runs, or KeyboardInterrupt is raised.
    pub fn signal_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.host.signalled)
    }

    /// KeyboardInterrupt, if an interrupt has come that nothing has noticed yet.
    ///
    /// # Errors
    /// The exception.
    pub fn check_interrupt(&self) -> Result<(), Failure> {
        if !self.host.interrupted() {
            return Ok(());
        }
        let vm = &*self.vm;
        let e = vm.new_exception(Type::KeyboardInterrupt.shape(), vm.empty_tuple());
        Err(Failure::Raised(vm.retain(e)))
    }

    /// Says that nobody sets that flag, since the process ignores interrupts; a script may have
    /// a handler of its own for them.
    pub fn leave_interrupt(&self) {
        self.host.signals.leave_interrupt();
    }

    // ---- values ----

    /// A global of `__main__`; the handle must be released.
    pub fn global(&self, name: &str) -> Option<Handle> {
        let v = self.vm.dict_get_str(self.globals()?, name)?;
        Some(self.vm.retain(v))
    }

    /// Sets a global of `__main__`.
    pub fn set_global(&mut self, name: &str, value: Handle) -> Result<(), Failure> {
        let (Some(d), Some(v)) = (self.globals(), self.vm.handle(value)) else { return Ok(()) };
        self.vm.dict_set_name(d, self.vm.intern(name), v).map_err(|e| raised(&self.vm, e))
    }

    pub(crate) fn globals(&self) -> Option<&Dict> {
        self.vm.handle(self.main)?.get::<Module>()?.dict().get::<Dict>()
    }

    // ---- running ----

    /// Compiles a text, within the limits of the run.
    ///
    /// # Errors
    /// A syntax error, or the exception of a limit or an interrupt.
    pub fn compile(&self, text: &str, name: &str, mode: Mode) -> Result<Arc<CodeProto>, Failure> {
        self.watched(|watch| source::compile(text.to_owned(), name, mode, watch))
    }

    pub(crate) fn watched(
        &self,
        compile: impl FnOnce(&Watch<'_>) -> Result<Arc<CodeProto>, Box<BadSource>>,
    ) -> Result<Arc<CodeProto>, Failure> {
        Ok(self.vm.watched(compile).map_err(|e| raised(&self.vm, e))??)
    }

    /// Runs statements in `__main__`; other tasks go on until they are done.
    pub fn run_source(&mut self, text: &str, name: &str) -> Result<(), Failure> {
        let proto = self.compile(text, name, Mode::Module)?;
        let v = self.run_code(&proto, false)?;
        self.vm.release(v);
        Ok(())
    }

    /// Runs what was typed at a prompt in `__main__`; the value of an expression is printed. A
    /// pasted text may hold several statements: they are run up to the first that fails.
    pub fn run_typed(&mut self, text: &str) -> Reply {
        for flag in [&self.host.interrupt, &self.host.signalled] {
            flag.store(false, std::sync::atomic::Ordering::Relaxed);
        }
        let compile = |text: String| source::compile_text(text, "<stdin>", Mode::Interactive);
        let bad = match compile(text.to_owned()) {
            Ok(proto) => return self.run_typed_code(&proto),
            Err(bad) if bad.error.is_incomplete_input() => return Reply::Incomplete,
            Err(bad) => bad,
        };
        let Some(pieces) = source::statements(text) else {
            return Reply::Failed(Failure::Syntax(bad));
        };
        for piece in pieces {
            let reply = match compile(piece) {
                Ok(proto) => self.run_typed_code(&proto),
                Err(bad) => Reply::Failed(Failure::Syntax(bad)),
            };
            if matches!(reply, Reply::Failed(_)) {
                return reply;
            }
        }
        Reply::Done
    }

    fn run_typed_code(&mut self, proto: &Arc<CodeProto>) -> Reply {
        self.start_clock();
        let outcome = self.run_code(proto, false);
        self.stop_clock();
        self.host.stdin.abandon_reads();
        // What cannot be written now cannot be told either.
        let _ = self.host.stdout.flush();
        match outcome {
            Ok(v) => {
                self.vm.release(v);
                Reply::Done
            }
            Err(failure) => Reply::Failed(failure),
        }
    }

    /// Waits for something outside of the engine; the tasks go on meanwhile.
    pub fn wait(&mut self, wait: impl Wait + 'static) -> Result<(), Failure> {
        let func = {
            let vm = &*self.vm;
            let native = vm.foreign_native(&scheduler::OUTSIDE, Value::EMPTY, Value::EMPTY, 0);
            vm.retain(native)
        };
        *self.host.outside.borrow_mut() = Some(Box::new(wait));
        let v = self.run_func(func, false)?;
        self.vm.release(v);
        Ok(())
    }

    /// Cancels all tasks and lets their `finally` run.
    pub fn end_tasks(&mut self) {
        scheduler::cancel_all(&self.host);
        if let Err(Failure::Raised(e)) = self.run_nothing() {
            self.report(Failure::Raised(e));
        }
    }

    fn run_nothing(&mut self) -> Result<(), Failure> {
        let proto = source::compile_text(String::new(), "<end>", Mode::Module)?;
        let v = self.run_main(&proto, true)?;
        self.vm.release(v);
        Ok(())
    }

    /// Whether an exception is a SystemExit.
    pub fn is_exit(&self, exc: Handle) -> bool {
        self.vm.handle(exc).is_some_and(|e| self.vm.is_exception_of(e, Type::SystemExit))
    }

    /// Has instructions counted, for [`Engine::stats`]; that makes them slower.
    pub fn count_instructions(&mut self) {
        self.vm.counters.count_dispatches();
    }

    /// Counters of the interpreter, a line each.
    pub fn stats(&self) -> String {
        let (heap, c) = (self.vm.heap.stats(), &self.vm.counters);
        let rows = [
            ("instructions", c.dispatched()),
            ("objects allocated", heap.allocated_objects),
            ("collections", heap.collections),
            ("live bytes", heap.live_bytes as u64),
            ("caches filled", c.cache_fills.get()),
            ("cache hits", c.cache_hits()),
            ("cache misses", c.cache_misses.get()),
            ("cache flushes", c.cache_flushes.get()),
            ("quickenings", c.quickenings.get()),
            ("slow paths", c.slow_paths.get()),
            ("code read", self.host.cache.counts[0].get()),
            ("code written", self.host.cache.counts[1].get()),
        ];
        rows.iter().map(|(name, n)| format!("{name:<18} {n}\n")).collect()
    }

    /// The value of an expression in `__main__`; the handle must be released.
    pub fn eval(&mut self, text: &str) -> Result<Handle, Failure> {
        let proto = self.compile(text, "<eval>", Mode::Expression)?;
        self.run_code(&proto, false)
    }

    /// Collects if it is time to. Between runs nobody else does: many short ones, or values made
    /// by the embedder, would never come to a safepoint; and what a run that met the memory limit
    /// left behind may be garbage by now.
    pub fn settle(&mut self) {
        if self.wants_settling() {
            self.vm.collect();
        }
    }

    /// Whether [`Engine::settle`] has something to do.
    pub fn wants_settling(&self) -> bool {
        self.vm.heap.wants_collection() || self.vm.heap.over_limit()
    }

    /// Runs compiled code in `__main__` and gives its value; with `all`, every task ends first.
    pub fn run_code(&mut self, proto: &Arc<CodeProto>, all: bool) -> Result<Handle, Failure> {
        self.check_interrupt()?;
        self.run_main(proto, all)
    }

    fn run_main(&mut self, proto: &Arc<CodeProto>, all: bool) -> Result<Handle, Failure> {
        self.settle();
        let func = {
            let vm = &*self.vm;
            let globals = self.globals().map_or(Value::NONE, Value::object);
            vm.retain(vm.module_function(proto, globals).map_err(|e| raised(vm, e))?)
        };
        self.run_func(func, all)
    }

    /// Calls a function; the handle of the result must be released.
    pub fn call(&mut self, func: Handle, args: &[Handle]) -> Result<Handle, Failure> {
        self.settle();
        let call = {
            let vm = &*self.vm;
            let values: Vec<Value<'_>> = args.iter().filter_map(|h| vm.handle(*h)).collect();
            let bound = vm.handle(func).map_or(Value::NONE, |f| f);
            let pair = vm.tuple(&values).map_err(|e| raised(vm, e))?;
            [vm.retain(bound), vm.retain(pair)]
        };
        match scheduler::call(&mut self.vm, &self.host, call) {
            Ended::Returned(v) => Ok(v),
            Ended::Raised(e) => Err(Failure::Raised(e)),
        }
    }

    pub(crate) fn run_func(&mut self, func: Handle, all: bool) -> Result<Handle, Failure> {
        match scheduler::run(&mut self.vm, &self.host, func, Vec::new(), all) {
            Ended::Returned(v) => Ok(v),
            Ended::Raised(e) => Err(Failure::Raised(e)),
        }
    }

    /// Makes the running code look at the interrupt flag soon, from any thread or signal handler.
    pub fn trip_handle(&self) -> miniscript_vm::interp::state::TripHandle {
        self.vm.trip_handle()
    }

    /// Starts what the limits of time and fuel count.
    pub fn start_clock(&mut self) {
        self.stop_clock();
        self.host.fuel.set(self.limits.fuel.map(|n| n / SLICE as u64));
        self.host.overdrawn.set(0);
        self.vm.count_calls(self.limits.fuel.is_some());
        self.set_clock(self.limits.timeout.and_then(|t| Instant::now().checked_add(t)));
    }

    pub(crate) fn set_clock(&mut self, deadline: Option<Instant>) {
        self.watch = None;
        self.host.deadline.set(deadline);
        self.host.told_at.set(None);
        let overdue = self.host.overdue.clone();
        self.watch = deadline.and_then(|at| {
            deadline::watch(at, self.vm.trip_handle(), Arc::clone(&self.host.told_late), overdue)
        });
    }

    /// The limits of exit functions: what the run left, but for a run that used up its time,
    /// [`GRACE`](deadline::GRACE); what came between runs has limits of its own.
    pub(crate) fn exit_clock(&mut self) {
        match self.host.deadline.get() {
            None => self.start_clock(),
            Some(at) if Instant::now() >= at => {
                self.set_clock(Instant::now().checked_add(deadline::GRACE));
            }
            Some(_) => {}
        }
    }

    /// Ends it: between runs there is no limit.
    pub fn stop_clock(&mut self) {
        self.host.deadline.set(None);
        self.host.fuel.set(None);
        self.vm.count_calls(false);
        self.vm.set_over(false);
        self.watch = None;
    }

    /// Whether an exception comes from a limit of time, fuel or memory that is reached.
    pub fn is_limit(&self, exc: Handle) -> bool {
        self.vm.handle(exc).is_some_and(|e| self.host.is_limit(&self.vm, e))
    }

    /// The first exception of the last run that was shown because it ended a task whose result
    /// nobody asked for; the handle must be released.
    pub fn take_task_failure(&mut self) -> Option<Handle> {
        self.host.scheduler.lost.take()
    }

    /// What an uncaught exception prints; its `__str__` may run.
    pub fn exception_text(&mut self, exc: Handle) -> String {
        match report::formatted(&mut self.vm, &self.host, exc) {
            Some(text) => text,
            None => self.vm.handle(exc).map_or_else(String::new, |e| self.vm.render_exception(e)),
        }
    }

    /// The module `__main__`.
    pub fn main(&self) -> Handle {
        self.main
    }

    /// Runs a file in `__main__` until every task has ended. The file is read with the rights of
    /// the process: the embedder names it, not the script.
    pub fn run_file(&mut self, path: &Path) -> Result<Handle, Failure> {
        let name = path.to_string_lossy();
        let bytes = source::read(&Unrestricted, path).map_err(|e| unreadable(path, &e))?;
        self.set_main("__file__", &name)?;
        let proto = self.watched(|watch| source::compile_bytes(&bytes, &name, watch))?;
        self.run_code(&proto, true)
    }
}

fn prepare_main<'v>(vm: &'v Vm, main: &'v Module) -> Result<(), Exit<'v>> {
    if let Some(d) = main.dict().get::<Dict>() {
        vm.dict_set_name(d, vm.intern("__annotations__"), Value::object(vm.dict()))?;
        loader::set_builtins(vm, d)?;
    }
    vm.dict_set_name(vm.modules(), vm.intern("__main__"), Value::object(main))
}

pub(crate) fn unreadable(path: &Path, error: &FileError) -> Failure {
    let why = match error {
        FileError::Os(e) => match e.errno {
            Some(n) => format!("[Errno {n}] {}", e.strerror),
            None => e.strerror.clone(),
        },
        other => other.to_string(),
    };
    Failure::Unreadable(format!("can't open file '{}': {why}", path.to_string_lossy()))
}

pub(crate) fn raised(vm: &Vm, exit: Exit<'_>) -> Failure {
    let exc = match exit {
        Exit::Raise(e) => e,
        Exit::Do(_) => {
            vm.exception(Type::SystemError, "a native asked for a call where none is possible")
        }
    };
    Failure::Raised(vm.retain(exc))
}
