//! Equality without calls: of values, of nested containers, and of keys in tables.
//!
//! `None` always means that a script method would have to be called.

use std::cmp::Ordering;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::native::Exit;
use crate::object::map::{Dict, Set};
use crate::object::record::DictView;
use crate::object::seq::{List, Range, Slice, Tuple};
use crate::object::text::Str;
use crate::ops::compare::{Cmp, bytes_of, compares_here};
use crate::ops::number::{self, Num, num_of, real_compare};
use crate::value::{Value, Word};

/// How deep a comparison is in containers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depth(usize);

impl Depth {
    /// Deeper than this, CPython's comparison raises RecursionError too.
    pub const LIMIT: usize = 1500;
    /// Levels that the native stack carries: keys within keys.
    const NATIVE: usize = 100;
}

/// A list or tuple.
#[derive(Clone, Copy)]
pub(crate) enum Seq<'v> {
    List(&'v List),
    Tuple(&'v Tuple),
}

impl<'v> Seq<'v> {
    pub fn of(v: Value<'v>) -> Option<Seq<'v>> {
        match v.kind()? {
            Kind::List => v.get::<List>().map(Seq::List),
            Kind::Tuple => v.get::<Tuple>().map(Seq::Tuple),
            _ => None,
        }
    }

    pub fn len(self) -> usize {
        match self {
            Seq::List(l) => l.len(),
            Seq::Tuple(t) => t.len(),
        }
    }

    #[inline]
    pub fn get(self, i: usize) -> Option<Value<'v>> {
        match self {
            Seq::List(l) => l.get(i),
            Seq::Tuple(t) => t.items().get(i).copied(),
        }
    }
}

/// Containers being compared, and where in them.
enum Frame<'v> {
    Items(Seq<'v>, Seq<'v>, usize),
    Entries(&'v Dict, &'v Dict, usize),
}

/// What is known about two values.
enum Pair<'v> {
    Known(bool),
    Enter(Frame<'v>),
    Script,
}

/// How a value compares for equality.
#[derive(PartialEq)]
enum Way {
    /// By its kind.
    Kind,
    /// By identity.
    Identity,
    /// By a method that must be called.
    Script,
}

impl Vm {
    /// Whether two values are identical or equal, as the items of a container are compared.
    #[inline]
    pub fn equal_leaf<'v>(&'v self, a: Value<'v>, b: Value<'v>) -> Result<Option<bool>, Exit<'v>> {
        if a.is(b) {
            return Ok(Some(true));
        }
        if a.as_small().is_some() && b.as_small().is_some() {
            return Ok(Some(false));
        }
        self.equal_within(a, b, Depth::default())
    }

    fn equal_within<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
        depth: Depth,
    ) -> Result<Option<bool>, Exit<'v>> {
        match self.pair(a, b, depth)? {
            Pair::Known(k) => Ok(Some(k)),
            Pair::Script => Ok(None),
            Pair::Enter(f) => self.equal_frames(f, depth),
        }
    }

    /// Equality of two containers (or ranges) themselves, whatever `==` of their classes is.
    pub(crate) fn equal_items<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
        depth: Depth,
    ) -> Result<Option<bool>, Exit<'v>> {
        match self.pair_by_kind(a, b, depth)? {
            Pair::Known(k) => Ok(Some(k)),
            Pair::Script => Ok(None),
            Pair::Enter(f) => self.equal_frames(f, depth),
        }
    }

    fn equal_frames<'v>(
        &'v self,
        first: Frame<'v>,
        depth: Depth,
    ) -> Result<Option<bool>, Exit<'v>> {
        let mut stack = vec![first];
        while let Some(top) = stack.last_mut() {
            let (x, y) = match top {
                Frame::Items(a, b, i) => match (a.get(*i), b.get(*i)) {
                    (Some(x), Some(y)) => {
                        *i += 1;
                        (x, y)
                    }
                    _ => {
                        stack.pop();
                        continue;
                    }
                },
                Frame::Entries(a, b, i) => {
                    let next = a.table().next_live(*i);
                    let Some(at) = next else {
                        stack.pop();
                        continue;
                    };
                    *i = at + 1;
                    let hash = a.table().get(at).map_or(0, |e| e.hash);
                    let Some((k, x)) = a.entry(at) else { continue };
                    match self.dict_lookup_within(b, k, hash, depth)? {
                        None => return Ok(None),
                        Some(found) => match found.and_then(|j| b.entry(j)) {
                            None => return Ok(Some(false)),
                            Some((_, y)) => (x, y),
                        },
                    }
                }
            };
            match self.pair(x, y, depth)? {
                Pair::Known(true) => {}
                Pair::Known(false) => return Ok(Some(false)),
                Pair::Script => return Ok(None),
                Pair::Enter(f) => {
                    if stack.len() >= Depth::LIMIT {
                        return Err(self.comparison_too_deep());
                    }
                    stack.push(f);
                }
            }
        }
        Ok(Some(true))
    }

    fn way(&self, v: Value<'_>) -> Way {
        let exact = self.exact_type(v);
        if let Some(t) = exact {
            if compares_here(t) {
                return Way::Kind;
            }
            if !v.is_object() {
                return Way::Identity;
            }
        }
        match self.class_lookup(self.class_of(v), self.names.__eq__) {
            None => Way::Identity,
            Some(f) => match self.native_owner(f) {
                Some(Type::Object) => Way::Identity,
                Some(t) if compares_here(t) => Way::Kind,
                _ => Way::Script,
            },
        }
    }

    fn pair<'v>(&'v self, a: Value<'v>, b: Value<'v>, depth: Depth) -> Result<Pair<'v>, Exit<'v>> {
        self.tick()?;
        if a.is(b) {
            return Ok(Pair::Known(true));
        }
        match (self.way(a), self.way(b)) {
            (Way::Script, _) | (_, Way::Script) => Ok(Pair::Script),
            (Way::Kind, Way::Kind) => self.pair_by_kind(a, b, depth),
            _ => Ok(Pair::Known(false)),
        }
    }

    fn pair_by_kind<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
        depth: Depth,
    ) -> Result<Pair<'v>, Exit<'v>> {
        let known = |b| Ok(Pair::Known(b));
        if is_number(a) || is_number(b) {
            return known(compare_numbers(a, b, Cmp::Eq) == Some(true));
        }
        if let (Some(x), Some(y)) = (a.get::<Str>(), b.get::<Str>()) {
            return known(x.bytes() == y.bytes());
        }
        let (Some(ka), Some(kb)) = (a.kind(), b.kind()) else { return known(false) };
        match (ka, kb) {
            (Kind::List, Kind::List) | (Kind::Tuple, Kind::Tuple) => {
                let (Some(x), Some(y)) = (Seq::of(a), Seq::of(b)) else { return known(false) };
                if x.len() != y.len() {
                    // Tuples are compared as far as both go all the same, which shows where
                    // script code compares.
                    let script = |i| {
                        [x.get(i), y.get(i)].iter().flatten().any(|&v| self.exact_type(v).is_none())
                    };
                    let shows = ka == Kind::Tuple && (0..x.len().min(y.len())).any(script);
                    return if shows { Ok(Pair::Script) } else { known(false) };
                }
                Ok(Pair::Enter(Frame::Items(x, y, 0)))
            }
            (Kind::Dict, Kind::Dict) => {
                let (Some(x), Some(y)) = (a.get::<Dict>(), b.get::<Dict>()) else {
                    return known(false);
                };
                if x.len() != y.len() {
                    return known(false);
                }
                Ok(Pair::Enter(Frame::Entries(x, y, 0)))
            }
            (Kind::Set | Kind::FrozenSet, Kind::Set | Kind::FrozenSet) => {
                let (Some(x), Some(y)) = (a.get::<Set>(), b.get::<Set>()) else {
                    return known(false);
                };
                if x.len() != y.len() {
                    return known(false);
                }
                Ok(match self.subset_leaf(a, b, depth)? {
                    Some(r) => Pair::Known(r),
                    None => Pair::Script,
                })
            }
            (Kind::MemoryView, _) | (_, Kind::MemoryView) => {
                known(self.memory_equal(a, b)? == Some(true))
            }
            // Of what lends bytes, bytes are equal to nothing, as in CPython.
            (Kind::Bytes, Kind::Opaque) | (Kind::Opaque, Kind::Bytes) => known(false),
            (Kind::Bytes | Kind::ByteArray, _) => {
                known(bytes_of(a, |x| bytes_of(b, |y| x == y)).flatten() == Some(true))
            }
            (Kind::Range, Kind::Range) => {
                let (Some(x), Some(y)) = (a.get::<Range>(), b.get::<Range>()) else {
                    return known(false);
                };
                let same = |p, q| compare_numbers(p, q, Cmp::Eq) == Some(true);
                if !same(x.len_value(), y.len_value()) {
                    return known(false);
                }
                known(match x.len_value().as_small() {
                    Some(0) => true,
                    Some(1) => same(x.start(), y.start()),
                    _ => same(x.start(), y.start()) && same(x.step(), y.step()),
                })
            }
            (Kind::Slice, Kind::Slice) => {
                let parts = |v: Value<'v>| match v.get::<Slice>() {
                    Some(s) => self.tuple(&[s.start(), s.stop(), s.step()]),
                    None => Ok(self.empty_tuple()),
                };
                match (Seq::of(parts(a)?), Seq::of(parts(b)?)) {
                    (Some(x), Some(y)) => Ok(Pair::Enter(Frame::Items(x, y, 0))),
                    _ => known(false),
                }
            }
            // Views and aliases: by the general comparison.
            (Kind::DictView | Kind::GenericAlias | Kind::BoundMethod, _)
            | (_, Kind::DictView | Kind::GenericAlias | Kind::BoundMethod) => Ok(Pair::Script),
            _ => known(false),
        }
    }

    /// Where dict `d` has `key`: the inner `None` if it has not.
    #[inline]
    pub fn dict_lookup<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
        hash: i64,
    ) -> Result<Option<Option<usize>>, Exit<'v>> {
        self.dict_lookup_within(d, key, hash, Depth::default())
    }

    fn dict_lookup_within<'v>(
        &'v self,
        d: &'v Dict,
        key: Value<'v>,
        hash: i64,
        depth: Depth,
    ) -> Result<Option<Option<usize>>, Exit<'v>> {
        let mut q = KeyQuery::new(self, key, depth)?;
        let found = d.table().find(hash, |k| q.is(k));
        q.finish(found)
    }

    /// Where set `s` has `key`.
    #[inline]
    pub(crate) fn set_lookup<'v>(
        &'v self,
        s: &'v Set,
        key: Value<'v>,
        hash: i64,
    ) -> Result<Option<Option<usize>>, Exit<'v>> {
        self.set_lookup_within(s, key, hash, Depth::default())
    }

    fn set_lookup_within<'v>(
        &'v self,
        s: &'v Set,
        key: Value<'v>,
        hash: i64,
        depth: Depth,
    ) -> Result<Option<Option<usize>>, Exit<'v>> {
        let mut q = KeyQuery::new(self, key, depth)?;
        let found = s.table().find(hash, |k| q.is(k));
        q.finish(found)
    }

    /// Whether each element of one set (or set-like view) is in another.
    pub(crate) fn subset_leaf<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
        depth: Depth,
    ) -> Result<Option<bool>, Exit<'v>> {
        let Some(hashes) = self.hashed_elements(a) else { return Ok(None) };
        for (hash, key) in hashes {
            self.tick()?;
            let found = if let Some(s) = b.get::<Set>() {
                self.set_lookup_within(s, key, hash, depth)?
            } else if let (Some(Type::DictKeys), Some(d)) =
                (self.exact_type(b), b.get::<DictView>().and_then(|v| v.dict().get::<Dict>()))
            {
                self.dict_lookup_within(d, key, hash, depth)?
            } else {
                return Ok(None);
            };
            match found {
                None => return Ok(None),
                Some(None) => return Ok(Some(false)),
                Some(Some(_)) => {}
            }
        }
        Ok(Some(true))
    }

    /// Elements with their hashes, of a set, a dict or its keys.
    pub(crate) fn hashed_elements<'v>(&'v self, v: Value<'v>) -> Option<Vec<(i64, Value<'v>)>> {
        if let Some(s) = v.get::<Set>() {
            return Some(s.table().iter().map(|e| (e.hash, self.word_value(e.key))).collect());
        }
        let d = match v.get::<DictView>() {
            Some(view) if self.exact_type(v) == Some(Type::DictKeys) => view.dict(),
            Some(_) => return None,
            None => v,
        };
        let d = d.get::<Dict>()?;
        Some(d.table().iter().map(|e| (e.hash, self.word_value(e.key))).collect())
    }
}

/// A key that is looked for: compares it with candidates of the same hash.
struct KeyQuery<'v> {
    vm: &'v Vm,
    key: Value<'v>,
    depth: Depth,
    text: Option<&'v Str>,
    script: bool,
    error: Option<Exit<'v>>,
}

impl<'v> KeyQuery<'v> {
    #[inline]
    fn new(vm: &'v Vm, key: Value<'v>, depth: Depth) -> Result<KeyQuery<'v>, Exit<'v>> {
        let depth = Depth(depth.0 + 1);
        if depth.0 > Depth::NATIVE {
            return Err(vm.comparison_too_deep());
        }
        let text = key.get::<Str>().filter(|s| s.is_exact());
        Ok(KeyQuery { vm, key, depth, text, script: false, error: None })
    }

    #[inline]
    fn is(&mut self, candidate: Word) -> bool {
        if candidate == self.key.word() {
            return true;
        }
        let c = self.vm.word_value(candidate);
        if let Some(t) = self.text
            && let Some(s) = c.get::<Str>()
            && s.is_exact()
        {
            return s.bytes() == t.bytes();
        }
        match self.vm.equal_within(c, self.key, self.depth) {
            Ok(Some(eq)) => eq,
            Ok(None) => {
                self.script = true;
                true
            }
            Err(e) => {
                self.error = Some(e);
                true
            }
        }
    }

    #[inline]
    fn finish(self, found: Option<usize>) -> Result<Option<Option<usize>>, Exit<'v>> {
        match self.error {
            Some(e) => Err(e),
            None if self.script => Ok(None),
            None => Ok(Some(found)),
        }
    }
}

/// Whether a value is stored as a number.
pub(crate) fn is_number(v: Value<'_>) -> bool {
    num_of(v).is_some()
}

/// How two real numbers compare: the outer `None` if one is none, the inner one for NaN.
pub(crate) fn order_numbers(a: Value<'_>, b: Value<'_>) -> Option<Option<Ordering>> {
    match (num_of(a)?, num_of(b)?) {
        (Num::Complex(_), _) | (_, Num::Complex(_)) => None,
        (x, y) => Some(real_compare(x, y)),
    }
}

/// `a op b` of numbers; `None` if they do not compare (NotImplemented).
pub(crate) fn compare_numbers(a: Value<'_>, b: Value<'_>, op: Cmp) -> Option<bool> {
    number::compare_numbers(op, num_of(a)?, num_of(b)?)
}
