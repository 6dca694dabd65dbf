//! Registry, reactor, scheduler and module loader: the Rust embedding API of MiniScript.

pub mod files;
pub mod reactor;
pub mod registry;
