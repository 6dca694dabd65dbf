//! `_socket`: sockets of the system, for the module `socket`, which is written in MiniScript.
//!
//! A socket is the number under which the reactor keeps it. Addresses come as tuples with the IP
//! address as text, or as the name of a Unix socket; each is asked for at the permission point
//! before it is used. A call that has to wait suspends its task, until the timeout.

mod address;
mod options;

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrAny, SocketType, sockopt,
};

use self::address::{Found, address_of, address_value, ask, permit};
use self::options::{get_option, set_option};
use super::posix::{int32, int64, io_error};
use crate::access::{Right, Wanted};
use crate::host::EngineHost;
use crate::io::{engine, token};
use crate::reactor::{Direction, Lookup, Reactor, SocketId, TaskToken};
use crate::scheduler::{Timer, Wait, duration, suspend};

pub(super) const DOC: &str = "Sockets of the system, for the module socket.";

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("open", "family, type, proto, /", open, "A new socket; its number."),
    NativeDef::new("pair", "family, type, proto, /", pair, "Two that are connected."),
    NativeDef::new("close", "socket, /", close, "Close it."),
    NativeDef::new("fileno", "socket, /", fileno, "The descriptor."),
    NativeDef::new("bind", "socket, address, /", bind, "Give it an address."),
    NativeDef::new("listen", "socket, backlog, /", listen, "Let others connect."),
    NativeDef::new("connect", "socket, address, timeout, /", connect, "Connect it."),
    NativeDef::new(
        "accept",
        "socket, timeout, /",
        accept,
        "The next connection: (number, address).",
    ),
    NativeDef::new("recv", "socket, size, flags, timeout, /", recv, "(bytes, address)."),
    NativeDef::new("send", "socket, data, flags, address, timeout, /", send, "How much was sent."),
    NativeDef::new("shutdown", "socket, how, /", shutdown, "End one side or both."),
    NativeDef::new("getsockname", "socket, /", own_name, "Its address."),
    NativeDef::new("getpeername", "socket, /", peer_name, "The address of the other side."),
    NativeDef::new("getsockopt", "socket, option, /", get_option, "An option by its name here."),
    NativeDef::new("setsockopt", "socket, option, value, /", set_option, "Set one."),
    NativeDef::new("resolve", "host, port, /", resolve, "The addresses of a host name."),
    NativeDef::new("parse_ip", "text, /", parse_ip, "The bytes of an IP address, or None."),
    NativeDef::new("show_ip", "packed, /", show_ip, "The text of 4 or 16 bytes."),
];

fn socket_of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<(Rc<Reactor>, SocketId), Exit<'v>> {
    let reactor = Rc::clone(&engine(vm)?.reactor);
    Ok((reactor, SocketId::from_bits(int64(vm, v)? as u64)))
}

fn os<T>(result: rustix::io::Result<T>) -> io::Result<T> {
    result.map_err(io::Error::from)
}

fn raise<'v, T>(vm: &'v Vm, result: io::Result<T>) -> Result<T, Exit<'v>> {
    result.map_err(|e| match closed_or(&e) {
        Some(errno) => io_error(vm, io::Error::from(errno)),
        None => io_error(vm, e),
    })
}

/// A socket that is gone has the error of its descriptor.
fn closed_or(e: &io::Error) -> Option<rustix::io::Errno> {
    (e.raw_os_error().is_none() && e.kind() == io::ErrorKind::NotConnected)
        .then_some(rustix::io::Errno::BADF)
}

/// What a call brought.
enum Done {
    Nothing,
    Count(usize),
    Data(Vec<u8>, Option<SocketAddrAny>),
    Accepted(OwnedFd, Option<SocketAddrAny>),
}

type Call = Box<dyn FnMut(BorrowedFd<'_>) -> io::Result<Done>>;

/// A call on a socket that is made again when the socket is ready.
struct Waiting {
    reactor: Rc<Reactor>,
    id: SocketId,
    direction: Direction,
    call: Call,
    limit: Limit,
    parked: Option<TaskToken>,
}

enum Limit {
    None,
    /// Do not wait at all.
    Now,
    Timer(Timer),
}

impl Wait for Waiting {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        match self.reactor.raw_poll(self.id, self.direction, token, &mut self.call) {
            Poll::Ready(result) => {
                self.parked = None;
                Poll::Ready(raise(vm, result).and_then(|done| self.value(vm, done)))
            }
            Poll::Pending => {
                self.parked = Some(token);
                let is_late = match &mut self.limit {
                    Limit::None => false,
                    Limit::Timer(timer) => timer.is_over(token),
                    Limit::Now => {
                        let errno = rustix::io::Errno::AGAIN;
                        return Poll::Ready(Err(io_error(vm, errno.into())));
                    }
                };
                if is_late {
                    return Poll::Ready(Err(vm.err(Type::TimeoutError, "timed out")));
                }
                Poll::Pending
            }
        }
    }
}

impl Waiting {
    fn value<'v>(&self, vm: &'v Vm, done: Done) -> NResult<'v> {
        match done {
            Done::Nothing => Ok(Value::NONE),
            Done::Count(n) => Ok(Value::len(n)),
            Done::Data(bytes, from) => vm.tuple(&[vm.bytes(&bytes)?, address_value(vm, from)?]),
            Done::Accepted(fd, from) => {
                raise(vm, prepare(&fd))?;
                let id = raise(vm, self.reactor.raw_adopt(fd))?;
                vm.tuple(&[vm.int(id.to_bits() as i64), address_value(vm, from)?])
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(token) = self.parked {
            self.reactor.unpark(self.id, token);
        }
    }
}

/// Makes a call; the task waits if it has to.
fn carry_out<'v>(
    vm: &'v Vm,
    socket: Value<'v>,
    direction: Direction,
    timeout: Value<'v>,
    call: Call,
) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, socket)?;
    let limit = if timeout.is_none() {
        Limit::None
    } else {
        match duration(vm, timeout, "timeout")? {
            Duration::ZERO => Limit::Now,
            after => Limit::Timer(Timer::new(Rc::clone(&reactor), after)),
        }
    };
    let mut waiting = Waiting { reactor, id, direction, call, limit, parked: None };
    match waiting.poll(vm, token(vm)?) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(suspend(waiting)),
    }
}

/// Not to be inherited by programs, and not to block.
fn prepare(fd: &OwnedFd) -> io::Result<()> {
    os(rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC))?;
    os(rustix::io::ioctl_fionbio(fd, true))
}

fn kind_of<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
) -> Result<(AddressFamily, SocketType, Option<net::Protocol>), Exit<'v>> {
    // The numbers of the module's constants.
    let family = match int64(vm, args[0])? {
        1 => AddressFamily::UNIX,
        2 => AddressFamily::INET,
        10 => AddressFamily::INET6,
        _ => return Err(io_error(vm, rustix::io::Errno::AFNOSUPPORT.into())),
    };
    let kind = SocketType::from_raw(int32(vm, args[1])? as u32);
    let proto = std::num::NonZeroU32::new(int32(vm, args[2])? as u32);
    // Raw packets are beyond what rights to addresses mean.
    if kind != SocketType::STREAM && kind != SocketType::DGRAM {
        let access = &**engine(vm)?.files.access();
        if !access.is_unrestricted() {
            ask(vm, &Wanted::All(Right::Net))?;
        }
    }
    Ok((family, kind, proto.map(net::Protocol::from_raw)))
}

fn adopt<'v>(vm: &'v Vm, fd: OwnedFd) -> NResult<'v> {
    raise(vm, prepare(&fd))?;
    let id = raise(vm, engine(vm)?.reactor.raw_adopt(fd))?;
    Ok(vm.int(id.to_bits() as i64))
}

fn open<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (family, kind, proto) = kind_of(vm, args)?;
    adopt(vm, raise(vm, os(net::socket(family, kind, proto)))?)
}

fn pair<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (family, kind, proto) = kind_of(vm, args)?;
    let none = net::SocketFlags::empty();
    let (a, b) = raise(vm, os(net::socketpair(family, kind, none, proto)))?;
    vm.tuple(&[adopt(vm, a)?, adopt(vm, b)?])
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    Ok(Value::bool(reactor.close(id)))
}

fn fileno<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    Ok(vm.int(raise(vm, reactor.raw_call(id, |fd| Ok(fd.as_raw_fd())))?.into()))
}

fn bind<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let address = address_of(vm, args[1])?;
    permit(vm, &address)?;
    raise(vm, reactor.raw_call(id, |fd| os(net::bind(fd, &address.any()))))?;
    Ok(Value::NONE)
}

fn listen<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let backlog = int32(vm, args[1])?;
    raise(vm, reactor.raw_call(id, |fd| os(net::listen(fd, backlog))))?;
    reactor.raw_reset(id);
    Ok(Value::NONE)
}

fn connect<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let address = address_of(vm, args[1])?;
    permit(vm, &address)?;
    let address = address.any();
    reactor.raw_reset(id);
    let is_now = args[2].as_float() == Some(0.0) || args[2].as_small() == Some(0);
    let mut begun = false;
    let call: Call = Box::new(move |fd| {
        if begun {
            os(sockopt::socket_error(fd))?.map_err(io::Error::from)?;
            return match net::getpeername(fd) {
                Ok(_) => Ok(Done::Nothing),
                // Woken for another reason.
                Err(rustix::io::Errno::NOTCONN) => Err(io::ErrorKind::WouldBlock.into()),
                Err(e) => Err(e.into()),
            };
        }
        match net::connect(fd, &address) {
            Err(rustix::io::Errno::INPROGRESS) if !is_now => {
                begun = true;
                Err(io::ErrorKind::WouldBlock.into())
            }
            other => os(other).map(|()| Done::Nothing),
        }
    });
    carry_out(vm, args[0], Direction::Write, args[2], call)
}

fn accept<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let call: Call = Box::new(|fd| {
        let (accepted, from) = os(net::acceptfrom(fd))?;
        Ok(Done::Accepted(accepted, from))
    });
    carry_out(vm, args[0], Direction::Read, args[1], call)
}

fn recv<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let size = int64(vm, args[1])?;
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error("negative buffersize in recv"));
    };
    let flags = RecvFlags::from_bits_retain(int32(vm, args[2])? as u32);
    let call: Call = Box::new(move |fd| {
        // Not more than what can be there at a time; a datagram may have it all.
        let mut buffer = vec![0; size.min(1 << 20)];
        let (n, _, from) = os(net::recvfrom(fd, &mut buffer[..], flags))?;
        buffer.truncate(n);
        Ok(Done::Data(buffer, from))
    });
    carry_out(vm, args[0], Direction::Read, args[3], call)
}

fn send<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(data) = vm.buffer_copy(args[1])? else {
        let t = vm.type_name(args[1]);
        return Err(vm.type_error(format!("a bytes-like object is required, not '{t}'")));
    };
    let flags = SendFlags::from_bits_retain(int32(vm, args[2])? as u32);
    #[cfg(not(target_vendor = "apple"))]
    let flags = flags | SendFlags::NOSIGNAL;
    let to = if args[3].is_none() {
        None
    } else {
        let address = address_of(vm, args[3])?;
        permit(vm, &address)?;
        Some(address.any())
    };
    let call: Call = Box::new(move |fd| {
        os(match &to {
            Some(to) => net::sendto(fd, &data, flags, to),
            None => net::send(fd, &data, flags),
        })
        .map(Done::Count)
    });
    carry_out(vm, args[0], Direction::Write, args[4], call)
}

fn shutdown<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let how = match int64(vm, args[1])? {
        0 => Shutdown::Read,
        1 => Shutdown::Write,
        2 => Shutdown::Both,
        _ => return Err(io_error(vm, rustix::io::Errno::INVAL.into())),
    };
    raise(vm, reactor.raw_call(id, |fd| os(net::shutdown(fd, how))))?;
    Ok(Value::NONE)
}

fn own_name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let name = raise(vm, reactor.raw_call(id, |fd| os(net::getsockname(fd))))?;
    address_value(vm, Some(name))
}

fn peer_name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (reactor, id) = socket_of(vm, args[0])?;
    let name = raise(vm, reactor.raw_call(id, |fd| os(net::getpeername(fd))))?;
    address_value(vm, name)
}

/// A lookup under way: a list of addresses, or None if there is none.
struct Resolving {
    lookup: Lookup,
    /// A name was granted, and with it what is found.
    is_name: bool,
}

impl Wait for Resolving {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        self.lookup.poll(token).map(|found| {
            let Ok(found) = found else { return Ok(Value::NONE) };
            let guarded = EngineHost::of(vm).is_some_and(|h| !h.files.access().is_unrestricted());
            if self.is_name && guarded {
                vm.local::<Found>().0.borrow_mut().extend(&found);
            }
            let mut items = Vec::new();
            for address in found {
                items.push(address_value(vm, Some(address.into()))?);
            }
            vm.list(items)
        })
    }
}

fn resolve<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(host) = args[0].get::<Str>().and_then(|s| s.as_str()) else {
        return Ok(Value::NONE);
    };
    let port = u16::try_from(int64(vm, args[1])?).unwrap_or(0);
    // An address is not looked up, and has to be granted by itself.
    let is_name = host.parse::<IpAddr>().is_err();
    if is_name {
        ask(vm, &Wanted::Host(host, port))?;
    }
    let reactor = Rc::clone(&engine(vm)?.reactor);
    let lookup = raise(vm, reactor.resolve(host, port, token(vm)?))?;
    let mut resolving = Resolving { lookup, is_name };
    match resolving.poll(vm, token(vm)?) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(suspend(resolving)),
    }
}

fn parse_ip<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let text = args[0].get::<Str>().and_then(|s| s.as_str());
    match text.and_then(|t| t.parse::<IpAddr>().ok()) {
        Some(IpAddr::V4(ip)) => vm.bytes(&ip.octets()),
        Some(IpAddr::V6(ip)) => vm.bytes(&ip.octets()),
        None => Ok(Value::NONE),
    }
}

fn show_ip<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bytes = args[0].get::<Bytes>().map_or(&[][..], |b| b.bytes());
    match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(v4), _) => vm.str(&IpAddr::from(v4).to_string()),
        (_, Ok(v6)) => vm.str(&IpAddr::from(v6).to_string()),
        _ => Ok(Value::NONE),
    }
}
