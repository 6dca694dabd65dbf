//! What the host offers to extensions: one table of function tables.
//!
//! Every function takes the VM first, may be called only on the VM's thread while a native of
//! that VM runs (a call, a poll, `init`, `shutdown`), and answers a status. Where it answers
//! `MS_RAISED` an exception is pending and the native should return `MS_RAISED` itself, or take
//! the exception with `flow->take_error`. `out` is written only with `MS_OK`.
//!
//! Functions marked *may run script* are for natives with `MS_FN_CALLS_BACK`; from another native
//! they work as long as the script code does not suspend.

mod file;
mod flow;
mod net;
mod object;
mod task;
mod value;

pub use file::*;
pub use flow::*;
pub use net::*;
pub use object::*;
pub use task::*;
pub use value::*;

use crate::record::record;
use crate::{MsStatus, MsStr, MsToken};

record! {
    /// The host. Lives as long as the process; equal for all VMs of one host.
    pub struct MsHost {
        /// Bytes of this record.
        pub size: usize,
        /// `MS_ABI_MAJOR` of the host.
        pub abi_major: u32,
        /// `MS_ABI_MINOR` of the host.
        pub abi_minor: u32,
        /// Name and version of the product.
        pub product: MsStr,
        /// Wakes the task of a token. Any thread, any time, never blocks for long.
        pub wake: Option<unsafe extern "C" fn(token: MsToken) -> MsStatus>,
        /// Making and reading values.
        pub value: *const MsHostValue,
        /// The object protocol.
        pub object: *const MsHostObject,
        /// Exceptions, calls, limits.
        pub flow: *const MsHostFlow,
        /// Tasks, timers, the thread pool.
        pub task: *const MsHostTask,
        /// Sockets and names.
        pub net: *const MsHostNet,
        last:
        /// The file service.
        pub file: *const MsHostFile,
    }
}

// SAFETY: an immutable table of functions.
unsafe impl Sync for MsHost {}
