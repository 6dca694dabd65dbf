//! Integers from and to text: `int(text, base)`, decimal printing, and the limit on digits.

use super::int::{Int, put_i64};
use super::literal::{self, Shown};
use crate::fault::{Fault, Poll};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;

/// The default of `sys.set_int_max_str_digits`; 0 stands for no limit.
pub const DEFAULT_MAX_DIGITS: usize = 4300;

/// Digits that are converted in one piece; longer numbers are halved.
const PIECE: usize = 2000;

/// Cost (about nanoseconds) of reading or writing a decimal number of so many digits.
pub fn cost_digits(digits: usize) -> u64 {
    let digits = digits as u64;
    digits.saturating_mul(digits / 400 + 10)
}

/// About how many decimal digits a number has; never too few.
pub fn digits_estimate(n: &BigInt) -> usize {
    (n.bits() as f64 * std::f64::consts::LOG10_2) as usize + 1
}

/// `int(text, base)`; base 0 takes the prefix of a literal. `max_digits` is the limit for bases
/// that are not a power of two.
pub fn parse(
    text: &[u8],
    base: u32,
    shown: Shown,
    max_digits: usize,
    poll: Poll,
) -> Result<Int, Fault> {
    if base == 1 || base > 36 {
        return Err(Fault::value("int() base must be >= 2 and <= 36, or 0"));
    }
    if let Some(n) = short(text, base) {
        return Ok(Int::Small(n));
    }
    let invalid = || {
        let text = shown.repr(text);
        Fault::value(format!("invalid literal for int() with base {base}: {}", clip(&text)))
    };
    let ascii = literal::ascii(text).ok_or_else(invalid)?;
    let negative = ascii.starts_with('-');
    let body = ascii.strip_prefix(['+', '-']).unwrap_or(&ascii);
    let (digits, radix) = strip_prefix(body, base).ok_or_else(invalid)?;
    let digits = clean(digits, radix).ok_or_else(invalid)?;
    if base == 0 && radix == 10 && digits.starts_with('0') && !digits.bytes().all(|b| b == b'0') {
        return Err(invalid());
    }
    if !radix.is_power_of_two() && max_digits > 0 && digits.len() > max_digits {
        return Err(Fault::value(format!(
            "Exceeds the limit ({max_digits} digits) for integer string conversion: value has {} \
             digits; use sys.set_int_max_str_digits() to increase the limit",
            digits.len()
        )));
    }
    if let Ok(n) = i64::from_str_radix(&digits, radix) {
        return Ok(Int::Small(if negative { -n } else { n }));
    }
    let magnitude = read(digits.as_bytes(), radix, poll)?.ok_or_else(invalid)?;
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Ok(BigInt::from_biguint(sign, magnitude).into())
}

/// The common case: a few digits without a prefix, perhaps with a sign.
fn short(text: &[u8], base: u32) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    // Twelve digits fit whatever the base.
    if base == 0 || digits.is_empty() || digits.len() > 12 {
        return None;
    }
    let step =
        |n: i64, b: &u8| Some(n * i64::from(base) + i64::from(char::from(*b).to_digit(base)?));
    Some(sign * digits.iter().try_fold(0, step)?)
}

/// Error messages show at most 200 characters of a literal.
fn clip(shown: &str) -> String {
    shown.chars().take(200).collect()
}

/// Takes off the prefix the base allows; an underscore may follow it.
fn strip_prefix(body: &str, base: u32) -> Option<(&str, u32)> {
    let bytes = body.as_bytes();
    let marked = match bytes {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let radix = match base {
        0 if marked > 0 => marked,
        0 => 10,
        _ => base,
    };
    if marked != radix {
        return Some((body, radix));
    }
    let rest = &body[2..];
    Some((rest.strip_prefix('_').unwrap_or(rest), radix))
}

/// The digits without the underscores, which must each stand between two digits.
fn clean(digits: &str, radix: u32) -> Option<String> {
    let mut out = String::with_capacity(digits.len());
    let mut after_digit = false;
    for c in digits.chars() {
        if c == '_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
        } else {
            c.to_digit(radix)?;
            out.push(c);
            after_digit = true;
        }
    }
    after_digit.then_some(out)
}

/// Reads digits, halving long runs so that the work is multiplication.
fn read(digits: &[u8], radix: u32, poll: Poll) -> Result<Option<BigUint>, Fault> {
    if radix.is_power_of_two() || digits.len() <= PIECE {
        return Ok(BigUint::parse_bytes(digits, radix));
    }
    // Pieces of equal length from the right, joined pairwise with ever larger powers.
    let mut pieces = Vec::new();
    for piece in digits.rchunks(PIECE) {
        match BigUint::parse_bytes(piece, radix) {
            Some(n) => pieces.push(n),
            None => return Ok(None),
        }
    }
    let mut power = BigUint::from(radix).pow(PIECE as u32);
    while pieces.len() > 1 {
        let mut joined = Vec::with_capacity(pieces.len().div_ceil(2));
        let mut rest = pieces.into_iter();
        while let Some(low) = rest.next() {
            poll()?;
            joined.push(match rest.next() {
                Some(high) => high * &power + low,
                None => low,
            });
        }
        pieces = joined;
        if pieces.len() > 1 {
            power = &power * &power;
        }
    }
    Ok(pieces.pop())
}

/// `str(n)`.
pub fn print(n: &BigInt, max_digits: usize, poll: Poll) -> Result<String, Fault> {
    let limit = || {
        Fault::value(format!(
            "Exceeds the limit ({max_digits} digits) for integer string conversion; \
             use sys.set_int_max_str_digits() to increase the limit"
        ))
    };
    // The estimate is at most one too high.
    if max_digits > 0 && digits_estimate(n) > max_digits + 1 {
        return Err(limit());
    }
    let mut out = String::new();
    out.try_reserve(digits_estimate(n) + 2)?;
    if n.sign() == Sign::Minus {
        out.push('-');
    }
    let sign = out.len();
    write_digits(&mut out, n.magnitude(), poll)?;
    if max_digits > 0 && out.len() - sign > max_digits {
        return Err(limit());
    }
    Ok(out)
}

/// `str(n)` of 64 bits.
pub fn print_i64(n: i64) -> String {
    let mut out = String::new();
    put_i64(&mut out, n);
    out
}

fn write_digits(out: &mut String, n: &BigUint, poll: Poll) -> Result<(), Fault> {
    // Powers 10^(PIECE * 2^k), up to about the square root of the number.
    let mut powers = vec![BigUint::from(10u32).pow(PIECE as u32)];
    while let Some(last) = powers.last()
        && last.bits() * 2 <= n.bits()
    {
        poll()?;
        let next = last * last;
        powers.push(next);
    }
    write_part(out, n, &powers, None, poll)
}

/// Writes a number below the square of the last power, padded with zeros to a width if given.
fn write_part(
    out: &mut String,
    n: &BigUint,
    powers: &[BigUint],
    width: Option<usize>,
    poll: Poll,
) -> Result<(), Fault> {
    poll()?;
    let Some((power, smaller)) = powers.split_last() else {
        let digits = n.to_str_radix(10);
        let pad = width.unwrap_or(0).saturating_sub(digits.len());
        out.extend(std::iter::repeat_n('0', pad));
        out.push_str(&digits);
        return Ok(());
    };
    if width.is_none() && n < power {
        return write_part(out, n, smaller, None, poll);
    }
    let (high, low) = n.div_rem(power);
    let half = PIECE << smaller.len();
    write_part(out, &high, smaller, width.map(|w| w - half), poll)?;
    write_part(out, &low, smaller, Some(half), poll)
}

/// Digits of a magnitude in base 2, 8 or 16 (no limit applies), without prefix.
pub fn print_radix(n: &BigInt, radix: u32) -> String {
    n.magnitude().to_str_radix(radix)
}
