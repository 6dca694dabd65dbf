//! The endless ones: `count`, `cycle`, `repeat`.

use miniscript_vm::code::op::Op;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{NResult, NativeDef, Role, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use super::{iter_of, open};
use crate::class::ClassDef;
use crate::iterate::pull;

pub(super) static COUNT: ClassDef = ClassDef::open(
    "itertools",
    "count",
    "Return a count object whose .__next__() method returns consecutive values.",
    &[NativeDef::new("__new__", "cls, start=0, step=1", count, "").role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static CYCLE: ClassDef = ClassDef::open(
    "itertools",
    "cycle",
    "Return elements from the iterable until it is exhausted. Then repeat the sequence \
     indefinitely.",
    &[NativeDef::new("__new__", "cls, iterable, /", cycle, "").role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static REPEAT: ClassDef = ClassDef::open(
    "itertools",
    "repeat",
    "Create an iterator which returns the object for the specified number of times, or endlessly.",
    &[
        NativeDef::new("__new__", "cls, object, times=None", repeat, "").role(Role::Static),
        NativeDef::new(
            "__length_hint__",
            "self, /",
            length_hint,
            "Private method returning an estimate of len(list(it)).",
        ),
    ],
)
.layout(Kind::Iter);

/// For the source's `__repr__` and `__reduce__`: what a `count` or `repeat` goes on with.
pub(super) const STATE: NativeDef = NativeDef::new("_state", "iterator, /", state, "");

fn state<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let i = iter_of(a[0]);
    let none = |v: Value<'v>| if v.is_empty() { Value::NONE } else { v };
    let second = if i.get(2).is(Value::TRUE) { vm.int(i.n.get() as i64) } else { none(i.get(1)) };
    vm.tuple(&[none(i.get(0)), second])
}

fn is_number(vm: &Vm, v: Value<'_>) -> bool {
    let class = vm.class_of(v);
    ["__index__", "__float__", "__complex__"]
        .iter()
        .any(|n| vm.class_lookup(class, vm.intern(n).word()).is_some())
}

fn count<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], COUNT.of(vm)?)?;
    let start = if a[1].is_empty() { Value::int32(0) } else { a[1] };
    let step = if a[2].is_empty() { Value::int32(1) } else { a[2] };
    if !is_number(vm, start) || !is_number(vm, step) {
        return Err(vm.type_error("a number is required"));
    }
    let plain = |v: Value<'v>| vm.exact_type(v).is_some();
    let leaf = (plain(start) && plain(step)).then_some(0);
    Ok(vm.foreign_iter(class, count_next, [start, step, Value::EMPTY], 0, leaf))
}

/// After the addition of a step. State: the count, its last value.
static COUNTED: Row = Row {
    name: "count_added",
    catches: false,
    resume: |_, state, answer| {
        iter_of(state[0]).set(0, answer.value()?);
        Ok(state[1])
    },
};

/// Words: the next value, the step.
fn count_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let (now, step) = (i.get(0), i.get(1));
    let next = match (now.as_small(), step.as_small()) {
        (Some(n), Some(s)) => match n.checked_add(s).and_then(Value::small) {
            Some(next) => next,
            None => vm.binary(Op::ADD, now, step)?,
        },
        _ => match vm.binary(Op::ADD, now, step) {
            Ok(next) => next,
            Err(e) => return Err(vm.then_state(e, &COUNTED, &[Value::object(i), now])),
        },
    };
    i.set(0, next);
    Ok(now)
}

/// After `iter()`. State: the class.
static CYCLE_OPEN: Row = Row {
    name: "cycle_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], CYCLE.of(vm)?)?;
        let saved = vm.list(Vec::new())?;
        let leaf = vm.leaf_depth(inner);
        Ok(vm.foreign_iter(class, cycle_next, [inner, saved, Value::EMPTY], 0, leaf))
    },
};

fn cycle<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    open(vm, a[1], &CYCLE_OPEN, vec![a[0]])
}

/// After an item of the first round. State: the cycle.
static CYCLE_ITEM: Row = Row {
    name: "cycle_item",
    catches: false,
    resume: |vm, state, answer| cycled(vm, iter_of(state[0]), answer.value()?),
};

/// Words: the iterator of the first round or Empty, the list of items; `n`: where in it.
fn cycle_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if !i.get(0).is_empty() {
        let v = pull(vm, i.get(0), &CYCLE_ITEM, &[Value::object(i)])?;
        return cycled(vm, i, v);
    }
    let Some(saved) = i.get(1).get::<List>() else { return Ok(Value::EMPTY) };
    let at = i.n.get();
    i.n.set(if at + 1 < saved.len() { at + 1 } else { 0 });
    Ok(saved.get(at).unwrap_or(Value::EMPTY))
}

fn cycled<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        i.set(0, Value::EMPTY);
        return cycle_next(vm, i);
    }
    if let Some(saved) = i.get(1).get::<List>() {
        vm.oom(saved.push(&vm.heap, v))?;
    }
    Ok(v)
}

fn repeat<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], REPEAT.of(vm)?)?;
    let bounded = !a[2].is_empty();
    let times = vm.size_arg(a[2], 0)?.max(0) as usize;
    let w = [a[1], Value::EMPTY, Value::bool(bounded)];
    Ok(vm.foreign_iter(class, repeat_next, w, times, Some(0)))
}

/// Words: the object, nothing, whether `n` counts how often it still comes.
fn repeat_next<'v>(_: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if i.get(2).is(Value::TRUE) {
        match i.n.get().checked_sub(1) {
            Some(left) => i.n.set(left),
            None => return Ok(Value::EMPTY),
        }
    }
    Ok(i.get(0))
}

fn length_hint<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let i = iter_of(a[0]);
    if i.get(2).is(Value::TRUE) {
        return Ok(Value::len(i.n.get()));
    }
    Err(vm.type_error("len() of unsized object"))
}
