//! Each program of `data/syntax_errors.json` gives the error that CPython 3.12 gives.
//!
//! To regenerate the expectations: `python3.12 tests/data/update_syntax_errors.py`.

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{Source, parse};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    source: String,
    kind: String,
    message: String,
    /// Line, column, end line, end column; an end column below 1 is none.
    place: [i64; 4],
}

#[test]
fn messages_and_places_are_those_of_cpython() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("data/syntax_errors.json")).unwrap();
    assert!(rows.len() > 500);
    let mut report = String::new();
    let mut bad = 0;
    for row in &rows {
        let wanted = format!("{}: {} {:?}", row.kind, row.message, row.place);
        let found = match parse(&row.source, Mode::Module) {
            Ok(_) => "no error".to_owned(),
            Err(error) => {
                let source = Source::new(&row.source);
                let start = source.position(error.span.start);
                let end = source.position(error.span.end);
                let mut place: [i64; 4] =
                    [start.line, start.column, end.line, end.column].map(i64::from);
                // An empty span is one caret, as an end one past the start or before it is.
                let one_caret = row.place[3] <= row.place[1] + 1;
                if row.place[3] < 1 || error.span.start == error.span.end && one_caret {
                    place[2..].copy_from_slice(&row.place[2..]);
                }
                if row.place[1] == 0 && place[1] == 1 {
                    place[1] = 0;
                }
                format!("{error} {place:?}")
            }
        };
        if found != wanted {
            bad += 1;
            report.push_str(&format!("{:?}\n  cpython {wanted}\n  found   {found}\n", row.source));
        }
    }
    assert!(bad == 0, "{bad} of {} differ\n{report}", rows.len());
}
