//! `MsHostTask`: tasks, operations, timers and the thread pool.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use miniscript_abi::*;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::{Value, Vm};

use super::call::{Call, bridge, host};
use super::error;
use super::future::ExtFuture;
use super::host_value::{put, slice};
use super::ops::{NOBODY, Op, Timer, Work};
use crate::reactor::TaskToken;
use crate::scheduler;

pub(super) static TABLE: MsHostTask = MsHostTask {
    size: size_of::<MsHostTask>(),
    spawn: Some(spawn),
    spawn_future: Some(spawn_future),
    poll: Some(poll),
    cancel: Some(cancel),
    sleep: Some(sleep),
    blocking: Some(blocking),
    op_poll: Some(op_poll),
    op_close: Some(op_close),
};

/// The task behind a token of the extension's.
pub(super) fn task_of(call: &Call, token: MsToken) -> TaskToken {
    let (known, task) = call.token.get();
    if known == token && token != 0 { task } else { super::future::target(token).unwrap_or(NOBODY) }
}

unsafe extern "C" fn spawn(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let task = scheduler::spawn(vm, call.value(callee)?, &call.values(slice(args, argc))?)?;
            put(call, task, out)
        })
    }
}

/// A future that a task of its own will wait for.
struct Parked(Option<ExtFuture>);

impl Payload for Parked {}

static DRIVE: NativeDef =
    NativeDef::new("future", "future, /", drive, "Wait for the future of an extension.");

fn drive<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let future = args[0].get::<Opaque>().and_then(|o| o.with(|p: &mut Parked| p.0.take()));
    match future.flatten() {
        Some(future) => Err(scheduler::suspend(future)),
        None => Err(vm.runtime_error("the future was waited for before")),
    }
}

unsafe extern "C" fn spawn_future(
    at: *mut MsVm,
    future: *const MsFuture,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table; the future is taken over in any case.
    unsafe {
        let Some(&future) = future.as_ref() else { return MS_UNSUPPORTED };
        host(at, |call| {
            let vm = call.vm();
            let bridge = call.bridge();
            let future = ExtFuture::new(call, future);
            let parked = bridge.carrier(vm, Box::new(Parked(Some(future))))?;
            let drive = vm.foreign_native(&DRIVE, Value::EMPTY, Value::EMPTY, 0);
            put(call, scheduler::spawn(vm, drive, &[parked])?, out)
        })
    }
}

unsafe extern "C" fn poll(
    at: *mut MsVm,
    task: MsValue,
    token: MsToken,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            match scheduler::poll_task(vm, call.value(task)?, task_of(call, token)) {
                std::task::Poll::Pending => Ok(MS_PENDING),
                std::task::Poll::Ready(result) => put(call, result?, out),
            }
        })
    }
}

unsafe extern "C" fn cancel(at: *mut MsVm, task: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            scheduler::cancel_task(call.vm(), call.value(task)?)?;
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn sleep(at: *mut MsVm, nanoseconds: u64, out: *mut MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let bridge = call.bridge();
            let timer = Timer::new(Rc::clone(&bridge.reactor), Duration::from_nanos(nanoseconds));
            out.write(bridge.add_op(Op::Timer(timer)));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn blocking(
    at: *mut MsVm,
    work: Option<MsWork>,
    data: *mut c_void,
    end: Option<MsDrop>,
    out: *mut MsOp,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let Some(work) = work else { return MS_UNSUPPORTED };
        host(at, |call| {
            let bridge = call.bridge();
            let own = Work::new(data, end);
            let shared = Arc::clone(&own);
            let job = bridge.reactor.blocking(NOBODY, move || shared.run(work));
            match job {
                Ok(job) => {
                    out.write(bridge.add_op(Op::Work(Some(job), own)));
                    Ok(MS_OK)
                }
                Err(e) => Err(Exit::Raise(error::of_io(call.vm(), &error::io_of(&e), "")?)),
            }
        })
    }
}

unsafe extern "C" fn op_poll(at: *mut MsVm, op: MsOp, token: MsToken) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| match call.bridge().poll_op(op, task_of(call, token)) {
            Some(true) => Ok(MS_OK),
            Some(false) => Ok(MS_PENDING),
            None => Err(call.vm().runtime_error("the operation is not open")),
        })
    }
}

unsafe extern "C" fn op_close(at: *mut MsVm, op: MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    match unsafe { bridge(at) } {
        Ok(bridge) => {
            bridge.close_op(op);
            MS_OK
        }
        Err(status) => status,
    }
}
