//! Files in memory: `io.StringIO` and `io.BytesIO`.
//!
//! The content of both is a bytearray (of a StringIO: UTF-8, with lone surrogates), so that its
//! size counts against the memory limit and `getbuffer` can show it.

mod bytes;
mod string;

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::text::ByteArray;
use miniscript_vm::{Value, Vm};

use crate::ClassDef;

pub use bytes::BYTES_IO;
pub use string::STRING_IO;

/// `io.UnsupportedOperation`.
pub static UNSUPPORTED: ClassDef = ClassDef {
    name: "UnsupportedOperation",
    module: "io",
    doc: "",
    base: Type::OSError,
    layout: Kind::Exception,
    second_base: Some(Type::ValueError),
    open: true,
    has_dict: false,
    methods: &[],
};

/// The exception of an operation that a file does not have.
fn unsupported<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let class = UNSUPPORTED.of(vm)?;
    let args = vm.tuple(&[vm.str("fileno")?])?;
    Err(Exit::Raise(vm.new_exception(class.root_shape.get(), args)))
}

fn yes<'v, T: Payload + IsOpen>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state::<T, _>(vm, args[0], |_| ())?;
    Ok(Value::TRUE)
}

fn no<'v, T: Payload + IsOpen>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state::<T, _>(vm, args[0], |_| ())?;
    Ok(Value::FALSE)
}

fn itself<'v, T: Payload + IsOpen>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state::<T, _>(vm, args[0], |_| ())?;
    Ok(args[0])
}

/// What both kinds of files know.
trait IsOpen {
    /// What is said of an operation on a file that is closed.
    const CLOSED: &'static str;

    fn is_open(&mut self) -> bool;
}

/// A new file of class `cls`.
fn make<'v>(vm: &'v Vm, cls: Value<'v>, payload: Box<dyn Payload>) -> NResult<'v> {
    let Some(class) = cls.get::<miniscript_vm::object::class::Class>() else {
        return Err(vm.type_error("a class is required"));
    };
    let file = vm.opaque(class, Some(payload));
    if let Some(o) = file.get::<Opaque>() {
        o.word.set(vm.bytearray(Type::ByteArray.shape(), Vec::new())?.word());
    }
    Ok(file)
}

/// The content of a file, as an object.
fn content<'v>(vm: &'v Vm, file: Value<'v>) -> Result<&'v ByteArray, Exit<'v>> {
    content_object(vm, file)?.get::<ByteArray>().ok_or_else(|| wrong(vm))
}

fn content_object<'v>(vm: &'v Vm, file: Value<'v>) -> NResult<'v> {
    file.get::<Opaque>().map(|o| read(&o.word)).ok_or_else(|| wrong(vm))
}

fn wrong(vm: &Vm) -> Exit<'_> {
    vm.type_error("a file in memory is required")
}

/// Runs `f` on the state of a file, be it closed.
fn state<'v, T: Payload, R>(
    vm: &'v Vm,
    file: Value<'v>,
    f: impl FnOnce(&mut T) -> R,
) -> Result<R, Exit<'v>> {
    file.get::<Opaque>().and_then(|o| o.with(f)).ok_or_else(|| wrong(vm))
}

/// Runs `f` on the state of a file that is open.
fn open_state<'v, T: Payload + IsOpen, R>(
    vm: &'v Vm,
    file: Value<'v>,
    f: impl FnOnce(&mut T) -> R,
) -> Result<R, Exit<'v>> {
    state(vm, file, |state: &mut T| state.is_open().then(|| f(state)))?
        .ok_or_else(|| vm.value_error(T::CLOSED))
}

/// A size: below zero or None means all.
fn size<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<usize>, Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(None);
    }
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(usize::try_from(n).ok()),
        Some(Err(())) => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer")),
        None => Err(
            vm.type_error(format!("argument should be integer or None, not '{}'", vm.type_name(v)))
        ),
    }
}

fn int<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    let n = if vm.as_index_i64(v).is_some() { v } else { vm.index_of(v)? };
    match vm.as_index_i64(n) {
        Some(Ok(n)) => Ok(n),
        _ => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer")),
    }
}
