//! Runs the programs of `tests/bench/` under `ms`, `python3` and `lua`, and prints ratios.
//!
//!     cargo run --release -p miniscript-tests --bin bench -- [--ms PATH] [--python NAME]
//!         [--lua NAME] [--rounds N] [--save FILE] [--compare FILE] [FILTER]
//!
//! The runs are interleaved, so that a slow moment of the machine hits all contenders alike,
//! and the medians of user time are compared. All must print the same. `--python none` and
//! `--lua none` leave one out. Peak memory is the kernel's figure for the whole process; this
//! runner's own size (some 2 MiB) is its lower bound.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use miniscript_tests::Subject;
use serde::{Deserialize, Serialize};
use wait4::Wait4;

const STARTUP: &str = "(start-up)";
const STARTUP_ROUNDS: usize = 21;
const USAGE: &str = "usage: bench [--ms PATH] [--python NAME] [--lua NAME] [--rounds N] \
                     [--save FILE] [--compare FILE] [FILTER]";

struct Options {
    ms: Option<PathBuf>,
    python: String,
    lua: String,
    rounds: usize,
    save: Option<PathBuf>,
    compare: Option<PathBuf>,
    filter: String,
}

/// One of the commands that compete.
struct Contender {
    name: &'static str,
    command: PathBuf,
    /// The extension of its programs.
    extension: &'static str,
}

/// What one run took.
struct Sample {
    stdout: String,
    user: Duration,
    wall: Duration,
    peak_bytes: u64,
}

/// The medians of one program under one contender.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Figures {
    user_s: f64,
    wall_s: f64,
    peak_mib: f64,
}

/// Program, then contender.
type Results = BTreeMap<String, BTreeMap<String, Figures>>;

fn main() -> ExitCode {
    match Options::parse(env::args_os().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let contenders = contenders(options)?;
    let programs = programs(&options.filter)?;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    for extension in ["ms", "lua"] {
        let path = scratch.path().join(STARTUP).with_extension(extension);
        fs::write(path, "").map_err(|error| error.to_string())?;
    }

    let mut results = Results::new();
    print_header(&contenders);
    for program in &programs {
        let row = measure(program, &contenders, options.rounds)?;
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        print_row(&name, &row, &contenders, |figures| figures.user_s);
        results.insert(name, row);
    }
    print_means(&results, &contenders);
    let startup = measure(&scratch.path().join(STARTUP), &contenders, STARTUP_ROUNDS)?;
    println!();
    print_row("start-up, wall", &startup, &contenders, |figures| figures.wall_s);
    print_memory("idle memory", &startup, &contenders);
    for (name, row) in &results {
        print_memory(name, row, &contenders);
    }
    results.insert(STARTUP.to_owned(), startup);

    if let Some(path) = &options.compare {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let before = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        print_comparison(&before, &results);
    }
    if let Some(path) = &options.save {
        let text = serde_json::to_string_pretty(&results).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

impl Options {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self {
            ms: None,
            python: "python3".to_owned(),
            lua: "lua5.4".to_owned(),
            rounds: 5,
            save: None,
            compare: None,
            filter: String::new(),
        };
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value\n{USAGE}"));
            match argument.as_str() {
                "--ms" => options.ms = Some(value()?.into()),
                "--python" => options.python = value()?,
                "--lua" => options.lua = value()?,
                "--rounds" => {
                    let rounds = value()?.parse::<usize>().ok().filter(|&rounds| rounds > 0);
                    options.rounds = rounds.ok_or("--rounds wants a number above 0")?;
                }
                "--save" => options.save = Some(value()?.into()),
                "--compare" => options.compare = Some(value()?.into()),
                "--help" | "-h" => return Err(USAGE.to_owned()),
                flag if flag.starts_with('-') => return Err(format!("unknown {flag}\n{USAGE}")),
                filter => options.filter = filter.to_owned(),
            }
        }
        Ok(options)
    }
}

fn contenders(options: &Options) -> Result<Vec<Contender>, String> {
    let ms = match &options.ms {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => Subject::locate()?.path,
    };
    let mut found = vec![Contender { name: "ms", command: ms, extension: "ms" }];
    for (name, command, extension) in
        [("python", &options.python, "ms"), ("lua", &options.lua, "lua")]
    {
        if command == "none" {
            continue;
        }
        let probe = Command::new(command).args(["-c", ""]).stderr(Stdio::null()).status();
        match probe {
            Ok(_) => found.push(Contender { name, command: command.into(), extension }),
            Err(error) => eprintln!("bench: without {name}: {command}: {error}"),
        }
    }
    Ok(found)
}

/// The programs, without their extensions.
fn programs(filter: &str) -> Result<Vec<PathBuf>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    let entries = fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "ms"))
        .map(|path| path.with_extension(""))
        .filter(|path| path.to_string_lossy().contains(filter))
        .collect();
    found.sort();
    if found.is_empty() { Err(format!("no program matches '{filter}'")) } else { Ok(found) }
}

fn measure(
    program: &Path,
    contenders: &[Contender],
    rounds: usize,
) -> Result<BTreeMap<String, Figures>, String> {
    let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            samples.push(run_once(contender, program)?);
        }
    }
    let reference = samples.first().and_then(|samples| samples.first()).map(|s| s.stdout.clone());
    let mut row = BTreeMap::new();
    for (contender, samples) in contenders.iter().zip(&samples) {
        if let Some(other) =
            samples.iter().find(|sample| Some(&sample.stdout) != reference.as_ref())
        {
            return Err(format!(
                "{}: the outputs differ\n{}: {}{}: {}",
                program.display(),
                contenders.first().map_or("", |contender| contender.name),
                reference.unwrap_or_default(),
                contender.name,
                other.stdout
            ));
        }
        let of = |pick: fn(&Sample) -> f64| median(samples.iter().map(pick).collect());
        let figures = Figures {
            user_s: of(|sample| sample.user.as_secs_f64()),
            wall_s: of(|sample| sample.wall.as_secs_f64()),
            peak_mib: of(|sample| sample.peak_bytes as f64 / f64::from(1 << 20)),
        };
        row.insert(contender.name.to_owned(), figures);
    }
    Ok(row)
}

fn run_once(contender: &Contender, program: &Path) -> Result<Sample, String> {
    let script = program.with_extension(contender.extension);
    let failed = |what: String| format!("{} {}: {what}", contender.name, script.display());
    let started = Instant::now();
    let mut child = Command::new(&contender.command)
        .arg(&script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut stdout = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        std::io::Read::read_to_string(&mut pipe, &mut stdout)
            .map_err(|error| failed(error.to_string()))?;
    }
    let used = child.wait4().map_err(|error| failed(error.to_string()))?;
    let wall = started.elapsed();
    if !used.status.success() {
        return Err(failed(used.status.to_string()));
    }
    let rusage = used.rusage;
    Ok(Sample { stdout, user: rusage.utime, wall, peak_bytes: rusage.maxrss })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

fn print_header(contenders: &[Contender]) {
    print!("{:<16}", "user time, ms");
    for contender in contenders {
        print!("{:>10}", contender.name);
    }
    for contender in &contenders[1..] {
        print!("{:>12}", format!("{}/ms", contender.name));
    }
    println!("   (above 1: ms is faster)");
}

fn print_row(
    name: &str,
    row: &BTreeMap<String, Figures>,
    contenders: &[Contender],
    pick: fn(&Figures) -> f64,
) {
    print!("{name:<16}");
    for contender in contenders {
        print!("{:>10.1}", pick(&row[contender.name]) * 1e3);
    }
    for contender in &contenders[1..] {
        print!("{:>12.2}", ratio(pick(&row[contender.name]), pick(&row["ms"])));
    }
    println!();
}

fn print_means(results: &Results, contenders: &[Contender]) {
    print!("{:<16}", "geometric mean");
    print!("{:>width$}", "", width = contenders.len() * 10);
    for contender in &contenders[1..] {
        let ratios =
            results.values().map(|row| ratio(row[contender.name].user_s, row["ms"].user_s));
        print!("{:>12.2}", geometric_mean(ratios));
    }
    println!();
}

fn print_memory(name: &str, row: &BTreeMap<String, Figures>, contenders: &[Contender]) {
    print!("{name:<16}");
    for contender in contenders {
        print!("{:>6.1} MiB", row[contender.name].peak_mib);
    }
    println!();
}

fn print_comparison(before: &Results, now: &Results) {
    println!("\n{:<16}{:>10}{:>10}{:>12}", "ms alone", "before", "now", "before/now");
    let mut ratios = Vec::new();
    for (name, row) in now {
        let Some(old) = before.get(name).and_then(|row| row.get("ms")) else { continue };
        let pick = |figures: &Figures| {
            if name == STARTUP { figures.wall_s } else { figures.user_s }
        };
        let (old, new) = (pick(old), pick(&row["ms"]));
        println!("{name:<16}{:>10.1}{:>10.1}{:>12.2}", old * 1e3, new * 1e3, ratio(old, new));
        ratios.push(ratio(old, new));
    }
    println!("{:<16}{:>32.2}", "geometric mean", geometric_mean(ratios.into_iter()));
}

/// The kernel counts user time in steps; a run below one step counts as a step.
fn ratio(other: f64, ms: f64) -> f64 {
    const STEP_S: f64 = 1e-4;
    other.max(STEP_S) / ms.max(STEP_S)
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), v| (sum + v.ln(), count + 1));
    (sum / f64::from(count)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!((geometric_mean([2.0, 8.0].into_iter()) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |text: &str| Options::parse(text.split_whitespace().map(OsString::from));
        let options = parse("--rounds 3 --lua none fib").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((options.rounds, options.lua.as_str()), (3, "none"));
        assert_eq!(options.filter, "fib");
        assert!(parse("--rounds 0").is_err());
        assert!(parse("--fast").is_err());
        assert!(parse("--save").is_err());
    }

    #[test]
    fn every_program_has_a_lua_twin() {
        for program in programs("").unwrap_or_else(|error| panic!("{error}")) {
            assert!(program.with_extension("lua").is_file(), "{}", program.display());
        }
    }
}
