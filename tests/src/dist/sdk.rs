//! The Rust SDK as sources: its packages, in a workspace of their own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{copy, copy_tree, write};

/// The packages that an extension in Rust is built from, in `ext-sdk/`.
const PACKAGES: [&str; 3] = ["abi", "macros", "sdk"];

/// Copies the packages and writes the workspace from which they inherit.
pub fn make(root: &Path, out: &Path) -> Result<(), String> {
    let mut inherited = BTreeSet::new();
    for package in PACKAGES {
        let (from, to) = (root.join("ext-sdk").join(package), out.join(package));
        copy(&from.join("Cargo.toml"), &to.join("Cargo.toml"))?;
        copy_tree(&from.join("src"), &to.join("src"), &|_| true)?;
        inherited.extend(inherited_dependencies(&manifest(&from)?));
    }
    let workspace = root.join("Cargo.toml");
    let text = fs::read_to_string(&workspace)
        .map_err(|error| format!("cannot read {}: {error}", workspace.display()))?;
    write(&out.join("Cargo.toml"), &reduced(&text, &inherited))?;
    // The versions that were tested; cargo drops what a project does not need.
    copy(&root.join("Cargo.lock"), &out.join("Cargo.lock"))
}

/// The `Cargo.toml` of a package.
pub fn manifest(package: &Path) -> Result<toml::Table, String> {
    let path = package.join("Cargo.toml");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn inherited_dependencies(manifest: &toml::Table) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies"];
    let tables = tables.iter().filter_map(|name| manifest.get(*name)?.as_table());
    let inherits = |value: &toml::Value| value.get("workspace").is_some();
    tables.flatten().filter(|(_, value)| inherits(value)).map(|(name, _)| name.clone()).collect()
}

/// The workspace's manifest with what the SDK inherits of it.
fn reduced(workspace: &str, dependencies: &BTreeSet<String>) -> String {
    let members = PACKAGES.map(|name| format!("{name:?}")).join(", ");
    let mut text = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    let mut section = "";
    for line in workspace.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let wanted = match section {
            "[workspace.dependencies]" => {
                line == section
                    || line.split_once(" =").is_some_and(|(name, _)| dependencies.contains(name))
            }
            _ => section == "[workspace.package]" || section.starts_with("[workspace.lints"),
        };
        if wanted && !line.is_empty() {
            let gap = if line == section { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", line.replace("\"ext-sdk/", "\""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_reduced_to_what_is_inherited() {
        let text = "[workspace]\nmembers = [\"a\"]\n\n[workspace.package]\nversion = \"1\"\n\n\
                    [workspace.dependencies]\n# ours\nx = { path = \"ext-sdk/x\" }\ny = \"2\"\n\n\
                    [profile.dev]\nopt-level = 1\n";
        let reduced = reduced(text, &BTreeSet::from(["x".to_owned()]));
        let table: toml::Table = toml::from_str(&reduced).expect("TOML");
        assert_eq!(table["workspace"]["package"]["version"].as_str(), Some("1"));
        let dependencies = table["workspace"]["dependencies"].as_table().expect("a table");
        assert_eq!(dependencies.len(), 1);
        assert_eq!(dependencies["x"]["path"].as_str(), Some("x"));
        assert!(!table.contains_key("profile"));
    }
}
