//! Attributes of objects: `obj.name`, `obj.name = v` and `del obj.name` by the rules of `object` and
//! `type`.
//!
//! Lookups that end in a value are done here. Where a descriptor or a `__getattr__` written in
//! script code has a say, the result is what to call: see [`Attr`].

mod class;
mod descriptor;
mod storage;

pub(crate) use class::MethodCache;
pub(crate) use storage::attrs_cell;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Action, Answer, Exit, NResult, Row, Then};
use crate::object::class::{Class, class_flags};
use crate::object::func::{BoundMethod, Native};
use crate::object::instance::has_attrs;
use crate::object::map::Dict;
use crate::object::read;
use crate::object::record::{GenericAlias, Module, Super};
use crate::object::text::Str;
use crate::value::Value;
/// What an attribute lookup came to.
pub enum Attr<'v> {
    /// The value.
    Value(Value<'v>),
    /// A function found in the class of the object: calling it with the object first is the same
    /// as calling the bound method.
    Method(Value<'v>),
    /// Nothing of that name.
    Missing,
}

/// What `list[int]` has itself; all else is looked for in `list`.
const OF_ALIASES: &[&[u8]] = &[
    b"__class__",
    b"__origin__",
    b"__args__",
    b"__parameters__",
    b"__unpacked__",
    b"__typing_unpacked_tuple_args__",
    b"__mro_entries__",
    b"__reduce__",
    b"__reduce_ex__",
    b"__copy__",
    b"__deepcopy__",
];

/// After a `__getattr__`: its AttributeError learns whose attribute was wanted. State: the object,
/// the name.
static HOOK_ROW: Row = Row {
    name: "getattr_hook",
    catches: true,
    resume: |vm, state, answer| {
        if let Answer::Raised(e) = answer
            && vm.is_exception_of(e, Type::AttributeError)
        {
            let known = [vm.names.name, vm.names.obj]
                .iter()
                .any(|&n| vm.get_attr_raw(e, vm.word_value(n)).is_some_and(|v| !v.is_none()));
            if !known {
                vm.set_attr_raw(e, vm.word_value(vm.names.obj), state[0])?;
                vm.set_attr_raw(e, vm.word_value(vm.names.name), state[1])?;
            }
        }
        answer.value()
    },
};

impl Vm {
    /// `obj.name` by the rules of `object` and `type`, without `__getattr__`: the value, or the
    /// method, or what must be called (as an exit).
    pub fn lookup_attr<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
    ) -> Result<Attr<'v>, Exit<'v>> {
        if let Some(c) = obj.get::<Class>() {
            return self.lookup_class_attr(c, name);
        }
        if let Some(s) = obj.get::<Super>()
            && let Some(v) = self.super_lookup(s, name)?
        {
            return Ok(Attr::Value(v));
        }
        if let Some(alias) = obj.get::<GenericAlias>()
            && !alias.origin().is_empty()
            && !name.get::<Str>().is_some_and(|s| OF_ALIASES.contains(&s.bytes()))
        {
            // `list[int].append` is that of `list`.
            return match self.getattr_opt(alias.origin(), name)? {
                v if v.is_empty() => Ok(Attr::Missing),
                v => Ok(Attr::Value(v)),
            };
        }
        let class = self.class_of(obj);
        let found = self.class_lookup(class, name.word());
        if let Some(d) = found
            && self.is_data_descriptor(d)
            && self.is_readable(d)
        {
            return self.descriptor_get(d, obj, Value::object(class)).map(Attr::Value);
        }
        if let Some(v) = self.get_attr_raw(obj, name) {
            return Ok(Attr::Value(v));
        }
        match found {
            None => match obj.get::<BoundMethod>() {
                // A method has the attributes of its function.
                Some(m) => match self.getattr_opt(read(&m.func), name)? {
                    v if v.is_empty() => Ok(Attr::Missing),
                    v => Ok(Attr::Value(v)),
                },
                None => Ok(Attr::Missing),
            },
            Some(f) if self.is_plain_method(f) => Ok(Attr::Method(f)),
            Some(d) => self.descriptor_get(d, obj, Value::object(class)).map(Attr::Value),
        }
    }

    /// A descriptor of a script need not have a `__get__`.
    fn is_readable(&self, descriptor: Value<'_>) -> bool {
        descriptor.kind() != Some(Kind::Instance)
            || self.class_lookup(self.class_of(descriptor), self.names.__get__).is_some()
    }

    fn lookup_class_attr<'v>(
        &'v self,
        c: &'v Class,
        name: Value<'v>,
    ) -> Result<Attr<'v>, Exit<'v>> {
        let obj = Value::object(c);
        let meta = self.class_of(obj);
        let in_meta = self.class_lookup(meta, name.word());
        if let Some(d) = in_meta
            && self.is_data_descriptor(d)
            && self.is_readable(d)
        {
            return self.descriptor_get(d, obj, Value::object(meta)).map(Attr::Value);
        }
        if let Some(v) = self.class_lookup(c, name.word()) {
            return self.descriptor_get(v, Value::EMPTY, obj).map(Attr::Value);
        }
        match in_meta {
            None => Ok(Attr::Missing),
            Some(f) if self.is_plain_method(f) => Ok(Attr::Method(f)),
            Some(d) => self.descriptor_get(d, obj, Value::object(meta)).map(Attr::Value),
        }
    }

    /// `obj.name` in full: a value, or an exit. `__getattr__` and script descriptors become calls.
    pub fn getattr<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> NResult<'v> {
        match self.getattr_opt(obj, name)? {
            v if v.is_empty() => {
                let of = obj.get::<GenericAlias>().map(|alias| alias.origin());
                let of = of.filter(|origin| !origin.is_empty()).unwrap_or(obj);
                Err(self.no_attribute(of, name.word()))
            }
            v => Ok(v),
        }
    }

    /// As [`Vm::getattr`]; Empty if there is none (a script `__getattr__` may still raise).
    pub fn getattr_opt<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> NResult<'v> {
        let class = self.class_of(obj);
        if class.has(class_flags::GETATTRIBUTE) {
            return self.getattr_script(class, obj, name);
        }
        let hook = class.has(class_flags::GETATTR) || obj.is_a::<Module>();
        match self.lookup_attr(obj, name) {
            Ok(Attr::Value(v)) => Ok(v),
            Ok(Attr::Method(f)) => Ok(match f.get::<Native>() {
                Some(n) => self.bind_native_to(n, obj),
                None => self.bind(f, obj),
            }),
            Ok(Attr::Missing) if hook => {
                if let Some(f) = self.getattr_hook(obj)? {
                    let args = f.1.into_iter().chain([name]).collect();
                    return Err(Exit::call(f.0, args, &HOOK_ROW, vec![obj, name]));
                }
                Ok(Value::EMPTY)
            }
            Ok(Attr::Missing) => Ok(Value::EMPTY),
            Err(e) if class.has(class_flags::GETATTR) => Err(self.with_getattr(e, obj, name)),
            Err(e) => Err(e),
        }
    }

    /// What `__getattr__` is called for `obj`, and its first arguments.
    fn getattr_hook<'v>(
        &'v self,
        obj: Value<'v>,
    ) -> Result<Option<(Value<'v>, Vec<Value<'v>>)>, Exit<'v>> {
        if let Some(m) = obj.get::<Module>() {
            let name = self.word_value(self.names.__getattr__);
            let hook = m.dict().get::<Dict>().and_then(|d| self.dict_get_name(d, name));
            return Ok(hook.map(|f| (f, Vec::new())));
        }
        self.method(obj, self.names.__getattr__)
    }

    /// A script `__getattribute__`, and `__getattr__` if that raises AttributeError.
    fn getattr_script<'v>(
        &'v self,
        class: &'v Class,
        obj: Value<'v>,
        name: Value<'v>,
    ) -> NResult<'v> {
        let Some((f, mut args)) = self.method(obj, self.names.__getattribute__)? else {
            return Ok(Value::EMPTY);
        };
        args.push(name);
        let e = Exit::tail(f, args);
        Err(if class.has(class_flags::GETATTR) { self.with_getattr(e, obj, name) } else { e })
    }

    /// An exit on behalf of `obj.name` whose AttributeError calls `__getattr__`.
    fn with_getattr<'v>(&'v self, e: Exit<'v>, obj: Value<'v>, name: Value<'v>) -> Exit<'v> {
        static ROW: Row = Row {
            name: "getattr_fallback",
            catches: true,
            resume: |vm, state, answer| match answer {
                Answer::Value(v) => Ok(v),
                Answer::Raised(e) if vm.is_exception_of(e, Type::AttributeError) => {
                    vm.call_getattr(e, state[0], state[1])
                }
                Answer::Raised(e) => Err(Exit::Raise(e)),
            },
        };
        match e {
            Exit::Raise(exc) if self.is_exception_of(exc, Type::AttributeError) => {
                match self.call_getattr(exc, obj, name) {
                    Ok(_) => Exit::Raise(exc),
                    Err(e) => e,
                }
            }
            Exit::Raise(exc) => Exit::Raise(exc),
            Exit::Do(mut action) => {
                if let Action::Call { then, .. } = &mut *action {
                    *then = Some(Then { row: &ROW, state: vec![obj, name] });
                }
                Exit::Do(action)
            }
        }
    }

    fn call_getattr<'v>(&'v self, exc: Value<'v>, obj: Value<'v>, name: Value<'v>) -> NResult<'v> {
        match self.method(obj, self.names.__getattr__)? {
            Some((f, mut args)) => {
                args.push(name);
                Err(Exit::tail(f, args))
            }
            None => Err(Exit::Raise(exc)),
        }
    }

    /// `obj.name = v`; Empty deletes.
    pub fn setattr<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let class = self.class_of(obj);
        if class.has(class_flags::SETATTR) {
            let names = &self.names;
            let hook = if v.is_empty() { names.__delattr__ } else { names.__setattr__ };
            // `object.__setattr__` itself, or what is like it, is done below without a call.
            let is_default = |f: Value<'v>| {
                f.get::<Native>()
                    .is_some_and(|n| matches!(n.def.name, "__setattr__" | "__delattr__"))
            };
            if !self.class_lookup(class, hook).is_none_or(is_default)
                && let Some((f, mut args)) = self.method(obj, hook)?
            {
                args.push(name);
                if !v.is_empty() {
                    args.push(v);
                }
                return Err(Exit::tail(f, args));
            }
        }
        self.setattr_default(obj, name, v)
    }

    /// `object.__setattr__` and `type.__setattr__`.
    pub fn setattr_default<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let class = self.class_of(obj);
        if let Some(d) = self.class_lookup(class, name.word())
            && let Some(r) = self.descriptor_set(d, obj, v)
        {
            return r;
        }
        if let Some(c) = obj.get::<Class>() {
            if !c.has(class_flags::HEAP) {
                let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
                return Err(self.type_error(format!(
                    "cannot set '{n}' attribute of immutable type '{}'",
                    c.name_str()
                )));
            }
            return match self.class_set(c, name, v)? {
                true => Ok(()),
                false => Err(self.no_attribute(obj, name.word())),
            };
        }
        let storable = obj.header().is_some_and(|h| {
            (has_attrs(h)
                && !class.has(class_flags::NO_DICT)
                && !std::ptr::eq(class, self.class(Type::Object)))
                || h.kind() == Kind::Module
                || attrs_cell(obj).is_some()
        });
        if !storable {
            let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
            if self.class_lookup(class, name.word()).is_some() {
                return Err(self.attribute_error(
                    format!("'{}' object attribute '{n}' is read-only", self.type_name(obj)),
                    obj,
                    name,
                ));
            }
            return Err(self.no_attribute(obj, name.word()));
        }
        if v.is_empty() {
            return match self.del_attr_raw(obj, name)? {
                true => Ok(()),
                false => Err(self.no_attribute(obj, name.word())),
            };
        }
        self.set_attr_raw(obj, name, v)
    }
}
