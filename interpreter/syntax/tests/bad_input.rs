//! Whatever comes in, the parser answers: no panic, no overflow of a small stack, no quadratic time.

use std::time::{Duration, Instant};

use miniscript_syntax::ast::{ExprKind, Mode, Module, StmtKind};
use miniscript_syntax::{SyntaxError, ast_from_json, ast_to_json, parse, parse_all_errors};

/// Parses and drops on a stack of one megabyte.
fn on_small_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, f);
        thread.unwrap().join().unwrap()
    })
}

fn module(text: &str) -> Result<Module, SyntaxError> {
    on_small_stack(|| parse(text, Mode::Module))
}

fn message(text: &str) -> String {
    module(text).map(|_| ()).unwrap_err().message
}

#[test]
fn brackets_are_limited_as_in_cpython() {
    let start = Instant::now();
    assert_eq!(message(&"(".repeat(1_000_000)), "too many nested parentheses");
    assert!(start.elapsed() < Duration::from_secs(5));
    let nested = |n: usize| format!("{}{}", "(".repeat(n), ")".repeat(n));
    assert!(module(&nested(200)).is_ok());
    assert_eq!(message(&nested(201)), "too many nested parentheses");
    assert_eq!(message(&"f(".repeat(100_000)), "too many nested parentheses");
    assert_eq!(message(&"[{".repeat(100_000)), "too many nested parentheses");
}

#[test]
fn blocks_are_limited_as_in_cpython() {
    let blocks = |n: usize| {
        let mut text: String = (0..n).map(|i| format!("{}if x:\n", " ".repeat(i))).collect();
        text.push_str(&format!("{}pass\n", " ".repeat(n)));
        text
    };
    assert!(module(&blocks(99)).is_ok());
    assert_eq!(message(&blocks(100)), "too many levels of indentation");
}

#[test]
fn every_other_nesting_is_limited() {
    let deep = "expression nested too deeply";
    for (text, limit) in [
        (format!("{}x", "-".repeat(100_000)), deep),
        (format!("{}x", "not ".repeat(100_000)), deep),
        (format!("{}x", "~".repeat(100_000)), deep),
        (vec!["x"; 100_000].join("**"), deep),
        (format!("{}x", "x if y else ".repeat(100_000)), deep),
        (format!("{}x", "lambda: ".repeat(100_000)), deep),
        (format!("{}x", "lambda a=".repeat(100_000)), deep),
        (format!("x{}", ".y".repeat(100_000)), deep),
        (format!("x{}", "()".repeat(100_000)), deep),
        (format!("x{}", "[0]".repeat(100_000)), deep),
        (format!("match x:\n case y{}: pass\n", ".z".repeat(100_000)), deep),
        ("f'{".repeat(100_000), "too many nested f-strings"),
    ] {
        assert_eq!(message(&text), limit, "{}", &text[..20]);
    }
    // What is deep but allowed is also parsed, copied through JSON and dropped.
    for text in [
        format!("{}x", "-".repeat(900)),
        format!("x{}", ".y(z)".repeat(300)),
        format!("{}x{}", "-a * (b + c[".repeat(90), "])".repeat(90)),
        format!("{}x", "x if y else ".repeat(900)),
    ] {
        on_small_stack(|| {
            let tree = parse(&text, Mode::Module).unwrap();
            assert_eq!(ast_from_json(&ast_to_json(&tree)).unwrap(), tree);
        });
    }
}

#[test]
fn long_is_not_deep() {
    let sum = vec!["x"; 1_000_000].join(" + ");
    let tree = module(&sum).unwrap();
    let StmtKind::Expr(value) = &tree.body[0].kind else { panic!("an expression") };
    let ExprKind::BinOp { rest, .. } = &value.kind else { panic!("a sum") };
    assert_eq!(rest.len(), 999_999);

    let elifs = format!("if x: pass\n{}else: pass\n", "elif y: pass\n".repeat(100_000));
    let tree = module(&elifs).unwrap();
    let StmtKind::If(i) = &tree.body[0].kind else { panic!("an if") };
    assert_eq!(i.branches.len(), 100_001);

    let mixed = module(&vec!["a.b(c) * -d + e and f < g"; 20_000].join(" or ")).unwrap();
    assert_eq!(mixed.body.len(), 1);
    assert!(module(&"'a' ".repeat(100_000)).is_ok());
    assert!(module(&vec!["x"; 100_000].join(" < ")).is_ok());
    assert!(module(&vec!["x"; 100_000].join(" = ")).is_ok());
    assert!(module(&format!("f({})", "x, ".repeat(100_000))).is_ok());
    assert!(module(&format!("'{}'", "x".repeat(10_000_000))).is_ok());
    assert!(module(&"@x\n".repeat(10_000)).is_err());
}

#[test]
fn a_literal_of_three_million_elements() {
    let mut text = String::with_capacity(9_000_010);
    text.push('[');
    for _ in 0..3_000_000 {
        text.push_str("1, ");
    }
    text.push(']');
    let tree = module(&text).unwrap();
    let StmtKind::Expr(value) = &tree.body[0].kind else { panic!("an expression") };
    let ExprKind::List(items) = &value.kind else { panic!("a list") };
    assert_eq!(items.len(), 3_000_000);
}

#[test]
fn nul_bytes_and_huge_numbers_are_errors() {
    assert_eq!(message("a\0b"), "source code string cannot contain null bytes");
    assert!(message(&"9".repeat(5000)).starts_with("Exceeds the limit (4300 digits)"));
    assert!(module(&format!("0x{}", "f".repeat(100_000))).is_ok());
}

/// A small generator, so that each run tries the same texts.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

const PIECES: &[&str] = &[
    "if",
    "else",
    "elif",
    "for",
    "in",
    "while",
    "def",
    "class",
    "try",
    "except",
    "finally",
    "with",
    "as",
    "match",
    "case",
    "type",
    "lambda",
    "not",
    "and",
    "or",
    "is",
    "yield",
    "await",
    "async",
    "import",
    "from",
    "return",
    "raise",
    "del",
    "global",
    "pass",
    "print",
    "None",
    "True",
    "x",
    "y",
    "_",
    "1",
    "2.5",
    "3j",
    "0x",
    "'a'",
    "\"b\"",
    "f'{x}'",
    "f'{",
    "}'",
    "f\"",
    "'''",
    "b'c'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ";",
    ".",
    "...",
    "=",
    ":=",
    "==",
    "!=",
    "+",
    "-",
    "*",
    "**",
    "/",
    "@",
    "->",
    "+=",
    "!r",
    "!",
    "\\",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n\t",
    " ",
    "\r\n",
    "#c",
    "é",
    "…",
    "\u{1F600}",
    "\\\n",
    "<>",
    "$",
    "\x0c",
    "\u{a0}",
];

#[test]
fn random_tokens_never_panic() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    on_small_stack(move || {
        for _ in 0..20_000 {
            let len = 1 + random.below(25);
            let mut text = String::new();
            for _ in 0..len {
                text.push_str(PIECES[random.below(PIECES.len())]);
                if random.below(2) == 0 {
                    text.push(' ');
                }
            }
            check(&text);
        }
    });
}

#[test]
fn damaged_programs_never_panic() {
    let program = include_str!("data/every_construct.py");
    let mut random = Random(0x0DDB_1A5E_5BAD_5EED);
    on_small_stack(move || {
        for _ in 0..3_000 {
            let mut text = program.to_owned();
            match random.below(3) {
                0 => text.truncate(boundary(&text, random.below(program.len()))),
                1 => {
                    let at = boundary(&text, random.below(program.len()));
                    text.insert_str(at, PIECES[random.below(PIECES.len())]);
                }
                _ => {
                    let from = boundary(&text, random.below(program.len()));
                    let to = boundary(&text, (from + random.below(40)).min(program.len()));
                    text.replace_range(from.min(to)..to.max(from), "");
                }
            }
            check(&text);
        }
    });
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Errors lie within the text; trees survive JSON; recovery ends and agrees on whether there is an error.
fn check(text: &str) {
    for mode in [Mode::Module, Mode::Expression, Mode::Interactive] {
        match parse(text, mode) {
            Ok(tree) if text.len() < 1000 => {
                let again = ast_from_json(&ast_to_json(&tree));
                assert_eq!(again.as_ref(), Ok(&tree), "{text:?}");
            }
            Ok(_) => {}
            Err(error) => {
                let within = error.span.start <= error.span.end;
                assert!(within && error.span.end as usize <= text.len() + 2, "{text:?} {error:?}");
                let source = miniscript_syntax::Source::new(text);
                assert!(miniscript_syntax::render(&error, &source, "f").ends_with('\n'));
            }
        }
    }
    let (tree, errors) = parse_all_errors(text, Mode::Module);
    assert_eq!(tree.is_some(), errors.is_empty(), "{text:?}");
    assert_eq!(tree.is_some(), parse(text, Mode::Module).is_ok(), "{text:?}");
}
