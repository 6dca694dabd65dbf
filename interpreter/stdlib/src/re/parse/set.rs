//! Sets: what stands in brackets.

use super::escape::{Meaning, in_set};
use super::source::{Refusal, Token};
use super::{Flags, Node, Parser, SetItem, SetNode};

impl Parser<'_> {
    /// A set whose bracket has been taken.
    pub(super) fn set(&mut self, flags: Flags) -> Result<Node, Refusal> {
        let begin = self.source.tell() - 1;
        let is_text = self.source.is_text;
        let negated = self.source.skip(b'^')?;
        let mut items = Vec::new();
        loop {
            let Some(this) = self.source.take()? else { return Err(self.open_set(begin)) };
            if this.is(b']') && !items.is_empty() {
                break;
            }
            let from = self.set_char(this)?;
            if !self.source.skip(b'-')? {
                items.push(item(from, flags.ascii(is_text)));
                continue;
            }
            let Some(that) = self.source.take()? else { return Err(self.open_set(begin)) };
            if that.is(b']') {
                items.push(item(from, flags.ascii(is_text)));
                items.push(SetItem::Range(b'-' as u32, b'-' as u32));
                break;
            }
            let to = self.set_char(that)?;
            match (from, to) {
                (Meaning::Char(lo), Meaning::Char(hi)) if lo <= hi => {
                    items.push(SetItem::Range(lo, hi));
                }
                _ => {
                    let message = format!("bad character range {}-{}", this.text(), that.text());
                    return Err(self.source.error(message, this.len() + 1 + that.len()));
                }
            }
        }
        let fold = flags.fold(is_text);
        Ok(match items[..] {
            [SetItem::Range(lo, hi)] if lo == hi && !negated => Node::Literal(lo, fold),
            _ => Node::Set(SetNode { items, negated, fold }),
        })
    }

    fn open_set(&self, begin: usize) -> Refusal {
        self.source.error("unterminated character set", self.source.tell() - begin)
    }

    fn set_char(&mut self, token: Token) -> Result<Meaning, Refusal> {
        match token {
            Token::Char(c) => Ok(Meaning::Char(c)),
            Token::Escape(c) => in_set(&mut self.source, c),
        }
    }
}

fn item(meaning: Meaning, ascii: bool) -> SetItem {
    match meaning {
        Meaning::Char(c) => SetItem::Range(c, c),
        Meaning::Class(category, negated) => SetItem::Class { category, ascii, negated },
    }
}
