//! Name lookup: `getaddrinfo` on the thread pool, literals at once.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::task::Poll;

use super::event_loop::Reactor;
use super::pool::Job;
use super::token::TaskToken;

/// A lookup under way; dropping it cancels it.
#[derive(Debug)]
pub struct Lookup(Stage);

#[derive(Debug)]
enum Stage {
    Known(Option<SocketAddr>),
    Asking(Job<io::Result<Vec<SocketAddr>>>),
}

impl Lookup {
    /// The addresses in the system's order of preference; at least one.
    pub fn poll(&mut self, token: TaskToken) -> Poll<io::Result<Vec<SocketAddr>>> {
        match &mut self.0 {
            Stage::Known(addr) => match addr.take() {
                Some(addr) => Poll::Ready(Ok(vec![addr])),
                None => Poll::Pending,
            },
            Stage::Asking(job) => job
                .poll(token)
                .map(|outcome| outcome.unwrap_or_else(|panic| Err(io::Error::other(panic)))),
        }
    }
}

impl Reactor {
    /// Looks up a host name or address literal (`::1` with or without brackets).
    pub fn resolve(&self, host: &str, port: u16, token: TaskToken) -> io::Result<Lookup> {
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = literal.parse::<IpAddr>() {
            return Ok(Lookup(Stage::Known(Some(SocketAddr::new(ip, port)))));
        }
        let host = host.to_owned();
        let job = self.blocking(token, move || {
            let addrs: Vec<SocketAddr> = (host.as_str(), port).to_socket_addrs()?.collect();
            if addrs.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "host name has no address"));
            }
            Ok(addrs)
        })?;
        Ok(Lookup(Stage::Asking(job)))
    }
}
