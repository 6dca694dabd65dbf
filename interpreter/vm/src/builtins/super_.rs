//! `super`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::Class;
use crate::object::func::CellObj;
use crate::object::read;
use crate::object::record::Super;
use crate::value::Value;

/// The rows.
pub(crate) static TABLES: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new("__init__", "self, /, *args", |_, _| Ok(Value::NONE), "Initialize self."),
    NativeDef::new(
        "__get__",
        "self, instance, owner=None, /",
        get,
        "Return an attribute of instance, which is of type owner.",
    ),
    NativeDef::getter(
        "__thisclass__",
        |_, a| Ok(sup(a[0]).map_or(Value::NONE, |s| s.start())),
        "the class invoking super()",
    ),
    NativeDef::getter(
        "__self__",
        |_, a| Ok(sup(a[0]).map_or(Value::NONE, |s| shown(s.object()))),
        "the instance invoking super(); may be None",
    ),
    NativeDef::getter(
        "__self_class__",
        |_, a| Ok(sup(a[0]).map_or(Value::NONE, |s| shown(s.class()))),
        "the type of the instance invoking super(); may be None",
    ),
]];

fn sup<'v>(v: Value<'v>) -> Option<&'v Super> {
    v.get::<Super>()
}

fn shown(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::Super)?;
    if !args[1].is_empty() {
        return Err(vm.type_error("super() takes no keyword arguments"));
    }
    let (start, object) = match args[2..] {
        [] => implicit(vm)?,
        [c] => (c, Value::EMPTY),
        [c, o] => (c, if o.is_none() { Value::EMPTY } else { o }),
        _ => {
            let n = args.len() - 2;
            return Err(vm.type_error(format!("super expected at most 2 arguments, got {n}")));
        }
    };
    let Some(class) = start.get::<Class>() else {
        return Err(vm.type_error(format!(
            "super() argument 1 must be a type, not {}",
            vm.type_name(start)
        )));
    };
    make(vm, shape, class, object)
}

fn make<'v>(vm: &'v Vm, shape: u32, start: &'v Class, object: Value<'v>) -> NResult<'v> {
    let class = if object.is_empty() { Value::EMPTY } else { bound_class(vm, start, object)? };
    Ok(vm.alloc_with_attrs(Super::new(shape, Value::object(start), object, class), 0, false))
}

/// The class whose order is searched.
fn bound_class<'v>(vm: &'v Vm, start: &'v Class, object: Value<'v>) -> NResult<'v> {
    if let Some(c) = object.get::<Class>()
        && c.is_subclass(start)
    {
        return Ok(object);
    }
    if vm.class_of(object).is_subclass(start) {
        return Ok(vm.class_value_of(object));
    }
    Err(vm.type_error("super(type, obj): obj must be an instance or subtype of type"))
}

/// The class and object of `super()` without arguments: from the method that calls it.
fn implicit<'v>(vm: &'v Vm) -> Result<(Value<'v>, Value<'v>), Exit<'v>> {
    let mut found = None;
    vm.walk_frames(|f| {
        let p = &f.func.code().proto;
        if p.flags.hidden || p.flags.comprehension {
            return true;
        }
        found = Some(f);
        false
    });
    let Some(f) = found else { return Err(vm.runtime_error("super(): no current frame")) };
    let p = &f.func.code().proto;
    if p.arg_count == 0 {
        return Err(vm.runtime_error("super(): no arguments"));
    }
    let first = f.reg(0);
    let first = match first.get::<CellObj>() {
        Some(c) if p.cells.contains(&0) => read(&c.contents),
        _ => first,
    };
    if first.is_empty() {
        return Err(vm.runtime_error("super(): arg[0] deleted"));
    }
    let cell = p.free.iter().position(|n| n == "__class__").and_then(|i| f.func.cell(i));
    match cell.map(|c| read(&c.contents)) {
        None => Err(vm.runtime_error("super(): __class__ cell not found")),
        Some(c) if c.is_empty() => Err(vm.runtime_error("super(): empty __class__ cell")),
        Some(c) => Ok((c, first)),
    }
}

fn get<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = sup(args[0]) else { return Ok(args[0]) };
    let Some(start) = s.start().get::<Class>() else { return Ok(args[0]) };
    if args[1].is_none() || !s.object().is_empty() {
        return Ok(args[0]);
    }
    let class = vm.class_of(args[0]);
    if !std::ptr::eq(class, vm.class(Type::Super)) {
        // A subclass may construct in its own way, and its methods are wanted again.
        return Err(Exit::tail(Value::object(class), vec![s.start(), args[1]]));
    }
    make(vm, Type::Super.shape(), start, args[1])
}

impl Vm {
    /// Attribute `name` of a super object: what the classes after its start have.
    pub(crate) fn super_lookup<'v>(
        &'v self,
        s: &'v Super,
        name: Value<'v>,
    ) -> Result<Option<Value<'v>>, Exit<'v>> {
        let Some(class) = s.class().get::<Class>() else { return Ok(None) };
        if name.word() == self.names.__class__ {
            return Ok(None);
        }
        let hash = self.name_hash(name.word());
        let mut after = class.mro().iter().skip_while(|c| !c.is(s.start())).skip(1);
        let found = after.find_map(|c| self.class_own(c.get::<Class>()?, hash, name.word()));
        let Some(d) = found else { return Ok(None) };
        let through_class = s.object().is(s.class());
        let obj = if through_class { Value::NONE } else { s.object() };
        self.descriptor_get(d, obj, s.class()).map(Some)
    }
}
