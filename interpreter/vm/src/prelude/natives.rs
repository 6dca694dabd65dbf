//! Natives that only the prelude sees: the steps of table operations between calls.

use crate::Vm;
use crate::builtins::Type;
use crate::hash::TupleHasher;
use crate::native::{NResult, NativeDef};
use crate::object::map::{Dict, Set};
use crate::object::seq::{List, Tuple};
use crate::value::Value;

/// The rows.
pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new("__collect_soon", "", collect_soon, ""),
    NativeDef::new("__index", "v, /", |vm, a| vm.index_of(a[0]), ""),
    NativeDef::new("__hash", "v, /", |vm, a| vm.hash_value(a[0]), ""),
    NativeDef::new("__mix", "hashes, /", mix, ""),
    NativeDef::new("__items", "t, /", items, ""),
    NativeDef::new("__candidates", "d, h, /", candidates, ""),
    NativeDef::new("__version", "d, /", |vm, a| Ok(vm.int(version(a[0]))), ""),
    NativeDef::new("__value_at", "d, i, /", value_at, ""),
    NativeDef::new("__put", "d, i, key, h, value, /", put, ""),
    NativeDef::new("__remove_at", "d, i, /", remove_at, ""),
    NativeDef::new("__missing", "d, key, /", |vm, a| vm.dict_missing(a[0], a[1]), ""),
    NativeDef::new("__empty_like", "s, /", |vm, a| Ok(Value::object(vm.empty_like(a[0]))), ""),
    NativeDef::new("__entries", "d, /", entries, ""),
    NativeDef::new("__length", "d, /", length, ""),
    NativeDef::new("__is_plain_dict", "v, /", is_plain_dict, ""),
    NativeDef::new("__fast_list", "v, /", fast_list, ""),
    NativeDef::new("__was_touched", "l, /", was_touched, ""),
    NativeDef::new("__is_empty", "v, /", is_missing, ""),
    NativeDef::new(
        "__sort_keys",
        "keys, items, reverse, /",
        crate::builtins::sorting::sort_keys,
        "",
    ),
];

/// What stands for an argument that was not given, as a script value.
pub(crate) fn missing<'v>(vm: &'v Vm) -> Value<'v> {
    vm.word_value(vm.names.__code__)
}

fn collect_soon<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    vm.heap.request_collection();
    // The request may be an old one, whose trip was seen where nothing could be collected.
    vm.trip();
    Ok(Value::NONE)
}

/// Whether something was put into a list that was empty and had no room.
fn was_touched<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(a[0].get::<List>().is_some_and(List::has_room)))
}

fn is_missing<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(a[0].is(missing(vm))))
}

fn mix<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let mut h = TupleHasher::new();
    if let Some(l) = a[0].get::<List>() {
        for v in l.items().iter() {
            h.add(vm.reduce_hash(*v).unwrap_or(0));
        }
    }
    Ok(vm.int(h.finish()))
}

fn items<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.list(a[0].get::<Tuple>().map_or_else(Vec::new, |t| t.items().to_vec()))
}

fn version(v: Value<'_>) -> i64 {
    if let Some(d) = v.get::<Dict>() {
        return d.table().version() as i64;
    }
    v.get::<Set>().map_or(0, |s| s.table().version() as i64)
}

/// The version, then index and key of each entry with hash `h`.
fn candidates<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let hash = vm.reduce_hash(a[1]).unwrap_or(0);
    let mut out = vec![vm.int(version(a[0]))];
    if let Some(d) = a[0].get::<Dict>() {
        let t = d.table();
        let mut keys = Vec::new();
        t.find(hash, |k| {
            keys.push(k);
            false
        });
        for k in keys {
            if let Some(i) = t.find_identical(hash, k) {
                out.extend([Value::len(i), vm.word_value(k)]);
            }
        }
    } else if let Some(s) = a[0].get::<Set>() {
        let t = s.table();
        let mut keys = Vec::new();
        t.find(hash, |k| {
            keys.push(k);
            false
        });
        for k in keys {
            if let Some(i) = t.find_identical(hash, k) {
                out.extend([Value::len(i), vm.word_value(k)]);
            }
        }
    }
    vm.list(out)
}

fn index(v: Value<'_>) -> Option<usize> {
    usize::try_from(v.as_small()?).ok()
}

fn value_at<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let found = index(a[1]).and_then(|i| a[0].get::<Dict>()?.entry(i));
    Ok(found.map_or(Value::NONE, |(_, v)| v))
}

fn put<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let hash = vm.reduce_hash(a[3]).unwrap_or(0);
    if let Some(d) = a[0].get::<Dict>() {
        vm.dict_put(d, index(a[1]), a[2], hash, a[4])?;
    } else if let Some(s) = a[0].get::<Set>() {
        vm.set_insert(s, a[2], hash)?;
    }
    Ok(Value::NONE)
}

fn remove_at<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(i) = index(a[1]) else { return Ok(Value::NONE) };
    if let Some(d) = a[0].get::<Dict>() {
        vm.oom(d.update(&vm.heap, |t| t.remove(i)))?;
    } else if let Some(s) = a[0].get::<Set>() {
        vm.oom(s.update(&vm.heap, |t| t.remove(i)))?;
    }
    Ok(Value::NONE)
}

fn entries<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let mut out = Vec::new();
    if let Some(d) = a[0].get::<Dict>() {
        for (k, v) in d.entries() {
            out.push(vm.tuple(&[k, v])?);
        }
    }
    vm.list(out)
}

fn length<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let list = || a[0].get::<List>().map_or(0, List::len);
    Ok(Value::len(a[0].get::<Dict>().map_or_else(list, Dict::len)))
}

fn is_plain_dict<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(vm.exact_type(a[0]) == Some(Type::Dict)))
}

/// A list or tuple as it is, another iterable as a list.
fn fast_list<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if matches!(vm.exact_type(a[0]), Some(Type::List | Type::Tuple)) {
        return Ok(a[0]);
    }
    match vm.items_leaf(a[0])? {
        Some(items) => vm.list(items),
        None => Err(vm.prelude_tail("seq", "collect", &[a[0]])),
    }
}
