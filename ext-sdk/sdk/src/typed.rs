//! Typed entries: the same Rust function, without boxing and without an error path. An error or
//! a panic asks the host to repeat the call through the ordinary entry, which reports it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A result that a typed entry can give: the plain value, or one that may fail.
pub trait Typed<T> {
    /// The value, or None to ask for the repetition.
    fn plain(self) -> Option<T>;
}

impl<T> Typed<T> for T {
    fn plain(self) -> Option<T> {
        Some(self)
    }
}

impl<T, E> Typed<T> for Result<T, E> {
    fn plain(self) -> Option<T> {
        self.ok()
    }
}

fn guarded<T, R: Typed<T>>(work: impl FnOnce() -> R) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok().and_then(R::plain)
}

/// Body of an entry with a double result.
#[inline(always)]
pub fn typed_float<R: Typed<f64>>(work: impl FnOnce() -> R) -> f64 {
    guarded(work).unwrap_or(f64::NAN)
}

/// Body of an entry with an integer result.
///
/// # Safety
/// `flag` is the host's and writable.
#[inline(always)]
pub unsafe fn typed_int<R: Typed<i64>>(flag: *mut u32, work: impl FnOnce() -> R) -> i64 {
    guarded(work).unwrap_or_else(|| {
        // SAFETY: by contract.
        unsafe { *flag = 1 };
        0
    })
}

/// Body of an entry with a bool result.
#[inline(always)]
pub fn typed_bool<R: Typed<bool>>(work: impl FnOnce() -> R) -> u32 {
    guarded(work).map_or(2, u32::from)
}
