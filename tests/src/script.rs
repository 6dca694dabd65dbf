//! Makes tests of script files: runs one with `ms` and compares what it did with what it says.
//!
//! A script runs from a fresh scratch directory that holds a copy of it and, beside it, the
//! contents of the directory of the same name, if there is one (modules to import, files to
//! read). So tests neither see each other nor write into the source tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::TextDiff;

use crate::expectation::Expectations;
use crate::process::{Ending, Invocation, Outcome};

const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Collecting at every safepoint is slow by nature.
const STRESS_TIME_LIMIT: Duration = Duration::from_secs(60);

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As a user would.
    Plain,
    /// With a collection at every safepoint.
    GcStress,
}

/// One script as one test.
#[derive(Debug, Clone)]
pub struct ScriptTest {
    /// `lang/closures/nonlocal_rebinds_the_cell`
    pub name: String,
    /// The script.
    pub path: PathBuf,
    /// How to run it.
    pub mode: Mode,
}

/// All scripts below `root/part`, each in both modes, in the order of their names. One that says
/// `# no-gc-stress: WHY` runs in the plain mode alone.
///
/// A directory beside a script of the same name holds that script's helpers and no tests.
pub fn discover(root: &Path, part: &str) -> io::Result<Vec<ScriptTest>> {
    let mut scripts = Vec::new();
    collect(&root.join(part), part, &mut scripts)?;
    scripts.sort();
    let both = |(name, path): (String, PathBuf)| {
        let stressed = ScriptTest {
            name: format!("{name} (gc-stress)"),
            path: path.clone(),
            mode: Mode::GcStress,
        };
        let text = fs::read(&path).unwrap_or_default();
        let both =
            !String::from_utf8_lossy(&text).lines().any(|l| l.starts_with("# no-gc-stress:"));
        [ScriptTest { name, path, mode: Mode::Plain }].into_iter().chain(both.then_some(stressed))
    };
    Ok(scripts.into_iter().flat_map(both).collect())
}

impl ScriptTest {
    /// Runs the script; the error is a report for people.
    pub fn run(&self, ms: &Path) -> Result<(), String> {
        self.run_with(ms, &[])
    }

    /// As [`ScriptTest::run`], with further variables in the environment.
    pub fn run_with(&self, ms: &Path, env: &[(&str, &str)]) -> Result<(), String> {
        let source = fs::read(&self.path).map_err(|error| error.to_string())?;
        let expected = Expectations::parse(&String::from_utf8_lossy(&source))
            .map_err(|error| error.to_string())?;
        let golden = read_golden(&self.path.with_extension("stderr")).map_err(|e| e.to_string())?;
        let (outcome, stderr) =
            self.execute(ms, &expected, env).map_err(|error| format!("cannot run: {error}"))?;
        compare(&expected, golden.as_deref(), &outcome, &stderr)
    }

    /// The outcome, and its standard error without the scratch directory's name.
    fn execute(
        &self,
        ms: &Path,
        expected: &Expectations,
        env: &[(&str, &str)],
    ) -> io::Result<(Outcome, String)> {
        let scratch = tempfile::Builder::new().prefix("ms-test-").tempdir()?;
        let directory = scratch.path().canonicalize()?;
        let file_name = self.path.file_name().unwrap_or_default();
        fs::copy(&self.path, directory.join(file_name))?;
        let helpers = self.path.with_extension("");
        if helpers.is_dir() {
            copy_tree(&helpers, &directory)?;
        }
        let stressed = self.mode == Mode::GcStress;
        let usual = if stressed { STRESS_TIME_LIMIT } else { TIME_LIMIT };
        let stdin: String = expected.stdin.iter().flat_map(|line| [line, "\n"]).collect();
        let mut invocation = Invocation::new(ms, &directory)
            .args(&expected.flags)
            .arg(file_name)
            .args(&expected.args)
            .stdin(stdin)
            .time_limit(expected.time_limit.unwrap_or(usual).max(usual));
        for (key, value) in env {
            invocation = invocation.env(key, value);
        }
        for (key, value) in &expected.env {
            invocation = invocation.env(key, value);
        }
        if stressed {
            invocation = invocation.env("MS_GC_STRESS", "1");
        }
        let outcome = invocation.run()?;
        let stderr = outcome.stderr.replace(&format!("{}/", directory.display()), "");
        Ok((outcome, stderr))
    }
}

fn compare(
    expected: &Expectations,
    golden: Option<&str>,
    outcome: &Outcome,
    stderr: &str,
) -> Result<(), String> {
    let mut report = String::new();
    let wanted = expected.stdout.iter().flat_map(|line| [line, "\n"]).collect::<String>();
    let mut stdout = outcome.stdout.clone();
    if !stdout.is_empty() && !stdout.ends_with('\n') {
        stdout.push('\n');
    }
    if wanted != stdout {
        report += &diff("stdout", &wanted, &stdout);
    }
    let mut exit = expected.exit_status();
    match (golden, &expected.error) {
        (Some(golden), _) => {
            if expected.exit.is_none() {
                exit = golden_exit(golden);
            }
            if golden != stderr {
                report += &diff("stderr", golden, stderr);
            }
        }
        (None, Some(error)) => {
            let last = stderr.lines().next_back().unwrap_or("");
            if last != error {
                report += &format!("expected error: {error}\n     got stderr:\n{stderr}\n");
            }
        }
        (None, None) if !stderr.is_empty() => report += &format!("unexpected stderr:\n{stderr}\n"),
        (None, None) => {}
    }
    match outcome.ending {
        Ending::Exit(code) if code == exit => {}
        Ending::Exit(code) => report += &format!("exit status {code}, expected {exit}\n"),
        Ending::Signal => report += "ended by a signal\n",
        Ending::Killed => {
            report += &format!("killed after {:.1} s\n", outcome.elapsed.as_secs_f64());
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report) }
}

/// A program that is not run ends with 2, one that fails while it runs with 1.
fn golden_exit(golden: &str) -> i32 {
    if golden.starts_with("  File ") { 2 } else { 1 }
}

/// The golden's text; its first line only says how to make it again.
fn read_golden(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(match text.split_once('\n') {
            Some((first, rest)) if first.starts_with("# ") => rest.to_owned(),
            _ => text,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn diff(what: &str, expected: &str, actual: &str) -> String {
    let diff = TextDiff::from_lines(expected, actual);
    let body = diff.unified_diff().context_radius(3).header("expected", "actual").to_string();
    format!("{what} differs:\n{body}")
}

fn collect(directory: &Path, prefix: &str, into: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{prefix}/{stem}");
        if path.is_dir() {
            if !path.with_extension("ms").is_file() {
                collect(&path, &name, into)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "ms") {
            into.push((name, path));
        }
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ending: Ending, stdout: &str) -> Outcome {
        Outcome {
            ending,
            stdout: stdout.to_owned(),
            stderr: String::new(),
            elapsed: Duration::ZERO,
        }
    }

    fn expecting(source: &str) -> Expectations {
        Expectations::parse(source).expect("directives are well formed")
    }

    #[test]
    fn agreement_passes_with_or_without_a_last_newline() {
        let expected = expecting("print(1)  # expect: 1\n");
        assert_eq!(compare(&expected, None, &outcome(Ending::Exit(0), "1\n"), ""), Ok(()));
        assert_eq!(compare(&expected, None, &outcome(Ending::Exit(0), "1"), ""), Ok(()));
    }

    #[test]
    fn each_kind_of_disagreement_fails() {
        let expected = expecting("print(1)  # expect: 1\n");
        let judge = |outcome, stderr| compare(&expected, None, &outcome, stderr).unwrap_err();
        assert!(judge(outcome(Ending::Exit(0), "2\n"), "").contains("+2"));
        assert!(judge(outcome(Ending::Exit(0), "1\n"), "warning\n").contains("warning"));
        assert!(judge(outcome(Ending::Exit(1), "1\n"), "").contains("exit status 1"));
        assert!(judge(outcome(Ending::Signal, "1\n"), "").contains("signal"));
        assert!(judge(outcome(Ending::Killed, "1\n"), "").contains("killed"));
    }

    #[test]
    fn an_uncaught_error_is_compared_with_the_last_line() {
        let expected = expecting("x  # expect error: NameError: name 'x' is not defined\n");
        let traceback = "Traceback (most recent call last):\nNameError: name 'x' is not defined\n";
        assert_eq!(compare(&expected, None, &outcome(Ending::Exit(1), ""), traceback), Ok(()));
        assert!(compare(&expected, None, &outcome(Ending::Exit(1), ""), "NameError\n").is_err());
    }

    #[test]
    fn a_golden_is_compared_whole_and_knows_the_exit_status() {
        let expected = expecting("");
        let golden = "  File \"x.ms\", line 1\nSyntaxError: invalid syntax\n";
        let ended = |code| outcome(Ending::Exit(code), "");
        assert_eq!(compare(&expected, Some(golden), &ended(2), golden), Ok(()));
        assert!(compare(&expected, Some(golden), &ended(1), golden).is_err());
        assert!(compare(&expected, Some(golden), &ended(2), "SyntaxError\n").is_err());
    }

    #[test]
    fn helpers_of_a_script_are_no_tests() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let lang = dir.path().join("lang");
        fs::create_dir_all(lang.join("uses")).expect("a directory");
        for file in ["uses.ms", "uses/helper.ms", "alone.ms", "notes.txt"] {
            fs::write(lang.join(file), "").expect("a file");
        }
        let found = discover(dir.path(), "lang").expect("the directory can be read");
        let names: Vec<_> = found.iter().map(|test| test.name.as_str()).collect();
        let expected =
            ["lang/alone", "lang/alone (gc-stress)", "lang/uses", "lang/uses (gc-stress)"];
        assert_eq!(names, expected);
    }
}
