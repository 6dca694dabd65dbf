//! Registry, reactor, scheduler and module loader: the Rust embedding API of MiniScript.
//!
//! ```text
//! engine      one interpreter with its host: programs, values, results
//! config      what an engine is made with: arguments, limits, rights, streams
//! host        what the VM asks for, answered here
//! report      uncaught errors, as the standard error stream shows them
//! streams     standard output and error
//! reactor, files, registry      sockets and timers, the file service, extensions
//! ```

mod config;
mod engine;
pub mod files;
mod host;
pub mod reactor;
pub mod registry;
mod report;
mod streams;

pub use config::{Config, Limits};
pub use engine::{Engine, Failure, Program};
pub use host::EngineHost;
pub use streams::{Buffering, OutputStream};

pub use miniscript_vm as vm;
