//! `_tasks`: what `asyncio` and `threading` ask of the scheduler.

use miniscript_vm::builtins::FirstIteration;
use miniscript_vm::native::NativeDef;
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::reactor::TaskToken;
use crate::scheduler::{AwaitInLoop, Kind, Task, spawn_thread};
use std::rc::Rc;

pub(super) const DOC: &str = "Tasks as loops and threads.";

fn running(vm: &Vm) -> Option<Rc<Task>> {
    EngineHost::of(vm)?.scheduler.running()
}

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "loop",
        "",
        |vm, _| {
            let event_loop = running(vm).and_then(|task| vm.handle(task.event_loop.get()?));
            Ok(event_loop.unwrap_or(Value::NONE))
        },
        "The event loop that the running task runs, or None.",
    ),
    NativeDef::new(
        "set_loop",
        "loop, /",
        |vm, args| {
            if let Some(task) = running(vm) {
                let new = (!args[0].is_none()).then(|| vm.retain(args[0]));
                if let Some(old) = task.event_loop.replace(new) {
                    vm.release(old);
                }
            }
            Ok(Value::NONE)
        },
        "Set it.",
    ),
    NativeDef::new(
        "set_hooks",
        "await_task, async_generator_begins, /",
        |vm, args| {
            if let Some(old) = vm.local::<AwaitInLoop>().0.replace(Some(vm.retain(args[0]))) {
                vm.release(old);
            }
            FirstIteration::set(vm, args[1]);
            Ok(Value::NONE)
        },
        "Set what gives the iterator of `await task` in a loop, and who is told of generators.",
    ),
    NativeDef::new(
        "locals",
        "",
        |vm, _| {
            let Some(task) = running(vm) else { return Ok(Value::object(vm.dict())) };
            if let Some(kept) = task.locals.get().and_then(|h| vm.handle(h)) {
                return Ok(kept);
            }
            let new = Value::object(vm.dict());
            task.locals.set(Some(vm.retain(new)));
            Ok(new)
        },
        "A dict that the running task keeps until it ends.",
    ),
    NativeDef::new(
        "ident",
        "",
        |vm, _| Ok(vm.int(running(vm).map_or(0, |task| task.token.get().to_bits()) as i64)),
        "The number of the running task.",
    ),
    NativeDef::new(
        "main_ident",
        "",
        |vm, _| Ok(vm.int(EngineHost::of(vm).map_or(0, |h| h.scheduler.main_token()) as i64)),
        "The number of the main task.",
    ),
    NativeDef::new(
        "start",
        "func, daemon, /",
        |vm, args| {
            let kind = if args[1].as_bool() == Some(true) { Kind::Daemon } else { Kind::Thread };
            Ok(vm.int(spawn_thread(vm, args[0], kind)? as i64))
        },
        "Start a thread that calls func(); its number.",
    ),
    NativeDef::new(
        "set_daemon",
        "ident, daemon, /",
        |vm, args| {
            let token = TaskToken::from_bits(args[0].as_small().unwrap_or(0) as u64);
            if let Some(host) = EngineHost::of(vm) {
                host.scheduler.set_daemon(token, args[1].as_bool() == Some(true));
            }
            Ok(Value::NONE)
        },
        "Set whether the end of the program waits for a thread.",
    ),
];
