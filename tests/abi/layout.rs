//! Layout of every record: Rust against the golden file, C against Rust, appends only.

use crate::support::{compile, repo};
use miniscript_abi::{RecordLayout, layouts};
use std::fmt::Write as _;
use std::process::Command;

const HEAD: &str =
    "# Regenerate: UPDATE_GOLDEN=1 cargo test -p miniscript-tests --test abi layout\n";

/// `Record size align` and, for each field, `Record.field offset size`.
fn listing(records: &[RecordLayout]) -> String {
    let mut text = String::from(HEAD);
    for record in records {
        let _ = writeln!(text, "{} size {} align {}", record.name, record.size, record.align);
        for field in record.fields {
            let _ = writeln!(
                text,
                "{}.{} offset {} size {} align {}",
                record.name, field.name, field.offset, field.size, field.align
            );
        }
    }
    text
}

#[cfg(target_pointer_width = "64")]
#[test]
fn layout_matches_the_golden_file() {
    let path = repo().join("tests/abi/layout.golden");
    let now = listing(&layouts());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("tests/abi/layout.golden");
    assert_eq!(golden, now, "the ABI changed; only appends with a new minor are allowed");
}

/// What ABI 1.0 froze must still stand where it stood; only sizes of records may have grown.
#[cfg(target_pointer_width = "64")]
#[test]
fn layout_only_grows_since_v1_0() {
    let frozen = std::fs::read_to_string(repo().join("tests/abi/v1_0/layout.golden"))
        .expect("tests/abi/v1_0/layout.golden");
    let now = listing(&layouts());
    let now: Vec<&str> = now.lines().collect();
    for line in frozen.lines().filter(|line| !line.starts_with('#') && line.contains('.')) {
        assert!(now.contains(&line), "ABI 1.0 has `{line}`, the present one has not");
    }
}

/// The C headers say the same as the Rust types, in C99 and in C++.
#[test]
fn layout_is_equal_in_c() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut source = String::from("#include \"ms_ext.h\"\n#include <stdio.h>\nint main(void) {\n");
    for record in layouts() {
        let name = record.name;
        let _ = writeln!(source, "printf(\"{name} size %d\\n\", (int)sizeof({name}));");
        for field in record.fields {
            let field = field.name;
            let _ = writeln!(
                source,
                "printf(\"{name}.{field} offset %d size %d\\n\", (int)offsetof({name}, {field}), \
                 (int)sizeof((({name} *)0)->{field}));"
            );
        }
    }
    source.push_str("return 0; }\n");

    let mut expected = String::new();
    for record in layouts() {
        let _ = writeln!(expected, "{} size {}", record.name, record.size);
        for field in record.fields {
            let _ = writeln!(
                expected,
                "{}.{} offset {} size {}",
                record.name, field.name, field.offset, field.size
            );
        }
    }

    for (cxx, file, standard) in [(false, "l.c", "-std=c99"), (true, "l.cc", "-std=c++11")] {
        let path = folder.path().join(file);
        std::fs::write(&path, &source).expect("source is written");
        let program = folder.path().join(if cxx { "cxx" } else { "c" });
        let (program_arg, path_arg) = (program.to_string_lossy(), path.to_string_lossy());
        let warnings = ["-Wall", "-Wextra", "-pedantic", "-Werror"];
        let mut args = vec![standard, "-o", &*program_arg, &*path_arg];
        args.extend(warnings);
        compile(cxx, &args);
        let output = Command::new(&program).output().expect("the layout program runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}

/// The example in the head comment of the header compiles without warnings as C99 and C++.
#[test]
fn example_of_the_header_compiles() {
    let header = std::fs::read_to_string(repo().join("ext-sdk/include/ms_ext.h")).expect("header");
    let example: String = header
        .lines()
        .take_while(|line| !line.contains("Rules:"))
        .filter_map(|line| line.strip_prefix(" *     "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(example.contains("MS_EXTENSION"), "the head comment holds an example");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (cxx, file, standard) in [(false, "e.c", "-std=c99"), (true, "e.cc", "-std=c++11")] {
        let path = folder.path().join(file);
        std::fs::write(&path, &example).expect("source is written");
        let library = folder.path().join("libms_example.so");
        compile(
            cxx,
            &[
                standard,
                "-Wall",
                "-Wextra",
                "-Werror",
                "-shared",
                "-fPIC",
                "-o",
                &library.to_string_lossy(),
                &path.to_string_lossy(),
            ],
        );
    }
}
