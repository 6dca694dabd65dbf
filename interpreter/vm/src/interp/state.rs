//! Stacks and frames of the running task.
//!
//! ```text
//! value stack      ... R[a] | R[a+1] = first register of the callee ...
//!                      ^ base[-1] of the callee: the function, and where its result goes
//! frame records    one of 16 bytes for each frame: where the caller goes on, and its constants
//! ```
//!
//! What `base[-1]` is says what the frame is:
//! - a function (or, for the stub frame that makes an instance, that instance): called by a CALL;
//!   the caller's base follows from the operand `a` of the word before the return address;
//! - a generator: resumed; `base[-2]` is a DELTA word;
//! - a ROW word: a native's continuation; `base[-2]` is a DELTA word, R[0] the row (as an int that
//!   is its address), then its state, then the window of the call it waits for.
//!
//! A DELTA word says how far below the caller's base is, and what becomes of the result ([`Mode`]).

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::code::op::{Ins, Op};
use crate::heap::{Heap, Marker, StackBudget};
use crate::value::{EMPTY, Word, int_of, int_word, is_int, marker};

/// Where a frame's caller goes on.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct FrameRec {
    /// The caller's next instruction.
    pub pc: *const u32,
    /// The caller's constants.
    pub k: *const Word,
}

/// What becomes of the result of a frame that no CALL made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// R[dst] = result.
    Reg,
    /// FORITER: an item goes to R[dst] and the JUMP at the return address is taken; at the end it
    /// is skipped.
    ForIter,
    /// BRT or BRF before the return address branches on the (bool) result.
    Branch,
    /// The result is dropped.
    Discard,
    /// As Reg, but the end of the iteration raises StopIteration.
    Send,
    /// As Reg, and the end of the iteration gives Empty.
    Next,
    /// DELEGATE: what is yielded is yielded by the caller too; the result goes to R[dst].
    Delegate,
    /// The run loop ends.
    Halt,
    /// UNPACK or UNPACKEX before the return address goes on with the result, a list.
    Unpack,
}

const MODES: [Mode; 9] = [
    Mode::Reg,
    Mode::ForIter,
    Mode::Branch,
    Mode::Discard,
    Mode::Send,
    Mode::Next,
    Mode::Delegate,
    Mode::Halt,
    Mode::Unpack,
];

/// The contents of a DELTA word.
#[derive(Clone, Copy, Debug)]
pub struct Delta {
    /// Words from the caller's base to this frame's base.
    pub delta: usize,
    /// The caller's register for the result.
    pub dst: usize,
    /// What becomes of the result.
    pub mode: Mode,
}

impl Delta {
    /// The word.
    pub fn word(self) -> Word {
        debug_assert!(self.delta < 1 << 26 && self.dst < 256);
        marker::DELTA | (self.delta as u64) << 12 | (self.dst as u64) << 4 | self.mode as u64
    }

    /// Reads the word.
    pub fn read(w: Word) -> Delta {
        debug_assert!(marker::is(w, marker::DELTA));
        Delta {
            delta: (w >> 12 & 0x3FF_FFFF) as usize,
            dst: (w >> 4 & 0xFF) as usize,
            mode: MODES[((w & 15) as usize).min(8)],
        }
    }
}

/// The contents of a ROW word.
#[derive(Clone, Copy)]
pub struct RowInfo {
    /// Values of state, from R[1].
    pub state: usize,
    /// Registers of the frame.
    pub size: usize,
}

impl RowInfo {
    /// The longest state.
    pub const MOST_STATE: usize = 0xFFFF;
    /// The most registers.
    pub const MOST_SIZE: usize = 0xFF_FFFF;

    /// The word.
    pub fn word(self) -> Word {
        marker::ROW | (self.state as u64) << 24 | self.size as u64
    }

    /// Reads the word.
    pub fn read(w: Word) -> RowInfo {
        RowInfo {
            state: w as usize >> 24 & RowInfo::MOST_STATE,
            size: w as usize & RowInfo::MOST_SIZE,
        }
    }
}

/// Values above the registers of a frame that are always there, so that slow paths can push
/// native frames without a check.
pub const SLACK: usize = 64;
const FIRST_STACK: usize = 512;
const FIRST_FRAMES: usize = 48;

/// The stacks of a task.
pub struct Stacks {
    values: Vec<Word>,
    frames: Vec<FrameRec>,
    /// Saved while the task does not run.
    pub(crate) pc: *const u32,
    pub(crate) k: *const Word,
    pub(crate) base: usize,
    pub(crate) depth: usize,
    pub(crate) handled: Word,
    /// Natives that call back and have not returned.
    pub(crate) nested: super::nested::NestedStack,
    /// Bytes of native stacks that the heap knows of.
    held: usize,
    /// What they are charged to, and how much they took of it.
    budget: Option<(Rc<StackBudget>, usize)>,
}

impl Default for Stacks {
    fn default() -> Stacks {
        let mut values = vec![EMPTY; FIRST_STACK];
        values[3] = int_word(1);
        Stacks {
            values,
            frames: vec![FrameRec { pc: std::ptr::null(), k: std::ptr::null() }; FIRST_FRAMES],
            pc: std::ptr::null(),
            k: std::ptr::null(),
            base: 4,
            depth: 0,
            handled: EMPTY,
            nested: Default::default(),
            held: 0,
            budget: None,
        }
    }
}

impl Drop for Stacks {
    fn drop(&mut self) {
        if let Some((budget, taken)) = &self.budget {
            budget.give_back(*taken);
        }
    }
}

impl Stacks {
    /// Tells the heap how large the native stacks are now.
    pub(crate) fn account(&mut self, heap: &Heap) {
        let bytes = self.nested.bytes();
        heap.refund(std::mem::replace(&mut self.held, bytes));
        heap.hold(bytes);
    }

    /// Tells the heap that they end.
    pub(crate) fn refund(&mut self, heap: &Heap) {
        heap.refund(std::mem::take(&mut self.held));
    }

    /// Charges `budget` from now on.
    pub(crate) fn charge_to(&mut self, budget: &Rc<StackBudget>) {
        let bytes = self.values.len() * 8 + self.frames.len() * 16;
        budget.take_anyway(bytes);
        self.budget = Some((Rc::clone(budget), bytes));
    }

    /// Takes `bytes` more of the budget; whether that is allowed.
    fn take(&mut self, bytes: usize) -> bool {
        match &mut self.budget {
            Some((budget, taken)) if budget.take(bytes) => {
                *taken += bytes;
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    /// Makes room for `words` above `top`, and for one more frame record; `false` if memory is
    /// short.
    fn grow(&mut self, top: *mut Word, words: usize) -> bool {
        let used = (top as usize - self.values.as_ptr() as usize) / 8;
        let want = used + words + SLACK;
        if want > self.values.len() {
            let len = want.max(self.values.len() * 2);
            let more = len - self.values.len();
            if !self.take(more * 8) || self.values.try_reserve_exact(more).is_err() {
                return false;
            }
            self.values.resize(len, EMPTY);
        }
        if self.depth + 16 > self.frames.len() {
            let len = self.frames.len() * 2;
            let more = len - self.frames.len();
            if !self.take(more * 16) || self.frames.try_reserve_exact(more).is_err() {
                return false;
            }
            self.frames.resize(len, FrameRec { pc: std::ptr::null(), k: std::ptr::null() });
        }
        true
    }

    /// Lays out the outermost frame: what it will call, in its first registers.
    pub(crate) fn set_call(&mut self, words: &[Word]) {
        let need = self.base + words.len() + SLACK * 2;
        if need > self.values.len() {
            self.values.resize(need, EMPTY);
        }
        self.values[self.base..self.base + words.len()].copy_from_slice(words);
        self.values[self.base - 1] = int_word(words.len() as i64);
    }

    /// Number of arguments that `set_call` laid out.
    pub(crate) fn call_args(&self) -> usize {
        (int_of(self.values[self.base - 1]) - 1).max(0) as usize
    }
}

/// A pointer that another thread may set to null: a load costs what that of a cell does.
#[derive(Default)]
#[repr(transparent)]
pub struct Limit(AtomicPtr<FrameRec>);

impl Limit {
    /// The pointer.
    #[inline(always)]
    pub fn get(&self) -> *mut FrameRec {
        self.0.load(Relaxed)
    }

    /// Sets it.
    #[inline(always)]
    pub fn set(&self, p: *mut FrameRec) {
        self.0.store(p, Relaxed);
    }
}

/// Makes a VM ask its host at the next call or backward jump, from any thread and from a signal
/// handler. Outliving the VM is harmless.
#[derive(Clone, Default)]
pub struct TripHandle(Arc<Mutex<Tripped>>);

#[derive(Default)]
struct Tripped(Option<(*const Limit, *const AtomicBool)>);

// SAFETY: the pointers lead to atomics, and are used under the lock under which the VM's end
// takes them away.
unsafe impl Send for Tripped {}

impl TripHandle {
    /// Trips. Never waits: if somebody else is just doing the same, that suffices.
    pub fn trip(&self) {
        let Ok(target) = self.0.try_lock() else { return };
        if let Some((limit, tripped)) = target.0 {
            // SAFETY: `State::drop` empties the place under this lock, so both are alive.
            unsafe {
                (*tripped).store(true, Relaxed);
                (*limit).set(std::ptr::null_mut());
            }
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.trip_handle.0.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }
}

/// What the dispatch loop keeps at hand. Its fields are cells: slow paths see it through `&Vm`.
#[repr(C)]
pub struct State {
    /// Next instruction, base and constants of the running frame, as of the last slow path.
    pub pc: Cell<*const u32>,
    /// See `pc`.
    pub base: Cell<*mut Word>,
    /// See `pc`.
    pub k: Cell<*const Word>,
    /// The next free frame record.
    pub frame: Cell<*mut FrameRec>,
    /// A call whose record would lie here or above goes the slow way.
    pub frame_limit: Limit,
    /// Somebody wants the host to be asked at the next safepoint.
    pub(crate) tripped: AtomicBool,
    pub(crate) trip_handle: TripHandle,
    /// Registers may not reach above this.
    pub stack_limit: Cell<*mut Word>,
    /// Backward jumps (and calls, if they count) until the next safepoint.
    pub fuel: Cell<i32>,
    /// The exception being handled, or Empty.
    pub handled: Cell<Word>,
    /// A limit has ended the run: no handler of a script takes anything.
    pub(crate) over: Cell<bool>,
    /// What the run loop ends with.
    pub result: Cell<Word>,
    /// Keyword names for the next call.
    pub kwnames: Cell<Word>,
    /// Backward jumps of a slice.
    pub slice: Cell<i32>,
    /// Second level of the attribute caches.
    pub(crate) sites: crate::cache::Sites,
    pub(crate) gc_stress: bool,
    /// Calls spend fuel, too: each goes the slow way, so that those of others pay nothing.
    pub(crate) counts_calls: Cell<bool>,
    /// Most frames of a task (`sys.setrecursionlimit`).
    pub recursion_limit: Cell<usize>,
    /// How the run loop ended.
    pub(crate) ended: Cell<Ended>,
    /// Stacks of the running task.
    pub(crate) stacks: RefCell<Stacks>,
    /// Stacks of the tasks that do not run.
    pub(crate) parked: RefCell<Vec<Option<Box<Stacks>>>>,
    /// Slots of tasks that ended.
    pub(crate) free_tasks: RefCell<Vec<u32>>,
    pub(crate) request: RefCell<Option<crate::native::Request>>,
}

/// How a run loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The outermost frame returned `result`.
    Returned,
    /// It raised `result`.
    Raised,
    /// A native suspended on `request`.
    Suspended,
    /// The fuel is spent.
    OutOfFuel,
}

/// Backward jumps of a fuel slice.
pub const SLICE: i32 = 5000;

impl State {
    pub(crate) fn new(gc_stress: bool) -> State {
        let s = State {
            pc: Cell::new(std::ptr::null()),
            base: Cell::new(std::ptr::null_mut()),
            k: Cell::new(std::ptr::null()),
            frame: Cell::new(std::ptr::null_mut()),
            frame_limit: Limit::default(),
            tripped: AtomicBool::new(false),
            trip_handle: TripHandle::default(),
            stack_limit: Cell::new(std::ptr::null_mut()),
            fuel: Cell::new(SLICE),
            handled: Cell::new(EMPTY),
            over: Cell::new(false),
            result: Cell::new(EMPTY),
            kwnames: Cell::new(EMPTY),
            slice: Cell::new(if gc_stress { 1 } else { SLICE }),
            sites: Default::default(),
            gc_stress,
            counts_calls: Cell::new(false),
            recursion_limit: Cell::new(1000),
            ended: Cell::new(Ended::Returned),
            stacks: RefCell::default(),
            parked: RefCell::default(),
            free_tasks: RefCell::default(),
            request: RefCell::default(),
        };
        s.enter();
        s
    }

    /// Loads the pointers from `stacks`.
    fn enter(&self) {
        let mut s = self.stacks.borrow_mut();
        let values = s.values.as_mut_ptr();
        // SAFETY: `base` and the limit lie within the vectors.
        unsafe {
            self.base.set(values.add(s.base));
            self.stack_limit.set(values.add(s.values.len() - SLACK));
            self.frame.set(s.frames.as_mut_ptr().add(s.depth));
        }
        self.pc.set(s.pc);
        self.k.set(s.k);
        self.handled.set(s.handled);
        drop(s);
        self.set_frame_limit();
    }

    /// Stores the pointers to `stacks`.
    fn leave(&self) {
        let mut s = self.stacks.borrow_mut();
        s.base = (self.base.get() as usize - s.values.as_ptr() as usize) / 8;
        s.depth = (self.frame.get() as usize - s.frames.as_ptr() as usize) / 16;
        s.pc = self.pc.get();
        s.k = self.k.get();
        s.handled = self.handled.get();
    }

    /// Makes `stacks` the running ones and returns those that were.
    pub(crate) fn switch(&self, stacks: Stacks) -> Stacks {
        self.leave();
        let old = self.stacks.replace(stacks);
        self.enter();
        old
    }

    fn set_frame_limit(&self) {
        let mut s = self.stacks.borrow_mut();
        let room = s.frames.len().saturating_sub(8);
        let slow = self.gc_stress || self.counts_calls.get();
        let n = if slow { 0 } else { room.min(self.recursion_limit.get()) };
        // SAFETY: within the vector.
        self.frame_limit.set(unsafe { s.frames.as_mut_ptr().add(n) });
    }

    /// Number of frames.
    pub fn depth(&self) -> usize {
        (self.frame.get() as usize - self.stacks.borrow().frames.as_ptr() as usize) / 16
    }

    /// Whether calls spend fuel as backward jumps do.
    pub(crate) fn count_calls(&self, yes: bool) {
        self.counts_calls.set(yes);
        self.set_frame_limit();
    }

    /// Spends fuel for a call; whether it was the last of the slice.
    pub(crate) fn spends_last(&self) -> bool {
        self.fuel.set(self.fuel.get().saturating_sub(1));
        self.fuel.get() <= 0
    }

    /// Restores the limit that a request for collection had lowered.
    pub(crate) fn rearm(&self) {
        self.set_frame_limit();
        self.fuel.set(self.slice.get());
    }

    /// A handle for other threads; the state must not move any more.
    pub(crate) fn trip_handle(&self) -> TripHandle {
        let place = (&raw const self.frame_limit, &raw const self.tripped);
        self.trip_handle.0.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(place);
        self.trip_handle.clone()
    }

    /// Makes the next call and the next backward jump take the slow path.
    pub(crate) fn trip(&self) {
        self.tripped.store(true, Relaxed);
        self.frame_limit.set(std::ptr::null_mut());
        self.fuel.set(0);
    }

    /// Makes room for `words` above `top`, and for one more frame record. Moves the stack: `base`
    /// in the state is kept right, other pointers into it are not. `false` if memory is short.
    pub(crate) fn reserve(&self, top: *mut Word, words: usize) -> bool {
        self.leave();
        let enough = self.stacks.borrow_mut().grow(top, words);
        // Also after a failure: one of the two may have moved.
        self.enter();
        enough
    }

    /// Pushes a frame record.
    #[inline]
    pub(crate) fn push(&self, rec: FrameRec) {
        let p = self.frame.get();
        // SAFETY: `reserve` keeps room for several records above the limit.
        unsafe {
            p.write(rec);
            self.frame.set(p.add(1));
        }
    }

    /// Pops the topmost frame record.
    #[inline]
    pub(crate) fn pop(&self) -> FrameRec {
        // SAFETY: every frame has its record.
        unsafe {
            let p = self.frame.get().sub(1);
            self.frame.set(p);
            *p
        }
    }

    /// Register `i` of the running frame.
    #[inline(always)]
    pub(crate) fn reg(&self, i: usize) -> Word {
        // SAFETY: the verifier checked that operands are below the frame's register count.
        unsafe { *self.base.get().add(i) }
    }

    /// Sets register `i`.
    #[inline(always)]
    pub(crate) fn set_reg(&self, i: usize, w: Word) {
        // SAFETY: as for `reg`.
        unsafe { *self.base.get().add(i) = w };
    }

    /// Word `base[-i]`.
    #[inline(always)]
    pub(crate) fn below(&self, i: usize) -> Word {
        // SAFETY: the first frame's base lies a few words above the start of the stack.
        unsafe { *self.base.get().sub(i) }
    }

    /// End of the registers of the running frame.
    pub(crate) fn top(&self) -> *mut Word {
        let base = self.base.get();
        // SAFETY: the frame's registers lie within the stack.
        unsafe { base.add(frame_size(*base.sub(1))) }
    }

    /// Before marking: overwrites what lies above the live part of each stack, so that a frame
    /// that grows over it later shows no pointer that was swept.
    pub(crate) fn clear_dead(&self) {
        self.leave();
        let clear = |s: &mut Stacks| {
            let size = frame_size(s.values[s.base - 1]);
            let top = (s.base + size).min(s.values.len());
            s.values[top..].fill(EMPTY);
        };
        clear(&mut self.stacks.borrow_mut());
        for s in self.parked.borrow_mut().iter_mut().flatten() {
            clear(s);
        }
    }

    pub(crate) fn trace(&self, m: &mut Marker) {
        m.word(self.handled.get());
        m.word(self.result.get());
        m.word(self.kwnames.get());
        let s = self.stacks.borrow();
        m.words(&s.values);
        for s in self.parked.borrow().iter().flatten() {
            m.words(&s.values);
            m.word(s.handled);
        }
    }
}

/// Registers of a frame by its `base[-1]`.
fn frame_size(callee: Word) -> usize {
    use crate::object::{func::Function, generator::Generator};
    if marker::is(callee, marker::ROW) {
        return RowInfo::read(callee).size;
    }
    // SAFETY: frames hold live objects.
    let v = unsafe { crate::Value::from_word(callee) };
    if let Some(f) = v.get::<Function>() {
        f.reg_count as usize
    } else if let Some(g) = v.get::<Generator>() {
        g.func().reg_count as usize
    } else if is_int(callee) {
        // The outermost frame says how many registers it has.
        int_of(callee) as usize
    } else {
        // The stub frame of a constructor.
        8
    }
}

/// Words of the instruction stubs that native frames return to: a CALL word (for its operand `a`)
/// before the instruction to go on with.
pub struct Stubs {
    words: [u32; 1024],
}

/// Private opcodes, above those of the table.
pub mod private {
    /// Resume the native frame.
    pub const CONT: u8 = 250;
    /// End of `__init__`: check for None and give the instance.
    pub const INITRET: u8 = 251;
    /// End of the run loop.
    pub const HALT: u8 = 252;
    /// First of the quickened forms of [`QUICKENED`]: the same instruction where it saw floats.
    pub const FLOAT_FORMS: u8 = 200;
    /// The instructions that have a form for floats, in the order of those forms.
    pub const QUICKENED: [crate::code::op::Op; 6] = {
        use crate::code::op::Op::*;
        [ADD, SUB, MUL, IADD, ISUB, IMUL]
    };
}

/// Most registers before the call window of a native frame.
pub const MAX_WINDOW: usize = 200;

impl Stubs {
    const fn build() -> Stubs {
        let mut words = [0u32; 1024];
        let mut a = 0;
        while a < 256 {
            words[a * 2] = Ins::abc(Op::CALL, a as u8, 0, 0).0;
            words[a * 2 + 1] = private::CONT as u32;
            a += 1;
        }
        words[512] = Ins::abc(Op::CALL, 0, 0, 0).0;
        words[513] = private::INITRET as u32;
        words[514] = Ins::abc(Op::CALL, 0, 0, 0).0;
        words[515] = private::HALT as u32;
        Stubs { words }
    }

    /// Where a call from register `a` of a native frame returns to.
    pub fn cont(a: usize) -> *const u32 {
        &raw const STUBS.words[a * 2 + 1]
    }

    /// Where `__init__` returns to.
    pub fn init_ret() -> *const u32 {
        &raw const STUBS.words[513]
    }

    /// Where the outermost frame returns to.
    pub fn halt() -> *const u32 {
        &raw const STUBS.words[515]
    }
}

static STUBS: Stubs = Stubs::build();
