//! Text over a [`ByteStream`]: decoding, encoding, newlines and text positions, as CPython's
//! `TextIOWrapper`, as a machine without I/O.
//!
//! What was decoded and not yet read stands in `text`; the bytes it was made of are kept in
//! `input`, cut into the pieces in which they were decoded, so that `tell` can count from the
//! beginning of a piece to the reading position. The decoder never holds bytes back: what it could
//! not use yet (half a character, a carriage return whose newline may follow) waits in `tail`.

use std::io::SeekFrom;

use miniscript_vm::text::codec::{Decoder, Encoder, Encoding, Handler};
use miniscript_vm::text::wtf8;

use super::byte_stream::{ByteStream, DEFAULT_BUFFER};
use super::coding::{not_decoded, not_encoded, offset_of};
use super::error::{FileError, FileResult};
use super::step::{Step, done};

/// The `newline` argument of Python's `open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newline {
    /// `None`: all forms are read as `\n`; `\n` is written in the system's form.
    Universal,
    /// `''`: all forms end a line, nothing is translated.
    Untranslated,
    /// `'\n'`
    Lf,
    /// `'\r'`
    Cr,
    /// `'\r\n'`
    CrLf,
}

impl Newline {
    /// Finds the mode by the argument's value.
    pub fn by_value(value: Option<&str>) -> FileResult<Newline> {
        Ok(match value {
            None => Newline::Universal,
            Some("") => Newline::Untranslated,
            Some("\n") => Newline::Lf,
            Some("\r") => Newline::Cr,
            Some("\r\n") => Newline::CrLf,
            Some(other) => {
                return Err(FileError::Value(format!("illegal newline value: {other}")));
            }
        })
    }

    /// What `\n` is written as, if it is not itself.
    fn written(self) -> Option<&'static [u8]> {
        match self {
            Newline::Universal if cfg!(windows) => Some(b"\r\n"),
            Newline::Cr => Some(b"\r"),
            Newline::CrLf => Some(b"\r\n"),
            _ => None,
        }
    }

    /// Whether `\r` and `\r\n` count as one, so that they must not be torn apart.
    fn joins_crlf(self) -> bool {
        matches!(self, Newline::Universal | Newline::Untranslated)
    }
}

#[derive(Debug)]
struct Piece {
    /// The decoder as it was at the piece's beginning.
    decoder: Decoder,
    text_len: usize,
    input_len: usize,
}

#[derive(Debug)]
pub(super) struct TextStream {
    bytes: ByteStream,
    decoder: Decoder,
    encoder: Encoder,
    newline: Newline,
    line_buffering: bool,
    text: Vec<u8>,
    tpos: usize,
    /// How much of the text behind `tpos` is known to hold no line end.
    scanned: usize,
    input: Vec<u8>,
    pieces: Vec<Piece>,
    tail: Vec<u8>,
    /// False while the file is iterated over; a flush makes it true again.
    telling: bool,
    /// Whether `\r`, `\n` and `\r\n` were read since the beginning or the last seek.
    newlines: [bool; 3],
}

impl TextStream {
    pub(super) fn new(
        bytes: ByteStream,
        encoding: Encoding,
        errors: Handler,
        newline: Newline,
        line_buffering: bool,
    ) -> TextStream {
        let mut encoder = Encoder::new(encoding, errors);
        encoder.set_at_start(!bytes.can().seekable || bytes.position() == 0);
        TextStream {
            bytes,
            decoder: Decoder::new(encoding, errors),
            encoder,
            newline,
            line_buffering,
            text: Vec::new(),
            tpos: 0,
            scanned: 0,
            input: Vec::new(),
            pieces: Vec::new(),
            tail: Vec::new(),
            telling: true,
            newlines: [false; 3],
        }
    }

    /// Whether `\r`, `\n` and `\r\n` were read, if all of them end a line.
    pub(super) fn newlines(&self) -> [bool; 3] {
        self.newlines
    }

    pub(super) fn bytes(&self) -> &ByteStream {
        &self.bytes
    }

    pub(super) fn bytes_mut(&mut self) -> &mut ByteStream {
        &mut self.bytes
    }

    /// Up to `n` code points; fewer only at the end.
    pub(super) fn read(&mut self, n: usize) -> FileResult<Step<Vec<u8>>> {
        self.check_readable()?;
        loop {
            let unread = &self.text[self.tpos..];
            if let Some(end) = offset_of(unread, n) {
                return Ok(Step::Done(self.take(end)));
            }
            let missing = n - wtf8::len(unread);
            if !done!(self.fill(missing.clamp(DEFAULT_BUFFER, 1 << 20))?) {
                return Ok(Step::Done(self.take(usize::MAX)));
            }
        }
    }

    /// All that is left.
    pub(super) fn read_all(&mut self) -> FileResult<Step<Vec<u8>>> {
        self.check_readable()?;
        let data = done!(self.bytes.read_all()?);
        self.decode(data, true)?;
        Ok(Step::Done(self.take(usize::MAX)))
    }

    /// Up to and with the next line end, but at most `limit` code points; empty at the end.
    pub(super) fn read_line(&mut self, limit: Option<usize>) -> FileResult<Step<Vec<u8>>> {
        self.check_readable()?;
        loop {
            let unread = &self.text[self.tpos..];
            let found = self.find_line_end();
            let end = found.unwrap_or(unread.len());
            if let Some(cut) = limit.and_then(|n| offset_of(&unread[..end], n)) {
                return Ok(Step::Done(self.take(cut)));
            }
            if found.is_some() {
                return Ok(Step::Done(self.take(end)));
            }
            // A line end of two characters may have begun.
            self.scanned = end.saturating_sub(1);
            if !done!(self.fill(DEFAULT_BUFFER)?) {
                return Ok(Step::Done(self.take(usize::MAX)));
            }
        }
    }

    /// As `read_line`, for iteration, which rules out `tell` until the end.
    pub(super) fn next_line(&mut self) -> FileResult<Step<Vec<u8>>> {
        self.telling = false;
        let line = done!(self.read_line(None)?);
        if line.is_empty() {
            self.telling = true;
        }
        Ok(Step::Done(line))
    }

    /// Takes text for writing; true if it should be flushed at once.
    pub(super) fn write(&mut self, text: &[u8]) -> FileResult<bool> {
        if self.bytes.is_closed() {
            return Err(FileError::closed());
        }
        if !self.bytes.can().writable {
            return Err(FileError::Unsupported("not writable".into()));
        }
        let translated = self.newline.written().filter(|_| text.contains(&b'\n')).map(|end| {
            let mut out = Vec::with_capacity(text.len() + text.len() / 16);
            for (i, line) in text.split(|b| *b == b'\n').enumerate() {
                if i > 0 {
                    out.extend_from_slice(end);
                }
                out.extend_from_slice(line);
            }
            out
        });
        let buffer = self.bytes.write_buffer()?;
        buffer.try_reserve(text.len()).map_err(|_| FileError::Memory)?;
        let text = translated.as_deref().unwrap_or(text);
        self.encoder.encode(text, buffer).map_err(|error| not_encoded(error, text))?;
        self.forget_text();
        self.decoder.resume();
        Ok(self.line_buffering && text.iter().any(|b| matches!(b, b'\n' | b'\r')))
    }

    /// The place of the reading position in the file.
    pub(super) fn tell(&mut self) -> FileResult<Step<u64>> {
        self.check_seekable()?;
        if !self.telling {
            return Err(FileError::Message("telling position disabled by next() call".into()));
        }
        done!(self.bytes.flush()?);
        let undecoded = self.bytes.position() - self.tail.len() as u64;
        if self.tpos == self.text.len() {
            return Ok(Step::Done(undecoded));
        }
        let (mut text_at, mut input_at) = (0, 0);
        for piece in &self.pieces {
            if text_at + piece.text_len > self.tpos {
                let input = &self.input[input_at..input_at + piece.input_len];
                let translate = self.newline == Newline::Universal;
                input_at += piece.decoder.measure(input, self.tpos - text_at, translate);
                break;
            }
            text_at += piece.text_len;
            input_at += piece.input_len;
        }
        Ok(Step::Done(undecoded - (self.input.len() - input_at) as u64))
    }

    /// Moves to a place that `tell` has given, or to the end (`None`).
    pub(super) fn seek(&mut self, to: Option<u64>) -> FileResult<Step<u64>> {
        self.check_seekable()?;
        let position = done!(self.bytes.seek(to.map_or(SeekFrom::End(0), SeekFrom::Start))?);
        self.forget_text();
        self.newlines = [false; 3];
        self.telling = true;
        self.encoder.set_at_start(position == 0);
        if position == 0 {
            self.decoder.reset();
        } else {
            self.decoder.resume();
        }
        Ok(Step::Done(position))
    }

    pub(super) fn truncate(&mut self, len: Option<u64>) -> FileResult<Step<u64>> {
        if self.bytes.is_closed() {
            return Err(FileError::closed());
        }
        self.telling = true;
        self.bytes.truncate(len)
    }

    pub(super) fn flush(&mut self) -> FileResult<Step<()>> {
        if self.bytes.is_closed() {
            return Err(FileError::closed());
        }
        self.telling = true;
        self.bytes.flush()
    }

    pub(super) fn close(&mut self) {
        self.bytes.close();
        self.forget_text();
    }

    /// How much was read and not yet taken, decoded or not.
    pub(super) fn gathered(&self) -> usize {
        self.bytes.gathered() + self.text.len() + self.input.len()
    }

    /// Gives that up.
    pub(super) fn forget_gathered(&mut self) {
        self.bytes.forget_gathered();
        self.text = Vec::new();
        self.input = Vec::new();
        self.forget_text();
    }

    fn check_readable(&self) -> FileResult<()> {
        if self.bytes.is_closed() {
            return Err(FileError::closed());
        }
        if !self.bytes.can().readable {
            return Err(FileError::Unsupported("not readable".into()));
        }
        Ok(())
    }

    fn check_seekable(&self) -> FileResult<()> {
        if self.bytes.is_closed() {
            return Err(FileError::closed());
        }
        if !self.bytes.can().seekable {
            return Err(FileError::Unsupported("underlying stream is not seekable".into()));
        }
        Ok(())
    }

    /// Decodes one more piece; false at the end of the file.
    fn fill(&mut self, size: usize) -> FileResult<Step<bool>> {
        let data = done!(self.bytes.read1(size)?);
        let last = data.is_empty();
        let had = self.text.len() - self.tpos;
        self.bytes.check_room(had + data.len())?;
        self.decode(data, last)?;
        Ok(Step::Done(!last || self.text.len() - self.tpos > had))
    }

    fn decode(&mut self, data: Vec<u8>, last: bool) -> FileResult<()> {
        self.drop_read_pieces();
        let mut fresh = data;
        if !self.tail.is_empty() {
            let mut joined = std::mem::take(&mut self.tail);
            joined.try_reserve(fresh.len()).map_err(|_| FileError::Memory)?;
            joined.append(&mut fresh);
            fresh = joined;
        }
        let before = self.text.len();
        let decoder = self.decoder;
        self.text.try_reserve(fresh.len()).map_err(|_| FileError::Memory)?;
        self.input.try_reserve(fresh.len()).map_err(|_| FileError::Memory)?;
        self.pieces.try_reserve(1).map_err(|_| FileError::Memory)?;
        let mut used = match self.decoder.decode(&fresh, last, &mut self.text) {
            Ok(used) => used,
            Err(error) => {
                self.text.truncate(before);
                return Err(not_decoded(error, &fresh));
            }
        };
        if self.newline.joins_crlf() && !last && self.text[before..].ends_with(b"\r") {
            self.text.pop();
            used -= self.decoder.unit();
        }
        if self.newline.joins_crlf() {
            note_newlines(&self.text[before..], &mut self.newlines);
        }
        if self.newline == Newline::Universal {
            translate_newlines(&mut self.text, before);
        }
        self.tail = fresh.split_off(used);
        self.pieces.push(Piece { decoder, text_len: self.text.len() - before, input_len: used });
        if self.input.is_empty() {
            self.input = fresh;
        } else {
            self.input.append(&mut fresh);
        }
        Ok(())
    }

    /// Drops the pieces that lie wholly before the reading position.
    fn drop_read_pieces(&mut self) {
        let (mut text_len, mut input_len, mut count) = (0, 0, 0);
        for piece in &self.pieces {
            if text_len + piece.text_len > self.tpos {
                break;
            }
            text_len += piece.text_len;
            input_len += piece.input_len;
            count += 1;
        }
        self.text.drain(..text_len);
        self.input.drain(..input_len);
        self.pieces.drain(..count);
        self.tpos -= text_len;
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        self.scanned = 0;
        let end = self.tpos + n.min(self.text.len() - self.tpos);
        if self.tpos == 0 && end == self.text.len() {
            self.pieces.clear();
            self.input.clear();
            return std::mem::take(&mut self.text);
        }
        let taken = self.text[self.tpos..end].to_vec();
        self.tpos = end;
        taken
    }

    fn forget_text(&mut self) {
        self.text.clear();
        self.tpos = 0;
        self.scanned = 0;
        self.input.clear();
        self.pieces.clear();
        self.tail.clear();
    }

    /// Where the first line in the unread text ends.
    fn find_line_end(&self) -> Option<usize> {
        let unread = &self.text[self.tpos..];
        let from = self.scanned.min(unread.len());
        let rest = &unread[from..];
        let end = match self.newline {
            Newline::Universal | Newline::Lf => rest.iter().position(|b| *b == b'\n')? + 1,
            Newline::Cr => rest.iter().position(|b| *b == b'\r')? + 1,
            Newline::CrLf => rest.windows(2).position(|pair| pair == b"\r\n")? + 2,
            Newline::Untranslated => {
                let at = rest.iter().position(|b| matches!(b, b'\n' | b'\r'))?;
                if rest[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 }
            }
        };
        Some(from + end)
    }
}

fn note_newlines(text: &[u8], [cr, lf, crlf]: &mut [bool; 3]) {
    if memchr::memchr(b'\r', text).is_none() {
        *lf = *lf || memchr::memchr(b'\n', text).is_some();
        return;
    }
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\r', b'\n', rest) {
        let (seen, len) = match &rest[at..] {
            [b'\r', b'\n', ..] => (&mut *crlf, 2),
            [b'\r', ..] => (&mut *cr, 1),
            _ => (&mut *lf, 1),
        };
        *seen = true;
        rest = &rest[at + len..];
        if *cr && *lf && *crlf {
            return;
        }
    }
}

/// Turns `\r\n` and `\r` into `\n` from `from` on.
fn translate_newlines(text: &mut Vec<u8>, from: usize) {
    let Some(first) = text[from..].iter().position(|b| *b == b'\r') else { return };
    let mut write = from + first;
    let mut read = write;
    while read < text.len() {
        let mut byte = text[read];
        read += 1;
        if byte == b'\r' {
            byte = b'\n';
            if text.get(read) == Some(&b'\n') {
                read += 1;
            }
        }
        text[write] = byte;
        write += 1;
    }
    text.truncate(write);
}
