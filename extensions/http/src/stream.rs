//! The byte stream under a connection: plain or encrypted, with a clock of its activity.

use crate::tls::TlsStream;
use hyper::rt::{Read, ReadBufCursor, Write};
use miniscript_sdk::net::TcpStream;
use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

/// When bytes moved last.
pub struct Activity {
    read: Cell<Instant>,
    written: Cell<Instant>,
}

impl Activity {
    /// Starts now.
    pub fn new() -> Rc<Self> {
        let now = Instant::now();
        Rc::new(Self { read: Cell::new(now), written: Cell::new(now) })
    }

    /// Counts this moment as activity.
    pub fn touch(&self) {
        self.read.set(Instant::now());
    }

    /// The last read or write.
    pub fn last(&self) -> Instant {
        self.read.get().max(self.written.get())
    }

    /// The last write.
    pub fn last_write(&self) -> Instant {
        self.written.get()
    }
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

/// A stream that hyper reads and writes.
pub struct Stream {
    transport: Transport,
    activity: Rc<Activity>,
}

impl Stream {
    /// Over TCP alone.
    pub fn plain(tcp: TcpStream, activity: Rc<Activity>) -> Self {
        Self { transport: Transport::Plain(tcp), activity }
    }

    /// Over TLS.
    pub fn tls(tls: TlsStream, activity: Rc<Activity>) -> Self {
        Self { transport: Transport::Tls(Box::new(tls)), activity }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Transport::Tls(tls) => {
                let mut bytes = [0; 16 * 1024];
                let space = bytes.len().min(buffer.remaining());
                tls.poll_read(cx, &mut bytes[..space])
                    .map_ok(|count| buffer.put_slice(&bytes[..count]))
            }
        };
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.activity.read.set(Instant::now());
        }
        polled
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.transport {
            Transport::Plain(tcp) => TcpStream::poll_write(tcp, cx, bytes),
            Transport::Tls(tls) => tls.poll_write(cx, bytes),
        };
        if matches!(polled, Poll::Ready(Ok(_))) {
            self.activity.written.set(Instant::now());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => tls.poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => tls.poll_shutdown(cx),
        }
    }
}
