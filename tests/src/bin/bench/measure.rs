//! One run of a program, and the medians of several.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wait4::Wait4;

use crate::peers::Contender;

/// What one run took.
struct Sample {
    stdout: String,
    user: Duration,
    wall: Duration,
    peak_bytes: u64,
}

/// The medians of one program under one contender.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Figures {
    pub user_s: f64,
    pub wall_s: f64,
    pub peak_mib: f64,
}

/// Contender, then figures; who has no such program is missing.
pub type Results = BTreeMap<String, Figures>;

/// Runs a program (a path without extension) `rounds` times under each contender in turns. All
/// must print the same.
pub fn measure(program: &Path, contenders: &[Contender], rounds: usize) -> Result<Results, String> {
    let runners: Vec<_> = contenders.iter().filter_map(|c| Some((c, c.script(program)?))).collect();
    let mut samples: Vec<Vec<Sample>> = runners.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for ((contender, script), samples) in runners.iter().zip(&mut samples) {
            samples.push(run_once(contender, script)?);
        }
    }
    let first = samples.first().and_then(|samples| samples.first());
    let reference = first.map(|sample| sample.stdout.clone()).unwrap_or_default();
    let mut row = Results::new();
    for ((contender, script), samples) in runners.iter().zip(&samples) {
        if let Some(other) = samples.iter().find(|sample| sample.stdout != reference) {
            return Err(format!(
                "{}: the outputs differ\n{}: {reference}{}: {}",
                script.display(),
                contenders.first().map_or("", |contender| contender.name.as_str()),
                contender.name,
                other.stdout
            ));
        }
        let of = |pick: fn(&Sample) -> f64| median(samples.iter().map(pick).collect());
        let figures = Figures {
            user_s: of(|sample| sample.user.as_secs_f64()),
            wall_s: of(|sample| sample.wall.as_secs_f64()),
            peak_mib: of(|sample| sample.peak_bytes as f64 / f64::from(1 << 20)),
        };
        row.insert(contender.name.clone(), figures);
    }
    Ok(row)
}

fn run_once(contender: &Contender, script: &Path) -> Result<Sample, String> {
    let failed = |what: String| format!("{} {}: {what}", contender.name, script.display());
    let started = Instant::now();
    let mut child = Command::new(&contender.command)
        .args(&contender.arguments)
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut stdout = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        std::io::Read::read_to_string(&mut pipe, &mut stdout)
            .map_err(|error| failed(error.to_string()))?;
    }
    let used = child.wait4().map_err(|error| failed(error.to_string()))?;
    let wall = started.elapsed();
    if !used.status.success() {
        return Err(failed(used.status.to_string()));
    }
    let rusage = used.rusage;
    Ok(Sample { stdout, user: rusage.utime, wall, peak_bytes: rusage.maxrss })
}

/// Instructions that a program takes under a contender, by callgrind: the same on a busy machine.
pub fn instructions(program: &Path, contender: &Contender) -> Result<u64, String> {
    let script = contender.script(program).ok_or("no such program")?;
    let failed = |what: &str| format!("valgrind {}: {what}", script.display());
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(&contender.command)
        .args(&contender.arguments)
        .arg(&script)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        return Err(failed(&output.status.to_string()));
    }
    let told = String::from_utf8_lossy(&output.stderr);
    collected(&told).ok_or_else(|| failed("callgrind told no count"))
}

/// The count in what callgrind tells at its end.
fn collected(told: &str) -> Option<u64> {
    let (_, count) = told.rsplit_once("Collected :")?;
    count.split_whitespace().next()?.parse().ok()
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The kernel counts user time in steps; a run below one step counts as a step.
pub fn ratio(other: f64, ms: f64) -> f64 {
    const STEP_S: f64 = 1e-4;
    other.max(STEP_S) / ms.max(STEP_S)
}

pub fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), v| (sum + v.ln(), count + 1));
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        let mean = geometric_mean([2.0, 8.0].into_iter());
        assert!((mean.unwrap_or_default() - 4.0).abs() < 1e-9);
        assert_eq!(geometric_mean(std::iter::empty()), None);
    }

    #[test]
    fn the_count_of_callgrind_is_found() {
        let told =
            "==7== Events    : Ir\n==7== Collected : 5190311\n==7== \n==7== I   refs: 5,190,311";
        assert_eq!(collected(told), Some(5_190_311));
        assert_eq!(collected("Segmentation fault"), None);
    }
}
