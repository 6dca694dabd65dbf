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

/// A character of an ASCII string.
#[inline(never)]
unsafe extern "sysv64" fn character(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[b] is a string and the index an int.
    unsafe {
        let i = Ins(ins as u32);
        let s = &*obj::<Str>(*base.add(i.b()));
        let immediate = i.op() == Op::GETITEMI as u8;
        let index = if immediate { i64::from(i.imm()) } else { int_of(*base.add(i.c())) };
        let at = if index < 0 { index + s.char_len() as i64 } else { index };
        if !s.is_ascii() || at < 0 || at as usize >= s.char_len() {
            slow!(pc, base, ins, k, st, table)
        }
        let b = *s.bytes().get_unchecked(at as usize);
        *base.add(i.a()) = latin1_char(st, b);
        goto!(pc, base, k, st, table)
    }
}

#[inline(never)]
unsafe fn latin1_char(st: *mut State, b: u8) -> Word {
    // SAFETY: `State` is the first field of `Vm`.
    unsafe { (*st.cast::<crate::Vm>()).latin1_char(b).word() }
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
        let (o, x) = (*base.add(i.b()), *base.add(i.c()));
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if is_int(x) {
            if shape == LIST_SHAPE {
                // A negative index is a large number here, and goes on below.
                let items = &*(*obj::<List>(o)).items.get();
                let at = int_of(x) as usize;
                if at < items.len() {
                    *base.add(i.a()) = *items.as_ptr().add(at);
                    return Next::Go(pc);
                }
            }
            let found = match shape {
                LIST_SHAPE => list_item(o, int_of(x)).map(|p| *p),
                TUPLE_SHAPE => tuple_item(o, int_of(x)),
                DICT_SHAPE => return Next::Tail(tables::get),
                STR_SHAPE => return Next::Tail(character),
                _ => None,
            };
            if let Some(w) = found {
                *base.add(i.a()) = w;
                return Next::Go(pc);
            }
        } else if shape == DICT_SHAPE {
            return Next::Tail(tables::get);
        }
        Next::Slow
    }
    GETITEMI |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let found = match shape_of(o) {
            LIST_SHAPE => list_item(o, i64::from(i.imm())).map(|p| *p),
            TUPLE_SHAPE => tuple_item(o, i64::from(i.imm())),
            STR_SHAPE => return Next::Tail(character),
            _ => None,
        };
        match found {
            Some(w) => *base.add(i.a()) = w,
            None => return Next::Slow,
        }
        Next::Go(pc)
    }
    SETITEM |pc, base, i, k, st| {
        let (o, x) = (*base.add(i.a()), *base.add(i.b()));
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE && is_int(x) {
            match list_item(o, int_of(x)) {
                Some(p) => *p = *base.add(i.c()),
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == DICT_SHAPE {
            return Next::Tail(tables::set);
        }
        Next::Slow
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
        let state = *s;
        if marker::is(state, marker::RANGE) {
            let (at, stop) = (*s.add(1), *s.add(2));
            let step = state as u32 as i32;
            let more = if step > 0 { at < stop } else { at > stop };
            if !more {
                return Next::Go(pc.add(1));
            }
            *base.add(i.b()) = at;
            *s.add(1) = at.wrapping_add(i64::from(step) as u64);
            return jump_by(pc.add(1), Ins(*pc).sj() as isize, st);
        }
        let at = *s.add(1);
        if is_int(at) {
            // A list or tuple by index: FORPREP checked which.
            let n = int_of(at) as usize;
            let w = if kind_is(state, Kind::List) {
                let items = &*(*obj::<List>(state)).items.get();
                match items.get(n) {
                    Some(&w) => w,
                    None => {
                        // Exhausted for good, even if the list grows.
                        *s = EMPTY;
                        return Next::Go(pc.add(1));
                    }
                }
            } else {
                match (*obj::<Tuple>(state)).items().get(n) {
                    Some(v) => v.word(),
                    None => return Next::Go(pc.add(1)),
                }
            };
            *base.add(i.b()) = w;
            *s.add(1) = at + 1;
            return jump_by(pc.add(1), Ins(*pc).sj() as isize, st);
        }
        if super::generators::is_generator(state) {
            return Next::Tail(super::generators::next_item);
        }
        if kind_is(state, Kind::Iter) {
            return Next::Tail(next_builtin);
        }
        Next::Slow
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
