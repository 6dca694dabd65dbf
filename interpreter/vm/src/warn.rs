//! Warnings that natives give. Whether they are shown, ignored or raised is up to the module
//! `warnings`.

use miniscript_syntax::Source;

use crate::Vm;
use crate::builtins::Type;
use crate::code::proto::CodeProto;
use crate::native::{Exit, NResult, Row};
use crate::ops::number::Num;
use crate::value::Value;

/// What CPython says of a number of a subclass that a conversion gave.
pub(crate) const STRICT_SUBCLASS: &str = "is deprecated, and may be removed in a future version \
                                          of Python.";

impl Vm {
    /// Warns, and gives `result` to `row`.
    pub(crate) fn warn_then<'v>(
        &'v self,
        category: Type,
        text: &str,
        result: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Exit<'v> {
        match (self.prelude("warn", "warn"), self.str(text)) {
            (Ok(f), Ok(text)) => {
                Exit::call(f, vec![self.class_value(category), text, result], row, state)
            }
            (Err(e), _) | (_, Err(e)) => e,
        }
    }

    /// Warns, and has `result` as the native's result.
    pub(crate) fn warn<'v>(&'v self, category: Type, text: &str, result: Value<'v>) -> NResult<'v> {
        let text = self.str(text)?;
        Err(self.prelude_tail("warn", "warn", &[self.class_value(category), text, result]))
    }

    /// A number that a special method gave; `number` is its value. One of a subclass is taken with
    /// a warning.
    pub(crate) fn strict_number<'v>(
        &'v self,
        method: &str,
        kind: Type,
        given: Value<'v>,
        number: Value<'v>,
    ) -> NResult<'v> {
        if self.exact_type(given) == Some(kind) {
            return Ok(number);
        }
        let name = kind.name();
        let text = format!(
            "{method} returned non-{name} (type {}).  The ability to return an instance of a \
             strict subclass of {name} {STRICT_SUBCLASS}",
            self.type_name(given)
        );
        self.warn(Type::DeprecationWarning, &text, number)
    }

    /// A float that `__float__` of `owner` gave, if it is one.
    pub fn strict_float<'v>(&'v self, owner: Value<'v>, given: Value<'v>) -> Option<NResult<'v>> {
        let Some(Num::Float(x)) = self.number(given) else { return None };
        let method = format!("{}.__float__", self.type_name(owner));
        Some(self.strict_number(&method, Type::Float, given, Value::float(x)))
    }

    /// If `__index__` gave an int of a subclass: the way on to `row` with that int, by a warning.
    pub(crate) fn index_warning<'v>(
        &'v self,
        given: Value<'v>,
        row: &'static Row,
        state: &[Value<'v>],
    ) -> Option<Exit<'v>> {
        if given.as_small().is_some() || self.exact_type(given) == Some(Type::Int) {
            return None;
        }
        let number: Num<'v> = self.as_int(given)?;
        let warned = self.strict_number("__index__", Type::Int, given, self.num_value(number));
        warned.err().map(|e| self.then_state(e, row, state))
    }

    /// Gives what its text deserves to be warned of, then `result`.
    pub(crate) fn warn_of_text<'v>(&'v self, proto: &CodeProto, result: Value<'v>) -> NResult<'v> {
        let Some(source) = proto.source.as_ref().filter(|_| !proto.warnings.is_empty()) else {
            return Ok(result);
        };
        let places = Source::new(source.text());
        let number = |n: u32| Value::len(n as usize);
        let mut found = Vec::with_capacity(proto.warnings.len());
        for (span, text) in &proto.warnings {
            let (from, to) = (places.position(span.start), places.position(span.end));
            let line = self.str(&format!("{}\n", places.line_text(from.line)))?;
            let (at, end) = (number(from.column), number(to.column));
            let place = self.tuple(&[number(from.line), at, line, number(to.line), end])?;
            found.push(self.tuple(&[self.str(text)?, place])?);
        }
        let args = [self.list(found)?, self.str(&source.filename)?, result];
        Err(self.prelude_tail("warn", "syntax_warnings", &args))
    }
}
