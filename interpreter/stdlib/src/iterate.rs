//! What the natives of modules share that go through iterators and call functions: each step
//! gives a value at once, or the exit that a [`Row`] goes on from.

use std::cell::Cell;

use miniscript_vm::native::{Exit, NResult, Row};
use miniscript_vm::object::class::class_flags;
use miniscript_vm::object::iter::Iter;
use miniscript_vm::ops::compare::Cmp;
use miniscript_vm::{Value, Vm};

/// Iterators that ask each other for items directly, at most; beyond, it goes over frames.
const NESTED: u32 = 8;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// The next item of `inner`, Empty at the end. If that takes a call, `row` gets it.
pub(crate) fn pull<'v>(
    vm: &'v Vm,
    inner: Value<'v>,
    row: &'static Row,
    state: &[Value<'v>],
) -> NResult<'v> {
    let depth = DEPTH.get();
    let direct = inner
        .get::<Iter>()
        .filter(|_| depth < NESTED && !vm.class_of(inner).has(class_flags::HEAP));
    let Some(i) = direct else { return Err(Exit::next(inner, row, state.to_vec())) };
    DEPTH.set(depth + 1);
    let r = (i.next)(vm, i);
    DEPTH.set(depth);
    r.map_err(|e| vm.then_state(e, row, state))
}

/// What `f(args)` returns. If it is no native, `row` gets it.
pub(crate) fn call<'v>(
    vm: &'v Vm,
    f: Value<'v>,
    args: &[Value<'v>],
    row: &'static Row,
    state: &[Value<'v>],
) -> NResult<'v> {
    match vm.call_leaf(f, args) {
        Some(r) => r.map_err(|e| vm.then_state(e, row, state)),
        None => Err(Exit::call(f, args.to_vec(), row, state.to_vec())),
    }
}

/// The truth of `v`. If that takes a call, `row` gets it as a bool.
pub(crate) fn truth<'v>(
    vm: &'v Vm,
    v: Value<'v>,
    row: &'static Row,
    state: &[Value<'v>],
) -> Result<bool, Exit<'v>> {
    vm.truth(v).map_err(|e| vm.then_state(e, row, state))
}

/// Whether `a` is `b` or equals it. If that takes a call, `row` gets it as a bool.
pub(crate) fn equal<'v>(
    vm: &'v Vm,
    a: Value<'v>,
    b: Value<'v>,
    row: &'static Row,
    state: &[Value<'v>],
) -> Result<bool, Exit<'v>> {
    match vm.equal_leaf(a, b)? {
        Some(same) => Ok(same),
        None => Err(Exit::call(vm.prelude("compare", "equal")?, vec![a, b], row, state.to_vec())),
    }
}

/// Whether `a < b`: `None` if that takes a call.
pub(crate) fn less<'v>(vm: &'v Vm, a: Value<'v>, b: Value<'v>) -> Result<Option<bool>, Exit<'v>> {
    match vm.compare(Cmp::Lt, a, b) {
        Ok(v) => Ok(v.as_bool()),
        Err(Exit::Do(_)) => Ok(None),
        Err(e) => Err(e),
    }
}

/// An int argument of the size of a length, `None` if it is something else.
pub(crate) fn size<'v>(vm: &'v Vm, v: Value<'v>) -> Option<i64> {
    vm.as_index_i64(v)?.ok()
}
