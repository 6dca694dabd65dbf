//! The licences of the packages that are linked into what we ship, which ask to be named.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// All packages that `roots` are made of, other than our own, with their licence texts. A text
/// that several share is printed once.
pub fn collect(root: &Path, roots: &[&str]) -> Result<String, String> {
    let metadata = metadata(root)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|p| (text(&p["id"]), p)).collect();
    let linked = reachable(&metadata, &packages, roots);
    let foreign = || linked.iter().map(|id| &packages[id]).filter(|p| !p["source"].is_null());

    let mut out = "MiniScript contains these packages:\n\n".to_owned();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in foreign() {
        let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
        let _ =
            writeln!(out, "{name}: {} {}", text(&package["license"]), text(&package["repository"]));
        for licence in licence_texts(&text(&package["manifest_path"])) {
            texts.entry(licence).or_default().insert(name.clone());
        }
    }
    for (licence, names) in texts {
        let names: Vec<String> = names.into_iter().collect();
        let _ = write!(out, "\n{}\n{}\n\n{}\n", "-".repeat(80), names.join(", "), licence.trim());
    }
    Ok(out)
}

fn metadata(root: &Path) -> Result<Value, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let target = Command::new(rustc).arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
    let target = String::from_utf8_lossy(&target.stdout).into_owned();
    let target = target.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The packages that end up in the binaries: not those of build scripts and tests.
fn reachable(
    metadata: &Value,
    packages: &BTreeMap<String, Value>,
    roots: &[&str],
) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let nodes: BTreeMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|n| (text(&n["id"]), n)).collect();
    let mut found = BTreeSet::new();
    let is_root = |p: &&Value| roots.contains(&text(&p["name"]).as_str());
    let mut open: Vec<String> = packages.values().filter(is_root).map(|p| text(&p["id"])).collect();
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(&id) else { continue };
        if !found.insert(id) {
            continue;
        }
        for dependency in list(&node["deps"]) {
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null()) {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The licence files beside a package's manifest.
fn licence_texts(manifest: &str) -> Vec<String> {
    let Some(Ok(entries)) = Path::new(manifest).parent().map(fs::read_dir) else {
        return Vec::new();
    };
    let is_licence = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|start| name.starts_with(start))
    };
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_licence))
        .collect();
    files.sort();
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}
