//! Bodies that the server compressed (`Content-Encoding`), undone as their bytes arrive.
//!
//! What is decoded is bounded at each step, so that a small body cannot become a huge one.

use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::header::{CONTENT_ENCODING, HeaderMap};
use std::io::{self, Write};

/// What the client asks for.
pub const ACCEPTED: &str = "gzip, deflate";

/// Why a body could not be decoded.
pub enum Undecoded {
    /// It is larger than there is room for.
    TooLarge,
    /// It is not what the header says: the name of the coding.
    Bad(&'static str),
}

/// The codings of one body, the one that was applied last first.
pub struct Decoding(Vec<Stage>);

impl Decoding {
    /// What the headers tell; None if there is nothing to undo, or a coding among them that is
    /// not known: then the body is handed over as it came.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut stages = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            for name in value.to_str().ok()?.split(',') {
                match name.trim().to_ascii_lowercase().as_str() {
                    "" | "identity" => {}
                    "gzip" | "x-gzip" => stages.push(Stage::Gzip(Box::default())),
                    "deflate" => stages.push(Stage::Deflate(Deflate::default())),
                    _ => return None,
                }
            }
        }
        stages.reverse();
        (!stages.is_empty()).then_some(Self(stages))
    }

    /// Decodes the next bytes, to at most `room` bytes.
    pub fn push(&mut self, bytes: &[u8], room: u64) -> Result<Vec<u8>, Undecoded> {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut data = bytes.to_vec();
        for stage in &mut self.0 {
            data = stage.push(&data, room)?;
        }
        Ok(data)
    }

    /// There is no more: what was kept back, to at most `room` bytes, if the body was complete.
    /// (No body at all is.)
    pub fn finish(self, room: u64) -> Result<Vec<u8>, Undecoded> {
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut data = Vec::new();
        for mut stage in self.0 {
            data = stage.push(&data, room)?;
            let more = room - data.len();
            data.append(&mut stage.finish(more)?);
        }
        Ok(data)
    }
}

enum Stage {
    Gzip(Box<Gzip>),
    Deflate(Deflate),
}

impl Stage {
    fn push(&mut self, bytes: &[u8], room: usize) -> Result<Vec<u8>, Undecoded> {
        match self {
            Stage::Gzip(gzip) => gzip.push(bytes, room),
            Stage::Deflate(deflate) => deflate.push(bytes, room),
        }
    }

    fn finish(self, room: usize) -> Result<Vec<u8>, Undecoded> {
        match self {
            Stage::Gzip(gzip) => gzip.finish(room),
            // It keeps nothing back.
            Stage::Deflate(deflate) => deflate.finish().map(|()| Vec::new()),
        }
    }
}

/// Where a decoder puts what it decoded, as long as there is room.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    room: usize,
    is_full: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.room - self.bytes.len() {
            self.is_full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Members of gzip, one after the other.
struct Gzip {
    decoder: MultiGzDecoder<Sink>,
    began: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { decoder: MultiGzDecoder::new(Sink::default()), began: false }
    }
}

impl Gzip {
    fn push(&mut self, bytes: &[u8], room: usize) -> Result<Vec<u8>, Undecoded> {
        self.began |= !bytes.is_empty();
        self.decoder.get_mut().room = room;
        // The decoder passes its output on when it takes the next input or is flushed.
        let written = self.decoder.write_all(bytes).and_then(|()| self.decoder.flush());
        self.decoded(written)
    }

    fn decoded(&mut self, written: io::Result<()>) -> Result<Vec<u8>, Undecoded> {
        let sink = self.decoder.get_mut();
        match written {
            Ok(()) => Ok(std::mem::take(&mut sink.bytes)),
            Err(_) if sink.is_full => Err(Undecoded::TooLarge),
            Err(_) => Err(Undecoded::Bad("gzip")),
        }
    }

    fn finish(mut self, room: usize) -> Result<Vec<u8>, Undecoded> {
        self.decoder.get_mut().room = room;
        let finished = if self.began { self.decoder.try_finish() } else { Ok(()) };
        self.decoded(finished)
    }
}

/// "deflate" means zlib's format, but servers send the bare one too; its first two bytes tell.
#[derive(Default)]
struct Deflate {
    head: Vec<u8>,
    decoder: Option<Decompress>,
    ended: bool,
}

impl Deflate {
    fn push(&mut self, bytes: &[u8], room: usize) -> Result<Vec<u8>, Undecoded> {
        let joined;
        let input = match &self.decoder {
            Some(_) => bytes,
            None => {
                self.head.extend_from_slice(bytes);
                let [a, b, ..] = self.head[..] else { return Ok(Vec::new()) };
                let is_zlib = a & 0x0F == 8 && u16::from_be_bytes([a, b]) % 31 == 0;
                self.decoder = Some(Decompress::new(is_zlib));
                joined = std::mem::take(&mut self.head);
                &joined
            }
        };
        match &mut self.decoder {
            // A coding before this one may have given nothing yet.
            Some(decoder) if !self.ended && !input.is_empty() => {
                inflate(decoder, input, room, &mut self.ended)
            }
            // What follows the end of the data is ignored.
            _ => Ok(Vec::new()),
        }
    }

    fn finish(self) -> Result<(), Undecoded> {
        let nothing = self.decoder.is_none() && self.head.is_empty();
        if nothing || self.ended { Ok(()) } else { Err(Undecoded::Bad("deflate")) }
    }
}

fn inflate(
    decoder: &mut Decompress,
    mut input: &[u8],
    room: usize,
    ended: &mut bool,
) -> Result<Vec<u8>, Undecoded> {
    const STEP: usize = 32 * 1024;
    let mut out = Vec::new();
    let mut buffer = vec![0; STEP];
    loop {
        let (taken, made) = (decoder.total_in(), decoder.total_out());
        let status = decoder
            .decompress(input, &mut buffer, FlushDecompress::None)
            .map_err(|_| Undecoded::Bad("deflate"))?;
        let taken = (decoder.total_in() - taken) as usize;
        let made = (decoder.total_out() - made) as usize;
        if made > room - out.len() {
            return Err(Undecoded::TooLarge);
        }
        out.extend_from_slice(&buffer[..made]);
        input = &input[taken..];
        if status == Status::StreamEnd {
            *ended = true;
            return Ok(out);
        }
        if input.is_empty() && made < STEP {
            return Ok(out);
        }
        if taken == 0 && made == 0 {
            return Err(Undecoded::Bad("deflate"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// Decodes in pieces of `step` bytes.
    fn decode(coding: &str, data: &[u8], step: usize, room: u64) -> Result<Vec<u8>, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(coding).unwrap());
        let why = |undecoded| match undecoded {
            Undecoded::TooLarge => "too large",
            Undecoded::Bad(name) => name,
        };
        let mut decoding = Decoding::of(&headers).ok_or("no coding")?;
        let mut out = Vec::new();
        for piece in data.chunks(step) {
            out.extend(decoding.push(piece, room - out.len() as u64).map_err(why)?);
        }
        out.extend(decoding.finish(room - out.len() as u64).map_err(why)?);
        Ok(out)
    }

    #[test]
    fn each_coding_in_pieces_of_each_size() {
        let text: Vec<u8> = (0..100_000u32).map(|n| (n / 7 % 251) as u8).collect();
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(&text).unwrap();
        let bare = bare.finish().unwrap();
        let members = [gzip(&text[..5]), gzip(&text[5..])].concat();
        for step in [1, 2, 3, 1000, usize::MAX] {
            for (coding, data) in [
                ("gzip", gzip(&text)),
                ("x-gzip, identity", gzip(&text)),
                ("gzip", members.clone()),
                ("Deflate", zlib(&text)),
                ("deflate", bare.clone()),
                ("deflate, gzip", gzip(&zlib(&text))),
            ] {
                assert!(
                    decode(coding, &data, step, 1 << 20).as_ref() == Ok(&text),
                    "{coding} {step}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_right_is_refused() {
        let (zipped, deflated) = (gzip(&[7; 5000]), zlib(&[7; 5000]));
        assert_eq!(decode("gzip", b"plain text", 3, 100), Err("gzip"));
        assert_eq!(decode("gzip", &zipped[..zipped.len() - 3], 9, 9000), Err("gzip"));
        assert_eq!(decode("deflate", &deflated[..deflated.len() - 5], 9, 9000), Err("deflate"));
        assert_eq!(decode("deflate", &[0xFF; 40], 9, 9000), Err("deflate"));
        assert_eq!(decode("gzip", &[], 1, 100), Ok(vec![]));
        assert_eq!(decode("br", b"abc", 1, 100), Err("no coding"));
        assert_eq!(decode("gzip, br", b"abc", 1, 100), Err("no coding"));
    }

    #[test]
    fn a_small_body_does_not_become_a_huge_one() {
        for (coding, data) in
            [("gzip", gzip(&vec![0; 50 << 20])), ("deflate", zlib(&vec![0; 50 << 20]))]
        {
            assert_eq!(decode(coding, &data, usize::MAX, 1 << 20), Err("too large"));
        }
        assert_eq!(decode("gzip", &gzip(b"12345"), 9, 5).as_deref(), Ok(&b"12345"[..]));
        assert_eq!(decode("gzip", &gzip(b"123456"), 9, 5), Err("too large"));
    }
}
