//! What a run of the suites shows: a table, what changed against the list of known failures, and
//! the results that are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use super::{Case, Verdict};
use crate::KnownFailures;

/// All results of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// The tests, in the order of their names.
    pub cases: Vec<Case>,
    /// Suites that could not be run, and why.
    pub absent: Vec<(String, String)>,
}

/// Counts of one category or of a whole suite.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    pass: usize,
    fail: usize,
    skip: usize,
}

impl Report {
    /// The table of counts, as Markdown.
    pub fn table(&self) -> String {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for case in &self.cases {
            let suite = case.category.split('/').next().unwrap_or_default();
            tallies.entry(&case.category).or_default().add(&case.verdict);
            tallies.entry(suite).or_default().add(&case.verdict);
        }
        let mut text =
            String::from("| tests | pass | fail | skip | passes |\n|---|---:|---:|---:|---:|\n");
        for (name, tally) in tallies {
            let name = if name.contains('/') { name.to_owned() } else { format!("**{name}**") };
            let Tally { pass, fail, skip } = tally;
            let _ = writeln!(text, "| {name} | {pass} | {fail} | {skip} | {} |", tally.share());
        }
        text
    }

    /// What disagrees with the list of known failures, one line each.
    pub fn surprises(&self, known: &KnownFailures) -> Vec<String> {
        let mut lines = Vec::new();
        for case in &self.cases {
            let result = match &case.verdict {
                Verdict::Pass => Ok(()),
                Verdict::Fail(why) => Err(why.clone()),
                Verdict::Skip(_) => continue,
            };
            if let Err(why) = known.judge(&case.name, result) {
                lines.push(format!("{}: {why}", case.name));
            }
        }
        lines
    }

    /// Listed names of the suites that ran which are no tests, or are skipped by now.
    pub fn strangers<'k>(&self, known: &'k KnownFailures) -> Vec<&'k str> {
        let ran = |case: &&Case| !matches!(case.verdict, Verdict::Skip(_));
        let names: BTreeSet<String> =
            self.cases.iter().filter(ran).map(|c| c.name.clone()).collect();
        let suites: BTreeSet<&str> =
            self.cases.iter().filter_map(|c| c.name.split('/').next()).collect();
        let of_these = |name: &&str| name.split('/').next().is_some_and(|s| suites.contains(s));
        known.strangers(&names).into_iter().filter(of_these).collect()
    }

    /// Each test that did not pass, with the reason.
    pub fn details(&self) -> String {
        let mut text = String::new();
        for case in &self.cases {
            let (word, why) = match &case.verdict {
                Verdict::Pass => continue,
                Verdict::Fail(why) => ("FAIL", why),
                Verdict::Skip(why) => ("skip", why),
            };
            let _ = writeln!(text, "{word} {}: {why}", case.name);
        }
        text
    }
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail(_) => self.fail += 1,
            Verdict::Skip(_) => self.skip += 1,
        }
    }

    fn share(self) -> String {
        match self.pass + self.fail {
            0 => "-".to_owned(),
            ran => format!("{:.1}%", 100.0 * self.pass as f64 / ran as f64),
        }
    }
}

/// Writes the table with the day and the commit that it is of.
pub fn write_results(path: &Path, report: &Report, commit: &str, day: &str) -> io::Result<()> {
    let text = format!(
        "# Conformance\n\nWritten by a full run (`--bless`, see [the tests](../README.md)): \
         {day}, commit {commit}. A skip is a test that is about another implementation or that \
         CPython itself does not pass.\n\n{}",
        report.table()
    );
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, verdict: Verdict) -> Case {
        let (category, _) = name.rsplit_once('/').expect("a category");
        Case { category: category.to_owned(), name: name.to_owned(), verdict }
    }

    #[test]
    fn categories_and_suites_are_counted() {
        let cases = vec![
            case("m/a/1", Verdict::Pass),
            case("m/a/2", Verdict::Fail("x".to_owned())),
            case("m/b/3", Verdict::Skip("y".to_owned())),
        ];
        let table = Report { cases, absent: Vec::new() }.table();
        assert!(table.contains("| **m** | 1 | 1 | 1 | 50.0% |"), "{table}");
        assert!(table.contains("| m/a | 1 | 1 | 0 | 50.0% |"), "{table}");
        assert!(table.contains("| m/b | 0 | 0 | 1 | - |"), "{table}");
    }

    #[test]
    fn a_skipped_test_on_the_list_is_a_stranger() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("known.txt");
        fs::write(&path, "m/a/1\nm/a/2\nother/a/9\n").expect("the list is written");
        let known = KnownFailures::read(&path).expect("the list is read");
        let cases = vec![
            case("m/a/1", Verdict::Fail("x".to_owned())),
            case("m/a/2", Verdict::Skip("y".to_owned())),
        ];
        let report = Report { cases, absent: Vec::new() };
        assert_eq!(report.surprises(&known), Vec::<String>::new());
        assert_eq!(report.strangers(&known), ["m/a/2"]);
    }
}
