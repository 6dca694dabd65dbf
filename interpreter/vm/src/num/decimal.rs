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

/// No float needs more fraction digits than this to be written exactly.
const EXACT_FRACTION: usize = 1075;
/// No float has more significant digits than this.
const EXACT_DIGITS: usize = 768;

/// Splits what `{:e}` shows.
fn from_scientific(shown: &str, negative: bool) -> Digits {
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((shown, "0"));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    Digits { digits, point, negative }
}

/// The fewest digits that read back as `x`, and of several the closest.
pub fn shortest(x: f64) -> Digits {
    let found = from_scientific(&format!("{:e}", x.abs()), x.is_sign_negative());
    // Two may be equally close; CPython then takes the even one, Rust the larger.
    let count = found.digits.len();
    if count >= 16 && matches!(found.digits.as_bytes()[count - 1], b'1' | b'3' | b'5' | b'7' | b'9')
    {
        let even = significant(x, count);
        if even != found && format!("0.{}e{}", even.digits, even.point).parse() == Ok(x.abs()) {
            return even;
        }
    }
    found
}

/// `count` significant digits (at least one); fewer if the rest would be zeros.
pub fn significant(x: f64, count: usize) -> Digits {
    let precision = count.clamp(1, EXACT_DIGITS) - 1;
    from_scientific(&format!("{:.*e}", precision, x.abs()), x.is_sign_negative())
}

/// Digits down to `places` behind the point, at least one; fewer if the rest would be zeros.
pub fn fixed(x: f64, places: usize) -> Digits {
    let mut shown = String::new();
    // Writing to a String does not fail.
    let _ = write!(shown, "{:.*}", places.min(EXACT_FRACTION), x.abs());
    let point = shown.find('.').unwrap_or(shown.len()) as i32;
    shown.retain(|c| c != '.');
    let zeros = shown.bytes().take_while(|b| *b == b'0').count().min(shown.len() - 1);
    Digits {
        digits: shown.split_off(zeros),
        point: point - zeros as i32,
        negative: x.is_sign_negative(),
    }
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
