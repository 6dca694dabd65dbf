//! Polling of natives that loop over data of the script's: a deadline, an interrupt and the memory
//! limit hold within them.
//!
//! Such a native calls [`Vm::tick`] for each step, or [`Vm::ticks`] for many small ones; after
//! [`SLICE`] of them, whoever takes them, the host is asked. Operations that know no VM take a
//! [`Poll`] instead.

use std::cell::{Cell, RefCell};

use miniscript_syntax::Watch;

use crate::Vm;
use crate::builtins::Type;
use crate::fault::{ErrKind, Fault, Interrupted, Poll};
use crate::host;
use crate::native::Exit;

/// Steps between polls. A step takes a nanosecond to a microsecond.
pub(crate) const SLICE: u32 = 20_000;

/// Steps of a few nanoseconds that [`Vm::tick_at`] takes together.
const BLOCK: usize = 0x1000;

impl Vm {
    /// A step of a native that may take many.
    #[inline(always)]
    pub fn tick(&self) -> Result<(), Exit<'_>> {
        match self.ticks_left.get().checked_sub(1) {
            Some(n) => {
                self.ticks_left.set(n);
                Ok(())
            }
            None => self.poll_now(),
        }
    }

    /// `n` steps at once.
    #[inline]
    pub fn ticks(&self, n: usize) -> Result<(), Exit<'_>> {
        match (self.ticks_left.get() as usize).checked_sub(n) {
            Some(left) => {
                self.ticks_left.set(left as u32);
                Ok(())
            }
            None => self.poll_now(),
        }
    }

    /// Step `i` of a loop whose steps take a few nanoseconds.
    #[inline(always)]
    pub fn tick_at(&self, i: usize) -> Result<(), Exit<'_>> {
        if i % BLOCK == BLOCK - 1 { self.ticks(BLOCK / 4) } else { Ok(()) }
    }

    /// Behind foreign code that may have taken long: whether somebody wants the host to be asked
    /// (an interrupt came, the time is over), and what it says.
    #[inline]
    pub fn poll_if_tripped(&self) -> Result<(), Exit<'_>> {
        if self.st.tripped.load(std::sync::atomic::Ordering::Relaxed) {
            return self.poll_now();
        }
        Ok(())
    }

    /// Asks the host, and looks whether the native has used more memory than it may.
    #[cold]
    #[inline(never)]
    fn poll_now(&self) -> Result<(), Exit<'_>> {
        self.ticks_left.set(SLICE);
        if self.heap.over_hard_limit() || self.heap.is_short() && self.heap.over_limit() {
            self.heap.allow_handling();
            return Err(self.memory_error());
        }
        self.stop_of(self.host().poll()).map_or(Ok(()), Err)
    }

    /// What the host's answer to a poll means within a native.
    fn stop_of(&self, answer: host::Poll) -> Option<Exit<'_>> {
        match answer {
            host::Poll::Continue => None,
            host::Poll::OutOfFuel => {
                // A native cannot be left halfway: the task stops as soon as it is through.
                self.trip();
                None
            }
            host::Poll::Interrupt => Some(self.err_args(Type::KeyboardInterrupt, &[])),
            host::Poll::Deadline => Some(self.limit_error(false)),
            host::Poll::Over => Some(self.limit_error(true)),
        }
    }

    /// TimeoutError for a limit that is reached; with `over`, script code catches nothing from
    /// here on, and no `finally` runs, until [`Vm::set_over`] says otherwise.
    pub fn limit_error(&self, over: bool) -> Exit<'_> {
        if over {
            self.set_over(true);
        }
        self.err(Type::TimeoutError, "the time limit is over")
    }

    /// Whether script code may catch nothing.
    pub fn is_over(&self) -> bool {
        self.st.over.get()
    }

    /// Sets whether calls spend fuel as backward jumps do: a limit of fuel is to end recursion, too.
    pub fn count_calls(&self, yes: bool) {
        self.st.count_calls(yes);
    }

    /// Sets whether script code may catch nothing.
    pub fn set_over(&self, over: bool) {
        self.st.over.set(over);
    }

    /// Reads a text or makes its code, which may take long: it polls, and if it did, once more
    /// behind it, where trees and code are dropped and made without.
    pub fn watched<R>(&self, run: impl FnOnce(&Watch<'_>) -> R) -> Result<R, Exit<'_>> {
        let (asked, stop) = (Cell::new(false), RefCell::new(None));
        let result = run(&Watch::new(&|| {
            asked.set(true);
            let mut stop = stop.borrow_mut();
            if stop.is_none() {
                *stop = self.poll_now().err();
            }
            stop.is_some()
        }));
        match stop.into_inner() {
            Some(stop) => return Err(stop),
            None if asked.get() => self.poll_now()?,
            None => {}
        }
        Ok(result)
    }

    /// Runs an operation that may take long: it polls, so that a deadline and an interrupt hold.
    pub fn polled<'v, T>(
        &'v self,
        run: impl FnOnce(Poll<'_>) -> Result<T, Fault>,
    ) -> Result<T, Exit<'v>> {
        let mut stop = None;
        let result = run(&mut || {
            stop = self.poll_now().err();
            if stop.is_some() { Err(Interrupted) } else { Ok(()) }
        });
        result.map_err(|e| match stop {
            Some(stop) if e.kind == ErrKind::Interrupted => stop,
            _ => self.fault(e),
        })
    }
}
