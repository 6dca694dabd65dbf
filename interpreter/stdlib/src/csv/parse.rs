//! The reader's automaton: characters to fields.

use miniscript_vm::text::wtf8;

use super::dialect::{Dialect, Quoting};

/// Where the automaton is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum At {
    #[default]
    RecordStart,
    FieldStart,
    Escaped,
    Field,
    Quoted,
    EscapedInQuotes,
    QuoteInQuotes,
    LineEnd,
    AfterEscapedLineEnd,
}

/// A field: text, or text of a number.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    pub(super) text: Vec<u8>,
    pub(super) numeric: bool,
}

/// A record that is being read.
#[derive(Debug, Default)]
pub(super) struct Parser {
    at: At,
    text: Vec<u8>,
    chars: i64,
    numeric: bool,
    pub(super) fields: Vec<Field>,
}

impl Parser {
    /// Whether a record has begun that is not complete.
    pub(super) fn is_open(&self) -> bool {
        self.at != At::RecordStart
    }

    /// What is left at the end of the input; `false` if nothing was begun.
    pub(super) fn finish(&mut self, dialect: &Dialect) -> Result<bool, String> {
        if self.text.is_empty() && self.at != At::Quoted {
            return Ok(false);
        }
        if dialect.strict {
            return Err("unexpected end of data".to_owned());
        }
        self.save();
        self.at = At::RecordStart;
        Ok(true)
    }

    /// Reads a line.
    pub(super) fn line(&mut self, d: &Dialect, line: &[u8], limit: i64) -> Result<(), String> {
        if line.is_ascii() && d.is_ascii() {
            let mut rest = line;
            while let [b, after @ ..] = rest {
                self.char(d, Some(u32::from(*b)), limit)?;
                rest = self.plain(d, after, limit)?;
            }
        } else {
            for c in wtf8::code_points(line) {
                self.char(d, Some(c), limit)?;
            }
        }
        self.char(d, None, limit)
    }

    /// Takes the characters within a field that stand for themselves, and gives the rest.
    fn plain<'a>(&mut self, d: &Dialect, text: &'a [u8], limit: i64) -> Result<&'a [u8], String> {
        let stop = |b: u8| {
            let c = Some(u32::from(b));
            c == Some(d.delimiter) || c == d.quote || c == d.escape || b == b'\n' || b == b'\r'
        };
        if self.at != At::Field && self.at != At::Quoted {
            return Ok(text);
        }
        let n = text.iter().position(|b| stop(*b)).unwrap_or(text.len());
        self.chars += n as i64;
        if self.chars > limit {
            return Err(too_large(limit));
        }
        self.text.extend_from_slice(&text[..n]);
        Ok(&text[n..])
    }

    /// Takes a character, or the end of a line (None).
    fn char(&mut self, d: &Dialect, c: Option<u32>, limit: i64) -> Result<(), String> {
        const LF: Option<u32> = Some(b'\n' as u32);
        const CR: Option<u32> = Some(b'\r' as u32);
        let ends = c.is_none() || c == LF || c == CR;
        let after_end = if c.is_none() { At::RecordStart } else { At::LineEnd };
        let is_quote = c.is_some() && c == d.quote && d.quoting != Quoting::None;
        let is_escape = c.is_some() && c == d.escape;
        let is_delimiter = c == Some(d.delimiter);
        match self.at {
            At::RecordStart if c.is_none() => {}
            At::RecordStart if ends => self.at = At::LineEnd,
            At::RecordStart | At::FieldStart => {
                if ends {
                    self.save();
                    self.at = after_end;
                } else if is_quote {
                    self.at = At::Quoted;
                } else if is_escape {
                    self.at = At::Escaped;
                } else if c == Some(u32::from(b' ')) && d.skip_space {
                    self.at = At::FieldStart;
                } else if is_delimiter {
                    self.save();
                    self.at = At::FieldStart;
                } else {
                    self.numeric = d.quoting == Quoting::NonNumeric;
                    self.add(c, limit)?;
                    self.at = At::Field;
                }
            }
            At::Escaped => {
                self.add(c.or(LF), limit)?;
                self.at = if c == LF || c == CR { At::AfterEscapedLineEnd } else { At::Field };
            }
            At::AfterEscapedLineEnd if c.is_none() => {}
            At::Field | At::AfterEscapedLineEnd => {
                if ends {
                    self.save();
                    self.at = after_end;
                } else if is_escape {
                    self.at = At::Escaped;
                } else if is_delimiter {
                    self.save();
                    self.at = At::FieldStart;
                } else {
                    self.add(c, limit)?;
                    self.at = At::Field;
                }
            }
            At::Quoted => {
                if is_escape {
                    self.at = At::EscapedInQuotes;
                } else if is_quote {
                    self.at = if d.double_quote { At::QuoteInQuotes } else { At::Field };
                } else if c.is_some() {
                    self.add(c, limit)?;
                }
            }
            At::EscapedInQuotes => {
                self.add(c.or(LF), limit)?;
                self.at = At::Quoted;
            }
            At::QuoteInQuotes => {
                if is_quote {
                    self.add(c, limit)?;
                    self.at = At::Quoted;
                } else if is_delimiter {
                    self.save();
                    self.at = At::FieldStart;
                } else if ends {
                    self.save();
                    self.at = after_end;
                } else if !d.strict {
                    self.add(c, limit)?;
                    self.at = At::Field;
                } else {
                    let shown = |c: Option<u32>| c.and_then(char::from_u32).unwrap_or('?');
                    return Err(format!(
                        "'{}' expected after '{}'",
                        shown(Some(d.delimiter)),
                        shown(d.quote)
                    ));
                }
            }
            At::LineEnd => {
                if c.is_none() {
                    self.at = At::RecordStart;
                } else if !ends {
                    return Err("new-line character seen in unquoted field - do you need to open \
                                the file in universal-newline mode?"
                        .to_owned());
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, c: Option<u32>, limit: i64) -> Result<(), String> {
        self.chars += 1;
        if self.chars > limit {
            return Err(too_large(limit));
        }
        if let Some(c) = c {
            wtf8::push(&mut self.text, c);
        }
        Ok(())
    }

    fn save(&mut self) {
        let numeric = std::mem::take(&mut self.numeric);
        self.fields.push(Field { text: std::mem::take(&mut self.text), numeric });
        self.chars = 0;
    }
}

fn too_large(limit: i64) -> String {
    format!("field larger than field limit ({limit})")
}
