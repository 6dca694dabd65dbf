//! Making instances: `type.__call__`, `object.__new__` and `object.__init__`.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Action, Answer, Exit, NResult, Row, Then};
use crate::object::class::{Class, class_flags};
use crate::object::func::Native;
use crate::object::map::Dict;
use crate::object::seq::words;
use crate::object::text::Str;
use crate::value::{EMPTY, Value};

/// `__new__` gave an object: `__init__` is next. State: the class, names of keywords, arguments.
static MADE: Row = Row {
    name: "construct_made",
    catches: false,
    resume: |vm, state, answer| {
        let obj = answer.value()?;
        let Some(class) = state[0].get::<Class>() else { return Ok(obj) };
        vm.initialize(class, obj, vm.tuple_items(state[2]).to_vec(), state[1])
    },
};

/// `__init__` is done. State: the object.
static DONE: Row = Row {
    name: "construct_done",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| match answer.value()? {
        v if v.is_none() => Ok(state[0]),
        v => {
            Err(vm.type_error(format!("__init__() should return None, not '{}'", vm.type_name(v))))
        }
    },
};

impl Vm {
    /// `type.__call__` of a class whose `__new__` and `__init__` are natives, without keywords;
    /// `None` if it is to be done in general.
    pub(crate) fn construct_natively<'v>(
        &'v self,
        class: &'v Class,
        args: &[Value<'v>],
    ) -> Option<NResult<'v>> {
        let special = class_flags::NO_NEW | class_flags::NEW | class_flags::META_CALL;
        if class.has(special) || std::ptr::eq(class, self.class(Type::Type)) {
            return None;
        }
        let new = self.class_lookup(class, self.names.__new__)?.get::<Native>()?;
        let init = match self.class_lookup(class, self.names.__init__) {
            Some(init) => Some(init.get::<Native>()?),
            None => None,
        };
        let made = self.run_laid_out(new, Value::object(class), args)?;
        let obj = match made {
            Ok(obj) => obj,
            Err(Exit::Raise(e)) => return Some(Err(Exit::Raise(e))),
            e => {
                let rest = match self.tuple(args) {
                    Ok(rest) => rest,
                    Err(e) => return Some(Err(e)),
                };
                let state = vec![Value::object(class), Value::EMPTY, rest];
                return Some(self.and_then(e, &MADE, state));
            }
        };
        let Some(init) = init else { return Some(Ok(obj)) };
        if !std::ptr::eq(self.class_of(obj), class) {
            return Some(self.initialize(class, obj, args.to_vec(), Value::EMPTY));
        }
        let object_init = std::ptr::eq(init.def, &super::object::INIT);
        let nothing_to_do = object_init
            && (args.is_empty()
                || !class.has(class_flags::HEAP)
                || !std::ptr::eq(new.def, &super::object::NEW));
        // An exception's `__new__` stored the arguments, and `__init__` would do the same again.
        let stored = std::ptr::eq(init.def, &super::exception::INIT)
            && std::ptr::eq(new.def, &super::exception::NEW);
        if nothing_to_do || stored {
            return Some(Ok(obj));
        }
        Some(match self.run_laid_out(init, obj, args) {
            None => self.initialize(class, obj, args.to_vec(), Value::EMPTY),
            Some(Ok(_)) => Ok(obj),
            Some(Err(Exit::Raise(e))) => Err(Exit::Raise(e)),
            Some(e) => self.and_then(e, &DONE, vec![obj]),
        })
    }

    /// Runs a native with `first` and `args`; `None` if they must be bound in general.
    fn run_laid_out<'v>(
        &'v self,
        n: &'v Native,
        first: Value<'v>,
        args: &[Value<'v>],
    ) -> Option<NResult<'v>> {
        let mut window = [EMPTY; 16];
        window[0] = first.word();
        window.get_mut(1..=args.len())?.copy_from_slice(words(args));
        let count = n.def.arity.lay_out(&mut window, args.len() + 1)?;
        let window = window.map(|w| self.word_value(w));
        Some(self.run_native(n, &window[..count]))
    }

    /// `type.__call__` in general: `__new__`, then `__init__`. The last of `args` are keywords
    /// named by tuple `kwnames`, or there are none (Empty).
    pub(crate) fn construct<'v>(
        &'v self,
        class: &'v Class,
        args: Vec<Value<'v>>,
        kwnames: Value<'v>,
    ) -> NResult<'v> {
        let me = Value::object(class);
        if std::ptr::eq(class, self.class(Type::Type)) && kwnames.is_empty() {
            match args[..] {
                [v] => return Ok(self.class_value_of(v)),
                [_, _, _] => {}
                _ => return Err(self.type_error("type() takes 1 or 3 arguments")),
            }
        }
        let new = self.class_lookup(class, self.names.__new__);
        let Some(new) = new.filter(|_| !class.has(class_flags::NO_NEW)) else {
            return Err(self
                .type_error(format!("cannot create '{}' instances", self.full_type_name(class))));
        };
        let mut new_args = Vec::with_capacity(args.len() + 1);
        new_args.push(me);
        new_args.extend_from_slice(&args);
        if let Some(n) = new.get::<Native>() {
            let made = self.call_bound_native(n, &new_args, kwnames);
            return match made {
                Ok(obj) => self.initialize(class, obj, args, kwnames),
                Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
                e => {
                    let rest = self.tuple(&args)?;
                    self.and_then(e, &MADE, vec![me, kwnames, rest])
                }
            };
        }
        let new = self.descriptor_get(new, Value::NONE, me)?;
        let rest = self.tuple(&args)?;
        let then = Some(Then { row: &MADE, state: vec![me, kwnames, rest] });
        Err(Exit::Do(Box::new(Action::Call { func: new, args: new_args, kwnames, then })))
    }

    /// `__init__` of a fresh object, if it is an instance of `class`; gives the object.
    fn initialize<'v>(
        &'v self,
        class: &'v Class,
        obj: Value<'v>,
        args: Vec<Value<'v>>,
        kwnames: Value<'v>,
    ) -> NResult<'v> {
        let own = self.class_of(obj);
        if !own.is_subclass(class) {
            return Ok(obj);
        }
        let Some(init) = self.class_lookup(own, self.names.__init__) else { return Ok(obj) };
        if let Some(n) = init.get::<Native>() {
            if std::ptr::eq(n.def, &super::object::INIT) && args.is_empty() {
                return Ok(obj);
            }
            if std::ptr::eq(n.def, &super::exception::INIT)
                && self
                    .class_lookup(own, self.names.__new__)
                    .and_then(|n| n.get::<Native>())
                    .is_some_and(|n| std::ptr::eq(n.def, &super::exception::NEW))
            {
                // `__new__` stored the arguments, and `__init__` would do the same again.
                return Ok(obj);
            }
            let mut all = Vec::with_capacity(args.len() + 1);
            all.push(obj);
            all.extend(args);
            return match self.call_bound_native(n, &all, kwnames) {
                Ok(_) => Ok(obj),
                Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
                e => self.and_then(e, &DONE, vec![obj]),
            };
        }
        let (func, mut all) = if self.is_plain_method(init) {
            (init, vec![obj])
        } else {
            (self.descriptor_get(init, obj, Value::object(own))?, Vec::new())
        };
        all.extend(args);
        let then = Some(Then { row: &DONE, state: vec![obj] });
        Err(Exit::Do(Box::new(Action::Call { func, args: all, kwnames, then })))
    }

    /// Binds and runs a native.
    pub(crate) fn call_bound_native<'v>(
        &'v self,
        n: &'v Native,
        args: &[Value<'v>],
        kwnames: Value<'v>,
    ) -> NResult<'v> {
        let bound;
        let args = if kwnames.is_empty() && n.def.arity.exact(args.len()) {
            args
        } else {
            bound = self.bind_native(n, args, kwnames)?;
            &bound
        };
        self.run_native(n, args)
    }

    /// `object.__new__(cls, *args, **kw)`.
    pub(crate) fn object_new<'v>(&'v self, class: &'v Class, excess: bool) -> NResult<'v> {
        if excess {
            let is_own = |name, def| {
                self.class_lookup(class, name)
                    .and_then(|f| f.get::<Native>())
                    .is_some_and(|f| std::ptr::eq(f.def, def))
            };
            if !is_own(self.names.__new__, &super::object::NEW) {
                return Err(self.type_error(
                    "object.__new__() takes exactly one argument (the type to instantiate)",
                ));
            }
            if is_own(self.names.__init__, &super::object::INIT) {
                return Err(self.type_error(format!("{}() takes no arguments", class.name_str())));
            }
        }
        if class.has(class_flags::ABSTRACT) {
            return self.abstract_error(class);
        }
        if class.layout.get() != Kind::Instance {
            let base = match class.layout.get() {
                Kind::Opaque | Kind::Deque | Kind::Iter | Kind::Record => class.name_str(),
                _ => {
                    Type::ALL.get(class.native_type.get() as usize).map_or("?", |t| t.name()).into()
                }
            };
            return Err(self.type_error(format!(
                "object.__new__({}) is not safe, use {base}.__new__()",
                class.name_str()
            )));
        }
        Ok(self.instance(class))
    }

    /// Raises the error for an instance of a class with abstract methods.
    pub(crate) fn abstract_error<'v>(&'v self, class: &'v Class) -> NResult<'v> {
        let n = self.names.__abstractmethods__;
        let v = self.class_lookup(class, n).unwrap_or(Value::NONE);
        let mut names: Vec<String> = self
            .plain_items(v)
            .unwrap_or_default()
            .iter()
            .filter_map(|v| v.get::<Str>())
            .map(|s| s.to_display().into_owned())
            .collect();
        names.sort();
        let plural = if names.len() == 1 { "" } else { "s" };
        Err(self.type_error(format!(
            "Can't instantiate abstract class {} without an implementation for abstract \
             method{plural} '{}'",
            class.name_str(),
            names.join("', '")
        )))
    }

    /// The shape of an instance of `cls`, which must be `t` or derive from it: for the `__new__`
    /// of builtin classes.
    pub fn shape_for_new<'v>(&'v self, cls: Value<'v>, t: Type) -> Result<u32, Exit<'v>> {
        let Some(c) = cls.get::<Class>() else {
            return Err(self.type_error(format!(
                "{}.__new__(X): X is not a type object ({})",
                t.name(),
                self.type_name(cls)
            )));
        };
        if !c.is_subclass(self.class(t)) {
            return Err(self.type_error(format!(
                "{0}.__new__({1}): {1} is not a subtype of {0}",
                t.name(),
                c.name_str()
            )));
        }
        if c.has(class_flags::ABSTRACT) {
            self.abstract_error(c)?;
        }
        Ok(c.root_shape.get())
    }

    /// A keyword dict of a native as the names tuple and the values that [`Vm::construct`] takes.
    pub(crate) fn split_keywords<'v>(
        &'v self,
        kw: Value<'v>,
        args: &mut Vec<Value<'v>>,
    ) -> NResult<'v> {
        let Some(d) = kw.get::<Dict>().filter(|d| !d.is_empty()) else { return Ok(Value::EMPTY) };
        let (names, values): (Vec<_>, Vec<_>) = d.entries().into_iter().unzip();
        args.extend(values);
        self.tuple(&names)
    }
}
