//! `groupby` and `tee`: several iterators over one.

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::record::Record;
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use super::{iter_of, open};
use crate::class::ClassDef;
use crate::iterate::{call, equal, pull};

pub(super) static GROUPBY: ClassDef = ClassDef::open(
    "itertools",
    "groupby",
    "make an iterator that returns consecutive keys and groups from the iterable",
    &[NativeDef::new("__new__", "cls, iterable, key=None", groupby, "").role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static GROUPER: ClassDef =
    ClassDef::closed("itertools", "_grouper", "", &[]).layout(Kind::Iter);

// ---- groupby ----
//
// Words of a groupby: the iterator, the key function or None, and a list of the four values below.
// `n` counts the groups, and a grouper whose number is not that of the latest is over.

/// The key of the running group.
const TARGET: usize = 0;
/// The key of the item at hand.
const KEY: usize = 1;
/// The item at hand, if any.
const ITEM: usize = 2;

fn slot<'v>(g: &'v Iter, at: usize) -> Value<'v> {
    g.get(2).get::<List>().and_then(|l| l.get(at)).unwrap_or(Value::EMPTY)
}

fn set_slot<'v>(g: &'v Iter, at: usize, v: Value<'v>) {
    if let Some(l) = g.get(2).get::<List>() {
        l.set(at, v);
    }
}

fn groupby<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let key = if a[2].is_empty() { Value::NONE } else { a[2] };
    open(vm, a[1], &GROUP_OPEN, vec![a[0], key])
}

/// After `iter()`. State: the class, the key function.
static GROUP_OPEN: Row = Row {
    name: "groupby_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], GROUPBY.of(vm)?)?;
        let slots = vm.list(vec![Value::EMPTY; 3])?;
        Ok(vm.foreign_iter(class, group_next, [inner, state[1], slots], 0, None))
    },
};

/// Advances to the first item with another key.
fn group_next<'v>(vm: &'v Vm, g: &'v Iter) -> NResult<'v> {
    g.n.set(g.n.get() + 1);
    group_seek(vm, g)
}

/// After a comparison of keys. State: the groupby.
static SEEK_COMPARED: Row = Row {
    name: "groupby_compared",
    catches: false,
    resume: |vm, state, answer| {
        let g = iter_of(state[0]);
        match answer.value()?.is(Value::TRUE) {
            true => seek_step(vm, g),
            false => group_found(vm, g),
        }
    },
};

/// After a step. State: the groupby.
static SEEK_STEPPED: Row = Row {
    name: "groupby_stepped",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(v),
        _ => group_seek(vm, iter_of(state[0])),
    },
};

fn seek_step<'v>(vm: &'v Vm, g: &'v Iter) -> NResult<'v> {
    match step(vm, g) {
        Ok(v) if v.is_empty() => Ok(v),
        Ok(_) => group_seek(vm, g),
        Err(e) => Err(vm.then_state(e, &SEEK_STEPPED, &[Value::object(g)])),
    }
}

fn group_seek<'v>(vm: &'v Vm, g: &'v Iter) -> NResult<'v> {
    loop {
        vm.tick()?;
        let (key, target) = (slot(g, KEY), slot(g, TARGET));
        if !key.is_empty() {
            if target.is_empty() {
                break;
            }
            if !equal(vm, target, key, &SEEK_COMPARED, &[Value::object(g)])? {
                break;
            }
        }
        match step(vm, g) {
            Ok(v) if v.is_empty() => return Ok(v),
            Ok(_) => {}
            Err(e) => return Err(vm.then_state(e, &SEEK_STEPPED, &[Value::object(g)])),
        }
    }
    group_found(vm, g)
}

fn group_found<'v>(vm: &'v Vm, g: &'v Iter) -> NResult<'v> {
    let key = slot(g, KEY);
    set_slot(g, TARGET, key);
    let w = [Value::object(g), key, Value::EMPTY];
    let grouper = vm.foreign_iter(GROUPER.of(vm)?, grouper_next, w, g.n.get(), None);
    vm.tuple(&[key, grouper])
}

/// After an item. State: the groupby.
static STEP_ITEM: Row = Row {
    name: "groupby_item",
    catches: false,
    resume: |vm, state, answer| step_item(vm, iter_of(state[0]), answer.value()?),
};

/// After the key function. State: the groupby, the item.
static STEP_KEY: Row = Row {
    name: "groupby_key",
    catches: false,
    resume: |_, state, answer| {
        let g = iter_of(state[0]);
        set_slot(g, KEY, answer.value()?);
        set_slot(g, ITEM, state[1]);
        Ok(Value::NONE)
    },
};

/// Takes the next item and its key: None, or Empty at the end.
fn step<'v>(vm: &'v Vm, g: &'v Iter) -> NResult<'v> {
    let v = pull(vm, g.get(0), &STEP_ITEM, &[Value::object(g)])?;
    step_item(vm, g, v)
}

fn step_item<'v>(vm: &'v Vm, g: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        return Ok(v);
    }
    let f = g.get(1);
    let key = if f.is_none() { v } else { call(vm, f, &[v], &STEP_KEY, &[Value::object(g), v])? };
    set_slot(g, KEY, key);
    set_slot(g, ITEM, v);
    Ok(Value::NONE)
}

/// After a step for a grouper. State: the grouper.
static GROUPER_STEPPED: Row = Row {
    name: "grouper_stepped",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(v),
        _ => grouper_item(vm, iter_of(state[0])),
    },
};

/// After the comparison with the group's key. State: the grouper.
static GROUPER_COMPARED: Row = Row {
    name: "grouper_compared",
    catches: false,
    resume: |_, state, answer| {
        let same = answer.value()?.is(Value::TRUE);
        Ok(if same { grouper_take(iter_of(state[0])) } else { Value::EMPTY })
    },
};

/// Words: the groupby, the group's key; `n`: the group's number.
fn grouper_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let g = iter_of(i.get(0));
    if g.n.get() != i.n.get() {
        return Ok(Value::EMPTY);
    }
    if slot(g, ITEM).is_empty() {
        match step(vm, g) {
            Ok(v) if v.is_empty() => return Ok(v),
            Ok(_) => {}
            Err(e) => return Err(vm.then_state(e, &GROUPER_STEPPED, &[Value::object(i)])),
        }
    }
    grouper_item(vm, i)
}

fn grouper_item<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let key = slot(iter_of(i.get(0)), KEY);
    let same = equal(vm, i.get(1), key, &GROUPER_COMPARED, &[Value::object(i)])?;
    Ok(if same { grouper_take(i) } else { Value::EMPTY })
}

fn grouper_take<'v>(i: &'v Iter) -> Value<'v> {
    let g = iter_of(i.get(0));
    let v = slot(g, ITEM);
    set_slot(g, ITEM, Value::EMPTY);
    v
}

// ---- tee ----

/// The items that were read, in pieces, each a record of: the iterator they come from, a list of
/// items, the next piece or Empty. What no tee needs any more is garbage.
static PIECE: ClassDef =
    ClassDef::closed("itertools", "_tee_dataobject", "", &[]).layout(Kind::Record);

/// Items of a piece.
const PIECE_LEN: usize = 57;

pub(super) static TEE_CLASS: ClassDef = ClassDef::open(
    "itertools",
    "_tee",
    "Iterator wrapped to make it copyable.",
    &[
        NativeDef::new("__new__", "cls, iterable, /", |vm, a| open(vm, a[1], &TEE_ONE, vec![]), "")
            .role(Role::Static),
        NativeDef::new(
            "__copy__",
            "self, /",
            |vm, a| tee_copy(vm, a[0]),
            "Returns an independent iterator.",
        ),
    ],
)
.layout(Kind::Iter);

pub(super) const TEE: NativeDef =
    NativeDef::new("tee", "iterable, n=2, /", tee, "Returns a tuple of n independent iterators.");

fn tee<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let n = vm.size_arg(a[1], 2)?;
    if n < 0 {
        return Err(vm.value_error("n must be >= 0"));
    }
    vm.check((n as usize).saturating_mul(64))?;
    if n == 0 {
        return vm.tuple(&[]);
    }
    open(vm, a[0], &TEE_OPEN, vec![vm.int(n)])
}

fn is_tee(vm: &Vm, v: Value<'_>) -> bool {
    TEE_CLASS.of(vm).is_ok_and(|c| vm.class_of(v).is_subclass(c))
}

/// After `iter()`. State: how many.
static TEE_OPEN: Row = Row {
    name: "tee_open",
    catches: false,
    resume: |vm, state, answer| {
        let first = first_tee(vm, answer.value()?)?;
        let mut all = vec![first];
        for _ in 1..state[0].as_small().unwrap_or(1) {
            vm.tick()?;
            all.push(tee_copy(vm, first)?);
        }
        vm.tuple(&all)
    },
};

static TEE_ONE: Row = Row {
    name: "tee_one",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if is_tee(vm, v) { tee_copy(vm, v) } else { first_tee(vm, v) }
    },
};

fn first_tee<'v>(vm: &'v Vm, inner: Value<'v>) -> NResult<'v> {
    if is_tee(vm, inner) {
        return Ok(inner);
    }
    let w = [piece(vm, inner)?, Value::EMPTY, Value::EMPTY];
    Ok(vm.foreign_iter(TEE_CLASS.of(vm)?, tee_next, w, 0, vm.leaf_depth(inner)))
}

fn piece<'v>(vm: &'v Vm, inner: Value<'v>) -> NResult<'v> {
    let items = vm.list(Vec::new())?;
    Ok(vm.record(PIECE.of(vm)?, [inner, items, Value::EMPTY, Value::EMPTY]))
}

fn tee_copy<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    let i = iter_of(v);
    let w = [i.get(0), Value::EMPTY, Value::EMPTY];
    let inner = i.get(0).get::<Record>().map_or(Value::EMPTY, Record::a);
    let leaf = vm.leaf_depth(inner);
    Ok(vm.foreign_iter(TEE_CLASS.of(vm)?, tee_next, w, i.n.get(), leaf))
}

/// After an item, or what was raised in its place. State: the tee, the piece.
static TEE_ITEM: Row = Row {
    name: "tee_item",
    catches: true,
    resume: |vm, state, answer| {
        let Some(piece) = state[1].get::<Record>() else { return Ok(Value::EMPTY) };
        piece.d.set(Value::EMPTY.word());
        tee_read(vm, iter_of(state[0]), piece, answer.value()?)
    },
};

/// Word 0: the piece; `n`: the next index in it.
fn tee_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let Some(mut at) = i.get(0).get::<Record>() else { return Ok(Value::EMPTY) };
    if i.n.get() >= PIECE_LEN {
        if at.c().is_empty() {
            at.c.set(piece(vm, at.a())?.word());
        }
        i.set(0, at.c());
        i.n.set(0);
        let Some(next) = i.get(0).get::<Record>() else { return Ok(Value::EMPTY) };
        at = next;
    }
    let Some(items) = at.b().get::<List>() else { return Ok(Value::EMPTY) };
    if let Some(v) = items.get(i.n.get()) {
        i.n.set(i.n.get() + 1);
        return Ok(v);
    }
    if at.d().is(Value::TRUE) {
        return Err(vm.runtime_error("cannot re-enter the tee iterator"));
    }
    let inner = at.a();
    if inner.get::<Iter>().is_some_and(|x| x.is_leaf()) {
        let v = pull(vm, inner, &TEE_ITEM, &[])?;
        return tee_read(vm, i, at, v);
    }
    at.d.set(Value::TRUE.word());
    let r = pull(vm, inner, &TEE_ITEM, &[Value::object(i), Value::object(at)]);
    if !matches!(r, Err(Exit::Do(_))) {
        at.d.set(Value::EMPTY.word());
    }
    tee_read(vm, i, at, r?)
}

fn tee_read<'v>(vm: &'v Vm, i: &'v Iter, at: &'v Record, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        return Ok(v);
    }
    if let Some(items) = at.b().get::<List>() {
        vm.oom(items.push(&vm.heap, v))?;
    }
    i.n.set(i.n.get() + 1);
    Ok(v)
}
