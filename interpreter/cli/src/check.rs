//! `ms check`: all syntax errors of some files at once.

use std::io::Write;
use std::path::Path;

use miniscript_engine::compile_text;
use miniscript_syntax::ast::Mode;
use miniscript_syntax::{Source, SyntaxError, decode_source, parse_all_errors, render};

use crate::{complain, source};

/// Checks files; the exit status is 1 if one has errors, 2 if one cannot be read.
pub fn check(files: &[std::path::PathBuf], json: bool) -> u8 {
    let mut status = 0;
    let mut all = Vec::new();
    for file in files {
        let shown = file.display().to_string();
        let bytes = match source::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                complain(&format!("ms: {error}\n"));
                status = 2;
                continue;
            }
        };
        let (text, errors) = match decode_source(&bytes) {
            Ok(text) => {
                let errors = errors_of(&text, &shown);
                (text, errors)
            }
            Err(error) => (String::new(), vec![error]),
        };
        if !errors.is_empty() {
            status = status.max(1);
        }
        for error in &errors {
            if json {
                all.push(as_json(error, &text, file));
            } else {
                complain(&render(error, &Source::new(&text), &shown));
            }
        }
    }
    if json {
        let text = serde_json::Value::Array(all).to_string() + "\n";
        if std::io::stdout().write_all(text.as_bytes()).is_err() {
            status = status.max(1);
        }
    }
    status
}

/// What the parser finds; if that is nothing, what the compiler finds.
fn errors_of(text: &str, name: &str) -> Vec<SyntaxError> {
    let (_, errors) = parse_all_errors(text, Mode::Module);
    if !errors.is_empty() {
        return errors;
    }
    match compile_text(text.to_owned(), name, Mode::Module) {
        Ok(_) => Vec::new(),
        Err(bad) => vec![bad.error],
    }
}

fn as_json(error: &SyntaxError, text: &str, file: &Path) -> serde_json::Value {
    let source = Source::new(text);
    let (start, end) = (source.position(error.span.start), source.position(error.span.end));
    serde_json::json!({
        "file": file.display().to_string(),
        "kind": error.kind.name(),
        "code": error.code,
        "message": error.message,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}
