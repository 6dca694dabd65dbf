//! Comparison and membership.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::value::Value;

/// A rich comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Cmp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}

impl Vm {
    /// `a op b`: any value.
    pub fn compare<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let _ = (op, a, b);
        Err(self.unfinished("compare"))
    }

    /// `v in c`. If it needs a call, that gives a bool.
    pub fn contains<'v>(&'v self, c: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let _ = (c, v);
        Err(self.unfinished("contains"))
    }
}
