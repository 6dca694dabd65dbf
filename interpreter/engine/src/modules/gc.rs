//! `gc`: the collector. It runs at safepoints only, so `collect` asks for it and comes back when
//! it is done.

use std::cell::Cell;
use std::task::Poll;

use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::reactor::TaskToken;
use crate::scheduler::{Wait, suspend};

pub(super) const DOC: &str = "The garbage collector.";

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("collect", "generation=2, /", collect, "Run the collector; return 0."),
    NativeDef::new("enable", "", |vm, _| enable(vm, true), "Take back what disable() said."),
    NativeDef::new(
        "disable",
        "",
        |vm, _| enable(vm, false),
        "Let isenabled() return False. Collections go on: there is no counting of references.",
    ),
    NativeDef::new(
        "isenabled",
        "",
        |vm, _| Ok(Value::bool(!vm.local::<Settings>().disabled.get())),
        "Return whether disable() was not called.",
    ),
    NativeDef::new(
        "get_threshold",
        "",
        |vm, _| {
            let kept = vm.local::<Settings>().threshold.get();
            vm.tuple(&kept.unwrap_or([700, 10, 10]).map(|n| vm.int(n)))
        },
        "Return what set_threshold() was given.",
    ),
    NativeDef::new(
        "set_threshold",
        "threshold0, threshold1=None, threshold2=None, /",
        set_threshold,
        "Keep three numbers for get_threshold(). When to collect depends on the size of the heap.",
    ),
    NativeDef::new(
        "get_count",
        "",
        |vm, _| vm.tuple(&[vm.int(0), vm.int(0), vm.int(0)]),
        "Return (0, 0, 0): allocations are not counted by generations.",
    ),
];

/// What scripts set that only scripts look at.
#[derive(Default)]
struct Settings {
    disabled: Cell<bool>,
    threshold: Cell<Option<[i64; 3]>>,
}

fn enable(vm: &Vm, on: bool) -> NResult<'_> {
    vm.local::<Settings>().disabled.set(!on);
    Ok(Value::NONE)
}

fn set_threshold<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let settings = vm.local::<Settings>();
    let mut kept = settings.threshold.get().unwrap_or([700, 10, 10]);
    for (place, v) in kept.iter_mut().zip(a) {
        if !v.is_empty() && !v.is_none() {
            *place = miniscript_stdlib::args::size(vm, *v, 0)?;
        }
    }
    settings.threshold.set(Some(kept));
    Ok(Value::NONE)
}

/// Waits until the scheduler, which may collect, has done so.
struct Collection;

impl Wait for Collection {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let Some(host) = EngineHost::of(vm) else { return Poll::Ready(Ok(vm.int(0))) };
        if host.collect_wanted.get() {
            host.reactor.wake(token);
            return Poll::Pending;
        }
        Poll::Ready(Ok(vm.int(0)))
    }
}

/// After the collection: callbacks of weak references come first.
static COLLECTED: Row = Row {
    name: "gc_collected",
    catches: false,
    resume: |vm, _, answer| vm.run_callbacks(answer.value()?),
};

fn collect<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    match EngineHost::of(vm) {
        Some(host) => {
            host.collect_wanted.set(true);
            vm.and_then(Err(suspend(Collection)), &COLLECTED, Vec::new())
        }
        None => Ok(vm.int(0)),
    }
}
