//! Places in source text: byte spans, and the index that turns them into lines and columns.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// A half-open range of byte offsets into one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

// In JSON a span is the pair `[start, end]`: it stands on every node.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.start, self.end).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let (start, end) = <(u32, u32)>::deserialize(deserializer)?;
        Ok(Span { start, end })
    }
}

/// A line (from 1) and a column in code points (from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line number, from 1.
    pub line: u32,
    /// Column in code points, from 1.
    pub column: u32,
}

/// The line starts of one source text: maps byte offsets to lines and back.
///
/// Lines end with `\n`, `\r\n` or a lone `\r`, as in the tokenizer.
#[derive(Debug, Clone)]
pub struct LineIndex {
    starts: Vec<u32>,
    text_len: u32,
}

impl LineIndex {
    /// Indexes `text`.
    pub fn new(text: &str) -> LineIndex {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        let mut pos = 0;
        while let Some(step) = bytes[pos..].iter().position(|b| matches!(b, b'\n' | b'\r')) {
            pos += step + 1;
            if bytes[pos - 1] == b'\r' && bytes.get(pos) == Some(&b'\n') {
                pos += 1;
            }
            starts.push(pos as u32);
        }
        LineIndex { starts, text_len: bytes.len() as u32 }
    }

    /// Number of lines; a text that ends with a newline has an empty last line.
    pub fn line_count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The line number (from 1) that holds `offset`.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// The byte range of line `line` (from 1) with its line end, `None` if there is none.
    pub fn line_span(&self, line: u32) -> Option<Span> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text_len);
        Some(Span { start, end })
    }
}

/// A source text together with its line index.
#[derive(Debug, Clone)]
pub struct Source<'t> {
    text: &'t str,
    lines: LineIndex,
}

impl<'t> Source<'t> {
    /// Indexes `text`.
    pub fn new(text: &'t str) -> Source<'t> {
        Source { text, lines: LineIndex::new(text) }
    }

    /// The whole text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The line index alone.
    pub fn lines(&self) -> &LineIndex {
        &self.lines
    }

    /// Line and column (both from 1, the column in code points) of a byte offset. An offset past
    /// the end or inside a character counts as the nearest place before it.
    pub fn position(&self, offset: u32) -> LineColumn {
        let offset = offset.min(self.text.len() as u32);
        let line = self.lines.line(offset);
        let start = self.lines.line_span(line).map_or(0, |span| span.start) as usize;
        let before = &self.text.as_bytes()[start..offset as usize];
        // Continuation bytes are not starts of code points.
        let column = before.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u32;
        LineColumn { line, column: column + 1 }
    }

    /// The text of line `line` (from 1), without its line end; empty if there is no such line.
    pub fn line_text(&self, line: u32) -> &'t str {
        let Some(span) = self.lines.line_span(line) else { return "" };
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
            .trim_end_matches(['\n', '\r'])
    }
}
