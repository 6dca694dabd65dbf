//! A buffered stream of bytes as a machine without I/O: Python's `BufferedReader`,
//! `BufferedWriter`, `BufferedRandom` and (with a buffer of 0) `FileIO` in one.
//!
//! ```text
//! kernel position      raw_pos
//! reading              raw_pos - unread bytes in `rbuf`
//! writing              write_at + bytes in flight + bytes in `wbuf`
//! ```
//!
//! Only one of the two buffers is in use: writing discards what was read ahead and remembers, in
//! `write_at`, where it begins; reading first flushes.

use std::io::SeekFrom;

use super::error::{FileError, FileResult};
use super::step::{IoOutcome, IoRequest, Step, done};

/// CPython's `io.DEFAULT_BUFFER_SIZE`.
pub const DEFAULT_BUFFER: usize = 8192;
const LARGEST_READ: usize = 1 << 20;

/// What a stream may do.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    pub readable: bool,
    pub writable: bool,
    /// Writes go to the end, wherever the position is.
    pub append: bool,
    pub seekable: bool,
}

#[derive(Debug)]
pub(super) struct ByteStream {
    can: Abilities,
    buffer_size: usize,
    rbuf: Vec<u8>,
    rpos: usize,
    /// Bytes from `rpos` that are known to hold no newline.
    scanned: usize,
    wbuf: Vec<u8>,
    in_flight: usize,
    write_at: Option<u64>,
    /// The kernel's position, if the file has one.
    raw_pos: u64,
    /// The last read met the end of the file; the operation that asked consumes this.
    at_end: bool,
    /// The seek under way and the one that has arrived, so that its retry knows.
    seeking: Option<SeekFrom>,
    moved: Option<(SeekFrom, u64)>,
    truncated: Option<u64>,
    synced: bool,
    closed: bool,
    /// Most bytes that may gather.
    most: usize,
}

impl ByteStream {
    pub(super) fn new(can: Abilities, buffer_size: usize, raw_pos: u64, most: usize) -> ByteStream {
        ByteStream {
            can,
            buffer_size,
            rbuf: Vec::new(),
            rpos: 0,
            scanned: 0,
            wbuf: Vec::new(),
            in_flight: 0,
            write_at: None,
            raw_pos,
            at_end: false,
            seeking: None,
            moved: None,
            truncated: None,
            synced: false,
            closed: false,
            most,
        }
    }

    /// An error if `n` bytes are more than may gather.
    pub(super) fn check_room(&self, n: usize) -> FileResult<()> {
        if n > self.most { Err(FileError::Memory) } else { Ok(()) }
    }

    pub(super) fn can(&self) -> Abilities {
        self.can
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether there is something that has not reached the file.
    pub(super) fn has_unwritten(&self) -> bool {
        !self.wbuf.is_empty() || self.in_flight > 0
    }

    /// Whether enough has gathered that it should be written now.
    pub(super) fn wants_drain(&self) -> bool {
        self.wbuf.len() >= self.buffer_size.max(1)
    }

    /// Takes in the outcome of a request.
    pub(super) fn complete(&mut self, outcome: IoOutcome) -> FileResult<()> {
        match outcome {
            IoOutcome::Read(data) => {
                let data = data.map_err(FileError::from_io)?;
                self.at_end = data.is_empty();
                self.raw_pos += data.len() as u64;
                if self.rpos == self.rbuf.len() {
                    self.rbuf = data;
                    self.scanned = 0;
                } else {
                    self.rbuf.drain(..self.rpos);
                    if self.rbuf.try_reserve(data.len()).is_err() {
                        self.forget_gathered();
                        return Err(FileError::Memory);
                    }
                    self.rbuf.extend_from_slice(&data);
                }
                self.rpos = 0;
                if let Err(error) = self.check_room(self.rbuf.len()) {
                    self.rbuf = Vec::new();
                    return Err(error);
                }
            }
            IoOutcome::Wrote { written, mut data, end, outcome } => {
                self.in_flight = 0;
                self.raw_pos = end.unwrap_or(self.raw_pos + written as u64);
                if written < data.len() {
                    data.drain(..written);
                    data.append(&mut self.wbuf);
                    self.wbuf = data;
                }
                self.write_at = Some(self.raw_pos);
                outcome.map_err(FileError::from_io)?;
            }
            IoOutcome::Moved(position) => {
                let asked = self.seeking.take();
                self.raw_pos = position.map_err(FileError::from_io)?;
                self.moved = asked.map(|asked| (asked, self.raw_pos));
            }
            IoOutcome::Truncated(len) => {
                self.truncated = Some(len.map_err(FileError::from_io)?);
            }
            IoOutcome::Synced(outcome) => {
                outcome.map_err(FileError::from_io)?;
                self.synced = true;
            }
        }
        Ok(())
    }

    /// Up to `n` bytes; fewer only at the end of the file. Without a buffer: one read.
    pub(super) fn read(&mut self, n: usize) -> FileResult<Step<Vec<u8>>> {
        done!(self.ready_to_read("read")?);
        let have = self.unread().len();
        if have >= n || self.at_end || (self.buffer_size == 0 && have > 0) {
            return Ok(Step::Done(self.take(n)));
        }
        let want = (n - have).min(LARGEST_READ);
        let want = if self.buffer_size == 0 { want } else { want.max(self.buffer_size) };
        Ok(Step::NeedIo(IoRequest::Read(want)))
    }

    /// At least one byte and at most `n`, with one read at most; empty at the end.
    pub(super) fn read1(&mut self, n: usize) -> FileResult<Step<Vec<u8>>> {
        done!(self.ready_to_read("read")?);
        if n > 0 && self.unread().is_empty() && !self.at_end {
            return Ok(Step::NeedIo(IoRequest::Read(n.min(LARGEST_READ))));
        }
        Ok(Step::Done(self.take(n)))
    }

    /// All that is left.
    pub(super) fn read_all(&mut self) -> FileResult<Step<Vec<u8>>> {
        done!(self.ready_to_read("read")?);
        if self.at_end {
            return Ok(Step::Done(self.take(usize::MAX)));
        }
        let want = self.unread().len().clamp(8 * DEFAULT_BUFFER, LARGEST_READ);
        Ok(Step::NeedIo(IoRequest::Read(want)))
    }

    /// How much was read and not yet taken.
    pub(super) fn gathered(&self) -> usize {
        self.rbuf.len()
    }

    /// Gives that up.
    pub(super) fn forget_gathered(&mut self) {
        self.rbuf = Vec::new();
        self.rpos = 0;
        self.scanned = 0;
    }

    /// Up to and with the next newline, but at most `limit` bytes; empty at the end.
    pub(super) fn read_line(&mut self, limit: usize) -> FileResult<Step<Vec<u8>>> {
        if limit == 0 && !self.closed {
            return Ok(Step::Done(Vec::new()));
        }
        done!(self.ready_to_read("readline")?);
        let unread = &self.rbuf[self.rpos..];
        let new = &unread[self.scanned.min(unread.len())..];
        let found = new.iter().position(|b| *b == b'\n').map(|at| self.scanned + at + 1);
        let end = found.unwrap_or(unread.len());
        if found.is_some() || end >= limit || self.at_end {
            return Ok(Step::Done(self.take(end.min(limit))));
        }
        self.scanned = end;
        Ok(Step::NeedIo(IoRequest::Read(self.buffer_size.max(1))))
    }

    /// Takes `data` for writing. The caller then asks [`ByteStream::wants_drain`].
    pub(super) fn push(&mut self, data: &[u8]) -> FileResult<()> {
        self.ready_to_write()?;
        self.check_room(self.wbuf.len() + data.len())?;
        self.wbuf.try_reserve(data.len()).map_err(|_| FileError::Memory)?;
        self.wbuf.extend_from_slice(data);
        Ok(())
    }

    /// Where text may be encoded to directly, in place of [`ByteStream::push`].
    pub(super) fn write_buffer(&mut self) -> FileResult<&mut Vec<u8>> {
        self.ready_to_write()?;
        Ok(&mut self.wbuf)
    }

    /// Writes out what has gathered.
    pub(super) fn flush(&mut self) -> FileResult<Step<()>> {
        if self.closed && (self.buffer_size == 0 || !self.can.writable) {
            return Err(FileError::closed());
        }
        self.check_open("flush of closed file")?;
        // Also when nothing came of the writing: what was read ahead is gone.
        if let Some(at) = self.write_at
            && self.can.seekable
            && !self.can.append
            && at != self.raw_pos
        {
            return Ok(Step::NeedIo(IoRequest::Seek(SeekFrom::Start(at))));
        }
        if self.wbuf.is_empty() {
            self.write_at = None;
            return Ok(Step::Done(()));
        }
        let data = std::mem::take(&mut self.wbuf);
        self.in_flight = data.len();
        Ok(Step::NeedIo(IoRequest::Write { data, append: self.can.append && self.can.seekable }))
    }

    /// Writes out what has gathered and brings it to the disk.
    pub(super) fn sync(&mut self) -> FileResult<Step<()>> {
        done!(self.flush()?);
        if std::mem::take(&mut self.synced) {
            return Ok(Step::Done(()));
        }
        Ok(Step::NeedIo(IoRequest::Sync))
    }

    /// The position of the next byte to be read or written.
    pub(super) fn tell(&self) -> FileResult<u64> {
        self.check_seekable("I/O operation on closed file")?;
        Ok(self.position())
    }

    /// The position as far as it is known without asking.
    pub(super) fn position(&self) -> u64 {
        match self.write_at {
            Some(at) => at + (self.in_flight + self.wbuf.len()) as u64,
            None => self.raw_pos - self.unread().len() as u64,
        }
    }

    /// Moves the position.
    pub(super) fn seek(&mut self, to: SeekFrom) -> FileResult<Step<u64>> {
        self.check_seekable("seek of closed file")?;
        done!(self.flush()?);
        if let Some((asked, position)) = self.moved.take()
            && asked == to
        {
            return Ok(Step::Done(position));
        }
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => {
                let target = self.position().checked_add_signed(by);
                Some(target.ok_or_else(invalid_argument)?)
            }
            SeekFrom::End(_) => None,
        };
        let begin = self.raw_pos - self.rbuf.len() as u64;
        if let Some(target) = target
            && !self.rbuf.is_empty()
            && (begin..=self.raw_pos).contains(&target)
        {
            // Within what was read ahead.
            self.rpos = (target - begin) as usize;
            self.scanned = 0;
            return Ok(Step::Done(target));
        }
        self.discard_unread();
        self.seeking = Some(to);
        Ok(Step::NeedIo(IoRequest::Seek(target.map_or(to, SeekFrom::Start))))
    }

    /// Sets the file's length, by default to the position, which does not move.
    pub(super) fn truncate(&mut self, len: Option<u64>) -> FileResult<Step<u64>> {
        self.check_open("truncate of closed file")?;
        self.check_writable("truncate")?;
        if let Some(len) = self.truncated.take() {
            return Ok(Step::Done(len));
        }
        done!(self.flush()?);
        if !self.rbuf.is_empty() {
            // What was read ahead may be gone afterwards.
            let position = self.position();
            self.discard_unread();
            return Ok(Step::NeedIo(IoRequest::Seek(SeekFrom::Start(position))));
        }
        let len = match len {
            Some(len) => len,
            None => self.tell()?,
        };
        Ok(Step::NeedIo(IoRequest::Truncate(len)))
    }

    /// Declares the stream closed. What is unwritten must have been flushed before.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.rbuf = Vec::new();
        self.wbuf = Vec::new();
        self.rpos = 0;
    }

    fn unread(&self) -> &[u8] {
        &self.rbuf[self.rpos..]
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        self.at_end = false;
        self.scanned = 0;
        if self.rpos == 0 && n >= self.rbuf.len() {
            return std::mem::take(&mut self.rbuf);
        }
        let end = self.rpos + n.min(self.rbuf.len() - self.rpos);
        let data = self.rbuf[self.rpos..end].to_vec();
        self.rpos = end;
        data
    }

    fn discard_unread(&mut self) {
        self.rbuf.clear();
        self.rpos = 0;
        self.scanned = 0;
    }

    fn ready_to_read(&mut self, operation: &str) -> FileResult<Step<()>> {
        let raw = self.buffer_size == 0;
        let closed_raw = raw && self.closed;
        if !self.can.readable && !closed_raw {
            let text = if raw { "File not open for reading" } else { "read" };
            return Err(FileError::Unsupported(text.into()));
        }
        self.check_open(&format!("{operation} of closed file"))?;
        if self.has_unwritten() || self.write_at.is_some() {
            return self.flush();
        }
        Ok(Step::Done(()))
    }

    fn ready_to_write(&mut self) -> FileResult<()> {
        self.check_writable("write")?;
        self.check_open("write to closed file")?;
        if self.write_at.is_none() {
            self.write_at = Some(self.position());
            self.discard_unread();
        }
        Ok(())
    }

    fn check_writable(&self, operation: &str) -> FileResult<()> {
        let raw = self.buffer_size == 0;
        let closed_raw = raw && self.closed;
        if !self.can.writable && !closed_raw {
            let text = if raw { "File not open for writing" } else { operation };
            return Err(FileError::Unsupported(text.into()));
        }
        Ok(())
    }

    /// CPython's classes differ in what they say; without a buffer it is always the same.
    fn check_open(&self, text: &str) -> FileResult<()> {
        if !self.closed {
            return Ok(());
        }
        match self.buffer_size {
            0 => Err(FileError::raw_closed()),
            _ => Err(FileError::Value(text.into())),
        }
    }

    fn check_seekable(&self, when_closed: &str) -> FileResult<()> {
        self.check_open(when_closed)?;
        if !self.can.seekable {
            return Err(FileError::Unsupported("File or stream is not seekable.".into()));
        }
        Ok(())
    }
}

pub(super) fn invalid_argument() -> FileError {
    #[cfg(unix)]
    let error = std::io::Error::from(rustix::io::Errno::INVAL);
    #[cfg(not(unix))]
    let error = std::io::Error::from(std::io::ErrorKind::InvalidInput);
    FileError::from_io(error)
}
