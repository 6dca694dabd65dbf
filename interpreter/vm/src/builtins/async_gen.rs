//! Async generators: their methods, what these give to be awaited, and `aiter` and `anext`.
//!
//! An async generator yields two kinds of things: what it awaits goes out as it is, to whoever
//! drives it; what its `yield` gives is wrapped as `AsyncGenValue` and ends the awaitable.

use std::cell::Cell;

use crate::Vm;
use crate::builtins::{Type, generator};
use crate::handles::Handle;
use crate::native::{Action, Answer, Exit, NResult, NativeDef, Row, Then};
use crate::object::class::{Class, class_flags};
use crate::object::generator::{GenState, Generator};
use crate::object::iter::Iter;
use crate::object::read;
use crate::object::record::Record;
use crate::object::seq::Tuple;
use crate::value::Value;

/// Rows of async generators.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__aiter__", "self, /", |_, a| Ok(a[0]), "Return an awaitable iterator."),
    NativeDef::new(
        "__anext__",
        "self, /",
        |vm, a| begin(vm, awaitable(vm, a[0], Kind::Send, Value::NONE, Value::EMPTY)),
        "Return a value or raise StopAsyncIteration.",
    ),
    NativeDef::new(
        "asend",
        "self, value, /",
        |vm, a| begin(vm, awaitable(vm, a[0], Kind::Send, a[1], Value::EMPTY)),
        "asend(v) -> send 'v' in generator.",
    ),
    NativeDef::new(
        "athrow",
        "self, type, value=None, traceback=None, /",
        |vm, a| {
            let thrower = awaitable(vm, a[0], Kind::Throw, a[1], a[2]);
            if a[2].is_empty() {
                return begin(vm, thrower);
            }
            let (kind, text) = (Type::DeprecationWarning, generator::old_throw("athrow"));
            Err(vm.warn_then(kind, &text, thrower, &WARNED, Vec::new()))
        },
        "athrow(value) -> raise exception in generator.",
    ),
    NativeDef::new(
        "aclose",
        "self, /",
        |vm, a| {
            let exit = vm.class_value(Type::GeneratorExit);
            begin(vm, awaitable(vm, a[0], Kind::Close, exit, Value::EMPTY))
        },
        "aclose() -> raise GeneratorExit inside generator.",
    ),
];

/// Rows of the awaitables.
pub const AWAITABLE: &[NativeDef] = &[
    NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
    // The StopIteration at its end holds what it gives.
    NativeDef::new("__next__", "self, /", |vm, a| with(a[0], |i| step(vm, i, Value::NONE)), ""),
    NativeDef::new("__await__", "self, /", |_, a| Ok(a[0]), "Return an iterator for await."),
    NativeDef::new("send", "self, value, /", |vm, a| with(a[0], |i| step(vm, i, a[1])), ""),
    NativeDef::new(
        "throw",
        "self, type, value=None, traceback=None, /",
        |vm, a| with(a[0], |i| throw(vm, i, a[1], a[2])),
        "",
    ),
    NativeDef::new("close", "self, /", close, ""),
];

/// The builtin functions.
pub const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "aiter",
        "async_iterable, /",
        aiter,
        "Return an AsyncIterator for an AsyncIterable object.",
    ),
    NativeDef::new(
        "anext",
        "aiterator, default=None, /",
        anext,
        "Return the next item from the async iterator.",
    ),
];

/// Who is told of an async generator before it begins, so that it can be closed at the end.
#[derive(Default)]
pub struct FirstIteration(Cell<Option<Handle>>);

impl FirstIteration {
    /// Has `hook` called with each async generator that begins.
    pub fn set<'v>(vm: &'v Vm, hook: Value<'v>) {
        let kept = vm.local::<FirstIteration>();
        if let Some(old) = kept.0.replace(Some(vm.retain(hook))) {
            vm.release(old);
        }
    }
}

/// After the warning about more arguments of `athrow` than one.
static WARNED: Row = Row {
    name: "async_generator_warned",
    catches: false,
    resume: |vm, _, answer| begin(vm, answer.value()?),
};

/// After the hook was called. State: the awaitable.
static BEGUN: Row = Row {
    name: "async_generator_begun",
    catches: false,
    resume: |_, state, answer| answer.value().map(|_| state[0]),
};

/// An awaitable, after the hook was told of a generator that has not begun.
fn begin<'v>(vm: &'v Vm, awaitable: Value<'v>) -> NResult<'v> {
    with(awaitable, |i| {
        let generator = i.get(0);
        if generator.get::<Generator>().is_none_or(|g| g.state.get() != GenState::Created) {
            return Ok(awaitable);
        }
        match vm.local::<FirstIteration>().0.get().and_then(|hook| vm.handle(hook)) {
            Some(hook) => Err(Exit::call(hook, vec![generator], &BEGUN, vec![awaitable])),
            None => Ok(awaitable),
        }
    })
}

/// What an awaitable does with its generator; the number `m` of its struct.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Send,
    Throw,
    Close,
}

/// How far an awaitable is; the number `n` of its struct.
const STARTED: usize = 1;
const OVER: usize = 2;

/// Word 0 is the generator, word 1 what is sent or thrown, word 2 the second argument of a throw.
fn awaitable<'v>(
    vm: &'v Vm,
    generator: Value<'v>,
    kind: Kind,
    what: Value<'v>,
    more: Value<'v>,
) -> Value<'v> {
    let class = if kind == Kind::Send { Type::AsyncGenSend } else { Type::AsyncGenThrow };
    vm.iter(class, |vm, i| step(vm, i, Value::NONE), [generator, what, more], 0, kind as u64)
}

fn with<'v>(v: Value<'v>, f: impl FnOnce(&'v Iter) -> NResult<'v>) -> NResult<'v> {
    v.get::<Iter>().map_or(Ok(Value::NONE), f)
}

fn kind(i: &Iter) -> Kind {
    match i.m.get() {
        0 => Kind::Send,
        1 => Kind::Throw,
        _ => Kind::Close,
    }
}

/// After the generator ran on behalf of an awaitable. State: the awaitable.
static STEP_ROW: Row = Row {
    name: "async_generator_step",
    catches: true,
    resume: |vm, state, answer| {
        with(state[0], |i| {
            let closes = kind(i) == Kind::Close;
            match answer {
                Answer::Value(v) if vm.exact_type(v) == Some(Type::AsyncGenValue) => {
                    over(i);
                    if closes {
                        return Err(vm.runtime_error("async generator ignored GeneratorExit"));
                    }
                    let inner = v.get::<Record>().map_or(Value::NONE, |r| read(&r.a));
                    Err(vm.stop_iteration(inner))
                }
                Answer::Value(v) => Ok(v),
                Answer::Raised(e) => {
                    over(i);
                    let ended = vm.is_exception_of(e, Type::StopAsyncIteration)
                        || vm.is_exception_of(e, Type::GeneratorExit);
                    Err(if closes && ended {
                        vm.stop_iteration(Value::NONE)
                    } else {
                        Exit::Raise(e)
                    })
                }
            }
        })
    },
};

/// After the exception to throw was made. State: the awaitable.
static THROW_ROW: Row = Row {
    name: "async_generator_throw",
    catches: false,
    resume: |_, state, answer| {
        let exception = answer.value()?;
        with(state[0], |i| Err(resume(i, exception, true)))
    },
};

fn resume<'v>(i: &'v Iter, value: Value<'v>, throw: bool) -> Exit<'v> {
    let then = Some(Then { row: &STEP_ROW, state: vec![Value::object(i)] });
    Exit::Do(Box::new(Action::Resume { generator: i.get(0), value, throw, then }))
}

/// The awaitable has done what it was for, and another may run its generator.
fn over(i: &Iter) {
    i.n.set(OVER);
    if let Some(g) = i.get(0).get::<Generator>() {
        g.awaited.set(false);
    }
}

/// Takes the generator for an awaitable that starts.
fn start<'v>(vm: &'v Vm, i: &Iter) -> Result<(), Exit<'v>> {
    let Some(g) = i.get(0).get::<Generator>() else { return Ok(()) };
    if !g.awaited.replace(true) {
        return Ok(());
    }
    i.n.set(OVER);
    let what = match kind(i) {
        Kind::Send => "anext",
        Kind::Throw => "athrow",
        Kind::Close => "aclose",
    };
    Err(vm.runtime_error(format!("{what}(): asynchronous generator is already running")))
}

fn check_open<'v>(vm: &'v Vm, i: &Iter) -> Result<(), Exit<'v>> {
    if i.n.get() != OVER {
        return Ok(());
    }
    let what = if kind(i) == Kind::Send { "__anext__()/asend()" } else { "aclose()/athrow()" };
    Err(vm.runtime_error(format!("cannot reuse already awaited {what}")))
}

/// One step of an awaitable.
fn step<'v>(vm: &'v Vm, i: &'v Iter, sent: Value<'v>) -> NResult<'v> {
    check_open(vm, i)?;
    if i.n.replace(STARTED) == STARTED {
        return Err(resume(i, sent, false));
    }
    start(vm, i)?;
    if kind(i) == Kind::Send {
        let value = if sent.is_none() { i.get(1) } else { sent };
        return Err(resume(i, value, false));
    }
    if i.get(0).get::<Generator>().is_none_or(|g| g.state.get() == GenState::Done) {
        over(i);
        return Err(vm.stop_iteration(Value::NONE));
    }
    throw(vm, i, i.get(1), i.get(2))
}

/// Throws into the generator: an exception, or a class and what it is made with.
fn throw<'v>(vm: &'v Vm, i: &'v Iter, what: Value<'v>, more: Value<'v>) -> NResult<'v> {
    check_open(vm, i)?;
    i.n.set(STARTED);
    if let Some(g) = i.get(0).get::<Generator>() {
        g.awaited.set(true);
    }
    if vm.is_exception_of(what, Type::BaseException) {
        return Err(resume(i, what, true));
    }
    if !what.get::<Class>().is_some_and(|c| c.has(class_flags::EXCEPTION)) {
        over(i);
        return Err(vm.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {}",
            vm.type_name(what)
        )));
    }
    if !more.is_empty() && vm.is_exception_of(more, Type::BaseException) {
        return Err(resume(i, more, true));
    }
    let args = match more.get::<Tuple>() {
        Some(t) => t.items().to_vec(),
        None if more.is_empty() || more.is_none() => Vec::new(),
        None => vec![more],
    };
    Err(Exit::call(what, args, &THROW_ROW, vec![Value::object(i)]))
}

fn close<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    with(a[0], |i| {
        i.n.set(OVER);
        Ok(Value::NONE)
    })
}

/// After `__aiter__` on behalf of `aiter`.
static AITER_ROW: Row = Row {
    name: "aiter_function",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if vm.class_lookup(vm.class_of(v), vm.names.__anext__).is_some() {
            return Ok(v);
        }
        Err(vm.type_error(format!(
            "aiter() returned not an async iterator of type '{}'",
            vm.type_name(v)
        )))
    },
};

fn aiter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.method(a[0], vm.names.__aiter__)? {
        Some((f, args)) => vm.finish_with(f, args, &AITER_ROW),
        None => {
            Err(vm.type_error(format!("'{}' object is not an async iterable", vm.type_name(a[0]))))
        }
    }
}

fn anext<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.method(a[0], vm.names.__anext__)? {
        Some((f, args)) if a[1].is_empty() => Err(Exit::tail(f, args)),
        Some(_) => Err(vm.prelude_tail("seq", "anext_or", a)),
        None => {
            Err(vm.type_error(format!("'{}' object is not an async iterator", vm.type_name(a[0]))))
        }
    }
}

/// The rows of the class `t`, one of those this module owns.
pub(crate) fn methods(t: Type) -> &'static [&'static [NativeDef]] {
    match t {
        Type::AsyncGenerator => &[METHODS, generator::ASYNC, generator::NAMES],
        _ => &[AWAITABLE],
    }
}
