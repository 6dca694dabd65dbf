//! Character properties and case mappings, with the Unicode 15.0 data of CPython 3.12.
//!
//! The tables are our own because the ones of Rust's library and of the usual crates belong to
//! whatever Unicode version those were built with.

use super::AllocError;
use super::ucd::{RUNS, ZEROS};
use super::ucd_case::{FOLD, LOWER, LOWER_LONG, TITLE, UPPER, UPPER_LONG};
use super::wtf8::{self, code_points};

const ALPHA: u32 = 1;
const DECIMAL: u32 = 1 << 1;
const DIGIT: u32 = 1 << 2;
const NUMERIC: u32 = 1 << 3;
const PRINTABLE: u32 = 1 << 4;
const UPPERCASE: u32 = 1 << 5;
const LOWERCASE: u32 = 1 << 6;
const TITLECASE: u32 = 1 << 7;
const IGNORABLE: u32 = 1 << 8;
const XID_START: u32 = 1 << 9;
const XID_CONTINUE: u32 = 1 << 10;
const CASED: u32 = UPPERCASE | LOWERCASE | TITLECASE;
const FLAG_BITS: u32 = 11;

fn lookup(cp: u32) -> u32 {
    let after = RUNS.partition_point(|run| run >> FLAG_BITS <= cp);
    RUNS.get(after.wrapping_sub(1)).map_or(0, |run| run & ((1 << FLAG_BITS) - 1))
}

/// The flags of ASCII, found without a search.
const ASCII: [u32; 128] = {
    let mut table = [0; 128];
    let mut run = 0;
    while run + 1 < RUNS.len() && RUNS[run] >> FLAG_BITS < 128 {
        let mut cp = (RUNS[run] >> FLAG_BITS) as usize;
        while cp < 128 && (cp as u32) < RUNS[run + 1] >> FLAG_BITS {
            table[cp] = RUNS[run] & ((1 << FLAG_BITS) - 1);
            cp += 1;
        }
        run += 1;
    }
    table
};

#[inline]
fn flags(cp: u32) -> u32 {
    match ASCII.get(cp as usize) {
        Some(flags) => *flags,
        None => lookup(cp),
    }
}

/// Whether `str.isspace` holds for a code point: what `split()` and `strip()` take as space.
#[inline]
pub fn is_space(cp: u32) -> bool {
    match cp {
        0x20 | 9..=13 | 0x1C..=0x1F => true,
        0..0x80 => false,
        0x85 | 0xA0 | 0x1680 | 0x2000..=0x200A => true,
        0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000 => true,
        _ => false,
    }
}

/// Whether `repr` shows a code point as it is.
#[inline]
pub fn is_printable(cp: u32) -> bool {
    flags(cp) & PRINTABLE != 0
}

/// Whether a code point is a letter.
pub fn is_alpha(cp: u32) -> bool {
    flags(cp) & ALPHA != 0
}

/// Whether a code point is a letter or a number.
pub fn is_alnum(cp: u32) -> bool {
    flags(cp) & (ALPHA | DECIMAL | DIGIT | NUMERIC) != 0
}

/// The value of a decimal digit of any script.
#[inline]
pub fn decimal_value(cp: u32) -> Option<u32> {
    if cp < 0x80 {
        return cp.checked_sub(0x30).filter(|d| *d < 10);
    }
    let after = ZEROS.partition_point(|zero| *zero <= cp);
    let zero = ZEROS.get(after.wrapping_sub(1))?;
    (cp - zero < 10).then_some(cp - zero)
}

/// Whether an identifier may begin with a code point.
pub fn is_identifier_start(cp: u32) -> bool {
    flags(cp) & XID_START != 0
}

/// Whether an identifier may go on with a code point.
pub fn is_identifier_part(cp: u32) -> bool {
    flags(cp) & XID_CONTINUE != 0
}

/// A question `str.is...()` asks of every code point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `isalpha`
    Alpha,
    /// `isalnum`
    Alnum,
    /// `isdecimal`
    Decimal,
    /// `isdigit`
    Digit,
    /// `isnumeric`
    Numeric,
    /// `isspace`
    Space,
    /// `isprintable`
    Printable,
}

/// Whether a non-empty string is of one class throughout (`isprintable` also if empty).
pub fn all(bytes: &[u8], class: Class) -> bool {
    let mask = match class {
        Class::Alpha => ALPHA,
        Class::Alnum => ALPHA | DECIMAL | DIGIT | NUMERIC,
        Class::Decimal => DECIMAL,
        Class::Digit => DIGIT,
        Class::Numeric => NUMERIC,
        Class::Printable => PRINTABLE,
        Class::Space => return !bytes.is_empty() && code_points(bytes).all(is_space),
    };
    (class == Class::Printable || !bytes.is_empty())
        && code_points(bytes).all(|cp| flags(cp) & mask != 0)
}

fn is_one_case(bytes: &[u8], wanted: u32) -> bool {
    let mut seen = 0;
    for cp in code_points(bytes) {
        seen |= flags(cp) & CASED;
        if seen & !wanted != 0 {
            return false;
        }
    }
    seen != 0
}

/// `str.isupper()`
pub fn is_upper(bytes: &[u8]) -> bool {
    is_one_case(bytes, UPPERCASE)
}

/// `str.islower()`
pub fn is_lower(bytes: &[u8]) -> bool {
    is_one_case(bytes, LOWERCASE)
}

/// `str.istitle()`
pub fn is_title(bytes: &[u8]) -> bool {
    let (mut cased, mut after_cased) = (false, false);
    for cp in code_points(bytes) {
        let f = flags(cp);
        let starts = f & (UPPERCASE | TITLECASE) != 0;
        if starts && after_cased || f & LOWERCASE != 0 && !starts && !after_cased {
            return false;
        }
        after_cased = f & CASED != 0;
        cased |= after_cased;
    }
    cased
}

/// `str.isidentifier()`
pub fn is_identifier(bytes: &[u8]) -> bool {
    let mut cps = code_points(bytes);
    cps.next().is_some_and(is_identifier_start) && cps.all(is_identifier_part)
}

type Runs = [(u32, u32, u8, i32)];
type Long = [(u32, [u32; 3])];

/// What a code point becomes: up to three others, padded with 0.
type Mapped = [u32; 3];

fn mapped(cp: u32, runs: &Runs, long: &Long) -> Mapped {
    if let Ok(at) = long.binary_search_by_key(&cp, |m| m.0) {
        return long[at].1;
    }
    let after = runs.partition_point(|run| run.0 <= cp);
    match runs.get(after.wrapping_sub(1)) {
        Some(&(first, last, step, by))
            if cp <= last && (cp - first).is_multiple_of(step as u32) =>
        {
            [cp.wrapping_add_signed(by), 0, 0]
        }
        _ => [cp, 0, 0],
    }
}

fn upper_of(cp: u32) -> Mapped {
    if cp < 0x80 {
        return [(cp as u8).to_ascii_uppercase() as u32, 0, 0];
    }
    mapped(cp, &UPPER, &UPPER_LONG)
}

fn lower_of(cp: u32) -> Mapped {
    if cp < 0x80 {
        return [(cp as u8).to_ascii_lowercase() as u32, 0, 0];
    }
    mapped(cp, &LOWER, &LOWER_LONG)
}

/// The code point that stands for the lower case of one: the first of it.
#[inline]
pub fn lower_one(cp: u32) -> u32 {
    lower_of(cp)[0]
}

/// The upper case of a code point: up to three, then zeros.
pub fn upper_full(cp: u32) -> [u32; 3] {
    upper_of(cp)
}

/// All code points that have a lower or an upper case of their own, some of them twice.
pub fn cased() -> impl Iterator<Item = u32> {
    let runs = LOWER.iter().chain(&UPPER);
    let simple = runs.flat_map(|(first, last, step, _)| (*first..=*last).step_by(*step as usize));
    simple.chain(LOWER_LONG.iter().chain(&UPPER_LONG).map(|m| m.0))
}

fn title_of(cp: u32) -> Mapped {
    match TITLE.binary_search_by_key(&cp, |m| m.0) {
        Ok(at) => TITLE[at].1,
        Err(_) => upper_of(cp),
    }
}

fn fold_of(cp: u32) -> Mapped {
    match FOLD.binary_search_by_key(&cp, |m| m.0) {
        Ok(at) => FOLD[at].1,
        Err(_) => lower_of(cp),
    }
}

fn put(out: &mut Vec<u8>, to: Mapped) {
    wtf8::push(out, to[0]);
    to[1..].iter().filter(|cp| **cp != 0).for_each(|cp| wtf8::push(out, *cp));
}

const SIGMA: u32 = 0x3A3;

/// The lower case of a capital sigma depends on what is around it: final at the end of a word.
fn lower_sigma(bytes: &[u8], at: usize) -> Mapped {
    let cased = |cp: Option<u32>| cp.is_some_and(|cp| flags(cp) & CASED != 0);
    let ignorable = |cp: &u32| flags(*cp) & IGNORABLE != 0;
    let before = code_points(&bytes[..at]).rev().find(|cp| !ignorable(cp));
    let after = code_points(bytes.get(at + 2..).unwrap_or(&[])).find(|cp| !ignorable(cp));
    if cased(before) && !cased(after) { [0x3C2, 0, 0] } else { [0x3C3, 0, 0] }
}

fn lower_at(bytes: &[u8], at: usize, cp: u32) -> Mapped {
    if cp == SIGMA { lower_sigma(bytes, at) } else { lower_of(cp) }
}

/// Maps each code point by what it is and where it stands.
fn map(bytes: &[u8], mut f: impl FnMut(u32, usize) -> Mapped) -> Result<Vec<u8>, AllocError> {
    let mut out = Vec::new();
    out.try_reserve(bytes.len())?;
    let mut cps = code_points(bytes);
    loop {
        let at = cps.offset();
        let Some(cp) = cps.next() else { return Ok(out) };
        if out.capacity() - out.len() < 12 {
            out.try_reserve(12)?;
        }
        put(&mut out, f(cp, at));
    }
}

fn map_ascii(bytes: &[u8], f: impl FnMut(&u8) -> u8) -> Result<Vec<u8>, AllocError> {
    let mut out = super::find::reserved(Some(bytes.len()))?;
    out.extend(bytes.iter().map(f));
    Ok(out)
}

/// `str.upper()`
pub fn upper(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    if bytes.is_ascii() {
        return map_ascii(bytes, u8::to_ascii_uppercase);
    }
    map(bytes, |cp, _| upper_of(cp))
}

/// `str.lower()`
pub fn lower(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    if bytes.is_ascii() {
        return map_ascii(bytes, u8::to_ascii_lowercase);
    }
    map(bytes, |cp, at| lower_at(bytes, at, cp))
}

/// `str.casefold()`
pub fn casefold(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    if bytes.is_ascii() {
        return map_ascii(bytes, u8::to_ascii_lowercase);
    }
    map(bytes, |cp, _| fold_of(cp))
}

/// `str.capitalize()`
pub fn capitalize(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    map(bytes, |cp, at| if at == 0 { title_of(cp) } else { lower_at(bytes, at, cp) })
}

/// `str.title()`
pub fn title(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    let mut after_cased = false;
    map(bytes, |cp, at| {
        let to = if after_cased { lower_at(bytes, at, cp) } else { title_of(cp) };
        after_cased = flags(cp) & CASED != 0;
        to
    })
}

/// `str.swapcase()`
pub fn swapcase(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
    map(bytes, |cp, at| match flags(cp) & CASED {
        UPPERCASE => lower_at(bytes, at, cp),
        LOWERCASE => upper_of(cp),
        _ => [cp, 0, 0],
    })
}

/// The case methods of `bytes`, which know ASCII only.
pub mod ascii {
    use super::super::split::is_byte_space;
    use super::{AllocError, map_ascii};

    /// `bytes.upper()`
    pub fn upper(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
        map_ascii(bytes, u8::to_ascii_uppercase)
    }

    /// `bytes.lower()`
    pub fn lower(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
        map_ascii(bytes, u8::to_ascii_lowercase)
    }

    /// `bytes.swapcase()`
    pub fn swapcase(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
        map_ascii(bytes, |b| if b.is_ascii_alphabetic() { b ^ 0x20 } else { *b })
    }

    /// `bytes.capitalize()`
    pub fn capitalize(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
        let mut out = lower(bytes)?;
        if let Some(first) = out.first_mut() {
            first.make_ascii_uppercase();
        }
        Ok(out)
    }

    /// `bytes.title()`
    pub fn title(bytes: &[u8]) -> Result<Vec<u8>, AllocError> {
        let mut after_letter = false;
        map_ascii(bytes, |b| {
            let to = if after_letter { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() };
            after_letter = b.is_ascii_alphabetic();
            to
        })
    }

    fn all(bytes: &[u8], f: impl Fn(u8) -> bool) -> bool {
        !bytes.is_empty() && bytes.iter().all(|b| f(*b))
    }

    /// `bytes.isalpha()`
    pub fn is_alpha(bytes: &[u8]) -> bool {
        all(bytes, |b| b.is_ascii_alphabetic())
    }

    /// `bytes.isalnum()`
    pub fn is_alnum(bytes: &[u8]) -> bool {
        all(bytes, |b| b.is_ascii_alphanumeric())
    }

    /// `bytes.isdigit()`
    pub fn is_digit(bytes: &[u8]) -> bool {
        all(bytes, |b| b.is_ascii_digit())
    }

    /// `bytes.isspace()`
    pub fn is_space(bytes: &[u8]) -> bool {
        all(bytes, is_byte_space)
    }

    /// `bytes.isupper()`
    pub fn is_upper(bytes: &[u8]) -> bool {
        let lower = bytes.iter().any(u8::is_ascii_lowercase);
        !lower && bytes.iter().any(u8::is_ascii_uppercase)
    }

    /// `bytes.islower()`
    pub fn is_lower(bytes: &[u8]) -> bool {
        let upper = bytes.iter().any(u8::is_ascii_uppercase);
        !upper && bytes.iter().any(u8::is_ascii_lowercase)
    }

    /// `bytes.istitle()`
    pub fn is_title(bytes: &[u8]) -> bool {
        let (mut cased, mut after) = (false, false);
        for b in bytes {
            if b.is_ascii_uppercase() && after || b.is_ascii_lowercase() && !after {
                return false;
            }
            after = b.is_ascii_alphabetic();
            cased |= after;
        }
        cased
    }
}
