//! The border of the crate: text in, tree or error out.

use std::cell::Cell;

use lalrpop_util::ParseError;

use crate::ast::{Mode, Module, StmtKind};
use crate::build::Builder;
use crate::diagnose::{Failure, diagnose};
use crate::lexer::{Bracket, Lexed, Tok, Token, lex};
use crate::{Span, SyntaxError, Watch, grammar, tokens};

/// Parses `text`.
///
/// In [`Mode::Interactive`] each typed line ends with `\n`, and an error whose
/// [`is_incomplete_input`](SyntaxError::is_incomplete_input) holds asks for another line. As at
/// CPython's prompt, a compound statement is complete once a blank line follows it.
pub fn parse(text: &str, mode: Mode) -> Result<Module, SyntaxError> {
    parse_watched(text, mode, &Watch::never())
}

/// As [`parse`], and asks `watch` on the way.
///
/// # Errors
/// Also that of the watch.
pub fn parse_watched(text: &str, mode: Mode, watch: &Watch<'_>) -> Result<Module, SyntaxError> {
    check_text(text)?;
    let mut lexed = lex(text, mode, watch)?;
    if !lexed.errors.is_empty() {
        let wants_more = mode == Mode::Interactive && lexed.wants_more;
        return Err(if wants_more { incomplete(text) } else { first_error(text, lexed, watch) });
    }
    prepare(text, &mut lexed)?;
    match attempt(text, &lexed.tokens, lexed.unclosed, watch) {
        Ok(module) if mode == Mode::Interactive && wants_blank_line(text, &module) => {
            Err(incomplete(text))
        }
        Ok(module) => Ok(module),
        Err(refused) if mode == Mode::Interactive && at_end(&lexed, &refused, text) => {
            Err(incomplete(text))
        }
        Err(refused) => Err(refused.error),
    }
}

/// The lexer's first error, or the parser's if that comes before it and weighs more.
///
/// CPython's parser pulls tokens one by one. When it fails it reads the rest of the text only for
/// errors of literals, characters and brackets, which then are the ones it reports.
fn first_error(text: &str, mut lexed: Lexed, watch: &Watch<'_>) -> SyntaxError {
    let error = lexed.errors.swap_remove(0);
    let end = lexed.tokens.get(lexed.before_error).map_or(text.len() as u32, |token| token.start);
    lexed.tokens.truncate(lexed.before_error);
    lexed.tokens.push(Token { kind: Tok::End, start: end, end });
    if prepare(text, &mut lexed).is_err() {
        return error;
    }
    let last = lexed.tokens.len() - 1;
    match attempt(text, &lexed.tokens, None, watch) {
        Err(Refused { error: earlier, at: Some(at) }) if at < last => {
            let is_soft = matches!(
                error.code,
                "unindent-mismatch"
                    | "inconsistent-tabs"
                    | "too-many-levels"
                    | "unexpected-eof"
                    | "too-many-fstrings"
            );
            let is_of_field = error.code == "f-string-open" && earlier.code == "f-string";
            let wins = is_soft || is_of_field || earlier.code == "unexpected-indent";
            if wins { earlier } else { error }
        }
        _ => error,
    }
}

/// What no text may be, whatever it says.
pub(crate) fn check_text(text: &str) -> Result<(), SyntaxError> {
    if text.len() >= u32::MAX as usize {
        return Err(SyntaxError::new("too-long", "source code is too long", Span::default()));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        let message = "source code string cannot contain null bytes";
        return Err(SyntaxError::new("null-byte", message, Span::default()));
    }
    Ok(())
}

/// The token layer.
pub(crate) fn prepare(text: &str, lexed: &mut Lexed) -> Result<(), SyntaxError> {
    tokens::check_nesting(&lexed.tokens)?;
    tokens::resolve_soft_keywords(text, &mut lexed.tokens);
    Ok(())
}

/// A parser's refusal.
pub(crate) struct Refused {
    pub error: SyntaxError,
    /// Index of the token that did not fit; none if an action refused what did.
    pub at: Option<usize>,
}

/// Runs the grammar over prepared tokens.
pub(crate) fn attempt(
    text: &str,
    tokens: &[Token],
    unclosed: Option<Bracket>,
    watch: &Watch<'_>,
) -> Result<Module, Refused> {
    // How many tokens the parser has taken: the last of them is the one that it refuses.
    let taken = Cell::new(0);
    let stream = tokens.iter().map(|token| {
        taken.set(taken.get() + 1);
        watch.step().map(|()| (token.start, token.kind, token.end)).map_err(Box::new)
    });
    grammar::TopParser::new().parse(&Builder::new(text), stream).map_err(|error| match error {
        ParseError::User { error } => Refused { error: *error, at: None },
        _ => {
            let at = taken.get().clamp(1, tokens.len()) - 1;
            let error = diagnose(&Failure { text, tokens, at, unclosed });
            Refused { error, at: Some(at) }
        }
    })
}

fn incomplete(text: &str) -> SyntaxError {
    let end = text.len() as u32;
    SyntaxError::new("incomplete-input", "incomplete input", Span::new(end, end))
}

/// The parser wanted to read on where the text ends. A blank line ends whatever can end.
fn at_end(lexed: &Lexed, refused: &Refused, text: &str) -> bool {
    if lexed.unclosed.is_none() && ends_with_blank_line(text) {
        return false;
    }
    refused.at.is_some_and(|at| {
        let token = lexed.tokens[at];
        matches!(token.kind, Tok::End | Tok::Dedent) && token.start as usize == text.len()
    })
}

fn wants_blank_line(text: &str, module: &Module) -> bool {
    let is_compound = module.body.last().is_some_and(|stmt| {
        matches!(
            stmt.kind,
            StmtKind::FunctionDef(_)
                | StmtKind::ClassDef(_)
                | StmtKind::For(_)
                | StmtKind::While(_)
                | StmtKind::If(_)
                | StmtKind::With(_)
                | StmtKind::Match(_)
                | StmtKind::Try(_)
        )
    });
    is_compound && !ends_with_blank_line(text)
}

fn ends_with_blank_line(text: &str) -> bool {
    let last_line = text.strip_suffix('\n').and_then(|text| text.rsplit('\n').next());
    last_line.is_some_and(|line| line.trim().is_empty())
}
