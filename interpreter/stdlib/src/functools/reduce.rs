//! `reduce`.

use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::{Value, Vm};

use crate::iterate::{call, pull};

pub(super) const REDUCE: NativeDef = NativeDef::new(
    "reduce",
    "function, iterable, initial=None, /",
    reduce,
    "Apply a function of two arguments cumulatively to the items of an iterable, from left to \
     right, so as to reduce the iterable to a single value.",
);

/// After `iter()`. State: the function, the value so far or Empty.
static OPENED: Row = Row {
    name: "reduce_open",
    catches: false,
    resume: |vm, state, answer| run(vm, state[0], answer.value()?, state[1]),
};

/// After an item. State: the function, the iterator, the value so far or Empty.
static ITEM: Row = Row {
    name: "reduce_item",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => ended(vm, state[2]),
        v if state[2].is_empty() => run(vm, state[0], state[1], v),
        v => {
            let next = call(vm, state[0], &[state[2], v], &CALLED, &state[..2])?;
            run(vm, state[0], state[1], next)
        }
    },
};

/// After the function. State: the function, the iterator.
static CALLED: Row = Row {
    name: "reduce_called",
    catches: false,
    resume: |vm, state, answer| run(vm, state[0], state[1], answer.value()?),
};

fn reduce<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.get_iter(a[1]) {
        Ok(iter) => run(vm, a[0], iter, a[2]),
        Err(e) => Err(vm.then_state(e, &OPENED, &[a[0], a[2]])),
    }
}

fn run<'v>(vm: &'v Vm, f: Value<'v>, iter: Value<'v>, first: Value<'v>) -> NResult<'v> {
    let mut so_far = first;
    loop {
        vm.tick()?;
        let v = pull(vm, iter, &ITEM, &[f, iter, so_far])?;
        if v.is_empty() {
            return ended(vm, so_far);
        }
        so_far =
            if so_far.is_empty() { v } else { call(vm, f, &[so_far, v], &CALLED, &[f, iter])? };
    }
}

fn ended<'v>(vm: &'v Vm, so_far: Value<'v>) -> NResult<'v> {
    if so_far.is_empty() {
        return Err(vm.type_error("reduce() of empty iterable with no initial value"));
    }
    Ok(so_far)
}
