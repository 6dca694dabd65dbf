//! Trees as JSON: an exact round trip, and an error for everything else.

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{ast_from_json, ast_to_json, parse};

const PROGRAM: &str = include_str!("data/every_construct.py");

#[test]
fn every_construct_survives() {
    let tree = parse(PROGRAM, Mode::Module).unwrap();
    let json = ast_to_json(&tree);
    assert_eq!(ast_from_json(&json).unwrap(), tree);
    assert_eq!(ast_to_json(&ast_from_json(&json).unwrap()), json);
}

#[test]
fn surrogates_and_infinity_have_a_form() {
    let json = ast_to_json(&parse(r"'\ud83d\ude00', 1e999, 0.1", Mode::Expression).unwrap());
    assert!(json.contains(r#"{"code_points":[55357,56832]}"#), "{json}");
    assert!(json.contains(r#"{"Float":"inf"}"#) && json.contains(r#"{"Float":0.1}"#), "{json}");
    assert!(ast_from_json(&json).is_ok());
}

/// An expression statement around `kind`, in a module of 100 bytes.
fn wrap(kind: &str) -> String {
    let e = format!(r#"{{"span":[0,9],"kind":{kind}}}"#);
    format!(r#"{{"mode":"Module","span":[0,100],"body":[{{"span":[0,9],"kind":{{"Expr":{e}}}}}]}}"#)
}

fn stmt(kind: &str) -> String {
    format!(r#"{{"mode":"Module","span":[0,100],"body":[{{"span":[0,9],"kind":{kind}}}]}}"#)
}

const X: &str = r#"{"span":[0,1],"kind":{"Name":"x"}}"#;
const ONE: &str = r#"{"span":[0,1],"kind":{"Constant":{"Int":1}}}"#;
const STAR: &str = r#"{"span":[0,1],"kind":{"Starred":{"span":[0,1],"kind":{"Name":"x"}}}}"#;

#[test]
fn well_formed_trees_are_read() {
    for json in [
        wrap(r#"{"Name":"x"}"#),
        wrap(&format!(r#"{{"Tuple":[{STAR},{ONE}]}}"#)),
        stmt(r#""Pass""#),
        stmt(&format!(r#"{{"Assign":{{"targets":[{X}],"value":{ONE}}}}}"#)),
    ] {
        assert!(ast_from_json(&json).is_ok(), "{json}: {:?}", ast_from_json(&json));
    }
}

#[test]
fn malformed_trees_are_refused() {
    let cases = [
        ("", "EOF"),
        ("[]", "invalid"),
        ("null", "invalid"),
        (&stmt("\"Pass\"")[1..], "invalid"),
        (&format!("{} x", stmt("\"Pass\"")), "trailing"),
        (&stmt("\"Sleep\""), "unknown variant"),
        (&stmt(r#"{"Pass":{"x":1}}"#), "invalid"),
        (&wrap(r#"{"Name":""}"#), "not an identifier"),
        (&wrap(r#"{"Name":"a b"}"#), "not an identifier"),
        (&wrap(r#"{"Name":"if"}"#), "keyword"),
        (&wrap(r#"{"Name":3}"#), "invalid type"),
        (&wrap(r#"{"Constant":{"Int":-1}}"#), "negative"),
        (&wrap(r#"{"Constant":{"Int":1e3}}"#), "invalid"),
        (&wrap(r#"{"Constant":{"Float":-1.5}}"#), "negative"),
        (&wrap(r#"{"Constant":{"Float":"nan"}}"#), "float"),
        (&wrap(r#"{"Constant":{"BigInt":{"radix":10,"digits":"12"}}}"#), "BigInt"),
        (&wrap(r#"{"Constant":{"BigInt":{"radix":7,"digits":"12"}}}"#), "radix"),
        (&wrap(r#"{"Constant":{"BigInt":{"radix":10,"digits":"1x"}}}"#), "digits"),
        (&wrap(r#"{"Constant":{"Str":{"code_points":[1114112]}}}"#), ""),
        (&wrap(r#"{"Set":[]}"#), "too few"),
        (&wrap(&format!(r#"{{"BoolOp":{{"op":"And","values":[{X}]}}}}"#)), "too few"),
        (&wrap(&format!(r#"{{"BinOp":{{"first":{X},"rest":[]}}}}"#)), "too few"),
        (&wrap(&format!(r#"{{"Starred":{X}}}"#)), "Starred"),
        (&wrap(r#"{"Slice":{"lower":null,"upper":null,"step":null}}"#), "Slice"),
        (&wrap(&format!(r#"{{"NamedExpr":{{"target":{ONE},"value":{ONE}}}}}"#)), "Name"),
        (&wrap(&format!(r#"{{"ListComp":{{"elt":{X},"generators":[]}}}}"#)), "too few"),
        (&stmt(&format!(r#"{{"Assign":{{"targets":[{ONE}],"value":{ONE}}}}}"#)), "no target"),
        (&stmt(&format!(r#"{{"Assign":{{"targets":[],"value":{ONE}}}}}"#)), "too few"),
        (&stmt(&format!(r#"{{"Assign":{{"targets":[{STAR}],"value":{ONE}}}}}"#)), "Starred"),
        (&stmt(&format!(r#"{{"Delete":[{ONE}]}}"#)), "no target"),
        (&stmt(&format!(r#"{{"While":{{"test":{X},"body":[],"orelse":[]}}}}"#)), "too few"),
        (&stmt(&format!(r#"{{"Raise":{{"exc":null,"cause":{X}}}}}"#)), "cause"),
        (&stmt(r#"{"Global":[]}"#), "too few"),
        (&stmt(r#"{"ImportFrom":{"module":null,"names":[],"level":0}}"#), "ImportFrom"),
        (&stmt("\"Pass\"").replace("[0,9]", "[9,0]"), "ends before"),
        (&stmt("\"Pass\"").replace("[0,9]", "[0,101]"), "outside"),
        (&stmt("\"Pass\"").replace("[0,9]", "[0,-1]"), "invalid"),
        (&stmt("\"Pass\"").replace("[0,9]", "[0,1e99]"), "invalid"),
        (&stmt("\"Pass\"").replace("\"Module\"", "\"Expression\""), "Expression"),
        (&stmt("\"Pass\"").replace("\"mode\"", "\"x\":1,\"mode\""), "unknown field"),
    ];
    for (json, part) in cases {
        let error = ast_from_json(json).expect_err(json).to_string();
        assert!(error.contains(part), "{json}\n{error}");
    }
}

#[test]
fn absurd_nesting_is_refused() {
    assert!(ast_from_json(&"[".repeat(5_000_000)).is_err());
    let depth = 3_000;
    let deep = format!(
        "{}{ONE}{}",
        r#"{"span":[0,1],"kind":{"UnaryOp":{"op":"Not","operand":"#.repeat(depth),
        "}}}".repeat(depth)
    );
    let error = ast_from_json(&stmt(&format!(r#"{{"Expr":{deep}}}"#))).unwrap_err();
    assert!(error.message.contains("too deep"), "{error}");
}

/// Every place of a real tree, damaged in turn, gives a tree or an error and never a panic.
#[test]
fn damaged_json_never_panics() {
    let json = ast_to_json(&parse(PROGRAM, Mode::Module).unwrap());
    let mut seed = 0x1234_5678_9ABC_DEF1_u64;
    let mut refused = 0;
    for _ in 0..600 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let mut at = (seed % json.len() as u64) as usize;
        while !json.is_char_boundary(at) {
            at -= 1;
        }
        let damage = ["9", "\"", "null", "[", "}", "-", "Starred", ""][(seed >> 40) as usize % 8];
        let rest = json[at..].chars().next().map_or(0, char::len_utf8);
        let damaged = format!("{}{damage}{}", &json[..at], &json[at + rest..]);
        refused += usize::from(ast_from_json(&damaged).is_err());
    }
    assert!(refused > 300, "{refused}");
}
