//! `raise` and `except`.

use crate::Vm;
use crate::native::{Exit, NResult, Row};
use crate::object::class::{Class, class_flags};
use crate::object::exc::Exception;
use crate::object::seq::Tuple;
use crate::value::Value;

/// The instance is there: its cause comes next. State: cause or Empty, class or Empty.
static RAISED: Row = Row {
    name: "raise_made",
    catches: false,
    resume: |vm, state, answer| {
        let exc = answer.value()?;
        if !exc.is_a::<Exception>() {
            return Err(vm.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                vm.class_repr(state[1]),
                vm.class_repr(vm.class_value_of(exc))
            )));
        }
        with_cause(vm, exc, state[0])
    },
};

/// The cause is there. State: the exception, class of the cause or Empty.
static CAUSED: Row = Row {
    name: "raise_caused",
    catches: false,
    resume: |vm, state, answer| {
        let cause = answer.value()?;
        if !cause.is_a::<Exception>() {
            return Err(vm.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                vm.class_repr(state[1]),
                vm.class_repr(vm.class_value_of(cause))
            )));
        }
        vm.set_cause(state[0], cause);
        Ok(state[0])
    },
};

/// Raises what a call made: the exit that stands for a `raise` has no way to continue otherwise.
static RAISE: Row =
    Row { name: "raise", catches: false, resume: |_, _, answer| Err(Exit::Raise(answer.value()?)) };

fn with_cause<'v>(vm: &'v Vm, exc: Value<'v>, cause: Value<'v>) -> NResult<'v> {
    if cause.is_empty() {
        return Ok(exc);
    }
    if cause.is_none() || cause.is_a::<Exception>() {
        vm.set_cause(exc, cause);
        return Ok(exc);
    }
    match cause.get::<Class>().filter(|c| c.has(class_flags::EXCEPTION)) {
        Some(c) => {
            let made = vm.instantiate_exception(c);
            vm.and_then(made, &CAUSED, vec![exc, cause])
        }
        None => Err(vm.type_error("exception causes must derive from BaseException")),
    }
}

impl Vm {
    /// The exception that `raise exc from cause` raises (a class is instantiated).
    pub(crate) fn make_raised<'v>(
        &'v self,
        exc: Value<'v>,
        cause: Option<Value<'v>>,
    ) -> NResult<'v> {
        let cause = cause.unwrap_or(Value::EMPTY);
        let made = if exc.is_a::<Exception>() {
            with_cause(self, exc, cause)
        } else {
            match exc.get::<Class>().filter(|c| c.has(class_flags::EXCEPTION)) {
                Some(c) => {
                    let made = self.instantiate_exception(c);
                    self.and_then(made, &RAISED, vec![cause, exc])
                }
                None => Err(self.type_error("exceptions must derive from BaseException")),
            }
        };
        match made {
            Err(Exit::Do(_)) => self.and_then(made, &RAISE, vec![]),
            r => r,
        }
    }

    fn instantiate_exception<'v>(&'v self, c: &'v Class) -> NResult<'v> {
        if c.has(class_flags::META_CALL) {
            return Err(Exit::tail(Value::object(c), vec![]));
        }
        self.construct(c, Vec::new(), Value::EMPTY)
    }

    /// Whether `except matcher` catches `exc`.
    pub(crate) fn exception_matches<'v>(
        &'v self,
        exc: Value<'v>,
        matcher: Value<'v>,
    ) -> NResult<'v> {
        let is_exception_class =
            |v: Value<'v>| v.get::<Class>().is_some_and(|c| c.has(class_flags::EXCEPTION));
        let classes = match matcher.get::<Tuple>() {
            Some(t) => t.items(),
            None => std::slice::from_ref(&matcher),
        };
        if !classes.iter().all(|c| is_exception_class(*c)) {
            return Err(self.type_error(
                "catching classes that do not inherit from BaseException is not allowed",
            ));
        }
        let own = self.class_of(exc);
        Ok(Value::bool(classes.iter().filter_map(|c| c.get::<Class>()).any(|c| own.is_subclass(c))))
    }
}
