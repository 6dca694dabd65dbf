//! Iteration: `iter()`, unpacking, and the iterables whose items are at hand.

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::iterators as it;
use crate::heap::Kind;
use crate::native::{Exit, NResult, Row};
use crate::object::class::class_flags;
use crate::object::deque::Deque;
use crate::object::generator::Generator;
use crate::object::iter::Iter;
use crate::object::map::{Dict, Set};
use crate::object::record::DictView;
use crate::object::seq::{List, Range, Tuple};
use crate::object::text::{Bytes, Str};
use crate::value::Value;

/// After `__iter__`: its result must be an iterator.
static ITER_ROW: Row = Row {
    name: "iter",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if vm.is_iterator(v) {
            return Ok(v);
        }
        Err(vm.type_error(format!("iter() returned non-iterator of type '{}'", vm.type_name(v))))
    },
};

impl Vm {
    /// `iter(v)`.
    pub fn get_iter<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if self.exact_type(v).is_some()
            && let Some(i) = self.builtin_iter(v)
        {
            return i;
        }
        let class = self.class_of(v);
        if v.is_a::<Iter>() && !class.has(class_flags::HEAP) {
            return Ok(v);
        }
        match self.class_lookup(class, self.names.__iter__) {
            Some(f) if !f.is_none() => {
                if self.native_owner(f).is_some()
                    && let Some(i) = self.builtin_iter(v)
                {
                    return i;
                }
                let Some((f, args)) = self.method(v, self.names.__iter__)? else {
                    return Err(self.not_iterable(v));
                };
                match self.call_leaf(f, &args) {
                    Some(r) => (ITER_ROW.resume)(self, &[], crate::native::Answer::Value(r?)),
                    None => Err(Exit::call(f, args, &ITER_ROW, Vec::new())),
                }
            }
            None if self.class_lookup(class, self.names.__getitem__).is_some() => Ok(self.iter(
                Type::SequenceIter,
                it::sequence_next,
                [v, Value::EMPTY, Value::EMPTY],
                0,
                0,
            )),
            _ => Err(self.not_iterable(v)),
        }
    }

    /// An iterator over a value that is stored as one of the builtin iterables.
    pub(crate) fn builtin_iter<'v>(&'v self, v: Value<'v>) -> Option<NResult<'v>> {
        let e = Value::EMPTY;
        let make = |t, next| Some(Ok(self.iter(t, next, [v, e, e], 0, 0)));
        match v.kind()? {
            Kind::List => make(Type::ListIter, it::list_next),
            Kind::Tuple => make(Type::TupleIter, it::tuple_next),
            Kind::Str if v.get::<Str>().is_some_and(|s| s.bytes().is_ascii()) => {
                make(Type::AsciiIter, it::str_next)
            }
            Kind::Str => make(Type::StrIter, it::str_next),
            Kind::Bytes => make(Type::BytesIter, it::bytes_next),
            Kind::ByteArray => make(Type::ByteArrayIter, it::bytes_next),
            Kind::MemoryView => Some(self.memory_iter(v)),
            Kind::Dict => Some(Ok(self.dict_iter(v, Type::DictKeyIter))),
            Kind::DictView => {
                let d = v.get::<DictView>()?.dict();
                let t = match self.exact_type(v) {
                    Some(Type::DictValues) => Type::DictValueIter,
                    Some(Type::DictItems) => Type::DictItemIter,
                    _ => Type::DictKeyIter,
                };
                Some(Ok(self.dict_iter(d, t)))
            }
            Kind::Set | Kind::FrozenSet => {
                let n = v.get::<Set>()?.len();
                Some(Ok(self.iter(Type::SetIter, it::set_next, [v, e, e], 0, n as u64)))
            }
            Kind::Range => Some(self.range_iter(v.get::<Range>()?)),
            Kind::Iter | Kind::Generator if self.is_iterator(v) => Some(Ok(v)),
            _ => None,
        }
    }

    /// An iterator over a dict of one of the forward or reverse classes.
    pub(crate) fn dict_iter<'v>(&'v self, d: Value<'v>, class: Type) -> Value<'v> {
        let (len, end) = d.get::<Dict>().map_or((0, 0), |d| (d.len(), d.table().end()));
        let (next, from): (crate::object::iter::NextFn, usize) = match class {
            Type::DictReverseKeyIter | Type::DictReverseValueIter | Type::DictReverseItemIter => {
                (it::dict_reverse_next, end)
            }
            _ => (it::dict_next, 0),
        };
        self.iter(class, next, [d, Value::len(len), Value::EMPTY], from, len as u64)
    }

    fn range_iter<'v>(&'v self, r: &'v Range) -> NResult<'v> {
        if let (Some((start, _, step)), Some(len)) = (r.small(), r.len_value().as_small()) {
            let w = [Value::small(step).unwrap_or(Value::NONE), Value::EMPTY, Value::EMPTY];
            return Ok(self.iter(Type::RangeIter, it::range_next, w, len as usize, start as u64));
        }
        let w = [r.start(), r.step(), r.len_value()];
        Ok(self.iter(Type::LongRangeIter, it::long_range_next, w, 0, 0))
    }

    /// Whether `next()` works on `v`.
    pub(crate) fn is_iterator(&self, v: Value<'_>) -> bool {
        if v.is_a::<Iter>() {
            return true;
        }
        if v.is_a::<Generator>() {
            return self.exact_type(v) == Some(Type::Generator);
        }
        self.class_lookup(self.class_of(v), self.names.__next__).is_some_and(|f| !f.is_none())
    }

    #[cold]
    pub(crate) fn not_iterable(&self, v: Value<'_>) -> Exit<'_> {
        self.type_error(format!("'{}' object is not iterable", self.full_name_of(v)))
    }

    /// Whether iterating over `v` is what its builtin struct does.
    fn iterates_natively(&self, v: Value<'_>) -> bool {
        self.exact_type(v).is_some()
            || self
                .class_lookup(self.class_of(v), self.names.__iter__)
                .is_some_and(|f| self.native_owner(f).is_some())
    }

    /// All items of `v` if that needs no script code, `None` otherwise (then the prelude's
    /// `collect` does it).
    pub fn items_leaf<'v>(&'v self, v: Value<'v>) -> Result<Option<Vec<Value<'v>>>, Exit<'v>> {
        let Some(kind) = v.kind() else { return self.no_items(v) };
        if let Some(i) = v.get::<Iter>().filter(|i| i.is_leaf()) {
            let mut out = Vec::new();
            self.drain(Value::object(i), &mut out)?;
            return Ok(Some(out));
        }
        if let Some(d) = v.get::<Deque>().filter(|_| !self.class_of(v).has(class_flags::HEAP)) {
            self.check(d.len().saturating_mul(8))?;
            self.ticks(d.len() / 64)?;
            return Ok(Some(d.to_vec()));
        }
        if kind == Kind::Instance || !self.iterates_natively(v) {
            return self.no_items(v);
        }
        let room = |n: usize| -> Result<Vec<Value<'v>>, Exit<'v>> {
            self.check(n.saturating_mul(8))?;
            self.ticks(n / 64)?;
            let mut out = Vec::new();
            out.try_reserve_exact(n).map_err(|_| self.memory_error())?;
            Ok(out)
        };
        if let Some(l) = v.get::<List>() {
            let mut out = room(l.len())?;
            out.extend_from_slice(&l.items());
            return Ok(Some(out));
        }
        if let Some(t) = v.get::<Tuple>() {
            let mut out = room(t.len())?;
            out.extend_from_slice(t.items());
            return Ok(Some(out));
        }
        if let Some(d) = v.get::<Dict>() {
            let mut out = room(d.len())?;
            out.extend(d.table().iter().map(|e| self.word_value(e.key)));
            return Ok(Some(out));
        }
        if let Some(s) = v.get::<Set>() {
            let mut out = room(s.len())?;
            out.extend(s.table().iter().map(|e| self.word_value(e.key)));
            return Ok(Some(out));
        }
        if let Some(view) = v.get::<DictView>() {
            let Some(d) = view.dict().get::<Dict>() else { return self.no_items(v) };
            let mut out = room(d.len())?;
            for (k, x) in d.entries() {
                self.tick()?;
                out.push(match self.exact_type(v) {
                    Some(Type::DictValues) => x,
                    Some(Type::DictItems) => self.tuple(&[k, x])?,
                    _ => k,
                });
            }
            return Ok(Some(out));
        }
        if let Some(s) = v.get::<Str>() {
            let mut out = room(s.char_len())?;
            for cp in crate::text::wtf8::code_points(s.bytes()) {
                self.tick()?;
                out.push(self.code_point(cp)?);
            }
            return Ok(Some(out));
        }
        if let Some(b) = v.get::<Bytes>() {
            let mut out = room(b.bytes().len())?;
            out.extend(b.bytes().iter().map(|&b| Value::int32(i32::from(b))));
            return Ok(Some(out));
        }
        if let Some(r) = v.get::<Range>() {
            let n = r.len_value().as_small().unwrap_or(i64::MAX) as usize;
            let mut out = room(n)?;
            let i = self.range_iter(r)?;
            self.drain(i, &mut out)?;
            return Ok(Some(out));
        }
        if v.is_a::<Iter>() {
            if !self.iter_is_leaf(v, 0) {
                return Ok(None);
            }
            let mut out = Vec::new();
            self.drain(v, &mut out)?;
            return Ok(Some(out));
        }
        if matches!(kind, Kind::ByteArray | Kind::MemoryView) {
            let i = self.get_iter(v)?;
            let mut out = Vec::new();
            self.drain(i, &mut out)?;
            return Ok(Some(out));
        }
        self.no_items(v)
    }

    /// `v` has no items at hand; it may have none at all.
    fn no_items<'v>(&'v self, v: Value<'v>) -> Result<Option<Vec<Value<'v>>>, Exit<'v>> {
        if v.is_a::<Generator>() && self.exact_type(v) == Some(Type::Generator) {
            return Ok(None);
        }
        let class = self.class_of(v);
        match self.class_lookup(class, self.names.__iter__) {
            Some(f) if !f.is_none() => Ok(None),
            None if self.class_lookup(class, self.names.__getitem__).is_some() => Ok(None),
            None if v.is_a::<Iter>() => Ok(None),
            _ => Err(self.not_iterable(v)),
        }
    }

    fn drain<'v>(&'v self, iter: Value<'v>, out: &mut Vec<Value<'v>>) -> Result<(), Exit<'v>> {
        let Some(i) = iter.get::<Iter>() else { return Ok(()) };
        loop {
            self.tick()?;
            let v = (i.next)(self, i)?;
            if v.is_empty() {
                return Ok(());
            }
            self.push_item(out, v)?;
        }
    }

    /// Appends to what a native collects, within the memory limit.
    #[inline]
    pub fn push_item<'v>(&'v self, out: &mut Vec<Value<'v>>, v: Value<'v>) -> Result<(), Exit<'v>> {
        self.grow(out, 1)?;
        out.push(v);
        Ok(())
    }

    /// For an iterator behind another: how many more lie behind it, if all their items come
    /// without calls; see [`Vm::foreign_iter`].
    pub fn leaf_depth(&self, v: Value<'_>) -> Option<u16> {
        let i = v.get::<Iter>()?;
        match i.leaf_depth() {
            Some(depth) => Some(depth + 1),
            None if self.iter_is_leaf(v, 4) => Some(4),
            None => None,
        }
    }

    /// Whether a builtin iterator gives its items without calls.
    pub(crate) fn iter_is_leaf(&self, v: Value<'_>, depth: usize) -> bool {
        let Some(i) = v.get::<Iter>() else { return false };
        if i.is_leaf() {
            return true;
        }
        match self.exact_type(v) {
            Some(t) if it::is_simple(t) => true,
            Some(Type::Enumerate) if depth < 8 => self.iter_is_leaf(i.get(0), depth + 1),
            Some(Type::Zip) if depth < 8 => i
                .get(0)
                .get::<Tuple>()
                .is_some_and(|t| t.items().iter().all(|&v| self.iter_is_leaf(v, depth + 1))),
            Some(Type::Reversed) => self
                .exact_type(i.get(0))
                .is_some_and(|t| matches!(t, Type::Str | Type::Tuple | Type::Bytes | Type::List)),
            _ => false,
        }
    }

    /// The next item (Empty at the end) of an iterator that gives it without calls, `None` for
    /// others.
    #[inline]
    pub(crate) fn next_leaf<'v>(&'v self, v: Value<'v>) -> Result<Option<Value<'v>>, Exit<'v>> {
        match v.get::<Iter>() {
            Some(i) if self.iter_is_leaf(v, 0) => (i.next)(self, i).map(Some),
            _ => Ok(None),
        }
    }

    /// A list of all items of `v`, handed to `row` as its answer.
    pub fn collect_then<'v>(
        &'v self,
        v: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Exit<'v> {
        let collect = if self.has_hint(v) { "collect_hinted" } else { "collect" };
        match self.prelude("seq", collect) {
            Ok(f) => Exit::call(f, vec![v], row, state),
            Err(e) => e,
        }
    }

    /// Whether a list made of `v` asks script code how long it will be.
    pub(crate) fn has_hint(&self, v: Value<'_>) -> bool {
        let class = self.class_of(v);
        class.has(class_flags::HEAP)
            && [self.names.__len__, self.names.__length_hint__].iter().any(|&name| {
                self.class_lookup(class, name).is_some_and(|f| self.native_owner(f).is_none())
            })
    }

    /// The registers of `a, b, .. = v`: exactly `n`, or (`after`) `n` before a starred list and
    /// `after` behind it. If script code has to iterate, the exit's result is the list of items.
    pub(crate) fn unpack<'v>(
        &'v self,
        v: Value<'v>,
        n: usize,
        after: Option<usize>,
    ) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let items = if v.is_a::<Iter>() && after.is_none() && self.iter_is_leaf(v, 0) {
            let mut items = Vec::new();
            while items.len() <= n
                && let Some(x) = self.next_leaf(v)?.filter(|x| !x.is_empty())
            {
                items.push(x);
            }
            items
        } else {
            let found = match v.get::<Generator>() {
                Some(_) if self.exact_type(v) == Some(Type::Generator) => None,
                _ => match self.items_leaf(v) {
                    Err(Exit::Raise(e))
                        if self.is_exception_of(e, Type::TypeError) && !self.iterable(v) =>
                    {
                        return Err(self.type_error(format!(
                            "cannot unpack non-iterable {} object",
                            self.type_name(v)
                        )));
                    }
                    r => r?,
                },
            };
            match (found, after) {
                (Some(items), _) => items,
                (None, None) => return Err(self.prelude_tail("seq", "take", &[v, Value::len(n)])),
                (None, Some(_)) => return Err(self.prelude_tail("seq", "collect", &[v])),
            }
        };
        let have = items.len();
        let Some(after) = after else {
            return match have {
                h if h == n => Ok(items),
                h if h > n => {
                    Err(self.value_error(format!("too many values to unpack (expected {n})")))
                }
                h => Err(self
                    .value_error(format!("not enough values to unpack (expected {n}, got {h})"))),
            };
        };
        if have < n + after {
            return Err(self.value_error(format!(
                "not enough values to unpack (expected at least {}, got {have})",
                n + after
            )));
        }
        let mut out = items[..n].to_vec();
        out.push(self.list(items[n..have - after].to_vec())?);
        out.extend_from_slice(&items[have - after..]);
        Ok(out)
    }

    fn iterable(&self, v: Value<'_>) -> bool {
        let class = self.class_of(v);
        match self.class_lookup(class, self.names.__iter__) {
            Some(f) => !f.is_none(),
            None => {
                v.is_a::<Iter>()
                    || self.class_lookup(class, self.names.__getitem__).is_some()
                    || matches!(
                        v.kind(),
                        Some(
                            Kind::List
                                | Kind::Tuple
                                | Kind::Dict
                                | Kind::Set
                                | Kind::FrozenSet
                                | Kind::Str
                                | Kind::Bytes
                                | Kind::ByteArray
                                | Kind::Range
                                | Kind::DictView
                                | Kind::Generator
                                | Kind::MemoryView
                        )
                    )
            }
        }
    }

    /// A string of one code point.
    pub(crate) fn code_point(&self, cp: u32) -> NResult<'_> {
        if cp < 128 {
            return Ok(self.latin1_char(cp as u8));
        }
        let mut buf = [0; 4];
        self.str_bytes(crate::text::wtf8::encode(cp, &mut buf))
    }
}
