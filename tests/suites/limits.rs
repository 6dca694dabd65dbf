//! Programs at and beyond the limits: sizes that no encoding may show, and input that is bad.
//!
//! Huge programs are generated here; small scripts that reach a limit while they run lie in
//! `limits/`. Each run has a generous guard against hanging, and none may crash: a clear error
//! with the right exit status is the worst that may happen.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use miniscript_tests::{Ending, Invocation, Mode, Outcome, Subject, discover};

const HUGE_LIMIT: Duration = Duration::from_secs(60);
const BAD_LIMIT: Duration = Duration::from_secs(20);

/// A program given as its bytes, and how it must end.
struct Case {
    name: &'static str,
    source: fn() -> Vec<u8>,
    end: End,
    limit: Duration,
}

/// How a run must end.
enum End {
    /// Status 0, this output, nothing on standard error.
    Prints(&'static str),
    /// This status and a last line of standard error that starts so.
    Fails(i32, &'static str),
    /// Either it runs, or it ends with 1 or 2 and the name of an error.
    RunsOrFailsClearly,
}

use End::{Fails, Prints, RunsOrFailsClearly};

const fn huge(name: &'static str, source: fn() -> Vec<u8>, output: &'static str) -> Case {
    Case { name, source, end: Prints(output), limit: HUGE_LIMIT }
}

const fn bad(name: &'static str, source: fn() -> Vec<u8>, end: End) -> Case {
    Case { name, source, end, limit: BAD_LIMIT }
}

const DEEP: &str = "SyntaxError: expression nested too deeply";
const BLOCKS: &str = "SyntaxError: too many nested constructs in one expression or block";
const NESTING: &str = "SyntaxError: too many nested parentheses";

const CASES: &[Case] = &[
    huge("huge/300_locals", || locals(300), "44850 299\n"),
    huge("huge/70000_locals", || locals(70_000), "2449965000 69999\n"),
    huge("huge/300_parameters_and_arguments", || parameters(300), "44850 299 44850\n"),
    huge("huge/70000_constants_in_one_function", constants, "2450000000.0 k69999\n"),
    huge("huge/a_list_of_3000000_elements", || literal("[", "]"), "3000000 4499998500000\n"),
    huge("huge/a_tuple_of_3000000_elements", || literal("(", ")"), "3000000 4499998500000\n"),
    huge("huge/a_dict_of_100000_entries", dict_literal, "100000 99999\n"),
    huge("huge/100000_elif_branches", elif_branches, "0 50000 99999 none\n"),
    huge("huge/a_sum_of_1000000_terms", sum_of_terms, "1000000\n"),
    huge("huge/a_conjunction_of_100000_terms", conjunction, "True\n"),
    huge("huge/a_jump_over_100000_lines", jump, "100000\nskipped 100000\n"),
    huge("huge/a_loop_body_of_100000_lines", loop_body, "300000\n"),
    huge("huge/70000_attribute_names", attribute_names, "70000 2449965000\n"),
    huge("huge/20000_functions", functions, "199990000\n"),
    huge("huge/3000_captures_of_a_sequence", captures, "4498500 2999 []\n"),
    huge("huge/3000_captures_around_a_star", captures_around_a_star, "4498500 2999 [1500]\n"),
    huge("huge/3000_alternative_captures", alternative_captures, "4498500 2999\n"),
    huge("huge/3000_keys_of_a_mapping", mapping_pattern, "4498500 2999 {-1: 0}\n"),
    huge("huge/3000_attributes_of_a_class_pattern", class_pattern, "4498500 2999\n"),
    huge("huge/3000_decorators_of_a_function", || decorators("def f(n): return n"), "3007\n"),
    huge("huge/3000_decorators_of_a_class", || decorators("class f(int): pass"), "3007\n"),
    huge("huge/3000_clauses_of_a_comprehension", || clauses("[", "]"), "[(0, 2999, 5)] 1\n"),
    huge("huge/3000_clauses_of_a_generator", || clauses("list(", ")"), "[(0, 2999, 5)] 1\n"),
    huge("huge/20000_parameters", || parameters(20_000), "199990000 19999 199990000\n"),
    huge("huge/2000_type_parameters", type_parameters, "2000 T1999\n"),
    huge("huge/a_string_of_10000000_bytes", long_string, "10000000\n"),
    huge("huge/a_line_of_1000000_names", long_line, "1000000\n"),
    bad("bad/1000000_opening_brackets", || b"(".repeat(1_000_000), Fails(2, NESTING)),
    bad("bad/1000000_opening_brackets_of_lists", || b"[".repeat(1_000_000), Fails(2, NESTING)),
    bad("bad/100000_nested_calls", || around("f(", "", ")", 100_000), Fails(2, NESTING)),
    bad("bad/100000_nested_dicts", || around("{1:", "2", "}", 100_000), Fails(2, NESTING)),
    bad(
        "bad/100000_closing_brackets",
        || b")".repeat(100_000),
        Fails(2, "SyntaxError: unmatched ')'"),
    ),
    bad("bad/100000_unary_operators", || around("-", "1", "", 100_000), RunsOrFailsClearly),
    bad("bad/100000_nots", || around("not ", "1", "", 100_000), RunsOrFailsClearly),
    bad("bad/100000_powers", || around("2**", "1", "", 100_000), RunsOrFailsClearly),
    bad("bad/100000_lambdas", || around("lambda:", "1", "", 100_000), RunsOrFailsClearly),
    bad(
        "bad/100000_conditional_expressions",
        || around("0 if 0 else ", "1", "", 100_000),
        RunsOrFailsClearly,
    ),
    bad("bad/100000_attributes_in_a_chain", || around("", "x", ".real", 100_000), Fails(2, DEEP)),
    bad("bad/100000_calls_in_a_chain", || around("", "x", "()", 100_000), Fails(2, DEEP)),
    bad("bad/100000_subscripts_in_a_chain", || around("", "x", "[0]", 100_000), Fails(2, DEEP)),
    bad(
        "bad/100000_comparisons_in_a_chain",
        || around("1 <= ", "1", "", 100_000),
        RunsOrFailsClearly,
    ),
    bad("bad/100000_targets_in_a_chain", || around("x = ", "1", "", 100_000), RunsOrFailsClearly),
    bad(
        "bad/100000_decorators",
        || around("@x\n", "def f(): pass", "", 100_000),
        Fails(1, "NameError: name 'x' is not defined"),
    ),
    bad("bad/150_nested_patterns", nested_patterns, Fails(2, BLOCKS)),
    bad(
        "bad/1000_levels_of_indentation",
        indentation,
        Fails(2, "IndentationError: too many levels of indentation"),
    ),
    bad("bad/nested_fstrings", || around("f'{", "1", "}'", 1_000), Fails(2, "SyntaxError: ")),
    bad("bad/nested_format_specs", || around("f'{1:", "", "}'", 1_000), Fails(2, "SyntaxError: ")),
    bad(
        "bad/bytes_that_are_no_utf8",
        || b"x = 1\ny = '\xff\xfe'\n".to_vec(),
        Fails(2, "SyntaxError: "),
    ),
    bad("bad/a_truncated_utf8_sequence", || b"x = '\xe2\x82".to_vec(), Fails(2, "SyntaxError: ")),
    bad(
        "bad/a_nul_byte",
        || b"print(1)\0\n".to_vec(),
        Fails(2, "SyntaxError: source code cannot contain null bytes"),
    ),
    bad(
        "bad/only_nul_bytes",
        || vec![0; 100_000],
        Fails(2, "SyntaxError: source code cannot contain null bytes"),
    ),
    bad("bad/random_bytes", noise, Fails(2, "SyntaxError: ")),
    bad(
        "bad/an_unterminated_string_of_10000000_bytes",
        || around("x = '", &"a".repeat(10_000_000), "", 1),
        Fails(2, "SyntaxError: unterminated string literal"),
    ),
    bad(
        "bad/an_integer_of_5000_digits",
        || around("x = ", &"9".repeat(5_000), "", 1),
        Fails(2, "SyntaxError: Exceeds the limit (4300 digits) for integer string conversion"),
    ),
    bad(
        "bad/a_hex_number_of_1000000_digits",
        || around("print((0x", &"f".repeat(1_000_000), ").bit_length())", 1),
        Prints("4000000\n"),
    ),
    bad(
        "bad/an_identifier_of_1000000_letters",
        || around("", &"a".repeat(1_000_000), " = 1", 1),
        Prints(""),
    ),
    bad("format/an_empty_file", Vec::new, Prints("")),
    bad("format/only_comments_and_blank_lines", || b"\n\n# a\n  # b\n\t\n".to_vec(), Prints("")),
    bad("format/no_newline_at_the_end", || b"print(1)".to_vec(), Prints("1\n")),
    bad("format/a_byte_order_mark", || b"\xef\xbb\xbfprint('bom')\n".to_vec(), Prints("bom\n")),
    bad(
        "format/carriage_returns",
        || b"if 1:\r\n  print('a')\r\n  print('''b\r\nc''' == 'b\\nc')\r\n".to_vec(),
        Prints("a\nTrue\n"),
    ),
    bad(
        "format/form_feeds_and_tabs",
        || b"\x0cif 1:\n\tprint('tab')\n\x0c\nprint(2)\n".to_vec(),
        Prints("tab\n2\n"),
    ),
    bad(
        "format/a_line_joined_at_the_end",
        || b"x = 1 \\".to_vec(),
        Fails(2, "SyntaxError: unexpected EOF while parsing"),
    ),
    bad(
        "format/an_encoding_declaration",
        || b"# -*- coding: utf-8 -*-\nprint('\xc3\xa9')\n".to_vec(),
        Prints("\u{e9}\n"),
    ),
    bad(
        "format/an_unknown_encoding",
        || b"# coding: klingon\nprint(1)\n".to_vec(),
        Fails(2, "SyntaxError: "),
    ),
];

/// One-line programs whose natives run for long: they must see the end of `--timeout 0.3` soon.
/// The bound is generous, since the machine may be busy and the build a slow one.
const POLLED: &[(&str, &str)] = &[
    ("sorted_ints", "x = list(range(1000)) * 50000; sorted(x)"),
    ("sorted_strings", "x = [str(i) for i in range(1000)] * 3000; x.sort(reverse=True)"),
    ("sorted_tuples", "x = [(i % 7, str(i)) for i in range(1000)] * 2000; x.sort()"),
    ("sorted_by_key", "x = list(range(10**7)); sorted(x, key=lambda v: -v)"),
    ("sum_of_ints", "x = [1] * 10**7\nwhile 1: sum(x)"),
    ("sum_of_lists", "sum([[1] * 1000] * 10**6, [])"),
    ("largest", "x = [1] * 10**7\nwhile 1: max(x)"),
    ("membership", "x = [1.0] * 10**7\nwhile 1: 5 in x"),
    ("index", "x = ['a'] * 10**7\nwhile 1: x.count('b')"),
    ("join", "x = ['ab'] * 10**7\nwhile 1: ','.join(x)"),
    ("replace", "'a' * 10**9; ('a' * 10**8).replace('a', 'bc')"),
    ("repeat_str", "x = 'ab' * (2 * 10**9)"),
    ("repeat_list", "x = [1, 2] * (5 * 10**8)"),
    ("power", "10**10**8"),
    ("product", "x = 3**9000000 * 7**9000000"),
    ("modular_power", "pow(3, 10**4000, 7**3000)"),
    ("quotient", "x = (3**3000000) // (7**1000000)"),
    ("print_int", "import sys; sys.set_int_max_str_digits(0); str(3**5000000)"),
    ("parse_int", "import sys; sys.set_int_max_str_digits(0); int('7' * 3000000)"),
    (
        "equal_lists",
        "a = [[1] * 1000] * 1000; a = [a[:] for a in a]; b = [a[:] for a in a]\nwhile a == b: a < b",
    ),
    (
        "set_operations",
        "x = set(range(10**6)); y = set(range(1, 10**6 + 1))\nwhile 1: (x | y) & x ^ y",
    ),
    ("dict_of_keys", "dict.fromkeys(range(10**8))"),
    ("list_of_a_range", "list(range(10**9))"),
    ("tuple_of_pairs", "tuple(zip(range(10**9), range(10**9)))"),
    ("list_of_a_map", "list(map(str, range(10**9)))"),
    ("split", "x = 'a b ' * 10**6\nwhile 1: x.split()"),
    ("repr_of_a_list", "x = [1] * 10**6\nwhile 1: repr(x)"),
    ("keys_that_collide", "x = [(2**61 - 1) * i for i in range(20000)]; set(x)"),
    ("slices", "x = [0] * 10**7\nwhile 1: x[::2] = x[::2]"),
    ("padding", "while 1: f'{1:{10**9}}'"),
    ("filling", "while 1: '1'.zfill(10**9).center(2 * 10**9)"),
    ("filtering", "list(filter(None, iter(int, 1)))"),
    ("compiling", "compile('x = 1\\n' * 3000000, 'text', 'exec')"),
    ("hashes", "x = 1 << (4 * 10**8)\nwhile 1: hash(x)"),
    ("shared_tuples", "x = ()\nfor i in range(60): x = (x, x)\nhash(x)"),
    ("greatest_divisor", "import math; math.gcd(3**2000000, 7**700000)"),
    ("exit_function", "import atexit\n@atexit.register\ndef f():\n while 1: pass"),
    ("waiting_exit_function", "import atexit; atexit.register(sleep, 100)"),
    ("exit_function_after_the_end", "import atexit; atexit.register(sleep, 100)\nwhile 1: pass"),
    ("searching", "x = 'a' * 10**8; y = 'b' + 'a' * 10**7\nwhile 1: x.find(y)"),
];

/// Natives that ask for more than `--max-memory 100000000` bit by bit.
const LIMITED: &[(&str, &str)] = &[
    ("list_of_pairs", "x = list(zip(range(10**8), range(10**8)))"),
    ("list_of_texts", "x = list(map(str, range(10**8)))"),
    ("comprehension", "x = [[] for i in range(10**8)]"),
    ("list_of_a_range", "x = list(range(10**9))"),
    ("set_of_a_range", "x = set(range(10**8))"),
    ("dict_of_keys", "x = dict.fromkeys(range(10**8))"),
    ("repeat", "x = 'a' * 10**9"),
    ("power", "x = 10**10**9"),
    ("repr", "x = repr([1] * 10**7) * 2"),
    ("list_of_bytes", "x = list(bytes(9 * 10**7))"),
    ("set_of_bytes", "x = set(bytes(9 * 10**7))"),
    ("lines", "x = ('\\n' * 9 * 10**7).splitlines()"),
    ("matches", "import re; x = re.findall('.', 'a' * 8 * 10**7)"),
    ("digits", "x = int('1' * 9 * 10**7, 16)"),
    ("int_of_bytes", "x = int.from_bytes(b'a' * 6 * 10**7)"),
    ("printed", "print(*range(10**7))"),
    ("code", "x = []\nwhile 1: x.append(compile('a = 1', 'f', 'exec'))"),
    ("lambdas", "x = []\nwhile 1: x.append(eval('lambda: 1'))"),
    ("split", "x = ('a ' * 10**7).split()"),
    ("tasks_that_wait", "x = []\nwhile 1:\n    x.append(go(sleep, 1000))\n    sleep(0)"),
    ("tasks_that_have_not_begun", "x = []\nwhile 1: x.append(go(sleep, 1000))"),
    ("channels", "x = []\nwhile 1: x.append(chan())"),
    ("classes", "x = []\nwhile 1: x.append(type('A', (), {}))"),
    ("channel", "c = chan(10**9)\nwhile 1: c.send(1)"),
    ("compile", "compile('x = 1\\n' * 10**6, 'text', 'exec')"),
    ("read", "open('/dev/zero').read()"),
    ("frames", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()"),
    ("generators", "import sys; sys.setrecursionlimit(10**9)\ndef f(): yield from f()\nlist(f())"),
];

/// Programs for which the machine has not enough memory, whatever they do.
const EXHAUSTED: &[(&str, &str)] = &[
    ("join_of_bytes", "x = b'y' * 10**8; b''.join([x] * 100)"),
    ("a_device", "open('/dev/zero').read()"),
    ("a_device_as_bytes", "open('/dev/zero', 'rb').read()"),
    ("matches", "import re; re.findall('', 'a' * 10**8)"),
    ("json", "import json; json.dumps(['a' * 10**7] * 1000)"),
    ("output", "import subprocess; subprocess.run(['cat', '/dev/zero'], capture_output=True)"),
    ("frames", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()"),
    ("elements", "x = []\nwhile 1: x.append([1, 2, 3])"),
    ("texts", "x = [str(i) for i in range(10**9)]"),
    ("array", "import array; array.array('i', [0]) * 10**10"),
    ("product", "import itertools; list(itertools.product([1], repeat=10**10))"),
    ("chosen", "import itertools; next(itertools.combinations_with_replacement('ab', 10**10))"),
    ("bytes_file", "import io; b = io.BytesIO(); b.seek(10**13); b.write(b'a')"),
    ("text_file", "import io; b = io.StringIO(); b.seek(10**13); b.write('a')"),
];

/// Runs a line with little memory: it must raise MemoryError, which another line can catch.
fn run_exhausted(ms: &Path, code: &str) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let run = |code: &str| {
        Invocation::new(Path::new("/bin/sh"), scratch.path())
            .args(["-c", "ulimit -v 500000; exec \"$0\" -c \"$1\""])
            .arg(ms)
            .arg(code)
            .time_limit(HUGE_LIMIT)
            .run()
            .map_err(|error| error.to_string())
    };
    let outcome = run(code)?;
    let last = outcome.stderr.lines().next_back().unwrap_or("");
    if outcome.ending != Ending::Exit(1) || last != "MemoryError" {
        return Err(report("MemoryError", &outcome));
    }
    let code = code.replace('\n', "\n ");
    let caught = format!(
        "def run():\n {code}\ntry: run()\nexcept MemoryError: print('caught')\nprint([1] * 3)\n"
    );
    let outcome = run(&caught)?;
    // A task that was left behind may have failed as well.
    let ended = matches!(outcome.ending, Ending::Exit(_)) && !panicked(&outcome);
    if !ended || outcome.stdout != "caught\n[1, 1, 1]\n" {
        return Err(report("a MemoryError that is caught", &outcome));
    }
    Ok(())
}

/// Runs a line under `--timeout` or `--max-memory`: it must raise this error before long.
fn run_limited(ms: &Path, flags: [&str; 2], code: &str, error: &str) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let outcome = Invocation::new(ms, scratch.path())
        .arg(flags[0])
        .arg(flags[1])
        .arg("-c")
        .arg(code)
        .time_limit(BAD_LIMIT)
        .run()
        .map_err(|error| error.to_string())?;
    let last = outcome.stderr.lines().next_back().unwrap_or("");
    // A quarter of a second is what is meant; the machine may be busy, and memory takes its time.
    let soon = outcome.elapsed < Duration::from_secs(if flags[0] == "--timeout" { 4 } else { 10 });
    if outcome.ending == Ending::Exit(1) && last.starts_with(error) && soon && !panicked(&outcome) {
        Ok(())
    } else {
        Err(report(&format!("{error} within seconds"), &outcome))
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // These are the large runs: two at a time are enough.
    arguments.test_threads.get_or_insert(2);
    match trials(arguments.list) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("limits: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trials(only_list: bool) -> Result<Vec<Trial>, String> {
    let subject = if only_list { Subject { path: "ms".into() } } else { Subject::locate()? };
    let mut trials = Vec::new();
    for case in CASES {
        let ms = subject.path.clone();
        let run = move || run_source(&ms, case).map_err(Failed::from);
        trials.push(Trial::test(format!("limits/{}", case.name), run));
    }
    type Special = (&'static str, fn(&Path) -> Result<(), String>);
    let specials: [Special; 4] = [
        ("limits/bad/a_directory_as_script", |ms| run_path(ms, ".")),
        ("limits/bad/dev_zero_as_script", |ms| run_path(ms, "/dev/zero")),
        ("limits/bad/a_missing_file_as_script", |ms| run_path(ms, "no_such_file.ms")),
        ("limits/bad/an_empty_name_as_script", |ms| run_path(ms, "")),
    ];
    for (name, run) in specials {
        let ms = subject.path.clone();
        trials.push(Trial::test(name, move || run(&ms).map_err(Failed::from)));
    }
    let limited = POLLED
        .iter()
        .map(|(name, code)| ("polled", ["--timeout", "0.3"], name, code, "TimeoutError"))
        .chain(LIMITED.iter().map(|(name, code)| {
            ("memory", ["--max-memory", "100000000"], name, code, "MemoryError")
        }));
    for (kind, flags, name, code, error) in limited {
        let ms = subject.path.clone();
        let run = move || run_limited(&ms, flags, code, error).map_err(Failed::from);
        trials.push(Trial::test(format!("limits/{kind}/{name}"), run));
    }
    for (name, code) in EXHAUSTED {
        let ms = subject.path.clone();
        let run = move || run_exhausted(&ms, code).map_err(Failed::from);
        trials.push(Trial::test(format!("limits/exhausted/{name}"), run));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = discover(root, "limits").map_err(|error| format!("limits: {error}"))?;
    for script in scripts.into_iter().filter(|script| script.mode == Mode::Plain) {
        let ms = subject.path.clone();
        let name = script.name.clone();
        trials.push(Trial::test(name, move || script.run(&ms).map_err(Failed::from)));
    }
    Ok(trials)
}

fn run_source(ms: &Path, case: &Case) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::write(scratch.path().join("script.ms"), (case.source)()).map_err(|e| e.to_string())?;
    let outcome = Invocation::new(ms, scratch.path())
        .arg("script.ms")
        .time_limit(case.limit)
        .run()
        .map_err(|error| error.to_string())?;
    judge(&case.end, &outcome)
}

/// A path that is no script: a short message on standard error and status 1 or 2.
fn run_path(ms: &Path, path: &str) -> Result<(), String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let outcome = Invocation::new(ms, scratch.path())
        .arg(path)
        .time_limit(BAD_LIMIT)
        .run()
        .map_err(|error| error.to_string())?;
    let short = !outcome.stderr.is_empty() && outcome.stderr.len() < 1_000;
    match outcome.ending {
        Ending::Exit(1 | 2) if short && !panicked(&outcome) => Ok(()),
        _ => Err(report("a short message and status 1 or 2", &outcome)),
    }
}

fn judge(end: &End, outcome: &Outcome) -> Result<(), String> {
    let last = outcome.stderr.lines().next_back().unwrap_or("");
    let (agrees, wanted) = match end {
        Prints(output) => (
            outcome.ending == Ending::Exit(0)
                && outcome.stdout == *output
                && outcome.stderr.is_empty(),
            format!("output {output:?}"),
        ),
        Fails(code, error) => (
            outcome.ending == Ending::Exit(*code) && last.starts_with(error),
            format!("status {code} and {error:?}"),
        ),
        RunsOrFailsClearly => (
            match outcome.ending {
                Ending::Exit(0) => outcome.stderr.is_empty(),
                Ending::Exit(1 | 2) => {
                    last.split(':').next().is_some_and(|name| name.ends_with("Error"))
                }
                _ => false,
            },
            "status 0, or 1 or 2 and an error".to_owned(),
        ),
    };
    if agrees && !panicked(outcome) { Ok(()) } else { Err(report(&wanted, outcome)) }
}

fn panicked(outcome: &Outcome) -> bool {
    outcome.stderr.contains("panicked at") || outcome.stderr.contains("RUST_BACKTRACE")
}

fn report(wanted: &str, outcome: &Outcome) -> String {
    let clip = |text: &str| text.chars().take(600).collect::<String>();
    format!(
        "expected {wanted}\n     got {:?} after {:.1} s\nstdout: {}\nstderr: {}",
        outcome.ending,
        outcome.elapsed.as_secs_f64(),
        clip(&outcome.stdout),
        clip(&outcome.stderr)
    )
}

/// `before` times `count`, the middle, `after` times `count`, a newline.
fn around(before: &str, middle: &str, after: &str, count: usize) -> Vec<u8> {
    let mut text = before.repeat(count);
    text += middle;
    text += &after.repeat(count);
    text.push('\n');
    text.into_bytes()
}

/// A program made of one piece for each number, between two fixed parts.
fn each(count: usize, head: &str, piece: impl Fn(usize) -> String, tail: &str) -> Vec<u8> {
    let mut text = head.to_owned();
    for n in 0..count {
        text += &piece(n);
    }
    text += tail;
    text.into_bytes()
}

fn locals(count: usize) -> Vec<u8> {
    let mut text = "def f():\n".to_owned();
    for n in 0..count {
        let _ = writeln!(text, "    v{n} = {n}");
    }
    text += "    total = 0\n";
    for n in 0..count {
        let _ = writeln!(text, "    total += v{n}");
    }
    let _ = writeln!(text, "    return total, v{}\nprint(*f())", count - 1);
    text.into_bytes()
}

fn nested_patterns() -> Vec<u8> {
    let pattern = "[0, ".repeat(150) + "1" + &"]".repeat(150);
    format!("match 1:\n  case {pattern}: pass\n").into_bytes()
}

/// Names that a pattern captures, `x0` to `x2999`.
fn names(separator: &str) -> String {
    (0..3_000).map(|i| format!("x{i}")).collect::<Vec<_>>().join(separator)
}

/// The sum and the last of the names, and another value.
fn sum_of_names(also: &str) -> String {
    format!("print(sum([{}]), x2999{also})", names(", "))
}

fn captures() -> Vec<u8> {
    let shown = sum_of_names(", []");
    let pattern = names(", ");
    let text = format!(
        "match list(range(3000)):\n  case [{pattern}, *_, 5]: print('no')\n  \
         case [{pattern}]: {shown}\n"
    );
    text.into_bytes()
}

fn captures_around_a_star() -> Vec<u8> {
    let pattern = names(", ").replace("x1500, ", "x1500, *y, ");
    let shown = sum_of_names(", y");
    let list = "[*range(1501), 1500, *range(1501, 3000)]";
    format!("def f():\n  match {list}:\n    case [{pattern}]: {shown}\nf()\n").into_bytes()
}

fn alternative_captures() -> Vec<u8> {
    let pattern = names(", ");
    let shown = sum_of_names("");
    let text =
        format!("match [range(3000), 1]:\n  case ([{pattern}], 0) | ([{pattern}], 1): {shown}\n");
    text.into_bytes()
}

fn mapping_pattern() -> Vec<u8> {
    let items: String = (0..3_000).map(|i| format!("{i}: x{i}, ")).collect();
    let shown = sum_of_names(", rest");
    let subject = "{-1: 0} | {i: i for i in range(3000)}";
    format!("match {subject}:\n  case {{{items}**rest}}: {shown}\n").into_bytes()
}

fn class_pattern() -> Vec<u8> {
    let items: String = (0..3_000).map(|i| format!("a{i}=x{i}, ")).collect();
    let shown = sum_of_names("");
    let text = format!(
        "class A: pass\na = A()\nfor i in range(3000): setattr(a, f'a{{i}}', i)\nmatch a:\n  \
         case A({items}): {shown}\n"
    );
    text.into_bytes()
}

fn decorators(what: &str) -> Vec<u8> {
    let lines: String = (0..3_000).map(|i| format!("@d({i})\n")).collect();
    let text = format!(
        "import sys; sys.setrecursionlimit(10**5)\norder = []\ndef d(i):\n  order.append(i)\n  def wrap(f):\n    assert order.pop() == i\n    \
         return lambda n: f(n) + 1\n  return wrap\n{lines}{what}\nprint(f(7))\n"
    );
    text.into_bytes()
}

/// A comprehension whose innermost value sees the first, the last and a captured variable.
fn clauses(open: &str, close: &str) -> Vec<u8> {
    let clauses: String = (0..3_000).map(|i| format!(" for x{i} in (x{}, )", i - 1)).collect();
    let clauses = clauses
        .replacen("(x-1, )", "[0]", 1)
        .replace("for x2999 in (x2998, )", "for x2999 in [2999] if x2999");
    let text = format!(
        "def f():\n  r = {open}(x1500, x2999, (lambda: x7 + 5)()){clauses}{close}\n  print(r, len(r))\nf()\n"
    );
    text.into_bytes()
}

fn type_parameters() -> Vec<u8> {
    let names = (0..2_000).map(|i| format!("T{i}")).collect::<Vec<_>>().join(", ");
    let text =
        format!("class A[{names}]: pass\nprint(len(A.__type_params__), A.__type_params__[-1])\n");
    text.into_bytes()
}

fn parameters(count: usize) -> Vec<u8> {
    let list = |piece: fn(usize) -> String| (0..count).map(piece).collect::<Vec<_>>().join(", ");
    let names = list(|n| format!("p{n}"));
    let values = list(|n| n.to_string());
    let keywords = list(|n| format!("p{n}={n}"));
    let last = count - 1;
    format!(
        "def f({names}):\n    return sum([{names}]), p{last}\n\
         print(*f({values}), f({keywords})[0])\n"
    )
    .into_bytes()
}

fn constants() -> Vec<u8> {
    let head = "def f():\n    total = 0.0\n    name = ''\n";
    let tail = "    return total, name\nprint(*f())\n";
    each(70_000, head, |n| format!("    total += {n}.5; name = 'k{n}'\n"), tail)
}

fn literal(open: &str, close: &str) -> Vec<u8> {
    let tail = format!("{close}\nprint(len(x), sum(x))\n");
    each(3_000_000, &format!("x = {open}"), |n| format!("{n},"), &tail)
}

fn dict_literal() -> Vec<u8> {
    let tail = "}\nprint(len(d), d['k99999'])\n";
    each(100_000, "d = {", |n| format!("'k{n}': {n},\n"), tail)
}

fn elif_branches() -> Vec<u8> {
    let tail = "    else:\n        return 'none'\nprint(f(0), f(50000), f(99999), f(-1))\n";
    let branch = |n| {
        let word = if n == 0 { "if" } else { "elif" };
        format!("    {word} x == {n}:\n        return {n}\n")
    };
    each(100_000, "def f(x):\n", branch, tail)
}

fn sum_of_terms() -> Vec<u8> {
    each(999_999, "x = 1\nprint(x", |_| "+x".to_owned(), ")\n")
}

fn conjunction() -> Vec<u8> {
    each(99_999, "x = 1\nprint((x", |n| format!(" and x != {}", n + 2), ") == 1)\n")
}

fn jump() -> Vec<u8> {
    let head = "def f(flag):\n    a = 0\n    if flag:\n";
    let tail =
        "    else:\n        return 'skipped 100000'\n    return a\nprint(f(1))\nprint(f(0))\n";
    each(100_000, head, |_| "        a += 1\n".to_owned(), tail)
}

fn loop_body() -> Vec<u8> {
    let head = "a = 0\nfor i in range(4):\n    if i == 2:\n        continue\n";
    each(100_000, head, |_| "    a += 1\n".to_owned(), "print(a)\n")
}

fn attribute_names() -> Vec<u8> {
    let head = "class C: pass\nc = C()\n";
    let tail = "print(len(vars(c)), sum(vars(c).values()))\n";
    each(70_000, head, |n| format!("c.a{n} = {n}\n"), tail)
}

fn functions() -> Vec<u8> {
    let tail =
        "total = 0\nfor n in range(20000):\n    total += globals()[f'f{n}']()\nprint(total)\n";
    each(20_000, "", |n| format!("def f{n}(): return {n}\n"), tail)
}

fn long_string() -> Vec<u8> {
    format!("print(len('{}'))\n", "a".repeat(10_000_000)).into_bytes()
}

fn long_line() -> Vec<u8> {
    each(1_000_000, "n = 0\nx = [", |_| "n,".to_owned(), "]\nprint(len(x))\n")
}

fn indentation() -> Vec<u8> {
    each(1_000, "", |n| format!("{}if 1:\n", " ".repeat(n)), "")
}

/// Bytes without a pattern, the same in every run.
fn noise() -> Vec<u8> {
    let mut state: u32 = 0x2545_F491;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..100_000).map(|_| next()).collect()
}
