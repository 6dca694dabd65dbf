//! The indentation layer: line starts to `Indent` and `Dedent` tokens.
//!
//! Columns are counted twice, with tabs to multiples of eight and with tabs as one, and the two
//! counts must agree on every comparison: that is how CPython finds inconsistent tabs.

use super::{Lexer, Tok, error_at};
use crate::{ErrorKind, Span, SyntaxError};

/// Blocks nest at most this deep, as in CPython.
const MAX_INDENTS: usize = 100;

/// The indentation of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Level {
    column: usize,
    alt_column: usize,
}

impl Lexer<'_> {
    /// At the start of a line: skips blank lines, measures, and pushes what changed.
    pub(super) fn indentation(&mut self) {
        let bytes = self.rest();
        let (mut pos, mut level) = (0, Level::default());
        // Set once a backslash joins the next line to this one's indentation.
        let mut joined = false;
        loop {
            match bytes.get(pos) {
                Some(b' ') if joined => {}
                Some(b'\t') if joined => {}
                Some(b' ') => {
                    level.column += 1;
                    level.alt_column += 1;
                }
                Some(b'\t') => {
                    level.column = (level.column / 8 + 1) * 8;
                    level.alt_column += 1;
                }
                Some(b'\x0c') => level = Level::default(),
                Some(b'\\') if matches!(bytes.get(pos + 1), Some(b'\n' | b'\r')) => {
                    joined = true;
                    pos += 1 + usize::from(bytes[pos + 1..].starts_with(b"\r\n"));
                }
                Some(b'#') => {
                    let end = memchr::memchr2(b'\n', b'\r', &bytes[pos..]);
                    pos += end.unwrap_or(bytes.len() - pos);
                    continue;
                }
                Some(b'\n' | b'\r') => (level, joined) = (Level::default(), false),
                Some(_) => break,
                None => {
                    self.logos.bump(pos);
                    return;
                }
            }
            pos += 1;
        }
        self.logos.bump(pos);
        let count = self.tokens.len();
        if let Err(error) = self.change_to(level) {
            self.report_after(count, error);
        }
    }

    fn change_to(&mut self, level: Level) -> Result<(), SyntaxError> {
        let at = self.pos();
        let top = self.top();
        if level.column == top.column {
            return self.agree(level, top);
        }
        if level.column > top.column {
            if self.indents.len() >= MAX_INDENTS {
                let message = "too many levels of indentation";
                return Err(SyntaxError::indentation("too-many-levels", message, self.here()));
            }
            if level.alt_column <= top.alt_column {
                return Err(self.tab_error());
            }
            self.indents.push(level);
            // Reaches back to the line's start, to be shown by "unexpected indent".
            self.push(Tok::Indent, at, at);
            return Ok(());
        }
        while self.indents.len() > 1 && level.column < self.top().column {
            self.indents.pop();
            self.push(Tok::Dedent, at, at);
        }
        if level.column != self.top().column {
            // Taken as its own level, so that what follows can still be read.
            let message = "unindent does not match any outer indentation level";
            let end = at + memchr::memchr2(b'\n', b'\r', self.rest()).unwrap_or(self.rest().len());
            let span = Span::new(end as u32, end as u32);
            return Err(SyntaxError::indentation("unindent-mismatch", message, span));
        }
        self.agree(level, self.top())
    }

    fn agree(&self, level: Level, other: Level) -> Result<(), SyntaxError> {
        if level.alt_column == other.alt_column { Ok(()) } else { Err(self.tab_error()) }
    }

    fn top(&self) -> Level {
        self.indents.last().copied().unwrap_or_default()
    }

    fn here(&self) -> Span {
        error_at("", "", self.pos()).span
    }

    fn tab_error(&self) -> SyntaxError {
        let before = &self.text.as_bytes()[..self.pos()];
        let start = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
        SyntaxError {
            kind: ErrorKind::TabError,
            code: "inconsistent-tabs",
            message: "inconsistent use of tabs and spaces in indentation".into(),
            span: Span::new(start as u32, start as u32),
        }
    }
}
