//! Scripts that talk to servers on threads of the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use miniscript_tests::{Ending, Invocation, Outcome, Subject};

/// The command under test.
pub fn ms() -> &'static Path {
    static SUBJECT: OnceLock<PathBuf> = OnceLock::new();
    SUBJECT.get_or_init(|| Subject::locate().expect("there is an ms to test").path)
}

/// Runs a program with arguments.
pub fn run(program: &str, args: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().expect("a temporary directory");
    Invocation::new(ms(), directory.path())
        .args(["-c", program])
        .args(args)
        .time_limit(Duration::from_secs(30))
        .run()
        .expect("ms starts")
}

/// Runs a program that must end well; its output.
#[track_caller]
pub fn output(program: &str, args: &[&str]) -> String {
    let outcome = run(program, args);
    assert!(
        outcome.ending == Ending::Exit(0) && outcome.stderr.is_empty(),
        "{program}: {outcome:?}"
    );
    outcome.stdout
}

/// A server that hands each connection to a thread. It lives as long as the test process.
pub fn server(serve: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // No peer makes a thread of the test wait for ever.
            let limit = Some(Duration::from_secs(20));
            let _ = stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit));
            thread::spawn(move || serve(&mut stream));
        }
    });
    address
}

/// Reads one message with its body; nothing at the end of the connection.
pub fn read_message(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0usize);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// A server that answers each request with the bytes and closes.
pub fn answers(bytes: &'static [u8]) -> SocketAddr {
    server(move |stream| {
        if read_message(stream).is_some() {
            // The client may have had enough before the end.
            let _ = stream.write_all(bytes);
        }
    })
}
