//! Where instructions come from. The rows are packed: they are most of what is stored of a code
//! object, and are looked at only when something is raised.

use serde::{Deserialize, Serialize};

use super::proto::{Span, raw};

/// Where an instruction comes from. A row holds for the words from `pc` to the next row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PosRow {
    /// First word of the instruction.
    pub pc: u32,
    /// The source text concerned.
    pub span: Span,
    /// For binary operators and subscripts: the operator, or the bracketed part; the caret line
    /// shows it as `^` between `~`. Empty otherwise.
    pub anchor: Span,
}

/// The rows of a body, ascending by `pc`. Each is a few varints: how far `pc` is from that of the
/// row before, doubled, and one more if there is an anchor; how far the span begins from the one
/// before, and its length; the same of the anchor, counted from the span. Any bytes give some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions(#[serde(with = "raw")] Box<[u8]>);

impl Positions {
    /// Packs `rows`.
    pub fn pack(rows: &[PosRow]) -> Positions {
        let mut out = Vec::with_capacity(rows.len() * 4);
        let mut before = PosRow::default();
        for row in rows {
            let anchored = row.anchor != Span::default();
            put(&mut out, u64::from(row.pc - before.pc) << 1 | u64::from(anchored));
            put_span(&mut out, row.span, before.span.start);
            if anchored {
                put_span(&mut out, row.anchor, row.span.start);
            }
            before = *row;
        }
        Positions(out.into())
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = PosRow> + '_ {
        let mut bytes = &self.0[..];
        let mut before = PosRow::default();
        std::iter::from_fn(move || {
            let head = take(&mut bytes)?;
            let pc = before.pc.wrapping_add((head >> 1) as u32);
            let span = take_span(&mut bytes, before.span.start)?;
            let anchor = match head & 1 {
                0 => Span::default(),
                _ => take_span(&mut bytes, span.start)?,
            };
            before = PosRow { pc, span, anchor };
            Some(before)
        })
    }

    /// The row that holds for word `at`.
    pub fn find(&self, at: u32) -> Option<PosRow> {
        self.rows().take_while(|row| row.pc <= at).last()
    }
}

fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_span(out: &mut Vec<u8>, span: Span, base: u32) {
    for distance in [span.start.wrapping_sub(base), span.end.wrapping_sub(span.start)] {
        // Short distances of both directions become small numbers.
        let distance = distance as i32;
        put(out, u64::from((distance << 1 ^ distance >> 31) as u32));
    }
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut n = 0;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        n |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(n);
        }
    }
    None
}

fn take_span(bytes: &mut &[u8], base: u32) -> Option<Span> {
    let mut distance = || {
        let n = take(bytes)? as u32;
        Some(n >> 1 ^ (n & 1).wrapping_neg())
    };
    let start = base.wrapping_add(distance()?);
    Some(Span { start, end: start.wrapping_add(distance()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_are_found() {
        let row = |pc, start, end, anchor| PosRow { pc, span: Span { start, end }, anchor };
        let rows = [
            row(0, 700, 900, Span::default()),
            row(3, 20, 25, Span { start: 22, end: 23 }),
            row(400, u32::MAX - 1, u32::MAX, Span { start: 0, end: u32::MAX }),
            row(401, 0, 0, Span { start: 5, end: 9 }),
        ];
        let packed = Positions::pack(&rows);
        assert_eq!(packed.rows().collect::<Vec<_>>(), rows);
        assert_eq!(packed.find(2), Some(rows[0]));
        assert_eq!(packed.find(3), Some(rows[1]));
        assert_eq!(packed.find(u32::MAX), Some(rows[3]));
        assert_eq!(Positions::pack(&rows[1..]).find(2), None);
    }

    #[test]
    fn any_bytes_give_some_rows() {
        for bytes in [&[0xFF; 40][..], &[0x80; 9], &[1, 2], &[3, 1, 1, 200], &[0, 0, 0, 0]] {
            let _ = Positions(bytes.into()).rows().count();
        }
    }
}
