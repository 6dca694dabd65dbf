//! Runs the programs of `tests/bench/` under `ms` and its peers, and prints ratios.
//!
//!     cargo run --release -p miniscript-tests --bin bench -- [--ms PATH] [--peers LIST]
//!         [--rounds N] [--counts] [--save FILE] [--compare FILE] [FILTER]
//!
//! The runs are interleaved, so that a slow moment of the machine hits all contenders alike,
//! and the medians of user time are compared. All must print the same. `LIST` names commands,
//! with commas: `python3.11,lua5.4,luajit -joff`; `--peers ""` is for `ms` alone. Peak memory is
//! the kernel's figure for the whole process; this runner's own size (some 2 MiB) is its lower
//! bound. `--counts` counts the instructions of `ms` with Valgrind instead of measuring time.

mod measure;
mod peers;
mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use measure::{Results, instructions, measure};
use miniscript_tests::Subject;
use peers::Contender;
use serde::{Deserialize, Serialize};
use table::Table;

/// The empty script among the programs.
const STARTUP: &str = "(start-up)";
const STARTUP_ROUNDS: usize = 21;
const USAGE: &str = "usage: bench [--ms PATH] [--peers LIST] [--rounds N] [--counts] \
                     [--save FILE] [--compare FILE] [FILTER]";

struct Options {
    ms: Option<PathBuf>,
    peers: String,
    rounds: usize,
    counts: bool,
    save: Option<PathBuf>,
    compare: Option<PathBuf>,
    filter: String,
}

/// What `--save` writes and `--compare` reads.
#[derive(Default, Serialize, Deserialize)]
struct Saved {
    /// Program, then contender.
    #[serde(default)]
    times: BTreeMap<String, Results>,
    /// Instructions of `ms` by program.
    #[serde(default)]
    counts: BTreeMap<String, u64>,
}

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
    let ms = match &options.ms {
        Some(path) => path.canonicalize().map_err(|e| format!("{}: {e}", path.display()))?,
        None => Subject::locate()?.path,
    };
    let mut contenders = vec![Contender::ms(ms)];
    let programs = programs(&options.filter)?;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    for extension in ["ms", "lua", "js"] {
        let path = scratch.path().join(STARTUP).with_extension(extension);
        fs::write(path, "").map_err(|error| error.to_string())?;
    }
    let empty = scratch.path().join(STARTUP);
    let before = match &options.compare {
        Some(path) => Some(read(path)?),
        None => None,
    };

    let mut saved = Saved::default();
    if options.counts {
        count(&programs, &empty, &contenders[0], before.as_ref(), &mut saved)?;
    } else {
        contenders.extend(peers::peers(&options.peers)?);
        time(&programs, &empty, &contenders, options.rounds, &mut saved)?;
        if let Some(before) = &before {
            table::comparison(&before.times, &saved.times);
        }
    }
    if let Some(path) = &options.save {
        let text = serde_json::to_string_pretty(&saved).map_err(|error| error.to_string())?;
        fs::write(path, text + "\n").map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn time(
    programs: &[PathBuf],
    empty: &Path,
    contenders: &[Contender],
    rounds: usize,
    saved: &mut Saved,
) -> Result<(), String> {
    let table = Table { contenders };
    table.header();
    for program in programs {
        let row = measure(program, contenders, rounds)?;
        table.row(&name(program), &row, |figures| figures.user_s);
        saved.times.insert(name(program), row);
    }
    table.means(&saved.times);
    let startup = measure(empty, contenders, STARTUP_ROUNDS)?;
    println!();
    table.row("start-up of an empty script, wall", &startup, |figures| figures.wall_s);
    table.memory("idle memory", &startup);
    for (name, row) in &saved.times {
        table.memory(name, row);
    }
    saved.times.insert(STARTUP.to_owned(), startup);
    Ok(())
}

fn count(
    programs: &[PathBuf],
    empty: &Path,
    ms: &Contender,
    before: Option<&Saved>,
    saved: &mut Saved,
) -> Result<(), String> {
    table::count_header();
    for program in programs.iter().map(PathBuf::as_path).chain([empty]) {
        let name = name(program);
        let now = instructions(program, ms)?;
        table::count(&name, now, before.and_then(|before| before.counts.get(&name)).copied());
        saved.counts.insert(name, now);
    }
    Ok(())
}

fn read(path: &Path) -> Result<Saved, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn name(program: &Path) -> String {
    program.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Options {
    fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self {
            ms: None,
            peers: peers::PEERS.to_owned(),
            rounds: 5,
            counts: false,
            save: None,
            compare: None,
            filter: String::new(),
        };
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} wants a value\n{USAGE}"));
            match argument.as_str() {
                "--ms" => options.ms = Some(value()?.into()),
                "--peers" => options.peers = value()?,
                "--counts" => options.counts = true,
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

/// The programs, without their extensions.
fn programs(filter: &str) -> Result<Vec<PathBuf>, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    let entries = fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "ms"))
        .map(|path| path.with_extension(""))
        .filter(|path| name(path).contains(filter))
        .collect();
    found.sort();
    if found.is_empty() { Err(format!("no program matches '{filter}'")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let parse = |text: &str| Options::parse(text.split_whitespace().map(OsString::from));
        let options = parse("--rounds 3 --peers lua5.4 fib").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((options.rounds, options.peers.as_str()), (3, "lua5.4"));
        assert_eq!(options.filter, "fib");
        assert!(!options.counts);
        assert!(parse("--rounds 0").is_err());
        assert!(parse("--fast").is_err());
        assert!(parse("--save").is_err());
    }

    #[test]
    fn every_program_has_its_twins_and_its_group() {
        // Lua has no JSON and no keys of a dict that are tuples.
        let without_lua = ["dicts", "json_module"];
        for program in programs("").unwrap_or_else(|error| panic!("{error}")) {
            let name = name(&program);
            assert!(program.with_extension("js").is_file(), "{name}");
            let lua = program.with_extension("lua").is_file();
            assert_eq!(lua, !without_lua.contains(&name.as_str()), "{name}");
            assert!(peers::group(&name).is_some(), "{name} belongs to no group");
        }
    }
}
