//! Constants: numbers, strings and bytes as the source spells them, already decoded.

use serde::de::{Deserializer, Error as _};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// The value of a literal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    /// `None`
    None,
    /// `True`
    True,
    /// `False`
    False,
    /// `...`
    Ellipsis,
    /// An integer that fits.
    Int(i64),
    /// An integer that does not fit an `i64`.
    BigInt(Box<BigIntLit>),
    /// A float; may be infinite (`1e999`), never NaN.
    #[serde(with = "float")]
    Float(f64),
    /// The imaginary part of `3j`.
    #[serde(with = "float")]
    Imaginary(f64),
    /// A string.
    Str(StrLit),
    /// A bytes literal.
    Bytes(Box<[u8]>),
}

/// A big integer as digits, for whoever owns big integers to convert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BigIntLit {
    /// 2, 8, 10 or 16.
    pub radix: u8,
    /// Digits of that radix: no prefix, no underscores, no leading zeros. Decimal ones are at most
    /// 4300.
    pub digits: Box<str>,
}

/// The value of a string literal: UTF-8 extended by surrogates.
///
/// `"\ud800"` is a legal Python string, so the bytes are UTF-8 in which each surrogate code point,
/// paired or not, takes three bytes. Strings without surrogates are plain UTF-8.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StrLit(Box<[u8]>);

impl StrLit {
    /// The text, if it holds no surrogates.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// The bytes: UTF-8, surrogates as three bytes each.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes is zero.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends one code point, surrogates included, in the encoding of [`StrLit`]. Values above
    /// U+10FFFF are ignored: callers have checked.
    pub fn push_code_point(out: &mut Vec<u8>, code: u32) {
        if let Some(ch) = char::from_u32(code) {
            out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes());
        } else if (0xD800..0xE000).contains(&code) {
            out.extend_from_slice(&[
                0xE0 | (code >> 12) as u8,
                0x80 | (code >> 6 & 0x3F) as u8,
                0x80 | (code & 0x3F) as u8,
            ]);
        }
    }

    /// Takes over bytes that are pieces of UTF-8 and results of [`StrLit::push_code_point`].
    pub(crate) fn from_pieces(bytes: Vec<u8>) -> StrLit {
        StrLit(bytes.into_boxed_slice())
    }

    /// The code points, surrogates included.
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&lead, tail) = rest.split_first()?;
            let (init, more) = match lead {
                0..0x80 => (u32::from(lead), 0),
                0x80..0xE0 => (u32::from(lead & 0x1F), 1),
                0xE0..0xF0 => (u32::from(lead & 0x0F), 2),
                _ => (u32::from(lead & 0x07), 3),
            };
            let (cont, after) = tail.split_at(more.min(tail.len()));
            rest = after;
            Some(cont.iter().fold(init, |code, &byte| code << 6 | u32::from(byte & 0x3F)))
        })
    }
}

impl From<&str> for StrLit {
    fn from(text: &str) -> StrLit {
        StrLit(text.as_bytes().into())
    }
}

impl std::fmt::Debug for StrLit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_str() {
            Some(text) => write!(f, "{text:?}"),
            None => f.debug_list().entries(self.code_points()).finish(),
        }
    }
}

// A JSON string, or `{"code_points": [...]}` when surrogates keep it from being one.
impl Serialize for StrLit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("code_points", &self.code_points().collect::<Vec<_>>())?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for StrLit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StrLit, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Codes(Codes),
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Codes {
            code_points: Vec<u32>,
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(StrLit(text.into_bytes().into_boxed_slice())),
            Form::Codes(Codes { code_points }) => {
                let mut bytes = Vec::new();
                for code in code_points {
                    if code > 0x10FFFF {
                        return Err(D::Error::custom("code point above U+10FFFF"));
                    }
                    StrLit::push_code_point(&mut bytes, code);
                }
                Ok(StrLit(bytes.into_boxed_slice()))
            }
        }
    }
}

/// Floats in JSON: a number, or `"inf"`, which `1e999` is.
mod float {
    use serde::de::{Deserializer, Error as _};
    use serde::ser::Serializer;
    use serde::{Deserialize, Serialize};

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() { value.serialize(serializer) } else { "inf".serialize(serializer) }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(f64),
            Word(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(value) => Ok(value),
            Form::Word(word) if word == "inf" => Ok(f64::INFINITY),
            Form::Word(_) => Err(D::Error::custom("a float is a number or \"inf\"")),
        }
    }
}
