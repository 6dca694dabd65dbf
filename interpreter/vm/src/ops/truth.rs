//! Truth of values, and comparisons that decide a branch.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::interp::then::append;
use crate::native::{Action, Answer, Exit, NResult, Row};
use crate::object::map::{Dict, Set};
use crate::object::num::Complex;
use crate::object::record::DictView;
use crate::object::seq::{List, Range, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::value::{FALSE, INT_BIAS, NONE, TRUE, Value, is_float, is_int};

/// After `__bool__` or `__len__`: a bool.
static TRUTH_ROW: Row = Row {
    name: "truth",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if let Some(b) = v.as_bool() {
            return Ok(Value::bool(b));
        }
        if state[0].is(Value::TRUE) {
            // From __len__.
            return vm.length_of_result(v).map(|n| Value::bool(n != 0));
        }
        Err(vm.type_error(format!("__bool__ should return bool, returned {}", vm.type_name(v))))
    },
};

/// After a comparison whose result may be anything: its truth.
static RESULT_TRUTH_ROW: Row = Row {
    name: "result_truth",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        vm.truth(v).map(Value::bool)
    },
};

/// The inner answer, negated.
static NOT_ROW: Row = Row {
    name: "not",
    catches: false,
    resume: |vm, state, answer| match state.first() {
        Some(_) => {
            let v = answer.value()?;
            vm.truth(v).map(|b| Value::bool(!b))
        }
        None => answer.value(),
    },
};

/// An action whose result will be a truth: the negated truth instead.
pub(crate) fn negate_action(action: Box<Action<'_>>) -> Exit<'_> {
    append(action, &NOT_ROW, vec![Value::TRUE])
}

/// The truth of what a comparison gave.
pub(crate) fn truth_of_result<'v>(vm: &'v Vm, r: NResult<'v>) -> Result<bool, Exit<'v>> {
    match r {
        Ok(v) => vm.truth(v),
        Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
        Err(Exit::Do(action)) => Err(append(action, &RESULT_TRUTH_ROW, vec![Value::TRUE])),
    }
}

impl Vm {
    /// Whether `v` is true. `__bool__` and `__len__` in script code become a call whose result is
    /// a bool.
    pub fn truth<'v>(&'v self, v: Value<'v>) -> Result<bool, Exit<'v>> {
        match v.word() {
            TRUE => return Ok(true),
            FALSE | NONE => return Ok(false),
            w if is_int(w) => return Ok(w != INT_BIAS),
            w if is_float(w) => return Ok(f64::from_bits(w) != 0.0),
            _ => {}
        }
        if let Some(t) = self.exact_type(v) {
            let known = match v.kind() {
                Some(Kind::Str) => v.get::<Str>().map(|s| !s.bytes().is_empty()),
                Some(Kind::List) => v.get::<List>().map(|l| !l.is_empty()),
                Some(Kind::Tuple) => v.get::<Tuple>().map(|t| !t.is_empty()),
                Some(Kind::Dict) => v.get::<Dict>().map(|d| !d.is_empty()),
                Some(Kind::Set | Kind::FrozenSet) => v.get::<Set>().map(|s| !s.is_empty()),
                Some(Kind::Bytes) => v.get::<Bytes>().map(|b| !b.bytes().is_empty()),
                Some(Kind::ByteArray) => v.get::<ByteArray>().map(|b| !b.bytes().is_empty()),
                Some(Kind::Int64 | Kind::BigInt) => Some(true),
                Some(Kind::Complex) => v.get::<Complex>().map(|c| c.re != 0.0 || c.im != 0.0),
                Some(Kind::Range) => v.get::<Range>().map(|r| r.len_value().word() != INT_BIAS),
                Some(Kind::DictView) => {
                    v.get::<DictView>().and_then(|d| d.dict().get::<Dict>()).map(|d| !d.is_empty())
                }
                _ => None,
            };
            if let Some(b) = known {
                return Ok(b);
            }
            if t == Type::NotImplementedType || t == Type::EllipsisType {
                return Ok(true);
            }
        }
        for (name, from_len) in [(self.names.__bool__, false), (self.names.__len__, true)] {
            if let Some((f, args)) = self.method(v, name)? {
                let state = vec![Value::bool(from_len)];
                if let Some(r) = self.call_leaf(f, &args) {
                    let v = r?;
                    return (TRUTH_ROW.resume)(self, &state, Answer::Value(v))
                        .map(|v| v.is(Value::TRUE));
                }
                return Err(Exit::call(f, args, &TRUTH_ROW, state));
            }
        }
        Ok(true)
    }

    /// The truth of a comparison. If it needs a call, that gives a bool.
    pub(crate) fn compare_truth<'v>(
        &'v self,
        op: crate::ops::compare::Cmp,
        a: Value<'v>,
        b: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        truth_of_result(self, self.compare(op, a, b))
    }

    /// The result of `action`, handed to `row` with a state of one value (True).
    pub(crate) fn then_row<'v>(&'v self, e: Exit<'v>, row: &'static Row) -> Exit<'v> {
        self.then_state(e, row, &[Value::TRUE])
    }

    /// The result of `action`, handed to `row` with `state`.
    pub fn then_state<'v>(
        &'v self,
        e: Exit<'v>,
        row: &'static Row,
        state: &[Value<'v>],
    ) -> Exit<'v> {
        match e {
            Exit::Do(action) => append(action, row, state.to_vec()),
            e => e,
        }
    }

    /// The length that a `__len__` returned.
    pub fn length_of_result<'v>(&'v self, v: Value<'v>) -> Result<usize, Exit<'v>> {
        let Some(n) = self.as_index_i64(v) else {
            return Err(self.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                self.type_name(v)
            )));
        };
        match n {
            Ok(n) if n < 0 => Err(self.value_error("__len__() should return >= 0")),
            Ok(n) => Ok(n as usize),
            Err(()) => Err(self.overflow_error("cannot fit 'int' into an index-sized integer")),
        }
    }

    /// An int (bools and instances of subclasses included) as an `i64`; `Err` if it does not fit,
    /// `None` if it is no int.
    #[allow(clippy::result_unit_err)]
    pub fn as_index_i64(&self, v: Value<'_>) -> Option<Result<i64, ()>> {
        use crate::object::num::{BigIntObj, Int64};
        if let Some(n) = v.as_small() {
            return Some(Ok(n));
        }
        if let Some(b) = v.as_bool() {
            return Some(Ok(i64::from(b)));
        }
        if let Some(i) = v.get::<Int64>() {
            return Some(Ok(i.value));
        }
        v.get::<BigIntObj>().map(|b| i64::try_from(&b.value).map_err(|_| ()))
    }
}
