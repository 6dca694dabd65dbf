//! `re.Match`.

use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::matcher::{Scratch, UNSET};
use super::pattern::Pattern;
use super::replace::expand;
use super::subject::Subject;
use crate::class::{ClassDef, generic};

/// Start and end of the match and of each group, in bytes.
enum Spans {
    Few([usize; 6]),
    Many(Box<[usize]>),
}

/// A match. The words of the object are the string and the pattern.
pub(super) struct MatchData {
    spans: Spans,
    last_group: u32,
    pub pos: usize,
    pub endpos: usize,
}

impl Payload for MatchData {}

impl MatchData {
    /// What the matcher found.
    #[inline]
    pub fn new(whole: (usize, usize), scratch: &Scratch) -> MatchData {
        let marks = &scratch.marks[..];
        let spans = match marks.len() {
            n @ 0..=4 => {
                let mut few = [UNSET; 6];
                (few[0], few[1]) = whole;
                few[2..2 + n].copy_from_slice(marks);
                Spans::Few(few)
            }
            _ => {
                let mut many = Vec::with_capacity(marks.len() + 2);
                many.extend([whole.0, whole.1]);
                many.extend_from_slice(marks);
                Spans::Many(many.into_boxed_slice())
            }
        };
        MatchData { spans, last_group: scratch.last_group, pos: 0, endpos: 0 }
    }

    /// The span of a group that took part.
    #[inline]
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        let all = match &self.spans {
            Spans::Few(few) => &few[..],
            Spans::Many(many) => many,
        };
        let (lo, hi) = (*all.get(group * 2)?, *all.get(group * 2 + 1)?);
        (lo != UNSET && hi != UNSET).then_some((lo, hi))
    }
}

/// The object of a match.
pub(super) fn new_match<'v>(
    vm: &'v Vm,
    data: MatchData,
    string: Value<'v>,
    pattern: Value<'v>,
) -> NResult<'v> {
    let v = vm.opaque(MATCH.of(vm)?, Some(Box::new(data)));
    if let Some(o) = v.get::<Opaque>() {
        o.word.set(string.word());
        o.more.set(pattern.word());
    }
    Ok(v)
}

pub(super) static MATCH: ClassDef = ClassDef::closed(
    "re",
    "Match",
    "The result of re.match() and re.search().",
    &[
        NativeDef::new("group", "self, /, *groups", group, "Return one or more groups."),
        NativeDef::new("groups", "self, /, default=None", groups, "Return a tuple of all groups."),
        NativeDef::new(
            "groupdict",
            "self, /, default=None",
            group_dict,
            "Return a dict of the named groups.",
        ),
        NativeDef::new(
            "start",
            "self, group=0, /",
            |vm, a| place(vm, a, |span| span.0),
            "Return the index where a group begins.",
        ),
        NativeDef::new(
            "end",
            "self, group=0, /",
            |vm, a| place(vm, a, |span| span.1),
            "Return the index where a group ends.",
        ),
        NativeDef::new(
            "span",
            "self, group=0, /",
            |vm, a| {
                let m = me(vm, a[0])?;
                span(vm, m, number(vm, m, a[1])?)
            },
            "Return (start, end) of a group.",
        ),
        NativeDef::new(
            "expand",
            "self, /, template",
            |vm, a| expand(vm, me(vm, a[0])?, a[1]),
            "Return the template with the groups put in.",
        ),
        NativeDef::new(
            "__getitem__",
            "self, key, /",
            |vm, a| {
                let m = me(vm, a[0])?;
                text(vm, m, number(vm, m, a[1])?, Value::NONE)
            },
            "Return self[key].",
        ),
        NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
        NativeDef::new("__copy__", "self, /", |_, a| Ok(a[0]), ""),
        NativeDef::new("__deepcopy__", "self, memo, /", |_, a| Ok(a[0]), ""),
        NativeDef::new("__class_getitem__", "cls, item, /", generic, "").role(Role::Class),
        NativeDef::getter("string", |vm, a| Ok(read(&me(vm, a[0])?.word)), "The string."),
        NativeDef::getter("re", |vm, a| Ok(read(&me(vm, a[0])?.more)), "The pattern."),
        NativeDef::getter("pos", |vm, a| number_of(vm, a, |m| m.pos), "Where the search began."),
        NativeDef::getter("endpos", |vm, a| number_of(vm, a, |m| m.endpos), "Where it ended."),
        NativeDef::getter("lastindex", last_index, "The number of the last group, or None."),
        NativeDef::getter("lastgroup", last_group, "The name of the last group, or None."),
        NativeDef::getter("regs", regs, "The spans of all groups."),
    ],
);

fn me<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v Opaque, Exit<'v>> {
    let is_match = |o: &&Opaque| o.with(|_: &mut MatchData| ()).is_some();
    v.get::<Opaque>().filter(is_match).ok_or_else(|| {
        let name = vm.type_name(v);
        vm.type_error(format!("a 're.Match' object is required, not '{name}'"))
    })
}

/// The pattern of a match.
pub(super) fn pattern(m: &Opaque) -> Option<&Opaque> {
    read(&m.more).get::<Opaque>()
}

fn group_count(m: &Opaque) -> usize {
    let groups = pattern(m).and_then(|o| o.with(|p: &mut Pattern| p.groups));
    groups.unwrap_or(0) as usize
}

/// The number of the group that an argument means; Empty is the whole match.
fn number<'v>(vm: &'v Vm, m: &'v Opaque, v: Value<'v>) -> Result<usize, Exit<'v>> {
    if v.is_empty() {
        return Ok(0);
    }
    let found = match (vm.as_index_i64(v), v.get::<Str>()) {
        (Some(n), _) => n.ok().and_then(|n| usize::try_from(n).ok()),
        (None, Some(name)) => pattern(m).and_then(|o| {
            o.with(|p: &mut Pattern| {
                let found = p.names.iter().find(|(n, _)| n.as_bytes() == name.bytes());
                found.map(|(_, group)| *group as usize)
            })?
        }),
        (None, None) if vm.getattr_opt(v, vm.intern("__index__")).is_ok_and(|v| !v.is_empty()) => {
            use miniscript_vm::native::{Action, Again};
            return Err(Exit::Do(Box::new(Action::Again(Again::Index(v)))));
        }
        (None, None) => None,
    };
    match found {
        Some(n) if n <= group_count(m) => Ok(n),
        _ => Err(vm.index_error("no such group")),
    }
}

/// The span of a group that took part, in bytes.
pub(super) fn span_of(m: &Opaque, group: usize) -> Option<(usize, usize)> {
    m.with(|d: &mut MatchData| d.span(group)).flatten()
}

fn text<'v>(vm: &'v Vm, m: &'v Opaque, group: usize, default: Value<'v>) -> NResult<'v> {
    let Some((lo, hi)) = span_of(m, group) else { return Ok(default) };
    let string = read(&m.word);
    match Subject::find(string) {
        Some(subject) => subject.slice(vm, string, lo, hi),
        None => Ok(default),
    }
}

fn group<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    match args {
        [_] => text(vm, m, 0, Value::NONE),
        [_, one] => text(vm, m, number(vm, m, *one)?, Value::NONE),
        [_, many @ ..] => {
            let mut out = Vec::with_capacity(many.len());
            for v in many {
                out.push(text(vm, m, number(vm, m, *v)?, Value::NONE)?);
            }
            vm.tuple(&out)
        }
        [] => Ok(Value::NONE),
    }
}

fn default_of(v: Value<'_>) -> Value<'_> {
    if v.is_empty() { Value::NONE } else { v }
}

fn groups<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let default = default_of(args[1]);
    let all: Result<Vec<_>, _> =
        (1..=group_count(m)).map(|group| text(vm, m, group, default)).collect();
    vm.tuple(&all?)
}

fn group_dict<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let default = default_of(args[1]);
    let names = pattern(m).and_then(|o| o.with(|p: &mut Pattern| p.names.clone()));
    let dict = vm.dict();
    for (name, group) in names.unwrap_or_default() {
        vm.dict_set_name(dict, vm.str(&name)?, text(vm, m, group as usize, default)?)?;
    }
    Ok(Value::object(dict))
}

/// Start and end of a group in characters.
fn places(vm: &Vm, m: &Opaque, group: usize) -> Option<(usize, usize)> {
    let (lo, hi) = span_of(m, group)?;
    let subject = Subject::find(read(&m.word))?;
    Some((subject.index(vm, lo), subject.index(vm, hi)))
}

fn place<'v>(vm: &'v Vm, args: &[Value<'v>], which: fn((usize, usize)) -> usize) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let group = number(vm, m, args[1])?;
    Ok(places(vm, m, group).map_or(Value::int32(-1), |span| Value::len(which(span))))
}

fn span<'v>(vm: &'v Vm, m: &'v Opaque, group: usize) -> NResult<'v> {
    match places(vm, m, group) {
        Some((lo, hi)) => vm.tuple(&[Value::len(lo), Value::len(hi)]),
        None => vm.tuple(&[Value::int32(-1), Value::int32(-1)]),
    }
}

fn regs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let all: Result<Vec<_>, _> = (0..=group_count(m)).map(|group| span(vm, m, group)).collect();
    vm.tuple(&all?)
}

fn number_of<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    f: impl FnOnce(&mut MatchData) -> usize,
) -> NResult<'v> {
    Ok(me(vm, args[0])?.with(f).map_or(Value::NONE, Value::len))
}

fn last_index<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let last = me(vm, args[0])?.with(|d: &mut MatchData| d.last_group).unwrap_or(0);
    Ok(if last == 0 { Value::NONE } else { vm.int(i64::from(last)) })
}

fn last_group<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let last = m.with(|d: &mut MatchData| d.last_group).unwrap_or(0);
    let name = pattern(m).and_then(|o| {
        o.with(|p: &mut Pattern| {
            p.names.iter().find(|(_, g)| *g == last).map(|(name, _)| name.clone())
        })?
    });
    name.map_or(Ok(Value::NONE), |name| vm.str(&name))
}

fn repr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let m = me(vm, args[0])?;
    let (lo, hi) = places(vm, m, 0).unwrap_or((0, 0));
    let mut out = format!("<re.Match object; span=({lo}, {hi}), match=").into_bytes();
    vm.repr_into(&mut out, text(vm, m, 0, Value::NONE)?)?;
    out.push(b'>');
    vm.str_bytes(&out)
}
