//! For `namedtuple`: the fields, and making instances.

use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::object::class::Class;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

/// The attribute for a field.
pub(super) const FIELD: NativeDef =
    NativeDef::new("_tuplegetter", "name, index, doc, /", field, "");

/// The module of the code that called `namedtuple`.
pub(super) const CALLER: NativeDef = NativeDef::new("_calling_module", "own, /", caller, "");

/// `__new__` of every named tuple.
pub(super) const NEW: NativeDef = NativeDef::new(
    "__new__",
    "_cls, /, *args, **kwargs",
    new,
    "Create new instance of the class from its fields.",
)
.role(Role::Static);

/// `_make`, as the function of a class method.
pub(super) const MAKE: NativeDef = NativeDef::new("_make_tuple", "cls, iterable, /", make, "");

fn field<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let i = vm.size_arg(a[1], 0)?;
    Ok(vm.tuple_getter(a[0], i.clamp(0, i64::from(u32::MAX)) as u32, a[2]))
}

fn caller<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.calling_module(a[0]).unwrap_or(Value::NONE))
}

fn fields<'v>(vm: &'v Vm, class: &'v Class) -> &'v [Value<'v>] {
    let name = vm.intern("_fields").word();
    vm.class_lookup(class, name).map_or(&[], |v| vm.tuple_items(v))
}

fn text(v: Value<'_>) -> String {
    v.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned())
}

/// Arguments: the class, keywords or Empty, positional ones.
fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else {
        return Err(vm.type_error("the first argument must be a class"));
    };
    let (fields, given) = (fields(vm, class), &a[2..]);
    if a[1].is_empty() && given.len() == fields.len() {
        return vm.new_tuple(class.root_shape.get(), given);
    }
    let label = format!("{}.__new__()", class.name_str());
    let keywords = a[1].get::<Dict>();
    if given.len() > fields.len() {
        return Err(too_many(vm, class, &label, fields.len(), given.len()));
    }
    let mut items = given.to_vec();
    items.resize(fields.len(), Value::EMPTY);
    for (name, v) in keywords.map_or_else(Vec::new, Dict::entries) {
        let Some(at) = fields.iter().position(|f| f.is(name) || text(*f) == text(name)) else {
            let name = text(name);
            return Err(
                vm.type_error(format!("{label} got an unexpected keyword argument '{name}'"))
            );
        };
        if !items[at].is_empty() {
            let name = text(name);
            return Err(vm.type_error(format!("{label} got multiple values for argument '{name}'")));
        }
        items[at] = v;
    }
    if items.iter().any(|v| v.is_empty()) {
        let defaults = defaults(vm, class);
        for (item, name) in items.iter_mut().zip(fields).filter(|(item, _)| item.is_empty()) {
            *item = defaults.and_then(|d| vm.dict_get_name(d, *name)).unwrap_or(Value::EMPTY);
        }
    }
    let missing: Vec<String> = items
        .iter()
        .zip(fields)
        .filter(|(item, _)| item.is_empty())
        .map(|(_, name)| format!("'{}'", text(*name)))
        .collect();
    if !missing.is_empty() {
        return Err(too_few(vm, &label, &missing));
    }
    vm.new_tuple(class.root_shape.get(), &items)
}

fn defaults<'v>(vm: &'v Vm, class: &'v Class) -> Option<&'v Dict> {
    vm.class_lookup(class, vm.intern("_field_defaults").word())?.get::<Dict>()
}

fn too_few<'v>(vm: &'v Vm, label: &str, missing: &[String]) -> Exit<'v> {
    let names = match missing {
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    };
    let n = missing.len();
    let plural = if n == 1 { "" } else { "s" };
    vm.type_error(format!("{label} missing {n} required positional argument{plural}: {names}"))
}

fn too_many<'v>(vm: &'v Vm, class: &'v Class, label: &str, most: usize, given: usize) -> Exit<'v> {
    let optional = defaults(vm, class).map_or(0, Dict::len);
    // Both counts include the class.
    let takes = match optional {
        0 => format!("{}", most + 1),
        n => format!("from {} to {}", most + 1 - n.min(most), most + 1),
    };
    let plural = if most == 0 && optional == 0 { "" } else { "s" };
    vm.type_error(format!(
        "{label} takes {takes} positional argument{plural} but {} were given",
        given + 1
    ))
}

fn make<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else { return Ok(Value::NONE) };
    let Some(items) = vm.items_leaf(a[1])? else { return Ok(Value::NONE) };
    let n = fields(vm, class).len();
    if items.len() != n {
        return Err(vm.type_error(format!("Expected {n} arguments, got {}", items.len())));
    }
    vm.new_tuple(class.root_shape.get(), &items)
}
