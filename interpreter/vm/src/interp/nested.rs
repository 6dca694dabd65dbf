//! Natives that call back, on a native stack of their own.
//!
//! Extensions (and only they) may call script code in the middle of a function. Such a function
//! runs as a coroutine: what it calls runs in a dispatch loop on its stack, and if that suspends,
//! the coroutine is put aside with the task. Nothing but handles survives a call, so the collector
//! need not look at native stacks.
//!
//! ```text
//! task's loop -> coroutine 0: native -> loop -> coroutine 1: native -> loop -> suspended
//! ```
//! Resuming goes the same way: the task resumes coroutine 0, which resumes coroutine 1, which
//! hands the answer to the frame that waits for it.
//!
//! A native that did not say that it calls back runs on the stack of its caller, which cannot be
//! put aside. What it calls all the same runs on stacks of its own ([`Vm::perform_here`]): it must
//! not suspend, and nothing is collected until it has returned, as the native's callers hold
//! values that no collector sees.
//!
//! # Aliasing
//!
//! A coroutine reaches the VM through a pointer that comes from the `&Vm` of the slow path that
//! started it, and which is borrowed below it on the task's stack all the time. It makes a
//! `&mut Vm` of it to run the loop. That is sound because nothing but cells is written through
//! it: whatever changes while scripts run (the state, the heap's lists and counters, the tables of
//! handles and tasks) lies in a `Cell`, `RefCell` or `UnsafeCell`, and the plain fields of the VM
//! are set when it is made. A pointer from further up (the `&mut Vm` of the task's loop) would be
//! worse: using it would end the borrows of the slow paths in between, which go on afterwards.
//! Those hold no value across: `drive` gets handles back and reads the state anew.

#![allow(unsafe_code)]

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::dispatch::Flow;
use super::frames::RETURN_ROW;
use super::run::Input;
use super::state::{Ended, Mode, Stacks, Stubs};
use crate::Vm;
use crate::builtins::Type;
use crate::handles::Handle;
use crate::native::{Action, Exit, Then};
use crate::value::{EMPTY, Value};

/// A native that calls back: gets the means to do so, its arguments as handles (which are released
/// after it), and the number it was started with. Gives the handle of its result or exception.
pub type NestedFn = fn(&mut Nest, &[Handle], usize) -> Result<Handle, Handle>;

/// Bytes of a coroutine's stack; pages that are not touched cost nothing.
const STACK_BYTES: usize = 512 << 10;
/// What of it a native that waits has usually touched.
const TOUCHED_BYTES: usize = 12 << 10;
/// Stacks kept for reuse.
const POOL: usize = 16;
/// Most calls of [`Vm::perform_here`] inside of each other.
const MAX_HERE: u32 = 64;

/// What a coroutine is resumed with: how its task was resumed.
pub(crate) type Wake = Input;
type Co = Coroutine<Wake, (), Result<Handle, Handle>, DefaultStack>;

/// The coroutines of a task, outermost first.
#[derive(Default)]
pub(crate) struct NestedStack {
    list: Vec<Option<Co>>,
}

impl NestedStack {
    /// Bytes of the native stacks, roughly: of each the pages that are touched.
    pub(crate) fn bytes(&self) -> usize {
        self.list.len() * TOUCHED_BYTES
    }
}

impl Drop for NestedStack {
    fn drop(&mut self) {
        for co in self.list.iter_mut().flatten() {
            if co.started() && !co.done() {
                // The frames of foreign code on that stack cannot be unwound. What they own is
                // leaked; nothing refers to the stack any more.
                // SAFETY: the coroutine is never resumed again, and nothing borrows from it.
                unsafe { co.force_reset() };
            }
        }
    }
}

/// Stacks of ended coroutines.
#[derive(Default)]
pub(crate) struct StackPool(std::cell::RefCell<Vec<DefaultStack>>);

impl StackPool {
    fn take(&self) -> std::io::Result<DefaultStack> {
        match self.0.borrow_mut().pop() {
            Some(s) => Ok(s),
            None => DefaultStack::new(STACK_BYTES),
        }
    }

    fn give(&self, s: DefaultStack) {
        let mut pool = self.0.borrow_mut();
        if pool.len() < POOL {
            pool.push(s);
        }
    }
}

/// How a native that runs on its own stack reaches the VM.
pub struct Nest {
    vm: *mut Vm,
    yielder: *const Yielder<Wake, ()>,
    level: usize,
}

impl Nest {
    /// The VM.
    pub fn vm(&self) -> &Vm {
        // SAFETY: the loop that resumed this coroutine has the VM mutably and waits.
        unsafe { &*self.vm }
    }

    /// Calls `func`; the handles are not released. Other tasks may run meanwhile.
    pub fn call(
        &mut self,
        func: Handle,
        args: &[Handle],
        kwnames: Option<Handle>,
    ) -> Result<Handle, Handle> {
        let flow = {
            let vm = self.vm();
            let get = |h: Handle| vm.handle(h).unwrap_or(Value::NONE);
            let action = Action::Call {
                func: get(func),
                args: args.iter().map(|&h| get(h)).collect(),
                kwnames: kwnames.map_or(Value::EMPTY, get),
                then: None,
            };
            vm.do_exit(Exit::Do(Box::new(action)), 0, Mode::Halt)
        };
        self.run(flow)
    }

    /// Performs what a native asked for (an exit of some function of the VM).
    pub fn perform(
        &mut self,
        exit: impl FnOnce(&Vm) -> Result<Value<'_>, Exit<'_>>,
    ) -> Result<Handle, Handle> {
        let flow = {
            let vm = self.vm();
            match exit(vm) {
                Ok(v) => return Ok(vm.retain(v)),
                Err(Exit::Raise(e)) => return Err(vm.retain(e)),
                Err(e) => vm.do_exit(e, 0, Mode::Halt),
            }
        };
        self.run(flow)
    }

    /// Runs the loop until the boundary frame's result is there.
    fn run(&mut self, mut flow: Flow) -> Result<Handle, Handle> {
        loop {
            // SAFETY: as in `vm`; no borrow of the VM is alive here.
            let vm = unsafe { &mut *self.vm };
            if flow == Flow::Next {
                vm.run_loop();
            }
            match vm.st.ended.get() {
                Ended::Returned => {
                    let w = vm.st.result.replace(EMPTY);
                    return Ok(vm.retain(vm.word_value(w)));
                }
                Ended::Raised => {
                    let w = vm.st.result.replace(EMPTY);
                    return Err(vm.retain(vm.word_value(w)));
                }
                Ended::Suspended | Ended::OutOfFuel => {
                    // SAFETY: the yielder lives as long as the coroutine runs.
                    let wake = unsafe { (*self.yielder).suspend(()) };
                    // SAFETY: as above.
                    let vm = unsafe { &mut *self.vm };
                    flow = vm.wake(self.level + 1, wake);
                }
            }
        }
    }
}

impl Vm {
    /// Starts `run` on a stack of its own, on behalf of the instruction before `st.pc`.
    pub(crate) fn start_nested(
        &self,
        run: NestedFn,
        args: &[Value<'_>],
        data: usize,
        dst: usize,
        mode: Mode,
    ) -> Flow {
        let then = Then { row: &RETURN_ROW, state: Vec::new() };
        if !self.push_native(Some(then), 4, dst, mode) {
            return self.do_exit(self.memory_error(), dst, mode);
        }
        let Ok(stack) = self.stack_pool.take() else {
            return self.raise_here(self.memory_error());
        };
        let handles: Vec<Handle> = args.iter().map(|&v| self.retain(v)).collect();
        // Only cells are written through it: see the head of this file.
        let vm: *mut Vm = (self as *const Vm).cast_mut();
        let level = self.st.stacks.borrow().nested.list.len();
        let co = Coroutine::with_stack(stack, move |yielder: &Yielder<Wake, ()>, _wake| {
            let mut nest = Nest { vm, yielder, level };
            let r = run(&mut nest, &handles, data);
            for h in handles {
                nest.vm().release(h);
            }
            r
        });
        self.st.stacks.borrow_mut().nested.list.push(None);
        self.drive(level, co, Input::Start)
    }

    /// Resumes coroutine `level`, and does what comes of it.
    fn drive(&self, level: usize, mut co: Co, wake: Wake) -> Flow {
        match co.resume(wake) {
            CoroutineResult::Yield(()) => {
                self.st.stacks.borrow_mut().nested.list[level] = Some(co);
                Flow::Halt
            }
            CoroutineResult::Return(r) => {
                self.stack_pool.give(co.into_stack());
                self.st.stacks.borrow_mut().nested.list.truncate(level);
                let take = |h: Handle| self.take_handle(h).unwrap_or(EMPTY);
                match r {
                    Ok(h) => {
                        let v = self.word_value(take(h));
                        let delta = self.pop_native();
                        self.deliver(v, delta.dst, delta.mode)
                    }
                    Err(h) => self.unwind(self.word_value(take(h))),
                }
            }
        }
    }

    /// Performs what a native asked for while that native waits on its caller's stack. What would
    /// suspend the task gets a RuntimeError with the text of `refusal` instead. The result is
    /// a handle that must be released, or that of an exception.
    pub fn perform_here(
        &self,
        exit: Exit<'_>,
        refusal: impl Fn() -> String,
    ) -> Result<Handle, Handle> {
        if let Exit::Raise(e) = exit {
            return Err(self.retain(e));
        }
        let raised = |e: Exit<'_>| match e {
            Exit::Raise(e) => Err(self.retain(e)),
            Exit::Do(_) => Err(self.retain(Value::NONE)),
        };
        let depth = self.no_collect.get();
        if depth >= MAX_HERE {
            return raised(self.recursion_error());
        }
        let Ok(mut stack) = self.stack_pool.take() else { return raised(self.memory_error()) };
        self.no_collect.set(depth + 1);
        let mut fresh = Stacks::default();
        fresh.charge_to(&self.heap.stacks);
        fresh.handled = self.st.handled.get();
        // The words of the outer stacks stay where they are: the native's callers refer to them.
        let outer = self.st.switch(fresh);
        let kwnames = self.st.kwnames.replace(EMPTY);
        let result = corosensei::on_stack(&mut stack, || {
            self.st.pc.set(Stubs::halt());
            let mut flow = self.do_exit(exit, 0, Mode::Halt);
            loop {
                if flow == Flow::Next {
                    let vm: *mut Vm = std::ptr::from_ref(self).cast_mut();
                    // SAFETY: as for a nested native: the loop that called the native has the VM
                    // mutably and waits for it.
                    unsafe { (*vm).run_loop() };
                }
                let word = self.st.result.replace(EMPTY);
                match self.st.ended.get() {
                    Ended::Returned => return Ok(self.retain(self.word_value(word))),
                    Ended::Raised => return Err(self.retain(self.word_value(word))),
                    Ended::Suspended => {
                        drop(self.st.request.borrow_mut().take());
                        let e = self.exception(Type::RuntimeError, refusal());
                        flow = self.wake_shared(0, Input::Raise(self.retain(e)));
                    }
                    Ended::OutOfFuel => flow = self.wake_shared(0, Input::Start),
                }
            }
        });
        self.st.kwnames.set(kwnames);
        drop(self.st.switch(outer));
        self.no_collect.set(depth);
        self.stack_pool.give(stack);
        if depth == 0 && self.heap.wants_collection() {
            // It was put off.
            self.trip();
        }
        result
    }

    /// Goes on with a suspended task at coroutine `level`, or at its innermost frame if there are
    /// no more coroutines.
    pub(crate) fn wake(&mut self, level: usize, wake: Wake) -> Flow {
        self.wake_shared(level, wake)
    }

    fn wake_shared(&self, level: usize, wake: Wake) -> Flow {
        let co = self.st.stacks.borrow_mut().nested.list.get_mut(level).and_then(Option::take);
        match co {
            Some(co) => self.drive(level, co, wake),
            None => self.answer(wake),
        }
    }
}
