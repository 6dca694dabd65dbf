//! The internal natives of `code::intrinsic`.

use crate::Vm;
use crate::code::intrinsic::Intrinsic;
use crate::native::NResult;
use crate::value::Value;

/// Runs a row.
pub(crate) fn run<'v>(vm: &'v Vm, row: Intrinsic, args: &[Value<'v>]) -> NResult<'v> {
    let _ = args;
    Err(vm.unfinished(row.name()))
}
