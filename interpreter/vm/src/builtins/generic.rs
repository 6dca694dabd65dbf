//! `list[int]`, `int | None`, type variables and type aliases.

use crate::Vm;
use crate::builtins::Type;
use crate::native::NResult;
use crate::object::record::{GenericAlias, Record};
use crate::value::Value;

impl Vm {
    /// `origin[args]`; `args` is a tuple.
    pub fn generic_alias<'v>(&'v self, origin: Value<'v>, args: Value<'v>) -> Value<'v> {
        self.alloc_with_attrs(GenericAlias::new(Type::GenericAlias.shape(), origin, args), 0, false)
    }

    /// A TypeVar, ParamSpec or TypeVarTuple; `bound` is the function that gives the bound.
    pub(crate) fn type_parameter<'v>(
        &'v self,
        t: Type,
        name: Value<'v>,
        bound: Value<'v>,
    ) -> NResult<'v> {
        Ok(self.alloc_with_attrs(
            Record::new(t.shape(), name, bound, Value::EMPTY, Value::EMPTY),
            0,
            false,
        ))
    }
}
