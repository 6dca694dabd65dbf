//! The host's file service, awaited.

use crate::op::{Op, Vm, failure, vm_call};
use crate::{Error, Result};
use miniscript_abi::*;

pub use miniscript_abi::MsMeta as Metadata;

/// An entry of a directory.
#[derive(Debug, Clone)]
pub struct DirEntry {
    /// Name without the directory.
    pub name: String,
    /// Metadata (only `kind`, unless asked for).
    pub meta: Metadata,
}

/// A request, as yet without its kind's fields.
fn request(code: u32, path: &str) -> MsFileRequest {
    MsFileRequest {
        size: size_of::<MsFileRequest>(),
        code,
        flags: 0,
        path: MsStr::new(path),
        target: MsStr::EMPTY,
        handle: 0,
        offset: 0,
        length: 0,
        data: MsStr::EMPTY,
    }
}

/// Runs a request and reads its result while it is borrowed. Errors name `path`.
async fn run<T>(
    at: &Vm,
    request: MsFileRequest,
    path: &str,
    read: impl FnOnce(&MsFileResult) -> T,
) -> Result<T> {
    let mut op = Op::start(at.clone(), |at, out| vm_call!(at, file.submit(&request, out)))?;
    (&mut op).await?;
    let mut result = MsFileResult {
        size: size_of::<MsFileResult>(),
        io: MsIo::NONE,
        number: 0,
        data: MsStr::EMPTY,
        // SAFETY: all-zero records are valid; see `widen`.
        meta: unsafe { widen(std::ptr::NonNull::<MsMeta>::dangling().as_ptr(), 0) },
        entries: MsTable::EMPTY,
    };
    match vm_call!(*at, file.result(op.id, &mut result)) {
        MS_OK => Ok(read(&result)),
        MS_FAILED => Err(Error::io(result.io, path)),
        status => Err(failure(status)),
    }
}

fn bytes_of(result: &MsFileResult) -> Vec<u8> {
    // SAFETY: valid until the operation is closed, which `run` does after reading.
    unsafe { result.data.as_bytes() }.to_vec()
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Reads a whole file.
pub async fn read(path: &str) -> Result<Vec<u8>> {
    run(&Vm::current()?, request(MS_FILE_READ_ALL, path), path, bytes_of).await
}

/// Writes a whole file, atomically for a regular one.
pub async fn write(path: &str, data: &[u8]) -> Result<()> {
    let request = MsFileRequest { data: MsStr::bytes(data), ..request(MS_FILE_WRITE_ALL, path) };
    run(&Vm::current()?, request, path, |_| ()).await
}

/// Appends to a file.
pub async fn append(path: &str, data: &[u8]) -> Result<()> {
    let request = MsFileRequest { data: MsStr::bytes(data), ..request(MS_FILE_APPEND, path) };
    run(&Vm::current()?, request, path, |_| ()).await
}

/// Metadata of a file; `link` asks for that of a link itself.
pub async fn metadata(path: &str, link: bool) -> Result<Metadata> {
    let request = MsFileRequest { flags: u32::from(link), ..request(MS_FILE_STAT, path) };
    run(&Vm::current()?, request, path, |result| result.meta).await
}

/// Entries of a directory, with all metadata if asked for.
pub async fn list_dir(path: &str, with_meta: bool) -> Result<Vec<DirEntry>> {
    let request = MsFileRequest { flags: u32::from(with_meta), ..request(MS_FILE_LIST, path) };
    run(&Vm::current()?, request, path, |result| {
        // SAFETY: the host fills the table with directory entries, valid until the close.
        let entries = unsafe { result.entries.read::<MsDirEntry>() };
        entries
            .iter()
            .map(|entry| DirEntry {
                // SAFETY: as above.
                name: text_of(unsafe { entry.name.as_bytes() }.to_vec()),
                meta: entry.meta,
            })
            .collect()
    })
    .await
}

/// Makes a directory; `parents` makes the missing ones and accepts that it exists.
pub async fn mkdir(path: &str, parents: bool) -> Result<()> {
    let request = MsFileRequest { flags: u32::from(parents), ..request(MS_FILE_MKDIR, path) };
    run(&Vm::current()?, request, path, |_| ()).await
}

/// What [`remove`] removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remove {
    /// A file or link.
    File = 0,
    /// An empty directory.
    Dir = 1,
    /// A directory with its content.
    Tree = 2,
}

/// Removes a file or directory.
pub async fn remove(path: &str, what: Remove) -> Result<()> {
    let request = MsFileRequest { flags: what as u32, ..request(MS_FILE_REMOVE, path) };
    run(&Vm::current()?, request, path, |_| ()).await
}

/// Renames.
pub async fn rename(from: &str, to: &str) -> Result<()> {
    let request = MsFileRequest { target: MsStr::new(to), ..request(MS_FILE_RENAME, from) };
    run(&Vm::current()?, request, from, |_| ()).await
}

/// Copies a file; the result is its length.
pub async fn copy(from: &str, to: &str) -> Result<u64> {
    let request = MsFileRequest { target: MsStr::new(to), ..request(MS_FILE_COPY, from) };
    run(&Vm::current()?, request, from, |result| result.number).await
}

/// The absolute path without links.
pub async fn real_path(path: &str) -> Result<String> {
    run(&Vm::current()?, request(MS_FILE_REAL_PATH, path), path, bytes_of).await.map(text_of)
}

/// An open file; closed when dropped.
pub struct File {
    handle: u64,
    path: String,
    at: Vm,
}

impl File {
    /// Opens a file with `MS_OPEN_` flags.
    pub async fn open(path: &str, flags: u32) -> Result<Self> {
        let at = Vm::current()?;
        let request = MsFileRequest { flags, ..request(MS_FILE_OPEN, path) };
        let handle = run(&at, request, path, |result| result.number).await?;
        Ok(Self { handle, path: path.to_owned(), at })
    }

    fn request(&self, code: u32) -> MsFileRequest {
        MsFileRequest { handle: self.handle, ..request(code, "") }
    }

    /// Reads at most `length` bytes; none at the end.
    pub async fn read(&mut self, length: u64) -> Result<Vec<u8>> {
        let request = MsFileRequest { length, ..self.request(MS_FILE_READ) };
        run(&self.at, request, &self.path, bytes_of).await
    }

    /// Writes all bytes.
    pub async fn write(&mut self, data: &[u8]) -> Result<()> {
        let request = MsFileRequest { data: MsStr::bytes(data), ..self.request(MS_FILE_WRITE) };
        run(&self.at, request, &self.path, |_| ()).await
    }

    /// Moves the position; `whence` is 0 (start), 1 (current) or 2 (end).
    pub async fn seek(&mut self, offset: i64, whence: u32) -> Result<u64> {
        let request = MsFileRequest { offset, flags: whence, ..self.request(MS_FILE_SEEK) };
        run(&self.at, request, &self.path, |result| result.number).await
    }

    /// Sets the length.
    pub async fn truncate(&mut self, length: u64) -> Result<()> {
        let request = MsFileRequest { length, ..self.request(MS_FILE_TRUNCATE) };
        run(&self.at, request, &self.path, |_| ()).await
    }

    /// Brings what was written to the disk.
    pub async fn sync(&mut self) -> Result<()> {
        run(&self.at, self.request(MS_FILE_SYNC), &self.path, |_| ()).await
    }

    /// Closes the file and reports errors.
    pub async fn close(mut self) -> Result<()> {
        let request = self.request(MS_FILE_CLOSE);
        self.handle = 0;
        run(&self.at, request, &self.path, |_| ()).await
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.handle != 0 {
            vm_call!(self.at, file.close_handle(self.handle));
        }
    }
}
