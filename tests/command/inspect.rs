//! `check`, `ast`, `dis`, `--stats`, `--explain-import`.

use std::fs;

use crate::support::{check, run, run_in, scratch};

#[test]
fn check_shows_all_errors_of_all_files() {
    let directory = scratch();
    let write =
        |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    write("good.ms", "print(1)\n");
    write("bad.ms", "x = (\n");
    write("two.ms", "x = = 1\n\nif x:\n    y = = 2\n");
    write("late.ms", "return 1\n");
    let good = run_in(directory.path(), &["check", "good.ms"], "");
    check(&good, 0, "", "");
    let outcome = run_in(directory.path(), &["check", "good.ms", "bad.ms", "late.ms"], "");
    check(&outcome, 1, "", "SyntaxError: 'return' outside function");
    assert!(outcome.stderr.contains("SyntaxError: '(' was never closed"), "{outcome:?}");
    let missing = run_in(directory.path(), &["check", "nowhere.ms", "bad.ms"], "");
    check(&missing, 2, "", "SyntaxError: '(' was never closed");

    let outcome = run_in(directory.path(), &["check", "--json", "bad.ms", "good.ms", "two.ms"], "");
    let found: Vec<serde_json::Value> = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert!(found.len() >= 2 && outcome.stderr.is_empty(), "{outcome:?}");
    let first = &found[0];
    assert_eq!(
        (&first["file"], &first["kind"], &first["message"], &first["line"], &first["column"]),
        (
            &"bad.ms".into(),
            &"SyntaxError".into(),
            &"'(' was never closed".into(),
            &1.into(),
            &5.into()
        )
    );
    assert!(found.iter().any(|error| error["file"] == "two.ms" && error["line"] == 4), "{found:?}");
    let good = run_in(directory.path(), &["check", "--json", "good.ms"], "");
    check(&good, 0, "[]\n", "");
}

#[test]
fn a_tree_in_json_runs_like_its_source() {
    let directory = scratch();
    let source =
        "def f(n):\n    return [x * 2 for x in range(n)]\nprint(f(3), f'{1 + 1:>4}')\n1/0\n";
    fs::write(directory.path().join("a.ms"), source).expect("a file");
    let tree = run_in(directory.path(), &["ast", "a.ms"], "");
    assert!(tree.stdout.starts_with('{') && tree.stderr.is_empty(), "{tree:?}");
    fs::write(directory.path().join("a.json"), &tree.stdout).expect("a file");
    let outcome = run_in(directory.path(), &["ast", "--run", "a.json"], "");
    check(&outcome, 1, "[0, 2, 4]    2\n", "ZeroDivisionError: division by zero");

    let deep = "[".repeat(1_000_000);
    for bad in
        ["", "[1", "{}", "null", "{\"mode\":\"Module\",\"span\":[0,1],\"body\":7}", &deep, "\0"]
    {
        fs::write(directory.path().join("bad.json"), bad).expect("a file");
        let outcome = run_in(directory.path(), &["ast", "--run", "bad.json"], "");
        assert!(
            outcome.ending == miniscript_tests::Ending::Exit(2)
                && outcome.stderr.starts_with("ms: not a syntax tree: ")
                && outcome.stderr.len() < 1000,
            "{:?}: {outcome:?}",
            &bad[..bad.len().min(60)]
        );
    }
    // Spans that lead nowhere, names that are no names.
    let odd = tree.stdout.replace("[0,", "[4000000000,").replace("\"f\"", "\"1 f\"");
    fs::write(directory.path().join("odd.json"), odd).expect("a file");
    let outcome = run_in(directory.path(), &["ast", "--run", "odd.json"], "");
    assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
    for command in ["ast", "dis"] {
        fs::write(directory.path().join("bad.ms"), "x = (").expect("a file");
        let outcome = run_in(directory.path(), &[command, "bad.ms"], "");
        check(&outcome, 2, "", "SyntaxError: '(' was never closed");
    }
    let code = run_in(directory.path(), &["dis", "a.ms"], "");
    assert!(code.stdout.contains("<module>") && code.stdout.contains("RETURN"), "{code:?}");
}

#[test]
fn stats_and_the_way_of_an_import_are_shown_on_demand() {
    let stats = run(&["--stats", "-c", "print(sum(range(10)))"]);
    check(&stats, 0, "45\n", stats.stderr.lines().next_back().unwrap_or(""));
    for row in ["objects allocated", "collections", "caches filled", "quickenings"] {
        assert!(stats.stderr.contains(row), "{stats:?}");
    }
    let found = run(&["--explain-import", "math", "-c", "import math"]);
    let last = found.stderr.lines().next_back().unwrap_or("").to_owned();
    check(&found, 0, "", &last);
    assert!(last.starts_with("math: found ") && last.contains("libms_math"), "{found:?}");
    assert!(found.stderr.starts_with("math: no "), "{found:?}");
    let missing = run(&["--explain-import", "nowhere", "-c", "import nowhere"]);
    assert_eq!(missing.ending, miniscript_tests::Ending::Exit(1), "{missing:?}");
    assert!(missing.stderr.contains("nowhere.ms\n"), "{missing:?}");
    assert!(
        missing.stderr.contains("ModuleNotFoundError: No module named 'nowhere'"),
        "{missing:?}"
    );
}
