//! Binary, in-place and unary operators: who is asked, in which order, and what is said when
//! nobody knows.
//!
//! Exact builtin operands are dealt with at once. Otherwise an operation is a walk over [`Step`]s,
//! which is interrupted where a step is a call of script code and goes on where that returns
//! NotImplemented. `+` and `*` of sequences come last: their methods are in the classes of
//! sequences like all others, but another operand's reflected method goes before them.

use crate::Vm;
use crate::builtins::Type;
use crate::code::op::Op;
use crate::heap::Kind;
use crate::interp::dispatch::Flow;
use crate::interp::state::Mode;
use crate::names::Names;
use crate::native::{Exit, NResult, NativeFn, Row};
use crate::object::class::Class;
use crate::object::func::{Function, Native};
use crate::value::{Value, Word};

macro_rules! operators {
    ($( $id:ident $symbol:literal $forward:ident $reflected:ident $inplace:ident; )*) => {
        /// A binary operator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Bin { $( $id, )* }

        impl Bin {
            const ALL: &'static [Bin] = &[$( Bin::$id, )*];

            /// How messages show it.
            fn symbol(self) -> &'static str {
                match self { $( Bin::$id => $symbol, )* }
            }

            /// The names of its three methods.
            fn names(self, n: &Names) -> (Word, Word, Word) {
                match self { $( Bin::$id => (n.$forward, n.$reflected, n.$inplace), )* }
            }
        }
    };
}

operators! {
    Add "+" __add__ __radd__ __iadd__;
    Sub "-" __sub__ __rsub__ __isub__;
    Mul "*" __mul__ __rmul__ __imul__;
    TrueDiv "/" __truediv__ __rtruediv__ __itruediv__;
    FloorDiv "//" __floordiv__ __rfloordiv__ __ifloordiv__;
    Mod "%" __mod__ __rmod__ __imod__;
    Pow "** or pow()" __pow__ __rpow__ __ipow__;
    LShift "<<" __lshift__ __rlshift__ __ilshift__;
    RShift ">>" __rshift__ __rrshift__ __irshift__;
    And "&" __and__ __rand__ __iand__;
    Or "|" __or__ __ror__ __ior__;
    Xor "^" __xor__ __rxor__ __ixor__;
    MatMul "@" __matmul__ __rmatmul__ __imatmul__;
    DivMod "divmod()" __divmod__ __rdivmod__ __divmod__;
}

impl Bin {
    /// Whether only ints and sets have it, not floats.
    pub(crate) fn is_bitwise(self) -> bool {
        matches!(self, Bin::LShift | Bin::RShift | Bin::And | Bin::Or | Bin::Xor | Bin::MatMul)
    }

    fn of(op: Op) -> Bin {
        match op {
            Op::SUB => Bin::Sub,
            Op::MUL => Bin::Mul,
            Op::TRUEDIV => Bin::TrueDiv,
            Op::FLOORDIV => Bin::FloorDiv,
            Op::MOD => Bin::Mod,
            Op::POW => Bin::Pow,
            Op::LSHIFT => Bin::LShift,
            Op::RSHIFT => Bin::RShift,
            Op::BITAND => Bin::And,
            Op::BITOR => Bin::Or,
            Op::BITXOR => Bin::Xor,
            Op::MATMUL => Bin::MatMul,
            _ => Bin::Add,
        }
    }
}

/// The steps of an operation, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    InPlace,
    First,
    Second,
    Sequence,
    Fail,
}

impl Step {
    const ALL: [Step; 5] = [Step::InPlace, Step::First, Step::Second, Step::Sequence, Step::Fail];

    fn next(self) -> Step {
        Step::ALL[(self as usize + 1).min(Step::Fail as usize)]
    }
}

/// An operation on its way.
#[derive(Clone, Copy)]
struct Operation<'v> {
    op: Bin,
    inplace: bool,
    a: Value<'v>,
    b: Value<'v>,
}

/// After the method of a step was called: its result, or the next step.
pub(crate) static STEP_ROW: Row = Row {
    name: "operator_step",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if !v.is_not_implemented() {
            return Ok(v);
        }
        let [packed, a, b] = *state else { return Ok(v) };
        let n = packed.as_small().unwrap_or(0) as usize;
        let op = Bin::ALL[(n >> 8) % Bin::ALL.len()];
        let o = Operation { op, inplace: n & 16 != 0, a, b };
        vm.run_steps(o, Step::ALL[(n & 7).min(Step::Fail as usize)].next())
    },
};

/// After `__index__` of a repeat count: the product.
static REPEAT_ROW: Row = Row {
    name: "operator_repeat",
    catches: false,
    resume: |vm, state, answer| {
        let n = vm.index_result(answer.value()?)?;
        vm.repeat_sequence(state[0], n, state[1].is(Value::TRUE))
    },
};

impl Vm {
    /// `a op b`.
    pub fn binary<'v>(&'v self, op: Op, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        self.binary_op(Bin::of(op), a, b)
    }

    /// `a op b`, `divmod` included.
    pub(crate) fn binary_op<'v>(&'v self, op: Bin, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        if let Some(found) = self.exact_binary(op, a, b) {
            return found;
        }
        self.run_steps(Operation { op, inplace: false, a, b }, Step::First)
    }

    /// `a op= b`: gives the new value.
    pub fn inplace<'v>(&'v self, op: Op, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let op = Bin::of(op);
        let mutable = matches!(a.kind(), Some(Kind::List | Kind::ByteArray));
        if !mutable && let Some(found) = self.exact_binary(op, a, b) {
            return found;
        }
        self.run_steps(Operation { op, inplace: true, a, b }, Step::InPlace)
    }

    /// The result for exact builtin operands that no method need be asked about.
    fn exact_binary<'v>(&'v self, op: Bin, a: Value<'v>, b: Value<'v>) -> Option<NResult<'v>> {
        if let (Some(x), Some(y)) = (self.exact_number(a), self.exact_number(b)) {
            if let (Bin::And | Bin::Or | Bin::Xor, Some(x), Some(y)) =
                (op, a.as_bool(), b.as_bool())
            {
                return Some(Ok(Value::bool(match op {
                    Bin::And => x & y,
                    Bin::Or => x | y,
                    _ => x ^ y,
                })));
            }
            return match self.num_binary(op, x, y) {
                Ok(v) if v.is_not_implemented() => None,
                found => Some(found),
            };
        }
        match op {
            Bin::Add => {
                let (x, y) = (self.exact_type(a)?, self.exact_type(b)?);
                if x == y { self.concat_pair(a, b) } else { None }
            }
            Bin::Mul => {
                self.exact_type(a)?;
                self.exact_type(b)?;
                if let Some(Ok(n)) = self.as_index_i64(b) {
                    self.repeat(a, n)
                } else if let Some(Ok(n)) = self.as_index_i64(a) {
                    self.repeat(b, n)
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// `a op b` (or `op=`) for register `dst`, where that is a call of a script method of `a`'s
    /// class: begins it. `None` where it takes the general way.
    pub(crate) fn begin_operator(
        &self,
        op: Op,
        inplace: bool,
        a: Value<'_>,
        b: Value<'_>,
        dst: usize,
    ) -> Option<Flow> {
        if a.kind() != Some(Kind::Instance) {
            return None;
        }
        let (ca, op) = (self.class_of(a), Bin::of(op));
        // An operand whose class derives from that of the left one may go first.
        let cb = self.class_of(b);
        if !std::ptr::eq(ca, cb) && self.exact_type(b).is_none() && cb.is_subclass(ca) {
            return None;
        }
        let (forward, _, own) = op.names(&self.names);
        if inplace && self.class_lookup(ca, own).is_some() {
            return None;
        }
        let f = self.class_lookup(ca, forward).filter(|f| f.is_a::<Function>())?;
        let o = Operation { op, inplace, a, b };
        Some(self.push_call(f, &[a, b], &STEP_ROW, &o.state(Step::First), dst, Mode::Reg))
    }

    /// Goes on with an operation at `step`.
    fn run_steps<'v>(&'v self, o: Operation<'v>, step: Step) -> NResult<'v> {
        let mut step = step;
        while step < Step::Sequence {
            let Some((f, me, other)) = self.candidate(o, step) else {
                step = step.next();
                continue;
            };
            let (f, args) = if self.is_plain_method(f) {
                (f, vec![me, other])
            } else {
                let (f, mut args) = self.method_behind(f, me)?;
                args.push(other);
                (f, args)
            };
            match self.call_padded(f, &args) {
                Some(Ok(v)) if v.is_not_implemented() => step = step.next(),
                Some(found @ (Ok(_) | Err(Exit::Raise(_)))) => return found,
                Some(Err(e)) => return Err(self.then_state(e, &STEP_ROW, &o.state(step))),
                None => return Err(Exit::call(f, args, &STEP_ROW, o.state(step).to_vec())),
            }
        }
        if step == Step::Sequence
            && let Some(found) = self.sequence_step(o)
        {
            return found;
        }
        Err(self.unsupported(o))
    }

    /// The method that a step asks, its receiver and its argument.
    fn candidate<'v>(
        &'v self,
        o: Operation<'v>,
        step: Step,
    ) -> Option<(Value<'v>, Value<'v>, Value<'v>)> {
        let (ca, cb) = (self.class_of(o.a), self.class_of(o.b));
        let (forward, reflected, inplace) = o.op.names(&self.names);
        let asked =
            |class, name| self.class_lookup(class, name).filter(|f| !self.is_sequence_method(*f));
        if step == Step::InPlace {
            return asked(ca, inplace).map(|f| (f, o.a, o.b));
        }
        // The right operand goes first if its class derives from the left one's and brings a
        // reflected method of its own.
        let right_first = !std::ptr::eq(ca, cb) && cb.is_subclass(ca) && {
            let (l, r) = (self.class_lookup(ca, reflected), self.class_lookup(cb, reflected));
            r.is_some_and(|r| l.is_none_or(|l| !l.is(r)))
        };
        if (step == Step::First) == right_first {
            if std::ptr::eq(ca, cb) {
                return None;
            }
            asked(cb, reflected).map(|f| (f, o.b, o.a))
        } else {
            asked(ca, forward).map(|f| (f, o.a, o.b))
        }
    }

    /// Whether `f` is the `+` or `*` of a builtin sequence.
    fn is_sequence_method(&self, f: Value<'_>) -> bool {
        let Some(n) = f.get::<Native>() else { return false };
        let name = n.def.name.trim_matches('_');
        if !matches!(name, "add" | "iadd" | "mul" | "imul" | "rmul") {
            return false;
        }
        self.word_value(n.owner.get()).get::<Class>().is_some_and(is_sequence_class)
    }

    /// `+` and `*` as sequences have them.
    fn sequence_step<'v>(&'v self, o: Operation<'v>) -> Option<NResult<'v>> {
        let (forward, _, inplace) = o.op.names(&self.names);
        match o.op {
            Bin::Add => {
                let class = self.class_of(o.a);
                let own =
                    |name| self.class_lookup(class, name).filter(|f| self.is_sequence_method(*f));
                let f = if o.inplace { own(inplace) } else { None };
                if let Some(f) = f.or_else(|| own(forward)) {
                    let args = [o.a, o.b];
                    return Some(
                        self.call_padded(f, &args)
                            .unwrap_or_else(|| Err(Exit::tail(f, args.to_vec()))),
                    );
                }
                self.concat_pair(o.a, o.b)
            }
            Bin::Mul => {
                let is_seq = |v| {
                    self.class_lookup(self.class_of(v), forward)
                        .map_or(is_sequence_kind(v), |f| self.is_sequence_method(f))
                };
                let (seq, count, mutates) = if is_seq(o.a) {
                    (o.a, o.b, o.inplace)
                } else if is_seq(o.b) && !(o.inplace && self.has_sequence_slots(o.a)) {
                    (o.b, o.a, false)
                } else {
                    return None;
                };
                Some(self.repeat_by(seq, count, mutates))
            }
            _ => None,
        }
    }

    /// Whether CPython takes `v *= seq` for a matter of `v` alone: containers that do not repeat,
    /// and what classes of scripts make.
    fn has_sequence_slots(&self, v: Value<'_>) -> bool {
        self.exact_type(v).is_none()
            || matches!(
                v.kind(),
                Some(
                    Kind::Dict
                        | Kind::Set
                        | Kind::FrozenSet
                        | Kind::DictView
                        | Kind::Range
                        | Kind::MappingProxy
                        | Kind::MemoryView
                )
            )
    }

    /// `seq * count` for any count.
    fn repeat_by<'v>(&'v self, seq: Value<'v>, count: Value<'v>, mutates: bool) -> NResult<'v> {
        if self.as_int(count).is_some() {
            let n = self.index_result(count)?;
            return self.repeat_sequence(seq, n, mutates);
        }
        match self.class_lookup(self.class_of(count), self.names.__index__) {
            Some(_) => self.index_then(count, &REPEAT_ROW, vec![seq, Value::bool(mutates)]),
            None => Err(self.type_error(format!(
                "can't multiply sequence by non-int of type '{}'",
                self.type_name(count)
            ))),
        }
    }

    /// The size that `__index__` gave.
    fn index_result<'v>(&'v self, v: Value<'v>) -> Result<i64, Exit<'v>> {
        match self.as_index_i64(v) {
            Some(Ok(n)) => Ok(n),
            Some(Err(())) => Err(self.overflow_error(format!(
                "cannot fit '{}' into an index-sized integer",
                self.type_name(v)
            ))),
            None => {
                Err(self
                    .type_error(format!("__index__ returned non-int (type {})", self.type_name(v))))
            }
        }
    }

    fn repeat_sequence<'v>(&'v self, seq: Value<'v>, n: i64, mutates: bool) -> NResult<'v> {
        let name = if mutates { self.names.__imul__ } else { self.names.__mul__ };
        let class = self.class_of(seq);
        let own = |name| self.class_lookup(class, name).filter(|f| self.is_sequence_method(*f));
        let f = own(name).or_else(|| own(self.names.__mul__));
        if let Some(f) = f {
            let args = [seq, self.int(n)];
            if let Some(found) = self.call_padded(f, &args) {
                return found;
            }
        }
        self.repeat(seq, n).unwrap_or_else(|| {
            Err(self.type_error(format!("'{}' cannot be repeated", self.type_name(seq))))
        })
    }

    /// Calls `f` if it is a native whose other parameters have defaults; `None` if it is not.
    pub(crate) fn call_padded<'v>(
        &'v self,
        f: Value<'v>,
        args: &[Value<'v>],
    ) -> Option<NResult<'v>> {
        let n = f.get::<Native>()?;
        let arity = n.def.arity;
        let ours = matches!(n.def.func, NativeFn::Leaf(_));
        if !ours || n.receiver.get() != crate::value::EMPTY || arity.varargs || arity.varkw {
            return None;
        }
        let (given, fixed) = (args.len(), arity.fixed as usize);
        if given == fixed {
            return Some(self.run_native(n, args));
        }
        if given < arity.min as usize || given > arity.max as usize {
            return None;
        }
        let mut all = args.to_vec();
        all.resize(fixed, Value::EMPTY);
        Some(self.run_native(n, &all))
    }

    #[cold]
    fn unsupported<'v>(&'v self, o: Operation<'v>) -> Exit<'v> {
        let symbol = match (o.op, o.inplace) {
            (Bin::Pow, true) => "**=".to_owned(),
            (op, true) => format!("{}=", op.symbol()),
            (op, false) => op.symbol().to_owned(),
        };
        let mut message = format!(
            "unsupported operand type(s) for {symbol}: '{}' and '{}'",
            self.full_name_of(o.a),
            self.full_name_of(o.b)
        );
        if o.op == Bin::RShift
            && !o.inplace
            && o.a.get::<Native>().is_some_and(|n| n.def.name == "print")
        {
            message.push_str(". Did you mean \"print(<message>, file=<output_stream>)\"?");
        }
        self.type_error(message)
    }

    /// `-a`, `+a`, `~a`.
    pub fn unary<'v>(&'v self, op: Op, a: Value<'v>) -> NResult<'v> {
        if let Some(n) = self.exact_number(a) {
            match op {
                Op::NEG => return Ok(self.num_neg(n)),
                Op::POS if a.as_bool().is_none() => return Ok(a),
                Op::POS => return Ok(self.num_value(n)),
                _ if a.as_bool().is_some() => return self.invert_bool(a),
                _ => {
                    if let Some(v) = self.num_invert(n) {
                        return Ok(v);
                    }
                }
            }
        }
        let (name, symbol) = match op {
            Op::NEG => (self.names.__neg__, "-"),
            Op::POS => (self.names.__pos__, "+"),
            _ => (self.names.__invert__, "~"),
        };
        let class = self.class_of(a);
        match self.class_lookup(class, name) {
            Some(f) => {
                let (f, args) =
                    if self.is_plain_method(f) { (f, vec![a]) } else { self.method_behind(f, a)? };
                self.call_padded(f, &args).unwrap_or_else(|| Err(Exit::tail(f, args)))
            }
            None => Err(self.type_error(format!(
                "bad operand type for unary {symbol}: '{}'",
                self.full_name_of(a)
            ))),
        }
    }
}

impl<'v> Operation<'v> {
    fn state(self, step: Step) -> [Value<'v>; 3] {
        let n = step as i32 | i32::from(self.inplace) << 4 | (self.op as i32) << 8;
        [Value::int32(n), self.a, self.b]
    }
}

fn is_sequence_kind(v: Value<'_>) -> bool {
    matches!(v.kind(), Some(Kind::Str | Kind::List | Kind::Tuple | Kind::Bytes | Kind::ByteArray))
}

fn is_sequence_class(c: &Class) -> bool {
    [Type::Str, Type::List, Type::Tuple, Type::Bytes, Type::ByteArray]
        .iter()
        .any(|t| c.native_type.get() == *t as u16)
}
