//! Projects: the folder around a program that has an `ms.toml`, and what it brings along.

use std::path::{Path, PathBuf};

/// The file that marks the root of a project.
pub const PROJECT_FILE: &str = "ms.toml";

/// The root of the project that a folder lies in: the nearest folder, from itself upwards, with
/// an `ms.toml`.
pub fn project_root(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    folder.ancestors().find(|above| above.join(PROJECT_FILE).is_file()).map(Path::to_owned)
}

/// Where a program starts: what it brings to `sys.path`, and its project.
#[derive(Debug, Default)]
pub(crate) struct Start {
    pub(crate) path: Vec<PathBuf>,
    pub(crate) project: Option<PathBuf>,
}

impl Start {
    /// A script: its folder (of the file itself, where a link leads to it), `modules` there, and
    /// the same of its project.
    pub(crate) fn script(script: &Path) -> Start {
        let real = std::fs::canonicalize(script).unwrap_or_else(|_| script.to_owned());
        let folder = real.parent().unwrap_or(Path::new("")).to_owned();
        Start::beside(folder.clone(), &folder)
    }

    /// A program without a file: the current folder takes the place of the script's. As in
    /// CPython it is an empty entry, which follows a change of the folder.
    pub(crate) fn here() -> Start {
        Start::beside(PathBuf::new(), &std::env::current_dir().unwrap_or_default())
    }

    /// `ms -m`: the current folder, by its name.
    pub(crate) fn module() -> Start {
        let here = std::env::current_dir().unwrap_or_default();
        Start::beside(here.clone(), &here)
    }

    fn beside(first: PathBuf, folder: &Path) -> Start {
        let mut path = vec![first, folder.join("modules")];
        let project = project_root(folder);
        if let Some(root) = project.as_deref().filter(|root| *root != folder) {
            path.extend([root.to_owned(), root.join("modules")]);
        }
        Start { path, project }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_brings_its_folder_and_its_project() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let deep = root.join("src/deep");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("main.ms"), "").unwrap();
        let alone = Start::script(&deep.join("main.ms"));
        assert_eq!(alone.path, [deep.clone(), deep.join("modules")]);

        std::fs::write(root.join(PROJECT_FILE), "").unwrap();
        let start = Start::script(&deep.join("main.ms"));
        assert_eq!(start.project.as_deref(), Some(&*root));
        let expected = [deep.clone(), deep.join("modules"), root.clone(), root.join("modules")];
        assert_eq!(start.path, expected);

        // The nearest one counts, and a folder is named once.
        std::fs::write(deep.join(PROJECT_FILE), "").unwrap();
        let start = Start::script(&deep.join("main.ms"));
        assert_eq!(start.project.as_deref(), Some(&*deep));
        assert_eq!(start.path, [deep.clone(), deep.join("modules")]);
    }
}
