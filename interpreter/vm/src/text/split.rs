//! Splitting, stripping and partitioning: everything yields byte ranges or sub-slices of the
//! string, and the caller makes of them what it needs.

use super::find::{SHORT, find};
use super::{case, find, wtf8};
use memchr::memmem;
use std::ops::Range;

/// What counts as white space and as the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ASCII white space, and lines ended by `\n`, `\r` or both.
    Bytes,
    /// Unicode's white space and line ends.
    Str,
}

/// White space of `bytes`.
#[inline(always)]
pub fn is_byte_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

/// End of the run of (`space`: white, else other) characters that begins at `at`.
fn run(hay: &[u8], mut at: usize, space: bool, kind: Kind) -> usize {
    while at < hay.len() {
        let b = hay[at];
        let (is_space, next) = match kind {
            Kind::Bytes => (is_byte_space(b), at + 1),
            Kind::Str if b < 0x80 => (case::is_space(b as u32), at + 1),
            Kind::Str => match wtf8::decode(hay, at) {
                Some((cp, next)) => (case::is_space(cp), next),
                None => break,
            },
        };
        if is_space != space {
            break;
        }
        at = next;
    }
    at
}

/// Start of the run of (`space`: white, else other) characters that ends at `end`.
fn run_back(hay: &[u8], mut end: usize, space: bool, kind: Kind) -> usize {
    while end > 0 {
        let b = hay[end - 1];
        let (is_space, next) = match kind {
            Kind::Bytes => (is_byte_space(b), end - 1),
            Kind::Str if b < 0x80 => (case::is_space(b as u32), end - 1),
            Kind::Str => match wtf8::decode_back(hay, end) {
                Some((cp, at)) => (case::is_space(cp), at),
                None => break,
            },
        };
        if is_space != space {
            break;
        }
        end = next;
    }
    end
}

/// `hay.split(None, max)`.
pub fn split_space(
    hay: &[u8],
    max: usize,
    kind: Kind,
) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let (mut at, mut left) = (0, max);
    std::iter::from_fn(move || {
        let start = run(hay, at, true, kind);
        if start >= hay.len() {
            return None;
        }
        at = if left == 0 { hay.len() } else { run(hay, start, false, kind) };
        left = left.saturating_sub(1);
        Some(start..at)
    })
}

/// `hay.rsplit(None, max)`, the last piece first.
pub fn rsplit_space(
    hay: &[u8],
    max: usize,
    kind: Kind,
) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let (mut end, mut left) = (hay.len(), max);
    std::iter::from_fn(move || {
        let stop = run_back(hay, end, true, kind);
        if stop == 0 {
            return None;
        }
        end = if left == 0 { 0 } else { run_back(hay, stop, false, kind) };
        left = left.saturating_sub(1);
        Some(end..stop)
    })
}

/// `hay.split(sep, max)`; `sep` is not empty (the caller says "empty separator").
pub fn split<'a>(
    hay: &'a [u8],
    sep: &'a [u8],
    max: usize,
) -> impl Iterator<Item = Range<usize>> + use<'a> {
    // Not for what is found without.
    let finder = (sep.len() > 1 && hay.len() >= SHORT).then(|| memmem::Finder::new(sep));
    let (mut at, mut left) = (Some(0), max);
    std::iter::from_fn(move || {
        let start = at?;
        let found = if left == 0 || sep.is_empty() {
            None
        } else {
            match &finder {
                Some(finder) => finder.find(&hay[start..]),
                None => find(&hay[start..], sep),
            }
        };
        left = left.saturating_sub(1);
        let end = found.map_or(hay.len(), |n| start + n);
        at = found.map(|_| end + sep.len());
        Some(start..end)
    })
}

/// `hay.rsplit(sep, max)`, the last piece first; `sep` is not empty.
pub fn rsplit<'a>(
    hay: &'a [u8],
    sep: &'a [u8],
    max: usize,
) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let finder = memmem::FinderRev::new(sep);
    let (mut end, mut left) = (Some(hay.len()), max);
    std::iter::from_fn(move || {
        let stop = end?;
        let found = if left == 0 || sep.is_empty() {
            None
        } else if let [one] = sep {
            memchr::memrchr(*one, &hay[..stop])
        } else {
            finder.rfind(&hay[..stop])
        };
        left = left.saturating_sub(1);
        end = found;
        Some(found.map_or(0, |n| n + sep.len())..stop)
    })
}

/// `hay.splitlines(keepends)`.
pub fn lines(
    hay: &[u8],
    keep_ends: bool,
    kind: Kind,
) -> impl Iterator<Item = Range<usize>> + use<'_> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= hay.len() {
            return None;
        }
        let start = at;
        let (end, next) = line_end(hay, start, kind);
        at = next;
        Some(start..if keep_ends { next } else { end })
    })
}

/// Where the line that begins at `at` ends, without and with its line end.
fn line_end(hay: &[u8], mut at: usize, kind: Kind) -> (usize, usize) {
    while let Some(b) = hay.get(at) {
        let width = match (b, kind) {
            (b'\r', _) if hay.get(at + 1) == Some(&b'\n') => 2,
            (b'\n' | b'\r', _) => 1,
            (0x0B | 0x0C | 0x1C..=0x1E, Kind::Str) => 1,
            (0xC2, Kind::Str) if hay.get(at + 1) == Some(&0x85) => 2,
            (0xE2, Kind::Str) if matches!(hay.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])) => 3,
            _ => 0,
        };
        if width > 0 {
            return (at, at + width);
        }
        at += 1;
    }
    (hay.len(), hay.len())
}

/// The ends `strip`, `lstrip` and `rstrip` work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `lstrip`.
    Left,
    /// `rstrip`.
    Right,
    /// `strip`.
    Both,
}

/// `hay.strip()`.
pub fn strip_space(hay: &[u8], side: Side, kind: Kind) -> Range<usize> {
    let start = if side == Side::Right { 0 } else { run(hay, 0, true, kind) };
    let end = if side == Side::Left { hay.len() } else { run_back(hay, hay.len(), true, kind) };
    start..end.max(start)
}

/// `bytes.strip(chars)`.
pub fn strip_bytes(hay: &[u8], chars: &[u8], side: Side) -> Range<usize> {
    let mut set = [false; 256];
    chars.iter().for_each(|b| set[*b as usize] = true);
    strip_by(
        hay.len(),
        side,
        |at| hay.get(at).filter(|b| set[**b as usize]).map(|_| at + 1),
        |end| hay.get(end.wrapping_sub(1)).filter(|b| set[**b as usize]).map(|_| end - 1),
    )
}

/// `str.strip(chars)`.
pub fn strip_chars(hay: &[u8], chars: &[u8], side: Side) -> Range<usize> {
    if chars.is_ascii() {
        return strip_bytes(hay, chars, side);
    }
    let mut set: Vec<u32> = wtf8::code_points(chars).collect();
    set.sort_unstable();
    let has = |cp: &u32| set.binary_search(cp).is_ok();
    strip_by(
        hay.len(),
        side,
        |at| wtf8::decode(hay, at).filter(|(cp, _)| has(cp)).map(|(_, next)| next),
        |end| wtf8::decode_back(hay, end).filter(|(cp, _)| has(cp)).map(|(_, at)| at),
    )
}

fn strip_by(
    len: usize,
    side: Side,
    forward: impl Fn(usize) -> Option<usize>,
    back: impl Fn(usize) -> Option<usize>,
) -> Range<usize> {
    let (mut start, mut end) = (0, len);
    if side != Side::Right {
        while let Some(next) = forward(start).filter(|n| *n <= end) {
            start = next;
        }
    }
    if side != Side::Left {
        while let Some(next) = back(end).filter(|n| *n >= start) {
            end = next;
        }
    }
    start..end
}

/// `hay.partition(sep)`: what is before and after the first occurrence. `sep` is not empty.
pub fn partition<'a>(hay: &'a [u8], sep: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    find::find(hay, sep).map(|at| (&hay[..at], &hay[at + sep.len()..]))
}

/// `hay.rpartition(sep)`: what is before and after the last occurrence. `sep` is not empty.
pub fn rpartition<'a>(hay: &'a [u8], sep: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    find::rfind(hay, sep).map(|at| (&hay[..at], &hay[at + sep.len()..]))
}
