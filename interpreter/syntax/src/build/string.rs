//! String, bytes and f-string literals, and the joining of adjacent ones.

use super::{Builder, Built, escape, fail};
use crate::Span;
use crate::ast::*;

/// One of adjacent literals.
pub enum StringPiece {
    Str(Span, Vec<u8>),
    Bytes(Vec<u8>),
    FString(Vec<FStringPart>),
}

/// `!r` in a field: where the mark stands, and the name after it.
pub struct Conversion {
    pub at: u32,
    pub name: Ident,
}

impl Builder<'_> {
    /// Joins adjacent literals; all are bytes or none is.
    pub fn strings(&self, l: u32, pieces: Vec<StringPiece>, r: u32) -> Built<Expr> {
        let bytes = pieces.iter().filter(|p| matches!(p, StringPiece::Bytes(_))).count();
        if bytes > 0 && bytes < pieces.len() {
            let message = "cannot mix bytes and nonbytes literals";
            return fail("mixed-strings", message, self.after(r));
        }
        if bytes > 0 {
            let mut all = Vec::new();
            for piece in pieces {
                if let StringPiece::Bytes(mut value) = piece {
                    all.append(&mut value);
                }
            }
            return Ok(self.constant(l, Constant::Bytes(all.into()), r));
        }
        if pieces.iter().any(|p| matches!(p, StringPiece::FString(_))) {
            return Ok(self.expr(l, ExprKind::JoinedStr(join_parts(pieces)), r));
        }
        let mut all = Vec::new();
        for piece in pieces {
            if let StringPiece::Str(_, mut value) = piece {
                all.append(&mut value);
            }
        }
        Ok(self.constant(l, Constant::Str(StrLit::from_pieces(all)), r))
    }

    /// A string or bytes literal, prefix and quotes included.
    pub fn string(&self, l: u32, r: u32) -> Built<StringPiece> {
        let text = self.slice_of(l, r);
        let span = Span::new(l, r);
        let quote_at = text.find(['"', '\'']).unwrap_or(0);
        let (prefix, rest) = text.split_at(quote_at);
        let quotes = quotes_len(rest);
        let body = &rest[quotes..rest.len() - quotes];
        let has = |letter: u8| prefix.bytes().any(|byte| byte | 0x20 == letter);
        let raw = has(b'r');
        if has(b'b') {
            if !body.is_ascii() {
                let message = "bytes can only contain ASCII literal characters";
                return fail("non-ascii-bytes", message, span);
            }
            return match escape::decode_bytes(body, raw) {
                Ok(value) => Ok(StringPiece::Bytes(value)),
                Err(message) => fail("bad-escape", format!("(value error) {message}"), span),
            };
        }
        match escape::decode_text(body, raw) {
            Ok(value) => Ok(StringPiece::Str(span, value)),
            Err(message) => fail("bad-escape", format!("(unicode error) {message}"), span),
        }
    }

    /// `m` is the end of the opening quotes.
    pub fn fstring(
        &self,
        l: u32,
        m: u32,
        mut parts: Vec<FStringPart>,
        _r: u32,
    ) -> Built<StringPiece> {
        let start = self.slice_of(l, m);
        let raw = start.bytes().any(|byte| byte | 0x20 == b'r');
        self.decode_parts(&mut parts, raw, false)?;
        Ok(StringPiece::FString(parts))
    }

    /// Literal parts hold their source text until the f-string they belong to is complete: only
    /// its prefix says how to decode them.
    pub fn fstring_text(&self, mut parts: Vec<FStringPart>, l: u32, r: u32) -> Vec<FStringPart> {
        parts.push(FStringPart::Literal { span: Span::new(l, r), value: "".into() });
        parts
    }

    fn decode_parts(&self, parts: &mut Vec<FStringPart>, raw: bool, spec: bool) -> Built<()> {
        for part in parts.iter_mut() {
            match part {
                FStringPart::Literal { span, value } => {
                    let text = self.slice_of(span.start, span.end);
                    let decoded = if spec {
                        escape::decode_text(text, raw)
                    } else {
                        escape::decode_fstring_text(text, raw)
                    };
                    match decoded {
                        Ok(bytes) => *value = StrLit::from_pieces(bytes),
                        Err(message) => {
                            let message = format!("(unicode error) {message}");
                            return fail("bad-escape", message, Span::new(span.end, span.end + 1));
                        }
                    }
                }
                FStringPart::FormattedValue(field) => {
                    if let Some(spec) = &mut field.format_spec {
                        self.decode_parts(spec, raw, true)?;
                    }
                }
            }
        }
        parts.retain(|p| !matches!(p, FStringPart::Literal { value, .. } if value.is_empty()));
        Ok(())
    }

    /// `debug` is the end of `=`.
    pub fn field(
        &self,
        l: u32,
        expr: Expr,
        debug: Option<u32>,
        conversion: Option<Conversion>,
        format_spec: Option<Vec<FStringPart>>,
        r: u32,
    ) -> Built<FStringPart> {
        let expr = self.no_star(expr)?;
        let debug_text = debug.map(|end| self.debug_text(l + 1, self.skip_blanks(end)));
        let conversion = match conversion {
            None => None,
            Some(Conversion { at, name }) if name.span.start != at + 1 => {
                let message =
                    "f-string: conversion type must come right after the exclamanation mark";
                return fail("bad-conversion", message, Span::new(at, name.span.end));
            }
            Some(Conversion { name, .. }) => match &*name.name {
                "s" => Some('s'),
                "r" => Some('r'),
                "a" => Some('a'),
                other => {
                    let message = format!(
                        "f-string: invalid conversion character '{other}': \
                         expected 's', 'r', or 'a'"
                    );
                    return fail("bad-conversion", message, name.span);
                }
            },
        };
        let span = Span::new(l, r);
        let field = FormattedValue { span, expr, debug_text, conversion, format_spec };
        Ok(FStringPart::FormattedValue(Box::new(field)))
    }

    /// The position after blanks, line ends and comments.
    fn skip_blanks(&self, at: u32) -> u32 {
        let mut rest = &self.text[at as usize..];
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\x0c', '\n', '\r']);
            if !rest.starts_with('#') {
                return (self.text.len() - rest.len()) as u32;
            }
            rest = rest.trim_start_matches(|ch| !matches!(ch, '\n' | '\r'));
        }
    }

    /// The text of a field up to its `=` and the blanks after it, without comments.
    fn debug_text(&self, l: u32, end: u32) -> StrLit {
        let text = self.slice_of(l, end);
        if !text.contains(['#', '\r']) {
            return text.into();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut quote = None;
        while let Some(ch) = rest.chars().next() {
            match (quote, ch) {
                (None, '#') => {
                    rest = &rest[rest.find(['\n', '\r']).unwrap_or(rest.len())..];
                    continue;
                }
                (None, '"' | '\'') => quote = Some(ch),
                (Some(open), _) if ch == open => quote = None,
                _ => {}
            }
            if ch != '\r' {
                out.push(ch);
            } else if !rest.starts_with("\r\n") {
                out.push('\n');
            }
            rest = &rest[ch.len_utf8()..];
        }
        out.as_str().into()
    }
}

fn quotes_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let triple = bytes.len() >= 6 && bytes[1] == bytes[0] && bytes[2] == bytes[0];
    if triple { 3 } else { 1 }
}

/// The parts of all pieces, neighbouring literals merged and empty ones left out.
fn join_parts(pieces: Vec<StringPiece>) -> Vec<FStringPart> {
    let mut parts: Vec<FStringPart> = Vec::new();
    for piece in pieces {
        match piece {
            StringPiece::Str(span, value) => push_literal(&mut parts, span, &value),
            StringPiece::Bytes(_) => {}
            StringPiece::FString(more) => {
                for part in more {
                    match part {
                        FStringPart::Literal { span, value } => {
                            push_literal(&mut parts, span, value.as_bytes());
                        }
                        field => parts.push(field),
                    }
                }
            }
        }
    }
    parts
}

fn push_literal(parts: &mut Vec<FStringPart>, span: Span, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    if let Some(FStringPart::Literal { span: before, value }) = parts.last_mut() {
        let joined = [value.as_bytes(), bytes].concat();
        *value = StrLit::from_pieces(joined);
        *before = before.to(span);
    } else {
        parts.push(FStringPart::Literal { span, value: StrLit::from_pieces(bytes.to_vec()) });
    }
}
