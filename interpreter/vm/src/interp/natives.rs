//! Calling natives: their receivers, their arguments, and what is said when these do not fit.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, NativeFn, Role};
use crate::object::class::{Class, class_flags};
use crate::object::func::Native;
use crate::object::map::Dict;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::{EMPTY, Value, Word};

impl Vm {
    /// Runs a native with the values above `R[a]`.
    pub(crate) fn call_native<'v>(&'v self, f: &'v Native, a: usize, n: usize) -> NResult<'v> {
        let receiver = f.receiver.get();
        let mut n = n;
        if receiver != EMPTY && f.def.role != Role::Static {
            self.insert_arg(a, n, receiver)?;
            n += 1;
        }
        let kwnames = self.st.kwnames.replace(EMPTY);
        let owner = self.word_value(f.owner.get());
        if !owner.is_empty() && receiver == EMPTY && f.def.role != Role::Static {
            self.check_receiver(f, owner, self.regs(a + 1, n), kwnames)?;
        }
        if kwnames == EMPTY {
            if f.def.arity.exact(n) {
                return self.run_native(f, self.regs(a + 1, n));
            }
            // Optional parameters that are not passed leave the call to the typed entry.
            if let NativeFn::Typed(typed, _) = f.def.func
                && let Some(v) = typed.call(self, self.regs(a + 1, n))
            {
                return Ok(v);
            }
        }
        let args = self.bind_native(f, self.regs(a + 1, n), self.word_value(kwnames))?;
        self.room(a, args.len() + 8)?;
        for (i, v) in args.iter().enumerate() {
            self.st.set_reg(a + 1 + i, v.word());
        }
        self.run_native(f, self.regs(a + 1, args.len()))
    }

    /// Calls native code with bound arguments.
    #[inline]
    pub(crate) fn run_native<'v>(&'v self, f: &'v Native, args: &[Value<'v>]) -> NResult<'v> {
        match f.def.func {
            NativeFn::Leaf(leaf) => match leaf(self, args) {
                Err(Exit::Do(action)) => self.run_again(f, args, action),
                r => r,
            },
            NativeFn::Host(host) => host(self, f, args),
            NativeFn::Typed(typed, host) => match typed.call(self, args) {
                Some(v) => Ok(v),
                None => host(self, f, args),
            },
        }
    }

    /// Calls `func` from Rust without a frame, if it is a native of ours: `None` if it is script
    /// code, or foreign code, which might change what the caller has borrowed.
    pub fn call_leaf<'v>(&'v self, func: Value<'v>, args: &[Value<'v>]) -> Option<NResult<'v>> {
        let Some(f) = func.get::<Native>() else { return self.call_record(func, args) };
        if f.receiver.get() != EMPTY {
            return None;
        }
        // A method is called on what it belongs to; the complete call raises for others.
        if f.def.role != Role::Static
            && let Some(owner) = self.word_value(f.owner.get()).get::<Class>()
            && !args.first().is_some_and(|me| self.class_of(*me).is_subclass(owner))
        {
            return None;
        }
        match f.def.func {
            NativeFn::Leaf(_) => f.def.arity.exact(args.len()).then(|| self.run_native(f, args)),
            NativeFn::Host(_) => None,
            NativeFn::Typed(typed, _) => typed.call(self, args).map(Ok),
        }
    }

    /// As [`Vm::call_leaf`] for a record whose class has a native `__call__` (`itemgetter`).
    fn call_record<'v>(&'v self, func: Value<'v>, args: &[Value<'v>]) -> Option<NResult<'v>> {
        if func.kind() != Some(Kind::Record) {
            return None;
        }
        let class = self.class_of(func);
        if class.has(class_flags::HEAP) {
            return None;
        }
        let f = self.class_lookup(class, self.names.__call__)?.get::<Native>()?;
        let exact = f.def.arity.exact(args.len() + 1);
        if !exact || !matches!(f.def.func, NativeFn::Leaf(_)) {
            return None;
        }
        let mut all = vec![func];
        all.extend_from_slice(args);
        Some(self.run_native(f, &all))
    }

    fn check_receiver<'v>(
        &'v self,
        f: &'v Native,
        owner: Value<'v>,
        args: &[Value<'v>],
        kwnames: Word,
    ) -> Result<(), Exit<'v>> {
        let Some(owner) = owner.get::<Class>() else { return Ok(()) };
        let names = self.word_value(kwnames).get::<Tuple>().map_or(0, |t| t.len());
        let name = f.def.name;
        let Some(&me) = args[..args.len() - names].first() else {
            return Err(self.type_error(if is_slot_of(Value::object(owner), name) {
                format!("descriptor '{name}' of '{}' object needs an argument", owner.name_str())
            } else {
                format!("unbound method {}.{name}() needs an argument", owner.name_str())
            }));
        };
        if self.class_of(me).is_subclass(owner) {
            return Ok(());
        }
        Err(self.type_error(if is_slot_of(Value::object(owner), name) {
            format!(
                "descriptor '{name}' requires a '{}' object but received a '{}'",
                owner.name_str(),
                self.type_name(me)
            )
        } else {
            format!(
                "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
                owner.name_str(),
                self.type_name(me)
            )
        }))
    }

    /// Lays out arguments as a native expects them: fixed parameters, `**kwargs`, `*args`.
    pub(crate) fn bind_native<'v>(
        &'v self,
        f: &'v Native,
        args: &[Value<'v>],
        kwnames: Value<'v>,
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let ar = f.def.arity;
        let names: &[Value<'v>] = kwnames.get::<Tuple>().map_or(&[], |t| t.items());
        let (given, kwvalues) = args.split_at(args.len() - names.len());
        let max = ar.max as usize;
        self.check(args.len() * size_of::<Word>())?;
        let mut out = vec![Value::EMPTY; ar.fixed as usize];
        let positional = given.len().min(max);
        if !names.is_empty() && ar.fixed == ar.posonly && !ar.varkw {
            if f.def.name == "__new__" && self.has_own_init(given) {
                return self.bind_native(f, given, Value::EMPTY);
            }
            return Err(
                self.type_error(format!("{} takes no keyword arguments", self.native_label(f)))
            );
        }
        if given.len() > max && !ar.varargs {
            return Err(self.native_arity_error(f, given.len() + names.len(), given.len()));
        }
        out[..positional].copy_from_slice(&given[..positional]);
        let kwdict = if ar.varkw { Some(self.dict()) } else { None };
        if !names.is_empty() {
            let params = f.def.param_names();
            for (name, &v) in names.iter().zip(kwvalues) {
                let Some(s) = name.get::<Str>() else {
                    return Err(self.type_error("keywords must be strings"));
                };
                let text = s.to_display();
                let at = params
                    .iter()
                    .enumerate()
                    .position(|(i, p)| i >= ar.posonly as usize && *p == text);
                match (at, kwdict) {
                    (Some(i), _) if out[i].is_empty() => out[i] = v,
                    (Some(i), _) => {
                        return Err(self.type_error(format!(
                            "argument for {}() given by name ('{text}') and position ({})",
                            self.bare_name(f),
                            i + 1
                        )));
                    }
                    (None, Some(d)) => {
                        let key = Value::object(self.intern_str(s));
                        self.dict_set_name(d, key, v)?;
                    }
                    (None, None) => {
                        return Err(self.type_error(format!(
                            "'{text}' is an invalid keyword argument for {}()",
                            self.bare_name(f)
                        )));
                    }
                }
            }
        }
        if let Some(missing) = out[..ar.min as usize].iter().position(|v| v.is_empty()) {
            if ar.posonly > missing as u8 || names.is_empty() && ar.posonly > 0 {
                return Err(self.native_arity_error(f, given.len(), given.len()));
            }
            return Err(self.type_error(format!(
                "{}() missing required argument '{}' (pos {})",
                self.bare_name(f),
                f.def.param_names().get(missing).copied().unwrap_or("?"),
                missing + 1 - usize::from(!self.word_value(f.owner.get()).is_empty())
            )));
        }
        if let Some(d) = kwdict {
            out.push(if d.is_empty() { Value::EMPTY } else { Value::object(d) });
        }
        if ar.varargs && given.len() > max {
            out.extend_from_slice(&given[max..]);
        }
        Ok(out)
    }

    /// The class that is to be made has an `__init__` of a script's, for which the keywords are.
    fn has_own_init(&self, given: &[Value<'_>]) -> bool {
        let class = given.first().and_then(|class| class.get::<Class>());
        class
            .and_then(|class| self.defining_class(class, self.names.__init__))
            .is_some_and(|owner| owner.has(class_flags::HEAP))
    }

    /// The name in messages: `__new__` and `__init__` speak for their class.
    fn bare_name(&self, f: &Native) -> std::borrow::Cow<'_, str> {
        match self.word_value(f.owner.get()).get::<Class>() {
            Some(c) if is_constructor(f.def.name) => c.name_str(),
            _ => f.def.name.into(),
        }
    }

    /// `len()`, `list.append()`: how messages name a native.
    pub(crate) fn native_label(&self, f: &Native) -> String {
        let owner = self.word_value(f.owner.get());
        let receiver = self.word_value(f.receiver.get());
        if is_constructor(f.def.name) {
            format!("{}()", self.bare_name(f))
        } else if !owner.is_empty() && is_slot_of(owner, f.def.name) {
            format!("wrapper {}()", f.def.name)
        } else if let Some(c) = owner.get::<Class>() {
            // What is bound is named by what it is bound to.
            let named = match receiver.get::<Class>() {
                Some(class) => class,
                None if receiver.is_empty() => c,
                None => self.class_of(receiver),
            };
            format!("{}.{}()", named.name_str(), f.def.name)
        } else if let Some(m) = receiver.get::<crate::object::record::Module>() {
            match m.dict().get::<Dict>().and_then(|d| self.dict_get_str(d, "__name__")) {
                Some(n) if !n.is_empty() => {
                    let name = n.get::<Str>().map(|s| s.to_display().into_owned());
                    match name.as_deref() {
                        Some("builtins") | None => format!("{}()", f.def.name),
                        Some(m) => format!("{m}.{}()", f.def.name),
                    }
                }
                _ => format!("{}()", f.def.name),
            }
        } else {
            format!("{}()", f.def.name)
        }
    }

    fn owner_has_bytes(&self, f: &Native) -> bool {
        let owner = self.word_value(f.owner.get());
        [Type::Str, Type::Bytes, Type::ByteArray].iter().any(|t| owner.is(self.class_value(*t)))
    }

    fn native_arity_error(&self, f: &Native, total: usize, given: usize) -> Exit<'_> {
        let ar = f.def.arity;
        if given == 0 && f.def.name == "__new__" {
            let class = self.bare_name(f);
            return self.type_error(format!("{class}.__new__(): not enough arguments"));
        }
        let owned = !self.word_value(f.owner.get()).is_empty();
        let is_method = owned && (f.def.role != Role::Static || f.def.name == "__new__");
        let me = usize::from(is_method);
        let (min, max) = (ar.min as usize - me.min(ar.min as usize), ar.max as usize - me);
        let given = given.saturating_sub(me);
        let total = total.saturating_sub(me);
        let label = self.native_label(f);
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let bare = self.bare_name(f);
        if is_slot_of(self.word_value(f.owner.get()), &bare) && is_method {
            return self.type_error(if min == max {
                format!("expected {max} argument{}, got {given}", plural(max))
            } else if given < min {
                format!("expected at least {min} argument{}, got {given}", plural(min))
            } else {
                format!("expected at most {max} argument{}, got {given}", plural(max))
            });
        }
        if is_method && is_search(&bare) && self.owner_has_bytes(f) {
            return self.type_error(if given < min {
                format!("{bare}() takes at least {min} argument{} ({given} given)", plural(min))
            } else {
                format!("{bare}() takes at most {max} argument{} ({given} given)", plural(max))
            });
        }
        self.type_error(if ar.fixed == ar.posonly {
            if min == max && max == 0 {
                format!("{label} takes no arguments ({given} given)")
            } else if min == max && is_constructor(f.def.name) {
                format!("{bare} expected {max} argument{}, got {given}", plural(max))
            } else if min == max && max == 1 {
                format!("{label} takes exactly one argument ({given} given)")
            } else if min == max {
                format!("{bare} expected {max} arguments, got {given}")
            } else if given < min {
                format!("{bare} expected at least {min} argument{}, got {given}", plural(min))
            } else {
                format!("{bare} expected at most {max} argument{}, got {given}", plural(max))
            }
        } else {
            if max == 0 {
                return self.type_error(format!("{bare}() takes no positional arguments"));
            }
            let what = if given < min {
                let least = if min == max { "exactly" } else { "at least" };
                format!("{least} {min} positional argument{}", plural(min))
            } else if min == max {
                format!("exactly {max} positional argument{}", plural(max))
            } else {
                format!("at most {max} argument{}", plural(max))
            };
            format!("{bare}() takes {what} ({total} given)")
        })
    }
}

/// Whether a builtin class's row of this name makes its instances.
fn is_constructor(name: &str) -> bool {
    matches!(name, "__new__" | "__init__")
}

/// Whether a name begins and ends with two underscores.
fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Whether a special method stands for a slot of the class: then it is a wrapper, with messages of
/// its own. The others are methods like any.
fn is_slot(name: &str) -> bool {
    is_dunder(name)
        && !matches!(
            name,
            "__format__"
                | "__getnewargs__"
                | "__bytes__"
                | "__ceil__"
                | "__floor__"
                | "__round__"
                | "__trunc__"
                | "__complex__"
                | "__reversed__"
                | "__sizeof__"
                | "__reduce__"
                | "__reduce_ex__"
                | "__getstate__"
                | "__setstate__"
                | "__dir__"
                | "__length_hint__"
                | "__class_getitem__"
                | "__enter__"
                | "__exit__"
                | "__copy__"
                | "__deepcopy__"
                | "__subclasses__"
                | "__instancecheck__"
                | "__subclasscheck__"
                | "__prepare__"
        )
}

/// As [`is_slot`], of a class: dicts, lists and sets look things up by methods.
pub(crate) fn is_slot_of(owner: Value<'_>, name: &str) -> bool {
    let by_method = || {
        let class = owner.get::<Class>().filter(|c| !c.has(class_flags::HEAP))?;
        Some(match *Type::ALL.get(class.native_type.get() as usize)? {
            Type::Dict => matches!(name, "__contains__" | "__getitem__"),
            Type::List => name == "__getitem__",
            Type::Set | Type::FrozenSet => name == "__contains__",
            _ => false,
        })
    };
    is_slot(name) && by_method() != Some(true)
}

/// The methods of str and bytes that search between bounds, with messages of their own.
fn is_search(name: &str) -> bool {
    matches!(name, "find" | "rfind" | "index" | "rindex" | "count" | "startswith" | "endswith")
}

/// The builtin class of natives made for a role.
pub(crate) fn native_type(role: Role, owner: Value<'_>, name: &str) -> Type {
    match role {
        Role::Method if is_slot_of(owner, name) => Type::WrapperDescriptor,
        Role::Method => Type::MethodDescriptor,
        Role::Class => Type::ClassMethodDescriptor,
        _ => Type::Builtin,
    }
}
