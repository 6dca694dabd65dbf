//! `re.Pattern`: the object, and looking for matches.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use super::compile::compile;
use super::matched::{MatchData, new_match};
use super::matcher::{Mode, Scratch, UNSET, find};
use super::parse::{Flags, parse};
use super::program::Program;
use super::refuse::refuse;
use super::replace::{sub, subn};
use super::subject::{Bounds, Subject, VmMeter, int};
use super::template::Part;
use crate::class::{ClassDef, generic};
use crate::module::source_tail;

/// A compiled pattern. The object's word is the text of the pattern.
pub(super) struct Pattern {
    program: Program,
    pub scratch: Scratch,
    pub is_text: bool,
    pub flags: u32,
    pub groups: u32,
    pub names: Vec<(String, u32)>,
    /// The template used last: its text, whether that is a `str`, what it means.
    pub template: Option<(Vec<u8>, bool, std::rc::Rc<[Part]>)>,
}

impl Payload for Pattern {}

pub(super) static PATTERN: ClassDef = ClassDef::closed(
    "re",
    "Pattern",
    "Compiled regular expression object.",
    &[
        NativeDef::new("match", ONE, |vm, a| one(vm, a, Mode::Match), "Match at the start."),
        NativeDef::new("fullmatch", ONE, |vm, a| one(vm, a, Mode::Full), "Match all of it."),
        NativeDef::new("search", ONE, |vm, a| one(vm, a, Mode::Search), "Match somewhere."),
        NativeDef::new(
            "findall",
            ONE,
            |vm, a| find_all(vm, me(vm, a[0])?, a[1], a[2], a[3]),
            "Return a list of all matches.",
        ),
        NativeDef::new(
            "finditer",
            ONE,
            |vm, a| find_iter(vm, me(vm, a[0])?, a[1], a[2], a[3]),
            "Return an iterator over all matches.",
        ),
        NativeDef::new(
            "scanner",
            ONE,
            |vm, a| {
                let matches = find_iter(vm, me(vm, a[0])?, a[1], a[2], a[3])?;
                Err(source_tail(vm, "re", "_scanner", &[a[0], matches]))
            },
            "",
        ),
        NativeDef::new(
            "split",
            "self, /, string, maxsplit=0",
            |vm, a| split(vm, me(vm, a[0])?, a[1], a[2]),
            "Split string by the occurrences of pattern.",
        ),
        NativeDef::new(
            "sub",
            "self, /, repl, string, count=0",
            |vm, a| sub(vm, me(vm, a[0])?, a[1], a[2], a[3]),
            "Replace the leftmost occurrences of pattern by repl.",
        ),
        NativeDef::new(
            "subn",
            "self, /, repl, string, count=0",
            |vm, a| subn(vm, me(vm, a[0])?, a[1], a[2], a[3]),
            "Return the tuple (new string, number of replacements).",
        ),
        NativeDef::getter(
            "flags",
            |vm, a| with(vm, a, |p| vm.int(i64::from(p.flags))),
            "The flags of the pattern.",
        ),
        NativeDef::getter(
            "groups",
            |vm, a| with(vm, a, |p| vm.int(i64::from(p.groups))),
            "The number of capturing groups.",
        ),
        NativeDef::getter("pattern", |vm, a| Ok(read(&me(vm, a[0])?.word)), "The pattern string."),
        NativeDef::getter("groupindex", group_index, "Named groups and their numbers."),
        NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
        NativeDef::new("__eq__", "self, value, /", equal, "Return self==value."),
        NativeDef::new("__hash__", "self, /", hash, "Return hash(self)."),
        NativeDef::new("__copy__", "self, /", |_, a| Ok(a[0]), ""),
        NativeDef::new("__deepcopy__", "self, memo, /", |_, a| Ok(a[0]), ""),
        NativeDef::new("__reduce__", "self, /", reduce, ""),
        NativeDef::new("__class_getitem__", "cls, item, /", generic, "").role(Role::Class),
    ],
);

const ONE: &str = "self, /, string, pos=0, endpos=9223372036854775807";

/// The pattern that `v` is, if it is one.
pub(super) fn pattern_of(v: Value<'_>) -> Option<&Opaque> {
    v.get::<Opaque>().filter(|o| o.with(|_: &mut Pattern| ()).is_some())
}

fn me<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v Opaque, Exit<'v>> {
    pattern_of(v).ok_or_else(|| {
        let name = vm.type_name(v);
        vm.type_error(format!("a 're.Pattern' object is required, not '{name}'"))
    })
}

fn with<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    f: impl FnOnce(&mut Pattern) -> Value<'v>,
) -> NResult<'v> {
    Ok(me(vm, args[0])?.with(f).unwrap_or(Value::NONE))
}

/// Compiles the text of a pattern.
pub(super) fn make<'v>(vm: &'v Vm, source: Value<'v>, flags: u32) -> NResult<'v> {
    let (chars, is_text): (Vec<u32>, bool) = match (source.get::<Str>(), source.get::<Bytes>()) {
        (Some(s), _) => (wtf8::code_points(s.bytes()).collect(), true),
        (_, Some(b)) => (b.bytes().iter().map(|b| u32::from(*b)).collect(), false),
        _ => return Err(vm.type_error("first argument must be string or compiled pattern")),
    };
    vm.ticks(chars.len())?;
    let parsed = parse(&chars, is_text, flags).map_err(|e| refuse(vm, e, source))?;
    let pattern = Pattern {
        program: compile(&parsed, is_text),
        scratch: Scratch::default(),
        is_text,
        flags: parsed.flags.0,
        groups: parsed.groups,
        names: parsed.names,
        template: None,
    };
    let v = vm.opaque(PATTERN.of(vm)?, Some(Box::new(pattern)));
    if let Some(o) = v.get::<Opaque>() {
        o.word.set(source.word());
    }
    Ok(v)
}

/// Where a match begins and ends, in bytes.
type Span = (usize, usize);

/// A pattern at work on a text.
pub(super) struct Search<'v> {
    pub pattern: &'v Opaque,
    pub string: Value<'v>,
    pub subject: Subject<'v>,
    pub bounds: Bounds,
    /// Where the next match may begin.
    pub at: usize,
    /// Whether the match before ended here and was empty.
    pub must_advance: bool,
}

impl<'v> Search<'v> {
    /// All of a string.
    pub fn new(vm: &'v Vm, pattern: &'v Opaque, string: Value<'v>) -> Result<Self, Exit<'v>> {
        Search::within(vm, pattern, string, Value::EMPTY, Value::EMPTY)
    }

    /// A part of a string.
    pub fn within(
        vm: &'v Vm,
        pattern: &'v Opaque,
        string: Value<'v>,
        pos: Value<'v>,
        endpos: Value<'v>,
    ) -> Result<Self, Exit<'v>> {
        let is_text = pattern.with(|p: &mut Pattern| p.is_text).unwrap_or(true);
        let subject = Subject::of(vm, string, is_text)?;
        let bounds = subject.bounds(vm, pos, endpos)?;
        Ok(Search { pattern, string, subject, bounds, at: bounds.from, must_advance: false })
    }

    /// The next match; `read` sees its groups.
    #[inline]
    pub fn next<R>(
        &mut self,
        vm: &'v Vm,
        mode: Mode,
        read: impl FnOnce(Span, &Scratch) -> R,
    ) -> Result<Option<(Span, R)>, Exit<'v>> {
        let end = self.bounds.end.min(self.subject.bytes().len());
        if self.at > end {
            return Ok(None);
        }
        let text = &self.subject.bytes()[..end];
        let (wide, at, must_advance) = (self.subject.is_wide(), self.at, self.must_advance);
        let mut meter = VmMeter::new(vm);
        let found = self.pattern.with(|p: &mut Pattern| {
            let Pattern { program, scratch, .. } = p;
            let found = find(program, scratch, text, wide, at, mode, must_advance, &mut meter);
            found.map(|f| f.map(|span| (span, read(span, scratch))))
        });
        match found {
            Some(Ok(Some((span, r)))) => {
                self.at = span.1;
                self.must_advance = span.0 == span.1;
                Ok(Some((span, r)))
            }
            Some(Ok(None)) | None => Ok(None),
            Some(Err(halt)) => Err(meter.reason(halt)),
        }
    }

    /// The next match as an object, or None.
    pub fn next_match(&mut self, vm: &'v Vm, mode: Mode) -> NResult<'v> {
        match self.next(vm, mode, MatchData::new)? {
            Some((_, mut data)) => {
                (data.pos, data.endpos) = (self.bounds.pos, self.bounds.endpos);
                new_match(vm, data, self.string, Value::object(self.pattern))
            }
            None => Ok(Value::NONE),
        }
    }

    /// The part of the text between two places.
    #[inline]
    pub fn slice(&self, vm: &'v Vm, lo: usize, hi: usize) -> NResult<'v> {
        self.subject.slice(vm, self.string, lo, hi)
    }
}

fn one<'v>(vm: &'v Vm, args: &[Value<'v>], mode: Mode) -> NResult<'v> {
    Search::within(vm, me(vm, args[0])?, args[1], args[2], args[3])?.next_match(vm, mode)
}

/// A list of what matched: the text, the only group, or tuples of the groups.
pub(super) fn find_all<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    string: Value<'v>,
    pos: Value<'v>,
    endpos: Value<'v>,
) -> NResult<'v> {
    let mut search = Search::within(vm, pattern, string, pos, endpos)?;
    let groups = pattern.with(|p: &mut Pattern| p.groups).unwrap_or(0) as usize;
    let mut out = Vec::new();
    let mut spans = vec![(0, 0); groups];
    let mut items = Vec::with_capacity(groups);
    let empty = search.subject.empty(vm)?;
    loop {
        let read = |_, s: &Scratch| {
            for (span, m) in spans.iter_mut().zip(s.marks.chunks_exact(2)) {
                *span = (m[0], m[1]);
            }
        };
        let Some((whole, ())) = search.next(vm, Mode::Search, read)? else { break };
        let part = |(lo, hi): (usize, usize)| {
            if lo == UNSET || hi == UNSET { Ok(empty) } else { search.slice(vm, lo, hi) }
        };
        let item = match spans[..] {
            [] => part(whole)?,
            [only] => part(only)?,
            _ => {
                items.clear();
                for span in &spans {
                    items.push(part(*span)?);
                }
                vm.tuple(&items)?
            }
        };
        vm.grow(&mut out, 1)?;
        out.push(item);
    }
    vm.list(out)
}

/// An iterator over the matches.
pub(super) fn find_iter<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    string: Value<'v>,
    pos: Value<'v>,
    endpos: Value<'v>,
) -> NResult<'v> {
    let search = Search::within(vm, pattern, string, pos, endpos)?;
    let bounds = if pos.is_empty() && endpos.is_empty() {
        Value::EMPTY
    } else {
        let b = search.bounds;
        vm.tuple(&[Value::len(b.end), Value::len(b.pos), Value::len(b.endpos)])?
    };
    let words = [Value::object(pattern), string, bounds];
    Ok(vm.iter(Type::CallableIter, next_found, words, search.at, 0))
}

/// The next match of an iterator: the words are the pattern, the string, its bounds unless they
/// are those of the string; `n` is the place, `m` whether the match must advance.
fn next_found<'v>(vm: &'v Vm, iter: &'v Iter) -> NResult<'v> {
    next_by(vm, iter, Mode::Search)
}

/// `_next_found(matches, anywhere)`: the next match of a scanner, or None.
pub(crate) static SCANNER: &[NativeDef] = &[NativeDef::new(
    "_next_found",
    "matches, anywhere, /",
    |vm, a| {
        let Some(iter) = a[0].get::<Iter>() else { return Ok(Value::NONE) };
        let mode = if vm.truth(a[1])? { Mode::Search } else { Mode::Match };
        Ok(match next_by(vm, iter, mode)? {
            v if v.is_empty() => Value::NONE,
            v => v,
        })
    },
    "",
)];

fn next_by<'v>(vm: &'v Vm, iter: &'v Iter, mode: Mode) -> NResult<'v> {
    let Some(pattern) = iter.get(0).get::<Opaque>() else { return Ok(Value::EMPTY) };
    let mut search = Search::new(vm, pattern, iter.get(1))?;
    let [end, pos, endpos] = match vm.tuple_items(iter.get(2)) {
        [a, b, c] => [a, b, c].map(|v| v.as_small().unwrap_or(0) as usize),
        _ => [search.bounds.end, 0, search.bounds.endpos],
    };
    search.bounds = Bounds { from: 0, end, pos, endpos };
    search.at = iter.n.get();
    search.must_advance = iter.m.get() != 0;
    let found = search.next_match(vm, mode)?;
    if found.is_none() {
        iter.set(0, Value::EMPTY);
        return Ok(Value::EMPTY);
    }
    iter.n.set(search.at);
    iter.m.set(u64::from(search.must_advance));
    Ok(found)
}

/// `pattern.split(string, maxsplit)`
pub(super) fn split<'v>(
    vm: &'v Vm,
    pattern: &'v Opaque,
    string: Value<'v>,
    maxsplit: Value<'v>,
) -> NResult<'v> {
    let max = int(vm, maxsplit, 0)?;
    let mut search = Search::new(vm, pattern, string)?;
    let groups = pattern.with(|p: &mut Pattern| p.groups).unwrap_or(0) as usize;
    let (mut out, mut last, mut count) = (Vec::new(), 0, 0);
    let mut spans = vec![(0, 0); groups];
    while max == 0 || count < max {
        let read = |_, s: &Scratch| {
            for (span, m) in spans.iter_mut().zip(s.marks.chunks_exact(2)) {
                *span = (m[0], m[1]);
            }
        };
        let Some(((lo, hi), ())) = search.next(vm, Mode::Search, read)? else { break };
        vm.grow(&mut out, 2 + spans.len())?;
        out.push(search.slice(vm, last, lo)?);
        for (lo, hi) in &spans {
            let taken = *lo != UNSET && *hi != UNSET;
            out.push(if taken { search.slice(vm, *lo, *hi)? } else { Value::NONE });
        }
        last = hi;
        count += 1;
    }
    out.push(search.slice(vm, last, search.bounds.end)?);
    vm.list(out)
}

fn group_index<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let names = me(vm, args[0])?.with(|p: &mut Pattern| p.names.clone()).unwrap_or_default();
    let dict = vm.dict();
    for (name, group) in &names {
        vm.dict_set_name(dict, vm.str(name)?, vm.int(i64::from(*group)))?;
    }
    Err(Exit::tail(vm.class_value(Type::MappingProxy), vec![Value::object(dict)]))
}

/// What flags are called; UNICODE is left out where it goes without saying.
fn flag_names(flags: u32, is_text: bool) -> String {
    const NAMES: [(u32, &str); 9] = [
        (Flags::TEMPLATE, "re.TEMPLATE"),
        (Flags::IGNORECASE, "re.IGNORECASE"),
        (Flags::LOCALE, "re.LOCALE"),
        (Flags::MULTILINE, "re.MULTILINE"),
        (Flags::DOTALL, "re.DOTALL"),
        (Flags::UNICODE, "re.UNICODE"),
        (Flags::VERBOSE, "re.VERBOSE"),
        (Flags::DEBUG, "re.DEBUG"),
        (Flags::ASCII, "re.ASCII"),
    ];
    let mut rest = flags;
    if is_text && rest & (Flags::LOCALE | Flags::UNICODE | Flags::ASCII) == Flags::UNICODE {
        rest &= !Flags::UNICODE;
    }
    let mut names = Vec::new();
    for (bit, name) in NAMES {
        if rest & bit != 0 {
            names.push(name.to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        names.push(format!("0x{rest:x}"));
    }
    names.join("|")
}

/// Most characters of the pattern that `repr` shows.
const SHOWN: usize = 200;

fn repr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let o = me(vm, args[0])?;
    let mut out = b"re.compile(".to_vec();
    let mut text = Vec::new();
    vm.repr_into(&mut text, read(&o.word))?;
    let shown = match wtf8::len(&text) {
        0..=SHOWN => &text[..],
        _ => wtf8::Text::new(&text).slice(0, SHOWN),
    };
    out.extend_from_slice(shown);
    let names = o.with(|p: &mut Pattern| flag_names(p.flags, p.is_text)).unwrap_or_default();
    if !names.is_empty() {
        out.extend_from_slice(b", ");
        out.extend_from_slice(names.as_bytes());
    }
    out.push(b')');
    vm.str_bytes(&out)
}

fn equal<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let a = me(vm, args[0])?;
    let Some(b) = pattern_of(args[1]) else { return Ok(Value::NOT_IMPLEMENTED) };
    if std::ptr::eq(a, b) {
        return Ok(Value::TRUE);
    }
    let key = |o: &Opaque| o.with(|p: &mut Pattern| (p.is_text, p.flags));
    let (s, t) = (Subject::find(read(&a.word)), Subject::find(read(&b.word)));
    let same = match (s, t) {
        (Some(s), Some(t)) => key(a) == key(b) && s.bytes() == t.bytes(),
        _ => false,
    };
    Ok(Value::bool(same))
}

fn hash<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let o = me(vm, args[0])?;
    let flags = o.with(|p: &mut Pattern| p.flags).unwrap_or(0);
    let text = vm.hash_leaf(read(&o.word))?.unwrap_or(0);
    Ok(vm.int((text ^ i64::from(flags)).max(i64::MIN + 2)))
}

/// For `copyreg` and `pickle`: the pattern is compiled again.
fn reduce<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let o = me(vm, args[0])?;
    let flags = o.with(|p: &mut Pattern| p.flags).unwrap_or(0);
    let module = vm.dict_get_str(vm.modules(), "re");
    let dict = module.and_then(|m| m.get::<miniscript_vm::object::record::Module>());
    let dict = dict.and_then(|m| m.dict().get::<Dict>());
    let Some(compile) = dict.and_then(|d| vm.dict_get_str(d, "_compile")) else {
        return Err(vm.type_error("cannot pickle 're.Pattern' object"));
    };
    let state = vm.tuple(&[read(&o.word), vm.int(i64::from(flags))])?;
    vm.tuple(&[compile, state])
}
