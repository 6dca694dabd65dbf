//! A green task, and the object that scripts see of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use miniscript_vm::builtins::Type;
use miniscript_vm::handles::Handle;
use miniscript_vm::heap;
use miniscript_vm::heap::Marker;
use miniscript_vm::interp::run::TaskId;
use miniscript_vm::native::{Answer, Exit, NResult, NativeDef, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::value::{EMPTY, Word};
use miniscript_vm::{Value, Vm};

use super::{Wait, no_engine, suspend, suspend_then};
use crate::host::EngineHost;
use crate::reactor::{Reactor, TaskToken, TimerId};
use miniscript_stdlib::ClassDef;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has not ended.
    Alive,
    /// It returned.
    Returned,
    /// It raised.
    Failed,
    /// It raised CancelledError, or never began.
    Cancelled,
}

/// What the end of the program means for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is waited for, and cancelled if the main task fails.
    #[default]
    Task,
    /// A thread: it is waited for in any case, but for KeyboardInterrupt.
    Thread,
    /// A thread that nobody waits for.
    Daemon,
}

/// What a new task will call.
pub(crate) struct Start {
    pub(crate) func: Handle,
    pub(crate) args: Vec<Handle>,
}

/// A green task.
pub struct Task {
    pub(crate) token: Cell<TaskToken>,
    pub(crate) status: Cell<Status>,
    /// The VM's task, once it runs.
    pub(crate) id: Cell<Option<TaskId>>,
    pub(crate) start: RefCell<Option<Start>>,
    pub(crate) wait: RefCell<Option<Box<dyn Wait>>>,
    pub(crate) queued: Cell<bool>,
    /// CancelledError is to be raised where it waits.
    pub(crate) cancel: Cell<bool>,
    /// To be raised where it waits, in place of the result of its wait.
    pub(crate) raise: Cell<Option<Handle>>,
    /// The result or the exception, or Empty.
    pub(crate) result: Cell<Word>,
    pub(crate) waiters: RefCell<Vec<TaskToken>>,
    /// Somebody asked for the result or waits for it.
    pub(crate) observed: Cell<bool>,
    /// It runs a finaliser: what a message about its error names.
    pub(crate) finalizes: Cell<Option<Handle>>,
    /// The values of context variables, as a dict that nobody changes.
    pub(crate) context: Cell<Option<Handle>>,
    /// It stopped at a jump backwards, so that handlers of signals run, and goes on there.
    pub(crate) preempted: Cell<bool>,
    /// It runs the handler of a signal.
    pub(crate) is_handler: Cell<bool>,
    pub(crate) kind: Cell<Kind>,
    /// The event loop of `asyncio` that it runs.
    pub(crate) event_loop: Cell<Option<Handle>>,
    /// A dict of what `threading` keeps for it.
    pub(crate) locals: Cell<Option<Handle>>,
}

impl Task {
    pub(crate) fn new(start: Start) -> Rc<Task> {
        Rc::new(Task {
            token: Cell::new(TaskToken::from_bits(0)),
            status: Cell::new(Status::Alive),
            id: Cell::new(None),
            start: RefCell::new(Some(start)),
            wait: RefCell::default(),
            queued: Cell::new(false),
            cancel: Cell::new(false),
            raise: Cell::new(None),
            result: Cell::new(EMPTY),
            waiters: RefCell::default(),
            observed: Cell::new(false),
            finalizes: Cell::new(None),
            context: Cell::new(None),
            preempted: Cell::new(false),
            is_handler: Cell::new(false),
            kind: Cell::default(),
            event_loop: Cell::new(None),
            locals: Cell::new(None),
        })
    }

    /// Sets the values of context variables.
    pub(crate) fn set_context<'v>(&self, vm: &'v Vm, values: Value<'v>) {
        if let Some(old) = self.context.replace(Some(vm.retain(values))) {
            vm.release(old);
        }
    }

    /// A new task starts with the context variables of the one that makes it.
    pub(crate) fn inherit(&self, vm: &Vm, maker: Option<Rc<Task>>) {
        let context = maker.and_then(|task| task.context.get());
        if let Some(values) = context.and_then(|h| vm.handle(h)) {
            self.set_context(vm, values);
        }
    }

    /// A task that has ended with None: what `sleep` gives, so that it can be awaited too.
    pub(crate) fn finished() -> Rc<Task> {
        let task = Task::new(Start { func: Handle { index: 0, generation: 0 }, args: Vec::new() });
        task.start.borrow_mut().take();
        task.status.set(Status::Returned);
        task.result.set(Value::NONE.word());
        task
    }

    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        self.status.get() != Status::Alive
    }

    /// What it ended with; the error is now somebody's business.
    pub(crate) fn outcome<'v>(&self, vm: &'v Vm) -> NResult<'v> {
        self.observed.set(true);
        let v = vm_value(vm, &self.result);
        match self.status.get() {
            Status::Returned => Ok(v),
            _ => Err(Exit::Raise(v)),
        }
    }

    pub(crate) fn trace(&self, m: &mut Marker) {
        m.cell(&self.result);
    }
}

/// The payload of a Task object.
pub(crate) struct TaskObject(pub(crate) Rc<Task>);

impl Payload for TaskObject {
    fn more_bytes(&self) -> usize {
        size_of::<Task>()
    }

    fn trace(&self, m: &mut Marker) {
        self.0.trace(m);
    }
}

/// The class of tasks.
pub(crate) static TASK: ClassDef = ClassDef::closed(
    "builtins",
    "Task",
    "A green task, made by go().",
    &[
        NativeDef::new(
            "result",
            "self, /, timeout=None",
            result,
            "Wait for the end of the task; return what it returned or raise what it raised.",
        ),
        NativeDef::new("cancel", "self, /", cancel, "Raise CancelledError in the task."),
        NativeDef::new("__await__", "self, /", dunder_await, "Return an iterator for await."),
        NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
        NativeDef::getter("done", done, "whether the task has ended"),
        NativeDef::getter("cancelled", cancelled, "whether the task was cancelled"),
    ],
);

/// The exception that cancellation raises.
pub(crate) static CANCELLED: ClassDef = ClassDef {
    name: "CancelledError",
    // It is asyncio's as well.
    module: "asyncio.exceptions",
    doc: "The task was cancelled.",
    base: Type::BaseException,
    layout: heap::Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

/// The task behind a Task object.
pub(crate) fn task_of(v: Value<'_>) -> Option<Rc<Task>> {
    v.get::<Opaque>()?.with(|t: &mut TaskObject| Rc::clone(&t.0))
}

pub(crate) fn new_object<'v>(vm: &'v Vm, task: Rc<Task>) -> NResult<'v> {
    let class = TASK.of(vm)?;
    Ok(vm.opaque(class, Some(Box::new(TaskObject(task)))))
}

fn receiver<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<Task>, Exit<'v>> {
    task_of(v).ok_or_else(|| vm.type_error("a Task is required"))
}

/// Waits for the end of a task.
pub(crate) struct Join {
    task: Rc<Task>,
    timer: Option<Timer>,
}

impl Join {
    pub(crate) fn new(task: Rc<Task>, timer: Option<Timer>) -> Join {
        task.observed.set(true);
        Join { task, timer }
    }
}

impl Wait for Join {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        if self.task.is_done() {
            return Poll::Ready(self.task.outcome(vm));
        }
        if self.timer.as_mut().is_some_and(|t| t.is_over(token)) {
            return Poll::Ready(Err(vm.err(Type::TimeoutError, "the task has not ended in time")));
        }
        let mut waiters = self.task.waiters.borrow_mut();
        if !waiters.contains(&token) {
            waiters.push(token);
        }
        Poll::Pending
    }

    fn joined(&self) -> Option<&Rc<Task>> {
        Some(&self.task)
    }
}

/// A value out of a cell that the VM's host traces.
pub(crate) fn vm_value<'v>(vm: &'v Vm, cell: &Cell<Word>) -> Value<'v> {
    let held = vm.retain(read(cell));
    let v = vm.handle(held).unwrap_or(Value::NONE);
    vm.release(held);
    v
}

/// A point in time at which a token is woken.
pub(crate) struct Timer {
    reactor: Rc<Reactor>,
    after: Duration,
    id: Option<TimerId>,
}

impl Timer {
    pub(crate) fn new(reactor: Rc<Reactor>, after: Duration) -> Timer {
        Timer { reactor, after, id: None }
    }

    /// Whether the time is over; starts the clock when first asked.
    pub(crate) fn is_over(&mut self, token: TaskToken) -> bool {
        match self.id {
            Some(id) => !self.reactor.timer_pending(id),
            None => {
                self.id = Some(self.reactor.timer_after(self.after, token));
                false
            }
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.reactor.cancel_timer(id);
        }
    }
}

/// Seconds as scripts give them.
pub(crate) fn duration<'v>(vm: &'v Vm, v: Value<'v>, what: &str) -> Result<Duration, Exit<'v>> {
    let seconds = match (v.as_float(), v.as_small(), v.as_bool()) {
        (Some(f), _, _) => f,
        (_, Some(n), _) => n as f64,
        (_, _, Some(b)) => f64::from(u8::from(b)),
        _ if vm.as_index_i64(v).is_some() => match vm.as_index_i64(v) {
            Some(Ok(n)) => n as f64,
            _ => return Err(vm.overflow_error("timestamp too large to convert to C _PyTime_t")),
        },
        _ => {
            return Err(vm.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                vm.type_name(v)
            )));
        }
    };
    if seconds.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(vm.value_error(format!("{what} must be non-negative")));
    }
    // More than the clock can count means for ever.
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn result<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let task = receiver(vm, args[0])?;
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    if task.is_done() {
        return task.outcome(vm);
    }
    if host.scheduler.running().is_some_and(|r| Rc::ptr_eq(&r, &task)) {
        return Err(vm.runtime_error("a task cannot wait for itself"));
    }
    let timer = match args[1] {
        t if t.is_empty() || t.is_none() => None,
        t => Some(Timer::new(Rc::clone(&host.reactor), duration(vm, t, "timeout")?)),
    };
    // The object stays in the frame's state, so that the result is traced.
    static ROW: Row =
        Row { name: "task_result", catches: false, resume: |_, _, answer| answer.value() };
    Err(suspend_then(Join::new(task, timer), &ROW, vec![args[0]]))
}

fn cancel<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let task = receiver(vm, args[0])?;
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    Ok(Value::bool(host.scheduler.cancel(&task)))
}

fn done<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(receiver(vm, args[0])?.is_done()))
}

fn cancelled<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(receiver(vm, args[0])?.status.get() == Status::Cancelled))
}

fn repr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let state = match receiver(vm, args[0])?.status.get() {
        Status::Alive => "pending",
        Status::Returned => "done",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    };
    vm.str(&format!("<Task {state}>"))
}

/// What `asyncio` has set to wait for a task without holding up its loop.
#[derive(Default)]
pub(crate) struct AwaitInLoop(pub(crate) Cell<Option<Handle>>);

fn dunder_await<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    receiver(vm, args[0])?;
    let running = EngineHost::of(vm).and_then(|host| host.scheduler.running());
    if let Some(event_loop) = running.and_then(|task| vm.handle(task.event_loop.get()?))
        && let Some(wait) = vm.local::<AwaitInLoop>().0.get().and_then(|h| vm.handle(h))
    {
        return Err(Exit::tail(wait, vec![event_loop, args[0]]));
    }
    let none = Value::NONE;
    Ok(vm.iter(Type::CoroutineWrapper, await_next, [args[0], none, none], 0, 0))
}

/// `await task`: suspends the green task itself and ends the iteration with the result.
fn await_next<'v>(vm: &'v Vm, iter: &'v Iter) -> NResult<'v> {
    static ROW: Row = Row {
        name: "task_await",
        catches: false,
        resume: |vm, _, answer: Answer<'_>| Err(vm.stop_iteration(answer.value()?)),
    };
    let task = receiver(vm, iter.get(0))?;
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    if task.is_done() {
        return Err(vm.stop_iteration(task.outcome(vm)?));
    }
    if host.scheduler.running().is_some_and(|r| Rc::ptr_eq(&r, &task)) {
        return Err(vm.runtime_error("a task cannot wait for itself"));
    }
    Err(suspend_then(Join::new(task, None), &ROW, vec![iter.get(0)]))
}

/// Lets the other ready tasks run once.
pub(crate) struct Yield {
    reactor: Rc<Reactor>,
    asked: bool,
}

impl Yield {
    pub(crate) fn new(reactor: Rc<Reactor>) -> Yield {
        Yield { reactor, asked: false }
    }
}

impl Wait for Yield {
    fn poll<'v>(&mut self, _: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        if std::mem::replace(&mut self.asked, true) {
            return Poll::Ready(Ok(Value::NONE));
        }
        self.reactor.wake(token);
        Poll::Pending
    }
}

/// A sleep.
pub(crate) struct Sleep(Timer);

impl Sleep {
    /// Suspends the running task for a time.
    pub(crate) fn start<'v>(vm: &'v Vm, after: Duration) -> Exit<'v> {
        let Some(host) = EngineHost::of(vm) else { return no_engine(vm) };
        let reactor = Rc::clone(&host.reactor);
        if after.is_zero() {
            return suspend(Yield::new(reactor));
        }
        suspend(Sleep(Timer::new(reactor, after)))
    }
}

impl Wait for Sleep {
    fn poll<'v>(&mut self, _: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        if self.0.is_over(token) { Poll::Ready(Ok(Value::NONE)) } else { Poll::Pending }
    }
}

/// `time.sleep`: the exit that suspends the running task for so many seconds.
pub(crate) fn sleep_for<'v>(vm: &'v Vm, seconds: Value<'v>) -> Result<Exit<'v>, Exit<'v>> {
    Ok(Sleep::start(vm, duration(vm, seconds, "sleep length")?))
}
