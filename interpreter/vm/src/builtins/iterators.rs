//! The builtin iterators: how each makes its next item, and what scripts can call on them.

use std::cell::Cell;

use num_bigint::BigInt;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::iter::Iter;
use crate::object::map::{Dict, Set};
use crate::object::num::BigIntObj;
use crate::object::seq::{List, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::value::{EMPTY, Value};

/// Rows of every builtin iterator class.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
    NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
    NativeDef::new(
        "__length_hint__",
        "self, /",
        length_hint,
        "Private method returning an estimate of len(list(it)).",
    ),
];

/// Whether iterators of class `t` give items without calls.
pub(crate) fn is_simple(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::ListIter
            | T::ListReverseIter
            | T::TupleIter
            | T::StrIter
            | T::AsciiIter
            | T::BytesIter
            | T::ByteArrayIter
            | T::RangeIter
            | T::LongRangeIter
            | T::DictKeyIter
            | T::DictValueIter
            | T::DictItemIter
            | T::DictReverseKeyIter
            | T::DictReverseValueIter
            | T::DictReverseItemIter
            | T::SetIter
            | T::MemoryIter
    )
}

/// Rows of an iterator class that cannot say how much is left.
pub const PLAIN: &[NativeDef] = &[
    NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
    NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
];

fn next<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(i) = a[0].get::<Iter>() else { return Ok(Value::NONE) };
    match (i.next)(vm, i) {
        Ok(v) if v.is_empty() => Err(vm.stop_iteration(Value::NONE)),
        Ok(v) => Ok(v),
        // The end may come after a call only: the row tells.
        Err(Exit::Do(_)) => Err(Exit::next(a[0], &STOP_ROW, Vec::new())),
        Err(e) => Err(e),
    }
}

/// An item, or StopIteration at the end.
pub(crate) static STOP_ROW: Row = Row {
    name: "next_or_stop",
    catches: false,
    resume: |vm, _, answer| match answer.value()? {
        v if v.is_empty() => Err(vm.stop_iteration(Value::NONE)),
        v => Ok(v),
    },
};

fn length_hint<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(i) = a[0].get::<Iter>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let w = i.get(0);
    let left = |n: usize| Ok(Value::len(n.saturating_sub(i.n.get())));
    match vm.exact_type(a[0]) {
        Some(Type::ListIter) => left(w.get::<List>().map_or(0, List::len)),
        Some(Type::TupleIter) => left(w.get::<Tuple>().map_or(0, |t| t.len())),
        Some(Type::StrIter | Type::AsciiIter) => {
            let rest = w.get::<Str>().and_then(|s| s.bytes().get(i.n.get()..));
            Ok(Value::len(rest.map_or(0, crate::text_len)))
        }
        Some(Type::BytesIter | Type::ByteArrayIter) => {
            left(crate::ops::compare::bytes_of(w, <[u8]>::len).unwrap_or(0))
        }
        Some(Type::RangeIter) => Ok(Value::len(i.n.get())),
        Some(Type::LongRangeIter) => Ok(i.get(2)),
        Some(Type::ListReverseIter | Type::Reversed) => Ok(Value::len(i.n.get())),
        Some(
            Type::DictKeyIter
            | Type::DictValueIter
            | Type::DictItemIter
            | Type::DictReverseKeyIter
            | Type::DictReverseValueIter
            | Type::DictReverseItemIter,
        ) => Ok(if w.is_empty() { Value::int32(0) } else { i.get(1) }),
        Some(Type::SetIter) => match w.get::<Set>() {
            Some(s) => {
                let t = s.table();
                let mut n = 0;
                let mut at = i.n.get();
                while let Some(e) = t.next_live(at) {
                    n += 1;
                    at = e + 1;
                }
                Ok(Value::len(n))
            }
            None => Ok(Value::int32(0)),
        },
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn step(n: &Cell<usize>) -> usize {
    let i = n.get();
    n.set(i + 1);
    i
}

fn end(i: &Iter) -> NResult<'static> {
    i.w[0].set(EMPTY);
    Ok(Value::EMPTY)
}

pub(crate) fn list_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    match i.get(0).get::<List>().and_then(|l| l.get(i.n.get())) {
        Some(v) => {
            step(&i.n);
            Ok(v)
        }
        None => end(i),
    }
}

/// Down from item `n - 1`.
pub(crate) fn list_reverse_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let item =
        i.n.get()
            .checked_sub(1)
            .and_then(|n| i.get(0).get::<List>()?.get(n).inspect(|_| i.n.set(n)));
    match item {
        Some(v) => Ok(v),
        None => {
            i.n.set(0);
            end(i)
        }
    }
}

pub(crate) fn tuple_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    match i.get(0).get::<Tuple>().and_then(|t| t.items().get(i.n.get())) {
        Some(v) => {
            step(&i.n);
            Ok(*v)
        }
        None => end(i),
    }
}

/// `n` is a byte offset.
pub(crate) fn str_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(s) = i.get(0).get::<Str>() else { return Ok(Value::EMPTY) };
    match crate::text::wtf8::decode(s.bytes(), i.n.get()) {
        Some((cp, after)) => {
            i.n.set(after);
            vm.code_point(cp)
        }
        None => end(i),
    }
}

pub(crate) fn bytes_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let n = i.n.get();
    let b = match i.get(0) {
        v if v.kind() == Some(Kind::Bytes) => {
            v.get::<Bytes>().and_then(|b| b.bytes().get(n).copied())
        }
        v => v.get::<ByteArray>().and_then(|b| b.bytes().get(n).copied()),
    };
    match b {
        Some(b) => {
            step(&i.n);
            Ok(Value::int32(i32::from(b)))
        }
        None => end(i),
    }
}

/// `m` is the next item, `n` how many are left, word 0 the step.
pub(crate) fn range_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(left) = i.n.get().checked_sub(1) else { return Ok(Value::EMPTY) };
    let at = i.m.get() as i64;
    i.n.set(left);
    i.m.set(at.wrapping_add(i.get(0).as_small().unwrap_or(0)) as u64);
    Ok(vm.int(at))
}

/// The words: next item, step, how many are left.
pub(crate) fn long_range_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let big = |v: Value<'v>| vm.to_bigint(v).unwrap_or_default();
    let left = big(i.get(2));
    if left <= BigInt::from(0) {
        return Ok(Value::EMPTY);
    }
    let at = i.get(0);
    i.set(2, vm.bigint(left - 1));
    i.set(0, vm.bigint(big(at) + big(i.get(1))));
    Ok(at)
}

/// Word 1: entries still to come. `m`: the dict's size, or -1 after an error.
pub(crate) fn dict_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(d) = i.get(0).get::<Dict>() else { return Ok(Value::EMPTY) };
    dict_unchanged(vm, i, d)?;
    let Some(at) = d.table().next_live(i.n.get()) else { return end(i) };
    i.n.set(at + 1);
    dict_item(vm, i, d, at)
}

/// Down from entry `n - 1`.
pub(crate) fn dict_reverse_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(d) = i.get(0).get::<Dict>() else { return Ok(Value::EMPTY) };
    dict_unchanged(vm, i, d)?;
    let Some(at) = d.table().prev_live(i.n.get()) else { return end(i) };
    i.n.set(at);
    dict_item(vm, i, d, at)
}

fn dict_unchanged<'v>(vm: &'v Vm, i: &Iter, d: &Dict) -> Result<(), Exit<'v>> {
    if d.len() as u64 == i.m.get() {
        return Ok(());
    }
    i.m.set(u64::MAX);
    Err(vm.runtime_error("dictionary changed size during iteration"))
}

fn dict_item<'v>(vm: &'v Vm, i: &'v Iter, d: &'v Dict, at: usize) -> NResult<'v> {
    let left = i.get(1).as_small().unwrap_or(0);
    if left == 0 {
        i.m.set(u64::MAX);
        return Err(vm.runtime_error("dictionary keys changed during iteration"));
    }
    i.set(1, Value::len(left as usize - 1));
    let Some((k, v)) = d.entry(at) else { return end(i) };
    match vm.exact_type(Value::object(i)) {
        Some(Type::DictValueIter | Type::DictReverseValueIter) => Ok(v),
        Some(Type::DictItemIter | Type::DictReverseItemIter) => vm.tuple(&[k, v]),
        _ => Ok(k),
    }
}

/// `m`: the set's size, or -1 after an error.
pub(crate) fn set_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(s) = i.get(0).get::<Set>() else { return Ok(Value::EMPTY) };
    if s.len() as u64 != i.m.get() {
        i.m.set(u64::MAX);
        return Err(vm.runtime_error("Set changed size during iteration"));
    }
    let t = s.table();
    match t.next_live(i.n.get()) {
        Some(at) => {
            i.n.set(at + 1);
            Ok(t.get(at).map_or(Value::EMPTY, |e| vm.word_value(e.key)))
        }
        None => end(i),
    }
}

/// After `__getitem__` of a sequence iterator, whose index is one further already.
static SEQUENCE_ROW: Row = Row {
    name: "sequence_next",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Value(v) => Ok(v),
        Answer::Raised(e) if vm.is_exception_of(e, Type::IndexError) || vm.is_stop_iteration(e) => {
            match state[0].get::<Iter>() {
                Some(i) => end(i),
                None => Ok(Value::EMPTY),
            }
        }
        Answer::Raised(e) => Err(Exit::Raise(e)),
    },
};

/// `iter()` over `__getitem__`: word 0 the object, `n` the index.
pub(crate) fn sequence_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let o = i.get(0);
    if o.is_empty() {
        return Ok(o);
    }
    let n = step(&i.n);
    item_of(vm, i, o, n)
}

/// `reversed()` over `__getitem__`: down from index `n - 1`.
pub(crate) fn reversed_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let o = i.get(0);
    let Some(n) = i.n.get().checked_sub(1).filter(|_| !o.is_empty()) else { return end(i) };
    i.n.set(n);
    item_of(vm, i, o, n)
}

fn item_of<'v>(vm: &'v Vm, i: &'v Iter, o: Value<'v>, n: usize) -> NResult<'v> {
    let state = vec![Value::object(i)];
    let r = if vm.exact_type(o).is_some() {
        vm.getitem(o, Value::len(n))
    } else {
        let Some((f, mut args)) = vm.method(o, vm.names.__getitem__)? else { return end(i) };
        args.push(Value::len(n));
        match vm.call_leaf(f, &args) {
            Some(r) => r,
            None => return Err(Exit::call(f, args, &SEQUENCE_ROW, state)),
        }
    };
    match r {
        Err(Exit::Raise(e)) => (SEQUENCE_ROW.resume)(vm, &state, Answer::Raised(e)),
        r => r,
    }
}

/// After the call of a callable iterator. State: the iterator.
static CALLABLE_ROW: Row = Row {
    name: "callable_next",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let Some(i) = state[0].get::<Iter>() else { return Ok(Value::EMPTY) };
        match vm.equal_leaf(v, i.get(1))? {
            Some(true) => end(i),
            Some(false) => Ok(v),
            None => Err(Exit::call(
                vm.prelude("compare", "equal")?,
                vec![i.get(1), v],
                &SENTINEL_ROW,
                vec![state[0], v],
            )),
        }
    },
};

static SENTINEL_ROW: Row = Row {
    name: "callable_sentinel",
    catches: false,
    resume: |_, state, answer| {
        let same = answer.value()?.is(Value::TRUE);
        match state[0].get::<Iter>() {
            Some(i) if same => end(i),
            _ => Ok(state[1]),
        }
    },
};

/// `iter(f, sentinel)`.
pub(crate) fn callable_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let f = i.get(0);
    if f.is_empty() {
        return Ok(f);
    }
    Err(Exit::call(f, Vec::new(), &CALLABLE_ROW, vec![Value::object(i)]))
}

impl Vm {
    /// An int (or bool) of any size as a number.
    pub fn to_bigint(&self, v: Value<'_>) -> Option<BigInt> {
        match self.as_index_i64(v)? {
            Ok(n) => Some(BigInt::from(n)),
            Err(()) => v.get::<BigIntObj>().map(|b| b.value.clone()),
        }
    }
}
