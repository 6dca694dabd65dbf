//! Old and new pairs of host and extension.
//!
//! `newer` is the present ABI with a field appended to each record that may grow, made here from
//! the sources; released minors are kept under `tests/abi/vX_Y` (see `freeze.sh`).

#![allow(unsafe_code)]

use crate::support::{Built, EXAMPLE, include_dir, load, repo};
use miniscript_abi::{MsExt, MsFunction, MsParam, MsStr, MsTable, widen};
use std::path::{Path, PathBuf};

/// Records that may grow, as far as an extension hands them over.
const GROWING: &[&str] =
    &["MsParam", "MsFunction", "MsConst", "MsClass", "MsDependency", "MsPermission", "MsExt"];

/// The headers of a newer minor.
fn newer_headers(folder: &Path) -> PathBuf {
    let include = folder.join("newer");
    std::fs::create_dir(&include).expect("a folder");
    std::fs::copy(include_dir().join("ms_value.h"), include.join("ms_value.h")).expect("copied");
    let mut text = std::fs::read_to_string(include_dir().join("ms_ext.h")).expect("the header");
    text = text.replace("#define MS_ABI_MINOR 0", "#define MS_ABI_MINOR 1");
    for record in GROWING {
        let end = format!("}} {record};");
        assert_eq!(text.matches(&end).count(), 1, "{record}");
        text = text.replace(&end, &format!("    uint64_t newer[3];\n{end}"));
    }
    std::fs::write(include.join("ms_ext.h"), text).expect("written");
    include
}

/// A table of two functions shows that strides are honoured.
fn two_functions() -> String {
    let row = EXAMPLE.split("functions[] = {").nth(1).and_then(|rest| rest.split("};").next());
    let row = row.expect("the table of the example");
    EXAMPLE.replace(row, &format!("{row}{}", row.replace("\"add\"", "\"plus\"")))
}

#[test]
fn a_newer_c_extension_loads_on_this_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let headers = newer_headers(folder.path());
    let built = Built::from_c_with("newer", &two_functions(), Some(&headers));
    let extension = load(&built).expect("what a newer minor appended is ignored");
    assert_eq!(extension.abi, (1, 1));
    let signatures: Vec<String> = extension.functions.iter().map(|f| f.signature()).collect();
    assert_eq!(signatures, ["add(a: int, b: int = 1) -> int", "plus(a: int, b: int = 1) -> int"]);
}

#[test]
fn c_extensions_of_every_released_minor_load_on_this_host() {
    let mut released = 0;
    for entry in std::fs::read_dir(repo().join("tests/abi")).expect("the folder").flatten() {
        let include = entry.path().join("include");
        if !include.is_dir() {
            continue;
        }
        released += 1;
        let name = entry.file_name().to_string_lossy().into_owned();
        let built = Built::from_c_with(&name, &two_functions(), Some(&include));
        let extension = load(&built).unwrap_or_else(|error| panic!("{name}: {error}"));
        let signatures: Vec<String> = extension.functions.iter().map(|f| f.signature()).collect();
        assert_eq!(
            signatures,
            ["add(a: int, b: int = 1) -> int", "plus(a: int, b: int = 1) -> int"]
        );
    }
    assert!(released > 0, "no snapshot under tests/abi");
}

/// The reading side of "an older extension on a newer host": a newer host's records are larger
/// than what the extension wrote, and the difference reads as absent.
#[test]
fn what_an_older_record_lacks_reads_as_absent() {
    static PARAMS: [MsParam; 1] = [MsParam {
        name: MsStr::new("a"),
        kind: 1,
        flags: 1,
        default_value: miniscript_abi::MsLiteral::text("x"),
        annotation: MsStr::new("str"),
    }];
    let whole = MsTable::new(&PARAMS);
    // As if `annotation` had been appended after the extension was built.
    let older = MsTable { stride: std::mem::offset_of!(MsParam, annotation), ..whole };
    // SAFETY: the array holds the record; a smaller stride reads less of it.
    let read = unsafe { older.read::<MsParam>() };
    assert_eq!(read[0].flags, 1);
    assert!(read[0].annotation.ptr.is_null() && read[0].annotation.len == 0);

    let function: MsFunction =
        // SAFETY: nothing is read of a record of size 0.
        unsafe { widen(std::ptr::NonNull::dangling().as_ptr(), 0) };
    assert!(function.call.is_none() && function.typed.is_none() && function.params.len == 0);
    // SAFETY: as above.
    let ext: MsExt = unsafe { widen(std::ptr::NonNull::dangling().as_ptr(), 0) };
    assert!(ext.init.is_none() && ext.shutdown.is_none());
}
