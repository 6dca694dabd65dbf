//! Import locks: a task that imports a module whose body another task runs waits for its end.
//!
//! A body may suspend anywhere, so without a lock the other task would see the module half made.
//! Where waiting could never end, because the other one waits for this task (an import cycle
//! over two tasks, a body that waits for the result of a task), the module is given as it is, as
//! within the cycle of one task.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::{Value, Vm};

use crate::host::EngineHost;
use crate::reactor::TaskToken;
use crate::scheduler::{Task, Wait, suspend};

/// A module whose body runs.
struct Importing {
    name: String,
    owner: Rc<Task>,
    /// Whom to wake when it has ended.
    waiters: Vec<TaskToken>,
}

/// The modules whose bodies run.
#[derive(Default)]
pub(crate) struct Locks {
    importing: Rc<RefCell<Vec<Importing>>>,
}

impl Locks {
    /// Whether the body of module `name` is running.
    pub(super) fn is_importing(&self, name: &str) -> bool {
        self.importing.borrow().iter().any(|i| i.name == name)
    }

    /// The running task begins with the body of a module.
    pub(super) fn acquire(&self, host: &EngineHost, name: &str) {
        if let Some(owner) = host.scheduler.running() {
            let importing = Importing { name: name.to_owned(), owner, waiters: Vec::new() };
            self.importing.borrow_mut().push(importing);
        }
    }

    /// The body has ended, well or not.
    pub(super) fn release(&self, host: &EngineHost, name: &str) {
        self.importing.borrow_mut().retain_mut(|i| {
            let ended = i.name == name;
            if ended {
                i.waiters.drain(..).for_each(|token| host.reactor.wake(token));
            }
            !ended
        });
    }

    /// What suspends the running task until the body of a module has ended, if another task runs
    /// it that does not wait for this one.
    pub(crate) fn wait_for<'v>(&self, host: &EngineHost, name: &str) -> Option<Exit<'v>> {
        if self.importing.borrow().is_empty() {
            return None;
        }
        let me = host.scheduler.running()?;
        let mut owner = self.owner(name)?;
        // Each step goes to another task unless there is a cycle that this task is no part of.
        for _ in 0..=host.scheduler.count() {
            if Rc::ptr_eq(&owner, &me) {
                return None;
            }
            let Some(next) = self.awaited_by(&owner) else { break };
            owner = next;
        }
        let importing = Rc::clone(&self.importing);
        Some(suspend(ImportWait { importing, name: name.to_owned(), token: None }))
    }

    fn owner(&self, name: &str) -> Option<Rc<Task>> {
        let importing = self.importing.borrow();
        importing.iter().find(|i| i.name == name).map(|i| Rc::clone(&i.owner))
    }

    /// The task whose end, or whose import, a task waits for.
    fn awaited_by(&self, task: &Rc<Task>) -> Option<Rc<Task>> {
        let token = task.token.get();
        let importing = self.importing.borrow();
        match importing.iter().find(|i| i.waiters.contains(&token)) {
            Some(i) => Some(Rc::clone(&i.owner)),
            None => task.wait.borrow().as_ref()?.joined().cloned(),
        }
    }
}

/// Waits for the end of a module's body.
struct ImportWait {
    importing: Rc<RefCell<Vec<Importing>>>,
    name: String,
    token: Option<TaskToken>,
}

impl Wait for ImportWait {
    fn poll<'v>(&mut self, _: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let mut importing = self.importing.borrow_mut();
        let Some(i) = importing.iter_mut().find(|i| i.name == self.name) else {
            return Poll::Ready(Ok(Value::NONE));
        };
        self.token = Some(token);
        if !i.waiters.contains(&token) {
            i.waiters.push(token);
        }
        Poll::Pending
    }
}

impl Drop for ImportWait {
    /// Who gave up waits no longer, also in the eyes of [`Locks::wait_for`].
    fn drop(&mut self) {
        let Some(token) = self.token else { return };
        for i in self.importing.borrow_mut().iter_mut() {
            i.waiters.retain(|t| *t != token);
        }
    }
}
