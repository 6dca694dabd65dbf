//! The end of a program that does not react to `--timeout`.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::complain;

/// How long the last words may take: whoever reads them may have stopped.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// What ends the process, with `held`, what standard output has not written yet.
pub fn end_process(held: Arc<Mutex<Vec<u8>>>) -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(move || {
        // If somebody is just writing to it, it is not waiting for a native.
        let held = held.try_lock().map(|mut held| std::mem::take(&mut *held)).unwrap_or_default();
        let (done, wait) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = io::stdout().write_all(&held).and_then(|()| io::stdout().flush());
            complain("TimeoutError: the time limit is over\n");
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(LAST_WORDS);
        exit();
    })
}

/// Ends at once: the other threads run on and may use what destructors would take away.
#[cfg(unix)]
fn exit() {
    signal_hook::low_level::exit(1);
}

#[cfg(not(unix))]
fn exit() {
    std::process::exit(1);
}
