//! Choices from pools of items: `product`, `permutations`, `combinations` and those with
//! replacement. The pools are collected first; then every tuple is at hand.
//!
//! Words of these iterators: the pool (a tuple; for `product` a tuple of pools), the list of
//! indices (Empty at the end), for `permutations` the list of cycles. `n` is the length of the
//! tuples, `m` is 0 before the first.

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::iter::{Iter, NextFn};
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use crate::class::ClassDef;

pub(super) static PRODUCT: ClassDef = ClassDef::open(
    "itertools",
    "product",
    "Cartesian product of input iterables. Equivalent to nested for-loops.",
    &[NativeDef::new("__new__", "cls, /, *iterables, repeat=1", product, "").role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static PERMUTATIONS: ClassDef = ClassDef::open(
    "itertools",
    "permutations",
    "Return successive r-length permutations of elements in the iterable.",
    &[NativeDef::new(
        "__new__",
        "cls, iterable, r=None",
        |vm, a| chosen(vm, &PERMUTATIONS, 0, a),
        "",
    )
    .role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static COMBINATIONS: ClassDef = ClassDef::open(
    "itertools",
    "combinations",
    "Return successive r-length combinations of elements in the iterable.",
    &[NativeDef::new("__new__", "cls, iterable, r", |vm, a| chosen(vm, &COMBINATIONS, 1, a), "")
        .role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static REPLACED: ClassDef = ClassDef::open(
    "itertools",
    "combinations_with_replacement",
    "Return successive r-length combinations of elements in the iterable allowing individual \
     elements to have successive repeats.",
    &[NativeDef::new("__new__", "cls, iterable, r", |vm, a| chosen(vm, &REPLACED, 2, a), "")
        .role(Role::Static)],
)
.layout(Kind::Iter);

fn product<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let repeat = vm.size_arg(a[1], 1)?;
    if repeat < 0 {
        return Err(vm.value_error("repeat argument cannot be negative"));
    }
    let class = vm.class_for_new(a[0], PRODUCT.of(vm)?)?;
    let given: &[Value<'v>] = if repeat == 0 { &[] } else { &a[2..] };
    if (repeat as usize).checked_mul(given.len()).is_none_or(|n| n > isize::MAX as usize / 8) {
        return Err(vm.overflow_error("repeat argument too large"));
    }
    let pools = vm.list(Vec::new())?;
    collect_pools(vm, &[Value::object(class), vm.int(repeat), vm.tuple(given)?, pools])
}

/// State: the class, repeat, the iterables, the pools so far.
fn collect_pools<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static COLLECTED: Row = Row {
        name: "product_pool",
        catches: false,
        resume: |vm, state, answer| {
            let items = answer.value()?.get::<List>().map_or_else(Vec::new, List::to_vec);
            let pool = vm.tuple(&items)?;
            if let Some(pools) = state[3].get::<List>() {
                vm.oom(pools.push(&vm.heap, pool))?;
            }
            collect_pools(vm, state)
        },
    };
    let Some(pools) = state[3].get::<List>() else { return Ok(Value::NONE) };
    let iterables = vm.tuple_items(state[2]);
    while let Some(&v) = iterables.get(pools.len()) {
        match vm.items_leaf(v)? {
            Some(items) => vm.oom(pools.push(&vm.heap, vm.tuple(&items)?))?,
            None => return Err(vm.collect_then(v, &COLLECTED, state.to_vec())),
        }
    }
    let repeat = state[1].as_small().unwrap_or(1) as usize;
    let n = repeat * pools.len();
    vm.check(n.saturating_mul(16))?;
    vm.ticks(n)?;
    let indices = zeros(vm, n)?;
    let mut all = Vec::new();
    all.try_reserve_exact(n).map_err(|_| vm.memory_error())?;
    (0..repeat).for_each(|_| all.extend_from_slice(&pools.items()));
    let all = vm.tuple(&all)?;
    make(vm, state[0], product_next, all, indices, Value::EMPTY, n)
}

/// A list of `n` zeros.
fn zeros<'v>(vm: &'v Vm, n: usize) -> NResult<'v> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(n).map_err(|_| vm.memory_error())?;
    zeros.resize(n, Value::int32(0));
    vm.list(zeros)
}

fn make<'v>(
    vm: &'v Vm,
    class: Value<'v>,
    next: NextFn,
    pool: Value<'v>,
    indices: Value<'v>,
    cycles: Value<'v>,
    r: usize,
) -> NResult<'v> {
    let Some(class) = class.get() else { return Ok(Value::NONE) };
    Ok(vm.foreign_iter(class, next, [pool, indices, cycles], r, Some(0)))
}

/// `permutations` (kind 0), `combinations` (1) or those with replacement (2): collects the pool.
fn chosen<'v>(vm: &'v Vm, row: &'static ClassDef, kind: i32, a: &[Value<'v>]) -> NResult<'v> {
    static COLLECTED: Row = Row {
        name: "choice_pool",
        catches: false,
        resume: |vm, state, answer| {
            let items = answer.value()?.get::<List>().map_or_else(Vec::new, List::to_vec);
            begin(vm, state, &items)
        },
    };
    let class = Value::object(vm.class_for_new(a[0], row.of(vm)?)?);
    let r = if kind == 0 && (a[2].is_none() || a[2].is_empty()) {
        Value::NONE
    } else if kind == 0 && vm.as_index_i64(a[2]).is_none() {
        return Err(vm.type_error("Expected int as r"));
    } else {
        let r = vm.size_arg(a[2], 0)?;
        vm.int(r)
    };
    let state = vec![class, Value::int32(kind), r];
    match vm.items_leaf(a[1])? {
        Some(items) => begin(vm, &state, &items),
        None => Err(vm.collect_then(a[1], &COLLECTED, state)),
    }
}

/// State: the class, the kind, r or None.
fn begin<'v>(vm: &'v Vm, state: &[Value<'v>], items: &[Value<'v>]) -> NResult<'v> {
    let n = items.len();
    let r = state[2].as_small().unwrap_or(n as i64);
    let Ok(r) = usize::try_from(r) else {
        return Err(vm.value_error("r must be non-negative"));
    };
    let kind = state[1].as_small();
    vm.check(r.min(n).saturating_mul(16))?;
    let pool = vm.tuple(items)?;
    let counting = |from: usize, len: usize| (from..from + len).map(Value::len).collect();
    let none = Value::EMPTY;
    let (next, indices, cycles): (NextFn, Value<'v>, Value<'v>) = match kind {
        Some(2) if n == 0 && r > 0 => (replaced_next, none, none),
        Some(2) => {
            vm.check(r.saturating_mul(16))?;
            (replaced_next, zeros(vm, r)?, none)
        }
        Some(1) if r > n => (combinations_next, none, none),
        Some(1) => (combinations_next, vm.list(counting(0, r))?, none),
        _ if r > n => (permutations_next, none, none),
        _ => {
            let cycles = (0..r).map(|i| Value::len(n - i)).collect();
            (permutations_next, vm.list(counting(0, n))?, vm.list(cycles)?)
        }
    };
    make(vm, state[0], next, pool, indices, cycles, r)
}

fn at(l: &List, i: usize) -> usize {
    l.get(i).and_then(|v| v.as_small()).unwrap_or(0) as usize
}

/// The tuple of the pool's items at the first `n` indices.
fn tuple_at<'v>(vm: &'v Vm, i: &'v Iter, indices: &List) -> NResult<'v> {
    let pool = vm.tuple_items(i.get(0));
    let n = i.n.get();
    vm.ticks(n / 16)?;
    let mut near = [Value::NONE; 12];
    if n <= near.len() {
        for (k, slot) in near[..n].iter_mut().enumerate() {
            *slot = pool[at(indices, k)];
        }
        return vm.tuple(&near[..n]);
    }
    let items: Vec<Value<'v>> = (0..n).map(|k| pool[at(indices, k)]).collect();
    vm.tuple(&items)
}

fn over<'v>(i: &'v Iter) -> NResult<'v> {
    i.set(1, Value::EMPTY);
    Ok(Value::EMPTY)
}

fn product_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(indices) = i.get(1).get::<List>() else { return Ok(Value::EMPTY) };
    let pools = vm.tuple_items(i.get(0));
    let len = |k: usize| vm.tuple_items(pools[k]).len();
    if i.m.replace(1) == 0 {
        if (0..pools.len()).any(|k| len(k) == 0) {
            return over(i);
        }
    } else {
        let mut k = pools.len();
        loop {
            let Some(next) = k.checked_sub(1) else { return over(i) };
            k = next;
            let n = at(indices, k) + 1;
            if n < len(k) {
                indices.set(k, Value::len(n));
                break;
            }
            indices.set(k, Value::int32(0));
        }
    }
    let mut near = [Value::NONE; 12];
    let pick = |k: usize| vm.tuple_items(pools[k])[at(indices, k)];
    if pools.len() <= near.len() {
        for (k, slot) in near[..pools.len()].iter_mut().enumerate() {
            *slot = pick(k);
        }
        return vm.tuple(&near[..pools.len()]);
    }
    vm.ticks(pools.len() / 16)?;
    let items: Vec<Value<'v>> = (0..pools.len()).map(pick).collect();
    vm.tuple(&items)
}

fn combinations_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(indices) = i.get(1).get::<List>() else { return Ok(Value::EMPTY) };
    let (n, r) = (vm.tuple_items(i.get(0)).len(), i.n.get());
    if i.m.replace(1) != 0 {
        let Some(k) = (0..r).rev().find(|&k| at(indices, k) != k + n - r) else { return over(i) };
        let from = at(indices, k) + 1;
        for j in k..r {
            indices.set(j, Value::len(from + j - k));
        }
    }
    tuple_at(vm, i, indices)
}

fn replaced_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(indices) = i.get(1).get::<List>() else { return Ok(Value::EMPTY) };
    let (n, r) = (vm.tuple_items(i.get(0)).len(), i.n.get());
    if i.m.replace(1) != 0 {
        let Some(k) = (0..r).rev().find(|&k| at(indices, k) + 1 != n) else { return over(i) };
        let next = Value::len(at(indices, k) + 1);
        for j in k..r {
            indices.set(j, next);
        }
    }
    tuple_at(vm, i, indices)
}

fn permutations_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(indices) = i.get(1).get::<List>() else { return Ok(Value::EMPTY) };
    let (n, r) = (indices.len(), i.n.get());
    if i.m.replace(1) != 0 && !permute(vm, i, indices, n, r)? {
        return over(i);
    }
    tuple_at(vm, i, indices)
}

/// The next permutation; `false` after the last.
fn permute<'v>(
    vm: &'v Vm,
    i: &'v Iter,
    indices: &'v List,
    n: usize,
    r: usize,
) -> Result<bool, Exit<'v>> {
    let Some(cycles) = i.get(2).get::<List>() else { return Ok(false) };
    let swap = |a: usize, b: usize| {
        if let (Some(x), Some(y)) = (indices.get(a), indices.get(b)) {
            indices.set(a, y);
            indices.set(b, x);
        }
    };
    for k in (0..r).rev() {
        let left = at(cycles, k) - 1;
        if left > 0 {
            cycles.set(k, Value::len(left));
            swap(k, n - left);
            return Ok(true);
        }
        // The item at `k` goes to the end, and its cycle begins again.
        for j in k..n - 1 {
            swap(j, j + 1);
        }
        vm.ticks((n - k) / 16)?;
        cycles.set(k, Value::len(n - k));
    }
    Ok(false)
}
