//! Options of sockets: a table of those that there are.

use std::os::fd::BorrowedFd;

use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};
use rustix::net::sockopt;

use super::{os, raise, socket_of};
use crate::modules::posix::{int64, io_error};

/// An option: how it is read and set, as an int.
struct SocketOption {
    name: &'static str,
    get: fn(BorrowedFd<'_>) -> rustix::io::Result<i64>,
    set: fn(BorrowedFd<'_>, i64) -> rustix::io::Result<()>,
}

fn size_of_buffer(n: i64) -> rustix::io::Result<usize> {
    usize::try_from(n).map_err(|_| rustix::io::Errno::INVAL)
}

fn small(n: i64) -> rustix::io::Result<u32> {
    u32::try_from(n).map_err(|_| rustix::io::Errno::INVAL)
}

fn is_read_only(_: BorrowedFd<'_>, _: i64) -> rustix::io::Result<()> {
    Err(rustix::io::Errno::NOPROTOOPT)
}

static OPTIONS: &[SocketOption] = &[
    SocketOption {
        name: "SO_REUSEADDR",
        get: |fd| sockopt::socket_reuseaddr(fd).map(i64::from),
        set: |fd, n| sockopt::set_socket_reuseaddr(fd, n != 0),
    },
    SocketOption {
        name: "SO_KEEPALIVE",
        get: |fd| sockopt::socket_keepalive(fd).map(i64::from),
        set: |fd, n| sockopt::set_socket_keepalive(fd, n != 0),
    },
    SocketOption {
        name: "SO_BROADCAST",
        get: |fd| sockopt::socket_broadcast(fd).map(i64::from),
        set: |fd, n| sockopt::set_socket_broadcast(fd, n != 0),
    },
    SocketOption {
        name: "SO_REUSEPORT",
        get: |fd| sockopt::socket_reuseport(fd).map(i64::from),
        set: |fd, n| sockopt::set_socket_reuseport(fd, n != 0),
    },
    SocketOption {
        name: "SO_RCVBUF",
        get: |fd| sockopt::socket_recv_buffer_size(fd).map(|n| n as i64),
        set: |fd, n| sockopt::set_socket_recv_buffer_size(fd, size_of_buffer(n)?),
    },
    SocketOption {
        name: "SO_SNDBUF",
        get: |fd| sockopt::socket_send_buffer_size(fd).map(|n| n as i64),
        set: |fd, n| sockopt::set_socket_send_buffer_size(fd, size_of_buffer(n)?),
    },
    SocketOption {
        name: "SO_TYPE",
        get: |fd| sockopt::socket_type(fd).map(|t| t.as_raw().into()),
        set: is_read_only,
    },
    SocketOption {
        name: "SO_ERROR",
        get: |fd| {
            Ok(match sockopt::socket_error(fd)? {
                Ok(()) => 0,
                Err(e) => e.raw_os_error().into(),
            })
        },
        set: is_read_only,
    },
    SocketOption {
        name: "TCP_NODELAY",
        get: |fd| sockopt::tcp_nodelay(fd).map(i64::from),
        set: |fd, n| sockopt::set_tcp_nodelay(fd, n != 0),
    },
    SocketOption {
        name: "IP_TTL",
        get: |fd| sockopt::ip_ttl(fd).map(i64::from),
        set: |fd, n| sockopt::set_ip_ttl(fd, small(n)?),
    },
    SocketOption {
        name: "IPV6_V6ONLY",
        get: |fd| sockopt::ipv6_v6only(fd).map(i64::from),
        set: |fd, n| sockopt::set_ipv6_v6only(fd, n != 0),
    },
];

fn option_of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'static SocketOption, Exit<'v>> {
    let name = v.get::<Str>().and_then(|s| s.as_str());
    OPTIONS
        .iter()
        .find(|row| Some(row.name) == name)
        .ok_or_else(|| io_error(vm, rustix::io::Errno::NOPROTOOPT.into()))
}

pub(super) fn get_option<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let option = option_of(vm, args[1])?;
    Ok(vm.int(raise(vm, reactor.raw_call(id, |fd| os((option.get)(fd))))?))
}

pub(super) fn set_option<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let (option, value) = (option_of(vm, args[1])?, int64(vm, args[2])?);
    raise(vm, reactor.raw_call(id, |fd| os((option.set)(fd, value))))?;
    Ok(Value::NONE)
}
