//! Native frames, results of frames that no CALL made, and unwinding.

#![allow(unsafe_code)]

use super::dispatch::Flow;
use super::state::{Delta, Ended, FrameRec, Mode, RowInfo, SLACK, Stubs};
use crate::Vm;
use crate::code::op::{Ins, Op};
use crate::native::{Action, Answer, Exit, Row, Then};
use crate::object::func::{Code, Function, call_flags};
use crate::object::generator::Generator;
use crate::ops::arith::STEP_ROW;
use crate::ops::compare::{COMPARE_NEGATES, COMPARE_ROW, COMPARE_TRUTH_ROW};
use crate::value::{EMPTY, FALSE, Value, Word, int_of, int_word, is_int, marker};

/// A frame as the unwinder and tracebacks see it.
pub(crate) enum FrameKind<'v> {
    /// A script function.
    Script(&'v Function),
    /// A generator's or coroutine's frame.
    Generator(&'v Generator),
    /// A native's continuation.
    Native,
    /// The stub frame of a constructor, or the outermost frame.
    Stub,
}

/// The continuation that hands its answer on: for actions without `then`.
pub static RETURN_ROW: Row =
    Row { name: "return", catches: false, resume: |_, _, answer| answer.value() };

/// Values of state of a chain of rows that share one frame, at most.
const LONG_STATE: usize = 96;

impl Vm {
    /// The kind of the running frame.
    pub(crate) fn frame_kind(&self) -> FrameKind<'_> {
        self.frame_kind_of(self.st.below(1))
    }

    pub(crate) fn frame_kind_of(&self, callee: Word) -> FrameKind<'_> {
        if marker::is(callee, marker::ROW) {
            return FrameKind::Native;
        }
        let v = self.word_value(callee);
        if let Some(f) = v.get::<Function>() {
            FrameKind::Script(f)
        } else if let Some(g) = v.get::<Generator>() {
            FrameKind::Generator(g)
        } else {
            FrameKind::Stub
        }
    }

    /// The code of the running frame.
    pub(crate) fn frame_code(&self) -> Option<&Code> {
        match self.frame_kind() {
            FrameKind::Script(f) => Some(f.code()),
            FrameKind::Generator(g) => Some(g.func().code()),
            _ => None,
        }
    }

    /// The function of the running frame.
    pub(crate) fn frame_func(&self) -> Option<&Function> {
        match self.frame_kind() {
            FrameKind::Script(f) => Some(f),
            FrameKind::Generator(g) => Some(g.func()),
            _ => None,
        }
    }

    /// Does what a native returned instead of a value. The native was called by the instruction
    /// before `st.pc` of the running frame.
    pub(crate) fn do_exit(&self, exit: Exit<'_>, dst: usize, mode: Mode) -> Flow {
        self.do_exit_of(exit, dst, mode, None)
    }

    /// The same; `passed` is an exception that was raised before, and keeps its context.
    fn do_exit_of(
        &self,
        exit: Exit<'_>,
        dst: usize,
        mode: Mode,
        passed: Option<Value<'_>>,
    ) -> Flow {
        match exit {
            // The frames below belong to whoever waits for the run loop's end.
            Exit::Raise(e) if mode == Mode::Halt => self.ended_raised(e),
            Exit::Raise(e) => {
                // What iterates takes the end of the iteration from a native as from a generator.
                let iterates = matches!(mode, Mode::ForIter | Mode::Next | Mode::Delegate);
                let end = iterates && self.is_stop_iteration(e);
                match if end { self.iteration_raised(e, dst, mode) } else { None } {
                    Some(flow) => flow,
                    None if passed.is_some_and(|passed| passed.is(e)) => self.unwind_from(e),
                    None => self.unwind(e),
                }
            }
            Exit::Do(action) => self.do_action(*action, dst, mode),
        }
    }

    pub(crate) fn do_action(&self, action: Action<'_>, dst: usize, mode: Mode) -> Flow {
        match action {
            Action::Call { func, args, kwnames, then } => {
                if !self.push_native(then, args.len() + 1, dst, mode) {
                    return self.do_exit(self.memory_error(), dst, mode);
                }
                self.call_in_native(func, &args, kwnames)
            }
            Action::Next { iter, then } => {
                if !self.push_native(Some(then), 4, dst, mode) {
                    return self.do_exit(self.memory_error(), dst, mode);
                }
                self.next_in_native(iter)
            }
            Action::Resume { generator, value, throw, then } => {
                if !self.push_native(then, 4, dst, mode) {
                    return self.do_exit(self.memory_error(), dst, mode);
                }
                self.resume_in_native(generator, value, throw)
            }
            Action::Suspend { request, then } => {
                if !self.push_native(then, 4, dst, mode) {
                    return self.do_exit(self.memory_error(), dst, mode);
                }
                *self.st.request.borrow_mut() = Some(request);
                self.st.ended.set(Ended::Suspended);
                Flow::Halt
            }
            Action::Again(why) => self.raise_here(self.refused_again(why)),
            Action::Nested { run, args, data } => self.start_nested(run, &args, data, dst, mode),
        }
    }

    /// Pushes a native frame that will go on at `then`, with room for a window of `window`
    /// registers. It becomes the running frame.
    pub(crate) fn push_native(
        &self,
        then: Option<Then<'_>>,
        window: usize,
        dst: usize,
        mode: Mode,
    ) -> bool {
        let Some(mut t) = then else { return self.push_row(&RETURN_ROW, &[], window, dst, mode) };
        let (mut dst, mut mode, mut pushed) = (dst, mode, 0);
        // A frame holds few values of state: of a long chain of rows the outer ones get frames of
        // their own, which wait for the ones above.
        while t.state.len() > LONG_STATE {
            let (inner, outer) = t.split();
            t = inner;
            let Some(outer) = outer else { break };
            if !self.push_row(outer.row, &outer.state, 4, dst, mode) {
                return self.pop_pushed(pushed);
            }
            pushed += 1;
            (dst, mode) = (self.native_window(), Mode::Reg);
            self.st.pc.set(Stubs::cont(dst));
        }
        self.push_row(t.row, &t.state, window, dst, mode) || self.pop_pushed(pushed)
    }

    /// Takes back frames of a chain that did not fit: false.
    fn pop_pushed(&self, frames: usize) -> bool {
        for _ in 0..frames {
            self.pop_native();
        }
        false
    }

    /// Calls `func` with `args` from Rust on behalf of an instruction, and goes on at `row` with
    /// `state`: what [`Exit::call`] does, without a detour over the native heap.
    pub(crate) fn push_call(
        &self,
        func: Value<'_>,
        args: &[Value<'_>],
        row: &'static Row,
        state: &[Value<'_>],
        dst: usize,
        mode: Mode,
    ) -> Flow {
        if let Some(f) = func.get::<Function>()
            && self.push_both(f, args, row, state, dst, mode)
        {
            return Flow::Next;
        }
        if !self.push_row(row, state, args.len() + 1, dst, mode) {
            return self.raise_here(self.memory_error());
        }
        self.call_in_native(func, args, Value::EMPTY)
    }

    /// Pushes the frame of `row` and above it that of a function of plain parameters, if there is
    /// room for both; `false`, with nothing done, otherwise.
    fn push_both(
        &self,
        f: &Function,
        args: &[Value<'_>],
        row: &'static Row,
        state: &[Value<'_>],
        dst: usize,
        mode: Mode,
    ) -> bool {
        let st = &self.st;
        let (old_base, top) = (st.base.get(), st.top());
        let offset = (top as usize - old_base as usize) / 8 + 2;
        let window = state.len() + 1;
        let size = window + args.len() + 3;
        if f.call_flags & (call_flags::SIMPLE | call_flags::GENERATOR) != call_flags::SIMPLE
            || f.arg_count as usize != args.len()
            || state.len() > SLACK / 4
            || st.frame.get().wrapping_add(1) >= st.frame_limit.get()
            || top.wrapping_add(size + f.reg_count as usize + SLACK) >= st.stack_limit.get()
        {
            return false;
        }
        // SAFETY: there is room for both frames and their records above the running frame's
        // registers.
        unsafe {
            let new = old_base.add(offset);
            new.sub(2).write(Delta { delta: offset, dst, mode }.word());
            new.sub(1).write(RowInfo { state: state.len(), size }.word());
            new.write(int_word(row as *const Row as i64));
            for (i, v) in state.iter().enumerate() {
                new.add(1 + i).write(v.word());
            }
            new.add(window).write(Value::object(f).word());
            for (i, v) in args.iter().enumerate() {
                new.add(window + 1 + i).write(v.word());
            }
            st.push(FrameRec { pc: st.pc.get(), k: st.k.get() });
            st.push(FrameRec { pc: Stubs::cont(window), k: st.k.get() });
            st.base.set(new.add(window + 1));
        }
        st.pc.set(f.entry);
        st.k.set(f.k);
        true
    }

    fn push_row(
        &self,
        row: &'static Row,
        state: &[Value<'_>],
        window: usize,
        dst: usize,
        mode: Mode,
    ) -> bool {
        let top = self.st.top();
        let size = 1 + state.len() + window + 2;
        if state.len() > RowInfo::MOST_STATE || size > RowInfo::MOST_SIZE {
            return false;
        }
        let moved = top as usize + (size + 2) * 8 > self.st.stack_limit.get() as usize
            || self.st.frame.get() >= self.st.frame_limit.get();
        let old_base = self.st.base.get();
        let offset = (top as usize - old_base as usize) / 8;
        if moved && !self.st.reserve(top, size + 2) {
            return false;
        }
        let base = self.st.base.get();
        // SAFETY: room was made for the frame above the running frame's registers.
        unsafe {
            let new = base.add(offset + 2);
            let delta = Delta { delta: offset + 2, dst, mode };
            new.sub(2).write(delta.word());
            let info = RowInfo { state: state.len(), size };
            new.sub(1).write(info.word());
            new.write(int_word(row as *const Row as i64));
            for (i, v) in state.iter().enumerate() {
                new.add(1 + i).write(v.word());
            }
            for i in 0..window + 2 {
                new.add(1 + state.len() + i).write(EMPTY);
            }
            self.st.push(FrameRec { pc: self.st.pc.get(), k: self.st.k.get() });
            self.st.base.set(new);
        }
        true
    }

    /// First register of the call window of the running native frame.
    pub(crate) fn native_window(&self) -> usize {
        RowInfo::read(self.st.below(1)).state + 1
    }

    fn call_in_native(&self, func: Value<'_>, args: &[Value<'_>], kwnames: Value<'_>) -> Flow {
        let a = self.native_window();
        self.st.set_reg(a, func.word());
        for (i, v) in args.iter().enumerate() {
            self.st.set_reg(a + 1 + i, v.word());
        }
        self.st.pc.set(Stubs::cont(a));
        self.st.kwnames.set(kwnames.word());
        self.call(a, args.len())
    }

    /// CONT: the call that the running native frame waited for has returned.
    pub(crate) fn resume_native(&self) -> Flow {
        let w = self.native_window();
        let v = self.word_value(self.st.reg(w));
        if self.hands_on(v) {
            let delta = self.pop_native();
            return self.deliver(v, delta.dst, delta.mode);
        }
        self.answer_native(Answer::Value(v))
    }

    /// Resumes the row of the running native frame.
    pub(crate) fn answer_native(&self, answer: Answer<'_>) -> Flow {
        let info = RowInfo::read(self.st.below(1));
        let row = self.native_row();
        let mut near = [Value::EMPTY; 8];
        let far: Vec<Value<'_>>;
        let state = if info.state <= near.len() {
            for (i, v) in near[..info.state].iter_mut().enumerate() {
                *v = self.word_value(self.st.reg(1 + i));
            }
            &near[..info.state]
        } else {
            far = (0..info.state).map(|i| self.word_value(self.st.reg(1 + i))).collect();
            &far[..]
        };
        // What the row asks for next is done on behalf of the same instruction: a new frame takes
        // the place of this one.
        let passed = match &answer {
            Answer::Raised(e) => Some(*e),
            Answer::Value(_) => None,
        };
        let result = (row.resume)(self, state, answer);
        let delta = self.pop_native();
        match result {
            Ok(v) => self.deliver(v, delta.dst, delta.mode),
            Err(e) => self.do_exit_of(e, delta.dst, delta.mode, passed),
        }
    }

    /// Whether the row of the running native frame would do nothing but hand `v` on: so it is with
    /// most results of operators and comparisons.
    fn hands_on(&self, v: Value<'_>) -> bool {
        let row = self.native_row();
        if std::ptr::eq(row, &RETURN_ROW) {
            return true;
        }
        if std::ptr::eq(row, &STEP_ROW) {
            return !v.is_not_implemented();
        }
        let negates = self.st.reg(COMPARE_NEGATES) != FALSE;
        if std::ptr::eq(row, &COMPARE_ROW) {
            return !v.is_not_implemented() && !negates;
        }
        std::ptr::eq(row, &COMPARE_TRUTH_ROW) && v.as_bool().is_some()
    }

    fn native_row(&self) -> &'static Row {
        let w = self.st.reg(0);
        debug_assert!(is_int(w));
        // SAFETY: `push_native` stored the address of a static row here.
        unsafe { &*(int_of(w) as usize as *const Row) }
    }

    /// Pops a native or generator frame; the caller's frame runs again.
    pub(crate) fn pop_native(&self) -> Delta {
        let delta = Delta::read(self.st.below(2));
        let rec = self.st.pop();
        // SAFETY: the caller's base lies `delta` words below.
        self.st.base.set(unsafe { self.st.base.get().sub(delta.delta) });
        self.st.pc.set(rec.pc);
        self.st.k.set(rec.k);
        delta
    }

    /// Hands the result of a frame to the running frame.
    pub(crate) fn deliver(&self, v: Value<'_>, dst: usize, mode: Mode) -> Flow {
        match mode {
            Mode::Reg | Mode::Next => self.st.set_reg(dst, v.word()),
            Mode::Discard => {}
            Mode::Branch => {
                // SAFETY: the branch lies before the return address.
                self.st.pc.set(unsafe { self.st.pc.get().sub(1) });
                self.branch(v.is(Value::TRUE));
            }
            Mode::ForIter => {
                if v.is_empty() {
                    // SAFETY: a JUMP follows every FORITER.
                    self.st.pc.set(unsafe { self.st.pc.get().add(1) });
                } else {
                    self.st.set_reg(dst, v.word());
                }
            }
            Mode::Send => {
                if v.is_empty() {
                    return self.raise_here(self.stop_iteration(Value::NONE));
                }
                self.st.set_reg(dst, v.word());
            }
            Mode::Delegate => return self.delegate_yielded(v),
            Mode::Unpack => return self.unpack_again(v),
            Mode::Halt => {
                self.st.result.set(v.word());
                self.st.ended.set(Ended::Returned);
                return Flow::Halt;
            }
        }
        Flow::Next
    }

    /// Takes or skips the branch instruction at `st.pc`.
    pub(crate) fn branch(&self, truth: bool) {
        // SAFETY: `st.pc` points to a BRT or BRF; jump targets were verified.
        unsafe {
            let pc = self.st.pc.get();
            let ins = Ins(*pc);
            let wanted = ins.op() == Op::BRT as u8;
            let d = if truth == wanted { ins.sbx() as isize } else { 0 };
            self.st.pc.set(pc.add(1).offset(d));
        }
    }

    /// Raises what an exit holds; other exits cannot come from where this is used.
    pub(crate) fn raise_here(&self, e: Exit<'_>) -> Flow {
        match e {
            Exit::Raise(e) => self.unwind(e),
            Exit::Do(action) => self.do_action(*action, 0, Mode::Discard),
        }
    }

    /// Raises `exc` at the instruction before `st.pc` of the running frame: sets the context and
    /// goes to the handler, or out of the run loop.
    pub(crate) fn unwind(&self, exc: Value<'_>) -> Flow {
        self.set_context(exc);
        self.unwind_from(exc)
    }

    /// As [`Vm::unwind`], without touching the context, for an exception that has passed or was
    /// caught in the running frame before: that frame is in its traceback already.
    pub(crate) fn unwind_again(&self, exc: Value<'_>) -> Flow {
        self.unwind_with(exc, false)
    }

    /// As [`Vm::unwind`], without touching the context.
    pub(crate) fn unwind_from(&self, exc: Value<'_>) -> Flow {
        self.unwind_with(exc, true)
    }

    fn unwind_with(&self, exc: Value<'_>, note_first: bool) -> Flow {
        let mut exc = exc;
        let mut note = note_first;
        loop {
            match self.frame_kind() {
                FrameKind::Script(f) => {
                    if self.catch(exc, f, std::mem::replace(&mut note, true)) {
                        return Flow::Next;
                    }
                    let rec = self.st.pop();
                    // SAFETY: the word before the return address is the CALL that made this
                    // frame, so its operand gives the caller's base.
                    unsafe {
                        let a = Ins(*rec.pc.sub(1)).a();
                        self.st.base.set(self.st.base.get().sub(a + 1));
                    }
                    self.st.pc.set(rec.pc);
                    self.st.k.set(rec.k);
                }
                FrameKind::Generator(g) => {
                    if self.catch(exc, g.func(), std::mem::replace(&mut note, true)) {
                        return Flow::Next;
                    }
                    exc = self.generator_raised(g, exc);
                    let delta = self.pop_native();
                    if let Some(flow) = self.iteration_raised(exc, delta.dst, delta.mode) {
                        return flow;
                    }
                }
                FrameKind::Native => {
                    let row = self.native_row();
                    if row.catches {
                        return self.answer_native(Answer::Raised(exc));
                    }
                    let delta = self.pop_native();
                    if let Some(flow) = self.iteration_raised(exc, delta.dst, delta.mode) {
                        return flow;
                    }
                }
                FrameKind::Stub => {
                    if self.st.depth() == 0 {
                        return self.ended_raised(exc);
                    }
                    let rec = self.st.pop();
                    // SAFETY: as for script frames.
                    unsafe {
                        let a = Ins(*rec.pc.sub(1)).a();
                        self.st.base.set(self.st.base.get().sub(a + 1));
                    }
                    self.st.pc.set(rec.pc);
                    self.st.k.set(rec.k);
                }
            }
        }
    }

    fn ended_raised(&self, exc: Value<'_>) -> Flow {
        self.st.result.set(exc.word());
        self.st.ended.set(Ended::Raised);
        Flow::Halt
    }

    /// What an exception that leaves a frame means to a caller that iterates. `None`: it goes on.
    fn iteration_raised(&self, exc: Value<'_>, dst: usize, mode: Mode) -> Option<Flow> {
        match mode {
            Mode::ForIter | Mode::Next if self.is_stop_iteration(exc) => {
                Some(self.deliver(Value::EMPTY, dst, mode))
            }
            Mode::Delegate if self.is_stop_iteration(exc) => {
                let v = self.stop_value(exc);
                self.st.set_reg(dst, v.word());
                Some(Flow::Next)
            }
            Mode::Halt => Some(self.ended_raised(exc)),
            _ => None,
        }
    }

    /// Adds the running frame to the traceback (if `note`), and goes to its handler if it has one.
    fn catch(&self, exc: Value<'_>, func: &Function, note: bool) -> bool {
        let code = func.code();
        let Some(at) = code.index_of(self.st.pc.get()) else { return false };
        let at = at.saturating_sub(1) as u32;
        // An exception that came of too little memory gets no entry for each of a million frames.
        if note && !code.proto.flags.hidden && !self.heap.is_short() {
            self.add_traceback(exc, code, func, at);
        }
        if self.st.over.get() {
            return false;
        }
        let Some(h) = code.proto.handlers.iter().find(|h| h.start <= at && at < h.end) else {
            return false;
        };
        self.st.set_reg(h.reg as usize, self.st.handled.get());
        self.st.set_reg(h.reg as usize + 1, exc.word());
        self.st.handled.set(exc.word());
        // SAFETY: targets were verified.
        self.st.pc.set(unsafe { code.entry().add(h.target as usize) });
        true
    }
}
