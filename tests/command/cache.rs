//! Compiled code kept beside its source: used when it fits, replaced when it does not, and never
//! anything that a script or its user notices but for the time.

use std::fs;
use std::path::{Path, PathBuf};

use miniscript_tests::{Ending, Invocation, Outcome};

use crate::support::{ms, scratch};

/// A program that is worth keeping, and what it prints.
fn program(word: &str) -> String {
    let filler: String = (0..200).map(|n| format!("def f{n}(x):\n    return x + {n}\n")).collect();
    format!("{filler}print('{word}', f7(1))\n")
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: scratch() };
        fs::write(place.at("big.ms"), program("one")).expect("a program");
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn kept(&self) -> PathBuf {
        self.at("__mscache__/big.ms.msc")
    }

    /// Runs the program: what it printed, and how often code was read and written.
    #[track_caller]
    fn run(&self, args: &[&str]) -> (String, String) {
        let outcome = self.run_with(args, &[]);
        assert_eq!(outcome.ending, Ending::Exit(0), "{outcome:?}");
        (outcome.stdout, counts(&outcome.stderr))
    }

    fn run_with(&self, args: &[&str], env: &[(&str, &Path)]) -> Outcome {
        let mut run = Invocation::new(ms(), self.folder.path())
            .arg("--stats")
            .args(args)
            .env("XDG_CACHE_HOME", self.at("caches"));
        for (name, value) in env {
            run = run.env(name, value);
        }
        run.run().expect("ms starts")
    }
}

/// How often code was read and written, of what `--stats` shows.
fn counts(stats: &str) -> String {
    let of = |name: &str| {
        let row = stats.lines().find_map(|line| line.strip_prefix(name));
        row.map_or("?", str::trim).to_owned()
    };
    format!("{} read, {} written", of("code read"), of("code written"))
}

const READ: &str = "1 read, 0 written";
const WRITTEN: &str = "0 read, 1 written";
const NEITHER: &str = "0 read, 0 written";

#[test]
fn the_second_run_reads_what_the_first_wrote() {
    let place = Place::new();
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), WRITTEN.into()));
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), READ.into()));
    assert_eq!(place.run(&["-c", "import big"]), ("one 8\n".into(), READ.into()));
    assert_eq!(place.run(&["-m", "big"]), ("one 8\n".into(), READ.into()));
}

#[test]
fn a_changed_source_is_compiled_anew() {
    let place = Place::new();
    place.run(&["big.ms"]);
    fs::write(place.at("big.ms"), program("two")).expect("a program");
    assert_eq!(place.run(&["big.ms"]), ("two 8\n".into(), WRITTEN.into()));
    assert_eq!(place.run(&["big.ms"]), ("two 8\n".into(), READ.into()));
}

#[test]
fn a_damaged_file_is_replaced() {
    let place = Place::new();
    place.run(&["big.ms"]);
    let good = fs::read(place.kept()).expect("the kept code");
    for at in [0, 5, 30, 50, 60, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        fs::write(place.kept(), &bad).expect("a file");
        assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), WRITTEN.into()), "byte {at}");
        fs::write(place.kept(), &good[..at]).expect("a file");
        assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), WRITTEN.into()), "cut at {at}");
    }
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), READ.into()));
}

#[test]
fn code_that_another_user_sealed_is_not_run() {
    let place = Place::new();
    place.run(&["big.ms"]);
    let other = place.at("others");
    let outcome = place.run_with(&["big.ms"], &[("XDG_CACHE_HOME", &other)]);
    assert_eq!(counts(&outcome.stderr), WRITTEN);
    assert_eq!(outcome.stdout, "one 8\n");
}

#[test]
fn without_a_place_for_the_key_or_the_code_all_goes_on() {
    let place = Place::new();
    // A file is in the way of the folder of the key, then one in the way of the code's.
    let outcome = place.run_with(&["big.ms"], &[("XDG_CACHE_HOME", &place.at("big.ms"))]);
    assert_eq!((outcome.stdout.as_str(), &*counts(&outcome.stderr)), ("one 8\n", NEITHER));
    assert!(!place.kept().exists());
    fs::write(place.at("__mscache__"), "").expect("a file");
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), NEITHER.into()));
    let outcome = place.run_with(&["big.ms"], &[("MS_NO_CACHE", Path::new("1"))]);
    assert_eq!(counts(&outcome.stderr), NEITHER);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let fifo = |path: &Path| {
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder");
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo runs");
        assert!(made.success());
    };
    let place = Place::new();
    fifo(&place.kept());
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), NEITHER.into()));
    let place = Place::new();
    fifo(&place.at("caches/miniscript/key"));
    assert_eq!(place.run(&["big.ms"]), ("one 8\n".into(), NEITHER.into()));
    assert_eq!(place.run(&["-c", "import big"]), ("one 8\n".into(), NEITHER.into()));
}

#[test]
fn short_sources_leave_nothing_behind() {
    let place = Place::new();
    fs::write(place.at("small.ms"), "print(1)\n").expect("a program");
    assert_eq!(place.run(&["small.ms"]), ("1\n".into(), NEITHER.into()));
    assert!(!place.at("__mscache__").exists());
}

#[test]
fn a_script_without_the_right_to_write_leaves_nothing_behind() {
    let place = Place::new();
    assert_eq!(place.run(&["--sandbox", "big.ms"]), ("one 8\n".into(), NEITHER.into()));
    assert!(!place.at("__mscache__").exists());
}

#[test]
fn errors_show_the_same_places() {
    let place = Place::new();
    fs::write(place.at("big.ms"), program("x") + "\n{}[f3(1)]\n").expect("a program");
    let [first, second] = [0, 1].map(|_| {
        let text = place.run_with(&["big.ms"], &[]).stderr;
        text.lines()
            .take_while(|line| !line.starts_with("KeyError"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    assert!(first.len() > 3 && first.iter().any(|line| line.contains("{}[f3(1)]")), "{first:?}");
    assert_eq!(first, second);
}
