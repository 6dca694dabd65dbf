//! Classes, functions and objects of extensions, made on behalf of the engine.
//!
//! They are the same things as the builtin ones: rows of a native table, [`Class`] objects that
//! scripts cannot change, and objects with a foreign payload.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::{Kind, Object};
use crate::interp::natives::native_type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::{Class, class_flags};
use crate::object::deque::Deque;
use crate::object::func::Native;
use crate::object::iter::{Iter, NextFn};
use crate::object::map::Dict;
use crate::object::opaque::{Opaque, Payload};
use crate::object::record::{Member, Record, StaticMethod};
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
    /// Which struct its instances are, if not exceptions.
    pub layout: Kind,
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
        let t =
            if owner.is_empty() { Type::Builtin } else { native_type(def.role, owner, def.name) };
        Value::object(self.heap.alloc(Native::new(t.shape(), def, receiver, owner, data), 0, false))
    }

    /// A class whose instances are objects with a payload, or exceptions.
    pub fn foreign_class<'v>(&'v self, made: ForeignClass<'_, 'v>) -> Result<&'v Class, Exit<'v>> {
        let exception = made.base.has(class_flags::EXCEPTION);
        let layout = if exception { Kind::Exception } else { made.layout };
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
        let known = self.class_own(class, self.name_hash(name.word()), name.word());
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
        let opaque = Opaque::new(class.root_shape.get(), payload);
        self.heap.hold(opaque.owned_bytes());
        self.alloc_with_attrs(opaque, 0, true)
    }

    /// An iterator of `class`, whose layout is that of iterators: items come from `next`. If that
    /// never needs a call, `leaf` says through how many iterators behind it they come.
    pub fn foreign_iter<'v>(
        &'v self,
        class: &'v Class,
        next: NextFn,
        w: [Value<'v>; 3],
        n: usize,
        leaf: Option<u16>,
    ) -> Value<'v> {
        // A chain of natives that call each other must stay short.
        const MOST: u16 = 8;
        let i = Iter::new(class.root_shape.get(), next, w, n, 0);
        if let Some(depth) = leaf.filter(|d| *d < MOST && !class.has(class_flags::HEAP)) {
            i.set_leaf(depth);
        }
        self.alloc_with_attrs(i, 0, false)
    }

    /// A class attribute that gives item `i` of the tuples of the class.
    pub fn tuple_getter<'v>(&'v self, name: Value<'v>, i: u32, doc: Value<'v>) -> Value<'v> {
        let (e, i) = (Value::EMPTY, Value::len(i as usize));
        let m = Member::new(Type::TupleGetter.shape(), name, e, i, doc);
        Value::object(self.heap.alloc(m, 0, false))
    }

    /// `__name__` of the module whose code called that of the running native: what the functions
    /// of the native's own module (`own`, a dict) were called from.
    pub fn calling_module<'v>(&'v self, own: Value<'v>) -> Option<Value<'v>> {
        let mut found = None;
        self.walk_frames(|f| {
            let globals = crate::object::read(&f.func.globals);
            if f.func.code().proto.flags.hidden || globals.is(own) {
                return true;
            }
            found = globals.get::<Dict>();
            false
        });
        self.dict_get_name(found?, self.word_value(self.names.__name__))
    }

    /// The classes that derive directly from `class`.
    pub fn subclasses<'v>(&'v self, class: &'v Class) -> Vec<&'v Class> {
        let derived = class.subclasses.borrow();
        derived.iter().filter_map(|&w| self.word_value(w).get::<Class>()).collect()
    }

    /// An object of `class`, whose layout is that of records.
    pub fn record<'v>(&'v self, class: &'v Class, w: [Value<'v>; 4]) -> Value<'v> {
        let [a, b, c, d] = w;
        self.alloc_with_attrs(Record::new(class.root_shape.get(), a, b, c, d), 0, false)
    }

    /// An empty deque of `class`, whose layout is that of deques.
    pub fn deque<'v>(&'v self, class: &'v Class) -> &'v Deque {
        let v = self.alloc_with_attrs(Deque::new(class.root_shape.get()), 0, true);
        v.get::<Deque>().expect("just made")
    }

    /// The class that a `__new__` of `class` was called for: it or one that derives from it.
    pub fn class_for_new<'v>(
        &'v self,
        cls: Value<'v>,
        class: &'v Class,
    ) -> Result<&'v Class, Exit<'v>> {
        let Some(c) = cls.get::<Class>() else {
            return Err(self.type_error(format!(
                "{}.__new__(X): X is not a type object ({})",
                self.full_type_name(class),
                self.type_name(cls)
            )));
        };
        if !c.is_subclass(class) {
            let name = self.full_type_name(class);
            return Err(self.type_error(format!(
                "{name}.__new__({0}): {0} is not a subtype of {name}",
                c.name_str()
            )));
        }
        if c.has(class_flags::ABSTRACT) {
            self.abstract_error(c)?;
        }
        Ok(c)
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
