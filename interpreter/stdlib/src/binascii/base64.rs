//! Base64.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NONE: u8 = 255;

const fn values() -> [u8; 256] {
    let mut t = [NONE; 256];
    let mut i = 0;
    while i < 64 {
        t[DIGITS[i] as usize] = i as u8;
        i += 1;
    }
    t
}

static VALUES: [u8; 256] = values();

pub(super) fn encode(data: &[u8], out: &mut Vec<u8>) {
    let digit = |bits: u32| DIGITS[(bits & 63) as usize];
    let chunks = data.chunks_exact(3);
    let rest = chunks.remainder();
    for c in chunks {
        let n = u32::from(c[0]) << 16 | u32::from(c[1]) << 8 | u32::from(c[2]);
        out.extend_from_slice(&[digit(n >> 18), digit(n >> 12), digit(n >> 6), digit(n)]);
    }
    match rest {
        [a] => {
            let n = u32::from(*a) << 4;
            out.extend_from_slice(&[digit(n >> 6), digit(n), b'=', b'=']);
        }
        [a, b] => {
            let n = u32::from(*a) << 10 | u32::from(*b) << 2;
            out.extend_from_slice(&[digit(n >> 12), digit(n >> 6), digit(n), b'=']);
        }
        _ => {}
    }
}

/// Decodes; what is no digit is skipped, or an error if `strict`.
pub(super) fn decode(data: &[u8], strict: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(data.len() / 4 * 3 + 3);
    let (mut place, mut left, mut pads) = (0, 0u8, 0);
    let mut at = 0;
    // Whole groups at once, as long as there are only digits.
    while let Some(&[a, b, c, d]) = data.get(at..at + 4) {
        let v = [a, b, c, d].map(|x| VALUES[usize::from(x)]);
        if v.contains(&NONE) {
            break;
        }
        out.extend_from_slice(&[v[0] << 2 | v[1] >> 4, v[1] << 4 | v[2] >> 2, v[2] << 6 | v[3]]);
        at += 4;
    }
    for (i, &byte) in data.iter().enumerate().skip(at) {
        if byte == b'=' {
            if strict && i == 0 {
                return Err("Leading padding not allowed".to_owned());
            }
            if place >= 2 {
                pads += 1;
                if place + pads >= 4 {
                    if strict && i + 1 < data.len() {
                        return Err("Excess data after padding".to_owned());
                    }
                    return Ok(out);
                }
            }
            continue;
        }
        let v = VALUES[usize::from(byte)];
        if v == NONE {
            if strict {
                return Err("Only base64 data is allowed".to_owned());
            }
            continue;
        }
        if strict && pads > 0 {
            return Err("Discontinuous padding not allowed".to_owned());
        }
        pads = 0;
        match place {
            0 => {}
            1 => out.push(left << 2 | v >> 4),
            2 => out.push(left << 4 | v >> 2),
            _ => out.push(left << 6 | v),
        }
        left = v;
        place = (place + 1) % 4;
    }
    match place {
        0 => Ok(out),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than \
             a multiple of 4",
            out.len() / 3 * 4 + 1
        )),
        _ => Err("Incorrect padding".to_owned()),
    }
}
