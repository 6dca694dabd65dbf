//! The table of a `dict`: entries in insertion order in one dense array, and beside it a table
//! of small indices that is probed by hash (the layout CPython uses since 3.6).
//!
//! Up to [`LINEAR_MAX`] entries there is no index table: a scan of the hashes is as fast and
//! a third of the memory. A removed entry stays as a tombstone until the next resize, so entry
//! indices (which iterators hold) stay valid while nothing is inserted.
//!
//! The hash -1 is reserved, as in CPython: a key must never be stored under it.

use super::{AllocError, InsertSlot, NO_HASH, PERTURB_SHIFT, ProbeStep};

/// Most entries (tombstones included) that are searched without an index table.
const LINEAR_MAX: usize = 8;

/// Most entries a table may have: indices are at most 32 bits wide.
const ENTRIES_MAX: usize = 1 << 30;

/// One key with its hash and value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The key's hash; never -1 for a live entry.
    pub hash: i64,
    /// The key's word.
    pub key: u64,
    /// The value's word.
    pub value: u64,
}

const TOMBSTONE: Entry = Entry { hash: NO_HASH, key: 0, value: 0 };

impl Entry {
    fn is_live(&self) -> bool {
        self.hash != NO_HASH
    }
}

/// An unsigned integer of an index table.
trait Cell: Copy + PartialEq {
    /// Never used.
    const EMPTY: Self;
    /// Its entry was removed; probing goes on behind it. Too large to be an entry index.
    const REMOVED: Self;
    fn from_index(index: usize) -> Self;
    fn index(self) -> usize;
}

macro_rules! cell {
    ($($t:ty),*) => {$(
        impl Cell for $t {
            const EMPTY: $t = <$t>::MAX;
            const REMOVED: $t = <$t>::MAX - 1;
            #[inline(always)]
            fn from_index(index: usize) -> $t {
                index as $t
            }
            #[inline(always)]
            fn index(self) -> usize {
                self as usize
            }
        }
    )*};
}
cell!(u8, u16, u32);

/// The index table, as narrow as the number of cells allows. Its length is a power of two and
/// at least a third of it is `EMPTY`, so that a probe always ends.
#[derive(Debug)]
enum Index {
    None,
    U8(Box<[u8]>),
    U16(Box<[u16]>),
    U32(Box<[u32]>),
}

/// Runs `$body` with `$cells` bound to the cells of an index table, or `$none` without one.
macro_rules! with_cells {
    ($index:expr, $cells:ident => $body:expr, none => $none:expr) => {
        match $index {
            Index::None => $none,
            Index::U8($cells) => $body,
            Index::U16($cells) => $body,
            Index::U32($cells) => $body,
        }
    };
}

/// The sequence of cells a hash visits.
#[derive(Debug, Clone, Copy)]
struct Walk {
    perturb: u64,
    cell: usize,
}

impl Walk {
    #[inline(always)]
    fn new(hash: i64) -> Walk {
        Walk { perturb: hash as u64, cell: hash as usize }
    }

    #[inline(always)]
    fn step(&mut self) {
        self.perturb >>= PERTURB_SHIFT;
        self.cell = self.cell.wrapping_mul(5).wrapping_add(self.perturb as usize).wrapping_add(1);
    }
}

/// An insertion-ordered hash table from words to words.
#[derive(Debug)]
pub struct DictTable {
    index: Index,
    entries: Vec<Entry>,
    live: usize,
    /// Cells of the index that are not `EMPTY`.
    filled: usize,
    /// No entry before this one is live.
    head: usize,
    /// No entry from this one on is live.
    tail: usize,
    version: u64,
}

impl Default for DictTable {
    fn default() -> Self {
        DictTable::new()
    }
}

impl DictTable {
    /// An empty table; it holds no memory of its own.
    pub const fn new() -> DictTable {
        DictTable {
            index: Index::None,
            entries: Vec::new(),
            live: 0,
            filled: 0,
            head: 0,
            tail: 0,
            version: 0,
        }
    }

    /// An empty table with room for `n` keys.
    pub fn with_capacity(n: usize) -> Result<DictTable, AllocError> {
        let mut table = DictTable::new();
        table.reserve(n)?;
        Ok(table)
    }

    /// Number of keys.
    #[inline]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there are no keys.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Changes whenever a key is inserted or removed or entries move; not when a value is set.
    /// A probe begun under another version must start again.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One past the last entry index in use: where reverse iteration starts.
    #[inline]
    pub fn end(&self) -> usize {
        self.tail
    }

    /// Bytes held outside the struct itself.
    pub fn heap_bytes(&self) -> usize {
        let index = match &self.index {
            Index::None => 0,
            Index::U8(c) => c.len(),
            Index::U16(c) => c.len() * 2,
            Index::U32(c) => c.len() * 4,
        };
        index + self.entries.capacity() * size_of::<Entry>()
    }

    /// The live entry at an index.
    #[inline]
    pub fn get(&self, entry: usize) -> Option<&Entry> {
        self.entries.get(entry).filter(|e| e.is_live())
    }

    /// The entry at an index, live or not, if its key is this very word.
    #[inline(always)]
    pub(crate) fn entry_of(&self, entry: usize, key: u64) -> Option<&Entry> {
        self.entries.get(entry).filter(|e| e.key == key)
    }

    /// As [`DictTable::entry_of`], to set its value.
    #[inline(always)]
    pub(crate) fn entry_of_mut(&mut self, entry: usize, key: u64) -> Option<&mut Entry> {
        self.entries.get_mut(entry).filter(|e| e.key == key)
    }

    /// Replaces the value of a live entry and returns the old one.
    #[inline]
    pub fn set_value(&mut self, entry: usize, value: u64) -> Option<u64> {
        let e = self.entries.get_mut(entry).filter(|e| e.is_live())?;
        Some(std::mem::replace(&mut e.value, value))
    }

    /// The entry whose key has this hash and satisfies `eq`. `eq` sees only keys with this hash.
    #[inline]
    pub fn find(&self, hash: i64, mut eq: impl FnMut(u64) -> bool) -> Option<usize> {
        with_cells!(
            &self.index,
            cells => find_in(cells, &self.entries, hash, |e| eq(e.key)),
            none => self.entries.iter().position(|e| e.hash == hash && eq(e.key))
        )
    }

    /// The entry whose key is this very word: the fast way in for interned strings.
    #[inline]
    pub fn find_identical(&self, hash: i64, key: u64) -> Option<usize> {
        with_cells!(
            &self.index,
            cells => find_in(cells, &self.entries, hash, |e| e.key == key),
            none => self.entries.iter().position(|e| e.key == key && e.hash == hash)
        )
    }

    /// Begins a lookup whose comparisons the caller makes between the steps.
    #[inline]
    pub fn probe(&self, hash: i64) -> Probe {
        Probe { hash, version: self.version, walk: Walk::new(hash), linear: 0, free: None }
    }

    /// Inserts a key that a probe of the same version found absent. A stale slot is not trusted.
    pub fn insert_at(
        &mut self,
        slot: InsertSlot,
        hash: i64,
        key: u64,
        value: u64,
    ) -> Result<usize, AllocError> {
        if !self.has_room() {
            return self.insert_new(hash, key, value);
        }
        let at = self.entries.len();
        let filled = &mut self.filled;
        let placed = with_cells!(
            &mut self.index,
            cells => match cells.get_mut(slot.0) {
                Some(cell) => occupy(cell, at, filled),
                None => false,
            },
            none => true
        );
        if !placed {
            return self.insert_new(hash, key, value);
        }
        Ok(self.push(hash, key, value))
    }

    /// Inserts a key known to be absent and returns its entry index.
    pub fn insert_new(&mut self, hash: i64, key: u64, value: u64) -> Result<usize, AllocError> {
        debug_assert_ne!(hash, NO_HASH);
        if !self.has_room() {
            self.grow()?;
        }
        let at = self.entries.len();
        let filled = &mut self.filled;
        with_cells!(&mut self.index, cells => place(cells, hash, at, filled), none => ());
        Ok(self.push(hash, key, value))
    }

    /// Removes a live entry and returns it.
    pub fn remove(&mut self, entry: usize) -> Option<Entry> {
        let old = *self.get(entry)?;
        with_cells!(&mut self.index, cells => erase(cells, old.hash, entry), none => ());
        self.entries[entry] = TOMBSTONE;
        self.live -= 1;
        self.version += 1;
        while self.entries.get(self.head).is_some_and(|e| !e.is_live()) {
            self.head += 1;
        }
        if self.tail == entry + 1 {
            while let Some(e) = self.entries[..self.tail].last().filter(|e| !e.is_live()) {
                self.tail -= (e.value as usize).clamp(1, self.tail);
            }
        }
        Some(old)
    }

    /// Removes and returns the entry inserted last.
    pub fn pop_last(&mut self) -> Option<Entry> {
        let at = self.prev_live(self.tail)?;
        let old = self.remove(at);
        self.entries.truncate(at);
        self.head = self.head.min(at);
        self.tail = self.tail.min(at);
        old
    }

    /// Makes a live entry the last one, or the first.
    pub fn move_to_end(&mut self, entry: usize, last: bool) -> Result<(), AllocError> {
        if last {
            if self.tail == entry + 1 {
                return Ok(());
            }
            let Some(e) = self.remove(entry) else { return Ok(()) };
            return self.insert_new(e.hash, e.key, e.value).map(|_| ());
        }
        if self.next_live(0) == Some(entry) {
            return Ok(());
        }
        let Some(&Entry { key, hash, .. }) = self.get(entry) else { return Ok(()) };
        if self.head == 0 || self.filled >= self.limit() {
            self.open_front()?;
        }
        let Some(entry) = self.find_identical(hash, key) else { return Ok(()) };
        let Some(e) = self.remove(entry) else { return Ok(()) };
        // Nothing before the head is live, so its last dead entry is free.
        let at = self.head - 1;
        self.entries[at] = e;
        let filled = &mut self.filled;
        with_cells!(&mut self.index, cells => place(cells, hash, at, filled), none => ());
        self.head = at;
        self.tail = self.tail.max(at + 1);
        self.live += 1;
        self.version += 1;
        Ok(())
    }

    /// Moves the entries up, so that there is room for more before them.
    #[cold]
    fn open_front(&mut self) -> Result<(), AllocError> {
        let gap = self.live / 2 + LINEAR_MAX;
        self.rebuild(self.live.saturating_mul(2) + 4 * LINEAR_MAX)?;
        self.entries.try_reserve(gap)?;
        self.entries.splice(0..0, std::iter::repeat_n(TOMBSTONE, gap));
        self.filled = 0;
        let filled = &mut self.filled;
        let entries = &self.entries;
        with_cells!(
            &mut self.index,
            cells => refill(cells, entries, gap, filled),
            none => ()
        );
        self.head = gap;
        self.tail = self.entries.len();
        Ok(())
    }

    /// The first live entry at or after `from`.
    #[inline]
    pub fn next_live(&self, from: usize) -> Option<usize> {
        let from = from.max(self.head);
        let rest = self.entries.get(from..)?;
        rest.iter().position(Entry::is_live).map(|n| from + n)
    }

    /// The last live entry before `before`.
    #[inline]
    pub fn prev_live(&self, before: usize) -> Option<usize> {
        self.entries[..before.min(self.tail)].iter().rposition(Entry::is_live)
    }

    /// The live entries in insertion order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.is_live())
    }

    /// Removes everything and gives the memory back.
    pub fn clear(&mut self) {
        *self = DictTable { version: self.version + 1, ..DictTable::new() };
    }

    /// Makes room so that `n` more keys can be inserted without growing.
    pub fn reserve(&mut self, n: usize) -> Result<(), AllocError> {
        let want = self.live.checked_add(n).ok_or(AllocError)?;
        if n > self.limit().saturating_sub(self.entries.len().max(self.filled)) {
            self.rebuild(want)?;
        }
        self.entries.try_reserve(n)?;
        Ok(())
    }

    /// A copy without the tombstones.
    pub fn try_clone(&self) -> Result<DictTable, AllocError> {
        let mut copy = DictTable::new();
        copy.entries.try_reserve_exact(self.live)?;
        copy.entries.extend(self.iter());
        copy.live = self.live;
        copy.tail = self.live;
        if copy.live > LINEAR_MAX {
            copy.rebuild(copy.live)?;
        }
        Ok(copy)
    }

    /// How many entries, live or not, the index (or the scan without one) can serve.
    #[inline(always)]
    fn limit(&self) -> usize {
        with_cells!(&self.index, cells => usable(cells.len()), none => LINEAR_MAX)
    }

    /// Whether one more entry fits without moving anything.
    #[inline(always)]
    fn has_room(&self) -> bool {
        let limit = self.limit();
        let len = self.entries.len();
        len < limit && self.filled < limit && len < self.entries.capacity()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) -> Result<(), AllocError> {
        let limit = self.limit();
        if self.entries.len() >= limit || self.filled >= limit {
            let linear = self.live <= LINEAR_MAX / 2;
            self.rebuild(if linear { LINEAR_MAX } else { self.live.saturating_mul(2) })?;
        }
        let len = self.entries.len();
        if len == self.entries.capacity() {
            let more = match len {
                0 => 2,
                1..=4 => len,
                _ => len / 2 + len / 4,
            };
            self.entries.try_reserve_exact(more)?;
        }
        Ok(())
    }

    /// Drops the tombstones and gives the index room for `want` entries.
    fn rebuild(&mut self, want: usize) -> Result<(), AllocError> {
        if want > ENTRIES_MAX {
            return Err(AllocError);
        }
        let index = if want <= LINEAR_MAX {
            Index::None
        } else {
            let cells = (want + want / 2 + 1).next_power_of_two();
            match cells {
                0..=0x100 => Index::U8(empty_cells(cells)?),
                0x101..=0x1_0000 => Index::U16(empty_cells(cells)?),
                _ => Index::U32(empty_cells(cells)?),
            }
        };
        if self.live < self.entries.len() {
            self.entries.retain(Entry::is_live);
        }
        self.index = index;
        self.filled = 0;
        let filled = &mut self.filled;
        let entries = &self.entries;
        with_cells!(
            &mut self.index,
            cells => for (at, e) in entries.iter().enumerate() {
                place(cells, e.hash, at, filled);
            },
            none => ()
        );
        self.head = 0;
        self.tail = self.entries.len();
        self.version += 1;
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, hash: i64, key: u64, value: u64) -> usize {
        let at = self.entries.len();
        if self.tail < at {
            // Tells a later search for the tail how many dead entries end here, so that
            // inserting and removing in turn does not scan them each time.
            self.entries[at - 1].value = (at - self.tail) as u64;
        }
        self.entries.push(Entry { hash, key, value });
        self.live += 1;
        self.tail = at + 1;
        self.version += 1;
        at
    }
}

/// How many cells of an index table may be in use.
#[inline(always)]
fn usable(cells: usize) -> usize {
    cells * 2 / 3
}

fn empty_cells<C: Cell>(n: usize) -> Result<Box<[C]>, AllocError> {
    let mut cells = Vec::new();
    cells.try_reserve_exact(n)?;
    cells.resize(n, C::EMPTY);
    Ok(cells.into_boxed_slice())
}

#[inline(always)]
fn find_in<C: Cell>(
    cells: &[C],
    entries: &[Entry],
    hash: i64,
    mut eq: impl FnMut(&Entry) -> bool,
) -> Option<usize> {
    let mask = cells.len() - 1;
    let mut walk = Walk::new(hash);
    loop {
        let cell = cells[walk.cell & mask];
        // REMOVED is beyond every entry.
        if let Some(e) = entries.get(cell.index()) {
            if e.hash == hash && eq(e) {
                return Some(cell.index());
            }
        } else if cell == C::EMPTY {
            return None;
        }
        walk.step();
    }
}

/// Puts entry `at` into the first free cell of its walk.
#[inline(always)]
fn place<C: Cell>(cells: &mut [C], hash: i64, at: usize, filled: &mut usize) {
    let mask = cells.len() - 1;
    let mut walk = Walk::new(hash);
    while !occupy(&mut cells[walk.cell & mask], at, filled) {
        walk.step();
    }
}

/// Makes an index anew for the entries from `from` on.
fn refill<C: Cell>(cells: &mut [C], entries: &[Entry], from: usize, filled: &mut usize) {
    cells.fill(C::EMPTY);
    for (at, e) in entries.iter().enumerate().skip(from) {
        place(cells, e.hash, at, filled);
    }
}

/// Takes a cell for entry `at` if it is free.
#[inline(always)]
fn occupy<C: Cell>(cell: &mut C, at: usize, filled: &mut usize) -> bool {
    if *cell == C::EMPTY {
        *filled += 1;
    } else if *cell != C::REMOVED {
        return false;
    }
    *cell = C::from_index(at);
    true
}

fn erase<C: Cell>(cells: &mut [C], hash: i64, entry: usize) {
    let mask = cells.len() - 1;
    let mut walk = Walk::new(hash);
    loop {
        let cell = &mut cells[walk.cell & mask];
        if *cell == C::from_index(entry) {
            *cell = C::REMOVED;
            return;
        }
        if *cell == C::EMPTY {
            return;
        }
        walk.step();
    }
}

/// A lookup that can be put aside between comparisons (they may run script code). Before each
/// further step the caller checks [`Probe::is_stale`] and starts again if so.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    hash: i64,
    version: u64,
    walk: Walk,
    /// Next entry to look at, without an index table.
    linear: usize,
    /// The first reusable cell passed.
    free: Option<usize>,
}

impl Probe {
    /// Whether the table changed since the probe began.
    #[inline]
    pub fn is_stale(&self, table: &DictTable) -> bool {
        self.version != table.version
    }

    /// The hash this probe looks for.
    #[inline]
    pub fn hash(&self) -> i64 {
        self.hash
    }

    /// Goes on to the next key with the same hash.
    #[inline]
    pub fn next(&mut self, table: &DictTable) -> ProbeStep {
        with_cells!(
            &table.index,
            cells => self.next_in(cells, &table.entries),
            none => {
                let from = self.linear.min(table.entries.len());
                match table.entries[from..].iter().position(|e| e.hash == self.hash) {
                    Some(n) => {
                        self.linear = from + n + 1;
                        ProbeStep::Candidate(from + n)
                    }
                    None => ProbeStep::Absent(InsertSlot(0)),
                }
            }
        )
    }

    fn next_in<C: Cell>(&mut self, cells: &[C], entries: &[Entry]) -> ProbeStep {
        let mask = cells.len() - 1;
        loop {
            let at = self.walk.cell & mask;
            let cell = cells[at];
            if cell == C::EMPTY {
                return ProbeStep::Absent(InsertSlot(self.free.unwrap_or(at)));
            }
            self.walk.step();
            match entries.get(cell.index()) {
                Some(e) if e.hash == self.hash => return ProbeStep::Candidate(cell.index()),
                Some(_) => {}
                None => self.free = self.free.or(Some(at)),
            }
        }
    }
}

#[cfg(test)]
#[path = "dict_tests.rs"]
mod tests;
