//! Quoted-printable text (RFC 1521).

/// Characters of a line, with the `=` of a soft line break.
const LINE: usize = 76;

/// What is encoded besides what must be.
pub(super) struct Style {
    /// Tabs and spaces, wherever they are.
    pub(super) tabs: bool,
    /// Whether line ends stay.
    pub(super) text: bool,
    /// `_` for spaces, as in headers.
    pub(super) header: bool,
}

fn push_hex(out: &mut Vec<u8>, b: u8) {
    let digit = |d: u8| b"0123456789ABCDEF"[usize::from(d)];
    out.extend_from_slice(&[b'=', digit(b >> 4), digit(b & 15)]);
}

pub(super) fn encode(data: &[u8], style: &Style) -> Vec<u8> {
    let crlf = data.iter().position(|b| *b == b'\n').is_some_and(|i| i > 0 && data[i - 1] == b'\r');
    let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
    let mut out = Vec::with_capacity(data.len());
    let (mut at, mut column) = (0, 0);
    while let Some(&c) = data.get(at) {
        let next = data.get(at + 1).copied();
        let lone_dot = c == b'.' && column == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0));
        let blank = matches!(c, b'\t' | b' ');
        let line_break = matches!(c, b'\r' | b'\n');
        let must = c > 126
            || c == b'='
            || style.header && c == b'_'
            || lone_dot
            || line_break && !style.text
            || blank && next.is_none()
            || c < 33 && !line_break && (style.tabs || !blank);
        if must {
            if column + 3 >= LINE {
                out.push(b'=');
                out.extend_from_slice(line_end);
                column = 0;
            }
            push_hex(&mut out, c);
            column += 3;
            at += 1;
        } else if c == b'\n' || c == b'\r' && next == Some(b'\n') {
            if let Some(last @ (b' ' | b'\t')) = out.last().copied() {
                out.pop();
                push_hex(&mut out, last);
            }
            out.extend_from_slice(line_end);
            at += if c == b'\r' { 2 } else { 1 };
            column = 0;
        } else {
            if next.is_some_and(|n| n != b'\n') && column + 1 >= LINE {
                out.push(b'=');
                out.extend_from_slice(line_end);
                column = 0;
            }
            out.push(if style.header && c == b' ' { b'_' } else { c });
            column += 1;
            at += 1;
        }
    }
    out
}

pub(super) fn decode(data: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut at = 0;
    while let Some(&c) = data.get(at) {
        at += 1;
        if c == b'_' && header {
            out.push(b' ');
        } else if c != b'=' {
            out.push(c);
        } else {
            let hex = |i: usize| data.get(i).and_then(|b| char::from(*b).to_digit(16));
            match data.get(at) {
                None => break,
                Some(b'\n' | b'\r') => {
                    // A soft line break, up to its end.
                    let end = data[at..].iter().position(|b| *b == b'\n');
                    at = end.map_or(data.len(), |n| at + n + 1);
                }
                Some(b'=') => {
                    out.push(b'=');
                    at += 1;
                }
                Some(_) => match (hex(at), hex(at + 1)) {
                    (Some(high), Some(low)) => {
                        out.push((high << 4 | low) as u8);
                        at += 2;
                    }
                    _ => out.push(b'='),
                },
            }
        }
    }
    out
}
