//! Text: how strings are stored, and what `str` and `bytes` do that needs no VM.

pub mod case;
pub mod codec;
pub mod find;
pub mod format;
pub mod layout;
pub mod percent;
pub mod recent;
pub mod repr;
pub mod split;
pub mod strformat;
mod ucd;
mod ucd_case;
pub mod wtf8;

/// The string a method is to build would be too long, or there is no memory for it.
pub use crate::table::AllocError;

#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
