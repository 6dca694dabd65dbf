//! JSON between texts and script values, with the rules and messages of Python's `json`.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

/// Nesting that is accepted; CPython's default recursion limit is about the same.
const MAX_DEPTH: usize = 1000;
