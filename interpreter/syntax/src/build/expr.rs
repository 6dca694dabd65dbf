//! Atoms, displays, comprehensions and other expressions without operators of their own.

use super::{Builder, Built, fail, target::Use};
use crate::Span;
use crate::ast::*;

impl Builder<'_> {
    pub fn name(&self, l: u32, r: u32) -> Expr {
        self.expr(l, ExprKind::Name(self.identifier(l, r)), r)
    }

    pub fn constant(&self, l: u32, value: Constant, r: u32) -> Expr {
        self.expr(l, ExprKind::Constant(value), r)
    }

    pub fn tuple(&self, l: u32, items: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::Tuple(items), r)
    }

    pub fn tuple_of(&self, l: u32, first: Expr, mut rest: Vec<Expr>, r: u32) -> Expr {
        rest.insert(0, first);
        self.tuple(l, rest, r)
    }

    pub fn list(&self, l: u32, items: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::List(items), r)
    }

    pub fn set(&self, l: u32, items: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::Set(items), r)
    }

    pub fn dict(&self, l: u32, items: Vec<DictItem>, r: u32) -> Expr {
        self.expr(l, ExprKind::Dict(items), r)
    }

    pub fn dict_item(&self, l: u32, key: Option<Expr>, value: Expr, r: u32) -> DictItem {
        DictItem { key, value, span: Span::new(l, r) }
    }

    pub fn group(&self, e: Expr) -> Built<Expr> {
        match e.kind {
            ExprKind::Starred(_) => {
                fail("starred-here", "cannot use starred expression here", e.span)
            }
            _ => Ok(e),
        }
    }

    pub fn starred(&self, l: u32, e: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Starred(Box::new(e)), r)
    }

    /// Refuses a lone starred expression where a value is wanted.
    pub fn no_star(&self, e: Expr) -> Built<Expr> {
        match e.kind {
            ExprKind::Starred(_) => {
                fail("starred-here", "can't use starred expression here", e.span)
            }
            _ => Ok(e),
        }
    }

    pub fn generator(
        &self,
        l: u32,
        elt: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    ) -> Built<Expr> {
        let comp = self.comp_parts(elt, generators)?;
        Ok(self.expr(l, ExprKind::GeneratorExp(comp), r))
    }

    pub fn list_comp(
        &self,
        l: u32,
        elt: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    ) -> Built<Expr> {
        let comp = self.comp_parts(elt, generators)?;
        Ok(self.expr(l, ExprKind::ListComp(comp), r))
    }

    pub fn set_comp(
        &self,
        l: u32,
        elt: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    ) -> Built<Expr> {
        let comp = self.comp_parts(elt, generators)?;
        Ok(self.expr(l, ExprKind::SetComp(comp), r))
    }

    fn comp_parts(&self, elt: Expr, generators: Vec<Comprehension>) -> Built<Box<Comp>> {
        if let ExprKind::Starred(_) = elt.kind {
            let message = "iterable unpacking cannot be used in comprehension";
            return fail("starred-here", message, elt.span);
        }
        Ok(Box::new(Comp { elt, generators }))
    }

    pub fn dict_comp(
        &self,
        l: u32,
        key: Expr,
        value: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    ) -> Expr {
        self.expr(l, ExprKind::DictComp(Box::new(DictComp { key, value, generators })), r)
    }

    pub fn comp(
        &self,
        l: u32,
        is_async: bool,
        target: Expr,
        iter: Expr,
        (ifs, ifs_end): (Vec<Expr>, u32),
        r: u32,
    ) -> Built<Comprehension> {
        self.check_target(&target, Use::For)?;
        Ok(Comprehension { span: Span::new(l, r.max(ifs_end)), target, iter, ifs, is_async })
    }

    pub fn comp_if(&self, (mut v, _): (Vec<Expr>, u32), e: Expr, r: u32) -> (Vec<Expr>, u32) {
        v.push(e);
        (v, r)
    }

    pub fn attribute(&self, l: u32, value: Expr, attr: Ident, r: u32) -> Expr {
        let kind = ExprKind::Attribute {
            value: Box::new(value),
            attr: attr.name,
            attr_start: attr.span.start,
        };
        self.expr(l, kind, r)
    }

    pub fn subscript(&self, l: u32, value: Expr, index: Expr, r: u32) -> Expr {
        let kind = ExprKind::Subscript { value: Box::new(value), index: Box::new(index) };
        self.expr(l, kind, r)
    }

    /// The only item of a subscript: `a[*b]` is `a[(*b,)]`.
    pub fn index(&self, e: Expr) -> Expr {
        match e.kind {
            ExprKind::Starred(_) => self.tuple(e.span.start, vec![e.clone()], e.span.end),
            _ => e,
        }
    }

    pub fn slice(
        &self,
        l: u32,
        lower: Option<Expr>,
        upper: Option<Expr>,
        step: Option<Expr>,
        r: u32,
    ) -> Expr {
        let kind = ExprKind::Slice {
            lower: lower.map(Box::new),
            upper: upper.map(Box::new),
            step: step.map(Box::new),
        };
        self.expr(l, kind, r)
    }

    pub fn named(&self, l: u32, target: Expr, value: Expr, r: u32) -> Built<Expr> {
        // A parenthesized name starts before its own span.
        if !matches!(target.kind, ExprKind::Name(_)) || target.span.start != l {
            let name = super::expr_name(&target);
            let message = format!("cannot use assignment expressions with {name}");
            return fail("bad-walrus", message, target.span);
        }
        let kind = ExprKind::NamedExpr { target: Box::new(target), value: Box::new(value) };
        Ok(self.expr(l, kind, r))
    }

    pub fn if_exp(&self, l: u32, body: Expr, test: Expr, orelse: Expr, r: u32) -> Expr {
        let kind = ExprKind::IfExp {
            test: Box::new(test),
            body: Box::new(body),
            orelse: Box::new(orelse),
        };
        self.expr(l, kind, r)
    }

    pub fn await_expr(&self, l: u32, e: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Await(Box::new(e)), r)
    }

    pub fn yield_expr(&self, l: u32, e: Option<Expr>, r: u32) -> Built<Expr> {
        let e = e.map(|e| self.no_star(e)).transpose()?;
        Ok(self.expr(l, ExprKind::Yield(e.map(Box::new)), r))
    }

    pub fn yield_from(&self, l: u32, e: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::YieldFrom(Box::new(e)), r)
    }
}
