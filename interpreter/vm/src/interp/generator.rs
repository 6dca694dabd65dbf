//! Resuming and yielding.
//!
//! A generator's registers are copied onto the stack of the task that resumes it, and back when
//! it yields: no allocation, and a task's frames are always in one piece.

#![allow(unsafe_code)]

use super::dispatch::Flow;
use super::run::FrameView;
use super::state::{Delta, FrameRec, Mode, Stubs};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Action, Answer, Exit, Row, Then};
use crate::object::func::Function;
use crate::object::generator::{GenState, Generator, NEAR_REGS};
use crate::object::iter::Iter;
use crate::value::{EMPTY, NONE, Value};

/// Goes on after a call of `__next__` or `send` on behalf of an iteration.
static NEXT_ROW: Row = Row { name: "next", catches: false, resume: |_, _, answer| answer.value() };

impl Generator {
    /// The frame that is put aside.
    pub(crate) fn view(&self) -> FrameView<'_> {
        FrameView { func: self.func(), base: self.regs.get(), pc: self.pc.get() }
    }
}

impl Vm {
    /// MKGEN: turns the running frame, just entered, into a generator and returns it.
    pub(crate) fn make_generator(&self) -> Flow {
        let Some(f) = self.frame_func() else { return self.corrupt() };
        let p = &f.code().proto;
        let n = p.reg_count as usize;
        let params = (p.arg_count + p.kwonly_count) as usize
            + usize::from(p.flags.varargs)
            + usize::from(p.flags.varkw);
        let class = match (p.flags.generator, p.flags.coroutine) {
            (true, true) => Type::AsyncGenerator,
            (false, true) => Type::Coroutine,
            _ => Type::Generator,
        };
        let near = n <= NEAR_REGS;
        if !near && self.heap.charge(n * 8).is_err() {
            return self.raise_here(self.memory_error());
        }
        let make = || Generator::new(class.shape(), f, self.st.pc.get());
        let g = self.heap.alloc_unfilled(make, if near { n * 8 } else { 0 }, !near);
        // SAFETY: allocated with room for them; the frame has at least `params` registers.
        unsafe {
            let params = params.min(n);
            g.place(std::slice::from_raw_parts(self.st.base.get(), params), n);
        }
        let g = Value::object(g);
        // Only these have something to do when they are dropped.
        if class == Type::Coroutine || !p.handlers.is_empty() && class == Type::Generator {
            self.finalizers.watch(g);
        }
        self.return_value(g)
    }

    /// RETURN of a script frame that a CALL made.
    pub(crate) fn return_value(&self, v: Value<'_>) -> Flow {
        let rec = self.st.pop();
        // SAFETY: as in the unwinder: the word before the return address gives `a`; base[-1] is
        // the caller's R[a].
        unsafe {
            let base = self.st.base.get();
            base.sub(1).write(v.word());
            let a = crate::code::op::Ins(*rec.pc.sub(1)).a();
            self.st.base.set(base.sub(a + 1));
        }
        self.st.pc.set(rec.pc);
        self.st.k.set(rec.k);
        Flow::Next
    }

    /// Resumes `g` above the running frame; what it yields or returns is delivered by `mode`.
    pub(crate) fn resume_generator(
        &self,
        g: &Generator,
        sent: Value<'_>,
        throw: bool,
        dst: usize,
        mode: Mode,
    ) -> Flow {
        let f: &Function = g.func();
        let n = f.reg_count as usize;
        match g.state.get() {
            GenState::Running => {
                let what = self.generator_kind(g);
                return self.raise_here(self.value_error(format!("{what} already executing")));
            }
            GenState::Done => {
                let is_coroutine = self.generator_kind(g) == "coroutine";
                if throw && !is_coroutine {
                    return self.unwind_from(sent);
                }
                if is_coroutine {
                    return self.raise_here(
                        self.err(Type::RuntimeError, "cannot reuse already awaited coroutine"),
                    );
                }
                if self.generator_kind(g) == "async generator" {
                    let class = Type::StopAsyncIteration.shape();
                    return self.unwind(self.new_exception(class, self.empty_tuple()));
                }
                return self.deliver_end(Value::NONE, dst, mode);
            }
            GenState::Created if !throw && !sent.is_none() => {
                let what = self.generator_kind(g);
                return self.raise_here(
                    self.type_error(format!("can't send non-None value to a just-started {what}")),
                );
            }
            _ => {}
        }
        if self.st.frame.get() >= self.st.frame_limit.get() && self.recursion_depth_exceeded() {
            return self.raise_here(self.recursion_error());
        }
        let top = self.st.top();
        let offset = (top as usize - self.st.base.get() as usize) / 8;
        let tight = top as usize + (n + 8) * 8 > self.st.stack_limit.get() as usize
            || self.st.frame.get() >= self.st.frame_limit.get();
        if tight && !self.st.reserve(top, n + 8) {
            return self.raise_here(self.memory_error());
        }
        let first = g.state.get() == GenState::Created;
        // SAFETY: room was made above the running frame's registers.
        unsafe {
            let new = self.st.base.get().add(offset + 3);
            // The handled exception of the caller comes back when the generator yields.
            new.sub(3).write(self.st.handled.get());
            new.sub(2).write(Delta { delta: offset + 3, dst, mode }.word());
            new.sub(1).write(Value::object(g).word());
            std::ptr::copy_nonoverlapping(g.regs.get(), new, n.min(g.reg_len.get() as usize));
            self.st.push(FrameRec { pc: self.st.pc.get(), k: self.st.k.get() });
            self.st.base.set(new);
        }
        self.st.pc.set(g.pc.get());
        self.st.k.set(f.k);
        if g.handled.get() != EMPTY {
            self.st.handled.set(g.handled.get());
        }
        g.state.set(GenState::Running);
        if throw {
            if first {
                // Nothing of the body has run: the exception goes straight out.
                return self.unwind_from(sent);
            }
            if self.at_delegate(g) {
                return self.throw_into_delegate(sent);
            }
            // Its context is what the generator handles, not what its caller does.
            return match g.handled.get() {
                EMPTY => self.unwind_from(sent),
                _ => self.unwind(sent),
            };
        }
        if !first {
            self.st.set_reg(g.resume_reg.get() as usize, sent.word());
        }
        Flow::Next
    }

    /// `"generator"`, `"coroutine"` or `"async generator"`.
    pub(crate) fn generator_kind(&self, g: &Generator) -> &'static str {
        let p = &g.func().code().proto.flags;
        match (p.generator, p.coroutine) {
            (true, true) => "async generator",
            (false, true) => "coroutine",
            _ => "generator",
        }
    }

    /// YIELD: puts the running generator frame aside and delivers `v`.
    pub(crate) fn yield_value(&self, v: Value<'_>, resume_reg: usize) -> Flow {
        let Some(g) = self.word_value(self.st.below(1)).get::<Generator>() else {
            return self.corrupt();
        };
        g.pc.set(self.st.pc.get());
        g.resume_reg.set(resume_reg as u8);
        g.state.set(GenState::Suspended);
        let n = g.reg_len.get() as usize;
        // SAFETY: the frame has as many registers.
        unsafe { std::ptr::copy_nonoverlapping(self.st.base.get(), g.regs.get(), n) };
        let outer = self.st.below(3);
        let mine = self.st.handled.get();
        g.handled.set(if mine == outer { EMPTY } else { mine });
        self.st.handled.set(outer);
        let delta = self.pop_native();
        self.deliver(v, delta.dst, delta.mode)
    }

    /// RETURN in a generator's frame: it is done.
    pub(crate) fn generator_returned(&self, v: Value<'_>) -> Flow {
        let Some(g) = self.word_value(self.st.below(1)).get::<Generator>() else {
            return self.corrupt();
        };
        self.st.handled.set(self.st.below(3));
        g.finish();
        let is_async = self.generator_kind(g) == "async generator";
        let delta = self.pop_native();
        if is_async {
            let e = self.new_exception(Type::StopAsyncIteration.shape(), self.empty_tuple());
            return self.unwind(e);
        }
        self.deliver_end(v, delta.dst, delta.mode)
    }

    /// Delivers the end of a generator that returned `v`.
    fn deliver_end(&self, v: Value<'_>, dst: usize, mode: Mode) -> Flow {
        match mode {
            Mode::ForIter | Mode::Next => self.deliver(Value::EMPTY, dst, mode),
            Mode::Delegate => {
                self.st.set_reg(dst, v.word());
                Flow::Next
            }
            Mode::Send | Mode::Reg | Mode::Branch | Mode::Discard | Mode::Unpack => {
                self.raise_here(self.stop_iteration(v))
            }
            Mode::Halt => self.deliver(v, dst, mode),
        }
    }

    /// An exception leaves a generator's frame. Gives the exception to go on with.
    pub(crate) fn generator_raised<'v>(&'v self, g: &Generator, exc: Value<'v>) -> Value<'v> {
        self.st.handled.set(self.st.below(3));
        let kind = self.generator_kind(g);
        g.finish();
        let stop = if self.is_stop_iteration(exc) {
            "StopIteration"
        } else if kind == "async generator" && self.is_exception_of(exc, Type::StopAsyncIteration) {
            "StopAsyncIteration"
        } else {
            return exc;
        };
        let e = self.exception(Type::RuntimeError, format!("{kind} raised {stop}"));
        self.set_cause(e, exc);
        self.set_explicit_context(e, exc);
        e
    }

    /// FORITER and the like: the next item of `iter` goes where `mode` says.
    pub(crate) fn iterate(&self, iter: Value<'_>, dst: usize, mode: Mode) -> Flow {
        if let Some(g) = iter.get::<Generator>()
            && self.generator_kind(g) == "generator"
        {
            return self.resume_generator(g, Value::NONE, false, dst, mode);
        }
        if let Some(i) = iter.get::<Iter>() {
            return match (i.next)(self, i) {
                Ok(v) => self.deliver(v, dst, mode),
                Err(Exit::Do(action)) => match *action {
                    // Iterators over iterators may be stacked as high as one likes.
                    Action::Next { iter, then } => self.iterate_inner(iter, then, dst, mode),
                    action => self.do_action(action, dst, mode),
                },
                Err(e) => self.do_exit(e, dst, mode),
            };
        }
        let class = self.class_of(iter);
        match self.class_lookup(class, self.names.__next__) {
            Some(f) => self.push_call(f, &[iter], &NEXT_ROW, &[], dst, mode),
            None => self.raise_here(
                self.type_error(format!("'{}' object is not an iterator", self.type_name(iter))),
            ),
        }
    }

    /// The next item of `iter`, which is wanted by an iterator over it: see [`Action::Next`]. No
    /// Rust recursion, however many of them lie on one another.
    fn iterate_inner(&self, iter: Value<'_>, then: Then<'_>, dst: usize, mode: Mode) -> Flow {
        let (mut iter, mut then, mut dst, mut mode) = (iter, then, dst, mode);
        loop {
            if !self.push_native(Some(then), 4, dst, mode) {
                return self.do_exit(self.memory_error(), dst, mode);
            }
            (dst, mode) = (self.native_window(), Mode::Next);
            self.st.pc.set(Stubs::cont(dst));
            let Some(i) = iter.get::<Iter>() else { return self.iterate(iter, dst, mode) };
            match (i.next)(self, i) {
                Ok(v) => return self.deliver(v, dst, mode),
                Err(Exit::Do(action)) => match *action {
                    Action::Next { iter: inner, then: row } => (iter, then) = (inner, row),
                    action => return self.do_action(action, dst, mode),
                },
                Err(e) => return self.do_exit(e, dst, mode),
            }
        }
    }

    /// The running native frame waits for the next item of `iter`.
    pub(crate) fn next_in_native(&self, iter: Value<'_>) -> Flow {
        let w = self.native_window();
        self.st.pc.set(Stubs::cont(w));
        self.iterate(iter, w, Mode::Next)
    }

    /// The running native frame waits for a generator it resumes.
    pub(crate) fn resume_in_native(
        &self,
        generator: Value<'_>,
        value: Value<'_>,
        throw: bool,
    ) -> Flow {
        let w = self.native_window();
        self.st.pc.set(Stubs::cont(w));
        match generator.get::<Generator>() {
            Some(g) => self.resume_generator(g, value, throw, w, Mode::Send),
            None => self.raise_here(self.type_error("a generator is required")),
        }
    }

    // ---- delegation: `yield from` and `await` ----

    /// DELEGATE a b: sends `R[b]` into iterator `R[a]`.
    pub(crate) fn delegate(&self, a: usize, b: usize) -> Flow {
        let (iter, sent) = (self.reg(a), self.reg(b));
        if let Some(g) = iter.get::<Generator>() {
            return self.resume_generator(g, sent, false, a, Mode::Delegate);
        }
        if sent.is_none() {
            if let Some(i) = iter.get::<Iter>() {
                return match (i.next)(self, i) {
                    Ok(v) if v.is_empty() => {
                        self.st.set_reg(a, NONE);
                        Flow::Next
                    }
                    Ok(v) => self.delegate_yielded(v),
                    Err(e) => self.do_exit(e, a, Mode::Delegate),
                };
            }
            let class = self.class_of(iter);
            if let Some(f) = self.class_lookup(class, self.names.__next__) {
                return self.do_exit(Exit::tail(f, vec![iter]), a, Mode::Delegate);
            }
        }
        match self.method(iter, self.names.send) {
            Ok(Some((f, args))) => {
                let mut args = args;
                args.push(sent);
                self.do_exit(Exit::tail(f, args), a, Mode::Delegate)
            }
            Ok(None) => self.raise_here(self.no_attribute(iter, self.names.send)),
            Err(e) => self.raise_here(e),
        }
    }

    /// What the iterator of the DELEGATE before `st.pc` yielded is yielded by its frame too, and
    /// the DELEGATE is executed again with what is sent.
    pub(crate) fn delegate_yielded(&self, v: Value<'_>) -> Flow {
        // SAFETY: DELEGATE is one word long.
        let ins = unsafe {
            let pc = self.st.pc.get().sub(1);
            self.st.pc.set(pc);
            crate::code::op::Ins(*pc)
        };
        if self.word_value(self.st.below(1)).get::<Generator>().is_none() {
            // Top-level await: nothing is there to yield to.
            // SAFETY: back after the instruction, so that the error has its place.
            self.st.pc.set(unsafe { self.st.pc.get().add(1) });
            return self.raise_here(self.err(
                Type::RuntimeError,
                "await wasn't used with a task or future of this event loop",
            ));
        }
        self.yield_value(v, ins.b())
    }

    /// What a suspended generator waits for in a `yield from` or `await`.
    pub(crate) fn delegate_of<'v>(&'v self, g: &Generator) -> Option<Value<'v>> {
        if g.state.get() != GenState::Suspended || !self.at_delegate(g) {
            return None;
        }
        // SAFETY: the saved pc lies in the generator's code, at an instruction whose operand is
        // one of its registers.
        let word = unsafe { *g.regs.get().add(crate::code::op::Ins(*g.pc.get()).a()) };
        Some(self.word_value(word))
    }

    fn at_delegate(&self, g: &Generator) -> bool {
        // SAFETY: the saved pc lies in the generator's code.
        let ins = unsafe { crate::code::op::Ins(*g.pc.get()) };
        ins.op() == crate::code::op::Op::DELEGATE as u8
    }

    /// Throws into the iterator that the running frame (at a DELEGATE) waits for.
    fn throw_into_delegate(&self, exc: Value<'_>) -> Flow {
        // SAFETY: `st.pc` is at the DELEGATE; afterwards behind it, as for any instruction.
        let ins = unsafe {
            let pc = self.st.pc.get();
            self.st.pc.set(pc.add(1));
            crate::code::op::Ins(*pc)
        };
        let a = ins.a();
        let iter = self.reg(a);
        if self.is_exception_of(exc, Type::GeneratorExit) {
            return self.do_exit(self.close_then_raise(iter, exc), a, Mode::Discard);
        }
        if let Some(g) = iter.get::<Generator>() {
            return self.resume_generator(g, exc, true, a, Mode::Delegate);
        }
        match self.method(iter, self.names.throw) {
            Ok(Some((f, mut args))) => {
                args.push(exc);
                self.do_exit(Exit::tail(f, args), a, Mode::Delegate)
            }
            Ok(None) => self.unwind(exc),
            Err(e) => self.raise_here(e),
        }
    }

    /// Closes `iter` and then raises `exc` (a GeneratorExit).
    fn close_then_raise<'v>(&'v self, iter: Value<'v>, exc: Value<'v>) -> Exit<'v> {
        static ROW: Row = Row {
            name: "close_delegate",
            catches: false,
            resume: |_, state, answer| match answer {
                Answer::Value(_) => Err(Exit::Raise(state[0])),
                Answer::Raised(e) => Err(Exit::Raise(e)),
            },
        };
        match self.method(iter, self.names.close) {
            Ok(Some((f, args))) => Exit::call(f, args, &ROW, vec![exc]),
            Ok(None) => Exit::Raise(exc),
            Err(e) => e,
        }
    }

    /// A frame was not what the instruction expects: a bug of ours.
    pub(crate) fn corrupt(&self) -> Flow {
        self.raise_here(self.err(Type::SystemError, "corrupt frame"))
    }
}
