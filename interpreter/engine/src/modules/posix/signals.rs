//! Signals: the handlers that scripts set.
//!
//! A signal sets a flag and makes the running task stop at its next jump backwards, or wakes the
//! reactor. The scheduler then runs the handler as a task of its own before the others go on; what
//! it raises is raised in the main task. SIGINT reaches the engine through the command or the
//! embedder (`Engine::signal_flag`), so that to set its handler is no right; without one it raises
//! KeyboardInterrupt. An embedder's interrupt (`Engine::interrupt_flag`) does so in any case.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::task::Poll;

use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use super::{int32, io_error};
use crate::host::EngineHost;
use crate::io::engine;
use crate::reactor::{Reactor, TaskToken};
use crate::scheduler::{Wait, suspend};

/// The signals by name.
pub(super) const NUMBERS: &[(&str, i32)] = &[
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGILL", libc::SIGILL),
    ("SIGTRAP", libc::SIGTRAP),
    ("SIGABRT", libc::SIGABRT),
    ("SIGBUS", libc::SIGBUS),
    ("SIGFPE", libc::SIGFPE),
    ("SIGKILL", libc::SIGKILL),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGUSR2", libc::SIGUSR2),
    ("SIGPIPE", libc::SIGPIPE),
    ("SIGALRM", libc::SIGALRM),
    ("SIGTERM", libc::SIGTERM),
    ("SIGCHLD", libc::SIGCHLD),
    ("SIGCONT", libc::SIGCONT),
    ("SIGSTOP", libc::SIGSTOP),
    ("SIGTSTP", libc::SIGTSTP),
    ("SIGTTIN", libc::SIGTTIN),
    ("SIGTTOU", libc::SIGTTOU),
    ("SIGURG", libc::SIGURG),
    ("SIGXCPU", libc::SIGXCPU),
    ("SIGXFSZ", libc::SIGXFSZ),
    ("SIGVTALRM", libc::SIGVTALRM),
    ("SIGPROF", libc::SIGPROF),
    ("SIGWINCH", libc::SIGWINCH),
    ("SIGIO", libc::SIGIO),
    ("SIGSYS", libc::SIGSYS),
];

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new("_signal", "signal, handler, /", set, "Set a handler: 0, 1 or a callable."),
    NativeDef::new("_interrupt_left", "", left, "Whether SIGINT was ignored at the start."),
    NativeDef::new("_raise_signal", "signal, /", raise, "Send a signal to this process."),
    NativeDef::new("_alarm", "seconds, interval, /", alarm, "SIGALRM after a time; what was left."),
    NativeDef::new("_pause", "", pause, "Wait for a signal that is handled."),
];

const DEFAULT: u8 = 0;
const IGNORED: u8 = 1;
const HANDLED: u8 = 2;

/// A signal that a script has set a handler for at some time.
struct Slot {
    /// What is done: by the system's rule, nothing, or the handler.
    mode: Arc<AtomicU8>,
    came: Arc<AtomicBool>,
    handler: Option<Handle>,
    id: Option<signal_hook::SigId>,
}

/// The handlers of a VM.
#[derive(Default)]
pub(crate) struct Signals {
    slots: RefCell<BTreeMap<i32, Slot>>,
    /// Whether one of them has come.
    any: Arc<AtomicBool>,
    /// The process ignores interrupts, until a script has a handler.
    left: Cell<bool>,
    /// Handlers that run now.
    pub(crate) running: Cell<usize>,
    /// How many signals have been handled.
    handled: Cell<u64>,
    /// Tasks that wait for the next one.
    paused: RefCell<Vec<TaskToken>>,
}

impl Signals {
    /// Whether a handler is due.
    pub(crate) fn is_pending(&self) -> bool {
        self.any.load(Relaxed)
    }

    /// Nobody brings interrupts: the process was started with the signal ignored.
    pub(crate) fn leave_interrupt(&self) {
        self.left.set(true);
    }

    /// The handlers that are due, with their signals.
    pub(crate) fn take_due(&self) -> Vec<(i32, Handle)> {
        self.any.store(false, Relaxed);
        let slots = self.slots.borrow();
        let came = slots.iter().filter(|(_, slot)| slot.came.swap(false, Relaxed));
        let due: Vec<_> = came.filter_map(|(n, slot)| Some((*n, slot.handler?))).collect();
        self.handled.set(self.handled.get() + due.len() as u64);
        due
    }

    /// A handler has run: wakes who waits for that.
    pub(crate) fn ended(&self, reactor: &Reactor) {
        self.running.set(self.running.get().saturating_sub(1));
        for token in self.paused.borrow_mut().drain(..) {
            reactor.wake(token);
        }
    }

    /// SIGINT has come: whether a script has a handler for it, which is then due.
    pub(crate) fn takes_interrupt(&self) -> bool {
        let slots = self.slots.borrow();
        let Some(slot) = slots.get(&libc::SIGINT) else { return false };
        match slot.mode.load(Relaxed) {
            HANDLED => {
                slot.came.store(true, Relaxed);
                self.any.store(true, Relaxed);
                true
            }
            IGNORED => true,
            _ => false,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for slot in self.slots.get_mut().values() {
            slot.id.map(signal_hook::low_level::unregister);
        }
    }
}

/// Connects a signal with the flags of a slot.
#[allow(unsafe_code)]
fn register(
    vm: &Vm,
    host: &EngineHost,
    n: i32,
    slot: &Slot,
) -> std::io::Result<signal_hook::SigId> {
    let (mode, came, any) =
        (Arc::clone(&slot.mode), Arc::clone(&slot.came), Arc::clone(&host.signals.any));
    let (trip, waker) = (vm.trip_handle(), host.reactor.waker());
    let action = move || match mode.load(Relaxed) {
        HANDLED => {
            came.store(true, Relaxed);
            any.store(true, Relaxed);
            trip.trip();
            waker.notify();
        }
        DEFAULT => drop(signal_hook::low_level::emulate_default_handler(n)),
        _ => {}
    };
    // SAFETY: it stores to atomics, writes to a descriptor, and calls what is made for handlers.
    unsafe { signal_hook::low_level::register(n, action) }
}

fn set<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = engine(vm)?;
    let n = int32(vm, args[0])?;
    if !(1..=64).contains(&n) {
        return Err(vm.value_error("signal number out of range"));
    }
    if matches!(n, libc::SIGKILL | libc::SIGSTOP) {
        return Err(io_error(vm, rustix::io::Errno::INVAL.into()));
    }
    if n != libc::SIGINT && !host.files.access().is_unrestricted() {
        let text = "handling signals of the process is not granted";
        return Err(vm.err(Type::PermissionError, text));
    }
    if signal_hook::consts::FORBIDDEN.contains(&n) {
        return Err(vm.value_error(format!("signal {n} cannot be handled")));
    }
    let (mode, handler) = match args[1].as_small() {
        Some(0) => (DEFAULT, None),
        Some(1) => (IGNORED, None),
        _ => (HANDLED, Some(vm.retain(args[1]))),
    };
    let mut slots = host.signals.slots.borrow_mut();
    let slot = slots.entry(n).or_insert_with(|| Slot {
        mode: Arc::default(),
        came: Arc::default(),
        handler: None,
        id: None,
    });
    slot.mode.store(mode, Relaxed);
    if let Some(old) = std::mem::replace(&mut slot.handler, handler) {
        vm.release(old);
    }
    // The interrupt is the command's or the embedder's to bring, if they do.
    if slot.id.is_none() && (n != libc::SIGINT || host.signals.left.get()) {
        slot.id = Some(register(vm, host, n, slot).map_err(|e| io_error(vm, e))?);
    }
    Ok(Value::NONE)
}

fn left<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(engine(vm)?.signals.left.get()))
}

/// Waits until handlers that are due have run.
struct Handling;

impl Wait for Handling {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let Some(host) = EngineHost::of(vm) else { return Poll::Ready(Ok(Value::NONE)) };
        if host.signalled.load(Relaxed) && host.signals.takes_interrupt() {
            host.signalled.store(false, Relaxed);
        }
        let due = host.signals.is_pending() || host.signals.running.get() > 0;
        if due || host.is_interrupt_pending() {
            host.reactor.wake(token);
            return Poll::Pending;
        }
        Poll::Ready(Ok(Value::NONE))
    }
}

/// A signal was sent to this process: its handler runs before the caller goes on.
pub(super) fn handled(vm: &Vm) -> NResult<'_> {
    engine(vm)?;
    Err(suspend(Handling))
}

fn raise<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = engine(vm)?;
    let n = int32(vm, args[0])?;
    if !host.files.access().is_unrestricted() {
        let text = "sending signals to the process is not granted";
        return Err(vm.err(Type::PermissionError, text));
    }
    signal_hook::low_level::raise(n).map_err(|e| io_error(vm, e))?;
    handled(vm)
}

/// The next handled signal.
struct Pause(Option<u64>);

impl Wait for Pause {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let Some(host) = EngineHost::of(vm) else { return Poll::Ready(Ok(Value::NONE)) };
        let now = host.signals.handled.get();
        if *self.0.get_or_insert(now) == now || host.signals.running.get() > 0 {
            host.signals.paused.borrow_mut().push(token);
            return Poll::Pending;
        }
        Poll::Ready(Ok(Value::NONE))
    }

    fn is_external(&self) -> bool {
        true
    }
}

fn pause<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    engine(vm)?;
    Err(suspend(Pause(None)))
}

#[allow(unsafe_code)]
fn alarm<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let seconds = |v: Value<'v>| v.as_float().or(v.as_small().map(|n| n as f64));
    let (Some(after), Some(interval)) = (seconds(args[0]), seconds(args[1])) else {
        return Err(vm.type_error("a number is required"));
    };
    if after < 0.0 || interval < 0.0 || after.is_nan() || interval.is_nan() {
        return Err(io_error(vm, rustix::io::Errno::INVAL.into()));
    }
    let time = |t: f64| libc::timeval {
        tv_sec: t.min(1e9) as libc::time_t,
        tv_usec: (t.min(1e9).fract() * 1e6) as libc::suseconds_t,
    };
    let new = libc::itimerval { it_interval: time(interval), it_value: time(after) };
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let mut old = libc::itimerval { it_interval: none, it_value: none };
    // SAFETY: both are whole records that live through the call.
    if unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const new, &raw mut old) } != 0 {
        return Err(io_error(vm, std::io::Error::last_os_error()));
    }
    let shown = |t: libc::timeval| Value::float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    vm.tuple(&[shown(old.it_value), shown(old.it_interval)])
}
