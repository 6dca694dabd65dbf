//! The host's tables as this SDK knows them: copied once, what an older host lacks is null.

use miniscript_abi::*;
use std::sync::Mutex;

/// Widened copies of the host's tables.
pub(crate) struct Host {
    source: usize,
    pub(crate) raw: MsHost,
    pub(crate) value: MsHostValue,
    pub(crate) object: MsHostObject,
    pub(crate) flow: MsHostFlow,
    pub(crate) task: MsHostTask,
    pub(crate) net: MsHostNet,
    pub(crate) file: MsHostFile,
}

// SAFETY: tables of functions and pointers to tables, all immutable for the process.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

/// One process has one host, or a few in tests.
static HOSTS: Mutex<Vec<&'static Host>> = Mutex::new(Vec::new());

impl Host {
    /// The copy for a host; leaks one for each host of the process.
    ///
    /// # Safety
    /// `host` is the pointer that the host passed in a context.
    pub(crate) unsafe fn of(host: *const MsHost) -> &'static Self {
        let mut hosts = HOSTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = hosts.iter().find(|known| known.source == host as usize) {
            return known;
        }
        // SAFETY: the host's records start with their size and live as long as the process.
        let copy: &'static Self = unsafe {
            let raw = widen(host, (*host).size);
            Box::leak(Box::new(Self {
                source: host as usize,
                value: table(raw.value, |t| t.size),
                object: table(raw.object, |t| t.size),
                flow: table(raw.flow, |t| t.size),
                task: table(raw.task, |t| t.size),
                net: table(raw.net, |t| t.size),
                file: table(raw.file, |t| t.size),
                raw,
            }))
        };
        hosts.push(copy);
        copy
    }
}

/// # Safety
/// `pointer` is null or points to a table that starts with its size.
unsafe fn table<T: Record>(pointer: *const T, size: fn(&T) -> usize) -> T {
    if pointer.is_null() {
        // SAFETY: nothing is read when the size is 0; the result is all zero.
        return unsafe { widen(std::ptr::NonNull::<T>::dangling().as_ptr(), 0) };
    }
    // SAFETY: the first word of every host table is its size; the closure reads only that.
    unsafe { widen(pointer, size(&*pointer)) }
}
