//! Groups and everything else that begins with a parenthesis.

use super::source::{Refusal, Token, text};
use super::{Flags, Fold, Node, Parser, number};

/// What stands behind `(?P`.
enum Python {
    /// The name of a group.
    Name(Vec<u32>),
    /// A reference to a group.
    Reference(Node),
}

fn flag(c: u32) -> Option<u32> {
    Some(match u8::try_from(c).ok()? {
        b'a' => Flags::ASCII,
        b'i' => Flags::IGNORECASE,
        b'L' => Flags::LOCALE,
        b'm' => Flags::MULTILINE,
        b's' => Flags::DOTALL,
        b't' => Flags::TEMPLATE,
        b'u' => Flags::UNICODE,
        b'x' => Flags::VERBOSE,
        _ => return None,
    })
}

/// Flags that hold for all of a pattern.
const GLOBAL: u32 = Flags::DEBUG | Flags::TEMPLATE;

impl Parser<'_> {
    /// A group whose parenthesis has been taken; nothing for comments and flags. The flags of
    /// the pattern may be set here if `may_set`.
    pub(super) fn group(
        &mut self,
        flags: Flags,
        verbose: bool,
        may_set: bool,
    ) -> Result<Option<Node>, Refusal> {
        let begin = self.source.tell() - 1;
        if !self.source.skip(b'?')? {
            return self.capture(None, flags, verbose, begin).map(Some);
        }
        let token = self.take_any()?;
        let kind = match token {
            Token::Char(c) => char::from_u32(c).unwrap_or('\0'),
            Token::Escape(_) => '\0',
        };
        match kind {
            'P' => match self.python_group(flags)? {
                Python::Reference(node) => Ok(Some(node)),
                Python::Name(name) => self.capture(Some(&name), flags, verbose, begin).map(Some),
            },
            ':' => self.plain(flags, verbose, begin).map(Some),
            '#' => loop {
                match self.source.take()? {
                    None => {
                        let back = self.source.tell() - begin;
                        return Err(self.source.error("missing ), unterminated comment", back));
                    }
                    Some(t) if t.is(b')') => return Ok(None),
                    Some(_) => {}
                }
            },
            '=' | '!' => self.look(false, kind == '!', flags, verbose, begin).map(Some),
            '<' => {
                let token = self.take_any()?;
                if !token.is(b'=') && !token.is(b'!') {
                    let message = format!("unknown extension ?<{}", token.text());
                    return Err(self.source.error(message, token.len() + 2));
                }
                self.look(true, token.is(b'!'), flags, verbose, begin).map(Some)
            }
            '(' => self.condition(flags, verbose, begin).map(Some),
            '>' => {
                let body = self.plain(flags, verbose, begin)?;
                Ok(Some(Node::Atomic(Box::new(body))))
            }
            '-' => self.flagged(token, flags, verbose, may_set, begin),
            c if flag(c as u32).is_some() => self.flagged(token, flags, verbose, may_set, begin),
            _ => {
                let message = format!("unknown extension ?{}", token.text());
                Err(self.source.error(message, token.len() + 1))
            }
        }
    }

    fn take_any(&mut self) -> Result<Token, Refusal> {
        let token = self.source.take()?;
        token.ok_or_else(|| self.source.error("unexpected end of pattern", 0))
    }

    /// The inside of a group and its end.
    fn inside(&mut self, flags: Flags, verbose: bool, begin: usize) -> Result<Node, Refusal> {
        self.depth += 1;
        let body = self.alternatives(Some(flags), verbose)?;
        self.depth -= 1;
        self.close(begin)?;
        Ok(body)
    }

    fn close(&mut self, begin: usize) -> Result<(), Refusal> {
        if self.source.skip(b')')? {
            return Ok(());
        }
        let back = self.source.tell() - begin;
        Err(self.source.error("missing ), unterminated subpattern", back))
    }

    fn plain(&mut self, flags: Flags, verbose: bool, begin: usize) -> Result<Node, Refusal> {
        Ok(Node::Group(None, Box::new(self.inside(flags, verbose, begin)?)))
    }

    fn capture(
        &mut self,
        name: Option<&[u32]>,
        flags: Flags,
        verbose: bool,
        begin: usize,
    ) -> Result<Node, Refusal> {
        let group = self.groups.len() as u32;
        self.groups.push(None);
        if let Some(chars) = name {
            let name = text(chars);
            if let Some((_, known)) = self.names.iter().find(|(n, _)| *n == name) {
                let quoted = self.source.quoted(chars);
                let message = format!(
                    "redefinition of group name {quoted} as group {group}; was group {known}"
                );
                return Err(self.source.error(message, chars.len() + 1));
            }
            self.names.push((name, group));
        }
        let body = self.inside(flags, verbose, begin)?;
        self.groups[group as usize] = Some(self.width(&body));
        Ok(Node::Group(Some(group), Box::new(body)))
    }

    /// What `(?P` begins.
    fn python_group(&mut self, flags: Flags) -> Result<Python, Refusal> {
        if self.source.skip(b'<')? {
            let name = self.source.take_until(b'>', "group name")?;
            self.source.check_group_name(&name, 1)?;
            return Ok(Python::Name(name));
        }
        if self.source.skip(b'=')? {
            let name = self.source.take_until(b')', "group name")?;
            let group = self.known(&name)?;
            self.check_closed(group, name.len() + 1)?;
            self.check_look_behind(group)?;
            return Ok(Python::Reference(Node::BackRef(group, self.fold(flags))));
        }
        let token = self.take_any()?;
        let message = format!("unknown extension ?P{}", token.text());
        Err(self.source.error(message, token.len() + 2))
    }

    fn fold(&self, flags: Flags) -> Fold {
        flags.fold(self.source.is_text)
    }

    /// The group with a name, which has just been read with the character behind it.
    fn known(&self, name: &[u32]) -> Result<u32, Refusal> {
        let text = self.source.check_group_name(name, 1)?;
        let found = self.names.iter().find(|(n, _)| *n == text).map(|(_, group)| *group);
        found.ok_or_else(|| {
            let message = format!("unknown group name {}", self.source.quoted(name));
            self.source.error(message, name.len() + 1)
        })
    }

    fn look(
        &mut self,
        behind: bool,
        negated: bool,
        flags: Flags,
        verbose: bool,
        begin: usize,
    ) -> Result<Node, Refusal> {
        let outer = self.look_behind;
        if behind && outer.is_none() {
            self.look_behind = Some(self.groups.len() as u32);
        }
        let body = self.inside(flags, verbose, begin)?;
        self.look_behind = outer;
        let behind = behind.then(|| self.width(&body)).map(|(lo, hi)| {
            self.loose_look_behind |= lo != hi;
            lo
        });
        Ok(Node::Look { behind, negated, body: Box::new(body) })
    }

    /// `(?(group)yes|no)`
    fn condition(&mut self, flags: Flags, verbose: bool, begin: usize) -> Result<Node, Refusal> {
        let name = self.source.take_until(b')', "group name")?;
        let group = if name.iter().all(|c| super::is_digit(*c)) {
            let group = number(&name, 10);
            if group == 0 {
                return Err(self.source.error("bad group number", name.len() + 1));
            }
            if group >= u32::MAX / 4 {
                let message = format!("invalid group reference {}", text(&name));
                return Err(self.source.error(message, name.len() + 1));
            }
            if !self.references.iter().any(|(g, _)| *g == group) {
                self.references.push((group, self.source.tell() - name.len() - 1));
            }
            group
        } else {
            self.known(&name)?
        };
        self.check_look_behind(group)?;
        self.depth += 1;
        let yes = self.sequence(Some(flags), verbose, false)?;
        let no = if self.source.skip(b'|')? {
            let no = self.sequence(Some(flags), verbose, false)?;
            if self.source.peek().is_some_and(|t| t.is(b'|')) {
                let message = "conditional backref with more than two branches";
                return Err(self.source.error(message, 0));
            }
            no
        } else {
            Node::empty()
        };
        self.depth -= 1;
        self.close(begin)?;
        Ok(Node::Cond { group, yes: Box::new(yes), no: Box::new(no) })
    }

    /// `(?flags)` or `(?flags-flags:...)`, whose first token has been taken.
    fn flagged(
        &mut self,
        token: Token,
        flags: Flags,
        verbose: bool,
        may_set: bool,
        begin: usize,
    ) -> Result<Option<Node>, Refusal> {
        let Some((on, off)) = self.read_flags(token)? else {
            if !may_set {
                let back = self.source.tell() - begin;
                let message = "global flags not at the start of the expression";
                return Err(self.source.error(message, back));
            }
            self.restart = self.flags.has(Flags::VERBOSE) && !verbose;
            return Ok(None);
        };
        let verbose = (verbose || on & Flags::VERBOSE != 0) && off & Flags::VERBOSE == 0;
        self.plain(flags.changed(on, off), verbose, begin).map(Some)
    }

    /// The flags turned on and off; none, if they are set for all of the pattern.
    fn read_flags(&mut self, token: Token) -> Result<Option<(u32, u32)>, Refusal> {
        let (mut on, mut off) = (0, 0);
        let mut token = token;
        if !token.is(b'-') {
            loop {
                let bit = token_flag(token).unwrap_or(0);
                if self.source.is_text && bit == Flags::LOCALE {
                    let message = "bad inline flags: cannot use 'L' flag with a str pattern";
                    return Err(self.source.error(message, 0));
                }
                if !self.source.is_text && bit == Flags::UNICODE {
                    let message = "bad inline flags: cannot use 'u' flag with a bytes pattern";
                    return Err(self.source.error(message, 0));
                }
                on |= bit;
                if bit & Flags::TYPE != 0 && on & Flags::TYPE != bit {
                    let message = "bad inline flags: flags 'a', 'u' and 'L' are incompatible";
                    return Err(self.source.error(message, 0));
                }
                token = self.next_flag("missing -, : or )")?;
                if token.is(b')') || token.is(b'-') || token.is(b':') {
                    break;
                }
                if token_flag(token).is_none() {
                    return Err(self.no_flag(token, "missing -, : or )"));
                }
            }
        }
        if token.is(b')') {
            self.flags.0 |= on;
            return Ok(None);
        }
        if on & GLOBAL != 0 {
            let message = "bad inline flags: cannot turn on global flag";
            return Err(self.source.error(message, 1));
        }
        if token.is(b'-') {
            token = self.next_flag("missing flag")?;
            if token_flag(token).is_none() {
                return Err(self.no_flag(token, "missing flag"));
            }
            loop {
                let bit = token_flag(token).unwrap_or(0);
                if bit & Flags::TYPE != 0 {
                    let message = "bad inline flags: cannot turn off flags 'a', 'u' and 'L'";
                    return Err(self.source.error(message, 0));
                }
                off |= bit;
                token = self.next_flag("missing :")?;
                if token.is(b':') {
                    break;
                }
                if token_flag(token).is_none() {
                    return Err(self.no_flag(token, "missing :"));
                }
            }
        }
        if off & GLOBAL != 0 {
            let message = "bad inline flags: cannot turn off global flag";
            return Err(self.source.error(message, 1));
        }
        if on & off != 0 {
            let message = "bad inline flags: flag turned on and off";
            return Err(self.source.error(message, 1));
        }
        Ok(Some((on, off)))
    }

    fn next_flag(&mut self, missing: &str) -> Result<Token, Refusal> {
        let token = self.source.take()?;
        token.ok_or_else(|| self.source.error(missing, 0))
    }

    fn no_flag(&self, token: Token, missing: &str) -> Refusal {
        let letter = matches!(token, Token::Char(c) if miniscript_vm::text::case::is_alpha(c));
        self.source.error(if letter { "unknown flag" } else { missing }, token.len())
    }
}

fn token_flag(token: Token) -> Option<u32> {
    match token {
        Token::Char(c) => flag(c),
        Token::Escape(_) => None,
    }
}
