//! Subscripts, iteration, list building.

#![allow(unsafe_code)]

use super::compare::jump_by;
use super::{DICT_SHAPE, LIST_SHAPE, TUPLE_SHAPE, kind_is, obj, shape_of};
use crate::code::op::Ins;
use crate::heap::Kind;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::object::map::Dict;
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

hot! {
    GETITEM |pc, base, i, k, st| {
        let (o, x) = (*base.add(i.b()), *base.add(i.c()));
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE && is_int(x) {
            match list_item(o, int_of(x)) {
                Some(p) => *base.add(i.a()) = *p,
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == TUPLE_SHAPE && is_int(x) {
            let items = (*obj::<Tuple>(o)).items();
            let n = int_of(x);
            let at = if n < 0 { n + items.len() as i64 } else { n };
            if at < 0 || at as usize >= items.len() {
                return Next::Slow;
            }
            *base.add(i.a()) = items.get_unchecked(at as usize).word();
            return Next::Go(pc);
        }
        if shape == DICT_SHAPE {
            let hash = if is_int(x) {
                crate::hash::int(int_of(x))
            } else if kind_is(x, Kind::Str) && (*obj::<Str>(x)).hash.get() != 0 {
                (*obj::<Str>(x)).hash.get()
            } else {
                return Next::Slow;
            };
            let t = &*(*obj::<Dict>(o)).table_ptr();
            if let Some(e) = t.find_identical(hash, x).and_then(|at| t.get(at)) {
                *base.add(i.a()) = e.value;
                return Next::Go(pc);
            }
        }
        Next::Slow
    }
    GETITEMI |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE {
            match list_item(o, i64::from(i.imm())) {
                Some(p) => *base.add(i.a()) = *p,
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == TUPLE_SHAPE {
            let items = (*obj::<Tuple>(o)).items();
            let n = i64::from(i.imm());
            let at = if n < 0 { n + items.len() as i64 } else { n };
            if at < 0 || at as usize >= items.len() {
                return Next::Slow;
            }
            *base.add(i.a()) = items.get_unchecked(at as usize).word();
            return Next::Go(pc);
        }
        Next::Slow
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
            let hash = if is_int(x) {
                crate::hash::int(int_of(x))
            } else if kind_is(x, Kind::Str) && (*obj::<Str>(x)).hash.get() != 0 {
                (*obj::<Str>(x)).hash.get()
            } else {
                return Next::Slow;
            };
            let t = &mut *(*obj::<Dict>(o)).table_ptr();
            if let Some(at) = t.find_identical(hash, x) {
                t.set_value(at, *base.add(i.c()));
                return Next::Go(pc);
            }
        }
        Next::Slow
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
