//! The values of number literals.

use super::{Builder, Built, fail};
use crate::Span;
use crate::ast::*;

/// CPython's default limit for decimal integers, which keeps conversion from being quadratic.
pub const MAX_DECIMAL_DIGITS: usize = 4300;

impl Builder<'_> {
    pub fn int(&self, l: u32, r: u32) -> Built<Expr> {
        let text = self.slice_of(l, r);
        let (radix, digits) = match text.get(..2) {
            Some("0x" | "0X") => (16, &text[2..]),
            Some("0o" | "0O") => (8, &text[2..]),
            Some("0b" | "0B") => (2, &text[2..]),
            _ => (10, text),
        };
        let digits = without_underscores(digits);
        if let Ok(value) = i64::from_str_radix(&digits, radix) {
            return Ok(self.constant(l, Constant::Int(value), r));
        }
        let digits = digits.trim_start_matches('0');
        if radix == 10 && digits.len() > MAX_DECIMAL_DIGITS {
            let message = format!(
                "Exceeds the limit ({MAX_DECIMAL_DIGITS} digits) for integer string conversion: \
                 value has {} digits; use sys.set_int_max_str_digits() to increase the limit - \
                 Consider hexadecimal for huge integer literals to avoid decimal conversion limits.",
                digits.len()
            );
            return fail("huge-decimal", message, Span::new(l, r));
        }
        let big = BigIntLit { radix: radix as u8, digits: digits.into() };
        Ok(self.constant(l, Constant::BigInt(Box::new(big)), r))
    }

    pub fn float(&self, l: u32, r: u32) -> Expr {
        self.constant(l, Constant::Float(float_value(self.slice_of(l, r))), r)
    }

    pub fn imaginary(&self, l: u32, r: u32) -> Expr {
        self.constant(l, Constant::Imaginary(float_value(self.slice_of(l, r - 1))), r)
    }
}

fn without_underscores(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('_') { text.replace('_', "").into() } else { text.into() }
}

/// The lexer has checked the form, which is one that Rust reads too.
fn float_value(text: &str) -> f64 {
    without_underscores(text).parse().unwrap_or(f64::INFINITY)
}
