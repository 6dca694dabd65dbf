//! `set`, `frozenset`, and the set operations of dict views.

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::range::class_of_arg;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::map::Set;
use crate::ops::equal::Depth;
use crate::value::Value;

/// Rows of `set` and `frozenset`.
pub const COMMON: &[NativeDef] = &[
    NativeDef::new("__len__", "self, /", len, "Return len(self)."),
    NativeDef::new("copy", "self, /", copy, "Return a shallow copy of a set."),
    NativeDef::new("union", "self, /, *others", union, "Return the union of sets."),
    NativeDef::new("intersection", "self, /, *others", intersection, ""),
    NativeDef::new("difference", "self, /, *others", difference, ""),
    NativeDef::new("symmetric_difference", "self, other, /", symmetric, ""),
    NativeDef::new("isdisjoint", "self, other, /", isdisjoint, ""),
    NativeDef::new("issubset", "self, other, /", issubset, ""),
    NativeDef::new("issuperset", "self, other, /", issuperset, ""),
];

/// The operators of sets, and of views that behave as sets.
pub const OPERATORS: &[NativeDef] = &[
    NativeDef::new("__or__", "self, value, /", |vm, a| operate(vm, a[0], a[1], union), ""),
    NativeDef::new("__and__", "self, value, /", |vm, a| operate(vm, a[0], a[1], intersection), ""),
    NativeDef::new("__sub__", "self, value, /", |vm, a| operate(vm, a[0], a[1], difference), ""),
    NativeDef::new("__xor__", "self, value, /", |vm, a| operate(vm, a[0], a[1], symmetric), ""),
    NativeDef::new("__ror__", "self, value, /", |vm, a| operate(vm, a[1], a[0], union), ""),
    NativeDef::new("__rand__", "self, value, /", |vm, a| operate(vm, a[1], a[0], intersection), ""),
    NativeDef::new("__rsub__", "self, value, /", |vm, a| operate(vm, a[1], a[0], difference), ""),
    NativeDef::new("__rxor__", "self, value, /", |vm, a| operate(vm, a[1], a[0], symmetric), ""),
];

/// `isdisjoint` of views.
pub const VIEW: &[NativeDef] = &[NativeDef::new("isdisjoint", "self, other, /", isdisjoint, "")];

/// Rows of `set` alone.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new("__init__", "self, iterable=(), /", init, "Initialize self."),
    NativeDef::new("__ior__", "self, value, /", |vm, a| in_place(vm, a, update), ""),
    NativeDef::new("__iand__", "self, value, /", |vm, a| in_place(vm, a, intersection_update), ""),
    NativeDef::new("__isub__", "self, value, /", |vm, a| in_place(vm, a, difference_update), ""),
    NativeDef::new("__ixor__", "self, value, /", |vm, a| in_place(vm, a, symmetric_update), ""),
    NativeDef::new("add", "self, elem, /", add, "Add an element to a set."),
    NativeDef::new("discard", "self, elem, /", discard, "Remove an element if it is a member."),
    NativeDef::new("remove", "self, elem, /", remove, "Remove an element; it must be a member."),
    NativeDef::new("pop", "self, /", pop, "Remove and return an arbitrary set element."),
    NativeDef::new("clear", "self, /", clear, "Remove all elements from this set."),
    NativeDef::new("update", "self, /, *others", update, ""),
    NativeDef::new("intersection_update", "self, /, *others", intersection_update, ""),
    NativeDef::new("difference_update", "self, /, *others", difference_update, ""),
    NativeDef::new("symmetric_difference_update", "self, other, /", symmetric_update, ""),
];

/// Rows of `frozenset` alone.
pub const FROZEN: &[NativeDef] =
    &[NativeDef::new("__new__", "cls, iterable=(), /", frozen_new, "").role(Role::Static)];

fn set(v: Value<'_>) -> Option<&Set> {
    v.get::<Set>()
}

/// After something was done to a set: the set itself.
static SELF_ROW: Row = Row {
    name: "set_self",
    catches: false,
    resume: |_, state, answer| answer.value().map(|_| state[0]),
};

/// `v` once the exit's work on it is done.
fn after<'v>(vm: &'v Vm, r: Result<(), Exit<'v>>, v: Value<'v>) -> NResult<'v> {
    match r {
        Ok(()) => Ok(v),
        Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
        Err(e) => Err(vm.then_state(e, &SELF_ROW, &[v])),
    }
}

impl Vm {
    /// A new set of the kind of `like`, of its exact builtin class.
    pub(crate) fn empty_like<'v>(&'v self, like: Value<'v>) -> &'v Set {
        if set(like).is_some_and(Set::is_frozen) { self.frozenset() } else { self.set() }
    }

    /// A copy of a set (or the elements of a view) to be changed.
    fn set_copy<'v>(&'v self, v: Value<'v>) -> Result<Value<'v>, Exit<'v>> {
        let copy = self.empty_like(v);
        match set(v) {
            Some(s) => self.set_copy_into(s, copy)?,
            None => self.set_update(Value::object(copy), v)?,
        }
        Ok(Value::object(copy))
    }

    /// A set of any iterable, or itself if it is one already.
    fn as_set<'v>(&'v self, v: Value<'v>) -> Result<Value<'v>, Exit<'v>> {
        if v.is_a::<Set>() {
            return Ok(v);
        }
        let s = Value::object(self.set());
        match self.set_update(s, v) {
            Ok(()) => Ok(s),
            Err(e) => Err(e),
        }
    }
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.new_set(false, class_of_arg(vm, a[0], Type::Set)))
}

fn init<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if set(a[0]).is_some_and(|s| !s.is_empty()) {
        clear(vm, a)?;
    }
    if a[1].is_empty() {
        return Ok(Value::NONE);
    }
    after(vm, vm.set_update(a[0], a[1]), Value::NONE)
}

fn frozen_new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let shape = class_of_arg(vm, a[0], Type::FrozenSet);
    if shape == Type::FrozenSet.shape() && vm.exact_type(a[1]) == Some(Type::FrozenSet) {
        return Ok(a[1]);
    }
    let s = vm.new_set(true, shape);
    if a[1].is_empty() {
        return Ok(s);
    }
    after(vm, vm.set_update(s, a[1]), s)
}

fn len<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.builtin_len(a[0]).unwrap_or(Ok(Value::NONE))
}

fn copy<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if vm.exact_type(a[0]) == Some(Type::FrozenSet) {
        return Ok(a[0]);
    }
    vm.set_copy(a[0])
}

fn operate<'v>(
    vm: &'v Vm,
    a: Value<'v>,
    b: Value<'v>,
    f: for<'w> fn(&'w Vm, &[Value<'w>]) -> NResult<'w>,
) -> NResult<'v> {
    let views = !a.is_a::<Set>() || !b.is_a::<Set>();
    if !views {
        return f(vm, &[a, b]);
    }
    // Views take any iterable; sets take sets and views.
    let view = |v: Value<'v>| vm.set_like(v) && !v.is_a::<Set>();
    if !view(a) && !view(b) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let left = Value::object(vm.set());
    vm.set_update(left, a)?;
    f(vm, &[left, b])
}

fn union<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let s = vm.set_copy(a[0])?;
    update_all(vm, s, &a[1..], s)
}

/// After one of several was merged. State: the set, the result, the others.
static UPDATE_ROW: Row = Row {
    name: "set_update",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        update_all(vm, state[0], &state[2..], state[1])
    },
};

fn update_all<'v>(
    vm: &'v Vm,
    s: Value<'v>,
    others: &[Value<'v>],
    result: Value<'v>,
) -> NResult<'v> {
    for (i, o) in others.iter().enumerate() {
        match vm.set_update(s, *o) {
            Ok(()) => {}
            Err(Exit::Raise(e)) => return Err(Exit::Raise(e)),
            Err(e) => {
                let mut state = vec![s, result];
                state.extend_from_slice(&others[i + 1..]);
                return Err(vm.then_state(e, &UPDATE_ROW, &state));
            }
        }
    }
    Ok(result)
}

fn update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    update_all(vm, a[0], &a[1..], Value::NONE)
}

/// `s` combined with each of `others` in turn by `step`; where that needs calls, the prelude's
/// `name` does it with the empty set given first.
fn fold<'v>(
    vm: &'v Vm,
    a: &[Value<'v>],
    step: impl Fn(Value<'v>, Value<'v>) -> Result<Option<Value<'v>>, Exit<'v>>,
    name: &str,
) -> NResult<'v> {
    if a.len() == 1 {
        return vm.set_copy(a[0]);
    }
    let mut s = a[0];
    for (i, o) in a.iter().enumerate().skip(1) {
        match step(s, *o)? {
            Some(r) => s = r,
            None => {
                let rest = vm.list(a[i..].to_vec())?;
                return Err(vm.prelude_tail("map", name, &[s, rest]));
            }
        }
    }
    Ok(s)
}

/// Elements with hashes of whatever can be walked without calls.
fn hashed<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<Vec<(i64, Value<'v>)>>, Exit<'v>> {
    if let Some(h) = vm.hashed_if_plain(v) {
        return Ok(Some(h));
    }
    if let Some(s) = set(v) {
        return Ok(Some(s.table().iter().map(|e| (e.hash, vm.word_value(e.key))).collect()));
    }
    if v.is_a::<crate::object::iter::Iter>() {
        // Nothing may be taken from an iterator before it is known that no call is needed.
        return Ok(None);
    }
    let Some(items) = vm.items_leaf(v)? else { return Ok(None) };
    let mut out = Vec::with_capacity(items.len());
    for x in items {
        vm.tick()?;
        match vm.hash_leaf(x)? {
            Some(h) => out.push((h, x)),
            None => return Ok(None),
        }
    }
    Ok(Some(out))
}

fn intersection<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let step = |s: Value<'v>, o: Value<'v>| {
        let (mut base, mut keys) = (s, o);
        if let (Some(x), Some(y)) = (set(s), set(o))
            && y.len() > x.len()
        {
            (base, keys) = (o, s);
        }
        let Some(keys) = hashed(vm, keys)? else { return Ok(None) };
        let Some(base) = set(base) else { return Ok(None) };
        let result = vm.empty_like(s);
        for (hash, k) in keys {
            vm.tick()?;
            match vm.set_lookup(base, k, hash)? {
                None => return Ok(None),
                Some(None) => {}
                Some(Some(_)) => {
                    if !vm.set_store_hashed(result, k, hash)? {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(Value::object(result)))
    };
    fold(vm, a, step, "set_intersection")
}

fn difference<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let step = |s: Value<'v>, o: Value<'v>| {
        let Some(mine) = set(s) else { return Ok(None) };
        let result = vm.empty_like(s);
        if let Some(other) = set(o)
            && !mine.table().difference_copies(other.len())
        {
            for (hash, k) in hashed(vm, s)?.unwrap_or_default() {
                vm.tick()?;
                match vm.set_lookup(other, k, hash)? {
                    None => return Ok(None),
                    Some(Some(_)) => {}
                    Some(None) => vm.set_insert(result, k, hash)?,
                }
            }
            return Ok(Some(Value::object(result)));
        }
        vm.set_copy_into(mine, result)?;
        Ok(remove_all(vm, result, o)?.then_some(Value::object(result)))
    };
    fold(vm, a, step, "set_difference")
}

/// Removes the elements of `o`; `false` if that needs calls (some may be gone already).
fn remove_all<'v>(vm: &'v Vm, s: &'v Set, o: Value<'v>) -> Result<bool, Exit<'v>> {
    let Some(keys) = hashed(vm, o)? else { return Ok(false) };
    for (hash, k) in keys {
        vm.tick()?;
        match vm.set_lookup(s, k, hash)? {
            None => return Ok(false),
            Some(None) => {}
            Some(Some(i)) => {
                vm.oom(s.update(&vm.heap, |t| t.remove(i)))?;
            }
        }
    }
    let done = vm.oom(s.update(&vm.heap, |t| t.shrink()))?;
    done.map_err(|_| vm.memory_error())?;
    Ok(true)
}

fn symmetric<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let result = vm.set_copy(a[0])?;
    after(vm, toggle(vm, result, a[1]), result)
}

fn toggle<'v>(vm: &'v Vm, s: Value<'v>, o: Value<'v>) -> Result<(), Exit<'v>> {
    let Some(mine) = set(s) else { return Ok(()) };
    let other = vm.as_set(o).map_err(|e| match e {
        // The other iterable needs calls: all of it is left to the prelude.
        Exit::Do(_) => vm.prelude_tail("map", "set_toggle_iter", &[s, o]),
        e => e,
    })?;
    let keys = hashed(vm, other)?.unwrap_or_default();
    for (hash, k) in &keys {
        if vm.set_lookup(mine, *k, *hash)?.is_none() {
            return Err(vm.prelude_tail("map", "set_toggle_iter", &[s, other]));
        }
    }
    for (hash, k) in keys {
        vm.tick()?;
        match vm.set_lookup(mine, k, hash)?.flatten() {
            Some(i) => {
                vm.oom(mine.update(&vm.heap, |t| t.remove(i)))?;
            }
            None => vm.set_insert(mine, k, hash)?,
        }
    }
    Ok(())
}

fn symmetric_update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[0].is(a[1]) {
        return clear(vm, a);
    }
    after(vm, toggle(vm, a[0], a[1]), Value::NONE)
}

/// After the new contents were worked out. State: the set.
static REPLACE_ROW: Row = Row {
    name: "set_replace",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if let (Some(to), Some(from)) = (set(state[0]), set(v)) {
            vm.set_copy_into(from, to)?;
        }
        Ok(Value::NONE)
    },
};

fn replace<'v>(vm: &'v Vm, a: &[Value<'v>], r: NResult<'v>) -> NResult<'v> {
    match r {
        Ok(v) => (REPLACE_ROW.resume)(vm, &[a[0]], crate::native::Answer::Value(v)),
        Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
        Err(e) => Err(vm.then_state(e, &REPLACE_ROW, &[a[0]])),
    }
}

fn intersection_update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    replace(vm, a, intersection(vm, a))
}

fn difference_update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = set(a[0]) else { return Ok(Value::NONE) };
    for (i, &o) in a.iter().enumerate().skip(1) {
        if o.is(a[0]) {
            clear(vm, a)?;
        } else if !remove_all(vm, s, o)? {
            let rest = vm.list(a[i..].to_vec())?;
            return Err(vm.prelude_tail("map", "set_discard_each", &[a[0], rest]));
        }
    }
    Ok(Value::NONE)
}

fn in_place<'v>(
    vm: &'v Vm,
    a: &[Value<'v>],
    f: for<'w> fn(&'w Vm, &[Value<'w>]) -> NResult<'w>,
) -> NResult<'v> {
    if !vm.set_like(a[1]) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    match f(vm, a) {
        Ok(_) => Ok(a[0]),
        Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
        Err(e) => Err(vm.then_state(e, &SELF_ROW, &[a[0]])),
    }
}

fn isdisjoint<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let (Some(s), Some(keys)) = (set(a[0]), hashed(vm, a[1])?) {
        for (hash, k) in keys {
            vm.tick()?;
            match vm.set_lookup(s, k, hash)? {
                None => return Err(vm.prelude_tail("map", "set_disjoint", &[a[0], a[1]])),
                Some(Some(_)) => return Ok(Value::FALSE),
                Some(None) => {}
            }
        }
        return Ok(Value::TRUE);
    }
    Err(vm.prelude_tail("map", "set_disjoint", &[a[0], a[1]]))
}

fn issubset<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let other = if a[1].is_a::<Set>() {
        a[1]
    } else {
        vm.as_set(a[1]).map_err(|e| match e {
            Exit::Do(_) => vm.prelude_tail("map", "set_subset_iter", &[a[0], a[1]]),
            e => e,
        })?
    };
    match vm.subset_leaf(a[0], other, Depth::default())? {
        Some(b) => Ok(Value::bool(b)),
        None => Err(vm.prelude_tail("compare", "subset", &[a[0], other])),
    }
}

fn issuperset<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let (Some(s), Some(keys)) = (set(a[0]), hashed(vm, a[1])?) {
        for (hash, k) in keys {
            vm.tick()?;
            match vm.set_lookup(s, k, hash)? {
                None => return Err(vm.prelude_tail("map", "set_superset", &[a[0], a[1]])),
                Some(None) => return Ok(Value::FALSE),
                Some(Some(_)) => {}
            }
        }
        return Ok(Value::TRUE);
    }
    Err(vm.prelude_tail("map", "set_superset", &[a[0], a[1]]))
}

fn add<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    after(vm, vm.set_add(a[0], a[1]), Value::NONE)
}

fn discard<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = set(a[0]) else { return Ok(Value::NONE) };
    let key = vm.set_key(a[1])?;
    match vm.set_remove(s, key)? {
        Some(_) => Ok(Value::NONE),
        None => Err(vm.prelude_tail("map", "set_discard", &[a[0], key])),
    }
}

fn remove<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = set(a[0]) else { return Ok(Value::NONE) };
    let key = vm.set_key(a[1])?;
    match vm.set_remove(s, key)? {
        Some(true) => Ok(Value::NONE),
        Some(false) => Err(vm.key_error(a[1])),
        None => Err(vm.prelude_tail("map", "set_remove", &[a[0], key])),
    }
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = set(a[0]) else { return Ok(Value::NONE) };
    match vm.oom(s.update(&vm.heap, |t| t.pop()))? {
        Some(e) => Ok(vm.word_value(e.key)),
        None => {
            let msg = vm.short_str("pop from an empty set");
            Err(vm.key_error(msg))
        }
    }
}

fn clear<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(s) = set(a[0]) {
        vm.oom(s.update(&vm.heap, |t| t.clear()))?;
    }
    Ok(Value::NONE)
}
