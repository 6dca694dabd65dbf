//! F-strings: text between fields, and the punctuation that is special inside a field.
//!
//! A field is a bracket like others (its `{` counts against their limit and newlines inside it are
//! blank), and while the innermost open bracket is a field's, `:` starts its format spec and `}`
//! ends it.

use super::{Bracket, Lexer, MAX_BRACKETS, Tok, error_at};
use crate::SyntaxError;

/// F-strings nest at most this deep, as in CPython.
const MAX_FSTRINGS: usize = 150;

/// Format specs nest at most this deep, as in CPython.
const MAX_SPECS: usize = 3;

/// Longer than any escape with a character's name.
const MAX_NAME: usize = 120;

/// An f-string that is being read.
#[derive(Debug)]
pub struct FString {
    start: usize,
    quote: u8,
    triple: bool,
    raw: bool,
    /// Number of brackets open when it started.
    pub base: usize,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// Number of brackets open inside the field, its own included.
    level: usize,
    in_spec: bool,
}

impl FString {
    pub fn new(start: usize, quote: u8, triple: bool, raw: bool) -> FString {
        FString { start, quote, triple, raw, base: 0, fields: Vec::new() }
    }

    fn in_text(&self) -> bool {
        self.fields.last().is_none_or(|field| field.in_spec)
    }
}

impl Lexer<'_> {
    pub(super) fn open_fstring(&mut self, mut f: FString, end: usize) -> Result<(), SyntaxError> {
        if self.fstrings.len() >= MAX_FSTRINGS {
            return Err(error_at("too-many-fstrings", "too many nested f-strings", f.start));
        }
        f.base = self.brackets.len();
        self.push(Tok::FStringStart, f.start, end);
        self.fstrings.push(f);
        Ok(())
    }

    /// The next thing to read is text of an f-string or of a format spec.
    pub(super) fn in_fstring_text(&self) -> bool {
        self.fstrings.last().is_some_and(FString::in_text)
    }

    /// The quotes are those of the f-string whose field is being read: they were meant to end it.
    pub(super) fn ends_fstring(&self, quote: u8, triple: bool) -> bool {
        self.fstrings.last().is_some_and(|f| f.quote == quote && f.triple == triple)
    }

    /// Directly inside a field: not in a bracket within it, not in its format spec.
    pub(super) fn in_field(&self) -> bool {
        self.fstrings.last().is_some_and(|f| {
            f.fields.last().is_some_and(|fd| !fd.in_spec && fd.level == self.brackets.len())
        })
    }

    /// Inside a field, reads `:` or `}` if one comes next.
    pub(super) fn field_punctuation(&mut self) -> bool {
        let rest = self.rest();
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
        let at = self.pos() + blank;
        match rest.get(blank) {
            Some(b':') => {
                self.logos.bump(blank + 1);
                self.push(Tok::SpecColon, at, at + 1);
                if let Some(field) = self.fstrings.last_mut().and_then(|f| f.fields.last_mut()) {
                    field.in_spec = true;
                }
                true
            }
            Some(b'}') => {
                self.logos.bump(blank + 1);
                self.close_field(at);
                true
            }
            _ => false,
        }
    }

    fn close_field(&mut self, at: usize) {
        self.push(Tok::FieldClose, at, at + 1);
        self.brackets.pop();
        if let Some(f) = self.fstrings.last_mut() {
            f.fields.pop();
        }
    }

    /// Reads text up to a field, the end of a format spec, or the end of the f-string, and that
    /// delimiter too.
    pub(super) fn fstring_text(&mut self) -> Result<bool, SyntaxError> {
        let Some(f) = self.fstrings.last() else { return Ok(true) };
        let (start, quote, triple, raw) = (f.start, f.quote, f.triple, f.raw);
        let in_spec = !f.fields.is_empty();
        let depth = f.fields.len();
        let from = self.pos();
        let bytes = &self.text.as_bytes()[from..];
        let (len, stop) = text_end(bytes, quote, triple, raw, in_spec);
        let at = from + len;
        if len > 0 {
            self.push(Tok::FStringMiddle, from, at);
        }
        match stop {
            Stop::Quote => {
                // In a format spec this is too early; the parser says so at this token.
                let quotes = if triple { 3 } else { 1 };
                self.logos.bump(len + quotes);
                self.push(Tok::FStringEnd, at, at + quotes);
                if let Some(f) = self.fstrings.pop() {
                    self.brackets.truncate(f.base);
                }
            }
            Stop::Open => {
                self.logos.bump(len + 1);
                if depth >= MAX_SPECS {
                    let message = "f-string: expressions nested too deeply";
                    return Err(error_at("f-string-nesting", message, at - 1));
                }
                if self.brackets.len() >= MAX_BRACKETS {
                    return Err(error_at("too-many-brackets", "too many nested parentheses", at));
                }
                self.brackets.push(Bracket { ch: b'{', at: at as u32 });
                let level = self.brackets.len();
                self.push(Tok::FieldOpen, at, at + 1);
                if let Some(f) = self.fstrings.last_mut() {
                    f.fields.push(Field { level, in_spec: false });
                }
            }
            Stop::Close => {
                self.logos.bump(len + 1);
                if !in_spec {
                    let message = "f-string: single '}' is not allowed";
                    return Err(error_at("f-string-brace", message, at));
                }
                self.close_field(at);
            }
            Stop::LineEnd if in_spec && at < self.text.len() => {
                // Nothing but the end of the field can follow.
                self.logos.bump(len);
                if let Some(field) = self.fstrings.last_mut().and_then(|f| f.fields.last_mut()) {
                    field.in_spec = false;
                }
            }
            Stop::LineEnd => {
                self.logos.bump(len);
                self.wants_more |= triple && at == self.text.len();
                return Err(self.unterminated(start, at, triple, "f-"));
            }
        }
        self.line_has_tokens = true;
        Ok(true)
    }
}

enum Stop {
    Quote,
    Open,
    Close,
    /// The line or the text ended.
    LineEnd,
}

/// The length of the text before the next delimiter, and which one that is.
fn text_end(bytes: &[u8], quote: u8, triple: bool, raw: bool, in_spec: bool) -> (usize, Stop) {
    let mut pos = 0;
    while let Some(&byte) = bytes.get(pos) {
        let next = bytes.get(pos + 1).copied();
        match byte {
            b'{' if next == Some(b'{') && !in_spec => pos += 2,
            b'{' => return (pos, Stop::Open),
            b'}' if next == Some(b'}') && !in_spec => pos += 2,
            b'}' => return (pos, Stop::Close),
            b'\\' if !raw && next == Some(b'N') && bytes.get(pos + 2) == Some(&b'{') => {
                // A named character; its braces are no field. Without its end it is text, and an
                // error when it is decoded.
                let name = bytes[pos..]
                    .iter()
                    .take(MAX_NAME)
                    .position(|b| matches!(b, b'}' | b'\n' | b'"' | b'\''));
                match name {
                    Some(len) if bytes[pos + len] == b'}' => pos += len + 1,
                    _ => pos += 3,
                }
            }
            b'\\' if matches!(next, Some(b'{' | b'}')) => pos += 1,
            b'\\' if next.is_some() => {
                pos += 2 + usize::from(bytes[pos + 1..].starts_with(b"\r\n"));
            }
            b'\n' | b'\r' if !triple => return (pos, Stop::LineEnd),
            _ if byte != quote => pos += 1,
            _ if !triple => return (pos, Stop::Quote),
            _ if bytes[pos + 1..].starts_with(&[quote, quote]) => return (pos, Stop::Quote),
            _ => pos += 1,
        }
    }
    (bytes.len(), Stop::LineEnd)
}
