//! Class definitions.

use std::sync::Arc;

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::func::docstring;
use super::names::NAMESPACE;
use super::unit::{Compiler, Res};
use crate::code::intrinsic::Intrinsic;
use crate::code::op::Op;
use crate::code::proto::{CodeFlags, CodeProto};

impl<'a> Compiler<'a> {
    pub fn class_def(&mut self, def: &'a ClassDef, span: Span) -> Res {
        self.check_keywords(&def.keywords)?;
        let line = self.definition_line(&def.decorators, span);
        self.decorated(&def.decorators, |c, f| {
            if def.type_params.is_empty() {
                return c.build_class(def, f, None, line, span);
            }
            let scope = c.scope_of(def, 1);
            let name = format!("<generic parameters of {}>", def.name.name);
            let code = c.hidden_function(scope, &name, &[], span, |c| {
                let types = c.type_params(&def.type_params)?;
                c.store_name(".type_params", types, span)?;
                let base = c.tmps(2)?;
                c.mov(base + 1, types);
                c.intrinsic(Intrinsic::GenericBase, base, 1, span);
                let f = c.tmp()?;
                c.build_class(def, f, Some(base), line, span)?;
                Ok(f)
            })?;
            c.make_function(code, f, 0, span);
            c.op(Op::CALL, f, 0, 0, span);
            Ok(())
        })?;
        let f = self.u.top;
        self.u.top += 1;
        let name = self.mangled(&def.name.name);
        self.store_name(&name, f, span)
    }

    /// `R[f]` = the class; `generic` holds the extra base of a class with type parameters.
    fn build_class(
        &mut self,
        def: &'a ClassDef,
        f: u32,
        generic: Option<u32>,
        line: u32,
        span: Span,
    ) -> Res {
        self.u.top = f + 1;
        self.intrinsic(Intrinsic::BuildClass, f, 0, span);
        let body = self.tmp()?;
        let code = self.class_body(def, line, span)?;
        self.make_function(code, body, 0, span);
        let name = self.tmp()?;
        self.load_str(name, &def.name.name);
        self.arguments(f, false, (2, generic), &def.bases, &def.keywords, span)
    }

    fn class_body(&mut self, def: &'a ClassDef, line: u32, span: Span) -> Res<Arc<CodeProto>> {
        let scope = self.scope_of(def, 0);
        let flags = CodeFlags { class_body: true, ..CodeFlags::default() };
        self.begin(scope, &def.name.name, &[".namespace".into()], flags)?;
        self.u.proto.arg_count = 1;
        self.u.proto.posonly_count = 1;
        self.u.proto.first_line = line;
        let scope = &self.syms.scopes[scope];
        self.u.proto.attr_hint = scope.self_attrs.len() as u32;
        let none = Span::default();
        if let Some(slot) = scope.class_dict.and_then(|v| self.u.slots.get(&v)).copied() {
            self.op(Op::SETCELL, slot.reg, NAMESPACE, 0, none);
        }
        let t = self.tmp()?;
        self.op_named(Op::GETNAME, t, NAMESPACE, "__name__", none);
        self.store_namespace("__module__", t, none);
        let qualname = self.u.proto.qualname.clone();
        self.load_str(t, &qualname);
        self.store_namespace("__qualname__", t, none);
        if !def.type_params.is_empty() {
            self.load_name(t, ".type_params", none)?;
            self.store_namespace("__type_params__", t, none);
        }
        self.u.top = t;
        self.setup_annotations(span)?;
        if let Some(text) = docstring(&def.body) {
            let t = self.tmp()?;
            self.load_const(t, text);
            self.store_namespace("__doc__", t, none);
            self.u.top = t;
        }
        self.stmts(&def.body)?;
        match scope.class_cell.and_then(|v| self.u.slots.get(&v)).copied() {
            Some(slot) => {
                let t = self.tmps(3)?;
                self.mov(t + 1, NAMESPACE);
                self.mov(t + 2, slot.reg);
                self.intrinsic(Intrinsic::ClassCell, t, 2, none);
                self.op(Op::RETURN, t, 0, 0, none);
            }
            None => self.op(Op::RETNONE, 0, 0, 0, none),
        }
        self.end()
    }
}
