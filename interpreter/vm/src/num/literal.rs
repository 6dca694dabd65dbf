//! What the constructors `int`, `float` and `complex` accept as text around the number itself:
//! white space, digits of any script, underscores between digits.

use crate::text::{case, repr, wtf8};

/// Whether the text came as `str` or as `bytes`: error messages show it that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As a `str`.
    Str,
    /// As a `bytes`.
    Bytes,
}

impl Shown {
    /// The text as an error message shows it.
    pub fn repr(self, text: &[u8]) -> String {
        let shown = match self {
            Shown::Str => repr::str(text),
            Shown::Bytes => repr::bytes(text),
        };
        // A `repr` of text holds no surrogate and no malformed byte.
        String::from_utf8(shown.unwrap_or_default()).unwrap_or_default()
    }
}

/// The text in ASCII, without white space around it and with digits of other scripts replaced.
/// `None` if another character is in it.
pub(super) fn ascii(text: &[u8]) -> Option<String> {
    let space = |c: char| matches!(c, ' ' | '\t'..='\r');
    if text.is_ascii() {
        return std::str::from_utf8(text).ok().map(|s| s.trim_matches(space).to_owned());
    }
    let mut out = String::new();
    out.try_reserve(text.len()).ok()?;
    for cp in wtf8::code_points(text) {
        out.push(match cp {
            _ if case::is_space(cp) => ' ',
            0..0x80 => cp as u8 as char,
            _ => char::from_digit(case::decimal_value(cp)?, 10)?,
        });
    }
    Some(out.trim_matches(space).to_owned())
}

/// As [`ascii`], with the underscores between digits removed; `None` if one is elsewhere.
pub(super) fn plain(text: &[u8]) -> Option<String> {
    let mut text = ascii(text)?;
    if text.contains('_') {
        let bytes = text.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let fits = |at: usize| at > 0 && digit(at - 1) && digit(at + 1);
        if !(0..bytes.len()).all(|at| bytes[at] != b'_' || fits(at)) {
            return None;
        }
        text.retain(|c| c != '_');
    }
    Some(text)
}
