//! Servers that answer as they are told, on threads, and short ways to call the module.

#![allow(dead_code)]

use miniscript_sdk::testing::{Object, Py, Raised, Vm};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The test host with the http module.
pub fn vm() -> Box<Vm> {
    Vm::new(ms_http::descriptor()).expect("the module can be imported")
}

/// What a server saw.
#[derive(Default)]
pub struct Seen {
    /// Connections that were accepted.
    pub connections: AtomicUsize,
    /// Whole requests.
    pub requests: Mutex<Vec<String>>,
}

impl Seen {
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked here").clone()
    }
}

/// Reads one request with its body; None at the end of the connection.
pub fn read_request(stream: &mut impl Read) -> Option<String> {
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

/// A server that calls `answer` for each request; None closes the connection.
pub fn server(
    answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> (SocketAddr, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let noted = Arc::clone(&seen);
    let answer = Arc::new(answer);
    let address = raw_server(move |mut stream| {
        noted.connections.fetch_add(1, Ordering::SeqCst);
        while let Some(request) = read_request(&mut stream) {
            noted.requests.lock().expect("no test panicked here").push(request.clone());
            match answer(&request) {
                Some(text) if stream.write_all(text.as_bytes()).is_ok() => {}
                _ => return,
            }
        }
    });
    (address, seen)
}

/// A server that hands each connection to a thread.
pub fn raw_server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// A plain answer.
pub fn ok(body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

pub fn dict(pairs: &[(&str, Py)]) -> Py {
    let pairs = pairs.iter().map(|(name, value)| (Py::str(name), value.clone())).collect();
    Py::object(Object::Dict(std::cell::RefCell::new(pairs)))
}

pub fn bytes(content: &[u8]) -> Py {
    Py::object(Object::Bytes(content.to_vec()))
}

pub fn get(vm: &Vm, url: &str, options: &[(&str, Py)]) -> Result<Py, Raised> {
    vm.call("get", &[Py::str(url)], options)
}

/// `repr` of an attribute or of a method's result.
pub fn show(vm: &Vm, object: &Py, name: &str) -> String {
    shown(vm.method(object, name, &[]))
}

/// `repr` of a result, or the exception.
pub fn shown(result: Result<Py, Raised>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(raised) => format!("{}: {}", raised.class, raised.message),
    }
}

/// Class and message of an exception.
pub fn raised(result: Result<Py, Raised>) -> String {
    match result {
        Ok(value) => panic!("no exception but {value:?}"),
        Err(raised) => format!("{}: {}", raised.class, raised.message),
    }
}
