//! The compiler: syntax tree -> symbol table -> intermediate code -> code object.
//!
//! [`scope`] settles where each name lives, the statement and expression modules emit the
//! intermediate code of one unit after the other ([`unit`]), [`flow`] removes what is dead and
//! proven, [`assemble`] writes the words. [`verify`] checks a finished code object, [`dis`] shows
//! it. Errors are syntax errors with CPython's messages.

mod assemble;
mod assign;
mod call;
mod class;
mod collect;
mod collect_expr;
mod comp;
mod cond;
mod dis;
mod display;
mod doubt;
mod expr;
mod flow;
mod fold;
mod func;
mod ir;
mod loops;
mod names;
mod pattern;
mod scope;
mod stmt;
mod trys;
mod unit;
mod unparse;
mod unwind;
mod verify;

use std::sync::Arc;

use miniscript_syntax::ast::{ExprKind, Mode, Module, Stmt, StmtKind};
use miniscript_syntax::{Span, SyntaxError, Watch, escape_warnings};

use crate::code::op::Op;
use crate::code::proto::{CodeProto, SourceInfo};
use unit::{Compiler, Unit};

pub use dis::disassemble;
pub use verify::verify;

/// Why a tree is not a program: a syntax error found after parsing.
pub type CompileError = SyntaxError;

/// How a module is compiled, besides the [`Mode`] it was parsed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileMode {
    /// Names are looked up in a mapping, which the code takes as its argument (`exec` and `eval`
    /// with a namespace for the locals).
    pub namespaced: bool,
    /// Annotations are kept as text, as after `from __future__ import annotations`.
    pub lazy_annotations: bool,
}

/// Compiles a module: a file, an expression (its value is returned) or a statement typed at a
/// prompt (values are printed), as it was parsed.
pub fn compile_module(
    module: &Module,
    source: Arc<SourceInfo>,
    mode: CompileMode,
) -> Result<Arc<CodeProto>, CompileError> {
    compile_watched(module, source, mode, &Watch::never())
}

/// As [`compile_module`], and asks `watch` on the way.
///
/// # Errors
/// Also that of the watch.
pub fn compile_watched(
    module: &Module,
    source: Arc<SourceInfo>,
    mode: CompileMode,
    watch: &Watch<'_>,
) -> Result<Arc<CodeProto>, CompileError> {
    let (annotations, future_end) = future_imports(&module.body)?;
    let lazy_annotations = mode.lazy_annotations || annotations;
    let mut symbols = collect::collect(module, lazy_annotations, watch)?;
    scope::resolve_all(&mut symbols, mode.namespaced)?;
    let mut warnings = std::mem::take(&mut symbols.warnings);
    let mut compiler = Compiler {
        syms: &symbols,
        watch,
        source: source.clone(),
        lazy_annotations,
        interactive: module.mode == Mode::Interactive,
        future_end,
        u: Unit::new(0),
        outer: Vec::new(),
    };
    compiler.module(module, mode.namespaced)?;
    watch.step()?;
    let mut code = compiler.u.finish(source.clone())?;
    code.warnings = escape_warnings(source.text());
    code.warnings.append(&mut warnings);
    let code = Arc::new(code);
    #[cfg(debug_assertions)]
    if let Err(fault) = verify::verify(&code) {
        return Err(error("internal", format!("internal: {fault}"), Span::default()));
    }
    Ok(code)
}

impl<'a> Compiler<'a> {
    fn module(&mut self, module: &'a Module, namespaced: bool) -> Result<(), CompileError> {
        let proto = &mut self.u.proto;
        proto.name = "<module>".to_owned();
        proto.qualname = "<module>".to_owned();
        proto.first_line = 1;
        proto.flags.namespaced = namespaced;
        proto.flags.interactive = module.mode == Mode::Interactive;
        if namespaced {
            proto.arg_count = 1;
            proto.posonly_count = 1;
            self.lay_out(&[".namespace".into()])?;
        } else {
            self.lay_out(&[])?;
        }
        if module.mode == Mode::Expression
            && let [Stmt { kind: StmtKind::Expr(e), .. }] = &module.body[..]
        {
            let r = self.operand(e, None, true)?;
            self.op(Op::RETURN, r, 0, 0, e.span);
            return Ok(());
        }
        self.setup_annotations(module.span)?;
        if module.mode == Mode::Module
            && let Some(text) = func::docstring(&module.body)
        {
            let t = self.tmp()?;
            self.load_const(t, text);
            self.store_name("__doc__", t, module.body[0].span)?;
            self.u.top = t;
        }
        self.stmts(&module.body)?;
        self.op(Op::RETNONE, 0, 0, 0, Span::default());
        Ok(())
    }
}

/// The features that `__future__` has ever had.
const FEATURES: &[&str] = &[
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

/// Reads the `from __future__` imports at the beginning: whether annotations are lazy, and where
/// the beginning ends.
fn future_imports(body: &[Stmt]) -> Result<(bool, u32), CompileError> {
    let mut annotations = false;
    for (i, stmt) in body.iter().enumerate() {
        match &stmt.kind {
            StmtKind::ImportFrom(import)
                if import.level == 0
                    && import.module.as_ref().is_some_and(|m| &*m.name == "__future__") =>
            {
                let start = Span::new(stmt.span.start, stmt.span.start);
                for alias in &import.names {
                    match &*alias.name.name {
                        "annotations" => annotations = true,
                        "braces" => return Err(error("future", "not a chance", start)),
                        name if FEATURES.contains(&name) => {}
                        name => {
                            let text = format!("future feature {name} is not defined");
                            return Err(error("future", text, start));
                        }
                    }
                }
            }
            StmtKind::Expr(e) if i == 0 && matches!(e.kind, ExprKind::Constant(_)) => {}
            _ => return Ok((annotations, stmt.span.start)),
        }
    }
    Ok((annotations, u32::MAX))
}

fn error(code: &'static str, text: impl Into<String>, span: Span) -> SyntaxError {
    SyntaxError::new(code, text, span)
}
