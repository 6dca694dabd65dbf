//! Templates: what `sub` and `expand` put in the place of a match.

use miniscript_vm::text::wtf8;

use super::parse::{
    Refusal, RefusalKind, Source, Token, control, is_digit, is_letter, is_octal, number, text,
};

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, as it is stored.
    Text(Vec<u8>),
    /// What a group matched.
    Group(u32),
}

struct Template<'a> {
    source: Source<'a>,
    parts: Vec<Part>,
    groups: u32,
}

/// Understands a template for a pattern with so many groups, some of them with names.
pub fn parse_template(
    chars: &[u32],
    is_text: bool,
    groups: u32,
    names: &[(String, u32)],
) -> Result<Vec<Part>, Refusal> {
    let mut t = Template { source: Source::new(chars, is_text)?, parts: Vec::new(), groups };
    while let Some(token) = t.source.take()? {
        match token {
            Token::Char(c) => t.put(c),
            Token::Escape(c) if c == b'g' as u32 => t.named(names)?,
            Token::Escape(c) if c == b'0' as u32 => {
                let mut escape = vec![c];
                t.source.take_while(2, is_octal, &mut escape)?;
                t.put(number(&escape, 8) & 0xFF);
            }
            Token::Escape(c) if is_digit(c) => t.numbered(c)?,
            Token::Escape(c) => match control(c) {
                Some(c) => t.put(c),
                None if is_letter(c) => {
                    let message = format!("bad escape {}", token.text());
                    return Err(t.source.error(message, token.len()));
                }
                None => {
                    t.put(b'\\' as u32);
                    t.put(c);
                }
            },
        }
    }
    Ok(t.parts)
}

impl Template<'_> {
    fn put(&mut self, c: u32) {
        if !matches!(self.parts.last(), Some(Part::Text(_))) {
            self.parts.push(Part::Text(Vec::new()));
        }
        if let Some(Part::Text(out)) = self.parts.last_mut() {
            if self.source.is_text {
                wtf8::push(out, c);
            } else {
                out.push(c as u8);
            }
        }
    }

    fn group(&mut self, group: u32, back: usize) -> Result<(), Refusal> {
        if group > self.groups {
            let message = format!("invalid group reference {group}");
            return Err(self.source.error(message, back));
        }
        self.parts.push(Part::Group(group));
        Ok(())
    }

    /// `\g<name>`, of which `\g` has been taken.
    fn named(&mut self, names: &[(String, u32)]) -> Result<(), Refusal> {
        if !self.source.skip(b'<')? {
            return Err(self.source.error("missing <", 0));
        }
        let name = self.source.take_until(b'>', "group name")?;
        if name.iter().all(|c| is_digit(*c)) {
            let group = number(&name, 10);
            if group >= u32::MAX / 4 {
                let message = format!("invalid group reference {}", text(&name));
                return Err(self.source.error(message, name.len() + 1));
            }
            return self.group(group, name.len() + 1);
        }
        let known = self.source.check_group_name(&name, 1)?;
        match names.iter().find(|(n, _)| *n == known) {
            Some((_, group)) => self.group(*group, 0),
            None => {
                let message = format!("unknown group name {}", self.source.quoted(&name));
                Err(Refusal { kind: RefusalKind::Index, message, at: None })
            }
        }
    }

    /// A group by number, or three octal digits.
    fn numbered(&mut self, c: u32) -> Result<(), Refusal> {
        let mut digits = vec![c];
        self.source.take_while(1, is_digit, &mut digits)?;
        if digits.len() == 2 && digits.iter().all(|c| is_octal(*c)) {
            self.source.take_while(1, is_octal, &mut digits)?;
            if digits.len() == 3 {
                let n = number(&digits, 8);
                if n > 0o377 {
                    let shown = text(&digits);
                    let message = format!("octal escape value \\{shown} outside of range 0-0o377");
                    return Err(self.source.error(message, 4));
                }
                self.put(n);
                return Ok(());
            }
        }
        self.group(number(&digits, 10), digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let parse = |t: &str| {
            let chars: Vec<u32> = t.chars().map(|c| c as u32).collect();
            parse_template(&chars, true, 2, &[("x".to_owned(), 2)])
        };
        let text = |t: &str| Part::Text(t.as_bytes().to_vec());
        assert_eq!(
            parse(r"a\1\g<x>\n"),
            Ok(vec![text("a"), Part::Group(1), Part::Group(2), text("\n")])
        );
        assert_eq!(parse(r"\101\0"), Ok(vec![text("A\0")]));
        assert_eq!(parse(r"\3").unwrap_err().message, "invalid group reference 3");
        assert_eq!(parse(r"\g<y>").unwrap_err().kind, RefusalKind::Index);
    }
}
