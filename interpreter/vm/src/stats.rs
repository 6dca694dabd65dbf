//! Counters for `--stats` and for tests that assert on them.

use std::cell::Cell;

/// Counters of the interpreter, apart from the heap's.
#[derive(Default, Debug)]
pub struct Counters {
    /// Inline caches filled.
    pub cache_fills: Cell<u64>,
    /// Inline cache lookups that went the slow way.
    pub cache_misses: Cell<u64>,
    /// Instructions rewritten to a specialised form.
    pub quickenings: Cell<u64>,
    /// Times that all caches were emptied.
    pub cache_flushes: Cell<u64>,
    /// Slow paths of instructions taken.
    pub slow_paths: Cell<u64>,
}

impl Counters {
    pub(crate) fn bump(c: &Cell<u64>) {
        c.set(c.get() + 1);
    }
}
