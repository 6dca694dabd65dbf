//! `type.__new__`: the class object from its name, bases and namespace.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::{CellObj, Function};
use crate::object::instance::MAX_INLINE;
use crate::object::map::Dict;
use crate::object::read;
use crate::object::record::{ClassMethod, Member, StaticMethod};
use crate::object::text::Str;
use crate::value::Value;

/// What a class takes beside its object, about: its namespace and its shapes.
const CLASS_BYTES: usize = 768;

/// After the order of a class was found. State: the class, the keywords of its statement.
static ORDERED_ROW: Row = Row {
    name: "class_ordered",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        let Some(class) = state[0].get::<Class>() else { return Ok(state[0]) };
        for b in class.bases().iter().filter_map(|b| b.get::<Class>()) {
            b.subclasses.borrow_mut().push(state[0].word());
        }
        vm.update_class_flags(class);
        vm.set_names(class, state[1])
    },
};

impl Vm {
    /// The most derived of `meta` and the metaclasses of `bases`.
    pub(crate) fn winning_metaclass<'v>(
        &'v self,
        meta: &'v Class,
        bases: &[Value<'v>],
    ) -> Result<&'v Class, Exit<'v>> {
        let mut winner = meta;
        for b in bases {
            let m = self.class_of(*b);
            if winner.is_subclass(m) {
                continue;
            }
            if !m.is_subclass(winner) {
                return Err(self.type_error(
                    "metaclass conflict: the metaclass of a derived class must be a (non-strict) \
                     subclass of the metaclasses of all its bases",
                ));
            }
            winner = m;
        }
        Ok(winner)
    }

    /// `type.__new__(meta, name, bases, ns, **kw)`.
    pub(crate) fn type_new<'v>(
        &'v self,
        meta: &'v Class,
        name: Value<'v>,
        bases: Value<'v>,
        ns: Value<'v>,
        kw: Value<'v>,
    ) -> NResult<'v> {
        let Some(namespace) = ns.get::<Dict>() else {
            return Err(self.type_error(format!(
                "type.__new__() argument 3 must be dict, not {}",
                self.type_name(ns)
            )));
        };
        let items: Vec<Value<'v>> = match self.tuple_items(bases) {
            [] => vec![self.class_value(Type::Object)],
            items => items.to_vec(),
        };
        for b in &items {
            if !b.is_a::<Class>() {
                let n = self.word_value(self.names.__mro_entries__);
                return Err(self.type_error(match self.getattr_opt(*b, n) {
                    Ok(v) if !v.is_empty() => {
                        "type() doesn't support MRO entry resolution; use types.new_class()"
                    }
                    // The class of what is no class cannot be a metaclass.
                    _ => {
                        "metaclass conflict: the metaclass of a derived class must be a \
                         (non-strict) subclass of the metaclasses of all its bases"
                    }
                }));
            }
        }
        let winner = self.winning_metaclass(meta, &items)?;
        if !std::ptr::eq(winner, meta) {
            let new = self.class_lookup(winner, self.names.__new__);
            let own = self.class_lookup(self.class(Type::Type), self.names.__new__);
            if let (Some(new), Some(own)) = (new, own)
                && !new.is(own)
            {
                let f = self.descriptor_get(new, Value::NONE, Value::object(winner))?;
                return Err(self.call_kw(f, vec![Value::object(winner), name, bases, ns], kw));
            }
        }
        let base = self.best_base(&items)?;
        let class = self.make_class(winner, name, &items, base)?;
        self.fill_namespace(class, namespace)?;
        self.add_slots(class, base, &items)?;
        let ordered = self.order_class(class);
        self.and_then(ordered, &ORDERED_ROW, vec![Value::object(class), kw])
    }

    fn make_class<'v>(
        &'v self,
        meta: &'v Class,
        name: Value<'v>,
        bases: &[Value<'v>],
        base: &'v Class,
    ) -> Result<&'v Class, Exit<'v>> {
        let Some(text) = name.get::<Str>() else {
            return Err(self.type_error(format!(
                "type.__new__() argument 1 must be str, not {}",
                self.type_name(name)
            )));
        };
        if text.bytes().contains(&0) {
            return Err(self.value_error("type name must not contain null characters"));
        }
        let layout = base.layout.get();
        // Never refunded: shapes keep classes alive.
        self.heap.hold(CLASS_BYTES);
        let class = self.heap.alloc(Class::new(meta.root_shape.get(), layout, false), 0, true);
        let word = Value::object(class).word();
        class.root_shape.set(self.shapes.root(word, false));
        class.native_type.set(base.native_type.get());
        class.host_data.set(base.host_data.get());
        class.name.set(Value::object(self.intern_str(text)).word());
        class.qualname.set(class.name.get());
        class.bases.set(self.tuple(bases)?.word());
        // Until the order is known the class stands alone, so that lookups in it are safe.
        class.mro.set(self.tuple(&[Value::object(class)])?.word());
        let inherited = class_flags::EXCEPTION | class_flags::NO_NEW;
        let mut flags = class_flags::HEAP;
        let mut inline = 0;
        for b in bases.iter().filter_map(|b| b.get::<Class>()) {
            flags |= b.flags.get() & inherited;
            inline = inline.max(b.inline_slots.get() as usize);
        }
        class.flags.set(flags);
        if layout == Kind::Instance {
            let hint = self.attr_hint.replace(0) as usize;
            class.inline_slots.set((inline + hint).min(MAX_INLINE) as u16);
        }
        Ok(class)
    }

    fn fill_namespace<'v>(&'v self, class: &'v Class, ns: &'v Dict) -> Result<(), Exit<'v>> {
        let n = &self.names;
        let put = |name: Value<'v>, v: Value<'v>| -> Result<(), Exit<'v>> {
            let hash = self.name_hash(name.word());
            let mut t = class.ns_mut();
            match t.find_identical(hash, name.word()) {
                Some(i) => {
                    t.set_value(i, v.word());
                }
                None => {
                    t.insert_new(hash, name.word(), v.word()).map_err(|_| self.memory_error())?;
                }
            }
            Ok(())
        };
        for (k, v) in ns.entries() {
            let Some(k) = k.get::<Str>() else { continue };
            let key = Value::object(self.intern_str(k));
            let w = key.word();
            if w == n.__qualname__ {
                let Some(q) = v.get::<Str>() else {
                    return Err(self.type_error(format!(
                        "type __qualname__ must be a str, not {}",
                        self.type_name(v)
                    )));
                };
                class.qualname.set(Value::object(q).word());
                continue;
            }
            if w == n.__classcell__ {
                let Some(c) = v.get::<CellObj>() else {
                    return Err(self.type_error(format!(
                        "type.__new__() __classcell__ must be a nonlocal cell, not {}",
                        self.class_repr(self.class_value_of(v))
                    )));
                };
                c.contents.set(Value::object(class).word());
                continue;
            }
            let v = if !v.is_a::<Function>() {
                v
            } else if w == n.__new__ {
                self.alloc_with_attrs(
                    StaticMethod::new(Type::StaticMethod.shape(), v, Value::EMPTY),
                    0,
                    false,
                )
            } else if w == n.__init_subclass__ || w == n.__class_getitem__ {
                self.alloc_with_attrs(
                    ClassMethod::new(Type::ClassMethod.shape(), v, Value::EMPTY),
                    0,
                    false,
                )
            } else {
                v
            };
            put(key, v)?;
        }
        let has = |w| self.class_own(class, self.name_hash(w), w).is_some();
        if has(n.__eq__) && !has(n.__hash__) {
            put(self.word_value(n.__hash__), Value::NONE)?;
        }
        if !has(n.__module__)
            && let Some(m) = self.dict_get_name(self.caller_globals(), self.word_value(n.__name__))
        {
            put(self.word_value(n.__module__), m)?;
        }
        if !has(n.__doc__) {
            put(self.word_value(n.__doc__), Value::NONE)?;
        }
        Ok(())
    }

    /// The names in `__slots__` become descriptors; without `__dict__` among them, and with bases
    /// that have none either, instances get no `__dict__`.
    fn add_slots<'v>(
        &'v self,
        class: &'v Class,
        base: &'v Class,
        bases: &[Value<'v>],
    ) -> Result<(), Exit<'v>> {
        let n = &self.names;
        let Some(slots) = self.class_own(class, self.name_hash(n.__slots__), n.__slots__) else {
            return Ok(());
        };
        let names: Vec<Value<'v>> = if slots.is_a::<Str>() {
            vec![slots]
        } else if let Some(d) = slots.get::<Dict>() {
            d.entries().into_iter().map(|(k, _)| k).collect()
        } else {
            match self.plain_items(slots) {
                Some(items) => items,
                None => self.items_leaf(slots)?.ok_or_else(|| {
                    self.type_error(format!("'{}' object is not iterable", self.type_name(slots)))
                })?,
            }
        };
        let bases_without_dict = bases.iter().filter_map(|b| b.get::<Class>()).all(|b| {
            if b.has(class_flags::HEAP) {
                b.has(class_flags::NO_DICT)
            } else {
                !b.has(class_flags::EXCEPTION)
                    && !matches!(b.layout.get(), Kind::Class | Kind::Module | Kind::Function)
                    && !std::ptr::eq(b, self.class(Type::SimpleNamespace))
            }
        });
        let mut dict = false;
        let mut made = 0;
        let fixed = matches!(base.layout.get(), Kind::BigInt | Kind::Tuple | Kind::Bytes);
        for s in names {
            let Some(text) = s.get::<Str>() else {
                return Err(self.type_error(format!(
                    "__slots__ items must be strings, not '{}'",
                    self.type_name(s)
                )));
            };
            let text = text.to_display().into_owned();
            if !is_identifier(&text) {
                return Err(self.type_error("__slots__ must be identifiers"));
            }
            if text == "__dict__" {
                if !bases_without_dict || dict {
                    return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                }
                dict = true;
                continue;
            }
            if text == "__weakref__" {
                continue;
            }
            if fixed {
                return Err(self.type_error(format!(
                    "nonempty __slots__ not supported for subtype of '{}'",
                    base.name_str()
                )));
            }
            let name = self.intern(&mangle(&class.name_str(), &text));
            if self.class_own(class, self.name_hash(name.word()), name.word()).is_some() {
                return Err(self
                    .value_error(format!("'{text}' in __slots__ conflicts with class variable")));
            }
            let key = self.intern(&format!("{SLOT_PREFIX}{}.{text}", class.root_shape.get()));
            let member = self.heap.alloc(
                Member::new(Type::Member.shape(), name, Value::object(class), Value::NONE, key),
                0,
                false,
            );
            class
                .ns_mut()
                .insert_new(self.name_hash(name.word()), name.word(), Value::object(member).word())
                .map_err(|_| self.memory_error())?;
            made += 1;
        }
        if bases_without_dict && !dict {
            class.set_flag(class_flags::NO_DICT);
        }
        if class.layout.get() == Kind::Instance {
            // The methods assign to the slots, so the hint has counted them already.
            let inline = (class.inline_slots.get() as usize).max(made);
            class.inline_slots.set(inline.min(MAX_INLINE) as u16);
        }
        Ok(())
    }

    /// The items of a tuple, list or set.
    pub(crate) fn plain_items<'v>(&'v self, v: Value<'v>) -> Option<Vec<Value<'v>>> {
        use crate::object::{map::Set, seq::List, seq::Tuple};
        if let Some(t) = v.get::<Tuple>() {
            return Some(t.items().to_vec());
        }
        if let Some(l) = v.get::<List>() {
            return Some(l.to_vec());
        }
        v.get::<Set>().map(|s| s.elements())
    }

    /// Calls the `__set_name__` of what the namespace holds, then `__init_subclass__`.
    fn set_names<'v>(&'v self, class: &'v Class, kw: Value<'v>) -> NResult<'v> {
        let mut pending = Vec::new();
        for e in self.class_ns(class).iter() {
            let v = self.word_value(e.value);
            if !v.is_object() || v.is_a::<Function>() || v.is_a::<Str>() {
                continue;
            }
            if self.class_lookup(self.class_of(v), self.names.__set_name__).is_some() {
                pending.push(v);
                pending.push(self.word_value(e.key));
            }
        }
        let pending = self.tuple(&pending)?;
        set_next_name(self, &[Value::object(class), kw, pending, Value::len(0)])
    }

    fn init_subclass<'v>(&'v self, class: &'v Class, kw: Value<'v>) -> NResult<'v> {
        static DONE: Row = Row {
            name: "init_subclass_done",
            catches: false,
            resume: |_, state, answer| answer.value().map(|_| state[0]),
        };
        let me = Value::object(class);
        let name = self.names.__init_subclass__;
        let hash = self.name_hash(name);
        let found =
            class.mro().iter().skip(1).find_map(|c| self.class_own(c.get::<Class>()?, hash, name));
        let Some(f) = found else { return Ok(me) };
        let kw_empty = kw.get::<Dict>().is_none_or(|d| d.is_empty());
        let plain = self.class_own(self.class(Type::Object), hash, name);
        if kw_empty && plain.is_some_and(|p| p.is(f)) {
            return Ok(me);
        }
        let bound = self.descriptor_get(f, me, me)?;
        self.and_then(Err(self.call_kw(bound, vec![], kw)), &DONE, vec![me])
    }

    /// The globals of the nearest script frame that is not hidden.
    pub(crate) fn caller_globals(&self) -> &Dict {
        let mut found = None;
        self.walk_frames(|f| {
            if f.func.code().proto.flags.hidden {
                return true;
            }
            found = read(&f.func.globals).get::<Dict>();
            false
        });
        found.unwrap_or_else(|| self.builtins())
    }

    /// `module.name` of a builtin class as some messages show it.
    pub fn full_type_name(&self, c: &Class) -> String {
        let name = c.name_str().into_owned();
        if c.has(class_flags::HEAP) {
            return name;
        }
        match Type::ALL.get(c.native_type.get() as usize) {
            Some(t) if std::ptr::eq(c, self.class(*t)) => t.full_name().to_owned(),
            // One of an extension's.
            _ => match self.class_lookup(c, self.names.__module__).and_then(|m| m.get::<Str>()) {
                Some(module) => format!("{}.{name}", module.to_display()),
                None => name,
            },
        }
    }
}

/// Keys of slots among the attributes of an object begin with this.
pub(crate) const SLOT_PREFIX: &str = "\u{1}";

/// `__x` in class `C` is `_C__x`.
fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if class.is_empty() || !name.starts_with("__") || name.ends_with("__") {
        return name.to_owned();
    }
    format!("_{class}{name}")
}

/// State: class, keywords, tuple of descriptors and names in turn, index.
fn set_next_name<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static NAMED: Row = Row {
        name: "set_name_done",
        catches: true,
        resume: |vm, state, answer| match answer {
            Answer::Raised(e) => Err(set_name_note(vm, state, e)),
            Answer::Value(_) => set_next_name(vm, state),
        },
    };
    let items = vm.tuple_items(state[2]);
    let mut i = state[3].as_small().unwrap_or(0) as usize;
    let Some(class) = state[0].get::<Class>() else { return Ok(state[0]) };
    while let Some(pair) = items.get(i..i + 2) {
        i += 2;
        let next = vec![state[0], state[1], state[2], Value::len(i)];
        let r = match vm.method(pair[0], vm.names.__set_name__) {
            Ok(Some((f, mut args))) => {
                args.extend([state[0], pair[1]]);
                vm.call_leaf(f, &args).unwrap_or_else(|| Err(Exit::tail(f, args)))
            }
            r => r.map(|_| Value::NONE),
        };
        if r.is_err() {
            return vm.and_then(r, &NAMED, next);
        }
    }
    vm.init_subclass(class, state[1])
}

fn set_name_note<'v>(vm: &'v Vm, state: &[Value<'v>], e: Value<'v>) -> Exit<'v> {
    let i = state[3].as_small().unwrap_or(2) as usize;
    let items = vm.tuple_items(state[2]);
    let name = items.get(i - 1).and_then(|n| n.get::<Str>()).map_or("?".into(), |s| s.to_display());
    let class = state[0].get::<Class>().map_or("?".into(), |c| c.name_str());
    let owner = items.get(i - 2).map_or_else(String::new, |v| vm.type_name(*v));
    let note = format!("Error calling __set_name__ on '{owner}' instance '{name}' in '{class}'");
    if let Ok(n) = vm.str(&note) {
        let _ = vm.add_note(e, n);
    }
    Exit::Raise(e)
}

/// Whether `s` could be a name.
fn is_identifier(s: &str) -> bool {
    use crate::text::case::{is_identifier_part, is_identifier_start};
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c == '_' || is_identifier_start(c.into()))
        && chars.all(|c| is_identifier_part(c.into()))
}
