//! Is a tree from outside one that the parser could have made?
//!
//! Checks what the types do not say: spans, names, targets, what may stand only in certain places
//! (starred expressions, slices), lists that must not be empty, literals in normal form, and the
//! depth limits. The caller provides the stack.

mod expr;
mod pattern;
mod stmt;

use crate::Span;
use crate::ast::*;

type Valid = Result<(), String>;

/// Checks a whole tree.
pub fn validate(module: &Module) -> Valid {
    if module.span.start > module.span.end {
        return Err("module: span ends before it starts".into());
    }
    let check = Check { limit: module.span };
    match (module.mode, module.body.as_slice()) {
        (Mode::Expression, [Stmt { kind: StmtKind::Expr(_), .. }]) => {}
        (Mode::Expression, _) => return Err("an Expression is one Expr statement".into()),
        (Mode::Module | Mode::Interactive, _) => {}
    }
    check.stmts(&module.body, 0)
}

struct Check {
    /// Spans lie within this one.
    limit: Span,
}

impl Check {
    fn span(&self, span: Span) -> Valid {
        let Span { start, end } = span;
        if start > end {
            return Err(format!("span [{start}, {end}] ends before it starts"));
        }
        if start < self.limit.start || end > self.limit.end {
            return Err(format!("span [{start}, {end}] is outside of the module"));
        }
        Ok(())
    }

    fn ident(&self, ident: &Ident) -> Valid {
        self.span(ident.span)?;
        self.name(&ident.name)
    }

    fn name(&self, name: &str) -> Valid {
        let mut chars = name.chars();
        let first = chars.next().is_some_and(|ch| ch == '_' || unicode_ident::is_xid_start(ch));
        if !first || !chars.all(unicode_ident::is_xid_continue) {
            return Err(format!("{name:?} is not an identifier"));
        }
        if is_keyword(name) {
            return Err(format!("{name:?} is a keyword"));
        }
        Ok(())
    }

    fn dotted(&self, ident: &Ident) -> Valid {
        self.span(ident.span)?;
        ident.name.split('.').try_for_each(|name| self.name(name))
    }

    fn constant(&self, constant: &Constant) -> Valid {
        match constant {
            Constant::Int(value) if *value < 0 => Err("an Int literal is not negative".into()),
            Constant::Float(value) | Constant::Imaginary(value)
                if value.is_nan() || value.is_sign_negative() =>
            {
                Err("a Float literal is a number that is not negative".into())
            }
            Constant::BigInt(big) => big_int(big),
            _ => Ok(()),
        }
    }
}

fn big_int(big: &BigIntLit) -> Valid {
    if !matches!(big.radix, 2 | 8 | 10 | 16) {
        return Err(format!("{} is no radix of a literal", big.radix));
    }
    let radix = u32::from(big.radix);
    if big.digits.is_empty() || !big.digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(format!("BigInt digits are digits of radix {radix}"));
    }
    if big.radix == 10 && big.digits.len() > crate::build::MAX_DECIMAL_DIGITS {
        return Err("too many decimal digits".into());
    }
    if big.digits.starts_with('0') || i64::from_str_radix(&big.digits, radix).is_ok() {
        return Err("a BigInt does not fit an Int and has no leading zeros".into());
    }
    Ok(())
}

fn at_least<T>(count: usize, items: &[T], what: &str) -> Valid {
    if items.len() < count { Err(format!("{what}: too few")) } else { Ok(()) }
}

/// The hard keywords.
fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}
