//! The matcher without a VM: patterns, texts, and what CPython 3.12 finds.

use super::*;
use crate::re::compile::compile;
use crate::re::parse::parse;

struct Free;

impl Meter for Free {
    fn spend(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
    fn room(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
}

/// Stops after so many steps.
struct Limited(usize);

impl Meter for Limited {
    fn spend(&mut self, steps: usize) -> Result<(), Halt> {
        self.0 = self.0.checked_sub(steps).ok_or(Halt::Stopped)?;
        Ok(())
    }
    fn room(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
}

fn program(pattern: &str) -> Program {
    let chars: Vec<u32> = pattern.chars().map(|c| c as u32).collect();
    compile(&parse(&chars, true, 0).unwrap(), true)
}

/// The spans of the match and of its groups.
fn spans(pattern: &str, text: &str, mode: Mode) -> Option<Vec<(usize, usize)>> {
    let program = program(pattern);
    let mut scratch = Scratch::default();
    let wide = !text.is_ascii();
    let found =
        find(&program, &mut scratch, text.as_bytes(), wide, 0, mode, false, &mut Free).unwrap()?;
    let mut out = vec![found];
    out.extend(scratch.marks.chunks(2).map(|m| (m[0], m[1])));
    Some(out)
}

type Span = (usize, usize);

#[test]
fn patterns_match() {
    const NONE: Span = (UNSET, UNSET);
    let cases: &[(&str, &str, Option<&[Span]>)] = &[
        ("abc", "xxabc", Some(&[(2, 5)])),
        ("a*b", "caaab", Some(&[(1, 5)])),
        ("(a+)(b|c)?", "xaac", Some(&[(1, 4), (1, 3), (3, 4)])),
        ("(a)|(b)", "b", Some(&[(0, 1), NONE, (0, 1)])),
        ("(?:(a)|b)*", "ab", Some(&[(0, 2), (0, 1)])),
        ("(a*)*", "b", Some(&[(0, 0), (0, 0)])),
        ("(a*)+", "aab", Some(&[(0, 2), (2, 2)])),
        (".*?b", "aabab", Some(&[(0, 3)])),
        (".*b", "aabab", Some(&[(0, 5)])),
        ("(?<=ab)c", "abc", Some(&[(2, 3)])),
        ("(?<!ab)c", "abc", None),
        ("(?=(a+))a", "aaa", Some(&[(0, 1), (0, 3)])),
        ("(?>a*)ab", "aaab", None),
        ("a*+b", "aaab", Some(&[(0, 4)])),
        ("(\\w)\\1", "abccd", Some(&[(2, 4), (2, 3)])),
        ("(<)?a(?(1)>|$)", "<a> a", Some(&[(0, 3), (0, 1)])),
        ("(?i)straSSe", "STRASSE", Some(&[(0, 7)])),
        ("\\bfoo\\b", "a foo b", Some(&[(2, 5)])),
        ("(?:ab){2,3}?c", "ababababc", Some(&[(2, 9)])),
        ("é+", "aéé", Some(&[(1, 5)])),
        ("[^a]$", "aé", Some(&[(1, 3)])),
        ("x*", "", Some(&[(0, 0)])),
    ];
    for (pattern, text, want) in cases {
        assert_eq!(spans(pattern, text, Mode::Search).as_deref(), *want, "{pattern} {text}");
    }
}

#[test]
fn whole_texts() {
    assert_eq!(spans("a|ab", "ab", Mode::Full), Some(vec![(0, 2)]));
    assert_eq!(spans("a*?", "aaa", Mode::Full), Some(vec![(0, 3)]));
    assert_eq!(spans("b", "ab", Mode::Match), None);
}

#[test]
fn hopeless_patterns_are_stopped() {
    let program = program("(?:a|a)*b|(x+x+)+y");
    let text = "a".repeat(60) + &"x".repeat(60);
    let mut scratch = Scratch::default();
    let mut meter = Limited(1_000_000);
    let found =
        find(&program, &mut scratch, text.as_bytes(), false, 0, Mode::Search, false, &mut meter);
    assert_eq!(found, Err(Halt::Stopped));
}

#[test]
fn long_texts_need_no_native_stack() {
    let text = "ab".repeat(200_000);
    assert_eq!(spans("(?:a|b)*", &text, Mode::Full), Some(vec![(0, 400_000)]));
    assert_eq!(spans("(?:ab|a)*b", &text, Mode::Full), Some(vec![(0, 400_000)]));
}
