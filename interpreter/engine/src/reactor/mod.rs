//! The reactor: what a VM waits for, and who is told when it happens.
//!
//! One [`Reactor`] per VM, used by the VM's thread alone (it is neither `Send` nor `Sync`); other
//! threads hold a [`Waker`]. It owns one `mio::Poll`, every socket, the timers and the thread
//! pool for work that cannot be polled. It knows nothing of the VM: a parked task is a
//! [`TaskToken`], and [`Reactor::turn`] says which tokens may go on.
//!
//! The contract
//! - **Poll, then park.** Each operation takes the token of the task that asks. `Poll::Pending`
//!   means that the token is registered and will come out of a later `turn`; the task then asks
//!   again with the same arguments. `Poll::Ready` registers nothing.
//! - **Spurious wake-ups are allowed.** A token may come out although nothing changed, or twice
//!   in one turn. Whoever is woken asks again.
//! - **Stale tokens are harmless.** Tokens, sockets and timers carry a generation; an event for
//!   something closed meanwhile is dropped, and the scheduler drops tokens of ended tasks.
//! - **Drain to `WouldBlock`.** Events are edge-triggered, readiness is kept here. An operation
//!   that is not ready answers `Pending` without a system call; readiness is taken back only
//!   when the system itself says `WouldBlock` (or, on epoll and kqueue, when a read or write
//!   was short and the stream has not been closed by the peer).
//! - **Nothing calls back.** No method runs foreign code while it borrows the reactor, so any
//!   method may be called from wherever the VM's thread happens to be, also from a destructor.
//! - **Nothing before it is needed.** The epoll descriptor is made when a socket is registered or
//!   when `turn` has to sleep, threads when the first job is submitted.

mod event_loop;
mod interest;
mod pool;
#[cfg(unix)]
mod raw;
mod resolve;
mod slab;
mod socket;
mod tcp;
mod timer;
mod token;
mod udp;

pub use event_loop::{Activity, Reactor};
pub use interest::Direction;
pub use pool::{Job, JobPanicked};
pub use resolve::Lookup;
pub use slab::{GenSlab, Key};
pub use socket::SocketId;
pub use timer::TimerId;
pub use token::{TaskToken, Waker};

#[cfg(test)]
mod tests;
