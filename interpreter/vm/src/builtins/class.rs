//! Making classes and instances.

use crate::Vm;
use crate::native::NResult;
use crate::object::class::Class;
use crate::value::Value;

impl Vm {
    /// `type.__call__` in general: `__new__`, then `__init__`.
    pub(crate) fn construct<'v>(
        &'v self,
        class: &'v Class,
        args: Vec<Value<'v>>,
        kwnames: Value<'v>,
    ) -> NResult<'v> {
        let _ = (class, args, kwnames);
        Err(self.unfinished("construct"))
    }
}
