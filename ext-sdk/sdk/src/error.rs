//! What a function of an extension fails with, and how it becomes an exception.

use crate::{Cx, Kept, Value};
use miniscript_abi::{MS_TAG_NONE, MsIo, MsStr};
use std::borrow::Cow;
use std::fmt;

/// Result of a function that may raise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An exception on its way to the script.
pub struct Error(Box<Kind>);

enum Kind {
    /// To be raised by class name.
    New { class: Cow<'static, str>, message: String, cause: Option<Kept> },
    /// Already pending in the VM.
    Pending,
    /// An exception object.
    Value(Kept),
    /// A failed operation of the host.
    Io(MsIo, String),
    /// An argument of the wrong type; the entry adds function and parameter.
    Mismatch { expected: &'static str, found: String },
}

impl Error {
    /// An exception by the name of its class: a builtin one, or one of this extension.
    pub fn new(class: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Kind::New { class: class.into(), message: message.into(), cause: None }))
    }

    /// A ValueError.
    pub fn value(message: impl Into<String>) -> Self {
        Self::new("ValueError", message)
    }

    /// A TypeError.
    #[allow(clippy::self_named_constructors)]
    pub fn type_error(message: impl Into<String>) -> Self {
        Self::new("TypeError", message)
    }

    /// The exception that a call of the host left pending.
    pub fn pending() -> Self {
        Self(Box::new(Kind::Pending))
    }

    /// An exception object.
    pub fn object(exception: Kept) -> Self {
        Self(Box::new(Kind::Value(exception)))
    }

    /// A failed I/O operation: an OSError of the fitting subclass.
    pub fn io(io: MsIo, path: impl Into<String>) -> Self {
        Self(Box::new(Kind::Io(io, path.into())))
    }

    /// A value of another type than wanted.
    pub fn mismatch(cx: &Cx, expected: &'static str, value: Value) -> Self {
        Self(Box::new(Kind::Mismatch { expected, found: cx.type_name(value) }))
    }

    /// Sets the cause (`raise ... from cause`).
    pub fn because(mut self, new_cause: Kept) -> Self {
        if let Kind::New { cause, .. } = &mut *self.0 {
            *cause = Some(new_cause);
        }
        self
    }

    /// Class and message, for an error made by [`Error::new`].
    pub fn parts(&self) -> Option<(&str, &str)> {
        match &*self.0 {
            Kind::New { class, message, .. } => Some((class, message)),
            _ => None,
        }
    }

    /// What the host said, for a failed I/O operation.
    pub fn io_record(&self) -> Option<&MsIo> {
        match &*self.0 {
            Kind::Io(io, _) => Some(io),
            _ => None,
        }
    }

    /// Names the argument in a mismatch: `f() argument 'x' must be str, not int`.
    pub(crate) fn at_argument(self, function: &str, parameter: &str) -> Self {
        match *self.0 {
            Kind::Mismatch { expected, found } => Self::type_error(format!(
                "{function}() argument '{parameter}' must be {expected}, not {found}"
            )),
            _ => self,
        }
    }

    /// Nothing is left of a TypeError; every other error stays.
    pub(crate) fn unless_type_error(self, cx: &Cx) -> Result<()> {
        match &*self.0 {
            Kind::Mismatch { .. } => return Ok(()),
            Kind::New { class, .. } if class == "TypeError" => return Ok(()),
            Kind::Pending => {}
            _ => return Err(self),
        }
        let exception = cx.catch(self)?;
        match cx.is_instance(exception, cx.builtin("TypeError")?)? {
            true => Ok(()),
            false => Err(Self::object(exception.keep(cx)?)),
        }
    }

    /// Makes the exception pending; the status is what an entry returns.
    pub(crate) fn raise(self, cx: &Cx) -> miniscript_abi::MsStatus {
        match *self.0 {
            Kind::New { class, message, cause } => cx.raise(&class, &message, cause.as_ref()),
            Kind::Pending => miniscript_abi::MS_RAISED,
            Kind::Value(exception) => cx.raise_value(exception.get()),
            Kind::Io(io, path) => cx.raise_io(&io, MsStr::new(&path)),
            Kind::Mismatch { expected, found } => {
                cx.raise("TypeError", &format!("must be {expected}, not {found}"), None)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::New { class, message, .. } => write!(f, "{class}: {message}"),
            Kind::Pending => f.write_str("an exception is pending"),
            Kind::Value(_) => f.write_str("an exception object"),
            Kind::Io(io, path) => {
                write!(f, "I/O error {} (os error {}) {path}", io.kind, io.os_error)
            }
            Kind::Mismatch { expected, found } => write!(f, "must be {expected}, not {found}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use crate::net::Failure;
        match error.downcast::<Failure>() {
            Ok(Failure::Io(io)) => Self::io(io, ""),
            Ok(Failure::Pending) => Self::pending(),
            Ok(Failure::Raised(class, message)) => Self::new(class, message),
            Err(error) => {
                let io = crate::net::io_record(&error);
                if io.os_error != 0 {
                    Self::io(io, "")
                } else {
                    Self::new(crate::net::class_of(&error), error.to_string())
                }
            }
        }
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(_: std::num::TryFromIntError) -> Self {
        Self::new("OverflowError", "int too large to convert")
    }
}

impl From<std::str::Utf8Error> for Error {
    fn from(error: std::str::Utf8Error) -> Self {
        Self::new("UnicodeError", error.to_string())
    }
}

impl From<fmt::Error> for Error {
    fn from(error: fmt::Error) -> Self {
        Self::new("RuntimeError", error.to_string())
    }
}

impl Value {
    /// Whether the value is None.
    pub fn is_none(self) -> bool {
        self.raw().tag == MS_TAG_NONE
    }
}
