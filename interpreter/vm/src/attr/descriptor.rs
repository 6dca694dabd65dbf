//! Descriptors: what a class attribute makes of an access through an instance. The builtin ones
//! are done here, `__get__` and `__set__` in script code become calls.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, Role};
use crate::object::class::Class;
use crate::object::func::{BoundMethod, Function, Native};
use crate::object::instance::slot_cell;
use crate::object::read;
use crate::object::record::{ClassMethod, Member, Property, StaticMethod};
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::{EMPTY, Value};
impl Vm {
    /// Whether `f`, found in a class, is a function that binds its receiver.
    #[inline]
    pub fn is_plain_method(&self, f: Value<'_>) -> bool {
        match f.kind() {
            Some(Kind::Function) => true,
            Some(Kind::Native) => f.get::<Native>().is_some_and(|n| {
                n.def.role == Role::Method && n.receiver.get() == EMPTY && n.owner.get() != EMPTY
            }),
            _ => false,
        }
    }

    /// Whether `d` has a say before the object's own attributes.
    pub fn is_data_descriptor(&self, d: Value<'_>) -> bool {
        match d.kind() {
            Some(Kind::Property | Kind::Member) => true,
            Some(Kind::Instance) => {
                let c = self.class_of(d);
                self.class_lookup(c, self.names.__set__).is_some()
                    || self.class_lookup(c, self.names.__delete__).is_some()
            }
            _ => false,
        }
    }

    /// `d.__get__(obj, class)`, where `obj` is None for access through the class; `d` itself if it
    /// is no descriptor.
    pub fn descriptor_get<'v>(
        &'v self,
        d: Value<'v>,
        obj: Value<'v>,
        class: Value<'v>,
    ) -> NResult<'v> {
        let Some(kind) = d.kind() else { return Ok(d) };
        // None is an instance too: then the absence of one is told by Empty.
        let through_class =
            obj.is_empty() || obj.is_none() && !class.is(self.class_value(Type::NoneType));
        if matches!(kind, Kind::Property | Kind::StaticMethod | Kind::ClassMethod)
            && self.exact_type(d).is_none()
            && let Some(f) = self.class_lookup(self.class_of(d), self.names.__get__)
            && !f.is_a::<Native>()
        {
            let obj = if through_class { Value::NONE } else { obj };
            return Err(Exit::tail(f, vec![d, obj, class]));
        }
        match kind {
            Kind::Function => Ok(if through_class { d } else { self.bind(d, obj) }),
            Kind::Native => {
                let Some(n) = d.get::<Native>() else { return Ok(d) };
                if n.receiver.get() != EMPTY || n.owner.get() == EMPTY {
                    return Ok(d);
                }
                match n.def.role {
                    Role::Class => Ok(self.bind_native_to(n, class)),
                    Role::Method if !through_class => Ok(self.bind_native_to(n, obj)),
                    _ => Ok(d),
                }
            }
            Kind::StaticMethod => Ok(d.get::<StaticMethod>().map_or(d, |s| s.func())),
            Kind::ClassMethod => match d.get::<ClassMethod>() {
                Some(c) => {
                    let f = c.func();
                    if f.is_a::<Function>() || f.is_a::<BoundMethod>() || f.is_a::<Native>() {
                        Ok(self.bind(f, class))
                    } else {
                        self.descriptor_get(f, class, class)
                            .map(|v| if v.is(f) { self.bind(f, class) } else { v })
                    }
                }
                None => Ok(d),
            },
            Kind::Property => {
                if through_class {
                    return Ok(d);
                }
                let Some(p) = d.get::<Property>() else { return Ok(d) };
                if p.fget().is_none() {
                    return Err(self.property_error(p, obj, "getter"));
                }
                if let Some(r) = self.get_by_native(p.fget(), obj) {
                    return r;
                }
                Err(Exit::tail(p.fget(), vec![obj]))
            }
            Kind::Member => {
                if through_class {
                    return Ok(d);
                }
                match d.get::<Member>() {
                    Some(m) => self.member_get(m, obj),
                    None => Ok(d),
                }
            }
            _ => {
                let c = self.class_of(d);
                match self.class_lookup(c, self.names.__get__) {
                    Some(f) => {
                        let obj = if through_class { Value::NONE } else { obj };
                        Err(Exit::tail(f, vec![d, obj, class]))
                    }
                    None => Ok(d),
                }
            }
        }
    }

    pub(super) fn get_by_native<'v>(&'v self, f: Value<'v>, obj: Value<'v>) -> Option<NResult<'v>> {
        let n = f.get::<Native>()?;
        let crate::native::NativeFn::Leaf(leaf) = n.def.func else { return None };
        if n.receiver.get() != EMPTY || !n.def.arity.exact(1) {
            return None;
        }
        Some(self.with_arg(leaf, obj))
    }

    /// Calls a leaf with one argument.
    pub(super) fn with_arg<'v>(&'v self, leaf: crate::native::Leaf, arg: Value<'v>) -> NResult<'v> {
        leaf(self, &[arg])
    }

    /// The item that a field of a named tuple stands for.
    fn tuple_field<'v>(&'v self, obj: Value<'v>, i: usize) -> NResult<'v> {
        let Some(t) = obj.get::<Tuple>() else {
            return Err(self.type_error(format!(
                "descriptor for index '{i}' for tuple subclasses doesn't apply to '{}' object",
                self.type_name(obj)
            )));
        };
        t.items().get(i).copied().ok_or_else(|| self.index_error("tuple index out of range"))
    }

    /// Fails if `obj` is no instance of the class that `m` describes: a class that is only
    /// registered as a subclass does not have its slots.
    fn member_owner<'v>(&'v self, m: &'v Member, obj: Value<'v>) -> Result<(), Exit<'v>> {
        if let Some(owner) = m.owner().get::<Class>()
            && !self.class_of(obj).is_subclass(owner)
        {
            let name =
                m.name().get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
            return Err(self.type_error(format!(
                "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
                owner.name_str(),
                self.type_name(obj)
            )));
        }
        Ok(())
    }

    /// What a slot or native attribute of `obj` holds.
    pub(super) fn member_get<'v>(&'v self, m: &'v Member, obj: Value<'v>) -> NResult<'v> {
        self.member_owner(m, obj)?;
        if let Some(i) = m.get().as_small() {
            return self.tuple_field(obj, i as usize);
        }
        if m.get().is_none() {
            // A slot: kept among the object's attributes under a name of its own.
            return match self.get_attr_raw(obj, m.set()) {
                Some(v) => Ok(v),
                None => Err(self.no_attribute(obj, m.name().word())),
            };
        }
        match m.get().get::<Native>() {
            Some(n) => match n.def.func {
                crate::native::NativeFn::Leaf(leaf) => self.with_arg(leaf, obj),
                crate::native::NativeFn::Host(host) | crate::native::NativeFn::Typed(_, host) => {
                    host(self, n, &[obj])
                }
            },
            None => Err(self.no_attribute(obj, m.name().word())),
        }
    }

    pub(super) fn bind_native_to<'v>(&'v self, n: &'v Native, receiver: Value<'v>) -> Value<'v> {
        let owner = self.word_value(n.owner.get());
        let slot = crate::interp::natives::is_slot_of(owner, n.def.name);
        let class =
            if slot && n.def.role == Role::Method { Type::MethodWrapper } else { Type::Builtin };
        Value::object(self.heap.alloc(
            Native::new(class.shape(), n.def, receiver, owner, n.data),
            0,
            false,
        ))
    }

    pub(crate) fn property_error<'v>(
        &'v self,
        p: &'v Property,
        obj: Value<'v>,
        what: &str,
    ) -> Exit<'v> {
        let name = match p.name().get::<Str>() {
            Some(s) => format!("property '{}'", s.to_display()),
            None => "property".into(),
        };
        let class = self.class_of(obj);
        let q = read(&class.qualname)
            .get::<Str>()
            .map_or_else(String::new, |s| s.to_display().into_owned());
        self.attribute_error(format!("{name} of '{q}' object has no {what}"), obj, p.name())
    }

    /// Lets descriptor `d` store (Empty: delete); `None` if it has no say.
    pub(super) fn descriptor_set<'v>(
        &'v self,
        d: Value<'v>,
        obj: Value<'v>,
        v: Value<'v>,
    ) -> Option<Result<(), Exit<'v>>> {
        match d.kind()? {
            Kind::Property => {
                let p = d.get::<Property>()?;
                if self.exact_type(d).is_none() {
                    let n = &self.names;
                    let hook = if v.is_empty() { n.__delete__ } else { n.__set__ };
                    let f = self.class_lookup(self.class_of(d), hook);
                    if let Some(f) = f.filter(|f| !f.is_a::<Native>()) {
                        let args = if v.is_empty() { vec![d, obj] } else { vec![d, obj, v] };
                        return Some(Err(Exit::tail(f, args)));
                    }
                }
                let (f, what) =
                    if v.is_empty() { (p.fdel(), "deleter") } else { (p.fset(), "setter") };
                if f.is_none() {
                    return Some(Err(self.property_error(p, obj, what)));
                }
                let args = if v.is_empty() { vec![obj] } else { vec![obj, v] };
                Some(Err(Exit::tail(f, args)))
            }
            Kind::Member => Some(self.member_set(d.get::<Member>()?, obj, v)),
            Kind::Instance => {
                let c = self.class_of(d);
                let set = self.class_lookup(c, self.names.__set__);
                let del = self.class_lookup(c, self.names.__delete__);
                if set.is_none() && del.is_none() {
                    return None;
                }
                Some(Err(match (v.is_empty(), set, del) {
                    (true, _, Some(f)) => Exit::tail(f, vec![d, obj]),
                    (false, Some(f), _) => Exit::tail(f, vec![d, obj, v]),
                    (true, _, None) => self.err(Type::AttributeError, "__delete__"),
                    (false, None, _) => self.err(Type::AttributeError, "__set__"),
                }))
            }
            _ => None,
        }
    }

    pub(super) fn member_set<'v>(
        &'v self,
        m: &'v Member,
        obj: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        self.member_owner(m, obj)?;
        let name = m.name();
        if m.get().is_none() {
            let key = m.set();
            if v.is_empty() {
                if self.del_slot(obj, key) {
                    return Ok(());
                }
                // Of an empty slot the message is the name alone.
                let text = name.get::<Str>().map_or("".into(), |s| s.to_display());
                return Err(self.attribute_error(text, obj, name));
            }
            return self.set_attr_raw(obj, key, v);
        }
        match m.set().get::<Native>() {
            None if m.get().as_small().is_some() => {
                Err(self.attribute_error("can't set attribute", obj, name))
            }
            Some(n) => match n.def.func {
                crate::native::NativeFn::Leaf(leaf) => leaf(self, &[obj, v]).map(|_| ()),
                crate::native::NativeFn::Host(host) | crate::native::NativeFn::Typed(_, host) => {
                    host(self, n, &[obj, v]).map(|_| ())
                }
            },
            None => {
                let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
                Err(self.attribute_error(
                    format!(
                        "attribute '{n}' of '{}' objects is not writable",
                        self.native_base_name(obj)
                    ),
                    obj,
                    name,
                ))
            }
        }
    }

    /// Stores (Empty: deletes) through a slot or native attribute.
    pub(crate) fn member_store<'v>(
        &'v self,
        d: Value<'v>,
        obj: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        d.get::<Member>().map_or(Ok(()), |m| self.member_set(m, obj, v))
    }

    /// Empties a slot; `false` if it was empty.
    pub(super) fn del_slot<'v>(&'v self, obj: Value<'v>, key: Value<'v>) -> bool {
        let Some(h) = obj.header() else { return false };
        let shape = self.shapes.get(h.shape.get());
        if shape.dict_mode {
            return self.del_attr_raw(obj, key).unwrap_or(false);
        }
        match shape.slot(key.word()).and_then(|s| slot_cell(h, s)) {
            Some(c) if c.get() != EMPTY => {
                c.set(EMPTY);
                true
            }
            _ => false,
        }
    }
}
