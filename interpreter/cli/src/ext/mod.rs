//! `ms ext`: looking at extensions, making, building and installing them.
//!
//! ```text
//! args      the command line of each
//! list      sections and manifests of what is on the path; opens nothing
//! info      what a library offers;  check: whether it can be used
//! probe     opens a library in a child process;  describe: what the child tells
//! new       a project out of a template;  build: cargo or cc;  install: checked, then copied
//! sdk       where headers and the Rust SDK lie
//! ```
//!
//! A library is opened in a child process and never here: its code runs when it is opened.

mod args;
mod build;
mod check;
mod describe;
mod info;
mod install;
mod list;
mod new;
mod probe;
mod sdk;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use miniscript_engine::bundled_modules;
use miniscript_engine::project_root;
use miniscript_engine::registry::{
    LoadError, Origin, Registry, SearchPath, file_name, is_module_name, module_of,
};

pub use args::{ExtCommand, HELP, parse};

/// Why a command did not do its work: a text for standard error, of one line or more.
#[derive(Debug)]
pub struct Complaint(String);

impl<T: Into<String>> From<T> for Complaint {
    fn from(text: T) -> Complaint {
        Complaint(text.into())
    }
}

/// What a command prints, or why it could not.
type Outcome = Result<String, Complaint>;

/// Runs a command; the exit status is 0, or 1 when something is wrong with an extension, a file
/// or a tool.
pub fn run(command: ExtCommand, folders: &[PathBuf]) -> u8 {
    let outcome = match command {
        ExtCommand::Help => Ok(HELP.to_owned()),
        ExtCommand::List { json } => list::list(&registry(folders), json),
        ExtCommand::Info { what, json } => info::info(&registry(folders), &what, json),
        ExtCommand::Check { what, json, verbose } => {
            let (text, good) = check::check(&registry(folders), &what, json, verbose);
            return if say(&text) && good { 0 } else { 1 };
        }
        ExtCommand::New(options) => new::new(&options),
        ExtCommand::Build(options) => build::build(&options).map(|built| built.summary()),
        ExtCommand::Install(options) => install::install(&options, folders),
        ExtCommand::Probe(request) => return probe::child(&request, folders),
    };
    match outcome {
        Ok(text) => u8::from(!say(&text)),
        Err(Complaint(text)) => {
            eprintln!("ms: {}", text.trim_end());
            1
        }
    }
}

fn say(text: &str) -> bool {
    std::io::stdout().write_all(text.as_bytes()).is_ok()
}

/// What programs of the current folder's project find.
fn registry(folders: &[PathBuf]) -> Registry {
    Registry::new(SearchPath::standard(folders, current_project().as_deref()))
}

/// The folders of a search path.
fn folders_of(registry: &Registry) -> Vec<PathBuf> {
    registry.search().folders().map(|(_, folder)| folder.to_owned()).collect()
}

fn current_project() -> Option<PathBuf> {
    project_root(&std::env::current_dir().ok()?)
}

/// A library that was named on the command line.
#[derive(Debug)]
struct Target {
    name: String,
    path: PathBuf,
    origin: Option<Origin>,
}

/// The library that a NAME or a FILE means.
fn resolve(registry: &Registry, what: &OsStr) -> Result<Target, Complaint> {
    if let Some(name) = what.to_str().filter(|text| is_module_name(text)) {
        refuse_bundled(name)?;
        let Some(found) = registry.find(name) else { return Err(not_found(registry, name)) };
        let (path, origin) = (found.path, Some(found.origin));
        return Ok(Target { name: name.to_owned(), path, origin });
    }
    let path = Path::new(what);
    let name = file_module(path)?;
    let path = path
        .canonicalize()
        .map_err(|error| format!("cannot read '{}': {}", path.display(), reason(&error)))?;
    Ok(Target { name, path, origin: None })
}

/// The module that a library file is for.
fn file_module(path: &Path) -> Result<String, Complaint> {
    let shown = path.display();
    let meta =
        path.metadata().map_err(|error| format!("cannot read '{shown}': {}", reason(&error)))?;
    if !meta.is_file() {
        return Err(format!("'{shown}' is not a file; a library is meant").into());
    }
    let Some(name) = path.file_name().and_then(module_of) else {
        let wanted = file_name("NAME");
        return Err(format!("'{shown}' is not named as an extension is: {wanted}").into());
    };
    refuse_bundled(name)?;
    Ok(name.to_owned())
}

fn refuse_bundled(name: &str) -> Result<(), Complaint> {
    if bundled_modules().any(|bundled| bundled == name) {
        let text = format!("'{name}' is a module of MiniScript itself and comes before extensions");
        return Err(text.into());
    }
    Ok(())
}

fn not_found(registry: &Registry, name: &str) -> Complaint {
    let mut text = format!("no extension '{name}'; looked for {} in", file_name(name));
    for (origin, folder) in registry.search().folders() {
        let _ = write!(text, "\n  {} ({})", folder.display(), origin.describe());
    }
    text.into()
}

/// A refusal as the loader words it, under the file's name.
fn refusal(error: &LoadError) -> Complaint {
    error.to_string().into()
}

/// The system's words for an error, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A path as JSON text; what is not Unicode is replaced.
fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A value as JSON over several lines.
fn pretty(value: &impl serde::Serialize) -> Outcome {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}
