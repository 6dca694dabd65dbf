//! `list[int]`, `int | None`, type variables and type aliases.

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::range::HASH;
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::Function;
use crate::object::map::Dict;
use crate::object::record::{GenericAlias, Record};
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::Value;

/// Rows of `types.GenericAlias`.
pub(crate) static ALIAS: &[&[NativeDef]] = &[
    &[
        NativeDef::new(
            "__new__",
            "cls, origin, args, /",
            |vm, a| {
                let args = if a[2].is_a::<Tuple>() { a[2] } else { vm.tuple(&a[2..3])? };
                let shape = vm.shape_for_new(a[0], Type::GenericAlias)?;
                let alias = GenericAlias::new(shape, a[1], args, Value::FALSE);
                Ok(vm.alloc_with_attrs(alias, 0, false))
            },
            "",
        )
        .role(Role::Static),
        NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
        NativeDef::new(
            "__getitem__",
            "self, item, /",
            |vm, a| {
                let (origin, args) = (origin(a[0]), arguments(a[0]));
                let item = vm.prelude_tail("generic", "generic_item", &[a[0], origin, args, a[1]]);
                if is_starred(a[0]) { vm.and_then(Err(item), &STARRED, vec![]) } else { Err(item) }
            },
            "Return self[item].",
        ),
        NativeDef::new(
            "__iter__",
            "self, /",
            |vm, a| vm.get_iter(vm.tuple(&[starred(vm, a[0])?])?),
            "Yield what `*self` stands for.",
        ),
        NativeDef::new(
            "__dir__",
            "self, /",
            |vm, a| Err(vm.prelude_tail("generic", "generic_dir", &[origin(a[0])])),
            "",
        ),
        NativeDef::getter("__unpacked__", |_, a| Ok(Value::bool(is_starred(a[0]))), ""),
        NativeDef::getter(
            "__typing_unpacked_tuple_args__",
            |vm, a| {
                let is_tuple = origin(a[0]).is(vm.class_value(Type::Tuple));
                Ok(if is_starred(a[0]) && is_tuple { arguments(a[0]) } else { Value::NONE })
            },
            "",
        ),
        NativeDef::new("__mro_entries__", "self, bases, /", |vm, a| vm.tuple(&[origin(a[0])]), ""),
        NativeDef::getter("__origin__", |_, a| Ok(origin(a[0])), ""),
        NativeDef::new(
            "__reduce__",
            "self, /",
            |vm, a| {
                if is_starred(a[0]) {
                    // The only item of the alias without the star.
                    let plain = vm.generic_alias(origin(a[0]), arguments(a[0]));
                    let max = vm.dict_get_str(vm.builtins(), "max").unwrap_or(Value::NONE);
                    return vm.tuple(&[max, vm.tuple(&[plain])?]);
                }
                let made_of = vm.tuple(&[origin(a[0]), arguments(a[0])])?;
                vm.tuple(&[vm.class_value(Type::GenericAlias), made_of])
            },
            "Return state information for pickling.",
        ),
    ],
    COMMON,
    HASH,
];

/// `__class_getitem__` of the builtin classes that have it.
pub(crate) fn row(t: Type) -> Option<&'static NativeDef> {
    static CLASS_GETITEM: NativeDef = NativeDef::new(
        "__class_getitem__",
        "cls, item, /",
        |vm, a| vm.class_alias(a[0], a[1]),
        "See PEP 585",
    )
    .role(Role::Class);
    crate::ops::item::is_generic(t).then_some(&CLASS_GETITEM)
}

/// An alias gets the star of the one that was subscripted.
static STARRED: Row = Row {
    name: "generic_starred",
    catches: false,
    resume: |vm, _, answer| starred(vm, answer.value()?),
};

/// What `*alias` gives.
fn starred<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    let Some(alias) = v.get::<GenericAlias>() else { return Ok(v) };
    let shape = vm.shape_for_new(Value::object(vm.class_of(v)), Type::GenericAlias)?;
    let alias = GenericAlias::new(shape, alias.origin(), alias.args(), Value::TRUE);
    Ok(vm.alloc_with_attrs(alias, 0, false))
}

fn is_starred(v: Value<'_>) -> bool {
    v.get::<GenericAlias>().is_some_and(|alias| alias.starred().is(Value::TRUE))
}

/// Rows of `types.UnionType`.
pub(crate) static UNION: &[&[NativeDef]] = &[
    &[NativeDef::new(
        "__getitem__",
        "self, item, /",
        |vm, a| Err(vm.prelude_tail("generic", "union_item", &[a[0], arguments(a[0]), a[1]])),
        "Return self[item].",
    )],
    COMMON,
    HASH,
];

static COMMON: &[NativeDef] = &[
    NativeDef::new(
        "__or__",
        "self, value, /",
        |vm, a| vm.type_union(a[0], a[1]),
        "Return self|value.",
    ),
    NativeDef::new(
        "__ror__",
        "self, value, /",
        |vm, a| vm.type_union(a[1], a[0]),
        "Return value|self.",
    ),
    NativeDef::new("__eq__", "self, value, /", alias_eq, "Return self==value."),
    NativeDef::getter("__args__", |_, a| Ok(arguments(a[0])), ""),
    NativeDef::getter("__parameters__", parameters, ""),
];

/// Rows of type aliases (`type X = ...`).
pub(crate) static TYPE_ALIAS: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, name, value, *, type_params=()", new_type_alias, "")
        .role(Role::Static),
    NativeDef::new(
        "__or__",
        "self, value, /",
        |vm, a| vm.type_union(a[0], a[1]),
        "Return self|value.",
    ),
    NativeDef::new(
        "__ror__",
        "self, value, /",
        |vm, a| vm.type_union(a[1], a[0]),
        "Return value|self.",
    ),
    NativeDef::getter("__name__", |_, a| Ok(field(a[0], |r| r.a())), ""),
    NativeDef::getter(
        "__type_params__",
        |vm, a| {
            Ok(match field(a[0], |r| r.b()) {
                v if v.is_a::<Tuple>() => v,
                _ => vm.empty_tuple(),
            })
        },
        "",
    ),
    NativeDef::getter("__parameters__", alias_parameters, ""),
    NativeDef::getter("__module__", alias_module, ""),
    NativeDef::new("__reduce__", "self, /", |_, a| Ok(field(a[0], |r| r.a())), ""),
    NativeDef::getter("__value__", alias_value, ""),
    NativeDef::new(
        "__getitem__",
        "self, params, /",
        |vm, a| {
            if vm.tuple_items(field(a[0], |r| r.b())).is_empty() {
                return Err(vm.type_error("Only generic type aliases are subscriptable"));
            }
            let args = if a[1].is_a::<Tuple>() { a[1] } else { vm.tuple(&a[1..2])? };
            Ok(vm.generic_alias(a[0], args))
        },
        "",
    ),
]];

/// Rows of `Generic`.
pub(crate) static GENERIC: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__class_getitem__",
        "cls, params, /",
        |vm, a| Err(vm.prelude_tail("generic", "generic_class_item", a)),
        "Parameterizes a generic class.",
    )
    .role(Role::Class),
    NativeDef::new(
        "__init_subclass__",
        "cls, /, **kwargs",
        |vm, a| {
            let kwargs = if a[1].is_empty() { Value::object(vm.dict()) } else { a[1] };
            let generic = vm.class_value(Type::Generic);
            Err(vm.prelude_tail("generic", "generic_init_subclass", &[a[0], kwargs, generic]))
        },
        "Finds the parameters of a new generic class.",
    )
    .role(Role::Class),
]];

/// Makes an instance, which remembers how its class was written if it can.
fn call<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static MADE: Row = Row {
        name: "generic_call",
        catches: false,
        resume: |vm, state, answer| {
            let made = answer.value()?;
            let set = vm.setattr(made, vm.intern("__orig_class__"), state[0]);
            vm.and_then(set.map(|()| Value::NONE), &SET, vec![made])
        },
    };
    static SET: Row = Row {
        name: "generic_call_set",
        catches: true,
        resume: |vm, state, answer| match answer {
            Answer::Raised(e)
                if !vm.is_exception_of(e, Type::AttributeError)
                    && !vm.is_exception_of(e, Type::TypeError) =>
            {
                Err(Exit::Raise(e))
            }
            _ => Ok(state[0]),
        },
    };
    let origin = origin(args[0]);
    let made = vm.call_kw(origin, args[2..].to_vec(), args[1]);
    if origin.get::<Class>().is_some_and(|c| c.has(class_flags::HEAP)) {
        return vm.and_then(Err(made), &MADE, vec![args[0]]);
    }
    Err(made)
}

fn origin<'v>(v: Value<'v>) -> Value<'v> {
    v.get::<GenericAlias>().map_or(Value::NONE, |g| g.origin())
}

fn arguments<'v>(v: Value<'v>) -> Value<'v> {
    v.get::<GenericAlias>().map_or(Value::NONE, |g| g.args())
}

fn field<'v>(v: Value<'v>, f: impl FnOnce(&'v Record) -> Value<'v>) -> Value<'v> {
    v.get::<Record>().map_or(Value::NONE, f)
}

fn alias_eq<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.compare_aliases(crate::ops::compare::Cmp::Eq, args[0], args[1])
}

/// The type variables among the arguments.
fn parameters<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let args = arguments(args[0]);
    if vm.tuple_items(args).iter().all(|v| v.is_a::<Class>()) {
        return vm.tuple(&[]);
    }
    Err(vm.prelude_tail("generic", "generic_parameters", &[args]))
}

fn new_type_alias<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if !args[1].is_a::<Str>() {
        let given = vm.type_name(args[1]);
        return Err(vm.type_error(format!("typealias() argument 'name' must be str, not {given}")));
    }
    let params = if args[3].is_empty() { vm.empty_tuple() } else { args[3] };
    if !params.is_a::<Tuple>() {
        return Err(vm.type_error("type_params must be a tuple"));
    }
    let module = vm.dict_get_str(vm.caller_globals(), "__name__").unwrap_or(Value::NONE);
    let record = Record::new(Type::TypeAlias.shape(), args[1], params, module, args[2]);
    Ok(vm.alloc_with_attrs(record, 0, false))
}

/// What can be put in by subscription.
fn alias_parameters<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let params = field(args[0], |r| r.b());
    let items = vm.tuple_items(params);
    if items.iter().any(|p| vm.exact_type(*p) == Some(Type::TypeVarTuple)) {
        return Err(vm.prelude_tail("generic", "alias_parameters", &[params]));
    }
    vm.tuple(items)
}

/// The module of the function that works the value out, or the one that was kept in its place.
fn alias_module<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let made_by = field(args[0], |r| r.c());
    let Some(function) = made_by.get::<Function>() else { return Ok(made_by) };
    let globals = crate::object::read(&function.globals);
    let name = globals.get::<Dict>().and_then(|d| vm.dict_get_str(d, "__name__"));
    Ok(name.unwrap_or(Value::NONE))
}

/// The value of an alias is worked out once.
fn alias_value<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static DONE: Row = Row {
        name: "type_alias_value",
        catches: false,
        resume: |_, state, answer| {
            let v = answer.value()?;
            if let Some(r) = state[0].get::<Record>() {
                r.d.set(v.word());
            }
            Ok(v)
        },
    };
    let known = field(args[0], |r| r.d());
    if !known.is_empty() {
        return Ok(known);
    }
    let f = field(args[0], |r| r.c());
    vm.and_then(Err(Exit::tail(f, vec![])), &DONE, vec![args[0]])
}

impl Vm {
    /// `origin[args]`; `args` is a tuple.
    pub fn generic_alias<'v>(&'v self, origin: Value<'v>, args: Value<'v>) -> Value<'v> {
        let shape = Type::GenericAlias.shape();
        self.alloc_with_attrs(GenericAlias::new(shape, origin, args, Value::FALSE), 0, false)
    }

    /// `class[item]` of a class that makes nothing else of it.
    pub(crate) fn class_alias<'v>(&'v self, class: Value<'v>, item: Value<'v>) -> NResult<'v> {
        let args = if item.is_a::<Tuple>() { item } else { self.tuple(&[item])? };
        Ok(self.generic_alias(class, args))
    }
}
