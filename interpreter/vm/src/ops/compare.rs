//! Comparison and membership.
//!
//! Values of the builtin types compare without calls, containers with a stack of our own. Where a
//! script method has a say, the steps of the protocol are a row; containers of such values are
//! compared by the prelude.

use std::cmp::Ordering;

use crate::Vm;
use crate::builtins::Type;
use crate::heap::Kind;
use crate::interp::dispatch::Flow;
use crate::interp::state::Mode;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::func::{BoundMethod, Function};
use crate::object::map::{Dict, Set};
use crate::object::record::DictView;
use crate::object::seq::{Range, Slice};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::object::view::data_of;
use crate::ops::equal::{Depth, Seq};
use crate::value::{Value, Word, both_ints, is_float};

/// A rich comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
#[repr(u8)]
pub enum Cmp {
    Lt,
    Le,
    Eq,
    Ne,
    Gt,
    Ge,
}

impl Cmp {
    const ALL: [Cmp; 6] = [Cmp::Lt, Cmp::Le, Cmp::Eq, Cmp::Ne, Cmp::Gt, Cmp::Ge];

    /// The same question with the operands swapped.
    pub fn swapped(self) -> Cmp {
        match self {
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Gt => Cmp::Lt,
            Cmp::Ge => Cmp::Le,
            same => same,
        }
    }

    /// The operator.
    pub fn symbol(self) -> &'static str {
        match self {
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Eq => "==",
            Cmp::Ne => "!=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
        }
    }

    /// The answer for operands in this order; `None` means unordered.
    pub fn of(self, o: Option<Ordering>) -> bool {
        match (self, o) {
            (Cmp::Ne, None) => true,
            (_, None) => false,
            (Cmp::Lt, Some(o)) => o.is_lt(),
            (Cmp::Le, Some(o)) => o.is_le(),
            (Cmp::Eq, Some(o)) => o.is_eq(),
            (Cmp::Ne, Some(o)) => o.is_ne(),
            (Cmp::Gt, Some(o)) => o.is_gt(),
            (Cmp::Ge, Some(o)) => o.is_ge(),
        }
    }
}

/// After a comparison method: its result, or the next step if it was NotImplemented.
/// State: operator, left, right, next step, whether to negate.
pub(crate) static COMPARE_ROW: Row = Row {
    name: "compare",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let op = Cmp::ALL[(state[0].as_small().unwrap_or(0) as usize).min(5)];
        let next = state[3].as_small().unwrap_or(2) as usize;
        vm.after_compare(op, state[1], state[2], next, state[4].is(Value::TRUE), v)
    },
};

/// The register of its frame that says whether it negates: the last of its state.
pub(crate) const COMPARE_NEGATES: usize = 5;

/// As COMPARE_ROW, for a branch: the truth of the result.
pub(crate) static COMPARE_TRUTH_ROW: Row = Row {
    name: "compare_truth",
    catches: false,
    resume: |vm, state, answer| {
        if let Answer::Value(v) = answer
            && v.as_bool().is_some()
        {
            return Ok(v);
        }
        let r = (COMPARE_ROW.resume)(vm, state, answer);
        crate::ops::truth::truth_of_result(vm, r).map(Value::bool)
    },
};

/// After `__contains__`: the truth of its result.
static CONTAINS_ROW: Row = Row {
    name: "contains",
    catches: false,
    resume: |vm, _, answer| vm.truth(answer.value()?).map(Value::bool),
};

/// After the `__index__` of what is looked for. State: the bytes, the object.
static BYTE_ROW: Row = Row {
    name: "contains_byte",
    catches: false,
    resume: |vm, state, answer| {
        let byte = answer.value()?;
        match vm.as_index_i64(byte) {
            Some(_) => vm.bytes_contains(state[0], byte).map(Value::bool),
            None => Err(vm.not_bytes(state[1])),
        }
    },
};

impl Vm {
    /// `a op b`: any value.
    #[inline]
    pub fn compare<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        if both_ints(a.word(), b.word()) {
            return Ok(Value::bool(op.of(Some(a.word().cmp(&b.word())))));
        }
        if is_float(a.word()) && is_float(b.word()) {
            let (x, y) = (f64::from_bits(a.word()), f64::from_bits(b.word()));
            return Ok(Value::bool(op.of(x.partial_cmp(&y))));
        }
        self.compare_general(op, a, b)
    }

    /// `a op b` where that is a call of a script method of `a`'s class: begins it, for register
    /// `dst` or for the branch at `st.pc`. `None` where it takes the general way.
    pub(crate) fn begin_comparison(
        &self,
        op: Cmp,
        a: Value<'_>,
        b: Value<'_>,
        dst: usize,
        mode: Mode,
    ) -> Option<Flow> {
        if a.kind() != Some(Kind::Instance) {
            return None;
        }
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        if !std::ptr::eq(ca, cb) && self.exact_type(b).is_none() && cb.is_subclass(ca) {
            return None;
        }
        let f = self.class_lookup(ca, self.comparison_name(op)).filter(|f| f.is_a::<Function>())?;
        let row = if mode == Mode::Branch { &COMPARE_TRUTH_ROW } else { &COMPARE_ROW };
        let state = [Value::int32(op as i32), a, b, Value::len(1), Value::FALSE];
        Some(self.push_call(f, &[a, b], row, &state, dst, mode))
    }

    fn compare_general<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        if self.exact_type(a).is_some() && self.exact_type(b).is_some() {
            // No script method can be involved but in the items of containers.
            let r = self.builtin_compare(op, a, b)?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
        }
        self.compare_from(op, a, b, 0)
    }

    fn comparison_name(&self, op: Cmp) -> Word {
        let n = &self.names;
        match op {
            Cmp::Lt => n.__lt__,
            Cmp::Le => n.__le__,
            Cmp::Eq => n.__eq__,
            Cmp::Ne => n.__ne__,
            Cmp::Gt => n.__gt__,
            Cmp::Ge => n.__ge__,
        }
    }

    /// The protocol from step `from` on: two attempts, then the default.
    fn compare_from<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>, from: usize) -> NResult<'v> {
        let (ca, cb) = (self.class_of(a), self.class_of(b));
        let reflected_first = !std::ptr::eq(ca, cb) && cb.is_subclass(ca);
        for step in from..2 {
            let (op1, x, y) =
                if (step == 0) == reflected_first { (op.swapped(), b, a) } else { (op, a, b) };
            let mut negate = false;
            let mut name = self.comparison_name(op1);
            let mut f = self.class_lookup(self.class_of(x), name);
            if op1 == Cmp::Ne && f.is_none_or(|f| self.native_owner(f) == Some(Type::Object)) {
                name = self.names.__eq__;
                negate = true;
                f = self.class_lookup(self.class_of(x), name);
            }
            let Some(f) = f else {
                let v = self.builtin_compare(op1, x, y)?;
                if v.is_not_implemented() {
                    continue;
                }
                return Ok(v);
            };
            if f.is_none() {
                return Err(self.type_error("'NoneType' object is not callable"));
            }
            match self.native_owner(f) {
                Some(Type::Object) => {
                    // A builtin class without rows of its own for this comparison.
                    let v = self.builtin_compare(op1, x, y)?;
                    if v.is_not_implemented() {
                        continue;
                    }
                    return Ok(v);
                }
                Some(t) if compares_here(t) => {
                    let v = self.builtin_compare(op1, x, y)?;
                    if v.is_not_implemented() {
                        continue;
                    }
                    return Ok(v);
                }
                _ => {}
            }
            let Some((f, mut args)) = self.method(x, name)? else { continue };
            args.push(y);
            if let Some(r) = self.call_leaf(f, &args) {
                return self.after_compare(op, a, b, step + 1, negate, r?);
            }
            let state =
                vec![Value::int32(op as i32), a, b, Value::len(step + 1), Value::bool(negate)];
            return Err(Exit::call(f, args, &COMPARE_ROW, state));
        }
        match op {
            Cmp::Eq => Ok(Value::bool(a.is(b))),
            Cmp::Ne => Ok(Value::bool(!a.is(b))),
            _ => Err(self.type_error(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                op.symbol(),
                self.full_name_of(a),
                self.full_name_of(b)
            ))),
        }
    }

    fn after_compare<'v>(
        &'v self,
        op: Cmp,
        a: Value<'v>,
        b: Value<'v>,
        next: usize,
        negate: bool,
        v: Value<'v>,
    ) -> NResult<'v> {
        if v.is_not_implemented() {
            return self.compare_from(op, a, b, next);
        }
        if !negate {
            return Ok(v);
        }
        match self.truth(v) {
            Ok(b) => Ok(Value::bool(!b)),
            Err(Exit::Do(action)) => Err(crate::ops::truth::negate_action(action)),
            Err(e) => Err(e),
        }
    }

    /// `a op b` as the builtin type of `a` has it: NotImplemented if it has no answer.
    pub(crate) fn builtin_compare<'v>(
        &'v self,
        op: Cmp,
        a: Value<'v>,
        b: Value<'v>,
    ) -> NResult<'v> {
        use crate::ops::equal::{compare_numbers, is_number};
        if is_number(a) {
            return Ok(match compare_numbers(a, b, op) {
                Some(r) => Value::bool(r),
                None => Value::NOT_IMPLEMENTED,
            });
        }
        let order = |o| Ok(Value::bool(op.of(Some(o))));
        match a.kind() {
            Some(Kind::Str) => match (a.get::<Str>(), b.get::<Str>()) {
                // Code points compare as their UTF-8 does.
                (Some(x), Some(y)) => order(x.bytes().cmp(y.bytes())),
                _ => Ok(Value::NOT_IMPLEMENTED),
            },
            Some(Kind::Bytes | Kind::ByteArray) => {
                let any = a.is_a::<ByteArray>() || b.is_a::<Bytes>() || b.is_a::<ByteArray>();
                let other = any.then_some(b);
                let o = other.and_then(|b| bytes_of(a, |x| bytes_of(b, |y| x.cmp(y)))?);
                match o {
                    Some(o) => order(o),
                    None => self.compare_memory(op, a, b),
                }
            }
            Some(Kind::MemoryView) => self.compare_memory(op, a, b),
            Some(Kind::List | Kind::Tuple) if a.kind() == b.kind() => {
                self.compare_sequences(op, a, b)
            }
            Some(Kind::Slice) if b.is_a::<Slice>() => {
                let parts = |s: Value<'v>| match s.get::<Slice>() {
                    Some(s) => self.tuple(&[s.start(), s.stop(), s.step()]),
                    None => Ok(self.empty_tuple()),
                };
                self.compare_sequences(op, parts(a)?, parts(b)?)
            }
            Some(Kind::Range) if b.is_a::<Range>() && matches!(op, Cmp::Eq | Cmp::Ne) => {
                self.equality(op, a, b, "equal")
            }
            Some(Kind::Dict) if b.is_a::<Dict>() && matches!(op, Cmp::Eq | Cmp::Ne) => {
                self.equality(op, a, b, "dict_eq")
            }
            Some(Kind::Set | Kind::FrozenSet) if self.set_like(b) => self.compare_sets(op, a, b),
            Some(Kind::DictView) if self.set_like(a) && self.set_like(b) => {
                self.compare_sets(op, a, b)
            }
            Some(Kind::BoundMethod) if matches!(op, Cmp::Eq | Cmp::Ne) => {
                match (a.get::<BoundMethod>(), b.get::<BoundMethod>()) {
                    (Some(x), Some(y)) => {
                        let same =
                            x.func.get() == y.func.get() && x.receiver.get() == y.receiver.get();
                        Ok(Value::bool(same == (op == Cmp::Eq)))
                    }
                    _ => Ok(Value::NOT_IMPLEMENTED),
                }
            }
            Some(Kind::GenericAlias) if matches!(op, Cmp::Eq | Cmp::Ne) => {
                self.compare_aliases(op, a, b)
            }
            _ => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    fn compare_memory<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        if !matches!(op, Cmp::Eq | Cmp::Ne) {
            return Ok(Value::NOT_IMPLEMENTED);
        }
        Ok(match self.memory_equal(a, b)? {
            Some(same) => Value::bool(same == (op == Cmp::Eq)),
            None => Value::NOT_IMPLEMENTED,
        })
    }

    pub(crate) fn compare_aliases<'v>(
        &'v self,
        op: Cmp,
        a: Value<'v>,
        b: Value<'v>,
    ) -> NResult<'v> {
        use crate::object::record::GenericAlias;
        let (Some(x), Some(y)) = (a.get::<GenericAlias>(), b.get::<GenericAlias>()) else {
            return Ok(Value::NOT_IMPLEMENTED);
        };
        if !x.origin().is(y.origin()) || !x.starred().is(y.starred()) {
            return Ok(Value::bool(op == Cmp::Ne));
        }
        if x.origin().is_empty() {
            if self.same_alias(a, b, 0)? {
                return Ok(Value::bool(op == Cmp::Eq));
            }
            let args = [x.args(), y.args()];
            let of_classes = |v: Value<'v>| {
                self.tuple_items(v).iter().all(|v| v.is_a::<crate::object::class::Class>())
            };
            if args.into_iter().all(of_classes) {
                return Ok(Value::bool(op == Cmp::Ne));
            }
            return Err(match self.prelude_tail("generic", "union_eq", &args) {
                Exit::Do(action) if op == Cmp::Ne => crate::ops::truth::negate_action(action),
                e => e,
            });
        }
        self.compare(op, x.args(), y.args())
    }

    /// Whether two arguments of aliases are the same: unions are in any order.
    pub(crate) fn same_alias<'v>(
        &'v self,
        a: Value<'v>,
        b: Value<'v>,
        depth: usize,
    ) -> Result<bool, Exit<'v>> {
        use crate::object::record::GenericAlias;
        /// Deeper ones are only the same if they are identical.
        const DEEPEST: usize = 100;
        if a.is(b) {
            return Ok(true);
        }
        let (Some(x), Some(y)) = (a.get::<GenericAlias>(), b.get::<GenericAlias>()) else {
            return Ok(self.equal_leaf(a, b)? == Some(true));
        };
        let (xs, ys) = (self.tuple_items(x.args()), self.tuple_items(y.args()));
        let alike = x.origin().is(y.origin()) && x.starred().is(y.starred());
        if depth > DEEPEST || !alike || xs.len() != ys.len() {
            return Ok(false);
        }
        for (i, v) in xs.iter().enumerate() {
            let others = if x.origin().is_empty() { ys } else { &ys[i..=i] };
            let mut found = false;
            for w in others {
                found = found || self.same_alias(*v, *w, depth + 1)?;
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `a == b` or `a != b` in one go, or by prelude function `general`.
    fn equality<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>, general: &str) -> NResult<'v> {
        match self.equal_items(a, b, Depth::default())? {
            Some(eq) => Ok(Value::bool(eq == (op == Cmp::Eq))),
            None => {
                let e = self.prelude_tail("compare", general, &[a, b]);
                match e {
                    Exit::Do(action) if op == Cmp::Ne => {
                        Err(crate::ops::truth::negate_action(action))
                    }
                    e => Err(e),
                }
            }
        }
    }

    /// Lists or tuples: the first items that differ decide.
    fn compare_sequences<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        if matches!(op, Cmp::Eq | Cmp::Ne) {
            return self.equality(op, a, b, "sequence_eq");
        }
        let (mut a, mut b) = (a, b);
        for _ in 0..=Depth::LIMIT {
            let (Some(x), Some(y)) = (Seq::of(a), Seq::of(b)) else { break };
            let mut differ = None;
            for i in 0..x.len().min(y.len()) {
                let (Some(p), Some(q)) = (x.get(i), y.get(i)) else { break };
                self.tick_at(i)?;
                match self.equal_leaf(p, q)? {
                    Some(true) => {}
                    Some(false) => {
                        differ = Some((p, q));
                        break;
                    }
                    None => {
                        let name = match op {
                            Cmp::Lt => "sequence_lt",
                            Cmp::Le => "sequence_le",
                            Cmp::Gt => "sequence_gt",
                            _ => "sequence_ge",
                        };
                        return Err(self.prelude_tail("compare", name, &[a, b]));
                    }
                }
            }
            let Some((p, q)) = differ else {
                return Ok(Value::bool(op.of(Some(x.len().cmp(&y.len())))));
            };
            let nested = matches!(p.kind(), Some(Kind::List | Kind::Tuple))
                && p.kind() == q.kind()
                && self.exact_type(p).is_some()
                && self.exact_type(q).is_some();
            if !nested {
                return self.compare(op, p, q);
            }
            (a, b) = (p, q);
        }
        Err(self.comparison_too_deep())
    }

    pub(crate) fn comparison_too_deep(&self) -> Exit<'_> {
        self.err(Type::RecursionError, "maximum recursion depth exceeded in comparison")
    }

    /// Whether `v` is a set, or a view of a dict that behaves as one.
    pub(crate) fn set_like(&self, v: Value<'_>) -> bool {
        v.is_a::<Set>()
            || v.is_a::<DictView>() && !matches!(self.exact_type(v), None | Some(Type::DictValues))
    }

    fn compare_sets<'v>(&'v self, op: Cmp, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let (la, lb) = (self.set_like_len(a), self.set_like_len(b));
        // A subset question: is each element of the first in the second?
        let (small, large, possible) = match op {
            Cmp::Eq | Cmp::Ne => (a, b, la == lb),
            Cmp::Le => (a, b, la <= lb),
            Cmp::Lt => (a, b, la < lb),
            Cmp::Ge => (b, a, lb <= la),
            Cmp::Gt => (b, a, lb < la),
        };
        if !possible {
            return Ok(Value::bool(op == Cmp::Ne));
        }
        match self.subset_leaf(small, large, Depth::default())? {
            Some(within) => Ok(Value::bool(within == (op != Cmp::Ne))),
            None => match self.prelude_tail("compare", "subset", &[small, large]) {
                Exit::Do(action) if op == Cmp::Ne => Err(crate::ops::truth::negate_action(action)),
                e => Err(e),
            },
        }
    }

    fn set_like_len(&self, v: Value<'_>) -> usize {
        if let Some(s) = v.get::<Set>() {
            return s.len();
        }
        v.get::<DictView>().and_then(|d| d.dict().get::<Dict>()).map_or(0, Dict::len)
    }

    /// `v in c`. If it needs a call, that gives a bool.
    pub fn contains<'v>(&'v self, c: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let exact = self.exact_type(c).is_some();
        if !exact {
            let Some(f) = self.class_lookup(self.class_of(c), self.names.__contains__) else {
                return self.contains_by_iteration(c, v);
            };
            if f.is_none() {
                return Err(
                    self.type_error(format!("'{}' object is not a container", self.type_name(c)))
                );
            }
            if !self.native_owner(f).is_some_and(compares_here) {
                let Some((f, mut args)) = self.method(c, self.names.__contains__)? else {
                    return self.contains_by_iteration(c, v);
                };
                args.push(v);
                return match self.call_leaf(f, &args) {
                    Some(r) => self.truth(r?),
                    None => Err(Exit::call(f, args, &CONTAINS_ROW, Vec::new())),
                };
            }
        }
        if let Some(r) = self.builtin_contains(c, v) {
            return r;
        }
        match self.method(c, self.names.__contains__)? {
            Some((f, mut args)) => {
                args.push(v);
                match self.call_leaf(f, &args) {
                    Some(r) => self.truth(r?),
                    None => Err(Exit::call(f, args, &CONTAINS_ROW, Vec::new())),
                }
            }
            None => self.contains_by_iteration(c, v),
        }
    }

    /// `v in c` for the builtin containers; `None` if `c` is none.
    pub(crate) fn builtin_contains<'v>(
        &'v self,
        c: Value<'v>,
        v: Value<'v>,
    ) -> Option<Result<bool, Exit<'v>>> {
        if let Some(d) = c.get::<Dict>() {
            return Some(self.dict_contains(d, v));
        }
        if let Some(s) = c.get::<Set>() {
            return Some(self.set_contains(s, v));
        }
        if let Some(items) = Seq::of(c) {
            return Some(self.sequence_contains(items, c, v));
        }
        if let Some(s) = c.get::<Str>() {
            return Some(match v.get::<Str>() {
                Some(n) => Ok(crate::text::find::find(s.bytes(), n.bytes()).is_some()),
                None => Err(self.type_error(format!(
                    "'in <string>' requires string as left operand, not {}",
                    self.type_name(v)
                ))),
            });
        }
        if matches!(c.kind(), Some(Kind::Bytes | Kind::ByteArray)) {
            return Some(self.bytes_contains(c, v));
        }
        if let Some(r) = c.get::<Range>() {
            let index = match v.is_object() && self.exact_type(v).is_none() {
                // An int of a subclass may have an `__eq__` of its own.
                true => None,
                false => self.range_index(r, v),
            };
            return Some(match index {
                Some(found) => Ok(found.is_some()),
                None => self.contains_by_iteration(c, v),
            });
        }
        let view = c.get::<DictView>()?;
        let d = view.dict();
        match self.exact_type(c) {
            Some(Type::DictKeys) => Some(self.contains(d, v)),
            Some(Type::DictItems) => Some(self.items_contains(d, v)),
            _ => Some(self.contains_by_iteration(c, v)),
        }
    }

    fn items_contains<'v>(&'v self, d: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let pair = match v.get::<crate::object::seq::Tuple>().map(|t| t.items()) {
            Some(&[k, x]) => (k, x),
            _ => return Ok(false),
        };
        let Some(dict) = d.get::<Dict>() else { return Ok(false) };
        if let Some(hash) = self.hash_leaf(pair.0)?
            && let Some(found) = self.dict_lookup(dict, pair.0, hash)?
        {
            match found.and_then(|i| dict.entry(i)) {
                None => return Ok(false),
                Some((_, x)) => {
                    if let Some(eq) = self.equal_leaf(x, pair.1)? {
                        return Ok(eq);
                    }
                }
            }
        }
        Err(self.prelude_tail("compare", "item_in", &[d, pair.0, pair.1]))
    }

    fn sequence_contains<'v>(
        &'v self,
        items: Seq<'v>,
        c: Value<'v>,
        v: Value<'v>,
    ) -> Result<bool, Exit<'v>> {
        for i in 0..items.len() {
            let Some(x) = items.get(i) else { break };
            self.tick_at(i)?;
            match self.equal_leaf(x, v)? {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => {
                    return Err(self.prelude_tail("compare", "index_from", &[c, v, Value::len(i)]));
                }
            }
        }
        Ok(false)
    }

    fn bytes_contains<'v>(&'v self, c: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let found = bytes_of(c, |h| bytes_of(v, |n| crate::text::find::find(h, n).is_some()));
        if let Some(Some(found)) = found {
            return Ok(found);
        }
        match self.as_index_i64(v) {
            Some(Ok(n @ 0..=255)) => Ok(bytes_of(c, |h| h.contains(&(n as u8))).unwrap_or(false)),
            Some(_) => Err(self.value_error("byte must be in range(0, 256)")),
            None => Err(match self.method(v, self.names.__index__)? {
                Some((f, args)) => Exit::call(f, args, &BYTE_ROW, vec![c, v]),
                None => self.not_bytes(v),
            }),
        }
    }

    fn not_bytes<'v>(&'v self, v: Value<'v>) -> Exit<'v> {
        self.type_error(format!("a bytes-like object is required, not '{}'", self.type_name(v)))
    }

    fn contains_by_iteration<'v>(&'v self, c: Value<'v>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        let class = self.class_of(c);
        if self.class_lookup(class, self.names.__iter__).is_none_or(|f| f.is_none())
            && self.class_lookup(class, self.names.__getitem__).is_none()
            && !c.is_a::<crate::object::iter::Iter>()
        {
            return Err(self.type_error(format!(
                "argument of type '{}' is not iterable",
                self.full_name_of(c)
            )));
        }
        Err(self.prelude_tail("compare", "in_iter", &[c, v]))
    }
}

/// Whether comparison and membership of instances of `t` are done in this file.
pub(crate) fn compares_here(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::Int
            | T::Bool
            | T::Float
            | T::Complex
            | T::Str
            | T::Bytes
            | T::ByteArray
            | T::List
            | T::Tuple
            | T::Range
            | T::Slice
            | T::Dict
            | T::Set
            | T::FrozenSet
            | T::DictKeys
            | T::DictItems
            | T::DictValues
            | T::GenericAlias
            | T::Union
            | T::Method
            | T::MemoryView
    )
}

/// Runs `f` on the bytes of an object that has some.
pub(crate) fn bytes_of<R>(v: Value<'_>, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
    data_of(v).map(|b| f(&b))
}
