//! Statements.

use super::{ArgItem, BinaryOp, Builder, Built, ParamItem, fail, target::Use};
use crate::Span;
use crate::ast::*;

/// An `except` clause, and whether it is `except*`.
pub type HandlerItem = (ExceptHandler, bool);

/// The end of a block: of its last statement, which is not what lalrpop's `@R` says after a dedent.
pub fn end_of(body: &[Stmt], otherwise: u32) -> u32 {
    body.last().map_or(otherwise, |stmt| stmt.span.end)
}

impl Builder<'_> {
    pub fn stmt(&self, l: u32, kind: StmtKind, r: u32) -> Stmt {
        Stmt { span: Span::new(l, r), kind }
    }

    /// `a = b = value`, or an expression alone.
    pub fn assign(&self, l: u32, mut chain: Vec<Expr>, r: u32) -> Built<Stmt> {
        // The grammar gives at least one.
        let Some(value) = chain.pop() else { return Ok(self.stmt(l, StmtKind::Pass, r)) };
        if chain.is_empty() {
            let value = Box::new(self.no_star(value)?);
            return Ok(self.stmt(l, StmtKind::Expr(value), r));
        }
        self.check_assign_targets(&chain, &value)?;
        let value = Box::new(self.no_star(value)?);
        Ok(self.stmt(l, StmtKind::Assign { targets: chain, value }, r))
    }

    pub fn aug_assign(
        &self,
        l: u32,
        target: Expr,
        op: BinaryOp,
        value: Expr,
        r: u32,
    ) -> Built<Stmt> {
        if !is_single_target(&target) {
            let name = super::expr_name(&target);
            let message = format!("'{name}' is an illegal expression for augmented assignment");
            return fail("bad-target", message, target.span);
        }
        let (op, op_span) = op;
        let value = Box::new(self.no_star(value)?);
        let kind = StmtKind::AugAssign { target: Box::new(target), op, op_span, value };
        Ok(self.stmt(l, kind, r))
    }

    pub fn ann_assign(
        &self,
        l: u32,
        target: Expr,
        annotation: Expr,
        value: Option<Expr>,
        r: u32,
    ) -> Built<Stmt> {
        if !is_single_target(&target) {
            let message = match target.kind {
                ExprKind::Tuple(_) => "only single target (not tuple) can be annotated",
                ExprKind::List(_) => "only single target (not list) can be annotated",
                _ => "illegal target for annotation",
            };
            let span = match &target.kind {
                ExprKind::Tuple(items) if !self.opens_with_paren(&target) => {
                    items.first().map_or(target.span, |item| item.span)
                }
                _ => target.span,
            };
            return fail("bad-annotation", message, span);
        }
        let simple = matches!(target.kind, ExprKind::Name(_)) && target.span.start == l;
        let value = value.map(|v| self.no_star(v)).transpose()?;
        let node = AnnAssign { target, annotation, value, simple };
        Ok(self.stmt(l, StmtKind::AnnAssign(Box::new(node)), r))
    }

    pub fn return_stmt(&self, l: u32, value: Option<Expr>, r: u32) -> Built<Stmt> {
        let value = value.map(|v| self.no_star(v)).transpose()?;
        Ok(self.stmt(l, StmtKind::Return(value.map(Box::new)), r))
    }

    pub fn raise(&self, l: u32, exc: Option<Expr>, cause: Option<Expr>, r: u32) -> Stmt {
        let (exc, cause) = (exc.map(Box::new), cause.map(Box::new));
        self.stmt(l, StmtKind::Raise { exc, cause }, r)
    }

    pub fn delete(&self, l: u32, targets: Vec<Expr>, r: u32) -> Built<Stmt> {
        for target in &targets {
            self.check_target(target, Use::Delete)?;
        }
        Ok(self.stmt(l, StmtKind::Delete(targets), r))
    }

    pub fn assert(&self, l: u32, test: Expr, msg: Option<Expr>, r: u32) -> Stmt {
        let (test, msg) = (Box::new(test), msg.map(Box::new));
        self.stmt(l, StmtKind::Assert { test, msg }, r)
    }

    pub fn alias(&self, l: u32, name: Ident, asname: Option<Ident>, r: u32) -> Alias {
        Alias { span: Span::new(l, r), name, asname }
    }

    pub fn star_alias(&self, l: u32, r: u32) -> Alias {
        let span = Span::new(l, r);
        Alias { span, name: Ident { name: "*".into(), span }, asname: None }
    }

    pub fn dotted_ident(&self, l: u32, parts: Vec<Ident>, r: u32) -> Ident {
        let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
        Ident { name: names.join(".").into(), span: Span::new(l, r) }
    }

    pub fn import_from(
        &self,
        l: u32,
        (level, module): (u32, Option<Ident>),
        names: Vec<Alias>,
        r: u32,
    ) -> Stmt {
        let node = ImportFrom { module, names, level };
        self.stmt(l, StmtKind::ImportFrom(Box::new(node)), r)
    }

    pub fn type_alias(
        &self,
        l: u32,
        name: Ident,
        type_params: Vec<TypeParam>,
        value: Expr,
        r: u32,
    ) -> Stmt {
        let node = TypeAlias { name, type_params, value };
        self.stmt(l, StmtKind::TypeAlias(Box::new(node)), r)
    }

    pub fn type_param(&self, l: u32, name: Ident, kind: TypeParamKind, r: u32) -> TypeParam {
        TypeParam { span: Span::new(l, r), name, kind }
    }

    pub fn sync(&self, f: FunctionDef) -> FunctionDef {
        f
    }

    pub fn make_async(&self, mut f: FunctionDef) -> FunctionDef {
        f.is_async = true;
        f
    }

    pub fn function_core(
        &self,
        name: Ident,
        type_params: Vec<TypeParam>,
        params: Vec<ParamItem>,
        returns: Option<Expr>,
        body: Vec<Stmt>,
    ) -> Built<FunctionDef> {
        let params = self.parameters(params, false)?;
        let decorators = Vec::new();
        Ok(FunctionDef { name, type_params, params, returns, body, decorators, is_async: false })
    }

    pub fn function(&self, l: u32, decorators: Vec<Expr>, mut f: FunctionDef) -> Stmt {
        f.decorators = decorators;
        let end = end_of(&f.body, l);
        self.stmt(l, StmtKind::FunctionDef(Box::new(f)), end)
    }

    pub fn class_core(
        &self,
        name: Ident,
        type_params: Vec<TypeParam>,
        items: Vec<ArgItem>,
        r: u32,
        body: Vec<Stmt>,
    ) -> Built<ClassDef> {
        for item in &items {
            if let ArgItem::Generator { generators, .. } = item {
                let at = generators.first().map_or(r, |clause| clause.span.start);
                return fail("invalid-syntax", "invalid syntax", self.word_at(at));
            }
        }
        let (bases, keywords) = self.arguments(items, r)?;
        Ok(ClassDef { name, type_params, bases, keywords, body, decorators: Vec::new() })
    }

    pub fn class(&self, l: u32, decorators: Vec<Expr>, mut c: ClassDef) -> Stmt {
        c.decorators = decorators;
        let end = end_of(&c.body, l);
        self.stmt(l, StmtKind::ClassDef(Box::new(c)), end)
    }

    pub fn elif(
        &self,
        mut branches: Vec<IfBranch>,
        l: u32,
        test: Expr,
        body: Vec<Stmt>,
    ) -> Vec<IfBranch> {
        branches.push(IfBranch { span: Span::new(l, end_of(&body, l)), test, body });
        branches
    }

    pub fn if_stmt(
        &self,
        l: u32,
        test: Expr,
        body: Vec<Stmt>,
        mut elifs: Vec<IfBranch>,
        orelse: Vec<Stmt>,
    ) -> Stmt {
        elifs.insert(0, IfBranch { span: Span::new(l, end_of(&body, l)), test, body });
        let branches_end = elifs.last().map_or(l, |branch| branch.span.end);
        let end = end_of(&orelse, branches_end);
        self.stmt(l, StmtKind::If(Box::new(If { branches: elifs, orelse })), end)
    }

    pub fn while_stmt(&self, l: u32, test: Expr, body: Vec<Stmt>, orelse: Vec<Stmt>) -> Stmt {
        let end = end_of(&orelse, end_of(&body, l));
        self.stmt(l, StmtKind::While(Box::new(While { test, body, orelse })), end)
    }

    pub fn for_core(
        &self,
        target: Expr,
        iter: Expr,
        body: Vec<Stmt>,
        orelse: Vec<Stmt>,
    ) -> Built<For> {
        self.check_target(&target, Use::For)?;
        let iter = self.no_star(iter)?;
        Ok(For { target, iter, body, orelse, is_async: false })
    }

    pub fn for_stmt(&self, l: u32, is_async: bool, mut f: For) -> Stmt {
        f.is_async = is_async;
        let end = end_of(&f.orelse, end_of(&f.body, l));
        self.stmt(l, StmtKind::For(Box::new(f)), end)
    }

    pub fn with_item(
        &self,
        l: u32,
        context_expr: Expr,
        target: Option<Expr>,
        r: u32,
    ) -> Built<WithItem> {
        if let Some(target) = &target {
            self.check_target(target, Use::Assign)?;
        }
        Ok(WithItem { span: Span::new(l, r), context_expr, target })
    }

    pub fn with_core(&self, items: Vec<WithItem>, body: Vec<Stmt>) -> With {
        With { items, body, is_async: false }
    }

    pub fn with(&self, l: u32, is_async: bool, mut w: With) -> Stmt {
        w.is_async = is_async;
        let end = end_of(&w.body, l);
        self.stmt(l, StmtKind::With(Box::new(w)), end)
    }

    pub fn handler(
        &self,
        l: u32,
        is_star: bool,
        typ: Option<Expr>,
        name: Option<Ident>,
        body: Vec<Stmt>,
    ) -> HandlerItem {
        (ExceptHandler { span: Span::new(l, end_of(&body, l)), typ, name, body }, is_star)
    }

    pub fn try_stmt(
        &self,
        l: u32,
        body: Vec<Stmt>,
        handlers: Vec<HandlerItem>,
        orelse: Vec<Stmt>,
        finalbody: Vec<Stmt>,
    ) -> Built<Stmt> {
        let is_star = handlers.first().is_some_and(|(_, star)| *star);
        for (i, (handler, star)) in handlers.iter().enumerate() {
            if *star != is_star {
                let message = "cannot have both 'except' and 'except*' on the same 'try'";
                let at = handler.span.start;
                let to_star = self.text[at as usize..].find('*').filter(|_| *star);
                let len = to_star.map_or(6, |len| len as u32 + 1);
                return fail("mixed-except", message, Span::new(at, at + len));
            }
            if handler.typ.is_none() && i + 1 < handlers.len() {
                let message = "default 'except:' must be last";
                return fail("except-order", message, handler.span);
            }
        }
        let handlers: Vec<_> = handlers.into_iter().map(|(handler, _)| handler).collect();
        let handlers_end = handlers.last().map_or(end_of(&body, l), |handler| handler.span.end);
        let end = end_of(&finalbody, end_of(&orelse, handlers_end));
        let node = Try { body, handlers, orelse, finalbody, is_star };
        Ok(self.stmt(l, StmtKind::Try(Box::new(node)), end))
    }

    pub fn match_stmt(&self, l: u32, subject: Expr, cases: Vec<MatchCase>) -> Stmt {
        let end = cases.last().map_or(l, |case| case.span.end);
        self.stmt(l, StmtKind::Match(Box::new(Match { subject, cases })), end)
    }
}

fn is_single_target(e: &Expr) -> bool {
    matches!(e.kind, ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. })
}
