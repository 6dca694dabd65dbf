//! Write MiniScript extensions in Rust.
//!
//! ```
//! use miniscript_sdk as ms;
//!
//! /// Adds two numbers.
//! #[ms::function]
//! fn add(a: i64, #[ms(default = 1)] b: i64) -> ms::Result<i64> {
//!     a.checked_add(b).ok_or_else(|| ms::Error::new("OverflowError", "sum is too large"))
//! }
//!
//! ms::module! {
//!     name: "example",
//!     doc: "An example.",
//!     functions: [add],
//!     constants: { ANSWER: 42 },
//! }
//! # fn main() {}
//! ```
//!
//! Plain functions, `async` functions and structs become functions and classes of a module, with
//! argument conversion, keyword names, defaults, documentation and errors. As in Python, what has
//! a default stands behind what has none:
//!
//! ```compile_fail
//! #[miniscript_sdk::function]
//! fn scaled(#[ms(default = 1)] factor: i64, value: i64) -> i64 {
//!     factor * value
//! }
//! ```
//!
//! A panic becomes an exception. Nothing here is part of the ABI: the wrappers speak the C contract of
//! `miniscript-abi`, so a binary keeps loading on later hosts.
//!
//! An extension never blocks: it awaits ([`net`], [`fs`], [`time`]) or hands work to a thread
//! ([`task::blocking`]).
#![allow(unsafe_code)]

#[cfg(panic = "abort")]
compile_error!(
    "MiniScript extensions need panic = \"unwind\": a panic must become an exception, \
     and under panic = \"abort\" it would end the host. Remove `panic = \"abort\"` from the profile."
);

extern crate self as miniscript_sdk;

mod class;
mod convert;
mod cx;
mod entry;
mod error;
mod future;
mod host;
mod life;
mod op;
mod typed;
mod value;

pub mod fs;
pub mod net;
pub mod task;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;

pub use class::{Held, Instance, NativeClass, New, Tracer};
pub use convert::{Bytes, FromMs, IntoMs};
pub use cx::{Binary, Compare, Cx};
pub use error::{Error, Result};
pub use future::with_current as with_cx;
pub use miniscript_abi as abi;
pub use miniscript_macros::{class, function, methods, module};
pub use value::{Kept, Value};

/// What extensions usually need.
pub mod prelude {
    pub use crate::{Cx, Error, FromMs, Instance, IntoMs, Kept, Result, Value};
}

/// For the code that the macros write.
#[doc(hidden)]
pub mod __private {
    pub use crate::class::{NativeMethods, Outcome, class_record, exception_record, new_object};
    pub use crate::convert::IntoReturn;
    pub use crate::entry::{
        Args, EntryResult, NoState, StateInit, enter, export, init_vm, not_implemented, shutdown_vm,
    };
    pub use crate::future::suspend;
    pub use crate::typed::*;
    pub use miniscript_abi::*;
    pub use std::ffi::c_void;

    /// What `#[function]` writes for each function.
    pub trait Function {
        /// The record of the module's table.
        const RECORD: MsFunction;
    }
}

/// The guide's code, compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/extensions.md")]
struct ExtensionGuide;
