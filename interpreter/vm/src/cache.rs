//! Inline caches: what the attribute and name instructions remember.
//!
//! A cache is four words among the constants of its code: the name, a key, and two more.
//!
//! | key                       | kind           | second word           | third word          |
//! |---------------------------|----------------|-----------------------|---------------------|
//! | shape, INLINE             | own attribute  | byte offset           |                     |
//! | shape, SLOT               | `__slots__`    | byte offset           |                     |
//! | shape, MORE               | own attribute  | slot in the block     |                     |
//! | shape, CLASS              | class's value  | the value             |                     |
//! | shape, METHOD             | class's method | the function          |                     |
//! | shape, ADD                | new attribute  | byte offset           | new shape           |
//! | shape, OBJECT             | of one object  | the value             | the object (a class) |
//! | shape, ITEM              | tuple's item   | index                 |                     |
//! | shape, CLASS_METHOD       | class method   | the function          | the class           |
//! | GLOBAL                    | global         | entry                 |                     |
//! | globals version, BUILTIN  | builtin        | entry in the builtins | address of globals  |
//!
//! What an attribute instruction remembered for another shape before moves to a second level
//! ([`Sites`]), one small table for the whole VM: a site that sees several shapes finds each there.
//!
//! A name of a class that is given new values again and again (a counter) is *volatile*: what is
//! found in a class under it is not cached, so that storing it need not empty the caches.
//!
//! Shape numbers are never reused, class changes empty all caches, and dict versions count every
//! structural change, so a key that matches is enough. Where a global was is only a guess: the
//! entry there must have the name as its key.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};

use crate::Vm;
use crate::object::func::Code;
use crate::stats::Counters;
use crate::value::Word;

/// Kinds of a cache, in the upper half of its key.
pub mod kind {
    /// Nothing remembered.
    pub const NONE: u64 = 0;
    /// Attribute behind an instance.
    pub const INLINE: u64 = 1 << 32;
    /// Attribute in a block.
    pub const MORE: u64 = 2 << 32;
    /// A value of the class.
    pub const CLASS: u64 = 3 << 32;
    /// A method of the class.
    pub const METHOD: u64 = 4 << 32;
    /// An attribute that a store adds.
    pub const ADD: u64 = 5 << 32;
    /// Attribute of a module; the key is the version.
    pub const MODULE: u64 = 6 << 32;
    /// An attribute of one object, a class.
    pub const OBJECT: u64 = 7 << 32;
    /// A class method of one class.
    pub const CLASS_METHOD: u64 = 8 << 32;
    /// A slot behind an instance, which may be Empty.
    pub const SLOT: u64 = 9 << 32;
    /// An item of a tuple, whose class has a name for it.
    pub const ITEM: u64 = 10 << 32;
    /// A global of the running frame. Beyond what keys of attributes are.
    pub const GLOBAL: u64 = 1 << 40;
    /// A builtin that the globals do not hide; the lower bits are their version.
    pub const BUILTIN: u64 = 1 << 63;
    /// The bits of the kind.
    pub const MASK: u64 = 0xFF << 32;
}

/// The second level of the attribute caches: rows as in a cache, but with the address of the
/// cache in place of the name. Emptied with the caches, and by each collection (a code object may
/// be gone, and another lie there).
pub struct Sites {
    rows: UnsafeCell<Vec<[u64; 4]>>,
    /// Whether there is anything to forget: classes are made by many changes.
    used: Cell<bool>,
}

const SITES: usize = 512;

impl Default for Sites {
    fn default() -> Sites {
        Sites { rows: UnsafeCell::new(vec![[0; 4]; SITES]), used: Cell::new(false) }
    }
}

impl Sites {
    /// The row for objects of `shape` at the instruction with cache `site`.
    #[inline(always)]
    pub(crate) fn row(&self, site: *const Word, shape: u32) -> *mut [u64; 4] {
        let n = (site as usize >> 4) ^ (shape as usize).wrapping_mul(37);
        // SAFETY: below the length. The dispatch loop and this module are the only users, and
        // hold no reference.
        unsafe { (*self.rows.get()).as_mut_ptr().add(n % SITES) }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        if self.used.replace(false) {
            // SAFETY: as above.
            unsafe { (*self.rows.get()).fill([0; 4]) };
        }
    }
}

/// Whether a cache with this key knows an object by its address, so that it must keep it alive.
pub(crate) fn holds_object(key: u64) -> bool {
    matches!(key & !0xFFFF_FFFF, kind::OBJECT | kind::CLASS_METHOD)
}

/// Forgets what the caches of a code object remember.
pub(crate) fn flush(code: *const Code) {
    // SAFETY: the list of cached codes holds live ones: dead ones are swept out of it.
    unsafe { (*code).flush() };
}

impl Vm {
    /// Fills the cache at constant index `at` of the running code.
    pub(crate) fn fill_cache(&self, at: usize, key: u64, second: Word, third: Word) {
        let Some(code) = self.frame_code() else { return };
        if !code.cached.replace(true) {
            self.cached_codes.borrow_mut().push(code);
        }
        // SAFETY: only the dispatch loop and this function touch caches, one at a time.
        unsafe {
            let c: *mut Word = code.k[at].get();
            let old = *c.add(1);
            let attributes = kind::INLINE..=kind::ITEM | 0xFFFF_FFFF;
            if attributes.contains(&old) && attributes.contains(&key) {
                let row = self.st.sites.row(c, old as u32);
                *row = [c as u64, old, *c.add(2), *c.add(3)];
                self.st.sites.used.set(true);
            }
            for (i, w) in [key, second, third].into_iter().enumerate() {
                *c.add(1 + i) = w;
            }
        }
        Counters::bump(&self.counters.cache_fills);
    }

    /// The name of the cache at constant index `at` of the running code.
    pub(crate) fn cache_name(&self, at: usize) -> crate::Value<'_> {
        // SAFETY: the constants of the running frame; `at` was verified.
        let w = unsafe { *self.st.k.get().add(at) };
        self.word_value(w)
    }
}
