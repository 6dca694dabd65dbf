//! `defaultdict`: a dict that makes what is missing.

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::{Value, Vm};

use crate::class::ClassDef;
use crate::iterate::call;

pub(super) static DEFAULTDICT: ClassDef = ClassDef {
    base: Type::Dict,
    layout: Kind::Dict,
    ..ClassDef::open(
        "collections",
        "defaultdict",
        "defaultdict(default_factory=None, /, [...]) --> dict with default factory",
        &[
            NativeDef::new("__init__", "self, /, *args, **kwargs", init, "Initialize self."),
            NativeDef::new(
                "__missing__",
                "self, key, /",
                missing,
                "Called by __getitem__ for missing key; pseudo-code.",
            ),
            NativeDef::getter(
                "default_factory",
                |vm, a| Ok(factory(vm, a[0])),
                "Factory for default value called by __missing__().",
            ),
            NativeDef::setter("default_factory", set_factory),
        ],
    )
};

/// The name under which an instance keeps its factory; no name of a script's begins so.
const KEY: &str = "\u{1}default_factory";

fn factory<'v>(vm: &'v Vm, d: Value<'v>) -> Value<'v> {
    vm.get_attr_raw(d, vm.intern(KEY)).unwrap_or(Value::NONE)
}

fn set_factory<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let v = if a[1].is_empty() { Value::NONE } else { a[1] };
    vm.set_attr_raw(a[0], vm.intern(KEY), v)?;
    Ok(Value::NONE)
}

/// After the positional part of the update. State: the dict, the keywords or Empty.
static UPDATED: Row = Row {
    name: "defaultdict_updated",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        if !state[1].is_empty() {
            vm.dict_merge(state[0], state[1])?;
        }
        Ok(Value::NONE)
    },
};

fn init<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (me, keywords, args) = (a[0], a[1], &a[2..]);
    if let Some(f) = args.first() {
        if !f.is_none() && !vm.is_callable(*f) {
            return Err(vm.type_error("first argument must be callable or None"));
        }
        set_factory(vm, &[me, *f])?;
    }
    if args.len() > 2 {
        let n = args.len() - 1;
        return Err(vm.type_error(format!("dict expected at most 1 argument, got {n}")));
    }
    let updated = args.get(1).map_or(Ok(()), |v| vm.dict_update(me, *v));
    vm.and_then_effect(updated, &UPDATED, vec![me, keywords])
}

/// After the call of the factory. State: the dict, the key.
static MADE: Row = Row {
    name: "defaultdict_made",
    catches: false,
    resume: |vm, state, answer| store(vm, state[0], state[1], answer.value()?),
};

fn missing<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let f = factory(vm, a[0]);
    if f.is_none() {
        return Err(vm.key_error(a[1]));
    }
    // The usual factories make something empty.
    let empty = if f.is(vm.class_value(Type::Int)) {
        Some(Value::int32(0))
    } else if f.is(vm.class_value(Type::List)) {
        Some(vm.list(Vec::new())?)
    } else if f.is(vm.class_value(Type::Dict)) {
        Some(Value::object(vm.dict()))
    } else if f.is(vm.class_value(Type::Set)) {
        Some(Value::object(vm.set()))
    } else {
        None
    };
    let made = match empty {
        Some(v) => v,
        None => call(vm, f, &[], &MADE, a)?,
    };
    store(vm, a[0], a[1], made)
}

/// After `self[key] = value`. State: the value.
static STORED: Row = Row {
    name: "defaultdict_stored",
    catches: false,
    resume: |_, state, answer| answer.value().map(|_| state[0]),
};

fn store<'v>(vm: &'v Vm, d: Value<'v>, key: Value<'v>, v: Value<'v>) -> NResult<'v> {
    if let Some(table) = d.get::<Dict>()
        && !vm.class_of(d).has(miniscript_vm::object::class::class_flags::HEAP)
        && vm.dict_store(table, key, v)?
    {
        return Ok(v);
    }
    vm.and_then_effect(vm.setitem(d, key, v), &STORED, vec![v])
}
