//! `int`: the operators on numbers beyond 64 bits, and the fast ones within.
//!
//! Costs: additions, comparisons, shifts and bit operations are linear in the operands. What
//! costs more has a `cost_*` function, in units of about a nanosecond, for the VM to charge as
//! fuel before it begins; `pow` and `pow_mod` also poll.

use super::float;
use super::int_big::cost_mul;
pub use super::int_big::{divmod, floor_div, modulo, mul};
use crate::fault::{Fault, Poll};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// An integer as operations return it: `Big` only if it does not fit `Small`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    /// Of 64 bits.
    Small(i64),
    /// Beyond.
    Big(BigInt),
}

impl From<BigInt> for Int {
    #[inline]
    fn from(n: BigInt) -> Int {
        match n.to_i64() {
            Some(small) => Int::Small(small),
            None => Int::Big(n),
        }
    }
}

impl From<Int> for BigInt {
    fn from(n: Int) -> BigInt {
        match n {
            Int::Small(small) => BigInt::from(small),
            Int::Big(big) => big,
        }
    }
}

/// Bytes a number holds on the heap.
pub fn heap_bytes(n: &BigInt) -> usize {
    (n.bits() as usize).div_ceil(64) * 8
}

fn words(n: &BigInt) -> u64 {
    n.bits() / 64 + 1
}

/// Bits of `base ** exponent`, the size of the result to check against the memory limit.
pub fn pow_bits(base: &BigInt, exponent: u64) -> u64 {
    if base.magnitude().is_one() { 1 } else { base.bits().saturating_mul(exponent) }
}

/// Cost of `gcd(a, b)` and of a modular inverse, and roughly of `isqrt(a)`.
pub fn cost_gcd(a: &BigInt, b: &BigInt) -> u64 {
    words(a).max(words(b)).saturating_mul(words(a).max(words(b))).saturating_mul(64)
}

/// `a // b` in 64 bits; `None` if `b` is 0 or the result does not fit.
#[inline]
pub fn floor_div_i64(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

/// `a % b` in 64 bits; `None` if `b` is 0.
#[inline]
pub fn mod_i64(a: i64, b: i64) -> Option<i64> {
    match b {
        0 => None,
        -1 => Some(0),
        _ => {
            let rem = a % b;
            Some(if rem != 0 && (rem < 0) != (b < 0) { rem + b } else { rem })
        }
    }
}

/// `base ** exponent` in 64 bits; `None` if it does not fit.
#[inline]
pub fn pow_i64(base: i64, exponent: u64) -> Option<i64> {
    match u32::try_from(exponent) {
        Ok(exponent) => base.checked_pow(exponent),
        Err(_) => match base {
            0 | 1 => Some(base),
            -1 => Some(if exponent & 1 == 0 { 1 } else { -1 }),
            _ => None,
        },
    }
}

/// `base ** exponent` for an exponent that is not negative (a negative one is the business of
/// floats). A result of more than `max_bits` is a `MemoryError` at once.
pub fn pow(base: &BigInt, exponent: &BigInt, max_bits: u64, poll: Poll) -> Result<Int, Fault> {
    if base.is_zero() || base.magnitude().is_one() {
        let odd = exponent.magnitude().is_odd();
        return Ok(Int::Small(match base.sign() {
            _ if exponent.is_zero() => 1,
            Sign::NoSign => 0,
            Sign::Minus if odd => -1,
            _ => 1,
        }));
    }
    let exponent = exponent.to_u64().ok_or_else(Fault::memory)?;
    if pow_bits(base, exponent) > max_bits {
        return Err(Fault::memory());
    }
    // Powers of two in the base become one shift at the end.
    let twos = base.trailing_zeros().unwrap_or(0);
    let odd = base >> twos;
    let mut power = BigInt::one();
    if !odd.is_one() {
        for bit in (0..u64::BITS - exponent.leading_zeros()).rev() {
            poll()?;
            power = BigInt::from(mul(&power, &power, poll)?);
            if exponent >> bit & 1 == 1 {
                power *= &odd;
            }
        }
    }
    Ok((power << twos.saturating_mul(exponent)).into())
}

/// `pow(base, exponent, modulus)`, for negative exponents too.
pub fn pow_mod(
    base: &BigInt,
    exponent: &BigInt,
    modulus: &BigInt,
    poll: Poll,
) -> Result<Int, Fault> {
    if modulus.is_zero() {
        return Err(Fault::value("pow() 3rd argument cannot be 0"));
    }
    let positive = modulus.abs();
    let mut base = base.mod_floor(&positive);
    if exponent.is_negative() {
        base = inverse(&base, &positive)?;
    }
    let exponent = exponent.magnitude();
    let cost =
        exponent.bits().saturating_mul(cost_mul(positive.magnitude(), positive.magnitude()).max(1));
    let mut power = if cost < 20_000_000 {
        BigInt::from(base.magnitude().modpow(exponent, positive.magnitude()))
    } else {
        let mut power = BigInt::one().mod_floor(&positive);
        for bit in (0..exponent.bits()).rev() {
            poll()?;
            let square = BigInt::from(mul(&power, &power, poll)?);
            power = modulo(&square, &positive, poll)?.into();
            if exponent.bit(bit) {
                let product = BigInt::from(mul(&power, &base, poll)?);
                power = modulo(&product, &positive, poll)?.into();
            }
        }
        power
    };
    if modulus.is_negative() && !power.is_zero() {
        power += modulus;
    }
    Ok(power.into())
}

/// The inverse of a number in `0..modulus`.
fn inverse(n: &BigInt, modulus: &BigInt) -> Result<BigInt, Fault> {
    let steps = n.extended_gcd(modulus);
    if !steps.gcd.is_one() {
        return Err(Fault::value("base is not invertible for the given modulus"));
    }
    Ok(steps.x.mod_floor(modulus))
}

/// `n << count`. A result of more than `max_bits` is a `MemoryError` at once.
pub fn shl(n: &BigInt, count: &BigInt, max_bits: u64) -> Result<Int, Fault> {
    if count.is_negative() {
        return Err(Fault::value("negative shift count"));
    }
    if n.is_zero() {
        return Ok(Int::Small(0));
    }
    let Some(count) = count.to_u64().filter(|c| *c <= i64::MAX as u64) else {
        return Err(Fault::overflow("too many digits in integer"));
    };
    if n.bits().saturating_add(count) > max_bits {
        return Err(Fault::memory());
    }
    Ok((n << count).into())
}

/// `n >> count`.
pub fn shr(n: &BigInt, count: &BigInt) -> Result<Int, Fault> {
    if count.is_negative() {
        return Err(Fault::value("negative shift count"));
    }
    match count.to_u64() {
        Some(count) if count < n.bits() => Ok((n >> count).into()),
        _ => Ok(Int::Small(if n.is_negative() { -1 } else { 0 })),
    }
}

/// `n.bit_count()`.
pub fn bit_count(n: &BigInt) -> u64 {
    n.magnitude().iter_u64_digits().map(|d| d.count_ones() as u64).sum()
}

/// The order of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endian {
    /// `'little'`
    Little,
    /// `'big'`
    Big,
}

/// `n.to_bytes(length, order, signed=signed)`.
pub fn to_bytes(n: &BigInt, length: usize, order: Endian, signed: bool) -> Result<Vec<u8>, Fault> {
    if n.is_negative() && !signed {
        return Err(Fault::overflow("can't convert negative int to unsigned"));
    }
    let too_big = || Fault::overflow("int too big to convert");
    if n.bits() > (length as u64).saturating_mul(8) {
        return Err(too_big());
    }
    let mut bytes = if signed { n.to_signed_bytes_le() } else { n.magnitude().to_bytes_le() };
    if n.is_zero() {
        bytes.clear();
    }
    if bytes.len() > length {
        return Err(too_big());
    }
    bytes.try_reserve_exact(length - bytes.len())?;
    bytes.resize(length, if n.is_negative() { 0xFF } else { 0 });
    if order == Endian::Big {
        bytes.reverse();
    }
    Ok(bytes)
}

/// `int.from_bytes(bytes, order, signed=signed)`.
pub fn from_bytes(bytes: &[u8], order: Endian, signed: bool) -> Int {
    let n = match (order, signed) {
        (Endian::Little, true) => BigInt::from_signed_bytes_le(bytes),
        (Endian::Big, true) => BigInt::from_signed_bytes_be(bytes),
        (Endian::Little, false) => BigInt::from_bytes_le(Sign::Plus, bytes),
        (Endian::Big, false) => BigInt::from_bytes_be(Sign::Plus, bytes),
    };
    n.into()
}

/// The top 64 bits of a magnitude, the lowest also standing for whatever is below, and the
/// power of two they are to be multiplied with.
fn top_bits(n: &BigUint) -> (u64, u64) {
    let drop = n.bits().saturating_sub(64);
    let top = (n >> drop).to_u64().unwrap_or(u64::MAX);
    let rest = n.trailing_zeros().is_some_and(|zeros| zeros < drop);
    (top | rest as u64, drop)
}

/// The nearest float, infinite if too large.
pub(super) fn to_f64_saturating(n: &BigInt) -> f64 {
    let (mantissa, exponent) = top_bits(n.magnitude());
    let x = float::compose(mantissa, exponent.min(1 << 40) as i64);
    if n.is_negative() { -x } else { x }
}

/// `float(n)`.
pub fn to_f64(n: &BigInt) -> Result<f64, Fault> {
    let x = to_f64_saturating(n);
    if x.is_infinite() {
        return Err(Fault::overflow("int too large to convert to float"));
    }
    Ok(x)
}

/// `a / b`, correctly rounded.
pub fn true_div(a: &BigInt, b: &BigInt) -> Result<f64, Fault> {
    if b.is_zero() {
        return Err(Fault::zero_division("division by zero"));
    }
    let large = || Fault::overflow("integer division result too large for a float");
    let negative = a.is_negative() != b.is_negative();
    let (a, b) = (a.magnitude(), b.magnitude());
    // Scale so that the quotient has 64 or 65 bits.
    let shift = 64 + b.bits() as i128 - a.bits() as i128;
    if shift < -1100 {
        return Err(large());
    }
    if a.is_zero() || shift > 1200 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    let (quotient, rest) =
        if shift >= 0 { (a << shift as u64).div_rem(b) } else { a.div_rem(&(b << -shift as u64)) };
    let (top, exponent) = top_bits(&quotient);
    let x = float::compose(top | !rest.is_zero() as u64, exponent as i64 - shift as i64);
    if x.is_infinite() {
        return Err(large());
    }
    Ok(if negative { -x } else { x })
}

/// `round(n, places)` for negative `places`: to a multiple of a power of ten, ties to even.
pub fn round(n: &BigInt, places: i64) -> Int {
    let Some(tens) = places.checked_neg().filter(|t| *t > 0) else {
        return n.clone().into();
    };
    // A power of ten far beyond the number rounds it to zero.
    if tens as u64 > n.bits() / 3 + 2 {
        return Int::Small(0);
    }
    let unit = BigInt::from(10).pow(tens as u32);
    let (quotient, rest) = n.div_mod_floor(&unit);
    let twice = rest << 1u32;
    let up = twice > unit || twice == unit && quotient.is_odd();
    ((quotient + up as u32) * unit).into()
}

/// `math.isqrt(n)`.
pub fn isqrt(n: &BigInt) -> Result<Int, Fault> {
    if n.is_negative() {
        return Err(Fault::value("isqrt() argument must be nonnegative"));
    }
    Ok(BigInt::from(n.magnitude().sqrt()).into())
}

/// `math.gcd(a, b)`.
pub fn gcd(a: &BigInt, b: &BigInt) -> Int {
    a.gcd(b).into()
}

/// Appends a number of 64 bits in decimal.
pub fn put_i64(out: &mut String, n: i64) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push('-');
    }
    out.extend(buffer[at..].iter().map(|b| *b as char));
}
