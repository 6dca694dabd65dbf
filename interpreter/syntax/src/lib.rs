//! Lexer, parser, syntax tree and syntax errors of MiniScript.
//!
//! Text flows one way: bytes are decoded, a logos lexer with an indentation layer makes tokens, a
//! token layer settles soft keywords and counts nesting, one lalrpop grammar builds the tree.
//! The errors that a person sees are worded at this crate's border.

pub mod ast;
mod error;
mod span;

pub use error::{ErrorKind, SyntaxError};
pub use span::{LineColumn, LineIndex, Source, Span};
