//! The C API of MiniScript; `include/miniscript.h` is its other half and its documentation.
//!
//! ```text
//! slot        what the embedder holds of a VM, which outlives it
//! vm          one VM, and the barrier that every entry passes
//! config      what a VM is granted
//! value       values made and read; handles; scopes
//! run         programs, globals, calls, interrupts
//! extension   functions of the embedder as modules
//! link        extensions of the extension ABI that are part of the program
//! http        the reference document's names for the http extension
//! error       errors as objects
//! text        C strings
//! ```
//!
//! Values of scripts cross as handles: roots of the VM with the VM's number, so that a stale or
//! foreign one is an error. Every entry looks at the calling thread first. While a function of
//! the embedder runs, the VM is reached through the reference that the function was called with;
//! between runs, through the engine.
#![allow(unsafe_code)]

mod config;
mod error;
mod extension;
mod http;
mod link;
mod run;
mod slot;
mod text;
mod value;
mod vm;

pub use config::MsConfig;
pub use error::{MsError, code};
pub use extension::{MsExtFn, MsExtension, MsExtensionTable, MsFunctionRow};
pub use slot::MsVm;
