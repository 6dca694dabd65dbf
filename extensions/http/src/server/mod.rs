//! The server: a listening socket, a task that accepts, and a task for each connection.

mod connection;
mod reply;
mod request;

pub use request::Request;

use crate::error::describe;
use crate::time::Alarm;
use connection::Progress;
use miniscript_sdk::net::{TcpListener, resolve};
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, task, time};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Connections at a time; others wait in the system's queue.
const MAX_CONNECTIONS: usize = 512;
/// Where others wait, a connection that has had no complete request for so long is closed for
/// them, the one that has waited longest first.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the tasks of a server share.
struct Shared {
    handler: Kept,
    max_body: usize,
    stopped: Cell<bool>,
    accepting: RefCell<Option<Waker>>,
    connections: RefCell<HashMap<u64, Connection>>,
    next: Cell<u64>,
}

/// What is known of an open connection.
struct Connection {
    progress: Rc<Progress>,
    /// How to wake it when it is to end.
    waker: Option<Waker>,
    /// It is to make room for another one.
    dropped: bool,
}

/// What the server asks of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    GoOn,
    /// No further requests.
    Stop,
    /// To end at once.
    Drop,
}

impl Shared {
    fn stop(&self) {
        self.stopped.set(true);
        let waiting = self.accepting.take();
        let connections: Vec<Waker> =
            self.connections.borrow_mut().values_mut().filter_map(|c| c.waker.take()).collect();
        waiting.into_iter().chain(connections).for_each(Waker::wake);
    }

    /// Notes whom to wake when the connection is to end; whether it is.
    fn order(&self, connection: u64, cx: &Context<'_>) -> Order {
        let mut connections = self.connections.borrow_mut();
        let Some(known) = connections.get_mut(&connection) else { return Order::Drop };
        known.waker = Some(cx.waker().clone());
        match (known.dropped, self.stopped.get()) {
            (true, _) => Order::Drop,
            (_, true) => Order::Stop,
            _ => Order::GoOn,
        }
    }

    /// Whether another connection may be accepted. If not, has the one closed that has been
    /// without a request for too long, now or when `alarm` comes.
    fn poll_room(&self, cx: &mut Context<'_>, alarm: &mut Alarm) -> Poll<()> {
        loop {
            let mut connections = self.connections.borrow_mut();
            if connections.len() < MAX_CONNECTIONS {
                return Poll::Ready(());
            }
            if connections.values().any(|c| c.dropped) {
                return Poll::Pending;
            }
            let now = Instant::now();
            let oldest = connections
                .values_mut()
                .filter_map(|c| c.progress.waiting_since().map(|since| (since, c)))
                .min_by_key(|(since, _)| *since);
            let again = match oldest {
                Some((since, idle)) if since + PATIENCE <= now => {
                    idle.dropped = true;
                    let waker = idle.waker.take();
                    drop(connections);
                    waker.into_iter().for_each(Waker::wake);
                    return Poll::Pending;
                }
                Some((since, _)) => since + PATIENCE,
                None => now + PATIENCE,
            };
            drop(connections);
            // Without an alarm the next connection that ends wakes this.
            if !matches!(alarm.poll(cx, again), Poll::Ready(Ok(()))) {
                return Poll::Pending;
            }
        }
    }

    fn closed(&self, connection: u64) {
        self.connections.borrow_mut().remove(&connection);
        if let Some(waker) = self.accepting.take() {
            waker.wake();
        }
    }
}

/// A running server.
///
/// As a context manager it stops at the end of the block.
#[ms::class]
pub struct Server {
    shared: Rc<Shared>,
    address: SocketAddr,
}

#[ms::methods]
impl Server {
    /// The port it listens on.
    #[ms(getter)]
    fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address it listens on.
    #[ms(getter)]
    fn host(&self) -> String {
        self.address.ip().to_string()
    }

    /// Its URL without a path: "http://127.0.0.1:8080".
    #[ms(getter)]
    fn url(&self) -> String {
        let ip = match self.address {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => "[::1]".to_owned(),
            SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
            SocketAddr::V4(v4) => v4.ip().to_string(),
        };
        format!("http://{ip}:{}", self.address.port())
    }

    /// Whether it accepts connections.
    #[ms(getter)]
    fn running(&self) -> bool {
        !self.shared.stopped.get()
    }

    /// Stops: no further connections and requests. Requests that are being handled are answered.
    fn stop(&self) {
        self.shared.stop();
    }

    fn __enter__(&self, #[ms(object)] me: Value) -> Value {
        me
    }

    fn __exit__(&self, #[ms(args)] _exception: Vec<Value>) {
        self.shared.stop();
    }

    fn __repr__(&self) -> String {
        let state = if self.shared.stopped.get() { "stopped" } else { "running" };
        format!("<Server {} {state}>", self.url())
    }
}

/// Serves HTTP: each request calls handler(request) as a task of its own.
///
/// The handler returns the answer: a str (HTML), bytes, a dict or list (JSON), None (204), a
/// tuple (status, body) or (status, body, headers), or a Response. An exception in it is printed
/// and answered with status 500.
///
/// port 0 takes one that is free; the Server that is returned knows it. The server runs until
/// its stop() is called and keeps the program alive so long. max_body: bytes of the largest
/// request body to accept.
#[ms::function]
pub async fn serve(
    handler: Kept,
    #[ms(default = 0)] port: i64,
    #[ms(default = "127.0.0.1")] host: String,
    #[ms(keyword, default = 100_000_000)] max_body: i64,
) -> Result<Server> {
    let max_body =
        usize::try_from(max_body).map_err(|_| Error::value("max_body must not be negative"))?;
    let port =
        u16::try_from(port).map_err(|_| Error::new("OverflowError", "port must be 0-65535."))?;
    let host = if host.is_empty() { "0.0.0.0".to_owned() } else { host };
    let found = resolve(&host, port).await;
    let address = found
        .map_err(Error::from)
        .and_then(|found| {
            found.into_iter().next().ok_or_else(|| Error::new("OSError", "it has no address"))
        })
        .map_err(|error| cannot_listen(&host, port, error))?;
    ms::with_cx(|cx| {
        if !cx.is_callable(handler.get())? {
            return Err(Error::type_error("the handler of serve() must be callable"));
        }
        let listener = TcpListener::bind(cx, address)
            .map_err(|error| cannot_listen(&host, port, Error::from(error)))?;
        let address = listener.local_addr()?;
        let shared = Rc::new(Shared {
            handler,
            max_body,
            stopped: Cell::new(false),
            accepting: RefCell::new(None),
            connections: RefCell::default(),
            next: Cell::new(1),
        });
        task::spawn(cx, accept(listener, Rc::clone(&shared)))?;
        Ok(Server { shared, address })
    })
}

/// Adds the address to what the host says; a permission that is missing stays what it is.
fn cannot_listen(host: &str, port: u16, error: Error) -> Error {
    match error.io_record() {
        Some(io) if io.kind == ms::abi::MS_IO_DENIED => error,
        None if error.parts().is_none() => error,
        _ => Error::new("OSError", format!("cannot listen on {host}:{port}: {}", describe(&error))),
    }
}

enum Accepted {
    Stopped,
    /// The system has no room for another socket; those that are open will end.
    Exhausted,
    Connection(ms::net::TcpStream, SocketAddr),
}

async fn accept(listener: TcpListener, shared: Rc<Shared>) -> Result<()> {
    let mut alarm = Alarm::default();
    loop {
        let accepted = poll_fn(|cx| {
            if shared.stopped.get() {
                return Poll::Ready(Accepted::Stopped);
            }
            *shared.accepting.borrow_mut() = Some(cx.waker().clone());
            if shared.poll_room(cx, &mut alarm).is_pending() {
                return Poll::Pending;
            }
            listener.poll_accept(cx).map(|accepted| match accepted {
                Ok((stream, peer)) => Accepted::Connection(stream, peer),
                Err(_) => Accepted::Exhausted,
            })
        })
        .await;
        match accepted {
            Accepted::Stopped => return Ok(()),
            Accepted::Exhausted => time::sleep(Duration::from_millis(50)).await?,
            Accepted::Connection(stream, peer) => {
                let id = shared.next.replace(shared.next.get() + 1);
                let progress = Progress::new();
                let known =
                    Connection { progress: Rc::clone(&progress), waker: None, dropped: false };
                shared.connections.borrow_mut().insert(id, known);
                let open = Open { shared: Rc::clone(&shared), id, progress };
                ms::with_cx(|cx| task::spawn(cx, connection::run(stream, peer, open)))?;
            }
        }
    }
}

/// One open connection; counted until it is dropped.
struct Open {
    shared: Rc<Shared>,
    id: u64,
    progress: Rc<Progress>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.closed(self.id);
    }
}
