//! Rust futures as `MsFuture`s: polling, waking, panics.
//!
//! A waker is the task's token in the waker's data pointer, so cloning one is free. Combinators
//! (`FuturesUnordered` and the like) wrap wakers; what waits through a wrapped one gives the
//! host the token of the whole task, and at the next poll all wrapped wakers of the thread that
//! were registered since are woken, which lets the combinator poll its children again.

use crate::convert::IntoReturn;
use crate::cx::host_call;
use crate::entry::{EntryResult, contain, raise_panic};
use crate::{Cx, Error, Result};
use miniscript_abi::*;
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a waker holds a 64-bit token in its data pointer");

thread_local! {
    /// The poll that is running on this thread.
    static CURRENT: Cell<(*const MsContext, MsToken)> =
        const { Cell::new((std::ptr::null(), 0)) };
    /// Wrapped wakers that wait, with the token of their task.
    static WRAPPED: RefCell<Vec<(MsToken, Waker)>> = const { RefCell::new(Vec::new()) };
    /// The task whose wrapped wakers are being woken: waking itself would be an endless loop.
    static DRAINING: Cell<MsToken> = const { Cell::new(0) };
}

/// The host's `wake`, as an address; the same for all VMs of a host.
static WAKE: AtomicUsize = AtomicUsize::new(0);

/// Runs a closure with the running call, from inside an `async` function.
///
/// RuntimeError outside of a poll.
pub fn with_current<T>(work: impl FnOnce(&Cx) -> Result<T>) -> Result<T> {
    let (raw, _) = CURRENT.get();
    if raw.is_null() {
        return Err(Error::new("RuntimeError", "used outside of a task"));
    }
    // SAFETY: `raw` is set only while the poll that received it is running.
    work(&unsafe { Cx::new(raw) })
}

/// The token that a poll function of the host shall wake.
pub(crate) fn token_of(cx: &Context<'_>) -> MsToken {
    let waker = cx.waker();
    if std::ptr::eq(waker.vtable(), &VTABLE) {
        return waker.data() as MsToken;
    }
    let (_, token) = CURRENT.get();
    WRAPPED.with_borrow_mut(|wrapped| {
        if !wrapped.iter().any(|(owner, known)| *owner == token && known.will_wake(waker)) {
            wrapped.push((token, waker.clone()));
        }
    });
    token
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| RawWaker::new(data, &VTABLE),
    |data| wake(data as MsToken),
    |data| wake(data as MsToken),
    |_| (),
);

fn wake(token: MsToken) {
    if DRAINING.try_with(Cell::get) == Ok(token) {
        return;
    }
    let address = WAKE.load(Ordering::Acquire);
    if address != 0 {
        // SAFETY: the address was stored from a function pointer of this type; hosts live as
        // long as the process and let any thread call it.
        unsafe {
            let wake: unsafe extern "C" fn(MsToken) -> MsStatus = std::mem::transmute(address);
            wake(token);
        }
    }
}

fn wake_wrapped(token: MsToken) {
    let mine: Vec<Waker> = WRAPPED.with_borrow_mut(|wrapped| {
        let (mine, others) = wrapped.drain(..).partition(|(owner, _)| *owner == token);
        *wrapped = others;
        let mine: Vec<(MsToken, Waker)> = mine;
        mine.into_iter().map(|(_, waker)| waker).collect()
    });
    if !mine.is_empty() {
        DRAINING.set(token);
        contain(|| mine.into_iter().for_each(Waker::wake));
        DRAINING.set(0);
    }
}

struct Running<F> {
    function: &'static str,
    future: F,
}

/// The ABI's form of a future.
pub(crate) fn to_abi<F>(function: &'static str, future: F) -> MsFuture
where
    F: Future<Output: IntoReturn> + 'static,
{
    let data = Box::into_raw(Box::new(Running { function, future }));
    MsFuture { data: data.cast(), poll: Some(poll::<F>), drop: Some(drop_running::<F>) }
}

/// Hands a future over as the rest of the running call.
pub fn suspend<F>(cx: &Cx, function: &'static str, future: F) -> Result<EntryResult>
where
    F: Future<Output: IntoReturn> + 'static,
{
    let future = to_abi(function, future);
    match host_call!(cx, flow.suspend(&future)) {
        status @ (MS_SUSPEND | MS_RAISED) => Ok(EntryResult::Status(status)),
        status => {
            if status == MS_UNSUPPORTED {
                // SAFETY: the host has no such function, so it did not take the future over.
                unsafe { drop_running::<F>(future.data) };
            }
            cx.check(status)?;
            Err(Error::new("SystemError", "the host refused a future"))
        }
    }
}

unsafe extern "C" fn poll<F>(
    data: *mut c_void,
    raw: *const MsContext,
    token: MsToken,
    out: *mut MsValue,
) -> MsStatus
where
    F: Future<Output: IntoReturn> + 'static,
{
    // SAFETY: the host's promise for `raw`; `data` is the box of `to_abi`, which never moves and
    // which nobody else touches.
    let (cx, running) = unsafe { (Cx::new(raw), &mut *data.cast::<Running<F>>()) };
    if let Some(wake) = cx.host().raw.wake {
        WAKE.store(wake as usize, Ordering::Release);
    }
    wake_wrapped(token);
    // SAFETY: pinned, since the box is only dropped in place.
    let future = unsafe { Pin::new_unchecked(&mut running.future) };
    // SAFETY: the functions of the table treat the data as a plain number.
    let waker = unsafe { Waker::from_raw(RawWaker::new(token as *const (), &VTABLE)) };
    let before = CURRENT.replace((raw, token));
    let polled =
        catch_unwind(AssertUnwindSafe(|| match future.poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => None,
            Poll::Ready(result) => Some(result.into_return(&cx)),
        }));
    CURRENT.set(before);
    match polled {
        Ok(None) => MS_PENDING,
        Ok(Some(Ok(EntryResult::Value(value)))) => {
            // SAFETY: `out` is writable by contract.
            unsafe { *out = value.raw() };
            MS_OK
        }
        Ok(Some(Ok(EntryResult::Status(status)))) => status,
        Ok(Some(Err(error))) => error.raise(&cx),
        Err(payload) => raise_panic(&cx, running.function, payload),
    }
}

unsafe extern "C" fn drop_running<F>(data: *mut c_void) {
    // SAFETY: the box of `to_abi`, dropped once by contract.
    contain(|| drop(unsafe { Box::from_raw(data.cast::<Running<F>>()) }));
}
