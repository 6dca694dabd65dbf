//! Where extensions are looked for, and under which file names.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Why a folder is on the search path. Extensions of the installation are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `--ext-path`
    Option,
    /// `MS_EXT_PATH`
    Environment,
    /// `ms_modules` of the project
    Project,
    /// What the user installed for all projects
    User,
    /// `../lib/miniscript/abi1` beside the executable
    Installation,
    /// The `deps` folder of a cargo target directory
    BuildTree,
}

impl Origin {
    /// One or two words for a person.
    pub fn describe(self) -> &'static str {
        match self {
            Origin::Option => "--ext-path",
            Origin::Environment => "MS_EXT_PATH",
            Origin::Project => "project",
            Origin::User => "user",
            Origin::Installation => "installation",
            Origin::BuildTree => "build tree",
        }
    }
}

/// An ordered list of folders.
#[derive(Debug, Clone, Default)]
pub struct SearchPath {
    folders: Vec<(Origin, PathBuf)>,
}

/// A library file on the search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Absolute path.
    pub path: PathBuf,
    /// Why its folder was searched.
    pub origin: Origin,
}

/// Name of the library file of a module on this system.
pub fn file_name(name: &str) -> String {
    format!("{}{name}.{}", prefix(), std::env::consts::DLL_EXTENSION)
}

fn prefix() -> &'static str {
    if cfg!(windows) { "ms_" } else { "libms_" }
}

/// Where extensions lie that a user installed for all projects.
pub fn user_folder() -> Option<PathBuf> {
    let data = match std::env::var_os("XDG_DATA_HOME").map(PathBuf::from) {
        Some(folder) if folder.is_absolute() => folder,
        _ => std::env::home_dir().filter(|home| home.is_absolute())?.join(".local/share"),
    };
    Some(data.join("miniscript").join(abi_folder()))
}

/// The folder of a project where its extensions lie.
pub fn project_folder(root: &Path) -> PathBuf {
    root.join("ms_modules")
}

fn abi_folder() -> String {
    format!("abi{}", miniscript_abi::MS_ABI_MAJOR)
}

/// The module that a library file is named after.
pub fn module_of(file: &OsStr) -> Option<&str> {
    let stem = file.to_str()?.strip_prefix(prefix())?;
    let name = stem.strip_suffix(std::env::consts::DLL_EXTENSION)?.strip_suffix('.')?;
    is_module_name(name).then_some(name)
}

/// Names are identifiers, so that they can be imported and cannot leave the folder.
pub fn is_module_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}

impl SearchPath {
    /// The standard path: the given folders, `MS_EXT_PATH`, `ms_modules` of the project, the
    /// user's own, then what lies beside the executable.
    pub fn standard(given: &[PathBuf], project: Option<&Path>) -> Self {
        let mut search = Self::default();
        for folder in given {
            search.push(Origin::Option, folder);
        }
        if let Some(list) = std::env::var_os("MS_EXT_PATH") {
            for folder in std::env::split_paths(&list) {
                search.push(Origin::Environment, &folder);
            }
        }
        if let Some(project) = project {
            search.push(Origin::Project, &project_folder(project));
        }
        if let Some(folder) = user_folder() {
            search.push(Origin::User, &folder);
        }
        // `current_exe` may name a symbolic link to the installation.
        if let Ok(executable) = std::env::current_exe().and_then(|path| path.canonicalize()) {
            search.push_beside(&executable);
        }
        search
    }

    /// Adds what an executable at this (resolved) path brings along.
    pub fn push_beside(&mut self, executable: &Path) {
        let Some(folder) = executable.parent() else { return };
        if let Some(root) = folder.parent() {
            let installed = root.join("lib/miniscript").join(abi_folder());
            self.push(Origin::Installation, &installed);
        }
        // target/debug/ms, or a test in target/debug/deps.
        let deps = if folder.file_name() == Some(OsStr::new("deps")) {
            folder.to_owned()
        } else {
            folder.join("deps")
        };
        let in_target = deps.parent().is_some_and(|profile| profile.join(".fingerprint").is_dir());
        if in_target {
            self.push(Origin::BuildTree, &deps);
        }
    }

    /// Adds a folder. An empty name (a stray separator in a list) is not the current folder.
    pub fn push(&mut self, origin: Origin, folder: &Path) {
        if folder.as_os_str().is_empty() {
            return;
        }
        if let Ok(folder) = std::path::absolute(folder) {
            self.folders.push((origin, folder));
        }
    }

    /// The folders in their order.
    pub fn folders(&self) -> impl Iterator<Item = (Origin, &Path)> {
        self.folders.iter().map(|(origin, folder)| (*origin, folder.as_path()))
    }

    /// The files that an import of `name` looks for, in their order.
    pub fn candidates(&self, name: &str) -> Vec<PathBuf> {
        if !is_module_name(name) {
            return Vec::new();
        }
        let file = file_name(name);
        self.folders.iter().map(|(_, folder)| folder.join(&file)).collect()
    }

    /// The first file for `name`.
    pub fn find(&self, name: &str) -> Option<Found> {
        if !is_module_name(name) {
            return None;
        }
        let file = file_name(name);
        self.folders
            .iter()
            .map(|(origin, folder)| Found { path: folder.join(&file), origin: *origin })
            .find(|found| found.path.is_file())
    }

    /// All files that are named like an extension, with their modules, in the order of search.
    pub fn all(&self) -> Vec<(String, Found)> {
        let mut all = Vec::new();
        for (origin, folder) in &self.folders {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            let mut files = BTreeMap::new();
            for entry in entries.flatten() {
                let file = entry.file_name();
                if let Some(name) = module_of(&file)
                    && entry.path().is_file()
                {
                    files.insert(name.to_owned(), entry.path());
                }
            }
            all.extend(
                files.into_iter().map(|(name, path)| (name, Found { path, origin: *origin })),
            );
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_and_modules_agree() {
        let file = file_name("geo");
        assert_eq!(module_of(OsStr::new(&file)), Some("geo"));
        assert_eq!(module_of(OsStr::new("libother.so")), None);
        assert_eq!(module_of(OsStr::new(&file_name("../geo"))), None);
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let mut search = SearchPath::default();
        search.push(Origin::Option, Path::new("/tmp"));
        assert!(search.candidates("../x").is_empty());
        assert!(search.candidates("").is_empty());
        assert_eq!(search.candidates("x"), [Path::new("/tmp").join(file_name("x"))]);
    }

    #[test]
    fn an_empty_entry_is_not_the_current_folder() {
        let mut search = SearchPath::default();
        search.push(Origin::Environment, Path::new(""));
        assert_eq!(search.folders().count(), 0);
    }

    #[test]
    fn the_first_folder_wins() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(b.path().join(file_name("one")), "").unwrap();
        let mut search = SearchPath::default();
        search.push(Origin::Option, a.path());
        search.push(Origin::Project, b.path());
        assert_eq!(search.find("one").map(|found| found.origin), Some(Origin::Project));
        std::fs::write(a.path().join(file_name("one")), "").unwrap();
        assert_eq!(search.find("one").map(|found| found.origin), Some(Origin::Option));
        assert_eq!(search.all().len(), 2);
    }
}
