//! File operations on Unix: everything goes through a [`Place`], a directory handle and a name.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self as rfs, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::meta::{DirEntry, FileKind, Metadata, Time};
use super::ops::How;
use crate::access::{Access, Denied, Right, Wanted, canonical_as_far_as_it_exists};

const MAX_LINKS: usize = 40;

/// Where an operation takes place. Unrestricted, that is the path as given, to be resolved by the
/// system; guarded, it is a checked name in an opened directory, never to be followed further.
#[derive(Debug)]
pub(super) struct Place {
    dir: Option<OwnedFd>,
    path: PathBuf,
}

impl Place {
    /// Finds the place of `path` and checks the right to it. With `follow`, a symlink in the
    /// last component is resolved.
    pub(super) fn locate(
        access: &dyn Access,
        path: &Path,
        right: Right,
        follow: bool,
    ) -> io::Result<Place> {
        if access.is_unrestricted() {
            return Ok(Place { dir: None, path: path.to_owned() });
        }
        match resolve(path, follow) {
            Ok((place, canonical)) if access.allows(&Wanted::file(right, &canonical)) => Ok(place),
            Ok(_) => Err(Denied::error(access, right)),
            // Whether something exists where nothing is granted is not told either.
            Err(error) => {
                let meant = canonical_as_far_as_it_exists(path);
                match access.allows(&Wanted::file(right, &meant)) {
                    true => Err(error),
                    false => Err(Denied::error(access, right)),
                }
            }
        }
    }

    /// As a directory handle and a name that is no symlink, whatever the access: what an
    /// operation needs that puts another file in the place of this one.
    fn pinned(self) -> io::Result<Place> {
        if self.dir.is_some() { Ok(self) } else { Ok(resolve(&self.path, true)?.0) }
    }

    /// The directory handle, or the one of the working directory.
    pub(super) fn dirfd(&self) -> BorrowedFd<'_> {
        self.dir.as_ref().map_or(CWD, |dir| dir.as_fd())
    }

    /// The name in the directory, or the path.
    pub(super) fn name(&self) -> &Path {
        &self.path
    }

    /// Whether the system follows a link at the name.
    pub(super) fn at_flags(&self, follow: bool) -> AtFlags {
        if follow && self.dir.is_none() { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW }
    }
}

/// Opens the parent of the last component, resolving symlinks there if asked; returns the place
/// and its canonical path.
fn resolve(path: &Path, follow: bool) -> io::Result<(Place, PathBuf)> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let slash = path.as_os_str().as_bytes().ends_with(b"/");
        let (parent, name) = match path.components().next_back() {
            Some(Component::Normal(name)) if !slash => {
                let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
                (parent.unwrap_or(Path::new(".")).to_owned(), name.to_owned())
            }
            _ if path.as_os_str().is_empty() => return Err(Errno::NOENT.into()),
            // `/`, `.`, `..`, `name/`: the directory itself.
            _ => (path.clone(), OsString::from(".")),
        };
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | path_only();
        let dir = rfs::openat(CWD, &parent, flags, Mode::empty())?;
        let canonical_dir = handle_path(dir.as_fd(), &parent)?;
        if follow && name != "." {
            match rfs::readlinkat(&dir, &name, Vec::new()) {
                Ok(target) => {
                    path = canonical_dir.join(OsStr::from_bytes(target.to_bytes()));
                    continue;
                }
                // No link, or nothing there.
                Err(Errno::INVAL | Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let canonical = if name == "." { canonical_dir } else { canonical_dir.join(&name) };
        return Ok((Place { dir: Some(dir), path: name.into() }, canonical));
    }
    Err(Errno::LOOP.into())
}

/// A handle that only names: it needs no right to list the directory.
fn path_only() -> OFlags {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return OFlags::PATH;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return OFlags::RDONLY;
}

/// The canonical path of an opened directory.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn handle_path(dir: BorrowedFd<'_>, _: &Path) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", dir.as_raw_fd()))
}

/// The canonical path of an opened directory.
#[cfg(target_vendor = "apple")]
fn handle_path(dir: BorrowedFd<'_>, _: &Path) -> io::Result<PathBuf> {
    let path = rfs::getpath(dir)?;
    Ok(OsStr::from_bytes(path.to_bytes()).into())
}

/// The canonical path of an opened directory, by a second look at its path.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn handle_path(dir: BorrowedFd<'_>, path: &Path) -> io::Result<PathBuf> {
    let canonical = std::fs::canonicalize(path)?;
    let (opened, named) = (rfs::fstat(dir)?, rfs::stat(&canonical)?);
    if (opened.st_dev, opened.st_ino) != (named.st_dev, named.st_ino) {
        return Err(Errno::ACCESS.into());
    }
    Ok(canonical)
}

/// Opens a file. A directory is an error, as in Python.
pub(super) fn open(place: &Place, how: &How) -> io::Result<File> {
    let mut flags = OFlags::CLOEXEC;
    flags |= match (how.read, how.write || how.append) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    let wants = [
        (how.append, OFlags::APPEND),
        (how.create, OFlags::CREATE),
        (how.create_new, OFlags::CREATE | OFlags::EXCL),
        (how.truncate, OFlags::TRUNC),
        (how.nonblocking, OFlags::NONBLOCK),
        (place.dir.is_some(), OFlags::NOFOLLOW),
    ];
    wants.iter().filter(|(wanted, _)| *wanted).for_each(|(_, flag)| flags |= *flag);
    let mode = Mode::from_raw_mode(0o666);
    let file = File::from(retry(|| rfs::openat(place.dirfd(), &place.path, flags, mode))?);
    Ok(file)
}

/// Looks at what stands at a place.
pub(super) fn stat(place: &Place, follow: bool) -> io::Result<Metadata> {
    let stat = rfs::statat(place.dirfd(), &place.path, place.at_flags(follow))?;
    Ok(metadata_of(&stat))
}

/// Looks at an open file.
pub(super) fn stat_handle(file: &File) -> io::Result<Metadata> {
    Ok(metadata_of(&rfs::fstat(file)?))
}

/// Lists a directory, by name.
pub(super) fn list_dir(place: &Place, with_metadata: bool) -> io::Result<Vec<DirEntry>> {
    let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if place.dir.is_some() {
        flags |= OFlags::NOFOLLOW;
    }
    let guarded = place.dir.is_some();
    let dir = retry(|| rfs::openat(place.dirfd(), &place.path, flags, Mode::empty()))?;
    let mut entries = Vec::new();
    for entry in rfs::Dir::read_from(&dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let own = || rfs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW);
        let mut kind = kind_of(entry.file_type());
        if kind == FileKind::Unknown {
            kind = own().map_or(kind, |stat| metadata_of(&stat).kind);
        }
        // Under a guard a link is not followed: it may lead out of what was granted.
        let metadata = if !with_metadata {
            None
        } else if guarded || kind != FileKind::Symlink {
            own().ok()
        } else {
            rfs::statat(&dir, name, AtFlags::empty()).or_else(|_| own()).ok()
        };
        let name = OsStr::from_bytes(name.to_bytes()).to_owned();
        entries.push(DirEntry { name, kind, metadata: metadata.as_ref().map(metadata_of) });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// Makes a directory.
pub(super) fn create_dir(place: &Place, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode as rfs::RawMode);
    Ok(rfs::mkdirat(place.dirfd(), &place.path, mode)?)
}

/// Removes a file or link.
pub(super) fn remove_file(place: &Place) -> io::Result<()> {
    Ok(rfs::unlinkat(place.dirfd(), &place.path, AtFlags::empty())?)
}

/// Removes an empty directory.
pub(super) fn remove_dir(place: &Place) -> io::Result<()> {
    Ok(rfs::unlinkat(place.dirfd(), &place.path, AtFlags::REMOVEDIR)?)
}

/// Renames, replacing what is there.
pub(super) fn rename(from: &Place, to: &Place) -> io::Result<()> {
    Ok(rfs::renameat(from.dirfd(), &from.path, to.dirfd(), &to.path)?)
}

/// Removes a directory with all that is in it, following no link. A loop and not a recursion,
/// so a deep tree may run out of descriptors but not of stack.
pub(super) fn remove_tree(place: &Place) -> io::Result<()> {
    let open_dir = |dir: BorrowedFd<'_>, name: &OsStr| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = retry(|| rfs::openat(dir, name, flags, Mode::empty()))?;
        let entries = rfs::Dir::read_from(&handle)?;
        Ok((handle, entries, name.to_owned()))
    };
    if !stat(place, false)?.is_dir() {
        return Err(Errno::NOTDIR.into());
    }
    let mut open = vec![open_dir(place.dirfd(), place.path.as_os_str())?];
    while let Some((dir, entries, _)) = open.last_mut() {
        if let Some(entry) = entries.next() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            match open_dir(dir.as_fd(), name) {
                Ok(inner) => open.push(inner),
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    rfs::unlinkat(&*dir, name, AtFlags::empty())?;
                }
                Err(error) => return Err(error.into()),
            }
        } else if let Some((_, _, name)) = open.pop() {
            let parent = open.last().map_or(place.dirfd(), |(dir, ..)| dir.as_fd());
            rfs::unlinkat(parent, &name, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

/// What a symlink says.
pub(super) fn read_link(place: &Place) -> io::Result<OsString> {
    let target = rfs::readlinkat(place.dirfd(), &place.path, Vec::new())?;
    Ok(OsStr::from_bytes(target.to_bytes()).to_owned())
}

/// Makes a symlink.
pub(super) fn symlink(target: &Path, place: &Place) -> io::Result<()> {
    Ok(rfs::symlinkat(target, place.dirfd(), &place.path)?)
}

/// Sets the mode bits.
pub(super) fn set_mode(place: &Place, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode as rfs::RawMode);
    if place.dir.is_none() {
        return Ok(rfs::chmodat(CWD, &place.path, mode, AtFlags::empty())?);
    }
    // Not every system can do this by name without following a link.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = retry(|| rfs::openat(place.dirfd(), &place.path, flags, Mode::empty()))?;
    Ok(rfs::fchmod(file, mode)?)
}

/// The absolute path without links; everything must exist.
pub(super) fn real_path(access: &dyn Access, path: &Path) -> io::Result<PathBuf> {
    if access.is_unrestricted() {
        return std::fs::canonicalize(path);
    }
    let place = Place::locate(access, path, Right::Read, true)?;
    stat(&place, false)?;
    Ok(resolve(path, true)?.1)
}

/// A new file beside the one it is to replace; removed unless it has taken its place.
#[derive(Debug)]
pub(super) struct Replacement {
    target: Place,
    temp: OsString,
    pub(super) file: File,
    armed: bool,
}

impl Replacement {
    /// Makes the new file with the old one's mode and owner. `None` if that cannot be had (the
    /// directory cannot be written to, the owner is somebody else): then the old file has to be
    /// written in place.
    pub(super) fn create(target: Place, temp: OsString) -> io::Result<Option<Replacement>> {
        let target = target.pinned()?;
        let old = match rfs::statat(target.dirfd(), &target.path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error.into()),
        };
        let mode = if old.is_some() { 0o600 } else { 0o666 };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let opened = retry(|| rfs::openat(target.dirfd(), &temp, flags, Mode::from_raw_mode(mode)));
        let file = match opened {
            Ok(file) => file,
            Err(Errno::ACCESS | Errno::PERM) if old.is_some() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let new = Replacement { target, temp, file: file.into(), armed: true };
        if let Some(old) = old {
            let made = rfs::fstat(&new.file)?;
            if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid) {
                let (uid, gid) = (rfs::Uid::from_raw(old.st_uid), rfs::Gid::from_raw(old.st_gid));
                if rfs::fchown(&new.file, Some(uid), Some(gid)).is_err() {
                    return Ok(None);
                }
            }
            rfs::fchmod(&new.file, Mode::from_raw_mode(old.st_mode & 0o7777))?;
        }
        Ok(Some(new))
    }

    /// Takes the place of the old file.
    pub(super) fn commit(mut self) -> io::Result<()> {
        let dir = self.target.dirfd();
        rfs::renameat(dir, &self.temp, dir, &self.target.path)?;
        self.armed = false;
        Ok(())
    }

    /// Makes a new name durable: syncs the directory it is in.
    pub(super) fn sync_parent(place: &Place) -> io::Result<()> {
        let pinned = match &place.dir {
            Some(dir) => dir.try_clone()?,
            None => match resolve(&place.path, true)?.0.dir {
                Some(dir) => dir,
                None => return Ok(()),
            },
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rfs::openat(&pinned, ".", flags, Mode::empty())?;
        Ok(rfs::fsync(dir)?)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.armed {
            // Nothing more can be done about a failure here.
            let _ = rfs::unlinkat(self.target.dirfd(), &self.temp, AtFlags::empty());
        }
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

fn kind_of(file_type: FileType) -> FileKind {
    match file_type {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::CharacterDevice => FileKind::CharDevice,
        FileType::BlockDevice => FileKind::BlockDevice,
        FileType::Socket => FileKind::Socket,
        _ => FileKind::Unknown,
    }
}

/// The fields have other widths on other systems.
#[allow(clippy::unnecessary_cast)]
fn metadata_of(stat: &rfs::Stat) -> Metadata {
    let time = |secs: i64, nanos: u32| Time { secs, nanos };
    Metadata {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode as rfs::RawMode)),
        mode: stat.st_mode as u32,
        size: stat.st_size as u64,
        modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as u32),
        accessed: time(stat.st_atime as i64, stat.st_atime_nsec as u32),
        changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        dev: stat.st_dev as u64,
        ino: stat.st_ino as u64,
        links: stat.st_nlink as u64,
        uid: stat.st_uid,
        gid: stat.st_gid,
        rdev: stat.st_rdev as u64,
        block_size: stat.st_blksize as u64,
        blocks: stat.st_blocks as u64,
    }
}
