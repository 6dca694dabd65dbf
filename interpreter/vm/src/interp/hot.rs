//! The handlers: fast paths on raw words, and the table.
//!
//! A fast path touches nothing but registers, and objects whose kind it has checked; whatever it
//! does not expect goes to the slow path of the same instruction, which is complete by itself.

#![allow(unsafe_code)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

use super::dispatch::{ENDED, Flow, Handler, Handler0, Next, slow_path};
use super::slow;
use super::state::{FrameRec, Mode, State, private};
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::native::Role;
use crate::object::func::{CellObj, Function, Native, call_flags};
use crate::object::generator::Generator;
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
use crate::value::*;

/// The object of a pointer word as a `T`, unchecked.
#[inline(always)]
unsafe fn obj<T>(w: Word) -> *const T {
    ptr_of(w).cast()
}

#[inline(always)]
unsafe fn kind_is(w: Word, k: Kind) -> bool {
    // SAFETY: a pointer word points to a live object.
    is_ptr(w) && unsafe { (*ptr_of(w)).kind() as u8 == k as u8 }
}

#[inline(always)]
unsafe fn shape_of(w: Word) -> u32 {
    // SAFETY: as above.
    unsafe { (*ptr_of(w)).shape.get() }
}

/// The function of the running frame, also of a generator's.
#[inline(always)]
unsafe fn frame_function(base: *mut Word) -> Option<*const Function> {
    // SAFETY: base[-1] of a script frame is its function or generator.
    unsafe {
        let w = *base.sub(1);
        if kind_is(w, Kind::Function) {
            Some(obj(w))
        } else if kind_is(w, Kind::Generator) {
            Some(obj((*obj::<Generator>(w)).func.get()))
        } else {
            None
        }
    }
}

macro_rules! slow_handler {
    ($op:ident, $len:expr) => {
        #[cold]
        #[inline(never)]
        pub(super) unsafe extern "sysv64" fn $op(
            pc: *const u32,
            base: *mut Word,
            ins: u64,
            k: *const Word,
            st: *mut State,
            table: *const Handler0,
        ) -> u64 {
            // SAFETY: the arguments of a handler.
            unsafe {
                match slow_path(slow::$op, $len, pc, base, ins, k, st) {
                    Flow::Next => {
                        goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table)
                    }
                    Flow::Halt => ENDED,
                }
            }
        }
    };
}

/// The slow path of each instruction as a handler.
#[allow(non_snake_case)]
mod cold {
    use super::{ENDED, Flow, Handler0, Op, State, Word, slow, slow_path};
    macro_rules! cold_handlers {
        ($($name:ident,)*) => { $( slow_handler!($name, Op::$name.len()); )* };
    }
    for_each_opcode!(cold_handlers);
}

/// Defines a handler from a fast path.
macro_rules! hot {
    ($($name:ident |$pc:ident, $base:ident, $i:ident, $k:ident, $st:ident| $body:block)*) => {$(
        #[allow(non_snake_case)]
        unsafe extern "sysv64" fn $name(
            pc: *const u32,
            base: *mut Word,
            ins: u64,
            k: *const Word,
            st: *mut State,
            table: *const Handler0,
        ) -> u64 {
            #[inline(always)]
            unsafe fn body(
                $pc: *const u32,
                $base: *mut Word,
                $i: Ins,
                $k: *const Word,
                $st: *mut State,
            ) -> Next {
                let _ = ($base, $k, $st);
                // SAFETY: operands of verified code, words of live objects, checked kinds.
                unsafe { $body }
            }
            // SAFETY: the arguments of a handler.
            unsafe {
                match body(pc, base, Ins(ins as u32), k, st) {
                    Next::Go(pc) => goto!(pc, base, k, st, table),
                    Next::Switch(pc, base, k) => goto!(pc, base, k, st, table),
                    Next::Slow => {
                        return cold::$name(pc, base, ins, k, st, table);
                    }
                    Next::Native => {
                        return call_leaf(pc, base, ins, k, st, table);
                    }
                    Next::Safepoint(to) => {
                        return at_safepoint(to, base, ins, k, st, table);
                    }
                }
            }
        }
    )*};
}

/// CALL or CALLM of a native: directly, if the arguments need no binding and no check.
#[inline(never)]
unsafe extern "sysv64" fn call_leaf(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a native.
    unsafe {
        let i = Ins(ins as u32);
        let a = i.a();
        let native = &*obj::<Native>(*base.add(a));
        let method = i.op() == Op::CALLM as u8;
        // After SELF: a method with its receiver (whose class has it), or a plain function.
        let (first, n) = match (method, *base.add(a + 1) == EMPTY) {
            (false, _) => (a + 1, i.b()),
            (true, true) => (a + 2, i.b()),
            (true, false) => (a + 1, i.b() + 1),
        };
        let bound = native.receiver.get() != EMPTY && native.def.role != Role::Static;
        let unchecked = native.owner.get() == EMPTY || (method && first == a + 1);
        if bound || !unchecked || !native.def.arity.exact(n) {
            return match method {
                true => cold::CALLM(pc, base, ins, k, st, table),
                false => cold::CALL(pc, base, ins, k, st, table),
            };
        }
        (*st).pc.set(pc);
        (*st).base.set(base);
        (*st).k.set(k);
        match leaf_result(st, native, base.add(first), n, a) {
            LEAF_NEXT => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            LEAF_HALT => ENDED,
            w => {
                *base.add(a) = w;
                goto!(pc, base, k, st, table)
            }
        }
    }
}

/// No value: go on from the state.
const LEAF_NEXT: Word = 0xFFFB << 48;
/// No value: the run has ended.
const LEAF_HALT: Word = LEAF_NEXT + 1;

/// Runs a native: its result, or one of the two words that are no value. Apart from the handler,
/// because a result that is returned in memory would keep the handler's last call from being a
/// sibling call.
#[inline(never)]
unsafe fn leaf_result(
    st: *mut State,
    native: &Native,
    args: *const Word,
    n: usize,
    a: usize,
) -> Word {
    // SAFETY: as in `call_leaf`: the window holds `n` arguments.
    unsafe {
        let vm = &*st.cast::<crate::Vm>();
        let args = std::slice::from_raw_parts(args.cast::<Value<'_>>(), n);
        match vm.run_native(native, args) {
            Ok(v) => v.word(),
            Err(e) => match vm.do_exit(e, a, Mode::Reg) {
                Flow::Next => LEAF_NEXT,
                Flow::Halt => LEAF_HALT,
            },
        }
    }
}

/// A backward jump to `pc` with its fuel spent.
#[cold]
#[inline(never)]
unsafe extern "sysv64" fn at_safepoint(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        match slow_path(|vm, _, _| vm.safepoint(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

/// Jumps by `d` words from `pc`; backwards costs fuel.
#[inline(always)]
unsafe fn jump_by(pc: *const u32, d: isize, st: *mut State) -> Next {
    // SAFETY: jump targets were verified.
    unsafe {
        let to = pc.offset(d);
        if d < 0 {
            let fuel = (*st).fuel.get() - 1;
            (*st).fuel.set(fuel);
            if fuel <= 0 {
                return Next::Safepoint(to);
            }
        }
        Next::Go(to)
    }
}

/// The branch at `pc` after a comparison with result `truth`.
#[inline(always)]
unsafe fn branch_at(pc: *const u32, truth: bool, st: *mut State) -> Next {
    // SAFETY: a BRT or BRF follows every fused comparison.
    unsafe {
        let b = Ins(*pc);
        let taken = truth == (b.op() == Op::BRT as u8);
        if taken { jump_by(pc.add(1), b.sbx() as isize, st) } else { Next::Go(pc.add(1)) }
    }
}

macro_rules! arith {
    ($pc:ident, $base:ident, $i:ident, $x:expr, $y:expr, $int:expr, $float:expr) => {{
        let (x, y): (Word, Word) = ($x, $y);
        if both_ints(x, y) {
            if let Some(w) = $int(x, y) {
                *$base.add($i.a()) = w;
                return Next::Go($pc);
            }
        } else if is_float(x) && is_float(y) {
            let f: f64 = $float(float_of(x), float_of(y));
            *$base.add($i.a()) = float_word(f);
            return Next::Go($pc);
        } else if is_float(x) && is_int(y) {
            let f: f64 = $float(float_of(x), int_of(y) as f64);
            *$base.add($i.a()) = float_word(f);
            return Next::Go($pc);
        } else if is_int(x) && is_float(y) {
            let f: f64 = $float(int_of(x) as f64, float_of(y));
            *$base.add($i.a()) = float_word(f);
            return Next::Go($pc);
        }
        Next::Slow
    }};
}

#[inline(always)]
fn add_ints(x: Word, y: Word) -> Option<Word> {
    let w = x.wrapping_add(y.wrapping_sub(INT_BIAS));
    if is_int_sum(w) { Some(w) } else { None }
}

#[inline(always)]
fn sub_ints(x: Word, y: Word) -> Option<Word> {
    let w = x.wrapping_sub(y.wrapping_sub(INT_BIAS));
    if is_int_sum(w) { Some(w) } else { None }
}

#[inline(always)]
fn is_int_sum(w: Word) -> bool {
    w >> 50 == 0x3FFF
}

#[inline(always)]
fn mul_ints(x: Word, y: Word) -> Option<Word> {
    let p = int_of(x).checked_mul(int_of(y))?;
    if fits_small(p) { Some(int_word(p)) } else { None }
}

macro_rules! compare {
    ($pc:ident, $base:ident, $i:ident, $st:ident, $x:expr, $y:expr, $op:tt, $done:expr) => {{
        let (x, y): (Word, Word) = ($x, $y);
        let truth = if both_ints(x, y) {
            x $op y
        } else if is_float(x) && is_float(y) {
            float_of(x) $op float_of(y)
        } else {
            return Next::Slow;
        };
        $done(truth)
    }};
}

macro_rules! fused {
    ($($name:ident $imm:ident $op:tt;)*) => {
        hot! {$(
            $name |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), *base.add(i.c()), $op,
                    |t| branch_at(pc, t, st))
            }
            $imm |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), int_word(i64::from(i.imm())), $op,
                    |t| branch_at(pc, t, st))
            }
        )*}
    };
}

fused! {
    JLT JLTI <;
    JLE JLEI <=;
    JGT JGTI >;
    JGE JGEI >=;
}

macro_rules! comparisons {
    ($($name:ident $op:tt;)*) => {
        hot! {$(
            $name |pc, base, i, k, st| {
                compare!(pc, base, i, st, *base.add(i.b()), *base.add(i.c()), $op, |t: bool| {
                    *base.add(i.a()) = bool_word(t);
                    Next::Go(pc)
                })
            }
        )*}
    };
}

comparisons! {
    LT <;
    LE <=;
    GT >;
    GE >=;
}

/// Equality of words that are no objects and no floats, or the same interned string.
#[inline(always)]
unsafe fn quick_eq(x: Word, y: Word) -> Option<bool> {
    if both_ints(x, y) {
        return Some(x == y);
    }
    if is_float(x) && is_float(y) {
        return Some(float_of(x) == float_of(y));
    }
    // SAFETY: pointer words point to live objects.
    unsafe {
        if is_ptr(x) && is_ptr(y) && shape_of(x) == STR_SHAPE && shape_of(y) == STR_SHAPE {
            if x == y {
                return Some(true);
            }
            let (a, b) = (&*obj::<Str>(x), &*obj::<Str>(y));
            if a.is_interned() && b.is_interned() {
                return Some(false);
            }
            return Some(a.bytes() == b.bytes());
        }
    }
    if x == NONE || y == NONE {
        if x == y {
            return Some(true);
        }
        // None equals nothing else but objects with an __eq__ of their own.
        if !is_ptr(x) && !is_ptr(y) {
            return Some(false);
        }
    }
    None
}

use crate::builtins::Type;
use crate::object::text::Str;
const STR_SHAPE: u32 = Type::Str.shape();
const LIST_SHAPE: u32 = Type::List.shape();
const TUPLE_SHAPE: u32 = Type::Tuple.shape();
const DICT_SHAPE: u32 = Type::Dict.shape();

#[inline(always)]
unsafe fn list_item(list: Word, index: i64) -> Option<*mut Word> {
    // SAFETY: the caller checked the kind; no reference into the vector is held elsewhere while
    // the dispatch loop runs.
    unsafe {
        let items = &mut *(*obj::<List>(list)).items.get();
        let n = items.len() as i64;
        let at = if index < 0 { index + n } else { index };
        if at < 0 || at >= n { None } else { Some(items.as_mut_ptr().add(at as usize)) }
    }
}

hot! {
    MOVE |pc, base, i, k, st| {
        *base.add(i.a()) = *base.add(i.b());
        Next::Go(pc)
    }
    LOADK |pc, base, i, k, st| {
        *base.add(i.a()) = *k.add(i.bx());
        Next::Go(pc)
    }
    LOADI |pc, base, i, k, st| {
        *base.add(i.a()) = int_word(i.sbx() as i64);
        Next::Go(pc)
    }
    LOADS |pc, base, i, k, st| {
        *base.add(i.a()) = EMPTY + i.b() as u64;
        Next::Go(pc)
    }
    CHECK |pc, base, i, k, st| {
        if *base.add(i.a()) == EMPTY { Next::Slow } else { Next::Go(pc.add(1)) }
    }
    GETCELL |pc, base, i, k, st| {
        let v = (*obj::<CellObj>(*base.add(i.b()))).contents.get();
        if v == EMPTY {
            return Next::Slow;
        }
        *base.add(i.a()) = v;
        Next::Go(pc.add(1))
    }
    SETCELL |pc, base, i, k, st| {
        (*obj::<CellObj>(*base.add(i.a()))).contents.set(*base.add(i.b()));
        Next::Go(pc)
    }
    GETFREE |pc, base, i, k, st| {
        let Some(f) = frame_function(base) else { return Next::Slow };
        let cell = *(*f).free.add(i.bx());
        let v = (*obj::<CellObj>(cell)).contents.get();
        if v == EMPTY {
            return Next::Slow;
        }
        *base.add(i.a()) = v;
        Next::Go(pc)
    }
    SETFREE |pc, base, i, k, st| {
        let Some(f) = frame_function(base) else { return Next::Slow };
        let cell = *(*f).free.add(i.bx());
        (*obj::<CellObj>(cell)).contents.set(*base.add(i.a()));
        Next::Go(pc)
    }
    GETGLOBAL |pc, base, i, k, st| {
        let c = k.add(*pc as usize);
        let dict = *c.add(3) as *const Dict;
        let Some(f) = frame_function(base) else { return Next::Slow };
        let globals = ptr_of((*f).globals.get()).cast::<Dict>();
        if dict.is_null() || !std::ptr::eq(globals, dict) {
            return Next::Slow;
        }
        let t = &*(*dict).table_ptr();
        let version = t.version() << 1 | 1;
        let key = *c.add(1);
        if key == version {
            match t.get(*c.add(2) as usize) {
                Some(e) => *base.add(i.a()) = e.value,
                None => return Next::Slow,
            }
        } else if key == version | 1 << 63 {
            *base.add(i.a()) = *c.add(2);
        } else {
            return Next::Slow;
        }
        Next::Go(pc.add(1))
    }
    GETATTR |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        let key = *c.add(1);
        if key == shape | crate::cache::kind::INLINE {
            *base.add(i.a()) = *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>();
            return Next::Go(pc.add(1));
        }
        if key == shape | crate::cache::kind::CLASS {
            *base.add(i.a()) = *c.add(2);
            return Next::Go(pc.add(1));
        }
        if key == shape | crate::cache::kind::MORE {
            let more = crate::object::instance::more_of(&*ptr_of(o)).get();
            let block = &*obj::<crate::object::instance::Slots>(more);
            *base.add(i.a()) = block.cells().get_unchecked(*c.add(2) as usize).get();
            return Next::Go(pc.add(1));
        }
        if key == shape | crate::cache::kind::MODULE {
            let dict = *c.add(3) as *const Dict;
            let module = &*obj::<crate::object::record::Module>(o);
            if std::ptr::eq(ptr_of(module.dict.get()).cast::<Dict>(), dict) {
                let t = &*(*dict).table_ptr();
                let packed = *c.add(2);
                if t.version() & 0xFFFF_FFFF == packed >> 32
                    && let Some(e) = t.get((packed & 0xFFFF_FFFF) as usize)
                {
                    *base.add(i.a()) = e.value;
                    return Next::Go(pc.add(1));
                }
            }
        }
        Next::Slow
    }
    SETATTR |pc, base, i, k, st| {
        let o = *base.add(i.a());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        let key = *c.add(1);
        if key == shape | crate::cache::kind::INLINE {
            *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>() = *base.add(i.b());
            return Next::Go(pc.add(1));
        }
        if key == shape | crate::cache::kind::ADD {
            *ptr_of(o).cast::<u8>().add(*c.add(2) as usize).cast::<Word>() = *base.add(i.b());
            (*ptr_of(o)).shape.set(*c.add(3) as u32);
            return Next::Go(pc.add(1));
        }
        Next::Slow
    }
    SELF |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let c = k.add(*pc as usize);
        let shape = u64::from(shape_of(o));
        if *c.add(1) == shape | crate::cache::kind::METHOD {
            *base.add(i.a()) = *c.add(2);
            *base.add(i.a() + 1) = o;
            return Next::Go(pc.add(1));
        }
        if *c.add(1) == shape | crate::cache::kind::MODULE {
            let dict = *c.add(3) as *const Dict;
            let module = &*obj::<crate::object::record::Module>(o);
            if std::ptr::eq(ptr_of(module.dict.get()).cast::<Dict>(), dict) {
                let t = &*(*dict).table_ptr();
                let packed = *c.add(2);
                if t.version() & 0xFFFF_FFFF == packed >> 32
                    && let Some(e) = t.get((packed & 0xFFFF_FFFF) as usize)
                {
                    *base.add(i.a()) = e.value;
                    *base.add(i.a() + 1) = EMPTY;
                    return Next::Go(pc.add(1));
                }
            }
        }
        Next::Slow
    }
    GETITEM |pc, base, i, k, st| {
        let (o, x) = (*base.add(i.b()), *base.add(i.c()));
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE && is_int(x) {
            match list_item(o, int_of(x)) {
                Some(p) => *base.add(i.a()) = *p,
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == TUPLE_SHAPE && is_int(x) {
            let items = (*obj::<Tuple>(o)).items();
            let n = int_of(x);
            let at = if n < 0 { n + items.len() as i64 } else { n };
            if at < 0 || at as usize >= items.len() {
                return Next::Slow;
            }
            *base.add(i.a()) = items.get_unchecked(at as usize).word();
            return Next::Go(pc);
        }
        if shape == DICT_SHAPE {
            let hash = if is_int(x) {
                crate::hash::int(int_of(x))
            } else if kind_is(x, Kind::Str) && (*obj::<Str>(x)).hash.get() != 0 {
                (*obj::<Str>(x)).hash.get()
            } else {
                return Next::Slow;
            };
            let t = &*(*obj::<Dict>(o)).table_ptr();
            if let Some(e) = t.find_identical(hash, x).and_then(|at| t.get(at)) {
                *base.add(i.a()) = e.value;
                return Next::Go(pc);
            }
        }
        Next::Slow
    }
    GETITEMI |pc, base, i, k, st| {
        let o = *base.add(i.b());
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE {
            match list_item(o, i64::from(i.imm())) {
                Some(p) => *base.add(i.a()) = *p,
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == TUPLE_SHAPE {
            let items = (*obj::<Tuple>(o)).items();
            let n = i64::from(i.imm());
            let at = if n < 0 { n + items.len() as i64 } else { n };
            if at < 0 || at as usize >= items.len() {
                return Next::Slow;
            }
            *base.add(i.a()) = items.get_unchecked(at as usize).word();
            return Next::Go(pc);
        }
        Next::Slow
    }
    SETITEM |pc, base, i, k, st| {
        let (o, x) = (*base.add(i.a()), *base.add(i.b()));
        if !is_ptr(o) {
            return Next::Slow;
        }
        let shape = shape_of(o);
        if shape == LIST_SHAPE && is_int(x) {
            match list_item(o, int_of(x)) {
                Some(p) => *p = *base.add(i.c()),
                None => return Next::Slow,
            }
            return Next::Go(pc);
        }
        if shape == DICT_SHAPE {
            let hash = if is_int(x) {
                crate::hash::int(int_of(x))
            } else if kind_is(x, Kind::Str) && (*obj::<Str>(x)).hash.get() != 0 {
                (*obj::<Str>(x)).hash.get()
            } else {
                return Next::Slow;
            };
            let t = &mut *(*obj::<Dict>(o)).table_ptr();
            if let Some(at) = t.find_identical(hash, x) {
                t.set_value(at, *base.add(i.c()));
                return Next::Go(pc);
            }
        }
        Next::Slow
    }
    ADD |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints, |x: f64, y: f64| x + y)
    }
    SUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints, |x: f64, y: f64| x - y)
    }
    MUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints, |x: f64, y: f64| x * y)
    }
    IADD |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), add_ints, |x: f64, y: f64| x + y)
    }
    ISUB |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), sub_ints, |x: f64, y: f64| x - y)
    }
    IMUL |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), *base.add(i.c()), mul_ints, |x: f64, y: f64| x * y)
    }
    ADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints, |x: f64, y: f64| x + y)
    }
    SUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints, |x: f64, y: f64| x - y)
    }
    IADDI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), add_ints, |x: f64, y: f64| x + y)
    }
    ISUBI |pc, base, i, k, st| {
        arith!(pc, base, i, *base.add(i.b()), int_word(i64::from(i.imm())), sub_ints, |x: f64, y: f64| x - y)
    }
    TRUEDIV |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        let d = if is_float(y) { float_of(y) } else if is_int(y) { int_of(y) as f64 } else { return Next::Slow };
        let n = if is_float(x) { float_of(x) } else if is_int(x) { int_of(x) as f64 } else { return Next::Slow };
        if d == 0.0 {
            return Next::Slow;
        }
        // Ints of 50 bits are exact as floats, so their quotient is rounded once.
        *base.add(i.a()) = float_word(n / d);
        Next::Go(pc)
    }
    FLOORDIV |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) == 0 {
            return Next::Slow;
        }
        let (n, d) = (int_of(x), int_of(y));
        let q = n.wrapping_div(d);
        let q = if (n % d != 0) && ((n < 0) != (d < 0)) { q - 1 } else { q };
        if !fits_small(q) {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(q);
        Next::Go(pc)
    }
    MOD |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) == 0 {
            return Next::Slow;
        }
        let (n, d) = (int_of(x), int_of(y));
        let r = n.wrapping_rem(d);
        let r = if r != 0 && ((r < 0) != (d < 0)) { r + d } else { r };
        *base.add(i.a()) = int_word(r);
        Next::Go(pc)
    }
    BITAND |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(int_of(x) & int_of(y));
        Next::Go(pc)
    }
    BITOR |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(int_of(x) | int_of(y));
        Next::Go(pc)
    }
    BITXOR |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(int_of(x) ^ int_of(y));
        Next::Go(pc)
    }
    LSHIFT |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || !(0..=62).contains(&int_of(y)) {
            return Next::Slow;
        }
        let (v, s) = (int_of(x), int_of(y) as u32);
        let r = v.wrapping_shl(s);
        if r >> s != v || !fits_small(r) {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(r);
        Next::Go(pc)
    }
    RSHIFT |pc, base, i, k, st| {
        let (x, y) = (*base.add(i.b()), *base.add(i.c()));
        if !both_ints(x, y) || int_of(y) < 0 {
            return Next::Slow;
        }
        *base.add(i.a()) = int_word(int_of(x) >> int_of(y).min(63));
        Next::Go(pc)
    }
    NEG |pc, base, i, k, st| {
        let x = *base.add(i.b());
        if is_float(x) {
            *base.add(i.a()) = float_word(-float_of(x));
            return Next::Go(pc);
        }
        if is_int(x) && fits_small(-int_of(x)) {
            *base.add(i.a()) = int_word(-int_of(x));
            return Next::Go(pc);
        }
        Next::Slow
    }
    NOT |pc, base, i, k, st| {
        match *base.add(i.b()) {
            TRUE => *base.add(i.a()) = FALSE,
            FALSE | NONE => *base.add(i.a()) = TRUE,
            _ => return Next::Slow,
        }
        Next::Go(pc)
    }
    IS |pc, base, i, k, st| {
        *base.add(i.a()) = bool_word(*base.add(i.b()) == *base.add(i.c()));
        Next::Go(pc)
    }
    ISNOT |pc, base, i, k, st| {
        *base.add(i.a()) = bool_word(*base.add(i.b()) != *base.add(i.c()));
        Next::Go(pc)
    }
    JIS |pc, base, i, k, st| { branch_at(pc, *base.add(i.b()) == *base.add(i.c()), st) }
    JISNOT |pc, base, i, k, st| { branch_at(pc, *base.add(i.b()) != *base.add(i.c()), st) }
    EQ |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => *base.add(i.a()) = bool_word(t),
            None => return Next::Slow,
        }
        Next::Go(pc)
    }
    NE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => *base.add(i.a()) = bool_word(!t),
            None => return Next::Slow,
        }
        Next::Go(pc)
    }
    JEQ |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Slow,
        }
    }
    JNE |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), *base.add(i.c())) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Slow,
        }
    }
    JEQI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, t, st),
            None => Next::Slow,
        }
    }
    JNEI |pc, base, i, k, st| {
        match quick_eq(*base.add(i.b()), int_word(i64::from(i.imm()))) {
            Some(t) => branch_at(pc, !t, st),
            None => Next::Slow,
        }
    }
    BRT |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => jump_by(pc, i.sbx() as isize, st),
            FALSE | NONE => Next::Go(pc),
            w if is_int(w) => {
                if w == INT_BIAS { Next::Go(pc) } else { jump_by(pc, i.sbx() as isize, st) }
            }
            _ => Next::Slow,
        }
    }
    BRF |pc, base, i, k, st| {
        match *base.add(i.a()) {
            TRUE => Next::Go(pc),
            FALSE | NONE => jump_by(pc, i.sbx() as isize, st),
            w if is_int(w) => {
                if w == INT_BIAS { jump_by(pc, i.sbx() as isize, st) } else { Next::Go(pc) }
            }
            _ => Next::Slow,
        }
    }
    JUMP |pc, base, i, k, st| { jump_by(pc, i.sj() as isize, st) }
    FORITER |pc, base, i, k, st| {
        let s = base.add(i.a());
        let state = *s;
        if marker::is(state, marker::RANGE) {
            let (at, stop) = (*s.add(1), *s.add(2));
            let step = state as u32 as i32;
            let more = if step > 0 { at < stop } else { at > stop };
            if !more {
                return Next::Go(pc.add(1));
            }
            *base.add(i.b()) = at;
            *s.add(1) = at.wrapping_add(i64::from(step) as u64);
            return jump_by(pc.add(1), Ins(*pc).sj() as isize, st);
        }
        let at = *s.add(1);
        if is_int(at) {
            // A list or tuple by index: FORPREP checked which.
            let n = int_of(at) as usize;
            let w = if kind_is(state, Kind::List) {
                let items = &*(*obj::<List>(state)).items.get();
                match items.get(n) {
                    Some(&w) => w,
                    None => {
                        // Exhausted for good, even if the list grows.
                        *s = EMPTY;
                        return Next::Go(pc.add(1));
                    }
                }
            } else {
                match (*obj::<Tuple>(state)).items().get(n) {
                    Some(v) => v.word(),
                    None => return Next::Go(pc.add(1)),
                }
            };
            *base.add(i.b()) = w;
            *s.add(1) = at + 1;
            return jump_by(pc.add(1), Ins(*pc).sj() as isize, st);
        }
        Next::Slow
    }
    CALL |pc, base, i, k, st| {
        let a = i.a();
        let callee = *base.add(a);
        if kind_is(callee, Kind::Function) {
            let f = &*obj::<Function>(callee);
            let new = base.add(a + 1);
            if f.call_flags & call_flags::SIMPLE != 0
                && f.arg_count as usize == i.b()
                && (*st).frame.get() < (*st).frame_limit.get()
                && new.wrapping_add(f.reg_count as usize) < (*st).stack_limit.get()
            {
                let rec = (*st).frame.get();
                rec.write(FrameRec { pc, k });
                (*st).frame.set(rec.add(1));
                return Next::Switch(f.entry, new, f.k);
            }
        } else if kind_is(callee, Kind::Native) {
            return Next::Native;
        }
        Next::Slow
    }
    CALLM |pc, base, i, k, st| {
        let a = i.a();
        let callee = *base.add(a);
        if kind_is(callee, Kind::Function) && *base.add(a + 1) != EMPTY {
            let f = &*obj::<Function>(callee);
            let new = base.add(a + 1);
            if f.call_flags & call_flags::SIMPLE != 0
                && f.arg_count as usize == i.b() + 1
                && (*st).frame.get() < (*st).frame_limit.get()
                && new.wrapping_add(f.reg_count as usize) < (*st).stack_limit.get()
            {
                let rec = (*st).frame.get();
                rec.write(FrameRec { pc, k });
                (*st).frame.set(rec.add(1));
                return Next::Switch(f.entry, new, f.k);
            }
        } else if kind_is(callee, Kind::Native) {
            return Next::Native;
        }
        Next::Slow
    }
    RETURN |pc, base, i, k, st| {
        if !kind_is(*base.sub(1), Kind::Function) {
            return Next::Slow;
        }
        let _ = pc;
        *base.sub(1) = *base.add(i.a());
        let rec = (*st).frame.get().sub(1);
        (*st).frame.set(rec);
        let r = *rec;
        let a = Ins(*r.pc.sub(1)).a();
        Next::Switch(r.pc, base.sub(a + 1), r.k)
    }
    RETNONE |pc, base, i, k, st| {
        if !kind_is(*base.sub(1), Kind::Function) {
            return Next::Slow;
        }
        let _ = (pc, i);
        *base.sub(1) = NONE;
        let rec = (*st).frame.get().sub(1);
        (*st).frame.set(rec);
        let r = *rec;
        let a = Ins(*r.pc.sub(1)).a();
        Next::Switch(r.pc, base.sub(a + 1), r.k)
    }
    APPEND |pc, base, i, k, st| {
        let items = &mut *(*obj::<List>(*base.add(i.a()))).items.get();
        if items.len() < items.capacity() {
            items.push(*base.add(i.b()));
            return Next::Go(pc);
        }
        Next::Slow
    }
}

unsafe extern "sysv64" fn cont(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        match slow_path(|vm, _, _| vm.resume_native(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

unsafe extern "sysv64" fn init_ret(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler. R[0] of the stub frame is the result of __init__.
    unsafe {
        if *base == NONE {
            let rec = (*st).frame.get().sub(1);
            (*st).frame.set(rec);
            let r = *rec;
            let a = Ins(*r.pc.sub(1)).a();
            goto!(r.pc, base.sub(a + 1), r.k, st, table)
        }
        match slow_path(|vm, _, _| vm.init_returned(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

unsafe extern "sysv64" fn halt(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    _table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler. R[0] of the outermost frame is the result.
    unsafe {
        let _ = slow_path(
            |vm, _, _| {
                vm.st.result.set(vm.st.reg(0));
                vm.st.ended.set(super::state::Ended::Returned);
                Flow::Halt
            },
            1,
            pc,
            base,
            ins,
            k,
            st,
        );
    }
    ENDED
}

unsafe extern "sysv64" fn illegal(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler.
    unsafe {
        match slow_path(|vm, _, _| vm.corrupt(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

macro_rules! cold_table {
    ($($name:ident,)*) => {
        const COLD: &[Handler] = &[$( cold::$name, )*];
    };
}
for_each_opcode!(cold_table);

macro_rules! table {
    ($($hot:ident)*) => {{
        let mut t = [Handler0(illegal); 256];
        let mut n = 0;
        while n < COLD.len() {
            t[n] = Handler0(COLD[n]);
            n += 1;
        }
        $( t[Op::$hot as usize] = Handler0($hot); )*
        t[private::CONT as usize] = Handler0(cont);
        t[private::INITRET as usize] = Handler0(init_ret);
        t[private::HALT as usize] = Handler0(halt);
        t
    }};
}

/// The handlers by opcode byte.
pub(super) static TABLE: [Handler0; 256] = table! {
    MOVE LOADK LOADI LOADS CHECK GETCELL SETCELL GETFREE SETFREE GETGLOBAL GETATTR SETATTR SELF
    GETITEM GETITEMI SETITEM ADD SUB MUL IADD ISUB IMUL ADDI SUBI IADDI ISUBI TRUEDIV FLOORDIV MOD
    BITAND BITOR BITXOR LSHIFT RSHIFT NEG NOT IS ISNOT JIS JISNOT EQ NE LT LE GT GE JEQ JNE JLT JLE
    JGT JGE JEQI JNEI JLTI JLEI JGTI JGEI BRT BRF JUMP FORITER CALL CALLM RETURN RETNONE APPEND
};

/// Runs from the state until the run loop ends.
pub(super) unsafe fn run(st: *mut State) {
    let table = TABLE.as_ptr();
    // SAFETY: the state points to an instruction of a frame that was set up by the caller.
    unsafe {
        #[cfg(not(miniscript_loop))]
        {
            let pc = (*st).pc.get();
            let ins = *pc;
            let h = (*table.add((ins & 0xff) as usize)).0;
            let _ = h(pc.add(1), (*st).base.get(), u64::from(ins), (*st).k.get(), st, table);
        }
        #[cfg(miniscript_loop)]
        loop {
            let pc = (*st).pc.get();
            let ins = *pc;
            let h = (*table.add((ins & 0xff) as usize)).0;
            let r = h(pc.add(1), (*st).base.get(), u64::from(ins), (*st).k.get(), st, table);
            if r == ENDED {
                break;
            }
        }
    }
}
