//! The text of an annotation under `from __future__ import annotations`: made from the tree, so
//! that blanks, quotes and parentheses are in normal form, as CPython has them.

use miniscript_syntax::ast::*;

/// How tightly an expression binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bind {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Bind {
    fn tighter(self) -> Bind {
        use Bind::*;
        const ALL: [Bind; 16] = [
            Tuple, Test, Or, And, Not, Compare, BitOr, BitXor, BitAnd, Shift, Sum, Term, Factor,
            Power, Await, Atom,
        ];
        ALL[(self as usize + 1).min(ALL.len() - 1)]
    }
}

/// The text of `e`; what is not usual in annotations is taken from the source `text` as it is.
pub(super) fn annotation(text: &str, e: &Expr) -> String {
    let mut w = Writer { text, out: String::new() };
    w.expr(e, Bind::Test);
    w.out
}

struct Writer<'t> {
    text: &'t str,
    out: String,
}

impl Writer<'_> {
    fn put(&mut self, s: &str) {
        self.out.push_str(s);
    }

    fn list(&mut self, list: &[Expr]) {
        for (i, e) in list.iter().enumerate() {
            if i > 0 {
                self.put(", ");
            }
            self.expr(e, Bind::Test);
        }
    }

    /// Writes what `inner` writes, in parentheses if `own` binds less tightly than `around`.
    fn wrap(&mut self, own: Bind, around: Bind, inner: impl FnOnce(&mut Self)) {
        if around > own {
            self.put("(");
        }
        inner(self);
        if around > own {
            self.put(")");
        }
    }

    fn expr(&mut self, e: &Expr, around: Bind) {
        match &e.kind {
            ExprKind::Constant(c) => self.constant(c, e),
            ExprKind::Name(name) => self.put(name),
            ExprKind::Tuple(list) if list.is_empty() => self.put("()"),
            ExprKind::Tuple(list) => self.wrap(Bind::Tuple, around, |w| {
                w.list(list);
                if list.len() == 1 {
                    w.put(",");
                }
            }),
            ExprKind::List(list) => {
                self.put("[");
                self.list(list);
                self.put("]");
            }
            ExprKind::Set(list) => {
                self.put("{");
                self.list(list);
                self.put("}");
            }
            ExprKind::Dict(items) => {
                self.put("{");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    match &item.key {
                        Some(key) => {
                            self.expr(key, Bind::Test);
                            self.put(": ");
                            self.expr(&item.value, Bind::Test);
                        }
                        None => {
                            self.put("**");
                            self.expr(&item.value, Bind::BitOr);
                        }
                    }
                }
                self.put("}");
            }
            ExprKind::BoolOp { op, values } => {
                let (own, word) = match op {
                    BoolOpKind::And => (Bind::And, " and "),
                    BoolOpKind::Or => (Bind::Or, " or "),
                };
                self.wrap(own, around, |w| {
                    for (i, value) in values.iter().enumerate() {
                        if i > 0 {
                            w.put(word);
                        }
                        w.expr(value, own.tighter());
                    }
                });
            }
            ExprKind::BinOp { first, rest } => self.chain(first, rest, around),
            ExprKind::UnaryOp { op, operand } => {
                let (own, sign) = match op {
                    UnaryOpKind::Not => (Bind::Not, "not "),
                    UnaryOpKind::Invert => (Bind::Factor, "~"),
                    UnaryOpKind::UAdd => (Bind::Factor, "+"),
                    UnaryOpKind::USub => (Bind::Factor, "-"),
                };
                self.wrap(own, around, |w| {
                    w.put(sign);
                    w.expr(operand, own);
                });
            }
            ExprKind::IfExp { test, body, orelse } => self.wrap(Bind::Test, around, |w| {
                w.expr(body, Bind::Or);
                w.put(" if ");
                w.expr(test, Bind::Or);
                w.put(" else ");
                w.expr(orelse, Bind::Test);
            }),
            ExprKind::Compare { left, rest } => self.wrap(Bind::Compare, around, |w| {
                w.expr(left, Bind::BitOr);
                for step in rest {
                    w.put(comparison(step.op));
                    w.expr(&step.operand, Bind::BitOr);
                }
            }),
            ExprKind::Call(call) => {
                self.expr(&call.func, Bind::Atom);
                self.put("(");
                self.list(&call.args);
                for (i, k) in call.keywords.iter().enumerate() {
                    if i > 0 || !call.args.is_empty() {
                        self.put(", ");
                    }
                    match &k.arg {
                        Some(name) => {
                            self.put(&name.name);
                            self.put("=");
                        }
                        None => self.put("**"),
                    }
                    self.expr(&k.value, Bind::Test);
                }
                self.put(")");
            }
            ExprKind::Attribute { value, attr, .. } => {
                self.expr(value, Bind::Atom);
                if matches!(value.kind, ExprKind::Constant(Constant::Int(_))) {
                    self.put(" ");
                }
                self.put(".");
                self.put(attr);
            }
            ExprKind::Subscript { value, index } => {
                self.expr(value, Bind::Atom);
                self.put("[");
                self.expr(index, Bind::Tuple);
                self.put("]");
            }
            ExprKind::Starred(value) => {
                self.put("*");
                self.expr(value, Bind::BitOr);
            }
            ExprKind::Slice { lower, upper, step } => {
                if let Some(lower) = lower {
                    self.expr(lower, Bind::Test);
                }
                self.put(":");
                if let Some(upper) = upper {
                    self.expr(upper, Bind::Test);
                }
                if let Some(step) = step {
                    self.put(":");
                    self.expr(step, Bind::Test);
                }
            }
            ExprKind::NamedExpr { target, value } => self.wrap(Bind::Tuple, around, |w| {
                w.expr(target, Bind::Atom);
                w.put(" := ");
                w.expr(value, Bind::Atom);
            }),
            _ => self.source(e),
        }
    }

    fn chain(&mut self, first: &Expr, rest: &[BinOpStep], around: Bind) {
        let Some(op) = rest.first().map(|s| s.op) else { return };
        let own = match op {
            BinOpKind::BitOr => Bind::BitOr,
            BinOpKind::BitXor => Bind::BitXor,
            BinOpKind::BitAnd => Bind::BitAnd,
            BinOpKind::LShift | BinOpKind::RShift => Bind::Shift,
            BinOpKind::Add | BinOpKind::Sub => Bind::Sum,
            BinOpKind::Pow => Bind::Power,
            _ => Bind::Term,
        };
        self.wrap(own, around, |w| {
            // `**` is the one operator that associates to the right.
            let right_first = own == Bind::Power;
            w.expr(first, if right_first { own.tighter() } else { own });
            for step in rest {
                w.put(operator(step.op));
                w.expr(&step.operand, if right_first { own } else { own.tighter() });
            }
        });
    }

    fn constant(&mut self, c: &Constant, e: &Expr) {
        match c {
            Constant::None => self.put("None"),
            Constant::True => self.put("True"),
            Constant::False => self.put("False"),
            Constant::Ellipsis => self.put("..."),
            Constant::Int(n) => self.put(&n.to_string()),
            Constant::Str(s) => match s.as_str() {
                Some(s) => self.quoted(s),
                None => self.source(e),
            },
            _ => self.source(e),
        }
    }

    fn quoted(&mut self, s: &str) {
        let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
        self.out.push(quote);
        for c in s.chars() {
            match c {
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                c if c == quote => self.out.extend(['\\', c]),
                c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                    self.out.push_str(&format!("\\x{:02x}", c as u32));
                }
                c => self.out.push(c),
            }
        }
        self.out.push(quote);
    }

    /// The source text of `e`, on one line.
    fn source(&mut self, e: &Expr) {
        let slice = self.text.get(e.span.start as usize..e.span.end as usize).unwrap_or("");
        let lines: Vec<_> = slice.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        self.put(&lines.join(" "));
    }
}

fn operator(op: BinOpKind) -> &'static str {
    match op {
        BinOpKind::Add => " + ",
        BinOpKind::Sub => " - ",
        BinOpKind::Mult => " * ",
        BinOpKind::MatMult => " @ ",
        BinOpKind::Div => " / ",
        BinOpKind::FloorDiv => " // ",
        BinOpKind::Mod => " % ",
        BinOpKind::Pow => " ** ",
        BinOpKind::LShift => " << ",
        BinOpKind::RShift => " >> ",
        BinOpKind::BitOr => " | ",
        BinOpKind::BitXor => " ^ ",
        BinOpKind::BitAnd => " & ",
    }
}

fn comparison(op: CompareOpKind) -> &'static str {
    match op {
        CompareOpKind::Eq => " == ",
        CompareOpKind::NotEq => " != ",
        CompareOpKind::Lt => " < ",
        CompareOpKind::LtE => " <= ",
        CompareOpKind::Gt => " > ",
        CompareOpKind::GtE => " >= ",
        CompareOpKind::Is => " is ",
        CompareOpKind::IsNot => " is not ",
        CompareOpKind::In => " in ",
        CompareOpKind::NotIn => " not in ",
    }
}
