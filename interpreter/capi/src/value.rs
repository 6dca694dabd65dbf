//! Values made and read; handles; scopes.

use std::ffi::{c_char, c_int};

use miniscript_abi::*;
use miniscript_engine::vm::builtins::Type;
use miniscript_engine::vm::handles::Handle;
use miniscript_engine::vm::native::{Exit, NResult};
use miniscript_engine::vm::object::class::Class;
use miniscript_engine::vm::object::map::{Dict, Set};
use miniscript_engine::vm::object::num::Int64;
use miniscript_engine::vm::object::seq::{List, Tuple};
use miniscript_engine::vm::object::text::{Bytes, Str};
use miniscript_engine::vm::{Value, Vm};

use num_bigint::BigInt;

use crate::error::{Fail, MsError, code};
use crate::slot::MsVm;
use crate::text;
use crate::vm::{Pending, Session, enter, entry};

/// The error of an exit of the VM.
pub(crate) fn failed(vm: &Vm, exit: Exit<'_>) -> Fail {
    match exit {
        Exit::Raise(e) => Fail::exception(vm, e),
        Exit::Do(_) => Fail::busy("this runs script code: use ms_call"),
    }
}

fn scalar(v: Value<'_>) -> Option<MsValue> {
    if let Some(f) = v.as_float() {
        Some(MsValue::float(f))
    } else if let Some(n) = v.as_small() {
        Some(MsValue::int(n))
    } else if let Some(b) = v.as_bool() {
        Some(MsValue::bool(b))
    } else if v.is_none() {
        Some(MsValue::NONE)
    } else {
        v.get::<Int64>().map(|n| MsValue::int(n.value))
    }
}

fn tag_of(vm: &Vm, v: Value<'_>) -> u32 {
    match vm.exact_type(v) {
        Some(Type::Int) => MS_TAG_BIGINT,
        Some(Type::Str) => MS_TAG_STR,
        Some(Type::Bytes) => MS_TAG_BYTES,
        Some(Type::Tuple) => MS_TAG_TUPLE,
        Some(Type::List) => MS_TAG_LIST,
        Some(Type::Dict) => MS_TAG_DICT,
        Some(Type::Set | Type::FrozenSet) => MS_TAG_SET,
        _ if v.is_a::<Class>() => MS_TAG_CLASS,
        _ => MS_TAG_OBJECT,
    }
}

impl Session {
    fn pack(&self, tag: u32, handle: Handle) -> MsValue {
        let payload = u64::from(self.number) << 32 | u64::from(handle.index);
        MsValue { tag, aux: handle.generation, payload }
    }

    /// A value with a handle of its own.
    pub(crate) fn retained(&self, vm: &Vm, v: Value<'_>) -> MsValue {
        scalar(v).unwrap_or_else(|| self.pack(tag_of(vm, v), vm.retain(v)))
    }

    /// A value for the embedder: while a function of its runs, it ends with that function.
    pub(crate) fn export(&self, vm: &Vm, v: Value<'_>) -> MsValue {
        let made = self.retained(vm, v);
        if made.is_handle() && self.in_native() {
            self.scope.borrow_mut().push(handle_of(made));
        }
        made
    }

    /// The value of a handle that the engine gave, which is given up.
    pub(crate) fn export_handle(&self, vm: &Vm, handle: Handle) -> MsValue {
        let made = vm.handle(handle).map_or(MsValue::NONE, |v| self.export(vm, v));
        vm.release(handle);
        made
    }

    /// The value behind what the embedder gave.
    pub(crate) fn import<'v>(&self, vm: &'v Vm, value: MsValue) -> Result<Value<'v>, Fail> {
        let bad = |text: String| Fail::new(code::HANDLE, "RuntimeError", text);
        match value.tag {
            MS_TAG_NONE => Ok(Value::NONE),
            MS_TAG_BOOL => Ok(Value::bool(value.payload != 0)),
            MS_TAG_INT => Ok(vm.int(value.payload as i64)),
            MS_TAG_FLOAT => Ok(Value::float(f64::from_bits(value.payload))),
            MS_TAG_ABSENT => Err(bad("a value that could not be made was used".into())),
            tag if tag < MS_TAG_HANDLE => Err(bad(format!("a value has the bad tag {tag}"))),
            _ if (value.payload >> 32) as u32 != self.number => {
                Err(bad("a value of another VM was used".into()))
            }
            _ => vm.handle(handle_of(value)).ok_or_else(|| bad("a value has ended".into())),
        }
    }

    pub(crate) fn import_all<'v>(
        &self,
        vm: &'v Vm,
        values: &[MsValue],
    ) -> Result<Vec<Value<'v>>, Fail> {
        values.iter().map(|v| self.import(vm, *v)).collect()
    }
}

fn handle_of(value: MsValue) -> Handle {
    Handle { index: value.payload as u32, generation: value.aux }
}

// ---- scalars: any thread, no VM ----

/// None.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_nil() -> MsValue {
    MsValue::NONE
}

/// A bool.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_bool(flag: c_int) -> MsValue {
    MsValue::bool(flag != 0)
}

/// An int.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_int(number: i64) -> MsValue {
    MsValue::int(number)
}

/// A float.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_float(number: f64) -> MsValue {
    MsValue::float(number)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $($tag:ident)|+;)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(value: MsValue) -> c_int {
            c_int::from(matches!(value.tag, $($tag)|+))
        }
    )*};
}

kinds! {
    /// Whether it is None.
    ms_value_is_nil: MS_TAG_NONE;
    /// Whether it is a bool.
    ms_value_is_bool: MS_TAG_BOOL;
    /// Whether it is an int of any size.
    ms_value_is_int: MS_TAG_INT | MS_TAG_BIGINT;
    /// Whether it is a float.
    ms_value_is_float: MS_TAG_FLOAT;
    /// Whether it is a str.
    ms_value_is_string: MS_TAG_STR;
    /// Whether it is a bytes.
    ms_value_is_bytes: MS_TAG_BYTES;
    /// Whether it is a list.
    ms_value_is_list: MS_TAG_LIST;
    /// Whether it is a tuple.
    ms_value_is_tuple: MS_TAG_TUPLE;
    /// Whether it is a dict.
    ms_value_is_dict: MS_TAG_DICT;
    /// Whether it is a set or frozenset.
    ms_value_is_set: MS_TAG_SET;
    /// Whether it could not be made.
    ms_value_is_error: MS_TAG_ABSENT;
}

/// The number of an int or bool; of a float, its whole part; else, and beyond 64 bits, 0.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_as_int(value: MsValue) -> i64 {
    match value.tag {
        MS_TAG_INT => value.payload as i64,
        MS_TAG_BOOL => i64::from(value.payload != 0),
        MS_TAG_FLOAT => f64::from_bits(value.payload) as i64,
        _ => 0,
    }
}

/// The number of a float, int or bool; else 0.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_as_float(value: MsValue) -> f64 {
    match value.tag {
        MS_TAG_FLOAT => f64::from_bits(value.payload),
        _ => ms_value_as_int(value) as f64,
    }
}

/// Whether a scalar is true; handles are.
#[unsafe(no_mangle)]
pub extern "C" fn ms_value_as_bool(value: MsValue) -> c_int {
    c_int::from(match value.tag {
        MS_TAG_BOOL | MS_TAG_INT => value.payload != 0,
        MS_TAG_FLOAT => f64::from_bits(value.payload) != 0.0,
        tag => tag >= MS_TAG_HANDLE,
    })
}

/// The exact number of an int that fits 64 bits, or of a bool.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_int64(value: MsValue, out: *mut i64) -> c_int {
    let number = match value.tag {
        MS_TAG_INT | MS_TAG_BOOL => ms_value_as_int(value),
        _ => return 0,
    };
    // SAFETY: by contract.
    c_int::from(unsafe { put(out, number) }.is_ok())
}

// ---- objects: made ----

/// Makes a value; where that fails, one that every use refuses. A function of the embedder that
/// runs then raises.
unsafe fn make(
    vm: *const MsVm,
    f: impl for<'v> FnOnce(&Session, &'v Vm) -> Result<NResult<'v>, Fail>,
) -> MsValue {
    // SAFETY: the caller's contract.
    let made = unsafe {
        enter(vm, |ms| {
            let made = ms.with(|vm| {
                if vm.heap.over_limit() && !ms.in_native() {
                    let text = "the memory limit is reached";
                    return Err(Fail::new(code::LIMIT, "MemoryError", text));
                }
                let v = f(ms, vm)?.map_err(|e| failed(vm, e))?;
                Ok(ms.export(vm, v))
            });
            if let Err(fail) = made {
                if ms.in_native() {
                    ms.pending.borrow_mut().get_or_insert(Pending::New(fail));
                }
                return Ok(MsValue::ABSENT);
            }
            made
        })
    };
    made.unwrap_or(MsValue::ABSENT)
}

/// A str out of NUL-terminated UTF-8.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_string(vm: *mut MsVm, string: *const c_char) -> MsValue {
    // SAFETY: by contract.
    unsafe { make(vm, |_, vm| Ok(vm.str(text::borrow(string, "the text")?))) }
}

/// A str out of UTF-8 with a length.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_string_n(
    vm: *mut MsVm,
    string: *const c_char,
    len: usize,
) -> MsValue {
    // SAFETY: by contract.
    unsafe {
        make(vm, |_, vm| {
            let bytes = text::bytes(string, len, "the text")?;
            let text =
                std::str::from_utf8(bytes).map_err(|_| Fail::argument("the text is not UTF-8"))?;
            Ok(vm.str(text))
        })
    }
}

/// An int of any size out of its digits with an optional sign.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_bigint(
    vm: *mut MsVm,
    digits: *const c_char,
    base: c_int,
) -> MsValue {
    // SAFETY: by contract.
    unsafe {
        make(vm, |_, vm| {
            let digits = text::borrow(digits, "the digits")?;
            let base = u32::try_from(base).ok().filter(|b| (2..=36).contains(b));
            let base = base.ok_or_else(|| Fail::argument("base is not from 2 to 36"))?;
            let number = BigInt::parse_bytes(digits.as_bytes(), base);
            let number = number.ok_or_else(|| {
                let text = format!("the digits are no int with base {base}");
                Fail::new(code::ARGUMENT, "ValueError", text)
            })?;
            vm.check(digits.len()).map_err(|e| failed(vm, e))?;
            Ok(Ok(vm.bigint(number)))
        })
    }
}

/// A bytes.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_bytes(
    vm: *mut MsVm,
    bytes: *const c_char,
    len: usize,
) -> MsValue {
    // SAFETY: by contract.
    unsafe { make(vm, |_, vm| Ok(vm.bytes(text::bytes(bytes, len, "the bytes")?))) }
}

/// A list of values.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_list(
    vm: *mut MsVm,
    count: usize,
    items: *const MsValue,
) -> MsValue {
    // SAFETY: by contract.
    unsafe {
        make(vm, |ms, vm| Ok(vm.list(ms.import_all(vm, text::array(items, count, "items")?)?)))
    }
}

/// A tuple of values.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_tuple(
    vm: *mut MsVm,
    count: usize,
    items: *const MsValue,
) -> MsValue {
    // SAFETY: by contract.
    unsafe {
        make(vm, |ms, vm| Ok(vm.tuple(&ms.import_all(vm, text::array(items, count, "items")?)?)))
    }
}

/// A dict of `count` keys and values in turn.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_dict(
    vm: *mut MsVm,
    count: usize,
    pairs: *const MsValue,
) -> MsValue {
    // SAFETY: by contract.
    unsafe {
        make(vm, |ms, vm| {
            let len = count.checked_mul(2).ok_or_else(|| Fail::argument("too many pairs"))?;
            Ok(vm.dict_of(&ms.import_all(vm, text::array(pairs, len, "pairs")?)?))
        })
    }
}

// ---- objects: read ----

/// Stores a result.
///
/// # Safety
/// Null, or a place for one.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Fail> {
    if out.is_null() {
        return Err(Fail::argument("the place for the result is null"));
    }
    // SAFETY: by contract.
    unsafe { out.write(value) };
    Ok(())
}

/// The bytes of a str (UTF-8) or bytes; they live as long as the value.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_text(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut *const c_char,
    len: *mut usize,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let v = ms.import(vm, value)?;
                let bytes = match (v.get::<Str>(), v.get::<Bytes>()) {
                    (Some(s), _) => s.bytes(),
                    (_, Some(b)) => b.bytes(),
                    _ => {
                        let text = format!("expected str or bytes, not {}", vm.type_name(v));
                        return Err(Fail::new(code::ARGUMENT, "TypeError", text));
                    }
                };
                put(out, bytes.as_ptr().cast())?;
                put(len, bytes.len())
            })
        })
    }
}

/// Number of items of a str, bytes, tuple, list, dict or set.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_length(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut usize,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let v = ms.import(vm, value)?;
                let len = v
                    .get::<Str>()
                    .map(Str::char_len)
                    .or_else(|| v.get::<Bytes>().map(|b| b.bytes().len()))
                    .or_else(|| v.get::<List>().map(List::len))
                    .or_else(|| v.get::<Tuple>().map(Tuple::len))
                    .or_else(|| v.get::<Dict>().map(Dict::len))
                    .or_else(|| v.get::<Set>().map(Set::len));
                let len = len.ok_or_else(|| {
                    let text = format!("object of type '{}' has no len()", vm.type_name(v));
                    Fail::new(code::ARGUMENT, "TypeError", text)
                })?;
                put(out, len)
            })
        })
    }
}

/// Reads one value out of others.
unsafe fn read(
    vm: *mut MsVm,
    out: *mut MsValue,
    f: impl for<'v> FnOnce(&Session, &'v Vm) -> Result<NResult<'v>, Fail>,
) -> *mut MsError {
    // SAFETY: the caller's contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let v = f(ms, vm)?.map_err(|e| failed(vm, e))?;
                put(out, MsValue::NONE)?;
                put(out, ms.export(vm, v))
            })
        })
    }
}

/// `object[key]`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_get(
    vm: *mut MsVm,
    object: MsValue,
    key: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe { read(vm, out, |ms, vm| Ok(vm.getitem(ms.import(vm, object)?, ms.import(vm, key)?))) }
}

/// `object[key] = value`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_set(
    vm: *mut MsVm,
    object: MsValue,
    key: MsValue,
    value: MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let (o, k) = (ms.import(vm, object)?, ms.import(vm, key)?);
                vm.setitem(o, k, ms.import(vm, value)?).map_err(|e| failed(vm, e))
            })
        })
    }
}

/// `object.name`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_attr(
    vm: *mut MsVm,
    object: MsValue,
    name: *const c_char,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        read(vm, out, |ms, vm| {
            let name = vm.intern(text::borrow(name, "the name")?);
            Ok(vm.getattr(ms.import(vm, object)?, name))
        })
    }
}

/// The items of a builtin container (of a dict: its keys) as a new list.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_items(
    vm: *mut MsVm,
    object: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        read(vm, out, |ms, vm| {
            let items = vm.items_leaf(ms.import(vm, object)?).map_err(|e| failed(vm, e))?;
            let items =
                items.ok_or_else(|| Fail::busy("this runs script code: use ms_call with list"))?;
            Ok(vm.list(items))
        })
    }
}

/// `repr(value)`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_repr(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe { read(vm, out, |ms, vm| Ok(vm.repr(ms.import(vm, value)?))) }
}

/// `str(value)`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_str(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe { read(vm, out, |ms, vm| Ok(vm.str_value(ms.import(vm, value)?))) }
}

/// The name of the value's class.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_type_name(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe { read(vm, out, |ms, vm| Ok(vm.str(&vm.type_name(ms.import(vm, value)?)))) }
}

// ---- handles ----

/// A further handle to the same object, which the caller releases.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_retain(
    vm: *mut MsVm,
    value: MsValue,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let v = ms.import(vm, value)?;
                put(out, MsValue::NONE)?;
                put(out, ms.retained(vm, v))
            })
        })
    }
}

/// Ends a handle; scalars need none.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_value_release(vm: *mut MsVm, value: MsValue) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.reach(|vm| {
                if !value.is_handle() {
                    return Ok(());
                }
                ms.import(vm, value)?;
                let handle = handle_of(value);
                // A value of the running function's own must not end twice.
                ms.scope.borrow_mut().retain(|h| *h != handle);
                vm.release(handle);
                Ok(())
            })
        })
    }
}
