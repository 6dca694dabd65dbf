//! Statements.

use super::{Check, Valid, at_least};
use crate::ast::*;
use crate::build::Use;

impl Check {
    pub(super) fn stmts(&self, body: &[Stmt], depth: usize) -> Valid {
        body.iter().try_for_each(|stmt| self.stmt(stmt, depth))
    }

    /// A block that must hold something.
    fn block(&self, body: &[Stmt], depth: usize) -> Valid {
        at_least(1, body, "body")?;
        if depth >= MAX_BLOCK_DEPTH {
            return Err("blocks nested too deeply".into());
        }
        self.stmts(body, depth + 1)
    }

    /// A block that may be absent.
    fn opt_block(&self, body: &[Stmt], depth: usize) -> Valid {
        if body.is_empty() { Ok(()) } else { self.block(body, depth) }
    }

    fn stmt(&self, stmt: &Stmt, depth: usize) -> Valid {
        self.span(stmt.span)?;
        match &stmt.kind {
            StmtKind::FunctionDef(f) => {
                self.ident(&f.name)?;
                self.type_params(&f.type_params)?;
                self.params(&f.params, true, 0)?;
                self.opt(f.returns.as_ref(), 0)?;
                self.exprs(&f.decorators, 0)?;
                self.block(&f.body, depth)
            }
            StmtKind::ClassDef(c) => {
                self.ident(&c.name)?;
                self.type_params(&c.type_params)?;
                self.star_exprs(&c.bases, 0)?;
                self.keywords(&c.keywords, 0)?;
                self.exprs(&c.decorators, 0)?;
                self.block(&c.body, depth)
            }
            StmtKind::Return(value) => self.opt(value.as_deref(), 0),
            StmtKind::Delete(targets) => {
                at_least(1, targets, "Delete")?;
                targets.iter().try_for_each(|target| self.target(target, Use::Delete, 0))
            }
            StmtKind::Assign { targets, value } => {
                at_least(1, targets, "Assign")?;
                targets.iter().try_for_each(|target| self.target(target, Use::Assign, 0))?;
                self.expr(value, 0)
            }
            StmtKind::TypeAlias(alias) => {
                self.ident(&alias.name)?;
                self.type_params(&alias.type_params)?;
                self.expr(&alias.value, 0)
            }
            StmtKind::AugAssign { target, op_span, value, .. } => {
                self.span(*op_span)?;
                self.single_target(target, 0)?;
                self.expr(value, 0)
            }
            StmtKind::AnnAssign(ann) => {
                self.single_target(&ann.target, 0)?;
                if ann.simple && !matches!(ann.target.kind, ExprKind::Name(_)) {
                    return Err("a simple AnnAssign has a Name".into());
                }
                self.expr(&ann.annotation, 0)?;
                self.opt(ann.value.as_ref(), 0)
            }
            StmtKind::For(f) => {
                self.target(&f.target, Use::For, 0)?;
                self.expr(&f.iter, 0)?;
                self.block(&f.body, depth)?;
                self.opt_block(&f.orelse, depth)
            }
            StmtKind::While(w) => {
                self.expr(&w.test, 0)?;
                self.block(&w.body, depth)?;
                self.opt_block(&w.orelse, depth)
            }
            StmtKind::If(i) => {
                at_least(1, &i.branches, "If")?;
                i.branches.iter().try_for_each(|branch| {
                    self.span(branch.span)?;
                    self.expr(&branch.test, 0)?;
                    self.block(&branch.body, depth)
                })?;
                self.opt_block(&i.orelse, depth)
            }
            StmtKind::With(w) => {
                at_least(1, &w.items, "With")?;
                w.items.iter().try_for_each(|item| {
                    self.span(item.span)?;
                    self.expr(&item.context_expr, 0)?;
                    let target = item.target.as_ref();
                    target.map_or(Ok(()), |target| self.target(target, Use::Assign, 0))
                })?;
                self.block(&w.body, depth)
            }
            StmtKind::Match(m) => {
                // `match *a, b:` is a tuple, so no lone star.
                self.expr(&m.subject, 0)?;
                at_least(1, &m.cases, "Match")?;
                m.cases.iter().try_for_each(|case| {
                    self.span(case.span)?;
                    self.pattern(&case.pattern, 0)?;
                    self.opt(case.guard.as_ref(), 0)?;
                    self.block(&case.body, depth + 1)
                })
            }
            StmtKind::Raise { exc: None, cause: Some(_) } => {
                Err("Raise has a cause only with an exception".into())
            }
            StmtKind::Raise { exc, cause } => {
                self.opt(exc.as_deref(), 0)?;
                self.opt(cause.as_deref(), 0)
            }
            StmtKind::Try(t) => self.try_stmt(t, depth),
            StmtKind::Assert { test, msg } => {
                self.expr(test, 0)?;
                self.opt(msg.as_deref(), 0)
            }
            StmtKind::Import(names) => {
                at_least(1, names, "Import")?;
                names.iter().try_for_each(|alias| {
                    self.dotted(&alias.name)?;
                    self.alias(alias)
                })
            }
            StmtKind::ImportFrom(from) => self.import_from(from),
            StmtKind::Global(names) | StmtKind::Nonlocal(names) => {
                at_least(1, names, "names")?;
                names.iter().try_for_each(|name| self.ident(name))
            }
            StmtKind::Expr(value) => self.expr(value, 0),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
        }
    }

    fn try_stmt(&self, t: &Try, depth: usize) -> Valid {
        if t.handlers.is_empty() && (t.finalbody.is_empty() || !t.orelse.is_empty()) {
            return Err("Try needs handlers, or finalbody alone".into());
        }
        if t.is_star && t.handlers.is_empty() {
            return Err("Try with is_star needs handlers".into());
        }
        self.block(&t.body, depth)?;
        for (i, handler) in t.handlers.iter().enumerate() {
            self.span(handler.span)?;
            let last = i + 1 == t.handlers.len();
            if handler.typ.is_none() && (!last || t.is_star || handler.name.is_some()) {
                return Err("only the last handler may lack a type, and then a name".into());
            }
            self.opt(handler.typ.as_ref(), 0)?;
            handler.name.as_ref().map_or(Ok(()), |name| self.ident(name))?;
            self.block(&handler.body, depth)?;
        }
        self.opt_block(&t.orelse, depth)?;
        self.opt_block(&t.finalbody, depth)
    }

    fn alias(&self, alias: &Alias) -> Valid {
        self.span(alias.span)?;
        alias.asname.as_ref().map_or(Ok(()), |name| self.ident(name))
    }

    fn import_from(&self, from: &ImportFrom) -> Valid {
        match &from.module {
            Some(module) => self.dotted(module)?,
            None if from.level == 0 => return Err("ImportFrom names a module or has dots".into()),
            None => {}
        }
        at_least(1, &from.names, "ImportFrom")?;
        from.names.iter().try_for_each(|alias| {
            self.span(alias.name.span)?;
            if &*alias.name.name != "*" {
                self.name(&alias.name.name)?;
            } else if from.names.len() > 1 || alias.asname.is_some() {
                return Err("* is imported alone".into());
            }
            self.alias(alias)
        })
    }

    fn type_params(&self, params: &[TypeParam]) -> Valid {
        params.iter().try_for_each(|param| {
            self.span(param.span)?;
            self.ident(&param.name)?;
            match &param.kind {
                TypeParamKind::TypeVar { bound } => self.opt(bound.as_ref(), 0),
                TypeParamKind::TypeVarTuple | TypeParamKind::ParamSpec => Ok(()),
            }
        })
    }
}
