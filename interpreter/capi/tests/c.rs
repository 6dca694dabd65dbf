//! The C API from C: compiled with the system's `cc` against the headers, linked to the static
//! library that this build made.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

// The library's objects are what the C programs link to.
use miniscript as _;

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cc(args: &[&str]) -> Output {
    let root = crate_dir();
    Command::new("cc")
        .arg("-I")
        .arg(root.join("include"))
        .arg("-I")
        .arg(root.join("../../ext-sdk/include"))
        .args(args)
        .output()
        .expect("a C compiler")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The folder of this test's executable, where cargo puts the library too.
fn library() -> PathBuf {
    let exe = std::env::current_exe().expect("the test's path");
    let deps = exe.parent().expect("its folder");
    let name = if cfg!(target_os = "macos") { "libminiscript.dylib" } else { "libminiscript.so" };
    [deps, deps.parent().expect("the profile's folder")]
        .map(|folder| folder.join(name))
        .into_iter()
        .find(|path| path.is_file())
        .expect("the C library is built with the tests")
}

/// Compiles sources and runs the program; what it wrote.
fn build_and_run(sources: &[&str], flags: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    let library = library();
    let lib_dir = library.parent().expect("its folder").display().to_string();
    let rpath = format!("-Wl,-rpath,{lib_dir}");
    let sources: Vec<String> =
        sources.iter().map(|s| crate_dir().join(s).display().to_string()).collect();
    let mut args: Vec<&str> = flags.to_vec();
    args.extend(sources.iter().map(String::as_str));
    let (program_text, library_text) =
        (program.display().to_string(), library.display().to_string());
    args.extend(["-o", &program_text, &library_text, &rpath, "-pthread"]);
    let built = cc(&args);
    assert!(built.status.success(), "{}", text(&built));
    let ran = Command::new(&program).output().expect("the program starts");
    assert!(ran.status.success(), "{:?}: {}", ran.status, text(&ran));
    text(&ran)
}

#[test]
fn header_is_c99_and_cpp() {
    for flags in [["-x", "c", "-std=c99"], ["-x", "c++", "-std=c++11"]] {
        let header = crate_dir().join("include/miniscript.h").display().to_string();
        let mut args = flags.to_vec();
        args.extend(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", &header]);
        let out = cc(&args);
        let text = text(&out);
        // A header as the main file is fine but for the warning of GCC that it is one.
        assert!(out.status.success(), "{flags:?}: {text}");
    }
}

#[test]
fn example_of_the_reference_document_runs() {
    let dir = "tests/reference";
    let out = build_and_run(
        &[&format!("{dir}/main.c"), &format!("{dir}/ext/myext.c")],
        &["-I", &crate_dir().join(dir).display().to_string()],
    );
    assert_eq!(out, "42\n");
}

#[test]
fn api_keeps_its_promises() {
    assert_eq!(build_and_run(&["tests/api.c"], &["-std=c99", "-D_POSIX_C_SOURCE=200809L"]), "");
}

#[test]
fn embedding_example_runs() {
    let out = build_and_run(&["../../examples/embed/inventory.c"], &["-std=c99", "-Wall"]);
    assert_eq!(out, "twice 41\nKeyError 'not sold here'\napple, pear: 0.75\nPermissionError\n");
}
