//! What is installed, and that it works where it lies.

use std::fs;
use std::path::Path;
use std::process::Command;

use miniscript_tests::{dist, workspace_root};

use crate::support::{Place, file_name, installation};

/// What a script's `# expect:` comments say that it prints.
fn expected(script: &Path) -> String {
    let text = fs::read_to_string(script).expect("the script");
    let lines = text.lines().filter_map(|line| line.strip_prefix("# expect: "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn everything_is_there() {
    let root = installation();
    for file in [
        "LICENSE",
        "include/miniscript.h",
        "include/ms_ext.h",
        "include/ms_value.h",
        "lib/libminiscript.a",
        "share/miniscript/sdk/Cargo.toml",
        "share/miniscript/sdk/sdk/src/lib.rs",
        "share/doc/miniscript/README.md",
        "share/doc/miniscript/docs/extensions.md",
        "share/doc/miniscript/THIRD-PARTY.txt",
        "share/miniscript/examples/tour.ms",
    ] {
        assert!(root.join(file).is_file(), "{file}");
    }
    let library = format!("lib/libminiscript.{}", std::env::consts::DLL_EXTENSION);
    assert!(root.join(&library).is_file(), "{library}");
    for name in ["file", "http", "math"] {
        assert!(root.join(dist::EXTENSIONS).join(file_name(name)).is_file(), "{name}");
    }
    let notices = fs::read_to_string(root.join("share/doc/miniscript/THIRD-PARTY.txt"));
    let notices = notices.expect("the notices");
    assert!(notices.contains("\nrustls "), "a package that is linked");
    assert!(!notices.contains("\nlibtest-mimic "), "a package that only tests use");
}

#[test]
fn the_tour_runs_with_an_empty_environment() {
    let tour = workspace_root().join("examples/tour.ms");
    let place = Place::new();
    assert_eq!(place.ms("", [&tour]).good(), expected(&tour));
}

#[cfg(unix)]
#[test]
fn the_tour_runs_through_symlinks() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    fs::create_dir_all(place.path("usr/bin")).expect("a folder");
    fs::create_dir_all(place.path("opt")).expect("a folder");
    symlink(installation(), place.path("opt/miniscript")).expect("a link");
    symlink("../../opt/miniscript/bin/ms", place.path("usr/bin/ms")).expect("a link");
    let tour = installation().join("share/miniscript/examples/tour.ms");
    let ran = place.run(&place.path("usr/bin/ms"), "", [&tour]);
    assert_eq!(ran.good(), expected(&tour));
}

#[test]
fn extensions_come_from_the_installation() {
    let place = Place::new();
    let code = "import math, file, http\nfor m in (math, file, http): print(m.__file__)";
    let folder = installation().join(dist::EXTENSIONS);
    let files = ["math", "file", "http"].map(|name| folder.join(file_name(name)));
    let lines: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    assert_eq!(place.ms("", ["-c", code]).good(), lines);
}

#[cfg(unix)]
#[test]
fn c_programs_build_against_it() {
    let root = installation();
    let place = Place::new();
    let program = place.path("inventory");
    let built = Command::new("cc")
        .arg("-std=c99")
        .arg("-I")
        .arg(root.join("include"))
        .arg(root.join("share/miniscript/examples/embed/inventory.c"))
        .arg("-L")
        .arg(root.join("lib"))
        .args(["-lminiscript", "-o"])
        .arg(&program)
        .arg(format!("-Wl,-rpath,{}", root.join("lib").display()))
        .output()
        .expect("a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = place.run(&program, "", [""; 0]);
    assert_eq!(
        ran.good(),
        "twice 41\nKeyError 'not sold here'\napple, pear: 0.75\nPermissionError\n"
    );
}

#[test]
fn only_an_earlier_dist_is_replaced() {
    let place = Place::new();
    place.write("mine/letter.txt", "dear");
    let error = dist::make(&workspace_root(), Path::new("/nowhere"), &place.path("mine"))
        .expect_err("somebody's folder");
    assert!(error.contains("is no earlier dist"), "{error}");
    assert!(place.path("mine/letter.txt").is_file());
}
