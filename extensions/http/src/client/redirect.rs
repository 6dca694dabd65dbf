//! Redirects: where to, with which method, and what must not be sent there.

use super::Call;
use crate::error;
use crate::url::Url;
use http::header::{self, HeaderName};
use http::response::Parts;
use http::{Method, StatusCode};
use miniscript_sdk::Result;

/// Redirects that one request follows.
pub const MAX_REDIRECTS: usize = 10;

/// The request after a redirect.
pub struct Next {
    url: Url,
    method: Method,
    keep_body: bool,
}

/// Where an answer sends the request, if it does.
pub fn next(call: &Call, head: &Parts) -> Result<Option<Next>> {
    let (to_get, always) = match head.status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => (true, false),
        StatusCode::SEE_OTHER => (true, true),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => (false, false),
        _ => return Ok(None),
    };
    let Some(location) = head.headers.get(header::LOCATION) else { return Ok(None) };
    if !call.redirects {
        return Ok(None);
    }
    let location = String::from_utf8_lossy(location.as_bytes());
    let url = call.url.join(&location).map_err(|why| {
        error::protocol(&call.url, &format!("it redirects to '{location}', and {why}"))
    })?;
    // As browsers do: a form that was posted is answered by a page to get.
    let becomes_get = match call.method {
        Method::GET | Method::HEAD => false,
        Method::POST => to_get,
        _ => to_get && always,
    };
    let method = if becomes_get { Method::GET } else { call.method.clone() };
    Ok(Some(Next { url, method, keep_body: !becomes_get }))
}

/// Headers that are meant for one server alone.
const CREDENTIALS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION, header::HOST];
/// Headers that describe a body.
const OF_BODY: [HeaderName; 4] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
];

impl Next {
    /// Makes the request the next one.
    pub fn apply(self, call: &mut Call) {
        if !call.url.same_origin(&self.url) {
            CREDENTIALS.iter().for_each(|name| drop(call.headers.remove(name)));
        }
        if !self.keep_body {
            OF_BODY.iter().for_each(|name| drop(call.headers.remove(name)));
            call.body = None;
        }
        call.url = self.url;
        call.method = self.method;
    }
}
