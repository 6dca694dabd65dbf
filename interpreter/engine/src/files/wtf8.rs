//! Text as the file service hands it over: UTF-8 extended by lone surrogates.
//!
//! A surrogate is written as UTF-8 would write its number, in three bytes, also where two of them
//! stand beside each other; so each code point of a Python string has exactly one form.

use std::fmt;

/// Appends one code point (below 0x110000, surrogates allowed).
pub(super) fn push(out: &mut Vec<u8>, c: u32) {
    match c {
        0..0x80 => out.push(c as u8),
        0x80..0x800 => out.extend([0xC0 | (c >> 6) as u8, trail(c)]),
        0x800..0x1_0000 => out.extend([0xE0 | (c >> 12) as u8, trail(c >> 6), trail(c)]),
        _ => out.extend([0xF0 | (c >> 18) as u8, trail(c >> 12), trail(c >> 6), trail(c)]),
    }
}

fn trail(c: u32) -> u8 {
    0x80 | (c & 0x3F) as u8
}

/// How many bytes the code point that begins with `lead` takes.
pub(super) fn width(lead: u8) -> usize {
    match lead {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// The code points of well-formed text. Of ill-formed bytes it makes some numbers and an end.
pub(super) fn code_points(text: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let lead = *text.get(at)?;
        let n = width(lead);
        let mut c = match n {
            1 => u32::from(lead),
            2 => u32::from(lead & 0x1F),
            3 => u32::from(lead & 0x0F),
            _ => u32::from(lead & 0x07),
        };
        for &byte in text.iter().take(at + n).skip(at + 1) {
            c = c << 6 | u32::from(byte & 0x3F);
        }
        at += n;
        Some(c)
    })
}

/// How many code points there are.
pub(super) fn count(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte as i8) >= -0x40).count()
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

/// Writes `c` as `\x..`, `\u....` or `\U........`.
pub(super) fn escape(c: u32, f: &mut dyn fmt::Write) -> fmt::Result {
    match c {
        0..0x100 => write!(f, "\\x{c:02x}"),
        0x100..0x1_0000 => write!(f, "\\u{c:04x}"),
        _ => write!(f, "\\U{c:08x}"),
    }
}
