//! From the tree to instructions. What an instruction needs to know of what follows it (which
//! bytes the rest may begin with) is worked out on the way, so that the matcher can leave out
//! choices that must fail.

use miniscript_vm::text::wtf8;

use super::ast::{At, Fold, Greed, MANY, Node};
use super::charset::{Bits, CharSet};
use super::parse::Parsed;
use super::program::{Filter, Inst, Look, Loop, Pc, Program, Run, RunKind, Split, Start};

/// With what bytes a match of a node may begin.
#[derive(Clone, Copy, Debug)]
struct First {
    bytes: Bits,
    /// Whether the node may match the empty string.
    empty: bool,
}

impl First {
    const NOTHING: First = First { bytes: Bits([0; 4]), empty: true };
    /// Nothing is known: it may also be the end of the text.
    const ANY: First = First { bytes: Bits::ALL, empty: true };

    fn then(self, next: &First) -> First {
        if !self.empty {
            return self;
        }
        let mut bytes = self.bytes;
        bytes.add_all(&next.bytes);
        First { bytes, empty: next.empty }
    }

    fn or(mut self, other: &First) -> First {
        self.bytes.add_all(&other.bytes);
        self.empty |= other.empty;
        self
    }

    /// As the matcher looks at it.
    fn filter(&self) -> Filter {
        let useful = !self.empty && self.bytes != Bits::ALL;
        useful.then(|| Box::new(self.bytes))
    }
}

struct Compiler {
    program: Program,
    is_text: bool,
}

/// Compiles a pattern.
pub fn compile(parsed: &Parsed, is_text: bool) -> Program {
    let program = Program {
        code: Vec::new(),
        literals: Vec::new(),
        sets: Vec::new(),
        runs: Vec::new(),
        splits: Vec::new(),
        branches: Vec::new(),
        loops: Vec::new(),
        looks: Vec::new(),
        start: Start::Anywhere,
        marks: parsed.groups as usize * 2,
        literal_len: None,
    };
    let mut c = Compiler { program, is_text };
    c.node(&parsed.root, &First::ANY);
    c.emit(Inst::Match);
    let first = c.first(&parsed.root);
    c.program.start = c.start(&first);
    c.program
}

/// The longest literal that the matcher compares at once.
const MAX_PREFIX: usize = 256;

impl Compiler {
    fn emit(&mut self, inst: Inst) -> Pc {
        self.program.code.push(inst);
        self.here() - 1
    }

    fn here(&self) -> Pc {
        self.program.code.len() as Pc
    }

    fn add_set(&mut self, set: CharSet) -> u32 {
        let sets = &mut self.program.sets;
        let at = sets.iter().position(|s| *s == set).unwrap_or_else(|| {
            sets.push(set);
            sets.len() - 1
        });
        at as u32
    }

    /// The set of a node that matches one character.
    fn single(&self, node: &Node) -> Option<CharSet> {
        match node {
            Node::Literal(c, fold) => Some(CharSet::literal(*c, *fold, self.is_text)),
            Node::Set(set) => Some(CharSet::new(set, self.is_text)),
            Node::Any(newline) => Some(CharSet::any(*newline, self.is_text)),
            Node::Group(None, body) => self.single(body),
            _ => None,
        }
    }

    /// The bytes of a literal that is compared as it is.
    fn literal(&self, node: &Node, out: &mut Vec<u8>) -> bool {
        match node {
            Node::Literal(c, fold) => {
                let plain = match fold {
                    Fold::No => true,
                    Fold::Ascii => !char::from_u32(*c).is_some_and(|c| c.is_ascii_alphabetic()),
                    Fold::Unicode => super::fold::same(*c).is_empty(),
                };
                if plain && self.is_text {
                    wtf8::push(out, *c);
                } else if plain {
                    out.push(*c as u8);
                }
                plain
            }
            _ => false,
        }
    }

    fn first(&self, node: &Node) -> First {
        let of_set = |set: CharSet| First { bytes: set.first_bytes(self.is_text), empty: false };
        match node {
            Node::Literal(..) => {
                let mut bytes = Vec::new();
                if !self.literal(node, &mut bytes) {
                    return self.single(node).map_or(First::ANY, of_set);
                }
                let mut first = First { bytes: Bits::default(), empty: false };
                bytes.first().iter().for_each(|b| first.bytes.add(**b));
                first
            }
            Node::Set(_) | Node::Any(_) => self.single(node).map_or(First::ANY, of_set),
            Node::At(_) | Node::Look { .. } => First::NOTHING,
            Node::Concat(nodes) => {
                let mut first = First::NOTHING;
                for node in nodes {
                    if !first.empty {
                        break;
                    }
                    first = first.then(&self.first(node));
                }
                first
            }
            Node::Branch(nodes) => {
                let none = First { bytes: Bits::default(), empty: false };
                nodes.iter().fold(none, |first, n| first.or(&self.first(n)))
            }
            Node::Group(_, body) | Node::Atomic(body) => self.first(body),
            Node::Repeat { min, max, body, .. } => {
                if *max == 0 {
                    return First::NOTHING;
                }
                let first = self.first(body);
                First { empty: first.empty || *min == 0, ..first }
            }
            Node::BackRef(..) => First::ANY,
            Node::Cond { yes, no, .. } => self.first(yes).or(&self.first(no)),
        }
    }

    /// Emits a node; what comes after it begins with `next`.
    fn node(&mut self, node: &Node, next: &First) {
        match node {
            Node::Literal(..) => self.concat(std::slice::from_ref(node), next),
            Node::Set(_) | Node::Any(_) => {
                if let Some(set) = self.single(node) {
                    let set = self.add_set(set);
                    self.emit(Inst::Set(set));
                }
            }
            Node::At(at) => {
                self.emit(Inst::At(*at));
            }
            Node::Concat(nodes) => self.concat(nodes, next),
            Node::Branch(nodes) => self.branch(nodes, next),
            Node::Group(None, body) => self.node(body, next),
            Node::Group(Some(group), body) => {
                self.emit(Inst::Save(group * 2 - 2));
                self.node(body, next);
                self.emit(Inst::Save(group * 2 - 1));
            }
            Node::Repeat { min, max, greed, body } => self.repeat(*min, *max, *greed, body, next),
            Node::Atomic(body) => self.atomic(|c| c.node(body, &First::ANY)),
            Node::Look { behind, negated, body } => {
                let look =
                    Look { negated: *negated, returns: true, behind: behind.unwrap_or(0), end: 0 };
                self.look(look, |c| c.node(body, &First::ANY));
            }
            Node::BackRef(group, fold) => {
                self.emit(Inst::BackRef(*group, *fold));
            }
            Node::Cond { group, yes, no } => {
                let unless = self.emit(Inst::Unless(*group, 0));
                self.node(yes, next);
                let jump = self.emit(Inst::Jump(0));
                self.program.code[unless as usize] = Inst::Unless(*group, self.here());
                self.node(no, next);
                self.program.code[jump as usize] = Inst::Jump(self.here());
            }
        }
    }

    fn look(&mut self, look: Look, body: impl FnOnce(&mut Compiler)) {
        let id = self.program.looks.len();
        self.program.looks.push(look);
        self.emit(Inst::Look(id as u32));
        body(self);
        self.emit(Inst::LookEnd(id as u32));
        self.program.looks[id].end = self.here();
    }

    fn atomic(&mut self, body: impl FnOnce(&mut Compiler)) {
        self.look(Look { negated: false, returns: false, behind: 0, end: 0 }, body);
    }

    fn concat(&mut self, nodes: &[Node], next: &First) {
        // What may follow each node, from the last one on.
        let mut follow = vec![*next; nodes.len()];
        for i in (1..nodes.len()).rev() {
            follow[i - 1] = self.first(&nodes[i]).then(&follow[i]);
        }
        let mut i = 0;
        while i < nodes.len() {
            let mut bytes = Vec::new();
            let mut end = i;
            while end < nodes.len() && bytes.len() < MAX_PREFIX {
                if !self.literal(&nodes[end], &mut bytes) {
                    break;
                }
                end += 1;
            }
            if end > i {
                self.bytes(&bytes);
                i = end;
                continue;
            }
            match &nodes[i] {
                node @ Node::Literal(..) => {
                    if let Some(set) = self.single(node) {
                        let set = self.add_set(set);
                        self.emit(Inst::Set(set));
                    }
                }
                node => self.node(node, &follow[i]),
            }
            i += 1;
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        match bytes {
            [one] => self.emit(Inst::Byte(*one)),
            _ => {
                let at = self.program.literals.len() as u32;
                self.program.literals.extend_from_slice(bytes);
                self.emit(Inst::Bytes { at, len: bytes.len() as u32 })
            }
        };
    }

    fn branch(&mut self, nodes: &[Node], next: &First) {
        if let Some(set) = self.merged(nodes) {
            let set = self.add_set(set);
            self.emit(Inst::Set(set));
            return;
        }
        let id = self.program.branches.len();
        self.program.branches.push(Vec::new());
        self.emit(Inst::Branch(id as u32));
        let mut ways = Vec::with_capacity(nodes.len());
        let mut jumps = Vec::with_capacity(nodes.len());
        for (i, node) in nodes.iter().enumerate() {
            ways.push((self.here(), self.first(node).then(next).filter()));
            self.node(node, next);
            if i + 1 < nodes.len() {
                jumps.push(self.emit(Inst::Jump(0)));
            }
        }
        self.program.branches[id] = ways;
        let end = self.here();
        for jump in jumps {
            self.program.code[jump as usize] = Inst::Jump(end);
        }
    }

    /// The set that alternatives of one character each amount to.
    fn merged(&self, nodes: &[Node]) -> Option<CharSet> {
        use super::ast::{SetItem, SetNode};
        let mut items = Vec::new();
        let mut fold = None;
        for node in nodes {
            let this = match node {
                Node::Literal(c, fold) => {
                    items.push(SetItem::Range(*c, *c));
                    *fold
                }
                Node::Set(set) if !set.negated => {
                    items.extend_from_slice(&set.items);
                    set.fold
                }
                _ => return None,
            };
            if *fold.get_or_insert(this) != this {
                return None;
            }
        }
        let node = SetNode { items, negated: false, fold: fold? };
        Some(CharSet::new(&node, self.is_text))
    }

    fn repeat(&mut self, min: u32, max: u32, greed: Greed, body: &Node, next: &First) {
        if max == 0 {
            return;
        }
        let single = match body {
            Node::Group(None, inner) => match &**inner {
                Node::Branch(nodes) => self.merged(nodes),
                inner => self.single(inner),
            },
            body => self.single(body),
        };
        if let Some(set) = single {
            return self.run(set, min, max, greed, next);
        }
        let first = self.first(body);
        let lazy = greed == Greed::Lazy;
        if greed == Greed::Possessive {
            let body = Node::Atomic(Box::new(body.clone()));
            return self.atomic(|c| c.repeat(min, max, Greed::Greedy, &body, &First::ANY));
        }
        match (min, max) {
            (1, 1) => self.node(body, next),
            (0, 1) => {
                let split = self.split(lazy);
                self.node(body, next);
                let tail = self.here();
                self.close(split, split.0 + 1, tail, &first.then(next), next);
            }
            (0 | 1, MANY) if !first.empty => self.star(min, lazy, body, &first, next),
            _ => self.counted(min, max, lazy, body, &first, next),
        }
    }

    fn run(&mut self, set: CharSet, min: u32, max: u32, greed: Greed, next: &First) {
        if (min, max) == (1, 1) {
            let set = self.add_set(set);
            self.emit(Inst::Set(set));
            return;
        }
        let kind = match greed {
            Greed::Lazy => RunKind::Lazy,
            Greed::Possessive => RunKind::Possessive,
            Greed::Greedy if min == max => RunKind::Possessive,
            // What is given back begins with a character of the set, what follows does not.
            Greed::Greedy if !next.empty && next.bytes.is_disjoint(&self.covered(&set)) => {
                RunKind::Possessive
            }
            Greed::Greedy => RunKind::Greedy,
        };
        let filter = next.filter();
        let next_byte = match &filter {
            Some(bits) if bits.len() == 1 => bits.iter().next(),
            _ => None,
        };
        let set = self.add_set(set);
        let id = self.program.runs.len() as u32;
        self.program.runs.push(Run { set, min, max, kind, next: filter, next_byte });
        self.emit(Inst::Run(id));
    }

    /// The bytes with which characters of a set begin, and more if that is not known exactly.
    fn covered(&self, set: &CharSet) -> Bits {
        set.first_bytes(self.is_text)
    }

    /// Begins a choice between what is emitted next and something else.
    fn split(&mut self, lazy: bool) -> (Pc, usize, bool) {
        let id = self.program.splits.len();
        self.program.splits.push(Split::default());
        (self.emit(Inst::Split(id as u32)), id, lazy)
    }

    fn close(
        &mut self,
        split: (Pc, usize, bool),
        body: Pc,
        tail: Pc,
        body_first: &First,
        tail_first: &First,
    ) {
        let (body, tail) = ((body, body_first.filter()), (tail, tail_first.filter()));
        let (prefer, other) = if split.2 { (tail, body) } else { (body, tail) };
        self.program.splits[split.1] = Split {
            prefer: prefer.0,
            other: other.0,
            prefer_first: prefer.1,
            other_first: other.1,
        };
    }

    /// A loop whose body takes at least one character, once or not at all at least.
    fn star(&mut self, min: u32, lazy: bool, body: &Node, first: &First, next: &First) {
        let again = first.or(next);
        if min == 1 {
            let start = self.here();
            self.node(body, &again);
            let split = self.split(lazy);
            let tail = self.here();
            self.close(split, start, tail, first, next);
        } else {
            let split = self.split(lazy);
            self.node(body, &again);
            self.emit(Inst::Jump(split.0));
            let tail = self.here();
            self.close(split, split.0 + 1, tail, first, next);
        }
    }

    fn counted(
        &mut self,
        min: u32,
        max: u32,
        lazy: bool,
        body: &Node,
        first: &First,
        next: &First,
    ) {
        let id = self.program.loops.len();
        let again = first.or(next).or(&First::NOTHING);
        self.program.loops.push(Loop {
            min,
            max,
            lazy,
            body: 0,
            tail: 0,
            body_first: first.filter(),
            tail_first: next.filter(),
        });
        self.emit(Inst::LoopStart(id as u32));
        let jump = self.emit(Inst::Jump(0));
        let start = self.here();
        self.node(body, &again);
        let test = self.emit(Inst::LoopNext(id as u32));
        self.program.code[jump as usize] = Inst::Jump(test);
        let row = &mut self.program.loops[id];
        row.body = start;
        row.tail = test + 1;
    }

    /// Where matches may begin, from the code and the bytes that they may begin with.
    fn start(&mut self, first: &First) -> Start {
        let mut prefix = Vec::new();
        let mut plain = true;
        for inst in &self.program.code {
            match inst {
                Inst::Save(_) => plain = false,
                Inst::Byte(b) => prefix.push(*b),
                Inst::Bytes { at, len } => {
                    let at = *at as usize;
                    prefix.extend_from_slice(&self.program.literals[at..at + *len as usize]);
                }
                Inst::Match if plain && !prefix.is_empty() => {
                    self.program.literal_len = Some(prefix.len());
                    break;
                }
                Inst::At(At::Start) if prefix.is_empty() => return Start::Text,
                Inst::At(At::LineStart) if prefix.is_empty() => return Start::Line,
                _ => break,
            }
        }
        match prefix[..] {
            [] => {}
            [one] => return Start::One(one),
            _ => {
                let finder = memchr::memmem::Finder::new(&prefix).into_owned();
                return Start::Literal(Box::new(finder));
            }
        }
        let Some(bits) = first.filter() else { return Start::Anywhere };
        let few: Vec<u8> = bits.iter().take(4).collect();
        match few[..] {
            [a] => Start::One(a),
            [a, b] => Start::Two(a, b),
            [a, b, c] => Start::Three(a, b, c),
            _ => Start::Some(bits),
        }
    }
}
