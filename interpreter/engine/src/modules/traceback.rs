//! `traceback`: what its source takes from the VM, exceptions as text.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::object::exc::{Exception, Traceback};
use miniscript_vm::object::text::Str;
use miniscript_vm::traceback::Extent;
use miniscript_vm::{Value, Vm};

pub(super) static FUNCTIONS: &[NativeDef] = &[
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
        "format_tb",
        "tb, /",
        |vm, args| lines(vm, frames(vm, args[0])),
        "The lines of a traceback.",
    ),
];

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
