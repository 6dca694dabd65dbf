//! `ext.toml`: what an extension's author says about it, read without opening the library.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The manifest of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Name of the module.
    pub name: String,
    /// Version of the extension.
    pub version: String,
    /// One line.
    pub description: String,
    /// Licence.
    pub license: String,
    /// Where it comes from.
    pub homepage: String,
    /// Other extensions it needs, with version ranges.
    pub dependencies: BTreeMap<String, String>,
    /// Rights it asks for, with scopes.
    pub permissions: BTreeMap<String, Vec<String>>,
}

impl Manifest {
    /// The manifest of a library: `NAME.ext.toml` beside it, or the folder's `ext.toml` where it
    /// names this module. A manifest is a courtesy: a broken one is as none.
    pub fn beside(library: &Path) -> Option<Self> {
        let name = library.file_stem()?.to_str()?;
        let name = name.strip_prefix("lib").unwrap_or(name).strip_prefix("ms_")?;
        let own = library.with_file_name(format!("{name}.ext.toml"));
        let shared: PathBuf = library.with_file_name("ext.toml");
        Self::read(&own).or_else(|| Self::read(&shared)).filter(|manifest| manifest.name == name)
    }

    fn read(path: &Path) -> Option<Self> {
        toml::from_str(&std::fs::read_to_string(path).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_found_beside_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join(super::super::file_name("geo"));
        assert_eq!(Manifest::beside(&library), None);
        let text = "name = \"geo\"\nversion = \"1.0.0\"\n[dependencies]\nmath = \">=1\"\n";
        std::fs::write(folder.path().join("ext.toml"), text).unwrap();
        let manifest = Manifest::beside(&library).expect("the manifest");
        assert_eq!(manifest.version, "1.0.0");
        assert_eq!(manifest.dependencies["math"], ">=1");
        std::fs::write(folder.path().join("geo.ext.toml"), "name = \"geo\"\nversion = \"2\"")
            .unwrap();
        assert_eq!(Manifest::beside(&library).map(|m| m.version), Some("2".to_owned()));
        std::fs::write(folder.path().join("geo.ext.toml"), "name = [").unwrap();
        assert_eq!(Manifest::beside(&library).map(|m| m.version), Some("1.0.0".to_owned()));
    }
}
