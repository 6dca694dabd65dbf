//! Parameters of functions and lambdas.

use super::{Builder, Built, fail};
use crate::Span;
use crate::ast::*;

/// One item of a parameter list, in source order.
pub enum ParamItem {
    Plain(Parameter),
    /// `*args`, from its star.
    VarArg(u32, Parameter),
    /// `**kwargs`
    KwArg(Parameter),
    /// A bare `*`.
    Star(u32),
    /// `/`
    Slash(u32),
}

impl Builder<'_> {
    pub fn parameter(&self, l: u32, name: Ident, annotation: Option<Expr>, r: u32) -> Parameter {
        Parameter { span: Span::new(l, r), name, annotation, default: None }
    }

    pub fn param(
        &self,
        l: u32,
        name: Ident,
        annotation: Option<Expr>,
        default: Option<Expr>,
        r: u32,
    ) -> ParamItem {
        ParamItem::Plain(Parameter { span: Span::new(l, r), name, annotation, default })
    }

    pub fn star_param(&self, l: u32, parameter: Parameter) -> ParamItem {
        ParamItem::VarArg(l, parameter)
    }

    pub fn kwargs_param(&self, _l: u32, n: Ident, annotation: Option<Expr>, r: u32) -> ParamItem {
        ParamItem::KwArg(self.parameter(n.span.start, n, annotation, r))
    }

    pub fn lambda(&self, l: u32, items: Vec<ParamItem>, body: Expr, r: u32) -> Built<Expr> {
        let params = self.parameters(items, true)?;
        Ok(self.expr(l, ExprKind::Lambda(Box::new(Lambda { params, body })), r))
    }

    /// Sorts parameters by kind and checks their order.
    pub fn parameters(&self, items: Vec<ParamItem>, lambda: bool) -> Built<Parameters> {
        let mut params = Parameters::default();
        // The place of `*`, and whether a keyword-only parameter has to follow it.
        let mut star: Option<Span> = None;
        let mut bare_star = None;
        let mut slash_seen = false;
        for item in items {
            let here = place(&item);
            if params.kwarg.is_some() {
                let message = "arguments cannot follow var-keyword argument";
                return fail("parameter-order", message, here);
            }
            match item {
                ParamItem::Plain(parameter) if star.is_some() => {
                    bare_star = None;
                    params.kwonly.push(parameter);
                }
                ParamItem::Plain(parameter) => {
                    let mut before = params.posonly.iter().chain(&params.args);
                    let default_before = before.any(|p| p.default.is_some());
                    if parameter.default.is_none() && default_before {
                        let message =
                            "parameter without a default follows parameter with a default";
                        return fail("parameter-order", message, here);
                    }
                    params.args.push(parameter);
                }
                ParamItem::Star(_) if star.is_some() && !self.comma_follows(here) => {
                    return fail("invalid-syntax", "invalid syntax", here);
                }
                ParamItem::VarArg(..) | ParamItem::Star(_) if star.is_some() => {
                    return fail("parameter-order", "* argument may appear only once", here);
                }
                ParamItem::VarArg(_, parameter) => {
                    star = Some(here);
                    params.vararg = Some(Box::new(parameter));
                }
                ParamItem::Star(_) => {
                    star = Some(here);
                    bare_star = star;
                }
                ParamItem::KwArg(parameter) => {
                    if let Some(star) = bare_star {
                        return fail("parameter-order", BARE_STAR, self.bare_star(star, lambda));
                    }
                    params.kwarg = Some(Box::new(parameter));
                }
                ParamItem::Slash(_) if slash_seen => {
                    return fail("parameter-order", "/ may appear only once", here);
                }
                ParamItem::Slash(_) if star.is_some() => {
                    return fail("parameter-order", "/ must be ahead of *", here);
                }
                ParamItem::Slash(_) if params.args.is_empty() => {
                    // CPython knows better only if another parameter may follow.
                    return match self.comma_follows(here) {
                        true => {
                            let message = "at least one argument must precede /";
                            fail("parameter-order", message, here)
                        }
                        false => fail("invalid-syntax", "invalid syntax", here),
                    };
                }
                ParamItem::Slash(_) => {
                    slash_seen = true;
                    params.posonly = std::mem::take(&mut params.args);
                }
            }
        }
        match bare_star {
            Some(star) => fail("parameter-order", BARE_STAR, self.bare_star(star, lambda)),
            None => Ok(params),
        }
    }
}

impl Builder<'_> {
    fn comma_follows(&self, span: Span) -> bool {
        self.text.get(span.end as usize..).unwrap_or("").trim_start().starts_with(',')
    }

    /// The place of the error for a bare star: in a lambda CPython points behind it.
    fn bare_star(&self, star: Span, lambda: bool) -> Span {
        let rest = &self.text[star.end as usize..];
        match rest.find([':', '*']) {
            Some(len) if lambda => {
                let at = star.end + len as u32;
                Span::new(at, at + if rest[len..].starts_with("**") { 2 } else { 1 })
            }
            _ => star,
        }
    }
}

const BARE_STAR: &str = "named arguments must follow bare *";

fn place(item: &ParamItem) -> Span {
    match item {
        ParamItem::Plain(parameter) | ParamItem::KwArg(parameter) => parameter.span,
        ParamItem::VarArg(at, _) | ParamItem::Star(at) | ParamItem::Slash(at) => {
            Span::new(*at, *at + 1)
        }
    }
}
