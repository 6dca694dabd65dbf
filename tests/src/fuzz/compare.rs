//! What two interpreters print, side by side; and a program that differs, made short.

use std::io;
use std::path::Path;

use super::{Interpreter, Program};

/// How many steps of shortening there are at most.
const MAX_ROUNDS: usize = 60;
/// How many shorter programs are tried at a time.
const MAX_CANDIDATES: usize = 150;

/// The two that are compared, and what tells whether a program is worth comparing.
#[derive(Debug, Clone)]
pub struct Pair {
    /// `ms`.
    pub subject: Interpreter,
    /// CPython.
    pub oracle: Interpreter,
    /// CPython with another seed of its hashes. Where it disagrees with itself there is nothing
    /// to compare.
    pub again: Interpreter,
}

/// A program and what the two print.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The program.
    pub program: Program,
    /// What CPython prints.
    pub expected: String,
    /// What `ms` prints.
    pub got: String,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Where the two differ.
    pub differences: Vec<Difference>,
    /// The numbers of programs that print something else at each run of CPython.
    pub unstable: Vec<u64>,
}

impl Pair {
    /// Compares what the programs print.
    pub fn compare(&self, programs: &[Program], folder: &Path) -> io::Result<Findings> {
        let got = self.subject.outputs(programs, folder)?;
        let expected = self.oracle.outputs(programs, folder)?;
        let mut findings = Findings::default();
        let outputs = programs.iter().zip(expected.into_iter().zip(got));
        let mut doubtful: Vec<Difference> = outputs
            .filter(|(_, (expected, got))| expected != got)
            .map(|(program, (expected, got))| Difference {
                program: program.clone(),
                expected,
                got,
            })
            .collect();
        if doubtful.is_empty() {
            return Ok(findings);
        }
        let suspects: Vec<Program> = doubtful.iter().map(|d| d.program.clone()).collect();
        for again in self.again.outputs(&suspects, folder)?.into_iter().rev() {
            let difference = doubtful.pop().unwrap_or_else(|| unreachable!("one output for each"));
            if again == difference.expected {
                findings.differences.push(difference);
            } else {
                findings.unstable.push(difference.program.number);
            }
        }
        findings.differences.reverse();
        Ok(findings)
    }

    /// A shorter program with the same difference.
    pub fn reduce(&self, found: Difference, folder: &Path) -> io::Result<Difference> {
        let kind = found.kind();
        let mut best = found;
        for shorter in [without_statements, without_lines, without_operands] {
            for _ in 0..MAX_ROUNDS {
                let mut candidates = shorter(&best.program);
                candidates.sort_by_key(length);
                candidates.truncate(MAX_CANDIDATES);
                let found = self.compare(&candidates, folder)?.differences;
                match found.into_iter().find(|candidate| candidate.kind() == kind) {
                    Some(candidate) => best = candidate,
                    None => break,
                }
            }
        }
        Ok(best)
    }
}

impl Difference {
    /// The first lines that differ, without what may be different in a shorter program.
    pub fn kind(&self) -> String {
        let (mut expected, mut got) = (self.expected.lines(), self.got.lines());
        loop {
            let (one, other) = (expected.next(), got.next());
            if one != other || one.is_none() {
                let plain = |line: Option<&str>| {
                    let mut text = String::new();
                    for c in line.unwrap_or("(nothing)").chars().take(110) {
                        let c = if c.is_ascii_digit() { '#' } else { c };
                        if c != '#' || !text.ends_with('#') {
                            text.push(c);
                        }
                    }
                    text
                };
                return format!("CPython: {}\n     ms: {}", plain(one), plain(other));
            }
        }
    }

    /// How long the program is.
    pub fn length(&self) -> usize {
        length(&self.program)
    }
}

fn length(program: &Program) -> usize {
    program.statements.iter().map(String::len).sum()
}

/// The program without some of its statements: halves, quarters, single ones.
fn without_statements(program: &Program) -> Vec<Program> {
    let count = program.statements.len();
    let mut candidates = Vec::new();
    let mut size = count.div_ceil(2);
    while size > 0 {
        for start in (0..count).step_by(size) {
            let mut shorter = program.clone();
            shorter.statements.drain(start..count.min(start + size));
            candidates.push(shorter);
        }
        size /= 2;
    }
    candidates
}

/// The program without one of its lines.
fn without_lines(program: &Program) -> Vec<Program> {
    let mut candidates = Vec::new();
    for (place, statement) in program.statements.iter().enumerate() {
        let lines: Vec<&str> = statement.lines().collect();
        for skipped in (0..lines.len()).filter(|_| lines.len() > 1) {
            let kept: Vec<&str> =
                (0..lines.len()).filter(|&line| line != skipped).map(|line| lines[line]).collect();
            candidates.push(with_statement(program, place, kept.join("\n")));
        }
        // A body without its head.
        for head in 0..lines.len() {
            let kept =
                lines.iter().enumerate().filter(|&(line, _)| line != head).map(|(line, l)| {
                    if line > head { l.strip_prefix("    ").unwrap_or(l) } else { l }
                });
            candidates.push(with_statement(program, place, kept.collect::<Vec<_>>().join("\n")));
        }
    }
    candidates
}

/// The program with something simple for one thing in brackets.
fn without_operands(program: &Program) -> Vec<Program> {
    let mut candidates = Vec::new();
    for (place, statement) in program.statements.iter().enumerate() {
        let spans = brackets(statement);
        for &(start, end) in &spans {
            let whole = &statement[start..end];
            let simple: &[&str] = match whole.as_bytes()[0] {
                b'(' => &["(0)", "()", "('')", "(None)"],
                b'[' => &["[]", "[0]"],
                _ => &["{}"],
            };
            let inner = spans.iter().filter(|inner| start < inner.0 && inner.1 < end);
            let inner = inner.map(|&(start, end)| &statement[start..end]);
            // The parts between commas, one less.
            let parts: Vec<&str> = whole[1..whole.len() - 1].split(", ").collect();
            let fewer = (0..parts.len()).filter(|_| parts.len() > 1).map(|skipped| {
                let mut kept = parts.clone();
                kept.remove(skipped);
                format!("{}{}{}", &whole[..1], kept.join(", "), &whole[whole.len() - 1..])
            });
            let replacements = simple.iter().copied().chain(inner).map(str::to_owned).chain(fewer);
            for replacement in replacements.filter(|text| text.len() < whole.len()) {
                let text = format!("{}{replacement}{}", &statement[..start], &statement[end..]);
                candidates.push(with_statement(program, place, text));
            }
        }
    }
    candidates
}

fn with_statement(program: &Program, place: usize, text: String) -> Program {
    let mut changed = program.clone();
    changed.statements[place] = text;
    changed
}

/// Where things in brackets begin and end. Brackets in strings count, too: what is wrong then is
/// no program and falls out.
fn brackets(text: &str) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut spans = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => open.push(at),
            ')' | ']' | '}' => {
                if let Some(start) = open.pop() {
                    spans.push((start, at + 1));
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_difference_is_its_first_line_without_numbers() {
        let difference = Difference {
            program: Program { number: 1, statements: Vec::new(), in_function: false },
            expected: "same\nint 125\n".to_owned(),
            got: "same\nint 7\nmore\n".to_owned(),
        };
        assert_eq!(difference.kind(), "CPython: int #\n     ms: int #");
    }

    #[test]
    fn things_in_brackets_are_found() {
        assert_eq!(brackets("f(a[1])"), [(3, 6), (1, 7)]);
    }
}
