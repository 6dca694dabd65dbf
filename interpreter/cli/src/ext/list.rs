//! `ms ext list`: what is on the search path, by sections and manifests. No library is opened.

use std::fmt::Write as _;

use miniscript_engine::registry::{Listed, Registry};

use super::describe::Refusal;
use super::{Outcome, path_text, pretty};

/// Shows the extensions that an import finds, and those that it would find and refuse.
pub fn list(registry: &Registry, json: bool) -> Outcome {
    let listed = registry.list();
    if json {
        return pretty(&listed.iter().map(as_json).collect::<Vec<_>>());
    }
    if listed.is_empty() {
        let mut text = "no extensions; looked in\n".to_owned();
        for (origin, folder) in registry.search().folders() {
            let _ = writeln!(text, "  {} ({})", folder.display(), origin.describe());
        }
        return Ok(text);
    }
    let mut rows = vec![["NAME", "VERSION", "ABI", "LANGUAGE", "FROM", "FILE"].map(String::from)];
    let mut notes = Vec::new();
    for entry in &listed {
        let from = entry.found.origin.describe().to_owned();
        let file = entry.found.path.display().to_string();
        rows.push(match &entry.note {
            Ok(note) => [
                entry.name.clone(),
                note.version.clone(),
                format!("{}.{}", note.abi.0, note.abi.1),
                note.language.name().to_owned(),
                from,
                file,
            ],
            Err(error) => {
                notes.push(format!("{}: {}", entry.name, Refusal::from(error).one_line()));
                let dash = || "-".to_owned();
                [entry.name.clone(), "unusable".to_owned(), dash(), dash(), from, file]
            }
        });
    }
    let mut text = table(&rows);
    for note in notes {
        let _ = writeln!(text, "{note}");
    }
    Ok(text)
}

/// Rows with their columns aligned; the last one is as long as it is.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row[..N - 1].iter().zip(widths) {
            let _ = write!(text, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", row[N - 1]);
    }
    text
}

fn as_json(entry: &Listed) -> serde_json::Value {
    let mut value = serde_json::json!({
        "name": entry.name,
        "file": path_text(&entry.found.path),
        "from": entry.found.origin.describe(),
        "usable": entry.note.is_ok(),
    });
    match &entry.note {
        Ok(note) => {
            value["version"] = note.version.clone().into();
            value["abi"] = format!("{}.{}", note.abi.0, note.abi.1).into();
            value["language"] = note.language.name().into();
        }
        Err(error) => value["refusal"] = serde_json::json!(Refusal::from(error)),
    }
    if let Some(manifest) = &entry.manifest {
        value["description"] = manifest.description.clone().into();
        value["license"] = manifest.license.clone().into();
        value["homepage"] = manifest.homepage.clone().into();
        value["dependencies"] = serde_json::json!(manifest.dependencies);
        value["permissions"] = serde_json::json!(manifest.permissions);
    }
    value
}
