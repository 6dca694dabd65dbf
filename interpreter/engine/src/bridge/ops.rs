//! Operations under way: timers, lookups, file requests and blocking calls.
//!
//! Each is started without a waiting task; a poll that finds it unfinished parks the task.

use std::ffi::{OsString, c_void};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use miniscript_abi::*;

use super::Bridge;
use super::error::io_of;
use crate::files::{DirEntry, FileOp, Metadata, OpenFile, Opening};
use crate::reactor::{Job, Lookup, Reactor, TaskToken, TimerId};

/// A token that names no task.
pub(super) const NOBODY: TaskToken = TaskToken::from_bits(u64::MAX);

/// What an operation costs the host: its record and what stands behind it.
const OP_BYTES: usize = 256;

/// An operation.
pub(super) enum Op {
    /// A timer.
    Timer(Timer),
    /// Work on the pool; None once it has returned.
    Work(
        Option<Job<()>>,
        #[expect(dead_code, reason = "kept until the operation is closed")] Arc<Work>,
    ),
    /// A name is looked up.
    Lookup(Option<Lookup>, Result<Vec<SocketAddr>, MsIo>),
    /// A request to the file service.
    File(FileStage),
}

/// A point in time.
pub(super) struct Timer {
    reactor: Rc<Reactor>,
    at: Instant,
    running: Option<(TimerId, TaskToken)>,
}

impl Timer {
    pub(super) fn new(reactor: Rc<Reactor>, after: Duration) -> Timer {
        let now = Instant::now();
        let far = Duration::from_secs(60 * 60 * 24 * 365 * 30);
        Timer { reactor, at: now.checked_add(after).unwrap_or(now + far), running: None }
    }

    fn poll(&mut self, token: TaskToken) -> bool {
        if Instant::now() >= self.at {
            return true;
        }
        match self.running {
            Some((id, known)) if known == token && self.reactor.timer_pending(id) => {}
            _ => {
                self.stop();
                self.running = Some((self.reactor.timer_at(self.at, token), token));
            }
        }
        false
    }

    fn stop(&mut self) {
        if let Some((id, _)) = self.running.take() {
            self.reactor.cancel_timer(id);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Work of an extension on the pool; its data ends with the last owner, on any thread.
pub(super) struct Work {
    data: *mut c_void,
    drop: Option<MsDrop>,
}

// SAFETY: `task->blocking` states that work and data may be used and ended on any thread.
unsafe impl Send for Work {}
// SAFETY: as above.
unsafe impl Sync for Work {}

impl Work {
    pub(super) fn new(data: *mut c_void, drop: Option<MsDrop>) -> Arc<Work> {
        Arc::new(Work { data, drop })
    }

    pub(super) fn run(&self, work: MsWork) {
        // SAFETY: the contract of `MsWork`.
        unsafe { work(self.data) };
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(end) = self.drop {
            // SAFETY: the contract of `task->blocking`: once, after the work.
            unsafe { end(self.data) };
        }
    }
}

/// A file request on its way.
pub(super) enum FileStage {
    /// Not finished.
    Running(Box<FileWork>),
    /// Finished; what the result points to lives here.
    Done(Box<FileDone>),
}

/// What a file request does.
pub(super) enum FileWork {
    /// Whole contents.
    Bytes(FileOp<Vec<u8>>),
    /// Nothing but success.
    Unit(FileOp<()>),
    /// A number.
    Number(FileOp<u64>),
    /// Metadata of a path.
    Meta(FileOp<Metadata>),
    /// A directory.
    List(FileOp<Vec<DirEntry>>),
    /// A path.
    Path(FileOp<PathBuf>),
    /// The target of a link.
    Link(FileOp<OsString>),
    /// A file that is being opened.
    Open(Opening),
    /// Something with an open file.
    Handle(Rc<OpenFile>, HandleWork),
    /// It ended at once.
    Ended(Option<Result<Metadata, crate::files::FileError>>),
}

/// What is done with an open file.
pub(super) enum HandleWork {
    /// Read at most so many bytes.
    Read(usize),
    /// Write the bytes; whether the stream has taken them.
    Write(Vec<u8>, bool),
    /// Move the position.
    Seek(i64, u32),
    /// Reach the disk.
    Sync,
    /// Set the length.
    Truncate(u64),
    /// Close it.
    Close,
}

/// The result of a file request.
#[derive(Default)]
pub(super) struct FileDone {
    pub(super) io: Option<MsIo>,
    pub(super) number: u64,
    pub(super) data: Vec<u8>,
    pub(super) meta: Option<Metadata>,
    pub(super) entries: Vec<MsDirEntry>,
    pub(super) names: Vec<Vec<u8>>,
}

impl Bridge {
    /// Opens an operation.
    pub(super) fn add_op(&self, op: Op) -> MsOp {
        self.vm().heap.hold(OP_BYTES);
        self.ops.borrow_mut().insert(op).to_bits()
    }

    /// Closes one, if it is open.
    pub(super) fn close_op(&self, op: MsOp) {
        // Dropped out of the borrow: its end may run code of the extension.
        let closed = self.ops.borrow_mut().remove(crate::reactor::Key::from_bits(op));
        if closed.is_some() && !self.closing.get() {
            self.vm().heap.refund(OP_BYTES);
        }
        drop(closed);
    }

    /// Whether an operation is done; None if it is not open.
    pub(super) fn poll_op(&self, op: MsOp, token: TaskToken) -> Option<bool> {
        let key = crate::reactor::Key::from_bits(op);
        // Taken out while it is polled: what it does may come back to the table.
        let mut ops = self.ops.borrow_mut();
        Some(match ops.get_mut(key)? {
            Op::Timer(timer) => timer.poll(token),
            Op::Work(job, _) => match job {
                None => true,
                Some(running) => match running.poll(token) {
                    Poll::Pending => false,
                    Poll::Ready(_) => {
                        *job = None;
                        true
                    }
                },
            },
            Op::Lookup(lookup, result) => match lookup {
                None => true,
                Some(running) => match running.poll(token) {
                    Poll::Pending => false,
                    Poll::Ready(found) => {
                        *result = found.map_err(|e| MsIo { kind: MS_IO_RESOLVE, ..io_of(&e) });
                        *lookup = None;
                        true
                    }
                },
            },
            Op::File(stage) => {
                if let FileStage::Running(work) = stage
                    && let Some(done) = super::host_file::advance(self, work, token)
                {
                    *stage = FileStage::Done(Box::new(done));
                }
                matches!(stage, FileStage::Done(_))
            }
        })
    }
}
