//! The interner: one string for each text that is a name. Weak: the collector removes what only
//! the interner knows.

#![allow(unsafe_code)]

use std::cell::RefCell;

use hashbrown::HashTable;

use crate::builtins::Type;
use crate::hash::StringKey;
use crate::heap::{Heap, is_live};
use crate::object::text::Str;
use crate::value::Value;

/// The set of interned strings.
pub struct Interner {
    table: RefCell<HashTable<(i64, *const Str)>>,
}

/// Room for the names of a small program, so that the table does not grow at the start.
const FIRST_SIZE: usize = 896;

impl Default for Interner {
    fn default() -> Interner {
        Interner { table: RefCell::new(HashTable::with_capacity(FIRST_SIZE)) }
    }
}

impl Interner {
    /// The one string of `bytes`.
    pub fn intern<'v>(&'v self, heap: &'v Heap, key: &StringKey, bytes: &[u8]) -> Value<'v> {
        let hash = key.hash(bytes);
        let mut t = self.table.borrow_mut();
        // SAFETY: the table holds live strings: dead ones are swept out by each collection.
        let found = t.find(hash as u64, |&(h, s)| h == hash && unsafe { (*s).bytes() } == bytes);
        if let Some(&(_, s)) = found {
            // SAFETY: as above.
            return Value::object(unsafe { &*s });
        }
        let chars = crate::text_len(bytes);
        let s: &Str = if bytes.len() <= Str::INLINE {
            let extra = Str::inline_bytes(bytes.len(), chars, 0);
            let s = heap.alloc(Str::new(Type::Str.shape(), bytes.len(), chars), extra, false);
            // SAFETY: allocated for this text.
            unsafe { s.place_inline(&[bytes], chars, 0) };
            s
        } else {
            // A name this long was a string or source text before; its copy counts as well.
            let _ = heap.charge(bytes.len());
            let made = Str::new(Type::Str.shape(), bytes.len(), chars);
            let s = heap.alloc(made, Str::OUTSIDE, true);
            // SAFETY: allocated with so much behind the struct.
            unsafe { s.place_owned(bytes.into()) };
            s
        };
        s.hash.set(hash);
        s.set_interned();
        t.insert_unique(hash as u64, (hash, s), |&(h, _)| h as u64);
        Value::object(s)
    }

    /// Interns a name of the VM itself.
    pub fn intern_static<'v>(
        &'v self,
        heap: &'v Heap,
        key: &StringKey,
        s: &'static str,
    ) -> Value<'v> {
        self.intern(heap, key, s.as_bytes())
    }

    /// The interned string of `bytes`, if there is one.
    pub fn find(&self, key: &StringKey, bytes: &[u8]) -> Option<Value<'_>> {
        let hash = key.hash(bytes);
        let t = self.table.borrow();
        // SAFETY: as in `intern`.
        let found = t.find(hash as u64, |&(h, s)| h == hash && unsafe { (*s).bytes() } == bytes);
        // SAFETY: as in `intern`.
        found.map(|&(_, s)| Value::object(unsafe { &*s }))
    }

    /// Removes dead strings: between mark and sweep.
    pub fn sweep(&self) {
        // SAFETY: nothing was swept yet, so every string is still there.
        self.table.borrow_mut().retain(|&mut (_, s)| unsafe { is_live(s.cast()) });
    }
}
