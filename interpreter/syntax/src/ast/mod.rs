//! The syntax tree: plain data, a [`Span`] on every node, shapes and names as in Python's `ast`
//! module except where this says otherwise.
//!
//! - No tree nests by the length of the source: operators of one precedence level, boolean and
//!   comparison chains, `elif` branches and adjacent string literals are flat vectors. Whatever
//!   else nests is limited ([`MAX_EXPR_DEPTH`], [`MAX_BLOCK_DEPTH`]) before the tree is built, so
//!   recursion over a tree, its drop included, needs a bounded stack.
//! - There is no `ctx`: the position says whether an expression is loaded, stored or deleted.
//! - The parser and [`ast_from_json`](crate::ast_from_json) give well-formed trees only: targets
//!   are assignable, bodies are not empty, parameters are in order.

mod expr;
mod literal;
mod pattern;
mod stmt;

pub use expr::*;
pub use literal::*;
pub use pattern::*;
pub use stmt::*;

use serde::{Deserialize, Serialize};

use crate::Span;

/// Expressions and patterns nest at most this deep, counted in nodes along one path.
pub const MAX_EXPR_DEPTH: usize = 1000;

/// Blocks nest at most this deep.
pub const MAX_BLOCK_DEPTH: usize = 101;

/// What a text is parsed as; the third argument of Python's `compile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// A file: any number of statements (`exec`).
    Module,
    /// One expression (`eval`).
    Expression,
    /// One statement as typed at a prompt (`single`).
    Interactive,
}

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// What it was parsed as.
    pub mode: Mode,
    /// The whole text.
    pub span: Span,
    /// The statements. In [`Mode::Expression`] exactly one [`StmtKind::Expr`].
    pub body: Vec<Stmt>,
}

/// A name with its place. The text is in NFKC, as Python compares identifiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ident {
    /// The name.
    pub name: Box<str>,
    /// Where it stands.
    pub span: Span,
}
