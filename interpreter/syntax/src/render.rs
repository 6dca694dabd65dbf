//! Syntax errors as CPython 3.12 prints them.

use crate::{Source, SyntaxError};

/// The error with its place, the source line and carets, in CPython's form, a newline at the end.
pub fn render(error: &SyntaxError, source: &Source<'_>, filename: &str) -> String {
    let start = source.position(error.span.start);
    let end = source.position(error.span.end);
    let line = source.line_text(start.line);
    // The end of the text counts to its last line, where there is nothing to point at.
    if start.line > 1 && line.is_empty() && error.span.start as usize >= source.text().len() {
        let number = start.line - 1;
        let text = source.line_text(number).trim_start_matches([' ', '\t', '\x0c']);
        return format!("  File \"{filename}\", line {number}\n    {text}\n{error}\n");
    }
    let mut out = format!("  File \"{filename}\", line {}\n", start.line);
    let text = line.trim_start_matches([' ', '\t', '\x0c']);
    if !text.is_empty() {
        let cut = (line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()) as u32;
        out.push_str(&format!("    {text}\n"));
        if start.column > cut {
            let from = (start.column - 1 - cut) as usize;
            let to = match end.line == start.line {
                // One caret at what should have been indented, as CPython has it for a file.
                _ if error.code == "expected-indent" => from + 1,
                true => (end.column.saturating_sub(1 + cut)) as usize,
                false => text.chars().count(),
            };
            let padded = text.chars().chain(std::iter::repeat(' ')).take(from);
            out.push_str("    ");
            out.extend(padded.map(|ch| if ch.is_whitespace() { ch } else { ' ' }));
            out.push_str(&"^".repeat(to.saturating_sub(from).max(1)));
            out.push('\n');
        }
    }
    out.push_str(&format!("{error}\n"));
    out
}
