//! `strftime`, in the C locale, with the flags and widths of the GNU library.

use std::fmt::Write as _;

use super::civil::{Fields, MONTHS, WEEKDAYS};

/// How a number or text is padded.
#[derive(Clone, Copy, Default)]
struct Style {
    pad: Option<char>,
    width: usize,
    upper: bool,
    swap: bool,
}

/// The text; `step` is called for each directive and may end it.
pub(super) fn strftime<E>(
    format: &str,
    t: &Fields,
    seconds: impl Fn(&Fields) -> i64,
    mut step: impl FnMut() -> Result<(), E>,
) -> Result<String, E> {
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        step()?;
        if c != '%' {
            out.push(c);
            continue;
        }
        let from = rest.clone();
        let mut style = Style::default();
        let mut directive = rest.next();
        while let Some(flag @ ('-' | '_' | '0' | '^' | '#')) = directive {
            match flag {
                '^' => style.upper = true,
                '#' => style.swap = true,
                pad => style.pad = Some(pad),
            }
            directive = rest.next();
        }
        while let Some(digit) = directive.and_then(|c| c.to_digit(10)) {
            style.width = (style.width * 10 + digit as usize).min(4096);
            directive = rest.next();
        }
        if let Some('E' | 'O') = directive {
            directive = rest.next();
        }
        let known = directive.is_some_and(|d| put(&mut out, d, style, t, &seconds));
        if !known {
            // As it stands there.
            out.push('%');
            let skipped = from.as_str().len() - rest.as_str().len();
            out.push_str(&from.as_str()[..skipped]);
        }
    }
    Ok(out)
}

fn put(
    out: &mut String,
    directive: char,
    style: Style,
    t: &Fields,
    seconds: &dyn Fn(&Fields) -> i64,
) -> bool {
    let number = |out: &mut String, n: i64, width: usize, pad: char| {
        put_number(out, n, width, pad, style);
    };
    let weekday = WEEKDAYS[t.weekday.rem_euclid(7) as usize];
    let month = MONTHS[(t.month - 1).rem_euclid(12) as usize];
    let hour12 = if t.hour % 12 == 0 { 12 } else { t.hour % 12 };
    let composed = |inner: &str| strftime::<()>(inner, t, seconds, || Ok(())).unwrap_or_default();
    match directive {
        'a' => put_text(out, &weekday[..3], style),
        'A' => put_text(out, weekday, style),
        'b' | 'h' => put_text(out, &month[..3], style),
        'B' => put_text(out, month, style),
        'c' => put_text(out, &composed("%a %b %e %H:%M:%S %Y"), style),
        'C' => number(out, t.year.div_euclid(100), 2, '0'),
        'd' => number(out, t.day, 2, '0'),
        'D' | 'x' => put_text(out, &composed("%m/%d/%y"), style),
        'e' => number(out, t.day, 2, ' '),
        'F' => put_text(out, &composed("%Y-%m-%d"), style),
        'g' => number(out, t.iso_week().0.rem_euclid(100), 2, '0'),
        'G' => number(out, t.iso_week().0, 1, '0'),
        'H' => number(out, t.hour, 2, '0'),
        'I' => number(out, hour12, 2, '0'),
        'j' => number(out, t.yearday, 3, '0'),
        'k' => number(out, t.hour, 2, ' '),
        'l' => number(out, hour12, 2, ' '),
        'm' => number(out, t.month, 2, '0'),
        'M' => number(out, t.minute, 2, '0'),
        'n' => out.push('\n'),
        'p' => put_capitals(out, if t.hour < 12 { "AM" } else { "PM" }, style),
        'P' => put_text(out, if t.hour < 12 { "am" } else { "pm" }, style),
        'r' => put_text(out, &composed("%I:%M:%S %p"), style),
        'R' => put_text(out, &composed("%H:%M"), style),
        's' => number(out, seconds(t), 1, '0'),
        'S' => number(out, t.second, 2, '0'),
        't' => out.push('\t'),
        'T' | 'X' => put_text(out, &composed("%H:%M:%S"), style),
        'u' => number(out, t.weekday + 1, 1, '0'),
        'U' => number(out, (t.yearday + 6 - (t.weekday + 1) % 7) / 7, 2, '0'),
        'V' => number(out, t.iso_week().1, 2, '0'),
        'w' => number(out, (t.weekday + 1) % 7, 1, '0'),
        'W' => number(out, (t.yearday + 6 - t.weekday) / 7, 2, '0'),
        'y' => number(out, t.year.rem_euclid(100), 2, '0'),
        'Y' => number(out, t.year, 1, '0'),
        'z' => {
            let offset = t.offset.unwrap_or(0);
            let sign = if offset < 0 { '-' } else { '+' };
            let offset = offset.abs();
            let _ = write!(out, "{sign}{:02}{:02}", offset / 3600, offset / 60 % 60);
        }
        'Z' => put_capitals(out, t.zone.as_deref().unwrap_or(""), style),
        '%' => out.push('%'),
        _ => return false,
    }
    true
}

fn put_number(out: &mut String, n: i64, width: usize, pad: char, style: Style) {
    let pad = match style.pad {
        Some('-') => None,
        Some('_') => Some(' '),
        Some(_) => Some('0'),
        None => Some(pad),
    };
    let digits = n.unsigned_abs().to_string();
    let sign = if n < 0 { "-" } else { "" };
    let used = digits.len() + sign.len();
    let missing = width.max(style.width).saturating_sub(used);
    match pad {
        Some('0') => {
            out.push_str(sign);
            out.extend(std::iter::repeat_n('0', missing));
        }
        Some(pad) => {
            out.extend(std::iter::repeat_n(pad, missing));
            out.push_str(sign);
        }
        None => out.push_str(sign),
    }
    out.push_str(&digits);
}

/// A text that is in capitals: `#` makes them small.
fn put_capitals(out: &mut String, text: &str, style: Style) {
    if style.swap {
        put_text(out, &text.to_lowercase(), Style { upper: false, swap: false, ..style });
    } else {
        put_text(out, text, style);
    }
}

fn put_text(out: &mut String, text: &str, style: Style) {
    let pad = if style.pad == Some('0') { '0' } else { ' ' };
    out.extend(std::iter::repeat_n(pad, style.width.saturating_sub(text.chars().count())));
    if style.upper || (style.swap && text.chars().any(char::is_lowercase)) {
        out.push_str(&text.to_uppercase());
    } else {
        out.push_str(text);
    }
}
