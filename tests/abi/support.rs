//! What the suite's tests share: the repository's paths and the system's C compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub fn repo() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The directory of the public headers.
pub fn include_dir() -> PathBuf {
    repo().join("ext-sdk/include")
}

/// Runs the system's C compiler (`CC`, else `cc`; `CXX`, else `c++`) and fails with its output.
pub fn compile(cxx: bool, args: &[&str]) {
    let (variable, default) = if cxx { ("CXX", "c++") } else { ("CC", "cc") };
    let compiler = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let output = Command::new(&compiler)
        .arg("-I")
        .arg(include_dir())
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {compiler}: {error}"));
    assert!(
        output.status.success(),
        "{compiler} {args:?}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
