//! Builtin functions about objects and their classes: attributes, `isinstance`, `dir`, and the
//! namespaces of the caller.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::interp::run::FrameView;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::{CellObj, Native};
use crate::object::map::Dict;
use crate::object::record::GenericAlias;
use crate::object::seq::Tuple;
use crate::value::Value;

/// The rows.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "getattr",
        "object, name, default=None, /",
        getattr,
        "Get a named attribute from an object.",
    ),
    NativeDef::new(
        "setattr",
        "obj, name, value, /",
        setattr,
        "Sets the named attribute on the given object to the specified value.",
    ),
    NativeDef::new(
        "delattr",
        "obj, name, /",
        delattr,
        "Deletes the named attribute from the given object.",
    ),
    NativeDef::new(
        "hasattr",
        "obj, name, /",
        hasattr,
        "Return whether the object has an attribute with the given name.",
    ),
    NativeDef::new(
        "isinstance",
        "obj, class_or_tuple, /",
        isinstance,
        "Return whether an object is an instance of a class or of a subclass thereof.",
    ),
    NativeDef::new(
        "issubclass",
        "cls, class_or_tuple, /",
        issubclass,
        "Return whether 'cls' is derived from another class or is the same class.",
    ),
    NativeDef::new(
        "callable",
        "obj, /",
        callable,
        "Return whether the object is callable (i.e., some kind of function).",
    ),
    NativeDef::new(
        "vars",
        "object=None, /",
        vars,
        "Without arguments, equivalent to locals().\n\nWith an argument, equivalent to object.__dict__.",
    ),
    NativeDef::new("dir", "object=None, /", dir, "Show attributes of an object."),
    NativeDef::new(
        "globals",
        "",
        globals,
        "Return the dictionary containing the current scope's global variables.",
    ),
    NativeDef::new(
        "locals",
        "",
        locals,
        "Return a dictionary containing the current scope's local variables.",
    ),
];

fn getattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    if args[2].is_empty() {
        return vm.getattr(args[0], name);
    }
    vm.or_default(vm.getattr_opt(args[0], name), Type::AttributeError, args[2])
}

fn setattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    vm.none_after(vm.setattr(args[0], name, args[2]))
}

fn delattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = vm.attribute_name(args[1])?;
    vm.none_after(vm.setattr(args[0], name, Value::EMPTY))
}

fn hasattr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static FOUND: Row = Row {
        name: "hasattr",
        catches: false,
        resume: |_, _, answer| answer.value().map(|v| Value::bool(!v.is_empty())),
    };
    let name = vm.attribute_name(args[1])?;
    let found = vm.or_default(vm.getattr_opt(args[0], name), Type::AttributeError, Value::EMPTY);
    vm.and_then(found, &FOUND, vec![])
}

fn isinstance<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    check(vm, args[0], args[1], Question::Instance)
}

fn issubclass<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    check(vm, args[0], args[1], Question::Subclass)
}

#[derive(Clone, Copy, PartialEq)]
enum Question {
    Instance,
    Subclass,
}

/// Flattens a class, union or (nested) tuple of these; `None` if there is something else.
fn flatten<'v>(vm: &'v Vm, v: Value<'v>) -> Vec<Value<'v>> {
    let mut out = Vec::new();
    let mut todo = vec![v];
    while let Some(v) = todo.pop() {
        if let Some(t) = v.get::<Tuple>() {
            todo.extend(t.items().iter().rev());
        } else if let Some(u) =
            v.get::<GenericAlias>().filter(|_| vm.exact_type(v) == Some(Type::Union))
        {
            todo.extend(vm.tuple_items(u.args()).iter().rev());
        } else {
            out.push(v);
        }
    }
    out
}

fn check<'v>(vm: &'v Vm, v: Value<'v>, matcher: Value<'v>, q: Question) -> NResult<'v> {
    if let Some(c) = matcher.get::<Class>() {
        // The common case: a class whose metaclass has nothing to say.
        let meta = vm.class_of(matcher);
        if std::ptr::eq(meta, vm.class(Type::Type)) {
            return simple(vm, v, c, q);
        }
    }
    let classes = vm.tuple(&flatten(vm, matcher))?;
    check_next(vm, &[v, classes, Value::len(0), Value::bool(q == Question::Subclass)])
}

fn simple<'v>(vm: &'v Vm, v: Value<'v>, c: &'v Class, q: Question) -> NResult<'v> {
    match q {
        Question::Instance if vm.class_of(v).is_subclass(c) => Ok(Value::TRUE),
        Question::Instance if claims_a_class(vm, v) => {
            let claimed = vm.getattr(v, vm.word_value(vm.names.__class__));
            vm.and_then(claimed, &CLAIMED, vec![Value::object(c)])
        }
        Question::Instance => Ok(Value::FALSE),
        Question::Subclass => match v.get::<Class>() {
            Some(s) => Ok(Value::bool(s.is_subclass(c))),
            None => Err(vm.type_error("issubclass() arg 1 must be a class")),
        },
    }
}

/// Whether `v` may give another `__class__` than its own, as proxies do.
fn claims_a_class(vm: &Vm, v: Value<'_>) -> bool {
    let class = vm.class_of(v);
    let differs = |name| {
        let found = vm.class_lookup(class, name);
        let own = vm.class_lookup(vm.class(Type::Object), name);
        found.map(Value::word) != own.map(Value::word)
    };
    class.has(class_flags::HEAP)
        && (differs(vm.names.__class__) || differs(vm.names.__getattribute__))
}

/// After a `__class__` that is not the value's own. State: the class asked for.
static CLAIMED: Row = Row {
    name: "instancecheck_claimed",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Raised(e) if !vm.is_exception_of(e, Type::AttributeError) => Err(Exit::Raise(e)),
        Answer::Raised(_) => Ok(Value::FALSE),
        answer => {
            let claimed = answer.value()?;
            let derived = claimed.get::<Class>().zip(state[0].get::<Class>());
            Ok(Value::bool(derived.is_some_and(|(claimed, c)| claimed.is_subclass(c))))
        }
    },
};

/// State: the value, the tuple of classes, the next one's index, whether subclasses are asked.
fn check_next<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static ANSWERED: Row = Row {
        name: "instancecheck",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            vm.and_then(vm.truth(v).map(Value::bool), &DECIDED, state.to_vec())
        },
    };
    static DECIDED: Row = Row {
        name: "instancecheck_truth",
        catches: false,
        resume: |vm, state, answer| match answer.value()? {
            v if v.is(Value::TRUE) => Ok(Value::TRUE),
            _ => check_next(vm, state),
        },
    };
    let q = if state[3].is(Value::TRUE) { Question::Subclass } else { Question::Instance };
    let classes = vm.tuple_items(state[1]);
    let first = state[2].as_small().unwrap_or(0) as usize;
    for (i, &c) in classes.iter().enumerate().skip(first) {
        let (hook, own) = match q {
            Question::Instance => (vm.names.__instancecheck__, &super::type_::INSTANCECHECK),
            Question::Subclass => (vm.names.__subclasscheck__, &super::type_::SUBCLASSCHECK),
        };
        let found = vm.method(c, hook)?;
        let is_own = |f: Value<'v>| f.get::<Native>().is_some_and(|n| std::ptr::eq(n.def, own));
        let found = found.filter(|(f, _)| c.get::<Class>().is_none() || !is_own(*f));
        match (c.get::<Class>(), found) {
            (Some(class), None) => match simple(vm, state[0], class, q) {
                Ok(v) if v.is(Value::TRUE) => return Ok(v),
                Ok(_) => {}
                waits => {
                    let mut next = state.to_vec();
                    next[2] = Value::len(i + 1);
                    return vm.and_then(waits, &DECIDED, next);
                }
            },
            // `isinstance(x, type(x))` needs no hook.
            (Some(class), Some(_))
                if q == Question::Instance && std::ptr::eq(vm.class_of(state[0]), class) =>
            {
                return Ok(Value::TRUE);
            }
            (_, Some((f, mut args))) => {
                args.push(state[0]);
                let mut next = state.to_vec();
                next[2] = Value::len(i + 1);
                return vm.and_then(Err(Exit::tail(f, args)), &ANSWERED, next);
            }
            (None, None) => {
                let generic = c.is_a::<GenericAlias>();
                if q == Question::Subclass && !generic && state[0].get::<Class>().is_none() {
                    return Err(vm.type_error("issubclass() arg 1 must be a class"));
                }
                return Err(vm.type_error(match (q, generic) {
                    (Question::Instance, true) => {
                        "isinstance() argument 2 cannot be a parameterized generic"
                    }
                    (Question::Subclass, true) => {
                        "issubclass() argument 2 cannot be a parameterized generic"
                    }
                    (Question::Instance, false) => {
                        "isinstance() arg 2 must be a type, a tuple of types, or a union"
                    }
                    (Question::Subclass, false) => {
                        "issubclass() arg 2 must be a class, a tuple of classes, or a union"
                    }
                }));
            }
        }
    }
    Ok(Value::FALSE)
}

impl Vm {
    /// Whether `v` can be called.
    pub fn is_callable(&self, v: Value<'_>) -> bool {
        match v.kind() {
            Some(
                Kind::Function
                | Kind::Native
                | Kind::BoundMethod
                | Kind::Class
                | Kind::StaticMethod,
            ) => true,
            _ => self.class_lookup(self.class_of(v), self.names.__call__).is_some(),
        }
    }

    /// The nearest script frame that tracebacks show: that of the caller.
    pub(crate) fn caller_frame(&self) -> Option<FrameView<'_>> {
        let mut found = None;
        self.walk_frames(|f| {
            if f.func.code().proto.flags.hidden {
                return true;
            }
            found = Some(f);
            false
        });
        found
    }

    /// `locals()` of a frame: its namespace, or a new dict of its variables.
    pub(crate) fn frame_locals<'v>(&'v self, f: &FrameView<'v>) -> NResult<'v> {
        let p = &f.func.code().proto;
        if p.flags.class_body || p.flags.namespaced {
            let ns = f.reg(0);
            return Ok(match ns.get::<CellObj>() {
                Some(c) => crate::object::read(&c.contents),
                None => ns,
            });
        }
        if p.name == "<module>" {
            return Ok(crate::object::read(&f.func.globals));
        }
        let d = self.dict();
        let put = |name: &str, v: Value<'v>| -> Result<(), Exit<'v>> {
            if v.is_empty() || name.starts_with('.') || name.is_empty() {
                return Ok(());
            }
            self.dict_set_name(d, self.intern(name), v)
        };
        for (i, name) in p.locals.iter().enumerate() {
            let reg = p.local_reg(i);
            let v = f.reg(reg);
            let v = match v.get::<CellObj>() {
                Some(c) if p.cells.contains(&(reg as u32)) => crate::object::read(&c.contents),
                _ => v,
            };
            put(name, v)?;
        }
        for (i, name) in p.free.iter().enumerate() {
            if let Some(c) = f.func.cell(i) {
                put(name, crate::object::read(&c.contents))?;
            }
        }
        Ok(Value::object(d))
    }

    /// `locals()` of the caller.
    pub(crate) fn caller_locals(&self) -> NResult<'_> {
        match self.caller_frame() {
            Some(f) => self.frame_locals(&f),
            None => Ok(Value::object(self.dict())),
        }
    }
}

fn callable<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(vm.is_callable(args[0])))
}

fn vars<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static FOUND: Row = Row {
        name: "vars",
        catches: false,
        resume: |vm, _, answer| match answer.value()? {
            v if v.is_empty() => Err(vm.type_error("vars() argument must have __dict__ attribute")),
            v => Ok(v),
        },
    };
    if args[0].is_empty() {
        return vm.caller_locals();
    }
    let name = vm.word_value(vm.names.__dict__);
    let found = vm.or_default(vm.getattr_opt(args[0], name), Type::AttributeError, Value::EMPTY);
    vm.and_then(found, &FOUND, vec![])
}

fn dir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static LISTED: Row = Row {
        name: "dir",
        catches: false,
        resume: |vm, _, answer| {
            let v = answer.value()?;
            if vm.exact_type(v) == Some(Type::List)
                && let Some(items) = vm.plain_items(v)
                && items.iter().all(|i| i.is_a::<crate::object::text::Str>())
            {
                let mut items = items;
                let bytes =
                    |v: &Value<'_>| v.get::<crate::object::text::Str>().map(|s| s.bytes().to_vec());
                items.sort_by_key(bytes);
                return vm.list(items);
            }
            match vm.dict_get_str(vm.builtins(), "sorted") {
                Some(f) => Err(Exit::tail(f, vec![v])),
                None => Ok(v),
            }
        },
    };
    if args[0].is_empty() {
        let locals = vm.caller_locals()?;
        let names = match locals.get::<Dict>() {
            Some(d) => d.entries().into_iter().map(|(k, _)| k).collect(),
            None => Vec::new(),
        };
        return vm.name_list(names);
    }
    if let Some(m) = args[0].get::<crate::object::record::Module>()
        && let Some(d) = m.dict().get::<Dict>()
    {
        if let Some(f) = vm.dict_get_name(d, vm.word_value(vm.names.__dir__)) {
            return vm.and_then(Err(Exit::tail(f, vec![])), &LISTED, vec![]);
        }
        return vm.name_list(d.entries().into_iter().map(|(k, _)| k).collect());
    }
    match vm.method(args[0], vm.names.__dir__)? {
        Some((f, a)) => {
            let r = vm.call_leaf(f, &a).unwrap_or_else(|| Err(Exit::tail(f, a)));
            vm.and_then(r, &LISTED, vec![])
        }
        None => vm.list(Vec::new()),
    }
}

fn globals<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::object(vm.caller_globals()))
}

fn locals<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    vm.caller_locals()
}
