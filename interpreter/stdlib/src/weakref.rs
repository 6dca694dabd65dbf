//! `weakref`: the references; what is made of them is in the module's source.

use miniscript_vm::heap::Kind;
use miniscript_vm::native::{NResult, NativeDef, Role, Row};
use miniscript_vm::object::text::Str;
use miniscript_vm::object::weak::WeakRef;
use miniscript_vm::ops::compare::Cmp;
use miniscript_vm::{Value, Vm};

use crate::class::{ClassDef, generic};
use crate::module::ModuleDef;

static REFERENCE: ClassDef = ClassDef::open(
    "weakref",
    "ReferenceType",
    "",
    &[
        NativeDef::new("__new__", "cls, object, callback=None, /", new, "").role(Role::Static),
        NativeDef::new(
            "__init__",
            "self, object, callback=None, /",
            |_, _| Ok(Value::NONE),
            "Initialize self.",
        ),
        NativeDef::new("__call__", "self, /", call, "Call self as a function."),
        NativeDef::new("__hash__", "self, /", hash, "Return hash(self)."),
        NativeDef::new(
            "__eq__",
            "self, value, /",
            |vm, a| compare(vm, a, Cmp::Eq),
            "Return self==value.",
        ),
        NativeDef::new(
            "__ne__",
            "self, value, /",
            |vm, a| compare(vm, a, Cmp::Ne),
            "Return self!=value.",
        ),
        NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
        NativeDef::new("__class_getitem__", "type, item, /", generic, "See PEP 585")
            .role(Role::Class),
        NativeDef::getter("__callback__", callback, ""),
    ],
)
.layout(Kind::WeakRef);

const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "getweakrefcount",
        "object, /",
        |vm, a| Ok(Value::len(vm.weak_refs(a[0]).len())),
        "Return the number of weak references to 'object'.",
    ),
    NativeDef::new(
        "getweakrefs",
        "object, /",
        |vm, a| vm.list(vm.weak_refs(a[0])),
        "Return a list of all weak reference objects pointing to 'object'.",
    ),
];

const CLASSES: &[&ClassDef] = &[&REFERENCE];

/// The module.
pub(crate) const MODULE: ModuleDef =
    ModuleDef::source("weakref", "weakref.ms").with(FUNCTIONS).classes(CLASSES);

fn weak<'v>(v: Value<'v>) -> &'v WeakRef {
    v.get::<WeakRef>().expect("the receiver was checked")
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let own = REFERENCE.of(vm)?;
    let class = vm.class_for_new(a[0], own)?;
    if !vm.takes_weak_refs(a[1]) {
        let name = vm.type_name(a[1]);
        return Err(vm.type_error(format!("cannot create weak reference to '{name}' object")));
    }
    let callback = if a[2].is_empty() { Value::NONE } else { a[2] };
    if callback.is_none() && std::ptr::eq(class, own) {
        let same =
            |v: &Value<'v>| std::ptr::eq(vm.class_of(*v), own) && weak(*v).callback().is_none();
        if let Some(known) = vm.weak_refs(a[1]).into_iter().find(same) {
            return Ok(known);
        }
    }
    Ok(vm.weak_ref(class, a[1], callback))
}

fn target<'v>(v: Value<'v>) -> Value<'v> {
    let target = weak(v).target();
    if target.is_empty() { Value::NONE } else { target }
}

fn call<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(target(a[0]))
}

fn callback<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let dead = weak(a[0]).target().is_empty();
    Ok(if dead { Value::NONE } else { weak(a[0]).callback() })
}

/// After the hash of the target. State: the reference.
static HASHED: Row = Row {
    name: "weakref_hashed",
    catches: false,
    resume: |vm, state, answer| {
        let hash = answer.value()?;
        weak(state[0]).hash.set(vm.reduce_hash(hash));
        Ok(hash)
    },
};

fn hash<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let w = weak(a[0]);
    if let Some(hash) = w.hash.get() {
        return Ok(vm.int(hash));
    }
    if w.target().is_empty() {
        return Err(vm.type_error("weak object has gone away"));
    }
    vm.and_then(vm.hash_value(w.target()), &HASHED, vec![a[0]])
}

fn compare<'v>(vm: &'v Vm, a: &[Value<'v>], op: Cmp) -> NResult<'v> {
    let (Some(x), Some(y)) = (a[0].get::<WeakRef>(), a[1].get::<WeakRef>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if x.target().is_empty() || y.target().is_empty() {
        return Ok(Value::bool(a[0].is(a[1]) == (op == Cmp::Eq)));
    }
    vm.compare(op, x.target(), y.target())
}

fn repr<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let at = |v: Value<'v>| format!("{:#x}", v.word() & 0xFFFF_FFFF_FFFF);
    let t = weak(a[0]).target();
    if t.is_empty() {
        return vm.str(&format!("<weakref at {}; dead>", at(a[0])));
    }
    let mut text = format!("<weakref at {}; to '{}' at {}", at(a[0]), vm.type_name(t), at(t));
    if let Ok(name) = vm.getattr(t, vm.intern("__name__"))
        && let Some(name) = name.get::<Str>()
    {
        text += &format!(" ({})", name.to_display());
    }
    vm.str(&(text + ">"))
}
