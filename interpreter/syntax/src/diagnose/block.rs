//! Errors that the block structure explains.

use super::{Failure, line_start};
use crate::lexer::{Tok, Token};
use crate::{Span, SyntaxError};

pub fn explain(failure: &Failure<'_>) -> Option<SyntaxError> {
    let tokens = failure.tokens;
    let at = failure.at;
    let here = tokens[at];
    let previous = tokens[at.checked_sub(1)?].kind;
    let span = Span::new(here.start, here.end);
    if here.kind == Tok::Indent {
        let at = here.start.saturating_sub(1);
        let message = "unexpected indent";
        return Some(SyntaxError::indentation("unexpected-indent", message, Span::new(at, at)));
    }
    if previous == Tok::Newline && at >= 2 && tokens[at - 2].kind == Tok::Colon {
        let start = line_start(tokens, at - 2);
        if let Some(what) = header_name(&tokens[start..at]) {
            let line = 1 + failure.text[..tokens[start].start as usize].matches('\n').count();
            let message = format!("expected an indented block after {what} on line {line}");
            return Some(SyntaxError::indentation("expected-indent", message, span));
        }
    }
    let closed = closed_header(tokens, at)?;
    if tokens[closed].kind == Tok::Try {
        let message = "expected 'except' or 'finally' block";
        return Some(SyntaxError::new("expected-except", message, span));
    }
    None
}

/// What CPython calls the statement that a header line starts.
fn header_name(line: &[Token]) -> Option<&'static str> {
    let first = line.first()?.kind;
    let second = line.get(1).map(|token| token.kind);
    let kind = if first == Tok::Async { second? } else { first };
    Some(match kind {
        Tok::If => "'if' statement",
        Tok::Elif => "'elif' statement",
        Tok::Else => "'else' statement",
        Tok::For => "'for' statement",
        Tok::While => "'while' statement",
        Tok::With => "'with' statement",
        Tok::Try => "'try' statement",
        Tok::Except if second == Some(Tok::Star) => "'except*' statement",
        Tok::Except => "'except' statement",
        Tok::Finally => "'finally' statement",
        Tok::Match => "'match' statement",
        Tok::Case => "'case' statement",
        Tok::Def => "function definition",
        Tok::Class => "class definition",
        _ => return None,
    })
}

/// The first token of the header whose block ends right before token `at`.
fn closed_header(tokens: &[Token], at: usize) -> Option<usize> {
    match tokens[at - 1].kind {
        Tok::Newline => Some(line_start(tokens, at - 1)),
        Tok::Dedent => {
            let mut depth = 0;
            for index in (0..at).rev() {
                match tokens[index].kind {
                    Tok::Dedent => depth += 1,
                    Tok::Indent => {
                        depth -= 1;
                        if depth == 0 {
                            return Some(line_start(tokens, index - 1));
                        }
                    }
                    _ => {}
                }
            }
            None
        }
        _ => None,
    }
}
