//! `ms ext new`: a project for an extension, which builds against this installation.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use miniscript_engine::bundled_modules;
use miniscript_syntax::ast::Mode;

use super::args::{Language, NewOptions};
use super::sdk::Sdk;
use super::{Complaint, Outcome, reason};

/// The note holds names of 63 bytes.
const NAME_LIMIT: usize = 63;

/// Extensions that come with every MiniScript.
const OURS: [&str; 3] = ["file", "http", "math"];

type Template = (&'static str, &'static str);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("templates/", $path, ".txt"))
    };
}

const SHARED: [Template; 3] = [
    ("ms.toml", template!("ms.toml")),
    (".gitignore", template!("gitignore")),
    ("README.md", template!("README.md")),
];

const RUST: [Template; 4] = [
    ("Cargo.toml", template!("rust/Cargo.toml")),
    ("src/lib.rs", template!("rust/lib.rs")),
    ("ext.toml", template!("rust/ext.toml")),
    ("example.ms", template!("rust/example.ms")),
];

const C: [Template; 3] = [
    ("@NAME@.c", template!("c/ext.c")),
    ("ext.toml", template!("c/ext.toml")),
    ("example.ms", template!("c/example.ms")),
];

/// Makes the project; nothing that exists is changed.
pub fn new(options: &NewOptions) -> Outcome {
    let name = &options.name;
    check_name(name)?;
    let sdk = Sdk::find()?;
    let folder = options.path.clone().unwrap_or_else(|| PathBuf::from(name));
    let shown = folder.display();
    claim(&folder)?;
    let own: &[Template] = match options.language {
        Language::Rust => &RUST,
        Language::C => &C,
    };
    let package = quoted(&sdk.package)?;
    for (file, text) in SHARED.iter().chain(own) {
        let text = text.replace("@NAME@", name).replace("@SDK@", &package);
        write(&folder.join(file.replace("@NAME@", name)), &text)?;
    }
    if options.language == Language::Rust {
        // The versions that the SDK was tested with, which are those that are downloaded
        // already where MiniScript was built; cargo drops the rest.
        match fs::read_to_string(&sdk.lock) {
            Ok(lock) => write(&folder.join("Cargo.lock"), &lock)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(cannot("read", &sdk.lock, &error)),
        }
    }
    let go_there = if folder.as_os_str() == "." { String::new() } else { format!("cd {shown}; ") };
    Ok(format!("made {shown}\nnext: {go_there}ms ext install; ms example.ms\n"))
}

/// A name must be importable, and be fit for a file, a symbol and a package.
fn check_name(name: &str) -> Result<(), Complaint> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let problem = if name.is_empty() {
        "it is empty"
    } else if !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
        "a name has lower-case letters, digits and underscores, and starts with no digit"
    } else if name.len() > NAME_LIMIT {
        "a name has at most 63 letters"
    } else if miniscript_syntax::parse(&format!("import {name}\n"), Mode::Module).is_err() {
        "it is a keyword"
    } else if bundled_modules().any(|bundled| bundled == name) || OURS.contains(&name) {
        "it is a module of MiniScript"
    } else {
        return Ok(());
    };
    Err(format!("cannot call an extension '{name}': {problem}").into())
}

/// Makes the folder, or takes an empty one; a new repository counts as empty.
fn claim(folder: &Path) -> Result<(), Complaint> {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".git")) {
                return Ok(());
            }
            let shown = folder.display();
            Err(format!("'{shown}' exists and is not empty; choose another with --path").into())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(folder).map_err(|error| cannot("make", folder, &error))
        }
        Err(error) => Err(cannot("use", folder, &error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Complaint> {
    let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
    parent.and_then(|()| fs::write(path, text)).map_err(|error| cannot("write", path, &error))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Complaint {
    format!("cannot {verb} '{}': {}", path.display(), reason(error)).into()
}

/// A path as a TOML string, whose escapes are those of JSON.
fn quoted(path: &Path) -> Result<String, Complaint> {
    let text = path.to_str().ok_or("the path of this installation is not Unicode")?;
    serde_json::to_string(text).map_err(|error| error.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_be_importable() {
        for good in ["geo", "_x9", "match", "print"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "9a", "Geo", "a-b", "../x", "a.b", "gé", "class", "None", "sys", "math"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name(&"x".repeat(63)).is_ok());
        assert!(check_name(&"x".repeat(64)).is_err());
    }
}
