//! Functions: arguments, results, errors, callbacks, limits.

use crate::State;
use miniscript_sdk as ms;
use ms::prelude::*;
use num_bigint::BigInt;
use std::collections::{BTreeMap, HashSet};

/// Adds two ints.
///
/// The second one is 2 by default.
#[ms::function]
pub fn add(a: i64, #[ms(default = 2)] b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(|| Error::new("OverflowError", "sum is too large"))
}

/// The square root.
#[ms::function(positional, typed, pure)]
pub fn root(x: f64) -> Result<f64> {
    if x < 0.0 { Err(Error::value("math domain error")) } else { Ok(x.sqrt()) }
}

/// Greets.
#[ms::function]
pub fn greet(name: &str, #[ms(keyword, default = "Hello")] greeting: String) -> String {
    format!("{greeting}, {name}!")
}

/// The sum of any number of numbers.
#[ms::function]
pub fn total(#[ms(args)] numbers: Vec<f64>, scale: Option<f64>) -> f64 {
    numbers.iter().fold(0.0, |sum, n| sum + n) * scale.unwrap_or(1.0)
}

/// Names and numbers.
#[ms::function]
pub fn named(first: i64, #[ms(kwargs)] rest: BTreeMap<String, i64>) -> Vec<(String, i64)> {
    std::iter::once(("first".to_owned(), first)).chain(rest).collect()
}

/// A number or its stand-in: an `Option` before a required parameter has to be given.
#[ms::function]
pub fn either(number: Option<i64>, other: i64) -> i64 {
    number.unwrap_or(other)
}

/// Tells a missing argument from None.
#[ms::function]
pub fn choose(#[ms(optional)] value: Value) -> &'static str {
    match value {
        v if v.is_absent() => "absent",
        v if v.is_none() => "none",
        _ => "given",
    }
}

/// Plain data of many types.
#[ms::function]
pub fn opposite(
    flag: bool,
    big: BigInt,
    data: ms::Bytes,
    items: Vec<i64>,
    names: HashSet<String>,
    pair: (i64, String),
) -> (bool, BigInt, Vec<i64>, usize, usize, (String, i64)) {
    let reversed = items.into_iter().rev().collect();
    (!flag, -big, reversed, data.0.len(), names.len(), (pair.1, pair.0))
}

/// The same value.
#[ms::function]
pub fn echo(value: Value) -> Value {
    value
}

/// Panics.
#[ms::function]
pub fn explode(what: String) {
    panic!("no {what}");
}

fn state(cx: &Cx) -> Result<&State> {
    cx.state::<State>().ok_or_else(|| Error::new("SystemError", "there is no state"))
}

/// How often this was called in this VM.
#[ms::function]
pub fn count_calls(cx: &Cx) -> Result<u64> {
    let state = state(cx)?;
    state.calls.set(state.calls.get() + 1);
    Ok(state.calls.get())
}

/// callback(callback(x))
#[ms::function(calls_back)]
pub fn twice(cx: &Cx, callback: Value, x: Value) -> Result<Value> {
    let once = cx.call(callback, &[x])?;
    cx.call(callback, &[once])
}

/// Folds an iterable with a function and the operators of its items.
#[ms::function(calls_back)]
pub fn fold(cx: &Cx, items: Value, start: Value, callback: Option<Value>) -> Result<Value> {
    let mut result = start;
    let iterator = cx.iter(items)?;
    while let Some(item) = cx.next(iterator)? {
        result = match callback {
            Some(callback) => cx.call_with(callback, &[result], &[("item", item)])?,
            None => cx.binary(ms::Binary::Add, result, item)?,
        };
    }
    Ok(result)
}

/// What a call came to, as text.
#[ms::function(calls_back)]
pub fn attempt(cx: &Cx, callback: Value) -> Result<String> {
    match cx.call(callback, &[]) {
        Ok(value) => Ok(format!("returned {}", cx.repr(value)?)),
        Err(error) => {
            let exception = cx.catch(error)?;
            Ok(format!("{}: {}", cx.type_name(exception), cx.str(exception)?))
        }
    }
}

/// Calls back without having declared it.
#[ms::function]
pub fn undeclared(cx: &Cx, callback: Value, #[ms(args)] args: Vec<Value>) -> Result<Value> {
    cx.call(callback, &args)
}

/// str() and repr() of a value, by a function that does not say that it calls back.
#[ms::function]
pub fn shown(cx: &Cx, value: Value) -> Result<(String, String)> {
    Ok((cx.str(value)?, cx.repr(value)?))
}

/// Remembers a value beyond its call, which is wrong.
#[ms::function]
pub fn keep_stale(cx: &Cx, value: Value) -> Result<()> {
    state(cx)?.stale.set(Some(value));
    Ok(())
}

/// Uses it.
#[ms::function]
pub fn use_stale(cx: &Cx) -> Result<Value> {
    let value = state(cx)?.stale.get().ok_or_else(|| Error::value("nothing was remembered"))?;
    cx.get_attr(value, "__class__")?;
    Ok(value)
}

/// Remembers a value rightly.
#[ms::function]
pub fn keep(cx: &Cx, value: Value) -> Result<()> {
    let kept = value.keep(cx)?;
    state(cx)?.kept.replace(Some(kept));
    Ok(())
}

/// The value.
#[ms::function]
pub fn kept(cx: &Cx) -> Result<Option<Value>> {
    Ok(state(cx)?.kept.borrow().as_ref().map(Kept::get))
}

/// Gives the host what no host gave out.
#[ms::function]
pub fn misuse(cx: &Cx, how: &str) -> Result<Value> {
    let mut raw = ms::abi::MsValue::NONE;
    match how {
        "tag" => raw.tag = 9,
        "absent" => raw.tag = ms::abi::MS_TAG_ABSENT,
        "handle" => (raw.tag, raw.payload) = (ms::abi::MS_TAG_OBJECT, 77),
        "slot" => {
            raw = cx.make("text")?.raw();
            raw.payload |= 0x00FF_FFFF;
        }
        "generation" => {
            raw = cx.make("text")?.raw();
            raw.aux = raw.aux.wrapping_add(1);
        }
        _ => return Err(Error::value("misuse what?")),
    }
    Ok(Value::new(raw))
}

/// Raises an exception of this extension's own.
#[ms::function]
pub fn raise_own(message: &str, #[ms(default = false)] deep: bool) -> Result<()> {
    Err(Error::new(if deep { "DeepError" } else { "ProbeError" }, message))
}

/// Calls, and raises a ProbeError with what that raised as its cause.
#[ms::function(calls_back)]
pub fn raise_from(cx: &Cx, callback: Value) -> Result<Value> {
    match cx.call(callback, &[]) {
        Ok(value) => Ok(value),
        Err(error) => {
            let cause = cx.catch(error)?.keep(cx)?;
            Err(Error::new("ProbeError", "the callback failed").because(cause))
        }
    }
}

/// Raises the class of a name.
#[ms::function]
pub fn raise_class(name: String, message: &str) -> Result<()> {
    Err(Error::new(name, message))
}

/// Raises an exception or exception class.
#[ms::function(calls_back)]
pub fn raise_object(cx: &Cx, exception: Value) -> Result<()> {
    Err(Error::object(exception.keep(cx)?))
}

/// An attribute.
#[ms::function(calls_back)]
pub fn attribute(cx: &Cx, object: Value, name: &str) -> Result<Value> {
    cx.get_attr(object, name)
}

/// An attribute, or a default.
#[ms::function(calls_back)]
pub fn attribute_or(cx: &Cx, object: Value, name: &str, default: Value) -> Result<Value> {
    Ok(cx.find_attr(object, name)?.unwrap_or(default))
}

/// Asks for a right.
#[ms::function]
pub fn ask(cx: &Cx, kind: &str, #[ms(default = "")] scope: &str) -> Result<bool> {
    cx.permission(kind, scope).map(|()| true)
}

/// Writes to both streams.
#[ms::function]
pub fn write_both(cx: &Cx, text: &str) -> Result<()> {
    cx.print(text)?;
    cx.print_error(text)
}

/// A list of ints, built item by item.
#[ms::function]
pub fn numbers(cx: &Cx, n: usize) -> Result<Value> {
    let list = cx.make(Vec::<i64>::new())?;
    let push = cx.get_attr(list, "append")?;
    for i in 0..n {
        cx.call(push, &[cx.make(i)?])?;
    }
    Ok(list)
}

/// Texts of a kilobyte each, as one list, without charging for the work.
#[ms::function]
pub fn hoard(n: usize) -> Vec<String> {
    std::iter::repeat_with(|| "x".repeat(1024)).take(n).collect()
}

/// Computes for ever, and charges for it.
#[ms::function]
pub fn spin(cx: &Cx) -> Result<()> {
    loop {
        cx.charge(100)?;
    }
}

/// Calls back for ever with values that nobody keeps.
#[ms::function(calls_back)]
pub fn make_many(cx: &Cx, n: usize, callback: Value) -> Result<usize> {
    let mut sum = 0;
    for i in 0..n {
        let made = cx.call(callback, &[cx.make(i)?])?;
        sum += cx.len(made)?;
    }
    Ok(sum)
}

/// Reads what was kept in place, lets it go, calls back, and tells what it has read.
#[ms::function(calls_back)]
pub fn read_and_lose(cx: &Cx, callback: Value) -> Result<String> {
    let kept = state(cx)?.kept.take().ok_or_else(|| Error::value("nothing is kept"))?;
    if kept.get().raw().tag == ms::abi::MS_TAG_STR {
        let text: &str = kept.get().to(cx)?;
        drop(kept);
        cx.call(callback, &[])?;
        return Ok(text.to_owned());
    }
    let price: Instance<'_, crate::classes::Price> = kept.get().to(cx)?;
    drop(kept);
    cx.call(callback, &[])?;
    let cents = price.borrow()?.cents;
    Ok(format!("{cents} cents"))
}

/// Handles of one text that live as long as the call.
#[ms::function]
pub fn many_handles(cx: &Cx, n: usize) -> Result<()> {
    let texts = cx.make(vec!["text"])?;
    for _ in 0..n {
        cx.get_item(texts, 0i64)?;
    }
    Ok(())
}

/// Roots of one text.
#[ms::function]
pub fn many_roots(cx: &Cx, n: usize) -> Result<usize> {
    let text = cx.make("text")?;
    let roots = (0..n).map(|_| text.keep(cx)).collect::<Result<Vec<_>>>()?;
    Ok(roots.len())
}

/// Traced handles of one text.
#[ms::function]
pub fn many_traced(cx: &Cx, n: usize) -> Result<usize> {
    let text = cx.make("text")?;
    let traced = (0..n).map(|_| text.keep_traced(cx)).collect::<Result<Vec<_>>>()?;
    Ok(traced.len())
}
