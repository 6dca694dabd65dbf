//! Deny by default, with a list of grants for each right.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use super::net::NetScope;
use super::{Access, Right, Wanted};

/// Deny by default. An empty one grants nothing.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    read: Granted<PathBuf>,
    write: Granted<PathBuf>,
    net: Granted<NetScope>,
    env: Granted<String>,
    run: Granted<String>,
    import: Granted<String>,
    ext: Granted<String>,
    stdin: bool,
    flags: bool,
}

/// What is granted of one right.
#[derive(Clone, Debug)]
struct Granted<T> {
    all: bool,
    list: Vec<T>,
}

impl<T> Default for Granted<T> {
    fn default() -> Self {
        Granted { all: false, list: Vec::new() }
    }
}

impl<T> Granted<T> {
    fn covers(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.all || self.list.iter().any(wanted)
    }
}

/// A scope that means nothing for its right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadScope {
    /// The right.
    pub right: Right,
    /// The scope.
    pub scope: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for BadScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot grant {} of '{}': {}", self.right.name(), self.scope, self.why)
    }
}

impl std::error::Error for BadScope {}

impl Grants {
    /// The grants of the command: its refusals name its flags, and standard input, which its
    /// user gave, may be read.
    pub fn command() -> Grants {
        Grants { flags: true, stdin: true, ..Grants::default() }
    }

    /// Grants a right for a scope:
    ///
    /// | right | scope |
    /// |---|---|
    /// | read, write | a file, or a folder and all below it. It is resolved now, as far as it exists, so a link planted later does not widen the grant |
    /// | net | `host`, `host:port`, `*.host`, an address, `address:port`, `[v6]:port`, `:port` |
    /// | env, run, ext | a name |
    /// | import | a module, with its submodules |
    ///
    /// # Errors
    /// A scope that means nothing.
    pub fn grant(&mut self, right: Right, scope: impl AsRef<OsStr>) -> Result<(), BadScope> {
        let scope = scope.as_ref();
        let bad = |why| BadScope { right, scope: scope.to_string_lossy().into_owned(), why };
        if scope.is_empty() {
            return Err(bad("it is empty"));
        }
        let text = || scope.to_str().map(str::to_owned).ok_or_else(|| bad("it is not UTF-8"));
        match right {
            Right::Read => self.read.list.push(canonical_as_far_as_it_exists(Path::new(scope))),
            Right::Write => self.write.list.push(canonical_as_far_as_it_exists(Path::new(scope))),
            Right::Net => self.net.list.push(NetScope::parse(&text()?).map_err(bad)?),
            Right::Env => self.env.list.push(text()?),
            Right::Run => self.run.list.push(text()?),
            Right::Import => self.import.list.push(text()?),
            Right::Ext => self.ext.list.push(text()?),
            Right::Stdin => return Err(bad("standard input is granted as a whole")),
        }
        Ok(())
    }

    /// Grants a right without bounds.
    pub fn grant_all(&mut self, right: Right) {
        match right {
            Right::Read => self.read.all = true,
            Right::Write => self.write.all = true,
            Right::Net => self.net.all = true,
            Right::Env => self.env.all = true,
            Right::Run => self.run.all = true,
            Right::Import => self.import.all = true,
            Right::Ext => self.ext.all = true,
            Right::Stdin => self.stdin = true,
        }
    }
}

impl Access for Grants {
    fn allows(&self, wanted: &Wanted<'_>) -> bool {
        let named = |granted: &Granted<String>, name: &str| granted.covers(|known| known == name);
        match *wanted {
            Wanted::Read(path) => self.read.covers(|root| path.starts_with(root)),
            Wanted::Write(path) => self.write.covers(|root| path.starts_with(root)),
            Wanted::Address(address) => self.net.covers(|scope| scope.has_address(address)),
            Wanted::Host(name, port) => self.net.covers(|scope| scope.has_host(name, port)),
            Wanted::Env(name) => named(&self.env, name),
            Wanted::Run(name) => named(&self.run, name),
            Wanted::Ext(name) => named(&self.ext, name),
            Wanted::Import(name) => self.import.covers(|granted| {
                name.strip_prefix(granted.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }),
            Wanted::Stdin => self.stdin,
            Wanted::All(right) => match right {
                Right::Read => self.read.all,
                Right::Write => self.write.all,
                Right::Net => self.net.all,
                Right::Env => self.env.all,
                Right::Run => self.run.all,
                Right::Import => self.import.all,
                Right::Ext => self.ext.all,
                Right::Stdin => self.stdin,
            },
        }
    }

    fn names_flags(&self) -> bool {
        self.flags
    }
}

/// The absolute path without links, of what exists of it; the rest as it is written, without
/// `.` and `..`.
pub(crate) fn canonical_as_far_as_it_exists(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(mut canonical) = std::fs::canonicalize(ancestor) {
            for part in absolute.strip_prefix(ancestor).unwrap_or(Path::new("")).components() {
                match part {
                    std::path::Component::ParentDir => {
                        canonical.pop();
                    }
                    std::path::Component::Normal(name) => canonical.push(name),
                    _ => {}
                }
            }
            return canonical;
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_granted_at_first() {
        let none = Grants::default();
        let address = "127.0.0.1:80".parse().unwrap();
        for wanted in [
            Wanted::Read(Path::new("/")),
            Wanted::Write(Path::new("/")),
            Wanted::Address(address),
            Wanted::Host("localhost", 80),
            Wanted::Env("HOME"),
            Wanted::Run("ls"),
            Wanted::Import("a"),
            Wanted::Ext("a"),
            Wanted::Stdin,
        ] {
            assert!(!none.allows(&wanted), "{wanted}");
            assert!(!none.allows(&Wanted::All(wanted.right())), "{wanted}");
            let mut all = Grants::default();
            all.grant_all(wanted.right());
            assert!(all.allows(&wanted) && all.allows(&Wanted::All(wanted.right())), "{wanted}");
        }
    }

    #[test]
    fn names_are_whole_names() {
        let mut g = Grants::default();
        g.grant(Right::Env, "HOME").unwrap();
        g.grant(Right::Import, "pkg").unwrap();
        assert!(g.allows(&Wanted::Env("HOME")) && !g.allows(&Wanted::Env("HOMER")));
        assert!(g.allows(&Wanted::Import("pkg")) && g.allows(&Wanted::Import("pkg.sub.x")));
        assert!(!g.allows(&Wanted::Import("pkgs")) && !g.allows(&Wanted::Import("p")));
        assert!(!g.allows(&Wanted::Run("HOME")) && !g.allows(&Wanted::Ext("pkg")));
        assert!(g.grant(Right::Env, "").is_err());
    }

    #[test]
    fn paths_are_whole_components() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut g = Grants::default();
        g.grant(Right::Read, folder.path().join("a")).unwrap();
        g.grant(Right::Write, folder.path().join("none/../w")).unwrap();
        assert!(g.allows(&Wanted::Read(&root.join("a/b"))));
        assert!(!g.allows(&Wanted::Read(&root.join("ab"))));
        assert!(!g.allows(&Wanted::Write(&root.join("a/b"))));
        assert!(g.allows(&Wanted::Write(&root.join("w/x"))));
    }

    #[test]
    fn a_refusal_names_what_and_the_flag() {
        let wanted = Wanted::Host("example.com", 443);
        let text = super::super::refusal(&Grants::command(), &wanted);
        assert_eq!(
            text,
            "looking up the host 'example.com' for port 443 is not granted to this program; \
             --allow-net=example.com:443 would"
        );
        let text = super::super::refusal(&Grants::default(), &Wanted::Env("HOME"));
        assert_eq!(text, "the environment variable 'HOME' is not granted to this program");
    }
}
