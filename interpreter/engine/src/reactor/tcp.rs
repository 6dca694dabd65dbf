//! TCP streams and listeners.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use super::event_loop::Reactor;
use super::interest::Direction;
use super::socket::{Connect, Kind, Socket, SocketId, wrong_kind};
use super::token::TaskToken;

/// Connections that may wait to be accepted. A client whose packet finds the queue full tries
/// again after a second.
const BACKLOG: u32 = 1024;
/// How long a listener rests when the process or the system has no descriptor or memory left.
/// The connection stays in the backlog; without a rest the loop would spin on it.
const EXHAUSTED_REST: Duration = Duration::from_millis(100);

impl Reactor {
    /// Starts a connection. [`Reactor::tcp_poll_connect`] says how it ends; reading and writing
    /// before that simply wait for it.
    pub fn tcp_connect(&self, addr: SocketAddr) -> io::Result<SocketId> {
        let stream = mio::net::TcpStream::connect(addr)?;
        let socket = Socket::new(Kind::Stream { stream, connect: Connect::Pending });
        self.adopt(socket, mio::Interest::READABLE | mio::Interest::WRITABLE).map(SocketId)
    }

    /// Waits until the connection stands or has failed.
    pub fn tcp_poll_connect(&self, id: SocketId, token: TaskToken) -> Poll<io::Result<()>> {
        self.poll_socket(id, |socket| finish_connect(socket, token))
    }

    /// Reads what has arrived into `buf`; 0 means that the peer has ended its side.
    pub fn tcp_poll_read(
        &self,
        id: SocketId,
        buf: &mut [u8],
        token: TaskToken,
    ) -> Poll<io::Result<usize>> {
        self.poll_socket(id, |socket| {
            ready!(finish_connect(socket, token))?;
            if buf.is_empty() {
                return Poll::Ready(Ok(0));
            }
            let outcome = socket.attempt(Direction::Read, token, |kind| match kind {
                Kind::Stream { stream, .. } => (&*stream).read(buf),
                _ => Err(wrong_kind()),
            });
            if let Poll::Ready(Ok(n)) = outcome
                && 0 < n
                && n < buf.len()
            {
                socket.interest.clear_after_short_transfer(Direction::Read);
            }
            outcome
        })
    }

    /// Writes as much of `buf` as the system takes.
    pub fn tcp_poll_write(
        &self,
        id: SocketId,
        buf: &[u8],
        token: TaskToken,
    ) -> Poll<io::Result<usize>> {
        self.poll_socket(id, |socket| {
            ready!(finish_connect(socket, token))?;
            let outcome = socket.attempt(Direction::Write, token, |kind| match kind {
                Kind::Stream { stream, .. } => (&*stream).write(buf),
                _ => Err(wrong_kind()),
            });
            if let Poll::Ready(Ok(n)) = outcome
                && n < buf.len()
            {
                socket.interest.clear_after_short_transfer(Direction::Write);
            }
            outcome
        })
    }

    /// Writes from several buffers at once.
    pub fn tcp_poll_write_vectored(
        &self,
        id: SocketId,
        bufs: &[IoSlice<'_>],
        token: TaskToken,
    ) -> Poll<io::Result<usize>> {
        self.poll_socket(id, |socket| {
            ready!(finish_connect(socket, token))?;
            socket.attempt(Direction::Write, token, |kind| match kind {
                Kind::Stream { stream, .. } => send_vectored(stream, bufs),
                _ => Err(wrong_kind()),
            })
        })
    }

    /// Ends one or both directions of a stream.
    pub fn tcp_shutdown(&self, id: SocketId, how: Shutdown) -> io::Result<()> {
        self.with_stream(id, |stream| stream.shutdown(how))
    }

    /// Switches Nagle's algorithm off or on.
    pub fn tcp_set_nodelay(&self, id: SocketId, nodelay: bool) -> io::Result<()> {
        self.with_stream(id, |stream| stream.set_nodelay(nodelay))
    }

    /// Switches keep-alive probes on or off.
    #[cfg(unix)]
    pub fn tcp_set_keepalive(&self, id: SocketId, on: bool) -> io::Result<()> {
        self.with_stream(id, |stream| Ok(rustix::net::sockopt::set_socket_keepalive(stream, on)?))
    }

    /// Switches keep-alive probes on or off.
    #[cfg(not(unix))]
    pub fn tcp_set_keepalive(&self, id: SocketId, _: bool) -> io::Result<()> {
        self.with_stream(id, |_| Err(io::ErrorKind::Unsupported.into()))
    }

    /// Listens at an address; port 0 takes a free one (see [`Reactor::local_addr`]).
    pub fn tcp_listen(&self, addr: SocketAddr) -> io::Result<SocketId> {
        self.tcp_listen_with(addr, BACKLOG)
    }

    /// The same with a queue of at least `backlog` connections that nobody has accepted yet; the
    /// system rounds and limits it.
    pub fn tcp_listen_with(&self, addr: SocketAddr, backlog: u32) -> io::Result<SocketId> {
        let listener = mio::net::TcpListener::bind(addr)?;
        // mio's queue has a length of its own.
        #[cfg(unix)]
        rustix::net::listen(&listener, i32::try_from(backlog).unwrap_or(i32::MAX))?;
        #[cfg(not(unix))]
        let _ = backlog;
        let socket = Socket::new(Kind::Listener { listener, resume_at: None });
        self.adopt(socket, mio::Interest::READABLE).map(SocketId)
    }

    /// Takes the next connection. One wake-up stands for any number of them: accept until
    /// `Pending`. Connections that died in the backlog are skipped; when descriptors run out the
    /// listener rests for a moment and tries again.
    pub fn tcp_poll_accept(
        &self,
        id: SocketId,
        token: TaskToken,
    ) -> Poll<io::Result<(SocketId, SocketAddr)>> {
        let accepted = self.poll_socket(id, |socket| {
            if let Kind::Listener { resume_at, .. } = &mut socket.kind
                && let Some(at) = *resume_at
            {
                if Instant::now() < at {
                    self.timer_at(at, token);
                    return Poll::Pending;
                }
                *resume_at = None;
            }
            let outcome = socket.attempt(Direction::Read, token, |kind| match kind {
                Kind::Listener { listener, .. } => accept_living(listener),
                _ => Err(wrong_kind()),
            });
            if let Poll::Ready(Err(error)) = &outcome
                && is_exhaustion(error)
                && let Kind::Listener { resume_at, .. } = &mut socket.kind
            {
                let at = Instant::now() + EXHAUSTED_REST;
                *resume_at = Some(at);
                self.timer_at(at, token);
                return Poll::Pending;
            }
            outcome
        });
        let (stream, peer) = ready!(accepted)?;
        let mut socket = Socket::new(Kind::Stream { stream, connect: Connect::Done });
        // A new connection can always be written to; whether it can be read the selector says.
        socket.interest.set_ready(Direction::Write);
        let adopted = self.adopt(socket, mio::Interest::READABLE | mio::Interest::WRITABLE);
        Poll::Ready(adopted.map(|key| (SocketId(key), peer)))
    }

    fn with_stream<R>(
        &self,
        id: SocketId,
        body: impl FnOnce(&mio::net::TcpStream) -> io::Result<R>,
    ) -> io::Result<R> {
        self.with_socket(id, |socket| match &socket.kind {
            Kind::Stream { stream, .. } => body(stream),
            _ => Err(wrong_kind()),
        })
    }
}

fn finish_connect(socket: &mut Socket, token: TaskToken) -> Poll<io::Result<()>> {
    let Kind::Stream { stream, connect } = &mut socket.kind else {
        return Poll::Ready(Err(wrong_kind()));
    };
    match *connect {
        Connect::Done => return Poll::Ready(Ok(())),
        Connect::Failed(kind, code) => {
            let error = code.map_or_else(|| kind.into(), io::Error::from_raw_os_error);
            return Poll::Ready(Err(error));
        }
        Connect::Pending => {}
    }
    let failure = if !socket.interest.is_ready(Direction::Write) {
        None
    } else {
        match stream.take_error() {
            Ok(Some(error)) | Err(error) => Some(error),
            Ok(None) => match stream.peer_addr() {
                Ok(_) => {
                    *connect = Connect::Done;
                    return Poll::Ready(Ok(()));
                }
                // The event was about something else.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
                Err(error) => Some(error),
            },
        }
    };
    match failure {
        Some(error) => {
            *connect = Connect::Failed(error.kind(), error.raw_os_error());
            Poll::Ready(Err(error))
        }
        None => {
            socket.interest.clear(Direction::Write);
            socket.interest.park(Direction::Write, token);
            Poll::Pending
        }
    }
}

/// Accepts, skipping connections whose peer gave up before we looked.
fn accept_living(
    listener: &mio::net::TcpListener,
) -> io::Result<(mio::net::TcpStream, SocketAddr)> {
    loop {
        match listener.accept() {
            Err(error) if is_stillborn(&error) => {}
            outcome => return outcome,
        }
    }
}

fn is_stillborn(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, HostUnreachable, NetworkDown};
    use io::ErrorKind::{NetworkUnreachable, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | NetworkDown
            | NetworkUnreachable
            | TimedOut
    )
}

#[cfg(unix)]
fn is_exhaustion(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let exhausted = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error.raw_os_error().is_some_and(|code| exhausted.iter().any(|e| e.raw_os_error() == code))
}

#[cfg(not(unix))]
fn is_exhaustion(error: &io::Error) -> bool {
    // WSAEMFILE, WSAENOBUFS
    matches!(error.raw_os_error(), Some(10024 | 10055))
}

/// `writev` raises SIGPIPE where the embedding program has not switched it off; `sendmsg` can be
/// told not to.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_vectored(stream: &mio::net::TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
    // More would be refused as a whole.
    let bufs = &bufs[..bufs.len().min(1024)];
    let mut control = SendAncillaryBuffer::default();
    stream.try_io(|| {
        sendmsg(stream, bufs, &mut control, SendFlags::NOSIGNAL).map_err(io::Error::from)
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send_vectored(stream: &mio::net::TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    (&*stream).write_vectored(bufs)
}
