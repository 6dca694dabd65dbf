//! The token layer between lexer and grammar: what LR(1) cannot decide is decided here, and the
//! depth of the tree is bounded before it is built.

mod nesting;
mod soft;

pub use nesting::check_nesting;
pub use soft::resolve_soft_keywords;
