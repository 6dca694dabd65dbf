//! Walking expressions, from lists of them down to operands.

use super::{Piece, Walk, Walked};
use crate::lexer::Tok;

impl Walk<'_> {
    /// `*a, b, c`
    pub(super) fn star_expressions(&mut self) -> Walked<Piece> {
        let start = self.pos;
        let mut piece = self.star_expression()?;
        while self.eat(Tok::Comma) {
            if starts_expression(self.kind()) || self.kind() == Tok::Star {
                self.star_expression()?;
            }
            piece = self.piece(start, "tuple", false);
        }
        Ok(piece)
    }

    fn star_expression(&mut self) -> Walked<Piece> {
        let start = self.pos;
        if self.eat(Tok::Star) {
            self.operand_chain()?;
            return Ok(self.piece(start, "starred", false));
        }
        self.expression()
    }

    /// The targets of a loop, up to `in`.
    pub(super) fn for_targets(&mut self) -> Walked<()> {
        loop {
            let start = self.pos;
            self.target()?;
            match self.kind() {
                Tok::In => return Ok(()),
                Tok::Comma => {
                    self.bump();
                    if self.kind() == Tok::In {
                        return Ok(());
                    }
                }
                _ => {
                    // Read as an expression, it may say what is missing.
                    self.pos = start;
                    self.star_expression()?;
                    return self.unknown();
                }
            }
        }
    }

    pub(super) fn target(&mut self) -> Walked<Piece> {
        self.eat(Tok::Star);
        self.operand_chain()
    }

    pub(super) fn yield_expression(&mut self) -> Walked<Piece> {
        let start = self.pos;
        self.expect(Tok::Yield)?;
        if self.eat(Tok::From) {
            self.expression()?;
        } else if starts_expression(self.kind()) || self.kind() == Tok::Star {
            self.star_expressions()?;
        }
        Ok(self.piece(start, "yield expression", true))
    }

    /// An expression where `:=` is allowed, and where `=` may have been meant as `==`.
    pub(super) fn named(&mut self) -> Walked<Piece> {
        let start = self.pos;
        if self.kind() == Tok::Name && self.kind_after() == Tok::ColonEqual {
            self.bump();
            self.bump();
            self.expression()?;
            return Ok(self.piece(start, "named expression", false));
        }
        let a = self.expression()?;
        match self.kind() {
            Tok::ColonEqual => {
                let span = self.span(a);
                let message = format!("cannot use assignment expressions with {}", a.name);
                self.fail("bad-walrus", message, span)
            }
            Tok::Equal if a.tight && !self.quiet => self.equal_after(start, a),
            _ => Ok(a),
        }
    }

    pub(super) fn equal_after(&mut self, start: usize, a: Piece) -> Walked<Piece> {
        let equal = self.pos;
        self.bump();
        let b = self.ahead(Self::operand_chain);
        let followed = matches!(self.kind(), Tok::Equal | Tok::ColonEqual);
        self.pos = equal;
        let Some(b) = b.filter(|_| !followed) else { return Ok(a) };
        if a.name == "name" && a.start == start {
            let span = self.range(a.start, b.end);
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return self.fail("equal-sign", message, span);
        }
        let plain = ["list", "tuple", "generator expression", "True", "None", "False"];
        if plain.contains(&a.name) {
            return Ok(a);
        }
        let name = a.name;
        let message = format!("cannot assign to {name} here. Maybe you meant '==' instead of '='?");
        let span = self.span(a);
        self.fail("equal-sign", message, span)
    }

    pub(super) fn expression(&mut self) -> Walked<Piece> {
        let start = self.pos;
        if self.kind() == Tok::Lambda {
            return self.lambda();
        }
        let a = self.disjunction()?;
        if !self.quiet && self.may_miss_comma(start) {
            let after = self.pos;
            // Outside of brackets CPython looks too, and may find the end of the text.
            if let Some(b) = self.ahead(Self::expression)
                && self.brackets > 0
            {
                let span = self.range(a.start, b.end);
                let message = "invalid syntax. Perhaps you forgot a comma?";
                return self.fail("missing-comma", message, span);
            }
            self.pos = after;
        }
        if self.kind() != Tok::If {
            if !self.quiet && self.is_legacy(start) && self.kind_after_name(start) {
                return self.legacy(start);
            }
            return Ok(a);
        }
        let at_if = self.pos;
        self.bump();
        let test =
            if self.quiet { self.ahead(Self::disjunction) } else { Some(self.disjunction()?) };
        let Some(test) = test else {
            self.pos = at_if;
            return Ok(a);
        };
        if self.eat(Tok::Else) {
            self.expression()?;
            return Ok(self.piece(start, "conditional expression", false));
        }
        if self.kind() != Tok::Colon && !self.quiet {
            let span = self.range(a.start, test.end);
            return self.fail("expected-else", "expected 'else' after 'if' expression", span);
        }
        self.pos = at_if;
        Ok(a)
    }

    fn may_miss_comma(&mut self, start: usize) -> bool {
        if !starts_expression(self.kind()) || self.is_legacy(start) && self.pos == start + 1 {
            return false;
        }
        let first = self.tokens[start].kind;
        let second = self.tokens[start + 1].kind;
        if first == Tok::Name {
            // A bad string prefix, or a statement of two words. CPython takes any beginning of a
            // soft keyword for it.
            let word = self.word(start);
            let soft = ["_", "case", "match", "type"];
            return second != Tok::String && !soft.iter().any(|soft| soft.starts_with(word));
        }
        true
    }

    fn is_legacy(&self, at: usize) -> bool {
        self.tokens[at].kind == Tok::Name && matches!(self.word(at), "print" | "exec")
    }

    fn kind_after_name(&self, at: usize) -> bool {
        self.tokens[at + 1].kind != Tok::LParen
    }

    /// `print x`
    fn legacy(&mut self, start: usize) -> Walked<Piece> {
        let after = self.pos;
        self.pos = start + 1;
        if let Some(b) = self.ahead(Self::star_expressions) {
            let word = self.word(start).to_owned();
            let message =
                format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
            let span = self.range(start, b.end);
            return self.fail("missing-parens", message, span);
        }
        self.pos = after;
        Ok(self.piece(start, "name", true))
    }

    fn lambda(&mut self) -> Walked<Piece> {
        let start = self.pos;
        self.bump();
        self.params(Tok::Colon)?;
        if self.kind() == Tok::SpecColon {
            let span = self.range(start, self.pos + 1);
            let message = "f-string: lambda expressions are not allowed without parentheses";
            return self.fail("f-string-lambda", message, span);
        }
        self.expect(Tok::Colon)?;
        self.expression()?;
        Ok(self.piece(start, "lambda", false))
    }

    pub(super) fn disjunction(&mut self) -> Walked<Piece> {
        self.operators(true)
    }

    /// Operands and operators down to `|`, without comparisons.
    pub(super) fn operand_chain(&mut self) -> Walked<Piece> {
        self.operators(false)
    }

    fn operators(&mut self, all: bool) -> Walked<Piece> {
        let start = self.pos;
        let (mut boolean, mut compare, mut operator) = (false, false, false);
        // What fits so far, and where it ends.
        let (mut whole, mut before) = (None, start);
        loop {
            loop {
                match self.kind() {
                    Tok::Not if all => boolean = true,
                    Tok::Plus | Tok::Minus | Tok::Tilde => operator = true,
                    _ => break,
                }
                self.bump();
            }
            let operand = match whole {
                None => self.primary()?,
                // An operator without an operand is not taken.
                Some(whole) => {
                    let result = self.primary();
                    match self.or_back(before, result)? {
                        Some(operand) => operand,
                        None => return Ok(whole),
                    }
                }
            };
            before = self.pos;
            whole = Some(match (boolean, compare, operator) {
                (true, ..) => self.piece(start, "expression", false),
                (_, true, _) => self.piece(start, "comparison", false),
                (.., true) => self.piece(start, "expression", true),
                _ => operand,
            });
            match self.kind() {
                Tok::And | Tok::Or if all => boolean = true,
                Tok::Not if all && self.kind_after() == Tok::In => {
                    compare = true;
                    self.bump();
                }
                Tok::Is if all => {
                    compare = true;
                    if self.kind_after() == Tok::Not {
                        self.bump();
                    }
                }
                kind if all && is_comparison(kind) => compare = true,
                kind if is_operator(kind) => operator = true,
                _ => return Ok(whole.unwrap_or(operand)),
            }
            self.bump();
        }
    }

    pub(super) fn piece(&self, start: usize, name: &'static str, tight: bool) -> Piece {
        Piece { start, end: self.pos, name, tight }
    }

    /// Parameters up to, not including, `end`.
    pub(super) fn params(&mut self, end: Tok) -> Walked<()> {
        loop {
            match self.kind() {
                kind if kind == end => return Ok(()),
                Tok::SpecColon if end == Tok::Colon => return Ok(()),
                Tok::LParen => return self.parenthesized_params(end),
                Tok::Slash => self.bump(),
                Tok::Star | Tok::DoubleStar => self.star_param(end)?,
                _ => {
                    self.param(end)?;
                    let equal = self.pos;
                    if self.eat(Tok::Equal) {
                        if matches!(self.kind(), Tok::Comma | Tok::RParen) {
                            let span = self.token_span(equal);
                            let message = "expected default value expression";
                            return self.fail("expected-default", message, span);
                        }
                        self.expression()?;
                    }
                }
            }
            if self.kind() != end && self.kind() != Tok::SpecColon {
                self.expect(Tok::Comma)?;
            }
        }
    }

    fn param(&mut self, end: Tok) -> Walked<()> {
        self.expect(Tok::Name)?;
        if end == Tok::RParen && self.eat(Tok::Colon) {
            self.star_expression()?;
        }
        Ok(())
    }

    fn star_param(&mut self, end: Tok) -> Walked<()> {
        let double = self.kind() == Tok::DoubleStar;
        self.bump();
        if !double && (self.kind() == Tok::Comma || self.kind() == end) {
            return Ok(());
        }
        self.param(end)?;
        if self.kind() == Tok::Equal {
            let what = if double { "var-keyword" } else { "var-positional" };
            let span = self.token_span(self.pos);
            let message = format!("{what} argument cannot have default value");
            return self.fail("star-default", message, span);
        }
        Ok(())
    }

    fn parenthesized_params(&mut self, end: Tok) -> Walked<()> {
        let start = self.pos;
        self.bump();
        let names = self.ahead(|walk| {
            loop {
                walk.expect(Tok::Name)?;
                walk.eat(Tok::Comma);
                if walk.eat(Tok::RParen) {
                    return Ok(());
                }
            }
        });
        if names.is_none() {
            return self.unknown();
        }
        let what = if end == Tok::Colon { "Lambda expression" } else { "Function" };
        let span = self.range(start, self.pos);
        self.fail("param-parens", format!("{what} parameters cannot be parenthesized"), span)
    }
}

pub(super) fn starts_expression(kind: Tok) -> bool {
    matches!(
        kind,
        Tok::Name
            | Tok::Int
            | Tok::Float
            | Tok::Imaginary
            | Tok::String
            | Tok::FStringStart
            | Tok::LParen
            | Tok::LBracket
            | Tok::LBrace
            | Tok::Plus
            | Tok::Minus
            | Tok::Tilde
            | Tok::Not
            | Tok::Lambda
            | Tok::Await
            | Tok::None
            | Tok::True
            | Tok::False
            | Tok::Ellipsis
    )
}

fn is_comparison(kind: Tok) -> bool {
    matches!(
        kind,
        Tok::Less
            | Tok::Greater
            | Tok::LessEqual
            | Tok::GreaterEqual
            | Tok::EqualEqual
            | Tok::NotEqual
            | Tok::In
    )
}

fn is_operator(kind: Tok) -> bool {
    matches!(
        kind,
        Tok::Plus
            | Tok::Minus
            | Tok::Star
            | Tok::DoubleStar
            | Tok::Slash
            | Tok::DoubleSlash
            | Tok::Percent
            | Tok::At
            | Tok::Ampersand
            | Tok::Bar
            | Tok::Caret
            | Tok::LShift
            | Tok::RShift
    )
}
