//! Numbers that do not fit a word.

#![allow(unsafe_code)]

use crate::heap::{Header, Kind, Marker, Object};

/// An int of 64 bits that is no small int.
#[repr(C)]
pub struct Int64 {
    head: Header,
    /// The number; always outside of the small range.
    pub value: i64,
}

/// An int that does not fit 64 bits (or an instance of a subclass of `int`, of any size).
#[repr(C)]
pub struct BigIntObj {
    head: Header,
    /// The number.
    pub value: num_bigint::BigInt,
}

/// A complex number.
#[repr(C)]
pub struct Complex {
    head: Header,
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Int64 {
    /// See [`crate::Vm::int`].
    pub(crate) fn new(shape: u32, value: i64) -> Int64 {
        Int64 { head: Header::new(Kind::Int64, shape), value }
    }
}

impl BigIntObj {
    /// See [`crate::Vm::bigint`].
    pub(crate) fn new(shape: u32, value: num_bigint::BigInt) -> BigIntObj {
        BigIntObj { head: Header::new(Kind::BigInt, shape), value }
    }
}

impl Complex {
    /// See [`crate::Vm::complex`].
    pub(crate) fn new(shape: u32, re: f64, im: f64) -> Complex {
        Complex { head: Header::new(Kind::Complex, shape), re, im }
    }
}

// SAFETY: repr(C) with the header first; they hold no words.
unsafe impl Object for Int64 {
    const KIND: Kind = Kind::Int64;
    fn trace(&self, _: &mut Marker) {}
}

// SAFETY: as above.
unsafe impl Object for BigIntObj {
    const KIND: Kind = Kind::BigInt;
    const DROPS: bool = true;
    fn trace(&self, _: &mut Marker) {}
    fn owned_bytes(&self) -> usize {
        (self.value.bits() as usize).div_ceil(8)
    }
}

// SAFETY: as above.
unsafe impl Object for Complex {
    const KIND: Kind = Kind::Complex;
    fn trace(&self, _: &mut Marker) {}
}
