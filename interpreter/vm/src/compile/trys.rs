//! `try` in all its forms, and `with`.
//!
//! Three registers belong to a handler: the exception handled before, the exception, and the one
//! that escapes from the handler itself. An escaping exception passes a clean-up that makes the
//! former handled one current again.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::ir::Label;
use super::unit::{Compiler, Res};
use super::unwind::Block;
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Op, Special};

impl<'a> Compiler<'a> {
    pub fn try_stmt(&mut self, s: &'a Try, span: Span) -> Res {
        if s.finalbody.is_empty() {
            return self.try_except(s, span);
        }
        let (handler, end) = (self.label(), self.label());
        let caught = self.tmps(3)?;
        let region = self.u.code.region(handler, caught);
        self.push_block(Block::Finally { region, body: &s.finalbody }, span)?;
        if s.handlers.is_empty() {
            self.stmts(&s.body)?;
        } else {
            self.try_except(s, span)?;
        }
        self.pop_block();
        self.stmts(&s.finalbody)?;
        self.jump(end);

        self.place(handler);
        let cleanup = self.label();
        let region = self.u.code.region(cleanup, caught + 1);
        self.push_block(Block::FinallyEnd { region, reg: caught }, span)?;
        self.stmts(&s.finalbody)?;
        self.pop_block();
        self.reraise(caught, caught + 1);
        self.place(cleanup);
        self.reraise(caught, caught + 2);
        self.place(end);
        Ok(())
    }

    /// Restores the handled exception from `R[before]` and raises `R[exc]` again.
    fn reraise(&mut self, before: u32, exc: u32) {
        self.end_catch(before);
        self.op(Op::RERAISE, exc, 0, 0, Span::default());
    }

    fn try_except(&mut self, s: &'a Try, span: Span) -> Res {
        let (handler, end) = (self.label(), self.label());
        let caught = self.tmps(3)?;
        let region = self.u.code.region(handler, caught);
        self.push_block(Block::Try { region }, span)?;
        self.stmts(&s.body)?;
        self.pop_block();
        self.stmts(&s.orelse)?;
        self.jump(end);
        self.place(handler);
        if s.is_star {
            self.star_handlers(s, caught, end)?;
        } else {
            self.handlers(s, caught, end)?;
        }
        self.place(end);
        Ok(())
    }

    fn handlers(&mut self, s: &'a Try, caught: u32, end: Label) -> Res {
        let cleanup = self.label();
        let matching = self.u.code.region(cleanup, caught + 1);
        let mark = self.u.top;
        let mut catches_all = false;
        for (i, h) in s.handlers.iter().enumerate() {
            let next = self.label();
            match &h.typ {
                Some(typ) => {
                    self.try_begin(matching);
                    let t = self.tmp()?;
                    let class = self.operand(typ, Some(t), true)?;
                    self.op(Op::EXCMATCH, t, caught + 1, class, typ.span);
                    self.try_end(matching);
                    self.branch(false, t, next, typ.span);
                    self.u.top = mark;
                }
                None if i + 1 < s.handlers.len() => {
                    let text = "default 'except:' must be last";
                    return Err(super::error("control-flow", text, h.span));
                }
                None => catches_all = true,
            }
            self.handler_body(h, caught, false, |c| {
                c.jump(end);
                Ok(())
            })?;
            self.place(next);
        }
        if !catches_all {
            self.reraise(caught, caught + 1);
        }
        self.place(cleanup);
        self.reraise(caught, caught + 2);
        Ok(())
    }

    /// The body of a handler, left by `done` when it ends normally. `R[caught + 1]` is bound.
    fn handler_body(
        &mut self,
        h: &'a ExceptHandler,
        caught: u32,
        star: bool,
        done: impl FnOnce(&mut Compiler<'a>) -> Res,
    ) -> Res {
        let cleanup = self.label();
        let region = self.u.code.region(cleanup, caught + 1);
        let name = h.name.as_ref();
        if let Some(name) = name {
            let mangled = self.mangled(&name.name);
            self.store_name(&mangled, caught + 1, name.span)?;
        }
        let block = Block::Handler { region, reg: caught, name, star };
        self.push_block(block, h.span)?;
        self.stmts(&h.body)?;
        self.pop_block();
        self.end_catch(caught);
        self.forget(name)?;
        done(self)?;
        self.place(cleanup);
        self.end_catch(caught);
        self.forget(name)?;
        self.op(Op::RERAISE, caught + 2, 0, 0, Span::default());
        Ok(())
    }

    fn forget(&mut self, name: Option<&'a Ident>) -> Res {
        let Some(name) = name else { return Ok(()) };
        let mangled = self.mangled(&name.name);
        self.delete_name(&mangled, name.span, true)
    }

    /// `except*`: each clause takes its part of the group, what they raise and what nobody took
    /// is raised together at the end.
    fn star_handlers(&mut self, s: &'a Try, caught: u32, end: Label) -> Res {
        let none = Span::default();
        let cleanup = self.label();
        let all = self.u.code.region(cleanup, caught + 1);
        // The rest of the group, the list of exceptions to raise, and a window for the clause:
        // R[part] is "handled before", R[part + 1] the part, R[part + 2] what escapes.
        let rest = self.tmp()?;
        let raised = self.tmp()?;
        let part = self.tmps(3)?;
        self.try_begin(all);
        self.mov(rest, caught + 1);
        self.op(Op::MKLIST, raised, raised, 0, none);
        let mark = self.u.top;
        for h in &s.handlers {
            let next = self.label();
            let Some(typ) = &h.typ else { continue };
            self.special(part, Special::None);
            self.cond_none(rest, next)?;
            let t = self.tmps(3)?;
            self.mov(t + 1, rest);
            self.expr(typ, t + 2)?;
            self.intrinsic(Intrinsic::GroupSplit, t, 2, typ.span);
            self.op(Op::UNPACK, t + 1, t, 2, typ.span);
            self.mov(part + 1, t + 1);
            self.mov(rest, t + 2);
            self.u.top = mark;
            self.cond_none(part + 1, next)?;
            self.star_body(h, caught, part, raised)?;
            self.place(next);
        }
        self.op(Op::APPEND, raised, rest, 0, none);
        let t = self.tmps(3)?;
        self.mov(t + 1, caught + 1);
        self.mov(t + 2, raised);
        self.intrinsic(Intrinsic::GroupReraise, t, 2, none);
        self.mov(part + 1, t);
        self.try_end(all);
        self.u.top = mark;
        let quiet = self.label();
        self.cond_none(part + 1, quiet)?;
        self.reraise(caught, part + 1);
        self.place(quiet);
        self.end_catch(caught);
        self.jump(end);
        self.place(cleanup);
        self.reraise(caught, caught + 2);
        Ok(())
    }

    /// One clause: binds and handles `R[part + 1]`; what escapes joins the list `R[raised]`.
    fn star_body(&mut self, h: &'a ExceptHandler, caught: u32, part: u32, raised: u32) -> Res {
        let (escaped, after) = (self.label(), self.label());
        let region = self.u.code.region(escaped, part + 1);
        if let Some(name) = &h.name {
            let mangled = self.mangled(&name.name);
            self.store_name(&mangled, part + 1, name.span)?;
        }
        // While the clause runs its part is the handled exception.
        self.end_catch(part + 1);
        let block = Block::Handler { region, reg: caught, name: h.name.as_ref(), star: true };
        self.push_block(block, h.span)?;
        self.stmts(&h.body)?;
        self.pop_block();
        self.end_catch(caught + 1);
        self.forget(h.name.as_ref())?;
        self.jump(after);
        self.place(escaped);
        self.op(Op::APPEND, raised, part + 2, 0, Span::default());
        self.end_catch(caught + 1);
        self.forget(h.name.as_ref())?;
        self.place(after);
        Ok(())
    }

    /// Jumps to `to` if `R[r]` is None.
    pub fn cond_none(&mut self, r: u32, to: Label) -> Res {
        let mark = self.u.top;
        let t = self.tmps(2)?;
        self.special(t, Special::None);
        self.op(Op::JIS, t + 1, r, t, Span::default());
        self.branch(true, t + 1, to, Span::default());
        self.u.top = mark;
        Ok(())
    }

    /// `with items: body`; several items nest.
    pub fn with_stmt(&mut self, s: &'a With, items: &'a [WithItem], span: Span) -> Res {
        let Some((item, more)) = items.split_first() else { return self.stmts(&s.body) };
        if s.is_async {
            self.check_async("'async with' outside async function", span)?;
        }
        let place = span;
        // The exit method; then the enter method, whose result takes its place.
        let exit = self.tmp()?;
        let r = self.operand(&item.context_expr, Some(exit), true)?;
        self.tmp()?;
        let op = if s.is_async { Op::AWITHPREP } else { Op::WITHPREP };
        self.op(op, exit, r, 0, place);
        self.op(Op::CALL, exit + 1, 0, 0, place);
        if s.is_async {
            self.tmp()?;
            self.await_value(exit + 1, 1, place);
            self.u.top = exit + 2;
        }
        let (handler, cleanup) = (self.label(), self.label());
        let (suppressed, end) = (self.label(), self.label());
        let caught = self.tmps(3)?;
        let region = self.u.code.region(handler, caught);
        let block = Block::With { region, exit, is_async: s.is_async, span: place };
        self.push_block(block, span)?;
        if let Some(target) = &item.target {
            self.assign(target, exit + 1)?;
        }
        self.with_stmt(s, more, span)?;
        self.pop_block();
        self.leave_with(exit, s.is_async, place)?;
        self.jump(end);

        self.place(handler);
        let inner = self.u.code.region(cleanup, caught + 1);
        self.try_begin(inner);
        let f = self.tmps(4)?;
        self.mov(f, exit);
        self.op(Op::EXCARGS, f + 1, caught + 1, 0, place);
        self.op(Op::CALL, f, 3, 0, place);
        if s.is_async {
            self.await_value(f, 2, place);
        }
        self.branch(true, f, suppressed, place);
        self.try_end(inner);
        self.reraise(caught, caught + 1);
        self.place(suppressed);
        self.end_catch(caught);
        self.jump(end);
        self.place(cleanup);
        self.reraise(caught, caught + 2);
        self.place(end);
        self.u.top = exit;
        Ok(())
    }
}
