//! Runs one command to its end: input, a time limit, bounded output.
//!
//! A runaway script must cost neither the machine's memory nor the suite's time, so output is
//! read up to a cap and the process is killed when it passes the cap or the time limit.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// More output than any test asks for.
const OUTPUT_CAP_BYTES: u64 = 16 << 20;

/// A command that is ready to run.
#[derive(Debug, Clone)]
pub struct Invocation {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    directory: PathBuf,
    stdin: Vec<u8>,
    time_limit: Duration,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It ended by itself with this status.
    Exit(i32),
    /// A signal ended it: a crash, an abort.
    Signal,
    /// It had to be killed: it ran out of time, or it wrote without end.
    Killed,
}

/// What a run left behind.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Standard output; bytes that are not UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// Wall time.
    pub elapsed: Duration,
}

impl Invocation {
    /// A run of `program` in `directory`.
    pub fn new(program: &Path, directory: &Path) -> Self {
        Self {
            program: program.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            directory: directory.to_owned(),
            stdin: Vec::new(),
            time_limit: Duration::from_secs(10),
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets what the process reads from standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets the time limit.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs it. An error means that it could not be started.
    pub fn run(&self) -> io::Result<Outcome> {
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        #[cfg(unix)]
        crate::session::hear_interrupts(&mut command);
        let mut child = command
            .args(&self.args)
            .env("NO_COLOR", "1")
            .env_remove("MS_EXT_PATH")
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .current_dir(&self.directory)
            .stdin(if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (done, finished) = mpsc::channel();
        let stdout = read_capped(child.stdout.take(), done.clone());
        let stderr = read_capped(child.stderr.take(), done);
        let feeder = child.stdin.take().map(|mut pipe| {
            let input = self.stdin.clone();
            // A script may end before it has read everything; that is no failure of the run.
            thread::spawn(move || drop(pipe.write_all(&input)))
        });

        let mut killed = false;
        for _ in 0..2 {
            let left = self.time_limit.saturating_sub(started.elapsed());
            if !matches!(finished.recv_timeout(left), Ok(true)) {
                killed = true;
                child.kill()?;
                break;
            }
        }
        let status = wait_until(&mut child, started + self.time_limit, &mut killed)?;
        let elapsed = started.elapsed();
        if let Some(feeder) = feeder {
            drop(feeder.join());
        }
        let text = |handle: thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&handle.join().unwrap_or_default()).into_owned()
        };
        Ok(Outcome {
            ending: match status.code() {
                _ if killed => Ending::Killed,
                Some(code) => Ending::Exit(code),
                None => Ending::Signal,
            },
            stdout: text(stdout),
            stderr: text(stderr),
            elapsed,
        })
    }
}

/// Reads a pipe to its end or to the cap, then reports whether the end was reached.
fn read_capped(
    pipe: Option<impl Read + Send + 'static>,
    done: mpsc::Sender<bool>,
) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let complete = pipe.is_some_and(|pipe| {
            let read = pipe.take(OUTPUT_CAP_BYTES).read_to_end(&mut bytes);
            read.is_ok_and(|count| (count as u64) < OUTPUT_CAP_BYTES)
        });
        // Nobody listens any more once the process was killed.
        let _ = done.send(complete);
        bytes
    })
}

/// Waits for a process whose pipes are closed; one that closed them and goes on is killed.
fn wait_until(child: &mut Child, deadline: Instant, killed: &mut bool) -> io::Result<ExitStatus> {
    while !*killed {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            *killed = true;
            child.kill()?;
        }
        thread::sleep(Duration::from_micros(200));
    }
    child.wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(code: &str) -> Invocation {
        Invocation::new(Path::new("/bin/sh"), Path::new("/")).arg("-c").arg(code)
    }

    #[test]
    fn output_and_status_are_collected() {
        let outcome = shell("cat; echo oops >&2; exit 3").stdin("hello").run().expect("sh starts");
        assert_eq!(outcome.ending, Ending::Exit(3));
        assert_eq!(outcome.stdout, "hello");
        assert_eq!(outcome.stderr, "oops\n");
    }

    #[test]
    fn a_process_out_of_time_is_killed() {
        let limit = Duration::from_millis(100);
        let outcome = shell("exec sleep 20").time_limit(limit).run().expect("sh starts");
        assert_eq!(outcome.ending, Ending::Killed);
        let quiet =
            shell("exec >&- 2>&-; exec sleep 20").time_limit(limit).run().expect("sh starts");
        assert_eq!(quiet.ending, Ending::Killed);
    }

    #[test]
    fn a_process_that_writes_without_end_is_killed() {
        let outcome = shell("exec yes").run().expect("sh starts");
        assert_eq!(outcome.ending, Ending::Killed);
        assert_eq!(outcome.stdout.len() as u64, OUTPUT_CAP_BYTES);
    }

    #[test]
    fn a_crash_is_not_an_exit() {
        let outcome = shell("kill -ABRT $$").run().expect("sh starts");
        assert_eq!(outcome.ending, Ending::Signal);
    }
}
