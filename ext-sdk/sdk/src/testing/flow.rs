//! Exceptions, calls, futures and tasks of the test host.

use super::values::vm;
use super::*;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How far a task of the test host is.
pub enum TaskState {
    /// A call that has not been made.
    Call(Py, Vec<Py>),
    /// A future that is not finished.
    Future(MsFuture),
    /// Taken out while it is polled.
    Running,
    /// Finished.
    Done(Result<Py, Raised>),
}

pub(super) enum Op {
    Timer(Instant),
    Work(Arc<AtomicBool>),
    Names(Vec<SocketAddr>),
    File(Rc<super::files::Outcome>),
}

/// Running operations.
#[derive(Default)]
pub struct Ops {
    next: u64,
    open: HashMap<u64, Op>,
}

static WOKEN: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());
static TOKENS: AtomicU64 = AtomicU64::new(1);

pub(super) unsafe extern "C" fn wake(token: MsToken) -> MsStatus {
    if token != 0 {
        *WOKEN.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) += 1;
        WOKEN.1.notify_all();
    }
    MS_OK
}

pub(super) static TABLE: MsHostFlow = MsHostFlow {
    size: size_of::<MsHostFlow>(),
    raise: Some(raise),
    raise_value: Some(raise_value),
    raise_io: Some(raise_io),
    take_error: Some(take_error),
    call: Some(call),
    tail_call: Some(tail_call),
    suspend: Some(suspend),
    charge: None,
    account: None,
    permission: None,
    write: Some(write),
};

pub(super) static TASKS: MsHostTask = MsHostTask {
    size: size_of::<MsHostTask>(),
    spawn: Some(spawn),
    spawn_future: Some(spawn_future),
    poll: Some(poll_task),
    cancel: Some(cancel),
    sleep: Some(sleep),
    blocking: Some(blocking),
    op_poll: Some(op_poll),
    op_close: Some(op_close),
};

impl Vm {
    /// Calls a function object.
    pub fn call_value(&self, callee: &Py, args: &[Py]) -> Result<Py, Raised> {
        match callee {
            Py::Object(object) => match &**object {
                Object::Function(function) => function(self, args),
                _ => Err(Raised::new("TypeError", "object is not callable")),
            },
            _ => Err(Raised::new("TypeError", "object is not callable")),
        }
    }

    /// Brings what a native answered to its end.
    pub(super) fn finish(&self, mut status: MsStatus, mut out: MsValue) -> Result<Py, Raised> {
        loop {
            match status {
                MS_OK => return self.value(out),
                MS_RAISED => return Err(self.take_pending()),
                MS_SUSPEND => {
                    let future = self.future.take().expect("a future was set");
                    return self.drive(&future);
                }
                MS_CALL => {
                    let (callee, args, then) = self.tail.take().expect("a call was set");
                    let result = self.call_value(&callee, &args);
                    let Some(then) = then else { return result };
                    (status, out) = self.continue_with(&then, result);
                }
                other => panic!("a native answered {other}"),
            }
        }
    }

    fn continue_with(&self, then: &MsThen, result: Result<Py, Raised>) -> (MsStatus, MsValue) {
        let mut out = MsValue::NONE;
        let (given, value) = match result {
            Ok(value) => (MS_OK, value),
            Err(raised) => (MS_RAISED, Py::object(Object::Exception(raised))),
        };
        let cx = self.context(std::ptr::null());
        let value = self.handle(&value);
        // SAFETY: the contract of `MsThen`.
        let status = unsafe {
            let status = match then.then {
                Some(then_fn) => then_fn(then.data, &cx, given, value, &mut out),
                None => {
                    out = value;
                    MS_OK
                }
            };
            if let Some(end) = then.drop {
                end(then.data);
            }
            status
        };
        (status, out)
    }

    /// Polls a future until it is finished, then drops it. Each poll has its own handles.
    fn drive(&self, future: &MsFuture) -> Result<Py, Raised> {
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(10);
        let result = loop {
            let seen = *WOKEN.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(result) = self.scoped(|| self.poll_once(future, token)) {
                break result;
            }
            self.step_background();
            assert!(Instant::now() < deadline, "a future did not finish within ten seconds");
            let woken = WOKEN.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let wait =
                WOKEN.1.wait_timeout_while(woken, Duration::from_millis(1), |count| *count == seen);
            drop(wait);
        };
        end_future(future);
        result
    }

    fn poll_once(&self, future: &MsFuture, token: MsToken) -> Option<Result<Py, Raised>> {
        let mut out = MsValue::NONE;
        let cx = self.context(std::ptr::null());
        let poll = future.poll.expect("a future has a poll function");
        // SAFETY: the contract of `MsFuture`.
        match unsafe { poll(future.data, &cx, token, &mut out) } {
            MS_PENDING => None,
            status => Some(self.finish(status, out)),
        }
    }
}

unsafe extern "C" fn raise(
    at: *mut MsVm,
    class: MsStr,
    message: MsStr,
    _: *const MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let class = class.as_str().unwrap_or("SystemError");
        vm(at).raise(Raised::new(class, message.as_str().unwrap_or_default()))
    }
}

unsafe extern "C" fn raise_value(at: *mut MsVm, exception: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let raised = match vm(at).value(exception) {
            Ok(Py::Object(object)) => match &*object {
                Object::Exception(raised) => raised.clone(),
                _ => Raised::new("TypeError", "exceptions must derive from BaseException"),
            },
            Ok(_) => Raised::new("TypeError", "exceptions must derive from BaseException"),
            Err(raised) => raised,
        };
        vm(at).raise(raised)
    }
}

unsafe extern "C" fn take_error(at: *mut MsVm, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        match vm(at).pending.take() {
            Some(raised) => vm(at).give(Ok(Py::object(Object::Exception(raised))), out),
            None => MS_END,
        }
    }
}

unsafe extern "C" fn call(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    _: usize,
    _: *const MsKeyword,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let result = vm.value(callee).and_then(|callee| {
            vm.list_of(argc, args).and_then(|args| vm.call_value(&callee, &args))
        });
        vm.give(result, out)
    }
}

unsafe extern "C" fn tail_call(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    then: *const MsThen,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        match vm.value(callee).and_then(|callee| Ok((callee, vm.list_of(argc, args)?))) {
            Ok((callee, args)) => {
                vm.tail.replace(Some((callee, args, then.as_ref().copied())));
                MS_CALL
            }
            Err(raised) => vm.raise(raised),
        }
    }
}

unsafe extern "C" fn suspend(at: *mut MsVm, future: *const MsFuture) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).future.set(Some(*future)) };
    MS_SUSPEND
}

unsafe extern "C" fn write(at: *mut MsVm, _: u32, text: MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).output.borrow_mut().push_str(text.as_str().unwrap_or_default()) };
    MS_OK
}

unsafe extern "C" fn spawn(
    at: *mut MsVm,
    callee: MsValue,
    argc: usize,
    args: *const MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let state = vm
            .value(callee)
            .and_then(|callee| Ok(TaskState::Call(callee, vm.list_of(argc, args)?)));
        vm.give(state.map(|state| vm.add_task(state)), out)
    }
}

unsafe extern "C" fn spawn_future(
    at: *mut MsVm,
    future: *const MsFuture,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let task = vm(at).add_task(TaskState::Future(*future));
        vm(at).give(Ok(task), out)
    }
}

unsafe extern "C" fn poll_task(
    at: *mut MsVm,
    task: MsValue,
    _: MsToken,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let vm = vm(at);
        let object = match vm.value(task) {
            Ok(Py::Object(object)) => object,
            Ok(_) => return vm.raise(Raised::new("TypeError", "not a task")),
            Err(raised) => return vm.raise(raised),
        };
        match vm.step_task(&object) {
            Some(result) => vm.give(result, out),
            None => MS_PENDING,
        }
    }
}

unsafe extern "C" fn cancel(at: *mut MsVm, task: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    let vm = unsafe { vm(at) };
    if let Ok(Py::Object(object)) = vm.value(task) {
        vm.cancel_task(&object);
    }
    MS_OK
}

impl Vm {
    /// Adds a task, which runs whenever a call waits.
    fn add_task(&self, state: TaskState) -> Py {
        let task = Rc::new(Object::Task(RefCell::new(state)));
        self.background.borrow_mut().push(Rc::clone(&task));
        Py::Object(task)
    }

    /// Lets all tasks run for one poll.
    fn step_background(&self) {
        let tasks = self.background.borrow().clone();
        for task in &tasks {
            self.step_task(task);
        }
        self.background.borrow_mut().retain(|task| match &**task {
            Object::Task(state) => !matches!(*state.borrow(), TaskState::Done(_)),
            _ => false,
        });
    }

    /// Lets a task run for one poll; its result if it has ended.
    fn step_task(&self, task: &Object) -> Option<Result<Py, Raised>> {
        let Object::Task(state) = task else {
            return Some(Err(Raised::new("TypeError", "not a task")));
        };
        let result = match state.replace(TaskState::Running) {
            TaskState::Call(callee, args) => self.call_value(&callee, &args),
            TaskState::Future(future) => {
                let token = TOKENS.fetch_add(1, Ordering::Relaxed);
                match self.scoped(|| self.poll_once(&future, token)) {
                    Some(result) => {
                        end_future(&future);
                        result
                    }
                    None => {
                        state.replace(TaskState::Future(future));
                        return None;
                    }
                }
            }
            TaskState::Running => return None,
            TaskState::Done(result) => result,
        };
        state.replace(TaskState::Done(result.clone()));
        Some(result)
    }

    pub(super) fn cancel_task(&self, task: &Object) {
        let Object::Task(state) = task else { return };
        let cancelled = Err(Raised::new("CancelledError", ""));
        match state.replace(TaskState::Done(cancelled)) {
            TaskState::Future(future) => end_future(&future),
            TaskState::Done(result) => drop(state.replace(TaskState::Done(result))),
            TaskState::Call(..) | TaskState::Running => (),
        }
    }

    /// Addresses of a finished lookup.
    pub(super) fn names_of(&self, op: MsOp) -> Vec<SocketAddr> {
        match self.ops.borrow().open.get(&op) {
            Some(Op::Names(found)) => found.clone(),
            _ => Vec::new(),
        }
    }

    /// Outcome of a file request.
    pub(super) fn outcome_of(&self, op: MsOp) -> Option<Rc<super::files::Outcome>> {
        match self.ops.borrow().open.get(&op) {
            Some(Op::File(outcome)) => Some(Rc::clone(outcome)),
            _ => None,
        }
    }
}

fn end_future(future: &MsFuture) {
    if let Some(end) = future.drop {
        // SAFETY: the contract of `MsFuture`: dropped once, as its owner is gone.
        unsafe { end(future.data) };
    }
}

unsafe extern "C" fn raise_io(at: *mut MsVm, io: *const MsIo, path: MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let error = crate::net::io_error(&*io);
        let mut message = error.to_string();
        if let Some((text, number)) = message.split_once(" (os error ") {
            message = format!("[Errno {}] {text}", number.trim_end_matches(')'));
        }
        let path = path.as_str().unwrap_or_default();
        if !path.is_empty() {
            message = format!("{message}: '{path}'");
        }
        vm(at).raise(Raised::new(crate::net::class_of(&error), message))
    }
}

impl Vm {
    pub(super) fn open(&self, op: Op) -> u64 {
        let mut ops = self.ops.borrow_mut();
        ops.next += 1;
        let id = ops.next;
        ops.open.insert(id, op);
        id
    }

    /// Number of operations that were not closed.
    pub fn open_operations(&self) -> usize {
        self.ops.borrow().open.len()
    }
}

unsafe extern "C" fn sleep(at: *mut MsVm, nanoseconds: u64, out: *mut MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let end = Instant::now() + Duration::from_nanos(nanoseconds);
        *out = vm(at).open(Op::Timer(end));
    }
    MS_OK
}

struct Job(MsWork, *mut c_void, Option<MsDrop>, Arc<AtomicBool>);

// SAFETY: `blocking` states that the work may run on any thread.
unsafe impl Send for Job {}

impl Job {
    fn run(self) {
        // SAFETY: the contract of `blocking`.
        unsafe {
            (self.0)(self.1);
            self.3.store(true, Ordering::Release);
            wake(1);
            if let Some(end) = self.2 {
                end(self.1);
            }
        }
    }
}

unsafe extern "C" fn blocking(
    at: *mut MsVm,
    work: Option<MsWork>,
    data: *mut c_void,
    end: Option<MsDrop>,
    out: *mut MsOp,
) -> MsStatus {
    let done = Arc::new(AtomicBool::new(false));
    let job = Job(work.expect("work"), data, end, Arc::clone(&done));
    std::thread::spawn(move || job.run());
    // SAFETY: the contract of the table.
    unsafe { *out = vm(at).open(Op::Work(done)) };
    MS_OK
}

unsafe extern "C" fn op_poll(at: *mut MsVm, op: MsOp, _: MsToken) -> MsStatus {
    // SAFETY: the contract of the table.
    let vm = unsafe { vm(at) };
    let done = match vm.ops.borrow().open.get(&op) {
        Some(Op::Timer(end)) => Instant::now() >= *end,
        Some(Op::Work(done)) => done.load(Ordering::Acquire),
        Some(Op::Names(_) | Op::File(_)) => true,
        None => return vm.raise(Raised::new("RuntimeError", "the operation is not open")),
    };
    if done { MS_OK } else { MS_PENDING }
}

unsafe extern "C" fn op_close(at: *mut MsVm, op: MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { vm(at).ops.borrow_mut().open.remove(&op) };
    MS_OK
}
