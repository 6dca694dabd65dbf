//! Python's file object: a stream machine over an open file, driven for tasks.
//!
//! Every `poll_` operation is asked again with the same arguments after `Pending`, like those of
//! the reactor. One request is under way at a time; it goes to the pool unless the file is quick
//! (see `local`), so a slow FIFO parks the asking task and no other. What arrives for a task that
//! gave up stays in the stream for the next one.
//!
//! A file dropped unclosed writes out what it holds: at once if the file is quick, through the
//! pool if not, where `FileService::flush_all` waits for it at exit.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Poll, ready};
use std::time::Duration;

use miniscript_vm::text::wtf8;

use super::byte_stream::{Abilities, ByteStream};
use super::error::{FileError, FileResult};
use super::local::{self, QUICK_BYTES};
use super::meta::{FileKind, Metadata};
use super::mode::OpenMode;
use super::ops;
use super::service::Inner;
use super::step::{IoOutcome, IoRequest, Step};
use super::text_stream::TextStream;
use crate::reactor::{Job, TaskToken};

/// How long an exit waits for a write that is already under way.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);

/// What opening has found; made on whichever thread opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) meta: Metadata,
    pub(super) quick: bool,
    seek_start: Option<u64>,
    terminal: bool,
}

impl Opened {
    /// Looks at a file just opened.
    pub(super) fn examine(mut file: File, append: bool) -> FileResult<Opened> {
        let meta = ops::stat_handle(&file)?;
        let start = if append { SeekFrom::End(0) } else { SeekFrom::Current(0) };
        let seek_start = if meta.kind == FileKind::Fifo { None } else { file.seek(start).ok() };
        let quick = meta.kind == FileKind::File && local::is_quick_handle(&file);
        let terminal = meta.kind == FileKind::CharDevice && file.is_terminal();
        Ok(Opened { file, meta, quick, seek_start, terminal })
    }
}

#[derive(Debug)]
pub(super) enum Stream {
    Bytes(ByteStream),
    Text(TextStream),
}

impl Stream {
    fn bytes(&self) -> &ByteStream {
        match self {
            Stream::Bytes(bytes) => bytes,
            Stream::Text(text) => text.bytes(),
        }
    }

    fn bytes_mut(&mut self) -> &mut ByteStream {
        match self {
            Stream::Bytes(bytes) => bytes,
            Stream::Text(text) => text.bytes_mut(),
        }
    }

    /// Writes out everything, blocking.
    fn flush_to(&mut self, file: &File) -> FileResult<()> {
        let bytes = self.bytes_mut();
        while let Step::NeedIo(request) = bytes.flush()? {
            bytes.complete(request.perform(file))?;
        }
        Ok(())
    }

    fn close(&mut self) {
        match self {
            Stream::Bytes(bytes) => bytes.close(),
            Stream::Text(text) => text.close(),
        }
    }
}

struct InFlight {
    job: Job<IoOutcome>,
    writes: bool,
}

/// An open file.
pub struct OpenFile {
    service: Rc<Inner>,
    path: PathBuf,
    mode: OpenMode,
    meta: Metadata,
    quick: bool,
    terminal: bool,
    stream: RefCell<Stream>,
    file: RefCell<Option<Arc<File>>>,
    in_flight: RefCell<Option<InFlight>>,
    waiters: RefCell<Vec<TaskToken>>,
    /// A read of a terminal that waits for a line gives up.
    abandoned: Arc<AtomicBool>,
}

impl OpenFile {
    pub(super) fn new(
        service: Rc<Inner>,
        path: PathBuf,
        mode: OpenMode,
        opened: Opened,
    ) -> FileResult<OpenFile> {
        let seekable = opened.seek_start.is_some();
        let can = Abilities {
            readable: mode.how.read,
            writable: mode.how.write || mode.how.append,
            append: mode.how.append,
            seekable,
        };
        if can.readable && can.writable && !seekable && mode.buffer_size > 0 {
            return Err(FileError::Unsupported("File or stream is not seekable.".into()));
        }
        let start = opened.seek_start.unwrap_or(0);
        let bytes = ByteStream::new(can, mode.buffer_size, start, service.most);
        let stream = match &mode.text {
            None => Stream::Bytes(bytes),
            Some(text) => {
                let by_line = mode.line_buffering.unwrap_or(opened.terminal);
                let (encoding, errors, newline) = (text.encoding, text.errors, text.newline);
                Stream::Text(TextStream::new(bytes, encoding, errors, newline, by_line))
            }
        };
        Ok(OpenFile {
            service,
            path,
            mode,
            meta: opened.meta,
            quick: opened.quick,
            terminal: opened.terminal,
            abandoned: Arc::default(),
            stream: RefCell::new(stream),
            file: RefCell::new(Some(Arc::new(opened.file))),
            in_flight: RefCell::default(),
            waiters: RefCell::default(),
        })
    }

    /// The path as it was given to `open`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mode as it was given to `open`.
    pub fn mode(&self) -> &str {
        &self.mode.mode
    }

    /// Whether it is read and written as text.
    pub fn is_text(&self) -> bool {
        self.mode.is_text()
    }

    /// Whether each read and write is one of the system.
    pub fn is_unbuffered(&self) -> bool {
        self.mode.buffer_size == 0
    }

    /// The names of the encoding and of the error handler of a text file, as they were given.
    pub fn coding(&self) -> Option<&[String; 2]> {
        self.mode.text.as_ref().map(|text| &text.names)
    }

    /// The line ends that were read so far from a text file that takes them all: `\r`, `\n`,
    /// `\r\n`.
    pub fn newlines(&self) -> [bool; 3] {
        match &*self.stream.borrow() {
            Stream::Text(text) => text.newlines(),
            Stream::Bytes(_) => [false; 3],
        }
    }

    /// Whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// What may be done with it.
    pub fn abilities(&self) -> Abilities {
        self.stream.borrow().bytes().can()
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        self.stream.borrow().bytes().is_closed()
    }

    /// The descriptor, while it is open.
    #[cfg(unix)]
    pub fn fileno(&self) -> Option<i32> {
        use std::os::fd::AsRawFd;
        self.file.borrow().as_ref().map(|file| file.as_raw_fd())
    }

    /// Another handle of it, if `n` is its descriptor.
    #[cfg(unix)]
    pub(super) fn handle_if(&self, n: i32) -> Option<io::Result<File>> {
        use std::os::fd::AsRawFd;
        let file = self.file.borrow();
        file.as_ref().filter(|file| file.as_raw_fd() == n).map(|file| file.try_clone())
    }

    /// Looks at the open file itself.
    pub fn stat(&self) -> FileResult<Metadata> {
        match &*self.file.borrow() {
            Some(file) => ops::stat_handle(file),
            None => Err(FileError::closed()),
        }
    }

    /// Up to `n` bytes or code points, or all that is left.
    pub fn poll_read(&self, token: TaskToken, n: Option<usize>) -> Poll<FileResult<Vec<u8>>> {
        self.drive(token, |stream| match (stream, n) {
            (Stream::Bytes(bytes), Some(n)) => bytes.read(n),
            (Stream::Bytes(bytes), None) => bytes.read_all(),
            (Stream::Text(text), Some(n)) => text.read(n),
            (Stream::Text(text), None) => text.read_all(),
        })
    }

    /// What one read brings, at most `n` bytes (binary files).
    pub fn poll_read1(&self, token: TaskToken, n: usize) -> Poll<FileResult<Vec<u8>>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.read1(n),
            Stream::Text(text) => text.read(n),
        })
    }

    /// The next line, at most `limit` bytes or code points of it; empty at the end.
    pub fn poll_read_line(
        &self,
        token: TaskToken,
        limit: Option<usize>,
    ) -> Poll<FileResult<Vec<u8>>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.read_line(limit.unwrap_or(usize::MAX)),
            Stream::Text(text) => text.read_line(limit),
        })
    }

    /// The next line of an iteration; empty at the end.
    pub fn poll_next_line(&self, token: TaskToken) -> Poll<FileResult<Vec<u8>>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.read_line(usize::MAX),
            Stream::Text(text) => text.next_line(),
        })
    }

    /// Appends lines to `lines` until the end, or until they hold `hint` bytes or more. The
    /// caller keeps `lines` across `Pending`.
    pub fn poll_read_lines(
        &self,
        token: TaskToken,
        hint: Option<usize>,
        lines: &mut Vec<Vec<u8>>,
    ) -> Poll<FileResult<()>> {
        let mut size: usize = lines.iter().map(Vec::len).sum();
        while hint.is_none_or(|hint| size < hint) {
            match ready!(self.poll_next_line(token)) {
                Ok(line) if line.is_empty() => break,
                Ok(line) => {
                    size += line.len();
                    lines.push(line);
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes `data` (text: UTF-8 with lone surrogates); returns its length in bytes or code
    /// points. `taken`, false at first, is kept by the caller across `Pending`: it says that the
    /// data is in the buffer and only the buffer is being written out.
    pub fn poll_write(
        &self,
        token: TaskToken,
        data: &[u8],
        taken: &mut bool,
    ) -> Poll<FileResult<usize>> {
        let written = self.drive(token, |stream| {
            if !std::mem::replace(taken, true) {
                let by_line = match stream {
                    Stream::Bytes(bytes) => bytes.push(data).map(|()| false)?,
                    Stream::Text(text) => text.write(data)?,
                };
                if !by_line && !stream.bytes().wants_drain() {
                    return Ok(Step::Done(()));
                }
            }
            stream.bytes_mut().flush()
        });
        let len = if self.is_text() { wtf8::len(data) } else { data.len() };
        written.map(|outcome| outcome.map(|()| len))
    }

    /// Moves the position. `whence` 0: from the beginning (text: a value of `tell`), 1: from the
    /// position, 2: from the end.
    pub fn poll_seek(&self, token: TaskToken, offset: i64, whence: u32) -> Poll<FileResult<u64>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.seek(match whence {
                0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| invalid_argument())?),
                1 => SeekFrom::Current(offset),
                2 => SeekFrom::End(offset),
                _ if self.mode.buffer_size == 0 => return Err(invalid_argument()),
                _ => return Err(FileError::Value(format!("whence value {whence} unsupported"))),
            }),
            Stream::Text(text) => match (whence, offset) {
                (0, 0..) => text.seek(Some(offset as u64)),
                (0, _) => Err(FileError::Value(format!("negative seek position {offset}"))),
                (1, 0) => text.tell(),
                (1, _) => unsupported("can't do nonzero cur-relative seeks"),
                (2, 0) => text.seek(None),
                (2, _) => unsupported("can't do nonzero end-relative seeks"),
                _ => {
                    Err(FileError::Value(format!("invalid whence ({whence}, should be 0, 1 or 2)")))
                }
            },
        })
    }

    /// The position.
    pub fn poll_tell(&self, token: TaskToken) -> Poll<FileResult<u64>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.tell().map(Step::Done),
            Stream::Text(text) => text.tell(),
        })
    }

    /// Sets the length, by default to the position.
    pub fn poll_truncate(&self, token: TaskToken, len: Option<i64>) -> Poll<FileResult<u64>> {
        let len = match len.map(u64::try_from) {
            None => None,
            Some(Ok(len)) => Some(len),
            Some(Err(_)) => return Poll::Ready(Err(invalid_argument())),
        };
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.truncate(len),
            Stream::Text(text) => text.truncate(len),
        })
    }

    /// Writes out what is buffered.
    pub fn poll_flush(&self, token: TaskToken) -> Poll<FileResult<()>> {
        self.drive(token, |stream| match stream {
            Stream::Bytes(bytes) => bytes.flush(),
            Stream::Text(text) => text.flush(),
        })
    }

    /// Writes out what is buffered and brings it to the disk.
    pub fn poll_sync(&self, token: TaskToken) -> Poll<FileResult<()>> {
        self.drive(token, |stream| stream.bytes_mut().sync())
    }

    /// Flushes and closes. The file is closed even if the flush fails. Closing again is no error.
    pub fn poll_close(&self, token: TaskToken) -> Poll<FileResult<()>> {
        if self.is_closed() {
            return Poll::Ready(Ok(()));
        }
        // Nobody will take what a read may still bring.
        self.in_flight.borrow_mut().take_if(|in_flight| !in_flight.writes);
        let flushed = ready!(self.drive(token, |stream| stream.bytes_mut().flush()));
        self.stream.borrow_mut().close();
        let file = self.file.borrow_mut().take();
        drop(file);
        self.wake_waiters();
        Poll::Ready(flushed)
    }

    /// How many bytes were read ahead, or for an operation that has not ended.
    pub fn gathered(&self) -> usize {
        match &*self.stream.borrow() {
            Stream::Bytes(bytes) => bytes.gathered(),
            Stream::Text(text) => text.gathered(),
        }
    }

    /// Gives up what was read ahead: there is no memory for it.
    pub fn forget_gathered(&self) {
        match &mut *self.stream.borrow_mut() {
            Stream::Bytes(bytes) => bytes.forget_gathered(),
            Stream::Text(text) => text.forget_gathered(),
        }
    }

    /// Whether it holds something that has not reached the file.
    pub(super) fn has_unwritten(&self) -> bool {
        self.stream.borrow().bytes().has_unwritten()
    }

    /// Whether `meta` is this file.
    pub(super) fn is_same_file(&self, meta: &Metadata) -> bool {
        (self.meta.dev, self.meta.ino) == (meta.dev, meta.ino)
    }

    /// Writes out what is buffered, here and now.
    pub(super) fn flush_blocking(&self) -> FileResult<()> {
        let in_flight = self.in_flight.borrow_mut().take();
        if let Some(mut in_flight) = in_flight {
            match in_flight.job.wait(EXIT_PATIENCE) {
                Some(Ok(outcome)) => self.stream.borrow_mut().bytes_mut().complete(outcome)?,
                _ => return Err(FileError::Message("a write did not end in time".into())),
            }
        }
        match &*self.file.borrow() {
            Some(file) => self.stream.borrow_mut().flush_to(file),
            None => Ok(()),
        }
    }

    /// Runs an operation of the stream and the requests it needs.
    fn drive<T>(
        &self,
        token: TaskToken,
        mut operation: impl FnMut(&mut Stream) -> FileResult<Step<T>>,
    ) -> Poll<FileResult<T>> {
        loop {
            if let Err(error) = ready!(self.finish_in_flight(token)) {
                return Poll::Ready(Err(error));
            }
            let step = operation(&mut self.stream.borrow_mut());
            let request = match step {
                Ok(Step::Done(value)) => return Poll::Ready(Ok(value)),
                Ok(Step::NeedIo(request)) => request,
                Err(error) => return Poll::Ready(Err(error)),
            };
            let Some(file) = self.file.borrow().clone() else {
                return Poll::Ready(Err(FileError::closed()));
            };
            if self.quick && request.byte_len() as u64 <= QUICK_BYTES {
                let outcome = request.perform(&file);
                if let Err(error) = self.stream.borrow_mut().bytes_mut().complete(outcome) {
                    return Poll::Ready(Err(error));
                }
                continue;
            }
            let writes = matches!(request, IoRequest::Write { .. });
            let abandoned = self.terminal.then(|| Arc::clone(&self.abandoned));
            let job = self.service.reactor.blocking(token, move || match (&request, abandoned) {
                (IoRequest::Read(_), Some(abandoned)) if !input_came(&file, &abandoned) => {
                    IoOutcome::Read(Err(io::ErrorKind::WouldBlock.into()))
                }
                _ => request.perform(&file),
            });
            match job {
                Ok(job) => *self.in_flight.borrow_mut() = Some(InFlight { job, writes }),
                Err(error) => return Poll::Ready(Err(FileError::from_io(error))),
            }
        }
    }

    /// Takes in the request under way, or parks the task until it has ended.
    fn finish_in_flight(&self, token: TaskToken) -> Poll<FileResult<()>> {
        let mut slot = self.in_flight.borrow_mut();
        let Some(in_flight) = slot.as_mut() else { return Poll::Ready(Ok(())) };
        let Poll::Ready(outcome) = in_flight.job.poll(token) else {
            let mut waiters = self.waiters.borrow_mut();
            if !waiters.contains(&token) {
                waiters.push(token);
            }
            return Poll::Pending;
        };
        *slot = None;
        drop(slot);
        self.wake_waiters();
        let outcome = match outcome {
            // It was abandoned; the operation asks again.
            Ok(IoOutcome::Read(Err(error)))
                if self.terminal && error.kind() == io::ErrorKind::WouldBlock =>
            {
                Ok(())
            }
            Ok(outcome) => self.stream.borrow_mut().bytes_mut().complete(outcome),
            Err(panic) => Err(FileError::Message(panic.to_string())),
        };
        Poll::Ready(outcome)
    }

    /// Ends a read of a terminal that waits for a line nobody wants any more, so that it does not
    /// take the next one from somebody else.
    pub(crate) fn abandon_read(&self) {
        let mut slot = self.in_flight.borrow_mut();
        let Some(in_flight) = slot.as_mut().filter(|f| self.terminal && !f.writes) else { return };
        self.abandoned.store(true, Relaxed);
        let outcome = in_flight.job.wait(10 * LOOK);
        self.abandoned.store(false, Relaxed);
        if let Some(outcome) = outcome {
            *slot = None;
            drop(slot);
            if let Ok(outcome @ IoOutcome::Read(Ok(_))) = outcome {
                // It came in the last moment; the next read has it.
                let _ = self.stream.borrow_mut().bytes_mut().complete(outcome);
            }
            self.wake_waiters();
        }
    }

    /// The job wakes only the task that asked last.
    fn wake_waiters(&self) {
        for token in self.waiters.borrow_mut().drain(..) {
            self.service.reactor.wake(token);
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.is_closed() || !self.has_unwritten() {
            return;
        }
        if self.quick {
            // There is nobody to tell.
            let _ = self.flush_blocking();
            return;
        }
        let in_flight = self.in_flight.take();
        let Some(file) = self.file.take() else { return };
        let closed = Stream::Bytes(ByteStream::new(Abilities::default(), 0, 0, 0));
        let mut stream = self.stream.replace(closed);
        let job = self.service.reactor.blocking(TaskToken::from_bits(0), move || {
            if let Some(mut in_flight) = in_flight
                && let Some(Ok(outcome)) = in_flight.job.wait(Duration::MAX)
                && stream.bytes_mut().complete(outcome).is_err()
            {
                return;
            }
            let _ = stream.flush_to(&file);
        });
        if let Ok(job) = job {
            self.service.orphans.borrow_mut().push(job);
        }
    }
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile").field("path", &self.path).field("mode", &self.mode.mode).finish()
    }
}

/// How often a read of a terminal looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Waits for input; `false` if it is abandoned before some comes.
#[cfg(unix)]
fn input_came(file: &File, abandoned: &AtomicBool) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let look = Timespec { tv_sec: 0, tv_nsec: LOOK.as_nanos() as _ };
    loop {
        match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&look)) {
            Ok(0) | Err(rustix::io::Errno::INTR) if abandoned.load(Relaxed) => return false,
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            // An error is the read's to tell.
            _ => return true,
        }
    }
}

#[cfg(not(unix))]
fn input_came(_: &File, _: &AtomicBool) -> bool {
    true
}

fn unsupported<T>(text: &str) -> FileResult<T> {
    Err(FileError::Unsupported(text.into()))
}

fn invalid_argument() -> FileError {
    super::byte_stream::invalid_argument()
}
