//! The C API from C: the programs of `tests/c`, compiled with the system's `cc` against the
//! headers, linked to the shared and to the static library that this build made, and run.
//!
//! To look for leaks and wild accesses, which the system's allocator does not show:
//! `MS_VALGRIND=1 cargo test -p miniscript-capi --test c`.
#![cfg(unix)]

use std::io::Write;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

// The library's objects are what the C programs link to.
use miniscript::{MsConfig, MsExtension, MsExtensionTable, MsFunctionRow};

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Shared,
    Static,
}

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cc(args: &[String]) -> Output {
    let root = crate_dir();
    let mut command = Command::new("cc");
    command.arg("-I").arg(root.join("include"));
    command.arg("-I").arg(root.join("../../ext-sdk/include"));
    command.args(args).output().expect("a C compiler, which these tests need")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A library, in the folder of this test's executable or above it.
fn library(link: Link) -> PathBuf {
    let exe = std::env::current_exe().expect("the test's path");
    let deps = exe.parent().expect("its folder");
    let name = match link {
        Link::Static => "libminiscript.a",
        Link::Shared if cfg!(target_os = "macos") => "libminiscript.dylib",
        Link::Shared => "libminiscript.so",
    };
    [deps, deps.parent().expect("the profile's folder")]
        .map(|folder| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .expect("the C library is built with the tests")
}

/// What a program that has the static library in it links to besides.
fn system_libraries() -> &'static [&'static str] {
    if cfg!(target_os = "macos") {
        &["-framework", "Security", "-framework", "CoreFoundation", "-liconv"]
    } else {
        &["-lm", "-ldl"]
    }
}

/// Compiles sources (paths from the crate's folder).
fn build(program: &Path, sources: &[&str], flags: &[&str], link: Link) {
    let library = library(link);
    let mut args: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    args.extend(sources.iter().map(|s| crate_dir().join(s).display().to_string()));
    args.extend(["-o".to_owned(), program.display().to_string()]);
    args.push(library.display().to_string());
    match link {
        Link::Shared => {
            let folder = library.parent().expect("its folder").display();
            args.push(format!("-Wl,-rpath,{folder}"));
        }
        Link::Static => args.extend(system_libraries().iter().map(|l| (*l).to_owned())),
    }
    args.push("-pthread".to_owned());
    let built = cc(&args);
    assert!(built.status.success(), "{}", text(&built));
}

/// Runs a program with arguments and standard input; what it wrote.
fn run(program: &Path, args: &[&str], input: &str) -> String {
    let mut command = if std::env::var_os("MS_VALGRIND").is_some() {
        let mut valgrind = Command::new("valgrind");
        valgrind.args([
            "-q",
            "--error-exitcode=99",
            "--leak-check=full",
            "--show-leak-kinds=definite",
        ]);
        valgrind.args(["--errors-for-leak-kinds=definite", "--max-stackframe=16000000"]);
        valgrind.arg(program);
        valgrind
    } else {
        Command::new(program)
    };
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A program that does not read may have ended by now.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let ran = child.wait_with_output().expect("the program ends");
    assert!(ran.status.success(), "{:?}: {}", ran.status, text(&ran));
    text(&ran)
}

fn build_and_run(sources: &[&str], flags: &[&str], link: Link) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    build(&program, sources, flags, link);
    run(&program, &[], "")
}

const STRICT: [&str; 6] =
    ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-pedantic"];

/// A program of `tests/c` that prints nothing.
fn passes(name: &str) {
    let out = build_and_run(&[&format!("tests/c/{name}.c")], &STRICT, Link::Shared);
    assert_eq!(out, "");
}

#[test]
fn header_is_c99_and_cpp() {
    for flags in [["-x", "c", "-std=c99"], ["-x", "c++", "-std=c++11"]] {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("main");
        std::fs::write(
            &source,
            // With the header for extensions, which shares ms_value.h.
            "#include <miniscript.h>\n#include <ms_ext.h>\nint main(void) { return ms_value_is_int(ms_value_nil()); }\n",
        )
        .expect("it is written");
        let mut args: Vec<String> = flags.map(str::to_owned).into();
        args.extend(
            ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"].map(str::to_owned),
        );
        args.push(source.display().to_string());
        let out = cc(&args);
        assert!(out.status.success(), "{flags:?}: {}", text(&out));
    }
}

#[test]
fn both_sides_have_one_layout() {
    let ours = |name: &str, fields: &[(&str, usize, usize)], size: usize| {
        let mut lines = format!("{name} {size}\n");
        for (field, offset, size) in fields {
            lines += &format!("{name}.{field} {offset} {size}\n");
        }
        lines
    };
    macro_rules! layout {
        ($type:ty as $name:literal: $($field:ident: $kind:ty),*) => {
            ours(
                $name,
                &[$((stringify!($field), offset_of!($type, $field), size_of::<$kind>())),*],
                size_of::<$type>(),
            )
        };
    }
    type P = *const u8;
    let wanted = [
        layout!(miniscript_abi::MsValue as "ms_value_t": tag: u32, aux: u32, payload: u64),
        layout!(MsExtension as "ms_extension_t": name: P, functions: [[P; 2]; 64],
            function_count: i32),
        layout!(MsFunctionRow as "ms_function_t": name: P, func: P, doc: P, data: P, flags: u32),
        layout!(MsExtensionTable as "ms_extension_table_t": size: usize, name: P, doc: P,
            functions: P, function_count: usize, stride: usize),
        layout!(MsConfig as "ms_config": size: usize, flags: u32, recursion: u32, timeout: f64,
            memory: u64, fuel: u64, allow_read: P, allow_read_count: usize, allow_write: P,
            allow_write_count: usize, module_path: P, module_path_count: usize, write_out: P,
            write_err: P, data: P, allow_net: P, allow_net_count: usize, allow_env: P,
            allow_env_count: usize, allow_run: P, allow_run_count: usize, allow_import: P,
            allow_import_count: usize, allow_ext: P, allow_ext_count: usize, ext_path: P,
            ext_path_count: usize),
    ];
    let found = build_and_run(&["tests/c/layout.c"], &STRICT, Link::Shared);
    assert_eq!(found, wanted.concat());
    // The reference document's layout, in numbers.
    if cfg!(target_pointer_width = "64") {
        assert!(found.contains("ms_extension_t 1040\n"), "{found}");
        assert!(found.contains("ms_extension_t.function_count 1032 4\n"), "{found}");
    }
}

#[test]
fn example_of_the_reference_document_runs() {
    let dir = crate_dir().join("tests/reference").display().to_string();
    let sources = ["tests/reference/main.c", "tests/reference/ext/myext.c"];
    for link in [Link::Shared, Link::Static] {
        assert_eq!(build_and_run(&sources, &["-I", &dir], link), "42\n");
    }
}

#[test]
fn runs_globals_errors_and_limits() {
    passes("api");
}

#[test]
fn limits_and_interrupts_hold_whatever_the_script_does() {
    passes("limits");
}

#[test]
fn values_of_every_kind() {
    passes("values");
}

#[test]
fn misuse_is_an_error() {
    passes("misuse");
}

#[test]
fn calls_in_any_order_end_well() {
    passes("random");
}

#[test]
fn extensions_without_limit_in_number() {
    passes("many");
}

#[test]
fn extensions_of_the_program_itself() {
    passes("link");
}

#[test]
fn memory_stays_bounded() {
    passes("memory");
}

#[test]
fn http_is_linked_in() {
    if cfg!(feature = "http") {
        passes("http");
    }
}

#[test]
fn ten_thousand_vms_leave_nothing_behind() {
    if std::env::var_os("MS_VALGRIND").is_none() {
        passes("cycles");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    build(&program, &["tests/c/cycles.c"], &STRICT, Link::Shared);
    run(&program, &["20"], "");
}

#[test]
fn rights_are_what_was_granted() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("it is there");
    std::fs::create_dir(root.join("in")).expect("a folder");
    std::fs::create_dir(root.join("out")).expect("a folder");
    for (name, text) in [
        ("in/f.txt", "inside"),
        ("in/mod.ms", "answer = 42\n"),
        ("in/mod2.ms", ""),
        ("out/secret.txt", "secret"),
        ("out/other.ms", ""),
    ] {
        std::fs::write(root.join(name), text).expect("it is written");
    }
    std::os::unix::fs::symlink("../out/secret.txt", root.join("in/leak")).expect("a link");
    let program = root.join("program");
    build(&program, &["tests/c/rights.c"], &STRICT, Link::Shared);
    assert_eq!(run(&program, &[&root.display().to_string()], "typed\n"), "");
    assert_eq!(std::fs::read(root.join("out/secret.txt")).expect("it is there"), b"secret");
}

#[test]
fn embedding_example_runs() {
    let sources = ["../../examples/embed/inventory.c"];
    let wanted = "twice 41\nKeyError 'not sold here'\napple, pear: 0.75\nPermissionError\n";
    for link in [Link::Shared, Link::Static] {
        assert_eq!(build_and_run(&sources, &["-std=c99", "-Wall"], link), wanted);
    }
}

/// The `c` blocks of the embedding guide are whole programs, each followed by what it prints.
#[test]
fn programs_of_the_embedding_guide_run() {
    let guide = include_str!("../../../docs/embedding.md");
    let mut count = 0;
    for part in guide.split("```c\n").skip(1) {
        let (source, rest) = part.split_once("```").expect("a block ends");
        let wanted = rest.split_once("```text\n").and_then(|(_, out)| out.split_once("```"));
        let (wanted, _) = wanted.expect("a block with the output follows");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("main.c");
        std::fs::write(&file, source).expect("it is written");
        let out = build_and_run(&[&file.display().to_string()], &STRICT, Link::Shared);
        assert_eq!(out, wanted, "{source}");
        count += 1;
    }
    assert!(count >= 3, "{count} programs were found");
}
