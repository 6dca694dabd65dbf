//! Channels: queues between tasks. Sending into a full one and receiving from an empty one
//! suspend.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Marker;
use miniscript_vm::native::{Answer, Exit, NResult, NativeDef, Row};
use miniscript_vm::object::iter::Iter;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::value::Word;
use miniscript_vm::{Value, Vm};

use super::task::{Timer, duration};
use super::{Wait, no_engine, suspend_then};
use crate::host::EngineHost;
use crate::reactor::{Reactor, TaskToken};
use miniscript_stdlib::ClassDef;

/// The builtin functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("chan", "capacity=0, /", chan, "Make a channel that holds so many values."),
    NativeDef::new("send", "channel, value, /", send, "Send a value into a channel."),
    NativeDef::new("receive", "channel, /", receive, "Receive the next value of a channel."),
    NativeDef::new(
        "select",
        "*channels, timeout=None",
        select,
        "Receive from the first channel that has a value; return the channel and the value.",
    ),
];

static CHANNEL: ClassDef = ClassDef::closed(
    "builtins",
    "Channel",
    "A queue between tasks, made by chan().",
    &[
        NativeDef::new("send", "self, value, /", send, "Send a value."),
        NativeDef::new("receive", "self, /", receive, "Receive the next value."),
        NativeDef::new("close", "self, /", close, "No more values will be sent."),
        NativeDef::new("__iter__", "self, /", iter, "Iterate over the values until it is closed."),
        NativeDef::new("__len__", "self, /", len, "The number of values waiting."),
        NativeDef::getter("closed", closed, "whether it is closed"),
    ],
);

/// A value on its way. Parcels lie in the order of `id`, by which a sender finds its own.
struct Parcel {
    id: u64,
    word: Word,
    /// The sender, if it waits for room or for a receiver.
    sender: Option<TaskToken>,
}

#[derive(Default)]
struct Queue {
    capacity: usize,
    parcels: VecDeque<Parcel>,
    next_id: u64,
    closed: bool,
    /// Receivers that wait.
    waiters: Vec<TaskToken>,
}

impl Queue {
    /// Where parcel `id` lies, if it was not taken.
    fn place(&self, id: u64) -> Option<usize> {
        self.parcels.binary_search_by_key(&id, |p| p.id).ok()
    }

    /// The sender of the last parcel that has room, which may have got it just now.
    fn admitted(&self) -> Option<TaskToken> {
        self.parcels.get(self.capacity.checked_sub(1)?)?.sender
    }
}

struct ChannelObject(Rc<RefCell<Queue>>);

impl Payload for ChannelObject {
    fn trace(&self, m: &mut Marker) {
        for p in &self.0.borrow().parcels {
            m.word(p.word);
        }
    }

    fn more_bytes(&self) -> usize {
        size_of::<RefCell<Queue>>() + 32
    }
}

fn queue_of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<RefCell<Queue>>, Exit<'v>> {
    v.get::<Opaque>()
        .and_then(|o| o.with(|c: &mut ChannelObject| Rc::clone(&c.0)))
        .ok_or_else(|| vm.type_error(format!("a channel is required, not {}", vm.type_name(v))))
}

fn chan<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let capacity = match args[0] {
        v if v.is_empty() => 0,
        v => match v.as_small().map(usize::try_from) {
            Some(Ok(n)) => n,
            _ => return Err(vm.value_error("the capacity must be a non-negative int")),
        },
    };
    let queue = Rc::new(RefCell::new(Queue { capacity, ..Queue::default() }));
    Ok(vm.opaque(CHANNEL.of(vm)?, Some(Box::new(ChannelObject(queue)))))
}

/// Wakes the receivers of a channel; each looks again.
fn wake_receivers(host: &EngineHost, queue: &RefCell<Queue>) {
    for token in std::mem::take(&mut queue.borrow_mut().waiters) {
        host.reactor.wake(token);
    }
}

fn park(queue: &RefCell<Queue>, token: TaskToken) {
    let waiters = &mut queue.borrow_mut().waiters;
    if !waiters.contains(&token) {
        waiters.push(token);
    }
}

/// Waits until parcel `id` is within the capacity or was taken.
struct Sending {
    queue: Rc<RefCell<Queue>>,
    reactor: Rc<Reactor>,
    id: u64,
}

impl Wait for Sending {
    fn poll<'v>(&mut self, _: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let mut q = self.queue.borrow_mut();
        match q.place(self.id) {
            Some(at) if at >= q.capacity => {
                q.parcels[at].sender = Some(token);
                Poll::Pending
            }
            Some(at) => {
                // It has arrived, and is no longer this sender's to take back.
                q.parcels[at].sender = None;
                drop(q);
                self.id = u64::MAX;
                Poll::Ready(Ok(Value::NONE))
            }
            None => Poll::Ready(Ok(Value::NONE)),
        }
    }
}

impl Drop for Sending {
    /// A sender that gave up takes its value back, which may make room for the next.
    fn drop(&mut self) {
        let mut q = self.queue.borrow_mut();
        if let Some(at) = q.place(self.id) {
            q.parcels.remove(at);
            if let Some(next) = q.admitted() {
                self.reactor.wake(next);
            }
        }
    }
}

static DONE: Row = Row { name: "channel", catches: false, resume: |_, _, answer| answer.value() };

fn send<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let queue = queue_of(vm, args[0])?;
    let id = {
        let mut q = queue.borrow_mut();
        if q.closed {
            return Err(vm.value_error("send on a closed channel"));
        }
        if q.parcels.len() == q.parcels.capacity() {
            // The queue is about to grow, to twice its size.
            vm.check(q.parcels.capacity().saturating_mul(2 * size_of::<Parcel>()))?;
        }
        let id = q.next_id;
        q.next_id += 1;
        q.parcels.push_back(Parcel { id, word: args[1].word(), sender: None });
        id
    };
    wake_receivers(host, &queue);
    let reactor = Rc::clone(&host.reactor);
    Err(suspend_then(Sending { queue, reactor, id }, &DONE, vec![args[0]]))
}

/// Waits for a value of one of some channels.
struct Receiving {
    queues: Vec<Rc<RefCell<Queue>>>,
    timer: Option<Timer>,
}

impl Wait for Receiving {
    /// Gives the index of a channel that has a value or is closed; the row takes it.
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let ready = |q: &Rc<RefCell<Queue>>| !q.borrow().parcels.is_empty();
        let closed = |q: &Rc<RefCell<Queue>>| q.borrow().closed;
        let found = self.queues.iter().position(ready);
        let found = found.or_else(|| self.queues.iter().all(closed).then_some(self.queues.len()));
        if let Some(i) = found {
            return Poll::Ready(Ok(Value::len(i)));
        }
        if self.timer.as_mut().is_some_and(|t| t.is_over(token)) {
            return Poll::Ready(Err(vm.err(Type::TimeoutError, "nothing was received in time")));
        }
        for q in &self.queues {
            park(q, token);
        }
        Poll::Pending
    }
}

/// Takes the next value of a channel, if there is one.
fn take<'v>(vm: &'v Vm, channel: Value<'v>) -> Result<Option<Value<'v>>, Exit<'v>> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let queue = queue_of(vm, channel)?;
    let (parcel, admitted) = {
        let mut q = queue.borrow_mut();
        (q.parcels.pop_front(), q.admitted())
    };
    let Some(parcel) = parcel else { return Ok(None) };
    for sender in parcel.sender.into_iter().chain(admitted) {
        host.reactor.wake(sender);
    }
    let cell = std::cell::Cell::new(parcel.word);
    Ok(Some(super::task::vm_value(vm, &cell)))
}

/// State: the channels. A receiver was told that one of them has a value.
static RECEIVED: Row = Row {
    name: "channel_received",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| {
        let i = answer.value()?.as_small().unwrap_or(0) as usize;
        let Some(&channel) = state.get(i) else { return Err(ended(vm)) };
        match take(vm, channel)? {
            Some(v) => Ok(v),
            None => wait_for(vm, state, None, &RECEIVED),
        }
    },
};

/// As [`RECEIVED`], and gives the channel too.
static SELECTED: Row = Row {
    name: "channel_selected",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| {
        let i = answer.value()?.as_small().unwrap_or(0) as usize;
        let Some(&channel) = state.get(i) else { return Err(ended(vm)) };
        match take(vm, channel)? {
            Some(v) => vm.tuple(&[channel, v]),
            None => wait_for(vm, state, None, &SELECTED),
        }
    },
};

/// The end of an iteration is Empty, not an error.
static ITERATED: Row = Row {
    name: "channel_iterated",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| {
        let i = answer.value()?.as_small().unwrap_or(0) as usize;
        let Some(&channel) = state.get(i) else {
            return Err(vm.stop_iteration(Value::NONE));
        };
        match take(vm, channel)? {
            Some(v) => Ok(v),
            None => wait_for(vm, state, None, &ITERATED),
        }
    },
};

fn ended(vm: &Vm) -> Exit<'_> {
    vm.err(Type::EOFError, "the channel is closed")
}

fn wait_for<'v>(
    vm: &'v Vm,
    channels: &[Value<'v>],
    timer: Option<Timer>,
    row: &'static Row,
) -> NResult<'v> {
    let mut queues = Vec::new();
    for c in channels {
        queues.push(queue_of(vm, *c)?);
    }
    Err(suspend_then(Receiving { queues, timer }, row, channels.to_vec()))
}

fn receive<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match take(vm, args[0])? {
        Some(v) => Ok(v),
        None => wait_for(vm, &args[..1], None, &RECEIVED),
    }
}

fn select<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let channels = args.get(1..).unwrap_or_default();
    if channels.is_empty() {
        return Err(vm.type_error("select() needs a channel"));
    }
    if channels.len() > 100 {
        return Err(vm.value_error("select() takes at most 100 channels"));
    }
    let timer = match args[0] {
        t if t.is_empty() || t.is_none() => None,
        t => Some(Timer::new(Rc::clone(&host.reactor), duration(vm, t, "timeout")?)),
    };
    wait_for(vm, channels, timer, &SELECTED)
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = EngineHost::of(vm).ok_or_else(|| no_engine(vm))?;
    let queue = queue_of(vm, args[0])?;
    queue.borrow_mut().closed = true;
    wake_receivers(host, &queue);
    Ok(Value::NONE)
}

fn closed<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(queue_of(vm, args[0])?.borrow().closed))
}

fn len<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::len(queue_of(vm, args[0])?.borrow().parcels.len()))
}

fn iter<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    queue_of(vm, args[0])?;
    let none = Value::NONE;
    Ok(vm.iter(Type::CallableIter, iterate, [args[0], none, none], 0, 0))
}

fn iterate<'v>(vm: &'v Vm, iter: &'v Iter) -> NResult<'v> {
    match take(vm, iter.get(0))? {
        Some(v) => Ok(v),
        None => wait_for(vm, &[iter.get(0)], None, &ITERATED),
    }
}
