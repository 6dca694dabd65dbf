//! What the VM asks of the world around it, answered for one engine.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use miniscript_vm::builtins::Type;
use miniscript_vm::code::proto::CodeProto;
use miniscript_vm::heap::Marker;
use miniscript_vm::host::{Host, Poll, Stream};
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::{Value, Vm};

use crate::cache::CodeCache;
use crate::config::Config;
use crate::deadline;
use crate::files::FileService;
use crate::io::Stdin;
use crate::loader::Loader;
use crate::modules::{Settings, Signals};
use crate::reactor::{Reactor, TaskToken};
use crate::scheduler::{Scheduler, Wait};
use crate::streams::OutputStream;

/// Where modules come from that are neither bundled nor source.
pub trait Importer {
    /// The module, or nothing if there is none of that name. It is put into `sys.modules` here.
    fn import<'v>(&self, vm: &'v Vm, name: &str) -> Option<NResult<'v>>;

    /// The files that an import of `name` looks for, in their order.
    fn places(&self, _name: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The program belongs to the project in this folder.
    fn set_project(&self, _root: PathBuf) {}

    /// Adds an extension that is linked into the program.
    ///
    /// # Errors
    /// Why that is not possible.
    fn link(&self, _descriptor: &'static miniscript_abi::MsExt) -> Result<(), String> {
        Err("this program takes no extensions".to_owned())
    }

    /// Visits what the modules keep alive beyond the VM's own handles.
    fn trace(&self, _m: &mut Marker) {}

    /// The VM is about to be dropped.
    fn close(&self) {}
}

/// The host of an engine's VM. Natives of the engine reach it by [`EngineHost::of`].
pub struct EngineHost {
    /// Standard output.
    pub stdout: OutputStream,
    /// Standard error.
    pub stderr: OutputStream,
    /// The reactor.
    pub reactor: Rc<Reactor>,
    /// The file service, and with it the permission point.
    pub files: FileService,
    /// Set from anywhere, to have KeyboardInterrupt raised.
    pub(crate) interrupt: Arc<AtomicBool>,
    /// Set by the signal: the same, unless the script has a handler for it.
    pub(crate) signalled: Arc<AtomicBool>,
    pub(crate) deadline: Cell<Option<Instant>>,
    /// When running code was first told that its time is over.
    pub(crate) told_at: Cell<Option<Instant>>,
    /// The running code was told that its time is over.
    pub(crate) told_late: Arc<AtomicBool>,
    /// See [`Config::overdue`].
    pub(crate) overdue: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Fuel slices that are left.
    pub(crate) fuel: Cell<Option<u64>>,
    /// Slices that were taken beyond them.
    pub(crate) overdrawn: Cell<u64>,
    pub(crate) memory_limited: bool,
    pub(crate) started: Instant,
    pub(crate) scheduler: Scheduler,
    pub(crate) loader: Loader,
    pub(crate) cache: CodeCache,
    pub(crate) settings: RefCell<Settings>,
    pub(crate) stdin: Stdin,
    pub(crate) collect_wanted: Cell<bool>,
    /// Handlers of signals that scripts have set.
    pub(crate) signals: Signals,
    /// What `Engine::wait` waits for.
    pub(crate) outside: RefCell<Option<Box<dyn Wait>>>,
    pub(crate) importer: RefCell<Option<Rc<dyn Importer>>>,
}

impl EngineHost {
    pub(crate) fn new(config: Config, settings: Settings) -> EngineHost {
        let reactor = Rc::new(Reactor::new());
        EngineHost {
            stdout: config.stdout,
            stderr: config.stderr,
            files: FileService::limited(
                Rc::clone(&reactor),
                config.access,
                config.limits.max_memory,
            ),
            reactor,
            interrupt: Arc::default(),
            signalled: Arc::default(),
            deadline: Cell::new(None),
            told_at: Cell::new(None),
            told_late: Arc::default(),
            overdue: config.overdue,
            fuel: Cell::new(None),
            overdrawn: Cell::new(0),
            memory_limited: config.limits.max_memory.is_some(),
            started: Instant::now(),
            scheduler: Scheduler::default(),
            loader: Loader::new(config.explain_import),
            cache: CodeCache::new(config.code_cache),
            settings: RefCell::new(settings),
            stdin: Stdin::default(),
            collect_wanted: Cell::new(false),
            signals: Signals::default(),
            outside: RefCell::default(),
            importer: RefCell::default(),
        }
    }

    /// The host of `vm`, if an engine made it.
    pub fn of(vm: &Vm) -> Option<&EngineHost> {
        vm.host().as_any().downcast_ref()
    }

    /// Whether an exception comes from a limit of time, fuel or memory that is reached.
    pub fn is_limit<'v>(&self, vm: &'v Vm, exc: Value<'v>) -> bool {
        self.ends_run(vm, exc) || self.memory_limited && vm.is_exception_of(exc, Type::MemoryError)
    }

    /// Whether an exception says that the time or the fuel of the run is over.
    pub(crate) fn ends_run<'v>(&self, vm: &'v Vm, exc: Value<'v>) -> bool {
        (self.is_late() || self.fuel.get() == Some(0))
            && vm.is_exception_of(exc, Type::TimeoutError)
    }

    /// Whether the time of the run is over.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.get().is_some_and(|at| Instant::now() >= at)
    }

    /// Whether KeyboardInterrupt is to be raised: an interrupt has come, or the signal and no
    /// handler of the script's takes it.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupt.swap(false, Ordering::Relaxed)
            || self.signalled.swap(false, Ordering::Relaxed) && !self.signals.takes_interrupt()
    }

    /// Whether an interrupt or the signal has come that nobody has looked at.
    pub(crate) fn is_interrupt_pending(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed) || self.signalled.load(Ordering::Relaxed)
    }

    /// Tells the running code that its time is over; whether what it had to clean up is over, too.
    pub(crate) fn tell_late(&self) -> bool {
        self.told_late.store(true, Ordering::Relaxed);
        let now = Instant::now();
        let told = self.told_at.get().unwrap_or(now);
        self.told_at.set(Some(told));
        now.saturating_duration_since(told) >= deadline::GRACE
    }

    /// The token of the running task: what wakes it once it waits.
    pub fn running_token(&self) -> Option<TaskToken> {
        self.scheduler.running().map(|task| task.token.get())
    }
}

/// The VM's share of the host.
pub(crate) struct HostHandle(pub(crate) Rc<EngineHost>);

impl Host for HostHandle {
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Out => self.0.stdout.write(bytes),
            Stream::Err => self.0.stderr.write(bytes),
        }
    }

    fn flush(&self, stream: Stream) -> io::Result<()> {
        match stream {
            Stream::Out => self.0.stdout.flush(),
            Stream::Err => self.0.stderr.flush(),
        }
    }

    fn read_line<'v>(&self, vm: &'v Vm) -> NResult<'v> {
        crate::io::read_line(vm)
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        crate::loader::import(&self.0, vm, name)
    }

    fn is_importing(&self, name: &str) -> bool {
        self.0.loader.is_importing(name)
    }

    fn import_lock<'v>(&self, _: &'v Vm, name: &str) -> Option<Exit<'v>> {
        self.0.loader.locks.wait_for(&self.0, name)
    }

    fn prelude_code(&self, file: &str, text: &'static str) -> Option<Arc<CodeProto>> {
        crate::cache::prelude(file, text)
    }

    fn poll(&self) -> Poll {
        if self.0.interrupted() {
            return Poll::Interrupt;
        }
        if self.0.signals.is_pending() {
            return Poll::OutOfFuel;
        }
        if let Some(left) = self.0.fuel.get() {
            self.0.fuel.set(Some(left.saturating_sub(1)));
            if left == 0 {
                let overdrawn = self.0.overdrawn.get() + 1;
                self.0.overdrawn.set(overdrawn);
                let over = overdrawn > deadline::GRACE_SLICES;
                return if over { Poll::Over } else { Poll::Deadline };
            }
        }
        match self.0.is_late() {
            true if self.0.tell_late() => Poll::Over,
            true => Poll::Deadline,
            false => Poll::Continue,
        }
    }

    fn trace(&self, m: &mut Marker) {
        self.0.scheduler.trace(m);
        if let Some(importer) = self.0.importer.borrow().as_ref() {
            importer.trace(m);
        }
    }

    fn as_any(&self) -> &dyn Any {
        &*self.0
    }
}
