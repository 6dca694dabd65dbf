//! Running an entry of an extension: arguments in; a result, an exception or a request out.
//!
//! A [`Call`] is what the table functions work on while a native runs: its handles, its pending
//! exception, what it asks for. A native that declared `MS_FN_CALLS_BACK`, or that is given an
//! instance of a script's class, runs on a coroutine stack and reaches script code through its
//! `Nest`. Another one may run script code as long as nothing suspends, which is then a RuntimeError that names the function and the flag.

use std::cell::{Cell, RefCell};

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::interp::nested::Nest;
use miniscript_vm::native::{Action, Answer, Exit, NResult, Row as VmRow, Then};
use miniscript_vm::object::func::{BoundMethod, Native};
use miniscript_vm::object::instance::Instance;
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::{Value, Vm};

use super::Bridge;
use super::define::{Row, Slot};
use super::future::ExtFuture;
use super::handle::is_retained;
use super::module::Loaded;
use crate::reactor::TaskToken;

/// Most natives that an operation runs one after the other without script code between them.
const MAX_LEAF_STEPS: usize = 10_000;
/// What a text that is lent costs besides its bytes.
const TEXT_BYTES: usize = 32;

/// A function of one VM; `Native::data` is its address. Lives as long as the bridge.
pub(super) struct FunctionData {
    pub(super) cx: Cell<MsContext>,
    pub(super) row: &'static Row,
    pub(super) bridge: *const Bridge,
    pub(super) loaded: *const Loaded,
}

/// A call that a native asked for: callee, arguments, continuation.
type Tail = (MsValue, Vec<MsValue>, Option<ThenData>);

/// A native that runs.
pub(super) struct Call {
    bridge: *const Bridge,
    pub(super) loaded: *const Loaded,
    function: *const FunctionData,
    nest: *mut Nest,
    made: RefCell<Vec<Handle>>,
    pub(super) pending: Cell<Option<Handle>>,
    pub(super) tail: RefCell<Option<Tail>>,
    pub(super) future: RefCell<Option<ExtFuture>>,
    /// Texts lent to the native.
    texts: RefCell<Vec<Box<[u8]>>>,
    /// The token of the running poll, as the extension and as the reactor know it.
    pub(super) token: Cell<(MsToken, TaskToken)>,
}

/// A continuation's own data, freed exactly once.
pub(super) struct ThenData(pub(super) MsThen);

impl Drop for ThenData {
    fn drop(&mut self) {
        if let Some(end) = self.0.drop {
            // SAFETY: the contract of `MsThen`: the host owns the data and ends it once.
            unsafe { end(self.0.data) };
        }
    }
}

/// The payload of the object that carries a continuation through the VM.
struct Continuation {
    then: Option<ThenData>,
    function: *const FunctionData,
}

impl Payload for Continuation {}

impl Call {
    pub(super) fn new(bridge: &Bridge, function: Option<&FunctionData>, nest: *mut Nest) -> Call {
        Call {
            bridge,
            loaded: function.map_or(std::ptr::null(), |f| f.loaded),
            function: function.map_or(std::ptr::null(), std::ptr::from_ref),
            nest,
            made: RefCell::default(),
            pending: Cell::new(None),
            tail: RefCell::default(),
            future: RefCell::default(),
            texts: RefCell::default(),
            token: Cell::new((0, TaskToken::from_bits(0))),
        }
    }

    pub(super) fn bridge(&self) -> &Bridge {
        // SAFETY: a call runs within its bridge's life.
        unsafe { &*self.bridge }
    }

    pub(super) fn vm(&self) -> &Vm {
        self.bridge().vm()
    }

    /// The function that runs; none in `init` and `shutdown`.
    pub(super) fn function(&self) -> Option<&FunctionData> {
        // SAFETY: functions live as long as their bridge.
        unsafe { self.function.as_ref() }
    }

    /// The extension whose native runs.
    pub(super) fn loaded(&self) -> Option<&Loaded> {
        // SAFETY: as for functions.
        unsafe { self.loaded.as_ref() }
    }

    /// A value of the running call.
    pub(super) fn value(&self, value: MsValue) -> NResult<'_> {
        self.bridge().value(self.vm(), value)
    }

    /// Several values.
    pub(super) fn values(&self, values: &[MsValue]) -> Result<Vec<Value<'_>>, Exit<'_>> {
        values.iter().map(|&value| self.value(value)).collect()
    }

    /// A handle that ends with the call.
    pub(super) fn give(&self, v: Value<'_>) -> MsValue {
        let (value, handle) = self.bridge().make(v);
        if let Some(handle) = handle {
            self.made.borrow_mut().push(handle);
        }
        value
    }

    /// What the native reads of an object in place stays for the call, whoever releases the
    /// handle meanwhile. Where nothing is collected during the call nothing is to be done.
    pub(super) fn hold(&self, value: MsValue, v: Value<'_>) {
        if !self.nest.is_null() && is_retained(value) {
            self.give(v);
        }
    }

    /// Number of handles made so far.
    pub(super) fn mark(&self) -> usize {
        self.made.borrow().len()
    }

    /// Ends the handles made since `mark`.
    pub(super) fn end_since(&self, mark: usize) {
        let vm = self.vm();
        let mut made = self.made.borrow_mut();
        let from = mark.min(made.len());
        for handle in made.drain(from..) {
            vm.release(handle);
        }
    }

    /// Lends bytes to the native until the call ends.
    pub(super) fn lend(&self, bytes: Box<[u8]>) -> MsStr {
        let lent = MsStr::bytes(&bytes);
        self.vm().heap.hold(bytes.len() + TEXT_BYTES);
        self.texts.borrow_mut().push(bytes);
        lent
    }

    /// Keeps an exception for the end of the call.
    pub(super) fn set_pending(&self, exception: Option<Value<'_>>) {
        let vm = self.vm();
        let handle = exception.map(|e| vm.retain(e));
        if let Some(old) = self.pending.replace(handle) {
            vm.release(old);
        }
    }

    /// Takes the exception.
    pub(super) fn take_pending(&self) -> Option<Value<'_>> {
        let handle = self.pending.take()?;
        let v = self.vm().handle(handle);
        self.vm().release(handle);
        v
    }

    /// Runs foreign code that may use the tables.
    pub(super) fn enter<R>(&self, run: impl FnOnce() -> R) -> R {
        let current = &self.bridge().current;
        let outer = current.replace(self);
        let result = run();
        // The call outside of a nested one may be over by now; it says itself when it goes on.
        current.set(if self.nest.is_null() { outer } else { std::ptr::null() });
        result
    }

    /// Performs an operation of the VM, which may have to run script code.
    pub(super) fn run<'c, const N: usize>(
        &'c self,
        args: [MsValue; N],
        op: impl for<'v> FnOnce(&'v Vm, [Value<'v>; N]) -> NResult<'v>,
    ) -> NResult<'c> {
        let bridge = self.bridge();
        // SAFETY: the coroutine that runs this call owns the nest and waits in it.
        let Some(nest) = (unsafe { self.nest.as_mut() }) else {
            let mut values = [Value::NONE; N];
            for (value, arg) in values.iter_mut().zip(args) {
                *value = self.value(arg)?;
            }
            return match op(self.vm(), values) {
                Err(Exit::Do(action)) => self.run_undeclared(action),
                r => r,
            };
        };
        bridge.current.set(std::ptr::null());
        let result = nest.perform(|vm| {
            let mut values = [Value::NONE; N];
            for (value, arg) in values.iter_mut().zip(args) {
                *value = bridge.value(vm, arg)?;
            }
            op(vm, values)
        });
        bridge.current.set(self);
        let vm = self.vm();
        let (Ok(handle) | Err(handle)) = result;
        let v = vm.handle(handle).unwrap_or(Value::NONE);
        vm.release(handle);
        if result.is_ok() { Ok(v) } else { Err(Exit::Raise(v)) }
    }

    /// Does what an operation of a native asked for that did not declare that it calls back:
    /// step by step as long as only natives of the VM run, otherwise on stacks of its own.
    fn run_undeclared<'c>(&'c self, action: Box<Action<'c>>) -> NResult<'c> {
        let vm = self.vm();
        let mut action = action;
        for _ in 0..MAX_LEAF_STEPS {
            let (result, then) = match *action {
                Action::Call { mut func, mut args, kwnames, then } if kwnames.is_empty() => {
                    while let Some(bound) = func.get::<BoundMethod>() {
                        args.insert(0, read(&bound.receiver));
                        func = read(&bound.func);
                    }
                    match vm.call_leaf(func, &args) {
                        Some(result) => (result, then),
                        None => {
                            let again = Action::Call { func, args, kwnames, then };
                            return self.run_script(Box::new(again));
                        }
                    }
                }
                Action::Next { iter, then } => match iter.get::<Iter>() {
                    Some(i) => ((i.next)(vm, i), Some(then)),
                    None => return self.run_script(Box::new(Action::Next { iter, then })),
                },
                other => return self.run_script(Box::new(other)),
            };
            let result = match then {
                Some(Then { row, state }) => vm.and_then(result, row, state),
                None => result,
            };
            match result {
                Err(Exit::Do(next)) => action = next,
                result => return result,
            }
        }
        self.run_script(action)
    }

    /// Runs script code on behalf of a native that waits on the stack of its caller.
    fn run_script<'c>(&'c self, action: Box<Action<'c>>) -> NResult<'c> {
        let (bridge, vm) = (self.bridge(), self.vm());
        bridge.current.set(std::ptr::null());
        let result = vm.perform_here(Exit::Do(action), || {
            format!(
                "{} was declared without MS_FN_CALLS_BACK (calls_back): what it calls cannot wait",
                self.shown()
            )
        });
        bridge.current.set(self);
        let (Ok(handle) | Err(handle)) = result;
        let v = vm.handle(handle).unwrap_or(Value::NONE);
        vm.release(handle);
        if result.is_ok() { Ok(v) } else { Err(Exit::Raise(v)) }
    }

    /// What the VM is to do, from what the native answered.
    pub(super) fn finish<'v>(&self, vm: &'v Vm, status: MsStatus, out: MsValue) -> NResult<'v> {
        let bridge = self.bridge();
        match status {
            MS_OK => bridge.value(vm, out),
            MS_RAISED => Err(Exit::Raise(match self.pending.take() {
                Some(handle) => {
                    let e = vm.handle(handle).unwrap_or(Value::NONE);
                    vm.release(handle);
                    e
                }
                None => vm.exception(
                    Type::SystemError,
                    format!("{} raised without an exception", self.shown()),
                ),
            })),
            MS_CALL => self.tail(vm),
            MS_SUSPEND => match self.future.take() {
                Some(future) => Err(crate::scheduler::suspend(future)),
                None => Err(vm.err(
                    Type::SystemError,
                    format!("{} suspended without a future", self.shown()),
                )),
            },
            other => Err(
                vm.err(Type::SystemError, format!("{} answered the status {other}", self.shown()))
            ),
        }
    }

    /// The native that runs, for messages.
    pub(super) fn shown(&self) -> String {
        match (self.function(), self.loaded()) {
            (Some(f), _) => format!("{}()", f.row.shown),
            (None, Some(loaded)) => format!("init of {}", loaded.ext.name),
            (None, None) => "init".to_owned(),
        }
    }

    fn tail<'v>(&self, vm: &'v Vm) -> NResult<'v> {
        let bridge = self.bridge();
        let Some((callee, args, then)) = self.tail.take() else {
            let text = format!("{} asked for a call and set none", self.shown());
            return Err(vm.err(Type::SystemError, text));
        };
        let func = bridge.value(vm, callee)?;
        let args = args.iter().map(|&arg| bridge.value(vm, arg)).collect::<Result<Vec<_>, _>>()?;
        let then = match then.filter(|then| then.0.then.is_some()) {
            None => None,
            Some(then) => {
                let function = self.function;
                let carrier =
                    bridge.carrier(vm, Box::new(Continuation { then: Some(then), function }))?;
                Some(Then { row: &THEN_ROW, state: vec![carrier] })
            }
        };
        Err(Exit::Do(Box::new(Action::Call { func, args, kwnames: Value::EMPTY, then })))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.bridge().closing.get() {
            return;
        }
        self.set_pending(None);
        self.end_since(0);
        let texts = self.texts.get_mut().iter();
        let lent: usize = texts.map(|text| text.len() + TEXT_BYTES).sum();
        if lent > 0 {
            self.vm().heap.refund(lent);
        }
    }
}

/// The code of every native of an extension.
pub(super) fn entry<'v>(vm: &'v Vm, native: &'v Native, args: &[Value<'v>]) -> NResult<'v> {
    // SAFETY: `data` was set to the address of a function that lives as long as the bridge.
    let f = unsafe { &*(native.data as *const FunctionData) };
    // An instance may have a method that the native calls without knowing (`__float__`,
    // `__index__`, `__len__`), and which may wait.
    if f.row.calls_back || args.iter().any(|arg| arg.is_a::<Instance>()) {
        let args = args.to_vec();
        return Err(Exit::Do(Box::new(Action::Nested {
            run: nested_entry,
            args,
            data: native.data,
        })));
    }
    // SAFETY: as above.
    let call = Call::new(unsafe { &*f.bridge }, Some(f), std::ptr::null_mut());
    let (status, out) = f.invoke(vm, &call, args)?;
    let result = call.finish(vm, status, out)?;
    vm.poll_if_tripped()?;
    Ok(result)
}

fn nested_entry(nest: &mut Nest, args: &[Handle], data: usize) -> Result<Handle, Handle> {
    // SAFETY: as in `entry`.
    let f = unsafe { &*(data as *const FunctionData) };
    let nest: *mut Nest = nest;
    // SAFETY: as in `entry`.
    let call = Call::new(unsafe { &*f.bridge }, Some(f), nest);
    let answer = {
        let vm = call.vm();
        let values: Vec<Value<'_>> =
            args.iter().map(|&h| vm.handle(h).unwrap_or(Value::EMPTY)).collect();
        match f.invoke(vm, &call, &values) {
            Ok(answer) => Ok(answer),
            Err(Exit::Raise(e)) => Err(vm.retain(e)),
            Err(Exit::Do(_)) => Err(vm.retain(Value::NONE)),
        }
    };
    let (status, out) = answer?;
    // SAFETY: the nest outlives this function.
    unsafe {
        (*nest).perform(|vm| {
            let result = call.finish(vm, status, out)?;
            vm.poll_if_tripped()?;
            Ok(result)
        })
    }
}

impl FunctionData {
    /// Calls the entry with arguments as the VM bound them.
    fn invoke<'v>(
        &self,
        vm: &'v Vm,
        call: &Call,
        args: &[Value<'_>],
    ) -> Result<(MsStatus, MsValue), Exit<'v>> {
        let mut few = [MsValue::NONE; 6];
        let mut many = Vec::new();
        let values = if args.len() <= few.len() {
            &mut few[..args.len()]
        } else {
            many.resize(args.len(), MsValue::NONE);
            &mut many[..]
        };
        for (i, (value, &arg)) in values.iter_mut().zip(args).enumerate() {
            *value = if arg.is_empty() { self.absent(vm, call, i)? } else { call.give(arg) };
        }
        let mut out = MsValue::NONE;
        let cx = self.cx.as_ptr();
        let entry = self.row.function.call;
        // SAFETY: the contract of `MsCall`: the context lives as long as the bridge, the values
        // for the call.
        let status = call.enter(|| unsafe { entry(cx, values.len(), values.as_ptr(), &mut out) });
        Ok((status, out))
    }

    /// What a native gets for an argument that was not passed.
    #[cold]
    fn absent<'v>(&self, vm: &'v Vm, call: &Call, index: usize) -> Result<MsValue, Exit<'v>> {
        match self.row.slots.get(index) {
            Some(Slot::Default(literal)) => Ok(call.give(super::define::literal(vm, literal)?)),
            Some(Slot::Optional) => Ok(MsValue::ABSENT),
            Some(Slot::Keywords) => Ok(call.give(Value::object(vm.dict()))),
            Some(Slot::Required(name)) => Err(vm.type_error(format!(
                "{}() missing required keyword-only argument: '{name}'",
                self.row.def.name
            ))),
            Some(Slot::NewValue) => Err(vm.err(
                Type::AttributeError,
                format!("attribute '{}' cannot be deleted", self.row.def.name),
            )),
            None => Ok(MsValue::ABSENT),
        }
    }
}

/// Goes on with a native after the call it asked for.
static THEN_ROW: VmRow = VmRow {
    name: "extension_then",
    catches: true,
    resume: |vm, state, answer| {
        let (ok, v) = match answer {
            Answer::Value(v) => (true, v),
            Answer::Raised(e) => (false, e),
        };
        let function = state[0]
            .get::<Opaque>()
            .and_then(|o| o.with(|c: &mut Continuation| c.function))
            .unwrap_or(std::ptr::null());
        // SAFETY: functions live as long as the bridge.
        let Some(f) = (unsafe { function.as_ref() }) else { return Ok(Value::NONE) };
        if f.row.calls_back {
            let args = vec![state[0], Value::bool(ok), v];
            let data = function as usize;
            return Err(Exit::Do(Box::new(Action::Nested { run: nested_then, args, data })));
        }
        // SAFETY: as above.
        let call = Call::new(unsafe { &*f.bridge }, Some(f), std::ptr::null_mut());
        let (status, out) = f.go_on(&call, state[0], ok, v);
        call.finish(vm, status, out)
    },
};

fn nested_then(nest: &mut Nest, args: &[Handle], data: usize) -> Result<Handle, Handle> {
    // SAFETY: as in `entry`.
    let f = unsafe { &*(data as *const FunctionData) };
    let nest: *mut Nest = nest;
    // SAFETY: as in `entry`.
    let call = Call::new(unsafe { &*f.bridge }, Some(f), nest);
    let (status, out) = {
        let vm = call.vm();
        let get = |i: usize| args.get(i).and_then(|&h| vm.handle(h)).unwrap_or(Value::NONE);
        f.go_on(&call, get(0), get(1).is(Value::TRUE), get(2))
    };
    // SAFETY: the nest outlives this function.
    unsafe { (*nest).perform(|vm| call.finish(vm, status, out)) }
}

impl FunctionData {
    fn go_on(
        &self,
        call: &Call,
        carrier: Value<'_>,
        ok: bool,
        v: Value<'_>,
    ) -> (MsStatus, MsValue) {
        let then =
            carrier.get::<Opaque>().and_then(|o| o.with(|c: &mut Continuation| c.then.take()));
        let mut out = MsValue::NONE;
        let Some(then) = then.flatten() else { return (MS_RAISED, out) };
        let given = call.give(v);
        let Some(go_on) = then.0.then else { return (MS_OK, given) };
        let status = if ok { MS_OK } else { MS_RAISED };
        let cx = self.cx.as_ptr();
        // SAFETY: the contract of `MsThen`.
        let status = call.enter(|| unsafe { go_on(then.0.data, cx, status, given, &mut out) });
        if status == MS_RAISED && !ok && call.pending.get().is_none() {
            // It hands on the exception that it was given.
            call.set_pending(Some(v));
        }
        (status, out)
    }
}

/// Runs the body of a table function for the native that runs on this thread.
///
/// # Safety
/// `at` is what the extension got as its VM.
pub(super) unsafe fn host(
    at: *mut MsVm,
    body: impl for<'c> FnOnce(&'c Call) -> Result<MsStatus, Exit<'c>>,
) -> MsStatus {
    // SAFETY: by contract; the thread's mark is never written after the start.
    let bridge = match unsafe { bridge(at) } {
        Ok(bridge) => bridge,
        Err(status) => return status,
    };
    // SAFETY: `current` is null or a call that runs.
    let Some(call) = (unsafe { bridge.current.get().as_ref() }) else { return MS_RAISED };
    // A native that makes things without end meets the limits here, if it does not charge itself.
    let due = bridge.charge(1);
    let run = || {
        if due {
            super::host_flow::limits(call)?;
        }
        body(call)
    };
    // A panic of ours must not unwind through foreign frames, where it would end the process.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    match result.unwrap_or_else(|_| Err(call.vm().err(Type::SystemError, "internal error"))) {
        Ok(status) => status,
        Err(Exit::Raise(e)) => {
            call.set_pending(Some(e));
            MS_RAISED
        }
        Err(Exit::Do(_)) => {
            let text = format!("{} came upon a value that needs script code", call.shown());
            let e = call.vm().exception(Type::SystemError, text);
            call.set_pending(Some(e));
            MS_RAISED
        }
    }
}

/// The bridge, if this is its thread.
///
/// # Safety
/// As for [`host`].
pub(super) unsafe fn bridge<'b>(at: *mut MsVm) -> Result<&'b Bridge, MsStatus> {
    if at.is_null() {
        return Err(MS_WRONG_THREAD);
    }
    let bridge = at.cast::<Bridge>().cast_const();
    // SAFETY: by contract; only this field is read before the thread is known.
    let thread = unsafe { (&raw const (*bridge).thread).read() };
    if thread != super::thread_mark() {
        return Err(MS_WRONG_THREAD);
    }
    // SAFETY: by contract.
    Ok(unsafe { &*bridge })
}
