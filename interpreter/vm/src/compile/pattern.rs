//! `match`: each pattern is a row of tests that jump to the next case; what it captures stays in
//! temporaries until the whole pattern has matched.

use miniscript_syntax::ast::*;
use miniscript_syntax::{Span, SyntaxError};
use rustc_hash::FxHashSet;

use super::fold::fold;
use super::ir::Label;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{MAX_REG, Op, Special};
use crate::code::proto::Const;

/// Temporaries that the tests of a pattern need beside those that [`cost`] counts.
const SPARE: u32 = 24;

/// The names captured so far and the registers that hold them.
struct Captures<'a> {
    list: Vec<(&'a Ident, u32)>,
    names: FxHashSet<&'a str>,
    /// The pattern is large: what is captured waits in far registers, and elements are fetched
    /// one by one.
    far: bool,
}

impl Captures<'_> {
    fn new(far: bool) -> Self {
        Captures { list: Vec::new(), names: FxHashSet::default(), far }
    }
}

fn error(text: impl Into<String>, span: Span) -> SyntaxError {
    super::error("pattern", text, span)
}

impl<'a> Compiler<'a> {
    pub fn match_stmt(&mut self, s: &'a Match) -> Res {
        let end = self.label();
        let subject = self.tmp()?;
        self.expr(&s.subject, subject)?;
        for (i, case) in s.cases.iter().enumerate() {
            let last = i + 1 == s.cases.len();
            if !last && case.guard.is_none() {
                check_refutable(&case.pattern)?;
            }
            let next = self.label();
            let mark = self.u.top;
            self.u.pin = mark;
            let far = self.far_mark();
            self.u.at = case.pattern.span;
            let mut captures = Captures::new(cost(&case.pattern) + SPARE > self.room());
            self.pattern(&case.pattern, subject, next, &mut captures)?;
            for (name, r) in captures.list {
                let mangled = self.mangled(&name.name);
                let top = self.u.top;
                let near = if is_far(r) { self.tmp()? } else { r };
                self.move_any(near, r)?;
                self.store_name(&mangled, near, name.span)?;
                self.u.top = top;
            }
            self.u.top = mark;
            self.free_far(far);
            if let Some(guard) = &case.guard {
                self.cond_jump(guard, next, false)?;
            }
            self.stmts(&case.body)?;
            self.jump(end);
            self.place(next);
        }
        self.place(end);
        Ok(())
    }

    /// Goes on if `R[subject]` matches, jumps to `fail` otherwise. Registers taken here stay
    /// taken until the case is done.
    fn pattern(
        &mut self,
        p: &'a Pattern,
        subject: u32,
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        match &p.kind {
            PatternKind::Value(e) => {
                let mark = self.u.top;
                let t = self.tmp()?;
                match super::expr::small_int(e) {
                    Some(imm) => self.op(Op::JEQI, t, subject, imm, p.span),
                    None => {
                        let r = self.operand(e, None, true)?;
                        self.op(Op::JEQ, t, subject, r, p.span);
                    }
                }
                self.branch(false, t, fail, p.span);
                self.u.top = mark;
                Ok(())
            }
            PatternKind::Singleton(c) => {
                let mark = self.u.top;
                let t = self.tmps(2)?;
                self.load_const(t + 1, super::fold::literal(c));
                self.op(Op::JIS, t, subject, t + 1, p.span);
                self.branch(false, t, fail, p.span);
                self.u.top = mark;
                Ok(())
            }
            PatternKind::Sequence(list) => self.sequence(list, subject, fail, captures, p.span),
            PatternKind::Star(_) | PatternKind::Wildcard => Ok(()),
            PatternKind::Mapping { items, rest } => {
                self.mapping(items, rest.as_ref(), subject, fail, captures, p.span)
            }
            PatternKind::Class(class) => self.class_pattern(class, subject, fail, captures, p.span),
            PatternKind::Capture(name) => self.capture(name, subject, captures, p.span),
            PatternKind::As { pattern, name } => {
                self.pattern(pattern, subject, fail, captures)?;
                self.capture(name, subject, captures, p.span)
            }
            PatternKind::Or(list) => self.alternatives(list, subject, fail, captures, p.span),
        }
    }

    fn capture(
        &mut self,
        name: &'a Ident,
        value: u32,
        captures: &mut Captures<'a>,
        span: Span,
    ) -> Res {
        if !captures.names.insert(&name.name) {
            let text = format!("multiple assignments to name '{}' in pattern", name.name);
            return Err(error(text, span));
        }
        captures.list.push((name, value));
        Ok(())
    }

    /// `R[to] = R[from]`, either of which may be far.
    fn move_any(&mut self, to: u32, from: u32) -> Res {
        match (is_far(to), is_far(from)) {
            (false, false) => self.mov(to, from),
            (false, true) => self.load_far(to, from, 1),
            (true, false) => self.save_far(from, to, 1),
            (true, true) => {
                let t = self.tmp()?;
                self.load_far(t, from, 1);
                self.save_far(t, to, 1);
                self.u.top = t;
            }
        }
        Ok(())
    }

    /// The pattern of element `i` of `R[row]`, which has `len` of them, and a star at `star`.
    fn far_element(
        &mut self,
        p: &'a Pattern,
        (row, i, star, len): (u32, usize, usize, usize),
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        let mark = self.u.top;
        let since = captures.list.len();
        match &p.kind {
            PatternKind::Wildcard | PatternKind::Star(None) => {}
            PatternKind::Star(Some(name)) => {
                let part = self.tmps(3)?;
                self.load_const(part, Const::Int(star as i64));
                match len - star - 1 {
                    0 => self.special(part + 1, Special::None),
                    after => self.load_const(part + 1, Const::Int(-(after as i64))),
                }
                self.special(part + 2, Special::None);
                self.op(Op::MKSLICE, part, part, 0, p.span);
                self.op(Op::GETITEM, part, row, part, p.span);
                self.capture(name, part, captures, p.span)?;
            }
            _ => {
                let t = self.element(row, i, star, len, p.span)?;
                self.pattern(p, t, fail, captures)?;
            }
        }
        for (_, r) in &mut captures.list[since..] {
            if *r >= mark && !is_far(*r) {
                let far = self.far_tmps(1);
                self.save_far(*r, far, 1);
                *r = far;
            }
        }
        self.u.top = mark;
        Ok(())
    }

    /// The patterns of the elements of `R[row]`, a tuple or list of as many.
    fn far_elements(
        &mut self,
        patterns: impl ExactSizeIterator<Item = &'a Pattern>,
        row: u32,
        fail: Label,
        captures: &mut Captures<'a>,
    ) -> Res {
        let len = patterns.len();
        for (i, p) in patterns.enumerate() {
            self.far_element(p, (row, i, len, len), fail, captures)?;
        }
        Ok(())
    }

    /// Calls a test on `R[subject]` and jumps to `fail` if it is false.
    fn test(&mut self, which: Intrinsic, subject: u32, fail: Label, span: Span) -> Res {
        let mark = self.u.top;
        let t = self.tmps(2)?;
        self.mov(t + 1, subject);
        self.intrinsic(which, t, 1, span);
        self.branch(false, t, fail, span);
        self.u.top = mark;
        Ok(())
    }

    /// Jumps to `fail` unless the length of `R[subject]` is `len` (or at least that).
    fn length(&mut self, subject: u32, len: usize, at_least: bool, fail: Label, span: Span) -> Res {
        let mark = self.u.top;
        let t = self.tmps(3)?;
        self.mov(t + 1, subject);
        self.intrinsic(Intrinsic::Len, t, 1, span);
        if len <= 127 {
            let op = if at_least { Op::JGEI } else { Op::JEQI };
            self.op(op, t + 1, t, len as u32, span);
        } else {
            self.load_const(t + 2, Const::Int(len as i64));
            let op = if at_least { Op::JGE } else { Op::JEQ };
            self.op(op, t + 1, t, t + 2, span);
        }
        self.branch(false, t + 1, fail, span);
        self.u.top = mark;
        Ok(())
    }

    fn sequence(
        &mut self,
        list: &'a [Pattern],
        subject: u32,
        fail: Label,
        captures: &mut Captures<'a>,
        span: Span,
    ) -> Res {
        let is_star = |p: &Pattern| matches!(p.kind, PatternKind::Star(_));
        let star = list.iter().position(is_star);
        if list.iter().filter(|p| is_star(p)).count() > 1 {
            return Err(error("multiple starred names in sequence pattern", span));
        }
        self.test(Intrinsic::MatchSequence, subject, fail, span)?;
        match star {
            Some(_) if list.len() == 1 => {}
            Some(_) => self.length(subject, list.len() - 1, true, fail, span)?,
            None => self.length(subject, list.len(), false, fail, span)?,
        }
        let ignored =
            |p: &Pattern| matches!(p.kind, PatternKind::Wildcard | PatternKind::Star(None));
        if list.iter().all(ignored) {
            return Ok(());
        }
        // Elements that nobody looks at are not fetched around an ignored star.
        if let Some(at) = star
            && ignored(&list[at])
        {
            for (i, p) in list.iter().enumerate().filter(|(_, p)| !ignored(p)) {
                if captures.far {
                    self.far_element(p, (subject, i, at, list.len()), fail, captures)?;
                    continue;
                }
                let t = self.element(subject, i, at, list.len(), p.span)?;
                self.pattern(p, t, fail, captures)?;
            }
            return Ok(());
        }
        if captures.far {
            let row = self.tmp()?;
            self.opx(Op::UNPACKEX, row, subject, 0, 0, span);
            for (i, p) in list.iter().enumerate() {
                let star = star.unwrap_or(list.len());
                self.far_element(p, (row, i, star, list.len()), fail, captures)?;
            }
            return Ok(());
        }
        let first = self.tmps(list.len() as u32)?;
        match star {
            Some(before) => {
                let after = list.len() - before - 1;
                let extra = before as u32 | (after as u32) << 16;
                self.opx(Op::UNPACKEX, first, subject, 0, extra, span);
            }
            None => self.op(Op::UNPACK, first, subject, list.len() as u32, span),
        }
        for (i, p) in list.iter().enumerate() {
            let r = first + i as u32;
            match &p.kind {
                PatternKind::Star(Some(name)) => self.capture(name, r, captures, p.span)?,
                _ => self.pattern(p, r, fail, captures)?,
            }
        }
        Ok(())
    }

    /// Element `i` of a sequence whose pattern has a star at `star`.
    fn element(&mut self, subject: u32, i: usize, star: usize, len: usize, span: Span) -> Res<u32> {
        let t = self.tmp()?;
        let mark = self.u.top;
        if i < star {
            if i <= 127 {
                self.op(Op::GETITEMI, t, subject, i as u32, span);
            } else {
                let k = self.tmp()?;
                self.load_const(k, Const::Int(i as i64));
                self.op(Op::GETITEM, t, subject, k, span);
            }
        } else {
            // From the end, by its index from the start: not everything knows negative ones.
            let k = self.tmps(3)?;
            self.mov(k + 1, subject);
            self.intrinsic(Intrinsic::Len, k, 1, span);
            self.load_const(k + 2, Const::Int((len - i) as i64));
            self.op(Op::SUB, k, k, k + 2, span);
            self.op(Op::GETITEM, t, subject, k, span);
        }
        self.u.top = mark;
        Ok(t)
    }

    fn mapping(
        &mut self,
        items: &'a [MappingItem],
        rest: Option<&'a Ident>,
        subject: u32,
        fail: Label,
        captures: &mut Captures<'a>,
        span: Span,
    ) -> Res {
        let mut seen: Vec<Const> = Vec::new();
        for key in items.iter().filter_map(|i| fold(&i.key)) {
            if seen.iter().any(|other| same_key(other, &key)) {
                let text = format!("mapping pattern checks duplicate key ({})", key_text(&key));
                return Err(error(text, span));
            }
            seen.push(key);
        }
        self.test(Intrinsic::MatchMapping, subject, fail, span)?;
        let keys = self.tmp()?;
        if !items.is_empty() {
            self.length(subject, items.len(), true, fail, span)?;
            let mark = self.u.top;
            if captures.far {
                let list: Vec<&'a Expr> = items.iter().map(|item| &item.key).collect();
                self.tuple_of(&list, keys)?;
            } else {
                for item in items {
                    let t = self.tmp()?;
                    self.expr(&item.key, t)?;
                }
                self.op(Op::MKTUPLE, keys, mark, items.len() as u32, span);
            }
            self.u.top = mark;
            let len = if captures.far { 0 } else { items.len() as u32 };
            let first = self.tmps(len.max(3))?;
            self.mov(first + 1, subject);
            self.mov(first + 2, keys);
            self.intrinsic(Intrinsic::MatchKeys, first, 2, span);
            self.cond_none(first, fail)?;
            if captures.far {
                let patterns = items.iter().map(|item| &item.pattern);
                self.far_elements(patterns, first, fail, captures)?;
            } else {
                self.op(Op::UNPACK, first, first, items.len() as u32, span);
                for (i, item) in items.iter().enumerate() {
                    self.pattern(&item.pattern, first + i as u32, fail, captures)?;
                }
            }
        } else {
            self.load_const(keys, Const::Tuple(Vec::new()));
        }
        if let Some(name) = rest {
            let t = self.tmps(3)?;
            self.mov(t + 1, subject);
            self.mov(t + 2, keys);
            self.intrinsic(Intrinsic::MatchRest, t, 2, span);
            self.capture(name, t, captures, span)?;
        }
        Ok(())
    }

    fn class_pattern(
        &mut self,
        class: &'a ClassPattern,
        subject: u32,
        fail: Label,
        captures: &mut Captures<'a>,
        span: Span,
    ) -> Res {
        let mut names = FxHashSet::default();
        for k in &class.keywords {
            if !names.insert(&k.attr.name) {
                let text = format!("attribute name repeated in class pattern: {}", k.attr.name);
                return Err(error(text, k.pattern.span));
            }
        }
        let count = class.patterns.len() + class.keywords.len();
        let first = self.tmps(if captures.far { 5 } else { (count as u32).max(5) })?;
        self.mov(first + 1, subject);
        self.expr(&class.cls, first + 2)?;
        self.load_const(first + 3, Const::Int(class.patterns.len() as i64));
        let names = class.keywords.iter().map(|k| Const::Str(k.attr.name.as_bytes().into()));
        self.load_const(first + 4, Const::Tuple(names.collect()));
        self.intrinsic(Intrinsic::MatchClass, first, 4, span);
        self.cond_none(first, fail)?;
        let patterns = class.patterns.iter().chain(class.keywords.iter().map(|k| &k.pattern));
        if captures.far {
            let patterns: Vec<&'a Pattern> = patterns.collect();
            return self.far_elements(patterns.into_iter(), first, fail, captures);
        }
        if count > 0 {
            self.op(Op::UNPACK, first, first, count as u32, span);
        }
        for (i, p) in patterns.enumerate() {
            self.pattern(p, first + i as u32, fail, captures)?;
        }
        Ok(())
    }

    fn alternatives(
        &mut self,
        list: &'a [Pattern],
        subject: u32,
        fail: Label,
        captures: &mut Captures<'a>,
        span: Span,
    ) -> Res {
        let done = self.label();
        let mut shared: Option<Vec<(&'a Ident, u32)>> = None;
        for (i, p) in list.iter().enumerate() {
            let last = i + 1 == list.len();
            if !last {
                check_refutable(p)?;
            }
            let next = if last { fail } else { self.label() };
            let mut own = Captures::new(captures.far);
            // The captures of all alternatives meet in the same registers.
            if let Some(shared) = &shared {
                let mark = self.u.top;
                self.pattern(p, subject, next, &mut own)?;
                let own = own.list;
                let differ = own.len() != shared.len();
                for (name, to) in shared {
                    match own.iter().find(|(n, _)| n.name == name.name) {
                        Some((_, from)) if !differ => self.move_any(*to, *from)?,
                        _ => return Err(error("alternative patterns bind different names", span)),
                    }
                }
                if differ {
                    return Err(error("alternative patterns bind different names", span));
                }
                self.u.top = mark;
            } else {
                let count = names_of(p);
                let row = if own.far { self.far_tmps(count) } else { self.tmps(count)? };
                let mark = self.u.top;
                self.pattern(p, subject, next, &mut own)?;
                for (i, (_, r)) in own.list.iter_mut().enumerate() {
                    self.move_any(row + i as u32, *r)?;
                    *r = row + i as u32;
                }
                self.u.top = mark;
                shared = Some(own.list);
            }
            if !last {
                self.jump(done);
                self.place(next);
            }
        }
        self.place(done);
        for (name, r) in shared.unwrap_or_default() {
            self.capture(name, r, captures, span)?;
        }
        Ok(())
    }
}

/// How many names a pattern captures, at most.
fn names_of(p: &Pattern) -> u32 {
    match &p.kind {
        PatternKind::Capture(_) | PatternKind::Star(Some(_)) => 1,
        PatternKind::As { pattern, .. } => 1 + names_of(pattern),
        PatternKind::Sequence(list) => list.iter().map(names_of).sum(),
        PatternKind::Or(list) => list.first().map_or(0, names_of),
        PatternKind::Mapping { items, rest } => {
            items.iter().map(|i| names_of(&i.pattern)).sum::<u32>() + u32::from(rest.is_some())
        }
        PatternKind::Class(class) => {
            class.patterns.iter().map(names_of).sum::<u32>()
                + class.keywords.iter().map(|k| names_of(&k.pattern)).sum::<u32>()
        }
        _ => 0,
    }
}

/// How many temporaries a pattern takes whose elements are unpacked into them, about.
fn cost(p: &Pattern) -> u32 {
    match &p.kind {
        PatternKind::As { pattern, .. } => cost(pattern),
        PatternKind::Sequence(list) => list.len() as u32 + list.iter().map(cost).sum::<u32>(),
        PatternKind::Or(list) => {
            list.first().map_or(0, names_of) + list.iter().map(cost).max().unwrap_or(0)
        }
        PatternKind::Mapping { items, .. } => {
            let inner = items.iter().map(|item| cost(&item.pattern)).sum::<u32>();
            (items.len() as u32).max(3) + 4 + inner
        }
        PatternKind::Class(class) => {
            let keywords = class.keywords.iter().map(|k| &k.pattern);
            let parts = class.patterns.len() + class.keywords.len();
            (parts as u32).max(5) + class.patterns.iter().chain(keywords).map(cost).sum::<u32>()
        }
        _ => 0,
    }
}

/// Whether no operand reaches the register.
fn is_far(r: u32) -> bool {
    r > MAX_REG
}

/// A pattern that always matches must be the last.
fn check_refutable(p: &Pattern) -> Res {
    match &p.kind {
        PatternKind::Capture(name) => {
            let text = format!("name capture '{}' makes remaining patterns unreachable", name.name);
            Err(error(text, p.span))
        }
        PatternKind::Wildcard => {
            Err(error("wildcard makes remaining patterns unreachable", p.span))
        }
        PatternKind::As { pattern, .. } => check_refutable(pattern),
        PatternKind::Or(list) => list.last().map_or(Ok(()), check_refutable),
        _ => Ok(()),
    }
}

/// Whether two keys are equal, also as numbers of several types.
fn same_key(a: &Const, b: &Const) -> bool {
    let number = |key: &Const| match key {
        Const::Bool(b) => Some((f64::from(u8::from(*b)), 0.0)),
        // Others are no floats.
        Const::Int(n) if n.unsigned_abs() < 1 << 53 => Some((*n as f64, 0.0)),
        Const::Float(x) => Some((*x, 0.0)),
        Const::Complex(re, im) => Some((*re, *im)),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x == y,
        _ => a == b,
    }
}

/// A key as its `repr`, for the message about duplicates.
fn key_text(key: &Const) -> String {
    match key {
        Const::None => "None".to_owned(),
        Const::Bool(true) => "True".to_owned(),
        Const::Bool(false) => "False".to_owned(),
        Const::Int(n) => n.to_string(),
        Const::Float(x) => crate::num::float::repr(*x),
        Const::Complex(re, im) => crate::num::complex::Complex { re: *re, im: *im }.repr(),
        Const::Str(s) => format!("'{}'", String::from_utf8_lossy(s)),
        Const::Bytes(b) => format!("b'{}'", String::from_utf8_lossy(b)),
        _ => "...".to_owned(),
    }
}
