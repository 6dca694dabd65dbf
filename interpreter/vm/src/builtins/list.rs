//! `list` and `tuple`.

use crate::Vm;
use crate::builtins::range::class_of_arg;
use crate::builtins::{Type, iterators, sorting};
use crate::native::{Answer, Exit, NResult, NativeDef, Quick, Role, Row};
use crate::object::seq::{List, Tuple};
use crate::ops::equal::Seq;
use crate::value::Value;

/// Rows of `list`.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new("__init__", "self, iterable=(), /", init, "Initialize self."),
    NativeDef::new("__setitem__", "self, key, value, /", setitem, "Set self[key] to value."),
    NativeDef::new("__delitem__", "self, key, /", delitem, "Delete self[key]."),
    NativeDef::new("__iadd__", "self, value, /", iadd, "Implement self+=value."),
    NativeDef::new("__imul__", "self, value, /", imul, "Implement self*=value."),
    NativeDef::new("__reversed__", "self, /", reversed, "Return a reverse iterator."),
    NativeDef::new("append", "self, object, /", append, "Append object to the end of the list.")
        .quick(Quick::Append),
    NativeDef::new("extend", "self, iterable, /", extend, "Append elements from the iterable."),
    NativeDef::new("insert", "self, index, object, /", insert, "Insert object before index."),
    NativeDef::new("remove", "self, value, /", remove, "Remove first occurrence of value."),
    NativeDef::new("pop", "self, index=-1, /", pop, "Remove and return item at index.")
        .quick(Quick::Pop),
    NativeDef::new("clear", "self, /", clear, "Remove all items from list."),
    NativeDef::new("copy", "self, /", copy, "Return a shallow copy of the list."),
    NativeDef::new("reverse", "self, /", reverse, "Reverse *IN PLACE*."),
    NativeDef::new("sort", "self, /, *, key=None, reverse=False", sort, "Sort the list in place."),
];

/// Rows of `list` and `tuple`.
pub const SEQUENCE: &[NativeDef] = &[
    NativeDef::new("__len__", "self, /", len, "Return len(self)."),
    NativeDef::new("__getitem__", "self, key, /", |vm, a| vm.builtin_getitem(a[0], a[1]), ""),
    NativeDef::new("__add__", "self, value, /", add, "Return self+value."),
    NativeDef::new("__mul__", "self, value, /", mul, "Return self*value."),
    NativeDef::new("__rmul__", "self, value, /", mul, "Return value*self."),
    NativeDef::new("count", "self, value, /", count, "Return number of occurrences of value."),
    NativeDef::new(
        "index",
        "self, value, start=0, stop=9223372036854775807, /",
        index,
        "Return first index of value.",
    ),
];

/// Rows of `tuple`.
pub const TUPLE: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, iterable=(), /", tuple_new, "").role(Role::Static),
    NativeDef::new("__getnewargs__", "self, /", getnewargs, ""),
];

fn list(v: Value<'_>) -> Option<&List> {
    v.get::<List>()
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.new_list(class_of_arg(vm, a[0], Type::List), Vec::new())
}

fn init<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if list(a[0]).is_some_and(|l| !l.is_empty()) {
        clear(vm, a)?;
    }
    if !a[1].is_empty() {
        vm.list_extend(a[0], a[1]).map_err(|e| vm.then_state(e, &NONE_ROW, &[]))?;
    }
    Ok(Value::NONE)
}

/// Whatever was returned: None.
pub(crate) static NONE_ROW: Row = Row {
    name: "none",
    catches: false,
    resume: |_, _, answer| answer.value().map(|_| Value::NONE),
};

fn len<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.builtin_len(a[0]).unwrap_or(Ok(Value::NONE))
}

fn setitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.builtin_setitem(a[0], a[1], a[2]) {
        Some(r) => r.map(|()| Value::NONE),
        None => Ok(Value::NONE),
    }
}

fn delitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.builtin_delitem(a[0], a[1]) {
        Some(r) => r.map(|()| Value::NONE),
        None => Ok(Value::NONE),
    }
}

fn add<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(r) = vm.concat_pair(a[0], a[1]) {
        return r;
    }
    let t = if a[0].is_a::<List>() { "list" } else { "tuple" };
    Err(vm.type_error(format!("can only concatenate {t} (not \"{}\") to {t}", vm.type_name(a[1]))))
}

/// After the list was extended. State: the list.
static SELF_ROW: Row = Row {
    name: "self",
    catches: false,
    resume: |_, state, answer| answer.value().map(|_| state[0]),
};

fn iadd<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.list_extend(a[0], a[1]) {
        Ok(()) => Ok(a[0]),
        Err(e) => Err(vm.then_state(e, &SELF_ROW, &[a[0]])),
    }
}

/// After the count became an int. State: the sequence, whether in place.
static REPEAT_ROW: Row = Row {
    name: "repeat",
    catches: false,
    resume: |vm, state, answer| {
        let n = match vm.as_index_i64(answer.value()?) {
            Some(Ok(n)) => n.max(0) as usize,
            _ => {
                return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer"));
            }
        };
        let out = match (list(state[0]), state[0].get::<Tuple>()) {
            (Some(l), _) => vm.repeat_values(&l.to_vec(), n)?,
            (_, Some(t)) => vm.repeat_values(t.items(), n)?,
            _ => return Ok(Value::NONE),
        };
        if state[1].is(Value::TRUE)
            && let Some(l) = list(state[0])
        {
            vm.oom(l.update(&vm.heap, |own| {
                *own = crate::object::seq::words(&out).to_vec();
            }))?;
            return Ok(state[0]);
        }
        if state[0].is_a::<Tuple>() {
            return vm.tuple(&out);
        }
        vm.list(out)
    },
};

fn repeat<'v>(vm: &'v Vm, a: &[Value<'v>], inplace: bool) -> NResult<'v> {
    if vm.as_index_i64(a[1]).is_none()
        && vm.class_lookup(vm.class_of(a[1]), vm.names.__index__).is_none()
    {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    vm.index_then(a[1], &REPEAT_ROW, vec![a[0], Value::bool(inplace)])
}

fn mul<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    repeat(vm, a, false)
}

fn imul<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    repeat(vm, a, true)
}

fn reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let n = list(a[0]).map_or(0, List::len);
    let e = Value::EMPTY;
    Ok(vm.iter(Type::ListReverseIter, iterators::list_reverse_next, [a[0], e, e], n, 0))
}

fn append<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(l) = list(a[0]) {
        vm.oom(l.push(&vm.heap, a[1]))?;
    }
    Ok(Value::NONE)
}

fn extend<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.list_extend(a[0], a[1])?;
    Ok(Value::NONE)
}

/// After the index became an int. State: the list, the item.
static INSERT_ROW: Row = Row {
    name: "list_insert",
    catches: false,
    resume: |vm, state, answer| {
        let Some(l) = list(state[0]) else { return Ok(Value::NONE) };
        let Some(Ok(n)) = vm.as_index_i64(answer.value()?) else {
            return Err(vm.overflow_error("Python int too large to convert to C ssize_t"));
        };
        let len = l.len() as i64;
        let at = if n < 0 { n.saturating_add(len).max(0) } else { n.min(len) } as usize;
        vm.check(l.len() * 8)?;
        vm.oom(l.update(&vm.heap, |own| own.insert(at, state[1].word())))?;
        Ok(Value::NONE)
    },
};

fn insert<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.index_then(a[1], &INSERT_ROW, vec![a[0], a[2]])
}

/// After the index became an int. State: the list.
static POP_ROW: Row =
    Row { name: "list_pop", catches: false, resume: |vm, state, a| pop_at(vm, state[0], a) };

fn pop_at<'v>(vm: &'v Vm, v: Value<'v>, answer: Answer<'v>) -> NResult<'v> {
    let Some(l) = list(v) else { return Ok(Value::NONE) };
    let n = match vm.as_index_i64(vm.checked_index(answer.value()?)?) {
        Some(Ok(n)) => n,
        _ => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    };
    if l.is_empty() {
        return Err(vm.index_error("pop from empty list"));
    }
    let at = usize::try_from(if n < 0 { n.wrapping_add(l.len() as i64) } else { n });
    match at.ok().and_then(|i| Some((i, l.get(i)?))) {
        Some((i, item)) => {
            vm.oom(l.update(&vm.heap, |own| own.remove(i)))?;
            Ok(item)
        }
        None => Err(vm.index_error("pop index out of range")),
    }
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[1].is_empty() {
        if let Some(last) = list(a[0]).and_then(List::pop) {
            return Ok(last);
        }
        return pop_at(vm, a[0], Answer::Value(Value::int32(-1)));
    }
    vm.index_then(a[1], &POP_ROW, vec![a[0]])
}

fn clear<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(l) = list(a[0]) {
        vm.oom(l.update(&vm.heap, |own| *own = Vec::new()))?;
    }
    Ok(Value::NONE)
}

fn copy<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(l) = list(a[0]) else { return Ok(Value::NONE) };
    vm.check(l.len() * 8)?;
    vm.list(l.to_vec())
}

fn reverse<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(l) = list(a[0]) {
        vm.ticks(l.len() / 64)?;
        vm.oom(l.update(&vm.heap, |own| own.reverse()))?;
    }
    Ok(Value::NONE)
}

fn sort<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let key = if a[1].is_empty() { Value::NONE } else { a[1] };
    match sorting::reverse_flag(vm, a[2])? {
        Some(reverse) => sorting::sort_list(vm, a[0], key, reverse),
        None => Err(vm.prelude_tail("seq", "sort_flag", &[a[0], key, a[2]])),
    }
}

fn count<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(items) = Seq::of(a[0]) else { return Ok(Value::NONE) };
    let mut n = 0;
    for i in 0..items.len() {
        let Some(x) = items.get(i) else { break };
        vm.tick_at(i)?;
        match vm.equal_leaf(x, a[1])? {
            Some(eq) => n += usize::from(eq),
            None => return Err(vm.prelude_tail("seq", "seq_count", &[a[0], a[1]])),
        }
    }
    Ok(Value::len(n))
}

fn index<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(items) = Seq::of(a[0]) else { return Ok(Value::NONE) };
    let len = items.len();
    let bound = |v: Value<'v>, default: usize| -> Result<usize, Exit<'v>> {
        if v.is_empty() {
            return Ok(default);
        }
        Ok(match vm.as_index_i64(v) {
            Some(Ok(n)) if n < 0 => n.saturating_add(len as i64).max(0) as usize,
            Some(Ok(n)) => (n as usize).min(len),
            Some(Err(())) => {
                if vm.is_negative(v) {
                    0
                } else {
                    len
                }
            }
            None if vm.class_lookup(vm.class_of(v), vm.names.__index__).is_some() => {
                return Err(vm.not_an_integer(v));
            }
            None => {
                return Err(
                    vm.type_error("slice indices must be integers or have an __index__ method")
                );
            }
        })
    };
    let (start, stop) = (bound(a[2], 0)?, bound(a[3], len)?);
    let is_list = a[0].is_a::<List>();
    for i in start..stop {
        let Some(x) = items.get(i) else { break };
        vm.tick_at(i)?;
        match vm.equal_leaf(x, a[1])? {
            Some(true) => return Ok(Value::len(i)),
            Some(false) => {}
            None => {
                let message = match is_list {
                    true => Value::NONE,
                    false => vm.short_str("tuple.index(x): x not in tuple"),
                };
                let args = [a[0], a[1], Value::len(i), Value::len(stop), message];
                return Err(vm.prelude_tail("seq", "seq_index", &args));
            }
        }
    }
    if is_list {
        return Err(vm.not_in_list(a[1]));
    }
    Err(vm.value_error("tuple.index(x): x not in tuple"))
}

impl Vm {
    fn not_in_list<'v>(&'v self, v: Value<'v>) -> Exit<'v> {
        /// After the repr of the value that was not found.
        static ROW: Row = Row {
            name: "not_in_list",
            catches: false,
            resume: |vm, _, answer| {
                let v = answer.value()?;
                let text = v
                    .get::<crate::object::text::Str>()
                    .map_or_else(String::new, |s| s.to_display().into_owned());
                Err(vm.value_error(format!("{text} is not in list")))
            },
        };
        match self.convert(v, 2) {
            Ok(text) => match (ROW.resume)(self, &[], Answer::Value(text)) {
                Ok(_) => self.value_error("not in list"),
                Err(e) => e,
            },
            Err(e) => self.then_state(e, &ROW, &[]),
        }
    }
}

fn remove<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(l) = list(a[0]) else { return Ok(Value::NONE) };
    for i in 0..l.len() {
        let Some(x) = l.get(i) else { break };
        vm.tick_at(i)?;
        match vm.equal_leaf(x, a[1])? {
            Some(true) => {
                vm.oom(l.update(&vm.heap, |own| own.remove(i)))?;
                return Ok(Value::NONE);
            }
            Some(false) => {}
            None => return Err(vm.prelude_tail("seq", "seq_remove", &[a[0], a[1]])),
        }
    }
    Err(vm.value_error("list.remove(x): x not in list"))
}

/// After the items were collected. State: the class.
static TUPLE_ROW: Row = Row {
    name: "tuple_new",
    catches: false,
    resume: |vm, state, answer| {
        let items = answer.value()?;
        let items = list(items).map_or_else(Vec::new, List::to_vec);
        make_tuple(vm, state[0], &items)
    },
};

fn make_tuple<'v>(vm: &'v Vm, class: Value<'v>, items: &[Value<'v>]) -> NResult<'v> {
    match class_of_arg(vm, class, Type::Tuple) {
        s if s == Type::Tuple.shape() => vm.tuple(items),
        s => vm.new_tuple(s, items),
    }
}

fn tuple_new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[1].is_empty() {
        return make_tuple(vm, a[0], &[]);
    }
    if class_of_arg(vm, a[0], Type::Tuple) == Type::Tuple.shape()
        && vm.exact_type(a[1]) == Some(Type::Tuple)
    {
        return Ok(a[1]);
    }
    match vm.items_leaf(a[1])? {
        Some(items) => make_tuple(vm, a[0], &items),
        None => Err(vm.collect_then(a[1], &TUPLE_ROW, vec![a[0]])),
    }
}

fn getnewargs<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let items = a[0].get::<Tuple>().map_or(&[][..], |t| t.items());
    let plain = vm.tuple(items)?;
    vm.tuple(&[plain])
}
