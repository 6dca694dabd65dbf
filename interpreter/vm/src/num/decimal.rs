//! Decimal digits of floats: the shortest that read back the same, or a given number of them,
//! correctly rounded; and their layout in CPython's three styles.

use std::fmt::Write;

/// A finite number's digits `d1 d2 d3 ...` with the decimal point before `d1` moved right by
/// `point`: 0.d1d2d3 * 10^point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    /// ASCII digits; "0" for zero.
    pub digits: String,
    /// Where the decimal point is.
    pub point: i32,
    /// The sign bit.
    pub negative: bool,
}

/// No float has more significant digits than this.
const EXACT_DIGITS: usize = 768;

/// Takes apart a number as `123.45` or `1.2345e2`.
fn from_text(shown: &str, negative: bool) -> Digits {
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((shown, "0"));
    let mut digits = String::with_capacity(mantissa.len());
    digits.extend(mantissa.chars().filter(|c| *c != '.'));
    let point = mantissa.find('.').unwrap_or(mantissa.len()) as i32;
    let zeros = digits.bytes().take_while(|b| *b == b'0').count().min(digits.len() - 1);
    digits.drain(..zeros);
    let point = point - zeros as i32 + exponent.parse::<i32>().unwrap_or(0);
    Digits { digits, point, negative }
}

/// The fewest digits that read back as `x`, and of several the closest.
pub fn shortest(x: f64) -> Digits {
    let mut found = from_text(zmij::Buffer::new().format_finite(x.abs()), x.is_sign_negative());
    found.trim();
    // Two may be equally close; CPython then takes the even one.
    let count = found.digits.len();
    let last = found.digits.as_bytes()[count - 1];
    if count >= 16 && last % 2 == 1 && fraction_bits(x) <= count as i32 + 1 - found.point {
        let even = significant(x, count);
        if even != found && format!("0.{}e{}", even.digits, even.point).parse() == Ok(x.abs()) {
            return even;
        }
    }
    found
}

/// How many binary places a finite number has: as many decimal ones. If they are more than the
/// digits end at, the number cannot lie halfway between two decimal ones.
fn fraction_bits(x: f64) -> i32 {
    let (mantissa, exponent) = super::float::decompose(x);
    (-exponent - mantissa.trailing_zeros() as i32).max(0)
}

/// `count` significant digits (at least one); fewer if the rest would be zeros.
pub fn significant(x: f64, count: usize) -> Digits {
    let precision = count.clamp(1, EXACT_DIGITS) - 1;
    from_text(&format!("{:.*e}", precision, x.abs()), x.is_sign_negative())
}

impl Digits {
    fn zeros(out: &mut String, count: usize) {
        out.extend(std::iter::repeat_n('0', count));
    }

    /// Drops zeros at the end.
    pub fn trim(&mut self) {
        let kept = self.digits.trim_end_matches('0').len().max(1);
        self.digits.truncate(kept);
    }

    /// `ddd.ddd` without the sign. `places` fraction digits if given, else as many as there are.
    pub fn put_fixed(&self, out: &mut String, places: Option<usize>, always_point: bool) {
        let zero = self.digits == "0";
        let point = if zero { 1 } else { self.point };
        let whole = point.max(0) as usize;
        if whole == 0 {
            out.push('0');
        } else {
            out.push_str(&self.digits[..whole.min(self.digits.len())]);
            Self::zeros(out, whole.saturating_sub(self.digits.len()));
        }
        let leading = (-point).max(0) as usize;
        let rest = self.digits.get(whole..).unwrap_or("");
        let places = places.unwrap_or(if rest.is_empty() { 0 } else { leading + rest.len() });
        if places > 0 || always_point {
            out.push('.');
        }
        let leading = leading.min(places);
        Self::zeros(out, leading);
        let shown = rest.len().min(places - leading);
        out.push_str(&rest[..shown]);
        Self::zeros(out, places - leading - shown);
    }

    /// `d.ddde+XX` without the sign. `places` fraction digits if given.
    pub fn put_scientific(
        &self,
        out: &mut String,
        places: Option<usize>,
        always_point: bool,
        upper: bool,
    ) {
        let rest = self.digits.get(1..).unwrap_or("");
        let places = places.unwrap_or(rest.len());
        out.push_str(self.digits.get(..1).unwrap_or("0"));
        if places > 0 || always_point {
            out.push('.');
        }
        let shown = rest.len().min(places);
        out.push_str(&rest[..shown]);
        Self::zeros(out, places - shown);
        let exponent = if self.digits.bytes().all(|b| b == b'0') { 0 } else { self.point - 1 };
        let letter = if upper { 'E' } else { 'e' };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{letter}{sign}{:02}", exponent.abs());
    }
}
