//! `mappingproxy`: a read-only view of a mapping, or of the namespace of a class.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::class::Class;
use crate::object::record::MappingProxy;
use crate::object::seq::Tuple;
use crate::value::Value;

/// The rows.
pub(crate) static TABLES: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, mapping, /", new, "").role(Role::Static),
    NativeDef::new(
        "__getitem__",
        "self, key, /",
        |vm, a| vm.getitem(under(vm, a[0])?, a[1]),
        "Return self[key].",
    ),
    NativeDef::new(
        "__contains__",
        "self, key, /",
        |vm, a| vm.contains(under(vm, a[0])?, a[1]).map(Value::bool),
        "Return key in self.",
    ),
    NativeDef::new(
        "__iter__",
        "self, /",
        |vm, a| vm.get_iter(under(vm, a[0])?),
        "Implement iter(self).",
    ),
    NativeDef::new("__len__", "self, /", |vm, a| ask(vm, a, "__len__"), "Return len(self)."),
    NativeDef::new(
        "__str__",
        "self, /",
        |vm, a| vm.str_value(under(vm, a[0])?),
        "Return str(self).",
    ),
    NativeDef::new(
        "__reversed__",
        "self, /",
        |vm, a| ask(vm, a, "__reversed__"),
        "D.__reversed__() -> reverse iterator",
    ),
    NativeDef::new(
        "__eq__",
        "self, value, /",
        |vm, a| {
            let other = if a[1].is_a::<MappingProxy>() { under(vm, a[1])? } else { a[1] };
            vm.compare(crate::ops::compare::Cmp::Eq, under(vm, a[0])?, other)
        },
        "Return self==value.",
    ),
    NativeDef::new(
        "__hash__",
        "self, /",
        |vm, a| vm.hash_value(under(vm, a[0])?),
        "Return hash(self).",
    ),
    NativeDef::new(
        "__class_getitem__",
        "cls, item, /",
        |vm, a| {
            let args = if a[1].is_a::<Tuple>() { a[1] } else { vm.tuple(&a[1..2])? };
            Ok(vm.generic_alias(a[0], args))
        },
        "See PEP 585",
    )
    .role(Role::Class),
    NativeDef::new(
        "__ior__",
        "self, value, /",
        |vm, _| Err(vm.type_error("'|=' is not supported by mappingproxy; use '|' instead")),
        "Return self|=value.",
    ),
    NativeDef::new(
        "__or__",
        "self, value, /",
        |vm, a| {
            let other = if a[1].is_a::<MappingProxy>() { under(vm, a[1])? } else { a[1] };
            vm.binary(crate::code::op::Op::BITOR, under(vm, a[0])?, other)
        },
        "Return self|value.",
    ),
    NativeDef::new(
        "__ror__",
        "self, value, /",
        |vm, a| vm.binary(crate::code::op::Op::BITOR, a[1], under(vm, a[0])?),
        "Return value|self.",
    ),
    NativeDef::new(
        "__ior__",
        "self, value, /",
        |vm, _| Err(vm.type_error("'|=' is not supported by mappingproxy; use '|' instead")),
        "Return self|=value.",
    ),
    NativeDef::new(
        "__hash__",
        "self, /",
        |vm, a| vm.hash_value(under(vm, a[0])?),
        "Return hash(self).",
    ),
    NativeDef::new(
        "get",
        "self, key, default=None, /",
        |vm, a| {
            let d = if a[2].is_empty() { Value::NONE } else { a[2] };
            ask(vm, &[a[0], a[1], d], "get")
        },
        "Return the value for key if key is in the mapping, else default.",
    ),
    NativeDef::new(
        "keys",
        "self, /",
        |vm, a| ask(vm, a, "keys"),
        "a set-like object providing a view on D's keys",
    ),
    NativeDef::new(
        "values",
        "self, /",
        |vm, a| ask(vm, a, "values"),
        "an object providing a view on D's values",
    ),
    NativeDef::new(
        "items",
        "self, /",
        |vm, a| ask(vm, a, "items"),
        "a set-like object providing a view on D's items",
    ),
    NativeDef::new("copy", "self, /", |vm, a| ask(vm, a, "copy"), "a shallow copy of D"),
]];

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::MappingProxy)?;
    let m = args[1];
    let fits = !vm.match_sequence(m)
        && vm.class_lookup(vm.class_of(m), vm.names.__getitem__).is_some()
        && !m.is_a::<crate::object::text::Str>();
    if !fits {
        return Err(vm.type_error(format!(
            "mappingproxy() argument must be a mapping, not {}",
            vm.type_name(m)
        )));
    }
    Ok(Value::object(vm.heap.alloc(MappingProxy::new(shape, m), 0, false)))
}

/// The mapping behind a proxy; of a class, its namespace as a dict.
fn under<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    let Some(p) = v.get::<MappingProxy>() else { return Ok(v) };
    let Some(c) = p.mapping().get::<Class>() else { return Ok(p.mapping()) };
    let d = vm.dict();
    let entries: Vec<(u64, u64)> = vm.class_ns(c).iter().map(|e| (e.key, e.value)).collect();
    for (k, v) in entries {
        vm.dict_set_name(d, vm.word_value(k), vm.word_value(v))?;
    }
    Ok(Value::object(d))
}

/// Calls a method of the mapping with the arguments behind the proxy.
fn ask<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    static FOUND: Row = Row {
        name: "mappingproxy",
        catches: false,
        resume: |_, state, answer| Err(Exit::tail(answer.value()?, state.to_vec())),
    };
    let f = vm.getattr(under(vm, args[0])?, vm.intern(name));
    vm.and_then(f, &FOUND, args[1..].to_vec())
}
