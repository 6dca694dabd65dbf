//! The reference document's names for the http extension.
//!
//! The extension is linked into this library and comes through the same descriptor as the one that
//! is installed as a file. What [`ms_http_extension_create`] gives is a marker: registering it adds
//! the extension to the VM. The right to use the network is another matter: `ms_config` grants it.

use std::ffi::{c_char, c_int};
use std::time::Duration;

use miniscript_engine::reactor::Reactor;

use crate::error::Fail;
use crate::extension::{MsExtension, MsSlot};
use crate::vm::Session;

/// The marker's name; its address is what tells it.
static NAME: [u8; 5] = *b"http\0";

fn name() -> *const c_char {
    NAME.as_ptr().cast()
}

/// Whether a name is the marker's.
pub(crate) fn is_marker(found: *const c_char) -> bool {
    std::ptr::eq(found, name())
}

/// Adds the http extension and imports it: the one that is linked in, or without the feature
/// `http` the one that is installed.
pub(crate) fn link(ms: &Session) -> Result<(), Fail> {
    let ended = ms.run(|engine| {
        #[cfg(feature = "http")]
        engine.link(ms_http::descriptor()).map_err(Fail::busy)?;
        let (import, argument) = {
            let vm = engine.vm();
            let import = vm.dict_get_str(vm.builtins(), "__import__");
            let import = import.ok_or_else(|| Fail::busy("there is no __import__"))?;
            (vm.retain(import), vm.retain(vm.short_str("http")))
        };
        let ended = engine.call(import, &[argument]);
        let vm = engine.vm();
        vm.release(import);
        vm.release(argument);
        match ended {
            Ok(module) => {
                vm.release(module);
                Ok(())
            }
            Err(failure) => Err(crate::run::failure(engine, failure)),
        }
    });
    ended?
}

/// The http extension, to be registered and then destroyed.
#[unsafe(no_mangle)]
pub extern "C" fn ms_http_extension_create() -> *mut MsExtension {
    let empty = MsSlot { name: std::ptr::null(), func: None };
    let marker = MsExtension { name: name(), functions: [empty; 64], function_count: 0 };
    Box::into_raw(Box::new(marker))
}

/// Frees what [`ms_http_extension_create`] gave; null does nothing.
///
/// # Safety
/// Null, or what `ms_http_extension_create` gave, once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_http_extension_destroy(extension: *mut MsExtension) {
    if !extension.is_null() {
        // SAFETY: by contract.
        drop(unsafe { Box::from_raw(extension) });
    }
}

/// Whether the system has an event loop to offer: 0 if so, else -1. Each VM makes and ends its
/// own.
#[unsafe(no_mangle)]
pub extern "C" fn ms_http_event_loop_init() -> c_int {
    let made = crate::vm::barrier(|| {
        let reactor = Reactor::new();
        // A lookup in a turn that may wait is what opens the system's selector.
        reactor
            .turn(Some(Duration::from_nanos(1)), &mut Vec::new())
            .map_err(|e| Fail::busy(e.to_string()))
    });
    if made.is_ok() { 0 } else { -1 }
}

/// The other half of [`ms_http_event_loop_init`]: VMs end their loops themselves.
#[unsafe(no_mangle)]
pub extern "C" fn ms_http_event_loop_shutdown() {}
