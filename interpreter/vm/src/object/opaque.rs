//! Objects whose payload belongs to the engine or to an extension.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};

use crate::heap::{Header, Kind, Marker, Object};
use crate::value::{EMPTY, Word};

/// What an [`Opaque`] holds.
pub trait Payload: std::any::Any {
    /// Visits the words it holds.
    fn trace(&self, _m: &mut Marker) {}

    /// Bytes beside its own that it holds from the beginning: a queue behind a pointer, say.
    fn more_bytes(&self) -> usize {
        0
    }
}

/// What the allocator adds to a payload.
const OVERHEAD: usize = 16;

/// An object with a foreign payload.
#[repr(C)]
pub struct Opaque {
    head: Header,
    /// A word for whoever made it.
    pub word: Cell<Word>,
    /// Another one.
    pub more: Cell<Word>,
    payload: RefCell<Option<Box<dyn Payload>>>,
}

impl Opaque {
    pub(crate) fn new(shape: u32, payload: Option<Box<dyn Payload>>) -> Opaque {
        let size = |p: &Box<dyn Payload>| std::mem::size_of_val(&**p) + p.more_bytes() + OVERHEAD;
        let head = Header::new(Kind::Opaque, shape);
        let bytes = payload.as_ref().map_or(0, size);
        head.aux.set(u16::try_from(bytes).unwrap_or(u16::MAX));
        Opaque {
            head,
            word: Cell::new(EMPTY),
            more: Cell::new(EMPTY),
            payload: RefCell::new(payload),
        }
    }

    /// Runs `f` on the payload if it is a `T`.
    pub fn with<T: Payload, R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut p = self.payload.borrow_mut();
        let any: &mut dyn std::any::Any = p.as_mut()?.as_mut();
        any.downcast_mut::<T>().map(f)
    }

    /// Replaces the payload.
    pub fn set(&self, payload: Option<Box<dyn Payload>>) -> Option<Box<dyn Payload>> {
        self.payload.replace(payload)
    }
}

// SAFETY: repr(C), header first; the payload traces what it holds.
unsafe impl Object for Opaque {
    const KIND: Kind = Kind::Opaque;
    const DROPS: bool = true;
    fn owned_bytes(&self) -> usize {
        self.head.aux.get().into()
    }
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.word);
        m.cell(&self.more);
        if let Some(p) = self.payload.borrow().as_ref() {
            p.trace(m);
        }
    }
}
