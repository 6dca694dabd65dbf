//! Instances of native classes: an opaque object whose payload is the extension's memory.

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;
use std::rc::Rc;

use miniscript_abi::*;
use miniscript_vm::heap::Marker;
use miniscript_vm::object::opaque::Payload;

use super::Bridge;
use super::handle::traced_key;
use crate::registry::Class;

/// The payload of an instance.
pub(super) struct NativePayload {
    bridge: Rc<Bridge>,
    class: &'static Class,
    place: *mut u8,
    layout: Layout,
}

impl NativePayload {
    /// Moves the payload of an instance of `class` to a place of its own; None if there is no
    /// memory, and then the extension keeps it.
    ///
    /// # Safety
    /// `source` holds as many bytes as the class says.
    pub(super) unsafe fn moved(
        bridge: Rc<Bridge>,
        class: &'static Class,
        source: *const c_void,
    ) -> Option<NativePayload> {
        let size = class.record.payload_size;
        let align = class.record.payload_align.clamp(1, 16).next_power_of_two();
        let layout = Layout::from_size_align(size.max(1), align).ok()?;
        // SAFETY: the size is not 0; the source has `size` bytes by contract.
        let place = unsafe {
            let place = alloc(layout);
            if place.is_null() {
                return None;
            }
            if size > 0 {
                std::ptr::copy_nonoverlapping(source.cast::<u8>(), place, size);
            }
            place
        };
        Some(NativePayload { bridge, class, place, layout })
    }

    /// Where it lies, if it is one of the class `id`, or of a class of `table` that derives from
    /// it: such a payload begins with that of its base.
    pub(super) fn of_class(&self, id: *const c_void, table: &[Class]) -> Option<*mut c_void> {
        let mut class: &Class = self.class;
        let mut before = table.iter().position(|c| std::ptr::eq(c, class)).unwrap_or(0);
        while !std::ptr::eq(class.record.id, id) {
            let size = class.record.payload_size;
            before = table[..before]
                .iter()
                .position(|c| c.name == class.base && c.record.payload_size <= size)?;
            class = &table[before];
        }
        Some(self.place.cast())
    }
}

struct Visitor<'a> {
    bridge: &'a Bridge,
    marker: &'a mut Marker,
}

/// # Safety
/// `visitor` is the one that `trace` handed on, `value` points to a value.
unsafe extern "C" fn visit(visitor: *mut c_void, value: *const MsValue) {
    // SAFETY: by contract.
    let (visitor, value) = unsafe { (&mut *visitor.cast::<Visitor<'_>>(), *value) };
    if (value.payload >> 32) as u32 != visitor.bridge.number {
        return;
    }
    if let Some(key) = traced_key(value) {
        visitor.bridge.traced.borrow_mut().visit(key, visitor.marker);
    }
}

impl Payload for NativePayload {
    fn trace(&self, m: &mut Marker) {
        let Some(trace) = self.class.record.trace else { return };
        let mut visitor = Visitor { bridge: &self.bridge, marker: m };
        // SAFETY: the contract of `MsTrace`: it only calls `visit`.
        unsafe { trace(self.place.cast(), visit, (&raw mut visitor).cast()) };
    }
}

impl Drop for NativePayload {
    fn drop(&mut self) {
        // No call runs while a payload ends: functions that need one are refused.
        let outer = self.bridge.current.replace(std::ptr::null());
        // SAFETY: the payload was moved in and ends here, once.
        unsafe {
            if let Some(end) = self.class.record.drop {
                end(self.place.cast());
            }
            dealloc(self.place, self.layout);
        }
        if !self.bridge.closing.get() {
            self.bridge.vm().heap.refund(self.class.record.payload_size);
        }
        self.bridge.current.set(outer);
    }
}
