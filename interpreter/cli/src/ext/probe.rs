//! Opening a library in a child process: its code runs when it is opened, and may crash, hang,
//! write or end the process.
//!
//! The child is this same command (`ms ext probe`). It tells what it did in lines of JSON behind
//! a mark that only this run knows, whatever else the library writes.

use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use miniscript_engine::registry::load_file;
use miniscript_engine::{Config, Engine, Failure};
use serde::{Deserialize, Serialize};

use super::describe::{Description, Refusal};
use super::{file_module, reason};

/// A library that is not opened after this time never will be.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// More than any description has.
const OUTPUT_LIMIT: u64 = 64 << 20;

/// What the child is asked.
#[derive(Debug)]
pub struct Request {
    /// The library, named as an extension.
    pub file: PathBuf,
    /// What its lines start with.
    pub mark: String,
    /// Also import it into a program, which runs its initialiser.
    pub import: bool,
}

/// What the child tells.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Loaded(Box<Description>),
    Refused(Refusal),
    Imported,
    /// The text of the exception.
    Raised(String),
}

/// What came of opening a library.
#[derive(Debug, Default)]
pub struct Probed {
    /// What it offers, if it was accepted.
    pub description: Option<Box<Description>>,
    /// Why not.
    pub refusal: Option<Refusal>,
    /// Whether it was imported; the exception's text if that failed.
    pub imported: Option<Result<(), String>>,
    /// How the child ended, if not as it should: "crashed (SIGSEGV)".
    pub ended: Option<String>,
}

impl Probed {
    /// How the child ended before it had told all, or not as it should.
    pub fn failure(&self, import: bool) -> Option<String> {
        let unfinished = self.description.is_none() || import && self.imported.is_none();
        if self.ended.is_none() && (!unfinished || self.refusal.is_some()) {
            return None;
        }
        let step = match (&self.description, &self.imported) {
            (None, _) => "while it was loaded",
            (Some(_), None) if import => "while it was imported",
            _ => "when the program ended",
        };
        Some(format!("{} {step}", self.ended.as_deref().unwrap_or("ended the process")))
    }
}

/// How a library is opened.
#[derive(Debug, Default)]
pub struct Way<'a> {
    /// Import it too; the folders in which the extensions that it needs are looked for.
    pub import: Option<&'a [PathBuf]>,
    /// Show what it writes to standard error.
    pub verbose: bool,
}

/// Opens a library in a child process.
///
/// # Errors
/// When there can be no child.
pub fn probe(file: &Path, way: &Way<'_>) -> Result<Probed, String> {
    let mark = format!("{:016x}:", RandomState::new().build_hasher().finish());
    let me = std::env::current_exe().map_err(|error| format!("no path to ms: {error}"))?;
    let mut command = Command::new(me);
    command.args(["ext", "probe", "--mark", &mark]);
    if let Some(folders) = way.import {
        command.arg("--import");
        for folder in folders {
            command.arg("--ext-path").arg(folder);
        }
    }
    let stderr = if way.verbose { Stdio::inherit() } else { Stdio::null() };
    command.arg("--").arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child =
        command.spawn().map_err(|error| format!("cannot start a process: {}", reason(&error)))?;
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || pass_on(stdout.take(OUTPUT_LIMIT), &send));
    }
    let ended = wait(&mut child)?;
    // To the pipe's end; a process that the library left behind may hold it open.
    let mut output = Vec::new();
    let patience = Instant::now() + Duration::from_secs(1);
    while let Ok(chunk) = receive.recv_timeout(patience.saturating_duration_since(Instant::now())) {
        output.extend(chunk);
    }
    Ok(Probed { ended, ..read(&output, &mark) })
}

/// What is read, in the pieces in which it comes.
fn pass_on(mut from: impl Read, to: &mpsc::Sender<Vec<u8>>) {
    let mut chunk = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if to.send(chunk[..count].to_vec()).is_err() {
            break;
        }
    }
}

/// Waits for the child; how it ended, if not well.
fn wait(child: &mut Child) -> Result<Option<String>, String> {
    let deadline = Instant::now() + TIME_LIMIT;
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(unusual(status)),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(pause),
            Ok(None) => {
                // It may have ended by itself just now.
                let _ = child.kill();
                let _ = child.wait();
                return Ok(Some(format!("did not come back in {} s", TIME_LIMIT.as_secs())));
            }
            Err(error) => return Err(format!("lost the process: {error}")),
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn unusual(status: ExitStatus) -> Option<String> {
    if status.success() {
        return None;
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = match signal {
            4 => "SIGILL",
            6 => "SIGABRT",
            7 => "SIGBUS",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            31 => "SIGSYS",
            _ => return Some(format!("crashed (signal {signal})")),
        };
        return Some(format!("crashed ({name})"));
    }
    Some(match status.code() {
        Some(code) => format!("ended the process (exit status {code})"),
        None => "ended the process".to_owned(),
    })
}

/// The child's lines among all that was written.
fn read(output: &[u8], mark: &str) -> Probed {
    let mut probed = Probed::default();
    for line in output.split(|byte| *byte == b'\n') {
        let Some(json) = line.strip_prefix(mark.as_bytes()) else { continue };
        match serde_json::from_slice(json) {
            Ok(Event::Loaded(description)) => probed.description = Some(description),
            Ok(Event::Refused(refusal)) => probed.refusal = Some(refusal),
            Ok(Event::Imported) => probed.imported = Some(Ok(())),
            Ok(Event::Raised(text)) => probed.imported = Some(Err(text)),
            // Cut off: the child ended while it wrote.
            Err(_) => {}
        }
    }
    probed
}

/// The child: opens the library in this process. The exit status is 0 whatever is found.
pub fn child(request: &Request, folders: &[PathBuf]) -> u8 {
    let tell = |event: &Event| {
        let mut text = format!("\n{}", request.mark);
        let Ok(json) = serde_json::to_string(event) else { return };
        let _ = writeln!(text, "{json}");
        let mut stdout = std::io::stdout().lock();
        // Without a parent there is nobody to tell.
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    };
    let Ok(name) = file_module(&request.file) else { return 1 };
    match load_file(&request.file, &name) {
        Ok(extension) => tell(&Event::Loaded(Box::new(extension.into()))),
        Err(error) => {
            tell(&Event::Refused(Refusal::from(&error)));
            return 0;
        }
    }
    if request.import {
        tell(&match import(&request.file, &name, folders) {
            Ok(()) => Event::Imported,
            Err(text) => Event::Raised(text),
        });
    }
    0
}

/// Imports the library into a program of its own; the exception's text if that fails.
fn import(file: &Path, name: &str, folders: &[PathBuf]) -> Result<(), String> {
    let mut config = Config::command();
    config.ext_path = file.parent().into_iter().map(Path::to_owned).collect();
    config.ext_path.extend_from_slice(folders);
    let mut engine = Engine::new(config);
    match engine.run_source(&format!("import {name}"), "<check>") {
        Ok(()) => Ok(()),
        Err(Failure::Raised(exception)) => {
            let text = engine.exception_text(exception);
            engine.vm().release(exception);
            let last = text.lines().rfind(|line| !line.starts_with([' ', '~', '^']));
            Err(last.unwrap_or("an exception").to_owned())
        }
        Err(Failure::Unreadable(text)) => Err(text),
        Err(Failure::Syntax(_)) => Err(format!("'{name}' cannot be imported by that name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_library_writes_does_not_disturb() {
        let output = b"hello{}\nM:{\"nonsense\nno newline\nM:\"imported\"\nbye M:\"imported\"";
        let probed = read(output, "M:");
        assert_eq!(probed.imported, Some(Ok(())));
        assert!(probed.description.is_none() && probed.refusal.is_none());
        let left = Probed { imported: None, ..probed };
        assert_eq!(left.failure(true).as_deref(), Some("ended the process while it was loaded"));
    }
}
