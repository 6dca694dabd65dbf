//! The depth guard: an upper bound of the tree's depth, from tokens alone.
//!
//! A tree is as deep as its brackets, prefix operators, `**`, postfix chains, conditional
//! expressions and lambdas make it; a chain of left-associative operators is flat and counts once
//! for each precedence level it mixes. Counting happens per bracket level and per comma-separated
//! item, in one pass. Counting nodes as they are built would be exact, but too late: an overflow
//! when the half-built tree is dropped is an abort as well.

use crate::ast::MAX_EXPR_DEPTH;
use crate::lexer::{Tok, Token};
use crate::{Span, SyntaxError};

/// Nodes that one bracket can add: a subscript, a tuple and a slice.
const BRACKET_COST: u32 = 3;

/// One bracket level; the fields but the last describe the current item.
#[derive(Default)]
struct Level {
    /// Conditional expressions, lambdas and others that hold whole expressions.
    wide: u32,
    /// Each `not` of the current operand of `and`, `or` or a conditional expression.
    negations: u32,
    /// The most any so far had.
    negations_max: u32,
    /// Postfix, prefix and power operators of the current operand.
    operand: u32,
    /// The most any operand so far had.
    operand_max: u32,
    /// A bit for each precedence level of binary operators seen.
    operators: u32,
    /// The deepest bracket inside.
    inner: u32,
    /// Lambdas whose colon has not come: commas belong to them.
    open_lambdas: u32,
    /// The deepest item so far.
    deepest: u32,
}

impl Level {
    fn depth(&self) -> u32 {
        self.wide
            + self.negations_max.max(self.negations)
            + self.operand_max.max(self.operand)
            + self.operators.count_ones()
            + self.inner
    }

    fn end_operand(&mut self) {
        self.operand_max = self.operand_max.max(self.operand);
        self.operand = 0;
    }

    fn end_test(&mut self) {
        self.negations_max = self.negations_max.max(self.negations);
        self.negations = 0;
        self.end_operand();
    }

    fn end_item(&mut self) {
        let deepest = self.deepest.max(self.depth());
        if self.open_lambdas == 0 {
            *self = Level { deepest, ..Level::default() };
        } else {
            self.end_test();
        }
    }

    fn binary(&mut self, precedence: u32) {
        self.operators |= 1 << precedence;
        self.end_operand();
    }
}

/// Checks that no expression or pattern can be deeper than [`MAX_EXPR_DEPTH`].
pub fn check_nesting(tokens: &[Token]) -> Result<(), SyntaxError> {
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let mut after_operand = false;
    for token in tokens {
        let was_operand = std::mem::replace(&mut after_operand, ends_operand(token.kind));
        match token.kind {
            Tok::LParen | Tok::LBracket | Tok::LBrace | Tok::FieldOpen | Tok::WithLParen => {
                level.operand += u32::from(was_operand);
                outer.push(std::mem::take(&mut level));
            }
            Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::FieldClose => {
                level.open_lambdas = 0;
                level.end_item();
                let inner = level.deepest + BRACKET_COST;
                level = outer.pop().unwrap_or_default();
                level.inner = level.inner.max(inner);
            }
            Tok::Comma | Tok::Equal | Tok::For | Tok::SpecColon => level.end_item(),
            Tok::Newline | Tok::Semicolon => {
                level.open_lambdas = 0;
                level.end_item();
            }
            Tok::Colon => {
                if level.open_lambdas > 0 {
                    level.open_lambdas -= 1;
                    level.end_test();
                } else {
                    level.end_item();
                }
            }
            Tok::Lambda => {
                level.open_lambdas += 1;
                level.wide += 1;
            }
            Tok::Else | Tok::ColonEqual | Tok::As | Tok::Yield => {
                level.wide += 1;
                level.end_test();
            }
            Tok::Not if !was_operand => level.negations += 1,
            Tok::If => level.end_test(),
            Tok::Dot | Tok::DoubleStar | Tok::Tilde | Tok::Await => level.operand += 1,
            Tok::Plus | Tok::Minus | Tok::Star if !was_operand => level.operand += 1,
            Tok::Plus | Tok::Minus => level.binary(0),
            Tok::Star | Tok::Slash | Tok::DoubleSlash | Tok::Percent | Tok::At => level.binary(1),
            Tok::LShift | Tok::RShift => level.binary(2),
            Tok::Ampersand => level.binary(3),
            Tok::Caret => level.binary(4),
            Tok::Bar => level.binary(5),
            Tok::And => {
                level.binary(6);
                level.end_test();
            }
            Tok::Or => {
                level.binary(7);
                level.end_test();
            }
            Tok::Less
            | Tok::Greater
            | Tok::LessEqual
            | Tok::GreaterEqual
            | Tok::EqualEqual
            | Tok::NotEqual
            | Tok::In
            | Tok::Is
            | Tok::Not => level.binary(8),
            _ => continue,
        }
        if level.depth() as usize >= MAX_EXPR_DEPTH {
            let span = Span::new(token.start, token.end);
            return Err(SyntaxError::new("too-deep", "expression nested too deeply", span));
        }
    }
    Ok(())
}

fn ends_operand(kind: Tok) -> bool {
    matches!(
        kind,
        Tok::Name
            | Tok::Int
            | Tok::Float
            | Tok::Imaginary
            | Tok::String
            | Tok::FStringEnd
            | Tok::None
            | Tok::True
            | Tok::False
            | Tok::Ellipsis
            | Tok::RParen
            | Tok::RBracket
            | Tok::RBrace
    )
}
