//! Typed entries: machine functions of an extension on plain numbers.
//!
//! A typed entry has no side effects and no error path. Where the arguments do not fit its types,
//! or its result is not finite (or its flag is set), the call is repeated the ordinary way, which
//! raises what there is to raise.

#![allow(unsafe_code)]

use crate::Vm;
use crate::value::{Value, Word, float_of, int_of, is_float, is_int};

/// A typed entry by its signature.
///
/// Whoever makes one vouches that the pointer has the signature, stays valid for the life of the
/// process and may be called with any numbers.
#[derive(Clone, Copy)]
#[allow(missing_docs, non_camel_case_types)]
pub enum TypedFn {
    F_F(unsafe extern "C" fn(f64) -> f64),
    FF_F(unsafe extern "C" fn(f64, f64) -> f64),
    FFF_F(unsafe extern "C" fn(f64, f64, f64) -> f64),
    I_I(unsafe extern "C" fn(i64, *mut u32) -> i64),
    II_I(unsafe extern "C" fn(i64, i64, *mut u32) -> i64),
    F_I(unsafe extern "C" fn(f64, *mut u32) -> i64),
    F_B(unsafe extern "C" fn(f64) -> u32),
    I_F(unsafe extern "C" fn(i64) -> f64),
}

/// A number that a double parameter takes: small ints are exact as doubles.
#[inline(always)]
fn double(w: Word) -> Option<f64> {
    if is_float(w) {
        Some(float_of(w))
    } else if is_int(w) {
        Some(int_of(w) as f64)
    } else {
        None
    }
}

#[inline(always)]
fn int(w: Word) -> Option<i64> {
    if is_int(w) { Some(int_of(w)) } else { None }
}

#[inline(always)]
fn finite(f: f64) -> Option<Value<'static>> {
    if f.is_finite() { Some(Value::float(f)) } else { None }
}

impl TypedFn {
    /// Number of parameters.
    pub const fn arg_count(self) -> usize {
        match self {
            TypedFn::FFF_F(_) => 3,
            TypedFn::FF_F(_) | TypedFn::II_I(_) => 2,
            _ => 1,
        }
    }

    /// Calls it if the arguments fit; `None` if the call must be made the ordinary way.
    #[inline]
    pub fn call<'v>(self, vm: &'v Vm, args: &[Value<'v>]) -> Option<Value<'v>> {
        // SAFETY: see the type: the pointer has this signature.
        unsafe {
            match (self, args) {
                (TypedFn::F_F(f), [a]) => finite(f(double(a.word())?)),
                (TypedFn::FF_F(f), [a, b]) => finite(f(double(a.word())?, double(b.word())?)),
                (TypedFn::FFF_F(f), [a, b, c]) => {
                    finite(f(double(a.word())?, double(b.word())?, double(c.word())?))
                }
                (TypedFn::F_B(f), [a]) => match f(double(a.word())?) {
                    0 => Some(Value::FALSE),
                    1 => Some(Value::TRUE),
                    _ => None,
                },
                (TypedFn::I_F(f), [a]) => finite(f(int(a.word())?)),
                _ => self.call_flagged(vm, args),
            }
        }
    }

    /// The kinds with a flag. Not inlined: the address of a local leaves this frame, and with one
    /// such local a handler's last call would no longer be a sibling call.
    #[inline(never)]
    fn call_flagged<'v>(self, vm: &'v Vm, args: &[Value<'v>]) -> Option<Value<'v>> {
        let mut flag = 0u32;
        // SAFETY: as in `call`.
        let r = unsafe {
            match (self, args) {
                (TypedFn::I_I(f), [a]) => f(int(a.word())?, &mut flag),
                (TypedFn::II_I(f), [a, b]) => f(int(a.word())?, int(b.word())?, &mut flag),
                (TypedFn::F_I(f), [a]) => f(double(a.word())?, &mut flag),
                _ => return None,
            }
        };
        (flag == 0).then(|| vm.int(r))
    }
}
