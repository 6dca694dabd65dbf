//! Iteration: `iter()`, unpacking, and the iterables whose items are at hand.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::value::Value;

impl Vm {
    /// `iter(v)`.
    pub fn get_iter<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        let _ = v;
        Err(self.unfinished("iter"))
    }

    /// All items of `v` if that needs no script code, `None` otherwise (then
    /// [`Vm::collect_then`] does it).
    pub fn items_leaf<'v>(&'v self, v: Value<'v>) -> Result<Option<Vec<Value<'v>>>, Exit<'v>> {
        let _ = v;
        Err(self.unfinished("items"))
    }

    /// The registers of `a, b, .. = v`: exactly `n`, or (`after`) `n` before a starred list and
    /// `after` behind it. If script code has to iterate, the exit's result is the list of items.
    pub(crate) fn unpack<'v>(
        &'v self,
        v: Value<'v>,
        n: usize,
        after: Option<usize>,
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let _ = (v, n, after);
        Err(self.unfinished("unpack"))
    }

    /// The iterator of `await v`. `place` is the operand of AWAITABLE.
    pub(crate) fn get_awaitable<'v>(&'v self, v: Value<'v>, place: usize) -> NResult<'v> {
        let _ = (v, place);
        Err(self.unfinished("await"))
    }

    /// `v.__aiter__()`.
    pub(crate) fn get_aiter<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        let _ = v;
        Err(self.unfinished("aiter"))
    }

    /// `v.__anext__()`.
    pub(crate) fn get_anext<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        let _ = v;
        Err(self.unfinished("anext"))
    }
}
