//! Running operations of the host as futures.

use crate::future::token_of;
use crate::life::Life;
use crate::{Cx, Error, Result};
use miniscript_abi::*;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The VM, kept by things that outlive a call (sockets, operations). They are not `Send`, so they
/// are used on its thread only.
#[derive(Clone)]
pub(crate) struct Vm(pub(crate) Rc<Life>);

/// A host function was to be called in a VM that has ended: no status of the ABI.
pub(crate) const ENDED: MsStatus = MsStatus::MIN;

impl Vm {
    pub(crate) fn of(cx: &Cx) -> Self {
        Self(cx.life())
    }

    /// Of the poll that is running.
    pub(crate) fn current() -> Result<Self> {
        crate::future::with_current(|cx| Ok(Self::of(cx)))
    }
}

/// Calls a host function from something that holds a [`Vm`].
macro_rules! vm_call {
    ($at:expr, $table:ident . $function:ident ( $($arg:expr),* $(,)? )) => {{
        let at: &$crate::op::Vm = &$at;
        match (at.0.vm(), at.0.host().$table.$function) {
            // SAFETY: the VM lives, and a `Vm` is not `Send`, so this is its thread.
            (Some(vm), Some(function)) => unsafe { function(vm, $($arg),*) },
            (None, _) => $crate::op::ENDED,
            (_, None) => miniscript_abi::MS_UNSUPPORTED,
        }
    }};
}
pub(crate) use vm_call;

/// An operation; closed when dropped.
pub(crate) struct Op {
    pub(crate) id: MsOp,
    pub(crate) at: Vm,
    not_send: PhantomData<*const ()>,
}

impl Op {
    /// Starts an operation.
    pub(crate) fn start(at: Vm, start: impl FnOnce(&Vm, *mut MsOp) -> MsStatus) -> Result<Self> {
        let mut id = 0;
        match start(&at, &mut id) {
            MS_OK => Ok(Self { id, at, not_send: PhantomData }),
            status => Err(failure(status)),
        }
    }
}

/// The error of a status that is neither success nor "pending".
pub(crate) fn failure(status: MsStatus) -> Error {
    match status {
        MS_UNSUPPORTED => Error::new(
            "RuntimeError",
            "this version of MiniScript lacks a function that the extension needs",
        ),
        MS_WRONG_THREAD => Error::new("RuntimeError", "the VM was used from another thread"),
        ENDED => Error::new("RuntimeError", "the VM of this object has ended"),
        _ => Error::pending(),
    }
}

impl Future for Op {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match vm_call!(self.at, task.op_poll(self.id, token_of(cx))) {
            MS_OK => Poll::Ready(Ok(())),
            MS_PENDING => Poll::Pending,
            status => Poll::Ready(Err(failure(status))),
        }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        vm_call!(self.at, task.op_close(self.id));
    }
}
