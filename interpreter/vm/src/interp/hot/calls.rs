//! Calls, returns, and the private instructions of stub frames.

#![allow(unsafe_code)]

use super::{cold, kind_is, obj};
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::interp::dispatch::{ENDED, Flow, Handler0, Next, slow_path};
use crate::interp::state::{Ended, FrameRec, Mode, State};
use crate::native::Role;
use crate::object::func::{Function, Native, call_flags};
use crate::value::*;

/// CALL or CALLM of a native: directly, if the arguments need no binding and no check.
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
        match slow_path(|vm, _, _| vm.init_returned(), 1, pc, base, ins, k, st) {
            Flow::Next => goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table),
            Flow::Halt => ENDED,
        }
    }
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
