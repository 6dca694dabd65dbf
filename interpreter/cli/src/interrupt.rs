//! Ctrl-C: KeyboardInterrupt at the next safepoint; a second one before that ends the process.

use miniscript_engine::Engine;

/// Connects the signal with an engine.
#[cfg(unix)]
#[allow(unsafe_code)]
pub fn install(engine: &Engine) {
    use signal_hook::consts::SIGINT;
    let flag = engine.signal_flag();
    let waker = engine.host().reactor.waker();
    let trip = engine.trip_handle();
    // The order counts: the second signal finds the flag of the first still set.
    let forced = signal_hook::flag::register_conditional_shutdown(SIGINT, 130, flag.clone());
    let flagged = signal_hook::flag::register(SIGINT, flag);
    let tell = move || {
        trip.trip();
        waker.notify();
    };
    // SAFETY: neither waits for a lock or allocates: they store to atomics and write to a
    // descriptor, all of which a signal handler may do.
    let woken = unsafe { signal_hook::low_level::register(SIGINT, tell) };
    // Where one cannot be registered, the signal ends the process, as it does by default.
    drop((forced, flagged, woken));
}

/// Elsewhere the system's own handling stays.
#[cfg(not(unix))]
pub fn install(_: &Engine) {}
