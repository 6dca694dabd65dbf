//! The table of a `set` or `frozenset`: open addressing with CPython's layout, probe sequence
//! and resize policy, so that a set of ints iterates in the order CPython shows.
//!
//! A removed key leaves a dummy; an insertion takes the last dummy its probe passed. The hash -1
//! is reserved: a key must never be stored under it.

use super::{AllocError, InsertSlot, NO_HASH, PERTURB_SHIFT, ProbeStep};

/// Cells looked at in a row before the probe jumps.
const LINEAR_PROBES: usize = 9;

/// Cells of the smallest table.
const MIN_CELLS: usize = 8;

/// Above this many keys a table doubles instead of growing fourfold.
const SLOW_GROWTH: usize = 50_000;

/// One cell: a key and its hash, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetEntry {
    /// The key's hash; never -1 for a live entry.
    pub hash: i64,
    /// The key's word.
    pub key: u64,
}

const EMPTY: SetEntry = SetEntry { hash: NO_HASH, key: 0 };
const DUMMY: SetEntry = SetEntry { hash: NO_HASH, key: 1 };

impl SetEntry {
    #[inline(always)]
    fn is_live(&self) -> bool {
        self.hash != NO_HASH
    }
}

/// An unordered hash table of words.
#[derive(Debug, Default)]
pub struct SetTable {
    /// Empty as long as nothing was inserted, else a power of two of at least `MIN_CELLS`.
    cells: Vec<SetEntry>,
    /// Live keys and dummies.
    filled: usize,
    live: usize,
    /// Where the next `pop` begins to search.
    finger: usize,
    version: u64,
}

impl SetTable {
    /// An empty table; it holds no memory of its own.
    pub const fn new() -> SetTable {
        SetTable { cells: Vec::new(), filled: 0, live: 0, finger: 0, version: 0 }
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

    /// Changes whenever a key is inserted or removed or entries move. A probe begun under
    /// another version must start again.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Bytes held outside the struct itself.
    pub fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<SetEntry>()
    }

    /// The live entry at an index.
    #[inline]
    pub fn get(&self, entry: usize) -> Option<&SetEntry> {
        self.cells.get(entry).filter(|e| e.is_live())
    }

    /// The first live entry at or after `from`, in iteration order.
    #[inline]
    pub fn next_live(&self, from: usize) -> Option<usize> {
        self.cells.get(from..)?.iter().position(SetEntry::is_live).map(|n| from + n)
    }

    /// The live entries in iteration order.
    pub fn iter(&self) -> impl Iterator<Item = &SetEntry> {
        self.cells.iter().filter(|e| e.is_live())
    }

    /// The entry whose key has this hash and satisfies `eq`. `eq` sees only keys with this hash.
    #[inline]
    pub fn find(&self, hash: i64, mut eq: impl FnMut(u64) -> bool) -> Option<usize> {
        if self.live == 0 {
            return None;
        }
        let mut walk = Walk::new(hash, self.mask());
        loop {
            let at = walk.at;
            let e = self.cells[at];
            if e.hash == hash {
                if eq(e.key) {
                    return Some(at);
                }
            } else if e == EMPTY {
                return None;
            }
            walk.step();
        }
    }

    /// The entry whose key is this very word.
    #[inline]
    pub fn find_identical(&self, hash: i64, key: u64) -> Option<usize> {
        self.find(hash, |k| k == key)
    }

    /// Begins a lookup whose comparisons the caller makes between the steps.
    #[inline]
    pub fn probe(&self, hash: i64) -> SetProbe {
        SetProbe { hash, version: self.version, walk: Walk::new(hash, self.mask()), free: None }
    }

    /// Inserts a key that a probe of the same version found absent. A stale slot is not trusted.
    pub fn insert_at(&mut self, slot: InsertSlot, hash: i64, key: u64) -> Result<(), AllocError> {
        debug_assert_ne!(hash, NO_HASH);
        let at = match self.cells.get(slot.0) {
            Some(&EMPTY) => slot.0,
            Some(&DUMMY) => {
                self.cells[slot.0] = SetEntry { hash, key };
                self.live += 1;
                self.version += 1;
                return Ok(());
            }
            _ => return self.insert_new(hash, key),
        };
        let filled = self.filled + 1;
        if filled * 5 >= self.mask() * 3 {
            // The key moves at once, so it is enough to have it in the table when it is rebuilt.
            let want = grown(self.live + 1);
            let cells = empty_cells(cells_for(want)?)?;
            self.cells[at] = SetEntry { hash, key };
            self.live += 1;
            self.move_into(cells);
        } else {
            self.cells[at] = SetEntry { hash, key };
            self.live += 1;
            self.filled = filled;
            self.version += 1;
        }
        Ok(())
    }

    /// Inserts a key known to be absent.
    pub fn insert_new(&mut self, hash: i64, key: u64) -> Result<(), AllocError> {
        self.add(hash, key, |_| false).map(|_| ())
    }

    /// Inserts a key unless an equal one is there; tells whether it was inserted.
    #[inline]
    pub fn add(
        &mut self,
        hash: i64,
        key: u64,
        mut eq: impl FnMut(u64) -> bool,
    ) -> Result<bool, AllocError> {
        if self.cells.is_empty() {
            self.cells = empty_cells(MIN_CELLS)?;
        }
        let mut walk = Walk::new(hash, self.mask());
        let mut free = None;
        loop {
            let e = self.cells[walk.at];
            if e.hash == hash {
                if e.key == key || eq(e.key) {
                    return Ok(false);
                }
            } else if e == EMPTY {
                self.insert_at(InsertSlot(free.unwrap_or(walk.at)), hash, key)?;
                return Ok(true);
            } else if e == DUMMY {
                free = Some(walk.at);
            }
            walk.step();
        }
    }

    /// Removes a live entry and returns it.
    pub fn remove(&mut self, entry: usize) -> Option<SetEntry> {
        let old = *self.get(entry)?;
        self.cells[entry] = DUMMY;
        self.live -= 1;
        self.version += 1;
        Some(old)
    }

    /// Removes and returns the entry `set.pop` would take.
    pub fn pop(&mut self) -> Option<SetEntry> {
        if self.live == 0 {
            return None;
        }
        let from = self.finger & self.mask();
        let at = self.next_live(from).or_else(|| self.next_live(0))?;
        self.finger = at + 1;
        self.remove(at)
    }

    /// Removes everything and gives the memory back.
    pub fn clear(&mut self) {
        let (finger, version) = (self.finger, self.version + 1);
        *self = SetTable { finger, version, ..SetTable::new() };
    }

    /// A copy as `set.copy` and `set(other)` make it: the order may differ from the original's.
    pub fn try_clone(&self) -> Result<SetTable, AllocError> {
        let mut copy = SetTable::new();
        copy.merge(self, |_, _| false)?;
        Ok(copy)
    }

    /// Makes the room that adding `n` keys one after the other begins with when their number is
    /// known (from a set or a dict).
    pub fn reserve_merge(&mut self, n: usize) -> Result<(), AllocError> {
        let sum = self.filled.checked_add(n).filter(|s| *s < usize::MAX / 8).ok_or(AllocError)?;
        if sum * 5 >= self.mask() * 3 {
            self.resize((self.live + n) * 2)?;
        }
        Ok(())
    }

    /// `self |= other`. `eq(mine, theirs)` compares keys of equal hash that are not identical.
    ///
    /// Where comparisons run script code, the caller does the same in steps: unless `other` is
    /// empty, [`SetTable::reserve_merge`], then one probe for each key of `other` in order.
    pub fn merge(
        &mut self,
        other: &SetTable,
        mut eq: impl FnMut(u64, u64) -> bool,
    ) -> Result<(), AllocError> {
        if other.live == 0 {
            return Ok(());
        }
        self.reserve_merge(other.live)?;
        if self.filled > 0 {
            for e in other.iter() {
                self.add(e.hash, e.key, |mine| eq(mine, e.key))?;
            }
            return Ok(());
        }
        if self.cells.is_empty() {
            self.cells = empty_cells(MIN_CELLS)?;
        }
        if self.cells.len() == other.cells.len() && other.filled == other.live {
            self.cells.copy_from_slice(&other.cells);
        } else {
            let mask = self.mask();
            for e in other.iter() {
                insert_clean(&mut self.cells, mask, *e);
            }
        }
        self.live = other.live;
        self.filled = other.live;
        self.version += 1;
        Ok(())
    }

    /// `self & other` for two sets: keys are taken from the smaller one, and from `other` if
    /// both have the same size.
    pub fn intersection(
        &self,
        other: &SetTable,
        mut eq: impl FnMut(u64, u64) -> bool,
    ) -> Result<SetTable, AllocError> {
        let (base, keys) = if other.live > self.live { (other, self) } else { (self, other) };
        let mut result = SetTable::new();
        for e in keys.iter() {
            if base.find(e.hash, |k| k == e.key || eq(k, e.key)).is_some() {
                result.insert_new(e.hash, e.key)?;
            }
        }
        Ok(result)
    }

    /// Whether [`SetTable::difference`] copies the whole set and then removes the keys of the
    /// other collection of `n` keys, instead of collecting those that are not in it.
    pub fn difference_copies(&self, n: usize) -> bool {
        self.live >> 2 > n
    }

    /// `self - other` for two sets.
    pub fn difference(
        &self,
        other: &SetTable,
        mut eq: impl FnMut(u64, u64) -> bool,
    ) -> Result<SetTable, AllocError> {
        if self.difference_copies(other.live) {
            let mut result = self.try_clone()?;
            result.subtract(other, eq)?;
            return Ok(result);
        }
        let mut result = SetTable::new();
        for e in self.iter() {
            if other.find(e.hash, |k| k == e.key || eq(k, e.key)).is_none() {
                result.insert_new(e.hash, e.key)?;
            }
        }
        Ok(result)
    }

    /// `self -= other`.
    pub fn subtract(
        &mut self,
        other: &SetTable,
        mut eq: impl FnMut(u64, u64) -> bool,
    ) -> Result<(), AllocError> {
        if other.live >> 3 > self.live {
            // Much larger: look our own keys up in it.
            let mut at = 0;
            while let Some(entry) = self.next_live(at) {
                at = entry + 1;
                let e = self.cells[entry];
                if other.find(e.hash, |k| k == e.key || eq(k, e.key)).is_some() {
                    self.remove(entry);
                }
            }
        } else {
            for e in other.iter() {
                if let Some(entry) = self.find(e.hash, |k| k == e.key || eq(k, e.key)) {
                    self.remove(entry);
                }
            }
        }
        self.shrink()
    }

    /// What ends each `difference_update`: drops the dummies if there are many.
    pub fn shrink(&mut self) -> Result<(), AllocError> {
        if self.filled - self.live <= self.mask() / 4 {
            return Ok(());
        }
        self.resize(grown(self.live))
    }

    /// `self ^= other` for two distinct sets (`a ^ b` is a copy of `b`, changed by `a`).
    pub fn toggle(
        &mut self,
        other: &SetTable,
        mut eq: impl FnMut(u64, u64) -> bool,
    ) -> Result<(), AllocError> {
        for e in other.iter() {
            match self.find(e.hash, |k| k == e.key || eq(k, e.key)) {
                Some(entry) => {
                    self.remove(entry);
                }
                None => self.insert_new(e.hash, e.key)?,
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn mask(&self) -> usize {
        self.cells.len().max(MIN_CELLS) - 1
    }

    /// Rebuilds the table with more than `want` cells.
    fn resize(&mut self, want: usize) -> Result<(), AllocError> {
        let n = cells_for(want)?;
        if n == MIN_CELLS && self.mask() + 1 == MIN_CELLS && self.filled == self.live {
            return Ok(());
        }
        self.move_into(empty_cells(n)?);
        Ok(())
    }

    fn move_into(&mut self, mut cells: Vec<SetEntry>) {
        let mask = cells.len() - 1;
        for e in self.iter() {
            insert_clean(&mut cells, mask, *e);
        }
        self.cells = cells;
        self.filled = self.live;
        self.version += 1;
    }
}

/// What a full table of `live` keys is resized to hold.
fn grown(live: usize) -> usize {
    if live > SLOW_GROWTH { live * 2 } else { live * 4 }
}

fn cells_for(want: usize) -> Result<usize, AllocError> {
    if want > isize::MAX as usize / 2 / size_of::<SetEntry>() {
        return Err(AllocError);
    }
    Ok((want + 1).next_power_of_two().max(MIN_CELLS))
}

fn empty_cells(n: usize) -> Result<Vec<SetEntry>, AllocError> {
    let mut cells = Vec::new();
    cells.try_reserve_exact(n)?;
    cells.resize(n, EMPTY);
    Ok(cells)
}

/// Inserts into cells without dummies a key that is not there.
fn insert_clean(cells: &mut [SetEntry], mask: usize, entry: SetEntry) {
    let mut walk = Walk::new(entry.hash, mask);
    while cells[walk.at].is_live() {
        walk.step();
    }
    cells[walk.at] = entry;
}

/// The sequence of cells a hash visits: runs of neighbours, then jumps. A run that would go
/// past the end of the table has one cell only.
#[derive(Debug, Clone, Copy)]
struct Walk {
    perturb: u64,
    mask: usize,
    /// First cell of the run.
    start: usize,
    /// Cells of the run still to come.
    left: usize,
    at: usize,
}

impl Walk {
    #[inline(always)]
    fn new(hash: i64, mask: usize) -> Walk {
        let at = hash as usize & mask;
        Walk { perturb: hash as u64, mask, start: at, left: run(at, mask), at }
    }

    #[inline(always)]
    fn step(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.at += 1;
            return;
        }
        self.perturb >>= PERTURB_SHIFT;
        let next = self.start.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize);
        self.start = next & self.mask;
        self.at = self.start;
        self.left = run(self.at, self.mask);
    }
}

#[inline(always)]
fn run(at: usize, mask: usize) -> usize {
    if at + LINEAR_PROBES <= mask { LINEAR_PROBES } else { 0 }
}

/// A lookup that can be put aside between comparisons (they may run script code). Before each
/// further step the caller checks [`SetProbe::is_stale`] and starts again if so.
#[derive(Debug, Clone, Copy)]
pub struct SetProbe {
    hash: i64,
    version: u64,
    walk: Walk,
    /// The last dummy passed.
    free: Option<usize>,
}

impl SetProbe {
    /// Whether the table changed since the probe began.
    #[inline]
    pub fn is_stale(&self, table: &SetTable) -> bool {
        self.version != table.version
    }

    /// The hash this probe looks for.
    #[inline]
    pub fn hash(&self) -> i64 {
        self.hash
    }

    /// Goes on to the next key with the same hash.
    #[inline]
    pub fn next(&mut self, table: &SetTable) -> ProbeStep {
        if table.cells.is_empty() || self.is_stale(table) {
            return ProbeStep::Absent(InsertSlot(usize::MAX));
        }
        loop {
            let at = self.walk.at;
            let e = table.cells[at];
            if e == EMPTY {
                return ProbeStep::Absent(InsertSlot(self.free.unwrap_or(at)));
            }
            if e == DUMMY {
                self.free = Some(at);
            }
            self.walk.step();
            if e.hash == self.hash {
                return ProbeStep::Candidate(at);
            }
        }
    }
}

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
