//! Subscripts, and building and updating containers.

use crate::Vm;
use crate::native::{Exit, NResult};
use crate::value::Value;

impl Vm {
    /// `o[i]`.
    pub fn getitem<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> NResult<'v> {
        let _ = (o, i);
        Err(self.unfinished("getitem"))
    }

    /// `o[i] = v`.
    pub fn setitem<'v>(&'v self, o: Value<'v>, i: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = (o, i, v);
        Err(self.unfinished("setitem"))
    }

    /// `del o[i]`.
    pub fn delitem<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = (o, i);
        Err(self.unfinished("delitem"))
    }

    /// `{items..}`.
    pub(crate) fn make_set<'v>(&'v self, items: &[Value<'v>]) -> NResult<'v> {
        let s = Value::object(self.set());
        for v in items {
            self.set_add(s, *v)?;
        }
        Ok(s)
    }

    /// `{k: v, ..}` from keys and values in turn.
    pub(crate) fn make_dict<'v>(&'v self, pairs: &[Value<'v>]) -> NResult<'v> {
        let d = Value::object(self.dict());
        for p in pairs.chunks_exact(2) {
            self.setitem(d, p[0], p[1])?;
        }
        Ok(d)
    }

    /// `set.add`.
    pub fn set_add<'v>(&'v self, set: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = (set, v);
        Err(self.unfinished("set add"))
    }

    /// `set.update`.
    pub(crate) fn set_update<'v>(&'v self, set: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = (set, v);
        Err(self.unfinished("set update"))
    }

    /// `list.extend`.
    pub(crate) fn list_extend<'v>(&'v self, list: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        let _ = (list, v);
        Err(self.unfinished("extend"))
    }

    /// `{**v}`: into a dict under construction.
    pub(crate) fn dict_update_display<'v>(
        &'v self,
        dict: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let _ = (dict, v);
        Err(self.unfinished("dict update"))
    }

    /// `f(**v)`: into the keywords under construction.
    pub(crate) fn dict_merge_keywords<'v>(
        &'v self,
        dict: Value<'v>,
        v: Value<'v>,
        callee: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let _ = (dict, v, callee);
        Err(self.unfinished("dict merge"))
    }
}
