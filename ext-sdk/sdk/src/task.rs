//! Tasks, and work on other threads.

use crate::convert::IntoReturn;
use crate::future::{to_abi, token_of, with_current};
use crate::op::{Op, Vm, failure, vm_call};
use crate::{Cx, Error, Kept, Result, Value};
use miniscript_abi::*;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A running task; dropping it lets the task run on. As a future it is the task's result.
pub struct Task {
    object: Kept,
    at: Vm,
}

impl Task {
    fn new(cx: &Cx, object: Value) -> Result<Self> {
        Ok(Self { object: object.keep(cx)?, at: Vm::of(cx) })
    }

    /// The Task object of the script, for use while this is there; return `&task` or the task
    /// itself to hand it to the script.
    pub fn value(&self) -> Value {
        self.object.get()
    }

    /// Cancels the task.
    pub fn cancel(&self) {
        vm_call!(self.at, task.cancel(self.object.get().raw()));
    }
}

impl crate::IntoMs for Task {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        self.object.into_ms(cx)
    }
}

impl Future for Task {
    type Output = Result<Kept>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Kept>> {
        let mut out = MsValue::NONE;
        match vm_call!(self.at, task.poll(self.object.get().raw(), token_of(cx), &mut out)) {
            MS_OK => Poll::Ready(with_current(|cx| Value::new(out).keep(cx))),
            MS_PENDING => Poll::Pending,
            status => Poll::Ready(Err(failure(status))),
        }
    }
}

/// Starts a task that drives a future.
pub fn spawn<F>(cx: &Cx, future: F) -> Result<Task>
where
    F: Future<Output: IntoReturn> + 'static,
{
    let future = to_abi("task", future);
    let mut object = MsValue::NONE;
    let status = vm_call!(Vm::of(cx), task.spawn_future(&future, &mut object));
    if status == MS_UNSUPPORTED
        && let Some(end) = future.drop
    {
        // SAFETY: the host has no such function, so it did not take the future over.
        unsafe { end(future.data) };
    }
    cx.check(status)?;
    Task::new(cx, Value::new(object))
}

/// Starts a task that calls a script function.
pub fn spawn_call(cx: &Cx, callee: Value, args: &[Value]) -> Result<Task> {
    let args: Vec<MsValue> = args.iter().map(|value| value.raw()).collect();
    let mut object = MsValue::NONE;
    cx.check(vm_call!(
        Vm::of(cx),
        task.spawn(callee.raw(), args.len(), args.as_ptr(), &mut object)
    ))?;
    Task::new(cx, Value::new(object))
}

/// Calls a script function from an `async` function and waits for its result.
pub async fn call(callee: &Kept, args: impl FnOnce(&Cx) -> Result<Vec<Value>>) -> Result<Kept> {
    with_current(|cx| spawn_call(cx, callee.get(), &args(cx)?))?.await
}

struct Work<F, T> {
    work: Option<F>,
    result: Option<std::thread::Result<T>>,
}

type Shared<F, T> = Mutex<Work<F, T>>;

/// Runs a closure on a thread of the host's pool.
///
/// A panic in it becomes a RuntimeError. When the returned future is dropped early, the closure
/// runs to its end and its result is dropped.
pub async fn blocking<F, T>(work: F) -> Result<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let shared: Arc<Shared<F, T>> = Arc::new(Mutex::new(Work { work: Some(work), result: None }));
    let data = Arc::into_raw(Arc::clone(&shared)).cast_mut().cast::<c_void>();
    let started = Op::start(Vm::current()?, |at, out| {
        vm_call!(at, task.blocking(Some(run::<F, T>), data, Some(end::<F, T>), out))
    });
    match started {
        Ok(op) => op.await?,
        Err(error) => {
            // SAFETY: an operation that did not start left the data to us.
            unsafe { end::<F, T>(data) };
            return Err(error);
        }
    }
    let result = shared.lock().unwrap_or_else(PoisonError::into_inner).result.take();
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(payload)) => std::panic::resume_unwind(payload),
        None => Err(Error::new("SystemError", "a blocking call ended without a result")),
    }
}

unsafe extern "C" fn run<F: FnOnce() -> T + Send, T: Send>(data: *mut c_void) {
    // SAFETY: `data` is an `Arc` that the host holds until it calls `end`.
    let shared = unsafe { &*data.cast::<Shared<F, T>>() };
    let work = shared.lock().unwrap_or_else(PoisonError::into_inner).work.take();
    if let Some(work) = work {
        let result = catch_unwind(AssertUnwindSafe(work));
        shared.lock().unwrap_or_else(PoisonError::into_inner).result = Some(result);
    }
}

unsafe extern "C" fn end<F, T>(data: *mut c_void) {
    // SAFETY: the reference that `blocking` gave away; called once.
    crate::entry::contain(|| drop(unsafe { Arc::from_raw(data.cast::<Shared<F, T>>()) }));
}
