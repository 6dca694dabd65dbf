//! `repr` and `ascii` of `str`, `repr` of `bytes`.

use super::{AllocError, case, wtf8};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `\xNN`, `\uNNNN` or `\UNNNNNNNN`, the shortest that fits.
pub(crate) fn escape(out: &mut Vec<u8>, cp: u32) {
    let (letter, digits) = match cp {
        0..0x100 => (b'x', 2),
        0x100..0x1_0000 => (b'u', 4),
        _ => (b'U', 8),
    };
    out.extend_from_slice(&[b'\\', letter]);
    out.extend((0..digits).rev().map(|d| HEX[(cp >> (d * 4)) as usize & 15]));
}

/// Single quotes, unless the text holds single ones and no double ones.
fn quote_for(bytes: &[u8]) -> u8 {
    let single = memchr::memchr(b'\'', bytes).is_some();
    if single && memchr::memchr(b'"', bytes).is_none() { b'"' } else { b'\'' }
}

/// Appends an ASCII byte as both literals show it.
fn put_ascii(out: &mut Vec<u8>, b: u8, quote: u8) {
    match b {
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..0x20 | 0x7F.. => escape(out, b as u32),
        _ if b == quote => out.extend_from_slice(&[b'\\', b]),
        _ => out.push(b),
    }
}

/// Appends what `repr(str)` shows; `ascii_only` for `ascii(str)`.
pub fn str_into(out: &mut Vec<u8>, bytes: &[u8], ascii_only: bool) -> Result<(), AllocError> {
    let quote = quote_for(bytes);
    out.try_reserve(bytes.len() + 2)?;
    out.push(quote);
    let mut at = 0;
    while at < bytes.len() {
        // Most text is plain: copy it in runs.
        let plain = |b: &u8| matches!(b, 0x20..0x7F) && *b != b'\\' && *b != quote;
        let run = bytes[at..].iter().take_while(|b| plain(b)).count();
        out.try_reserve(run + 12)?;
        out.extend_from_slice(&bytes[at..at + run]);
        at += run;
        let Some((cp, next)) = wtf8::decode(bytes, at) else { break };
        if cp < 0x80 {
            put_ascii(out, cp as u8, quote);
        } else if !ascii_only && case::is_printable(cp) {
            out.extend_from_slice(&bytes[at..next]);
        } else {
            escape(out, cp);
        }
        at = next;
    }
    out.try_reserve(1)?;
    out.push(quote);
    Ok(())
}

/// `repr(str)`
pub fn str(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    let mut out = Vec::new();
    str_into(&mut out, bytes, false)?;
    Ok(out)
}

/// `ascii(str)`
pub fn ascii(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    let mut out = Vec::new();
    str_into(&mut out, bytes, true)?;
    Ok(out)
}

/// Appends what `repr(bytes)` shows (`bytearray(...)` around it is the caller's).
pub fn bytes_into(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), AllocError> {
    let quote = quote_for(bytes);
    let wide = bytes.iter().filter(|b| !matches!(b, 0x20..0x7F) || **b == b'\\').count();
    out.try_reserve(bytes.len().saturating_add(wide * 3).saturating_add(3))?;
    out.extend_from_slice(&[b'b', quote]);
    for chunk in bytes.chunks(1 << 12) {
        out.try_reserve(chunk.len() * 4 + 1)?;
        chunk.iter().for_each(|b| put_ascii(out, *b, quote));
    }
    out.push(quote);
    Ok(())
}

/// Appends the literal in the `repr` of a bytearray, which escapes `'` between any quotes.
pub fn bytearray_into(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), AllocError> {
    if quote_for(bytes) == b'\'' || !bytes.contains(&b'\'') {
        return bytes_into(out, bytes);
    }
    out.extend_from_slice(b"b\"");
    for chunk in bytes.chunks(1 << 12) {
        out.try_reserve(chunk.len() * 4 + 1)?;
        chunk.iter().for_each(|b| put_ascii(out, *b, b'\''));
    }
    out.push(b'"');
    Ok(())
}

/// `repr(bytes)`
pub fn bytes(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    let mut out = Vec::new();
    bytes_into(&mut out, bytes)?;
    Ok(out)
}
