//! `property`, `staticmethod` and `classmethod`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::func::Function;
use crate::object::read;
use crate::object::record::{ClassMethod, Property, StaticMethod};
use crate::value::Value;

/// Rows of `property`.
pub(crate) static PROPERTY: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new_property, "").role(Role::Static),
    NativeDef::new(
        "__init__",
        "self, fget=None, fset=None, fdel=None, doc=None",
        init_property,
        "Initialize self.",
    ),
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::new(
        "__set__",
        "self, instance, value, /",
        set,
        "Set an attribute of instance to value.",
    ),
    NativeDef::new("__delete__", "self, instance, /", delete, "Delete an attribute of instance."),
    NativeDef::new("__set_name__", "self, /, *args", set_name, "Method to set name of a property."),
    NativeDef::new(
        "getter",
        "self, fget, /",
        |vm, a| copy(vm, a[0], 0, a[1]),
        "Descriptor to obtain a copy of the property with a different getter.",
    ),
    NativeDef::new(
        "setter",
        "self, fset, /",
        |vm, a| copy(vm, a[0], 1, a[1]),
        "Descriptor to obtain a copy of the property with a different setter.",
    ),
    NativeDef::new(
        "deleter",
        "self, fdel, /",
        |vm, a| copy(vm, a[0], 2, a[1]),
        "Descriptor to obtain a copy of the property with a different deleter.",
    ),
    NativeDef::getter("fget", |_, a| Ok(property(a[0]).map_or(Value::NONE, |p| p.fget())), ""),
    NativeDef::setter("fget", read_only),
    NativeDef::getter("fset", |_, a| Ok(property(a[0]).map_or(Value::NONE, |p| p.fset())), ""),
    NativeDef::setter("fset", read_only),
    NativeDef::getter("fdel", |_, a| Ok(property(a[0]).map_or(Value::NONE, |p| p.fdel())), ""),
    NativeDef::setter("fdel", read_only),
    NativeDef::getter("__doc__", |_, a| Ok(property(a[0]).map_or(Value::NONE, |p| p.doc())), ""),
    NativeDef::setter("__doc__", set_doc),
    NativeDef::getter("__isabstractmethod__", is_abstract_property, ""),
]];

/// Rows of `staticmethod`.
pub(crate) static STATIC: &[&[NativeDef]] = &[
    &[
        NativeDef::new("__new__", "cls, /, *args, **kwargs", new_static, "").role(Role::Static),
        NativeDef::new("__init__", "self, function, /", init_wrapper, "Initialize self."),
        NativeDef::new(
            "__call__",
            "self, /, *args, **kwargs",
            call_static,
            "Call self as a function.",
        ),
    ],
    WRAPPER,
];

/// Rows of `classmethod`.
pub(crate) static CLASS: &[&[NativeDef]] = &[
    &[
        NativeDef::new("__new__", "cls, /, *args, **kwargs", new_class, "").role(Role::Static),
        NativeDef::new("__init__", "self, function, /", init_wrapper, "Initialize self."),
    ],
    WRAPPER,
];

static WRAPPER: &[NativeDef] = &[
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::getter("__func__", |_, a| Ok(wrapped(a[0])), ""),
    NativeDef::getter("__wrapped__", |_, a| Ok(wrapped(a[0])), ""),
    NativeDef::getter(
        "__name__",
        |vm, a| vm.getattr(wrapped(a[0]), vm.word_value(vm.names.__name__)),
        "",
    ),
    NativeDef::getter(
        "__qualname__",
        |vm, a| vm.getattr(wrapped(a[0]), vm.word_value(vm.names.__qualname__)),
        "",
    ),
    NativeDef::getter(
        "__doc__",
        |vm, a| vm.getattr(wrapped(a[0]), vm.word_value(vm.names.__doc__)),
        "",
    ),
    NativeDef::getter(
        "__module__",
        |vm, a| vm.getattr(wrapped(a[0]), vm.word_value(vm.names.__module__)),
        "",
    ),
    NativeDef::getter(
        "__annotations__",
        |vm, a| vm.getattr(wrapped(a[0]), vm.word_value(vm.names.__annotations__)),
        "",
    ),
    NativeDef::getter(
        "__isabstractmethod__",
        |vm, a| Ok(Value::bool(vm.is_abstract(wrapped(a[0])))),
        "",
    ),
];

fn property<'v>(v: Value<'v>) -> Option<&'v Property> {
    v.get::<Property>()
}

fn wrapped<'v>(v: Value<'v>) -> Value<'v> {
    match (v.get::<StaticMethod>(), v.get::<ClassMethod>()) {
        (Some(s), _) => s.func(),
        (_, Some(c)) => c.func(),
        _ => Value::NONE,
    }
}

impl Vm {
    /// Whether a function or descriptor is marked abstract.
    pub(crate) fn is_abstract(&self, v: Value<'_>) -> bool {
        let name = self.word_value(self.names.__isabstractmethod__);
        if let Some(p) = v.get::<Property>() {
            return [p.fget(), p.fset(), p.fdel()].iter().any(|f| self.is_abstract(*f));
        }
        if v.is_a::<StaticMethod>() || v.is_a::<ClassMethod>() {
            return self.is_abstract(wrapped(v));
        }
        self.get_attr_raw(v, name).is_some_and(|v| matches!(self.truth(v), Ok(true)))
    }
}

fn is_abstract_property<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(vm.is_abstract(args[0])))
}

fn new_property<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::Property)?;
    let n = Value::NONE;
    Ok(vm.alloc_with_attrs(Property::new(shape, n, n, n, n, Value::EMPTY), 0, false))
}

fn given(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn init_property<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(p) = property(args[0]) else { return Ok(Value::NONE) };
    p.fget.set(given(args[1]).word());
    p.fset.set(given(args[2]).word());
    p.fdel.set(given(args[3]).word());
    let own = given(args[4]);
    let doc = match args[1].get::<Function>() {
        Some(f) if own.is_none() => vm.function_doc(f),
        _ => own,
    };
    p.doc.set(doc.word());
    if vm.exact_type(args[0]) == Some(Type::Property) {
        return Ok(Value::NONE);
    }
    // The class's own docstring would hide the one in the property: it becomes an attribute. That
    // there is no place for one matters only if it came from the getter, as in CPython.
    let stored = vm.none_after(vm.setattr(args[0], vm.word_value(vm.names.__doc__), doc));
    if own.is_none() && !doc.is_none() {
        return stored;
    }
    vm.or_default(stored, Type::AttributeError, Value::NONE)
}

fn copy<'v>(vm: &'v Vm, me: Value<'v>, at: usize, f: Value<'v>) -> NResult<'v> {
    let Some(p) = property(me) else { return Ok(Value::NONE) };
    let mut parts = [p.fget(), p.fset(), p.fdel()];
    // The docstring follows a new getter if it came from the old one.
    let from_getter = p.fget().get::<Function>().is_some_and(|g| vm.function_doc(g).is(p.doc()));
    parts[at] = f;
    let doc = match parts[0].get::<Function>() {
        Some(g) if from_getter || p.doc().is_none() => vm.function_doc(g),
        _ => p.doc(),
    };
    if vm.exact_type(me) != Some(Type::Property) {
        let doc = match at == 0 && from_getter && !p.doc().is_none() {
            true => Value::NONE,
            false => vm.get_attr_raw(me, vm.word_value(vm.names.__doc__)).unwrap_or(doc),
        };
        return Err(Exit::tail(vm.class_value_of(me), vec![parts[0], parts[1], parts[2], doc]));
    }
    Ok(Value::object(vm.heap.alloc(
        Property::new(Type::Property.shape(), parts[0], parts[1], parts[2], doc, read(&p.name)),
        0,
        false,
    )))
}

/// `__get__` of all three kinds.
fn get<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let class =
        if args[2].is_empty() || args[2].is_none() { vm.class_value_of(args[1]) } else { args[2] };
    vm.builtin_get(args[0], args[1], class)
}

fn set<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    store(vm, args[0], args[1], Some(args[2]))
}

fn delete<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    store(vm, args[0], args[1], None)
}

fn store<'v>(vm: &'v Vm, me: Value<'v>, obj: Value<'v>, v: Option<Value<'v>>) -> NResult<'v> {
    let Some(p) = property(me) else { return Ok(Value::NONE) };
    let (f, what) = match v {
        Some(_) => (p.fset(), "setter"),
        None => (p.fdel(), "deleter"),
    };
    if f.is_none() {
        return Err(vm.property_error(p, obj, what));
    }
    let args = std::iter::once(obj).chain(v).collect();
    vm.none_after(Err(Exit::tail(f, args)))
}

fn set_name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args.len() != 3 {
        return Err(vm.type_error(format!(
            "__set_name__() takes 2 positional arguments but {} were given",
            args.len() - 1
        )));
    }
    if let Some(p) = property(args[0]) {
        p.name.set(args[2].word());
    }
    Ok(Value::NONE)
}

fn read_only<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Err(vm.err(Type::AttributeError, "readonly attribute"))
}

fn set_doc<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(p) = property(args[0]) {
        p.doc.set(given(args[1]).word());
    }
    Ok(Value::NONE)
}

fn one_argument<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    match args {
        [f] => Ok(*f),
        _ => Err(vm.type_error(format!("{name} expected 1 argument, got {}", args.len()))),
    }
}

fn new_static<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::StaticMethod)?;
    let f = if shape == Type::StaticMethod.shape() {
        one_argument(vm, &args[2..], "staticmethod")?
    } else {
        args.get(2).copied().unwrap_or(Value::NONE)
    };
    Ok(vm.alloc_with_attrs(StaticMethod::new(shape, f, Value::EMPTY), 0, false))
}

fn new_class<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::ClassMethod)?;
    let f = if shape == Type::ClassMethod.shape() {
        one_argument(vm, &args[2..], "classmethod")?
    } else {
        args.get(2).copied().unwrap_or(Value::NONE)
    };
    Ok(vm.alloc_with_attrs(ClassMethod::new(shape, f, Value::EMPTY), 0, false))
}

fn init_wrapper<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(s) = args[0].get::<StaticMethod>() {
        s.func.set(args[1].word());
    }
    if let Some(c) = args[0].get::<ClassMethod>() {
        c.func.set(args[1].word());
    }
    Ok(Value::NONE)
}

fn call_static<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Err(vm.call_kw(wrapped(args[0]), args[2..].to_vec(), args[1]))
}
