//! Formats, numbers and regular expressions, through functions of a script that is asked again
//! and again.

use std::cell::RefCell;

use miniscript_engine::vm::handles::Handle;
use miniscript_engine::{Engine, Failure};

use super::source::config;

/// Calls before the interpreter is made anew.
const CALLS: u32 = 2000;

/// The functions that check what scripts can see: they return None, or say what is wrong.
const CHECKS: &str = include_str!("checks.ms");

thread_local! {
    static MACHINE: RefCell<Option<(Engine, u32)>> = const { RefCell::new(None) };
}

/// A format specification and a template, and what they are applied to.
pub(super) fn formats(data: &[u8]) -> Result<(), String> {
    ask("formats", data)
}

/// A text that may be an int in some base, or a float.
pub(super) fn numbers(data: &[u8]) -> Result<(), String> {
    ask("numbers", data)?;
    // Of plain ASCII without underscores Rust's own parser reads the same floats.
    let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'-' | b'+'));
    if !plain || text.len() > 400 {
        return Ok(());
    }
    let wanted = text.parse::<f64>().map_or("None".to_owned(), |x| x.to_bits().to_string());
    with_text("float_bits", data, |got| match got == wanted {
        true => Ok(()),
        false => Err(format!("float({text:?}) has the bits {got} and not {wanted}")),
    })
}

/// A pattern and a text to look through.
pub(super) fn regex(data: &[u8]) -> Result<(), String> {
    ask("regex", data)
}

fn ask(function: &str, data: &[u8]) -> Result<(), String> {
    with_text(function, data, |answer| match answer {
        "None" => Ok(()),
        wrong => Err(wrong.to_owned()),
    })
}

/// Calls a function of the script with bytes; `judge` gets its answer as text. A call that meets a
/// limit has no answer.
fn with_text(
    function: &str,
    data: &[u8],
    judge: impl FnOnce(&str) -> Result<(), String>,
) -> Result<(), String> {
    MACHINE.with_borrow_mut(|machine| {
        let (engine, calls) = machine.get_or_insert_with(|| (prepared(), 0));
        *calls += 1;
        let last = *calls > CALLS;
        let outcome = call(engine, function, data);
        if last || outcome.is_err() {
            *machine = None;
        }
        outcome?.map_or(Ok(()), |answer| judge(&answer))
    })
}

fn prepared() -> Engine {
    let mut engine = Engine::new(config(300_000));
    if let Err(failure) = engine.run_source(CHECKS, "checks.ms") {
        engine.report(failure);
    }
    engine
}

fn call(engine: &mut Engine, function: &str, data: &[u8]) -> Result<Option<String>, String> {
    let function = engine.global(function).ok_or("checks.ms has no such function")?;
    let vm = engine.vm();
    let Ok(argument) = vm.bytes(data).map(|bytes| vm.retain(bytes)) else { return Ok(None) };
    engine.start_clock();
    let outcome = engine.call(function, &[argument]);
    let answer = match outcome {
        Ok(value) => {
            let text = text_of(engine, value);
            engine.vm().release(value);
            Ok(Some(text))
        }
        Err(Failure::Raised(error)) if engine.is_limit(error) => {
            engine.vm().release(error);
            Ok(None)
        }
        Err(Failure::Raised(error)) => {
            let text = engine.exception_text(error);
            engine.vm().release(error);
            let last = text.lines().last().unwrap_or_default();
            match last.starts_with("RecursionError") || last.starts_with("MemoryError") {
                true => Ok(None),
                false => Err(text),
            }
        }
        Err(failure) => Err(format!("{failure:?}")),
    };
    engine.stop_clock();
    engine.vm().release(argument);
    engine.vm().release(function);
    answer
}

fn text_of(engine: &Engine, value: Handle) -> String {
    use miniscript_engine::vm::object::text::Str;
    let value = engine.vm().handle(value);
    value.and_then(|v| v.get::<Str>()).map_or("None".to_owned(), |s| s.to_display().into_owned())
}
