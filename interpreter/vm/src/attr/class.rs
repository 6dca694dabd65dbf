//! Classes of values, and looking names up in them: with a cache, and what has to follow when a
//! class changes.

use std::cell::{Cell, Ref};

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, NativeDef, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::Native;
use crate::object::text::Str;
use crate::table::DictTable;
use crate::value::{EMPTY, FALSE, TRUE, Value, Word, is_float, is_int};
/// Recently looked-up class attributes, by class and name. Emptied when any class changes and by
/// each collection.
pub(crate) struct MethodCache {
    rows: Vec<Cell<(Word, Word, Word)>>,
    /// Whether something was put in since it was emptied: classes are made by many changes.
    used: Cell<bool>,
}

const CACHE_SIZE: usize = 512;

impl Default for MethodCache {
    fn default() -> MethodCache {
        MethodCache { rows: vec![Cell::new((0, 0, 0)); CACHE_SIZE], used: Cell::new(false) }
    }
}

impl MethodCache {
    #[inline(always)]
    fn row(&self, class: Word, name: Word) -> &Cell<(Word, Word, Word)> {
        let i = ((class >> 4) ^ (name >> 4).wrapping_mul(31)) as usize % CACHE_SIZE;
        &self.rows[i]
    }

    pub(crate) fn clear(&self) {
        if self.used.replace(false) {
            for r in &self.rows {
                r.set((0, 0, 0));
            }
        }
    }

    /// Forgets what `class` has as `name`.
    fn forget(&self, class: Word, name: Word) {
        self.row(class, name).set((0, 0, 0));
    }
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
        self.method_cache.used.set(true);
        class.set_flag(class_flags::CACHED);
        found
    }

    pub(super) fn class_lookup_uncached<'v>(
        &'v self,
        class: &'v Class,
        name: Word,
    ) -> Option<Value<'v>> {
        let hash = self.name_hash(name);
        class.mro().iter().find_map(|c| self.class_own(c.get::<Class>()?, hash, name))
    }

    /// The shape of instances of a class that keep their attributes in a dict.
    pub(crate) fn dict_shape(&self, class: &Class) -> u32 {
        if class.dict_shape.get() == 0 {
            class.dict_shape.set(self.shapes.root(Value::object(class).word(), true));
        }
        class.dict_shape.get()
    }

    /// The namespace of a class.
    #[inline]
    pub(crate) fn class_ns<'c>(&self, class: &'c Class) -> Ref<'c, DictTable> {
        if class.has(class_flags::UNFILLED) {
            crate::builtins::fill_class(self, class);
        }
        class.ns()
    }

    /// The attribute `name` (interned) of this class alone.
    #[inline]
    pub(crate) fn class_own<'c>(
        &self,
        class: &'c Class,
        hash: i64,
        name: Word,
    ) -> Option<Value<'c>> {
        let ns = self.class_ns(class);
        let i = ns.find_identical(hash, name)?;
        ns.get(i).map(|e| crate::object::lend(class, e.value))
    }

    /// The hash of an interned name.
    #[inline(always)]
    pub(crate) fn name_hash(&self, name: Word) -> i64 {
        self.word_value(name).get::<Str>().map_or(0, |s| self.str_hash(s))
    }

    /// The class in whose namespace `name` is found for `class`.
    pub fn defining_class<'v>(&'v self, class: &'v Class, name: Word) -> Option<&'v Class> {
        let hash = self.name_hash(name);
        let mut classes = class.mro().iter().filter_map(|c| c.get::<Class>());
        classes.find(|c| self.class_own(c, hash, name).is_some())
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
            drop(self.class_ns(class));
            let mut ns = class.ns_mut();
            match ns.find_identical(hash, name.word()) {
                Some(i) if v.is_empty() => {
                    ns.remove(i);
                }
                Some(i) => {
                    let old = ns.set_value(i, v.word());
                    drop(ns);
                    self.class_value_replaced(
                        class,
                        name,
                        self.word_value(old.unwrap_or(EMPTY)),
                        v,
                    );
                    return Ok(true);
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

    /// A class attribute has another value. When that happens again and again, the name becomes
    /// volatile, and then there is nothing in the caches that must be emptied.
    fn class_value_replaced(&self, class: &Class, name: Value<'_>, old: Value<'_>, new: Value<'_>) {
        let plain = |v: Value<'_>| !self.is_data_descriptor(v) && v.kind() != Some(Kind::Instance);
        match name.get::<Str>() {
            Some(s) if s.is_volatile() && plain(old) && plain(new) => {
                self.forget_class_name(class, name.word());
            }
            Some(s) => {
                if !s.bytes().starts_with(b"__") {
                    s.note_rebound();
                }
                self.class_changed(class, name.word());
            }
            None => {}
        }
    }

    fn forget_class_name(&self, class: &Class, name: Word) {
        self.method_cache.forget(Value::object(class).word(), name);
        for &w in class.subclasses.borrow().iter() {
            if let Some(c) = self.word_value(w).get::<Class>() {
                self.forget_class_name(c, name);
            }
        }
    }

    /// A class attribute changed: flags follow and caches are emptied.
    pub(crate) fn class_changed(&self, class: &Class, name: Word) {
        // Of a new class, which changes often until it is complete, no cache knows anything.
        if class.has(class_flags::CACHED) || !class.subclasses.borrow().is_empty() {
            self.method_cache.clear();
            self.flush_caches();
        }
        let n = &self.names;
        let special = [
            n.__getattribute__,
            n.__getattr__,
            n.__setattr__,
            n.__delattr__,
            n.__new__,
            n.__call__,
            n.__del__,
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
                | class_flags::META_CALL
                | class_flags::FINALIZER);
        if is_script(n.__getattribute__) {
            f |= class_flags::GETATTRIBUTE;
        }
        if self.class_lookup_uncached(class, n.__getattr__).is_some() {
            f |= class_flags::GETATTR;
        }
        if is_script(n.__setattr__) || is_script(n.__delattr__) {
            f |= class_flags::SETATTR;
        }
        let new = self.class_lookup_uncached(class, n.__new__);
        if is_script(n.__new__) && new.is_none_or(|f| !f.is_a::<Native>()) {
            f |= class_flags::NEW;
        }
        if self.class_lookup_uncached(class, n.__del__).is_some() {
            f |= class_flags::FINALIZER;
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
        self.st.sites.clear();
        let mut codes = self.cached_codes.borrow_mut();
        if codes.is_empty() {
            return;
        }
        crate::stats::Counters::bump(&self.counters.cache_flushes);
        for c in codes.drain(..) {
            crate::cache::flush(c);
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
            Some(d) => self.method_behind(d, obj).map(Some),
        }
    }

    /// The special method `name` of `obj`'s class, bound; `None` if there is none. A `__get__` in a
    /// script is asked.
    pub fn bound_method<'v>(&'v self, obj: Value<'v>, name: Word) -> Option<NResult<'v>> {
        let d = self.class_lookup(self.class_of(obj), name)?;
        Some(self.descriptor_get(d, obj, self.class_value_of(obj)))
    }

    /// What to call, and with which first arguments, for what descriptor `d` of the class of `obj`
    /// gives. A `__get__` in a script is asked when that is called.
    pub(crate) fn method_behind<'v>(
        &'v self,
        d: Value<'v>,
        obj: Value<'v>,
    ) -> Result<(Value<'v>, Vec<Value<'v>>), Exit<'v>> {
        let class = self.class_value_of(obj);
        match self.descriptor_get(d, obj, class) {
            Ok(f) => Ok((f, Vec::new())),
            Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
            Err(Exit::Do(_)) => {
                let through = self.native(&CALL_THROUGH, Value::EMPTY);
                Ok((through, vec![d, obj, class]))
            }
        }
    }
}

/// Calls a method that a script's `__get__` gives.
static CALL_THROUGH: NativeDef = NativeDef::new(
    "call_through",
    "descriptor, instance, owner, /, *args, **kwargs",
    |vm, args| {
        static FOUND: Row = Row {
            name: "call_through",
            catches: false,
            resume: |vm, state, answer| {
                Err(vm.call_kw(answer.value()?, state[1..].to_vec(), state[0]))
            },
        };
        let found = vm.descriptor_get(args[0], args[1], args[2]);
        vm.and_then(found, &FOUND, args[3..].to_vec())
    },
    "",
);

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
