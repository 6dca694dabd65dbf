//! From bytes to code: decode, parse, compile.

use std::path::Path;
use std::sync::Arc;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{SyntaxError, decode_source, parse};
use miniscript_vm::code::proto::{CodeProto, SourceInfo};
use miniscript_vm::compile::{CompileMode, compile_module};

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
    ops::read_whole(access, path, Some(MAX_SOURCE))
}

/// Compiles the bytes of a source file.
pub(crate) fn compile_bytes(bytes: &[u8], name: &str) -> Result<Arc<CodeProto>, Box<BadSource>> {
    match decode_source(bytes) {
        Ok(text) => compile_text(text, name, Mode::Module),
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
    let module = match parse(&text, mode) {
        Ok(module) => module,
        Err(error) => return Err(Box::new(BadSource { error, text, name: name.to_owned() })),
    };
    let source = Arc::new(SourceInfo::new(name, text));
    compile_module(&module, Arc::clone(&source), CompileMode::default()).map_err(|error| {
        Box::new(BadSource { error, text: source.text.clone(), name: name.to_owned() })
    })
}
