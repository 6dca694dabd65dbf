//! Strings and bytes.
//!
//! A [`Str`] is immutable text in UTF-8 extended by lone surrogates. Short text lies behind the
//! struct, long text in memory of its own, and text made by repeated `+=` in a shared [`Buf`]
//! that grows in place: a string whose end is the end of its buffer is extended without copying.

#![allow(unsafe_code)]

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::rc::Rc;

use crate::heap::{Header, Kind, MAX_OBJECT, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// A string.
#[repr(C)]
pub struct Str {
    head: Header,
    /// The keyed hash; 0 if not computed yet.
    pub hash: Cell<i64>,
    data: Cell<*const u8>,
    byte_len: u32,
    char_len: u32,
    /// A [`Buf`] that owns the data, or Empty.
    owner: Cell<Word>,
}

const INTERNED: u8 = 1;
const OWNED: u8 = 2;
const ASCII: u8 = 4;
/// The value of a class under this name was replaced once; again and again.
const REBOUND: u8 = 8;
const VOLATILE: u8 = 16;

impl Str {
    /// Most bytes that a string may have.
    pub const MAX_BYTES: usize = u32::MAX as usize;
    /// Text up to this length lies behind the struct.
    pub const INLINE: usize = MAX_OBJECT - std::mem::size_of::<Str>() - 8;

    /// The struct alone; the data pointer is set by one of the `place` functions.
    pub(crate) fn new(shape: u32, byte_len: usize, char_len: usize) -> Str {
        let head = Header::new(Kind::Str, shape);
        if byte_len == char_len {
            head.flags.set(ASCII);
        }
        Str {
            head,
            hash: Cell::new(0),
            data: Cell::new(std::ptr::null()),
            byte_len: byte_len as u32,
            char_len: char_len as u32,
            owner: Cell::new(EMPTY),
        }
    }

    /// Copies `bytes` behind the struct.
    ///
    /// # Safety
    /// The object was allocated with at least `bytes.len()` extra bytes after `offset` bytes of
    /// struct and attribute storage, and is not shared yet.
    pub(crate) unsafe fn place_inline(&self, parts: &[&[u8]], offset: usize) {
        // SAFETY: by contract.
        unsafe {
            let start = (self as *const Str).cast::<u8>().cast_mut().add(offset);
            let mut at = start;
            for p in parts {
                std::ptr::copy_nonoverlapping(p.as_ptr(), at, p.len());
                at = at.add(p.len());
            }
            self.data.set(start);
        }
    }

    /// Takes over `bytes`, which become external memory of this string.
    pub(crate) fn place_owned(&self, bytes: Box<[u8]>) {
        debug_assert_eq!(bytes.len(), self.byte_len as usize);
        self.data.set(Box::into_raw(bytes).cast());
        self.head.flags.set(self.head.flags.get() | OWNED);
    }

    /// Refers to the start of a shared buffer.
    pub(crate) fn place_shared(&self, buf: &Buf) {
        let bytes = buf.bytes.borrow();
        debug_assert!(bytes.len() >= self.byte_len as usize);
        self.data.set(bytes.as_ptr());
        self.owner.set(Value::object(buf).word());
    }

    /// The buffer this string is a prefix of, if any.
    pub(crate) fn buf(&self) -> Option<&Buf> {
        super::lend(self, self.owner.get()).get::<Buf>()
    }

    /// The text: UTF-8 extended by lone surrogates.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the data is immutable and lives as long as the object: behind it, owned by it,
        // or in a buffer that it keeps alive and that never moves what it holds.
        unsafe { std::slice::from_raw_parts(self.data.get(), self.byte_len as usize) }
    }

    /// Whether two strings have the same text. Short ones are compared without a call.
    #[inline(always)]
    pub(crate) fn same_text(&self, other: &Str) -> bool {
        let (a, b) = (self.bytes(), other.bytes());
        if a.len() != b.len() {
            return false;
        }
        match a.len() {
            0..4 => a.iter().zip(b).all(|(x, y)| x == y),
            4..8 => {
                a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk()
            }
            8..=16 => {
                a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk()
            }
            _ => a == b,
        }
    }

    /// The text as a Rust string, unless it holds lone surrogates.
    pub fn as_str(&self) -> Option<&str> {
        if self.is_ascii() {
            // SAFETY: ASCII is UTF-8.
            return Some(unsafe { std::str::from_utf8_unchecked(self.bytes()) });
        }
        std::str::from_utf8(self.bytes()).ok()
    }

    /// The text for messages; lone surrogates become replacement characters.
    pub fn to_display(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// Whether all of it is ASCII, so that bytes and code points coincide.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.head.flags.get() & ASCII != 0
    }

    /// Number of code points.
    #[inline(always)]
    pub fn char_len(&self) -> usize {
        self.char_len as usize
    }

    /// Whether this is the one string of its text in the interner.
    #[inline(always)]
    pub fn is_interned(&self) -> bool {
        self.head.flags.get() & INTERNED != 0
    }

    pub(crate) fn set_interned(&self) {
        self.head.flags.set(self.head.flags.get() | INTERNED);
    }

    /// Notes that a class attribute of this name was given another value.
    pub(crate) fn note_rebound(&self) {
        let f = self.head.flags.get();
        self.head.flags.set(f | if f & REBOUND != 0 { VOLATILE } else { REBOUND });
    }

    /// Whether class attributes of this name are given new values again and again.
    pub(crate) fn is_volatile(&self) -> bool {
        self.head.flags.get() & VOLATILE != 0
    }

    /// Whether it belongs to `str` itself and not to a subclass.
    pub fn is_exact(&self) -> bool {
        self.head.flags.get() & crate::heap::HAS_ATTRS == 0
    }
}

// SAFETY: repr(C), header first; the one word is traced.
unsafe impl Object for Str {
    const KIND: Kind = Kind::Str;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.owner);
    }
    fn owned_bytes(&self) -> usize {
        if self.head.flags.get() & OWNED != 0 { self.byte_len as usize } else { 0 }
    }
}

impl Drop for Str {
    fn drop(&mut self) {
        if self.head.flags.get() & OWNED != 0 {
            let p = self.data.get().cast_mut();
            // SAFETY: `place_owned` took this box apart.
            drop(unsafe {
                Box::from_raw(std::ptr::slice_from_raw_parts_mut(p, self.byte_len as usize))
            });
        }
    }
}

/// A buffer that strings share the front of. It never moves what it holds: its vector is never
/// grown beyond its capacity.
#[repr(C)]
pub struct Buf {
    head: Header,
    bytes: RefCell<Vec<u8>>,
}

impl Buf {
    pub(crate) fn new(bytes: Vec<u8>) -> Buf {
        Buf { head: Header::new(Kind::Buf, 0), bytes: RefCell::new(bytes) }
    }

    /// Appends `more` if the buffer ends at `at` and has room.
    pub(crate) fn extend_at(&self, at: usize, more: &[u8]) -> bool {
        let mut b = self.bytes.borrow_mut();
        if b.len() != at || b.capacity() - at < more.len() {
            return false;
        }
        b.extend_from_slice(more);
        true
    }
}

// SAFETY: repr(C), header first, no words.
unsafe impl Object for Buf {
    const KIND: Kind = Kind::Buf;
    const DROPS: bool = true;
    fn trace(&self, _: &mut Marker) {}
    fn owned_bytes(&self) -> usize {
        self.bytes.borrow().capacity()
    }
}

/// A `bytes` object.
#[repr(C)]
pub struct Bytes {
    head: Header,
    /// The keyed hash; 0 if not computed yet.
    pub hash: Cell<i64>,
    data: Box<[u8]>,
}

impl Bytes {
    pub(crate) fn new(shape: u32, data: Box<[u8]>) -> Bytes {
        Bytes { head: Header::new(Kind::Bytes, shape), hash: Cell::new(0), data }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }
}

// SAFETY: repr(C), header first, no words.
unsafe impl Object for Bytes {
    const KIND: Kind = Kind::Bytes;
    const DROPS: bool = true;
    fn trace(&self, _: &mut Marker) {}
    fn owned_bytes(&self) -> usize {
        self.data.len()
    }
}

/// A `bytearray`.
#[repr(C)]
pub struct ByteArray {
    head: Header,
    data: RefCell<Vec<u8>>,
    charged: Cell<usize>,
    /// Shared with the memory views that forbid resizing.
    exports: OnceCell<Rc<()>>,
}

impl ByteArray {
    pub(crate) fn new(shape: u32, data: Vec<u8>, charged: usize) -> ByteArray {
        ByteArray {
            head: Header::new(Kind::ByteArray, shape),
            data: RefCell::new(data),
            charged: Cell::new(charged),
            exports: OnceCell::new(),
        }
    }

    /// Forbids resizing as long as what is returned lives.
    pub(crate) fn export(&self) -> Rc<()> {
        Rc::clone(self.exports.get_or_init(Rc::default))
    }

    /// Whether resizing is forbidden.
    pub(crate) fn is_exported(&self) -> bool {
        self.exports.get().is_some_and(|e| Rc::strong_count(e) > 1)
    }

    /// The bytes.
    pub fn bytes(&self) -> std::cell::Ref<'_, Vec<u8>> {
        self.data.borrow()
    }

    /// The bytes, to change them. Growth must have been charged to the heap.
    pub fn bytes_mut(&self) -> RefMut<'_, Vec<u8>> {
        self.data.borrow_mut()
    }

    /// Charges the heap for what the vector has grown by.
    pub fn account(&self, heap: &crate::heap::Heap) -> Result<(), crate::heap::OutOfMemory> {
        let now = self.data.borrow().capacity();
        super::seq::adjust(heap, &self.charged, now)
    }
}

// SAFETY: repr(C), header first, no words.
unsafe impl Object for ByteArray {
    const KIND: Kind = Kind::ByteArray;
    const DROPS: bool = true;
    fn trace(&self, _: &mut Marker) {}
    fn owned_bytes(&self) -> usize {
        self.charged.get()
    }
}
