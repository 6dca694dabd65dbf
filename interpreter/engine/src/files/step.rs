//! How the stream machines ask for I/O: they never do it themselves.
//!
//! Every operation of a stream is *retried*: it either is `Done` or names one request; when the
//! request has been carried out and its outcome given to the stream, the same operation is called
//! again with the same arguments. What a request brought in lies in the stream's buffers, so
//! nothing is lost when the operation is never called again (its task was cancelled).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// What an operation came to.
#[derive(Debug)]
pub enum Step<T> {
    /// It is done.
    Done(T),
    /// This has to be carried out first.
    NeedIo(IoRequest),
}

/// Unwraps `Done`, hands `NeedIo` to the caller.
macro_rules! done {
    ($step:expr) => {
        match $step {
            $crate::files::step::Step::Done(value) => value,
            $crate::files::step::Step::NeedIo(request) => {
                return Ok($crate::files::step::Step::NeedIo(request));
            }
        }
    };
}
pub(super) use done;

/// One system call that a stream needs. It owns its buffer, so it can go to another thread.
#[derive(Debug)]
pub enum IoRequest {
    /// Read once, at most so many bytes.
    Read(usize),
    /// Write all of it; `append` says that the system chooses the place, so ask where it was.
    Write { data: Vec<u8>, append: bool },
    /// Move the file's position.
    Seek(SeekFrom),
    /// Set the file's length.
    Truncate(u64),
    /// Bring everything to the disk.
    Sync,
}

/// What came of an [`IoRequest`].
#[derive(Debug)]
pub enum IoOutcome {
    /// What was read; empty at the end of the file.
    Read(io::Result<Vec<u8>>),
    /// How many of the bytes were written, the position behind them if it was asked, and the
    /// error if they were not all.
    Wrote { written: usize, data: Vec<u8>, end: Option<u64>, outcome: io::Result<()> },
    /// The new position.
    Moved(io::Result<u64>),
    /// The new length.
    Truncated(io::Result<u64>),
    /// All of it has reached the disk.
    Synced(io::Result<()>),
}

impl IoRequest {
    /// How many bytes are moved.
    pub(super) fn byte_len(&self) -> usize {
        match self {
            IoRequest::Read(len) => *len,
            IoRequest::Write { data, .. } => data.len(),
            IoRequest::Seek(_) | IoRequest::Truncate(_) => 0,
            // It may take as long as it likes.
            IoRequest::Sync => usize::MAX,
        }
    }

    /// Carries the request out, blocking.
    pub fn perform(self, mut file: &File) -> IoOutcome {
        match self {
            IoRequest::Read(len) => IoOutcome::Read(read_once(file, len)),
            IoRequest::Write { data, append } => {
                let (written, outcome) = write_all(file, &data);
                let end = if append { file.stream_position().ok() } else { None };
                IoOutcome::Wrote { written, data, end, outcome }
            }
            IoRequest::Seek(to) => IoOutcome::Moved(file.seek(to)),
            IoRequest::Sync => IoOutcome::Synced(file.sync_all()),
            IoRequest::Truncate(len) => IoOutcome::Truncated(file.set_len(len).map(|()| len)),
        }
    }
}

/// Writes all of `data`, or says how far it came.
fn write_all(mut file: &File, data: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < data.len() {
        match file.write(&data[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

fn read_once(mut file: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut buf = Vec::new();
    buf.try_reserve_exact(len).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    buf.resize(len, 0);
    loop {
        match file.read(&mut buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(n) => {
                buf.truncate(n);
                return Ok(buf);
            }
        }
    }
}
