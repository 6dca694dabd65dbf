//! `str` and `bytes` methods against CPython's results (see `oracle/gen_text.py`), and the
//! tables against the whole of Unicode (see `oracle/gen_ucd.py`).

use super::case::Class;
use super::codec::{CodecError, Encoding, Handler};
use super::find::Unit;
use super::layout::Justify;
use super::split::{Kind, Side};
use super::wtf8::Text;
use super::{AllocError, case, codec, find, layout, repr, split, wtf8};
use crate::fault::no_poll;
use std::ops::Range;

fn unhex(word: &str) -> Vec<u8> {
    let digits = word.trim_end_matches('~');
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[i * 2..i * 2 + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "~".into();
    }
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn list(pieces: impl IntoIterator<Item = String>) -> String {
    let all: Vec<String> = pieces.into_iter().collect();
    if all.is_empty() { "-".into() } else { all.join(",") }
}

fn ranges(hay: &[u8], pieces: impl Iterator<Item = Range<usize>>) -> String {
    list(pieces.map(|r| hex(&hay[r])))
}

fn reversed(hay: &[u8], pieces: impl Iterator<Item = Range<usize>>) -> String {
    let mut all: Vec<Range<usize>> = pieces.collect();
    all.reverse();
    ranges(hay, all.into_iter())
}

fn max(n: i64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn flag(b: bool) -> String {
    (b as u8).to_string()
}

fn index(found: Option<usize>) -> String {
    found.map_or("-1".into(), |n| n.to_string())
}

fn coded(result: Result<std::borrow::Cow<[u8]>, CodecError>) -> String {
    match result {
        Ok(bytes) => hex(&bytes),
        Err(CodecError::Coding(e)) => {
            format!("!{},{},{},{}", e.encoding, e.start, e.end, e.reason)
        }
        Err(e) => format!("{e:?}"),
    }
}

fn partition(hay: &[u8], sep: &[u8], last: bool) -> String {
    let found = if last { split::rpartition(hay, sep) } else { split::partition(hay, sep) };
    list(match (found, last) {
        (Some((a, b)), _) => [hex(a), hex(sep), hex(b)],
        (None, false) => [hex(hay), "~".into(), "~".into()],
        (None, true) => ["~".into(), "~".into(), hex(hay)],
    })
}

fn call(method: &str, args: &[&str]) -> String {
    let s = unhex(args[0]);
    let arg = |n: usize| unhex(args[n]);
    let name = |n: usize| String::from_utf8(arg(n)).unwrap();
    let int = |n: usize| args[n].parse::<i64>().unwrap();
    let text = Text::new(&s);
    let strip = |side| {
        let chars = arg(1);
        let left = if chars.is_empty() {
            split::strip_space(&s, side, Kind::Str)
        } else {
            split::strip_chars(&s, &chars, side)
        };
        hex(&s[left])
    };
    let justify = |with, how| {
        hex(&layout::justify(text, int(1), with, how, &mut no_poll)
            .unwrap()
            .unwrap_or_else(|| s.clone()))
    };
    match method {
        "upper" => hex(&case::upper(&s).unwrap()),
        "lower" => hex(&case::lower(&s).unwrap()),
        "title" => hex(&case::title(&s).unwrap()),
        "capitalize" => hex(&case::capitalize(&s).unwrap()),
        "swapcase" => hex(&case::swapcase(&s).unwrap()),
        "casefold" => hex(&case::casefold(&s).unwrap()),
        "isupper" => flag(case::is_upper(&s)),
        "islower" => flag(case::is_lower(&s)),
        "istitle" => flag(case::is_title(&s)),
        "isidentifier" => flag(case::is_identifier(&s)),
        "isalpha" => flag(case::all(&s, Class::Alpha)),
        "isalnum" => flag(case::all(&s, Class::Alnum)),
        "isdecimal" => flag(case::all(&s, Class::Decimal)),
        "isdigit" => flag(case::all(&s, Class::Digit)),
        "isnumeric" => flag(case::all(&s, Class::Numeric)),
        "isspace" => flag(case::all(&s, Class::Space)),
        "isprintable" => flag(case::all(&s, Class::Printable)),
        "repr" => hex(&repr::str(&s).unwrap()),
        "ascii" => hex(&repr::ascii(&s).unwrap()),
        "brepr" => hex(&repr::bytes(&s).unwrap()),
        "bupper" => hex(&case::ascii::upper(&s).unwrap()),
        "blower" => hex(&case::ascii::lower(&s).unwrap()),
        "btitle" => hex(&case::ascii::title(&s).unwrap()),
        "bcapitalize" => hex(&case::ascii::capitalize(&s).unwrap()),
        "bswapcase" => hex(&case::ascii::swapcase(&s).unwrap()),
        "bisalpha" => flag(case::ascii::is_alpha(&s)),
        "bisalnum" => flag(case::ascii::is_alnum(&s)),
        "bisdigit" => flag(case::ascii::is_digit(&s)),
        "bisspace" => flag(case::ascii::is_space(&s)),
        "bisupper" => flag(case::ascii::is_upper(&s)),
        "bislower" => flag(case::ascii::is_lower(&s)),
        "bistitle" => flag(case::ascii::is_title(&s)),
        "find" => index(text.find(&arg(1), int(2), int(3))),
        "rfind" => index(text.rfind(&arg(1), int(2), int(3))),
        "count" => text.count(&arg(1), int(2), int(3)).to_string(),
        "startswith" => flag(text.starts_with(&arg(1), int(2), int(3))),
        "endswith" => flag(text.ends_with(&arg(1), int(2), int(3))),
        "replace" | "breplace" => {
            let unit = if method == "replace" { Unit::CodePoint } else { Unit::Byte };
            let new =
                find::replace(&s, &arg(1), &arg(2), max(int(3)), unit, |_| Ok(()), &mut no_poll)
                    .unwrap();
            hex(&new.unwrap_or(s))
        }
        "split" => ranges(&s, split::split_space(&s, max(int(1)), Kind::Str)),
        "rsplit" => reversed(&s, split::rsplit_space(&s, max(int(1)), Kind::Str)),
        "bsplit" => ranges(&s, split::split_space(&s, max(int(1)), Kind::Bytes)),
        "brsplit" => reversed(&s, split::rsplit_space(&s, max(int(1)), Kind::Bytes)),
        "splitsep" => ranges(&s, split::split(&s, &arg(1), max(int(2)))),
        "rsplitsep" => reversed(&s, split::rsplit(&s, &arg(1), max(int(2)))),
        "partition" => partition(&s, &arg(1), false),
        "rpartition" => partition(&s, &arg(1), true),
        "strip" => strip(Side::Both),
        "lstrip" => strip(Side::Left),
        "rstrip" => strip(Side::Right),
        "bstrip" => hex(&s[split::strip_space(&s, Side::Both, Kind::Bytes)]),
        "splitlines" => ranges(&s, split::lines(&s, args[1] == "1", Kind::Str)),
        "bsplitlines" => ranges(&s, split::lines(&s, args[1] == "1", Kind::Bytes)),
        "center" => justify(0xE9, Justify::Center),
        "ljust" => justify(0x20, Justify::Left),
        "rjust" => justify(0x2A, Justify::Right),
        "zfill" => hex(&layout::zfill(text, int(1), &mut no_poll).unwrap().unwrap_or(s)),
        "expandtabs" => hex(&layout::expand_tabs(&s, int(1), true, &mut no_poll).unwrap()),
        "encode" | "decode" => {
            let encoding = Encoding::lookup(&name(1)).unwrap();
            let errors = Handler::lookup(&name(2)).unwrap();
            let run = if method == "encode" { codec::encode } else { codec::decode };
            coded(run(&s, encoding, errors))
        }
        other => panic!("method {other}"),
    }
}

#[test]
fn methods_give_what_cpython_gives() {
    let mut wrong = Vec::new();
    let cases = include_str!("../../oracle/text.txt");
    assert!(cases.lines().count() > 3000);
    for line in cases.lines() {
        let words: Vec<&str> = line.split('|').collect();
        let got = call(words[0], &words[1..words.len() - 1]);
        if got != words[words.len() - 1] {
            wrong.push(format!("{line}  got {got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(30)].join("\n")
    );
}

/// The CRC of zlib, bit by bit.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    let mut table = [0u32; 256];
    for (n, entry) in table.iter_mut().enumerate() {
        *entry =
            (0..8).fold(n as u32, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ c >> 1 } else { c >> 1 });
    }
    !bytes.fold(!0, |c, b| table[((c ^ b as u32) & 0xFF) as usize] ^ c >> 8)
}

#[test]
fn all_of_unicode_has_the_properties_cpython_knows() {
    let chars: Vec<Vec<u8>> = (0..=wtf8::MAX)
        .map(|cp| {
            let mut bytes = Vec::new();
            wtf8::push(&mut bytes, cp);
            bytes
        })
        .collect();
    let mut checked = 0;
    for line in include_str!("../../oracle/case_sums.txt").lines() {
        let (name, want) = line.split_once(' ').unwrap();
        let one = |f: fn(&[u8]) -> bool| crc32(chars.iter().map(|c| b'0' + f(c) as u8));
        let mapped = |f: fn(&[u8]) -> Result<Vec<u8>, AllocError>| {
            crc32(chars.iter().enumerate().flat_map(|(cp, c)| {
                let mut shown = format!("{cp:x}:");
                for (n, to) in wtf8::code_points(&f(c).unwrap()).enumerate() {
                    shown += if n > 0 { "," } else { "" };
                    shown += &format!("{to:x}");
                }
                shown.push(';');
                shown.into_bytes()
            }))
        };
        let got = match name {
            "upper" => mapped(case::upper),
            "lower" => mapped(case::lower),
            "title" => mapped(case::title),
            "casefold" => mapped(case::casefold),
            "swapcase" => mapped(case::swapcase),
            "capitalize" => mapped(case::capitalize),
            "isalpha" => one(|c| case::all(c, Class::Alpha)),
            "isalnum" => one(|c| case::all(c, Class::Alnum)),
            "isdecimal" => one(|c| case::all(c, Class::Decimal)),
            "isdigit" => one(|c| case::all(c, Class::Digit)),
            "isnumeric" => one(|c| case::all(c, Class::Numeric)),
            "isspace" => one(|c| case::all(c, Class::Space)),
            "isprintable" => one(|c| case::all(c, Class::Printable)),
            "isupper" => one(case::is_upper),
            "islower" => one(case::is_lower),
            "istitle" => one(case::is_title),
            "isidentifier" => one(case::is_identifier),
            "continues" => one(|c| case::is_identifier(&[b"a", c].concat())),
            other => panic!("{other}"),
        };
        assert_eq!(format!("{got:x}"), want, "{name}");
        checked += 1;
    }
    assert!(checked > 15);
    assert_eq!(case::decimal_value(0x0665), Some(5));
    assert_eq!(case::decimal_value(0x1D7FF), Some(9));
    assert_eq!(case::decimal_value(0xB2), None);
    assert_eq!(case::decimal_value(b'a' as u32), None);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let text = Text::new(b"ab");
    assert!(layout::justify(text, i64::MAX, 0x1F600, Justify::Center, &mut no_poll).is_err());
    assert!(layout::zfill(text, i64::MAX, &mut no_poll).is_err());
    assert!(layout::expand_tabs(b"a\tb\tc", i64::MAX, true, &mut no_poll).is_err());
    let table: [u8; 256] = std::array::from_fn(|b| b as u8 ^ 1);
    assert_eq!(layout::translate(b"abcd", Some(&table), b"b").unwrap(), b"`be");
}

#[test]
fn short_text_is_replaced_in_place_as_long_text_is() {
    let texts = ["", "a", "ab", "aba", "abab-ab", "aaaa", "xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy"];
    for hay in texts.map(|text| text.repeat(2)) {
        for (old, new) in [("a", ""), ("ab", "x"), ("aa", "ba"), ("xy", "x"), ("-", "-"), ("", "")]
        {
            for max in [0, 1, usize::MAX] {
                let (hay, old, new) = (hay.as_bytes(), old.as_bytes(), new.as_bytes());
                let mut out = [0; find::SHORT];
                let short = find::replace_short(hay, old, new, max, &mut out);
                let unit = find::Unit::CodePoint;
                let long = find::replace(hay, old, new, max, unit, |_| Ok(()), &mut no_poll);
                let long = long.unwrap_or_else(|e| panic!("{}", e.message));
                assert_eq!(short.map(|n| &out[..n]), long.as_deref());
            }
        }
    }
}
