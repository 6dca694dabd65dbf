//! Statuses, futures and continuations: how a native says "done", "raised", "call this first"
//! or "wake me later".

use crate::record::plain_record;
use crate::{MsContext, MsValue};
use std::ffi::c_void;

/// What a function of either side reports.
pub type MsStatus = i32;

/// Done; `out` holds the result.
pub const MS_OK: MsStatus = 0;
/// An exception is pending in the VM.
pub const MS_RAISED: MsStatus = 1;
/// From a native: the host shall make the call that was set by `flow->tail_call`.
pub const MS_CALL: MsStatus = 2;
/// From a native: the task waits for the future that was set by `flow->suspend`.
pub const MS_SUSPEND: MsStatus = 3;
/// From a poll: not ready; the token will be woken.
pub const MS_PENDING: MsStatus = 4;
/// An iteration ended, or an optional thing is not there; no exception is pending.
pub const MS_END: MsStatus = 5;
/// An I/O operation failed; the [`crate::MsIo`] record says how; no exception is pending.
pub const MS_FAILED: MsStatus = 6;
/// Called on another thread than the VM's; nothing was done and no exception is pending.
pub const MS_WRONG_THREAD: MsStatus = 7;
/// The host does not have this function or request; no exception is pending.
pub const MS_UNSUPPORTED: MsStatus = 8;

/// Names a waiting task for `host->wake`, which any thread may call at any time: a token whose
/// task has ended wakes nothing. Tokens are plain numbers, copied freely, and never 0.
pub type MsToken = u64;

/// Names a running operation of the host (timer, lookup, file request, blocking call). Never 0.
pub type MsOp = u64;

/// Names a socket that the host owns. Never 0.
pub type MsSocket = u64;

/// Polls a future.
pub type MsPoll = unsafe extern "C" fn(
    data: *mut c_void,
    cx: *const MsContext,
    token: MsToken,
    out: *mut MsValue,
) -> MsStatus;

/// Continues after a call that the host made.
pub type MsContinue = unsafe extern "C" fn(
    data: *mut c_void,
    cx: *const MsContext,
    status: MsStatus,
    value: MsValue,
    out: *mut MsValue,
) -> MsStatus;

/// Ends something in place or frees it.
pub type MsDrop = unsafe extern "C" fn(data: *mut c_void);

plain_record! {
    /// Work that completes later. The host owns it once it was handed over, and calls each
    /// function on the VM's thread, never two at a time.
    pub struct MsFuture {
        /// The extension's own.
        pub data: *mut c_void,
        /// `MS_OK` with `out`, `MS_RAISED`, or `MS_PENDING` after `token` was given to something
        /// that will wake it. Not called again after another answer than `MS_PENDING`.
        pub poll: Option<MsPoll>,
        /// Frees `data`, exactly once, finished or not. The VM still lives, script cannot be run.
        pub drop: Option<MsDrop>,
    }
}

plain_record! {
    /// What happens after a call that the host makes on behalf of a native (`flow->tail_call`).
    pub struct MsThen {
        /// The extension's own.
        pub data: *mut c_void,
        /// Called once with `MS_OK` and the result, or `MS_RAISED` and the exception object (which
        /// counts as handled, but is raised again by `MS_RAISED` without another one). Answers as a
        /// native does. Null: the result is passed on.
        pub then: Option<MsContinue>,
        /// Frees `data`, exactly once, whether or not `then` was called. May be null.
        pub drop: Option<MsDrop>,
    }
}
