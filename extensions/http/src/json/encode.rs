//! Values to text, as `json.dumps(value, separators=(",", ":"))` writes it, but with all
//! characters as they are, since the text is sent as UTF-8.

use super::MAX_DEPTH;
use miniscript_sdk::abi::*;
use miniscript_sdk::{Cx, Error, Result, Value};
use std::fmt::Write;

enum Rest {
    List(std::vec::IntoIter<Value>),
    Dict(std::vec::IntoIter<(Value, Value)>),
}

/// A container whose items are being written.
struct Open {
    container: Value,
    rest: Rest,
}

/// Encodes a value: None, bool, int, float, str, list, tuple, dict.
pub fn encode(cx: &Cx, value: Value) -> Result<String> {
    let mut out = String::new();
    let mut open: Vec<Open> = Vec::new();
    let mut next = Some(value);
    loop {
        if let Some(value) = next.take() {
            if open.len() >= MAX_DEPTH {
                return Err(too_deep(cx, value, &open));
            }
            let rest = start(cx, value, &mut out)?;
            open.extend(rest.map(|rest| Open { container: value, rest }));
        }
        let Some(Open { rest, .. }) = open.last_mut() else { return Ok(out) };
        // A text ends with a quote: a bracket at the end was opened just now.
        let began = !out.ends_with(['[', '{']);
        match rest {
            Rest::List(items) => match items.next() {
                Some(item) => {
                    if began {
                        out.push(',');
                    }
                    next = Some(item);
                }
                None => {
                    out.push(']');
                    open.pop();
                }
            },
            Rest::Dict(pairs) => match pairs.next() {
                Some((key, value)) => {
                    if began {
                        out.push(',');
                    }
                    write_key(cx, key, &mut out)?;
                    out.push(':');
                    next = Some(value);
                }
                None => {
                    out.push('}');
                    open.pop();
                }
            },
        }
    }
}

/// Why the containers nest so deep: a circle comes by itself again.
fn too_deep(cx: &Cx, value: Value, open: &[Open]) -> Error {
    match open.iter().any(|outer| cx.same(outer.container, value).unwrap_or(false)) {
        true => Error::value("Circular reference detected"),
        false => {
            let text = "maximum recursion depth exceeded while encoding a JSON object";
            Error::new("RecursionError", text)
        }
    }
}

/// Writes a scalar, or opens a container.
fn start(cx: &Cx, value: Value, out: &mut String) -> Result<Option<Rest>> {
    let raw = value.raw();
    match raw.tag {
        MS_TAG_LIST | MS_TAG_TUPLE => {
            out.push('[');
            return Ok(Some(Rest::List(value.to::<Vec<Value>>(cx)?.into_iter())));
        }
        MS_TAG_DICT => {
            let mut pairs = Vec::new();
            cx.for_each_pair(value, |key, value| {
                pairs.push((key, value));
                Ok(())
            })?;
            out.push('{');
            return Ok(Some(Rest::Dict(pairs.into_iter())));
        }
        MS_TAG_STR => write_text(value.to(cx)?, out),
        _ => match plain(cx, value)? {
            Some(text) => out.push_str(&text),
            None => {
                let name = cx.type_name(value);
                let text = format!("Object of type {name} is not JSON serializable");
                return Err(Error::type_error(text));
            }
        },
    }
    Ok(None)
}

/// What stands for itself.
fn plain(cx: &Cx, value: Value) -> Result<Option<String>> {
    let raw = value.raw();
    Ok(Some(match raw.tag {
        MS_TAG_NONE => "null".to_owned(),
        MS_TAG_BOOL => if raw.payload != 0 { "true" } else { "false" }.to_owned(),
        MS_TAG_INT => (raw.payload as i64).to_string(),
        MS_TAG_FLOAT => match f64::from_bits(raw.payload) {
            number if number.is_nan() => "NaN".to_owned(),
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            _ => cx.repr(value)?,
        },
        MS_TAG_BIGINT => value.to::<num_bigint::BigInt>(cx)?.to_string(),
        _ => return Ok(None),
    }))
}

fn write_key(cx: &Cx, key: Value, out: &mut String) -> Result<()> {
    if key.raw().tag == MS_TAG_STR {
        write_text(key.to(cx)?, out);
        return Ok(());
    }
    match plain(cx, key)? {
        Some(text) => write_text(&text, out),
        None => {
            let name = cx.type_name(key);
            let text = format!("keys must be str, int, float, bool or None, not {name}");
            return Err(Error::type_error(text));
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
