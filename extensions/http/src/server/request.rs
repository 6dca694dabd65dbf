//! `Request`: what a handler is called with.

use crate::headers::Headers;
use crate::url::{parse_pairs, unquote};
use crate::{json, text};
use http::header::HeaderMap;
use http::request::Parts;
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, Bytes};
use std::net::SocketAddr;

/// A request to a server.
#[ms::class]
pub struct Request {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    peer: SocketAddr,
    body: Kept,
}

impl Request {
    /// A request with all of its body.
    pub fn new(cx: &Cx, head: Parts, body: Vec<u8>, peer: SocketAddr) -> Result<Self> {
        Ok(Self {
            method: head.method.as_str().to_owned(),
            path: unquote(head.uri.path(), false),
            query: head.uri.query().unwrap_or("").to_owned(),
            headers: head.headers,
            peer,
            body: cx.make(Bytes(body))?.keep(cx)?,
        })
    }
}

#[ms::methods]
impl Request {
    /// The method, such as "GET".
    #[ms(getter)]
    fn method(&self) -> String {
        self.method.clone()
    }

    /// The path, unquoted and without the query.
    #[ms(getter)]
    fn path(&self) -> String {
        self.path.clone()
    }

    /// The query as a dict of str; the last value of a name that occurs more than once.
    #[ms(getter)]
    fn query(&self, cx: &Cx) -> Result<Value> {
        let mut pairs = Vec::new();
        for (name, value) in parse_pairs(&self.query) {
            pairs.push((cx.make(name)?, cx.make(value)?));
        }
        cx.dict(&pairs)
    }

    /// The query as it was sent.
    #[ms(getter)]
    fn query_string(&self) -> String {
        self.query.clone()
    }

    /// The headers, a mapping whose names have no case.
    #[ms(getter)]
    fn headers(&self) -> Headers {
        Headers(self.headers.clone())
    }

    /// The body as bytes.
    #[ms(getter)]
    fn body(&self) -> &Kept {
        &self.body
    }

    /// The body as a str; what does not fit the encoding is replaced.
    #[ms(getter)]
    fn text(&self, cx: &Cx) -> Result<Value> {
        let charset = text::charset(&self.headers);
        let body = self.body.get();
        text::decode(cx, body.to::<&[u8]>(cx)?, body, charset.as_deref())
    }

    /// The fields of a form that was posted, as a dict of str.
    #[ms(getter)]
    fn form(&self, cx: &Cx) -> Result<Value> {
        let body = String::from_utf8_lossy(self.body.get().to::<&[u8]>(cx)?).into_owned();
        let mut pairs = Vec::new();
        for (name, value) in parse_pairs(&body) {
            pairs.push((cx.make(name)?, cx.make(value)?));
        }
        cx.dict(&pairs)
    }

    /// Address of the client.
    #[ms(getter)]
    fn remote(&self) -> String {
        self.peer.ip().to_string()
    }

    /// The value of a JSON body. JSONDecodeError if it is none.
    fn json(&self, cx: &Cx) -> Result<Value> {
        json::decode(cx, &text::json_text(self.body.get().to(cx)?)?)
    }

    fn __repr__(&self) -> String {
        format!("<Request {} {}>", self.method, self.path)
    }
}
