//! Instances of script classes, and attribute storage in general.
//!
//! The first attributes of an instance lie behind the struct, as many as its class expects
//! (`header.aux`). The rest, and all attributes of objects with a native payload, hang off one
//! word, the *more* word: Empty, a [`Slots`] object, or (in dict mode) a dict.

#![allow(unsafe_code)]

use std::cell::Cell;

use crate::heap::{HAS_ATTRS, Header, Kind, MAX_OBJECT, Marker, Object, info};
use crate::value::{EMPTY, Value, Word};

/// An instance of a class made by a script.
#[repr(C)]
pub struct Instance {
    head: Header,
    more: Cell<Word>,
}

/// Byte offset of the first inline attribute.
pub const INLINE_OFFSET: usize = std::mem::size_of::<Instance>();
/// Most attributes behind an instance.
pub const MAX_INLINE: usize = (MAX_OBJECT - INLINE_OFFSET) / 8 / 2;

impl Instance {
    /// The struct; the heap must give `8 * inline` extra bytes, which `fill` sets to Empty.
    pub(crate) fn new(shape: u32, inline: usize) -> Instance {
        let head = Header::new(Kind::Instance, shape);
        head.aux.set(inline as u16);
        Instance { head, more: Cell::new(EMPTY) }
    }

    /// The inline attributes.
    #[inline(always)]
    pub fn inline(&self) -> &[Cell<Word>] {
        // SAFETY: `aux` is the number of words the object was allocated with; zero bits are a
        // valid word (the float 0.0), so fresh slots are initialised too.
        unsafe {
            let p = (self as *const Instance).cast::<u8>().add(INLINE_OFFSET).cast();
            std::slice::from_raw_parts(p, self.head.aux.get() as usize)
        }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Instance {
    const KIND: Kind = Kind::Instance;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.more);
        for c in self.inline() {
            m.cell(c);
        }
    }
}

/// Whether an object has attribute storage of its own.
#[inline(always)]
pub fn has_attrs(h: &Header) -> bool {
    h.kind() == Kind::Instance || h.flags.get() & HAS_ATTRS != 0
}

/// The *more* word of an object with attribute storage.
#[inline(always)]
pub fn more_of(h: &Header) -> &Cell<Word> {
    debug_assert!(has_attrs(h));
    let offset = if h.kind() == Kind::Instance { 8 } else { info(h.kind()).size };
    // SAFETY: instances have the word after the header; objects with HAS_ATTRS were allocated
    // with one more word after their struct.
    unsafe { &*(h as *const Header).cast::<u8>().add(offset).cast() }
}

/// Number of attributes that lie inline.
#[inline(always)]
pub fn inline_count(h: &Header) -> usize {
    if h.kind() == Kind::Instance { h.aux.get() as usize } else { 0 }
}

/// The cell of attribute slot `slot`, if it is there already.
pub fn slot_cell(h: &Header, slot: usize) -> Option<&Cell<Word>> {
    let inline = inline_count(h);
    if slot < inline {
        // SAFETY: only instances have inline attributes.
        let i = unsafe { &*(h as *const Header).cast::<Instance>() };
        return i.inline().get(slot);
    }
    let more = super::lend(h, more_of(h).get()).get::<Slots>()?;
    more.cells().get(slot - inline)
}

/// A block of attribute slots.
#[repr(C)]
pub struct Slots {
    head: Header,
}

impl Slots {
    /// Most slots of a block.
    pub const MAX: usize = (MAX_OBJECT - 16) / 8;

    /// The struct; the heap must give `8 * count` extra bytes.
    pub(crate) fn new(count: usize) -> Slots {
        let head = Header::new(Kind::Slots, 0);
        head.aux.set(count as u16);
        Slots { head }
    }

    /// The slots.
    #[inline(always)]
    pub fn cells(&self) -> &[Cell<Word>] {
        // SAFETY: as in `Instance::inline`.
        unsafe {
            let p = (self as *const Slots).cast::<u8>().add(8).cast();
            std::slice::from_raw_parts(p, self.head.aux.get() as usize)
        }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Slots {
    const KIND: Kind = Kind::Slots;
    fn trace(&self, m: &mut Marker) {
        for c in self.cells() {
            m.cell(c);
        }
    }
}

/// The value in a slot cell.
#[inline(always)]
pub fn slot_value<'v>(_owner: &'v Header, c: &'v Cell<Word>) -> Value<'v> {
    super::read(c)
}
