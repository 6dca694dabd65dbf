//! Tasks, as the engine sees them: start, resume, and what came of it.
//!
//! A task is a pair of stacks. One runs at a time; the others are parked. Nothing here blocks.

#![allow(unsafe_code)]

use std::sync::Arc;

use super::dispatch::Flow;
use super::hot;
use super::state::{Ended, FrameRec, Stacks, State, Stubs};
use crate::Vm;
use crate::builtins::Type;
use crate::code::proto::{CodeProto, Const};
use crate::handles::Handle;
use crate::host::Poll;
use crate::native::{Answer, Exit, NResult, Request};
use crate::object::func::{CACHE_WORDS, Code, Function};
use crate::value::{EMPTY, Value, Word};

/// The number of a task; numbers of ended tasks are used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskId(pub u32);

/// What came of running a task.
pub enum Resumed {
    /// It returned; the handle holds the result and must be released.
    Returned(Handle),
    /// It raised; the handle holds the exception.
    Raised(Handle),
    /// It waits for the answer to a request.
    Suspended(Request),
    /// The fuel is spent; resume it to go on.
    OutOfFuel,
}

/// With what a task goes on.
pub enum Input {
    /// Nothing: start it, or go on after the fuel was spent.
    Start,
    /// The answer to its request.
    Value(Handle),
    /// Raise this at its request.
    Raise(Handle),
    /// Raise this where it stopped because its fuel was spent.
    Interrupt(Handle),
}

impl Vm {
    /// A new task that will call `func` with `args`.
    pub fn new_task(&mut self, func: Handle, args: &[Handle]) -> Option<TaskId> {
        let f = self.handle(func)?.word();
        let mut words = vec![f];
        for a in args {
            words.push(self.handle(*a)?.word());
        }
        let mut stacks = Stacks::for_call(&words);
        stacks.charge_to(&self.heap.stacks);
        let mut parked = self.st.parked.borrow_mut();
        let i = self.st.free_tasks.borrow_mut().pop().unwrap_or_else(|| {
            // Slot 0 stays free for the stacks that are current while no task runs.
            if parked.is_empty() {
                parked.push(None);
            }
            parked.push(None);
            parked.len() as u32 - 1
        });
        parked[i as usize] = Some(Box::new(stacks));
        Some(TaskId(i))
    }

    /// Drops a task that will not be resumed. Its frames are forgotten, not unwound.
    pub fn drop_task(&mut self, task: TaskId) {
        let dropped = self.st.parked.borrow_mut().get_mut(task.0 as usize).and_then(Option::take);
        if let Some(mut stacks) = dropped {
            stacks.refund(&self.heap);
            self.st.free_tasks.borrow_mut().push(task.0);
        }
    }

    /// Whether a task has not been dropped.
    pub fn has_task(&self, task: TaskId) -> bool {
        self.st.parked.borrow().get(task.0 as usize).is_some_and(Option::is_some)
    }

    /// Runs a task until it ends, suspends, or its fuel is spent. `None` if there is no such task
    /// or it is running already.
    pub fn resume(&mut self, task: TaskId, input: Input) -> Option<Resumed> {
        let stacks = self.st.parked.borrow_mut().get_mut(task.0 as usize)?.take()?;
        let fresh = stacks.pc.is_null();
        let outer = self.st.switch(*stacks);
        // The stacks that were current wait in the task's slot, where the collector sees them.
        self.st.parked.borrow_mut()[task.0 as usize] = Some(Box::new(outer));
        self.st.rearm();
        if self.heap.wants_collection() {
            // It became due while no task ran, or too late for the one that ran.
            self.st.trip();
        }
        let flow = match input {
            Input::Start if fresh => {
                self.st.pc.set(Stubs::halt());
                let n = self.st.stacks.borrow().call_args();
                self.call(0, n)
            }
            input => self.wake(0, input),
        };
        if flow == Flow::Next {
            self.run_loop();
        }
        Some(self.leave_task(task))
    }

    fn leave_task(&mut self, task: TaskId) -> Resumed {
        let ended = self.st.ended.get();
        let result = self.st.result.replace(EMPTY);
        let outer = self.st.parked.borrow_mut()[task.0 as usize].take();
        let mut mine = self.st.switch(*outer.unwrap_or_default());
        if matches!(ended, Ended::Suspended | Ended::OutOfFuel) {
            mine.account(&self.heap);
            self.st.parked.borrow_mut()[task.0 as usize] = Some(Box::new(mine));
        } else {
            mine.refund(&self.heap);
            self.st.free_tasks.borrow_mut().push(task.0);
        }
        match ended {
            Ended::Returned => Resumed::Returned(self.hold_word(result)),
            Ended::Raised => Resumed::Raised(self.hold_word(result)),
            Ended::OutOfFuel => Resumed::OutOfFuel,
            Ended::Suspended => match self.st.request.borrow_mut().take() {
                Some(r) => Resumed::Suspended(r),
                None => Resumed::OutOfFuel,
            },
        }
    }

    /// Gives the innermost frame of a suspended task what it waits for.
    pub(crate) fn answer(&self, input: Input) -> Flow {
        let take = |h: Handle| self.take_handle(h).unwrap_or(EMPTY);
        match input {
            Input::Start => Flow::Next,
            Input::Value(h) => self.answer_native(Answer::Value(self.word_value(take(h)))),
            Input::Raise(h) => self.unwind(self.word_value(take(h))),
            Input::Interrupt(h) => self.raise_after_jump(Exit::Raise(self.word_value(take(h)))),
        }
    }

    /// Runs the dispatch loop from the state until it ends.
    pub(crate) fn run_loop(&mut self) {
        let st: *mut State = (self as *mut Vm).cast();
        // SAFETY: `State` is the first field of the VM, which is borrowed mutably for the whole
        // run; the handlers and slow paths are the only code that runs.
        unsafe { hot::run(st) };
    }

    /// A backward jump whose fuel slice is spent.
    pub(crate) fn safepoint(&mut self) -> Flow {
        self.collect_if_due();
        self.st.rearm();
        if self.finalizers.stops_task() {
            self.st.ended.set(Ended::OutOfFuel);
            return Flow::Halt;
        }
        match self.poll_host() {
            Flow::Next if self.weak.any_due() => self.begin_callbacks(),
            flow => flow,
        }
    }

    /// A call that found its limit lowered: what to do in place of the call, if anything.
    pub(crate) fn call_safepoint(&mut self) -> Option<Flow> {
        let spent = self.st.counts_calls.get() && self.st.spends_last();
        let tripped = self.st.tripped.swap(false, std::sync::atomic::Ordering::Relaxed) || spent;
        if !self.heap.wants_collection() && !self.st.gc_stress && !tripped {
            return None;
        }
        self.collect_if_due();
        self.st.rearm();
        if self.heap.is_short() && self.heap.over_limit() {
            self.st.kwnames.set(EMPTY);
            return Some(self.raise_here(self.spent()));
        }
        if !tripped {
            return None;
        }
        let kwnames = self.st.kwnames.replace(EMPTY);
        match self.host.poll() {
            Poll::Continue => {
                self.st.kwnames.set(kwnames);
                None
            }
            Poll::Interrupt => {
                let e = self.new_exception(Type::KeyboardInterrupt.shape(), self.empty_tuple());
                Some(self.unwind(e))
            }
            Poll::Deadline => Some(self.raise_here(self.limit_error(false))),
            Poll::Over => Some(self.raise_here(self.limit_error(true))),
            // A task stops at backward jumps only, where it can go on.
            Poll::OutOfFuel => {
                self.st.kwnames.set(kwnames);
                self.st.fuel.set(0);
                None
            }
        }
    }

    fn collect_if_due(&mut self) {
        if self.heap.wants_collection() || self.st.gc_stress || self.heap.over_limit() {
            self.collect();
        }
    }

    fn poll_host(&mut self) -> Flow {
        let poll = if self.heap.over_limit() { None } else { Some(self.host.poll()) };
        let vm: &Vm = self;
        let exit = match poll {
            Some(Poll::Continue) => return Flow::Next,
            Some(Poll::OutOfFuel) => {
                vm.st.ended.set(Ended::OutOfFuel);
                return Flow::Halt;
            }
            None => vm.spent(),
            Some(Poll::Interrupt) => vm.err_args(Type::KeyboardInterrupt, &[]),
            Some(Poll::Deadline) => vm.limit_error(false),
            Some(Poll::Over) => vm.limit_error(true),
        };
        vm.raise_after_jump(exit)
    }

    /// MemoryError, as more than the limit is in use.
    fn spent(&self) -> Exit<'_> {
        self.heap.allow_handling();
        self.memory_error()
    }

    /// Raises at a safepoint behind a backward jump.
    fn raise_after_jump<'v>(&'v self, exit: Exit<'v>) -> Flow {
        // The jump was made already: what is raised belongs to the instruction it led to.
        // SAFETY: that instruction is at least one word long.
        self.st.pc.set(unsafe { self.st.pc.get().add(1) });
        self.raise_here(exit)
    }

    /// Makes the running task stop at its next safepoint, to ask the host what to do.
    pub fn trip(&self) {
        self.st.trip();
    }

    /// A handle that does the same from any thread.
    pub fn trip_handle(&self) -> super::state::TripHandle {
        self.st.trip_handle()
    }

    // ---- code ----

    /// Instantiates compiled code.
    pub fn instantiate(&self, proto: &Arc<CodeProto>) -> NResult<'_> {
        let mut consts: Vec<Word> = Vec::new();
        consts.try_reserve(proto.consts.len()).map_err(|_| self.memory_error())?;
        for c in &proto.consts {
            consts.push(self.constant_value(c)?.word());
        }
        let const_count = consts.len();
        for &name in &proto.caches {
            consts.push(consts[name as usize]);
            consts.extend([0; CACHE_WORDS - 1]);
        }
        let mut words = proto.words.clone();
        crate::code::link(&mut words, const_count);
        self.charge(Code::charged(proto, words.len(), consts.len()))?;
        Ok(Value::object(self.heap.alloc(
            Code::new(Type::Code.shape(), proto.clone(), words, consts, const_count),
            0,
            true,
        )))
    }

    fn constant_value(&self, c: &Const) -> NResult<'_> {
        Ok(match c {
            Const::None => Value::NONE,
            Const::Bool(b) => Value::bool(*b),
            Const::Ellipsis => Value::ELLIPSIS,
            Const::Int(i) => self.int(*i),
            Const::BigInt { negative, magnitude } => {
                let sign = if *negative { num_bigint::Sign::Minus } else { num_bigint::Sign::Plus };
                self.bigint(num_bigint::BigInt::from_bytes_le(sign, magnitude))
            }
            Const::Float(f) => Value::float(*f),
            Const::Complex(re, im) => self.complex(*re, *im),
            Const::Str(s) if s.len() <= 64 || is_name(s) => self.intern_bytes(s),
            Const::Str(s) => self.str_bytes(s)?,
            Const::Bytes(b) => self.bytes(b)?,
            Const::Tuple(items) => {
                let mut v = Vec::with_capacity(items.len());
                for i in items {
                    v.push(self.constant_value(i)?);
                }
                self.tuple(&v)?
            }
            Const::FrozenSet(items) => {
                let s = self.frozenset();
                for i in items {
                    self.set_add(Value::object(s), self.constant_value(i)?)?;
                }
                Value::object(s)
            }
            Const::Code(p) => self.instantiate(p)?,
        })
    }

    /// A function of module-level code with `globals`.
    pub fn module_function<'v>(
        &'v self,
        proto: &Arc<CodeProto>,
        globals: Value<'v>,
    ) -> NResult<'v> {
        let code = self.instantiate(proto)?;
        let Some(code) = code.get::<Code>() else { return Ok(code) };
        let name = self.intern(&proto.name);
        let f = Function::new(Type::Function.shape(), code, globals, Value::EMPTY, name, name);
        Ok(Value::object(self.heap.alloc(f, 0, false)))
    }

    // ---- frames, for tracebacks and natives that look at their caller ----

    /// Calls `f` for each script frame from the innermost outwards, until it gives `false`.
    pub(crate) fn walk_frames<'v>(&'v self, mut f: impl FnMut(FrameView<'v>) -> bool) {
        use super::frames::FrameKind;
        let mut base = self.st.base.get();
        let mut rec = self.st.frame.get();
        let mut depth = self.st.depth();
        let mut at = self.st.pc.get();
        loop {
            // SAFETY: the walk follows the frame records as the unwinder does.
            unsafe {
                let callee = *base.sub(1);
                let delta = match self.frame_kind_of(callee) {
                    FrameKind::Script(func) => {
                        if !f(FrameView { func, base, pc: at }) {
                            return;
                        }
                        None
                    }
                    FrameKind::Generator(g) => {
                        if !f(FrameView { func: g.func(), base, pc: at }) {
                            return;
                        }
                        Some(super::state::Delta::read(*base.sub(2)).delta)
                    }
                    FrameKind::Native => Some(super::state::Delta::read(*base.sub(2)).delta),
                    FrameKind::Stub => None,
                };
                if depth == 0 {
                    return;
                }
                depth -= 1;
                rec = rec.sub(1);
                let pc = (*rec).pc;
                if pc.is_null() {
                    return;
                }
                at = pc;
                let delta = delta.unwrap_or_else(|| crate::code::op::Ins(*pc.sub(1)).a() + 1);
                base = base.sub(delta);
            }
        }
    }
}

/// Whether a constant may be used as a name: those are interned whatever their length.
fn is_name(s: &[u8]) -> bool {
    s.len() <= 4096 && s.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80)
}

/// A script frame.
pub(crate) struct FrameView<'v> {
    pub func: &'v Function,
    pub base: *mut Word,
    pub pc: *const u32,
}

impl<'v> FrameView<'v> {
    /// The word of its code that runs.
    pub fn at(&self) -> u32 {
        self.func.code().index_of(self.pc).map_or(0, |at| at.saturating_sub(1) as u32)
    }

    /// Register `i`.
    pub fn reg(&self, i: usize) -> Value<'v> {
        // SAFETY: the frame is on the stack while the VM is borrowed, or the registers are those
        // that a generator keeps; `i` is below its register count.
        unsafe { Value::from_word(*self.base.add(i)) }
    }
}

impl Stacks {
    /// Stacks of a task whose outermost frame will call the first of `words` with the rest.
    pub(crate) fn for_call(words: &[Word]) -> Stacks {
        let mut s = Stacks::default();
        s.set_call(words);
        s
    }
}

const _: () = assert!(std::mem::size_of::<FrameRec>() == 16);
