//! `MsHostFlow`: exceptions, calls, limits and rights.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use std::net::SocketAddr;
use std::path::Path;

use miniscript_abi::*;
use miniscript_vm::Value;
use miniscript_vm::builtins::Type;
use miniscript_vm::host::{Poll, Stream};
use miniscript_vm::native::{Action, Exit};
use miniscript_vm::object::class::{Class, class_flags};
use miniscript_vm::object::exc::Exception;

use super::call::{Call, ThenData, bridge, host};
use super::error::{self, io_of};
use super::future::ExtFuture;
use super::host_value::{put, slice, text};
use crate::access::{Right, Wanted, canonical_as_far_as_it_exists};
use crate::scheduler;

pub(super) static TABLE: MsHostFlow = MsHostFlow {
    size: size_of::<MsHostFlow>(),
    raise: Some(raise),
    raise_value: Some(raise_value),
    raise_io: Some(raise_io),
    take_error: Some(take_error),
    call: Some(call_value),
    tail_call: Some(tail_call),
    suspend: Some(suspend),
    charge: Some(charge),
    account: Some(account),
    permission: Some(permission),
    write: Some(write),
};

/// Text that is only shown: what is not UTF-8 in it is replaced.
fn shown<'a>(text: MsStr) -> std::borrow::Cow<'a, str> {
    // SAFETY: borrowed for the call.
    String::from_utf8_lossy(unsafe { text.as_bytes() })
}

unsafe extern "C" fn raise(
    at: *mut MsVm,
    type_name: MsStr,
    message: MsStr,
    cause: *const MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let e = error::named(call, &shown(type_name), &shown(message))?;
            if let Some(&cause) = cause.as_ref() {
                call.vm().set_cause(e, call.value(cause)?);
            }
            Err(Exit::Raise(e))
        })
    }
}

unsafe extern "C" fn raise_value(at: *mut MsVm, exception: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(exception)?;
            if v.is_a::<Exception>() {
                return Err(Exit::Raise(v));
            }
            let class = v.get::<Class>().filter(|c| c.has(class_flags::EXCEPTION));
            if class.is_none() {
                return Err(vm.type_error("exceptions must derive from BaseException"));
            }
            let made = call.run([exception], |_, [class]| Err(Exit::tail(class, Vec::new())))?;
            if made.is_a::<Exception>() {
                return Err(Exit::Raise(made));
            }
            Err(vm.type_error("exceptions must derive from BaseException"))
        })
    }
}

unsafe extern "C" fn raise_io(at: *mut MsVm, io: *const MsIo, path: MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let io = io.as_ref().copied().unwrap_or(MsIo::NONE);
            Err(Exit::Raise(error::of_io_in(call, &io, &shown(path))?))
        })
    }
}

unsafe extern "C" fn take_error(at: *mut MsVm, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| match call.take_pending() {
            Some(e) => put(call, e, out),
            None => Ok(MS_END),
        })
    }
}

unsafe extern "C" fn call_value(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    keywords: usize,
    named: *const MsKeyword,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let named: &[MsKeyword] = slice(named, keywords);
            let mut given = slice(args, argc).to_vec();
            given.extend(named.iter().map(|keyword| keyword.value));
            let names = named.iter().map(|k| text(call, k.name)).collect::<Result<Vec<_>, _>>()?;
            let bridge = call.bridge();
            let v = call.run([callee], |vm, [func]| {
                let values = given.iter().map(|&v| bridge.value(vm, v));
                let args = values.collect::<Result<Vec<_>, _>>()?;
                if names.is_empty()
                    && let Some(result) = vm.call_leaf(func, &args)
                {
                    return result;
                }
                let kwnames = if names.is_empty() {
                    Value::EMPTY
                } else {
                    let names: Vec<Value<'_>> = names.iter().map(|n| vm.intern(n)).collect();
                    vm.tuple(&names)?
                };
                Err(Exit::Do(Box::new(Action::Call { func, args, kwnames, then: None })))
            })?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn tail_call(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    then: *const MsThen,
) -> MsStatus {
    // SAFETY: the contract of the table; the data is taken over in any case.
    unsafe {
        let then = then.as_ref().map(|then| ThenData(*then));
        host(at, |call| {
            let args = slice(args, argc).to_vec();
            call.value(callee)?;
            call.values(&args)?;
            call.tail.replace(Some((callee, args, then)));
            Ok(MS_CALL)
        })
    }
}

unsafe extern "C" fn suspend(at: *mut MsVm, future: *const MsFuture) -> MsStatus {
    // SAFETY: the contract of the table; the future is taken over in any case.
    unsafe {
        let Some(&future) = future.as_ref() else { return MS_UNSUPPORTED };
        match bridge(at) {
            Ok(bridge) if !bridge.closing.get() => {}
            Ok(_) => return MS_RAISED,
            Err(status) => return status,
        }
        host(at, |call| {
            let future = ExtFuture::new(call, future);
            let outer = call.future.replace(Some(future));
            drop(outer);
            Ok(MS_SUSPEND)
        })
    }
}

unsafe extern "C" fn charge(at: *mut MsVm, units: u64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match bridge(at) {
            Ok(bridge) if bridge.charge(units) => host(at, limits),
            Ok(_) => MS_OK,
            Err(status) => status,
        }
    }
}

/// Looks at the limits of the VM, and whether the task was cancelled.
pub(super) fn limits(call: &Call) -> Result<MsStatus, Exit<'_>> {
    let vm = call.vm();
    if vm.heap.over_limit() {
        return Err(vm.memory_error());
    }
    match vm.host().poll() {
        Poll::Continue => scheduler::check_cancelled(vm).map(|()| MS_OK),
        Poll::Interrupt => {
            let shape = Type::KeyboardInterrupt.shape();
            Err(Exit::Raise(vm.new_exception(shape, vm.empty_tuple())))
        }
        Poll::Deadline => Err(vm.limit_error(false)),
        Poll::Over => Err(vm.limit_error(true)),
        // The task stops at its next safepoint.
        Poll::OutOfFuel => {
            vm.trip();
            Ok(MS_OK)
        }
    }
}

unsafe extern "C" fn account(at: *mut MsVm, bytes: i64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        if bytes < 0 {
            // Memory is also given back by `drop` functions.
            return match bridge(at) {
                Ok(bridge) if bridge.closing.get() => MS_OK,
                Ok(bridge) => {
                    let bytes = usize::try_from(bytes.unsigned_abs()).unwrap_or(usize::MAX);
                    bridge.vm().heap.refund(bytes);
                    MS_OK
                }
                Err(status) => status,
            };
        }
        host(at, |call| {
            call.vm().charge(usize::try_from(bytes).unwrap_or(usize::MAX))?;
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn permission(at: *mut MsVm, kind: MsStr, scope: MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let (kind, scope) = (shown(kind), shown(scope));
            let bridge = call.bridge();
            let Some(right) = Right::of_name(&kind) else {
                return match bridge.files.access().is_unrestricted() {
                    true => Ok(MS_OK),
                    false => Err(call.vm().err(
                        Type::PermissionError,
                        format!("the right '{kind}' is not known, and so not granted"),
                    )),
                };
            };
            let file = canonical_as_far_as_it_exists(Path::new(&*scope));
            let host = || match scope.rsplit_once(':') {
                Some((host, port)) => (host, port.parse().unwrap_or(0)),
                None => (&*scope, 0),
            };
            let wanted = match right {
                _ if scope.is_empty() => Wanted::All(right),
                Right::Read | Right::Write => Wanted::file(right, &file),
                Right::Net => match (scope.parse(), scope.parse()) {
                    (Ok(address), _) => Wanted::Address(address),
                    (_, Ok(ip)) => Wanted::Address(SocketAddr::new(ip, 0)),
                    _ => Wanted::Host(host().0, host().1),
                },
                Right::Env => Wanted::Env(&scope),
                Right::Run => Wanted::Run(&scope),
                Right::Import => Wanted::Import(&scope),
                Right::Ext => Wanted::Ext(&scope),
                Right::Stdin => Wanted::Stdin,
            };
            match bridge.permits(&wanted) {
                true => Ok(MS_OK),
                false => Err(call.vm().err(Type::PermissionError, bridge.refusal.take())),
            }
        })
    }
}

unsafe extern "C" fn write(at: *mut MsVm, stream: u32, text: MsStr) -> MsStatus {
    let stream = match stream {
        MS_STREAM_OUT => Stream::Out,
        MS_STREAM_ERR => Stream::Err,
        _ => return MS_UNSUPPORTED,
    };
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| match call.vm().host().write(stream, text.as_bytes()) {
            Ok(()) => Ok(MS_OK),
            Err(e) => Err(Exit::Raise(error::of_io(call.vm(), &io_of(&e), "")?)),
        })
    }
}
