//! Conversion between script values and Rust values.

mod container;
mod scalar;

pub use scalar::Bytes;

use crate::entry::EntryResult;
use crate::{Cx, Error, Result, Value};

/// A Rust type that an argument can be converted to.
pub trait FromMs<'a>: Sized {
    /// Converts a value of the running call.
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self>;

    /// What stands for an optional argument that was not passed.
    fn from_absent() -> Option<Self> {
        None
    }
}

/// A Rust type that can become a script value.
pub trait IntoMs {
    /// Makes the value.
    fn into_ms(self, cx: &Cx) -> Result<Value>;
}

/// What a function of an extension may return: a value, or a result with any error that becomes
/// an [`Error`].
pub trait IntoReturn {
    /// Makes the result of the entry.
    fn into_return(self, cx: &Cx) -> Result<EntryResult>;
}

impl<T: IntoMs> IntoReturn for T {
    fn into_return(self, cx: &Cx) -> Result<EntryResult> {
        self.into_ms(cx).map(EntryResult::Value)
    }
}

impl<T: IntoMs, E: Into<Error>> IntoReturn for Result<T, E> {
    fn into_return(self, cx: &Cx) -> Result<EntryResult> {
        self.map_err(Into::into)?.into_ms(cx).map(EntryResult::Value)
    }
}
