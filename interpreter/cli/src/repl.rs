//! The prompt: reads statements, runs them in one engine, and keeps a history.
//!
//! Lines are read on a thread of their own, so that the tasks of the script (a server, say) go on
//! while the prompt waits.

use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use miniscript_engine::reactor::{TaskToken, Waker};
use miniscript_engine::vm::native::NResult;
use miniscript_engine::vm::{Value, Vm};
use miniscript_engine::{Engine, Failure, Reply, Wait};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Config, Editor};

use crate::complain;

const HISTORY: &str = ".ms_history";

type Line = Result<String, ReadlineError>;

/// Where the reading thread leaves a line, and whom it wakes.
#[derive(Default)]
struct Desk {
    line: Mutex<Option<Line>>,
    reader: Mutex<Option<(Waker, TaskToken)>>,
}

/// A lock whose holders cannot panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a line.
struct LineWait {
    desk: Arc<Desk>,
    waker: Waker,
}

impl Wait for LineWait {
    fn poll<'v>(&mut self, _: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        *lock(&self.desk.reader) = Some((self.waker.clone(), token));
        match *lock(&self.desk.line) {
            Some(_) => Poll::Ready(Ok(Value::NONE)),
            None => Poll::Pending,
        }
    }

    fn is_external(&self) -> bool {
        true
    }
}

/// Reads and runs until the end of the input; the exit status.
pub fn run(engine: &mut Engine) -> i32 {
    println!("MiniScript {} (Ctrl-D to leave)", env!("CARGO_PKG_VERSION"));
    let config = Config::builder().auto_add_history(false).build();
    let mut editor = match Editor::<(), DefaultHistory>::with_config(config) {
        Ok(editor) => editor,
        Err(error) => {
            complain(&format!("ms: no prompt: {error}\n"));
            return 2;
        }
    };
    let history = std::env::home_dir().map(|home| home.join(HISTORY));
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    let desk = Arc::new(Desk::default());
    let (prompts, asked) = channel();
    let reader = {
        let desk = Arc::clone(&desk);
        let name = "ms-prompt".to_owned();
        std::thread::Builder::new().name(name).spawn(move || read_lines(editor, &asked, &desk))
    };
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => {
            complain(&format!("ms: no prompt: {error}\n"));
            return 2;
        }
    };
    let status = read_and_run(engine, &prompts, &desk);
    drop(prompts);
    if let (Ok(mut editor), Some(path)) = (reader.join(), &history) {
        let _ = editor.save_history(path);
    }
    engine.end_tasks();
    engine.finish(status)
}

/// Reads a line for each prompt that comes in; gives the editor back for its history.
fn read_lines(
    mut editor: Editor<(), DefaultHistory>,
    prompts: &Receiver<&'static str>,
    desk: &Desk,
) -> Editor<(), DefaultHistory> {
    while let Ok(prompt) = prompts.recv() {
        let line = editor.readline(prompt);
        if let Ok(line) = &line
            && !line.trim().is_empty()
        {
            // A history that cannot grow is no reason to stop.
            let _ = editor.add_history_entry(line.as_str());
        }
        *lock(&desk.line) = Some(line);
        if let Some((waker, token)) = lock(&desk.reader).take() {
            waker.wake(token);
        }
    }
    editor
}

/// The next line. Tasks go on meanwhile; what ends the program in one of them is a failure.
fn next_line(
    engine: &mut Engine,
    prompts: &Sender<&'static str>,
    desk: &Arc<Desk>,
    prompt: &'static str,
) -> Result<Line, Failure> {
    if prompts.send(prompt).is_err() {
        return Ok(Err(ReadlineError::Eof));
    }
    loop {
        let waker = engine.host().reactor.waker();
        let ended = engine.wait(LineWait { desk: Arc::clone(desk), waker });
        if let Err(Failure::Raised(e)) = &ended
            && engine.is_exit(*e)
        {
            return ended.map(|()| Err(ReadlineError::Eof));
        }
        if let Some(line) = lock(&desk.line).take() {
            return Ok(line);
        }
        // An interrupt that came before the terminal was the editor's; the prompt is still there.
        if let Err(failure) = ended {
            engine.report(failure);
        }
    }
}

fn read_and_run(engine: &mut Engine, prompts: &Sender<&'static str>, desk: &Arc<Desk>) -> i32 {
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { ">>> " } else { "... " };
        match next_line(engine, prompts, desk, prompt) {
            Ok(Ok(line)) => {
                text.push_str(&line);
                text.push('\n');
            }
            Ok(Err(ReadlineError::Interrupted)) => {
                complain("KeyboardInterrupt\n");
                text.clear();
                continue;
            }
            Ok(Err(ReadlineError::Eof)) => return 0,
            Ok(Err(ReadlineError::Io(error))) if error.kind() == ErrorKind::InvalidData => {
                // What was typed of the line goes with it.
                complain("\n  File \"<stdin>\", line 1\nSyntaxError: the input is not UTF-8\n");
                text.clear();
                continue;
            }
            Ok(Err(error)) => {
                complain(&format!("ms: {error}\n"));
                return 1;
            }
            Err(failure) => return engine.report(failure),
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
