//! Patterns of `case`.

use serde::{Deserialize, Serialize};

use super::{Constant, Expr, Ident};
use crate::Span;

/// A pattern with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: PatternKind,
}

/// The kinds of pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PatternKind {
    /// Compared with `==`: a number (perhaps negated or complex), a string, or a dotted name.
    Value(Box<Expr>),
    /// Compared with `is`: `None`, `True` or `False`.
    Singleton(Constant),
    /// `[a, *b]`, `(a, b)` or `a, b`; at most one [`PatternKind::Star`] among them.
    Sequence(Vec<Pattern>),
    /// `*name` or `*_` (then `None`), only inside a sequence.
    Star(Option<Ident>),
    /// `{key: pattern, **rest}`
    Mapping {
        /// The items.
        items: Vec<MappingItem>,
        /// The name after `**`.
        rest: Option<Ident>,
    },
    /// `Class(patterns, name=pattern)`
    Class(Box<ClassPattern>),
    /// `_`
    Wildcard,
    /// A name that is bound.
    Capture(Ident),
    /// `pattern as name`
    As {
        /// The pattern.
        pattern: Box<Pattern>,
        /// The name bound to what it matched.
        name: Ident,
    },
    /// `a | b | c`; at least two.
    Or(Vec<Pattern>),
}

/// `key: pattern`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingItem {
    /// A literal or a dotted name.
    pub key: Expr,
    /// The pattern for its value.
    pub pattern: Pattern,
}

/// The parts of a class pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassPattern {
    /// A name or dotted name.
    pub cls: Expr,
    /// Positional patterns.
    pub patterns: Vec<Pattern>,
    /// Keyword patterns.
    pub keywords: Vec<KeywordPattern>,
}

/// `name=pattern`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeywordPattern {
    /// The attribute.
    pub attr: Ident,
    /// The pattern for it.
    pub pattern: Pattern,
}
