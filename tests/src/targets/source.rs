//! Source text: the lexer, the parser, the tree as JSON, the compiler and the VM.

use std::sync::Arc;
use std::time::Duration;

use miniscript_engine::{Buffering, Config, Engine, Failure, Limits, OutputStream};
use miniscript_syntax::ast::Mode;
use miniscript_syntax::{
    Source, ast_from_json, ast_to_json, decode_source, parse, parse_all_errors, render,
};

/// Text is parsed or has errors that can be shown; a tree is read back from its JSON as it was.
pub(super) fn parser(data: &[u8]) -> Result<(), String> {
    let Ok(text) = decode_source(data) else { return Ok(()) };
    let mode =
        if data.first().is_some_and(|b| b % 4 == 3) { Mode::Expression } else { Mode::Module };
    let (_, errors) = parse_all_errors(&text, mode);
    match parse(&text, mode) {
        Ok(tree) => {
            if let Some(error) = errors.first() {
                return Err(format!("it is parsed, and has the error {error:?}"));
            }
            let json = ast_to_json(&tree);
            match ast_from_json(&json) {
                Ok(again) if again == tree => Ok(()),
                Ok(_) => Err("another tree is read from its JSON".into()),
                Err(error) => Err(format!("its JSON is refused: {error}")),
            }
        }
        Err(error) => {
            if errors.is_empty() {
                return Err(format!("not among all errors: {error:?}"));
            }
            let source = Source::new(&text);
            let shown = errors.iter().chain([&error]).map(|e| render(e, &source, "text"));
            match shown.into_iter().any(|text| text.is_empty()) {
                true => Err("an error is shown as nothing".into()),
                false => Ok(()),
            }
        }
    }
}

/// Settings with no rights and these limits; what is printed is dropped.
pub(super) fn config(fuel: u64) -> Config {
    let sink = || OutputStream::new(Box::new(std::io::sink()), Buffering::Full);
    Config {
        limits: Limits {
            // Only where something waits for ever.
            timeout: Some(Duration::from_secs(20)),
            max_memory: Some(64 << 20),
            recursion: Some(200),
            fuel: Some(fuel),
        },
        stdout: sink(),
        stderr: sink(),
        hash_seed: Some(1),
        ..Config::default()
    }
}

/// A program without rights ends, well or badly, within its limits.
pub(super) fn program(data: &[u8]) -> Result<(), String> {
    let Ok(text) = decode_source(data) else { return Ok(()) };
    let mut engine = Engine::new(config(100_000));
    engine.start_clock();
    let code = engine.compile(&text, "<fuzz>", Mode::Module);
    let outcome = code.and_then(|code| engine.run_code(&Arc::clone(&code), true));
    let outcome = match outcome {
        Ok(value) => {
            engine.vm().release(value);
            Ok(())
        }
        Err(Failure::Raised(error)) => {
            let text = engine.exception_text(error);
            engine.vm().release(error);
            // Only what comes from the interpreter itself is named so.
            match text.lines().last() {
                Some(line) if line.starts_with("SystemError") && !data_names(data) => Err(text),
                _ => Ok(()),
            }
        }
        Err(Failure::Syntax(_) | Failure::Unreadable(_)) => Ok(()),
    };
    engine.finish(0);
    outcome
}

/// Whether the program itself speaks of SystemError.
fn data_names(data: &[u8]) -> bool {
    data.windows(6).any(|word| word == b"System")
}
