//! Escapes, in sets and outside.

use super::Parser;
use super::source::{Refusal, Source, text};
use crate::re::ast::{At, Category, Fold, Node, SetItem, SetNode};

/// What an escape in a set stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Char(u32),
    Class(Category, bool),
}

/// Whether a character is an octal digit.
pub fn is_octal(c: u32) -> bool {
    (0x30..0x38).contains(&c)
}

/// Whether a character is an ASCII digit.
pub fn is_digit(c: u32) -> bool {
    (0x30..0x3A).contains(&c)
}

fn is_hex(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| c.is_ascii_hexdigit())
}

/// Whether a character is an ASCII letter.
pub fn is_letter(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| c.is_ascii_alphabetic())
}

/// The control character of an escape.
pub fn control(c: u32) -> Option<u32> {
    Some(match u8::try_from(c).ok()? {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => 10,
        b'r' => 13,
        b't' => 9,
        b'v' => 11,
        b'\\' => 0x5C,
        _ => return None,
    })
}

fn category(c: u32) -> Option<(Category, bool)> {
    Some(match u8::try_from(c).ok()? {
        b'd' => (Category::Digit, false),
        b'D' => (Category::Digit, true),
        b's' => (Category::Space, false),
        b'S' => (Category::Space, true),
        b'w' => (Category::Word, false),
        b'W' => (Category::Word, true),
        _ => return None,
    })
}

/// The number that ASCII digits stand for.
pub fn number(digits: &[u32], base: u32) -> u32 {
    let add = |n: u32, c: &u32| {
        let digit = char::from_u32(*c).and_then(|c| c.to_digit(base)).unwrap_or(0);
        n.saturating_mul(base).saturating_add(digit)
    };
    digits.iter().fold(0, add)
}

/// `\xhh` and the like: the digits are still to be taken, so many of them.
fn hex(source: &mut Source<'_>, letter: u32, digits: usize) -> Result<u32, Refusal> {
    let mut out = vec![0x5C, letter];
    source.take_while(digits, is_hex, &mut out)?;
    if out.len() != digits + 2 {
        return Err(source.error(format!("incomplete escape {}", text(&out)), out.len()));
    }
    let n = number(&out[2..], 16);
    if n > 0x10_FFFF {
        return Err(source.error(format!("bad escape {}", text(&out)), out.len()));
    }
    Ok(n)
}

/// `\N{...}`
fn named(source: &mut Source<'_>) -> Result<u32, Refusal> {
    if !source.skip(b'{')? {
        return Err(source.error("missing {", 0));
    }
    let name = source.take_until(b'}', "character name")?;
    if let Some(c) = miniscript_syntax::character_named(&text(&name)) {
        return Ok(c as u32);
    }
    let message = format!("undefined character name {}", source.quoted(&name));
    Err(source.error(message, name.len() + 4))
}

fn too_large(source: &Source<'_>, escape: &[u32]) -> Refusal {
    let message = format!("octal escape value {} outside of range 0-0o377", text(escape));
    source.error(message, escape.len())
}

/// The escapes that mean one character everywhere.
fn common(source: &mut Source<'_>, c: u32) -> Result<Option<u32>, Refusal> {
    Ok(Some(match char::from_u32(c) {
        Some('x') => hex(source, c, 2)?,
        Some('u') if source.is_text => hex(source, c, 4)?,
        Some('U') if source.is_text => hex(source, c, 8)?,
        Some('N') if source.is_text => named(source)?,
        _ => return Ok(None),
    }))
}

/// An escape in a set.
pub(super) fn in_set(source: &mut Source<'_>, c: u32) -> Result<Meaning, Refusal> {
    if let Some(c) = control(c) {
        return Ok(Meaning::Char(c));
    }
    if let Some((category, negated)) = category(c) {
        return Ok(Meaning::Class(category, negated));
    }
    if let Some(c) = common(source, c)? {
        return Ok(Meaning::Char(c));
    }
    if is_octal(c) {
        let mut escape = vec![0x5C, c];
        source.take_while(2, is_octal, &mut escape)?;
        let n = number(&escape[1..], 8);
        if n > 0o377 {
            return Err(too_large(source, &escape));
        }
        return Ok(Meaning::Char(n));
    }
    if is_digit(c) || is_letter(c) {
        return Err(source.error(format!("bad escape {}", text(&[0x5C, c])), 2));
    }
    Ok(Meaning::Char(c))
}

impl Parser<'_> {
    /// An escape outside of sets.
    pub(super) fn escape(&mut self, c: u32, flags: super::Flags) -> Result<Node, Refusal> {
        let ascii = flags.ascii(self.source.is_text);
        if let Some((category, negated)) = category(c) {
            let items = vec![SetItem::Class { category, ascii, negated }];
            return Ok(Node::Set(SetNode { items, negated: false, fold: Fold::No }));
        }
        match char::from_u32(c) {
            Some('A') => return Ok(Node::At(At::Start)),
            Some('Z') => return Ok(Node::At(At::End)),
            Some('b' | 'B') => {
                return Ok(Node::At(At::Boundary { ascii, negated: c == b'B' as u32 }));
            }
            _ => {}
        }
        let fold = flags.fold(self.source.is_text);
        if let Some(c) = control(c) {
            return Ok(Node::Literal(c, fold));
        }
        if let Some(c) = common(&mut self.source, c)? {
            return Ok(Node::Literal(c, fold));
        }
        if is_digit(c) {
            return self.numbered(c, fold);
        }
        if is_letter(c) {
            return Err(self.source.error(format!("bad escape {}", text(&[0x5C, c])), 2));
        }
        Ok(Node::Literal(c, fold))
    }

    /// An octal number or the number of a group.
    fn numbered(&mut self, c: u32, fold: Fold) -> Result<Node, Refusal> {
        let mut escape = vec![0x5C, c];
        if c == b'0' as u32 {
            self.source.take_while(2, is_octal, &mut escape)?;
            return Ok(Node::Literal(number(&escape[1..], 8), fold));
        }
        self.source.take_while(1, is_digit, &mut escape)?;
        if escape.len() == 3 && escape[1..].iter().all(|c| is_octal(*c)) {
            self.source.take_while(1, is_octal, &mut escape)?;
            if escape.len() == 4 {
                let n = number(&escape[1..], 8);
                if n > 0o377 {
                    return Err(too_large(&self.source, &escape));
                }
                return Ok(Node::Literal(n, fold));
            }
        }
        let group = number(&escape[1..], 10);
        if (group as usize) < self.groups.len() {
            self.check_closed(group, escape.len())?;
            self.check_look_behind(group)?;
            return Ok(Node::BackRef(group, fold));
        }
        let message = format!("invalid group reference {group}");
        Err(self.source.error(message, escape.len() - 1))
    }
}
