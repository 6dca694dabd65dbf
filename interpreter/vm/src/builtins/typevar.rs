//! Type variables: `TypeVar`, `ParamSpec` and `TypeVarTuple`, of PEP 695 syntax and called.
//!
//! The words of the record are: the name; the bound, or a tuple of constraints (of syntax: the
//! function that gives it); the flags as an int (Empty: of syntax); the module.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::record::Record;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::Value;

const COVARIANT: i64 = 1;
const CONTRAVARIANT: i64 = 2;
const INFER: i64 = 4;

/// Rows of `TypeVar`.
pub(crate) static TYPE_VAR: &[&[NativeDef]] = &[
    &[
        NativeDef::new(
            "__new__",
            "cls, name, *constraints, bound=None, covariant=False, contravariant=False, \
             infer_variance=False",
            new_type_var,
            "",
        )
        .role(Role::Static),
        NativeDef::new(
            "__typing_subst__",
            "self, arg, /",
            |vm, a| Err(vm.prelude_tail("generic", "typevar_subst", &a[1..2])),
            "",
        ),
        NativeDef::getter("__constraints__", |vm, a| limit(vm, a[0], true), ""),
    ],
    COMMON,
];

/// Rows of `ParamSpec`.
pub(crate) static PARAM_SPEC: &[&[NativeDef]] = &[
    &[
        NativeDef::new(
            "__new__",
            "cls, name, *, bound=None, covariant=False, contravariant=False, \
             infer_variance=False",
            |vm, a| {
                let made = make(vm, Type::ParamSpec, &a[..2])?;
                finish(vm, made, Limit::Bound(a[2]), [a[3], a[4], a[5]])
            },
            "",
        )
        .role(Role::Static),
        NativeDef::new(
            "__typing_subst__",
            "self, arg, /",
            |vm, a| Err(vm.prelude_tail("generic", "paramspec_subst", a)),
            "",
        ),
        NativeDef::getter("args", |vm, a| part(vm, a[0], "ParamSpecArgs"), ""),
        NativeDef::getter("kwargs", |vm, a| part(vm, a[0], "ParamSpecKwargs"), ""),
    ],
    COMMON,
];

/// Rows of `TypeVarTuple`.
pub(crate) static TYPE_VAR_TUPLE: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__new__",
        "cls, name",
        |vm, a| {
            let made = make(vm, Type::TypeVarTuple, a)?;
            finish(vm, made, Limit::Bound(Value::NONE), [Value::FALSE; 3])
        },
        "",
    )
    .role(Role::Static),
    NativeDef::new(
        "__typing_subst__",
        "self, arg, /",
        |vm, _| Err(vm.type_error("Substitution of bare TypeVarTuple is not supported")),
        "",
    ),
    NativeDef::new(
        "__iter__",
        "self, /",
        |vm, a| Err(vm.prelude_tail("generic", "unpack_typing", a)),
        "Yield what `*self` stands for.",
    ),
    NAME,
    MODULE,
    BASES,
    REDUCE,
]];

static COMMON: &[NativeDef] = &[
    NativeDef::new(
        "__or__",
        "self, value, /",
        |vm, a| Err(vm.prelude_tail("generic", "typevar_union", a)),
        "Return self|value.",
    ),
    NativeDef::new(
        "__ror__",
        "self, value, /",
        |vm, a| Err(vm.prelude_tail("generic", "typevar_union", &[a[1], a[0]])),
        "Return value|self.",
    ),
    NativeDef::getter("__bound__", |vm, a| limit(vm, a[0], false), ""),
    NativeDef::getter("__covariant__", |_, a| Ok(flag(a[0], COVARIANT)), ""),
    NativeDef::getter("__contravariant__", |_, a| Ok(flag(a[0], CONTRAVARIANT)), ""),
    NativeDef::getter("__infer_variance__", |_, a| Ok(flag(a[0], INFER)), ""),
    NAME,
    MODULE,
    BASES,
    REDUCE,
];

const NAME: NativeDef = NativeDef::getter("__name__", |_, a| Ok(field(a[0], |r| r.a())), "");
const MODULE: NativeDef = NativeDef::getter(
    "__module__",
    |vm, a| match field(a[0], |r| r.d()) {
        v if v.is_empty() => vm.str("typing"),
        v => Ok(v),
    },
    "",
);
const REDUCE: NativeDef =
    NativeDef::new("__reduce__", "self, /", |_, a| Ok(field(a[0], |r| r.a())), "");
const BASES: NativeDef = NativeDef::new(
    "__mro_entries__",
    "self, bases, /",
    |vm, a| {
        let class = vm.type_name(a[0]);
        let article = if class.starts_with('P') { "a" } else { "an instance of" };
        Err(vm.type_error(
            format!("Cannot subclass {article} {class}")
                .replace("a ParamSpec", "an instance of ParamSpec"),
        ))
    },
    "",
);

fn field<'v>(v: Value<'v>, f: impl FnOnce(&'v Record) -> Value<'v>) -> Value<'v> {
    v.get::<Record>().map_or(Value::NONE, f)
}

fn flags(v: Value<'_>) -> i64 {
    match field(v, |r| r.c()) {
        c if c.is_empty() => INFER,
        c => c.as_small().unwrap_or(0),
    }
}

fn flag(v: Value<'_>, wanted: i64) -> Value<'static> {
    Value::bool(flags(v) & wanted != 0)
}

/// The sign before the name in its `repr`.
pub(crate) fn variance(v: Value<'_>) -> &'static str {
    match flags(v) {
        f if f & INFER != 0 => "",
        f if f & COVARIANT != 0 => "+",
        f if f & CONTRAVARIANT != 0 => "-",
        _ => "~",
    }
}

fn new_type_var<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let made = make(vm, Type::TypeVar, &args[..2])?;
    let limit = match &args[6..] {
        [] => Limit::Bound(args[2]),
        [_] => return Err(vm.type_error("A single constraint is not allowed")),
        _ if !args[2].is_empty() && !args[2].is_none() => {
            return Err(vm.type_error("Constraints cannot be combined with bound=..."));
        }
        constraints => Limit::Constraints(vm.tuple(constraints)?),
    };
    finish(vm, made, limit, [args[3], args[4], args[5]])
}

fn make<'v>(vm: &'v Vm, t: Type, args: &[Value<'v>]) -> NResult<'v> {
    if !args[1].is_a::<Str>() {
        let (class, given) = (t.name().trim_start_matches("typing."), vm.type_name(args[1]));
        return Err(vm.type_error(format!(
            "{}() argument 'name' must be str, not {given}",
            class.to_lowercase()
        )));
    }
    vm.type_parameter(t, args[1], Value::NONE)
}

/// What a call said about the types that a variable may stand for.
#[derive(Clone, Copy)]
enum Limit<'v> {
    Bound(Value<'v>),
    Constraints(Value<'v>),
}

/// Puts in what a call said.
fn finish<'v>(vm: &'v Vm, made: Value<'v>, limit: Limit<'v>, on: [Value<'v>; 3]) -> NResult<'v> {
    let mut flags = 0;
    for (v, bit) in on.into_iter().zip([COVARIANT, CONTRAVARIANT, INFER]) {
        if !v.is_empty() && vm.truth(v)? {
            flags |= bit;
        }
    }
    if flags & (COVARIANT | CONTRAVARIANT) == COVARIANT | CONTRAVARIANT {
        return Err(vm.value_error("Bivariant types are not supported."));
    }
    if flags & INFER != 0 && flags != INFER {
        return Err(vm.value_error("Variance cannot be specified with infer_variance."));
    }
    let Some(r) = made.get::<Record>() else { return Ok(made) };
    if let Limit::Constraints(v) = limit {
        r.b.set(v.word());
    }
    r.c.set(vm.int(flags).word());
    let module = vm.dict_get_str(vm.caller_globals(), "__name__");
    r.d.set(module.unwrap_or(Value::NONE).word());
    let bound = match limit {
        Limit::Bound(v) if !v.is_empty() && !v.is_none() => v,
        _ => return Ok(made),
    };
    static CHECKED: Row = Row {
        name: "type_variable_bound",
        catches: false,
        resume: |_, state, answer| {
            let bound = answer.value()?;
            if let Some(r) = state[0].get::<Record>() {
                r.b.set(bound.word());
            }
            Ok(state[0])
        },
    };
    let bound = vm.prelude_tail("generic", "typevar_bound", &[bound]);
    vm.and_then(Err(bound), &CHECKED, vec![made])
}

/// The bound or (a tuple) the constraints of a type variable.
fn limit<'v>(vm: &'v Vm, v: Value<'v>, constraints: bool) -> NResult<'v> {
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
    let limit = field(v, |r| r.b());
    let is_lazy = field(v, |r| r.c()).is_empty() && !limit.is_none() && !limit.is_empty();
    let given = if is_lazy { Err(Exit::tail(limit, vec![])) } else { Ok(limit) };
    vm.and_then(given, &SORTED, vec![Value::bool(constraints)])
}

/// `P.args` and `P.kwargs`: `typing` has their classes.
fn part<'v>(vm: &'v Vm, v: Value<'v>, class: &str) -> NResult<'v> {
    let class = vm.str(class)?;
    Err(vm.prelude_tail("generic", "paramspec_part", &[v, class]))
}

impl Vm {
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
