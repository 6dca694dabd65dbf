//! `bytearray`: what changes it.

use super::data;
use crate::Vm;
use crate::builtins::Type;
use crate::builtins::str::{collected, def, items_or};
use crate::native::{Action, Again, Exit, NResult, NativeDef, Role, Row};
use crate::object::seq::Slice;
use crate::object::text::{ByteArray, Str};
use crate::value::Value;

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    def!(
        "__new__",
        "cls, /, *args, **kwargs",
        |vm, args| {
            let shape = vm.shape_for_new(args[0], Type::ByteArray)?;
            vm.bytearray(shape, Vec::new())
        },
        "Create a bytearray."
    )
    .role(Role::Static),
    def!("__init__", "self, /, source=b'', encoding='', errors=''", init, "Initialize self."),
    def!("__setitem__", "self, key, value, /", set_item, "Set self[key] to value."),
    def!("__delitem__", "self, key, /", del_item, "Delete self[key]."),
    def!("__iadd__", "self, value, /", iadd, "Implement self+=value."),
    def!("__imul__", "self, value, /", imul, "Implement self*=value."),
    def!("append", "self, item, /", append, "Append a single item to the end of the bytearray."),
    def!("extend", "self, iterable_of_ints, /", extend, "Append all the items."),
    def!("insert", "self, index, item, /", insert, "Insert a single item before the index."),
    def!("pop", "self, index=-1, /", pop, "Remove and return a single item."),
    def!("remove", "self, value, /", remove, "Remove the first occurrence of a value."),
    def!(
        "clear",
        "self, /",
        |vm, args| change(vm, args[0], |b| b.clear()),
        "Remove all items from the bytearray."
    ),
    def!(
        "reverse",
        "self, /",
        |vm, args| change(vm, args[0], |b| b.reverse()),
        "Reverse the order of the values in B in place."
    ),
    def!(
        "copy",
        "self, /",
        |vm, args| vm.bytearray(Type::ByteArray.shape(), data(vm, args[0])?.to_vec()),
        "Return a copy of B."
    ),
];

fn me<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v ByteArray, Exit<'v>> {
    v.get::<ByteArray>().ok_or_else(|| vm.type_error("a bytearray is required"))
}

/// Changes the bytes and accounts for their growth.
fn change<'v>(vm: &'v Vm, v: Value<'v>, f: impl FnOnce(&mut Vec<u8>)) -> NResult<'v> {
    vm.change_bytearray(v, f)?;
    Ok(Value::NONE)
}

/// If memory views forbid resizing: collects first, since they may be garbage.
fn settle_first<'v>(vm: &'v Vm, b: &ByteArray) -> Result<(), Exit<'v>> {
    if b.is_exported() && !vm.settled.get() {
        return Err(Exit::Do(Box::new(Action::Again(Again::Settled))));
    }
    Ok(())
}

impl Vm {
    /// Changes the bytes of a bytearray and accounts for their growth. While a memory view shows
    /// them, that is a BufferError, perhaps after a collection: the native then runs again.
    pub fn change_bytearray<'v, R>(
        &'v self,
        v: Value<'v>,
        f: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> Result<R, Exit<'v>> {
        let b = me(self, v)?;
        settle_first(self, b)?;
        if b.is_exported() {
            return Err(self.exported_error());
        }
        let r = f(&mut b.bytes_mut());
        self.oom(b.account(&self.heap))?;
        Ok(r)
    }

    /// Before something is resized that may be `exported` to memory views: collects first, since
    /// they may be garbage, and then refuses.
    pub fn check_exported<'v>(&'v self, exported: bool, message: &str) -> Result<(), Exit<'v>> {
        if !exported {
            return Ok(());
        }
        if !self.settled.get() {
            return Err(Exit::Do(Box::new(Action::Again(Again::Settled))));
        }
        Err(self.err(Type::BufferError, message))
    }

    /// The error of resizing what a memory view shows.
    pub(crate) fn exported_error(&self) -> Exit<'_> {
        self.err(Type::BufferError, "Existing exports of data: object cannot be re-sized")
    }
}

/// Replaces everything by `bytes`.
fn assign<'v>(vm: &'v Vm, v: Value<'v>, bytes: Vec<u8>) -> NResult<'v> {
    vm.check(bytes.len())?;
    change(vm, v, |b| *b = bytes)
}

/// After the items of the source were collected.
static INIT_ROW: Row = Row {
    name: "bytearray_init",
    catches: false,
    resume: |vm, state, answer| {
        let items = collected(answer)?;
        let bytes = vm.bytes_of_items(&items, "bytearray", &INIT_ROW, state.to_vec())?;
        assign(vm, state[0], bytes)
    },
};

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    settle_first(vm, me(vm, args[0])?)?;
    let bytes = vm.bytes_source(&args[1..4], &INIT_ROW, vec![args[0]], "bytearray")?;
    assign(vm, args[0], bytes)
}

/// Where an int index lies in `len` bytes.
fn index<'v>(vm: &'v Vm, v: Value<'v>, len: usize) -> Result<usize, Exit<'v>> {
    match vm.as_index_i64(v) {
        Some(Ok(i)) => {
            let at = if i < 0 { i.saturating_add(len as i64) } else { i };
            usize::try_from(at)
                .ok()
                .filter(|i| *i < len)
                .ok_or_else(|| vm.index_error("bytearray index out of range"))
        }
        Some(Err(())) => Err(vm.index_error("cannot fit 'int' into an index-sized integer")),
        None if vm.class_lookup(vm.class_of(v), vm.names.__index__).is_some() => {
            Err(vm.not_an_integer(v))
        }
        None => Err(vm.type_error(format!(
            "bytearray indices must be integers or slices, not {}",
            vm.type_name(v)
        ))),
    }
}

/// After the items to assign were collected.
static SET_ROW: Row = Row {
    name: "bytearray_set",
    catches: false,
    resume: |vm, state, answer| {
        let items = collected(answer)?;
        let bytes = vm.bytes_of_items(&items, "bytearray", &SET_ROW, state.to_vec())?;
        set_slice(vm, state[0], state[1], bytes)
    },
};

fn set_item<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let b = me(vm, args[0])?;
    if !args[1].is_a::<Slice>() {
        let len = b.bytes().len();
        // What is wrong with the byte is told before what is wrong with the place.
        if vm.as_index_i64(args[1]).is_some_and(|i| i.is_ok()) {
            vm.byte_of(args[2], "byte")?;
        }
        let at = index(vm, args[1], len)?;
        let byte = vm.byte_of(args[2], "byte")?;
        if let Some(slot) = b.bytes_mut().get_mut(at) {
            *slot = byte;
        }
        return Ok(Value::NONE);
    }
    if let Some(s) = args[1].get::<Slice>()
        && vm.slice_bounds(s, b.bytes().len())?.is_none()
    {
        return Err(vm.not_an_integer(args[1]));
    }
    let bytes = match vm.buffer_copy(args[2])? {
        Some(bytes) => bytes,
        None if args[2].is_a::<Str>() || is_number(vm, args[2]) => {
            return Err(vm.type_error(
                "can assign only bytes, buffers, or iterables of ints in range(0, 256)",
            ));
        }
        None => {
            settle_first(vm, b)?;
            let state = vec![args[0], args[1]];
            let what = vm.type_name(args[2]);
            let message = format!("cannot convert '{what}' object to bytearray");
            let items = items_or(vm, args[2], &message, &SET_ROW, state.clone())?;
            vm.bytes_of_items(&items, "bytearray", &SET_ROW, state)?
        }
    };
    set_slice(vm, args[0], args[1], bytes)
}

/// Whether a value can be made a number.
fn is_number(vm: &Vm, v: Value<'_>) -> bool {
    let class = vm.class_of(v);
    let names = &vm.names;
    [names.__index__, names.__int__, names.__float__, names.__complex__]
        .iter()
        .any(|&name| vm.class_lookup(class, name).is_some())
}

/// `b[slice] = bytes`.
fn set_slice<'v>(vm: &'v Vm, v: Value<'v>, slice: Value<'v>, bytes: Vec<u8>) -> NResult<'v> {
    let Some(s) = slice.get::<Slice>() else { return Ok(Value::NONE) };
    let b = me(vm, v)?;
    let len = b.bytes().len();
    let Some(r) = vm.slice_bounds(s, len)? else {
        return Err(vm.not_an_integer(slice));
    };
    if r.step == 1 && r.count == bytes.len() {
        b.bytes_mut()[r.start..r.start + r.count].copy_from_slice(&bytes);
        return Ok(Value::NONE);
    }
    if r.step == 1 {
        vm.check(bytes.len())?;
        return change(vm, v, |b| {
            b.splice(r.start..r.start + r.count, bytes);
        });
    }
    if bytes.is_empty() {
        return del_slice(vm, v, r);
    }
    if bytes.len() != r.count {
        return Err(vm.value_error(format!(
            "attempt to assign bytes of size {} to extended slice of size {}",
            bytes.len(),
            r.count
        )));
    }
    let mut target = b.bytes_mut();
    for (i, byte) in r.indices().zip(bytes) {
        target[i] = byte;
    }
    Ok(Value::NONE)
}

fn del_slice<'v>(vm: &'v Vm, v: Value<'v>, r: crate::ops::item::Bounds) -> NResult<'v> {
    if r.step == 1 {
        return change(vm, v, |b| {
            b.drain(r.start..r.start + r.count);
        });
    }
    change(vm, v, |b| {
        let mut gone = vec![false; b.len()];
        r.indices().for_each(|i| gone[i] = true);
        let mut gone = gone.into_iter();
        b.retain(|_| !gone.next().unwrap_or(false));
    })
}

fn del_item<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let len = me(vm, args[0])?.bytes().len();
    if let Some(s) = args[1].get::<Slice>() {
        return match vm.slice_bounds(s, len)? {
            Some(r) => del_slice(vm, args[0], r),
            None => Err(vm.not_an_integer(args[1])),
        };
    }
    let at = index(vm, args[1], len)?;
    change(vm, args[0], |b| {
        b.remove(at);
    })
}

fn iadd<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(more) = vm.buffer_copy(args[1])? else {
        return Err(vm.type_error(format!(
            "can't concat {} to {}",
            vm.type_name(args[1]),
            vm.type_name(args[0])
        )));
    };
    vm.check(more.len())?;
    change(vm, args[0], |b| b.extend_from_slice(&more))?;
    Ok(args[0])
}

fn imul<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = vm.repeat_arg(args[1])?;
    let len = me(vm, args[0])?.bytes().len();
    vm.check(len.saturating_mul(n))?;
    let bytes = vm.repeat_bytes(&data(vm, args[0])?, n, usize::MAX)?;
    assign(vm, args[0], bytes)?;
    Ok(args[0])
}

fn append<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let byte = vm.byte_of(args[1], "byte")?;
    change(vm, args[0], |b| b.push(byte))
}

/// After the items were collected.
static EXTEND_ROW: Row = Row {
    name: "bytearray_extend",
    catches: false,
    resume: |vm, state, answer| {
        let items = collected(answer)?;
        let bytes = vm.bytes_of_items(&items, "bytearray", &EXTEND_ROW, state.to_vec())?;
        change(vm, state[0], |b| b.extend_from_slice(&bytes))
    },
};

fn extend<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bytes = match vm.buffer_copy(args[1])? {
        Some(bytes) => bytes,
        None => {
            settle_first(vm, me(vm, args[0])?)?;
            let message = format!("can't extend bytearray with {}", vm.type_name(args[1]));
            let items = items_or(vm, args[1], &message, &EXTEND_ROW, vec![args[0]])?;
            vm.bytes_of_items(&items, "bytearray", &EXTEND_ROW, vec![args[0]])?
        }
    };
    if bytes.is_empty() {
        return Ok(Value::NONE);
    }
    vm.check(bytes.len())?;
    change(vm, args[0], |b| b.extend_from_slice(&bytes))
}

fn insert<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let len = me(vm, args[0])?.bytes().len();
    let i = vm.size_arg(args[1], 0)?;
    let at = if i < 0 { i.saturating_add(len as i64).max(0) as usize } else { i as usize };
    let byte = vm.byte_of(args[2], "byte")?;
    change(vm, args[0], |b| b.insert(at.min(len), byte))
}

fn pop<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let len = me(vm, args[0])?.bytes().len();
    let i = vm.size_arg(args[1], -1)?;
    if len == 0 {
        return Err(vm.index_error("pop from empty bytearray"));
    }
    let at = if i < 0 { i.saturating_add(len as i64) } else { i };
    let Some(at) = usize::try_from(at).ok().filter(|i| *i < len) else {
        return Err(vm.index_error("pop index out of range"));
    };
    let mut byte = 0;
    change(vm, args[0], |b| byte = b.remove(at))?;
    Ok(Value::int32(i32::from(byte)))
}

fn remove<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let byte = vm.byte_of(args[1], "byte")?;
    let at = memchr::memchr(byte, &data(vm, args[0])?);
    match at {
        Some(at) => change(vm, args[0], |b| {
            b.remove(at);
        }),
        None => Err(vm.value_error("value not found in bytearray")),
    }
}
