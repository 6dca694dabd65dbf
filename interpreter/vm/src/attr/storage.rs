//! Where the attributes of an object itself are: slots by its shape, or a dict.

use std::cell::Cell;

use crate::Vm;
use crate::heap::{Header, Kind};
use crate::native::Exit;
use crate::object::func::Function;
use crate::object::instance::{has_attrs, inline_count, more_of, slot_cell};
use crate::object::map::Dict;
use crate::object::read;
use crate::object::record::{ClassMethod, Module, StaticMethod};
use crate::value::{EMPTY, Value, Word};
impl Vm {
    /// The dict of an object in dict mode.
    pub(super) fn mode_dict<'v>(&'v self, h: &'v Header) -> Option<&'v Dict> {
        if !self.shapes.get(h.shape.get()).dict_mode {
            return None;
        }
        read(more_of(h)).get::<Dict>()
    }

    /// An attribute of the object itself, without its class.
    #[inline]
    pub fn get_attr_raw<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> Option<Value<'v>> {
        let h = obj.header()?;
        if !has_attrs(h) {
            return match h.kind() {
                Kind::Module => {
                    let d = obj.get::<Module>()?.dict().get::<Dict>()?;
                    self.dict_get_name(d, name)
                }
                _ => self.dict_get_name(read(attrs_cell(obj)?).get::<Dict>()?, name),
            };
        }
        let shape = self.shapes.get(h.shape.get());
        if shape.dict_mode {
            return self.dict_get_name(read(more_of(h)).get::<Dict>()?, name);
        }
        let cell = slot_cell(h, shape.slot(name.word())?)?;
        let v = read(cell);
        if v.is_empty() { None } else { Some(v) }
    }

    /// Sets an attribute of the object itself, without its class.
    pub fn set_attr_raw<'v>(
        &'v self,
        obj: Value<'v>,
        name: Value<'v>,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        let Some(h) = obj.header() else { return Ok(()) };
        if !has_attrs(h) {
            let dict = match obj.get::<Module>() {
                Some(m) => m.dict().get::<Dict>(),
                None => attrs_cell(obj).map(|cell| self.attrs_dict(cell)),
            };
            return match dict {
                Some(d) => self.dict_set_name(d, name, v),
                None => Err(self.no_attribute(obj, name.word())),
            };
        }
        let shape = self.shapes.get(h.shape.get());
        if shape.dict_mode {
            return match read(more_of(h)).get::<Dict>() {
                Some(d) => self.dict_set_name(d, name, v),
                None => Ok(()),
            };
        }
        if let Some(slot) = shape.slot(name.word()) {
            return self.store_slot(h, slot, v);
        }
        match self.shapes.add(h.shape.get(), name.word()) {
            Some(next) => {
                self.store_slot(h, shape.names().len(), v)?;
                h.shape.set(next);
                Ok(())
            }
            None => {
                let d = self.to_dict_mode(obj)?;
                self.dict_set_name(d, name, v)
            }
        }
    }

    /// Stores into slot `slot`, making room for it.
    pub(crate) fn store_slot<'v>(
        &'v self,
        h: &'v Header,
        slot: usize,
        v: Value<'v>,
    ) -> Result<(), Exit<'v>> {
        if let Some(c) = slot_cell(h, slot) {
            c.set(v.word());
            return Ok(());
        }
        let inline = inline_count(h);
        let old = read(more_of(h)).get::<crate::object::instance::Slots>();
        let used = old.map_or(0, |s| s.cells().len());
        let max = crate::object::instance::Slots::MAX;
        let want = (slot - inline + 1).max(used * 2).max(4).min(max);
        if slot - inline >= max {
            return Err(self.memory_error());
        }
        let new = self.slots(want);
        if let Some(old) = old {
            for (n, o) in new.cells().iter().zip(old.cells()) {
                n.set(o.get());
            }
        }
        new.cells()[slot - inline].set(v.word());
        more_of(h).set(Value::object(new).word());
        Ok(())
    }

    /// Removes an attribute of the object itself; `false` if it is not there.
    pub fn del_attr_raw<'v>(&'v self, obj: Value<'v>, name: Value<'v>) -> Result<bool, Exit<'v>> {
        if self.get_attr_raw(obj, name).is_none() {
            return Ok(false);
        }
        let Some(h) = obj.header() else { return Ok(false) };
        let dict = if has_attrs(h) {
            Some(self.to_dict_mode(obj)?)
        } else {
            match obj.get::<Module>() {
                Some(m) => m.dict().get::<Dict>(),
                None => attrs_cell(obj).map(|cell| self.attrs_dict(cell)),
            }
        };
        match dict {
            Some(d) => self.dict_del_name(d, name),
            None => Ok(false),
        }
    }

    /// Moves the attributes of an object into a dict, which is its `__dict__` from now on.
    pub fn to_dict_mode<'v>(&'v self, obj: Value<'v>) -> Result<&'v Dict, Exit<'v>> {
        let Some(h) = obj.header().filter(|h| has_attrs(h)) else {
            return Err(self.type_error("object has no __dict__"));
        };
        if let Some(d) = self.mode_dict(h) {
            return Ok(d);
        }
        let d = self.dict();
        let shape = self.shapes.get(h.shape.get());
        for (i, &n) in shape.names().iter().enumerate() {
            if let Some(c) = slot_cell(h, i)
                && c.get() != EMPTY
            {
                self.dict_set_name(d, self.word_value(n), read(c))?;
            }
        }
        let class = self.class_of(obj);
        h.shape.set(self.dict_shape(class));
        more_of(h).set(Value::object(d).word());
        if let Some(i) = obj.get::<crate::object::instance::Instance>() {
            for c in i.inline() {
                c.set(EMPTY);
            }
        }
        Ok(d)
    }

    /// Names and values of the attributes of an object itself.
    pub fn own_attrs<'v>(&'v self, obj: Value<'v>) -> Vec<(Value<'v>, Value<'v>)> {
        let Some(h) = obj.header() else { return Vec::new() };
        if !has_attrs(h) {
            let dict = match obj.get::<Module>() {
                Some(m) => m.dict().get::<Dict>(),
                None => attrs_cell(obj).and_then(|cell| read(cell).get::<Dict>()),
            };
            return dict.map_or_else(Vec::new, Dict::entries);
        }
        if let Some(d) = self.mode_dict(h) {
            return d.entries();
        }
        let shape = self.shapes.get(h.shape.get());
        let mut out = Vec::new();
        for (i, &n) in shape.names().iter().enumerate() {
            if let Some(c) = slot_cell(h, i)
                && c.get() != EMPTY
            {
                out.push((self.word_value(n), read(c)));
            }
        }
        out
    }

    /// The `__dict__` that a cell holds, made when it is first asked for.
    pub(crate) fn attrs_dict<'v>(&'v self, cell: &'v Cell<Word>) -> &'v Dict {
        if let Some(d) = read(cell).get::<Dict>() {
            return d;
        }
        let d = self.dict();
        cell.set(Value::object(d).word());
        d
    }

    /// The `__dict__` of a function.
    pub fn function_dict<'v>(&'v self, f: &'v Function) -> &'v Dict {
        self.attrs_dict(&f.attrs)
    }
}

/// Where a function, or what wraps one in a class, keeps its `__dict__`.
pub(crate) fn attrs_cell<'v>(obj: Value<'v>) -> Option<&'v Cell<Word>> {
    Some(match obj.kind()? {
        Kind::Function => &obj.get::<Function>()?.attrs,
        Kind::StaticMethod => &obj.get::<StaticMethod>()?.attrs,
        Kind::ClassMethod => &obj.get::<ClassMethod>()?.attrs,
        _ => return None,
    })
}
