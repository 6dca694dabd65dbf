//! `MsHostObject`: native classes and their instances.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use std::ffi::c_void;

use miniscript_abi::*;
use miniscript_vm::Value;
use miniscript_vm::native::Exit;
use miniscript_vm::object::class::Class;
use miniscript_vm::object::opaque::Opaque;

use super::call::{Call, host};
use super::host_value::put;
use super::payload::NativePayload;

/// The class of the running extension with an `id`.
fn own_class<'c>(call: &'c Call, id: *const c_void) -> Result<&'c Class, Exit<'c>> {
    let found = call.loaded().and_then(|l| l.class(call.vm(), id));
    found.ok_or_else(|| call.vm().type_error("the extension has no such class"))
}

pub(super) unsafe extern "C" fn class_of(
    at: *mut MsVm,
    id: *const c_void,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let class = own_class(call, id)?;
            put(call, Value::object(class), out)
        })
    }
}

pub(super) unsafe extern "C" fn native_new(
    at: *mut MsVm,
    id: *const c_void,
    exact: MsValue,
    payload: *const c_void,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table: `payload_size` bytes are moved.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let own = own_class(call, id)?;
            let exact = call.value(exact)?;
            let class = match exact.get::<Class>() {
                _ if exact.is_none() => own,
                Some(class) if class.is_subclass(own) => class,
                _ => {
                    return Err(vm.type_error(format!(
                        "{}.__new__(X): X is not a subtype of {}",
                        own.name_str(),
                        own.name_str()
                    )));
                }
            };
            let record = call.loaded().and_then(|l| l.class_index(id).map(|i| &l.ext.classes[i]));
            let Some(record) = record else {
                return Err(vm.type_error("the extension has no such class"));
            };
            let bridge = call.bridge().rc();
            let size = record.record.payload_size;
            vm.check(size)?;
            let made = NativePayload::moved(bridge, record, payload);
            let made = made.ok_or_else(|| vm.memory_error())?;
            // From here on the payload is ours, and a failure would end it: the check was before.
            let _ = vm.charge(size);
            put(call, vm.opaque(class, Some(Box::new(made))), out)
        })
    }
}

pub(super) unsafe extern "C" fn native_payload(
    at: *mut MsVm,
    id: *const c_void,
    object: MsValue,
    out: *mut *mut c_void,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(object)?;
            let table = call.loaded().map_or(&[][..], |l| l.ext.classes.as_slice());
            let place = v
                .get::<Opaque>()
                .and_then(|o| o.with(|p: &mut NativePayload| p.of_class(id, table)))
                .flatten();
            match place {
                Some(place) => {
                    call.hold(object, v);
                    out.write(place);
                    Ok(MS_OK)
                }
                None => {
                    let own = own_class(call, id)?;
                    Err(vm.type_error(format!(
                        "a '{}' object is required, not '{}'",
                        own.name_str(),
                        vm.type_name(v)
                    )))
                }
            }
        })
    }
}
