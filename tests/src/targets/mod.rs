//! What is fuzzed: functions of any bytes that say what is wrong.
//!
//! Each of [`TARGETS`] is run by cargo-fuzz (`tests/fuzz_targets`), which mutates its input by
//! coverage, and by the suite `fuzz`, which mutates seeds by chance with a fixed seed. A panic, an
//! abort or an error is a finding. What scripts can see is checked by a script, `checks.ms`.

mod machine;
mod mutate;
mod source;

pub use mutate::{Mutator, seeds};

/// A function that is fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: that of the cargo-fuzz target.
    pub name: &'static str,
    /// Says what is wrong with what came of these bytes.
    pub check: fn(&[u8]) -> Result<(), String>,
    /// Inputs that the suite tries.
    pub rounds: u32,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "parser", check: source::parser, rounds: 4000 },
    Target { name: "program", check: source::program, rounds: 1500 },
    Target { name: "formats", check: machine::formats, rounds: 4000 },
    Target { name: "numbers", check: machine::numbers, rounds: 6000 },
    Target { name: "regex", check: machine::regex, rounds: 4000 },
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}

/// Runs a target for a fuzzer, to which a finding is a panic.
///
/// # Panics
/// When something is wrong, or there is no such target.
pub fn must(name: &str, data: &[u8]) {
    let found = target(name).map(|target| (target.check)(data));
    assert_eq!(found, Some(Ok(())), "{name}");
}
