//! The `ms` command as a process: how it is called, how it ends, what signals, pipes and a
//! terminal do to it.

mod cache;
mod exits;
mod files;
mod inspect;
#[cfg(unix)]
mod prompt;
#[cfg(unix)]
mod signals;
mod streams;
mod support;
