//! Assignment in all its forms, and `del`.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::expr::{binary_op, bracket, small_int};
use super::fold::fold;
use super::scope::ScopeKind;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Op, Special};

/// Targets are unpacked at most so many at a time.
const MAX_ROW: usize = 60;

impl<'a> Compiler<'a> {
    pub fn assign_stmt(&mut self, targets: &'a [Expr], value: &'a Expr) -> Res {
        if let [target] = targets {
            if let ExprKind::Name(name) = &target.kind {
                let name = self.mangled(name);
                if let Some(reg) = self.plain_reg(&name) {
                    self.expr(value, reg)?;
                    self.defined(&name);
                    return Ok(());
                }
            }
            if let (Some(to), ExprKind::Tuple(from)) = (elements(target), &value.kind)
                && to.len() == from.len()
                && (2..=20).contains(&to.len())
                && !to.iter().chain(from).any(|e| matches!(e.kind, ExprKind::Starred(_)))
            {
                return self.assign_parallel(to, from);
            }
            let r = self.operand(value, None, true)?;
            return self.assign(target, r);
        }
        let t = self.tmp()?;
        self.expr(value, t)?;
        targets.iter().try_for_each(|target| self.assign(target, t))
    }

    /// `a, b = x, y` without making the tuple.
    fn assign_parallel(&mut self, to: &'a [Expr], from: &'a [Expr]) -> Res {
        let last = to.len() - 1;
        let mut regs = Vec::with_capacity(to.len());
        for target in to {
            if let ExprKind::Name(name) = &target.kind
                && let Some(reg) = self.plain_reg(&self.mangled(name))
                && !regs.contains(&reg)
            {
                regs.push(reg);
            }
        }
        if regs.len() != to.len() {
            let first = self.tmps(to.len() as u32)?;
            for (i, value) in from.iter().enumerate() {
                self.expr(value, first + i as u32)?;
            }
            for (i, target) in to.iter().enumerate() {
                self.assign(target, first + i as u32)?;
            }
            return Ok(());
        }
        // All targets are locals: the last value goes straight to its place, a local among the
        // others is copied only if it is overwritten before its turn.
        let mut sources = Vec::with_capacity(last);
        for (i, value) in from[..last].iter().enumerate() {
            if fold(value).is_some() {
                sources.push(None);
                continue;
            }
            let mut r = self.operand(value, None, false)?;
            if self.is_var(r) && (regs[..i].contains(&r) || regs[last] == r) {
                let t = self.tmp()?;
                self.mov(t, r);
                r = t;
            }
            sources.push(Some(r));
        }
        self.expr(&from[last], regs[last])?;
        for ((source, value), reg) in sources.into_iter().zip(from).zip(&regs) {
            match source {
                Some(source) => self.mov(*reg, source),
                None => self.expr(value, *reg)?,
            }
        }
        for target in to {
            if let ExprKind::Name(name) = &target.kind {
                let name = self.mangled(name);
                self.defined(&name);
            }
        }
        Ok(())
    }

    /// `target = R[src]`
    pub fn assign(&mut self, target: &'a Expr, src: u32) -> Res {
        let mark = self.u.top;
        match &target.kind {
            ExprKind::Name(name) => {
                let name = self.mangled(name);
                self.store_name(&name, src, target.span)?;
            }
            ExprKind::Attribute { value, attr, .. } => {
                let object = self.operand(value, None, true)?;
                let attr = self.mangled(attr);
                self.op_named(Op::SETATTR, object, src, &attr, target.span);
            }
            ExprKind::Subscript { value, index } => {
                let object = self.operand(value, None, Self::is_inert(index))?;
                let key = self.operand(index, None, true)?;
                let anchor = bracket(value, target.span);
                self.opa(Op::SETITEM, (object, key, src), 0, target.span, anchor);
            }
            ExprKind::Tuple(list) | ExprKind::List(list) => self.unpack(list, src, target.span)?,
            ExprKind::Starred(_) => {
                let text = "starred assignment target must be in a list or tuple";
                return Err(super::error("assignment", text, target.span));
            }
            _ => {
                return Err(super::error("assignment", "cannot assign to expression", target.span));
            }
        }
        self.u.top = mark;
        Ok(())
    }

    /// `targets = R[src]`
    fn unpack(&mut self, mut targets: &'a [Expr], mut src: u32, span: Span) -> Res {
        let is_star = |e: &Expr| matches!(e.kind, ExprKind::Starred(_));
        let stars = targets.iter().filter(|e| is_star(e)).count();
        if stars > 1 {
            let text = "multiple starred expressions in assignment";
            return Err(super::error("assignment", text, span));
        }
        let before = targets.iter().position(is_star);
        if before.is_some_and(|n| n >= 1 << 8 || targets.len() - n > 1 << 23) {
            let text = "too many expressions in star-unpacking assignment";
            return Err(super::error("assignment", text, span));
        }
        if targets.is_empty() {
            self.op(Op::UNPACK, src, src, 0, span);
            return Ok(());
        }
        if stars == 0
            && let Some(first) = self.register_row(targets)
            && !(first..first + targets.len() as u32).contains(&src)
        {
            self.op(Op::UNPACK, first, src, targets.len() as u32, span);
            for target in targets {
                if let ExprKind::Name(name) = &target.kind {
                    let name = self.mangled(name);
                    self.defined(&name);
                }
            }
            return Ok(());
        }
        let limit = MAX_ROW.min((self.room() / 2) as usize).max(2);
        let rest = if targets.len() > limit { Some(self.tmp()?) } else { None };
        // Very long ones piece by piece, the remainder as a list.
        while let Some(rest) = rest
            && targets.len() > limit
            && !targets[..limit - 1].iter().any(is_star)
        {
            let (now, later) = targets.split_at(limit - 1);
            let mark = self.u.top;
            let first = self.tmps(limit as u32)?;
            self.opx(Op::UNPACKEX, first, src, 0, now.len() as u32, span);
            for (i, target) in now.iter().enumerate() {
                self.assign(target, first + i as u32)?;
            }
            self.mov(rest, first + now.len() as u32);
            self.u.top = mark;
            (src, targets) = (rest, later);
        }
        // What follows a star, from the end.
        while let Some(rest) = rest
            && targets.len() > limit
        {
            let star = targets.iter().position(is_star).unwrap_or(0);
            let count = (targets.len() - star - 1).min(limit - 1);
            let (sooner, now) = targets.split_at(targets.len() - count);
            let mark = self.u.top;
            let first = self.tmps(count as u32 + 1)?;
            self.opx(Op::UNPACKEX, first, src, 0, (count as u32) << 16, span);
            for (i, target) in now.iter().enumerate() {
                self.assign(target, first + 1 + i as u32)?;
            }
            self.mov(rest, first);
            self.u.top = mark;
            (src, targets) = (rest, sooner);
        }
        let first = self.tmps(targets.len() as u32)?;
        match targets.iter().position(is_star) {
            Some(before) => {
                let after = targets.len() - before - 1;
                let extra = before as u32 | (after as u32) << 16;
                self.opx(Op::UNPACKEX, first, src, 0, extra, span);
            }
            None => self.op(Op::UNPACK, first, src, targets.len() as u32, span),
        }
        for (i, target) in targets.iter().enumerate() {
            let target = match &target.kind {
                ExprKind::Starred(inner) => inner,
                _ => target,
            };
            self.assign(target, first + i as u32)?;
        }
        Ok(())
    }

    /// The first of the registers of `targets`, if they are locals in consecutive registers.
    fn register_row(&mut self, targets: &'a [Expr]) -> Option<u32> {
        let mut first = None;
        for (i, target) in targets.iter().enumerate() {
            let ExprKind::Name(name) = &target.kind else { return None };
            let reg = self.plain_reg(&self.mangled(name))?;
            let start = *first.get_or_insert(reg);
            if reg != start + i as u32 {
                return None;
            }
        }
        first.filter(|_| targets.len() <= 255)
    }

    pub fn aug_assign(
        &mut self,
        target: &'a Expr,
        op: BinOpKind,
        value: &'a Expr,
        span: Span,
    ) -> Res {
        match &target.kind {
            ExprKind::Name(name) => {
                let name = self.mangled(name);
                let changes = self.may_change(&name) && !Self::is_inert(value);
                if let Some(reg) = self.plain_reg(&name)
                    && !changes
                {
                    self.read_plain(&name, target.span);
                    self.in_place(op, reg, reg, value, span)?;
                    self.defined(&name);
                    return Ok(());
                }
                let t = self.tmp()?;
                self.load_name(t, &name, target.span)?;
                self.in_place(op, t, t, value, span)?;
                self.store_name(&name, t, target.span)
            }
            ExprKind::Attribute { value: object, attr, .. } => {
                let object = self.operand(object, None, Self::is_inert(value))?;
                let attr = self.mangled(attr);
                let t = self.tmp()?;
                self.op_named(Op::GETATTR, t, object, &attr, target.span);
                self.in_place(op, t, t, value, span)?;
                self.op_named(Op::SETATTR, object, t, &attr, target.span);
                Ok(())
            }
            ExprKind::Subscript { value: object, index } => {
                let anchor = bracket(object, target.span);
                let inert = Self::is_inert(value);
                let object = self.operand(object, None, inert && Self::is_inert(index))?;
                let key = self.operand(index, None, inert)?;
                let t = self.tmp()?;
                self.opa(Op::GETITEM, (t, object, key), 0, target.span, anchor);
                self.in_place(op, t, t, value, span)?;
                self.opa(Op::SETITEM, (object, key, t), 0, target.span, anchor);
                Ok(())
            }
            _ => Err(super::error("assignment", "illegal target for augmented assignment", span)),
        }
    }

    /// `R[dst] = R[left] op= value`
    fn in_place(&mut self, op: BinOpKind, dst: u32, left: u32, value: &'a Expr, span: Span) -> Res {
        if let (Some(imm), BinOpKind::Add | BinOpKind::Sub) = (small_int(value), op) {
            let op = if op == BinOpKind::Add { Op::IADDI } else { Op::ISUBI };
            self.op(op, dst, left, imm, span);
            return Ok(());
        }
        let r = self.operand(value, None, true)?;
        match op {
            BinOpKind::Add => self.op(Op::IADD, dst, left, r, span),
            BinOpKind::Sub => self.op(Op::ISUB, dst, left, r, span),
            BinOpKind::Mult => self.op(Op::IMUL, dst, left, r, span),
            _ => self.opx(Op::INPLACE, dst, left, r, binary_op(op) as u32, span),
        }
        Ok(())
    }

    pub fn ann_assign(&mut self, ann: &'a AnnAssign, span: Span) -> Res {
        if let Some(value) = &ann.value {
            self.assign_stmt(std::slice::from_ref(&ann.target), value)?;
        }
        let kind = self.unit_kind();
        let recorded = matches!(kind, ScopeKind::Module | ScopeKind::Class);
        let mark = self.u.top;
        match &ann.target.kind {
            ExprKind::Name(name) if ann.simple && recorded => {
                // __annotations__[name] = annotation
                let t = self.tmps(3)?;
                self.annotation_value(&ann.annotation, t)?;
                self.load_annotations(t + 1, span)?;
                let name = self.mangled(name);
                self.load_str(t + 2, &name);
                self.op(Op::SETITEM, t + 1, t + 2, t, span);
            }
            ExprKind::Name(_) if ann.simple => {}
            target => {
                // Without a value the target's parts are computed all the same.
                if ann.value.is_none() {
                    match target {
                        ExprKind::Attribute { value, .. } => self.effect(value)?,
                        ExprKind::Subscript { value, index } => {
                            self.effect(value)?;
                            self.effect(index)?;
                        }
                        _ => {}
                    }
                }
                if recorded && !self.lazy_annotations {
                    self.effect(&ann.annotation)?;
                }
            }
        }
        self.u.top = mark;
        Ok(())
    }

    fn load_annotations(&mut self, dst: u32, span: Span) -> Res {
        if self.has_namespace() {
            self.op_named(Op::GETNAME, dst, super::names::NAMESPACE, "__annotations__", span);
        } else {
            self.op_named(Op::GETGLOBAL, dst, 0, "__annotations__", span);
        }
        Ok(())
    }

    /// Whether names of this unit live in a namespace in its first register.
    pub fn has_namespace(&self) -> bool {
        let flags = self.u.proto.flags;
        flags.class_body || flags.namespaced
    }

    /// Makes sure that `__annotations__` exists, if the scope has any.
    pub fn setup_annotations(&mut self, span: Span) -> Res {
        if !self.syms.scopes[self.u.scope].annotates {
            return Ok(());
        }
        let t = self.tmps(2)?;
        if self.has_namespace() {
            self.mov(t + 1, super::names::NAMESPACE);
        } else {
            self.special(t + 1, Special::None);
        }
        self.intrinsic(Intrinsic::SetupAnnotations, t, 1, span);
        self.u.top = t;
        Ok(())
    }

    /// `del target`
    pub fn delete(&mut self, target: &'a Expr) -> Res {
        let mark = self.u.top;
        match &target.kind {
            ExprKind::Name(name) => {
                let name = self.mangled(name);
                self.delete_name(&name, target.span, false)?;
            }
            ExprKind::Attribute { value, attr, .. } => {
                let object = self.operand(value, None, true)?;
                let attr = self.mangled(attr);
                let k = self.str_const(&attr);
                self.opx(Op::DELATTR, object, 0, 0, k, target.span);
            }
            ExprKind::Subscript { value, index } => {
                let object = self.operand(value, None, Self::is_inert(index))?;
                let key = self.operand(index, None, true)?;
                let anchor = bracket(value, target.span);
                self.opa(Op::DELITEM, (object, key, 0), 0, target.span, anchor);
            }
            ExprKind::Tuple(list) | ExprKind::List(list) => {
                list.iter().try_for_each(|t| self.delete(t))?;
            }
            _ => return Err(super::error("assignment", "cannot delete expression", target.span)),
        }
        self.u.top = mark;
        Ok(())
    }
}

fn elements(target: &Expr) -> Option<&[Expr]> {
    match &target.kind {
        ExprKind::Tuple(list) | ExprKind::List(list) => Some(list),
        _ => None,
    }
}
