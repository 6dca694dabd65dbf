//! Methods that pad, justify and translate: `center`, `ljust`, `rjust`, `zfill`, `expandtabs`,
//! `bytes.translate`.

use super::find::reserved;
use super::wtf8::Text;
use super::{AllocError, wtf8};
use crate::fault::{Fault, Poll};

/// Code points that are filled in between polls.
const ROUND: usize = 1 << 20;

/// `count` code points, encoded.
pub fn fill(out: &mut Vec<u8>, cp: u32, count: usize, poll: Poll<'_>) -> Result<(), Fault> {
    let mut buffer = [0; 4];
    let one = wtf8::encode(cp, &mut buffer);
    out.try_reserve(count.checked_mul(one.len()).ok_or(AllocError)?)?;
    let mut left = count;
    while left > 0 {
        let round = left.min(ROUND);
        if let [byte] = one {
            out.resize(out.len() + round, *byte);
        } else {
            (0..round).for_each(|_| out.extend_from_slice(one));
        }
        left -= round;
        if left > 0 {
            poll()?;
        }
    }
    Ok(())
}

/// Where padding puts the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Justify {
    /// `ljust`
    Left,
    /// `rjust`
    Right,
    /// `center`
    Center,
}

/// `text.ljust(width, fill)` and its kin; `None` if the text is wide enough. For `bytes` pass
/// a `Text` whose `len` is the number of bytes.
pub fn justify(
    text: Text,
    width: i64,
    with: u32,
    how: Justify,
    poll: Poll<'_>,
) -> Result<Option<Vec<u8>>, Fault> {
    let width = usize::try_from(width).unwrap_or(0);
    if width <= text.len {
        return Ok(None);
    }
    let pad = width - text.len;
    let left = match how {
        Justify::Left => 0,
        Justify::Right => pad,
        Justify::Center => pad / 2 + (pad & width & 1),
    };
    let unit = wtf8::encode(with, &mut [0; 4]).len();
    let mut out = reserved(pad.checked_mul(unit).and_then(|n| n.checked_add(text.bytes.len())))?;
    fill(&mut out, with, left, poll)?;
    out.extend_from_slice(text.bytes);
    fill(&mut out, with, pad - left, poll)?;
    Ok(Some(out))
}

/// `text.zfill(width)`; `None` if the text is wide enough.
pub fn zfill(text: Text, width: i64, poll: Poll<'_>) -> Result<Option<Vec<u8>>, Fault> {
    let Some(mut out) = justify(text, width, b'0' as u32, Justify::Right, poll)? else {
        return Ok(None);
    };
    let zeros = out.len() - text.bytes.len();
    if let Some(sign @ (b'+' | b'-')) = out.get(zeros).copied() {
        out[zeros] = b'0';
        out[0] = sign;
    }
    Ok(Some(out))
}

/// `text.expandtabs(size)`, for `str` and (columns counted in bytes) for `bytes`.
pub fn expand_tabs(bytes: &[u8], size: i64, str: bool, poll: Poll<'_>) -> Result<Vec<u8>, Fault> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = reserved(Some(bytes.len()))?;
    let mut column = 0;
    let mut polled = 0;
    for b in bytes {
        if out.len() - polled > ROUND {
            polled = out.len();
            poll()?;
        }
        match b {
            b'\t' => {
                if size > 0 {
                    let pad = size - column % size;
                    column += pad;
                    fill(&mut out, b' ' as u32, pad, poll)?;
                }
                continue;
            }
            b'\n' | b'\r' => column = 0,
            // Only the first byte of a code point takes a column.
            _ => column += (!str || *b as i8 >= -0x40) as usize,
        }
        if out.len() == out.capacity() {
            out.try_reserve(bytes.len())?;
        }
        out.push(*b);
    }
    Ok(out)
}

/// `bytes.translate(table, delete)`; the table has 256 bytes (the caller says "translation
/// table must be 256 characters long").
pub fn translate(
    bytes: &[u8],
    table: Option<&[u8; 256]>,
    delete: &[u8],
) -> Result<Vec<u8>, AllocError> {
    let mut gone = [false; 256];
    delete.iter().for_each(|b| gone[*b as usize] = true);
    let mut out = reserved(Some(bytes.len()))?;
    let kept = bytes.iter().filter(|b| !gone[**b as usize]);
    out.extend(kept.map(|b| table.map_or(*b, |t| t[*b as usize])));
    Ok(out)
}
