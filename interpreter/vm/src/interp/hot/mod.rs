//! The handlers: fast paths on raw words, and the table.
//!
//! A fast path touches nothing but registers, and objects whose kind it has checked; whatever it
//! does not expect goes to the slow path of the same instruction, which is complete by itself.
//! A handler makes no ordinary call, so it saves no registers: what needs one is a *tail*, a
//! function of the same signature that the handler ends in.
//!
//! - `names`: moves, cells, globals, attributes
//! - `items`: subscripts, iteration, unpacking
//! - `tables`: dicts and sets by key
//! - `arith`, `numbers`: arithmetic and bits
//! - `compare`: comparisons, truth, branches, jumps
//! - `calls`: calls, returns, and the private instructions of stub frames
//! - `generators`: resuming and yielding

#![allow(unsafe_code)]
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]
// The last call of a handler is a jump, and `return` shows which it is.
#![allow(clippy::needless_return)]

use super::dispatch::{ENDED, Flow, Handler, Handler0, slow_path};
use super::slow;
use super::state::{State, private};
use crate::builtins::Type;
use crate::code::op::{Ins, Op};
use crate::heap::Kind;
use crate::object::func::Function;
use crate::object::generator::Generator;
use crate::value::*;

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
        pub(super) unsafe extern "sysv64" fn $name(
            pc: *const u32,
            base: *mut Word,
            ins: u64,
            k: *const Word,
            st: *mut State,
            table: *const Handler0,
        ) -> u64 {
            #[inline(always)]
            #[allow(unused_unsafe)] // a body may be nothing but a jump
            unsafe fn body(
                $pc: *const u32,
                $base: *mut Word,
                $i: Ins,
                $k: *const Word,
                $st: *mut State,
            ) -> Next {
                let _ = ($pc, $base, $i, $k, $st);
                // SAFETY: operands of verified code, words of live objects, checked kinds.
                unsafe { $body }
            }
            // SAFETY: the arguments of a handler.
            unsafe {
                match body(pc, base, Ins(ins as u32), k, st) {
                    Next::Go(pc) => goto!(pc, base, k, st, table),
                    Next::Switch(pc, base, k) => goto!(pc, base, k, st, table),
                    Next::Slow => {
                        return super::cold::$name(pc, base, ins, k, st, table);
                    }
                    Next::Tail(rest) => {
                        return rest(pc, base, ins, k, st, table);
                    }
                    Next::Safepoint(to) => {
                        return super::compare::at_safepoint(to, base, ins, k, st, table);
                    }
                }
            }
        }
    )*};
}

/// Goes to the slow path of the instruction `ins`.
macro_rules! slow {
    ($pc:expr, $base:expr, $ins:expr, $k:expr, $st:expr, $table:expr) => {{
        let slow = *super::COLD.get_unchecked(($ins & 0xff) as usize % super::COLD.len());
        return slow($pc, $base, $ins, $k, $st, $table);
    }};
}

mod arith;
mod calls;
mod compare;
mod generators;
mod items;
mod names;
mod numbers;
mod tables;

const STR_SHAPE: u32 = Type::Str.shape();
const LIST_SHAPE: u32 = Type::List.shape();
const TUPLE_SHAPE: u32 = Type::Tuple.shape();
const DICT_SHAPE: u32 = Type::Dict.shape();

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

/// The opcode of an instruction of the table.
#[inline(always)]
fn at_op(i: Ins) -> Op {
    Op::ALL[i.op() as usize % Op::ALL.len()]
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

macro_rules! cold_table {
    ($($name:ident,)*) => {
        /// The slow paths by opcode.
        const COLD: &[Handler] = &[$( cold::$name, )*];
    };
}
for_each_opcode!(cold_table);

macro_rules! table {
    ($($family:ident: $($hot:ident)*;)*) => {{
        let mut t = [Handler0(calls::illegal); 256];
        let mut n = 0;
        while n < COLD.len() {
            t[n] = Handler0(COLD[n]);
            n += 1;
        }
        $($( t[Op::$hot as usize] = Handler0($family::$hot); )*)*
        let floats = [arith::ADDF, arith::SUBF, arith::MULF, arith::ADDF, arith::SUBF, arith::MULF];
        let mut n = 0;
        while n < floats.len() {
            t[private::FLOAT_FORMS as usize + n] = Handler0(floats[n]);
            n += 1;
        }
        t[private::CONT as usize] = Handler0(calls::cont);
        t[private::INITRET as usize] = Handler0(calls::init_ret);
        t[private::HALT as usize] = Handler0(calls::halt);
        t
    }};
}

/// The handlers by opcode byte.
pub(super) static TABLE: [Handler0; 256] = table! {
    names: MOVE LOADK LOADI LOADS CHECK GETCELL SETCELL GETFREE SETFREE GETGLOBAL SETGLOBAL GETATTR
        SETATTR SELF;
    items: GETITEM GETITEMI SETITEM FORITER APPEND UNPACK;
    tables: IN NOTIN JIN JNOTIN;
    arith: ADD SUB MUL IADD ISUB IMUL ADDI SUBI IADDI ISUBI TRUEDIV FLOORDIV MOD BITAND BITOR
        BITXOR LSHIFT RSHIFT NEG POW INPLACE;
    compare: NOT IS ISNOT JIS JISNOT EQ NE LT LE GT GE JEQ JNE JLT JLE JGT JGE JEQI JNEI JLTI JLEI
        JGTI JGEI BRT BRF JUMP;
    calls: CALL CALLM KWNAMES RETURN RETNONE;
    generators: YIELD DELEGATE;
};

/// Counts an instruction and goes to its handler.
unsafe extern "sysv64" fn counted(
    pc: *const u32,
    base: *mut Word,
    ins: u64,
    k: *const Word,
    st: *mut State,
    table: *const Handler0,
) -> u64 {
    // SAFETY: the arguments of a handler; `State` is the first field of `Vm`.
    unsafe {
        let op = (ins & 0xff) as usize;
        (*st.cast::<crate::Vm>()).counters.dispatch(op);
        return (TABLE[op].0)(pc, base, ins, k, st, table);
    }
}

/// The table when instructions are counted.
static COUNTED: [Handler0; 256] = [Handler0(counted); 256];

/// Runs from the state until the run loop ends.
pub(super) unsafe fn run(st: *mut State) {
    let table = TABLE.as_ptr();
    // SAFETY: `State` is the first field of `Vm`.
    let counts = unsafe { (*st.cast::<crate::Vm>()).counters.counts_dispatches() };
    let table = if counts { COUNTED.as_ptr() } else { table };
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
