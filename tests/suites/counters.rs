//! What `ms --stats` counts for known scripts, and what `ms dis` shows.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use miniscript_tests::{Subject, workspace_root};

fn ms() -> Command {
    let subject = Subject::locate().unwrap_or_else(|error| panic!("{error}"));
    Command::new(subject.path)
}

/// The counters of a run of `source`, which must end well.
fn stats(source: &str) -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("program.ms");
    fs::write(&path, source).expect("a file");
    let output = ms().arg("--stats").arg(&path).output().expect("a run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text.lines()
        .filter_map(|line| {
            let (name, n) = line.rsplit_once(' ')?;
            Some((name.trim().to_owned(), n.parse().ok()?))
        })
        .collect()
}

const CLASSES: &str = "
class A:
    total = 0
    def __init__(self, x):
        self.x = x
    def get(self):
        return self.x
class B(A):
    pass
class C(A):
    def get(self):
        return 1
def run(n):
    objects = [A(1), B(2), C(3)]
    for i in range(n):
        for o in objects:
            o.x = o.get() - o.x
";

#[test]
fn a_site_with_several_shapes_hits_its_caches() {
    let s = stats(&format!("{CLASSES}run(5000)\n"));
    assert!(s["cache hits"] > 45_000, "{s:?}");
    assert!(s["cache misses"] < 100, "{s:?}");
    assert!(s["cache flushes"] == 0, "{s:?}");
    // A `for` over a list begins on a slow path.
    assert!(s["slow paths"] < 6000, "{s:?}");
}

#[test]
fn a_counter_on_a_class_does_not_empty_the_caches() {
    let source = format!("{CLASSES}for i in range(5000):\n    A.total += 1\n    run(1)\n");
    let s = stats(&source);
    assert!((1..10).contains(&s["cache flushes"]), "{s:?}");
    assert!(s["cache hits"] > s["cache misses"], "{s:?}");
}

#[test]
fn float_arithmetic_is_quickened_once() {
    let run = |value: &str| {
        stats(&format!(
            "def f(n):\n    x = {value}\n    for i in range(n):\n        x = x + x - x * x\nf(1000)\n"
        ))
    };
    assert_eq!(run("1")["quickenings"], 0);
    assert_eq!(run("0.5")["quickenings"], 3);
}

#[test]
fn allocations_and_collections_are_those_of_the_script() {
    let base = stats("");
    let numbers = stats("x = 0.5\nfor i in range(100000):\n    x = x * 0.5 + i\n");
    assert!(numbers["objects allocated"] - base["objects allocated"] < 1000, "{numbers:?}");
    let tuples = stats("for i in range(100000):\n    x = (i, i)\n");
    let made = tuples["objects allocated"] - base["objects allocated"];
    assert!((100_000..101_000).contains(&made), "{made}");
    assert_eq!(base["collections"], 0);
    let many = stats("for i in range(1000000):\n    x = (i, i)\n");
    assert!((2..100).contains(&many["collections"]), "{many:?}");
    assert!(many["live bytes"] < 8 << 20, "{many:?}");
}

#[test]
fn generators_and_calls_stay_on_their_fast_paths() {
    let s = stats(
        "def count(n):\n    i = 0\n    while i < n:\n        yield i\n        i += 1\n\
         def f(n):\n    d = {}\n    for x in count(n):\n        d[str(x % 10)] = len(d)\n\
         f(10000)\n",
    );
    assert!(s["instructions"] > 100_000, "{s:?}");
    assert!(s["slow paths"] < 12_000, "{s:?}");
}

#[test]
fn counts_repeat() {
    let source = format!("{CLASSES}run(100)\n");
    let (first, second) = (stats(&source), stats(&source));
    for name in ["instructions", "cache hits", "cache misses", "slow paths"] {
        assert_eq!(first[name], second[name], "{name}");
    }
}

#[test]
fn dis_shows_what_the_goldens_of_the_compiler_hold() {
    let folder = workspace_root().join("interpreter/vm/tests/compiler");
    let mut compared = 0;
    for entry in fs::read_dir(&folder).expect("goldens") {
        let golden = entry.expect("an entry").path();
        if golden.extension().is_none_or(|e| e != "dis") {
            continue;
        }
        let output = ms().arg("dis").arg(golden.with_extension("ms")).output().expect("a run");
        let shown = String::from_utf8_lossy(&output.stdout);
        let expected = fs::read_to_string(&golden).expect("a golden");
        assert_eq!(body(&shown), body(&expected), "{}", golden.display());
        compared += 1;
    }
    assert!(compared > 5);
}

/// Without the line that says how to make it again.
fn body(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).collect()
}
