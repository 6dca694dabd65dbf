//! The order of classes: which base settles the layout, the method resolution order, `mro()` of
//! metaclasses, and assignment to `__bases__`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, Row};
use crate::object::class::{Class, class_flags};
use crate::object::record::Member;
use crate::object::seq::Tuple;
use crate::value::Value;

/// After the `mro` of a metaclass, its items as a list or tuple. State: the class.
static MRO_ROW: Row = Row {
    name: "class_mro",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let Some(class) = state[0].get::<Class>() else { return Ok(v) };
        let Some(items) = vm.plain_items(v) else {
            return Err(vm.collect_then(v, &MRO_ROW, state.to_vec()));
        };
        let layout = vm.solid_base(class);
        for c in &items {
            let Some(c) = c.get::<Class>() else {
                return Err(
                    vm.type_error(format!("mro() returned a non-class ('{}')", vm.type_name(*c)))
                );
            };
            if !std::ptr::eq(c, class) && !layout.is_derived(vm.solid_base(c)) {
                return Err(vm.type_error(format!(
                    "mro() returned base with unsuitable layout ('{}')",
                    c.name_str()
                )));
            }
        }
        class.mro.set(vm.tuple(&items)?.word());
        Ok(state[0])
    },
};

impl Class {
    /// Whether `base` is among the bases, their bases and so on: `is_subclass` before there is an
    /// order.
    fn is_derived(&self, base: &Class) -> bool {
        std::ptr::eq(self, base)
            || self.bases().iter().filter_map(|b| b.get::<Class>()).any(|b| b.is_subclass(base))
    }
}

impl Vm {
    /// Finds the order of a new class: by its metaclass's `mro`, if that has one of its own.
    pub(crate) fn order_class<'v>(&'v self, class: &'v Class) -> NResult<'v> {
        let me = Value::object(class);
        let own = self.class_lookup(self.class(Type::Type), self.names.mro);
        let found = self.class_lookup(self.class_of(me), self.names.mro);
        if let (Some(own), Some(found)) = (own, found)
            && !own.is(found)
        {
            let (f, args) = match self.method(me, self.names.mro)? {
                Some(m) => m,
                None => return Ok(me),
            };
            return Err(Exit::call(f, args, &MRO_ROW, vec![me]));
        }
        let mro = self.linearize(class, class.bases())?;
        class.mro.set(self.tuple(&mro)?.word());
        Ok(me)
    }

    /// `class.__bases__ = bases`.
    pub(crate) fn set_bases<'v>(&'v self, class: &'v Class, bases: Value<'v>) -> NResult<'v> {
        let name = class.name_str();
        let Some(items) = bases.get::<Tuple>().map(Tuple::items) else {
            return Err(self.type_error(format!(
                "can only assign tuple to {name}.__bases__, not {}",
                self.type_name(bases)
            )));
        };
        if items.is_empty() {
            return Err(self.type_error(format!(
                "can only assign non-empty tuple to {name}.__bases__, not ()"
            )));
        }
        for b in items {
            let Some(b) = b.get::<Class>() else {
                return Err(self.type_error(format!(
                    "{name}.__bases__ must be tuple of classes, not '{}'",
                    self.type_name(*b)
                )));
            };
            if b.is_subclass(class) {
                return Err(self.type_error("a __bases__ item causes an inheritance cycle"));
            }
        }
        let (old, new) = (self.best_base(class.bases())?, self.best_base(items)?);
        let differs = |what: &str| {
            self.type_error(format!(
                "__bases__ assignment: '{}' {what} differs from '{}'",
                new.name_str(),
                old.name_str()
            ))
        };
        let heap = |c: &Class| c.has(class_flags::HEAP);
        if heap(old) != heap(new) || old.layout.get() != new.layout.get() {
            return Err(differs("deallocator"));
        }
        if old.has(class_flags::NO_DICT) != new.has(class_flags::NO_DICT)
            || !std::ptr::eq(self.solid_base(old), self.solid_base(new))
        {
            return Err(differs("object layout"));
        }
        let before = class.bases.replace(bases.word());
        let done = self.reorder(class);
        if done.is_err() {
            class.bases.set(before);
            self.reorder(class)?;
            return done.map(|()| Value::NONE);
        }
        let me = Value::object(class).word();
        for b in self.tuple_items(self.word_value(before)).iter().filter_map(|b| b.get::<Class>()) {
            b.subclasses.borrow_mut().retain(|&s| s != me);
        }
        for b in items.iter().filter_map(|b| b.get::<Class>()) {
            b.subclasses.borrow_mut().push(me);
        }
        self.class_changed(class, self.names.__new__);
        Ok(Value::NONE)
    }

    /// Works out the order of a class and of those derived from it anew.
    fn reorder<'v>(&'v self, class: &'v Class) -> Result<(), Exit<'v>> {
        let mro = self.linearize(class, class.bases())?;
        class.mro.set(self.tuple(&mro)?.word());
        let derived = class.subclasses.borrow().clone();
        for c in derived {
            if let Some(c) = self.word_value(c).get::<Class>() {
                self.reorder(c)?;
            }
        }
        Ok(())
    }

    /// The base whose instances the new class's instances extend.
    pub(crate) fn best_base<'v>(&'v self, bases: &[Value<'v>]) -> Result<&'v Class, Exit<'v>> {
        let mut best: Option<(&'v Class, &'v Class)> = None;
        for b in bases.iter().filter_map(|b| b.get::<Class>()) {
            if b.has(class_flags::FINAL) {
                return Err(self.type_error(format!(
                    "type '{}' is not an acceptable base type",
                    self.full_type_name(b)
                )));
            }
            let solid = self.solid_base(b);
            best = match best {
                None => Some((b, solid)),
                Some((w, s)) if s.is_subclass(solid) => Some((w, s)),
                Some((_, s)) if solid.is_subclass(s) => Some((b, solid)),
                Some(_) => {
                    return Err(self.type_error("multiple bases have instance lay-out conflict"));
                }
            };
        }
        Ok(best.map_or_else(|| self.class(Type::Object), |(b, _)| b))
    }

    /// The class from which the layout of a class's instances comes.
    fn solid_base<'v>(&'v self, class: &'v Class) -> &'v Class {
        let mut c = class;
        loop {
            let base = c.bases().first().and_then(|b| b.get::<Class>());
            let Some(base) = base else { return c };
            let own = if c.has(class_flags::HEAP) {
                self.class_ns(c).iter().any(|e| {
                    self.word_value(e.value).get::<Member>().is_some_and(|m| m.get().is_none())
                })
            } else {
                base.layout.get() != c.layout.get()
                    || Type::ALL.get(c.native_type.get() as usize).is_some_and(|t| adds_fields(*t))
            };
            if own {
                return c;
            }
            let others = c.bases();
            c = if others.len() > 1 {
                match self.best_base(others) {
                    Ok(b) => b,
                    Err(_) => base,
                }
            } else {
                base
            };
        }
    }

    /// The C3 order of a class with these bases.
    pub(crate) fn linearize<'v>(
        &'v self,
        class: &'v Class,
        bases: &[Value<'v>],
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        for (i, b) in bases.iter().enumerate() {
            if bases[..i].iter().any(|o| o.is(*b)) {
                let name = b.get::<Class>().map_or("?".into(), |c| c.name_str());
                return Err(self.type_error(format!("duplicate base class {name}")));
            }
        }
        let mut out = vec![Value::object(class)];
        if let [one] = bases {
            out.extend_from_slice(one.get::<Class>().map_or(&[], |c| c.mro()));
            return Ok(out);
        }
        let mut rows: Vec<Vec<Value<'v>>> =
            bases.iter().filter_map(|b| b.get::<Class>()).map(|c| c.mro().to_vec()).collect();
        rows.push(bases.to_vec());
        let mut at = vec![0usize; rows.len()];
        loop {
            let heads = || rows.iter().zip(&at).filter_map(|(r, &i)| r.get(i).copied());
            let mut open = heads().peekable();
            if open.peek().is_none() {
                return Ok(out);
            }
            let next = heads().find(|h| {
                !rows.iter().zip(&at).any(|(r, &i)| r.iter().skip(i + 1).any(|c| c.is(*h)))
            });
            let Some(next) = next else {
                let mut seen: Vec<Value<'v>> = Vec::new();
                for h in heads() {
                    if !seen.iter().any(|s| s.is(h)) {
                        seen.push(h);
                    }
                }
                let names: Vec<String> = seen
                    .iter()
                    .filter_map(|c| c.get::<Class>())
                    .map(|c| c.name_str().into_owned())
                    .collect();
                return Err(self.type_error(format!(
                    "Cannot create a consistent method resolution\norder (MRO) for bases {}",
                    names.join(", ")
                )));
            };
            out.push(next);
            for (r, i) in rows.iter().zip(at.iter_mut()) {
                if r.get(*i).is_some_and(|c| c.is(next)) {
                    *i += 1;
                }
            }
        }
    }
}

/// Builtin exception classes whose instances have fields of their own.
fn adds_fields(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::OSError
            | T::StopIteration
            | T::SystemExit
            | T::ImportError
            | T::AttributeError
            | T::NameError
            | T::SyntaxError
            | T::UnicodeEncodeError
            | T::UnicodeDecodeError
            | T::UnicodeTranslateError
            | T::BaseExceptionGroup
    )
}
