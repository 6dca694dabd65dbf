//! Numbers: where they end, their kind, and what may not follow them.

use super::{Lexer, Tok, error_at};
use crate::{Span, SyntaxError};

impl Lexer<'_> {
    /// A number that starts at `start`.
    pub(super) fn number(&mut self, start: usize) -> Result<(), SyntaxError> {
        let bytes = &self.text.as_bytes()[start..];
        let scan = Scan { bytes, base: start };
        let (kind, len) = scan.number()?;
        let read = self.pos() - start;
        // The rule read one or two bytes; a number that has a second byte may be shorter
        // only if it is a lone digit.
        self.logos.bump(len - read.min(len));
        self.push(kind, start, start + len);
        Ok(())
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    base: usize,
}

impl Scan<'_> {
    fn at(&self, pos: usize) -> u8 {
        self.bytes.get(pos).copied().unwrap_or(0)
    }

    fn number(&self) -> Result<(Tok, usize), SyntaxError> {
        match (self.at(0), self.at(1) | 0x20) {
            (b'0', b'x') => self.prefixed(16, "hexadecimal"),
            (b'0', b'o') => self.prefixed(8, "octal"),
            (b'0', b'b') => self.prefixed(2, "binary"),
            (b'.', _) => self.fraction(0, None),
            (b'0', _) => self.leading_zero(),
            _ => {
                let end = self.decimal_tail(0)?;
                self.after_integer(end, None)
            }
        }
    }

    fn prefixed(&self, radix: u32, name: &str) -> Result<(Tok, usize), SyntaxError> {
        let is_digit = |byte: u8| (byte as char).is_digit(radix);
        let mut pos = 2;
        loop {
            if self.at(pos) == b'_' {
                pos += 1;
            }
            if !is_digit(self.at(pos)) {
                return Err(self.bad_digit(pos, radix, name));
            }
            while is_digit(self.at(pos)) {
                pos += 1;
            }
            if self.at(pos) != b'_' {
                break;
            }
        }
        if self.at(pos).is_ascii_digit() {
            return Err(self.bad_digit(pos, radix, name));
        }
        self.check_end(pos, name)?;
        Ok((Tok::Int, pos))
    }

    fn bad_digit(&self, pos: usize, radix: u32, name: &str) -> SyntaxError {
        let byte = self.at(pos);
        if byte.is_ascii_digit() && radix < 10 {
            let message = format!("invalid digit '{}' in {name} literal", byte as char);
            error_at("invalid-number", message, self.base + pos)
        } else {
            self.invalid(pos, name)
        }
    }

    /// Digits and single underscores from `pos`; gives the position after them.
    fn decimal_tail(&self, mut pos: usize) -> Result<usize, SyntaxError> {
        loop {
            while self.at(pos).is_ascii_digit() {
                pos += 1;
            }
            if self.at(pos) != b'_' {
                return Ok(pos);
            }
            pos += 1;
            if !self.at(pos).is_ascii_digit() {
                return Err(self.invalid(pos, "decimal"));
            }
        }
    }

    fn leading_zero(&self) -> Result<(Tok, usize), SyntaxError> {
        let mut pos = 1;
        loop {
            if self.at(pos) == b'_' {
                pos += 1;
                if !self.at(pos).is_ascii_digit() {
                    return Err(self.invalid(pos, "decimal"));
                }
            }
            if self.at(pos) != b'0' {
                break;
            }
            pos += 1;
        }
        let zeros_end = pos;
        if !self.at(pos).is_ascii_digit() {
            return self.after_integer(pos, None);
        }
        let end = self.decimal_tail(pos)?;
        self.after_integer(end, Some(zeros_end))
    }

    /// After the integer part. `zeros_end` is set if that part may not stand alone because of
    /// leading zeros.
    fn after_integer(
        &self,
        pos: usize,
        zeros_end: Option<usize>,
    ) -> Result<(Tok, usize), SyntaxError> {
        match self.at(pos) {
            b'.' => self.fraction(pos, zeros_end),
            b'e' | b'E' => self.exponent(pos, Tok::Int, zeros_end),
            _ => self.suffix(pos, Tok::Int, zeros_end),
        }
    }

    fn fraction(&self, dot: usize, zeros_end: Option<usize>) -> Result<(Tok, usize), SyntaxError> {
        let mut pos = dot + 1;
        if self.at(pos).is_ascii_digit() {
            pos = self.decimal_tail(pos)?;
        }
        match self.at(pos) {
            b'e' | b'E' => self.exponent(pos, Tok::Float, zeros_end),
            _ => self.suffix(pos, Tok::Float, zeros_end),
        }
    }

    fn exponent(
        &self,
        e: usize,
        kind: Tok,
        zeros_end: Option<usize>,
    ) -> Result<(Tok, usize), SyntaxError> {
        let mut pos = e + 1;
        if matches!(self.at(pos), b'+' | b'-') {
            pos += 1;
            if !self.at(pos).is_ascii_digit() {
                return Err(self.invalid(pos, "decimal"));
            }
        } else if !self.at(pos).is_ascii_digit() {
            // `1else` is two tokens, `1ex` is an error.
            return self.suffix(e, kind, zeros_end);
        }
        pos = self.decimal_tail(pos)?;
        self.suffix(pos, Tok::Float, zeros_end)
    }

    fn suffix(
        &self,
        pos: usize,
        kind: Tok,
        zeros_end: Option<usize>,
    ) -> Result<(Tok, usize), SyntaxError> {
        if matches!(self.at(pos), b'j' | b'J') {
            self.check_end(pos + 1, "imaginary")?;
            return Ok((Tok::Imaginary, pos + 1));
        }
        if let (Tok::Int, Some(zeros_end)) = (kind, zeros_end) {
            let message = "leading zeros in decimal integer literals are not permitted; \
                           use an 0o prefix for octal integers";
            let span = Span::new(self.base as u32, (self.base + zeros_end) as u32);
            return Err(SyntaxError::new("leading-zeros", message, span));
        }
        self.check_end(pos, "decimal")?;
        Ok((kind, pos))
    }

    /// A number may run into a keyword that can follow it, but into no other name.
    fn check_end(&self, pos: usize, name: &str) -> Result<(), SyntaxError> {
        let rest = self.bytes.get(pos..).unwrap_or(&[]);
        let keywords: &[&[u8]] = &[b"and", b"else", b"for", b"or", b"not"];
        let in_name = |byte: Option<&u8>| {
            byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80)
        };
        let is_keyword = |word: &&[u8]| rest.starts_with(word) && !in_name(rest.get(word.len()));
        let short = [b"if", b"in", b"is"].iter().any(|word| rest.starts_with(*word));
        if short || keywords.iter().any(is_keyword) {
            return Ok(());
        }
        match rest.first() {
            Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'_' => {
                Err(self.invalid(pos, name))
            }
            _ => Ok(()),
        }
    }

    /// The error points at the last character that still belonged to the number.
    fn invalid(&self, pos: usize, name: &str) -> SyntaxError {
        error_at("invalid-number", format!("invalid {name} literal"), self.base + pos - 1)
    }
}
