//! What may be assigned to or deleted, and what CPython calls what may not.

use super::{Builder, Built, fail};
use crate::ast::*;

/// What a target is used for; it chooses the wording.
#[derive(Clone, Copy, PartialEq)]
pub enum Use {
    Assign,
    For,
    Delete,
}

impl Builder<'_> {
    /// Checks a target with everything in it.
    pub fn check_target(&self, target: &Expr, purpose: Use) -> Built<()> {
        if let Some(bad) = invalid_target(target, purpose) {
            let verb = if purpose == Use::Delete { "delete" } else { "assign to" };
            let message = format!("cannot {verb} {}", expr_name(bad));
            return fail("bad-target", message, bad.span);
        }
        if let ExprKind::Starred(_) = target.kind {
            let message = "starred assignment target must be in a list or tuple";
            return fail("starred-target", message, target.span);
        }
        match multiple_stars(target) {
            Some(bad) => {
                let message = "multiple starred expressions in assignment";
                fail("starred-target", message, bad.span)
            }
            None => Ok(()),
        }
    }

    /// The targets of an assignment statement; the wording depends on what follows.
    pub fn check_assign_targets(&self, targets: &[Expr], value: &Expr) -> Built<()> {
        for target in targets {
            let is_yield = matches!(target.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_));
            if is_yield && !self.in_parens(target) {
                let message = "assignment to yield expression not possible";
                return fail("bad-target", message, target.span);
            }
            if let Some(bad) = invalid_target(target, Use::Assign) {
                let name = expr_name(bad);
                // CPython suggests `==` if there is one `=`, between operands of a comparison.
                let alone = targets.len() == 1 && is_operand(first_operand(value));
                let last = match &target.kind {
                    ExprKind::Tuple(items) if !self.opens_with_paren(target) => items.last(),
                    _ => Some(target),
                };
                if let (true, Some(Expr { kind: ExprKind::Name(_), span })) = (alone, last) {
                    let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
                    return fail("equal-sign", message, span.to(value.span));
                }
                if alone && last == Some(bad) && (is_yield || is_comparable(bad)) {
                    let message = format!(
                        "cannot assign to {name} here. Maybe you meant '==' instead of '='?"
                    );
                    return fail("bad-target", message, bad.span);
                }
                return fail("bad-target", format!("cannot assign to {name}"), bad.span);
            }
            self.check_target(target, Use::Assign)?;
        }
        Ok(())
    }

    fn in_parens(&self, e: &Expr) -> bool {
        self.text[..e.span.start as usize].trim_end().ends_with('(')
    }

    /// A tuple with parentheses of its own (or one whose first item has some, which no message
    /// has to tell apart).
    pub(super) fn opens_with_paren(&self, e: &Expr) -> bool {
        let ExprKind::Tuple(items) = &e.kind else { return false };
        items.first().is_none_or(|first| first.span.start > e.span.start)
    }
}

/// The expression is one operand as `==` takes it, not a list, tuple, generator or constant name.
fn is_comparable(e: &Expr) -> bool {
    is_operand(e)
        && !matches!(
            e.kind,
            ExprKind::List(_)
                | ExprKind::Tuple(_)
                | ExprKind::GeneratorExp(_)
                | ExprKind::Constant(Constant::None | Constant::True | Constant::False)
        )
}

/// The operand that an expression starts with.
fn first_operand(mut e: &Expr) -> &Expr {
    loop {
        e = match &e.kind {
            ExprKind::Compare { left, .. } => left,
            ExprKind::BoolOp { values, .. } => &values[0],
            ExprKind::IfExp { body, .. } => body,
            ExprKind::Tuple(items)
                if items.first().is_some_and(|i| i.span.start == e.span.start) =>
            {
                &items[0]
            }
            _ => return e,
        }
    }
}

fn is_operand(e: &Expr) -> bool {
    !matches!(
        e.kind,
        ExprKind::Compare { .. }
            | ExprKind::BoolOp { .. }
            | ExprKind::UnaryOp { op: UnaryOpKind::Not, .. }
            | ExprKind::IfExp { .. }
            | ExprKind::Lambda(_)
            | ExprKind::Yield(_)
            | ExprKind::YieldFrom(_)
            | ExprKind::Starred(_)
    )
}

/// The first part of `target` that is no target.
pub fn invalid_target(target: &Expr, purpose: Use) -> Option<&Expr> {
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        ExprKind::Tuple(items) | ExprKind::List(items) => {
            items.iter().find_map(|item| invalid_target(item, purpose))
        }
        ExprKind::Starred(value) if purpose != Use::Delete => invalid_target(value, purpose),
        _ => Some(target),
    }
}

/// The first tuple or list in `target` that has two starred items.
pub fn multiple_stars(target: &Expr) -> Option<&Expr> {
    match &target.kind {
        ExprKind::Tuple(items) | ExprKind::List(items) => {
            let starred = items.iter().filter(|item| matches!(item.kind, ExprKind::Starred(_)));
            if starred.count() > 1 { Some(target) } else { items.iter().find_map(multiple_stars) }
        }
        ExprKind::Starred(value) => multiple_stars(value),
        _ => None,
    }
}

/// What CPython's messages call an expression.
pub fn expr_name(e: &Expr) -> &'static str {
    match &e.kind {
        ExprKind::Constant(Constant::None) => "None",
        ExprKind::Constant(Constant::True) => "True",
        ExprKind::Constant(Constant::False) => "False",
        ExprKind::Constant(Constant::Ellipsis) => "ellipsis",
        ExprKind::Constant(_) => "literal",
        ExprKind::Name(_) => "name",
        ExprKind::JoinedStr(_) => "f-string expression",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::List(_) => "list",
        ExprKind::Set(_) => "set display",
        ExprKind::Dict(_) => "dict literal",
        ExprKind::NamedExpr { .. } => "named expression",
        ExprKind::BoolOp { .. } | ExprKind::BinOp { .. } | ExprKind::UnaryOp { .. } => "expression",
        ExprKind::Lambda(_) => "lambda",
        ExprKind::IfExp { .. } => "conditional expression",
        ExprKind::ListComp(_) => "list comprehension",
        ExprKind::SetComp(_) => "set comprehension",
        ExprKind::GeneratorExp(_) => "generator expression",
        ExprKind::DictComp(_) => "dict comprehension",
        ExprKind::Await(_) => "await expression",
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => "yield expression",
        ExprKind::Compare { .. } => "comparison",
        ExprKind::Call(_) => "function call",
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Starred(_) => "starred",
        ExprKind::Slice { .. } => "slice",
    }
}
