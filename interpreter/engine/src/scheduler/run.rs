//! The loop: runs what is ready, asks the reactor for more, and sees the end coming.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::interp::run::{Input, Resumed};
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::task::{CANCELLED, Kind, Start, Status, Task};
use super::{Scheduler, WaitRequest};
use crate::host::EngineHost;
use crate::report;

/// How a program ended.
pub(crate) enum Ended {
    /// The main task returned this.
    Returned(Handle),
    /// It, or a task whose exception ends the program, raised this.
    Raised(Handle),
}

/// What running a task led to.
enum Stepped {
    /// It waits still for what it waited for.
    Waits,
    /// It waits, or ended without consequences for the program.
    On,
    /// It ended.
    Ended(Result<Handle, Handle>),
}

/// Runs `func` as the main task. With `all`, goes on until every other task has ended too.
pub(crate) fn run(
    vm: &mut Vm,
    host: &Rc<EngineHost>,
    func: Handle,
    args: Vec<Handle>,
    all: bool,
) -> Ended {
    let scheduler = &host.scheduler;
    if let Some(old) = scheduler.lost.take() {
        vm.release(old);
    }
    let main = Task::new(Start { func, args });
    main.observed.set(true);
    let outer = scheduler.main.replace(Some(Rc::clone(&main)));
    scheduler.add(vm, Rc::clone(&main));
    let ended = turn_until_end(vm, host, &main, all);
    scheduler.main.replace(outer);
    if all {
        report_failures(vm, host, true);
    }
    ended
}

/// At the end of the program: calls the finalisers of all that is left.
pub(crate) fn finalize_rest(vm: &mut Vm, host: &Rc<EngineHost>) {
    let main = Task::finished();
    let outer = host.scheduler.main.replace(Some(Rc::clone(&main)));
    finalize_all(vm, host, &main);
    host.scheduler.main.replace(outer);
    report_failures(vm, host, true);
}

fn turn_until_end(vm: &mut Vm, host: &Rc<EngineHost>, main: &Rc<Task>, all: bool) -> Ended {
    let scheduler = &host.scheduler;
    let mut ended: Option<Ended> = None;
    let mut tokens = Vec::new();
    loop {
        if host.collect_wanted.replace(false) {
            vm.collect();
        }
        if vm.is_over() {
            end_all(vm, host);
        } else {
            finalize(vm, host);
            start_handlers(vm, host);
        }
        let batch = std::mem::take(&mut *scheduler.ready.borrow_mut());
        let mut went_on = false;
        for task in batch {
            task.queued.set(false);
            let stepped = step(vm, host, &task);
            went_on |= !matches!(stepped, Stepped::Waits);
            let Stepped::Ended(result) = stepped else { continue };
            let is_main = Rc::ptr_eq(&task, main);
            match result {
                Ok(v) if is_main => ended = Some(ended.unwrap_or(Ended::Returned(v))),
                Err(e) if is_main || ends_program(vm, host, &task, e) => {
                    let raised_before = matches!(ended, Some(Ended::Raised(_)));
                    if raised_before {
                        vm.release(e);
                    } else {
                        if let Some(Ended::Returned(v)) = ended.replace(Ended::Raised(e)) {
                            vm.release(v);
                        }
                        if all {
                            cancel(host, stops_threads(vm, host, e));
                        }
                    }
                }
                Ok(h) | Err(h) => {
                    vm.release(h);
                }
            }
        }
        let finished = if all { scheduler.is_finished() } else { main.is_done() };
        if finished {
            // A task other than main may have ended the program before main began to.
            return ended.unwrap_or_else(|| Ended::Returned(vm.retain(Value::NONE)));
        }
        // What was woken meanwhile, without waiting.
        let mut turned = host.reactor.turn(Some(Duration::ZERO), &mut tokens);
        if turned.is_ok() && tokens.is_empty() && scheduler.ready.borrow().is_empty() {
            before_sleep(vm, host);
            let left = host.deadline.get().map(|at| at.saturating_duration_since(Instant::now()));
            // The signal's wake-up may have been spent on a turn that had other things to do.
            let busy = host.is_interrupt_pending()
                || host.signals.is_pending()
                || !scheduler.ready.borrow().is_empty();
            turned = host.reactor.turn(if busy { Some(Duration::ZERO) } else { left }, &mut tokens);
        }
        if let Err(error) = turned {
            let e = match vm.err(Type::OSError, format!("waiting failed: {error}")) {
                Exit::Raise(e) => vm.retain(e),
                Exit::Do(_) => continue,
            };
            raise_in_main(vm, host, e);
        }
        for token in tokens.drain(..) {
            scheduler.wake(token);
        }
        // A wait that is woken again and again runs no code that would notice.
        if scheduler.ready.borrow().is_empty() || !went_on {
            limits_while_idle(vm, host);
        }
    }
}

/// An interrupt or the end of the time reaches the main task where it waits.
fn limits_while_idle(vm: &Vm, host: &EngineHost) {
    let e = if host.interrupted() {
        vm.new_exception(Type::KeyboardInterrupt.shape(), vm.empty_tuple())
    } else if host.is_late() {
        if host.tell_late() {
            vm.set_over(true);
        }
        vm.exception(Type::TimeoutError, "the time limit is over")
    } else {
        return;
    };
    raise_in_main(vm, host, vm.retain(e));
}

/// Raises in the main task, or, if that has ended, in the oldest that is left.
fn raise_in_main(vm: &Vm, host: &EngineHost, e: Handle) {
    let scheduler = &host.scheduler;
    let main = scheduler.main.borrow().clone().filter(|m| !m.is_done());
    let target = main.or_else(|| scheduler.tasks.borrow().iter().next().map(|(_, t)| Rc::clone(t)));
    match target {
        Some(task) => {
            drop(task.wait.borrow_mut().take());
            if let Some(old) = task.raise.replace(Some(e)) {
                vm.release(old);
            }
            scheduler.make_ready(task);
        }
        None => {
            vm.release(e);
        }
    }
}

/// Makes a task of each handler of a signal that has come; they run before the others.
fn start_handlers(vm: &Vm, host: &EngineHost) {
    if !host.signals.is_pending() {
        return;
    }
    for (signal, handler) in host.signals.take_due() {
        let Some(handler) = vm.handle(handler) else { continue };
        let args = vec![vm.retain(vm.int(signal.into())), vm.retain(Value::NONE)];
        let task = Task::new(Start { func: vm.retain(handler), args });
        task.is_handler.set(true);
        host.signals.running.set(host.signals.running.get() + 1);
        host.scheduler.add_first(vm, task);
    }
}

/// Nothing is ready: shows what was written, tells of failures, and finds deadlocks.
fn before_sleep(vm: &mut Vm, host: &Rc<EngineHost>) {
    // Its error comes up again at the next write.
    let _ = host.stdout.flush();
    report_failures(vm, host, false);
    if !host.reactor.activity().is_idle() {
        return;
    }
    let parked: Vec<Rc<Task>> =
        host.scheduler.tasks.borrow().iter().map(|(_, t)| Rc::clone(t)).collect();
    let hopeless = parked.iter().all(|task| {
        task.wait.borrow().as_ref().is_some_and(|w| !w.is_external()) && !task.cancel.get()
    });
    if !hopeless {
        return;
    }
    for task in parked {
        let e = vm.exception(
            Type::RuntimeError,
            "deadlock: every task waits for another and nothing can wake them",
        );
        // Each place is worth seeing, also of a task that another waits for.
        let is_main = host.scheduler.main.borrow().as_ref().is_some_and(|m| Rc::ptr_eq(m, &task));
        task.observed.set(is_main);
        drop(task.wait.borrow_mut().take());
        task.raise.set(Some(vm.retain(e)));
        host.scheduler.make_ready(task);
    }
}

/// The run is over, and nothing catches that: raises it in every task, also in those that run
/// no code in which it would come up.
fn end_all(vm: &Vm, host: &EngineHost) {
    let tasks: Vec<Rc<Task>> =
        host.scheduler.tasks.borrow().iter().map(|(_, t)| Rc::clone(t)).collect();
    for task in tasks {
        let e = vm.exception(Type::TimeoutError, "the time limit is over");
        drop(task.wait.borrow_mut().take());
        if let Some(old) = task.raise.replace(Some(vm.retain(e))) {
            vm.release(old);
        }
        host.scheduler.make_ready(task);
    }
}

/// Cancels every task.
pub(crate) fn cancel_all(host: &EngineHost) {
    cancel_if(host, |_| true);
}

/// Cancels the tasks because the program has failed, threads only if they are to be stopped as
/// well. Daemons are just left.
fn cancel(host: &EngineHost, threads: bool) {
    cancel_if(host, |kind| kind == Kind::Task || threads && kind == Kind::Thread);
}

fn cancel_if(host: &EngineHost, ends: impl Fn(Kind) -> bool) {
    let tasks: Vec<Rc<Task>> =
        host.scheduler.tasks.borrow().iter().map(|(_, t)| Rc::clone(t)).collect();
    for task in tasks.iter().filter(|task| ends(task.kind.get())) {
        host.scheduler.cancel(task);
    }
}

/// Whether an exception of the main program stops threads: they go on after other errors.
fn stops_threads(vm: &Vm, host: &EngineHost, e: Handle) -> bool {
    vm.handle(e)
        .is_some_and(|e| vm.is_exception_of(e, Type::KeyboardInterrupt) || host.is_limit(vm, e))
}

/// Whether the exception that ended a task ends the program, although it is not the main task. The
/// end of the time does if nobody waits for the task who could go on.
fn ends_program(vm: &Vm, host: &EngineHost, task: &Task, e: Handle) -> bool {
    task.finalizes.get().is_none()
        && vm.handle(e).is_some_and(|e| {
            vm.is_exception_of(e, Type::SystemExit)
                || vm.is_exception_of(e, Type::KeyboardInterrupt)
                || (!task.observed.get() || vm.is_over()) && host.ends_run(vm, e)
        })
}

/// Runs a task until it waits or ends.
fn step(vm: &mut Vm, host: &Rc<EngineHost>, task: &Rc<Task>) -> Stepped {
    if task.is_done() {
        return Stepped::On;
    }
    let raise = match task.raise.take() {
        Some(e) => Some(e),
        None if task.cancel.replace(false) => Some(handle_of(vm, cancelled(vm))),
        None => None,
    };
    let mut input = match (task.id.get(), raise) {
        (None, raise) => {
            let Some(start) = task.start.borrow_mut().take() else { return Stepped::On };
            let id = if raise.is_none() { vm.new_task(start.func, &start.args) } else { None };
            for h in start.args.iter().chain([&start.func]) {
                vm.release(*h);
            }
            task.id.set(id);
            match (id, raise) {
                (Some(_), _) => Input::Start,
                (None, Some(e)) => return finish(vm, host, task, Err(e)),
                (None, None) => {
                    let e = vm.exception(Type::SystemError, "a task could not be started");
                    let e = vm.retain(e);
                    return finish(vm, host, task, Err(e));
                }
            }
        }
        (Some(_), Some(e)) => {
            drop(task.wait.borrow_mut().take());
            if task.preempted.replace(false) { Input::Interrupt(e) } else { Input::Raise(e) }
        }
        (Some(_), None) if task.preempted.replace(false) => Input::Start,
        (Some(_), None) => {
            let Some(mut wait) = task.wait.borrow_mut().take() else { return Stepped::On };
            match wait.poll(vm, task.token.get()) {
                Poll::Ready(result) => answer(vm, result),
                Poll::Pending => {
                    *task.wait.borrow_mut() = Some(wait);
                    return Stepped::Waits;
                }
            }
        }
    };
    let Some(id) = task.id.get() else { return Stepped::On };
    let outer = host.scheduler.running.replace(Some(Rc::clone(task)));
    let ended = loop {
        match vm.resume(id, input) {
            Some(Resumed::Returned(h)) => break Some(Ok(h)),
            Some(Resumed::Raised(h)) => break Some(Err(h)),
            Some(Resumed::OutOfFuel) if host.signals.is_pending() => {
                task.preempted.set(true);
                host.scheduler.make_ready(Rc::clone(task));
                break None;
            }
            Some(Resumed::OutOfFuel) => {
                // Not inside of each other.
                if task.finalizes.get().is_none() && !vm.is_over() {
                    finalize(vm, host);
                }
                input = Input::Start;
            }
            Some(Resumed::Suspended(request)) => {
                let Ok(request) = request.downcast::<WaitRequest>() else {
                    let e = vm.exception(Type::SystemError, "a request that no one answers");
                    input = Input::Raise(vm.retain(e));
                    continue;
                };
                let mut wait = request.0;
                if task.cancel.replace(false) {
                    input = Input::Raise(handle_of(vm, cancelled(vm)));
                    continue;
                }
                match wait.poll(vm, task.token.get()) {
                    Poll::Ready(result) => input = answer(vm, result),
                    Poll::Pending => {
                        *task.wait.borrow_mut() = Some(wait);
                        break None;
                    }
                }
            }
            None => {
                let e = vm.exception(Type::SystemError, "the task is gone");
                break Some(Err(vm.retain(e)));
            }
        }
    };
    host.scheduler.running.replace(outer);
    match ended {
        Some(result) => finish(vm, host, task, result),
        None => Stepped::On,
    }
}

fn answer(vm: &Vm, result: NResult<'_>) -> Input {
    match result {
        Ok(v) => Input::Value(vm.retain(v)),
        Err(e) => Input::Raise(handle_of(vm, e)),
    }
}

/// The exception of an exit.
fn handle_of(vm: &Vm, exit: Exit<'_>) -> Handle {
    vm.retain(match exit {
        Exit::Raise(e) => e,
        Exit::Do(_) => vm.exception(Type::SystemError, "a wait may only give a value or raise"),
    })
}

/// CancelledError.
pub(super) fn cancelled(vm: &Vm) -> Exit<'_> {
    match CANCELLED.of(vm) {
        Ok(class) => Exit::Raise(vm.new_exception(class.root_shape.get(), vm.empty_tuple())),
        Err(e) => e,
    }
}

fn finish(vm: &Vm, host: &EngineHost, task: &Rc<Task>, result: Result<Handle, Handle>) -> Stepped {
    let (handle, mut status) = match result {
        Ok(h) => (h, Status::Returned),
        Err(h) => (h, Status::Failed),
    };
    if let Some(v) = vm.handle(handle) {
        task.result.set(v.word());
        let cancelled = CANCELLED.of(vm).ok();
        if status == Status::Failed
            && cancelled
                .is_some_and(|c| v.get::<Exception>().is_some() && vm.class_of(v).is_subclass(c))
        {
            status = Status::Cancelled;
        }
    }
    task.status.set(status);
    if status != Status::Failed
        && let Some(shown) = task.finalizes.take()
    {
        vm.release(shown);
    }
    let left = [&task.raise, &task.context, &task.event_loop, &task.locals];
    for left in left.into_iter().filter_map(Cell::take) {
        vm.release(left);
    }
    let scheduler: &Scheduler = &host.scheduler;
    scheduler.remove(vm, task);
    let told = ends_program(vm, host, task, handle);
    if status == Status::Failed && !task.observed.get() && !task.is_handler.get() && !told {
        scheduler.failed.borrow_mut().push(Rc::clone(task));
        scheduler.failed_new.set(true);
    }
    for token in std::mem::take(&mut *task.waiters.borrow_mut()) {
        scheduler.wake(token);
    }
    if task.is_handler.get() {
        host.signals.ended(&host.reactor);
        match result {
            Ok(h) => {
                vm.release(h);
            }
            Err(e) => raise_in_main(vm, host, e),
        }
        return Stepped::On;
    }
    Stepped::Ended(result)
}

/// Shows the errors of failed tasks that nobody can ask for any more: their objects are gone, or
/// (with `all`) the program has ended.
fn report_failures(vm: &mut Vm, host: &Rc<EngineHost>, all: bool) {
    if host.scheduler.failed.borrow().is_empty() {
        return;
    }
    // Once for each failure: what is dropped later shows at a collection that comes anyway.
    if host.scheduler.failed_new.replace(false) && !all {
        vm.collect();
    }
    let is_lost = |t: &Rc<Task>| all || Rc::strong_count(t) == 1;
    let mut lost = Vec::new();
    host.scheduler.failed.borrow_mut().retain(|task| {
        if task.observed.get() {
            return false;
        }
        if is_lost(task) {
            let error = vm.retain(super::task::vm_value(vm, &task.result));
            lost.push((error, task.finalizes.take()));
            return false;
        }
        true
    });
    // Kept for the host once all are shown: showing one may run code of a script.
    let mut told = host.scheduler.lost.take();
    for (error, finalizes) in lost {
        let head = match finalizes {
            None => {
                host.scheduler.showed_failure.set(true);
                told = told.or_else(|| vm.handle(error).map(|e| vm.retain(e)));
                "Exception in task:\n".to_owned()
            }
            Some(shown) => {
                let text = format!("Exception ignored in: {}\n", shown_by(vm, shown));
                vm.release(shown);
                text
            }
        };
        let _ = host.stderr.write(head.as_bytes());
        report::exception(vm, host, error);
        vm.release(error);
    }
    host.scheduler.lost.set(told);
}

/// The text of a function or generator.
fn shown_by(vm: &Vm, object: Handle) -> String {
    let text = vm.handle(object).and_then(|v| vm.repr(v).ok());
    text.and_then(|v| v.get::<Str>().map(|s| s.to_display().into_owned()))
        .unwrap_or_else(|| "a finaliser".to_owned())
}

/// Calls the finalisers of what the last collection found dead: each in a task of its own, which
/// runs at once until it ends or waits.
fn finalize(vm: &mut Vm, host: &Rc<EngineHost>) {
    while let Some(finalizer) = vm.take_finalizer() {
        let task = Task::new(Start { func: finalizer.func, args: finalizer.args });
        task.finalizes.set(Some(finalizer.shown));
        host.scheduler.add(vm, Rc::clone(&task));
        if let Stepped::Ended(Ok(result) | Err(result)) = step(vm, host, &task) {
            vm.release(result);
        }
    }
}

/// Calls all finalisers that are left, those of dead objects first, as long as time is left. What
/// they make may have some, too; there is an end to that.
fn finalize_all(vm: &mut Vm, host: &Rc<EngineHost>, main: &Rc<Task>) {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        if !vm.watches() || vm.is_over() || host.is_late() || host.fuel.get() == Some(0) {
            return;
        }
        vm.collect();
        finalize(vm, host);
        vm.doom_all();
        finalize(vm, host);
        let (Ended::Returned(result) | Ended::Raised(result)) =
            turn_until_end(vm, host, main, true);
        vm.release(result);
    }
}
