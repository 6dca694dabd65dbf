//! Hashes of values.

use crate::Vm;
use crate::native::Exit;
use crate::value::Value;

impl Vm {
    /// The hash of `v` if no script code has a say in it: `None` if a `__hash__` must be called.
    pub fn hash_leaf<'v>(&'v self, v: Value<'v>) -> Result<Option<i64>, Exit<'v>> {
        let _ = v;
        Err(self.unfinished("hash"))
    }
}
