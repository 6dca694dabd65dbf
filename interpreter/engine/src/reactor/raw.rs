//! Sockets that are made before it is known what they will be: bound, listening or connected, of
//! any family. The reactor keeps the descriptor and its readiness; the calls are the user's.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::task::Poll;

use mio::event::Source;
use mio::unix::SourceFd;

use super::event_loop::Reactor;
use super::interest::Direction;
use super::socket::{Kind, Socket, SocketId, wrong_kind};
use super::token::TaskToken;

/// The descriptor, for the selector.
#[derive(Debug)]
pub(super) struct RawSocket(OwnedFd);

impl Source for RawSocket {
    fn register(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &mio::Registry) -> io::Result<()> {
        SourceFd(&self.0.as_raw_fd()).deregister(registry)
    }
}

impl Reactor {
    /// Takes a socket that does not block.
    pub fn raw_adopt(&self, fd: OwnedFd) -> io::Result<SocketId> {
        let mut socket = Socket::new(Kind::Raw(RawSocket(fd)));
        socket.interest.set_ready(Direction::Read);
        socket.interest.set_ready(Direction::Write);
        self.adopt(socket, mio::Interest::READABLE | mio::Interest::WRITABLE).map(SocketId)
    }

    /// A call that does not wait.
    pub fn raw_call<R>(
        &self,
        id: SocketId,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Raw(raw) => call(raw.0.as_fd()),
            _ => Err(wrong_kind()),
        })
    }

    /// A call that answers `WouldBlock` if it has to wait for `direction`.
    pub fn raw_poll<R>(
        &self,
        id: SocketId,
        direction: Direction,
        token: TaskToken,
        mut call: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_socket(id, |socket| {
            socket.attempt(direction, token, |kind| match kind {
                Kind::Raw(raw) => call(raw.0.as_fd()),
                _ => Err(wrong_kind()),
            })
        })
    }

    /// The socket is about to be used in another way: the next call is made in any case.
    pub fn raw_reset(&self, id: SocketId) {
        let _ = self.with_socket(id, |socket| {
            socket.interest.set_ready(Direction::Read);
            socket.interest.set_ready(Direction::Write);
            Ok(())
        });
    }
}
