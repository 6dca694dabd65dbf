//! Soft keywords (`match`, `case`, `type`) and the parenthesis of `with (a as b, c):`.
//!
//! Each is decided by what no other valid line can look like: only a compound statement ends with
//! a colon, only a `match` block holds `case` lines, and no two names stand side by side.

use crate::lexer::{Tok, Token};

/// Turns names into soft keywords and `(` into [`Tok::WithLParen`] where they are meant so.
pub fn resolve_soft_keywords(text: &str, tokens: &mut [Token]) {
    // For each open block: it is that of a `match`.
    let mut blocks = Vec::new();
    let mut match_ahead = false;
    for i in 1..tokens.len() {
        let previous = tokens[i - 1].kind;
        match tokens[i].kind {
            Tok::Indent => blocks.push(std::mem::take(&mut match_ahead)),
            Tok::Dedent => {
                blocks.pop();
            }
            Tok::With
                if tokens[i + 1].kind == Tok::LParen && has_parenthesized_items(tokens, i + 1) =>
            {
                tokens[i + 1].kind = Tok::WithLParen;
            }
            Tok::Name if starts_statement(previous) => {
                let token = tokens[i];
                let word = &text[token.start as usize..token.end as usize];
                let first_in_line = starts_line(previous);
                if word == "match" && first_in_line && is_match_line(&tokens[i..]) {
                    tokens[i].kind = Tok::Match;
                    match_ahead = true;
                } else if word == "case" && first_in_line && blocks.last() == Some(&true) {
                    tokens[i].kind = Tok::Case;
                } else if word == "type" && is_type_alias(&tokens[i..]) {
                    tokens[i].kind = Tok::Type;
                }
            }
            Tok::Newline if tokens[i + 1].kind != Tok::Indent => match_ahead = false,
            _ => {}
        }
    }
}

fn starts_line(previous: Tok) -> bool {
    matches!(
        previous,
        Tok::StartModule | Tok::StartInteractive | Tok::Newline | Tok::Indent | Tok::Dedent
    )
}

fn starts_statement(previous: Tok) -> bool {
    starts_line(previous) || matches!(previous, Tok::Semicolon | Tok::Colon)
}

fn is_match_line(line: &[Token]) -> bool {
    let used_as_name = matches!(
        line.get(1).map(|token| token.kind),
        Some(Tok::Equal | Tok::Dot | Tok::Comma | Tok::Colon | Tok::ColonEqual)
    );
    if used_as_name {
        return false;
    }
    let end = line.iter().position(|token| matches!(token.kind, Tok::Newline | Tok::End));
    end.is_some_and(|end| end > 2 && line[end - 1].kind == Tok::Colon)
}

fn is_type_alias(rest: &[Token]) -> bool {
    rest.len() > 1 && rest[1].kind == Tok::Name
}

/// The parenthesis at `open`, after `with`, holds the statement's items and is not an expression.
fn has_parenthesized_items(tokens: &[Token], open: usize) -> bool {
    let mut depth = 0;
    let mut has_as = false;
    for i in open..tokens.len() {
        let token = tokens[i].kind;
        match token {
            Tok::LParen | Tok::LBracket | Tok::LBrace | Tok::FieldOpen => depth += 1,
            Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::FieldClose => {
                depth -= 1;
                if depth == 0 {
                    // `with (a):` is the same either way, and `with ():` an empty tuple.
                    let is_whole = tokens[i + 1].kind == Tok::Colon && i > open + 1;
                    return is_whole || has_as;
                }
            }
            Tok::As if depth == 1 => has_as = true,
            Tok::For | Tok::ColonEqual | Tok::Yield if depth == 1 => return false,
            Tok::Star | Tok::DoubleStar if depth == 1 && starts_item(tokens[i - 1].kind) => {
                return false;
            }
            Tok::Newline | Tok::End => return has_as,
            _ => {}
        }
    }
    false
}

fn starts_item(previous: Tok) -> bool {
    matches!(previous, Tok::LParen | Tok::Comma)
}
