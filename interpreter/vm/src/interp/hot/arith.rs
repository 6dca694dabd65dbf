//! Arithmetic and bits on small ints and floats.

#![allow(unsafe_code)]

use super::numbers::{more, unquicken};
use crate::code::op::Ins;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::value::*;

macro_rules! arith {
    ($pc:ident, $base:ident, $i:ident, $x:expr, $y:expr, $int:expr) => {{
        let (x, y): (Word, Word) = ($x, $y);
        if both_ints(x, y) {
            if let Some(w) = $int(x, y) {
                *$base.add($i.a()) = w;
                return Next::Go($pc);
            }
        }
        Next::Tail(more)
    }};
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
                let (x, y) = (*base.add(i.b()), *base.add(i.c()));
                if is_float(x) && is_float(y) {
                    *base.add(i.a()) = float_word(float_of(x) $op float_of(y));
                    goto!(pc, base, k, st, table)
                }
                return unquicken(pc, base, ins, k, st, table);
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
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints)
    }
    SUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints)
    }
    MUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints)
    }
    IADD |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints)
    }
    ISUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints)
    }
    IMUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints)
    }
    ADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints)
    }
    SUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints)
    }
    IADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints)
    }
    ISUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints)
    }
    TRUEDIV |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if is_float(x) && is_float(y) && float_of(y) != 0.0 {
            *base.add(i.a()) = float_word(float_of(x) / float_of(y));
            return Next::Go(pc);
        }
        Next::Tail(more)
    }
    FLOORDIV |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) == 0 {
            return Next::Tail(more);
        }
        let (n, d) = (int_of(x), int_of(y));
        let q = n.wrapping_div(d);
        let q = if (n % d != 0) && ((n < 0) != (d < 0)) { q - 1 } else { q };
        if !fits_small(q) {
            return Next::Tail(more);
        }
        *base.add(i.a()) = int_word(q);
        Next::Go(pc)
    }
    MOD |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) == 0 {
            return Next::Tail(more);
        }
        let (n, d) = (int_of(x), int_of(y));
        let r = n.wrapping_rem(d);
        let r = if r != 0 && ((r < 0) != (d < 0)) { r + d } else { r };
        *base.add(i.a()) = int_word(r);
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
