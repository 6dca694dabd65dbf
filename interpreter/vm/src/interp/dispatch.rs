//! How handlers go on to each other.
//!
//! A handler ends in a call of the next handler, in tail position and with the same signature, so
//! that the optimiser makes it a jump: pc, base and constants stay in registers, and each handler
//! has an indirect jump of its own to predict. Without optimisation (`cfg(miniscript_loop)`) the
//! same handlers return to a loop instead.

#![allow(unsafe_code)]

use super::state::State;
use crate::Vm;
use crate::code::op::Ins;
use crate::native::{Exit, NResult};
use crate::stats::Counters;
use crate::value::Word;

/// What a handler returns when the run loop ends.
pub const ENDED: u64 = 0;
#[cfg(miniscript_loop)]
pub const GO_ON: u64 = 1;

/// A handler: `pc` points after the instruction word `ins`.
pub type Handler = unsafe extern "sysv64" fn(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64;

/// An entry of the handler table (the type cannot name itself).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Handler0(pub Handler);

/// How the body of a hot instruction ends.
pub enum Next {
    /// The next instruction of the same frame.
    Go(*const u32),
    /// An instruction of another frame.
    Switch(*const u32, *mut Word, *const Word),
    /// The slow path of this instruction.
    Slow,
    /// The rest of this instruction, in a function of its own.
    Tail(Handler),
    /// The slow path with `pc` moved back to re-execute (a safepoint before the jump to it).
    Safepoint(*const u32),
}

/// What a slow path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on with the instruction in the state.
    Next,
    /// The run loop ends.
    Halt,
}

/// Goes on with the instruction at `pc`.
macro_rules! goto {
    ($pc:expr, $base:expr, $k:expr, $st:expr, $table:expr) => {{
        #[cfg(not(miniscript_loop))]
        {
            let pc: *const u32 = $pc;
            let ins = *pc;
            let h = (*$table.add((ins & 0xff) as usize)).0;
            return h(pc.add(1), $base, u64::from(ins), $k, $st, $table);
        }
        #[cfg(miniscript_loop)]
        {
            (*$st).pc.set($pc);
            (*$st).base.set($base);
            (*$st).k.set($k);
            return $crate::interp::dispatch::GO_ON;
        }
    }};
}

/// Runs slow path `f` of an instruction with `len` words and goes on.
///
/// # Safety
/// The arguments are those of a handler.
#[inline(always)]
pub unsafe fn slow_path(
    f: impl FnOnce(&mut Vm, Ins, u32) -> Flow,
    len: usize,
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
) -> Flow {
    // SAFETY: the handler's arguments; `State` is the first field of `Vm` and the run loop that
    // called the first handler had the VM mutably.
    unsafe {
        let extra = if len > 1 { *pc } else { 0 };
        (*st).pc.set(pc.add(len - 1));
        (*st).base.set(base);
        (*st).k.set(k);
        let vm = &mut *st.cast::<Vm>();
        Counters::bump(&vm.counters.slow_paths);
        f(vm, Ins(ins as u32), extra)
    }
}

/// Ends an instruction that gives a value for `R[a]`.
pub fn finish_value(vm: &Vm, a: usize, r: NResult<'_>) -> Flow {
    match r {
        Ok(v) => {
            vm.st.set_reg(a, v.word());
            Flow::Next
        }
        Err(e) => vm.do_exit(e, a, super::state::Mode::Reg),
    }
}

/// Ends an instruction that gives no value.
pub fn finish_effect<'v>(vm: &'v Vm, r: Result<(), Exit<'v>>) -> Flow {
    match r {
        Ok(()) => Flow::Next,
        Err(e) => vm.do_exit(e, 0, super::state::Mode::Discard),
    }
}

/// Ends a fused comparison: the branch that follows decides.
pub fn finish_branch(vm: &Vm, r: Result<bool, Exit<'_>>) -> Flow {
    match r {
        Ok(truth) => {
            vm.branch(truth);
            Flow::Next
        }
        Err(e) => {
            // SAFETY: the branch instruction follows; its word is skipped for the return address.
            vm.st.pc.set(unsafe { vm.st.pc.get().add(1) });
            vm.do_exit(e, 0, super::state::Mode::Branch)
        }
    }
}
