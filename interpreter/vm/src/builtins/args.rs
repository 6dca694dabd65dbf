//! Arguments of natives: numbers, bounds of slices, classes to instantiate.

use crate::Vm;
use crate::builtins::Type;
use crate::native::Exit;
use crate::object::text::Str;
use crate::text::codec::{Encoding, Handler};
use crate::value::Value;

impl Vm {
    /// An argument that is a size; Empty stands for `default`.
    pub fn size_arg<'v>(&'v self, v: Value<'v>, default: i64) -> Result<i64, Exit<'v>> {
        if v.is_empty() {
            return Ok(default);
        }
        match self.as_index_i64(v) {
            Some(Ok(n)) => Ok(n),
            Some(Err(())) => {
                Err(self.overflow_error("Python int too large to convert to C ssize_t"))
            }
            None => Err(self.not_an_integer(v)),
        }
    }

    /// An argument that bounds a search; Empty and None stand for `default`.
    pub fn bound_arg<'v>(&'v self, v: Value<'v>, default: i64) -> Result<i64, Exit<'v>> {
        if v.is_empty() || v.is_none() {
            return Ok(default);
        }
        match self.as_index_i64(v) {
            Some(Ok(n)) => Ok(n),
            Some(Err(())) => Ok(if self.is_negative(v) { i64::MIN } else { i64::MAX }),
            None if self.class_lookup(self.class_of(v), self.names.__index__).is_some() => {
                Err(self.not_an_integer(v))
            }
            None => Err(self
                .type_error("slice indices must be integers or None or have an __index__ method")),
        }
    }

    /// The number of times a sequence is repeated: negative numbers count as 0.
    pub(crate) fn repeat_arg<'v>(&'v self, v: Value<'v>) -> Result<usize, Exit<'v>> {
        match self.as_index_i64(v) {
            Some(Ok(n)) => Ok(n.max(0) as usize),
            Some(Err(())) => {
                Err(self.overflow_error("cannot fit 'int' into an index-sized integer"))
            }
            None => Err(self.not_an_integer(v)),
        }
    }

    /// A `str` argument that may be absent; `what` names it as messages do.
    pub(crate) fn text_arg<'v>(
        &'v self,
        v: Value<'v>,
        what: &str,
        default: &'static str,
    ) -> Result<std::borrow::Cow<'v, str>, Exit<'v>> {
        if v.is_empty() {
            return Ok(default.into());
        }
        match v.get::<Str>() {
            Some(s) => Ok(s.to_display()),
            None => {
                Err(self
                    .type_error(format!("{what} must be str, not {}", self.type_name_or_none(v))))
            }
        }
    }

    /// The class of a value as argument errors name it.
    pub(crate) fn type_name_or_none(&self, v: Value<'_>) -> String {
        if v.is_none() { "None".to_owned() } else { self.type_name(v) }
    }

    /// An encoding by name.
    pub(crate) fn encoding<'v>(&'v self, name: &str) -> Result<Encoding, Exit<'v>> {
        Encoding::lookup(name)
            .ok_or_else(|| self.err(Type::LookupError, format!("unknown encoding: {name}")))
    }

    /// Codes with the handler `errors` names; its name matters only when there is an error.
    pub(crate) fn with_handler<'v, T>(
        &'v self,
        errors: &str,
        run: impl Fn(Handler) -> Result<T, Exit<'v>>,
    ) -> Result<T, Exit<'v>> {
        match Handler::lookup(errors) {
            Some(h) => run(h),
            None => run(Handler::Strict).map_err(|e| match e {
                Exit::Raise(exc) if self.is_exception_of(exc, Type::UnicodeError) => {
                    self.err(Type::LookupError, format!("unknown error handler name '{errors}'"))
                }
                e => e,
            }),
        }
    }
}
