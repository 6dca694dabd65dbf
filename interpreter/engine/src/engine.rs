//! One interpreter with its host: the Rust embedding API.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
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
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm, VmConfig};

use crate::access::Unrestricted;
use crate::bridge::{Bridge, Extensions};
use crate::config::{Config, Limits, random_seed};
use crate::deadline::{self, Alarm};
use crate::files::FileError;
use crate::host::{EngineHost, HostHandle, Importer};
use crate::loader::{self, Found};
use crate::modules::{self, Settings};
use crate::project::Start;
use crate::report;
use crate::scheduler::{self, Ended, Wait};
use crate::source::{self, BadSource};

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
    /// Compiled code.
    Code(Arc<CodeProto>),
    /// A module, or the `__main__` of a package, found as an import finds it.
    Module(String),
}

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
    vm: Box<Vm>,
    host: Rc<EngineHost>,
    limits: Limits,
    /// The thread that watches the time of a run, as long as the run holds its end of it.
    watch: Option<Alarm>,
    args: Vec<OsString>,
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

    fn globals(&self) -> Option<&Dict> {
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

    fn watched(
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

    fn run_func(&mut self, func: Handle, all: bool) -> Result<Handle, Failure> {
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

    fn set_clock(&mut self, deadline: Option<Instant>) {
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
    fn exit_clock(&mut self) {
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

    /// Runs a main program to its end, reports what it did not catch on standard error, and
    /// gives the exit status: 0, 1 for an uncaught exception, 2 for a program that cannot start.
    pub fn run_program(&mut self, program: &Program) -> i32 {
        self.start_clock();
        let outcome = self.prepare(program).and_then(|proto| {
            if !matches!(program, Program::Code(_)) {
                self.complain(&source::warnings(&proto));
            }
            self.run_code(&proto, true)
        });
        let status = match outcome {
            Ok(v) => {
                self.vm.release(v);
                i32::from(self.host.scheduler.showed_failure.get())
            }
            Err(failure) => self.report(failure),
        };
        self.finish(status)
    }

    /// Reads and compiles a main program and fills `sys.argv` and `sys.path`.
    fn prepare(&mut self, program: &Program) -> Result<Arc<CodeProto>, Failure> {
        match program {
            Program::Text { name, bytes } => {
                let zero = if name == "<string>" { "-c" } else { "-" };
                self.set_start(zero.into(), Start::here())?;
                self.compile_main(bytes, name)
            }
            Program::File(path) => {
                let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                let name = absolute.to_string_lossy().into_owned();
                // The user names it, not a script.
                let bytes = source::read(&Unrestricted, path).map_err(|e| unreadable(path, &e))?;
                self.set_start(path.clone().into_os_string(), Start::script(&absolute))?;
                self.set_main("__file__", &name)?;
                self.compile_file(path, &bytes, &name)
            }
            Program::Code(proto) => {
                self.set_start("-".into(), Start::here())?;
                Ok(Arc::clone(proto))
            }
            Program::Module(name) => self.prepare_module(name),
        }
    }

    fn compile_main(&self, bytes: &[u8], name: &str) -> Result<Arc<CodeProto>, Failure> {
        self.vm.check_source(bytes).map_err(|e| raised(&self.vm, e))?;
        self.watched(|watch| source::compile_bytes(bytes, name, watch))
    }

    /// The code of the main program, which the user named; what is kept of it is the script's.
    fn compile_file(
        &self,
        path: &Path,
        bytes: &[u8],
        name: &str,
    ) -> Result<Arc<CodeProto>, Failure> {
        self.vm.check_source(bytes).map_err(|e| raised(&self.vm, e))?;
        let access = &**self.host.files.access();
        self.watched(|watch| self.host.cache.compile(access, path, bytes, name, watch))
    }

    fn prepare_module(&mut self, name: &str) -> Result<Arc<CodeProto>, Failure> {
        self.set_start("-m".into(), Start::module())?;
        let mut wanted = name.to_owned();
        loop {
            if let Some((parent, _)) = wanted.rsplit_once('.') {
                let parent = parent.to_owned();
                self.import(&parent)?;
            }
            if let Some(def) = modules::find(&wanted) {
                if modules::is_package(&wanted) {
                    wanted.push_str(".__main__");
                    continue;
                }
                // As if it lay in a file.
                let zero = format!("{}.py", wanted.replace('.', "/"));
                self.set_start(zero.into(), Start::default())?;
                let vm = &*self.vm;
                let Some(d) = self.globals() else { return Err(Failure::Unreadable(wanted)) };
                return loader::bundled_main(vm, def, d).map_err(|e| raised(vm, e));
            }
            let found = {
                let vm = &*self.vm;
                loader::locate(vm, &self.host, &wanted).map_err(|e| raised(vm, e))?
            };
            match found {
                Found::File(_, Some(_)) | Found::Folders(_) if !wanted.ends_with(".__main__") => {
                    wanted.push_str(".__main__");
                }
                Found::File(path, None) => {
                    let file = path.to_string_lossy().into_owned();
                    self.set_start(path.clone().into_os_string(), Start::default())?;
                    self.set_main("__file__", &file)?;
                    let package = wanted.rsplit_once('.').map_or("", |(p, _)| p);
                    self.set_main("__package__", package)?;
                    let vm = &*self.vm;
                    if let Some(d) = self.globals() {
                        vm.str(&file)
                            .and_then(|f| loader::set_spec(vm, d, &wanted, package, f))
                            .map_err(|e| raised(vm, e))?;
                    }
                    let bytes =
                        source::read(&Unrestricted, &path).map_err(|e| unreadable(&path, &e))?;
                    return self.compile_file(&path, &bytes, &file);
                }
                _ if wanted != name => {
                    return Err(Failure::Unreadable(format!(
                        "No module named {wanted}; '{name}' is a package and cannot be directly \
                         executed"
                    )));
                }
                _ => return Err(Failure::Unreadable(format!("No module named {name}"))),
            }
        }
    }

    fn import(&mut self, name: &str) -> Result<(), Failure> {
        let call = {
            let vm = &*self.vm;
            let import = vm.dict_get_str(vm.builtins(), "__import__").unwrap_or(Value::NONE);
            let args = vm.str(name).and_then(|n| vm.tuple(&[n])).map_err(|e| raised(vm, e))?;
            [vm.retain(import), vm.retain(args)]
        };
        match scheduler::call(&mut self.vm, &self.host, call) {
            Ended::Returned(v) => {
                self.vm.release(v);
                Ok(())
            }
            Ended::Raised(e) => Err(Failure::Raised(e)),
        }
    }

    /// `sys.argv`, `sys.path` and the project of what is typed at a prompt.
    ///
    /// # Errors
    /// When there is no memory for them.
    pub fn start_prompt(&mut self) -> Result<(), Failure> {
        self.set_start(OsString::new(), Start::here())
    }

    /// `sys.argv[0]`, what comes first in `sys.path`, and the project.
    fn set_start(&mut self, zero: OsString, start: Start) -> Result<(), Failure> {
        if let (Some(project), Some(importer)) =
            (start.project, self.host.importer.borrow().as_ref())
        {
            importer.set_project(project);
        }
        let vm = &*self.vm;
        let mut settings = self.host.settings.borrow_mut();
        settings.argv = std::iter::once(zero).chain(self.args.iter().cloned()).collect();
        settings.path.splice(0..0, start.path);
        let (argv, path) = (settings.argv.clone(), settings.path.clone());
        drop(settings);
        self.host.loader.set_roots(&**self.host.files.access(), &path);
        modules::set_start(vm, &argv, &path).map_err(|e| raised(vm, e))
    }

    fn set_main(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let vm = &*self.vm;
        let Some(d) = self.globals() else { return Ok(()) };
        let set = vm.str(text).and_then(|v| vm.dict_set_name(d, vm.intern(name), v));
        set.map_err(|e| raised(vm, e))
    }

    // ---- reports ----

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

    fn complain(&self, text: &str) {
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

fn prepare_main<'v>(vm: &'v Vm, main: &'v Module) -> Result<(), Exit<'v>> {
    if let Some(d) = main.dict().get::<Dict>() {
        vm.dict_set_name(d, vm.intern("__annotations__"), Value::object(vm.dict()))?;
        loader::set_builtins(vm, d)?;
    }
    vm.dict_set_name(vm.modules(), vm.intern("__main__"), Value::object(main))
}

fn unreadable(path: &Path, error: &FileError) -> Failure {
    let why = match error {
        FileError::Os(e) => match e.errno {
            Some(n) => format!("[Errno {n}] {}", e.strerror),
            None => e.strerror.clone(),
        },
        other => other.to_string(),
    };
    Failure::Unreadable(format!("can't open file '{}': {why}", path.to_string_lossy()))
}

fn raised(vm: &Vm, exit: Exit<'_>) -> Failure {
    let exc = match exit {
        Exit::Raise(e) => e,
        Exit::Do(_) => {
            vm.exception(Type::SystemError, "a native asked for a call where none is possible")
        }
    };
    Failure::Raised(vm.retain(exc))
}
