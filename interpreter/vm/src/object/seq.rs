//! Lists, tuples, ranges and slices.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};

use super::{lend, read};
use crate::heap::{Header, Heap, Kind, Marker, Object, OutOfMemory};
use crate::value::{Value, Word};

/// Brings the charge of an object in line with what it owns now.
pub(crate) fn adjust(heap: &Heap, charged: &Cell<usize>, now: usize) -> Result<(), OutOfMemory> {
    let before = charged.get();
    if now > before {
        heap.charge(now - before)?;
    } else {
        heap.refund(before - now);
    }
    charged.set(now);
    Ok(())
}

/// A list.
#[repr(C)]
pub struct List {
    head: Header,
    borrow: Cell<i32>,
    charged: Cell<u32>,
    /// The items. The dispatch loop reads and writes through this cell directly.
    pub(crate) items: UnsafeCell<Vec<Word>>,
}

/// The items of a list, lent out. A list that is lent cannot change its length.
pub struct Items<'a> {
    list: &'a List,
}

impl Drop for Items<'_> {
    fn drop(&mut self) {
        self.list.borrow.set(self.list.borrow.get() - 1);
    }
}

impl<'a> Items<'a> {
    /// The items as values.
    #[inline]
    pub fn values(&self) -> &[Value<'a>] {
        // SAFETY: `Value` is a transparent word; the borrow count keeps the vector unchanged.
        unsafe {
            let v = &*self.list.items.get();
            std::slice::from_raw_parts(v.as_ptr().cast(), v.len())
        }
    }
}

impl<'a> std::ops::Deref for Items<'a> {
    type Target = [Value<'a>];
    fn deref(&self) -> &[Value<'a>] {
        self.values()
    }
}

impl List {
    pub(crate) fn new(shape: u32, items: Vec<Word>) -> List {
        List {
            head: Header::new(Kind::List, shape),
            borrow: Cell::new(0),
            charged: Cell::new(0),
            items: UnsafeCell::new(items),
        }
    }

    /// Number of items.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: reading the length; no reference to the vector outlives a call.
        unsafe { (*self.items.get()).len() }
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Item `i`.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Option<Value<'_>> {
        // SAFETY: as in `len`.
        let w = unsafe { (&*self.items.get()).get(i).copied() };
        w.map(|w| lend(self, w))
    }

    /// Replaces item `i`; `false` if there is none.
    #[inline(always)]
    pub fn set(&self, i: usize, v: Value<'_>) -> bool {
        // SAFETY: no slice of words is handed out that assumes the items unchanged.
        match unsafe { (&mut *self.items.get()).get_mut(i) } {
            Some(slot) => {
                *slot = v.word();
                true
            }
            None => false,
        }
    }

    /// Lends the items.
    pub fn items(&self) -> Items<'_> {
        self.borrow.set(self.borrow.get() + 1);
        Items { list: self }
    }

    /// A copy of the items.
    pub fn to_vec(&self) -> Vec<Value<'_>> {
        self.items().to_vec()
    }

    /// Changes the vector in any way and accounts for its growth.
    ///
    /// # Panics
    /// If the items are lent out: a bug of the caller.
    pub fn update<R>(
        &self,
        heap: &Heap,
        f: impl FnOnce(&mut Vec<Word>) -> R,
    ) -> Result<R, OutOfMemory> {
        assert!(self.borrow.get() == 0, "list changed while lent");
        // SAFETY: not lent, and `f` gets the only reference.
        let v = unsafe { &mut *self.items.get() };
        let before = v.capacity();
        let r = f(v);
        let after = v.capacity();
        if after != before {
            self.recharge(heap, after)?;
        }
        Ok(r)
    }

    /// What a list with room for so many items is charged for, in units of 16 bytes.
    fn units(capacity: usize) -> u32 {
        (capacity / 2).min(u32::MAX as usize) as u32
    }

    /// As [`List::units`], in bytes.
    pub(crate) fn charge_of(capacity: usize) -> usize {
        List::units(capacity) as usize * 16
    }

    /// A list of items that were charged for.
    pub(crate) fn charged(shape: u32, items: Vec<Word>) -> List {
        let charged = Cell::new(List::units(items.capacity()));
        List { charged, ..List::new(shape, items) }
    }

    #[cold]
    fn recharge(&self, heap: &Heap, capacity: usize) -> Result<(), OutOfMemory> {
        let units = List::units(capacity);
        let before = self.charged.replace(units);
        if units > before {
            heap.charge((units - before) as usize * 16)
        } else {
            heap.refund((before - units) as usize * 16);
            Ok(())
        }
    }

    /// Whether there is memory for items.
    pub(crate) fn has_room(&self) -> bool {
        // SAFETY: only read, and no other reference is used meanwhile.
        unsafe { (*self.items.get()).capacity() > 0 }
    }

    /// Appends a value.
    #[inline]
    pub fn push(&self, heap: &Heap, v: Value<'_>) -> Result<(), OutOfMemory> {
        // SAFETY: no reference into the vector is alive unless lent, which growth would break.
        unsafe {
            let items = &mut *self.items.get();
            if items.len() < items.capacity() && self.borrow.get() == 0 {
                items.push(v.word());
                return Ok(());
            }
        }
        self.push_slow(heap, v)
    }

    /// Appends a word if there is room and the items are not lent.
    #[inline]
    pub(crate) fn push_within(&self, w: Word) -> bool {
        // SAFETY: no reference into the vector is alive unless lent.
        let items = unsafe { &mut *self.items.get() };
        let fits = items.len() < items.capacity() && self.borrow.get() == 0;
        if fits {
            items.push(w);
        }
        fits
    }

    /// Takes the last item off, unless the items are lent.
    #[inline]
    pub(crate) fn pop(&self) -> Option<Value<'_>> {
        if self.borrow.get() != 0 {
            return None;
        }
        // SAFETY: not lent; the vector keeps its memory.
        let w = unsafe { (*self.items.get()).pop() };
        w.map(|w| lend(self, w))
    }

    #[cold]
    fn push_slow(&self, heap: &Heap, v: Value<'_>) -> Result<(), OutOfMemory> {
        let len = self.len();
        heap.check(len * 8)?;
        self.update(heap, |items| {
            items.try_reserve(len / 2 + 4).map_err(|_| OutOfMemory)?;
            items.push(v.word());
            Ok(())
        })?
    }
}

// SAFETY: repr(C), header first, all items traced.
unsafe impl Object for List {
    const KIND: Kind = Kind::List;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        // SAFETY: the collector runs while nothing else does.
        m.words(unsafe { &*self.items.get() });
    }
    fn owned_bytes(&self) -> usize {
        self.charged.get() as usize * 16
    }
}

/// A tuple: short ones lie behind the struct.
#[repr(C)]
pub struct Tuple {
    head: Header,
    len: usize,
    data: Cell<*const Word>,
}

const OWNED: u8 = 2;

impl Tuple {
    /// Most items that lie behind the struct.
    pub const INLINE: usize = 100;

    pub(crate) fn new(shape: u32, len: usize) -> Tuple {
        Tuple { head: Header::new(Kind::Tuple, shape), len, data: Cell::new(std::ptr::null()) }
    }

    /// Copies the items behind the struct.
    ///
    /// # Safety
    /// The object was allocated with room for the words after `offset` bytes, and is not shared.
    pub(crate) unsafe fn place_inline(&self, words: &[Word], offset: usize) {
        // SAFETY: by contract; cells are aligned to 16 and `offset` is a multiple of 8.
        unsafe {
            let at = (self as *const Tuple).cast::<u8>().cast_mut().add(offset).cast::<Word>();
            std::ptr::copy_nonoverlapping(words.as_ptr(), at, words.len());
            self.data.set(at);
        }
    }

    /// Takes over the items as external memory.
    pub(crate) fn place_owned(&self, words: Box<[Word]>) {
        self.data.set(Box::into_raw(words).cast());
        self.head.flags.set(self.head.flags.get() | OWNED);
    }

    /// The items.
    #[inline(always)]
    pub fn items(&self) -> &[Value<'_>] {
        // SAFETY: the data is immutable and lives as long as the object.
        unsafe { std::slice::from_raw_parts(self.data.get().cast(), self.len) }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

// SAFETY: repr(C), header first, all items traced.
unsafe impl Object for Tuple {
    const KIND: Kind = Kind::Tuple;
    fn trace(&self, m: &mut Marker) {
        if !self.data.get().is_null() {
            for v in self.items() {
                m.word(v.word());
            }
        }
    }
    fn owned_bytes(&self) -> usize {
        if self.head.flags.get() & OWNED != 0 { self.len * 8 } else { 0 }
    }
}

impl Drop for Tuple {
    fn drop(&mut self) {
        if self.head.flags.get() & OWNED != 0 {
            let p = self.data.get().cast_mut();
            // SAFETY: `place_owned` took this box apart.
            drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(p, self.len)) });
        }
    }
}

/// A range; the three are ints of any size.
#[repr(C)]
pub struct Range {
    head: Header,
    start: Cell<Word>,
    stop: Cell<Word>,
    step: Cell<Word>,
    /// Number of items, an int.
    len: Cell<Word>,
}

impl Range {
    pub(crate) fn new(
        shape: u32,
        start: Value<'_>,
        stop: Value<'_>,
        step: Value<'_>,
        len: Value<'_>,
    ) -> Range {
        let c = |v: Value<'_>| Cell::new(v.word());
        Range {
            head: Header::new(Kind::Range, shape),
            start: c(start),
            stop: c(stop),
            step: c(step),
            len: c(len),
        }
    }

    /// First item.
    pub fn start(&self) -> Value<'_> {
        read(&self.start)
    }
    /// End, not included.
    pub fn stop(&self) -> Value<'_> {
        read(&self.stop)
    }
    /// Step.
    pub fn step(&self) -> Value<'_> {
        read(&self.step)
    }
    /// Number of items.
    pub fn len_value(&self) -> Value<'_> {
        read(&self.len)
    }
    /// Start, stop and step as machine ints, if all are small.
    pub fn small(&self) -> Option<(i64, i64, i64)> {
        Some((self.start().as_small()?, self.stop().as_small()?, self.step().as_small()?))
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Range {
    const KIND: Kind = Kind::Range;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.start, &self.stop, &self.step, &self.len] {
            m.cell(c);
        }
    }
}

/// A slice object.
#[repr(C)]
pub struct Slice {
    head: Header,
    start: Cell<Word>,
    stop: Cell<Word>,
    step: Cell<Word>,
}

impl Slice {
    pub(crate) fn new(shape: u32, start: Value<'_>, stop: Value<'_>, step: Value<'_>) -> Slice {
        let c = |v: Value<'_>| Cell::new(v.word());
        Slice {
            head: Header::new(Kind::Slice, shape),
            start: c(start),
            stop: c(stop),
            step: c(step),
        }
    }

    /// Start, or None.
    pub fn start(&self) -> Value<'_> {
        read(&self.start)
    }
    /// End, or None.
    pub fn stop(&self) -> Value<'_> {
        read(&self.stop)
    }
    /// Step, or None.
    pub fn step(&self) -> Value<'_> {
        read(&self.step)
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Slice {
    const KIND: Kind = Kind::Slice;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.start, &self.stop, &self.step] {
            m.cell(c);
        }
    }
}

/// A vector of values under construction that lives outside of the heap and is no root: only for
/// leaf natives, which cannot be interrupted by a collection.
pub type Temp<'v> = Vec<Value<'v>>;

/// The words of a slice of values.
pub fn words<'a>(values: &'a [Value<'_>]) -> &'a [Word] {
    // SAFETY: `Value` is a transparent word.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}
