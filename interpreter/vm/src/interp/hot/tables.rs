//! Dicts and sets by key: ints, strings and short tuples of these, whose hash and equality are at
//! hand. Also strings in strings.
//!
//! Other keys, and tables in which something else has the same hash, take the slow path.

#![allow(unsafe_code)]

use super::compare::branch_at;
use super::{DICT_SHAPE, STR_SHAPE, TUPLE_SHAPE, at_op, obj, shape_of};
use crate::builtins::Type;
use crate::code::op::{Ins, Op};
use crate::hash::TupleHasher;
use crate::interp::dispatch::{Handler0, Next};
use crate::interp::state::State;
use crate::object::map::{Dict, Found, Set};
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::text::find::find;
use crate::value::*;

const SET_SHAPE: u32 = Type::Set.shape();
const FROZENSET_SHAPE: u32 = Type::FrozenSet.shape();

/// No entry has the key.
const ABSENT: usize = usize::MAX;
/// Another object has the same hash, and may be equal in a way of its own (a float, a bool, an
/// object with `__eq__`), or the key is of another kind: the slow path must look.
const UNSURE: usize = usize::MAX - 1;

/// Whether a string equals `candidate`, whose hash is the same: `None` if the slow path must say.
#[inline(always)]
unsafe fn is_text(key: Word, s: &Str, candidate: Word) -> Option<bool> {
    if candidate == key {
        return Some(true);
    }
    if !is_ptr(candidate) {
        return Some(false);
    }
    // SAFETY: keys are live values, of the kind that their shape says.
    unsafe {
        if shape_of(candidate) != STR_SHAPE {
            return None;
        }
        let other = &*obj::<Str>(candidate);
        Some(!(s.is_interned() && other.is_interned()) && s.same_text(other))
    }
}

/// Most items of a tuple that is looked for here.
const SHORT_TUPLE: usize = 8;

/// The hash of an int, an exact string or a short tuple of these.
#[inline(always)]
unsafe fn leaf_hash(st: *mut State, key: Word) -> Option<i64> {
    if is_int(key) {
        return Some(crate::hash::int(int_of(key)));
    }
    // SAFETY: a live key; `State` is the first field of `Vm`.
    unsafe {
        if !is_ptr(key) || shape_of(key) != STR_SHAPE {
            return None;
        }
        Some((*st.cast::<crate::Vm>()).str_hash(&*obj::<Str>(key)))
    }
}

/// The hash of a short tuple of ints and exact strings.
#[inline(always)]
unsafe fn tuple_hash(st: *mut State, items: &[Value<'_>]) -> Option<i64> {
    if items.len() > SHORT_TUPLE {
        return None;
    }
    let mut hasher = TupleHasher::new();
    for item in items {
        // SAFETY: items of a live tuple.
        hasher.add(unsafe { leaf_hash(st, item.word()) }?);
    }
    Some(hasher.finish())
}

/// Whether a tuple of ints and strings equals `candidate`, whose hash is the same: `None` if the
/// slow path must say.
#[inline(always)]
unsafe fn is_tuple(key: Word, items: &[Value<'_>], candidate: Word) -> Option<bool> {
    if candidate == key {
        return Some(true);
    }
    // SAFETY: keys are live values, of the kind that their shape says.
    unsafe {
        if !is_ptr(candidate) || shape_of(candidate) != TUPLE_SHAPE {
            return None;
        }
        let others = (*obj::<Tuple>(candidate)).items();
        if others.len() != items.len() {
            return Some(false);
        }
        for (x, y) in items.iter().zip(others) {
            let (x, y) = (x.word(), y.word());
            let same = if x == y {
                true
            } else if is_int(x) && is_int(y) {
                false
            } else if is_ptr(x) && shape_of(x) == STR_SHAPE && is_ptr(y) {
                is_text(x, &*obj::<Str>(x), y)?
            } else {
                return None;
            };
            if !same {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// Where a table has `key`. For each kind of key and table of its own, so that comparisons are no
/// calls.
macro_rules! search {
    ($st:ident, $table:expr, $key:ident) => {{
        let mut unsure = false;
        let found = if is_int($key) {
            $table.find(crate::hash::int(int_of($key)), |candidate| {
                unsure = !is_int(candidate);
                unsure || candidate == $key
            })
        } else if is_ptr($key) && shape_of($key) == STR_SHAPE {
            let s = &*obj::<Str>($key);
            let hash = (*$st.cast::<crate::Vm>()).str_hash(s);
            $table.find(hash, |candidate| {
                is_text($key, s, candidate).unwrap_or_else(|| {
                    unsure = true;
                    true
                })
            })
        } else if is_ptr($key) && shape_of($key) == TUPLE_SHAPE {
            let items = (*obj::<Tuple>($key)).items();
            let Some(hash) = tuple_hash($st, items) else { return UNSURE };
            $table.find(hash, |candidate| {
                is_tuple($key, items, candidate).unwrap_or_else(|| {
                    unsure = true;
                    true
                })
            })
        } else {
            return UNSURE;
        };
        if unsure { UNSURE } else { found.unwrap_or(ABSENT) }
    }};
}

/// The entry of dict `d` that has `key`, or one of the two words above. Scripts ask for the same
/// string again at once (`if word in counts: counts[word] += 1`), so where it was is remembered.
#[inline(always)]
unsafe fn look_in_dict(st: *mut State, d: &Dict, key: Word) -> usize {
    // SAFETY: a live key; nothing else uses the table meanwhile; `State` is the first field of
    // `Vm`.
    unsafe {
        let vm = &*st.cast::<crate::Vm>();
        let found = vm.found.get();
        if found.key == key && found.is_in(d) {
            return found.entry;
        }
        search_dict(vm, st, d, key)
    }
}

#[inline(never)]
unsafe fn search_dict(vm: &crate::Vm, st: *mut State, d: &Dict, key: Word) -> usize {
    // SAFETY: as above.
    unsafe {
        let table = &*d.table_ptr();
        let at = search!(st, table, key);
        if at < UNSURE && is_ptr(key) {
            vm.found.set(Found::new(d, key, at));
        }
        at
    }
}

/// As `look_in_dict`.
#[inline(never)]
unsafe fn look_in_set(st: *mut State, s: &Set, key: Word) -> usize {
    // SAFETY: as above.
    unsafe {
        let table = s.table();
        search!(st, table, key)
    }
}

/// The value of entry `at` of dict `d`; Empty if the slow path must say.
#[inline(always)]
unsafe fn value_at(d: &Dict, at: usize) -> Word {
    // SAFETY: as above.
    unsafe { (*d.table_ptr()).get(at).map_or(EMPTY, |e| e.value) }
}

/// `d.get(key, default)`; Empty if the slow path must say.
#[inline(always)]
pub(super) unsafe fn get_or(st: *mut State, d: &Dict, key: Word, default: Word) -> Word {
    // SAFETY: as above.
    unsafe {
        match look_in_dict(st, d, key) {
            ABSENT => default,
            at => value_at(d, at),
        }
    }
}

/// `d[key] = v`; `false` if the slow path must do it.
#[inline(never)]
unsafe fn store(st: *mut State, d: &Dict, key: Word, v: Word) -> bool {
    // SAFETY: as above. What was looked for and is neither an int nor a string is a short tuple.
    unsafe {
        match look_in_dict(st, d, key) {
            ABSENT => {
                let hash = match leaf_hash(st, key) {
                    Some(hash) => hash,
                    None => match tuple_hash(st, (*obj::<Tuple>(key)).items()) {
                        Some(hash) => hash,
                        None => return false,
                    },
                };
                let heap = &(*st.cast::<crate::Vm>()).heap;
                matches!(d.update(heap, |t| t.insert_new(hash, key, v)), Ok(Ok(_)))
            }
            at => (*d.table_ptr()).set_value(at, v).is_some(),
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
        let d = &*obj::<Dict>(*base.add(i.b()));
        let w = value_at(d, look_in_dict(st, d, *base.add(i.c())));
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
            SET_SHAPE | FROZENSET_SHAPE => look_in_set(st, &*obj::<Set>(container), key),
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
            _ => UNSURE,
        };
        match found {
            UNSURE => 2,
            at => u32::from(at != ABSENT),
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
