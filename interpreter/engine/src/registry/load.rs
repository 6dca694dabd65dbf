//! Opening a library, and the layout check of a Rust extension.
//!
//! With `ext-sdk/abi/src/root.rs` the only place that knows `abi_stable`.
#![allow(unsafe_code)]

use super::error::{LoadError, Problem};
use super::note::{Language, Note};
use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{AbiHeaderRef, LibHeader};
use miniscript_abi::*;
use std::path::Path;

/// Opens a library whose note was accepted, checks a Rust extension's layouts, and returns its
/// descriptor. The library stays loaded whatever the outcome: its constructors ran, threads or
/// thread-locals may refer to it.
pub(super) fn open(path: &Path, note: &Note) -> Result<*const MsExt, LoadError> {
    let refuse = |problem| LoadError::new(path, problem);
    let library = open_library(path).map_err(|error| refuse(Problem::Open(error)))?;
    let library = std::mem::ManuallyDrop::new(library);
    let symbol = format!("{MS_EXT_SYMBOL}{}", note.name);
    // SAFETY: the symbol's type is fixed by the ABI major, which the note confirmed.
    let descriptor: MsDescriptor = unsafe {
        *library.get(symbol.as_bytes()).map_err(|_| refuse(Problem::Symbol(symbol.clone())))?
    };
    if note.language == Language::Rust {
        check_root(&library, &note.name).map_err(refuse)?;
    }
    // SAFETY: as above; the function only returns an address.
    let ext = unsafe { descriptor() };
    if ext.is_null() {
        return Err(refuse(Problem::Descriptor("the descriptor is null".to_owned())));
    }
    Ok(ext)
}

/// `RTLD_NOW | RTLD_LOCAL`: a missing symbol shows now, and two extensions cannot see each other.
fn open_library(path: &Path) -> Result<libloading::Library, String> {
    #[cfg(unix)]
    {
        use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
        // SAFETY: constructors run here. The note says that this is an extension for us, and
        // importing it is the user's decision (and grant).
        let opened = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
        opened.map(Into::into).map_err(|error| reason(&error, path))
    }
    #[cfg(not(unix))]
    {
        // SAFETY: as above.
        unsafe { libloading::Library::new(path) }.map_err(|error| reason(&error, path))
    }
}

/// The system's own words, without the path that our message has already.
fn reason(error: &libloading::Error, path: &Path) -> String {
    use std::error::Error;
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let own = format!("{}: ", path.display());
    text.strip_prefix(&own).map(str::to_owned).unwrap_or(text)
}

/// Compares the layouts of all growing records in both directions: an older extension is a
/// prefix of ours, a newer one has ours as a prefix; `abi_stable` by itself accepts only the
/// second.
fn check_root(library: &libloading::Library, name: &str) -> Result<(), Problem> {
    let symbol = format!("{MS_ROOT_SYMBOL}{name}");
    // SAFETY: the static of this name is an `abi_stable` header, which starts with a mark that
    // `upgrade` checks before anything else is read.
    let header: AbiHeaderRef =
        unsafe { *library.get(symbol.as_bytes()).map_err(|_| Problem::Symbol(symbol.clone()))? };
    let broken = |short: String| Problem::Layout { report: short.clone(), short };
    let header: &'static LibHeader =
        header.upgrade().map_err(|error| broken(first_line(&error.to_string())))?;
    let layout =
        header.layout().ok_or_else(|| broken("it was exported without its layout".to_owned()))?;
    let ours = <MsRoot_Ref as StableAbi>::LAYOUT;
    let Err(errors) = check_layout_compatibility(ours, layout) else { return Ok(()) };
    if check_layout_compatibility(layout, ours).is_ok() {
        return Ok(());
    }
    let report = errors.to_string();
    Err(Problem::Layout { short: first_difference(&report), report })
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// One line out of a report of hundreds: the first pair of expected and found.
fn first_difference(report: &str) -> String {
    let lines: Vec<&str> = report.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let after = |prefix| lines.iter().find(|line| line.starts_with(prefix));
    match (after("Expected"), after("Found")) {
        (Some(expected), Some(found)) => format!("{expected} {found}"),
        _ => first_line(report),
    }
}

/// Version of the running C library, where it is glibc.
pub fn host_glibc() -> Option<(u32, u32)> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn gnu_get_libc_version() -> *const std::ffi::c_char;
        }
        // SAFETY: glibc returns a static text.
        let text = unsafe { std::ffi::CStr::from_ptr(gnu_get_libc_version()) };
        super::note::parse_version(text.to_str().ok()?)
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        None
    }
}
