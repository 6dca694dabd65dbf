//! `MsHostValue`: making and reading values.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::map::{Dict, Set};
use miniscript_vm::object::seq::{List, Tuple};
use miniscript_vm::object::text::{ByteArray, Bytes, Str};
use miniscript_vm::object::view::MemoryView;
use miniscript_vm::{Value, Vm};
use num_bigint::{BigInt, Sign};

use super::call::{Call, bridge, host};

pub(super) static TABLE: MsHostValue = MsHostValue {
    size: size_of::<MsHostValue>(),
    int_make: Some(int_make),
    int_read: Some(int_read),
    int_parse: Some(int_parse),
    str_make: Some(str_make),
    str_make_extended: Some(str_make_extended),
    str_read: Some(str_read),
    str_read_extended: Some(str_read_extended),
    bytes_make: Some(bytes_make),
    bytes_read: Some(bytes_read),
    tuple_make: Some(tuple_make),
    list_make: Some(list_make),
    list_push: Some(list_push),
    dict_make: Some(dict_make),
    dict_next: Some(dict_next),
    set_make: Some(set_make),
    items_read: Some(items_read),
    retain: Some(retain),
    release: Some(release),
    scoped: Some(scoped),
    scope_open: Some(scope_open),
    scope_close: Some(scope_close),
};

/// The values of an array.
///
/// # Safety
/// `items` points to `len` values, or `len` is 0.
pub(super) unsafe fn slice<'a, T>(items: *const T, len: usize) -> &'a [T] {
    if len == 0 || items.is_null() {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(items, len) }
}

/// Writes a result.
///
/// # Safety
/// `out` may be written.
pub(super) unsafe fn put<'c>(
    call: &'c Call,
    v: Value<'_>,
    out: *mut MsValue,
) -> Result<MsStatus, Exit<'c>> {
    // SAFETY: by contract.
    unsafe { out.write(call.give(v)) };
    Ok(MS_OK)
}

/// Text of an extension.
pub(super) fn text<'c>(call: &'c Call, text: MsStr) -> Result<&'c str, Exit<'c>> {
    // SAFETY: borrowed for the call.
    unsafe { text.as_str() }.ok_or_else(|| call.vm().value_error("the text is not UTF-8"))
}

fn bigint_of(vm: &Vm, v: Value<'_>) -> Option<BigInt> {
    use miniscript_vm::object::num::BigIntObj;
    if let Some(b) = v.get::<BigIntObj>() {
        return Some(b.value.clone());
    }
    vm.as_index_i64(v).and_then(Result::ok).map(BigInt::from)
}

unsafe extern "C" fn int_make(
    at: *mut MsVm,
    negative: u32,
    limbs: *const u64,
    len: usize,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            vm.check(len.saturating_mul(8))?;
            let digits: Vec<u8> =
                slice(limbs, len).iter().flat_map(|limb| limb.to_le_bytes()).collect();
            let sign = if negative != 0 { Sign::Minus } else { Sign::Plus };
            put(call, vm.bigint(BigInt::from_bytes_le(sign, &digits)), out)
        })
    }
}

unsafe extern "C" fn int_read(
    at: *mut MsVm,
    value: MsValue,
    negative: *mut u32,
    limbs: *mut u64,
    capacity: usize,
    len: *mut usize,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(value)?;
            let Some(n) = bigint_of(vm, v) else {
                return Err(vm.type_error(format!(
                    "'{}' object cannot be interpreted as an integer",
                    vm.type_name(v)
                )));
            };
            negative.write(u32::from(n.sign() == Sign::Minus));
            let mut count = 0;
            for limb in n.magnitude().iter_u64_digits() {
                if count < capacity {
                    limbs.add(count).write(limb);
                }
                count += 1;
            }
            len.write(count);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn int_parse(at: *mut MsVm, digits: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let bytes = digits.as_bytes();
            let bare = bytes.strip_prefix(b"-").unwrap_or(bytes);
            let plain = !bare.is_empty() && bare.iter().all(u8::is_ascii_digit);
            match BigInt::parse_bytes(bytes, 10).filter(|_| plain) {
                Some(n) => put(call, vm.bigint(n), out),
                None => {
                    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
                    Err(vm
                        .value_error(format!("invalid literal for int() with base 10: '{shown}'")))
                }
            }
        })
    }
}

unsafe extern "C" fn str_make(at: *mut MsVm, given: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.vm().str(text(call, given)?)?;
            put(call, v, out)
        })
    }
}

/// Whether bytes are UTF-8 apart from surrogates of three bytes each that form no pair.
fn is_extended_utf8(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut after_high = false;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(_) => return true,
            Err(error) => error,
        };
        let at = error.valid_up_to();
        match &rest[at..] {
            [0xED, second @ 0xA0..=0xBF, 0x80..=0xBF, tail @ ..] => {
                let high = *second < 0xB0;
                if !high && after_high && at == 0 {
                    return false;
                }
                after_high = high;
                rest = tail;
            }
            _ => return false,
        }
    }
}

unsafe extern "C" fn str_make_extended(at: *mut MsVm, text: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let bytes = text.as_bytes();
            if !is_extended_utf8(bytes) {
                return Err(call.vm().value_error("the text is not UTF-8"));
            }
            let v = call.vm().str_bytes(bytes)?;
            put(call, v, out)
        })
    }
}

fn str_of<'c>(call: &'c Call, value: MsValue) -> Result<&'c Str, Exit<'c>> {
    let vm = call.vm();
    let v = call.value(value)?;
    call.hold(value, v);
    v.get::<Str>()
        .ok_or_else(|| vm.type_error(format!("a str is required, not '{}'", vm.type_name(v))))
}

unsafe extern "C" fn str_read(at: *mut MsVm, value: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let s = str_of(call, value)?;
            if s.as_str().is_none() {
                return Err(lone_surrogate(call, s));
            }
            out.write(MsStr::bytes(s.bytes()));
            Ok(MS_OK)
        })
    }
}

fn lone_surrogate<'c>(call: &'c Call, s: &'c Str) -> Exit<'c> {
    let vm = call.vm();
    let at = std::str::from_utf8(s.bytes()).map_or_else(|e| e.valid_up_to(), |_| 0);
    let place = miniscript_vm::text_len(&s.bytes()[..at]) as i64;
    let unit = match &s.bytes()[at..] {
        [a, b, c, ..] => u32::from(a & 0x0F) << 12 | u32::from(b & 0x3F) << 6 | u32::from(c & 0x3F),
        _ => 0xD800,
    };
    let made = || {
        let reason = "surrogates not allowed";
        let args =
            [vm.str("utf-8")?, Value::object(s), vm.int(place), vm.int(place + 1), vm.str(reason)?];
        let e = vm.new_exception(Type::UnicodeEncodeError.shape(), vm.tuple(&args)?);
        for (name, v) in ["encoding", "object", "start", "end", "reason"].iter().zip(args) {
            vm.set_attr_raw(e, vm.intern(name), v)?;
        }
        Ok(e)
    };
    match made() {
        Ok(e) => Exit::Raise(e),
        Err(Exit::Raise(_)) | Err(Exit::Do(_)) => vm.value_error(format!(
            "'utf-8' codec can't encode character '\\u{unit:04x}' in position {place}"
        )),
    }
}

unsafe extern "C" fn str_read_extended(at: *mut MsVm, value: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            out.write(MsStr::bytes(str_of(call, value)?.bytes()));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn bytes_make(at: *mut MsVm, bytes: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.vm().bytes(bytes.as_bytes())?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn bytes_read(at: *mut MsVm, value: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(value)?;
            let read = if let Some(b) = v.get::<Bytes>() {
                call.hold(value, v);
                MsStr::bytes(b.bytes())
            } else if let Some(b) = v.get::<ByteArray>() {
                // Another native may change it while this one still reads.
                call.lend(b.bytes().as_slice().into())
            } else if let Some(view) = v.get::<MemoryView>() {
                let bytes = view.copy().ok_or_else(|| {
                    vm.value_error("operation forbidden on released memoryview object")
                })?;
                call.lend(bytes.into())
            } else {
                return Err(vm.type_error(format!(
                    "a bytes-like object is required, not '{}'",
                    vm.type_name(v)
                )));
            };
            out.write(read);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn tuple_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let items = call.values(slice(items, len))?;
            put(call, call.vm().tuple(&items)?, out)
        })
    }
}

unsafe extern "C" fn list_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let items = call.values(slice(items, len))?;
            put(call, call.vm().list(items)?, out)
        })
    }
}

unsafe extern "C" fn list_push(
    at: *mut MsVm,
    list: MsValue,
    len: usize,
    items: *const MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(list)?;
            let Some(list) = v.get::<List>() else {
                return Err(vm.type_error(format!("a list is required, not '{}'", vm.type_name(v))));
            };
            for item in call.values(slice(items, len))? {
                vm.oom(list.push(&vm.heap, item))?;
            }
            Ok(MS_OK)
        })
    }
}

/// Makes a container of values one by one, which may call `__hash__` and `__eq__`.
unsafe fn collected(
    at: *mut MsVm,
    items: &[MsValue],
    out: *mut MsValue,
    empty: fn(&Vm) -> Value<'_>,
    step: usize,
    add: for<'v> fn(&'v Vm, Value<'v>, Value<'v>, Value<'v>) -> NResult<'v>,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let made = call.give(empty(call.vm()));
            for item in items.chunks_exact(step) {
                let (key, value) = (item[0], item[step - 1]);
                call.run([made, key, value], |vm, [c, k, v]| add(vm, c, k, v))?;
            }
            out.write(made);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn dict_make(
    at: *mut MsVm,
    pairs: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        collected(
            at,
            slice(items, pairs.saturating_mul(2)),
            out,
            |vm| Value::object(vm.dict()),
            2,
            |vm, dict, key, value| vm.setitem(dict, key, value).map(|()| Value::NONE),
        )
    }
}

unsafe extern "C" fn set_make(
    at: *mut MsVm,
    len: usize,
    items: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        collected(
            at,
            slice(items, len),
            out,
            |vm| Value::object(vm.set()),
            1,
            |vm, set, item, _| vm.set_add(set, item).map(|()| Value::NONE),
        )
    }
}

unsafe extern "C" fn dict_next(
    at: *mut MsVm,
    dict: MsValue,
    cursor: *mut u64,
    key: *mut MsValue,
    value: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(dict)?;
            let Some(d) = v.get::<Dict>() else {
                return Err(vm.type_error(format!("a dict is required, not '{}'", vm.type_name(v))));
            };
            // The cursor holds the next place and, above it, the size at the start.
            let (mut place, size) = (*cursor & 0xFFFF_FFFF, *cursor >> 32);
            let now = d.len() as u64 & 0x7FFF_FFFF | 0x8000_0000;
            if *cursor != 0 && size != now {
                return Err(vm.runtime_error("dictionary changed size during iteration"));
            }
            let end = d.table().end() as u64;
            while place < end {
                let entry = d.entry(place as usize);
                place += 1;
                if let Some((k, v)) = entry {
                    key.write(call.give(k));
                    value.write(call.give(v));
                    cursor.write(now << 32 | place);
                    return Ok(MS_OK);
                }
            }
            Ok(MS_END)
        })
    }
}

unsafe extern "C" fn items_read(
    at: *mut MsVm,
    value: MsValue,
    start: usize,
    items: *mut MsValue,
    capacity: usize,
    len: *mut usize,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(value)?;
            let copy = |all: &[Value<'_>]| {
                for (i, v) in all.iter().skip(start).take(capacity).enumerate() {
                    items.add(i).write(call.give(*v));
                }
                len.write(all.len());
            };
            if let Some(t) = v.get::<Tuple>() {
                copy(t.items());
            } else if let Some(l) = v.get::<List>() {
                copy(l.items().values());
            } else if let Some(s) = v.get::<Set>() {
                copy(&s.elements());
            } else {
                return Err(vm.type_error(format!(
                    "a tuple, list or set is required, not '{}'",
                    vm.type_name(v)
                )));
            }
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn retain(
    at: *mut MsVm,
    value: MsValue,
    mode: u32,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            if !matches!(mode, MS_RETAIN_ROOT | MS_RETAIN_TRACED) {
                let text = format!("an extension retained a value in the unknown mode {mode}");
                return Err(call.vm().runtime_error(text));
            }
            let v = call.value(value)?;
            out.write(call.bridge().make_retained(v, mode));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn release(at: *mut MsVm, value: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    match unsafe { bridge(at) } {
        Ok(bridge) => {
            bridge.release(value);
            MS_OK
        }
        Err(status) => status,
    }
}

unsafe extern "C" fn scoped(at: *mut MsVm, value: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { host(at, |call| put(call, call.value(value)?, out)) }
}

unsafe extern "C" fn scope_open(at: *mut MsVm, mark: *mut u64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            mark.write(call.mark() as u64);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn scope_close(at: *mut MsVm, mark: u64, keep: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let mark = usize::try_from(mark).unwrap_or(usize::MAX);
            match keep.as_mut() {
                None => call.end_since(mark),
                Some(keep) => {
                    let v = call.value(*keep)?;
                    call.end_since(mark);
                    *keep = call.give(v);
                }
            }
            Ok(MS_OK)
        })
    }
}
