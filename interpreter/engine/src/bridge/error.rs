//! Exceptions for what extensions and the system report.

use std::io;

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::{Value, Vm};

use super::call::Call;
use crate::files::FileError;

/// An OSError of class `class` as CPython makes it.
pub(super) fn os_error<'v>(
    vm: &'v Vm,
    class: Type,
    errno: i32,
    text: &str,
    path: &str,
) -> NResult<'v> {
    let message = vm.str(text)?;
    if errno == 0 {
        return Ok(vm.exception(class, text));
    }
    let number = vm.int(i64::from(errno));
    let args = vm.tuple(&[number, message])?;
    let e = vm.new_exception(class.shape(), args);
    vm.set_attr_raw(e, vm.intern("errno"), number)?;
    vm.set_attr_raw(e, vm.intern("strerror"), message)?;
    if !path.is_empty() {
        vm.set_attr_raw(e, vm.intern("filename"), vm.str(path)?)?;
    }
    Ok(e)
}

/// A builtin exception class by its name.
pub(super) fn builtin_class(name: &str) -> Option<Type> {
    Type::ALL.iter().copied().find(|t| t.is_exception() && t.name() == name)
}

/// `class(message)`: one of the running extension's exceptions, or a builtin one.
pub(super) fn named<'c>(call: &'c Call, class: &str, message: &str) -> NResult<'c> {
    let vm = call.vm();
    let own = call.loaded().and_then(|l| l.class_named(vm, class));
    if let Some(class) = own.filter(|c| c.has(miniscript_vm::object::class::class_flags::EXCEPTION))
    {
        let args = vm.tuple(&[vm.str(message)?])?;
        return Ok(vm.new_exception(class.root_shape.get(), args));
    }
    Ok(match builtin_class(class) {
        Some(class) => vm.exception(class, message),
        None if class.is_empty() => vm.exception(Type::RuntimeError, message),
        // The name is told, as it may be misspelt.
        None => vm.exception(Type::RuntimeError, format!("{class}: {message}")),
    })
}

/// The class of a kind of I/O error.
fn class_of(kind: u32) -> Type {
    match kind {
        MS_IO_NOT_FOUND => Type::FileNotFoundError,
        MS_IO_PERMISSION | MS_IO_DENIED => Type::PermissionError,
        MS_IO_EXISTS => Type::FileExistsError,
        MS_IO_REFUSED => Type::ConnectionRefusedError,
        MS_IO_RESET => Type::ConnectionResetError,
        MS_IO_ABORTED => Type::ConnectionAbortedError,
        MS_IO_BROKEN_PIPE => Type::BrokenPipeError,
        MS_IO_TIMED_OUT => Type::TimeoutError,
        MS_IO_IS_DIR => Type::IsADirectoryError,
        MS_IO_NOT_DIR => Type::NotADirectoryError,
        MS_IO_MEMORY => Type::MemoryError,
        _ => Type::OSError,
    }
}

fn text_of(kind: u32) -> &'static str {
    match kind {
        MS_IO_NOT_FOUND => "No such file or directory",
        MS_IO_PERMISSION => "Permission denied",
        MS_IO_DENIED => "Permission denied (not granted to this program)",
        MS_IO_EXISTS => "File exists",
        MS_IO_REFUSED => "Connection refused",
        MS_IO_RESET => "Connection reset by peer",
        MS_IO_ABORTED => "Connection aborted",
        MS_IO_NOT_CONNECTED => "Not connected",
        MS_IO_ADDR_IN_USE => "Address already in use",
        MS_IO_ADDR_NOT_AVAILABLE => "Cannot assign requested address",
        MS_IO_BROKEN_PIPE => "Broken pipe",
        MS_IO_TIMED_OUT => "timed out",
        MS_IO_INVALID => "Invalid argument",
        MS_IO_UNSUPPORTED => "Operation not supported",
        MS_IO_MEMORY => "out of memory",
        MS_IO_IS_DIR => "Is a directory",
        MS_IO_NOT_DIR => "Not a directory",
        MS_IO_NOT_EMPTY => "Directory not empty",
        MS_IO_CLOSED => "it is closed",
        MS_IO_RESOLVE => "Name or service not known",
        _ => "I/O error",
    }
}

/// The exception of a failed I/O operation.
pub(super) fn of_io<'v>(vm: &'v Vm, io: &MsIo, path: &str) -> NResult<'v> {
    if io.kind == MS_IO_MEMORY {
        return Ok(match vm.memory_error() {
            Exit::Raise(e) => e,
            Exit::Do(_) => Value::NONE,
        });
    }
    // The numbers of the system's errors are those of C on Unix only.
    if cfg!(unix) && io.os_error != 0 && io.kind != MS_IO_DENIED {
        let text = io::Error::from_raw_os_error(io.os_error).to_string();
        let cut = text.find(" (os error").unwrap_or(text.len());
        return os_error(vm, class_of(io.kind), io.os_error, &text[..cut], path);
    }
    let errno = if io.kind == MS_IO_DENIED { 13 } else { io.os_error };
    os_error(vm, class_of(io.kind), errno, text_of(io.kind), path)
}

/// The same; where a grant was missing, with what the permission point said.
pub(super) fn of_io_in<'c>(call: &'c Call, io: &MsIo, path: &str) -> NResult<'c> {
    let vm = call.vm();
    match (io.kind, call.bridge().refusal.take()) {
        (MS_IO_DENIED, why) if !why.is_empty() => os_error(vm, Type::PermissionError, 13, &why, ""),
        (MS_IO_DENIED, _) if call.bridge().files.access().names_flags() => {
            let text = "Permission denied (needs --allow-read or --allow-write)";
            os_error(vm, Type::PermissionError, 13, text, path)
        }
        _ => of_io(vm, io, path),
    }
}

/// An I/O error for an extension.
pub(super) fn io_of(error: &io::Error) -> MsIo {
    use io::ErrorKind as K;
    let kind = match error.kind() {
        K::NotFound => MS_IO_NOT_FOUND,
        K::PermissionDenied => MS_IO_PERMISSION,
        K::AlreadyExists => MS_IO_EXISTS,
        K::ConnectionRefused => MS_IO_REFUSED,
        K::ConnectionReset => MS_IO_RESET,
        K::ConnectionAborted => MS_IO_ABORTED,
        K::NotConnected => MS_IO_NOT_CONNECTED,
        K::AddrInUse => MS_IO_ADDR_IN_USE,
        K::AddrNotAvailable => MS_IO_ADDR_NOT_AVAILABLE,
        K::BrokenPipe => MS_IO_BROKEN_PIPE,
        K::TimedOut => MS_IO_TIMED_OUT,
        K::InvalidInput | K::InvalidData => MS_IO_INVALID,
        K::Unsupported => MS_IO_UNSUPPORTED,
        K::OutOfMemory => MS_IO_MEMORY,
        K::IsADirectory => MS_IO_IS_DIR,
        K::NotADirectory => MS_IO_NOT_DIR,
        K::DirectoryNotEmpty => MS_IO_NOT_EMPTY,
        _ => MS_IO_OTHER,
    };
    MsIo { count: 0, kind, os_error: error.raw_os_error().unwrap_or(0) }
}

/// An error of the file service for an extension.
pub(super) fn io_of_file(error: &FileError) -> MsIo {
    match error {
        FileError::Os(e) => {
            let known = io_of(&io::Error::from(e.kind)).kind;
            let kind = if e.denied { MS_IO_DENIED } else { known };
            MsIo { count: 0, kind, os_error: e.errno.unwrap_or(0) }
        }
        FileError::Memory => MsIo { kind: MS_IO_MEMORY, ..MsIo::NONE },
        FileError::Value(_) => MsIo { kind: MS_IO_INVALID, ..MsIo::NONE },
        FileError::Unsupported(_) => MsIo { kind: MS_IO_UNSUPPORTED, ..MsIo::NONE },
        _ => MsIo { kind: MS_IO_OTHER, ..MsIo::NONE },
    }
}
