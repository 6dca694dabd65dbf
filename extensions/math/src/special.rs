//! The gamma function and its logarithm: the Lanczos approximation with the parameters and the
//! order of operations that CPython uses, so that the last bits agree.

use crate::{check, libm};
use miniscript_sdk as ms;
use ms::{Error, Result};
use std::f64::consts::PI;

const G: f64 = 6.02468004077673;
const G_MINUS_HALF: f64 = 5.52468004077673;
const LOG_PI: f64 = 1.1447298858494002;

/// Coefficients of numerator and denominator, lowest power first.
const LANCZOS: [(f64, f64); 13] = [
    (23531376880.41076, 0.0),
    (42919803642.6491, 39916800.0),
    (35711959237.35567, 120543840.0),
    (17921034426.03721, 150917976.0),
    (6039542586.352028, 105258076.0),
    (1439720407.3117216, 45995730.0),
    (248874557.86205417, 13339535.0),
    (31426415.585400194, 2637558.0),
    (2876370.6289353725, 357423.0),
    (186056.26539522348, 32670.0),
    (8071.672002365816, 1925.0),
    (210.82427775157936, 66.0),
    (2.5066282746310002, 1.0),
];

fn lanczos_sum(x: f64) -> f64 {
    let (mut numerator, mut denominator) = (0.0, 0.0);
    // Towards the larger terms last, in either direction.
    if x < 5.0 {
        for (above, below) in LANCZOS.iter().rev() {
            numerator = numerator * x + above;
            denominator = denominator * x + below;
        }
    } else {
        for (above, below) in LANCZOS {
            numerator = numerator / x + above;
            denominator = denominator / x + below;
        }
    }
    numerator / denominator
}

/// sin(pi * x) for a finite x, exact where x is integral.
fn sin_pi(x: f64) -> f64 {
    let y = libm::fmod(x.abs(), 2.0);
    let result = match (2.0 * y).round() as i32 {
        0 => libm::sin(PI * y),
        1 => libm::cos(PI * (y - 0.5)),
        2 => libm::sin(PI * (1.0 - y)),
        3 => -libm::cos(PI * (y - 1.5)),
        _ => libm::sin(PI * (y - 2.0)),
    };
    1f64.copysign(x) * result
}

/// 22! and below are exact doubles.
fn small_factorial(n: u32) -> f64 {
    (1..=n).fold(1.0, |product, factor| product * f64::from(factor))
}

fn out_of_range() -> Error {
    check::range()
}

/// Gamma function at x.
#[ms::function(positional, pure, typed)]
pub fn gamma(x: f64) -> Result<f64> {
    if !x.is_finite() {
        return if x.is_nan() || x > 0.0 { Ok(x) } else { Err(check::domain()) };
    }
    if x == 0.0 {
        return Err(check::domain());
    }
    if x == x.floor() {
        if x < 0.0 {
            return Err(check::domain());
        }
        if x <= 23.0 {
            return Ok(small_factorial(x as u32 - 1));
        }
    }
    let size = x.abs();
    if size < 1e-20 {
        let result = 1.0 / x;
        return if result.is_infinite() { Err(out_of_range()) } else { Ok(result) };
    }
    if size > 200.0 {
        return if x < 0.0 { Ok(0.0 / sin_pi(x)) } else { Err(out_of_range()) };
    }
    let result = lanczos(x, size);
    if result.is_infinite() { Err(out_of_range()) } else { Ok(result) }
}

fn lanczos(x: f64, size: f64) -> f64 {
    let y = size + G_MINUS_HALF;
    // What rounding took from y.
    let lost =
        if size > G_MINUS_HALF { (y - size) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - size };
    let correction = lost * G / y;
    // In two steps where the power alone would overflow.
    let steps: &[f64] = if size < 140.0 {
        &[libm::pow(y, size - 0.5)]
    } else {
        &[libm::pow(y, size / 2.0 - 0.25); 2]
    };
    if x < 0.0 {
        let mut result = -PI / sin_pi(size) / size * libm::exp(y) / lanczos_sum(size);
        result -= correction * result;
        steps.iter().fold(result, |result, step| result / step)
    } else {
        let mut result = lanczos_sum(size) / libm::exp(y);
        result += correction * result;
        steps.iter().fold(result, |result, step| result * step)
    }
}

/// Natural logarithm of absolute value of Gamma function at x.
#[ms::function(positional, pure, typed)]
pub fn lgamma(x: f64) -> Result<f64> {
    if !x.is_finite() {
        return Ok(if x.is_nan() { x } else { f64::INFINITY });
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(check::domain()) } else { Ok(0.0) };
    }
    let size = x.abs();
    if size < 1e-20 {
        return Ok(-libm::log(size));
    }
    let mut result = libm::log(lanczos_sum(size)) - G;
    result += (size - 0.5) * (libm::log(size + G - 0.5) - 1.0);
    if x < 0.0 {
        result = LOG_PI - libm::log(sin_pi(size).abs()) - libm::log(size) - result;
    }
    if result.is_infinite() { Err(out_of_range()) } else { Ok(result) }
}
