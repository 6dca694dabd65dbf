//! The interpreter: dispatch loop, frames, calls, exceptions.
//!
//! - `state`: stacks and frame records
//! - `dispatch`: the handler table and how handlers go on to each other
//! - `hot`: the instructions with a fast path, on raw words
//! - `slow`: everything else an instruction may have to do, in safe code on values
//! - `call`: calling anything that can be called; `bind`: arguments to parameters
//! - `natives`: calling natives, and what is said when their arguments do not fit
//! - `again`: natives that ask to be run once more
//! - `frames`: native frames, results, unwinding
//! - `generator`: resuming and yielding
//! - `run`: tasks, as the engine sees them
//! - `typed`: machine functions of extensions
//! - `nested`: natives that call back on a stack of their own

#[macro_use]
pub(crate) mod dispatch;

mod again;
mod bind;
pub mod call;
pub mod frames;
pub mod generator;
mod hot;
pub mod inspect;
pub mod natives;
pub mod nested;
pub mod run;
mod slow;
pub mod state;
pub(crate) mod then;
pub mod typed;
