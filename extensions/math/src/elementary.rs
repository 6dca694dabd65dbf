//! Functions of one or two doubles that the C library computes.

use crate::{check, libm};
use miniscript_sdk as ms;
use ms::Result;

macro_rules! unary {
    ($($doc:tt $name:ident, $function:expr, $can_overflow:literal;)*) => { $(
        #[doc = $doc]
        #[ms::function(positional, pure, typed)]
        pub fn $name(x: f64) -> Result<f64> {
            let function: fn(f64) -> f64 = $function;
            check::unary(x, function(x), $can_overflow)
        }
    )* };
}

unary! {
    "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi."
        acos, |x| libm::acos(x), false;
    "Return the inverse hyperbolic cosine of x."
        acosh, |x| libm::acosh(x), false;
    "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."
        asin, |x| libm::asin(x), false;
    "Return the inverse hyperbolic sine of x."
        asinh, |x| libm::asinh(x), false;
    "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2."
        atan, |x| libm::atan(x), false;
    "Return the inverse hyperbolic tangent of x."
        atanh, |x| libm::atanh(x), false;
    "Return the cube root of x."
        cbrt, |x| libm::cbrt(x), false;
    "Return the cosine of x (measured in radians)."
        cos, |x| libm::cos(x), false;
    "Return the hyperbolic cosine of x."
        cosh, |x| libm::cosh(x), true;
    "Error function at x."
        erf, |x| libm::erf(x), false;
    "Complementary error function at x."
        erfc, |x| libm::erfc(x), false;
    "Return e raised to the power of x."
        exp, |x| libm::exp(x), true;
    "Return 2 raised to the power of x."
        exp2, |x| libm::exp2(x), true;
    "Return exp(x)-1.\n\nThis function avoids the loss of precision involved in the direct evaluation of exp(x)-1 for small x."
        expm1, |x| libm::expm1(x), true;
    "Return the absolute value of the float x."
        fabs, f64::abs, false;
    "Return the natural logarithm of 1+x (base e).\n\nThe result is computed in a way which is accurate for x near zero."
        log1p, |x| if x == 0.0 { x } else { libm::log1p(x) }, false;
    "Return the sine of x (measured in radians)."
        sin, |x| libm::sin(x), false;
    "Return the hyperbolic sine of x."
        sinh, |x| libm::sinh(x), true;
    "Return the square root of x."
        sqrt, f64::sqrt, false;
    "Return the tangent of x (measured in radians)."
        tan, |x| libm::tan(x), false;
    "Return the hyperbolic tangent of x."
        tanh, |x| libm::tanh(x), false;
}

/// Convert angle x from radians to degrees.
#[ms::function(positional, pure, typed)]
pub fn degrees(x: f64) -> f64 {
    x * (180.0 / std::f64::consts::PI)
}

/// Convert angle x from degrees to radians.
#[ms::function(positional, pure, typed)]
pub fn radians(x: f64) -> f64 {
    x * (std::f64::consts::PI / 180.0)
}

/// Return the arc tangent (measured in radians) of y/x.
///
/// Unlike atan(y/x), the signs of both x and y are considered.
#[ms::function(positional, pure, typed)]
pub fn atan2(y: f64, x: f64) -> Result<f64> {
    check::binary(y, x, libm::atan2(y, x))
}

/// Return a float with the magnitude (absolute value) of x but the sign of y.
///
/// On platforms that support signed zeros, copysign(1.0, -0.0)
/// returns -1.0.
#[ms::function(positional, pure, typed)]
pub fn copysign(x: f64, y: f64) -> f64 {
    x.copysign(y)
}

/// Return fmod(x, y), according to platform C.
///
/// x % y may differ.
#[ms::function(positional, pure, typed)]
pub fn fmod(x: f64, y: f64) -> Result<f64> {
    if y.is_infinite() && x.is_finite() {
        return Ok(x);
    }
    let result = libm::fmod(x, y);
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(check::domain());
    }
    Ok(result)
}

/// Difference between x and the closest integer multiple of y.
///
/// Return x - n*y where n*y is the closest integer multiple of y.
/// In the case where x is exactly halfway between two multiples of
/// y, the nearest even value of n is used. The result is always exact.
#[ms::function(positional, pure, typed)]
pub fn remainder(x: f64, y: f64) -> Result<f64> {
    check::binary(x, y, ieee_remainder(x, y))
}

fn ieee_remainder(x: f64, y: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if y.is_nan() {
        return y;
    }
    if x.is_infinite() || y == 0.0 {
        return f64::NAN;
    }
    if y.is_infinite() {
        return x;
    }
    let (absx, absy) = (x.abs(), y.abs());
    let rest = libm::fmod(absx, absy);
    // What is missing to the next multiple, exact by Sterbenz where it matters.
    let missing = absy - rest;
    let magnitude = if rest < missing {
        rest
    } else if rest > missing {
        -missing
    } else {
        rest - 2.0 * libm::fmod(0.5 * (absx - rest), absy)
    };
    1f64.copysign(x) * magnitude
}

/// Return x**y (x to the power of y).
#[ms::function(positional, pure, typed)]
pub fn pow(x: f64, y: f64) -> Result<f64> {
    if x.is_finite() && y.is_finite() {
        let result = libm::pow(x, y);
        return match () {
            () if result.is_finite() => Ok(result),
            () if result.is_nan() || x == 0.0 => Err(check::domain()),
            () => Err(check::range()),
        };
    }
    Ok(special_pow(x, y))
}

/// Powers where an operand is infinite or NaN, by C99's annex F.
fn special_pow(x: f64, y: f64) -> f64 {
    if x.is_nan() {
        return if y == 0.0 { 1.0 } else { x };
    }
    if y.is_nan() {
        return if x == 1.0 { 1.0 } else { y };
    }
    if x.is_infinite() {
        let odd = y.is_finite() && libm::fmod(y.abs(), 2.0) == 1.0;
        return match () {
            () if y > 0.0 => {
                if odd {
                    x
                } else {
                    x.abs()
                }
            }
            () if y == 0.0 => 1.0,
            () if odd => 0f64.copysign(x),
            () => 0.0,
        };
    }
    let size = x.abs();
    match () {
        () if size == 1.0 => 1.0,
        () if y > 0.0 && size > 1.0 => y,
        () if y < 0.0 && size < 1.0 => -y,
        () => 0.0,
    }
}
