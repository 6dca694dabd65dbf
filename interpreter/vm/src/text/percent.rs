//! `%` formatting: the template taken apart into literals and directives (the VM finds the
//! value of each), and the formatting of a value by a directive.

use super::format::{self, FloatStyle, float_text};
use super::layout::fill;
use super::wtf8::{self, Text};
use crate::fault::{Fault, Poll};
use crate::num::int::Int;
use std::ops::Range;

/// A width or precision of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Not given.
    None,
    /// In the template.
    Fixed(usize),
    /// `*`: the next value, through [`Directive::set_width`] or [`Directive::set_precision`].
    Star,
}

impl Size {
    fn get(self) -> Option<usize> {
        if let Size::Fixed(n) = self { Some(n) } else { None }
    }
}

/// One `%...` of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Byte range of the mapping key, if there is one: the value (and no other) comes from it.
    pub key: Option<Range<usize>>,
    /// `-`
    pub left: bool,
    /// `+`
    pub plus: bool,
    /// Space.
    pub blank: bool,
    /// `#`
    pub alternate: bool,
    /// `0`
    pub zero: bool,
    /// Smallest width.
    pub width: Size,
    /// Precision.
    pub precision: Size,
    /// The conversion: one of `diouxXeEfFgGcrsa%`, and `b` in `bytes`. `%` takes no value (but a
    /// key is looked up).
    pub conversion: u8,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Text to copy.
    Literal(Range<usize>),
    /// A value to format.
    Directive(Directive),
}

/// A template being taken apart.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    text: &'a [u8],
    at: usize,
    is_bytes: bool,
    mapping: bool,
}

impl<'a> Template<'a> {
    /// A template of `str % value`, or of `bytes % value`; `mapping` if the value can serve
    /// directives with a key (it is subscriptable and no tuple, nor a string of its own).
    pub fn new(text: &'a [u8], is_bytes: bool, mapping: bool) -> Template<'a> {
        Template { text, at: 0, is_bytes, mapping }
    }

    /// The template from an offset on that [`Template::offset`] gave.
    pub fn resume(mut self, at: usize) -> Template<'a> {
        self.at = at;
        self
    }

    /// Where the next part begins.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The next part.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Step, Fault>> {
        let rest = self.text.get(self.at..).filter(|r| !r.is_empty())?;
        let start = self.at;
        match memchr::memchr(b'%', rest) {
            Some(0) => {
                self.at += 1;
                let step = self.directive().map(Step::Directive);
                if step.is_err() {
                    self.at = self.text.len();
                }
                Some(step)
            }
            found => {
                self.at = found.map_or(self.text.len(), |n| start + n);
                Some(Ok(Step::Literal(start..self.at)))
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn directive(&mut self) -> Result<Directive, Fault> {
        let begin = self.at;
        let mut d = Directive {
            key: None,
            left: false,
            plus: false,
            blank: false,
            alternate: false,
            zero: false,
            width: Size::None,
            precision: Size::None,
            conversion: 0,
        };
        if self.peek() == Some(b'(') {
            if !self.mapping {
                return Err(Fault::type_error("format requires a mapping"));
            }
            d.key = Some(self.key()?);
        }
        while let Some(flag) = self.peek() {
            match flag {
                b'-' => d.left = true,
                b'+' => d.plus = true,
                b' ' => d.blank = true,
                b'#' => d.alternate = true,
                b'0' => d.zero = true,
                _ => break,
            }
            self.at += 1;
        }
        d.width = self.size("width too big", isize::MAX as usize)?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            d.precision = match self.size("precision too big", i32::MAX as usize)? {
                Size::None => Size::Fixed(0),
                given => given,
            };
        }
        if matches!(self.peek(), Some(b'h' | b'l' | b'L')) {
            self.at += 1;
        }
        let found = if self.is_bytes {
            self.peek().map(|b| (b as u32, self.at + 1))
        } else {
            wtf8::decode(self.text, self.at)
        };
        let (cp, next) = found.ok_or_else(|| Fault::value("incomplete format"))?;
        d.conversion = match u8::try_from(cp) {
            Ok(b'b') if self.is_bytes => b'b',
            Ok(b'%') if self.at == begin => b'%',
            Ok(c) if b"diouxXeEfFgGcrsa".contains(&c) => c,
            _ => return Err(self.unsupported(cp)),
        };
        self.at = next;
        Ok(d)
    }

    fn unsupported(&self, cp: u32) -> Fault {
        if self.is_bytes && cp >= 0x80 {
            // CPython fails to print the message, and says so instead.
            return Fault::overflow("character argument not in range(0x110000)");
        }
        let shown = match char::from_u32(cp) {
            Some(c) if (31..127).contains(&cp) || self.is_bytes => c,
            _ => '?',
        };
        let index = if self.is_bytes { self.at } else { wtf8::len(&self.text[..self.at]) };
        Fault::value(format!("unsupported format character '{shown}' (0x{cp:x}) at index {index}"))
    }

    /// The key in brackets, which may nest.
    fn key(&mut self) -> Result<Range<usize>, Fault> {
        let start = self.at + 1;
        let mut depth = 0usize;
        for (n, b) in self.text[self.at..].iter().enumerate() {
            match b {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let end = self.at + n;
                self.at = end + 1;
                return Ok(start..end);
            }
        }
        Err(Fault::value("incomplete format key"))
    }

    fn size(&mut self, too_big: &'static str, max: usize) -> Result<Size, Fault> {
        if self.peek() == Some(b'*') {
            self.at += 1;
            return Ok(Size::Star);
        }
        let mut size = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            let value = size.unwrap_or(0usize).checked_mul(10);
            let value = value.and_then(|n| n.checked_add((digit - b'0') as usize));
            size = Some(value.filter(|n| *n <= max).ok_or_else(|| Fault::value(too_big))?);
            self.at += 1;
        }
        Ok(size.map_or(Size::None, Size::Fixed))
    }
}

impl Directive {
    /// Gives the width its value for `*`; a negative one also justifies to the left.
    pub fn set_width(&mut self, width: i64) {
        self.left |= width < 0;
        self.width = Size::Fixed(usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX));
    }

    /// Gives the precision its value for `*`; a negative one counts as 0.
    pub fn set_precision(&mut self, precision: i32) {
        self.precision = Size::Fixed(precision.max(0) as usize);
    }

    /// Formats the text of `%s`, `%r`, `%a`, `%b` (cut to the precision) and `%c` (not cut).
    /// For `bytes` pass a `Text` whose `len` is the number of bytes.
    pub fn format_text(&self, out: &mut Vec<u8>, text: Text, poll: Poll<'_>) -> Result<(), Fault> {
        let cut = self.precision.get().filter(|_| self.conversion != b'c');
        let len = cut.unwrap_or(usize::MAX).min(text.len);
        let bytes = text.slice(0, len);
        let pad = self.width.get().unwrap_or(0).saturating_sub(len);
        fill(out, b' ' as u32, if self.left { 0 } else { pad }, poll)?;
        out.try_reserve(bytes.len())?;
        out.extend_from_slice(bytes);
        fill(out, b' ' as u32, if self.left { pad } else { 0 }, poll)?;
        Ok(())
    }

    /// Formats an int by `%d`, `%i`, `%u`, `%o`, `%x` or `%X`.
    pub fn format_int(
        &self,
        out: &mut Vec<u8>,
        n: &Int,
        max_digits: usize,
        poll: Poll,
    ) -> Result<(), Fault> {
        let letter = self.conversion as char;
        let (mut digits, negative) = format::digits_in(n, letter, max_digits, poll)?;
        let prefix = match letter {
            'o' if self.alternate => "0o",
            'x' if self.alternate => "0x",
            'X' if self.alternate => "0X",
            _ => "",
        };
        let zeros = self.precision.get().unwrap_or(0).saturating_sub(digits.len());
        if zeros > 0 {
            let mut padded = Vec::new();
            fill(&mut padded, b'0' as u32, zeros, poll)?;
            padded.extend_from_slice(digits.as_bytes());
            digits = String::from_utf8(padded).unwrap_or_default();
        }
        self.put_number(out, negative, prefix, &digits, poll)
    }

    /// Formats a float by `%e`, `%f`, `%g` or the upper case of one.
    pub fn format_float(&self, out: &mut Vec<u8>, x: f64, poll: Poll<'_>) -> Result<(), Fault> {
        let style = FloatStyle {
            letter: self.conversion,
            precision: self.precision.get().unwrap_or(6),
            alternate: self.alternate,
            point_zero: false,
            no_negative_zero: false,
        };
        Vec::<u8>::new().try_reserve(style.precision)?;
        let text = float_text(x, style);
        let unsigned = text.strip_prefix('-').unwrap_or(&text);
        self.put_number(out, unsigned.len() < text.len(), "", unsigned, poll)
    }

    fn put_number(
        &self,
        out: &mut Vec<u8>,
        negative: bool,
        prefix: &str,
        digits: &str,
        poll: Poll<'_>,
    ) -> Result<(), Fault> {
        let sign = match () {
            _ if negative => "-",
            _ if self.plus => "+",
            _ if self.blank => " ",
            _ => "",
        };
        let len = sign.len() + prefix.len() + digits.len();
        let pad = self.width.get().unwrap_or(0).saturating_sub(len);
        let (before, zeros, after) = match () {
            _ if self.left => (0, 0, pad),
            _ if self.zero => (0, pad, 0),
            _ => (pad, 0, 0),
        };
        fill(out, b' ' as u32, before, poll)?;
        out.extend_from_slice(sign.as_bytes());
        out.extend_from_slice(prefix.as_bytes());
        fill(out, b'0' as u32, zeros, poll)?;
        out.try_reserve(digits.len())?;
        out.extend_from_slice(digits.as_bytes());
        fill(out, b' ' as u32, after, poll)?;
        Ok(())
    }
}
