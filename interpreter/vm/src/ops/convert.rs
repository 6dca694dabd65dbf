//! Asking objects for numbers: `__index__`, `__int__`, `__float__`, `__complex__`.

use crate::Vm;
use crate::native::{Action, Again, Answer, Exit, NResult, Row};
use crate::num::int_text;
use crate::num::{Int, Shown};
use crate::object::text::{Bytes, Str};
use crate::object::view::data_of;
use crate::ops::number::Num;
use crate::value::{Value, Word};

/// After `__index__`.
static GIVEN_ROW: Row = Row {
    name: "index_given",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        vm.index_warning(v, &GIVEN_ROW, state).map_or(Ok(v), Err)
    },
};

impl Vm {
    /// Calls `f` and hands the result to `row`, at once if `f` is native.
    pub(crate) fn call_then<'v>(
        &'v self,
        f: Value<'v>,
        args: Vec<Value<'v>>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> NResult<'v> {
        match self.call_padded(f, &args) {
            Some(Ok(v)) => (row.resume)(self, &state, Answer::Value(v)),
            Some(Err(Exit::Raise(e))) => Err(Exit::Raise(e)),
            Some(Err(e)) => Err(self.then_state(e, row, &state)),
            None => Err(Exit::call(f, args, row, state)),
        }
    }

    /// Calls special method `name` of `v` with `rest`, if its class has one.
    pub(crate) fn call_special<'v>(
        &'v self,
        v: Value<'v>,
        name: Word,
        rest: &[Value<'v>],
    ) -> Option<NResult<'v>> {
        let (f, mut args) = match self.method(v, name) {
            Ok(found) => found?,
            Err(e) => return Some(Err(e)),
        };
        args.extend_from_slice(rest);
        Some(self.call_padded(f, &args).unwrap_or_else(|| Err(Exit::tail(f, args))))
    }

    /// Hands the truth of `v` (of an absent argument: False) to `row`, as a bool.
    pub(crate) fn truth_then<'v>(
        &'v self,
        v: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> NResult<'v> {
        let truth = if v.is_empty() { Ok(false) } else { self.truth(v) };
        match truth {
            Ok(b) => (row.resume)(self, &state, Answer::Value(Value::bool(b))),
            Err(e) => Err(self.then_state(e, row, &state)),
        }
    }

    /// Hands `v` as an int to `row`, which reads it with [`Vm::index_int`]: itself, or what its
    /// `__index__` gives.
    pub(crate) fn index_then<'v>(
        &'v self,
        v: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> NResult<'v> {
        if self.as_int(v).is_some() {
            return (row.resume)(self, &state, Answer::Value(v));
        }
        match self.method(v, self.names.__index__)? {
            Some((f, args)) => {
                let given = self.call_then(f, args, &GIVEN_ROW, Vec::new());
                self.and_then(given, row, state)
            }
            None => Err(self.not_an_integer(v)),
        }
    }

    /// The int that `__index__` gave.
    pub(crate) fn index_int<'v>(&'v self, v: Value<'v>) -> Result<Num<'v>, Exit<'v>> {
        self.as_int(v).ok_or_else(|| {
            self.type_error(format!("__index__ returned non-int (type {})", self.type_name(v)))
        })
    }

    /// For an argument that is no int: its `__index__` makes one for another run of the native,
    /// or there is none and that is an error.
    #[cold]
    pub fn not_an_integer<'v>(&'v self, v: Value<'v>) -> Exit<'v> {
        if v.is_a::<crate::object::seq::Slice>()
            || self.class_lookup(self.class_of(v), self.names.__index__).is_some()
        {
            return Exit::Do(Box::new(Action::Again(Again::Index(v))));
        }
        self.no_integer(v)
    }

    /// `'x' object cannot be interpreted as an integer`.
    #[cold]
    pub fn no_integer<'v>(&'v self, v: Value<'v>) -> Exit<'v> {
        self.type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            self.type_name(v)
        ))
    }

    /// The text of a str, or the bytes of a bytes or bytearray, for a constructor to parse.
    pub(crate) fn literal_text<'v, R>(
        &'v self,
        v: Value<'v>,
        read: impl FnOnce(&[u8], Shown) -> R,
    ) -> Option<R> {
        if let Some(s) = v.get::<Str>() {
            Some(read(s.bytes(), Shown::Str))
        } else if let Some(b) = v.get::<Bytes>() {
            Some(read(b.bytes(), Shown::Bytes))
        } else {
            data_of(v).map(|b| read(&b, Shown::Bytes))
        }
    }

    /// `int(text, base)`; `None` if `v` is no text.
    pub(crate) fn parse_int<'v>(
        &'v self,
        v: Value<'v>,
        base: u32,
    ) -> Option<Result<Int, Exit<'v>>> {
        let max = self.int_max_str_digits.get();
        self.literal_text(v, |text, shown| {
            // The digits are copied twice on their way.
            self.check(text.len().saturating_mul(3))?;
            self.polled(|poll| int_text::parse(text, base, shown, max, poll))
        })
    }
}
