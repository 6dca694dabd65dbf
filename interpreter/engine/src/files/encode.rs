//! Incremental encoding of text (UTF-8 with lone surrogates) to bytes.

use super::encoding::{Encoding, OnError, Order};
use super::error::{FileError, FileResult};
use super::wtf8;

#[derive(Clone, Copy, Debug)]
pub(super) struct Encoder {
    encoding: Encoding,
    errors: OnError,
    /// Whether the next text stands at the beginning of the stream, where a mark is due.
    at_start: bool,
}

impl Encoder {
    pub(super) fn new(encoding: Encoding, errors: OnError) -> Encoder {
        Encoder { encoding, errors, at_start: true }
    }

    /// Tells the encoder where in the stream it goes on.
    pub(super) fn set_at_start(&mut self, at_start: bool) {
        self.at_start = at_start;
    }

    /// Encodes `text` to the end of `out`. After an error nothing has been appended.
    pub(super) fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) -> FileResult<()> {
        let before = out.len();
        if self.at_start {
            match self.encoding {
                Encoding::Utf8Sig => out.extend_from_slice(b"\xef\xbb\xbf"),
                Encoding::Utf16(Order::Marked) | Encoding::Utf32(Order::Marked) => {
                    self.put(0xFEFF, out);
                }
                _ => {}
            }
        }
        let outcome = self.encode_body(text, out);
        match outcome {
            Ok(()) => self.at_start = false,
            Err(_) => out.truncate(before),
        }
        outcome
    }

    fn encode_body(&self, text: &[u8], out: &mut Vec<u8>) -> FileResult<()> {
        let plain = match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => std::str::from_utf8(text).is_ok(),
            Encoding::Ascii | Encoding::Latin1 => text.is_ascii(),
            _ => false,
        };
        if plain {
            out.extend_from_slice(text);
            return Ok(());
        }
        let mut points = wtf8::code_points(text).enumerate().peekable();
        while let Some((at, c)) = points.next() {
            if self.fits(c) {
                self.put(c, out);
                continue;
            }
            if self.replace(c, out) {
                continue;
            }
            // CPython names the whole run in its error, except where it encodes by units.
            let mut end = at + 1;
            while self.encoding.unit() == 1 && points.next_if(|(_, c)| !self.fits(*c)).is_some() {
                end += 1;
            }
            return Err(FileError::Encode {
                encoding: self.encoding.name(),
                input: text.to_vec(),
                start: at,
                end,
                reason: self.reason(),
            });
        }
        Ok(())
    }

    fn fits(&self, c: u32) -> bool {
        match self.encoding {
            Encoding::Ascii => c < 0x80,
            Encoding::Latin1 => c < 0x100,
            _ => !(0xD800..0xE000).contains(&c),
        }
    }

    fn reason(&self) -> &'static str {
        match self.encoding {
            Encoding::Ascii => "ordinal not in range(128)",
            Encoding::Latin1 => "ordinal not in range(256)",
            _ => "surrogates not allowed",
        }
    }

    /// Writes what the error handler puts in the place of `c`; false if it has nothing.
    fn replace(&self, c: u32, out: &mut Vec<u8>) -> bool {
        let unit = self.encoding.unit();
        let mut text = String::new();
        match self.errors {
            OnError::Ignore => return true,
            OnError::Replace => text.push('?'),
            OnError::BackslashReplace => {
                // Writing to a string does not fail.
                let _ = wtf8::escape(c, &mut text);
            }
            OnError::XmlCharRefReplace => text = format!("&#{c};"),
            OnError::SurrogateEscape if unit == 1 && (0xDC80..0xDD00).contains(&c) => {
                out.push((c - 0xDC00) as u8);
                return true;
            }
            OnError::SurrogatePass
                if (0xD800..0xE000).contains(&c)
                    && !matches!(self.encoding, Encoding::Ascii | Encoding::Latin1) =>
            {
                self.put(c, out);
                return true;
            }
            _ => return false,
        }
        text.bytes().for_each(|byte| self.put(u32::from(byte), out));
        true
    }

    /// Writes one code point that fits.
    fn put(&self, c: u32, out: &mut Vec<u8>) {
        let big = |order: Order| match order {
            Order::Marked => cfg!(target_endian = "big"),
            Order::Little => false,
            Order::Big => true,
        };
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Sig => wtf8::push(out, c),
            Encoding::Ascii | Encoding::Latin1 => out.push(c as u8),
            Encoding::Utf16(order) => {
                let mut put = |word: u16| {
                    out.extend(if big(order) { word.to_be_bytes() } else { word.to_le_bytes() });
                };
                match c {
                    0x1_0000.. => {
                        put(0xD800 | ((c - 0x1_0000) >> 10) as u16);
                        put(0xDC00 | (c & 0x3FF) as u16);
                    }
                    _ => put(c as u16),
                }
            }
            Encoding::Utf32(order) => {
                out.extend(if big(order) { c.to_be_bytes() } else { c.to_le_bytes() });
            }
        }
    }
}
