//! The grammar's actions: they make nodes, and refuse what the grammar lets through.
//!
//! `l` and `r` are the byte offsets around the whole production, as lalrpop gives them.

mod call;
pub(crate) mod escape;
mod expr;
mod number;
mod operator;
mod params;
mod pattern;
mod stmt;
mod string;
mod target;

pub use call::ArgItem;
pub use number::MAX_DECIMAL_DIGITS;
pub use operator::{BinaryOp, CompareChain, CompareOp, OpChain, precedence};
pub use params::ParamItem;
pub use stmt::HandlerItem;
pub use string::{Conversion, StringPiece};
pub use target::{Use, expr_name, invalid_target, multiple_stars};

use lalrpop_util::ParseError;

use crate::ast::*;
use crate::lexer::Tok;
use crate::{Span, SyntaxError};

/// What a fallible action gives.
pub type Built<T> = Result<T, ParseError<u32, Tok, Box<SyntaxError>>>;

/// Makes the tree of one text.
pub struct Builder<'s> {
    text: &'s str,
}

impl<'s> Builder<'s> {
    pub fn new(text: &'s str) -> Builder<'s> {
        Builder { text }
    }

    fn slice_of(&self, l: u32, r: u32) -> &'s str {
        &self.text[l as usize..r as usize]
    }

    pub fn push<T>(&self, mut v: Vec<T>, item: T) -> Vec<T> {
        v.push(item);
        v
    }

    pub fn append<T>(&self, mut v: Vec<T>, mut more: Vec<T>) -> Vec<T> {
        v.append(&mut more);
        v
    }

    /// The word that starts at `at`.
    fn word_at(&self, at: u32) -> Span {
        let rest = &self.text[at as usize..];
        let len = rest.find(|ch: char| !ch.is_alphanumeric()).unwrap_or(rest.len());
        Span::new(at, at + len as u32)
    }

    /// The place of whatever follows `at` on its line, as one caret.
    fn after(&self, at: u32) -> Span {
        let rest = &self.text[at as usize..];
        let at = at + (rest.len() - rest.trim_start_matches([' ', '\t']).len()) as u32;
        Span::new(at, at)
    }

    pub fn ident(&self, l: u32, r: u32) -> Ident {
        Ident { name: self.identifier(l, r), span: Span::new(l, r) }
    }

    /// The text of a name, in NFKC.
    fn identifier(&self, l: u32, r: u32) -> Box<str> {
        let text = self.slice_of(l, r);
        if text.is_ascii() {
            return text.into();
        }
        use unicode_normalization::UnicodeNormalization;
        text.nfkc().collect::<String>().into()
    }

    pub fn module(&self, body: Vec<Stmt>) -> Module {
        self.make_module(Mode::Module, body)
    }

    pub fn expression(&self, l: u32, e: Expr, r: u32) -> Built<Module> {
        let e = self.no_star(e)?;
        let stmt = self.stmt(l, StmtKind::Expr(Box::new(e)), r);
        Ok(self.make_module(Mode::Expression, vec![stmt]))
    }

    pub fn interactive(&self, body: Vec<Stmt>, rest: Vec<Stmt>) -> Built<Module> {
        if let Some(extra) = rest.first() {
            let message = "multiple statements found while compiling a single statement";
            return fail("multiple-statements", message, extra.span);
        }
        Ok(self.make_module(Mode::Interactive, body))
    }

    fn make_module(&self, mode: Mode, body: Vec<Stmt>) -> Module {
        Module { mode, span: Span::new(0, self.text.len() as u32), body }
    }

    pub fn expr(&self, l: u32, kind: ExprKind, r: u32) -> Expr {
        Expr { span: Span::new(l, r), kind }
    }
}

fn fail<T>(code: &'static str, message: impl Into<String>, span: Span) -> Built<T> {
    Err(ParseError::User { error: Box::new(SyntaxError::new(code, message, span)) })
}
