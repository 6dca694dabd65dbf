//! The operations themselves, blocking: what the service runs here or on a thread of the pool.
//!
//! A whole-file write to a regular file is atomic: a new file is made beside the old one (after
//! symlinks were followed, with the old one's mode and owner), filled, and renamed over it; a
//! reader sees the old content or the new, and an error (a full disk) leaves the old one and
//! nothing else. Only a killed process can leave the temporary file (`.ms-*.tmp`) behind. By
//! default nothing is synced, as Python's `write` does not: after a crash of the *system* the
//! content is what the file system kept; [`WriteOptions::durable`] syncs file and directory first.
//! FIFOs, devices and sockets are opened and written to directly. What replacing costs: hard
//! links to the old file keep the old content, and extended attributes are not carried over.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::error::{FileError, FileResult};
use super::meta::{DirEntry, FileKind, Metadata};
#[cfg(not(unix))]
use super::portable::{self as sys, Place, Replacement};
#[cfg(unix)]
use super::unix::{self as sys, Place, Replacement};
use crate::access::{Access, Denied, Right};

/// How to open a file.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    pub read: bool,
    pub write: bool,
    pub append: bool,
    pub create: bool,
    pub create_new: bool,
    pub truncate: bool,
    /// Do not wait for the other side of a FIFO (no meaning elsewhere).
    pub nonblocking: bool,
}

/// How to write a whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Add to the end in place of replacing the content.
    pub append: bool,
    /// Reach the disk before the operation ends.
    pub durable: bool,
}

/// Opens a file. A directory is `IsADirectoryError`, as in Python.
pub fn open(access: &dyn Access, path: &Path, how: &How) -> FileResult<File> {
    check_path(path)?;
    let attempt = || {
        let writes = how.write || how.append;
        if how.read && writes {
            // Both rights are needed, and the place is the same.
            Place::locate(access, path, Right::Read, !how.create_new)?;
        }
        let right = if writes { Right::Write } else { Right::Read };
        let place = Place::locate(access, path, right, !how.create_new)?;
        let file = sys::open(&place, how)?;
        if !writes && sys::stat_handle(&file)?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    };
    attempt().map_err(|error| FileError::at(with_errno(error), path))
}

/// Reads a whole file; more than `limit` bytes are an error.
pub fn read_whole(access: &dyn Access, path: &Path, limit: Option<u64>) -> FileResult<Vec<u8>> {
    let file = open(access, path, &How { read: true, ..How::default() })?;
    let too_large = || FileError::from_io(with_errno(io::ErrorKind::FileTooLarge.into()));
    read_rest(&file, limit, too_large).map_err(|error| error.with_path(path))
}

/// As [`read_whole`]; what is no regular file and may have no end is given up after a sixteenth.
pub fn read_source(access: &dyn Access, path: &Path, limit: u64) -> FileResult<Vec<u8>> {
    let file = open(access, path, &How { read: true, ..How::default() })?;
    let limit = if stat_handle(&file)?.is_file() { limit } else { limit / 16 };
    let too_large = || FileError::from_io(with_errno(io::ErrorKind::FileTooLarge.into()));
    read_rest(&file, Some(limit), too_large).map_err(|error| error.with_path(path))
}

/// Reads a whole regular file of `limit` bytes at most; whatever else stands there is an error,
/// and never waited for.
pub fn read_regular(access: &dyn Access, path: &Path, limit: u64) -> FileResult<Vec<u8>> {
    let file = open(access, path, &How { read: true, nonblocking: true, ..How::default() })?;
    if !stat_handle(&file)?.is_file() {
        let error = with_errno(io::ErrorKind::InvalidInput.into());
        return Err(FileError::at(error, path));
    }
    let too_large = || FileError::from_io(with_errno(io::ErrorKind::FileTooLarge.into()));
    read_rest(&file, Some(limit), too_large).map_err(|error| error.with_path(path))
}

/// Reads a whole file for which there are `most` bytes of memory.
pub fn read_whole_within(access: &dyn Access, path: &Path, most: u64) -> FileResult<Vec<u8>> {
    let file = open(access, path, &How { read: true, ..How::default() })?;
    read_rest(&file, Some(most), || FileError::Memory).map_err(|error| error.with_path(path))
}

fn read_rest(
    file: &File,
    limit: Option<u64>,
    too_large: impl Fn() -> FileError,
) -> FileResult<Vec<u8>> {
    let limit = limit.map_or(u64::MAX - 1, |limit| limit.min(u64::MAX - 1));
    let expected = file.metadata().map_err(FileError::from_io)?.len();
    if expected > limit {
        return Err(too_large());
    }
    let mut data = Vec::new();
    let room = usize::try_from(expected).map_err(|_| FileError::Memory)?;
    data.try_reserve_exact(room.saturating_add(1)).map_err(|_| FileError::Memory)?;
    // `read_to_end` reports a failed allocation as an error.
    file.take(limit + 1).read_to_end(&mut data).map_err(FileError::from_io)?;
    if data.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(data)
}

/// Writes a whole file; see the module's head.
pub fn write_whole(
    access: &dyn Access,
    path: &Path,
    data: &[u8],
    options: WriteOptions,
) -> FileResult<()> {
    check_path(path)?;
    let fill = |file: &mut File| file.write_all(data);
    write_with(access, path, options, fill).map_err(|error| FileError::at(with_errno(error), path))
}

/// Copies a file's content to another, which is replaced as by [`write_whole`]; returns its
/// length.
pub fn copy(access: &dyn Access, from: &Path, to: &Path) -> FileResult<u64> {
    check_path(to)?;
    let mut source = open(access, from, &How { read: true, ..How::default() })?;
    let mut copied = 0;
    let fill = |file: &mut File| {
        copied = io::copy(&mut source, file)?;
        Ok(())
    };
    write_with(access, to, WriteOptions::default(), fill)
        .map_err(|error| FileError::at(with_errno(error), to))?;
    Ok(copied)
}

fn write_with(
    access: &dyn Access,
    path: &Path,
    options: WriteOptions,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    if options.append {
        let how = How { append: true, create: true, ..How::default() };
        return write_in_place(access, path, fill, &how, options.durable);
    }
    let in_place = How { write: true, create: true, truncate: true, ..How::default() };
    let place = Place::locate(access, path, Right::Write, true)?;
    match sys::stat(&place, true) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            return write_in_place(access, path, fill, &in_place, false);
        }
        // A file that must not be written to is not replaced either.
        Ok(_) => drop(sys::open(&place, &How { write: true, ..How::default() })?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let Some(mut new) = Replacement::create(place, temp_name())? else {
        return write_in_place(access, path, fill, &in_place, options.durable);
    };
    fill(&mut new.file)?;
    if options.durable {
        new.file.sync_all()?;
    }
    new.commit()?;
    if options.durable {
        Replacement::sync_parent(&Place::locate(access, path, Right::Write, true)?)?;
    }
    Ok(())
}

fn write_in_place(
    access: &dyn Access,
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
    how: &How,
    durable: bool,
) -> io::Result<()> {
    let place = Place::locate(access, path, Right::Write, true)?;
    let mut file = sys::open(&place, how)?;
    fill(&mut file)?;
    if durable { file.sync_all() } else { Ok(()) }
}

/// Looks at a file; with `follow`, at what a symlink leads to.
pub fn stat(access: &dyn Access, path: &Path, follow: bool) -> FileResult<Metadata> {
    check_path(path)?;
    Place::locate(access, path, Right::Read, follow)
        .and_then(|place| sys::stat(&place, follow))
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// Looks at an open file.
pub fn stat_handle(file: &File) -> FileResult<Metadata> {
    sys::stat_handle(file).map_err(FileError::from_io)
}

/// Whether something is there: not a broken link, and reachable. A missing permission of the
/// system means no, as in Python; a missing grant is an error.
pub fn exists(access: &dyn Access, path: &Path) -> FileResult<bool> {
    if check_path(path).is_err() {
        return Ok(false);
    }
    let place = match Place::locate(access, path, Right::Read, true) {
        Ok(place) => place,
        Err(error) if Denied::is_in(&error) => {
            return Err(FileError::at(with_errno(error), path));
        }
        Err(_) => return Ok(false),
    };
    Ok(sys::stat(&place, true).is_ok())
}

/// Lists a directory, sorted by name.
pub fn list_dir(
    access: &dyn Access,
    path: &Path,
    with_metadata: bool,
) -> FileResult<Vec<DirEntry>> {
    check_path(path)?;
    Place::locate(access, path, Right::Read, true)
        .and_then(|place| sys::list_dir(&place, with_metadata))
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// Makes a directory; with `parents`, all that are missing above it, and then one that is there
/// already is no error.
pub fn mkdir(access: &dyn Access, path: &Path, parents: bool, mode: u32) -> FileResult<()> {
    check_path(path)?;
    let make = |path: &Path| {
        // `name/` is the name here, not the directory behind it, which is yet to be made.
        let trimmed: &Path = &path.components().collect::<PathBuf>();
        Place::locate(access, trimmed, Right::Write, false)
            .and_then(|place| sys::create_dir(&place, mode))
    };
    let fail = |error, path: &Path| Err(FileError::at(with_errno(error), path));
    if !parents {
        return make(path).or_else(|error| fail(error, path));
    }
    let is_dir = |path: &Path| stat(access, path, true).is_ok_and(|found| found.is_dir());
    let mut missing = Vec::new();
    for ancestor in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
        if is_dir_unchecked(ancestor) {
            break;
        }
        missing.push(ancestor);
    }
    if missing.is_empty() {
        // It is there; whether that may be said is the access's business.
        return match Place::locate(access, path, Right::Write, true) {
            Ok(_) => Ok(()),
            Err(error) => fail(error, path),
        };
    }
    for directory in missing.into_iter().rev() {
        match make(directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_dir(directory) => {}
            Err(error) => return fail(error, directory),
        }
    }
    Ok(())
}

/// Finds where to begin; what it finds is used for nothing else.
fn is_dir_unchecked(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_dir())
}

/// Removes a file, a link, or an empty directory.
pub fn remove(access: &dyn Access, path: &Path, kind: FileKind) -> FileResult<()> {
    check_path(path)?;
    Place::locate(access, path, Right::Write, false)
        .and_then(|place| match kind {
            FileKind::Dir => sys::remove_dir(&place),
            _ => sys::remove_file(&place),
        })
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// Removes a directory with all that is in it; a link in it is removed and not followed.
pub fn remove_tree(access: &dyn Access, path: &Path) -> FileResult<()> {
    check_path(path)?;
    Place::locate(access, path, Right::Write, false)
        .and_then(|place| sys::remove_tree(&place))
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// The absolute path without links; everything must exist.
pub fn real_path(access: &dyn Access, path: &Path) -> FileResult<PathBuf> {
    check_path(path)?;
    sys::real_path(access, path).map_err(|error| FileError::at(with_errno(error), path))
}

/// What a symlink says.
pub fn read_link(access: &dyn Access, path: &Path) -> FileResult<OsString> {
    check_path(path)?;
    Place::locate(access, path, Right::Read, false)
        .and_then(|place| sys::read_link(&place))
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// Makes `path` a symlink to `target`. Where it leads is checked when it is followed.
pub fn symlink(access: &dyn Access, target: &Path, path: &Path) -> FileResult<()> {
    check_path(target)?;
    check_path(path)?;
    Place::locate(access, path, Right::Write, false)
        .and_then(|place| sys::symlink(target, &place))
        .map_err(|error| FileError::at(with_errno(error), target).with_second_path(path))
}

/// Sets the mode bits of what `path` leads to.
pub fn set_mode(access: &dyn Access, path: &Path, mode: u32) -> FileResult<()> {
    check_path(path)?;
    Place::locate(access, path, Right::Write, true)
        .and_then(|place| sys::set_mode(&place, mode))
        .map_err(|error| FileError::at(with_errno(error), path))
}

/// Renames, replacing a file that is there.
pub fn rename(access: &dyn Access, from: &Path, to: &Path) -> FileResult<()> {
    check_path(from)?;
    check_path(to)?;
    let attempt = || {
        let source = Place::locate(access, from, Right::Write, false)?;
        if !access.is_unrestricted() {
            // Whoever may read the new place must have been allowed to read the old one.
            Place::locate(access, from, Right::Read, false)?;
        }
        let target = Place::locate(access, to, Right::Write, false)?;
        sys::rename(&source, &target)
    };
    attempt().map_err(|error| FileError::at(with_errno(error), from).with_second_path(to))
}

pub(super) fn check_path(path: &Path) -> FileResult<()> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(FileError::Value("embedded null byte".into()));
    }
    Ok(())
}

/// A name that no other process and no other thread of this one uses.
fn temp_name() -> OsString {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as u64;
    let count = COUNTER.fetch_add(1, Relaxed);
    format!(".ms-{:x}-{:x}-{count:x}.tmp", std::process::id(), now).into()
}

/// Gives errors that Rust or we made the number that the system would have given.
pub(super) fn with_errno(error: io::Error) -> io::Error {
    #[cfg(unix)]
    if error.raw_os_error().is_none() {
        use rustix::io::Errno;
        let errno = match error.kind() {
            io::ErrorKind::IsADirectory => Errno::ISDIR,
            io::ErrorKind::FileTooLarge => Errno::FBIG,
            _ => return error,
        };
        return errno.into();
    }
    error
}
