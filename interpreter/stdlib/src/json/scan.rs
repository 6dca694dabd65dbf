//! The tokens of JSON text: strings and numbers. Places are byte offsets.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::NResult;
use miniscript_vm::num::Shown;
use miniscript_vm::num::{Int, int_text};
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

/// What is wrong, and at which byte.
#[derive(Clone, Copy)]
pub(super) struct Bad {
    pub(super) msg: &'static str,
    pub(super) at: usize,
}

/// A string's text: a part of the source, or put together of pieces and escapes.
pub(super) enum Text<'a> {
    Part(&'a [u8]),
    Made(Vec<u8>),
}

impl Text<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Text::Part(b) => b,
            Text::Made(b) => b,
        }
    }
}

/// A number's text ends at `end`.
pub(super) struct Number {
    pub(super) end: usize,
    pub(super) is_int: bool,
}

/// The first place from `at` on of a quote, a backslash or a control character.
fn special(text: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES * 0x80;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
    while let Some(chunk) = text.get(at..at + 8).and_then(|c| c.try_into().ok()) {
        let x = u64::from_le_bytes(chunk);
        let control = x.wrapping_sub(ONES * 0x20) & !x & HIGH;
        let found = zero(x ^ (ONES * 0x22)) | zero(x ^ (ONES * 0x5C)) | control;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let plain = |b: &u8| *b >= 0x20 && *b != b'"' && *b != b'\\';
    at + text.get(at..).map_or(0, |rest| rest.iter().take_while(|b| plain(b)).count())
}

/// The string whose opening quote is before `start`, and the place behind its closing quote.
pub(super) fn string(text: &[u8], start: usize, strict: bool) -> Result<(Text<'_>, usize), Bad> {
    let unterminated = Bad { msg: "Unterminated string starting at", at: start.wrapping_sub(1) };
    let mut made = Vec::new();
    let (mut from, mut at) = (start, start);
    loop {
        at = special(text, at);
        match text.get(at) {
            None => return Err(unterminated),
            Some(b'"') if made.is_empty() && from == start => {
                return Ok((Text::Part(&text[start..at]), at + 1));
            }
            Some(b'"') => {
                made.extend_from_slice(&text[from..at]);
                return Ok((Text::Made(made), at + 1));
            }
            Some(b'\\') => {
                made.extend_from_slice(&text[from..at]);
                at = escape(text, at + 1, &mut made)?.ok_or(unterminated)?;
                from = at;
            }
            Some(_) if strict => return Err(Bad { msg: "Invalid control character at", at }),
            Some(_) => at += 1,
        }
    }
}

/// Adds what the escape whose letter is at `at` stands for; the place behind it, or `None` if
/// the text ends here.
fn escape(text: &[u8], at: usize, out: &mut Vec<u8>) -> Result<Option<usize>, Bad> {
    let Some(&letter) = text.get(at) else { return Ok(None) };
    out.push(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => return unit(text, at, out).map(Some),
        _ => return Err(Bad { msg: "Invalid \\escape", at: at - 1 }),
    });
    Ok(Some(at + 1))
}

/// The escape `\uXXXX` whose `u` is at `at`; two that are a surrogate pair are one character.
fn unit(text: &[u8], at: usize, out: &mut Vec<u8>) -> Result<usize, Bad> {
    let first = hex4(text, at)?;
    let mut end = at + 5;
    let mut code = first;
    if (0xD800..0xDC00).contains(&first) && text.get(end..end + 2) == Some(b"\\u") {
        let second = hex4(text, end + 1)?;
        if (0xDC00..0xE000).contains(&second) {
            code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            end += 6;
        }
    }
    wtf8::push(out, code);
    Ok(end)
}

fn hex4(text: &[u8], at: usize) -> Result<u32, Bad> {
    let bad = Bad { msg: "Invalid \\uXXXX escape", at };
    let Some(digits) = text.get(at + 1..at + 5) else { return Err(bad) };
    let mut code = 0;
    for d in digits {
        match char::from(*d).to_digit(16) {
            Some(d) => code = code * 16 + d,
            None => return Err(bad),
        }
    }
    Ok(code)
}

/// The number at `at`; `None` if there is none.
pub(super) fn number(text: &[u8], at: usize) -> Option<Number> {
    let digits = |mut i: usize| {
        while text.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        i
    };
    let first = at + usize::from(text.get(at) == Some(&b'-'));
    let mut end = match text.get(first)? {
        b'0' => first + 1,
        b'1'..=b'9' => digits(first),
        _ => return None,
    };
    let mut is_int = true;
    if text.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        if after > end + 1 {
            (end, is_int) = (after, false);
        }
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let from = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let after = digits(from);
        if after > from {
            (end, is_int) = (after, false);
        }
    }
    Some(Number { end, is_int })
}

/// The int of some digits.
pub(super) fn int<'v>(vm: &'v Vm, digits: &[u8]) -> NResult<'v> {
    if digits.len() <= 18 {
        let (negative, body) = match digits {
            [b'-', body @ ..] => (true, body),
            body => (false, body),
        };
        let n = body.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'));
        return Ok(vm.int(if negative { -n } else { n }));
    }
    let max = vm.int_max_str_digits.get();
    match vm.polled(|poll| int_text::parse(digits, 10, Shown::Str, max, poll))? {
        Int::Small(n) => Ok(vm.int(n)),
        Int::Big(n) => Ok(vm.bigint(n)),
    }
}

/// The float of the text of a number.
pub(super) fn float(text: &[u8]) -> Value<'static> {
    let x = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    Value::float(x.unwrap_or(f64::NAN))
}

/// A str of a piece of text.
pub(super) fn make<'v>(vm: &'v Vm, text: Text<'_>) -> NResult<'v> {
    match text {
        Text::Part(b) if b.len() > 1 && b.is_ascii() => {
            vm.new_str(Type::Str.shape(), &[b], b.len(), b.len())
        }
        Text::Part(b) => vm.str_bytes(b),
        Text::Made(b) => vm.str_owned(b),
    }
}
