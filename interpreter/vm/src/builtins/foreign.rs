//! Classes, functions and objects of extensions, made on behalf of the engine.
//!
//! They are the same things as the builtin ones: rows of a native table, [`Class`] objects that
//! scripts cannot change, and objects with a foreign payload.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::interp::call::native_type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::{Class, class_flags};
use crate::object::func::Native;
use crate::object::opaque::{Opaque, Payload};
use crate::object::record::{Member, StaticMethod};
use crate::value::Value;

/// A class to be made by [`Vm::foreign_class`].
#[derive(Clone, Copy)]
pub struct ForeignClass<'a, 'v> {
    /// Its name.
    pub name: &'a str,
    /// The module it says it is from.
    pub module: &'a str,
    /// Its docstring; empty: none.
    pub doc: &'a str,
    /// The builtin class it derives from: `object` or an exception class.
    pub base: &'v Class,
    /// Whether scripts may derive from it.
    pub subclassable: bool,
    /// Whether calling it makes instances.
    pub callable: bool,
    /// For `Class::host_data`, inherited by classes derived from it.
    pub data: usize,
}

impl Vm {
    /// A native of the host with `data`, bound to `receiver` (a module; Empty: nothing) or a
    /// method of class `owner` (Empty: of none).
    pub fn foreign_native<'v>(
        &'v self,
        def: &'static NativeDef,
        receiver: Value<'v>,
        owner: Value<'v>,
        data: usize,
    ) -> Value<'v> {
        let t = if owner.is_empty() { Type::Builtin } else { native_type(def.role, def.name) };
        Value::object(self.heap.alloc(Native::new(t.shape(), def, receiver, owner, data), 0, false))
    }

    /// A class whose instances are objects with a payload, or exceptions.
    pub fn foreign_class<'v>(&'v self, made: ForeignClass<'_, 'v>) -> Result<&'v Class, Exit<'v>> {
        let exception = made.base.has(class_flags::EXCEPTION);
        let layout = if exception { Kind::Exception } else { Kind::Opaque };
        let class = self.heap.alloc(Class::new(Type::Type.shape(), layout, false), 0, true);
        let value = Value::object(class);
        let name = self.intern(made.name);
        class.name.set(name.word());
        class.qualname.set(name.word());
        class.bases.set(self.tuple(&[Value::object(made.base)])?.word());
        let mut mro = vec![value];
        mro.extend_from_slice(made.base.mro());
        class.mro.set(self.tuple(&mro)?.word());
        class.native_type.set(made.base.native_type.get());
        class.host_data.set(made.data);
        class.root_shape.set(self.shapes.root(value.word(), false));
        class.dict_shape.set(self.shapes.root(value.word(), true));
        class.set_flag(if exception { class_flags::EXCEPTION } else { class_flags::NO_DICT });
        if !made.subclassable {
            class.set_flag(class_flags::FINAL);
        }
        if !made.callable {
            class.set_flag(class_flags::NO_NEW);
        }
        made.base.subclasses.borrow_mut().push(value.word());
        let doc = if made.doc.is_empty() { Value::NONE } else { self.str(made.doc)? };
        self.class_set(class, self.word_value(self.names.__module__), self.intern(made.module))?;
        self.class_set(class, self.word_value(self.names.__doc__), doc)?;
        self.update_class_flags(class);
        Ok(class)
    }

    /// Adds a native, made by [`Vm::foreign_native`], to the class it is a method of.
    pub fn foreign_method<'v>(
        &'v self,
        class: &'v Class,
        role: Role,
        name: &str,
        native: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let name = self.intern(name);
        let owner = Value::object(class);
        let member = |get: Value<'v>, set: Value<'v>| {
            let member = Member::new(Type::GetSet.shape(), name, owner, get, set);
            Value::object(self.heap.alloc(member, 0, false))
        };
        let known = class.own(self.name_hash(name.word()), name.word());
        let known = known.and_then(|v| v.get::<Member>());
        let v = match role {
            Role::Method | Role::Class => native,
            Role::Static if name.word() == self.names.__new__ => native,
            Role::Static => Value::object(self.heap.alloc(
                StaticMethod::new(Type::StaticMethod.shape(), native, Value::EMPTY),
                0,
                false,
            )),
            Role::Getter => match known {
                Some(m) => {
                    m.get.set(native.word());
                    return Ok(());
                }
                None => member(native, Value::EMPTY),
            },
            Role::Setter => match known {
                Some(m) => {
                    m.set.set(native.word());
                    return Ok(());
                }
                None => member(Value::EMPTY, native),
            },
        };
        self.class_set(class, name, v)?;
        Ok(())
    }

    /// An instance of `class`, which was made by [`Vm::foreign_class`] or derives from such a one.
    pub fn opaque(&self, class: &Class, payload: Option<Box<dyn Payload>>) -> Value<'_> {
        self.alloc_with_attrs(Opaque::new(class.root_shape.get(), payload), 0, true)
    }

    /// `{items..}`.
    pub fn set_of<'v>(&'v self, items: &[Value<'v>]) -> NResult<'v> {
        self.make_set(items)
    }

    /// `{key: value, ..}` from keys and values in turn.
    pub fn dict_of<'v>(&'v self, pairs: &[Value<'v>]) -> NResult<'v> {
        self.make_dict(pairs)
    }
}
