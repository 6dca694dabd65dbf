//! "Did you mean": the nearest name by CPython's edit distance.

/// More candidates than this, and nothing is suggested.
const MAX_CANDIDATES: usize = 750;
/// Longer names are not compared.
const MAX_LEN: usize = 40;
/// Cost of inserting, removing or exchanging a character.
const MOVE: usize = 2;
/// Cost of another case.
const CASE: usize = 1;

/// The candidate that `wrong` most likely stands for.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let a: Vec<char> = wrong.chars().collect();
    if candidates.len() > MAX_CANDIDATES || a.len() > MAX_LEN {
        return None;
    }
    let mut best: Option<(&str, usize)> = None;
    let mut limit = usize::MAX;
    for c in candidates {
        if c == wrong || limit == 0 {
            continue;
        }
        let b: Vec<char> = c.chars().collect();
        // A third of the characters may differ, and earlier matches must be beaten.
        let max = ((b.len() + a.len() + 3) * MOVE / 6).min(limit - 1);
        let d = distance(&a, &b, max);
        if d <= max {
            best = Some((c, d));
            limit = d;
        }
    }
    best.map(|(c, _)| c)
}

/// The edit distance, or anything above `max` if it is larger.
fn distance(a: &[char], b: &[char], max: usize) -> usize {
    let before = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[before..], &b[before..]);
    let behind = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - behind], &b[..b.len() - behind]);
    if a.is_empty() || b.is_empty() {
        return MOVE * (a.len() + b.len());
    }
    if a.len() > MAX_LEN || b.len() > MAX_LEN {
        return max + 1;
    }
    let (a, b) = if b.len() < a.len() { (b, a) } else { (a, b) };
    if (b.len() - a.len()) * MOVE > max {
        return max + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (i, y) in b.iter().enumerate() {
        let mut diagonal = i * MOVE;
        result = diagonal;
        let mut least = usize::MAX;
        for (x, cell) in a.iter().zip(row.iter_mut()) {
            let exchanged = diagonal + exchange(*x, *y);
            diagonal = *cell;
            result = exchanged.min(result.min(diagonal) + MOVE);
            *cell = result;
            least = least.min(result);
        }
        if least > max {
            return max + 1;
        }
    }
    result
}

fn exchange(x: char, y: char) -> usize {
    if x == y {
        0
    } else if x.eq_ignore_ascii_case(&y) {
        CASE
    } else {
        MOVE
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("coutn", ["counter", "count"]), Some("count"));
        assert_eq!(nearest("Print", ["print", "int"]), Some("print"));
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest("elephant", ["cat"]), None);
        assert_eq!(nearest("same", ["same"]), None);
    }
}
