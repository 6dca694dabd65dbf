//! Calls, returns, and the private instructions of stub frames.

#![allow(unsafe_code)]

use super::generators::{generator_k, is_generator, push_generator};
use super::tables;
use super::{DICT_SHAPE, LIST_SHAPE, STR_SHAPE, TUPLE_SHAPE, kind_is, obj, shape_of};
use crate::builtins::{Type, object};
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::interp::dispatch::{ENDED, Flow, Handler0, Next, slow_path};
use crate::interp::state::{Ended, FrameRec, Mode, SLACK, State, Stubs};
use crate::native::{NativeFn, Quick, Role};
use crate::object::class::{Class, class_flags};
use crate::object::func::{Function, Native, call_flags};
use crate::object::generator::Generator;
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
use crate::object::text::Str;
use crate::value::*;

/// CALL or CALLM of a native: directly, if its arguments can be laid out here.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn call_leaf(
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
        let args = base.add(first);
        let quick = native.def.quick;
        if quick != Quick::No && unchecked && !bound {
            let sent = match quick {
                Quick::Send if n == 2 && is_generator(*args) => *args.add(1),
                Quick::Next if n == 1 && is_generator(*args) => NONE,
                _ => {
                    let w = quick_native(st, quick, args, n);
                    if w != EMPTY {
                        *base.add(a) = w;
                        goto!(pc, base, k, st, table)
                    }
                    EMPTY
                }
            };
            if sent != EMPTY
                && let Some(new) = push_generator(*args, sent, pc, base, k, st, a, Mode::Send)
            {
                goto!((*obj::<Generator>(*new.sub(1))).pc.get(), new, generator_k(new), st, table)
            }
        }
        let n = if bound || !unchecked {
            None
        } else if native.def.arity.exact(n) {
            Some(n)
        } else if matches!(native.def.func, NativeFn::Typed(..)) {
            // A typed entry wants the arguments that are there, without absent ones.
            None
        } else {
            // The words above the arguments are dead, and so many are always there.
            let window = std::slice::from_raw_parts_mut(args, n + SLACK / 2);
            native.def.arity.lay_out(window, n)
        };
        let Some(n) = n else { slow!(pc, base, ins, k, st, table) };
        (*st).pc.set(pc);
        (*st).base.set(base);
        (*st).k.set(k);
        match leaf_result(st, native, args, n, a) {
            LEAF_NEXT => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            LEAF_HALT => ENDED,
            w => {
                *base.add(a) = w;
                goto!(pc, base, k, st, table)
            }
        }
    }
}

/// What a native of `Quick` comes to in the common case; else Empty.
#[inline(never)]
unsafe fn quick_native(st: *mut State, quick: Quick, args: *const Word, n: usize) -> Word {
    // SAFETY: the window holds `n` arguments; for methods the first is an instance of the class.
    unsafe {
        if n == 0 {
            return EMPTY;
        }
        let me = *args;
        match quick {
            Quick::IsInstance if n == 2 => return quick_isinstance(st, me, *args.add(1)),
            Quick::Min | Quick::Max if n == 2 && both_ints(me, *args.add(1)) => {
                // The words of ints are in the order of the ints.
                let y = *args.add(1);
                return if (y < me) == (quick == Quick::Min) { y } else { me };
            }
            Quick::Abs if n == 1 && is_float(me) => return float_word(float_of(me).abs()),
            Quick::Abs if n == 1 && is_int(me) && int_of(me) > SMALL_MIN => {
                return int_word(int_of(me).abs());
            }
            _ if !is_ptr(me) => return EMPTY,
            _ => {}
        }
        match (quick, shape_of(me)) {
            (Quick::Append, LIST_SHAPE) if n == 2 => {
                if (*obj::<List>(me)).push_within(*args.add(1)) { NONE } else { EMPTY }
            }
            (Quick::Pop, LIST_SHAPE) if n == 1 => {
                (*obj::<List>(me)).pop().map_or(EMPTY, Value::word)
            }
            (Quick::Get, DICT_SHAPE) if n == 2 || n == 3 => {
                let default = if n == 3 { *args.add(2) } else { NONE };
                tables::get_or(st, &*obj::<Dict>(me), *args.add(1), default)
            }
            (Quick::Ord, STR_SHAPE) if n == 1 => match (*obj::<Str>(me)).bytes() {
                [one] => int_word(i64::from(*one)),
                _ => EMPTY,
            },
            (Quick::Len, LIST_SHAPE) if n == 1 => Value::len((*obj::<List>(me)).len()).word(),
            (Quick::Len, STR_SHAPE) if n == 1 => Value::len((*obj::<Str>(me)).char_len()).word(),
            (Quick::Len, TUPLE_SHAPE) if n == 1 => Value::len((*obj::<Tuple>(me)).len()).word(),
            (Quick::Len, DICT_SHAPE) if n == 1 => Value::len((*obj::<Dict>(me)).len()).word(),
            _ => EMPTY,
        }
    }
}

/// `isinstance(x, class)` of a class or a tuple of classes; else Empty.
unsafe fn quick_isinstance(st: *mut State, x: Word, class: Word) -> Word {
    // SAFETY: live words.
    unsafe {
        if !is_ptr(class) || shape_of(class) != TUPLE_SHAPE {
            return quick_is_of(st, x, class);
        }
        for one in (*obj::<Tuple>(class)).items() {
            match quick_is_of(st, x, one.word()) {
                FALSE => {}
                answer => return answer,
            }
        }
        FALSE
    }
}

/// `isinstance(x, class)` of a class whose metaclass has nothing to say; else Empty.
#[inline(always)]
unsafe fn quick_is_of(st: *mut State, x: Word, class: Word) -> Word {
    // SAFETY: live words; `State` is the first field of `Vm`.
    unsafe {
        if !is_ptr(class) || shape_of(class) != Type::Type.shape() {
            return EMPTY;
        }
        let vm = &*st.cast::<crate::Vm>();
        let own = vm.class_of(vm.word_value(x));
        if own.is_subclass(&*obj::<Class>(class)) {
            return TRUE;
        }
        // Those of scripts may have a `__class__` of their own.
        if own.has(class_flags::HEAP) { EMPTY } else { FALSE }
    }
}

/// CALL of a class made by a script, with an `__init__` of plain parameters or none at all.
#[inline(never)]
unsafe extern "sysv64" fn make_instance(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a class. `State` is the first field of `Vm`.
    unsafe {
        let i = Ins(ins as u32);
        let (a, n) = (i.a(), i.b());
        let class = &*obj::<Class>(*base.add(a));
        if !class.has(class_flags::HEAP) {
            let made = quick_builtin(st, *base.add(a), base.add(a + 1), n);
            if made == EMPTY {
                slow!(pc, base, ins, k, st, table)
            }
            *base.add(a) = made;
            goto!(pc, base, k, st, table)
        }
        let init = init_of(st, class);
        if init == NONE && n == 0 {
            *base.add(a) = (*st.cast::<crate::Vm>()).instance(class).word();
            goto!(pc, base, k, st, table)
        }
        if !is_ptr(init) {
            slow!(pc, base, ins, k, st, table)
        }
        let f = &*obj::<Function>(init);
        let new = base.add(a + 2);
        let rec = (*st).frame.get();
        if f.call_flags & (call_flags::SIMPLE | call_flags::GENERATOR) != call_flags::SIMPLE
            || f.arg_count as usize != n + 1
            || rec.wrapping_add(1) >= (*st).frame_limit.get()
            || new.wrapping_add(f.reg_count as usize) >= (*st).stack_limit.get()
        {
            slow!(pc, base, ins, k, st, table)
        }
        let me = (*st.cast::<crate::Vm>()).instance(class).word();
        // R[a] is base[-1] of the stub frame, R[a+1] its callee; the arguments move up for both.
        let mut at = n;
        while at > 0 {
            *new.add(at) = *base.add(a + at);
            at -= 1;
        }
        *new = me;
        *base.add(a + 1) = init;
        *base.add(a) = me;
        rec.write(FrameRec { pc, k });
        rec.add(1).write(FrameRec { pc: Stubs::init_ret(), k });
        (*st).frame.set(rec.add(2));
        goto!(f.entry, new, f.k, st, table)
    }
}

/// What calls of a builtin class come to in the commonest cases; else Empty.
#[inline(never)]
unsafe fn quick_builtin(st: *mut State, class: Word, args: *const Word, n: usize) -> Word {
    // SAFETY: `State` is the first field of `Vm`; the window holds `n` arguments.
    unsafe {
        let vm = &*st.cast::<crate::Vm>();
        let Some(&t) = Type::ALL.get((*obj::<Class>(class)).native_type.get() as usize) else {
            return EMPTY;
        };
        // Native classes of modules have the type of their base.
        if n == 0 || vm.class_value(t).word() != class {
            return EMPTY;
        }
        let x = *args;
        let is_str = is_ptr(x) && shape_of(x) == STR_SHAPE;
        match t {
            Type::Range if n <= 2 => quick_range(vm, args, n),
            Type::Str if n == 1 && is_int(x) => vm.small_int_str(int_of(x)).word(),
            Type::Int if n == 1 && is_str => {
                short_decimal((*obj::<Str>(x)).bytes()).map_or(EMPTY, int_word)
            }
            Type::Str if n == 1 && is_str => x,
            Type::Int if n == 1 && is_int(x) => x,
            Type::Float if n == 1 && is_float(x) => x,
            Type::Float if n == 1 && is_int(x) => float_word(int_of(x) as f64),
            _ => EMPTY,
        }
    }
}

/// The number that a few digits stand for.
fn short_decimal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 14 {
        return None;
    }
    text.iter().try_fold(0, |n, b| {
        let digit = b.wrapping_sub(b'0');
        (digit < 10).then(|| n * 10 + i64::from(digit))
    })
}

/// `range(n)` or `range(a, b)` of small ints; else Empty.
#[inline(always)]
unsafe fn quick_range(vm: &crate::Vm, args: *const Word, n: usize) -> Word {
    // SAFETY: the window holds `n` arguments.
    unsafe {
        let (from, to) = if n == 1 { (INT_BIAS, *args) } else { (*args, *args.add(1)) };
        if !both_ints(from, to) {
            return EMPTY;
        }
        let len = (int_of(to) - int_of(from)).max(0);
        let word = |w| vm.word_value(w);
        vm.range(word(from), word(to), Value::int32(1), vm.int(len)).word()
    }
}

/// The `__init__` of a plain class: a script function, None if it is that of `object`, or Empty
/// if making an instance takes the slow path.
#[inline(never)]
unsafe fn init_of(st: *mut State, class: &Class) -> Word {
    const SPECIAL: u32 =
        class_flags::NEW | class_flags::ABSTRACT | class_flags::META_CALL | class_flags::NO_NEW;
    if class.has(SPECIAL) || !class.has(class_flags::HEAP) || class.layout.get() != Kind::Instance {
        return EMPTY;
    }
    // SAFETY: `State` is the first field of `Vm`.
    let vm = unsafe { &*st.cast::<crate::Vm>() };
    match vm.class_lookup(class, vm.names.__init__) {
        Some(f) if f.is_a::<Function>() => f.word(),
        Some(f) if f.get::<Native>().is_some_and(|n| std::ptr::eq(n.def, &object::INIT)) => NONE,
        _ => EMPTY,
    }
}

/// No value: go on from the state.
pub(super) const LEAF_NEXT: Word = 0xFFFB << 48;
/// No value: the run has ended.
pub(super) const LEAF_HALT: Word = LEAF_NEXT + 1;

/// The word that stands for what an exit led to.
#[inline(always)]
pub(super) fn leave(flow: Flow) -> Word {
    match flow {
        Flow::Next => LEAF_NEXT,
        Flow::Halt => LEAF_HALT,
    }
}

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
            Err(e) => leave(vm.do_exit(e, a, Mode::Reg)),
        }
    }
}

hot! {
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
            return Next::Tail(call_leaf);
        } else if kind_is(callee, Kind::Class) {
            return Next::Tail(make_instance);
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
            return Next::Tail(call_leaf);
        }
        Next::Slow
    }
    KWNAMES |pc, base, i, k, st| {
        (*st).kwnames.set(*k.add(*pc as usize));
        Next::Go(pc.add(1))
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
}

pub(super) unsafe extern "sysv64" fn cont(
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

pub(super) unsafe extern "sysv64" fn init_ret(
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
        match slow_path(init_returned, 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
}

/// Never inlined: its locals would keep the last call of `init_ret` from being a jump.
#[inline(never)]
fn init_returned(vm: &mut crate::Vm, _: Ins, _: u32) -> Flow {
    vm.init_returned()
}

pub(super) unsafe extern "sysv64" fn halt(
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
                vm.st.ended.set(Ended::Returned);
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

pub(super) unsafe extern "sysv64" fn illegal(
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
