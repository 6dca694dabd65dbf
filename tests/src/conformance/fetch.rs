//! Brings the suites to the cache, each by the ordinary client of where it is published.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Options;

/// The source package of Debian 13 that holds MicroPython's tests.
const MICROPYTHON: &str = "micropython";
const DEBIAN: &str = "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                      http://deb.debian.org/debian trixie main\n";

/// Where everything is kept between runs.
pub(super) fn cache() -> PathBuf {
    crate::workspace_root().join("target/conformance")
}

/// The folder of MicroPython's tests.
pub(super) fn micropython(options: &Options) -> Result<PathBuf, String> {
    let home = cache().join("micropython");
    if let Some(tests) = unpacked(&home) {
        return Ok(tests);
    }
    if options.offline {
        return Err("not in the cache, and nothing is downloaded in this run".to_owned());
    }
    let apt = home.join("apt");
    for folder in ["lists", "cache/archives/partial"] {
        make_folder(&apt.join(folder))?;
    }
    let write = |name: &str, text: &str| {
        fs::write(apt.join(name), text).map_err(|error| format!("{name}: {error}"))
    };
    write("sources.list", DEBIAN)?;
    let place = apt.display();
    write(
        "apt.conf",
        &format!(
            "Dir::Etc::sourcelist \"{place}/sources.list\";\nDir::Etc::sourceparts \"-\";\n\
             Dir::State::Lists \"{place}/lists\";\nDir::Cache \"{place}/cache\";\n"
        ),
    )?;
    do_in(&apt, "apt-get", &["-c", "apt.conf", "--quiet", "update"])?;
    let source = ["-c", "apt.conf", "--quiet", "source", "--download-only", MICROPYTHON];
    do_in(&apt, "apt-get", &source)?;
    let archive = files(&apt)?
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(".orig.tar.xz"))
        .ok_or("the source package holds no .orig.tar.xz")?;
    do_in(&home, "tar", &["-xf", &archive.to_string_lossy()])?;
    unpacked(&home).ok_or_else(|| "the source package holds no tests".to_owned())
}

/// The folder of CPython's tests: the ones of the CPython that judges.
pub(super) fn cpython(options: &Options) -> Result<PathBuf, String> {
    let find = "import sys, test; print(sys.version_info[:2] == (3, 12), list(test.__path__)[0])";
    let output = Command::new(&options.python)
        .args(["-I", "-c", find])
        .output()
        .map_err(|error| format!("cannot start {}: {error}", options.python.display()))?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let Some(folder) = found.strip_prefix("True ") else {
        return Err(format!("{} is no CPython 3.12 with its tests", options.python.display()));
    };
    let folder = PathBuf::from(folder);
    if folder.join("test_grammar.py").is_file() {
        Ok(folder)
    } else {
        Err(format!("{} holds no tests", folder.display()))
    }
}

/// All files and folders right in a folder, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// Copies what a folder holds, and its folders' files.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    make_folder(to)?;
    for path in files(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if !path.is_dir() {
            fs::copy(&path, &target).map_err(|error| format!("{}: {error}", path.display()))?;
        } else if !path.ends_with("__pycache__") {
            copy_tree(&path, &target)?;
        }
    }
    Ok(())
}

pub(super) fn make_folder(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn unpacked(home: &Path) -> Option<PathBuf> {
    let folders = files(home).ok()?;
    folders.into_iter().map(|path| path.join("tests")).find(|path| path.join("basics").is_dir())
}

fn do_in(folder: &Path, program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{program} {}: {}", args.join(" "), stderr.trim()))
    }
}
