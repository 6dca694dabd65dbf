//! Headers as a script sees them, and as it gives them.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, abi};

/// Headers of a message: a mapping whose names have no case.
///
/// A header that occurs more than once has its values joined by ", "; get_all() has them apart.
#[ms::class]
pub struct Headers(pub HeaderMap);

/// What stands in a header; bytes that are not UTF-8 are taken as Latin-1.
pub fn text_of(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| *byte as char).collect(),
    }
}

impl Headers {
    fn all(&self, name: &str) -> Vec<String> {
        self.0.get_all(name).iter().map(text_of).collect()
    }

    fn find(&self, name: &str) -> Option<String> {
        let all = self.all(name);
        (!all.is_empty()).then(|| all.join(", "))
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().map(|name| name.as_str().to_owned()).collect()
    }

    fn pairs(&self) -> Vec<(String, String)> {
        self.0
            .keys()
            .map(|name| (name.as_str().to_owned(), self.all(name.as_str()).join(", ")))
            .collect()
    }
}

#[ms::methods]
impl Headers {
    /// The value of a header, or default.
    #[ms(positional)]
    fn get(&self, cx: &Cx, name: String, default: Option<Value>) -> Result<Value> {
        match self.find(&name) {
            Some(text) => cx.make(text),
            None => Ok(default.unwrap_or(Value::NONE)),
        }
    }

    /// All values of a header.
    #[ms(positional)]
    fn get_all(&self, name: String) -> Vec<String> {
        self.all(&name)
    }

    /// The names, in lower case.
    fn keys(&self) -> Vec<String> {
        self.names()
    }

    /// The values.
    fn values(&self) -> Vec<String> {
        self.pairs().into_iter().map(|(_, value)| value).collect()
    }

    /// Pairs of name and value.
    fn items(&self) -> Vec<(String, String)> {
        self.pairs()
    }

    fn __getitem__(&self, cx: &Cx, name: Value) -> Result<String> {
        let key: String = name.to(cx)?;
        self.find(&key).ok_or_else(|| Error::new("KeyError", key))
    }

    fn __contains__(&self, cx: &Cx, name: Value) -> bool {
        name.to::<&str>(cx).is_ok_and(|name| self.0.contains_key(name))
    }

    fn __len__(&self) -> usize {
        self.0.keys_len()
    }

    fn __iter__(&self, cx: &Cx) -> Result<Value> {
        let names = cx.make(self.names())?;
        cx.iter(names)
    }

    fn __repr__(&self, cx: &Cx) -> Result<String> {
        let mut shown = Vec::new();
        for (name, value) in self.pairs() {
            let (name, value) = (cx.make(name)?, cx.make(value)?);
            shown.push(format!("{}: {}", cx.repr(name)?, cx.repr(value)?));
        }
        Ok(format!("Headers({{{}}})", shown.join(", ")))
    }
}

/// Headers as an argument: a dict (whose values may be lists), pairs, or `Headers`.
#[derive(Default)]
pub struct HeaderArg(pub HeaderMap);

impl FromMs<'_> for HeaderArg {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let mut map = HeaderMap::new();
        match value.raw().tag {
            abi::MS_TAG_DICT => {
                cx.for_each_pair(value, |name, value| add(cx, &mut map, name, value))?;
            }
            abi::MS_TAG_LIST | abi::MS_TAG_TUPLE => {
                cx.for_each(value, |pair| {
                    let (name, value): (Value, Value) = pair.to(cx)?;
                    add(cx, &mut map, name, value)
                })?;
            }
            _ => match Instance::<Headers>::from_ms(cx, value) {
                Ok(headers) => map = headers.borrow()?.0.clone(),
                Err(error) => {
                    cx.catch(error)?;
                    return Err(Error::mismatch(cx, "dict", value));
                }
            },
        }
        Ok(Self(map))
    }
}

fn add(cx: &Cx, map: &mut HeaderMap, name: Value, value: Value) -> Result<()> {
    let name_text: String = name.to(cx)?;
    if matches!(value.raw().tag, abi::MS_TAG_LIST | abi::MS_TAG_TUPLE) {
        return cx.for_each(value, |value| add(cx, map, name, value));
    }
    if value.is_none() {
        return Ok(());
    }
    let bytes = match value.raw().tag {
        abi::MS_TAG_BYTES => value.to::<ms::Bytes>(cx)?.0,
        abi::MS_TAG_STR => value.to::<String>(cx)?.into_bytes(),
        abi::MS_TAG_INT | abi::MS_TAG_FLOAT => cx.str(value)?.into_bytes(),
        _ => return Err(Error::mismatch(cx, "str or bytes", value)),
    };
    let header = HeaderName::try_from(&name_text)
        .map_err(|_| Error::value(format!("'{name_text}' cannot be the name of a header")))?;
    let content = HeaderValue::from_bytes(&bytes).map_err(|_| {
        Error::value(format!("the value of the header '{name_text}' has control characters"))
    })?;
    map.try_append(header, content).map_err(|_| Error::value("too many headers"))?;
    Ok(())
}
