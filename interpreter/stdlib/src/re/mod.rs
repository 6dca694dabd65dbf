//! `re`: regular expressions with CPython's syntax, meaning and messages.
//!
//! A pattern goes from text to a tree ([`parse`]), to instructions ([`compile`]), to a matcher
//! that keeps its own stack ([`matcher`]); these know no VM. The objects of scripts are made
//! around them ([`pattern`], [`matched`]).

mod ast;
mod cache;
mod charset;
mod compile;
mod fold;
mod matched;
mod matcher;
mod parse;
mod pattern;
mod program;
mod refuse;
mod replace;
mod subject;
mod template;

use crate::class::ClassDef;

pub(crate) use cache::FUNCTIONS;
pub(crate) use pattern::SCANNER;

/// The classes of the module.
pub(crate) static CLASSES: &[&ClassDef] = &[&pattern::PATTERN, &matched::MATCH, &refuse::ERROR];
