//! Pipes that close, disks that are full, streams that are not there.

use crate::support::{check, shell};

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    for program in [
        "for i in range(10**7): print(i)",
        "while True: print(0, flush=True)",
        "import sys\nwhile True: sys.stdout.write('0\\n')",
    ] {
        let outcome = shell(&format!("{{ \"$MS\" -c \"{program}\"; echo $? >&2; }} | head -n 1"));
        check(&outcome, 0, "0\n", "1");
        assert_eq!(outcome.stderr, "1\n", "{program}");
    }
    let caught = "try:\n  while True: print(0)\nexcept BrokenPipeError as error:\n  import sys; print(error, file=sys.stderr)";
    let outcome = shell(&format!("\"$MS\" -c \"{caught}\" | head -n 1"));
    check(&outcome, 0, "0\n", "[Errno 32] Broken pipe");
    for part in ["--help", "ast script.ms", "dis script.ms"] {
        let outcome = shell(&format!(
            "printf 'x = 1\\n%.0s' $(seq 20000) > script.ms; \"$MS\" {part} | head -c 1"
        ));
        assert!(!outcome.stderr.contains("panicked"), "{outcome:?}");
        assert_eq!(outcome.stdout.len(), 1, "{outcome:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = "[Errno 28] No space left on device";
    let outcome = shell("\"$MS\" -c 'print(1)' > /dev/full; echo $?");
    check(&outcome, 0, "1\n", &format!("ms: cannot write to standard output: {full}"));
    for program in ["print(1, flush=True)", "for i in range(10**6): print(i)"] {
        let outcome = shell(&format!("\"$MS\" -c '{program}' > /dev/full; echo $?"));
        check(&outcome, 0, "1\n", &format!("OSError: {full}"));
    }
    let outcome = shell("\"$MS\" -c '1/0' 2> /dev/full; echo $?");
    check(&outcome, 0, "1\n", "");
    for part in ["--help", "--version", "check --json /dev/null", "ast /dev/null"] {
        let outcome = shell(&format!("\"$MS\" {part} > /dev/full; echo $?"));
        assert_eq!(outcome.stdout, "1\n", "{part}: {outcome:?}");
        let outcome = shell(&format!("\"$MS\" {part} nowhere > /dev/full 2> /dev/full; echo $?"));
        assert!(outcome.stdout == "1\n" || outcome.stdout == "2\n", "{part}: {outcome:?}");
    }
}

#[test]
fn streams_may_be_closed() {
    check(&shell("\"$MS\" -c 'print(1)' >&-; echo $?"), 0, "0\n", "");
    check(&shell("\"$MS\" -c '1/0' 2>&-; echo $?"), 0, "1\n", "");
    let outcome = shell("\"$MS\" -c 'print(input())' <&-; echo $?");
    check(&outcome, 0, "1\n", "EOFError: EOF when reading a line");
    let outcome = shell("\"$MS\" -c 'import sys; print(repr(sys.stdin.read()))' <&-; echo $?");
    check(&outcome, 0, "''\n0\n", "");
    check(&shell("\"$MS\" <&- >&- 2>&-; echo $?"), 0, "0\n", "");
}

#[test]
fn standard_input_is_read_as_text_lines_and_bytes() {
    let read = |program: &str| shell(&format!("printf 'a\\nb\\nlast' | \"$MS\" -c '{program}'"));
    check(&read("print([input(), input(\"? \"), input()])"), 0, "? ['a', 'b', 'last']\n", "");
    check(&read("import sys; print(list(sys.stdin))"), 0, "['a\\n', 'b\\n', 'last']\n", "");
    check(&read("import sys; print(sys.stdin.buffer.read())"), 0, "b'a\\nb\\nlast'\n", "");
    check(
        &read("import sys; print(input(), repr(sys.stdin.readline()), sys.stdin.read())"),
        0,
        "a 'b\\n' last\n",
        "",
    );
    check(&read("for n in range(4): input()"), 1, "", "EOFError: EOF when reading a line");
}

#[test]
fn output_comes_in_order() {
    let program = "import sys\nprint('out 1')\nsys.stdout.flush()\nprint('err', file=sys.stderr)\nprint('out 2')";
    let outcome = shell(&format!("\"$MS\" -c \"{program}\" 2>&1"));
    check(&outcome, 0, "out 1\nerr\nout 2\n", "");
    // What is left in the buffer comes out, however the program ends.
    for end in ["import sys; sys.exit(0)", "raise SystemExit", "pass"] {
        check(&shell(&format!("\"$MS\" -c \"print('kept', end='')\n{end}\"")), 0, "kept", "");
    }
    let outcome = shell("\"$MS\" -c \"print('kept')\n1/0\" 2>/dev/null");
    check(&outcome, 1, "kept\n", "");
}
