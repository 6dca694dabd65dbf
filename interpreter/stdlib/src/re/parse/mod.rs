//! From the text of a pattern to its tree, with CPython's messages.

mod escape;
mod group;
mod set;
mod source;

use super::ast::{At, Fold, Greed, MANY, Node, SetItem, SetNode};
pub use escape::{control, is_digit, is_letter, is_octal, number};
pub use source::{Refusal, RefusalKind, Source, Token, text};

/// `re.IGNORECASE` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u32);

impl Flags {
    /// `re.TEMPLATE`, without any effect.
    pub const TEMPLATE: u32 = 1;
    /// `re.IGNORECASE`
    pub const IGNORECASE: u32 = 2;
    /// `re.LOCALE`
    pub const LOCALE: u32 = 4;
    /// `re.MULTILINE`
    pub const MULTILINE: u32 = 8;
    /// `re.DOTALL`
    pub const DOTALL: u32 = 16;
    /// `re.UNICODE`
    pub const UNICODE: u32 = 32;
    /// `re.VERBOSE`
    pub const VERBOSE: u32 = 64;
    /// `re.DEBUG`
    pub const DEBUG: u32 = 128;
    /// `re.ASCII`
    pub const ASCII: u32 = 256;

    const TYPE: u32 = Flags::ASCII | Flags::LOCALE | Flags::UNICODE;

    /// Whether all of `bits` are set.
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits == bits
    }

    /// Whether classes have only ASCII members.
    fn ascii(self, is_text: bool) -> bool {
        !is_text || self.has(Flags::ASCII)
    }

    fn fold(self, is_text: bool) -> Fold {
        match self.has(Flags::IGNORECASE) {
            false => Fold::No,
            true if self.ascii(is_text) => Fold::Ascii,
            true => Fold::Unicode,
        }
    }

    /// With what a group turns on and off.
    fn changed(self, on: u32, off: u32) -> Flags {
        let kept = if on & Flags::TYPE != 0 { self.0 & !Flags::TYPE } else { self.0 };
        Flags((kept | on) & !off)
    }
}

/// A pattern that was understood.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree.
    pub root: Node,
    /// The flags, with those that the pattern itself sets.
    pub flags: Flags,
    /// Number of groups, the whole match not counted.
    pub groups: u32,
    /// The named groups, in their order.
    pub names: Vec<(String, u32)>,
}

/// Nested groups go no deeper, so that the small stacks of nested calls suffice for the parser and
/// the compiler. CPython's own recursion ends at 490.
const MAX_DEPTH: u32 = 100;

/// What is known of the groups so far.
struct Parser<'a> {
    source: Source<'a>,
    flags: Flags,
    /// The width of each group, the whole match first; none while it is open.
    groups: Vec<Option<(u32, u32)>>,
    names: Vec<(String, u32)>,
    /// Where conditions refer to groups.
    references: Vec<(u32, usize)>,
    /// The number of groups where the outermost look-behind began.
    look_behind: Option<u32>,
    /// Whether a look-behind has no fixed width, which is told only if nothing else is wrong.
    loose_look_behind: bool,
    depth: u32,
    /// The pattern turned VERBOSE on, which it was not read with.
    restart: bool,
}

/// Understands a pattern; `flags` are those of the call.
pub fn parse(chars: &[u32], is_text: bool, flags: u32) -> Result<Parsed, Refusal> {
    let mut flags = Flags(flags);
    loop {
        let mut p = Parser {
            source: Source::new(chars, is_text)?,
            flags,
            groups: vec![None],
            names: Vec::new(),
            references: Vec::new(),
            look_behind: None,
            loose_look_behind: false,
            depth: 0,
            restart: false,
        };
        let root = p.alternatives(None, flags.has(Flags::VERBOSE))?;
        if p.restart {
            flags = Flags(p.flags.0 | Flags::VERBOSE);
            continue;
        }
        return p.finish(root);
    }
}

impl Parser<'_> {
    fn finish(self, root: Node) -> Result<Parsed, Refusal> {
        let refuse = |message| Err(Refusal::new(RefusalKind::Value, message));
        let mut flags = self.flags;
        if self.source.is_text {
            if flags.has(Flags::LOCALE) {
                return refuse("cannot use LOCALE flag with a str pattern");
            }
            if flags.has(Flags::ASCII | Flags::UNICODE) {
                return refuse("ASCII and UNICODE flags are incompatible");
            }
            if !flags.has(Flags::ASCII) {
                flags.0 |= Flags::UNICODE;
            }
        } else {
            if flags.has(Flags::UNICODE) {
                return refuse("cannot use UNICODE flag with a bytes pattern");
            }
            if flags.has(Flags::ASCII | Flags::LOCALE) {
                return refuse("ASCII and LOCALE flags are incompatible");
            }
        }
        if self.source.peek().is_some() {
            return Err(self.source.error("unbalanced parenthesis", 0));
        }
        if let Some((group, at)) =
            self.references.iter().find(|(g, _)| *g as usize >= self.groups.len())
        {
            let message = format!("invalid group reference {group}");
            return Err(Refusal { kind: RefusalKind::Pattern, message, at: Some(*at) });
        }
        if self.loose_look_behind {
            let message = "look-behind requires fixed-width pattern";
            return Err(Refusal::new(RefusalKind::Pattern, message));
        }
        let groups = self.groups.len() as u32 - 1;
        Ok(Parsed { root, flags, groups, names: self.names })
    }

    /// What stands between parentheses, or everything. Outside of all groups there are no
    /// `flags`: those of the pattern, which may still change, hold.
    fn alternatives(&mut self, flags: Option<Flags>, verbose: bool) -> Result<Node, Refusal> {
        if self.depth > MAX_DEPTH {
            let message = "maximum recursion depth exceeded";
            return Err(Refusal::new(RefusalKind::Recursion, message));
        }
        let mut verbose = verbose;
        let mut branches = Vec::new();
        loop {
            let first = flags.is_none() && branches.is_empty();
            branches.push(self.sequence(flags, verbose, first)?);
            if self.restart || !self.source.skip(b'|')? {
                break;
            }
            if flags.is_none() {
                verbose = self.flags.has(Flags::VERBOSE);
            }
        }
        if branches.len() == 1 {
            return Ok(branches.pop().unwrap_or_else(Node::empty));
        }
        Ok(Node::Branch(branches))
    }

    /// One alternative. The flags of the pattern may stand where it is `first`.
    fn sequence(
        &mut self,
        outer: Option<Flags>,
        verbose: bool,
        first: bool,
    ) -> Result<Node, Refusal> {
        let mut nodes = Vec::new();
        loop {
            let flags = outer.unwrap_or(self.flags);
            match self.source.peek() {
                None => break,
                Some(t) if t.is(b'|') || t.is(b')') => break,
                Some(_) => {}
            }
            let Some(token) = self.source.take()? else { break };
            let is_text = self.source.is_text;
            let c = match token {
                Token::Escape(c) => {
                    let node = self.escape(c, flags)?;
                    nodes.push(node);
                    continue;
                }
                Token::Char(c) => c,
            };
            if verbose {
                match c {
                    0x20 | 9..=13 => continue,
                    0x23 => {
                        while let Some(t) = self.source.take()? {
                            if t.is(b'\n') {
                                break;
                            }
                        }
                        continue;
                    }
                    _ => {}
                }
            }
            match u8::try_from(c).unwrap_or(0) {
                b'[' => {
                    let node = self.set(flags)?;
                    nodes.push(node);
                }
                b'.' => nodes.push(Node::Any(flags.has(Flags::DOTALL))),
                b'^' if flags.has(Flags::MULTILINE) => nodes.push(Node::At(At::LineStart)),
                b'^' => nodes.push(Node::At(At::Start)),
                b'$' if flags.has(Flags::MULTILINE) => nodes.push(Node::At(At::LineEnd)),
                b'$' => nodes.push(Node::At(At::LastLineEnd)),
                b'*' | b'+' | b'?' | b'{' => self.repeat(token, &mut nodes, flags.fold(is_text))?,
                b'(' => {
                    let may_set = first && nodes.is_empty();
                    match self.group(flags, verbose, may_set)? {
                        Some(node) => nodes.push(node),
                        None if self.restart => break,
                        None => {}
                    }
                    if self.restart {
                        break;
                    }
                }
                _ => nodes.push(Node::Literal(c, flags.fold(is_text))),
            }
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Concat(nodes) })
    }

    /// A repetition of the last node; the token that says so has been taken.
    fn repeat(&mut self, token: Token, nodes: &mut Vec<Node>, fold: Fold) -> Result<(), Refusal> {
        let begin = self.source.tell();
        let (min, max) = match token {
            t if t.is(b'*') => (0, MANY),
            t if t.is(b'+') => (1, MANY),
            t if t.is(b'?') => (0, 1),
            _ => match self.bounds(begin)? {
                Some(bounds) => bounds,
                None => {
                    nodes.push(Node::Literal(b'{' as u32, fold));
                    return Ok(());
                }
            },
        };
        let back = self.source.tell() - begin + token.len();
        match nodes.last() {
            None | Some(Node::At(_)) => return Err(self.source.error("nothing to repeat", back)),
            Some(Node::Repeat { .. }) => return Err(self.source.error("multiple repeat", back)),
            Some(_) => {}
        }
        let greed = match () {
            () if self.source.skip(b'?')? => Greed::Lazy,
            () if self.source.skip(b'+')? => Greed::Possessive,
            () => Greed::Greedy,
        };
        if let Some(body) = nodes.pop() {
            nodes.push(Node::Repeat { min, max, greed, body: Box::new(body) });
        }
        Ok(())
    }

    /// What stands in braces; nothing, if the brace stands for itself.
    fn bounds(&mut self, begin: usize) -> Result<Option<(u32, u32)>, Refusal> {
        if self.source.peek().is_some_and(|t| t.is(b'}')) {
            return Ok(None);
        }
        let (mut lo, mut hi) = (Vec::new(), Vec::new());
        self.source.take_while(usize::MAX, is_digit, &mut lo)?;
        if self.source.skip(b',')? {
            self.source.take_while(usize::MAX, is_digit, &mut hi)?;
        } else {
            hi.clone_from(&lo);
        }
        if !self.source.skip(b'}')? {
            self.source.seek(begin)?;
            return Ok(None);
        }
        let bound = |digits: &[u32]| match number(digits, 10) {
            MANY => Err(Refusal::new(RefusalKind::Overflow, "the repetition number is too large")),
            n => Ok(n),
        };
        let min = bound(&lo)?;
        let max = if hi.is_empty() { MANY } else { bound(&hi)? };
        if max < min {
            let back = self.source.tell() - begin;
            return Err(self.source.error("min repeat greater than max repeat", back));
        }
        Ok(Some((min, max)))
    }

    /// Refuses a reference to a group that is not complete; it was written `back` characters ago.
    fn check_closed(&self, group: u32, back: usize) -> Result<(), Refusal> {
        match self.groups.get(group as usize) {
            Some(Some(_)) => Ok(()),
            _ => Err(self.source.error("cannot refer to an open group", back)),
        }
    }

    /// Refuses a reference from a look-behind to what stands in it.
    fn check_look_behind(&self, group: u32) -> Result<(), Refusal> {
        let Some(before) = self.look_behind else { return Ok(()) };
        self.check_closed(group, 0)?;
        if group >= before {
            let message = "cannot refer to group defined in the same lookbehind subpattern";
            return Err(self.source.error(message, 0));
        }
        Ok(())
    }

    /// The width of a node that is complete.
    fn width(&self, node: &Node) -> (u32, u32) {
        let groups: Vec<_> = self.groups.iter().map(|w| w.unwrap_or((0, MANY))).collect();
        node.width(&groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(pattern: &str) -> (String, Option<usize>) {
        let chars: Vec<u32> = pattern.chars().map(|c| c as u32).collect();
        match parse(&chars, true, 0) {
            Ok(p) => (format!("{:?}", p.root), None),
            Err(e) => (e.message, e.at),
        }
    }

    #[test]
    fn refusals_say_what_and_where() {
        for (pattern, message, at) in [
            ("a**", "multiple repeat", Some(2)),
            ("(a", "missing ), unterminated subpattern", Some(0)),
            ("a)", "unbalanced parenthesis", Some(1)),
            ("[a", "unterminated character set", Some(0)),
            ("[z-a]", "bad character range z-a", Some(1)),
            ("\\", "bad escape (end of pattern)", Some(0)),
            ("(?P<1>x)", "bad character in group name '1'", Some(4)),
            ("(?<=a*)b", "look-behind requires fixed-width pattern", None),
            ("x(?i)", "global flags not at the start of the expression", Some(1)),
            ("a{3,2}", "min repeat greater than max repeat", Some(2)),
        ] {
            assert_eq!(refusal(pattern), (message.to_owned(), at), "{pattern}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "(".repeat(5000) + &")".repeat(5000);
        assert_eq!(refusal(&deep).0, "maximum recursion depth exceeded");
    }
}
