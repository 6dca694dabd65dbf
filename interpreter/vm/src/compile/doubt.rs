//! What is no error but hardly meant: the warnings of CPython's compiler.

use miniscript_syntax::Span;
use miniscript_syntax::ast::*;

use super::collect::Builder;
use super::fold::fold;
use crate::code::proto::Const;

impl Builder<'_> {
    fn warn(&mut self, span: Span, text: String) {
        self.symbols.warnings.push((span, text));
    }

    /// `x is 1`.
    pub(super) fn doubt_identity(&mut self, left: &Expr, rest: &[CompareStep], span: Span) {
        let mut before = left;
        for step in rest {
            let (word, meant) = match step.op {
                CompareOpKind::Is => ("is", "=="),
                CompareOpKind::IsNot => ("is not", "!="),
                _ => {
                    before = &step.operand;
                    continue;
                }
            };
            if let Some(class) = literal_class(before).or_else(|| literal_class(&step.operand)) {
                let text = format!("\"{word}\" with '{class}' literal. Did you mean \"{meant}\"?");
                return self.warn(span, text);
            }
            before = &step.operand;
        }
    }

    /// `1(x)`.
    pub(super) fn doubt_callee(&mut self, callee: &Expr) {
        if let Some(class) = class_of(callee).filter(|class| *class != "function") {
            let text = format!("'{class}' object is not callable; perhaps you missed a comma?");
            self.warn(callee.span, text);
        }
    }

    /// `{1}[x]`, `[1]["a"]`.
    pub(super) fn doubt_subscript(&mut self, value: &Expr, index: &Expr) {
        let text = match class_of(value) {
            None | Some("dict") => return,
            Some(class @ ("str" | "bytes" | "tuple" | "list")) => match class_of(index) {
                None | Some("int" | "bool") => return,
                Some(given) => format!(
                    "{class} indices must be integers or slices, not {given}; \
                     perhaps you missed a comma?"
                ),
            },
            Some(class) => {
                format!("'{class}' object is not subscriptable; perhaps you missed a comma?")
            }
        };
        self.warn(value.span, text);
    }

    /// `assert (x, "text")`.
    pub(super) fn doubt_assertion(&mut self, test: &Expr, span: Span) {
        if matches!(&test.kind, ExprKind::Tuple(items) if !items.is_empty()) {
            let text = "assertion is always true, perhaps remove parentheses?";
            self.warn(span, text.to_owned());
        }
    }
}

/// The class of a constant whose identity says nothing.
fn literal_class(e: &Expr) -> Option<&'static str> {
    match fold(e)? {
        Const::None | Const::Bool(_) | Const::Ellipsis => None,
        value => Some(const_class(&value)),
    }
}

/// The class of what an expression gives, if that is plain to see.
fn class_of(e: &Expr) -> Option<&'static str> {
    Some(match &e.kind {
        ExprKind::List(_) | ExprKind::ListComp(_) => "list",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::Dict(_) | ExprKind::DictComp(_) => "dict",
        ExprKind::Set(_) | ExprKind::SetComp(_) => "set",
        ExprKind::GeneratorExp(_) => "generator",
        ExprKind::Lambda(_) => "function",
        ExprKind::JoinedStr(_) => "str",
        _ => return fold(e).map(|value| const_class(&value)),
    })
}

fn const_class(value: &Const) -> &'static str {
    match value {
        Const::None => "NoneType",
        Const::Bool(_) => "bool",
        Const::Ellipsis => "ellipsis",
        Const::Int(_) | Const::BigInt { .. } => "int",
        Const::Float(_) => "float",
        Const::Complex(..) => "complex",
        Const::Str(_) => "str",
        Const::Bytes(_) => "bytes",
        Const::Tuple(_) => "tuple",
        Const::FrozenSet(_) => "frozenset",
        Const::Code(_) => "code",
    }
}
