//! Orders against CPython's (see `oracle/gen_set.py`) and behaviour under random operations.

use super::*;

fn hash(n: i64) -> i64 {
    if n == -1 { -2 } else { n }
}

fn no_eq(_: u64, _: u64) -> bool {
    false
}

fn order(set: &SetTable) -> String {
    let keys: Vec<String> = set.iter().map(|e| (e.key as i64).to_string()).collect();
    keys.join(" ")
}

fn run(program: &str) -> (SetTable, SetTable) {
    let (mut a, mut b) = (SetTable::new(), SetTable::new());
    for token in program.split_whitespace() {
        let number = || token[1..].parse::<i64>().unwrap();
        match &token[..1] {
            "a" => {
                a.add(hash(number()), number() as u64, |_| false).unwrap();
            }
            "d" => {
                if let Some(e) = a.find_identical(hash(number()), number() as u64) {
                    a.remove(e);
                }
            }
            "p" => {
                a.pop().unwrap();
            }
            "c" => a.clear(),
            "x" => std::mem::swap(&mut a, &mut b),
            "C" => a = b.try_clone().unwrap(),
            "U" => a.merge(&b, no_eq).unwrap(),
            "u" => {
                let mut sum = a.try_clone().unwrap();
                sum.merge(&b, no_eq).unwrap();
                a = sum;
            }
            "I" => a = a.intersection(&b, no_eq).unwrap(),
            "D" => a = a.difference(&b, no_eq).unwrap(),
            "S" => a.subtract(&b, no_eq).unwrap(),
            "X" => {
                let mut other = b.try_clone().unwrap();
                other.toggle(&a, no_eq).unwrap();
                a = other;
            }
            "T" => a.toggle(&b, no_eq).unwrap(),
            "M" => {
                a.reserve_merge(b.len()).unwrap();
                for e in b.iter() {
                    a.add(e.hash, e.key, |_| false).unwrap();
                }
            }
            other => panic!("token {other}"),
        }
    }
    (a, b)
}

#[test]
fn iterates_in_the_order_of_cpython() {
    let cases = include_str!("../../oracle/set.txt");
    assert!(cases.lines().count() > 250);
    for (n, line) in cases.lines().enumerate() {
        let mut parts = line.split(" | ").chain(std::iter::repeat(""));
        let program = parts.next().unwrap();
        let (a, b) = run(program);
        assert_eq!(order(&a), parts.next().unwrap().trim_end_matches(" |"), "line {n}: a");
        assert_eq!(order(&b), parts.next().unwrap(), "line {n}: b");
        assert_eq!(a.len(), a.iter().count());
    }
}

#[test]
fn a_probe_finds_what_find_finds() {
    let (set, _) = run("a1 a9 a17 a25 d9 a33 a41");
    for n in 0..50 {
        let mut probe = set.probe(n);
        let mut found = None;
        while let ProbeStep::Candidate(at) = probe.next(&set) {
            if set.get(at).unwrap().key == n as u64 {
                found = Some(at);
                break;
            }
        }
        assert_eq!(found, set.find_identical(n, n as u64), "{n}");
    }
}

#[test]
fn a_stale_slot_or_probe_does_no_harm() {
    let mut set = SetTable::new();
    let mut early = set.probe(5);
    let ProbeStep::Absent(slot) = early.next(&set) else { panic!() };
    for n in 0..100 {
        set.insert_new(n, n as u64).unwrap();
    }
    assert!(early.is_stale(&set));
    set.insert_at(slot, 1000, 1000).unwrap();
    assert_eq!(set.len(), 101);
    assert!(set.find_identical(1000, 1000).is_some());
    let mut late = set.probe(7);
    set.clear();
    assert!(matches!(late.next(&set), ProbeStep::Absent(_)));
}

#[test]
fn equal_hashes_are_compared() {
    let mut set = SetTable::new();
    for key in 0..50 {
        assert!(set.add(7, key, |_| false).unwrap());
    }
    assert!(!set.add(7, 100, |k| k == 49).unwrap());
    assert_eq!(set.len(), 50);
    assert_eq!(set.find(7, |k| k == 33).and_then(|e| set.get(e)).map(|e| e.key), Some(33));
}

#[test]
fn absurd_sizes_are_errors() {
    let mut set = SetTable::new();
    assert_eq!(set.reserve_merge(usize::MAX), Err(AllocError));
    assert_eq!(set.reserve_merge(usize::MAX / 16), Err(AllocError));
    assert_eq!(set.len(), 0);
}
