//! Subscripts of every builtin container, and the `__getitem__` family of the others.

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::{Exit, NResult, Row};
use crate::object::class::Class;
use crate::object::exc::Exception;
use crate::object::map::Dict;
use crate::object::seq::{List, Range, Slice, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::value::Value;

/// Bounds of a slice fitted to a length: `count` items from `start`, `step` apart.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// First index.
    pub start: usize,
    /// Distance, never 0.
    pub step: i64,
    /// Number of items.
    pub count: usize,
}

impl Bounds {
    /// The indices.
    pub fn indices(self) -> impl Iterator<Item = usize> {
        let start = self.start as i64;
        (0..self.count as i64).map(move |i| start.wrapping_add(i.wrapping_mul(self.step)) as usize)
    }
}

/// After an `__index__` (or a slice made of such): `o[index]`.
static GET_ROW: Row = Row {
    name: "getitem_index",
    catches: false,
    resume: |vm, state, answer| {
        let item = vm.getitem(state[0], vm.checked_index(answer.value()?)?);
        item.map_err(|e| vm.too_big_index(e, state[1]))
    },
};

/// As [`GET_ROW`] for `o[index] = v`, or `del` if v is Empty.
static SET_ROW: Row = Row {
    name: "setitem_index",
    catches: false,
    resume: |vm, state, answer| {
        let i = vm.checked_index(answer.value()?)?;
        let done = match state[1] {
            v if v.is_empty() => vm.delitem(state[0], i),
            v => vm.setitem(state[0], i, v),
        };
        done.map_err(|e| vm.too_big_index(e, state[2]))?;
        Ok(Value::NONE)
    },
};

/// The result of an `__index__` method.
static INDEX_ROW: Row = Row {
    name: "index",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        match vm.index_warning(v, &INDEX_ROW, state) {
            Some(warned) => Err(warned),
            None => vm.checked_index(v),
        }
    },
};

impl Vm {
    /// `o[i]`.
    pub fn getitem<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> NResult<'v> {
        if self.exact_type(o).is_none() {
            let f = self.class_lookup(self.class_of(o), self.names.__getitem__);
            if f.is_none_or(|f| self.native_owner(f).is_none_or(|t| !subscripts_here(t))) {
                return self.getitem_by_method(o, i);
            }
        }
        self.builtin_getitem(o, i)
    }

    /// `o[i]` as the builtin struct of `o` has it.
    pub(crate) fn builtin_getitem<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> NResult<'v> {
        match o.kind() {
            Some(Kind::Dict) => self.dict_item(o, i),
            Some(
                Kind::List | Kind::Tuple | Kind::Str | Kind::Bytes | Kind::ByteArray | Kind::Range,
            ) => self.sequence_item(o, i),
            _ => self.getitem_by_method(o, i),
        }
    }

    fn getitem_by_method<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> NResult<'v> {
        if let Some((f, mut args)) = self.method(o, self.names.__getitem__)? {
            args.push(i);
            return match self.call_leaf(f, &args) {
                Some(r) => r,
                None => Err(Exit::tail(f, args)),
            };
        }
        if let Some(c) = o.get::<Class>() {
            return self.class_item(o, c, i);
        }
        Err(self.type_error(format!("'{}' object is not subscriptable", self.full_name_of(o))))
    }

    fn class_item<'v>(&'v self, o: Value<'v>, c: &'v Class, i: Value<'v>) -> NResult<'v> {
        let t = Type::ALL.get(c.native_type.get() as usize).copied();
        if !c.has(crate::object::class::class_flags::HEAP)
            && t.is_some_and(|t| t == Type::Type || is_generic(t))
        {
            return self.class_alias(o, i);
        }
        if self.class_lookup(c, self.names.__class_getitem__).is_some() {
            let f = self.getattr(o, self.word_value(self.names.__class_getitem__))?;
            return Err(Exit::tail(f, vec![i]));
        }
        Err(self.type_error(format!("type '{}' is not subscriptable", c.name_str())))
    }

    fn dict_item<'v>(&'v self, o: Value<'v>, key: Value<'v>) -> NResult<'v> {
        let Some(d) = o.get::<Dict>() else { return Ok(Value::NONE) };
        match self.dict_get(d, key)? {
            Some(Some(v)) => Ok(v),
            Some(None) => self.dict_missing(o, key),
            None => Err(self.prelude_tail("map", "dict_getitem", &[o, key])),
        }
    }

    /// `__missing__` of a subclass of dict, or KeyError.
    pub(crate) fn dict_missing<'v>(&'v self, o: Value<'v>, key: Value<'v>) -> NResult<'v> {
        if self.exact_type(o).is_none()
            && let Some((f, mut args)) = self.method(o, self.names.__missing__)?
        {
            args.push(key);
            return match self.call_leaf(f, &args) {
                Some(r) => r,
                None => Err(Exit::tail(f, args)),
            };
        }
        Err(self.key_error(key))
    }

    fn sequence_item<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> NResult<'v> {
        if let Some(n) = self.as_index_i64(i) {
            return match o.get::<Range>() {
                Some(r) => self.range_item(r, i),
                None => self.item_at(o, n),
            };
        }
        if let Some(s) = i.get::<Slice>() {
            if let Some(r) = o.get::<Range>() {
                return self.range_slice(r, s);
            }
            return match self.slice_bounds(s, self.sequence_len(o))? {
                Some(b) => self.slice_of(o, b),
                None => Err(self.with_plain_slice(i, &GET_ROW, vec![o, i])),
            };
        }
        match self.class_lookup(self.class_of(i), self.names.__index__) {
            Some(_) => self.index_then(i, &GET_ROW, vec![o, i]),
            None => Err(self.bad_index(o, i)),
        }
    }

    /// The slice with its parts made ints by the prelude, handed to `row`.
    fn with_plain_slice<'v>(
        &'v self,
        s: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Exit<'v> {
        match self.prelude("seq", "plain_slice") {
            Ok(f) => Exit::call(f, vec![s], row, state),
            Err(e) => e,
        }
    }

    fn bad_index(&self, o: Value<'_>, i: Value<'_>) -> Exit<'_> {
        let t = self.type_name(i);
        self.type_error(match o.kind() {
            Some(Kind::Str) => format!("string indices must be integers, not '{t}'"),
            Some(Kind::Bytes) => format!("byte indices must be integers or slices, not {t}"),
            Some(Kind::ByteArray) => {
                format!("bytearray indices must be integers or slices, not {t}")
            }
            Some(Kind::Tuple) => format!("tuple indices must be integers or slices, not {t}"),
            Some(Kind::Range) => format!("range indices must be integers or slices, not {t}"),
            _ => format!("list indices must be integers or slices, not {t}"),
        })
    }

    /// Number of items of a builtin sequence.
    fn sequence_len(&self, o: Value<'_>) -> usize {
        match o.kind() {
            Some(Kind::List) => o.get::<List>().map_or(0, List::len),
            Some(Kind::Tuple) => o.get::<Tuple>().map_or(0, |t| t.len()),
            Some(Kind::Str) => o.get::<Str>().map_or(0, |s| s.char_len()),
            Some(Kind::Bytes) => o.get::<Bytes>().map_or(0, |b| b.bytes().len()),
            Some(Kind::ByteArray) => o.get::<ByteArray>().map_or(0, |b| b.bytes().len()),
            _ => 0,
        }
    }

    fn item_at<'v>(&'v self, o: Value<'v>, n: Result<i64, ()>) -> NResult<'v> {
        let Ok(n) = n else {
            return Err(self.index_error("cannot fit 'int' into an index-sized integer"));
        };
        let len = self.sequence_len(o);
        let at = usize::try_from(if n < 0 { n.wrapping_add(len as i64) } else { n });
        let at = at.ok().filter(|&i| i < len);
        let (item, what) = match o.kind() {
            Some(Kind::List) => {
                (at.and_then(|i| o.get::<List>()?.get(i)), "list index out of range")
            }
            Some(Kind::Tuple) => (
                at.and_then(|i| o.get::<Tuple>()?.items().get(i).copied()),
                "tuple index out of range",
            ),
            Some(Kind::Str) => {
                let Some((i, s)) = at.zip(o.get::<Str>()) else {
                    return Err(self.index_error("string index out of range"));
                };
                let mut tables = self.index_tables.borrow_mut();
                let text = tables.text(o.word(), s.bytes(), s.char_len());
                return self.code_point(text.get(i).unwrap_or(0));
            }
            Some(Kind::Bytes) => {
                let b = at.and_then(|i| o.get::<Bytes>()?.bytes().get(i).copied());
                (b.map(|b| Value::int32(i32::from(b))), "index out of range")
            }
            _ => {
                let b = at.and_then(|i| o.get::<ByteArray>()?.bytes().get(i).copied());
                (b.map(|b| Value::int32(i32::from(b))), "bytearray index out of range")
            }
        };
        item.ok_or_else(|| self.index_error(what))
    }

    fn slice_of<'v>(&'v self, o: Value<'v>, b: Bounds) -> NResult<'v> {
        self.check(b.count.saturating_mul(8))?;
        self.ticks(b.count / 64)?;
        match o.kind() {
            Some(Kind::List) => {
                let Some(l) = o.get::<List>() else { return Ok(Value::NONE) };
                let items = l.items();
                let out = if b.step == 1 {
                    items[b.start..b.start + b.count].to_vec()
                } else {
                    b.indices().map(|i| items[i]).collect()
                };
                self.list(out)
            }
            Some(Kind::Tuple) => {
                let Some(t) = o.get::<Tuple>() else { return Ok(Value::NONE) };
                if b.count == t.len() && b.step == 1 && self.exact_type(o).is_some() {
                    return Ok(o);
                }
                let items = t.items();
                if b.step == 1 {
                    return self.tuple(&items[b.start..b.start + b.count]);
                }
                let out: Vec<Value<'v>> = b.indices().map(|i| items[i]).collect();
                self.tuple(&out)
            }
            Some(Kind::Str) => {
                let Some(s) = o.get::<Str>() else { return Ok(Value::NONE) };
                if b.step == 1 && s.is_ascii() && b.count < s.char_len() {
                    return self.str_part(s, &s.bytes()[b.start..b.start + b.count]);
                }
                let mut tables = self.index_tables.borrow_mut();
                let text = tables.text(o.word(), s.bytes(), s.char_len());
                if b.step == 1 {
                    if b.count == s.char_len() && s.is_exact() {
                        return Ok(o);
                    }
                    return self.str_bytes(text.slice(b.start, b.start + b.count));
                }
                let bytes = text
                    .slice_step(b.start, b.step as isize, b.count)
                    .map_err(|_| self.memory_error())?;
                self.str_owned(bytes)
            }
            Some(Kind::Bytes) => {
                let Some(x) = o.get::<Bytes>() else { return Ok(Value::NONE) };
                let x = x.bytes();
                if b.step == 1 {
                    return self.bytes(&x[b.start..b.start + b.count]);
                }
                self.bytes_owned(b.indices().map(|i| x[i]).collect())
            }
            _ => {
                let Some(x) = o.get::<ByteArray>() else { return Ok(Value::NONE) };
                let out: Vec<u8> = b.indices().map(|i| x.bytes()[i]).collect();
                self.bytearray(Type::ByteArray.shape(), out)
            }
        }
    }

    /// Fits a slice to a length; `None` if one of its parts has an `__index__` to be called.
    pub fn slice_bounds<'v>(
        &'v self,
        s: &'v Slice,
        len: usize,
    ) -> Result<Option<Bounds>, Exit<'v>> {
        let part = |v: Value<'v>| -> Result<Option<Option<i64>>, Exit<'v>> {
            if v.is_none() {
                return Ok(Some(None));
            }
            match self.as_index_i64(v) {
                Some(Ok(n)) => Ok(Some(Some(n))),
                // Beyond any length, in the direction of its sign.
                Some(Err(())) => Ok(Some(Some(match self.is_negative(v) {
                    true => i64::MIN + 1,
                    false => i64::MAX,
                }))),
                None if self.class_lookup(self.class_of(v), self.names.__index__).is_some() => {
                    Ok(None)
                }
                None => Err(self.type_error(
                    "slice indices must be integers or None or have an __index__ method",
                )),
            }
        };
        let Some(step) = part(s.step())? else { return Ok(None) };
        let step = step.unwrap_or(1).max(i64::MIN + 1);
        if step == 0 {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let (Some(start), Some(stop)) = (part(s.start())?, part(s.stop())?) else {
            return Ok(None);
        };
        let n = len as i64;
        let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let fit = |v: Option<i64>, default: i64| match v {
            None => default,
            Some(i) if i < 0 => i.saturating_add(n).max(low),
            Some(i) => i.min(high),
        };
        let (start, stop) = if step > 0 {
            (fit(start, low), fit(stop, high))
        } else {
            (fit(start, high), fit(stop, low))
        };
        let distance = if step > 0 { stop - start } else { start - stop };
        let count = if distance <= 0 {
            0
        } else {
            ((distance as u64 - 1) / step.unsigned_abs()) as usize + 1
        };
        Ok(Some(Bounds { start: start.max(0) as usize, step, count }))
    }

    /// Whether an int is below zero.
    pub(crate) fn is_negative(&self, v: Value<'_>) -> bool {
        match self.as_index_i64(v) {
            Some(Ok(n)) => n < 0,
            _ => self.to_bigint(v).is_some_and(|b| b.sign() == num_bigint::Sign::Minus),
        }
    }

    /// `operator.index(v)`; may ask for a call.
    pub fn index_of<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if self.as_index_i64(v).is_some() {
            return Ok(v);
        }
        match self.method(v, self.names.__index__)? {
            Some((f, args)) => match self.call_leaf(f, &args) {
                Some(r) => self.checked_index(r?),
                None => Err(Exit::call(f, args, &INDEX_ROW, Vec::new())),
            },
            None => Err(self.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                self.type_name(v)
            ))),
        }
    }

    /// The error of an index whose `__index__` gave too big an int names the index.
    pub(crate) fn too_big_index<'v>(&'v self, error: Exit<'v>, index: Value<'v>) -> Exit<'v> {
        const TOO_BIG: &str = "cannot fit 'int' into an index-sized integer";
        let Exit::Raise(e) = error else { return error };
        let said = e.get::<Exception>().and_then(|e| e.args().first().copied());
        if said.and_then(|s| s.get::<Str>()).is_none_or(|s| s.bytes() != TOO_BIG.as_bytes()) {
            return Exit::Raise(e);
        }
        let text = TOO_BIG.replace("int'", &format!("{}'", self.type_name(index)));
        match self.is_exception_of(e, Type::IndexError) {
            true => self.index_error(text),
            false => self.overflow_error(text),
        }
    }

    pub(crate) fn checked_index<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if v.is_a::<Slice>() || self.as_index_i64(v).is_some() {
            return Ok(v);
        }
        Err(self.type_error(format!("__index__ returned non-int (type {})", self.type_name(v))))
    }

    /// `o[i] = v`.
    pub fn setitem<'v>(&'v self, o: Value<'v>, i: Value<'v>, v: Value<'v>) -> Result<(), Exit<'v>> {
        if self.native_method(o, self.names.__setitem__)
            && let Some(r) = self.builtin_setitem(o, i, v)
        {
            return r;
        }
        match self.method(o, self.names.__setitem__)? {
            Some((f, mut args)) => {
                args.extend([i, v]);
                match self.call_leaf(f, &args) {
                    Some(r) => r.map(|_| ()),
                    None => Err(Exit::tail(f, args)),
                }
            }
            None if self.is_sequence_like(o) && self.as_index_i64(i) == Some(Err(())) => {
                Err(self.index_error("cannot fit 'int' into an index-sized integer"))
            }
            None => Err(self.type_error(format!(
                "'{}' object does not support item assignment",
                self.full_name_of(o)
            ))),
        }
    }

    /// Whether method `name` of `o` is that of its builtin struct.
    fn native_method(&self, o: Value<'_>, name: u64) -> bool {
        self.exact_type(o).is_some()
            || self
                .class_lookup(self.class_of(o), name)
                .is_some_and(|f| self.native_owner(f).is_some_and(subscripts_here))
    }

    /// `o[i] = v` for the builtin containers; `None` if `o` is none.
    pub(crate) fn builtin_setitem<'v>(
        &'v self,
        o: Value<'v>,
        i: Value<'v>,
        v: Value<'v>,
    ) -> Option<Result<(), Exit<'v>>> {
        if let Some(d) = o.get::<Dict>() {
            return Some(match self.dict_store(d, i, v) {
                Ok(true) => Ok(()),
                Ok(false) => Err(self.prelude_tail("map", "dict_setitem", &[o, i, v])),
                Err(e) => Err(e),
            });
        }
        let l = o.get::<List>()?;
        Some(self.list_store(l, i, Some(v)))
    }

    /// `del o[i]`.
    pub fn delitem<'v>(&'v self, o: Value<'v>, i: Value<'v>) -> Result<(), Exit<'v>> {
        if self.native_method(o, self.names.__delitem__)
            && let Some(r) = self.builtin_delitem(o, i)
        {
            return r;
        }
        match self.method(o, self.names.__delitem__)? {
            Some((f, mut args)) => {
                args.push(i);
                match self.call_leaf(f, &args) {
                    Some(r) => r.map(|_| ()),
                    None => Err(Exit::tail(f, args)),
                }
            }
            None if self.is_sequence_like(o) && self.as_index_i64(i) == Some(Err(())) => {
                Err(self.index_error("cannot fit 'int' into an index-sized integer"))
            }
            None => Err(self.type_error(format!(
                "'{}' object {} support item deletion",
                self.full_name_of(o),
                if self.as_index_i64(i).is_some() && self.is_sequence_like(o) {
                    "doesn't"
                } else {
                    "does not"
                }
            ))),
        }
    }

    /// Whether CPython's message about `del o[0]` is the one for sequences: those, sets, and what
    /// classes of scripts make.
    fn is_sequence_like(&self, o: Value<'_>) -> bool {
        self.exact_type(o).is_none()
            || matches!(
                o.kind(),
                Some(
                    Kind::Str
                        | Kind::Tuple
                        | Kind::Bytes
                        | Kind::Range
                        | Kind::Set
                        | Kind::FrozenSet
                        | Kind::DictView
                )
            )
    }

    /// `del o[i]` for the builtin containers; `None` if `o` is none.
    pub(crate) fn builtin_delitem<'v>(
        &'v self,
        o: Value<'v>,
        i: Value<'v>,
    ) -> Option<Result<(), Exit<'v>>> {
        if let Some(d) = o.get::<Dict>() {
            return Some(match self.dict_remove(d, i) {
                Ok(Some(Some(_))) => Ok(()),
                Ok(Some(None)) => Err(self.key_error(i)),
                Ok(None) => Err(self.prelude_tail("map", "dict_delitem", &[o, i])),
                Err(e) => Err(e),
            });
        }
        let l = o.get::<List>()?;
        Some(self.list_store(l, i, None))
    }

    /// Replaces (or deletes) an item or slice of a list.
    fn list_store<'v>(
        &'v self,
        l: &'v List,
        i: Value<'v>,
        v: Option<Value<'v>>,
    ) -> Result<(), Exit<'v>> {
        let o = Value::object(l);
        if let Some(n) = self.as_index_i64(i) {
            let Ok(n) = n else {
                return Err(self.index_error("cannot fit 'int' into an index-sized integer"));
            };
            let at = usize::try_from(if n < 0 { n.wrapping_add(l.len() as i64) } else { n });
            return match at.ok().filter(|&i| i < l.len()) {
                Some(at) => match v {
                    Some(v) => {
                        l.set(at, v);
                        Ok(())
                    }
                    None => self.oom(l.update(&self.heap, |items| {
                        items.remove(at);
                    })),
                },
                None => Err(self.index_error("list assignment index out of range")),
            };
        }
        if let Some(s) = i.get::<Slice>() {
            let state = vec![o, v.unwrap_or(Value::EMPTY), i];
            if self.slice_bounds(s, l.len())?.is_none() {
                return Err(self.with_plain_slice(i, &SET_ROW, state));
            }
            return match v {
                None => self.list_delete_slice(l, s),
                Some(v) => match self.items_leaf(v) {
                    Ok(Some(items)) => self.list_assign_slice(l, s, &items),
                    Ok(None) => {
                        let message = self.str(not_assignable(self, s))?;
                        Err(self.prelude_tail("seq", "assign_slice", &[o, i, v, message]))
                    }
                    Err(Exit::Raise(e)) if self.is_exception_of(e, Type::TypeError) => {
                        Err(self.type_error(not_assignable(self, s)))
                    }
                    Err(e) => Err(e),
                },
            };
        }
        match self.method(i, self.names.__index__)? {
            Some((f, args)) => {
                Err(Exit::call(f, args, &SET_ROW, vec![o, v.unwrap_or(Value::EMPTY), i]))
            }
            None => Err(self.bad_index(o, i)),
        }
    }

    fn list_assign_slice<'v>(
        &'v self,
        l: &'v List,
        s: &'v Slice,
        items: &[Value<'v>],
    ) -> Result<(), Exit<'v>> {
        let Some(b) = self.slice_bounds(s, l.len())? else { return Ok(()) };
        let words = crate::object::seq::words(items);
        self.ticks((l.len() + items.len()) / 64)?;
        if b.step == 1 {
            self.check(items.len().saturating_mul(8))?;
            let done = self.oom(l.update(&self.heap, |own| {
                own.try_reserve(words.len())?;
                own.splice(b.start..b.start + b.count, words.iter().copied());
                Ok::<(), std::collections::TryReserveError>(())
            }))?;
            return done.map_err(|_| self.memory_error());
        }
        if items.len() != b.count {
            return Err(self.value_error(format!(
                "attempt to assign sequence of size {} to extended slice of size {}",
                items.len(),
                b.count
            )));
        }
        for (at, v) in b.indices().zip(items) {
            l.set(at, *v);
        }
        Ok(())
    }

    fn list_delete_slice<'v>(&'v self, l: &'v List, s: &'v Slice) -> Result<(), Exit<'v>> {
        let Some(b) = self.slice_bounds(s, l.len())? else { return Ok(()) };
        if b.count == 0 {
            return Ok(());
        }
        self.ticks(l.len() / 16)?;
        self.oom(l.update(&self.heap, |own| {
            if b.step == 1 {
                own.drain(b.start..b.start + b.count);
                return;
            }
            let (first, step) = if b.step > 0 {
                (b.start, b.step as usize)
            } else {
                let back = (b.count - 1) * b.step.unsigned_abs() as usize;
                (b.start - back, b.step.unsigned_abs() as usize)
            };
            let last = first + (b.count - 1) * step;
            let mut at = 0;
            own.retain(|_| {
                let gone = at >= first && at <= last && (at - first) % step == 0;
                at += 1;
                !gone
            });
        }))
    }
}

/// What is said about the assignment of something that cannot be iterated over.
fn not_assignable(vm: &Vm, s: &Slice) -> &'static str {
    match s.step() {
        step if step.is_none() || vm.as_index_i64(step) == Some(Ok(1)) => {
            "can only assign an iterable"
        }
        _ => "must assign iterable to extended slice",
    }
}

/// Whether subscripts of instances of `t` are done in this file.
fn subscripts_here(t: Type) -> bool {
    use Type as T;
    matches!(t, T::List | T::Tuple | T::Str | T::Bytes | T::ByteArray | T::Range | T::Dict)
}

/// Whether `t[int]` makes an alias.
/// Whether the class has `__class_getitem__`.
pub(crate) fn is_generic(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::List
            | T::Tuple
            | T::Dict
            | T::Set
            | T::FrozenSet
            | T::Enumerate
            | T::AsyncGenerator
            | T::BaseExceptionGroup
            | T::MappingProxy
    )
}
