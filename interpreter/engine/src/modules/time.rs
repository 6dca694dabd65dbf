//! `time`: clocks, and `sleep`, which suspends the calling task alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::scheduler::sleep_for;

pub(super) const DOC: &str = "Clocks and sleeping.";

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("time", "", |_, _| Ok(seconds(wall())), "Seconds since the Epoch."),
    NativeDef::new("time_ns", "", |vm, _| nanoseconds(vm, wall()), "Nanoseconds since the Epoch."),
    NativeDef::new(
        "monotonic",
        "",
        |vm, _| Ok(seconds(running(vm))),
        "A clock that never goes back.",
    ),
    NativeDef::new(
        "monotonic_ns",
        "",
        |vm, _| nanoseconds(vm, running(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new("perf_counter", "", |vm, _| Ok(seconds(running(vm))), "A clock for measuring."),
    NativeDef::new(
        "perf_counter_ns",
        "",
        |vm, _| nanoseconds(vm, running(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new(
        "process_time",
        "",
        |vm, _| Ok(seconds(cpu(vm))),
        "Processor time of the process.",
    ),
    NativeDef::new(
        "process_time_ns",
        "",
        |vm, _| nanoseconds(vm, cpu(vm)),
        "The same in nanoseconds.",
    ),
    NativeDef::new("sleep", "seconds, /", sleep, "Suspend this task for a time."),
];

fn seconds(t: Duration) -> Value<'static> {
    Value::float(t.as_secs_f64())
}

fn nanoseconds(vm: &Vm, t: Duration) -> NResult<'_> {
    Ok(vm.uint(u64::try_from(t.as_nanos()).unwrap_or(u64::MAX)))
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Since the engine was made.
fn running(vm: &Vm) -> Duration {
    EngineHost::of(vm).map_or(Duration::ZERO, |host| host.started.elapsed())
}

#[cfg(unix)]
fn cpu(_: &Vm) -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.try_into().unwrap_or(0), t.tv_nsec.try_into().unwrap_or(0))
}

/// Where the system is not asked, the time since the start has to do.
#[cfg(not(unix))]
fn cpu(vm: &Vm) -> Duration {
    running(vm)
}

fn sleep<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Err(sleep_for(vm, args[0])?)
}
