//! `ms ext build`: an extension's project into its library, with cargo or the C compiler.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miniscript_engine::registry::{file_name, module_of, read_note};
use serde::Deserialize;

use super::args::BuildOptions;
use super::sdk::Sdk;
use super::{Complaint, reason, refusal};

/// The file that makes a folder an extension's project.
pub const MANIFEST: &str = "ext.toml";

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// Its module.
    pub name: String,
    /// The library.
    pub library: PathBuf,
    version: String,
}

impl Built {
    /// What to tell.
    pub fn summary(&self) -> String {
        format!("built {} {}: {}\n", self.name, self.version, self.library.display())
    }
}

/// What `ext.toml` says about building.
#[derive(Debug, Default, Deserialize)]
struct Project {
    #[serde(default)]
    name: String,
    build: Option<Recipe>,
}

/// How a C extension is compiled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    sources: Vec<PathBuf>,
    #[serde(default)]
    flags: Vec<String>,
}

/// Builds the project of a folder.
pub fn build(options: &BuildOptions) -> Result<Built, Complaint> {
    let folder = options.folder.as_deref().unwrap_or(Path::new("."));
    let folder = folder
        .canonicalize()
        .map_err(|error| format!("cannot use '{}': {}", folder.display(), reason(&error)))?;
    let project = read_project(&folder)?;
    let library = match &project.build {
        _ if folder.join("Cargo.toml").is_file() => with_cargo(&folder, options)?,
        Some(recipe) => with_cc(&folder, &project.name, recipe, options.debug)?,
        None => {
            let text = format!(
                "nothing says how to build {}: it has no Cargo.toml, and its {MANIFEST} no [build] \
                 with sources",
                folder.display()
            );
            return Err(text.into());
        }
    };
    let name = library.file_name().and_then(module_of).unwrap_or_default().to_owned();
    let note = read_note(&library).map_err(|error| refusal(&error))?;
    note.check(&library, &name).map_err(|error| refusal(&error))?;
    if !project.name.is_empty() && project.name != name {
        let text = format!("{MANIFEST} is about '{}', the library is '{name}'", project.name);
        return Err(text.into());
    }
    Ok(Built { name, library, version: note.version })
}

fn read_project(folder: &Path) -> Result<Project, Complaint> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!(
            "no {MANIFEST} in {}: it is no extension's project; 'ms ext new' makes one",
            folder.display()
        ),
        _ => format!("cannot read '{}': {}", path.display(), reason(&error)),
    })?;
    toml::from_str(&text)
        .map_err(|error| format!("{}: {}", path.display(), error.to_string().trim()).into())
}

// ---- Rust ----

/// Builds with cargo; the library among what it made.
fn with_cargo(folder: &Path, options: &BuildOptions) -> Result<PathBuf, Complaint> {
    check_sdk_path(folder)?;
    let cargo = tool("CARGO", "cargo");
    let mut command = Command::new(&cargo[0]);
    command.args(&cargo[1..]);
    command.args(["build", "--message-format=json-render-diagnostics"]).current_dir(folder);
    if !options.debug {
        command.arg("--release");
    }
    if options.offline {
        command.arg("--offline");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| missing(&cargo[0], "Rust (https://rustup.rs)", "CARGO", &error))?;
    let mut library = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            library = library_of(&line, folder).or(library);
        }
    }
    let status = child.wait().map_err(|error| format!("lost cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo could not build {}", folder.display()).into());
    }
    library.ok_or_else(|| {
        let text = format!(
            "cargo built no extension: the package needs a [lib] with name = \"ms_NAME\" and \
             crate-type = [\"cdylib\"] in {}",
            folder.join("Cargo.toml").display()
        );
        text.into()
    })
}

/// The library of a message of cargo, if it is about this package's.
fn library_of(message: &str, folder: &Path) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let of_package = message["manifest_path"].as_str().map(Path::new)?.parent()? == folder;
    if message["reason"] != "compiler-artifact" || !of_package {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(|name| name.as_str());
    files.map(PathBuf::from).find(|path| path.file_name().and_then(module_of).is_some())
}

/// A project names the SDK by its path, which an installation may have left.
fn check_sdk_path(folder: &Path) -> Result<(), Complaint> {
    let file = folder.join("Cargo.toml");
    // What is wrong with the file itself, cargo tells better.
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let Ok(table) = toml::from_str::<toml::Table>(&text) else { return Ok(()) };
    let path = table
        .get("dependencies")
        .and_then(|all| all.get("miniscript-sdk"))
        .and_then(|sdk| sdk.get("path"))
        .and_then(|path| path.as_str());
    let Some(path) = path else { return Ok(()) };
    if folder.join(path).join("Cargo.toml").is_file() {
        return Ok(());
    }
    let mut text = format!("{}: no SDK at '{path}'", file.display());
    if let Ok(sdk) = Sdk::find() {
        let here = sdk.package.display();
        text += &format!("\n  mend: path of miniscript-sdk; this MiniScript's SDK is at {here}");
    }
    Err(text.into())
}

// ---- C ----

/// Compiles into `build/`. The library is put in place whole: one that is in use stays as it is.
fn with_cc(folder: &Path, name: &str, recipe: &Recipe, debug: bool) -> Result<PathBuf, Complaint> {
    let file = file_name(name);
    if module_of(file.as_ref()).is_none() {
        return Err(format!("{MANIFEST} has no 'name' that can be imported").into());
    }
    if recipe.sources.is_empty() {
        return Err(format!("{MANIFEST} names no sources").into());
    }
    let sdk = Sdk::find()?;
    let place = folder.join("build");
    let made = place.join(format!("{file}.new"));
    fs::create_dir_all(&place)
        .map_err(|error| format!("cannot make '{}': {}", place.display(), reason(&error)))?;
    let cc = tool("CC", "cc");
    let mut command = Command::new(&cc[0]);
    command.args(&cc[1..]).args(["-shared", "-fPIC"]);
    command.arg(if debug { "-g" } else { "-O2" }).args(words("CFLAGS"));
    command.arg("-I").arg(&sdk.include).arg("-o").arg(&made);
    command.args(recipe.sources.iter().map(|source| folder.join(source))).args(&recipe.flags);
    let status = command
        .stdin(Stdio::null())
        .current_dir(folder)
        .status()
        .map_err(|error| missing(&cc[0], "a C compiler", "CC", &error))?;
    if !status.success() {
        // What is left of it is of no use.
        let _ = fs::remove_file(&made);
        return Err(format!("{} could not build {}", shown(&cc[0]), folder.display()).into());
    }
    let library = place.join(file);
    fs::rename(&made, &library)
        .map_err(|error| format!("cannot write '{}': {}", library.display(), reason(&error)))?;
    Ok(library)
}

/// A program and its first arguments: those of a variable, or the usual one.
fn tool(variable: &str, usual: &str) -> Vec<OsString> {
    let words = words(variable);
    if words.is_empty() { vec![usual.into()] } else { words }
}

fn words(variable: &str) -> Vec<OsString> {
    let text = std::env::var(variable).unwrap_or_default();
    text.split_whitespace().map(OsString::from).collect()
}

fn missing(program: &OsString, what: &str, variable: &str, error: &std::io::Error) -> Complaint {
    let program = shown(program);
    match error.kind() {
        ErrorKind::NotFound => {
            format!("'{program}' is not there; install {what}, or name another with {variable}")
        }
        _ => format!("cannot run '{program}': {}", reason(error)),
    }
    .into()
}

fn shown(program: &OsString) -> String {
    program.to_string_lossy().into_owned()
}
