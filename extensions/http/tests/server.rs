//! The server: handlers, answers, and clients that behave badly.

mod common;

use common::*;
use miniscript_sdk::testing::{Py, Raised, Vm};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

fn serve(vm: &Vm, handler: Py, options: &[(&str, Py)]) -> (Py, SocketAddr) {
    let server = vm.call("serve", &[handler], options).expect("a server");
    let port = show(vm, &server, "port");
    (server, format!("127.0.0.1:{port}").parse().expect("an address"))
}

/// A handler that answers by the path.
fn handler() -> Py {
    Py::function(|vm, args| {
        let request = &args[0];
        let text = |name| show(vm, request, name);
        Ok(match text("path").trim_matches('\'') {
            "/text" => Py::str("<p>é"),
            "/bytes" => bytes(b"\x00\x01"),
            "/json" => dict(&[("a", Py::list(vec![Py::Int(1), Py::Float(0.5)]))]),
            "/none" => Py::None,
            "/tuple" => Py::tuple(vec![Py::Int(418), Py::str("tea"), dict(&[("X-A", Py::Int(1))])]),
            "/response" => vm.construct("Response", &[Py::str("made"), Py::Int(201)])?,
            "/raise" => return Err(Raised::new("KeyError", "oops")),
            "/bad" => Py::Int(7),
            "/status" => Py::tuple(vec![Py::Int(99), Py::str("x")]),
            _ => Py::str(&format!(
                "{} {} {} {} {}",
                text("method"),
                text("path"),
                text("query"),
                text("body"),
                text("remote")
            )),
        })
    })
}

fn body(vm: &Vm, url: &str) -> String {
    let response = get(vm, url, &[]).expect("an answer");
    let headers = vm.method(&response, "headers", &[]).expect("headers");
    let kind = shown(vm.method(&headers, "get", &[Py::str("content-type")]));
    format!("{} {kind} {}", show(vm, &response, "status"), show(vm, &response, "body"))
}

#[test]
fn a_handler_may_return_many_things() {
    let vm = vm();
    let (server, address) = serve(&vm, handler(), &[]);
    let at = |path: &str| body(&vm, &format!("http://{address}{path}"));
    assert_eq!(show(&vm, &server, "url"), format!("'http://{address}'"));
    assert_eq!(at("/text"), r"200 'text/html; charset=utf-8' b'<p>\xc3\xa9'");
    assert_eq!(at("/bytes"), r"200 'application/octet-stream' b'\x00\x01'");
    assert_eq!(at("/json"), r#"200 'application/json' b'{\"a\":[1,0.5]}'"#);
    assert_eq!(at("/none"), "204 None b''");
    assert_eq!(at("/tuple"), "418 'text/html; charset=utf-8' b'tea'");
    assert_eq!(at("/response"), "201 'text/html; charset=utf-8' b'made'");
    let failed = "500 'text/plain; charset=utf-8' b'500 Internal Server Error\\n'";
    for path in ["/raise", "/bad", "/status"] {
        assert_eq!(at(path), failed, "{path}");
    }
    let printed = vm.output();
    assert!(printed.contains("KeyError") && printed.contains("oops"), "{printed}");
    assert!(printed.contains("a body must be str, bytes, dict or list, not int"), "{printed}");
    let url = Py::str(&format!("http://{address}/a%20b?x=1&y=%C3%A9"));
    let response = vm.call("post", &[url, Py::str("body")], &[]).expect("an answer");
    let expected = r#"'\'POST\' \'/a b\' {\'x\': \'1\', \'y\': \'é\'} b\'body\' \'127.0.0.1\''"#;
    assert_eq!(show(&vm, &response, "text"), expected.replace("\\'", "'"));
    vm.method(&server, "stop", &[]).expect("it stops");
    let text = raised(get(&vm, &format!("http://{address}/"), &[("timeout", Py::Float(0.5))]));
    assert!(text.contains("Error: "), "{text}");
    assert_eq!(show(&vm, &server, "running"), "False");
}

/// Sends bytes from a thread and collects the answer.
fn talk(address: SocketAddr, bytes: Vec<u8>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
        let _ = stream.write_all(&bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let _ = stream.shutdown(Shutdown::Both);
        String::from_utf8_lossy(&answer).into_owned()
    })
}

/// Lets the tasks of the host run until the thread has its answer.
fn finish(vm: &Vm, address: SocketAddr, talk: JoinHandle<String>) -> String {
    while !talk.is_finished() {
        get(vm, &format!("http://{address}/"), &[]).expect("the server goes on");
    }
    talk.join().expect("the client's thread")
}

#[test]
fn bad_requests_are_answered_and_the_server_goes_on() {
    let vm = vm();
    let (_server, address) = serve(&vm, handler(), &[("max_body", Py::Int(10))]);
    let cases: [(Vec<u8>, &str); 8] = [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "HTTP/1.1 400 Bad Request"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_vec(),
            "HTTP/1.1 400 Bad Request",
        ),
        (b"nonsense\r\n\r\n".to_vec(), "HTTP/1.1 400 Bad Request"),
        (b"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n".to_vec(), "HTTP/1.1 400 Bad Request"),
        (
            [b"GET / HTTP/1.1\r\n".to_vec(), b"A: b\r\n".repeat(200), b"\r\n".to_vec()].concat(),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (
            [b"GET / HTTP/1.1\r\nA: ".to_vec(), vec![b'x'; 200_000]].concat(),
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 11\r\n\r\n12345678901".to_vec(),
            "HTTP/1.1 413 Payload Too Large",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n"
                .to_vec(),
            "HTTP/1.1 413 Payload Too Large",
        ),
    ];
    for (bytes, expected) in cases {
        let answer = finish(&vm, address, talk(address, bytes));
        assert!(answer.is_empty() || answer.starts_with(expected), "{expected}: {answer}");
    }
    let two = b"GET /text HTTP/1.1\r\nHost: x\r\n\r\n\
        GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = finish(&vm, address, talk(address, two.to_vec()));
    assert_eq!(answer.matches("HTTP/1.1 20").count(), 2, "{answer}");
}

#[test]
fn clients_that_never_finish_a_request_make_room_for_others() {
    let vm = vm();
    let (_server, address) = serve(&vm, handler(), &[]);
    let slow = thread::spawn(move || -> Vec<TcpStream> {
        let open = |_| {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.write_all(b"GET / HTTP/1.1\r\nX: ").expect("a part of a request");
            stream
        };
        (0..520).map(open).collect()
    });
    let options = [("timeout", Py::Float(20.0))];
    let (_other, busy) = serve(&vm, handler(), &[]);
    while !slow.is_finished() {
        get(&vm, &format!("http://{busy}/"), &[]).expect("the host goes on");
    }
    let response = get(&vm, &format!("http://{address}/none"), &options).expect("an answer");
    assert_eq!(show(&vm, &response, "status"), "204");
    drop(slow.join());
}

#[test]
fn a_stopped_server_closes_idle_connections() {
    let vm = vm();
    let (server, address) = serve(&vm, handler(), &[]);
    let (_other, busy) = serve(&vm, handler(), &[]);
    let mut stream = TcpStream::connect(address).expect("a connection");
    let idle = thread::spawn(move || {
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
        stream.read(&mut [0]).map_err(|error| error.to_string())
    });
    get(&vm, &format!("http://{address}/"), &[]).expect("an answer");
    vm.method(&server, "stop", &[]).expect("it stops");
    while !idle.is_finished() {
        get(&vm, &format!("http://{busy}/"), &[]).expect("an answer");
    }
    assert_eq!(idle.join().expect("the client's thread"), Ok(0));
}

#[test]
fn deep_values_are_no_circles() {
    let vm = vm();
    let deep = (0..3000).fold(Py::list(vec![]), |inner, _| Py::list(vec![inner]));
    let url = [Py::str("http://127.0.0.1:9/")];
    let text = raised(vm.call("post", &url, &[("json", deep)]));
    let expected = "RecursionError: maximum recursion depth exceeded while encoding a JSON object";
    assert_eq!(text, expected);
}

#[test]
fn arguments_are_checked() {
    let vm = vm();
    let text = raised(vm.call("serve", &[Py::Int(1)], &[]));
    assert_eq!(text, "TypeError: the handler of serve() must be callable");
    let (_server, address) = serve(&vm, handler(), &[]);
    let taken = [("port", Py::Int(i64::from(address.port())))];
    let text = raised(vm.call("serve", &[handler()], &taken));
    let expected =
        format!("OSError: cannot listen on {address}: [Errno 98] Address already in use");
    assert_eq!(text, expected);
    let text = raised(vm.call("serve", &[handler()], &[("port", Py::Int(70000))]));
    assert_eq!(text, "OverflowError: port must be 0-65535.");
}
