//! The errors of the C functions, as CPython reports them.

use miniscript_sdk::{Error, Result};

/// ValueError: the function is not defined there.
#[cold]
pub fn domain() -> Error {
    Error::value("math domain error")
}

/// OverflowError: the result is too large.
#[cold]
pub fn range() -> Error {
    Error::new("OverflowError", "math range error")
}

/// Result of a function of one argument: NaN out of a number is a domain error; infinity out of a
/// finite number is one too, or a range error where the function can overflow.
#[inline]
pub fn unary(x: f64, result: f64, can_overflow: bool) -> Result<f64> {
    if result.is_finite() {
        return Ok(result);
    }
    if result.is_nan() && !x.is_nan() {
        return Err(domain());
    }
    if result.is_infinite() && x.is_finite() {
        return Err(if can_overflow { range() } else { domain() });
    }
    Ok(result)
}

/// Result of a function of two arguments.
#[inline]
pub fn binary(x: f64, y: f64, result: f64) -> Result<f64> {
    if result.is_finite() {
        return Ok(result);
    }
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(domain());
    }
    if result.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(range());
    }
    Ok(result)
}
