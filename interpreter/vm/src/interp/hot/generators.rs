//! Resuming and yielding, where nothing is out of the ordinary.
//!
//! These are tails of the handlers of FORITER, DELEGATE and YIELD: functions of the handlers'
//! signature, so that copying registers costs the handlers themselves no saved registers. The
//! complete forms are in `interp::generator`.

#![allow(unsafe_code)]

use super::{frame_function, kind_is, obj, shape_of};
use crate::builtins::Type;
use crate::code::op::Ins;
use crate::heap::Kind;
use crate::interp::dispatch::{ENDED, Flow, Handler0, Next};
use crate::interp::state::{Delta, FrameRec, Mode, State};
use crate::object::func::Function;
use crate::object::generator::{GenState, Generator};
use crate::value::*;

const GENERATOR_SHAPE: u32 = Type::Generator.shape();

/// Whether `w` is a plain generator.
#[inline(always)]
pub(super) unsafe fn is_generator(w: Word) -> bool {
    // SAFETY: a pointer word points to a live object.
    is_ptr(w) && unsafe { shape_of(w) } == GENERATOR_SHAPE
}

/// Copies `n` words; not with `memcpy`, which is slow for so few.
#[inline(always)]
unsafe fn copy_words(from: *const Word, to: *mut Word, n: usize) {
    // SAFETY: the caller knows `n` words at both places.
    unsafe {
        let mut i = 0;
        while i + 4 <= n {
            let four = from.add(i).cast::<[Word; 4]>().read();
            to.add(i).cast::<[Word; 4]>().write(four);
            i += 4;
        }
        while i < n {
            to.add(i).write_volatile(from.add(i).read());
            i += 1;
        }
    }
}

/// Pushes the frame of a generator that waits at a yield or was not started, above the running
/// frame; gives its base. `None`: something needs the complete form.
#[inline(never)]
pub(super) unsafe fn push_generator(
    generator: Word,
    sent: Word,
    pc: *const u32,
    base: *mut Word,
    k: *const Word,
    st: *mut State,
    dst: usize,
    mode: Mode,
) -> Option<*mut Word> {
    // SAFETY: the word is a generator's; the frame's own function says how many registers it has;
    // room is checked.
    unsafe {
        let g = &*obj::<Generator>(generator);
        let first = match g.state.get() {
            GenState::Suspended => false,
            GenState::Created if sent == NONE => true,
            _ => return None,
        };
        let offset = (*frame_function(base)?).reg_count as usize + 3;
        let new = base.add(offset);
        let n = g.reg_len.get() as usize;
        let rec = (*st).frame.get();
        if rec >= (*st).frame_limit.get() || new.wrapping_add(n + 8) >= (*st).stack_limit.get() {
            return None;
        }
        let handled = (*st).handled.get();
        new.sub(3).write(handled);
        new.sub(2).write(Delta { delta: offset, dst, mode }.word());
        new.sub(1).write(generator);
        copy_words(g.regs.get(), new, n);
        if !first {
            new.add(g.resume_reg.get() as usize).write(sent);
        }
        rec.write(FrameRec { pc, k });
        (*st).frame.set(rec.add(1));
        if g.handled.get() != EMPTY {
            (*st).handled.set(g.handled.get());
        }
        g.state.set(GenState::Running);
        Some(new)
    }
}

/// The constants of the generator whose frame begins at `base`.
#[inline(always)]
pub(super) unsafe fn generator_k(base: *const Word) -> *const Word {
    // SAFETY: base[-1] of its frame is the generator, which has a function.
    unsafe { (*obj::<Function>((*obj::<Generator>(*base.sub(1))).func.get())).k }
}

/// FORITER over a generator.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn next_item(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a generator.
    unsafe {
        let i = Ins(ins as u32);
        let g = *base.add(i.a());
        match push_generator(g, NONE, pc, base, k, st, i.b(), Mode::ForIter) {
            Some(new) => goto!((*obj::<Generator>(g)).pc.get(), new, generator_k(new), st, table),
            None => return super::cold::FORITER(pc, base, ins, k, st, table),
        }
    }
}

/// DELEGATE to a generator.
#[inline(never)]
pub(super) unsafe extern "sysv64" fn delegate(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; R[a] is a generator.
    unsafe {
        let i = Ins(ins as u32);
        let (g, sent) = (*base.add(i.a()), *base.add(i.b()));
        match push_generator(g, sent, pc, base, k, st, i.a(), Mode::Delegate) {
            Some(new) => goto!((*obj::<Generator>(g)).pc.get(), new, generator_k(new), st, table),
            None => return super::cold::DELEGATE(pc, base, ins, k, st, table),
        }
    }
}

/// YIELD: gives the value to whoever resumed the generator, through those that delegate to it.
#[inline(never)]
unsafe extern "sysv64" fn yield_up(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; base[-1] is a generator, so the words below it are a
    // DELTA and the exception handled outside, and a frame record is there.
    unsafe {
        let v = *base.add(Ins(ins as u32).b());
        let _ = k;
        let (mut pc, mut base) = (pc, base);
        let mut resume_reg = Ins(ins as u32).a();
        loop {
            let g = &*obj::<Generator>(*base.sub(1));
            g.pc.set(pc);
            g.resume_reg.set(resume_reg as u8);
            g.state.set(GenState::Suspended);
            copy_words(base, g.regs.get(), g.reg_len.get() as usize);
            let (outer, mine) = (*base.sub(3), (*st).handled.get());
            g.handled.set(if mine == outer { EMPTY } else { mine });
            (*st).handled.set(outer);
            let delta = Delta::read(*base.sub(2));
            base = base.sub(delta.delta);
            let rec = (*st).frame.get().sub(1);
            (*st).frame.set(rec);
            let FrameRec { pc: to, k } = *rec;
            match delta.mode {
                Mode::ForIter | Mode::Next | Mode::Reg | Mode::Send => {
                    *base.add(delta.dst) = v;
                    goto!(to, base, k, st, table)
                }
                Mode::Delegate if kind_is(*base.sub(1), Kind::Generator) => {
                    // DELEGATE runs again with what is sent.
                    pc = to.sub(1);
                    resume_reg = Ins(*pc).b();
                }
                _ => {
                    (*st).pc.set(to);
                    (*st).base.set(base);
                    (*st).k.set(k);
                    match delivered(st, v, delta) {
                        Flow::Next => {
                            goto!((*st).pc.get(), (*st).base.get(), (*st).k.get(), st, table)
                        }
                        Flow::Halt => return ENDED,
                    }
                }
            }
        }
    }
}

#[cold]
#[inline(never)]
unsafe fn delivered(st: *mut State, v: Word, delta: Delta) -> Flow {
    // SAFETY: `State` is the first field of `Vm`; the state was set for the running frame.
    unsafe {
        let vm = &*st.cast::<crate::Vm>();
        vm.deliver(vm.word_value(v), delta.dst, delta.mode)
    }
}

hot! {
    YIELD |pc, base, i, k, st| {
        if kind_is(*base.sub(1), Kind::Generator) {
            return Next::Tail(yield_up);
        }
        Next::Slow
    }
    DELEGATE |pc, base, i, k, st| {
        if is_generator(*base.add(i.a())) {
            return Next::Tail(delegate);
        }
        Next::Slow
    }
}
