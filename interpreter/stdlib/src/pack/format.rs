//! Formats of `struct`: what the letters mean and where the items lie.

/// An item, or a run of equal ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Field {
    /// The letter.
    pub(super) code: u8,
    /// Where it begins.
    pub(super) offset: usize,
    /// Bytes of an item; for `s` and `p` of the whole.
    pub(super) size: usize,
    /// How many items follow each other.
    pub(super) count: usize,
}

/// A format that was read.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) fields: Vec<Field>,
    pub(super) size: usize,
    /// How many values are packed.
    pub(super) items: usize,
    pub(super) big_endian: bool,
    /// Sizes and alignment are the machine's.
    pub(super) native: bool,
}

const TOO_LONG: &str = "total struct size too long";

/// Bytes of a letter's item.
fn item_size(code: u8, native: bool) -> Option<usize> {
    Some(match code {
        b'x' | b'b' | b'B' | b'c' | b'?' | b's' | b'p' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' => {
            if native {
                size_of::<std::ffi::c_long>()
            } else {
                4
            }
        }
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => size_of::<usize>(),
        _ => return None,
    })
}

impl Format {
    /// Reads a format.
    pub(super) fn parse(text: &[u8]) -> Result<Format, &'static str> {
        if text.contains(&0) {
            return Err("embedded null character");
        }
        let (native, big_endian, rest) = match text {
            [b'<', rest @ ..] => (false, false, rest),
            [b'>' | b'!', rest @ ..] => (false, true, rest),
            [b'=', rest @ ..] => (false, cfg!(target_endian = "big"), rest),
            [b'@', rest @ ..] => (true, cfg!(target_endian = "big"), rest),
            rest => (true, cfg!(target_endian = "big"), rest),
        };
        let mut f = Format { fields: Vec::new(), size: 0, items: 0, big_endian, native };
        let mut at = rest.iter().copied();
        while let Some(c) = at.next() {
            if c.is_ascii_whitespace() || c == 11 {
                continue;
            }
            let mut code = c;
            let mut count = None;
            while code.is_ascii_digit() {
                let n: usize = count.unwrap_or(0);
                let n = n.checked_mul(10).and_then(|n| n.checked_add(usize::from(code - b'0')));
                count = Some(n.filter(|n| *n <= isize::MAX as usize).ok_or(TOO_LONG)?);
                code = at.next().ok_or("repeat count given without format specifier")?;
            }
            f.add(code, count.unwrap_or(1))?;
        }
        Ok(f)
    }

    fn add(&mut self, code: u8, count: usize) -> Result<(), &'static str> {
        let size = item_size(code, self.native).ok_or("bad char in struct format")?;
        let aligned = if self.native { self.size.next_multiple_of(size) } else { self.size };
        let bytes = size.checked_mul(count).ok_or(TOO_LONG)?;
        let end = aligned.checked_add(bytes).filter(|n| *n <= isize::MAX as usize);
        self.size = end.ok_or(TOO_LONG)?;
        match code {
            b'x' => {}
            b's' | b'p' => {
                self.items += 1;
                self.fields.push(Field { code, offset: aligned, size: count, count: 1 });
            }
            _ if count > 0 => {
                self.items = self.items.checked_add(count).ok_or(TOO_LONG)?;
                self.fields.push(Field { code, offset: aligned, size, count });
            }
            _ => {}
        }
        Ok(())
    }
}

/// A double as the nearest half-precision float; `None` if it is too large.
pub(crate) fn to_half(x: f64) -> Option<u16> {
    let bits = x.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    if x.is_nan() {
        return Some(sign | 0x7E00);
    }
    if x.is_infinite() {
        return Some(sign | 0x7C00);
    }
    // In units of the last place, rounded to even; what carries over goes into the exponent.
    let exponent = ((bits >> 52 & 0x7FF) as i32 - 1023).max(-14);
    let units = (x.abs() * 2f64.powi(10 - exponent)).round_ties_even() as u32;
    let code = ((exponent + 14) as u32) * 0x400 + units;
    (code < 0x7C00).then_some(sign | code as u16)
}

/// The double of a half-precision float.
pub(crate) fn from_half(h: u16) -> f64 {
    let fraction = f64::from(h & 0x3FF);
    let x = match h >> 10 & 31 {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        e => (1024.0 + fraction) * 2f64.powi(i32::from(e) - 25),
    };
    if h & 0x8000 != 0 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even() {
        let cases = [
            (1.0, 0x3C00),
            (-2.0, 0xC000),
            (65519.9, 0x7BFF),
            (5.96e-8, 1),
            (0.0, 0),
            (2.0f64.powi(-25), 0),
            (1.0009765625, 0x3C01),
            (2047.5, 0x6800),
            (6.1e-5, 0x3FF),
        ];
        for (x, half) in cases {
            assert_eq!(to_half(x), Some(half), "{x}");
        }
        assert_eq!(to_half(65520.0), None);
        for h in 0..0x7C00u16 {
            assert_eq!(to_half(from_half(h)), Some(h));
        }
    }

    #[test]
    fn native_formats_are_aligned() {
        let f = Format::parse(b"bhilqnP?fdesp3s4x").map(|f| f.size);
        assert_eq!(f, Ok(67));
        let f = Format::parse(b"qb0q").map(|f| f.size);
        assert_eq!(f, Ok(16));
    }
}
