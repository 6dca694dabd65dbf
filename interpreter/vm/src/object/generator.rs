//! Generators and coroutines: a frame put aside.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};

use super::func::Function;
use super::read;
use crate::heap::{Header, Kind, MAX_OBJECT, Marker, Object};
use crate::value::{EMPTY, Value, Word};

/// Where a generator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenState {
    /// Not started.
    Created,
    /// At a `yield`.
    Suspended,
    /// On a task's stack.
    Running,
    /// Returned or raised.
    Done,
}

/// A generator, coroutine or async generator: the class (by shape) says which.
#[repr(C)]
pub struct Generator {
    head: Header,
    /// The function.
    pub func: Cell<Word>,
    /// Where it stands.
    pub state: Cell<GenState>,
    /// Where to go on.
    pub(crate) pc: Cell<*const u32>,
    /// The register that receives the sent value.
    pub(crate) resume_reg: Cell<u8>,
    /// The registers while it is not running: behind the struct, or in `far` if they are many.
    pub(crate) regs: Cell<*mut Word>,
    /// How many there are; none once it is done.
    pub(crate) reg_len: Cell<u32>,
    far: RefCell<Vec<Word>>,
    /// The exception being handled in its frame, or Empty.
    pub(crate) handled: Cell<Word>,
    /// `__name__` and `__qualname__` if they were set.
    pub name: Cell<Word>,
    /// See `name`.
    pub qualname: Cell<Word>,
    /// For async generators: something awaits its next item.
    pub(crate) awaited: Cell<bool>,
}

/// Most registers that lie behind the struct.
pub(crate) const NEAR_REGS: usize = (MAX_OBJECT - std::mem::size_of::<Generator>()) / 8;

impl Generator {
    /// The struct; [`Generator::place`] gives it its registers.
    pub(crate) fn new(shape: u32, func: &Function, pc: *const u32) -> Generator {
        Generator {
            head: Header::new(Kind::Generator, shape),
            func: Cell::new(Value::object(func).word()),
            state: Cell::new(GenState::Created),
            pc: Cell::new(pc),
            resume_reg: Cell::new(0),
            regs: Cell::new(std::ptr::null_mut()),
            reg_len: Cell::new(0),
            far: RefCell::default(),
            handled: Cell::new(EMPTY),
            name: Cell::new(func.name.get()),
            qualname: Cell::new(func.qualname.get()),
            awaited: Cell::new(false),
        }
    }

    /// Takes the first of `n` registers from `words`; the others are Empty.
    ///
    /// # Safety
    /// Up to [`NEAR_REGS`], the object was allocated with `8 * n` extra bytes.
    pub(crate) unsafe fn place(&self, words: &[Word], n: usize) {
        if n <= NEAR_REGS {
            // SAFETY: by contract.
            let start = unsafe { (self as *const Generator).add(1) };
            self.regs.set(start.cast::<Word>().cast_mut());
        } else {
            let mut far = vec![EMPTY; n];
            self.regs.set(far.as_mut_ptr());
            self.far.replace(far);
        }
        let given = words.len().min(n);
        // SAFETY: there are `n` registers at `regs`.
        unsafe {
            let regs = self.regs.get();
            std::ptr::copy_nonoverlapping(words.as_ptr(), regs, given);
            for i in given..n {
                regs.add(i).write(EMPTY);
            }
        }
        self.reg_len.set(n as u32);
    }

    /// The function whose frame it holds.
    pub fn func(&self) -> &Function {
        read(&self.func).get::<Function>().expect("a generator has a function")
    }

    /// Drops the frame.
    pub(crate) fn finish(&self) {
        self.state.set(GenState::Done);
        self.reg_len.set(0);
        self.handled.set(EMPTY);
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Generator {
    const KIND: Kind = Kind::Generator;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.func, &self.handled, &self.name, &self.qualname] {
            m.cell(c);
        }
        if self.reg_len.get() > 0 {
            // SAFETY: `place` set both together.
            let regs =
                unsafe { std::slice::from_raw_parts(self.regs.get(), self.reg_len.get() as usize) };
            m.words(regs);
        }
    }
    fn owned_bytes(&self) -> usize {
        self.far.borrow().capacity() * 8
    }
}
