//! The connections of one VM: which are idle, and how many there may be.

use super::connection::Connection;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Connections of one VM, idle ones included. Further requests wait for a free one: without a
/// limit a thousand requests at once would run into the system's limit of open files.
const MAX_CONNECTIONS: usize = 256;
/// Servers close idle connections; one that is older than this is not tried again.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// What a connection can be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Host and port.
    pub address: (String, u16),
    /// The TLS configuration by its address; 0: not encrypted.
    pub trust: usize,
}

struct Idle {
    key: Key,
    connection: Connection,
    slot: Slot,
    since: Instant,
}

/// The connections of one VM.
#[derive(Default)]
pub struct Pool {
    /// Oldest first.
    idle: RefCell<VecDeque<Idle>>,
    /// Slots in use, by requests and idle connections.
    used: Cell<usize>,
    waiting: RefCell<VecDeque<(u64, Waker)>>,
    tickets: Cell<u64>,
}

/// The right to have one connection.
pub struct Slot(Weak<Pool>);

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.used.set(pool.used.get() - 1);
            pool.wake_next();
        }
    }
}

/// What a request gets.
pub enum Lease {
    /// A connection that was used before.
    Used(Connection, Slot),
    /// The right to make one.
    New(Slot),
}

/// A place in the queue.
struct Ticket<'a> {
    pool: &'a Pool,
    id: u64,
    served: bool,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut waiting = self.pool.waiting.borrow_mut();
        let before = waiting.len();
        waiting.retain(|(id, _)| *id != self.id);
        // Not in the queue and not served: it was woken and goes away without its turn.
        let wasted = !self.served && waiting.len() == before;
        drop(waiting);
        if wasted {
            self.pool.wake_next();
        }
    }
}

impl Pool {
    /// An idle connection or a free slot; waits for its turn.
    pub async fn lease(self: &Rc<Self>, key: &Key) -> Lease {
        let id = self.tickets.get();
        self.tickets.set(id + 1);
        let mut ticket = Ticket { pool: self, id, served: false };
        let lease = poll_fn(|cx| self.poll_lease(cx, key, id)).await;
        ticket.served = true;
        lease
    }

    fn poll_lease(self: &Rc<Self>, cx: &mut Context<'_>, key: &Key, id: u64) -> Poll<Lease> {
        self.prune();
        while let Some(mut found) = self.take_idle(key) {
            if found.connection.is_alive(cx) {
                return Poll::Ready(Lease::Used(found.connection, found.slot));
            }
        }
        if self.used.get() >= MAX_CONNECTIONS {
            // An idle connection to another server makes room.
            let oldest = self.idle.borrow_mut().pop_front();
            if oldest.is_none() {
                let mut waiting = self.waiting.borrow_mut();
                match waiting.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, waker)) => waker.clone_from(cx.waker()),
                    None => waiting.push_back((id, cx.waker().clone())),
                }
                return Poll::Pending;
            }
        }
        self.used.set(self.used.get() + 1);
        self.leave_queue(id);
        Poll::Ready(Lease::New(Slot(Rc::downgrade(self))))
    }

    fn leave_queue(&self, id: u64) {
        self.waiting.borrow_mut().retain(|(known, _)| *known != id);
    }

    fn take_idle(&self, key: &Key) -> Option<Idle> {
        let mut idle = self.idle.borrow_mut();
        let newest = idle.iter().rposition(|idle| idle.key == *key)?;
        idle.remove(newest)
    }

    fn prune(&self) {
        let old: Vec<Idle> = {
            let mut idle = self.idle.borrow_mut();
            let count = idle.iter().take_while(|idle| idle.since.elapsed() > MAX_IDLE).count();
            idle.drain(..count).collect()
        };
        drop(old);
    }

    /// Gives a connection back for further requests.
    pub fn give_back(&self, key: Key, connection: Connection, slot: Slot) {
        let idle = Idle { key, connection, slot, since: Instant::now() };
        self.idle.borrow_mut().push_back(idle);
        self.wake_next();
    }

    fn wake_next(&self) {
        let next = self.waiting.borrow_mut().pop_front();
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }
}
