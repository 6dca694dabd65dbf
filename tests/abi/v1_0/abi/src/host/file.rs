//! The file service: one request record, many request codes.
//!
//! A request runs on the host's thread pool behind its permission point. `path`, `target` and
//! `data` are copied by `submit`; what the result points to is valid until the operation is
//! closed.

use crate::record::{host_table, plain_record, record};
use crate::{MsIo, MsOp, MsStr, MsTable};

/// Reads the whole file at `path` into `data`.
pub const MS_FILE_READ_ALL: u32 = 1;
/// Writes `data` as the whole file at `path` (atomic for a regular file, which keeps its mode).
pub const MS_FILE_WRITE_ALL: u32 = 2;
/// Appends `data` to the file at `path`.
pub const MS_FILE_APPEND: u32 = 3;
/// Opens `path` with the `MS_OPEN_` `flags`; `number` is the handle.
pub const MS_FILE_OPEN: u32 = 4;
/// Reads at most `length` bytes from `handle` into `data`; none: the end.
pub const MS_FILE_READ: u32 = 5;
/// Writes all of `data` to `handle`.
pub const MS_FILE_WRITE: u32 = 6;
/// Moves the position of `handle` by `offset` from `flags` (0 start, 1 current, 2 end); `number`
/// is the new position.
pub const MS_FILE_SEEK: u32 = 7;
/// Brings `handle` to the disk.
pub const MS_FILE_SYNC: u32 = 8;
/// Sets the length of `handle` to `length`.
pub const MS_FILE_TRUNCATE: u32 = 9;
/// Closes `handle`.
pub const MS_FILE_CLOSE: u32 = 10;
/// Metadata of `path` (`flags` 1: of the link itself), or of `handle` where it is not 0.
pub const MS_FILE_STAT: u32 = 11;
/// Entries of the directory `path` (`flags` 1: each with its metadata).
pub const MS_FILE_LIST: u32 = 12;
/// Makes the directory `path` (`flags` 1: with its parents, and it may exist).
pub const MS_FILE_MKDIR: u32 = 13;
/// Removes the file `path` (`flags` 1: an empty directory, 2: a directory with its content).
pub const MS_FILE_REMOVE: u32 = 14;
/// Renames `path` to `target`.
pub const MS_FILE_RENAME: u32 = 15;
/// Copies the file `path` to `target`; `number` is its length.
pub const MS_FILE_COPY: u32 = 16;
/// The absolute path without links in `data`.
pub const MS_FILE_REAL_PATH: u32 = 17;
/// Sets the mode bits of `path` to `length`.
pub const MS_FILE_CHMOD: u32 = 18;
/// Makes `path` a symbolic link to `target`.
pub const MS_FILE_SYMLINK: u32 = 19;
/// The target of the link `path` in `data`.
pub const MS_FILE_READ_LINK: u32 = 20;

/// [`MS_FILE_OPEN`]: for reading.
pub const MS_OPEN_READ: u32 = 1;
/// [`MS_FILE_OPEN`]: for writing.
pub const MS_OPEN_WRITE: u32 = 2;
/// [`MS_FILE_OPEN`]: each write goes to the end.
pub const MS_OPEN_APPEND: u32 = 4;
/// [`MS_FILE_OPEN`]: emptied.
pub const MS_OPEN_TRUNCATE: u32 = 8;
/// [`MS_FILE_OPEN`]: made if missing.
pub const MS_OPEN_CREATE: u32 = 16;
/// [`MS_FILE_OPEN`]: must not exist.
pub const MS_OPEN_EXCLUSIVE: u32 = 32;

record! {
    /// A request to the file service.
    pub struct MsFileRequest {
        /// Bytes of this record.
        pub size: usize,
        /// `MS_FILE_` code.
        pub code: u32,
        /// See the code.
        pub flags: u32,
        /// Path, UTF-8 with surrogates for bytes that are not (as Python's `os.fsdecode`).
        pub path: MsStr,
        /// Second path.
        pub target: MsStr,
        /// An open file.
        pub handle: u64,
        /// Signed offset.
        pub offset: i64,
        /// Length, or see the code.
        pub length: u64,
        last:
        /// Bytes to write.
        pub data: MsStr,
    }
}

/// [`MsMeta`]: a regular file.
pub const MS_KIND_FILE: u32 = 1;
/// [`MsMeta`]: a directory.
pub const MS_KIND_DIR: u32 = 2;
/// [`MsMeta`]: a symbolic link.
pub const MS_KIND_LINK: u32 = 3;
/// [`MsMeta`]: anything else.
pub const MS_KIND_OTHER: u32 = 4;

plain_record! {
    /// Metadata of a file. Times are nanoseconds since 1970.
    #[derive(Debug)]
    pub struct MsMeta {
        /// `MS_KIND_`; 0: not asked for.
        pub kind: u32,
        /// Mode bits as `st_mode` has them (on Windows made up from the attributes).
        pub mode: u32,
        /// Length in bytes.
        pub size: u64,
        /// Last modification.
        pub modified_ns: i64,
        /// Last access.
        pub accessed_ns: i64,
        /// Change of the inode, or creation on Windows.
        pub changed_ns: i64,
        /// Device.
        pub device: u64,
        /// Inode.
        pub inode: u64,
        /// Number of links.
        pub links: u64,
        /// Owner.
        pub user: u32,
        /// Group.
        pub group: u32,
    }
}

record! {
    /// One entry of a directory.
    pub struct MsDirEntry {
        /// Name without the directory.
        pub name: MsStr,
        last:
        /// Kind, and the rest where it was asked for.
        pub meta: MsMeta,
    }
}

record! {
    /// Result of a request. The caller sets `size`; the host fills what fits.
    pub struct MsFileResult {
        /// Bytes of this record.
        pub size: usize,
        /// Outcome; `count` is the number of bytes read or written.
        pub io: MsIo,
        /// See the code.
        pub number: u64,
        /// See the code.
        pub data: MsStr,
        /// Of `MS_FILE_STAT`.
        pub meta: MsMeta,
        last:
        /// Of [`MsDirEntry`], from `MS_FILE_LIST`.
        pub entries: MsTable,
    }
}

host_table! {
    /// The file service. None of these runs script.
    pub struct MsHostFile {
        /// Starts a request; poll the operation with `task->op_poll`. `MS_UNSUPPORTED` for a code
        /// the host does not know.
        fn submit(request: *const MsFileRequest, out: *mut MsOp);
        /// Result of a finished request; `MS_FAILED` where `io` says so.
        fn result(op: MsOp, out: *mut MsFileResult);
        last:
        /// Closes an open file without waiting (for `drop` functions; errors are lost).
        fn close_handle(handle: u64);
    }
}
