//! The border of the crate: text in, tree or error out.

use lalrpop_util::ParseError;

use crate::ast::{Mode, Module};
use crate::build::Builder;
use crate::lexer::{Lexed, Tok, Token, lex};
use crate::{Span, SyntaxError, grammar, tokens};

/// Parses `text`.
pub fn parse(text: &str, mode: Mode) -> Result<Module, SyntaxError> {
    check_text(text)?;
    let mut lexed = lex(text, mode);
    let first = match lexed.errors.is_empty() {
        true => parse_tokens(text, &mut lexed),
        false => Err(lexed.errors.swap_remove(0)),
    };
    first
}

fn check_text(text: &str) -> Result<(), SyntaxError> {
    if text.len() >= u32::MAX as usize {
        return Err(SyntaxError::new("too-long", "source code is too long", Span::default()));
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        let message = "source code string cannot contain null bytes";
        return Err(SyntaxError::new("null-byte", message, Span::default()));
    }
    Ok(())
}

fn parse_tokens(text: &str, lexed: &mut Lexed) -> Result<Module, SyntaxError> {
    tokens::check_nesting(&lexed.tokens)?;
    tokens::resolve_soft_keywords(text, &mut lexed.tokens);
    run(text, &lexed.tokens).map_err(|error| match error {
        ParseError::User { error } => *error,
        ParseError::UnrecognizedToken { token: (l, _, r), .. } => {
            SyntaxError::new("invalid-syntax", "invalid syntax", Span::new(l, r))
        }
        _ => SyntaxError::new("invalid-syntax", "invalid syntax", Span::default()),
    })
}

fn run(text: &str, tokens: &[Token]) -> Result<Module, ParseError<u32, Tok, Box<SyntaxError>>> {
    let stream = tokens.iter().map(|token| (token.start, token.kind, token.end));
    grammar::TopParser::new().parse(&Builder::new(text), stream)
}
