//! Escapes in string, bytes and f-string literals. Unknown ones stay as they are, as in CPython;
//! `warn.rs` tells of them.
//!
//! Error positions are CPython's: it decodes a buffer in which each character beyond ASCII is
//! spelled as a ten byte `\UXXXXXXXX`.

use crate::ast::StrLit;
use crate::names::character_named;

type Decoded = Result<Vec<u8>, String>;

/// The contents of a `str` literal.
pub fn decode_text(text: &str, raw: bool) -> Decoded {
    decode(text, raw, false)
}

/// Text between the fields of an f-string: braces are doubled.
pub fn decode_fstring_text(text: &str, raw: bool) -> Decoded {
    decode(text, raw, true)
}

fn decode(text: &str, raw: bool, braces: bool) -> Decoded {
    let bytes = text.as_bytes();
    let escapes = !raw && memchr::memchr(b'\\', bytes).is_some();
    let special = |byte: u8| match byte {
        b'\\' => escapes,
        b'{' | b'}' => braces,
        b'\r' => true,
        _ => false,
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut pos = 0;
    // How much longer CPython's buffer is than the text so far.
    let mut shift = 0;
    while pos < bytes.len() {
        let len = bytes[pos..].iter().position(|&byte| special(byte));
        let plain = &bytes[pos..pos + len.unwrap_or(bytes.len() - pos)];
        out.extend_from_slice(plain);
        pos += plain.len();
        if escapes {
            shift += extra(plain);
        }
        match bytes.get(pos) {
            None => break,
            Some(b'\r') => {
                out.push(b'\n');
                pos += 1 + usize::from(bytes[pos + 1..].starts_with(b"\n"));
            }
            // What follows in an f-string is a field: the backslash escapes nothing.
            Some(b'\\') if braces && pos + 1 == bytes.len() => {
                out.push(b'\\');
                pos += 1;
            }
            Some(b'\\') => {
                let from = pos + 1;
                pos = escape(text, from, shift, &mut out)?;
                shift += extra(&bytes[from..pos]);
            }
            Some(&brace) => {
                out.push(brace);
                pos += 1 + usize::from(bytes.get(pos + 1) == Some(&brace));
            }
        }
    }
    Ok(out)
}

/// The growth of a piece of text in CPython's buffer.
fn extra(text: &[u8]) -> usize {
    let starts = text.iter().filter(|&&byte| byte >= 0xC0).count();
    let continued = text.iter().filter(|&&byte| (0x80..0xC0).contains(&byte)).count();
    10 * starts - starts - continued
}

/// One escape; `pos` is after the backslash. Gives the position after the escape.
fn escape(text: &str, pos: usize, shift: usize, out: &mut Vec<u8>) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let Some(&byte) = bytes.get(pos) else {
        // Before a field of an f-string.
        out.push(b'\\');
        return Ok(pos);
    };
    let hex = |digits: usize, what: &str, out: &mut Vec<u8>| {
        let found = bytes[pos + 1..].iter().take(digits).take_while(|b| b.is_ascii_hexdigit());
        let end = pos + 1 + found.count();
        let code = u32::from_str_radix(&text[pos + 1..end], 16).unwrap_or(u32::MAX);
        if end - pos - 1 < digits {
            let message = format!("truncated {what} escape");
            return Err(unicode_error(pos - 1 + shift, end - 1 + shift, &message));
        }
        if code > 0x10FFFF {
            let message = "illegal Unicode character";
            return Err(unicode_error(pos - 1 + shift, end - 1 + shift, message));
        }
        StrLit::push_code_point(out, code);
        Ok(end)
    };
    match byte {
        b'x' => return hex(2, "\\xXX", out),
        b'u' => return hex(4, "\\uXXXX", out),
        b'U' => return hex(8, "\\UXXXXXXXX", out),
        b'N' => return named(text, pos, shift, out),
        b'0'..=b'7' => {
            let (code, end) = octal(bytes, pos);
            StrLit::push_code_point(out, code);
            return Ok(end);
        }
        b'\n' => {}
        b'\r' => return Ok(pos + 1 + usize::from(bytes[pos + 1..].starts_with(b"\n"))),
        _ => match simple(byte) {
            Some(value) => out.push(value),
            None => {
                // Not an escape: the backslash stays, and what follows is plain text.
                out.push(b'\\');
                return Ok(pos);
            }
        },
    }
    Ok(pos + 1)
}

fn named(text: &str, pos: usize, shift: usize, out: &mut Vec<u8>) -> Result<usize, String> {
    let start = pos - 1 + shift;
    let body = text[pos + 1..].strip_prefix('{');
    let Some((name, _)) = body.and_then(|body| body.split_once('}')) else {
        let end = match body {
            Some(body) => pos + 1 + body.len(),
            None => pos,
        };
        return Err(unicode_error(start, end + shift, "malformed \\N character escape"));
    };
    let end = pos + 3 + name.len();
    if name.is_empty() {
        let message = "malformed \\N character escape";
        return Err(unicode_error(start, end - 1 + shift, message));
    }
    match character_named(name) {
        Some(ch) => {
            StrLit::push_code_point(out, ch as u32);
            Ok(end)
        }
        None => Err(unicode_error(start, end - 1 + shift, "unknown Unicode character name")),
    }
}

fn unicode_error(start: usize, end: usize, message: &str) -> String {
    if start == end {
        format!("'unicodeescape' codec can't decode byte 0x5c in position {start}: {message}")
    } else {
        format!("'unicodeescape' codec can't decode bytes in position {start}-{end}: {message}")
    }
}

fn octal(bytes: &[u8], pos: usize) -> (u32, usize) {
    let digits = bytes[pos..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
    let (code, len) =
        digits.fold((0, 0), |(code, len), b| (code * 8 + u32::from(b - b'0'), len + 1));
    (code, pos + len)
}

fn simple(byte: u8) -> Option<u8> {
    Some(match byte {
        b'\\' | b'\'' | b'"' => byte,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// The contents of a `bytes` literal, which is ASCII.
pub fn decode_bytes(text: &str, raw: bool) -> Decoded {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut pos = 0;
    while let Some(&byte) = bytes.get(pos) {
        pos += 1;
        let next = bytes.get(pos).copied();
        match byte {
            b'\r' => {
                out.push(b'\n');
                pos += usize::from(next == Some(b'\n'));
            }
            b'\\' if !raw => match next {
                Some(b'\n') => pos += 1,
                Some(b'\r') => pos += 1 + usize::from(bytes[pos + 1..].starts_with(b"\n")),
                Some(b'x') => {
                    let digits = text.get(pos + 1..pos + 3);
                    match digits.map(|d| u8::from_str_radix(d, 16)) {
                        Some(Ok(value)) if !text[pos + 1..].starts_with('+') => out.push(value),
                        _ => return Err(format!("invalid \\x escape at position {}", pos - 1)),
                    }
                    pos += 3;
                }
                Some(b'0'..=b'7') => {
                    let (code, end) = octal(bytes, pos);
                    out.push(code as u8);
                    pos = end;
                }
                Some(other) => {
                    match simple(other) {
                        Some(value) => out.push(value),
                        None => out.extend_from_slice(&[b'\\', other]),
                    }
                    pos += 1;
                }
                None => return Err("Trailing \\ in string".into()),
            },
            _ => out.push(byte),
        }
    }
    Ok(out)
}
