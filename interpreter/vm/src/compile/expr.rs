//! Expressions.
//!
//! A value is computed straight into the register that wants it. A variable's register is written
//! by the last instruction only, so that an error in between leaves it as it was; a local used as
//! an operand is not copied, unless a `:=` could change it before the operation.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::fold::fold;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Op, Special};
use crate::code::proto::Const;

/// With more temporaries in use than this, an inner expression is computed with the others saved.
const SPILL_AT: u32 = 190;
/// Saving fewer registers than this gains nothing.
const SPILL_MIN: u32 = 24;

impl<'a> Compiler<'a> {
    /// Computes `e` into `R[dst]`.
    pub fn expr(&mut self, e: &'a Expr, dst: u32) -> Res {
        if self.u.top > SPILL_AT
            && self.u.top.saturating_sub(self.u.pin) >= SPILL_MIN
            && !matches!(e.kind, ExprKind::Constant(_) | ExprKind::Name(_))
        {
            return self.spilled(dst, |c, value| c.expr_here(e, value));
        }
        self.expr_here(e, dst)
    }

    fn expr_here(&mut self, e: &'a Expr, dst: u32) -> Res {
        self.watch.step()?;
        let mark = self.u.top;
        self.expr_kind(e, dst)?;
        self.u.top = mark;
        Ok(())
    }

    fn expr_kind(&mut self, e: &'a Expr, dst: u32) -> Res {
        if matches!(
            e.kind,
            ExprKind::Constant(_)
                | ExprKind::UnaryOp { .. }
                | ExprKind::BinOp { .. }
                | ExprKind::Tuple(_)
        ) && let Some(value) = fold(e)
        {
            self.load_const(dst, value);
            return Ok(());
        }
        match &e.kind {
            ExprKind::Constant(_) => Ok(()),
            ExprKind::Name(name) => {
                let name = self.mangled(name);
                self.load_name(dst, &name, e.span)
            }
            ExprKind::JoinedStr(parts) => self.fstring(parts, dst, e.span),
            ExprKind::Tuple(list) => self.tuple(list, dst, e.span),
            ExprKind::List(list) => self.list(list, dst, e.span),
            ExprKind::Set(list) => self.set(list, dst, e.span),
            ExprKind::Dict(items) => self.dict(items, dst, e.span),
            ExprKind::NamedExpr { target, value } => {
                self.expr(value, dst)?;
                self.assign(target, dst)
            }
            ExprKind::BoolOp { op, values } => self.bool_value(*op, values, dst),
            ExprKind::BinOp { first, rest } => self.chain(first, rest, dst, e.span),
            ExprKind::UnaryOp { op, operand } => {
                let r = self.operand(operand, Some(dst), true)?;
                let op = match op {
                    UnaryOpKind::Invert => Op::INVERT,
                    UnaryOpKind::Not => Op::NOT,
                    UnaryOpKind::UAdd => Op::POS,
                    UnaryOpKind::USub => Op::NEG,
                };
                self.op(op, dst, r, 0, e.span);
                Ok(())
            }
            ExprKind::Lambda(lambda) => self.lambda(lambda, dst, e.span),
            ExprKind::IfExp { test, body, orelse } => {
                let (other, end) = (self.label(), self.label());
                self.cond_jump(test, other, false)?;
                self.expr(body, dst)?;
                self.jump(end);
                self.place(other);
                self.expr(orelse, dst)?;
                self.place(end);
                Ok(())
            }
            ExprKind::ListComp(c) => self.list_comp(c, dst, e.span),
            ExprKind::SetComp(c) => self.set_comp(c, dst, e.span),
            ExprKind::DictComp(c) => self.dict_comp(c, dst, e.span),
            ExprKind::GeneratorExp(c) => self.generator_exp(c, dst, e.span),
            ExprKind::Await(value) => {
                let t = self.window(dst)?;
                self.expr(value, t)?;
                self.tmp()?;
                self.await_value(t, 0, e.span);
                self.mov(dst, t);
                Ok(())
            }
            ExprKind::Yield(value) => self.yield_value(value.as_deref(), dst, e.span),
            ExprKind::YieldFrom(value) => self.yield_from(value, dst, e.span),
            ExprKind::Compare { left, rest } => self.compare_value(left, rest, dst, e.span),
            ExprKind::Call(call) => self.call(call, dst, e.span),
            ExprKind::Attribute { value, attr, .. } => {
                self.check_super(value);
                let object = self.operand(value, Some(dst), true)?;
                let attr = self.mangled(attr);
                self.op_named(Op::GETATTR, dst, object, &attr, e.span);
                Ok(())
            }
            ExprKind::Subscript { value, index } => self.subscript(value, index, dst, e.span),
            ExprKind::Starred(_) => {
                Err(super::error("assignment", "can't use starred expression here", e.span))
            }
            ExprKind::Slice { lower, upper, step } => {
                let t = self.tmps(3)?;
                for (i, part) in [lower, upper, step].into_iter().enumerate() {
                    match part {
                        Some(part) => self.expr(part, t + i as u32)?,
                        None => self.special(t + i as u32, Special::None),
                    }
                }
                self.op(Op::MKSLICE, dst, t, 0, e.span);
                Ok(())
            }
        }
    }

    /// Computes `e` for its effects alone.
    pub fn effect(&mut self, e: &'a Expr) -> Res {
        if fold(e).is_some() {
            return Ok(());
        }
        let mark = self.u.top;
        if let ExprKind::Name(name) = &e.kind {
            let name = self.mangled(name);
            if self.read_plain(&name, e.span).is_some() {
                return Ok(());
            }
        }
        let t = self.tmp()?;
        self.expr(e, t)?;
        self.u.top = mark;
        Ok(())
    }

    /// A register with the value of `e`: that of a local if it is one, otherwise `hint` (if that
    /// is a temporary) or a new temporary. `last`: nothing that could assign a local is computed
    /// between here and the use.
    pub fn operand(&mut self, e: &'a Expr, hint: Option<u32>, last: bool) -> Res<u32> {
        if let ExprKind::Name(name) = &e.kind {
            let name = self.mangled(name);
            if (last || !self.may_change(&name))
                && let Some(r) = self.read_plain(&name, e.span)
            {
                return Ok(r);
            }
        }
        let dst = match hint {
            Some(r) if !self.is_var(r) => r,
            _ => self.tmp()?,
        };
        self.expr(e, dst)?;
        Ok(dst)
    }

    /// Whether computing `e` cannot assign a local.
    pub fn is_inert(e: &Expr) -> bool {
        matches!(e.kind, ExprKind::Constant(_) | ExprKind::Name(_))
    }

    /// Left-associative binary operators.
    fn chain(&mut self, first: &'a Expr, rest: &'a [BinOpStep], dst: u32, span: Span) -> Res {
        let work = self.scratch(dst)?;
        let mark = self.u.top;
        // A constant beginning of the chain is folded.
        let mut done = 0;
        let mut left = None;
        if let Some(mut value) = fold(first) {
            while let Some(step) = rest.get(done)
                && let Some(operand) = fold(&step.operand)
                && let Some(next) = super::fold::binary(step.op, &value, &operand)
            {
                value = next;
                done += 1;
            }
            if done > 0 {
                self.load_const(work, value);
                left = Some(work);
            }
        }
        let mut left = match left {
            Some(left) => left,
            None => {
                let inert = rest.first().is_some_and(|s| Self::is_inert(&s.operand));
                self.operand(first, Some(work), inert)?
            }
        };
        for (i, step) in rest.iter().enumerate().skip(done) {
            let to = if i + 1 == rest.len() { dst } else { work };
            let whole = Span::new(span.start, self.operand_end(step));
            let whole = if i + 1 == rest.len() { span } else { whole };
            if let (Some(imm), Some(op)) = (small_int(&step.operand), immediate(step.op)) {
                let anchor = self.operator_anchor(step);
                self.opa(op, (to, left, imm), 0, whole, anchor);
            } else {
                let right = self.operand(&step.operand, None, true)?;
                let anchor = self.operator_anchor(step);
                self.opa(binary_op(step.op), (to, left, right), 0, whole, anchor);
            }
            self.u.top = mark;
            left = to;
        }
        Ok(())
    }

    /// Where the operand ends, with the brackets around it.
    fn operand_end(&self, step: &BinOpStep) -> u32 {
        let (text, operand) = (self.source.text(), step.operand.span);
        let before = text.get(step.op_span.end as usize..operand.start as usize).unwrap_or("");
        let mut end = operand.end as usize;
        for _ in before.matches('(') {
            let rest = text.get(end..).unwrap_or("");
            let blank = rest.len() - rest.trim_start().len();
            if !rest[blank..].starts_with(')') {
                break;
            }
            end += blank + 1;
        }
        end as u32
    }

    /// What CPython marks as the operator: two characters, if nothing blank follows the first.
    fn operator_anchor(&self, step: &BinOpStep) -> Span {
        let Span { start, end } = step.op_span;
        let next = self.source.text().as_bytes().get(end as usize);
        let more = end - start == 1
            && step.operand.span.start > end
            && next.is_some_and(|b| !b.is_ascii_whitespace() && *b != b'\\');
        Span::new(start, if more { end + 1 } else { end })
    }

    fn subscript(&mut self, value: &'a Expr, index: &'a Expr, dst: u32, span: Span) -> Res {
        let inert = Self::is_inert(index);
        let object = self.operand(value, Some(dst), inert)?;
        let anchor = bracket(value, span);
        if let Some(imm) = small_int(index) {
            self.opa(Op::GETITEMI, (dst, object, imm), 0, span, anchor);
        } else {
            let key = self.operand(index, None, true)?;
            self.opa(Op::GETITEM, (dst, object, key), 0, span, anchor);
        }
        Ok(())
    }

    /// Awaits `R[t]`, with `R[t+1]` free; the result comes to `R[t]`.
    pub fn await_value(&mut self, t: u32, what: u32, span: Span) {
        self.op(Op::AWAITABLE, t, t, what, span);
        self.special(t + 1, Special::None);
        self.op(Op::DELEGATE, t, t + 1, 0, span);
    }

    fn yield_value(&mut self, value: Option<&'a Expr>, dst: u32, span: Span) -> Res {
        let flags = self.u.proto.flags;
        if flags.generator && flags.coroutine {
            let t = self.tmps(2)?;
            match value {
                Some(value) => self.expr(value, t + 1)?,
                None => self.special(t + 1, Special::None),
            }
            self.intrinsic(Intrinsic::AsyncGenValue, t, 1, span);
            self.op(Op::YIELD, dst, t, 0, span);
            return Ok(());
        }
        let r = match value {
            Some(value) => self.operand(value, Some(dst), true)?,
            None => {
                let t = self.scratch(dst)?;
                self.special(t, Special::None);
                t
            }
        };
        self.op(Op::YIELD, dst, r, 0, span);
        Ok(())
    }

    fn yield_from(&mut self, value: &'a Expr, dst: u32, span: Span) -> Res {
        if self.u.proto.flags.coroutine {
            return Err(super::error("async", "'yield from' inside async function", span));
        }
        let t = self.window(dst)?;
        self.expr(value, t)?;
        self.tmp()?;
        self.op(Op::ITERFROM, t, t, 0, span);
        self.special(t + 1, Special::None);
        self.op(Op::DELEGATE, t, t + 1, 0, span);
        self.mov(dst, t);
        Ok(())
    }

    /// `R[a] = which(R[a+1 ..])`
    pub fn intrinsic(&mut self, which: Intrinsic, a: u32, args: u32, span: Span) {
        self.opx(Op::INTRINSIC, a, 0, 0, which as u32 | args << 16, span);
    }

    /// f-strings.
    fn fstring(&mut self, parts: &'a [FStringPart], dst: u32, span: Span) -> Res {
        match parts {
            [] => {
                self.load_str(dst, "");
                return Ok(());
            }
            [FStringPart::FormattedValue(value)] if value.debug_text.is_none() => {
                return self.formatted(value, dst);
            }
            _ => {}
        }
        // Long ones are joined in stages.
        let limit = self.room().clamp(8, 64) - 4;
        let first = self.u.top;
        let mut count = 0;
        for part in parts {
            if count + 2 > limit {
                self.op(Op::MKSTR, first, first, count, span);
                self.u.top = first + 1;
                count = 1;
            }
            match part {
                FStringPart::Literal { value, .. } => {
                    let t = self.tmp()?;
                    self.load_const(t, Const::Str(value.as_bytes().into()));
                }
                FStringPart::FormattedValue(value) => {
                    if let Some(text) = &value.debug_text {
                        let t = self.tmp()?;
                        self.load_const(t, Const::Str(text.as_bytes().into()));
                        count += 1;
                    }
                    let t = self.tmp()?;
                    self.formatted(value, t)?;
                }
            }
            count += 1;
        }
        self.op(Op::MKSTR, dst, first, count, span);
        Ok(())
    }

    fn formatted(&mut self, value: &'a FormattedValue, dst: u32) -> Res {
        let mark = self.u.top;
        let conversion = match value.conversion {
            Some('s') => 1,
            Some('r') => 2,
            Some('a') => 3,
            _ if value.debug_text.is_some() && value.format_spec.is_none() => 2,
            _ => 0,
        };
        let spec_changes = value.format_spec.is_some();
        let r = self.operand(&value.expr, Some(dst), !spec_changes)?;
        match &value.format_spec {
            Some(spec) if !spec.is_empty() => {
                let work = self.scratch(dst)?;
                let r = if conversion == 0 {
                    r
                } else {
                    self.op(Op::CONVERT, work, r, conversion, value.span);
                    work
                };
                let t = self.tmp()?;
                self.fstring(spec, t, value.span)?;
                self.op(Op::FORMAT, dst, r, t, value.span);
            }
            _ => self.op(Op::FORMATS, dst, r, conversion, value.span),
        }
        self.u.top = mark;
        Ok(())
    }
}

/// Where the brackets of a subscript stand.
pub(super) fn bracket(value: &Expr, span: Span) -> Span {
    Span::new(value.span.end, span.end)
}

/// The byte of a constant that an immediate operand can hold.
pub(super) fn small_int(e: &Expr) -> Option<u32> {
    let n = match &e.kind {
        ExprKind::Constant(Constant::Int(n)) => *n,
        ExprKind::UnaryOp { op: UnaryOpKind::USub, operand } => match operand.kind {
            ExprKind::Constant(Constant::Int(n)) => n.checked_neg()?,
            _ => return None,
        },
        _ => return None,
    };
    Some(u32::from(i8::try_from(n).ok()? as u8))
}

fn immediate(op: BinOpKind) -> Option<Op> {
    match op {
        BinOpKind::Add => Some(Op::ADDI),
        BinOpKind::Sub => Some(Op::SUBI),
        _ => None,
    }
}

/// The opcode of a binary operator.
pub(super) fn binary_op(op: BinOpKind) -> Op {
    match op {
        BinOpKind::Add => Op::ADD,
        BinOpKind::Sub => Op::SUB,
        BinOpKind::Mult => Op::MUL,
        BinOpKind::MatMult => Op::MATMUL,
        BinOpKind::Div => Op::TRUEDIV,
        BinOpKind::FloorDiv => Op::FLOORDIV,
        BinOpKind::Mod => Op::MOD,
        BinOpKind::Pow => Op::POW,
        BinOpKind::LShift => Op::LSHIFT,
        BinOpKind::RShift => Op::RSHIFT,
        BinOpKind::BitOr => Op::BITOR,
        BinOpKind::BitXor => Op::BITXOR,
        BinOpKind::BitAnd => Op::BITAND,
    }
}
