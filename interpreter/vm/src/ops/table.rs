//! Keys of dicts and elements of sets: looked up, stored and removed without calls where no
//! script `__hash__` or `__eq__` has a say, else by the prelude's `map`.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::object::map::{Dict, Set};
use crate::value::Value;

impl Vm {
    /// The value of `key`: the outer `None` if script code must compare, the inner if absent.
    #[inline]
    pub fn dict_get<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
    ) -> Result<Option<Option<Value<'v>>>, Exit<'v>> {
        let Some(hash) = self.hash_leaf(key)? else { return Ok(None) };
        let found = self.dict_lookup(d, key, hash)?;
        Ok(found.map(|at| at.and_then(|i| d.entry(i)).map(|(_, v)| v)))
    }

    /// Stores an entry; `false` if script code must compare first.
    #[inline]
    pub fn dict_store<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
        v: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        match self.hash_leaf(key)? {
            Some(hash) => self.dict_store_hashed(d, key, hash, v),
            None => Ok(false),
        }
    }

    /// As [`Vm::dict_store`] with the key's hash at hand.
    pub(crate) fn dict_store_hashed<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
        hash: i64,
        v: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        let Some(found) = self.dict_lookup(d, key, hash)? else { return Ok(false) };
        self.dict_put(d, found, key, hash, v)?;
        Ok(true)
    }

    /// Stores at an entry that a lookup found, or as a new one.
    pub fn dict_put<'v>(
        &'v self,
        d: &'v Dict,
        at: Option<usize>,
        key: Value<'v>,
        hash: i64,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let done = self.oom(d.update(&self.heap, |t| match at {
            Some(i) => {
                t.set_value(i, v.word());
                Ok(())
            }
            None => t.insert_new(hash, key.word(), v.word()).map(|_| ()),
        }))?;
        done.map_err(|_| self.memory_error())
    }

    /// Removes an entry and gives its value: as for [`Vm::dict_get`].
    pub fn dict_remove<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
    ) -> Result<Option<Option<Value<'v>>>, Exit<'v>> {
        let Some(hash) = self.hash_leaf(key)? else { return Ok(None) };
        match self.dict_lookup(d, key, hash)? {
            None => Ok(None),
            Some(None) => Ok(Some(None)),
            Some(Some(i)) => {
                let v = d.entry(i).map(|(_, v)| v);
                self.oom(d.update(&self.heap, |t| t.remove(i)))?;
                Ok(Some(v))
            }
        }
    }

    pub(crate) fn dict_contains<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        match self.dict_get(d, key)? {
            Some(found) => Ok(found.is_some()),
            None => Err(self.prelude_tail("map", "table_contains", &[Value::object(d), key])),
        }
    }

    pub(crate) fn set_contains<'v>(&'v self, s: &'v Set, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let v = self.set_key(v)?;
        if let Some(hash) = self.hash_leaf(v)?
            && let Some(found) = self.set_lookup(s, v, hash)?
        {
            return Ok(found.is_some());
        }
        Err(self.prelude_tail("map", "table_contains", &[Value::object(s), v]))
    }

    /// What is looked up for `v` in a set: a frozen copy, if it is a set.
    pub(crate) fn set_key<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match v.get::<Set>() {
            // A subclass may have a hash of its own.
            Some(s) if !s.is_frozen() && !self.is_hashable(v) => {
                let copy = self.frozenset();
                self.set_copy_into(s, copy)?;
                Ok(Value::object(copy))
            }
            _ => Ok(v),
        }
    }

    fn is_hashable(&self, v: Value<'_>) -> bool {
        self.exact_type(v).is_none()
            && self
                .class_lookup(self.class_of(v), self.names.__hash__)
                .is_some_and(|f| !f.is_none() && self.native_owner(f).is_none())
    }

    /// Fills an empty set with the elements of another.
    pub(crate) fn set_copy_into<'v>(&'v self, from: &Set, to: &'v Set) -> Result<(), Exit<'v>> {
        let table = from.table().try_clone().map_err(|_| self.memory_error())?;
        self.oom(to.update(&self.heap, |t| *t = table))
    }

    /// Adds an element; `false` if script code must compare first.
    #[inline]
    pub(crate) fn set_store<'v>(&'v self, s: &'v Set, v: Value<'v>) -> Result<bool, Exit<'v>> {
        match self.hash_leaf(v)? {
            Some(hash) => self.set_store_hashed(s, v, hash),
            None => Ok(false),
        }
    }

    pub(crate) fn set_store_hashed<'v>(
        &'v self,
        s: &'v Set,
        v: Value<'v>,
        hash: i64,
    ) -> Result<bool, Exit<'v>> {
        match self.set_lookup(s, v, hash)? {
            None => Ok(false),
            Some(Some(_)) => Ok(true),
            Some(None) => {
                self.set_insert(s, v, hash)?;
                Ok(true)
            }
        }
    }

    /// Adds an element that is not there.
    pub(crate) fn set_insert<'v>(
        &'v self,
        s: &'v Set,
        v: Value<'v>,
        hash: i64,
    ) -> Result<(), Exit<'v>> {
        let done = self.oom(s.update(&self.heap, |t| t.insert_new(hash, v.word())))?;
        done.map_err(|_| self.memory_error())
    }

    /// Removes an element: whether it was there, `None` if script code must compare.
    pub(crate) fn set_remove<'v>(
        &'v self,
        s: &'v Set,
        v: Value<'v>,
    ) -> Result<Option<bool>, Exit<'v>> {
        let Some(hash) = self.hash_leaf(v)? else { return Ok(None) };
        match self.set_lookup(s, v, hash)? {
            None => Ok(None),
            Some(None) => Ok(Some(false)),
            Some(Some(i)) => {
                self.oom(s.update(&self.heap, |t| t.remove(i)))?;
                Ok(Some(true))
            }
        }
    }

    // ---- building displays ----

    /// `{items..}`.
    pub(crate) fn make_set<'v>(&'v self, items: &[Value<'v>]) -> NResult<'v> {
        let s = self.set();
        for (i, v) in items.iter().enumerate() {
            if !self.set_store(s, *v)? {
                let rest = self.list(items[i..].to_vec())?;
                return Err(self.prelude_tail("map", "set_fill", &[Value::object(s), rest]));
            }
        }
        Ok(Value::object(s))
    }

    /// `{k: v, ..}` from keys and values in turn.
    pub(crate) fn make_dict<'v>(&'v self, pairs: &[Value<'v>]) -> NResult<'v> {
        let d = self.dict();
        for (i, p) in pairs.chunks_exact(2).enumerate() {
            if !self.dict_store(d, p[0], p[1])? {
                let rest = self.list(pairs[i * 2..].to_vec())?;
                return Err(self.prelude_tail("map", "dict_fill", &[Value::object(d), rest]));
            }
        }
        Ok(Value::object(d))
    }

    /// `set.add`.
    pub fn set_add<'v>(&'v self, set: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let Some(s) = set.get::<Set>() else { return Ok(()) };
        if self.set_store(s, v)? {
            return Ok(());
        }
        Err(self.prelude_tail("map", "set_add", &[set, v]))
    }

    /// `set.update`.
    pub(crate) fn set_update<'v>(&'v self, set: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let Some(s) = set.get::<Set>() else { return Ok(()) };
        if let Some(hashed) = self.hashed_if_plain(v) {
            if v.is_a::<Set>() && !hashed.is_empty() {
                let room = self.oom(s.update(&self.heap, |t| t.reserve_merge(hashed.len())))?;
                room.map_err(|_| self.memory_error())?;
            }
            for (hash, k) in hashed {
                self.tick()?;
                if !self.set_store_hashed(s, k, hash)? {
                    return Err(self.prelude_tail("map", "set_update", &[set, v]));
                }
            }
            return Ok(());
        }
        let Some(items) = self.items_leaf(v)? else {
            return Err(self.prelude_tail("map", "set_update", &[set, v]));
        };
        for (i, x) in items.iter().enumerate() {
            self.tick()?;
            if !self.set_store(s, *x)? {
                let rest = self.list(items[i..].to_vec())?;
                return Err(self.prelude_tail("map", "set_update", &[set, rest]));
            }
        }
        Ok(())
    }

    /// Elements with hashes of an exact set, dict or keys view, whose iteration nobody overrides.
    pub(crate) fn hashed_if_plain<'v>(&'v self, v: Value<'v>) -> Option<Vec<(i64, Value<'v>)>> {
        self.exact_type(v)?;
        self.hashed_elements(v)
    }

    /// `list.extend`.
    pub(crate) fn list_extend<'v>(&'v self, list: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let Some(l) = list.get::<crate::object::seq::List>() else { return Ok(()) };
        let items = match self.items_leaf(v) {
            Ok(Some(items)) => items,
            Ok(None) => {
                let extend = if self.has_hint(v) { "extend_hinted" } else { "extend" };
                return Err(self.prelude_tail("seq", extend, &[list, v]));
            }
            Err(e) => return Err(e),
        };
        self.check(items.len().saturating_mul(8))?;
        self.ticks(items.len() / 64)?;
        let done = self.oom(l.update(&self.heap, |own| {
            own.try_reserve(items.len())?;
            own.extend_from_slice(crate::object::seq::words(&items));
            Ok::<(), std::collections::TryReserveError>(())
        }))?;
        done.map_err(|_| self.memory_error())
    }

    /// `*v` among the arguments of `callee`, or in a display, where that is the list itself.
    pub(crate) fn extend_star<'v>(
        &'v self,
        list: Value<'v>,
        v: Value<'v>,
        callee: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let class = self.class_of(v);
        let names = &self.names;
        if self.class_lookup(class, names.__iter__).is_none_or(|f| f.is_none())
            && self.class_lookup(class, names.__getitem__).is_none()
        {
            let what = if callee.is(list) {
                "Value".to_owned()
            } else {
                format!("{} argument", self.callee_label(callee))
            };
            return Err(self.type_error(format!(
                "{what} after * must be an iterable, not {}",
                self.type_name(v)
            )));
        }
        self.list_extend(list, v)
    }

    /// `{**v}`: into a dict under construction.
    pub(crate) fn dict_update_display<'v>(
        &'v self,
        dict: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        if v.is_a::<Dict>() {
            return self.dict_merge(dict, v);
        }
        if self.class_lookup(self.class_of(v), self.names.keys).is_none() {
            return Err(self.type_error(format!("'{}' object is not a mapping", self.type_name(v))));
        }
        Err(self.prelude_tail("map", "update_from_mapping", &[dict, v]))
    }

    /// `dict.update(v)` for a dict `v`.
    pub fn dict_merge<'v>(&'v self, dict: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let (Some(d), Some(from)) = (dict.get::<Dict>(), v.get::<Dict>()) else { return Ok(()) };
        let overridden = self.exact_type(v).is_none() && {
            let class = self.class_of(v);
            [self.names.__iter__, self.names.keys].iter().any(|&n| {
                self.class_lookup(class, n).is_some_and(|f| self.native_owner(f).is_none())
            })
        };
        if overridden {
            return Err(self.prelude_tail("map", "update_from_mapping", &[dict, v]));
        }
        if std::ptr::eq(d, from) {
            return Ok(());
        }
        if d.is_empty() {
            let copy = from.table().try_clone().map_err(|_| self.memory_error())?;
            let version = d.table().version();
            if version == 0 {
                return self.oom(d.update(&self.heap, |t| *t = copy));
            }
        }
        let entries: Vec<(i64, Value<'v>, Value<'v>)> = from
            .table()
            .iter()
            .map(|e| (e.hash, self.word_value(e.key), self.word_value(e.value)))
            .collect();
        for (hash, k, x) in entries {
            self.tick()?;
            if !self.dict_store_hashed(d, k, hash, x)? {
                return Err(self.prelude_tail("map", "update_from_mapping", &[dict, v]));
            }
        }
        Ok(())
    }

    /// `f(**v)`: into the keywords under construction.
    pub(crate) fn dict_merge_keywords<'v>(
        &'v self,
        dict: Value<'v>,
        v: Value<'v>,
        callee: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let Some(d) = dict.get::<Dict>() else { return Ok(()) };
        let label = self.callee_label(callee);
        let Some(from) = v.get::<Dict>() else {
            if self.class_lookup(self.class_of(v), self.names.keys).is_none() {
                return Err(self.type_error(format!(
                    "{label} argument after ** must be a mapping, not {}",
                    self.type_name(v)
                )));
            }
            let label = self.str(&label)?;
            return Err(self.prelude_tail("map", "merge_keywords", &[dict, v, label]));
        };
        for (k, x) in from.entries() {
            let Some(s) = k.get::<crate::object::text::Str>() else {
                return Err(self.type_error("keywords must be strings"));
            };
            if self.dict_get_name(d, k).is_some() {
                return Err(self.type_error(format!(
                    "{label} got multiple values for keyword argument '{}'",
                    s.to_display()
                )));
            }
            self.dict_set_name(d, Value::object(self.intern_str(s)), x)?;
        }
        Ok(())
    }

    /// How messages about its arguments name what is called.
    pub(crate) fn callee_label(&self, callee: Value<'_>) -> String {
        use crate::object::class::Class;
        use crate::object::func::{BoundMethod, Function, Native};
        if let Some(m) = callee.get::<BoundMethod>() {
            return self.callee_label(crate::object::read(&m.func));
        }
        let module = |m: String, name: String| match m.as_str() {
            "builtins" | "" => format!("{name}()"),
            _ => format!("{m}.{name}()"),
        };
        if let Some(f) = callee.get::<Function>() {
            let m = crate::object::read(&f.globals)
                .get::<Dict>()
                .and_then(|d| self.dict_get_str(d, "__name__"))
                .and_then(|n| n.get::<crate::object::text::Str>())
                .map_or_else(String::new, |s| s.to_display().into_owned());
            return module(m, self.func_name(f));
        }
        if let Some(n) = callee.get::<Native>() {
            return self.native_label(n);
        }
        match callee.get::<Class>() {
            Some(c) if c.has(crate::object::class::class_flags::HEAP) => {
                let module_name = self
                    .class_lookup(c, self.intern("__module__").word())
                    .and_then(|v| v.get::<crate::object::text::Str>())
                    .map_or_else(String::new, |s| s.to_display().into_owned());
                module(module_name, c.name_str().into_owned())
            }
            Some(c) => {
                let own = |n: &str| {
                    self.get_attr_raw(callee, self.intern(n))
                        .and_then(|v| v.get::<crate::object::text::Str>())
                        .map(|s| s.to_display().into_owned())
                };
                module(own("__module__").unwrap_or_default(), c.name_str().into_owned())
            }
            None if callee.is_none() => "None".to_owned(),
            None => format!("{} object", self.type_name(callee)),
        }
    }
}
