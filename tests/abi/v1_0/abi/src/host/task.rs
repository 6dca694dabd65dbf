//! Tasks, operations, timers and the thread pool.

use crate::record::host_table;
use crate::{MsDrop, MsFuture, MsOp, MsToken, MsValue, MsWork};
use std::ffi::c_void;

host_table! {
    /// Tasks, operations, timers and the thread pool. None of these runs script.
    pub struct MsHostTask {
        /// Starts a task that calls the object; `out` is its Task object.
        fn spawn(callee: MsValue, argc: usize, args: *const MsValue, out: *mut MsValue);
        /// Starts a task that drives a future, which is taken over; `out` is its Task object.
        fn spawn_future(future: *const MsFuture, out: *mut MsValue);
        /// Result of a task: `MS_OK`, `MS_RAISED` (its exception), or `MS_PENDING` and the token
        /// is woken when it has ended.
        fn poll(task: MsValue, token: MsToken, out: *mut MsValue);
        /// Cancels a task.
        fn cancel(task: MsValue);
        /// Starts a timer.
        fn sleep(nanoseconds: u64, out: *mut MsOp);
        /// Runs `work(data)` on a thread of the pool. The operation is done when it has returned;
        /// `drop(data)` is called once the operation was closed and the work has ended, on any
        /// thread. The work must not call the host, except for `wake`.
        fn blocking(work: Option<MsWork>, data: *mut c_void, drop: Option<MsDrop>, out: *mut MsOp);
        /// Whether an operation is done: `MS_OK`, or `MS_PENDING` and the token is woken. RuntimeError
        /// for one that is not (or no longer) open.
        fn op_poll(op: MsOp, token: MsToken);
        last:
        /// Ends an operation, done or not. Allowed in `drop` functions too.
        fn op_close(op: MsOp);
    }
}
