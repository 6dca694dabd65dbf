//! Runs test suites that others wrote for Python, and keeps count.
//!
//! A suite is obtained by the name of its package into `target/conformance` and never becomes
//! part of this repository. CPython 3.12 runs the same tests beside `ms`: what it does not pass
//! proves nothing and is skipped. What is about another implementation is skipped as well, by
//! the tables in `tests/conformance`, with a reason for each line.
//!
//! - `fetch` brings the suites to the cache;
//! - `micropython` compares what programs print;
//! - `cpython` runs the methods of `Lib/test` with our own `unittest`;
//! - `watch` runs one process that tells of its progress, and ends it when it no longer does;
//! - `skips` reads the tables of what is not run;
//! - `report` is the table, the list of known failures and `RESULTS.md`.

mod cpython;
mod fetch;
mod micropython;
mod report;
mod skips;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

pub use report::{Report, write_results};

/// What a run of the suites is about.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `ms` under test.
    pub ms: PathBuf,
    /// The CPython 3.12 that judges.
    pub python: PathBuf,
    /// Names of suites; none are all.
    pub suites: Vec<String>,
    /// Only tests with one of these in their name.
    pub filters: Vec<String>,
    /// Only the fixed sample.
    pub sample: bool,
    /// Nothing is downloaded.
    pub offline: bool,
    /// How many processes at a time.
    pub jobs: usize,
}

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Pass,
    /// Otherwise.
    Fail(String),
    /// It says nothing about `ms`, or it could not be run here.
    Skip(String),
}

/// One test of a suite.
#[derive(Debug, Clone)]
pub struct Case {
    /// `micropython/basics`, `cpython/test_dict`.
    pub category: String,
    /// The whole name, which begins with the suite's: `cpython/test_dict.DictTest.test_items`.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// A suite: its name and how it is run. An error says why it cannot be.
struct Suite {
    name: &'static str,
    run: fn(&Options) -> Result<Vec<Case>, String>,
}

const SUITES: &[Suite] = &[
    Suite { name: "micropython", run: micropython::run },
    Suite { name: "cpython", run: cpython::run },
];

/// The folder of the tables, of the driver and of what stands in for `test.support`.
pub fn tables() -> PathBuf {
    crate::workspace_root().join("tests/conformance")
}

/// Runs the suites that the options name.
pub fn run(options: &Options) -> Result<Report, String> {
    if let Some(name) = options.suites.iter().find(|name| SUITES.iter().all(|s| s.name != **name)) {
        let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        return Err(format!("there is no suite {name}; there are {}", names.join(", ")));
    }
    let mut report = Report::default();
    for suite in SUITES {
        if !options.suites.is_empty() && options.suites.iter().all(|name| name != suite.name) {
            continue;
        }
        match (suite.run)(options) {
            Ok(cases) => report.cases.extend(cases),
            Err(why) => report.absent.push((suite.name.to_owned(), why)),
        }
    }
    report.cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(report)
}

impl Options {
    /// Whether a test of this name is asked for.
    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|part| name.contains(part.as_str()))
    }
}

/// Does the same with every item, in as many threads as the options say.
fn each<I: Sync, O: Send>(
    options: &Options,
    items: &[I],
    work: impl Fn(&I) -> Result<O, String> + Sync,
) -> Result<Vec<O>, String> {
    let next = Mutex::new(items.iter());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap_or_else(|poison| poison.into_inner()).next();
                    let Some(item) = item else { break };
                    let result = work(item);
                    results.lock().unwrap_or_else(|poison| poison.into_inner()).push(result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(|poison| poison.into_inner()).into_iter().collect()
}

/// Reads a file, and says which one when it cannot.
fn read(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
