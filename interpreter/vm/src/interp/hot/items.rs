//! Subscripts, iteration, unpacking, list building.

#![allow(unsafe_code)]

use super::calls::{LEAF_HALT, LEAF_NEXT, leave};
use super::compare::jump_by;
use super::tables;
use super::{DICT_SHAPE, LIST_SHAPE, STR_SHAPE, TUPLE_SHAPE, kind_is, obj, shape_of};
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::interp::dispatch::{ENDED, Handler0, Next};
use crate::interp::state::{Mode, State};
use crate::object::iter::Iter;
use crate::object::seq::{List, Tuple};
use crate::object::text::Str;
use crate::value::*;

#[inline(always)]
unsafe fn list_item(list: Word, index: i64) -> Option<*mut Word> {
    // SAFETY: the caller checked the kind; no reference into the vector is held elsewhere while
    // the dispatch loop runs.
    unsafe {
        let items = &mut *(*obj::<List>(list)).items.get();
        let n = items.len() as i64;
        let at = if index < 0 { index + n } else { index };
        if at < 0 || at >= n { None } else { Some(items.as_mut_ptr().add(at as usize)) }
    }
}

/// The item at `index` of a tuple.
#[inline(always)]
unsafe fn tuple_item(tuple: Word, index: i64) -> Option<Word> {
    // SAFETY: the caller checked the kind.
    let items = unsafe { (*obj::<Tuple>(tuple)).items() };
    let at = if index < 0 { index + items.len() as i64 } else { index };
    if at < 0 || at as usize >= items.len() {
        return None;
    }
    // SAFETY: checked above.
    Some(unsafe { items.get_unchecked(at as usize) }.word())
}

/// GETITEM and GETITEMI beyond a list and an index from 0 on.
#[inline(never)]
unsafe extern "sysv64" fn item(
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
        let o = *base.add(i.b());
        if !is_ptr(o) {
            slow!(pc, base, ins, k, st, table)
        }
        let immediate = i.op() == Op::GETITEMI as u8;
        let x = if immediate { int_word(i64::from(i.imm())) } else { *base.add(i.c()) };
        if shape_of(o) == DICT_SHAPE && !immediate {
            return tables::get(pc, base, ins, k, st, table);
        }
        if !is_int(x) {
            slow!(pc, base, ins, k, st, table)
        }
        let found = match shape_of(o) {
            LIST_SHAPE => list_item(o, int_of(x)).map_or(EMPTY, |p| *p),
            TUPLE_SHAPE => tuple_item(o, int_of(x)).unwrap_or(EMPTY),
            STR_SHAPE => character(st, &*obj::<Str>(o), int_of(x)),
            _ => EMPTY,
        };
        if found == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(i.a()) = found;
        goto!(pc, base, k, st, table)
    }
}

/// A character of an ASCII string, if it was made before; else Empty.
#[inline(always)]
unsafe fn character(st: *mut State, s: &Str, index: i64) -> Word {
    let at = if index < 0 { index + s.char_len() as i64 } else { index };
    if !s.is_ascii() || at < 0 || at as usize >= s.char_len() {
        return EMPTY;
    }
    // SAFETY: checked above; `State` is the first field of `Vm`, whose table has a cell for each
    // byte.
    unsafe {
        let b = *s.bytes().get_unchecked(at as usize);
        let vm = &*st.cast::<crate::Vm>();
        vm.latin1.get_unchecked(usize::from(b)).get()
    }
}

/// SETITEM of a dict, or of a list from its end.
#[inline(never)]
unsafe extern "sysv64" fn set_item(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is an object.
    unsafe {
        let i = Ins(ins as u32);
        let (o, x) = (*base.add(i.a()), *base.add(i.b()));
        if shape_of(o) == DICT_SHAPE {
            return tables::set(pc, base, ins, k, st, table);
        }
        if shape_of(o) == LIST_SHAPE
            && is_int(x)
            && let Some(p) = list_item(o, int_of(x))
        {
            *p = *base.add(i.c());
            goto!(pc, base, k, st, table)
        }
        slow!(pc, base, ins, k, st, table)
    }
}

/// FORITER over a list or tuple by index: FORPREP checked which.
#[inline(never)]
unsafe extern "sysv64" fn next_indexed(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler, with the state of an iteration in R[a] and above.
    unsafe {
        let s = base.add(Ins(ins as u32).a());
        let at = *s.add(1);
        if !is_int(at) || !is_ptr(*s) {
            return next_other(pc, base, ins, k, st, table);
        }
        let n = int_of(at) as usize;
        let w = if kind_is(*s, Kind::Tuple) {
            match (*obj::<Tuple>(*s)).items().get(n) {
                Some(v) => v.word(),
                None => goto!(pc.add(1), base, k, st, table),
            }
        } else {
            let items = &*(*obj::<List>(*s)).items.get();
            match items.get(n) {
                Some(&w) => w,
                None => {
                    // Exhausted for good, even if the list grows.
                    *s = EMPTY;
                    goto!(pc.add(1), base, k, st, table)
                }
            }
        };
        *base.add(Ins(ins as u32).b()) = w;
        *s.add(1) = at + 1;
        // The JUMP to the body.
        goto!(pc, base, k, st, table)
    }
}

/// FORITER over another range, or an iterator.
#[inline(never)]
unsafe extern "sysv64" fn next_other(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: as for `next_indexed`.
    unsafe {
        let i = Ins(ins as u32);
        let s = base.add(i.a());
        let state = *s;
        if marker::is(state, marker::RANGE) {
            let (at, stop) = (*s.add(1), *s.add(2));
            let step = state as u32 as i32;
            let more = if step > 0 { at < stop } else { at > stop };
            if !more {
                goto!(pc.add(1), base, k, st, table)
            }
            *base.add(i.b()) = at;
            *s.add(1) = at.wrapping_add(i64::from(step) as u64);
            // The JUMP to the body.
            goto!(pc, base, k, st, table)
        }
        if super::generators::is_generator(state) {
            return super::generators::next_item(pc, base, ins, k, st, table);
        }
        if kind_is(state, Kind::Iter) {
            return next_builtin(pc, base, ins, k, st, table);
        }
        slow!(pc, base, ins, k, st, table)
    }
}

/// FORITER over a builtin iterator.
#[inline(never)]
unsafe extern "sysv64" fn next_builtin(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a builtin iterator.
    unsafe {
        let i = Ins(ins as u32);
        (*st).pc.set(pc);
        (*st).base.set(base);
        (*st).k.set(k);
        match next_item(st, &*obj::<Iter>(*base.add(i.a())), i.b()) {
            EMPTY => goto!(pc.add(1), base, k, st, table),
            LEAF_NEXT => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            LEAF_HALT => ENDED,
            w => {
                *base.add(i.b()) = w;
                // The JUMP to the body.
                goto!(pc, base, k, st, table)
            }
        }
    }
}

/// The next item, Empty at the end, or a word that is no value (see `calls::leave`).
#[inline(never)]
unsafe fn next_item(st: *mut State, iter: &Iter, dst: usize) -> Word {
    // SAFETY: `State` is the first field of `Vm`, and was set for the running frame.
    unsafe {
        let vm = &*st.cast::<crate::Vm>();
        match (iter.next)(vm, iter) {
            Ok(v) => v.word(),
            Err(e) => leave(vm.do_exit(e, dst, Mode::ForIter)),
        }
    }
}

hot! {
    GETITEM |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if is_ptr(o) && shape_of(o) == LIST_SHAPE {
            let items = &*(*obj::<List>(o)).items.get();
            // What is no int, or a negative one, is a large number here.
            let at = (*base.add(i.c())).wrapping_sub(INT_BIAS) as usize;
            if at < items.len() {
                *base.add(i.a()) = *items.as_ptr().add(at);
                return Next::Go(pc);
            }
        }
        Next::Tail(item)
    }
    GETITEMI |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if is_ptr(o) {
            let at = i.imm() as usize;
            if shape_of(o) == TUPLE_SHAPE {
                let items = (*obj::<Tuple>(o)).items();
                if at < items.len() {
                    *base.add(i.a()) = items.get_unchecked(at).word();
                    return Next::Go(pc);
                }
            } else if shape_of(o) == LIST_SHAPE {
                let items = &*(*obj::<List>(o)).items.get();
                if at < items.len() {
                    *base.add(i.a()) = *items.as_ptr().add(at);
                    return Next::Go(pc);
                }
            }
        }
        Next::Tail(item)
    }
    SETITEM |pc, base, i, k, st| {
        let o = *base.add(i.a());
        if !is_ptr(o) {
            return Next::Slow;
        }
        if shape_of(o) == LIST_SHAPE {
            let items = &mut *(*obj::<List>(o)).items.get();
            let at = (*base.add(i.b())).wrapping_sub(INT_BIAS) as usize;
            if at < items.len() {
                *items.as_mut_ptr().add(at) = *base.add(i.c());
                return Next::Go(pc);
            }
        }
        Next::Tail(set_item)
    }
    UNPACK |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let (from, n) = match shape_of(o) {
            TUPLE_SHAPE => {
                let items = (*obj::<Tuple>(o)).items();
                (items.as_ptr().cast::<Word>(), items.len())
            }
            LIST_SHAPE => {
                let items = &*(*obj::<List>(o)).items.get();
                (items.as_ptr(), items.len())
            }
            _ => return Next::Slow,
        };
        if n != i.c() {
            return Next::Slow;
        }
        let to = base.add(i.a());
        let mut at = 0;
        while at < n {
            // Volatile, so that the loop does not become a call.
            to.add(at).write_volatile(*from.add(at));
            at += 1;
        }
        Next::Go(pc)
    }
    FORITER |pc, base, i, k, st| {
        let s = base.add(i.a());
        if *s != marker::RANGE | 1 {
            return Next::Tail(next_indexed);
        }
        let at = *s.add(1);
        if at >= *s.add(2) {
            return Next::Go(pc.add(1));
        }
        *base.add(i.b()) = at;
        *s.add(1) = at + 1;
        jump_by(pc.add(1), Ins(*pc).sj() as isize, st)
    }
    APPEND |pc, base, i, k, st| {
        let items = &mut *(*obj::<List>(*base.add(i.a()))).items.get();
        if items.len() < items.capacity() {
            items.push(*base.add(i.b()));
            return Next::Go(pc);
        }
        Next::Slow
    }
}
