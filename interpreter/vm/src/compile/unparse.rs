//! The text of an annotation under `from __future__ import annotations`.

use miniscript_syntax::ast::Expr;

/// The source text of `e`, on one line and with single blanks.
pub(super) fn annotation(text: &str, e: &Expr) -> String {
    let slice = text.get(e.span.start as usize..e.span.end as usize).unwrap_or("");
    if !slice.contains(['\n', '#']) {
        return slice.to_owned();
    }
    let lines = slice.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")
}
