//! Finds the `ms` under test.
//!
//! `MS=PATH` names one. Otherwise it is the workspace's own, in the target directory that
//! holds the running test binary. Cargo does not build another package's binary for us, and a
//! stale one would test yesterday's code, so it is brought up to date first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the variables begin that cargo sets for one package.
const OF_THE_PACKAGE: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"];

/// The command under test.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The executable.
    pub path: PathBuf,
}

impl Subject {
    /// Finds the command, building it where it is the workspace's own.
    pub fn locate() -> Result<Self, String> {
        if let Some(path) = env::var_os("MS").filter(|path| !path.is_empty()) {
            let path = PathBuf::from(path);
            let path = path.canonicalize().map_err(|error| format!("MS={path:?}: {error}"))?;
            return Ok(Self { path });
        }
        let profile_dir = build_packages(&["miniscript-cli"], None)?;
        let path = profile_dir.join(format!("ms{}", env::consts::EXE_SUFFIX));
        if path.is_file() { Ok(Self { path }) } else { Err(format!("no {}", path.display())) }
    }
}

/// The directory of the workspace's `Cargo.toml`.
pub fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// `target/debug` of `target/debug/deps/scripts-0123` and of `target/debug/bench`.
fn profile_directory(binary: &Path) -> Option<PathBuf> {
    let parent = binary.parent()?;
    let profile = if parent.ends_with("deps") { parent.parent()? } else { parent };
    Some(profile.to_owned())
}

/// Builds packages of the workspace into the target directory that holds the running binary, in
/// its profile or in a named one; the directory of the profile.
pub fn build_packages(packages: &[&str], profile: Option<&str>) -> Result<PathBuf, String> {
    let binary = env::current_exe().map_err(|error| format!("no path to this test: {error}"))?;
    let running = profile_directory(&binary)
        .ok_or_else(|| format!("{} is in no target directory; set MS=", binary.display()))?;
    let target_dir = running.parent().unwrap_or(&running);
    let profile = match (profile, running.file_name().and_then(|name| name.to_str())) {
        (Some(profile), _) => profile,
        (None, Some("debug") | None) => "dev",
        (None, Some(name)) => name,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // What cargo tells a running test about its own package would make build scripts (ring's)
    // believe that theirs had changed, and all that depends on them would be built again.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if OF_THE_PACKAGE.iter().any(|start| name.starts_with(start)) {
            build.env_remove(&*name);
        }
    }
    let built = build
        .args(["build", "--quiet", "--profile", profile])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(workspace_root())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !built.status.success() {
        let report = String::from_utf8_lossy(&built.stderr);
        return Err(format!("building {} failed:\n{report}", packages.join(" and ")));
    }
    Ok(target_dir.join(if profile == "dev" { "debug" } else { profile }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_directory_is_found_from_tests_and_binaries() {
        let expected = Some(PathBuf::from("/t/debug"));
        assert_eq!(profile_directory(Path::new("/t/debug/deps/scripts-0123")), expected);
        assert_eq!(profile_directory(Path::new("/t/debug/bench")), expected);
    }

    #[test]
    fn the_workspace_root_holds_this_package() {
        assert!(workspace_root().join("tests/Cargo.toml").is_file());
    }
}
