//! Dicts and sets. The tables are value-agnostic (`table`); hashing and equality come from the
//! caller, because they may have to run script code.

#![allow(unsafe_code)]

use std::cell::{Cell, Ref, RefCell, RefMut};

use super::lend;
use crate::heap::{Header, Heap, Kind, Marker, Object, OutOfMemory};
use crate::table::{AllocError, DictTable, SetTable};
use crate::value::{Value, Word};

impl From<AllocError> for OutOfMemory {
    fn from(_: AllocError) -> OutOfMemory {
        OutOfMemory
    }
}

/// A dict.
#[repr(C)]
pub struct Dict {
    head: Header,
    charged: Cell<usize>,
    table: RefCell<DictTable>,
}

impl Dict {
    pub(crate) fn new(shape: u32) -> Dict {
        Dict {
            head: Header::new(Kind::Dict, shape),
            charged: Cell::new(0),
            table: RefCell::new(DictTable::new()),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.table.borrow().len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The table.
    #[inline]
    pub fn table(&self) -> Ref<'_, DictTable> {
        self.table.borrow()
    }

    /// Direct access for the dispatch loop.
    #[inline(always)]
    pub(crate) fn table_ptr(&self) -> *mut DictTable {
        self.table.as_ptr()
    }

    /// Changes the table and accounts for its growth.
    pub fn update<R>(
        &self,
        heap: &Heap,
        f: impl FnOnce(&mut DictTable) -> R,
    ) -> Result<R, OutOfMemory> {
        let mut t: RefMut<'_, DictTable> = self.table.borrow_mut();
        let r = f(&mut t);
        let now = t.heap_bytes();
        drop(t);
        if now != self.charged.get() {
            super::seq::adjust(heap, &self.charged, now)?;
        }
        Ok(r)
    }

    /// Key and value of entry `i`, if it is live.
    pub fn entry(&self, i: usize) -> Option<(Value<'_>, Value<'_>)> {
        let t = self.table.borrow();
        t.get(i).map(|e| (lend(self, e.key), lend(self, e.value)))
    }

    /// The live entries in order, as a copy.
    pub fn entries(&self) -> Vec<(Value<'_>, Value<'_>)> {
        self.table.borrow().iter().map(|e| (lend(self, e.key), lend(self, e.value))).collect()
    }
}

// SAFETY: repr(C), header first, all entries traced.
unsafe impl Object for Dict {
    const KIND: Kind = Kind::Dict;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        for e in self.table.borrow().iter() {
            m.word(e.key);
            m.word(e.value);
        }
    }
    fn owned_bytes(&self) -> usize {
        self.charged.get()
    }
}

/// Where the dispatch loop found a string or tuple last: the same key in the same dict, as long as
/// that has the version. Each collection forgets it, since an address may come to be another's.
#[derive(Clone, Copy, Default)]
pub(crate) struct Found {
    dict: usize,
    version: u64,
    /// The key's word; 0 is none.
    pub key: Word,
    /// The entry that has it.
    pub entry: usize,
}

impl Found {
    pub(crate) fn new(dict: &Dict, key: Word, entry: usize) -> Found {
        let version = dict.table.borrow().version();
        Found { dict: std::ptr::from_ref(dict) as usize, version, key, entry }
    }

    /// Whether it was in `dict`, which has not changed since.
    #[inline(always)]
    pub(crate) fn is_in(&self, dict: &Dict) -> bool {
        // SAFETY: nothing has the table mutably while the dispatch loop looks.
        let version = unsafe { (*dict.table_ptr()).version() };
        self.dict == std::ptr::from_ref(dict) as usize && self.version == version
    }
}

/// A set or frozenset.
#[repr(C)]
pub struct Set {
    head: Header,
    charged: Cell<usize>,
    /// Hash of a frozenset; 0 if not computed yet.
    pub hash: Cell<i64>,
    table: RefCell<SetTable>,
}

impl Set {
    pub(crate) fn new(frozen: bool, shape: u32) -> Set {
        let kind = if frozen { Kind::FrozenSet } else { Kind::Set };
        Set {
            head: Header::new(kind, shape),
            charged: Cell::new(0),
            hash: Cell::new(0),
            table: RefCell::new(SetTable::new()),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.table.borrow().len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a frozenset.
    pub fn is_frozen(&self) -> bool {
        self.head.kind() == Kind::FrozenSet
    }

    /// The table.
    pub fn table(&self) -> Ref<'_, SetTable> {
        self.table.borrow()
    }

    /// Changes the table and accounts for its growth.
    pub fn update<R>(
        &self,
        heap: &Heap,
        f: impl FnOnce(&mut SetTable) -> R,
    ) -> Result<R, OutOfMemory> {
        let mut t = self.table.borrow_mut();
        let r = f(&mut t);
        let now = t.heap_bytes();
        drop(t);
        if now != self.charged.get() {
            super::seq::adjust(heap, &self.charged, now)?;
        }
        Ok(r)
    }

    /// The elements in table order, as a copy.
    pub fn elements(&self) -> Vec<Value<'_>> {
        self.table.borrow().iter().map(|e| lend(self, e.key)).collect()
    }
}

// SAFETY: repr(C), header first, all elements traced.
unsafe impl Object for Set {
    const KIND: Kind = Kind::Set;
    const DROPS: bool = true;
    fn is_kind(k: Kind) -> bool {
        matches!(k, Kind::Set | Kind::FrozenSet)
    }
    fn trace(&self, m: &mut Marker) {
        for e in self.table.borrow().iter() {
            m.word(e.key);
        }
    }
    fn owned_bytes(&self) -> usize {
        self.charged.get()
    }
}
