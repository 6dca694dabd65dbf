//! Sockets of the host, awaited. Only the running task waits.

mod tcp;
mod udp;

pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

use crate::op::{Op, Vm, vm_call};
use miniscript_abi::*;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Looks a host name up. An address in text form needs no lookup.
pub async fn resolve(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let at = Vm::current().map_err(as_io)?;
    let mut op =
        Op::start(at.clone(), |at, out| vm_call!(at, net.resolve(MsStr::new(name), port, out)))
            .map_err(as_io)?;
    (&mut op).await.map_err(as_io)?;
    let mut addresses = vec![to_abi(SocketAddr::from(([0, 0, 0, 0], 0))); 16];
    let (mut len, mut io) = (0, MsIo::NONE);
    done(
        vm_call!(
            at,
            net.resolve_take(op.id, addresses.as_mut_ptr(), addresses.len(), &mut len, &mut io)
        ),
        &io,
    )?;
    addresses.truncate(len);
    Ok(addresses.iter().map(from_abi).collect())
}

/// A socket of the host; closed when dropped.
pub(crate) struct Socket {
    id: MsSocket,
    at: Vm,
}

impl Socket {
    fn open(
        at: Vm,
        open: impl FnOnce(&Vm, *mut MsSocket, *mut MsIo) -> MsStatus,
    ) -> io::Result<Self> {
        let (mut id, mut io) = (0, MsIo::NONE);
        done(open(&at, &mut id, &mut io), &io)?;
        Ok(Self { id, at })
    }

    fn address(
        &self,
        read: impl FnOnce(&Vm, MsSocket, *mut MsAddr, *mut MsIo) -> MsStatus,
    ) -> io::Result<SocketAddr> {
        let mut address = to_abi(SocketAddr::from(([0, 0, 0, 0], 0)));
        let mut io = MsIo::NONE;
        done(read(&self.at, self.id, &mut address, &mut io), &io)?;
        Ok(from_abi(&address))
    }

    fn local_address(&self) -> io::Result<SocketAddr> {
        self.address(|at, id, out, io| vm_call!(at, net.local_address(id, out, io)))
    }

    fn set_option(&self, option: u32, value: i64) -> io::Result<()> {
        let mut io = MsIo::NONE;
        done(vm_call!(self.at, net.set_option(self.id, option, value, &mut io)), &io)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        vm_call!(self.at, net.close(self.id));
    }
}

/// The result of a call that is not a poll.
fn done(status: MsStatus, io: &MsIo) -> io::Result<()> {
    match status {
        MS_OK => Ok(()),
        MS_FAILED => Err(io_error(io)),
        status => Err(as_io(crate::op::failure(status))),
    }
}

/// The result of a poll.
fn ready(status: MsStatus, io: &MsIo) -> std::task::Poll<io::Result<usize>> {
    match status {
        MS_PENDING => std::task::Poll::Pending,
        status => std::task::Poll::Ready(done(status, io).map(|()| io.count as usize)),
    }
}

const KINDS: &[(u32, io::ErrorKind)] = &[
    (MS_IO_NOT_FOUND, io::ErrorKind::NotFound),
    (MS_IO_PERMISSION, io::ErrorKind::PermissionDenied),
    (MS_IO_DENIED, io::ErrorKind::PermissionDenied),
    (MS_IO_EXISTS, io::ErrorKind::AlreadyExists),
    (MS_IO_REFUSED, io::ErrorKind::ConnectionRefused),
    (MS_IO_RESET, io::ErrorKind::ConnectionReset),
    (MS_IO_ABORTED, io::ErrorKind::ConnectionAborted),
    (MS_IO_NOT_CONNECTED, io::ErrorKind::NotConnected),
    (MS_IO_ADDR_IN_USE, io::ErrorKind::AddrInUse),
    (MS_IO_ADDR_NOT_AVAILABLE, io::ErrorKind::AddrNotAvailable),
    (MS_IO_BROKEN_PIPE, io::ErrorKind::BrokenPipe),
    (MS_IO_TIMED_OUT, io::ErrorKind::TimedOut),
    (MS_IO_INVALID, io::ErrorKind::InvalidInput),
    (MS_IO_UNSUPPORTED, io::ErrorKind::Unsupported),
    (MS_IO_MEMORY, io::ErrorKind::OutOfMemory),
    (MS_IO_IS_DIR, io::ErrorKind::IsADirectory),
    (MS_IO_NOT_DIR, io::ErrorKind::NotADirectory),
    (MS_IO_NOT_EMPTY, io::ErrorKind::DirectoryNotEmpty),
    (MS_IO_RESOLVE, io::ErrorKind::NotFound),
];

/// A failure of the host as an `io::Error`; what the host said is inside, so that it reaches the
/// script unchanged.
pub(crate) fn io_error(io: &MsIo) -> io::Error {
    let kind = KINDS.iter().find(|(code, _)| *code == io.kind);
    let kind = kind.map_or(io::ErrorKind::Other, |(_, kind)| *kind);
    io::Error::new(kind, Failure::Io(*io))
}

/// A failure of the host inside an `io::Error`, on its way through code that knows only those.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What the host said.
    Io(MsIo),
    /// An exception is pending in the VM.
    Pending,
    /// Another exception.
    Raised(String, String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(io) if io.os_error != 0 => io::Error::from_raw_os_error(io.os_error).fmt(f),
            Self::Io(io) => {
                let kind = KINDS.iter().find(|(code, _)| *code == io.kind);
                kind.map_or(io::ErrorKind::Other, |(_, kind)| *kind).fmt(f)
            }
            Self::Pending => f.write_str("an exception is pending"),
            Self::Raised(class, message) => write!(f, "{class}: {message}"),
        }
    }
}

impl std::error::Error for Failure {}

/// An error of the SDK as an `io::Error`.
pub(crate) fn as_io(error: crate::Error) -> io::Error {
    io::Error::other(match error.parts() {
        Some((class, message)) => Failure::Raised(class.to_owned(), message.to_owned()),
        None => Failure::Pending,
    })
}

/// The host's form of an error that arose in the extension.
pub(crate) fn io_record(error: &io::Error) -> MsIo {
    let code = KINDS.iter().find(|(_, kind)| *kind == error.kind());
    MsIo {
        count: 0,
        kind: code.map_or(MS_IO_OTHER, |(code, _)| *code),
        os_error: error.raw_os_error().unwrap_or(0),
    }
}

/// The exception class of an error that has no number.
pub(crate) fn class_of(error: &io::Error) -> &'static str {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound => "FileNotFoundError",
        K::PermissionDenied => "PermissionError",
        K::AlreadyExists => "FileExistsError",
        K::ConnectionRefused => "ConnectionRefusedError",
        K::ConnectionReset => "ConnectionResetError",
        K::ConnectionAborted => "ConnectionAbortedError",
        K::BrokenPipe => "BrokenPipeError",
        K::TimedOut => "TimeoutError",
        _ => "OSError",
    }
}

pub(crate) fn to_abi(address: SocketAddr) -> MsAddr {
    let mut octets = [0; 16];
    let (family, flow_info, scope_id) = match address {
        SocketAddr::V4(v4) => {
            octets[..4].copy_from_slice(&v4.ip().octets());
            (MS_ADDR_V4, 0, 0)
        }
        SocketAddr::V6(v6) => {
            octets = v6.ip().octets();
            (MS_ADDR_V6, v6.flowinfo(), v6.scope_id())
        }
    };
    MsAddr { family, port: address.port(), flow_info, scope_id, octets }
}

pub(crate) fn from_abi(address: &MsAddr) -> SocketAddr {
    let o = address.octets;
    if address.family == MS_ADDR_V6 {
        let ip = Ipv6Addr::from(o);
        SocketAddrV6::new(ip, address.port, address.flow_info, address.scope_id).into()
    } else {
        (IpAddr::V4(Ipv4Addr::new(o[0], o[1], o[2], o[3])), address.port).into()
    }
}
