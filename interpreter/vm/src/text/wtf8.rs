//! How strings are stored: UTF-8 extended by lone surrogates, each code point encoded on its
//! own (so two surrogates side by side stay two, as in CPython; strict WTF-8 would join them).
//!
//! Byte order is code point order, equal strings have equal bytes, and a search for valid
//! bytes only ever matches at character boundaries, so much of `str` works on plain bytes.
//! Every function here tolerates malformed bytes (each stray byte counts as itself or is
//! skipped), so no input can make it panic.

use crate::table::AllocError;

/// Largest code point.
pub const MAX: u32 = 0x10_FFFF;

/// What a scan of the bytes found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Number of code points.
    pub len: usize,
    /// Only code points below 128.
    pub ascii: bool,
    /// At least one surrogate: not a Rust `str`.
    pub surrogates: bool,
}

/// Checks that bytes are well formed and measures them; the error is the offset of the first
/// malformed byte.
pub fn scan(bytes: &[u8]) -> Result<Summary, usize> {
    if bytes.is_ascii() {
        return Ok(Summary { len: bytes.len(), ascii: true, surrogates: false });
    }
    let (mut rest, mut base) = (bytes, 0);
    let mut surrogates = false;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return Ok(Summary { len: len(bytes), ascii: false, surrogates }),
            Err(e) => {
                let at = e.valid_up_to();
                match rest[at..] {
                    [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..] => surrogates = true,
                    _ => return Err(base + at),
                }
                rest = &rest[at + 3..];
                base += at + 3;
            }
        }
    }
}

/// The bytes as Rust text, unless they hold a surrogate.
#[inline]
pub fn as_str(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Whether a code point is a surrogate.
#[inline]
pub fn is_surrogate(cp: u32) -> bool {
    (0xD800..0xE000).contains(&cp)
}

/// Number of code points.
#[inline]
pub fn len(bytes: &[u8]) -> usize {
    // Blocks whose count fits a byte: that is what the compiler makes vector code of.
    let block = |c: &[u8]| c.iter().map(|b| is_boundary(*b) as u8).sum::<u8>() as usize;
    bytes.chunks(192).map(block).sum()
}

/// Whether a byte begins a code point.
#[inline(always)]
fn is_boundary(byte: u8) -> bool {
    byte as i8 >= -0x40
}

/// Bytes of the code point a first byte announces.
#[inline(always)]
fn width(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// The code point that begins at a byte offset, and the offset behind it.
#[inline]
pub fn decode(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let rest = bytes.get(at..)?;
    let first = *rest.first()?;
    if first < 0x80 {
        return Some((first as u32, at + 1));
    }
    let tail = |i: usize| rest.get(i).map_or(0, |b| (*b & 0x3F) as u32);
    let first = first as u32;
    let cp = match width(first as u8) {
        1 => first,
        2 => (first & 0x1F) << 6 | tail(1),
        3 => (first & 0xF) << 12 | tail(1) << 6 | tail(2),
        _ => (first & 7) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3),
    };
    Some((cp, (at + width(first as u8)).min(bytes.len())))
}

/// The code point that ends before a byte offset, and its own offset.
#[inline]
pub fn decode_back(bytes: &[u8], end: usize) -> Option<(u32, usize)> {
    let head = bytes.get(..end)?;
    let mut at = head.len().checked_sub(1)?;
    while at > 0 && end - at < 4 && !is_boundary(head[at]) {
        at -= 1;
    }
    decode(head, at).map(|(cp, _)| (cp, at))
}

/// The bytes of one code point.
#[inline]
pub fn encode(cp: u32, buffer: &mut [u8; 4]) -> &[u8] {
    let low = |shift: u32| 0x80 | (cp >> shift & 0x3F) as u8;
    match cp {
        0..0x80 => {
            buffer[0] = cp as u8;
            &buffer[..1]
        }
        0x80..0x800 => {
            *buffer = [0xC0 | (cp >> 6) as u8, low(0), 0, 0];
            &buffer[..2]
        }
        0x800..0x1_0000 => {
            *buffer = [0xE0 | (cp >> 12) as u8, low(6), low(0), 0];
            &buffer[..3]
        }
        _ => {
            *buffer = [0xF0 | (cp >> 18 & 7) as u8, low(12), low(6), low(0)];
            &buffer[..4]
        }
    }
}

/// Appends one code point.
#[inline]
pub fn push(out: &mut Vec<u8>, cp: u32) {
    if cp < 0x80 {
        out.push(cp as u8);
    } else {
        out.extend_from_slice(encode(cp, &mut [0; 4]));
    }
}

/// The code points of a string, from both ends.
pub fn code_points(bytes: &[u8]) -> CodePoints<'_> {
    CodePoints { bytes, at: 0, end: bytes.len() }
}

/// See [`code_points`].
#[derive(Debug, Clone)]
pub struct CodePoints<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl CodePoints<'_> {
    /// Byte offset of the next code point.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let (cp, at) = decode(&self.bytes[..self.end], self.at)?;
        self.at = at;
        Some(cp)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        ((self.end - self.at).div_ceil(4), Some(self.end - self.at))
    }
}

impl DoubleEndedIterator for CodePoints<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<u32> {
        if self.end <= self.at {
            return None;
        }
        let (cp, at) = decode_back(self.bytes, self.end)?;
        self.end = at.max(self.at);
        Some(cp)
    }
}

/// Code points between two marks of an [`IndexTable`].
const STRIDE: usize = 64;

/// The byte offset of every 64th code point of a string that is not ASCII.
#[derive(Debug, Clone)]
pub struct IndexTable {
    marks: Box<[u32]>,
}

impl IndexTable {
    /// Builds the table, in time linear in the string. Strings over 4 GiB get none.
    pub fn build(bytes: &[u8]) -> Result<IndexTable, AllocError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(AllocError);
        }
        let mut marks = Vec::new();
        marks.try_reserve_exact(len(bytes) / STRIDE + 1)?;
        let starts = bytes.iter().enumerate().filter(|(_, b)| is_boundary(**b));
        marks.extend(starts.step_by(STRIDE).map(|(at, _)| at as u32));
        Ok(IndexTable { marks: marks.into_boxed_slice() })
    }

    /// Bytes held outside the struct itself.
    pub fn heap_bytes(&self) -> usize {
        self.marks.len() * 4
    }
}

/// A string as its methods see it: the bytes with what is known about them.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Number of code points.
    pub len: usize,
    /// The index table, if one was built; only worth having when not ASCII.
    pub index: Option<&'a IndexTable>,
}

impl<'a> Text<'a> {
    /// Measures a string.
    pub fn new(bytes: &'a [u8]) -> Text<'a> {
        Text { bytes, len: len(bytes), index: None }
    }

    /// Whether all code points are below 128: offsets are indices.
    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        self.len == self.bytes.len()
    }

    /// The byte offset of the code point at an index; the end for any index behind the last.
    #[inline]
    pub fn offset(&self, index: usize) -> usize {
        if self.is_ascii() {
            return index.min(self.len);
        }
        self.offset_slow(index)
    }

    fn offset_slow(&self, index: usize) -> usize {
        if index >= self.len {
            return self.bytes.len();
        }
        let (mut at, mut skip) = (0, index);
        if let Some(mark) = self.index.and_then(|t| t.marks.get(index / STRIDE)) {
            (at, skip) = (*mark as usize, index % STRIDE);
        } else if index > self.len / 2 {
            return self.offset_from_end(self.len - index);
        }
        while skip > 0 && at < self.bytes.len() {
            at += width(self.bytes[at]);
            skip -= 1;
        }
        at.min(self.bytes.len())
    }

    fn offset_from_end(&self, mut count: usize) -> usize {
        let mut at = self.bytes.len();
        while count > 0 && at > 0 {
            at -= 1;
            if is_boundary(self.bytes[at]) {
                count -= 1;
            }
        }
        at
    }

    /// The index of the code point at a byte offset.
    #[inline]
    pub fn index_of(&self, offset: usize) -> usize {
        let offset = offset.min(self.bytes.len());
        if self.is_ascii() {
            return offset;
        }
        let (mut index, mut from) = (0, 0);
        if let Some(table) = self.index {
            let mark = table.marks.partition_point(|m| *m as usize <= offset).saturating_sub(1);
            index = mark * STRIDE;
            from = table.marks.get(mark).map_or(0, |m| *m as usize);
        }
        index + len(&self.bytes[from.min(offset)..offset])
    }

    /// The code point at an index.
    #[inline]
    pub fn get(&self, index: usize) -> Option<u32> {
        if index >= self.len {
            return None;
        }
        decode(self.bytes, self.offset(index)).map(|(cp, _)| cp)
    }

    /// The bytes from one index up to another.
    #[inline]
    pub fn slice(&self, start: usize, stop: usize) -> &'a [u8] {
        let from = self.offset(start);
        let to = self.offset(stop);
        self.bytes.get(from..to).unwrap_or(&[])
    }

    /// `count` code points, `step` apart, from an index on: what is left of a slice once its
    /// bounds are fitted to the string.
    pub fn slice_step(
        &self,
        start: usize,
        step: isize,
        count: usize,
    ) -> Result<Vec<u8>, AllocError> {
        let mut out = Vec::new();
        if count == 0 {
            return Ok(out);
        }
        out.try_reserve(if self.is_ascii() { count } else { count.min(self.bytes.len()) })?;
        if self.is_ascii() {
            let picked = (0..count as isize).map_while(|n| {
                let at = start as isize + n.checked_mul(step)?;
                self.bytes.get(usize::try_from(at).ok()?)
            });
            out.extend(picked);
            return Ok(out);
        }
        let mut left = count;
        let mut take = |cp: u32| {
            push(&mut out, cp);
            left -= 1;
            left > 0
        };
        let stride = step.unsigned_abs().max(1);
        if step > 0 {
            let from = self.offset(start);
            let mut rest = code_points(&self.bytes[from..]).step_by(stride);
            while rest.next().is_some_and(&mut take) {}
        } else {
            let to = self.offset(start.saturating_add(1));
            let mut rest = code_points(&self.bytes[..to]).rev().step_by(stride);
            while rest.next().is_some_and(&mut take) {}
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &[u32] = &[0x61, 0xE9, 0x20AC, 0xD800, 0xDC00, 0x1F600, 0x7A, 0x10FFFF, 0xDFFF];

    fn mixed(repeat: usize) -> (Vec<u8>, Vec<u32>) {
        let cps: Vec<u32> = MIXED.iter().copied().cycle().take(MIXED.len() * repeat).collect();
        let mut bytes = Vec::new();
        cps.iter().for_each(|cp| push(&mut bytes, *cp));
        (bytes, cps)
    }

    #[test]
    fn code_points_survive_both_ways() {
        let (bytes, cps) = mixed(3);
        assert!(code_points(&bytes).eq(cps.iter().copied()));
        assert!(code_points(&bytes).rev().eq(cps.iter().rev().copied()));
        let found = scan(&bytes).unwrap();
        assert_eq!(found, Summary { len: cps.len(), ascii: false, surrogates: true });
        assert_eq!(as_str(&bytes), None);
        assert_eq!(as_str("a\u{e9}".as_bytes()), Some("a\u{e9}"));
        for cp in [0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000] {
            let mut one = Vec::new();
            push(&mut one, cp);
            assert_eq!(decode(&one, 0), Some((cp, one.len())));
            assert_eq!(decode_back(&one, one.len()), Some((cp, 0)));
        }
    }

    #[test]
    fn surrogate_pairs_are_not_joined() {
        let mut bytes = Vec::new();
        push(&mut bytes, 0xD83D);
        push(&mut bytes, 0xDE00);
        assert_eq!(len(&bytes), 2);
        assert_ne!(bytes, "\u{1F600}".as_bytes());
        assert!(scan(&bytes).is_ok());
    }

    #[test]
    fn malformed_bytes_are_reported_and_do_no_harm() {
        assert_eq!(scan(b"ab\xffcd"), Err(2));
        assert_eq!(scan(b"a\xed\xa0"), Err(1));
        assert_eq!(scan(b"\xed\xa0\x80\xc0\x80"), Err(3));
        for bytes in [&b"\xf0"[..], b"\x80\x80\x80", b"a\xe2\x82", b"\xff\xfe\xfd", b"\xf0\x9f"] {
            let text = Text::new(bytes);
            assert!(code_points(bytes).count() <= bytes.len());
            assert!(code_points(bytes).rev().count() <= bytes.len());
            for i in 0..5 {
                text.get(i);
                text.slice(i, i + 2);
                text.index_of(i);
                text.slice_step(i, -1, 3).unwrap();
            }
        }
    }

    #[test]
    fn indices_and_slices_agree_with_an_array() {
        let (bytes, cps) = mixed(40);
        let table = IndexTable::build(&bytes).unwrap();
        for index in [None, Some(&table)] {
            let text = Text { index, ..Text::new(&bytes) };
            for i in 0..cps.len() + 2 {
                assert_eq!(text.get(i), cps.get(i).copied(), "{i}");
                assert_eq!(text.index_of(text.offset(i)), i.min(cps.len()));
            }
            for (start, step, count) in [(0, 1, 7), (3, 5, 60), (350, -3, 100), (5, -1, 6)] {
                let out = text.slice_step(start, step, count).unwrap();
                let want = (0..count).map(|n| cps[(start as isize + n as isize * step) as usize]);
                assert!(code_points(&out).eq(want), "{start} {step} {count}");
            }
            assert!(code_points(text.slice(60, 70)).eq(cps[60..70].iter().copied()));
            assert_eq!(text.slice(70, 60), b"");
        }
        let ascii = Text::new(b"abcdefgh");
        assert_eq!(ascii.slice_step(7, -3, 3).unwrap(), b"heb");
        assert_eq!(ascii.slice_step(1, isize::MAX, 1).unwrap(), b"b");
    }
}
