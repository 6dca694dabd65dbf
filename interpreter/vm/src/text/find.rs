//! Searching and replacing, for `bytes` in offsets and for `str` in code point indices.

use super::AllocError;
use super::wtf8::{self, Text};
use crate::fault::{Fault, Poll};
use memchr::memmem;
use std::ops::Range;

/// Fits the optional bounds of `find`, `count`, `startswith` and slices without a step to a
/// length: negative ones count from the end. `None` if the start lies behind the end.
pub fn fit(start: i64, end: i64, len: usize) -> Option<Range<usize>> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |n: i64| if n < 0 { (n.saturating_add(len)).max(0) } else { n };
    let (start, end) = (from_end(start), from_end(end).min(len));
    if start > end { None } else { Some(start as usize..end as usize) }
}

/// Bounds that were not given.
pub const WHOLE: (i64, i64) = (0, i64::MAX);

/// Offset of the first occurrence.
#[inline]
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [one] => memchr::memchr(*one, hay),
        [first, rest @ ..] if hay.len() < SHORT => {
            let last = hay.len().checked_sub(needle.len())?;
            memchr::memchr_iter(*first, &hay[..=last]).find(|at| hay[at + 1..].starts_with(rest))
        }
        _ => memmem::find(hay, needle),
    }
}

/// Below this length, preparing a search costs more than it saves.
pub(crate) const SHORT: usize = 64;

/// Offset of the last occurrence.
#[inline]
pub fn rfind(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [one] => memchr::memrchr(*one, hay),
        _ => memmem::rfind(hay, needle),
    }
}

/// Occurrences that do not overlap. An empty needle occurs once more than there are units,
/// which are bytes or code points.
pub fn count(hay: &[u8], needle: &[u8], units: usize) -> usize {
    match needle {
        [] => units + 1,
        [one] => memchr::memchr_iter(*one, hay).count(),
        _ => memmem::find_iter(hay, needle).count(),
    }
}

/// `bytes.find(needle, start, end)`.
pub fn find_in(hay: &[u8], needle: &[u8], start: i64, end: i64) -> Option<usize> {
    let range = fit(start, end, hay.len())?;
    find(&hay[range.clone()], needle).map(|at| at + range.start)
}

/// `bytes.rfind(needle, start, end)`.
pub fn rfind_in(hay: &[u8], needle: &[u8], start: i64, end: i64) -> Option<usize> {
    let range = fit(start, end, hay.len())?;
    rfind(&hay[range.clone()], needle).map(|at| at + range.start)
}

/// `bytes.count(needle, start, end)`.
pub fn count_in(hay: &[u8], needle: &[u8], start: i64, end: i64) -> usize {
    fit(start, end, hay.len()).map_or(0, |r| count(&hay[r.clone()], needle, r.len()))
}

impl<'a> Text<'a> {
    /// The byte range of optional bounds in code points.
    pub fn fit(&self, start: i64, end: i64) -> Option<Range<usize>> {
        let range = fit(start, end, self.len)?;
        let start = self.offset(range.start);
        // Offsets rise with indices unless the bytes are malformed.
        Some(start..self.offset(range.end).max(start))
    }

    /// `str.find(needle, start, end)`.
    pub fn find(&self, needle: &[u8], start: i64, end: i64) -> Option<usize> {
        let range = self.fit(start, end)?;
        let at = find(self.bytes.get(range.clone())?, needle)?;
        Some(self.index_of(at + range.start))
    }

    /// `str.rfind(needle, start, end)`.
    pub fn rfind(&self, needle: &[u8], start: i64, end: i64) -> Option<usize> {
        let range = self.fit(start, end)?;
        let at = rfind(self.bytes.get(range.clone())?, needle)?;
        Some(self.index_of(at + range.start))
    }

    /// `str.count(needle, start, end)`.
    pub fn count(&self, needle: &[u8], start: i64, end: i64) -> usize {
        let Some(units) = fit(start, end, self.len) else { return 0 };
        let hay = self.slice(units.start, units.end);
        count(hay, needle, units.len())
    }

    /// `str.startswith(prefix, start, end)`.
    pub fn starts_with(&self, prefix: &[u8], start: i64, end: i64) -> bool {
        if (start, end) == WHOLE {
            return self.bytes.starts_with(prefix);
        }
        self.fit(start, end).is_some_and(|r| self.bytes[r].starts_with(prefix))
    }

    /// `str.endswith(suffix, start, end)`.
    pub fn ends_with(&self, suffix: &[u8], start: i64, end: i64) -> bool {
        if (start, end) == WHOLE {
            return self.bytes.ends_with(suffix);
        }
        self.fit(start, end).is_some_and(|r| self.bytes[r].ends_with(suffix))
    }
}

/// Whether an empty `old` is found between bytes or between code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `bytes`.
    Byte,
    /// `str`.
    CodePoint,
}

/// Replacements between polls.
const PUTS: usize = 1 << 20;

/// `hay.replace(old, new, max)`; `None` if nothing is replaced. `room` is asked for the memory.
pub fn replace(
    hay: &[u8],
    old: &[u8],
    new: &[u8],
    max: usize,
    unit: Unit,
    room: impl Fn(usize) -> Result<(), Fault>,
    poll: Poll,
) -> Result<Option<Vec<u8>>, Fault> {
    if old.is_empty() {
        return interleave(hay, new, max, unit, room, poll);
    }
    if old == new || max == 0 {
        return Ok(None);
    }
    let finder = (old.len() > 1 && hay.len() >= SHORT).then(|| memmem::Finder::new(old));
    let finder = finder.as_ref();
    let occurrences = || {
        let mut from = 0;
        let next = move || {
            let rest = &hay[from..];
            let at = match finder {
                Some(finder) => finder.find(rest),
                None => find(rest, old),
            };
            let at = from + at?;
            from = at + old.len();
            Some(at)
        };
        std::iter::from_fn(next).take(max)
    };
    let mut found = 0usize;
    let mut count = |_| {
        found += 1;
        if found.is_multiple_of(PUTS) { poll().map_err(Fault::from) } else { Ok(()) }
    };
    occurrences().try_for_each(&mut count)?;
    if found == 0 {
        return Ok(None);
    }
    let kept = hay.len() - found * old.len();
    let total = found.checked_mul(new.len()).and_then(|n| n.checked_add(kept));
    room(total.unwrap_or(usize::MAX))?;
    let mut out = reserved(total)?;
    let mut from = 0;
    let mut steps = 0usize;
    let mut put = |at: usize| {
        steps += 1;
        if steps.is_multiple_of(PUTS) {
            poll()?;
        }
        out.extend_from_slice(&hay[from..at]);
        out.extend_from_slice(new);
        from = at + old.len();
        Ok::<(), Fault>(())
    };
    occurrences().try_for_each(&mut put)?;
    out.extend_from_slice(&hay[from..]);
    Ok(Some(out))
}

/// The same for short text that does not grow, written to `out`: the length of the result, or
/// `None` if this is not the place for it or nothing is replaced.
pub fn replace_short(
    hay: &[u8],
    old: &[u8],
    new: &[u8],
    max: usize,
    out: &mut [u8; SHORT],
) -> Option<usize> {
    if hay.len() > SHORT || old.is_empty() || new.len() > old.len() || old == new {
        return None;
    }
    let (mut from, mut len, mut left) = (0, 0, max);
    let mut put = |text: &[u8]| -> Option<()> {
        out.get_mut(len..len + text.len())?.copy_from_slice(text);
        len += text.len();
        Some(())
    };
    while left > 0
        && let Some(at) = find(&hay[from..], old)
    {
        put(&hay[from..from + at])?;
        put(new)?;
        from += at + old.len();
        left -= 1;
    }
    if from == 0 {
        return None;
    }
    put(&hay[from..])?;
    Some(len)
}

/// Puts `new` before each unit and at the end.
fn interleave(
    hay: &[u8],
    new: &[u8],
    max: usize,
    unit: Unit,
    room: impl Fn(usize) -> Result<(), Fault>,
    poll: Poll,
) -> Result<Option<Vec<u8>>, Fault> {
    if new.is_empty() || max == 0 {
        return Ok(None);
    }
    let units = if unit == Unit::Byte { hay.len() } else { wtf8::len(hay) };
    let puts = max.min(units + 1);
    let total = puts.checked_mul(new.len()).and_then(|n| n.checked_add(hay.len()));
    room(total.unwrap_or(usize::MAX))?;
    let mut out = reserved(total)?;
    let mut at = 0;
    for i in 1..=puts {
        if i.is_multiple_of(PUTS) {
            poll()?;
        }
        out.extend_from_slice(new);
        let next = match unit {
            Unit::Byte => (at + 1).min(hay.len()),
            Unit::CodePoint => wtf8::decode(hay, at).map_or(hay.len(), |(_, next)| next),
        };
        out.extend_from_slice(&hay[at..next]);
        at = next;
    }
    out.extend_from_slice(&hay[at..]);
    Ok(Some(out))
}

/// An empty buffer with room for a length, unless it overflowed.
pub(super) fn reserved(len: Option<usize>) -> Result<Vec<u8>, AllocError> {
    let len = len.filter(|n| *n <= isize::MAX as usize).ok_or(AllocError)?;
    let mut out = Vec::new();
    out.try_reserve_exact(len)?;
    Ok(out)
}

/// `hay.removeprefix(prefix)`.
pub fn remove_prefix<'a>(hay: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    hay.strip_prefix(prefix).unwrap_or(hay)
}

/// `hay.removesuffix(suffix)`.
pub fn remove_suffix<'a>(hay: &'a [u8], suffix: &[u8]) -> &'a [u8] {
    hay.strip_suffix(suffix).unwrap_or(hay)
}
