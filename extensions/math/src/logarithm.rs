//! Logarithms, also of ints beyond the range of a double.

use crate::{check, libm};
use miniscript_sdk as ms;
use ms::abi::MS_TAG_BIGINT;
use ms::{Cx, Result, Value};
use num_bigint::{BigInt, Sign};
use num_traits::{One, ToPrimitive};

fn positive(x: f64, function: fn(f64) -> f64) -> Result<f64> {
    match () {
        () if x.is_finite() && x > 0.0 => Ok(function(x)),
        () if x.is_nan() => Ok(x),
        () if x == f64::INFINITY => Ok(x),
        () => Err(check::domain()),
    }
}

fn of_value(cx: &Cx, value: Value, function: fn(f64) -> f64) -> Result<f64> {
    if value.raw().tag == MS_TAG_BIGINT {
        return of_big(&value.to(cx)?, function);
    }
    positive(value.to(cx)?, function)
}

fn of_big(n: &BigInt, function: fn(f64) -> f64) -> Result<f64> {
    if n.sign() != Sign::Plus {
        return Err(check::domain());
    }
    let bits = n.bits();
    // Up to here the int rounds to a finite double.
    if bits <= 1023 {
        return Ok(function(n.to_f64().unwrap_or(f64::INFINITY)));
    }
    let (fraction, exponent) = frexp_big(n, bits);
    if exponent <= 1024 && (fraction, exponent) != (0.5, 1025) {
        return Ok(function(libm::ldexp(fraction, exponent as i32)));
    }
    Ok(function(fraction) + function(2.0) * exponent as f64)
}

/// The int as `fraction * 2**exponent`, rounded to nearest, ties to even.
fn frexp_big(n: &BigInt, bits: u64) -> (f64, u64) {
    let shift = bits - 55;
    let mut top = (n >> shift).to_u64().unwrap_or(0);
    let cut: BigInt = n & ((BigInt::one() << shift) - 1);
    if cut.sign() != Sign::NoSign {
        // A sticky bit below the two that decide the rounding.
        top |= 1;
    }
    let fraction = top as f64 / 2f64.powi(55);
    if fraction == 1.0 { (0.5, bits + 1) } else { (fraction, bits) }
}

fn fast_log(x: f64) -> f64 {
    if x > 0.0 { libm::log(x) } else { f64::NAN }
}

fn fast_log2(x: f64) -> f64 {
    if x > 0.0 { libm::log2(x) } else { f64::NAN }
}

fn fast_log10(x: f64) -> f64 {
    if x > 0.0 { libm::log10(x) } else { f64::NAN }
}

/// log(x, [base=math.e])
/// Return the logarithm of x to the given base.
///
/// If the base is not specified, returns the natural logarithm (base e) of x.
#[ms::function(positional, pure, kind = "F_F", entry = fast_log)]
pub fn log(cx: &Cx, x: Value, #[ms(optional)] base: Value) -> Result<f64> {
    let numerator = of_value(cx, x, |x| libm::log(x))?;
    if base.is_absent() {
        return Ok(numerator);
    }
    let denominator = of_value(cx, base, |x| libm::log(x))?;
    if denominator == 0.0 {
        return Err(ms::Error::new("ZeroDivisionError", "float division by zero"));
    }
    Ok(numerator / denominator)
}

/// Return the base 2 logarithm of x.
#[ms::function(positional, pure, kind = "F_F", entry = fast_log2)]
pub fn log2(cx: &Cx, x: Value) -> Result<f64> {
    of_value(cx, x, |x| libm::log2(x))
}

/// Return the base 10 logarithm of x.
#[ms::function(positional, pure, kind = "F_F", entry = fast_log10)]
pub fn log10(cx: &Cx, x: Value) -> Result<f64> {
    of_value(cx, x, |x| libm::log10(x))
}
