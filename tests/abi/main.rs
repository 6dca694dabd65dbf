//! The ABI suite: layouts, refusals of bad libraries, old and new pairs of host and extension.

mod layout;
mod pairs;
mod refusals;
mod rust_pairs;
mod support;
