//! From bytes to code: decode, parse, compile.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{SyntaxError, Watch, decode_source, parse, parse_watched};
use miniscript_vm::code::proto::{CodeProto, SourceInfo};
use miniscript_vm::compile::{CompileMode, compile_watched};

use crate::access::Access;
use crate::files::{FileResult, ops};

/// No source file is larger than this.
pub(crate) const MAX_SOURCE: u64 = 1 << 30;

/// A text that is not a program.
#[derive(Debug)]
pub struct BadSource {
    /// What is wrong.
    pub error: SyntaxError,
    /// The text.
    pub text: String,
    /// Its name.
    pub name: String,
}

/// Reads a source file.
pub(crate) fn read(access: &dyn Access, path: &Path) -> FileResult<Vec<u8>> {
    ops::read_source(access, path, MAX_SOURCE)
}

/// Compiles the bytes of a source file.
pub(crate) fn compile_bytes(
    bytes: &[u8],
    name: &str,
    watch: &Watch<'_>,
) -> Result<Arc<CodeProto>, Box<BadSource>> {
    match decode_source(bytes) {
        Ok(text) => compile(text, name, Mode::Module, watch),
        Err(error) => {
            Err(Box::new(BadSource { error, text: String::new(), name: name.to_owned() }))
        }
    }
}

/// Compiles a text.
pub fn compile_text(
    text: String,
    name: &str,
    mode: Mode,
) -> Result<Arc<CodeProto>, Box<BadSource>> {
    compile(text, name, mode, &Watch::never())
}

/// The same, where limits and interrupts hold. The error of the watch is none of the text's.
pub(crate) fn compile(
    text: String,
    name: &str,
    mode: Mode,
    watch: &Watch<'_>,
) -> Result<Arc<CodeProto>, Box<BadSource>> {
    let module = match parse_watched(&text, mode, watch) {
        Ok(module) => module,
        Err(error) => return Err(Box::new(BadSource { error, text, name: name.to_owned() })),
    };
    let source = Arc::new(SourceInfo::new(name, text));
    compile_watched(&module, Arc::clone(&source), CompileMode::default(), watch).map_err(|error| {
        Box::new(BadSource { error, text: source.text().to_owned(), name: name.to_owned() })
    })
}

/// The warnings about the text of compiled code, as CPython shows them by default.
pub(crate) fn warnings(proto: &CodeProto) -> String {
    let mut out = String::new();
    let Some(source) = &proto.source else { return out };
    let mut told = HashSet::new();
    for (span, message) in &proto.warnings {
        let line = source.line(span.start);
        if !told.insert((line, message.clone())) {
            continue;
        }
        let name = &source.filename;
        out.push_str(&format!("{name}:{line}: SyntaxWarning: {message}\n"));
        // Text that is in no file has no lines to show.
        let text = source.line_text(line).trim();
        let in_file = !(name.starts_with('<') && name.ends_with('>'));
        if in_file && !text.is_empty() {
            out.push_str(&format!("  {text}\n"));
        }
    }
    out
}

/// The statements of a text that holds several, each as it would be typed; `None` for others.
pub(crate) fn statements(text: &str) -> Option<Vec<String>> {
    let module = parse(text, Mode::Module).ok().filter(|module| module.body.len() > 1)?;
    let mut pieces = Vec::new();
    let mut begin = 0;
    for statement in &module.body {
        if (statement.span.start as usize) < begin {
            // In one line with the one before.
            continue;
        }
        let rest = &text[statement.span.end as usize..];
        let end = rest.find('\n').map_or(text.len(), |at| statement.span.end as usize + at + 1);
        let lines = text[begin..end].split_inclusive('\n');
        let blank = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
        // An empty line ends a block.
        let piece: String = lines.skip_while(blank).chain(["\n"]).collect();
        pieces.push(piece);
        begin = end;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn a_text_is_cut_into_what_would_be_typed() {
        let text = "# c\nx = 1; y = 2\n\n@d\ndef f():\n  return (1,\n    2)\nf()";
        let pieces = statements(text).unwrap();
        assert_eq!(pieces, ["x = 1; y = 2\n\n", "@d\ndef f():\n  return (1,\n    2)\n\n", "f()\n"]);
        assert!(statements("x = 1\n").is_none() && statements("x = = 1\ny").is_none());
    }
}
