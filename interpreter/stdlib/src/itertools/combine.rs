//! Several iterables as one, or neighbours together: `chain`, `zip_longest`, `pairwise`, `batched`.

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{NResult, NativeDef, Role, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use super::{iter_of, open};
use crate::class::{ClassDef, generic};
use crate::iterate::{pull, size};

pub(super) static CHAIN: ClassDef = ClassDef::open(
    "itertools",
    "chain",
    "Return a chain object whose .__next__() method returns elements from the first iterable \
     until it is exhausted, then elements from the next iterable, until all are exhausted.",
    &[
        NativeDef::new("__new__", "cls, /, *iterables", chain, "").role(Role::Static),
        NativeDef::new(
            "from_iterable",
            "type, iterable, /",
            |vm, a| open(vm, a[1], &CHAIN_OPEN, vec![a[0]]),
            "Alternative chain() constructor taking a single iterable argument that evaluates \
             lazily.",
        )
        .role(Role::Class),
        NativeDef::new("__class_getitem__", "type, item, /", generic, "See PEP 585")
            .role(Role::Class),
    ],
)
.layout(Kind::Iter);

pub(super) static ZIP_LONGEST: ClassDef = ClassDef::open(
    "itertools",
    "zip_longest",
    "Return a zip_longest object whose .__next__() method returns a tuple where the i-th element \
     comes from the i-th iterable argument; shorter ones are filled up.",
    &[NativeDef::new("__new__", "cls, /, *iterables, fillvalue=None", zip_longest, "")
        .role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static PAIRWISE: ClassDef = ClassDef::open(
    "itertools",
    "pairwise",
    "Return an iterator of overlapping pairs taken from the input iterator.",
    &[NativeDef::new("__new__", "cls, iterable, /", pairwise, "").role(Role::Static)],
)
.layout(Kind::Iter);

pub(super) static BATCHED: ClassDef = ClassDef::open(
    "itertools",
    "batched",
    "Batch data into tuples of length n. The last batch may be shorter than n.",
    &[NativeDef::new("__new__", "cls, iterable, n", batched, "").role(Role::Static)],
)
.layout(Kind::Iter);

/// After `iter()` of the iterable of iterables. State: the class.
static CHAIN_OPEN: Row = Row {
    name: "chain_open",
    catches: false,
    resume: |vm, state, answer| {
        let outer = answer.value()?;
        let class = vm.class_for_new(state[0], CHAIN.of(vm)?)?;
        Ok(vm.foreign_iter(class, chain_next, [outer, Value::EMPTY, Value::EMPTY], 0, None))
    },
};

fn chain<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    open(vm, vm.tuple(&a[1..])?, &CHAIN_OPEN, vec![a[0]])
}

/// After an item of the running iterator. State: the chain.
static CHAIN_ITEM: Row = Row {
    name: "chain_item",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if !v.is_empty() {
            return Ok(v);
        }
        let i = iter_of(state[0]);
        i.set(1, Value::EMPTY);
        chain_next(vm, i)
    },
};

/// After the next iterable. State: the chain.
static CHAIN_LINK: Row = Row {
    name: "chain_link",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        match answer.value()? {
            v if v.is_empty() => {
                i.set(0, v);
                Ok(v)
            }
            v => open(vm, v, &CHAIN_OPENED, vec![state[0]]),
        }
    },
};

/// After `iter()` of the next iterable. State: the chain.
static CHAIN_OPENED: Row = Row {
    name: "chain_opened",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        i.set(1, answer.value()?);
        chain_next(vm, i)
    },
};

/// Words: the iterator of iterables (Empty at the end), the running iterator or Empty.
fn chain_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let me = [Value::object(i)];
    loop {
        if !i.get(1).is_empty() {
            let v = pull(vm, i.get(1), &CHAIN_ITEM, &me)?;
            if !v.is_empty() {
                return Ok(v);
            }
            i.set(1, v);
        }
        if i.get(0).is_empty() {
            return Ok(Value::EMPTY);
        }
        vm.tick()?;
        let link = pull(vm, i.get(0), &CHAIN_LINK, &me)?;
        if link.is_empty() {
            i.set(0, link);
            return Ok(link);
        }
        match vm.get_iter(link) {
            Ok(inner) => i.set(1, inner),
            Err(e) => return Err(vm.then_state(e, &CHAIN_OPENED, &me)),
        }
    }
}

fn zip_longest<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let fill = if a[1].is_empty() { Value::NONE } else { a[1] };
    let made = vm.list(Vec::new())?;
    open_all(vm, &[a[0], fill, vm.tuple(&a[2..])?, made])
}

/// State: the class, the fill value, the iterables, the iterators so far.
fn open_all<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static OPENED: Row = Row {
        name: "zip_longest_open",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            if let Some(l) = state[3].get::<List>() {
                vm.oom(l.push(&vm.heap, v))?;
            }
            open_all(vm, state)
        },
    };
    let all = vm.tuple_items(state[2]);
    let Some(made) = state[3].get::<List>() else { return Ok(Value::NONE) };
    while let Some(&v) = all.get(made.len()) {
        match vm.get_iter(v) {
            Ok(i) => vm.oom(made.push(&vm.heap, i))?,
            Err(e) => return Err(vm.then_state(e, &OPENED, state)),
        }
    }
    let class = vm.class_for_new(state[0], ZIP_LONGEST.of(vm)?)?;
    let depth = made.items().iter().try_fold(0, |d, v| Some(vm.leaf_depth(*v)?.max(d)));
    let w = [state[3], state[1], Value::EMPTY];
    Ok(vm.foreign_iter(class, longest_next, w, all.len(), depth))
}

/// After an item of one of the iterators. State: the zip, the items so far.
static LONGEST_ITEM: Row = Row {
    name: "zip_longest_item",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        let mut got = state[1].get::<List>().map_or_else(Vec::new, List::to_vec);
        match longest_item(i, got.len(), answer.value()?) {
            Some(v) => got.push(v),
            None => return Ok(Value::EMPTY),
        }
        longest(vm, i, got)
    },
};

/// Words: the list of iterators, ended ones None; the fill value. `n`: how many have not ended.
fn longest_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    if i.n.get() == 0 {
        return Ok(Value::EMPTY);
    }
    longest(vm, i, Vec::new())
}

fn longest<'v>(vm: &'v Vm, i: &'v Iter, mut got: Vec<Value<'v>>) -> NResult<'v> {
    let Some(iters) = i.get(0).get::<List>() else { return Ok(Value::EMPTY) };
    while let Some(inner) = iters.get(got.len()) {
        if inner.is_none() {
            got.push(i.get(1));
            continue;
        }
        let v = match inner.get::<Iter>().filter(|x| x.is_leaf()) {
            Some(leaf) => (leaf.next)(vm, leaf)?,
            None => pull(vm, inner, &LONGEST_ITEM, &[Value::object(i), vm.list(got.clone())?])?,
        };
        match longest_item(i, got.len(), v) {
            Some(v) => got.push(v),
            None => return Ok(Value::EMPTY),
        }
    }
    vm.tuple(&got)
}

/// What item `at` is, if iterator `at` gave `v`; `None` if that was the last one to end.
fn longest_item<'v>(i: &'v Iter, at: usize, v: Value<'v>) -> Option<Value<'v>> {
    if !v.is_empty() {
        return Some(v);
    }
    i.n.set(i.n.get().saturating_sub(1));
    if i.n.get() == 0 {
        return None;
    }
    if let Some(iters) = i.get(0).get::<List>() {
        iters.set(at, Value::NONE);
    }
    Some(i.get(1))
}

/// After `iter()`. State: the class.
static PAIRWISE_OPEN: Row = Row {
    name: "pairwise_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], PAIRWISE.of(vm)?)?;
        let w = [inner, Value::EMPTY, Value::EMPTY];
        Ok(vm.foreign_iter(class, pairwise_next, w, 0, vm.leaf_depth(inner)))
    },
};

fn pairwise<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    open(vm, a[1], &PAIRWISE_OPEN, vec![a[0]])
}

/// After an item. State: the iterator.
static PAIRWISE_ITEM: Row = Row {
    name: "pairwise_item",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        match paired(vm, i, answer.value()?)? {
            Some(v) => Ok(v),
            None => pairwise_next(vm, i),
        }
    },
};

/// Words: the iterator (Empty at the end), the item before.
fn pairwise_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    loop {
        if i.get(0).is_empty() {
            return Ok(Value::EMPTY);
        }
        let v = pull(vm, i.get(0), &PAIRWISE_ITEM, &[Value::object(i)])?;
        if let Some(pair) = paired(vm, i, v)? {
            return Ok(pair);
        }
    }
}

fn paired<'v>(
    vm: &'v Vm,
    i: &'v Iter,
    v: Value<'v>,
) -> Result<Option<Value<'v>>, miniscript_vm::native::Exit<'v>> {
    if v.is_empty() {
        i.set(0, v);
        i.set(1, v);
        return Ok(Some(v));
    }
    let before = i.get(1);
    i.set(1, v);
    if before.is_empty() { Ok(None) } else { vm.tuple(&[before, v]).map(Some) }
}

/// After `iter()`. State: the class, n.
static BATCHED_OPEN: Row = Row {
    name: "batched_open",
    catches: false,
    resume: |vm, state, answer| {
        let inner = answer.value()?;
        let class = vm.class_for_new(state[0], BATCHED.of(vm)?)?;
        let n = size(vm, state[1]).unwrap_or(1) as usize;
        let w = [inner, Value::EMPTY, Value::EMPTY];
        Ok(vm.foreign_iter(class, batched_next, w, n, vm.leaf_depth(inner)))
    },
};

fn batched<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if vm.size_arg(a[2], 1)? < 1 {
        return Err(vm.value_error("n must be at least one"));
    }
    open(vm, a[1], &BATCHED_OPEN, vec![a[0], a[2]])
}

/// After an item. State: the iterator, the batch so far.
static BATCHED_ITEM: Row = Row {
    name: "batched_item",
    catches: false,
    resume: |vm, state, answer| {
        let i = iter_of(state[0]);
        let Some(got) = state[1].get::<List>() else { return Ok(Value::EMPTY) };
        match answer.value()? {
            v if v.is_empty() => batch_ended(vm, i, &got.items()),
            v => {
                vm.oom(got.push(&vm.heap, v))?;
                batch(vm, i, got)
            }
        }
    },
};

/// Word 0: the iterator, Empty at the end; `n`: the size of a batch.
fn batched_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let inner = i.get(0);
    if inner.is_empty() {
        return Ok(inner);
    }
    let Some(leaf) = inner.get::<Iter>().filter(|x| x.is_leaf()) else {
        return match vm.list(Vec::new())?.get::<List>() {
            Some(got) => batch(vm, i, got),
            None => Ok(Value::EMPTY),
        };
    };
    let mut got = Vec::new();
    while got.len() < i.n.get() {
        vm.tick()?;
        let v = (leaf.next)(vm, leaf)?;
        if v.is_empty() {
            return batch_ended(vm, i, &got);
        }
        got.push(v);
    }
    vm.tuple(&got)
}

fn batch<'v>(vm: &'v Vm, i: &'v Iter, got: &'v List) -> NResult<'v> {
    let state = [Value::object(i), Value::object(got)];
    while got.len() < i.n.get() {
        vm.tick()?;
        let v = pull(vm, i.get(0), &BATCHED_ITEM, &state)?;
        if v.is_empty() {
            return batch_ended(vm, i, &got.items());
        }
        vm.oom(got.push(&vm.heap, v))?;
    }
    vm.tuple(&got.items())
}

fn batch_ended<'v>(vm: &'v Vm, i: &'v Iter, got: &[Value<'v>]) -> NResult<'v> {
    i.set(0, Value::EMPTY);
    if got.is_empty() { Ok(Value::EMPTY) } else { vm.tuple(got) }
}
