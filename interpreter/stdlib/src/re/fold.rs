//! Which characters are the same without regard to case.
//!
//! Two are if their lower cases are, or if these have the same upper case.

use std::sync::OnceLock;

use miniscript_vm::text::case;

/// Sets of characters that are the same, and the set that each belongs to, by character.
struct Orbits {
    members: Vec<Vec<u32>>,
    of: Vec<(u32, u32)>,
}

fn orbits() -> &'static Orbits {
    static ORBITS: OnceLock<Orbits> = OnceLock::new();
    ORBITS.get_or_init(|| {
        let mut cased: Vec<u32> = case::cased().flat_map(|c| [c, case::lower_one(c)]).collect();
        cased.sort_unstable();
        cased.dedup();
        // Sorting by what must be equal brings together what belongs together.
        let key = |c: u32| case::upper_full(case::lower_one(c));
        let mut keyed: Vec<([u32; 3], u32)> = cased.into_iter().map(|c| (key(c), c)).collect();
        keyed.sort_unstable();
        let same = keyed.chunk_by(|a, b| a.0 == b.0).filter(|set| set.len() > 1);
        let members: Vec<Vec<u32>> =
            same.map(|set| set.iter().map(|(_, c)| *c).collect()).collect();
        let numbered = members.iter().zip(0..);
        let mut of: Vec<(u32, u32)> =
            numbered.flat_map(|(set, n)| set.iter().map(move |c| (*c, n))).collect();
        of.sort_unstable();
        Orbits { members, of }
    })
}

/// What is the same as a character without regard to case, if anything besides itself.
pub fn same(c: u32) -> &'static [u32] {
    let orbits = orbits();
    match orbits.of.binary_search_by_key(&c, |row| row.0) {
        Ok(at) => &orbits.members[orbits.of[at].1 as usize],
        Err(_) => &[],
    }
}

/// Calls `f` with all that is the same as a character between two, these included.
pub fn same_as_range(lo: u32, hi: u32, mut f: impl FnMut(u32)) {
    let orbits = orbits();
    let first = orbits.of.partition_point(|row| row.0 < lo);
    for (_, set) in orbits.of[first..].iter().take_while(|row| row.0 <= hi) {
        orbits.members[*set as usize].iter().for_each(|c| f(*c));
    }
}

/// The lower case of an ASCII letter.
pub fn lower_ascii(c: u32) -> u32 {
    if (0x41..0x5B).contains(&c) { c + 32 } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kelvin_is_a_k() {
        assert_eq!(same('k' as u32), ['K' as u32, 'k' as u32, 0x212A]);
        assert_eq!(same(0x3C2), [0x3A3, 0x3C2, 0x3C3]);
        assert!(same('1' as u32).is_empty());
    }
}
