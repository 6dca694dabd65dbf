//! Ctrl-C: KeyboardInterrupt at the next safepoint; a second one before that ends the process.

use miniscript_engine::Engine;

/// Connects the signal with an engine. A signal that is ignored (in a background job of a shell)
/// stays ignored.
#[cfg(unix)]
pub fn install(engine: &Engine) {
    use signal_hook::consts::{SIGINT, SIGXFSZ};
    // A file that grows too large is an error of the write and not the end. A handler that does
    // nothing, unlike ignoring the signal, is not passed on to other programs.
    drop(signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default()));
    if is_ignored(SIGINT) {
        engine.leave_interrupt();
        return;
    }
    let flag = engine.signal_flag();
    // The order counts: the second signal finds the flag of the first still set.
    let forced = signal_hook::flag::register_conditional_shutdown(SIGINT, 130, flag.clone());
    let flagged = signal_hook::flag::register(SIGINT, flag);
    // Where one cannot be registered, the signal ends the process, as it does by default.
    drop((forced, flagged, tell(engine)));
}

/// Has the signal wake the engine.
#[cfg(unix)]
#[allow(unsafe_code)]
fn tell(engine: &Engine) -> std::io::Result<signal_hook::SigId> {
    let waker = engine.host().reactor.waker();
    let trip = engine.trip_handle();
    let tell = move || {
        trip.trip();
        waker.notify();
    };
    // SAFETY: neither waits for a lock or allocates: they store to atomics and write to a
    // descriptor, all of which a signal handler may do.
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGINT, tell) }
}

/// Whether the process was started with the signal ignored.
#[cfg(unix)]
#[allow(unsafe_code)]
fn is_ignored(signal: i32) -> bool {
    let mut old = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set, and a record of zeros is a valid one to be written over.
    let action = unsafe {
        if libc::sigaction(signal, std::ptr::null(), old.as_mut_ptr()) != 0 {
            return false;
        }
        old.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

/// Elsewhere the system's own handling stays.
#[cfg(not(unix))]
pub fn install(_: &Engine) {}
