//! Who competes, and with which programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The peers of a run without `--peers`; those that are not installed are left out.
pub const PEERS: &str = "python3,pypy3,lua5.4,luajit,luajit -joff,node";

/// The programs, by what they are about. Each belongs to one group.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "numbers and lists",
        &[
            "big_ints",
            "bit_mixing",
            "fannkuch",
            "float_loop",
            "int_loop",
            "mandelbrot",
            "math_calls",
            "matrix",
            "nbody",
            "queens",
            "sieve",
            "spectral_norm",
        ],
    ),
    (
        "calls, objects, closures and trees",
        &["attributes", "binary_trees", "calls", "closures", "fib", "methods", "operators"],
    ),
    (
        "the run-time's own work",
        &[
            "dicts",
            "exceptions",
            "generators",
            "json_module",
            "json_text",
            "regex",
            "sorting",
            "strings",
            "tasks",
            "word_count",
        ],
    ),
];

/// One of the commands that compete.
pub struct Contender {
    /// What it is called in tables: `ms`, or the command as it was given.
    pub name: String,
    pub command: PathBuf,
    pub arguments: Vec<String>,
    /// The extensions of its programs, the first that exists.
    pub extensions: &'static [&'static str],
}

impl Contender {
    /// The interpreter under test.
    pub fn ms(command: PathBuf) -> Contender {
        Contender { name: "ms".to_owned(), command, arguments: Vec::new(), extensions: &["ms"] }
    }

    /// A peer of a command line such as `luajit -joff`.
    fn of(line: &str) -> Result<Contender, String> {
        let mut words = line.split_whitespace().map(str::to_owned);
        let command = PathBuf::from(words.next().unwrap_or_default());
        let file = command.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let extensions: &[&str] = match file.as_str() {
            name if name.starts_with("py") => &["ms"],
            name if name.starts_with("luajit") => &["luajit.lua", "lua"],
            name if name.starts_with("lua") => &["lua"],
            name if name.starts_with("node") => &["js"],
            name if name.starts_with("ms") => &["ms"],
            _ => return Err(format!("which programs '{file}' runs is not known")),
        };
        let arguments: Vec<String> = words.collect();
        let name = [file].iter().chain(&arguments).cloned().collect::<Vec<_>>().join(" ");
        Ok(Contender { name, command, arguments, extensions })
    }

    /// Its program: `program` is a path without extension.
    pub fn script(&self, program: &Path) -> Option<PathBuf> {
        let mut scripts = self.extensions.iter().map(|e| program.with_extension(e));
        scripts.find(|script| script.is_file())
    }

    fn is_installed(&self) -> bool {
        let mut probe = Command::new(&self.command);
        probe.arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok()
    }
}

/// The peers of a list with commas that are installed; the others are named on standard error.
pub fn peers(list: &str) -> Result<Vec<Contender>, String> {
    let mut found = Vec::new();
    for line in list.split(',').map(str::trim).filter(|line| !line.is_empty()) {
        let peer = Contender::of(line)?;
        if peer.is_installed() {
            found.push(peer);
        } else {
            eprintln!("bench: {} is not installed and is left out", peer.command.display());
        }
    }
    Ok(found)
}

/// The group of a program.
pub fn group(program: &str) -> Option<&'static str> {
    GROUPS.iter().find(|(_, programs)| programs.contains(&program)).map(|(group, _)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_run_the_programs_of_their_language() {
        let of = |line| Contender::of(line).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(of("/usr/bin/python3.11").extensions, ["ms"]);
        assert_eq!(of("pypy3").extensions, ["ms"]);
        assert_eq!(of("lua5.4").extensions, ["lua"]);
        assert_eq!(of("luajit -joff").name, "luajit -joff");
        assert_eq!(of("luajit -joff").extensions, ["luajit.lua", "lua"]);
        assert!(Contender::of("perl").is_err());
    }

    #[test]
    fn what_is_not_installed_is_left_out() {
        let found = peers("lua-that-nobody-has,").unwrap_or_else(|error| panic!("{error}"));
        assert!(found.is_empty());
    }
}
