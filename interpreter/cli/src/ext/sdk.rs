//! Where an extension's project finds headers and the Rust SDK: in the installation that this
//! command belongs to, or in the source tree that it was built in.

use std::path::{Path, PathBuf};

use super::Complaint;

/// What extensions are built against.
#[derive(Debug)]
pub struct Sdk {
    /// The folder of `ms_ext.h`.
    pub include: PathBuf,
    /// The package `miniscript-sdk`.
    pub package: PathBuf,
    /// The versions of other packages that the SDK was tested with.
    pub lock: PathBuf,
}

impl Sdk {
    /// Finds it.
    ///
    /// # Errors
    /// When it is at none of its places.
    pub fn find() -> Result<Sdk, Complaint> {
        let executable = std::env::current_exe()
            .and_then(|path| path.canonicalize())
            .map_err(|error| format!("no path to ms: {error}"))?;
        let root = executable.parent().and_then(Path::parent).unwrap_or(Path::new(""));
        let installed = Sdk::installed(root);
        if installed.is_there() {
            return Ok(installed);
        }
        // The folder of the sources is known only to the machine that built them.
        let source = Sdk::source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        if is_built_here(&executable) && source.is_there() {
            return Ok(source);
        }
        let wanted = installed.include.join("ms_ext.h");
        Err(format!(
            "no SDK beside this ms: {} and {} are missing; install MiniScript whole",
            wanted.display(),
            installed.package.display()
        )
        .into())
    }

    fn installed(root: &Path) -> Sdk {
        let sdk = root.join("share/miniscript/sdk");
        Sdk {
            include: root.join("include"),
            package: sdk.join("sdk"),
            lock: sdk.join("Cargo.lock"),
        }
    }

    fn source(root: &Path) -> Sdk {
        let root = root.canonicalize().unwrap_or_default();
        let sdk = root.join("ext-sdk");
        Sdk {
            include: sdk.join("include"),
            package: sdk.join("sdk"),
            lock: root.join("Cargo.lock"),
        }
    }

    fn is_there(&self) -> bool {
        self.include.join("ms_ext.h").is_file() && self.package.join("Cargo.toml").is_file()
    }
}

/// Whether this executable lies in a cargo target directory.
fn is_built_here(executable: &Path) -> bool {
    executable.parent().is_some_and(|profile| {
        profile.join(".fingerprint").is_dir() || profile.join("../.fingerprint").is_dir()
    })
}
