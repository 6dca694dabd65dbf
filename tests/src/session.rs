//! A command that is talked to while it runs: signals, pipes that stay open, a terminal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// No step of a session takes longer.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// A running command. It is killed when it is dropped.
#[derive(Debug)]
pub struct Session {
    child: Child,
    input: Option<File>,
    output: Arc<Stream>,
    errors: Option<Arc<Stream>>,
    readers: Vec<JoinHandle<()>>,
    /// How much of the output was waited for.
    read: usize,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
    /// Standard output; on a terminal, all that was shown.
    pub stdout: String,
    /// Standard error; nothing on a terminal.
    pub stderr: String,
    /// From the call of [`Session::end`] to the end of the process.
    pub took: Duration,
}

#[derive(Debug, Default)]
struct Stream {
    bytes: Mutex<Vec<u8>>,
    more: Condvar,
}

impl Session {
    /// Starts a command whose streams are pipes.
    pub fn piped(command: &mut Command) -> io::Result<Session> {
        hear_interrupts(command);
        let mut child = command
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let output = Arc::new(Stream::default());
        let errors = Arc::new(Stream::default());
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|pipe| reader(pipe, &output)));
        readers.extend(child.stderr.take().map(|pipe| reader(pipe, &errors)));
        let input = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        Ok(Session { child, input, output, errors: Some(errors), readers, read: 0 })
    }

    /// Starts a command on a terminal of its own.
    #[allow(unsafe_code)]
    pub fn on_terminal(command: &mut Command) -> io::Result<Session> {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let name = Path::new(OsStr::new(name.to_str().map_err(io::Error::other)?)).to_owned();
        let end = File::options().read(true).write(true).open(name)?;
        command.stdin(end.try_clone()?).stdout(end.try_clone()?).stderr(end);
        hear_interrupts(command);
        // SAFETY: between fork and exec these are two system calls and nothing else.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(io::stdin())?;
                Ok(())
            });
        }
        let child = command.spawn()?;
        // The command holds this end of the terminal, too: without that the end is never seen.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let terminal = File::from(terminal);
        let output = Arc::new(Stream::default());
        let readers = vec![reader(terminal.try_clone()?, &output)];
        Ok(Session { child, input: Some(terminal), output, errors: None, readers, read: 0 })
    }

    /// Writes to its standard input.
    pub fn send(&mut self, text: impl AsRef<[u8]>) -> io::Result<()> {
        match &mut self.input {
            Some(input) => input.write_all(text.as_ref()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until its output, after what was waited for before, has a text; gives what came up
    /// to its end.
    pub fn wait_for(&mut self, text: &str) -> Result<String, String> {
        let until = Instant::now() + STEP_LIMIT;
        let mut bytes = self.output.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let new = String::from_utf8_lossy(&bytes[self.read..]).into_owned();
            if let Some(at) = new.find(text) {
                let end = at + text.len();
                // Lossy text is as long as the bytes wherever the tests look.
                self.read = (self.read + end).min(bytes.len());
                return Ok(new[..end].to_owned());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("no {text:?} came; after the last one there is {new:?}"));
            }
            let waited = self.output.more.wait_timeout(bytes, left);
            bytes = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Sends SIGINT.
    pub fn interrupt(&self) -> io::Result<()> {
        self.signal(Signal::INT)
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn end(mut self, limit: Duration) -> Result<Ended, String> {
        let started = Instant::now();
        let status = loop {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if started.elapsed() > limit => {
                    let shown = self.output.text();
                    return Err(format!("it did not end within {limit:?}; it wrote {shown:?}"));
                }
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        let took = started.elapsed();
        self.input = None;
        for reader in self.readers.drain(..) {
            reader.join().map_err(|_| "a reader panicked")?;
        }
        Ok(Ended {
            status: status.code(),
            signal: status.signal(),
            stdout: self.output.text(),
            stderr: self.errors.as_ref().map(|errors| errors.text()).unwrap_or_default(),
            took,
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Reads a stream to its end. The end of a terminal is an error.
fn reader(mut from: impl Read + Send + 'static, into: &Arc<Stream>) -> JoinHandle<()> {
    let into = Arc::clone(into);
    thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut part) {
            let mut bytes = into.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend_from_slice(&part[..count]);
            into.more.notify_all();
        }
    })
}

/// A test run in the background ignores interrupts, and so would what it starts.
#[allow(unsafe_code)]
pub(crate) fn hear_interrupts(command: &mut Command) {
    // SAFETY: between fork and exec this is one system call and nothing else.
    unsafe {
        command.pre_exec(|| match libc::signal(libc::SIGINT, libc::SIG_DFL) {
            libc::SIG_ERR => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
}
