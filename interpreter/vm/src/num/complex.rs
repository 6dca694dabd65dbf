//! `complex`: arithmetic, powers, printing and parsing, with CPython's formulas.

use super::float;
use super::literal::{self, Shown};
use crate::fault::Fault;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

const ONE: Complex = Complex { re: 1.0, im: 0.0 };

impl Complex {
    /// `a * b`.
    #[allow(clippy::should_implement_trait)]
    pub fn mul(self, b: Complex) -> Complex {
        Complex { re: self.re * b.re - self.im * b.im, im: self.re * b.im + self.im * b.re }
    }

    /// `a / b`, scaled by the larger part of `b`.
    pub fn true_div(self, b: Complex) -> Result<Complex, Fault> {
        let a = self;
        if b.re == 0.0 && b.im == 0.0 {
            return Err(Fault::zero_division("complex division by zero"));
        }
        Ok(if b.re.abs() >= b.im.abs() {
            let ratio = b.im / b.re;
            let scale = b.re + b.im * ratio;
            Complex { re: (a.re + a.im * ratio) / scale, im: (a.im - a.re * ratio) / scale }
        } else if b.im.abs() >= b.re.abs() {
            let ratio = b.re / b.im;
            let scale = b.re * ratio + b.im;
            Complex { re: (a.re * ratio + a.im) / scale, im: (a.im * ratio - a.re) / scale }
        } else {
            Complex { re: f64::NAN, im: f64::NAN }
        })
    }

    /// `a ** b`.
    pub fn pow(self, b: Complex) -> Result<Complex, Fault> {
        let whole = b.im == 0.0 && b.re == b.re.floor() && b.re.abs() <= 100.0;
        let power = if whole { self.pow_int(b.re as i64)? } else { self.pow_general(b)? };
        if power.re.is_infinite() || power.im.is_infinite() {
            return Err(Fault::overflow("complex exponentiation"));
        }
        Ok(power)
    }

    fn pow_int(self, n: i64) -> Result<Complex, Fault> {
        if n <= 0 {
            return match ONE.true_div(self.pow_unsigned(n.unsigned_abs())) {
                Err(_) => Err(zero_power()),
                found => found,
            };
        }
        Ok(self.pow_unsigned(n as u64))
    }

    fn pow_unsigned(self, n: u64) -> Complex {
        let (mut power, mut square) = (ONE, self);
        let mut mask = 1;
        while n >= mask {
            if n & mask != 0 {
                power = power.mul(square);
            }
            mask <<= 1;
            square = square.mul(square);
        }
        power
    }

    fn pow_general(self, b: Complex) -> Result<Complex, Fault> {
        if b.re == 0.0 && b.im == 0.0 {
            return Ok(ONE);
        }
        if self.re == 0.0 && self.im == 0.0 {
            if b.im != 0.0 || b.re < 0.0 {
                return Err(zero_power());
            }
            return Ok(Complex { re: 0.0, im: 0.0 });
        }
        let modulus = self.re.hypot(self.im);
        let angle = self.im.atan2(self.re);
        let mut len = modulus.powf(b.re);
        let mut phase = angle * b.re;
        if b.im != 0.0 {
            len /= (angle * b.im).exp();
            phase += b.im * modulus.ln();
        }
        if phase.is_infinite() {
            // The C library's sine and cosine report a domain error, which CPython takes for this.
            return Err(zero_power());
        }
        Ok(Complex { re: len * phase.cos(), im: len * phase.sin() })
    }

    /// `abs(z)`.
    pub fn abs(self) -> Result<f64, Fault> {
        let size = self.re.hypot(self.im);
        if size.is_infinite() && self.re.is_finite() && self.im.is_finite() {
            return Err(Fault::overflow("absolute value too large"));
        }
        Ok(size)
    }

    /// `repr(z)`.
    pub fn repr(self) -> String {
        let part = |x: f64| {
            let mut shown = float::repr(x);
            if shown.ends_with(".0") {
                shown.truncate(shown.len() - 2);
            }
            shown
        };
        let im = part(self.im);
        if self.re == 0.0 && self.re.is_sign_positive() {
            return format!("{im}j");
        }
        let plus = if im.starts_with('-') { "" } else { "+" };
        format!("({}{plus}{im}j)", part(self.re))
    }
}

fn zero_power() -> Fault {
    Fault::zero_division("0.0 to a negative or complex power")
}

/// `complex(text)`.
pub fn parse(text: &[u8]) -> Result<Complex, Fault> {
    // Underscores at odd places are an error of their own kind.
    let malformed = || Fault::value("complex() arg is a malformed string");
    let plain = match literal::plain(text) {
        Some(plain) => plain,
        None if literal::ascii(text).is_some() => {
            return Err(Fault::value(format!(
                "could not convert string to complex: {}",
                Shown::Str.repr(text)
            )));
        }
        None => return Err(malformed()),
    };
    parse_plain(&plain).ok_or_else(malformed)
}

fn parse_plain(text: &str) -> Option<Complex> {
    let space = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let inner = match text.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?.trim_matches(space),
        None => text,
    };
    let imaginary = |s: &str| match s {
        "" | "+" => Some(1.0),
        "-" => Some(-1.0),
        _ => float::parse_plain(s),
    };
    let Some(body) = inner.strip_suffix(['j', 'J']) else {
        return Some(Complex { re: float::parse_plain(inner)?, im: 0.0 });
    };
    // The sign of the imaginary part is the last one that belongs to no exponent.
    let bytes = body.as_bytes();
    let exponent = |at: usize| {
        matches!(bytes[at - 1], b'e' | b'E')
            && at >= 2
            && matches!(bytes[at - 2], b'0'..=b'9' | b'.')
    };
    let split =
        (1..bytes.len()).rev().find(|at| matches!(bytes[*at], b'+' | b'-') && !exponent(*at));
    match split {
        Some(at) => {
            Some(Complex { re: float::parse_plain(&body[..at])?, im: imaginary(&body[at..])? })
        }
        None => Some(Complex { re: 0.0, im: imaginary(body)? }),
    }
}
