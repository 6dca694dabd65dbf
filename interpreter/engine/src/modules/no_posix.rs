//! In the place of `posix` where there is none: no descriptors and no signals.

use std::fs::File;
use std::io;

use miniscript_vm::Vm;
use miniscript_vm::handles::Handle;

use crate::reactor::Reactor;

/// No handlers.
#[derive(Default)]
pub(crate) struct Signals {
    /// Handlers that run now.
    pub(crate) running: std::cell::Cell<usize>,
}

impl Signals {
    /// Whether a handler is due.
    pub(crate) fn is_pending(&self) -> bool {
        false
    }

    /// The handlers that are due, with their signals.
    pub(crate) fn take_due(&self) -> Vec<(i32, Handle)> {
        Vec::new()
    }

    /// Nobody brings interrupts.
    pub(crate) fn leave_interrupt(&self) {}

    /// A handler has run.
    pub(crate) fn ended(&self, _: &Reactor) {}

    /// Whether a script has a handler for SIGINT.
    pub(crate) fn takes_interrupt(&self) -> bool {
        false
    }
}

/// No descriptor.
pub(crate) fn open_descriptor(_: &Vm, _: i64, _: bool) -> Option<io::Result<File>> {
    None
}
