//! `BaseException` and its attributes. What particular classes add is in `exceptions`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::class::Class;
use crate::object::exc::{Exception, Traceback};
use crate::object::read;
use crate::object::seq::{List, Tuple};
use crate::object::text::Str;
use crate::value::{EMPTY, Value};

pub(crate) static NEW: NativeDef =
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new, "Create and return a new object.")
        .role(Role::Static);

pub(crate) static INIT: NativeDef =
    NativeDef::new("__init__", "self, /, *args, **kwargs", init, "Initialize self.");

/// The rows. Those that other code compares with lie in statics of their own.
pub(crate) static TABLES: &[&[NativeDef]] =
    &[std::slice::from_ref(&NEW), std::slice::from_ref(&INIT), METHODS];

static METHODS: &[NativeDef] = &[
    NativeDef::new(
        "__setstate__",
        "self, state, /",
        |vm, args| Err(vm.prelude_tail("group", "exception_setstate", args)),
        "Restores attributes.",
    ),
    NativeDef::new(
        "with_traceback",
        "self, tb, /",
        with_traceback,
        "Exception.with_traceback(tb) --\n    set self.__traceback__ to tb and return self.",
    ),
    NativeDef::new(
        "add_note",
        "self, note, /",
        add_note,
        "Exception.add_note(note) --\n    add a note to the exception",
    ),
    NativeDef::getter(
        "args",
        |_, a| Ok(exc(a[0]).map_or(Value::NONE, |e| read(&e.args))),
        "the arguments",
    ),
    NativeDef::setter("args", set_args),
    NativeDef::getter(
        "__cause__",
        |_, a| Ok(exc(a[0]).map_or(Value::NONE, |e| or_none(read(&e.cause)))),
        "exception cause",
    ),
    NativeDef::setter("__cause__", set_cause),
    NativeDef::getter(
        "__context__",
        |_, a| Ok(exc(a[0]).map_or(Value::NONE, |e| or_none(read(&e.context)))),
        "exception context",
    ),
    NativeDef::setter("__context__", set_context),
    NativeDef::getter(
        "__suppress_context__",
        |_, a| Ok(Value::bool(exc(a[0]).is_some_and(Exception::suppress_context))),
        "",
    ),
    NativeDef::setter("__suppress_context__", set_suppress),
    NativeDef::getter(
        "__traceback__",
        |_, a| Ok(exc(a[0]).map_or(Value::NONE, |e| or_none(read(&e.traceback)))),
        "the traceback",
    ),
    NativeDef::setter("__traceback__", set_traceback),
];

fn exc<'v>(v: Value<'v>) -> Option<&'v Exception> {
    v.get::<Exception>()
}

fn or_none(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::BaseException)?;
    let rest = vm.tuple(&args[2..])?;
    let class = vm.class_of_shape(shape);
    let init = class.and_then(|c| vm.class_lookup(c, vm.names.__init__));
    let is_own = init
        .and_then(|f| f.get::<crate::object::func::Native>())
        .is_some_and(|f| std::ptr::eq(f.def, &INIT));
    if is_own && !args[1].is_empty() {
        return Err(no_keywords(vm, class));
    }
    Ok(vm.new_exception(shape, rest))
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if !args[1].is_empty() {
        return Err(no_keywords(vm, Some(vm.class_of(args[0]))));
    }
    if let Some(e) = exc(args[0]) {
        e.args.set(vm.tuple(&args[2..])?.word());
    }
    Ok(Value::NONE)
}

fn no_keywords<'v>(vm: &'v Vm, class: Option<&Class>) -> Exit<'v> {
    let name = class.map_or("?".into(), |c| c.name_str());
    vm.type_error(format!("{name}() takes no keyword arguments"))
}

fn with_traceback<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    set_traceback(vm, args)?;
    Ok(args[0])
}

fn add_note<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.add_note(args[0], args[1])
}

fn set_args<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(e) = exc(args[0]) else { return Ok(Value::NONE) };
    if args[1].is_empty() {
        return Err(vm.type_error("args may not be deleted"));
    }
    let items = if args[1].is_a::<Tuple>() { None } else { vm.plain_items(args[1]) };
    let tuple = match items {
        Some(items) => vm.tuple(&items)?,
        None if args[1].is_a::<Tuple>() => args[1],
        None => match vm.items_leaf(args[1])? {
            Some(items) => vm.tuple(&items)?,
            None => {
                return Err(
                    vm.type_error(format!("'{}' object is not iterable", vm.type_name(args[1])))
                );
            }
        },
    };
    e.args.set(tuple.word());
    Ok(Value::NONE)
}

/// An exception or None, as a word that may be Empty.
fn linked<'v>(vm: &'v Vm, v: Value<'v>, what: &str) -> Result<u64, Exit<'v>> {
    if v.is_empty() {
        return Err(vm.type_error(format!("__{what}__ may not be deleted")));
    }
    if v.is_none() {
        return Ok(EMPTY);
    }
    if v.is_a::<Exception>() {
        return Ok(v.word());
    }
    Err(vm.type_error(format!("exception {what} must be None or derive from BaseException")))
}

fn set_cause<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let w = linked(vm, args[1], "cause")?;
    if let Some(e) = exc(args[0]) {
        e.cause.set(w);
        e.set_suppress_context(true);
    }
    Ok(Value::NONE)
}

fn set_context<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let w = linked(vm, args[1], "context")?;
    if let Some(e) = exc(args[0]) {
        e.context.set(w);
    }
    Ok(Value::NONE)
}

fn set_suppress<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(on) = args[1].as_bool() else {
        return Err(vm.type_error("attribute value type must be bool"));
    };
    if let Some(e) = exc(args[0]) {
        e.set_suppress_context(on);
    }
    Ok(Value::NONE)
}

fn set_traceback<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let v = args[1];
    if v.is_empty() {
        return Err(vm.type_error("__traceback__ may not be deleted"));
    }
    if !v.is_none() && !v.is_a::<Traceback>() {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    if let Some(e) = exc(args[0]) {
        e.traceback.set(if v.is_none() { EMPTY } else { v.word() });
    }
    Ok(Value::NONE)
}

impl Vm {
    /// The class whose instances have shape `shape`.
    pub(crate) fn class_of_shape(&self, shape: u32) -> Option<&Class> {
        self.word_value(self.shapes.class(shape)).get::<Class>()
    }

    /// `exc.add_note(note)`.
    pub fn add_note<'v>(&'v self, exc: Value<'v>, note: Value<'v>) -> NResult<'v> {
        if !note.is_a::<Str>() {
            return Err(
                self.type_error(format!("note must be a str, not '{}'", self.type_name(note)))
            );
        }
        let key = self.word_value(self.names.__notes__);
        match self.get_attr_raw(exc, key) {
            None => {
                let l = self.list(vec![note])?;
                self.set_attr_raw(exc, key, l)?;
            }
            Some(l) => match l.get::<List>() {
                Some(l) => self.oom(l.push(&self.heap, note))?,
                None => {
                    return Err(self.type_error("Cannot add note: __notes__ is not a list"));
                }
            },
        }
        Ok(Value::NONE)
    }

    /// Runs `r`, whose exception becomes the answer None-like Empty: for attribute look-ups with
    /// a default.
    pub(crate) fn or_default<'v>(
        &'v self,
        r: NResult<'v>,
        missing: Type,
        default: Value<'v>,
    ) -> NResult<'v> {
        static ROW: Row = Row {
            name: "or_default",
            catches: true,
            resume: |vm, state, answer| match answer {
                Answer::Value(v) if v.is_empty() => Ok(state[0]),
                Answer::Value(v) => Ok(v),
                Answer::Raised(e) => {
                    let class = state[1].get::<Class>();
                    if class.is_some_and(|c| vm.class_of(e).is_subclass(c)) {
                        Ok(state[0])
                    } else {
                        Err(Exit::Raise(e))
                    }
                }
            },
        };
        self.and_then(r, &ROW, vec![default, self.class_value(missing)])
    }
}
