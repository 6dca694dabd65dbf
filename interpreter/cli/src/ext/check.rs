//! `ms ext check`: every check of the loader, without running the library in this process.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use miniscript_engine::registry::{Note, Registry, read_note};
use serde::Serialize;

use super::describe::{Description, Refusal};
use super::probe::{self, Way};
use super::{Complaint, folders_of, path_text, pretty, resolve};

/// The verdict over one library.
#[derive(Debug, Serialize)]
pub struct Verdict {
    /// The file.
    pub file: String,
    /// Whether it can be used.
    pub usable: bool,
    /// What was found, in the order of the checks.
    steps: Vec<Step>,
    /// Why it cannot be used.
    refusal: Option<Refusal>,
    #[serde(skip)]
    description: Option<Box<Description>>,
}

#[derive(Debug, Serialize)]
struct Step {
    what: &'static str,
    good: bool,
    found: String,
}

/// Checks a library; the text to print, and whether it can be used.
pub fn check(registry: &Registry, what: &OsStr, json: bool, verbose: bool) -> (String, bool) {
    let folders = folders_of(registry);
    let examined = resolve(registry, what)
        .and_then(|target| examine(&target.path, &target.name, &folders, verbose));
    let verdict = match examined {
        Ok(verdict) => verdict,
        Err(Complaint(text)) if json => {
            let value = serde_json::json!({ "usable": false, "error": text });
            return (pretty(&value).unwrap_or_default(), false);
        }
        Err(Complaint(text)) => {
            eprintln!("ms: {text}");
            return (String::new(), false);
        }
    };
    let text = if json { pretty(&verdict).unwrap_or_default() } else { verdict.text(verbose) };
    (text, verdict.usable)
}

/// Reads the library as data, then has a child process load and import it. The extensions that
/// it needs are looked for beside it and in `folders`.
pub fn examine(
    path: &Path,
    name: &str,
    folders: &[PathBuf],
    verbose: bool,
) -> Result<Verdict, Complaint> {
    let mut verdict = Verdict {
        file: path_text(path),
        usable: false,
        steps: Vec::new(),
        refusal: None,
        description: None,
    };
    let note = match read_note(path) {
        Ok(note) => note,
        Err(error) => {
            verdict.refuse("file", &Refusal::from(&error));
            return Ok(verdict);
        }
    };
    verdict.passed("file", describe(&note));
    if let Err(error) = note.check(path, name) {
        verdict.refuse("fits", &Refusal::from(&error));
        return Ok(verdict);
    }
    let glibc = note.glibc.map_or_else(String::new, |(a, b)| format!(", needs glibc {a}.{b}"));
    verdict.passed("fits", format!("this machine and MiniScript{glibc}"));
    let probed = probe::probe(path, &Way { import: Some(folders), verbose })?;
    let crash = |found: String| Refusal {
        found: format!("a library that {found}"),
        wanted: "a library that can be loaded".to_owned(),
        mend: "this is a mistake in the extension; tell its author".to_owned(),
        details: None,
    };
    if let Some(refusal) = &probed.refusal {
        verdict.refuse("loads", refusal);
        return Ok(verdict);
    }
    let failure = probed.failure(true);
    let Some(ext) = &probed.description else {
        verdict.refuse("loads", &crash(failure.unwrap_or_default()));
        return Ok(verdict);
    };
    verdict.passed(
        "loads",
        format!(
            "{}, {}, {}",
            count(ext.functions.len(), "function", "functions"),
            count(ext.classes.len(), "class", "classes"),
            count(ext.constants.len(), "constant", "constants")
        ),
    );
    match (&probed.imported, failure) {
        (Some(Err(text)), _) => {
            let found = format!("an import that raises {text}");
            let wanted = "an import that succeeds".to_owned();
            verdict.refuse("imports", &Refusal { found, wanted, ..crash(String::new()) });
        }
        (_, Some(how)) => verdict.refuse("imports", &crash(how)),
        (_, None) => {
            verdict.passed("imports", format!("as '{name}'"));
            verdict.usable = true;
        }
    }
    verdict.description = probed.description;
    Ok(verdict)
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn describe(note: &Note) -> String {
    let Note { name, version, abi, language, arch, .. } = note;
    format!("{name} {version}, ABI {}.{}, {}, {arch}", abi.0, abi.1, language.name())
}

impl Verdict {
    /// The version that the library tells, once it was loaded.
    pub fn version(&self) -> &str {
        self.description.as_ref().map_or("", |d| &d.version)
    }

    /// What is wrong, in the loader's three lines.
    pub fn complaint(&self) -> String {
        match &self.refusal {
            Some(Refusal { found, wanted, mend, .. }) => {
                format!("{}: found {found}\n  wanted: {wanted}\n  mend: {mend}", self.file)
            }
            None => format!("{}: cannot be used", self.file),
        }
    }

    fn passed(&mut self, what: &'static str, found: String) {
        self.steps.push(Step { what, good: true, found });
    }

    fn refuse(&mut self, what: &'static str, refusal: &Refusal) {
        self.steps.push(Step { what, good: false, found: refusal.found.clone() });
        self.refusal = Some(refusal.clone());
    }

    fn text(&self, verbose: bool) -> String {
        let mut text = format!("{}\n", self.file);
        for Step { what, good, found } in &self.steps {
            let _ = writeln!(text, "  {:<8} {}  {found}", what, if *good { "ok " } else { "BAD" });
        }
        match &self.refusal {
            Some(refusal) => {
                let _ = write!(
                    text,
                    "unusable: found {}\n  wanted: {}\n  mend: {}\n",
                    refusal.found, refusal.wanted, refusal.mend
                );
                if let Some(details) = refusal.details.as_ref().filter(|_| verbose) {
                    let _ = writeln!(text, "{details}");
                }
            }
            None => text.push_str("usable\n"),
        }
        text
    }
}
