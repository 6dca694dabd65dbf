//! Walks the tree once and collects the scopes and what each name does in them.

use std::rc::Rc;

use miniscript_syntax::ast::*;
use miniscript_syntax::{Span, SyntaxError, Watch};
use rustc_hash::{FxHashMap, FxHashSet};

use super::scope::{FreeVars, Scope, ScopeId, ScopeKind, Sym, Symbols, mangle};

pub(super) type Done = Result<(), SyntaxError>;

/// The address by which a node finds its scope.
pub(super) fn node<T>(node: &T) -> usize {
    std::ptr::from_ref(node) as usize
}

/// Collects the scopes of `module`. `lazy_annotations`: annotations are kept as text, so their
/// names do not count.
pub(super) fn collect(
    module: &Module,
    lazy_annotations: bool,
    watch: &Watch<'_>,
) -> Result<Symbols, SyntaxError> {
    let symbols = Symbols {
        scopes: Vec::new(),
        vars: Vec::new(),
        by_node: FxHashMap::default(),
        warnings: Vec::new(),
    };
    let mut b = Builder { symbols, cur: 0, iters: Vec::new(), lazy_annotations, watch };
    b.enter(ScopeKind::Module, None, true);
    b.stmts(&module.body)?;
    Ok(b.symbols)
}

/// The walk: the scopes so far and where it is.
pub(super) struct Builder<'w> {
    pub symbols: Symbols,
    pub cur: ScopeId,
    /// For each open scope: whether the walk is inside of the iterable of a comprehension.
    pub iters: Vec<bool>,
    lazy_annotations: bool,
    pub watch: &'w Watch<'w>,
}

/// What a mention of a name does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Use {
    Load,
    Bind,
    Param,
    CompTarget,
}

impl Builder<'_> {
    pub fn enter(&mut self, kind: ScopeKind, key: Option<(usize, u8)>, own_unit: bool) {
        let id = self.symbols.scopes.len();
        let parent = (id > 0).then_some(self.cur);
        let (unit, private, depth) = match parent {
            None => (0, None, 0),
            Some(p) => {
                let p = &self.symbols.scopes[p];
                let unit = if own_unit { id } else { p.unit };
                let inlined = p.kind == ScopeKind::Comp && !own_unit;
                (unit, p.private.clone(), if inlined { p.comp_depth + 1 } else { 0 })
            }
        };
        self.symbols.scopes.push(Scope {
            kind,
            parent,
            unit,
            syms: FxHashMap::default(),
            order: Vec::new(),
            private,
            free: FreeVars::default(),
            class_cell: None,
            class_dict: None,
            is_async: false,
            is_generator: false,
            has_await: false,
            annotates: false,
            reads_locals: false,
            self_name: None,
            self_attrs: FxHashSet::default(),
            comp_depth: depth,
            role: "the definition of a generic",
        });
        if let Some(key) = key {
            self.symbols.by_node.insert(key, id);
        }
        self.cur = id;
        self.iters.push(self.iters.last() == Some(&true));
    }

    pub fn leave(&mut self) {
        self.iters.pop();
        self.cur = self.symbols.scopes[self.cur].parent.unwrap_or(0);
    }

    pub fn scope(&mut self) -> &mut Scope {
        &mut self.symbols.scopes[self.cur]
    }

    pub fn sym(&mut self, name: &str) -> (&mut Sym, Rc<str>) {
        let scope = &mut self.symbols.scopes[self.cur];
        let name = mangle(scope.private.as_deref(), name);
        let key: Rc<str> = match scope.syms.get_key_value(&*name) {
            Some((key, _)) => key.clone(),
            None => {
                let key: Rc<str> = Rc::from(&*name);
                scope.syms.insert(key.clone(), Sym::default());
                key
            }
        };
        let sym = scope.syms.entry(key.clone()).or_default();
        (sym, key)
    }

    pub fn name(&mut self, name: &str, how: Use, span: Span) -> Done {
        if how != Use::Load && name == "__debug__" {
            return Err(SyntaxError::new("scope", "cannot assign to __debug__", span));
        }
        let (sym, key) = self.sym(name);
        match how {
            Use::Load => {
                sym.used = true;
                let kind = self.scope().kind;
                match name {
                    "super" if !matches!(kind, ScopeKind::Module | ScopeKind::Class) => {
                        self.sym("__class__").0.used = true;
                    }
                    "locals" | "vars" | "dir" | "eval" | "exec" => {
                        let unit = self.scope().unit;
                        self.symbols.scopes[unit].reads_locals = true;
                    }
                    _ => {}
                }
                return Ok(());
            }
            Use::Param if sym.param => {
                let text = format!("duplicate argument '{key}' in function definition");
                return Err(SyntaxError::new("scope", text, span));
            }
            Use::Param => sym.param = true,
            Use::CompTarget if sym.walrus => {
                let text = format!(
                    "comprehension inner loop cannot rebind assignment expression target '{key}'"
                );
                return Err(SyntaxError::new("scope", text, span));
            }
            Use::CompTarget => sym.comp_target = true,
            Use::Bind => {}
        }
        sym.only_imported = false;
        if !sym.bound {
            sym.bound = true;
            self.scope().order.push(key);
        }
        Ok(())
    }

    fn bind(&mut self, ident: &Ident) -> Done {
        self.name(&ident.name, Use::Bind, ident.span)
    }

    fn stmts(&mut self, body: &[Stmt]) -> Done {
        body.iter().try_for_each(|s| self.stmt(s))
    }

    pub fn exprs(&mut self, list: &[Expr]) -> Done {
        list.iter().try_for_each(|e| self.expr(e))
    }

    pub fn opt(&mut self, e: &Option<Box<Expr>>) -> Done {
        e.as_deref().map_or(Ok(()), |e| self.expr(e))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Done {
        self.watch.step()?;
        match &stmt.kind {
            StmtKind::FunctionDef(def) => self.function(def),
            StmtKind::ClassDef(def) => self.class(def),
            StmtKind::Return(value) => self.opt(value),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|t| self.deleted(t)),
            StmtKind::Assign { targets, value } => {
                self.expr(value)?;
                targets.iter().try_for_each(|t| self.target(t))
            }
            StmtKind::TypeAlias(alias) => self.alias(alias),
            StmtKind::AugAssign { target, value, .. } => {
                if let ExprKind::Name(name) = &target.kind {
                    self.name(name, Use::Load, target.span)?;
                    self.name(name, Use::Bind, target.span)?;
                } else {
                    self.target(target)?;
                }
                self.expr(value)
            }
            StmtKind::AnnAssign(ann) => self.ann_assign(ann, stmt.span),
            StmtKind::For(s) => {
                self.target(&s.target)?;
                self.expr(&s.iter)?;
                self.stmts(&s.body)?;
                self.stmts(&s.orelse)
            }
            StmtKind::While(s) => {
                self.expr(&s.test)?;
                self.stmts(&s.body)?;
                self.stmts(&s.orelse)
            }
            StmtKind::If(s) => {
                for branch in &s.branches {
                    self.expr(&branch.test)?;
                    self.stmts(&branch.body)?;
                }
                self.stmts(&s.orelse)
            }
            StmtKind::With(s) => {
                for item in &s.items {
                    self.expr(&item.context_expr)?;
                    if let Some(target) = &item.target {
                        self.target(target)?;
                    }
                }
                self.stmts(&s.body)
            }
            StmtKind::Match(s) => {
                self.expr(&s.subject)?;
                for case in &s.cases {
                    self.pattern(&case.pattern)?;
                    if let Some(guard) = &case.guard {
                        self.expr(guard)?;
                    }
                    self.stmts(&case.body)?;
                }
                Ok(())
            }
            StmtKind::Raise { exc, cause } => {
                self.opt(exc)?;
                self.opt(cause)
            }
            StmtKind::Try(s) => {
                self.stmts(&s.body)?;
                for handler in &s.handlers {
                    if let Some(typ) = &handler.typ {
                        self.expr(typ)?;
                    }
                    if let Some(name) = &handler.name {
                        self.bind(name)?;
                    }
                    self.stmts(&handler.body)?;
                }
                self.stmts(&s.orelse)?;
                self.stmts(&s.finalbody)
            }
            StmtKind::Assert { test, msg } => {
                self.doubt_assertion(test, stmt.span);
                self.expr(test)?;
                self.opt(msg)
            }
            StmtKind::Import(names) => names.iter().try_for_each(|alias| {
                let ident = alias.asname.as_ref().unwrap_or(&alias.name);
                let name = ident.name.split('.').next().unwrap_or_default();
                self.import(name, stmt.span)
            }),
            StmtKind::ImportFrom(import) => self.import_from(import, stmt.span),
            StmtKind::Global(names) => {
                names.iter().try_for_each(|n| self.declare(n, true, stmt.span))
            }
            StmtKind::Nonlocal(names) => {
                names.iter().try_for_each(|n| self.declare(n, false, stmt.span))
            }
            StmtKind::Expr(e) => self.expr(e),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
        }
    }

    fn import_from(&mut self, import: &ImportFrom, span: Span) -> Done {
        for alias in &import.names {
            if &*alias.name.name == "*" {
                if self.scope().kind != ScopeKind::Module {
                    let text = "import * only allowed at module level";
                    return Err(SyntaxError::new("scope", text, alias.span));
                }
                continue;
            }
            let ident = alias.asname.as_ref().unwrap_or(&alias.name);
            self.import(&ident.name, span)?;
        }
        Ok(())
    }

    /// What an import binds may be declared global afterwards, as in CPython.
    fn import(&mut self, name: &str, span: Span) -> Done {
        let sym = self.sym(name).0;
        let first = !sym.bound || sym.only_imported;
        self.name(name, Use::Bind, span)?;
        self.sym(name).0.only_imported = first;
        Ok(())
    }

    /// `global name` or `nonlocal name`.
    fn declare(&mut self, ident: &Ident, global: bool, span: Span) -> Done {
        let word = if global { "global" } else { "nonlocal" };
        let module = self.scope().kind == ScopeKind::Module;
        let (sym, key) = self.sym(&ident.name);
        let text = if sym.param {
            format!("name '{key}' is parameter and {word}")
        } else if sym.used {
            format!("name '{key}' is used prior to {word} declaration")
        } else if sym.annotated {
            format!("annotated name '{key}' can't be {word}")
        } else if sym.bound && !sym.only_imported {
            format!("name '{key}' is assigned to before {word} declaration")
        } else if !global && module {
            "nonlocal declaration not allowed at module level".to_owned()
        } else {
            if !sym.global && !sym.nonlocal {
                sym.declared_at = span;
            }
            if global {
                sym.global = true;
                // The module's own code means the same variable.
                self.symbols.scopes[0].syms.entry(key).or_default().global = true;
            } else {
                sym.nonlocal = true;
            }
            return Ok(());
        };
        Err(SyntaxError::new("scope", text, span))
    }

    fn ann_assign(&mut self, ann: &AnnAssign, span: Span) -> Done {
        if let ExprKind::Name(name) = &ann.target.kind {
            let module = self.scope().kind == ScopeKind::Module;
            let (sym, key) = self.sym(name);
            if ann.simple && (sym.global || sym.nonlocal) && !module {
                let word = if sym.global { "global" } else { "nonlocal" };
                let text = format!("annotated name '{key}' can't be {word}");
                return Err(SyntaxError::new("scope", text, span));
            }
            if ann.simple {
                sym.annotated = true;
                self.scope().annotates = true;
            }
            if ann.simple || ann.value.is_some() {
                self.name(name, Use::Bind, ann.target.span)?;
            }
        } else {
            self.target(&ann.target)?;
        }
        self.annotation(&ann.annotation)?;
        ann.value.as_ref().map_or(Ok(()), |v| self.expr(v))
    }

    fn annotation(&mut self, e: &Expr) -> Done {
        if self.lazy_annotations { Ok(()) } else { self.expr(e) }
    }

    fn function(&mut self, def: &FunctionDef) -> Done {
        self.bind(&def.name)?;
        self.exprs(&def.decorators)?;
        self.defaults(&def.params)?;
        let generic = !def.type_params.is_empty();
        if generic {
            self.enter(ScopeKind::TypeScope, Some((node(def), 1)), true);
            for name in [".defaults", ".kwdefaults"] {
                self.name(name, Use::Param, def.name.span)?;
            }
            self.type_params(&def.type_params)?;
        }
        for p in parameters(&def.params) {
            if let Some(annotation) = &p.annotation {
                self.annotation(annotation)?;
            }
        }
        if let Some(returns) = &def.returns {
            self.annotation(returns)?;
        }
        let in_class = self.symbols.scopes[self.cur].kind == ScopeKind::Class;
        self.enter(ScopeKind::Function, Some((node(def), 0)), true);
        self.scope().is_async = def.is_async;
        self.params(&def.params)?;
        if in_class {
            let first = def.params.posonly.first().or(def.params.args.first());
            self.scope().self_name = first.map(|p| Rc::from(&*p.name.name));
        }
        self.stmts(&def.body)?;
        self.leave();
        if generic {
            self.leave();
        }
        Ok(())
    }

    pub fn defaults(&mut self, params: &Parameters) -> Done {
        for p in parameters(params) {
            if let Some(default) = &p.default {
                self.expr(default)?;
            }
        }
        Ok(())
    }

    pub fn params(&mut self, params: &Parameters) -> Done {
        for p in parameters(params) {
            self.name(&p.name.name, Use::Param, p.span)?;
        }
        Ok(())
    }

    fn class(&mut self, def: &ClassDef) -> Done {
        self.bind(&def.name)?;
        self.exprs(&def.decorators)?;
        let generic = !def.type_params.is_empty();
        if generic {
            self.enter(ScopeKind::TypeScope, Some((node(def), 1)), true);
            self.scope().private = Some(Rc::from(&*def.name.name));
            self.type_params(&def.type_params)?;
            self.name(".type_params", Use::Bind, def.name.span)?;
        }
        self.exprs(&def.bases)?;
        for k in &def.keywords {
            self.expr(&k.value)?;
        }
        self.enter(ScopeKind::Class, Some((node(def), 0)), true);
        self.scope().private = Some(Rc::from(&*def.name.name));
        if generic {
            self.name(".type_params", Use::Load, def.name.span)?;
        }
        self.stmts(&def.body)?;
        self.leave();
        if generic {
            self.leave();
        }
        Ok(())
    }

    fn type_params(&mut self, list: &[TypeParam]) -> Done {
        for p in list {
            let (sym, key) = self.sym(&p.name.name);
            if sym.type_param {
                let text = format!("duplicate type parameter '{key}'");
                return Err(SyntaxError::new("scope", text, p.span));
            }
            sym.type_param = true;
            self.bind(&p.name)?;
            if let TypeParamKind::TypeVar { bound: Some(bound) } = &p.kind {
                self.enter(ScopeKind::TypeScope, Some((node(p), 0)), true);
                self.scope().role = "a TypeVar bound";
                self.expr(bound)?;
                self.leave();
            }
        }
        Ok(())
    }

    fn alias(&mut self, alias: &TypeAlias) -> Done {
        self.bind(&alias.name)?;
        let generic = !alias.type_params.is_empty();
        if generic {
            self.enter(ScopeKind::TypeScope, Some((node(alias), 1)), true);
            self.type_params(&alias.type_params)?;
        }
        self.enter(ScopeKind::TypeScope, Some((node(alias), 0)), true);
        self.scope().role = "a type alias";
        self.expr(&alias.value)?;
        self.leave();
        if generic {
            self.leave();
        }
        Ok(())
    }

    /// The target of a deletion.
    fn deleted(&mut self, e: &Expr) -> Done {
        match &e.kind {
            ExprKind::Name(name) if &**name == "__debug__" => {
                Err(SyntaxError::new("scope", "cannot delete __debug__", e.span))
            }
            ExprKind::Tuple(list) | ExprKind::List(list) => {
                list.iter().try_for_each(|e| self.deleted(e))
            }
            ExprKind::Attribute { value, attr, .. } => {
                self.note_self_attr(value, attr);
                self.expr(value)
            }
            _ => self.target(e),
        }
    }

    /// The target of an assignment.
    pub fn target(&mut self, e: &Expr) -> Done {
        match &e.kind {
            ExprKind::Name(name) => {
                let comp = self.scope().kind.is_comp();
                self.name(name, if comp { Use::CompTarget } else { Use::Bind }, e.span)
            }
            ExprKind::Tuple(list) | ExprKind::List(list) => {
                list.iter().try_for_each(|e| self.target(e))
            }
            ExprKind::Starred(inner) => self.target(inner),
            ExprKind::Attribute { value, attr, .. } => {
                if &**attr == "__debug__" {
                    return Err(SyntaxError::new("scope", "cannot assign to __debug__", e.span));
                }
                self.note_self_attr(value, attr);
                self.expr(value)
            }
            ExprKind::Subscript { value, index } => {
                self.expr(value)?;
                self.expr(index)
            }
            _ => self.expr(e),
        }
    }

    fn note_self_attr(&mut self, object: &Expr, attr: &str) {
        let scope = &self.symbols.scopes[self.cur];
        if let (ExprKind::Name(name), Some(me)) = (&object.kind, &scope.self_name)
            && **name == **me
            && let Some(class) = scope.parent
        {
            self.symbols.scopes[class].self_attrs.insert(attr.into());
        }
    }

    fn pattern(&mut self, p: &Pattern) -> Done {
        match &p.kind {
            PatternKind::Value(e) => self.expr(e),
            PatternKind::Singleton(_) | PatternKind::Wildcard | PatternKind::Star(None) => Ok(()),
            PatternKind::Sequence(list) | PatternKind::Or(list) => {
                list.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::Star(Some(name)) | PatternKind::Capture(name) => {
                self.name(&name.name, Use::Bind, p.span)
            }
            PatternKind::Mapping { items, rest } => {
                for item in items {
                    self.expr(&item.key)?;
                    self.pattern(&item.pattern)?;
                }
                rest.as_ref().map_or(Ok(()), |r| self.bind(r))
            }
            PatternKind::Class(class) => {
                self.expr(&class.cls)?;
                class.patterns.iter().try_for_each(|p| self.pattern(p))?;
                class.keywords.iter().try_for_each(|k| {
                    no_debug(&k.attr, k.pattern.span)?;
                    self.pattern(&k.pattern)
                })
            }
            PatternKind::As { pattern, name } => {
                self.pattern(pattern)?;
                self.bind(name)
            }
        }
    }
}

/// An error if `__debug__` is given a value as a keyword.
pub(super) fn no_debug(ident: &Ident, span: Span) -> Done {
    match &*ident.name {
        "__debug__" => Err(SyntaxError::new("scope", "cannot assign to __debug__", span)),
        _ => Ok(()),
    }
}

/// All parameters in the order of their registers.
pub(super) fn parameters(params: &Parameters) -> impl Iterator<Item = &Parameter> {
    params
        .posonly
        .iter()
        .chain(&params.args)
        .chain(&params.kwonly)
        .chain(params.vararg.as_deref())
        .chain(params.kwarg.as_deref())
}
