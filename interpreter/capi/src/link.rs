//! Extensions of the embedder's own program: those of `ms_ext.h`, without a library of their own.

use miniscript_abi::MsExt;

use crate::error::{Fail, MsError};
use crate::slot::MsVm;
use crate::vm::entry;

/// Adds an extension that is linked into the program; scripts of the VM import it by its name.
///
/// # Safety
/// As `miniscript.h` says: the descriptor and what it refers to live as long as the process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_link_extension(
    vm: *mut MsVm,
    descriptor: *const MsExt,
) -> *mut MsError {
    let add = |ms: &crate::vm::Session| {
        if descriptor.is_null() {
            return Err(Fail::argument("the descriptor is null"));
        }
        if !descriptor.is_aligned() {
            return Err(Fail::argument("this is no descriptor"));
        }
        // SAFETY: by contract. It is only handed on by its address: how much of it there is, its
        // own first field tells, which the registry reads first.
        let descriptor = unsafe { &*descriptor };
        ms.run(|engine| engine.link(descriptor))?.map_err(Fail::argument)
    };
    // SAFETY: by contract.
    unsafe { entry(vm, add) }
}
