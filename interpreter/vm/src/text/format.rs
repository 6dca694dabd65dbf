//! The format specification mini-language: parsing `[[fill]align][sign][z][#][0][width]
//! [grouping][.precision][type]` and applying it to `str`, `int`, `float` and `complex`.
//!
//! Before applying a spec the VM checks [`size_hint`] against the memory limit.

use super::layout::fill;
use super::wtf8::{self, Text};
use super::{case, find};
use crate::fault::{Fault, Poll};
use crate::num::complex::Complex;
use crate::num::int::{self, Int};
use crate::num::{decimal, float, int_text};
use num_traits::Signed;
use std::fmt::Write;

/// Where padding goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// `<`
    Left,
    /// `>`
    Right,
    /// `^`
    Center,
    /// `=`: between the sign and the digits.
    Numeric,
}

/// A parsed format specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The padding character.
    pub fill: u32,
    /// Where it goes, if the spec says so (a leading `0` does for numbers).
    pub align: Option<Align>,
    /// `+`, `-` or space.
    pub sign: Option<u8>,
    /// `z`: no negative zero.
    pub no_negative_zero: bool,
    /// `#`
    pub alternate: bool,
    /// Smallest width.
    pub width: Option<usize>,
    /// `,` or `_`
    pub grouping: Option<u8>,
    /// Digits or characters.
    pub precision: Option<usize>,
    /// The type letter.
    pub kind: Option<u32>,
}

/// The types that have a say in how a spec is read and which errors it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Str,
    Number,
}

fn align_of(cp: u32) -> Option<Align> {
    match char::from_u32(cp)? {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::Numeric),
        _ => None,
    }
}

/// A character as an error message quotes it.
pub(super) fn quoted(cp: u32) -> String {
    match u8::try_from(cp) {
        Ok(b @ 33..=127) => (b as char).to_string(),
        _ => format!("\\x{cp:x}"),
    }
}

/// Reads a decimal number; `None` if there is none.
pub(super) fn integer(cps: &[u32], at: &mut usize) -> Result<Option<usize>, Fault> {
    let mut value = None;
    while let Some(digit) = cps.get(*at).and_then(|cp| case::decimal_value(*cp)) {
        let next = value
            .unwrap_or(0usize)
            .checked_mul(10)
            .and_then(|n| n.checked_add(digit as usize))
            .filter(|n| *n <= isize::MAX as usize)
            .ok_or_else(|| Fault::value("Too many decimal digits in format string"))?;
        value = Some(next);
        *at += 1;
    }
    Ok(value)
}

/// The largest number in a spec, be it width or precision: about how long the result may get. One
/// that no spec may hold does not count, since nothing comes of it.
pub fn size_hint(spec: &[u8]) -> usize {
    let (mut largest, mut run) = (0usize, 0usize);
    let mut end_run = |run: usize| {
        if run <= isize::MAX as usize {
            largest = largest.max(run);
        }
        0
    };
    for cp in wtf8::code_points(spec) {
        run = match case::decimal_value(cp) {
            Some(d) => run.saturating_mul(10).saturating_add(d as usize),
            None => end_run(run),
        };
    }
    end_run(run);
    largest
}

/// Width and padding of a spec that has nothing else, but for a `d`: what most ints have.
pub fn plain_width(spec: &[u8]) -> Option<(usize, u8)> {
    let spec = spec.strip_suffix(b"d").unwrap_or(spec);
    let (fill, width) = match spec {
        [b'0', width @ ..] => (b'0', width),
        width => (b' ', width),
    };
    let digit = |b: u8| usize::from(b - b'0');
    match *width {
        [] => Some((0, fill)),
        [a @ b'1'..=b'9'] => Some((digit(a), fill)),
        [a @ b'1'..=b'9', b @ b'0'..=b'9'] => Some((digit(a) * 10 + digit(b), fill)),
        _ => None,
    }
}

impl Spec {
    fn parse(text: &[u8], target: For, type_name: &str) -> Result<Spec, Fault> {
        // Long specs do not occur; only they need a vector.
        let (mut short, long);
        let cps: &[u32] = if text.len() <= 32 {
            short = [0; 32];
            let mut count = 0;
            for (slot, cp) in short.iter_mut().zip(wtf8::code_points(text)) {
                *slot = cp;
                count += 1;
            }
            &short[..count]
        } else {
            long = wtf8::code_points(text).collect::<Vec<u32>>();
            &long
        };
        let mut spec = Spec {
            fill: b' ' as u32,
            align: None,
            sign: None,
            no_negative_zero: false,
            alternate: false,
            width: None,
            grouping: None,
            precision: None,
            kind: None,
        };
        let mut at = 0;
        let mut filled = false;
        let ahead = |at: usize| cps.get(at).copied().unwrap_or(0);
        let is = |at: usize, c: u8| ahead(at) == c as u32;
        if let Some(align) = align_of(ahead(1)) {
            (spec.fill, spec.align, filled, at) = (ahead(0), Some(align), true, 2);
        } else if let Some(align) = align_of(ahead(0)) {
            (spec.align, at) = (Some(align), 1);
        }
        if is(at, b'+') || is(at, b'-') || is(at, b' ') {
            spec.sign = Some(ahead(at) as u8);
            at += 1;
        }
        if is(at, b'z') {
            spec.no_negative_zero = true;
            at += 1;
        }
        if is(at, b'#') {
            spec.alternate = true;
            at += 1;
        }
        if !filled && is(at, b'0') {
            spec.fill = b'0' as u32;
            if spec.align.is_none() && target == For::Number {
                spec.align = Some(Align::Numeric);
            }
            at += 1;
        }
        spec.width = integer(cps, &mut at)?;
        let both = || Fault::value("Cannot specify both ',' and '_'.");
        if is(at, b',') {
            spec.grouping = Some(b',');
            at += 1;
        }
        if is(at, b'_') {
            if spec.grouping.is_some() {
                return Err(both());
            }
            spec.grouping = Some(b'_');
            at += 1;
        }
        if is(at, b',') && spec.grouping == Some(b'_') {
            return Err(both());
        }
        if is(at, b'.') {
            at += 1;
            spec.precision = integer(cps, &mut at)?;
            if spec.precision.is_none() {
                return Err(Fault::value("Format specifier missing precision"));
            }
        }
        if cps.len() > at + 1 {
            return Err(Fault::value(format!(
                "Invalid format specifier '{}' for object of type '{type_name}'",
                String::from_utf8_lossy(text)
            )));
        }
        spec.kind = cps.get(at).copied();
        spec.check_grouping(target)?;
        Ok(spec)
    }

    fn check_grouping(&self, target: For) -> Result<(), Fault> {
        let Some(sep) = self.grouping else { return Ok(()) };
        let default = if target == For::Str { b's' as u32 } else { b'd' as u32 };
        let kind = self.kind.unwrap_or(default);
        match char::from_u32(kind) {
            Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F') => Ok(()),
            Some('b' | 'o' | 'x' | 'X') if sep == b'_' => Ok(()),
            _ => Err(Fault::value(format!(
                "Cannot specify '{}' with '{}'.",
                sep as char,
                quoted(kind)
            ))),
        }
    }

    /// Pads text with nothing numeric about it.
    fn pad(&self, text: Text, default: Align, poll: Poll<'_>) -> Result<Vec<u8>, Fault> {
        let missing = self.width.unwrap_or(0).saturating_sub(text.len);
        let left = match self.align.unwrap_or(default) {
            Align::Left => 0,
            Align::Right | Align::Numeric => missing,
            Align::Center => missing / 2,
        };
        let mut out = find::reserved(missing.checked_add(text.bytes.len()))?;
        fill(&mut out, self.fill, left, poll)?;
        out.try_reserve(text.bytes.len())?;
        out.extend_from_slice(text.bytes);
        fill(&mut out, self.fill, missing - left, poll)?;
        Ok(out)
    }
}

fn unknown(kind: u32, type_name: &str) -> Fault {
    Fault::value(format!("Unknown format code '{}' for object of type '{type_name}'", quoted(kind)))
}

/// `format(str, spec)`.
pub fn format_str(
    text: Text,
    spec: &[u8],
    type_name: &str,
    poll: Poll<'_>,
) -> Result<Vec<u8>, Fault> {
    let spec = Spec::parse(spec, For::Str, type_name)?;
    let not = |what: &str| Fault::value(format!("{what} not allowed in string format specifier"));
    if let Some(kind) = spec.kind.filter(|k| *k != b's' as u32) {
        return Err(unknown(kind, type_name));
    }
    match spec.sign {
        Some(b' ') => return Err(not("Space")),
        Some(_) => return Err(not("Sign")),
        None => {}
    }
    if spec.no_negative_zero {
        return Err(not("Negative zero coercion (z)"));
    }
    if spec.alternate {
        return Err(not("Alternate form (#)"));
    }
    if spec.align == Some(Align::Numeric) {
        return Err(not("'=' alignment"));
    }
    let len = spec.precision.unwrap_or(usize::MAX).min(text.len);
    let bytes = text.slice(0, len);
    spec.pad(Text { bytes, len, index: None }, Align::Left, poll)
}

/// A number in parts, ready to be laid out.
#[derive(Default)]
struct Number<'a> {
    negative: bool,
    prefix: &'static str,
    /// The digits before the point, which are grouped and padded with zeros.
    digits: &'a str,
    /// What follows as it is.
    rest: &'a str,
}

/// Splits what a float prints as.
fn split_number(text: &str) -> Number<'_> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let end = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = unsigned.split_at(end);
    Number { negative: unsigned.len() < text.len(), prefix: "", digits, rest }
}

/// The digits with separators, padded with zeros to a width. Separators count, but none leads.
fn group(digits: &str, sep: Option<u8>, size: usize, width: usize) -> Result<Vec<u8>, Fault> {
    if digits.is_empty() {
        return Ok(Vec::new());
    }
    let Some(sep) = sep else {
        let zeros = width.saturating_sub(digits.len());
        let mut out = find::reserved(zeros.checked_add(digits.len()))?;
        out.resize(zeros, b'0');
        out.extend_from_slice(digits.as_bytes());
        return Ok(out);
    };
    let grouped = digits.len() + (digits.len() - 1) / size;
    let mut out = find::reserved(grouped.max(width).checked_add(2))?;
    // Built from the right.
    let mut left = digits.bytes().rev().peekable();
    let mut placed = 0;
    while left.peek().is_some() || out.len() < width {
        if placed > 0 && placed % size == 0 {
            out.push(sep);
        }
        out.push(left.next().unwrap_or(b'0'));
        placed += 1;
    }
    out.reverse();
    Ok(out)
}

impl Number<'_> {
    /// Appends sign, prefix, digits and the rest, with the padding the spec asks for.
    fn lay_out(&self, spec: &Spec, group_size: usize, poll: Poll<'_>) -> Result<Vec<u8>, Fault> {
        let sign = match spec.sign {
            _ if self.negative => "-",
            Some(b'+') => "+",
            Some(b' ') => " ",
            _ => "",
        };
        let around = sign.len() + self.prefix.len() + wtf8::len(self.rest.as_bytes());
        let width = spec.width.unwrap_or(0);
        let align = spec.align.unwrap_or(Align::Right);
        let zeros = spec.fill == b'0' as u32 && align == Align::Numeric;
        let wanted = if zeros { width.saturating_sub(around) } else { 0 };
        let digits = group(self.digits, spec.grouping, group_size, wanted)?;
        let missing = width.saturating_sub(around + digits.len());
        let (before, inside, after) = match align {
            Align::Left => (0, 0, missing),
            Align::Right => (missing, 0, 0),
            Align::Center => (missing / 2, 0, missing - missing / 2),
            Align::Numeric => (0, missing, 0),
        };
        let mut out = Vec::new();
        fill(&mut out, spec.fill, before, poll)?;
        out.try_reserve(around.saturating_add(self.rest.len()))?;
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(self.prefix.as_bytes());
        fill(&mut out, spec.fill, inside, poll)?;
        out.try_reserve(digits.len() + self.rest.len())?;
        out.extend_from_slice(&digits);
        out.extend_from_slice(self.rest.as_bytes());
        fill(&mut out, spec.fill, after, poll)?;
        Ok(out)
    }
}

/// `format(int, spec)`; `type_name` is that of the object (`bool` is one too). `max_digits` is
/// the limit on decimal digits (0 for none).
pub fn format_int(
    n: &Int,
    spec: &[u8],
    type_name: &str,
    max_digits: usize,
    poll: Poll,
) -> Result<Vec<u8>, Fault> {
    let spec = Spec::parse(spec, For::Number, type_name)?;
    let kind = spec.kind.unwrap_or(b'd' as u32);
    let letter = char::from_u32(kind).unwrap_or('\0');
    match letter {
        'b' | 'c' | 'd' | 'o' | 'x' | 'X' | 'n' => {}
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => {
            let x = match n {
                Int::Small(n) => *n as f64,
                Int::Big(n) => int::to_f64(n)?,
            };
            return float_with(x, spec, type_name, poll);
        }
        _ => return Err(unknown(kind, type_name)),
    }
    let not = |what: &str| Fault::value(format!("{what} not allowed in integer format specifier"));
    if spec.precision.is_some() {
        return Err(not("Precision"));
    }
    if spec.no_negative_zero {
        return Err(not("Negative zero coercion (z)"));
    }
    if letter == 'c' {
        return format_char(n, &spec, poll);
    }
    let (digits, negative) = digits_in(n, letter, max_digits, poll)?;
    let prefix = match letter {
        'b' if spec.alternate => "0b",
        'o' if spec.alternate => "0o",
        'x' if spec.alternate => "0x",
        'X' if spec.alternate => "0X",
        _ => "",
    };
    let number = Number { negative, prefix, digits: &digits, rest: "" };
    number.lay_out(&spec, if matches!(letter, 'b' | 'o' | 'x' | 'X') { 4 } else { 3 }, poll)
}

/// The digits of an int without its sign, in the base a type letter stands for.
pub(super) fn digits_in(
    n: &Int,
    letter: char,
    max_digits: usize,
    poll: Poll,
) -> Result<(String, bool), Fault> {
    let negative = match n {
        Int::Small(n) => *n < 0,
        Int::Big(n) => n.is_negative(),
    };
    let digits = match (letter, n) {
        ('b', Int::Small(n)) => format!("{:b}", n.unsigned_abs()),
        ('o', Int::Small(n)) => format!("{:o}", n.unsigned_abs()),
        ('x', Int::Small(n)) => format!("{:x}", n.unsigned_abs()),
        ('X', Int::Small(n)) => format!("{:X}", n.unsigned_abs()),
        (_, Int::Small(n)) => n.unsigned_abs().to_string(),
        ('b', Int::Big(n)) => int_text::print_radix(n, 2),
        ('o', Int::Big(n)) => int_text::print_radix(n, 8),
        ('x', Int::Big(n)) => int_text::print_radix(n, 16),
        ('X', Int::Big(n)) => int_text::print_radix(n, 16).to_ascii_uppercase(),
        (_, Int::Big(n)) => {
            let mut digits = int_text::print(n, max_digits, poll)?;
            if negative {
                digits.remove(0);
            }
            digits
        }
    };
    Ok((digits, negative))
}

fn format_char(n: &Int, spec: &Spec, poll: Poll<'_>) -> Result<Vec<u8>, Fault> {
    let not =
        |what: &str| Fault::value(format!("{what} not allowed with integer format specifier 'c'"));
    if spec.sign.is_some() {
        return Err(not("Sign"));
    }
    if spec.alternate {
        return Err(not("Alternate form (#)"));
    }
    let Int::Small(n) = n else {
        return Err(Fault::overflow("Python int too large to convert to C long"));
    };
    let cp = u32::try_from(*n).ok().filter(|cp| *cp <= wtf8::MAX);
    let cp = cp.ok_or_else(|| Fault::overflow("%c arg not in range(0x110000)"))?;
    let mut buffer = [0; 4];
    spec.pad(Text { bytes: wtf8::encode(cp, &mut buffer), len: 1, index: None }, Align::Right, poll)
}

/// How a float is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloatStyle {
    /// `e`, `f`, `g` (of either case), or `r` for the shortest form.
    pub letter: u8,
    /// Digits.
    pub precision: usize,
    /// `#`: always a point, and with `g` no zeros dropped.
    pub alternate: bool,
    /// A whole number gets `.0`.
    pub point_zero: bool,
    /// Zero is never negative.
    pub no_negative_zero: bool,
}

/// A float in a style, with its sign.
pub fn float_text(x: f64, style: FloatStyle) -> String {
    let upper = style.letter.is_ascii_uppercase();
    let mut out = String::new();
    if !x.is_finite() {
        float::repr_into(&mut out, x);
        if upper {
            out.make_ascii_uppercase();
        }
        return out;
    }
    let (alt, precision) = (style.alternate, style.precision);
    let mut digits = match style.letter.to_ascii_lowercase() {
        b'e' => decimal::significant(x, precision.saturating_add(1)),
        b'f' => {
            put_places(&mut out, x, style);
            return out;
        }
        b'g' => decimal::significant(x, precision.max(1)),
        _ => decimal::shortest(x),
    };
    let zero = digits.digits.bytes().all(|b| b == b'0');
    if digits.negative && !(zero && style.no_negative_zero) {
        out.push('-');
    }
    match style.letter.to_ascii_lowercase() {
        b'e' => digits.put_scientific(&mut out, Some(precision), alt, upper),
        letter => {
            let precision = if letter == b'g' { precision.max(1) } else { 17 };
            digits.trim();
            let point = if zero { 1 } else { digits.point };
            let limit = if letter != b'g' { 16 } else { precision - style.point_zero as usize };
            let scientific = point <= -4 || point > 0 && point as usize > limit;
            // With `#` the zeros stay.
            let kept = alt && letter == b'g';
            if scientific {
                let places = kept.then_some(precision - 1);
                digits.put_scientific(&mut out, places, alt, upper);
            } else {
                let least = style.point_zero as i64;
                let have = digits.digits.len() as i64 - point as i64;
                let have = if kept { precision as i64 - point as i64 } else { have };
                digits.put_fixed(&mut out, Some(have.max(least) as usize), alt);
            }
        }
    }
    out
}

/// A finite float with a number of places behind the point.
fn put_places(out: &mut String, x: f64, style: FloatStyle) {
    // No float has more places than this; what is asked beyond are zeros.
    let places = style.precision.min(1100);
    // Writing to a String does not fail.
    let _ = write!(out, "{x:.places$}");
    if style.precision == 0 && style.alternate {
        out.push('.');
    }
    if style.no_negative_zero && out.bytes().all(|b| matches!(b, b'-' | b'.' | b'0')) {
        *out = out.replace('-', "");
    }
    out.extend(std::iter::repeat_n('0', style.precision - places));
}

/// The style a spec's type letter asks for (`n` and `%` are the caller's).
fn style_of(spec: &Spec, letter: u8, point_zero: bool) -> Result<FloatStyle, Fault> {
    if spec.precision.is_some_and(|p| p > i32::MAX as usize) {
        return Err(Fault::value("precision too big"));
    }
    let (letter, precision) = match (letter, spec.precision) {
        (b'r', Some(p)) => (b'g', p),
        (b'r', None) => (b'r', 0),
        (letter, p) => (letter, p.unwrap_or(6)),
    };
    Ok(FloatStyle {
        letter,
        precision,
        alternate: spec.alternate,
        point_zero,
        no_negative_zero: spec.no_negative_zero,
    })
}

/// `format(float, spec)`.
pub fn format_float(
    x: f64,
    spec: &[u8],
    type_name: &str,
    poll: Poll<'_>,
) -> Result<Vec<u8>, Fault> {
    float_with(x, Spec::parse(spec, For::Number, type_name)?, type_name, poll)
}

fn float_with(x: f64, spec: Spec, type_name: &str, poll: Poll<'_>) -> Result<Vec<u8>, Fault> {
    let (letter, percent) = match spec.kind.map(|k| (k, char::from_u32(k))) {
        None => (b'r', false),
        Some((_, Some('n'))) => (b'g', false),
        Some((_, Some('%'))) => (b'f', true),
        Some((k, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G'))) => (k as u8, false),
        Some((k, _)) => return Err(unknown(k, type_name)),
    };
    let style = style_of(&spec, letter, spec.kind.is_none())?;
    // Nothing is written for digits beyond what memory can hold.
    Vec::<u8>::new().try_reserve(style.precision)?;
    let mut text = float_text(if percent { x * 100.0 } else { x }, style);
    if percent {
        text.push('%');
    }
    split_number(&text).lay_out(&spec, 3, poll)
}

/// `format(complex, spec)`.
pub fn format_complex(
    z: Complex,
    spec: &[u8],
    type_name: &str,
    poll: Poll<'_>,
) -> Result<Vec<u8>, Fault> {
    let spec = Spec::parse(spec, For::Number, type_name)?;
    let letter = match spec.kind.map(|k| (k, char::from_u32(k))) {
        None => b'r',
        Some((_, Some('n'))) => b'g',
        Some((k, Some('e' | 'E' | 'f' | 'F' | 'g' | 'G'))) => k as u8,
        Some((k, _)) => return Err(unknown(k, type_name)),
    };
    if spec.fill == b'0' as u32 {
        let message = "Zero padding is not allowed in complex format specifier";
        return Err(Fault::value(message));
    }
    if spec.align == Some(Align::Numeric) {
        let message = "'=' alignment flag is not allowed in complex format specifier";
        return Err(Fault::value(message));
    }
    let style = style_of(&spec, letter, false)?;
    Vec::<u8>::new().try_reserve(style.precision)?;
    let plain = spec.kind.is_none();
    let imaginary_only = plain && z.re == 0.0 && z.re.is_sign_positive();
    let bare = Spec { fill: b' ' as u32, align: Some(Align::Left), width: None, ..spec };
    let mut out = Vec::new();
    if plain && !imaginary_only {
        out.push(b'(');
    }
    let mut im_spec = bare;
    if !imaginary_only {
        out.extend(split_number(&float_text(z.re, style)).lay_out(&bare, 3, poll)?);
        im_spec.sign = Some(b'+');
    }
    out.extend(split_number(&float_text(z.im, style)).lay_out(&im_spec, 3, poll)?);
    out.push(b'j');
    if plain && !imaginary_only {
        out.push(b')');
    }
    spec.pad(Text::new(&out), Align::Right, poll)
}
