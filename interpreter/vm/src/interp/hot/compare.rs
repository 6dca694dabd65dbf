//! Comparisons, branches, jumps.

#![allow(unsafe_code)]

use super::{STR_SHAPE, obj, shape_of};
use crate::code::op::{Ins, Op};
use crate::interp::dispatch::{ENDED, Flow, Handler0, Next, slow_path};
use crate::interp::state::State;
use crate::object::text::Str;
use crate::value::*;

/// A backward jump to `pc` with its fuel spent.
#[cold]
#[inline(never)]
pub(super) unsafe extern "sysv64" fn at_safepoint(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        match slow_path(|vm, _, _| vm.safepoint(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

/// Jumps by `d` words from `pc`; backwards costs fuel.
#[inline(always)]
pub(super) unsafe fn jump_by(pc: *const u32, d: isize, st: *mut State) -> Next {
    // SAFETY: jump targets were verified.
    unsafe {
        let to = pc.offset(d);
        if d < 0 {
            let fuel = (*st).fuel.get() - 1;
            (*st).fuel.set(fuel);
            if fuel <= 0 {
                return Next::Safepoint(to);
            }
        }
        Next::Go(to)
    }
}

/// The branch at `pc` after a comparison with result `truth`.
#[inline(always)]
pub(super) unsafe fn branch_at(pc: *const u32, truth: bool, st: *mut State) -> Next {
    // SAFETY: a BRT or BRF follows every fused comparison.
    unsafe {
        let b = Ins(*pc);
        let taken = truth == (b.op() == Op::BRT as u8);
        if taken { jump_by(pc.add(1), b.sbx() as isize, st) } else { Next::Go(pc.add(1)) }
    }
}

macro_rules! compare {
    ($pc:ident, $base:ident, $i:ident, $st:ident, $x:expr, $y:expr, $op:tt, $done:expr) => {{
        let (x, y): (Word, Word) = ($x, $y);
        let truth = if both_ints(x, y) {
            x $op y
        } else if is_float(x) && is_float(y) {
            float_of(x) $op float_of(y)
        } else {
            return Next::Slow;
        };
        $done(truth)
    }};
}

macro_rules! fused {
    ($($name:ident $imm:ident $op:tt;)*) => {
        hot! {$(
            $name |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), *base.add(i.c()), $op,
                    |t| branch_at(pc, t, st))
            }
            $imm |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), int_word(i64::from(i.imm())), $op,
                    |t| branch_at(pc, t, st))
            }
        )*}
    };
}

fused! {
    JLT JLTI <;
    JLE JLEI <=;
    JGT JGTI >;
    JGE JGEI >=;
}

macro_rules! comparisons {
    ($($name:ident $op:tt;)*) => {
        hot! {$(
            $name |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), *base.add(i.c()), $op, |t: bool| {
                    *base.add(i.a()) = bool_word(t);
                    Next::Go(pc)
                })
            }
        )*}
    };
}

comparisons! {
    LT <;
    LE <=;
    GT >;
    GE >=;
}

/// Equality of words that are no objects and no floats, or the same interned string.
#[inline(always)]
unsafe fn quick_eq(x: Word, y: Word) -> Option<bool> {
    if both_ints(x, y) {
        return Some(x == y);
    }
    if is_float(x) && is_float(y) {
        return Some(float_of(x) == float_of(y));
    }
    // SAFETY: pointer words point to live objects.
    unsafe {
        if is_ptr(x) && is_ptr(y) && shape_of(x) == STR_SHAPE && shape_of(y) == STR_SHAPE {
            if x == y {
                return Some(true);
            }
            let (a, b) = (&*obj::<Str>(x), &*obj::<Str>(y));
            if a.is_interned() && b.is_interned() {
                return Some(false);
            }
            return Some(a.bytes() == b.bytes());
        }
    }
    if x == NONE || y == NONE {
        if x == y {
            return Some(true);
        }
        // None equals nothing else but objects with an __eq__ of their own.
        if !is_ptr(x) && !is_ptr(y) {
            return Some(false);
        }
    }
    None
}

hot! {
    IS |pc, base, i, k, st| {
        *base.add(i.a()) = bool_word(*base.add(i.b()) == *base.add(i.c()));
        Next::Go(pc)
    }
    ISNOT |pc, base, i, k, st| {
        *base.add(i.a()) = bool_word(*base.add(i.b()) != *base.add(i.c()));
        Next::Go(pc)
    }
    JIS |pc, base, i, k, st| { branch_at(pc, *base.add(i.b()) == *base.add(i.c()), st) }
    JISNOT |pc, base, i, k, st| { branch_at(pc, *base.add(i.b()) != *base.add(i.c()), st) }
    EQ |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => *base.add(i.a()) = bool_word(t),
            None => return Next::Slow,
        }
        Next::Go(pc)
    }
    NE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => *base.add(i.a()) = bool_word(!t),
            None => return Next::Slow,
        }
        Next::Go(pc)
    }
    JEQ |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Slow,
        }
    }
    JNE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Slow,
        }
    }
    JEQI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Slow,
        }
    }
    JNEI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Slow,
        }
    }
    BRT |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => jump_by(pc, i.sbx() as isize, st),
            FALSE | NONE => Next::Go(pc),
            w if is_int(w) => {
                if w == INT_BIAS { Next::Go(pc) } else { jump_by(pc, i.sbx() as isize, st) }
            }
            _ => Next::Slow,
        }
    }
    BRF |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => Next::Go(pc),
            FALSE | NONE => jump_by(pc, i.sbx() as isize, st),
            w if is_int(w) => {
                if w == INT_BIAS { jump_by(pc, i.sbx() as isize, st) } else { Next::Go(pc) }
            }
            _ => Next::Slow,
        }
    }
    JUMP |pc, base, i, k, st| { jump_by(pc, i.sj() as isize, st) }
}
