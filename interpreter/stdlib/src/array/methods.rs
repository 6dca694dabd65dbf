//! The methods of `array`.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::seq::{List, Slice};
use miniscript_vm::object::text::Str;
use miniscript_vm::ops::compare::Cmp;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use super::kind::Kind;
use super::{
    EXTENDED, NEW, append_all, check_resizable, copy_of, index, make, resize, slice, values, with,
};
use crate::args;

macro_rules! compared {
    ($name:literal $cmp:ident) => {
        NativeDef::new($name, "self, other, /", |vm, a| compare(vm, a, Cmp::$cmp), "")
    };
}

/// The rows.
pub(super) static METHODS: &[NativeDef] = &[
    NEW,
    NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
    NativeDef::new("__len__", "self, /", |vm, a| Ok(Value::len(with(vm, a[0], |x| x.len())?)), ""),
    NativeDef::new("__getitem__", "self, key, /", getitem, "Return self[key]."),
    NativeDef::new("__setitem__", "self, key, value, /", setitem, "Set self[key] to value."),
    NativeDef::new("__delitem__", "self, key, /", delitem, "Delete self[key]."),
    NativeDef::new("__iter__", "self, /", iter, "Implement iter(self)."),
    NativeDef::new("__contains__", "self, value, /", contains, "Return value in self."),
    NativeDef::new("__add__", "self, value, /", add, "Return self+value."),
    NativeDef::new("__iadd__", "self, value, /", iadd, "Implement self+=value."),
    NativeDef::new("__mul__", "self, value, /", mul, "Return self*value."),
    NativeDef::new("__rmul__", "self, value, /", mul, "Return value*self."),
    NativeDef::new("__imul__", "self, value, /", imul, "Implement self*=value."),
    compared!("__eq__" Eq),
    compared!("__ne__" Ne),
    compared!("__lt__" Lt),
    compared!("__le__" Le),
    compared!("__gt__" Gt),
    compared!("__ge__" Ge),
    NativeDef::new(
        "__hash__",
        "self, /",
        |vm, _| Err(vm.type_error("unhashable type: 'array.array'")),
        "",
    ),
    NativeDef::new("__copy__", "self, /", copy, "Return a copy of the array."),
    NativeDef::new("__deepcopy__", "self, memo, /", copy, "Return a copy of the array."),
    NativeDef::new("__bytes__", "self, /", tobytes, "Return the items as bytes."),
    NativeDef::new("__reduce_ex__", "self, protocol, /", reduce, "For pickling."),
    NativeDef::getter("typecode", |vm, a| typecode(vm, a[0]), "the kind of the items"),
    NativeDef::getter(
        "itemsize",
        |vm, a| Ok(Value::len(with(vm, a[0], |x| x.kind.size)?)),
        "bytes of an item",
    ),
    NativeDef::new("append", "self, v, /", append, "Append new value v to the end."),
    NativeDef::new("extend", "self, bb, /", extend, "Append items to the end."),
    NativeDef::new("fromlist", "self, list, /", fromlist, "Append items of a list."),
    NativeDef::new("frombytes", "self, buffer, /", frombytes, "Append items of their bytes."),
    NativeDef::new("fromunicode", "self, ustr, /", fromunicode, "Append the characters of a str."),
    NativeDef::new("tobytes", "self, /", tobytes, "Return the items as bytes."),
    NativeDef::new(
        "tolist",
        "self, /",
        |vm, a| {
            let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
            vm.list(values(vm, kind, &bytes)?)
        },
        "Return the items as a list.",
    ),
    NativeDef::new("tounicode", "self, /", tounicode, "Return the characters as a str."),
    NativeDef::new("insert", "self, i, v, /", insert, "Insert value v before position i."),
    NativeDef::new("pop", "self, i=-1, /", pop, "Return and remove the item at position i."),
    NativeDef::new("remove", "self, v, /", remove, "Remove the first item equal to v."),
    NativeDef::new("count", "self, v, /", count, "Return how many items are equal to v."),
    NativeDef::new(
        "index",
        "self, v, start=0, stop=9223372036854775807, /",
        find,
        "Return the place of the first item equal to v.",
    ),
    NativeDef::new("reverse", "self, /", reverse, "Reverse the order of the items."),
    NativeDef::new("byteswap", "self, /", byteswap, "Reverse the bytes of each item."),
    NativeDef::new("buffer_info", "self, /", buffer_info, "Return an address and the length."),
    NativeDef::new("__class_getitem__", "cls, item, /", crate::class::generic, "")
        .role(miniscript_vm::native::Role::Class),
];

fn typecode<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    let code = with(vm, v, |x| x.kind.code)?;
    Ok(vm.latin1_char(code))
}

fn repr<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    let name = vm.type_name(a[0]);
    let code = char::from(kind.code);
    if bytes.is_empty() {
        return vm.str(&format!("{name}('{code}')"));
    }
    let items = match kind.is_text() {
        true => tounicode(vm, a)?,
        false => vm.list(values(vm, kind, &bytes)?)?,
    };
    let shown = vm.repr(items)?;
    let shown = shown.get::<Str>().map(|s| s.to_display().into_owned());
    vm.str(&format!("{name}('{code}', {})", shown.unwrap_or_default()))
}

fn getitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let len = with(vm, a[0], |x| x.len())?;
    if let Some(s) = a[1].get::<Slice>() {
        let bounds = slice(vm, s, len)?;
        vm.ticks(bounds.count / 16)?;
        let (kind, bytes) = with(vm, a[0], |x| {
            let items = bounds.indices().filter_map(|i| x.item(i));
            (x.kind, items.flatten().copied().collect())
        })?;
        return make(vm, kind, bytes);
    }
    let i = index(vm, a[1], len, "array index out of range")?;
    with(vm, a[0], |x| x.kind.unpack(vm, x.item(i).unwrap_or(&[])))?
}

fn setitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, len) = with(vm, a[0], |x| (x.kind, x.len()))?;
    if let Some(s) = a[1].get::<Slice>() {
        let bounds = slice(vm, s, len)?;
        let new = match copy_of(a[2]) {
            Some((k, bytes)) if k == kind => bytes,
            Some(_) => return Err(vm.type_error("bad argument type for built-in operation")),
            None => {
                let class = vm.type_name(a[2]);
                let text = format!("can only assign array (not \"{class}\") to array slice");
                return Err(vm.type_error(text));
            }
        };
        let size = kind.size;
        if bounds.step == 1 {
            if new.len() != bounds.count * size {
                check_resizable(vm, a[0])?;
            }
            with(vm, a[0], |x| {
                let range = bounds.start * size..(bounds.start + bounds.count) * size;
                x.bytes.splice(range, new);
            })?;
            return Ok(Value::NONE);
        }
        let given = new.len() / size;
        if given != bounds.count {
            let count = bounds.count;
            return Err(vm.value_error(format!(
                "attempt to assign array of size {given} to extended slice of size {count}"
            )));
        }
        with(vm, a[0], |x| {
            for (i, item) in bounds.indices().zip(new.chunks_exact(size)) {
                x.bytes[i * size..(i + 1) * size].copy_from_slice(item);
            }
        })?;
        return Ok(Value::NONE);
    }
    let i = index(vm, a[1], len, "array assignment index out of range")?;
    let packed = kind.pack(vm, a[2])?;
    with(vm, a[0], |x| {
        let size = x.kind.size;
        x.bytes[i * size..(i + 1) * size].copy_from_slice(&packed[..size]);
    })?;
    Ok(Value::NONE)
}

fn delitem<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let len = with(vm, a[0], |x| x.len())?;
    let mut gone = vec![false; len];
    if let Some(s) = a[1].get::<Slice>() {
        slice(vm, s, len)?.indices().for_each(|i| gone[i] = true);
    } else {
        gone[index(vm, a[1], len, "array assignment index out of range")?] = true;
    }
    if !gone.contains(&true) {
        return Ok(Value::NONE);
    }
    resize(vm, a[0], |x| {
        let size = x.kind.size;
        let kept = x.bytes.chunks_exact(size).zip(&gone).filter(|(_, gone)| !**gone);
        x.bytes = kept.flat_map(|(item, _)| item).copied().collect();
    })?;
    Ok(Value::NONE)
}

fn iter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    fn next<'v>(vm: &'v Vm, i: &'v Iter) -> NResult<'v> {
        let at = i.n.get();
        let item = with(vm, i.get(0), |x| x.item(at).map(|b| x.kind.unpack(vm, b)))?;
        if item.is_some() {
            i.n.set(at + 1);
        }
        item.unwrap_or(Ok(Value::EMPTY))
    }
    Ok(vm.iter(Type::SequenceIter, next, [a[0], Value::EMPTY, Value::EMPTY], 0, 0))
}

/// The places of the items equal to a value, as long as `f` wants more.
fn search<'v>(
    vm: &'v Vm,
    array: Value<'v>,
    v: Value<'v>,
    mut f: impl FnMut(usize) -> bool,
) -> Result<(), Exit<'v>> {
    let (kind, bytes) = with(vm, array, |x| (x.kind, x.bytes.clone()))?;
    for (i, item) in bytes.chunks_exact(kind.size).enumerate() {
        vm.tick()?;
        if vm.equal_leaf(kind.unpack(vm, item)?, v)? == Some(true) && !f(i) {
            break;
        }
    }
    Ok(())
}

fn contains<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let mut found = false;
    search(vm, a[0], a[1], |_| {
        found = true;
        false
    })?;
    Ok(Value::bool(found))
}

fn count<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let mut n = 0;
    search(vm, a[0], a[1], |_| {
        n += 1;
        true
    })?;
    Ok(Value::len(n))
}

fn find<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let len = with(vm, a[0], |x| x.len())? as i64;
    let fit = |i: i64| if i < 0 { (i + len).max(0) } else { i };
    let (start, stop) = (fit(args::size(vm, a[2], 0)?), fit(args::size(vm, a[3], i64::MAX)?));
    let mut found = None;
    search(vm, a[0], a[1], |i| {
        if (start..stop).contains(&(i as i64)) {
            found = Some(i);
        }
        found.is_none()
    })?;
    match found {
        Some(i) => Ok(Value::len(i)),
        None => Err(vm.value_error("array.index(x): x not in array")),
    }
}

fn remove<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let mut found = None;
    search(vm, a[0], a[1], |i| {
        found = Some(i);
        false
    })?;
    match found {
        Some(i) => delitem(vm, &[a[0], Value::len(i)]),
        None => Err(vm.value_error("array.remove(x): x not in array")),
    }
}

fn add<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, mut bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    let Some((other, more)) = copy_of(a[1]) else {
        let class = vm.type_name(a[1]);
        return Err(vm.type_error(format!("can only append array (not \"{class}\") to array")));
    };
    if other != kind {
        return Err(vm.type_error("bad argument type for built-in operation"));
    }
    bytes.extend(more);
    make(vm, kind, bytes)
}

fn iadd<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if copy_of(a[1]).is_none() {
        let class = vm.type_name(a[1]);
        let text = format!("can only extend array with array (not \"{class}\")");
        return Err(vm.type_error(text));
    }
    extend(vm, a)?;
    Ok(a[0])
}

fn repeated<'v>(vm: &'v Vm, a: &[Value<'v>]) -> Result<(Kind, Vec<u8>), Exit<'v>> {
    if args::int_of(a[1]).is_none()
        && vm.class_lookup(vm.class_of(a[1]), vm.names.__index__).is_none()
    {
        let class = vm.type_name(a[1]);
        let text = format!("can't multiply sequence by non-int of type '{class}'");
        return Err(vm.type_error(text));
    }
    if let Some(Err(())) = vm.as_index_i64(a[1]) {
        return Err(vm.overflow_error("cannot fit 'int' into an index-sized integer"));
    }
    let n = args::size(vm, a[1], 0)?.max(0) as usize;
    let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    let total = bytes.len().checked_mul(n).ok_or_else(|| vm.memory_error())?;
    vm.check(total)?;
    vm.ticks(total / 100)?;
    let mut all = Vec::new();
    all.try_reserve_exact(total).map_err(|_| vm.memory_error())?;
    all.extend_from_slice(&bytes[..bytes.len().min(total)]);
    while all.len() < total {
        all.extend_from_within(..all.len().min(total - all.len()));
    }
    Ok((kind, all))
}

fn mul<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, bytes) = repeated(vm, a)?;
    make(vm, kind, bytes)
}

fn imul<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (_, bytes) = repeated(vm, a)?;
    resize(vm, a[0], |x| x.bytes = bytes)?;
    Ok(a[0])
}

fn compare<'v>(vm: &'v Vm, a: &[Value<'v>], cmp: Cmp) -> NResult<'v> {
    let (Some((k, x)), Some((l, y))) = (copy_of(a[0]), copy_of(a[1])) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let (x, y) = (values(vm, k, &x)?, values(vm, l, &y)?);
    let is_nan = |v: &Value<'v>| v.as_float().is_some_and(f64::is_nan);
    if matches!(cmp, Cmp::Eq | Cmp::Ne) && x.iter().chain(&y).any(is_nan) {
        return Ok(Value::bool(cmp == Cmp::Ne));
    }
    vm.compare(cmp, vm.list(x)?, vm.list(y)?)
}

fn copy<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    make(vm, kind, bytes)
}

fn tobytes<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let bytes = with(vm, a[0], |x| x.bytes.clone())?;
    vm.bytes_owned(bytes)
}

/// The class, the kind and the items, for `pickle` and `copy`.
fn reduce<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    let items = match kind.is_text() {
        true => tounicode(vm, a)?,
        false => vm.list(values(vm, kind, &bytes)?)?,
    };
    let init = vm.tuple(&[typecode(vm, a[0])?, items])?;
    vm.tuple(&[vm.class_value_of(a[0]), init, Value::NONE])
}

fn append<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let packed = with(vm, a[0], |x| x.kind)?.pack(vm, a[1])?;
    resize(vm, a[0], |x| x.push(&packed))?;
    Ok(Value::NONE)
}

fn extend<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if let Some((kind, bytes)) = copy_of(a[1]) {
        if with(vm, a[0], |x| x.kind)? != kind {
            return Err(vm.type_error("can only extend with array of same kind"));
        }
        resize(vm, a[0], |x| x.bytes.extend_from_slice(&bytes))?;
        return Ok(Value::NONE);
    }
    match vm.items_leaf(a[1])? {
        Some(items) => append_all(vm, a[0], &items)?,
        None => return Err(vm.collect_then(a[1], &EXTENDED, vec![a[0]])),
    }
    Ok(Value::NONE)
}

fn fromlist<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match a[1].get::<List>() {
        Some(list) => append_all(vm, a[0], &list.to_vec())?,
        None => return Err(vm.type_error("arg must be list")),
    }
    Ok(Value::NONE)
}

fn frombytes<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[1])?.to_vec();
    let size = with(vm, a[0], |x| x.kind.size)?;
    if data.len() % size != 0 {
        return Err(vm.value_error("bytes length not a multiple of item size"));
    }
    resize(vm, a[0], |x| x.bytes.extend_from_slice(&data))?;
    Ok(Value::NONE)
}

fn fromunicode<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let s = args::text(vm, a[1], "fromunicode() argument")?;
    if !with(vm, a[0], |x| x.kind.is_text())? {
        let text = "fromunicode() may only be called on unicode type arrays";
        return Err(vm.value_error(text));
    }
    let chars: Vec<u8> = wtf8::code_points(s.bytes()).flat_map(u32::to_le_bytes).collect();
    resize(vm, a[0], |x| x.bytes.extend_from_slice(&chars))?;
    Ok(Value::NONE)
}

fn tounicode<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (kind, bytes) = with(vm, a[0], |x| (x.kind, x.bytes.clone()))?;
    if !kind.is_text() {
        let text = "tounicode() may only be called on unicode type arrays";
        return Err(vm.value_error(text));
    }
    let mut out = Vec::new();
    for item in values(vm, kind, &bytes)? {
        out.extend_from_slice(item.get::<Str>().map_or(&[], |s| s.bytes()));
    }
    vm.str_owned(out)
}

fn insert<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let at = args::size(vm, a[1], 0)?;
    let packed = with(vm, a[0], |x| x.kind)?.pack(vm, a[2])?;
    resize(vm, a[0], |x| {
        let len = x.len() as i64;
        let at = if at < 0 { (at + len).max(0) } else { at.min(len) } as usize;
        let size = x.kind.size;
        x.bytes.splice(at * size..at * size, packed[..size].iter().copied());
    })?;
    Ok(Value::NONE)
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let len = with(vm, a[0], |x| x.len())?;
    if len == 0 {
        return Err(vm.index_error("pop from empty array"));
    }
    let i = args::size(vm, a[1], -1)?;
    let i = index(vm, vm.int(i), len, "pop index out of range")?;
    resize(vm, a[0], |x| {
        let size = x.kind.size;
        let item: Vec<u8> = x.bytes.drain(i * size..(i + 1) * size).collect();
        x.kind.unpack(vm, &item)
    })?
}

fn reverse<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    with(vm, a[0], |x| {
        let size = x.kind.size;
        x.bytes.reverse();
        x.bytes.chunks_exact_mut(size).for_each(|item| item.reverse());
    })?;
    Ok(Value::NONE)
}

fn byteswap<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    with(vm, a[0], |x| {
        let size = x.kind.size;
        x.bytes.chunks_exact_mut(size).for_each(|item| item.reverse());
    })?;
    Ok(Value::NONE)
}

/// The address is that of the object: the items have none that scripts could use.
fn buffer_info<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let len = with(vm, a[0], |x| x.len())?;
    vm.tuple(&[vm.uint(a[0].word() & 0xFFFF_FFFF_FFFF), Value::len(len)])
}
