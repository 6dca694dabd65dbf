//! The failures we know of: a bridge while a part is unfinished, and a list that only shrinks.
//!
//! `tests/known_failures.txt`, or a suite's own such file, holds one test name a line. A test on the list must fail; when
//! it passes, its line has to go. A test that is not on the list must pass.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::{fs, io};

/// The list, and what the present run learned about it.
#[derive(Debug, Default)]
pub struct KnownFailures {
    listed: BTreeSet<String>,
    failed_now: Mutex<BTreeSet<String>>,
}

impl KnownFailures {
    /// Reads the list; a missing file is an empty list.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Turns a test's result into the one the list asks for.
    pub fn judge(&self, name: &str, result: Result<(), String>) -> Result<(), String> {
        if result.is_err() {
            let mut failed = self.failed_now.lock().unwrap_or_else(|poison| poison.into_inner());
            failed.insert(name.to_owned());
        }
        match (self.listed.contains(name), result) {
            (true, Ok(())) => {
                Err(format!("passes now: remove '{name}' from the known_failures.txt"))
            }
            (true, Err(_)) => Ok(()),
            (false, result) => result,
        }
    }

    /// Listed names that are no test at all.
    pub fn strangers(&self, names: &BTreeSet<String>) -> Vec<&str> {
        self.listed.iter().filter(|name| !names.contains(*name)).map(String::as_str).collect()
    }

    /// Writes the list down to what still fails (`MS_KNOWN_FAILURES=shrink`), or starts it
    /// anew with all that fails (`MS_KNOWN_FAILURES=start`). Only for runs without a filter.
    pub fn rewrite(&self, path: &Path, start: bool) -> io::Result<()> {
        let failed = self.failed_now.lock().unwrap_or_else(|poison| poison.into_inner());
        let kept = failed.iter().filter(|name| start || self.listed.contains(*name));
        let text: String = kept.flat_map(|name| [name, "\n"]).collect();
        if text.is_empty() && path.exists() { fs::remove_file(path) } else { fs::write(path, text) }
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let listed = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { listed: listed.map(str::to_owned).collect(), failed_now: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_test_must_fail_and_an_unlisted_one_must_pass() {
        let known = KnownFailures::parse("# comment\n\nlang/a\n");
        assert_eq!(known.judge("lang/a", Err("x".into())), Ok(()));
        assert!(known.judge("lang/a", Ok(())).unwrap_err().contains("remove 'lang/a'"));
        assert_eq!(known.judge("lang/b", Err("x".into())), Err("x".into()));
        assert_eq!(known.judge("lang/b", Ok(())), Ok(()));
    }

    #[test]
    fn names_of_no_test_are_found() {
        let known = KnownFailures::parse("lang/a\nlang/gone\n");
        let names = BTreeSet::from(["lang/a".to_owned()]);
        assert_eq!(known.strangers(&names), ["lang/gone"]);
    }

    #[test]
    fn rewriting_shrinks_and_never_adds() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("known.txt");
        let known = KnownFailures::parse("a\nb\n");
        let _ = known.judge("a", Err("x".into()));
        let _ = known.judge("c", Err("x".into()));
        known.rewrite(&path, false).expect("the list is written");
        assert_eq!(fs::read_to_string(&path).expect("the list is there"), "a\n");
    }
}
