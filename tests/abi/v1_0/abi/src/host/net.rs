//! Sockets, which the host owns, and names.
//!
//! Poll functions answer `MS_OK`, `MS_PENDING` (the token is woken when the socket is ready; the
//! last token given for a direction counts), or `MS_FAILED` with `io` filled. The host keeps the
//! readiness, so a speculative read costs no system call.

use crate::record::{host_table, plain_record};
use crate::{MsOp, MsSocket, MsStr, MsToken};

plain_record! {
    /// Outcome of an I/O operation.
    #[derive(Debug)]
    pub struct MsIo {
        /// Bytes moved (0 from a read: end of the stream).
        pub count: u64,
        /// One of `MS_IO_`; `MS_IO_OK` after success.
        pub kind: u32,
        /// `errno` or the system's error number; 0 if there is none.
        pub os_error: i32,
    }
}

/// No error.
pub const MS_IO_OK: u32 = 0;
/// An error without a name here.
pub const MS_IO_OTHER: u32 = 1;
/// No such file or name.
pub const MS_IO_NOT_FOUND: u32 = 2;
/// Denied by the system.
pub const MS_IO_PERMISSION: u32 = 3;
/// Denied by the permissions this VM runs under.
pub const MS_IO_DENIED: u32 = 4;
/// Already there.
pub const MS_IO_EXISTS: u32 = 5;
/// Connection refused.
pub const MS_IO_REFUSED: u32 = 6;
/// Connection reset.
pub const MS_IO_RESET: u32 = 7;
/// Connection aborted.
pub const MS_IO_ABORTED: u32 = 8;
/// Not connected.
pub const MS_IO_NOT_CONNECTED: u32 = 9;
/// Address in use.
pub const MS_IO_ADDR_IN_USE: u32 = 10;
/// Address not available.
pub const MS_IO_ADDR_NOT_AVAILABLE: u32 = 11;
/// Broken pipe.
pub const MS_IO_BROKEN_PIPE: u32 = 12;
/// Timed out.
pub const MS_IO_TIMED_OUT: u32 = 13;
/// Invalid argument or data.
pub const MS_IO_INVALID: u32 = 14;
/// Unsupported.
pub const MS_IO_UNSUPPORTED: u32 = 15;
/// Out of memory, or a limit of the VM.
pub const MS_IO_MEMORY: u32 = 16;
/// Is a directory.
pub const MS_IO_IS_DIR: u32 = 17;
/// Is not a directory.
pub const MS_IO_NOT_DIR: u32 = 18;
/// Directory not empty.
pub const MS_IO_NOT_EMPTY: u32 = 19;
/// The handle, operation or socket is not open.
pub const MS_IO_CLOSED: u32 = 20;
/// The host name could not be resolved.
pub const MS_IO_RESOLVE: u32 = 21;

impl MsIo {
    /// Nothing moved, no error.
    pub const NONE: Self = Self { count: 0, kind: MS_IO_OK, os_error: 0 };
}

/// [`MsAddr`]: IPv4.
pub const MS_ADDR_V4: u16 = 4;
/// [`MsAddr`]: IPv6.
pub const MS_ADDR_V6: u16 = 6;

plain_record! {
    /// A socket address.
    pub struct MsAddr {
        /// `MS_ADDR_V4` or `MS_ADDR_V6`.
        pub family: u16,
        /// Port, in the machine's byte order.
        pub port: u16,
        /// IPv6 flow info.
        pub flow_info: u32,
        /// IPv6 scope.
        pub scope_id: u32,
        /// The address in network order: 4 or 16 bytes.
        pub octets: [u8; 16],
    }
}

/// [`MsHostNet::shutdown`]: no more reading.
pub const MS_SHUT_READ: u32 = 1;
/// [`MsHostNet::shutdown`]: no more writing.
pub const MS_SHUT_WRITE: u32 = 2;
/// [`MsHostNet::shutdown`]: both.
pub const MS_SHUT_BOTH: u32 = 3;

/// [`MsHostNet::set_option`]: `TCP_NODELAY`.
pub const MS_SOCKET_NODELAY: u32 = 1;
/// [`MsHostNet::set_option`]: time to live.
pub const MS_SOCKET_TTL: u32 = 2;
/// [`MsHostNet::set_option`]: broadcast (UDP).
pub const MS_SOCKET_BROADCAST: u32 = 3;
/// [`MsHostNet::set_option`]: keep-alive probes (TCP).
pub const MS_SOCKET_KEEPALIVE: u32 = 4;

host_table! {
    /// Sockets and names. None of these runs script. Permissions are checked when a socket is
    /// made, on the resolved address.
    pub struct MsHostNet {
        /// Starts to look a host name up (an address in text form is answered at once). Poll the
        /// operation, then `resolve_take`.
        fn resolve(name: MsStr, port: u16, out: *mut MsOp);
        /// Addresses of a finished lookup: at most `capacity` are written, `len` gets their number.
        /// `MS_FAILED` with `io` where the lookup failed.
        fn resolve_take(op: MsOp, addresses: *mut MsAddr, capacity: usize, len: *mut usize, io: *mut MsIo);
        /// Starts to connect; poll with `connect_poll`.
        fn tcp_connect(address: *const MsAddr, out: *mut MsSocket, io: *mut MsIo);
        /// Whether the connection stands.
        fn connect_poll(socket: MsSocket, token: MsToken, io: *mut MsIo);
        /// A listening socket. Port 0: one that is free. `backlog`: how many connections may wait to be
        /// accepted, as far as the system goes; 0: as many as the host takes.
        fn tcp_listen(address: *const MsAddr, backlog: u32, out: *mut MsSocket, io: *mut MsIo);
        /// Takes a connection.
        fn accept_poll(socket: MsSocket, token: MsToken, out: *mut MsSocket, peer: *mut MsAddr, io: *mut MsIo);
        /// Reads into `buffer`; `io.count` 0 is the end.
        fn read_poll(socket: MsSocket, token: MsToken, buffer: *mut u8, capacity: usize, io: *mut MsIo);
        /// Writes some of `bytes`.
        fn write_poll(socket: MsSocket, token: MsToken, bytes: MsStr, io: *mut MsIo);
        /// Shuts a direction down (`MS_SHUT_`).
        fn shutdown(socket: MsSocket, how: u32, io: *mut MsIo);
        /// A UDP socket.
        fn udp_bind(address: *const MsAddr, out: *mut MsSocket, io: *mut MsIo);
        /// Sets the peer of a UDP socket.
        fn udp_connect(socket: MsSocket, address: *const MsAddr, io: *mut MsIo);
        /// Sends a datagram; `address` null: to the peer.
        fn send_poll(socket: MsSocket, token: MsToken, bytes: MsStr, address: *const MsAddr, io: *mut MsIo);
        /// Receives a datagram; `sender` may be null.
        fn receive_poll(socket: MsSocket, token: MsToken, buffer: *mut u8, capacity: usize, sender: *mut MsAddr, io: *mut MsIo);
        /// Address of this end.
        fn local_address(socket: MsSocket, out: *mut MsAddr, io: *mut MsIo);
        /// Address of the other end.
        fn peer_address(socket: MsSocket, out: *mut MsAddr, io: *mut MsIo);
        /// Sets an option (`MS_SOCKET_`).
        fn set_option(socket: MsSocket, option: u32, value: i64, io: *mut MsIo);
        last:
        /// Closes a socket; a token that waits is woken. Allowed in `drop` functions too.
        fn close(socket: MsSocket);
    }
}
