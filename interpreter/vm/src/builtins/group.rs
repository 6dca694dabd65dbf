//! Exception groups and `except*`. Splitting calls back, so it is in the prelude.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{NResult, NativeDef, Role};
use crate::object::exc::Exception;
use crate::object::text::Str;
use crate::value::{Value, Word};

/// The rows.
pub(crate) static TABLES: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "").role(Role::Static),
    NativeDef::new(
        "__init__",
        "self, /, *args, **kwargs",
        |_, _| Ok(Value::NONE),
        "Initialize self.",
    ),
    NativeDef::new("__str__", "self, /", str, "Return str(self)."),
    NativeDef::getter("message", |vm, a| Ok(field(vm, a[0], vm.names.message)), "message"),
    NativeDef::setter("message", read_only),
    NativeDef::getter("exceptions", |vm, a| Ok(field(vm, a[0], vm.names.exceptions)), "members"),
    NativeDef::setter("exceptions", read_only),
    NativeDef::new("derive", "self, excs, /", derive, ""),
    NativeDef::new(
        "split",
        "self, condition, /",
        |vm, a| Err(vm.prelude_tail("group", "group_split", a)),
        "",
    ),
    NativeDef::new(
        "subgroup",
        "self, condition, /",
        |vm, a| Err(vm.prelude_tail("group", "group_subgroup", a)),
        "",
    ),
]];

fn field<'v>(vm: &'v Vm, group: Value<'v>, name: Word) -> Value<'v> {
    vm.get_attr_raw(group, vm.word_value(name)).unwrap_or(Value::NONE)
}

fn read_only<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Err(vm.err(Type::AttributeError, "readonly attribute"))
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut shape = vm.shape_for_new(args[0], Type::BaseExceptionGroup)?;
    let class = args[0].get::<crate::object::class::Class>();
    let name = class.map_or("?".into(), |c| c.name_str());
    let &[message, list] = &args[2..] else {
        let n = args.len() - 2;
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() takes exactly 2 arguments ({n} given)"
        )));
    };
    if !message.is_a::<Str>() {
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() argument 1 must be str, not {}",
            vm.type_name(message)
        )));
    }
    let items = match vm.plain_items(list).filter(|_| !list.is_a::<crate::object::map::Set>()) {
        Some(items) => items,
        None => return Err(vm.type_error("second argument (exceptions) must be a sequence")),
    };
    if items.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    if let Some(i) = items.iter().position(|e| !e.is_a::<Exception>()) {
        return Err(
            vm.value_error(format!("Item {i} of second argument (exceptions) is not an exception"))
        );
    }
    let plain = items.iter().all(|e| vm.is_exception_of(*e, Type::Exception));
    if shape == Type::BaseExceptionGroup.shape() && plain {
        shape = Type::ExceptionGroup.shape();
    } else if !plain && class.is_some_and(|c| c.is_subclass(vm.class(Type::Exception))) {
        return Err(vm.type_error(if shape == Type::ExceptionGroup.shape() {
            "Cannot nest BaseExceptions in an ExceptionGroup".to_owned()
        } else {
            format!("Cannot nest BaseExceptions in '{name}'")
        }));
    }
    let e = vm.new_exception(shape, vm.tuple(&args[2..])?);
    vm.set_attr_raw(e, vm.word_value(vm.names.message), message)?;
    vm.set_attr_raw(e, vm.word_value(vm.names.exceptions), vm.tuple(&items)?)?;
    Ok(e)
}

fn str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let message = vm.get_attr_raw(args[0], vm.word_value(vm.names.message));
    let message = message.and_then(|m| m.get::<Str>()).map_or("".into(), |s| s.to_display());
    let n = vm.group_members(args[0]).map_or(0, |m| m.len());
    vm.str(&format!("{message} ({n} sub-exception{})", if n == 1 { "" } else { "s" }))
}

fn derive<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let message = vm.get_attr_raw(args[0], vm.word_value(vm.names.message)).unwrap_or(Value::NONE);
    new(vm, &[vm.class_value(Type::BaseExceptionGroup), Value::EMPTY, message, args[1]])
}

impl Vm {
    /// The two parts of an exception by class.
    pub(crate) fn group_split_star<'v>(&'v self, exc: Value<'v>, class: Value<'v>) -> NResult<'v> {
        Err(self.prelude_tail("group", "split_star", &[exc, class]))
    }

    /// What remains to be raised after all `except*` clauses.
    pub(crate) fn group_reraise<'v>(&'v self, exc: Value<'v>, raised: Value<'v>) -> NResult<'v> {
        Err(self.prelude_tail("group", "reraise", &[exc, raised]))
    }
}
