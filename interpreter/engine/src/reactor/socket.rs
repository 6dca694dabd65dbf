//! What all sockets have in common: their table, closing, and the poll-or-park step.

use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Instant;

use super::event_loop::Reactor;
use super::interest::{Direction, Interest};
use super::slab::Key;
use super::token::TaskToken;

/// A socket owned by the reactor. After [`Reactor::close`] it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(pub(super) Key);

impl SocketId {
    /// The id as it crosses the C ABI; never 0.
    pub const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The inverse of [`SocketId::to_bits`]; a wrong word names no socket.
    pub const fn from_bits(bits: u64) -> SocketId {
        SocketId(Key::from_bits(bits))
    }
}

/// How far an outgoing connection has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connect {
    Pending,
    Done,
    /// The system reports the reason only once, so it is kept.
    Failed(io::ErrorKind, Option<i32>),
}

#[derive(Debug)]
pub(super) enum Kind {
    Stream {
        stream: mio::net::TcpStream,
        connect: Connect,
    },
    Listener {
        listener: mio::net::TcpListener,
        resume_at: Option<Instant>,
    },
    Datagram(mio::net::UdpSocket),
    #[cfg(unix)]
    Raw(super::raw::RawSocket),
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) kind: Kind,
    pub(super) interest: Interest,
}

impl Socket {
    pub(super) fn new(kind: Kind) -> Socket {
        Socket { kind, interest: Interest::default() }
    }

    pub(super) fn source(&mut self) -> &mut dyn mio::event::Source {
        match &mut self.kind {
            Kind::Stream { stream, .. } => stream,
            Kind::Listener { listener, .. } => listener,
            Kind::Datagram(socket) => socket,
            #[cfg(unix)]
            Kind::Raw(socket) => socket,
        }
    }

    /// Tries `op` if the socket is ready, parks `token` if it is not.
    pub(super) fn attempt<R>(
        &mut self,
        direction: Direction,
        token: TaskToken,
        mut op: impl FnMut(&Kind) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        if !self.interest.is_ready(direction) {
            self.interest.park(direction, token);
            return Poll::Pending;
        }
        loop {
            match op(&self.kind) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.interest.clear(direction);
                    self.interest.park(direction, token);
                    return Poll::Pending;
                }
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}

/// The error of an operation on a socket that is gone.
pub(super) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "socket is closed")
}

/// The error of an operation on a socket of another kind.
pub(super) fn wrong_kind() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "operation not supported by this kind of socket")
}

impl Reactor {
    /// Closes a socket; tasks that wait for it wake and get an error. False if it was closed.
    pub fn close(&self, id: SocketId) -> bool {
        self.discard(id.0)
    }

    /// How many sockets are open.
    pub fn socket_count(&self) -> usize {
        self.sockets.borrow().len()
    }

    /// Forgets that a task waits for the socket. Optional (its wake-up would be harmless), but a
    /// task that gives up on a quiet socket should not leave its token behind.
    pub fn unpark(&self, id: SocketId, token: TaskToken) {
        if let Some(socket) = self.sockets.borrow_mut().get_mut(id.0) {
            socket.interest.unpark(token);
        }
    }

    /// The address the socket is bound to.
    pub fn local_addr(&self, id: SocketId) -> io::Result<SocketAddr> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Stream { stream, .. } => stream.local_addr(),
            Kind::Listener { listener, .. } => listener.local_addr(),
            Kind::Datagram(socket) => socket.local_addr(),
            #[cfg(unix)]
            Kind::Raw(_) => Err(wrong_kind()),
        })
    }

    /// The address of the other side of a connected socket.
    pub fn peer_addr(&self, id: SocketId) -> io::Result<SocketAddr> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Stream { stream, .. } => stream.peer_addr(),
            Kind::Datagram(socket) => socket.peer_addr(),
            _ => Err(wrong_kind()),
        })
    }

    /// Sets the time to live of what is sent.
    pub fn set_ttl(&self, id: SocketId, ttl: u32) -> io::Result<()> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Stream { stream, .. } => stream.set_ttl(ttl),
            Kind::Listener { listener, .. } => listener.set_ttl(ttl),
            Kind::Datagram(socket) => socket.set_ttl(ttl),
            #[cfg(unix)]
            Kind::Raw(_) => Err(wrong_kind()),
        })
    }

    pub(super) fn with_socket<R>(
        &self,
        id: SocketId,
        body: impl FnOnce(&mut Socket) -> io::Result<R>,
    ) -> io::Result<R> {
        match self.sockets.borrow_mut().get_mut(id.0) {
            Some(socket) => body(socket),
            None => Err(closed()),
        }
    }

    pub(super) fn poll_socket<R>(
        &self,
        id: SocketId,
        body: impl FnOnce(&mut Socket) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        match self.sockets.borrow_mut().get_mut(id.0) {
            Some(socket) => body(socket),
            None => Poll::Ready(Err(closed())),
        }
    }
}
