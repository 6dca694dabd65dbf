//! Functions, natives, bound methods, code objects and cells: their attributes.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::Vm;
use crate::builtins::Type;
use crate::native::{NResult, NativeDef, Role};
use crate::object::class::Class;
use crate::object::func::{BoundMethod, CellObj, Code, Function, Native};
use crate::object::map::Dict;
use crate::object::read;
use crate::object::record::Member;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::{EMPTY, Value};

/// Rows of functions.
pub(crate) static FUNCTION: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
    NativeDef::getter("__name__", |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| read(&f.name))), ""),
    NativeDef::setter("__name__", |vm, a| set_text(vm, a, "__name__")),
    NativeDef::getter(
        "__qualname__",
        |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| read(&f.qualname))),
        "",
    ),
    NativeDef::setter("__qualname__", |vm, a| set_text(vm, a, "__qualname__")),
    NativeDef::getter(
        "__doc__",
        |vm, a| Ok(func(a[0]).map_or(Value::NONE, |f| vm.function_doc(f))),
        "",
    ),
    NativeDef::setter("__doc__", |vm, a| set_attr(vm, a, vm.names.__doc__)),
    NativeDef::getter("__module__", module, ""),
    NativeDef::setter("__module__", |vm, a| set_attr(vm, a, vm.names.__module__)),
    NativeDef::getter("__type_params__", type_params, ""),
    NativeDef::setter("__type_params__", |vm, a| match a[1].is_a::<Tuple>() {
        true => set_attr(vm, a, vm.names.__type_params__),
        false => Err(vm.type_error("__type_params__ must be set to a tuple")),
    }),
    NativeDef::getter(
        "__defaults__",
        |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| shown(read(&f.defaults)))),
        "",
    ),
    NativeDef::setter("__defaults__", set_defaults),
    NativeDef::getter(
        "__kwdefaults__",
        |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| shown(read(&f.kwdefaults)))),
        "",
    ),
    NativeDef::setter("__kwdefaults__", set_kwdefaults),
    NativeDef::getter("__annotations__", annotations, ""),
    NativeDef::setter("__annotations__", set_annotations),
    NativeDef::getter("__code__", |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| read(&f.code))), ""),
    NativeDef::getter(
        "__globals__",
        |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| read(&f.globals))),
        "",
    ),
    NativeDef::getter(
        "__closure__",
        |_, a| Ok(func(a[0]).map_or(Value::NONE, |f| shown(read(&f.closure)))),
        "",
    ),
    NativeDef::getter("__builtins__", |vm, _| Ok(Value::object(vm.builtins())), ""),
]];

/// Rows of natives of every class.
pub(crate) static NATIVE: &[&[NativeDef]] = &[&[
    NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::new("__eq__", "self, value, /", native_eq, "Return self==value."),
    NativeDef::new("__hash__", "self, /", native_hash, "Return hash(self)."),
    NativeDef::getter(
        "__name__",
        |vm, a| Ok(native(a[0]).map_or(Value::NONE, |n| vm.intern(n.def.name))),
        "",
    ),
    NativeDef::getter("__qualname__", native_qualname, ""),
    NativeDef::getter("__doc__", native_doc, ""),
    NativeDef::getter("__self__", native_self, ""),
    NativeDef::getter("__module__", native_module, ""),
    NativeDef::getter("__objclass__", native_owner, ""),
    NativeDef::getter("__text_signature__", native_signature, ""),
]];

/// Rows of bound methods.
pub(crate) static METHOD: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, function, instance, /", new_method, "").role(Role::Static),
    NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        |_, a| Ok(a[0]),
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::new("__eq__", "self, value, /", method_eq, "Return self==value."),
    NativeDef::new("__hash__", "self, /", method_hash, "Return hash(self)."),
    NativeDef::getter(
        "__self__",
        |_, a| Ok(method(a[0]).map_or(Value::NONE, |m| read(&m.receiver))),
        "the instance to which a method is bound",
    ),
    NativeDef::getter(
        "__func__",
        |_, a| Ok(method(a[0]).map_or(Value::NONE, |m| read(&m.func))),
        "the function (or other callable) implementing a method",
    ),
    NativeDef::getter(
        "__doc__",
        |vm, a| {
            vm.getattr(
                method(a[0]).map_or(Value::NONE, |m| read(&m.func)),
                vm.word_value(vm.names.__doc__),
            )
        },
        "",
    ),
]];

/// Rows of code objects.
pub(crate) static CODE: &[&[NativeDef]] = &[&[
    NativeDef::getter("co_name", |vm, a| with(a[0], |c| vm.str(&c.proto.name)), ""),
    NativeDef::getter("co_qualname", |vm, a| with(a[0], |c| vm.str(&c.proto.qualname)), ""),
    NativeDef::getter(
        "co_filename",
        |vm, a| with(a[0], |c| vm.str(c.proto.source.as_ref().map_or("", |s| &s.filename))),
        "",
    ),
    NativeDef::getter(
        "co_firstlineno",
        |_, a| with(a[0], |c| Ok(Value::len(c.proto.first_line as usize))),
        "",
    ),
    NativeDef::getter(
        "co_argcount",
        |_, a| with(a[0], |c| Ok(Value::len(c.proto.arg_count as usize))),
        "",
    ),
    NativeDef::getter(
        "co_posonlyargcount",
        |_, a| with(a[0], |c| Ok(Value::len(c.proto.posonly_count as usize))),
        "",
    ),
    NativeDef::getter(
        "co_kwonlyargcount",
        |_, a| with(a[0], |c| Ok(Value::len(c.proto.kwonly_count as usize))),
        "",
    ),
    NativeDef::getter(
        "co_nlocals",
        |_, a| with(a[0], |c| Ok(Value::len(c.proto.locals.len()))),
        "",
    ),
    NativeDef::getter("co_flags", |_, a| with(a[0], |c| Ok(Value::len(flags(c)))), ""),
    NativeDef::getter("co_varnames", |vm, a| with(a[0], |c| names(vm, c.proto.locals.iter())), ""),
    NativeDef::getter("co_freevars", |vm, a| with(a[0], |c| names(vm, c.proto.free.iter())), ""),
    NativeDef::getter(
        "co_cellvars",
        |vm, a| {
            with(a[0], |c| {
                names(
                    vm,
                    c.proto.cells.iter().filter_map(|&r| c.proto.locals.get(c.proto.local_in(r)?)),
                )
            })
        },
        "",
    ),
    NativeDef::getter(
        "co_consts",
        |vm, a| {
            with(a[0], |c| {
                let all: Vec<Value<'_>> = (0..c.proto.consts.len())
                    .map(|i| vm.word_value(c.constant(i).word()))
                    .collect();
                vm.tuple(&all)
            })
        },
        "",
    ),
]];

/// Rows of cells.
pub(crate) static CELL: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, contents=None, /", |vm, a| Ok(vm.cell(a[1])), "")
        .role(Role::Static),
    NativeDef::getter(
        "cell_contents",
        |vm, a| match a[0].get::<CellObj>() {
            Some(c) if c.contents.get() != EMPTY => Ok(read(&c.contents)),
            _ => Err(vm.value_error("Cell is empty")),
        },
        "",
    ),
    NativeDef::setter("cell_contents", |_, a| {
        if let Some(c) = a[0].get::<CellObj>() {
            c.contents.set(a[1].word());
        }
        Ok(Value::NONE)
    }),
]];

/// Rows of the descriptors of slots and native attributes.
pub(crate) static MEMBER: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::new(
        "__set__",
        "self, instance, value, /",
        |vm, a| vm.none_after(vm.member_store(a[0], a[1], a[2])),
        "Set an attribute of instance to value.",
    ),
    NativeDef::new(
        "__delete__",
        "self, instance, /",
        |vm, a| vm.none_after(vm.member_store(a[0], a[1], Value::EMPTY)),
        "Delete an attribute of instance.",
    ),
    NativeDef::getter(
        "__name__",
        |_, a| Ok(a[0].get::<Member>().map_or(Value::NONE, |m| m.name())),
        "",
    ),
    NativeDef::getter(
        "__objclass__",
        |_, a| Ok(a[0].get::<Member>().map_or(Value::NONE, |m| m.owner())),
        "",
    ),
    NativeDef::getter("__doc__", member_doc, ""),
    NativeDef::setter("__doc__", set_member_doc),
]];

/// Only the fields of named tuples have docstrings that a program changes.
fn set_member_doc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0].get::<Member>() {
        Some(m) if vm.exact_type(args[0]) == Some(Type::TupleGetter) => {
            m.set.set(if args[1].is_empty() { Value::NONE } else { args[1] }.word());
            Ok(Value::NONE)
        }
        _ => Err(vm.attribute_error(
            format!(
                "attribute '__doc__' of '{}' objects is not writable",
                vm.full_type_name(vm.class_of(args[0]))
            ),
            args[0],
            vm.word_value(vm.names.__doc__),
        )),
    }
}

fn member_doc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let member = args[0].get::<Member>();
    if let Some(m) = member.filter(|m| m.get().as_small().is_some()) {
        return Ok(m.set());
    }
    let getter = member.and_then(|m| m.get().get::<Native>());
    match getter.map_or("", |n| n.def.doc) {
        "" => Ok(Value::NONE),
        doc => vm.str(doc),
    }
}

fn func<'v>(v: Value<'v>) -> Option<&'v Function> {
    v.get::<Function>()
}

fn native<'v>(v: Value<'v>) -> Option<&'v Native> {
    v.get::<Native>()
}

fn method<'v>(v: Value<'v>) -> Option<&'v BoundMethod> {
    v.get::<BoundMethod>()
}

fn shown(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn with<'v>(v: Value<'v>, f: impl FnOnce(&'v Code) -> NResult<'v>) -> NResult<'v> {
    v.get::<Code>().map_or(Ok(Value::NONE), f)
}

fn names<'v>(vm: &'v Vm, it: impl Iterator<Item = impl AsRef<str>>) -> NResult<'v> {
    let all: Vec<Value<'v>> =
        it.map(|n| vm.intern(n.as_ref())).filter(|n| !is_internal(*n)).collect();
    vm.tuple(&all)
}

fn is_internal(name: Value<'_>) -> bool {
    name.get::<Str>().is_some_and(|s| s.bytes().first() == Some(&b'.') && s.bytes() != b".0")
}

fn flags(c: &Code) -> usize {
    let f = &c.proto.flags;
    let bits = [
        (true, 3),
        (f.varargs, 4),
        (f.varkw, 8),
        (f.generator && !f.coroutine, 0x20),
        (f.coroutine && !f.generator, 0x80),
        (f.coroutine && f.generator, 0x200),
    ];
    bits.iter().filter(|(on, _)| *on).map(|(_, b)| b).sum()
}

fn get<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let class =
        if args[2].is_empty() || args[2].is_none() { vm.class_value_of(args[1]) } else { args[2] };
    vm.builtin_get(args[0], args[1], class)
}

impl Vm {
    /// `__get__` of a builtin descriptor.
    pub(crate) fn builtin_get<'v>(
        &'v self,
        d: Value<'v>,
        obj: Value<'v>,
        class: Value<'v>,
    ) -> NResult<'v> {
        // A subclass's override leads here through super(), so it must not be asked again.
        match d.get::<crate::object::record::Property>() {
            Some(p) if self.exact_type(d).is_none() && !obj.is_none() => {
                if p.fget().is_none() {
                    return Err(self.property_error(p, obj, "getter"));
                }
                Err(crate::native::Exit::tail(p.fget(), vec![obj]))
            }
            Some(_) if self.exact_type(d).is_none() => Ok(d),
            _ => self.descriptor_get(d, obj, class),
        }
    }

    /// Sets one of the attributes of a function that are not in its `__dict__`.
    pub(crate) fn set_function_special<'v>(
        &'v self,
        f: &'v Function,
        name: u64,
        v: Value<'v>,
    ) -> Result<(), crate::native::Exit<'v>> {
        let special = read(&f.special).get::<Dict>().unwrap_or_else(|| self.dict());
        f.special.set(Value::object(special).word());
        self.dict_set_name(special, self.word_value(name), v)
    }

    /// The docstring of a function.
    pub(crate) fn function_doc<'v>(&'v self, f: &'v Function) -> Value<'v> {
        match (own_attr(self, f, self.names.__doc__), f.code().proto.doc) {
            (Some(v), _) => v,
            (None, Some(i)) => f.code().constant(i as usize),
            (None, None) => Value::NONE,
        }
    }
}

fn call<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Err(vm.call_kw(args[0], args[2..].to_vec(), args[1]))
}

fn set_text<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    if !args[1].is_a::<Str>() {
        return Err(vm.type_error(format!("{name} must be set to a string object")));
    }
    let cell = if name == "__name__" { &f.name } else { &f.qualname };
    cell.set(args[1].word());
    Ok(Value::NONE)
}

fn set_attr<'v>(vm: &'v Vm, args: &[Value<'v>], name: u64) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    let v = if args[1].is_empty() { Value::NONE } else { args[1] };
    vm.set_function_special(f, name, v)?;
    Ok(Value::NONE)
}

fn own_attr<'v>(vm: &'v Vm, f: &'v Function, name: u64) -> Option<Value<'v>> {
    vm.dict_get_name(read(&f.special).get::<Dict>()?, vm.word_value(name))
}

fn module<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    Ok(own_attr(vm, f, vm.names.__module__)
        .or_else(|| {
            let globals = read(&f.globals).get::<Dict>()?;
            vm.dict_get_name(globals, vm.word_value(vm.names.__name__))
        })
        .unwrap_or(Value::NONE))
}

fn type_params<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let own = func(args[0]).and_then(|f| own_attr(vm, f, vm.names.__type_params__));
    Ok(own.unwrap_or_else(|| vm.empty_tuple()))
}

fn set_defaults<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    let v = args[1];
    if !v.is_empty() && !v.is_none() && !v.is_a::<Tuple>() {
        return Err(vm.type_error("__defaults__ must be set to a tuple object"));
    }
    f.defaults.set(if v.is_none() { EMPTY } else { v.word() });
    Ok(Value::NONE)
}

fn set_kwdefaults<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    let v = args[1];
    if !v.is_empty() && !v.is_none() && !v.is_a::<Dict>() {
        return Err(vm.type_error("__kwdefaults__ must be set to a dict object"));
    }
    f.kwdefaults.set(if v.is_none() { EMPTY } else { v.word() });
    Ok(Value::NONE)
}

fn annotations<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    if f.annotations.get() == EMPTY {
        f.annotations.set(Value::object(vm.dict()).word());
    }
    Ok(read(&f.annotations))
}

fn set_annotations<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(f) = func(args[0]) else { return Ok(Value::NONE) };
    let v = args[1];
    if !v.is_empty() && !v.is_none() && !v.is_a::<Dict>() {
        return Err(vm.type_error("__annotations__ must be set to a dict object"));
    }
    f.annotations.set(if v.is_none() { EMPTY } else { v.word() });
    Ok(Value::NONE)
}

fn native_eq<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (Some(a), Some(b)) = (native(args[0]), native(args[1])) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = std::ptr::eq(a.def, b.def)
        && a.receiver.get() == b.receiver.get()
        && a.data == b.data
        && a.owner.get() == b.owner.get();
    Ok(Value::bool(same))
}

fn native_hash<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let h = native(args[0]).map_or(0, |n| {
        (n.def as *const NativeDef as i64 >> 3) ^ super::object::identity_hash(read(&n.receiver))
    });
    Ok(vm.int(h))
}

fn native_qualname<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(n) = native(args[0]) else { return Ok(Value::NONE) };
    match read(&n.owner).get::<Class>() {
        Some(c) => vm.str(&format!("{}.{}", c.name_str(), n.def.name)),
        None => Ok(vm.intern(n.def.name)),
    }
}

fn native_doc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match native(args[0]) {
        Some(n) if !n.def.doc.is_empty() => vm.str(n.def.doc),
        _ => Ok(Value::NONE),
    }
}

fn native_self<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match native(args[0]) {
        Some(n) if n.receiver.get() != EMPTY => Ok(read(&n.receiver)),
        Some(n) if n.owner.get() == EMPTY || n.def.role == Role::Static => Ok(Value::NONE),
        _ => Err(vm.no_attribute(args[0], vm.names.__self__)),
    }
}

fn native_module<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(n) = native(args[0]) else { return Ok(Value::NONE) };
    if let Some(m) = read(&n.receiver).get::<crate::object::record::Module>()
        && let Some(d) = m.dict().get::<Dict>()
        && let Some(v) = vm.dict_get_name(d, vm.word_value(vm.names.__name__))
    {
        return Ok(v);
    }
    if n.owner.get() != EMPTY {
        return Ok(Value::NONE);
    }
    let homes = vm.local::<Homes>();
    let home = homes.0.borrow().get(&std::ptr::from_ref(n.def).addr()).copied();
    Ok(vm.intern(home.unwrap_or("builtins")))
}

/// The modules of natives that are not builtins, by the address of their row.
#[derive(Default)]
struct Homes(RefCell<HashMap<usize, &'static str>>);

impl Vm {
    /// Makes the function of a row that belongs to a module.
    pub fn module_native<'v>(&'v self, def: &'static NativeDef, module: &'static str) -> Value<'v> {
        let homes = self.local::<Homes>();
        homes.0.borrow_mut().insert(std::ptr::from_ref(def).addr(), module);
        self.foreign_native(def, Value::EMPTY, Value::EMPTY, 0)
    }
}

fn native_owner<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match native(args[0]) {
        Some(n) if n.owner.get() != EMPTY => Ok(read(&n.owner)),
        _ => Err(vm.no_attribute(args[0], vm.intern("__objclass__").word())),
    }
}

fn native_signature<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match native(args[0]) {
        Some(n) => vm.str(&format!("({})", n.def.sig)),
        None => Ok(Value::NONE),
    }
}

fn new_method<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if !vm.is_callable(args[1]) {
        return Err(vm.type_error("first argument must be callable"));
    }
    if args[2].is_none() {
        return Err(vm.type_error("instance must not be None"));
    }
    Ok(vm.bind(args[1], args[2]))
}

fn method_eq<'v>(_: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (Some(a), Some(b)) = (method(args[0]), method(args[1])) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(a.func.get() == b.func.get() && a.receiver.get() == b.receiver.get()))
}

fn method_hash<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let h = method(args[0]).map_or(0, |m| {
        super::object::identity_hash(read(&m.func))
            ^ super::object::identity_hash(read(&m.receiver)).rotate_left(7)
    });
    Ok(vm.int(h))
}
