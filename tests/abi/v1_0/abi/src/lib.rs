//! Every type that crosses the boundary between MiniScript and its extensions.
//!
//! The contract is a plain C ABI: `repr(C)` records, opaque handles, `(ptr, len)` strings and
//! functions that return a status. `include/ms_ext.h` says the same in C, and a golden file holds
//! the offset, size and alignment of each field in both languages.
//!
//! Rules that keep a binary loading for ever within one ABI major:
//! - nothing is removed or reordered, fields are only appended;
//! - a record that may grow starts with its `size`, or lies in a table that carries a stride;
//! - **zero means absent**: a field that an older party does not have reads as zero ([`widen`]);
//! - numbers (tags, flags, kinds, request codes) are never reused.
//!
//! This crate holds types and the meaning of the tables (argument binding), no behaviour of a
//! host and no convenience for an author: those are the engine and the SDK.
#![allow(unsafe_code)]

mod bind;
mod ext;
mod future;
mod host;
mod note;
mod record;
mod root;
mod value;

pub use bind::{BindError, BindValues, bind};
pub use ext::*;
pub use future::*;
pub use host::*;
pub use note::*;
pub use record::{FieldLayout, Record, RecordLayout, layouts, widen};
pub use root::*;
pub use value::*;

/// Version of the contract that must be equal on both sides.
pub const MS_ABI_MAJOR: u32 = 1;
/// Counts the appends since the major; each side may be ahead of the other.
pub const MS_ABI_MINOR: u32 = 0;
