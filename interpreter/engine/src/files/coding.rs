//! The VM's text encodings as files use them: by name, and with the errors of this service.

use miniscript_vm::text::codec::{CodecError, Encoding, Handler};

use super::error::{FileError, FileResult};

/// The encoding of a name; none is UTF-8, as is the system's.
pub(super) fn encoding(name: Option<&str>) -> FileResult<Encoding> {
    match name {
        None | Some("locale") => Ok(Encoding::Utf8),
        Some(name) => Encoding::lookup(name)
            .ok_or_else(|| FileError::Lookup(format!("unknown encoding: {name}"))),
    }
}

/// The error handler of a name.
pub(super) fn handler(name: Option<&str>) -> FileResult<Handler> {
    let name = name.unwrap_or("strict");
    Handler::lookup(name)
        .ok_or_else(|| FileError::Lookup(format!("unknown error handler name '{name}'")))
}

/// Why `input` could not be decoded.
pub(super) fn not_decoded(error: CodecError, input: &[u8]) -> FileError {
    match error {
        CodecError::Coding(e) => FileError::Decode {
            encoding: e.encoding,
            input: input[e.skipped..].to_vec(),
            start: e.start,
            end: e.end,
            reason: e.reason,
        },
        other => other_error(other, "UnicodeDecodeError"),
    }
}

/// Why `text` could not be encoded.
pub(super) fn not_encoded(error: CodecError, text: &[u8]) -> FileError {
    match error {
        CodecError::Coding(e) => FileError::Encode {
            encoding: e.encoding,
            input: text.to_vec(),
            start: e.start,
            end: e.end,
            reason: e.reason,
        },
        other => other_error(other, "UnicodeEncodeError"),
    }
}

fn other_error(error: CodecError, class: &str) -> FileError {
    match error {
        CodecError::WrongHandler => {
            FileError::Type(format!("don't know how to handle {class} in error callback"))
        }
        CodecError::NoMark(name) => {
            FileError::Unicode(format!("{name} stream does not start with BOM"))
        }
        CodecError::Alloc | CodecError::Coding(_) => FileError::Memory,
    }
}

/// The byte offset behind the first `n` code points, or `None` if there are fewer.
pub(super) fn offset_of(text: &[u8], n: usize) -> Option<usize> {
    if n <= text.len() && text[..n].is_ascii() {
        return Some(n);
    }
    let mut left = n;
    for (at, byte) in text.iter().enumerate() {
        if (*byte as i8) >= -0x40 {
            if left == 0 {
                return Some(at);
            }
            left -= 1;
        }
    }
    (left == 0).then_some(text.len())
}
