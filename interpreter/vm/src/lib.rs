//! Compiler, heap, objects and dispatch loop of MiniScript.
//!
//! The VM never blocks, does no I/O and knows no operating system: what it wants from outside it
//! asks of its host, and what takes time it returns as a suspension.

pub mod code;
pub mod compile;
pub mod fault;
pub mod hash;
pub mod num;
pub mod table;
pub mod text;
