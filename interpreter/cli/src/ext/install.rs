//! `ms ext install`: a library that passes every check is put where programs find it.
//!
//! What is checked is a copy in the place it will have, so nothing can change in between, and a
//! rename puts it there: a program that has the old library mapped keeps it whole.

use std::fs;
use std::path::{Path, PathBuf};

use miniscript_engine::PROJECT_FILE;
use miniscript_engine::registry::{Manifest, file_name, project_folder, read_note, user_folder};

use super::args::{BuildOptions, InstallOptions, Place};
use super::build::{self, MANIFEST};
use super::check::examine;
use super::{Complaint, Outcome, current_project, file_module, folders_of, reason, registry};

/// Builds if a project is named, checks, and installs.
pub fn install(options: &InstallOptions, folders: &[PathBuf]) -> Outcome {
    let target = destination(&options.place)?;
    let (name, library, manifest) = source(options)?;
    fs::create_dir_all(&target).map_err(|error| cannot("make", &target, &error))?;
    let target = target.canonicalize().unwrap_or(target);
    let place = target.join(file_name(&name));
    let before = read_note(&place).ok().map(|note| note.version);

    // Beside the place, so that the last step is a rename within one file system.
    let staging = tempfile::Builder::new()
        .prefix(".installing-")
        .tempdir_in(&target)
        .map_err(|error| cannot("write to", &target, &error))?;
    let copy = staging.path().join(file_name(&name));
    copy_file(&library, &copy)?;
    let registry = registry(folders);
    let mut path = vec![target.clone()];
    path.extend(folders_of(&registry));
    let verdict = examine(&copy, &name, &path, false)?;
    if !verdict.usable {
        let text = verdict.complaint();
        let text = text.replace(&verdict.file, &library.to_string_lossy());
        return Err(format!("not installed: {text}").into());
    }
    fs::rename(&copy, &place).map_err(|error| cannot("write", &place, &error))?;
    let own = target.join(format!("{name}.ext.toml"));
    match manifest {
        Some(manifest) => {
            let copy = staging.path().join(MANIFEST);
            copy_file(&manifest, &copy)?;
            fs::rename(&copy, &own).map_err(|error| cannot("write", &own, &error))?;
        }
        // That of the library before.
        None if own.exists() => {
            fs::remove_file(&own).map_err(|error| cannot("remove", &own, &error))?;
        }
        None => {}
    }

    let version = verdict.version();
    let mut text = format!("installed {name} {version}: {}\n", place.display());
    if let Some(before) = before.filter(|before| before != version) {
        text += &format!("it replaces {before}\n");
    }
    match registry.find(&name).map(|found| found.path) {
        Some(found) if found == place || found.canonicalize().is_ok_and(|f| f == place) => {}
        Some(other) => {
            text += &format!("note: programs here find {} first\n", other.display());
        }
        None => {
            let shown = target.display();
            text += &format!("note: programs find it with --ext-path {shown} or MS_EXT_PATH\n");
        }
    }
    Ok(text)
}

fn destination(place: &Place) -> Result<PathBuf, Complaint> {
    match place {
        Place::Folder(folder) => Ok(folder.clone()),
        Place::User => {
            user_folder().ok_or_else(|| "this user has no home folder; name one with --to".into())
        }
        Place::Project => current_project().map(|root| project_folder(&root)).ok_or_else(|| {
            format!(
                "no project here: neither this folder nor one above has an {PROJECT_FILE} (an \
                 empty one will do); or install with --user or --to DIR"
            )
            .into()
        }),
    }
}

/// The library to install, its module, and its manifest; a project is built.
fn source(options: &InstallOptions) -> Result<(String, PathBuf, Option<PathBuf>), Complaint> {
    let what = options.what.as_deref().unwrap_or(Path::new("."));
    if what.is_dir() {
        let folder = Some(what.to_owned());
        let built = build::build(&BuildOptions { folder, debug: false, offline: options.offline })?;
        return Ok((built.name, built.library, Some(what.join(MANIFEST))));
    }
    let name = file_module(what)?;
    let library = what.canonicalize().map_err(|error| cannot("read", what, &error))?;
    // A manifest beside it is taken along if it is about this library.
    let own = library.with_file_name(format!("{name}.ext.toml"));
    let shared = library.with_file_name(MANIFEST);
    let manifest = Manifest::beside(&library)
        .and_then(|_| [own, shared].into_iter().find(|file| file.is_file()));
    Ok((name, library, manifest))
}

/// A copy that is on the disk when this returns.
fn copy_file(from: &Path, to: &Path) -> Result<(), Complaint> {
    fs::copy(from, to).map_err(|error| cannot("copy", from, &error))?;
    fs::File::open(to).and_then(|file| file.sync_all()).map_err(|error| cannot("write", to, &error))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> Complaint {
    format!("cannot {verb} '{}': {}", path.display(), reason(error)).into()
}
