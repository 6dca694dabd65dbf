//! Why an extension cannot be used: what was found, what is wanted, how to mend it.

use miniscript_abi::MS_ABI_MAJOR;
use std::fmt;
use std::path::{Path, PathBuf};

/// An extension that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The file; empty where none was found or the extension is linked into the program.
    pub path: PathBuf,
    /// The reason.
    pub problem: Problem,
}

/// Reasons to refuse an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No file of that name at any of these places.
    NotFound {
        /// Name of the module.
        name: String,
        /// The places, in their order.
        tried: Vec<PathBuf>,
    },
    /// The file cannot be read.
    Unreadable(String),
    /// Not a library of this system at all.
    NotALibrary(String),
    /// A library that ends before its own tables say.
    Truncated,
    /// A library without the `.ms_abi` section.
    NoNote,
    /// The section does not hold what it should.
    BadNote(String),
    /// For another processor.
    Architecture {
        /// The library's.
        found: String,
        /// This program's.
        wanted: String,
    },
    /// For another major of the ABI.
    AbiMajor(u32),
    /// Built with `panic = "abort"`.
    PanicAbort,
    /// Another module than the file's name says.
    Name {
        /// The library's.
        found: String,
        /// The file's.
        wanted: String,
    },
    /// Needs a newer C library than this system has.
    Glibc {
        /// What the library needs.
        found: String,
        /// What the system has.
        wanted: String,
    },
    /// The system's loader refused it.
    Open(String),
    /// An exported symbol is missing.
    Symbol(String),
    /// `abi_stable` found layouts that fit in neither direction.
    Layout {
        /// One line.
        short: String,
        /// The whole report.
        report: String,
    },
    /// The descriptor or one of its tables is not right.
    Descriptor(String),
}

impl LoadError {
    /// An error for a file.
    pub fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_owned(), problem }
    }

    pub(super) fn not_found(name: &str, tried: Vec<PathBuf>) -> Self {
        let problem = Problem::NotFound { name: name.to_owned(), tried };
        Self { path: PathBuf::new(), problem }
    }

    /// What was found instead of a usable extension.
    pub fn found(&self) -> String {
        match &self.problem {
            Problem::NotFound { name, .. } => format!("no extension named '{name}'"),
            Problem::Unreadable(reason) => format!("a file that cannot be read ({reason})"),
            Problem::NotALibrary(what) => what.clone(),
            Problem::Truncated => "a truncated library".to_owned(),
            Problem::NoNote => "a library without a .ms_abi section".to_owned(),
            Problem::BadNote(what) => format!("a damaged .ms_abi section ({what})"),
            Problem::Architecture { found, .. } => format!("a library for {found}"),
            Problem::AbiMajor(found) => format!("an extension for ABI {found}"),
            Problem::PanicAbort => "an extension built with panic = \"abort\"".to_owned(),
            Problem::Name { found, .. } => format!("the extension '{found}'"),
            Problem::Glibc { found, .. } => format!("a library that needs glibc {found}"),
            Problem::Open(reason) => format!("a library that the system cannot load: {reason}"),
            Problem::Symbol(symbol) => format!("a library that does not export {symbol}"),
            Problem::Layout { short, .. } => format!("an extension of another layout: {short}"),
            Problem::Descriptor(what) => format!("a wrong descriptor: {what}"),
        }
    }

    /// What is wanted.
    pub fn wanted(&self) -> String {
        match &self.problem {
            Problem::NotFound { .. } => "a library on the extension path".to_owned(),
            Problem::Unreadable(_) => "a readable library".to_owned(),
            Problem::NotALibrary(_) | Problem::Truncated => {
                format!("a shared library for {}", system())
            }
            Problem::NoNote | Problem::BadNote(_) => {
                format!("a MiniScript extension for ABI {MS_ABI_MAJOR}")
            }
            Problem::Architecture { wanted, .. } => format!("a library for {wanted}"),
            Problem::AbiMajor(_) => format!("an extension for ABI {MS_ABI_MAJOR}"),
            Problem::PanicAbort => "an extension whose panics can be caught".to_owned(),
            Problem::Name { wanted, .. } => format!("the extension '{wanted}'"),
            Problem::Glibc { wanted, .. } => format!("one for this system's glibc {wanted}"),
            Problem::Open(_) => "a library whose own libraries are installed".to_owned(),
            Problem::Symbol(_) | Problem::Descriptor(_) => {
                "a descriptor as ms_ext.h says".to_owned()
            }
            Problem::Layout { .. } => format!("the layouts of ABI {MS_ABI_MAJOR}"),
        }
    }

    /// How to mend it.
    pub fn mend(&self) -> &'static str {
        match &self.problem {
            Problem::NotFound { .. } => {
                "install the extension, or name its folder with --ext-path or MS_EXT_PATH"
            }
            Problem::Unreadable(_) => "check the file's permissions",
            Problem::NotALibrary(_) | Problem::Truncated | Problem::BadNote(_) => {
                "build or install the extension again"
            }
            Problem::NoNote => {
                "use ms::module! (Rust) or MS_EXTENSION (C), which write the section"
            }
            Problem::Architecture { .. } => "build or install the extension for this machine",
            Problem::AbiMajor(found) if *found > MS_ABI_MAJOR => "install a newer MiniScript",
            Problem::AbiMajor(_) | Problem::Layout { .. } => {
                "rebuild the extension with the SDK of this MiniScript"
            }
            Problem::PanicAbort => "remove panic = \"abort\" from the extension's profile",
            Problem::Name { .. } => {
                "the file is named after the module: libms_NAME.so (.dylib), ms_NAME.dll"
            }
            Problem::Glibc { .. } => "build the extension on an older system, or update this one",
            Problem::Open(_) => "install what it needs; `ldd` on the file shows what is missing",
            Problem::Symbol(_) => "export ms_ext_NAME: ms::module! (Rust), MS_EXTENSION (C)",
            Problem::Descriptor(_) => "this is a mistake in the extension; tell its author",
        }
    }

    /// More for a verbose mode: the places tried, the full layout report.
    pub fn details(&self) -> Option<String> {
        match &self.problem {
            Problem::NotFound { tried, .. } => {
                let lines: Vec<String> =
                    tried.iter().map(|path| format!("  tried {}", path.display())).collect();
                Some(lines.join("\n"))
            }
            Problem::Layout { report, .. } => Some(report.clone()),
            _ => None,
        }
    }
}

/// The system this program runs on.
fn system() -> String {
    format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.as_os_str().is_empty() {
            write!(f, "{}: ", self.path.display())?;
        }
        write!(f, "found {}\n  wanted: {}\n  mend: {}", self.found(), self.wanted(), self.mend())
    }
}

impl std::error::Error for LoadError {}
