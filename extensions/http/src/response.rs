//! `Response`: what a request gives, and what a handler may return.

use crate::args::Body;
use crate::client::Answer;
use crate::headers::{HeaderArg, Headers};
use crate::{json, status, text};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::ext::ReasonPhrase;
use miniscript_sdk::prelude::*;
use miniscript_sdk::{self as ms, Bytes};

/// A complete answer: status, headers and body.
///
/// Requests return one; a handler of serve() may make one and return it.
#[ms::class]
pub struct Response {
    status: u16,
    reason: String,
    url: String,
    headers: HeaderMap,
    /// A `bytes` of the VM, so that reading it copies nothing.
    body: Kept,
}

impl Response {
    /// What the client received.
    pub fn received(answer: Answer) -> Result<Self> {
        let code = answer.head.status;
        let reason = match answer.head.extensions.get::<ReasonPhrase>() {
            Some(phrase) => String::from_utf8_lossy(phrase.as_bytes()).into_owned(),
            None => status::phrase(code.as_u16()).to_owned(),
        };
        let body = ms::with_cx(|cx| cx.make(Bytes(answer.body))?.keep(cx))?;
        Ok(Self {
            status: code.as_u16(),
            reason,
            url: answer.url.to_string(),
            headers: answer.head.headers,
            body,
        })
    }

    /// Status, headers and body, for the server.
    pub fn parts(&self, cx: &Cx) -> Result<(u16, HeaderMap, Vec<u8>)> {
        Ok((self.status, self.headers.clone(), self.body.get().to::<Bytes>(cx)?.0))
    }

    fn is_ok(&self) -> bool {
        self.status < 400
    }
}

#[ms::methods]
impl Response {
    /// An answer of a handler; body is a str, bytes, or a dict or list, which is sent as JSON.
    #[ms(new)]
    fn new(
        cx: &Cx,
        body: Option<Value>,
        #[ms(default = 200)] status: u16,
        headers: Option<HeaderArg>,
    ) -> Result<Self> {
        check_status(status)?;
        let mut headers = headers.unwrap_or_default().0;
        let body = match body {
            Some(body) => body_of(cx, body)?,
            None => Body { bytes: Vec::new(), content_type: None },
        };
        if let Some(content_type) = body.content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
        }
        let bytes = cx.make(Bytes(body.bytes))?.keep(cx)?;
        let reason = status::phrase(status).to_owned();
        Ok(Self { status, reason, url: String::new(), headers, body: bytes })
    }

    /// The status code.
    #[ms(getter)]
    fn status(&self) -> u16 {
        self.status
    }

    /// The status code, under the name that Python's requests has.
    #[ms(getter)]
    fn status_code(&self) -> u16 {
        self.status
    }

    /// Whether the status is below 400.
    #[ms(getter)]
    fn ok(&self) -> bool {
        self.is_ok()
    }

    /// The phrase after the status code.
    #[ms(getter)]
    fn reason(&self) -> String {
        self.reason.clone()
    }

    /// The URL that answered, after redirects.
    #[ms(getter)]
    fn url(&self) -> String {
        self.url.clone()
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

    /// The body as bytes.
    #[ms(getter)]
    fn content(&self) -> &Kept {
        &self.body
    }

    /// The encoding that the headers name, or "utf-8".
    #[ms(getter)]
    fn encoding(&self) -> String {
        text::charset(&self.headers).unwrap_or_else(|| "utf-8".to_owned())
    }

    /// The body as a str; what does not fit the encoding is replaced.
    #[ms(getter)]
    fn text(&self, cx: &Cx) -> Result<Value> {
        let charset = text::charset(&self.headers);
        let body = self.body.get();
        text::decode(cx, body.to::<&[u8]>(cx)?, body, charset.as_deref())
    }

    /// The value of a JSON body. JSONDecodeError if it is none.
    fn json(&self, cx: &Cx) -> Result<Value> {
        json::decode(cx, &text::json_text(self.body.get().to(cx)?)?)
    }

    /// Raises StatusError, with this object as its response, if the status is 400 or above.
    ///
    /// Returns the response otherwise.
    fn raise_for_status(&self, cx: &Cx, #[ms(object)] me: Value) -> Result<Value> {
        if self.is_ok() {
            return Ok(me);
        }
        let side = if self.status < 500 { "Client" } else { "Server" };
        let text = format!("{} {side} Error: {} for url: {}", self.status, self.reason, self.url);
        let exception = cx.catch(Error::new("StatusError", text))?;
        cx.set_attr(exception, "response", me)?;
        cx.set_attr(exception, "status", i64::from(self.status))?;
        Err(Error::object(exception.keep(cx)?))
    }

    fn __bool__(&self) -> bool {
        self.is_ok()
    }

    fn __repr__(&self) -> String {
        format!("<Response [{}]>", self.status)
    }
}

/// Statuses that may be sent as the answer to a request.
pub fn check_status(status: u16) -> Result<()> {
    match status {
        200..=599 => Ok(()),
        _ => Err(Error::value(format!("{status} is not a status to answer with (200 to 599)"))),
    }
}

/// A body from what a script gives: text is HTML, a dict or list JSON.
pub fn body_of(cx: &Cx, value: Value) -> Result<Body> {
    use ms::abi::*;
    Ok(match value.raw().tag {
        MS_TAG_NONE => Body { bytes: Vec::new(), content_type: None },
        MS_TAG_STR => Body {
            bytes: value.to::<String>(cx)?.into_bytes(),
            content_type: Some("text/html; charset=utf-8"),
        },
        MS_TAG_DICT | MS_TAG_LIST => Body {
            bytes: json::encode(cx, value)?.into_bytes(),
            content_type: Some("application/json"),
        },
        _ => match value.to::<Bytes>(cx) {
            Ok(bytes) => Body { bytes: bytes.0, content_type: Some("application/octet-stream") },
            Err(error) => {
                cx.catch(error)?;
                return Err(Error::type_error(format!(
                    "a body must be str, bytes, dict or list, not {}",
                    cx.type_name(value)
                )));
            }
        },
    })
}
