//! `ms_vm_t`: a small piece of memory that outlives its VM.
//!
//! The pointer that the embedder holds leads to a slot that is never given back to the system, so
//! a VM that was freed can be told from one that lives. Slots are used again, the one that was
//! freed first before the others and only when many are waiting, so a stale pointer is refused
//! for a long time before it could mean a newer VM.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::vm::Session;

/// Slots that wait before one is used again.
const WAITING: usize = 1024;

static FREED: Mutex<VecDeque<&'static MsVm>> = Mutex::new(VecDeque::new());

/// `ms_vm_t`.
pub struct MsVm {
    /// The owner thread's number; 0 once the VM is freed.
    owner: AtomicU64,
    session: AtomicPtr<Session>,
}

impl MsVm {
    /// A slot without a VM.
    pub(crate) fn take() -> &'static MsVm {
        let mut freed = FREED.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = (freed.len() > WAITING).then(|| freed.pop_front()).flatten();
        waiting.unwrap_or_else(|| {
            Box::leak(Box::new(MsVm { owner: AtomicU64::new(0), session: AtomicPtr::default() }))
        })
    }

    /// Puts a VM of the calling thread in.
    pub(crate) fn fill(&self, session: Box<Session>) {
        self.session.store(Box::into_raw(session), Ordering::Relaxed);
        self.owner.store(thread_number(), Ordering::Release);
    }

    /// Takes the VM out; from now on every use is an error.
    pub(crate) fn empty(&'static self) -> Option<Box<Session>> {
        self.owner.store(0, Ordering::Release);
        let session = self.session.swap(std::ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: made by `fill`, and taken out once.
        (!session.is_null()).then(|| unsafe { Box::from_raw(session) })
    }

    /// Lets the slot be used again.
    pub(crate) fn give_back(&'static self) {
        FREED.lock().unwrap_or_else(PoisonError::into_inner).push_back(self);
    }

    /// The number of the owner thread, if the VM lives.
    pub(crate) fn owner(&self) -> Option<u64> {
        Some(self.owner.load(Ordering::Acquire)).filter(|owner| *owner != 0)
    }

    /// The VM, if it lives.
    pub(crate) fn session(&self) -> *const Session {
        self.session.load(Ordering::Acquire)
    }
}

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: u64 = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
}

/// The number of the calling thread; no other thread ever has the same. 0, which is nobody's, in
/// the last moments of a thread.
pub(crate) fn thread_number() -> u64 {
    NUMBER.try_with(|number| *number).unwrap_or(0)
}
