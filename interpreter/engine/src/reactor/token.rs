//! Task tokens and the queue through which any thread wakes a task.
//!
//! A wake costs a push under a mutex; the system call that ends a sleeping `poll` is made only
//! when the VM's thread sleeps, and once per sleep. The two flags follow Dekker: a waker writes
//! `pending` and then reads `asleep`, the reactor writes `asleep` and then reads `pending`, all
//! sequentially consistent, so one of them sees the other.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::slab::Key;

/// Who waits: the scheduler's name for a parked task, with a generation in its upper half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskToken(u64);

impl TaskToken {
    /// The token as it crosses the C ABI.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Any word is a token; one that names no task wakes nobody.
    pub const fn from_bits(bits: u64) -> TaskToken {
        TaskToken(bits)
    }

    /// The key of the task in the scheduler's slab.
    pub const fn key(self) -> Key {
        Key::from_bits(self.0)
    }
}

impl From<Key> for TaskToken {
    fn from(key: Key) -> TaskToken {
        TaskToken(key.to_bits())
    }
}

/// Wakes tasks of one VM from any thread. Outliving the reactor is harmless.
#[derive(Clone, Debug)]
pub struct Waker {
    shared: Arc<Shared>,
}

impl Waker {
    pub(super) fn new(shared: Arc<Shared>) -> Waker {
        Waker { shared }
    }

    /// Makes `token` come out of the current or next [`turn`](super::Reactor::turn).
    pub fn wake(&self, token: TaskToken) {
        self.shared.queue().push(token);
        self.notify();
    }

    pub(super) fn job_started(&self) {
        self.shared.jobs.fetch_add(1, SeqCst);
    }

    /// Whether it was the last one.
    pub(super) fn job_ended(&self) -> bool {
        self.shared.jobs.fetch_sub(1, SeqCst) == 1
    }

    /// Ends the current or next sleep of the reactor without waking a task, so that its owner
    /// looks at its own flags. Takes no lock and does not allocate: on Unix a signal handler may
    /// call it.
    pub fn notify(&self) {
        self.shared.pending.store(true, SeqCst);
        if self.shared.asleep.swap(false, SeqCst)
            && let Some(waker) = self.shared.poll_waker.get()
        {
            // It fails only when the poll's descriptor is broken, and then `turn` reports it.
            let _ = waker.wake();
        }
    }
}

/// What the reactor, its wakers and its jobs have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    queue: Mutex<Vec<TaskToken>>,
    pending: AtomicBool,
    asleep: AtomicBool,
    poll_waker: OnceLock<mio::Waker>,
    /// Jobs that run or wait for a thread and whose result somebody still wants.
    pub(super) jobs: AtomicUsize,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Vec<TaskToken>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called once, when the poll is made.
    pub(super) fn set_poll_waker(&self, waker: mio::Waker) {
        let _ = self.poll_waker.set(waker);
    }

    /// Moves the queued tokens to `ready`; true if there was a wake-up, be it without a token.
    pub(super) fn drain(&self, ready: &mut Vec<TaskToken>) -> bool {
        if !self.pending.swap(false, SeqCst) {
            return false;
        }
        ready.append(&mut self.queue());
        true
    }

    /// Whether a wake-up has not been taken in yet.
    pub(super) fn has_wakes(&self) -> bool {
        self.pending.load(SeqCst)
    }

    /// Announces a sleep; false if a wake-up came first, and then there must be no sleep.
    pub(super) fn prepare_sleep(&self) -> bool {
        self.asleep.store(true, SeqCst);
        if self.pending.load(SeqCst) {
            self.asleep.store(false, SeqCst);
            return false;
        }
        true
    }

    pub(super) fn end_sleep(&self) {
        self.asleep.store(false, SeqCst);
    }
}
