//! Timers: a binary heap of deadlines over a slab, monotonic time.
//!
//! Cancelling only empties the slab's place; the heap's entry dies when it comes up, or in a
//! sweep once dead entries are the majority, so a cancel is O(1) and idle time-outs of many
//! connections do not pile up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use super::slab::{GenSlab, Key};
use super::token::TaskToken;

/// One timer. It is gone when it has fired or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerId(Key);

impl TimerId {
    /// The id as it crosses the C ABI.
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The inverse of [`TimerId::to_bits`].
    pub const fn from_bits(bits: u64) -> TimerId {
        TimerId(Key::from_bits(bits))
    }
}

/// Far enough to mean never, near enough for every platform's clock.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
const SWEEP_MIN: usize = 64;

/// `now + after`, where too much means in a hundred years.
pub(super) fn deadline_after(now: Instant, after: Duration) -> Instant {
    now.checked_add(after.min(FAR)).unwrap_or(now)
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    live: GenSlab<TaskToken>,
    /// Ordered by time, then by age.
    heap: BinaryHeap<Reverse<(Instant, u64, Key)>>,
    next_age: u64,
}

impl Timers {
    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    pub(super) fn insert(&mut self, at: Instant, token: TaskToken) -> TimerId {
        if self.heap.len() >= SWEEP_MIN && self.heap.len() > 2 * self.live.len() {
            let live = &self.live;
            self.heap.retain(|Reverse((_, _, key))| live.get(*key).is_some());
        }
        let key = self.live.insert(token);
        self.heap.push(Reverse((at, self.next_age, key)));
        self.next_age += 1;
        TimerId(key)
    }

    pub(super) fn cancel(&mut self, id: TimerId) -> bool {
        self.live.remove(id.0).is_some()
    }

    pub(super) fn is_pending(&self, id: TimerId) -> bool {
        self.live.get(id.0).is_some()
    }

    /// When the first live timer is due.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, _, key))) = self.heap.peek() {
            if self.live.get(*key).is_some() {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    /// Takes the timers that are due by `now` and wakes their tasks, the earliest first.
    pub(super) fn expire(&mut self, now: Instant, ready: &mut Vec<TaskToken>) {
        while let Some(Reverse((at, _, key))) = self.heap.peek().copied() {
            if self.live.get(key).is_some() && at > now {
                break;
            }
            self.heap.pop();
            ready.extend(self.live.remove(key));
        }
    }

    #[cfg(test)]
    pub(super) fn heap_len(&self) -> usize {
        self.heap.len()
    }
}
