//! The value word: one NaN-boxed 64-bit word.
//!
//! ```text
//! 0 ..= 0xFFF8 << 48          a double as it is (0xFFF8 << 48 at most: NaNs are canonical)
//! 0xFFF9 << 48 | address      a pointer to a heap object (48-bit address)
//! 0xFFFA << 48 | n            a special: Empty, None, False, True, ..., and frame markers
//! 0xFFFC << 48 ..             an int v of 50 bits, stored as (0xFFFE << 48) + v
//! ```
//!
//! A [`Value`] carries the lifetime of a shared borrow of the VM. Collection needs `&mut Vm`, so
//! a value that is held across anything that can run script code does not compile. Objects store
//! plain [`Word`]s in cells; reading one gives a `Value` for as long as the VM is borrowed. What
//! has to survive is kept by a [`Handle`](crate::handles::Handle):
//!
//! ```
//! use miniscript_vm::{Vm, VmConfig, host::NullHost};
//!
//! let mut vm = Vm::new(&VmConfig::default(), Box::new(NullHost::default()));
//! let kept = {
//!     let v = vm.str("kept").unwrap();
//!     vm.retain(v)
//! };
//! vm.collect();
//! assert!(vm.handle(kept).is_some());
//! ```
//!
//! A value cannot be held across a collection,
//!
//! ```compile_fail,E0502
//! use miniscript_vm::{Vm, VmConfig, host::NullHost};
//!
//! let mut vm = Vm::new(&VmConfig::default(), Box::new(NullHost::default()));
//! let v = vm.str("lost").unwrap();
//! vm.collect();
//! assert!(v.is_object());
//! ```
//!
//! nor across a task that is resumed,
//!
//! ```compile_fail,E0502
//! use miniscript_vm::{Vm, interp::run::{Input, TaskId}};
//!
//! fn keep(vm: &mut Vm, task: TaskId) -> bool {
//!     let v = vm.dict();
//!     vm.resume(task, Input::Start);
//!     v.is_empty()
//! }
//! ```
//!
//! nor across a call that an extension's function makes,
//!
//! ```compile_fail,E0502
//! use miniscript_vm::{handles::Handle, interp::nested::Nest};
//!
//! fn keep(nest: &mut Nest, f: Handle) -> bool {
//!     let v = nest.vm().int(1 << 60);
//!     let _ = nest.call(f, &[], None);
//!     v.is_object()
//! }
//! ```
//!
//! and it does not outlive its VM.
//!
//! ```compile_fail,E0505
//! use miniscript_vm::{Vm, VmConfig, host::NullHost};
//!
//! let vm = Vm::new(&VmConfig::default(), Box::new(NullHost::default()));
//! let v = vm.str("gone").unwrap();
//! drop(vm);
//! assert!(v.is_object());
//! ```
//!
//! The same programs without what is forbidden do compile:
//!
//! ```no_run
//! use miniscript_vm::{Vm, handles::Handle, interp::nested::Nest, interp::run::{Input, TaskId}};
//!
//! fn keep(vm: &mut Vm, task: TaskId) -> bool {
//!     vm.resume(task, Input::Start);
//!     vm.dict().is_empty()
//! }
//!
//! fn call(nest: &mut Nest, f: Handle) -> bool {
//!     let _ = nest.call(f, &[], None);
//!     nest.vm().int(1 << 60).is_object()
//! }
//! ```

#![allow(unsafe_code)]

use std::marker::PhantomData;

use crate::code::op::Special;
use crate::heap::{Header, Kind, Object};

/// The raw bits of a value, as objects and registers store them.
pub type Word = u64;

const TAG_PTR: u64 = 0xFFF9 << 48;
const TAG_SPECIAL: u64 = 0xFFFA << 48;
const INT_MIN_WORD: u64 = 0xFFFC << 48;
/// The word of the int 0.
pub const INT_BIAS: u64 = 0xFFFE << 48;
const FLOAT_MAX_WORD: u64 = 0xFFF8 << 48;
const CANONICAL_NAN: u64 = 0x7FF8 << 48;

/// The word of [`Special::Empty`].
pub const EMPTY: Word = TAG_SPECIAL;
/// The word of `None`.
pub const NONE: Word = TAG_SPECIAL + Special::None as u64;
/// The word of `False`.
pub const FALSE: Word = TAG_SPECIAL + Special::False as u64;
/// The word of `True`.
pub const TRUE: Word = TAG_SPECIAL + Special::True as u64;

/// Smallest int that a word holds.
pub const SMALL_MIN: i64 = -(1 << 49);
/// Largest int that a word holds.
pub const SMALL_MAX: i64 = (1 << 49) - 1;

/// Frame markers: specials with one of these in bits 40..48 (see `interp::frame`).
pub mod marker {
    use super::*;
    /// A range iteration in a `for` state; the payload is the step as an i32.
    pub const RANGE: u64 = TAG_SPECIAL | 1 << 40;
    /// The delta word of a native or generator frame.
    pub const DELTA: u64 = TAG_SPECIAL | 2 << 40;
    /// The row word of a native frame.
    pub const ROW: u64 = TAG_SPECIAL | 3 << 40;
    const KIND_MASK: u64 = 0xFFFF_FF00_0000_0000;
    /// Whether `w` is a marker of `kind`.
    #[inline(always)]
    pub const fn is(w: Word, kind: u64) -> bool {
        w & KIND_MASK == kind
    }
}

/// Whether both words are small ints.
#[inline(always)]
pub const fn both_ints(a: Word, b: Word) -> bool {
    (a & b) >> 50 == 0x3FFF
}

/// Whether the word is a small int.
#[inline(always)]
pub const fn is_int(w: Word) -> bool {
    w >= INT_MIN_WORD
}

/// The int of a small-int word.
#[inline(always)]
pub const fn int_of(w: Word) -> i64 {
    w.wrapping_sub(INT_BIAS) as i64
}

/// The word of an int within [`SMALL_MIN`] ..= [`SMALL_MAX`].
#[inline(always)]
pub const fn int_word(v: i64) -> Word {
    INT_BIAS.wrapping_add(v as u64)
}

/// Whether `v` fits a small-int word.
#[inline(always)]
pub const fn fits_small(v: i64) -> bool {
    v >= SMALL_MIN && v <= SMALL_MAX
}

/// Whether the word is a double.
#[inline(always)]
pub const fn is_float(w: Word) -> bool {
    w <= FLOAT_MAX_WORD
}

/// The double of a float word.
#[inline(always)]
pub const fn float_of(w: Word) -> f64 {
    f64::from_bits(w)
}

/// The word of a double; every NaN becomes the canonical one.
#[inline(always)]
pub const fn float_word(f: f64) -> Word {
    if f.is_nan() { CANONICAL_NAN } else { f.to_bits() }
}

/// Whether the word points to an object.
#[inline(always)]
pub const fn is_ptr(w: Word) -> bool {
    w >> 48 == TAG_PTR >> 48
}

/// The object address of a pointer word.
#[inline(always)]
pub const fn ptr_of(w: Word) -> *mut Header {
    (w & 0xFFFF_FFFF_FFFF) as usize as *mut Header
}

/// The word of an object address.
#[inline(always)]
pub fn ptr_word(p: *const Header) -> Word {
    TAG_PTR | p as usize as u64
}

/// The word of a bool.
#[inline(always)]
pub const fn bool_word(b: bool) -> Word {
    FALSE + b as u64
}

/// A value, valid while the VM is borrowed for `'v`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Value<'v>(Word, PhantomData<&'v ()>);

impl<'v> Value<'v> {
    /// No value: absent argument, end of an iteration.
    pub const EMPTY: Value<'static> = Value(EMPTY, PhantomData);
    /// `None`.
    pub const NONE: Value<'static> = Value(NONE, PhantomData);
    /// `False`.
    pub const FALSE: Value<'static> = Value(FALSE, PhantomData);
    /// `True`.
    pub const TRUE: Value<'static> = Value(TRUE, PhantomData);
    /// `...`.
    pub const ELLIPSIS: Value<'static> = Value(TAG_SPECIAL + Special::Ellipsis as u64, PhantomData);
    /// `NotImplemented`.
    pub const NOT_IMPLEMENTED: Value<'static> =
        Value(TAG_SPECIAL + Special::NotImplemented as u64, PhantomData);

    /// The value of a stored word.
    ///
    /// # Safety
    /// `w` must be a word that the heap behind `'v` made and that is reachable, or was made
    /// since the last collection.
    #[inline(always)]
    pub const unsafe fn from_word(w: Word) -> Value<'v> {
        Value(w, PhantomData)
    }

    /// The raw word.
    #[inline(always)]
    pub const fn word(self) -> Word {
        self.0
    }

    /// A float value.
    #[inline(always)]
    pub const fn float(f: f64) -> Value<'static> {
        Value(float_word(f), PhantomData)
    }

    /// A bool value.
    #[inline(always)]
    pub const fn bool(b: bool) -> Value<'static> {
        Value(bool_word(b), PhantomData)
    }

    /// An int value, if it fits the word.
    #[inline(always)]
    pub const fn small(v: i64) -> Option<Value<'static>> {
        if fits_small(v) { Some(Value(int_word(v), PhantomData)) } else { None }
    }

    /// An int value of a number that is known to be small (lengths, codes, 32-bit numbers).
    #[inline(always)]
    pub const fn int32(v: i32) -> Value<'static> {
        Value(int_word(v as i64), PhantomData)
    }

    /// The value of a length or index (below 2^48 by the address space).
    #[inline(always)]
    pub const fn len(n: usize) -> Value<'static> {
        debug_assert!(n as u64 <= SMALL_MAX as u64);
        Value(int_word(n as i64), PhantomData)
    }

    /// A special value.
    pub const fn special(s: Special) -> Value<'static> {
        Value(TAG_SPECIAL + s as u64, PhantomData)
    }

    /// The value of an object.
    #[inline(always)]
    pub fn object<T: Object>(o: &'v T) -> Value<'v> {
        Value(ptr_word((o as *const T).cast()), PhantomData)
    }

    /// Whether it is [`Value::EMPTY`].
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.0 == EMPTY
    }

    /// Whether it is `None`.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == NONE
    }

    /// Whether it is `NotImplemented`.
    #[inline(always)]
    pub const fn is_not_implemented(self) -> bool {
        self.0 == TAG_SPECIAL + Special::NotImplemented as u64
    }

    /// Whether both are the same object (`is`).
    #[inline(always)]
    pub const fn is(self, other: Value<'_>) -> bool {
        self.0 == other.0
    }

    /// The small int, if it is one (bools are not).
    #[inline(always)]
    pub const fn as_small(self) -> Option<i64> {
        if is_int(self.0) { Some(int_of(self.0)) } else { None }
    }

    /// The float, if it is one.
    #[inline(always)]
    pub const fn as_float(self) -> Option<f64> {
        if is_float(self.0) { Some(float_of(self.0)) } else { None }
    }

    /// The bool, if it is one.
    #[inline(always)]
    pub const fn as_bool(self) -> Option<bool> {
        match self.0 {
            TRUE => Some(true),
            FALSE => Some(false),
            _ => None,
        }
    }

    /// Whether it points to a heap object.
    #[inline(always)]
    pub const fn is_object(self) -> bool {
        is_ptr(self.0)
    }

    /// The object's header, if it is an object.
    #[inline(always)]
    pub fn header(self) -> Option<&'v Header> {
        if is_ptr(self.0) {
            // SAFETY: a pointer word that a Value carries points to a live object: it was
            // reachable or fresh when the VM was borrowed, and collection needs `&mut Vm`.
            Some(unsafe { &*ptr_of(self.0) })
        } else {
            None
        }
    }

    /// The kind of the heap object, if it is one.
    #[inline(always)]
    pub fn kind(self) -> Option<Kind> {
        self.header().map(Header::kind)
    }

    /// The object as a `T`, if it is of that kind.
    #[inline(always)]
    pub fn get<T: Object>(self) -> Option<&'v T> {
        match self.header() {
            Some(h) if T::is_kind(h.kind()) => {
                // SAFETY: the header's kind says which struct starts at this address.
                Some(unsafe { &*(h as *const Header).cast::<T>() })
            }
            _ => None,
        }
    }

    /// Whether it is an object stored as a `T`.
    #[inline(always)]
    pub fn is_a<T: Object>(self) -> bool {
        self.header().is_some_and(|h| T::is_kind(h.kind()))
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind() {
            Some(k) => write!(f, "<{k:?} object>"),
            None if is_int(self.0) => write!(f, "{}", int_of(self.0)),
            None if is_float(self.0) => write!(f, "{}", float_of(self.0)),
            None => write!(f, "<special {:x}>", self.0 & 0xFFFF_FFFF_FFFF),
        }
    }
}

impl PartialEq for Value<'_> {
    /// Identity, not script equality.
    fn eq(&self, other: &Value<'_>) -> bool {
        self.0 == other.0
    }
}

impl Value<'_> {
    /// A row's address as an int, for the state of a row that goes on with another.
    pub(crate) fn address(row: &'static crate::native::Row) -> Value<'static> {
        Value(int_word(row as *const crate::native::Row as i64), PhantomData)
    }

    /// The row behind [`Value::address`].
    pub(crate) fn as_address(self) -> Option<&'static crate::native::Row> {
        let n = self.as_small()?;
        // SAFETY: the states of chained rows are made by `ops::truth::chain` alone, with the
        // addresses of static rows.
        Some(unsafe { &*(n as usize as *const crate::native::Row) })
    }
}
