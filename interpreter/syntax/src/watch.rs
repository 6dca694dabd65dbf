//! Whether to go on with a long text.

use std::cell::Cell;

use crate::{Span, SyntaxError};

/// Tokens or nodes between two questions.
const SLICE: u32 = 10_000;

/// Asks whoever wants a text read whether to go on, now and then.
pub struct Watch<'a> {
    stop: &'a dyn Fn() -> bool,
    left: Cell<u32>,
}

impl<'a> Watch<'a> {
    /// Ends the work when `stop` says so.
    pub fn new(stop: &'a dyn Fn() -> bool) -> Watch<'a> {
        Watch { stop, left: Cell::new(SLICE) }
    }

    /// Goes on to the end.
    pub fn never() -> Watch<'static> {
        Watch::new(&|| false)
    }

    /// A token or node.
    ///
    /// # Errors
    /// The work is to end; what the error says is of no interest to anybody.
    #[inline]
    pub fn step(&self) -> Result<(), SyntaxError> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => self.ask(),
        }
    }

    /// Asks at once.
    ///
    /// # Errors
    /// As for [`Watch::step`].
    #[cold]
    pub fn ask(&self) -> Result<(), SyntaxError> {
        self.left.set(SLICE);
        match (self.stop)() {
            true => {
                Err(SyntaxError::new("stopped", "reading the text was stopped", Span::default()))
            }
            false => Ok(()),
        }
    }
}
