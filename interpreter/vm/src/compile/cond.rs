//! Conditions: comparisons, `and`, `or`, `not`, as jumps and as values.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::expr::small_int;
use super::fold::{fold, truth};
use super::ir::Label;
use super::unit::{Compiler, Res};
use crate::code::op::Op;
use crate::code::proto::Const;

impl<'a> Compiler<'a> {
    /// Jumps to `to` if the truth of `e` is `on`, otherwise goes on.
    pub fn cond_jump(&mut self, e: &'a Expr, to: Label, on: bool) -> Res {
        if let Some(value) = fold(e) {
            if truth(&value) == on {
                self.jump(to);
            }
            return Ok(());
        }
        let mark = self.u.top;
        match &e.kind {
            ExprKind::UnaryOp { op: UnaryOpKind::Not, operand } => {
                self.cond_jump(operand, to, !on)?;
            }
            ExprKind::BoolOp { op, values } => {
                // `and` is settled by the first false value, `or` by the first true one.
                let settles = *op == BoolOpKind::Or;
                let Some((last, init)) = values.split_last() else { return Ok(()) };
                let end = self.label();
                let early = if settles == on { to } else { end };
                for value in init {
                    self.cond_jump(value, early, settles)?;
                }
                self.cond_jump(last, to, on)?;
                self.place(end);
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (other, end) = (self.label(), self.label());
                self.cond_jump(test, other, false)?;
                self.cond_jump(body, to, on)?;
                self.jump(end);
                self.place(other);
                self.cond_jump(orelse, to, on)?;
                self.place(end);
            }
            ExprKind::Compare { left, rest } => self.compare_jump(left, rest, to, on, e.span)?,
            _ => {
                let r = self.operand(e, None, true)?;
                self.branch(on, r, to, e.span);
            }
        }
        self.u.top = mark;
        Ok(())
    }

    fn compare_jump(
        &mut self,
        left: &'a Expr,
        rest: &'a [CompareStep],
        to: Label,
        on: bool,
        span: Span,
    ) -> Res {
        if let [step] = rest {
            let l = self.operand(left, None, Self::is_inert(&step.operand))?;
            if let (Some(imm), Some(op)) = (small_int(&step.operand), immediate(step.op)) {
                let scratch = self.tmp()?;
                self.op(op, scratch, l, imm, span);
                self.branch(on, scratch, to, span);
                return Ok(());
            }
            let hint = self.tmp()?;
            let r = self.right(step, hint, true)?;
            let scratch = self.tmp()?;
            self.op(fused(step.op), scratch, l, r, span);
            self.branch(on, scratch, to, span);
            return Ok(());
        }
        let end = self.label();
        // Operands take turns in two registers, the third is for the results.
        let row = self.tmps(3)?;
        let scratch = row + 2;
        let inert = rest.first().is_some_and(|s| Self::is_inert(&s.operand));
        let mut l = self.operand(left, Some(row), inert)?;
        for (i, step) in rest.iter().enumerate() {
            let last = i + 1 == rest.len();
            match (small_int(&step.operand), immediate(step.op)) {
                (Some(imm), Some(op)) if last => {
                    self.op(op, scratch, l, imm, span);
                }
                _ => {
                    let r = self.right(step, row + (i as u32 + 1) % 2, last)?;
                    self.op(fused(step.op), scratch, l, r, span);
                    l = r;
                }
            }
            if last {
                self.branch(on, scratch, to, span);
            } else {
                let exit = if on { end } else { to };
                self.branch(false, scratch, exit, span);
            }
        }
        self.place(end);
        Ok(())
    }

    /// The right operand of a comparison. Containers that `in` looks at are made constant.
    fn right(&mut self, step: &'a CompareStep, hint: u32, last: bool) -> Res<u32> {
        if matches!(step.op, CompareOpKind::In | CompareOpKind::NotIn) {
            let constant = match &step.operand.kind {
                ExprKind::List(list) => {
                    list.iter().map(fold).collect::<Option<Vec<_>>>().map(Const::Tuple)
                }
                ExprKind::Set(list) => {
                    list.iter().map(fold).collect::<Option<Vec<_>>>().map(Const::FrozenSet)
                }
                _ => None,
            };
            if let Some(value) = constant {
                self.load_const(hint, value);
                return Ok(hint);
            }
        }
        self.operand(&step.operand, Some(hint), last)
    }

    /// A comparison as a value.
    pub fn compare_value(
        &mut self,
        left: &'a Expr,
        rest: &'a [CompareStep],
        dst: u32,
        span: Span,
    ) -> Res {
        if let [step] = rest {
            let l = self.operand(left, Some(dst), Self::is_inert(&step.operand))?;
            let t = self.tmp()?;
            let r = self.right(step, t, true)?;
            self.op(plain(step.op), dst, l, r, span);
            return Ok(());
        }
        let end = self.label();
        let work = self.scratch(dst)?;
        let row = self.tmps(2)?;
        let mut l = self.operand(left, Some(row), false)?;
        for (i, step) in rest.iter().enumerate() {
            let last = i + 1 == rest.len();
            let r = self.right(step, row + (i as u32 + 1) % 2, last)?;
            self.op(plain(step.op), work, l, r, span);
            if !last {
                self.branch(false, work, end, span);
            }
            l = r;
        }
        self.place(end);
        self.mov(dst, work);
        Ok(())
    }

    /// `and`, `or` as a value.
    pub fn bool_value(&mut self, op: BoolOpKind, values: &'a [Expr], dst: u32) -> Res {
        let end = self.label();
        let work = self.scratch(dst)?;
        let settles = op == BoolOpKind::Or;
        for (i, value) in values.iter().enumerate() {
            self.expr(value, work)?;
            if i + 1 < values.len() {
                self.branch(settles, work, end, value.span);
            }
        }
        self.place(end);
        self.mov(dst, work);
        Ok(())
    }
}

fn plain(op: CompareOpKind) -> Op {
    match op {
        CompareOpKind::Eq => Op::EQ,
        CompareOpKind::NotEq => Op::NE,
        CompareOpKind::Lt => Op::LT,
        CompareOpKind::LtE => Op::LE,
        CompareOpKind::Gt => Op::GT,
        CompareOpKind::GtE => Op::GE,
        CompareOpKind::Is => Op::IS,
        CompareOpKind::IsNot => Op::ISNOT,
        CompareOpKind::In => Op::IN,
        CompareOpKind::NotIn => Op::NOTIN,
    }
}

fn fused(op: CompareOpKind) -> Op {
    match op {
        CompareOpKind::Eq => Op::JEQ,
        CompareOpKind::NotEq => Op::JNE,
        CompareOpKind::Lt => Op::JLT,
        CompareOpKind::LtE => Op::JLE,
        CompareOpKind::Gt => Op::JGT,
        CompareOpKind::GtE => Op::JGE,
        CompareOpKind::Is => Op::JIS,
        CompareOpKind::IsNot => Op::JISNOT,
        CompareOpKind::In => Op::JIN,
        CompareOpKind::NotIn => Op::JNOTIN,
    }
}

fn immediate(op: CompareOpKind) -> Option<Op> {
    match op {
        CompareOpKind::Eq => Some(Op::JEQI),
        CompareOpKind::NotEq => Some(Op::JNEI),
        CompareOpKind::Lt => Some(Op::JLTI),
        CompareOpKind::LtE => Some(Op::JLEI),
        CompareOpKind::Gt => Some(Op::JGTI),
        CompareOpKind::GtE => Some(Op::JGEI),
        _ => None,
    }
}
