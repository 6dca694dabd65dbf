//! The `[permissions]` table of a project's `ms.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Grants, Right};
use crate::project::{PROJECT_FILE, project_root};

#[derive(Deserialize)]
struct Project {
    permissions: Option<BTreeMap<String, Scopes>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a permission is true, false or a list of texts")]
enum Scopes {
    /// Without bounds, or not at all.
    All(bool),
    List(Vec<String>),
}

impl Grants {
    /// What the project that a script lies in (the nearest folder above with an `ms.toml`) grants
    /// it; `None` if there is no such project, or it says nothing about permissions.
    ///
    /// # Errors
    /// A project file that cannot be read or means nothing: then nothing should be run.
    pub fn of_project(script: &Path) -> Result<Option<Grants>, String> {
        let real = std::fs::canonicalize(script).unwrap_or_else(|_| script.to_owned());
        real.parent().map_or(Ok(None), Grants::of_folder)
    }

    /// The same for a program without a file, which belongs to the project of the current folder.
    ///
    /// # Errors
    /// As for [`Grants::of_project`].
    pub fn of_folder(folder: &Path) -> Result<Option<Grants>, String> {
        project_root(folder).map_or(Ok(None), |root| read(&root.join(PROJECT_FILE)))
    }
}

fn read(file: &Path) -> Result<Option<Grants>, String> {
    let bad = |why: String| format!("{}: {why}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
    let project: Project = toml::from_str(&text).map_err(|e| bad(e.to_string()))?;
    let Some(permissions) = project.permissions else { return Ok(None) };
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut grants = Grants::command();
    for (name, scopes) in permissions {
        let right = Right::of_name(&name).filter(|right| *right != Right::Stdin);
        let right = right.ok_or_else(|| bad(format!("there is no permission '{name}'")))?;
        match scopes {
            Scopes::All(true) => grants.grant_all(right),
            Scopes::All(false) => {}
            Scopes::List(list) => {
                for scope in list {
                    let granted = match right {
                        // Paths are those of the project, wherever it is run from.
                        Right::Read | Right::Write => grants.grant(right, folder.join(scope)),
                        _ => grants.grant(right, scope),
                    };
                    granted.map_err(|e| bad(e.to_string()))?;
                }
            }
        }
    }
    Ok(Some(grants))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Access, Wanted};

    fn granted(text: &str) -> Result<Option<Grants>, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src/deep")).unwrap();
        std::fs::write(folder.path().join("ms.toml"), text).unwrap();
        std::fs::write(folder.path().join("src/deep/main.ms"), "").unwrap();
        let grants = Grants::of_project(&folder.path().join("src/deep/main.ms"))?;
        let root = folder.path().canonicalize().unwrap();
        if let Some(grants) = &grants {
            assert!(!grants.allows(&Wanted::Write(&root.join("data/x"))));
            assert_eq!(text.contains("data"), grants.allows(&Wanted::Read(&root.join("data/x"))));
        }
        Ok(grants)
    }

    #[test]
    fn a_table_is_deny_by_default() {
        assert!(granted("name = 'x'").unwrap().is_none());
        let none = granted("[permissions]").unwrap().unwrap();
        assert!(!none.allows(&Wanted::Env("HOME")) && none.allows(&Wanted::Stdin));
        let text = "[permissions]\nread = ['data']\nnet = ['a.org:443']\nenv = true\nrun = false";
        let some = granted(text).unwrap().unwrap();
        assert!(some.allows(&Wanted::Host("a.org", 443)) && some.allows(&Wanted::Env("X")));
        assert!(!some.allows(&Wanted::Run("ls")) && !some.allows(&Wanted::Host("a.org", 80)));
    }

    #[test]
    fn what_means_nothing_is_an_error() {
        for text in [
            "[permissions]\nreed = true",
            "[permissions]\nread = 1",
            "[permissions]\nread = ['']\nnet = ['x:y']",
            "[permissions",
            "permissions = 3",
        ] {
            assert!(granted(text).is_err(), "{text}");
        }
    }
}
