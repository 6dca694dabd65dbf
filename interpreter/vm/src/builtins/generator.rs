//! Methods of generators, coroutines and async generators.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Action, Answer, Exit, NResult, NativeDef, Quick, Row, Then};
use crate::object::class::Class;
use crate::object::exc::{Exception, Traceback};
use crate::object::generator::{GenState, Generator};
use crate::object::iter::Iter;
use crate::object::read;
use crate::object::text::Str;
use crate::value::Value;

/// Rows of all three.
pub const NAMES: &[NativeDef] = &[
    NativeDef::getter(
        "__name__",
        |_, a| Ok(generator(a[0]).map_or(Value::NONE, |g| read(&g.name))),
        "",
    ),
    NativeDef::setter("__name__", set_name),
    NativeDef::getter(
        "__qualname__",
        |_, a| Ok(generator(a[0]).map_or(Value::NONE, |g| read(&g.qualname))),
        "",
    ),
    NativeDef::setter("__qualname__", set_qualname),
];

/// Rows of generators and coroutines.
pub const SEND: &[NativeDef] = &[
    NativeDef::new("send", "self, value, /", |vm, a| Err(resume(vm, a[0], a[1], false, None)), "")
        .quick(Quick::Send),
    NativeDef::new("throw", "self, type, value=None, traceback=None, /", throw, ""),
    NativeDef::new("close", "self, /", close, "Raise GeneratorExit inside generator."),
];

/// Rows of generators.
pub const GENERATOR: &[NativeDef] = &[
    NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
    NativeDef::new(
        "__next__",
        "self, /",
        |vm, a| Err(resume(vm, a[0], Value::NONE, false, None)),
        "Implement next(self).",
    )
    .quick(Quick::Next),
    NativeDef::getter("gi_running", running, ""),
    NativeDef::getter("gi_suspended", suspended, ""),
    NativeDef::getter("gi_yieldfrom", delegate, ""),
    NativeDef::getter("gi_code", code, ""),
    NativeDef::getter("gi_frame", frame, ""),
];

/// Rows of coroutines.
pub const COROUTINE: &[NativeDef] = &[
    NativeDef::new("__await__", "self, /", coroutine_await, "Return an iterator for await."),
    NativeDef::getter("cr_running", running, ""),
    NativeDef::getter("cr_suspended", suspended, ""),
    NativeDef::getter("cr_await", delegate, ""),
    NativeDef::getter("cr_code", code, ""),
    NativeDef::getter("cr_frame", frame, ""),
];

/// Rows of async generators that say how they are.
pub const ASYNC: &[NativeDef] = &[
    NativeDef::getter("ag_running", running, ""),
    NativeDef::getter("ag_suspended", suspended, ""),
    NativeDef::getter("ag_await", delegate, ""),
    NativeDef::getter("ag_code", code, ""),
    NativeDef::getter("ag_frame", frame, ""),
];

/// Rows of what `coroutine.__await__()` gives. Word 0 is the coroutine.
pub const WRAPPER: &[NativeDef] = &[
    NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
    // The StopIteration at its end holds what the coroutine returned.
    NativeDef::new(
        "__next__",
        "self, /",
        |vm, a| wrapped(vm, &[a[0], Value::NONE], send_value),
        "",
    ),
    NativeDef::new("send", "self, value, /", |vm, a| wrapped(vm, a, send_value), ""),
    NativeDef::new(
        "throw",
        "self, type, value=None, traceback=None, /",
        |vm, a| wrapped(vm, a, throw),
        "",
    ),
    NativeDef::new("close", "self, /", |vm, a| wrapped(vm, a, close), ""),
];

fn generator(v: Value<'_>) -> Option<&Generator> {
    v.get::<Generator>()
}

fn resume<'v>(
    _: &'v Vm,
    g: Value<'v>,
    value: Value<'v>,
    throw: bool,
    then: Option<Then<'v>>,
) -> Exit<'v> {
    Exit::Do(Box::new(Action::Resume { generator: g, value, throw, then }))
}

fn send_value<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Err(resume(vm, a[0], a[1], false, None))
}

fn wrapped<'v>(
    vm: &'v Vm,
    a: &[Value<'v>],
    f: for<'w> fn(&'w Vm, &[Value<'w>]) -> NResult<'w>,
) -> NResult<'v> {
    let Some(i) = a[0].get::<Iter>() else { return Ok(Value::NONE) };
    let mut args = a.to_vec();
    args[0] = i.get(0);
    f(vm, &args)
}

/// After a coroutine step on behalf of `__next__` of its wrapper.
fn wrapper_next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
    Err(resume(vm, i.get(0), Value::NONE, false, None))
}

fn coroutine_await<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let e = Value::EMPTY;
    Ok(vm.iter(Type::CoroutineWrapper, wrapper_next, [a[0], e, e], 0, 0))
}

/// After the exception to throw was made. State: the generator, the class of the exception, its
/// traceback or Empty.
static THROW_ROW: Row = Row {
    name: "generator_throw",
    catches: false,
    resume: |vm, state, answer| {
        let mut made = answer.value()?;
        if !vm.is_exception_of(made, Type::BaseException) {
            made = vm.exception(
                Type::TypeError,
                format!(
                    "calling {} should have returned an instance of BaseException, not {}",
                    vm.class_repr(state[1]),
                    vm.type_name(made)
                ),
            );
        }
        if let (Some(e), false) = (made.get::<Exception>(), state[2].is_empty()) {
            e.traceback.set(state[2].word());
        }
        Err(resume(vm, state[0], made, true, None))
    },
};

/// After the warning about more arguments than one. State: the generator and those arguments.
static OLD_THROW_ROW: Row = Row {
    name: "generator_old_throw",
    catches: false,
    resume: |vm, state, answer| answer.value().and_then(|_| throw_args(vm, state)),
};

/// What is said about `throw(type, value, traceback)`, of what is called `name`.
pub(super) fn old_throw(name: &str) -> String {
    format!(
        "the (type, exc, tb) signature of {name}() is deprecated, use the single-arg signature \
         instead."
    )
}

fn throw<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a.get(2).is_none_or(|value| value.is_empty()) {
        return throw_args(vm, a);
    }
    let state = a.iter().copied().take_while(|v| !v.is_empty()).collect();
    let text = old_throw("throw");
    Err(vm.warn_then(Type::DeprecationWarning, &text, Value::NONE, &OLD_THROW_ROW, state))
}

fn throw_args<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, value) = (a[1], a.get(2).copied().unwrap_or(Value::EMPTY));
    let traceback = a.get(3).copied().filter(|tb| !tb.is_empty() && !tb.is_none());
    if traceback.is_some_and(|tb| !tb.is_a::<Traceback>()) {
        return Err(vm.type_error("throw() third argument must be a traceback object"));
    }
    let is_class =
        kind.get::<Class>().is_some_and(|c| c.has(crate::object::class::class_flags::EXCEPTION));
    let is_exception = vm.is_exception_of(kind, Type::BaseException);
    if !is_class && !is_exception {
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            vm.type_name(kind)
        )));
    }
    if is_exception {
        if !value.is_empty() && !value.is_none() {
            return Err(vm.type_error("instance exception may not have a separate value"));
        }
        return Err(resume(vm, a[0], kind, true, None));
    }
    let state = vec![a[0], kind, traceback.unwrap_or(Value::EMPTY)];
    if kind.get::<Class>().is_some_and(|class| vm.class_of(value).is_subclass(class)) {
        return (THROW_ROW.resume)(vm, &state, Answer::Value(value));
    }
    let args = match value {
        v if v.is_empty() || v.is_none() => Vec::new(),
        v => v.get::<crate::object::seq::Tuple>().map_or_else(|| vec![v], |t| t.items().to_vec()),
    };
    Err(Exit::call(kind, args, &THROW_ROW, state))
}

/// After GeneratorExit was thrown: it must come out again, or the end.
static CLOSE_ROW: Row = Row {
    name: "generator_close",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Value(_) => {
            let kind = generator(state[0]).map_or("generator", |g| vm.generator_kind(g));
            Err(vm.runtime_error(format!("{kind} ignored GeneratorExit")))
        }
        Answer::Raised(e)
            if vm.is_exception_of(e, Type::GeneratorExit) || vm.is_stop_iteration(e) =>
        {
            Ok(Value::NONE)
        }
        Answer::Raised(e) => Err(Exit::Raise(e)),
    },
};

fn close<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(g) = generator(a[0]) else { return Ok(Value::NONE) };
    match g.state.get() {
        GenState::Created => {
            g.finish();
            Ok(Value::NONE)
        }
        GenState::Done => Ok(Value::NONE),
        _ => {
            let e = vm.new_exception(Type::GeneratorExit.shape(), vm.empty_tuple());
            let then = Then { row: &CLOSE_ROW, state: vec![a[0]] };
            Err(resume(vm, a[0], e, true, Some(then)))
        }
    }
}

fn state_is(v: Value<'_>, s: GenState) -> Value<'static> {
    Value::bool(generator(v).is_some_and(|g| g.state.get() == s))
}

fn running<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(state_is(a[0], GenState::Running))
}

fn suspended<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(state_is(a[0], GenState::Suspended))
}

fn delegate<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(generator(a[0]).and_then(|g| vm.delegate_of(g)).unwrap_or(Value::NONE))
}

fn code<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(generator(a[0]).map_or(Value::NONE, |g| read(&g.func().code)))
}

/// A picture of its frame; None once it is done.
fn frame<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match generator(a[0]) {
        Some(g) if g.state.get() != GenState::Done => vm.generator_frame(g),
        _ => Ok(Value::NONE),
    }
}

fn set_name<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    set_text(vm, a, "__name__", |g| &g.name)
}

fn set_qualname<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    set_text(vm, a, "__qualname__", |g| &g.qualname)
}

fn set_text<'v>(
    vm: &'v Vm,
    a: &[Value<'v>],
    what: &str,
    cell: fn(&Generator) -> &std::cell::Cell<u64>,
) -> NResult<'v> {
    let Some(g) = generator(a[0]) else { return Ok(Value::NONE) };
    if !a[1].is_a::<Str>() {
        return Err(vm.type_error(format!("{what} must be set to a string object")));
    }
    cell(g).set(a[1].word());
    Ok(Value::NONE)
}
