//! Incremental decoding. The decoder keeps no bytes: it says how many it used, the caller offers
//! the rest again together with what follows. Its only state is what the beginning of the stream
//! decides (signature, byte order), so any place between two characters is a point to resume at.

use super::encoding::{Encoding, OnError, Order};
use super::error::{FileError, FileResult};
use super::wtf8;

/// What the start of the stream has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Nothing yet: a mark may come.
    Expected,
    /// The stream is past its start, and in this byte order.
    Past { big: bool },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Decoder {
    encoding: Encoding,
    errors: OnError,
    start: Start,
}

/// One step over the input.
enum Unit {
    Char(u32, usize),
    Bad {
        len: usize,
        reason: &'static str,
    },
    /// More input is needed to tell.
    Incomplete {
        reason: &'static str,
    },
}

impl Decoder {
    pub(super) fn new(encoding: Encoding, errors: OnError) -> Decoder {
        let mut decoder = Decoder { encoding, errors, start: Start::Expected };
        decoder.reset();
        decoder
    }

    /// Back to the beginning of the stream.
    pub(super) fn reset(&mut self) {
        self.start = match self.encoding {
            Encoding::Utf8Sig | Encoding::Utf16(Order::Marked) | Encoding::Utf32(Order::Marked) => {
                Start::Expected
            }
            Encoding::Utf16(order) | Encoding::Utf32(order) => {
                Start::Past { big: order == Order::Big }
            }
            _ => Start::Past { big: false },
        };
    }

    /// To somewhere inside the stream: no mark is expected there.
    pub(super) fn resume(&mut self) {
        if self.start == Start::Expected {
            self.start = Start::Past { big: cfg!(target_endian = "big") };
        }
    }

    /// How many bytes a carriage return takes.
    pub(super) fn unit(&self) -> usize {
        self.encoding.unit()
    }

    /// Decodes `input` to the end of `out`; returns how many bytes were used. All of them, when
    /// `last` says that nothing follows.
    pub(super) fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> FileResult<usize> {
        let mut at = match self.skip_mark(input, last)? {
            // CPython's errors count from behind the signature, but not from behind a mark.
            Some(n) if n > 0 && self.encoding == Encoding::Utf8Sig => {
                return Ok(n + self.decode(&input[n..], last, out)?);
            }
            Some(n) => n,
            None => return Ok(0),
        };
        loop {
            at += self.decode_run(&input[at..], out);
            if at >= input.len() {
                return Ok(at);
            }
            let Some(n) = self.step(input, at, last, out)? else { return Ok(at) };
            at += n;
        }
    }

    /// How many bytes of `input` became the first `produced` bytes of text, where newlines were
    /// translated if `translate`: how `tell` finds the place of the reading position.
    pub(super) fn measure(mut self, input: &[u8], produced: usize, translate: bool) -> usize {
        if produced == 0 {
            return 0;
        }
        let Ok(Some(mut at)) = self.skip_mark(input, true) else { return 0 };
        let (mut out, mut made) = (Vec::new(), 0);
        while made < produced && at < input.len() {
            out.clear();
            let Ok(Some(n)) = self.step(input, at, true, &mut out) else { break };
            at += n;
            if translate && out == b"\r" {
                out.clear();
                if let Ok(Some(n)) = self.step(input, at, true, &mut out)
                    && out == b"\n"
                {
                    at += n;
                }
                made += 1;
            } else {
                made += out.len();
            }
        }
        at
    }

    /// Deals with signature and byte order mark; `None` if there is too little to see them.
    fn skip_mark(&mut self, input: &[u8], last: bool) -> FileResult<Option<usize>> {
        if self.start != Start::Expected || input.is_empty() {
            return Ok(Some(0));
        }
        let marks: &[(&[u8], bool)] = match self.encoding {
            Encoding::Utf16(_) => &[(b"\xff\xfe", false), (b"\xfe\xff", true)],
            Encoding::Utf32(_) => &[(b"\xff\xfe\0\0", false), (b"\0\0\xfe\xff", true)],
            _ => &[(b"\xef\xbb\xbf", false)],
        };
        for (mark, big) in marks {
            if input.starts_with(mark) {
                self.start = Start::Past { big: *big };
                return Ok(Some(mark.len()));
            }
            if !last && mark.starts_with(input) {
                return Ok(None);
            }
        }
        match self.encoding {
            Encoding::Utf16(_) if input.len() >= 2 => {
                Err(FileError::Unicode("UTF-16 stream does not start with BOM".into()))
            }
            Encoding::Utf32(_) if input.len() >= 4 => {
                Err(FileError::Unicode("UTF-32 stream does not start with BOM".into()))
            }
            Encoding::Utf16(_) | Encoding::Utf32(_) if !last => Ok(None),
            _ => {
                self.resume();
                Ok(Some(0))
            }
        }
    }

    /// The fast path: copies as much as is plainly good.
    fn decode_run(&self, input: &[u8], out: &mut Vec<u8>) -> usize {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => {
                let good = match std::str::from_utf8(input) {
                    Ok(_) => input.len(),
                    Err(error) => error.valid_up_to(),
                };
                out.extend_from_slice(&input[..good]);
                good
            }
            Encoding::Ascii => {
                let good = input.iter().position(|b| *b >= 0x80).unwrap_or(input.len());
                out.extend_from_slice(&input[..good]);
                good
            }
            Encoding::Latin1 if input.is_ascii() => {
                out.extend_from_slice(input);
                input.len()
            }
            Encoding::Latin1 => {
                out.reserve(input.len());
                input.iter().for_each(|b| wtf8::push(out, u32::from(*b)));
                input.len()
            }
            Encoding::Utf16(_) | Encoding::Utf32(_) => 0,
        }
    }

    /// Decodes one character or one error at `at`; `None` if more input is needed.
    fn step(
        &self,
        input: &[u8],
        at: usize,
        last: bool,
        out: &mut Vec<u8>,
    ) -> FileResult<Option<usize>> {
        let rest = &input[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let (len, reason) = match self.next_unit(rest) {
            Unit::Char(c, n) => {
                wtf8::push(out, c);
                return Ok(Some(n));
            }
            Unit::Incomplete { .. } if !last => return Ok(None),
            Unit::Incomplete { reason } => (rest.len(), reason),
            Unit::Bad { len, reason } => (len, reason),
        };
        self.handle(input, at, len, reason, out).map(Some)
    }

    fn next_unit(&self, rest: &[u8]) -> Unit {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => utf8_unit(rest),
            Encoding::Ascii if rest[0] >= 0x80 => {
                Unit::Bad { len: 1, reason: "ordinal not in range(128)" }
            }
            Encoding::Ascii | Encoding::Latin1 => Unit::Char(u32::from(rest[0]), 1),
            Encoding::Utf16(_) => self.utf16_unit(rest),
            Encoding::Utf32(_) => self.utf32_unit(rest),
        }
    }

    /// The encoding with the byte order that the mark has told.
    fn actual_encoding(&self) -> Encoding {
        let order = if self.is_big() { Order::Big } else { Order::Little };
        match self.encoding {
            Encoding::Utf16(_) => Encoding::Utf16(order),
            Encoding::Utf32(_) => Encoding::Utf32(order),
            other => other,
        }
    }

    fn is_big(&self) -> bool {
        self.start == Start::Past { big: true }
    }

    fn utf16_unit(&self, rest: &[u8]) -> Unit {
        let word = |at: usize| {
            let pair = [*rest.get(at)?, *rest.get(at + 1)?];
            Some(if self.is_big() { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
        };
        match word(0) {
            None => Unit::Incomplete { reason: "truncated data" },
            Some(high @ 0xD800..0xDC00) => match word(2) {
                None => Unit::Incomplete { reason: "unexpected end of data" },
                Some(low @ 0xDC00..0xE000) => {
                    let c = 0x1_0000 + (u32::from(high - 0xD800) << 10) + u32::from(low - 0xDC00);
                    Unit::Char(c, 4)
                }
                Some(_) => Unit::Bad { len: 2, reason: "illegal UTF-16 surrogate" },
            },
            Some(0xDC00..0xE000) => Unit::Bad { len: 2, reason: "illegal encoding" },
            Some(word) => Unit::Char(u32::from(word), 2),
        }
    }

    fn utf32_unit(&self, rest: &[u8]) -> Unit {
        let Some(quad) = rest.first_chunk::<4>() else {
            return Unit::Incomplete { reason: "truncated data" };
        };
        let c = if self.is_big() { u32::from_be_bytes(*quad) } else { u32::from_le_bytes(*quad) };
        match c {
            0xD800..0xE000 => Unit::Bad {
                len: 4,
                reason: "code point in surrogate code point range(0xd800, 0xe000)",
            },
            0x11_0000.. => Unit::Bad { len: 4, reason: "code point not in range(0x110000)" },
            c => Unit::Char(c, 4),
        }
    }

    /// Applies the error handler to `len` bytes at `at`; returns how many it used.
    fn handle(
        &self,
        input: &[u8],
        at: usize,
        len: usize,
        reason: &'static str,
        out: &mut Vec<u8>,
    ) -> FileResult<usize> {
        let bad = &input[at..at + len];
        match self.errors {
            OnError::Ignore => Ok(len),
            OnError::Replace => {
                wtf8::push(out, 0xFFFD);
                Ok(len)
            }
            OnError::SurrogateEscape if bad.iter().all(|b| *b >= 0x80) => {
                bad.iter().for_each(|b| wtf8::push(out, 0xDC00 + u32::from(*b)));
                Ok(len)
            }
            OnError::BackslashReplace => {
                for byte in bad {
                    out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
                }
                Ok(len)
            }
            OnError::SurrogatePass if self.surrogate_at(&input[at..]).is_some() => {
                let (c, used) = self.surrogate_at(&input[at..]).unwrap_or((0xFFFD, len));
                wtf8::push(out, c);
                Ok(used)
            }
            _ => Err(FileError::Decode {
                encoding: self.actual_encoding().name(),
                input: input.to_vec(),
                start: at,
                end: at + len,
                reason,
            }),
        }
    }

    /// The surrogate that stands at the beginning of `rest`, and its length.
    fn surrogate_at(&self, rest: &[u8]) -> Option<(u32, usize)> {
        let unit = self.encoding.unit();
        let c = match (unit, rest) {
            (1, [0xED, b @ 0xA0..0xC0, c @ 0x80..0xC0, ..]) => {
                return Some((0xD000 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F), 3));
            }
            (2, [a, b, ..]) if self.is_big() => u32::from(u16::from_be_bytes([*a, *b])),
            (2, [a, b, ..]) => u32::from(u16::from_le_bytes([*a, *b])),
            (4, [a, b, c, d, ..]) if self.is_big() => u32::from_be_bytes([*a, *b, *c, *d]),
            (4, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => return None,
        };
        (0xD800..0xE000).contains(&c).then_some((c, unit))
    }
}

fn utf8_unit(rest: &[u8]) -> Unit {
    let head = &rest[..rest.len().min(wtf8::width(rest[0]).max(1))];
    match std::str::from_utf8(head) {
        Ok(text) => match text.chars().next() {
            Some(c) => Unit::Char(c as u32, c.len_utf8()),
            None => Unit::Incomplete { reason: "unexpected end of data" },
        },
        Err(error) => match error.error_len() {
            None => Unit::Incomplete { reason: "unexpected end of data" },
            Some(len) => {
                let lead = matches!(rest[0], 0xC2..0xF5);
                let reason = if lead { "invalid continuation byte" } else { "invalid start byte" };
                Unit::Bad { len, reason }
            }
        },
    }
}
