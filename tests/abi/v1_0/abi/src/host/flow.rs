//! Exceptions, calls, limits and rights.

use crate::record::host_table;
use crate::{MsFuture, MsKeyword, MsStr, MsThen, MsValue};

/// [`MsHostFlow::write`]: standard output.
pub const MS_STREAM_OUT: u32 = 1;
/// [`MsHostFlow::write`]: standard error.
pub const MS_STREAM_ERR: u32 = 2;

host_table! {
    /// Exceptions, calls, limits and rights.
    pub struct MsHostFlow {
        /// Raises an exception. `type_name` names one of the running extension's classes or a
        /// builtin exception (in this order); another name gives a RuntimeError that tells it. `cause`
        /// may be null. Always answers `MS_RAISED` (or `MS_WRONG_THREAD`), so a native can return the result.
        fn raise(type_name: MsStr, message: MsStr, cause: *const MsValue);
        /// Raises an exception object or class. Answers as `raise`.
        fn raise_value(exception: MsValue);
        /// Raises the OSError (of the fitting subclass) of a failed I/O operation, with the file
        /// name if `path` is not empty. Answers as `raise`.
        fn raise_io(io: *const crate::MsIo, path: MsStr);
        /// Takes the pending exception, which is none afterwards; `MS_END` if there is none.
        fn take_error(out: *mut MsValue);
        /// Calls and waits for the result. Runs script.
        fn call(callee: MsValue, argc: usize, args: *const MsValue, keywords: usize, named: *const MsKeyword, out: *mut MsValue);
        /// Sets the call that the host makes once the native returned; answers `MS_CALL`, which
        /// the native returns. The cheap way to call back: nothing is nested. Takes over
        /// `then->data` in any case; `then` may be null, the call's result is then the native's.
        fn tail_call(callee: MsValue, argc: usize, args: *const MsValue, then: *const MsThen);
        /// Sets the future that the task waits for; answers `MS_SUSPEND`, which the native
        /// returns. Takes over the future in any case.
        fn suspend(future: *const MsFuture);
        /// Charges work of a long loop against fuel and time; about one unit per simple step.
        /// Raises when a limit is reached, an interrupt arrived, or the task was cancelled.
        fn charge(units: u64);
        /// Accounts memory the extension holds for this VM (negative: freed); MemoryError.
        fn account(bytes: i64);
        /// Asks for a right (`read`, `write`, `net`, `env`, `run`, ...); PermissionError.
        fn permission(kind: MsStr, scope: MsStr);
        last:
        /// Writes text to a stream of the VM (`MS_STREAM_`), as `print` does.
        fn write(stream: u32, text: MsStr);
    }
}
