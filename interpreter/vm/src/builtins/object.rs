//! `object`: what every value can do.

use std::cmp::Ordering;

use crate::Vm;
use crate::attr::{Attr, attrs_cell};
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::{BoundMethod, Function, Native};
use crate::object::instance::has_attrs;
use crate::object::map::Dict;
use crate::object::record::{GenericAlias, Member, Module};
use crate::object::text::Str;
use crate::value::Value;

pub(crate) static NEW: NativeDef = NativeDef::new(
    "__new__",
    "cls, /, *args, **kwargs",
    new,
    "Create and return a new object.  See help(type) for accurate signature.",
)
.role(Role::Static);

pub(crate) static INIT: NativeDef = NativeDef::new(
    "__init__",
    "self, /, *args, **kwargs",
    init,
    "Initialize self.  See help(type(self)) for accurate signature.",
);

/// The rows. Those that other code compares with lie in statics of their own.
pub(crate) static TABLES: &[&[NativeDef]] =
    &[std::slice::from_ref(&NEW), std::slice::from_ref(&INIT), METHODS];

static METHODS: &[NativeDef] = &[
    NativeDef::new("__eq__", "self, value, /", eq, "Return self==value."),
    NativeDef::new("__ne__", "self, value, /", ne, "Return self!=value."),
    NativeDef::new("__lt__", "self, value, /", not_ordered, "Return self<value."),
    NativeDef::new("__le__", "self, value, /", not_ordered, "Return self<=value."),
    NativeDef::new("__gt__", "self, value, /", not_ordered, "Return self>value."),
    NativeDef::new("__ge__", "self, value, /", not_ordered, "Return self>=value."),
    NativeDef::new("__hash__", "self, /", hash, "Return hash(self)."),
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
    NativeDef::new("__dir__", "self, /", dir, "Default dir() implementation."),
    NativeDef::new("__sizeof__", "self, /", sizeof, "Size of object in memory, in bytes."),
    NativeDef::new("__reduce_ex__", "self, protocol, /", reduce_ex, "Helper for pickle."),
    NativeDef::new("__reduce__", "self, /", reduce, "Helper for pickle."),
    NativeDef::new("__getstate__", "self, /", getstate, "Helper for pickle."),
    NativeDef::new(
        "__init_subclass__",
        "cls, /, *args, **kwargs",
        init_subclass,
        "This method is called when a class is subclassed.",
    )
    .role(Role::Class),
    NativeDef::new(
        "__subclasshook__",
        "cls, subclass, /",
        subclasshook,
        "Abstract classes can override this to customize issubclass().",
    )
    .role(Role::Class),
    NativeDef::getter("__class__", |vm, a| Ok(vm.class_value_of(a[0])), "the object's class"),
    NativeDef::setter("__class__", set_class),
    NativeDef::getter("__dict__", get_dict, "the attributes of the object"),
    NativeDef::setter("__dict__", set_dict),
];

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = args[0].get::<Class>() else {
        return Err(vm.type_error(format!(
            "object.__new__(X): X is not a type object ({})",
            vm.type_name(args[0])
        )));
    };
    vm.object_new(class, args.len() > 2 || !args[1].is_empty())
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args.len() > 2 || !args[1].is_empty() {
        let class = vm.class_of(args[0]);
        let is_own = |name, def| {
            vm.class_lookup(class, name)
                .and_then(|f| f.get::<Native>())
                .is_some_and(|f| std::ptr::eq(f.def, def))
        };
        if !is_own(vm.names.__init__, &INIT) {
            return Err(vm.type_error(
                "object.__init__() takes exactly one argument (the instance to initialize)",
            ));
        }
        if is_own(vm.names.__new__, &NEW) {
            return Err(vm.type_error(format!(
                "{}.__init__() takes exactly one argument (the instance to initialize)",
                class.name_str()
            )));
        }
    }
    Ok(Value::NONE)
}

fn eq<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(if args[0].is(args[1]) { Value::TRUE } else { Value::NOT_IMPLEMENTED })
}

fn ne<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static NEGATE: Row = Row {
        name: "object_ne",
        catches: false,
        resume: |vm, _, answer| match answer.value()? {
            v if v.is_not_implemented() => Ok(v),
            v => {
                static NOT: Row = Row {
                    name: "object_ne_truth",
                    catches: false,
                    resume: |_, _, answer| answer.value().map(|v| Value::bool(!v.is(Value::TRUE))),
                };
                vm.and_then(vm.truth(v).map(Value::bool), &NOT, vec![])
            }
        },
    };
    match vm.method(args[0], vm.names.__eq__)? {
        Some((f, mut a)) => {
            a.push(args[1]);
            let r = vm.call_leaf(f, &a).unwrap_or_else(|| Err(Exit::tail(f, a)));
            vm.and_then(r, &NEGATE, vec![])
        }
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn not_ordered<'v>(_: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::NOT_IMPLEMENTED)
}

fn hash<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    // The hash of None is CPython's.
    let none = args[0].is_none();
    Ok(vm.int(if none { crate::hash::NONE } else { identity_hash(args[0]) }))
}

/// The hash of an object that is only equal to itself.
pub(crate) fn identity_hash(v: Value<'_>) -> i64 {
    crate::hash::pointer(v.word())
}

impl Vm {
    /// A name argument, interned.
    pub(crate) fn attribute_name<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match v.get::<Str>() {
            Some(s) => Ok(Value::object(self.intern_str(s))),
            None => Err(self
                .type_error(format!("attribute name must be string, not '{}'", self.type_name(v)))),
        }
    }

    /// `__module__` of a class.
    pub(crate) fn class_module<'v>(&'v self, class: &'v Class) -> Option<Value<'v>> {
        let n = self.names.__module__;
        // In a native class it may be the getter of its instances.
        let own = self.class_own(class, self.name_hash(n), n);
        if let Some(v) = own.filter(|v| class.has(class_flags::HEAP) || !v.is_a::<Member>()) {
            return Some(v);
        }
        if class.has(class_flags::HEAP) {
            return None;
        }
        let t = Type::ALL.get(class.native_type.get() as usize)?;
        Some(self.intern(t.module()))
    }

    /// `<class 'module.Name'>`, for messages; of another value its type's name.
    pub(crate) fn class_repr(&self, v: Value<'_>) -> String {
        match v.get::<Class>() {
            Some(c) => format!("<class '{}'>", self.class_label(c)),
            None => self.type_name(v),
        }
    }

    /// The `__dict__` of an object, if it has one.
    pub(crate) fn object_dict<'v>(&'v self, obj: Value<'v>) -> Result<Option<Value<'v>>, Exit<'v>> {
        let Some(h) = obj.header() else { return Ok(None) };
        if let Some(m) = obj.get::<Module>() {
            return Ok(Some(m.dict()));
        }
        if !has_attrs(h)
            && let Some(cell) = attrs_cell(obj)
        {
            return Ok(Some(Value::object(self.attrs_dict(cell))));
        }
        if let Some(m) = obj.get::<BoundMethod>() {
            return self.object_dict(crate::object::read(&m.func));
        }
        let class = self.class_of(obj);
        if !has_attrs(h)
            || class.has(class_flags::NO_DICT)
            || std::ptr::eq(class, self.class(Type::Object))
        {
            return Ok(None);
        }
        let hidden =
            |k: Value<'v>| k.get::<Str>().is_some_and(|s| s.bytes().first() == Some(&SLOT_BYTE));
        let own = self.own_attrs(obj);
        if h.kind() == Kind::Exception || own.iter().any(|(k, _)| hidden(*k)) {
            // Slots and the fields of builtin exceptions do not show: a snapshot.
            let d = self.dict();
            for (k, v) in own {
                if !hidden(k) && !self.is_exception_field(class, k) {
                    self.dict_set_name(d, k, v)?;
                }
            }
            return Ok(Some(Value::object(d)));
        }
        self.to_dict_mode(obj).map(|d| Some(Value::object(d)))
    }

    fn is_exception_field(&self, class: &Class, name: Value<'_>) -> bool {
        class.has(class_flags::EXCEPTION)
            && self.defining_class(class, name.word()).is_some_and(|c| !c.has(class_flags::HEAP))
    }
}

const SLOT_BYTE: u8 = super::newclass::SLOT_PREFIX.as_bytes()[0];

fn getattribute<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    match vm.lookup_attr(args[0], name)? {
        Attr::Value(v) => Ok(v),
        Attr::Method(f) => vm.descriptor_get(f, args[0], vm.class_value_of(args[0])),
        Attr::Missing => Err(vm.no_attribute(args[0], name.word())),
    }
}

fn setattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    if args[0].is_a::<Class>() {
        return Err(vm.type_error(format!(
            "can't apply this __setattr__ to {} object",
            vm.type_name(args[0])
        )));
    }
    vm.none_after(vm.setattr_default(args[0], name, args[2]))
}

fn delattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    if args[0].is_a::<Class>() {
        return Err(vm.type_error(format!(
            "can't apply this __delattr__ to {} object",
            vm.type_name(args[0])
        )));
    }
    vm.none_after(vm.setattr_default(args[0], name, Value::EMPTY))
}

impl Vm {
    /// None as the result of an effect, whatever a call that it needs returns.
    pub fn none_after<'v>(&'v self, r: Result<(), Exit<'v>>) -> NResult<'v> {
        static NONE: Row = Row {
            name: "none_after",
            catches: false,
            resume: |_, _, answer| answer.value().map(|_| Value::NONE),
        };
        self.and_then_effect(r, &NONE, vec![])
    }
}

fn dir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut names = Vec::new();
    vm.attribute_names(args[0], &mut names);
    vm.name_list(names)
}

impl Vm {
    /// Collects the names of the attributes of an object, of its class and of the bases.
    pub(crate) fn attribute_names<'v>(&'v self, obj: Value<'v>, out: &mut Vec<Value<'v>>) {
        let mut of_class = |c: &'v Class| {
            for c in c.mro().iter().filter_map(|c| c.get::<Class>()) {
                let names = self.class_ns(c);
                let names = names.iter().map(|e| self.word_value(e.key));
                // `object` has the getter of `__dict__` for all that have a namespace.
                let dict = self.names.__dict__;
                let all = c.native_type.get() != Type::Object as u16 || c.has(class_flags::HEAP);
                out.extend(names.filter(|n| all || n.word() != dict));
                if c.has(class_flags::HEAP) && !c.has(class_flags::NO_DICT) {
                    out.push(self.word_value(dict));
                }
            }
        };
        match obj.get::<Class>() {
            Some(c) => of_class(c),
            None => of_class(self.class_of(obj)),
        }
        if let Some(m) = obj.get::<BoundMethod>() {
            out.extend(self.own_attrs(crate::object::read(&m.func)).into_iter().map(|(k, _)| k));
        }
        if let Some(alias) = obj.get::<GenericAlias>().filter(|a| !a.origin().is_empty()) {
            self.attribute_names(alias.origin(), out);
        }
        let slot =
            |k: &Value<'v>| k.get::<Str>().is_some_and(|s| s.bytes().first() == Some(&SLOT_BYTE));
        out.extend(self.own_attrs(obj).into_iter().map(|(k, _)| k).filter(|k| !slot(k)));
    }

    /// A sorted list of names without repetitions.
    pub(crate) fn name_list<'v>(&'v self, mut names: Vec<Value<'v>>) -> NResult<'v> {
        let bytes = |v: &Value<'v>| v.get::<Str>().map(|s| s.bytes());
        names.retain(|v| v.is_a::<Str>());
        // Bytes of UTF-8 order as code points do.
        names.sort_by(|a, b| match (bytes(a), bytes(b)) {
            (Some(a), Some(b)) => a.cmp(b),
            _ => Ordering::Equal,
        });
        names.dedup_by(|a, b| bytes(a) == bytes(b));
        self.list(names)
    }
}

fn sizeof<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let size = args[0].header().map_or(24, |h| {
        crate::heap::info(h.kind()).size + crate::object::instance::inline_count(h) * 8
    });
    Ok(Value::len(size))
}

/// The state that copying keeps: the attributes, or None.
fn getstate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let own = vm.own_attrs(args[0]);
    if own.is_empty() {
        return Ok(Value::NONE);
    }
    let (plain, slots) = (vm.dict(), vm.dict());
    let class = vm.class_of(args[0]);
    let names = slot_names(vm, class);
    for (k, v) in own {
        match names.iter().find(|(key, _)| key.is(k)) {
            Some((_, name)) => vm.dict_set_name(slots, *name, v)?,
            None if !vm.is_exception_field(class, k) => vm.dict_set_name(plain, k, v)?,
            None => {}
        }
    }
    let dict = if plain.is_empty() { Value::NONE } else { Value::object(plain) };
    if slots.is_empty() {
        return Ok(dict);
    }
    vm.tuple(&[dict, Value::object(slots)])
}

/// Keys and names of the slots of a class.
fn slot_names<'v>(vm: &'v Vm, class: &'v Class) -> Vec<(Value<'v>, Value<'v>)> {
    let mut out = Vec::new();
    for c in class.mro().iter().filter_map(|c| c.get::<Class>()) {
        for e in vm.class_ns(c).iter() {
            if let Some(m) = vm.word_value(e.value).get::<crate::object::record::Member>()
                && m.get().is_none()
            {
                out.push((m.set(), m.name()));
            }
        }
    }
    out
}

/// What `copy` takes an object apart by, if its class says nothing of its own.
pub static PLAIN_REDUCE: &[NativeDef] =
    &[NativeDef::new("_plain_reduce", "object, /", plain_reduce, "Class, arguments and state.")];

fn reduce<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    full_reduce(vm, args[0], Value::int32(0))
}

/// What CPython's `copyreg` says, which knows the protocols.
fn full_reduce<'v>(vm: &'v Vm, obj: Value<'v>, protocol: Value<'v>) -> NResult<'v> {
    match obj.is_a::<crate::object::exc::Exception>() {
        true => plain_reduce(vm, &[obj]),
        false => Err(vm.prelude_tail("class", "reduce_object", &[obj, protocol])),
    }
}

/// By the class's own `__reduce__`, if it has one.
fn reduce_ex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if vm.as_index_i64(args[1]).is_none() {
        return Err(vm.not_an_integer(args[1]));
    }
    let of = |class| vm.class_lookup(class, vm.names.__reduce__);
    let own = of(vm.class_of(args[0]));
    match own {
        Some(own) if !of(vm.class(Type::Object)).is_some_and(|plain| plain.is(own)) => {
            match vm.method(args[0], vm.names.__reduce__)? {
                Some((f, args)) => Err(Exit::tail(f, args)),
                None => full_reduce(vm, args[0], args[1]),
            }
        }
        _ => full_reduce(vm, args[0], args[1]),
    }
}

/// `(copyreg.__newobj__, (cls,), state)`, with the class's `__new__` in place of the helper.
fn plain_reduce<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_of(args[0]);
    if class.layout.get() != Kind::Instance && class.layout.get() != Kind::Exception {
        return Err(vm.type_error(format!("cannot pickle '{}' object", class.name_str())));
    }
    let me = Value::object(class);
    let state = getstate(vm, args)?;
    if let Some(e) = args[0].get::<crate::object::exc::Exception>() {
        return vm.tuple(&[me, crate::object::read(&e.args), state]);
    }
    let new = vm.native(&NEW, vm.class_value(Type::Object));
    vm.tuple(&[new, vm.tuple(&[me])?, state])
}

fn init_subclass<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = args[0].get::<Class>().map_or("?".into(), |c| c.name_str());
    if args[1].get::<Dict>().is_some_and(|d| !d.is_empty()) {
        return Err(vm.type_error(format!("{name}.__init_subclass__() takes no keyword arguments")));
    }
    if args.len() > 2 {
        return Err(vm.type_error(format!(
            "{name}.__init_subclass__() takes no arguments ({} given)",
            args.len() - 2
        )));
    }
    Ok(Value::NONE)
}

fn subclasshook<'v>(_: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::NOT_IMPLEMENTED)
}

fn set_class<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (obj, class) = (args[0], args[1]);
    if class.is_empty() {
        return Err(vm.type_error("can't delete __class__ attribute"));
    }
    let Some(new) = class.get::<Class>() else {
        return Err(vm.type_error(format!(
            "__class__ must be set to a class, not '{}' object",
            vm.type_name(class)
        )));
    };
    let old = vm.class_of(obj);
    let Some(h) = obj.header() else { return Err(not_mutable(vm)) };
    if !old.has(class_flags::HEAP) || !new.has(class_flags::HEAP) {
        return Err(not_mutable(vm));
    }
    let slots = |c: &'v Class| slot_names(vm, c).iter().map(|(_, n)| n.word()).collect::<Vec<_>>();
    if new.layout.get() != old.layout.get()
        || new.native_type.get() != old.native_type.get()
        || new.has(class_flags::NO_DICT) != old.has(class_flags::NO_DICT)
        || slots(old) != slots(new)
        || h.kind() == Kind::Class
    {
        return Err(vm.type_error(format!(
            "__class__ assignment: '{}' object layout differs from '{}'",
            new.name_str(),
            old.name_str()
        )));
    }
    let shape = vm.shapes.get(h.shape.get());
    if shape.dict_mode {
        h.shape.set(vm.dict_shape(new));
    } else {
        match vm.shapes.with_names(new.root_shape.get(), shape.names()) {
            Some(s) => h.shape.set(s),
            None => {
                vm.to_dict_mode(obj)?;
                h.shape.set(vm.dict_shape(new));
            }
        }
    }
    Ok(Value::NONE)
}

fn not_mutable(vm: &Vm) -> Exit<'_> {
    vm.type_error("__class__ assignment only supported for mutable types or ModuleType subclasses")
}

fn get_dict<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match vm.object_dict(args[0])? {
        Some(d) => Ok(d),
        None => Err(vm.no_attribute(args[0], vm.names.__dict__)),
    }
}

fn set_dict<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (obj, mut v) = (args[0], args[1]);
    if v.is_empty() {
        if obj.kind() != Some(Kind::Instance) {
            return Err(vm.type_error("cannot delete __dict__"));
        }
        // The next look finds a new one.
        v = Value::object(vm.dict());
    }
    if !v.is_a::<Dict>() {
        return Err(vm.type_error(format!(
            "__dict__ must be set to a dictionary, not a '{}'",
            vm.type_name(v)
        )));
    }
    if let Some(f) = obj.get::<Function>() {
        f.attrs.set(v.word());
        return Ok(Value::NONE);
    }
    let Some(h) = obj.header().filter(|h| has_attrs(h)) else {
        return Err(vm.no_attribute(obj, vm.names.__dict__));
    };
    vm.to_dict_mode(obj)?;
    crate::object::instance::more_of(h).set(v.word());
    Ok(Value::NONE)
}
