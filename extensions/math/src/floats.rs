//! The parts of a double, its neighbours, and comparisons.

use crate::{check, libm};
use miniscript_sdk as ms;
use ms::abi::{MS_TAG_BIGINT, MS_TAG_BOOL, MS_TAG_INT, MS_TAG_OBJECT};
use ms::{Cx, Error, Result, Value};
use num_bigint::{BigInt, Sign};

/// Return True if x is a NaN (not a number), and False otherwise.
#[ms::function(positional, pure, typed)]
pub fn isnan(x: f64) -> bool {
    x.is_nan()
}

/// Return True if x is a positive or negative infinity, and False otherwise.
#[ms::function(positional, pure, typed)]
pub fn isinf(x: f64) -> bool {
    x.is_infinite()
}

/// Return True if x is neither an infinity nor a NaN, and False otherwise.
#[ms::function(positional, pure, typed)]
pub fn isfinite(x: f64) -> bool {
    x.is_finite()
}

/// Return the mantissa and exponent of x, as pair (m, e).
///
/// m is a float and e is an int, such that x = m * 2.**e.
/// If x is 0, m and e are both 0.  Else 0.5 <= abs(m) < 1.0.
#[ms::function(positional, pure)]
pub fn frexp(x: f64) -> (f64, i64) {
    if !x.is_finite() || x == 0.0 {
        return (x, 0);
    }
    let (mantissa, exponent) = libm::frexp(x);
    (mantissa, i64::from(exponent))
}

/// Return x * (2**i).
///
/// This is essentially the inverse of frexp().
#[ms::function(positional, pure)]
pub fn ldexp(cx: &Cx, x: f64, i: Value) -> Result<f64> {
    let exponent = match i.raw().tag {
        MS_TAG_INT | MS_TAG_BOOL => i.to::<i64>(cx)?,
        MS_TAG_BIGINT => match i.to::<BigInt>(cx)?.sign() {
            Sign::Minus => i64::MIN,
            _ => i64::MAX,
        },
        _ if is_int(cx, i)? => i.to::<i64>(cx)?,
        _ => {
            return Err(Error::type_error("Expected an int as second argument to ldexp."));
        }
    };
    if x == 0.0 || !x.is_finite() {
        return Ok(x);
    }
    match i32::try_from(exponent) {
        Ok(exponent) => {
            let result = libm::ldexp(x, exponent);
            if result.is_infinite() { Err(check::range()) } else { Ok(result) }
        }
        Err(_) if exponent > 0 => Err(check::range()),
        Err(_) => Ok(0f64.copysign(x)),
    }
}

/// Whether the object's class derives from int.
fn is_int(cx: &Cx, value: Value) -> Result<bool> {
    if value.raw().tag != MS_TAG_OBJECT {
        return Ok(false);
    }
    let int = cx.builtin("int")?;
    cx.is_instance(value, int)
}

/// Return the fractional and integer parts of x.
///
/// Both results carry the sign of x and are floats.
#[ms::function(positional, pure)]
pub fn modf(x: f64) -> (f64, f64) {
    if x.is_infinite() {
        return (0f64.copysign(x), x);
    }
    if x.is_nan() {
        return (x, x);
    }
    let whole = x.trunc();
    ((x - whole).copysign(x), whole)
}

/// Determine whether two floating point numbers are close in value.
///
///   rel_tol
///     maximum difference for being considered "close", relative to the
///     magnitude of the input values
///   abs_tol
///     maximum difference for being considered "close", regardless of the
///     magnitude of the input values
///
/// Return True if a is close in value to b, and False otherwise.
///
/// For the values to be considered close, the difference between them
/// must be smaller than at least one of the tolerances.
///
/// -inf, inf and NaN behave similarly to the IEEE 754 Standard.  That
/// is, NaN is not close to anything, even itself.  inf and -inf are
/// only close to themselves.
#[ms::function(pure)]
pub fn isclose(
    a: f64,
    b: f64,
    #[ms(keyword, default = 1e-09)] rel_tol: f64,
    #[ms(keyword, default = 0.0)] abs_tol: f64,
) -> Result<bool> {
    if rel_tol < 0.0 || abs_tol < 0.0 {
        return Err(Error::value("tolerances must be non-negative"));
    }
    if a == b {
        return Ok(true);
    }
    if a.is_infinite() || b.is_infinite() {
        return Ok(false);
    }
    let distance = (b - a).abs();
    Ok(distance <= (rel_tol * b).abs() || distance <= (rel_tol * a).abs() || distance <= abs_tol)
}

/// Return the floating-point value the given number of steps after x towards y.
///
/// If steps is not specified or is None, it defaults to 1.
///
/// Raises a TypeError, if x or y is not a double, or if steps is not an integer.
/// Raises ValueError if steps is negative.
#[ms::function]
pub fn nextafter(
    cx: &Cx,
    #[ms(positional)] x: f64,
    #[ms(positional)] y: f64,
    #[ms(keyword, default = None)] steps: Option<Value>,
) -> Result<f64> {
    let Some(steps) = steps else { return Ok(libm::nextafter(x, y)) };
    let steps = cx.to_index(steps)?.to::<BigInt>(cx)?;
    if steps.sign() == Sign::Minus {
        return Err(Error::value("steps must be a non-negative integer"));
    }
    // More steps than there are doubles is the same as all of them.
    Ok(many_steps(x, y, u64::try_from(steps).unwrap_or(u64::MAX)))
}

fn many_steps(x: f64, y: f64, steps: u64) -> f64 {
    const SIGN: u64 = 1 << 63;
    if steps == 0 {
        return x;
    }
    if x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    // The bits without the sign count the doubles from zero.
    let (from, to) = (x.to_bits(), y.to_bits());
    if from == to {
        return x;
    }
    let (from_size, to_size) = (from & !SIGN, to & !SIGN);
    if (from ^ to) & SIGN != 0 {
        // Through zero.
        if from_size.checked_add(to_size).is_some_and(|distance| distance <= steps) {
            return y;
        }
        if from_size < steps {
            return f64::from_bits((to & SIGN) | (steps - from_size));
        }
        return f64::from_bits(from - steps);
    }
    if from_size > to_size {
        if from_size - to_size >= steps { f64::from_bits(from - steps) } else { y }
    } else if to_size - from_size >= steps {
        f64::from_bits(from + steps)
    } else {
        y
    }
}

/// Return the value of the least significant bit of the float x.
#[ms::function(positional, pure, typed)]
pub fn ulp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let size = x.abs();
    if size.is_infinite() {
        return size;
    }
    let above = libm::nextafter(size, f64::INFINITY);
    if above.is_infinite() {
        return size - libm::nextafter(size, f64::NEG_INFINITY);
    }
    above - size
}
