//! Statements: the simple ones, `if`, and imports.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::names::NAMESPACE;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Op, Special};
use crate::code::proto::Const;

impl<'a> Compiler<'a> {
    pub fn stmts(&mut self, body: &'a [Stmt]) -> Res {
        body.iter().try_for_each(|s| self.stmt(s))
    }

    pub fn stmt(&mut self, stmt: &'a Stmt) -> Res {
        self.watch.step()?;
        let mark = self.u.top;
        self.u.pin = mark;
        self.u.at = stmt.span;
        self.stmt_kind(stmt)?;
        self.u.top = mark;
        Ok(())
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt) -> Res {
        let span = stmt.span;
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.function_def(def, span),
            StmtKind::ClassDef(def) => self.class_def(def, span),
            StmtKind::Return(value) => self.return_stmt(value.as_deref(), span),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|t| self.delete(t)),
            StmtKind::Assign { targets, value } => self.assign_stmt(targets, value),
            StmtKind::TypeAlias(alias) => self.type_alias(alias, span),
            StmtKind::AugAssign { target, op, value, .. } => {
                self.aug_assign(target, *op, value, span)
            }
            StmtKind::AnnAssign(ann) => self.ann_assign(ann, span),
            StmtKind::For(s) if s.is_async => self.async_for(s, span),
            StmtKind::For(s) => self.for_stmt(s, span),
            StmtKind::While(s) => self.while_stmt(s, span),
            StmtKind::If(s) => self.if_stmt(s),
            StmtKind::With(s) => self.with_stmt(s, &s.items, span),
            StmtKind::Match(s) => self.match_stmt(s),
            StmtKind::Raise { exc, cause } => self.raise(exc.as_deref(), cause.as_deref(), span),
            StmtKind::Try(s) => self.try_stmt(s, span),
            StmtKind::Assert { test, msg } => self.assert_stmt(test, msg.as_deref(), span),
            StmtKind::Import(names) => names.iter().try_for_each(|n| self.import(n, span)),
            StmtKind::ImportFrom(import) => self.import_from(import, span),
            StmtKind::Expr(e) if self.interactive && self.outer.is_empty() => {
                let t = self.tmp()?;
                self.expr(e, t)?;
                self.op(Op::PRINTEXPR, t, 0, 0, span);
                Ok(())
            }
            StmtKind::Expr(e) => self.effect(e),
            StmtKind::Break => self.break_stmt(false, span),
            StmtKind::Continue => self.break_stmt(true, span),
            StmtKind::Global(_) | StmtKind::Nonlocal(_) | StmtKind::Pass => Ok(()),
        }
    }

    fn if_stmt(&mut self, s: &'a If) -> Res {
        let end = self.label();
        for (i, branch) in s.branches.iter().enumerate() {
            let last = i + 1 == s.branches.len() && s.orelse.is_empty();
            let next = if last { end } else { self.label() };
            self.cond_jump(&branch.test, next, false)?;
            self.stmts(&branch.body)?;
            if !last {
                self.jump(end);
                self.place(next);
            }
        }
        self.stmts(&s.orelse)?;
        self.place(end);
        Ok(())
    }

    fn raise(&mut self, exc: Option<&'a Expr>, cause: Option<&'a Expr>, span: Span) -> Res {
        let Some(exc) = exc else {
            self.op(Op::RAISELAST, 0, 0, 0, span);
            return Ok(());
        };
        match cause {
            None => {
                let r = self.operand(exc, None, true)?;
                self.op(Op::RAISE, r, 0, 0, span);
            }
            Some(cause) => {
                let r = self.operand(exc, None, Self::is_inert(cause))?;
                let c = self.operand(cause, None, true)?;
                self.op(Op::RAISEFROM, r, c, 0, span);
            }
        }
        Ok(())
    }

    fn assert_stmt(&mut self, test: &'a Expr, msg: Option<&'a Expr>, span: Span) -> Res {
        let good = self.label();
        self.cond_jump(test, good, true)?;
        let t = self.tmp()?;
        self.op(Op::LOADASSERT, t, 0, 0, span);
        if let Some(msg) = msg {
            let arg = self.tmp()?;
            self.expr(msg, arg)?;
            self.op(Op::CALL, t, 1, 0, span);
        }
        self.op(Op::RAISE, t, 0, 0, span);
        self.place(good);
        Ok(())
    }

    fn import(&mut self, alias: &'a Alias, span: Span) -> Res {
        let mark = self.u.top;
        let t = self.tmps(3)?;
        let name = &alias.name.name;
        self.special(t + 1, Special::None);
        self.load_const(t + 2, Const::Int(0));
        let k = self.str_const(name);
        self.opx(Op::IMPORT, t, t + 1, 0, k, span);
        let mut parts = name.split('.');
        let top = parts.next().unwrap_or_default();
        match &alias.asname {
            // `import a.b.c as d` binds the innermost module.
            Some(asname) => {
                for part in parts {
                    let k = self.str_const(part);
                    self.opx(Op::IMPORTFROM, t, t, 0, k, span);
                }
                let asname = self.mangled(&asname.name);
                self.store_name(&asname, t, span)?;
            }
            None => {
                let top = self.mangled(top);
                self.store_name(&top, t, span)?;
            }
        }
        self.u.top = mark;
        Ok(())
    }

    fn import_from(&mut self, import: &'a ImportFrom, span: Span) -> Res {
        let future = import.module.as_ref().is_some_and(|m| &*m.name == "__future__");
        if future && import.level == 0 && span.start >= self.future_end {
            let text = "from __future__ imports must occur at the beginning of the file";
            return Err(super::error("future", text, span));
        }
        let t = self.tmps(3)?;
        let names = import.names.iter().map(|a| Const::Str(a.name.name.as_bytes().into()));
        self.load_const(t + 1, Const::Tuple(names.collect()));
        self.load_const(t + 2, Const::Int(i64::from(import.level)));
        let module = import.module.as_ref().map_or("", |m| &m.name);
        let k = self.str_const(module);
        self.opx(Op::IMPORT, t, t + 1, 0, k, span);
        for alias in &import.names {
            if &*alias.name.name == "*" {
                self.mov(t + 1, t);
                if self.has_namespace() {
                    self.mov(t + 2, NAMESPACE);
                } else {
                    self.special(t + 2, Special::None);
                }
                self.intrinsic(Intrinsic::ImportStar, t, 2, span);
                continue;
            }
            let k = self.str_const(&alias.name.name);
            self.opx(Op::IMPORTFROM, t + 1, t, 0, k, span);
            let name = self.mangled(&alias.asname.as_ref().unwrap_or(&alias.name).name);
            self.store_name(&name, t + 1, span)?;
        }
        Ok(())
    }
}
