//! Inputs for the targets where no coverage leads: seeds, changed by chance.

use super::Target;
use crate::fuzz::rng::Rng;
use crate::{discover, workspace_root};

/// The longest input.
const MAX_LEN: usize = 4096;

/// Seeds for what has no script of ours: parts are separated by zero bytes.
const TEXTS: &[(&str, &[&str])] = &[
    (
        "formats",
        &[
            ">10\0{0:>{1}} {name!r:^9}\0%-5d %s",
            "+,.3f\0{8[0]} {value:e}\0%(name)s %(value)8.2g",
            "#0_x\0{{}}{}\0%c %% %i",
            "*^+20.3e\0{0.real}\0%#08X",
            "=+30,d\0{:<5}{:>5}\0%*d",
            "z.0%\0{16[a]}\0%a",
        ],
    ),
    (
        "numbers",
        &[
            "123",
            "-0x1f",
            "0b1_0",
            "1e308",
            "1.7976931348623157e308",
            "4.9e-324",
            "-.5e+3",
            "nan",
            "inf",
            " 12 ",
            "0o17",
            "zz",
            "9007199254740993",
            "2.2250738585072011e-308",
            "0.1",
            "123456789012345678901234567890",
            "1_000.5",
            "\u{661}\u{662}",
        ],
    ),
    (
        "regex",
        &[
            "a*b|c\0aabcab\0[\\g<0>]",
            "(?P<x>\\w+)@(\\w+)\\.org\0me@host.org\0\\g<x>\\2",
            "^(a+)+$\0aaaaaaaaaaaaaaaaaaaab\0x",
            "(?i)[^\\Wx-z]{2,3}?(?=\\d)\0ab12CD3\0-",
            "(?<!a)b(?<=b)(?:c|d)*+\0abbcd\0\\n",
            "(a)?b(?(1)c|d)\0abcbd\0\\1",
            "\\b\\S+\\s*(?#note)\\Z\0some words\0",
            "(?s:.)(?m:^.$)\0a\nb\nc\0\\\\",
            "((a|b)\\2)*\0aabbab\0\\1",
        ],
    ),
];

/// Pieces of syntax that chance alone would not find.
const WORDS: &[&str] = &[
    "def f(x=1, *a, **k):\n    return x\n",
    "class A:\n    pass\n",
    "lambda x: x",
    "yield",
    "await",
    "async ",
    "for x in y",
    "if x:\n",
    "else:\n",
    "try:\n",
    "except* E as e:\n",
    "finally:\n",
    "match x:\n case [a, *b] if c:\n  pass\n",
    "with a as b:\n",
    "f'{x!r:>{w}}'",
    "\"\"\"",
    "'''",
    "\\N{DASH}",
    "\\x00",
    "0x",
    "1_0",
    "1e5",
    "1j",
    "...",
    "->",
    ":=",
    "**",
    "//",
    "<<=",
    "@",
    "not in",
    "is not",
    "global x\n",
    "nonlocal x\n",
    "del x\n",
    "import a.b as c\n",
    "type X[T] = T\n",
    "[x for x in y if z]",
    "{**a, 'b': 1}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\n    ",
    "\t",
    "\\\n",
    "(?:",
    "(?=",
    "(?<!",
    "(?P<a>",
    "(?P=a)",
    "*?",
    "++",
    "{1,3}",
    "[^",
    "\\d",
    "\\b",
    "\\1",
    "|",
    "^",
    "$",
    "%s",
    "%(a)s",
    "{0}",
    "{:>10}",
    "!r",
    "#",
    "_",
    ",",
    ".5",
    "%",
    "e+9",
    "-",
    "+",
    "nan",
    "inf",
    "\0",
];

/// The seeds of a target.
///
/// # Errors
/// When the scripts of the tests cannot be found.
pub fn seeds(target: Target) -> Result<Vec<Vec<u8>>, String> {
    if let Some((_, texts)) = TEXTS.iter().find(|(name, _)| *name == target.name) {
        return Ok(texts.iter().map(|text| text.as_bytes().to_vec()).collect());
    }
    let scripts = discover(&workspace_root().join("tests"), "lang").map_err(|e| e.to_string())?;
    let mut seeds = Vec::new();
    for script in scripts {
        if let Ok(text) = std::fs::read(&script.path)
            && text.len() <= MAX_LEN / 2
        {
            seeds.push(text);
        }
    }
    seeds.sort();
    seeds.dedup();
    match seeds.is_empty() {
        true => Err("no scripts to begin with".into()),
        false => Ok(seeds),
    }
}

/// Changes seeds by chance.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    rng: Rng,
}

impl Mutator {
    /// One for these seeds, which are some.
    pub fn new(seeds: Vec<Vec<u8>>, seed: u64) -> Mutator {
        Mutator { seeds, rng: Rng::new(seed) }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut data = self.seed();
        for _ in 0..=self.rng.below(6) {
            self.change(&mut data);
        }
        data.truncate(MAX_LEN);
        data
    }

    fn seed(&mut self) -> Vec<u8> {
        let n = self.rng.below(self.seeds.len());
        self.seeds[n].clone()
    }

    fn change(&mut self, data: &mut Vec<u8>) {
        let at = self.rng.below(data.len() + 1);
        let end = (at + 1 + self.rng.below(12)).min(data.len());
        match self.rng.below(7) {
            0 if at < data.len() => data[at] ^= 1 << self.rng.below(8),
            1 => drop(data.drain(at.min(end)..end)),
            2 => {
                let word = self.rng.pick(WORDS);
                data.splice(at..at, word.bytes());
            }
            3 => {
                let word = self.rng.pick(WORDS);
                data.splice(at..end.max(at), word.bytes());
            }
            4 => {
                let again = data[at.min(end)..end].repeat(1 + self.rng.below(4));
                data.splice(at..at, again);
            }
            5 => {
                let other = self.seed();
                let from = self.rng.below(other.len() + 1);
                let to = (from + self.rng.below(80)).min(other.len());
                data.splice(at..at, other[from..to].iter().copied());
            }
            _ => data.insert(at, (self.rng.next() & 0x7F) as u8),
        }
    }
}
