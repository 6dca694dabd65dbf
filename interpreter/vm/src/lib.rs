//! Compiler, heap, objects and dispatch loop of MiniScript.
//!
//! The VM never blocks, does no I/O and knows no operating system: what it wants from outside it
//! asks of its host, and what takes time it returns as a suspension.

#[macro_use]
pub mod code;

mod attr;
pub mod builtins;
pub mod cache;
pub mod compile;
mod errors;
pub mod fault;
mod finalize;
pub mod handles;
pub mod hash;
pub mod heap;
pub mod host;
mod intern;
pub mod interp;
pub mod names;
mod namespace;
pub mod native;
pub mod num;
pub mod object;
pub mod ops;
mod poll;
pub mod prelude;
pub mod stats;
pub mod suggest;
pub mod table;
pub mod text;
pub mod traceback;
pub mod value;
mod vm;
mod warn;

pub use attr::Attr;
pub use finalize::Finalizer;
pub use value::Value;
pub use vm::{Vm, VmConfig};

/// Number of code points in text that is UTF-8 extended by lone surrogates.
pub fn text_len(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b & 0xC0 != 0x80).count()
}
