//! The builtin task functions. They sit among the builtins, below the globals: any of their names
//! may be used by a script for something else.

use std::rc::Rc;
use std::time::Duration;

use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::native::{Action, Answer, Exit, NResult, NativeDef, Row, Then};
use miniscript_vm::object::generator::Generator;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::seq::{List, Tuple};
use miniscript_vm::{Value, Vm};

use super::task::{
    CANCELLED, Join, Sleep, Start, Task, Timer, Yield, duration, new_object, task_of,
};
use super::{no_engine, suspend_then};
use crate::host::EngineHost;

/// The rows.
static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "go",
        "func, /, *args, **kwargs",
        go,
        "Start a task that calls func(*args, **kwargs), or runs a coroutine; return the Task.",
    ),
    NativeDef::new("sleep", "seconds, /", sleep, "Suspend this task for a time."),
    NativeDef::new(
        "wait",
        "*tasks, timeout=None",
        wait,
        "Wait until all tasks have ended; return the list of their results.",
    ),
];

/// Adds the functions to the builtins.
pub(crate) fn install(vm: &Vm) -> Result<(), Exit<'_>> {
    for row in FUNCTIONS.iter().chain(super::chan::FUNCTIONS) {
        let native = vm.foreign_native(row, Value::EMPTY, Value::EMPTY, 0);
        vm.dict_set_name(vm.builtins(), vm.intern(row.name), native)?;
    }
    let cancelled = CANCELLED.of(vm)?;
    vm.dict_set_name(vm.builtins(), vm.intern(CANCELLED.name), Value::object(cancelled))
}

/// The outermost frame of a task.
pub(super) static TASK_MAIN: NativeDef =
    NativeDef::new("task_main", "func, args, kwnames, /", task_main, "Runs a task.");

/// Suspends on what `Engine::wait` was given.
pub(crate) static OUTSIDE: NativeDef =
    NativeDef::new("outside", "", outside, "Waits for something outside of the engine.");

fn outside<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let wait = EngineHost::of(vm).and_then(|host| host.outside.take());
    match wait {
        Some(wait) => {
            let request = Box::new(super::WaitRequest(wait));
            Err(Exit::Do(Box::new(Action::Suspend { request, then: None })))
        }
        None => Ok(Value::NONE),
    }
}

/// Calls a function with a tuple of arguments as a task of its own, until it has ended.
pub(crate) fn call(vm: &mut Vm, host: &Rc<EngineHost>, call: [Handle; 2]) -> super::Ended {
    let (main, names) = {
        let main = vm.foreign_native(&TASK_MAIN, Value::EMPTY, Value::EMPTY, 0);
        (vm.retain(main), vm.retain(vm.empty_tuple()))
    };
    super::run(vm, host, main, vec![call[0], call[1], names], false)
}

fn go<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let (func, rest) = (args[0], args.get(2..).unwrap_or_default());
    let mut all = rest.to_vec();
    let mut names = Vec::new();
    if let Some(kw) = args[1].get::<Dict>() {
        for (name, v) in kw.entries() {
            names.push(name);
            all.push(v);
        }
    }
    if let Some(g) = func.get::<Generator>() {
        if !is_coroutine(g) {
            return Err(vm.type_error("go() takes a callable or a coroutine, not a generator"));
        }
        if !all.is_empty() {
            return Err(vm.type_error("go() of a coroutine takes no further arguments"));
        }
    }
    let main = vm.foreign_native(&TASK_MAIN, Value::EMPTY, Value::EMPTY, 0);
    let args = [func, vm.tuple(&all)?, vm.tuple(&names)?];
    let start = Start { func: vm.retain(main), args: args.map(|v| vm.retain(v)).to_vec() };
    let task = Task::new(start);
    task.inherit(vm, host.scheduler.running());
    let object = new_object(vm, Rc::clone(&task))?;
    host.scheduler.add(vm, task);
    Ok(object)
}

fn is_coroutine(g: &Generator) -> bool {
    let flags = &g.func().code().proto.flags;
    flags.coroutine && !flags.generator
}

fn task_main<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static CALLED: Row = Row {
        name: "task_called",
        catches: false,
        resume: |vm, _, answer| result(vm, answer.value()?),
    };
    if args[0].is_a::<Generator>() {
        return result(vm, args[0]);
    }
    let kwnames = match args[2].get::<Tuple>() {
        Some(t) if !t.is_empty() => args[2],
        _ => Value::EMPTY,
    };
    Err(Exit::Do(Box::new(Action::Call {
        func: args[0],
        args: vm.tuple_items(args[1]).to_vec(),
        kwnames,
        then: Some(Then { row: &CALLED, state: Vec::new() }),
    })))
}

/// What a task called gave: a coroutine is run to its end.
fn result<'v>(_: &'v Vm, v: Value<'v>) -> NResult<'v> {
    match v.get::<Generator>() {
        Some(g) if is_coroutine(g) => Err(resume(v, Value::NONE, false)),
        _ => Ok(v),
    }
}

fn resume<'v>(coroutine: Value<'v>, value: Value<'v>, throw: bool) -> Exit<'v> {
    let then = Some(Then { row: &COROUTINE, state: vec![coroutine] });
    Exit::Do(Box::new(Action::Resume { generator: coroutine, value, throw, then }))
}

/// A coroutine that a task runs has returned, raised, or yielded through all of its awaits.
static COROUTINE: Row = Row {
    name: "task_coroutine",
    catches: true,
    resume: |vm, state, answer| match answer {
        Answer::Raised(e) if vm.is_stop_iteration(e) => Ok(vm.stop_value(e)),
        Answer::Raised(e) => Err(Exit::Raise(e)),
        Answer::Value(v) if v.is_none() => {
            let Some(host) = EngineHost::of(vm) else { return Err(no_engine(vm)) };
            Err(suspend_then(Yield::new(Rc::clone(&host.reactor)), &YIELDED, state.to_vec()))
        }
        Answer::Value(v) => {
            let text = format!("a task cannot wait for what was yielded: {}", vm.type_name(v));
            Err(resume(state[0], vm.exception(Type::RuntimeError, text), true))
        }
    },
};

/// The task had yielded its turn.
static YIELDED: Row = Row {
    name: "task_yielded",
    catches: true,
    resume: |_, state, answer| match answer {
        Answer::Value(_) => Err(resume(state[0], Value::NONE, false)),
        Answer::Raised(e) => Err(resume(state[0], e, true)),
    },
};

/// A sleep is over. The result can be awaited as well, for those who write `await sleep(1)`.
static SLEPT: Row = Row {
    name: "slept",
    catches: false,
    resume: |vm, _, answer| {
        answer.value()?;
        new_object(vm, Task::finished())
    },
};

fn sleep<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let after = duration(vm, args[0], "sleep length")?;
    match Sleep::start(vm, after) {
        Exit::Do(mut action) => {
            if let Action::Suspend { then, .. } = &mut *action {
                *then = Some(Then { row: &SLEPT, state: Vec::new() });
            }
            Err(Exit::Do(action))
        }
        e => Err(e),
    }
}

/// State: the tuple of tasks, how many of them have ended, the deadline.
static WAITED: Row = Row {
    name: "waited",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        let ended = state[1].as_small().unwrap_or(0) as usize;
        wait_from(vm, state[0], ended, state[2])
    },
};

fn wait<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let mut tasks = args.get(1..).unwrap_or_default().to_vec();
    if let [one] = tasks[..] {
        if let Some(l) = one.get::<List>() {
            tasks = l.to_vec();
        } else if let Some(t) = one.get::<Tuple>() {
            tasks = t.items().to_vec();
        }
    }
    for t in &tasks {
        if task_of(*t).is_none() {
            return Err(vm.type_error(format!("wait() takes tasks, not {}", vm.type_name(*t))));
        }
    }
    let deadline = match args[0] {
        t if t.is_empty() || t.is_none() => Value::NONE,
        t => {
            let after = duration(vm, t, "timeout")?;
            Value::float(host.started.elapsed().saturating_add(after).as_secs_f64())
        }
    };
    wait_from(vm, vm.tuple(&tasks)?, 0, deadline)
}

/// Waits for the tasks from number `ended` on. The deadline is in seconds since the start.
fn wait_from<'v>(vm: &'v Vm, tasks: Value<'v>, ended: usize, deadline: Value<'v>) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let all: Vec<Rc<Task>> = vm.tuple_items(tasks).iter().filter_map(|v| task_of(*v)).collect();
    for (i, task) in all.iter().enumerate().skip(ended) {
        if task.is_done() {
            task.outcome(vm)?;
            continue;
        }
        if host.scheduler.running().is_some_and(|r| Rc::ptr_eq(&r, task)) {
            return Err(vm.runtime_error("a task cannot wait for itself"));
        }
        let timer = deadline.as_float().map(|at| {
            let left = at - host.started.elapsed().as_secs_f64();
            let left = Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX);
            Timer::new(Rc::clone(&host.reactor), left)
        });
        let state = vec![tasks, Value::len(i), deadline];
        return Err(suspend_then(Join::new(Rc::clone(task), timer), &WAITED, state));
    }
    let mut results = Vec::with_capacity(all.len());
    for task in &all {
        results.push(task.outcome(vm)?);
    }
    vm.list(results)
}
