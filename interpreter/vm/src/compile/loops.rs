//! `for`, `while` and `async for`. A loop's test stands at its bottom.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::fold::{fold, truth};
use super::ir::{Ir, Kind, Label};
use super::unit::{Compiler, Res};
use super::unwind::Block;
use crate::code::intrinsic::Intrinsic;
use crate::code::op::Op;

impl<'a> Compiler<'a> {
    pub fn while_stmt(&mut self, s: &'a While, span: Span) -> Res {
        let (body, test, end) = (self.label(), self.label(), self.label());
        let always = fold(&s.test).map(|c| truth(&c));
        let mut empty = false;
        if always == Some(false) {
            // Never run, but its errors are errors.
            let skip = self.label();
            self.jump(skip);
            self.push_block(Block::Loop { exit: end, next: test }, span)?;
            self.stmts(&s.body)?;
            self.pop_block();
            self.place(skip);
        } else {
            if always.is_none() {
                self.jump(test);
            }
            self.place(body);
            let begin = self.u.code.list.len();
            self.push_block(Block::Loop { exit: end, next: test }, span)?;
            self.stmts(&s.body)?;
            self.pop_block();
            let inside = &self.u.code.list[begin..];
            let placed = |ir: &Ir| matches!(ir.kind, Kind::Op(_) | Kind::Branch(_) | Kind::ForIter);
            empty = !inside.iter().any(placed);
        }
        self.place(test);
        match always {
            Some(true) => {
                self.jump(body);
                // An interrupt of a loop that does nothing must be somewhere.
                if empty && let Some(jump) = self.u.code.list.last_mut() {
                    jump.span = match s.body.last() {
                        Some(Stmt { kind: StmtKind::Continue, span, .. }) => *span,
                        _ => s.test.span,
                    };
                }
            }
            Some(false) => {}
            None => self.cond_jump(&s.test, body, true)?,
        }
        self.stmts(&s.orelse)?;
        self.place(end);
        Ok(())
    }

    pub fn for_stmt(&mut self, s: &'a For, span: Span) -> Res {
        let (body, next, end) = (self.label(), self.label(), self.label());
        let state = self.for_prepare(&s.iter, span)?;
        let value = self.for_register(&s.target)?;
        self.jump(next);
        self.place(body);
        self.for_store(&s.target, value)?;
        self.push_block(Block::Loop { exit: end, next }, span)?;
        self.stmts(&s.body)?;
        self.pop_block();
        self.place(next);
        self.for_next(state, value, body, span);
        self.stmts(&s.orelse)?;
        self.place(end);
        Ok(())
    }

    /// The three registers of an iteration over `iter`.
    pub fn for_prepare(&mut self, iter: &'a Expr, span: Span) -> Res<u32> {
        let state = self.tmp()?;
        let r = self.operand(iter, Some(state), true)?;
        self.tmps(2)?;
        self.op(Op::FORPREP, state, r, 0, span);
        Ok(state)
    }

    /// Where the values of a loop over `target` come: into a local itself, or a temporary.
    pub fn for_register(&mut self, target: &'a Expr) -> Res<u32> {
        if let ExprKind::Name(name) = &target.kind {
            let name = self.mangled(name);
            if let Some(reg) = self.plain_reg(&name) {
                return Ok(reg);
            }
        }
        self.tmp()
    }

    /// Assigns the value that [`Self::for_register`] made room for.
    pub fn for_store(&mut self, target: &'a Expr, value: u32) -> Res {
        self.assign(target, value)
    }

    pub fn for_next(&mut self, state: u32, value: u32, body: Label, span: Span) {
        self.u.code.mark(Kind::ForIter, state, value, body.0);
        if let Some(last) = self.u.code.list.last_mut() {
            last.span = span;
        }
    }

    pub fn async_for(&mut self, s: &'a For, span: Span) -> Res {
        self.check_async("'async for' outside async function", span)?;
        let (next, end) = (self.label(), self.label());
        let iter = self.tmp()?;
        self.expr(&s.iter, iter)?;
        self.op(Op::GETAITER, iter, iter, 0, span);
        let value = self.tmps(2)?;
        self.place(next);
        let done = self.async_next(iter, value, span)?;
        self.assign(&s.target, value)?;
        self.push_block(Block::Loop { exit: end, next }, span)?;
        self.stmts(&s.body)?;
        self.pop_block();
        self.jump(next);
        self.async_end(done, span)?;
        self.stmts(&s.orelse)?;
        self.place(end);
        Ok(())
    }

    /// `R[value]` (a second register after it is free) = the next value of `R[iter]`. The end of
    /// the iteration arrives at the handler given back.
    pub fn async_next(&mut self, iter: u32, value: u32, span: Span) -> Res<(Label, u32)> {
        let handler = self.label();
        let caught = self.tmps(4)?;
        let region = self.u.code.region(handler, caught);
        self.try_begin(region);
        self.op(Op::GETANEXT, value, iter, 0, span);
        self.await_value(value, 3, span);
        self.try_end(region);
        Ok((handler, caught))
    }

    /// The handler of [`Self::async_next`]: goes on after the loop if the iteration has ended.
    pub fn async_end(&mut self, (handler, caught): (Label, u32), span: Span) -> Res {
        let over = self.label();
        let none = Span::default();
        self.place(handler);
        self.mov(caught + 3, caught + 1);
        self.intrinsic(Intrinsic::IsStopAsync, caught + 2, 1, span);
        self.end_catch(caught);
        self.branch(true, caught + 2, over, none);
        self.op(Op::RERAISE, caught + 1, 0, 0, none);
        self.place(over);
        Ok(())
    }

    /// Whether `async for` and the like may stand here: in coroutines, and at the top level.
    pub fn check_async(&self, text: &str, span: Span) -> Res {
        use super::scope::ScopeKind;
        let ok = match self.unit_kind() {
            ScopeKind::Module | ScopeKind::GeneratorExp => true,
            ScopeKind::Function | ScopeKind::Comp => self.u.proto.flags.coroutine,
            _ => false,
        };
        if ok { Ok(()) } else { Err(super::error("async", text, span)) }
    }
}
