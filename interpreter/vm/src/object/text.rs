//! Strings and bytes.
//!
//! A [`Str`] is immutable text in UTF-8 extended by lone surrogates. Short text lies behind the
//! struct, long text in memory of its own, and text made by repeated `+=` in a shared [`Buf`]
//! that grows in place: a string whose end is the end of its buffer is extended without copying.
//!
//! Behind the struct (and the attribute storage of a subclass) lie the text, or a pointer to it,
//! or that and the word of the buffer. Short ASCII text begins in the struct's last field, which
//! only other strings need.

#![allow(unsafe_code)]

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::mem::size_of;
use std::rc::Rc;

use crate::builtins::Type;
use crate::heap::{Header, Kind, MAX_OBJECT, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// A string.
#[repr(C)]
pub struct Str {
    /// `aux` is the offset of the text, or 0 if it lies outside.
    head: Header,
    /// The keyed hash; 0 if not computed yet.
    pub hash: Cell<i64>,
    byte_len: u32,
    /// Number of code points, unless the text is short and ASCII.
    char_len: Cell<u32>,
}

const INTERNED: u8 = 1;
const OWNED: u8 = 2;
const ASCII: u8 = 4;
/// The value of a class under this name was replaced once; again and again.
const REBOUND: u8 = 8;
const VOLATILE: u8 = 16;
/// The text lies in a [`Buf`].
pub(crate) const SHARED: u8 = 32;

/// Where short ASCII text begins.
const COMPACT: usize = std::mem::offset_of!(Str, char_len);

/// Copies a few bytes without a call.
///
/// # Safety
/// `n` bytes can be read at `from` and written at `to`, which are apart.
#[inline(always)]
unsafe fn copy_bytes(from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: by contract; two copies that may overlap make up each length.
    unsafe {
        if n > 16 {
            std::ptr::copy_nonoverlapping(from, to, n);
        } else if n >= 8 {
            let (first, last) = (from.cast::<u64>(), from.add(n - 8).cast::<u64>());
            let (first, last) = (first.read_unaligned(), last.read_unaligned());
            to.cast::<u64>().write_unaligned(first);
            to.add(n - 8).cast::<u64>().write_unaligned(last);
        } else if n >= 4 {
            let (first, last) = (from.cast::<u32>(), from.add(n - 4).cast::<u32>());
            let (first, last) = (first.read_unaligned(), last.read_unaligned());
            to.cast::<u32>().write_unaligned(first);
            to.add(n - 4).cast::<u32>().write_unaligned(last);
        } else if n > 0 {
            let (first, middle, last) = (*from, *from.add(n / 2), *from.add(n - 1));
            *to = first;
            *to.add(n / 2) = middle;
            *to.add(n - 1) = last;
        }
    }
}

impl Str {
    /// Most bytes that a string may have.
    pub const MAX_BYTES: usize = u32::MAX as usize;
    /// Text up to this length lies behind the struct.
    pub const INLINE: usize = MAX_OBJECT - size_of::<Str>() - 8;
    /// Bytes behind the struct for text that lies outside.
    pub(crate) const OUTSIDE: usize = 8;
    /// Bytes behind the struct for text in a buffer.
    pub(crate) const IN_BUFFER: usize = 16;

    /// The struct alone; the text is set by one of the `place` functions.
    pub(crate) fn new(shape: u32, byte_len: usize, char_len: usize) -> Str {
        let head = Header::new(Kind::Str, shape);
        if byte_len == char_len {
            head.flags.set(ASCII);
        }
        Str {
            head,
            hash: Cell::new(0),
            byte_len: byte_len as u32,
            char_len: Cell::new(char_len as u32),
        }
    }

    /// As [`Str::new`], for `len` bytes of ASCII that [`Str::place_compact`] sets.
    #[inline(always)]
    pub(crate) fn compact(len: usize) -> Str {
        let head = Header::new(Kind::Str, Type::Str.shape());
        head.flags.set(ASCII);
        head.aux.set(COMPACT as u16);
        Str { head, hash: Cell::new(0), byte_len: len as u32, char_len: Cell::new(0) }
    }

    /// Where text of so many bytes and code points lies in a string with `attrs` bytes of
    /// attribute storage.
    fn offset(byte_len: usize, char_len: usize, attrs: usize) -> usize {
        let compact = attrs == 0 && byte_len == char_len;
        if compact { COMPACT } else { size_of::<Str>() + attrs }
    }

    /// Bytes behind the struct for such text, `attrs` included.
    pub(crate) fn inline_bytes(byte_len: usize, char_len: usize, attrs: usize) -> usize {
        (Str::offset(byte_len, char_len, attrs) + byte_len).saturating_sub(size_of::<Str>())
    }

    /// Copies the text behind the struct.
    ///
    /// # Safety
    /// The object was allocated with `inline_bytes` of this text and `attrs`, which is 0 or the
    /// size of its attribute storage, and is not shared yet. The parts have the length it was
    /// made for.
    #[inline(always)]
    pub(crate) unsafe fn place_inline(&self, parts: &[&[u8]], char_len: usize, attrs: usize) {
        let offset = Str::offset(self.byte_len as usize, char_len, attrs);
        self.head.aux.set(offset as u16);
        // SAFETY: by contract.
        unsafe {
            let mut at = std::ptr::from_ref(self).cast::<u8>().cast_mut().add(offset);
            for p in parts {
                copy_bytes(p.as_ptr(), at, p.len());
                at = at.add(p.len());
            }
        }
    }

    /// Copies the text into the struct's last field and behind it.
    ///
    /// # Safety
    /// As for [`Str::place_inline`]; the object was made by [`Str::compact`].
    #[inline(always)]
    pub(crate) unsafe fn place_compact<const N: usize>(&self, parts: [&[u8]; N]) {
        // SAFETY: by contract.
        unsafe {
            let mut at = std::ptr::from_ref(self).cast::<u8>().cast_mut().add(COMPACT);
            for p in parts {
                copy_bytes(p.as_ptr(), at, p.len());
                at = at.add(p.len());
            }
        }
    }

    /// The words behind the struct that say where text outside lies.
    #[inline(always)]
    fn outside(&self) -> *mut Word {
        let attrs = usize::from(self.head.flags.get() & crate::heap::HAS_ATTRS != 0);
        // SAFETY: strings whose text is not behind the struct were allocated with these words,
        // after the attribute storage that the flag says.
        unsafe { std::ptr::from_ref(self).add(1).cast::<Word>().cast_mut().add(attrs) }
    }

    /// Takes over `bytes`, which become external memory of this string.
    ///
    /// # Safety
    /// The object was allocated with [`Str::OUTSIDE`] bytes after the struct and the attribute
    /// storage that its flags say.
    pub(crate) unsafe fn place_owned(&self, bytes: Box<[u8]>) {
        debug_assert_eq!(bytes.len(), self.byte_len as usize);
        // SAFETY: by contract.
        unsafe { self.outside().write(Box::into_raw(bytes).cast::<u8>() as Word) };
        self.head.flags.set(self.head.flags.get() | OWNED);
    }

    /// Refers to the start of a shared buffer.
    ///
    /// # Safety
    /// The object was allocated with [`Str::IN_BUFFER`] bytes after the struct.
    pub(crate) unsafe fn place_shared(&self, buf: &Buf) {
        let bytes = buf.bytes.borrow();
        debug_assert!(bytes.len() >= self.byte_len as usize);
        // SAFETY: by contract.
        unsafe {
            self.outside().write(bytes.as_ptr() as Word);
            self.outside().add(1).write(Value::object(buf).word());
        }
        self.head.flags.set(self.head.flags.get() | SHARED);
    }

    /// The word of the buffer this string is a prefix of, or Empty.
    fn owner(&self) -> Word {
        if self.head.flags.get() & SHARED == 0 {
            return EMPTY;
        }
        // SAFETY: `place_shared` wrote it.
        unsafe { self.outside().add(1).read() }
    }

    /// The buffer this string is a prefix of, if any.
    pub(crate) fn buf(&self) -> Option<&Buf> {
        super::lend(self, self.owner()).get::<Buf>()
    }

    /// The text: UTF-8 extended by lone surrogates.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the data is immutable and lives as long as the object: behind it, owned by it,
        // or in a buffer that it keeps alive and that never moves what it holds.
        unsafe {
            let start = match self.head.aux.get() {
                0 => self.outside().read() as usize as *const u8,
                offset => std::ptr::from_ref(self).cast::<u8>().add(offset as usize),
            };
            std::slice::from_raw_parts(start, self.byte_len as usize)
        }
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
        if self.is_ascii() { self.byte_len as usize } else { self.char_len.get() as usize }
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

// SAFETY: repr(C), header first; the one word, if there is one, is traced.
unsafe impl Object for Str {
    const KIND: Kind = Kind::Str;
    fn trace(&self, m: &mut Marker) {
        m.word(self.owner());
    }
    fn owned_bytes(&self) -> usize {
        if self.head.flags.get() & OWNED != 0 { self.byte_len as usize } else { 0 }
    }
}

impl Drop for Str {
    fn drop(&mut self) {
        if self.head.flags.get() & OWNED != 0 {
            // SAFETY: `place_owned` took this box apart.
            drop(unsafe {
                let p = self.outside().read() as usize as *mut u8;
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
