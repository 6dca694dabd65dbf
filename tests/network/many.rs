//! Many requests at once: one event loop, no thread for a request.

use std::time::Duration;

use miniscript_tests::{Invocation, Session};

use crate::support::{ms, output};

const SERVER: &str = "import http, sys\n\
    def handler(request):\n    sleep(0.1)\n    return 'slow'\n\
    server = http.serve(handler)\nprint(server.url, flush=True)\n\
    sys.stdin.read()\nserver.stop()\n";

/// Seconds are asserted loosely; `tests/README.md` has the command that measures them.
const LOOSE_SECONDS: f64 = 15.0;
/// The scheduler, the pool's threads that list files and look up names, the clock of a limit.
const FEW_THREADS: u64 = 6;

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_requests_run_on_one_loop() {
    let mut command = std::process::Command::new(ms());
    command.args(["-c", SERVER]);
    let mut server = Session::piped(&mut command).expect("ms starts");
    let url = server.wait_for("\n").expect("the server tells its URL");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/network/thousand.ms");
    let outcome = Invocation::new(ms(), std::path::Path::new("/"))
        .args([script, url.trim_end()])
        .time_limit(Duration::from_secs(30))
        .run()
        .expect("ms starts");
    let text = outcome.stdout.trim_end();
    let rest = text.strip_prefix("{200: 1000} threads: ").unwrap_or_else(|| panic!("{outcome:?}"));
    let (threads, seconds) = rest.split_once(" seconds: ").expect("both numbers");
    let threads: u64 = threads.parse().expect("a number");
    assert!(threads <= FEW_THREADS, "{text}");
    assert!(seconds.parse::<f64>().expect("a number") < LOOSE_SECONDS, "{text}");

    // The server had none for each connection either.
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a line");
    assert!(threads.trim().parse::<u64>().expect("a number") <= FEW_THREADS, "{threads}");
    server.close_input();
    assert_eq!(server.end(Duration::from_secs(5)).expect("it stops").status, Some(0));
}

/// Requests one after the other: each leaves garbage, and nothing but the collector notices.
const ONE_BY_ONE: &str = "import http\n\
    def handler(request):\n    return {'path': request.path}\n\
    def used():\n    \
    with open('/proc/self/status') as status:\n        \
    return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))\n\
    def ask(times):\n    \
    for n in range(times): assert http.get(server.url).status == 200\n\
    with http.serve(handler) as server:\n    \
    ask(4500)\n    before = used()\n    ask(1500)\n    print(used() - before)\n";

#[cfg(target_os = "linux")]
#[test]
fn requests_leave_nothing_behind() {
    let kilobytes: i64 = output(ONE_BY_ONE, &[]).trim().parse().expect("a number");
    // 1,500 requests and answers are 20 MB, and after 4,500 the garbage has its usual size.
    assert!(kilobytes < 8_000, "{kilobytes} KB more");
}
