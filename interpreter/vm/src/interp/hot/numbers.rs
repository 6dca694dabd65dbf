//! Arithmetic and comparison that the handlers leave over: mixed operands, ints of 64 bits, powers.
//!
//! Tails of the handlers of `arith` and `compare`; what is not about plain numbers goes on to the
//! slow path.

#![allow(unsafe_code)]

use super::calls::LEAF_NEXT;
use super::compare::branch_at;
use super::{STR_SHAPE, at_op, obj, shape_of};
use crate::builtins::Type;
use crate::code::op::{Ins, Op};
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::interp::state::private::{FLOAT_FORMS, QUICKENED};
use crate::object::func::Code;
use crate::object::num::Int64;
use crate::object::text::Str;
use crate::stats::Counters;
use crate::value::*;

const INT_SHAPE: u32 = Type::Int.shape();

/// A number that arithmetic here is about.
enum Num {
    Int(i64),
    Float(f64),
    Other,
}

#[inline(always)]
unsafe fn num(w: Word) -> Num {
    if is_int(w) {
        return Num::Int(int_of(w));
    }
    if is_float(w) {
        return Num::Float(float_of(w));
    }
    // SAFETY: a pointer word points to a live object; exact ints are Int64 or big.
    unsafe {
        let is_int64 = is_ptr(w)
            && (*ptr_of(w)).shape.get() == INT_SHAPE
            && (*ptr_of(w)).kind() == crate::heap::Kind::Int64;
        if is_int64 { Num::Int((*obj::<Int64>(w)).value) } else { Num::Other }
    }
}

/// The operands of the instruction `i`: the second may be in it.
#[inline(always)]
unsafe fn operands(i: Ins, base: *const Word) -> (Word, Word) {
    // SAFETY: operands of verified code.
    unsafe {
        let immediate = matches!(
            at_op(i),
            Op::ADDI | Op::SUBI | Op::IADDI | Op::ISUBI | Op::JLTI | Op::JLEI | Op::JGTI | Op::JGEI
        );
        let y = if immediate { int_word(i64::from(i.imm())) } else { *base.add(i.c()) };
        (*base.add(i.b()), y)
    }
}

/// The rest of a binary operator.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn more(
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
        let x = *base.add(i.b());
        if is_ptr(x) && shape_of(x) >= Type::ALL.len() as u32 {
            // An object of a script's class.
            slow!(pc, base, ins, k, st, table);
        }
        let w = result_at(st, i, pc, base, k);
        if w == EMPTY {
            slow!(pc, base, ins, k, st, table);
        }
        if w == LEAF_NEXT {
            goto!((*st).pc.get(), base, k, st, table)
        }
        let (x, y) = operands(i, base);
        if is_float(x) && is_float(y) {
            quicken(pc, i, st);
        }
        *base.add(i.a()) = w;
        goto!(pc, base, k, st, table)
    }
}

/// Rewrites the instruction before `pc`, which saw two floats, to its form for floats.
#[inline(always)]
unsafe fn quicken(pc: *const u32, i: Ins, st: *mut State) {
    let Some(n) = QUICKENED.iter().position(|op| *op as u8 == i.op()) else { return };
    // SAFETY: the instruction lies in a code object, whose words may be written (see `Code`);
    // `State` is the first field of `Vm`.
    unsafe {
        let form = u32::from(FLOAT_FORMS) + n as u32;
        *pc.sub(1).cast_mut() = i.0 & !0xff | form;
        Counters::bump(&(*st.cast::<crate::Vm>()).counters.quickenings);
    }
}

/// A form for floats without a number as its result: that is NaN, unless it saw something else
/// than floats. Then the instruction is as it was before.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn unquicken(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; as for `quicken`.
    unsafe {
        let i = Ins(ins as u32);
        if is_float(*base.add(i.b())) && is_float(*base.add(i.c())) {
            *base.add(i.a()) = float_word(f64::NAN);
            goto!(pc, base, k, st, table)
        }
        let n = (ins & 0xff) as usize - FLOAT_FORMS as usize;
        let op = *QUICKENED.get_unchecked(n % QUICKENED.len());
        *pc.sub(1).cast_mut() = ins as u32 & !0xff | op as u32;
        goto!(pc.sub(1), base, k, st, table)
    }
}

/// `R[b] op= R[c]`, the operator in the second word.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn inplace(
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
        let w = result(st, at_op(Ins(*pc)), *base.add(i.b()), *base.add(i.c()));
        if w == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(i.a()) = w;
        goto!(pc.add(1), base, k, st, table)
    }
}

/// The result of the operator `i`, or Empty; `LEAF_NEXT` if instructions behind it were run as
/// well, up to the state's `pc`.
#[inline(never)]
unsafe fn result_at(
    st: *mut State,
    i: Ins,
    pc: *const u32,
    base: *mut Word,
    k: *const Word,
) -> Word {
    // SAFETY: the arguments of a handler.
    unsafe {
        let (x, y) = operands(i, base);
        result_or(st, at_op(i), x, y, |n| {
            (*st).pc.set(chained(st, n, i.a(), pc, base, k));
            LEAF_NEXT
        })
    }
}

/// `x op y`; Empty if that takes the slow path.
#[inline(never)]
unsafe fn result(st: *mut State, op: Op, x: Word, y: Word) -> Word {
    // SAFETY: words of live values; `State` is the first field of `Vm`.
    unsafe { result_or(st, op, x, y, |n| (*st.cast::<crate::Vm>()).int(n).word()) }
}

/// `x op y`, which `large` gives for an int that is not small; Empty if that takes the slow path.
#[inline(always)]
unsafe fn result_or(
    st: *mut State,
    op: Op,
    x: Word,
    y: Word,
    large: impl FnOnce(i64) -> Word,
) -> Word {
    // SAFETY: words of live values.
    match unsafe { (num(x), num(y)) } {
        (Num::Int(x), Num::Int(y)) => match int_result(op, x, y) {
            Ok(Some(n)) if fits_small(n) => int_word(n),
            Ok(Some(n)) => large(n),
            Ok(None) => EMPTY,
            Err(f) => float_word(f),
        },
        (Num::Float(x), Num::Float(y)) => float_result(op, x, y),
        (Num::Float(x), Num::Int(y)) if fits_small(y) => float_result(op, x, y as f64),
        (Num::Int(x), Num::Float(y)) if fits_small(x) => float_result(op, x as f64, y),
        // SAFETY: as above.
        _ => unsafe { joined(st, op, x, y) },
    }
}

/// Takes an int that is not small through the instructions that use it at once: in `x * a + b & c`
/// only what is left in the end becomes an object. Gives where to go on.
///
/// A register between two of them is skipped if it is no local's: what the compiler computes for
/// an operator is used by that alone.
unsafe fn chained(
    st: *mut State,
    mut n: i64,
    mut at: usize,
    mut pc: *const u32,
    base: *mut Word,
    k: *const Word,
) -> *const u32 {
    // SAFETY: verified code, which does not end in an operator; registers and constants of the
    // running frame. `State` is the first field of `Vm`.
    unsafe {
        loop {
            let i = Ins(*pc);
            let Some(&op) = Op::ALL.get(i.op() as usize) else { break };
            match op {
                Op::LOADI if i.a() != at => *base.add(i.a()) = int_word(i.sbx() as i64),
                Op::LOADK if i.a() != at => *base.add(i.a()) = *k.add(i.bx()),
                Op::ADD
                | Op::SUB
                | Op::MUL
                | Op::BITAND
                | Op::BITOR
                | Op::BITXOR
                | Op::LSHIFT
                | Op::RSHIFT
                | Op::FLOORDIV
                | Op::MOD
                | Op::ADDI
                | Op::SUBI
                    if i.b() == at =>
                {
                    let immediate = matches!(op, Op::ADDI | Op::SUBI);
                    let (_, y) = operands(i, base);
                    if (!immediate && i.c() == at)
                        || !is_int(y)
                        || (i.a() != at && !is_temporary(base, at))
                    {
                        break;
                    }
                    let Ok(Some(next)) = int_result(op, n, int_of(y)) else { break };
                    (n, at) = (next, i.a());
                    if fits_small(n) {
                        pc = pc.add(1);
                        break;
                    }
                }
                _ => break,
            }
            pc = pc.add(1);
        }
        *base.add(at) = (*st.cast::<crate::Vm>()).int(n).word();
        pc
    }
}

/// Whether a register of the running frame belongs to no variable.
unsafe fn is_temporary(base: *mut Word, register: usize) -> bool {
    // SAFETY: the base of a script frame; its function has a code object.
    unsafe {
        let Some(f) = super::frame_function(base) else { return false };
        let code = &*obj::<Code>((*f).code.get());
        let local = code.proto.local_in(register as u32);
        local.is_none_or(|i| i >= code.proto.locals.len())
    }
}

/// `x + y` of two strings.
#[inline(always)]
unsafe fn joined(st: *mut State, op: Op, x: Word, y: Word) -> Word {
    // SAFETY: pointer words point to live objects; `State` is the first field of `Vm`.
    unsafe {
        if !matches!(op, Op::ADD | Op::IADD)
            || !is_ptr(x)
            || !is_ptr(y)
            || shape_of(x) != STR_SHAPE
            || shape_of(y) != STR_SHAPE
        {
            return EMPTY;
        }
        let vm = &*st.cast::<crate::Vm>();
        // Without room the slow path says so.
        vm.concat(&*obj::<Str>(x), &*obj::<Str>(y)).map_or(EMPTY, Value::word)
    }
}

/// An int, a float, or nothing.
#[inline(always)]
fn int_result(op: Op, x: i64, y: i64) -> Result<Option<i64>, f64> {
    Ok(match op {
        Op::ADD | Op::IADD | Op::ADDI | Op::IADDI => x.checked_add(y),
        Op::SUB | Op::ISUB | Op::SUBI | Op::ISUBI => x.checked_sub(y),
        Op::MUL | Op::IMUL => x.checked_mul(y),
        Op::BITAND => Some(x & y),
        Op::BITOR => Some(x | y),
        Op::BITXOR => Some(x ^ y),
        Op::LSHIFT if (0..=62).contains(&y) => {
            let n = x.wrapping_shl(y as u32);
            if n >> y == x { Some(n) } else { None }
        }
        Op::RSHIFT if y >= 0 => Some(x >> y.min(63)),
        Op::FLOORDIV if y != 0 => {
            x.checked_div(y).map(|q| if x % y != 0 && (x < 0) != (y < 0) { q - 1 } else { q })
        }
        Op::MOD if y != 0 => {
            x.checked_rem(y).map(|r| if r != 0 && (r < 0) != (y < 0) { r + y } else { r })
        }
        Op::POW if (0..=63).contains(&y) => x.checked_pow(y as u32),
        // Ints of 50 bits are exact as floats, so their quotient is rounded once.
        Op::TRUEDIV if y != 0 && fits_small(x) && fits_small(y) => {
            return Err(x as f64 / y as f64);
        }
        _ => None,
    })
}

#[inline(always)]
fn float_result(op: Op, x: f64, y: f64) -> Word {
    let f = match op {
        Op::ADD | Op::IADD | Op::ADDI | Op::IADDI => x + y,
        Op::SUB | Op::ISUB | Op::SUBI | Op::ISUBI => x - y,
        Op::MUL | Op::IMUL => x * y,
        Op::TRUEDIV if y != 0.0 => x / y,
        // What is complex, infinite or an error is for the slow path to say.
        Op::POW if x > 0.0 || (x < 0.0 && y == y.trunc()) => {
            let f = x.powf(y);
            if !f.is_finite() {
                return EMPTY;
            }
            f
        }
        _ => return EMPTY,
    };
    float_word(f)
}

/// The rest of an ordering comparison, fused with its branch or not.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn order(
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
        let (x, y) = operands(i, base);
        let ordering = match (num(x), num(y)) {
            (Num::Int(x), Num::Int(y)) => Some(x.cmp(&y)),
            (Num::Float(x), Num::Float(y)) => x.partial_cmp(&y),
            (Num::Float(x), Num::Int(y)) if fits_small(y) => x.partial_cmp(&(y as f64)),
            (Num::Int(x), Num::Float(y)) if fits_small(x) => (x as f64).partial_cmp(&y),
            _ => slow!(pc, base, ins, k, st, table),
        };
        let op = at_op(i);
        let truth = ordering.is_some_and(|o| match op {
            Op::LT | Op::JLT | Op::JLTI => o.is_lt(),
            Op::LE | Op::JLE | Op::JLEI => o.is_le(),
            Op::GT | Op::JGT | Op::JGTI => o.is_gt(),
            _ => o.is_ge(),
        });
        if !op.takes_branch() {
            *base.add(i.a()) = bool_word(truth);
            goto!(pc, base, k, st, table)
        }
        match branch_at(pc, truth, st) {
            Next::Safepoint(to) => {
                return super::compare::at_safepoint(to, base, ins, k, st, table);
            }
            Next::Go(to) => goto!(to, base, k, st, table),
            _ => slow!(pc, base, ins, k, st, table),
        }
    }
}
