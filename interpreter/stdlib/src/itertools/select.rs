//! One iterable, item by item: `islice`, `compress`, `takewhile`, `dropwhile`, `filterfalse`,
//! `starmap`, `accumulate`.

use miniscript_vm::code::op::Op;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::iter::{Iter, NextFn};
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use super::{iter_of, open};
use crate::class::ClassDef;
use crate::iterate::{call, pull, truth};

/// A class of these iterators, made by a `__new__`.
macro_rules! class {
    ($id:ident $name:literal $sig:literal $new:expr, $doc:literal) => {
        pub(super) static $id: ClassDef = ClassDef::open(
            "itertools",
            $name,
            $doc,
            &[NativeDef::new("__new__", $sig, $new, "").role(Role::Static)],
        )
        .layout(Kind::Iter);
    };
}

class!(ISLICE "islice" "cls, iterable, /, *args" islice,
    "Return an iterator whose next() method returns selected values from an iterable.");
class!(COMPRESS "compress" "cls, data, selectors" compress,
    "Return data elements corresponding to true selector elements.");
class!(TAKEWHILE "takewhile" "cls, predicate, iterable, /"
    |vm, a| open(vm, a[2], &FUNCTION_OPEN, vec![a[0], a[1], Value::int32(0)]),
    "Return successive entries from an iterable as long as the predicate evaluates to true.");
class!(DROPWHILE "dropwhile" "cls, predicate, iterable, /"
    |vm, a| open(vm, a[2], &FUNCTION_OPEN, vec![a[0], a[1], Value::int32(1)]),
    "Drop items from the iterable while predicate(item) is true; afterwards, return every element.");
class!(FILTERFALSE "filterfalse" "cls, function, iterable, /"
    |vm, a| open(vm, a[2], &FUNCTION_OPEN, vec![a[0], a[1], Value::int32(2)]),
    "Return those items of iterable for which function(item) is false.");
class!(STARMAP "starmap" "cls, function, iterable, /"
    |vm, a| open(vm, a[2], &FUNCTION_OPEN, vec![a[0], a[1], Value::int32(3)]),
    "Return an iterator whose values are returned from the function evaluated with an argument \
     tuple taken from the given sequence.");
class!(ACCUMULATE "accumulate" "cls, iterable, func=None, *, initial=None" accumulate,
    "Return series of accumulated sums (or other binary function results).");

/// After `iter()`. State: the class, the function, which of the classes with a function it is.
static FUNCTION_OPEN: Row = Row {
    name: "itertools_function_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let (row, next): (&'static ClassDef, NextFn) = match state[2].as_small() {
            Some(0) => (&TAKEWHILE, takewhile_next),
            Some(1) => (&DROPWHILE, dropwhile_next),
            Some(2) => (&FILTERFALSE, filterfalse_next),
            _ => (&STARMAP, starmap_next),
        };
        let class = vm.class_for_new(state[0], row.of(vm)?)?;
        Ok(vm.foreign_iter(class, next, [inner, state[1], Value::EMPTY], 0, None))
    },
};

// ---- islice ----

const BAD_INDICES: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
const BAD_STOP: &str =
    "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";

/// An index of `islice`: `None` for an absent one or None.
fn bound<'v>(vm: &'v Vm, v: Value<'v>, message: &str) -> Result<Option<i64>, Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(None);
    }
    match vm.as_index_i64(v) {
        Some(Ok(n)) if n >= 0 => Ok(Some(n)),
        Some(_) => Err(vm.value_error(message)),
        None if vm.class_lookup(vm.class_of(v), vm.names.__index__).is_some() => {
            Err(vm.not_an_integer(v))
        }
        None => Err(vm.value_error(message)),
    }
}

/// The stop of an `islice` with a start. As in CPython, only -1 and what is no int count as a bad
/// stop; other negative ones are bad indices.
fn stop_bound<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<i64>, Exit<'v>> {
    match vm.as_index_i64(v) {
        Some(Ok(n)) if n < -1 => Err(vm.value_error(BAD_INDICES)),
        _ => bound(vm, v, BAD_STOP),
    }
}

fn islice<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (start, stop, step) = match a[2..] {
        [stop] => (Some(0), bound(vm, stop, BAD_STOP)?, Some(1)),
        [start, stop] => {
            let stop = stop_bound(vm, stop)?;
            (bound(vm, start, BAD_INDICES)?, stop, Some(1))
        }
        [start, stop, step] => {
            let stop = stop_bound(vm, stop)?;
            let start = bound(vm, start, BAD_INDICES)?;
            let bad = "Step for islice() must be a positive integer or None.";
            let step = bound(vm, step, bad)?;
            if step == Some(0) {
                return Err(vm.value_error(bad));
            }
            (start, stop, step)
        }
        _ => {
            let (least, n) =
                if a.len() < 3 { ("at least 2", 1) } else { ("at most 4", a.len() - 1) };
            return Err(vm.type_error(format!("islice expected {least} arguments, got {n}")));
        }
    };
    let stop = stop.map_or(Value::NONE, |n| vm.int(n));
    let (start, step) = (vm.int(start.unwrap_or(0)), vm.int(step.unwrap_or(1)));
    open(vm, a[1], &ISLICE_OPEN, vec![a[0], start, stop, step])
}

/// After `iter()`. State: the class, start, stop or None, step.
static ISLICE_OPEN: Row = Row {
    name: "islice_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], ISLICE.of(vm)?)?;
        let w = [inner, state[2], state[3]];
        let i = vm.foreign_iter(class, islice_next, w, 0, vm.leaf_depth(inner));
        iter_of(i).m.set(state[1].as_small().unwrap_or(i64::MAX) as u64);
        Ok(i)
    },
};

/// After an item. State: the islice.
static ISLICE_ITEM: Row = Row {
    name: "islice_item",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        match sliced(i, answer.value()?) {
            Some(v) => Ok(v),
            None => islice_next(vm, i),
        }
    },
};

/// Words: the iterator (Empty at the end), stop or None, step. `n`: how many items were taken from
/// it; `m`: the index of the next one to give.
fn islice_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        if i.get(0).is_empty() {
            return Ok(Value::EMPTY);
        }
        let (taken, next) = (i.n.get() as u64, i.m.get());
        if taken >= next && i.get(1).as_small().is_some_and(|stop| taken >= stop as u64) {
            i.set(0, Value::EMPTY);
            return Ok(Value::EMPTY);
        }
        vm.tick()?;
        let v = pull(vm, i.get(0), &ISLICE_ITEM, &[Value::object(i)])?;
        if let Some(v) = sliced(i, v) {
            return Ok(v);
        }
    }
}

/// What becomes of an item: given, or passed over (`None`).
fn sliced<'v>(i: &'v Iter, v: Value<'v>) -> Option<Value<'v>> {
    if v.is_empty() {
        i.set(0, v);
        return Some(v);
    }
    let at = i.n.get() as u64;
    i.n.set(i.n.get() + 1);
    if at < i.m.get() {
        return None;
    }
    let step = i.get(2).as_small().unwrap_or(i64::MAX) as u64;
    let stop = i.get(1).as_small().map_or(i64::MAX as u64, |n| n as u64);
    i.m.set(at.saturating_add(step).min(stop));
    Some(v)
}

// ---- compress ----

fn compress<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    open(vm, a[1], &COMPRESS_DATA, vec![a[0], a[2]])
}

/// After `iter(data)`. State: the class, the selectors.
static COMPRESS_DATA: Row = Row {
    name: "compress_data",
    catches: false,
    resume: |vm, state, answer| {
        let data = answer.value()?;
        open(vm, state[1], &COMPRESS_OPEN, vec![state[0], data])
    },
};

/// After `iter(selectors)`. State: the class, the iterator of the data.
static COMPRESS_OPEN: Row = Row {
    name: "compress_open",
    catches: false,
    resume: |vm, state, answer| {
        let selectors = answer.value()?;
        let class = vm.class_for_new(state[0], COMPRESS.of(vm)?)?;
        let w = [state[1], selectors, Value::EMPTY];
        Ok(vm.foreign_iter(class, compress_next, w, 0, None))
    },
};

/// After an item of the data. State: the compress.
static COMPRESS_ITEM: Row = Row {
    name: "compress_item",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(v),
        v => compress_on(vm, iter_of(state[0]), v),
    },
};

/// After a selector. State: the compress, the item.
static COMPRESS_SELECTOR: Row = Row {
    name: "compress_selector",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(v),
        v => match truth(vm, v, &COMPRESS_TRUTH, state)? {
            true => Ok(state[1]),
            false => compress_next(vm, iter_of(state[0])),
        },
    },
};

/// After the truth of a selector. State: the compress, the item.
static COMPRESS_TRUTH: Row = Row {
    name: "compress_truth",
    catches: false,
    resume: |vm, state, answer| match answer.value()?.is(Value::TRUE) {
        true => Ok(state[1]),
        false => compress_next(vm, iter_of(state[0])),
    },
};

/// Words: the iterators of data and selectors.
fn compress_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        vm.tick()?;
        let v = pull(vm, i.get(0), &COMPRESS_ITEM, &[Value::object(i)])?;
        if v.is_empty() || selected(vm, i, v)?.is_some_and(|s| !s) {
            return Ok(Value::EMPTY);
        }
        if let Some(true) = i.get(2).as_bool() {
            return Ok(v);
        }
    }
}

/// Whether there is a selector for `v`; its truth is left in word 2. `Some(false)`: it was the end.
fn selected<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> Result<Option<bool>, Exit<'v>> {
    let state = [Value::object(i), v];
    let s = pull(vm, i.get(1), &COMPRESS_SELECTOR, &state)?;
    if s.is_empty() {
        return Ok(Some(false));
    }
    i.set(2, Value::bool(truth(vm, s, &COMPRESS_TRUTH, &state)?));
    Ok(None)
}

fn compress_on<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    match selected(vm, i, v)? {
        Some(_) => Ok(Value::EMPTY),
        None if i.get(2).is(Value::TRUE) => Ok(v),
        None => compress_next(vm, i),
    }
}

// ---- takewhile, dropwhile, filterfalse ----
//
// Words: the iterator, the function. An item is pulled, the function called, its result tested;
// each step may be a call, after which a row goes on.

/// Rows of a class: after an item, after the call, after the truth. States: the iterator, the item.
macro_rules! tested {
    ($item:ident $called:ident $truth:ident $name:literal, $judge:path, $verdict:path) => {
        static $item: Row = Row {
            name: concat!($name, "_item"),
            catches: false,
            resume: |vm, state, answer| $judge(vm, iter_of(state[0]), answer.value()?),
        };
        static $called: Row = Row {
            name: concat!($name, "_called"),
            catches: false,
            resume: |vm, state, answer| {
                let yes = truth(vm, answer.value()?, &$truth, state)?;
                $verdict(vm, iter_of(state[0]), state[1], yes)
            },
        };
        static $truth: Row = Row {
            name: concat!($name, "_truth"),
            catches: false,
            resume: |vm, state, answer| {
                let yes = answer.value()?.is(Value::TRUE);
                $verdict(vm, iter_of(state[0]), state[1], yes)
            },
        };
    };
}

tested!(TAKE_ITEM TAKE_CALLED TAKE_TRUTH "takewhile", take_item, take_verdict);

/// `n` is 1 when it is over.
fn takewhile_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if i.n.get() != 0 {
        return Ok(Value::EMPTY);
    }
    let v = pull(vm, i.get(0), &TAKE_ITEM, &[Value::object(i)])?;
    take_item(vm, i, v)
}

fn take_item<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        return Ok(v);
    }
    let state = [Value::object(i), v];
    let r = call(vm, i.get(1), &[v], &TAKE_CALLED, &state)?;
    let yes = truth(vm, r, &TAKE_TRUTH, &state)?;
    take_verdict(vm, i, v, yes)
}

fn take_verdict<'v>(_: &'v Vm, i: &'v Iter, v: Value<'v>, yes: bool) -> NResult<'v> {
    if yes {
        return Ok(v);
    }
    i.n.set(1);
    Ok(Value::EMPTY)
}

tested!(DROP_ITEM DROP_CALLED DROP_TRUTH "dropwhile", drop_item, drop_verdict);

/// `n` is 1 once an item was let through.
fn dropwhile_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        vm.tick()?;
        let v = pull(vm, i.get(0), &DROP_ITEM, &[Value::object(i)])?;
        if v.is_empty() || i.n.get() != 0 {
            return Ok(v);
        }
        let state = [Value::object(i), v];
        let r = call(vm, i.get(1), &[v], &DROP_CALLED, &state)?;
        if !truth(vm, r, &DROP_TRUTH, &state)? {
            i.n.set(1);
            return Ok(v);
        }
    }
}

fn drop_item<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() || i.n.get() != 0 {
        return Ok(v);
    }
    let state = [Value::object(i), v];
    let r = call(vm, i.get(1), &[v], &DROP_CALLED, &state)?;
    let yes = truth(vm, r, &DROP_TRUTH, &state)?;
    drop_verdict(vm, i, v, yes)
}

fn drop_verdict<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>, yes: bool) -> NResult<'v> {
    if yes {
        return dropwhile_next(vm, i);
    }
    i.n.set(1);
    Ok(v)
}

tested!(FALSE_ITEM FALSE_CALLED FALSE_TRUTH "filterfalse", false_item, false_verdict);

fn filterfalse_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        vm.tick()?;
        let v = pull(vm, i.get(0), &FALSE_ITEM, &[Value::object(i)])?;
        if v.is_empty() || !tested_true(vm, i, v)? {
            return Ok(v);
        }
    }
}

fn tested_true<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> Result<bool, Exit<'v>> {
    let (f, state) = (i.get(1), [Value::object(i), v]);
    let plain = f.is_none() || f.is(vm.class_value(miniscript_vm::builtins::Type::Bool));
    let r = if plain { v } else { call(vm, f, &[v], &FALSE_CALLED, &state)? };
    truth(vm, r, &FALSE_TRUTH, &state)
}

fn false_item<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() || !tested_true(vm, i, v)? { Ok(v) } else { filterfalse_next(vm, i) }
}

fn false_verdict<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>, yes: bool) -> NResult<'v> {
    if yes { filterfalse_next(vm, i) } else { Ok(v) }
}

// ---- starmap ----

/// After an item. State: the starmap.
static STAR_ITEM: Row = Row {
    name: "starmap_item",
    catches: false,
    resume: |vm, state, answer| star_call(vm, iter_of(state[0]), answer.value()?),
};

/// After the items of an item were collected. State: the starmap.
static STAR_ARGS: Row = Row {
    name: "starmap_args",
    catches: false,
    resume: |_, state, answer| {
        let args = answer.value()?.get::<List>().map_or_else(Vec::new, List::to_vec);
        Err(Exit::tail(iter_of(state[0]).get(1), args))
    },
};

fn starmap_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let v = pull(vm, i.get(0), &STAR_ITEM, &[Value::object(i)])?;
    star_call(vm, i, v)
}

fn star_call<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    if v.is_empty() {
        return Ok(v);
    }
    match vm.items_leaf(v)? {
        Some(args) => {
            vm.call_leaf(i.get(1), &args).unwrap_or_else(|| Err(Exit::tail(i.get(1), args)))
        }
        None => Err(vm.collect_then(v, &STAR_ARGS, vec![Value::object(i)])),
    }
}

// ---- accumulate ----

fn accumulate<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let absent = |v: Value<'v>| if v.is_none() { Value::EMPTY } else { v };
    open(vm, a[1], &ACCUMULATE_OPEN, vec![a[0], absent(a[2]), absent(a[3])])
}

/// After `iter()`. State: the class, the function or Empty, the initial value or Empty.
static ACCUMULATE_OPEN: Row = Row {
    name: "accumulate_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], ACCUMULATE.of(vm)?)?;
        let first = usize::from(!state[2].is_empty());
        let w = [inner, state[1], state[2]];
        Ok(vm.foreign_iter(class, accumulate_next, w, first, None))
    },
};

/// After an item. State: the accumulate.
static ACCUMULATE_ITEM: Row = Row {
    name: "accumulate_item",
    catches: false,
    resume: |vm, state, answer| accumulated(vm, iter_of(state[0]), answer.value()?),
};

/// After the addition. State: the accumulate.
static ACCUMULATE_SUM: Row = Row {
    name: "accumulate_sum",
    catches: false,
    resume: |_, state, answer| {
        let total = answer.value()?;
        iter_of(state[0]).set(2, total);
        Ok(total)
    },
};

/// Words: the iterator, the function or Empty, the total or Empty; `n` is 1 while the initial value
/// has not been given.
fn accumulate_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if i.n.replace(0) != 0 {
        return Ok(i.get(2));
    }
    let v = pull(vm, i.get(0), &ACCUMULATE_ITEM, &[Value::object(i)])?;
    accumulated(vm, i, v)
}

fn accumulated<'v>(vm: &'v Vm, i: &'v Iter, v: Value<'v>) -> NResult<'v> {
    let (f, total) = (i.get(1), i.get(2));
    if v.is_empty() {
        return Ok(v);
    }
    let total = if total.is_empty() {
        v
    } else if f.is_empty() {
        match vm.binary(Op::ADD, total, v) {
            Ok(sum) => sum,
            Err(e) => return Err(vm.then_state(e, &ACCUMULATE_SUM, &[Value::object(i)])),
        }
    } else {
        call(vm, f, &[total, v], &ACCUMULATE_SUM, &[Value::object(i)])?
    };
    i.set(2, total);
    Ok(total)
}
