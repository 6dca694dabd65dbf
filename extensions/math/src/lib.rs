//! The math extension of MiniScript: all of Python 3.12's `math`.
//!
//! Results are CPython's bit for bit: what CPython takes from the C library is taken from there,
//! what it computes itself (gamma, hypot, fsum, sumprod, log of big ints) is computed the same
//! way. Hot functions have typed entries; their errors are found when the host repeats the call.

mod check;
mod elementary;
mod floats;

mod integer;
mod libm;
mod logarithm;
mod rounding;
mod special;
mod sums;

use elementary::*;
use floats::*;

use integer::*;
use logarithm::*;
use miniscript_sdk as ms;
use rounding::*;
use special::*;
use sums::*;

ms::module! {
    name: "math",
    doc: "This module provides access to the mathematical functions\ndefined by the C standard.",
    functions: [
        acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, ceil, comb, copysign, cos, cosh,
        degrees, dist, erf, erfc, exp, exp2, expm1, fabs, factorial, floor, fmod, frexp, fsum,
        gamma, gcd, hypot, isclose, isfinite, isinf, isnan, isqrt, lcm, ldexp, lgamma, log, log10,
        log1p, log2, modf, nextafter, perm, pow, prod, radians, remainder, sin, sinh, sqrt,
        sumprod, tan, tanh, trunc, ulp,
    ],
    constants: {
        e: f64 = std::f64::consts::E,
        inf: f64 = f64::INFINITY,
        nan: f64 = f64::NAN,
        pi: f64 = std::f64::consts::PI,
        tau: f64 = std::f64::consts::TAU,
    },
}
