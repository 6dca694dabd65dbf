//! `list[int]`, `int | None`, type variables and type aliases.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::record::{GenericAlias, Record};
use crate::object::seq::Tuple;
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
                Ok(vm.alloc_with_attrs(GenericAlias::new(shape, a[1], args), 0, false))
            },
            "",
        )
        .role(Role::Static),
        NativeDef::new(
            "__call__",
            "self, /, *args, **kwargs",
            |vm, a| Err(vm.call_kw(origin(a[0]), a[2..].to_vec(), a[1])),
            "Call self as a function.",
        ),
        NativeDef::new("__mro_entries__", "self, bases, /", |vm, a| vm.tuple(&[origin(a[0])]), ""),
        NativeDef::getter("__origin__", |_, a| Ok(origin(a[0])), ""),
    ],
    COMMON,
];

/// Rows of `types.UnionType`.
pub(crate) static UNION: &[&[NativeDef]] = &[COMMON];

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
    NativeDef::getter(
        "__args__",
        |_, a| Ok(a[0].get::<GenericAlias>().map_or(Value::NONE, |g| g.args())),
        "",
    ),
    NativeDef::getter("__parameters__", parameters, ""),
];

/// Rows of type variables.
pub(crate) static VARIABLE: &[&[NativeDef]] = &[&[
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
    NativeDef::getter("__bound__", |vm, a| lazy(vm, a[0], field(a[0], |r| r.b()), false), ""),
    NativeDef::getter("__constraints__", |vm, a| lazy(vm, a[0], field(a[0], |r| r.b()), true), ""),
    NativeDef::getter("__covariant__", |_, _| Ok(Value::FALSE), ""),
    NativeDef::getter("__contravariant__", |_, _| Ok(Value::FALSE), ""),
    NativeDef::getter("__infer_variance__", |_, _| Ok(Value::TRUE), ""),
]];

/// Rows of type aliases (`type X = ...`).
pub(crate) static TYPE_ALIAS: &[&[NativeDef]] = &[&[
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
    NativeDef::getter("__value__", alias_value, ""),
    NativeDef::new(
        "__getitem__",
        "self, params, /",
        |vm, a| {
            let args = if a[1].is_a::<Tuple>() { a[1] } else { vm.tuple(&a[1..2])? };
            Ok(vm.generic_alias(a[0], args))
        },
        "",
    ),
]];

/// Rows of `Generic`.
pub(crate) static GENERIC: &[&[NativeDef]] = &[&[NativeDef::new(
    "__class_getitem__",
    "cls, params, /",
    |vm, a| {
        let args = if a[1].is_a::<Tuple>() { a[1] } else { vm.tuple(&a[1..2])? };
        Ok(vm.generic_alias(a[0], args))
    },
    "Parameterizes a generic class.",
)
.role(Role::Class)]];

fn origin<'v>(v: Value<'v>) -> Value<'v> {
    v.get::<GenericAlias>().map_or(Value::NONE, |g| g.origin())
}

fn field<'v>(v: Value<'v>, f: impl FnOnce(&'v Record) -> Value<'v>) -> Value<'v> {
    v.get::<Record>().map_or(Value::NONE, f)
}

fn alias_eq<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (Some(a), Some(b)) = (args[0].get::<GenericAlias>(), args[1].get::<GenericAlias>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !a.origin().is(b.origin()) {
        return Ok(Value::FALSE);
    }
    if a.origin().is_empty() {
        // A union is equal to one of the same members in any order.
        let (x, y) = (vm.tuple_items(a.args()), vm.tuple_items(b.args()));
        let same = x.len() == y.len() && x.iter().all(|v| y.iter().any(|o| o.is(*v)));
        return Ok(Value::bool(same));
    }
    vm.compare(crate::ops::compare::Cmp::Eq, a.args(), b.args())
}

/// The type variables among the arguments.
fn parameters<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut out: Vec<Value<'v>> = Vec::new();
    let items = args[0].get::<GenericAlias>().map_or(&[][..], |g| vm.tuple_items(g.args()));
    for v in items {
        let is_variable =
            matches!(vm.exact_type(*v), Some(Type::TypeVar | Type::ParamSpec | Type::TypeVarTuple));
        if is_variable && !out.iter().any(|o| o.is(*v)) {
            out.push(*v);
        }
    }
    vm.tuple(&out)
}

/// The bound or (a tuple) the constraints of a type variable.
fn lazy<'v>(vm: &'v Vm, _: Value<'v>, f: Value<'v>, constraints: bool) -> NResult<'v> {
    static SORTED: Row = Row {
        name: "type_bound",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            let wanted = state[0].is(Value::TRUE);
            Ok(match (v.is_a::<Tuple>(), wanted) {
                (true, true) | (false, false) => v,
                (false, true) => vm.empty_tuple(),
                (true, false) => Value::NONE,
            })
        },
    };
    if f.is_none() || f.is_empty() {
        return Ok(if constraints { vm.empty_tuple() } else { Value::NONE });
    }
    vm.and_then(Err(Exit::tail(f, vec![])), &SORTED, vec![Value::bool(constraints)])
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
        self.alloc_with_attrs(GenericAlias::new(Type::GenericAlias.shape(), origin, args), 0, false)
    }

    /// A TypeVar, ParamSpec or TypeVarTuple; `bound` is the function that gives the bound.
    pub(crate) fn type_parameter<'v>(
        &'v self,
        t: Type,
        name: Value<'v>,
        bound: Value<'v>,
    ) -> NResult<'v> {
        Ok(self.alloc_with_attrs(
            Record::new(t.shape(), name, bound, Value::EMPTY, Value::EMPTY),
            0,
            false,
        ))
    }
}
