//! The running call: the way to the VM.

use crate::entry::State;
use crate::host::Host;
use crate::life::Life;
use crate::{Error, IntoMs, Kept, Result, Value};
use miniscript_abi::*;
use std::any::Any;
use std::rc::Rc;

/// Calls a function of a host table, or answers that the host does not have it.
macro_rules! host_call {
    ($cx:expr, $table:ident . $function:ident ( $($arg:expr),* $(,)? )) => {{
        let cx = $cx;
        match cx.host().$table.$function {
            // SAFETY: the VM of a live context, on its thread (`Cx` is not `Send`), and
            // arguments that live through the call.
            Some(function) => unsafe { function(cx.vm(), $($arg),*) },
            None => miniscript_abi::MS_UNSUPPORTED,
        }
    }};
}
pub(crate) use host_call;

/// The running call. Handed to a function that names a `&Cx` parameter.
pub struct Cx {
    raw: *const MsContext,
    host: &'static Host,
    vm: *mut MsVm,
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(u32)]
pub enum Compare {
    Eq = MS_CMP_EQ,
    Ne = MS_CMP_NE,
    Lt = MS_CMP_LT,
    Le = MS_CMP_LE,
    Gt = MS_CMP_GT,
    Ge = MS_CMP_GE,
}

/// Binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(u32)]
pub enum Binary {
    Add = MS_OP_ADD,
    Sub = MS_OP_SUB,
    Mul = MS_OP_MUL,
    TrueDiv = MS_OP_TRUEDIV,
    FloorDiv = MS_OP_FLOORDIV,
    Mod = MS_OP_MOD,
    Pow = MS_OP_POW,
    LShift = MS_OP_LSHIFT,
    RShift = MS_OP_RSHIFT,
    And = MS_OP_AND,
    Or = MS_OP_OR,
    Xor = MS_OP_XOR,
    MatMul = MS_OP_MATMUL,
}

impl Cx {
    /// # Safety
    /// `raw` is the context that the host passed to the running entry.
    pub(crate) unsafe fn new(raw: *const MsContext) -> Self {
        // SAFETY: a context is readable while its entry runs; `state` is null (in `init`) or what
        // `init_vm` of this library stored.
        unsafe {
            let state = (*raw).state.cast::<State>();
            let host = if state.is_null() { Host::of((*raw).host) } else { (*state).life.host() };
            Self { raw, host, vm: (*raw).vm }
        }
    }

    pub(crate) fn host(&self) -> &'static Host {
        self.host
    }

    pub(crate) fn vm(&self) -> *mut MsVm {
        self.vm
    }

    /// The VM's life, for what outlives the call.
    pub(crate) fn life(&self) -> Rc<Life> {
        // SAFETY: as in `new`.
        match unsafe { (*self.raw).state.cast::<State>().as_ref() } {
            Some(state) => Rc::clone(&state.life),
            None => Life::of(self.vm, self.host),
        }
    }

    /// What the module's `init` returned for this VM.
    pub fn state<T: Any>(&self) -> Option<&T> {
        // SAFETY: as in `new`; the state lives until `shutdown`, after all calls.
        unsafe { (*self.raw).state.cast::<State>().as_ref() }
            .and_then(|state| state.user.downcast_ref())
    }

    /// Turns a status into a result.
    pub(crate) fn check(&self, status: MsStatus) -> Result<()> {
        match status {
            MS_OK => Ok(()),
            MS_WRONG_THREAD => {
                Err(Error::new("RuntimeError", "the VM was used from another thread"))
            }
            crate::op::ENDED => Err(crate::op::failure(status)),
            MS_UNSUPPORTED => Err(Error::new(
                "RuntimeError",
                "this version of MiniScript lacks a function that the extension needs",
            )),
            _ => Err(Error::pending()),
        }
    }

    pub(crate) fn out_value(&self, call: impl FnOnce(*mut MsValue) -> MsStatus) -> Result<Value> {
        let mut out = MsValue::NONE;
        self.check(call(&mut out))?;
        Ok(Value::new(out))
    }

    /// Result of a function that may answer `MS_END`.
    pub(crate) fn out_option(
        &self,
        call: impl FnOnce(*mut MsValue) -> MsStatus,
    ) -> Result<Option<Value>> {
        let mut out = MsValue::NONE;
        match call(&mut out) {
            MS_END => Ok(None),
            status => self.check(status).map(|()| Some(Value::new(out))),
        }
    }

    fn out_flag(&self, call: impl FnOnce(*mut u32) -> MsStatus) -> Result<bool> {
        let mut out = 0;
        self.check(call(&mut out))?;
        Ok(out != 0)
    }

    pub(crate) fn raise(&self, class: &str, message: &str, cause: Option<&Kept>) -> MsStatus {
        let cause = cause.map(|kept| kept.get().raw());
        let cause = cause.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        host_call!(self, flow.raise(MsStr::new(class), MsStr::new(message), cause))
    }

    pub(crate) fn raise_value(&self, exception: Value) -> MsStatus {
        host_call!(self, flow.raise_value(exception.raw()))
    }

    pub(crate) fn raise_io(&self, io: &MsIo, path: MsStr) -> MsStatus {
        host_call!(self, flow.raise_io(io, path))
    }

    /// Takes the pending exception of a failed call as an object. For an error that is not
    /// pending yet, it is raised first.
    pub fn catch(&self, error: Error) -> Result<Value> {
        error.raise(self);
        self.out_option(|out| host_call!(self, flow.take_error(out)))?
            .ok_or_else(|| Error::new("SystemError", "no exception was pending"))
    }

    /// Converts to a script value.
    pub fn make(&self, value: impl IntoMs) -> Result<Value> {
        value.into_ms(self)
    }

    /// `object.name`
    pub fn get_attr(&self, object: Value, name: &str) -> Result<Value> {
        self.out_value(|out| host_call!(self, object.get_attr(object.raw(), MsStr::new(name), out)))
    }

    /// `object.name`, if it is there.
    pub fn find_attr(&self, object: Value, name: &str) -> Result<Option<Value>> {
        self.out_option(|out| {
            host_call!(self, object.find_attr(object.raw(), MsStr::new(name), out))
        })
    }

    /// The bound dunder method of the object's type, if there is one.
    pub fn find_special(&self, object: Value, name: &str) -> Result<Option<Value>> {
        self.out_option(|out| {
            host_call!(self, object.find_special(object.raw(), MsStr::new(name), out))
        })
    }

    /// `object.name = value`
    pub fn set_attr(&self, object: Value, name: &str, value: impl IntoMs) -> Result<()> {
        let value = value.into_ms(self)?;
        self.check(host_call!(self, object.set_attr(object.raw(), MsStr::new(name), value.raw())))
    }

    /// `object[key]`
    pub fn get_item(&self, object: Value, key: impl IntoMs) -> Result<Value> {
        let key = key.into_ms(self)?;
        self.out_value(|out| host_call!(self, object.get_item(object.raw(), key.raw(), out)))
    }

    /// `dict[key]`, if it is there.
    pub fn find_item(&self, dict: Value, key: impl IntoMs) -> Result<Option<Value>> {
        let key = key.into_ms(self)?;
        self.out_option(|out| host_call!(self, object.find_item(dict.raw(), key.raw(), out)))
    }

    /// `object[key] = value`
    pub fn set_item(&self, object: Value, key: impl IntoMs, value: impl IntoMs) -> Result<()> {
        let (key, value) = (key.into_ms(self)?, value.into_ms(self)?);
        self.check(host_call!(self, object.set_item(object.raw(), key.raw(), value.raw())))
    }

    /// `item in object`
    pub fn contains(&self, object: Value, item: impl IntoMs) -> Result<bool> {
        let item = item.into_ms(self)?;
        self.out_flag(|out| host_call!(self, object.contains(object.raw(), item.raw(), out)))
    }

    /// `len(object)`
    pub fn len(&self, object: Value) -> Result<usize> {
        let mut len = 0;
        self.check(host_call!(self, object.len(object.raw(), &mut len)))?;
        Ok(usize::try_from(len)?)
    }

    /// `iter(object)`
    pub fn iter(&self, object: Value) -> Result<Value> {
        self.out_value(|out| host_call!(self, object.iter(object.raw(), out)))
    }

    /// The next item of an iterator.
    pub fn next(&self, iterator: Value) -> Result<Option<Value>> {
        self.out_option(|out| host_call!(self, object.next(iterator.raw(), out)))
    }

    /// `bool(object)`
    pub fn truth(&self, object: Value) -> Result<bool> {
        self.out_flag(|out| host_call!(self, object.truth(object.raw(), out)))
    }

    /// A comparison.
    pub fn compare(&self, op: Compare, left: Value, right: Value) -> Result<Value> {
        self.out_value(|out| {
            host_call!(self, object.compare(op as u32, left.raw(), right.raw(), out))
        })
    }

    /// `left == right`
    pub fn equals(&self, left: Value, right: Value) -> Result<bool> {
        let result = self.compare(Compare::Eq, left, right)?;
        self.truth(result)
    }

    /// A binary operator.
    pub fn binary(&self, op: Binary, left: Value, right: Value) -> Result<Value> {
        self.out_value(|out| {
            host_call!(self, object.binary(op as u32, left.raw(), right.raw(), out))
        })
    }

    /// `isinstance(object, class)`
    pub fn is_instance(&self, object: Value, class: Value) -> Result<bool> {
        self.out_flag(|out| host_call!(self, object.is_instance(object.raw(), class.raw(), out)))
    }

    /// Whether a call can work.
    pub fn is_callable(&self, object: Value) -> Result<bool> {
        self.out_flag(|out| host_call!(self, object.is_callable(object.raw(), out)))
    }

    /// `left is right`
    pub fn same(&self, left: Value, right: Value) -> Result<bool> {
        self.out_flag(|out| host_call!(self, object.same(left.raw(), right.raw(), out)))
    }

    /// Name of the value's type, as messages show it.
    pub fn type_name(&self, value: Value) -> String {
        let mut name = MsStr::EMPTY;
        match host_call!(self, object.type_name(value.raw(), &mut name)) {
            // SAFETY: borrowed for the call, copied at once.
            MS_OK => unsafe { name.as_str() }.unwrap_or("object").to_owned(),
            _ => "object".to_owned(),
        }
    }

    /// `repr(object)`
    pub fn repr(&self, object: Value) -> Result<String> {
        let text = self.out_value(|out| host_call!(self, object.repr(object.raw(), out)))?;
        text.to(self)
    }

    /// `str(object)`
    pub fn str(&self, object: Value) -> Result<String> {
        let text = self.out_value(|out| host_call!(self, object.str(object.raw(), out)))?;
        text.to(self)
    }

    /// The value as a number: "must be real number, not ..." otherwise.
    pub fn to_float(&self, object: Value) -> Result<f64> {
        let mut number = 0.0;
        self.check(host_call!(self, object.to_float(object.raw(), &mut number)))?;
        Ok(number)
    }

    /// The value as an int, through `__index__`.
    pub fn to_index(&self, object: Value) -> Result<Value> {
        match object.raw().tag {
            MS_TAG_INT | MS_TAG_BIGINT => Ok(object),
            _ => self.out_value(|out| host_call!(self, object.to_index(object.raw(), out))),
        }
    }

    /// `import name`
    pub fn import(&self, name: &str) -> Result<Value> {
        self.out_value(|out| host_call!(self, object.import(MsStr::new(name), out)))
    }

    /// A builtin by name.
    pub fn builtin(&self, name: &str) -> Result<Value> {
        self.out_value(|out| host_call!(self, object.builtin(MsStr::new(name), out)))
    }

    /// Calls a script function and waits for its result. The calling function needs
    /// `#[function(calls_back)]` where the callee may suspend.
    pub fn call(&self, callee: Value, args: &[Value]) -> Result<Value> {
        self.call_with(callee, args, &[])
    }

    /// As [`Cx::call`], with named arguments.
    pub fn call_with(
        &self,
        callee: Value,
        args: &[Value],
        named: &[(&str, Value)],
    ) -> Result<Value> {
        let args: Vec<MsValue> = args.iter().map(|value| value.raw()).collect();
        let named: Vec<MsKeyword> = named
            .iter()
            .map(|(name, value)| MsKeyword { name: MsStr::new(name), value: value.raw() })
            .collect();
        self.out_value(|out| {
            host_call!(
                self,
                flow.call(
                    callee.raw(),
                    args.len(),
                    args.as_ptr(),
                    named.len(),
                    named.as_ptr(),
                    out
                )
            )
        })
    }

    /// Charges work of a long loop against fuel and time limits.
    pub fn charge(&self, units: u64) -> Result<()> {
        match host_call!(self, flow.charge(units)) {
            MS_UNSUPPORTED => Ok(()),
            status => self.check(status),
        }
    }

    /// Accounts memory held for this VM outside its heap (negative: freed).
    pub fn account(&self, bytes: i64) -> Result<()> {
        match host_call!(self, flow.account(bytes)) {
            MS_UNSUPPORTED => Ok(()),
            status => self.check(status),
        }
    }

    /// Asks for a right.
    pub fn permission(&self, kind: &str, scope: &str) -> Result<()> {
        self.check(host_call!(self, flow.permission(MsStr::new(kind), MsStr::new(scope))))
    }

    /// Writes to the VM's standard error.
    pub fn print_error(&self, text: &str) -> Result<()> {
        self.check(host_call!(self, flow.write(MS_STREAM_ERR, MsStr::new(text))))
    }

    /// Writes to the VM's standard output.
    pub fn print(&self, text: &str) -> Result<()> {
        self.check(host_call!(self, flow.write(MS_STREAM_OUT, MsStr::new(text))))
    }
}
