//! `str`: searching, splitting, stripping, joining, replacing.

use super::{collected, def, items_or, me};
use crate::Vm;
use crate::fault::Fault;
use crate::native::{Exit, NResult, NativeDef, Row};
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::text::find::{self, Unit};
use crate::text::split::{self, Kind, Side};
use crate::value::Value;

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    def!(
        "find",
        "self, sub, start=None, end=None, /",
        |vm, args| Ok(position(vm, args, false)?.map_or(Value::int32(-1), Value::len)),
        "Return the lowest index in S where substring sub is found, or -1."
    ),
    def!(
        "rfind",
        "self, sub, start=None, end=None, /",
        |vm, args| Ok(position(vm, args, true)?.map_or(Value::int32(-1), Value::len)),
        "Return the highest index in S where substring sub is found, or -1."
    ),
    def!(
        "index",
        "self, sub, start=None, end=None, /",
        |vm, args| found(vm, position(vm, args, false)?),
        "Return the lowest index in S where substring sub is found."
    ),
    def!(
        "rindex",
        "self, sub, start=None, end=None, /",
        |vm, args| found(vm, position(vm, args, true)?),
        "Return the highest index in S where substring sub is found."
    ),
    def!(
        "count",
        "self, sub, start=None, end=None, /",
        count,
        "Return the number of non-overlapping occurrences of substring sub."
    ),
    def!(
        "startswith",
        "self, prefix, start=None, end=None, /",
        |vm, args| affix(vm, args, "startswith"),
        "Return True if S starts with the specified prefix, False otherwise."
    ),
    def!(
        "endswith",
        "self, suffix, start=None, end=None, /",
        |vm, args| affix(vm, args, "endswith"),
        "Return True if S ends with the specified suffix, False otherwise."
    ),
    def!(
        "replace",
        "self, old, new, count=-1, /",
        replace,
        "Return a copy with all occurrences of substring old replaced by new."
    ),
    def!(
        "split",
        "self, /, sep=None, maxsplit=-1",
        |vm, args| split_by(vm, args, false),
        "Return a list of the substrings in the string, using sep as the separator string."
    ),
    def!(
        "rsplit",
        "self, /, sep=None, maxsplit=-1",
        |vm, args| split_by(vm, args, true),
        "Return a list of the substrings in the string, using sep as the separator string."
    ),
    def!(
        "splitlines",
        "self, /, keepends=False",
        splitlines,
        "Return a list of the lines in the string, breaking at line boundaries."
    ),
    def!(
        "partition",
        "self, sep, /",
        |vm, args| partition(vm, args, false),
        "Partition the string into three parts using the given separator."
    ),
    def!(
        "rpartition",
        "self, sep, /",
        |vm, args| partition(vm, args, true),
        "Partition the string into three parts using the given separator."
    ),
    def!("join", "self, iterable, /", join, "Concatenate any number of strings."),
    def!(
        "strip",
        "self, chars=None, /",
        |vm, args| strip(vm, args, Side::Both, "strip"),
        "Return a copy of the string with leading and trailing whitespace removed."
    ),
    def!(
        "lstrip",
        "self, chars=None, /",
        |vm, args| strip(vm, args, Side::Left, "lstrip"),
        "Return a copy of the string with leading whitespace removed."
    ),
    def!(
        "rstrip",
        "self, chars=None, /",
        |vm, args| strip(vm, args, Side::Right, "rstrip"),
        "Return a copy of the string with trailing whitespace removed."
    ),
    def!(
        "removeprefix",
        "self, prefix, /",
        |vm, args| {
            let prefix = named(vm, args[1], "removeprefix() argument")?;
            part(vm, args[0], find::remove_prefix(me(vm, args[0])?.bytes(), prefix))
        },
        "Return a str with the given prefix string removed if present."
    ),
    def!(
        "removesuffix",
        "self, suffix, /",
        |vm, args| {
            let suffix = named(vm, args[1], "removesuffix() argument")?;
            part(vm, args[0], find::remove_suffix(me(vm, args[0])?.bytes(), suffix))
        },
        "Return a str with the given suffix string removed if present."
    ),
];

/// The bytes of a `str` argument.
fn text<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v [u8], Exit<'v>> {
    match v.get::<Str>() {
        Some(s) => Ok(s.bytes()),
        None => Err(vm.type_error(format!("must be str, not {}", vm.type_name(v)))),
    }
}

/// The bytes of a `str` argument that the message names.
fn named<'v>(vm: &'v Vm, v: Value<'v>, what: &str) -> Result<&'v [u8], Exit<'v>> {
    match v.get::<Str>() {
        Some(s) => Ok(s.bytes()),
        None => Err(vm.type_error(format!("{what} must be str, not {}", vm.type_name_or_none(v)))),
    }
}

/// A part of `whole`, which is given back if the part is all of it.
fn part<'v>(vm: &'v Vm, whole: Value<'v>, bytes: &[u8]) -> NResult<'v> {
    match whole.get::<Str>() {
        Some(s) if s.bytes().len() == bytes.len() => vm.plain_str(whole),
        Some(s) => vm.str_part(s, bytes),
        None => vm.str_bytes(bytes),
    }
}

fn bounds<'v>(vm: &'v Vm, args: &[Value<'v>]) -> Result<(i64, i64), Exit<'v>> {
    if args[2].is_empty() && args[3].is_empty() {
        return Ok(find::WHOLE);
    }
    Ok((vm.bound_arg(args[2], 0)?, vm.bound_arg(args[3], i64::MAX)?))
}

fn position<'v>(vm: &'v Vm, args: &[Value<'v>], last: bool) -> Result<Option<usize>, Exit<'v>> {
    let (start, end) = bounds(vm, args)?;
    let needle = text(vm, args[1])?;
    let hay = me(vm, args[0])?.text();
    Ok(if last { hay.rfind(needle, start, end) } else { hay.find(needle, start, end) })
}

fn found<'v>(vm: &'v Vm, at: Option<usize>) -> NResult<'v> {
    at.map(Value::len).ok_or_else(|| vm.value_error("substring not found"))
}

fn count<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (start, end) = bounds(vm, args)?;
    let needle = text(vm, args[1])?;
    Ok(Value::len(me(vm, args[0])?.text().count(needle, start, end)))
}

fn affix<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    let hay = me(vm, args[0])?.text();
    let (start, end) = bounds(vm, args)?;
    let test = |s: &Str| match name {
        "startswith" => hay.starts_with(s.bytes(), start, end),
        _ => hay.ends_with(s.bytes(), start, end),
    };
    if let Some(s) = args[1].get::<Str>() {
        return Ok(Value::bool(test(s)));
    }
    let Some(options) = args[1].get::<Tuple>() else {
        return Err(vm.type_error(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            vm.type_name(args[1])
        )));
    };
    for v in options.items() {
        match v.get::<Str>() {
            Some(s) if test(s) => return Ok(Value::TRUE),
            Some(_) => {}
            None => {
                return Err(vm.type_error(format!(
                    "tuple for {name} must only contain str, not {}",
                    vm.type_name(*v)
                )));
            }
        }
    }
    Ok(Value::FALSE)
}

fn replace<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let old = named(vm, args[1], "replace() argument 1")?;
    let new = named(vm, args[2], "replace() argument 2")?;
    let max = usize::try_from(vm.size_arg(args[3], -1)?).unwrap_or(usize::MAX);
    let mut near = [0; find::SHORT];
    if s.is_ascii()
        && let Some(len) = find::replace_short(s.bytes(), old, new, max, &mut near)
    {
        // What is put in may not be ASCII, unlike what was there.
        return vm.str_bytes(&near[..len]);
    }
    let room = |n| vm.heap.check(n).map_err(|_| Fault::memory());
    match vm.polled(|poll| find::replace(s.bytes(), old, new, max, Unit::CodePoint, room, poll))? {
        Some(out) => vm.str_owned(out),
        None => vm.plain_str(args[0]),
    }
}

fn split_by<'v>(vm: &'v Vm, args: &[Value<'v>], from_right: bool) -> NResult<'v> {
    let whole = me(vm, args[0])?;
    let hay = whole.bytes();
    let max = usize::try_from(vm.size_arg(args[2], -1)?).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    // Few short parts need nobody's leave.
    if let Some(sep) = args[1].get::<Str>()
        && let [sep] = *sep.bytes()
        && hay.len() < find::SHORT
        && max == usize::MAX
        && !from_right
    {
        let mut from = 0;
        for at in memchr::memchr_iter(sep, hay) {
            parts.push(vm.str_part(whole, &hay[from..at])?);
            from = at + 1;
        }
        parts.push(vm.str_part(whole, &hay[from..])?);
        return vm.list(parts);
    }
    let mut put = |r: std::ops::Range<usize>| -> Result<(), Exit<'v>> {
        vm.ticks(1 + r.len() / 512)?;
        parts.push(vm.str_part(whole, &hay[r])?);
        if parts.len() % 65536 == 0 {
            vm.check(parts.len() * 64)?;
        }
        Ok(())
    };
    if args[1].is_empty() || args[1].is_none() {
        match from_right {
            false => split::split_space(hay, max, Kind::Str).try_for_each(&mut put)?,
            true => split::rsplit_space(hay, max, Kind::Str).try_for_each(&mut put)?,
        }
    } else {
        let Some(sep) = args[1].get::<Str>() else {
            return Err(
                vm.type_error(format!("must be str or None, not {}", vm.type_name(args[1])))
            );
        };
        if sep.bytes().is_empty() {
            return Err(vm.value_error("empty separator"));
        }
        match from_right {
            false => split::split(hay, sep.bytes(), max).try_for_each(&mut put)?,
            true => split::rsplit(hay, sep.bytes(), max).try_for_each(&mut put)?,
        }
    }
    if from_right {
        parts.reverse();
    }
    vm.list(parts)
}

fn splitlines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let keep = !args[1].is_empty() && vm.truth(args[1])?;
    let whole = me(vm, args[0])?;
    let hay = whole.bytes();
    let mut parts = Vec::new();
    for r in split::lines(hay, keep, Kind::Str) {
        vm.tick()?;
        vm.push_item(&mut parts, vm.str_part(whole, &hay[r])?)?;
    }
    vm.list(parts)
}

fn partition<'v>(vm: &'v Vm, args: &[Value<'v>], last: bool) -> NResult<'v> {
    let hay = me(vm, args[0])?.bytes();
    let sep = text(vm, args[1])?;
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let parts = if last { split::rpartition(hay, sep) } else { split::partition(hay, sep) };
    let whole = vm.plain_str(args[0])?;
    let empty = vm.str("")?;
    match parts {
        Some((a, b)) => {
            vm.tuple(&[part(vm, args[0], a)?, vm.plain_str(args[1])?, part(vm, args[0], b)?])
        }
        None if last => vm.tuple(&[empty, empty, whole]),
        None => vm.tuple(&[whole, empty, empty]),
    }
}

/// After the items were collected.
static JOIN_ROW: Row = Row {
    name: "str_join",
    catches: false,
    resume: |vm, state, answer| vm.str_join(me(vm, state[0])?, &collected(answer)?),
};

fn join<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let sep = me(vm, args[0])?;
    let message = "can only join an iterable";
    let items = items_or(vm, args[1], message, &JOIN_ROW, vec![args[0]])?;
    vm.str_join(sep, &items)
}

fn strip<'v>(vm: &'v Vm, args: &[Value<'v>], side: Side, name: &str) -> NResult<'v> {
    let hay = me(vm, args[0])?.bytes();
    let range = if args[1].is_empty() || args[1].is_none() {
        split::strip_space(hay, side, Kind::Str)
    } else {
        match args[1].get::<Str>() {
            Some(chars) => split::strip_chars(hay, chars.bytes(), side),
            None => return Err(vm.type_error(format!("{name} arg must be None or str"))),
        }
    };
    part(vm, args[0], &hay[range])
}
