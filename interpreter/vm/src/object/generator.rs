//! Generators and coroutines: a frame put aside.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};

use super::func::Function;
use super::read;
use crate::heap::{Header, Kind, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// Where a generator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenState {
    /// Not started.
    Created,
    /// At a `yield`.
    Suspended,
    /// On a task's stack.
    Running,
    /// Returned or raised.
    Done,
}

/// A generator, coroutine or async generator: the class (by shape) says which.
#[repr(C)]
pub struct Generator {
    head: Header,
    /// The function.
    pub func: Cell<Word>,
    /// Where it stands.
    pub state: Cell<GenState>,
    /// Where to go on.
    pub(crate) pc: Cell<*const u32>,
    /// The register that receives the sent value.
    pub(crate) resume_reg: Cell<u8>,
    /// The registers while it is not running.
    pub(crate) regs: RefCell<Vec<Word>>,
    /// The exception being handled in its frame, or Empty.
    pub(crate) handled: Cell<Word>,
    /// `__name__` and `__qualname__` if they were set.
    pub name: Cell<Word>,
    /// See `name`.
    pub qualname: Cell<Word>,
    /// For async generators: something awaits its next item.
    pub(crate) awaited: Cell<bool>,
    /// What it delegates to (`gi_yieldfrom`), or Empty.
    pub(crate) delegate: Cell<Word>,
}

impl Generator {
    pub(crate) fn new(shape: u32, func: &Function, pc: *const u32, regs: Vec<Word>) -> Generator {
        Generator {
            head: Header::new(Kind::Generator, shape),
            func: Cell::new(Value::object(func).word()),
            state: Cell::new(GenState::Created),
            pc: Cell::new(pc),
            resume_reg: Cell::new(0),
            regs: RefCell::new(regs),
            handled: Cell::new(EMPTY),
            name: Cell::new(func.name.get()),
            qualname: Cell::new(func.qualname.get()),
            awaited: Cell::new(false),
            delegate: Cell::new(EMPTY),
        }
    }

    /// The function whose frame it holds.
    pub fn func(&self) -> &Function {
        read(&self.func).get::<Function>().expect("a generator has a function")
    }

    /// Drops the frame.
    pub(crate) fn finish(&self) {
        self.state.set(GenState::Done);
        self.regs.borrow_mut().clear();
        self.handled.set(EMPTY);
        self.delegate.set(EMPTY);
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Generator {
    const KIND: Kind = Kind::Generator;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.func, &self.handled, &self.name, &self.qualname, &self.delegate] {
            m.cell(c);
        }
        m.words(&self.regs.borrow());
    }
}
