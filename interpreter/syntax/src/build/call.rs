//! Arguments of calls and of class definitions.

use std::collections::HashSet;

use super::{Builder, Built, fail};
use crate::Span;
use crate::ast::*;

/// One argument, in source order.
pub enum ArgItem {
    Positional(Expr),
    Starred(Expr),
    Keyword(Keyword),
    DoubleStarred(Keyword),
    /// A generator expression without parentheses of its own.
    Generator {
        l: u32,
        elt: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    },
}

impl Builder<'_> {
    pub fn arg_generator(
        &self,
        l: u32,
        elt: Expr,
        generators: Vec<Comprehension>,
        r: u32,
    ) -> ArgItem {
        ArgItem::Generator { l, elt, generators, r }
    }

    /// `m` is where `:=` stands.
    pub fn arg_named(&self, l: u32, target: Expr, m: u32, value: Expr, r: u32) -> Built<Expr> {
        if !matches!(target.kind, ExprKind::Name(_)) || target.span.start != l {
            return fail("invalid-syntax", "invalid syntax", Span::new(m, m + 2));
        }
        self.named(l, target, value, r)
    }

    /// `m` is the end of `=`.
    pub fn arg_keyword(&self, l: u32, key: Expr, m: u32, value: Expr, r: u32) -> Built<ArgItem> {
        let to_equal = Span::new(key.span.start, m);
        match key.kind {
            ExprKind::Name(name) if key.span.start == l => {
                let arg = Some(Ident { name, span: key.span });
                Ok(ArgItem::Keyword(Keyword { span: Span::new(l, r), arg, value }))
            }
            ExprKind::Constant(Constant::None | Constant::True | Constant::False) => {
                let message = format!("cannot assign to {}", super::expr_name(&key));
                fail("assign-to-constant", message, to_equal)
            }
            _ => {
                let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
                fail("assign-in-argument", message, to_equal)
            }
        }
    }

    pub fn arg_starred(&self, l: u32, e: Expr, r: u32) -> ArgItem {
        ArgItem::Starred(self.starred(l, e, r))
    }

    pub fn arg_double_starred(&self, l: u32, value: Expr, r: u32) -> ArgItem {
        ArgItem::DoubleStarred(Keyword { span: Span::new(l, r), arg: None, value })
    }

    /// `open` is where the opening parenthesis stands.
    pub fn call(&self, l: u32, func: Expr, open: u32, items: Vec<ArgItem>, r: u32) -> Built<Expr> {
        if let [ArgItem::Generator { .. }] = items.as_slice() {
            return self.call_generator(l, func, open, items, r);
        }
        let (args, keywords) = self.arguments(items, r)?;
        Ok(self.expr(l, ExprKind::Call(Box::new(Call { func, args, keywords })), r))
    }

    /// `f(x for x in y)`: the parentheses serve both.
    fn call_generator(
        &self,
        l: u32,
        func: Expr,
        open: u32,
        items: Vec<ArgItem>,
        r: u32,
    ) -> Built<Expr> {
        let mut args = Vec::new();
        for item in items {
            if let ArgItem::Generator { l, elt, generators, r: end } = item {
                let between = self.slice_of(end, r);
                if between.trim_start().starts_with(',') {
                    return bare_generator(Span::new(l, end));
                }
                args.push(self.generator(open, elt, generators, r)?);
            }
        }
        let call = Call { func, args, keywords: Vec::new() };
        Ok(self.expr(l, ExprKind::Call(Box::new(call)), r))
    }

    /// Sorts arguments; `r` is the end of the closing parenthesis.
    pub fn arguments(&self, items: Vec<ArgItem>, r: u32) -> Built<(Vec<Expr>, Vec<Keyword>)> {
        let mut args = Vec::with_capacity(items.len());
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut unpacked = false;
        let close = Span::new(r.saturating_sub(1), r);
        for item in items {
            match item {
                ArgItem::Positional(_) if unpacked => {
                    let message = "positional argument follows keyword argument unpacking";
                    return fail("argument-order", message, close);
                }
                ArgItem::Positional(_) if !keywords.is_empty() => {
                    let message = "positional argument follows keyword argument";
                    return fail("argument-order", message, close);
                }
                ArgItem::Starred(e) if unpacked => {
                    let message = "iterable argument unpacking follows keyword argument unpacking";
                    let at = e.span.start;
                    return fail("argument-order", message, Span::new(at, at + 1));
                }
                ArgItem::Positional(e) | ArgItem::Starred(e) => args.push(e),
                ArgItem::Keyword(keyword) => keywords.push(keyword),
                ArgItem::DoubleStarred(keyword) => {
                    unpacked = true;
                    keywords.push(keyword);
                }
                ArgItem::Generator { l, r, .. } => return bare_generator(Span::new(l, r)),
            }
        }
        check_repeated(&keywords)?;
        Ok((args, keywords))
    }
}

fn bare_generator<T>(span: Span) -> Built<T> {
    fail("bare-generator", "Generator expression must be parenthesized", span)
}

fn check_repeated(keywords: &[Keyword]) -> Built<()> {
    if keywords.len() < 2 {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(keywords.len());
    for keyword in keywords {
        if let Some(arg) = &keyword.arg
            && !seen.insert(&*arg.name)
        {
            let message = format!("keyword argument repeated: {}", arg.name);
            return fail("repeated-keyword", message, keyword.span);
        }
    }
    Ok(())
}
