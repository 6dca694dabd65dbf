//! Tuples whose items have names, as `sys.version_info`: a class and a row for each.

pub use miniscript_vm::builtins::Type;
pub use miniscript_vm::heap::Kind;
use miniscript_vm::native::NResult;
pub use miniscript_vm::native::NativeDef;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use crate::class::ClassDef;

/// A kind of named tuple.
pub struct Record {
    /// Its class; the methods come from [`record!`].
    pub class: ClassDef,
    /// The names of the items.
    pub fields: &'static [&'static str],
}

impl Record {
    /// One of these.
    pub fn make<'v>(&'static self, vm: &'v Vm, items: &[Value<'v>]) -> NResult<'v> {
        let class = self.class.of(vm)?;
        vm.new_tuple(class.root_shape.get(), items)
    }

    /// `module.name(field=value, ..)`.
    pub fn repr<'v>(&self, vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
        let mut text = format!("{}.{}(", self.class.module, self.class.name);
        for (i, (name, item)) in self.fields.iter().zip(vm.tuple_items(v)).enumerate() {
            let shown = vm.repr(*item)?;
            let shown = shown.get::<Str>().map(|s| s.to_display().into_owned());
            let comma = if i == 0 { "" } else { ", " };
            text += &format!("{comma}{name}={}", shown.unwrap_or_default());
        }
        vm.str(&(text + ")"))
    }
}

/// The item of a field.
pub fn field<'v, const I: usize>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match vm.tuple_items(args[0]).get(I) {
        Some(item) => Ok(*item),
        None => Err(vm.type_error("the tuple is too short")),
    }
}

/// A [`Record`] in a static: module, name, docstring, and each item's number and name.
#[macro_export]
macro_rules! record {
    ($record:ident, $module:literal, $name:literal, $doc:literal, $($i:literal $field:literal),+) => {
        static $record: $crate::record::Record = $crate::record::Record {
            class: $crate::ClassDef {
                name: $name,
                module: $module,
                doc: $doc,
                base: $crate::record::Type::Tuple,
                layout: $crate::record::Kind::Tuple,
                second_base: None,
                open: true,
                has_dict: false,
                methods: &[
                    $crate::record::NativeDef::new(
                        "__repr__",
                        "self, /",
                        |vm, args| $record.repr(vm, args[0]),
                        "Return repr(self).",
                    ),
                    $($crate::record::NativeDef::getter($field, $crate::record::field::<$i>, ""),)+
                ],
            },
            fields: &[$($field),+],
        };
    };
}
pub use record;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_a_tuple() {
        record!(PAIR, "m", "pair", "", 0 "left", 1 "right");
        assert_eq!(PAIR.fields, ["left", "right"]);
        assert_eq!(PAIR.class.base, Type::Tuple);
    }
}
