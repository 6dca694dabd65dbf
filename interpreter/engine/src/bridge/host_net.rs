//! `MsHostNet`: sockets and names, over the reactor.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV6};
use std::task::Poll;
use std::{io, slice};

use miniscript_abi::*;
use miniscript_vm::native::Exit;

use super::call::{Call, bridge, host};
use super::error::{self, io_of};
use super::host_task::task_of;
use super::host_value::text;
use super::ops::{NOBODY, Op};
use crate::access::Wanted;
use crate::reactor::{Key, Reactor, SocketId};

/// The same number on all systems.
const EACCES: i32 = 13;

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
    udp_bind: Some(udp_bind),
    udp_connect: Some(udp_connect),
    send_poll: Some(send_poll),
    receive_poll: Some(receive_poll),
    local_address: Some(local_address),
    peer_address: Some(peer_address),
    set_option: Some(set_option),
    close: Some(close),
};

fn address_of(address: SocketAddr) -> MsAddr {
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

/// # Safety
/// `address` is null or points to an address.
unsafe fn socket_address(address: *const MsAddr) -> io::Result<SocketAddr> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    // SAFETY: by contract.
    let a = unsafe { address.as_ref() }.ok_or_else(invalid)?;
    match a.family {
        MS_ADDR_V4 => {
            let [x, y, z, w, ..] = a.octets;
            Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(x, y, z, w)), a.port))
        }
        MS_ADDR_V6 => {
            let ip = Ipv6Addr::from(a.octets);
            Ok(SocketAddr::V6(SocketAddrV6::new(ip, a.port, a.flow_info, a.scope_id)))
        }
        _ => Err(invalid()),
    }
}

/// Reports the outcome of an I/O operation.
///
/// # Safety
/// `io` is null or may be written.
unsafe fn report<T>(io: *mut MsIo, result: io::Result<T>, done: impl FnOnce(T) -> u64) -> MsStatus {
    let (record, status) = match result {
        Ok(v) => (MsIo { count: done(v), ..MsIo::NONE }, MS_OK),
        Err(e) => (io_of(&e), MS_FAILED),
    };
    if !io.is_null() {
        // SAFETY: by contract.
        unsafe { io.write(record) };
    }
    status
}

/// As [`report`], for a poll.
///
/// # Safety
/// As for [`report`].
unsafe fn report_poll<T>(
    io: *mut MsIo,
    result: Poll<io::Result<T>>,
    done: impl FnOnce(T) -> u64,
) -> MsStatus {
    match result {
        Poll::Pending => MS_PENDING,
        // SAFETY: by contract.
        Poll::Ready(result) => unsafe { report(io, result, done) },
    }
}

/// An address that may be used; `None` where the right is missing: then it is `MS_IO_DENIED`.
///
/// # Safety
/// `address` is null or points to an address; `io` is null or may be written.
unsafe fn granted(
    call: &Call,
    address: *const MsAddr,
    io: *mut MsIo,
) -> Option<io::Result<SocketAddr>> {
    // SAFETY: by contract.
    let address = unsafe { socket_address(address) };
    if let Ok(wanted) = &address
        && !call.bridge().permits(&Wanted::Address(*wanted))
    {
        if !io.is_null() {
            // SAFETY: by contract.
            unsafe { io.write(MsIo { count: 0, kind: MS_IO_DENIED, os_error: EACCES }) };
        }
        return None;
    }
    Some(address)
}

/// Makes a socket at an address that may be used.
///
/// # Safety
/// The contract of the table.
unsafe fn open_socket(
    at: *mut MsVm,
    address: *const MsAddr,
    out: *mut MsSocket,
    io: *mut MsIo,
    make: impl Fn(&Reactor, SocketAddr) -> io::Result<SocketId>,
) -> MsStatus {
    // SAFETY: by contract.
    unsafe {
        host(at, |call| {
            let Some(address) = granted(call, address, io) else { return Ok(MS_FAILED) };
            let made = address.and_then(|a| make(&call.bridge().reactor, a));
            Ok(report(io, made.map(|id| out.write(id.to_bits())), |()| 0))
        })
    }
}

fn id(socket: MsSocket) -> SocketId {
    SocketId::from_bits(socket)
}

unsafe extern "C" fn resolve(at: *mut MsVm, name: MsStr, port: u16, out: *mut MsOp) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            let bridge = call.bridge();
            let wanted = match name.parse() {
                Ok(ip) => Wanted::Address(SocketAddr::new(ip, port)),
                Err(_) => Wanted::Host(name, port),
            };
            if !bridge.permits(&wanted) {
                // A lookup that has failed already: the extension meets it as any other failure.
                let io = MsIo { kind: MS_IO_DENIED, os_error: EACCES, ..MsIo::NONE };
                let op = Op::Lookup(None, Err(io));
                out.write(bridge.add_op(op));
                return Ok(MS_OK);
            }
            match bridge.reactor.resolve(name, port, NOBODY) {
                Ok(lookup) => {
                    let op = Op::Lookup(Some(lookup), Ok(Vec::new()));
                    out.write(bridge.add_op(op));
                    Ok(MS_OK)
                }
                Err(e) => Err(Exit::Raise(error::of_io(call.vm(), &io_of(&e), name)?)),
            }
        })
    }
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
        host(at, |call| {
            let ops = call.bridge().ops.borrow();
            match ops.get(Key::from_bits(op)) {
                Some(Op::Lookup(None, Ok(found))) => {
                    if !call.bridge().files.access().is_unrestricted() {
                        // The lookup was granted, so what it found is.
                        call.bridge().known_hosts.borrow_mut().extend(found);
                    }
                    for (i, address) in found.iter().take(capacity).enumerate() {
                        addresses.add(i).write(address_of(*address));
                    }
                    len.write(found.len());
                    Ok(MS_OK)
                }
                Some(Op::Lookup(None, Err(failed))) => {
                    io.write(*failed);
                    Ok(MS_FAILED)
                }
                _ => Err(call.vm().runtime_error("the lookup is not finished or not open")),
            }
        })
    }
}

unsafe extern "C" fn tcp_connect(
    at: *mut MsVm,
    address: *const MsAddr,
    out: *mut MsSocket,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { open_socket(at, address, out, io, Reactor::tcp_connect) }
}

unsafe extern "C" fn connect_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let result = call.bridge().reactor.tcp_poll_connect(id(socket), task_of(call, token));
            Ok(report_poll(io, result, |()| 0))
        })
    }
}

unsafe extern "C" fn tcp_listen(
    at: *mut MsVm,
    address: *const MsAddr,
    backlog: u32,
    out: *mut MsSocket,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        open_socket(at, address, out, io, |reactor, address| match backlog {
            0 => reactor.tcp_listen(address),
            n => reactor.tcp_listen_with(address, n),
        })
    }
}

unsafe extern "C" fn accept_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    out: *mut MsSocket,
    peer: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let result = call.bridge().reactor.tcp_poll_accept(id(socket), task_of(call, token));
            Ok(report_poll(io, result, |(accepted, from)| {
                out.write(accepted.to_bits());
                if !peer.is_null() {
                    peer.write(address_of(from));
                }
                0
            }))
        })
    }
}

unsafe extern "C" fn read_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    buffer: *mut u8,
    capacity: usize,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let buffer = writable(buffer, capacity);
            let task = task_of(call, token);
            let result = call.bridge().reactor.tcp_poll_read(id(socket), buffer, task);
            Ok(report_poll(io, result, |n| n as u64))
        })
    }
}

/// # Safety
/// `buffer` points to `capacity` initialised bytes that may be written.
unsafe fn writable<'a>(buffer: *mut u8, capacity: usize) -> &'a mut [u8] {
    if buffer.is_null() || capacity == 0 {
        return &mut [];
    }
    // SAFETY: by contract.
    unsafe { slice::from_raw_parts_mut(buffer, capacity) }
}

unsafe extern "C" fn write_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    bytes: MsStr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let task = task_of(call, token);
            let result = call.bridge().reactor.tcp_poll_write(id(socket), bytes.as_bytes(), task);
            Ok(report_poll(io, result, |n| n as u64))
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
        MS_SHUT_BOTH => Shutdown::Both,
        _ => return MS_UNSUPPORTED,
    };
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| Ok(report(io, call.bridge().reactor.tcp_shutdown(id(socket), how), |()| 0)))
    }
}

unsafe extern "C" fn udp_bind(
    at: *mut MsVm,
    address: *const MsAddr,
    out: *mut MsSocket,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe { open_socket(at, address, out, io, Reactor::udp_bind) }
}

unsafe extern "C" fn udp_connect(
    at: *mut MsVm,
    socket: MsSocket,
    address: *const MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let Some(address) = granted(call, address, io) else { return Ok(MS_FAILED) };
            let reactor = &call.bridge().reactor;
            let done = address.and_then(|a| reactor.udp_connect(id(socket), a));
            Ok(report(io, done, |()| 0))
        })
    }
}

unsafe extern "C" fn send_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    bytes: MsStr,
    address: *const MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let (reactor, task) = (&call.bridge().reactor, task_of(call, token));
            let result = if address.is_null() {
                reactor.udp_poll_send(id(socket), bytes.as_bytes(), task)
            } else {
                let Some(address) = granted(call, address, io) else { return Ok(MS_FAILED) };
                match address {
                    Ok(to) => reactor.udp_poll_send_to(id(socket), bytes.as_bytes(), to, task),
                    Err(e) => Poll::Ready(Err(e)),
                }
            };
            Ok(report_poll(io, result, |n| n as u64))
        })
    }
}

unsafe extern "C" fn receive_poll(
    at: *mut MsVm,
    socket: MsSocket,
    token: MsToken,
    buffer: *mut u8,
    capacity: usize,
    sender: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let buffer = writable(buffer, capacity);
            let task = task_of(call, token);
            let result = call.bridge().reactor.udp_poll_recv_from(id(socket), buffer, task);
            Ok(report_poll(io, result, |(n, from)| {
                if !sender.is_null() {
                    sender.write(address_of(from));
                }
                n as u64
            }))
        })
    }
}

unsafe extern "C" fn local_address(
    at: *mut MsVm,
    socket: MsSocket,
    out: *mut MsAddr,
    io: *mut MsIo,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let address = call.bridge().reactor.local_addr(id(socket));
            Ok(report(io, address.map(|a| out.write(address_of(a))), |()| 0))
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
        host(at, |call| {
            let address = call.bridge().reactor.peer_addr(id(socket));
            Ok(report(io, address.map(|a| out.write(address_of(a))), |()| 0))
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
        host(at, |call| {
            let (reactor, id, on) = (&call.bridge().reactor, id(socket), value != 0);
            let done = match option {
                MS_SOCKET_NODELAY => reactor.tcp_set_nodelay(id, on),
                MS_SOCKET_TTL => match u32::try_from(value) {
                    Ok(ttl) => reactor.set_ttl(id, ttl),
                    Err(_) => Err(io::ErrorKind::InvalidInput.into()),
                },
                MS_SOCKET_BROADCAST => reactor.udp_set_broadcast(id, on),
                MS_SOCKET_KEEPALIVE => reactor.tcp_set_keepalive(id, on),
                _ => return Ok(MS_UNSUPPORTED),
            };
            Ok(report(io, done, |()| 0))
        })
    }
}

unsafe extern "C" fn close(at: *mut MsVm, socket: MsSocket) -> MsStatus {
    // SAFETY: the contract of the table.
    match unsafe { bridge(at) } {
        Ok(bridge) => {
            bridge.reactor.close(id(socket));
            MS_OK
        }
        Err(status) => status,
    }
}
