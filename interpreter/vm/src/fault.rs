//! Errors of the parts that know no exception objects: the class to raise and CPython's message.

use std::borrow::Cow;

/// The exception class a fault becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrKind {
    /// `ValueError`
    Value,
    /// `TypeError`
    Type,
    /// `OverflowError`
    Overflow,
    /// `ZeroDivisionError`
    ZeroDivision,
    /// `IndexError`
    Index,
    /// `KeyError`
    Key,
    /// `MemoryError`
    Memory,
    /// The poll of a long operation asked to stop; the caller knows why.
    Interrupted,
}

/// A failed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exception class.
    pub kind: ErrKind,
    /// Its message.
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault of a kind.
    pub fn new(kind: ErrKind, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault { kind, message: message.into() }
    }

    /// A `ValueError`.
    pub fn value(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(ErrKind::Value, message)
    }

    /// A `TypeError`.
    pub fn type_error(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(ErrKind::Type, message)
    }

    /// An `OverflowError`.
    pub fn overflow(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(ErrKind::Overflow, message)
    }

    /// A `ZeroDivisionError`.
    pub fn zero_division(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(ErrKind::ZeroDivision, message)
    }

    /// A `MemoryError`, which has no message.
    pub fn memory() -> Fault {
        Fault::new(ErrKind::Memory, "")
    }
}

impl From<crate::table::AllocError> for Fault {
    fn from(_: crate::table::AllocError) -> Self {
        Fault::memory()
    }
}

impl From<std::collections::TryReserveError> for Fault {
    fn from(_: std::collections::TryReserveError) -> Self {
        Fault::memory()
    }
}

/// A poll asked a long operation to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl From<Interrupted> for Fault {
    fn from(_: Interrupted) -> Self {
        Fault::new(ErrKind::Interrupted, "")
    }
}

/// What long operations call now and then, so that fuel is charged and a deadline holds.
pub type Poll<'a> = &'a mut dyn FnMut() -> Result<(), Interrupted>;

/// A poll that never stops anything.
pub fn no_poll() -> Result<(), Interrupted> {
    Ok(())
}
