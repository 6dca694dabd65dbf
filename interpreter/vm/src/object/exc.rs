//! Exceptions and tracebacks.

#![allow(unsafe_code)]

use std::cell::Cell;

use super::read;
use crate::heap::{HAS_ATTRS, Header, Kind, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// An exception. What a particular class adds (`StopIteration.value`, `OSError.errno`) are
/// ordinary attributes.
#[repr(C)]
pub struct Exception {
    head: Header,
    /// `args`, a tuple.
    pub args: Cell<Word>,
    /// `__cause__`, or Empty.
    pub cause: Cell<Word>,
    /// `__context__`, or Empty.
    pub context: Cell<Word>,
    /// `__traceback__`, a [`Traceback`] or Empty.
    pub traceback: Cell<Word>,
}

const SUPPRESS: u8 = 1;

impl Exception {
    /// The struct; it always has attribute storage behind it.
    pub(crate) fn new(shape: u32, args: Value<'_>) -> Exception {
        let head = Header::new(Kind::Exception, shape);
        head.flags.set(HAS_ATTRS);
        Exception {
            head,
            args: Cell::new(args.word()),
            cause: Cell::new(EMPTY),
            context: Cell::new(EMPTY),
            traceback: Cell::new(EMPTY),
        }
    }

    /// The arguments.
    pub fn args(&self) -> &[Value<'_>] {
        read(&self.args).get::<super::seq::Tuple>().map_or(&[], |t| t.items())
    }

    /// `__suppress_context__`.
    pub fn suppress_context(&self) -> bool {
        self.head.flags.get() & SUPPRESS != 0
    }

    /// Sets `__suppress_context__`.
    pub fn set_suppress_context(&self, on: bool) {
        let f = self.head.flags.get() & !SUPPRESS;
        self.head.flags.set(f | if on { SUPPRESS } else { 0 });
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Exception {
    const KIND: Kind = Kind::Exception;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.args, &self.cause, &self.context, &self.traceback] {
            m.cell(c);
        }
    }
}

/// One step of a traceback: a frame that an exception passed. `next` leads towards the raise.
#[repr(C)]
pub struct Traceback {
    head: Header,
    /// The [`Code`](super::func::Code) of the frame.
    pub code: Cell<Word>,
    /// The frame's function (for its globals).
    pub func: Cell<Word>,
    /// The step nearer to the raise, or Empty.
    pub next: Cell<Word>,
    /// Word index of the instruction.
    pub pc: Cell<u32>,
}

impl Traceback {
    pub(crate) fn new(
        shape: u32,
        code: Value<'_>,
        func: Value<'_>,
        next: Value<'_>,
        pc: u32,
    ) -> Traceback {
        Traceback {
            head: Header::new(Kind::Traceback, shape),
            code: Cell::new(code.word()),
            func: Cell::new(func.word()),
            next: Cell::new(next.word()),
            pc: Cell::new(pc),
        }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Traceback {
    const KIND: Kind = Kind::Traceback;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.code, &self.func, &self.next] {
            m.cell(c);
        }
    }
}
