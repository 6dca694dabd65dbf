//! `dict` and its views.

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::list::NONE_ROW;
use crate::builtins::range::class_of_arg;
use crate::native::{Exit, NResult, NativeDef, Quick, Role, Row};
use crate::object::class::{Class, class_flags};
use crate::object::map::Dict;
use crate::object::record::DictView;
use crate::value::Value;

/// Rows of `dict`.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new("__init__", "self, /, *args, **kwargs", init, "Initialize self."),
    NativeDef::new("__len__", "self, /", len, "Return len(self)."),
    NativeDef::new("__getitem__", "self, key, /", getitem, "Return self[key]."),
    NativeDef::new("__setitem__", "self, key, value, /", setitem, "Set self[key] to value."),
    NativeDef::new("__delitem__", "self, key, /", delitem, "Delete self[key]."),
    NativeDef::new("__reversed__", "self, /", reversed, "Return a reverse iterator."),
    NativeDef::new("__or__", "self, value, /", or, "Return self|value."),
    NativeDef::new("__ror__", "self, value, /", ror, "Return value|self."),
    NativeDef::new("__ior__", "self, value, /", ior, "Return self|=value."),
    NativeDef::new("get", "self, key, default=None, /", get, "Return the value for key.")
        .quick(Quick::Get),
    NativeDef::new("setdefault", "self, key, default=None, /", setdefault, ""),
    NativeDef::new("pop", "self, key, default=None, /", pop, "Remove specified key."),
    NativeDef::new("popitem", "self, /", popitem, "Remove and return the last pair."),
    NativeDef::new("keys", "self, /", |vm, a| Ok(view(vm, a[0], Type::DictKeys)), ""),
    NativeDef::new("values", "self, /", |vm, a| Ok(view(vm, a[0], Type::DictValues)), ""),
    NativeDef::new("items", "self, /", |vm, a| Ok(view(vm, a[0], Type::DictItems)), ""),
    NativeDef::new("update", "self, /, *args, **kwargs", update, "Update from mapping or pairs."),
    NativeDef::new("fromkeys", "type, iterable, value=None, /", fromkeys, "").role(Role::Class),
    NativeDef::new("clear", "self, /", clear, "Remove all items from the dict."),
    NativeDef::new("copy", "self, /", copy, "Return a shallow copy of the dict."),
];

/// Rows of all views.
pub const VIEW: &[NativeDef] = &[
    NativeDef::new("__len__", "self, /", len, "Return len(self)."),
    NativeDef::new("__reversed__", "self, /", view_reversed, "Return a reverse iterator."),
    NativeDef::getter("mapping", view_mapping, "dictionary that this view refers to"),
];

fn dict(v: Value<'_>) -> Option<&Dict> {
    v.get::<Dict>()
}

fn view<'v>(vm: &'v Vm, d: Value<'v>, t: Type) -> Value<'v> {
    Value::object(vm.heap.alloc(DictView::new(t.shape(), d), 0, false))
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.new_dict(class_of_arg(vm, a[0], Type::Dict)))
}

fn init<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    update_with(vm, a[0], a[1], &a[2..], "dict")
}

fn update<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    update_with(vm, a[0], a[1], &a[2..], "update")
}

/// After the positional part of an update. State: the dict, the keywords.
static KEYWORDS_ROW: Row = Row {
    name: "dict_update_keywords",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        vm.dict_merge(state[0], state[1])?;
        Ok(Value::NONE)
    },
};

fn update_with<'v>(
    vm: &'v Vm,
    d: Value<'v>,
    keywords: Value<'v>,
    args: &[Value<'v>],
    name: &str,
) -> NResult<'v> {
    if args.len() > 1 {
        return Err(
            vm.type_error(format!("{name} expected at most 1 argument, got {}", args.len()))
        );
    }
    let first = match args.first() {
        Some(v) => vm.dict_update(d, *v),
        None => Ok(()),
    };
    match first {
        Ok(()) => {}
        Err(Exit::Raise(e)) => return Err(Exit::Raise(e)),
        Err(Exit::Do(action)) => {
            if keywords.is_empty() {
                return Err(vm.then_state(Exit::Do(action), &NONE_ROW, &[]));
            }
            return Err(vm.then_state(Exit::Do(action), &KEYWORDS_ROW, &[d, keywords]));
        }
    }
    if !keywords.is_empty() {
        vm.dict_merge(d, keywords)?;
    }
    Ok(Value::NONE)
}

impl Vm {
    /// `dict.update(v)` for a mapping or an iterable of pairs.
    pub fn dict_update<'v>(&'v self, d: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        if v.is_a::<Dict>() {
            return self.dict_merge(d, v);
        }
        let class = self.class_of(v);
        if self.class_lookup(class, self.names.keys).is_some() {
            return Err(self.prelude_tail("map", "update_from_mapping", &[d, v]));
        }
        // Instances and classes may have `keys` as an attribute of their own.
        if class.has(class_flags::HEAP) || v.is_a::<Class>() {
            return Err(self.prelude_tail("map", "update_by_attribute", &[d, v]));
        }
        let Some(pairs) = self.items_leaf(v)? else {
            return Err(self.prelude_tail("map", "update_from_pairs", &[d, v]));
        };
        let Some(target) = dict(d) else { return Ok(()) };
        for (n, p) in pairs.iter().enumerate() {
            let items = match self.items_leaf(*p) {
                Ok(items) => items,
                Err(Exit::Raise(e)) if self.is_exception_of(e, Type::TypeError) => {
                    return Err(self.type_error(format!(
                        "cannot convert dictionary update sequence element #{n} to a sequence"
                    )));
                }
                Err(e) => return Err(e),
            };
            let stored = match items.as_deref() {
                Some(&[k, x]) => self.dict_store(target, k, x)?,
                Some(other) => {
                    return Err(self.value_error(format!(
                        "dictionary update sequence element #{n} has length {}; 2 is required",
                        other.len()
                    )));
                }
                None => false,
            };
            if !stored {
                let rest = self.list(pairs[n..].to_vec())?;
                return Err(self.prelude_tail("map", "update_from_pairs", &[d, rest]));
            }
        }
        Ok(())
    }
}

fn len<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.builtin_len(a[0]).unwrap_or(Ok(Value::NONE))
}

fn getitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.builtin_getitem(a[0], a[1])
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

fn reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.dict_iter(a[0], Type::DictReverseKeyIter))
}

/// A copy of a dict as an exact dict.
fn plain_copy<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    let copy = Value::object(vm.dict());
    vm.dict_merge(copy, v)?;
    Ok(copy)
}

/// After a dict was updated. State: the dict.
static SELF_ROW: Row = Row {
    name: "dict_self",
    catches: false,
    resume: |_, state, answer| answer.value().map(|_| state[0]),
};

/// `into` once `from` has been merged into it.
fn merged<'v>(vm: &'v Vm, into: Value<'v>, from: Value<'v>) -> NResult<'v> {
    match vm.dict_update(into, from) {
        Ok(()) => Ok(into),
        Err(e) => Err(vm.then_state(e, &SELF_ROW, &[into])),
    }
}

fn or<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if !a[1].is_a::<Dict>() || !a[0].is_a::<Dict>() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    merged(vm, plain_copy(vm, a[0])?, a[1])
}

fn ror<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    or(vm, &[a[1], a[0]])
}

fn ior<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    merged(vm, a[0], a[1])
}

fn get<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let default = if a[2].is_empty() { Value::NONE } else { a[2] };
    let Some(d) = dict(a[0]) else { return Ok(default) };
    match vm.dict_get(d, a[1])? {
        Some(v) => Ok(v.unwrap_or(default)),
        None => Err(vm.prelude_tail("map", "dict_get", &[a[0], a[1], default])),
    }
}

fn setdefault<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let default = if a[2].is_empty() { Value::NONE } else { a[2] };
    let Some(d) = dict(a[0]) else { return Ok(default) };
    match vm.dict_get(d, a[1])? {
        Some(Some(v)) => Ok(v),
        Some(None) => {
            vm.dict_store(d, a[1], default)?;
            Ok(default)
        }
        None => Err(vm.prelude_tail("map", "dict_setdefault", &[a[0], a[1], default])),
    }
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(d) = dict(a[0]) else { return Ok(Value::NONE) };
    if d.is_empty() {
        // Nothing is compared, so nothing is hashed.
        return if a[2].is_empty() { Err(vm.key_error(a[1])) } else { Ok(a[2]) };
    }
    match vm.dict_remove(d, a[1])? {
        Some(Some(v)) => Ok(v),
        Some(None) if a[2].is_empty() => Err(vm.key_error(a[1])),
        Some(None) => Ok(a[2]),
        None if a[2].is_empty() => Err(vm.prelude_tail("map", "dict_pop", &[a[0], a[1]])),
        None => Err(vm.prelude_tail("map", "dict_pop_default", &[a[0], a[1], a[2]])),
    }
}

fn popitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(d) = dict(a[0]) else { return Ok(Value::NONE) };
    match vm.oom(d.update(&vm.heap, |t| t.pop_last()))? {
        Some(e) => vm.tuple(&[vm.word_value(e.key), vm.word_value(e.value)]),
        None => {
            let msg = vm.short_str("popitem(): dictionary is empty");
            Err(vm.key_error(msg))
        }
    }
}

/// After the class was called. State: the iterable, the value.
static FROMKEYS_ROW: Row = Row {
    name: "dict_fromkeys",
    catches: false,
    resume: |vm, state, answer| fill_keys(vm, answer.value()?, state[0], state[1]),
};

/// The keys of an exact set or dict keep their hashes; `None` if they must be asked.
fn fill_hashed<'v>(
    vm: &'v Vm,
    d: Value<'v>,
    keys: Value<'v>,
    v: Value<'v>,
) -> Result<Option<Value<'v>>, Exit<'v>> {
    let (Some(target), Some(hashed)) = (dict(d), vm.hashed_if_plain(keys)) else { return Ok(None) };
    for (hash, key) in hashed {
        vm.tick()?;
        if !vm.dict_store_hashed(target, key, hash, v)? {
            return Ok(None);
        }
    }
    Ok(Some(d))
}

fn fill_keys<'v>(vm: &'v Vm, d: Value<'v>, it: Value<'v>, v: Value<'v>) -> NResult<'v> {
    if vm.exact_type(d) == Some(Type::Dict)
        && let Some(filled) = fill_hashed(vm, d, it, v)?
    {
        return Ok(filled);
    }
    if vm.exact_type(d) == Some(Type::Dict)
        && let Some(target) = dict(d)
        && let Some(keys) = vm.items_leaf(it)?
    {
        for (i, k) in keys.iter().enumerate() {
            vm.tick()?;
            if !vm.dict_store(target, *k, v)? {
                let rest = vm.list(keys[i..].to_vec())?;
                return Err(vm.prelude_tail("map", "dict_fromkeys", &[d, rest, v]));
            }
        }
        return Ok(d);
    }
    Err(vm.prelude_tail("map", "dict_fromkeys", &[d, it, v]))
}

fn fromkeys<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let v = if a[2].is_empty() { Value::NONE } else { a[2] };
    if a[0].is(vm.class_value(Type::Dict)) {
        return fill_keys(vm, Value::object(vm.dict()), a[1], v);
    }
    Err(Exit::call(a[0], Vec::new(), &FROMKEYS_ROW, vec![a[1], v]))
}

fn clear<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(d) = dict(a[0]) {
        vm.oom(d.update(&vm.heap, |t| t.clear()))?;
    }
    Ok(Value::NONE)
}

fn copy<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let copy = vm.dict();
    if let Some(d) = dict(a[0]) {
        vm.ticks(d.len() / 16)?;
        let table = d.table().try_clone().map_err(|_| vm.memory_error())?;
        vm.oom(copy.update(&vm.heap, |t| *t = table))?;
    }
    Ok(Value::object(copy))
}

fn view_reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(v) = a[0].get::<DictView>() else { return Ok(Value::NONE) };
    let t = match vm.exact_type(a[0]) {
        Some(Type::DictValues) => Type::DictReverseValueIter,
        Some(Type::DictItems) => Type::DictReverseItemIter,
        _ => Type::DictReverseKeyIter,
    };
    Ok(vm.dict_iter(v.dict(), t))
}

fn view_mapping<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(v) = a[0].get::<DictView>() else { return Ok(Value::NONE) };
    Ok(Value::object(vm.heap.alloc(
        crate::object::record::MappingProxy::new(Type::MappingProxy.shape(), v.dict()),
        0,
        false,
    )))
}
