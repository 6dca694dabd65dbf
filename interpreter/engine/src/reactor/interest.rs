//! Readiness of one source and the tasks that wait for it.

use super::token::TaskToken;

/// Which half of a source an operation uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What arrives.
    Read = 0,
    /// What is sent.
    Write = 1,
}

/// Tasks parked on one direction. Nearly always one, so the first has a place of its own.
#[derive(Debug, Default)]
struct Waiters {
    first: Option<TaskToken>,
    rest: Vec<TaskToken>,
}

impl Waiters {
    fn add(&mut self, token: TaskToken) {
        match self.first {
            None => self.first = Some(token),
            Some(first) if first == token => {}
            Some(_) if self.rest.contains(&token) => {}
            Some(_) => self.rest.push(token),
        }
    }

    fn remove(&mut self, token: TaskToken) {
        if self.first == Some(token) {
            self.first = self.rest.pop();
        } else {
            self.rest.retain(|waiter| *waiter != token);
        }
    }

    fn wake_all(&mut self, ready: &mut Vec<TaskToken>) {
        ready.extend(self.first.take());
        ready.append(&mut self.rest);
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

/// The cached readiness of a source in both directions.
#[derive(Debug, Default)]
pub(super) struct Interest {
    ready: [bool; 2],
    /// The peer has ended this direction: it stays ready for good.
    closed: [bool; 2],
    waiters: [Waiters; 2],
}

impl Interest {
    pub(super) fn is_ready(&self, direction: Direction) -> bool {
        self.ready[direction as usize]
    }

    pub(super) fn set_ready(&mut self, direction: Direction) {
        self.ready[direction as usize] = true;
    }

    /// The system said `WouldBlock`.
    pub(super) fn clear(&mut self, direction: Direction) {
        self.ready[direction as usize] = false;
    }

    /// A transfer was short, so the buffer of the system is empty (or full) and the next edge
    /// will be reported: saves the call that would only say `WouldBlock`. Selectors that re-arm
    /// on `WouldBlock` (Windows) must see that call.
    pub(super) fn clear_after_short_transfer(&mut self, direction: Direction) {
        if cfg!(unix) && !self.closed[direction as usize] {
            self.clear(direction);
        }
    }

    pub(super) fn park(&mut self, direction: Direction, token: TaskToken) {
        self.waiters[direction as usize].add(token);
    }

    pub(super) fn unpark(&mut self, token: TaskToken) {
        for waiters in &mut self.waiters {
            waiters.remove(token);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiters.iter().map(Waiters::len).sum()
    }

    /// Takes in one event of the selector.
    pub(super) fn apply(&mut self, event: &mio::event::Event, ready: &mut Vec<TaskToken>) {
        let failed = event.is_error();
        self.closed[0] |= event.is_read_closed() || failed;
        self.closed[1] |= event.is_write_closed() || failed;
        if event.is_readable() || self.closed[0] {
            self.ready[0] = true;
            self.waiters[0].wake_all(ready);
        }
        if event.is_writable() || self.closed[1] {
            self.ready[1] = true;
            self.waiters[1].wake_all(ready);
        }
    }

    /// Takes all waiters, because the source goes away.
    pub(super) fn release(&mut self, ready: &mut Vec<TaskToken>) {
        for waiters in &mut self.waiters {
            waiters.wake_all(ready);
        }
    }
}
