//! Proof that the tests bite: takes away one opcode handler, one native row or one ABI check at
//! a time and names the test that notices.
//!
//!     cargo run -p miniscript-tests --bin mutants -- [--list] [--all] [FILTER..]
//!
//! The workspace is copied to `target/mutants/source`, where a few lines are woven in that obey
//! the variable `MS_MUTANT`; so one build holds every mutant, and the product holds none of this.
//! Without `--all`, a fixed sample of the opcodes and rows is tried. A FILTER is a part of a
//! mutant's name: `op ADD`, `row str.upper`, `abi glibc`. The exit status is 1 when a mutant
//! survives.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use miniscript_tests::{Mode, ScriptTest, discover, workspace_root};

/// A place of the source where the weaving happens: file or folder, text, what takes its place.
const WEAVE: &[(&str, &str, &str)] = &[
    (
        "interpreter/vm/src/lib.rs",
        "#[macro_use]\npub mod code;",
        "#[macro_use]\npub mod code;\n\
         /// Whether this part is taken away; under `?` the parts are printed.\n\
         pub(crate) fn mutant(part: &str) -> bool {\n\
         static NAME: std::sync::OnceLock<String> = std::sync::OnceLock::new();\n\
         let name = NAME.get_or_init(|| std::env::var(\"MS_MUTANT\").unwrap_or_default());\n\
         if name == \"?\" { eprintln!(\"mutant {part}\"); }\n\
         name == part\n}\n",
    ),
    (
        "interpreter/vm/src/interp",
        "let table = TABLE.as_ptr();",
        "static MUTATED: std::sync::OnceLock<Vec<Handler0>> = std::sync::OnceLock::new();\n\
         let table = MUTATED.get_or_init(|| {\n\
         let mut table = TABLE.to_vec();\n\
         for (n, op) in Op::ALL.iter().enumerate() {\n\
         if crate::mutant(&format!(\"op {}\", op.name())) { table[n] = Handler0(calls::illegal); }\n\
         }\n\
         table\n}).as_ptr();",
    ),
    (
        "interpreter/vm/src/builtins/mod.rs",
        "        let name = vm.intern(def.name);\n        if def.role != Role::Setter",
        "        let setter = if def.role == Role::Setter { \"=\" } else { \"\" };\n\
         if crate::mutant(&format!(\"row {}.{}{setter}\", t.name(), def.name)) { continue; }\n\
         let name = vm.intern(def.name);\n        if def.role != Role::Setter",
    ),
    (
        "interpreter/vm/src/builtins/functions.rs",
        "    for def in tables.into_iter().flatten() {",
        "    for def in tables.into_iter().flatten() {\n\
         if crate::mutant(&format!(\"row {}\", def.name)) { continue; }",
    ),
];

/// The ABI checks: name, file, the start of the condition that is made false.
const CHECKS: &[(&str, &str, &str)] = &[
    ("note: ABI major", "note.rs", "if self.abi.0 != MS_ABI_MAJOR {"),
    ("note: panic strategy", "note.rs", "if self.panic_abort {"),
    ("note: name", "note.rs", "if self.name != name {"),
    ("note: its mark", "note.rs", "if field(0, 8)? != MS_ABI_MAGIC {"),
    ("note: processor of the file", "note.rs", "if found != std::env::consts::ARCH {"),
    ("note: kind of the file", "note.rs", "if library.kind() != object::ObjectKind::Dynamic {"),
    ("descriptor: size", "descriptor.rs", "if size < EXT_1_0 {"),
    ("descriptor: ABI major", "descriptor.rs", "if ext.abi_major != MS_ABI_MAJOR {"),
    ("descriptor: name", "descriptor.rs", "if extension.name != note.name {"),
    ("descriptor: a name twice", "descriptor.rs", "if !seen.insert(name) {"),
    ("descriptor: null", "load.rs", "if ext.is_null() {"),
    (
        "descriptor: typed entry",
        "descriptor.rs",
        "if record.typed_kind != MS_TYPED_NONE && record.typed.is_none() {",
    ),
    (
        "descriptor: parameter kinds",
        "descriptor.rs",
        "if name.is_empty() || param.kind > MS_PARAM_KWARGS {",
    ),
    ("layout: older extension", "load.rs", "if check_layout_compatibility(layout, ours).is_ok() {"),
];

/// What is tried without `--all`: parts whose absence a user would notice at once.
const SAMPLE: &[&str] = &[
    "op ADD",
    "op JLT",
    "op FORITER",
    "op GETATTR",
    "op CALLKW",
    "op YIELD",
    "op MKCELL",
    "op RAISE",
    "op UNPACK",
    "op MKFUNC",
    "row len",
    "row sorted",
    "row isinstance",
    "row str.split",
    "row str.format",
    "row list.append",
    "row dict.setdefault",
    "row set.add",
    "row bytes.hex",
    "row int.bit_length",
    "row float.as_integer_ratio",
    "row tuple.index",
    "row generator.throw",
    "row property.setter",
    "row BaseException.add_note",
];

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The copy and what was built in it.
struct Bench {
    ms: PathBuf,
    abi: PathBuf,
    scratch: tempfile::TempDir,
    scripts: Vec<(ScriptTest, String)>,
}

fn run() -> Result<usize, String> {
    let (mut list, mut all, mut filters) = (false, false, Vec::new());
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--list" => list = true,
            "--all" => all = true,
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}")),
            _ => filters.push(argument),
        }
    }
    let bench = Bench::prepare()?;
    let mut mutants = bench.mutants()?;
    if !all && filters.is_empty() && !list {
        let known = |name: &&str| mutants.iter().any(|mutant| mutant == name);
        if let Some(lost) = SAMPLE.iter().find(|name| !known(name)) {
            return Err(format!("{lost} of the sample does not exist any more"));
        }
        mutants.retain(|name| SAMPLE.contains(&name.as_str()) || name.starts_with("abi "));
    }
    mutants.retain(|name| filters.is_empty() || filters.iter().any(|part| name.contains(part)));
    if list {
        mutants.iter().for_each(|name| println!("{name}"));
        return Ok(0);
    }
    let (next, survivors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(name) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match bench.killer(name) {
                        Some(test) => println!("{name}: {test}"),
                        None => {
                            println!("{name}: SURVIVED");
                            survivors.lock().map(|mut list| list.push(name)).unwrap_or_default();
                        }
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().unwrap_or_default().len();
    println!("{} mutants, {survivors} survived", mutants.len());
    Ok(survivors)
}

impl Bench {
    /// Copies, weaves, builds, and finds the scripts that pass without a mutation.
    fn prepare() -> Result<Self, String> {
        let root = workspace_root();
        let place = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
        let (source, target) = (place.join("mutants/source"), place.join("mutants/target"));
        let mut files = read_workspace(&root)?;
        for (place, anchor, with) in WEAVE {
            weave(&mut files, place, anchor, with)?;
        }
        for (name, file, condition) in CHECKS {
            let inner = condition.trim_start_matches("if ").trim_end_matches(" {");
            let with = format!(
                "if std::env::var_os(\"MS_MUTANT\").is_none_or(|name| name != \"abi {name}\") \
                 && ({inner}) {{"
            );
            let file = format!("interpreter/engine/src/registry/{file}");
            weave(&mut files, &file, condition, &with)?;
        }
        write_workspace(&source, &files)?;
        cargo(&source, &target, &["build", "--quiet", "-p", "miniscript-cli"])?;
        let built = ["test", "--no-run", "-p", "miniscript-tests", "--test", "abi"];
        let report = cargo(&source, &target, &built)?;
        let abi = report
            .lines()
            .filter(|line| line.trim_start().starts_with("Executable"))
            .find_map(|line| line.rsplit_once('(').map(|(_, path)| path.trim_end_matches(')')))
            .map(|path| source.join(path))
            .ok_or("cargo did not name the test binary")?;
        let mut bench = Self {
            ms: target.join("debug").join(format!("ms{}", env::consts::EXE_SUFFIX)),
            abi,
            scratch: tempfile::tempdir().map_err(|error| error.to_string())?,
            scripts: Vec::new(),
        };
        for part in ["lang", "diagnostics"] {
            for test in discover(&root.join("tests"), part).map_err(|error| error.to_string())? {
                if test.mode == Mode::Plain && test.run(&bench.ms).is_ok() {
                    let text = fs::read_to_string(&test.path).unwrap_or_default();
                    bench.scripts.push((test, text));
                }
            }
        }
        println!("{} scripts pass without a mutation", bench.scripts.len());
        Ok(bench)
    }

    /// Names of all mutants.
    fn mutants(&self) -> Result<Vec<String>, String> {
        // A class gets its rows when somebody looks at it.
        let look =
            "def look(c):\n    dir(c)\n    for d in type.__subclasses__(c): look(d)\nlook(object)";
        let output = Command::new(&self.ms)
            .args(["-c", look])
            .env("MS_MUTANT", "?")
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut seen = HashSet::new();
        let parts = text.lines().filter_map(|line| line.strip_prefix("mutant "));
        let mut names: Vec<String> =
            parts.filter(|part| seen.insert(part.to_string())).map(str::to_owned).collect();
        names.extend(CHECKS.iter().map(|(name, ..)| format!("abi {name}")));
        Ok(names)
    }

    /// The first test that fails without this part.
    fn killer(&self, mutant: &str) -> Option<String> {
        if mutant.starts_with("abi ") {
            return self.abi_killer(mutant);
        }
        let ms = self.wrapper(mutant).ok()?;
        // The scripts that name the part go first: they are the likely ones.
        let word = mutant.rsplit(['.', ' ']).next().unwrap_or(mutant).trim_matches('=');
        let names = |text: &str| {
            let mut parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            parts.any(|part| part == word)
        };
        let (likely, others): (Vec<_>, Vec<_>) =
            self.scripts.iter().partition(|(_, text)| names(text));
        let killer = likely.iter().chain(&others).find(|(test, _)| test.run(&ms).is_err());
        killer.map(|(test, _)| test.name.clone())
    }

    fn abi_killer(&self, mutant: &str) -> Option<String> {
        // Of the pairs of old and new, which take long, only the layout check knows.
        let pairs = "every_host_loads_every_extension";
        let tests =
            if mutant.contains("layout") { [pairs, "--nocapture"] } else { ["--skip", pairs] };
        let output = Command::new(&self.abi)
            .args(tests)
            .env("MS_MUTANT", mutant)
            .current_dir(workspace_root().join("tests"))
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed = text.lines().find_map(|line| {
            line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
        });
        match failed {
            Some(name) => Some(format!("abi/{name}")),
            None if !output.status.success() => Some("abi (aborted)".to_owned()),
            None => None,
        }
    }

    /// A command that is `ms` without this part.
    fn wrapper(&self, mutant: &str) -> std::io::Result<PathBuf> {
        let name: String =
            mutant.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let setter = if mutant.ends_with('=') { "set" } else { "" };
        let path = self.scratch.path().join(format!("{name}{setter}"));
        let text = format!(
            "#!/bin/sh\nMS_MUTANT='{mutant}' exec '{}' \"$@\"\n",
            self.ms.to_string_lossy()
        );
        fs::write(&path, text)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(path)
    }
}

/// The files that git knows, by their names.
fn read_workspace(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git: {error}"))?;
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = names.split('\0').filter(|name| !name.is_empty());
    Ok(names.filter_map(|name| Some((name.to_owned(), fs::read(root.join(name)).ok()?))).collect())
}

/// Replaces the one occurrence of a text in a file or folder.
fn weave(
    files: &mut BTreeMap<String, Vec<u8>>,
    place: &str,
    anchor: &str,
    with: &str,
) -> Result<(), String> {
    let mut woven = 0;
    for (_, content) in files.iter_mut().filter(|(name, _)| name.starts_with(place)) {
        let Ok(text) = std::str::from_utf8(content) else { continue };
        let count = text.matches(anchor).count();
        if count > 0 {
            woven += count;
            *content = text.replace(anchor, with).into_bytes();
        }
    }
    if woven == 1 { Ok(()) } else { Err(format!("{place} has {anchor:?} {woven} times, not once")) }
}

/// Makes a folder hold these files and no other sources, leaving alone what is equal, so that
/// little is built again.
fn write_workspace(to: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let mut present = Vec::new();
    collect(to, &mut present);
    for old in present {
        let name = old.strip_prefix(to).unwrap_or(&old).to_string_lossy().into_owned();
        if !files.contains_key(&name) {
            fs::remove_file(&old).map_err(|error| format!("{}: {error}", old.display()))?;
        }
    }
    for (name, content) in files {
        let target = to.join(name);
        if fs::read(&target).is_ok_and(|old| old == *content) {
            continue;
        }
        let folder = target.parent().unwrap_or(to);
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        fs::write(&target, content).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    Ok(())
}

fn collect(place: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), into),
            _ => into.push(entry.path()),
        }
    }
}

/// Runs cargo in the copy and returns what it said.
fn cargo(source: &Path, target: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .current_dir(source)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(format!("cargo failed:\n{said}")) }
}
