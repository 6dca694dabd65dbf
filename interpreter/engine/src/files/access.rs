//! The permission point: every path the service touches is checked here, resolved.
//!
//! A right is asked for the *resolved* place: the canonical path of the opened parent directory
//! and a last name that is no symlink; the operation then goes through that directory's handle
//! without following links, so what was checked is what is used, however the path's text was
//! spelled and whoever swaps links meanwhile. (Where the system has no such handles, the path is
//! made canonical first, which leaves a gap that only someone with rights there can use.)

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is to be done with a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Its content, its attributes or its existence are looked at.
    Read,
    /// It is made, changed, renamed or removed.
    Write,
}

/// The inside of an I/O error that says that a grant is missing, and not a right of the system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Denied;

impl Denied {
    pub(super) fn error() -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, Denied)
    }

    pub(super) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Denied>())
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permission denied (not granted to this program)")
    }
}

impl std::error::Error for Denied {}

/// Who decides. Asked from the threads of the pool as well.
pub trait Access: Send + Sync {
    /// True if everything is allowed: paths are then used as they are.
    fn is_unrestricted(&self) -> bool {
        false
    }

    /// Whether the right is granted for an absolute path without symlinks.
    fn allows(&self, right: Right, canonical: &Path) -> bool;
}

/// The user's own rights, as the plain command has them.
#[derive(Clone, Copy, Debug)]
pub struct Unrestricted;

impl Access for Unrestricted {
    fn is_unrestricted(&self) -> bool {
        true
    }

    fn allows(&self, _: Right, _: &Path) -> bool {
        true
    }
}

/// Deny by default, with directories and files granted. An empty one grants nothing.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
}

impl Grants {
    /// Grants a right for `path` and all below it. The path is resolved now, as far as it
    /// exists, so a link planted later does not widen the grant.
    pub fn grant(&mut self, right: Right, path: &Path) {
        let list = match right {
            Right::Read => &mut self.read,
            Right::Write => &mut self.write,
        };
        list.push(canonical_as_far_as_it_exists(path));
    }
}

impl Access for Grants {
    fn allows(&self, right: Right, canonical: &Path) -> bool {
        let list = match right {
            Right::Read => &self.read,
            Right::Write => &self.write,
        };
        list.iter().any(|root| canonical.starts_with(root))
    }
}

fn canonical_as_far_as_it_exists(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(canonical) = std::fs::canonicalize(ancestor) {
            let rest = absolute.strip_prefix(ancestor).unwrap_or(Path::new(""));
            return if rest.as_os_str().is_empty() { canonical } else { canonical.join(rest) };
        }
    }
    absolute
}
