//! A syntax tree that went through JSON compiles to the same code.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{ast_from_json, ast_to_json, decode_source, parse};
use miniscript_vm::code::proto::SourceInfo;
use miniscript_vm::compile::{CompileMode, compile_module};

#[test]
fn every_script_of_the_repository_survives_json() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for part in ["tests", "examples", "interpreter"] {
        collect(&root.join(part), &mut files);
    }
    let mut compared = 0;
    for file in &files {
        let bytes = std::fs::read(file).unwrap_or_default();
        let Ok(text) = decode_source(&bytes) else { continue };
        let Ok(tree) = parse(&text, Mode::Module) else { continue };
        let again = ast_from_json(&ast_to_json(&tree));
        let again = again.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert_eq!(tree, again, "{}", file.display());
        let source = Arc::new(SourceInfo::new("x", text));
        let compile = |tree| compile_module(tree, Arc::clone(&source), CompileMode::default());
        match (compile(&tree), compile(&again)) {
            (Ok(a), Ok(b)) => assert_eq!(a, b, "{}", file.display()),
            (Err(a), Err(b)) => assert_eq!(a, b, "{}", file.display()),
            _ => panic!("{}: only one of the trees compiles", file.display()),
        }
        compared += 1;
    }
    assert!(compared > 400, "{compared} scripts");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "ms") {
            files.push(path);
        }
    }
}
