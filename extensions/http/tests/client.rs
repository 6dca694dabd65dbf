//! The client against servers that behave, and servers that do not.

#![allow(clippy::cloned_ref_to_slice_refs)] // Lists of arguments read alike.

mod common;

use common::*;
use miniscript_sdk::testing::Py;
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_response_has_status_headers_and_body() {
    let (address, seen) = server(|_| {
        Some(
            "HTTP/1.1 200 Fine\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
             X-Two: a\r\nX-Two: b\r\nContent-Length: 4\r\n\r\n{1}\n"
                .to_owned(),
        )
    });
    let vm = vm();
    let url = format!("http://{address}/a b?x=1");
    let response =
        get(&vm, &url, &[("params", dict(&[("q", Py::str("ü &"))]))]).expect("an answer");
    assert_eq!(show(&vm, &response, "status"), "200");
    assert_eq!(show(&vm, &response, "ok"), "True");
    assert_eq!(show(&vm, &response, "reason"), "'Fine'");
    assert_eq!(show(&vm, &response, "body"), "b'{1}\\n'");
    assert_eq!(show(&vm, &response, "text"), "'{1}\n'");
    assert_eq!(show(&vm, &response, "url"), format!("'http://{address}/a%20b?x=1&q=%C3%BC+%26'"));
    assert_eq!(show(&vm, &response, "__repr__"), "'<Response [200]>'");
    let headers = vm.method(&response, "headers", &[]).expect("headers");
    assert_eq!(shown(vm.method(&headers, "__getitem__", &[Py::str("x-TWO")])), "'a, b'");
    assert_eq!(shown(vm.method(&headers, "get_all", &[Py::str("x-two")])), "['a', 'b']");
    assert_eq!(shown(vm.method(&headers, "get", &[Py::str("no")])), "None");
    assert_eq!(shown(vm.method(&headers, "get", &[Py::str("no"), Py::Int(1)])), "1");
    assert_eq!(shown(vm.method(&headers, "__contains__", &[Py::str("X-two")])), "True");
    assert_eq!(shown(vm.method(&headers, "__getitem__", &[Py::str("no")])), "KeyError: no");
    assert_eq!(show(&vm, &headers, "__len__"), "3");
    assert_eq!(show(&vm, &headers, "keys"), "['content-type', 'x-two', 'content-length']");
    let request = seen.requests().remove(0);
    assert!(request.starts_with("GET /a%20b?x=1&q=%C3%BC+%26 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {address}\r\n")), "{request}");
    assert!(request.contains("user-agent: MiniScript/"), "{request}");
    assert!(request.contains("accept-encoding: gzip, deflate\r\n"), "{request}");
    let raised = raised(vm.method(&response, "json", &[]));
    let expected = "JSONDecodeError: Expecting property name enclosed in double quotes: \
                    line 1 column 2 (char 1)";
    assert_eq!(raised, expected);
}

#[test]
fn bodies_are_sent_as_json_form_or_as_they_are() {
    let (address, seen) = server(|_| ok(""));
    let vm = vm();
    let url = Py::str(&format!("http://{address}/"));
    let value = dict(&[
        ("b", Py::list(vec![Py::Int(1), Py::Float(2.5), Py::None, Py::list(vec![])])),
        ("a", Py::str("x\"\n")),
    ]);
    vm.call("post", &[url.clone()], &[("json", value.clone())]).expect("an answer");
    vm.call("put", &[url.clone(), dict(&[("k", Py::str("v w"))])], &[]).expect("an answer");
    vm.call("patch", &[url.clone(), Py::str("é")], &[]).expect("an answer");
    vm.call("delete", &[url.clone()], &[]).expect("an answer");
    vm.call("request", &[Py::str("report"), url.clone()], &[("body", bytes(b"raw"))])
        .expect("an answer");
    let requests = seen.requests();
    assert!(requests[0].contains("content-type: application/json\r\n"), "{}", requests[0]);
    assert!(
        requests[0].ends_with("\r\n\r\n{\"b\":[1,2.5,null,[]],\"a\":\"x\\\"\\n\"}"),
        "{}",
        requests[0]
    );
    assert!(requests[1].starts_with("PUT / "), "{}", requests[1]);
    assert!(requests[1].contains("application/x-www-form-urlencoded\r\n"), "{}", requests[1]);
    assert!(requests[1].ends_with("\r\n\r\nk=v+w"), "{}", requests[1]);
    assert!(requests[2].ends_with("content-length: 2\r\n\r\né"), "{}", requests[2]);
    assert!(requests[3].starts_with("DELETE / "), "{}", requests[3]);
    assert!(requests[4].starts_with("REPORT / "), "{}", requests[4]);
    assert_eq!(seen.connections(), 1);
    let both = [("json", value), ("body", bytes(b"raw"))];
    let text = raised(vm.call("post", &[url], &both));
    assert_eq!(text, "TypeError: give only one of json, data and body");
}

#[test]
fn connections_are_used_again() {
    let (address, seen) = server(|_| ok("hi"));
    let vm = vm();
    for _ in 0..5 {
        get(&vm, &format!("http://{address}/"), &[]).expect("an answer");
    }
    assert_eq!(seen.connections(), 1);
    assert_eq!(vm.open_sockets(), 1);
    assert_eq!(vm.open_operations(), 0);
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_replaced() {
    let (address, seen) = server(|request| match request.contains("/last") {
        true => Some("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()),
        false => None,
    });
    let address_of_closer = raw_server(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let vm = vm();
    for _ in 0..3 {
        get(&vm, &format!("http://{address_of_closer}/"), &[]).expect("an answer");
        thread::sleep(Duration::from_millis(20));
    }
    // A request that was never answered is not sent twice where the connection is new.
    let text = raised(get(&vm, &format!("http://{address}/"), &[]));
    assert!(text.starts_with("ProtocolError: bad answer from"), "{text}");
    assert_eq!(seen.requests().len(), 1);
}

#[test]
fn chunked_and_unlimited_bodies_arrive() {
    let address = raw_server(|mut stream| {
        let request = read_request(&mut stream).unwrap_or_default();
        if request.contains("/chunked") {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head);
            for piece in ["5\r\nhello\r\n", "1;x=y\r\n \r\n", "5\r\nworld\r\n", "0\r\n\r\n"] {
                let _ = stream.write_all(piece.as_bytes());
                thread::sleep(Duration::from_millis(5));
            }
        } else {
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nuntil the end");
        }
    });
    let vm = vm();
    let response = get(&vm, &format!("http://{address}/chunked"), &[]).expect("an answer");
    assert_eq!(show(&vm, &response, "text"), "'hello world'");
    let response = get(&vm, &format!("http://{address}/close"), &[]).expect("an answer");
    assert_eq!(show(&vm, &response, "text"), "'until the end'");
}

#[test]
fn redirects_are_followed_by_the_rules() {
    let (other, elsewhere) = server(|_| ok("elsewhere"));
    let (address, seen) = server(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (code, target) = match path {
            "/a/302" => ("302", "../done"),
            "/307" => ("307", "/done"),
            "/loop" => ("301", "/loop"),
            "/bad" => ("301", "gopher://x"),
            "/other" => ("302", &*format!("http://{other}/x")),
            _ => return ok("done"),
        };
        Some(format!("HTTP/1.1 {code} Go\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"))
    });
    let vm = vm();
    let url = |path: &str| Py::str(&format!("http://user:pass@{address}{path}"));
    let data = [("data", Py::str("body"))];
    let response = vm.call("post", &[url("/a/302")], &data).expect("an answer");
    assert_eq!(show(&vm, &response, "url"), format!("'http://{address}/done'"));
    let requests = seen.requests();
    assert!(requests[0].starts_with("POST /a/302 ") && requests[0].ends_with("body"));
    assert!(requests[1].starts_with("GET /done ") && requests[1].ends_with("\r\n\r\n"));
    assert!(requests[1].contains("authorization: Basic dXNlcjpwYXNz\r\n"), "{}", requests[1]);
    vm.call("post", &[url("/307")], &data).expect("an answer");
    assert!(seen.requests()[3].starts_with("POST /done "), "{}", seen.requests()[3]);
    assert!(seen.requests()[3].ends_with("body"));
    let headers = dict(&[("Cookie", Py::str("secret")), ("X-Own", Py::str("kept"))]);
    vm.call("get", &[url("/other")], &[("headers", headers)]).expect("an answer");
    let there = elsewhere.requests().remove(0);
    assert!(there.contains("x-own: kept\r\n"), "{there}");
    assert!(!there.contains("secret") && !there.contains("authorization"), "{there}");
    assert!(there.contains(&format!("host: {other}\r\n")), "{there}");
    let text = raised(vm.call("get", &[url("/loop")], &[]));
    assert_eq!(text, format!("TooManyRedirects: more than 10 redirects (http://{address}/loop)"));
    let text = raised(vm.call("get", &[url("/bad")], &[]));
    assert!(text.contains("the scheme 'gopher' is not supported"), "{text}");
    let stay = [("allow_redirects", Py::Bool(false))];
    let response = vm.call("get", &[url("/loop")], &stay).expect("an answer");
    assert_eq!(show(&vm, &response, "status"), "301");
}

#[test]
fn time_limits_end_a_request() {
    let silent = raw_server(|_stream| thread::sleep(Duration::from_secs(5)));
    let trickle = raw_server(|mut stream| {
        // An answer that comes before the request is none.
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for _ in 0..500 {
            thread::sleep(Duration::from_millis(10));
            if stream.write_all(b"x").is_err() {
                return;
            }
        }
    });
    let vm = vm();
    for address in [silent, trickle] {
        let start = Instant::now();
        let url = format!("http://{address}/");
        let text = raised(get(&vm, &url, &[("timeout", Py::Float(0.5))]));
        let expected = format!("TimeoutError: no complete answer within the timeout ({url})");
        assert_eq!(text, expected);
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    // An address that never answers, or to which there is no way.
    let text = raised(get(&vm, "http://192.0.2.1/", &[("timeout", Py::Float(0.1))]));
    let late = text.starts_with("TimeoutError: no connection within the time limit");
    assert!(late || text.starts_with("ConnectionError: cannot connect to 192.0.2.1"), "{text}");
    assert_eq!(vm.open_operations(), 0);
    assert_eq!(vm.open_sockets(), 0);
    for timeout in [0.0, -1.0, f64::NAN] {
        let text = raised(get(&vm, "http://x/", &[("timeout", Py::Float(timeout))]));
        assert_eq!(text, "ValueError: timeout must be a positive number of seconds");
    }
}

#[test]
fn bad_servers_are_clear_errors() {
    let answers: [(&str, Vec<u8>, &str); 8] = [
        ("garbage", b"\x16\x03\x01 nonsense\r\n\r\n".to_vec(), "ProtocolError"),
        ("nothing", Vec::new(), "ProtocolError"),
        ("half a head", b"HTTP/1.1 200 OK\r\nConte".to_vec(), "ProtocolError"),
        (
            "half a body",
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".to_vec(),
            "ProtocolError",
        ),
        (
            "bad chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc".to_vec(),
            "ProtocolError",
        ),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_vec(),
            "ProtocolError",
        ),
        (
            "large head",
            [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 1 << 20], b"\r\n\r\n".to_vec()]
                .concat(),
            "ProtocolError",
        ),
        (
            "many headers",
            [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(5000), b"\r\n".to_vec()].concat(),
            "ProtocolError",
        ),
    ];
    let vm = vm();
    for (name, answer, class) in answers {
        let address = raw_server(move |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(&answer);
        });
        let text = raised(get(&vm, &format!("http://{address}/"), &[("timeout", Py::Int(5))]));
        assert!(text.starts_with(class) && text.contains("Error: "), "{name}: {text}");
        assert!(!text.contains("panicked") && !text.contains("Timeout"), "{name}: {text}");
    }
    assert_eq!(vm.open_sockets(), 0);
}

#[test]
fn bodies_have_a_limit() {
    let (address, _) = server(|request| match request.contains("/chunked") {
        true => {
            let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400)).repeat(10);
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            Some(format!("{head}{chunk}0\r\n\r\n"))
        }
        false => ok(&"x".repeat(5000)),
    });
    let vm = vm();
    for path in ["plain", "chunked"] {
        let url = format!("http://{address}/{path}");
        let text = raised(get(&vm, &url, &[("max_bytes", Py::Int(4999))]));
        let expected = format!("ProtocolError: the body is larger than max_bytes=4999 ({url})");
        assert_eq!(text, expected);
    }
    let url = format!("http://{address}/plain");
    get(&vm, &url, &[("max_bytes", Py::Int(5000))]).expect("an answer");
}

#[test]
fn wrong_arguments_are_refused() {
    let vm = vm();
    let cases = [
        ("example.com", "InvalidURL: cannot use the URL 'example.com': it has no scheme"),
        ("ftp://x/", "InvalidURL: cannot use the URL 'ftp://x/': the scheme 'ftp' is not"),
        ("http://127.0.0.1:1/", "ConnectionError: cannot connect to 127.0.0.1:1: [Errno 111]"),
        ("http://no.such.host.invalid/", "ConnectionError: cannot connect to no.such.host.invalid"),
    ];
    for (url, expected) in cases {
        let text = raised(get(&vm, url, &[]));
        assert!(text.starts_with(expected), "{text}");
    }
    let headers = dict(&[("X", Py::str("a\r\nY: b"))]);
    let text = raised(get(&vm, "http://x/", &[("headers", headers)]));
    assert_eq!(text, "ValueError: the value of the header 'X' has control characters");
    let text = raised(vm.call("request", &[Py::str("BAD METHOD"), Py::str("http://x/")], &[]));
    assert_eq!(text, "ValueError: 'BAD METHOD' is not a method");
    let text = raised(vm.call("post", &[Py::str("http://x/")], &[("json", bytes(b"x"))]));
    assert_eq!(text, "TypeError: Object of type bytes is not JSON serializable");
}

#[test]
fn a_failed_status_raises_on_demand() {
    let (address, _) =
        server(|_| Some("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()));
    let vm = vm();
    let url = format!("http://{address}/x");
    let response = get(&vm, &url, &[]).expect("an answer");
    assert_eq!(show(&vm, &response, "ok"), "False");
    let text = raised(vm.method(&response, "raise_for_status", &[]));
    assert_eq!(text, format!("StatusError: 404 Client Error: Not Found for url: {url}"));
    let response = vm.call("head", &[Py::str(&url)], &[]).expect("an answer");
    assert_eq!(show(&vm, &response, "status"), "404");
}

#[test]
fn json_is_read_as_python_reads_it() {
    let vm = vm();
    let cases = [
        (
            r#" {"b": [1, -2.5e3, true, null], "a": {}} "#,
            "{'b': [1, -2500.0, True, None], 'a': {}}",
        ),
        (
            r#"["\u00e9\ud83d\ude00\n\/", 123456789012345678901234567890]"#,
            "['é😀\n/', 0x18ee90ff6c373e0ee4e3f0ad2]",
        ),
        ("[NaN, Infinity, -Infinity, 1E2, 0.5]", "[NaN, inf, -inf, 100.0, 0.5]"),
        ("", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("[1,]", "JSONDecodeError: Expecting value: line 1 column 4 (char 3)"),
        ("[1 2]", "JSONDecodeError: Expecting ',' delimiter: line 1 column 4 (char 3)"),
        ("{\"a\" 1}", "JSONDecodeError: Expecting ':' delimiter: line 1 column 6 (char 5)"),
        ("1 2", "JSONDecodeError: Extra data: line 1 column 3 (char 2)"),
        ("\"ab", "JSONDecodeError: Unterminated string starting at: line 1 column 1 (char 0)"),
        ("[\n\"é\\x\"]", "JSONDecodeError: Invalid \\escape: line 2 column 3 (char 4)"),
        ("01", "JSONDecodeError: Extra data: line 1 column 2 (char 1)"),
        ("\"\\ud8\"", "JSONDecodeError: Invalid \\uXXXX escape: line 1 column 4 (char 3)"),
        ("\"a\tb\"", "JSONDecodeError: Invalid control character at: line 1 column 3 (char 2)"),
    ];
    for (text, expected) in cases {
        let response = vm.construct("Response", &[Py::str(text)]).expect("a response");
        assert_eq!(show(&vm, &response, "json"), expected, "{text}");
    }
    let deep = vm.construct("Response", &[Py::str(&"[".repeat(100_000))]).expect("a response");
    assert!(show(&vm, &deep, "json").starts_with("RecursionError: "));
}
