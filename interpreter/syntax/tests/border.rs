//! The rest of the border: modes, decoding, several errors at once, rendering, positions.

use miniscript_syntax::ast::{Constant, ExprKind, Mode, StmtKind};
use miniscript_syntax::{Source, decode_source, parse, parse_all_errors, render};

#[test]
fn a_prompt_learns_that_input_is_incomplete() {
    let incomplete = [
        "if x:\n",
        "if x:\n  y\n",
        "(1,\n",
        "def f():\n",
        "'''abc\n",
        "f'''abc\n",
        "x = \\\n",
        "@a\n",
        "try:\n  x\n",
        "(1,\n\n",
        "'''abc\n\n",
        "for x in y: z\n",
        "class A:\n  x = 1\n",
        "x = [\n  1,\n",
        "match x:\n",
        "if x:\n  y\nelse:\n",
    ];
    for text in incomplete {
        let error = parse(text, Mode::Interactive).expect_err(text);
        assert!(error.is_incomplete_input(), "{text:?} {error}");
    }
    for text in ["", "\n", "x\n", "x", "if x:\n  y\n\n", "x; y\n", "for x in y: z\n\n", "# c\n"] {
        assert!(parse(text, Mode::Interactive).is_ok(), "{text:?}");
    }
    for text in
        ["x = \n", "x y\n", "'abc\n", "a)\n", "if x\n", "x\ny\n", "try:\n  x\n\n", "if x:\n\n"]
    {
        let error = parse(text, Mode::Interactive).expect_err(text);
        assert!(!error.is_incomplete_input(), "{text:?} {error}");
    }
}

#[test]
fn an_expression_is_one_expression() {
    let tree = parse("  1 + 2\n\n", Mode::Expression).unwrap();
    assert!(matches!(tree.body[0].kind, StmtKind::Expr(_)) && tree.body.len() == 1);
    assert!(parse("x = 1", Mode::Expression).is_err());
    assert!(parse("", Mode::Expression).is_err());
}

#[test]
fn files_are_decoded_as_cpython_does() {
    let message = |bytes: &[u8]| decode_source(bytes).unwrap_err().message;
    assert_eq!(decode_source(b"\xEF\xBB\xBFx").unwrap(), "x");
    assert_eq!(decode_source(b"# coding: latin-1\n'\xe9'").unwrap(), "# coding: latin-1\n'é'");
    assert_eq!(decode_source("#!x\n# -*- coding: utf-8 -*-\né".as_bytes()).unwrap().len(), 30);
    assert_eq!(message(b"a\0"), "source code cannot contain null bytes");
    assert_eq!(message(b"# coding: no-such\n"), "unknown encoding: no-such");
    let utf8 = "(unicode error) 'utf-8' codec can't decode byte";
    assert_eq!(message(b"x\xff"), format!("{utf8} 0xff in position 1: invalid start byte"));
    assert_eq!(message(b"\xc3("), format!("{utf8} 0xc3 in position 0: invalid continuation byte"));
    assert_eq!(message(b"ab\xc3"), format!("{utf8} 0xc3 in position 2: unexpected end of data"));
}

#[test]
fn all_errors_of_a_file_are_found() {
    let text = "\
x = 1 +
def f(a, b):
    return a b
if x
    y
while True:
z
  w
try:
    pass
q = f() = 2
r = 08
print 'a'
";
    let (tree, errors) = parse_all_errors(text, Mode::Module);
    assert!(tree.is_none());
    let source = Source::new(text);
    let lines: Vec<u32> = errors.iter().map(|e| source.position(e.span.start).line).collect();
    assert_eq!(lines, [1, 3, 4, 7, 8, 11, 11, 12, 13], "{errors:#?}");
    let (tree, errors) = parse_all_errors("x = 1\n", Mode::Module);
    assert!(tree.is_some() && errors.is_empty());
}

#[test]
fn errors_are_shown_as_cpython_shows_them() {
    let show =
        |text: &str| render(&parse(text, Mode::Module).unwrap_err(), &Source::new(text), "x");
    assert_eq!(
        show("def f():\n    foo(a, é b)\n"),
        "  File \"x\", line 2\n    foo(a, é b)\n           ^^^\n\
         SyntaxError: invalid syntax. Perhaps you forgot a comma?\n"
    );
    assert_eq!(
        show("x = (1,\n2"),
        "  File \"x\", line 1\n    x = (1,\n        ^\nSyntaxError: '(' was never closed\n"
    );
    assert_eq!(
        show("if x:\ny"),
        "  File \"x\", line 2\n    y\n    ^\nIndentationError: \
         expected an indented block after 'if' statement on line 1\n"
    );
}

#[test]
fn positions_count_lines_and_code_points() {
    let source = Source::new("é = 1\r\nb\rc\n");
    let place = |offset| {
        let place = source.position(offset);
        (place.line, place.column)
    };
    assert_eq!(
        [place(0), place(2), place(7), place(8), place(10)],
        [(1, 1), (1, 2), (1, 7), (2, 1), (3, 1)]
    );
    assert_eq!(source.line_text(1), "é = 1");
    assert_eq!(source.line_text(3), "c");
    assert_eq!(source.line_text(9), "");
}

#[test]
fn string_values_are_decoded() {
    let value = |text: &str| {
        let tree = parse(text, Mode::Expression).unwrap();
        match &tree.body[0].kind {
            StmtKind::Expr(e) => match &e.kind {
                ExprKind::Constant(constant) => constant.clone(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let text = |t: &str| Constant::Str(t.into());
    assert_eq!(value(r"'\n\x41\101\u00e9\N{BULLET}\q\''"), text("\nAAé•\\q'"));
    assert_eq!(value("'a\\\nb' r'\\n'"), text("ab\\n"));
    assert_eq!(value("'''a\r\nb\rc'''"), text("a\nb\nc"));
    assert_eq!(value(r"b'\x00\377\n\u'"), Constant::Bytes(b"\x00\xff\n\\u".as_slice().into()));
    assert_eq!(value("9223372036854775807"), Constant::Int(i64::MAX));
    assert!(matches!(value("9223372036854775808"), Constant::BigInt(_)));
    assert_eq!(value(r"'\N{latin small letter a}\N{LINE FEED}'"), text("a\n"));
    for unknown in [r"'\N{LATINSMALLLETTERA}'", r"'\N{LATIN-SMALL-LETTER-A}'", r"'\N{X}'"] {
        assert!(parse(unknown, Mode::Expression).is_err(), "{unknown}");
    }
    assert_eq!(value("1_0.2_5e1_0"), Constant::Float(10.25e10));
}
