//! `float`: printing, parsing, rounding, and the operators that are not the machine's own.

use super::decimal;
use super::int::{self, Int};
use super::literal::{self, Shown};
use crate::fault::Fault;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Zero};
use std::cmp::Ordering;

/// `repr(x)`.
pub fn repr(x: f64) -> String {
    let mut out = String::new();
    repr_into(&mut out, x);
    out
}

/// Appends `repr(x)`.
pub fn repr_into(out: &mut String, x: f64) {
    if put_special(out, x) {
        return;
    }
    // Whole numbers of ordinary size are common, and their digits are those of the integer.
    if x == x.trunc() && x.abs() < 1e15 {
        if x.is_sign_negative() {
            out.push('-');
        }
        int::put_i64(out, x.abs() as i64);
        out.push_str(".0");
        return;
    }
    let digits = decimal::shortest(x);
    if digits.negative {
        out.push('-');
    }
    if (-3..=16).contains(&digits.point) {
        let places = if digits.digits.len() as i32 <= digits.point { Some(1) } else { None };
        digits.put_fixed(out, places, false);
    } else {
        digits.put_scientific(out, None, false, false);
    }
}

/// Appends `inf`, `-inf` or `nan`, if that is what `x` is.
pub(super) fn put_special(out: &mut String, x: f64) -> bool {
    if x.is_nan() {
        out.push_str("nan");
    } else if x.is_infinite() {
        out.push_str(if x > 0.0 { "inf" } else { "-inf" });
    }
    !x.is_finite()
}

/// `float(text)` for a `str` or the bytes of a `bytes`.
pub fn parse(text: &[u8], shown: Shown) -> Result<f64, Fault> {
    let plain = literal::plain(text).filter(|_| shown == Shown::Str || text.is_ascii());
    plain.as_deref().and_then(parse_plain).ok_or_else(|| {
        Fault::value(format!("could not convert string to float: {}", shown.repr(text)))
    })
}

/// Reads a float in ASCII, underscores and surrounding space already dealt with.
pub(super) fn parse_plain(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let special = ["inf", "infinity", "nan"].iter().any(|s| unsigned.eq_ignore_ascii_case(s));
    // Rust reads the same numbers, and a few more words.
    if !special && !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    text.parse().ok()
}

/// A finite number as `mantissa * 2^exponent`, sign apart.
pub fn decompose(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 & 0x7FF;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `mantissa * 2^exponent` as the nearest float, ties to even; infinite if too large. The lowest
/// bit of the mantissa may stand for anything nonzero below it, if it has at least 55 bits.
pub fn compose(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let shift = mantissa.leading_zeros();
    let mantissa = mantissa << shift;
    let exponent = exponent - shift as i64;
    // The value is 1.xxx * 2^top.
    let top = exponent + 63;
    if top > 1023 {
        return f64::INFINITY;
    }
    // Bits that do not fit: 11 of 64, more below the normal range.
    let drop = 11 + (-1022 - top).max(0);
    if drop > 64 {
        return 0.0;
    }
    let kept = if drop == 64 { 0 } else { mantissa >> drop };
    let rest = if drop == 64 { mantissa } else { mantissa << (64 - drop) };
    let half = 1 << 63;
    let up = rest > half || rest == half && kept & 1 == 1;
    // A carry out of the fraction steps the exponent, as it should.
    let biased = if top < -1022 { 0 } else { (top + 1022) as u64 };
    f64::from_bits((biased << 52) + kept + up as u64)
}

/// `x.hex()`.
pub fn hex(x: f64) -> String {
    let mut out = String::new();
    if put_special(&mut out, x) {
        return out;
    }
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (mantissa, exponent) = decompose(x);
    let (lead, fraction) = (mantissa >> 52, mantissa & ((1 << 52) - 1));
    format!("{sign}0x{lead}.{fraction:013x}p{:+}", exponent + 52)
}

/// `float.fromhex(text)`.
pub fn from_hex(text: &[u8]) -> Result<f64, Fault> {
    let bad = || Fault::value("invalid hexadecimal floating-point string");
    let large = || Fault::overflow("hexadecimal value too large to represent as a float");
    let text = std::str::from_utf8(text).map_err(|_| bad())?;
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = |x: f64| if text.starts_with('-') { -x } else { x };
    if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
        return Ok(signed(f64::INFINITY));
    }
    if unsigned.eq_ignore_ascii_case("nan") {
        return Ok(signed(f64::NAN));
    }
    let body = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")).unwrap_or(unsigned);
    let (number, exponent) = match body.find(['p', 'P']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let exponent = match exponent {
        None => 0,
        Some(e) => {
            let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 8);
            if e.starts_with('-') { -size } else { size }
        }
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(bad());
    }
    let (mut mantissa, mut shift) = (0u64, 0i64);
    for b in whole.bytes().chain(fraction.bytes()) {
        let digit = (b as char).to_digit(16).ok_or_else(bad)? as u64;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= (digit != 0) as u64;
            shift += 4;
        }
    }
    let x = compose(mantissa, exponent + shift - 4 * fraction.len() as i64);
    if x.is_infinite() { Err(large()) } else { Ok(signed(x)) }
}

/// `x.as_integer_ratio()`.
pub fn as_integer_ratio(x: f64) -> Result<(BigInt, BigInt), Fault> {
    if x.is_infinite() {
        return Err(Fault::overflow("cannot convert Infinity to integer ratio"));
    }
    if x.is_nan() {
        return Err(Fault::value("cannot convert NaN to integer ratio"));
    }
    let (mut mantissa, mut exponent) = decompose(x);
    if mantissa == 0 {
        return Ok((BigInt::zero(), BigInt::one()));
    }
    let spare = mantissa.trailing_zeros().min((-exponent).max(0) as u32);
    mantissa >>= spare;
    exponent += spare as i32;
    let numerator = BigInt::from(mantissa) << exponent.max(0) as u32;
    let numerator = if x < 0.0 { -numerator } else { numerator };
    Ok((numerator, BigInt::one() << (-exponent).max(0) as u32))
}

/// `int(x)`, truncating.
pub fn to_int(x: f64) -> Result<Int, Fault> {
    if x.is_nan() {
        return Err(Fault::value("cannot convert float NaN to integer"));
    }
    if x.is_infinite() {
        return Err(Fault::overflow("cannot convert float infinity to integer"));
    }
    if x.abs() < 9e18 {
        return Ok(Int::Small(x as i64));
    }
    let (mantissa, exponent) = decompose(x);
    let magnitude = BigUint::from(mantissa) << exponent.max(0) as u32;
    let sign = if x < 0.0 { Sign::Minus } else { Sign::Plus };
    Ok(Int::from(BigInt::from_biguint(sign, magnitude)))
}

/// `round(x)`: to the nearest integer, ties to even.
pub fn round_to_int(x: f64) -> Result<Int, Fault> {
    to_int(x.round_ties_even())
}

/// `round(x, places)`.
pub fn round(x: f64, places: i64) -> Result<f64, Fault> {
    if !x.is_finite() || x == 0.0 || places > 323 {
        return Ok(x);
    }
    if places < -308 {
        return Ok(0.0 * x);
    }
    let rounded = if places >= 0 {
        let digits = format!("{:.*}", places as usize, x);
        digits.parse().unwrap_or(x)
    } else {
        round_tens(x, -places as u32)
    };
    if rounded.is_infinite() {
        return Err(Fault::overflow("rounded value too large to represent"));
    }
    Ok(rounded)
}

/// Rounds to a multiple of a power of ten, ties to even.
fn round_tens(x: f64, tens: u32) -> f64 {
    let (mantissa, exponent) = decompose(x);
    let unit = BigUint::from(10u32).pow(tens);
    // Both sides of the division are scaled by the power of two below the point.
    let scaled = BigUint::from(mantissa) << exponent.max(0) as u32;
    let divisor = &unit << (-exponent).max(0) as u32;
    let (mut quotient, rest) = scaled.div_rem(&divisor);
    match (rest << 1u32).cmp(&divisor) {
        Ordering::Greater => quotient += 1u32,
        Ordering::Equal if quotient.is_odd() => quotient += 1u32,
        _ => {}
    }
    let value = int::to_f64_saturating(&BigInt::from(quotient * unit));
    if x < 0.0 { -value } else { value }
}

/// `a / b`.
pub fn true_div(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float division by zero"));
    }
    Ok(a / b)
}

/// Quotient and remainder with the remainder's sign that of `b`, which is not zero.
fn div_rem(a: f64, b: f64) -> (f64, f64) {
    let mut rem = a % b;
    let mut quotient = (a - rem) / b;
    if rem != 0.0 {
        if (b < 0.0) != (rem < 0.0) {
            rem += b;
            quotient -= 1.0;
        }
    } else {
        rem = 0f64.copysign(b);
    }
    let floor = if quotient != 0.0 {
        let floor = quotient.floor();
        if quotient - floor > 0.5 { floor + 1.0 } else { floor }
    } else {
        0f64.copysign(a / b)
    };
    (floor, rem)
}

/// `a // b`.
pub fn floor_div(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float floor division by zero"));
    }
    Ok(div_rem(a, b).0)
}

/// `a % b`.
pub fn modulo(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float modulo"));
    }
    Ok(div_rem(a, b).1)
}

/// `divmod(a, b)`.
pub fn divmod(a: f64, b: f64) -> Result<(f64, f64), Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float divmod()"));
    }
    Ok(div_rem(a, b))
}

/// What a power of floats is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Power {
    /// A real number.
    Real(f64),
    /// A fractional power of a negative number: do it again with complex numbers.
    Complex,
}

/// `a ** b`.
pub fn pow(a: f64, b: f64) -> Result<Power, Fault> {
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(Fault::zero_division("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b != b.floor() {
        return Ok(Power::Complex);
    }
    let power = a.powf(b);
    if power.is_infinite() && a.is_finite() && b.is_finite() {
        // The message is that of the C library: `OverflowError(34, ...)`.
        return Err(Fault::overflow("(34, 'Numerical result out of range')"));
    }
    Ok(Power::Real(power))
}

/// How a float compares with an int, exactly; `None` for NaN.
#[inline]
pub fn cmp_i64(x: f64, n: i64) -> Option<Ordering> {
    if x.is_nan() {
        return None;
    }
    // Within 2^63 the integer part is exact; a fraction decides between equal ones.
    if x >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    if x < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    let whole = x.trunc();
    Some((whole as i64).cmp(&n).then_with(|| x.partial_cmp(&whole).unwrap_or(Ordering::Equal)))
}

/// How a float compares with an int of any size, exactly; `None` for NaN.
pub fn cmp_big(x: f64, n: &BigInt) -> Option<Ordering> {
    if x.is_nan() {
        return None;
    }
    if x.is_infinite() || n.bits() > 1100 {
        let positive = if x.is_infinite() { x > 0.0 } else { n.sign() == Sign::Minus };
        return Some(if positive { Ordering::Greater } else { Ordering::Less });
    }
    let whole = x.trunc();
    let int = match to_int(whole).ok()? {
        Int::Small(small) => BigInt::from(small),
        Int::Big(big) => big,
    };
    Some(int.cmp(n).then_with(|| x.partial_cmp(&whole).unwrap_or(Ordering::Equal)))
}
