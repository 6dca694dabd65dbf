//! What the VM asks of the world around it.

use std::sync::Arc;

use crate::Vm;
use crate::code::proto::CodeProto;
use crate::heap::Marker;
use crate::native::{Exit, NResult};

/// The host of a VM: the engine.
pub trait Host: std::any::Any {
    /// Writes to the standard output or error stream of the script; errors are OS errors.
    fn write(&self, stream: Stream, bytes: &[u8]) -> std::io::Result<()>;

    /// Writes out what `write` keeps back.
    fn flush(&self, _stream: Stream) -> std::io::Result<()> {
        Ok(())
    }

    /// The next line of the standard input without its end, by a request if it takes time;
    /// EOFError at the end.
    fn read_line<'v>(&self, vm: &'v Vm) -> NResult<'v> {
        Err(vm.err(crate::builtins::Type::EOFError, "EOF when reading a line"))
    }

    /// `import NAME`: the module (for a dotted name the last one), by a request if it takes time.
    /// `level` and `package` have been resolved: `name` is absolute.
    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v>;

    /// Whether the body of module `name` is running for the first time.
    fn is_importing(&self, _name: &str) -> bool {
        false
    }

    /// What suspends this task until another one that runs the body of module `name` has done so;
    /// nothing if none does, or if that one waits for this.
    fn import_lock<'v>(&self, _vm: &'v Vm, _name: &str) -> Option<Exit<'v>> {
        None
    }

    /// The kept code of a part of the VM that is written in MiniScript, whose text this is.
    fn prelude_code(&self, _file: &str, _text: &'static str) -> Option<Arc<CodeProto>> {
        None
    }

    /// A safepoint with nothing left of its fuel slice: whether to go on.
    fn poll(&self) -> Poll;

    /// Visits the words the host holds.
    fn trace(&self, _m: &mut Marker) {}

    /// For natives of the engine, which know the type.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What the host says at the end of a fuel slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Go on.
    Continue,
    /// Raise KeyboardInterrupt.
    Interrupt,
    /// Stop: the fuel is spent.
    OutOfFuel,
    /// Raise TimeoutError: the wall time is over; raised again at every slice.
    Deadline,
    /// The same, and nothing catches it: what was left for cleaning up is over, too.
    Over,
}

/// A host for tests and pure computation: output goes nowhere, imports fail.
#[derive(Default)]
pub struct NullHost {
    /// What was written.
    pub output: std::cell::RefCell<Vec<u8>>,
}

impl Host for NullHost {
    fn write(&self, _: Stream, bytes: &[u8]) -> std::io::Result<()> {
        self.output.borrow_mut().extend_from_slice(bytes);
        Ok(())
    }

    fn import<'v>(&self, vm: &'v Vm, name: &str) -> NResult<'v> {
        Err(vm.err(crate::builtins::Type::ModuleNotFoundError, format!("No module named '{name}'")))
    }

    fn poll(&self) -> Poll {
        Poll::Continue
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
