//! The http extension of MiniScript: client and server for HTTP/1.1.
//!
//! hyper speaks the protocol and rustls encrypts, both over the sockets of the host: nothing here
//! blocks, has a thread or an event loop. What looks like a blocking call in a script suspends
//! only its task.
//!
//! ```text
//! verbs -> client -> pool, connect, connection -> stream (tcp | tls)
//! serve -> server -> connection (one task each) -> handler (a task for each request)
//! ```

mod args;
mod client;
mod error;
mod headers;
mod json;
mod payload;
mod response;
mod server;
mod status;
mod stream;
mod text;
mod time;
mod tls;
mod url;
mod verbs;

use client::Client;
use headers::Headers;
use miniscript_sdk as ms;
use response::Response;
use server::{Request, Server, serve};
use status::HTTPStatus;
use std::rc::Rc;
use verbs::{delete, get, head, options, patch, post, put, request};

fn init(_: &ms::Cx) -> ms::Result<Rc<Client>> {
    Ok(Rc::default())
}

ms::module! {
    name: "http",
    doc: "HTTP client and server.\n\nget(), post() and the others return a Response; serve() answers requests with a function.\nA call suspends only the task that makes it. All errors derive from HTTPError, which is an\nOSError.",
    functions: [delete, get, head, options, patch, post, put, request, serve],
    classes: [HTTPStatus, Headers, Request, Response, Server],
    exceptions: {
        HTTPError: "OSError",
        ConnectionError: "HTTPError",
        InvalidURL: "HTTPError",
        ProtocolError: "HTTPError",
        StatusError: "HTTPError",
        TLSError: "ConnectionError",
        TimeoutError: "HTTPError",
        TooManyRedirects: "HTTPError",
        JSONDecodeError: "ValueError",
    },
    permissions: [("net", "")],
    init: init,
}
