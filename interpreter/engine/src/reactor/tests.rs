//! Tests of the reactor, over loopback only. Every wait is bounded.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::*;

const LONG: Duration = Duration::from_secs(10);
const TOKEN: TaskToken = TaskToken::from_bits(7 << 32 | 1);
const OTHER: TaskToken = TaskToken::from_bits(7 << 32 | 2);

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Polls until ready, turning the reactor in between.
fn block_on<T>(reactor: &Reactor, mut poll: impl FnMut() -> Poll<T>) -> T {
    let end = Instant::now() + LONG;
    let mut ready = Vec::new();
    loop {
        if let Poll::Ready(value) = poll() {
            return value;
        }
        let left = end.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "nothing happened in time");
        reactor.turn(Some(left), &mut ready).unwrap();
        ready.clear();
    }
}

fn turn(reactor: &Reactor, wait: Duration) -> Vec<TaskToken> {
    let mut ready = Vec::new();
    reactor.turn(Some(wait), &mut ready).unwrap();
    ready
}

/// A connected pair: one end of the reactor, one of the standard library.
fn pair(reactor: &Reactor) -> (SocketId, TcpStream) {
    let listener = TcpListener::bind(loopback()).unwrap();
    let id = reactor.tcp_connect(listener.local_addr().unwrap()).unwrap();
    block_on(reactor, || reactor.tcp_poll_connect(id, TOKEN)).unwrap();
    (id, listener.accept().unwrap().0)
}

#[test]
fn stale_slab_keys_find_nothing() {
    let mut slab = GenSlab::new();
    let first = slab.insert("a");
    assert_eq!(slab.remove(first), Some("a"));
    let second = slab.insert("b");
    assert_eq!(second.index(), first.index());
    assert_ne!(second, first);
    assert_eq!(slab.get(first), None);
    assert_eq!(slab.remove(first), None);
    assert_eq!(slab.get(second), Some(&"b"));
    assert_eq!(Key::from_bits(second.to_bits()), second);
    assert_eq!((slab.len(), slab.iter().count()), (1, 1));
}

#[test]
fn wakers_and_jobs_may_be_handed_to_any_thread() {
    fn check<T: Send>() {}
    fn check_shared<T: Send + Sync + Clone>() {}
    check_shared::<Waker>();
    check::<Job<Vec<u8>>>();
}

#[test]
fn wakes_arrive_from_another_thread_and_end_a_sleep() {
    let reactor = Reactor::new();
    let waker = reactor.waker();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        waker.wake(TOKEN);
    });
    let begin = Instant::now();
    assert_eq!(turn(&reactor, LONG), [TOKEN]);
    assert!(begin.elapsed() < LONG / 2);
    thread.join().unwrap();
    assert_eq!(turn(&reactor, Duration::ZERO), []);
}

#[test]
fn no_wake_is_lost_between_many_threads_and_short_sleeps() {
    const THREADS: u64 = 4;
    const EACH: u64 = 5_000;
    let reactor = Reactor::new();
    let threads: Vec<_> = (0..THREADS)
        .map(|t| {
            let waker = reactor.waker();
            std::thread::spawn(move || {
                for i in 0..EACH {
                    waker.wake(TaskToken::from_bits(t * EACH + i));
                }
            })
        })
        .collect();
    let mut seen = Vec::new();
    let end = Instant::now() + LONG;
    while seen.len() < (THREADS * EACH) as usize && Instant::now() < end {
        reactor.turn(Some(LONG), &mut seen).unwrap();
    }
    threads.into_iter().for_each(|t| t.join().unwrap());
    let mut bits: Vec<u64> = seen.iter().map(|t| t.to_bits()).collect();
    bits.sort_unstable();
    assert_eq!(bits, (0..THREADS * EACH).collect::<Vec<_>>());
}

#[test]
fn notify_ends_a_turn_without_a_token() {
    let reactor = Reactor::new();
    let waker = reactor.waker();
    waker.notify();
    let begin = Instant::now();
    assert_eq!(turn(&reactor, LONG), []);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        waker.notify();
    });
    assert_eq!(turn(&reactor, LONG), []);
    assert!(begin.elapsed() < LONG / 2);
    thread.join().unwrap();
}

#[test]
fn timers_fire_in_order_and_never_early() {
    let reactor = Reactor::new();
    let begin = Instant::now();
    let late = reactor.timer_after(Duration::from_millis(40), OTHER);
    let soon = reactor.timer_after(Duration::from_millis(10), TOKEN);
    let never = reactor.timer_after(Duration::MAX, TOKEN);
    assert_eq!(turn(&reactor, LONG), [TOKEN]);
    assert!(begin.elapsed() >= Duration::from_millis(10));
    assert!(!reactor.timer_pending(soon) && reactor.timer_pending(late));
    assert_eq!(turn(&reactor, LONG), [OTHER]);
    assert!(begin.elapsed() >= Duration::from_millis(40));
    assert!(reactor.cancel_timer(never));
    assert!(!reactor.cancel_timer(never));
    assert!(reactor.activity().is_idle());
}

#[test]
fn a_cancelled_timer_wakes_nobody_and_leaves_no_trace() {
    let mut timers = timer::Timers::default();
    let now = Instant::now();
    let keep = timers.insert(now, TOKEN);
    for _ in 0..10_000 {
        let id = timers.insert(now + LONG, OTHER);
        assert!(timers.cancel(id));
    }
    assert!(timers.heap_len() < 200, "{}", timers.heap_len());
    let mut ready = Vec::new();
    timers.expire(now, &mut ready);
    assert_eq!(ready, [TOKEN]);
    assert!(!timers.is_pending(keep));
    assert_eq!(timers.next_deadline(), None);
}

#[cfg(target_os = "linux")]
#[test]
fn an_unused_reactor_opens_no_descriptor() {
    fn epolls() -> usize {
        let fds = std::fs::read_dir("/proc/self/fd").unwrap();
        fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
            .filter(|target| target.to_string_lossy().contains("eventpoll"))
            .count()
    }
    // Other tests of this process make descriptors of their own, so ask a child.
    if std::env::var_os("MS_TEST_ALONE").is_none() {
        let name = "reactor::tests::an_unused_reactor_opens_no_descriptor";
        let exe = std::env::current_exe().unwrap();
        let child = std::process::Command::new(exe)
            .args(["--exact", name, "--test-threads=1"])
            .env("MS_TEST_ALONE", "1")
            .status();
        assert!(child.unwrap().success());
        return;
    }
    let reactor = Reactor::new();
    reactor.timer_after(Duration::from_millis(1), TOKEN);
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(turn(&reactor, Duration::ZERO), [TOKEN]);
    assert_eq!(epolls(), 0);
    turn(&reactor, Duration::from_millis(1));
    assert_eq!(epolls(), 1);
}

#[test]
fn a_stream_connects_reads_writes_and_sees_the_end() {
    let reactor = Reactor::new();
    let (id, mut peer) = pair(&reactor);
    reactor.tcp_set_nodelay(id, true).unwrap();
    assert_eq!(reactor.peer_addr(id).unwrap(), peer.local_addr().unwrap());
    assert_eq!(reactor.local_addr(id).unwrap(), peer.peer_addr().unwrap());
    let n = block_on(&reactor, || reactor.tcp_poll_write(id, b"ping", TOKEN)).unwrap();
    assert_eq!(n, 4);
    let parts = [IoSlice::new(b"-"), IoSlice::new(b"pong")];
    let n = block_on(&reactor, || reactor.tcp_poll_write_vectored(id, &parts, TOKEN)).unwrap();
    assert_eq!(n, 5);
    let mut buf = [0; 9];
    peer.read_exact(&mut buf).unwrap();
    assert_eq!(&buf, b"ping-pong");

    let mut buf = [0; 64];
    assert!(reactor.tcp_poll_read(id, &mut buf, TOKEN).is_pending());
    peer.write_all(b"hello").unwrap();
    let n = block_on(&reactor, || reactor.tcp_poll_read(id, &mut buf, TOKEN)).unwrap();
    assert_eq!(&buf[..n], b"hello");
    drop(peer);
    let n = block_on(&reactor, || reactor.tcp_poll_read(id, &mut buf, TOKEN)).unwrap();
    assert_eq!(n, 0);
    reactor.tcp_shutdown(id, Shutdown::Both).ok();
    assert!(reactor.close(id));
    assert!(!reactor.close(id));
}

#[test]
fn the_end_of_a_stream_is_seen_behind_data_that_came_with_it() {
    let reactor = Reactor::new();
    for _ in 0..50 {
        let (id, mut peer) = pair(&reactor);
        peer.write_all(b"last words").unwrap();
        drop(peer);
        let mut all = Vec::new();
        loop {
            let mut buf = [0; 4];
            match block_on(&reactor, || reactor.tcp_poll_read(id, &mut buf, TOKEN)).unwrap() {
                0 => break,
                n => all.extend_from_slice(&buf[..n]),
            }
        }
        assert_eq!(all, b"last words");
        reactor.close(id);
    }
}

#[test]
fn large_transfers_survive_a_full_buffer() {
    const SIZE: usize = 8 << 20;
    let reactor = Reactor::new();
    let (id, mut peer) = pair(&reactor);
    let data: Vec<u8> = (0..SIZE).map(|i| ((i * 31) >> 3) as u8).collect();
    let expected = data.clone();
    let reader = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        let mut got = vec![0; SIZE];
        peer.read_exact(&mut got).unwrap();
        got == expected
    });
    let mut sent = 0;
    while sent < SIZE {
        let rest = &data[sent..];
        sent += block_on(&reactor, || reactor.tcp_poll_write(id, rest, TOKEN)).unwrap();
    }
    assert!(reader.join().unwrap());
}

#[test]
fn a_refused_connection_keeps_its_error() {
    let reactor = Reactor::new();
    let addr = TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let id = reactor.tcp_connect(addr).unwrap();
    let error = block_on(&reactor, || reactor.tcp_poll_connect(id, TOKEN)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let again = block_on(&reactor, || reactor.tcp_poll_write(id, b"x", TOKEN)).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn one_turn_brings_many_connections() {
    const CLIENTS: usize = 50;
    let reactor = Reactor::new();
    let listener = reactor.tcp_listen(loopback()).unwrap();
    let addr = reactor.local_addr(listener).unwrap();
    assert!(reactor.tcp_poll_accept(listener, TOKEN).is_pending());
    let clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(addr).unwrap()).collect();
    assert_eq!(turn(&reactor, LONG), [TOKEN]);
    let mut peers = Vec::new();
    while let Poll::Ready(accepted) = reactor.tcp_poll_accept(listener, TOKEN) {
        peers.push(accepted.unwrap().1);
    }
    let mut expected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
    expected.sort();
    peers.sort();
    assert_eq!(peers, expected);
    assert_eq!(reactor.socket_count(), CLIENTS + 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_queue_is_as_long_as_asked_for() {
    let reactor = Reactor::new();
    let short = reactor.tcp_listen_with(loopback(), 1).unwrap();
    let long = reactor.tcp_listen_with(loopback(), 16).unwrap();
    let waiting = |listener| {
        let addr = reactor.local_addr(listener).unwrap();
        let connect = |_| TcpStream::connect_timeout(&addr, Duration::from_millis(150));
        (0..6).map(connect).filter_map(Result::ok).collect::<Vec<_>>().len()
    };
    assert!((1..6).contains(&waiting(short)));
    assert_eq!(waiting(long), 6);
}

#[test]
fn closing_wakes_those_who_wait() {
    let reactor = Reactor::new();
    let (id, _peer) = pair(&reactor);
    let mut buf = [0; 8];
    assert!(reactor.tcp_poll_read(id, &mut buf, TOKEN).is_pending());
    assert!(reactor.tcp_poll_read(id, &mut buf, OTHER).is_pending());
    assert_eq!(reactor.activity().io_waiters, 2);
    reactor.close(id);
    let woken = turn(&reactor, LONG);
    assert!(woken.contains(&TOKEN) && woken.contains(&OTHER));
    assert!(matches!(reactor.tcp_poll_read(id, &mut buf, TOKEN), Poll::Ready(Err(_))));
    // The place is reused; the old id still names nothing.
    let (new, _peer) = pair(&reactor);
    assert_ne!(new, id);
    assert!(reactor.peer_addr(id).is_err());
}

#[test]
fn an_operation_of_the_wrong_kind_is_an_error() {
    let reactor = Reactor::new();
    let listener = reactor.tcp_listen(loopback()).unwrap();
    let udp = reactor.udp_bind(loopback()).unwrap();
    let mut buf = [0; 8];
    for id in [listener, udp] {
        let Poll::Ready(Err(error)) = reactor.tcp_poll_read(id, &mut buf, TOKEN) else {
            panic!("no error");
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    assert!(matches!(reactor.udp_poll_send(listener, b"x", TOKEN), Poll::Ready(Err(_))));
    assert!(reactor.tcp_set_nodelay(udp, true).is_err());
}

#[test]
fn datagrams_go_both_ways() {
    let reactor = Reactor::new();
    let id = reactor.udp_bind(loopback()).unwrap();
    let here = reactor.local_addr(id).unwrap();
    let peer = UdpSocket::bind(loopback()).unwrap();
    let there = peer.local_addr().unwrap();
    let mut buf = [0; 16];
    assert!(reactor.udp_poll_recv_from(id, &mut buf, TOKEN).is_pending());
    peer.send_to(b"one", here).unwrap();
    peer.send_to(b"three", here).unwrap();
    for expected in [&b"one"[..], b"three"] {
        let (n, from) =
            block_on(&reactor, || reactor.udp_poll_recv_from(id, &mut buf, TOKEN)).unwrap();
        assert_eq!((&buf[..n], from), (expected, there));
    }
    block_on(&reactor, || reactor.udp_poll_send_to(id, b"back", there, TOKEN)).unwrap();
    assert_eq!(peer.recv_from(&mut buf).unwrap(), (4, here));
    reactor.udp_connect(id, there).unwrap();
    block_on(&reactor, || reactor.udp_poll_send(id, b"again", TOKEN)).unwrap();
    assert_eq!(peer.recv_from(&mut buf).unwrap(), (5, here));
}

#[test]
fn jobs_run_elsewhere_and_wake_their_task() {
    let reactor = Reactor::new();
    assert_eq!(reactor.pool_threads(), 0);
    let here = std::thread::current().id();
    let mut job = reactor.blocking(TOKEN, move || std::thread::current().id() != here).unwrap();
    assert_eq!(turn(&reactor, LONG), [TOKEN]);
    assert_eq!(job.poll(TOKEN), Poll::Ready(Ok(true)));
    // The end of the last job is told once more.
    let until = Instant::now() + LONG;
    while !reactor.activity().is_idle() && Instant::now() < until {
        turn(&reactor, Duration::from_millis(1));
    }
    assert!(reactor.activity().is_idle());
}

#[test]
fn a_panicking_job_is_an_error_and_its_thread_lives_on() {
    let reactor = Reactor::new();
    let mut job = reactor.blocking(TOKEN, || std::panic::panic_any(1)).unwrap();
    assert_eq!(block_on(&reactor, || job.poll(TOKEN)), Err::<(), _>(JobPanicked));
    let mut job = reactor.blocking(TOKEN, || 5).unwrap();
    assert_eq!(job.wait(LONG), Some(Ok(5)));
}

#[test]
fn stuck_jobs_do_not_delay_others() {
    let reactor = Reactor::new();
    let (release, gate) = mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    let mut stuck: Vec<_> = (0..30)
        .map(|_| {
            let gate = std::sync::Arc::clone(&gate);
            reactor.blocking(OTHER, move || gate.lock().unwrap().recv_timeout(LONG)).unwrap()
        })
        .collect();
    let begin = Instant::now();
    let mut job = reactor.blocking(TOKEN, || 1).unwrap();
    assert_eq!(block_on(&reactor, || job.poll(TOKEN)), Ok(1));
    assert!(begin.elapsed() < LONG / 4, "{:?}", begin.elapsed());
    assert!(reactor.pool_threads() > 30);
    // The thread of the quick job counts it as done after it has woken us.
    let until = Instant::now() + LONG;
    while reactor.activity().jobs != 30 && Instant::now() < until {
        turn(&reactor, Duration::from_millis(1));
    }
    assert_eq!(reactor.activity().jobs, 30);
    (0..30).for_each(|_| release.send(()).unwrap());
    for job in &mut stuck {
        assert_eq!(block_on(&reactor, || job.poll(TOKEN)), Ok(Ok(())));
    }
}

#[test]
fn quick_jobs_stay_within_few_threads() {
    let reactor = Reactor::new();
    let mut jobs: Vec<_> =
        (0..2_000).map(|i| reactor.blocking(TOKEN, move || i).unwrap()).collect();
    for (i, job) in jobs.iter_mut().enumerate() {
        assert_eq!(block_on(&reactor, || job.poll(TOKEN)), Ok(i));
    }
    assert!(reactor.pool_threads() <= 64, "{}", reactor.pool_threads());
}

#[test]
fn a_dropped_job_is_cancelled() {
    let reactor = Reactor::new();
    let (sender, receiver) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let job = reactor.blocking(TOKEN, move || {
        let _ = gate.recv_timeout(LONG);
        sender
    });
    drop(job.unwrap());
    assert!(reactor.activity().is_idle());
    release.send(()).ok();
    // The result, a sender, is dropped on its thread, which ends the channel.
    let end: Result<(), _> = receiver.recv_timeout(LONG);
    assert_eq!(end, Err(mpsc::RecvTimeoutError::Disconnected));
    assert!(!turn(&reactor, Duration::from_millis(20)).contains(&TOKEN));
}

#[test]
fn names_are_looked_up_on_the_pool_and_literals_at_once() {
    let reactor = Reactor::new();
    for (host, expected) in [("127.0.0.1", "127.0.0.1:80"), ("[::1]", "[::1]:80")] {
        let mut lookup = reactor.resolve(host, 80, TOKEN).unwrap();
        let Poll::Ready(Ok(addrs)) = lookup.poll(TOKEN) else { panic!("{host} had to wait") };
        assert_eq!(addrs, [expected.parse().unwrap()]);
    }
    assert_eq!(reactor.pool_threads(), 0);
    let mut lookup = reactor.resolve("localhost", 81, TOKEN).unwrap();
    let addrs = block_on(&reactor, || lookup.poll(TOKEN)).unwrap();
    assert!(addrs.iter().all(|a| a.ip().is_loopback() && a.port() == 81), "{addrs:?}");
    let mut lookup = reactor.resolve("no such host.invalid", 80, TOKEN).unwrap();
    assert!(block_on(&reactor, || lookup.poll(TOKEN)).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_listener_without_descriptors_rests_and_recovers() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::os::fd::AsRawFd;
    // The limit holds for the whole process, so this runs in one of its own.
    if std::env::var_os("MS_TEST_ALONE").is_none() {
        let name = "reactor::tests::a_listener_without_descriptors_rests_and_recovers";
        let exe = std::env::current_exe().unwrap();
        let child = std::process::Command::new(exe)
            .args(["--exact", name, "--test-threads=1"])
            .env("MS_TEST_ALONE", "1")
            .status();
        assert!(child.unwrap().success());
        return;
    }
    let reactor = Reactor::new();
    let listener = reactor.tcp_listen(loopback()).unwrap();
    let addr = reactor.local_addr(listener).unwrap();
    assert!(reactor.tcp_poll_accept(listener, TOKEN).is_pending());
    let _client = TcpStream::connect(addr).unwrap();
    let old = getrlimit(Resource::Nofile);
    // The lowest free descriptor becomes the first forbidden one.
    let free = std::fs::File::open("/dev/null").unwrap().as_raw_fd() as u64;
    setrlimit(Resource::Nofile, Rlimit { current: Some(free), ..old }).unwrap();
    let begin = Instant::now();
    let mut polls = 0;
    while begin.elapsed() < Duration::from_millis(250) {
        turn(&reactor, Duration::from_millis(250));
        assert!(reactor.tcp_poll_accept(listener, TOKEN).is_pending());
        polls += 1;
    }
    assert!(polls < 10, "spun {polls} times");
    setrlimit(Resource::Nofile, old).unwrap();
    block_on(&reactor, || reactor.tcp_poll_accept(listener, TOKEN)).unwrap();
}
