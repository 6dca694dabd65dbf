//! Calling anything that can be called: `R[a]` with the `n` values above it.
//!
//! A call ends in one of three ways: a frame was pushed and its first instruction is next; a
//! native ran and its result is in `R[a]`; or something was raised.

#![allow(unsafe_code)]

use super::dispatch::{Flow, finish_value};
use super::state::{FrameRec, Stubs};
use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Action, Exit, NResult, NativeFn, Role, Row};
use crate::object::class::{Class, class_flags};
use crate::object::func::{BoundMethod, Function, Native, call_flags};
use crate::object::map::Dict;
use crate::object::record::{ClassMethod, StaticMethod};
use crate::object::seq::Tuple;
use crate::object::text::Str;
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
    fn room(&self, a: usize, words: usize) -> Result<(), Exit<'_>> {
        // SAFETY: only an address is worked out.
        let at = self.st.base.get().wrapping_add(a);
        if at as usize + (words + 2) * 8 > self.st.stack_limit.get() as usize
            && !self.st.reserve(at, words + 2)
        {
            return Err(self.memory_error());
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
    fn insert_arg(&self, a: usize, n: usize, w: Word) -> Result<(), Exit<'_>> {
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

    /// Puts the arguments where the parameters of `f` are, if they are not too many, each gets a
    /// value and there is no `**kwargs`; `false`, with nothing changed, otherwise.
    fn bind_plain<'v>(
        &'v self,
        f: &'v Function,
        a: usize,
        n: usize,
        kwnames: Word,
    ) -> Result<bool, Exit<'v>> {
        const MOST: usize = 32;
        let proto = &f.code().proto;
        let argc = proto.arg_count as usize;
        let total = argc + proto.kwonly_count as usize;
        if proto.flags.varkw || total > MOST || n > MOST {
            return Ok(false);
        }
        let names = self.word_value(kwnames).get::<Tuple>().map_or(&[][..], |t| t.items());
        let given = n - names.len();
        if given > argc && !proto.flags.varargs {
            return Ok(false);
        }
        let defaults = crate::object::read(&f.defaults).get::<Tuple>();
        let defaults = defaults.map_or(&[][..], |t| t.items());
        if n == given && total == argc && !proto.flags.varargs {
            // Nothing but defaults is wanted, from the end.
            let Some(from) = defaults.len().checked_sub(argc - n) else { return Ok(false) };
            for (i, v) in defaults[from..].iter().enumerate() {
                self.st.set_reg(a + 1 + n + i, v.word());
            }
            return Ok(true);
        }
        let placed = given.min(argc);
        let mut bound = [EMPTY; MOST];
        for (b, v) in bound.iter_mut().zip(self.regs(a + 1, placed)) {
            *b = v.word();
        }
        let first = (proto.posonly_count as usize).max(placed);
        for (name, v) in names.iter().zip(self.regs(a + 1 + given, names.len())) {
            let Some(name) = name.get::<Str>() else { return Ok(false) };
            let found = (first..total).find(|&i| proto.locals[i].as_bytes() == name.bytes());
            match found {
                Some(i) if bound[i] == EMPTY => bound[i] = v.word(),
                _ => return Ok(false),
            }
        }
        let optional = argc.saturating_sub(defaults.len());
        for (i, b) in bound.iter_mut().enumerate().take(argc).skip(placed) {
            if *b == EMPTY {
                match i.checked_sub(optional).and_then(|i| defaults.get(i)) {
                    Some(v) => *b = v.word(),
                    None => return Ok(false),
                }
            }
        }
        let kwdefaults = crate::object::read(&f.kwdefaults).get::<Dict>();
        for (i, b) in bound.iter_mut().enumerate().take(total).skip(argc) {
            if *b == EMPTY {
                match kwdefaults.and_then(|d| self.keyword_default(d, &proto.locals[i])) {
                    Some(v) => *b = v.word(),
                    None => return Ok(false),
                }
            }
        }
        if proto.flags.varargs {
            let rest = self.tuple(self.regs(a + 1 + placed, given - placed))?;
            self.st.set_reg(a + 1 + total, rest.word());
        }
        for (i, &w) in bound[..total].iter().enumerate().skip(placed) {
            self.st.set_reg(a + 1 + i, w);
        }
        Ok(true)
    }

    /// The default of a keyword-only parameter. There are few: to compare is cheaper than to hash.
    fn keyword_default<'v>(&'v self, defaults: &'v Dict, name: &str) -> Option<Value<'v>> {
        if defaults.len() > 8 {
            return self.dict_get_str(defaults, name);
        }
        let table = defaults.table();
        let is_it = |key| {
            let key = self.word_value(key).get::<Str>();
            key.is_some_and(|key| key.bytes() == name.as_bytes())
        };
        table.iter().find(|e| is_it(e.key)).map(|e| self.word_value(e.value))
    }

    /// Puts the arguments where the parameters of `f` are: the general case.
    fn bind_arguments<'v>(
        &'v self,
        f: &'v Function,
        a: usize,
        n: usize,
        kwnames: Word,
    ) -> Result<(), Exit<'v>> {
        let proto = &f.code().proto;
        let argc = proto.arg_count as usize;
        let kwonly = proto.kwonly_count as usize;
        let total = argc + kwonly;
        let kwnames: &[Value<'v>] =
            self.word_value(kwnames).get::<Tuple>().map_or(&[], |t| t.items());
        let given = n - kwnames.len();
        let args: Vec<Value<'v>> = self.regs(a + 1, n).to_vec();
        let slots = total + usize::from(proto.flags.varargs) + usize::from(proto.flags.varkw);
        self.room(a, slots.max(f.reg_count as usize) + 8)?;
        let mut bound: Vec<Value<'v>> = vec![Value::EMPTY; total];
        let positional = given.min(argc);
        bound[..positional].copy_from_slice(&args[..positional]);
        let extra_kw = if proto.flags.varkw { Some(self.dict()) } else { None };
        for (name, &v) in kwnames.iter().zip(&args[given..]) {
            let Some(name_str) = name.get::<Str>() else {
                return Err(self.type_error("keywords must be strings"));
            };
            let text = name_str.to_display();
            let at = proto.locals[..total]
                .iter()
                .enumerate()
                .skip(proto.posonly_count as usize)
                .position(|(_, l)| *l == text)
                .map(|i| i + proto.posonly_count as usize);
            match (at, extra_kw) {
                (Some(i), _) => {
                    if !bound[i].is_empty() {
                        return Err(self.type_error(format!(
                            "{}() got multiple values for argument '{text}'",
                            self.func_name(f)
                        )));
                    }
                    bound[i] = v;
                }
                (None, Some(d)) => {
                    let key = Value::object(self.intern_str(name_str));
                    self.dict_set_name(d, key, v)?;
                }
                (None, None) => {
                    return Err(self.unexpected_keyword(f, &text, kwnames));
                }
            }
        }
        if given > argc && !proto.flags.varargs {
            return Err(self.too_many_positional(f, given, &bound[argc..]));
        }
        if let Some(defaults) = crate::object::read(&f.defaults).get::<Tuple>() {
            let d = defaults.items();
            let first = argc.saturating_sub(d.len());
            for i in first..argc {
                if bound[i].is_empty() {
                    bound[i] = d[i - first];
                }
            }
        }
        if bound[..argc].iter().any(|v| v.is_empty()) {
            return Err(self.missing_arguments(f, &bound[..argc], 0, "positional"));
        }
        if kwonly > 0 {
            let defaults = crate::object::read(&f.kwdefaults).get::<Dict>();
            for (b, name) in bound[argc..].iter_mut().zip(&proto.locals[argc..total]) {
                if let (true, Some(d)) = (b.is_empty(), defaults)
                    && let Some(v) = self.dict_get_str(d, name)
                {
                    *b = v;
                }
            }
            if bound[argc..].iter().any(|v| v.is_empty()) {
                return Err(self.missing_arguments(f, &bound[argc..], argc, "keyword-only"));
            }
        }
        if proto.flags.varargs {
            let rest = if given > argc { &args[argc..given] } else { &[] };
            bound.push(self.tuple(rest)?);
        }
        if let Some(d) = extra_kw {
            bound.push(Value::object(d));
        }
        for (i, v) in bound.iter().enumerate() {
            self.st.set_reg(a + 1 + i, v.word());
        }
        Ok(())
    }

    /// Runs a native with the values above `R[a]`.
    pub(crate) fn call_native<'v>(&'v self, f: &'v Native, a: usize, n: usize) -> NResult<'v> {
        let receiver = f.receiver.get();
        let mut n = n;
        if receiver != EMPTY && f.def.role != Role::Static {
            self.insert_arg(a, n, receiver)?;
            n += 1;
        }
        let kwnames = self.st.kwnames.replace(EMPTY);
        let owner = self.word_value(f.owner.get());
        if !owner.is_empty() && receiver == EMPTY && f.def.role != Role::Static {
            self.check_receiver(f, owner, self.regs(a + 1, n), kwnames)?;
        }
        if kwnames == EMPTY {
            if f.def.arity.exact(n) {
                return self.run_native(f, self.regs(a + 1, n));
            }
            // Optional parameters that are not passed leave the call to the typed entry.
            if let NativeFn::Typed(typed, _) = f.def.func
                && let Some(v) = typed.call(self, self.regs(a + 1, n))
            {
                return Ok(v);
            }
        }
        let args = self.bind_native(f, self.regs(a + 1, n), self.word_value(kwnames))?;
        self.room(a, args.len() + 8)?;
        for (i, v) in args.iter().enumerate() {
            self.st.set_reg(a + 1 + i, v.word());
        }
        self.run_native(f, self.regs(a + 1, args.len()))
    }

    /// Calls native code with bound arguments.
    #[inline]
    pub(crate) fn run_native<'v>(&'v self, f: &'v Native, args: &[Value<'v>]) -> NResult<'v> {
        match f.def.func {
            NativeFn::Leaf(leaf) => match leaf(self, args) {
                Err(Exit::Do(action)) => self.run_again(f, args, action),
                r => r,
            },
            NativeFn::Host(host) => host(self, f, args),
            NativeFn::Typed(typed, host) => match typed.call(self, args) {
                Some(v) => Ok(v),
                None => host(self, f, args),
            },
        }
    }

    /// Calls `func` from Rust without a frame, if it is a native of ours: `None` if it is script
    /// code, or foreign code, which might change what the caller has borrowed.
    pub fn call_leaf<'v>(&'v self, func: Value<'v>, args: &[Value<'v>]) -> Option<NResult<'v>> {
        let Some(f) = func.get::<Native>() else { return self.call_record(func, args) };
        if f.receiver.get() != EMPTY {
            return None;
        }
        // A method is called on what it belongs to; the complete call raises for others.
        if f.def.role != Role::Static
            && let Some(owner) = self.word_value(f.owner.get()).get::<Class>()
            && !args.first().is_some_and(|me| self.class_of(*me).is_subclass(owner))
        {
            return None;
        }
        match f.def.func {
            NativeFn::Leaf(_) => f.def.arity.exact(args.len()).then(|| self.run_native(f, args)),
            NativeFn::Host(_) => None,
            NativeFn::Typed(typed, _) => typed.call(self, args).map(Ok),
        }
    }

    /// As [`Vm::call_leaf`] for a record whose class has a native `__call__` (`itemgetter`).
    fn call_record<'v>(&'v self, func: Value<'v>, args: &[Value<'v>]) -> Option<NResult<'v>> {
        if func.kind() != Some(Kind::Record) {
            return None;
        }
        let class = self.class_of(func);
        if class.has(class_flags::HEAP) {
            return None;
        }
        let f = self.class_lookup(class, self.names.__call__)?.get::<Native>()?;
        let exact = f.def.arity.exact(args.len() + 1);
        if !exact || !matches!(f.def.func, NativeFn::Leaf(_)) {
            return None;
        }
        let mut all = vec![func];
        all.extend_from_slice(args);
        Some(self.run_native(f, &all))
    }

    fn check_receiver<'v>(
        &'v self,
        f: &'v Native,
        owner: Value<'v>,
        args: &[Value<'v>],
        kwnames: Word,
    ) -> Result<(), Exit<'v>> {
        let Some(owner) = owner.get::<Class>() else { return Ok(()) };
        let names = self.word_value(kwnames).get::<Tuple>().map_or(0, |t| t.len());
        let name = f.def.name;
        let Some(&me) = args[..args.len() - names].first() else {
            return Err(self.type_error(if is_slot_of(Value::object(owner), name) {
                format!("descriptor '{name}' of '{}' object needs an argument", owner.name_str())
            } else {
                format!("unbound method {}.{name}() needs an argument", owner.name_str())
            }));
        };
        if self.class_of(me).is_subclass(owner) {
            return Ok(());
        }
        Err(self.type_error(if is_slot_of(Value::object(owner), name) {
            format!(
                "descriptor '{name}' requires a '{}' object but received a '{}'",
                owner.name_str(),
                self.type_name(me)
            )
        } else {
            format!(
                "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
                owner.name_str(),
                self.type_name(me)
            )
        }))
    }

    /// Lays out arguments as a native expects them: fixed parameters, `**kwargs`, `*args`.
    pub(crate) fn bind_native<'v>(
        &'v self,
        f: &'v Native,
        args: &[Value<'v>],
        kwnames: Value<'v>,
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let ar = f.def.arity;
        let names: &[Value<'v>] = kwnames.get::<Tuple>().map_or(&[], |t| t.items());
        let (given, kwvalues) = args.split_at(args.len() - names.len());
        let max = ar.max as usize;
        let mut out = vec![Value::EMPTY; ar.fixed as usize];
        let positional = given.len().min(max);
        if !names.is_empty() && ar.fixed == ar.posonly && !ar.varkw {
            if f.def.name == "__new__" && self.has_own_init(given) {
                return self.bind_native(f, given, Value::EMPTY);
            }
            return Err(
                self.type_error(format!("{} takes no keyword arguments", self.native_label(f)))
            );
        }
        if given.len() > max && !ar.varargs {
            return Err(self.native_arity_error(f, given.len() + names.len(), given.len()));
        }
        out[..positional].copy_from_slice(&given[..positional]);
        let kwdict = if ar.varkw { Some(self.dict()) } else { None };
        if !names.is_empty() {
            let params = f.def.param_names();
            for (name, &v) in names.iter().zip(kwvalues) {
                let Some(s) = name.get::<Str>() else {
                    return Err(self.type_error("keywords must be strings"));
                };
                let text = s.to_display();
                let at = params
                    .iter()
                    .enumerate()
                    .position(|(i, p)| i >= ar.posonly as usize && *p == text);
                match (at, kwdict) {
                    (Some(i), _) if out[i].is_empty() => out[i] = v,
                    (Some(i), _) => {
                        return Err(self.type_error(format!(
                            "argument for {}() given by name ('{text}') and position ({})",
                            self.bare_name(f),
                            i + 1
                        )));
                    }
                    (None, Some(d)) => {
                        let key = Value::object(self.intern_str(s));
                        self.dict_set_name(d, key, v)?;
                    }
                    (None, None) => {
                        return Err(self.type_error(format!(
                            "'{text}' is an invalid keyword argument for {}()",
                            self.bare_name(f)
                        )));
                    }
                }
            }
        }
        if let Some(missing) = out[..ar.min as usize].iter().position(|v| v.is_empty()) {
            if ar.posonly > missing as u8 || names.is_empty() && ar.posonly > 0 {
                return Err(self.native_arity_error(f, given.len(), given.len()));
            }
            return Err(self.type_error(format!(
                "{}() missing required argument '{}' (pos {})",
                self.bare_name(f),
                f.def.param_names().get(missing).copied().unwrap_or("?"),
                missing + 1 - usize::from(!self.word_value(f.owner.get()).is_empty())
            )));
        }
        if let Some(d) = kwdict {
            out.push(if d.is_empty() { Value::EMPTY } else { Value::object(d) });
        }
        if ar.varargs && given.len() > max {
            out.extend_from_slice(&given[max..]);
        }
        Ok(out)
    }

    /// The class that is to be made has an `__init__` of a script's, for which the keywords are.
    fn has_own_init(&self, given: &[Value<'_>]) -> bool {
        let class = given.first().and_then(|class| class.get::<Class>());
        class
            .and_then(|class| self.defining_class(class, self.names.__init__))
            .is_some_and(|owner| owner.has(class_flags::HEAP))
    }

    /// The name in messages: `__new__` and `__init__` speak for their class.
    fn bare_name(&self, f: &Native) -> std::borrow::Cow<'_, str> {
        match self.word_value(f.owner.get()).get::<Class>() {
            Some(c) if is_constructor(f.def.name) => c.name_str(),
            _ => f.def.name.into(),
        }
    }

    /// `len()`, `list.append()`: how messages name a native.
    pub(crate) fn native_label(&self, f: &Native) -> String {
        let owner = self.word_value(f.owner.get());
        let receiver = self.word_value(f.receiver.get());
        if is_constructor(f.def.name) {
            format!("{}()", self.bare_name(f))
        } else if !owner.is_empty() && is_slot_of(owner, f.def.name) {
            format!("wrapper {}()", f.def.name)
        } else if let Some(c) = owner.get::<Class>() {
            // What is bound is named by what it is bound to.
            let named = match receiver.get::<Class>() {
                Some(class) => class,
                None if receiver.is_empty() => c,
                None => self.class_of(receiver),
            };
            format!("{}.{}()", named.name_str(), f.def.name)
        } else if let Some(m) = receiver.get::<crate::object::record::Module>() {
            match m.dict().get::<Dict>().and_then(|d| self.dict_get_str(d, "__name__")) {
                Some(n) if !n.is_empty() => {
                    let name = n.get::<Str>().map(|s| s.to_display().into_owned());
                    match name.as_deref() {
                        Some("builtins") | None => format!("{}()", f.def.name),
                        Some(m) => format!("{m}.{}()", f.def.name),
                    }
                }
                _ => format!("{}()", f.def.name),
            }
        } else {
            format!("{}()", f.def.name)
        }
    }

    fn owner_has_bytes(&self, f: &Native) -> bool {
        let owner = self.word_value(f.owner.get());
        [Type::Str, Type::Bytes, Type::ByteArray].iter().any(|t| owner.is(self.class_value(*t)))
    }

    fn native_arity_error(&self, f: &Native, total: usize, given: usize) -> Exit<'_> {
        let ar = f.def.arity;
        if given == 0 && f.def.name == "__new__" {
            let class = self.bare_name(f);
            return self.type_error(format!("{class}.__new__(): not enough arguments"));
        }
        let owned = !self.word_value(f.owner.get()).is_empty();
        let is_method = owned && (f.def.role != Role::Static || f.def.name == "__new__");
        let me = usize::from(is_method);
        let (min, max) = (ar.min as usize - me.min(ar.min as usize), ar.max as usize - me);
        let given = given.saturating_sub(me);
        let total = total.saturating_sub(me);
        let label = self.native_label(f);
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let bare = self.bare_name(f);
        if is_slot_of(self.word_value(f.owner.get()), &bare) && is_method {
            return self.type_error(if min == max {
                format!("expected {max} argument{}, got {given}", plural(max))
            } else if given < min {
                format!("expected at least {min} argument{}, got {given}", plural(min))
            } else {
                format!("expected at most {max} argument{}, got {given}", plural(max))
            });
        }
        if is_method && is_search(&bare) && self.owner_has_bytes(f) {
            return self.type_error(if given < min {
                format!("{bare}() takes at least {min} argument{} ({given} given)", plural(min))
            } else {
                format!("{bare}() takes at most {max} argument{} ({given} given)", plural(max))
            });
        }
        self.type_error(if ar.fixed == ar.posonly {
            if min == max && max == 0 {
                format!("{label} takes no arguments ({given} given)")
            } else if min == max && is_constructor(f.def.name) {
                format!("{bare} expected {max} argument{}, got {given}", plural(max))
            } else if min == max && max == 1 {
                format!("{label} takes exactly one argument ({given} given)")
            } else if min == max {
                format!("{bare} expected {max} arguments, got {given}")
            } else if given < min {
                format!("{bare} expected at least {min} argument{}, got {given}", plural(min))
            } else {
                format!("{bare} expected at most {max} argument{}, got {given}", plural(max))
            }
        } else {
            if max == 0 {
                return self.type_error(format!("{bare}() takes no positional arguments"));
            }
            let what = if given < min {
                let least = if min == max { "exactly" } else { "at least" };
                format!("{least} {min} positional argument{}", plural(min))
            } else if min == max {
                format!("exactly {max} positional argument{}", plural(max))
            } else {
                format!("at most {max} argument{}", plural(max))
            };
            format!("{bare}() takes {what} ({total} given)")
        })
    }
}

/// Whether a builtin class's row of this name makes its instances.
fn is_constructor(name: &str) -> bool {
    matches!(name, "__new__" | "__init__")
}

/// Whether a name begins and ends with two underscores.
pub(crate) fn is_dunder(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Whether a special method stands for a slot of the class: then it is a wrapper, with messages of
/// its own. The others are methods like any.
fn is_slot(name: &str) -> bool {
    is_dunder(name)
        && !matches!(
            name,
            "__format__"
                | "__getnewargs__"
                | "__bytes__"
                | "__ceil__"
                | "__floor__"
                | "__round__"
                | "__trunc__"
                | "__complex__"
                | "__reversed__"
                | "__sizeof__"
                | "__reduce__"
                | "__reduce_ex__"
                | "__getstate__"
                | "__setstate__"
                | "__dir__"
                | "__length_hint__"
                | "__class_getitem__"
                | "__enter__"
                | "__exit__"
                | "__copy__"
                | "__deepcopy__"
                | "__subclasses__"
                | "__instancecheck__"
                | "__subclasscheck__"
                | "__prepare__"
        )
}

/// As [`is_slot`], of a class: dicts, lists and sets look things up by methods.
pub(crate) fn is_slot_of(owner: Value<'_>, name: &str) -> bool {
    let by_method = || {
        let class = owner.get::<Class>().filter(|c| !c.has(class_flags::HEAP))?;
        Some(match *Type::ALL.get(class.native_type.get() as usize)? {
            Type::Dict => matches!(name, "__contains__" | "__getitem__"),
            Type::List => name == "__getitem__",
            Type::Set | Type::FrozenSet => name == "__contains__",
            _ => false,
        })
    };
    is_slot(name) && by_method() != Some(true)
}

/// The methods of str and bytes that search between bounds, with messages of their own.
fn is_search(name: &str) -> bool {
    matches!(name, "find" | "rfind" | "index" | "rindex" | "count" | "startswith" | "endswith")
}

/// The builtin class of natives made for a role.
pub(crate) fn native_type(role: Role, owner: Value<'_>, name: &str) -> Type {
    match role {
        Role::Method if is_slot_of(owner, name) => Type::WrapperDescriptor,
        Role::Method => Type::MethodDescriptor,
        Role::Class => Type::ClassMethodDescriptor,
        _ => Type::Builtin,
    }
}
