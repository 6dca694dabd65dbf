//! Addresses as scripts write them, and the rights to use them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};
use rustix::net::{SocketAddrAny, SocketAddrUnix};

use super::raise;
use crate::access::{Right, Wanted, canonical_as_far_as_it_exists, refusal};
use crate::errors::{file_error, os_path, os_text};
use crate::files::{FileError, OsError};
use crate::io::engine;
use crate::modules::posix::{int64, io_error};

/// Where a socket can be.
#[derive(Clone)]
pub(super) enum Address {
    Net(SocketAddr),
    Unix(SocketAddrUnix),
}

impl Address {
    pub(super) fn any(&self) -> SocketAddrAny {
        match self {
            Address::Net(a) => SocketAddrAny::from(*a),
            Address::Unix(a) => SocketAddrAny::from(a.clone()),
        }
    }
}

pub(super) fn address_of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Address, Exit<'v>> {
    let name = match (v.get::<Str>(), v.get::<Bytes>()) {
        (Some(s), _) => os_path(s.bytes()).into_os_string().into_encoded_bytes(),
        (_, Some(b)) => b.bytes().to_vec(),
        _ => return net_address(vm, v).map(Address::Net),
    };
    let made = match name.split_first() {
        #[cfg(target_os = "linux")]
        Some((0, rest)) => SocketAddrUnix::new_abstract_name(rest),
        _ => SocketAddrUnix::new(&name[..]),
    };
    made.map(Address::Unix).map_err(|e| match e {
        rustix::io::Errno::NAMETOOLONG => vm.err(Type::OSError, "AF_UNIX path too long"),
        e => io_error(vm, e.into()),
    })
}

fn net_address<'v>(vm: &'v Vm, v: Value<'v>) -> Result<SocketAddr, Exit<'v>> {
    let items = vm.tuple_items(v);
    let ip = items.first().and_then(|h| h.get::<Str>()?.as_str()?.parse::<IpAddr>().ok());
    let (Some(ip), Some(port)) = (ip, items.get(1)) else {
        return Err(vm.type_error("an IP address and a port are required"));
    };
    let Ok(port) = u16::try_from(int64(vm, *port)?) else {
        return Err(vm.overflow_error("port must be 0-65535."));
    };
    let number = |i: usize| items.get(i).and_then(|v| v.as_small()).unwrap_or(0) as u32;
    Ok(match ip {
        IpAddr::V4(_) => SocketAddr::new(ip, port),
        IpAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(v6, port, number(2), number(3))),
    })
}

pub(super) fn address_value<'v>(vm: &'v Vm, address: Option<SocketAddrAny>) -> NResult<'v> {
    let Some(address) = address else { return Ok(Value::NONE) };
    if let Ok(a) = SocketAddr::try_from(address.clone()) {
        let mut items = vec![vm.str(&a.ip().to_string())?, vm.int(a.port().into())];
        if let SocketAddr::V6(v6) = a {
            items.extend([vm.int(v6.flowinfo().into()), vm.int(v6.scope_id().into())]);
        }
        return vm.tuple(&items);
    }
    let Ok(a) = SocketAddrUnix::try_from(address) else { return Ok(Value::NONE) };
    #[cfg(target_os = "linux")]
    if let Some(name) = a.abstract_name().filter(|name| !name.is_empty()) {
        return vm.bytes(&[&[0][..], name].concat());
    }
    match a.path() {
        Some(path) => {
            let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path.to_bytes());
            os_text(vm, path)
        }
        None => vm.str(""),
    }
}

/// The addresses that granted lookups have found: they are granted with the name.
#[derive(Default)]
pub(super) struct Found(pub(super) RefCell<HashSet<SocketAddr>>);

pub(super) fn permit<'v>(vm: &'v Vm, address: &Address) -> Result<(), Exit<'v>> {
    let access = &**engine(vm)?.files.access();
    if access.is_unrestricted() {
        return Ok(());
    }
    match address {
        Address::Net(a) if vm.local::<Found>().0.borrow().contains(a) => Ok(()),
        Address::Net(a) => ask(vm, &Wanted::Address(*a)),
        // A file that is more than a file: both rights, and the network's without bounds.
        Address::Unix(a) => {
            ask(vm, &Wanted::All(Right::Net))?;
            let Some(path) = a.path() else { return Ok(()) };
            let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path.to_bytes());
            let path = raise(vm, std::path::absolute(path))?;
            ask(vm, &Wanted::Write(&canonical_as_far_as_it_exists(&path)))
        }
    }
}

pub(super) fn ask<'v>(vm: &'v Vm, wanted: &Wanted<'_>) -> Result<(), Exit<'v>> {
    let access = &**engine(vm)?.files.access();
    if access.is_unrestricted() || access.allows(wanted) {
        return Ok(());
    }
    let mut error = OsError::from(io::Error::from(rustix::io::Errno::ACCESS));
    error.strerror = refusal(access, wanted);
    Err(file_error(vm, &FileError::Os(error)))
}
