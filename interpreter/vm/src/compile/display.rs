//! Displays: tuples, lists, sets and dicts, small ones from a row of registers, others piecewise.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::fold::fold;
use super::unit::{Compiler, Res};
use crate::code::op::Op;
use crate::code::proto::Const;

/// Up to so many elements are collected in registers.
const ROW: usize = 30;
/// From so many constant elements on they are copied from a constant.
const MIN_CONSTANT: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Build {
    List,
    Tuple,
    Set,
}

impl<'a> Compiler<'a> {
    pub fn list(&mut self, list: &'a [Expr], dst: u32, span: Span) -> Res {
        self.display(Build::List, list, dst, span)
    }

    pub fn tuple(&mut self, list: &'a [Expr], dst: u32, span: Span) -> Res {
        self.display(Build::Tuple, list, dst, span)
    }

    pub fn set(&mut self, list: &'a [Expr], dst: u32, span: Span) -> Res {
        self.display(Build::Set, list, dst, span)
    }

    fn display(&mut self, build: Build, list: &'a [Expr], dst: u32, span: Span) -> Res {
        let starred = list.iter().any(|e| matches!(e.kind, ExprKind::Starred(_)));
        let row = ROW.min(self.room() as usize / 2);
        if !starred
            && build != Build::Tuple
            && list.len() >= MIN_CONSTANT
            && let Some(values) = list.iter().map(fold).collect::<Option<Vec<_>>>()
        {
            let work = self.scratch(dst)?;
            let t = self.tmp()?;
            // A set is merged from a frozenset: that decides in which order it is iterated.
            let (make, extend, values) = match build {
                Build::Set => (Op::MKSET, Op::SETUPDATE, Const::FrozenSet(values)),
                _ => (Op::MKLIST, Op::EXTEND, Const::Tuple(values)),
            };
            self.op(make, work, t, 0, span);
            self.load_const(t, values);
            self.op(extend, work, t, if build == Build::Set { 0 } else { work }, span);
            self.mov(dst, work);
            return Ok(());
        }
        let make = match build {
            Build::List => Op::MKLIST,
            Build::Tuple => Op::MKTUPLE,
            Build::Set => Op::MKSET,
        };
        if list.is_empty() {
            self.op(make, dst, dst, 0, span);
            return Ok(());
        }
        if !starred && list.len() <= row {
            let first = self.u.top;
            // The first element may take the place of the result.
            let first = if !self.is_var(dst) && dst + 1 == first { dst } else { first };
            for (i, e) in list.iter().enumerate() {
                let t = if first + i as u32 == dst { dst } else { self.tmp()? };
                self.expr(e, t)?;
            }
            self.op(make, dst, first, list.len() as u32, span);
            return Ok(());
        }
        let work = self.scratch(dst)?;
        self.collect_list(build == Build::Set, list, work, work, span)?;
        if build == Build::Tuple {
            self.op(Op::LISTTUPLE, dst, work, 0, span);
        } else {
            self.mov(dst, work);
        }
        Ok(())
    }

    /// Builds a list or set of any size, stars included, in the temporary `work`. `callee` is
    /// whose arguments they are, or `work`.
    fn collect_list(
        &mut self,
        set: bool,
        list: &'a [Expr],
        work: u32,
        callee: u32,
        span: Span,
    ) -> Res {
        let (make, add, extend) = match set {
            true => (Op::MKSET, Op::SETADD, Op::SETUPDATE),
            false => (Op::MKLIST, Op::APPEND, Op::EXTEND),
        };
        self.op(make, work, work, 0, span);
        let mark = self.u.top;
        for e in list {
            match &e.kind {
                ExprKind::Starred(inner) => {
                    let r = self.operand(inner, None, true)?;
                    self.op(extend, work, r, if set { 0 } else { callee }, span);
                }
                _ => {
                    let r = self.operand(e, None, true)?;
                    self.op(add, work, r, 0, e.span);
                }
            }
            self.u.top = mark;
        }
        Ok(())
    }

    /// A list of the positional arguments of `callee` in the temporary `work`.
    pub fn argument_list(&mut self, callee: u32, list: &'a [Expr], work: u32, span: Span) -> Res {
        self.collect_list(false, list, work, callee, span)
    }

    pub fn dict(&mut self, items: &'a [DictItem], dst: u32, span: Span) -> Res {
        let unpacks = items.iter().any(|i| i.key.is_none());
        let row = (ROW.min(self.room() as usize / 2)) / 2;
        if items.is_empty() {
            self.op(Op::MKDICT, dst, dst, 0, span);
            return Ok(());
        }
        if !unpacks && items.len() <= row {
            let first = self.u.top;
            for item in items {
                let t = self.tmps(2)?;
                if let Some(key) = &item.key {
                    self.expr(key, t)?;
                }
                self.expr(&item.value, t + 1)?;
            }
            self.op(Op::MKDICT, dst, first, items.len() as u32, span);
            return Ok(());
        }
        let work = self.scratch(dst)?;
        self.op(Op::MKDICT, work, work, 0, span);
        let mark = self.u.top;
        for item in items {
            match &item.key {
                Some(key) => {
                    let k = self.operand(key, None, Self::is_inert(&item.value))?;
                    let v = self.operand(&item.value, None, true)?;
                    self.op(Op::DICTADD, work, k, v, span);
                }
                None => {
                    let v = self.operand(&item.value, None, true)?;
                    self.op(Op::DICTUPDATE, work, v, 0, span);
                }
            }
            self.u.top = mark;
        }
        self.mov(dst, work);
        Ok(())
    }
}
