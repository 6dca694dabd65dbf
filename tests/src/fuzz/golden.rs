//! What CPython prints for the first programs, as hashes: the comparison that needs no Python.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use super::{Pair, Program};

/// How many programs there are.
pub const COUNT: u64 = 500;
/// How many of them run in one process.
pub const BATCH: u64 = 50;
/// Where the hashes are, from the folder of this package.
pub const FILE: &str = "fuzz/golden.txt";
/// Instead of the hash of a program that CPython itself runs in more than one way.
const UNSTABLE: &str = "unstable";
/// Behind the hash of a program that is known to differ. Their number may only shrink.
const KNOWN: &str = " differs";

/// What the file begins with.
const HEAD: &str = "\
# What CPython 3.12 prints for the programs of the fuzzer: a hash of the programs,
# then one of the output of each. To make it anew:
# cargo run --release -p miniscript-tests --bin fuzz -- --python python3.12 --bless
# Programs that `ms` still runs otherwise are marked; their number may only shrink.
";

/// The hashes.
#[derive(Debug)]
pub struct Golden {
    /// The hash of all programs: others have other outputs.
    programs: String,
    outputs: Vec<String>,
}

/// The programs.
pub fn programs() -> Vec<Program> {
    (0..COUNT).map(Program::new).collect()
}

impl Golden {
    /// Asks CPython. Programs for which the present `ms` prints something else are marked.
    pub fn make(pair: &Pair, folder: &Path) -> io::Result<Self> {
        let programs = programs();
        let mut outputs = Vec::new();
        for batch in programs.chunks(BATCH as usize) {
            let (one, other) =
                (pair.oracle.outputs(batch, folder)?, pair.again.outputs(batch, folder)?);
            let got = pair.subject.outputs(batch, folder)?;
            for ((one, other), got) in one.iter().zip(&other).zip(&got) {
                outputs.push(match (one == other, one == got) {
                    (false, _) => UNSTABLE.to_owned(),
                    (true, true) => hash(one),
                    (true, false) => format!("{}{KNOWN}", hash(one)),
                });
            }
        }
        Ok(Self { programs: hash_of(&programs), outputs })
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let programs = lines.next().unwrap_or_default().to_owned();
        let outputs: Vec<String> = lines.map(str::to_owned).collect();
        if outputs.len() as u64 != COUNT {
            return Err(format!("{}: {} hashes, not {COUNT}", path.display(), outputs.len()));
        }
        Ok(Self { programs, outputs })
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = HEAD.to_owned();
        for line in std::iter::once(&self.programs).chain(&self.outputs) {
            let _ = writeln!(text, "{line}");
        }
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        fs::write(path, text)
    }

    /// Are these hashes of the outputs of these programs?
    pub fn is_of(&self, programs: &[Program]) -> bool {
        self.programs == hash_of(programs)
    }

    /// How many programs are known to differ.
    pub fn known(&self) -> usize {
        self.outputs.iter().filter(|line| line.ends_with(KNOWN)).count()
    }

    /// Does CPython print this for that program? One that is known to differ has to.
    pub fn judge(&self, program: &Program, output: &str) -> Result<(), &'static str> {
        let expected = &self.outputs[program.number as usize];
        if expected == UNSTABLE {
            return Ok(());
        }
        let same = expected.trim_end_matches(KNOWN) == hash(output);
        match (expected.ends_with(KNOWN), same) {
            (true, false) | (false, true) => Ok(()),
            (true, true) => Err("agrees with CPython now: run --bless"),
            (false, false) => Err("prints something else than CPython"),
        }
    }
}

fn hash_of(programs: &[Program]) -> String {
    hash(&programs.iter().map(Program::text).collect::<String>())
}

/// FNV-1a: the same on every machine.
fn hash(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(hash("foobar"), "85944171f73967e8");
    }
}
