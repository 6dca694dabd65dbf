//! The table against a plain list of pairs under random operations, and its promises.

use super::*;

/// A small deterministic generator.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn pairs(table: &DictTable) -> Vec<(u64, u64)> {
    table.iter().map(|e| (e.key, e.value)).collect()
}

fn hash_of(key: u64, spread: u64) -> i64 {
    (key % spread) as i64
}

fn probed(table: &DictTable, hash: i64, key: u64) -> Result<usize, InsertSlot> {
    let mut probe = table.probe(hash);
    loop {
        match probe.next(table) {
            ProbeStep::Candidate(at) if table.get(at).unwrap().key == key => return Ok(at),
            ProbeStep::Candidate(_) => {}
            ProbeStep::Absent(slot) => return Err(slot),
        }
    }
}

#[test]
fn behaves_as_an_ordered_list_of_pairs() {
    for seed in 1..60 {
        let mut rng = Rng(seed * 7919);
        let keys = [6, 12, 40, 400, 3000][seed as usize % 5];
        let spread = [1 << 40, 7, 64][seed as usize % 3];
        let mut table = DictTable::new();
        let mut model: Vec<(u64, u64)> = Vec::new();
        for step in 0..2500 {
            let key = rng.below(keys);
            let hash = hash_of(key, spread);
            let at = model.iter().position(|p| p.0 == key);
            assert_eq!(table.find_identical(hash, key).is_some(), at.is_some());
            match rng.below(10) {
                0..=4 => match (probed(&table, hash, key), at) {
                    (Ok(entry), Some(at)) => {
                        assert_eq!(table.set_value(entry, step), Some(model[at].1));
                        model[at].1 = step;
                    }
                    (Err(slot), None) => {
                        if step % 2 == 0 {
                            table.insert_at(slot, hash, key, step).unwrap();
                        } else {
                            table.insert_new(hash, key, step).unwrap();
                        }
                        model.push((key, step));
                    }
                    other => panic!("{other:?}"),
                },
                5..=7 => {
                    if let Some(entry) = table.find(hash, |k| k == key) {
                        let old = table.remove(entry).unwrap();
                        assert_eq!((old.key, old.value), model.remove(at.unwrap()));
                    }
                }
                8 => {
                    let last = table.pop_last().map(|e| (e.key, e.value));
                    assert_eq!(last, model.pop());
                }
                _ if rng.below(50) == 0 => {
                    table.clear();
                    model.clear();
                }
                _ if rng.below(9) == 0 => table = table.try_clone().unwrap(),
                _ if rng.below(9) == 0 => table.reserve(rng.below(30) as usize).unwrap(),
                _ => {}
            }
            assert_eq!(table.len(), model.len());
            if step % 16 == 0 {
                assert_eq!(pairs(&table), model);
                let mut back = Vec::new();
                let mut from = table.end();
                while let Some(at) = table.prev_live(from) {
                    back.push(table.get(at).unwrap().key);
                    from = at;
                }
                back.reverse();
                assert!(back.iter().eq(model.iter().map(|p| &p.0)));
                let mut from = 0;
                for p in &model {
                    let at = table.next_live(from).unwrap();
                    assert_eq!(table.get(at).unwrap().key, p.0);
                    from = at + 1;
                }
                assert_eq!(table.next_live(from), None);
            }
        }
    }
}

#[test]
fn a_small_dict_is_compact() {
    let mut table = DictTable::new();
    assert_eq!(table.heap_bytes(), 0);
    for n in 0..8 {
        table.insert_new(n, n as u64, 0).unwrap();
    }
    assert_eq!(table.heap_bytes(), 8 * 24);
    table.insert_new(8, 8, 0).unwrap();
    assert!(table.heap_bytes() < 20 * 24);
}

#[test]
fn the_version_tells_of_insertion_and_removal_only() {
    let mut table = DictTable::new();
    let a = table.insert_new(1, 1, 1).unwrap();
    let probe = table.probe(1);
    table.set_value(a, 2);
    assert!(!probe.is_stale(&table));
    table.remove(a);
    assert!(probe.is_stale(&table));
    let probe = table.probe(1);
    table.insert_new(1, 1, 1).unwrap();
    assert!(probe.is_stale(&table));
    let probe = table.probe(1);
    table.clear();
    assert!(probe.is_stale(&table));
}

#[test]
fn queues_and_stacks_of_removed_keys_are_not_rescanned() {
    const N: u64 = 200_000;
    let mut table = DictTable::new();
    for n in 0..N {
        table.insert_new(n as i64, n, n).unwrap();
    }
    // First in, first out.
    for n in 0..N / 2 {
        let at = table.next_live(0).unwrap();
        assert_eq!(table.remove(at).unwrap().key, n);
    }
    // Last in, first out, with insertions between.
    for n in (N / 2 + 10..N).rev() {
        let at = table.prev_live(table.end()).unwrap();
        assert_eq!(table.remove(at).unwrap().key, n);
        let at = table.insert_new(1, 1, 1).unwrap();
        table.remove(at);
    }
    assert_eq!(table.len(), 10);
}

#[test]
fn a_stale_slot_does_no_harm() {
    let mut table = DictTable::new();
    for n in 0..20 {
        table.insert_new(n, n as u64, 0).unwrap();
    }
    let Err(slot) = probed(&table, 100, 100) else { panic!() };
    for n in 20..90 {
        table.insert_new(n, n as u64, 0).unwrap();
    }
    let Err(_) = probed(&table, 100, 100) else { panic!() };
    table.insert_at(slot, 100, 100, 0).unwrap();
    assert_eq!(table.len(), 91);
    assert_eq!(table.iter().count(), 91);
}

#[test]
fn absurd_sizes_are_errors() {
    let mut table = DictTable::new();
    assert_eq!(table.reserve(usize::MAX), Err(AllocError));
    assert_eq!(table.reserve(1 << 40), Err(AllocError));
    assert!(DictTable::with_capacity(usize::MAX / 2).is_err());
    table.insert_new(1, 1, 1).unwrap();
    assert_eq!(table.len(), 1);
}
