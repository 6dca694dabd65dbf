//! `match`: each pattern is a row of tests that jump to the next case; what it captures stays in
//! temporaries until the whole pattern has matched.

use miniscript_syntax::ast::*;
use miniscript_syntax::{Span, SyntaxError};

use super::fold::fold;
use super::ir::Label;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::Op;
use crate::code::proto::Const;

/// The names captured so far and the temporaries that hold them.
type Captures<'a> = Vec<(&'a Ident, u32)>;

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
            let mut captures = Vec::new();
            self.pattern(&case.pattern, subject, next, &mut captures)?;
            for (name, r) in captures {
                let mangled = self.mangled(&name.name);
                self.store_name(&mangled, r, name.span)?;
            }
            self.u.top = mark;
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
        if captures.iter().any(|(n, _)| n.name == name.name) {
            let text = format!("multiple assignments to name '{}' in pattern", name.name);
            return Err(error(text, span));
        }
        captures.push((name, value));
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
                let t = self.element(subject, i, at, list.len(), p.span)?;
                self.pattern(p, t, fail, captures)?;
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
            if seen.contains(&key) {
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
            for item in items {
                let t = self.tmp()?;
                self.expr(&item.key, t)?;
            }
            self.op(Op::MKTUPLE, keys, mark, items.len() as u32, span);
            self.u.top = mark;
            let first = self.tmps((items.len() as u32).max(3))?;
            self.mov(first + 1, subject);
            self.mov(first + 2, keys);
            self.intrinsic(Intrinsic::MatchKeys, first, 2, span);
            self.cond_none(first, fail)?;
            self.op(Op::UNPACK, first, first, items.len() as u32, span);
            for (i, item) in items.iter().enumerate() {
                self.pattern(&item.pattern, first + i as u32, fail, captures)?;
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
        for (i, k) in class.keywords.iter().enumerate() {
            if class.keywords[..i].iter().any(|o| o.attr.name == k.attr.name) {
                let text = format!("attribute name repeated in class pattern: {}", k.attr.name);
                return Err(error(text, k.pattern.span));
            }
        }
        let count = class.patterns.len() + class.keywords.len();
        let first = self.tmps((count as u32).max(5))?;
        self.mov(first + 1, subject);
        self.expr(&class.cls, first + 2)?;
        self.load_const(first + 3, Const::Int(class.patterns.len() as i64));
        let names = class.keywords.iter().map(|k| Const::Str(k.attr.name.as_bytes().into()));
        self.load_const(first + 4, Const::Tuple(names.collect()));
        self.intrinsic(Intrinsic::MatchClass, first, 4, span);
        self.cond_none(first, fail)?;
        if count > 0 {
            self.op(Op::UNPACK, first, first, count as u32, span);
        }
        let patterns = class.patterns.iter().chain(class.keywords.iter().map(|k| &k.pattern));
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
        let mut shared: Option<Captures<'a>> = None;
        for (i, p) in list.iter().enumerate() {
            let last = i + 1 == list.len();
            if !last {
                check_refutable(p)?;
            }
            let next = if last { fail } else { self.label() };
            let mut own = Vec::new();
            // The captures of all alternatives meet in the same registers.
            if let Some(shared) = &shared {
                let mark = self.u.top;
                self.pattern(p, subject, next, &mut own)?;
                let differ = own.len() != shared.len();
                for (name, to) in shared {
                    match own.iter().find(|(n, _)| n.name == name.name) {
                        Some((_, from)) if !differ => self.mov(*to, *from),
                        _ => return Err(error("alternative patterns bind different names", span)),
                    }
                }
                if differ {
                    return Err(error("alternative patterns bind different names", span));
                }
                self.u.top = mark;
            } else {
                let count = names_of(p);
                let row = self.tmps(count)?;
                let mark = self.u.top;
                self.pattern(p, subject, next, &mut own)?;
                for (i, (_, r)) in own.iter_mut().enumerate() {
                    self.mov(row + i as u32, *r);
                    *r = row + i as u32;
                }
                self.u.top = mark;
                shared = Some(own);
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

/// A key as its `repr`, for the message about duplicates.
fn key_text(key: &Const) -> String {
    match key {
        Const::None => "None".to_owned(),
        Const::Bool(true) => "True".to_owned(),
        Const::Bool(false) => "False".to_owned(),
        Const::Int(n) => n.to_string(),
        Const::Float(x) => format!("{x:?}"),
        Const::Str(s) => format!("'{}'", String::from_utf8_lossy(s)),
        Const::Bytes(b) => format!("b'{}'", String::from_utf8_lossy(b)),
        _ => "...".to_owned(),
    }
}
