//! Natives that call back: on a native stack of their own, so that what they call can suspend.

use super::dispatch::Flow;
use super::state::Mode;
use crate::Vm;
use crate::value::Value;

/// A native that calls back.
pub type NestedFn = fn(usize);

impl Vm {
    /// Starts `run` on a stack of its own.
    pub(crate) fn start_nested(
        &self,
        run: NestedFn,
        args: &[Value<'_>],
        data: usize,
        dst: usize,
        mode: Mode,
    ) -> Flow {
        let _ = (run, args, data, dst, mode);
        self.raise_here(self.unfinished("nested"))
    }
}
