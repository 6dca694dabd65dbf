//! Content of whole files.

use crate::path::Path;
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, Bytes, fs};

/// The text of the file at path.
///
/// Line ends stay as they are. UnicodeDecodeError if the content is not in the encoding.
#[ms::function(calls_back)]
pub async fn read(
    path: Path,
    #[ms(default = "utf-8")] encoding: String,
    #[ms(default = "strict")] errors: String,
) -> Result<Kept> {
    let bytes = fs::read(&path.0).await?;
    ms::with_cx(|cx| decode(cx, bytes, &encoding, &errors)?.keep(cx))
}

/// The content of the file at path as bytes.
#[ms::function(calls_back)]
pub async fn read_bytes(path: Path) -> Result<Bytes> {
    fs::read(&path.0).await.map(Bytes)
}

/// The lines of the file at path, without their ends.
///
/// A line ends with "\n", "\r\n" or "\r".
#[ms::function(calls_back)]
pub async fn lines(
    path: Path,
    #[ms(default = "utf-8")] encoding: String,
    #[ms(default = "strict")] errors: String,
) -> Result<Vec<String>> {
    let bytes = fs::read(&path.0).await?;
    let text: String = ms::with_cx(|cx| decode(cx, bytes, &encoding, &errors)?.to(cx))?;
    Ok(split_lines(&text))
}

/// Writes text as the whole file at path; the result is the number of characters.
///
/// The file is made if it is missing. A regular file is replaced in one step and keeps its mode.
#[ms::function(calls_back)]
pub async fn write(
    path: Path,
    text: Text,
    #[ms(default = "utf-8")] encoding: String,
    #[ms(default = "strict")] errors: String,
) -> Result<u64> {
    let (bytes, count) = text.encode(&encoding, &errors)?;
    fs::write(&path.0, &bytes).await?;
    Ok(count)
}

/// Writes bytes as the whole file at path; the result is their number.
///
/// The file is made if it is missing. A regular file is replaced in one step and keeps its mode.
#[ms::function(calls_back)]
pub async fn write_bytes(path: Path, data: Bytes) -> Result<usize> {
    fs::write(&path.0, &data.0).await?;
    Ok(data.0.len())
}

/// Appends text to the file at path; the result is the number of characters.
///
/// The file is made if it is missing.
#[ms::function(calls_back)]
pub async fn append(
    path: Path,
    text: Text,
    #[ms(default = "utf-8")] encoding: String,
    #[ms(default = "strict")] errors: String,
) -> Result<u64> {
    let (bytes, count) = text.encode(&encoding, &errors)?;
    fs::append(&path.0, &bytes).await?;
    Ok(count)
}

/// Appends bytes to the file at path; the result is their number.
#[ms::function(calls_back)]
pub async fn append_bytes(path: Path, data: Bytes) -> Result<usize> {
    fs::append(&path.0, &data.0).await?;
    Ok(data.0.len())
}

/// A `str` argument, which may hold surrogates that only some error handlers can write.
pub struct Text(Kept);

impl FromMs<'_> for Text {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        // A subclass of `str` is an object with the same `encode`.
        match value.raw().tag {
            ms::abi::MS_TAG_STR => value.keep(cx).map(Self),
            _ => value.to::<&str>(cx).and_then(|_| value.keep(cx)).map(Self),
        }
    }
}

impl Text {
    /// The encoded text and its number of characters.
    fn encode(&self, encoding: &str, errors: &str) -> Result<(Vec<u8>, u64)> {
        ms::with_cx(|cx| {
            let value = self.0.get();
            if is_utf8(encoding)
                && errors == "strict"
                && let Ok(text) = value.to::<&str>(cx)
            {
                return Ok((text.as_bytes().to_vec(), text.chars().count() as u64));
            }
            let encode = cx.get_attr(value, "encode")?;
            let encoded = cx.call(encode, &[cx.make(encoding)?, cx.make(errors)?])?;
            Ok((encoded.to::<Bytes>(cx)?.0, cx.len(value)? as u64))
        })
    }
}

/// Decodes: UTF-8 here, everything else (and each error) through the host's `bytes.decode`.
fn decode(cx: &Cx, bytes: Vec<u8>, encoding: &str, errors: &str) -> Result<Value> {
    if is_utf8(encoding)
        && let Ok(text) = std::str::from_utf8(&bytes)
    {
        return cx.make(text);
    }
    let decode = cx.get_attr(cx.make(Bytes(bytes))?, "decode")?;
    cx.call(decode, &[cx.make(encoding)?, cx.make(errors)?])
}

fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8", "utf_8"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

fn split_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(rest[..end].to_owned());
        let width = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    if !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_any_line_end() {
        assert_eq!(split_lines("a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(split_lines("a\n\n"), ["a", ""]);
        assert_eq!(split_lines("\r\r\n"), ["", ""]);
        assert!(split_lines("").is_empty());
    }
}
