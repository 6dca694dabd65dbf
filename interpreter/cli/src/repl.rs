//! The prompt: reads statements, runs them in one engine, and keeps a history.

use miniscript_engine::{Engine, Failure, Reply};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Config, Editor};

const HISTORY: &str = ".ms_history";

/// Reads and runs until the end of the input; the exit status.
pub fn run(engine: &mut Engine) -> i32 {
    println!("MiniScript {} (Ctrl-D to leave)", env!("CARGO_PKG_VERSION"));
    let config = Config::builder().auto_add_history(false).build();
    let mut editor = match Editor::<(), DefaultHistory>::with_config(config) {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("ms: no prompt: {error}");
            return 2;
        }
    };
    let history = std::env::home_dir().map(|home| home.join(HISTORY));
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    let status = read_and_run(engine, &mut editor);
    if let Some(path) = &history {
        let _ = editor.save_history(path);
    }
    engine.finish(status)
}

fn read_and_run(engine: &mut Engine, editor: &mut Editor<(), DefaultHistory>) -> i32 {
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { ">>> " } else { "... " };
        match editor.readline(prompt) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    // A history that cannot grow is no reason to stop.
                    let _ = editor.add_history_entry(line.as_str());
                }
                text.push_str(&line);
                text.push('\n');
            }
            Err(ReadlineError::Interrupted) => {
                eprintln!("KeyboardInterrupt");
                text.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return 0,
            Err(error) => {
                eprintln!("ms: {error}");
                return 1;
            }
        }
        if text.trim().is_empty() {
            text.clear();
            continue;
        }
        match engine.run_typed(&text) {
            Reply::Incomplete => continue,
            Reply::Done => {}
            Reply::Failed(failure) => {
                if let Failure::Raised(e) = &failure
                    && engine.is_exit(*e)
                {
                    return engine.report(failure);
                }
                engine.report(failure);
            }
        }
        text.clear();
    }
}
