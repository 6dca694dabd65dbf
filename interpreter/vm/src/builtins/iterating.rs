//! The builtin functions about iteration: `len`, `iter`, `next`, `sorted`, `sum`, `min` ...

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::iterators::{STOP_ROW, callable_next};
use crate::builtins::sorting;
use crate::builtins::str::is_iterable;
use crate::heap::Kind;
use crate::native::{Action, Exit, NResult, NativeDef, Quick, Row};
use crate::object::class::Class;
use crate::object::generator::Generator;
use crate::object::iter::Iter;
use crate::object::map::{Dict, Set};
use crate::object::record::DictView;
use crate::object::seq::{List, Range, Tuple};
use crate::object::text::Str;
use crate::ops::compare::{Cmp, bytes_of};
use crate::prelude::natives::missing;
use crate::value::Value;

/// The rows.
pub const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "len",
        "obj, /",
        |vm, a| vm.len_of(a[0]),
        "Return the number of items in a container.",
    )
    .quick(Quick::Len),
    NativeDef::new("iter", "object, sentinel=None, /", iter, "Get an iterator from an object."),
    NativeDef::new(
        "next",
        "iterator, default=None, /",
        next,
        "Return the next item from the iterator.",
    ),
    NativeDef::new(
        "hash",
        "obj, /",
        |vm, a| vm.hash_value(a[0]),
        "Return the hash value for the given object.",
    ),
    NativeDef::new("id", "obj, /", id, "Return the identity of an object."),
    NativeDef::new(
        "sorted",
        "*iterable, key=None, reverse=False",
        sorted,
        "Return a new list containing all items from the iterable in ascending order.",
    ),
    NativeDef::new(
        "sum",
        "iterable, /, start=0",
        sum,
        "Return the sum of a 'start' value (default: 0) plus an iterable of numbers",
    ),
    NativeDef::new(
        "min",
        "*args, key=None, default=None",
        |vm, a| extreme(vm, a, false),
        "Return the smallest item of an iterable or of the arguments.",
    )
    .quick(Quick::Min),
    NativeDef::new(
        "max",
        "*args, key=None, default=None",
        |vm, a| extreme(vm, a, true),
        "Return the biggest item of an iterable or of the arguments.",
    )
    .quick(Quick::Max),
    NativeDef::new(
        "any",
        "iterable, /",
        |vm, a| some(vm, a[0], true),
        "Return True if bool(x) is True for any x in the iterable.",
    ),
    NativeDef::new(
        "all",
        "iterable, /",
        |vm, a| some(vm, a[0], false),
        "Return True if bool(x) is True for all values x in the iterable.",
    ),
];

static LEN_ROW: Row = Row {
    name: "len",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        vm.length_of_result(v).map(|n| vm.int(n as i64))
    },
};

impl Vm {
    /// `len(v)`.
    pub fn len_of<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if self.exact_type(v).is_some()
            && let Some(n) = self.builtin_len(v)
        {
            return n;
        }
        match self.method(v, self.names.__len__)? {
            Some((f, args)) => self.finish_with(f, args, &LEN_ROW),
            None => {
                Err(self
                    .type_error(format!("object of type '{}' has no len()", self.full_name_of(v))))
            }
        }
    }

    /// The length of a value stored as one of the builtin containers.
    pub(crate) fn builtin_len<'v>(&'v self, v: Value<'v>) -> Option<NResult<'v>> {
        let n = match v.kind()? {
            Kind::List => v.get::<List>()?.len(),
            Kind::Str => v.get::<Str>()?.char_len(),
            Kind::Tuple => v.get::<Tuple>()?.len(),
            Kind::Dict => v.get::<Dict>()?.len(),
            Kind::Set | Kind::FrozenSet => v.get::<Set>()?.len(),
            Kind::Bytes | Kind::ByteArray => bytes_of(v, <[u8]>::len)?,
            Kind::DictView => v.get::<DictView>()?.dict().get::<Dict>()?.len(),
            Kind::Range => {
                let n = v.get::<Range>()?.len_value();
                return Some(match self.as_index_i64(n) {
                    Some(Ok(_)) => Ok(n),
                    _ => Err(self.overflow_error("Python int too large to convert to C ssize_t")),
                });
            }
            _ => return None,
        };
        Some(Ok(Value::len(n)))
    }

    /// The next item of `v`, or StopIteration.
    pub(crate) fn next_of<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if v.is_a::<Generator>() && self.exact_type(v) == Some(Type::Generator) {
            return Err(Exit::Do(Box::new(Action::Resume {
                generator: v,
                value: Value::NONE,
                throw: false,
                then: None,
            })));
        }
        if v.is_a::<Iter>() {
            return match self.next_leaf(v)? {
                Some(v) if v.is_empty() => Err(self.stop_iteration(Value::NONE)),
                Some(v) => Ok(v),
                None => Err(Exit::next(v, &STOP_ROW, Vec::new())),
            };
        }
        match self.method(v, self.names.__next__)? {
            Some((f, args)) => match self.call_leaf(f, &args) {
                Some(r) => r,
                None => Err(Exit::tail(f, args)),
            },
            None => Err(self.not_an_iterator(v)),
        }
    }

    fn not_an_iterator(&self, v: Value<'_>) -> Exit<'_> {
        self.type_error(format!("'{}' object is not an iterator", self.full_name_of(v)))
    }
}

fn iter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[1].is_empty() {
        return vm.get_iter(a[0]);
    }
    let callable = a[0].is_a::<Class>()
        || matches!(a[0].kind(), Some(Kind::Function | Kind::Native | Kind::BoundMethod))
        || vm.class_lookup(vm.class_of(a[0]), vm.names.__call__).is_some();
    if !callable {
        return Err(vm.type_error("iter(object, sentinel): object must be callable"));
    }
    Ok(vm.iter(Type::CallableIter, callable_next, [a[0], a[1], Value::EMPTY], 0, 0))
}

/// The next item, or the default at the end. State: the default.
static DEFAULT_ROW: Row = Row {
    name: "next_default",
    catches: false,
    resume: |_, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(state[0]),
        v => Ok(v),
    },
};

fn next<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a[1].is_empty() {
        return vm.next_of(a[0]);
    }
    if !vm.is_iterator(a[0]) {
        return Err(vm.not_an_iterator(a[0]));
    }
    match vm.next_leaf(a[0])? {
        Some(v) if v.is_empty() => Ok(a[1]),
        Some(v) => Ok(v),
        None => Err(Exit::next(a[0], &DEFAULT_ROW, vec![a[1]])),
    }
}

fn id<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    // The word tells all values apart; an object's is its address.
    Ok(if a[0].is_object() {
        vm.uint(a[0].word() & 0xFFFF_FFFF_FFFF)
    } else {
        vm.uint(a[0].word())
    })
}

/// After the items were collected. State: key, reverse.
static SORTED_ROW: Row = Row {
    name: "sorted",
    catches: false,
    resume: |vm, state, answer| {
        let items = answer.value()?.get::<List>().map_or_else(Vec::new, List::to_vec);
        sorting::sort_items(vm, items, state[0], state[1].is(Value::TRUE))
    },
};

fn sorted<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let [key, reverse, iterable] = *a else {
        let given = a.len() - 2;
        return Err(vm.type_error(format!("sorted expected 1 argument, got {given}")));
    };
    let key = if key.is_empty() { Value::NONE } else { key };
    let Some(reverse) = sorting::reverse_flag(vm, reverse)? else {
        return Err(vm.prelude_tail("seq", "sorted_flag", &[iterable, key, reverse]));
    };
    match vm.items_leaf(iterable)? {
        Some(items) => sorting::sort_items(vm, items, key, reverse),
        None => Err(vm.collect_then(iterable, &SORTED_ROW, vec![key, Value::bool(reverse)])),
    }
}

fn sum<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let start = if a[1].is_empty() { Value::int32(0) } else { a[1] };
    if !is_iterable(vm, a[0]) {
        return Err(vm.not_iterable(a[0]));
    }
    match vm.exact_type(start) {
        Some(Type::Str) => {
            return Err(vm.type_error("sum() can't sum strings [use ''.join(seq) instead]"));
        }
        Some(Type::Bytes) => {
            return Err(vm.type_error("sum() can't sum bytes [use b''.join(seq) instead]"));
        }
        Some(Type::ByteArray) => {
            return Err(vm.type_error("sum() can't sum bytearray [use b''.join(seq) instead]"));
        }
        _ => {}
    }
    if let Some(total) = vm.range_sum(a[0], start) {
        return Ok(total);
    }
    let Some(mut source) = Source::of(vm, a[0])? else {
        return Err(vm.prelude_tail("seq", "sum_of", &[a[0], start]));
    };
    let mut sum = Sum::from(start);
    loop {
        let items = source.next_items(vm)?;
        if items.is_empty() {
            return Ok(sum.total(vm));
        }
        if let Some(at) = sum.add(vm, &items)? {
            let rest = vm.list(items[at..].to_vec())?;
            return Err(vm.prelude_tail(
                "seq",
                "sum_more",
                &[rest, source.rest(vm), sum.total(vm)],
            ));
        }
    }
}

/// A sum on its way: ints, then floats (compensated, as CPython has it since 3.12), then whatever
/// there is.
enum Sum<'v> {
    Int(i64),
    Float { sum: f64, lost: f64 },
    Any(Value<'v>),
}

impl<'v> Sum<'v> {
    fn from(start: Value<'v>) -> Sum<'v> {
        match (start.as_small(), start.as_float()) {
            (Some(n), _) => Sum::Int(n),
            (_, Some(sum)) => Sum::Float { sum, lost: 0.0 },
            _ => Sum::Any(start),
        }
    }

    fn total(&self, vm: &'v Vm) -> Value<'v> {
        match *self {
            Sum::Int(n) => vm.int(n),
            Sum::Float { sum, lost } if lost != 0.0 && lost.is_finite() => Value::float(sum + lost),
            Sum::Float { sum, .. } => Value::float(sum),
            Sum::Any(total) => total,
        }
    }

    /// Adds items; the place of one that script code has to add.
    fn add(&mut self, vm: &'v Vm, items: &[Value<'v>]) -> Result<Option<usize>, Exit<'v>> {
        let mut at = 0;
        if let Sum::Int(mut n) = *self {
            while let Some(v) = items.get(at).and_then(|v| v.as_small())
                && let Some(next) = n.checked_add(v)
            {
                n = next;
                at += 1;
                vm.tick_at(at)?;
            }
            *self = match items.get(at) {
                None => Sum::Int(n),
                Some(v) if v.as_float().is_some() && vm.int(n).as_small().is_some() => {
                    Sum::Float { sum: n as f64, lost: 0.0 }
                }
                Some(_) => Sum::Any(vm.int(n)),
            };
        }
        if let Sum::Float { mut sum, mut lost } = *self {
            while let Some(v) = items.get(at) {
                if let Some(x) = v.as_float() {
                    let next = sum + x;
                    lost += if sum.abs() >= x.abs() { (sum - next) + x } else { (x - next) + sum };
                    sum = next;
                } else if let Some(n) = v.as_small() {
                    sum += n as f64;
                } else {
                    break;
                }
                at += 1;
                vm.tick_at(at)?;
            }
            *self = Sum::Float { sum, lost };
            if at < items.len() {
                *self = Sum::Any(self.total(vm));
            }
        }
        for (i, v) in items.iter().enumerate().skip(at) {
            vm.tick()?;
            match vm.binary(crate::code::op::Op::ADD, self.total(vm), *v) {
                Ok(total) => *self = Sum::Any(total),
                Err(Exit::Do(_)) => return Ok(Some(i)),
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }
}

/// Items that come without script code. Those of an iterator or a range come in portions: there may
/// be more of them than there is memory.
enum Source<'v> {
    Items(Vec<Value<'v>>),
    Iter(&'v Iter),
}

impl<'v> Source<'v> {
    const PORTION: usize = 4096;

    /// `None` if script code has to iterate.
    fn of(vm: &'v Vm, v: Value<'v>) -> Result<Option<Source<'v>>, Exit<'v>> {
        let iter = if v.is_a::<Range>() { vm.get_iter(v)? } else { v };
        match iter.get::<Iter>() {
            Some(i) if vm.iter_is_leaf(iter, 0) => Ok(Some(Source::Iter(i))),
            _ => Ok(vm.items_leaf(v)?.map(Source::Items)),
        }
    }

    /// The next items; none at the end.
    fn next_items(&mut self, vm: &'v Vm) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let i = match self {
            Source::Items(items) => return Ok(std::mem::take(items)),
            Source::Iter(i) => *i,
        };
        let mut items = Vec::with_capacity(Self::PORTION);
        while items.len() < Self::PORTION {
            vm.tick()?;
            let v = (i.next)(vm, i)?;
            if v.is_empty() {
                break;
            }
            items.push(v);
        }
        Ok(items)
    }

    /// What has not come yet, for script code.
    fn rest(&self, vm: &'v Vm) -> Value<'v> {
        match self {
            Source::Items(_) => vm.empty_tuple(),
            Source::Iter(i) => Value::object(*i),
        }
    }
}

fn some<'v>(vm: &'v Vm, v: Value<'v>, wanted: bool) -> NResult<'v> {
    let name = if wanted { "any_of" } else { "all_of" };
    // A builtin iterator is left where the answer was found.
    let source = if v.is_a::<Iter>() { None } else { Source::of(vm, v)? };
    let Some(mut source) = source else { return Err(vm.prelude_tail("seq", name, &[v])) };
    loop {
        let items = source.next_items(vm)?;
        if items.is_empty() {
            return Ok(Value::bool(!wanted));
        }
        for (i, x) in items.iter().enumerate() {
            vm.tick_at(i)?;
            match vm.truth(*x) {
                Ok(b) if b == wanted => return Ok(Value::bool(wanted)),
                Ok(_) => {}
                // No item of a range.
                Err(Exit::Do(_)) => {
                    let rest = vm.list(items[i..].to_vec())?;
                    return Err(vm.prelude_tail("seq", name, &[rest]));
                }
                Err(e) => return Err(e),
            }
        }
    }
}

/// `min` and `max`. Arguments: key, default, then the positional ones.
fn extreme<'v>(vm: &'v Vm, a: &[Value<'v>], greater: bool) -> NResult<'v> {
    let name = if greater { "max" } else { "min" };
    let key = if a[0].is_empty() { Value::NONE } else { a[0] };
    let given = &a[2..];
    let iterable = match given {
        [] => {
            return Err(vm.type_error(format!("{name} expected at least 1 argument, got 0")));
        }
        [one] => *one,
        more if !a[1].is_empty() => {
            let _ = more;
            return Err(vm.type_error(format!(
                "Cannot specify a default for {name}() with multiple positional arguments"
            )));
        }
        more => vm.list(more.to_vec())?,
    };
    let default = if a[1].is_empty() { missing(vm) } else { a[1] };
    if key.is_none()
        && let Some(mut source) = Source::of(vm, iterable)?
    {
        let op = if greater { Cmp::Gt } else { Cmp::Lt };
        let mut best = None;
        loop {
            let items = source.next_items(vm)?;
            if items.is_empty() {
                break;
            }
            for (i, &x) in items.iter().enumerate() {
                vm.tick_at(i)?;
                let Some(best) = &mut best else {
                    best = Some(x);
                    continue;
                };
                match vm.compare(op, x, *best) {
                    Ok(r) if r.is(Value::TRUE) => *best = x,
                    Ok(r) if r.as_bool().is_some() => {}
                    Ok(_) | Err(Exit::Do(_)) => {
                        let mut left = vec![*best];
                        left.extend_from_slice(&items[i..]);
                        let left = vm.list(left)?;
                        let all = vm.prelude("seq", "both")?;
                        let args = vec![left, source.rest(vm)];
                        let state = vec![key, default, vm.intern(name), Value::bool(greater)];
                        return Err(Exit::call(all, args, &EXTREME_ROW, state));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        return match best {
            Some(best) => Ok(best),
            None if a[1].is_empty() => {
                Err(vm.value_error(format!("{name}() iterable argument is empty")))
            }
            None => Ok(a[1]),
        };
    }
    let name = vm.intern(name);
    Err(call_extreme(vm, iterable, &[key, default, name, Value::bool(greater)]))
}

/// With an iterator over what script code has to compare. State: key, default, name, greater.
static EXTREME_ROW: Row = Row {
    name: "extreme",
    catches: false,
    resume: |vm, state, answer| Err(call_extreme(vm, answer.value()?, state)),
};

fn call_extreme<'v>(vm: &'v Vm, it: Value<'v>, rest: &[Value<'v>]) -> Exit<'v> {
    let args: Vec<Value<'v>> = [it].into_iter().chain(rest.iter().copied()).collect();
    vm.prelude_tail("seq", "extreme", &args)
}
