//! `bytes` and `bytearray`: searching, splitting, stripping, joining, replacing.

use super::{data, make, slice_of};
use crate::Vm;
use crate::builtins::str::{collected, def, items_or};
use crate::fault::Fault;
use crate::native::{Exit, NResult, NativeDef, Row};
use crate::object::seq::Tuple;
use crate::text::find::{self, Unit};
use crate::text::split::{self, Kind, Side};
use crate::value::Value;

macro_rules! bounded {
    ($name:literal, $func:expr) => {
        def!($name, "self, sub, start=None, end=None, /", $func, "Search for a subsection.")
    };
}

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    bounded!("find", |vm, args| {
        Ok(position(vm, args, false)?.map_or(Value::int32(-1), Value::len))
    }),
    bounded!("rfind", |vm, args| {
        Ok(position(vm, args, true)?.map_or(Value::int32(-1), Value::len))
    }),
    bounded!("index", |vm, args| found(vm, position(vm, args, false)?)),
    bounded!("rindex", |vm, args| found(vm, position(vm, args, true)?)),
    bounded!("count", |vm, args| {
        let needle = needle(vm, args[1])?;
        let (start, end) = (vm.bound_arg(args[2], 0)?, vm.bound_arg(args[3], i64::MAX)?);
        Ok(Value::len(find::count_in(&data(vm, args[0])?, &needle, start, end)))
    }),
    bounded!("startswith", |vm, args| affix(vm, args, "startswith")),
    bounded!("endswith", |vm, args| affix(vm, args, "endswith")),
    def!("replace", "self, old, new, count=-1, /", replace, "Return a copy with replacements."),
    def!(
        "split",
        "self, /, sep=None, maxsplit=-1",
        |vm, args| split_by(vm, args, false),
        "Return a list of the sections in the bytes, using sep as the delimiter."
    ),
    def!(
        "rsplit",
        "self, /, sep=None, maxsplit=-1",
        |vm, args| split_by(vm, args, true),
        "Return a list of the sections in the bytes, using sep as the delimiter."
    ),
    def!(
        "splitlines",
        "self, /, keepends=False",
        |vm, args| {
            let keep = !args[1].is_empty() && vm.truth(args[1])?;
            let hay = data(vm, args[0])?;
            let mut parts = Vec::new();
            for r in split::lines(&hay, keep, Kind::Bytes) {
                vm.tick()?;
                vm.push_item(&mut parts, make(vm, args[0], hay[r].to_vec())?)?;
            }
            vm.list(parts)
        },
        "Return a list of the lines in the bytes, breaking at line boundaries."
    ),
    def!(
        "partition",
        "self, sep, /",
        |vm, args| partition(vm, args, false),
        "Partition the bytes into three parts using the given separator."
    ),
    def!(
        "rpartition",
        "self, sep, /",
        |vm, args| partition(vm, args, true),
        "Partition the bytes into three parts using the given separator."
    ),
    def!("join", "self, iterable_of_bytes, /", join, "Concatenate any number of bytes objects."),
    def!(
        "strip",
        "self, bytes=None, /",
        |vm, args| strip(vm, args, Side::Both),
        "Strip leading and trailing bytes contained in the argument."
    ),
    def!(
        "lstrip",
        "self, bytes=None, /",
        |vm, args| strip(vm, args, Side::Left),
        "Strip leading bytes contained in the argument."
    ),
    def!(
        "rstrip",
        "self, bytes=None, /",
        |vm, args| strip(vm, args, Side::Right),
        "Strip trailing bytes contained in the argument."
    ),
    def!(
        "removeprefix",
        "self, prefix, /",
        |vm, args| {
            let (hay, prefix) = (data(vm, args[0])?, data(vm, args[1])?);
            slice_of(vm, args[0], find::remove_prefix(&hay, &prefix))
        },
        "Return a bytes object with the given prefix string removed if present."
    ),
    def!(
        "removesuffix",
        "self, suffix, /",
        |vm, args| {
            let (hay, suffix) = (data(vm, args[0])?, data(vm, args[1])?);
            slice_of(vm, args[0], find::remove_suffix(&hay, &suffix))
        },
        "Return a bytes object with the given suffix string removed if present."
    ),
];

/// What is searched for: bytes, or one byte as an int.
fn needle<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Vec<u8>, Exit<'v>> {
    if vm.as_index_i64(v).is_some() {
        return Ok(vec![vm.byte_of(v, "byte")?]);
    }
    vm.buffer_copy(v)?.ok_or_else(|| {
        if vm.class_lookup(vm.class_of(v), vm.names.__index__).is_some() {
            return vm.not_an_integer(v);
        }
        vm.type_error(format!(
            "argument should be integer or bytes-like object, not '{}'",
            vm.type_name(v)
        ))
    })
}

fn position<'v>(vm: &'v Vm, args: &[Value<'v>], last: bool) -> Result<Option<usize>, Exit<'v>> {
    let needle = needle(vm, args[1])?;
    let (start, end) = (vm.bound_arg(args[2], 0)?, vm.bound_arg(args[3], i64::MAX)?);
    let hay = data(vm, args[0])?;
    Ok(match last {
        true => find::rfind_in(&hay, &needle, start, end),
        false => find::find_in(&hay, &needle, start, end),
    })
}

fn found<'v>(vm: &'v Vm, at: Option<usize>) -> NResult<'v> {
    at.map(Value::len).ok_or_else(|| vm.value_error("subsection not found"))
}

fn affix<'v>(vm: &'v Vm, args: &[Value<'v>], name: &str) -> NResult<'v> {
    let hay = data(vm, args[0])?;
    let (start, end) = (vm.bound_arg(args[2], 0)?, vm.bound_arg(args[3], i64::MAX)?);
    let range = find::fit(start, end, hay.len());
    let test = |s: &[u8]| {
        let Some(part) = range.clone().and_then(|r| hay.get(r)) else { return false };
        if name == "startswith" { part.starts_with(s) } else { part.ends_with(s) }
    };
    if let Some(options) = args[1].get::<Tuple>() {
        for v in options.items() {
            if test(&data(vm, *v)?) {
                return Ok(Value::TRUE);
            }
        }
        return Ok(Value::FALSE);
    }
    match vm.buffer(args[1]) {
        Some(s) => Ok(Value::bool(test(&s))),
        None => Err(vm.type_error(format!(
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            vm.type_name(args[1])
        ))),
    }
}

fn replace<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (hay, old, new) = (data(vm, args[0])?, data(vm, args[1])?, data(vm, args[2])?);
    let max = usize::try_from(vm.size_arg(args[3], -1)?).unwrap_or(usize::MAX);
    let room = |n| vm.heap.check(n).map_err(|_| Fault::memory());
    match vm.polled(|poll| find::replace(&hay, &old, &new, max, Unit::Byte, room, poll))? {
        Some(out) => make(vm, args[0], out),
        None => slice_of(vm, args[0], &hay),
    }
}

fn split_by<'v>(vm: &'v Vm, args: &[Value<'v>], from_right: bool) -> NResult<'v> {
    let hay = data(vm, args[0])?;
    let max = usize::try_from(vm.size_arg(args[2], -1)?).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut put = |r: std::ops::Range<usize>| -> Result<(), Exit<'v>> {
        vm.ticks(1 + r.len() / 512)?;
        parts.push(make(vm, args[0], hay[r].to_vec())?);
        Ok(())
    };
    if args[1].is_empty() || args[1].is_none() {
        match from_right {
            false => split::split_space(&hay, max, Kind::Bytes).try_for_each(&mut put)?,
            true => split::rsplit_space(&hay, max, Kind::Bytes).try_for_each(&mut put)?,
        }
    } else {
        let sep = data(vm, args[1])?;
        if sep.is_empty() {
            return Err(vm.value_error("empty separator"));
        }
        match from_right {
            false => split::split(&hay, &sep, max).try_for_each(&mut put)?,
            true => split::rsplit(&hay, &sep, max).try_for_each(&mut put)?,
        }
    }
    if from_right {
        parts.reverse();
    }
    vm.list(parts)
}

fn partition<'v>(vm: &'v Vm, args: &[Value<'v>], last: bool) -> NResult<'v> {
    let (hay, sep) = (data(vm, args[0])?, data(vm, args[1])?);
    if sep.is_empty() {
        return Err(vm.value_error("empty separator"));
    }
    let parts = if last { split::rpartition(&hay, &sep) } else { split::partition(&hay, &sep) };
    let copy = |part: &[u8]| make(vm, args[0], part.to_vec());
    match parts {
        Some((a, b)) => vm.tuple(&[copy(a)?, copy(&sep)?, copy(b)?]),
        None if last => vm.tuple(&[copy(b"")?, copy(b"")?, slice_of(vm, args[0], &hay)?]),
        None => vm.tuple(&[slice_of(vm, args[0], &hay)?, copy(b"")?, copy(b"")?]),
    }
}

/// After the items were collected.
static JOIN_ROW: Row = Row {
    name: "bytes_join",
    catches: false,
    resume: |vm, state, answer| join_items(vm, state[0], &collected(answer)?),
};

fn join<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let message = "can only join an iterable";
    let items = items_or(vm, args[1], message, &JOIN_ROW, vec![args[0]])?;
    join_items(vm, args[0], &items)
}

fn join_items<'v>(vm: &'v Vm, sep: Value<'v>, items: &[Value<'v>]) -> NResult<'v> {
    let between = data(vm, sep)?;
    let mut out = Vec::new();
    let mut checked = 1 << 16;
    for (i, v) in items.iter().enumerate() {
        let Some(part) = vm.buffer(*v) else {
            return Err(vm.type_error(format!(
                "sequence item {i}: expected a bytes-like object, {} found",
                vm.type_name(*v)
            )));
        };
        if out.len() + part.len() > checked {
            vm.check(out.len() + part.len())?;
            checked = (out.len() + part.len()) * 2;
        }
        vm.grow(&mut out, part.len() + between.len())?;
        if i > 0 {
            out.extend_from_slice(&between);
        }
        out.extend_from_slice(&part);
        vm.ticks(1 + part.len() / 512)?;
    }
    make(vm, sep, out)
}

fn strip<'v>(vm: &'v Vm, args: &[Value<'v>], side: Side) -> NResult<'v> {
    let hay = data(vm, args[0])?;
    let range = if args[1].is_empty() || args[1].is_none() {
        split::strip_space(&hay, side, Kind::Bytes)
    } else {
        split::strip_bytes(&hay, &data(vm, args[1])?, side)
    };
    slice_of(vm, args[0], &hay[range])
}
