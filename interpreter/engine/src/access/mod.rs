//! The permission point: whatever a script wants of the world outside is asked about here.
//!
//! ```text
//! mod      what can be asked for, who answers, what a refusal says
//! grants   deny by default, with a list of grants for each right
//! net      the scopes of the right to use the network
//! project  the table of a project's `ms.toml`
//! ```
//!
//! A right to a file is asked for its *resolved* place: the canonical path of the opened parent
//! directory and a last name that is no symlink; the operation then goes through that directory's
//! handle without following links, so what was checked is what is used, however the path's text
//! was spelled and whoever swaps links meanwhile. (Where the system has no such handles, the path
//! is made canonical first, which leaves a gap that only someone with rights there can use.) A
//! right to the network is asked for the address that the socket is given; names are looked up
//! only if they are granted, and then stand for the addresses that were found.

mod grants;
mod net;
mod project;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

pub(crate) use grants::canonical_as_far_as_it_exists;
pub use grants::{BadScope, Grants};

/// What can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Content, attributes or existence of a file are looked at.
    Read,
    /// A file is made, changed, renamed or removed.
    Write,
    /// A socket is connected or bound, a name is looked up.
    Net,
    /// A variable of the environment is looked at.
    Env,
    /// A program is run.
    Run,
    /// A module is imported from the folders that the embedder named.
    Import,
    /// An extension is loaded that neither belongs to the installation nor is linked in.
    Ext,
    /// Standard input is read.
    Stdin,
}

impl Right {
    /// Those that have scopes.
    pub const SCOPED: [Right; 7] =
        [Right::Read, Right::Write, Right::Net, Right::Env, Right::Run, Right::Import, Right::Ext];

    /// The name, as extensions and the flags of the command know it.
    pub fn name(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Net => "net",
            Right::Env => "env",
            Right::Run => "run",
            Right::Import => "import",
            Right::Ext => "ext",
            Right::Stdin => "stdin",
        }
    }

    /// The right of a name.
    pub fn of_name(name: &str) -> Option<Right> {
        Right::SCOPED.into_iter().chain([Right::Stdin]).find(|right| right.name() == name)
    }
}

/// One thing that is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The file at an absolute path without symlinks.
    Read(&'a Path),
    /// The same, to change it.
    Write(&'a Path),
    /// A socket that is connected or bound to an address, or sends there.
    Address(SocketAddr),
    /// The addresses of a host name, for a port.
    Host(&'a str, u16),
    /// A variable of the environment.
    Env(&'a str),
    /// A program.
    Run(&'a str),
    /// A module of source, by its full name.
    Import(&'a str),
    /// An extension.
    Ext(&'a str),
    /// Standard input.
    Stdin,
    /// A right without bounds.
    All(Right),
}

impl Wanted<'_> {
    /// A file, for reading or writing.
    pub fn file(right: Right, canonical: &Path) -> Wanted<'_> {
        if right == Right::Write { Wanted::Write(canonical) } else { Wanted::Read(canonical) }
    }

    /// The right that is asked for.
    pub fn right(&self) -> Right {
        match self {
            Wanted::Read(_) => Right::Read,
            Wanted::Write(_) => Right::Write,
            Wanted::Address(_) | Wanted::Host(..) => Right::Net,
            Wanted::Env(_) => Right::Env,
            Wanted::Run(_) => Right::Run,
            Wanted::Import(_) => Right::Import,
            Wanted::Ext(_) => Right::Ext,
            Wanted::Stdin => Right::Stdin,
            Wanted::All(right) => *right,
        }
    }

    /// The scope that grants just this.
    fn scope(&self) -> String {
        match self {
            Wanted::Read(path) | Wanted::Write(path) => path.display().to_string(),
            Wanted::Address(address) => address.to_string(),
            Wanted::Host(name, 0) => (*name).to_owned(),
            Wanted::Host(name, port) => format!("{name}:{port}"),
            Wanted::Env(name) | Wanted::Run(name) | Wanted::Import(name) | Wanted::Ext(name) => {
                (*name).to_owned()
            }
            Wanted::Stdin | Wanted::All(_) => String::new(),
        }
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Read(path) => write!(f, "reading '{}'", path.display()),
            Wanted::Write(path) => write!(f, "writing '{}'", path.display()),
            Wanted::Address(address) => write!(f, "using the network address {address}"),
            Wanted::Host(name, 0) => write!(f, "looking up the host '{name}'"),
            Wanted::Host(name, port) => write!(f, "looking up the host '{name}' for port {port}"),
            Wanted::Env(name) => write!(f, "the environment variable '{name}'"),
            Wanted::Run(name) => write!(f, "running '{name}'"),
            Wanted::Import(name) => write!(f, "importing '{name}'"),
            Wanted::Ext(name) => write!(f, "loading the extension '{name}', which is native code,"),
            Wanted::Stdin => f.write_str("reading standard input"),
            Wanted::All(right) => write!(f, "the right '{}'", right.name()),
        }
    }
}

/// Who decides. Asked from the threads of the pool as well.
pub trait Access: Send + Sync {
    /// True if everything is allowed: paths are then used as they are.
    fn is_unrestricted(&self) -> bool {
        false
    }

    /// Whether it is granted.
    fn allows(&self, wanted: &Wanted<'_>) -> bool;

    /// Whether refusals name the flags of the command.
    fn names_flags(&self) -> bool {
        false
    }
}

/// The sentence for what is not granted.
pub fn refusal(access: &dyn Access, wanted: &Wanted<'_>) -> String {
    let mut text = format!("{wanted} is not granted to this program");
    if access.names_flags() && wanted.right() != Right::Stdin {
        text += &format!("; --allow-{}", wanted.right().name());
        let scope = wanted.scope();
        if !scope.is_empty() {
            text.push('=');
            text += &scope;
        }
        text += " would";
    }
    text
}

/// The user's own rights, as the plain command has them.
#[derive(Clone, Copy, Debug)]
pub struct Unrestricted;

impl Access for Unrestricted {
    fn is_unrestricted(&self) -> bool {
        true
    }

    fn allows(&self, _: &Wanted<'_>) -> bool {
        true
    }
}

/// The inside of an I/O error that says that a grant is missing, and not a right of the system.
/// The path is not part of it: it stands beside it in the exception.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denied {
    right: Right,
    flags: bool,
}

impl Denied {
    pub(crate) fn error(access: &dyn Access, right: Right) -> io::Error {
        let denied = Denied { right, flags: access.names_flags() };
        io::Error::new(io::ErrorKind::PermissionDenied, denied)
    }

    pub(crate) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Denied>())
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.right, self.flags) {
            (Right::Stdin, _) => f.write_str("Permission denied (standard input is not granted)"),
            (right, true) => write!(f, "Permission denied (needs --allow-{})", right.name()),
            (right, false) => write!(f, "Permission denied (no grant to {})", right.name()),
        }
    }
}

impl std::error::Error for Denied {}
