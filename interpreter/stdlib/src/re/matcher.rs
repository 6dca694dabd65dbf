//! The matcher: runs a program over a text, going back to the last choice when something fails.
//!
//! What it may go back to lies on a stack of its own, so neither long texts nor wild patterns
//! need native stack. The same stack tells which marks and counters to put back on the way. A
//! run of single characters is one entry however long it is.

use memchr::{memchr, memchr2, memchr3, memrchr};
use miniscript_vm::text::{case, wtf8};

use super::ast::{At, Fold, MANY};
use super::charset::{Bits, CharSet, Stop, is_word};
use super::fold::lower_ascii;
use super::program::{Filter, Inst, Program, Run, RunKind, Start};

/// A mark that is not set, a place that is none.
pub const UNSET: usize = usize::MAX;

/// Why the matcher gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// The meter said so.
    Stopped,
    /// The stack would take too much memory.
    Memory,
}

/// What counts the steps and the memory of the matcher.
pub trait Meter {
    /// So many steps were made.
    fn spend(&mut self, steps: usize) -> Result<(), Halt>;
    /// The stack will take so many bytes.
    fn room(&mut self, bytes: usize) -> Result<(), Halt>;
}

/// Steps between two reports to the meter.
const SLICE: i64 = 4096;

/// Where a match must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Anywhere from the first place on.
    Search,
    /// At the first place.
    Match,
    /// From the first place to the end.
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Go on at `pc` from `a`.
    Choice,
    /// Alternative `b` of branch `pc`, from `a`.
    Branch,
    /// Run at `pc`: one less than up to `b`, at least up to `a`.
    Greedy,
    /// Run at `pc`: one more than up to `a`, by `b` more at most.
    Lazy,
    /// One more round of loop `pc` from `a`.
    Round,
    /// Mark `pc` was `a`, the last group `b`.
    Mark,
    /// Counter `pc` was `a`, its place `b`.
    Counter,
    /// A look-around or atomic group that began at `a`: nothing to go on with.
    Barrier,
    /// One that must not match: go on at `pc` from `a`.
    Negated,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    kind: Kind,
    pc: u32,
    a: usize,
    b: usize,
}

/// The memory of the matcher, kept from match to match.
#[derive(Debug, Default)]
pub struct Scratch {
    stack: Vec<Entry>,
    /// Start and end of each group; [`UNSET`] if it took no part.
    pub marks: Vec<usize>,
    /// The last group that was closed; 0: none.
    pub last_group: u32,
    counters: Vec<(usize, usize)>,
    bases: Vec<usize>,
    dirty: bool,
}

/// Looks for a match of `program` in `text` from byte `from` on. `wide` says that the text has
/// characters of several bytes. If the match would be empty at `from` itself although it `must
/// advance`, it does not count.
#[allow(clippy::too_many_arguments)]
pub fn find(
    program: &Program,
    scratch: &mut Scratch,
    text: &[u8],
    wide: bool,
    from: usize,
    mode: Mode,
    must_advance: bool,
    meter: &mut dyn Meter,
) -> Result<Option<(usize, usize)>, Halt> {
    scratch.marks.resize(program.marks, UNSET);
    scratch.counters.resize(program.loops.len(), (0, UNSET));
    scratch.bases.resize(program.looks.len(), 0);
    scratch.last_group = 0;
    scratch.dirty = true;
    if wide {
        let mut m =
            Matcher::<true> { program, s: scratch, text, mode, left: SLICE, banned: UNSET, meter };
        m.find(from, must_advance)
    } else {
        let mut m =
            Matcher::<false> { program, s: scratch, text, mode, left: SLICE, banned: UNSET, meter };
        m.find(from, must_advance)
    }
}

struct Matcher<'a, const WIDE: bool> {
    program: &'a Program,
    s: &'a mut Scratch,
    text: &'a [u8],
    mode: Mode,
    /// Steps until the meter is told.
    left: i64,
    /// Where a match may not end.
    banned: usize,
    meter: &'a mut dyn Meter,
}

/// Whether what comes at `pos` may pass a filter.
#[inline(always)]
fn passes(filter: &Filter, text: &[u8], pos: usize) -> bool {
    match filter {
        None => true,
        Some(bits) => text.get(pos).is_some_and(|b| bits.has(*b)),
    }
}

impl<const WIDE: bool> Matcher<'_, WIDE> {
    fn find(&mut self, from: usize, must_advance: bool) -> Result<Option<(usize, usize)>, Halt> {
        let found = self.find_from(from, must_advance);
        // A long list of short matches is work, too.
        let rest = self.meter.spend((SLICE - self.left).max(1) as usize);
        let found = found?;
        rest?;
        Ok(found)
    }

    fn find_from(
        &mut self,
        from: usize,
        must_advance: bool,
    ) -> Result<Option<(usize, usize)>, Halt> {
        let mut at = from;
        loop {
            if self.mode == Mode::Search {
                match self.candidate(at) {
                    Some(found) => {
                        self.left -= (found - at) as i64 / 64;
                        at = found;
                    }
                    None => return Ok(None),
                }
                if let Some(len) = self.program.literal_len {
                    return Ok(Some((at, at + len)));
                }
            }
            self.banned = if must_advance && at == from { at } else { UNSET };
            if let Some(end) = self.run(at)? {
                return Ok(Some((at, end)));
            }
            if self.mode != Mode::Search || at >= self.text.len() {
                return Ok(None);
            }
            at = self.after(at);
            self.step()?;
        }
    }

    /// The first place from `at` on where a match may begin.
    fn candidate(&self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let found = match &self.program.start {
            Start::Anywhere => return Some(at),
            Start::Text => return (at == 0).then_some(0),
            Start::Line => {
                if at == 0 || self.text[at - 1] == b'\n' {
                    return Some(at);
                }
                memchr(b'\n', rest).map(|i| i + 1)
            }
            Start::Literal(finder) => finder.find(rest),
            Start::One(a) => memchr(*a, rest),
            Start::Two(a, b) => memchr2(*a, *b, rest),
            Start::Three(a, b, c) => memchr3(*a, *b, *c, rest),
            Start::Some(bits) => rest.iter().position(|b| bits.has(*b)),
        };
        found.map(|i| at + i)
    }

    #[inline(always)]
    fn step(&mut self) -> Result<(), Halt> {
        self.left -= 1;
        if self.left < 0 { self.report() } else { Ok(()) }
    }

    #[cold]
    #[inline(never)]
    fn report(&mut self) -> Result<(), Halt> {
        let spent = SLICE - self.left;
        self.left = SLICE;
        self.meter.spend(spent as usize)
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind, pc: u32, a: usize, b: usize) -> Result<(), Halt> {
        if self.s.stack.len() == self.s.stack.capacity() {
            self.grow()?;
        }
        self.s.stack.push(Entry { kind, pc, a, b });
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> Result<(), Halt> {
        let more = self.s.stack.capacity().max(32);
        self.meter.room((self.s.stack.capacity() + more) * size_of::<Entry>())?;
        self.s.stack.try_reserve_exact(more).map_err(|_| Halt::Memory)
    }

    /// Remembers something that must be put back when an earlier choice is taken up.
    #[inline(always)]
    fn note(&mut self, kind: Kind, pc: u32, a: usize, b: usize) -> Result<(), Halt> {
        if self.s.stack.is_empty() { Ok(()) } else { self.push(kind, pc, a, b) }
    }

    /// The place behind the character at a place.
    #[inline(always)]
    fn after(&self, at: usize) -> usize {
        if !WIDE {
            return at + 1;
        }
        wtf8::decode(self.text, at).map_or(at + 1, |(_, next)| next)
    }

    /// The place of the character before a place that is not the start.
    #[inline(always)]
    fn before(&self, at: usize) -> usize {
        let mut at = at - 1;
        while WIDE && at > 0 && self.text[at] & 0xC0 == 0x80 {
            at -= 1;
        }
        at
    }

    /// The place behind the character at `pos`, if that belongs to the set.
    #[inline(always)]
    fn one(&self, set: &CharSet, pos: usize) -> Option<usize> {
        let b = *self.text.get(pos)?;
        if !WIDE || b < 0x80 {
            return set.low.has(b).then_some(pos + 1);
        }
        let (c, next) = wtf8::decode(self.text, pos)?;
        set.has(c).then_some(next)
    }

    /// The end of the run of characters of a set, `max` at most.
    #[inline]
    fn run_end(&self, set: &CharSet, from: usize, max: u32) -> usize {
        let mut pos = from;
        if max != MANY {
            for _ in 0..max {
                match self.one(set, pos) {
                    Some(next) => pos = next,
                    None => break,
                }
            }
            return pos;
        }
        if !WIDE || set.all_high || set.no_high {
            // All bytes from 128 on are in or out together, so bytes will do. A search for what
            // ends a run pays for itself when the run is not short.
            let soon = self.text.len().min(from + 16);
            while pos < soon {
                if !set.low.has(self.text[pos]) {
                    return pos;
                }
                pos += 1;
            }
            let rest = &self.text[pos..];
            let found = match set.stop {
                Stop::Never => None,
                Stop::One(a) => memchr(a, rest),
                Stop::Two(a, b) => memchr2(a, b, rest),
                Stop::Many => rest.iter().position(|b| !set.low.has(*b)),
            };
            return found.map_or(self.text.len(), |i| pos + i);
        }
        while let Some(next) = self.one(set, pos) {
            pos = next;
        }
        pos
    }

    /// The last place from `lo` to `hi` where what follows the run may begin.
    #[inline]
    fn last_place(&mut self, run: &Run, lo: usize, hi: usize) -> Option<usize> {
        let Some(bits) = &run.next else { return Some(hi) };
        let found = match run.next_byte {
            Some(b) => memrchr(b, &self.text[lo..self.text.len().min(hi + 1)]).map(|i| lo + i),
            None => self.last_of(bits, lo, hi),
        };
        self.left -= (hi - found.unwrap_or(lo)) as i64 / 32;
        found
    }

    fn last_of(&self, bits: &Bits, lo: usize, hi: usize) -> Option<usize> {
        // A byte that begins what follows is no continuation byte, so bytes will do.
        let end = self.text.len().min(hi + 1);
        self.text[lo..end].iter().rposition(|b| bits.has(*b)).map(|i| lo + i)
    }

    /// The first place from `pos` on, `left` characters of the run further at most, where what
    /// follows it may begin.
    #[inline]
    fn next_place(&mut self, run: &Run, pos: usize, left: u32) -> Option<(usize, u32)> {
        let (mut pos, mut left) = (pos, left);
        let from = pos;
        let set = &self.program.sets[run.set as usize];
        let found = loop {
            if passes(&run.next, self.text, pos) {
                break Some((pos, left));
            }
            if left == 0 {
                break None;
            }
            match self.one(set, pos) {
                Some(next) => pos = next,
                None => break None,
            }
            if left != MANY {
                left -= 1;
            }
        };
        self.left -= (pos - from) as i64 / 16;
        found
    }

    /// Tries a match that begins at `start`; gives its end.
    fn run(&mut self, start: usize) -> Result<Option<usize>, Halt> {
        let (p, text) = (self.program, self.text);
        if self.s.dirty {
            // Few are set without a call.
            match &mut self.s.marks[..] {
                [] => {}
                [a, b] => (*a, *b) = (UNSET, UNSET),
                [a, b, c, d] => (*a, *b, *c, *d) = (UNSET, UNSET, UNSET, UNSET),
                many => many.fill(UNSET),
            }
            self.s.last_group = 0;
            self.s.dirty = false;
        }
        self.s.stack.clear();
        let (mut pc, mut pos) = (0usize, start);
        loop {
            let goes_on = match &p.code[pc] {
                Inst::Byte(b) => {
                    let same = text.get(pos) == Some(b);
                    pos += 1;
                    pc += 1;
                    same
                }
                Inst::Bytes { at, len } => {
                    let (at, len) = (*at as usize, *len as usize);
                    let same =
                        text.get(pos..).is_some_and(|t| t.starts_with(&p.literals[at..at + len]));
                    pos += len;
                    pc += 1;
                    same
                }
                Inst::Set(set) => match self.one(&p.sets[*set as usize], pos) {
                    Some(next) => {
                        pos = next;
                        pc += 1;
                        true
                    }
                    None => false,
                },
                Inst::Run(id) => match self.enter_run(*id, pc, pos)? {
                    Some(next) => {
                        pos = next;
                        pc += 1;
                        true
                    }
                    None => false,
                },
                Inst::Split(id) => {
                    let split = &p.splits[*id as usize];
                    self.step()?;
                    if passes(&split.prefer_first, text, pos) {
                        if passes(&split.other_first, text, pos) {
                            self.push(Kind::Choice, split.other, pos, 0)?;
                        }
                        pc = split.prefer as usize;
                        true
                    } else {
                        pc = split.other as usize;
                        passes(&split.other_first, text, pos)
                    }
                }
                Inst::Branch(id) => match self.alternative(*id, 0, pos)? {
                    Some(next) => {
                        pc = next;
                        true
                    }
                    None => false,
                },
                Inst::Jump(to) => {
                    pc = *to as usize;
                    true
                }
                Inst::Save(mark) => {
                    let old = self.s.marks[*mark as usize];
                    self.note(Kind::Mark, *mark, old, self.s.last_group as usize)?;
                    self.s.marks[*mark as usize] = pos;
                    if mark & 1 != 0 {
                        self.s.last_group = mark / 2 + 1;
                    }
                    self.s.dirty = true;
                    pc += 1;
                    true
                }
                Inst::LoopStart(id) => {
                    let (count, place) = self.s.counters[*id as usize];
                    self.note(Kind::Counter, *id, count, place)?;
                    self.s.counters[*id as usize] = (usize::MAX, UNSET);
                    pc += 1;
                    true
                }
                Inst::LoopNext(id) => match self.next_round(*id, pos)? {
                    Some(next) => {
                        pc = next;
                        true
                    }
                    None => false,
                },
                Inst::At(at) => {
                    pc += 1;
                    self.is_at(*at, pos)
                }
                Inst::Look(id) => {
                    let look = &p.looks[*id as usize];
                    match self.back_by(pos, look.behind) {
                        None => {
                            pc = look.end as usize;
                            look.negated
                        }
                        Some(from) => {
                            self.s.bases[*id as usize] = self.s.stack.len();
                            let kind = if look.negated { Kind::Negated } else { Kind::Barrier };
                            self.push(kind, look.end, pos, 0)?;
                            pos = from;
                            pc += 1;
                            true
                        }
                    }
                }
                Inst::LookEnd(id) => {
                    let look = &p.looks[*id as usize];
                    let base = self.s.bases[*id as usize];
                    if look.negated {
                        self.undo_to(base);
                        false
                    } else {
                        if look.returns {
                            pos = self.s.stack[base].a;
                        }
                        self.settle(base);
                        pc += 1;
                        true
                    }
                }
                Inst::BackRef(group, fold) => match self.again(*group, *fold, pos) {
                    Some(next) => {
                        pos = next;
                        pc += 1;
                        true
                    }
                    None => false,
                },
                Inst::Unless(group, other) => {
                    pc = if self.group(*group).is_some() { pc + 1 } else { *other as usize };
                    true
                }
                Inst::Match => {
                    let wrong = self.mode == Mode::Full && pos != text.len();
                    if !wrong && pos != self.banned {
                        return Ok(Some(pos));
                    }
                    false
                }
            };
            if !goes_on {
                match self.back()? {
                    Some((to, at)) => (pc, pos) = (to, at),
                    None => return Ok(None),
                }
            }
        }
    }

    #[inline]
    fn enter_run(&mut self, id: u32, pc: usize, pos: usize) -> Result<Option<usize>, Halt> {
        let p = self.program;
        let run = &p.runs[id as usize];
        let set = &p.sets[run.set as usize];
        let mut lo = pos;
        for _ in 0..run.min {
            match self.one(set, lo) {
                Some(next) => lo = next,
                None => return Ok(None),
            }
        }
        let more = if run.max == MANY { MANY } else { run.max - run.min };
        if run.kind == RunKind::Lazy {
            let Some((at, left)) = self.next_place(run, lo, more) else { return Ok(None) };
            if left > 0 {
                self.push(Kind::Lazy, pc as u32, at, left as usize)?;
            }
            return Ok(Some(at));
        }
        let hi = self.run_end(set, lo, more);
        self.left -= (hi - lo) as i64 / 32;
        if run.kind == RunKind::Possessive {
            return Ok(passes(&run.next, self.text, hi).then_some(hi));
        }
        let Some(at) = self.last_place(run, lo, hi) else { return Ok(None) };
        if at > lo {
            self.push(Kind::Greedy, pc as u32, lo, at)?;
        }
        Ok(Some(at))
    }

    /// The first alternative from number `from` on that may match at `pos`.
    #[inline]
    fn alternative(&mut self, id: u32, from: usize, pos: usize) -> Result<Option<usize>, Halt> {
        let ways = &self.program.branches[id as usize];
        let viable = |from: usize| {
            ways[from..].iter().position(|w| passes(&w.1, self.text, pos)).map(|i| from + i)
        };
        let Some(this) = viable(from) else { return Ok(None) };
        if let Some(other) = viable(this + 1) {
            self.push(Kind::Branch, id, pos, other)?;
        }
        Ok(Some(ways[this].0 as usize))
    }

    /// A round of a counted loop has ended (or the loop begins): the next one, or what follows.
    fn next_round(&mut self, id: u32, pos: usize) -> Result<Option<usize>, Halt> {
        self.step()?;
        let row = &self.program.loops[id as usize];
        let (old, place) = self.s.counters[id as usize];
        let count = old.wrapping_add(1);
        if count < row.min as usize {
            self.note(Kind::Counter, id, old, place)?;
            self.s.counters[id as usize].0 = count;
            return Ok(Some(row.body as usize));
        }
        let may_repeat = (row.max == MANY || count < row.max as usize)
            && pos != place
            && passes(&row.body_first, self.text, pos);
        let may_end = passes(&row.tail_first, self.text, pos);
        if row.lazy && may_end {
            if may_repeat {
                self.push(Kind::Round, id, pos, 0)?;
            }
            return Ok(Some(row.tail as usize));
        }
        if !may_repeat {
            return Ok(may_end.then_some(row.tail as usize));
        }
        if may_end {
            self.push(Kind::Choice, row.tail, pos, 0)?;
        }
        self.begin_round(id, pos).map(Some)
    }

    fn begin_round(&mut self, id: u32, pos: usize) -> Result<usize, Halt> {
        let (old, place) = self.s.counters[id as usize];
        self.note(Kind::Counter, id, old, place)?;
        self.s.counters[id as usize] = (old.wrapping_add(1), pos);
        Ok(self.program.loops[id as usize].body as usize)
    }

    /// Takes up the last choice: where to go on, and at which place.
    fn back(&mut self) -> Result<Option<(usize, usize)>, Halt> {
        self.step()?;
        let p = self.program;
        while let Some(entry) = self.s.stack.pop() {
            let Entry { kind, pc, a, b } = entry;
            match kind {
                Kind::Choice | Kind::Negated => return Ok(Some((pc as usize, a))),
                Kind::Barrier => {}
                Kind::Mark | Kind::Counter => self.put_back(entry),
                Kind::Branch => {
                    if let Some(next) = self.alternative(pc, b, a)? {
                        return Ok(Some((next, a)));
                    }
                }
                Kind::Round => {
                    let body = self.begin_round(pc, a)?;
                    return Ok(Some((body, a)));
                }
                Kind::Greedy => {
                    let Inst::Run(id) = p.code[pc as usize] else { continue };
                    let less = self.before(b);
                    let Some(at) = self.last_place(&p.runs[id as usize], a, less) else {
                        continue;
                    };
                    if at > a {
                        self.s.stack.push(Entry { b: at, ..entry });
                    }
                    return Ok(Some((pc as usize + 1, at)));
                }
                Kind::Lazy => {
                    let Inst::Run(id) = p.code[pc as usize] else { continue };
                    let run = &p.runs[id as usize];
                    let Some(more) = self.one(&p.sets[run.set as usize], a) else { continue };
                    let left = if b as u32 == MANY { MANY } else { b as u32 - 1 };
                    let Some((at, left)) = self.next_place(run, more, left) else { continue };
                    if left > 0 {
                        self.s.stack.push(Entry { a: at, b: left as usize, ..entry });
                    }
                    return Ok(Some((pc as usize + 1, at)));
                }
            }
        }
        Ok(None)
    }

    fn put_back(&mut self, entry: Entry) {
        match entry.kind {
            Kind::Mark => {
                self.s.marks[entry.pc as usize] = entry.a;
                self.s.last_group = entry.b as u32;
            }
            Kind::Counter => self.s.counters[entry.pc as usize] = (entry.a, entry.b),
            _ => {}
        }
    }

    /// Forgets all choices from `base` on and puts back what was noted since.
    fn undo_to(&mut self, base: usize) {
        while self.s.stack.len() > base {
            if let Some(entry) = self.s.stack.pop() {
                self.put_back(entry);
            }
        }
    }

    /// Forgets all choices from `base` on, but not what is to be put back one day.
    fn settle(&mut self, base: usize) {
        let mut to = base;
        for from in base + 1..self.s.stack.len() {
            let entry = self.s.stack[from];
            if matches!(entry.kind, Kind::Mark | Kind::Counter) {
                self.s.stack[to] = entry;
                to += 1;
            }
        }
        self.s.stack.truncate(to);
    }

    fn back_by(&self, pos: usize, count: u32) -> Option<usize> {
        if !WIDE {
            return pos.checked_sub(count as usize);
        }
        let mut pos = pos;
        for _ in 0..count {
            if pos == 0 {
                return None;
            }
            pos = self.before(pos);
        }
        Some(pos)
    }

    fn group(&self, group: u32) -> Option<(usize, usize)> {
        let at = group as usize * 2 - 2;
        let (lo, hi) = (self.s.marks[at], self.s.marks[at + 1]);
        (lo != UNSET && hi != UNSET && lo <= hi).then_some((lo, hi))
    }

    /// The text of a group once more.
    fn again(&mut self, group: u32, fold: Fold, pos: usize) -> Option<usize> {
        let (lo, hi) = self.group(group)?;
        let text = self.text;
        self.left -= (hi - lo) as i64 / 16;
        if fold == Fold::No {
            let same = text.get(pos..)?.starts_with(&text[lo..hi]);
            return same.then_some(pos + (hi - lo));
        }
        let lower = |c| if fold == Fold::Ascii { lower_ascii(c) } else { case::lower_one(c) };
        let (mut from, mut pos) = (lo, pos);
        while from < hi {
            let (a, b) = if WIDE {
                let ((a, next), (b, after)) = (wtf8::decode(text, from)?, wtf8::decode(text, pos)?);
                (from, pos) = (next, after);
                (a, b)
            } else {
                let (a, b) = (text[from] as u32, *text.get(pos)? as u32);
                from += 1;
                pos += 1;
                (a, b)
            };
            if a != b && lower(a) != lower(b) {
                return None;
            }
        }
        Some(pos)
    }

    fn is_at(&self, at: At, pos: usize) -> bool {
        let text = self.text;
        match at {
            At::Start => pos == 0,
            At::LineStart => pos == 0 || text[pos - 1] == b'\n',
            At::End => pos == text.len(),
            At::LastLineEnd => pos == text.len() || text[pos..] == *b"\n",
            At::LineEnd => pos == text.len() || text[pos] == b'\n',
            At::Boundary { ascii, negated } => {
                if text.is_empty() {
                    return false;
                }
                let before = pos > 0 && self.word_at(self.before(pos), ascii);
                let after = pos < text.len() && self.word_at(pos, ascii);
                (before != after) != negated
            }
        }
    }

    fn word_at(&self, at: usize, ascii: bool) -> bool {
        let b = self.text[at];
        if b < 0x80 {
            return b.is_ascii_alphanumeric() || b == b'_';
        }
        WIDE && !ascii && wtf8::decode(self.text, at).is_some_and(|(c, _)| is_word(c))
    }
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
