//! The tree of a pattern. Flags are resolved by the parser: a node says itself whether it ignores
//! case, whether its dot takes newlines, what its `^` means.

/// How a node compares characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// As they are.
    No,
    /// Without regard to the case of ASCII letters.
    Ascii,
    /// Without regard to case.
    Unicode,
}

/// The classes of characters that have an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// `\d`
    Digit,
    /// `\s`
    Space,
    /// `\w`
    Word,
}

/// A part of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetItem {
    /// Characters from the first to the last.
    Range(u32, u32),
    /// A class, of ASCII characters alone or of all.
    Class {
        /// Which.
        category: Category,
        /// Whether only ASCII characters belong to it.
        ascii: bool,
        /// Whether all others are meant.
        negated: bool,
    },
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetNode {
    /// Its parts.
    pub items: Vec<SetItem>,
    /// Whether all characters but these are meant.
    pub negated: bool,
    /// How characters are compared with it.
    pub fold: Fold,
}

/// A condition on a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// `\A`, and `^` without MULTILINE.
    Start,
    /// `^` with MULTILINE.
    LineStart,
    /// `\Z`
    End,
    /// `$`: the end, or before a newline at the end.
    LastLineEnd,
    /// `$` with MULTILINE.
    LineEnd,
    /// `\b` or, negated, `\B`.
    Boundary {
        /// Whether only ASCII characters are part of words.
        ascii: bool,
        /// `\B`.
        negated: bool,
    },
}

/// What a repetition tries first, and whether it gives anything back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greed {
    /// As many as possible.
    Greedy,
    /// As few as possible.
    Lazy,
    /// As many as possible, for good.
    Possessive,
}

/// No upper limit of a repetition.
pub const MANY: u32 = u32::MAX;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// One character.
    Literal(u32, Fold),
    /// One character of a set.
    Set(SetNode),
    /// One character, a newline only if `true`.
    Any(bool),
    /// A condition on the place.
    At(At),
    /// One after the other.
    Concat(Vec<Node>),
    /// One or the other.
    Branch(Vec<Node>),
    /// A group; numbered, if it captures.
    Group(Option<u32>, Box<Node>),
    /// A repetition.
    Repeat {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
        /// What is preferred.
        greed: Greed,
        /// What is repeated.
        body: Box<Node>,
    },
    /// `(?>...)`
    Atomic(Box<Node>),
    /// What must (or, negated, must not) follow or precede.
    Look {
        /// Whether it looks at what precedes: so many characters.
        behind: Option<u32>,
        /// Whether it must not match.
        negated: bool,
        /// What is looked for.
        body: Box<Node>,
    },
    /// The text of a group again.
    BackRef(u32, Fold),
    /// One of two, as a group has matched or not.
    Cond {
        /// The group.
        group: u32,
        /// If it has matched.
        yes: Box<Node>,
        /// If not.
        no: Box<Node>,
    },
}

impl Node {
    /// Matches nothing but the empty string.
    pub fn empty() -> Node {
        Node::Concat(Vec::new())
    }

    /// The fewest and the most characters that the node matches; `groups` has those of groups.
    /// Both are capped at [`MANY`].
    pub fn width(&self, groups: &[(u32, u32)]) -> (u32, u32) {
        match self {
            Node::Literal(..) | Node::Set(_) | Node::Any(_) => (1, 1),
            Node::At(_) | Node::Look { .. } => (0, 0),
            Node::Concat(nodes) => nodes.iter().fold((0, 0), |(lo, hi), n| {
                let (l, h) = n.width(groups);
                (lo.saturating_add(l).min(MANY - 1), hi.saturating_add(h))
            }),
            Node::Branch(nodes) => {
                let widths = nodes.iter().map(|n| n.width(groups));
                widths.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, 0))
            }
            Node::Group(_, body) | Node::Atomic(body) => body.width(groups),
            Node::Repeat { min, max, body, .. } => {
                let (lo, hi) = body.width(groups);
                (lo.saturating_mul(*min).min(MANY - 1), hi.saturating_mul(*max))
            }
            Node::BackRef(group, _) => groups.get(*group as usize).copied().unwrap_or((0, MANY)),
            Node::Cond { yes, no, .. } => {
                let (a, b) = (yes.width(groups), no.width(groups));
                (a.0.min(b.0), a.1.max(b.1))
            }
        }
    }
}
