//! Runs programs made by chance under `ms` and CPython and compares what they print.
//!
//!     cargo run --release -p miniscript-tests --bin fuzz -- [--ms PATH] [--python NAME]
//!         [--from N] [--count N] [--jobs N] [--report N] [--show N] [--bless]
//!
//! A program is told by its number. Differences are put together by the first line that differs;
//! of each kind (up to `--report`, one unless told) the shortest program is printed, made shorter; of
//! the others, one line that differs.
//! `--show N` prints the text of a program and what the two print for it. `--bless` writes the
//! hashes that the suite compares with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, io, thread};

use miniscript_tests::Subject;
use miniscript_tests::fuzz::golden::{self, Golden};
use miniscript_tests::fuzz::{Difference, Findings, Interpreter, Pair, Program};

const USAGE: &str = "usage: fuzz [--ms PATH] [--python NAME] [--from N] [--count N] [--jobs N] \
                     [--report N] [--show N] [--bless]";
/// How many programs run in one process.
const BATCH: u64 = 50;
const TIME_LIMIT: Duration = Duration::from_secs(20);

struct Options {
    ms: Option<PathBuf>,
    python: PathBuf,
    from: u64,
    count: u64,
    jobs: usize,
    report: usize,
    show: Option<u64>,
    bless: bool,
}

fn main() -> ExitCode {
    match Options::parse(env::args_os().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::from(2)
        }
    }
}

/// Did all agree?
fn run(options: &Options) -> Result<bool, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let folder = folder.path();
    let python = |seed| Interpreter::new(&options.python, TIME_LIMIT).env("PYTHONHASHSEED", seed);
    let (oracle, again) = (python("1"), python("2"));
    let ms = match &options.ms {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => Subject::locate()?.path,
    };
    let pair = Pair { subject: Interpreter::new(&ms, TIME_LIMIT), oracle, again };
    if options.bless {
        let golden = Golden::make(&pair, folder).map_err(|e| e.to_string())?;
        println!("{} of {} programs are known to differ", golden.known(), golden::COUNT);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(golden::FILE);
        return golden.write(&path).map(|()| true).map_err(|e| e.to_string());
    }
    if let Some(number) = options.show {
        return show(&pair, number, folder).map_err(|error| error.to_string());
    }
    let findings = compare_all(&pair, options, folder).map_err(|error| error.to_string())?;
    let kinds = by_kind(findings.differences);
    println!(
        "{} programs from {}: {} differ in {} ways, {} are unstable",
        options.count,
        options.from,
        kinds.iter().map(Vec::len).sum::<usize>(),
        kinds.len(),
        findings.unstable.len(),
    );
    if !findings.unstable.is_empty() {
        println!("unstable: {:?}", findings.unstable);
    }
    for kind in kinds.iter().skip(options.report) {
        println!("{} of program {}:\n{}", kind.len(), kind[0].program.number, kind[0].kind());
    }
    report(&pair, &kinds, options, folder).map_err(|error| error.to_string())?;
    Ok(kinds.is_empty())
}

/// Prints a program and its outputs.
fn show(pair: &Pair, number: u64, folder: &Path) -> io::Result<bool> {
    let program = Program::new(number);
    println!("{}", program.text());
    let findings = pair.compare(std::slice::from_ref(&program), folder)?;
    if !findings.unstable.is_empty() {
        println!("CPython itself prints something else at each run.");
    }
    match findings.differences.first() {
        Some(found) => print_difference(found),
        None => {
            let output = pair.subject.outputs(&[program], folder)?;
            println!("Both print:\n{}", output.concat());
        }
    }
    Ok(findings.differences.is_empty())
}

fn compare_all(pair: &Pair, options: &Options, folder: &Path) -> io::Result<Findings> {
    let next = AtomicU64::new(options.from);
    let end = options.from + options.count;
    let found = Mutex::new(Ok(Findings::default()));
    in_threads(options.jobs, || {
        loop {
            let start = next.fetch_add(BATCH, Ordering::Relaxed);
            if start >= end {
                return;
            }
            let programs: Vec<Program> =
                (start..end.min(start + BATCH)).map(Program::new).collect();
            let result = pair.compare(&programs, folder);
            let mut all = found.lock().unwrap_or_else(|poison| poison.into_inner());
            match (&mut *all, result) {
                (Ok(all), Ok(findings)) => {
                    all.differences.extend(findings.differences);
                    all.unstable.extend(findings.unstable);
                }
                (all, Err(error)) => *all = Err(error),
                (Err(_), Ok(_)) => {}
            }
        }
    });
    found.into_inner().unwrap_or_else(|poison| poison.into_inner())
}

fn in_threads(count: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(&work);
        }
    });
}

/// The differences of each kind, the shortest program first.
fn by_kind(differences: Vec<Difference>) -> Vec<Vec<Difference>> {
    let mut kinds = BTreeMap::<String, Vec<Difference>>::new();
    for difference in differences {
        kinds.entry(difference.kind()).or_default().push(difference);
    }
    let mut kinds: Vec<Vec<Difference>> = kinds.into_values().collect();
    for kind in &mut kinds {
        kind.sort_by_key(|difference| (difference.length(), difference.program.number));
    }
    kinds.sort_by_key(|kind| (usize::MAX - kind.len(), kind[0].length()));
    kinds
}

/// Prints the shortest program of each kind, up to as many as were asked for.
fn report(
    pair: &Pair,
    kinds: &[Vec<Difference>],
    options: &Options,
    folder: &Path,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Ok(()));
    in_threads(options.jobs, || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= options.report.min(kinds.len()) {
                return;
            }
            let reduced = pair.reduce(kinds[place][0].clone(), folder);
            let mut failed = failed.lock().unwrap_or_else(|poison| poison.into_inner());
            match reduced {
                Ok(difference) => {
                    let number = difference.program.number;
                    println!("\n======== program {number} ({} of its kind)", kinds[place].len());
                    println!("{}", difference.program.statements.join("\n"));
                    print_difference(&difference);
                }
                Err(error) => *failed = Err(error),
            }
        }
    });
    failed.into_inner().unwrap_or_else(|poison| poison.into_inner())
}

fn print_difference(difference: &Difference) {
    println!("-------- CPython prints\n{}", difference.expected);
    println!("-------- ms prints\n{}", difference.got);
}

impl Options {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self {
            ms: None,
            python: "python3".into(),
            from: 0,
            count: 1_000,
            jobs: thread::available_parallelism().map_or(1, usize::from),
            report: 1,
            show: None,
            bless: false,
        };
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value\n{USAGE}"));
            match argument.as_str() {
                "--ms" => options.ms = Some(value()?.into()),
                "--python" => options.python = value()?.into(),
                "--from" => options.from = number(&value()?)?,
                "--count" => options.count = number(&value()?)?,
                "--jobs" => options.jobs = number(&value()?)?.max(1) as usize,
                "--report" => options.report = number(&value()?)? as usize,
                "--show" => options.show = Some(number(&value()?)?),
                "--bless" => options.bless = true,
                _ => return Err(format!("unknown {argument}\n{USAGE}")),
            }
        }
        Ok(options)
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("no number: {text}\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |text: &str| Options::parse(text.split_whitespace().map(OsString::from));
        let options = parse("--from 7 --count 3").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((options.from, options.count), (7, 3));
        assert!(parse("--fast").is_err());
        assert!(parse("--from x").is_err());
    }
}
