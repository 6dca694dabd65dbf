//! Dicts whose keys are names: module and class namespaces, attributes, keywords.

use crate::Vm;
use crate::native::Exit;
use crate::object::map::Dict;
use crate::object::text::Str;
use crate::value::Value;

impl Vm {
    fn find_name(&self, d: &Dict, name: Value<'_>) -> Option<usize> {
        let s = name.get::<Str>()?;
        let hash = self.str_hash(s);
        let t = d.table();
        t.find_identical(hash, name.word()).or_else(|| {
            t.find(hash, |k| {
                self.word_value(k).get::<Str>().is_some_and(|k| k.bytes() == s.bytes())
            })
        })
    }

    /// The value of string key `name`.
    #[inline]
    pub fn dict_get_name<'v>(&'v self, d: &'v Dict, name: Value<'_>) -> Option<Value<'v>> {
        let i = self.find_name(d, name)?;
        d.entry(i).map(|(_, v)| v)
    }

    /// The value of string key `name`.
    pub fn dict_get_str<'v>(&'v self, d: &'v Dict, name: &str) -> Option<Value<'v>> {
        let n = self.interner.find(&self.string_key, name.as_bytes());
        match n {
            Some(n) => self.dict_get_name(d, n),
            None => {
                let hash = self.string_key.hash(name.as_bytes());
                let i = d.table().find(hash, |k| {
                    self.word_value(k).get::<Str>().is_some_and(|k| k.bytes() == name.as_bytes())
                })?;
                d.entry(i).map(|(_, v)| v)
            }
        }
    }

    /// Sets string key `name`.
    pub fn dict_set_name<'v>(
        &'v self,
        d: &'v Dict,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let Some(s) = name.get::<Str>() else { return Ok(()) };
        let hash = self.str_hash(s);
        let at = self.find_name(d, name);
        let done = self.oom(d.update(&self.heap, |t| match at {
            Some(i) => {
                t.set_value(i, v.word());
                Ok(())
            }
            None => t.insert_new(hash, name.word(), v.word()).map(|_| ()),
        }))?;
        done.map_err(|_| self.memory_error())
    }

    /// Removes string key `name`; `false` if it is not there.
    pub fn dict_del_name<'v>(&'v self, d: &'v Dict, name: Value<'v>) -> Result<bool, Exit<'v>> {
        match self.find_name(d, name) {
            Some(i) => {
                self.oom(d.update(&self.heap, |t| t.remove(i)))?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
