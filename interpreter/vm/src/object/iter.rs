//! Builtin iterators: one struct for all, with a function that makes the next item.

#![allow(unsafe_code)]

use std::cell::Cell;

use super::read;
use crate::Vm;
use crate::heap::{Header, Kind, Marker, Object};
use crate::native::NResult;
use crate::value::{Value, Word};

/// Makes the next item: Empty at the end. It may ask for calls like any native.
pub type NextFn = for<'v> fn(&'v Vm, &'v Iter) -> NResult<'v>;

/// Flag: the items come without calls.
const LEAF: u8 = 1;

/// A builtin iterator (list, dict, zip, map, ...); the class says which.
#[repr(C)]
pub struct Iter {
    head: Header,
    /// Makes the next item.
    pub next: NextFn,
    /// What it iterates over and whatever else it needs; meaning by `next`.
    pub w: [Cell<Word>; 3],
    /// Position; meaning by `next`.
    pub n: Cell<usize>,
    /// Another number; meaning by `next`.
    pub m: Cell<u64>,
}

impl Iter {
    pub(crate) fn new(shape: u32, next: NextFn, w: [Value<'_>; 3], n: usize, m: u64) -> Iter {
        Iter {
            head: Header::new(Kind::Iter, shape),
            next,
            w: w.map(|v| Cell::new(v.word())),
            n: Cell::new(n),
            m: Cell::new(m),
        }
    }

    /// Word `i` as a value.
    #[inline(always)]
    pub fn get(&self, i: usize) -> Value<'_> {
        read(&self.w[i])
    }

    /// Whether it gives its items without calls, and so do all iterators behind it.
    pub fn is_leaf(&self) -> bool {
        self.head.flags.get() & LEAF != 0
    }

    /// Says that it gives its items without calls, through `depth` iterators behind it.
    pub fn set_leaf(&self, depth: u16) {
        self.head.flags.set(self.head.flags.get() | LEAF);
        self.head.aux.set(depth);
    }

    /// How many iterators of its items lie behind it, if all give theirs without calls.
    pub fn leaf_depth(&self) -> Option<u16> {
        self.is_leaf().then(|| self.head.aux.get())
    }

    /// Sets word `i`.
    pub fn set(&self, i: usize, v: Value<'_>) {
        self.w[i].set(v.word());
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Iter {
    const KIND: Kind = Kind::Iter;
    fn trace(&self, m: &mut Marker) {
        for c in &self.w {
            m.cell(c);
        }
    }
}
