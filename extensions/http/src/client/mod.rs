//! The client: from a request with all its options to a complete answer.

mod connect;
mod connection;
mod decoding;
mod pool;
mod redirect;

use crate::error;
use crate::payload::Payload;
use crate::time::{self, Limits};
use crate::tls::{Configs, Trust};
use crate::url::Url;
use bytes::Bytes;
use connection::{Failed, Received};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request};
use miniscript_sdk::{self as ms, Error, Result};
use pool::{Key, Lease, Pool};
use redirect::MAX_REDIRECTS;
use std::rc::Rc;
use std::time::Duration;

/// How long a request waits for one of the VM's connections to become free.
const QUEUE_LIMIT: Duration = Duration::from_secs(60);

/// What the module keeps for one VM.
#[derive(Default)]
pub struct Client {
    pool: Rc<Pool>,
    configs: Configs,
}

impl Client {
    /// Of the running call.
    pub fn current() -> Result<Rc<Self>> {
        ms::with_cx(|cx| {
            cx.state::<Rc<Self>>()
                .cloned()
                .ok_or_else(|| Error::new("SystemError", "the http module has no state"))
        })
    }
}

/// A request.
pub struct Call {
    /// Method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers; those that are missing are added.
    pub headers: HeaderMap,
    /// Body.
    pub body: Option<Bytes>,
    /// Time limits.
    pub limits: Limits,
    /// Whose certificates are accepted.
    pub trust: Trust,
    /// Largest body that is received.
    pub max_bytes: u64,
    /// Whether redirects are followed.
    pub redirects: bool,
}

/// A complete answer.
pub struct Answer {
    /// The URL that answered, after redirects.
    pub url: Url,
    /// Status, headers and extensions.
    pub head: http::response::Parts,
    /// Body.
    pub body: Vec<u8>,
}

/// Makes a request.
pub async fn run(mut call: Call) -> Result<Answer> {
    let client = Client::current()?;
    complete(&mut call)?;
    for _ in 0..=MAX_REDIRECTS {
        let received = client.send(&call).await?;
        match redirect::next(&call, &received.head)? {
            Some(next) => next.apply(&mut call),
            None => return Ok(Answer { url: call.url, head: received.head, body: received.body }),
        }
    }
    Err(Error::new(
        "TooManyRedirects",
        format!("more than {MAX_REDIRECTS} redirects ({})", call.url),
    ))
}

/// Adds the headers that every request has.
fn complete(call: &mut Call) -> Result<()> {
    if let Some((name, password)) = &call.url.user
        && !call.headers.contains_key(header::AUTHORIZATION)
    {
        let value = format!("Basic {}", base64(format!("{name}:{password}").as_bytes()));
        let value = HeaderValue::try_from(value)
            .map_err(|_| error::invalid_url(&call.url.to_string(), "its user is not valid"))?;
        call.headers.insert(header::AUTHORIZATION, value);
    }
    let agent = HeaderValue::from_static(concat!("MiniScript/", env!("CARGO_PKG_VERSION")));
    call.headers.entry(header::USER_AGENT).or_insert(agent);
    call.headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    call.headers
        .entry(header::ACCEPT_ENCODING)
        .or_insert(HeaderValue::from_static(decoding::ACCEPTED));
    // The body decides about its length; what a script says about it could only be wrong.
    call.headers.remove(header::CONTENT_LENGTH);
    call.headers.remove(header::TRANSFER_ENCODING);
    Ok(())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= chunk.len() { digit as char } else { '=' });
        }
    }
    text
}

impl Client {
    /// Sends one request and receives its answer, whatever it is.
    async fn send(&self, call: &Call) -> Result<Received> {
        let config = match call.url.secure {
            true => Some(self.configs.get(&call.trust).await?),
            false => None,
        };
        let key = Key {
            address: (call.url.host.clone(), call.url.port),
            trust: config.as_ref().map_or(0, |config| std::sync::Arc::as_ptr(config) as usize),
        };
        loop {
            let lease = time::until(call.limits.after(QUEUE_LIMIT), self.pool.lease(&key))
                .await?
                .ok_or_else(|| error::timeout(&call.url, "no free connection in time"))?;
            let (mut connection, slot, used) = match lease {
                Lease::Used(connection, slot) => (connection, slot, true),
                Lease::New(slot) => (connect::open(call, config.clone()).await?, slot, false),
            };
            let request = request(call)?;
            match connection.exchange(&call.url, request, call.limits, call.max_bytes).await {
                Ok(received) => {
                    if connection.settle().await {
                        self.pool.give_back(key, connection, slot);
                    }
                    return Ok(received);
                }
                // The server closed an idle connection while the request was on its way.
                Err(Failed { unanswered: Some(unseen), .. })
                    if used && (unseen || call.method.is_idempotent()) => {}
                Err(failed) => return Err(failed.error),
            }
        }
    }
}

fn request(call: &Call) -> Result<Request<Payload>> {
    let bad = |error: http::Error| error::invalid_url(&call.url.to_string(), &error.to_string());
    let body = Payload::new(call.body.clone().unwrap_or_default(), ());
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(call.url.target())
        .body(body)
        .map_err(bad)?;
    request.headers_mut().clone_from(&call.headers);
    if !call.headers.contains_key(header::HOST) {
        let host =
            HeaderValue::try_from(call.url.authority()).map_err(|error| bad(error.into()))?;
        request.headers_mut().insert(header::HOST, host);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_pads() {
        let shown = ["", "f", "fo", "foo", "foob", "a:b?>\u{ff}"]
            .map(|text| super::base64(text.as_bytes()));
        assert_eq!(shown, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "YTpiPz7Dvw=="]);
    }
}
