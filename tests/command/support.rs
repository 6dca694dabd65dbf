//! Short ways to run `ms`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use miniscript_tests::{Ending, Invocation, Outcome, Subject};
use tempfile::TempDir;

/// The command under test.
pub fn ms() -> &'static Path {
    static SUBJECT: OnceLock<PathBuf> = OnceLock::new();
    SUBJECT.get_or_init(|| Subject::locate().expect("there is an ms to test").path)
}

/// A directory that is gone at the end of the test.
pub fn scratch() -> TempDir {
    tempfile::Builder::new().prefix("ms-test-").tempdir().expect("a temporary directory")
}

/// Runs `ms` with arguments.
pub fn run(args: &[&str]) -> Outcome {
    run_with(args, "")
}

/// Runs `ms` with arguments and standard input.
pub fn run_with(args: &[&str], stdin: &str) -> Outcome {
    let directory = scratch();
    run_in(directory.path(), args, stdin)
}

/// Runs `ms` in a directory.
pub fn run_in(directory: &Path, args: &[&str], stdin: &str) -> Outcome {
    Invocation::new(ms(), directory).args(args).stdin(stdin).run().expect("ms starts")
}

/// Runs `ms` by a line of the shell, in which `$MS` is it.
pub fn shell(line: &str) -> Outcome {
    let directory = scratch();
    Invocation::new(Path::new("/bin/sh"), directory.path())
        .args(["-c", line])
        .env("MS", ms())
        .run()
        .expect("the shell starts")
}

/// A command that runs a program given as text.
pub fn command(directory: &Path, program: &str) -> Command {
    std::fs::write(directory.join("script.ms"), program).expect("the script is written");
    let mut command = Command::new(ms());
    command.arg("script.ms").current_dir(directory).env_remove("MS_EXT_PATH");
    command
}

/// Checks status, standard output, and the last line of standard error.
#[track_caller]
pub fn check(outcome: &Outcome, status: i32, stdout: &str, last_error: &str) {
    let last = outcome.stderr.lines().next_back().unwrap_or("");
    assert!(
        outcome.ending == Ending::Exit(status) && outcome.stdout == stdout && last == last_error,
        "expected status {status}, output {stdout:?} and error {last_error:?}, got {outcome:?}"
    );
}
