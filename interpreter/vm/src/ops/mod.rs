//! What operators, displays and the other constructs of the language do with values.
//!
//! Each file is a family. Functions give a value, an error, or ask for a call (see `native`).

pub mod access;
pub mod arith;
pub mod compare;
pub mod concat;
pub mod convert;
pub mod hash;
pub mod item;
pub mod iter;
pub mod number;
pub mod raise;
pub mod text;
pub mod truth;
