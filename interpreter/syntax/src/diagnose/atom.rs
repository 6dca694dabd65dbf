//! Walking atoms, displays, calls and f-strings.

use super::expression::starts_expression;
use super::{MAX_DEPTH, Piece, Walk, Walked};
use crate::lexer::Tok;

impl Walk<'_> {
    pub(super) fn primary(&mut self) -> Walked<Piece> {
        let start = self.pos;
        let awaits = self.eat(Tok::Await);
        let mut piece = self.atom()?;
        loop {
            let before = self.pos;
            let (result, name) = match self.kind() {
                Tok::Dot => {
                    self.bump();
                    (self.expect(Tok::Name), "attribute")
                }
                Tok::LParen => (self.args().map(drop), "function call"),
                Tok::LBracket => (self.index().map(drop), "subscript"),
                _ if awaits => return Ok(self.piece(start, "await expression", true)),
                _ => return Ok(piece),
            };
            match self.or_back(before, result)? {
                Some(()) => piece = self.piece(start, name, true),
                None => return Ok(piece),
            }
        }
    }

    fn atom(&mut self) -> Walked<Piece> {
        let start = self.pos;
        let name = match self.kind() {
            Tok::Name => "name",
            Tok::Int | Tok::Float | Tok::Imaginary => "literal",
            Tok::None => "None",
            Tok::True => "True",
            Tok::False => "False",
            Tok::Ellipsis => "ellipsis",
            Tok::String | Tok::FStringStart => return self.strings(),
            Tok::LParen => return self.parenthesized(),
            Tok::LBracket => return self.bracketed(Self::list),
            Tok::LBrace => return self.bracketed(Self::braces),
            _ => return self.unknown(),
        };
        self.bump();
        Ok(self.piece(start, name, true))
    }

    /// Runs `f` after the opening bracket; `f` reads the closing one.
    fn bracketed(&mut self, f: impl FnOnce(&mut Self) -> Walked<&'static str>) -> Walked<Piece> {
        let start = self.pos;
        if self.brackets >= MAX_DEPTH {
            return self.unknown();
        }
        self.bump();
        self.brackets += 1;
        let before = self.brackets;
        let result = f(self);
        self.brackets = before - 1;
        Ok(self.piece(start, result?, true))
    }

    /// A group is as wide as what it holds, as in the tree.
    fn parenthesized(&mut self) -> Walked<Piece> {
        let mut group = None;
        let piece = self.bracketed(|walk| walk.parens(&mut group))?;
        Ok(match group {
            Some(inner) => Piece { tight: true, ..inner },
            None => piece,
        })
    }

    fn parens(&mut self, group: &mut Option<Piece>) -> Walked<&'static str> {
        let start = self.pos;
        match self.kind() {
            Tok::RParen => {
                self.bump();
                return Ok("tuple");
            }
            Tok::Yield => {
                *group = Some(self.yield_expression()?);
                self.expect(Tok::RParen)?;
                return Ok("yield expression");
            }
            Tok::DoubleStar => {
                self.bump();
                self.expression()?;
                self.expect(Tok::RParen)?;
                let span = self.token_span(start);
                let message = "cannot use double starred expression here";
                return self.fail("starred-here", message, span);
            }
            _ => {}
        }
        let first = self.element()?;
        if self.at_comp() {
            self.comp_clauses()?;
            self.expect(Tok::RParen)?;
            return Ok("generator expression");
        }
        if self.eat(Tok::RParen) {
            if first.name == "starred" {
                let span = self.span(first);
                return self.fail("starred-here", "cannot use starred expression here", span);
            }
            *group = Some(first);
            return Ok(first.name);
        }
        self.more_elements(Tok::RParen)?;
        self.expect(Tok::RParen)?;
        Ok("tuple")
    }

    fn list(&mut self) -> Walked<&'static str> {
        if self.eat(Tok::RBracket) {
            return Ok("list");
        }
        let name = self.elements(Tok::RBracket, "list", "list comprehension")?;
        self.expect(Tok::RBracket)?;
        Ok(name)
    }

    /// The elements of a list or set, or a comprehension.
    fn elements(
        &mut self,
        end: Tok,
        name: &'static str,
        comp_name: &'static str,
    ) -> Walked<&'static str> {
        let first = self.element()?;
        self.elements_after(first, end, name, comp_name)
    }

    fn elements_after(
        &mut self,
        first: Piece,
        end: Tok,
        name: &'static str,
        comp_name: &'static str,
    ) -> Walked<&'static str> {
        if self.at_comp() {
            self.comp_clauses()?;
            return Ok(comp_name);
        }
        if self.kind() == Tok::Comma {
            self.more_elements(end)?;
            if self.at_comp() {
                let last = self.pos;
                if self.ahead(Self::comp_clauses).is_some() {
                    let span = self.range(first.start, last);
                    let message = "did you forget parentheses around the comprehension target?";
                    return self.fail("comprehension-target", message, span);
                }
            }
        }
        Ok(name)
    }

    fn more_elements(&mut self, end: Tok) -> Walked<()> {
        while self.eat(Tok::Comma) {
            if self.kind() == end || self.at_comp() {
                return Ok(());
            }
            self.element()?;
        }
        Ok(())
    }

    fn element(&mut self) -> Walked<Piece> {
        let start = self.pos;
        if self.eat(Tok::Star) {
            self.operand_chain()?;
            return Ok(self.piece(start, "starred", false));
        }
        self.named()
    }

    fn at_comp(&mut self) -> bool {
        self.kind() == Tok::For || self.kind() == Tok::Async && self.kind_after() == Tok::For
    }

    fn comp_clauses(&mut self) -> Walked<()> {
        while self.at_comp() {
            self.eat(Tok::Async);
            self.bump();
            self.for_targets()?;
            self.expect(Tok::In)?;
            self.disjunction()?;
            while self.eat(Tok::If) {
                self.disjunction()?;
            }
        }
        Ok(())
    }

    /// A set or a dict.
    fn braces(&mut self) -> Walked<&'static str> {
        if self.eat(Tok::RBrace) {
            return Ok("dict literal");
        }
        let start = self.pos;
        if self.eat(Tok::DoubleStar) {
            self.operand_chain()?;
            if self.at_comp() {
                let span = self.token_span(start);
                let message = "dict unpacking cannot be used in dict comprehension";
                return self.fail("dict-unpacking", message, span);
            }
        } else {
            let first = self.element()?;
            if self.kind() != Tok::Colon || first.name == "starred" {
                let name =
                    self.elements_after(first, Tok::RBrace, "set display", "set comprehension")?;
                self.expect(Tok::RBrace)?;
                return Ok(name);
            }
            self.dict_value()?;
            if self.at_comp() {
                self.comp_clauses()?;
                self.expect(Tok::RBrace)?;
                return Ok("dict comprehension");
            }
        }
        while self.eat(Tok::Comma) {
            if self.kind() == Tok::RBrace {
                break;
            }
            if self.eat(Tok::DoubleStar) {
                self.operand_chain()?;
                continue;
            }
            let Some(key) = self.ahead(Self::expression) else {
                self.expression()?;
                return self.unknown();
            };
            if self.kind() != Tok::Colon {
                let at = self.token_span(key.end - 1).end - 1;
                let span = crate::Span::new(at, at);
                return self.fail("dict-key", "':' expected after dictionary key", span);
            }
            self.dict_value()?;
        }
        self.expect(Tok::RBrace)?;
        Ok("dict literal")
    }

    /// `: value` in a dict.
    fn dict_value(&mut self) -> Walked<()> {
        let colon = self.pos;
        self.bump();
        if matches!(self.kind(), Tok::RBrace | Tok::Comma) {
            let span = self.token_span(colon);
            let message = "expression expected after dictionary key and ':'";
            return self.fail("dict-value", message, span);
        }
        let star = self.pos;
        if self.eat(Tok::Star) {
            self.operand_chain()?;
            let span = self.to_furthest(star);
            let message = "cannot use a starred expression in a dictionary value";
            return self.fail("dict-value", message, span);
        }
        self.expression().map(drop)
    }

    fn index(&mut self) -> Walked<Piece> {
        self.bracketed(|walk| {
            loop {
                if walk.eat(Tok::Star) {
                    walk.expression()?;
                } else {
                    if walk.kind() != Tok::Colon {
                        walk.named()?;
                    }
                    for _ in 0..2 {
                        if walk.eat(Tok::Colon) && starts_expression(walk.kind()) {
                            walk.expression()?;
                        }
                    }
                }
                if !walk.eat(Tok::Comma) || walk.kind() == Tok::RBracket {
                    walk.expect(Tok::RBracket)?;
                    return Ok("subscript");
                }
            }
        })
    }

    pub(super) fn args(&mut self) -> Walked<Piece> {
        self.bracketed(|walk| {
            while !walk.eat(Tok::RParen) {
                walk.arg()?;
                if walk.kind() != Tok::RParen {
                    walk.expect(Tok::Comma)?;
                }
            }
            Ok("function call")
        })
    }

    fn arg(&mut self) -> Walked<()> {
        let start = self.pos;
        match self.kind() {
            Tok::Star => {
                self.bump();
                self.expression()?;
                if self.eat(Tok::Equal) {
                    let value = self.expression()?;
                    let span = self.range(start, value.end);
                    let message = "cannot assign to iterable argument unpacking";
                    return self.fail("assign-in-argument", message, span);
                }
                return Ok(());
            }
            Tok::DoubleStar => {
                self.bump();
                self.expression()?;
                if self.eat(Tok::Equal) {
                    let value = self.expression()?;
                    let span = self.range(start, value.end);
                    let message = "cannot assign to keyword argument unpacking";
                    return self.fail("assign-in-argument", message, span);
                }
                return Ok(());
            }
            Tok::Name if self.kind_after() == Tok::Equal => {
                self.bump();
                self.bump();
                let span = self.range(start, self.pos);
                if matches!(self.kind(), Tok::Comma | Tok::RParen) {
                    let message = "expected argument value expression";
                    return self.fail("expected-argument", message, span);
                }
                self.expression()?;
                if self.at_comp() && self.ahead(Self::comp_clauses).is_some() {
                    let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
                    return self.fail("equal-sign", message, span);
                }
                return Ok(());
            }
            Tok::Name if self.kind_after() == Tok::ColonEqual => {
                self.bump();
                self.bump();
            }
            _ => {}
        }
        self.expression()?;
        if self.kind() == Tok::Equal {
            let span = self.range(start, self.pos + 1);
            let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
            return self.fail("assign-in-argument", message, span);
        }
        self.comp_clauses()
    }

    fn strings(&mut self) -> Walked<Piece> {
        let start = self.pos;
        let mut name = "literal";
        loop {
            match self.kind() {
                Tok::String => self.bump(),
                Tok::FStringStart => {
                    name = "f-string expression";
                    self.bump();
                    self.fstring_parts()?;
                    self.expect(Tok::FStringEnd)?;
                }
                _ => return Ok(self.piece(start, name, true)),
            }
        }
    }

    fn fstring_parts(&mut self) -> Walked<()> {
        loop {
            match self.kind() {
                Tok::FStringMiddle => self.bump(),
                Tok::FieldOpen => {
                    self.bracketed(Self::field)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn field(&mut self) -> Walked<&'static str> {
        let mark = match self.kind() {
            Tok::Equal => Some('='),
            Tok::Exclamation => Some('!'),
            Tok::SpecColon => Some(':'),
            Tok::FieldClose => Some('}'),
            _ => None,
        };
        if let Some(mark) = mark {
            let message = format!("f-string: valid expression required before '{mark}'");
            return self.fail_here(message);
        }
        let start = self.pos;
        let value = if self.kind() == Tok::Yield {
            self.yield_expression()
        } else {
            self.star_expressions()
        };
        match value {
            Ok(_) => {}
            Err(stop @ super::Stop::Error(_)) => return Err(stop),
            Err(super::Stop::Unknown) => return self.bad_field(start),
        }
        let debug = self.eat(Tok::Equal);
        if debug && (self.kind() == Tok::Equal || !self.at_field_mark()) {
            return self.fail_here("f-string: expecting '!', or ':', or '}'");
        }
        if !self.at_field_mark() {
            return self.fail_here("f-string: expecting '=', or '!', or ':', or '}'");
        }
        if self.eat(Tok::Exclamation) {
            match self.kind() {
                Tok::SpecColon | Tok::FieldClose => {
                    return self.fail_here("f-string: missing conversion character");
                }
                Tok::Name => self.bump(),
                _ => return self.fail_here("f-string: invalid conversion character"),
            }
            if !matches!(self.kind(), Tok::SpecColon | Tok::FieldClose) {
                return self.fail_here("f-string: expecting ':' or '}'");
            }
        }
        if self.eat(Tok::SpecColon) {
            self.fstring_parts()?;
            if self.kind() != Tok::FieldClose {
                return self.fail_here("f-string: expecting '}', or format specs");
            }
        }
        self.expect(Tok::FieldClose)?;
        Ok("f-string expression")
    }

    fn at_field_mark(&mut self) -> bool {
        matches!(self.kind(), Tok::Equal | Tok::Exclamation | Tok::SpecColon | Tok::FieldClose)
    }

    /// What is wrong is what comes after the part that fits.
    fn bad_field(&mut self, start: usize) -> Walked<&'static str> {
        self.pos = start;
        let yields = self.eat(Tok::Yield);
        let mut fits = yields;
        while self.eat(Tok::Star) || starts_expression(self.kind()) {
            if self.ahead(Self::disjunction).is_none() {
                break;
            }
            fits = true;
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        if fits {
            return self.fail_here("f-string: expecting '=', or '!', or ':', or '}'");
        }
        self.pos = start;
        self.fail_here("f-string: expecting a valid expression after '{'")
    }

    fn fail_here<T>(&mut self, message: impl Into<String>) -> Walked<T> {
        let span = self.token_span(self.pos);
        self.fail("f-string", message, span)
    }
}
