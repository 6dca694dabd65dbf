//! The prompt on a terminal, and the colours of reports there.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use miniscript_tests::{Ended, Session};

use crate::support::{ms, scratch};

const SOON: Duration = Duration::from_secs(5);

/// A prompt; its history is in the directory.
fn prompt(home: &Path) -> Session {
    let mut command = Command::new(ms());
    command.current_dir(home).env("HOME", home).env("TERM", "xterm").env("NO_COLOR", "1");
    let mut session = Session::on_terminal(&mut command).expect("ms starts");
    session.wait_for(">>> ").expect("there is a prompt");
    session
}

/// What the terminal shows without the codes that move its cursor.
fn plain(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        out.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |at| at + 1);
        rest = &after[end..];
    }
    (out + rest).replace('\r', "")
}

/// Types a line and waits for the next prompt; what was shown in between.
#[track_caller]
fn typed(session: &mut Session, line: &str, next: &str) -> String {
    session.send(format!("{line}\r")).expect("it is typed");
    // The echo ends with the line's end.
    let echo = session.wait_for("\n").expect("the line is shown");
    assert!(plain(&echo).trim_end().ends_with(line.trim_end()), "{line:?} was shown as {echo:?}");
    let shown = session.wait_for(next).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    plain(shown.strip_suffix(next).unwrap_or(&shown))
}

#[track_caller]
fn says(session: &mut Session, line: &str, answer: &str) {
    assert_eq!(typed(session, line, ">>> "), answer, "{line}");
}

fn leave(mut session: Session) -> Ended {
    session.send("\x04").expect("it is typed");
    session.end(SOON).expect("it ends")
}

#[test]
fn values_statements_and_errors() {
    let home = scratch();
    let mut session = prompt(home.path());
    says(&mut session, "1 + 1", "2\n");
    says(&mut session, "_ * 2", "4\n");
    says(&mut session, "x = 5", "");
    says(&mut session, "x; None; 'é'", "5\n'é'\n");
    says(&mut session, "print(_)", "é\n");
    let error = "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\n\
                 ZeroDivisionError: division by zero\n";
    says(&mut session, "1/0", error);
    says(
        &mut session,
        "x = = 2",
        "  File \"<stdin>\", line 1\n    x = = 2\n        ^\nSyntaxError: invalid syntax\n",
    );
    says(&mut session, "__name__", "'__main__'\n");
    says(&mut session, "print('no end', end='')", "no end");
    says(&mut session, "x", "5\n");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn bytes_that_are_no_utf8_are_an_error_and_the_prompt_goes_on() {
    let home = scratch();
    let mut session = prompt(home.path());
    session.send(b"x = 7\r").expect("it is typed");
    session.wait_for(">>> ").expect("the next prompt");
    session.send(b"'\xff").expect("it is typed");
    session.wait_for("SyntaxError: the input is not UTF-8").expect("an error");
    session.wait_for(">>> ").expect("the next prompt");
    says(&mut session, "x", "7\n");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn statements_of_several_lines() {
    let home = scratch();
    let mut session = prompt(home.path());
    for line in ["def f(x):", "    return x + 1"] {
        assert_eq!(typed(&mut session, line, "... "), "");
    }
    says(&mut session, "", "");
    says(&mut session, "f(3)", "4\n");
    assert_eq!(typed(&mut session, "y = (1,", "... "), "");
    assert_eq!(typed(&mut session, "", "... "), "");
    says(&mut session, "2)", "");
    assert_eq!(typed(&mut session, "z = '''a", "... "), "");
    says(&mut session, "b'''", "");
    says(&mut session, "y, z", "((1, 2), 'a\\nb')\n");
    for line in ["if y:", "  print('yes')", "else:", "  print('no')"] {
        assert_eq!(typed(&mut session, line, "... "), "");
    }
    says(&mut session, "", "yes\n");
    // A blank line ends also what is not complete.
    for line in ["try:", "  1"] {
        assert_eq!(typed(&mut session, line, "... "), "");
    }
    let shown = typed(&mut session, "", ">>> ");
    assert!(shown.contains("SyntaxError: expected 'except' or 'finally' block"), "{shown}");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn what_is_pasted_is_run_statement_by_statement() {
    let home = scratch();
    let mut session = prompt(home.path());
    // Without brackets around the paste: lines that were typed ahead.
    session.send("a = 1\rb = 2\rprint('sum', a + b)\r").expect("it is typed");
    session.wait_for("sum 3").expect("all lines are run");
    session.wait_for(">>> ").expect("a prompt");
    session.send("\x1b[200~def f():\r    return 1\r\rprint('f gives', f())\x1b[201~\r").unwrap();
    session.wait_for("f gives 1").expect("both statements are run");
    session.wait_for(">>> ").expect("a prompt");
    says(&mut session, "f()", "1\n");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn an_interrupt_ends_the_code_and_not_the_prompt() {
    let home = scratch();
    let mut session = prompt(home.path());
    for line in ["while True: pass", "sleep(60)", "input('name? ')"] {
        if line.starts_with("while") {
            assert_eq!(typed(&mut session, line, "... "), "");
            session.send("\r").expect("it is typed");
        } else {
            session.send(format!("{line}\r")).expect("it is typed");
        }
        // It runs when the terminal is the program's again.
        std::thread::sleep(Duration::from_millis(300));
        session.send("\x03").expect("it is typed");
        let shown = session.wait_for("KeyboardInterrupt").expect("it is interrupted");
        assert!(shown.contains("Traceback"), "{line}: {shown}");
        session.wait_for(">>> ").expect("the prompt is back");
        says(&mut session, "2 + 2", "4\n");
    }
    // At the prompt it drops what was typed.
    session.send("abc\x03").expect("it is typed");
    session.wait_for("KeyboardInterrupt").expect("it is told");
    session.wait_for(">>> ").expect("the prompt is back");
    says(&mut session, "3 + 3", "6\n");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn tasks_go_on_while_the_prompt_waits() {
    let home = scratch();
    let mut session = prompt(home.path());
    for line in ["def work():", "  for n in range(2): sleep(0.01)", "  print('worked')"] {
        assert_eq!(typed(&mut session, line, "... "), "");
    }
    says(&mut session, "", "");
    session.send("t = go(work)\r").expect("it is typed");
    session.wait_for("worked").expect("the task runs without another line");
    session.send("t.done\r").expect("it is typed");
    session.wait_for("True").expect("it is done");
    session.wait_for(">>> ").expect("a prompt");
    session.send("t = go(lambda: 1/0); t = None\r").expect("it is typed");
    session.wait_for("ZeroDivisionError").expect("its error is told");
    // A task that is left does not keep the prompt from ending; its finally runs.
    for line in ["def last():", "  try: sleep(60)", "  finally: print('finally')"] {
        session.send(format!("{line}\r")).expect("it is typed");
        session.wait_for("... ").expect("it goes on");
    }
    session.send("\r").expect("it is typed");
    session.wait_for(">>> ").expect("a prompt");
    session.send("t = go(last)\r").expect("it is typed");
    session.wait_for(">>> ").expect("a prompt");
    std::thread::sleep(Duration::from_millis(50));
    let ended = leave(session);
    assert!(ended.status == Some(0) && ended.stdout.contains("finally\r\n"), "{ended:?}");
}

#[test]
fn the_history_is_kept() {
    let home = scratch();
    let mut session = prompt(home.path());
    says(&mut session, "40 + 2", "42\n");
    assert_eq!(leave(session).status, Some(0));
    let mut session = prompt(home.path());
    session.send("\x1b[A\r").expect("it is typed");
    session.wait_for("\n42").expect("the line of before");
    session.wait_for(">>> ").expect("a prompt");
    assert_eq!(leave(session).status, Some(0));
}

#[test]
fn the_prompt_ends_as_it_is_told() {
    for (line, status) in
        [("exit()", 0), ("quit()", 0), ("import sys; sys.exit(3)", 3), ("raise SystemExit('x')", 1)]
    {
        let home = scratch();
        let mut session = prompt(home.path());
        session.send(format!("{line}\r")).expect("it is typed");
        assert_eq!(session.end(SOON).expect("it ends").status, Some(status), "{line}");
    }
}

#[test]
fn reports_have_colours_on_a_terminal_unless_nobody_wants_them() {
    let home = scratch();
    let run = |args: &[&str], no_color: &str, term: &str| {
        let mut command = Command::new(ms());
        command.args(args).current_dir(home.path());
        command.env("NO_COLOR", no_color).env("TERM", term);
        let session = Session::on_terminal(&mut command).expect("ms starts");
        session.end(SOON).expect("it ends").stdout
    };
    let painted = run(&["-c", "1/0"], "", "xterm");
    assert!(
        painted.contains("\x1b[1;35mZeroDivisionError\x1b[0m: \x1b[35mdivision"),
        "{painted:?}"
    );
    let painted = run(&["-c", "x ="], "", "xterm");
    assert!(painted.contains("\x1b[1;35mSyntaxError\x1b[0m"), "{painted:?}");
    assert!(painted.contains("\x1b[1;31m^\x1b[0m"), "{painted:?}");
    for (no_color, term) in [("1", "xterm"), ("", "dumb")] {
        let shown = run(&["-c", "1/0"], no_color, term);
        assert!(
            shown.contains("ZeroDivisionError: division") && !shown.contains('\x1b'),
            "{shown:?}"
        );
    }
    let piped = crate::support::shell("unset NO_COLOR; TERM=xterm \"$MS\" -c 1/0");
    assert!(!piped.stderr.contains('\x1b'), "{piped:?}");
}
