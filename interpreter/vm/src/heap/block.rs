//! Blocks of equal cells, and where cell states live.
//!
//! A block whose objects own memory outside (it *drops*) is swept at once after marking, so that
//! the memory is given back; the others are swept while they are allocated from.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};

use super::Header;
use super::kinds::{Kind, info};

const BLOCK: usize = 64 << 10;
const GRANULE: usize = 16;
const GRANULES: usize = BLOCK / GRANULE;
/// The largest object; what needs more keeps its data outside of the heap.
pub const MAX_OBJECT: usize = 1024;
/// Number of size classes: 16, 32 .. 512 by 16, then 1024.
pub(super) const CLASS_COUNT: usize = 33;

const FREE: u8 = 0;
const WHITE: u8 = 1;
const BLACK: u8 = 2;

/// The size class of `size` bytes, 1 ..= [`MAX_OBJECT`].
#[inline(always)]
pub(super) const fn size_class(size: usize) -> usize {
    if size <= 512 { (size - 1) / 16 } else { 32 }
}

/// Cell size of a class.
#[inline(always)]
pub(super) const fn class_bytes(class: usize) -> usize {
    if class < 32 { (class + 1) * 16 } else { 1024 }
}

/// The start of each block: states first, then cells.
#[repr(C, align(16))]
struct Prologue {
    cell_bytes: usize,
    /// Part of the thread's chunk (1) or an allocation by itself (0).
    in_chunk: usize,
    states: [u8; GRANULES],
}

const CELLS_START: usize = std::mem::size_of::<Prologue>();

#[inline(always)]
fn prologue(p: *const Header) -> *mut Prologue {
    (p as usize & !(BLOCK - 1)) as *mut Prologue
}

#[inline(always)]
fn granule(p: *const Header) -> usize {
    (p as usize & (BLOCK - 1)) / GRANULE
}

/// Marks an object; `true` if it was not marked yet.
///
/// # Safety
/// `p` is a live object of a heap.
#[inline(always)]
pub(super) unsafe fn mark(p: *const Header) -> bool {
    // SAFETY: every object lies in the first BLOCK bytes of an allocation that starts with a
    // Prologue and is aligned to BLOCK.
    unsafe {
        let s = &raw mut (*prologue(p)).states[granule(p)];
        if *s == BLACK {
            return false;
        }
        debug_assert!(*s == WHITE, "a stale pointer was marked");
        *s = BLACK;
        true
    }
}

/// Whether an object is marked.
///
/// # Safety
/// As for [`mark`].
pub(super) unsafe fn is_black(p: *const Header) -> bool {
    // SAFETY: as in `mark`.
    unsafe { (*prologue(p)).states[granule(p)] == BLACK }
}

/// Notes that the free cell at `p` is in use.
///
/// # Safety
/// `p` is a cell of a block.
#[inline(always)]
pub(super) unsafe fn set_white(p: *mut u8) {
    let p = p.cast::<Header>();
    // SAFETY: as in `mark`.
    unsafe {
        (*prologue(p)).states[granule(p)] = WHITE;
    }
}

/// Has the processor fetch the cells that will be handed out soon: objects are written in full,
/// and what was swept is in no near cache.
#[inline(always)]
pub(super) fn prefetch(p: *const u8) {
    const AHEAD: usize = 256;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which any address may be given to.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_ET0>(p.wrapping_add(AHEAD).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (p, AHEAD);
}

/// Bytes of the cell that holds an object.
///
/// # Safety
/// As for [`mark`].
#[inline(always)]
pub(super) unsafe fn cell_bytes(p: *const Header) -> usize {
    // SAFETY: as in `mark`.
    unsafe { (*prologue(p)).cell_bytes }
}

/// A block of equal cells.
pub(super) struct Block {
    base: *mut Prologue,
    drops: bool,
    /// Offset of the first cell not looked at since the last collection.
    swept_to: usize,
    /// Offset after the last cell.
    end: usize,
    /// Nothing was allocated from it yet.
    fresh: bool,
}

impl Block {
    /// A new block, all free. If the system has no memory for it, `relief` may give some back.
    pub(super) fn new(class: usize, drops: bool, relief: impl FnOnce() -> bool) -> Block {
        let layout = Layout::from_size_align(BLOCK, BLOCK).expect("valid layout");
        // SAFETY: the layout has a size; the prologue is initialised before use.
        unsafe {
            let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten();
            let base = spare.unwrap_or_else(|| {
                let mut base = alloc(layout).cast::<Prologue>();
                if base.is_null() && relief() {
                    base = alloc(layout).cast::<Prologue>();
                }
                if base.is_null() || (base as usize) >> 48 != 0 {
                    handle_alloc_error(layout);
                }
                (&raw mut (*base).in_chunk).write(0);
                base
            });
            let cell = class_bytes(class);
            (&raw mut (*base).cell_bytes).write(cell);
            (&raw mut (*base).states).cast::<u8>().write_bytes(FREE, GRANULES);
            let count = (BLOCK - CELLS_START) / cell;
            let end = CELLS_START + count * cell;
            Block { base, drops, swept_to: CELLS_START, end, fresh: true }
        }
    }

    fn state(&mut self, offset: usize) -> &mut u8 {
        // SAFETY: `base` is this block's; offsets are below BLOCK.
        unsafe { &mut (*self.base).states[offset / GRANULE] }
    }

    fn at(&self, offset: usize) -> *mut u8 {
        // SAFETY: offsets are at most `end`, within the block.
        unsafe { self.base.cast::<u8>().add(offset) }
    }

    /// The next run of free cells; sweeps on to it in a block that does not drop.
    pub(super) fn next_free_run(&mut self, cell: usize) -> Option<(*mut u8, *mut u8)> {
        let (mut o, end) = (self.swept_to, self.end);
        if std::mem::take(&mut self.fresh) {
            self.swept_to = end;
            return Some((self.at(o), self.at(end)));
        }
        let in_use = if self.drops { WHITE } else { BLACK };
        while o < end && *self.state(o) == in_use {
            *self.state(o) = WHITE;
            o += cell;
        }
        let start = o;
        while o < end && *self.state(o) != in_use {
            *self.state(o) = FREE;
            o += cell;
        }
        self.swept_to = o;
        (o > start).then(|| (self.at(start), self.at(o)))
    }

    /// Before marking: ends the lazy sweep, so that all cells are `FREE` or `WHITE`.
    pub(super) fn finish_lazy_sweep(&mut self) {
        if !self.drops && !self.fresh {
            let cell = self.cell();
            while self.next_free_run(cell).is_some() {}
        }
    }

    /// Visits the marked objects.
    pub(super) fn each_marked(&self, mut visit: impl FnMut(*const Header)) {
        for o in (CELLS_START..self.end).step_by(self.cell()) {
            // SAFETY: `base` is this block's, and offsets are below BLOCK. Nothing borrows the
            // states while `visit` marks others.
            if unsafe { (&raw const (*self.base).states[o / GRANULE]).read() } == BLACK {
                visit(self.at(o).cast());
            }
        }
    }

    /// After marking: begins the lazy sweep, or sweeps at once.
    pub(super) fn sweep(&mut self, external: &Cell<usize>) {
        self.swept_to = CELLS_START;
        if !self.drops {
            return;
        }
        let cell = self.cell();
        for o in (CELLS_START..self.end).step_by(cell) {
            match *self.state(o) {
                BLACK => *self.state(o) = WHITE,
                WHITE => {
                    *self.state(o) = FREE;
                    // SAFETY: the cell holds an object that nothing reaches.
                    unsafe { drop_object(self.at(o).cast(), external) };
                }
                _ => {}
            }
        }
    }

    fn cell(&self) -> usize {
        // SAFETY: the prologue is initialised.
        unsafe { (*self.base).cell_bytes }
    }

    /// Whether no cell is in use (marks of an unfinished sweep count).
    pub(super) fn is_empty(&self) -> bool {
        // SAFETY: the prologue is initialised.
        let (states, cell) = unsafe { (&(*self.base).states, (*self.base).cell_bytes) };
        let wanted = if self.drops { WHITE } else { BLACK };
        (CELLS_START..self.end).step_by(cell).all(|o| states[o / GRANULE] != wanted)
    }

    /// Drops every object of the wanted kinds; the heap is going away.
    pub(super) fn drop_all(&mut self, external: &Cell<usize>, wanted: impl Fn(Kind) -> bool) {
        if !self.drops {
            return;
        }
        let cell = self.cell();
        for o in (CELLS_START..self.end).step_by(cell) {
            let p = self.at(o).cast::<Header>();
            // SAFETY: a cell that is not free holds an object.
            if *self.state(o) != FREE && wanted(unsafe { (*p).kind() }) {
                *self.state(o) = FREE;
                // SAFETY: as above, and nothing runs any more that could use it.
                unsafe { drop_object(p, external) };
            }
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let kept = SPARE.try_with(|spare| spare.borrow_mut().put(self.base));
        if kept != Ok(true) {
            // SAFETY: made in `new`; the block is not used again.
            unsafe { free(self.base) };
        }
    }
}

/// A part of a chunk stays: only the thread that ends gives it back, with all of its blocks.
///
/// # Safety
/// Made in `Block::new`, and not used again.
unsafe fn free(base: *mut Prologue) {
    // SAFETY: by contract; what is no part of a chunk was allocated with this layout.
    unsafe {
        if (*base).in_chunk == 0 {
            dealloc(base.cast(), Layout::from_size_align_unchecked(BLOCK, BLOCK));
        }
    }
}

/// Blocks that wait on this thread: those of a chunk, from which the first are taken, and those
/// given up. An aligned block by itself is dear to get from the system and to give back, and a
/// small VM has ten.
#[derive(Default)]
struct Spare {
    blocks: Vec<*mut Prologue>,
    /// The chunk, once there is one.
    chunk: Option<*mut u8>,
    /// Blocks of the chunk that were taken from it so far.
    taken: usize,
}

/// Blocks of a chunk, and the most that are kept of others: 1 MiB each.
const SPARE_BLOCKS: usize = 16;

thread_local! {
    static SPARE: RefCell<Spare> = RefCell::default();
}

impl Spare {
    const CHUNK: Layout = match Layout::from_size_align(SPARE_BLOCKS * BLOCK, BLOCK) {
        Ok(layout) => layout,
        Err(_) => panic!("the sizes are powers of two"),
    };

    fn pop(&mut self) -> Option<*mut Prologue> {
        if let Some(base) = self.blocks.pop() {
            return Some(base);
        }
        if self.taken == SPARE_BLOCKS {
            return None;
        }
        let chunk = match self.chunk {
            Some(chunk) => chunk,
            None => {
                // SAFETY: the layout has a size.
                let chunk = unsafe { alloc(Self::CHUNK) };
                if chunk.is_null() || (chunk as usize) >> 48 != 0 {
                    handle_alloc_error(Self::CHUNK);
                }
                *self.chunk.insert(chunk)
            }
        };
        // SAFETY: fewer than all blocks of the chunk are taken, so the next lies within it; it
        // is aligned as the chunk is.
        unsafe {
            let base = chunk.add(self.taken * BLOCK).cast::<Prologue>();
            (&raw mut (*base).in_chunk).write(1);
            self.taken += 1;
            Some(base)
        }
    }

    /// Keeps a block; false if there are enough.
    fn put(&mut self, base: *mut Prologue) -> bool {
        // SAFETY: a block that is given up has its prologue.
        let keep = unsafe { (*base).in_chunk == 1 } || self.blocks.len() < SPARE_BLOCKS;
        if keep {
            self.blocks.push(base);
        }
        keep
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        let mut returned = 0;
        for base in self.blocks.drain(..) {
            // SAFETY: a block that was given up.
            unsafe {
                returned += (*base).in_chunk;
                free(base);
            }
        }
        // A VM that outlives this still uses its blocks; then the chunk stays.
        if let Some(chunk) = self.chunk
            && returned == self.taken
        {
            // SAFETY: allocated in `pop` with this layout, and none of its blocks is in use.
            unsafe { dealloc(chunk, Self::CHUNK) };
        }
    }
}

/// # Safety
/// `p` is an object that is never used again.
unsafe fn drop_object(p: *mut Header, external: &Cell<usize>) {
    // SAFETY: the kind's row belongs to the object's struct.
    unsafe {
        let row = info((*p).kind());
        let owned = (row.drop)(p);
        external.set(external.get().saturating_sub(owned));
    }
}
