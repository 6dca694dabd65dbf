//! `ms ext info`: what an extension offers.

use std::ffi::OsStr;
use std::fmt::Write as _;

use miniscript_engine::registry::{Manifest, Registry, read_note};

use super::describe::{Class, Constant, Description, Function, Kind};
use super::probe::{self, Way};
use super::{Outcome, Target, path_text, pretty, refusal, resolve};

/// Shows an extension, which a child process opens. A library that crashes is one line.
pub fn info(registry: &Registry, what: &OsStr, json: bool) -> Outcome {
    let target = resolve(registry, what)?;
    // What its section tells against it is told without a process.
    read_note(&target.path)
        .and_then(|note| note.check(&target.path, &target.name))
        .map_err(|error| refusal(&error))?;
    let probed = probe::probe(&target.path, &Way::default())?;
    let shown = target.path.display();
    if let Some(refusal) = &probed.refusal {
        return Err(format!("{shown}: {}", refusal.one_line()).into());
    }
    let Some(description) = &probed.description else {
        let how = probed.failure(false).unwrap_or_default();
        return Err(format!("{shown}: {how}").into());
    };
    let manifest = Manifest::beside(&target.path);
    if json {
        let mut value = serde_json::json!(description);
        value["file"] = path_text(&target.path).into();
        if let Some(origin) = target.origin {
            value["from"] = origin.describe().into();
        }
        if let Some(manifest) = &manifest {
            value["description"] = manifest.description.clone().into();
            value["license"] = manifest.license.clone().into();
            value["homepage"] = manifest.homepage.clone().into();
        }
        return pretty(&value);
    }
    Ok(text(&target, description, manifest.as_ref()))
}

fn text(target: &Target, ext: &Description, manifest: Option<&Manifest>) -> String {
    let mut out = format!("{} {}\n", ext.name, ext.version);
    paragraph(&mut out, 0, &ext.doc);
    let mut row = |label: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {label:<12} {value}");
        }
    };
    let from = target.origin.map_or_else(String::new, |o| format!(" ({})", o.describe()));
    row("file", format!("{}{from}", target.path.display()));
    row("ABI", format!("{}, {}", ext.abi, ext.language));
    let pairs = |list: &[(String, String)]| {
        let each = list.iter().map(|(name, rest)| format!("{name} {rest}").trim_end().to_owned());
        each.collect::<Vec<_>>().join(", ")
    };
    row("needs", pairs(&ext.dependencies));
    row(
        "permissions",
        if ext.permissions.is_empty() { "none".into() } else { pairs(&ext.permissions) },
    );
    if let Some(manifest) = manifest {
        row("about", manifest.description.clone());
        row("license", manifest.license.clone());
        row("homepage", manifest.homepage.clone());
    }
    if !ext.functions.is_empty() {
        out.push_str("\nfunctions\n");
        ext.functions.iter().for_each(|f| function(&mut out, 2, f));
    }
    let (exceptions, classes): (Vec<_>, Vec<_>) =
        ext.classes.iter().partition(|c| c.methods.is_empty() && !c.base.is_empty());
    if !classes.is_empty() {
        out.push_str("\nclasses\n");
        classes.iter().for_each(|c| class(&mut out, c));
    }
    if !exceptions.is_empty() {
        out.push_str("\nexceptions\n");
        exceptions.iter().for_each(|c| class(&mut out, c));
    }
    if !ext.constants.is_empty() {
        out.push_str("\nconstants\n");
        ext.constants.iter().for_each(|c| constant(&mut out, 2, c));
    }
    out
}

fn class(out: &mut String, class: &Class) {
    let maker = class.methods.iter().find(|m| m.name == "__new__");
    let _ = match (maker, class.base.as_str()) {
        (Some(new), "") => {
            writeln!(out, "  {}", new.signature.replacen("__new__", &class.name, 1))
        }
        (_, "") => writeln!(out, "  {}", class.name),
        (_, base) => writeln!(out, "  {}({base})", class.name),
    };
    paragraph(out, 6, &class.doc);
    for method in &class.methods {
        let set_too = class.methods.iter().any(|m| m.kind == Kind::Setter && m.name == method.name);
        match method.kind {
            Kind::Setter => {}
            Kind::Getter => {
                let access = if set_too { "" } else { ", read-only" };
                let _ = writeln!(out, "      {} (property{access})", method.name);
                paragraph(out, 10, &method.doc);
            }
            _ if method.name == "__new__" => {}
            _ => function(out, 6, method),
        }
    }
    class.constants.iter().for_each(|c| constant(out, 6, c));
}

fn function(out: &mut String, indent: usize, function: &Function) {
    let kind = if function.kind == Kind::Static { "static " } else { "" };
    let _ = writeln!(out, "{:indent$}{kind}{}", "", function.signature);
    paragraph(out, indent + 4, &function.doc);
}

fn constant(out: &mut String, indent: usize, constant: &Constant) {
    // One line: a text may be long, and is only a sample here.
    let mut value: String = constant.value.chars().take(60).collect();
    if value.len() < constant.value.len() {
        value.push_str("...");
    }
    let _ = writeln!(out, "{:indent$}{} = {value}", "", constant.name);
    paragraph(out, indent + 4, &constant.doc);
}

fn paragraph(out: &mut String, indent: usize, text: &str) {
    for line in text.trim().lines() {
        let indent = if line.trim().is_empty() { 0 } else { indent };
        let _ = writeln!(out, "{:indent$}{}", "", line.trim_end());
    }
}
