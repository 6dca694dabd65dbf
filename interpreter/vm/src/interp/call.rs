//! Calling anything that can be called: `R[a]` with the `n` values above it.
//!
//! A call ends in one of three ways: a frame was pushed and its first instruction is next; a
//! native ran and its result is in `R[a]`; or something was raised.

#![allow(unsafe_code)]

use super::dispatch::{Flow, finish_value};
use super::state::{FrameRec, Stubs};
use crate::Vm;
use crate::native::{Action, Exit, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::{BoundMethod, Function, Native, call_flags};
use crate::object::record::{ClassMethod, StaticMethod};
use crate::object::seq::Tuple;
use crate::value::{EMPTY, Value, Word};

/// Objects on the way from a callee to the function that is called in the end.
const MAX_CALLABLES: usize = 1000;

/// After script code bound a `__call__`: calls what it gave. State: names of keywords, arguments.
static CALL_BOUND_ROW: Row = Row {
    name: "call_bound",
    catches: false,
    resume: |_, state, answer| {
        let args = state[1].get::<Tuple>().map_or_else(Vec::new, |t| t.items().to_vec());
        let (func, kwnames) = (answer.value()?, state[0]);
        Err(Exit::Do(Box::new(Action::Call { func, args, kwnames, then: None })))
    },
};

/// What became of a callee that is no function.
enum Callee {
    /// It calls what is in its place now, with so many arguments.
    Other(usize),
    /// The call was begun.
    Entered(Flow),
}

impl Vm {
    /// Register `i` of the running frame as a value.
    #[inline(always)]
    pub(crate) fn reg(&self, i: usize) -> Value<'_> {
        self.word_value(self.st.reg(i))
    }

    /// `n` registers from `i` on.
    pub(crate) fn regs(&self, i: usize, n: usize) -> &[Value<'_>] {
        // SAFETY: the window lies within the frame (verified), and the stack does not move while
        // natives run.
        unsafe { std::slice::from_raw_parts(self.st.base.get().add(i).cast(), n) }
    }

    /// Makes room for a window of `words` above register `a`; moves the stack if it must.
    pub(super) fn room(&self, a: usize, words: usize) -> Result<(), Exit<'_>> {
        // SAFETY: only an address is worked out.
        let at = self.st.base.get().wrapping_add(a);
        if at as usize + (words + 2) * 8 > self.st.stack_limit.get() as usize {
            self.check(words * 8)?;
            if !self.st.reserve(at, words + 2) {
                return Err(self.memory_error());
            }
        }
        Ok(())
    }

    /// Calls `R[a]` with `R[a+1 .. a+1+n]`; the last of these are keywords if `st.kwnames` is set
    /// (it is cleared). `st.pc` is the return address.
    pub(crate) fn call(&self, a: usize, n: usize) -> Flow {
        let mut n = n;
        // A `__call__` may be an object with a `__call__` itself, and so on for ever.
        for _ in 0..MAX_CALLABLES {
            let callee = self.reg(a);
            if let Some(f) = callee.get::<Function>() {
                return match self.enter_function(f, a, n) {
                    Ok(()) => Flow::Next,
                    Err(e) => self.raise_here(e),
                };
            }
            if let Some(f) = callee.get::<Native>() {
                let r = self.call_native(f, a, n);
                return finish_value(self, a, r);
            }
            match self.unwrap_callee(callee, a, n) {
                Ok(Callee::Other(args)) => n = args,
                Ok(Callee::Entered(flow)) => return flow,
                Err(e) => return self.do_exit(e, a, super::state::Mode::Reg),
            }
        }
        self.raise_here(self.recursion_error())
    }

    /// Puts what `callee` calls in its place.
    fn unwrap_callee<'v>(
        &'v self,
        callee: Value<'v>,
        a: usize,
        n: usize,
    ) -> Result<Callee, Exit<'v>> {
        if let Some(m) = callee.get::<BoundMethod>() {
            let (f, receiver) = (m.func.get(), m.receiver.get());
            self.insert_arg(a, n, receiver)?;
            self.st.set_reg(a, f);
            return Ok(Callee::Other(n + 1));
        }
        if let Some(c) = callee.get::<Class>() {
            return self.call_class(c, a, n);
        }
        if let Some(m) = callee.get::<StaticMethod>() {
            self.st.set_reg(a, m.func.get());
            return Ok(Callee::Other(n));
        }
        if callee.is_a::<ClassMethod>() {
            return Err(self.type_error("'classmethod' object is not callable"));
        }
        let class = self.class_of(callee);
        if let Some(f) = self.class_lookup(class, self.names.__call__) {
            if self.is_plain_method(f) {
                // A builtin class's __call__ works on any of its instances.
                self.insert_arg(a, n, callee.word())?;
                self.st.set_reg(a, f.word());
                return Ok(Callee::Other(n + 1));
            }
            // Whatever else stands there is bound as an attribute is, or not at all.
            return match self.descriptor_get(f, callee, Value::object(class)) {
                Ok(f) => {
                    self.st.set_reg(a, f.word());
                    Ok(Callee::Other(n))
                }
                Err(Exit::Raise(e)) => Err(Exit::Raise(e)),
                Err(e) => {
                    let kwnames = self.word_value(self.st.kwnames.replace(EMPTY));
                    let args = self.tuple(self.regs(a + 1, n))?;
                    Err(self.then_state(e, &CALL_BOUND_ROW, &[kwnames, args]))
                }
            };
        }
        Err(self.type_error(format!("'{}' object is not callable", self.full_name_of(callee))))
    }

    /// Moves the `n` arguments of the call at `a` up by one and puts `w` first.
    pub(super) fn insert_arg(&self, a: usize, n: usize, w: Word) -> Result<(), Exit<'_>> {
        self.room(a, n + 4)?;
        // SAFETY: room was made.
        unsafe {
            let p = self.st.base.get().add(a + 1);
            std::ptr::copy(p, p.add(1), n);
            p.write(w);
        }
        Ok(())
    }

    /// Instances of `c` are made with `R[a+1..]`.
    fn call_class<'v>(&'v self, c: &'v Class, a: usize, n: usize) -> Result<Callee, Exit<'v>> {
        if c.has(class_flags::META_CALL) {
            let meta = self.class_of(Value::object(c));
            if let Some(f) = self.class_lookup(meta, self.names.__call__) {
                self.insert_arg(a, n, Value::object(c).word())?;
                self.st.set_reg(a, f.word());
                return Ok(Callee::Other(n + 1));
            }
        }
        self.make_instance(c, a, n).map(Callee::Entered)
    }

    /// `type.__call__`: `__new__`, then `__init__` if the result is an instance of `c`. The
    /// arguments are `R[a+1..]`, the result goes to `R[a]`.
    pub(crate) fn make_instance<'v>(
        &'v self,
        c: &'v Class,
        a: usize,
        n: usize,
    ) -> Result<Flow, Exit<'v>> {
        // The common case: a plain class with an __init__ in script code.
        if !c.has(class_flags::NEW | class_flags::ABSTRACT)
            && c.layout.get() == crate::heap::Kind::Instance
            && c.has(class_flags::HEAP)
        {
            let init = self.class_lookup(c, self.names.__init__);
            if let Some(f) = init.and_then(|f| f.get::<Function>()) {
                self.room(a, n + 8)?;
                let obj = self.instance(c);
                // SAFETY: room was made. R[a] is base[-1] of the stub frame, R[a+1] its callee.
                unsafe {
                    let p = self.st.base.get().add(a);
                    std::ptr::copy(p.add(1), p.add(3), n);
                    p.write(obj.word());
                    p.add(1).write(Value::object(f).word());
                    p.add(2).write(obj.word());
                    self.check_frames()?;
                    self.st.push(FrameRec { pc: self.st.pc.get(), k: self.st.k.get() });
                    self.st.base.set(self.st.base.get().add(a + 1));
                }
                self.st.pc.set(Stubs::init_ret());
                return Ok(match self.enter_function(f, 0, n + 1) {
                    Ok(()) => Flow::Next,
                    Err(e) => self.raise_here(e),
                });
            }
        }
        let kwnames = self.word_value(self.st.kwnames.replace(EMPTY));
        let args = self.regs(a + 1, n);
        let native = if kwnames.is_empty() { self.construct_natively(c, args) } else { None };
        let r = match native {
            Some(r) => r,
            None => self.construct(c, args.to_vec(), kwnames),
        };
        Ok(finish_value(self, a, r))
    }

    /// INITRET: `__init__` returned to the stub frame of its instance.
    pub(crate) fn init_returned(&self) -> Flow {
        let result = self.reg(0);
        if !result.is_none() {
            let e = self.type_error(format!(
                "__init__() should return None, not '{}'",
                self.type_name(result)
            ));
            return self.raise_here(e);
        }
        let rec = self.st.pop();
        // SAFETY: the word before the return address is the CALL that made the stub frame; its
        // R[a], which is base[-1] of the stub frame, holds the instance already.
        unsafe {
            let a = crate::code::op::Ins(*rec.pc.sub(1)).a();
            self.st.base.set(self.st.base.get().sub(a + 1));
        }
        self.st.pc.set(rec.pc);
        self.st.k.set(rec.k);
        Flow::Next
    }

    /// Makes room for another frame, or raises RecursionError.
    fn check_frames(&self) -> Result<(), Exit<'_>> {
        if self.st.frame.get() >= self.st.frame_limit.get() {
            if self.st.depth() >= self.st.recursion_limit.get().saturating_mul(2) {
                return Err(self.recursion_error());
            }
            if !self.st.reserve(self.st.top(), 16) {
                return Err(self.memory_error());
            }
        }
        Ok(())
    }

    /// Pushes the frame of `f`, called as `R[a]` with `n` values.
    pub(crate) fn enter_function<'v>(
        &'v self,
        f: &'v Function,
        a: usize,
        n: usize,
    ) -> Result<(), Exit<'v>> {
        let kwnames = self.st.kwnames.replace(EMPTY);
        if self.st.frame.get() >= self.st.frame_limit.get() {
            if self.recursion_depth_exceeded() {
                return Err(self.recursion_error());
            }
            if !self.st.reserve(self.st.top(), 16) {
                return Err(self.memory_error());
            }
        }
        self.room(a, (f.reg_count as usize).max(n) + 8)?;
        let simple = f.call_flags & call_flags::SIMPLE != 0 && kwnames == EMPTY;
        let in_place = simple && n == f.arg_count as usize;
        if !in_place && !self.bind_plain(f, a, n, kwnames)? {
            self.bind_arguments(f, a, n, kwnames)?;
        }
        // SAFETY: room was made for the callee's registers above R[a].
        unsafe {
            self.st.push(FrameRec { pc: self.st.pc.get(), k: self.st.k.get() });
            self.st.base.set(self.st.base.get().add(a + 1));
        }
        self.st.pc.set(f.entry);
        self.st.k.set(f.k);
        Ok(())
    }
}
