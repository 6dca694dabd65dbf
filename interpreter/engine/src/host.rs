//! What the VM asks of the world around it, answered for one engine.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use miniscript_vm::Vm;
use miniscript_vm::builtins::Type;
use miniscript_vm::host::{Host, Poll, Stream};
use miniscript_vm::native::NResult;

use crate::config::Config;
use crate::files::FileService;
use crate::reactor::Reactor;
use crate::streams::OutputStream;

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
    pub(crate) deadline: Cell<Option<Instant>>,
}

impl EngineHost {
    pub(crate) fn new(config: Config) -> EngineHost {
        let reactor = Rc::new(Reactor::new());
        EngineHost {
            stdout: config.stdout,
            stderr: config.stderr,
            files: FileService::new(Rc::clone(&reactor), config.access),
            reactor,
            interrupt: Arc::default(),
            deadline: Cell::new(None),
        }
    }

    /// The host of `vm`, if an engine made it.
    pub fn of(vm: &Vm) -> Option<&EngineHost> {
        vm.host().as_any().downcast_ref()
    }
}

impl Host for EngineHost {
    fn write(&self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        match stream {
            Stream::Out => self.stdout.write(bytes),
            Stream::Err => self.stderr.write(bytes),
        }
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        Err(vm.err(Type::ModuleNotFoundError, format!("No module named '{name}'")))
    }

    fn poll(&self) -> Poll {
        if self.interrupt.load(Ordering::Relaxed) {
            self.interrupt.store(false, Ordering::Relaxed);
            return Poll::Interrupt;
        }
        match self.deadline.get() {
            Some(at) if Instant::now() >= at => Poll::Deadline,
            _ => Poll::Continue,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
