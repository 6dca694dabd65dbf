//! The exceptions of the module.
//!
//! All derive from `HTTPError`, which is an `OSError`, as with Python's `requests`. What a
//! permission of the VM refuses stays the `PermissionError` it is.

use crate::url::Url;
use miniscript_sdk::{Error, abi};
use std::io::ErrorKind;

/// A URL that cannot be used.
pub fn invalid_url(url: &str, why: &str) -> Error {
    Error::new("InvalidURL", format!("cannot use the URL '{url}': {why}"))
}

/// A connection that could not be made.
pub fn connect(url: &Url, error: Error) -> Error {
    if is_denied(&error) {
        return error;
    }
    let text = describe(&error);
    Error::new("ConnectionError", format!("cannot connect to {}: {text}", url.authority()))
}

/// A failed handshake.
pub fn tls(url: &Url, why: &str) -> Error {
    Error::new("TLSError", format!("no secure connection to {}: {why}", url.authority()))
}

/// A time-out.
pub fn timeout(url: &Url, what: &str) -> Error {
    Error::new("TimeoutError", format!("{what} ({url})"))
}

/// A server that does not speak HTTP, or stopped in the middle.
pub fn protocol(url: &Url, why: &str) -> Error {
    Error::new("ProtocolError", format!("bad answer from {}: {why}", url.authority()))
}

/// A connection that broke.
pub fn broken(url: &Url, why: &str) -> Error {
    Error::new("ConnectionError", format!("the connection to {} broke: {why}", url.authority()))
}

fn is_denied(error: &Error) -> bool {
    error.io_record().is_some_and(|io| io.kind == abi::MS_IO_DENIED)
}

/// What an error of the host says, as a person reads it.
pub fn describe(error: &Error) -> String {
    match error.io_record() {
        Some(io) if io.kind == abi::MS_IO_RESOLVE => "the host name is not known".to_owned(),
        Some(io) if io.os_error != 0 => {
            system_text(&std::io::Error::from_raw_os_error(io.os_error))
        }
        _ => match error.parts() {
            Some((_, message)) => message.to_owned(),
            None => error.to_string(),
        },
    }
}

/// An error of the system in Python's words.
fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.strip_suffix(')').and_then(|text| text.rsplit_once(" (os error ")) {
        Some((words, number)) => format!("[Errno {number}] {words}"),
        None => text,
    }
}

/// A failure while a request is exchanged.
pub fn exchange(url: &Url, error: hyper::Error) -> Error {
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return match io.kind() {
                ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                    protocol(url, &io.to_string())
                }
                _ => broken(url, &system_text(io)),
            };
        }
        source = cause.source();
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return protocol(url, "the connection was closed before the answer was complete");
    }
    if error.is_parse_too_large() {
        return protocol(url, "its headers are too large");
    }
    protocol(url, &error.to_string())
}
