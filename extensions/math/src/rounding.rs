//! From numbers to integers: floor, ceil, trunc, honouring the objects' own methods.

use miniscript_sdk as ms;
use ms::abi::{MS_TAG_BIGINT, MS_TAG_BOOL, MS_TAG_FLOAT, MS_TAG_INT};
use ms::{Cx, Error, Result, Value};
use num_bigint::BigInt;
use num_traits::FromPrimitive;

/// The doubles between are exact as `i64`.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// An int from a double that is integral, infinite or NaN.
fn to_int(cx: &Cx, x: f64) -> Result<Value> {
    if (-LIMIT..LIMIT).contains(&x) {
        return cx.make(x as i64);
    }
    match BigInt::from_f64(x) {
        Some(big) => cx.make(big),
        None if x.is_nan() => Err(Error::value("cannot convert float NaN to integer")),
        None => Err(Error::new("OverflowError", "cannot convert float infinity to integer")),
    }
}

fn small(x: f64) -> Option<i64> {
    (-LIMIT..LIMIT).contains(&x).then_some(x as i64)
}

fn typed(x: f64) -> std::result::Result<i64, ()> {
    small(x).ok_or(())
}

fn fast_floor(x: f64) -> std::result::Result<i64, ()> {
    typed(x.floor())
}

fn fast_ceil(x: f64) -> std::result::Result<i64, ()> {
    typed(x.ceil())
}

fn fast_trunc(x: f64) -> std::result::Result<i64, ()> {
    typed(x.trunc())
}

/// A float, an int as it is, or what the object's special method says.
fn round(cx: &Cx, x: Value, method: &str, rounding: fn(f64) -> f64) -> Result<Option<Value>> {
    match x.raw().tag {
        MS_TAG_FLOAT => to_int(cx, rounding(x.to(cx)?)).map(Some),
        MS_TAG_INT | MS_TAG_BIGINT => Ok(Some(x)),
        MS_TAG_BOOL => cx.make(x.to::<i64>(cx)?).map(Some),
        _ => match cx.find_special(x, method)? {
            Some(method) => cx.call(method, &[]).map(Some),
            None => Ok(None),
        },
    }
}

/// Return the floor of x as an Integral.
///
/// This is the largest integer <= x.
#[ms::function(positional, calls_back, kind = "F_I", entry = fast_floor)]
pub fn floor(cx: &Cx, x: Value) -> Result<Value> {
    match round(cx, x, "__floor__", f64::floor)? {
        Some(result) => Ok(result),
        None => to_int(cx, x.to::<f64>(cx)?.floor()),
    }
}

/// Return the ceiling of x as an Integral.
///
/// This is the smallest integer >= x.
#[ms::function(positional, calls_back, kind = "F_I", entry = fast_ceil)]
pub fn ceil(cx: &Cx, x: Value) -> Result<Value> {
    match round(cx, x, "__ceil__", f64::ceil)? {
        Some(result) => Ok(result),
        None => to_int(cx, x.to::<f64>(cx)?.ceil()),
    }
}

/// Truncates the Real x to the nearest Integral toward 0.
///
/// Uses the __trunc__ magic method.
#[ms::function(positional, calls_back, kind = "F_I", entry = fast_trunc)]
pub fn trunc(cx: &Cx, x: Value) -> Result<Value> {
    match round(cx, x, "__trunc__", f64::trunc)? {
        Some(result) => Ok(result),
        None => Err(Error::type_error(format!(
            "type {} doesn't define __trunc__ method",
            cx.type_name(x)
        ))),
    }
}
