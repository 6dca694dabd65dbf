//! Products and quotients of ints so large that they take noticeable time: done in parts, with a
//! poll between them.

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Zero};

use super::int::Int;
use crate::fault::{Fault, Poll};

/// What may be done without a poll, in units of about a nanosecond.
const UNPOLLED: u64 = 50_000_000;

fn words(n: &BigUint) -> u64 {
    n.bits() / 64 + 1
}

/// Cost of a product (Karatsuba and Toom-3 above some size).
pub(super) fn cost_mul(a: &BigUint, b: &BigUint) -> u64 {
    let (short, long) = (words(a).min(words(b)), words(a).max(words(b)));
    let square = if short < 32 {
        short * short
    } else {
        (short as f64).powf(1.5).min(u64::MAX as f64 / 64.0) as u64 * 6
    };
    (long / short + 1).saturating_mul(square)
}

/// Cost of a quotient: schoolbook division.
fn cost_div(a: &BigUint, b: &BigUint) -> u64 {
    let (a, b) = (words(a), words(b));
    a.saturating_sub(b).saturating_add(1).saturating_mul(b) / 4 + a
}

/// `a * b`.
pub fn mul(a: &BigInt, b: &BigInt, poll: Poll) -> Result<Int, Fault> {
    if cost_mul(a.magnitude(), b.magnitude()) < UNPOLLED {
        return Ok((a * b).into());
    }
    let sign = if a.sign() == b.sign() { Sign::Plus } else { Sign::Minus };
    let product = mul_unsigned(a.magnitude(), b.magnitude(), poll)?;
    Ok(BigInt::from_biguint(sign, product).into())
}

/// `a * b`: halves by Karatsuba's rule until the parts are quick.
fn mul_unsigned(a: &BigUint, b: &BigUint, poll: Poll) -> Result<BigUint, Fault> {
    if cost_mul(a, b) < UNPOLLED {
        return Ok(a * b);
    }
    poll()?;
    let (short, long) = if a.bits() < b.bits() { (a, b) } else { (b, a) };
    let half = long.bits().div_ceil(128) * 64;
    let (long_high, long_low) = split(long, half);
    if short.bits() <= half {
        let high = mul_unsigned(&long_high, short, poll)?;
        return Ok((high << half) + mul_unsigned(&long_low, short, poll)?);
    }
    let (short_high, short_low) = split(short, half);
    let high = mul_unsigned(&long_high, &short_high, poll)?;
    let low = mul_unsigned(&long_low, &short_low, poll)?;
    let cross = mul_unsigned(&(long_high + long_low), &(short_high + short_low), poll)?;
    let middle = cross - &high - &low;
    Ok((high << (2 * half)) + (middle << half) + low)
}

/// The number above and below bit `at`.
fn split(n: &BigUint, at: u64) -> (BigUint, BigUint) {
    let high = n >> at;
    let low = n - (&high << at);
    (high, low)
}

/// `a // b`.
pub fn floor_div(a: &BigInt, b: &BigInt, poll: Poll) -> Result<Int, Fault> {
    divmod(a, b, poll).map(|(quotient, _)| quotient)
}

/// `a % b`.
pub fn modulo(a: &BigInt, b: &BigInt, poll: Poll) -> Result<Int, Fault> {
    if b.is_zero() {
        return Err(Fault::zero_division("integer modulo by zero"));
    }
    divmod(a, b, poll).map(|(_, rem)| rem)
}

/// `divmod(a, b)`.
pub fn divmod(a: &BigInt, b: &BigInt, poll: Poll) -> Result<(Int, Int), Fault> {
    if b.is_zero() {
        return Err(Fault::zero_division("integer division or modulo by zero"));
    }
    if cost_div(a.magnitude(), b.magnitude()) < UNPOLLED {
        let (quotient, rem) = a.div_mod_floor(b);
        return Ok((quotient.into(), rem.into()));
    }
    let (quotient, rem) = div_rem_unsigned(a.magnitude(), b.magnitude(), poll)?;
    let (mut quotient, mut rem) = (BigInt::from(quotient), BigInt::from_biguint(b.sign(), rem));
    if a.sign() != b.sign() {
        quotient = -quotient;
        if !rem.is_zero() {
            quotient -= BigInt::one();
            rem = b - rem;
        }
    }
    Ok((quotient.into(), rem.into()))
}

/// Quotient and remainder, the dividend taken in blocks from the top.
fn div_rem_unsigned(a: &BigUint, b: &BigUint, poll: Poll) -> Result<(BigUint, BigUint), Fault> {
    let divisor = words(b);
    let block = (UNPOLLED / divisor).clamp(16, 1 << 20);
    let digits = a.to_u64_digits();
    let mut quotient: Vec<u32> = Vec::new();
    quotient.try_reserve_exact(digits.len() * 2 + 2)?;
    quotient.resize(digits.len() * 2, 0);
    let mut rem = BigUint::zero();
    let mut end = digits.len();
    while end > 0 {
        poll()?;
        let start = end.saturating_sub(block as usize);
        let mut halves = Vec::new();
        halves.try_reserve_exact((end - start) * 2)?;
        for d in &digits[start..end] {
            halves.extend([*d as u32, (*d >> 32) as u32]);
        }
        let part = (rem << ((end - start) as u64 * 64)) + BigUint::new(halves);
        let (q, r) = part.div_rem(b);
        for (to, from) in quotient[start * 2..].iter_mut().zip(q.iter_u32_digits()) {
            *to = from;
        }
        rem = r;
        end = start;
    }
    Ok((BigUint::new(quotient), rem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::no_poll;

    /// A number of so many bits without a pattern.
    fn number(bits: u64, seed: u64) -> BigUint {
        let mut state = seed;
        let digits = (0..bits / 32).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 32) as u32
        });
        BigUint::new(digits.collect())
    }

    #[test]
    fn parts_make_the_whole() {
        let (a, b) = (number(6_000_000, 1), number(3_000_000, 2));
        let mut polls = 0;
        let mut poll = || {
            polls += 1;
            Ok(())
        };
        let product = mul_unsigned(&a, &b, &mut poll).unwrap();
        assert_eq!(product, &a * &b);
        let (q, r) = div_rem_unsigned(&(&product + &a), &number(4_000_000, 3), &mut poll).unwrap();
        assert_eq!(q * number(4_000_000, 3) + r, product + a);
        assert!(polls > 3);
    }

    #[test]
    fn signs_are_those_of_floor_division() {
        let (a, b) = (BigInt::from(number(4_000_000, 5)), BigInt::from(number(2_000_000, 6)));
        for (a, b) in [(a.clone(), b.clone()), (-&a, b.clone()), (a.clone(), -&b), (-&a, -&b)] {
            assert!(cost_div(a.magnitude(), b.magnitude()) >= UNPOLLED);
            let (q, r) = divmod(&a, &b, &mut no_poll).unwrap();
            let (want_q, want_r) = a.div_mod_floor(&b);
            assert_eq!((BigInt::from(q), BigInt::from(r)), (want_q, want_r));
        }
    }

    #[test]
    fn a_poll_stops_it() {
        let a = BigInt::from(number(30_000_000, 7));
        assert!(mul(&a, &a, &mut || Err(crate::fault::Interrupted)).is_err());
        let b = BigInt::from(number(10_000_000, 8));
        assert!(divmod(&a, &b, &mut || Err(crate::fault::Interrupted)).is_err());
    }
}
