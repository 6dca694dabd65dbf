//! Lexer, parser, syntax tree and syntax errors of MiniScript.
//!
//! Text flows one way: bytes are decoded, a logos lexer with an indentation layer makes tokens, a
//! token layer settles soft keywords and counts nesting, one lalrpop grammar builds the tree.
//! The errors that a person sees are worded at this crate's border.

pub mod ast;
mod build;
mod decode;
mod diagnose;
mod error;
mod json;
mod lexer;
mod names;
mod parse;
mod recover;
mod render;
mod span;
mod tokens;
mod validate;
mod warn;
mod watch;

lalrpop_util::lalrpop_mod!(
    #[allow(clippy::all, missing_docs, unused_qualifications, dead_code)]
    grammar
);

pub use decode::decode_source;
pub use error::{ErrorKind, SyntaxError};
pub use json::{AstJsonError, ast_from_json, ast_to_json};
pub use names::{character_name, character_named};
pub use parse::{parse, parse_watched};
pub use recover::parse_all_errors;
pub use render::render;
pub use span::{LineColumn, LineIndex, Source, Span};
pub use warn::escape_warnings;
pub use watch::Watch;
