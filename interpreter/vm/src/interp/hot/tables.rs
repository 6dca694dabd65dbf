//! Dicts and sets by key: ints and strings, whose hash and equality are at hand. Also strings in
//! strings.
//!
//! Other keys, and tables in which something else has the same hash, take the slow path.

#![allow(unsafe_code)]

use super::compare::branch_at;
use super::{DICT_SHAPE, STR_SHAPE, at_op, obj, shape_of};
use crate::builtins::Type;
use crate::code::op::{Ins, Op};
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::object::map::{Dict, Set};
use crate::object::text::Str;
use crate::text::find::find;
use crate::value::*;

const SET_SHAPE: u32 = Type::Set.shape();
const FROZENSET_SHAPE: u32 = Type::FrozenSet.shape();

/// A key that is an int or an exact string.
enum Key<'a> {
    Int(Word),
    Str(Word, &'a Str),
}

impl Key<'_> {
    /// Whether `candidate`, whose hash is the same, is this key: `None` if it may be equal in a
    /// way of its own (a float, a bool, an object with `__eq__`).
    #[inline(always)]
    unsafe fn is(&self, candidate: Word) -> Option<bool> {
        // SAFETY: keys are live values.
        unsafe {
            match *self {
                Key::Int(w) => match candidate == w {
                    true => Some(true),
                    false if is_int(candidate) => Some(false),
                    false => None,
                },
                Key::Str(w, s) => {
                    if candidate == w {
                        return Some(true);
                    }
                    if !is_ptr(candidate) {
                        return Some(false);
                    }
                    if shape_of(candidate) != STR_SHAPE {
                        return None;
                    }
                    let other = &*obj::<Str>(candidate);
                    Some(!(s.is_interned() && other.is_interned()) && s.same_text(other))
                }
            }
        }
    }
}

/// Finds with `find` (of a table), which is given a hash and a test: `Err` if the slow path must
/// look, else where it is.
#[inline(always)]
unsafe fn look(
    st: *mut State,
    key: Word,
    find: impl FnOnce(i64, &mut dyn FnMut(u64) -> bool) -> Option<usize>,
) -> Result<(Option<usize>, i64), ()> {
    // SAFETY: a live key; `State` is the first field of `Vm`.
    unsafe {
        let (key, hash): (Key<'_>, i64) = if is_int(key) {
            (Key::Int(key), crate::hash::int(int_of(key)))
        } else if is_ptr(key) && shape_of(key) == STR_SHAPE {
            let s = &*obj::<Str>(key);
            (Key::Str(key, s), (*st.cast::<crate::Vm>()).str_hash(s))
        } else {
            return Err(());
        };
        let mut unsure = false;
        let found = find(hash, &mut |candidate| {
            key.is(candidate).unwrap_or_else(|| {
                unsure = true;
                true
            })
        });
        if unsure { Err(()) } else { Ok((found, hash)) }
    }
}

/// Where dict `d` has `key`.
#[inline(always)]
unsafe fn look_in_dict(st: *mut State, d: &Dict, key: Word) -> Result<(Option<usize>, i64), ()> {
    // SAFETY: nothing else uses the table meanwhile.
    unsafe { look(st, key, |hash, is| (*d.table_ptr()).find(hash, is)) }
}

/// `R[b][R[c]]` of a dict; Empty if the slow path must say.
#[inline(never)]
unsafe fn value_of(st: *mut State, d: &Dict, key: Word) -> Word {
    // SAFETY: as above.
    unsafe {
        match look_in_dict(st, d, key) {
            Ok((Some(at), _)) => (*d.table_ptr()).get(at).map_or(EMPTY, |e| e.value),
            _ => EMPTY,
        }
    }
}

/// `d.get(key, default)`; Empty if the slow path must say.
#[inline(always)]
pub(super) unsafe fn get_or(st: *mut State, d: &Dict, key: Word, default: Word) -> Word {
    // SAFETY: as above.
    unsafe {
        match look_in_dict(st, d, key) {
            Ok((Some(at), _)) => (*d.table_ptr()).get(at).map_or(EMPTY, |e| e.value),
            Ok((None, _)) => default,
            Err(()) => EMPTY,
        }
    }
}

/// `d[key] = v`; `false` if the slow path must do it.
#[inline(never)]
unsafe fn store(st: *mut State, d: &Dict, key: Word, v: Word) -> bool {
    // SAFETY: as above.
    unsafe {
        match look_in_dict(st, d, key) {
            Ok((Some(at), _)) => {
                (*d.table_ptr()).set_value(at, v);
                true
            }
            Ok((None, hash)) => {
                let heap = &(*st.cast::<crate::Vm>()).heap;
                matches!(d.update(heap, |t| t.insert_new(hash, key, v)), Ok(Ok(_)))
            }
            Err(()) => false,
        }
    }
}

/// GETITEM of a dict.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn get(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[b] is a dict.
    unsafe {
        let i = Ins(ins as u32);
        let w = value_of(st, &*obj::<Dict>(*base.add(i.b())), *base.add(i.c()));
        if w == EMPTY {
            slow!(pc, base, ins, k, st, table)
        }
        *base.add(i.a()) = w;
        goto!(pc, base, k, st, table)
    }
}

/// SETITEM of a dict.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn set(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a dict.
    unsafe {
        let i = Ins(ins as u32);
        let d = &*obj::<Dict>(*base.add(i.a()));
        if !store(st, d, *base.add(i.b()), *base.add(i.c())) {
            slow!(pc, base, ins, k, st, table)
        }
        goto!(pc, base, k, st, table)
    }
}

/// `key in table`: 0 or 1, or 2 if the slow path must say.
#[inline(never)]
unsafe fn contains(st: *mut State, container: Word, key: Word) -> u32 {
    // SAFETY: live values; nothing else uses the table meanwhile.
    unsafe {
        let found = match shape_of(container) {
            DICT_SHAPE => look_in_dict(st, &*obj::<Dict>(container), key),
            SET_SHAPE | FROZENSET_SHAPE => {
                let s = &*obj::<Set>(container);
                look(st, key, |hash, is| s.table().find(hash, is))
            }
            STR_SHAPE if is_ptr(key) && shape_of(key) == STR_SHAPE => {
                let (text, part) = (&*obj::<Str>(container), &*obj::<Str>(key));
                let (text, part) = (text.bytes(), part.bytes());
                let within = part.is_empty()
                    || match part {
                        // A call to search so little costs more than the search.
                        [one] if text.len() <= 16 => text.iter().any(|b| b == one),
                        _ => find(text, part).is_some(),
                    };
                return u32::from(within);
            }
            _ => Err(()),
        };
        match found {
            Ok((at, _)) => u32::from(at.is_some()),
            Err(()) => 2,
        }
    }
}

/// IN, NOTIN and their fused forms.
#[inline(never)]
unsafe extern "sysv64" fn membership(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[c] is an object.
    unsafe {
        let i = Ins(ins as u32);
        let op = at_op(i);
        let truth = match contains(st, *base.add(i.c()), *base.add(i.b())) {
            2 => slow!(pc, base, ins, k, st, table),
            n => (n == 1) == matches!(op, Op::IN | Op::JIN),
        };
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

macro_rules! memberships {
    ($($name:ident)*) => {
        hot! {$(
            $name |pc, base, i, k, st| {
                if is_ptr(*base.add(i.c())) { Next::Tail(membership) } else { Next::Slow }
            }
        )*}
    };
}

memberships! { IN NOTIN JIN JNOTIN }
