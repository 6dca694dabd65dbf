//! UDP sockets.

use std::io;
use std::net::SocketAddr;
use std::task::Poll;

use super::event_loop::Reactor;
use super::interest::Direction;
use super::socket::{Kind, Socket, SocketId, wrong_kind};
use super::token::TaskToken;

impl Reactor {
    /// Binds a datagram socket; port 0 takes a free one.
    pub fn udp_bind(&self, addr: SocketAddr) -> io::Result<SocketId> {
        let mut socket = Socket::new(Kind::Datagram(mio::net::UdpSocket::bind(addr)?));
        socket.interest.set_ready(Direction::Write);
        self.adopt(socket, mio::Interest::READABLE | mio::Interest::WRITABLE).map(SocketId)
    }

    /// Sets the peer that [`Reactor::udp_poll_send`] sends to and the only one heard.
    pub fn udp_connect(&self, id: SocketId, peer: SocketAddr) -> io::Result<()> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Datagram(socket) => socket.connect(peer),
            _ => Err(wrong_kind()),
        })
    }

    /// Allows sending to broadcast addresses.
    pub fn udp_set_broadcast(&self, id: SocketId, on: bool) -> io::Result<()> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Datagram(socket) => socket.set_broadcast(on),
            _ => Err(wrong_kind()),
        })
    }

    /// Sends one datagram to the connected peer.
    pub fn udp_poll_send(
        &self,
        id: SocketId,
        datagram: &[u8],
        token: TaskToken,
    ) -> Poll<io::Result<usize>> {
        self.attempt_datagram(id, Direction::Write, token, |socket| socket.send(datagram))
    }

    /// Sends one datagram to `target`.
    pub fn udp_poll_send_to(
        &self,
        id: SocketId,
        datagram: &[u8],
        target: SocketAddr,
        token: TaskToken,
    ) -> Poll<io::Result<usize>> {
        self.attempt_datagram(id, Direction::Write, token, |socket| {
            socket.send_to(datagram, target)
        })
    }

    /// Receives one datagram; what does not fit into `buf` is lost.
    pub fn udp_poll_recv_from(
        &self,
        id: SocketId,
        buf: &mut [u8],
        token: TaskToken,
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.attempt_datagram(id, Direction::Read, token, |socket| socket.recv_from(buf))
    }

    fn attempt_datagram<R>(
        &self,
        id: SocketId,
        direction: Direction,
        token: TaskToken,
        mut op: impl FnMut(&mio::net::UdpSocket) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_socket(id, |socket| {
            if !matches!(socket.kind, Kind::Datagram(_)) {
                return Poll::Ready(Err(wrong_kind()));
            }
            socket.attempt(direction, token, |kind| match kind {
                Kind::Datagram(socket) => op(socket),
                _ => Err(wrong_kind()),
            })
        })
    }
}
