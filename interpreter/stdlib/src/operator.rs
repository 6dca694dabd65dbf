//! `operator`: the operators as functions, and callables that fetch.

use miniscript_vm::code::op::Op;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{NResult, NativeDef, Role, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Record;
use miniscript_vm::object::seq::List;
use miniscript_vm::object::text::Str;
use miniscript_vm::ops::compare::Cmp;
use miniscript_vm::{Value, Vm};

use crate::args::int_of;
use crate::class::{ADD_METHODS, ClassDef};
use crate::module::ModuleDef;

/// Rows of functions of two arguments.
macro_rules! binary {
    ($($name:literal $call:expr, $doc:literal;)*) => {
        [$(NativeDef::new($name, "a, b, /", $call, $doc)),*]
    };
}

const OPERATORS: &[NativeDef] = &binary! {
    "lt" |vm, a| vm.compare(Cmp::Lt, a[0], a[1]), "Same as a < b.";
    "le" |vm, a| vm.compare(Cmp::Le, a[0], a[1]), "Same as a <= b.";
    "eq" |vm, a| vm.compare(Cmp::Eq, a[0], a[1]), "Same as a == b.";
    "ne" |vm, a| vm.compare(Cmp::Ne, a[0], a[1]), "Same as a != b.";
    "ge" |vm, a| vm.compare(Cmp::Ge, a[0], a[1]), "Same as a >= b.";
    "gt" |vm, a| vm.compare(Cmp::Gt, a[0], a[1]), "Same as a > b.";
    "is_" |_, a| Ok(Value::bool(a[0].is(a[1]))), "Same as a is b.";
    "is_not" |_, a| Ok(Value::bool(!a[0].is(a[1]))), "Same as a is not b.";
    "add" |vm, a| vm.binary(Op::ADD, a[0], a[1]), "Same as a + b.";
    "sub" |vm, a| vm.binary(Op::SUB, a[0], a[1]), "Same as a - b.";
    "mul" |vm, a| vm.binary(Op::MUL, a[0], a[1]), "Same as a * b.";
    "truediv" |vm, a| vm.binary(Op::TRUEDIV, a[0], a[1]), "Same as a / b.";
    "floordiv" |vm, a| vm.binary(Op::FLOORDIV, a[0], a[1]), "Same as a // b.";
    "mod" |vm, a| vm.binary(Op::MOD, a[0], a[1]), "Same as a % b.";
    "pow" |vm, a| vm.binary(Op::POW, a[0], a[1]), "Same as a ** b.";
    "lshift" |vm, a| vm.binary(Op::LSHIFT, a[0], a[1]), "Same as a << b.";
    "rshift" |vm, a| vm.binary(Op::RSHIFT, a[0], a[1]), "Same as a >> b.";
    "and_" |vm, a| vm.binary(Op::BITAND, a[0], a[1]), "Same as a & b.";
    "or_" |vm, a| vm.binary(Op::BITOR, a[0], a[1]), "Same as a | b.";
    "xor" |vm, a| vm.binary(Op::BITXOR, a[0], a[1]), "Same as a ^ b.";
    "matmul" |vm, a| vm.binary(Op::MATMUL, a[0], a[1]), "Same as a @ b.";
    "iadd" |vm, a| vm.inplace(Op::ADD, a[0], a[1]), "Same as a += b.";
    "isub" |vm, a| vm.inplace(Op::SUB, a[0], a[1]), "Same as a -= b.";
    "imul" |vm, a| vm.inplace(Op::MUL, a[0], a[1]), "Same as a *= b.";
    "itruediv" |vm, a| vm.inplace(Op::TRUEDIV, a[0], a[1]), "Same as a /= b.";
    "ifloordiv" |vm, a| vm.inplace(Op::FLOORDIV, a[0], a[1]), "Same as a //= b.";
    "imod" |vm, a| vm.inplace(Op::MOD, a[0], a[1]), "Same as a %= b.";
    "ipow" |vm, a| vm.inplace(Op::POW, a[0], a[1]), "Same as a **= b.";
    "ilshift" |vm, a| vm.inplace(Op::LSHIFT, a[0], a[1]), "Same as a <<= b.";
    "irshift" |vm, a| vm.inplace(Op::RSHIFT, a[0], a[1]), "Same as a >>= b.";
    "iand" |vm, a| vm.inplace(Op::BITAND, a[0], a[1]), "Same as a &= b.";
    "ior" |vm, a| vm.inplace(Op::BITOR, a[0], a[1]), "Same as a |= b.";
    "ixor" |vm, a| vm.inplace(Op::BITXOR, a[0], a[1]), "Same as a ^= b.";
    "imatmul" |vm, a| vm.inplace(Op::MATMUL, a[0], a[1]), "Same as a @= b.";
    "concat" |vm, a| concat(vm, a, false), "Same as a + b, for a and b sequences.";
    "iconcat" |vm, a| concat(vm, a, true), "Same as a += b, for a and b sequences.";
    "contains" |vm, a| vm.contains(a[0], a[1]).map(Value::bool), "Same as b in a (note reversed operands).";
    "getitem" |vm, a| vm.getitem(a[0], a[1]), "Same as a[b].";
    "delitem" |vm, a| vm.none_after(vm.delitem(a[0], a[1])), "Same as del a[b].";
};

const OTHERS: &[NativeDef] = &[
    NativeDef::new("not_", "a, /", |vm, a| not(vm, a[0]), "Same as not a."),
    NativeDef::new(
        "truth",
        "a, /",
        |vm, a| vm.truth(a[0]).map(Value::bool),
        "Return True if a is true, False otherwise.",
    ),
    NativeDef::new("neg", "a, /", |vm, a| vm.unary(Op::NEG, a[0]), "Same as -a."),
    NativeDef::new("pos", "a, /", |vm, a| vm.unary(Op::POS, a[0]), "Same as +a."),
    NativeDef::new("invert", "a, /", |vm, a| vm.unary(Op::INVERT, a[0]), "Same as ~a."),
    NativeDef::new("inv", "a, /", |vm, a| vm.unary(Op::INVERT, a[0]), "Same as ~a."),
    NativeDef::new("index", "a, /", index, "Same as a.__index__()"),
    NativeDef::new(
        "setitem",
        "a, b, c, /",
        |vm, a| vm.none_after(vm.setitem(a[0], a[1], a[2])),
        "Same as a[b] = c.",
    ),
    NativeDef::new(
        "call",
        "obj, /, *args, **kwargs",
        |vm, a| Err(vm.call_kw(a[0], a[2..].to_vec(), a[1])),
        "Same as obj(*args, **kwargs).",
    ),
    NativeDef::new("_items", "getter, /", items, ""),
    ADD_METHODS,
];

fn not<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    static TESTED: Row = Row {
        name: "operator_not",
        catches: false,
        resume: |_, _, answer| Ok(Value::bool(!answer.value()?.is(Value::TRUE))),
    };
    match vm.truth(v) {
        Ok(b) => Ok(Value::bool(!b)),
        Err(e) => Err(vm.then_state(e, &TESTED, &[])),
    }
}

fn index<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    static EXACT: Row = Row {
        name: "operator_index",
        catches: false,
        resume: |vm, _, answer| {
            let v = answer.value()?;
            Ok(int_of(v).map_or(v, |n| vm.int_value(n)))
        },
    };
    vm.and_then(vm.index_of(a[0]), &EXACT, Vec::new())
}

fn concat<'v>(vm: &'v Vm, a: &[Value<'v>], in_place: bool) -> NResult<'v> {
    let sequence = |v: Value<'v>| {
        !v.is_a::<Dict>()
            && vm.class_lookup(vm.class_of(v), vm.intern("__getitem__").word()).is_some()
    };
    if !sequence(a[0]) {
        let name = vm.type_name(a[0]);
        return Err(vm.type_error(format!("'{name}' object can't be concatenated")));
    }
    if in_place { vm.inplace(Op::ADD, a[0], a[1]) } else { vm.binary(Op::ADD, a[0], a[1]) }
}

/// What a getter fetches, or what a caller passes on: for reprs in the source.
fn items<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match a[0].get::<Record>() {
        Some(r) => vm.tuple(&[r.a(), r.b(), r.c()]),
        None => Ok(Value::NONE),
    }
}

fn record<'v>(v: Value<'v>) -> &'v Record {
    v.get::<Record>().expect("the receiver was checked")
}

// ---- itemgetter: a tuple of keys ----

static ITEMGETTER: ClassDef = ClassDef::open(
    "operator",
    "itemgetter",
    "Return a callable object that fetches the given item(s) from its operand.",
    &[
        NativeDef::new("__new__", "cls, item, /, *items", new_itemgetter, "").role(Role::Static),
        NativeDef::new("__call__", "self, obj, /", get_items, "Call self as a function."),
    ],
)
.layout(Kind::Record);

fn new_itemgetter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], ITEMGETTER.of(vm)?)?;
    let keys = vm.tuple(&a[1..])?;
    Ok(vm.record(class, [keys, Value::NONE, Value::NONE, Value::EMPTY]))
}

fn get_items<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.tuple_items(record(a[0]).a()) {
        [key] => vm.getitem(a[1], *key),
        _ => gather(vm, a[0], a[1], Vec::new()),
    }
}

// ---- attrgetter: a tuple of names, and a tuple of their parts ----

static ATTRGETTER: ClassDef = ClassDef::open(
    "operator",
    "attrgetter",
    "Return a callable object that fetches the given attribute(s) from its operand.",
    &[
        NativeDef::new("__new__", "cls, attr, /, *attrs", new_attrgetter, "").role(Role::Static),
        NativeDef::new("__call__", "self, obj, /", get_attrs, "Call self as a function."),
    ],
)
.layout(Kind::Record);

fn new_attrgetter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], ATTRGETTER.of(vm)?)?;
    let mut paths = Vec::new();
    for name in &a[1..] {
        let Some(s) = name.get::<Str>() else {
            return Err(vm.type_error("attribute name must be a string"));
        };
        let parts: Vec<Value<'v>> =
            s.bytes().split(|&b| b == b'.').map(|part| vm.intern_bytes(part)).collect();
        paths.push(vm.tuple(&parts)?);
    }
    let (names, paths) = (vm.tuple(&a[1..])?, vm.tuple(&paths)?);
    Ok(vm.record(class, [names, paths, Value::NONE, Value::EMPTY]))
}

fn get_attrs<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.tuple_items(record(a[0]).b()) {
        [path] => walk(vm, a[1], *path, 0),
        _ => gather(vm, a[0], a[1], Vec::new()),
    }
}

/// `obj.a.b.c` from part `at` of the path on.
fn walk<'v>(vm: &'v Vm, obj: Value<'v>, path: Value<'v>, at: usize) -> NResult<'v> {
    static WALKED: Row = Row {
        name: "attrgetter_part",
        catches: false,
        resume: |vm, state, answer| {
            let at = state[1].as_small().unwrap_or(0) as usize;
            walk(vm, answer.value()?, state[0], at)
        },
    };
    let mut v = obj;
    for (i, name) in vm.tuple_items(path).iter().enumerate().skip(at) {
        v = match vm.getattr(v, *name) {
            Ok(v) => v,
            Err(e) => return Err(vm.then_state(e, &WALKED, &[path, Value::len(i + 1)])),
        };
    }
    Ok(v)
}

/// The tuple of all that a getter with several keys or names fetches.
fn gather<'v>(vm: &'v Vm, me: Value<'v>, obj: Value<'v>, mut got: Vec<Value<'v>>) -> NResult<'v> {
    static GOT: Row = Row {
        name: "getter_part",
        catches: false,
        resume: |vm, state, answer| {
            let mut got = state[2].get::<List>().map_or_else(Vec::new, List::to_vec);
            got.push(answer.value()?);
            gather(vm, state[0], state[1], got)
        },
    };
    let (keys, paths) = (record(me).a(), record(me).b());
    while let Some(&key) = vm.tuple_items(keys).get(got.len()) {
        let r = match vm.tuple_items(paths).get(got.len()) {
            Some(path) => walk(vm, obj, *path, 0),
            None => vm.getitem(obj, key),
        };
        match r {
            Ok(v) => got.push(v),
            Err(e) => {
                let so_far = vm.list(got)?;
                return Err(vm.then_state(e, &GOT, &[me, obj, so_far]));
            }
        }
    }
    vm.tuple(&got)
}

// ---- methodcaller: a name, arguments, keywords ----

static METHODCALLER: ClassDef = ClassDef::open(
    "operator",
    "methodcaller",
    "Return a callable object that calls the given method on its operand.",
    &[
        NativeDef::new("__new__", "cls, /, *args, **kwargs", new_methodcaller, "")
            .role(Role::Static),
        NativeDef::new("__call__", "self, obj, /", call_method, "Call self as a function."),
    ],
)
.layout(Kind::Record);

/// Arguments: the class, keywords or Empty, the name and positional ones.
fn new_methodcaller<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], METHODCALLER.of(vm)?)?;
    let [name, args @ ..] = &a[2..] else {
        return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = name.get::<Str>() else {
        return Err(vm.type_error("method name must be a string"));
    };
    let name = Value::object(vm.intern_str(name));
    let keywords = if a[1].is_empty() { Value::object(vm.dict()) } else { a[1] };
    Ok(vm.record(class, [name, vm.tuple(args)?, keywords, Value::EMPTY]))
}

fn call_method<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    static FOUND: Row = Row {
        name: "methodcaller_found",
        catches: false,
        resume: |vm, state, answer| {
            let r = record(state[0]);
            Err(vm.call_kw(answer.value()?, vm.tuple_items(r.b()).to_vec(), r.c()))
        },
    };
    vm.and_then(vm.getattr(a[1], record(a[0]).a()), &FOUND, vec![a[0]])
}

const CLASSES: &[&ClassDef] = &[&ATTRGETTER, &ITEMGETTER, &METHODCALLER];

/// The module.
pub(crate) const MODULE: ModuleDef =
    ModuleDef::source("operator", "operator.ms").with(OPERATORS).more(OTHERS).classes(CLASSES);
