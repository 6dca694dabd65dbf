//! Operators: flat chains, and the precedence of binary operators.

use super::Builder;
use crate::Span;
use crate::ast::*;

/// A binary operator and its place.
pub type BinaryOp = (BinOpKind, Span);

/// A comparison operator and its place.
pub type CompareOp = (CompareOpKind, Span);

/// Comparisons in the making.
pub struct CompareChain {
    left: Expr,
    rest: Vec<CompareStep>,
}

/// Operands and binary operators in source order, whatever their precedence.
pub struct OpChain {
    first: Operand,
    rest: Vec<(BinaryOp, Operand)>,
}

/// An operand with its place, parentheses included.
struct Operand {
    expr: Expr,
    span: Span,
}

/// A chain of one precedence level that waits for its next operand.
struct Open {
    precedence: u8,
    first: Operand,
    rest: Vec<BinOpStep>,
    op: BinaryOp,
}

impl Builder<'_> {
    pub fn op(&self, l: u32, kind: BinOpKind, r: u32) -> BinaryOp {
        (kind, Span::new(l, r))
    }

    pub fn compare_op(&self, l: u32, kind: CompareOpKind, r: u32) -> CompareOp {
        (kind, Span::new(l, r))
    }

    pub fn bool_op(&self, l: u32, op: BoolOpKind, values: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::BoolOp { op, values }, r)
    }

    pub fn unary(&self, l: u32, op: UnaryOpKind, operand: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::UnaryOp { op, operand: Box::new(operand) }, r)
    }

    pub fn compare_start(&self, left: Expr, op: CompareOp, right: Expr) -> CompareChain {
        let step = CompareStep { op: op.0, op_span: op.1, operand: right };
        CompareChain { left, rest: vec![step] }
    }

    pub fn compare_step(&self, mut c: CompareChain, op: CompareOp, e: Expr) -> CompareChain {
        c.rest.push(CompareStep { op: op.0, op_span: op.1, operand: e });
        c
    }

    pub fn compare(&self, l: u32, c: CompareChain, r: u32) -> Expr {
        let kind = ExprKind::Compare { left: Box::new(c.left), rest: c.rest.into() };
        self.expr(l, kind, r)
    }

    #[expect(clippy::too_many_arguments, reason = "two operands with two offsets each")]
    pub fn chain(
        &self,
        l: u32,
        left: Expr,
        left_end: u32,
        op: BinaryOp,
        right_start: u32,
        right: Expr,
        r: u32,
    ) -> OpChain {
        let first = Operand { expr: left, span: Span::new(l, left_end) };
        let second = Operand { expr: right, span: Span::new(right_start, r) };
        OpChain { first, rest: vec![(op, second)] }
    }

    pub fn chain_step(&self, mut c: OpChain, op: BinaryOp, l: u32, e: Expr, r: u32) -> OpChain {
        c.rest.push((op, Operand { expr: e, span: Span::new(l, r) }));
        c
    }

    pub fn bin_op(&self, c: OpChain) -> Expr {
        // Chains that wait for an operand, of rising precedence from bottom to top.
        let mut stack: Vec<Open> = Vec::new();
        let mut current = c.first;
        for (op, next) in c.rest {
            let precedence = precedence(op.0);
            while stack.last().is_some_and(|open| open.precedence > precedence) {
                let Some(open) = stack.pop() else { break };
                current = self.close(open, current);
            }
            match stack.last_mut() {
                Some(open) if open.precedence == precedence => {
                    let (kind, op_span) = std::mem::replace(&mut open.op, op);
                    open.rest.push(BinOpStep { op: kind, op_span, operand: current.expr });
                }
                _ => stack.push(Open { precedence, first: current, rest: Vec::new(), op }),
            }
            current = next;
        }
        while let Some(open) = stack.pop() {
            current = self.close(open, current);
        }
        current.expr
    }

    fn close(&self, mut open: Open, last: Operand) -> Operand {
        let span = Span::new(open.first.span.start, last.span.end);
        open.rest.push(BinOpStep { op: open.op.0, op_span: open.op.1, operand: last.expr });
        let kind = ExprKind::BinOp { first: Box::new(open.first.expr), rest: open.rest.into() };
        Operand { expr: Expr { span, kind }, span }
    }

    pub fn power(&self, l: u32, base: Expr, m: u32, n: u32, exponent: Expr, r: u32) -> Expr {
        let step = BinOpStep { op: BinOpKind::Pow, op_span: Span::new(m, n), operand: exponent };
        self.expr(l, ExprKind::BinOp { first: Box::new(base), rest: [step].into() }, r)
    }
}

/// The precedence level of a left-associative operator; higher binds tighter.
pub fn precedence(op: BinOpKind) -> u8 {
    match op {
        BinOpKind::BitOr => 0,
        BinOpKind::BitXor => 1,
        BinOpKind::BitAnd => 2,
        BinOpKind::LShift | BinOpKind::RShift => 3,
        BinOpKind::Add | BinOpKind::Sub => 4,
        BinOpKind::Mult
        | BinOpKind::MatMult
        | BinOpKind::Div
        | BinOpKind::FloorDiv
        | BinOpKind::Mod => 5,
        BinOpKind::Pow => 6,
    }
}
