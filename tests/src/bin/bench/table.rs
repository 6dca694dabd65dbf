//! The tables that a run prints.

use std::collections::BTreeMap;

use crate::STARTUP;
use crate::measure::{Figures, Results, geometric_mean, ratio};
use crate::peers::{Contender, GROUPS, group};

/// Width of the first column.
const NAMES: usize = 35;

/// A row's first column, then a cell for each contender, then the ratios.
pub struct Table<'a> {
    pub contenders: &'a [Contender],
}

impl Table<'_> {
    fn peers(&self) -> &[Contender] {
        self.contenders.get(1..).unwrap_or_default()
    }

    fn width(contender: &Contender) -> usize {
        contender.name.len().max(8) + 2
    }

    pub fn header(&self) {
        print!("{:<NAMES$}", "user time, ms");
        for contender in self.contenders {
            print!("{:>width$}", contender.name, width = Self::width(contender));
        }
        for peer in self.peers() {
            print!("{:>width$}", format!("{}/ms", peer.name), width = Self::width(peer) + 3);
        }
        println!("   (above 1: ms is faster)");
    }

    pub fn row(&self, name: &str, row: &Results, pick: fn(&Figures) -> f64) {
        print!("{name:<NAMES$}");
        for contender in self.contenders {
            let cell = row.get(&contender.name).map(|f| format!("{:.1}", pick(f) * 1e3));
            print!("{:>width$}", or_dash(cell), width = Self::width(contender));
        }
        for peer in self.peers() {
            let cell = times(row, &peer.name, pick).map(|ratio| format!("{ratio:.2}"));
            print!("{:>width$}", or_dash(cell), width = Self::width(peer) + 3);
        }
        println!();
    }

    /// The geometric means of the ratios: of each group, then of all programs.
    pub fn means(&self, results: &BTreeMap<String, Results>) {
        println!();
        for (name, _) in GROUPS {
            self.mean(name, results, |program| group(program) == Some(name));
        }
        self.mean("geometric mean", results, |_| true);
    }

    fn mean(&self, name: &str, results: &BTreeMap<String, Results>, among: impl Fn(&str) -> bool) {
        let times: usize = self.contenders.iter().map(Self::width).sum();
        print!("{name:<NAMES$}{:times$}", "");
        for peer in self.peers() {
            let rows = results.iter().filter(|(program, _)| among(program));
            let ratios = rows.filter_map(|(_, row)| self::times(row, &peer.name, |f| f.user_s));
            let cell = geometric_mean(ratios).map(|mean| format!("{mean:.2}"));
            print!("{:>width$}", or_dash(cell), width = Self::width(peer) + 3);
        }
        println!();
    }

    pub fn memory(&self, name: &str, row: &Results) {
        print!("{name:<NAMES$}");
        for contender in self.contenders {
            let cell = row.get(&contender.name).map(|f| format!("{:.1} MiB", f.peak_mib));
            print!("{:>width$}", or_dash(cell), width = Self::width(contender) + 2);
        }
        println!();
    }
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}

/// How many times `ms` is faster than `peer`.
fn times(row: &Results, peer: &str, pick: fn(&Figures) -> f64) -> Option<f64> {
    Some(ratio(pick(row.get(peer)?), pick(row.get("ms")?)))
}

/// What a change did: `ms` alone, before and now.
pub fn comparison(before: &BTreeMap<String, Results>, now: &BTreeMap<String, Results>) {
    println!("\n{:<NAMES$}{:>10}{:>10}{:>12}", "ms alone", "before", "now", "before/now");
    let mut ratios = Vec::new();
    for (name, row) in now {
        let old = before.get(name).and_then(|row| row.get("ms"));
        let (Some(old), Some(new)) = (old, row.get("ms")) else { continue };
        let pick = |f: &Figures| if name == STARTUP { f.wall_s } else { f.user_s };
        let (old, new) = (pick(old), pick(new));
        println!("{name:<NAMES$}{:>10.1}{:>10.1}{:>12.2}", old * 1e3, new * 1e3, ratio(old, new));
        ratios.push(ratio(old, new));
    }
    if let Some(mean) = geometric_mean(ratios.into_iter()) {
        println!("{:<NAMES$}{mean:>32.2}", "geometric mean");
    }
}

/// A row of instruction counts, in millions; with an earlier count, what it was then.
pub fn count(name: &str, now: u64, before: Option<u64>) {
    print!("{name:<NAMES$}{:>12.2}", now as f64 / 1e6);
    if let Some(before) = before {
        let times = before as f64 / now.max(1) as f64;
        print!("{:>12.2}{times:>12.3}", before as f64 / 1e6);
    }
    println!();
}

/// The header of the rows of [`count`].
pub fn count_header() {
    println!("{:<NAMES$}{:>12}{:>12}{:>12}", "million instructions", "now", "before", "before/now");
}
