//! The names of characters: those of the Unicode database, packed by the build script, and those
//! that follow a rule.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use flate2::{Decompress, FlushDecompress};

// `PACKED`, `PACKED_ALIASES` with their lengths, and `IDEOGRAPHS`, the ranges of CJK unified
// ideographs.
include!(concat!(env!("OUT_DIR"), "/names.rs"));

const IDEOGRAPH: &str = "CJK UNIFIED IDEOGRAPH-";
const SYLLABLE: &str = "HANGUL SYLLABLE ";
/// A syllable is made of one of each of these.
const LEADS: [&str; 19] = [
    "G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C", "K", "T", "P",
    "H",
];
const VOWELS: [&str; 21] = [
    "A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO", "U", "WEO", "WE",
    "WI", "YU", "EU", "YI", "I",
];
const TAILS: [&str; 28] = [
    "", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT", "LP", "LH", "M",
    "B", "BS", "S", "SS", "NG", "J", "C", "K", "T", "P", "H",
];
const FIRST_SYLLABLE: u32 = 0xAC00;

/// Names and what they belong to.
#[derive(Default)]
struct Names {
    text: String,
    /// Code point, and where its name begins and ends in the text; by code point.
    rows: Vec<(u32, u32, u32)>,
    /// Rows by name.
    by_name: OnceLock<Vec<u32>>,
}

impl Names {
    /// Unpacks lines `NAME`, for the code point after the one before, or `HEX<tab>NAME`.
    fn unpack(packed: &[u8], len: usize) -> Names {
        let mut text = Vec::with_capacity(len);
        // What the build script packed is whole.
        let _ = Decompress::new(false).decompress_vec(packed, &mut text, FlushDecompress::Finish);
        let text = String::from_utf8(text).unwrap_or_default();
        let mut rows = Vec::new();
        let (mut next, mut at) = (0, 0);
        for line in text.lines() {
            let end = at + line.len();
            let tab = line.find('\t');
            if let Some(tab) = tab {
                next = u32::from_str_radix(&line[..tab], 16).unwrap_or_default();
            }
            rows.push((next, (at + tab.map_or(0, |tab| tab + 1)) as u32, end as u32));
            next += 1;
            at = end + 1;
        }
        Names { text, rows, by_name: OnceLock::new() }
    }

    fn name(&self, row: (u32, u32, u32)) -> &str {
        &self.text[row.1 as usize..row.2 as usize]
    }

    fn name_of(&self, c: char) -> Option<&str> {
        let at = self.rows.binary_search_by_key(&u32::from(c), |row| row.0).ok()?;
        Some(self.name(self.rows[at]))
    }

    fn character(&self, name: &str) -> Option<char> {
        let by_name = self.by_name.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            order.sort_unstable_by_key(|&at| self.name(self.rows[at as usize]));
            order
        });
        let row = |at: u32| self.rows[at as usize];
        let found = by_name.binary_search_by_key(&name, |&at| self.name(row(at))).ok()?;
        char::from_u32(row(by_name[found]).0)
    }
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| Names::unpack(PACKED, LEN))
}

fn aliases() -> &'static Names {
    static ALIASES: OnceLock<Names> = OnceLock::new();
    ALIASES.get_or_init(|| Names::unpack(PACKED_ALIASES, ALIASES_LEN))
}

/// The name of a character.
pub fn character_name(c: char) -> Option<Cow<'static, str>> {
    let code = u32::from(c);
    if is_ideograph(code) {
        return Some(format!("{IDEOGRAPH}{code:X}").into());
    }
    if let Some(at) = code.checked_sub(FIRST_SYLLABLE)
        && let (rest, tail) = (at as usize / TAILS.len(), at as usize % TAILS.len())
        && let Some(lead) = LEADS.get(rest / VOWELS.len())
    {
        return Some(
            format!("{SYLLABLE}{lead}{}{}", VOWELS[rest % VOWELS.len()], TAILS[tail]).into(),
        );
    }
    names().name_of(c).map(Cow::Borrowed)
}

/// The character of that name, or that has it as an alias. Capitals matter only in the names that
/// follow a rule.
pub fn character_named(name: &str) -> Option<char> {
    if let Some(parts) = name.strip_prefix(SYLLABLE) {
        return syllable(parts);
    }
    if let Some(digits) = name.strip_prefix(IDEOGRAPH) {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'A'..=b'F');
        let fits = matches!(digits.len(), 4 | 5) && digits.bytes().all(is_digit);
        let code = u32::from_str_radix(digits, 16).ok().filter(|&code| fits && is_ideograph(code));
        return code.and_then(char::from_u32);
    }
    let name = name.to_ascii_uppercase();
    names().character(&name).or_else(|| aliases().character(&name))
}

fn is_ideograph(code: u32) -> bool {
    IDEOGRAPHS.iter().any(|range| range.contains(&code))
}

/// The longest part that fits counts.
fn syllable(mut text: &str) -> Option<char> {
    let mut part = |parts: &[&str]| {
        let fits = (0..parts.len()).filter(|&i| text.starts_with(parts[i]));
        let found = fits.max_by_key(|&i| parts[i].len())?;
        text = &text[parts[found].len()..];
        Some(found)
    };
    let (lead, vowel, tail) = (part(&LEADS)?, part(&VOWELS)?, part(&TAILS)?);
    let at = (lead * VOWELS.len() + vowel) * TAILS.len() + tail;
    char::from_u32(FIRST_SYLLABLE + at as u32).filter(|_| text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_its_name_and_is_found_by_it() {
        let mut named = 0;
        for c in '\0'..=char::MAX {
            let name = character_name(c);
            let wanted = unicode_names2::name(c).map(|name| name.to_string());
            assert_eq!(name.as_deref(), wanted.as_deref(), "{c:?}");
            if let Some(name) = name {
                assert_eq!(character_named(&name), Some(c), "{name}");
                named += 1;
            }
        }
        assert!(named > 100_000);
    }

    #[test]
    fn names_are_found_as_python_finds_them() {
        let rows = [
            ("latin small letter a", Some('a')),
            ("line feed", Some('\n')),
            ("NEW LINE", Some('\n')),
            ("NEWLINE", None),
            ("nbsp", Some('\u{a0}')),
            ("LATIN CAPITAL LETTER GHA", Some('\u{1a2}')),
            ("HANGUL JUNGSEONG O-E", Some('\u{1180}')),
            ("HANGUL SYLLABLE GA", Some('\u{ac00}')),
            ("HANGUL SYLLABLE A", Some('\u{c544}')),
            ("hangul syllable ga", None),
            ("HANGUL SYLLABLE ", None),
            ("CJK UNIFIED IDEOGRAPH-4E00", Some('\u{4e00}')),
            ("CJK UNIFIED IDEOGRAPH-04E00", Some('\u{4e00}')),
            ("CJK UNIFIED IDEOGRAPH-4e00", None),
            ("CJK UNIFIED IDEOGRAPH-0041", None),
            ("CJK UNIFIED IDEOGRAPH-+4E0", None),
            ("", None),
        ];
        for (name, wanted) in rows {
            assert_eq!(character_named(name), wanted, "{name}");
        }
    }
}
