//! The heap: object headers, size-class blocks, precise mark and lazy sweep.
//!
//! Objects never move. Allocation never collects: collection happens at safepoints of the
//! dispatch loop, which own the VM mutably. Blocks are 64 KiB and aligned to their size, so the
//! mark byte of an object is found from its address. No object is larger than [`MAX_OBJECT`]:
//! vectors, tables and long texts own memory outside of the heap, which is accounted with
//! [`Heap::charge`]; both count towards the limit.
//!
//! Cell states (one byte for each 16-byte granule, only an object's first counts):
//! `FREE`, `WHITE` (allocated, not reached yet), `BLACK` (reached). A collection first finishes
//! the sweep of the previous one, so it starts from `FREE` and `WHITE` only.

#![allow(unsafe_code)]

mod block;
mod kinds;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub use block::MAX_OBJECT;
use block::{Block, CLASS_COUNT, size_class};
pub use kinds::{Kind, KindInfo, info};

use crate::value::{Word, is_ptr, ptr_of};

/// The first eight bytes of every object.
#[repr(C)]
pub struct Header {
    /// The shape: which class, and where attributes are. See `object::shape`.
    pub shape: Cell<u32>,
    kind: Kind,
    /// Kind-specific flags; bit 7 says that attribute storage follows the native payload.
    pub flags: Cell<u8>,
    /// Kind-specific small number.
    pub aux: Cell<u16>,
}

/// Flag: an [`AttrStore`](crate::object::instance::AttrStore) follows the native payload, since
/// the object's class was made by a script.
pub const HAS_ATTRS: u8 = 0x80;

impl Header {
    /// A header for a new object.
    pub fn new(kind: Kind, shape: u32) -> Header {
        Header { shape: Cell::new(shape), kind, flags: Cell::new(0), aux: Cell::new(0) }
    }

    /// The kind: which struct this is the header of.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the collector must look through the object: not through a string that is nothing
    /// but its text.
    #[inline(always)]
    fn has_words(&self) -> bool {
        const WORDS: u8 = HAS_ATTRS | crate::object::text::SHARED;
        self.kind as u8 != Kind::Str as u8 || self.flags.get() & WORDS != 0
    }
}

/// A heap object's struct.
///
/// # Safety
/// The struct is `repr(C)` with a [`Header`] first, `KIND` is its row in the kind table and
/// belongs to no other struct (except through `is_kind`), and `trace` visits every word in it.
pub unsafe trait Object: Sized {
    /// Its row in the kind table.
    const KIND: Kind;
    /// Whether it always owns something outside of the heap.
    const DROPS: bool = false;
    /// Visits the words it holds.
    fn trace(&self, m: &mut Marker);
    /// The header.
    fn head(&self) -> &Header {
        // SAFETY: by the contract of the trait, the header is the first field.
        unsafe { &*(self as *const Self).cast::<Header>() }
    }
    /// Bytes outside of the heap that it was charged for.
    fn owned_bytes(&self) -> usize {
        0
    }
    /// Whether an object of kind `k` is stored as this struct.
    #[inline(always)]
    fn is_kind(k: Kind) -> bool {
        k as u8 == Self::KIND as u8
    }
}

/// Collects what is reachable: an explicit stack, so that depth does not matter.
#[derive(Default)]
pub struct Marker {
    stack: Vec<*const Header>,
    /// Bytes of the cells reached so far.
    live_bytes: usize,
    /// The system had no memory for the stack: some of what was reached was not looked through.
    overflowed: bool,
}

impl Marker {
    /// Visits a stored word.
    #[inline]
    pub fn word(&mut self, w: Word) {
        if is_ptr(w) {
            let p = ptr_of(w).cast_const();
            // SAFETY: words in reachable objects and on stacks point to live objects.
            unsafe {
                if block::mark(p) {
                    self.live_bytes += block::cell_bytes(p);
                    if (*p).has_words() {
                        self.push(p);
                    }
                }
            }
        }
    }

    /// Visits a cell.
    #[inline]
    pub fn cell(&mut self, c: &Cell<Word>) {
        self.word(c.get());
    }

    /// Visits each of `words`.
    pub fn words(&mut self, words: &[Word]) {
        for &w in words {
            self.word(w);
        }
    }

    #[inline]
    fn push(&mut self, p: *const Header) {
        if self.stack.len() == self.stack.capacity() && self.stack.try_reserve(1).is_err() {
            self.overflowed = true;
        } else {
            self.stack.push(p);
        }
    }

    fn drain(&mut self) {
        while let Some(p) = self.stack.pop() {
            // SAFETY: only addresses of live objects are pushed; the table row of the kind
            // belongs to the object's struct.
            unsafe {
                let kind = (*p).kind;
                (info(kind).trace)(p, self);
            }
        }
    }
}

/// Counters, for `--stats` and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapStats {
    /// Objects allocated so far.
    pub allocated_objects: u64,
    /// Collections so far.
    pub collections: u64,
    /// Bytes in use by the last count: cells and external memory.
    pub live_bytes: usize,
}

/// A function and its argument.
type Hook = (fn(*const ()), *const ());

/// The heap of one VM.
pub struct Heap {
    classes: [RefCell<ClassList>; CLASS_COUNT * 2],
    current: [Cell<Run>; CLASS_COUNT * 2],
    /// Cell bytes handed out since the last collection.
    fresh_bytes: Cell<usize>,
    /// Bytes that objects own outside of the heap.
    external: Cell<usize>,
    /// A bit for each of `classes` in which a payload of the host's was.
    payload_lists: Cell<u128>,
    /// The memory goes with the process.
    leaving: Cell<bool>,
    /// Cell bytes live at the last collection.
    live_cells: Cell<usize>,
    /// Bytes in use after the last collection.
    live: Cell<usize>,
    /// Cells of all runs so far.
    handed_out: Cell<u64>,
    threshold: Cell<usize>,
    limit: Cell<usize>,
    /// The limit as it was set; the other is lower while the system has no more memory.
    set_limit: Cell<usize>,
    /// Address space that nobody uses: given back when the system has no memory left, so that
    /// there is some until the next safepoint raises MemoryError.
    ballast: RefCell<Vec<u8>>,
    /// The ballast is spent.
    short: Cell<bool>,
    /// What the stacks of the tasks take, which count as memory in use.
    pub(crate) stacks: Rc<StackBudget>,
    want_collect: Cell<bool>,
    /// Called with its argument when a collection becomes due.
    on_due: Cell<Option<Hook>>,
    stats: Cell<HeapStats>,
}

#[derive(Clone, Copy)]
struct Run {
    next: *mut u8,
    end: *mut u8,
}

#[derive(Default)]
struct ClassList {
    blocks: Vec<Block>,
    /// Index of the block that `current` runs in.
    at: usize,
}

/// First threshold: a small script never collects.
const FIRST_THRESHOLD: usize = 4 << 20;

/// Up to this size a heap may double before it is collected; a larger one grows by half.
const SMALL_HEAP: usize = 16 << 20;

/// Bytes of [`Heap::ballast`].
const BALLAST: usize = 8 << 20;

/// Empty blocks that a collection keeps: what will be allocated until the next one at least.
const SPARE_BLOCKS: usize = FIRST_THRESHOLD / (64 << 10);

/// Memory of the stacks of all tasks. They are no objects, but the limit holds for them too.
pub(crate) struct StackBudget {
    used: Cell<usize>,
    limit: Cell<usize>,
}

impl Default for StackBudget {
    fn default() -> StackBudget {
        StackBudget { used: Cell::new(0), limit: Cell::new(usize::MAX) }
    }
}

impl StackBudget {
    /// Takes `bytes`; whether the limit allows it.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        let used = self.used.get().saturating_add(bytes);
        let allowed = used <= self.limit.get();
        if allowed {
            self.used.set(used);
        }
        allowed
    }

    /// Takes `bytes`, even beyond the limit: then the next safepoint raises MemoryError.
    pub(crate) fn take_anyway(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_add(bytes));
    }

    /// Gives `bytes` back.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }
}

impl Default for Heap {
    fn default() -> Heap {
        let none = Run { next: std::ptr::null_mut(), end: std::ptr::null_mut() };
        Heap {
            classes: std::array::from_fn(|_| RefCell::default()),
            current: std::array::from_fn(|_| Cell::new(none)),
            fresh_bytes: Cell::new(0),
            external: Cell::new(0),
            payload_lists: Cell::new(0),
            leaving: Cell::new(false),
            live_cells: Cell::new(0),
            live: Cell::new(0),
            handed_out: Cell::new(0),
            threshold: Cell::new(FIRST_THRESHOLD),
            limit: Cell::new(usize::MAX),
            set_limit: Cell::new(usize::MAX),
            ballast: RefCell::default(),
            short: Cell::new(false),
            stacks: Rc::default(),
            want_collect: Cell::new(false),
            on_due: Cell::new(None),
            stats: Cell::default(),
        }
    }
}

impl Heap {
    /// Puts `object` on the heap, with `extra` bytes after it (zeroed). `drops` says that it
    /// owns something outside of the heap, so that its kind's drop must run.
    ///
    /// The memory limit is not checked here: a native goes on up to the next safepoint. What is
    /// large is checked by [`Heap::charge`] or [`Heap::check`] before.
    #[inline]
    pub fn alloc<T: Object>(&self, object: T, extra: usize, drops: bool) -> &T {
        self.place(|| object, extra, drops, true)
    }

    /// As [`Heap::alloc`], for callers that fill the extra bytes themselves before anything else
    /// sees the object, which is made where it will lie: a copy from the stack would wait for the
    /// stores of its fields.
    #[inline(always)]
    pub(crate) fn alloc_unfilled<T: Object>(
        &self,
        make: impl FnOnce() -> T,
        extra: usize,
        drops: bool,
    ) -> &T {
        self.place(make, extra, drops, false)
    }

    #[inline(always)]
    fn place<T: Object>(
        &self,
        make: impl FnOnce() -> T,
        extra: usize,
        drops: bool,
        zero: bool,
    ) -> &T {
        let size = std::mem::size_of::<T>() + extra;
        assert!(size <= MAX_OBJECT);
        let class = size_class(size);
        let index = class * 2 + usize::from(drops);
        if T::is_kind(Kind::Opaque) {
            self.payload_lists.set(self.payload_lists.get() | 1 << index);
        }
        let bytes = block::class_bytes(class);
        let run = self.current[index].get();
        // SAFETY: a run is a part of a block whose cells are free; `p` is a free cell of at
        // least `size` bytes, aligned to 16, that nothing else refers to, and it lives until a
        // collection finds it unreachable.
        unsafe {
            let p = if (run.end as usize) - (run.next as usize) >= bytes {
                self.current[index].set(Run { next: run.next.add(bytes), end: run.end });
                run.next
            } else {
                self.next_run(index, class)
            };
            block::prefetch(p);
            block::set_white(p);
            self.fresh_bytes.set(self.fresh_bytes.get() + bytes);
            if zero && extra > 0 {
                std::ptr::write_bytes(p.add(std::mem::size_of::<T>()), 0, extra);
            }
            let p = p.cast::<T>();
            p.write(make());
            &*p
        }
    }

    #[cold]
    #[inline(never)]
    fn next_run(&self, index: usize, class: usize) -> *mut u8 {
        let bytes = block::class_bytes(class);
        let mut list = self.classes[index].borrow_mut();
        loop {
            let at = list.at;
            if let Some(b) = list.blocks.get_mut(at) {
                match b.next_free_run(bytes) {
                    Some((start, end)) => {
                        // SAFETY: the run is at least one cell long.
                        let next = unsafe { start.add(bytes) };
                        let cells = (end as usize - start as usize) / bytes;
                        self.handed_out.set(self.handed_out.get() + cells as u64);
                        self.current[index].set(Run { next, end });
                        return start;
                    }
                    None => list.at += 1,
                }
            } else {
                list.blocks.push(Block::new(class, index % 2 == 1, || self.run_short()));
                if self.fresh_bytes.get() >= self.threshold.get() {
                    self.request_collection();
                }
            }
        }
    }

    /// The process ends with this heap: what hosts keep in objects is dropped with it, and memory
    /// is left to the system.
    pub fn leave_memory(&self) {
        self.leaving.set(true);
    }

    /// Accounts for `bytes` of memory that an object is about to own outside of the heap.
    /// `Err` if the limit does not allow it (the caller raises `MemoryError`).
    #[inline]
    pub fn charge(&self, bytes: usize) -> Result<(), OutOfMemory> {
        self.check(bytes)?;
        self.external.set(self.external.get() + bytes);
        self.fresh_bytes.set(self.fresh_bytes.get() + bytes);
        if self.fresh_bytes.get() >= self.threshold.get() {
            self.request_collection();
        }
        Ok(())
    }

    /// Accounts for memory that was taken for an object without asking: what is over the limit
    /// then is found at the next safepoint or poll. For what is small by itself and may be many.
    #[inline]
    pub fn hold(&self, bytes: usize) {
        self.external.set(self.external.get().saturating_add(bytes));
        if self.over_limit() {
            self.request_collection();
        }
    }

    /// Gives back what [`Heap::charge`] or [`Heap::hold`] took.
    #[inline]
    pub fn refund(&self, bytes: usize) {
        self.external.set(self.external.get().saturating_sub(bytes));
    }

    /// Whether `bytes` more are within the limit.
    #[inline]
    pub fn check(&self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes > isize::MAX as usize / 2 || self.in_use().saturating_add(bytes) > self.limit.get()
        {
            return self.check_margin(bytes);
        }
        Ok(())
    }

    /// Beyond the limit, garbage included: as long as what was live at the last collection leaves
    /// room, there is a margin up to the next safepoint, which collects.
    #[cold]
    fn check_margin(&self, bytes: usize) -> Result<(), OutOfMemory> {
        let limit = self.limit.get();
        let after = self.in_use().saturating_add(bytes);
        // Nothing is so large, whatever the limit.
        if bytes > isize::MAX as usize / 2
            || self.live.get().saturating_add(bytes) > limit
            || after / 2 > limit
        {
            return Err(OutOfMemory);
        }
        self.request_collection();
        Ok(())
    }

    /// Bytes in use, garbage included.
    pub fn in_use(&self) -> usize {
        self.live_cells
            .get()
            .saturating_add(self.external.get())
            .saturating_add(self.fresh_bytes.get())
            .saturating_add(self.stacks.used.get())
    }

    /// Sets the memory limit in bytes.
    pub fn set_limit(&self, bytes: usize) {
        self.limit.set(bytes);
        self.set_limit.set(bytes);
        self.stacks.limit.set(bytes);
    }

    /// How much more may be used, if there is a limit.
    pub fn room(&self) -> Option<usize> {
        let limit = self.limit.get();
        (limit != usize::MAX).then(|| limit.saturating_sub(self.in_use()))
    }

    /// Whether more than the limit is in use (a collection may help).
    pub fn over_limit(&self) -> bool {
        self.in_use() > self.limit.get()
    }

    /// Whether so much more than the limit is in use that a native may not go on to the next
    /// safepoint, even if some of it is garbage.
    pub fn over_hard_limit(&self) -> bool {
        self.in_use() / 2 > self.limit.get()
    }

    /// Whether the system has no more memory: what can do without allocating does.
    pub fn is_short(&self) -> bool {
        self.short.get()
    }

    /// The system has no more memory: gives the ballast back, and has the next safepoint collect
    /// and, if that does not help, raise MemoryError. Whether there was any ballast.
    #[cold]
    fn run_short(&self) -> bool {
        let ballast = self.ballast.take();
        self.short.set(true);
        self.limit.set(self.in_use().saturating_sub(BALLAST / 4).min(self.limit.get()));
        self.request_collection();
        ballast.capacity() > 0
    }

    /// A MemoryError was raised since the system has no more memory: who handles it may use some
    /// of what the ballast left.
    pub(crate) fn allow_handling(&self) {
        if self.short.get() {
            self.limit.set(self.in_use().saturating_add(BALLAST / 4));
        }
    }

    /// Takes the ballast, or takes it again once there is memory for it.
    fn take_ballast(&self) {
        let mut ballast = self.ballast.borrow_mut();
        if ballast.capacity() == 0 && ballast.try_reserve_exact(BALLAST).is_ok() {
            self.short.set(false);
            self.limit.set(self.set_limit.get());
        }
    }

    /// Whether a collection is due at the next safepoint.
    #[inline(always)]
    pub fn wants_collection(&self) -> bool {
        self.want_collect.get()
    }

    /// Asks for a collection at the next safepoint.
    #[cold]
    pub fn request_collection(&self) {
        if self.want_collect.replace(true) {
            return;
        }
        if !self.short.get() {
            self.take_ballast();
        }
        if let Some((f, arg)) = self.on_due.get() {
            f(arg);
        }
    }

    /// Has `f(arg)` called whenever a collection becomes due, so that the dispatch loop reaches a
    /// safepoint soon.
    pub(crate) fn set_on_due(&self, f: fn(*const ()), arg: *const ()) {
        self.on_due.set(Some((f, arg)));
    }

    /// Counters.
    pub fn stats(&self) -> HeapStats {
        let mut s = self.stats.get();
        s.live_bytes = self.in_use();
        s.allocated_objects = self.handed_out.get() - self.unused_cells();
        s
    }

    /// Cells of the current runs that hold nothing yet.
    fn unused_cells(&self) -> u64 {
        let unused = self.current.iter().enumerate().map(|(index, run)| {
            let run = run.get();
            (run.end as usize - run.next as usize) / block::class_bytes(index / 2)
        });
        unused.sum::<usize>() as u64
    }

    /// Collects: `roots` visits every root. `finalize` is called when all that they reach is
    /// marked, may ask [`is_live`], and visits what is to live on all the same; then `weak`,
    /// which may ask, too.
    ///
    /// # Safety
    /// No `&T` to a heap object, nor any `Value`, that is not visited may be used after.
    pub unsafe fn collect(
        &mut self,
        roots: impl FnOnce(&mut Marker),
        finalize: impl FnOnce(&mut Marker),
        weak: impl FnOnce(),
    ) {
        for list in &mut self.classes {
            list.get_mut().blocks.iter_mut().for_each(Block::finish_lazy_sweep);
        }
        let mut m = Marker::default();
        roots(&mut m);
        self.drain(&mut m);
        finalize(&mut m);
        self.drain(&mut m);
        weak();
        let live = m.live_bytes;
        self.handed_out.set(self.handed_out.get() - self.unused_cells());
        let none = Run { next: std::ptr::null_mut(), end: std::ptr::null_mut() };
        let mut spare = SPARE_BLOCKS;
        for (list, current) in self.classes.iter_mut().zip(&self.current) {
            let list = list.get_mut();
            current.set(none);
            list.at = 0;
            list.blocks.iter_mut().for_each(|b| b.sweep(&self.external));
            list.blocks.retain(|b| {
                if !b.is_empty() {
                    return true;
                }
                let keep = spare > 0;
                spare -= usize::from(keep);
                keep
            });
        }
        self.live_cells.set(live);
        self.fresh_bytes.set(0);
        let in_use = live + self.external.get();
        self.live.set(in_use);
        if self.short.get() {
            self.take_ballast();
        }
        if self.short.get() {
            // It did not help.
            self.limit.set(in_use.saturating_sub(1).min(self.limit.get()));
        }
        // Near the limit garbage is not let grow as much as elsewhere.
        let room = self.limit.get().saturating_sub(in_use) / 2;
        let growth = in_use.min(SMALL_HEAP).max(in_use / 2);
        self.threshold.set(growth.min(room).max(FIRST_THRESHOLD));
        self.want_collect.set(false);
        let mut s = self.stats.get();
        s.collections += 1;
        self.stats.set(s);
    }
}

impl Heap {
    /// Marks all that is reachable from what is on the marker's stack.
    fn drain(&self, m: &mut Marker) {
        m.drain();
        // Whatever was reached is looked through again, until the stack sufficed.
        while std::mem::take(&mut m.overflowed) {
            for list in &self.classes {
                for block in &list.borrow().blocks {
                    block.each_marked(|p| {
                        // SAFETY: a marked object is live, and the row is that of its kind.
                        unsafe { (info((*p).kind).trace)(p, m) };
                        m.drain();
                    });
                }
            }
        }
    }
}

/// Whether the object at `p` was reached; only meaningful in the `weak` phase of a collection.
///
/// # Safety
/// `p` must be an object that was allocated and not yet swept.
pub unsafe fn is_live(p: *const Header) -> bool {
    // SAFETY: by contract.
    unsafe { block::is_black(p) }
}

/// The memory limit (or the machine's memory) does not allow an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl Drop for Heap {
    fn drop(&mut self) {
        for (index, list) in self.classes.iter_mut().enumerate() {
            let mut blocks = std::mem::take(&mut list.get_mut().blocks);
            if !self.leaving.get() {
                blocks.iter_mut().for_each(|b| b.drop_all(&self.external, |_| true));
                continue;
            }
            if self.payload_lists.get() & (1 << index) != 0 {
                let has_payload = |kind| kind == Kind::Opaque;
                blocks.iter_mut().for_each(|b| b.drop_all(&self.external, has_payload));
            }
            std::mem::forget(blocks);
        }
    }
}
