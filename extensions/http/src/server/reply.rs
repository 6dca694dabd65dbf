//! From what a handler gave to the answer that is sent.

use crate::headers::HeaderArg;
use crate::response::{Response, body_of, check_status};
use crate::status;
use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use miniscript_sdk::abi::{MS_TAG_NONE, MS_TAG_OBJECT, MS_TAG_TUPLE};
use miniscript_sdk::prelude::*;

/// Head and body of an answer.
pub type Reply = http::Response<Bytes>;

/// The answer that a handler's result stands for.
pub fn of_value(cx: &Cx, value: Value) -> Result<Reply> {
    match value.raw().tag {
        MS_TAG_NONE => build(204, HeaderMap::new(), Vec::new()),
        MS_TAG_TUPLE => of_tuple(cx, value),
        MS_TAG_OBJECT => match Instance::<Response>::from_ms(cx, value) {
            Ok(response) => {
                let (status, headers, body) = response.borrow()?.parts(cx)?;
                build(status, headers, body)
            }
            Err(error) => {
                cx.catch(error)?;
                of_parts(cx, 200, value, HeaderMap::new())
            }
        },
        _ => of_parts(cx, 200, value, HeaderMap::new()),
    }
}

fn of_tuple(cx: &Cx, value: Value) -> Result<Reply> {
    let items: Vec<Value> = value.to(cx)?;
    let (status, body, headers) = match items[..] {
        [status, body] => (status, body, HeaderMap::new()),
        [status, body, headers] => (status, body, headers.to::<HeaderArg>(cx)?.0),
        _ => {
            return Err(Error::type_error(
                "a handler returns (status, body) or (status, body, headers)",
            ));
        }
    };
    let status = status.to(cx).map_err(|_| Error::type_error("the status must be an int"))?;
    of_parts(cx, status, body, headers)
}

fn of_parts(cx: &Cx, status: u16, body: Value, mut headers: HeaderMap) -> Result<Reply> {
    let body = body_of(cx, body)?;
    if let Some(content_type) = body.content_type {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
    build(status, headers, body.bytes)
}

fn build(status: u16, mut headers: HeaderMap, body: Vec<u8>) -> Result<Reply> {
    check_status(status)?;
    // The body decides about its length.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    let mut reply = http::Response::new(Bytes::from(body));
    *reply.status_mut() =
        StatusCode::from_u16(status).map_err(|error| Error::value(error.to_string()))?;
    *reply.headers_mut() = headers;
    Ok(reply)
}

/// An answer of the server itself.
pub fn plain(code: StatusCode) -> Reply {
    let text = format!("{} {}\n", code.as_u16(), status::phrase(code.as_u16()));
    let mut reply = http::Response::new(Bytes::from(text));
    *reply.status_mut() = code;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}
