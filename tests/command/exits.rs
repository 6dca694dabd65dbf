//! Ways to name a program, and exit statuses. They are CPython's, but for 2 where a program has
//! a syntax error.

use crate::support::{check, run, run_in, run_with, scratch, shell};

#[test]
fn a_program_is_a_text_a_file_standard_input_or_a_module() {
    let show = "import sys; print(sys.argv, __name__, '__file__' in globals())\n";
    check(
        &run(&["-c", show, "a", "-c", "--x"]),
        0,
        "['-c', 'a', '-c', '--x'] __main__ False\n",
        "",
    );
    check(&run_with(&["-", "a", "b"], show), 0, "['-', 'a', 'b'] __main__ False\n", "");
    check(&run_with(&[], show), 0, "['-'] __main__ False\n", "");
    let directory = scratch();
    std::fs::write(directory.path().join("x.ms"), show).expect("a file");
    let outcome = run_in(directory.path(), &["x.ms", "--help", "-"], "");
    check(&outcome, 0, "['x.ms', '--help', '-'] __main__ True\n", "");
    let outcome = run_in(directory.path(), &["-m", "x", "1"], "");
    assert!(outcome.stdout.ends_with("x.ms', '1'] __main__ True\n"), "{outcome:?}");
    check(&run(&["-m", "nowhere"]), 2, "", "ms: No module named nowhere");
    check(&run_with(&["-m", "json.tool", "--compact"], "[ 1 ]"), 0, "[1]\n", "");
    check(&run(&["-m", "heapq"]), 0, "", "");
    let no_main = "No module named json.__main__; 'json' is a package and cannot be directly";
    check(&run(&["-m", "json"]), 2, "", &format!("ms: {no_main} executed"));
}

#[test]
fn sys_exit_gives_the_status() {
    let cases: [(&str, i32, &str); 16] = [
        ("sys.exit()", 0, ""),
        ("sys.exit(None)", 0, ""),
        ("sys.exit(0)", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit(256)", 0, ""),
        ("sys.exit(300)", 44, ""),
        ("sys.exit(-1)", 255, ""),
        ("sys.exit(2**70)", 255, ""),
        ("sys.exit(True)", 1, ""),
        ("sys.exit('bye')", 1, "bye"),
        ("sys.exit((1, 'a'))", 1, "(1, 'a')"),
        ("sys.exit(1.5)", 1, "1.5"),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit('x', 2)", 1, "('x', 2)"),
        ("e = SystemExit(4); e.code = 6; raise e", 6, ""),
        ("exit(7)", 7, ""),
    ];
    for (text, status, error) in cases {
        check(&run(&["-c", &format!("import sys\n{text}")]), status, "", error);
    }
    let own = "class X:\n  def __str__(self):\n    sleep(0.001)\n    return 'shown'\nraise SystemExit(X())";
    check(&run(&["-c", own]), 1, "", "shown");
    let subclass = "class E(SystemExit): pass\ntry:\n  raise E(9)\nfinally:\n  print('finally')";
    check(&run(&["-c", subclass]), 9, "finally\n", "");
}

#[test]
fn failures_have_a_status_and_a_message() {
    check(&run(&["-c", "1/0"]), 1, "", "ZeroDivisionError: division by zero");
    check(&run(&["-c", "raise KeyboardInterrupt"]), 130, "", "KeyboardInterrupt");
    check(&run(&["-c", "x ="]), 2, "", "SyntaxError: invalid syntax");
    check(&run_with(&["-"], "print("), 2, "", "SyntaxError: '(' was never closed");
    check(
        &run(&["nowhere.ms"]),
        2,
        "",
        "ms: can't open file 'nowhere.ms': [Errno 2] No such file or directory",
    );
    check(&run(&["."]), 2, "", "ms: can't open file '.': [Errno 21] Is a directory");
    for usage in [
        &["-c"][..],
        &["--bogus"],
        &["--timeout", "x"],
        &["--timeout", "-1"],
        &["--timeout", "nan"],
        &["--max-memory", "10X"],
        &["ast"],
        &["check"],
        &["dis"],
    ] {
        let outcome = run(usage);
        check(&outcome, 2, "", "try 'ms --help'");
        assert!(outcome.stderr.starts_with("ms: "), "{outcome:?}");
    }
}

#[test]
fn a_program_on_standard_input_may_be_anything() {
    check(
        &run_with(&["-"], "print(1)\0"),
        2,
        "",
        "SyntaxError: source code cannot contain null bytes",
    );
    let bad = shell("printf 'x = \"\\377\"' | \"$MS\" -");
    assert!(bad.stderr.contains("SyntaxError: (unicode error) 'utf-8' codec"), "{bad:?}");
    let endless = shell("\"$MS\" - < /dev/zero; echo $?");
    check(&endless, 0, "2\n", "ms: cannot read standard input: it is too large for a program");
}

#[test]
fn help_and_version_are_told() {
    let help = run(&["--help"]);
    assert!(help.stdout.starts_with("usage: ms ") && help.stderr.is_empty(), "{help:?}");
    assert_eq!(help.stdout, run(&["-h"]).stdout);
    let version = concat!("MiniScript ", env!("CARGO_PKG_VERSION"), "\n");
    check(&run(&["--version"]), 0, version, "");
}

#[test]
fn a_script_may_take_the_place_of_the_report() {
    let hook = "import sys\nsys.excepthook = lambda t, e, tb: print('hook', t.__name__, e, tb is not None)\n1/0";
    check(&run(&["-c", hook]), 1, "hook ZeroDivisionError division by zero True\n", "");
    let broken =
        "import sys\ndef hook(t, e, tb):\n  raise KeyError('in it')\nsys.excepthook = hook\n1/0";
    let outcome = run(&["-c", broken]);
    check(&outcome, 1, "", "ZeroDivisionError: division by zero");
    assert!(outcome.stderr.starts_with("Error in sys.excepthook:\nTraceback"), "{outcome:?}");
    let own = "import sys\nsys.excepthook(ValueError, ValueError(1), None)\nprint('goes on')";
    check(&run(&["-c", own]), 0, "goes on\n", "ValueError: 1");
}

#[test]
fn limits_end_a_program_wherever_it_is() {
    let late = "TimeoutError: the time limit is over";
    let programs = [
        "while True: pass",
        "sleep(60)",
        "chan_ = chan(); go(sleep, 60); chan_.receive()",
        "import http\nwith http.serve(lambda r: sleep(60)) as s: http.get(s.url)",
        "10**10**8",
        "def f(): f()\nwhile True:\n  try: f()\n  except RecursionError: pass",
    ];
    for program in programs {
        let outcome = run(&["--timeout", "0.3", "-c", program]);
        check(&outcome, 1, "", late);
        // Loose: the machine may be busy. 100 ms is what is meant.
        assert!(outcome.elapsed.as_secs_f64() < 3.0, "{program}: {:?}", outcome.elapsed);
    }
    let cleanup = "try:\n  sleep(60)\nfinally:\n  print('finally')";
    check(&run(&["--timeout", "0.1", "-c", cleanup]), 1, "finally\n", late);
    for program in
        ["x = [0] * 10**9", "x = 'a' * 10**9", "x = []\nwhile True: x.append('a' * 1000)"]
    {
        check(&run(&["--max-memory", "50M", "-c", program]), 1, "", "MemoryError");
    }
    check(&run(&["--timeout", "60", "--max-memory", "1G", "-c", "print(1)"]), 0, "1\n", "");
}

#[test]
fn a_program_that_does_not_react_to_its_time_limit_is_ended() {
    let late = "TimeoutError: the time limit is over";
    // What was printed before is not lost. The script catches all; the native looks at no clock.
    let catches = "print('begun')\nwhile True:\n  try:\n    while True: pass\n  \
                   except BaseException: pass";
    let native = "print('begun'); compile('x = 1\\n' * 5000000, 'text', 'exec')";
    for program in [catches, native] {
        let outcome = run(&["--timeout", "0.2", "-c", program]);
        check(&outcome, 1, "begun\n", late);
        assert!(outcome.elapsed.as_secs_f64() < 4.0, "{program}: {:?}", outcome.elapsed);
    }
}

#[test]
fn reading_without_end_meets_the_memory_limit() {
    for read in [
        "open('/dev/zero', 'rb').read()",
        "open('/dev/zero').read()",
        "open('/dev/zero').readline()",
        "open('/dev/zero', 'rb').readline()",
        "import file; file.read_bytes('/dev/zero')",
        "import sys; sys.stdin = open('/dev/zero'); sys.stdin.read()",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)",
    ] {
        check(&run(&["--max-memory", "40M", "-c", read]), 1, "", "MemoryError");
    }
    check(&shell("$MS --max-memory 40M -c 'input()' < /dev/zero"), 1, "", "MemoryError");
}

#[test]
fn an_escape_without_a_meaning_is_told() {
    let folder = scratch();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("main.ms", "import other\nx = '\\d\\e' + r'\\d'\nprint(x)\n");
    write("other.ms", "y = f'\\w{1}\\8'\n");
    let outcome = run_in(folder.path(), &["main.ms"], "");
    assert_eq!(outcome.stdout, "\\d\\e\\d\n");
    let place = folder.path().canonicalize().unwrap();
    let expected = format!(
        "{0}/main.ms:2: SyntaxWarning: invalid escape sequence '\\d'\n  x = '\\d\\e' + r'\\d'\n\
         {0}/other.ms:1: SyntaxWarning: invalid escape sequence '\\w'\n  y = f'\\w{{1}}\\8'\n\
         {0}/other.ms:1: SyntaxWarning: invalid escape sequence '\\8'\n  y = f'\\w{{1}}\\8'\n",
        place.display()
    );
    assert_eq!(outcome.stderr, expected);
    let text = run(&["-c", "'\\777'"]);
    assert_eq!(text.stderr, "<string>:1: SyntaxWarning: invalid octal escape sequence '\\777'\n");
}

#[test]
fn an_import_is_explained_without_a_program() {
    let outcome = run(&["--explain-import", "nowhere"]);
    assert_eq!(outcome.ending, miniscript_tests::Ending::Exit(1));
    let (places, error) = outcome.stderr.split_once("Traceback").expect("an error");
    assert!(places.contains("nowhere.ms"), "{outcome:?}");
    assert!(error.contains("\nModuleNotFoundError: No module named 'nowhere'\n"), "{outcome:?}");
}

#[test]
fn a_bad_value_names_its_option() {
    for (option, value) in [
        ("--timeout", "soon"),
        ("--timeout", "nan"),
        ("--max-memory", "5X"),
        ("--recursion-limit", "x"),
    ] {
        let outcome = run(&[option, value, "-c", "1"]);
        assert_eq!(outcome.ending, miniscript_tests::Ending::Exit(2));
        let line = outcome.stderr.lines().next().unwrap_or("");
        assert!(line.contains(option) && line.contains(value), "{line}");
    }
}

#[test]
fn a_project_binds_all_that_is_run_in_it() {
    let folder = scratch();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ms.toml", "[permissions]\nimport = true\n");
    let program = "open('/etc/hostname')";
    write("program.ms", program);
    let refused = "PermissionError: [Errno 13] Permission denied (needs --allow-read): \
                   '/etc/hostname'";
    for args in [&["program.ms"][..], &["-m", "program"], &["-c", program], &["-"]] {
        check(&run_in(folder.path(), args, program), 1, "", refused);
    }
    // What a flag says counts in place of it.
    check(&run_in(folder.path(), &["--allow-read", "-c", "open('ms.toml')"], ""), 0, "", "");
    // The module that is named needs no right of its own.
    write("ms.toml", "[permissions]\n");
    write("program.ms", "print('runs')");
    check(&run_in(folder.path(), &["-m", "program"], ""), 0, "runs\n", "");
    write("ms.toml", "[permissions]\nread = 'data'\n");
    let outcome = run_in(folder.path(), &["-c", "1"], "");
    let last = "a permission is true, false or a list of texts";
    check(&outcome, 2, "", last);
}
