//! Sets of characters, made for quick tests.

use std::sync::OnceLock;

use miniscript_vm::text::case;

use super::ast::{Category, Fold, SetItem, SetNode};
use super::fold;

/// Bits for the numbers 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits(pub [u64; 4]);

impl Bits {
    /// All of them.
    pub const ALL: Bits = Bits([u64::MAX; 4]);

    /// Whether a number is among them.
    #[inline(always)]
    pub fn has(&self, n: u8) -> bool {
        self.0[(n >> 6) as usize] >> (n & 63) & 1 != 0
    }

    /// Adds a number.
    pub fn add(&mut self, n: u8) {
        self.0[(n >> 6) as usize] |= 1 << (n & 63);
    }

    /// Adds all of another set.
    pub fn add_all(&mut self, other: &Bits) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
    }

    /// Whether no number is in both.
    pub fn is_disjoint(&self, other: &Bits) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & b == 0)
    }

    /// The numbers.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255).filter(|n| self.has(*n))
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }
}

/// What ends a run of characters of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Nothing: all characters belong to the set.
    Never,
    /// This ASCII character alone.
    One(u8),
    /// These two.
    Two(u8, u8),
    /// Many characters.
    Many,
}

/// A set of characters: code points of a `str` or bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharSet {
    /// Which of the first 256 belong to it.
    pub low: Bits,
    /// Whether all from 128 on belong to it.
    pub all_high: bool,
    /// Whether none from 128 on belongs to it.
    pub no_high: bool,
    /// What is not in it, if that is little.
    pub stop: Stop,
    /// Members from 256 on, before negation.
    ranges: Vec<(u32, u32)>,
    /// Classes, before negation; whether each is negated itself.
    classes: Vec<(Category, bool)>,
    negated: bool,
}

impl CharSet {
    /// The set of a node.
    pub fn new(node: &SetNode, is_text: bool) -> CharSet {
        let mut set = CharSet {
            low: Bits::default(),
            all_high: false,
            no_high: false,
            stop: Stop::Many,
            ranges: Vec::new(),
            classes: Vec::new(),
            negated: node.negated,
        };
        for item in &node.items {
            match *item {
                SetItem::Range(lo, hi) => set.add_folded(lo, hi, node.fold),
                SetItem::Class { category, ascii, negated } => {
                    set.add_class(category, ascii, negated);
                }
            }
        }
        set.finish(is_text);
        set
    }

    /// The set of one character and those that are the same.
    pub fn literal(c: u32, fold: Fold, is_text: bool) -> CharSet {
        let items = vec![SetItem::Range(c, c)];
        CharSet::new(&SetNode { items, negated: false, fold }, is_text)
    }

    /// What a dot stands for.
    pub fn any(newline: bool, is_text: bool) -> CharSet {
        let newline = SetItem::Range(10, if newline { 9 } else { 10 });
        let node = SetNode { items: vec![newline], negated: true, fold: Fold::No };
        CharSet::new(&node, is_text)
    }

    fn add(&mut self, lo: u32, hi: u32) {
        for c in lo..=hi.min(255) {
            self.low.add(c as u8);
        }
        if hi > 255 && lo <= hi {
            self.ranges.push((lo.max(256), hi));
        }
    }

    fn add_folded(&mut self, lo: u32, hi: u32, fold: Fold) {
        self.add(lo, hi);
        match fold {
            Fold::No => {}
            Fold::Ascii => {
                let (lo, hi) = (lo.max(0x41), hi.min(0x7A));
                for c in lo..=hi {
                    if (c as u8).is_ascii_alphabetic() {
                        self.low.add(c as u8 ^ 0x20);
                    }
                }
            }
            Fold::Unicode => fold::same_as_range(lo, hi, |c| self.add(c, c)),
        }
    }

    fn add_class(&mut self, category: Category, ascii: bool, negated: bool) {
        for c in 0..=255 {
            if (is_in(category, c as u32) && !(ascii && c >= 128)) != negated {
                self.low.add(c);
            }
        }
        match (ascii, negated) {
            (true, false) => {}
            (true, true) => self.ranges.push((256, u32::MAX)),
            (false, _) => self.classes.push((category, negated)),
        }
    }

    /// Works out what follows from the members.
    fn finish(&mut self, is_text: bool) {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(self.ranges.len());
        for &(lo, hi) in &self.ranges {
            match merged.last_mut() {
                Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
                _ => merged.push((lo, hi)),
            }
        }
        self.ranges = merged;
        if self.negated {
            self.low.0.iter_mut().for_each(|w| *w = !*w);
        }
        let above = [self.low.0[2], self.low.0[3]];
        let nothing = self.ranges.is_empty() && self.classes.is_empty();
        let everything = self.ranges.first().is_some_and(|r| r.0 == 256 && r.1 >= 0x10_FFFF);
        let (none, all) = if self.negated { (everything, nothing) } else { (nothing, everything) };
        self.no_high = above == [0; 2] && (none || !is_text);
        self.all_high = above == [u64::MAX; 2] && (all || !is_text);
        let out: Vec<u8> = (0..128).filter(|c| !self.low.has(*c)).take(3).collect();
        self.stop = match out[..] {
            _ if !self.all_high => Stop::Many,
            [] => Stop::Never,
            [a] => Stop::One(a),
            [a, b] => Stop::Two(a, b),
            _ => Stop::Many,
        };
    }

    /// Whether a character belongs to it.
    #[inline(always)]
    pub fn has(&self, c: u32) -> bool {
        match u8::try_from(c) {
            Ok(c) => self.low.has(c),
            Err(_) => self.has_high(c),
        }
    }

    fn has_high(&self, c: u32) -> bool {
        if self.all_high || self.no_high {
            return self.all_high;
        }
        let after = self.ranges.partition_point(|r| r.0 <= c);
        let listed = after.checked_sub(1).is_some_and(|i| c <= self.ranges[i].1);
        let found = listed || self.classes.iter().any(|(k, negated)| is_in(*k, c) != *negated);
        found != self.negated
    }

    /// The bytes with which its characters may begin.
    pub fn first_bytes(&self, is_text: bool) -> Bits {
        let mut first = self.low;
        if !is_text || self.no_high {
            return first;
        }
        first.0[2] = 0;
        first.0[3] = 0;
        if self.negated || !self.classes.is_empty() {
            // Continuation bytes begin nothing.
            first.0[3] = u64::MAX;
            return first;
        }
        let mut add = |lo: u32, hi: u32| (lead(lo)..=lead(hi)).for_each(|b| first.add(b));
        (128..=255).filter(|c| self.low.has(*c)).for_each(|c| add(c as u32, c as u32));
        self.ranges.iter().for_each(|(lo, hi)| add(*lo, *hi));
        first
    }
}

/// The first byte of a code point from 128 on.
fn lead(c: u32) -> u8 {
    match c {
        0..0x800 => 0xC0 | (c >> 6) as u8,
        0x800..0x1_0000 => 0xE0 | (c >> 12) as u8,
        _ => 0xF0 | (c.min(0x10_FFFF) >> 18) as u8,
    }
}

/// Whether a code point belongs to a class.
pub fn is_in(category: Category, c: u32) -> bool {
    match category {
        Category::Digit => case::decimal_value(c).is_some(),
        Category::Space => case::is_space(c),
        Category::Word => is_word(c),
    }
}

/// Whether a code point is part of words: letters, numbers and the underscore.
#[inline]
pub fn is_word(c: u32) -> bool {
    match words().get(c as usize >> 6) {
        Some(w) => w >> (c & 63) & 1 != 0,
        None => case::is_alnum(c),
    }
}

/// Bits for the code points up to 0xFFFF.
fn words() -> &'static [u64; 1024] {
    static WORDS: OnceLock<Box<[u64; 1024]>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut bits = Box::new([0; 1024]);
        for c in (0..0x1_0000u32).filter(|c| case::is_alnum(*c) || *c == 0x5F) {
            bits[c as usize >> 6] |= 1 << (c & 63);
        }
        bits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[SetItem], negated: bool, fold: Fold) -> CharSet {
        CharSet::new(&SetNode { items: items.to_vec(), negated, fold }, true)
    }

    #[test]
    fn members() {
        let letters = set(&[SetItem::Range(0x61, 0x7A)], false, Fold::Unicode);
        assert!(letters.has('K' as u32) && letters.has(0x212A) && !letters.has('1' as u32));
        let quote = set(&[SetItem::Range(0x22, 0x22)], true, Fold::No);
        assert!(quote.all_high && quote.stop == Stop::One(0x22) && quote.has(0x1F600));
        assert_eq!(CharSet::any(true, true).stop, Stop::Never);
        let word = SetItem::Class { category: Category::Word, ascii: false, negated: true };
        let not_word = set(&[word], false, Fold::No);
        assert!(not_word.has(' ' as u32) && !not_word.has(0xE9) && not_word.has(0x2028));
    }

    #[test]
    fn first_bytes_of_text() {
        let set =
            set(&[SetItem::Range(0xE9, 0xE9), SetItem::Range(0x20AC, 0x20AC)], false, Fold::No);
        assert_eq!(set.first_bytes(true).iter().collect::<Vec<_>>(), [0xC3, 0xE2]);
    }
}
