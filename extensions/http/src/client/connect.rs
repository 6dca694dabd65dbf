//! Making a connection: name, addresses in turn, handshake.

use super::Call;
use super::connection::Connection;
use crate::stream::{Activity, Stream};
use crate::tls::TlsStream;
use crate::{error, time};
use miniscript_sdk::net::{TcpStream, resolve};
use miniscript_sdk::{Error, Result};
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Opens a connection for a request, within its limit.
pub async fn open(call: &Call, config: Option<Arc<ClientConfig>>) -> Result<Connection> {
    let until = call.limits.after(call.limits.connect);
    let late = || error::timeout(&call.url, "no connection within the time limit");
    let tcp = time::until(until, connect(call, until)).await?.ok_or_else(late)??;
    // Requests are written as a whole; waiting to fill a packet would only delay them. A host
    // without this option is slower, not wrong.
    let _ = tcp.set_nodelay(true);
    let activity = Activity::new();
    let stream = match config {
        None => Stream::plain(tcp, Rc::clone(&activity)),
        Some(config) => {
            let handshake = TlsStream::connect(tcp, config, &call.url.host);
            let tls = time::until(until, handshake).await?.ok_or_else(late)?;
            Stream::tls(tls.map_err(|why| error::tls(&call.url, &why))?, Rc::clone(&activity))
        }
    };
    Connection::start(stream, activity).await.map_err(|cause| error::exchange(&call.url, cause))
}

/// Tries the addresses of the host in turn, each for its share of the time that is left.
async fn connect(call: &Call, until: Instant) -> Result<TcpStream> {
    let url = &call.url;
    let addresses = resolve(&url.host, url.port)
        .await
        .map_err(|cause| error::connect(url, Error::from(cause)))?;
    let mut last = None;
    let addresses = interleaved(addresses);
    let count = addresses.len() as u32;
    for (address, to_try) in addresses.into_iter().zip((1..=count).rev()) {
        let left = until.saturating_duration_since(Instant::now());
        let share = Instant::now() + left / to_try;
        match time::until(share, TcpStream::connect_to(address)).await? {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(cause)) => last = Some(error::connect(url, Error::from(cause))),
            None => last = Some(error::timeout(url, "no connection within the time limit")),
        }
    }
    Err(last.unwrap_or_else(|| {
        error::connect(url, Error::new("OSError", "the host name has no address"))
    }))
}

/// Both families in turn, beginning with the one the system prefers.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(first.next());
        all.extend(second.next());
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (a, b, c) = (parse("[::1]:1"), parse("[::2]:1"), parse("1.2.3.4:1"));
        assert_eq!(interleaved(vec![a, b, c]), [a, c, b]);
        assert_eq!(interleaved(vec![c, a, b]), [c, a, b]);
        assert!(interleaved(Vec::new()).is_empty());
    }
}
