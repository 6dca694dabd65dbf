//! Servers that misbehave: each is a clear exception, soon, and the program goes on.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::support::{answers, output, read_message, server};

const GET: &str = "import http, sys\n\
    try:\n    r = http.get('http://' + sys.argv[1] + '/p', timeout=0.5, max_bytes=1_000_000)\n    \
    print(r.status, repr(r.reason), repr(r.text), dict(r.headers))\n\
    except Exception as e:\n    print(type(e).__name__, str(e).replace(sys.argv[1], 'HOST'))\n";

#[track_caller]
fn gets(address: SocketAddr, expected: &str) {
    let shown = output(GET, &[&address.to_string()]);
    assert_eq!(shown.trim_end(), expected);
}

#[test]
fn answers_that_are_none() {
    let bad = |bytes, why: &str| {
        gets(answers(bytes), &format!("ProtocolError bad answer from HOST: {why}"));
    };
    let closed = "the connection was closed before the answer was complete";
    bad(b"", closed);
    bad(b"HTTP/1.1 20", closed);
    bad(b"HTTP/1.1 200 OK\r\nContent-Le", closed);
    bad(b"\0\xff garbage\r\n\r\n", "invalid HTTP version parsed");
    bad(b"hello", "invalid HTTP version parsed");
    bad(b"HTTP/2 200 OK\r\n\r\n", "invalid HTTP version parsed");
    bad(b"HTTP/1.1 42 X\r\nContent-Length: 0\r\n\r\n", "invalid HTTP status-code parsed");
    bad(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", "invalid HTTP header parsed");
    for length in ["-5", "99999999999999999999", "3\r\nContent-Length: 4", "x"] {
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nabcd");
        bad(text.leak().as_bytes(), "invalid content-length parsed");
    }
    let short = "end of file before message length reached";
    bad(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", short);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    bad(format!("{chunked}5\r\nab").leak().as_bytes(), short);
    bad(
        format!("{chunked}zz\r\nab").leak().as_bytes(),
        "Invalid chunk size line: missing size digit",
    );
}

#[test]
fn answers_that_are_odd_but_right() {
    let text = "HTTP/1.0 200 OK\r\n\r\nuntil the end";
    gets(answers(text.as_bytes()), "200 'OK' 'until the end' {}");
    let text = "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx";
    gets(answers(text.as_bytes()), "200 '' 'x' {'content-length': '1'}");
    gets(answers(b"HTTP/1.1 204 N\r\n\r\n"), "204 'N' '' {}");
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n";
    gets(answers(text.as_bytes()), "200 'OK' 'abcde' {'transfer-encoding': 'chunked'}");
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    gets(answers(text.as_bytes()), "200 'OK' 'ok' {'content-length': '2'}");
    let text = b"HTTP/1.1 200 OK\r\nX-Name: \xe9\r\nContent-Length: 0\r\n\r\n";
    gets(answers(text), "200 'OK' '' {'x-name': '\u{e9}', 'content-length': '0'}");
    let text = b"HTTP/1.1 200 OK\r\nX-Lines: a\r\n b\r\nContent-Length: 0\r\n\r\n";
    gets(answers(text), "200 'OK' '' {'x-lines': 'a b', 'content-length': '0'}");
    // An encoding that was not asked for is handed over as it is.
    let text = "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc";
    let shown = "200 'OK' 'abc' {'content-encoding': 'br', 'content-length': '3'}";
    gets(answers(text.as_bytes()), shown);
}

/// "hello", compressed.
const ZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00";

#[test]
fn compressed_answers() {
    let answer = |coding: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n\r\n");
        answers([head.as_bytes(), body].concat().leak())
    };
    gets(answer("gzip", ZIPPED), "200 'OK' 'hello' {'content-encoding': 'gzip'}");
    gets(answer("gzip", b""), "200 'OK' '' {'content-encoding': 'gzip'}");
    gets(
        answer("deflate", b"\xcbH\xcd\xc9\xc9\x07\0"),
        "200 'OK' 'hello' {'content-encoding': 'deflate'}",
    );
    let bad = "ProtocolError bad answer from HOST: its body is not valid gzip";
    gets(answer("gzip", b"hello"), bad);
    gets(answer("gzip", &ZIPPED[..ZIPPED.len() - 1]), bad);
    let asked = server(|stream| {
        let head = read_message(stream).unwrap_or_default().to_ascii_lowercase();
        let coding = head.lines().find(|l| l.starts_with("accept-encoding")).unwrap_or("");
        let answer = format!("HTTP/1.1 200 {coding}\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.write_all(answer.as_bytes());
    });
    gets(asked, "200 'accept-encoding: gzip, deflate' '' {'content-length': '0'}");
}

/// A server that sends a head and then the same again and again.
fn endless(head: &'static [u8], again: &'static [u8], pause: Duration) -> SocketAddr {
    server(move |stream| {
        if read_message(stream).is_none() || stream.write_all(head).is_err() {
            return;
        }
        while stream.write_all(again).is_ok() {
            std::thread::sleep(pause);
        }
    })
}

#[test]
fn answers_without_end() {
    let head = b"HTTP/1.1 200 OK\r\n";
    let now = Duration::ZERO;
    let large = "ProtocolError bad answer from HOST: its headers are too large";
    gets(endless(head, b"X-A: b\r\n", now), large);
    gets(endless(b"HTTP/1.1 200 OK\r\nX: ", &[b'a'; 1000], now), large);
    gets(endless(b"HTTP/1.1 200 ", &[b'a'; 1000], now), large);
    let body = "ProtocolError the body is larger than max_bytes=1000000 (http://HOST/p)";
    gets(endless(b"HTTP/1.1 200 OK\r\n\r\n", &[b'a'; 10_000], now), body);
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("2710\r\n{}\r\n", "a".repeat(10_000));
    gets(endless(chunked, chunk.leak().as_bytes(), now), body);
    gets(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"), body);
    let late = "TimeoutError no complete answer within the timeout (http://HOST/p)";
    gets(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", now), late);
    gets(endless(b"HTTP/1.1 200 OK\r\nX: ", b"a", Duration::from_millis(20)), late);
    let slow = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    gets(endless(slow, b"a", Duration::from_millis(20)), late);
    gets(endless(b"", b"", Duration::from_millis(20)), late);
}

#[test]
fn connections_that_break() {
    let reset = |stream: &mut TcpStream| {
        read_message(stream);
        // Closing with data unread or without lingering resets the connection.
        let _ = set_socket_linger(&*stream, Some(Duration::ZERO));
    };
    gets(
        server(reset),
        "ConnectionError the connection to HOST broke: [Errno 104] Connection reset by peer",
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    gets(address, "ConnectionError cannot connect to HOST: [Errno 111] Connection refused");
}

#[test]
fn redirects() {
    let to = |location: &str| {
        let head = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation:";
        answers(format!("{head} {location}\r\n\r\n").leak().as_bytes())
    };
    gets(to("/again"), "TooManyRedirects more than 10 redirects (http://HOST/again)");
    gets(
        to("gopher://x"),
        "ProtocolError bad answer from HOST: it redirects to 'gopher://x', and the scheme \
         'gopher' is not supported (http and https are)",
    );
    let end = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
    gets(to(&format!("http://{end}/x")), "200 'OK' 'end' {'content-length': '3'}");
    let nowhere = answers(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
    gets(nowhere, "302 'Found' '' {'content-length': '0'}");
}

#[test]
fn one_bad_server_disturbs_no_other_task() {
    let silent = endless(b"", b"", Duration::from_millis(20));
    let good = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
    let program = "import http, sys\n\
        slow = [go(http.get, 'http://' + sys.argv[1], timeout=1) for n in range(20)]\n\
        for n in range(20): assert http.get('http://' + sys.argv[2]).text == 'good'\n\
        print([t.done for t in slow].count(True))\n\
        def ends(t):\n    try: t.result()\n    except http.TimeoutError: return 1\n\
        print(sum(ends(t) for t in slow))\n\
        t = go(http.get, 'http://' + sys.argv[1])\n\
        sleep(0.05); t.cancel()\n\
        try: t.result()\n\
        except CancelledError: print('cancelled')\n";
    let shown = output(program, &[&silent.to_string(), &good.to_string()]);
    assert_eq!(shown, "0\n20\ncancelled\n");
}
