//! Arguments of natives, read with the errors that Python raises.

use std::borrow::Cow;

use miniscript_vm::builtins::Type;
use miniscript_vm::native::Exit;
use miniscript_vm::num::Int;
use miniscript_vm::object::num::{BigIntObj, Int64};
use miniscript_vm::object::opaque::Opaque;
use miniscript_vm::object::record::Record;
use miniscript_vm::object::text::{ByteArray, Str};
use miniscript_vm::object::view::{Data, MemoryView, data_of};
use miniscript_vm::{Value, Vm};

/// The int that a value is, of bools and subclasses too.
pub fn int_of(v: Value<'_>) -> Option<Int> {
    if let Some(n) = v.as_small() {
        return Some(Int::Small(n));
    }
    if let Some(b) = v.as_bool() {
        return Some(Int::Small(i64::from(b)));
    }
    if let Some(n) = v.get::<Int64>() {
        return Some(Int::Small(n.value));
    }
    v.get::<BigIntObj>().map(|n| Int::from(n.value.clone()))
}

/// The float that a value is, of subclasses too.
pub fn float_of(vm: &Vm, v: Value<'_>) -> Option<f64> {
    v.as_float().or_else(|| {
        let record = v.get::<Record>().filter(|_| vm.is_instance_of(v, Type::Float))?;
        record.a().as_float()
    })
}

/// A real number as a float.
pub fn real<'v>(vm: &'v Vm, v: Value<'v>) -> Result<f64, Exit<'v>> {
    if let Some(x) = float_of(vm, v) {
        return Ok(x);
    }
    match int_of(v) {
        Some(Int::Small(n)) => Ok(n as f64),
        Some(Int::Big(n)) => miniscript_vm::num::int::to_f64(&n).map_err(|e| vm.fault(e)),
        None => Err(vm.type_error(format!("must be real number, not {}", vm.type_name(v)))),
    }
}

/// An int argument; one with `__index__` makes the native run again.
pub fn index<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Int, Exit<'v>> {
    int_of(v).ok_or_else(|| vm.not_an_integer(v))
}

/// An int argument of 64 bits; Empty stands for `default`.
pub fn size<'v>(vm: &'v Vm, v: Value<'v>, default: i64) -> Result<i64, Exit<'v>> {
    if v.is_empty() {
        return Ok(default);
    }
    match index(vm, v)? {
        Int::Small(n) => Ok(n),
        Int::Big(_) => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

/// The str that an argument must be; `what` is how the message names it.
pub fn text<'v>(vm: &'v Vm, v: Value<'v>, what: &str) -> Result<&'v Str, Exit<'v>> {
    v.get::<Str>()
        .ok_or_else(|| vm.type_error(format!("{what} must be str, not {}", class_name(vm, v))))
}

/// The bytes of an argument that must have some.
pub fn buffer<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Data<'v>, Exit<'v>> {
    if let Some(data) = data_of(v) {
        return Ok(data);
    }
    Err(match v.get::<MemoryView>() {
        Some(_) => vm.err(Type::BufferError, "memoryview: underlying buffer is not C-contiguous"),
        None => {
            let class = class_name(vm, v);
            vm.type_error(format!("a bytes-like object is required, not '{class}'"))
        }
    })
}

/// The bytes of a bytes-like object or of a str of ASCII.
pub fn ascii_buffer<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Cow<'v, [u8]>, Exit<'v>> {
    if let Some(s) = v.get::<Str>() {
        if !s.is_ascii() {
            return Err(vm.value_error("string argument should contain only ASCII characters"));
        }
        return Ok(Cow::Borrowed(s.bytes()));
    }
    match data_of(v) {
        Some(Data::Fixed(b)) => Ok(Cow::Borrowed(b)),
        Some(data) => Ok(Cow::Owned(data.to_vec())),
        None => Err(vm.type_error(format!(
            "argument should be bytes, buffer or ASCII string, not '{}'",
            class_name(vm, v)
        ))),
    }
}

/// The truth of an optional flag.
pub fn flag<'v>(vm: &'v Vm, v: Value<'v>, default: bool) -> Result<bool, Exit<'v>> {
    if v.is_empty() { Ok(default) } else { vm.truth(v) }
}

/// The class of a value as argument errors name it.
pub fn class_name(vm: &Vm, v: Value<'_>) -> String {
    if v.is_none() { "None".to_owned() } else { vm.type_name(v) }
}

/// Runs `f` on the bytes of an argument that it may change; `None` if there are none.
pub fn with_writable<R>(v: Value<'_>, f: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
    if let Some(array) = v.get::<ByteArray>() {
        return Some(f(&mut array.bytes_mut()));
    }
    if let Some(lender) = v.get::<Opaque>() {
        return lender.with_bytes_mut(f);
    }
    let view = v.get::<MemoryView>().filter(|m| !m.readonly && m.layout.is_contiguous(true))?;
    let owner = view.owner()?;
    let (start, len) = (view.layout.offset, view.layout.byte_len());
    if let Some(lender) = owner.get::<Opaque>() {
        return lender.with_bytes_mut(|all| all.get_mut(start..start + len).map(f))?;
    }
    owner.get::<ByteArray>()?.bytes_mut().get_mut(start..start + len).map(f)
}
