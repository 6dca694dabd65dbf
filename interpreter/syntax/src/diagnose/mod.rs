//! Wording: why the parser stopped, as CPython 3.12 would say it.
//!
//! Runs only after the grammar has refused a text, and only over the logical line it stopped in.
//! What block structure explains (indentation, a `try` without handlers) is decided from the
//! tokens around the place; for the rest a small recogniser walks the line as CPython's second,
//! diagnosing pass does and reports the first construct it knows to be wrong. It makes no tree,
//! and where it knows nothing better the error is "invalid syntax" where the grammar stopped.

mod atom;
mod block;
mod expression;
mod statement;

use crate::lexer::{Bracket, Tok, Token};
use crate::{Span, SyntaxError};

/// Brackets nest at most this deep in a line that is explained; a bound for recursion.
const MAX_DEPTH: usize = 60;

/// What the parser knows when it stops.
pub struct Failure<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
    /// Index of the token that did not fit.
    pub at: usize,
    pub unclosed: Option<Bracket>,
}

/// The error for a parser that stopped.
pub fn diagnose(failure: &Failure<'_>) -> SyntaxError {
    if let Some(error) = block::explain(failure) {
        return error;
    }
    let start = line_start(failure.tokens, failure.at);
    let mut walk = Walk {
        text: failure.text,
        tokens: failure.tokens,
        pos: start,
        furthest: failure.at,
        quiet: false,
        brackets: 0,
    };
    let error = if start == failure.at { None } else { walk.statements().err() };
    let error = match error {
        Some(Stop::Error(error)) => *error,
        _ => failure.plain(walk.stopped_at(start, failure.at)),
    };
    failure.or_unclosed(error, walk.furthest)
}

impl Failure<'_> {
    /// "invalid syntax" at the token that did not fit.
    fn plain(&self, at: usize) -> SyntaxError {
        let span = place(self.tokens[at]);
        if self.tokens[at].kind == Tok::Dedent {
            let message = "unexpected unindent";
            return SyntaxError::indentation("unexpected-unindent", message, span);
        }
        SyntaxError::new("invalid-syntax", "invalid syntax", span)
    }

    /// A bracket left open before the error's line explains more than the error does.
    fn or_unclosed(&self, error: SyntaxError, furthest: usize) -> SyntaxError {
        let Some(open) = self.unclosed else { return error };
        let token = self.tokens[furthest];
        let between = self.text.get(open.at as usize..token.start as usize).unwrap_or("");
        if token.kind == Tok::End || between.contains('\n') { never_closed(open) } else { error }
    }
}

/// The error for a bracket that is open at the end of the text.
pub fn never_closed(open: Bracket) -> SyntaxError {
    let message = format!("'{}' was never closed", open.ch as char);
    SyntaxError::new("never-closed", message, Span::new(open.at, open.at))
}

/// Index of the first token of the logical line that holds token `at`.
pub fn line_start(tokens: &[Token], at: usize) -> usize {
    let breaks = |token: &Token| {
        matches!(
            token.kind,
            Tok::Newline
                | Tok::Indent
                | Tok::Dedent
                | Tok::StartModule
                | Tok::StartExpression
                | Tok::StartInteractive
        )
    };
    tokens[..at].iter().rposition(breaks).map_or(0, |index| index + 1)
}

/// Where a token is shown; the end of a line is one caret.
fn place(token: Token) -> Span {
    let end = if token.kind == Tok::Newline { token.start } else { token.end };
    Span::new(token.start, end)
}

/// Why a walk ends early.
enum Stop {
    /// Something known to be wrong.
    Error(Box<SyntaxError>),
    /// It does not fit, and nothing is known about it.
    Unknown,
}

type Walked<T> = Result<T, Stop>;

/// A recognised piece: its tokens, and what CPython calls it.
#[derive(Clone, Copy)]
struct Piece {
    /// Index of its first token.
    start: usize,
    /// Index after its last token.
    end: usize,
    name: &'static str,
    /// Binds at least as tight as `|`, so it could be an operand of `==`.
    tight: bool,
}

struct Walk<'a> {
    text: &'a str,
    tokens: &'a [Token],
    pos: usize,
    furthest: usize,
    /// Looking ahead: nothing is reported.
    quiet: bool,
    brackets: usize,
}

impl Walk<'_> {
    /// Where CPython's parser has got when it gives up: further than the grammar if it also tried
    /// the line as a `match` statement.
    fn stopped_at(&mut self, start: usize, at: usize) -> usize {
        if at != start + 1 || self.tokens[start].kind != Tok::Name || self.word(start) != "match" {
            return at;
        }
        self.pos = at;
        match self.ahead(Self::subject) {
            Some(()) => self.pos,
            None => at,
        }
    }

    fn kind(&mut self) -> Tok {
        self.furthest = self.furthest.max(self.pos);
        self.tokens[self.pos].kind
    }

    fn kind_after(&self) -> Tok {
        self.tokens.get(self.pos + 1).map_or(Tok::End, |token| token.kind)
    }

    fn word(&self, index: usize) -> &str {
        let token = self.tokens[index];
        &self.text[token.start as usize..token.end as usize]
    }

    /// Moves on; at the end of the text it stays.
    fn bump(&mut self) {
        if self.pos + 1 < self.tokens.len() {
            self.pos += 1;
        }
        self.kind();
    }

    fn eat(&mut self, kind: Tok) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, kind: Tok) -> Walked<()> {
        if self.eat(kind) { Ok(()) } else { self.unknown() }
    }

    fn unknown<T>(&mut self) -> Walked<T> {
        Err(Stop::Unknown)
    }

    /// What fits of `f` counts only whole: if it does not, back to `pos` as if never tried.
    fn or_back<T>(&mut self, pos: usize, result: Walked<T>) -> Walked<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Unknown) => {
                self.pos = pos;
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// Reports, unless looking ahead.
    fn fail<T>(&mut self, code: &'static str, message: impl Into<String>, span: Span) -> Walked<T> {
        if self.quiet {
            return Err(Stop::Unknown);
        }
        Err(Stop::Error(Box::new(SyntaxError::new(code, message, span))))
    }

    /// Tries `f` without reporting; on success leaves the position after it.
    fn ahead<T>(&mut self, f: impl FnOnce(&mut Self) -> Walked<T>) -> Option<T> {
        let (pos, quiet) = (self.pos, self.quiet);
        self.quiet = true;
        let result = f(self).ok();
        self.quiet = quiet;
        if result.is_none() {
            self.pos = pos;
        }
        result
    }

    fn token_span(&self, index: usize) -> Span {
        place(self.tokens[index])
    }

    /// From the first token of `from` to before token `end`.
    fn range(&self, start: usize, end: usize) -> Span {
        self.token_span(start).to(self.token_span(end.max(start + 1) - 1))
    }

    fn span(&self, piece: Piece) -> Span {
        self.range(piece.start, piece.end)
    }

    /// From token `start` to where the tokenizer has got, as CPython counts it.
    fn to_furthest(&self, start: usize) -> Span {
        let last = self.tokens[self.furthest];
        let end = if last.kind == Tok::Newline { last.start } else { last.end.saturating_sub(1) };
        Span::new(self.tokens[start].start, end)
    }
}
