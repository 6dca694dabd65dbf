//! Attribute instructions with their caches, `for`, `with`, `await` and import.

use crate::Vm;
use crate::attr::Attr;
use crate::builtins::Type;
use crate::cache::kind;
use crate::heap::Kind;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::Function;
use crate::object::instance::{INLINE_OFFSET, has_attrs, inline_count, slot_cell};
use crate::object::map::Dict;
use crate::object::record::{ClassMethod, Member, Module, Property};
use crate::object::seq::{Range, Tuple};
use crate::object::text::Str;
use crate::stats::Counters;
use crate::value::{EMPTY, Value, fits_small, int_word, marker};

/// After the `__getattr__` of a module on behalf of `from module import name`. State: both.
static IMPORT_FROM_ROW: Row = Row {
    name: "import_from",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Raised(e) if vm.is_exception_of(e, Type::AttributeError) => {
            vm.import_from_elsewhere(state[0], state[1])
        }
        answer => answer.value(),
    },
};

impl Vm {
    /// GETATTR beyond its cache: looks up, and remembers what can be remembered.
    pub(crate) fn getattr_cached<'v>(&'v self, obj: Value<'v>, cache: usize) -> NResult<'v> {
        Counters::bump(&self.counters.cache_misses);
        let name = self.cache_name(cache);
        if let Some(v) = self.try_fast_attr(obj, name, cache) {
            return Ok(v);
        }
        self.getattr(obj, name)
    }

    /// The getter to call for an attribute that is a property in script code.
    pub(crate) fn property_getter<'v>(&'v self, obj: Value<'v>, cache: usize) -> Option<Value<'v>> {
        if obj.kind() != Some(Kind::Instance) {
            return None;
        }
        let class = self.class_of(obj);
        if class.has(class_flags::GETATTRIBUTE | class_flags::GETATTR) {
            return None;
        }
        let found = self.class_lookup(class, self.cache_name(cache).word())?;
        let p = found.get::<Property>().filter(|_| self.exact_type(found).is_some())?;
        Some(p.fget()).filter(|f| f.is_a::<Function>())
    }

    /// The name under which instance `obj` keeps what slot descriptor `d` of its class stands for.
    fn slot_key<'v>(&'v self, obj: Value<'v>, class: &Class, d: Value<'v>) -> Option<Value<'v>> {
        let m = d.get::<Member>().filter(|m| m.get().is_none())?;
        let own = obj.kind() == Some(Kind::Instance)
            && m.owner().get::<Class>().is_some_and(|owner| class.is_subclass(owner));
        if own { Some(m.set()) } else { None }
    }

    /// The item of tuple `obj` that descriptor `d` of its class stands for.
    fn field_at_hand<'v>(
        &'v self,
        obj: Value<'v>,
        d: Value<'v>,
        cache: usize,
    ) -> Option<Value<'v>> {
        let i = d.get::<Member>()?.get().as_small()?;
        let v = obj.get::<Tuple>()?.items().get(i as usize)?;
        self.fill_cache(cache, u64::from(obj.header()?.shape.get()) | kind::ITEM, i as u64, 0);
        Some(*v)
    }

    /// The attribute if it is found without calling anything; fills the cache.
    fn try_fast_attr<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
        cache: usize,
    ) -> Option<Value<'v>> {
        let h = obj.header()?;
        if let Some(m) = obj.get::<Module>() {
            // A class of a script's may look its attributes up in its own way.
            self.exact_type(obj)?;
            return self.cache_module_attr(m, name, cache);
        }
        if let Some(c) = obj.get::<Class>() {
            let v = self.class_attr_at_hand(c, name)?;
            if !is_volatile(name) {
                let key = u64::from(h.shape.get()) | kind::OBJECT;
                self.fill_cache(cache, key, v.word(), obj.word());
            }
            return Some(v);
        }
        let class = self.class_of(obj);
        if class.has(class_flags::GETATTRIBUTE) {
            return None;
        }
        let shape = h.shape.get();
        let in_class = self.class_lookup(class, name.word());
        if let Some(key) = in_class.and_then(|d| self.slot_key(obj, class, d)) {
            let s = self.shapes.get(shape);
            let slot = s.slot(key.word()).filter(|n| !s.dict_mode && *n < inline_count(h))?;
            // A slot may be emptied, so its place is looked at each time.
            let offset = (INLINE_OFFSET + slot * 8) as u64;
            self.fill_cache(cache, u64::from(shape) | kind::SLOT, offset, 0);
            let v = crate::object::read(slot_cell(h, slot)?);
            return if v.is_empty() { None } else { Some(v) };
        }
        if let Some(v) = in_class.and_then(|d| self.field_at_hand(obj, d, cache)) {
            return Some(v);
        }
        if in_class.is_some_and(|d| self.is_data_descriptor(d)) {
            return None;
        }
        if !has_attrs(h) {
            return None;
        }
        let s = self.shapes.get(shape);
        if s.dict_mode {
            return None;
        }
        if let Some(slot) = s.slot(name.word()) {
            let v = crate::object::read(slot_cell(h, slot)?);
            if v.is_empty() {
                return None;
            }
            let inline = inline_count(h);
            if slot < inline {
                // A removed attribute changes the shape, so a slot that was set stays set.
                let offset = INLINE_OFFSET + slot * 8;
                self.fill_cache(cache, u64::from(shape) | kind::INLINE, offset as u64, 0);
            } else {
                let key = u64::from(shape) | kind::MORE;
                self.fill_cache(cache, key, (slot - inline) as u64, 0);
            }
            return Some(v);
        }
        let v = in_class?;
        let plain = match v.kind() {
            None => true,
            Some(k) => matches!(
                k,
                Kind::Str
                    | Kind::List
                    | Kind::Tuple
                    | Kind::Dict
                    | Kind::Int64
                    | Kind::BigInt
                    | Kind::Set
                    | Kind::FrozenSet
                    | Kind::Bytes
            ),
        };
        if plain {
            if !is_volatile(name) {
                self.fill_cache(cache, u64::from(shape) | kind::CLASS, v.word(), 0);
            }
            return Some(v);
        }
        None
    }

    /// An attribute of class `c` that is the same at each access until a class changes.
    fn class_attr_at_hand<'v>(&'v self, c: &'v Class, name: Value<'v>) -> Option<Value<'v>> {
        let meta = self.class_of(Value::object(c));
        if meta.has(class_flags::GETATTRIBUTE) {
            return None;
        }
        let in_meta = self.class_lookup(meta, name.word());
        if in_meta.is_some_and(|d| self.is_data_descriptor(d)) {
            return None;
        }
        let v = self.class_lookup(c, name.word())?;
        match v.kind() {
            Some(Kind::StaticMethod) if self.exact_type(v).is_some() => {
                self.descriptor_get(v, Value::EMPTY, Value::object(c)).ok()
            }
            Some(Kind::Instance) => {
                let own = self.class_lookup(self.class_of(v), self.names.__get__);
                if own.is_none() { Some(v) } else { None }
            }
            None
            | Some(
                Kind::Function
                | Kind::Str
                | Kind::List
                | Kind::Tuple
                | Kind::Dict
                | Kind::Int64
                | Kind::BigInt
                | Kind::Set
                | Kind::FrozenSet
                | Kind::Bytes,
            ) => Some(v),
            _ => None,
        }
    }

    /// A script function that is a class method of class `c`.
    fn class_method_at_hand<'v>(&'v self, c: &'v Class, name: Value<'v>) -> Option<Value<'v>> {
        let meta = self.class_of(Value::object(c));
        if meta.has(class_flags::GETATTRIBUTE)
            || self.class_lookup(meta, name.word()).is_some_and(|d| self.is_data_descriptor(d))
        {
            return None;
        }
        let v = self.class_lookup(c, name.word())?;
        let m = v.get::<ClassMethod>().filter(|_| self.exact_type(v).is_some())?;
        Some(m.func()).filter(|f| f.is_a::<Function>())
    }

    fn cache_module_attr<'v>(
        &'v self,
        m: &'v Module,
        name: Value<'v>,
        cache: usize,
    ) -> Option<Value<'v>> {
        let d = m.dict().get::<Dict>()?;
        let t = d.table();
        let i = t.find_identical(self.name_hash(name.word()), name.word())?;
        let v = self.word_value(t.get(i)?.value);
        let version = t.version() & 0xFFFF_FFFF;
        self.fill_cache(
            cache,
            u64::from(Type::Module.shape()) | kind::MODULE,
            version << 32 | i as u64,
            d as *const Dict as u64,
        );
        Some(v)
    }

    /// SETATTR beyond its cache.
    pub(crate) fn setattr_cached<'v>(
        &'v self,
        obj: Value<'v>,
        v: Value<'v>,
        cache: usize,
    ) -> Result<(), Exit<'v>> {
        Counters::bump(&self.counters.cache_misses);
        let mut name = self.cache_name(cache);
        let class = self.class_of(obj);
        let found = self.class_lookup(class, name.word());
        let key = found.and_then(|d| self.slot_key(obj, class, d));
        let plain = !class.has(class_flags::SETATTR | class_flags::NO_DICT)
            && obj.kind() == Some(Kind::Instance)
            && !std::ptr::eq(class, self.class(Type::Object))
            && found.is_none_or(|d| !self.is_data_descriptor(d));
        match key.filter(|_| !class.has(class_flags::SETATTR)) {
            Some(key) => name = key,
            None if !plain => return self.setattr(obj, name, v),
            None => {}
        }
        let Some(h) = obj.header() else { return Ok(()) };
        let before = h.shape.get();
        let slots_before = self.shapes.get(before).names().len();
        self.set_attr_raw(obj, name, v)?;
        let after = h.shape.get();
        let s = self.shapes.get(after);
        if s.dict_mode {
            return Ok(());
        }
        let Some(slot) = s.slot(name.word()) else { return Ok(()) };
        if slot >= inline_count(h) {
            return Ok(());
        }
        let offset = (INLINE_OFFSET + slot * 8) as u64;
        if before == after {
            self.fill_cache(cache, u64::from(before) | kind::INLINE, offset, 0);
        } else if slot == slots_before {
            self.fill_cache(cache, u64::from(before) | kind::ADD, offset, u64::from(after));
        }
        Ok(())
    }

    /// SELF beyond its cache: gives what goes to `R[a]`, and sets `R[a+1]`.
    pub(crate) fn load_method<'v>(&'v self, a: usize, obj: Value<'v>, cache: usize) -> NResult<'v> {
        Counters::bump(&self.counters.cache_misses);
        let name = self.cache_name(cache);
        self.st.set_reg(a + 1, EMPTY);
        if let Some(m) = obj.get::<Module>()
            && self.exact_type(obj).is_some()
            && let Some(v) = self.cache_module_attr(m, name, cache)
        {
            return Ok(v);
        }
        if let Some(c) = obj.get::<Class>()
            && let Some(h) = obj.header()
            && !is_volatile(name)
        {
            let shape = u64::from(h.shape.get());
            if let Some(f) = self.class_method_at_hand(c, name) {
                self.fill_cache(cache, shape | kind::CLASS_METHOD, f.word(), obj.word());
                self.st.set_reg(a + 1, obj.word());
                return Ok(f);
            }
            if let Some(v) = self.class_attr_at_hand(c, name) {
                self.fill_cache(cache, shape | kind::OBJECT, v.word(), obj.word());
                return Ok(v);
            }
        }
        let class = self.class_of(obj);
        if class.has(class_flags::GETATTRIBUTE | class_flags::GETATTR) {
            return self.getattr(obj, name);
        }
        match self.lookup_attr(obj, name)? {
            Attr::Value(v) => Ok(v),
            Attr::Missing => self.getattr(obj, name),
            Attr::Method(f) => {
                self.st.set_reg(a + 1, obj.word());
                if let Some(h) = obj.header() {
                    let s = self.shapes.get(h.shape.get());
                    // An object whose attributes are in a dict may get one of this name without
                    // a change of shape.
                    if !s.dict_mode
                        && h.kind() != Kind::Function
                        && !obj.is_a::<Class>()
                        && !is_volatile(name)
                    {
                        let key = u64::from(h.shape.get()) | kind::METHOD;
                        self.fill_cache(cache, key, f.word(), 0);
                    }
                }
                Ok(f)
            }
        }
    }

    /// FORPREP: the state of an iteration over `v`.
    pub(crate) fn for_prepare<'v>(&'v self, a: usize, v: Value<'v>) -> Result<(), Exit<'v>> {
        match self.exact_type(v) {
            Some(Type::List | Type::Tuple) => {
                self.st.set_reg(a, v.word());
                self.st.set_reg(a + 1, int_word(0));
                return Ok(());
            }
            Some(Type::Range) => {
                let small = v.get::<Range>().and_then(|r| r.small());
                if let Some((start, stop, step)) = small
                    && let Ok(step) = i32::try_from(step)
                    && fits_small(stop + i64::from(step))
                {
                    self.st.set_reg(a, marker::RANGE | u64::from(step as u32));
                    self.st.set_reg(a + 1, int_word(start));
                    self.st.set_reg(a + 2, int_word(stop));
                    return Ok(());
                }
            }
            _ => {}
        }
        self.st.set_reg(a + 1, EMPTY);
        let i = self.get_iter(v)?;
        self.st.set_reg(a, i.word());
        Ok(())
    }

    /// WITHPREP: both methods, bound.
    pub(crate) fn with_prepare<'v>(
        &'v self,
        a: usize,
        mgr: Value<'v>,
        is_async: bool,
    ) -> Result<(), Exit<'v>> {
        let n = &self.names;
        let (enter, exit, what) = if is_async {
            (n.__aenter__, n.__aexit__, "asynchronous context manager")
        } else {
            (n.__enter__, n.__exit__, "context manager")
        };
        let class = self.class_of(mgr);
        let bound = |name| -> Result<Option<Value<'v>>, Exit<'v>> {
            match self.class_lookup(class, name) {
                None => Ok(None),
                Some(f) => self.descriptor_get(f, mgr, Value::object(class)).map(Some),
            }
        };
        let missing = |method: u64| {
            let m = self.word_value(method);
            let m = m.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
            let mut msg =
                format!("'{}' object does not support the {what} protocol", self.type_name(mgr));
            if m.ends_with("exit__") {
                msg.push_str(&format!(" (missed {m} method)"));
            }
            self.type_error(msg)
        };
        let (enter_f, exit_f) = match (bound(enter), bound(exit)) {
            (Ok(Some(enter)), Ok(Some(exit))) => (enter, exit),
            (Ok(None), _) => return Err(missing(enter)),
            (Err(e @ Exit::Raise(_)), _) => return Err(e),
            (_, Ok(None)) => return Err(missing(exit)),
            (_, Err(e @ Exit::Raise(_))) => return Err(e),
            _ => {
                // Script code has to bind them: when the first is called.
                let raw = |name| self.class_lookup(class, name).unwrap_or(Value::NONE);
                let class = Value::object(class);
                let late = self.list(vec![mgr, class, raw(enter), raw(exit)])?;
                let bind = |name| -> NResult<'v> {
                    let f = self.prelude("seq", name)?;
                    Ok(self.bind(f, late))
                };
                (bind("with_enter")?, bind("with_exit")?)
            }
        };
        self.st.set_reg(a, exit_f.word());
        self.st.set_reg(a + 1, enter_f.word());
        Ok(())
    }

    /// IMPORT: the module (the first of a dotted name without a fromlist, else the last).
    pub(crate) fn import_op<'v>(
        &'v self,
        name: Value<'v>,
        fromlist: Value<'v>,
        level: Value<'v>,
    ) -> NResult<'v> {
        let import = self.dict_get_name(self.builtins(), self.word_value(self.names.__import__));
        match import {
            Some(f) => {
                let globals = Value::object(self.globals());
                Err(Exit::tail(f, vec![name, globals, Value::NONE, fromlist, level]))
            }
            None => Err(self.err(Type::ImportError, "__import__ not found")),
        }
    }

    /// IMPORTFROM.
    pub(crate) fn import_from<'v>(&'v self, module: Value<'v>, name: Value<'v>) -> NResult<'v> {
        match self.getattr_opt(module, name) {
            Ok(v) if !v.is_empty() => Ok(v),
            Err(e @ Exit::Do(_)) => self.and_then(Err(e), &IMPORT_FROM_ROW, vec![module, name]),
            _ => self.import_from_elsewhere(module, name),
        }
    }

    /// `from module import name` where the module has no such attribute.
    fn import_from_elsewhere<'v>(&'v self, module: Value<'v>, name: Value<'v>) -> NResult<'v> {
        let text = |v: Value<'_>| v.get::<Str>().map(|s| s.to_display().into_owned());
        let dunder = |n| {
            module
                .get::<Module>()
                .and_then(|m| m.dict().get::<Dict>())
                .and_then(|d| self.dict_get_name(d, self.word_value(n)))
        };
        let module_name = dunder(self.names.__name__).and_then(text);
        // A submodule that is being imported is in sys.modules, but not yet an attribute.
        if let Some(m) = &module_name {
            let full = format!("{m}.{}", text(name).unwrap_or_default());
            if let Some(v) = self.dict_get_str(self.modules(), &full) {
                return Ok(v);
            }
        }
        let file = dunder(self.names.__file__).and_then(text);
        let name_text = text(name).unwrap_or_default();
        let shown = module_name.clone().unwrap_or_else(|| "<unknown module name>".into());
        let place = file.clone().unwrap_or_else(|| "unknown location".into());
        let e = self.exception(
            Type::ImportError,
            if module_name.as_deref().is_some_and(|m| self.host().is_importing(m)) {
                format!(
                    "cannot import name '{name_text}' from partially initialized module \
                     '{shown}' (most likely due to a circular import) ({place})"
                )
            } else {
                format!("cannot import name '{name_text}' from '{shown}' ({place})")
            },
        );
        let pairs = [
            (self.names.name, self.str(&shown)?),
            (
                self.names.path,
                match &file {
                    Some(f) => self.str(f)?,
                    None => Value::NONE,
                },
            ),
            (self.intern("name_from").word(), name),
        ];
        for (k, v) in pairs {
            self.set_attr_raw(e, self.word_value(k), v)?;
        }
        Err(Exit::Raise(e))
    }

    /// A name from a namespace that is no plain dict, then globals and builtins.
    pub(crate) fn namespace_get<'v>(&'v self, ns: Value<'v>, name: Value<'v>) -> NResult<'v> {
        static ROW: crate::native::Row = crate::native::Row {
            name: "namespace_get",
            catches: true,
            resume: |vm, state, answer| match answer {
                crate::native::Answer::Value(v) => Ok(v),
                crate::native::Answer::Raised(e) if vm.is_exception_of(e, Type::KeyError) => {
                    vm.global_or_builtin(state[0])
                }
                crate::native::Answer::Raised(e) => Err(Exit::Raise(e)),
            },
        };
        match self.method(ns, self.names.__getitem__)? {
            Some((f, mut args)) => {
                args.push(name);
                Err(Exit::call(f, args, &ROW, vec![name]))
            }
            None => self.global_or_builtin(name),
        }
    }

    /// A tuple's items, or nothing.
    pub fn tuple_items<'v>(&'v self, v: Value<'v>) -> &'v [Value<'v>] {
        v.get::<Tuple>().map_or(&[], |t| t.items())
    }
}

/// Whether what is found in a class under `name` may not be cached.
fn is_volatile(name: Value<'_>) -> bool {
    name.get::<Str>().is_some_and(Str::is_volatile)
}
