//! `gc`: the collector. It runs at safepoints only, so `collect` asks for it and comes back when
//! it is done.

use std::task::Poll;

use miniscript_vm::native::{NResult, NativeDef, Row};
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::reactor::TaskToken;
use crate::scheduler::{Wait, suspend};

pub(super) const DOC: &str = "The garbage collector.";

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("collect", "generation=2, /", collect, "Run the collector; return 0."),
    NativeDef::new("enable", "", |_, _| Ok(Value::NONE), "Collections are always enabled."),
    NativeDef::new("disable", "", |_, _| Ok(Value::NONE), "Collections are always enabled."),
    NativeDef::new("isenabled", "", |_, _| Ok(Value::TRUE), "Return True."),
];

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
