//! `http.serve`: its handlers are tasks, and no request brings it down.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use miniscript_tests::Session;

use crate::support::{ms, output, read_message};

const HANDLER: &str = "import http, sys\n\
    count = 0\n\
    def handler(request):\n    \
        global count\n    \
        count += 1\n    \
        if request.path == '/boom': return 1 / 0\n    \
        if request.path == '/bad': return object()\n    \
        if request.path == '/slow': sleep(0.05)\n    \
        if request.path == '/echo': return request.body\n    \
        return request.method + ' ' + request.path + ' ' + str(dict(request.query))\n\
    server = http.serve(handler, max_body=1000)\n\
    print(server.port, flush=True)\n\
    sys.stdin.read()\n\
    server.stop()\n\
    print('handled', count)\n";

/// A server in a process of its own, and its port.
fn start() -> (Session, u16) {
    let mut command = std::process::Command::new(ms());
    command.args(["-c", HANDLER]);
    let mut session = Session::piped(&mut command).expect("ms starts");
    let port = session.wait_for("\n").expect("it tells its port");
    (session, port.trim_end().parse().expect("a port"))
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it accepts");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    stream
}

/// What is answered to some bytes until the server closes.
fn answer(port: u16, bytes: &[u8]) -> String {
    let mut stream = connect(port);
    // It may have had enough before the end.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn get(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
    read_message(stream).expect("an answer")
}

#[test]
fn an_exception_in_a_handler_is_told_and_answered() {
    let (mut server, port) = start();
    let mut stream = connect(port);
    for path in ["/boom", "/bad"] {
        let shown = get(&mut stream, path);
        assert!(shown.starts_with("HTTP/1.1 500 Internal Server Error\r\n"), "{shown}");
        assert!(!shown.contains("Traceback"), "{shown}");
    }
    assert!(get(&mut stream, "/on?a=1").ends_with("GET /on {'a': '1'}"));
    server.close_input();
    let ended = server.end(Duration::from_secs(5)).expect("it stops");
    assert_eq!((ended.status, ended.stdout.lines().next_back()), (Some(0), Some("handled 3")));
    let trace = "Traceback (most recent call last):\n  File \"<string>\", line 6, in handler\n";
    assert!(ended.stderr.starts_with(trace), "{ended:?}");
    assert!(ended.stderr.contains("\nZeroDivisionError: division by zero\n"), "{ended:?}");
    assert!(
        ended.stderr.contains("TypeError: a body must be str, bytes, dict or list")
            && ended.stderr.contains("(what the handler of http.serve() returned for GET /bad)"),
        "{ended:?}"
    );
}

#[test]
fn requests_that_are_none_are_refused() {
    let (mut server, port) = start();
    let head = "GET / HTTP/1.1\r\nHost: x\r\n";
    let bad = "HTTP/1.1 400 Bad Request\r\n";
    for bytes in [
        "\0\u{1}\u{2}garbage\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(),
        format!("{head}Content-Length: x\r\n\r\n"),
        format!("{head}Content-Length: -1\r\n\r\n"),
    ] {
        let shown = answer(port, bytes.as_bytes());
        assert!(shown.starts_with(bad) || shown.is_empty(), "{bytes:?}: {shown:?}");
    }
    let many = format!("{head}{}\r\n", "X-A: b\r\n".repeat(1000));
    let shown = answer(port, many.as_bytes());
    let refused = shown.starts_with("HTTP/1.1 431 ") || shown.starts_with(bad);
    // With bytes unread the connection is reset, which may overtake the answer.
    assert!(refused || shown.is_empty(), "{shown}");
    let long = format!("{head}X-A: {}\r\n\r\n", "a".repeat(1_000_000));
    let shown = answer(port, long.as_bytes());
    assert!(shown.starts_with("HTTP/1.1 431 ") || shown.is_empty(), "{shown}");
    let post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
    let large = format!("{post}Content-Length: 1001\r\n\r\n{}", "a".repeat(1001));
    let shown = answer(port, large.as_bytes());
    assert!(shown.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{shown}");
    // The client has closed its half of the connection by then.
    let right = format!("{post}Content-Length: 1000\r\n\r\n{}", "a".repeat(1000));
    assert!(answer(port, right.as_bytes()).starts_with("HTTP/1.1 200 OK\r\n"));
    let large = format!(
        "{post}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        format!("1f4\r\n{}\r\n", "a".repeat(500)).repeat(3)
    );
    let shown = answer(port, large.as_bytes());
    assert!(shown.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{shown}");
    let huge = format!("{post}Content-Length: 1000000000000\r\n\r\n");
    let shown = answer(port, huge.as_bytes());
    assert!(shown.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{shown}");
    // Half a request, and a client that goes away in the middle of the answer.
    assert_eq!(answer(port, b"GET / HT"), "");
    for _ in 0..20 {
        let mut stream = connect(port);
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
    }
    assert!(get(&mut connect(port), "/after").ends_with("GET /after {}"));
    server.close_input();
    let ended = server.end(Duration::from_secs(5)).expect("it stops");
    assert!(ended.status == Some(0) && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn connections_are_kept_and_pipelined_and_many() {
    let (mut server, port) = start();
    let mut streams: Vec<TcpStream> = (0..200).map(|_| connect(port)).collect();
    for round in 0..3 {
        for stream in &mut streams {
            write!(stream, "GET /{round} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it is sent");
        }
        for stream in &mut streams {
            let shown = read_message(stream).expect("an answer");
            assert!(shown.ends_with(&format!("GET /{round} {{}}")), "{shown}");
        }
    }
    let both = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
    streams[0].write_all(both.as_bytes()).expect("it is sent");
    assert!(read_message(&mut streams[0]).expect("an answer").ends_with("GET /slow {}"));
    assert!(read_message(&mut streams[0]).expect("an answer").ends_with("GET /2 {}"));
    // One that says nothing keeps none of the others waiting, and stop() does not wait for it.
    let _silent = connect(port);
    let mut slow = connect(port);
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").expect("it is sent");
    assert!(get(&mut connect(port), "/x").ends_with("GET /x {}"));
    server.close_input();
    let ended = server.end(Duration::from_secs(5)).expect("it stops");
    assert_eq!((ended.status, ended.stdout.lines().next_back()), (Some(0), Some("handled 603")));
}

#[test]
fn client_and_server_agree() {
    let program = r#"
import http
def handler(r):
    if r.path == "/redirect": return http.Response(status=302, headers={"Location": "/echo?to=1"})
    if r.path == "/status": return 418, "teapot", {"X-A": "1"}
    if r.path == "/none": return None
    if r.path == "/json": return {"list": [1, 2.5, None, True, "é"], "text": "\"\\\n"}
    return {"method": r.method, "query": dict(r.query), "body": r.body.decode(),
            "type": r.headers.get("content-type"), "test": r.headers.get("X-Test")}
with http.serve(handler) as s:
    u = s.url + "/echo"
    def show(r): print(r.status, list(r.json().values()))
    show(http.get(u, params={"a": [1, 2], "b": "x y&z", "c": None, "d": 1.5, "e": True}))
    show(http.get(u + "?p=0", params=[("q", "é")], headers={"x-TEST": "yes"}))
    show(http.post(u, json={"k": [1, None, True, 1.5, "é"]}))
    show(http.post(u, data={"a": "1 2", "b": "é"}))
    show(http.post(u, data="text"))
    show(http.post(u, body=b"bytes", headers={"Content-Type": "x/y"}))
    for verb in (http.put, http.patch, http.delete):
        show(verb(u, data="d"))
    with open("f", "w") as f: f.write("of a file")
    with open("f") as f: show(http.post(u, data=f))
    with open("f", "rb") as f: show(http.put(u, f))
    class Waits:
        def read(self):
            sleep(0.001)
            return b"waited for"
    show(http.post(u, data=Waits()))
    show(http.post(u, data=memoryview(b"(view)")[1:5]))
    show(http.options(u))
    show(http.request("options", u))
    r = http.get(s.url + "/redirect")
    print(r.url == s.url + "/echo?to=1", r.json()["query"])
    print(http.get(s.url + "/redirect", allow_redirects=False).status)
    r = http.get(s.url + "/status")
    print(r.status, r.ok, r.text, r.headers["x-a"], "X-A" in r.headers, r.content, r)
    try:
        r.raise_for_status()
    except http.HTTPError as e:
        print(type(e).__name__, e.response is r, isinstance(e, OSError))
    r = http.get(s.url + "/none")
    print(r.status, r.ok, r.content, r.raise_for_status() is r)
    print(http.get(s.url + "/json").json())
    r = http.head(u)
    print(r.status, r.content, int(r.headers["content-length"]) > 10)
    try:
        http.get(s.url + "/none").json()
    except ValueError as e:
        print(type(e).__name__, e)
    again = http.serve(handler)
    print(s.port != again.port, s.running, again.running)
    again.stop()
    again.stop()
    print(again.running)
print(s.running)
for bad in (lambda: http.get("nope"), lambda: http.get("http://"), lambda: http.get(u, timeout=-1), lambda: http.get(u, timeout="x"),
            lambda: http.request("BAD METHOD", u), lambda: http.get(u, headers={"a": "b\r\nX: y"}), lambda: http.post(u, json=object()),
            lambda: http.post(u, json=1, data="x"), lambda: http.serve(5), lambda: http.get(5), lambda: http.get(u, nope=1)):
    try:
        bad()
    except (ValueError, TypeError, OSError) as e:
        print(type(e).__name__)
"#;
    let expected = "\
200 ['GET', {'a': '2', 'b': 'x y&z', 'd': '1.5', 'e': 'True'}, '', None, None]
200 ['GET', {'p': '0', 'q': 'é'}, '', None, 'yes']
200 ['POST', {}, '{\"k\":[1,null,true,1.5,\"é\"]}', 'application/json', None]
200 ['POST', {}, 'a=1+2&b=%C3%A9', 'application/x-www-form-urlencoded', None]
200 ['POST', {}, 'text', None, None]
200 ['POST', {}, 'bytes', 'x/y', None]
200 ['PUT', {}, 'd', None, None]
200 ['PATCH', {}, 'd', None, None]
200 ['DELETE', {}, 'd', None, None]
200 ['POST', {}, 'of a file', None, None]
200 ['PUT', {}, 'of a file', None, None]
200 ['POST', {}, 'waited for', None, None]
200 ['POST', {}, 'view', None, None]
200 ['OPTIONS', {}, '', None, None]
200 ['OPTIONS', {}, '', None, None]
True {'to': '1'}
302
418 False teapot 1 True b'teapot' <Response [418]>
StatusError True True
204 True b'' True
{'list': [1, 2.5, None, True, 'é'], 'text': '\"\\\\\\n'}
200 b'' True
JSONDecodeError Expecting value: line 1 column 1 (char 0)
True True True
False
False
InvalidURL
InvalidURL
ValueError
TypeError
ValueError
ValueError
TypeError
TypeError
TypeError
TypeError
TypeError
";
    assert_eq!(output(program, &[]), expected);
}
