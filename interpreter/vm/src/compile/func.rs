//! Functions, lambdas, and generic definitions (PEP 695).

use std::rc::Rc;
use std::sync::Arc;

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::collect::{node, parameters};
use super::fold::fold;
use super::scope::{ScopeId, mangle};
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::{Op, Special};
use crate::code::proto::{CodeFlags, CodeProto, Const};

/// From so many values on defaults and annotations are collected piecewise.
const ROW: usize = 30;

impl<'a> Compiler<'a> {
    /// The scope that `at` opens.
    pub fn scope_of<T>(&self, at: &T, which: u8) -> ScopeId {
        self.syms.by_node.get(&(node(at), which)).copied().unwrap_or(0)
    }

    /// The line of the definition: of its first decorator if it has one.
    pub fn definition_line(&self, decorators: &[Expr], span: Span) -> u32 {
        // The `@` stands before the expression, on its line unless someone was very inventive.
        let start = decorators.first().map_or(span.start, |d| d.span.start);
        self.source.line(start)
    }

    pub fn function_def(&mut self, def: &'a FunctionDef, span: Span) -> Res {
        let line = self.definition_line(&def.decorators, span);
        self.decorated(&def.decorators, |c, f| {
            if def.type_params.is_empty() {
                let flags = c.defaults(&def.params, f)?;
                return c.function(def, f, flags, line, span);
            }
            c.generic_function(def, f, line, span)
        })?;
        // `decorated` leaves the value in the first temporary it took.
        let f = self.u.top;
        self.u.top += 1;
        let name = self.mangled(&def.name.name);
        self.store_name(&name, f, span)
    }

    /// Computes the decorators, then what they decorate by `make`, and applies them. The result
    /// is in the temporary at the top of the stack before.
    pub fn decorated(
        &mut self,
        decorators: &'a [Expr],
        make: impl FnOnce(&mut Compiler<'a>, u32) -> Res,
    ) -> Res {
        let first = self.u.top;
        if decorators.len() > ROW {
            return self.decorated_by_many(decorators, make);
        }
        for d in decorators {
            let t = self.tmp()?;
            self.expr(d, t)?;
        }
        let f = self.tmp()?;
        make(self, f)?;
        self.u.top = f + 1;
        for (i, d) in decorators.iter().enumerate().rev() {
            self.op(Op::CALL, first + i as u32, 1, 0, d.span);
        }
        self.u.top = first;
        Ok(())
    }

    /// [`Self::decorated`] with the decorators in far registers.
    fn decorated_by_many(
        &mut self,
        decorators: &'a [Expr],
        make: impl FnOnce(&mut Compiler<'a>, u32) -> Res,
    ) -> Res {
        let mark = self.u.top;
        let far = self.far_tmps(decorators.len() as u32);
        let row = self.tmps(2)?;
        for (i, d) in decorators.iter().enumerate() {
            self.expr(d, row)?;
            self.save_far(row, far + i as u32, 1);
        }
        make(self, row + 1)?;
        for (i, d) in decorators.iter().enumerate().rev() {
            self.load_far(row, far + i as u32, 1);
            self.op(Op::CALL, row, 1, 0, d.span);
            if i > 0 {
                self.mov(row + 1, row);
            }
        }
        self.free_far(far);
        self.u.top = mark;
        Ok(())
    }

    /// Computes the defaults for a `MKFUNC f` into the registers after `f`; its flags.
    fn defaults(&mut self, params: &'a Parameters, f: u32) -> Res<u32> {
        self.u.top = self.u.top.max(f + 1);
        let row = self.tmps(3)?;
        let mut flags = 0;
        let positional: Vec<&'a Expr> =
            params.posonly.iter().chain(&params.args).filter_map(|p| p.default.as_ref()).collect();
        if !positional.is_empty() {
            flags |= 1;
            self.tuple_of(&positional, row)?;
        }
        let pairs: Vec<_> = params
            .kwonly
            .iter()
            .filter_map(|p| Some((&p.name, Value::Expr(p.default.as_ref()?))))
            .collect();
        if !pairs.is_empty() {
            flags |= 2;
            self.dict_of(&pairs, row + 1)?;
        }
        Ok(flags)
    }

    /// `R[dst]` = tuple of the expressions; `dst` is a temporary.
    pub fn tuple_of(&mut self, list: &[&'a Expr], dst: u32) -> Res {
        let none = Span::default();
        if let Some(values) = list.iter().map(|e| fold(e)).collect::<Option<Vec<_>>>() {
            self.load_const(dst, Const::Tuple(values));
            return Ok(());
        }
        let mark = self.u.top;
        if list.len() <= ROW.min(self.room() as usize / 2) {
            for e in list {
                let t = self.tmp()?;
                self.expr(e, t)?;
            }
            self.op(Op::MKTUPLE, dst, mark, list.len() as u32, none);
        } else {
            self.op(Op::MKLIST, dst, dst, 0, none);
            for e in list {
                let r = self.operand(e, None, true)?;
                self.op(Op::APPEND, dst, r, 0, none);
                self.u.top = mark;
            }
            self.op(Op::LISTTUPLE, dst, dst, 0, none);
        }
        self.u.top = mark;
        Ok(())
    }

    /// `R[dst]` = dict of the values by (mangled) name; `dst` is a temporary.
    fn dict_of(&mut self, pairs: &[(&'a Ident, Value<'a>)], dst: u32) -> Res {
        let none = Span::default();
        let mark = self.u.top;
        let small = pairs.len() <= ROW.min(self.room() as usize / 2) / 2;
        if !small {
            self.op(Op::MKDICT, dst, dst, 0, none);
        }
        for (name, value) in pairs {
            let t = self.tmps(2)?;
            let name = self.mangled(&name.name);
            self.load_str(t, &name);
            match value {
                Value::Expr(e) => self.expr(e, t + 1)?,
                Value::Annotation(e) => self.annotation_value(e, t + 1)?,
            }
            if !small {
                self.op(Op::DICTADD, dst, t, t + 1, none);
                self.u.top = mark;
            }
        }
        if small {
            self.op(Op::MKDICT, dst, mark, pairs.len() as u32, none);
        }
        self.u.top = mark;
        Ok(())
    }

    /// An annotation: its value, or its text if annotations are lazy.
    pub fn annotation_value(&mut self, e: &'a Expr, dst: u32) -> Res {
        if self.lazy_annotations {
            let text = super::unparse::annotation(self.source.text(), e);
            self.load_str(dst, &text);
            return Ok(());
        }
        if let ExprKind::Starred(inner) = &e.kind {
            let r = self.operand(inner, Some(dst), true)?;
            self.op(Op::UNPACK, dst, r, 1, e.span);
            return Ok(());
        }
        self.expr(e, dst)
    }

    fn annotations(&mut self, def: &'a FunctionDef, f: u32) -> Res<u32> {
        let p = &def.params;
        let params = (p.posonly.iter().chain(&p.args).chain(p.vararg.as_deref()))
            .chain(&p.kwonly)
            .chain(p.kwarg.as_deref());
        let pairs: Vec<_> = params
            .filter_map(|p| Some((&p.name, Value::Annotation(p.annotation.as_ref()?))))
            .collect();
        if pairs.is_empty() && def.returns.is_none() {
            return Ok(0);
        }
        self.dict_of(&pairs, f + 3)?;
        if let Some(returns) = &def.returns {
            let t = self.tmps(2)?;
            self.load_str(t, "return");
            self.annotation_value(returns, t + 1)?;
            self.op(Op::DICTADD, f + 3, t, t + 1, Span::default());
            self.u.top = t;
        }
        Ok(4)
    }

    /// Makes the function in `R[f]`, whose defaults (as `flags` say) are in place.
    fn function(&mut self, def: &'a FunctionDef, f: u32, flags: u32, line: u32, span: Span) -> Res {
        self.u.top = f + 4;
        let flags = flags | self.annotations(def, f)?;
        let scope = self.scope_of(def, 0);
        let generator = self.syms.scopes[scope].is_generator;
        let code_flags = CodeFlags { generator, coroutine: def.is_async, ..CodeFlags::default() };
        self.begin_function(scope, &def.name.name, &def.params, code_flags, line)?;
        if let Some(text) = docstring(&def.body) {
            self.u.proto.doc = Some(self.u.consts.add(text));
        }
        self.stmts(&def.body)?;
        self.op(Op::RETNONE, 0, 0, 0, Span::default());
        let code = self.end()?;
        self.make_function(code, f, flags, span);
        Ok(())
    }

    /// `R[f] = function of code`
    pub fn make_function(&mut self, code: Arc<CodeProto>, f: u32, flags: u32, span: Span) {
        let k = self.u.consts.add(Const::Code(code));
        self.opx(Op::MKFUNC, f, flags, 0, k, span);
    }

    fn begin_function(
        &mut self,
        scope: ScopeId,
        name: &str,
        params: &'a Parameters,
        mut flags: CodeFlags,
        line: u32,
    ) -> Res {
        flags.varargs = params.vararg.is_some();
        flags.varkw = params.kwarg.is_some();
        let private = self.syms.scopes[scope].private.as_deref();
        let names: Vec<Rc<str>> =
            parameters(params).map(|p| Rc::from(&*mangle(private, &p.name.name))).collect();
        self.begin(scope, name, &names, flags)?;
        let proto = &mut self.u.proto;
        proto.posonly_count = params.posonly.len() as u32;
        proto.arg_count = (params.posonly.len() + params.args.len()) as u32;
        proto.kwonly_count = params.kwonly.len() as u32;
        proto.first_line = line;
        Ok(())
    }

    pub fn lambda(&mut self, lambda: &'a Lambda, dst: u32, span: Span) -> Res {
        let f = self.window(dst)?;
        let flags = self.defaults(&lambda.params, f)?;
        let scope = self.scope_of(lambda, 0);
        let generator = self.syms.scopes[scope].is_generator;
        let code_flags = CodeFlags { generator, ..CodeFlags::default() };
        let line = self.source.line(span.start);
        self.begin_function(scope, "<lambda>", &lambda.params, code_flags, line)?;
        let r = self.operand(&lambda.body, None, true)?;
        self.op(Op::RETURN, r, 0, 0, lambda.body.span);
        let code = self.end()?;
        self.make_function(code, f, flags, span);
        self.mov(dst, f);
        Ok(())
    }

    /// A function of no visible parameters whose value is computed by `body` into the register it
    /// gives back.
    pub fn hidden_function(
        &mut self,
        scope: ScopeId,
        name: &str,
        params: &[Rc<str>],
        span: Span,
        body: impl FnOnce(&mut Compiler<'a>) -> Res<u32>,
    ) -> Res<Arc<CodeProto>> {
        self.begin(scope, name, params, CodeFlags::default())?;
        self.u.proto.arg_count = params.len() as u32;
        self.u.proto.posonly_count = params.len() as u32;
        self.u.proto.first_line = self.source.line(span.start);
        let r = body(self)?;
        self.op(Op::RETURN, r, 0, 0, span);
        self.end()
    }

    /// `def f[T](..)`: a hidden function makes the type parameters and the function.
    fn generic_function(&mut self, def: &'a FunctionDef, f: u32, line: u32, span: Span) -> Res {
        // The defaults belong to the outside; they become its arguments.
        let args = self.tmp()?;
        let flags = self.defaults(&def.params, args)?;
        for (bit, i) in [(1, 1), (2, 2)] {
            if flags & bit == 0 {
                self.special(args + i, Special::None);
            }
        }
        self.mov(f + 1, args + 1);
        self.mov(f + 2, args + 2);
        let scope = self.scope_of(def, 1);
        let params: [Rc<str>; 2] = [".defaults".into(), ".kwdefaults".into()];
        let name = format!("<generic parameters of {}>", def.name.name);
        let code = self.hidden_function(scope, &name, &params, span, |c| {
            let types = c.type_params(&def.type_params)?;
            let row = c.tmps(7)?;
            let f = row + 3;
            c.mov(f + 1, 0);
            c.mov(f + 2, 1);
            c.function(def, f, flags, line, span)?;
            c.mov(row + 1, f);
            c.mov(row + 2, types);
            c.intrinsic(Intrinsic::SetTypeParams, row, 2, span);
            Ok(row)
        })?;
        self.make_function(code, f, 0, span);
        self.op(Op::CALL, f, 2, 0, span);
        Ok(())
    }

    /// Makes and binds type parameters; the register of their tuple.
    pub fn type_params(&mut self, list: &'a [TypeParam]) -> Res<u32> {
        let tuple = self.tmp()?;
        let mark = self.u.top;
        let none = Span::default();
        self.op(Op::MKLIST, tuple, tuple, 0, none);
        for p in list {
            let t = self.tmps(3)?;
            self.load_str(t + 1, &p.name.name);
            match &p.kind {
                TypeParamKind::TypeVar { bound } => {
                    match bound {
                        None => self.special(t + 2, Special::None),
                        Some(bound) => {
                            let scope = self.scope_of(p, 0);
                            let code =
                                self.hidden_function(scope, &p.name.name, &[], p.span, |c| {
                                    c.operand(bound, None, true)
                                })?;
                            self.make_function(code, t + 2, 0, p.span);
                        }
                    }
                    self.intrinsic(Intrinsic::TypeVar, t, 2, p.span);
                }
                TypeParamKind::TypeVarTuple => {
                    self.intrinsic(Intrinsic::TypeVarTuple, t, 1, p.span);
                }
                TypeParamKind::ParamSpec => self.intrinsic(Intrinsic::ParamSpec, t, 1, p.span),
            }
            let name = self.mangled(&p.name.name);
            self.store_name(&name, t, p.span)?;
            self.op(Op::APPEND, tuple, t, 0, none);
            self.u.top = mark;
        }
        self.op(Op::LISTTUPLE, tuple, tuple, 0, none);
        Ok(tuple)
    }

    pub fn type_alias(&mut self, alias: &'a TypeAlias, span: Span) -> Res {
        let f = self.tmp()?;
        if alias.type_params.is_empty() {
            let t = self.alias_object(alias, None, span)?;
            self.mov(f, t);
        } else {
            let scope = self.scope_of(alias, 1);
            let name = format!("<generic parameters of {}>", alias.name.name);
            let code = self.hidden_function(scope, &name, &[], span, |c| {
                let types = c.type_params(&alias.type_params)?;
                c.alias_object(alias, Some(types), span)
            })?;
            self.make_function(code, f, 0, span);
            self.op(Op::CALL, f, 0, 0, span);
        }
        let name = self.mangled(&alias.name.name);
        self.store_name(&name, f, span)
    }

    fn alias_object(&mut self, alias: &'a TypeAlias, types: Option<u32>, span: Span) -> Res<u32> {
        let t = self.tmps(4)?;
        self.load_str(t + 1, &alias.name.name);
        match types {
            Some(types) => self.mov(t + 2, types),
            None => self.load_const(t + 2, Const::Tuple(Vec::new())),
        }
        let scope = self.scope_of(alias, 0);
        let code = self.hidden_function(scope, &alias.name.name, &[], span, |c| {
            c.operand(&alias.value, None, true)
        })?;
        self.make_function(code, t + 3, 0, span);
        self.intrinsic(Intrinsic::TypeAlias, t, 3, span);
        Ok(t)
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Expr(&'a Expr),
    Annotation(&'a Expr),
}

/// The docstring of a body.
pub(super) fn docstring(body: &[Stmt]) -> Option<Const> {
    let StmtKind::Expr(e) = &body.first()?.kind else { return None };
    match &e.kind {
        ExprKind::Constant(Constant::Str(s)) => Some(Const::Str(s.as_bytes().into())),
        _ => None,
    }
}
