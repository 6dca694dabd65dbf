//! One connection to a server, and the exchange of one request over it.
//!
//! A connection has no task of its own: whoever uses it drives it, and an idle one just lies in
//! the pool.

use super::decoding::{Decoding, Undecoded};
use crate::payload::Payload;
use crate::stream::{Activity, Stream};
use crate::time::{Limits, Watch};
use crate::{error, url::Url};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use miniscript_sdk::{Error, Result};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

/// Bytes of the head of an answer.
const MAX_HEAD: usize = 64 * 1024;

type Driver = Pin<Box<http1::Connection<Stream, Payload>>>;

/// A connection.
pub struct Connection {
    sender: http1::SendRequest<Payload>,
    /// None: it has ended.
    driver: Option<Driver>,
    activity: Rc<Activity>,
}

/// Why an exchange failed.
pub struct Failed {
    /// What to raise.
    pub error: Error,
    /// Whether the server cannot have seen the request, or (`Some(false)`) may have seen it but
    /// did not begin to answer.
    pub unanswered: Option<bool>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, unanswered: None }
    }
}

/// Head and whole body of an answer.
pub struct Received {
    /// The head.
    pub head: http::response::Parts,
    /// The body.
    pub body: Vec<u8>,
}

impl Connection {
    /// Begins to speak HTTP over a stream.
    pub async fn start(stream: Stream, activity: Rc<Activity>) -> hyper::Result<Self> {
        let (sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .allow_obsolete_multiline_headers_in_responses(true)
            .handshake(stream)
            .await?;
        Ok(Self { sender, driver: Some(Box::pin(driver)), activity })
    }

    /// Whether an idle connection can still be used.
    pub fn is_alive(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll_driver(cx);
        self.driver.is_some() && matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(())))
    }

    fn poll_driver(&mut self, cx: &mut Context<'_>) {
        poll_driver(&mut self.driver, cx);
    }

    /// Sends a request and receives all of its answer.
    pub async fn exchange(
        &mut self,
        url: &Url,
        request: Request<Payload>,
        limits: Limits,
        max_bytes: u64,
    ) -> std::result::Result<Received, Failed> {
        let mut watch = Watch::new(&self.activity, limits);
        let driver = &mut self.driver;
        let response = self.sender.send_request(request);
        let response = drive(driver, &mut watch, url, response).await?;
        let response = response.map_err(|cause| Failed {
            unanswered: if cause.is_canceled() {
                Some(true)
            } else if cause.is_closed() || cause.is_incomplete_message() || is_reset(&cause) {
                Some(false)
            } else {
                None
            },
            error: error::exchange(url, cause),
        })?;
        let receiving = receive(url, response, max_bytes);
        drive(driver, &mut watch, url, receiving).await?.map_err(Failed::from)
    }

    /// Lets the connection come to rest after an answer; whether it can be used again.
    pub async fn settle(&mut self) -> bool {
        let mut rounds = 0;
        poll_fn(|cx| {
            self.poll_driver(cx);
            if self.driver.is_none() {
                return Poll::Ready(false);
            }
            rounds += 1;
            match self.sender.poll_ready(cx) {
                Poll::Ready(ready) => Poll::Ready(ready.is_ok()),
                // hyper woke this task to go on; a second look is enough.
                Poll::Pending if rounds < 2 => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Poll::Pending => Poll::Ready(false),
            }
        })
        .await
    }
}

fn poll_driver(driver: &mut Option<Driver>, cx: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(cx).is_ready()) {
        // An error has reached the request that it concerns.
        *driver = None;
    }
}

/// Runs a future together with the connection it depends on.
async fn drive<T>(
    driver: &mut Option<Driver>,
    watch: &mut Watch,
    url: &Url,
    work: impl Future<Output = T>,
) -> Result<T> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        poll_driver(driver, cx);
        // What the connection received or reported is there at once.
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(value));
        }
        match watch.poll(cx) {
            Poll::Ready(Ok(what)) => Poll::Ready(Err(error::timeout(url, what))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn receive(url: &Url, response: Response<Incoming>, max_bytes: u64) -> Result<Received> {
    let (head, mut incoming) = response.into_parts();
    let too_large = || {
        let text = format!("the body is larger than max_bytes={max_bytes} ({url})");
        Error::new("ProtocolError", text)
    };
    // With HEAD the length is that of a body which does not come.
    let expected = incoming.size_hint().lower();
    if expected > max_bytes {
        return Err(too_large());
    }
    let undecoded = |trouble: Undecoded| match trouble {
        Undecoded::TooLarge => too_large(),
        Undecoded::Bad(coding) => error::protocol(url, &format!("its body is not valid {coding}")),
    };
    let mut decoding = Decoding::of(&head.headers);
    let mut body: Vec<u8> = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        let frame = frame.map_err(|cause| error::exchange(url, cause))?;
        let Ok(data) = frame.into_data() else { continue };
        let data = match &mut decoding {
            Some(decoding) => {
                let room = max_bytes - body.len() as u64;
                decoding.push(&data, room).map(Bytes::from).map_err(undecoded)?
            }
            None => data,
        };
        if (body.len() + data.len()) as u64 > max_bytes {
            return Err(too_large());
        }
        let wanted = usize::try_from(expected).unwrap_or(0).saturating_sub(body.len());
        body.try_reserve(data.len().max(wanted.min(1 << 20)))
            .map_err(|_| Error::new("MemoryError", ""))?;
        body.extend_from_slice(&data);
    }
    if let Some(decoding) = decoding {
        let room = max_bytes - body.len() as u64;
        body.append(&mut decoding.finish(room).map_err(undecoded)?);
    }
    Ok(Received { head, body })
}

/// Whether a connection was reset under the request.
fn is_reset(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as K;
            return matches!(io.kind(), K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted);
        }
        source = cause.source();
    }
    false
}
