//! Text to tokens: the logos rules, what they cannot say (numbers, strings, f-strings), brackets
//! and the indentation layer.
//!
//! The whole text is read before parsing starts, because an error of the lexer anywhere takes
//! precedence over one of the parser, as in CPython.

mod fstring;
mod indent;
mod number;
mod string;
mod token;

use logos::Logos;

pub use token::{Tok, Token};

use crate::ast::Mode;
use crate::{Span, SyntaxError, Watch};

/// Brackets nest at most this deep, as in CPython.
const MAX_BRACKETS: usize = 200;

/// What the lexer made of a text.
#[derive(Debug)]
pub struct Lexed {
    /// Starts with the mode's token, ends with [`Tok::End`].
    pub tokens: Vec<Token>,
    /// In the order of the text. After one, lexing went on at the next line.
    pub errors: Vec<SyntaxError>,
    /// How many tokens stand before the first error.
    pub before_error: usize,
    /// The innermost bracket that is open at the end of the text.
    pub unclosed: Option<Bracket>,
    /// The text ended inside a string or after a backslash: more of it could complete it.
    pub wants_more: bool,
}

/// An open bracket.
#[derive(Debug, Clone, Copy)]
pub struct Bracket {
    pub ch: u8,
    pub at: u32,
}

/// Reads all of `text`, which is at most `u32::MAX` bytes long; the error is that of the watch.
pub fn lex(text: &str, mode: Mode, watch: &Watch<'_>) -> Result<Lexed, SyntaxError> {
    let mut lexer = Lexer {
        text,
        logos: Tok::lexer(text),
        tokens: Vec::with_capacity(text.len() / 5 + 8),
        errors: Vec::new(),
        before_error: 0,
        brackets: Vec::new(),
        fstrings: Vec::new(),
        indents: vec![indent::Level::default()],
        line_has_tokens: false,
        wants_more: false,
    };
    let start = match mode {
        Mode::Module => Tok::StartModule,
        Mode::Expression => Tok::StartExpression,
        Mode::Interactive => Tok::StartInteractive,
    };
    lexer.push(start, 0, 0);
    if mode == Mode::Expression {
        // `eval` ignores indentation of its text.
        let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
        lexer.logos.bump(blank);
    } else {
        lexer.indentation();
    }
    lexer.run(watch)?;
    Ok(lexer.finish())
}

struct Lexer<'t> {
    text: &'t str,
    logos: logos::Lexer<'t, Tok>,
    tokens: Vec<Token>,
    errors: Vec<SyntaxError>,
    before_error: usize,
    brackets: Vec<Bracket>,
    fstrings: Vec<fstring::FString>,
    indents: Vec<indent::Level>,
    line_has_tokens: bool,
    wants_more: bool,
}

impl<'t> Lexer<'t> {
    fn run(&mut self, watch: &Watch<'_>) -> Result<(), SyntaxError> {
        loop {
            watch.step()?;
            let step = if self.in_fstring_text() { self.fstring_text() } else { self.token() };
            match step {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.report(error);
                    if self.errors.len() >= crate::recover::MAX_ERRORS {
                        break;
                    }
                    self.skip_line();
                }
            }
        }
        Ok(())
    }

    fn report(&mut self, error: SyntaxError) {
        self.report_after(self.tokens.len(), error);
    }

    /// An error that comes after the first `count` tokens.
    fn report_after(&mut self, count: usize, error: SyntaxError) {
        if self.errors.is_empty() {
            self.before_error = count;
        }
        self.errors.push(error);
    }

    /// Where the line's end is shown: at the comment before it, if there is one.
    fn line_end(&self, newline: usize) -> usize {
        let last = self.tokens.last().map_or(0, |token| token.end as usize);
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\x0c');
        let between = &self.text.as_bytes()[last..newline];
        let at = last + between.iter().take_while(blank).count();
        if self.text.as_bytes().get(at) == Some(&b'#') { at } else { newline }
    }

    /// Where the next token is searched.
    fn pos(&self) -> usize {
        self.logos.span().end
    }

    /// The unread text.
    fn rest(&self) -> &'t [u8] {
        self.logos.remainder().as_bytes()
    }

    fn push(&mut self, kind: Tok, start: usize, end: usize) {
        self.tokens.push(Token { kind, start: start as u32, end: end as u32 });
    }

    /// Reads one token; `false` at the end of the text.
    fn token(&mut self) -> Result<bool, SyntaxError> {
        if self.in_field() && self.field_punctuation() {
            return Ok(true);
        }
        let Some(found) = self.logos.next() else { return Ok(false) };
        let (start, end) = (self.logos.span().start, self.logos.span().end);
        let Ok(kind) = found else { return Err(self.bad_character(start)) };
        match kind {
            Tok::Newline => {
                self.newline(start, end);
                return Ok(true);
            }
            Tok::LineJoin => {
                if end == self.text.len() {
                    self.wants_more = true;
                    return Err(error_at("unexpected-eof", "unexpected EOF while parsing", end));
                }
                return Ok(true);
            }
            Tok::Backslash => return Err(self.stray_backslash(start)),
            Tok::NumberStart => self.number(start)?,
            Tok::StringStart => self.string(start)?,
            Tok::Name => {
                self.check_identifier(start, end)?;
                self.push(kind, start, end);
            }
            Tok::LParen | Tok::LBracket | Tok::LBrace => {
                self.open(start)?;
                self.push(kind, start, end);
            }
            Tok::RParen | Tok::RBracket | Tok::RBrace => {
                self.close(start)?;
                self.push(kind, start, end);
            }
            _ => self.push(kind, start, end),
        }
        self.line_has_tokens = true;
        Ok(true)
    }

    fn newline(&mut self, start: usize, end: usize) {
        if !self.brackets.is_empty() {
            return;
        }
        if self.line_has_tokens {
            self.push(Tok::Newline, self.line_end(start), end);
            self.line_has_tokens = false;
        }
        self.indentation();
    }

    fn open(&mut self, at: usize) -> Result<(), SyntaxError> {
        if self.brackets.len() >= MAX_BRACKETS {
            return Err(error_at("too-many-brackets", "too many nested parentheses", at));
        }
        self.brackets.push(Bracket { ch: self.text.as_bytes()[at], at: at as u32 });
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), SyntaxError> {
        let ch = self.text.as_bytes()[at];
        let prefix = if self.fstrings.is_empty() { "" } else { "f-string: " };
        if self.fstrings.last().is_some_and(|f| f.base == self.brackets.len()) && ch == b'}' {
            let message = "f-string: single '}' is not allowed";
            return Err(error_at("f-string-brace", message, at));
        }
        let Some(open) = self.brackets.last().copied() else {
            let message = format!("{prefix}unmatched '{}'", ch as char);
            return Err(error_at("unmatched-bracket", message, at));
        };
        if self.in_field() && ch != b'}' {
            let message = format!("f-string: unmatched '{}'", ch as char);
            return Err(error_at("unmatched-bracket", message, at));
        }
        self.brackets.pop();
        if matches!((open.ch, ch), (b'(', b')') | (b'[', b']') | (b'{', b'}')) {
            return Ok(());
        }
        let here = self.line_of(at);
        let there = self.line_of(open.at as usize);
        let (ch, open_ch) = (ch as char, open.ch as char);
        let mut message =
            format!("closing parenthesis '{ch}' does not match opening parenthesis '{open_ch}'");
        if here != there {
            message.push_str(&format!(" on line {there}"));
        }
        Err(error_at("mismatched-bracket", message, at))
    }

    /// Line number of an offset. Linear, so for errors only.
    fn line_of(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count()
    }

    fn check_identifier(&self, start: usize, end: usize) -> Result<(), SyntaxError> {
        let name = &self.text[start..end];
        if name.is_ascii() {
            return Ok(());
        }
        // As CPython: the first character that may not be there, in the spelling as it stands,
        // unless NFKC makes it one that may.
        for (at, ch) in name.char_indices() {
            let fits = |c: char, first: bool| {
                c == '_'
                    || if first {
                        unicode_ident::is_xid_start(c)
                    } else {
                        unicode_ident::is_xid_continue(c)
                    }
            };
            if !fits(ch, at == 0) {
                return Err(invalid_character(ch, start + at));
            }
        }
        Ok(())
    }

    fn bad_character(&self, at: usize) -> SyntaxError {
        let ch = self.text[at..].chars().next().unwrap_or('\0');
        invalid_character(ch, at)
    }

    fn stray_backslash(&mut self, at: usize) -> SyntaxError {
        if at + 1 == self.text.len() {
            self.wants_more = true;
            return error_at("unexpected-eof", "unexpected EOF while parsing", at + 1);
        }
        let message = "unexpected character after line continuation character";
        error_at("line-continuation", message, at + 1)
    }

    /// After an error: leaves strings and brackets and goes on at the next line.
    fn skip_line(&mut self) {
        self.brackets.clear();
        self.fstrings.clear();
        let rest = self.rest();
        let skip = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.logos.bump(skip);
        self.line_has_tokens = true;
    }

    fn finish(mut self) -> Lexed {
        let end = self.text.len();
        let unclosed = self.brackets.last().copied();
        if unclosed.is_none() {
            if self.line_has_tokens {
                self.push(Tok::Newline, self.line_end(end), end);
            }
            for _ in 1..self.indents.len() {
                self.push(Tok::Dedent, end, end);
            }
        }
        self.push(Tok::End, end, end);
        Lexed {
            tokens: self.tokens,
            errors: self.errors,
            before_error: self.before_error,
            unclosed,
            wants_more: self.wants_more,
        }
    }
}

/// An error of one caret.
fn error_at(code: &'static str, message: impl Into<String>, at: usize) -> SyntaxError {
    SyntaxError::new(code, message, Span::new(at as u32, at as u32))
}

fn invalid_character(ch: char, at: usize) -> SyntaxError {
    let code = ch as u32;
    if is_printable(ch) {
        error_at("invalid-character", format!("invalid character '{ch}' (U+{code:04X})"), at)
    } else {
        let message = format!("invalid non-printable character U+{code:04X}");
        error_at("invalid-character", message, at)
    }
}

/// Python's `str.isprintable` for one character.
fn is_printable(ch: char) -> bool {
    use unicode_properties::{GeneralCategory as C, UnicodeGeneralCategory};
    !matches!(
        ch.general_category(),
        C::Control
            | C::Format
            | C::Surrogate
            | C::PrivateUse
            | C::Unassigned
            | C::LineSeparator
            | C::ParagraphSeparator
            | C::SpaceSeparator
    )
}
