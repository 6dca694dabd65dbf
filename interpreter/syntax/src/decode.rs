//! Bytes to text: the byte order mark, the coding line, and what CPython says of bad bytes.

use crate::{Span, SyntaxError};

/// Decodes a source file. UTF-8 unless a coding line says Latin-1 or ASCII.
pub fn decode_source(bytes: &[u8]) -> Result<String, SyntaxError> {
    if memchr::memchr(0, bytes).is_some() {
        return Err(error("null-byte", "source code cannot contain null bytes"));
    }
    let (bytes, bom) = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let cookie = coding_cookie(bytes);
    let encoding = match cookie {
        None => Encoding::Utf8,
        Some(name) => match known_encoding(name) {
            Some(encoding) => encoding,
            None => {
                let name = String::from_utf8_lossy(name);
                return Err(error("unknown-encoding", format!("unknown encoding: {name}")));
            }
        },
    };
    match encoding {
        Encoding::Latin1 if bom => {
            Err(error("unknown-encoding", "encoding problem: iso-8859-1 with BOM"))
        }
        Encoding::Latin1 => Ok(bytes.iter().map(|&byte| byte as char).collect()),
        Encoding::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
            None => decode_utf8(bytes),
            Some(at) => Err(error(
                "bad-bytes",
                format!(
                    "'ascii' codec can't decode byte 0x{:02x} in position {at}: \
                     ordinal not in range(128)",
                    bytes[at]
                ),
            )),
        },
        Encoding::Utf8 => decode_utf8(bytes),
    }
}

enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

fn decode_utf8(bytes: &[u8]) -> Result<String, SyntaxError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(bad) => {
            let at = bad.valid_up_to();
            let byte = bytes[at];
            let message = match bad.error_len() {
                None if at + 1 == bytes.len() => {
                    format!(
                        "can't decode byte 0x{byte:02x} in position {at}: unexpected end of data"
                    )
                }
                None => format!(
                    "can't decode bytes in position {at}-{}: unexpected end of data",
                    bytes.len() - 1
                ),
                Some(_) if !matches!(byte, 0xC2..=0xF4) => {
                    format!("can't decode byte 0x{byte:02x} in position {at}: invalid start byte")
                }
                Some(1) => format!(
                    "can't decode byte 0x{byte:02x} in position {at}: invalid continuation byte"
                ),
                Some(len) => format!(
                    "can't decode bytes in position {at}-{}: invalid continuation byte",
                    at + len - 1
                ),
            };
            Err(error("bad-bytes", format!("(unicode error) 'utf-8' codec {message}")))
        }
    }
}

/// The name in a comment like `# -*- coding: NAME -*-` on one of the first two lines (PEP 263).
fn coding_cookie(bytes: &[u8]) -> Option<&[u8]> {
    for line in bytes.split(|&byte| byte == b'\n').take(2) {
        let body = line.trim_ascii_start();
        if let Some(comment) = body.strip_prefix(b"#") {
            if let Some(name) = cookie_in(comment) {
                return Some(name);
            }
        } else if !body.is_empty() {
            // Code on the first line: the second is not looked at.
            return None;
        }
    }
    None
}

fn cookie_in(comment: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(comment, b"coding")?;
    let rest = &comment[at + 6..];
    let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"="))?;
    let rest = &rest[rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..];
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let len = rest.iter().take_while(is_name).count();
    if len > 0 { Some(&rest[..len]) } else { cookie_in(rest) }
}

fn known_encoding(name: &[u8]) -> Option<Encoding> {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase().replace('_', "-");
    let is = |base: &str| {
        name == base || name.strip_prefix(base).is_some_and(|rest| rest.starts_with('-'))
    };
    if is("utf-8") || name == "utf8" || name == "u8" {
        Some(Encoding::Utf8)
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") || name == "latin1" {
        Some(Encoding::Latin1)
    } else if name == "ascii" || name == "us-ascii" {
        Some(Encoding::Ascii)
    } else {
        None
    }
}

fn error(code: &'static str, message: impl Into<String>) -> SyntaxError {
    SyntaxError::new(code, message, Span::default())
}
