//! Source files for the subcommands that do not run them.

use std::path::Path;
use std::sync::Arc;

use miniscript_engine::access::Unrestricted;
use miniscript_engine::files::ops;
use miniscript_engine::{BadSource, compile_text};
use miniscript_syntax::ast::{Mode, Module};
use miniscript_syntax::{Source, ast_from_json, ast_to_json, decode_source, parse, render};
use miniscript_vm::code::proto::{CodeProto, SourceInfo};
use miniscript_vm::compile::{CompileMode, compile_module, disassemble};

/// No program is larger than this.
pub const MAX_SOURCE: u64 = 1 << 30;

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    ops::read_whole(&Unrestricted, path, Some(MAX_SOURCE)).map_err(|error| {
        let text = error.to_string();
        let why = text.split(": '").next().unwrap_or(&text);
        format!("can't open file '{}': {why}", path.display())
    })
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = read(path).map_err(|text| format!("ms: {text}\n"))?;
    let name = path.display().to_string();
    decode_source(&bytes).map_err(|error| render(&error, &Source::new(""), &name))
}

/// The syntax tree of a file as JSON; the error is a text for standard error.
pub fn ast(path: &Path) -> Result<String, String> {
    let text = read_text(path)?;
    let name = path.display().to_string();
    match parse(&text, Mode::Module) {
        Ok(module) => Ok(ast_to_json(&module) + "\n"),
        Err(error) => Err(render(&error, &Source::new(&text), &name)),
    }
}

/// The code that a syntax tree in JSON stands for.
pub fn from_json(path: &Path) -> Result<Arc<CodeProto>, String> {
    let json = read(path).map_err(|text| format!("ms: {text}\n"))?;
    let json = String::from_utf8(json).map_err(|e| format!("ms: not a syntax tree: {e}\n"))?;
    let module: Module = ast_from_json(&json).map_err(|error| format!("ms: {error}\n"))?;
    // The tree's places refer to a text that is not here.
    let source = Arc::new(SourceInfo::new(path.display().to_string(), ""));
    compile_module(&module, source, CompileMode::default()).map_err(|error| format!("{error}\n"))
}

/// The code of a file, disassembled.
pub fn dis(path: &Path) -> Result<String, String> {
    let text = read_text(path)?;
    let name = path.display().to_string();
    match compile_text(text, &name, Mode::Module) {
        Ok(proto) => Ok(disassemble(&proto)),
        Err(bad) => {
            let BadSource { error, text, name } = *bad;
            Err(render(&error, &Source::new(&text), &name))
        }
    }
}
