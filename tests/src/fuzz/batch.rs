//! Many programs as one script: a process for each would take most of the time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use super::Program;
use crate::process::{Ending, Invocation};

const PRELUDE: &str = include_str!("prelude.ms");
/// What stands before the output of each program.
const MARK: &str = "#### ";
/// What stands behind the output of the last one.
const END: &str = "#### end";

/// The script that runs programs.
pub fn script<'a>(programs: impl IntoIterator<Item = &'a Program>) -> String {
    let mut text = PRELUDE.to_owned();
    for (place, program) in programs.into_iter().enumerate() {
        let _ = writeln!(text, "\n\nrun({place}, {})", literal(&program.text()));
    }
    // What finalisers print at the end of the process belongs to no program.
    let _ = writeln!(text, "\nprint(\"{END}\")");
    text
}

/// The text as a literal of several lines.
fn literal(text: &str) -> String {
    format!("\"\"\"{}\"\"\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// How the process of a batch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// As it should.
    Well,
    /// Otherwise; the last line that it wrote to standard error.
    Badly(String),
}

/// A command that runs scripts.
#[derive(Debug, Clone)]
pub struct Interpreter {
    command: PathBuf,
    env: Vec<(OsString, OsString)>,
    time_limit: Duration,
}

impl Interpreter {
    /// One with that time limit for a batch.
    pub fn new(command: &Path, time_limit: Duration) -> Self {
        Self { command: command.to_owned(), env: Vec::new(), time_limit }
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// What each of the programs prints. Where the process ends in one of them, that one and
    /// those behind it run again, each alone.
    pub fn outputs(&self, programs: &[Program], folder: &Path) -> io::Result<Vec<String>> {
        let (mut outputs, ended) = self.run(programs, folder)?;
        if let Ended::Badly(how) = ended {
            if programs.len() == 1 {
                let _ = writeln!(outputs[0], "! the process ended: {how}");
            } else {
                let reached = outputs.iter().rposition(|text| !text.is_empty()).unwrap_or(0);
                for (place, program) in programs.iter().enumerate().skip(reached) {
                    let alone = self.outputs(std::slice::from_ref(program), folder)?;
                    outputs[place] = alone.into_iter().next().unwrap_or_default();
                }
            }
        }
        Ok(outputs)
    }

    fn run(&self, programs: &[Program], folder: &Path) -> io::Result<(Vec<String>, Ended)> {
        let file = tempfile::Builder::new().suffix(".ms").tempfile_in(folder)?;
        fs::write(file.path(), script(programs))?;
        let mut invocation = Invocation::new(&self.command, folder)
            .arg(file.path())
            .env("PYTHONIOENCODING", "utf-8")
            .env("PYTHONWARNINGS", "ignore")
            .time_limit(self.time_limit);
        for (name, value) in &self.env {
            invocation = invocation.env(name, value);
        }
        let outcome = invocation.run()?;
        let ended = match outcome.ending {
            Ending::Exit(0) => Ended::Well,
            other => {
                let last = outcome.stderr.lines().next_back().unwrap_or_default();
                Ended::Badly(format!("{other:?} {last}"))
            }
        };
        let mut parts = take_apart(&outcome.stdout);
        let outputs = (0..programs.len()).map(|place| parts.remove(&place).unwrap_or_default());
        Ok((outputs.collect(), ended))
    }
}

/// The outputs of the programs by their places.
fn take_apart(stdout: &str) -> BTreeMap<usize, String> {
    let mut parts = BTreeMap::<usize, String>::new();
    let mut current = None;
    for line in stdout.split_inclusive('\n') {
        if line.trim_end() == END {
            break;
        }
        if let Some(place) = line.strip_prefix(MARK).and_then(|place| place.trim().parse().ok()) {
            current = Some(place);
            parts.entry(place).or_default();
        } else if let Some(place) = current {
            parts.entry(place).or_default().push_str(line);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_told_apart() {
        let parts = take_apart("#### 0\na\nb\n#### 2\n#### x\n#### end\nlate\n");
        assert_eq!(parts[&0], "a\nb\n");
        assert_eq!(parts[&2], "#### x\n");
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn a_literal_keeps_quotes_and_backslashes() {
        assert_eq!(literal("'\\n\"\"\""), "\"\"\"'\\\\n\\\"\\\"\\\"\"\"\"");
    }
}
