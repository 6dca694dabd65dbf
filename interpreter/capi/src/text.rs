//! C strings in both directions.

use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;

use miniscript_engine::vm::text::case::is_identifier;

use crate::error::Fail;

/// Borrows a text that a caller passed.
///
/// # Safety
/// Null, or a NUL-terminated string that stays unchanged for `'a`.
pub(crate) unsafe fn borrow<'a>(text: *const c_char, what: &str) -> Result<&'a str, Fail> {
    if text.is_null() {
        return Err(Fail::argument(format!("{what} is null")));
    }
    // SAFETY: by contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| Fail::argument(format!("{what} is not UTF-8")))
}

/// Borrows a name as scripts write them.
///
/// # Safety
/// As for [`borrow`].
pub(crate) unsafe fn identifier<'a>(text: *const c_char, what: &str) -> Result<&'a str, Fail> {
    // SAFETY: by contract.
    let name = unsafe { borrow(text, what)? };
    match is_identifier(name.as_bytes()) {
        true => Ok(name),
        false => Err(Fail::argument(format!("{what} is no identifier: '{name}'"))),
    }
}

/// Borrows a text with a length.
///
/// # Safety
/// Null with length 0, or `len` bytes that stay unchanged for `'a`.
pub(crate) unsafe fn bytes<'a>(
    text: *const c_char,
    len: usize,
    what: &str,
) -> Result<&'a [u8], Fail> {
    match (text.is_null(), len) {
        (true, 0) => Ok(&[]),
        (true, _) => Err(Fail::argument(format!("{what} is null"))),
        // SAFETY: by contract.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// Borrows an array.
///
/// # Safety
/// Null with length 0, or `len` elements that stay unchanged for `'a`.
pub(crate) unsafe fn array<'a, T>(
    items: *const T,
    len: usize,
    what: &str,
) -> Result<&'a [T], Fail> {
    match (items.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fail::argument(format!("{what} is null"))),
        // SAFETY: by contract.
        (false, _) => Ok(unsafe { std::slice::from_raw_parts(items, len) }),
    }
}

/// A path that a caller passed, in the system's bytes.
///
/// # Safety
/// As for [`borrow`].
pub(crate) unsafe fn path(text: *const c_char, what: &str) -> Result<PathBuf, Fail> {
    if text.is_null() {
        return Err(Fail::argument(format!("{what} is null")));
    }
    // SAFETY: by contract.
    let text = unsafe { CStr::from_ptr(text) };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(PathBuf::from(std::ffi::OsStr::from_bytes(text.to_bytes())))
    }
    #[cfg(not(unix))]
    {
        let text = text.to_str();
        text.map(PathBuf::from).map_err(|_| Fail::argument(format!("{what} is not UTF-8")))
    }
}

/// A text for C; a NUL inside is shown as its picture.
pub(crate) fn owned(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{2400}")).unwrap_or_default()
}
