//! Sorting: keys that compare without calls go through the standard library's stable sort, in
//! runs that are then merged (with polls); the rest through the prelude's merge sort.

use std::cmp::Ordering;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult};
use crate::object::num::{BigIntObj, Int64};
use crate::object::seq::{List, Tuple};
use crate::object::text::{Bytes, Str};
use crate::ops::equal::order_numbers;
use crate::value::Value;

/// What the keys of a sort have in common.
#[derive(Clone, Copy, PartialEq)]
enum Keys {
    Ints,
    Floats,
    Numbers,
    Strings,
    Bytes,
    Tuples,
}

fn kind_of(vm: &Vm, v: Value<'_>) -> Option<Keys> {
    if v.as_small().is_some() {
        return Some(Keys::Ints);
    }
    if let Some(x) = v.as_float() {
        // NaN has no place in an order: the merge sort gives it the place CPython's does not
        // promise either.
        return if x.is_nan() { None } else { Some(Keys::Floats) };
    }
    if v.as_bool().is_some() {
        return Some(Keys::Numbers);
    }
    match vm.exact_type(v)? {
        Type::Str => Some(Keys::Strings),
        Type::Bytes => Some(Keys::Bytes),
        Type::Tuple => Some(Keys::Tuples),
        Type::Int if v.is_a::<Int64>() || v.is_a::<BigIntObj>() => Some(Keys::Numbers),
        _ => None,
    }
}

fn common(vm: &Vm, keys: impl Iterator<Item = Option<Keys>>) -> Option<Keys> {
    let _ = vm;
    let mut all: Option<Keys> = None;
    for k in keys {
        let k = k?;
        all = Some(match all {
            None => k,
            Some(a) if a == k => a,
            Some(Keys::Ints | Keys::Floats | Keys::Numbers)
                if matches!(k, Keys::Ints | Keys::Floats | Keys::Numbers) =>
            {
                Keys::Numbers
            }
            _ => return None,
        });
    }
    all
}

/// Whether each column of tuple keys holds keys of one kind, so that any two compare.
fn columns_agree(vm: &Vm, keys: &[Value<'_>]) -> bool {
    let width = keys.iter().filter_map(|k| k.get::<Tuple>()).map(|t| t.len()).max().unwrap_or(0);
    (0..width).all(|c| {
        let column = keys
            .iter()
            .filter_map(|k| k.get::<Tuple>()?.items().get(c).copied())
            .map(|v| kind_of(vm, v).filter(|k| *k != Keys::Tuples));
        common(vm, column).is_some()
    })
}

fn order(a: Value<'_>, b: Value<'_>) -> Ordering {
    if let Some(o) = order_numbers(a, b) {
        return o.unwrap_or(Ordering::Equal);
    }
    match (a.kind(), b.kind()) {
        (Some(Kind::Str), Some(Kind::Str)) => {
            a.get::<Str>().map(Str::bytes).cmp(&b.get::<Str>().map(Str::bytes))
        }
        (Some(Kind::Bytes), Some(Kind::Bytes)) => {
            a.get::<Bytes>().map(Bytes::bytes).cmp(&b.get::<Bytes>().map(Bytes::bytes))
        }
        (Some(Kind::Tuple), Some(Kind::Tuple)) => match (a.get::<Tuple>(), b.get::<Tuple>()) {
            (Some(x), Some(y)) => {
                for (p, q) in x.items().iter().zip(y.items()) {
                    let o = order(*p, *q);
                    if o.is_ne() {
                        return o;
                    }
                }
                x.len().cmp(&y.len())
            }
            _ => Ordering::Equal,
        },
        _ => Ordering::Equal,
    }
}

/// Sorts `items` by `keys` if no comparison can call or fail; `Ok(false)` if one might.
fn sort_leaf<'v>(
    vm: &'v Vm,
    keys: Option<&[Value<'v>]>,
    items: &mut Vec<Value<'v>>,
    reverse: bool,
) -> Result<bool, Exit<'v>> {
    if items.len() < 2 {
        return Ok(true);
    }
    vm.ticks(items.len() / 16)?;
    let apart = keys;
    let keys = apart.unwrap_or(items);
    let Some(kind) = common(vm, keys.iter().map(|&k| kind_of(vm, k))) else { return Ok(false) };
    if kind == Keys::Tuples && !columns_agree(vm, keys) {
        return Ok(false);
    }
    let compare = |a: &Value<'v>, b: &Value<'v>| match kind {
        // Words of small ints are in the order of the ints.
        Keys::Ints => a.word().cmp(&b.word()),
        _ => order(*a, *b),
    };
    let run = match kind {
        Keys::Ints | Keys::Floats => 1 << 17,
        Keys::Numbers | Keys::Strings | Keys::Bytes => 1 << 14,
        Keys::Tuples => 1 << 8,
    };
    let Some(keys) = apart else {
        match reverse {
            true => merge_runs(vm, items, run, |x, y| compare(y, x))?,
            false => merge_runs(vm, items, run, compare)?,
        }
        return Ok(true);
    };
    vm.check(size_of_val(keys).saturating_mul(2))?;
    let mut pairs: Vec<(Value<'v>, Value<'v>)> =
        keys.iter().copied().zip(items.iter().copied()).collect();
    match reverse {
        true => merge_runs(vm, &mut pairs, run, |x, y| compare(&y.0, &x.0))?,
        false => merge_runs(vm, &mut pairs, run, |x, y| compare(&x.0, &y.0))?,
    }
    items.clear();
    items.extend(pairs.into_iter().map(|p| p.1));
    Ok(true)
}

/// Sorts runs of `run` items each and merges them.
fn merge_runs<'v, T: Copy>(
    vm: &'v Vm,
    pairs: &mut Vec<T>,
    run: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<(), Exit<'v>> {
    let len = pairs.len();
    for part in pairs.chunks_mut(run) {
        part.sort_by(&compare);
        vm.ticks(part.len())?;
    }
    let mut width = run;
    let mut merged: Vec<T> = Vec::new();
    if width < len {
        vm.check(size_of_val(&pairs[..]))?;
        merged.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
    }
    while width < len {
        merged.clear();
        for part in pairs.chunks(2 * width) {
            let (mut left, mut right) = part.split_at(width.min(part.len()));
            // What is in order already is copied whole.
            if let (Some(last), Some(first)) = (left.last(), right.first())
                && compare(last, first).is_le()
            {
                merged.extend_from_slice(part);
                vm.ticks(1 + part.len() / 64)?;
                continue;
            }
            while let ([x, ..], [y, ..]) = (left, right) {
                vm.tick()?;
                if compare(y, x).is_lt() {
                    merged.push(*y);
                    right = &right[1..];
                } else {
                    merged.push(*x);
                    left = &left[1..];
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(pairs, &mut merged);
        width *= 2;
    }
    Ok(())
}

/// `__sort_keys(keys, items, reverse)` of the prelude: a sorted list of the items.
pub(crate) fn sort_keys<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (Some(keys), Some(items)) = (a[0].get::<List>(), a[1].get::<List>()) else {
        return Ok(a[1]);
    };
    vm.check(size_of_val(&items.items()[..]))?;
    let mut out = items.to_vec();
    if sort_leaf(vm, Some(&keys.items()), &mut out, a[2].is(Value::TRUE))? {
        return vm.list(out);
    }
    Err(vm.prelude_tail("seq", "merge_sort", a))
}

/// `list.sort`.
pub(crate) fn sort_list<'v>(
    vm: &'v Vm,
    list: Value<'v>,
    key: Value<'v>,
    reverse: bool,
) -> NResult<'v> {
    let Some(l) = list.get::<List>() else { return Ok(Value::NONE) };
    vm.check(size_of_val(&l.items()[..]))?;
    let mut items = l.to_vec();
    if key.is_none() && sort_leaf(vm, None, &mut items, reverse)? {
        vm.oom(l.update(&vm.heap, |own| {
            own.clear();
            own.extend_from_slice(crate::object::seq::words(&items));
        }))?;
        return Ok(Value::NONE);
    }
    let taken = vm.list(items)?;
    vm.oom(l.update(&vm.heap, |own| *own = Vec::new()))?;
    Err(vm.prelude_tail("seq", "sort_general", &[list, taken, key, Value::bool(reverse)]))
}

/// `sorted` of a list of items.
pub(crate) fn sort_items<'v>(
    vm: &'v Vm,
    mut items: Vec<Value<'v>>,
    key: Value<'v>,
    reverse: bool,
) -> NResult<'v> {
    if key.is_none() && sort_leaf(vm, None, &mut items, reverse)? {
        return vm.list(items);
    }
    let items = vm.list(items)?;
    Err(vm.prelude_tail("seq", "sorted_general", &[items, key, Value::bool(reverse)]))
}

/// The truth of a `reverse` argument; `None` if script code has to tell it.
pub(crate) fn reverse_flag<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<bool>, Exit<'v>> {
    if v.is_empty() {
        return Ok(Some(false));
    }
    match vm.truth(v) {
        Err(Exit::Do(_)) => Ok(None),
        known => known.map(Some),
    }
}
