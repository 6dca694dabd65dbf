//! The built-in text encodings, from and to bytes, with the standard error handlers.
//!
//! Not here: `namereplace` (it needs the names of all characters) and handlers a script
//! registers.

use super::AllocError;
use super::repr::escape;
use super::wtf8::{self, code_points, is_surrogate};
use std::borrow::Cow;

/// A text encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `utf-8`
    Utf8,
    /// `utf-8-sig`: with a byte order mark.
    Utf8Sig,
    /// `ascii`
    Ascii,
    /// `latin-1`
    Latin1,
    /// `utf-16`: a byte order mark decides, little endian without one.
    Utf16,
    /// `utf-16-le`
    Utf16Le,
    /// `utf-16-be`
    Utf16Be,
    /// `utf-32`: a byte order mark decides, little endian without one.
    Utf32,
    /// `utf-32-le`
    Utf32Le,
    /// `utf-32-be`
    Utf32Be,
}

impl Encoding {
    /// Finds an encoding by any of its names.
    pub fn lookup(name: &str) -> Option<Encoding> {
        if name.len() > 32 {
            return None;
        }
        let name = name.to_ascii_lowercase().replace(['-', ' '], "_");
        Some(match name.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "utf8_ucs2" | "utf8_ucs4" => Self::Utf8,
            "utf_8_sig" | "utf8_sig" => Self::Utf8Sig,
            "ascii" | "us_ascii" | "646" | "ansi_x3.4_1968" | "iso646_us" => Self::Ascii,
            "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859"
            | "8859" | "cp819" => Self::Latin1,
            "utf_16" | "utf16" | "u16" => Self::Utf16,
            "utf_16_le" | "utf_16le" | "utf16_le" | "utf16le" => Self::Utf16Le,
            "utf_16_be" | "utf_16be" | "utf16_be" | "utf16be" => Self::Utf16Be,
            "utf_32" | "utf32" | "u32" => Self::Utf32,
            "utf_32_le" | "utf_32le" | "utf32_le" | "utf32le" => Self::Utf32Le,
            "utf_32_be" | "utf_32be" | "utf32_be" | "utf32be" => Self::Utf32Be,
            _ => return None,
        })
    }

    /// The name errors give the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Sig => "utf-8",
            Self::Ascii => "ascii",
            Self::Latin1 => "latin-1",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16-le",
            Self::Utf16Be => "utf-16-be",
            Self::Utf32 => "utf-32",
            Self::Utf32Le => "utf-32-le",
            Self::Utf32Be => "utf-32-be",
        }
    }
}

/// What becomes of what cannot be coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Fail.
    Strict,
    /// Drop it.
    Ignore,
    /// Put a replacement character.
    Replace,
    /// Put backslash escapes.
    BackslashReplace,
    /// Bytes travel as the surrogates U+DC80 to U+DCFF.
    SurrogateEscape,
    /// Surrogates are coded like other characters.
    SurrogatePass,
    /// Put XML character references (only when encoding).
    XmlCharRefReplace,
}

impl Handler {
    /// Finds a handler by name.
    pub fn lookup(name: &str) -> Option<Handler> {
        Some(match name {
            "strict" => Self::Strict,
            "ignore" => Self::Ignore,
            "replace" => Self::Replace,
            "backslashreplace" => Self::BackslashReplace,
            "surrogateescape" => Self::SurrogateEscape,
            "surrogatepass" => Self::SurrogatePass,
            "xmlcharrefreplace" => Self::XmlCharRefReplace,
            _ => return None,
        })
    }
}

/// The fields of a `UnicodeDecodeError` (positions are byte offsets) or a `UnicodeEncodeError`
/// (positions are code point indices).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodingError {
    /// Name of the encoding.
    pub encoding: &'static str,
    /// First position at fault.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Why.
    pub reason: &'static str,
}

/// Why coding failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecError {
    /// The data.
    Coding(CodingError),
    /// `xmlcharrefreplace` while decoding: a `TypeError` ("don't know how to handle
    /// UnicodeDecodeError in error callback").
    WrongHandler,
    /// Memory.
    Alloc,
}

impl From<AllocError> for CodecError {
    fn from(_: AllocError) -> Self {
        CodecError::Alloc
    }
}

impl From<std::collections::TryReserveError> for CodecError {
    fn from(_: std::collections::TryReserveError) -> Self {
        CodecError::Alloc
    }
}

/// A unit of a fixed-width encoding.
#[derive(Debug, Clone, Copy)]
enum Wide {
    Utf16 { big: bool },
    Utf32 { big: bool },
}

/// `bytes.decode(encoding, errors)` in the form strings are stored in.
pub fn decode(
    bytes: &[u8],
    encoding: Encoding,
    errors: Handler,
) -> Result<Cow<'_, [u8]>, CodecError> {
    use Wide::*;
    match encoding {
        Encoding::Utf8 => decode_utf8(bytes, 0, errors),
        Encoding::Utf8Sig => {
            decode_utf8(bytes, if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }, errors)
        }
        Encoding::Ascii if bytes.is_ascii() => Ok(Cow::Borrowed(bytes)),
        Encoding::Latin1 if bytes.is_ascii() => Ok(Cow::Borrowed(bytes)),
        Encoding::Ascii => decode_ascii(bytes, errors).map(Cow::Owned),
        Encoding::Latin1 => {
            let high = bytes.iter().filter(|b| **b >= 0x80).count();
            let mut out = super::find::reserved(bytes.len().checked_add(high))?;
            bytes.iter().for_each(|b| wtf8::push(&mut out, *b as u32));
            Ok(Cow::Owned(out))
        }
        Encoding::Utf16 => {
            let (skip, big) = match bytes {
                [0xFF, 0xFE, ..] => (2, false),
                [0xFE, 0xFF, ..] => (2, true),
                _ => (0, false),
            };
            decode_wide(bytes, skip, Utf16 { big }, errors)
        }
        Encoding::Utf32 => {
            let (skip, big) = match bytes {
                [0xFF, 0xFE, 0, 0, ..] => (4, false),
                [0, 0, 0xFE, 0xFF, ..] => (4, true),
                _ => (0, false),
            };
            decode_wide(bytes, skip, Utf32 { big }, errors)
        }
        Encoding::Utf16Le => decode_wide(bytes, 0, Utf16 { big: false }, errors),
        Encoding::Utf16Be => decode_wide(bytes, 0, Utf16 { big: true }, errors),
        Encoding::Utf32Le => decode_wide(bytes, 0, Utf32 { big: false }, errors),
        Encoding::Utf32Be => decode_wide(bytes, 0, Utf32 { big: true }, errors),
    }
}

/// How many bytes at the end are the beginning of an unfinished UTF-8 sequence: what a reader of
/// chunks keeps back.
pub fn utf8_unfinished(bytes: &[u8]) -> usize {
    let from = bytes.len().saturating_sub(3);
    for at in (from..bytes.len()).rev() {
        if bytes[at] >= 0xC0 {
            let cut = std::str::from_utf8(&bytes[at..]).is_err_and(|e| e.error_len().is_none());
            return if cut { bytes.len() - at } else { 0 };
        }
    }
    0
}

/// Lets the handler write what the bytes at fault become; returns where decoding goes on.
fn recover(
    out: &mut Vec<u8>,
    bytes: &[u8],
    error: CodingError,
    errors: Handler,
) -> Result<usize, CodecError> {
    let (start, end) = (error.start, error.end);
    let bad = &bytes[start..end];
    out.try_reserve(bad.len() * 4 + 4)?;
    match errors {
        Handler::Ignore => {}
        Handler::Replace => wtf8::push(out, 0xFFFD),
        Handler::BackslashReplace => bad.iter().for_each(|b| escape(out, *b as u32)),
        Handler::SurrogateEscape if bad.first().is_some_and(|b| *b >= 0x80) => {
            let high = bad.iter().take(4).take_while(|b| **b >= 0x80);
            let count = high.clone().count();
            high.for_each(|b| wtf8::push(out, 0xDC00 + *b as u32));
            return Ok(start + count);
        }
        Handler::SurrogatePass => {
            let unit = match (error.encoding, &bytes[start..]) {
                ("utf-8", [0xED, a @ 0xA0..=0xBF, b @ 0x80..=0xBF, ..]) => {
                    Some((0xD000 | (*a as u32 & 0x3F) << 6 | *b as u32 & 0x3F, 3))
                }
                ("utf-16-le", [a, b, ..]) => Some((u16::from_le_bytes([*a, *b]) as u32, 2)),
                ("utf-16-be", [a, b, ..]) => Some((u16::from_be_bytes([*a, *b]) as u32, 2)),
                ("utf-32-le", [a, b, c, d, ..]) => Some((u32::from_le_bytes([*a, *b, *c, *d]), 4)),
                ("utf-32-be", [a, b, c, d, ..]) => Some((u32::from_be_bytes([*a, *b, *c, *d]), 4)),
                _ => None,
            };
            let Some((cp, width)) = unit.filter(|(cp, _)| is_surrogate(*cp)) else {
                return Err(CodecError::Coding(error));
            };
            wtf8::push(out, cp);
            return Ok(start + width);
        }
        Handler::XmlCharRefReplace => return Err(CodecError::WrongHandler),
        Handler::Strict | Handler::SurrogateEscape => return Err(CodecError::Coding(error)),
    }
    Ok(end)
}

fn decode_utf8(bytes: &[u8], skip: usize, errors: Handler) -> Result<Cow<'_, [u8]>, CodecError> {
    let mut at = skip;
    let mut out = Vec::new();
    loop {
        let rest = &bytes[at..];
        let e = match std::str::from_utf8(rest) {
            Ok(_) if out.is_empty() && at == skip => return Ok(Cow::Borrowed(rest)),
            Ok(_) => {
                out.try_reserve(rest.len())?;
                out.extend_from_slice(rest);
                return Ok(Cow::Owned(out));
            }
            Err(e) => e,
        };
        let valid = e.valid_up_to();
        out.try_reserve(valid)?;
        out.extend_from_slice(&rest[..valid]);
        let start = at + valid;
        let reason = match (e.error_len(), bytes[start]) {
            (None, _) => "unexpected end of data",
            (_, 0xC2..=0xF4) => "invalid continuation byte",
            _ => "invalid start byte",
        };
        let end = e.error_len().map_or(bytes.len(), |n| start + n);
        // With a byte order mark skipped, positions count from behind it, as in CPython.
        let error = CodingError { encoding: "utf-8", start: start - skip, end: end - skip, reason };
        at = skip + recover(&mut out, &bytes[skip..], error, errors)?;
    }
}

fn decode_ascii(bytes: &[u8], errors: Handler) -> Result<Vec<u8>, CodecError> {
    let mut out = super::find::reserved(Some(bytes.len()))?;
    for (at, b) in bytes.iter().enumerate() {
        if *b < 0x80 {
            out.try_reserve(1)?;
            out.push(*b);
        } else {
            let reason = "ordinal not in range(128)";
            let error = CodingError { encoding: "ascii", start: at, end: at + 1, reason };
            recover(&mut out, bytes, error, errors)?;
        }
    }
    Ok(out)
}

fn decode_wide(
    bytes: &[u8],
    skip: usize,
    wide: Wide,
    errors: Handler,
) -> Result<Cow<'_, [u8]>, CodecError> {
    let mut out = Vec::new();
    out.try_reserve(bytes.len() / 2)?;
    let mut at = skip;
    while at < bytes.len() {
        out.try_reserve(4)?;
        match wide_unit(bytes, at, wide) {
            Ok((cp, next)) => {
                wtf8::push(&mut out, cp);
                at = next;
            }
            Err((end, reason)) => {
                let encoding = match wide {
                    Wide::Utf16 { big: false } => "utf-16-le",
                    Wide::Utf16 { big: true } => "utf-16-be",
                    Wide::Utf32 { big: false } => "utf-32-le",
                    Wide::Utf32 { big: true } => "utf-32-be",
                };
                let error = CodingError { encoding, start: at, end, reason };
                at = recover(&mut out, bytes, error, errors)?;
            }
        }
    }
    Ok(Cow::Owned(out))
}

/// The code point at an offset and where the next begins, or where the fault ends and why.
fn wide_unit(bytes: &[u8], at: usize, wide: Wide) -> Result<(u32, usize), (usize, &'static str)> {
    let rest = &bytes[at..];
    match wide {
        Wide::Utf16 { big } => {
            let unit = |i: usize| {
                let pair = [*rest.get(i)?, *rest.get(i + 1)?];
                Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) } as u32)
            };
            let first = unit(0).ok_or((bytes.len(), "truncated data"))?;
            if !is_surrogate(first) {
                return Ok((first, at + 2));
            }
            if first >= 0xDC00 {
                return Err((at + 2, "illegal encoding"));
            }
            match unit(2) {
                Some(second @ 0xDC00..0xE000) => {
                    Ok((0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), at + 4))
                }
                Some(_) => Err((at + 2, "illegal UTF-16 surrogate")),
                None => Err((bytes.len(), "unexpected end of data")),
            }
        }
        Wide::Utf32 { big } => {
            let Some(&[a, b, c, d]) = rest.first_chunk::<4>() else {
                return Err((bytes.len(), "truncated data"));
            };
            let raw = [a, b, c, d];
            let cp = if big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) };
            if is_surrogate(cp) {
                return Err((at + 4, "code point in surrogate code point range(0xd800, 0xe000)"));
            }
            if cp > wtf8::MAX {
                return Err((at + 4, "code point not in range(0x110000)"));
            }
            Ok((cp, at + 4))
        }
    }
}

/// `str.encode(encoding, errors)`.
pub fn encode(
    text: &[u8],
    encoding: Encoding,
    errors: Handler,
) -> Result<Cow<'_, [u8]>, CodecError> {
    let (limit, reason) = match encoding {
        Encoding::Ascii => (0x80, "ordinal not in range(128)"),
        Encoding::Latin1 => (0x100, "ordinal not in range(256)"),
        _ => (wtf8::MAX + 1, "surrogates not allowed"),
    };
    let narrow = limit <= 0x100;
    match encoding {
        Encoding::Utf8 if wtf8::as_str(text).is_some() => return Ok(Cow::Borrowed(text)),
        Encoding::Ascii | Encoding::Latin1 if text.is_ascii() => return Ok(Cow::Borrowed(text)),
        _ => {}
    }
    let mut out = Vec::new();
    out.try_reserve(text.len())?;
    match encoding {
        Encoding::Utf8Sig => out.extend_from_slice(b"\xEF\xBB\xBF"),
        Encoding::Utf16 => out.extend_from_slice(b"\xFF\xFE"),
        Encoding::Utf32 => out.extend_from_slice(b"\xFF\xFE\0\0"),
        _ => {}
    }
    let good = |cp: u32| if narrow { cp < limit } else { !is_surrogate(cp) };
    let mut cps = code_points(text).peekable();
    let mut index = 0;
    while let Some(cp) = cps.next() {
        out.try_reserve(4)?;
        if good(cp) {
            put_encoded(&mut out, cp, encoding);
            index += 1;
            continue;
        }
        // Neighbours that cannot be encoded either share the error.
        let mut bad = vec![cp];
        let grouped = narrow || matches!(encoding, Encoding::Utf8 | Encoding::Utf8Sig);
        while grouped && let Some(more) = cps.next_if(|cp| !good(*cp)) {
            bad.try_reserve(1)?;
            bad.push(more);
        }
        let end = index + bad.len();
        let error = |start| CodingError { encoding: encoding.name(), start, end, reason };
        replace_bad(&mut out, &bad, encoding, errors)
            .map_err(|e| e.map_or(CodecError::Alloc, |n| CodecError::Coding(error(index + n))))?;
        index = end;
    }
    Ok(Cow::Owned(out))
}

/// Writes what the handler makes of characters that cannot be encoded; the error is the number
/// of the first one it cannot handle, or `None` for lack of memory.
fn replace_bad(
    out: &mut Vec<u8>,
    bad: &[u32],
    encoding: Encoding,
    errors: Handler,
) -> Result<(), Option<usize>> {
    let mut shown = Vec::new();
    for (n, cp) in bad.iter().enumerate() {
        out.try_reserve(48).map_err(|_| None)?;
        shown.clear();
        match errors {
            Handler::Ignore => {}
            Handler::Replace => shown.push(b'?'),
            Handler::BackslashReplace => escape(&mut shown, *cp),
            Handler::XmlCharRefReplace => shown.extend(format!("&#{cp};").into_bytes()),
            Handler::SurrogateEscape
                if (0xDC80..0xDD00).contains(cp) && unit_width(encoding) == 1 =>
            {
                out.push((cp - 0xDC00) as u8);
            }
            Handler::SurrogatePass
                if is_surrogate(*cp) && !matches!(encoding, Encoding::Ascii | Encoding::Latin1) =>
            {
                put_encoded(out, *cp, encoding);
            }
            Handler::Strict | Handler::SurrogateEscape | Handler::SurrogatePass => {
                return Err(Some(n));
            }
        }
        shown.iter().for_each(|b| put_encoded(out, *b as u32, encoding));
    }
    Ok(())
}

fn unit_width(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => 2,
        Encoding::Utf32 | Encoding::Utf32Le | Encoding::Utf32Be => 4,
        _ => 1,
    }
}

fn put_encoded(out: &mut Vec<u8>, cp: u32, encoding: Encoding) {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => wtf8::push(out, cp),
        Encoding::Ascii | Encoding::Latin1 => out.push(cp as u8),
        Encoding::Utf32 | Encoding::Utf32Le => out.extend_from_slice(&cp.to_le_bytes()),
        Encoding::Utf32Be => out.extend_from_slice(&cp.to_be_bytes()),
        Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => {
            let high = cp.checked_sub(0x1_0000);
            let units = match high {
                None => [cp as u16, 0],
                Some(n) => [0xD800 | (n >> 10) as u16, 0xDC00 | (n & 0x3FF) as u16],
            };
            for unit in &units[..1 + high.is_some() as usize] {
                match encoding {
                    Encoding::Utf16Be => out.extend_from_slice(&unit.to_be_bytes()),
                    _ => out.extend_from_slice(&unit.to_le_bytes()),
                }
            }
        }
    }
}
