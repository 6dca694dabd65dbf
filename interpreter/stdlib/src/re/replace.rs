//! `sub`, `subn` and `expand`. What a callable gives is waited for on a row: it may suspend.

use std::rc::Rc;

use miniscript_vm::native::{Exit, NResult, Row};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::text::Str;
use miniscript_vm::object::view::data_of;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use super::matched::{pattern, span_of};
use super::matcher::{Mode, UNSET};
use super::pattern::{Pattern, Search};
use super::refuse::refuse;
use super::subject::{Subject, int};
use super::template::{Part, parse_template};
use crate::class::ClassDef;

/// `pattern.sub(repl, string, count)`
pub(super) fn sub<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    repl: Value<'v>,
    string: Value<'v>,
    count: Value<'v>,
) -> NResult<'v> {
    replace(vm, pattern, repl, string, count, false)
}

/// `pattern.subn(repl, string, count)`
pub(super) fn subn<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    repl: Value<'v>,
    string: Value<'v>,
    count: Value<'v>,
) -> NResult<'v> {
    replace(vm, pattern, repl, string, count, true)
}

/// How far a replacement has come.
#[derive(Default)]
struct Progress {
    out: Vec<u8>,
    /// Items of `out`, as the message counts them.
    items: usize,
    /// Matches so far.
    count: i64,
    /// Most matches wanted; 0: all.
    max: i64,
    /// The end of the last match.
    last: usize,
    must_advance: bool,
    /// Whether the number of matches is a part of the result.
    counted: bool,
}

impl Payload for Progress {}

static PROGRESS: ClassDef = ClassDef::closed("re", "_Progress", "A replacement under way.", &[]);

impl Progress {
    fn wants_more(&self) -> bool {
        self.max == 0 || self.count < self.max
    }

    fn put<'v>(&mut self, vm: &'v Vm, bytes: &[u8]) -> Result<(), Exit<'v>> {
        if self.out.capacity() - self.out.len() < bytes.len() {
            let more = bytes.len().max(self.out.len()).max(64);
            vm.check(self.out.len() + more)?;
            self.out.try_reserve(more).map_err(|_| vm.memory_error())?;
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes what lies before a match.
    fn skip_to<'v>(
        &mut self,
        vm: &'v Vm,
        subject: &Subject<'v>,
        (lo, hi): (usize, usize),
    ) -> Result<(), Exit<'v>> {
        if lo > self.last {
            self.put(vm, &subject.bytes()[self.last..lo])?;
            self.items += 1;
        }
        self.last = hi;
        self.must_advance = lo == hi;
        self.count += 1;
        Ok(())
    }

    /// Takes what replaces a match, a value of the script's.
    fn put_value<'v>(
        &mut self,
        vm: &'v Vm,
        subject: &Subject<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        if v.is_none() {
            return Ok(());
        }
        match (subject, Subject::find(v)) {
            (Subject::Text(_), Some(Subject::Text(s))) => self.put(vm, s.bytes())?,
            (Subject::Data(_), Some(Subject::Data(d))) => self.put(vm, &d)?,
            (Subject::Text(_), _) => {
                let (i, name) = (self.items, vm.type_name(v));
                let message = format!("sequence item {i}: expected str instance, {name} found");
                return Err(vm.type_error(message));
            }
            (Subject::Data(_), _) => {
                let (i, name) = (self.items, vm.type_name(v));
                let message =
                    format!("sequence item {i}: expected a bytes-like object, {name} found");
                return Err(vm.type_error(message));
            }
        }
        self.items += 1;
        Ok(())
    }

    fn finish<'v>(mut self, vm: &'v Vm, string: Value<'v>, subject: &Subject<'v>) -> NResult<'v> {
        let end = subject.bytes().len();
        let new = if self.count == 0 {
            subject.slice(vm, string, 0, end)?
        } else {
            let rest = subject.bytes().get(self.last..).unwrap_or(b"");
            self.put(vm, rest)?;
            match subject {
                Subject::Text(_) => vm.str_owned(self.out)?,
                Subject::Data(_) => vm.bytes_owned(self.out)?,
            }
        };
        if self.counted { vm.tuple(&[new, vm.int(self.count)]) } else { Ok(new) }
    }
}

fn replace<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    repl: Value<'v>,
    string: Value<'v>,
    count: Value<'v>,
    counted: bool,
) -> NResult<'v> {
    let progress = Progress { max: int(vm, count, 0)?, counted, ..Progress::default() };
    if vm.is_callable(repl) {
        Search::new(vm, pattern, string)?;
        let state = vm.opaque(PROGRESS.of(vm)?, Some(Box::new(progress)));
        return with_calls(vm, state, Value::object(pattern), string, repl);
    }
    let parts = template(vm, pattern, repl)?;
    let mut search = Search::new(vm, pattern, string)?;
    let mut p = progress;
    let fits = matches!((&search.subject, repl.get::<Str>()), (Subject::Text(_), Some(_)))
        || matches!((&search.subject, repl.get::<Str>()), (Subject::Data(_), None));
    let mut spans = Vec::new();
    while p.wants_more() {
        let read = |_, s: &super::matcher::Scratch| {
            spans.clear();
            spans.extend(s.marks.chunks_exact(2).map(|m| (m[0], m[1])));
        };
        let Some((whole, ())) = search.next(vm, Mode::Search, read)? else { break };
        p.skip_to(vm, &search.subject, whole)?;
        if !fits {
            p.put_value(vm, &search.subject, repl)?;
            continue;
        }
        for part in parts.iter() {
            match part {
                Part::Text(text) => p.put(vm, text)?,
                Part::Group(group) => {
                    let (lo, hi) = match *group as usize {
                        0 => whole,
                        n => spans.get(n - 1).copied().unwrap_or((UNSET, UNSET)),
                    };
                    let text = search.subject.bytes().get(lo..hi);
                    p.put(vm, text.unwrap_or(b""))?;
                }
            }
        }
        p.items += 1;
    }
    p.finish(vm, string, &search.subject)
}

/// Goes on with a replacement whose new parts come from a callable.
fn with_calls<'v>(
    vm: &'v Vm,
    state: Value<'v>,
    pattern: Value<'v>,
    string: Value<'v>,
    repl: Value<'v>,
) -> NResult<'v> {
    let (Some(o), Some(regex)) = (state.get::<Opaque>(), pattern.get::<Opaque>()) else {
        return Ok(string);
    };
    let mut search = Search::new(vm, regex, string)?;
    let mut p = o.with(std::mem::take::<Progress>).unwrap_or_default();
    (search.at, search.must_advance) = (p.last, p.must_advance);
    if p.wants_more() {
        let found = search.next_match(vm, Mode::Search)?;
        if let Some(span) = found.get::<Opaque>().and_then(|m| span_of(m, 0)) {
            p.skip_to(vm, &search.subject, span)?;
            o.with(|kept: &mut Progress| *kept = p);
            let state = vec![state, pattern, string, repl];
            return Err(Exit::call(repl, vec![found], &REPLACED, state));
        }
    }
    p.finish(vm, string, &search.subject)
}

/// After a call of the callable: what it gave takes the place of the match.
static REPLACED: Row = Row {
    name: "re_replaced",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let [progress, pattern, string, repl] = *state else { return Ok(v) };
        if let (Some(o), Some(subject)) = (progress.get::<Opaque>(), Subject::find(string)) {
            o.with(|p: &mut Progress| p.put_value(vm, &subject, v)).unwrap_or(Ok(()))?;
        }
        with_calls(vm, progress, pattern, string, repl)
    },
};

/// What a template means, for a pattern.
fn template<'v>(vm: &'v Vm, pattern: &'v Opaque, repl: Value<'v>) -> Result<Rc<[Part]>, Exit<'v>> {
    let (bytes, is_text) = match (repl.get::<Str>(), data_of(repl)) {
        (Some(s), _) => (s.bytes().to_vec(), true),
        (None, Some(d)) => (d.to_vec(), false),
        (None, None) => {
            let name = vm.type_name(repl);
            let message = format!("decoding to str: need a bytes-like object, {name} found");
            return Err(vm.type_error(message));
        }
    };
    if memchr::memchr(b'\\', &bytes).is_none() {
        return Ok(Rc::new([Part::Text(bytes)]));
    }
    let known = pattern.with(|p: &mut Pattern| match &p.template {
        Some((text, kind, parts)) if *text == bytes && *kind == is_text => Some(Rc::clone(parts)),
        _ => None,
    });
    if let Some(parts) = known.flatten() {
        return Ok(parts);
    }
    let chars: Vec<u32> = match is_text {
        true => wtf8::code_points(&bytes).collect(),
        false => bytes.iter().map(|b| u32::from(*b)).collect(),
    };
    let parsed =
        pattern.with(|p: &mut Pattern| parse_template(&chars, is_text, p.groups, &p.names));
    let parts: Rc<[Part]> = match parsed {
        Some(parsed) => parsed.map_err(|e| refuse(vm, e, repl))?.into(),
        None => Rc::new([]),
    };
    pattern.with(|p: &mut Pattern| p.template = Some((bytes, is_text, Rc::clone(&parts))));
    Ok(parts)
}

/// `match.expand(template)`
pub(super) fn expand<'v>(vm: &'v Vm, m: &'v Opaque, repl: Value<'v>) -> NResult<'v> {
    let (Some(regex), Some(subject)) = (pattern(m), Subject::find(read(&m.word))) else {
        return Ok(Value::NONE);
    };
    let parts = template(vm, regex, repl)?;
    let is_text = repl.is_a::<Str>();
    let mut p = Progress::default();
    for part in parts.iter() {
        match part {
            Part::Text(text) => p.put(vm, text)?,
            Part::Group(group) => {
                if matches!(subject, Subject::Text(_)) != is_text {
                    let whole = subject.empty(vm)?;
                    let other = if is_text { vm.bytes(b"")? } else { vm.str("")? };
                    let like = Subject::find(if is_text { vm.str("")? } else { other });
                    if let Some(like) = like {
                        p.put_value(vm, &like, whole)?;
                    }
                }
                let span = span_of(m, *group as usize);
                let text = span.and_then(|(lo, hi)| subject.bytes().get(lo..hi));
                p.put(vm, text.unwrap_or(b""))?;
            }
        }
    }
    if is_text { vm.str_owned(p.out) } else { vm.bytes_owned(p.out) }
}
