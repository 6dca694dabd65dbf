//! More than the first error, for `ms check`.
//!
//! After an error the logical line that holds it is replaced by one that fits in its place (a
//! header by a header, a clause by the same clause, anything else by `pass`), and the text is
//! parsed again. That finds independent errors and seldom invents any.

use crate::ast::{Mode, Module};
use crate::diagnose::line_start;
use crate::lexer::{Tok, Token, lex};
use crate::parse::{Refused, attempt, check_text, prepare};
use crate::{Span, SyntaxError, Watch};

/// So many errors of one text are enough.
pub const MAX_ERRORS: usize = 100;

/// So many tokens are parsed for one text, all attempts together.
const MAX_WORK: usize = 20_000_000;

/// Parses `text` and reports every error that can be told apart. The tree is there only if there
/// are none.
pub fn parse_all_errors(text: &str, mode: Mode) -> (Option<Module>, Vec<SyntaxError>) {
    if let Err(error) = check_text(text) {
        return (None, vec![error]);
    }
    let watch = Watch::never();
    let mut lexed = match lex(text, mode, &watch) {
        Ok(lexed) => lexed,
        Err(error) => return (None, vec![error]),
    };
    if let Err(error) = prepare(text, &mut lexed) {
        lexed.errors.push(error);
        return (None, lexed.errors);
    }
    let mut errors = std::mem::take(&mut lexed.errors);
    let mut tokens = lexed.tokens;
    for error in &errors {
        let at = token_at(&tokens, error.span);
        replace_line(&mut tokens, at);
    }
    let mut work = 0;
    while errors.len() < MAX_ERRORS && work < MAX_WORK {
        work += tokens.len();
        let Refused { error, at } = match attempt(text, &tokens, lexed.unclosed, &watch) {
            Ok(module) if errors.is_empty() => return (Some(module), errors),
            Ok(_) => break,
            Err(refused) => refused,
        };
        let repeated = errors.iter().any(|known| known.span == error.span);
        let is_last = error.code == "never-closed" || repeated;
        let place = at.unwrap_or_else(|| token_at(&tokens, error.span));
        let code = error.code;
        if !repeated {
            errors.push(error);
        }
        if is_last {
            break;
        }
        mend(&mut tokens, place, code);
    }
    errors.sort_by_key(|error| error.span.start);
    (None, errors)
}

/// The token at the start of `span`, or the last before it.
fn token_at(tokens: &[Token], span: Span) -> usize {
    tokens.partition_point(|token| token.start <= span.start).max(1) - 1
}

fn mend(tokens: &mut Vec<Token>, at: usize, code: &str) {
    let place = tokens[at].start;
    let token = |kind| Token { kind, start: place, end: place };
    match code {
        "unexpected-indent" if tokens[at].kind == Tok::Indent => remove_indent(tokens, at),
        "expected-indent" => {
            let body = [Tok::Indent, Tok::Pass, Tok::Newline, Tok::Dedent].map(token);
            tokens.splice(at..at, body);
        }
        "expected-except" => {
            let clause = [Tok::Finally, Tok::Colon, Tok::Pass, Tok::Newline].map(token);
            tokens.splice(at..at, clause);
        }
        _ => replace_line(tokens, at),
    }
}

/// Takes out an `Indent` and the `Dedent` that belongs to it.
fn remove_indent(tokens: &mut Vec<Token>, at: usize) {
    let mut depth = 0;
    let end = tokens[at..].iter().position(|token| {
        match token.kind {
            Tok::Indent => depth += 1,
            Tok::Dedent => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    if let Some(end) = end {
        tokens.remove(at + end);
    }
    tokens.remove(at);
}

fn replace_line(tokens: &mut Vec<Token>, at: usize) {
    // A token that stands between lines belongs to the line before it.
    let between = |kind| matches!(kind, Tok::Indent | Tok::Dedent | Tok::End);
    let at = (1..=at).rev().find(|&i| !between(tokens[i].kind)).unwrap_or(0);
    let start = line_start(tokens, at);
    let Some(len) = tokens[start..].iter().position(|token| token.kind == Tok::Newline) else {
        return;
    };
    if start == 0 {
        return;
    }
    let end = start + len;
    let is_header = tokens.get(end + 1).is_some_and(|token| token.kind == Tok::Indent);
    let first = tokens[start];
    let kinds: &[Tok] = match first.kind {
        Tok::Elif => &[Tok::Elif, Tok::None, Tok::Colon],
        Tok::Else => &[Tok::Else, Tok::Colon],
        Tok::Except if tokens[start + 1].kind == Tok::Star => {
            &[Tok::Except, Tok::Star, Tok::None, Tok::Colon]
        }
        Tok::Except => &[Tok::Except, Tok::None, Tok::Colon],
        Tok::Finally => &[Tok::Finally, Tok::Colon],
        Tok::Try => &[Tok::Try, Tok::Colon],
        Tok::Case => &[Tok::Case, Tok::None, Tok::Colon],
        Tok::Match => &[Tok::Match, Tok::None, Tok::Colon],
        _ if is_header => &[Tok::While, Tok::None, Tok::Colon],
        _ => &[Tok::Pass],
    };
    let body: &[Tok] = if is_header || kinds == [Tok::Pass] { &[] } else { &[Tok::Pass] };
    let token = |&kind: &Tok| Token { kind, start: first.start, end: first.start };
    let line: Vec<Token> = kinds.iter().chain(body).map(token).collect();
    tokens.splice(start..end, line);
}
