//! Where string literals end. Their contents are decoded when the tree is built.

use super::{Lexer, Tok, error_at, fstring::FString};
use crate::SyntaxError;

impl Lexer<'_> {
    /// A string whose prefix and first quote the rule has read.
    pub(super) fn string(&mut self, start: usize) -> Result<(), SyntaxError> {
        let bytes = self.text.as_bytes();
        let quote_at = self.pos() - 1;
        let quote = bytes[quote_at];
        let triple = bytes[quote_at + 1..].starts_with(&[quote, quote]);
        let prefix = &bytes[start..quote_at];
        if prefix.iter().any(|byte| byte | 0x20 == b'f') {
            let raw = prefix.iter().any(|byte| byte | 0x20 == b'r');
            let end = quote_at + if triple { 3 } else { 1 };
            self.logos.bump(end - self.pos());
            return self.open_fstring(FString::new(start, quote, triple, raw), end);
        }
        let body = quote_at + if triple { 3 } else { 1 };
        match string_end(&bytes[body..], quote, triple) {
            Ok(len) => {
                let end = body + len;
                self.logos.bump(end - self.pos());
                self.push(Tok::String, start, end);
                Ok(())
            }
            Err(len) => {
                let end = body + len;
                self.logos.bump(end - self.pos());
                let at_eof = end == bytes.len();
                self.wants_more |= triple && at_eof || bytes[..end].ends_with(b"\\\n");
                if self.ends_fstring(quote, triple) {
                    return Err(error_at("f-string-open", "f-string: expecting '}'", start));
                }
                Err(self.unterminated(start, end, triple, ""))
            }
        }
    }

    /// The error for a string or f-string that starts at `start` and was given up at `end`.
    pub(super) fn unterminated(
        &self,
        start: usize,
        end: usize,
        triple: bool,
        prefix: &str,
    ) -> SyntaxError {
        let mut line = self.line_of(end);
        if end == self.text.len() && self.text.ends_with('\n') {
            // The end of the text does not start a line of its own.
            line -= 1;
        }
        let triple = if triple { "triple-quoted " } else { "" };
        let message =
            format!("unterminated {triple}{prefix}string literal (detected at line {line})");
        error_at("unterminated-string", message, start)
    }
}

/// The length of a string's rest, closing quotes included, or `Err` with where it was given up.
fn string_end(bytes: &[u8], quote: u8, triple: bool) -> Result<usize, usize> {
    let mut pos = 0;
    loop {
        let found = if triple {
            memchr::memchr2(quote, b'\\', &bytes[pos..])
        } else {
            let ends = memchr::memchr3(quote, b'\\', b'\n', &bytes[pos..]);
            // A lone carriage return ends the line too; rare enough to look for afterwards.
            match memchr::memchr(b'\r', &bytes[pos..pos + ends.unwrap_or(bytes.len() - pos)]) {
                Some(cr) => Some(cr),
                None => ends,
            }
        };
        let Some(step) = found else { return Err(bytes.len()) };
        pos += step;
        match bytes[pos] {
            b'\\' => {
                pos += 1;
                if bytes[pos..].starts_with(b"\r\n") {
                    pos += 1;
                }
                if pos >= bytes.len() {
                    return Err(bytes.len());
                }
                pos += 1;
            }
            b'\n' | b'\r' => return Err(pos),
            _ if !triple => return Ok(pos + 1),
            _ if bytes[pos + 1..].starts_with(&[quote, quote]) => return Ok(pos + 3),
            _ => pos += 1,
        }
    }
}
