//! Arithmetic and bits on small ints and floats.

#![allow(unsafe_code)]

use super::numbers::{more, unquicken};
use crate::code::op::Ins;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::value::*;

macro_rules! arith {
    ($pc:ident, $base:ident, $i:ident, $x:expr, $y:expr, $int:expr, $rest:expr) => {{
        let (x, y): (Word, Word) = ($x, $y);
        if both_ints(x, y) {
            if let Some(w) = $int(x, y) {
                *$base.add($i.a()) = w;
                return Next::Go($pc);
            }
        }
        Next::Tail($rest)
    }};
}

/// A float and an int as two floats.
#[inline(always)]
fn float_and_int(x: Word, y: Word) -> Option<(f64, f64)> {
    if is_float(x) && is_int(y) {
        Some((float_of(x), int_of(y) as f64))
    } else if is_int(x) && is_float(y) {
        Some((int_of(x) as f64, float_of(y)))
    } else {
        None
    }
}

/// The second operand in a register.
#[inline(always)]
unsafe fn register(base: *const Word, i: Ins) -> Word {
    // SAFETY: operands of verified code.
    unsafe { *base.add(i.c()) }
}

/// The second operand in the instruction.
#[inline(always)]
fn immediate(_: *const Word, i: Ins) -> Word {
    int_word(i64::from(i.imm()))
}

/// Arithmetic on a float and an int, whose rest is `more`.
macro_rules! mixed {
    ($($name:ident $op:tt $y:ident;)*) => {$(
        #[inline(never)]
        unsafe extern "sysv64" fn $name(
            pc: *const u32,
            base: *mut Word,
            ins: u64,
            k: *const Word,
            st: *mut State,
            table: *const Handler0,
        ) -> u64 {
            // SAFETY: the arguments of a handler.
            unsafe {
                let i = Ins(ins as u32);
                let Some((x, y)) = float_and_int(*base.add(i.b()), $y(base, i)) else {
                    return more(pc, base, ins, k, st, table);
                };
                *base.add(i.a()) = float_word(x $op y);
                goto!(pc, base, k, st, table)
            }
        }
    )*};
}

mixed! {
    mixed_add + register;
    mixed_sub - register;
    mixed_mul * register;
    mixed_addi + immediate;
    mixed_subi - immediate;
}

/// The quotient of two small ints, or of a float and one. They are exact as floats, so it is
/// rounded once.
#[inline(never)]
unsafe extern "sysv64" fn divide(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        let i = Ins(ins as u32);
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        let (x, y) = if both_ints(x, y) {
            (int_of(x) as f64, int_of(y) as f64)
        } else {
            match float_and_int(x, y) {
                Some(pair) => pair,
                None => return more(pc, base, ins, k, st, table),
            }
        };
        if y == 0.0 {
            return more(pc, base, ins, k, st, table);
        }
        *base.add(i.a()) = float_word(x / y);
        goto!(pc, base, k, st, table)
    }
}

#[inline(always)]
fn add_ints(x: Word, y: Word) -> Option<Word> {
    let w = x.wrapping_add(y.wrapping_sub(INT_BIAS));
    if is_int_sum(w) { Some(w) } else { None }
}

#[inline(always)]
fn sub_ints(x: Word, y: Word) -> Option<Word> {
    let w = x.wrapping_sub(y.wrapping_sub(INT_BIAS));
    if is_int_sum(w) { Some(w) } else { None }
}

#[inline(always)]
fn is_int_sum(w: Word) -> bool {
    w >> 50 == 0x3FFF
}

#[inline(always)]
fn mul_ints(x: Word, y: Word) -> Option<Word> {
    let p = int_of(x).checked_mul(int_of(y))?;
    if fits_small(p) { Some(int_word(p)) } else { None }
}

/// Whether `x` is an int from 0 on and `y` one from 1 on: their words are the largest ones.
#[inline(always)]
fn natural_pair(x: Word, y: Word) -> bool {
    x >= INT_BIAS && y > INT_BIAS
}

/// The forms for floats that instructions are rewritten to when they saw two (see `numbers`).
macro_rules! float_forms {
    ($($name:ident $op:tt;)*) => {$(
        #[allow(non_snake_case)]
        pub(super) unsafe extern "sysv64" fn $name(
            pc: *const u32,
            base: *mut Word,
            ins: u64,
            k: *const Word,
            st: *mut State,
            table: *const Handler0,
        ) -> u64 {
            // SAFETY: the arguments of a handler.
            unsafe {
                let i = Ins(ins as u32);
                // A word that is no float is a NaN, and makes the result one.
                let f = float_of(*base.add(i.b())) $op float_of(*base.add(i.c()));
                if f.is_nan() {
                    return unquicken(pc, base, ins, k, st, table);
                }
                *base.add(i.a()) = f.to_bits();
                goto!(pc, base, k, st, table)
            }
        }
    )*};
}

float_forms! {
    ADDF +;
    SUBF -;
    MULF *;
}

hot! {
    ADD |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints, mixed_add)
    }
    SUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints, mixed_sub)
    }
    MUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints, mixed_mul)
    }
    IADD |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints, mixed_add)
    }
    ISUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints, mixed_sub)
    }
    IMUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints, mixed_mul)
    }
    ADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints, mixed_addi)
    }
    SUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints, mixed_subi)
    }
    IADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints, mixed_addi)
    }
    ISUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints, mixed_subi)
    }
    TRUEDIV |pc, base, i, k, st| {
        // A word that is no float is a NaN, and makes the quotient one.
        let y = float_of(*base.add(i.c()));
        let f = float_of(*base.add(i.b())) / y;
        if y == 0.0 || f.is_nan() {
            return Next::Tail(divide);
        }
        *base.add(i.a()) = f.to_bits();
        Next::Go(pc)
    }
    FLOORDIV |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !natural_pair(x, y) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = INT_BIAS + (x - INT_BIAS) / (y - INT_BIAS);
        Next::Go(pc)
    }
    MOD |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !natural_pair(x, y) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = INT_BIAS + (x - INT_BIAS) % (y - INT_BIAS);
        Next::Go(pc)
    }
    BITAND |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(int_of(x) & int_of(y));
        Next::Go(pc)
    }
    BITOR |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(int_of(x) | int_of(y));
        Next::Go(pc)
    }
    BITXOR |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(int_of(x) ^ int_of(y));
        Next::Go(pc)
    }
    LSHIFT |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || !(0..=62).contains(&int_of(y)) {
            return Next::Tail(more);
        }
        let (v, s) = (int_of(x), int_of(y) as u32);
        let r = v.wrapping_shl(s);
        if r >> s != v || !fits_small(r) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(r);
        Next::Go(pc)
    }
    RSHIFT |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) < 0 {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(int_of(x) >> int_of(y).min(63));
        Next::Go(pc)
    }
    NEG |pc, base, i, k, st| {
        let x = *base.add(i.b());
        if is_float(x) {
            *base.add(i.a()) = float_word(-float_of(x));
            return Next::Go(pc);
        }
        if is_int(x) && fits_small(-int_of(x)) {
            *base.add(i.a()) = int_word(-int_of(x));
            return Next::Go(pc);
        }
        Next::Slow
    }
    POW |pc, base, i, k, st| { Next::Tail(more) }
    INPLACE |pc, base, i, k, st| { Next::Tail(super::numbers::inplace) }
}
