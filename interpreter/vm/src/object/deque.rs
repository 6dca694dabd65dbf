//! Deques: both ends in constant time, any item by its index too.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::lend;
use crate::heap::{Header, Heap, Kind, Marker, Object, OutOfMemory};
use crate::value::{Value, Word};

/// A `collections.deque`.
#[repr(C)]
pub struct Deque {
    head: Header,
    charged: Cell<usize>,
    /// Most items it may have; `None`: any number.
    pub maxlen: Cell<Option<usize>>,
    /// Counts the changes of its length and order, which iterators must notice.
    version: Cell<u64>,
    items: RefCell<VecDeque<Word>>,
}

impl Deque {
    pub(crate) fn new(shape: u32) -> Deque {
        Deque {
            head: Header::new(Kind::Deque, shape),
            charged: Cell::new(0),
            maxlen: Cell::new(None),
            version: Cell::new(0),
            items: RefCell::default(),
        }
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }

    /// Whether it has no items.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Changes with the length or the order of the items.
    pub fn version(&self) -> u64 {
        self.version.get()
    }

    /// Item `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Option<Value<'_>> {
        self.items.borrow().get(i).map(|&w| lend(self, w))
    }

    /// Replaces item `i`; `false` if there is none.
    pub fn set(&self, i: usize, v: Value<'_>) -> bool {
        match self.items.borrow_mut().get_mut(i) {
            Some(slot) => {
                *slot = v.word();
                true
            }
            None => false,
        }
    }

    /// A copy of the items.
    pub fn to_vec(&self) -> Vec<Value<'_>> {
        self.items.borrow().iter().map(|&w| lend(self, w)).collect()
    }

    /// Appends an item; a full deque drops its first one.
    pub fn push_back(&self, heap: &Heap, v: Value<'_>) -> Result<(), OutOfMemory> {
        self.push(heap, v, false)
    }

    /// Puts an item first; a full deque drops its last one.
    pub fn push_front(&self, heap: &Heap, v: Value<'_>) -> Result<(), OutOfMemory> {
        self.push(heap, v, true)
    }

    fn push(&self, heap: &Heap, v: Value<'_>, front: bool) -> Result<(), OutOfMemory> {
        self.version.set(self.version.get() + 1);
        let mut items = self.items.borrow_mut();
        if let Some(most) = self.maxlen.get()
            && items.len() >= most
        {
            if most == 0 {
                return Ok(());
            }
            if front {
                items.pop_back()
            } else {
                items.pop_front()
            };
        }
        if items.len() == items.capacity() {
            let more = items.len().max(4);
            heap.check(more * 8)?;
            items.try_reserve(more).map_err(|_| OutOfMemory)?;
            super::seq::adjust(heap, &self.charged, items.capacity() * 8)?;
        }
        if front {
            items.push_front(v.word())
        } else {
            items.push_back(v.word())
        };
        Ok(())
    }

    /// Removes and returns the last item.
    pub fn pop_back(&self) -> Option<Value<'_>> {
        self.version.set(self.version.get() + 1);
        self.items.borrow_mut().pop_back().map(|w| lend(self, w))
    }

    /// Removes and returns the first item.
    pub fn pop_front(&self) -> Option<Value<'_>> {
        self.version.set(self.version.get() + 1);
        self.items.borrow_mut().pop_front().map(|w| lend(self, w))
    }

    /// Puts an item before item `i`, which may be one past the last.
    pub fn insert(&self, heap: &Heap, i: usize, v: Value<'_>) -> Result<(), OutOfMemory> {
        if i == 0 {
            return self.push_front(heap, v);
        }
        self.push_back(heap, v)?;
        let mut items = self.items.borrow_mut();
        if i + 1 < items.len()
            && let Some(w) = items.pop_back()
        {
            items.insert(i, w);
        }
        Ok(())
    }

    /// Removes and returns item `i`.
    pub fn remove(&self, i: usize) -> Option<Value<'_>> {
        self.version.set(self.version.get() + 1);
        self.items.borrow_mut().remove(i).map(|w| lend(self, w))
    }

    /// Moves the items `n` places to the right (to the left, if negative), around the ends.
    pub fn rotate(&self, n: i64) {
        self.version.set(self.version.get() + 1);
        let mut items = self.items.borrow_mut();
        if items.len() > 1 {
            let n = n.rem_euclid(items.len() as i64) as usize;
            items.rotate_right(n);
        }
    }

    /// Reverses the order.
    pub fn reverse(&self) {
        self.version.set(self.version.get() + 1);
        self.items.borrow_mut().make_contiguous().reverse();
    }

    /// Removes all items and gives the memory back.
    pub fn clear(&self, heap: &Heap) -> Result<(), OutOfMemory> {
        self.version.set(self.version.get() + 1);
        *self.items.borrow_mut() = VecDeque::new();
        super::seq::adjust(heap, &self.charged, 0)
    }
}

// SAFETY: repr(C), header first, all items traced.
unsafe impl Object for Deque {
    const KIND: Kind = Kind::Deque;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        let items = self.items.borrow();
        let (front, back) = items.as_slices();
        m.words(front);
        m.words(back);
    }
    fn owned_bytes(&self) -> usize {
        self.charged.get()
    }
}
