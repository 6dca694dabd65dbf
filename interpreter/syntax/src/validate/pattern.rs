//! Patterns.

use super::{Check, Valid, at_least};
use crate::ast::*;

impl Check {
    pub(super) fn pattern(&self, p: &Pattern, depth: usize) -> Valid {
        self.span(p.span)?;
        if depth >= MAX_EXPR_DEPTH {
            return Err("pattern nested too deeply".into());
        }
        let inner = depth + 1;
        match &p.kind {
            PatternKind::Value(value) => self.pattern_value(value, depth),
            PatternKind::Singleton(Constant::None | Constant::True | Constant::False)
            | PatternKind::Wildcard => Ok(()),
            PatternKind::Singleton(_) => Err("Singleton is None, True or False".into()),
            PatternKind::Star(_) => Err("Star outside of a Sequence".into()),
            PatternKind::Sequence(items) => self.sequence(items, inner),
            PatternKind::Mapping { items, rest } => {
                rest.as_ref().map_or(Ok(()), |rest| self.capture(rest))?;
                items.iter().try_for_each(|item| {
                    match item.key.kind {
                        ExprKind::Constant(_) => self.expr(&item.key, inner)?,
                        _ => self.pattern_value(&item.key, inner)?,
                    }
                    self.pattern(&item.pattern, inner)
                })
            }
            PatternKind::Class(class) => {
                self.class_name(&class.cls)?;
                self.expr(&class.cls, inner)?;
                class.patterns.iter().try_for_each(|p| self.pattern(p, inner))?;
                class.keywords.iter().try_for_each(|keyword| {
                    self.ident(&keyword.attr)?;
                    self.pattern(&keyword.pattern, inner)
                })
            }
            PatternKind::Capture(name) => self.capture(name),
            PatternKind::As { pattern, name } => {
                self.capture(name)?;
                self.pattern(pattern, inner)
            }
            PatternKind::Or(items) => {
                at_least(2, items, "Or")?;
                items.iter().try_for_each(|p| self.pattern(p, inner))
            }
        }
    }

    fn capture(&self, name: &Ident) -> Valid {
        if &*name.name == "_" {
            return Err("'_' captures nothing".into());
        }
        self.ident(name)
    }

    fn sequence(&self, items: &[Pattern], depth: usize) -> Valid {
        let mut stars = 0;
        for item in items {
            match &item.kind {
                PatternKind::Star(name) => {
                    self.span(item.span)?;
                    stars += 1;
                    name.as_ref().map_or(Ok(()), |name| self.capture(name))?;
                }
                _ => self.pattern(item, depth)?,
            }
        }
        if stars > 1 { Err("two Star in one Sequence".into()) } else { Ok(()) }
    }

    /// A literal, perhaps negated or complex, or a dotted name.
    fn pattern_value(&self, e: &Expr, depth: usize) -> Valid {
        let fits = match &e.kind {
            ExprKind::Constant(
                Constant::Int(_)
                | Constant::BigInt(_)
                | Constant::Float(_)
                | Constant::Imaginary(_)
                | Constant::Str(_)
                | Constant::Bytes(_),
            ) => true,
            ExprKind::UnaryOp { op: UnaryOpKind::USub, operand } => is_number(operand),
            ExprKind::BinOp { first, rest } => is_complex(first, rest),
            ExprKind::Attribute { .. } => return self.class_name(e).and(self.expr(e, depth)),
            _ => false,
        };
        if !fits {
            return Err("a Value pattern is a literal or a dotted name".into());
        }
        self.expr(e, depth)
    }

    fn class_name(&self, mut e: &Expr) -> Valid {
        while let ExprKind::Attribute { value, .. } = &e.kind {
            e = value;
        }
        match e.kind {
            ExprKind::Name(_) => Ok(()),
            _ => Err("a pattern names a name or a dotted name".into()),
        }
    }
}

fn is_number(e: &Expr) -> bool {
    matches!(
        e.kind,
        ExprKind::Constant(
            Constant::Int(_) | Constant::BigInt(_) | Constant::Float(_) | Constant::Imaginary(_)
        )
    )
}

fn is_complex(first: &Expr, rest: &[BinOpStep]) -> bool {
    let real = match &first.kind {
        ExprKind::UnaryOp { op: UnaryOpKind::USub, operand } => operand,
        _ => first,
    };
    let is_real = is_number(real) && !is_imaginary(real);
    let [step] = rest else { return false };
    is_real && matches!(step.op, BinOpKind::Add | BinOpKind::Sub) && is_imaginary(&step.operand)
}

fn is_imaginary(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Constant(Constant::Imaginary(_)))
}
