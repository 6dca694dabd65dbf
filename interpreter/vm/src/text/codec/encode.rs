//! Encoding of text (UTF-8 with lone surrogates) to bytes.

use std::borrow::Cow;

use super::{CodecError, CodingError, Encoding, Handler, escapes};
use crate::text::repr::escape;
use crate::text::wtf8::{self, code_points, is_surrogate};

/// `str.encode(encoding, errors)`.
pub fn encode(
    text: &[u8],
    encoding: Encoding,
    errors: Handler,
) -> Result<Cow<'_, [u8]>, CodecError> {
    if is_plain(text, encoding) && encoding != Encoding::Utf8Sig {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::new();
    Encoder::new(encoding, errors).encode(text, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Whether text is (but for a signature) its own encoding.
fn is_plain(text: &[u8], encoding: Encoding) -> bool {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => wtf8::as_str(text).is_some(),
        encoding => encoding.extends_ascii() && text.is_ascii(),
    }
}

/// Encodes a stream piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    encoding: Encoding,
    errors: Handler,
    /// Whether the next text stands at the beginning of the stream, where a mark is due.
    at_start: bool,
}

impl Encoder {
    /// At the beginning of a stream.
    pub fn new(encoding: Encoding, errors: Handler) -> Encoder {
        Encoder { encoding, errors, at_start: true }
    }

    /// Tells the encoder where in the stream it goes on.
    pub fn set_at_start(&mut self, at_start: bool) {
        self.at_start = at_start;
    }

    /// Encodes `text` to the end of `out`. After an error nothing has been appended.
    pub fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
        let before = out.len();
        out.try_reserve(text.len().saturating_add(4))?;
        if self.at_start
            && let Encoding::Utf8Sig | Encoding::Utf16 | Encoding::Utf32 = self.encoding
        {
            self.put(0xFEFF, out);
        }
        let outcome = self.encode_body(text, out);
        match outcome {
            Ok(()) => self.at_start = false,
            Err(_) => out.truncate(before),
        }
        outcome
    }

    fn encode_body(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), CodecError> {
        if is_plain(text, self.encoding) {
            out.extend_from_slice(text);
            return Ok(());
        }
        let mut points = code_points(text).enumerate().peekable();
        while let Some((at, c)) = points.next() {
            out.try_reserve(escapes::LONGEST)?;
            if self.fits(c) {
                self.put(c, out);
                continue;
            }
            out.try_reserve(REPLACEMENT_BYTES)?;
            if self.replace(c, out) {
                continue;
            }
            // CPython names the whole run in its error, except where it encodes by units.
            let mut end = at + 1;
            while self.encoding.unit() == 1 && points.next_if(|(_, c)| !self.fits(*c)).is_some() {
                end += 1;
            }
            return Err(CodecError::Coding(CodingError {
                encoding: self.encoding.name(),
                start: at,
                end,
                reason: self.reason(),
                skipped: 0,
            }));
        }
        Ok(())
    }

    fn fits(&self, c: u32) -> bool {
        match self.encoding {
            Encoding::Ascii => c < 0x80,
            Encoding::Latin1 => c < 0x100,
            Encoding::Charmap(map) => map.encode(c).is_some(),
            Encoding::UnicodeEscape | Encoding::RawUnicodeEscape => true,
            _ => !is_surrogate(c),
        }
    }

    fn reason(&self) -> &'static str {
        match self.encoding {
            Encoding::Ascii => "ordinal not in range(128)",
            Encoding::Latin1 => "ordinal not in range(256)",
            Encoding::Charmap(_) => "character maps to <undefined>",
            _ => "surrogates not allowed",
        }
    }

    /// Writes what the error handler puts in the place of `c`; false if it has nothing.
    fn replace(&self, c: u32, out: &mut Vec<u8>) -> bool {
        let mut text = Vec::new();
        match self.errors {
            Handler::Ignore => {}
            Handler::Replace => text.push(b'?'),
            Handler::BackslashReplace => escape(&mut text, c),
            Handler::XmlCharRefReplace => text = format!("&#{c};").into_bytes(),
            Handler::NameReplace => {
                match char::from_u32(c).and_then(miniscript_syntax::character_name) {
                    Some(name) => text = format!("\\N{{{name}}}").into_bytes(),
                    None => escape(&mut text, c),
                }
            }
            Handler::SurrogateEscape
                if self.encoding.unit() == 1 && (0xDC80..0xDD00).contains(&c) =>
            {
                out.push((c - 0xDC00) as u8);
            }
            Handler::SurrogatePass if is_surrogate(c) && self.passes_surrogates() => {
                self.put(c, out);
            }
            Handler::Strict | Handler::SurrogateEscape | Handler::SurrogatePass => return false,
        }
        text.iter().for_each(|byte| self.put(u32::from(*byte), out));
        true
    }

    fn passes_surrogates(&self) -> bool {
        !matches!(self.encoding, Encoding::Ascii | Encoding::Latin1 | Encoding::Charmap(_))
    }

    /// Writes one code point that fits.
    fn put(&self, c: u32, out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => wtf8::push(out, c),
            Encoding::Ascii | Encoding::Latin1 => out.push(c as u8),
            Encoding::Charmap(map) => out.extend(map.encode(c)),
            Encoding::UnicodeEscape => escapes::put(c, out),
            Encoding::RawUnicodeEscape => escapes::put_raw(c, out),
            Encoding::Utf32 => out.extend(c.to_ne_bytes()),
            Encoding::Utf32Le => out.extend(c.to_le_bytes()),
            Encoding::Utf32Be => out.extend(c.to_be_bytes()),
            Encoding::Utf16 => put_utf16(c, u16::to_ne_bytes, out),
            Encoding::Utf16Le => put_utf16(c, u16::to_le_bytes, out),
            Encoding::Utf16Be => put_utf16(c, u16::to_be_bytes, out),
        }
    }
}

/// The longest name of a character, as UTF-32.
const REPLACEMENT_BYTES: usize = 4 * 100;

fn put_utf16(c: u32, bytes: impl Fn(u16) -> [u8; 2], out: &mut Vec<u8>) {
    match c.checked_sub(0x1_0000) {
        None => out.extend(bytes(c as u16)),
        Some(n) => {
            out.extend(bytes(0xD800 | (n >> 10) as u16));
            out.extend(bytes(0xDC00 | (n & 0x3FF) as u16));
        }
    }
}
