//! Registry, reactor, scheduler and module loader: the Rust embedding API of MiniScript.
//!
//! ```text
//! engine      one interpreter with its host: runs, values, results; program: main programs;
//!             ending: how they end
//! config      what an engine is made with: arguments, limits, rights, streams
//! host        what the VM asks for, answered here
//! scheduler   green tasks and channels
//! loader      imports of source modules; modules: those bundled with us; project: `ms.toml`
//! io          Python's file objects; streams: standard output and error
//! source, errors, report      text to code; data to exceptions; uncaught errors to text
//! access      rights: the one place where they are checked
//! colour      reports on a terminal
//! reactor, files, registry    sockets and timers, the file service, extensions
//! bridge      the host side of the extension ABI
//! ```

pub mod access;
pub mod bridge;
mod cache;
mod colour;
mod config;
pub mod deadline;
mod ending;
mod engine;
mod errors;
pub mod files;
mod host;
mod io;
mod loader;
mod modules;
mod program;
mod project;
pub mod reactor;
pub mod registry;
mod report;
mod scheduler;
mod source;
mod streams;

pub use cache::freeze_bundled;
pub use colour::paint;
pub use config::{Config, Limits};
pub use engine::{Engine, Failure, Reply};
pub use errors::file_error;
pub use host::{EngineHost, Importer};
pub use modules::bundled_modules;
pub use program::Program;
pub use project::{PROJECT_FILE, project_root};
pub use scheduler::{Task, Wait, suspend, suspend_then};
pub use source::{BadSource, compile_text};
pub use streams::{Buffering, OutputStream};

pub use miniscript_vm as vm;

/// The guide's code, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct EmbeddingGuide;
