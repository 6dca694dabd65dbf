//! Pseudo-random input: nothing panics, and what is built is well formed.

use super::codec::{self, Encoding, Handler};
use super::split::{self, Kind, Side};
use super::strformat::{self, Numbering};
use super::wtf8::{self, Text};
use super::{case, find, format, layout, percent, repr};
use crate::fault::no_poll;
use crate::num::complex::{self, Complex};
use crate::num::{Int, Shown, float, int_text};

struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) as usize % n
    }

    fn pick(&mut self, alphabet: &[&[u8]], most: usize) -> Vec<u8> {
        (0..self.below(most)).flat_map(|_| alphabet[self.below(alphabet.len())].to_vec()).collect()
    }
}

const BYTES: &[&[u8]] = &[
    b"a",
    b" ",
    b"\n",
    b"\x80",
    b"\xc3",
    b"\xc3\xa9",
    b"\xe2\x82\xac",
    b"\xed\xa0\x80",
    b"\xed",
    b"\xf0\x9f",
    b"\xf0\x9f\x98\x80",
    b"\xff",
    b"\xce\xa3",
    b"\0",
    b"\xd8",
    b"\xdc",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\t",
];

const SYNTAX: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b".",
    b":",
    b"!",
    b"%",
    b"(",
    b")",
    b"0",
    b"9",
    b"17",
    b"#",
    b"+",
    b"-",
    b" ",
    b"d",
    b"s",
    b"r",
    b"c",
    b"x",
    b"e",
    b"g",
    b"n",
    b"_",
    b",",
    b"=",
    b"<",
    b"^",
    b"z",
    b"*",
    b"\xc3\xa9",
    b"j",
    b"p",
    b"0x",
    b"inf",
    b"nan",
    b"\xd9\xa3",
];

const ENCODINGS: [&str; 10] = [
    "utf-8",
    "UTF8-SIG",
    "ascii",
    "latin 1",
    "utf_16",
    "utf-16le",
    "utf-16-be",
    "utf32",
    "utf-32-le",
    "utf-32-be",
];

const HANDLERS: [&str; 7] = [
    "strict",
    "ignore",
    "replace",
    "backslashreplace",
    "surrogateescape",
    "surrogatepass",
    "xmlcharrefreplace",
];

#[test]
fn decoded_text_is_always_well_formed() {
    let mut rng = Rng(42);
    for _ in 0..6000 {
        let bytes = rng.pick(BYTES, 9);
        let encoding = Encoding::lookup(ENCODINGS[rng.below(10)]).unwrap();
        let errors = Handler::lookup(HANDLERS[rng.below(7)]).unwrap();
        if let Ok(text) = codec::decode(&bytes, encoding, errors) {
            assert!(wtf8::scan(&text).is_ok(), "{bytes:x?} {encoding:?} {errors:?}");
            for to in ENCODINGS {
                let _ = codec::encode(&text, Encoding::lookup(to).unwrap(), errors);
            }
            for built in [repr::str(&text), repr::ascii(&text), repr::bytes(&text)] {
                assert!(std::str::from_utf8(&built.unwrap()).is_ok());
            }
            for built in [case::upper(&text), case::lower(&text), case::title(&text)] {
                assert!(wtf8::scan(&built.unwrap()).is_ok());
            }
            for range in
                split::split_space(&text, 3, Kind::Str).chain(split::lines(&text, true, Kind::Str))
            {
                assert!(wtf8::scan(&text[range]).is_ok());
            }
        }
    }
}

#[test]
fn malformed_storage_does_no_harm() {
    let mut rng = Rng(7);
    for _ in 0..6000 {
        let (bytes, other) = (rng.pick(BYTES, 9), rng.pick(BYTES, 3));
        let text = Text::new(&bytes);
        let (i, j) = (rng.below(12) as i64 - 4, rng.below(12) as i64 - 4);
        let _ = (text.find(&other, i, j), text.rfind(&other, i, j), text.count(&other, i, j));
        let _ = (text.starts_with(&other, i, j), text.ends_with(&other, i, j));
        let _ = text.slice_step(rng.below(9), i as isize, rng.below(9));
        let _ = (case::swapcase(&bytes), case::capitalize(&bytes), case::casefold(&bytes));
        let _ = (case::is_title(&bytes), case::is_identifier(&bytes), repr::str(&bytes));
        let _ = (
            layout::zfill(text, j, &mut no_poll),
            layout::expand_tabs(&bytes, i, true, &mut no_poll),
        );
        let _ = find::replace(
            &bytes,
            &other,
            b"xy",
            rng.below(4),
            find::Unit::CodePoint,
            |_| Ok(()),
            &mut no_poll,
        );
        let _ = split::strip_chars(&bytes, &other, Side::Both);
        let _ = split::rsplit_space(&bytes, 2, Kind::Str).count();
        let _ = split::rsplit(&bytes, &other, 9).count() + split::split(&bytes, &other, 9).count();
        let _ = codec::encode(&bytes, Encoding::Utf16, Handler::SurrogatePass);
    }
}

#[test]
fn malformed_templates_and_numbers_do_no_harm() {
    let mut rng = Rng(11);
    for _ in 0..20_000 {
        let text = rng.pick(SYNTAX, 9);
        let mut steps = strformat::Template::new(&text);
        let mut numbering = Numbering::default();
        while let Some(Ok(step)) = steps.next() {
            if let strformat::Step::Field(field) = step
                && let Ok((_, mut rest)) = strformat::split_name(field.name, &mut numbering)
            {
                while let Some(Ok(_)) = rest.next() {}
            }
        }
        assert_eq!(steps.next(), None);
        let mut steps = percent::Template::new(&text, rng.below(2) == 0, true);
        while let Some(Ok(step)) = steps.next() {
            if let percent::Step::Directive(d) = step {
                let mut out = Vec::new();
                let _ = d.format_int(&mut out, &Int::Small(-7), 9, &mut no_poll);
                let _ = d.format_float(&mut out, 2.5, &mut no_poll);
                let _ = d.format_text(&mut out, Text::new(&text), &mut no_poll);
            }
        }
        if format::size_hint(&text) < 100_000 {
            let _ = format::format_int(&Int::Small(-70_000), &text, "int", 9, &mut no_poll);
            let _ = format::format_float(-1.5e-7, &text, "float", &mut no_poll);
            let _ = format::format_complex(
                Complex { re: 1.0, im: -0.0 },
                &text,
                "complex",
                &mut no_poll,
            );
            let _ = format::format_str(Text::new(&text), &text, "str", &mut no_poll);
        }
        let _ = (float::parse(&text, Shown::Str), float::from_hex(&text), complex::parse(&text));
        for base in [0, 2, 10, 16, 36, 99] {
            let _ = int_text::parse(&text, base, Shown::Bytes, 5, &mut no_poll);
        }
    }
}
