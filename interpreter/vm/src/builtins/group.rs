//! Exception groups and `except*`.

use crate::Vm;
use crate::native::NResult;
use crate::value::Value;

impl Vm {
    /// The two parts of an exception by class.
    pub(crate) fn group_split_star<'v>(&'v self, exc: Value<'v>, class: Value<'v>) -> NResult<'v> {
        Err(self.prelude_tail("group", "split_star", &[exc, class]))
    }

    /// What remains to be raised after all `except*` clauses.
    pub(crate) fn group_reraise<'v>(&'v self, exc: Value<'v>, raised: Value<'v>) -> NResult<'v> {
        Err(self.prelude_tail("group", "reraise", &[exc, raised]))
    }
}
