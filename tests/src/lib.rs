//! The test suites of MiniScript: what the test binaries in `suites/` and the benchmark
//! runner share.
//!
//! - `expectation` reads what a script says about itself (`# expect: ...`);
//! - `process` runs a command with input, a time limit and bounded output;
//! - `session` talks to a command while it runs: signals, a terminal;
//! - `command` finds (and builds) the `ms` under test;
//! - `script` makes tests of script files and of their goldens;
//! - `conformance` runs the suites of MicroPython and CPython;
//! - `fuzz` makes programs by chance and compares what they print with CPython;
//! - `targets` are the functions that are fuzzed with bytes;
//! - `dist` lays the product out as it is installed;
//! - `known` is the list of failures we know of, which may only shrink.
//!
//! The format of a script's expectations is described in `tests/README.md`.

mod command;
pub mod conformance;
pub mod dist;
mod expectation;
pub mod fuzz;
mod known;
mod process;
mod script;
#[cfg(unix)]
mod session;
pub mod targets;

pub use command::{Subject, build_packages, workspace_root};
pub use expectation::{BadDirective, Expectations};
pub use known::KnownFailures;
pub use process::{Ending, Invocation, Outcome};
pub use script::{Mode, ScriptTest, discover};
#[cfg(unix)]
pub use session::{Ended, Session};
