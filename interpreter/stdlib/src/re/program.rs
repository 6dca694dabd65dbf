//! What a pattern is compiled to: instructions for the matcher, and tables they refer to.

use super::ast::{At, Fold};
use super::charset::{Bits, CharSet};

/// An index of an instruction.
pub type Pc = u32;

/// Bytes one of which must come next; `None`: there is nothing to look at.
pub type Filter = Option<Box<Bits>>;

/// An instruction. "Fails" means: goes back to the last choice.
#[derive(Clone, Debug)]
pub enum Inst {
    /// This byte.
    Byte(u8),
    /// The bytes `at..at + len` of the literals.
    Bytes {
        /// Where they begin.
        at: u32,
        /// How many.
        len: u32,
    },
    /// A character of a set.
    Set(u32),
    /// A run of characters of a set, as the row of the runs says.
    Run(u32),
    /// Goes on at `prefer`; after a failure, at `other`.
    Split(u32),
    /// The first alternative that does not fail.
    Branch(u32),
    /// Goes on elsewhere.
    Jump(Pc),
    /// The place becomes the mark of this number.
    Save(u32),
    /// Begins a counted loop.
    LoopStart(u32),
    /// The end of the body of a counted loop; also its first instruction.
    LoopNext(u32),
    /// A condition on the place.
    At(At),
    /// Begins a look-around or an atomic group.
    Look(u32),
    /// Its end: it has matched.
    LookEnd(u32),
    /// The text of a group again.
    BackRef(u32, Fold),
    /// Goes on at the `Pc` unless the group has matched.
    Unless(u32, Pc),
    /// The end of the pattern.
    Match,
}

/// A run of characters of one set.
#[derive(Clone, Debug)]
pub struct Run {
    /// The set.
    pub set: u32,
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// How it goes on.
    pub kind: RunKind,
    /// With what the text behind the run begins.
    pub next: Filter,
    /// The one byte with which it begins.
    pub next_byte: Option<u8>,
}

/// How a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// All, then less and less.
    Greedy,
    /// As little as possible, then more and more.
    Lazy,
    /// All. Giving some back could not help, or is not wanted.
    Possessive,
}

/// Two ways to go on.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// The first.
    pub prefer: Pc,
    /// The second.
    pub other: Pc,
    /// What the first begins with.
    pub prefer_first: Filter,
    /// What the second begins with.
    pub other_first: Filter,
}

/// A counted loop.
#[derive(Clone, Debug)]
pub struct Loop {
    /// At least.
    pub min: u32,
    /// At most.
    pub max: u32,
    /// Whether it goes on only if it must.
    pub lazy: bool,
    /// The body.
    pub body: Pc,
    /// What follows.
    pub tail: Pc,
    /// What the body begins with.
    pub body_first: Filter,
    /// What follows begins with.
    pub tail_first: Filter,
}

/// A look-around or an atomic group.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether it must not match.
    pub negated: bool,
    /// Whether the match goes on where it began.
    pub returns: bool,
    /// So many characters before.
    pub behind: u32,
    /// What follows it.
    pub end: Pc,
}

/// Where a match may begin.
#[derive(Clone, Debug)]
pub enum Start {
    /// Anywhere.
    Anywhere,
    /// At the start of the text.
    Text,
    /// At the start of a line.
    Line,
    /// Where these bytes are.
    Literal(Box<memchr::memmem::Finder<'static>>),
    /// Where one of these bytes is.
    One(u8),
    /// The same with two.
    Two(u8, u8),
    /// The same with three.
    Three(u8, u8, u8),
    /// The same with more.
    Some(Box<Bits>),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Program {
    /// The instructions.
    pub code: Vec<Inst>,
    /// The bytes of literals.
    pub literals: Vec<u8>,
    /// The sets.
    pub sets: Vec<CharSet>,
    /// The runs.
    pub runs: Vec<Run>,
    /// The splits.
    pub splits: Vec<Split>,
    /// The alternatives of branches.
    pub branches: Vec<Vec<(Pc, Filter)>>,
    /// The counted loops.
    pub loops: Vec<Loop>,
    /// The look-arounds.
    pub looks: Vec<Look>,
    /// Where matches may begin.
    pub start: Start,
    /// Number of marks: two for each group, the whole match not counted.
    pub marks: usize,
    /// The pattern is a literal: a match needs no more than `start` finds.
    pub literal_len: Option<usize>,
}
