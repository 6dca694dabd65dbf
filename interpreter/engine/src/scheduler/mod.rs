//! Green tasks: who runs, who waits for what, and how a program ends.
//!
//! ```text
//! go(f)      -> a Task in the ready queue
//! resume     -> Returned, Raised: the task ends and its waiters are woken
//!               Suspended(Wait): the wait is polled at once, and if it is not over the task parks
//! turn       -> tokens of the reactor: parked tasks whose waits are polled again
//! ```
//!
//! Tasks switch only where something suspends. The program ends when the main task has ended and
//! no other is left; an uncaught error of the main task, `SystemExit` and `KeyboardInterrupt` of
//! any task cancel the others and let their `finally` run.

mod api;
mod chan;
mod foreign;
mod run;
mod task;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::Vm;
use miniscript_vm::handles::Handle;
use miniscript_vm::heap::Marker;
use miniscript_vm::native::{Action, Exit, NResult, Row, Then};
use miniscript_vm::{Value, builtins::Type};

use crate::reactor::{GenSlab, TaskToken};

pub(crate) use api::{OUTSIDE, call, install};
pub(crate) use foreign::{cancel_task, check_cancelled, poll_task, spawn, spawn_thread};
pub(crate) use run::Ended;
pub(crate) use run::{cancel_all, finalize_rest, run};
pub use task::Task;
pub(crate) use task::{AwaitInLoop, Kind, Timer, duration, sleep_for};

/// What a task that has not ended takes beside its stacks: itself, its places in the tables, its
/// timer and what it is to call.
const TASK_BYTES: usize = size_of::<Task>() + 256;

/// What a suspended task waits for.
///
/// `poll` is asked when the task suspends and each time its token comes out of the reactor. It
/// answers with the result of the suspended call (a value or an exception), or has seen to it
/// that `token` is woken. Dropping it gives up.
pub trait Wait {
    /// Whether it is over.
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>>;

    /// Whether something outside of this engine (a foreign thread) may end it, so that waiting
    /// for ever is no deadlock.
    fn is_external(&self) -> bool {
        false
    }

    /// The task whose end it waits for, if it is that.
    fn joined(&self) -> Option<&Rc<Task>> {
        None
    }
}

/// The request with which a native suspends its task.
pub(crate) struct WaitRequest(pub(crate) Box<dyn Wait>);

/// Suspends the running task until `wait` is over; its result is the native's result.
pub fn suspend<'v>(wait: impl Wait + 'static) -> Exit<'v> {
    let request = Box::new(WaitRequest(Box::new(wait)));
    Exit::Do(Box::new(Action::Suspend { request, then: None }))
}

/// Suspends the running task until `wait` is over, and goes on at `row` with its result.
pub fn suspend_then<'v>(
    wait: impl Wait + 'static,
    row: &'static Row,
    state: Vec<Value<'v>>,
) -> Exit<'v> {
    let request = Box::new(WaitRequest(Box::new(wait)));
    Exit::Do(Box::new(Action::Suspend { request, then: Some(Then { row, state }) }))
}

/// The tasks of one engine.
#[derive(Default)]
pub(crate) struct Scheduler {
    tasks: RefCell<GenSlab<Rc<Task>>>,
    ready: RefCell<VecDeque<Rc<Task>>>,
    running: RefCell<Option<Rc<Task>>>,
    main: RefCell<Option<Rc<Task>>>,
    /// How many of the tasks are daemons.
    daemons: Cell<usize>,
    /// Tasks that failed and whose error nobody has asked for yet.
    failed: RefCell<Vec<Rc<Task>>>,
    /// Whether one of them came since the last look for lost ones.
    failed_new: Cell<bool>,
    /// Whether the error of an unobserved task was shown.
    pub(crate) showed_failure: Cell<bool>,
    /// The first such error of the run.
    pub(crate) lost: Cell<Option<Handle>>,
}

impl Scheduler {
    /// The task that runs.
    pub(crate) fn running(&self) -> Option<Rc<Task>> {
        self.running.borrow().clone()
    }

    /// The token of the main task; 0 if there is none.
    pub(crate) fn main_token(&self) -> u64 {
        self.main.borrow().as_ref().map_or(0, |task| task.token.get().to_bits())
    }

    /// Whether only daemons are left.
    fn is_finished(&self) -> bool {
        self.tasks.borrow().len() == self.daemons.get()
    }

    /// Makes a thread a daemon or no daemon.
    pub(crate) fn set_daemon(&self, token: TaskToken, daemon: bool) {
        let Some(task) = self.tasks.borrow().get(token.key()).cloned() else { return };
        let new = if daemon { Kind::Daemon } else { Kind::Thread };
        match (task.kind.replace(new), new) {
            (Kind::Daemon, Kind::Thread) => self.daemons.set(self.daemons.get() - 1),
            (Kind::Thread | Kind::Task, Kind::Daemon) => self.daemons.set(self.daemons.get() + 1),
            _ => {}
        }
    }

    fn remove(&self, vm: &Vm, task: &Task) {
        self.tasks.borrow_mut().remove(task.token.get().key());
        vm.heap.refund(TASK_BYTES);
        if task.kind.get() == Kind::Daemon {
            self.daemons.set(self.daemons.get() - 1);
        }
    }

    /// How many tasks have not ended.
    pub(crate) fn count(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// Adds a task to the ready queue.
    pub(crate) fn add(&self, vm: &Vm, task: Rc<Task>) {
        vm.heap.hold(TASK_BYTES);
        if task.kind.get() == Kind::Daemon {
            self.daemons.set(self.daemons.get() + 1);
        }
        let key = self.tasks.borrow_mut().insert(Rc::clone(&task));
        task.token.set(TaskToken::from(key));
        self.make_ready(task);
    }

    /// Adds a task that runs before the others.
    fn add_first(&self, vm: &Vm, task: Rc<Task>) {
        vm.heap.hold(TASK_BYTES);
        let key = self.tasks.borrow_mut().insert(Rc::clone(&task));
        task.token.set(TaskToken::from(key));
        task.queued.set(true);
        self.ready.borrow_mut().push_front(task);
    }

    fn make_ready(&self, task: Rc<Task>) {
        if !task.queued.replace(true) {
            self.ready.borrow_mut().push_back(task);
        }
    }

    /// A token came out of the reactor.
    fn wake(&self, token: TaskToken) {
        let task = self.tasks.borrow().get(token.key()).cloned();
        if let Some(task) = task {
            self.make_ready(task);
        }
    }

    /// Asks a task to end: CancelledError is raised where it waits. `false` if it has ended.
    pub(crate) fn cancel(&self, task: &Rc<Task>) -> bool {
        if task.is_done() {
            return false;
        }
        task.cancel.set(true);
        let running = self.running().is_some_and(|r| Rc::ptr_eq(&r, task));
        if !running {
            // Dropped out of the borrow: its destructor may wake other tasks.
            let wait = task.wait.borrow_mut().take();
            drop(wait);
            self.make_ready(Rc::clone(task));
        }
        true
    }

    /// Drops what every task waits for: the VM is about to end, and what the waits own may belong
    /// to objects of it.
    pub(crate) fn abandon(&self) {
        let tasks: Vec<Rc<Task>> = self.tasks.borrow().iter().map(|(_, t)| Rc::clone(t)).collect();
        for task in tasks {
            let wait = task.wait.borrow_mut().take();
            drop(wait);
        }
    }

    pub(crate) fn trace(&self, m: &mut Marker) {
        for (_, task) in self.tasks.borrow().iter() {
            task.trace(m);
        }
        for task in self.failed.borrow().iter() {
            task.trace(m);
        }
    }
}

/// The text of a native that was asked to do what it cannot.
pub(crate) fn no_engine(vm: &Vm) -> Exit<'_> {
    vm.err(Type::RuntimeError, "tasks need an engine")
}
