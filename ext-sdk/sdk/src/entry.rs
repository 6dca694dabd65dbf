//! The border: every way from the host into an extension passes here. Panics end here.

use crate::convert::FromMs;
use crate::life::Life;
use crate::{Cx, Error, Result, Value};
use miniscript_abi::*;
use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Once;

/// What an extension keeps for one VM.
pub(crate) struct State {
    pub(crate) life: Rc<Life>,
    pub(crate) user: Box<dyn Any>,
}

/// How an entry ended.
pub enum EntryResult {
    /// With a value.
    Value(Value),
    /// With a status whose details the host already has (a future was handed over).
    Status(MsStatus),
}

/// The arguments of a call, one for each parameter.
pub struct Args<'a> {
    function: &'static str,
    values: &'a [MsValue],
}

impl<'a> Args<'a> {
    /// Converts one argument.
    pub fn get<T: FromMs<'a>>(&self, cx: &'a Cx, index: usize, name: &str) -> Result<T> {
        let value = Value::new(self.values.get(index).copied().unwrap_or(MsValue::ABSENT));
        let converted = if value.is_absent() {
            T::from_absent().ok_or_else(|| {
                Error::type_error(format!("{}() missing argument '{name}'", self.function))
            })
        } else {
            T::from_ms(cx, value)
        };
        converted.map_err(|error| error.at_argument(self.function, name))
    }

    /// Converts the other operand of an operator; None if it is of a type that does not fit.
    pub fn operand<T: FromMs<'a>>(
        &self,
        cx: &'a Cx,
        index: usize,
        name: &str,
    ) -> Result<Option<T>> {
        match self.get(cx, index, name) {
            Ok(operand) => Ok(Some(operand)),
            Err(error) => error.unless_type_error(cx).map(|()| None),
        }
    }

    /// Converts the arguments from `index` on: `*args`.
    pub fn rest<T: FromMs<'a>>(&self, cx: &'a Cx, index: usize, name: &str) -> Result<Vec<T>> {
        self.values
            .iter()
            .skip(index)
            .map(|value| {
                T::from_ms(cx, Value::new(*value))
                    .map_err(|error| error.at_argument(self.function, name))
            })
            .collect()
    }

    /// The arguments from `index` on, as they are.
    pub fn raw_from(&self, index: usize) -> &'a [MsValue] {
        self.values.get(index..).unwrap_or(&[])
    }
}

/// What a method of an operator returns for an operand that it does not know.
pub fn not_implemented(cx: &Cx) -> Result<EntryResult> {
    cx.builtin("NotImplemented").map(EntryResult::Value)
}

/// Runs the body of an entry.
///
/// # Safety
/// The arguments are those that the host passed to an `MsCall`.
pub unsafe fn enter(
    function: &'static str,
    cx: *const MsContext,
    argc: usize,
    args: *const MsValue,
    out: *mut MsValue,
    body: impl for<'a> FnOnce(&'a Cx, Args<'a>) -> Result<EntryResult>,
) -> MsStatus {
    // SAFETY: the host's promise for `cx`, and for `argc` values at `args`.
    let (cx, values) = unsafe {
        let values: &[MsValue] =
            if argc == 0 { &[] } else { std::slice::from_raw_parts(args, argc) };
        (Cx::new(cx), values)
    };
    match catch_unwind(AssertUnwindSafe(|| body(&cx, Args { function, values }))) {
        Ok(Ok(EntryResult::Value(value))) => {
            // SAFETY: `out` is writable by contract.
            unsafe { *out = value.raw() };
            MS_OK
        }
        Ok(Ok(EntryResult::Status(status))) => status,
        Ok(Err(error)) => error.raise(&cx),
        Err(payload) => raise_panic(&cx, function, payload),
    }
}

/// Turns a caught panic into a RuntimeError.
pub(crate) fn raise_panic(cx: &Cx, place: &str, payload: Box<dyn Any + Send>) -> MsStatus {
    let text = panic_text(payload);
    cx.raise("RuntimeError", &format!("native code of {place}() panicked: {text}"), None)
}

thread_local! {
    /// Message and place of the last panic of this thread, from the hook.
    static LAST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let noted = LAST_PANIC.with(|last| last.borrow_mut().take());
    let text = noted.unwrap_or_else(|| message_of(&*payload).to_owned());
    // The payload's own drop may panic.
    let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
    text
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown reason")
}

/// Runs something that must not unwind into the host and has no way to report.
pub(crate) fn contain(work: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        panic_text(payload);
    }
}

/// What the exported `ms_ext_NAME` does: a cdylib has its own standard library, whose panic hook
/// is made quiet here (the panic is reported as an exception). A host that links the extension
/// statically takes the descriptor by its path and keeps its hook.
pub fn export(descriptor: &'static MsExt) -> *const MsExt {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let message = message_of(info.payload()).to_owned();
            let text = match info.location() {
                Some(at) => format!("{message} ({}:{})", at.file(), at.line()),
                None => message,
            };
            LAST_PANIC.with(|last| {
                if let Ok(mut last) = last.try_borrow_mut() {
                    *last = Some(text);
                }
            });
        }));
    });
    descriptor
}

/// How the result of a module's `init` becomes its state.
pub trait StateInit {
    /// The state, or why the extension cannot be used.
    fn into_state(self) -> Result<Box<dyn Any>>;
}

/// The state of a module without `init`.
pub struct NoState;

impl StateInit for NoState {
    fn into_state(self) -> Result<Box<dyn Any>> {
        Ok(Box::new(()))
    }
}

impl<T: Any, E: Into<Error>> StateInit for Result<T, E> {
    fn into_state(self) -> Result<Box<dyn Any>> {
        self.map(|state| Box::new(state) as Box<dyn Any>).map_err(Into::into)
    }
}

/// `MsExt::init` of every SDK module.
///
/// # Safety
/// Called by the host as its contract says.
pub unsafe fn init_vm<S: StateInit>(
    name: &'static str,
    cx: *const MsContext,
    state: *mut *mut c_void,
    init: impl FnOnce(&Cx) -> S,
) -> MsStatus {
    // SAFETY: the host's promise.
    let cx = unsafe { Cx::new(cx) };
    let life = Life::enter(cx.vm(), cx.host());
    let status = match catch_unwind(AssertUnwindSafe(|| init(&cx).into_state())) {
        Ok(Ok(user)) => {
            let boxed = Box::new(State { life, user });
            // SAFETY: `state` is writable by contract.
            unsafe { *state = Box::into_raw(boxed).cast() };
            return MS_OK;
        }
        Ok(Err(error)) => error.raise(&cx),
        Err(payload) => raise_panic(&cx, name, payload),
    };
    // No `shutdown` follows, so this is the last that is known of the VM.
    life.leave();
    status
}

/// `MsExt::shutdown` of every SDK module.
///
/// # Safety
/// Called by the host as its contract says, once for each `init_vm` that answered `MS_OK`.
pub unsafe fn shutdown_vm(cx: *const MsContext) {
    // SAFETY: `state` is what `init_vm` stored; the host calls this once.
    let state = unsafe { (*cx).state.cast::<State>() };
    if !state.is_null() {
        // SAFETY: as above.
        let State { life, user } = *unsafe { Box::from_raw(state) };
        contain(|| drop(user));
        life.leave();
    }
}
