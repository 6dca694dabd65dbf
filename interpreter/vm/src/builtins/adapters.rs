//! Iterators over iterators: `enumerate`, `zip`, `map`, `filter`, `reversed`.

use num_bigint::BigInt;

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::iterators::reversed_next;
use crate::builtins::range::class_of_arg;
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::iter::{Iter, NextFn};
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
use crate::value::Value;

/// Rows of `enumerate`.
pub const ENUMERATE: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, iterable=None, start=0", enumerate, "").role(Role::Static)];
/// Rows of `zip`.
pub const ZIP: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, /, *iterables, strict=False", zip, "").role(Role::Static)];
/// Rows of `map`.
pub const MAP: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, /, *args", map, "").role(Role::Static)];
/// Rows of `filter`.
pub const FILTER: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, function, iterable, /", filter, "").role(Role::Static)];
/// Rows of `reversed`.
pub const REVERSED: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, sequence, /", reversed, "").role(Role::Static)];

fn object<'v>(
    vm: &'v Vm,
    class: Value<'v>,
    t: Type,
    next: NextFn,
    w: [Value<'v>; 3],
    m: u64,
) -> Value<'v> {
    vm.alloc_with_attrs(Iter::new(class_of_arg(vm, class, t), next, w, 0, m), 0, false)
}

/// After the `iter()` of an argument. State: kind, class, extra, iterators so far, the rest.
static ITERS_ROW: Row = Row {
    name: "iterators_of",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if let Some(l) = state[3].get::<List>() {
            vm.oom(l.push(&vm.heap, v))?;
        }
        with_iters(vm, state)
    },
};

/// Makes iterators of all arguments, then the object.
fn with_iters<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    let (Some(done), Some(all)) = (state[3].get::<List>(), state[4].get::<Tuple>()) else {
        return Ok(Value::NONE);
    };
    while let Some(&v) = all.items().get(done.len()) {
        let i = match vm.get_iter(v) {
            Ok(i) => i,
            Err(e) => return Err(vm.then_state(e, &ITERS_ROW, state)),
        };
        vm.oom(done.push(&vm.heap, i))?;
    }
    let iters = done.to_vec();
    let e = Value::EMPTY;
    let (class, extra) = (state[1], state[2]);
    Ok(match state[0].as_small() {
        Some(0) => object(vm, class, Type::Enumerate, enumerate_next, [iters[0], extra, e], 0),
        Some(1) => {
            let strict = u64::from(extra.is(Value::TRUE));
            object(vm, class, Type::Zip, zip_next, [vm.tuple(&iters)?, e, e], strict)
        }
        Some(2) => object(vm, class, Type::Map, map_next, [vm.tuple(&iters)?, extra, e], 0),
        _ => object(vm, class, Type::Filter, filter_next, [iters[0], extra, e], 0),
    })
}

fn start<'v>(
    vm: &'v Vm,
    kind: i32,
    class: Value<'v>,
    extra: Value<'v>,
    args: &[Value<'v>],
) -> NResult<'v> {
    let done = vm.list(Vec::new())?;
    with_iters(vm, &[Value::int32(kind), class, extra, done, vm.tuple(args)?])
}

/// After the start became an int. State: the class, the iterable.
static ENUMERATE_ROW: Row = Row {
    name: "enumerate_start",
    catches: false,
    resume: |vm, state, answer| {
        let first = vm.to_bigint(vm.checked_index(answer.value()?)?).unwrap_or_default();
        start(vm, 0, state[0], vm.bigint(first), &[state[1]])
    },
};

fn enumerate<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[1].is_empty() {
        return Err(vm.type_error("enumerate() missing required argument 'iterable'"));
    }
    if a[2].is_empty() {
        return start(vm, 0, a[0], Value::int32(0), &[a[1]]);
    }
    vm.index_then(a[2], &ENUMERATE_ROW, vec![a[0], a[1]])
}

fn zip<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let strict = if a[1].is_empty() { false } else { vm.truth(a[1])? };
    start(vm, 1, a[0], Value::bool(strict), &a[2..])
}

fn map<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a.len() < 3 {
        return Err(vm.type_error("map() must have at least two arguments."));
    }
    start(vm, 2, a[0], a[1], &a[2..])
}

fn filter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    start(vm, 3, a[0], a[1], &[a[2]])
}

/// After `__len__`. State: the sequence, the class.
static REVERSED_ROW: Row = Row {
    name: "reversed_len",
    catches: false,
    resume: |vm, state, answer| {
        let n = vm.length_of_result(answer.value()?)?;
        let shape = class_of_arg(vm, state[1], Type::Reversed);
        let e = Value::EMPTY;
        Ok(vm.alloc_with_attrs(Iter::new(shape, reversed_next, [state[0], e, e], n, 0), 0, false))
    },
};

fn reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let v = a[1];
    match vm.method(v, vm.names.__reversed__)? {
        Some((f, _)) if f.is_none() => {
            return Err(vm.type_error(format!("'{}' object is not reversible", vm.type_name(v))));
        }
        Some((f, args)) => {
            return match vm.call_leaf(f, &args) {
                Some(r) => r,
                None => Err(Exit::tail(f, args)),
            };
        }
        None => {}
    }
    let class = vm.class_of(v);
    if v.is_a::<Dict>() || vm.class_lookup(class, vm.names.__getitem__).is_none() {
        return Err(vm.type_error(format!("'{}' object is not reversible", vm.type_name(v))));
    }
    match vm.len_of(v) {
        Ok(n) => (REVERSED_ROW.resume)(vm, &[v, a[0]], Answer::Value(n)),
        Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
        Err(e) => Err(vm.then_state(e, &REVERSED_ROW, &[v, a[0]])),
    }
}

fn iter_of<'v>(v: Value<'v>) -> &'v Iter {
    v.get::<Iter>().expect("states of these rows begin with the iterator")
}

/// After an item of the inner iterator. State: the enumerate.
static ENUMERATE_ITEM_ROW: Row = Row {
    name: "enumerate_item",
    catches: false,
    resume: |vm, state, answer| number(vm, iter_of(state[0]), answer.value()?),
};

fn enumerate_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    match vm.next_leaf(i.get(0))? {
        Some(v) => number(vm, i, v),
        None => Err(Exit::next(i.get(0), &ENUMERATE_ITEM_ROW, vec![Value::object(i)])),
    }
}

fn number<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        return Ok(v);
    }
    let n = i.get(1);
    let next = match n.as_small().and_then(|n| Value::small(n + 1)) {
        Some(next) => next,
        None => vm.bigint(vm.to_bigint(n).unwrap_or_default() + BigInt::from(1)),
    };
    i.set(1, next);
    vm.tuple(&[n, v])
}

/// After an item of one of the inner iterators. State: the zip or map, the items so far.
static GATHER_ROW: Row = Row {
    name: "gather",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        let v = answer.value()?;
        let mut got = state[1].get::<List>().map_or_else(Vec::new, List::to_vec);
        if v.is_empty() {
            return ended(vm, i, got.len());
        }
        got.push(v);
        gather(vm, i, got)
    },
};

/// One item of each inner iterator.
fn gather<'v>(vm: &'v Vm, i: &'v Iter, mut got: Vec<Value<'v>>) -> NResult<'v> {
    let Some(iters) = i.get(0).get::<Tuple>() else { return Ok(Value::EMPTY) };
    while let Some(&inner) = iters.items().get(got.len()) {
        match vm.next_leaf(inner)? {
            Some(v) if v.is_empty() => return ended(vm, i, got.len()),
            Some(v) => got.push(v),
            None => {
                let got = vm.list(got)?;
                return Err(Exit::next(inner, &GATHER_ROW, vec![Value::object(i), got]));
            }
        }
    }
    if vm.class_of(Value::object(i)).is_subclass(vm.class(Type::Map)) {
        let f = i.get(1);
        return match vm.call_leaf(f, &got) {
            Some(r) => r,
            None => Err(Exit::tail(f, got)),
        };
    }
    vm.tuple(&got)
}

fn zip_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if i.get(0).get::<Tuple>().is_none_or(|t| t.is_empty()) {
        return Ok(Value::EMPTY);
    }
    gather(vm, i, Vec::new())
}

fn map_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    gather(vm, i, Vec::new())
}

/// Inner iterator `at` has ended: a strict zip sees whether the others have too.
fn ended<'v>(vm: &'v Vm, i: &'v Iter, at: usize) -> NResult<'v> {
    if i.m.get() == 0 {
        return Ok(Value::EMPTY);
    }
    if at > 0 {
        return Err(uneven(vm, at + 1, "shorter"));
    }
    strict_rest(vm, i, 1)
}

fn uneven<'v>(vm: &'v Vm, n: usize, how: &str) -> Exit<'v> {
    let others = if n == 2 { "argument 1".to_owned() } else { format!("arguments 1-{}", n - 1) };
    vm.value_error(format!("zip() argument {n} is {how} than {others}"))
}

/// After an item of iterator `state[1]`, which should have none.
static STRICT_ROW: Row = Row {
    name: "zip_strict",
    catches: false,
    resume: |vm, state, answer| {
        let n = state[1].as_small().unwrap_or(0) as usize;
        if !answer.value()?.is_empty() {
            return Err(uneven(vm, n + 1, "longer"));
        }
        strict_rest(vm, iter_of(state[0]), n + 1)
    },
};

fn strict_rest<'v>(vm: &'v Vm, i: &'v Iter, from: usize) -> NResult<'v> {
    let Some(iters) = i.get(0).get::<Tuple>() else { return Ok(Value::EMPTY) };
    for (n, &inner) in iters.items().iter().enumerate().skip(from) {
        match vm.next_leaf(inner)? {
            Some(v) if v.is_empty() => {}
            Some(_) => return Err(uneven(vm, n + 1, "longer")),
            None => {
                return Err(Exit::next(inner, &STRICT_ROW, vec![Value::object(i), Value::len(n)]));
            }
        }
    }
    Ok(Value::EMPTY)
}

/// After an item of the inner iterator. State: the filter.
static FILTER_ITEM_ROW: Row = Row {
    name: "filter_item",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(v),
        v => match accept(vm, iter_of(state[0]), v)? {
            true => Ok(v),
            false => filter_next(vm, iter_of(state[0])),
        },
    },
};

/// After the function was called. State: the filter, the item.
static FILTER_RESULT_ROW: Row = Row {
    name: "filter_result",
    catches: false,
    resume: |vm, state, answer| vm.truth_then(answer.value()?, &FILTER_TRUTH_ROW, state.to_vec()),
};

/// After the truth of the result. State: the filter, the item.
static FILTER_TRUTH_ROW: Row = Row {
    name: "filter_truth",
    catches: false,
    resume: |vm, state, answer| match answer.value()?.is(Value::TRUE) {
        true => Ok(state[1]),
        false => filter_next(vm, iter_of(state[0])),
    },
};

fn filter_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        vm.tick()?;
        match vm.next_leaf(i.get(0))? {
            Some(v) if v.is_empty() => return Ok(v),
            Some(v) => {
                if accept(vm, i, v)? {
                    return Ok(v);
                }
            }
            None => {
                return Err(Exit::next(i.get(0), &FILTER_ITEM_ROW, vec![Value::object(i)]));
            }
        }
    }
}

/// Whether the filter lets `v` through; otherwise the exit goes on by itself.
fn accept<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> Result<bool, Exit<'v>> {
    let f = i.get(1);
    let state = vec![Value::object(i), v];
    let result = if f.is_none() || f.is(vm.class_value(Type::Bool)) {
        v
    } else {
        match vm.call_leaf(f, &[v]) {
            Some(r) => r?,
            None => return Err(Exit::call(f, vec![v], &FILTER_RESULT_ROW, state)),
        }
    };
    match vm.truth(result) {
        Ok(b) => Ok(b),
        Err(e) => Err(vm.then_state(e, &FILTER_TRUTH_ROW, &state)),
    }
}
