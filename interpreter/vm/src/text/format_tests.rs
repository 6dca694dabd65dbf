//! Formatting against CPython's results (see `oracle/gen_format.py`).

use super::percent::{self, Directive};
use super::strformat::{self, Access, Argument, Conversion, Numbering};
use super::wtf8::Text;
use super::{format, wtf8};
use crate::fault::{ErrKind, Fault, no_poll};
use crate::num::Int;
use crate::num::complex::Complex;
use num_bigint::BigInt;

fn unhex(word: &str) -> Vec<u8> {
    let digits = word.trim_end_matches('~');
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap_or(b'?'))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "~".into();
    }
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn fault(e: Fault) -> String {
    let class = match e.kind {
        ErrKind::Value => "ValueError",
        ErrKind::Overflow => "OverflowError",
        ErrKind::Type => "TypeError",
        other => panic!("{other:?} {}", e.message),
    };
    format!("!{class}:{}", e.message)
}

/// Applies a template in which every directive takes the same value.
fn percent(
    template: &[u8],
    is_bytes: bool,
    mapping: bool,
    apply: impl Fn(&Directive, &mut Vec<u8>) -> Result<(), Fault>,
) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    let mut steps = percent::Template::new(template, is_bytes, mapping);
    while let Some(step) = steps.next() {
        match step? {
            percent::Step::Literal(range) => out.extend_from_slice(&template[range]),
            percent::Step::Directive(d) => apply(&d, &mut out)?,
        }
    }
    Ok(out)
}

fn template(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut parts = Vec::new();
    // A literal before a doubled brace is handed out apart by neither side, but the error of a
    // field comes before the literal in front of it in CPython: only the error counts then.
    let mut steps = strformat::Template::new(text);
    while let Some(step) = steps.next() {
        parts.push(match step? {
            strformat::Step::Literal(literal) => format!("L{}", hex(literal)),
            strformat::Step::Field(f) => {
                let mut conversion = Vec::new();
                f.conversion.iter().for_each(|cp| wtf8::push(&mut conversion, *cp));
                format!("F{}:{}:{}", hex(f.name), hex(f.spec), hex(&conversion))
            }
        });
    }
    Ok(parts.join(" ").into_bytes())
}

fn name(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let (first, mut rest) = strformat::split_name(text, &mut Numbering::default())?;
    let mut parts = vec![match first {
        // CPython's helper does not number: it shows the empty name.
        Argument::Position(0) if text.first().is_none_or(|b| b".[".contains(b)) => "K~".into(),
        Argument::Position(n) => format!("P{n}"),
        Argument::Keyword(word) => format!("K{}", hex(word)),
    }];
    while let Some(access) = rest.next() {
        parts.push(match access? {
            Access::Attribute(word) => format!("A{}", hex(word)),
            Access::Index(n) => format!("I{n}"),
            Access::Key(word) => format!("S{}", hex(word)),
        });
    }
    Ok(parts.join(" ").into_bytes())
}

fn numbering(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut numbering = Numbering::default();
    let mut steps = strformat::Template::new(text);
    while let Some(step) = steps.next() {
        if let strformat::Step::Field(field) = step? {
            strformat::split_name(field.name, &mut numbering)?;
            field.conversion.map(Conversion::from_char).transpose()?;
        }
    }
    Ok(b"ok".to_vec())
}

fn call(op: &str, args: &[&str]) -> Result<Vec<u8>, Fault> {
    let text = |n: usize| unhex(args[n]);
    let float = |n: usize| args[n].parse::<f64>().unwrap();
    let int = |n: usize| Int::from(args[n].parse::<BigInt>().unwrap());
    let poll = || no_poll();
    match op {
        "float" => format::format_float(float(0), &text(1), "float", &mut no_poll),
        "int" => format::format_int(&int(0), &text(1), "int", 4300, &mut poll.clone()),
        "str" => format::format_str(Text::new(&text(0)), &text(1), "str", &mut no_poll),
        "complex" => format::format_complex(
            Complex { re: float(0), im: float(1) },
            &text(2),
            "complex",
            &mut no_poll,
        ),
        "%int" => percent(&text(0), false, false, |d, out| {
            d.format_int(out, &int(1), 4300, &mut poll.clone())
        }),
        "%float" => {
            percent(&text(0), false, false, |d, out| d.format_float(out, float(1), &mut no_poll))
        }
        "%text" => percent(&text(0), false, false, |d, out| {
            d.format_text(out, Text::new(&text(1)), &mut no_poll)
        }),
        "%bytes" => percent(&text(0), true, false, |d, out| {
            let bytes = text(1);
            d.format_text(out, Text { bytes: &bytes, len: bytes.len(), index: None }, &mut no_poll)
        }),
        "template" => template(&text(0)),
        "name" => name(&text(0)),
        "numbering" => numbering(&text(0)),
        other => panic!("{other}"),
    }
}

#[test]
fn formats_as_cpython_does() {
    let mut wrong = Vec::new();
    let cases = include_str!("../../oracle/format.txt");
    assert!(cases.lines().count() > 2500);
    for line in cases.lines() {
        let words: Vec<&str> = line.split('|').collect();
        let got = call(words[0], &words[1..words.len() - 1]);
        let got = got.map_or_else(fault, |text| hex(&text));
        let want = words[words.len() - 1];
        if got != want {
            let plain = |s: &str| String::from_utf8_lossy(&unhex(s)).into_owned();
            let args: Vec<String> = words[1..words.len() - 1]
                .iter()
                .map(|a| {
                    if a.len() % 2 == 0 && !a.contains(['.', '-']) {
                        plain(a)
                    } else {
                        a.to_string()
                    }
                })
                .collect();
            let show = |s: &str| if s.starts_with('!') { s.to_owned() } else { plain(s) };
            wrong.push(format!("{} {args:?} want {} got {}", words[0], show(want), show(&got)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

#[test]
fn keys_and_stars_are_the_callers() {
    let text = b"%(a(b)c)-5s|%*.*d";
    let mut steps = percent::Template::new(text, false, true);
    let Some(Ok(percent::Step::Directive(d))) = steps.next() else { panic!() };
    assert_eq!(d.key.map(|r| &text[r]), Some(&b"a(b)c"[..]));
    assert!(d.left);
    assert_eq!(steps.next(), Some(Ok(percent::Step::Literal(11..12))));
    let Some(Ok(percent::Step::Directive(mut d))) = steps.next() else { panic!() };
    assert_eq!((d.width, d.precision), (percent::Size::Star, percent::Size::Star));
    d.set_width(-6);
    d.set_precision(3);
    let mut out = Vec::new();
    d.format_int(&mut out, &Int::Small(7), 0, &mut no_poll).unwrap();
    assert_eq!(out, b"007   ");
    assert_eq!(steps.next(), None);
    let open = percent::Template::new(b"%(a(b)", false, true).next().unwrap().unwrap_err();
    assert_eq!(open.message, "incomplete format key");
}

#[test]
fn sizes_can_be_checked_beforehand() {
    assert_eq!(format::size_hint(b"*>30.5f"), 30);
    assert_eq!(format::size_hint(b"7.1000000000000000000000f"), 7);
    assert_eq!(format::size_hint(b""), 0);
    let wide = format::format_str(Text::new(b"a"), b"9223372036854775807", "str", &mut no_poll);
    assert_eq!(wide.unwrap_err().kind, ErrKind::Memory);
    let long = format::format_int(&Int::Small(1), b"09223372036854775807,", "int", 0, &mut no_poll);
    assert_eq!(long.unwrap_err().kind, ErrKind::Memory);
}

#[test]
fn specs_of_width_alone_are_told_from_others() {
    assert_eq!(format::plain_width(b"d"), Some((0, b' ')));
    assert_eq!(format::plain_width(b"5"), Some((5, b' ')));
    assert_eq!(format::plain_width(b"03d"), Some((3, b'0')));
    assert_eq!(format::plain_width(b"12"), Some((12, b' ')));
    for other in [&b"00d"[..], b"123", b"<5", b"5x", b".2", b"dd", b"+3d", b"3,d"] {
        assert_eq!(format::plain_width(other), None, "{other:?}");
    }
}
