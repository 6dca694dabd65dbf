//! Classes of values, looking names up in them, and attributes of objects.
//!
//! Lookups that end in a value are done here. Where a descriptor or a `__getattr__` written in
//! script code has a say, the result is what to call: see [`Attr`].

use std::cell::Cell;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::{Header, Kind};
use crate::native::{Action, Answer, Exit, NResult, Role, Row, Then};
use crate::object::class::{Class, class_flags};
use crate::object::func::{BoundMethod, Function, Native};
use crate::object::instance::{has_attrs, inline_count, more_of, slot_cell};
use crate::object::map::Dict;
use crate::object::read;
use crate::object::record::{
    ClassMethod, GenericAlias, Member, Module, Property, StaticMethod, Super,
};
use crate::object::text::Str;
use crate::value::{EMPTY, FALSE, TRUE, Value, Word, is_float, is_int};

/// Recently looked-up class attributes, by class and name. Emptied when any class changes and by
/// each collection.
pub(crate) struct MethodCache {
    rows: Vec<Cell<(Word, Word, Word)>>,
}

const CACHE_SIZE: usize = 512;

impl Default for MethodCache {
    fn default() -> MethodCache {
        MethodCache { rows: vec![Cell::new((0, 0, 0)); CACHE_SIZE] }
    }
}

impl MethodCache {
    #[inline(always)]
    fn row(&self, class: Word, name: Word) -> &Cell<(Word, Word, Word)> {
        let i = ((class >> 4) ^ (name >> 4).wrapping_mul(31)) as usize % CACHE_SIZE;
        &self.rows[i]
    }

    pub(crate) fn clear(&self) {
        for r in &self.rows {
            r.set((0, 0, 0));
        }
    }
}

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

impl Vm {
    /// The class of a value.
    #[inline]
    pub fn class_of<'v>(&'v self, v: Value<'v>) -> &'v Class {
        self.class_value_of(v).get::<Class>().expect("every value has a class")
    }

    /// The class of a value, as a value.
    #[inline]
    pub fn class_value_of(&self, v: Value<'_>) -> Value<'_> {
        match v.header() {
            Some(h) => self.word_value(self.shapes.class(h.shape.get())),
            None => self.class_value(immediate_type(v.word())),
        }
    }

    /// The builtin type of a value if it is exactly of it, not of a subclass.
    #[inline]
    pub fn exact_type(&self, v: Value<'_>) -> Option<Type> {
        match v.header() {
            Some(h) => Type::ALL.get(h.shape.get() as usize).copied(),
            None => Some(immediate_type(v.word())),
        }
    }

    /// Whether `v` is an instance of builtin class `t` or of a subclass.
    pub fn is_instance_of(&self, v: Value<'_>, t: Type) -> bool {
        self.class_of(v).is_subclass(self.class(t))
    }

    /// The attribute `name` (an interned name's word) of `class` or one it derives from.
    #[inline]
    pub fn class_lookup<'v>(&'v self, class: &'v Class, name: Word) -> Option<Value<'v>> {
        let cw = Value::object(class).word();
        let row = self.method_cache.row(cw, name);
        let (c, n, v) = row.get();
        if c == cw && n == name {
            let v = self.word_value(v);
            return if v.is_empty() { None } else { Some(v) };
        }
        let found = self.class_lookup_uncached(class, name);
        row.set((cw, name, found.map_or(EMPTY, Value::word)));
        class.set_flag(class_flags::CACHED);
        found
    }

    fn class_lookup_uncached<'v>(&'v self, class: &'v Class, name: Word) -> Option<Value<'v>> {
        let hash = self.name_hash(name);
        class.mro().iter().find_map(|c| c.get::<Class>()?.own(hash, name))
    }

    /// The hash of an interned name.
    #[inline(always)]
    pub(crate) fn name_hash(&self, name: Word) -> i64 {
        self.word_value(name).get::<Str>().map_or(0, |s| self.str_hash(s))
    }

    /// The class in whose namespace `name` is found for `class`.
    pub fn defining_class<'v>(&'v self, class: &'v Class, name: Word) -> Option<&'v Class> {
        let hash = self.name_hash(name);
        class.mro().iter().filter_map(|c| c.get::<Class>()).find(|c| c.own(hash, name).is_some())
    }

    /// Sets (Empty: deletes) an attribute of a class; `false` if there was nothing to delete.
    pub fn class_set<'v>(
        &'v self,
        class: &'v Class,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        let hash = self.name_hash(name.word());
        {
            let mut ns = class.ns_mut();
            match ns.find_identical(hash, name.word()) {
                Some(i) if v.is_empty() => {
                    ns.remove(i);
                }
                Some(i) => {
                    ns.set_value(i, v.word());
                }
                None if v.is_empty() => return Ok(false),
                None => {
                    ns.insert_new(hash, name.word(), v.word()).map_err(|_| self.memory_error())?;
                }
            }
        }
        self.class_changed(class, name.word());
        Ok(true)
    }

    /// A class attribute changed: flags follow and caches are emptied.
    pub(crate) fn class_changed(&self, class: &Class, name: Word) {
        self.method_cache.clear();
        self.flush_caches();
        let n = &self.names;
        let special = [
            n.__getattribute__,
            n.__getattr__,
            n.__setattr__,
            n.__delattr__,
            n.__new__,
            n.__call__,
        ];
        if special.contains(&name) {
            self.update_class_flags(class);
        }
    }

    /// Works out the flags of a class and of those derived from it.
    pub(crate) fn update_class_flags(&self, class: &Class) {
        let is_script =
            |name: Word| self.defining_class(class, name).is_some_and(|c| c.has(class_flags::HEAP));
        let n = &self.names;
        let mut f = class.flags.get()
            & !(class_flags::GETATTRIBUTE
                | class_flags::GETATTR
                | class_flags::SETATTR
                | class_flags::NEW
                | class_flags::META_CALL);
        if is_script(n.__getattribute__) {
            f |= class_flags::GETATTRIBUTE;
        }
        if self.class_lookup_uncached(class, n.__getattr__).is_some() {
            f |= class_flags::GETATTR;
        }
        if is_script(n.__setattr__) || is_script(n.__delattr__) {
            f |= class_flags::SETATTR;
        }
        if is_script(n.__new__) {
            f |= class_flags::NEW;
        }
        let meta = self.class_of(Value::object(class));
        if self.defining_class(meta, n.__call__).is_some_and(|c| c.has(class_flags::HEAP)) {
            f |= class_flags::META_CALL;
        }
        class.flags.set(f);
        let subs: Vec<Value<'_>> =
            class.subclasses.borrow().iter().map(|&w| self.word_value(w)).collect();
        for s in subs {
            if let Some(s) = s.get::<Class>() {
                self.update_class_flags(s);
            }
        }
    }

    /// Empties all inline caches.
    pub(crate) fn flush_caches(&self) {
        let mut codes = self.cached_codes.borrow_mut();
        if codes.is_empty() {
            return;
        }
        crate::stats::Counters::bump(&self.counters.cache_flushes);
        for c in codes.drain(..) {
            crate::cache::flush(c);
        }
    }

    // ---- attribute storage ----

    /// The dict of an object in dict mode.
    fn mode_dict<'v>(&'v self, h: &'v Header) -> Option<&'v Dict> {
        if !self.shapes.get(h.shape.get()).dict_mode {
            return None;
        }
        read(more_of(h)).get::<Dict>()
    }

    /// An attribute of the object itself, without its class.
    #[inline]
    pub fn get_attr_raw<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> Option<Value<'v>> {
        let h = obj.header()?;
        if !has_attrs(h) {
            return match h.kind() {
                Kind::Module => {
                    let d = obj.get::<Module>()?.dict().get::<Dict>()?;
                    self.dict_get_name(d, name)
                }
                Kind::Function => {
                    let d = read(&obj.get::<Function>()?.attrs).get::<Dict>()?;
                    self.dict_get_name(d, name)
                }
                _ => None,
            };
        }
        let shape = self.shapes.get(h.shape.get());
        if shape.dict_mode {
            return self.dict_get_name(read(more_of(h)).get::<Dict>()?, name);
        }
        let cell = slot_cell(h, shape.slot(name.word())?)?;
        let v = read(cell);
        if v.is_empty() { None } else { Some(v) }
    }

    /// Sets an attribute of the object itself, without its class.
    pub fn set_attr_raw<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let Some(h) = obj.header() else { return Ok(()) };
        if !has_attrs(h) {
            let dict = match h.kind() {
                Kind::Module => obj.get::<Module>().and_then(|m| m.dict().get::<Dict>()),
                Kind::Function => obj.get::<Function>().map(|f| self.function_attrs(f)),
                _ => None,
            };
            return match dict {
                Some(d) => self.dict_set_name(d, name, v),
                None => Err(self.no_attribute(obj, name.word())),
            };
        }
        let shape = self.shapes.get(h.shape.get());
        if shape.dict_mode {
            return match read(more_of(h)).get::<Dict>() {
                Some(d) => self.dict_set_name(d, name, v),
                None => Ok(()),
            };
        }
        if let Some(slot) = shape.slot(name.word()) {
            return self.store_slot(h, slot, v);
        }
        match self.shapes.add(h.shape.get(), name.word()) {
            Some(next) => {
                self.store_slot(h, shape.names().len(), v)?;
                h.shape.set(next);
                Ok(())
            }
            None => {
                let d = self.to_dict_mode(obj)?;
                self.dict_set_name(d, name, v)
            }
        }
    }

    /// Stores into slot `slot`, making room for it.
    pub(crate) fn store_slot<'v>(
        &'v self,
        h: &'v Header,
        slot: usize,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        if let Some(c) = slot_cell(h, slot) {
            c.set(v.word());
            return Ok(());
        }
        let inline = inline_count(h);
        let old = read(more_of(h)).get::<crate::object::instance::Slots>();
        let used = old.map_or(0, |s| s.cells().len());
        let max = crate::object::instance::Slots::MAX;
        let want = (slot - inline + 1).max(used * 2).max(4).min(max);
        if slot - inline >= max {
            return Err(self.memory_error());
        }
        let new = self.slots(want);
        if let Some(old) = old {
            for (n, o) in new.cells().iter().zip(old.cells()) {
                n.set(o.get());
            }
        }
        new.cells()[slot - inline].set(v.word());
        more_of(h).set(Value::object(new).word());
        Ok(())
    }

    /// Removes an attribute of the object itself; `false` if it is not there.
    pub fn del_attr_raw<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> Result<bool, Exit<'v>> {
        if self.get_attr_raw(obj, name).is_none() {
            return Ok(false);
        }
        let Some(h) = obj.header() else { return Ok(false) };
        let dict = if has_attrs(h) {
            Some(self.to_dict_mode(obj)?)
        } else {
            match h.kind() {
                Kind::Module => obj.get::<Module>().and_then(|m| m.dict().get::<Dict>()),
                Kind::Function => obj.get::<Function>().map(|f| self.function_attrs(f)),
                _ => None,
            }
        };
        match dict {
            Some(d) => self.dict_del_name(d, name),
            None => Ok(false),
        }
    }

    /// Moves the attributes of an object into a dict, which is its `__dict__` from now on.
    pub fn to_dict_mode<'v>(&'v self, obj: Value<'v>) -> Result<&'v Dict, Exit<'v>> {
        let Some(h) = obj.header().filter(|h| has_attrs(h)) else {
            return Err(self.type_error("object has no __dict__"));
        };
        if let Some(d) = self.mode_dict(h) {
            return Ok(d);
        }
        let d = self.dict();
        let shape = self.shapes.get(h.shape.get());
        for (i, &n) in shape.names().iter().enumerate() {
            if let Some(c) = slot_cell(h, i)
                && c.get() != EMPTY
            {
                self.dict_set_name(d, self.word_value(n), read(c))?;
            }
        }
        let class = self.class_of(obj);
        h.shape.set(class.dict_shape.get());
        more_of(h).set(Value::object(d).word());
        if let Some(i) = obj.get::<crate::object::instance::Instance>() {
            for c in i.inline() {
                c.set(EMPTY);
            }
        }
        Ok(d)
    }

    /// Names and values of the attributes of an object itself.
    pub fn own_attrs<'v>(&'v self, obj: Value<'v>) -> Vec<(Value<'v>, Value<'v>)> {
        let Some(h) = obj.header() else { return Vec::new() };
        if !has_attrs(h) {
            return match h.kind() {
                Kind::Module => obj
                    .get::<Module>()
                    .and_then(|m| m.dict().get::<Dict>())
                    .map_or_else(Vec::new, Dict::entries),
                Kind::Function => obj
                    .get::<Function>()
                    .and_then(|f| read(&f.attrs).get::<Dict>())
                    .map_or_else(Vec::new, Dict::entries),
                _ => Vec::new(),
            };
        }
        if let Some(d) = self.mode_dict(h) {
            return d.entries();
        }
        let shape = self.shapes.get(h.shape.get());
        let mut out = Vec::new();
        for (i, &n) in shape.names().iter().enumerate() {
            if let Some(c) = slot_cell(h, i)
                && c.get() != EMPTY
            {
                out.push((self.word_value(n), read(c)));
            }
        }
        out
    }

    fn function_attrs<'v>(&'v self, f: &'v Function) -> &'v Dict {
        if let Some(d) = read(&f.attrs).get::<Dict>() {
            return d;
        }
        let d = self.dict();
        f.attrs.set(Value::object(d).word());
        d
    }

    /// The `__dict__` of a function.
    pub fn function_dict<'v>(&'v self, f: &'v Function) -> &'v Dict {
        self.function_attrs(f)
    }

    // ---- the lookup of object.__getattribute__ ----

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
        let class = self.class_of(obj);
        let found = self.class_lookup(class, name.word());
        if let Some(d) = found
            && self.is_data_descriptor(d)
            && (d.kind() != Some(Kind::Instance)
                || self.class_lookup(self.class_of(d), self.names.__get__).is_some())
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
                None => self.lookup_origin_attr(obj, name),
            },
            Some(f) if self.is_plain_method(f) => Ok(Attr::Method(f)),
            Some(d) => self.descriptor_get(d, obj, Value::object(class)).map(Attr::Value),
        }
    }

    /// `list[int].append` is that of `list`; other objects have nothing more.
    fn lookup_origin_attr<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
    ) -> Result<Attr<'v>, Exit<'v>> {
        let is_dunder = name.get::<Str>().is_some_and(|s| s.bytes().starts_with(b"__"));
        let origin = obj.get::<GenericAlias>().map(|g| g.origin());
        match origin.filter(|o| !is_dunder && !o.is_empty()) {
            Some(o) => match self.getattr_opt(o, name)? {
                v if v.is_empty() => Ok(Attr::Missing),
                v => Ok(Attr::Value(v)),
            },
            None => Ok(Attr::Missing),
        }
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
        {
            return self.descriptor_get(d, obj, Value::object(meta)).map(Attr::Value);
        }
        if let Some(v) = self.class_lookup(c, name.word()) {
            return self.descriptor_get(v, Value::NONE, obj).map(Attr::Value);
        }
        match in_meta {
            None => Ok(Attr::Missing),
            Some(f) if self.is_plain_method(f) => Ok(Attr::Method(f)),
            Some(d) => self.descriptor_get(d, obj, Value::object(meta)).map(Attr::Value),
        }
    }

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
        let through_class = obj.is_none() && !class.is(self.class_value(Type::NoneType));
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

    fn get_by_native<'v>(&'v self, f: Value<'v>, obj: Value<'v>) -> Option<NResult<'v>> {
        let n = f.get::<Native>()?;
        let crate::native::NativeFn::Leaf(leaf) = n.def.func else { return None };
        if n.receiver.get() != EMPTY || !n.def.arity.exact(1) {
            return None;
        }
        Some(self.with_arg(leaf, obj))
    }

    /// Calls a leaf with one argument.
    fn with_arg<'v>(&'v self, leaf: crate::native::Leaf, arg: Value<'v>) -> NResult<'v> {
        leaf(self, &[arg])
    }

    /// What a slot or native attribute of `obj` holds.
    fn member_get<'v>(&'v self, m: &'v Member, obj: Value<'v>) -> NResult<'v> {
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

    fn bind_native_to<'v>(&'v self, n: &'v Native, receiver: Value<'v>) -> Value<'v> {
        let class = if crate::interp::call::is_slot(n.def.name) && n.def.role == Role::Method {
            Type::MethodWrapper
        } else {
            Type::Builtin
        };
        let owner = self.word_value(n.owner.get());
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

    /// `obj.name` in full: a value, or an exit. `__getattr__` and script descriptors become calls.
    pub fn getattr<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> NResult<'v> {
        match self.getattr_opt(obj, name)? {
            v if v.is_empty() => Err(self.no_attribute(obj, name.word())),
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
                if let Some(f) = self.getattr_hook(class, obj) {
                    return Err(Exit::tail(f.0, f.1.into_iter().chain([name]).collect()));
                }
                Ok(Value::EMPTY)
            }
            Ok(Attr::Missing) => Ok(Value::EMPTY),
            Err(e) if class.has(class_flags::GETATTR) => Err(self.with_getattr(e, obj, name)),
            Err(e) => Err(e),
        }
    }

    fn getattr_hook<'v>(
        &'v self,
        class: &'v Class,
        obj: Value<'v>,
    ) -> Option<(Value<'v>, Vec<Value<'v>>)> {
        if let Some(m) = obj.get::<Module>() {
            let d = m.dict().get::<Dict>()?;
            return Some((self.dict_get_name(d, self.word_value(self.names.__getattr__))?, vec![]));
        }
        Some((self.class_lookup(class, self.names.__getattr__)?, vec![obj]))
    }

    /// A script `__getattribute__`, and `__getattr__` if that raises AttributeError.
    fn getattr_script<'v>(
        &'v self,
        class: &'v Class,
        obj: Value<'v>,
        name: Value<'v>,
    ) -> NResult<'v> {
        let Some(f) = self.class_lookup(class, self.names.__getattribute__) else {
            return Ok(Value::EMPTY);
        };
        let e = Exit::tail(f, vec![obj, name]);
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
        match self.class_lookup(self.class_of(obj), self.names.__getattr__) {
            Some(f) => Err(Exit::tail(f, vec![obj, name])),
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
            let (hook, args) = if v.is_empty() {
                (self.names.__delattr__, vec![obj, name])
            } else {
                (self.names.__setattr__, vec![obj, name, v])
            };
            let f = self.class_lookup(class, hook);
            if let Some(f) = f.filter(|f| f.is_a::<Function>() || !f.is_a::<Native>()) {
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
                || matches!(h.kind(), Kind::Module | Kind::Function)
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

    /// Lets descriptor `d` store (Empty: delete); `None` if it has no say.
    fn descriptor_set<'v>(
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

    fn member_set<'v>(
        &'v self,
        m: &'v Member,
        obj: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
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
            Some(n) => match n.def.func {
                crate::native::NativeFn::Leaf(leaf) => leaf(self, &[obj, v]).map(|_| ()),
                crate::native::NativeFn::Host(host) | crate::native::NativeFn::Typed(_, host) => {
                    host(self, n, &[obj, v]).map(|_| ())
                }
            },
            None => {
                let n = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
                Err(self.attribute_error(
                    format!("attribute '{n}' of '{}' objects is not writable", self.type_name(obj)),
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
    fn del_slot<'v>(&'v self, obj: Value<'v>, key: Value<'v>) -> bool {
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

    /// The special method `name` of `obj`'s class, and the arguments that bind it: the object for
    /// a function, none for what a descriptor made of it.
    pub fn method<'v>(
        &'v self,
        obj: Value<'v>,
        name: Word,
    ) -> Result<Option<(Value<'v>, Vec<Value<'v>>)>, Exit<'v>> {
        let class = self.class_of(obj);
        match self.class_lookup(class, name) {
            None => Ok(None),
            Some(f) if self.is_plain_method(f) => Ok(Some((f, vec![obj]))),
            Some(d) => {
                let f = self.descriptor_get(d, obj, Value::object(class))?;
                Ok(Some((f, Vec::new())))
            }
        }
    }
}

/// The type of a value that is no object.
fn immediate_type(w: Word) -> Type {
    if is_float(w) {
        return Type::Float;
    }
    if is_int(w) {
        return Type::Int;
    }
    match w {
        TRUE | FALSE => Type::Bool,
        w if w == Value::ELLIPSIS.word() => Type::EllipsisType,
        w if w == Value::NOT_IMPLEMENTED.word() => Type::NotImplementedType,
        _ => Type::NoneType,
    }
}
