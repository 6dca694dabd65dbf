//! Work that completes later, as a task waits for it, and the tokens that wake the task.
//!
//! An extension knows a token that is good in the whole process, as any thread may wake it
//! without naming a VM: the key of a row in a table that names reactor and task.

use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use miniscript_abi::*;
use miniscript_vm::Vm;
use miniscript_vm::builtins::Type;
use miniscript_vm::native::NResult;

use super::Bridge;
use super::call::{Call, FunctionData};
use super::module::Loaded;
use crate::reactor::{GenSlab, Key, TaskToken, Waker};
use crate::scheduler::Wait;

struct Target {
    waker: Waker,
    task: TaskToken,
}

static TARGETS: Mutex<GenSlab<Target>> = Mutex::new(GenSlab::new());

fn targets() -> std::sync::MutexGuard<'static, GenSlab<Target>> {
    TARGETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `MsHost::wake`.
pub(super) unsafe extern "C" fn wake(token: MsToken) -> MsStatus {
    let target = {
        let targets = targets();
        targets.get(Key::from_bits(token)).map(|t| (t.waker.clone(), t.task))
    };
    if let Some((waker, task)) = target {
        waker.wake(task);
    }
    MS_OK
}

/// A future of an extension, which the host owns.
pub(super) struct ExtFuture {
    bridge: Rc<Bridge>,
    /// The function that handed it over; null: `init` of the extension did.
    function: *const FunctionData,
    loaded: *const Loaded,
    future: MsFuture,
    token: Option<(Key, TaskToken)>,
}

impl ExtFuture {
    /// The future of a native that runs.
    pub(super) fn new(call: &Call, future: MsFuture) -> ExtFuture {
        ExtFuture {
            bridge: call.bridge().rc(),
            function: call.function().map_or(std::ptr::null(), std::ptr::from_ref),
            loaded: call.loaded,
            future,
            token: None,
        }
    }

    /// The token under which the extension knows the task.
    fn token(&mut self, task: TaskToken) -> MsToken {
        if let Some((key, known)) = self.token {
            if known != task
                && let Some(target) = targets().get_mut(key)
            {
                target.task = task;
                self.token = Some((key, task));
            }
            return key.to_bits();
        }
        let key = targets().insert(Target { waker: self.bridge.reactor.waker(), task });
        self.token = Some((key, task));
        key.to_bits()
    }
}

impl Wait for ExtFuture {
    fn poll<'v>(&mut self, vm: &'v Vm, task: TaskToken) -> Poll<NResult<'v>> {
        let token = self.token(task);
        let Some(poll) = self.future.poll else {
            return Poll::Ready(Err(vm.err(Type::SystemError, "a future has no poll function")));
        };
        let bridge = Rc::clone(&self.bridge);
        // SAFETY: functions and extensions live as long as the bridge, which this future keeps
        // alive.
        let (function, loaded) = unsafe { (self.function.as_ref(), self.loaded.as_ref()) };
        let cx = match (function, loaded) {
            (Some(function), _) => function.cx.as_ptr().cast_const(),
            (None, Some(loaded)) => loaded.plain_context(),
            (None, None) => {
                let text = "a future belongs to no extension";
                return Poll::Ready(Err(vm.err(Type::SystemError, text)));
            }
        };
        let mut call = Call::new(&bridge, function, std::ptr::null_mut());
        call.loaded = self.loaded;
        call.token.set((token, task));
        let mut out = MsValue::NONE;
        let data = self.future.data;
        // SAFETY: the contract of `MsFuture`.
        match call.enter(|| unsafe { poll(data, cx, token, &mut out) }) {
            MS_PENDING => Poll::Pending,
            status @ (MS_OK | MS_RAISED) => Poll::Ready(call.finish(vm, status, out)),
            other => Poll::Ready(Err(vm.err(
                Type::SystemError,
                format!("the future of {} answered the status {other}", call.shown()),
            ))),
        }
    }

    fn is_external(&self) -> bool {
        true
    }
}

impl Drop for ExtFuture {
    fn drop(&mut self) {
        if let Some((key, _)) = self.token.take() {
            targets().remove(key);
        }
        if let Some(end) = self.future.drop {
            let outer = self.bridge.current.replace(std::ptr::null());
            // SAFETY: the host owns the future and ends it once.
            unsafe { end(self.future.data) };
            self.bridge.current.set(outer);
        }
    }
}

/// The task behind a token.
pub(super) fn target(token: MsToken) -> Option<TaskToken> {
    targets().get(Key::from_bits(token)).map(|target| target.task)
}
