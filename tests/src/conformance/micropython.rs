//! MicroPython's tests: programs whose output is compared.
//!
//! What CPython prints is right; where a `.exp` file beside the program disagrees, either will
//! do, since such a file says how MicroPython differs. Where CPython ends with an error, the same
//! output and the same last line of the error are right, too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::skips::Skips;
use super::{Case, Options, Verdict, each, fetch, read, tables};
use crate::process::{Ending, Invocation, Outcome};

const FOLDERS: [&str; 6] = ["basics", "float", "unicode", "import", "stress", "extmod"];
/// Of `extmod`, the tests of modules that are Python's.
const EXTMOD: [&str; 6] = ["json_", "re_", "re1", "random_", "heapq", "hashlib_"];
/// In the sample is one of so many tests.
const SAMPLE_STEP: usize = 6;
const TIME_LIMIT: Duration = Duration::from_secs(60);

struct Program {
    path: PathBuf,
    /// `basics/array1`.
    name: String,
}

pub(super) fn run(options: &Options) -> Result<Vec<Case>, String> {
    let tests = fetch::micropython(options)?;
    let skips = Skips::read(&tables().join("micropython.txt"))?;
    let mut programs = Vec::new();
    for folder in FOLDERS {
        programs.extend(programs_in(&tests, folder)?);
    }
    if options.sample {
        programs = programs.into_iter().step_by(SAMPLE_STEP).collect();
    }
    programs.retain(|program| options.wants(&format!("micropython/{}", program.name)));
    each(options, &programs, |program| {
        let verdict = match skips.reason(&program.name) {
            Some(reason) => Verdict::Skip(reason.to_owned()),
            None => judge(options, program)?,
        };
        let folder = program.name.split('/').next().unwrap_or_default();
        Ok(Case {
            category: format!("micropython/{folder}"),
            name: format!("micropython/{}", program.name),
            verdict,
        })
    })
}

fn programs_in(tests: &Path, folder: &str) -> Result<Vec<Program>, String> {
    let mut programs = Vec::new();
    for path in fetch::files(&tests.join(folder))? {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let of_python = folder != "extmod" || EXTMOD.iter().any(|start| stem.starts_with(start));
        if path.extension().is_some_and(|extension| extension == "py") && of_python {
            programs.push(Program { path, name: format!("{folder}/{stem}") });
        }
    }
    Ok(programs)
}

fn judge(options: &Options, program: &Program) -> Result<Verdict, String> {
    let expected = outcome(&options.python, &["-B"], program)?;
    let mut accepted = Vec::new();
    if expected.ending == Ending::Exit(0) {
        accepted.push(expected.stdout.clone());
    }
    let beside = program.path.with_extension("py.exp");
    if beside.is_file() {
        accepted.push(read(&beside)?);
    }
    if expected.stdout.trim_end().ends_with("SKIP") {
        return Ok(Verdict::Skip("the program finds that CPython lacks what it tests".to_owned()));
    }
    if accepted.is_empty() && !matches!(expected.ending, Ending::Exit(_)) {
        return Ok(Verdict::Skip("CPython does not run it to its end".to_owned()));
    }
    let got = outcome(&options.ms, &["--max-memory", "2G"], program)?;
    let same_error = || {
        let last = |outcome: &Outcome| outcome.stderr.lines().last().map(str::to_owned);
        expected.ending == got.ending
            && expected.stdout == got.stdout
            && last(&expected) == last(&got)
    };
    Ok(match got.ending {
        Ending::Signal => Verdict::Fail("CRASH".to_owned()),
        Ending::Killed => Verdict::Fail("HANG".to_owned()),
        Ending::Exit(_) if accepted.contains(&got.stdout) || same_error() => Verdict::Pass,
        Ending::Exit(_) => Verdict::Fail(difference(&expected.stdout, &got)),
    })
}

fn outcome(command: &Path, flags: &[&str], program: &Program) -> Result<Outcome, String> {
    let folder = program.path.parent().unwrap_or(Path::new("/"));
    Invocation::new(command, folder)
        .args(flags)
        .arg(program.path.file_name().unwrap_or_default())
        .env("PYTHONIOENCODING", "utf-8")
        .time_limit(TIME_LIMIT)
        .run()
        .map_err(|error| format!("cannot start {}: {error}", command.display()))
}

/// The first line that differs, or the error that ended the program.
fn difference(expected: &str, got: &Outcome) -> String {
    let mut wanted = expected.lines();
    let mut printed = got.stdout.lines();
    for number in 1.. {
        match (wanted.next(), printed.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (Some(line), None) => {
                let error = got.stderr.lines().last().unwrap_or_default();
                return format!("line {number}: expected {line:?}, ended with {error:?}");
            }
            (one, other) => {
                let one = one.unwrap_or("the end");
                let other = other.unwrap_or_default();
                return format!("line {number}: expected {one:?}, got {other:?}");
            }
        }
    }
    "differs in its line ends".to_owned()
}
