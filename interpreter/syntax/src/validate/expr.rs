//! Expressions.

use super::{Check, Valid, at_least};
use crate::ast::*;
use crate::build::{Use, invalid_target, multiple_stars};

impl Check {
    /// A value: neither starred nor a slice.
    pub(super) fn expr(&self, e: &Expr, depth: usize) -> Valid {
        match e.kind {
            ExprKind::Starred(_) => Err("Starred stands alone".into()),
            ExprKind::Slice { .. } => Err("Slice outside of a Subscript".into()),
            _ => self.any(e, depth),
        }
    }

    pub(super) fn opt(&self, e: Option<&Expr>, depth: usize) -> Valid {
        e.map_or(Ok(()), |e| self.expr(e, depth))
    }

    pub(super) fn exprs(&self, items: &[Expr], depth: usize) -> Valid {
        items.iter().try_for_each(|e| self.expr(e, depth))
    }

    /// Values of which some may be starred.
    pub(super) fn star_exprs(&self, items: &[Expr], depth: usize) -> Valid {
        items.iter().try_for_each(|e| self.star_expr(e, depth))
    }

    pub(super) fn star_expr(&self, e: &Expr, depth: usize) -> Valid {
        match &e.kind {
            ExprKind::Starred(value) => {
                self.node(e, depth)?;
                self.expr(value, depth + 1)
            }
            _ => self.expr(e, depth),
        }
    }

    pub(super) fn target(&self, e: &Expr, purpose: Use, depth: usize) -> Valid {
        if let Some(bad) = invalid_target(e, purpose) {
            return Err(format!("{} is no target", crate::build::expr_name(bad)));
        }
        if multiple_stars(e).is_some() {
            return Err("two Starred in one target".into());
        }
        self.expr(e, depth)
    }

    pub(super) fn single_target(&self, e: &Expr, depth: usize) -> Valid {
        match e.kind {
            ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {
                self.expr(e, depth)
            }
            _ => Err(format!("{} is no single target", crate::build::expr_name(e))),
        }
    }

    fn node(&self, e: &Expr, depth: usize) -> Valid {
        self.span(e.span)?;
        if depth >= MAX_EXPR_DEPTH { Err("expression nested too deeply".into()) } else { Ok(()) }
    }

    fn any(&self, e: &Expr, depth: usize) -> Valid {
        self.node(e, depth)?;
        let inner = depth + 1;
        match &e.kind {
            ExprKind::Constant(constant) => self.constant(constant),
            ExprKind::Name(name) => self.name(name),
            ExprKind::JoinedStr(parts) => self.parts(parts, inner),
            ExprKind::Tuple(items) | ExprKind::List(items) => self.star_exprs(items, inner),
            ExprKind::Set(items) => {
                at_least(1, items, "Set")?;
                self.star_exprs(items, inner)
            }
            ExprKind::Dict(items) => items.iter().try_for_each(|item| {
                self.span(item.span)?;
                self.opt(item.key.as_ref(), inner)?;
                self.expr(&item.value, inner)
            }),
            ExprKind::NamedExpr { target, value } => {
                if !matches!(target.kind, ExprKind::Name(_)) {
                    return Err("NamedExpr binds a Name".into());
                }
                self.expr(target, inner)?;
                self.expr(value, inner)
            }
            ExprKind::BoolOp { values, .. } => {
                at_least(2, values, "BoolOp")?;
                self.exprs(values, inner)
            }
            ExprKind::BinOp { first, rest } => self.bin_op(first, rest, inner),
            ExprKind::UnaryOp { operand, .. } => self.expr(operand, inner),
            ExprKind::Lambda(lambda) => {
                self.params(&lambda.params, false, inner)?;
                self.expr(&lambda.body, inner)
            }
            ExprKind::IfExp { test, body, orelse } => {
                [test, body, orelse].into_iter().try_for_each(|e| self.expr(e, inner))
            }
            ExprKind::ListComp(comp) | ExprKind::SetComp(comp) | ExprKind::GeneratorExp(comp) => {
                self.expr(&comp.elt, inner)?;
                self.generators(&comp.generators, inner)
            }
            ExprKind::DictComp(comp) => {
                self.expr(&comp.key, inner)?;
                self.expr(&comp.value, inner)?;
                self.generators(&comp.generators, inner)
            }
            ExprKind::Await(value) | ExprKind::YieldFrom(value) => self.expr(value, inner),
            ExprKind::Yield(value) => self.opt(value.as_deref(), inner),
            ExprKind::Compare { left, rest } => {
                at_least(1, rest, "Compare")?;
                self.expr(left, inner)?;
                rest.iter().try_for_each(|step| {
                    self.span(step.op_span)?;
                    self.expr(&step.operand, inner)
                })
            }
            ExprKind::Call(call) => {
                self.expr(&call.func, inner)?;
                self.star_exprs(&call.args, inner)?;
                self.keywords(&call.keywords, inner)
            }
            ExprKind::Attribute { value, attr, attr_start } => {
                self.span(crate::Span::new(*attr_start, e.span.end))?;
                self.name(attr)?;
                self.expr(value, inner)
            }
            ExprKind::Subscript { value, index } => {
                self.expr(value, inner)?;
                self.index(index, inner)
            }
            ExprKind::Starred(_) | ExprKind::Slice { .. } => Err("misplaced".into()),
        }
    }

    fn bin_op(&self, first: &Expr, rest: &[BinOpStep], inner: usize) -> Valid {
        at_least(1, rest, "BinOp")?;
        let level = crate::build::precedence(rest[0].op);
        if rest.iter().any(|step| crate::build::precedence(step.op) != level) {
            return Err("BinOp mixes precedence levels".into());
        }
        if rest[0].op == BinOpKind::Pow && rest.len() > 1 {
            return Err("Pow has one step".into());
        }
        self.expr(first, inner)?;
        rest.iter().try_for_each(|step| {
            self.span(step.op_span)?;
            self.expr(&step.operand, inner)
        })
    }

    /// Slices stand in a subscript, alone or in its tuple.
    fn index(&self, e: &Expr, depth: usize) -> Valid {
        match &e.kind {
            ExprKind::Tuple(items) => {
                self.node(e, depth)?;
                items.iter().try_for_each(|item| self.index_item(item, depth + 1))
            }
            _ => self.index_item(e, depth),
        }
    }

    fn index_item(&self, e: &Expr, depth: usize) -> Valid {
        match &e.kind {
            ExprKind::Slice { lower, upper, step } => {
                self.node(e, depth)?;
                let parts = [lower, upper, step];
                parts.into_iter().try_for_each(|part| self.opt(part.as_deref(), depth + 1))
            }
            _ => self.star_expr(e, depth),
        }
    }

    pub(super) fn keywords(&self, keywords: &[Keyword], depth: usize) -> Valid {
        keywords.iter().try_for_each(|keyword| {
            self.span(keyword.span)?;
            keyword.arg.as_ref().map_or(Ok(()), |arg| self.ident(arg))?;
            self.expr(&keyword.value, depth)
        })
    }

    fn generators(&self, generators: &[Comprehension], depth: usize) -> Valid {
        at_least(1, generators, "comprehension")?;
        generators.iter().try_for_each(|clause| {
            self.span(clause.span)?;
            self.target(&clause.target, Use::For, depth)?;
            self.expr(&clause.iter, depth)?;
            self.exprs(&clause.ifs, depth)
        })
    }

    pub(super) fn params(&self, params: &Parameters, annotated: bool, depth: usize) -> Valid {
        let positional = || params.posonly.iter().chain(&params.args);
        let mut defaults = positional().skip_while(|p| p.default.is_none());
        if defaults.any(|p| p.default.is_none()) {
            return Err("a parameter without a default follows one with a default".into());
        }
        let stars = [&params.vararg, &params.kwarg];
        if stars.iter().any(|p| p.as_ref().is_some_and(|p| p.default.is_some())) {
            return Err("a starred parameter has no default".into());
        }
        let vararg = params.vararg.as_deref();
        let rest = params.kwonly.iter().chain(params.kwarg.as_deref());
        for parameter in positional().chain(vararg).chain(rest) {
            self.span(parameter.span)?;
            self.ident(&parameter.name)?;
            if parameter.annotation.is_some() && !annotated {
                return Err("a Lambda's parameters have no annotations".into());
            }
            if let Some(annotation) = &parameter.annotation {
                if vararg.is_some_and(|vararg| std::ptr::eq(vararg, parameter)) {
                    self.star_expr(annotation, depth)?;
                } else {
                    self.expr(annotation, depth)?;
                }
            }
            self.opt(parameter.default.as_ref(), depth)?;
        }
        Ok(())
    }

    fn parts(&self, parts: &[FStringPart], depth: usize) -> Valid {
        let mut after_literal = false;
        for part in parts {
            match part {
                FStringPart::Literal { span, value } => {
                    self.span(*span)?;
                    if value.is_empty() || std::mem::replace(&mut after_literal, true) {
                        return Err("literals of an f-string are neither empty nor adjacent".into());
                    }
                }
                FStringPart::FormattedValue(field) => {
                    after_literal = false;
                    self.span(field.span)?;
                    self.expr(&field.expr, depth)?;
                    if !matches!(field.conversion, None | Some('s' | 'r' | 'a')) {
                        return Err("a conversion is s, r or a".into());
                    }
                    if let Some(spec) = &field.format_spec {
                        if depth >= MAX_EXPR_DEPTH {
                            return Err("format spec nested too deeply".into());
                        }
                        self.parts(spec, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}
