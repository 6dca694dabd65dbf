//! Waiting.

use crate::Result;
use crate::op::{Op, Vm, vm_call};
use std::time::Duration;

/// Waits; only the running task sleeps.
pub async fn sleep(duration: Duration) -> Result<()> {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Op::start(Vm::current()?, |at, out| vm_call!(at, task.sleep(nanoseconds, out)))?.await
}
