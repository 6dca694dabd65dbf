//! File operations where there are no directory handles (Windows): a [`Place`] is a path, made
//! canonical before it is checked.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::meta::{DirEntry, FileKind, Metadata, Time};
use super::ops::How;
use crate::access::{Access, Denied, Right, Wanted, canonical_as_far_as_it_exists};

/// Where an operation takes place.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
}

impl Place {
    /// Finds the place of `path` and checks the right to it.
    pub(super) fn locate(
        access: &dyn Access,
        path: &Path,
        right: Right,
        follow: bool,
    ) -> io::Result<Place> {
        if access.is_unrestricted() {
            return Ok(Place { path: path.to_owned() });
        }
        let found = canonical(path, follow);
        // Whether something exists where nothing is granted is not told either.
        let canonical = match &found {
            Ok(canonical) => canonical.clone(),
            Err(_) => canonical_as_far_as_it_exists(path),
        };
        if !access.allows(&Wanted::file(right, &canonical)) {
            return Err(Denied::error(access, right));
        }
        found.map(|path| Place { path })
    }
}

fn canonical(path: &Path, follow: bool) -> io::Result<PathBuf> {
    if follow && let Ok(canonical) = fs::canonicalize(path) {
        return Ok(canonical);
    }
    match path.file_name() {
        Some(name) => {
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
            Ok(fs::canonicalize(parent.unwrap_or(Path::new(".")))?.join(name))
        }
        None => fs::canonicalize(path),
    }
}

/// Opens a file.
pub(super) fn open(place: &Place, how: &How) -> io::Result<File> {
    OpenOptions::new()
        .read(how.read)
        .write(how.write)
        .append(how.append)
        .create(how.create)
        .create_new(how.create_new)
        .truncate(how.truncate)
        .open(&place.path)
}

/// Looks at what stands at a place.
pub(super) fn stat(place: &Place, follow: bool) -> io::Result<Metadata> {
    let found = if follow { fs::metadata(&place.path) } else { fs::symlink_metadata(&place.path) };
    Ok(metadata_of(&found?))
}

/// Looks at an open file.
pub(super) fn stat_handle(file: &File) -> io::Result<Metadata> {
    Ok(metadata_of(&file.metadata()?))
}

/// Lists a directory, by name.
pub(super) fn list_dir(place: &Place, with_metadata: bool) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(&place.path)? {
        let entry = entry?;
        let kind = kind_of(entry.file_type()?);
        let metadata = if with_metadata { entry.metadata().ok() } else { None };
        let metadata = metadata.as_ref().map(metadata_of);
        entries.push(DirEntry { name: entry.file_name(), kind, metadata });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Makes a directory.
pub(super) fn create_dir(place: &Place, _mode: u32) -> io::Result<()> {
    fs::create_dir(&place.path)
}

/// Removes a file or link.
pub(super) fn remove_file(place: &Place) -> io::Result<()> {
    fs::remove_file(&place.path)
}

/// Removes an empty directory.
pub(super) fn remove_dir(place: &Place) -> io::Result<()> {
    fs::remove_dir(&place.path)
}

/// Renames, replacing what is there.
pub(super) fn rename(from: &Place, to: &Place) -> io::Result<()> {
    fs::rename(&from.path, &to.path)
}

/// Removes a directory with all that is in it, following no link.
pub(super) fn remove_tree(place: &Place) -> io::Result<()> {
    fs::remove_dir_all(&place.path)
}

/// What a symlink says.
pub(super) fn read_link(place: &Place) -> io::Result<OsString> {
    Ok(fs::read_link(&place.path)?.into_os_string())
}

/// Makes a symlink.
#[cfg(windows)]
pub(super) fn symlink(target: &Path, place: &Place) -> io::Result<()> {
    if target.is_dir() {
        return std::os::windows::fs::symlink_dir(target, &place.path);
    }
    std::os::windows::fs::symlink_file(target, &place.path)
}

/// Makes a symlink.
#[cfg(not(windows))]
pub(super) fn symlink(_: &Path, _: &Place) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Sets the one mode bit that there is, by the owner's right to write.
pub(super) fn set_mode(place: &Place, mode: u32) -> io::Result<()> {
    let mut permissions = fs::metadata(&place.path)?.permissions();
    permissions.set_readonly(mode & 0o200 == 0);
    fs::set_permissions(&place.path, permissions)
}

/// The absolute path without links; everything must exist.
pub(super) fn real_path(access: &dyn Access, path: &Path) -> io::Result<PathBuf> {
    let canonical = fs::canonicalize(path)?;
    match access.allows(&Wanted::Read(&canonical)) {
        true => Ok(canonical),
        false => Err(Denied::error(access, Right::Read)),
    }
}

/// A new file beside the one it is to replace; removed unless it has taken its place.
#[derive(Debug)]
pub(super) struct Replacement {
    target: PathBuf,
    temp: PathBuf,
    pub(super) file: File,
    armed: bool,
}

impl Replacement {
    /// Makes the new file. `None` if the old one has to be written in place.
    pub(super) fn create(target: Place, temp: OsString) -> io::Result<Option<Replacement>> {
        let target = canonical(&target.path, true)?;
        let temp = target.with_file_name(temp);
        match OpenOptions::new().write(true).create_new(true).open(&temp) {
            Ok(file) => Ok(Some(Replacement { target, temp, file, armed: true })),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && target.exists() => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the place of the old file.
    pub(super) fn commit(mut self) -> io::Result<()> {
        fs::rename(&self.temp, &self.target)?;
        self.armed = false;
        Ok(())
    }

    /// Directories cannot be synced here.
    pub(super) fn sync_parent(_: &Place) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.armed {
            // Nothing more can be done about a failure here.
            let _ = fs::remove_file(&self.temp);
        }
    }
}

fn kind_of(file_type: fs::FileType) -> FileKind {
    if file_type.is_dir() {
        FileKind::Dir
    } else if file_type.is_symlink() {
        FileKind::Symlink
    } else if file_type.is_file() {
        FileKind::File
    } else {
        FileKind::Unknown
    }
}

fn metadata_of(found: &fs::Metadata) -> Metadata {
    let kind = kind_of(found.file_type());
    let type_bits = match kind {
        FileKind::Dir => 0o040_111,
        FileKind::Symlink => 0o120_000,
        _ => 0o100_000,
    };
    let rights = if found.permissions().readonly() { 0o444 } else { 0o666 };
    Metadata {
        kind,
        mode: type_bits | rights,
        size: found.len(),
        modified: time_of(found.modified()),
        accessed: time_of(found.accessed()),
        changed: time_of(found.created()),
        dev: 0,
        ino: 0,
        links: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        block_size: 4096,
        blocks: found.len().div_ceil(512),
    }
}

fn time_of(time: io::Result<SystemTime>) -> Time {
    let Ok(time) = time else { return Time::default() };
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Time { secs: after.as_secs() as i64, nanos: after.subsec_nanos() },
        Err(before) => Time { secs: -(before.duration().as_secs() as i64), nanos: 0 },
    }
}
