//! Programs made by chance, compared with what CPython printed for them when `tests/fuzz/golden.txt`
//! was written: one named test for each batch. `--bin fuzz` compares with a CPython at hand, and
//! writes that file. `MS=PATH` tests another `ms`.
//!
//! Beside them the targets of cargo-fuzz, on seeds changed by chance with a fixed seed;
//! `MS_FUZZ_ROUNDS` says how often.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use miniscript_tests::Subject;
use miniscript_tests::fuzz::golden::{self, Golden};
use miniscript_tests::fuzz::{Interpreter, Program};
use miniscript_tests::targets::{self, Mutator, TARGETS, Target};

const TIME_LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run(&Arguments::from_args()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("fuzz: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(golden::FILE);
    let golden = Arc::new(Golden::read(&path)?);
    let programs = golden::programs();
    let subject = if arguments.list { None } else { Some(Subject::locate()?) };
    let mut trials = vec![Trial::test("the_hashes_are_of_these_programs", {
        let (golden, programs) = (Arc::clone(&golden), programs.clone());
        move || match golden.is_of(&programs) {
            true => Ok(()),
            false => Err("the fuzzer makes other programs now: run it with --bless".into()),
        }
    })];
    trials.extend(programs.chunks(golden::BATCH as usize).map(|batch| {
        let (golden, batch, subject) = (Arc::clone(&golden), batch.to_vec(), subject.clone());
        let first = batch[0].number;
        Trial::test(format!("programs_{first}_to_{}", first + golden::BATCH - 1), move || {
            let subject = subject.ok_or("no ms to test")?;
            compare(&golden, &batch, &Interpreter::new(&subject.path, TIME_LIMIT))
        })
    }));
    trials.extend(
        TARGETS.iter().map(|target| {
            Trial::test(format!("target_{}", target.name), move || try_target(*target))
        }),
    );
    Ok(libtest_mimic::run(arguments, trials).exit_code())
}

/// Runs a target on its seeds, and on what a fixed chance makes of them.
fn try_target(target: Target) -> Result<(), Failed> {
    let seeds = targets::seeds(target)?;
    for seed in &seeds {
        (target.check)(seed).map_err(|why| finding(&why, seed))?;
    }
    let mut mutator = Mutator::new(seeds, 1);
    let rounds = std::env::var("MS_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok());
    for _ in 0..rounds.unwrap_or(target.rounds) {
        let input = mutator.input();
        match std::panic::catch_unwind(|| (target.check)(&input)) {
            Ok(outcome) => outcome.map_err(|why| finding(&why, &input))?,
            Err(_) => return Err(finding("a panic", &input)),
        }
    }
    Ok(())
}

fn finding(why: &str, input: &[u8]) -> Failed {
    format!("{why}\nthe input: {}", input.escape_ascii()).into()
}

fn compare(golden: &Golden, batch: &[Program], ms: &Interpreter) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let outputs = ms.outputs(batch, folder.path())?;
    let failures: Vec<String> = batch
        .iter()
        .zip(&outputs)
        .filter_map(|(program, output)| {
            let why = golden.judge(program, output).err()?;
            Some(format!("program {} {why}:\n{output}", program.number))
        })
        .collect();
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("see with --bin fuzz -- --show N\n{}", failures.join("\n")).into()),
    }
}
