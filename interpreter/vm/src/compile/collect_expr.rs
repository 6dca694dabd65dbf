//! The part of the symbol table's walk that visits expressions: comprehensions, lambdas, `:=`,
//! `yield` and `await`.

use miniscript_syntax::ast::*;
use miniscript_syntax::{Span, SyntaxError};

use super::collect::{Builder, Done, Use, no_debug, node};
use super::scope::ScopeKind;

/// Comprehensions nested deeper than this in one unit become functions of their own, so that
/// their registers do not add up.
const MAX_INLINED_COMPS: u32 = 6;

/// A comprehension with more clauses than this does not join a function that is one already.
const MAX_INLINED_CLAUSES: usize = 8;

impl Builder<'_> {
    pub fn expr(&mut self, e: &Expr) -> Done {
        self.watch.step()?;
        match &e.kind {
            ExprKind::Constant(_) => Ok(()),
            ExprKind::Name(name) => self.name(name, Use::Load, e.span),
            ExprKind::JoinedStr(parts) => self.fstring(parts),
            ExprKind::Tuple(list) | ExprKind::List(list) | ExprKind::Set(list) => self.exprs(list),
            ExprKind::Dict(items) => {
                for item in items {
                    if let Some(key) = &item.key {
                        self.expr(key)?;
                    }
                    self.expr(&item.value)?;
                }
                Ok(())
            }
            ExprKind::NamedExpr { target, value } => {
                self.walrus(target, e.span)?;
                self.expr(value)
            }
            ExprKind::BoolOp { values, .. } => self.exprs(values),
            ExprKind::BinOp { first, rest } => {
                self.expr(first)?;
                rest.iter().try_for_each(|s| self.expr(&s.operand))
            }
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda(lambda) => {
                self.defaults(&lambda.params)?;
                self.enter(ScopeKind::Lambda, Some((node(&**lambda), 0)), true);
                self.params(&lambda.params)?;
                self.expr(&lambda.body)?;
                self.leave();
                Ok(())
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::ListComp(c) | ExprKind::SetComp(c) => {
                let is_list = matches!(e.kind, ExprKind::ListComp(_));
                let role = if is_list { "list comprehension" } else { "set comprehension" };
                let kind = (ScopeKind::Comp, role);
                self.comp(node(&**c), &c.generators, &[&c.elt], kind, e.span)
            }
            ExprKind::GeneratorExp(c) => {
                let kind = (ScopeKind::GeneratorExp, "generator expression");
                self.comp(node(&**c), &c.generators, &[&c.elt], kind, e.span)
            }
            ExprKind::DictComp(c) => {
                let kind = (ScopeKind::Comp, "dict comprehension");
                self.comp(node(&**c), &c.generators, &[&c.key, &c.value], kind, e.span)
            }
            ExprKind::Await(value) => {
                self.expr(value)?;
                self.awaits(e.span)
            }
            ExprKind::Yield(value) => {
                self.opt(value)?;
                self.yields(e.span)
            }
            ExprKind::YieldFrom(value) => {
                self.expr(value)?;
                self.yields(e.span)
            }
            ExprKind::Compare { left, rest } => {
                self.doubt_identity(left, rest, e.span);
                self.expr(left)?;
                rest.iter().try_for_each(|s| self.expr(&s.operand))
            }
            ExprKind::Call(call) => {
                self.doubt_callee(&call.func);
                self.expr(&call.func)?;
                self.exprs(&call.args)?;
                call.keywords.iter().try_for_each(|k| {
                    k.arg.as_ref().map_or(Ok(()), |arg| no_debug(arg, k.span))?;
                    self.expr(&k.value)
                })
            }
            ExprKind::Attribute { value, .. } => self.expr(value),
            ExprKind::Subscript { value, index } => {
                self.doubt_subscript(value, index);
                self.expr(value)?;
                self.expr(index)
            }
            ExprKind::Starred(value) => self.expr(value),
            ExprKind::Slice { lower, upper, step } => {
                self.opt(lower)?;
                self.opt(upper)?;
                self.opt(step)
            }
        }
    }

    fn fstring(&mut self, parts: &[FStringPart]) -> Done {
        for part in parts {
            if let FStringPart::FormattedValue(value) = part {
                self.expr(&value.expr)?;
                if let Some(spec) = &value.format_spec {
                    self.fstring(spec)?;
                }
            }
        }
        Ok(())
    }

    fn comp(
        &mut self,
        key: usize,
        generators: &[Comprehension],
        elts: &[&Expr],
        (kind, role): (ScopeKind, &'static str),
        span: Span,
    ) -> Done {
        let Some((first, rest)) = generators.split_first() else { return Ok(()) };
        self.in_iterable(&first.iter)?;
        let around = self.scope();
        let depth = if around.kind == ScopeKind::Comp { around.comp_depth + 1 } else { 0 };
        let inlined = kind == ScopeKind::Comp
            && depth < MAX_INLINED_COMPS
            && (generators.len() <= MAX_INLINED_CLAUSES || depth == 0);
        self.enter(kind, Some((key, 0)), !inlined);
        self.scope().role = role;
        if !inlined {
            self.name(".0", Use::Param, first.span)?;
        }
        let is_async = generators.iter().any(|g| g.is_async);
        self.target(&first.target)?;
        self.exprs(&first.ifs)?;
        for g in rest {
            self.target(&g.target)?;
            self.in_iterable(&g.iter)?;
            self.exprs(&g.ifs)?;
        }
        elts.iter().try_for_each(|e| self.expr(e))?;
        let suspends = is_async || self.scope().has_await;
        self.scope().has_await = suspends;
        self.leave();
        // The code of a list, set or dict comprehension runs in the function around it.
        if suspends && kind == ScopeKind::Comp {
            let scope = self.scope();
            let allowed = match scope.kind {
                ScopeKind::Module => true,
                ScopeKind::Function => scope.is_async,
                kind => kind.is_comp(),
            };
            if !allowed {
                let text = "asynchronous comprehension outside of an asynchronous function";
                return Err(SyntaxError::new("async", text, span));
            }
            self.scope().has_await = true;
        }
        Ok(())
    }

    fn in_iterable(&mut self, e: &Expr) -> Done {
        let outside = self.iters.last().copied();
        if let Some(inside) = self.iters.last_mut() {
            *inside = true;
        }
        self.expr(e)?;
        if let (Some(inside), Some(outside)) = (self.iters.last_mut(), outside) {
            *inside = outside;
        }
        Ok(())
    }

    fn walrus(&mut self, target: &Expr, span: Span) -> Done {
        let ExprKind::Name(name) = &target.kind else { return self.target(target) };
        if self.iters.last() == Some(&true) {
            let text =
                "assignment expression cannot be used in a comprehension iterable expression";
            return Err(SyntaxError::new("scope", text, span));
        }
        // A comprehension's `:=` binds in the function around it.
        let here = self.cur;
        let mut host = here;
        while self.symbols.scopes[host].kind.is_comp() {
            self.cur = host;
            let (sym, key) = self.sym(name);
            if sym.comp_target {
                let text = format!(
                    "assignment expression cannot rebind comprehension iteration variable '{key}'"
                );
                return Err(SyntaxError::new("scope", text, target.span));
            }
            sym.walrus = true;
            host = self.symbols.scopes[host].parent.unwrap_or(0);
        }
        self.cur = host;
        if host != here && self.scope().kind == ScopeKind::Class {
            let text =
                "assignment expression within a comprehension cannot be used in a class body";
            return Err(SyntaxError::new("scope", text, target.span));
        }
        if self.scope().kind == ScopeKind::TypeScope {
            let text = format!("named expression cannot be used within {}", self.scope().role);
            return Err(SyntaxError::new("scope", text, span));
        }
        self.sym(name).0.walrus = true;
        let done = self.name(name, Use::Bind, target.span);
        self.cur = here;
        done
    }

    fn awaits(&mut self, span: Span) -> Done {
        let scope = self.scope();
        scope.has_await = true;
        let text = match scope.kind {
            ScopeKind::Module | ScopeKind::Comp | ScopeKind::GeneratorExp => return Ok(()),
            ScopeKind::Function if scope.is_async => return Ok(()),
            ScopeKind::Function | ScopeKind::Lambda => "'await' outside async function",
            ScopeKind::TypeScope => {
                let text = format!("await expression cannot be used within {}", scope.role);
                return Err(SyntaxError::new("async", text, span));
            }
            ScopeKind::Class => "'await' outside function",
        };
        Err(SyntaxError::new("async", text, span))
    }

    fn yields(&mut self, span: Span) -> Done {
        let scope = self.scope();
        let text = match scope.kind {
            ScopeKind::Function | ScopeKind::Lambda => {
                scope.is_generator = true;
                return Ok(());
            }
            ScopeKind::Module | ScopeKind::Class => "'yield' outside function",
            ScopeKind::Comp | ScopeKind::GeneratorExp => {
                let text = format!("'yield' inside {}", scope.role);
                return Err(SyntaxError::new("scope", text, span));
            }
            ScopeKind::TypeScope => {
                let text = format!("yield expression cannot be used within {}", scope.role);
                return Err(SyntaxError::new("scope", text, span));
            }
        };
        Err(SyntaxError::new("scope", text, span))
    }
}
