//! Comprehensions. Those of lists, sets and dicts are part of the function around them: their
//! variables are temporaries of it. Generator expressions are functions.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::ir::Label;
use super::scope::{ScopeId, VarId};
use super::unit::{Compiler, Res, Slot};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::Op;
use crate::code::proto::CodeFlags;

/// What each round does with its value.
#[derive(Clone, Copy)]
enum Each<'a> {
    Append(&'a Expr),
    Add(&'a Expr),
    Insert(&'a Expr, &'a Expr),
    Yield(&'a Expr),
}

impl Each<'_> {
    /// The instruction that makes the empty collection.
    fn make(self) -> Option<Op> {
        match self {
            Each::Append(_) => Some(Op::MKLIST),
            Each::Add(_) => Some(Op::MKSET),
            Each::Insert(..) => Some(Op::MKDICT),
            Each::Yield(_) => None,
        }
    }
}

/// With fewer temporaries left than this, the state of a `for` clause waits in far registers
/// while the clauses inside it run.
const CLAUSE_ROOM: u32 = 120;
/// Variables of an inlined comprehension beyond so many are far.
const NEAR_VARS: usize = 24;

/// A `for` clause whose body is being made. `far`: where its state is saved.
enum Open {
    Plain { state: u32, far: Option<u32>, value: u32, body: Label, next: Label, span: Span },
    Async { next: Label, done: (Label, u32), span: Span },
}

impl<'a> Compiler<'a> {
    pub fn list_comp(&mut self, c: &'a Comp, dst: u32, span: Span) -> Res {
        let scope = self.scope_of(c, 0);
        self.comp(scope, &c.generators, Each::Append(&c.elt), "<listcomp>", dst, span)
    }

    pub fn set_comp(&mut self, c: &'a Comp, dst: u32, span: Span) -> Res {
        let scope = self.scope_of(c, 0);
        self.comp(scope, &c.generators, Each::Add(&c.elt), "<setcomp>", dst, span)
    }

    pub fn dict_comp(&mut self, c: &'a DictComp, dst: u32, span: Span) -> Res {
        let scope = self.scope_of(c, 0);
        let each = Each::Insert(&c.key, &c.value);
        self.comp(scope, &c.generators, each, "<dictcomp>", dst, span)
    }

    pub fn generator_exp(&mut self, c: &'a Comp, dst: u32, span: Span) -> Res {
        let scope = self.scope_of(c, 0);
        self.comp(scope, &c.generators, Each::Yield(&c.elt), "<genexpr>", dst, span)
    }

    fn comp(
        &mut self,
        scope: ScopeId,
        generators: &'a [Comprehension],
        each: Each<'a>,
        name: &str,
        dst: u32,
        span: Span,
    ) -> Res {
        if self.syms.scopes[scope].unit == scope {
            return self.comp_function(scope, generators, each, name, dst, span);
        }
        let Some(first) = generators.first() else { return Ok(()) };
        let work = self.scratch(dst)?;
        // The first iterable belongs to the scope outside.
        let state = self.first_iterable(first, span)?;
        let outside = std::mem::replace(&mut self.u.scope, scope);
        let pin = self.u.pin;
        let far = self.far_mark();
        let vars = self.comp_vars(scope)?;
        if let Some(make) = each.make() {
            self.op(make, work, work, 0, span);
        }
        self.rounds(generators, state, each, work, span)?;
        for var in vars {
            self.u.slots.remove(&var);
        }
        self.free_far(far);
        self.u.scope = outside;
        self.u.pin = pin;
        self.mov(dst, work);
        Ok(())
    }

    fn first_iterable(&mut self, first: &'a Comprehension, span: Span) -> Res<u32> {
        if first.is_async {
            let t = self.tmp()?;
            self.expr(&first.iter, t)?;
            self.op(Op::GETAITER, t, t, 0, span);
            return Ok(t);
        }
        self.for_prepare(&first.iter, span)
    }

    /// Gives the variables of an inlined comprehension registers.
    fn comp_vars(&mut self, scope: ScopeId) -> Res<Vec<VarId>> {
        let syms = self.syms;
        let mut vars = Vec::new();
        for name in &syms.scopes[scope].order {
            let Some(var) = syms.own_var(scope, name) else { continue };
            let reg = if vars.len() < NEAR_VARS { self.tmp()? } else { self.far_tmps(1) };
            let slot = Slot { reg, cell: syms.vars[var].captured, tracked: self.u.code.track() };
            self.u.slots.insert(var, slot);
            self.enter_var(slot, false)?;
            vars.push(var);
        }
        Ok(vars)
    }

    /// The loops; `state` is that of the first. An error of an iteration is one of the whole, at
    /// `span`. Clauses are counted by the source, so they are
    /// opened and closed without recursion.
    fn rounds(
        &mut self,
        generators: &'a [Comprehension],
        state: u32,
        each: Each<'a>,
        work: u32,
        span: Span,
    ) -> Res {
        let mut open = Vec::with_capacity(generators.len());
        let far_mark = self.far_mark();
        for (i, g) in generators.iter().enumerate() {
            let crowded = i > 0 && self.room() < CLAUSE_ROOM;
            let mark = self.u.top;
            let state = if i == 0 { state } else { self.first_iterable(g, span)? };
            let next = self.label();
            if g.is_async {
                let value = self.tmps(2)?;
                let far = crowded.then(|| self.far_tmps(1));
                if let Some(far) = far {
                    self.save_far(state, far, 1);
                }
                self.place(next);
                if let Some(far) = far {
                    self.load_far(state, far, 1);
                }
                let done = self.async_next(state, value, span)?;
                self.assign(&g.target, value)?;
                open.push(Open::Async { next, done, span });
            } else {
                let body = self.label();
                let value = self.for_register(&g.target)?;
                let far = crowded.then(|| self.far_tmps(3));
                if let Some(far) = far {
                    self.save_far(state, far, 3);
                }
                self.jump(next);
                self.place(body);
                if let Some(far) = far {
                    self.save_far(state, far, 3);
                }
                self.for_store(&g.target, value)?;
                open.push(Open::Plain { state, far, value, body, next, span });
            }
            if crowded {
                self.u.top = mark;
            }
            self.u.pin = self.u.top;
            for test in &g.ifs {
                self.cond_jump(test, next, false)?;
            }
        }
        let mark = self.u.top;
        match each {
            Each::Append(elt) => {
                let r = self.operand(elt, None, true)?;
                self.op(Op::APPEND, work, r, 0, elt.span);
            }
            Each::Add(elt) => {
                let r = self.operand(elt, None, true)?;
                self.op(Op::SETADD, work, r, 0, elt.span);
            }
            Each::Insert(key, value) => {
                let k = self.operand(key, None, Self::is_inert(value))?;
                let v = self.operand(value, None, true)?;
                self.op(Op::DICTADD, work, k, v, key.span.to(value.span));
            }
            Each::Yield(elt) => {
                let t = self.tmps(2)?;
                if self.u.proto.flags.coroutine {
                    self.expr(elt, t + 1)?;
                    self.intrinsic(Intrinsic::AsyncGenValue, t, 1, elt.span);
                    self.op(Op::YIELD, t, t, 0, elt.span);
                } else {
                    let r = self.operand(elt, Some(t), true)?;
                    self.op(Op::YIELD, t, r, 0, elt.span);
                }
            }
        }
        self.u.top = mark;
        for clause in open.into_iter().rev() {
            match clause {
                Open::Plain { state, far, value, body, next, span } => {
                    self.place(next);
                    if let Some(far) = far {
                        self.load_far(state, far, 3);
                    }
                    self.for_next(state, value, body, span);
                }
                Open::Async { next, done, span } => {
                    self.jump(next);
                    self.async_end(done, span)?;
                }
            }
        }
        self.free_far(far_mark);
        Ok(())
    }

    /// A comprehension that is a function: takes the iterator of the first iterable.
    fn comp_function(
        &mut self,
        scope: ScopeId,
        generators: &'a [Comprehension],
        each: Each<'a>,
        name: &str,
        dst: u32,
        span: Span,
    ) -> Res {
        let Some(first) = generators.first() else { return Ok(()) };
        let f = self.window(dst)?;
        let suspends = self.syms.scopes[scope].has_await;
        let generator = matches!(each, Each::Yield(_));
        let flags = CodeFlags {
            generator,
            coroutine: suspends,
            comprehension: !generator,
            ..CodeFlags::default()
        };
        self.begin(scope, name, &[".0".into()], flags)?;
        self.u.proto.arg_count = 1;
        self.u.proto.posonly_count = 1;
        self.u.proto.first_line = self.source.line(span.start);
        let work = self.tmp()?;
        if let Some(make) = each.make() {
            self.op(make, work, work, 0, span);
        }
        let state = if first.is_async {
            0
        } else {
            let state = self.tmps(3)?;
            self.op(Op::FORPREP, state, 0, 0, span);
            state
        };
        self.rounds(generators, state, each, work, span)?;
        if generator {
            self.op(Op::RETNONE, 0, 0, 0, span);
        } else {
            self.op(Op::RETURN, work, 0, 0, span);
        }
        let code = self.end()?;
        self.make_function(code, f, 0, span);
        let arg = self.tmps(2)?;
        if first.is_async {
            self.expr(&first.iter, arg)?;
            self.op(Op::GETAITER, arg, arg, 0, span);
        } else {
            self.expr(&first.iter, arg + 1)?;
            self.intrinsic(Intrinsic::Iter, arg, 1, span);
        }
        self.op(Op::CALL, f, 1, 0, span);
        if suspends && !generator {
            self.await_value(f, 0, span);
        }
        self.mov(dst, f);
        Ok(())
    }
}
