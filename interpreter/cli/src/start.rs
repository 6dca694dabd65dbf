//! The start of the process where the C library lets us have it (`cfg(bare_start)`, see the build
//! script). What Rust's own start does beside this is to find the bounds of the stack and to
//! watch them, for a message before the process dies of an overflow: a tenth of a short run.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::panic;

/// Status of a process that a panic ended.
const PANICKED: u8 = 101;

/// What the C library calls. The arguments are those of `std::env::args_os`.
#[unsafe(no_mangle)]
extern "C" fn main(_argc: libc::c_int, _argv: *const *const libc::c_char) -> libc::c_int {
    open_standard_streams();
    // SAFETY: there is no other thread yet. Writing to a closed pipe is then an error.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let status = panic::catch_unwind(crate::run).unwrap_or(PANICKED);
    // There is nowhere to tell that this cannot be done.
    let _ = io::stdout().flush();
    status.into()
}

/// No file that the program opens takes the place of a standard stream that is closed.
fn open_standard_streams() {
    let mut streams = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: the array has as many rows as are told.
    unsafe { libc::poll(streams.as_mut_ptr(), streams.len() as libc::nfds_t, 0) };
    for stream in streams {
        if stream.revents & libc::POLLNVAL != 0 {
            // SAFETY: the path ends with a zero. The lowest number is free and is this one.
            unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        }
    }
}
