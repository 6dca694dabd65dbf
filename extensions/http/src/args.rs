//! Arguments of requests.

use crate::json;
use crate::tls::Trust;
use crate::url::push_pair;
use miniscript_sdk::prelude::*;
use miniscript_sdk::{Bytes, abi};

/// Pairs for a query or a form, quoted. None values are left out; a list gives its name several
/// times.
pub struct Pairs(pub String);

impl FromMs<'_> for Pairs {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let mut text = String::new();
        match value.raw().tag {
            abi::MS_TAG_STR => text = value.to::<String>(cx)?.trim_start_matches('?').to_owned(),
            abi::MS_TAG_DICT => {
                cx.for_each_pair(value, |name, value| add(cx, &mut text, name, value))?;
            }
            abi::MS_TAG_LIST | abi::MS_TAG_TUPLE => cx.for_each(value, |pair| {
                let (name, value): (Value, Value) = pair.to(cx)?;
                add(cx, &mut text, name, value)
            })?,
            _ => return Err(Error::mismatch(cx, "dict, list of pairs or str", value)),
        }
        Ok(Self(text))
    }
}

fn add(cx: &Cx, out: &mut String, name: Value, value: Value) -> Result<()> {
    match value.raw().tag {
        abi::MS_TAG_NONE => Ok(()),
        abi::MS_TAG_LIST | abi::MS_TAG_TUPLE => {
            cx.for_each(value, |value| add(cx, out, name, value))
        }
        _ => {
            push_pair(out, &text(cx, name)?, &text(cx, value)?);
            Ok(())
        }
    }
}

fn text(cx: &Cx, value: Value) -> Result<String> {
    match value.raw().tag {
        abi::MS_TAG_STR => value.to(cx),
        abi::MS_TAG_BYTES => Ok(String::from_utf8_lossy(&value.to::<Bytes>(cx)?.0).into_owned()),
        _ => cx.str(value),
    }
}

/// A body: its bytes, and its type where the argument tells it.
pub struct Body {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// `Content-Type`, unless the request has one.
    pub content_type: Option<&'static str>,
}

/// `data=`: str, bytes, pairs of a form, or a file that is open for reading.
impl FromMs<'_> for Body {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        match value.raw().tag {
            abi::MS_TAG_STR => {
                Ok(Self { bytes: value.to::<String>(cx)?.into_bytes(), content_type: None })
            }
            abi::MS_TAG_DICT | abi::MS_TAG_LIST | abi::MS_TAG_TUPLE => Ok(Self {
                bytes: Pairs::from_ms(cx, value)?.0.into_bytes(),
                content_type: Some("application/x-www-form-urlencoded"),
            }),
            abi::MS_TAG_BYTES | abi::MS_TAG_OBJECT => {
                // A file gives its content, which may take a while.
                let content = match cx.find_attr(value, "read")? {
                    Some(read) => cx.call(read, &[])?,
                    None => value,
                };
                let bytes = match content.raw().tag {
                    abi::MS_TAG_STR => content.to::<String>(cx)?.into_bytes(),
                    _ => content.to::<Bytes>(cx)?.0,
                };
                Ok(Self { bytes, content_type: None })
            }
            _ => Err(Error::mismatch(cx, "str, bytes, dict or list of pairs", value)),
        }
    }
}

/// `json=`: a value to encode.
pub struct Json(pub Body);

impl FromMs<'_> for Json {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let bytes = json::encode(cx, value)?.into_bytes();
        Ok(Self(Body { bytes, content_type: Some("application/json") }))
    }
}

/// `ca=`: path of a PEM file, or its content as bytes.
pub struct Ca(pub Trust);

impl FromMs<'_> for Ca {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        match value.raw().tag {
            abi::MS_TAG_STR => Ok(Self(Trust::File(value.to(cx)?))),
            abi::MS_TAG_BYTES => Ok(Self(Trust::Pem(value.to::<Bytes>(cx)?.0))),
            abi::MS_TAG_OBJECT => match cx.find_special(value, "__fspath__")? {
                Some(method) => Ok(Self(Trust::File(cx.call(method, &[])?.to(cx)?))),
                None => Err(Error::mismatch(cx, "str, bytes or os.PathLike object", value)),
            },
            _ => Err(Error::mismatch(cx, "str, bytes or os.PathLike object", value)),
        }
    }
}
