//! CPython's `Lib/test`: each method of the chosen files is one test.
//!
//! The files run as they are, below a folder that holds copies of them, our own stand-in for
//! `test.support`, and the driver that tells of each method's beginning and end. A method that
//! takes its process with it, or that hangs, costs itself alone: the rest go on in a new process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::skips::Skips;
use super::watch::{self, End};
use super::{Case, Options, Verdict, each, fetch, read, tables};

/// The files, without `test_`. The ones with `!` are in the sample. (`test_call` makes its classes of
/// those of `_testcapi`, so nothing of it can be read without.)
const FILES: &str = "
    abc !asyncgen augassign baseexception binop !bool bytes class cmath collections compare
    complex contains contextlib contextlib_async copy coroutines !dataclasses decorators defaultdict
    deque descr descrtut !dict dictcomps dictviews dynamicclassattribute enum enumerate
    except_star exception_group exception_hierarchy exception_variations exceptions extcall float
    format !fstring funcattrs functools generator_stop generators genericalias genericclass
    genexps global !grammar hash heapq index int int_literal isinstance iter itertools json
    keywordonlyarg !list listcomps long math metaclass !named_expressions opcodes operator
    ordered_dict !patma positional_only_arg pow print property !raise random !range re richcmp
    !scope set setcomps !slice sort string string_literals subclassinit super !tuple type_aliases
    type_params types typing unary unicode unpack unpack_ex userdict userlist userstring weakset
    !with yield_from bisect str argparse base64 binascii calendar colorsys context csv fnmatch
    fractions getopt glob graphlib gzip html keyword pprint queue reprlib sched secrets shlex
    statistics struct textwrap urlparse weakref zlib
";
/// Folders of data and of packages that the files use.
const FOLDERS: [&str; 5] =
    ["test_json", "test_dataclasses", "test_warnings", "typinganndata", "decimaltestdata"];
/// How long a single method may take.
const PATIENCE: Duration = Duration::from_secs(40);
const ADDRESS_SPACE_KIB: u64 = 8 << 20;
/// So many methods may take their process with them before the file is given up.
const LIVES: usize = 60;

/// What the driver told of one file.
#[derive(Debug, Default)]
struct Record {
    tests: Vec<String>,
    results: BTreeMap<String, Verdict>,
    /// The method that has begun and not ended.
    running: Option<String>,
    /// Why there are no tests, or none of a class: of a module or of `setUpClass`.
    obstacles: Vec<(String, Verdict)>,
    finished: bool,
}

pub(super) fn run(options: &Options) -> Result<Vec<Case>, String> {
    let tests = fetch::cpython(options)?;
    let home = fetch::cache().join("cpython");
    let lib = home.join("lib");
    lay_out(&tests, &lib)?;
    let skips = Skips::read(&tables().join("cpython.txt"))?;
    let oracle = home.join(format!("oracle-{:016x}", fingerprint(&options.python)?));
    fetch::make_folder(&oracle)?;
    let mut modules = modules(&lib, options.sample)?;
    // A filter names a file, or with a dot methods: then their file runs as a whole.
    modules.retain(|module| {
        options.filters.is_empty()
            || options.filters.iter().any(|part| {
                let part = part.trim_start_matches("cpython/");
                module.contains(part) || part.starts_with(&format!("{module}."))
            })
    });
    let cases = each(options, &modules, |module| {
        let expected = expected(options, &lib, &oracle, module)?;
        let command = [&*options.ms.to_string_lossy(), "--max-memory", "2G"];
        let scratch = home.join("run").join(module);
        let got = run_file(&command, &lib, &scratch, module)?;
        Ok(compare(module, &expected, &got, &skips))
    })?;
    Ok(cases.into_iter().flatten().filter(|case| options.wants(&case.name)).collect())
}

fn lay_out(tests: &Path, lib: &Path) -> Result<(), String> {
    let package = lib.join("test");
    if package.exists() {
        fs::remove_dir_all(&package).map_err(|error| format!("{}: {error}", package.display()))?;
    }
    fetch::make_folder(&package)?;
    for path in fetch::files(tests)? {
        let used =
            path.extension().is_some_and(|extension| extension == "py" || extension == "txt");
        if used && path.is_file() {
            let target = package.join(path.file_name().unwrap_or_default());
            fs::copy(&path, target).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    for folder in FOLDERS {
        fetch::copy_tree(&tests.join(folder), &package.join(folder))?;
    }
    fetch::copy_tree(&tables().join("support"), &package.join("support"))?;
    fs::write(package.join("__init__.py"), "").map_err(|error| error.to_string())?;
    let driver = tables().join("driver.py");
    fs::copy(driver, lib.join("driver.py")).map_err(|error| error.to_string())?;
    Ok(())
}

/// The modules to run: a package of tests stands for its files.
fn modules(lib: &Path, sample: bool) -> Result<Vec<String>, String> {
    let mut modules = Vec::new();
    for word in FILES.split_whitespace() {
        let name = word.trim_start_matches('!');
        if sample && name == word {
            continue;
        }
        let folder = lib.join(format!("test/test_{name}"));
        if folder.is_dir() {
            modules.push(format!("test_{name}"));
            for path in fetch::files(&folder)? {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                if stem.starts_with("test_") {
                    modules.push(format!("test_{name}.{stem}"));
                }
            }
        } else if folder.with_extension("py").is_file() {
            modules.push(format!("test_{name}"));
        }
    }
    Ok(modules)
}

/// What CPython makes of a file; kept, as long as the helpers stay the same.
fn expected(options: &Options, lib: &Path, oracle: &Path, module: &str) -> Result<Record, String> {
    let kept = oracle.join(format!("{module}.jsonl"));
    if !kept.is_file() {
        let scratch = oracle.join("run").join(module);
        run_file(&[&*options.python.to_string_lossy(), "-B"], lib, &scratch, module)?;
        fs::rename(scratch.join("record.jsonl"), &kept).map_err(|error| error.to_string())?;
    }
    let mut record = Record::default();
    record.read(&read(&kept)?);
    Ok(record)
}

/// Runs a file, in as many processes as it takes.
fn run_file(command: &[&str], lib: &Path, scratch: &Path, module: &str) -> Result<Record, String> {
    if scratch.exists() {
        fs::remove_dir_all(scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    }
    fetch::make_folder(scratch)?;
    let progress = scratch.join("record.jsonl");
    let done = scratch.join("done.txt");
    let driver = lib.join("driver.py");
    let (driver, progress_text, done_text) =
        (driver.to_string_lossy(), progress.to_string_lossy(), done.to_string_lossy());
    let mut command = command.to_vec();
    command.extend([&*driver, &*progress_text, module, &*done_text]);
    fs::write(&progress, "").map_err(|error| error.to_string())?;
    let mut record = Record::default();
    for _ in 0..LIVES {
        let names: String = record.results.keys().flat_map(|name| [name.as_str(), "\n"]).collect();
        fs::write(&done, names).map_err(|error| error.to_string())?;
        let end = watch::run(&command, scratch, &progress, PATIENCE, ADDRESS_SPACE_KIB)?;
        record = Record::default();
        record.read(&read(&progress)?);
        if record.finished {
            break;
        }
        let why = cause(end, &scratch.join("stderr.txt"));
        // What the process could not say any more is said for it.
        let line = match record.running.take() {
            Some(culprit) => json!({"end": culprit, "status": "fail", "why": why}),
            None => json!({"unusable": why, "status": "fail"}),
        };
        append(&progress, &format!("\n{line}\n"))?;
        record.read(&line.to_string());
        if record.finished {
            break;
        }
    }
    Ok(record)
}

fn append(path: &Path, text: &str) -> Result<(), String> {
    let opened = File::options().append(true).open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// How a process ended that should have gone on.
fn cause(end: End, stderr: &Path) -> String {
    let last = read(stderr).unwrap_or_default().lines().last().unwrap_or_default().to_owned();
    match end {
        End::Stuck => "HANG".to_owned(),
        End::Status(status) => match status.code() {
            Some(code) => format!("EXIT {code}: {last}"),
            None => format!("CRASH ({status}): {last}"),
        },
    }
}

impl Record {
    fn read(&mut self, lines: &str) {
        let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
        for value in lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let why = text(&value, "why").unwrap_or_default();
            let verdict = match value["status"].as_str() {
                Some("pass") => Verdict::Pass,
                Some("skip") => Verdict::Skip(why),
                _ => Verdict::Fail(why),
            };
            if let Some(name) = text(&value, "start") {
                self.running = Some(name);
            } else if let Some(name) = text(&value, "end") {
                self.running = None;
                self.results.insert(name, verdict);
            } else if let Some(name) = text(&value, "fixture") {
                // A skipped method may come without a beginning.
                if self.tests.contains(&name) {
                    self.results.insert(name, verdict);
                } else {
                    self.obstacles.push((name, verdict));
                }
            } else if let Some(why) = text(&value, "unusable") {
                let skipped = value["status"] == "skip";
                let verdict = if skipped { Verdict::Skip(why) } else { Verdict::Fail(why) };
                self.obstacles.push((String::new(), verdict));
                self.finished = true;
            } else if let Value::Array(names) = &value["tests"] {
                self.tests = names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect();
            } else if value["finished"] == true {
                self.finished = true;
            }
        }
    }

    /// Why a test was not reached: its class could not be set up, or its file.
    fn obstacle(&self, name: &str) -> Verdict {
        let class = name.rsplit_once('.').map_or(name, |(class, _)| class);
        let of_class = |(what, _): &&(String, Verdict)| what.contains(class);
        let found = self.obstacles.iter().find(of_class).or(self.obstacles.first());
        match found {
            Some((_, Verdict::Fail(why))) => Verdict::Fail(format!("not reached: {why}")),
            Some((_, verdict)) => verdict.clone(),
            None => Verdict::Fail("not found".to_owned()),
        }
    }
}

fn compare(module: &str, expected: &Record, got: &Record, skips: &Skips) -> Vec<Case> {
    let category = module.split('.').next().unwrap_or(module);
    let case = |name: &str, verdict: Verdict| Case {
        category: format!("cpython/{category}"),
        name: format!("cpython/{name}"),
        verdict,
    };
    if expected.tests.is_empty() {
        let why = match expected.obstacles.first() {
            Some((_, Verdict::Skip(why) | Verdict::Fail(why))) => why,
            _ => return Vec::new(),
        };
        return vec![case(module, Verdict::Skip(format!("CPython does not run it: {why}")))];
    }
    let verdict = |name: &String| match expected.results.get(name) {
        _ if skips.reason(name).is_some() => {
            Verdict::Skip(skips.reason(name).unwrap_or_default().to_owned())
        }
        Some(Verdict::Pass) => got.results.get(name).cloned().unwrap_or_else(|| got.obstacle(name)),
        Some(Verdict::Skip(why)) => Verdict::Skip(why.clone()),
        Some(Verdict::Fail(why)) => Verdict::Skip(format!("CPython does not pass it: {why}")),
        None => Verdict::Skip("CPython does not reach it".to_owned()),
    };
    expected.tests.iter().map(|name| case(name, verdict(name))).collect()
}

/// Tells apart what CPython's results depend on besides the files themselves.
fn fingerprint(python: &Path) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    python.hash(&mut hasher);
    let mut paths: Vec<PathBuf> = fetch::files(&tables().join("support"))?;
    paths.push(tables().join("driver.py"));
    for path in paths.iter().filter(|path| path.is_file()) {
        read(path)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_what_ended_and_what_did_not() {
        let mut record = Record::default();
        record.read(
            "{\"tests\": [\"test_x.C.a\", \"test_x.C.b\"]}\n{\"start\": \"test_x.C.a\"}\n\
             {\"end\": \"test_x.C.a\", \"status\": \"pass\", \"why\": \"\"}\n\
             {\"start\": \"test_x.C.b\"}\n{\"end\": \"tes",
        );
        assert_eq!(record.results.get("test_x.C.a"), Some(&Verdict::Pass));
        assert_eq!(record.running.as_deref(), Some("test_x.C.b"));
        assert!(!record.finished);
    }

    #[test]
    fn what_cpython_does_not_pass_is_skipped_and_what_is_not_reached_fails() {
        let mut expected = Record::default();
        expected.read(
            "{\"tests\": [\"test_x.C.a\", \"test_x.C.b\"]}\n\
             {\"end\": \"test_x.C.a\", \"status\": \"pass\", \"why\": \"\"}\n\
             {\"end\": \"test_x.C.b\", \"status\": \"fail\", \"why\": \"no\"}\n",
        );
        let mut got = Record::default();
        got.read("{\"unusable\": \"ImportError: no\", \"status\": \"fail\"}\n");
        let cases = compare("test_x", &expected, &got, &Skips::default());
        let why = "not reached: ImportError: no".to_owned();
        assert_eq!(cases[0].verdict, Verdict::Fail(why));
        assert!(matches!(cases[1].verdict, Verdict::Skip(_)));
    }
}
