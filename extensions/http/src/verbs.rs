//! The functions that make requests.

use crate::args::{Body, Ca, Json, Pairs};
use crate::client::{self, Call};
use crate::error;
use crate::headers::HeaderArg;
use crate::response::Response;
use crate::time::Limits;
use crate::tls::Trust;
use crate::url::Url;
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderValue};
use miniscript_sdk as ms;
use miniscript_sdk::prelude::*;

/// Bytes of a body that are received if the script sets no other limit.
const MAX_BYTES: i64 = 100_000_000;

/// All options of a request.
struct Options {
    params: Option<Pairs>,
    headers: Option<HeaderArg>,
    json: Option<Json>,
    data: Option<Body>,
    body: Option<Body>,
    timeout: Option<f64>,
    verify: bool,
    ca: Option<Ca>,
    allow_redirects: bool,
    max_bytes: i64,
}

async fn send(method: &str, url: &str, options: Options) -> Result<Response> {
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
        .map_err(|_| Error::value(format!("'{method}' is not a method")))?;
    let mut target = Url::parse(url).map_err(|why| error::invalid_url(url, &why))?;
    if let Some(pairs) = options.params {
        target.add_query(&pairs.0);
    }
    let given = [options.json.map(|json| json.0), options.data, options.body];
    let mut bodies = given.into_iter().flatten();
    let body = bodies.next();
    if bodies.next().is_some() {
        return Err(Error::type_error("give only one of json, data and body"));
    }
    let mut headers = options.headers.unwrap_or_default().0;
    if let Some(content_type) = body.as_ref().and_then(|body| body.content_type) {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }
    let trust = match (options.verify, options.ca) {
        (false, _) => Trust::Anyone,
        (true, Some(ca)) => ca.0,
        (true, None) => Trust::System,
    };
    let call = Call {
        method,
        url: target,
        headers,
        body: body.map(|body| Bytes::from(body.bytes)),
        limits: Limits::new(options.timeout)?,
        trust,
        max_bytes: u64::try_from(options.max_bytes)
            .map_err(|_| Error::value("max_bytes must not be negative"))?,
        redirects: options.allow_redirects,
    };
    Response::received(client::run(call).await?)
}

/// Makes a request and returns the Response. Only the calling task waits.
///
/// params: pairs for the query (dict, list of pairs or str). headers: a dict. One of: json, a
/// value to send as JSON; data, the fields of a form as a dict, or str, bytes or a file; body, str
/// or bytes. What comes compressed (gzip, deflate) is decompressed.
///
/// timeout: seconds for everything. Without it a connection has to be there within 10 seconds,
/// and 30 seconds without a byte end the request. verify: False accepts any certificate. ca: a
/// PEM file (or its content as bytes) with the authorities to trust instead of the system's.
/// max_bytes: the largest body to accept.
///
/// Up to 10 redirects are followed; credentials are not sent on to another host.
#[ms::function(calls_back)]
#[allow(clippy::too_many_arguments)]
pub async fn request(
    method: String,
    url: String,
    #[ms(keyword)] params: Option<Pairs>,
    #[ms(keyword)] headers: Option<HeaderArg>,
    #[ms(keyword)] json: Option<Json>,
    #[ms(keyword)] data: Option<Body>,
    #[ms(keyword)] body: Option<Body>,
    #[ms(keyword)] timeout: Option<f64>,
    #[ms(keyword, default = true)] verify: bool,
    #[ms(keyword)] ca: Option<Ca>,
    #[ms(keyword, default = true)] allow_redirects: bool,
    #[ms(keyword, default = MAX_BYTES)] max_bytes: i64,
) -> Result<Response> {
    let options = Options {
        params,
        headers,
        json,
        data,
        body,
        timeout,
        verify,
        ca,
        allow_redirects,
        max_bytes,
    };
    send(&method, &url, options).await
}

macro_rules! without_body {
    ($($(#[$doc:meta])* $name:ident $method:literal $redirects:literal;)*) => { $(
        $(#[$doc])*
        #[ms::function]
        #[allow(clippy::too_many_arguments)]
        pub async fn $name(
            url: String,
            params: Option<Pairs>,
            #[ms(keyword)] headers: Option<HeaderArg>,
            #[ms(keyword)] timeout: Option<f64>,
            #[ms(keyword, default = true)] verify: bool,
            #[ms(keyword)] ca: Option<Ca>,
            #[ms(keyword, default = $redirects)] allow_redirects: bool,
            #[ms(keyword, default = MAX_BYTES)] max_bytes: i64,
        ) -> Result<Response> {
            let options = Options {
                params, headers, json: None, data: None, body: None, timeout, verify, ca,
                allow_redirects, max_bytes,
            };
            send($method, &url, options).await
        }
    )* };
}

macro_rules! with_body {
    ($($(#[$doc:meta])* $name:ident $method:literal;)*) => { $(
        $(#[$doc])*
        #[ms::function(calls_back)]
        #[allow(clippy::too_many_arguments)]
        pub async fn $name(
            url: String,
            data: Option<Body>,
            json: Option<Json>,
            #[ms(keyword)] body: Option<Body>,
            #[ms(keyword)] params: Option<Pairs>,
            #[ms(keyword)] headers: Option<HeaderArg>,
            #[ms(keyword)] timeout: Option<f64>,
            #[ms(keyword, default = true)] verify: bool,
            #[ms(keyword)] ca: Option<Ca>,
            #[ms(keyword, default = true)] allow_redirects: bool,
            #[ms(keyword, default = MAX_BYTES)] max_bytes: i64,
        ) -> Result<Response> {
            let options = Options {
                params, headers, json, data, body, timeout, verify, ca, allow_redirects, max_bytes,
            };
            send($method, &url, options).await
        }
    )* };
}

without_body! {
    /// Gets a URL and returns the Response. The options are those of request().
    get "GET" true;
    /// Gets only the headers of a URL. The options are those of request(); redirects are not
    /// followed unless asked for.
    head "HEAD" false;
    /// Asks what a URL allows. The options are those of request().
    options "OPTIONS" true;
}

with_body! {
    /// Posts data, or a value as JSON, to a URL. The options are those of request().
    post "POST";
    /// Puts data, or a value as JSON, at a URL. The options are those of request().
    put "PUT";
    /// Patches what is at a URL. The options are those of request().
    patch "PATCH";
    /// Deletes what is at a URL. The options are those of request().
    delete "DELETE";
}
