//! The text of a body.

use http::header::{CONTENT_TYPE, HeaderMap};
use miniscript_sdk::{Cx, Error, Result, Value};

/// The charset that the headers name, in lower case.
pub fn charset(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (name.trim().eq_ignore_ascii_case("charset") && !value.is_empty())
            .then(|| value.to_ascii_lowercase())
    })
}

/// The text of a body; what does not fit the encoding is replaced. UTF-8 where no encoding that
/// is known is named. `kept` is the body as a script value.
pub fn decode(cx: &Cx, bytes: &[u8], kept: Value, charset: Option<&str>) -> Result<Value> {
    match charset {
        None | Some("utf-8" | "utf8") => {}
        Some("iso-8859-1" | "latin-1" | "latin1") => {
            return cx.make(bytes.iter().map(|byte| *byte as char).collect::<String>());
        }
        // The host's codecs know the rest.
        Some(charset) => {
            let decode = cx.get_attr(kept, "decode")?;
            match cx.call(decode, &[cx.make(charset)?, cx.make("replace")?]) {
                Ok(text) => return Ok(text),
                Err(error) => {
                    let raised = cx.catch(error)?;
                    let unknown = cx.builtin("LookupError")?;
                    if !cx.is_instance(raised, unknown)? {
                        return Err(Error::object(raised.keep(cx)?));
                    }
                }
            }
        }
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    cx.make(&*String::from_utf8_lossy(bytes))
}

/// The text of JSON: UTF-8 or UTF-16, with or without a mark.
pub fn json_text(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<std::result::Result<String, _>>().ok()
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        [0, _, ..] => wide(bytes, u16::from_be_bytes),
        [_, 0, ..] => wide(bytes, u16::from_le_bytes),
        _ => String::from_utf8(bytes.to_vec()).ok(),
    };
    text.ok_or_else(|| {
        Error::new("JSONDecodeError", "the body is not UTF-8: line 1 column 1 (char 0)")
    })
}
