//! Patterns.

use super::{Builder, Built, fail};
use crate::Span;
use crate::ast::*;

impl Builder<'_> {
    fn pattern(&self, l: u32, kind: PatternKind, r: u32) -> Pattern {
        Pattern { span: Span::new(l, r), kind }
    }

    pub fn case(
        &self,
        l: u32,
        pattern: Pattern,
        guard: Option<Expr>,
        body: Vec<Stmt>,
    ) -> MatchCase {
        MatchCase { span: Span::new(l, super::stmt::end_of(&body, l)), pattern, guard, body }
    }

    /// A pattern without a comma after it: a star needs a sequence around it.
    pub fn lone_pattern(&self, p: Pattern) -> Built<Pattern> {
        match p.kind {
            PatternKind::Star(_) => {
                fail("invalid-syntax", "invalid syntax", self.after(p.span.end))
            }
            _ => Ok(p),
        }
    }

    pub fn sequence(&self, l: u32, items: Vec<Pattern>, r: u32) -> Built<Pattern> {
        let stars = items.iter().filter(|p| matches!(p.kind, PatternKind::Star(_))).count();
        if stars > 1 {
            let message = "multiple starred names in sequence pattern";
            return fail("starred-pattern", message, Span::new(l, r));
        }
        Ok(self.pattern(l, PatternKind::Sequence(items), r))
    }

    pub fn sequence_of(
        &self,
        l: u32,
        first: Pattern,
        mut rest: Vec<Pattern>,
        r: u32,
    ) -> Built<Pattern> {
        rest.insert(0, first);
        self.sequence(l, rest, r)
    }

    pub fn star_pattern(&self, l: u32, name: Ident, r: u32) -> Pattern {
        let name = if &*name.name == "_" { None } else { Some(name) };
        self.pattern(l, PatternKind::Star(name), r)
    }

    pub fn as_pattern(&self, l: u32, pattern: Pattern, name: Ident, r: u32) -> Built<Pattern> {
        if &*name.name == "_" {
            return fail("bad-pattern-target", "cannot use '_' as a target", name.span);
        }
        Ok(self.pattern(l, PatternKind::As { pattern: Box::new(pattern), name }, r))
    }

    pub fn or_pattern(&self, l: u32, patterns: Vec<Pattern>, r: u32) -> Pattern {
        self.pattern(l, PatternKind::Or(patterns), r)
    }

    pub fn value_pattern(&self, e: Expr) -> Built<Pattern> {
        let Span { start, end } = e.span;
        Ok(match e.kind {
            ExprKind::JoinedStr(_) => {
                let message = "patterns may only match literals and attribute lookups";
                return fail("bad-pattern", message, e.span);
            }
            ExprKind::Constant(c @ (Constant::None | Constant::True | Constant::False)) => {
                self.pattern(start, PatternKind::Singleton(c), end)
            }
            _ => self.pattern(start, PatternKind::Value(Box::new(e)), end),
        })
    }

    /// A name is captured, a dotted one compared with.
    pub fn name_pattern(&self, e: Expr) -> Pattern {
        let span = e.span;
        let kind = match e.kind {
            ExprKind::Name(name) if &*name == "_" => PatternKind::Wildcard,
            ExprKind::Name(name) => PatternKind::Capture(Ident { name, span }),
            _ => PatternKind::Value(Box::new(e)),
        };
        Pattern { span, kind }
    }

    pub fn mapping(&self, l: u32, items: Vec<MappingItem>, r: u32) -> Pattern {
        self.pattern(l, PatternKind::Mapping { items, rest: None }, r)
    }

    /// With `**rest`, which must have a name.
    pub fn mapping_with(
        &self,
        l: u32,
        items: Vec<MappingItem>,
        rest: Ident,
        r: u32,
    ) -> Built<Pattern> {
        if &*rest.name == "_" {
            return fail("invalid-syntax", "invalid syntax", rest.span);
        }
        Ok(self.pattern(l, PatternKind::Mapping { items, rest: Some(rest) }, r))
    }

    pub fn mapping_item(&self, key: Expr, pattern: Pattern) -> Built<MappingItem> {
        if let ExprKind::JoinedStr(_) = key.kind {
            let message = "patterns may only match literals and attribute lookups";
            return fail("bad-pattern", message, key.span);
        }
        Ok(MappingItem { key, pattern })
    }

    pub fn class_pattern(
        &self,
        l: u32,
        cls: Expr,
        items: Vec<(Option<Ident>, Pattern)>,
        r: u32,
    ) -> Built<Pattern> {
        let mut class = ClassPattern { cls, patterns: Vec::new(), keywords: Vec::new() };
        for (attr, pattern) in items {
            match attr {
                Some(attr) => class.keywords.push(KeywordPattern { attr, pattern }),
                None if class.keywords.is_empty() => class.patterns.push(pattern),
                None => {
                    let message = "positional patterns follow keyword patterns";
                    return fail("pattern-order", message, pattern.span);
                }
            }
        }
        Ok(self.pattern(l, PatternKind::Class(Box::new(class)), r))
    }

    /// `-1 + 2j`: a real number and an imaginary one.
    pub fn complex(
        &self,
        l: u32,
        real: Expr,
        op: (u32, u32),
        kind: BinOpKind,
        imaginary: Expr,
        r: u32,
    ) -> Built<Expr> {
        let number = match &real.kind {
            ExprKind::UnaryOp { operand, .. } => &operand.kind,
            other => other,
        };
        if let ExprKind::Constant(Constant::Imaginary(_)) = number {
            let message = "real number required in complex literal";
            return fail("bad-complex", message, real.span);
        }
        if !matches!(imaginary.kind, ExprKind::Constant(Constant::Imaginary(_))) {
            let message = "imaginary number required in complex literal";
            return fail("bad-complex", message, imaginary.span);
        }
        let step = BinOpStep { op: kind, op_span: Span::new(op.0, op.1), operand: imaginary };
        Ok(self.expr(l, ExprKind::BinOp { first: Box::new(real), rest: [step].into() }, r))
    }
}
