//! Errors of the file service, as data: what CPython would raise, without knowing the VM.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

use miniscript_vm::text::wtf8::code_points;

use crate::access::Denied;

/// The same number on all systems.
const EACCES: i32 = 13;

/// An error of the operating system: `[Errno 2] No such file or directory: 'x'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsError {
    /// The C errno; `None` if the system gave none.
    pub errno: Option<i32>,
    /// The system's text for it.
    pub strerror: String,
    /// The path as the script gave it.
    pub filename: Option<OsString>,
    /// The second path, of a rename.
    pub filename2: Option<OsString>,
    /// The exception class that CPython picks by errno.
    pub class: &'static str,
    /// The error's kind, where errno is not portable.
    pub kind: io::ErrorKind,
    /// Whether a grant was missing and not a right of the system.
    pub denied: bool,
}

/// What went wrong, by the exception it becomes.
#[expect(missing_docs, reason = "the names say it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// `OSError` and its subclasses.
    Os(OsError),
    /// `UnicodeDecodeError`; `input` is the piece that was being decoded.
    Decode {
        encoding: &'static str,
        input: Vec<u8>,
        start: usize,
        end: usize,
        reason: &'static str,
    },
    /// `UnicodeEncodeError`; `input` is the string (UTF-8 with lone surrogates), `start` and
    /// `end` count code points.
    Encode {
        encoding: &'static str,
        input: Vec<u8>,
        start: usize,
        end: usize,
        reason: &'static str,
    },
    /// `UnicodeError`.
    Unicode(String),
    /// `TypeError`.
    Type(String),
    /// `ValueError`.
    Value(String),
    /// `io.UnsupportedOperation`.
    Unsupported(String),
    /// `LookupError`.
    Lookup(String),
    /// `MemoryError`.
    Memory,
    /// `OSError` with a message alone.
    Message(String),
}

/// The result of a file operation.
pub type FileResult<T> = Result<T, FileError>;

impl FileError {
    /// An I/O error about a path.
    pub fn at(error: io::Error, path: &Path) -> FileError {
        FileError::from_io(error).with_path(path)
    }

    /// An I/O error without a path.
    pub fn from_io(error: io::Error) -> FileError {
        if error.kind() == io::ErrorKind::OutOfMemory && error.raw_os_error().is_none() {
            return FileError::Memory;
        }
        FileError::Os(OsError::from(error))
    }

    /// The error of an operation on a closed file.
    pub fn closed() -> FileError {
        FileError::Value("I/O operation on closed file.".into())
    }

    /// The same as CPython's file below its buffers says it.
    pub fn raw_closed() -> FileError {
        FileError::Value("I/O operation on closed file".into())
    }

    /// Adds the path, unless the error has one or takes none.
    pub fn with_path(mut self, path: &Path) -> FileError {
        if let FileError::Os(error) = &mut self {
            error.filename.get_or_insert_with(|| path.as_os_str().to_owned());
        }
        self
    }

    /// Adds the second path of a rename.
    pub fn with_second_path(mut self, path: &Path) -> FileError {
        if let FileError::Os(error) = &mut self {
            error.filename2 = Some(path.as_os_str().to_owned());
        }
        self
    }

    /// The name of the exception class.
    pub fn class(&self) -> &'static str {
        match self {
            FileError::Os(error) => error.class,
            FileError::Decode { .. } => "UnicodeDecodeError",
            FileError::Encode { .. } => "UnicodeEncodeError",
            FileError::Unicode(_) => "UnicodeError",
            FileError::Type(_) => "TypeError",
            FileError::Value(_) => "ValueError",
            FileError::Unsupported(_) => "UnsupportedOperation",
            FileError::Lookup(_) => "LookupError",
            FileError::Memory => "MemoryError",
            FileError::Message(_) => "OSError",
        }
    }

    /// The errno of an operating system error.
    pub fn errno(&self) -> Option<i32> {
        match self {
            FileError::Os(error) => error.errno,
            _ => None,
        }
    }
}

impl From<io::Error> for OsError {
    fn from(error: io::Error) -> OsError {
        OsError {
            errno: if Denied::is_in(&error) { Some(EACCES) } else { errno_of(&error) },
            strerror: strerror_of(&error),
            filename: None,
            filename2: None,
            class: class_of(&error),
            kind: error.kind(),
            denied: Denied::is_in(&error),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Os(error) => error.fmt(f),
            FileError::Decode { encoding, input, start, end, reason } => {
                if end - start == 1 {
                    let byte = input.get(*start).copied().unwrap_or_default();
                    write!(f, "'{encoding}' codec can't decode byte 0x{byte:02x} ")?;
                    write!(f, "in position {start}: {reason}")
                } else {
                    write!(f, "'{encoding}' codec can't decode bytes ")?;
                    write!(f, "in position {start}-{}: {reason}", end - 1)
                }
            }
            FileError::Encode { encoding, input, start, end, reason } => {
                if end - start == 1 {
                    let c = code_points(input).nth(*start).unwrap_or_default();
                    let (letter, digits) = match c {
                        0..0x100 => ('x', 2),
                        0x100..0x1_0000 => ('u', 4),
                        _ => ('U', 8),
                    };
                    write!(f, "'{encoding}' codec can't encode character ")?;
                    write!(f, "'\\{letter}{c:0digits$x}' in position {start}: {reason}")
                } else {
                    write!(f, "'{encoding}' codec can't encode characters ")?;
                    write!(f, "in position {start}-{}: {reason}", end - 1)
                }
            }
            FileError::Unicode(text)
            | FileError::Type(text)
            | FileError::Value(text)
            | FileError::Unsupported(text)
            | FileError::Lookup(text)
            | FileError::Message(text) => f.write_str(text),
            FileError::Memory => f.write_str("out of memory"),
        }
    }
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(errno) = self.errno {
            write!(f, "[Errno {errno}] ")?;
        }
        f.write_str(&self.strerror)?;
        if let Some(name) = &self.filename {
            write!(f, ": '{}'", name.to_string_lossy())?;
        }
        if let Some(name) = &self.filename2 {
            write!(f, " -> '{}'", name.to_string_lossy())?;
        }
        Ok(())
    }
}

impl std::error::Error for FileError {}
impl std::error::Error for OsError {}

#[cfg(unix)]
fn errno_of(error: &io::Error) -> Option<i32> {
    error.raw_os_error()
}

/// Windows has codes of its own; scripts compare with the C ones.
#[cfg(not(unix))]
fn errno_of(error: &io::Error) -> Option<i32> {
    use io::ErrorKind as K;
    Some(match error.kind() {
        K::NotFound => 2,
        K::PermissionDenied => 13,
        K::AlreadyExists => 17,
        K::NotADirectory => 20,
        K::IsADirectory => 21,
        K::InvalidInput => 22,
        K::StorageFull => 28,
        K::BrokenPipe => 32,
        K::DirectoryNotEmpty => 41,
        _ => return error.raw_os_error(),
    })
}

/// The system's text without what Rust adds to it.
fn strerror_of(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(code) => text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text).into(),
        None => text,
    }
}

fn class_of(error: &io::Error) -> &'static str {
    use io::ErrorKind as K;
    // Numbers that Rust has no kind for.
    #[cfg(unix)]
    match error.raw_os_error() {
        Some(libc::ESRCH) => return "ProcessLookupError",
        Some(libc::ECHILD) => return "ChildProcessError",
        Some(libc::EALREADY | libc::EINPROGRESS) => return "BlockingIOError",
        Some(libc::ESHUTDOWN) => return "BrokenPipeError",
        _ => {}
    }
    match error.kind() {
        K::NotFound => "FileNotFoundError",
        K::PermissionDenied => "PermissionError",
        K::AlreadyExists => "FileExistsError",
        K::IsADirectory => "IsADirectoryError",
        K::NotADirectory => "NotADirectoryError",
        K::WouldBlock => "BlockingIOError",
        K::BrokenPipe => "BrokenPipeError",
        K::ConnectionAborted => "ConnectionAbortedError",
        K::ConnectionRefused => "ConnectionRefusedError",
        K::ConnectionReset => "ConnectionResetError",
        K::Interrupted => "InterruptedError",
        K::TimedOut => "TimeoutError",
        _ => "OSError",
    }
}
