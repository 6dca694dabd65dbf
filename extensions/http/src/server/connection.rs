//! One connection of a server: hyper's protocol, time limits, and the call of the handler.

use super::reply::{self, Reply};
use super::{Open, Order, Request, Shared};
use crate::payload::Payload;
use crate::stream::{Activity, Stream};
use crate::time::Alarm;
use http::{StatusCode, Version, header};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use miniscript_sdk::net::TcpStream;
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, task};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Bytes of the head of a request.
const MAX_HEAD: usize = 64 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 100;
/// Bytes of a body that is too large which are received all the same: closing a connection with
/// bytes unread takes the answer from a client that is still sending.
const DISCARDED: usize = 256 * 1024;
/// From the end of an answer (or the connection) to the end of the next request's head. Bytes
/// that trickle in do not prolong it.
const HEAD_LIMIT: Duration = Duration::from_secs(60);
/// The same once the server stops: what has not come by then is no request it has to answer.
const STOP_LIMIT: Duration = Duration::from_millis(500);
/// Without a byte of a body in either direction.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// What a connection waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The head of a request, since then.
    Head(Instant),
    /// Bytes of a body.
    Body,
    /// The handler, which may take its time.
    Handler,
}

/// How far a connection is.
pub(super) struct Progress {
    phase: Cell<Phase>,
    activity: Rc<Activity>,
}

impl Progress {
    /// Of a new connection.
    pub(super) fn new() -> Rc<Progress> {
        let phase = Cell::new(Phase::Head(Instant::now()));
        Rc::new(Progress { phase, activity: Activity::new() })
    }

    /// Since when it has waited for a whole head, if it does. An answer that is still being sent
    /// counts as waiting for it.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        match self.phase.get() {
            Phase::Head(since) => Some(since.max(self.activity.last_write())),
            _ => None,
        }
    }
}

/// Goes back to waiting for a head when hyper has taken the whole answer.
struct Sent(Rc<Progress>);

impl Drop for Sent {
    fn drop(&mut self) {
        self.0.phase.set(Phase::Head(Instant::now()));
    }
}

/// Serves a connection to its end. What goes wrong with it is the client's affair.
pub(super) async fn run(stream: TcpStream, peer: SocketAddr, open: Open) -> Result<()> {
    let _ = stream.set_nodelay(true);
    let progress = &open.progress;
    let service = service_fn(|request| {
        let (shared, progress) = (Rc::clone(&open.shared), Rc::clone(progress));
        async move {
            progress.phase.set(Phase::Body);
            let reply = answer(request, peer, &shared, &progress).await;
            progress.phase.set(Phase::Body);
            Ok::<_, Infallible>(reply.map(|body| Payload::new(body, Sent(progress))))
        }
    });
    let mut server = pin!(
        http1::Builder::new()
            // A client that has sent all it has to say is answered.
            .half_close(true)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(Stream::plain(stream, Rc::clone(&progress.activity)), service)
    );
    let (mut alarm, mut stopping) = (Alarm::default(), false);
    poll_fn(|cx| {
        match open.shared.order(open.id, cx) {
            // A request may have become whole since it was told to go.
            Order::Drop if progress.waiting_since().is_some() => return Poll::Ready(Ok(())),
            Order::Stop if !stopping => {
                stopping = true;
                server.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        if server.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let end = match (progress.waiting_since(), progress.phase.get()) {
            (Some(since), _) => since + if stopping { STOP_LIMIT } else { HEAD_LIMIT },
            (None, Phase::Handler) => return Poll::Pending,
            (None, _) => progress.activity.last() + BODY_LIMIT,
        };
        alarm.poll(cx, end)
    })
    .await
}

/// Receives the body, calls the handler and makes the answer.
async fn answer(
    request: http::Request<Incoming>,
    peer: SocketAddr,
    shared: &Shared,
    progress: &Progress,
) -> Reply {
    let (head, incoming) = request.into_parts();
    let hosts = head.headers.get_all(header::HOST).iter().count();
    if hosts > 1 || hosts == 0 && head.version == Version::HTTP_11 {
        return reply::plain(StatusCode::BAD_REQUEST);
    }
    let body = match receive(incoming, shared.max_body).await {
        Ok(body) => body,
        Err(status) => return reply::plain(status),
    };
    progress.phase.set(Phase::Handler);
    let asked = format!("{} {}", head.method, head.uri.path());
    let handled = async {
        let task = ms::with_cx(|cx| {
            let request = cx.make(Request::new(cx, head, body, peer)?)?;
            task::spawn_call(cx, shared.handler.get(), &[request])
        })?;
        let value = task.await?;
        ms::with_cx(|cx| {
            reply::of_value(cx, value.get()).map_err(|error| returned(cx, error, &asked))
        })
    };
    match handled.await {
        Ok(reply) => reply,
        Err(error) => {
            // Nothing is left to tell where even the report fails.
            let _ = ms::with_cx(|cx| report(cx, error));
            reply::plain(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

async fn receive(
    mut incoming: Incoming,
    max_body: usize,
) -> std::result::Result<Vec<u8>, StatusCode> {
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    let most = max_body.saturating_add(DISCARDED);
    if incoming.size_hint().lower() > most as u64 {
        return Err(too_large);
    }
    let (mut body, mut received) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > most {
            return Err(too_large);
        }
        if received <= max_body {
            body.try_reserve(data.len()).map_err(|_| too_large)?;
            body.extend_from_slice(&data);
        }
    }
    if received > max_body {
        return Err(too_large);
    }
    Ok(body)
}

/// The error of what a handler returned: there is no line of the script to show, so a note says
/// where it comes from.
fn returned(cx: &Cx, error: Error, asked: &str) -> Error {
    let exception = match cx.catch(error) {
        Ok(exception) => exception,
        Err(error) => return error,
    };
    let note = format!("(what the handler of http.serve() returned for {asked})");
    let noted = cx
        .get_attr(exception, "add_note")
        .and_then(|add_note| cx.call(add_note, &[cx.make(note)?]));
    if let Err(error) = noted {
        // An exception that takes no notes is shown without.
        let _ = cx.catch(error);
    }
    exception.keep(cx).map_or_else(|error| error, Error::object)
}

/// Prints the exception of a handler as an uncaught one is printed.
fn report(cx: &Cx, error: Error) -> Result<()> {
    let exception = cx.catch(error)?;
    let printed = cx
        .import("traceback")
        .and_then(|module| cx.get_attr(module, "print_exception"))
        .and_then(|print| cx.call(print, &[exception]));
    if let Err(error) = printed {
        cx.catch(error)?;
        let text = format!("Exception in a handler of http.serve(): {}\n", cx.repr(exception)?);
        cx.print_error(&text)?;
    }
    Ok(())
}
