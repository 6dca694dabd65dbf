//! The structs that live on the heap, with safe access to what they hold. What scripts can do
//! with them is in `builtins`.
//!
//! Objects are shared (`&T`) while the VM is borrowed, so their fields are cells. `RefCell` is
//! used where a slice is lent out: a leaf native that changes a list while it walks it is a bug
//! of ours and panics instead of reading freed memory.

pub mod class;
pub mod deque;
pub mod exc;
pub mod func;
pub mod generator;
pub mod instance;
pub mod iter;
pub mod map;
pub mod num;
pub mod opaque;
pub mod record;
pub mod seq;
pub mod shape;
pub mod text;
pub mod view;
pub mod weak;

/// Reads a cell that holds a word as a value borrowed like its object.
#[allow(unsafe_code)]
#[inline(always)]
pub fn read<'v>(c: &'v std::cell::Cell<crate::value::Word>) -> crate::value::Value<'v> {
    // SAFETY: cells of reachable objects hold words of reachable objects.
    unsafe { crate::value::Value::from_word(c.get()) }
}

/// A word out of an object that is borrowed for `'v`, as a value.
#[allow(unsafe_code)]
#[inline(always)]
pub(crate) fn lend<T: ?Sized>(_owner: &T, w: crate::value::Word) -> crate::value::Value<'_> {
    // SAFETY: as in `read`; the owner keeps it reachable while it is borrowed, or the borrow of
    // the VM behind it keeps the collector away.
    unsafe { crate::value::Value::from_word(w) }
}
