//! The text encodings, from and to bytes, with the standard error handlers: at once, as `str` and
//! `bytes` need it, or piece by piece, as files do.

mod charmap;
mod decode;
mod encode;
mod escapes;

pub use charmap::Charmap;
pub use decode::{Decoder, decode};
pub use encode::{Encoder, encode};

use super::AllocError;

/// A text encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `utf-8`
    Utf8,
    /// `utf-8-sig`: with a byte order mark.
    Utf8Sig,
    /// `ascii`
    Ascii,
    /// `latin-1`
    Latin1,
    /// `utf-16`: a byte order mark decides.
    Utf16,
    /// `utf-16-le`
    Utf16Le,
    /// `utf-16-be`
    Utf16Be,
    /// `utf-32`: a byte order mark decides.
    Utf32,
    /// `utf-32-le`
    Utf32Le,
    /// `utf-32-be`
    Utf32Be,
    /// `unicode_escape`: as in the literal of a `str`.
    UnicodeEscape,
    /// `raw_unicode_escape`: Latin-1, and `\\uXXXX` for what is not in it.
    RawUnicodeEscape,
    /// One byte for each character, by a table.
    Charmap(&'static Charmap),
}

impl Encoding {
    /// Finds an encoding by any of its names.
    pub fn lookup(name: &str) -> Option<Encoding> {
        if name.len() > 32 {
            return None;
        }
        let name = name.to_ascii_lowercase().replace(['-', ' '], "_");
        Some(match name.as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "cp65001" | "utf8_ucs2" | "utf8_ucs4" => Self::Utf8,
            "utf_8_sig" | "utf8_sig" => Self::Utf8Sig,
            "ascii" | "us_ascii" | "646" | "ansi_x3.4_1968" | "iso646_us" => Self::Ascii,
            "latin_1" | "latin1" | "latin" | "l1" | "iso_8859_1" | "iso8859_1" | "iso8859"
            | "8859" | "cp819" => Self::Latin1,
            "utf_16" | "utf16" | "u16" => Self::Utf16,
            "utf_16_le" | "utf_16le" | "utf16_le" | "utf16le" => Self::Utf16Le,
            "utf_16_be" | "utf_16be" | "utf16_be" | "utf16be" => Self::Utf16Be,
            "utf_32" | "utf32" | "u32" => Self::Utf32,
            "utf_32_le" | "utf_32le" | "utf32_le" | "utf32le" => Self::Utf32Le,
            "utf_32_be" | "utf_32be" | "utf32_be" | "utf32be" => Self::Utf32Be,
            "unicode_escape" | "unicodeescape" => Self::UnicodeEscape,
            "raw_unicode_escape" | "rawunicodeescape" => Self::RawUnicodeEscape,
            name => return Charmap::lookup(name).map(Self::Charmap),
        })
    }

    /// How many bytes an ASCII character takes.
    pub fn unit(self) -> usize {
        match self {
            Self::Utf16 | Self::Utf16Le | Self::Utf16Be => 2,
            Self::Utf32 | Self::Utf32Le | Self::Utf32Be => 4,
            _ => 1,
        }
    }

    /// Whether ASCII text is its own encoding.
    fn extends_ascii(self) -> bool {
        self.unit() == 1 && self != Self::Utf8Sig && !self.has_escapes()
    }

    fn has_escapes(self) -> bool {
        matches!(self, Self::UnicodeEscape | Self::RawUnicodeEscape)
    }

    /// The name errors give the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Sig => "utf-8",
            Self::Ascii => "ascii",
            Self::Latin1 => "latin-1",
            Self::Utf16 => "utf-16",
            Self::Utf16Le => "utf-16-le",
            Self::Utf16Be => "utf-16-be",
            Self::Utf32 => "utf-32",
            Self::Utf32Le => "utf-32-le",
            Self::Utf32Be => "utf-32-be",
            Self::UnicodeEscape => "unicodeescape",
            Self::RawUnicodeEscape => "rawunicodeescape",
            Self::Charmap(_) => "charmap",
        }
    }
}

/// What becomes of what cannot be coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    /// Fail.
    Strict,
    /// Drop it.
    Ignore,
    /// Put a replacement character.
    Replace,
    /// Put backslash escapes.
    BackslashReplace,
    /// Bytes travel as the surrogates U+DC80 to U+DCFF.
    SurrogateEscape,
    /// Surrogates are coded like other characters.
    SurrogatePass,
    /// Put XML character references (only when encoding).
    XmlCharRefReplace,
    /// Put `\\N{...}` with the character's name (only when encoding).
    NameReplace,
}

impl Handler {
    /// Finds a handler by name.
    pub fn lookup(name: &str) -> Option<Handler> {
        Some(match name {
            "strict" => Self::Strict,
            "ignore" => Self::Ignore,
            "replace" => Self::Replace,
            "backslashreplace" => Self::BackslashReplace,
            "surrogateescape" => Self::SurrogateEscape,
            "surrogatepass" => Self::SurrogatePass,
            "xmlcharrefreplace" => Self::XmlCharRefReplace,
            "namereplace" => Self::NameReplace,
            _ => return None,
        })
    }
}

/// The fields of a `UnicodeDecodeError` (positions are byte offsets) or a `UnicodeEncodeError`
/// (positions are code point indices).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodingError {
    /// Name of the encoding.
    pub encoding: &'static str,
    /// First position at fault.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Why.
    pub reason: &'static str,
    /// How many bytes before the first that positions count: those of a signature.
    pub skipped: usize,
}

/// Why coding failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodecError {
    /// The data.
    Coding(CodingError),
    /// A stream in an encoding with a byte order mark that has none: its name.
    NoMark(&'static str),
    /// `xmlcharrefreplace` or `namereplace` while decoding: a `TypeError` ("don't know how to handle
    /// UnicodeDecodeError in error callback").
    WrongHandler,
    /// Memory.
    Alloc,
}

impl From<AllocError> for CodecError {
    fn from(_: AllocError) -> Self {
        CodecError::Alloc
    }
}

impl From<std::collections::TryReserveError> for CodecError {
    fn from(_: std::collections::TryReserveError) -> Self {
        CodecError::Alloc
    }
}
