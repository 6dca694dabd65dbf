//! Operations of POSIX that whole-file work does not need: links, times, rights, descriptors.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self as rfs, AtFlags, CWD, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};

use super::error::{FileError, FileResult};
use super::meta::Time;
use super::ops::{check_path, with_errno};
use super::unix::Place;
use crate::access::{Access, Right};

fn at<T>(path: &Path, outcome: io::Result<T>) -> FileResult<T> {
    outcome.map_err(|error| FileError::at(with_errno(error), path))
}

/// Whether the user may do with `path` what the bits of `mode` say (4 read, 2 write, 1 execute, 0
/// that it is there). What the system refuses means no; a missing grant is an error.
pub fn may(
    access: &dyn Access,
    path: &Path,
    mode: u32,
    effective: bool,
    follow: bool,
) -> FileResult<bool> {
    check_path(path)?;
    let place = match Place::locate(access, path, Right::Read, follow) {
        Ok(place) => place,
        Err(error) if crate::access::Denied::is_in(&error) => {
            return Err(FileError::at(with_errno(error), path));
        }
        Err(_) => return Ok(false),
    };
    let mut flags = place.at_flags(follow);
    if effective {
        flags |= AtFlags::EACCESS;
    }
    let wanted = rfs::Access::from_bits_truncate(mode);
    Ok(rfs::accessat(place.dirfd(), place.name(), wanted, flags).is_ok())
}

/// Makes `path` a further name of the file `target`.
pub fn link(access: &dyn Access, target: &Path, path: &Path, follow: bool) -> FileResult<()> {
    check_path(target)?;
    check_path(path)?;
    let attempt = || {
        // Whoever may write by the new name must have been allowed to by the old one.
        let old = Place::locate(access, target, Right::Write, follow)?;
        if !access.is_unrestricted() {
            Place::locate(access, target, Right::Read, follow)?;
        }
        let new = Place::locate(access, path, Right::Write, false)?;
        let flags = if follow && access.is_unrestricted() {
            AtFlags::SYMLINK_FOLLOW
        } else {
            AtFlags::empty()
        };
        Ok(rfs::linkat(old.dirfd(), old.name(), new.dirfd(), new.name(), flags)?)
    };
    attempt().map_err(|e| FileError::at(with_errno(e), target).with_second_path(path))
}

/// Sets the length of a file.
pub fn truncate(access: &dyn Access, path: &Path, len: u64) -> FileResult<()> {
    check_path(path)?;
    let attempt = || {
        let place = Place::locate(access, path, Right::Write, true)?;
        let mut flags = OFlags::WRONLY | OFlags::CLOEXEC;
        if !access.is_unrestricted() {
            flags |= OFlags::NOFOLLOW;
        }
        let file = rfs::openat(place.dirfd(), place.name(), flags, Mode::empty())?;
        Ok(rfs::ftruncate(file, len)?)
    };
    at(path, attempt())
}

/// Sets the times of last access and modification; without times, to now.
pub fn set_times(
    access: &dyn Access,
    path: &Path,
    times: Option<(Time, Time)>,
    follow: bool,
) -> FileResult<()> {
    check_path(path)?;
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW as _ };
    let of = |t: Time| Timespec { tv_sec: t.secs as _, tv_nsec: t.nanos as _ };
    let (last_access, last_modification) = match times {
        Some((accessed, modified)) => (of(accessed), of(modified)),
        None => (now, now),
    };
    let times = Timestamps { last_access, last_modification };
    at(
        path,
        Place::locate(access, path, Right::Write, follow).and_then(|place| {
            let flags = place.at_flags(follow);
            Ok(rfs::utimensat(place.dirfd(), place.name(), &times, flags)?)
        }),
    )
}

/// Sets owner and group; `None` leaves one as it is.
pub fn set_owner(
    access: &dyn Access,
    path: &Path,
    owner: (Option<u32>, Option<u32>),
    follow: bool,
) -> FileResult<()> {
    check_path(path)?;
    let (uid, gid) = (owner.0.map(rfs::Uid::from_raw), owner.1.map(rfs::Gid::from_raw));
    at(
        path,
        Place::locate(access, path, Right::Write, follow).and_then(|place| {
            Ok(rfs::chownat(place.dirfd(), place.name(), uid, gid, place.at_flags(follow))?)
        }),
    )
}

/// Makes a FIFO.
pub fn make_fifo(access: &dyn Access, path: &Path, mode: u32) -> FileResult<()> {
    check_path(path)?;
    let mode = Mode::from_raw_mode(mode as rfs::RawMode);
    at(
        path,
        Place::locate(access, path, Right::Write, false).and_then(|place| {
            let kind = rfs::FileType::Fifo;
            Ok(rfs::mknodat(place.dirfd(), place.name(), kind, mode, 0)?)
        }),
    )
}

/// The sizes of the file system that `path` is on.
pub fn file_system(access: &dyn Access, path: &Path) -> FileResult<rfs::StatVfs> {
    check_path(path)?;
    let attempt = || {
        let place = Place::locate(access, path, Right::Read, true)?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match access.is_unrestricted() {
            true => Ok(rfs::statvfs(place.name())?),
            false => {
                let flags = flags | OFlags::NOFOLLOW;
                let file = rfs::openat(place.dirfd(), place.name(), flags, Mode::empty())?;
                Ok(rfs::fstatvfs(file)?)
            }
        }
    };
    at(path, attempt())
}

/// Opens as the system's `open` does; the descriptor is not inherited by other programs.
pub fn open_raw(access: &dyn Access, path: &Path, flags: i32, mode: u32) -> FileResult<OwnedFd> {
    check_path(path)?;
    let flags = OFlags::from_bits_retain(flags as _) | OFlags::CLOEXEC;
    let attempt = || {
        let kind = flags & OFlags::RWMODE;
        let makes = flags.intersects(OFlags::CREATE | OFlags::TRUNC);
        let writes = kind == OFlags::WRONLY || kind == OFlags::RDWR || makes;
        let reads = kind != OFlags::WRONLY;
        let follow = !flags.intersects(OFlags::NOFOLLOW | OFlags::EXCL);
        if writes && reads {
            // Both rights are needed, and the place is the same.
            Place::locate(access, path, Right::Read, follow)?;
        }
        let right = if writes { Right::Write } else { Right::Read };
        let place = Place::locate(access, path, right, follow)?;
        let mut flags = flags;
        if !access.is_unrestricted() {
            flags |= OFlags::NOFOLLOW;
        }
        let mode = Mode::from_raw_mode(mode as rfs::RawMode);
        loop {
            match rfs::openat(place.dirfd(), place.name(), flags, mode) {
                Err(rustix::io::Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    };
    at(path, attempt())
}

/// The folder that relative paths begin at from now on, for the whole process.
pub fn change_dir(access: &dyn Access, path: &Path) -> FileResult<()> {
    check_path(path)?;
    at(
        path,
        Place::locate(access, path, Right::Read, true).and_then(|place| {
            if access.is_unrestricted() {
                return std::env::set_current_dir(place.name());
            }
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let dir = rfs::openat(place.dirfd(), place.name(), flags, Mode::empty())?;
            Ok(rustix::process::fchdir(dir)?)
        }),
    )
}

/// Another handle of an open file that this process has under a number.
pub fn by_number(n: i32) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let path = format!("/dev/fd/{n}");
    match rfs::openat(CWD, path.as_str(), flags, Mode::empty()) {
        Ok(fd) => Ok(fd.into()),
        Err(rustix::io::Errno::NOENT) => Err(rustix::io::Errno::BADF.into()),
        Err(error) => Err(error.into()),
    }
}
