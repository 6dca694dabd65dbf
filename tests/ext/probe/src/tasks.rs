//! Futures: timers, threads, sockets, files, tasks.

use miniscript_sdk as ms;
use ms::prelude::*;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Waits; other tasks go on.
#[ms::function]
pub async fn nap(milliseconds: u64) -> Result<u64> {
    ms::time::sleep(Duration::from_millis(milliseconds)).await?;
    Ok(milliseconds)
}

/// Panics after a while.
#[ms::function]
pub async fn late_panic() -> Result<()> {
    ms::time::sleep(Duration::from_millis(1)).await?;
    panic!("too late");
}

/// Panics when it is polled first.
#[ms::function]
pub async fn poll_panic() {
    panic!("at once");
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        crate::classes::note_drop("PanicsInDrop");
        panic!("the drop of a future panics on purpose");
    }
}

/// Waits for ever; its drop panics.
#[ms::function]
pub async fn drop_panic() -> Result<()> {
    let _value = PanicsInDrop;
    std::future::pending::<Result<()>>().await
}

/// Computes on a thread of the pool.
#[ms::function]
pub async fn on_thread(n: u64) -> Result<u64> {
    ms::task::blocking(move || (1..=n).sum()).await
}

/// Panics on a thread of the pool.
#[ms::function]
pub async fn panic_on_thread() -> Result<()> {
    ms::task::blocking(|| panic!("on a thread")).await
}

#[derive(Default)]
struct Shared {
    done: Option<u64>,
    waker: Option<Waker>,
}

struct FromThread(Arc<Mutex<Shared>>);

impl Future for FromThread {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shared.done {
            Some(n) => Poll::Ready(n),
            None => {
                shared.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// Waits for a thread of the extension's own, which wakes the task.
#[ms::function]
pub async fn from_thread(milliseconds: u64) -> u64 {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let theirs = Arc::clone(&shared);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(milliseconds));
        let waker = {
            let mut shared = theirs.lock().unwrap_or_else(PoisonError::into_inner);
            shared.done = Some(milliseconds);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            // More often than needed: only the first one counts.
            waker.wake_by_ref();
            waker.wake();
        }
    });
    FromThread(shared).await
}

struct Watched;

impl Drop for Watched {
    fn drop(&mut self) {
        crate::classes::note_drop("forever");
    }
}

/// Waits for ever; `dropped("forever")` counts its ends.
#[ms::function]
pub async fn forever() -> Result<()> {
    let _watched = Watched;
    std::future::pending::<Result<()>>().await
}

/// Calls a script function after a while.
#[ms::function]
pub async fn call_later(callback: Kept, x: i64) -> Result<Kept> {
    ms::time::sleep(Duration::from_millis(1)).await?;
    ms::task::call(&callback, |cx| Ok(vec![cx.make(x)?])).await
}

/// Starts a task that naps, and returns its Task.
#[ms::function]
pub fn spawn_nap(cx: &Cx, milliseconds: u64) -> Result<ms::task::Task> {
    ms::task::spawn(cx, async move {
        ms::time::sleep(Duration::from_millis(milliseconds)).await?;
        Ok::<_, Error>(format!("napped {milliseconds}"))
    })
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Sends a text to itself over TCP.
#[ms::function]
pub async fn echo_over_tcp(text: String) -> Result<String> {
    let listener = ms::with_cx(|cx| Ok(ms::net::TcpListener::bind(cx, loopback())?))?;
    let port = listener.local_addr()?.port();
    let server = ms::with_cx(|cx| {
        ms::task::spawn(cx, async move {
            let (mut stream, peer) = listener.accept().await?;
            let mut buffer = [0; 7];
            loop {
                match stream.read(&mut buffer).await? {
                    0 => return Ok::<_, Error>(peer.ip().to_string()),
                    n => stream.write_all(&buffer[..n]).await?,
                }
            }
        })
    })?;
    let mut stream = ms::net::TcpStream::connect("localhost", port).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown_write()?;
    let mut back = Vec::new();
    let mut buffer = [0; 5];
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => back.extend_from_slice(&buffer[..n]),
        }
    }
    let peer = server.await?;
    let peer: String = ms::with_cx(|cx| peer.get().to(cx))?;
    Ok(format!("{} from {peer}", String::from_utf8_lossy(&back)))
}

/// Sends a text to itself over UDP.
#[ms::function]
pub async fn echo_over_udp(text: String) -> Result<String> {
    let bind = || ms::with_cx(|cx| Ok(ms::net::UdpSocket::bind(cx, loopback())?));
    let (one, two) = (bind()?, bind()?);
    one.send_to(text.as_bytes(), two.local_addr()?).await?;
    let mut buffer = [0; 100];
    let (n, sender) = two.recv_from(&mut buffer).await?;
    let known = sender == one.local_addr()?;
    Ok(format!("{} {known}", String::from_utf8_lossy(&buffer[..n])))
}

/// The content of a file.
#[ms::function]
pub async fn read_file(path: String) -> Result<ms::Bytes> {
    Ok(ms::Bytes(ms::fs::read(&path).await?))
}

/// Writes a file.
#[ms::function]
pub async fn write_file(path: String, data: ms::Bytes) -> Result<()> {
    ms::fs::write(&path, &data.0).await
}

/// Runs several naps at once and returns when the last is over.
#[ms::function]
pub async fn gather(milliseconds: Vec<u64>) -> Result<u64> {
    let naps = milliseconds.iter().map(|&n| ms::time::sleep(Duration::from_millis(n)));
    let mut naps: Vec<Pin<Box<_>>> = naps.map(Box::pin).collect();
    let count = naps.len() as u64;
    std::future::poll_fn(move |cx| {
        let mut failed = None;
        naps.retain_mut(|nap| match nap.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(result) => {
                failed = failed.take().or(result.err());
                false
            }
        });
        match failed {
            Some(error) => Poll::Ready(Err(error)),
            None if naps.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await?;
    Ok(count)
}
