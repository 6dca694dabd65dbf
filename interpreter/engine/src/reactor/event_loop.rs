//! The loop itself: one turn gathers wake-ups from threads, timers and the selector.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use super::pool::{Job, Pool};
use super::slab::{GenSlab, Key};
use super::socket::Socket;
use super::timer::{TimerId, Timers, deadline_after};
use super::token::{Shared, TaskToken, Waker};

/// The selector's token of the cross-thread waker: no socket's key packs to it.
const WAKE: mio::Token = mio::Token(usize::MAX);
const EVENTS_PER_TURN: usize = 256;
const KEY_BITS: u32 = usize::BITS / 2;

struct Selector {
    poll: mio::Poll,
    events: mio::Events,
}

/// What is still under way; a program with nothing to run and nothing under way has ended or is
/// in a deadlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Timers that have not fired.
    pub timers: usize,
    /// Tasks parked on sockets.
    pub io_waiters: usize,
    /// Jobs of the pool whose result is wanted.
    pub jobs: usize,
    /// Whether a wake-up waits for the next turn.
    pub wakes: bool,
}

impl Activity {
    /// Whether no wake-up can come from the reactor's own sources. (A foreign thread may still
    /// hold a [`Waker`].)
    pub fn is_idle(self) -> bool {
        self == Activity::default()
    }
}

/// The reactor of one VM; see the module's head for the contract.
pub struct Reactor {
    shared: Arc<Shared>,
    selector: RefCell<Option<Box<Selector>>>,
    pub(super) sockets: RefCell<GenSlab<Socket>>,
    timers: RefCell<Timers>,
    pool: Pool,
    /// Tokens made ready by the VM's own thread between turns.
    local: RefCell<Vec<TaskToken>>,
}

impl Default for Reactor {
    fn default() -> Self {
        Reactor::new()
    }
}

impl Reactor {
    /// A reactor that owns nothing yet: no descriptor, no thread.
    pub fn new() -> Reactor {
        Reactor {
            shared: Arc::default(),
            selector: RefCell::default(),
            sockets: RefCell::default(),
            timers: RefCell::default(),
            pool: Pool::default(),
            local: RefCell::default(),
        }
    }

    /// A handle that wakes tasks of this reactor from any thread.
    pub fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.shared))
    }

    /// Wakes a task from the VM's own thread, without a lock.
    pub fn wake(&self, token: TaskToken) {
        self.local.borrow_mut().push(token);
    }

    /// What is still under way.
    pub fn activity(&self) -> Activity {
        Activity {
            timers: self.timers.borrow().len(),
            io_waiters: self.sockets.borrow().iter().map(|(_, s)| s.interest.waiting()).sum(),
            // In this order: a job that has ended has woken its task before.
            jobs: self.shared.jobs.load(SeqCst),
            wakes: self.shared.has_wakes() || !self.local.borrow().is_empty(),
        }
    }

    /// Wakes `token` once `after` has passed; the task asks [`Reactor::timer_pending`] whether
    /// it was the timer.
    pub fn timer_after(&self, after: Duration, token: TaskToken) -> TimerId {
        self.timer_at(deadline_after(Instant::now(), after), token)
    }

    /// Wakes `token` at a point of the monotonic clock.
    pub fn timer_at(&self, at: Instant, token: TaskToken) -> TimerId {
        self.timers.borrow_mut().insert(at, token)
    }

    /// Cancels a timer; false if it has fired or was cancelled before.
    pub fn cancel_timer(&self, id: TimerId) -> bool {
        self.timers.borrow_mut().cancel(id)
    }

    /// Whether the timer has neither fired nor been cancelled.
    pub fn timer_pending(&self, id: TimerId) -> bool {
        self.timers.borrow().is_pending(id)
    }

    /// Runs `work` on the thread pool and wakes `token` when it is done; see [`Job`].
    /// Fails only if there is no thread and none can be made.
    pub fn blocking<T, F>(&self, token: TaskToken, work: F) -> io::Result<Job<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.pool.submit(self.waker(), token, work)
    }

    /// How many threads the pool has at the moment.
    pub fn pool_threads(&self) -> usize {
        self.pool.threads()
    }

    /// Appends to `ready` the tasks that may go on, waiting at most `max_wait` (`None`: for
    /// ever) for the first of them. Returns earlier, and then perhaps with nothing, when a
    /// signal arrives or somebody calls [`Waker::notify`].
    pub fn turn(&self, max_wait: Option<Duration>, ready: &mut Vec<TaskToken>) -> io::Result<()> {
        let before = ready.len();
        let notified = self.gather(ready);
        let wait = if notified || ready.len() > before {
            Some(Duration::ZERO)
        } else {
            self.longest_wait(max_wait)
        };
        if wait == Some(Duration::ZERO) && self.sockets.borrow().is_empty() {
            return Ok(());
        }
        self.poll_selector(wait, ready)?;
        self.gather(ready);
        Ok(())
    }

    /// Collects what needs no system call; true if somebody called for attention.
    fn gather(&self, ready: &mut Vec<TaskToken>) -> bool {
        ready.append(&mut self.local.borrow_mut());
        let notified = self.shared.drain(ready);
        let mut timers = self.timers.borrow_mut();
        if timers.len() > 0 {
            timers.expire(Instant::now(), ready);
        }
        notified
    }

    fn longest_wait(&self, max_wait: Option<Duration>) -> Option<Duration> {
        let timer = self.timers.borrow_mut().next_deadline();
        let timer = timer.map(|at| at.saturating_duration_since(Instant::now()));
        [max_wait, timer, self.pool.relieve()].into_iter().flatten().min()
    }

    fn poll_selector(&self, wait: Option<Duration>, ready: &mut Vec<TaskToken>) -> io::Result<()> {
        self.with_selector(|selector| {
            let wait = if wait == Some(Duration::ZERO) || !self.shared.prepare_sleep() {
                Some(Duration::ZERO)
            } else {
                wait
            };
            let outcome = selector.poll.poll(&mut selector.events, wait);
            self.shared.end_sleep();
            match outcome {
                Ok(()) => {}
                // A signal: its handler has set a flag that the caller looks at.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
                Err(error) => return Err(error),
            }
            let mut sockets = self.sockets.borrow_mut();
            for event in &selector.events {
                if let Some(socket) = sockets.get_mut(key_of(event.token())) {
                    socket.interest.apply(event, ready);
                }
            }
            Ok(())
        })
    }

    fn with_selector<R>(&self, body: impl FnOnce(&mut Selector) -> io::Result<R>) -> io::Result<R> {
        let mut slot = self.selector.borrow_mut();
        if slot.is_none() {
            let poll = mio::Poll::new()?;
            self.shared.set_poll_waker(mio::Waker::new(poll.registry(), WAKE)?);
            let events = mio::Events::with_capacity(EVENTS_PER_TURN);
            *slot = Some(Box::new(Selector { poll, events }));
        }
        match slot.as_deref_mut() {
            Some(selector) => body(selector),
            None => Err(io::ErrorKind::Other.into()),
        }
    }

    /// Stores a socket and registers it with the selector.
    pub(super) fn adopt(&self, socket: Socket, interest: mio::Interest) -> io::Result<Key> {
        let key = self.sockets.borrow_mut().insert(socket);
        let registered = self.with_selector(|selector| {
            let token = token_of(key)?;
            match self.sockets.borrow_mut().get_mut(key) {
                Some(socket) => selector.poll.registry().register(socket.source(), token, interest),
                None => Ok(()),
            }
        });
        if let Err(error) = registered {
            self.sockets.borrow_mut().remove(key);
            return Err(error);
        }
        Ok(key)
    }

    /// Takes a socket out, closes it, and wakes whoever waited for it.
    pub(super) fn discard(&self, key: Key) -> bool {
        let Some(mut socket) = self.sockets.borrow_mut().remove(key) else {
            return false;
        };
        // Closing the descriptor deregisters it as well; this only keeps the selector tidy.
        let _ = self.with_selector(|selector| selector.poll.registry().deregister(socket.source()));
        socket.interest.release(&mut self.local.borrow_mut());
        true
    }
}

/// Packs a key into the selector's token, half of the word for each part.
fn token_of(key: Key) -> io::Result<mio::Token> {
    let mask = (1usize << KEY_BITS) - 1;
    let (index, generation) = (key.index() as usize, key.generation() as usize);
    // Where a word has 32 bits this refuses what does not fit, rather than mix up two sockets.
    if index > mask || generation >= mask {
        return Err(io::Error::other("too many sockets"));
    }
    Ok(mio::Token(generation << KEY_BITS | index))
}

fn key_of(token: mio::Token) -> Key {
    let mask = (1usize << KEY_BITS) - 1;
    Key::new((token.0 & mask) as u32, (token.0 >> KEY_BITS) as u32)
}
