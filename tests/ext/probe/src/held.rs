//! Objects that are held where they outlive what holds them, and while they are borrowed.

use std::cell::RefCell;

use miniscript_sdk as ms;
use ms::prelude::*;

use crate::classes::{Counter, note_drop};

thread_local! {
    /// Outlives every VM of the thread.
    static PARKED: RefCell<Option<(ms::Held<Counter>, Kept)>> = const { RefCell::new(None) };
}

/// Holds a counter and a value beyond the VM.
#[ms::function]
pub fn park(counter: ms::Held<Counter>, value: Kept) {
    PARKED.with_borrow_mut(|parked| *parked = Some((counter, value)));
}

/// The parked counter's value.
#[ms::function]
pub fn parked() -> Result<i64> {
    PARKED.with_borrow(|parked| match parked {
        Some((counter, _)) => Ok(counter.borrow()?.value()),
        None => Err(Error::value("nothing is parked")),
    })
}

/// The parked value.
#[ms::function]
pub fn parked_value() -> Result<Value> {
    PARKED.with_borrow(|parked| match parked {
        Some((_, value)) => Ok(value.get()),
        None => Err(Error::value("nothing is parked")),
    })
}

/// Holds them no more.
#[ms::function]
pub fn unpark() {
    drop(PARKED.take());
}

/// Looks at its counter when it ends.
#[ms::class]
pub struct Watcher {
    counter: ms::Held<Counter>,
}

#[ms::methods]
impl Watcher {
    #[ms(new)]
    fn new(counter: ms::Held<Counter>) -> Self {
        Self { counter }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        note_drop("Watcher");
        if self.counter.borrow().is_err() {
            note_drop("Watcher without Counter");
        }
    }
}

/// Calls back while it is borrowed for writing.
#[ms::class]
pub struct Keeper {
    kept: Kept,
}

#[ms::methods]
impl Keeper {
    #[ms(new)]
    fn new(cx: &Cx, value: Value) -> Result<Self> {
        Ok(Self { kept: value.keep_traced(cx)? })
    }

    #[ms(calls_back)]
    fn during(&mut self, cx: &Cx, callback: Value) -> Result<Value> {
        cx.call(callback, &[])?;
        Ok(self.kept.get())
    }

    #[ms(trace)]
    fn trace(&self, tracer: &mut ms::Tracer) {
        tracer.visit(&self.kept);
    }
}
