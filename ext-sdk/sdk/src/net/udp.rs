//! UDP.

use super::{Socket, done, from_abi, ready, to_abi};
use crate::future::token_of;
use crate::op::{Vm, vm_call};
use miniscript_abi::*;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;

/// A UDP socket.
pub struct UdpSocket(Socket);

impl UdpSocket {
    /// Binds to an address; port 0 means any that is free.
    pub fn bind(cx: &crate::Cx, address: SocketAddr) -> io::Result<Self> {
        let address = to_abi(address);
        let socket =
            Socket::open(Vm::of(cx), |at, out, io| vm_call!(at, net.udp_bind(&address, out, io)))?;
        Ok(Self(socket))
    }

    /// Sets the peer for [`UdpSocket::send`].
    pub fn connect(&self, address: SocketAddr) -> io::Result<()> {
        let (address, mut io) = (to_abi(address), MsIo::NONE);
        done(vm_call!(self.0.at, net.udp_connect(self.0.id, &address, &mut io)), &io)
    }

    /// Sends a datagram to the peer.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_abi(bytes, None).await
    }

    /// Sends a datagram to an address.
    pub async fn send_to(&self, bytes: &[u8], address: SocketAddr) -> io::Result<usize> {
        self.send_abi(bytes, Some(to_abi(address))).await
    }

    async fn send_abi(&self, bytes: &[u8], address: Option<MsAddr>) -> io::Result<usize> {
        let target = address.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        poll_fn(|cx| {
            let (token, mut io) = (token_of(cx), MsIo::NONE);
            let bytes = MsStr::bytes(bytes);
            ready(vm_call!(self.0.at, net.send_poll(self.0.id, token, bytes, target, &mut io)), &io)
        })
        .await
    }

    /// Receives a datagram and its sender.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut sender = to_abi(SocketAddr::from(([0, 0, 0, 0], 0)));
        let count = poll_fn(|cx| {
            let (token, mut io) = (token_of(cx), MsIo::NONE);
            ready(
                vm_call!(
                    self.0.at,
                    net.receive_poll(
                        self.0.id,
                        token,
                        buffer.as_mut_ptr(),
                        buffer.len(),
                        &mut sender,
                        &mut io
                    )
                ),
                &io,
            )
        })
        .await?;
        Ok((count.min(buffer.len()), from_abi(&sender)))
    }

    /// Address of this end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_address()
    }
}
