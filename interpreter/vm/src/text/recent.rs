//! Index tables of the strings that were indexed lately, so that a loop over the indices of a long
//! string that is not ASCII takes linear time. Few are kept: a table is built as fast as one access
//! without it.

use super::wtf8::{IndexTable, Text};

/// Strings up to this many code points are searched from their ends.
const SHORT: usize = 128;
/// Strings longer than this get no table.
const LONG: usize = 1 << 26;

/// Tables by string. A key stands for the same text as long as it is here: the owner of the
/// strings clears the tables before another string can have it.
#[derive(Debug, Default)]
pub struct RecentTables {
    rows: [Option<(u64, IndexTable)>; 4],
    next: usize,
}

impl RecentTables {
    /// The text of string `key`, with a table if that helps to find offsets.
    pub fn text<'a>(&'a mut self, key: u64, bytes: &'a [u8], len: usize) -> Text<'a> {
        let text = Text { bytes, len, index: None };
        if len <= SHORT || len > LONG || text.is_ascii() {
            return text;
        }
        let at = self.rows.iter().position(|r| r.as_ref().is_some_and(|(k, _)| *k == key));
        let at = match at {
            Some(at) => at,
            None => {
                let Ok(table) = IndexTable::build(bytes) else { return text };
                let at = self.next;
                self.next = (at + 1) % self.rows.len();
                self.rows[at] = Some((key, table));
                at
            }
        };
        Text { index: self.rows[at].as_ref().map(|(_, t)| t), ..text }
    }

    /// Forgets all tables.
    pub fn clear(&mut self) {
        self.rows = Default::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_belong_to_their_strings() {
        let mut tables = RecentTables::default();
        let texts: Vec<String> = (0..6).map(|n| "aé€😀".repeat(100 + n)).collect();
        for _ in 0..2 {
            for (key, s) in texts.iter().enumerate() {
                let len = s.chars().count();
                for i in [0, 63, 64, 65, 200, len - 1, len] {
                    let text = tables.text(key as u64, s.as_bytes(), len);
                    assert!(text.index.is_some());
                    let offset = s.char_indices().nth(i).map_or(s.len(), |(at, _)| at);
                    assert_eq!(text.offset(i), offset);
                }
            }
        }
        assert!(tables.text(9, b"abc", 3).index.is_none());
    }
}
