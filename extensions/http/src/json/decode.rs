//! Text to values. Nesting is kept on a stack of our own, so that no text can overflow the native
//! one.

use super::MAX_DEPTH;
use miniscript_sdk::{Cx, Error, Result, Value};
use num_bigint::BigInt;

/// Decodes a text.
pub fn decode(cx: &Cx, text: &str) -> Result<Value> {
    let mut reader = Reader { cx, text, bytes: text.as_bytes(), at: 0 };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    match reader.at == text.len() {
        true => Ok(value),
        false => Err(reader.error("Extra data", reader.at)),
    }
}

enum Open {
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>, Value),
}

struct Reader<'a> {
    cx: &'a Cx,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error(&self, what: &str, at: usize) -> Error {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let place = before.chars().count();
        let text = format!("{what}: line {line} column {column} (char {place})");
        Error::new("JSONDecodeError", text)
    }

    fn value(&mut self) -> Result<Value> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut done = match self.start(&mut open)? {
                Some(value) => value,
                None => continue,
            };
            // A finished value goes into the container it stands in, which may finish that.
            loop {
                let Some(container) = open.pop() else { return Ok(done) };
                match self.add(container, done)? {
                    Ok(finished) => done = finished,
                    Err(unfinished) => {
                        open.push(unfinished);
                        break;
                    }
                }
            }
        }
    }

    /// Reads a scalar or an empty container, or opens a container whose first item comes next.
    fn start(&mut self, open: &mut Vec<Open>) -> Result<Option<Value>> {
        match self.peek() {
            Some(first @ (b'[' | b'{')) => {
                if open.len() >= MAX_DEPTH {
                    let kind = if first == b'[' { "array" } else { "object" };
                    let text = "maximum recursion depth exceeded while decoding a JSON";
                    let text = format!("{text} {kind} from a unicode string");
                    return Err(Error::new("RecursionError", text));
                }
                self.at += 1;
                self.skip_space();
                match (first, self.peek()) {
                    (b'[', Some(b']')) => {
                        self.at += 1;
                        return self.cx.list(&[]).map(Some);
                    }
                    (b'[', _) => open.push(Open::List(Vec::new())),
                    (_, Some(b'}')) => {
                        self.at += 1;
                        return self.cx.dict(&[]).map(Some);
                    }
                    _ => {
                        let key = self.key()?;
                        open.push(Open::Dict(Vec::new(), key));
                    }
                }
                Ok(None)
            }
            _ => self.scalar().map(Some),
        }
    }

    /// Adds an item; the finished value, or the container that goes on.
    fn add(&mut self, container: Open, item: Value) -> Result<std::result::Result<Value, Open>> {
        self.skip_space();
        match container {
            Open::List(mut items) => {
                items.push(item);
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        Ok(Err(Open::List(items)))
                    }
                    Some(b']') => {
                        self.at += 1;
                        self.cx.list(&items).map(Ok)
                    }
                    _ => Err(self.error("Expecting ',' delimiter", self.at)),
                }
            }
            Open::Dict(mut pairs, key) => {
                pairs.push((key, item));
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        let key = self.key()?;
                        Ok(Err(Open::Dict(pairs, key)))
                    }
                    Some(b'}') => {
                        self.at += 1;
                        self.cx.dict(&pairs).map(Ok)
                    }
                    _ => Err(self.error("Expecting ',' delimiter", self.at)),
                }
            }
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<Value> {
        if self.peek() != Some(b'"') {
            let what = "Expecting property name enclosed in double quotes";
            return Err(self.error(what, self.at));
        }
        let key = self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.error("Expecting ':' delimiter", self.at));
        }
        self.at += 1;
        self.skip_space();
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Value> {
        const WORDS: [&str; 6] = ["null", "true", "false", "NaN", "Infinity", "-Infinity"];
        let rest = &self.text[self.at..];
        if let Some(word) = WORDS.into_iter().find(|word| rest.starts_with(word)) {
            self.at += word.len();
            return match word {
                "null" => Ok(Value::NONE),
                "NaN" => self.cx.make(f64::NAN),
                "Infinity" => self.cx.make(f64::INFINITY),
                "-Infinity" => self.cx.make(f64::NEG_INFINITY),
                word => self.cx.make(word == "true"),
            };
        }
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.error("Expecting value", self.at)),
        }
    }

    fn digits(&self, mut at: usize) -> usize {
        while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        let first = start + usize::from(self.peek() == Some(b'-'));
        let mut end = match self.bytes.get(first) {
            Some(b'0') => first + 1,
            Some(b'1'..=b'9') => self.digits(first),
            _ => return Err(self.error("Expecting value", start)),
        };
        let mut float = false;
        if self.bytes.get(end) == Some(&b'.') && self.digits(end + 1) > end + 1 {
            end = self.digits(end + 1);
            float = true;
        }
        if matches!(self.bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.bytes.get(end + 1), Some(b'+' | b'-')));
            if self.digits(end + 1 + sign) > end + 1 + sign {
                end = self.digits(end + 1 + sign);
                float = true;
            }
        }
        self.at = end;
        let text = &self.text[start..end];
        if float {
            let number: f64 = text.parse().map_err(|_| self.error("Expecting value", start))?;
            return self.cx.make(number);
        }
        if let Ok(small) = text.parse::<i64>() {
            return self.cx.make(small);
        }
        let count = end - first;
        if count > 4300 {
            return Err(Error::value(format!(
                "Exceeds the limit (4300 digits) for integer string conversion: value has {count} \
                 digits; use sys.set_int_max_str_digits() to increase the limit"
            )));
        }
        let big: BigInt = text.parse().map_err(|_| self.error("Expecting value", start))?;
        self.cx.make(big)
    }

    fn string(&mut self) -> Result<Value> {
        let begin = self.at;
        self.at += 1;
        let mut start = self.at;
        let mut text = String::new();
        loop {
            match self.peek() {
                Some(b'"') => {
                    let last = &self.text[start..self.at];
                    self.at += 1;
                    if text.is_empty() {
                        return self.cx.make(last);
                    }
                    text.push_str(last);
                    return self.cx.make(text);
                }
                Some(b'\\') => {
                    text.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    self.escape(begin, &mut text)?;
                    start = self.at;
                }
                Some(0..=31) => return Err(self.error("Invalid control character at", self.at)),
                Some(_) => self.at += 1,
                None => return Err(self.error("Unterminated string starting at", begin)),
            }
        }
    }

    fn escape(&mut self, begin: usize, text: &mut String) -> Result<()> {
        let place = self.at;
        let Some(letter) = self.peek() else {
            return Err(self.error("Unterminated string starting at", begin));
        };
        self.at += 1;
        text.push(match letter {
            b'"' | b'\\' | b'/' => letter as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let high = (0xD800..0xDC00).contains(&unit);
                if high && self.bytes[self.at..].starts_with(b"\\u") {
                    let back = self.at;
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                        text.push(char::from_u32(code).unwrap_or('\u{FFFD}'));
                        return Ok(());
                    }
                    self.at = back;
                }
                // A lone surrogate has no place in a text of the boundary.
                char::from_u32(unit).unwrap_or('\u{FFFD}')
            }
            _ => return Err(self.error("Invalid \\escape", place - 1)),
        });
        Ok(())
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32> {
        let digits = self.bytes.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else {
            return Err(self.error("Invalid \\uXXXX escape", self.at));
        };
        self.at += 4;
        Ok(digits
            .iter()
            .fold(0, |code, digit| code * 16 + (*digit as char).to_digit(16).unwrap_or(0)))
    }
}
