//! Functions of ints of any size. Long ones charge their work, so that a limit ends them.

use miniscript_sdk as ms;
use ms::{Cx, Error, Result, Value};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// An argument that must be an int (or have `__index__`).
fn index(cx: &Cx, value: Value) -> Result<BigInt> {
    cx.to_index(value)?.to(cx)
}

fn gcd_small(a: i64, b: i64) -> std::result::Result<i64, ()> {
    i64::try_from(a.unsigned_abs().gcd(&b.unsigned_abs())).map_err(|_| ())
}

fn lcm_small(a: i64, b: i64) -> std::result::Result<i64, ()> {
    if a == 0 || b == 0 {
        return Ok(0);
    }
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    let result = (a / a.gcd(&b)).checked_mul(b).ok_or(())?;
    i64::try_from(result).map_err(|_| ())
}

/// Folds all arguments, as long as they fit in machine words, then with big ints.
fn fold(
    cx: &Cx,
    integers: &[Value],
    start: i64,
    small: fn(i64, i64) -> std::result::Result<i64, ()>,
    big: fn(&BigInt, &BigInt) -> BigInt,
) -> Result<Value> {
    let mut done = 0;
    let mut result = start;
    for value in integers {
        let value = cx.to_index(*value)?;
        match value.raw().as_int().map(|number| small(result, number)) {
            Some(Ok(next)) => result = next,
            _ => break,
        }
        done += 1;
    }
    if done == integers.len() {
        return cx.make(result);
    }
    let mut result = BigInt::from(result);
    for value in &integers[done..] {
        let number = index(cx, *value)?;
        cx.charge(result.bits() / 64 * (number.bits() / 64 + 1) + 1)?;
        result = big(&result, &number).abs();
    }
    cx.make(result)
}

/// Greatest Common Divisor.
#[ms::function(pure, kind = "II_I", entry = gcd_small)]
pub fn gcd(cx: &Cx, #[ms(args)] integers: Vec<Value>) -> Result<Value> {
    fold(cx, &integers, 0, gcd_small, |a, b| a.gcd(b))
}

/// Least Common Multiple.
#[ms::function(pure, kind = "II_I", entry = lcm_small)]
pub fn lcm(cx: &Cx, #[ms(args)] integers: Vec<Value>) -> Result<Value> {
    fold(cx, &integers, 1, lcm_small, |a, b| a.lcm(b))
}

/// Return the integer part of the square root of the input.
#[ms::function(positional, pure)]
pub fn isqrt(cx: &Cx, n: Value) -> Result<BigInt> {
    let n = index(cx, n)?;
    if n.is_negative() {
        return Err(Error::value("isqrt() argument must be nonnegative"));
    }
    let limbs = n.bits() / 64 + 1;
    cx.charge(limbs.saturating_mul(limbs))?;
    Ok(n.sqrt())
}

/// The product of `first..=last`, in halves, so that the factors are of equal length.
fn product(cx: &Cx, first: u64, last: u64) -> Result<BigUint> {
    if last - first < 16 {
        let mut result = BigUint::from(first);
        for factor in first + 1..=last {
            result *= factor;
        }
        return Ok(result);
    }
    let middle = first + (last - first) / 2;
    let (low, high) = (product(cx, first, middle)?, product(cx, middle + 1, last)?);
    cx.charge((low.bits() / 64 + 1).saturating_mul(high.bits() / 64 + 1) / 8 + 1)?;
    Ok(low * high)
}

/// Find n!.
///
/// Raise a ValueError if x is negative or non-integral.
#[ms::function(positional, pure)]
pub fn factorial(cx: &Cx, n: Value) -> Result<BigInt> {
    factorial_of(cx, &index(cx, n)?)
}

fn factorial_of(cx: &Cx, n: &BigInt) -> Result<BigInt> {
    if n.is_negative() {
        return Err(Error::value("factorial() not defined for negative values"));
    }
    let Ok(n) = i64::try_from(n) else {
        let text = format!("factorial() argument should not exceed {}", i64::MAX);
        return Err(Error::new("OverflowError", text));
    };
    if n < 2 {
        return Ok(BigInt::one());
    }
    room(cx, n as u64, 64 - n.leading_zeros() as u64)?;
    product(cx, 1, n as u64).map(BigInt::from)
}

/// Refuses a result that no memory holds, before the work starts.
fn room(cx: &Cx, factors: u64, bits: u64) -> Result<()> {
    let bytes = factors.saturating_mul(bits) / 8;
    if bytes > 1 << 40 {
        return Err(Error::new("MemoryError", ""));
    }
    cx.account(bytes as i64)?;
    cx.account(-(bytes as i64))
}

fn check_sign(number: &BigInt, name: &str) -> Result<()> {
    if number.is_negative() {
        return Err(Error::value(format!("{name} must be a non-negative integer")));
    }
    Ok(())
}

/// `n * (n - 1) * ... ` with `k` factors.
fn falling(cx: &Cx, n: &BigInt, k: u64) -> Result<BigInt> {
    if k == 0 {
        return Ok(BigInt::one());
    }
    room(cx, k, n.bits())?;
    if let Ok(n) = u64::try_from(n) {
        return product(cx, n - k + 1, n).map(BigInt::from);
    }
    falling_big(cx, n, k)
}

fn falling_big(cx: &Cx, n: &BigInt, k: u64) -> Result<BigInt> {
    if k == 1 {
        return Ok(n.clone());
    }
    let half = k / 2;
    let high = falling_big(cx, n, half)?;
    let low = falling_big(cx, &(n - half), k - half)?;
    cx.charge((low.bits() / 64 + 1).saturating_mul(high.bits() / 64 + 1) / 8 + 1)?;
    Ok(low * high)
}

/// Number of ways to choose k items from n items without repetition and with order.
///
/// Evaluates to n! / (n - k)! when k <= n and evaluates
/// to zero when k > n.
///
/// If k is not specified or is None, then k defaults to n
/// and the function returns n!.
///
/// Raises TypeError if either of the arguments are not integers.
/// Raises ValueError if either of the arguments are negative.
#[ms::function(positional, pure)]
pub fn perm(cx: &Cx, n: Value, #[ms(default = None)] k: Option<Value>) -> Result<BigInt> {
    let Some(k) = k else { return factorial_of(cx, &index(cx, n)?) };
    let (n, k) = (index(cx, n)?, index(cx, k)?);
    check_sign(&n, "n")?;
    check_sign(&k, "k")?;
    if n < k {
        return Ok(BigInt::zero());
    }
    let k = i64::try_from(&k)
        .map_err(|_| Error::new("OverflowError", format!("k must not exceed {}", i64::MAX)))?;
    falling(cx, &n, k as u64)
}

/// Number of ways to choose k items from n items without repetition and without order.
///
/// Evaluates to n! / (k! * (n - k)!) when k <= n and evaluates
/// to zero when k > n.
///
/// Also called the binomial coefficient because it is equivalent
/// to the coefficient of k-th term in polynomial expansion of the
/// expression (1 + x)**n.
///
/// Raises TypeError if either of the arguments are not integers.
/// Raises ValueError if either of the arguments are negative.
#[ms::function(positional, pure)]
pub fn comb(cx: &Cx, n: Value, k: Value) -> Result<BigInt> {
    let (n, k) = (index(cx, n)?, index(cx, k)?);
    check_sign(&n, "n")?;
    check_sign(&k, "k")?;
    if n < k {
        return Ok(BigInt::zero());
    }
    let k = (&n - &k).min(k);
    let k = i64::try_from(&k).map_err(|_| {
        Error::new("OverflowError", format!("min(n - k, k) must not exceed {}", i64::MAX))
    })?;
    choose(cx, &n, k as u64)
}

/// `C(n, k) = C(n, j) * C(n - j, k - j) / C(k, j)`: all factors stay short.
fn choose(cx: &Cx, n: &BigInt, k: u64) -> Result<BigInt> {
    if k <= 32 {
        let above = falling(cx, n, k)?;
        let below = if k == 0 { BigUint::one() } else { product(cx, 1, k)? };
        return Ok(above / BigInt::from_biguint(Sign::Plus, below));
    }
    room(cx, k, n.bits())?;
    let j = k / 2;
    let left = choose(cx, n, j)?;
    let right = choose(cx, &(n - j), k - j)?;
    let divisor = choose(cx, &BigInt::from(k), j)?;
    let work = (left.bits() / 64 + 1).saturating_mul(right.bits() / 64 + 1);
    cx.charge(work / 4 + 1)?;
    Ok(left * right / divisor)
}
