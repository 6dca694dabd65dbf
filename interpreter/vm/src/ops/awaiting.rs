//! What `await`, `async for` and `async with` wait for.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::generator::Generator;
use crate::value::Value;

/// After `__await__`: an iterator that is no coroutine.
static AWAIT_ROW: Row = Row {
    name: "await",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if v.is_a::<Generator>() && vm.exact_type(v) == Some(Type::Coroutine) {
            return Err(vm.type_error("__await__() returned a coroutine"));
        }
        if vm.is_iterator(v) {
            return Ok(v);
        }
        Err(vm
            .type_error(format!("__await__() returned non-iterator of type '{}'", vm.type_name(v))))
    },
};

/// After `__aiter__`: an object with `__anext__`.
static AITER_ROW: Row = Row {
    name: "aiter",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if vm.class_lookup(vm.class_of(v), vm.names.__anext__).is_some() {
            return Ok(v);
        }
        Err(vm.type_error(format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {}",
            vm.type_name(v)
        )))
    },
};

/// After `__anext__`: something that can be awaited. State: the class's name.
static ANEXT_ROW: Row = Row {
    name: "anext",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if v.is_a::<Generator>() && vm.exact_type(v) == Some(Type::Coroutine) {
            return Ok(v);
        }
        vm.and_then(vm.get_awaitable(v, 0), &INVALID_ROW, vec![v])
    },
};

/// After `__await__` of what `__anext__` gave. State: what that was.
static INVALID_ROW: Row = Row {
    name: "anext_awaited",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Value(v) => Ok(v),
        Answer::Raised(cause) => {
            let text = format!(
                "'async for' received an invalid object from __anext__: {}",
                vm.type_name(state[0])
            );
            let e = vm.exception(Type::TypeError, text);
            vm.set_cause(e, cause);
            vm.set_explicit_context(e, cause);
            Err(Exit::Raise(e))
        }
    },
};

impl Vm {
    /// The iterator of `await v`. `place` is the operand of AWAITABLE.
    pub(crate) fn get_awaitable<'v>(&'v self, v: Value<'v>, place: usize) -> NResult<'v> {
        if let Some(g) = v.get::<Generator>()
            && self.exact_type(v) == Some(Type::Coroutine)
        {
            if self.delegate_of(g).is_some() {
                return Err(self.runtime_error("coroutine is being awaited already"));
            }
            return Ok(v);
        }
        if let Some((f, args)) = self.method(v, self.names.__await__)? {
            return self.finish_with(f, args, &AWAIT_ROW);
        }
        let name = self.type_name(v);
        Err(self.type_error(match place {
            1 => format!(
                "'async with' received an object from __aenter__ that does not implement \
                 __await__: {name}"
            ),
            2 => format!(
                "'async with' received an object from __aexit__ that does not implement \
                 __await__: {name}"
            ),
            _ => format!("object {name} can't be used in 'await' expression"),
        }))
    }

    /// `v.__aiter__()`.
    pub(crate) fn get_aiter<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match self.method(v, self.names.__aiter__)? {
            Some((f, args)) => self.finish_with(f, args, &AITER_ROW),
            None => Err(self.type_error(format!(
                "'async for' requires an object with __aiter__ method, got {}",
                self.type_name(v)
            ))),
        }
    }

    /// `v.__anext__()`.
    pub(crate) fn get_anext<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match self.method(v, self.names.__anext__)? {
            Some((f, args)) => self.finish_with(f, args, &ANEXT_ROW),
            None => Err(self.type_error(format!(
                "'async for' requires an iterator with __anext__ method, got {}",
                self.type_name(v)
            ))),
        }
    }

    /// Calls a special method and hands the result to a row without state.
    pub(crate) fn finish_with<'v>(
        &'v self,
        f: Value<'v>,
        args: Vec<Value<'v>>,
        row: &'static Row,
    ) -> NResult<'v> {
        match self.call_leaf(f, &args) {
            Some(r) => (row.resume)(self, &[], Answer::Value(r?)),
            None => Err(Exit::call(f, args, row, Vec::new())),
        }
    }
}
