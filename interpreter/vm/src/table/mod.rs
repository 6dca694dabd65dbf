//! The hash tables behind `dict`, `set` and `frozenset`: they store words and hashes and know
//! nothing of the values those words stand for, so equality is always the caller's.

pub mod dict;
pub mod set;

pub use dict::DictTable;
pub use set::SetTable;

/// A table could not get the memory it needs; the table is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllocError;

impl From<std::collections::TryReserveError> for AllocError {
    fn from(_: std::collections::TryReserveError) -> Self {
        AllocError
    }
}

/// How far the hash is shifted at each further probe, in both tables, as in CPython.
const PERTURB_SHIFT: u32 = 5;

/// The hash no object has (`hash()` maps it to -2): it marks the cells that hold no key.
const NO_HASH: i64 = -1;

/// Where a probe stands after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStep {
    /// The key at this entry has the probed hash: compare it, then step on if it is not equal.
    Candidate(usize),
    /// No further candidate: the key is absent and may be inserted here.
    Absent(InsertSlot),
}

/// A place for an absent key, good until the next mutation of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InsertSlot(usize);
