//! Comparisons, branches, jumps.

#![allow(unsafe_code)]

use super::{DICT_SHAPE, LIST_SHAPE, STR_SHAPE, TUPLE_SHAPE, at_op, obj, shape_of};
use crate::builtins::Type;
use crate::code::op::{Ins, Op};
use crate::interp::dispatch::{ENDED, Flow, Handler0, Next, slow_path};
use crate::interp::state::State;
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
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
        } else {
            // A word that is no float is a NaN.
            let (x, y) = (float_of(x), float_of(y));
            if x.is_nan() || y.is_nan() {
                return Next::Tail(super::numbers::order);
            }
            x $op y
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

/// Equality of small ints, and of None and bools with themselves.
#[inline(always)]
fn quick_eq(x: Word, y: Word) -> Option<bool> {
    if both_ints(x, y) {
        return Some(x == y);
    }
    // Words of specials and ints are above those of floats and pointers.
    if x == y && x >= EMPTY {
        return Some(true);
    }
    None
}

/// Equality of floats and of interned strings, for which no call is needed.
#[inline(always)]
unsafe fn direct_eq(x: Word, y: Word) -> Option<bool> {
    if is_float(x) && is_float(y) {
        return Some(float_of(x) == float_of(y));
    }
    if !is_ptr(x) || !is_ptr(y) {
        return None;
    }
    // SAFETY: pointer words point to live objects of the checked shape.
    unsafe {
        if shape_of(x) != STR_SHAPE || shape_of(y) != STR_SHAPE {
            return None;
        }
        let same = x == y;
        let known = same || ((*obj::<Str>(x)).is_interned() && (*obj::<Str>(y)).is_interned());
        if known { Some(same) } else { None }
    }
}

/// EQ, NE and their fused forms of floats and interned strings.
#[inline(never)]
unsafe extern "sysv64" fn equal_words(
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
        let Some(eq) = direct_eq(*base.add(i.b()), *base.add(i.c())) else {
            return equal(pc, base, ins, k, st, table);
        };
        let truth = eq == (i.op() == Op::EQ as u8 || i.op() == Op::JEQ as u8);
        if i.op() == Op::EQ as u8 || i.op() == Op::NE as u8 {
            *base.add(i.a()) = bool_word(truth);
            goto!(pc, base, k, st, table)
        }
        match branch_at(pc, truth, st) {
            Next::Safepoint(to) => return at_safepoint(to, base, ins, k, st, table),
            Next::Go(to) => goto!(to, base, k, st, table),
            _ => slow!(pc, base, ins, k, st, table),
        }
    }
}

/// Equality of strings, of mixed numbers, and of None with what has no `__eq__`; `None` where
/// somebody else must say.
#[inline(never)]
unsafe fn eq_more(x: Word, y: Word) -> Option<bool> {
    // SAFETY: pointer words point to live objects of the checked shape.
    unsafe {
        if is_ptr(x) && is_ptr(y) {
            if shape_of(x) != STR_SHAPE || shape_of(y) != STR_SHAPE {
                return None;
            }
            if x == y {
                return Some(true);
            }
            let (a, b) = (&*obj::<Str>(x), &*obj::<Str>(y));
            return Some(!(a.is_interned() && b.is_interned()) && a.same_text(b));
        }
        if is_int(x) && is_float(y) {
            return Some(int_of(x) as f64 == float_of(y));
        }
        if is_float(x) && is_int(y) {
            return Some(float_of(x) == int_of(y) as f64);
        }
        let other = if x == NONE { y } else { x };
        if x == NONE || y == NONE {
            // None equals nothing else but objects with an __eq__ of their own.
            let plain = !is_ptr(other) || shape_of(other) < Type::ALL.len() as u32;
            return if plain { Some(false) } else { None };
        }
        None
    }
}

/// The rest of EQ, NE and their fused forms.
#[inline(never)]
unsafe extern "sysv64" fn equal(
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
        let op = at_op(i);
        let immediate = matches!(op, Op::JEQI | Op::JNEI);
        let y = if immediate { int_word(i64::from(i.imm())) } else { *base.add(i.c()) };
        let Some(eq) = eq_more(*base.add(i.b()), y) else { slow!(pc, base, ins, k, st, table) };
        let truth = eq == matches!(op, Op::EQ | Op::JEQ | Op::JEQI);
        if !op.takes_branch() {
            *base.add(i.a()) = bool_word(truth);
            goto!(pc, base, k, st, table)
        }
        match branch_at(pc, truth, st) {
            Next::Safepoint(to) => return at_safepoint(to, base, ins, k, st, table),
            Next::Go(to) => goto!(to, base, k, st, table),
            _ => slow!(pc, base, ins, k, st, table),
        }
    }
}

/// The truth of numbers and builtin containers; `None` where a method must say.
#[inline(always)]
unsafe fn truth_of(w: Word) -> Option<bool> {
    if is_int(w) {
        return Some(w != INT_BIAS);
    }
    if is_float(w) {
        return Some(float_of(w) != 0.0);
    }
    if !is_ptr(w) {
        return match w {
            TRUE => Some(true),
            FALSE | NONE => Some(false),
            _ => None,
        };
    }
    // SAFETY: a pointer word points to a live object, of the kind that its shape says.
    unsafe {
        match shape_of(w) {
            STR_SHAPE => Some(!(*obj::<Str>(w)).bytes().is_empty()),
            LIST_SHAPE => Some(!(*(*obj::<List>(w)).items.get()).is_empty()),
            TUPLE_SHAPE => Some(!(*obj::<Tuple>(w)).is_empty()),
            DICT_SHAPE => Some(!(*(*obj::<Dict>(w)).table_ptr()).is_empty()),
            _ => None,
        }
    }
}

/// The rest of BRT, BRF and NOT.
#[inline(never)]
unsafe extern "sysv64" fn truth(
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
        let op = at_op(i);
        let tested = *base.add(if op == Op::NOT { i.b() } else { i.a() });
        let Some(truth) = truth_of(tested) else { slow!(pc, base, ins, k, st, table) };
        if op == Op::NOT {
            *base.add(i.a()) = bool_word(!truth);
            goto!(pc, base, k, st, table)
        }
        let distance = if truth == (op == Op::BRT) { i.sbx() as isize } else { 0 };
        match jump_by(pc, distance, st) {
            Next::Safepoint(to) => return at_safepoint(to, base, ins, k, st, table),
            Next::Go(to) => goto!(to, base, k, st, table),
            _ => slow!(pc, base, ins, k, st, table),
        }
    }
}

hot! {
    NOT |pc, base, i, k, st| {
        match *base.add(i.b()) {
            TRUE => *base.add(i.a()) = FALSE,
            FALSE | NONE => *base.add(i.a()) = TRUE,
            _ => return Next::Tail(truth),
        }
        Next::Go(pc)
    }
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
            None => return Next::Tail(equal_words),
        }
        Next::Go(pc)
    }
    NE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => *base.add(i.a()) = bool_word(!t),
            None => return Next::Tail(equal_words),
        }
        Next::Go(pc)
    }
    JEQ |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Tail(equal_words),
        }
    }
    JNE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Tail(equal_words),
        }
    }
    JEQI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Tail(equal),
        }
    }
    JNEI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Tail(equal),
        }
    }
    BRT |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => jump_by(pc, i.sbx() as isize, st),
            FALSE | NONE => Next::Go(pc),
            w if is_int(w) => {
                if w == INT_BIAS { Next::Go(pc) } else { jump_by(pc, i.sbx() as isize, st) }
            }
            _ => Next::Tail(truth),
        }
    }
    BRF |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => Next::Go(pc),
            FALSE | NONE => jump_by(pc, i.sbx() as isize, st),
            w if is_int(w) => {
                if w == INT_BIAS { jump_by(pc, i.sbx() as isize, st) } else { Next::Go(pc) }
            }
            _ => Next::Tail(truth),
        }
    }
    JUMP |pc, base, i, k, st| { jump_by(pc, i.sj() as isize, st) }
}
