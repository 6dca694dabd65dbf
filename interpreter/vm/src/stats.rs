//! Counters for `--stats` and for tests that assert on them.

use std::cell::{Cell, OnceCell};

use crate::code::op::Op;

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
    /// Instructions executed, by opcode byte; there when somebody wants them counted.
    dispatches: OnceCell<Box<[Cell<u64>; 256]>>,
}

/// The instructions with an inline cache.
const CACHED: [Op; 5] = [Op::GETGLOBAL, Op::SETGLOBAL, Op::GETATTR, Op::SETATTR, Op::SELF];

impl Counters {
    pub(crate) fn bump(c: &Cell<u64>) {
        c.set(c.get() + 1);
    }

    /// Has instructions counted from the next run on, which makes them slower.
    pub fn count_dispatches(&self) {
        self.dispatches.get_or_init(|| Box::new([const { Cell::new(0) }; 256]));
    }

    pub(crate) fn counts_dispatches(&self) -> bool {
        self.dispatches.get().is_some()
    }

    #[inline(always)]
    pub(crate) fn dispatch(&self, op: usize) {
        if let Some(c) = self.dispatches.get().and_then(|d| d.get(op)) {
            Counters::bump(c);
        }
    }

    /// Instructions executed, if they are counted.
    pub fn dispatched(&self) -> u64 {
        self.dispatches.get().map_or(0, |d| d.iter().map(Cell::get).sum())
    }

    /// Inline cache lookups that found what they needed, if instructions are counted.
    pub fn cache_hits(&self) -> u64 {
        let lookups = self.dispatches.get().map_or(0, |d| {
            CACHED.iter().filter_map(|op| d.get(*op as usize)).map(Cell::get).sum::<u64>()
        });
        lookups.saturating_sub(self.cache_misses.get())
    }
}
