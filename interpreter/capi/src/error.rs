//! Errors as objects: what went wrong, as texts that outlive the VM.

use std::ffi::{CString, c_char, c_int};

use miniscript_engine::vm::object::exc::{Exception, Traceback};
use miniscript_engine::vm::object::func::Code;
use miniscript_engine::vm::object::read;
use miniscript_engine::vm::object::text::Str;
use miniscript_engine::vm::{Value, Vm};

use crate::text;

/// The `MS_ERR_` numbers.
pub mod code {
    /// An exception that the script did not catch.
    pub const EXCEPTION: i32 = 1;
    /// The text is not a program.
    pub const SYNTAX: i32 = 2;
    /// A limit of the VM ended the run.
    pub const LIMIT: i32 = 3;
    /// An argument of the call cannot be used.
    pub const ARGUMENT: i32 = 4;
    /// A value has ended, or belongs to another VM.
    pub const HANDLE: i32 = 5;
    /// The VM belongs to another thread.
    pub const THREAD: i32 = 6;
    /// The VM is running and cannot do this meanwhile.
    pub const BUSY: i32 = 7;
    /// A file cannot be read.
    pub const IO: i32 = 8;
    /// A fault of the interpreter.
    pub const INTERNAL: i32 = 9;
}

/// `ms_error_t`.
#[derive(Debug)]
pub struct MsError {
    code: i32,
    kind: CString,
    message: CString,
    traceback: CString,
    file: CString,
    line: u32,
}

/// An error on its way to the caller.
#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) code: i32,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) traceback: String,
    /// File and line of the raise.
    pub(crate) place: Option<(String, u32)>,
}

impl Fail {
    pub(crate) fn new(code: i32, kind: &str, message: impl Into<String>) -> Fail {
        let message = message.into();
        let traceback = format!("{kind}: {message}\n");
        Fail { code, kind: kind.to_owned(), message, traceback, place: None }
    }

    pub(crate) fn argument(message: impl Into<String>) -> Fail {
        Fail::new(code::ARGUMENT, "ValueError", message)
    }

    pub(crate) fn busy(message: impl Into<String>) -> Fail {
        Fail::new(code::BUSY, "RuntimeError", message)
    }

    /// An exception, without running script code.
    pub(crate) fn exception(vm: &Vm, exc: Value<'_>) -> Fail {
        let text = vm.str_value(exc).ok().and_then(|v| v.get::<Str>());
        Fail {
            code: code::EXCEPTION,
            kind: vm.type_name(exc),
            message: text.map(|s| s.to_display().into_owned()).unwrap_or_default(),
            traceback: vm.render_exception(exc),
            place: place_of(vm, exc),
        }
    }

    /// Gives it to the caller, who frees it.
    pub(crate) fn into_raw(self) -> *mut MsError {
        Box::into_raw(Box::new(MsError {
            code: self.code,
            kind: text::owned(&self.kind),
            message: text::owned(&self.message),
            traceback: text::owned(&self.traceback),
            line: self.place.as_ref().map_or(0, |(_, line)| *line),
            file: text::owned(&self.place.map_or_else(String::new, |(file, _)| file)),
        }))
    }
}

/// Where an exception was raised: the innermost frame of its traceback.
fn place_of(vm: &Vm, exc: Value<'_>) -> Option<(String, u32)> {
    let mut at = read(&exc.get::<Exception>()?.traceback);
    let mut place = None;
    while let Some(step) = at.get::<Traceback>() {
        let line = vm.getattr(at, vm.intern("tb_lineno")).ok().and_then(|v| v.as_small());
        if let (Some(code), Some(line)) = (read(&step.code).get::<Code>(), line) {
            let file = code.proto.source.as_ref().map_or("", |s| s.filename.as_str());
            place = Some((file.to_owned(), u32::try_from(line).unwrap_or(0)));
        }
        at = read(&step.next);
    }
    place
}

/// Stores the outcome of a call where the caller wants it.
///
/// # Safety
/// Null, or a place for a pointer.
pub(crate) unsafe fn store(out: *mut *mut MsError, fail: Option<Fail>) {
    if !out.is_null() {
        let error = fail.map_or(std::ptr::null_mut(), Fail::into_raw);
        // SAFETY: by contract.
        unsafe { out.write(error) };
    }
}

/// The kind of an error; 0 for null.
///
/// # Safety
/// Null, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_code(error: *const MsError) -> c_int {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(0, |e| e.code)
}

/// The name of the exception's class; empty for null.
///
/// # Safety
/// As for [`ms_error_code`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_type(error: *const MsError) -> *const c_char {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.kind.as_ptr())
}

/// The message; empty for null.
///
/// # Safety
/// As for [`ms_error_code`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_message(error: *const MsError) -> *const c_char {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.message.as_ptr())
}

/// The text that an uncaught exception prints; empty for null.
///
/// # Safety
/// As for [`ms_error_code`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_traceback(error: *const MsError) -> *const c_char {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.traceback.as_ptr())
}

/// The file in which the exception was raised, or where the text is wrong; empty if unknown.
///
/// # Safety
/// Null, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_file(error: *const MsError) -> *const c_char {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |e| e.file.as_ptr())
}

/// The line there, from 1; 0 if unknown.
///
/// # Safety
/// Null, or an error that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_line(error: *const MsError) -> c_int {
    // SAFETY: by contract.
    unsafe { error.as_ref() }.map_or(0, |e| c_int::try_from(e.line).unwrap_or(c_int::MAX))
}

/// Frees an error; null does nothing.
///
/// # Safety
/// Null, or an error that was not freed, which is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_error_free(error: *mut MsError) {
    if !error.is_null() {
        // SAFETY: made by `into_raw`.
        drop(unsafe { Box::from_raw(error) });
    }
}
