//! `range` and `slice`.

use num_bigint::BigInt;
use num_bigint::Sign;

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::class::Class;
use crate::object::seq::{Range, Slice};
use crate::ops::compare::Cmp;
use crate::value::Value;

/// Rows of `range`.
pub const METHODS: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, /, *args", new, "").role(Role::Static),
    NativeDef::new("__len__", "self, /", len, "Return len(self)."),
    NativeDef::new("__getitem__", "self, key, /", |vm, a| vm.builtin_getitem(a[0], a[1]), ""),
    NativeDef::new("__bool__", "self, /", |vm, a| vm.truth(a[0]).map(Value::bool), ""),
    NativeDef::new("__reduce__", "self, /", reduce, ""),
    NativeDef::new("__reversed__", "self, /", reversed, "Return a reverse iterator."),
    NativeDef::new(
        "index",
        "self, value, /",
        index,
        "Raise ValueError if the value is not present.",
    ),
    NativeDef::new("count", "self, value, /", count, "Return number of occurrences of value."),
    NativeDef::getter("start", |_, a| Ok(range(a[0]).map_or(Value::NONE, Range::start)), ""),
    NativeDef::getter("stop", |_, a| Ok(range(a[0]).map_or(Value::NONE, Range::stop)), ""),
    NativeDef::getter("step", |_, a| Ok(range(a[0]).map_or(Value::NONE, Range::step)), ""),
];

/// Rows of `slice`.
pub const SLICE: &[NativeDef] = &[
    NativeDef::new("__new__", "cls, /, *args", slice_new, "").role(Role::Static),
    NativeDef::new(
        "indices",
        "self, len, /",
        indices,
        "Return the start, stop and step that the slice has on a sequence of this length.",
    ),
    NativeDef::getter("start", |_, a| Ok(slice(a[0]).map_or(Value::NONE, Slice::start)), ""),
    NativeDef::getter("stop", |_, a| Ok(slice(a[0]).map_or(Value::NONE, Slice::stop)), ""),
    NativeDef::getter("step", |_, a| Ok(slice(a[0]).map_or(Value::NONE, Slice::step)), ""),
];

fn range(v: Value<'_>) -> Option<&Range> {
    v.get::<Range>()
}

fn slice(v: Value<'_>) -> Option<&Slice> {
    v.get::<Slice>()
}

/// After the `__index__` of an argument: the construction begins again with it as an int. State:
/// the place of the argument, the class, the arguments.
static NEW_ROW: Row = Row {
    name: "range_new",
    catches: false,
    resume: |vm, state, answer| {
        let mut args = state[1..].to_vec();
        let at = state[0].as_small().unwrap_or(0) as usize;
        let v = answer.value()?;
        if let Some(warned) = vm.index_warning(v, &NEW_ROW, state) {
            return Err(warned);
        }
        if vm.as_index_i64(v).is_none() {
            return Err(
                vm.type_error(format!("__index__ returned non-int (type {})", vm.type_name(v)))
            );
        }
        args[at] = v;
        new(vm, &args)
    },
};

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if a.len() < 2 {
        return Err(vm.type_error("range expected at least 1 argument, got 0"));
    }
    if a.len() > 4 {
        return Err(
            vm.type_error(format!("range expected at most 3 arguments, got {}", a.len() - 1))
        );
    }
    let mut ints = Vec::new();
    for (at, &v) in a.iter().enumerate().skip(1) {
        if let Some(b) = v.as_bool() {
            ints.push(Value::int32(i32::from(b)));
        } else if let Some(n) = vm.as_index_i64(v) {
            // Of a subclass the plain int is kept.
            ints.push(match n {
                Ok(n) => vm.int(n),
                Err(()) => vm.bigint(vm.to_bigint(v).unwrap_or_default()),
            });
        } else {
            match vm.method(v, vm.names.__index__)? {
                Some((f, args)) => {
                    let mut state = vec![Value::len(at)];
                    state.extend_from_slice(a);
                    return match vm.call_leaf(f, &args) {
                        Some(r) => (NEW_ROW.resume)(vm, &state, Answer::Value(r?)),
                        None => Err(Exit::call(f, args, &NEW_ROW, state)),
                    };
                }
                None => {
                    return Err(vm.type_error(format!(
                        "'{}' object cannot be interpreted as an integer",
                        vm.type_name(v)
                    )));
                }
            }
        }
    }
    let (start, stop, step) = match ints[..] {
        [stop] => (Value::int32(0), stop, Value::int32(1)),
        [start, stop] => (start, stop, Value::int32(1)),
        [start, stop, step] => (start, stop, step),
        _ => return Ok(Value::NONE),
    };
    vm.new_range(start, stop, step)
}

fn len<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let n = range(a[0]).map_or(Value::NONE, Range::len_value);
    match vm.as_index_i64(n) {
        Some(Ok(_)) => Ok(n),
        _ => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
    }
}

fn reduce<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(r) = a[0].get::<Range>() else { return Ok(Value::NONE) };
    let parts = vm.tuple(&[r.start(), r.stop(), r.step()])?;
    vm.tuple(&[vm.class_value(Type::Range), parts])
}

fn reversed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(r) = range(a[0]) else { return Ok(Value::NONE) };
    let big = |v| vm.to_bigint(v).unwrap_or_default();
    let (start, step, n) = (big(r.start()), big(r.step()), big(r.len_value()));
    let last = &start + &step * (n - 1);
    let stop = vm.bigint(start - &step);
    let back = vm.new_range(vm.bigint(last), stop, vm.bigint(-step))?;
    vm.get_iter(back)
}

fn index<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(r) = range(a[0]) else { return Ok(Value::NONE) };
    match vm.range_index(r, a[1]) {
        Some(Some(i)) => Ok(vm.bigint(i)),
        Some(None) => {
            let shown = if let Some(b) = a[1].as_bool() {
                if b { "True".to_owned() } else { "False".to_owned() }
            } else if vm.as_index_i64(a[1]).is_some() {
                vm.to_bigint(a[1]).unwrap_or_default().to_string()
            } else {
                return Err(vm.value_error("sequence.index(x): x not in sequence"));
            };
            Err(vm.value_error(format!("{shown} is not in range")))
        }
        None => Err(vm.prelude_tail("seq", "index_iter", &[a[0], a[1]])),
    }
}

fn count<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(r) = range(a[0]) else { return Ok(Value::NONE) };
    match vm.range_index(r, a[1]) {
        Some(found) => Ok(Value::int32(i32::from(found.is_some()))),
        None => Err(vm.prelude_tail("seq", "seq_count", &[a[0], a[1]])),
    }
}

fn slice_new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(match a {
        [_, stop] => vm.slice(Value::NONE, *stop, Value::NONE),
        [_, start, stop] => vm.slice(*start, *stop, Value::NONE),
        [_, start, stop, step] => vm.slice(*start, *stop, *step),
        [_] | [] => return Err(vm.type_error("slice expected at least 1 argument, got 0")),
        more => {
            return Err(vm.type_error(format!(
                "slice expected at most 3 arguments, got {}",
                more.len() - 1
            )));
        }
    })
}

/// After the parts of a slice were made ints. State: the length.
static INDICES_ROW: Row = Row {
    name: "slice_indices",
    catches: false,
    resume: |vm, state, answer| indices(vm, &[answer.value()?, state[0]]),
};

fn indices<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = slice(a[0]) else { return Ok(Value::NONE) };
    let Some(n) = vm.to_bigint(a[1]) else { return Err(vm.not_an_integer(a[1])) };
    if n.sign() == Sign::Minus {
        return Err(vm.value_error("length should not be negative"));
    }
    for part in [s.start(), s.stop(), s.step()] {
        if !part.is_none() && vm.as_index_i64(part).is_none() {
            if vm.class_lookup(vm.class_of(part), vm.names.__index__).is_none() {
                return Err(vm.type_error(
                    "slice indices must be integers or None or have an __index__ method",
                ));
            }
            let f = vm.prelude("seq", "plain_slice")?;
            return Err(Exit::call(f, vec![a[0]], &INDICES_ROW, vec![a[1]]));
        }
    }
    let (start, stop, step) = fit_big(vm, s, &n)?;
    vm.tuple(&[vm.bigint(start), vm.bigint(stop), vm.bigint(step)])
}

/// Start, stop and step of a slice (its parts ints or None) of `n` items, of any size.
fn fit_big<'v>(vm: &'v Vm, s: &Slice, n: &BigInt) -> Result<(BigInt, BigInt, BigInt), Exit<'v>> {
    let zero = BigInt::from(0);
    let step = vm.to_bigint(s.step()).unwrap_or_else(|| BigInt::from(1));
    if step == zero {
        return Err(vm.value_error("slice step cannot be zero"));
    }
    let forward = step > zero;
    let (low, high) = if forward { (zero.clone(), n.clone()) } else { (BigInt::from(-1), n - 1) };
    let fit = |v: Value<'_>, default: &BigInt| match vm.to_bigint(v) {
        None => default.clone(),
        Some(i) if i < zero => (i + n).max(low.clone()),
        Some(i) => i.min(high.clone()),
    };
    let (start, stop) = if forward {
        (fit(s.start(), &low), fit(s.stop(), &high))
    } else {
        (fit(s.start(), &high), fit(s.stop(), &low))
    };
    Ok((start, stop, step))
}

impl Vm {
    /// A range of three ints.
    pub fn new_range<'v>(
        &'v self,
        start: Value<'v>,
        stop: Value<'v>,
        step: Value<'v>,
    ) -> NResult<'v> {
        if let (Some(a), Some(b), Some(s)) = (start.as_small(), stop.as_small(), step.as_small())
            && s != 0
        {
            let n =
                if s > 0 { (b - a + s - 1).div_euclid(s) } else { (a - b - s - 1).div_euclid(-s) };
            return Ok(self.range(start, stop, step, self.int(n.max(0))));
        }
        let big = |v| self.to_bigint(v).unwrap_or_default();
        let (a, b, s) = (big(start), big(stop), big(step));
        let zero = BigInt::from(0);
        if s == zero {
            return Err(self.value_error("range() arg 3 must not be zero"));
        }
        let distance = if s > zero { b - a } else { a - b };
        let n = if distance <= zero { zero } else { (distance - 1) / s.magnitude_int() + 1 };
        Ok(self.range(start, stop, step, self.bigint(n)))
    }

    /// Where `v` is in the range, if at all; `None` if script code must compare.
    pub(crate) fn range_index<'v>(&'v self, r: &'v Range, v: Value<'v>) -> Option<Option<BigInt>> {
        let n = if let Some(n) = self.to_bigint(v) {
            n
        } else if let Some(x) = v.as_float() {
            if x.fract() != 0.0 || !x.is_finite() {
                return Some(None);
            }
            match crate::num::float::to_int(x).ok()? {
                crate::num::Int::Small(n) => BigInt::from(n),
                crate::num::Int::Big(n) => n,
            }
        } else if !v.is_object()
            || self.exact_type(v).is_some() && v.kind() != Some(crate::heap::Kind::Complex)
        {
            return Some(None);
        } else {
            return None;
        };
        let big = |v| self.to_bigint(v).unwrap_or_default();
        let (start, step, len) = (big(r.start()), big(r.step()), big(r.len_value()));
        let offset = n - start;
        let (q, rest) = (&offset / &step, &offset % &step);
        let zero = BigInt::from(0);
        Some((rest == zero && q >= zero && q < len).then_some(q))
    }

    /// The sum of a range, if `v` is one, and an int.
    pub(crate) fn range_sum<'v>(&'v self, v: Value<'v>, start: Value<'v>) -> Option<Value<'v>> {
        let r = range(v)?;
        if self.exact_type(start) != Some(Type::Int) {
            return None;
        }
        let big = |v| self.to_bigint(v).unwrap_or_default();
        let (first, step, len) = (big(r.start()), big(r.step()), big(r.len_value()));
        let last = &first + &step * (&len - 1);
        Some(self.bigint(big(start) + (first + last) * len / 2))
    }

    /// `r[i]` for an int of any size.
    pub(crate) fn range_item<'v>(&'v self, r: &'v Range, i: Value<'v>) -> NResult<'v> {
        let out = || self.index_error("range object index out of range");
        let small = match (r.small(), r.len_value().as_small(), self.as_index_i64(i)) {
            (Some((start, _, step)), Some(len), Some(Ok(i))) => Some((start, step, len, i)),
            _ => None,
        };
        if let Some((start, step, len, i)) = small {
            let i = if i < 0 { i.saturating_add(len) } else { i };
            if i < 0 || i >= len {
                return Err(out());
            }
            return Ok(self.int(start + i * step));
        }
        let big = |v| self.to_bigint(v).unwrap_or_default();
        let len = big(r.len_value());
        let i = big(i);
        let i = if i.sign() == Sign::Minus { i + &len } else { i };
        if i.sign() == Sign::Minus || i >= len {
            return Err(out());
        }
        Ok(self.bigint(big(r.start()) + i * big(r.step())))
    }

    pub(crate) fn range_slice<'v>(&'v self, r: &'v Range, s: &'v Slice) -> NResult<'v> {
        for part in [s.start(), s.stop(), s.step()] {
            if !part.is_none() && self.as_index_i64(part).is_none() {
                if self.class_lookup(self.class_of(part), self.names.__index__).is_none() {
                    return Err(self.type_error(
                        "slice indices must be integers or None or have an __index__ method",
                    ));
                }
                let f = self.prelude("seq", "plain_slice")?;
                static ROW: Row = Row {
                    name: "range_slice",
                    catches: false,
                    resume: |vm, state, answer| vm.getitem(state[0], answer.value()?),
                };
                return Err(Exit::call(f, vec![Value::object(s)], &ROW, vec![Value::object(r)]));
            }
        }
        let big = |v| self.to_bigint(v).unwrap_or_default();
        let (a, b, k) = fit_big(self, s, &big(r.len_value()))?;
        let (start, step) = (big(r.start()), big(r.step()));
        let at = |i: BigInt| &start + i * &step;
        let (first, last) = (self.bigint(at(a)), self.bigint(at(b)));
        self.new_range(first, last, self.bigint(&step * k))
    }
}

/// The magnitude of an int as an int.
trait Magnitude {
    fn magnitude_int(&self) -> BigInt;
}

impl Magnitude for BigInt {
    fn magnitude_int(&self) -> BigInt {
        BigInt::from(self.magnitude().clone())
    }
}

/// The comparison rows of a class: each hands over to the one function.
macro_rules! comparisons {
    ($($op:ident $name:literal),*) => { &[$(
        NativeDef::new($name, "self, value, /", |vm, a| vm.builtin_compare(Cmp::$op, a[0], a[1]), "")
    ),*] };
}

/// `__eq__` and its kin, for the classes whose comparison is that of `ops::compare`.
pub const COMPARE: &[NativeDef] = comparisons!(
    Lt "__lt__", Le "__le__", Eq "__eq__", Ne "__ne__", Gt "__gt__", Ge "__ge__"
);

/// `__hash__` of classes that `ops::hash` knows.
pub const HASH: &[NativeDef] = &[NativeDef::new("__hash__", "self, /", hash, "Return hash(self).")];

fn hash<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.hash_native(a[0])
}

/// `__iter__` and `__contains__` of the builtin containers.
pub const ITERABLE: &[NativeDef] =
    &[NativeDef::new("__iter__", "self, /", iter, "Implement iter(self).")];

/// `__contains__` of the builtin containers.
pub const CONTAINS: &[NativeDef] =
    &[NativeDef::new("__contains__", "self, key, /", contains, "Return bool(key in self).")];

fn iter<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.builtin_iter(a[0]).unwrap_or_else(|| Err(vm.not_iterable(a[0])))
}

fn contains<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match vm.builtin_contains(a[0], a[1]) {
        Some(r) => r.map(Value::bool),
        None => Err(vm.not_iterable(a[0])),
    }
}

/// The class of a constructor's first argument, and the shape of what it makes.
pub(crate) fn class_of_arg<'v>(vm: &'v Vm, v: Value<'v>, t: Type) -> u32 {
    v.get::<Class>().map_or_else(|| vm.class(t).root_shape.get(), |c| c.root_shape.get())
}
