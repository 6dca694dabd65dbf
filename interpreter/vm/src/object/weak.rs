//! Weak references: an object that refers to another without keeping it alive.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::{lend, read};
use crate::heap::{Header, Kind, Marker, Object, is_live};
use crate::value::{EMPTY, Value, Word, ptr_of};

/// A `weakref.ref`.
#[repr(C)]
pub struct WeakRef {
    head: Header,
    /// What it refers to, which it does not keep alive; Empty once that is gone.
    target: Cell<Word>,
    /// Called with the reference when the target is gone; or None.
    pub callback: Cell<Word>,
    /// The target's hash, once somebody asked for it.
    pub hash: Cell<Option<i64>>,
}

impl WeakRef {
    pub(crate) fn new(shape: u32, target: Value<'_>, callback: Value<'_>) -> WeakRef {
        WeakRef {
            head: Header::new(Kind::WeakRef, shape),
            target: Cell::new(target.word()),
            callback: Cell::new(callback.word()),
            hash: Cell::new(None),
        }
    }

    /// What it refers to, or Empty. Nothing is collected while a value is held, so what is read
    /// here lives.
    pub fn target(&self) -> Value<'_> {
        lend(self, self.target.get())
    }

    /// Its callback, or None.
    pub fn callback(&self) -> Value<'_> {
        read(&self.callback)
    }
}

// SAFETY: repr(C), header first; the target is known to `WeakRefs`, which empties it before what
// it refers to is swept.
unsafe impl Object for WeakRef {
    const KIND: Kind = Kind::WeakRef;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.callback);
    }
}

/// The weak references of a VM, by what they refer to.
#[derive(Default)]
pub struct WeakRefs {
    refs: RefCell<FxHashMap<Word, Vec<Word>>>,
    /// References whose targets are gone, and whose callbacks were not called yet.
    due: RefCell<Vec<Word>>,
    /// Whether callbacks are being called.
    pub(crate) running: Cell<bool>,
}

impl WeakRefs {
    /// Notes a new reference.
    pub(crate) fn add(&self, target: Value<'_>, weak: Value<'_>) {
        self.refs.borrow_mut().entry(target.word()).or_default().push(weak.word());
    }

    /// The words of the references to `target`; some may be garbage that was not swept yet.
    pub(crate) fn of(&self, target: Value<'_>) -> Vec<Word> {
        self.refs.borrow().get(&target.word()).cloned().unwrap_or_default()
    }

    /// The next reference whose callback is due.
    pub(crate) fn next_due(&self) -> Option<Word> {
        let mut due = self.due.borrow_mut();
        if due.is_empty() { None } else { Some(due.remove(0)) }
    }

    /// Whether callbacks are due.
    pub(crate) fn any_due(&self) -> bool {
        !self.due.borrow().is_empty()
    }

    /// Visits the references whose callbacks are due.
    pub(crate) fn trace(&self, m: &mut Marker) {
        m.words(&self.due.borrow());
    }

    /// Forgets references that are garbage, and empties those to what is. Between mark and sweep.
    pub(crate) fn sweep(&self) {
        let mut due = self.due.borrow_mut();
        self.refs.borrow_mut().retain(|&target, refs| {
            // SAFETY: objects that the last collection found alive and that were not swept since.
            refs.retain(|&w| unsafe { is_live(ptr_of(w)) });
            // SAFETY: as above; the target of a reference that lives was alive then.
            if unsafe { is_live(ptr_of(target)) } {
                return !refs.is_empty();
            }
            // The newest is told first.
            for &w in refs.iter().rev() {
                // SAFETY: the words are those of weak references, and alive.
                let weak = unsafe { &*ptr_of(w).cast::<WeakRef>() };
                weak.target.set(EMPTY);
                if !weak.callback().is_none() {
                    due.push(w);
                }
            }
            false
        });
    }
}
