//! `raise` and `except`.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::value::Value;

impl Vm {
    /// The exception that `raise exc from cause` raises (a class is instantiated).
    pub(crate) fn make_raised<'v>(
        &'v self,
        exc: Value<'v>,
        cause: Option<Value<'v>>,
    ) -> NResult<'v> {
        let _ = (exc, cause);
        Err(self.unfinished("raise"))
    }

    /// Whether `except matcher` catches `exc`.
    pub(crate) fn exception_matches<'v>(
        &'v self,
        exc: Value<'v>,
        matcher: Value<'v>,
    ) -> NResult<'v> {
        let _ = (exc, matcher);
        Err(self.unfinished("except"))
    }

    /// Something that is not built yet.
    pub(crate) fn unfinished(&self, what: &str) -> Exit<'_> {
        self.err(crate::builtins::Type::SystemError, format!("{what}: not built yet"))
    }
}
