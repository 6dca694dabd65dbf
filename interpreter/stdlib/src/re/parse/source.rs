//! The pattern as a sequence of characters and escapes, with one of them looked ahead.

use miniscript_vm::text::{case, repr, wtf8};

/// Why a pattern, a template or a name in one is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The exception.
    pub kind: RefusalKind,
    /// What is wrong.
    pub message: String,
    /// Where, for `re.error`.
    pub at: Option<usize>,
}

/// The exception that a [`Refusal`] becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// `re.error`
    Pattern,
    /// `ValueError`
    Value,
    /// `OverflowError`
    Overflow,
    /// `RecursionError`
    Recursion,
    /// `IndexError`
    Index,
}

impl Refusal {
    pub(super) fn new(kind: RefusalKind, message: &str) -> Refusal {
        Refusal { kind, message: message.to_owned(), at: None }
    }
}

/// A character, or a backslash with the one behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A character.
    Char(u32),
    /// What follows a backslash.
    Escape(u32),
}

impl Token {
    /// Number of characters.
    pub fn len(self) -> usize {
        match self {
            Token::Char(_) => 1,
            Token::Escape(_) => 2,
        }
    }

    /// Its text.
    pub fn text(self) -> String {
        match self {
            Token::Char(c) => text(&[c]),
            Token::Escape(c) => text(&[b'\\' as u32, c]),
        }
    }

    /// Whether it is this ASCII character.
    pub fn is(self, c: u8) -> bool {
        self == Token::Char(c as u32)
    }
}

/// Characters as text for messages.
pub fn text(chars: &[u32]) -> String {
    let mut out = Vec::new();
    chars.iter().for_each(|c| wtf8::push(&mut out, *c));
    String::from_utf8_lossy(&out).into_owned()
}

/// A reader of tokens.
pub struct Source<'a> {
    chars: &'a [u32],
    /// Whether it is `str` and not `bytes`.
    pub is_text: bool,
    /// Behind the token that is looked ahead.
    end: usize,
    next: Option<Token>,
}

impl<'a> Source<'a> {
    /// From the beginning.
    pub fn new(chars: &'a [u32], is_text: bool) -> Result<Source<'a>, Refusal> {
        let mut s = Source { chars, is_text, end: 0, next: None };
        s.look()?;
        Ok(s)
    }

    fn look(&mut self) -> Result<(), Refusal> {
        self.next = match self.chars.get(self.end) {
            None => None,
            Some(0x5C) => match self.chars.get(self.end + 1) {
                Some(c) => Some(Token::Escape(*c)),
                None => {
                    let message = "bad escape (end of pattern)".to_owned();
                    let at = Some(self.chars.len() - 1);
                    return Err(Refusal { kind: RefusalKind::Pattern, message, at });
                }
            },
            Some(c) => Some(Token::Char(*c)),
        };
        self.end += self.next.map_or(0, Token::len);
        Ok(())
    }

    /// The next token, which is not taken.
    pub fn peek(&self) -> Option<Token> {
        self.next
    }

    /// The next character, if it is one and not an escape.
    pub fn peek_char(&self) -> Option<u32> {
        match self.next {
            Some(Token::Char(c)) => Some(c),
            _ => None,
        }
    }

    /// Takes the next token.
    pub fn take(&mut self) -> Result<Option<Token>, Refusal> {
        let token = self.next;
        self.look()?;
        Ok(token)
    }

    /// Takes the next token if it is this character.
    pub fn skip(&mut self, c: u8) -> Result<bool, Refusal> {
        let found = self.next.is_some_and(|t| t.is(c));
        if found {
            self.look()?;
        }
        Ok(found)
    }

    /// Takes up to `n` characters that are `wanted`.
    pub fn take_while(
        &mut self,
        n: usize,
        wanted: fn(u32) -> bool,
        out: &mut Vec<u32>,
    ) -> Result<(), Refusal> {
        for _ in 0..n {
            match self.peek_char() {
                Some(c) if wanted(c) => out.push(c),
                _ => break,
            }
            self.look()?;
        }
        Ok(())
    }

    /// Takes what stands before `end`, and it too; `what` it is.
    pub fn take_until(&mut self, end: u8, what: &str) -> Result<Vec<u32>, Refusal> {
        let mut out = Vec::new();
        loop {
            match self.take()? {
                None if out.is_empty() => return Err(self.error(format!("missing {what}"), 0)),
                None => {
                    let message = format!("missing {}, unterminated name", end as char);
                    return Err(self.error(message, out.len()));
                }
                Some(t) if t.is(end) => {
                    if out.is_empty() {
                        return Err(self.error(format!("missing {what}"), 1));
                    }
                    return Ok(out);
                }
                Some(Token::Char(c)) => out.push(c),
                Some(Token::Escape(c)) => out.extend([b'\\' as u32, c]),
            }
        }
    }

    /// Where the next token begins.
    pub fn tell(&self) -> usize {
        self.end - self.next.map_or(0, Token::len)
    }

    /// Goes to a place.
    pub fn seek(&mut self, at: usize) -> Result<(), Refusal> {
        self.end = at;
        self.look()
    }

    /// A refusal of what began so many characters ago.
    pub fn error(&self, message: impl Into<String>, back: usize) -> Refusal {
        let mut message = message.into();
        if !self.is_text && !message.is_ascii() {
            message = message.chars().map(ascii_escape).collect();
        }
        let at = Some(self.tell().saturating_sub(back));
        Refusal { kind: RefusalKind::Pattern, message, at }
    }

    /// Refuses what cannot be the name of a group; it ends `back` characters ago.
    pub fn check_group_name(&self, name: &[u32], back: usize) -> Result<String, Refusal> {
        let mut bytes = Vec::new();
        name.iter().for_each(|c| wtf8::push(&mut bytes, *c));
        let good = case::is_identifier(&bytes) && (self.is_text || bytes.is_ascii());
        match String::from_utf8(bytes) {
            Ok(name) if good => Ok(name),
            _ => {
                let message = format!("bad character in group name {}", self.quoted(name));
                Err(self.error(message, name.len() + back))
            }
        }
    }

    /// `repr` of a name, in ASCII in a pattern of bytes.
    pub fn quoted(&self, name: &[u32]) -> String {
        let mut bytes = Vec::new();
        name.iter().for_each(|c| wtf8::push(&mut bytes, *c));
        let mut out = Vec::new();
        // Without memory for a name there would be none for the message either.
        let _ = repr::str_into(&mut out, &bytes, !self.is_text);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn ascii_escape(c: char) -> String {
    match c as u32 {
        0..0x80 => c.to_string(),
        n @ 0..0x100 => format!("\\x{n:02x}"),
        n @ 0..0x1_0000 => format!("\\u{n:04x}"),
        n => format!("\\U{n:08x}"),
    }
}
