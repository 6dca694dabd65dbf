//! Inline caches: what the attribute and name instructions remember.
//!
//! A cache is four words among the constants of its code: the name, a key, and two more.
//!
//! | key                       | kind           | second word           | third word          |
//! |---------------------------|----------------|-----------------------|---------------------|
//! | shape, INLINE             | own attribute  | byte offset           |                     |
//! | shape, MORE               | own attribute  | slot in the block     |                     |
//! | shape, CLASS              | class's value  | the value             |                     |
//! | shape, METHOD             | class's method | the function          |                     |
//! | shape, ADD                | new attribute  | byte offset           | new shape           |
//! | dict version, GLOBAL      | global         | entry                 | address of the dict |
//! | builtins version, BUILTIN | builtin        | entry, globals version| address of globals  |
//!
//! Shape numbers are never reused, class changes empty all caches, and dict versions count every
//! structural change, so a key that matches is enough.

#![allow(unsafe_code)]

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
        for (i, w) in [key, second, third].into_iter().enumerate() {
            // SAFETY: only the dispatch loop and this function touch caches, one at a time.
            unsafe { *code.k[at + 1 + i].get() = w };
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
