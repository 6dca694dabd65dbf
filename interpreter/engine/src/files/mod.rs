//! The file service: the one way by which scripts reach files, with one permission point.
//!
//! ```text
//! service     where an operation runs (here or on the pool) and what a task waits for
//! open_file   Python's file object: a stream machine driven over an open file
//! text_stream, byte_stream, step      the machines, which ask for I/O and never do it
//! coding      the VM's text encodings
//! ops         whole operations, blocking; unix / portable carry them out
//! posix       operations of POSIX systems alone
//! ```
//!
//! It serves the builtin `open`, the file extension and the module loader alike, and knows no VM
//! objects: text is bytes in UTF-8 extended by lone surrogates, errors are data.

mod byte_stream;
mod coding;
mod error;
mod local;
mod meta;
mod mode;
mod open_file;
pub mod ops;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
pub mod posix;
mod service;
mod step;
mod text_stream;
#[cfg(unix)]
mod unix;

pub use byte_stream::{Abilities, DEFAULT_BUFFER};
pub use error::{FileError, FileResult, OsError};
pub use meta::{DirEntry, FileKind, Metadata, Time};
pub use mode::{OpenArgs, OpenMode};
pub use open_file::OpenFile;
pub use ops::{How, WriteOptions};
pub use service::{FileOp, FileService, Opening};
pub use text_stream::Newline;

#[cfg(all(test, unix))]
mod tests;
