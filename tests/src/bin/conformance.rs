//! Runs the test suites of MicroPython and CPython under `ms`, with CPython 3.12 as the judge.
//!
//!     cargo run --release -p miniscript-tests --bin conformance -- [SUITE..] [--ms PATH]
//!         [--python NAME] [--filter PART] [--jobs N] [--sample] [--offline] [--verbose] [--bless]
//!
//! A suite that is not in the cache (`target/conformance`) is downloaded first; with `--offline`
//! it is left out, and said to be. `--sample` runs the part that CI runs. The exit status is 1 when
//! a test fails that `tests/conformance/known_failures.txt` does not list, or one passes that it
//! lists. `--bless`, for a run of all suites without a filter, writes that list and `RESULTS.md`.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;

use miniscript_tests::conformance::{self, Options, Report, tables, write_results};
use miniscript_tests::{KnownFailures, Subject, workspace_root};

const USAGE: &str = "usage: conformance [SUITE..] [--ms PATH] [--python NAME] [--filter PART] \
                     [--jobs N] [--sample] [--offline] [--verbose] [--bless]";

/// How the results are shown and kept.
struct Output {
    verbose: bool,
    bless: bool,
}

fn main() -> ExitCode {
    let result = parse().and_then(|(options, output)| {
        let report = conformance::run(&options)?;
        show(&options, &output, &report)
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse() -> Result<(Options, Output), String> {
    let mut options = Options {
        ms: PathBuf::new(),
        python: "python3.12".into(),
        suites: Vec::new(),
        filters: Vec::new(),
        sample: false,
        offline: false,
        jobs: thread::available_parallelism().map_or(1, usize::from),
    };
    let mut output = Output { verbose: false, bless: false };
    let mut ms = None;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value\n{USAGE}"));
        match arg.as_str() {
            "--ms" => ms = Some(PathBuf::from(value()?)),
            "--python" => options.python = value()?.into(),
            "--filter" => options.filters.push(value()?),
            "--jobs" => options.jobs = value()?.parse().map_err(|_| USAGE)?,
            "--sample" => options.sample = true,
            "--offline" => options.offline = true,
            "--verbose" => output.verbose = true,
            "--bless" => output.bless = true,
            name if !name.starts_with('-') => options.suites.push(name.to_owned()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    if output.bless && !(options.filters.is_empty() && options.suites.is_empty() && !options.sample)
    {
        return Err("--bless is for a run of everything".to_owned());
    }
    options.ms = match ms {
        Some(path) => {
            path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => Subject::locate()?.path,
    };
    Ok((options, output))
}

/// Prints the results; whether they are what the list of known failures says.
fn show(options: &Options, output: &Output, report: &Report) -> Result<bool, String> {
    if output.verbose {
        print!("{}", report.details());
    }
    print!("{}", report.table());
    for (suite, why) in &report.absent {
        println!("{suite} was not run: {why}");
    }
    let list = tables().join("known_failures.txt");
    let known = KnownFailures::read(&list).map_err(|error| error.to_string())?;
    let surprises = report.surprises(&known);
    if output.bless {
        if let Some((suite, why)) = report.absent.first() {
            return Err(format!("nothing is written without {suite}: {why}"));
        }
        known.rewrite(&list, true).map_err(|error| error.to_string())?;
        let results = tables().join("RESULTS.md");
        write_results(
            &results,
            report,
            &said_by("git", &["rev-parse", "--short", "HEAD"])?,
            &said_by("date", &["-u", "+%Y-%m-%d"])?,
        )
        .map_err(|error| error.to_string())?;
        return Ok(true);
    }
    for line in &surprises {
        println!("{line}");
    }
    let partly = options.sample || !options.filters.is_empty();
    let strangers = if partly { Vec::new() } else { report.strangers(&known) };
    for name in &strangers {
        println!("{name}: listed in {}, but no test that runs", list.display());
    }
    Ok(surprises.is_empty() && strangers.is_empty())
}

/// One line that a command of the system prints.
fn said_by(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).current_dir(workspace_root()).output();
    let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
