//! Extensions: finding, checking, loading and describing them.
//!
//! A library is read as data first ([`note`]): what can be refused without running any of its
//! code (even a constructor) is refused then. Only then it is opened ([`load`]), its layouts and
//! tables are checked ([`descriptor`]), and it is kept for the life of the process: a library is
//! never closed. One library is loaded once, whatever the number of VMs; what a VM does with the
//! tables is not this module's business.

mod descriptor;
mod error;
mod load;
mod manifest;
mod note;
mod search;

pub use descriptor::{Class, Constant, Extension, Function, Parameter};
pub use error::{LoadError, Problem};
pub use load::host_glibc;
pub use manifest::Manifest;
pub use note::{Language, Note, read_note};
pub use search::{
    Found, Origin, SearchPath, file_name, is_module_name, module_of, project_folder, user_folder,
};

use miniscript_abi::MsExt;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Libraries that this process has loaded, by canonical path.
static LOADED: Mutex<Option<HashMap<PathBuf, &'static Extension>>> = Mutex::new(None);

/// The extensions that one engine can import.
#[derive(Debug, Default)]
pub struct Registry {
    search: SearchPath,
    linked: Vec<&'static Extension>,
}

/// One line of `ms ext list`.
#[derive(Debug)]
pub struct Listed {
    /// Name of the module.
    pub name: String,
    /// Where it was found.
    pub found: Found,
    /// What its note says, or why it cannot be used.
    pub note: Result<Note, LoadError>,
    /// Its manifest, if there is one beside it.
    pub manifest: Option<Manifest>,
}

impl Registry {
    /// A registry with a search path.
    pub fn new(search: SearchPath) -> Self {
        Self { search, linked: Vec::new() }
    }

    /// The search path.
    pub fn search(&self) -> &SearchPath {
        &self.search
    }

    /// Adds an extension that is linked into the program, by its descriptor.
    ///
    /// # Errors
    /// As for a library whose descriptor is not right.
    pub fn link(&mut self, descriptor: &'static MsExt) -> Result<(), LoadError> {
        let extension = descriptor::describe_static(descriptor)?;
        self.linked.retain(|known| known.name != extension.name);
        self.linked.push(extension);
        Ok(())
    }

    /// Where an import of `name` would find an extension, without opening anything.
    pub fn find(&self, name: &str) -> Option<Found> {
        self.search.find(name)
    }

    /// Whether an extension of this name is linked into the program.
    pub fn is_linked(&self, name: &str) -> bool {
        self.linked.iter().any(|known| known.name == name)
    }

    /// Loads an extension by name: a linked one, else the first on the search path.
    ///
    /// # Errors
    /// [`Problem::NotFound`] with the places tried, or why the library cannot be used.
    pub fn load(&self, name: &str) -> Result<&'static Extension, LoadError> {
        if let Some(linked) = self.linked.iter().find(|known| known.name == name) {
            return Ok(linked);
        }
        match self.search.find(name) {
            Some(found) => load_file(&found.path, name),
            None => Err(LoadError::not_found(name, self.search.candidates(name))),
        }
    }

    /// All extensions on the search path, by sections and manifests only; nothing is opened. The
    /// first of a name is the one that an import takes.
    pub fn list(&self) -> Vec<Listed> {
        let mut list: Vec<Listed> = Vec::new();
        for (name, found) in self.search.all() {
            if list.iter().any(|known| known.name == name) {
                continue;
            }
            let note = read_note(&found.path).and_then(|note| {
                note.check(&found.path, &name)?;
                Ok(note)
            });
            let manifest = Manifest::beside(&found.path);
            list.push(Listed { name, found, note, manifest });
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }
}

/// Loads a library file as the module `name`, once for the process.
///
/// # Errors
/// Why the library cannot be used.
pub fn load_file(path: &Path, name: &str) -> Result<&'static Extension, LoadError> {
    let path = path
        .canonicalize()
        .map_err(|error| LoadError::new(path, Problem::Unreadable(error.to_string())))?;
    // Loading runs under the lock: two threads that import the same library wait for one load.
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_with(HashMap::new);
    if let Some(known) = loaded.get(&path) {
        if known.name != name {
            let problem = Problem::Name { found: known.name.to_owned(), wanted: name.to_owned() };
            return Err(LoadError::new(&path, problem));
        }
        return Ok(known);
    }
    let note = read_note(&path)?;
    note.check(&path, name)?;
    let descriptor = load::open(&path, &note)?;
    let extension = descriptor::describe(descriptor, &path, &note)?;
    loaded.insert(path, extension);
    Ok(extension)
}
