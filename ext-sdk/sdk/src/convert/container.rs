//! Options, sequences, tuples and maps.

use super::{FromMs, IntoMs};
use crate::cx::host_call;
use crate::{Cx, Error, Result, Value};
use miniscript_abi::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

impl<'a, T: FromMs<'a>> FromMs<'a> for Option<T> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        if value.is_none() { Ok(None) } else { T::from_ms(cx, value).map(Some) }
    }

    fn from_absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: IntoMs> IntoMs for Option<T> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        self.map_or(Ok(Value::NONE), |value| value.into_ms(cx))
    }
}

impl Cx {
    /// Calls `each` with the items of an iterable. A `list`, `tuple` or `set` is read in blocks,
    /// without running its iterator; handles of items end with the block.
    pub fn for_each(
        &self,
        iterable: Value,
        mut each: impl FnMut(Value) -> Result<()>,
    ) -> Result<()> {
        if matches!(iterable.raw().tag, MS_TAG_LIST | MS_TAG_TUPLE) {
            return self.for_each_block(iterable, &mut each);
        }
        let iterator = self.iter(iterable)?;
        while let Some(item) = self.next(iterator)? {
            each(item)?;
        }
        Ok(())
    }

    fn for_each_block(
        &self,
        sequence: Value,
        each: &mut dyn FnMut(Value) -> Result<()>,
    ) -> Result<()> {
        const BLOCK: usize = 64;
        let mut block = [MsValue::NONE; BLOCK];
        let (mut start, mut total) = (0, 0);
        loop {
            self.check(host_call!(
                self,
                value.items_read(sequence.raw(), start, block.as_mut_ptr(), BLOCK, &mut total)
            ))?;
            // The length is read anew each time: `each` may run script that changes the list.
            let count = total.saturating_sub(start).min(BLOCK);
            for item in &block[..count] {
                each(Value::new(*item))?;
            }
            start += count;
            if count < BLOCK {
                return Ok(());
            }
        }
    }

    /// Calls `each` with the pairs of a `dict`.
    pub fn for_each_pair(
        &self,
        dict: Value,
        mut each: impl FnMut(Value, Value) -> Result<()>,
    ) -> Result<()> {
        let mut cursor = 0;
        loop {
            let (mut key, mut value) = (MsValue::NONE, MsValue::NONE);
            let status =
                host_call!(self, value.dict_next(dict.raw(), &mut cursor, &mut key, &mut value));
            if status == MS_END {
                return Ok(());
            }
            self.check(status)?;
            each(Value::new(key), Value::new(value))?;
        }
    }

    /// A `tuple` of values.
    pub fn tuple(&self, items: &[Value]) -> Result<Value> {
        let items: Vec<MsValue> = items.iter().map(|item| item.raw()).collect();
        self.out_value(|out| host_call!(self, value.tuple_make(items.len(), items.as_ptr(), out)))
    }

    /// A `list` of values.
    pub fn list(&self, items: &[Value]) -> Result<Value> {
        let items: Vec<MsValue> = items.iter().map(|item| item.raw()).collect();
        self.out_value(|out| host_call!(self, value.list_make(items.len(), items.as_ptr(), out)))
    }

    /// A `dict` of pairs.
    pub fn dict(&self, pairs: &[(Value, Value)]) -> Result<Value> {
        let flat: Vec<MsValue> =
            pairs.iter().flat_map(|(key, value)| [key.raw(), value.raw()]).collect();
        self.out_value(|out| host_call!(self, value.dict_make(pairs.len(), flat.as_ptr(), out)))
    }
}

impl<'a, T: FromMs<'a>> FromMs<'a> for Vec<T> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        let mut items = Vec::new();
        cx.for_each(value, |item| {
            items.push(T::from_ms(cx, item)?);
            Ok(())
        })?;
        Ok(items)
    }
}

fn make_list<T: IntoMs>(cx: &Cx, items: impl Iterator<Item = T>) -> Result<Value> {
    let values = items.map(|item| item.into_ms(cx)).collect::<Result<Vec<_>>>()?;
    cx.list(&values)
}

impl<T: IntoMs> IntoMs for Vec<T> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        make_list(cx, self.into_iter())
    }
}

impl<'a, T: FromMs<'a> + Eq + Hash, S: BuildHasher + Default> FromMs<'a> for HashSet<T, S> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        Ok(Vec::<T>::from_ms(cx, value)?.into_iter().collect())
    }
}

impl<T: IntoMs, S> IntoMs for HashSet<T, S> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        let items = self
            .into_iter()
            .map(|item| item.into_ms(cx).map(Value::raw))
            .collect::<Result<Vec<_>>>()?;
        cx.out_value(|out| host_call!(cx, value.set_make(items.len(), items.as_ptr(), out)))
    }
}

fn read_map<'a, K: FromMs<'a>, V: FromMs<'a>>(
    cx: &'a Cx,
    dict: Value,
    mut insert: impl FnMut(K, V),
) -> Result<()> {
    if dict.raw().tag != MS_TAG_DICT {
        return Err(Error::mismatch(cx, "dict", dict));
    }
    cx.for_each_pair(dict, |key, value| {
        insert(K::from_ms(cx, key)?, V::from_ms(cx, value)?);
        Ok(())
    })
}

fn make_map<K: IntoMs, V: IntoMs>(cx: &Cx, pairs: impl Iterator<Item = (K, V)>) -> Result<Value> {
    let pairs = pairs
        .map(|(key, value)| Ok((key.into_ms(cx)?, value.into_ms(cx)?)))
        .collect::<Result<Vec<_>>>()?;
    cx.dict(&pairs)
}

impl<'a, K, V, S> FromMs<'a> for HashMap<K, V, S>
where
    K: FromMs<'a> + Eq + Hash,
    V: FromMs<'a>,
    S: BuildHasher + Default,
{
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        let mut map = Self::default();
        read_map(cx, value, |key, value| {
            map.insert(key, value);
        })?;
        Ok(map)
    }
}

impl<K: IntoMs, V: IntoMs, S> IntoMs for HashMap<K, V, S> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        make_map(cx, self.into_iter())
    }
}

impl<'a, K: FromMs<'a> + Ord, V: FromMs<'a>> FromMs<'a> for BTreeMap<K, V> {
    fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
        let mut map = Self::new();
        read_map(cx, value, |key, value| {
            map.insert(key, value);
        })?;
        Ok(map)
    }
}

impl<K: IntoMs, V: IntoMs> IntoMs for BTreeMap<K, V> {
    fn into_ms(self, cx: &Cx) -> Result<Value> {
        make_map(cx, self.into_iter())
    }
}

macro_rules! tuples {
    ($($len:literal: $($name:ident $slot:tt),*;)*) => { $(
        impl<'a, $($name: FromMs<'a>),*> FromMs<'a> for ($($name,)*) {
            fn from_ms(cx: &'a Cx, value: Value) -> Result<Self> {
                let items = Vec::<Value>::from_ms(cx, value)?;
                if items.len() != $len {
                    return Err(Error::value(format!(
                        "expected {} items, got {}", $len, items.len()
                    )));
                }
                Ok(($($name::from_ms(cx, items[$slot])?,)*))
            }
        }

        impl<$($name: IntoMs),*> IntoMs for ($($name,)*) {
            fn into_ms(self, cx: &Cx) -> Result<Value> {
                let items = [$(self.$slot.into_ms(cx)?),*];
                cx.tuple(&items)
            }
        }
    )* };
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
}
