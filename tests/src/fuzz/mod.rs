//! Programs by chance, for the comparison of `ms` with CPython.
//!
//! - `rng` is the source of chance;
//! - `tables` says what expressions are made of, `stmt` what statements are;
//! - `expr` fills templates with operands of the types they want, mostly;
//! - `batch` writes many programs as one script and takes its output apart again;
//! - `compare` runs two interpreters, and makes a program that differs shorter;
//! - `golden` keeps what CPython prints for some programs;
//! - `prelude.ms` stands in front of every script: classes, `show`, `run`.
//!
//! A program is told by its number. It shows nothing that differs from run to run: no addresses,
//! no hashes of strings, no time. Each of its statements stands in a `try` of its own, so that one
//! error does not end it, and what it prints is what is compared.

mod batch;
mod compare;
mod expr;
pub mod golden;
pub(crate) mod rng;
mod stmt;
mod tables;

pub use batch::{Interpreter, script};
pub use compare::{Difference, Findings, Pair};
use rng::Rng;
use tables::Type;

/// How deep statements nest.
const DEPTH: usize = 2;

/// A program, as its statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What tells it.
    pub number: u64,
    /// Statements of one or more lines.
    pub statements: Vec<String>,
    /// Do they run in a function? (Otherwise in a module.)
    pub in_function: bool,
}

impl Program {
    /// The program of that number.
    pub fn new(number: u64) -> Self {
        let mut rng = Rng::new(number);
        let in_function = rng.chance(50);
        let mut generator = Generator { rng, scope: Vec::new(), names: 0, in_function };
        let mut statements = vec![generator.literals()];
        let count = 5 + generator.rng.below(9);
        statements.extend((0..count).map(|_| generator.statement(DEPTH)));
        Self { number, statements, in_function }
    }

    /// Its text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let margin = if self.in_function { "    " } else { "" };
        if self.in_function {
            text.push_str("def main():\n");
        }
        for statement in &self.statements {
            text.push_str(&format!("{margin}try:\n"));
            for line in statement.lines() {
                text.push_str(&format!("{margin}    {line}\n"));
            }
            text.push_str(&format!("{margin}except Exception as e:\n{margin}    err(e)\n"));
        }
        if self.in_function {
            text.push_str("main()\n");
        }
        text
    }
}

/// What makes one program.
struct Generator {
    rng: Rng,
    /// The variables that a statement may use, and what they were made for.
    scope: Vec<(String, Option<Type>)>,
    /// How many names there are.
    names: usize,
    in_function: bool,
}

impl Generator {
    /// The first statement: some variables, which cannot fail.
    fn literals(&mut self) -> String {
        let mut lines = Vec::new();
        for _ in 0..6 {
            let ty = self.rng.pick(tables::TYPES);
            self.names += 1;
            let name = format!("v{}", self.names);
            lines.push(format!("{name} = {}", self.rng.pick(ty.literals())));
            self.scope.push((name, Some(ty)));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_by_its_number() {
        assert_eq!(Program::new(7), Program::new(7));
        assert_ne!(Program::new(7).statements, Program::new(8).statements);
    }

    #[test]
    fn every_hole_of_the_tables_is_filled() {
        for number in 0..2_000 {
            let text = Program::new(number).text();
            assert!(!text.contains('$'), "{text}");
        }
    }
}
