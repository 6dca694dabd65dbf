//! The thread pool for work that cannot be polled: files, name lookup, blocking calls of
//! extensions.
//!
//! Up to `GENERAL` threads start as jobs arrive. When all are busy and no job has been started
//! for `STALL`, they are taken to be stuck (a FIFO without a writer, a dead network mount), and
//! as many further threads start as there are jobs waiting, up to `MAX_THREADS`. The VM's thread
//! notices a stall, when it submits and in each turn of the reactor, so no thread has to watch. A
//! thread without work ends after `IDLE`.
//!
//! A job's result belongs to its [`Job`] handle. Dropping the handle is cancelling: a job not yet
//! started never runs, the result of a running one is dropped on its thread.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::token::{TaskToken, Waker};

const GENERAL: usize = 8;
const MAX_THREADS: usize = 256;
const STALL: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_secs(5);

type Work = Box<dyn FnOnce() + Send>;

/// The job's closure panicked. The message has gone to the panic hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobPanicked;

impl fmt::Display for JobPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a blocking operation panicked")
    }
}

impl std::error::Error for JobPanicked {}

enum JobState<T> {
    /// Queued or running, and whom to wake.
    Waiting(TaskToken),
    Done(Result<T, JobPanicked>),
    /// The handle is gone or the result was taken.
    Finished,
}

struct Slot<T> {
    state: Mutex<JobState<T>>,
    done: Condvar,
    waker: Waker,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, JobState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_wanted(&self) -> bool {
        matches!(*self.lock(), JobState::Waiting(_))
    }

    fn finish(&self, outcome: Result<T, JobPanicked>) {
        let mut state = self.lock();
        if let JobState::Waiting(token) = *state {
            *state = JobState::Done(outcome);
            drop(state);
            self.done.notify_all();
            // In this order there is no moment in which nothing seems to be under way.
            self.waker.wake(token);
            if self.waker.job_ended() {
                // Who fell asleep because of it looks again whether anything is left.
                self.waker.notify();
            }
        }
    }
}

/// Work under way on the pool, and the right to its result.
pub struct Job<T> {
    slot: Arc<Slot<T>>,
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("running", &self.slot.is_wanted()).finish()
    }
}

impl<T> Job<T> {
    /// Takes the result, or parks `token` (in place of the one before) until it is there.
    /// After the result has been taken it stays `Pending`.
    pub fn poll(&mut self, token: TaskToken) -> Poll<Result<T, JobPanicked>> {
        let mut state = self.slot.lock();
        match &mut *state {
            JobState::Waiting(waiter) => {
                *waiter = token;
                Poll::Pending
            }
            JobState::Finished => Poll::Pending,
            JobState::Done(_) => match std::mem::replace(&mut *state, JobState::Finished) {
                JobState::Done(outcome) => Poll::Ready(outcome),
                _ => Poll::Pending,
            },
        }
    }

    /// Blocks the calling thread until the result is there or the time is over: for exit paths
    /// that have no reactor to return to.
    pub fn wait(&mut self, at_most: Duration) -> Option<Result<T, JobPanicked>> {
        let state = self.slot.lock();
        let outcome = self
            .slot
            .done
            .wait_timeout_while(state, at_most, |state| matches!(state, JobState::Waiting(_)));
        let (mut state, _) = outcome.unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, JobState::Done(_)) {
            return None;
        }
        match std::mem::replace(&mut *state, JobState::Finished) {
            JobState::Done(outcome) => Some(outcome),
            _ => None,
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.slot.lock(), JobState::Finished);
        if let JobState::Waiting(_) = state {
            self.slot.waker.job_ended();
        }
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    threads: usize,
    idle: usize,
    /// When a job was last started, or the stall last dealt with.
    progress: Option<Instant>,
    shut_down: bool,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    available: Condvar,
    /// The length of the queue, to be read without the lock.
    queued: AtomicUsize,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(super) struct Pool {
    inner: Arc<Inner>,
}

impl Pool {
    pub(super) fn submit<T, F>(&self, waker: Waker, token: TaskToken, work: F) -> io::Result<Job<T>>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let state = Mutex::new(JobState::Waiting(token));
        let slot = Arc::new(Slot { state, done: Condvar::new(), waker });
        slot.waker.job_started();
        let job = Job { slot: Arc::clone(&slot) };
        let run = move || {
            if slot.is_wanted() {
                let outcome = catch_unwind(AssertUnwindSafe(work)).map_err(|_| JobPanicked);
                slot.finish(outcome);
            }
        };
        self.enqueue(Box::new(run))?;
        Ok(job)
    }

    fn enqueue(&self, work: Work) -> io::Result<()> {
        let mut state = self.inner.lock();
        state.queue.push_back(work);
        self.inner.queued.store(state.queue.len(), SeqCst);
        let short_of_threads = state.queue.len() > state.idle;
        let refused = if short_of_threads && state.threads < GENERAL {
            self.spawn(&mut state).err()
        } else {
            None
        };
        if let Some(error) = refused
            && state.threads == 0
        {
            let work = state.queue.pop_back();
            self.inner.queued.store(state.queue.len(), SeqCst);
            drop(state);
            drop(work);
            return Err(error);
        }
        drop(state);
        self.inner.available.notify_one();
        self.relieve();
        Ok(())
    }

    /// Adds threads if the jobs that run are stuck; otherwise says when to look again.
    pub(super) fn relieve(&self) -> Option<Duration> {
        if self.inner.queued.load(SeqCst) == 0 {
            return None;
        }
        let mut state = self.inner.lock();
        if state.queue.is_empty() || state.threads >= MAX_THREADS {
            return None;
        }
        if state.idle > 0 {
            // An idle thread is about to take a job, but perhaps there are more.
            return Some(STALL);
        }
        let now = Instant::now();
        let since = state.progress.map_or(STALL, |at| now.saturating_duration_since(at));
        if since < STALL {
            return Some(STALL - since);
        }
        state.progress = Some(now);
        for _ in 0..state.queue.len().min(MAX_THREADS - state.threads) {
            if self.spawn(&mut state).is_err() {
                break;
            }
        }
        Some(STALL)
    }

    pub(super) fn threads(&self) -> usize {
        self.inner.lock().threads
    }

    fn spawn(&self, state: &mut State) -> io::Result<()> {
        let inner = Arc::clone(&self.inner);
        std::thread::Builder::new().name("ms-blocking".into()).spawn(move || serve(&inner))?;
        state.threads += 1;
        Ok(())
    }
}

impl Drop for Pool {
    /// Idle threads end at once, busy ones when their job does; nobody waits for them, since one
    /// may be stuck for ever.
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.shut_down = true;
        let unstarted = std::mem::take(&mut state.queue);
        drop(state);
        self.inner.available.notify_all();
        drop(unstarted);
    }
}

/// The life of one thread.
fn serve(inner: &Inner) {
    let mut state = inner.lock();
    loop {
        if let Some(work) = state.queue.pop_front() {
            inner.queued.store(state.queue.len(), SeqCst);
            state.progress = Some(Instant::now());
            drop(state);
            // What is left to unwind is a destructor: of work not wanted any more, or its result.
            let _ = catch_unwind(AssertUnwindSafe(work));
            state = inner.lock();
            continue;
        }
        if state.shut_down {
            break;
        }
        state.idle += 1;
        let (guard, waited) = inner
            .available
            .wait_timeout_while(state, IDLE, |state| state.queue.is_empty() && !state.shut_down)
            .unwrap_or_else(PoisonError::into_inner);
        state = guard;
        state.idle -= 1;
        if waited.timed_out() && state.queue.is_empty() {
            break;
        }
    }
    state.threads -= 1;
}
