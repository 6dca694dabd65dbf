//! Runs one process that tells of its progress by a file that grows.
//!
//! It is ended when the file does not grow for a while: a test that hangs must not cost the run
//! of the others, and how long a whole file of tests takes is nobody's business. The memory of
//! its address space is limited by the shell, for what the interpreter's own limit misses.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a watched process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself; with this status.
    Status(ExitStatus),
    /// It made no progress and was killed.
    Stuck,
}

/// Runs the command in a folder; `progress` is the file that grows.
pub(super) fn run(
    command: &[&str],
    directory: &Path,
    progress: &Path,
    patience: Duration,
    address_space_kib: u64,
) -> Result<End, String> {
    let stderr = File::create(directory.join("stderr.txt")).map_err(|error| error.to_string())?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("ulimit -v {address_space_kib} -c 0; exec \"$@\""), "sh"])
        .args(command)
        .env("NO_COLOR", "1")
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", command[0]))?;
    let mut seen = 0;
    let mut since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(End::Status(status));
        }
        let length = fs::metadata(progress).map_or(0, |data| data.len());
        if length != seen {
            (seen, since) = (length, Instant::now());
        } else if since.elapsed() > patience {
            child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
            return Ok(End::Stuck);
        }
        thread::sleep(Duration::from_millis(10));
    }
}
