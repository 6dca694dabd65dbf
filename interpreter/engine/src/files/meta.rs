//! What the system knows about a file, in one form for all systems.

use std::ffi::OsString;

/// The kind of a directory entry.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Dir,
    Symlink,
    Fifo,
    CharDevice,
    BlockDevice,
    Socket,
    Unknown,
}

impl FileKind {
    /// Whether reading and writing it may wait for somebody.
    pub fn may_wait(self) -> bool {
        !matches!(self, FileKind::File | FileKind::Dir | FileKind::Symlink)
    }
}

/// A point in time: seconds since 1970 and nanoseconds.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    pub secs: i64,
    pub nanos: u32,
}

impl Time {
    /// Seconds as Python's `st_mtime`.
    pub fn as_secs_f64(self) -> f64 {
        self.secs as f64 + f64::from(self.nanos) * 1e-9
    }

    /// Nanoseconds as Python's `st_mtime_ns`.
    pub fn as_nanos(self) -> i128 {
        i128::from(self.secs) * 1_000_000_000 + i128::from(self.nanos)
    }
}

/// The result of `stat`.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub kind: FileKind,
    /// The whole `st_mode`, type bits included.
    pub mode: u32,
    pub size: u64,
    pub modified: Time,
    pub accessed: Time,
    /// The last change of the attributes (on Windows the creation).
    pub changed: Time,
    pub dev: u64,
    pub ino: u64,
    pub links: u64,
    pub uid: u32,
    pub gid: u32,
    /// What a device file is a file of.
    pub rdev: u64,
    /// The size of the system's transfers, and how many blocks of 512 bytes are used.
    pub block_size: u64,
    pub blocks: u64,
}

impl Metadata {
    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }
}

/// One entry of a directory.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    pub name: OsString,
    /// What the entry itself is: a link is a `Symlink`.
    pub kind: FileKind,
    /// What it leads to, if it was asked for and can be seen; of a broken link, the link's own.
    pub metadata: Option<Metadata>,
}
