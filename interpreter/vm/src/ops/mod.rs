//! What operators, displays and the other constructs of the language do with values.
//!
//! Each file is a family. Functions give a value, an error, or ask for a call (see `native`).

pub mod access;
pub mod arith;
pub mod awaiting;
pub mod compare;
pub mod concat;
pub mod convert;
pub mod equal;
pub mod hash;
pub mod item;
pub mod iter;
pub mod number;
pub mod raise;
pub mod table;
pub mod text;
pub mod truth;
