//! `unicode_escape` and `raw_unicode_escape`.

use super::decode::Unit;

/// The longest escape that encoding writes.
pub(super) const LONGEST: usize = 10;

/// The longest name of a character is shorter.
const MAX_NAME: usize = 120;

/// Writes a code point as it stands in a literal.
pub(super) fn put(c: u32, out: &mut Vec<u8>) {
    match c {
        0x5C => out.extend(b"\\\\"),
        0x09 => out.extend(b"\\t"),
        0x0A => out.extend(b"\\n"),
        0x0D => out.extend(b"\\r"),
        0x20..0x7F => out.push(c as u8),
        0..0x100 => out.extend(format!("\\x{c:02x}").into_bytes()),
        _ => put_long(c, out),
    }
}

/// Writes a code point as a byte, or as an escape if it is too large.
pub(super) fn put_raw(c: u32, out: &mut Vec<u8>) {
    match u8::try_from(c) {
        Ok(byte) => out.push(byte),
        Err(_) => put_long(c, out),
    }
}

fn put_long(c: u32, out: &mut Vec<u8>) {
    let text = if c < 0x1_0000 { format!("\\u{c:04x}") } else { format!("\\U{c:08x}") };
    out.extend(text.into_bytes());
}

/// Reads the character at the beginning of `rest`.
pub(super) fn unit(rest: &[u8]) -> Unit {
    if rest[0] != b'\\' {
        return Unit::Char(u32::from(rest[0]), 1);
    }
    let Some(&kind) = rest.get(1) else {
        return Unit::Incomplete { reason: "\\ at end of string" };
    };
    let simple = match kind {
        b'\n' => return Unit::Nothing(2),
        b'\\' | b'\'' | b'"' => kind,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let digits = rest[1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
            let (c, len) =
                digits.fold((0, 1), |(c, len), b| (c * 8 + u32::from(b - b'0'), len + 1));
            return Unit::Char(c, len);
        }
        b'x' => return hex(rest, 2, "truncated \\xXX escape"),
        b'u' => return hex(rest, 4, "truncated \\uXXXX escape"),
        b'U' => return hex(rest, 8, "truncated \\UXXXXXXXX escape"),
        b'N' => return named(rest),
        // No escape: the backslash stays.
        _ => return Unit::Char(u32::from(b'\\'), 1),
    };
    Unit::Char(u32::from(simple), 2)
}

/// Reads the character at the beginning of `rest`, where only `\\u` and `\\U` are escapes.
pub(super) fn raw_unit(rest: &[u8]) -> Unit {
    match rest {
        [b'\\', b'u', ..] => hex(rest, 4, "truncated \\uXXXX escape"),
        [b'\\', b'U', ..] => match hex(rest, 8, "truncated \\UXXXXXXXX escape") {
            Unit::Bad { len: LONGEST, .. } => {
                Unit::Bad { len: LONGEST, reason: "\\Uxxxxxxxx out of range" }
            }
            other => other,
        },
        _ => Unit::Char(u32::from(rest[0]), 1),
    }
}

/// `\\xXX` and the like: a backslash, a letter, so many digits.
fn hex(rest: &[u8], digits: usize, truncated: &'static str) -> Unit {
    let found = rest[2..].iter().take(digits).map_while(|b| char::from(*b).to_digit(16));
    let (c, len) = found.fold((0u32, 2), |(c, len), digit| (c << 4 | digit, len + 1));
    match len - 2 == digits {
        true if c > 0x10_FFFF => Unit::Bad { len, reason: "illegal Unicode character" },
        true => Unit::Char(c, len),
        false if len == rest.len() => Unit::Incomplete { reason: truncated },
        false => Unit::Bad { len, reason: truncated },
    }
}

/// `\\N{...}`
fn named(rest: &[u8]) -> Unit {
    const MALFORMED: &str = "malformed \\N character escape";
    let Some(body) = rest[2..].strip_prefix(b"{") else {
        return match rest.len() {
            2 => Unit::Incomplete { reason: MALFORMED },
            _ => Unit::Bad { len: 2, reason: MALFORMED },
        };
    };
    let Some(len) = body.iter().take(MAX_NAME).position(|b| *b == b'}') else {
        return match body.len() < MAX_NAME {
            true => Unit::Incomplete { reason: MALFORMED },
            false => Unit::Bad { len: rest.len(), reason: MALFORMED },
        };
    };
    let all = len + 4;
    if len == 0 {
        return Unit::Bad { len: all - 1, reason: MALFORMED };
    }
    let name = std::str::from_utf8(&body[..len]).ok();
    match name.and_then(miniscript_syntax::character_named) {
        Some(c) => Unit::Char(c as u32, all),
        None => Unit::Bad { len: all, reason: "unknown Unicode character name" },
    }
}
