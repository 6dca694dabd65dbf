//! Tasks as extensions and embedders handle them: started, polled and cancelled from Rust.

use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::{Value, Vm};

use super::api::TASK_MAIN;
use super::run::cancelled;
use super::task::{Join, Kind, Start, Task, new_object, task_of};
use super::{Wait, no_engine};
use crate::host::EngineHost;
use crate::reactor::TaskToken;

/// Starts a task that calls `func` with `args`; its Task object.
pub(crate) fn spawn<'v>(vm: &'v Vm, func: Value<'v>, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let task = new_task(vm, func, args)?;
    task.inherit(vm, host.scheduler.running());
    let object = new_object(vm, Rc::clone(&task))?;
    host.scheduler.add(vm, task);
    Ok(object)
}

/// Starts a task as a thread, with no context variables set; its number.
pub(crate) fn spawn_thread<'v>(vm: &'v Vm, func: Value<'v>, kind: Kind) -> Result<u64, Exit<'v>> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let task = new_task(vm, func, &[])?;
    task.kind.set(kind);
    host.scheduler.add(vm, Rc::clone(&task));
    Ok(task.token.get().to_bits())
}

fn new_task<'v>(vm: &'v Vm, func: Value<'v>, args: &[Value<'v>]) -> Result<Rc<Task>, Exit<'v>> {
    let main = vm.foreign_native(&TASK_MAIN, Value::EMPTY, Value::EMPTY, 0);
    let args = [func, vm.tuple(args)?, vm.empty_tuple()];
    let start = Start { func: vm.retain(main), args: args.map(|v| vm.retain(v)).to_vec() };
    Ok(Task::new(start))
}

/// The result of the task behind a Task object, or `token` is woken when it has ended.
pub(crate) fn poll_task<'v>(vm: &'v Vm, task: Value<'v>, token: TaskToken) -> Poll<NResult<'v>> {
    match task_of(task) {
        Some(task) => Join::new(task, None).poll(vm, token),
        None => Poll::Ready(Err(vm.type_error("a Task is required"))),
    }
}

/// Cancels the task behind a Task object.
pub(crate) fn cancel_task<'v>(vm: &'v Vm, task: Value<'v>) -> Result<(), Exit<'v>> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let task = task_of(task).ok_or_else(|| vm.type_error("a Task is required"))?;
    host.scheduler.cancel(&task);
    Ok(())
}

/// CancelledError, if the running task was asked to end.
pub(crate) fn check_cancelled(vm: &Vm) -> Result<(), Exit<'_>> {
    let Some(host) = EngineHost::of(vm) else { return Ok(()) };
    match host.scheduler.running() {
        Some(task) if task.cancel.replace(false) => Err(cancelled(vm)),
        _ => Ok(()),
    }
}
