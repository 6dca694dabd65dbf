//! `traceback`: exceptions as text, as an uncaught one is shown.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef, Row};
use miniscript_vm::object::exc::{Exception, Traceback};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::object::text::Str;
use miniscript_vm::traceback::Extent;
use miniscript_vm::{Value, Vm};

pub(super) const DOC: &str = "Exceptions as text.";

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "format_exception",
        "exc, /, value=None, tb=None, *, chain=True",
        |vm, args| {
            let exc = given(vm, args[0], args[1])?;
            lines(vm, vm.format_exception(exc, extent(vm, args[3])?))
        },
        "The lines that an uncaught exception prints; chain: also what led to it.",
    ),
    NativeDef::new(
        "format_exception_only",
        "exc, /, value=None",
        |vm, args| {
            let exc = given(vm, args[0], args[1])?;
            lines(vm, vm.format_exception(exc, Extent::Message))
        },
        "The last lines of that: class and text.",
    ),
    NativeDef::new(
        "format_exc",
        "*, chain=True",
        |vm, args| match vm.handled_exception() {
            Some(exc) => vm.format_exception(exc, extent(vm, args[0])?),
            None => vm.str(NOTHING),
        },
        "As format_exception of the exception being handled, as one str.",
    ),
    NativeDef::new(
        "format_tb",
        "tb, /",
        |vm, args| lines(vm, frames(vm, args[0])),
        "The lines of a traceback.",
    ),
    NativeDef::new(
        "print_exception",
        "exc, /, value=None, tb=None, *, file=None, chain=True",
        |vm, args| {
            let exc = given(vm, args[0], args[1])?;
            print(vm, vm.format_exception(exc, extent(vm, args[4])?), args[3])
        },
        "Print what format_exception gives to file (sys.stderr).",
    ),
    NativeDef::new(
        "print_exc",
        "*, file=None, chain=True",
        |vm, args| {
            let text = match vm.handled_exception() {
                Some(exc) => vm.format_exception(exc, extent(vm, args[1])?),
                None => vm.str(NOTHING),
            };
            print(vm, text, args[0])
        },
        "As print_exception of the exception being handled.",
    ),
    NativeDef::new(
        "print_tb",
        "tb, /, *, file=None",
        |vm, args| print(vm, frames(vm, args[0]), args[1]),
        "Print the lines of a traceback.",
    ),
];

const NOTHING: &str = "NoneType: None\n";

/// The exception of the arguments: one, or a class and one.
fn given<'v>(vm: &'v Vm, exc: Value<'v>, value: Value<'v>) -> NResult<'v> {
    let is = |v: &Value<'v>| v.is_a::<Exception>();
    match Some(exc).filter(is).or(Some(value).filter(is)) {
        Some(exc) => Ok(exc),
        None => {
            let t = vm.type_name(exc);
            Err(vm.type_error(format!("Exception expected for value, {t} found")))
        }
    }
}

fn extent<'v>(vm: &'v Vm, chain: Value<'v>) -> Result<Extent, Exit<'v>> {
    Ok(if chain.is_empty() || vm.truth(chain)? { Extent::Whole } else { Extent::Alone })
}

/// The lines of a traceback object, by an exception that has it.
fn frames<'v>(vm: &'v Vm, tb: Value<'v>) -> NResult<'v> {
    if tb.is_none() {
        return vm.str("");
    }
    if !tb.is_a::<Traceback>() {
        let t = vm.type_name(tb);
        return Err(vm.type_error(format!("a traceback is required, not {t}")));
    }
    let carrier = vm.exception(Type::Exception, "");
    if let Some(e) = carrier.get::<Exception>() {
        e.traceback.set(tb.word());
    }
    static CUT: Row = Row {
        name: "traceback_frames",
        catches: false,
        resume: |vm, _, answer| {
            let text = answer.value()?;
            let Some(s) = text.get::<Str>() else { return Ok(text) };
            let shown = s.to_display();
            let lines: Vec<&str> = shown.split_inclusive('\n').collect();
            vm.str(&lines.get(1..lines.len() - 1).unwrap_or_default().concat())
        },
    };
    vm.and_then(vm.format_exception(carrier, Extent::Alone), &CUT, Vec::new())
}

/// A list of the lines of a text.
fn lines<'v>(vm: &'v Vm, text: NResult<'v>) -> NResult<'v> {
    static SPLIT: Row = Row {
        name: "traceback_lines",
        catches: false,
        resume: |vm, _, answer| {
            let text = answer.value()?;
            let shown = text.get::<Str>().map(|s| s.to_display().into_owned());
            let mut items = Vec::new();
            for line in shown.unwrap_or_default().split_inclusive('\n') {
                items.push(vm.str(line)?);
            }
            vm.list(items)
        },
    };
    vm.and_then(text, &SPLIT, Vec::new())
}

/// Writes a text to a file, or to `sys.stderr`.
fn print<'v>(vm: &'v Vm, text: NResult<'v>, file: Value<'v>) -> NResult<'v> {
    static WRITE: Row = Row {
        name: "traceback_write",
        catches: false,
        resume: |vm, state, answer| {
            let text = answer.value()?;
            let write = vm.getattr(state[0], vm.intern("write"));
            vm.and_then(write, &CALL, vec![text])
        },
    };
    static CALL: Row = Row {
        name: "traceback_call",
        catches: false,
        resume: |_, state, answer| {
            Err(Exit::call(answer.value()?, vec![state[0]], &WRITTEN, Vec::new()))
        },
    };
    static WRITTEN: Row = Row {
        name: "traceback_written",
        catches: false,
        resume: |_, _, answer| answer.value().map(|_| Value::NONE),
    };
    let file = match file {
        f if f.is_empty() || f.is_none() => stderr(vm),
        f => f,
    };
    if file.is_none() {
        return Ok(Value::NONE);
    }
    vm.and_then(text, &WRITE, vec![file])
}

fn stderr(vm: &Vm) -> Value<'_> {
    let sys = vm.dict_get_str(vm.modules(), "sys").and_then(|m| m.get::<Module>());
    let d = sys.and_then(|m| m.dict().get::<Dict>());
    d.and_then(|d| vm.dict_get_str(d, "stderr")).unwrap_or(Value::NONE)
}
