//! Decoding. The decoder keeps no bytes: it says how many it used, the caller offers the rest
//! again together with what follows. Its only state is what the beginning of the stream decides
//! (signature, byte order), so any place between two characters is a point to resume at.

use std::borrow::Cow;

use super::{CodecError, CodingError, Encoding, Handler, escapes};
use crate::text::repr::escape;
use crate::text::wtf8::{self, is_surrogate};

/// `bytes.decode(encoding, errors)` in the form strings are stored in.
pub fn decode(
    bytes: &[u8],
    encoding: Encoding,
    errors: Handler,
) -> Result<Cow<'_, [u8]>, CodecError> {
    let text = match encoding {
        Encoding::Utf8Sig => bytes.strip_prefix(SIGNATURE).unwrap_or(bytes),
        _ => bytes,
    };
    let plain = match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => std::str::from_utf8(text).is_ok(),
        encoding => encoding.extends_ascii() && text.is_ascii(),
    };
    if plain {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoder = Decoder::new(encoding, errors);
    decoder.needs_mark = false;
    let mut out = Vec::new();
    decoder.decode(bytes, true, &mut out)?;
    Ok(Cow::Owned(out))
}

const SIGNATURE: &[u8] = b"\xEF\xBB\xBF";

/// What the start of the stream has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// Nothing yet: a mark may come.
    Expected,
    /// The stream is past its start, and in this byte order.
    Past { big: bool },
}

/// Decodes a stream piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    encoding: Encoding,
    errors: Handler,
    start: Start,
    /// Whether a byte order mark has to come where one may; bytes at once do without.
    needs_mark: bool,
}

/// One step over the input.
pub(super) enum Unit {
    Char(u32, usize),
    /// So many bytes that stand for nothing.
    Nothing(usize),
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
    /// At the beginning of a stream.
    pub fn new(encoding: Encoding, errors: Handler) -> Decoder {
        let start = Start::Expected;
        let mut decoder = Decoder { encoding, errors, start, needs_mark: true };
        decoder.reset();
        decoder
    }

    /// Back to the beginning of the stream.
    pub fn reset(&mut self) {
        self.start = match self.encoding {
            Encoding::Utf8Sig | Encoding::Utf16 | Encoding::Utf32 => Start::Expected,
            Encoding::Utf16Be | Encoding::Utf32Be => Start::Past { big: true },
            _ => Start::Past { big: false },
        };
    }

    /// To somewhere inside the stream: no mark is expected there.
    pub fn resume(&mut self) {
        if self.start == Start::Expected {
            self.start = Start::Past { big: cfg!(target_endian = "big") };
        }
    }

    /// How many bytes a carriage return takes.
    pub fn unit(&self) -> usize {
        self.encoding.unit()
    }

    /// Decodes `input` to the end of `out`; returns how many bytes were used. All of them, when
    /// `last` says that nothing follows.
    pub fn decode(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, CodecError> {
        let mut at = match self.skip_mark(input, last)? {
            // CPython's errors count from behind the signature, but not from behind a mark.
            Some(n) if n > 0 && self.encoding == Encoding::Utf8Sig => {
                let decoded = self.decode(&input[n..], last, out);
                return decoded.map(|used| n + used).map_err(|error| match error {
                    CodecError::Coding(error) => {
                        CodecError::Coding(CodingError { skipped: n, ..error })
                    }
                    other => other,
                });
            }
            Some(n) => n,
            None => return Ok(0),
        };
        loop {
            at += self.decode_run(&input[at..], out)?;
            if at >= input.len() {
                return Ok(at);
            }
            let Some(n) = self.step(input, at, last, out)? else { return Ok(at) };
            at += n;
        }
    }

    /// How many bytes of `input` became the first `produced` bytes of text, where newlines were
    /// translated if `translate`: how `tell` finds the place of the reading position.
    pub fn measure(mut self, input: &[u8], produced: usize, translate: bool) -> usize {
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
    fn skip_mark(&mut self, input: &[u8], last: bool) -> Result<Option<usize>, CodecError> {
        if self.start != Start::Expected || input.is_empty() {
            return Ok(Some(0));
        }
        let marks: &[(&[u8], bool)] = match self.encoding.unit() {
            2 => &[(b"\xff\xfe", false), (b"\xfe\xff", true)],
            4 => &[(b"\xff\xfe\0\0", false), (b"\0\0\xfe\xff", true)],
            _ => &[(SIGNATURE, false)],
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
        let unit = self.encoding.unit();
        if unit > 1 && self.needs_mark && input.len() >= unit {
            return Err(CodecError::NoMark(if unit == 2 { "UTF-16" } else { "UTF-32" }));
        }
        if unit > 1 && !last {
            return Ok(None);
        }
        self.resume();
        Ok(Some(0))
    }

    /// The fast path: copies as much as is plainly good.
    fn decode_run(&self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, CodecError> {
        let good = match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => match std::str::from_utf8(input) {
                Ok(_) => input.len(),
                Err(error) => error.valid_up_to(),
            },
            encoding if encoding.unit() > 1 => {
                // Most characters take as many bytes as units, or fewer.
                out.try_reserve(input.len())?;
                return Ok(0);
            }
            encoding if encoding.has_escapes() => {
                input.iter().position(|b| *b >= 0x80 || *b == b'\\').unwrap_or(input.len())
            }
            _ => input.iter().position(|b| *b >= 0x80).unwrap_or(input.len()),
        };
        out.try_reserve(good)?;
        out.extend_from_slice(&input[..good]);
        if self.encoding == Encoding::Latin1 {
            let rest = &input[good..];
            out.try_reserve(rest.len().saturating_mul(2))?;
            rest.iter().for_each(|b| wtf8::push(out, u32::from(*b)));
            return Ok(input.len());
        }
        Ok(good)
    }

    /// Decodes one character or one error at `at`; `None` if more input is needed.
    fn step(
        &self,
        input: &[u8],
        at: usize,
        last: bool,
        out: &mut Vec<u8>,
    ) -> Result<Option<usize>, CodecError> {
        let rest = &input[at..];
        if rest.is_empty() {
            return Ok(None);
        }
        out.try_reserve(4)?;
        let (len, reason) = match self.next_unit(rest) {
            Unit::Char(c, n) => {
                wtf8::push(out, c);
                return Ok(Some(n));
            }
            Unit::Nothing(n) => return Ok(Some(n)),
            Unit::Incomplete { .. } if !last => return Ok(None),
            Unit::Incomplete { reason } => (rest.len(), reason),
            Unit::Bad { len, reason } => (len, reason),
        };
        self.handle(input, at, len, reason, out).map(Some)
    }

    fn next_unit(&self, rest: &[u8]) -> Unit {
        let (unit, first) = (self.encoding.unit(), u32::from(rest[0]));
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => utf8_unit(rest),
            Encoding::Ascii if first >= 0x80 => {
                Unit::Bad { len: 1, reason: "ordinal not in range(128)" }
            }
            Encoding::Charmap(map) => match map.decode(rest[0]) {
                Some(c) => Unit::Char(c, 1),
                None => Unit::Bad { len: 1, reason: "character maps to <undefined>" },
            },
            Encoding::UnicodeEscape => escapes::unit(rest),
            Encoding::RawUnicodeEscape => escapes::raw_unit(rest),
            _ if unit == 2 => utf16_unit(rest, self.is_big()),
            _ if unit == 4 => utf32_unit(rest, self.is_big()),
            _ => Unit::Char(first, 1),
        }
    }

    /// The encoding with the byte order that the mark has told.
    fn actual_encoding(&self) -> Encoding {
        match (self.encoding, self.is_big()) {
            (Encoding::Utf16, false) => Encoding::Utf16Le,
            (Encoding::Utf16, true) => Encoding::Utf16Be,
            (Encoding::Utf32, false) => Encoding::Utf32Le,
            (Encoding::Utf32, true) => Encoding::Utf32Be,
            (other, _) => other,
        }
    }

    fn is_big(&self) -> bool {
        self.start == Start::Past { big: true }
    }

    /// Applies the error handler to `len` bytes at `at`; returns how many it used.
    fn handle(
        &self,
        input: &[u8],
        at: usize,
        len: usize,
        reason: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<usize, CodecError> {
        let bad = &input[at..at + len];
        out.try_reserve(len * 4)?;
        match self.errors {
            Handler::Ignore => return Ok(len),
            Handler::Replace => {
                wtf8::push(out, 0xFFFD);
                return Ok(len);
            }
            Handler::BackslashReplace => {
                bad.iter().for_each(|b| escape(out, u32::from(*b)));
                return Ok(len);
            }
            Handler::SurrogateEscape => {
                let high = bad.iter().take(4).take_while(|b| **b >= 0x80);
                let count = high.clone().count();
                if count > 0 {
                    high.for_each(|b| wtf8::push(out, 0xDC00 + u32::from(*b)));
                    return Ok(count);
                }
            }
            Handler::SurrogatePass => {
                if let Some((c, used)) = self.surrogate_at(&input[at..]) {
                    wtf8::push(out, c);
                    return Ok(used);
                }
            }
            Handler::XmlCharRefReplace | Handler::NameReplace => {
                return Err(CodecError::WrongHandler);
            }
            Handler::Strict => {}
        }
        Err(CodecError::Coding(CodingError {
            encoding: self.actual_encoding().name(),
            start: at,
            end: at + len,
            reason,
            skipped: 0,
        }))
    }

    /// The surrogate that stands at the beginning of `rest`, and its length.
    fn surrogate_at(&self, rest: &[u8]) -> Option<(u32, usize)> {
        let unit = self.encoding.unit();
        let c = match (self.encoding, unit, rest) {
            (Encoding::Utf8 | Encoding::Utf8Sig, _, [0xED, b @ 0xA0..0xC0, c @ 0x80..0xC0, ..]) => {
                return Some((0xD000 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F), 3));
            }
            (_, 2, [a, b, ..]) if self.is_big() => u32::from(u16::from_be_bytes([*a, *b])),
            (_, 2, [a, b, ..]) => u32::from(u16::from_le_bytes([*a, *b])),
            (_, 4, [a, b, c, d, ..]) if self.is_big() => u32::from_be_bytes([*a, *b, *c, *d]),
            (_, 4, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => return None,
        };
        is_surrogate(c).then_some((c, unit))
    }
}

fn utf8_unit(rest: &[u8]) -> Unit {
    // The longest sequence has four bytes.
    let head = &rest[..rest.len().min(4)];
    let (good, error_len) = match std::str::from_utf8(head) {
        Ok(text) => (text, None),
        Err(error) => {
            let good = std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default();
            (good, error.error_len())
        }
    };
    match (good.chars().next(), error_len) {
        (Some(c), _) => Unit::Char(c as u32, c.len_utf8()),
        (None, None) => Unit::Incomplete { reason: "unexpected end of data" },
        (None, Some(len)) => {
            let lead = matches!(rest[0], 0xC2..0xF5);
            let reason = if lead { "invalid continuation byte" } else { "invalid start byte" };
            Unit::Bad { len, reason }
        }
    }
}

fn utf16_unit(rest: &[u8], big: bool) -> Unit {
    let word = |at: usize| {
        let pair = [*rest.get(at)?, *rest.get(at + 1)?];
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
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

fn utf32_unit(rest: &[u8], big: bool) -> Unit {
    let Some(quad) = rest.first_chunk::<4>() else {
        return Unit::Incomplete { reason: "truncated data" };
    };
    let c = if big { u32::from_be_bytes(*quad) } else { u32::from_le_bytes(*quad) };
    match c {
        0xD800..0xE000 => {
            Unit::Bad { len: 4, reason: "code point in surrogate code point range(0xd800, 0xe000)" }
        }
        0x11_0000.. => Unit::Bad { len: 4, reason: "code point not in range(0x110000)" },
        c => Unit::Char(c, 4),
    }
}
