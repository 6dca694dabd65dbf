//! Objects whose payload belongs to the engine or to an extension.

#![allow(unsafe_code)]

use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

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

    /// The bytes it lends to those who take bytes-like objects.
    fn buffer(&self) -> Option<Buffer<'_>> {
        None
    }

    /// The same bytes, to be changed in place.
    fn buffer_mut(&mut self) -> Option<&mut [u8]> {
        None
    }
}

/// Bytes that a payload lends.
pub struct Buffer<'p> {
    /// All of them.
    pub bytes: &'p [u8],
    /// The format character of the items, as `struct` has it.
    pub format: u8,
    /// Bytes of an item.
    pub item: usize,
    /// Cloned by each view: while it is shared, the number of bytes stays.
    pub exports: &'p Rc<()>,
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
        let size = |p: &dyn Payload| std::mem::size_of_val(p) + p.more_bytes() + OVERHEAD;
        let head = Header::new(Kind::Opaque, shape);
        let bytes = payload.as_deref().map_or(0, size);
        head.aux.set(u16::try_from(bytes).unwrap_or(u16::MAX));
        Opaque {
            head,
            word: Cell::new(EMPTY),
            more: Cell::new(EMPTY),
            payload: RefCell::new(payload),
        }
    }

    /// Runs `f` on the payload if it is a `T`, and nobody reads its bytes.
    pub fn with<T: Payload, R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut p = self.payload.try_borrow_mut().ok()?;
        let any: &mut dyn std::any::Any = p.as_mut()?.as_mut();
        any.downcast_mut::<T>().map(f)
    }

    /// The bytes that the payload lends.
    pub fn bytes(&self) -> Option<Ref<'_, [u8]>> {
        let payload = self.payload.try_borrow().ok()?;
        Ref::filter_map(payload, |p| Some(p.as_ref()?.buffer()?.bytes)).ok()
    }

    /// Runs `f` on what the payload lends.
    pub fn with_buffer<R>(&self, f: impl FnOnce(Buffer<'_>) -> R) -> Option<R> {
        Some(f(self.payload.try_borrow().ok()?.as_ref()?.buffer()?))
    }

    /// Runs `f` on the bytes that the payload lends, to change them.
    pub fn with_bytes_mut<R>(&self, f: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        Some(f(self.payload.try_borrow_mut().ok()?.as_mut()?.buffer_mut()?))
    }

    /// Changes some of the bytes that the payload lends.
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        self.with_bytes_mut(|all| {
            if let Some(target) = all.get_mut(at..at + bytes.len()) {
                target.copy_from_slice(bytes);
            }
        });
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
