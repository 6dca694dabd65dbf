//! `deque`. What has to compare or show items in script code is in the module's source.

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::class::Class;
use miniscript_vm::object::deque::Deque;
use miniscript_vm::object::iter::{Iter, NextFn};
use miniscript_vm::{Value, Vm};

use crate::class::{ClassDef, generic};
use crate::iterate::pull;

pub(super) static DEQUE: ClassDef = ClassDef::open(
    "collections",
    "deque",
    "A list-like sequence optimized for data accesses near its endpoints.",
    &[
        NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
        NativeDef::new("__init__", "self, iterable=(), maxlen=None", init, "Initialize self."),
        NativeDef::new("append", "self, item, /", append, "Add an element to the right side."),
        NativeDef::new(
            "appendleft",
            "self, item, /",
            append_left,
            "Add an element to the left side.",
        ),
        NativeDef::new("pop", "self, /", pop, "Remove and return the rightmost element."),
        NativeDef::new("popleft", "self, /", pop_left, "Remove and return the leftmost element."),
        NativeDef::new(
            "extend",
            "self, iterable, /",
            |vm, a| extend(vm, a[0], a[1], false),
            "Extend the right side of the deque with elements from the iterable.",
        ),
        NativeDef::new(
            "extendleft",
            "self, iterable, /",
            |vm, a| extend(vm, a[0], a[1], true),
            "Extend the left side of the deque with elements from the iterable.",
        ),
        NativeDef::new("clear", "self, /", clear, "Remove all elements."),
        NativeDef::new("rotate", "self, n=1, /", rotate, "Rotate n steps to the right."),
        NativeDef::new("reverse", "self, /", reverse, "Reverse *IN PLACE*."),
        NativeDef::new("insert", "self, index, value, /", insert, "Insert value before index."),
        NativeDef::new(
            "__len__",
            "self, /",
            |_, a| Ok(Value::len(deque(a[0]).len())),
            "Return len(self).",
        ),
        NativeDef::new(
            "__bool__",
            "self, /",
            |_, a| Ok(Value::bool(!deque(a[0]).is_empty())),
            "True if self else False",
        ),
        NativeDef::new("__getitem__", "self, key, /", get_item, "Return self[key]."),
        NativeDef::new("__setitem__", "self, key, value, /", set_item, "Set self[key] to value."),
        NativeDef::new("__delitem__", "self, key, /", delete_item, "Delete self[key]."),
        NativeDef::new("__iter__", "self, /", iter, "Implement iter(self)."),
        NativeDef::new(
            "__reversed__",
            "self, /",
            reversed,
            "Return a reverse iterator over the deque.",
        ),
        NativeDef::new("__class_getitem__", "type, item, /", generic, "See PEP 585")
            .role(Role::Class),
        NativeDef::getter("maxlen", maxlen, "maximum size of a deque or None if unbounded"),
    ],
)
.layout(Kind::Deque);

static ITER: ClassDef =
    ClassDef::closed("collections", "_deque_iterator", "", ITER_ROWS).layout(Kind::Iter);
static REVERSE: ClassDef =
    ClassDef::closed("collections", "_deque_reverse_iterator", "", ITER_ROWS).layout(Kind::Iter);

const ITER_ROWS: &[NativeDef] = &[NativeDef::new(
    "__length_hint__",
    "self, /",
    |_, a| Ok(a[0].get::<Iter>().map_or(Value::NONE, |i| Value::len(i.n.get()))),
    "Private method returning an estimate of len(list(it)).",
)];

/// Where the source looks for an item first: its index, -1 if there is none, None if items must be
/// compared in script code.
pub(super) const FIND: NativeDef =
    NativeDef::new("_deque_find", "deque, value, start, stop, /", find, "");

fn deque<'v>(v: Value<'v>) -> &'v Deque {
    v.get::<Deque>().expect("the receiver was checked")
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::object(vm.deque(vm.class_for_new(a[0], DEQUE.of(vm)?)?)))
}

fn init<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let most = if a[2].is_empty() || a[2].is_none() {
        None
    } else {
        match vm.as_index_i64(a[2]) {
            Some(Ok(n)) if n >= 0 => Some(n as usize),
            Some(Ok(_)) => return Err(vm.value_error("maxlen must be non-negative")),
            Some(Err(())) => {
                return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
            }
            None => return Err(vm.type_error("an integer is required")),
        }
    };
    let d = deque(a[0]);
    if !d.is_empty() {
        vm.oom(d.clear(&vm.heap))?;
    }
    d.maxlen.set(most);
    if a[1].is_empty() { Ok(Value::NONE) } else { extend(vm, a[0], a[1], false) }
}

fn maxlen<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(deque(a[0]).maxlen.get().map_or(Value::NONE, |n| vm.int(n as i64)))
}

fn append<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.oom(deque(a[0]).push_back(&vm.heap, a[1])).map(|()| Value::NONE)
}

fn append_left<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.oom(deque(a[0]).push_front(&vm.heap, a[1])).map(|()| Value::NONE)
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    deque(a[0]).pop_back().ok_or_else(|| vm.index_error("pop from an empty deque"))
}

fn pop_left<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    deque(a[0]).pop_front().ok_or_else(|| vm.index_error("pop from an empty deque"))
}

/// After `iter()` of what a deque is extended with. State: the deque, whether on the left.
static EXTEND_OPEN: Row = Row {
    name: "deque_extend_open",
    catches: false,
    resume: |vm, state, answer| extend_on(vm, &[state[0], state[1], answer.value()?]),
};

/// After an item. State: the deque, whether on the left, the iterator.
static EXTEND_ITEM: Row = Row {
    name: "deque_extend_item",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(Value::NONE),
        v => {
            push(vm, deque(state[0]), v, state[1].is(Value::TRUE))?;
            extend_on(vm, state)
        }
    },
};

fn push<'v>(vm: &'v Vm, d: &'v Deque, v: Value<'v>, left: bool) -> Result<(), Exit<'v>> {
    vm.oom(if left { d.push_front(&vm.heap, v) } else { d.push_back(&vm.heap, v) })
}

fn extend<'v>(vm: &'v Vm, me: Value<'v>, v: Value<'v>, left: bool) -> NResult<'v> {
    let d = deque(me);
    // An iterator is taken from item by item: it may have more than there is room for.
    if !v.is_a::<Iter>()
        && let Some(items) = vm.items_leaf(v)?
    {
        vm.ticks(items.len() / 16)?;
        for x in items {
            push(vm, d, x, left)?;
        }
        return Ok(Value::NONE);
    }
    vm.and_then(vm.get_iter(v), &EXTEND_OPEN, vec![me, Value::bool(left)])
}

fn extend_on<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    let (d, left) = (deque(state[0]), state[1].is(Value::TRUE));
    loop {
        vm.tick()?;
        match pull(vm, state[2], &EXTEND_ITEM, state)? {
            v if v.is_empty() => return Ok(Value::NONE),
            v => push(vm, d, v, left)?,
        }
    }
}

fn clear<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.oom(deque(a[0]).clear(&vm.heap)).map(|()| Value::NONE)
}

fn rotate<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let n = vm.size_arg(a[1], 1)?;
    let d = deque(a[0]);
    vm.ticks(d.len() / 64)?;
    d.rotate(n);
    Ok(Value::NONE)
}

fn reverse<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let d = deque(a[0]);
    vm.ticks(d.len() / 64)?;
    d.reverse();
    Ok(Value::NONE)
}

fn insert<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let at = vm.size_arg(a[1], 0)?;
    let d = deque(a[0]);
    if d.maxlen.get().is_some_and(|most| d.len() >= most) {
        return Err(vm.index_error("deque already at its maximum size"));
    }
    let n = d.len() as i64;
    vm.ticks(d.len() / 128)?;
    let at = if at < 0 { (at + n).max(0) } else { at.min(n) };
    vm.oom(d.insert(&vm.heap, at as usize, a[2])).map(|()| Value::NONE)
}

/// The place that a key stands for.
fn place<'v>(vm: &'v Vm, d: &Deque, key: Value<'v>) -> Result<usize, Exit<'v>> {
    let n = d.len() as i64;
    let at = match vm.as_index_i64(key) {
        Some(Ok(at)) => at,
        Some(Err(())) => {
            return Err(vm.index_error("cannot fit 'int' into an index-sized integer"));
        }
        None if vm.class_lookup(vm.class_of(key), vm.names.__index__).is_some() => {
            return Err(vm.not_an_integer(key));
        }
        None => {
            return Err(vm.type_error(format!(
                "sequence index must be integer, not '{}'",
                vm.type_name(key)
            )));
        }
    };
    let at = if at < 0 { at + n } else { at };
    if at < 0 || at >= n {
        return Err(vm.index_error("deque index out of range"));
    }
    Ok(at as usize)
}

fn get_item<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let d = deque(a[0]);
    Ok(d.get(place(vm, d, a[1])?).unwrap_or(Value::NONE))
}

fn set_item<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let d = deque(a[0]);
    d.set(place(vm, d, a[1])?, a[2]);
    Ok(Value::NONE)
}

fn delete_item<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let d = deque(a[0]);
    d.remove(place(vm, d, a[1])?);
    Ok(Value::NONE)
}

fn iterator<'v>(vm: &'v Vm, d: &'v Deque, class: &'v Class, reverse: bool) -> Value<'v> {
    let next: NextFn = if reverse { reverse_next } else { iter_next };
    let w = [Value::object(d), Value::EMPTY, Value::EMPTY];
    let i = vm.foreign_iter(class, next, w, d.len(), Some(0));
    if let Some(i) = i.get::<Iter>() {
        i.m.set(d.version());
    }
    i
}

fn iter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(iterator(vm, deque(a[0]), ITER.of(vm)?, false))
}

fn reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(iterator(vm, deque(a[0]), REVERSE.of(vm)?, true))
}

/// Word 0: the deque; `n`: how many items are left; `m`: the deque's version.
fn left<'v>(vm: &'v Vm, i: &'v Iter) -> Result<Option<(&'v Deque, usize)>, Exit<'v>> {
    let d = deque(i.get(0));
    if d.version() != i.m.get() {
        i.n.set(0);
        return Err(vm.runtime_error("deque mutated during iteration"));
    }
    let Some(left) = i.n.get().checked_sub(1) else { return Ok(None) };
    i.n.set(left);
    Ok(Some((d, left)))
}

fn iter_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let item = left(vm, i)?.and_then(|(d, left)| d.get(d.len() - 1 - left));
    Ok(item.unwrap_or(Value::EMPTY))
}

fn reverse_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    let item = left(vm, i)?.and_then(|(d, left)| d.get(left));
    Ok(item.unwrap_or(Value::EMPTY))
}

fn find<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let d = deque(a[0]);
    let n = d.len() as i64;
    let bound = |v: Value<'v>| -> Result<usize, Exit<'v>> {
        let at = if v.is_none() { vm.size_arg(v, 0)? } else { vm.bound_arg(v, 0)? };
        Ok((if at < 0 { at.saturating_add(n) } else { at }).clamp(0, n) as usize)
    };
    for i in bound(a[2])?..bound(a[3])? {
        vm.tick()?;
        let Some(item) = d.get(i) else { break };
        match vm.equal_leaf(item, a[1])? {
            Some(true) => return Ok(Value::len(i)),
            Some(false) => {}
            None => return Ok(Value::NONE),
        }
    }
    Ok(Value::int32(-1))
}
