//! Hashes of values.
//!
//! Tuples are walked with a stack of our own, so that depth costs no native stack. A `__hash__`
//! in script code makes the walk give up; then the prelude hashes item by item.

use crate::Vm;
use crate::builtins::Type;
use crate::hash::{self, FrozenSetHasher, TupleHasher};
use crate::heap::Kind;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::class::Class;
use crate::object::func::{BoundMethod, Native};
use crate::object::map::Set;
use crate::object::num::{BigIntObj, Complex, Int64};
use crate::object::record::{GenericAlias, MappingProxy};
use crate::object::seq::{Range, Slice, Tuple};
use crate::object::text::{Bytes, Str};
use crate::object::view::MemoryView;
use crate::value::Value;

/// What is known about the hash of one value.
enum Part<'v> {
    Known(i64),
    Items(&'v [Value<'v>]),
    Script,
}

/// After `__hash__`: an int, reduced.
static HASH_ROW: Row = Row {
    name: "hash",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        match vm.reduce_hash(v) {
            Some(h) => Ok(vm.int(h)),
            None => Err(vm.type_error("__hash__ method should return an integer")),
        }
    },
};

impl Vm {
    /// The hash of `v` if no script code has a say in it: `None` if a `__hash__` must be called.
    #[inline]
    pub fn hash_leaf<'v>(&'v self, v: Value<'v>) -> Result<Option<i64>, Exit<'v>> {
        if let Some(n) = v.as_small() {
            return Ok(Some(hash::int(n)));
        }
        if v.kind() == Some(Kind::Str)
            && let Some(s) = v.get::<Str>()
            && s.is_exact()
        {
            return Ok(Some(self.str_hash(s)));
        }
        self.hash_walk(v)
    }

    fn hash_walk<'v>(&'v self, v: Value<'v>) -> Result<Option<i64>, Exit<'v>> {
        let mut items: &[Value<'v>] = match self.hash_part(v)? {
            Part::Known(h) => return Ok(Some(h)),
            Part::Script => return Ok(None),
            Part::Items(items) => items,
        };
        let mut at = 0;
        let mut hasher = TupleHasher::new();
        let mut outer: Vec<(&[Value<'v>], usize, TupleHasher)> = Vec::new();
        loop {
            while let Some(&item) = items.get(at) {
                at += 1;
                self.tick_at(at)?;
                match self.hash_part(item)? {
                    Part::Known(h) => hasher.add(h),
                    Part::Script => return Ok(None),
                    Part::Items(inner) => {
                        outer.push((items, at, hasher));
                        (items, at, hasher) = (inner, 0, TupleHasher::new());
                    }
                }
            }
            let h = hasher.finish();
            match outer.pop() {
                None => return Ok(Some(h)),
                Some(o) => {
                    (items, at, hasher) = o;
                    hasher.add(h);
                }
            }
        }
    }

    fn hash_part<'v>(&'v self, v: Value<'v>) -> Result<Part<'v>, Exit<'v>> {
        let known = |h| Ok(Part::Known(h));
        if let Some(n) = v.as_small() {
            return known(hash::int(n));
        }
        if let Some(x) = v.as_float() {
            return known(hash::float(x, v.word()));
        }
        if let Some(b) = v.as_bool() {
            return known(i64::from(b));
        }
        if v.is_none() {
            return known(hash::NONE);
        }
        if !v.is_object() {
            return known(hash::pointer(v.word()));
        }
        if self.exact_type(v).is_none() {
            match self.class_lookup(self.class_of(v), self.names.__hash__) {
                Some(f) if f.is_none() => return Err(self.unhashable(v)),
                Some(f) => match self.native_owner(f) {
                    Some(Type::Object) => return known(hash::pointer(v.word())),
                    Some(_) => {}
                    None => return Ok(Part::Script),
                },
                None => return known(hash::pointer(v.word())),
            }
        }
        self.hash_struct(v)
    }

    fn hash_struct<'v>(&'v self, v: Value<'v>) -> Result<Part<'v>, Exit<'v>> {
        let known = |h| Ok(Part::Known(h));
        if !v.is_object() {
            return self.hash_part(v);
        }
        if let Some(s) = v.get::<Str>() {
            return known(self.str_hash(s));
        }
        if let Some(t) = v.get::<Tuple>() {
            // A tuple may be reached on more ways than it has items.
            self.tick()?;
            return Ok(Part::Items(t.items()));
        }
        if let Some(n) = v.get::<Int64>() {
            return known(hash::int(n.value));
        }
        if let Some(n) = v.get::<BigIntObj>() {
            self.ticks(n.value.bits() as usize / 1024)?;
            return known(hash::big_int(&n.value));
        }
        if let Some(c) = v.get::<Complex>() {
            return known(hash::complex(c.re, c.im, v.word()));
        }
        if let Some(b) = v.get::<Bytes>() {
            if b.hash.get() == 0 {
                b.hash.set(self.string_key.hash(b.bytes()));
            }
            return known(b.hash.get());
        }
        if let Some(m) = v.get::<MemoryView>() {
            return known(self.string_key.hash(&self.memory_hashed(m)?));
        }
        if let Some(s) = v.get::<Set>() {
            if !s.is_frozen() {
                return Err(self.unhashable(v));
            }
            if s.hash.get() == 0 {
                let mut h = FrozenSetHasher::new();
                s.table().iter().for_each(|e| h.add(e.hash));
                s.hash.set(h.finish());
            }
            return known(s.hash.get());
        }
        if let Some(r) = v.get::<Range>() {
            let len = r.len_value();
            let (start, step) = match len.as_small() {
                Some(0) => (Value::NONE, Value::NONE),
                Some(1) => (r.start(), Value::NONE),
                _ => (r.start(), r.step()),
            };
            return self.hash_leaf(self.tuple(&[len, start, step])?).map(|h| match h {
                Some(h) => Part::Known(h),
                None => Part::Script,
            });
        }
        if let Some(s) = v.get::<Slice>() {
            let parts = self.tuple(&[s.start(), s.stop(), s.step()])?;
            return Ok(parts.get::<Tuple>().map_or(Part::Script, |t| Part::Items(t.items())));
        }
        if let Some(m) = v.get::<BoundMethod>() {
            return known(hash::pointer(m.receiver.get()) ^ hash::pointer(m.func.get()));
        }
        if let Some(a) = v.get::<GenericAlias>() {
            if a.origin().is_empty() {
                // A union is equal in any order of its members.
                let mut h = FrozenSetHasher::new();
                for v in self.tuple_items(a.args()) {
                    match if v.is_a::<GenericAlias>() { None } else { self.hash_leaf(*v)? } {
                        Some(one) => h.add(one),
                        None => return Ok(Part::Script),
                    }
                }
                return known(h.finish());
            }
            let parts = self.tuple(&[a.origin(), a.args()])?;
            return Ok(parts.get::<Tuple>().map_or(Part::Script, |t| Part::Items(t.items())));
        }
        if v.is_a::<MappingProxy>() {
            // That of what is below.
            return Ok(Part::Script);
        }
        match self.class_lookup(self.class_of(v), self.names.__hash__) {
            Some(f) if f.is_none() => Err(self.unhashable(v)),
            Some(f) => match self.native_owner(f) {
                Some(Type::Object) => known(hash::pointer(v.word())),
                _ => Ok(Part::Script),
            },
            None => known(hash::pointer(v.word())),
        }
    }

    /// `hash(v)` as a value; may ask for a call.
    pub fn hash_value<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if let Some(h) = self.hash_leaf(v)? {
            return Ok(self.int(h));
        }
        if v.is_a::<Tuple>() {
            let own = self.class_lookup(self.class_of(v), self.names.__hash__);
            if own.is_none_or(|f| self.native_owner(f).is_some()) {
                return Err(self.prelude_tail("map", "hash_tuple", &[v]));
            }
        }
        match self.method(v, self.names.__hash__)? {
            Some((f, args)) => match self.call_leaf(f, &args) {
                Some(r) => (HASH_ROW.resume)(self, &[], Answer::Value(r?)),
                None => Err(Exit::call(f, args, &HASH_ROW, Vec::new())),
            },
            None => Err(self.unhashable(v)),
        }
    }

    /// `__hash__` of the builtin struct of `v`, whatever a subclass says.
    pub(crate) fn hash_native<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if let Some(t) = v.get::<Tuple>() {
            let plain = self.tuple(t.items())?;
            return match self.hash_leaf(plain)? {
                Some(h) => Ok(self.int(h)),
                None => Err(self.prelude_tail("map", "hash_tuple", &[plain])),
            };
        }
        match self.hash_struct(v)? {
            Part::Known(h) => Ok(self.int(h)),
            Part::Items(items) => {
                let t = self.tuple(items)?;
                self.hash_value(t)
            }
            Part::Script => match v.get::<GenericAlias>() {
                Some(a) => Err(self.prelude_tail("generic", "union_hash", &[a.args()])),
                None => Err(self.unhashable(v)),
            },
        }
    }

    /// What the int that a `__hash__` returned comes to.
    pub fn reduce_hash(&self, v: Value<'_>) -> Option<i64> {
        if let Some(b) = v.as_bool() {
            return Some(i64::from(b));
        }
        // A hash that fits 64 bits is taken as it is, a longer one is hashed as an int.
        let h = match self.as_index_i64(v)? {
            Ok(n) => n,
            Err(()) => v.get::<BigIntObj>().map(|b| hash::big_int(&b.value))?,
        };
        Some(if h == -1 { -2 } else { h })
    }

    /// Raise TypeError: unhashable.
    #[cold]
    pub fn unhashable(&self, v: Value<'_>) -> Exit<'_> {
        self.type_error(format!("unhashable type: '{}'", self.full_type_name(self.class_of(v))))
    }

    /// The builtin class that native method `f` belongs to; `None` if it is script code.
    pub(crate) fn native_owner(&self, f: Value<'_>) -> Option<Type> {
        let owner = self.word_value(f.get::<Native>()?.owner.get());
        let class = owner.get::<Class>()?;
        Type::ALL.get(class.root_shape.get() as usize).copied()
    }
}
