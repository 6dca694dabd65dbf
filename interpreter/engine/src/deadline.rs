//! The thread that watches the time of a run.
//!
//! Code that only calls has no backward jump at which it would look at the clock, so the thread
//! trips the VM once the time is over, and again, for a script that catches the TimeoutError. Once
//! the grace for cleaning up is over, no handler catches it any more (`Vm::set_over`), so that a
//! run ends whatever it does. Some natives look at no clock (another library's multiplication of
//! huge numbers): for these there is [`Config::overdue`](crate::Config::overdue).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use miniscript_vm::interp::state::TripHandle;

/// How long after the time limit a program may take to notice it.
pub const PATIENCE: Duration = Duration::from_millis(75);
/// How long it may take to clean up (`finally`, `with`, handlers) once it has noticed. After that
/// its handlers are skipped.
pub const GRACE: Duration = Duration::from_secs(1);
/// The same for fuel: slices of it beyond the limit, in each of which TimeoutError is raised.
pub const GRACE_SLICES: u64 = 20;

const ROUND: Duration = Duration::from_millis(20);

/// A run that is watched, until this is dropped.
pub(crate) struct Alarm {
    run: Option<Arc<()>>,
    thread: Thread,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.run = None;
        self.thread.unpark();
    }
}

/// Watches a run that should end `at` that time. `None` if there is no thread to be had: then only
/// code without loops goes on beyond it.
pub(crate) fn watch(
    at: Instant,
    trip: TripHandle,
    told: Arc<AtomicBool>,
    overdue: Option<Arc<dyn Fn() + Send + Sync>>,
) -> Option<Alarm> {
    told.store(false, Ordering::Relaxed);
    let run = Arc::new(());
    let watched = Arc::downgrade(&run);
    let thread = std::thread::Builder::new().name("ms-deadline".into()).spawn(move || {
        while watched.strong_count() > 0 {
            let now = Instant::now();
            if now >= at {
                trip.trip();
                let late = now - at;
                let patience =
                    if told.load(Ordering::Relaxed) { GRACE + PATIENCE } else { PATIENCE };
                if let Some(overdue) = overdue.as_ref().filter(|_| late >= patience) {
                    // Holding it keeps the run from ending meanwhile.
                    if let Some(_run) = watched.upgrade() {
                        overdue();
                    }
                    return;
                }
            }
            std::thread::park_timeout(at.saturating_duration_since(now).max(ROUND));
        }
    });
    thread.ok().map(|thread| Alarm { run: Some(run), thread: thread.thread().clone() })
}
