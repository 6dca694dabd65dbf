//! Finds the `ms` under test.
//!
//! `MS=PATH` names one. Otherwise it is the workspace's own, in the target directory that
//! holds the running test binary. Cargo does not build another package's binary for us, and a
//! stale one would test yesterday's code, so it is brought up to date first.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        let binary =
            env::current_exe().map_err(|error| format!("no path to this test: {error}"))?;
        let profile_dir = profile_directory(&binary)
            .ok_or_else(|| format!("{} is in no target directory; set MS=", binary.display()))?;
        build(&profile_dir)?;
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

fn build(profile_dir: &Path) -> Result<(), String> {
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target_dir = profile_dir.parent().unwrap_or(profile_dir);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "miniscript-cli", "--profile", profile])
        .arg("--target-dir")
        .arg(target_dir)
        .current_dir(workspace_root())
        .output()
        .map_err(|error| format!("cannot start cargo to build ms: {error}"))?;
    if built.status.success() {
        Ok(())
    } else {
        Err(format!("building ms failed:\n{}", String::from_utf8_lossy(&built.stderr)))
    }
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
