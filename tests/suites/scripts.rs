//! One named test for each script of `lang/` and `diagnostics/`, and a second one of each
//! under GC stress.
//!
//! `cargo test -p miniscript-tests --test scripts -- closures` runs those with `closures` in
//! the name; `MS=PATH` tests another `ms`.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use libtest_mimic::{Arguments, Failed, Trial};
use miniscript_tests::{KnownFailures, ScriptTest, Subject, discover};

const PARTS: [&str; 2] = ["lang", "diagnostics"];
const MAX_THREADS: usize = 4;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if arguments.test_threads.is_none() {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        arguments.test_threads = Some(cores.clamp(2, MAX_THREADS));
    }
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("scripts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list_path = root.join("known_failures.txt");
    let known = KnownFailures::read(&list_path)
        .map_err(|error| format!("{}: {error}", list_path.display()))?;
    let known = Arc::new(known);
    let mut scripts = Vec::new();
    for part in PARTS {
        scripts.extend(discover(root, part).map_err(|error| format!("{part}: {error}"))?);
    }
    let names: BTreeSet<String> = scripts.iter().map(|script| script.name.clone()).collect();
    let strangers = known.strangers(&names);
    if !strangers.is_empty() {
        return Err(format!("tests/known_failures.txt names no test: {}", strangers.join(", ")));
    }
    let subject = if arguments.list { None } else { Some(Subject::locate()?) };
    let trials = scripts.into_iter().map(|script| trial(script, subject.clone(), &known));
    let conclusion = libtest_mimic::run(arguments, trials.collect());
    match env::var("MS_KNOWN_FAILURES").as_deref() {
        Ok(how @ ("shrink" | "start")) if arguments.filter.is_none() => {
            known.rewrite(&list_path, how == "start").map_err(|error| error.to_string())?;
        }
        _ => {}
    }
    Ok(conclusion.exit_code())
}

fn trial(script: ScriptTest, subject: Option<Subject>, known: &Arc<KnownFailures>) -> Trial {
    let known = Arc::clone(known);
    Trial::test(script.name.clone(), move || {
        let subject = subject.ok_or("no ms to test")?;
        let result = script.run(&subject.path);
        known.judge(&script.name, result).map_err(Failed::from)
    })
}
