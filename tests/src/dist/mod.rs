//! `dist/`: the product as it is installed.
//!
//! ```text
//! bin/ms
//! lib/libminiscript.so, .a          the C API
//! lib/miniscript/abi1/libms_*.so    the extensions that we ship
//! lib/miniscript/frozen/*.msc       the bundled modules, compiled
//! include/*.h                       for embedders and for extensions in C
//! share/miniscript/sdk              the SDK for extensions in Rust, as sources
//! share/miniscript/examples, share/doc/miniscript, LICENSE
//! ```
//!
//! It works from wherever it is put: what belongs together is found beside the executable.

mod notices;
mod sdk;

use std::env::consts::{DLL_EXTENSION, DLL_PREFIX, EXE_SUFFIX};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Packages to build before [`make`].
pub const PACKAGES: [&str; 2] = ["miniscript-cli", "miniscript-capi"];

/// The folder of the extensions, for this ABI.
pub const EXTENSIONS: &str = "lib/miniscript/abi1";

/// Makes `out` from what was built into `profile_dir` (`target/release`). What `out` was before is
/// replaced if it was such a folder; anything else is left alone, and is an error.
pub fn make(root: &Path, profile_dir: &Path, out: &Path) -> Result<(), String> {
    if out.exists() && !is_dist(out) && !is_empty(out) {
        return Err(format!("{} exists and is no earlier dist", out.display()));
    }
    let new = with_suffix(out, ".new");
    remove(&new)?;
    fill(root, profile_dir, &new)?;
    let old = with_suffix(out, ".old");
    remove(&old)?;
    if out.exists() {
        rename(out, &old)?;
    }
    rename(&new, out)?;
    remove(&old)
}

fn fill(root: &Path, profile_dir: &Path, out: &Path) -> Result<(), String> {
    copy(&profile_dir.join(format!("ms{EXE_SUFFIX}")), &out.join(format!("bin/ms{EXE_SUFFIX}")))?;
    for name in [
        format!("{DLL_PREFIX}miniscript.{}", DLL_EXTENSION),
        (if cfg!(windows) { "miniscript.lib" } else { "libminiscript.a" }).to_owned(),
    ] {
        copy(&profile_dir.join(&name), &out.join("lib").join(&name))?;
    }
    for extension in shipped(root)? {
        let prefix = if cfg!(windows) { "" } else { "lib" };
        let name = format!("{prefix}ms_{extension}.{DLL_EXTENSION}");
        copy(&profile_dir.join("deps").join(&name), &out.join(EXTENSIONS).join(&name))?;
    }
    miniscript_engine::freeze_bundled(&out.join("lib/miniscript"))
        .map_err(|e| format!("bundled modules: {e}"))?;
    for folder in ["ext-sdk/include", "interpreter/capi/include"] {
        copy_tree(&root.join(folder), &out.join("include"), &|file| has_extension(file, "h"))?;
    }
    sdk::make(root, &out.join("share/miniscript/sdk"))?;
    let examples = out.join("share/miniscript/examples");
    copy_tree(&root.join("examples"), &examples, &|_| true)?;
    let documents = out.join("share/doc/miniscript");
    copy_tree(&root.join("docs"), &documents.join("docs"), &|file| has_extension(file, "md"))?;
    for file in ["README.md", "CHANGELOG.md", "LICENSE"] {
        copy(&root.join(file), &documents.join(file))?;
    }
    copy(&root.join("LICENSE"), &out.join("LICENSE"))?;
    write(&documents.join("THIRD-PARTY.txt"), &notices::collect(root, &PACKAGES)?)
}

/// The extensions that the command brings along: those that its package depends on.
fn shipped(root: &Path) -> Result<Vec<String>, String> {
    let manifest = sdk::manifest(&root.join("interpreter/cli"))?;
    let dependencies = manifest.get("dependencies").and_then(|table| table.as_table());
    let names = dependencies.into_iter().flat_map(|table| table.keys());
    let names: Vec<String> =
        names.filter_map(|name| name.strip_prefix("ms-ext-")).map(str::to_owned).collect();
    if names.is_empty() { Err("the command has no extensions".to_owned()) } else { Ok(names) }
}

fn is_dist(folder: &Path) -> bool {
    folder.join("bin").is_dir() && folder.join("include/ms_ext.h").is_file()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

fn has_extension(file: &Path, wanted: &str) -> bool {
    file.extension().is_some_and(|extension| extension == wanted)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

// ---- files, with errors that name them ----

fn failed(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> String {
    let path = path.display().to_string();
    let verb = verb.to_owned();
    move |error| format!("cannot {verb} {path}: {error}")
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(failed("write", to))
}

fn make_parent(path: &Path) -> Result<(), String> {
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed("make the folder of", path))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    make_parent(path)?;
    fs::write(path, text).map_err(failed("write", path))
}

/// Copies with permissions and time: cargo tells by the time whether a source has changed.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    make_parent(to)?;
    fs::copy(from, to).map_err(failed("copy", from))?;
    let modified = from.metadata().and_then(|meta| meta.modified());
    let set = |time| fs::File::options().append(true).open(to)?.set_modified(time);
    modified.and_then(set).map_err(failed("date", to))
}

/// Copies the files of a folder and of those in it.
fn copy_tree(from: &Path, to: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<(), String> {
    for entry in fs::read_dir(from).map_err(failed("read", from))? {
        let path = entry.map_err(failed("read", from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.ends_with("__mscache__") {
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &target, wanted)?;
        } else if wanted(&path) {
            copy(&path, &target)?;
        }
    }
    Ok(())
}
