//! TCP.

use super::{Socket, as_io, done, from_abi, ready, resolve, to_abi};
use crate::future::token_of;
use crate::op::{Vm, vm_call};
use miniscript_abi::*;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// A TCP connection.
pub struct TcpStream(Socket);

impl TcpStream {
    /// Connects to a name or address; all addresses of the name are tried.
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in resolve(host, port).await? {
            match Self::connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Connects to an address.
    pub async fn connect_to(address: SocketAddr) -> io::Result<Self> {
        let at = Vm::current().map_err(as_io)?;
        let address = to_abi(address);
        let socket =
            Socket::open(at, |at, out, io| vm_call!(at, net.tcp_connect(&address, out, io)))?;
        poll_fn(|cx| {
            let mut io = MsIo::NONE;
            ready(vm_call!(socket.at, net.connect_poll(socket.id, token_of(cx), &mut io)), &io)
        })
        .await?;
        Ok(Self(socket))
    }

    /// Reads what is there; 0 at the end of the stream.
    pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    /// Polls for reading.
    pub fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_raw(cx, buffer.as_mut_ptr(), buffer.len())
    }

    fn poll_read_raw(
        &self,
        cx: &mut Context<'_>,
        buffer: *mut u8,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        let (token, mut io) = (token_of(cx), MsIo::NONE);
        let polled =
            ready(vm_call!(self.0.at, net.read_poll(self.0.id, token, buffer, len, &mut io)), &io);
        polled.map_ok(|count| count.min(len))
    }

    /// Writes some bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_write(cx, bytes)).await
    }

    /// Writes all bytes.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.write(bytes).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Polls for writing.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (token, mut io) = (token_of(cx), MsIo::NONE);
        let bytes_abi = MsStr::bytes(bytes);
        ready(vm_call!(self.0.at, net.write_poll(self.0.id, token, bytes_abi, &mut io)), &io)
            .map_ok(|count| count.min(bytes.len()))
    }

    /// Ends the writing direction.
    pub fn shutdown_write(&self) -> io::Result<()> {
        let mut io = MsIo::NONE;
        done(vm_call!(self.0.at, net.shutdown(self.0.id, MS_SHUT_WRITE, &mut io)), &io)
    }

    /// Sends small writes at once.
    pub fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.0.set_option(MS_SOCKET_NODELAY, i64::from(on))
    }

    /// Address of this end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_address()
    }

    /// Address of the other end.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.address(|at, id, out, io| vm_call!(at, net.peer_address(id, out, io)))
    }
}

/// A listening socket.
pub struct TcpListener(Socket);

impl TcpListener {
    /// Listens on an address; port 0 means any that is free.
    pub fn bind(cx: &crate::Cx, address: SocketAddr) -> io::Result<Self> {
        let address = to_abi(address);
        let socket = Socket::open(Vm::of(cx), |at, out, io| {
            vm_call!(at, net.tcp_listen(&address, 1024, out, io))
        })?;
        Ok(Self(socket))
    }

    /// Takes a connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// Polls for a connection.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (mut id, mut io) = (0, MsIo::NONE);
        let mut peer = to_abi(SocketAddr::from(([0, 0, 0, 0], 0)));
        let status = vm_call!(
            self.0.at,
            net.accept_poll(self.0.id, token_of(cx), &mut id, &mut peer, &mut io)
        );
        ready(status, &io)
            .map_ok(|_| (TcpStream(Socket { id, at: self.0.at.clone() }), from_abi(&peer)))
    }

    /// Address it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_address()
    }
}

#[cfg(feature = "hyper")]
mod hyper_io {
    use super::*;
    use hyper::rt::{Read, ReadBufCursor, Write};
    use std::pin::Pin;

    impl Read for TcpStream {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            mut buffer: ReadBufCursor<'_>,
        ) -> Poll<io::Result<()>> {
            // SAFETY: the host only writes to the memory, and tells how much of it it wrote.
            let (pointer, len) = unsafe {
                let space = buffer.as_mut();
                (space.as_mut_ptr().cast::<u8>(), space.len())
            };
            self.poll_read_raw(cx, pointer, len).map_ok(|count| {
                // SAFETY: `count` bytes were written, and it is at most `len`.
                unsafe { buffer.advance(count) };
            })
        }
    }

    impl Write for TcpStream {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            TcpStream::poll_write(&self, cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(self.shutdown_write())
        }
    }
}
