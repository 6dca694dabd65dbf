//! Walking a line of statements.

use super::{Piece, Stop, Walk, Walked};
use crate::lexer::Tok;

impl Walk<'_> {
    /// The statements of one logical line, with the header before them.
    pub(super) fn statements(&mut self) -> Walked<()> {
        loop {
            self.statement()?;
            if !self.eat(Tok::Semicolon) {
                return if self.kind() == Tok::Newline { Ok(()) } else { self.unknown() };
            }
            if self.kind() == Tok::Newline {
                return Ok(());
            }
        }
    }

    fn statement(&mut self) -> Walked<()> {
        match self.kind() {
            Tok::If | Tok::Elif | Tok::While => {
                self.bump();
                self.named()?;
                self.colon(false)
            }
            Tok::Else | Tok::Try | Tok::Finally => {
                self.bump();
                self.colon(true)
            }
            Tok::Async => {
                self.bump();
                match self.kind() {
                    Tok::Def | Tok::For | Tok::With => self.statement(),
                    _ => self.unknown(),
                }
            }
            Tok::For => {
                self.bump();
                self.for_targets()?;
                self.expect(Tok::In)?;
                self.star_expressions()?;
                self.colon(false)
            }
            Tok::With => self.with_statement(),
            Tok::Except => self.except(),
            Tok::Def => self.def(),
            Tok::Class => self.class(),
            Tok::Match => {
                self.bump();
                self.subject()?;
                self.colon(false)
            }
            Tok::Case => self.case(),
            Tok::Import => self.import(),
            Tok::From => self.import_from(),
            Tok::Pass | Tok::Break | Tok::Continue => {
                self.bump();
                Ok(())
            }
            Tok::Return | Tok::Del => {
                self.bump();
                if matches!(self.kind(), Tok::Newline | Tok::Semicolon) {
                    return Ok(());
                }
                self.star_expressions().map(drop)
            }
            Tok::Raise => {
                self.bump();
                self.expression()?;
                if self.eat(Tok::From) {
                    self.expression()?;
                }
                Ok(())
            }
            Tok::Assert => {
                self.bump();
                self.expression()?;
                if self.eat(Tok::Comma) {
                    self.expression()?;
                }
                Ok(())
            }
            Tok::At => {
                self.bump();
                self.named().map(drop)
            }
            Tok::Type => self.type_alias(),
            _ => self.simple_statement(),
        }
    }

    /// The colon of a header. Where it is `forced`, anything else is the lack of one.
    fn colon(&mut self, forced: bool) -> Walked<()> {
        match self.kind() {
            Tok::Colon => {
                self.bump();
                if self.kind() == Tok::Newline { Ok(()) } else { self.one_line_body() }
            }
            kind if forced || kind == Tok::Newline => {
                let span = self.token_span(self.pos);
                self.fail("expected-colon", "expected ':'", span)
            }
            _ => self.unknown(),
        }
    }

    /// Statements after a header's colon: compound ones are not among them.
    fn one_line_body(&mut self) -> Walked<()> {
        match self.kind() {
            Tok::If
            | Tok::Elif
            | Tok::Else
            | Tok::While
            | Tok::For
            | Tok::Try
            | Tok::Except
            | Tok::Finally
            | Tok::With
            | Tok::Def
            | Tok::Class
            | Tok::Async
            | Tok::At => self.unknown(),
            _ => self.statement(),
        }
    }

    fn with_statement(&mut self) -> Walked<()> {
        self.bump();
        let parenthesized = self.eat(Tok::WithLParen);
        self.brackets += usize::from(parenthesized);
        loop {
            if parenthesized && self.eat(Tok::RParen) {
                self.brackets -= 1;
                return self.colon(false);
            }
            self.expression()?;
            if self.eat(Tok::As) {
                self.target()?;
            }
            if !self.eat(Tok::Comma) {
                if !parenthesized {
                    return self.colon(false);
                }
                if self.kind() != Tok::RParen {
                    return self.unknown();
                }
            }
        }
    }

    fn except(&mut self) -> Walked<()> {
        self.bump();
        let star = self.eat(Tok::Star);
        if star && matches!(self.kind(), Tok::Colon | Tok::Newline) {
            let span = self.token_span(self.pos);
            return self.fail("expected-type", "expected one or more exception types", span);
        }
        if matches!(self.kind(), Tok::Colon | Tok::Newline) {
            return self.colon(false);
        }
        let first = self.expression()?;
        if self.eat(Tok::Comma) {
            let complete = self.ahead(|walk| {
                walk.star_expressions()?;
                if walk.eat(Tok::As) {
                    walk.expect(Tok::Name)?;
                }
                if walk.kind() == Tok::Colon { Ok(()) } else { Err(Stop::Unknown) }
            });
            if complete.is_some() {
                let span = self.to_furthest(first.start);
                let message = "multiple exception types must be parenthesized";
                return self.fail("except-types", message, span);
            }
            return self.unknown();
        }
        if self.eat(Tok::As) {
            self.expect(Tok::Name)?;
        }
        self.colon(false)
    }

    fn def(&mut self) -> Walked<()> {
        self.bump();
        self.expect(Tok::Name)?;
        if self.kind() == Tok::LBracket {
            self.type_params()?;
        }
        if self.kind() != Tok::LParen {
            let span = self.token_span(self.pos);
            return self.fail("expected-paren", "expected '('", span);
        }
        self.bump();
        self.brackets += 1;
        self.params(Tok::RParen)?;
        self.brackets -= 1;
        self.expect(Tok::RParen)?;
        if self.kind() == Tok::Arrow {
            let arrow = self.pos;
            self.bump();
            if self.kind() == Tok::Colon {
                let span = self.token_span(arrow);
                return self.fail("expected-colon", "expected ':'", span);
            }
            self.expression()?;
        }
        self.colon(true)
    }

    fn class(&mut self) -> Walked<()> {
        self.bump();
        self.expect(Tok::Name)?;
        if self.kind() == Tok::LBracket {
            self.type_params()?;
        }
        if self.kind() == Tok::LParen {
            self.args()?;
        }
        self.colon(false)
    }

    fn type_alias(&mut self) -> Walked<()> {
        self.bump();
        self.expect(Tok::Name)?;
        if self.kind() == Tok::LBracket {
            self.type_params()?;
        }
        self.expect(Tok::Equal)?;
        self.expression().map(drop)
    }

    /// `[T: bound, *Ts, **P]`; a list that is wrong otherwise is left where it starts.
    fn type_params(&mut self) -> Walked<()> {
        let start = self.pos;
        self.bump();
        self.brackets += 1;
        loop {
            let star = self.kind();
            let starred = matches!(star, Tok::Star | Tok::DoubleStar);
            if starred {
                self.bump();
            }
            if !self.eat(Tok::Name) {
                self.pos = start;
                self.brackets -= 1;
                return Ok(());
            }
            let colon = self.pos;
            if self.eat(Tok::Colon) {
                let bound = self.expression()?;
                if starred {
                    let what = if bound.name == "tuple" { "constraints" } else { "bound" };
                    let kind = if star == Tok::Star { "TypeVarTuple" } else { "ParamSpec" };
                    let span = self.to_furthest(colon);
                    return self.fail("bad-bound", format!("cannot use {what} with {kind}"), span);
                }
            }
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        self.brackets -= 1;
        self.expect(Tok::RBracket)
    }

    pub(super) fn subject(&mut self) -> Walked<()> {
        loop {
            if self.eat(Tok::Star) {
                self.operand_chain()?;
            } else {
                self.named()?;
            }
            if !self.eat(Tok::Comma) || matches!(self.kind(), Tok::Colon | Tok::Newline) {
                return Ok(());
            }
        }
    }

    /// Patterns are not walked: a missing colon and bad targets are what can be told.
    fn case(&mut self) -> Walked<()> {
        self.bump();
        let mut depth = 0;
        loop {
            match self.kind() {
                Tok::LParen | Tok::LBracket | Tok::LBrace | Tok::FieldOpen => depth += 1,
                Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::FieldClose => depth -= 1,
                Tok::Newline => return self.colon(false),
                Tok::Colon if depth == 0 => return self.unknown(),
                Tok::End => return self.unknown(),
                Tok::As if self.kind_after() != Tok::Name => {
                    self.bump();
                    return match self.ahead(Self::expression) {
                        Some(target) => {
                            let span = self.span(target);
                            self.fail("bad-pattern-target", "invalid pattern target", span)
                        }
                        None => self.unknown(),
                    };
                }
                _ => {}
            }
            self.bump();
        }
    }

    fn dotted(&mut self) -> Walked<()> {
        self.expect(Tok::Name)?;
        while self.eat(Tok::Dot) {
            self.expect(Tok::Name)?;
        }
        Ok(())
    }

    fn import(&mut self) -> Walked<()> {
        let start = self.pos;
        self.bump();
        loop {
            self.dotted()?;
            if self.eat(Tok::As) {
                self.expect(Tok::Name)?;
            }
            if !self.eat(Tok::Comma) {
                break;
            }
        }
        if self.eat(Tok::From) && self.ahead(Self::dotted).is_some() {
            let span = self.to_furthest(start);
            let message = "Did you mean to use 'from ... import ...' instead?";
            return self.fail("import-from", message, span);
        }
        Ok(())
    }

    fn import_from(&mut self) -> Walked<()> {
        self.bump();
        while matches!(self.kind(), Tok::Dot | Tok::Ellipsis) {
            self.bump();
        }
        if self.kind() != Tok::Import {
            self.dotted()?;
        }
        self.expect(Tok::Import)?;
        let parenthesized = self.eat(Tok::LParen);
        loop {
            self.expect(Tok::Name)?;
            if self.eat(Tok::As) {
                self.expect(Tok::Name)?;
            }
            if !self.eat(Tok::Comma) {
                break;
            }
            if self.kind() == Tok::Newline && !parenthesized {
                let span = self.token_span(self.pos);
                let message = "trailing comma not allowed without surrounding parentheses";
                return self.fail("trailing-comma", message, span);
            }
            if parenthesized && self.kind() == Tok::RParen {
                break;
            }
        }
        if parenthesized { self.expect(Tok::RParen) } else { Ok(()) }
    }

    /// An expression, an assignment, an annotation.
    fn simple_statement(&mut self) -> Walked<()> {
        if self.kind() == Tok::Name && self.word(self.pos) == "match" {
            // The token layer saw no colon at the end of the line.
            let start = self.pos;
            self.bump();
            let header = self.ahead(|walk| {
                walk.subject()?;
                if walk.kind() == Tok::Newline { Ok(()) } else { Err(Stop::Unknown) }
            });
            if header.is_some() {
                return self.colon(false);
            }
            self.pos = start;
        }
        let start = self.pos;
        let first = self.value()?;
        if self.kind() == Tok::ColonEqual && (first.name != "name" || first.start != start) {
            let message = format!("cannot use assignment expressions with {}", first.name);
            let span = self.span(first);
            return self.fail("bad-walrus", message, span);
        }
        let colon = self.pos;
        if self.eat(Tok::Colon) {
            let is_target = matches!(first.name, "name" | "attribute" | "subscript");
            if !is_target && self.ahead(Self::expression).is_none() {
                let span = self.token_span(colon);
                return self.fail("invalid-syntax", "invalid syntax", span);
            }
            self.expression()?;
            if self.eat(Tok::Equal) {
                self.value()?;
            }
            return Ok(());
        }
        if is_aug_assign(self.kind()) {
            self.bump();
            return self.value().map(drop);
        }
        let mut target = first;
        while self.kind() == Tok::Equal {
            if target.start == start && target.tight && first.name != "name" {
                self.equal_after(start, target)?;
            }
            self.assignable(target)?;
            self.bump();
            target = self.value()?;
        }
        Ok(())
    }

    /// What stands before `=`; the inside of tuples and lists is not looked at.
    fn assignable(&mut self, target: Piece) -> Walked<()> {
        let inner = ["name", "attribute", "subscript", "tuple", "list", "starred"];
        if inner.contains(&target.name) {
            return Ok(());
        }
        let span = self.span(target);
        self.fail("bad-target", format!("cannot assign to {}", target.name), span)
    }

    fn value(&mut self) -> Walked<Piece> {
        if self.kind() == Tok::Yield {
            return self.yield_expression();
        }
        self.star_expressions()
    }
}

fn is_aug_assign(kind: Tok) -> bool {
    matches!(
        kind,
        Tok::PlusEqual
            | Tok::MinusEqual
            | Tok::StarEqual
            | Tok::DoubleStarEqual
            | Tok::SlashEqual
            | Tok::DoubleSlashEqual
            | Tok::PercentEqual
            | Tok::AtEqual
            | Tok::AmpersandEqual
            | Tok::BarEqual
            | Tok::CaretEqual
            | Tok::LShiftEqual
            | Tok::RShiftEqual
    )
}
