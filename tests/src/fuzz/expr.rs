//! Expressions: templates filled with operands.

use super::Generator;
use super::tables::{self, Type};

/// How often an operand is of another type than the template wants.
const WRONG_PERCENT: usize = 5;

impl Generator {
    /// An expression of that type, mostly; `depth` bounds its nesting.
    pub(super) fn expression(&mut self, ty: Type, depth: usize) -> String {
        if depth == 0 || self.rng.chance(18) {
            return self.leaf(ty);
        }
        let template = self.rng.pick(ty.templates());
        self.fill(template, depth)
    }

    /// A variable or a literal.
    fn leaf(&mut self, ty: Type) -> String {
        if self.rng.chance(55)
            && let Some(name) = self.variable(Some(ty))
        {
            return name;
        }
        self.rng.pick(ty.literals()).to_owned()
    }

    /// An expression of any type.
    fn any(&mut self, depth: usize) -> String {
        if self.rng.chance(30)
            && let Some(name) = self.variable(None)
        {
            return name;
        }
        if depth > 0 && self.rng.chance(25) {
            let template = self.rng.pick(tables::ANY);
            return self.fill(template, depth);
        }
        let ty = self.rng.pick(tables::TYPES);
        self.expression(ty, depth)
    }

    /// The name of a variable that was made for this type, or of any.
    pub(super) fn variable(&mut self, ty: Option<Type>) -> Option<String> {
        let fits = |known: &Option<Type>| ty.is_none() || known.is_none() || *known == ty;
        // What has no type fits everywhere, but should not stand everywhere.
        let unknown_too = self.rng.chance(25);
        let names: Vec<&String> = self
            .scope
            .iter()
            .filter(|(_, known)| fits(known) && (ty.is_none() || known.is_some() || unknown_too))
            .map(|(name, _)| name)
            .collect();
        if names.is_empty() { None } else { Some(self.rng.pick(&names).clone()) }
    }

    /// The template with its holes filled. New names stand in the scope meanwhile.
    pub(super) fn fill(&mut self, template: &str, depth: usize) -> String {
        let outside = self.scope.len();
        let first_name = self.names;
        self.declare(template);
        let text = self.fill_holes(template, depth, first_name, outside);
        self.scope.truncate(outside);
        text
    }

    /// Makes the new names of a template.
    fn declare(&mut self, template: &str) {
        let highest = template
            .as_bytes()
            .windows(2)
            .filter(|pair| pair[0] == b'$' && pair[1].is_ascii_digit())
            .map(|pair| usize::from(pair[1] - b'0'))
            .max();
        for _ in 0..highest.unwrap_or(0) {
            self.names += 1;
            self.scope.push((format!("v{}", self.names), None));
        }
    }

    /// Fills the holes; the template's own names are those after `first_name`, which begin in the
    /// scope at `outside`.
    pub(super) fn fill_holes(
        &mut self,
        template: &str,
        depth: usize,
        first_name: usize,
        outside: usize,
    ) -> String {
        let mut text = String::new();
        let mut rest = template.chars();
        while let Some(c) = rest.next() {
            if c != '$' {
                text.push(c);
                continue;
            }
            let mut letter = rest.next().unwrap_or('$');
            let mut hidden = Vec::new();
            if letter == '~' {
                hidden = self.scope.split_off(outside);
                letter = rest.next().unwrap_or('$');
            }
            let before = text.chars().next_back();
            let after = rest.clone().next();
            let part = match letter {
                '1'..='9' => format!("v{}", first_name + letter as usize - '0' as usize),
                'b' => {
                    let indent = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
                    let lines = self.block(depth.saturating_sub(1));
                    lines.join("\n").replace('\n', &format!("\n{}", " ".repeat(indent)))
                }
                _ => {
                    let operand = self.operand(letter, depth.saturating_sub(1));
                    in_place(operand, letter, before, after)
                }
            };
            self.scope.append(&mut hidden);
            text.push_str(&part);
        }
        text
    }

    fn operand(&mut self, letter: char, depth: usize) -> String {
        if letter.is_ascii_uppercase() && letter != 'X' && letter != 'V' {
            if self.rng.chance(WRONG_PERCENT) {
                return self.any(depth.min(1));
            }
            if let Some(ty) = Type::of_letter(letter) {
                return self.expression(ty, depth);
            }
        }
        let groups: &[Type] = match letter {
            'N' => &[Type::Int, Type::Int, Type::Float, Type::Float, Type::Bool, Type::Complex],
            'R' => &[
                Type::List,
                Type::List,
                Type::Tuple,
                Type::Str,
                Type::Dict,
                Type::Set,
                Type::Iter,
                Type::Iter,
                Type::Bytes,
                Type::Obj,
            ],
            'r' => &[Type::List, Type::Tuple, Type::Str, Type::Dict, Type::Set, Type::Bytes],
            'Q' => &[Type::List, Type::Tuple, Type::Str, Type::Bytes],
            'H' => &[Type::Int, Type::Str, Type::Float, Type::Tuple],
            'h' => &[Type::Int, Type::Float, Type::Bool, Type::Complex],
            _ => &[],
        };
        if !groups.is_empty() {
            let ty = self.rng.pick(groups);
            return match letter {
                'h' => self.rng.pick(ty.literals()).to_owned(),
                'H' => self.expression(ty, depth.min(1)),
                _ => self.expression(ty, depth),
            };
        }
        let table = match letter {
            'A' => return self.any(depth),
            'V' => return self.variable(None).unwrap_or_else(|| "missing".to_owned()),
            'f' => return self.format_spec(),
            'p' => return self.percent_text(),
            'i' if self.rng.chance(WRONG_PERCENT) => tables::NOT_SMALL,
            'i' => tables::SMALL,
            'x' if self.rng.chance(WRONG_PERCENT) => tables::NOT_SMALL,
            'x' => tables::INDICES,
            'c' => tables::CHARS,
            'k' => tables::KEYS,
            'X' => tables::EXCEPTIONS,
            _ => panic!("no hole of templates: ${letter}"),
        };
        self.rng.pick(table).to_owned()
    }

    /// The text of a format spec, mostly a right one.
    fn format_spec(&mut self) -> String {
        let mut spec = String::new();
        if self.rng.chance(25) {
            if self.rng.chance(60) {
                spec.push_str(self.rng.pick(&["*", "0", " ", "é", "x", "<"]));
            }
            spec.push_str(self.rng.pick(&["<", ">", "^", "="]));
        }
        for (percent, part) in [(25, "+"), (8, " "), (5, "-"), (5, "z"), (15, "#"), (15, "0")] {
            if self.rng.chance(percent) {
                spec.push_str(part);
            }
        }
        if self.rng.chance(45) {
            spec.push_str(&self.rng.below(24).to_string());
        }
        if self.rng.chance(15) {
            spec.push_str(self.rng.pick(&[",", "_", ",", "_", ",_"]));
        }
        if self.rng.chance(40) {
            spec.push('.');
            let bound = if self.rng.chance(10) { 60 } else { 9 };
            spec.push_str(&self.rng.below(bound).to_string());
        }
        spec.push_str(self.rng.pick(tables::SPEC_TYPES));
        spec
    }

    /// A literal with one or two `%` directives.
    fn percent_text(&mut self) -> String {
        let mut text = "'".to_owned();
        for _ in 0..1 + self.rng.below(2) {
            text.push('%');
            for (percent, part) in [(20, "-"), (20, "+"), (10, " "), (15, "#"), (20, "0")] {
                if self.rng.chance(percent) {
                    text.push_str(part);
                }
            }
            if self.rng.chance(35) {
                text.push_str(&self.rng.below(20).to_string());
            }
            if self.rng.chance(30) {
                text.push('.');
                text.push_str(&self.rng.below(12).to_string());
            }
            text.push_str(self.rng.pick(tables::CONVERSIONS));
            text.push('|');
        }
        text.push('\'');
        text
    }
}

/// The operand as it may stand between those two characters: in parentheses, unless nothing of
/// it can bind to what is around.
fn in_place(operand: String, letter: char, before: Option<char>, after: Option<char>) -> String {
    if matches!(letter, 'f' | 'V' | 'X' | 'p' | 'c' | 'k') {
        return operand;
    }
    let name = operand.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !operand.starts_with(|c: char| c.is_ascii_digit());
    let delimited =
        matches!(before, Some('(' | '[' | ' ')) && matches!(after, Some(')' | ']' | ','));
    let lone = delimited && before != Some(' ') || after == Some(',') && before == Some(' ');
    if name || lone && !operand.starts_with("lambda") { operand } else { format!("({operand})") }
}
