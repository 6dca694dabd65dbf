//! `partial`: a record of the function, its first arguments (a tuple), and keywords (a dict).

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Record;
use miniscript_vm::{Value, Vm};

use crate::class::{ClassDef, generic};

pub(super) static PARTIAL: ClassDef = ClassDef::open(
    "functools",
    "partial",
    "Create a new function with partial application of the given arguments and keywords.",
    &[
        NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
        NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
        NativeDef::new("__class_getitem__", "type, item, /", generic, "See PEP 585")
            .role(Role::Class),
        NativeDef::getter(
            "func",
            |_, a| Ok(partial(a[0]).a()),
            "function object to use in future partial calls",
        ),
        NativeDef::getter(
            "args",
            |_, a| Ok(partial(a[0]).b()),
            "tuple of arguments to future partial calls",
        ),
        NativeDef::getter(
            "keywords",
            |_, a| Ok(partial(a[0]).c()),
            "dictionary of keyword arguments to future partial calls",
        ),
    ],
)
.layout(Kind::Record)
.with_dict();

/// For `__setstate__` in the source: replaces everything.
pub(super) const SET: NativeDef =
    NativeDef::new("_partial_set", "partial, func, args, keywords, /", set, "");

fn partial<'v>(v: Value<'v>) -> &'v Record {
    v.get::<Record>().expect("the receiver was checked")
}

/// Arguments: the class, keywords or Empty, the function and its arguments.
fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let own = PARTIAL.of(vm)?;
    let class = vm.class_for_new(a[0], own)?;
    let Some(&func) = a.get(2) else {
        return Err(vm.type_error("type 'partial' takes at least one argument"));
    };
    if !vm.is_callable(func) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    // A partial of a partial is one of the function.
    let inner = func
        .get::<Record>()
        .filter(|_| vm.class_of(func).is_subclass(own) && vm.own_attrs(func).is_empty());
    let (func, mut args, known) = match inner {
        Some(p) => (p.a(), vm.tuple_items(p.b()).to_vec(), p.c()),
        None => (func, Vec::new(), Value::EMPTY),
    };
    args.extend_from_slice(&a[3..]);
    let keywords = Value::object(vm.dict());
    for kw in [known, a[1]] {
        if !kw.is_empty() {
            vm.dict_merge(keywords, kw)?;
        }
    }
    Ok(vm.record(class, [func, vm.tuple(&args)?, keywords, Value::EMPTY]))
}

fn call<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let p = partial(a[0]);
    let mut args = vm.tuple_items(p.b()).to_vec();
    args.extend_from_slice(&a[2..]);
    let known = p.c().get::<Dict>().is_some_and(|d| !d.is_empty());
    if a[1].is_empty() && !known {
        return vm.call_leaf(p.a(), &args).unwrap_or_else(|| Err(Exit::tail(p.a(), args)));
    }
    if a[1].is_empty() || !known {
        let keywords = if known { p.c() } else { a[1] };
        return Err(vm.call_kw(p.a(), args, keywords));
    }
    let all = Value::object(vm.dict());
    vm.dict_merge(all, p.c())?;
    vm.dict_merge(all, a[1])?;
    Err(vm.call_kw(p.a(), args, all))
}

fn set<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some(p) = a[0].get::<Record>() {
        p.a.set(a[1].word());
        p.b.set(a[2].word());
        p.c.set(a[3].word());
    }
    Ok(Value::NONE)
}
