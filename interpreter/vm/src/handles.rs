//! Values that the host holds on to: numbered roots with generations.

use crate::heap::Marker;
use crate::value::{EMPTY, Word};

/// What a handle costs: its slot, its place in the list of free ones, its owner's record.
const HANDLE_BYTES: usize = 32;

/// A root that the host holds. Stale ones are found out, never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Slot number.
    pub index: u32,
    /// Generation of the slot.
    pub generation: u32,
}

#[derive(Default)]
pub(crate) struct Handles {
    slots: Vec<(Word, u32)>,
    free: Vec<u32>,
}

impl Handles {
    pub(crate) fn add(&mut self, w: Word) -> Handle {
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.0 = w;
            return Handle { index, generation: slot.1 };
        }
        let index = self.slots.len() as u32;
        self.slots.push((w, 1));
        Handle { index, generation: 1 }
    }

    pub(crate) fn get(&self, h: Handle) -> Option<Word> {
        let &(w, g) = self.slots.get(h.index as usize)?;
        (g == h.generation && w != EMPTY).then_some(w)
    }

    pub(crate) fn remove(&mut self, h: Handle) -> Option<Word> {
        let w = self.get(h)?;
        self.slots[h.index as usize] = (EMPTY, h.generation.wrapping_add(1));
        self.free.push(h.index);
        Some(w)
    }

    pub(crate) fn trace(&self, m: &mut Marker) {
        for &(w, _) in &self.slots {
            m.word(w);
        }
    }
}

impl crate::Vm {
    /// Keeps `v` alive until the handle is released.
    pub fn retain(&self, v: crate::Value<'_>) -> Handle {
        self.hold_word(v.word())
    }

    /// The value behind a handle, unless it was released.
    pub fn handle(&self, h: Handle) -> Option<crate::Value<'_>> {
        let w = self.handles.borrow().get(h)?;
        Some(self.word_value(w))
    }

    /// Gives up a handle; `false` if it was not held.
    pub fn release(&self, h: Handle) -> bool {
        self.take_handle(h).is_some()
    }

    /// As [`Vm::retain`], for a bare word.
    pub(crate) fn hold_word(&self, w: Word) -> Handle {
        self.heap.hold(HANDLE_BYTES);
        self.handles.borrow_mut().add(w)
    }

    /// Gives up a handle and returns what it held.
    pub(crate) fn take_handle(&self, h: Handle) -> Option<Word> {
        let held = self.handles.borrow_mut().remove(h);
        if held.is_some() {
            self.heap.refund(HANDLE_BYTES);
        }
        held
    }
}
