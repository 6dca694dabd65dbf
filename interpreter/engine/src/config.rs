//! What an engine is made with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::access::{Access, Grants, Unrestricted};
use crate::streams::OutputStream;

/// Limits of one engine; `None` is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Wall time from the start of a program; then `TimeoutError` is raised at every safepoint.
    pub timeout: Option<Duration>,
    /// Bytes of the heap; then `MemoryError` is raised.
    pub max_memory: Option<usize>,
    /// Depth of calls; then `RecursionError` is raised.
    pub recursion: Option<usize>,
    /// Backward jumps and calls of one run, to the next 5,000; then `TimeoutError` is raised at every
    /// safepoint.
    pub fuel: Option<u64>,
}

/// Settings of a new engine. [`Config::default`] grants nothing but output.
pub struct Config {
    /// `sys.argv` without the script's name.
    pub args: Vec<OsString>,
    /// The limits.
    pub limits: Limits,
    /// Who decides what a script may do; the one place where rights are checked.
    pub access: Arc<dyn Access>,
    /// Further entries of `sys.path`.
    pub path: Vec<PathBuf>,
    /// Folders in which extensions are looked for first.
    pub ext_path: Vec<PathBuf>,
    /// Extensions that are linked into the program; they come before all others.
    pub linked: Vec<&'static miniscript_abi::MsExt>,
    /// The module whose import is to be explained on standard error.
    pub explain_import: Option<String>,
    /// Standard output.
    pub stdout: OutputStream,
    /// Standard error.
    pub stderr: OutputStream,
    /// Called on a thread of its own when a program goes on beyond its time limit: a native does
    /// not look at the clock for [`PATIENCE`], or the program does not end although its handlers
    /// are skipped, [`GRACE`] after the TimeoutError. It should end the process; by default nothing
    /// happens, and the run ends when the native does.
    ///
    /// [`PATIENCE`]: crate::deadline::PATIENCE
    /// [`GRACE`]: crate::deadline::GRACE
    pub overdue: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Seed of the string hash: 0 fixes it, `None` takes a random one.
    pub hash_seed: Option<u64>,
    /// Collect at every safepoint, to find bugs.
    pub gc_stress: bool,
    /// Keep compiled code beside its source.
    pub code_cache: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            args: Vec::new(),
            limits: Limits::default(),
            access: Arc::new(Grants::default()),
            path: Vec::new(),
            ext_path: Vec::new(),
            linked: Vec::new(),
            explain_import: None,
            stdout: OutputStream::stdout(),
            stderr: OutputStream::stderr(),
            overdue: None,
            hash_seed: None,
            gc_stress: false,
            code_cache: false,
        }
    }
}

impl Config {
    /// The settings of the command: all the user's rights, and what the environment says.
    pub fn command() -> Config {
        let seed = std::env::var("MS_HASH_SEED").ok().and_then(|text| text.parse().ok());
        Config {
            access: Arc::new(Unrestricted),
            hash_seed: seed,
            gc_stress: std::env::var_os("MS_GC_STRESS").is_some_and(|v| !v.is_empty() && v != "0"),
            code_cache: std::env::var_os("MS_NO_CACHE").is_none_or(|v| v.is_empty()),
            ..Config::default()
        }
    }
}

/// A seed that differs from process to process and is never 0.
pub(crate) fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish() | 1
}
