//! Binary, in-place and unary operators.

use crate::Vm;
use crate::code::op::Op;
use crate::native::NResult;
use crate::value::Value;

impl Vm {
    /// `a op b`.
    pub fn binary<'v>(&'v self, op: Op, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let _ = (op, a, b);
        Err(self.unfinished("binary"))
    }

    /// `a op= b`: gives the new value.
    pub fn inplace<'v>(&'v self, op: Op, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        self.binary(op, a, b)
    }

    /// `-a`, `+a`, `~a`.
    pub fn unary<'v>(&'v self, op: Op, a: Value<'v>) -> NResult<'v> {
        let _ = (op, a);
        Err(self.unfinished("unary"))
    }
}
