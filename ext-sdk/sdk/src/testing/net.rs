//! Names and TCP sockets of the test host, over `std::net`. Waiting is polling: [`Vm`] tries
//! again every millisecond.

use super::flow::Op;
use super::values::vm;
use super::*;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

enum Socket {
    Stream(TcpStream),
    Listener(TcpListener),
    /// To an address of TEST-NET-1 (192.0.2.0/24), which never answers.
    Nowhere,
}

/// Open sockets.
#[derive(Default)]
pub struct Sockets {
    next: u64,
    open: HashMap<u64, Socket>,
}

pub(super) static TABLE: MsHostNet = MsHostNet {
    size: size_of::<MsHostNet>(),
    resolve: Some(resolve),
    resolve_take: Some(resolve_take),
    tcp_connect: Some(tcp_connect),
    connect_poll: Some(connect_poll),
    tcp_listen: Some(tcp_listen),
    accept_poll: Some(accept_poll),
    read_poll: Some(read_poll),
    write_poll: Some(write_poll),
    shutdown: Some(shutdown),
    udp_bind: None,
    udp_connect: None,
    send_poll: None,
    receive_poll: None,
    local_address: Some(local_address),
    peer_address: Some(peer_address),
    set_option: Some(set_option),
    close: Some(close),
};

impl Vm {
    /// Number of sockets that were not closed.
    pub fn open_sockets(&self) -> usize {
        self.sockets.borrow().open.len()
    }

    fn add_socket(&self, socket: Socket) -> MsSocket {
        let mut sockets = self.sockets.borrow_mut();
        sockets.next += 1;
        let id = sockets.next;
        sockets.open.insert(id, socket);
        id
    }

    /// Runs an operation of a socket and reports how it ended.
    ///
    /// # Safety
    /// `io` is writable.
    unsafe fn with_socket(
        &self,
        id: MsSocket,
        io: *mut MsIo,
        work: impl FnOnce(&mut Socket) -> std::io::Result<u64>,
    ) -> MsStatus {
        let result = match self.sockets.borrow_mut().open.get_mut(&id) {
            Some(socket) => work(socket),
            None => Err(std::io::ErrorKind::NotConnected.into()),
        };
        // SAFETY: by contract.
        unsafe { report(result, io) }
    }
}

/// # Safety
/// `io` is writable.
pub(super) unsafe fn report(result: std::io::Result<u64>, io: *mut MsIo) -> MsStatus {
    let (record, status) = match result {
        Ok(count) => (MsIo { count, ..MsIo::NONE }, MS_OK),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return MS_PENDING,
        Err(error) => (crate::net::io_record(&error), MS_FAILED),
    };
    // SAFETY: by contract.
    unsafe { *io = record };
    status
}

unsafe extern "C" fn resolve(at: *mut MsVm, name: MsStr, port: u16, out: *mut MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let name = name.as_str().unwrap_or_default().to_owned();
        let found = match name.parse::<IpAddr>() {
            Ok(address) => Ok(vec![SocketAddr::new(address, port)]),
            Err(_) => (name.as_str(), port).to_socket_addrs().map(Iterator::collect),
        };
        *out = vm(at).open(Op::Names(found.unwrap_or_default()));
    }
    MS_OK
}

unsafe extern "C" fn resolve_take(
    at: *mut MsVm,
    op: MsOp,
    addresses: *mut MsAddr,
    capacity: usize,
    len: *mut usize,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let found = vm(at).names_of(op);
        if found.is_empty() {
            *io = MsIo { count: 0, kind: MS_IO_RESOLVE, os_error: 0 };
            return MS_FAILED;
        }
        *len = found.len();
        for (index, address) in found.into_iter().take(capacity).enumerate() {
            addresses.add(index).write(crate::net::to_abi(address));
        }
    }
    MS_OK
}

unsafe extern "C" fn tcp_connect(
    at: *mut MsVm,
    address: *const MsAddr,
    out: *mut MsSocket,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let address = crate::net::from_abi(&*address);
        let nowhere = matches!(address.ip(), IpAddr::V4(ip) if ip.octets()[..3] == [192, 0, 2]);
        let opened = if nowhere {
            Ok(Socket::Nowhere)
        } else {
            TcpStream::connect_timeout(&address, Duration::from_secs(2)).and_then(|stream| {
                stream.set_nonblocking(true)?;
                Ok(Socket::Stream(stream))
            })
        };
        report(opened.map(|socket| *out = vm(at).add_socket(socket)).map(|()| 0), io)
    }
}

unsafe extern "C" fn connect_poll(
    at: *mut MsVm,
    socket: MsSocket,
    _: MsToken,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).with_socket(socket, io, |socket| match socket {
            Socket::Nowhere => Err(std::io::ErrorKind::WouldBlock.into()),
            _ => Ok(0),
        })
    }
}

unsafe extern "C" fn tcp_listen(
    at: *mut MsVm,
    address: *const MsAddr,
    _: u32,
    out: *mut MsSocket,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        let opened = TcpListener::bind(crate::net::from_abi(&*address)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            *out = vm(at).add_socket(Socket::Listener(listener));
            Ok(0)
        });
        report(opened, io)
    }
}

unsafe extern "C" fn accept_poll(
    at: *mut MsVm,
    socket: MsSocket,
    _: MsToken,
    out: *mut MsSocket,
    peer: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    let mut accepted = None;
    // SAFETY: the contract of the table.
    unsafe {
        let status = vm(at).with_socket(socket, io, |socket| match socket {
            Socket::Listener(listener) => {
                let (stream, address) = listener.accept()?;
                stream.set_nonblocking(true)?;
                accepted = Some((stream, address));
                Ok(0)
            }
            _ => Err(std::io::ErrorKind::InvalidInput.into()),
        });
        if let Some((stream, address)) = accepted {
            *out = vm(at).add_socket(Socket::Stream(stream));
            *peer = crate::net::to_abi(address);
        }
        status
    }
}

fn stream_of(socket: &mut Socket) -> std::io::Result<&mut TcpStream> {
    match socket {
        Socket::Stream(stream) => Ok(stream),
        _ => Err(std::io::ErrorKind::NotConnected.into()),
    }
}

unsafe extern "C" fn read_poll(
    at: *mut MsVm,
    socket: MsSocket,
    _: MsToken,
    buffer: *mut u8,
    capacity: usize,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table; the bytes are written before they count as read.
    unsafe {
        vm(at).with_socket(socket, io, |socket| {
            let mut bytes = vec![0; capacity.min(1 << 16)];
            let count = stream_of(socket)?.read(&mut bytes)?;
            buffer.copy_from_nonoverlapping(bytes.as_ptr(), count);
            Ok(count as u64)
        })
    }
}

unsafe extern "C" fn write_poll(
    at: *mut MsVm,
    socket: MsSocket,
    _: MsToken,
    bytes: MsStr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).with_socket(socket, io, |socket| {
            stream_of(socket)?.write(bytes.as_bytes()).map(|count| count as u64)
        })
    }
}

unsafe extern "C" fn shutdown(
    at: *mut MsVm,
    socket: MsSocket,
    how: u32,
    io: *mut MsIo,
) -> MsStatus {
    let how = match how {
        MS_SHUT_READ => Shutdown::Read,
        MS_SHUT_WRITE => Shutdown::Write,
        _ => Shutdown::Both,
    };
    // SAFETY: the contract of the table.
    unsafe { vm(at).with_socket(socket, io, |socket| stream_of(socket)?.shutdown(how).map(|()| 0)) }
}

unsafe extern "C" fn local_address(
    at: *mut MsVm,
    socket: MsSocket,
    out: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).with_socket(socket, io, |socket| {
            let address = match socket {
                Socket::Stream(stream) => stream.local_addr()?,
                Socket::Listener(listener) => listener.local_addr()?,
                Socket::Nowhere => return Err(std::io::ErrorKind::NotConnected.into()),
            };
            *out = crate::net::to_abi(address);
            Ok(0)
        })
    }
}

unsafe extern "C" fn peer_address(
    at: *mut MsVm,
    socket: MsSocket,
    out: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).with_socket(socket, io, |socket| {
            *out = crate::net::to_abi(stream_of(socket)?.peer_addr()?);
            Ok(0)
        })
    }
}

unsafe extern "C" fn set_option(
    at: *mut MsVm,
    socket: MsSocket,
    option: u32,
    value: i64,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        vm(at).with_socket(socket, io, |socket| match option {
            MS_SOCKET_NODELAY => stream_of(socket)?.set_nodelay(value != 0).map(|()| 0),
            _ => Err(std::io::ErrorKind::Unsupported.into()),
        })
    }
}

unsafe extern "C" fn close(at: *mut MsVm, socket: MsSocket) -> MsStatus {
    // SAFETY: the contract of the table.
    let closed = unsafe { vm(at).sockets.borrow_mut().open.remove(&socket) };
    drop(closed);
    MS_OK
}
