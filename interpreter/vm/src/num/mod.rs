//! The arithmetic, parsing and printing of `int`, `float` and `complex`.

pub mod complex;
pub mod decimal;
pub mod float;
pub mod int;
mod int_big;
pub mod int_text;
mod literal;

pub use int::Int;
pub use literal::Shown;

#[cfg(test)]
mod tests;
