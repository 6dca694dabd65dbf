//! What is no error but deserves a word: escapes that mean nothing.

use crate::ast::Mode;
use crate::lexer::{Tok, lex};
use crate::{Span, Watch};

/// The invalid escapes of a text that parses, one for each literal: where the literal begins, and
/// what CPython's `SyntaxWarning` says.
pub fn escape_warnings(text: &str) -> Vec<(Span, String)> {
    // Most texts have none: tokens are made only for those that may.
    if invalid_escape(text, Escapes::Any).is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut raw_fstrings = Vec::new();
    let Ok(lexed) = lex(text, Mode::Module, &Watch::never()) else { return found };
    for token in lexed.tokens {
        // The text before a field may end in a backslash; the brace belongs to that escape.
        let more = usize::from(token.kind == Tok::FStringMiddle);
        let end = (token.end as usize + more).min(text.len());
        let literal = text.get(token.start as usize..end).unwrap_or("");
        let is_raw = |prefix: &str| prefix.bytes().any(|b| b | 0x20 == b'r');
        let escapes = match token.kind {
            Tok::String => {
                let prefix = &literal[..literal.find(['"', '\'']).unwrap_or(0)];
                let bytes = prefix.bytes().any(|b| b | 0x20 == b'b');
                match is_raw(prefix) {
                    true => continue,
                    false if bytes => Escapes::Bytes,
                    false => Escapes::Text,
                }
            }
            Tok::FStringStart => {
                raw_fstrings.push(is_raw(literal));
                continue;
            }
            Tok::FStringEnd => {
                raw_fstrings.pop();
                continue;
            }
            Tok::FStringMiddle if raw_fstrings.last() == Some(&false) => Escapes::Text,
            _ => continue,
        };
        // The backslash before a field belongs to the text, the brace does not.
        let ahead = token.kind == Tok::FStringMiddle
            && matches!(text.as_bytes().get(token.end as usize), Some(b'{' | b'}'));
        let literal = &text[token.start as usize..token.end as usize + usize::from(ahead)];
        if let Some(escape) = invalid_escape(literal, escapes) {
            let octal = if matches!(escape.as_bytes()[1], b'0'..=b'7') { "octal " } else { "" };
            let message = format!("invalid {octal}escape sequence '{escape}'");
            found.push((Span::new(token.start, token.end), message));
        }
    }
    found
}

/// Whose escapes are asked about.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    Text,
    Bytes,
    /// Those of either, and outside of literals as well.
    Any,
}

/// The first escape that means nothing, or an octal one beyond a byte.
fn invalid_escape(text: &str, escapes: Escapes) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'\\', &bytes[at..]) {
        let from = at + next;
        let escaped = text[from + 1..].chars().next()?;
        at = from + 1 + escaped.len_utf8();
        match escaped {
            '\\' | '\'' | '"' | 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | '\n' | '\r' => {}
            'N' | 'u' | 'U' if escapes == Escapes::Text => {}
            '0'..='7' => {
                let more = bytes[at..].iter().take(2).take_while(|b| matches!(b, b'0'..=b'7'));
                let end = at + more.count();
                if end - from == 4 && escaped > '3' {
                    return Some(&text[from..end]);
                }
                at = end;
            }
            _ => return Some(&text[from..at]),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::escape_warnings;

    #[test]
    fn only_escapes_without_a_meaning_are_told() {
        let told = |text: &str| -> Vec<String> {
            escape_warnings(text).into_iter().map(|(_, message)| message).collect()
        };
        assert_eq!(told(r"x = '\d\e'"), [r"invalid escape sequence '\d'"]);
        assert_eq!(told(r"x = b'\u1', '\777'").len(), 2);
        assert_eq!(told("x = f'\\w{y}\\é'").len(), 2);
        assert_eq!(
            told(r"x = f'\\\{y}' f'{y:\}'"),
            [r"invalid escape sequence '\{'", r"invalid escape sequence '\}'"]
        );
        assert!(told("x = r'\\d' + rf'\\d{1}' + '\\u00e9\\\n' + \\\n 'a' # \\d").is_empty());
    }
}
