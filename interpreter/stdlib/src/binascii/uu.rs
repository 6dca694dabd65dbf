//! Lines of uuencoded data.

/// A line; `None` if it would be too long.
pub(super) fn encode(data: &[u8], backtick: bool) -> Option<Vec<u8>> {
    if data.len() > 45 {
        return None;
    }
    let digit = |v: u32| match v & 63 {
        0 if backtick => b'`',
        v => b' ' + v as u8,
    };
    let mut out = vec![digit(data.len() as u32)];
    for c in data.chunks(3) {
        let byte = |i: usize| u32::from(c.get(i).copied().unwrap_or(0));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend([18, 12, 6, 0].map(|shift| digit(n >> shift)));
    }
    out.push(b'\n');
    Some(out)
}

/// The bytes of a line. An empty one counts as one of 32 bytes, as in CPython. Missing digits count as zero: some programs strip trailing spaces.
pub(super) fn decode(line: &[u8]) -> Result<Vec<u8>, &'static str> {
    let len = usize::from(line.first().copied().unwrap_or(0).wrapping_sub(b' ') & 63);
    let mut out = Vec::with_capacity(len);
    let mut rest = line.get(1..).unwrap_or(&[]).iter();
    let (mut bits, mut count) = (0u32, 0);
    while out.len() < len {
        let value = match rest.next() {
            None | Some(b'\n' | b'\r') => 0,
            Some(b @ b' '..=b'`') => u32::from(b - b' ') & 63,
            Some(_) => return Err("Illegal char"),
        };
        bits = bits << 6 | value;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    match rest.all(|b| matches!(b, b' ' | b'`' | b'\n' | b'\r')) {
        true => Ok(out),
        false => Err("Trailing garbage"),
    }
}
