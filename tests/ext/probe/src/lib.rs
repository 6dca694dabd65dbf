//! An extension for the tests: it uses every part of the SDK, and misuses some on purpose.
//!
//! ```text
//! functions   arguments, results, errors, callbacks, limits
//! classes     native classes with dunder methods, properties, destructors, traced values
//! held        objects that are held where they outlive what holds them
//! tasks       futures: timers, threads, sockets, files, tasks
//! ```

mod classes;
mod functions;
mod held;
mod tasks;

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use classes::*;
use functions::*;
use held::*;
use miniscript_sdk as ms;
use ms::prelude::*;
use tasks::*;

/// VMs whose `init` has succeeded and that have not ended.
pub static LIVE_STATES: AtomicUsize = AtomicUsize::new(0);
/// The next `init` of a VM of this process fails.
pub static FAIL_NEXT_INIT: AtomicBool = AtomicBool::new(false);

/// What the extension keeps for one VM.
pub struct State {
    calls: Cell<u64>,
    /// A value that outlives its call, wrongly.
    stale: Cell<Option<Value>>,
    /// A value that is kept rightly.
    kept: RefCell<Option<Kept>>,
}

impl Drop for State {
    fn drop(&mut self) {
        LIVE_STATES.fetch_sub(1, Ordering::SeqCst);
    }
}

fn init(_: &Cx) -> Result<State> {
    let told = std::env::var("PROBE_INIT").unwrap_or_default();
    if told == "panic" {
        panic!("init was told to panic");
    }
    if told == "fail" || FAIL_NEXT_INIT.swap(false, Ordering::SeqCst) {
        return Err(Error::new("ProbeError", "init was told to fail"));
    }
    LIVE_STATES.fetch_add(1, Ordering::SeqCst);
    Ok(State { calls: Cell::new(0), stale: Cell::new(None), kept: RefCell::new(None) })
}

ms::module! {
    name: "probe",
    version: "1.4.2",
    doc: "Everything an extension can do.",
    functions: [
        add, root, greet, total, named, either, choose, opposite, echo, explode, count_calls,
        twice, fold, attempt, undeclared, shown, keep_stale, use_stale, keep, kept, misuse,
        raise_own, raise_from, raise_class, raise_object, attribute, attribute_or,
        ask, write_both, numbers, hoard, spin, make_many, dropped, reset_dropped, read_and_lose,
        many_handles, many_roots, many_traced,
        nap, late_panic, poll_panic, drop_panic, on_thread, panic_on_thread, from_thread,
        forever, call_later, spawn_nap, echo_over_tcp, echo_over_udp, read_file, write_file,
        gather, park, parked, parked_value, unpark,
    ],
    classes: [
        Vector, Counter, Node, Stack, Guard, Countdown, Sleeper, Big, Bomb, Sealed, Price,
        Watcher, Keeper,
    ],
    exceptions: { ProbeError: "ValueError", DeepError: "ProbeError" },
    constants: {
        ANSWER: 42, TAU: f64 = std::f64::consts::TAU, NAME: "probe", YES: true, NOTHING: None,
        RAW: b"\x00\xff",
    },
    init: init,
}
