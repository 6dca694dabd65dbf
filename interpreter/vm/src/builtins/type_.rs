//! `type`: calling classes, their attributes, and what `isinstance` asks them.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::{Class, class_flags};
use crate::object::read;
use crate::object::record::{GenericAlias, MappingProxy, Member};
use crate::object::text::Str;
use crate::value::{Value, Word};

pub(crate) static NEW: NativeDef =
    NativeDef::new("__new__", "cls, /, *args, **kwds", new, "Create and return a new object.")
        .role(Role::Static);

pub(crate) static INSTANCECHECK: NativeDef = NativeDef::new(
    "__instancecheck__",
    "self, instance, /",
    instancecheck,
    "Check if an object is an instance.",
);

pub(crate) static SUBCLASSCHECK: NativeDef = NativeDef::new(
    "__subclasscheck__",
    "self, subclass, /",
    subclasscheck,
    "Check if a class is a subclass.",
);

/// The rows. Those that other code compares with lie in statics of their own.
pub(crate) static TABLES: &[&[NativeDef]] = &[
    std::slice::from_ref(&NEW),
    std::slice::from_ref(&INSTANCECHECK),
    std::slice::from_ref(&SUBCLASSCHECK),
    METHODS,
];

static METHODS: &[NativeDef] = &[
    NativeDef::new("__init__", "self, /, *args, **kwds", init, "Initialize self."),
    NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
    NativeDef::new(
        "__getattribute__",
        "self, name, /",
        getattribute,
        "Return getattr(self, name).",
    ),
    NativeDef::new(
        "__setattr__",
        "self, name, value, /",
        setattr,
        "Implement setattr(self, name, value).",
    ),
    NativeDef::new("__delattr__", "self, name, /", delattr, "Implement delattr(self, name)."),
    NativeDef::new("__dir__", "self, /", dir, "Specialized __dir__ implementation for types."),
    NativeDef::new("__or__", "self, value, /", or, "Return self|value."),
    NativeDef::new("__ror__", "self, value, /", ror, "Return value|self."),
    NativeDef::new("mro", "self, /", mro, "Return a type's method resolution order."),
    NativeDef::new(
        "__subclasses__",
        "self, /",
        subclasses,
        "Return a list of immediate subclasses.",
    ),
    NativeDef::new(
        "__prepare__",
        "cls, /, *args, **kwds",
        prepare,
        "Used for the class statement.",
    )
    .role(Role::Class),
    NativeDef::getter(
        "__name__",
        |_, a| Ok(class(a[0]).map_or(Value::NONE, |c| read(&c.name))),
        "the name",
    ),
    NativeDef::setter("__name__", |vm, a| set_text(vm, a, "__name__")),
    NativeDef::getter(
        "__qualname__",
        |_, a| Ok(class(a[0]).map_or(Value::NONE, |c| read(&c.qualname))),
        "the qualified name",
    ),
    NativeDef::setter("__qualname__", |vm, a| set_text(vm, a, "__qualname__")),
    NativeDef::getter(
        "__bases__",
        |_, a| Ok(class(a[0]).map_or(Value::NONE, |c| read(&c.bases))),
        "the bases",
    ),
    NativeDef::setter("__bases__", set_bases),
    NativeDef::getter("__base__", base, "the base that settles the layout"),
    NativeDef::getter(
        "__mro__",
        |_, a| Ok(class(a[0]).map_or(Value::NONE, |c| read(&c.mro))),
        "the method resolution order",
    ),
    NativeDef::getter("__module__", module, "the module"),
    NativeDef::setter("__module__", |vm, a| store(vm, a, vm.names.__module__)),
    NativeDef::getter("__doc__", doc, "the docstring"),
    NativeDef::setter("__doc__", set_doc),
    NativeDef::getter("__dict__", dict, "the namespace"),
    NativeDef::getter("__annotations__", annotations, "the annotations"),
    NativeDef::setter("__annotations__", |vm, a| store(vm, a, vm.names.__annotations__)),
    NativeDef::getter("__type_params__", type_params, "the type parameters"),
    NativeDef::setter("__type_params__", |vm, a| store(vm, a, vm.names.__type_params__)),
    NativeDef::getter("__abstractmethods__", abstractmethods, "the abstract methods"),
    NativeDef::setter("__abstractmethods__", set_abstractmethods),
];

/// The argument as a class; the receiver check has seen to it.
fn class<'v>(v: Value<'v>) -> Option<&'v Class> {
    v.get::<Class>()
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(meta) = args[0].get::<Class>() else {
        return Err(vm.type_error(format!(
            "type.__new__(X): X is not a type object ({})",
            vm.type_name(args[0])
        )));
    };
    if !meta.is_subclass(vm.class(Type::Type)) {
        return Err(vm.type_error(format!(
            "type.__new__({0}): {0} is not a subtype of type",
            meta.name_str()
        )));
    }
    let [name, bases, ns] = args[2..] else {
        let n = args.len() - 2;
        return Err(vm.type_error(format!("type.__new__() takes exactly 3 arguments ({n} given)")));
    };
    if !bases.is_a::<crate::object::seq::Tuple>() {
        return Err(vm.type_error(format!(
            "type.__new__() argument 2 must be tuple, not {}",
            vm.type_name(bases)
        )));
    }
    vm.type_new(meta, name, bases, ns, args[1])
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args.len() - 2 {
        1 if !args[1].is_empty() => {
            Err(vm.type_error("type.__init__() takes no keyword arguments"))
        }
        1 | 3 => Ok(Value::NONE),
        _ => Err(vm.type_error("type.__init__() takes 1 or 3 arguments")),
    }
}

fn call<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    let mut rest = args[2..].to_vec();
    let kwnames = vm.split_keywords(args[1], &mut rest)?;
    vm.construct(c, rest, kwnames)
}

fn getattribute<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    use crate::attr::Attr;
    let name = vm.attribute_name(args[1])?;
    match vm.lookup_attr(args[0], name)? {
        Attr::Value(v) => Ok(v),
        Attr::Method(f) => vm.descriptor_get(f, args[0], vm.class_value_of(args[0])),
        Attr::Missing => Err(vm.no_attribute(args[0], name.word())),
    }
}

fn setattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    vm.none_after(vm.setattr_default(args[0], name, args[2]))
}

fn delattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    vm.none_after(vm.setattr_default(args[0], name, Value::EMPTY))
}

fn dir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut names = Vec::new();
    vm.attribute_names(args[0], &mut names);
    vm.name_list(names)
}

fn or<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.type_union(args[0], args[1])
}

fn ror<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.type_union(args[1], args[0])
}

fn mro<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match class(args[0]) {
        Some(c) => vm.list(vm.linearize(c, c.bases())?),
        None => Ok(Value::NONE),
    }
}

fn subclasses<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let list = class(args[0]).map_or_else(Vec::new, |c| {
        c.subclasses.borrow().iter().map(|&w| vm.word_value(w)).collect()
    });
    vm.list(list)
}

fn prepare<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::object(vm.dict()))
}

fn instancecheck<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::FALSE) };
    Ok(Value::bool(vm.class_of(args[1]).is_subclass(c)))
}

fn subclasscheck<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match (class(args[0]), class(args[1])) {
        (Some(c), Some(sub)) => Ok(Value::bool(sub.is_subclass(c))),
        _ => Err(vm.type_error("issubclass() arg 1 must be a class")),
    }
}

/// A change to a class that scripts made; `Err` for others.
fn check_mutable<'v>(vm: &'v Vm, c: &Class, name: &str) -> Result<(), crate::native::Exit<'v>> {
    if c.has(class_flags::HEAP) {
        return Ok(());
    }
    Err(vm.type_error(format!(
        "cannot set '{name}' attribute of immutable type '{}'",
        vm.full_type_name(c)
    )))
}

fn set_text<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    check_mutable(vm, c, name)?;
    let shown = c.name_str();
    if args[1].is_empty() {
        let text = format!("cannot delete '{name}' attribute of immutable type '{shown}'");
        return Err(vm.type_error(text));
    }
    let Some(s) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "can only assign string to {shown}.{name}, not '{}'",
            vm.type_name(args[1])
        )));
    };
    let cell = if name == "__name__" { &c.name } else { &c.qualname };
    if name == "__name__" && s.bytes().contains(&0) {
        return Err(vm.value_error("type name must not contain null characters"));
    }
    cell.set(Value::object(s).word());
    Ok(Value::NONE)
}

fn set_bases<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    check_mutable(vm, c, "__bases__")?;
    if args[1].is_empty() {
        let name = c.name_str();
        return Err(vm.type_error(format!("cannot delete '__bases__' attribute of type '{name}'")));
    }
    vm.set_bases(c, args[1])
}

fn store<'v>(vm: &'v Vm, args: &[Value<'v>], name: Word) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    let key = vm.word_value(name);
    check_mutable(vm, c, &key.get::<Str>().map_or("?".into(), |s| s.to_display()))?;
    vm.class_set(c, key, args[1])?;
    Ok(Value::NONE)
}

fn set_doc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(c) = class(args[0]).filter(|c| args[1].is_empty() && c.has(class_flags::HEAP)) {
        // The words are CPython's: it lets this text of no class be deleted.
        return Err(vm.type_error(format!(
            "cannot delete '__doc__' attribute of immutable type '{}'",
            c.name_str()
        )));
    }
    store(vm, args, vm.names.__doc__)
}

fn own<'v>(vm: &'v Vm, c: &'v Class, name: Word) -> Option<Value<'v>> {
    vm.class_own(c, vm.name_hash(name), name)
}

fn base<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bases = class(args[0]).map_or(&[][..], |c| c.bases());
    match bases {
        [] => Ok(Value::NONE),
        [one] => Ok(*one),
        more => vm.best_base(more).map(Value::object),
    }
}

fn module<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    class(args[0])
        .and_then(|c| vm.class_module(c))
        .ok_or_else(|| vm.no_attribute(args[0], vm.names.__module__))
}

fn doc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let v = class(args[0]).and_then(|c| own(vm, c, vm.names.__doc__));
    match v {
        Some(v) => vm.descriptor_get(v, Value::EMPTY, args[0]),
        None => Ok(Value::NONE),
    }
}

fn dict<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::object(vm.heap.alloc(
        MappingProxy::new(Type::MappingProxy.shape(), args[0]),
        0,
        false,
    )))
}

fn annotations<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    let found = own(vm, c, vm.names.__annotations__);
    if let Some(v) = found.filter(|v| c.has(class_flags::HEAP) || !v.is_a::<Member>()) {
        return Ok(v);
    }
    if !c.has(class_flags::HEAP) {
        return Err(vm.no_attribute(args[0], vm.names.__annotations__));
    }
    let d = Value::object(vm.dict());
    vm.class_set(c, vm.word_value(vm.names.__annotations__), d)?;
    Ok(d)
}

fn type_params<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let v = class(args[0]).and_then(|c| own(vm, c, vm.names.__type_params__));
    Ok(v.unwrap_or_else(|| vm.empty_tuple()))
}

fn abstractmethods<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    class(args[0])
        // In `type` itself it is this very getter.
        .filter(|c| !std::ptr::eq(*c, vm.class(Type::Type)))
        .and_then(|c| own(vm, c, vm.names.__abstractmethods__))
        .ok_or_else(|| vm.no_attribute(args[0], vm.names.__abstractmethods__))
}

fn set_abstractmethods<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(c) = class(args[0]) else { return Ok(Value::NONE) };
    check_mutable(vm, c, "__abstractmethods__")?;
    if args[1].is_empty() {
        abstractmethods(vm, args)?;
    }
    vm.class_set(c, vm.word_value(vm.names.__abstractmethods__), args[1])?;
    let any = !args[1].is_empty() && vm.plain_items(args[1]).is_some_and(|i| !i.is_empty());
    let flags = c.flags.get() & !class_flags::ABSTRACT;
    c.flags.set(flags | if any { class_flags::ABSTRACT } else { 0 });
    Ok(Value::NONE)
}

impl Vm {
    /// Adds a member to those of a union, if it is not there.
    fn add_member<'v>(&'v self, parts: &mut Vec<Value<'v>>, v: Value<'v>) -> Result<(), Exit<'v>> {
        for other in &*parts {
            if self.same_alias(*other, v, 0)? {
                return Ok(());
            }
        }
        parts.push(v);
        Ok(())
    }

    /// `a | b` of types: a union, or NotImplemented.
    pub(crate) fn type_union<'v>(&'v self, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let mut parts: Vec<Value<'v>> = Vec::new();
        for v in [a, b] {
            let is_union = self.exact_type(v) == Some(Type::Union);
            if let Some(u) = v.get::<GenericAlias>().filter(|_| is_union) {
                for p in self.tuple_items(u.args()) {
                    self.add_member(&mut parts, *p)?;
                }
                continue;
            }
            let part = if v.is_none() { self.class_value(Type::NoneType) } else { v };
            let fits = part.is_a::<Class>()
                || part.is_a::<GenericAlias>()
                || self.exact_type(part) == Some(Type::TypeAlias);
            if !fits {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            self.add_member(&mut parts, part)?;
        }
        if let [one] = parts[..] {
            return Ok(one);
        }
        let args = self.tuple(&parts)?;
        Ok(self.alloc_with_attrs(
            GenericAlias::new(Type::Union.shape(), Value::EMPTY, args, Value::FALSE),
            0,
            false,
        ))
    }
}
