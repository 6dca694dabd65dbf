//! Ctrl-C, and signals that are ignored.

use std::time::Duration;

use miniscript_tests::{Ended, Session};
use tempfile::TempDir;

use crate::support::{check, command, scratch, shell};

/// Loose: the machine may be busy.
const SOON: Duration = Duration::from_secs(5);

/// Runs a program until it has printed "ready".
#[track_caller]
fn start(program: &str) -> (TempDir, Session) {
    let directory = scratch();
    let mut session = Session::piped(&mut command(directory.path(), program)).expect("ms starts");
    if let Err(error) = session.wait_for("ready\n") {
        panic!("{program}: {error}: {:?}", session.end(Duration::ZERO));
    }
    (directory, session)
}

/// Sends SIGINT to a program a moment after it is ready.
#[track_caller]
fn interrupted(program: &str) -> Ended {
    let (_directory, session) = start(program);
    std::thread::sleep(Duration::from_millis(30));
    session.interrupt().expect("the signal is sent");
    session.end(SOON).unwrap_or_else(|error| panic!("{program}: {error}"))
}

#[test]
fn an_interrupt_is_an_exception_wherever_the_program_is() {
    for waiting in [
        "while True: pass",
        "for i in iter(int, 1): pass",
        "sleep(60)",
        "import time; time.sleep(60)",
        "go(sleep, 60).result()",
        "wait([go(sleep, 60)])",
        "t = go(sleep, 60); chan().receive()",
        "input()",
        "import sys; sys.stdin.read()",
        "10**10**8",
        "import http\nwith http.serve(lambda r: sleep(60)) as s: http.get(s.url)",
        "await sleep(60)",
        "sorted([2, 1], key=lambda n: sleep(60))",
        "def f():\n  try: f()\n  except RecursionError: f()\nf()",
    ] {
        let ended = interrupted(&format!("print('ready', flush=True)\n{waiting}\n"));
        assert_eq!(ended.status, Some(130), "{waiting}: {ended:?}");
        assert!(ended.stderr.starts_with("Traceback (most recent call last):\n"), "{ended:?}");
        assert!(ended.stderr.ends_with("\nKeyboardInterrupt\n"), "{waiting}: {ended:?}");
    }
}

#[test]
fn a_script_may_catch_it_and_go_on() {
    for waiting in ["while True: pass", "sleep(60)", "input()"] {
        let program = format!(
            "print('ready', flush=True)\ntry:\n  {waiting}\nexcept KeyboardInterrupt as e:\n  \
             print('caught', repr(e))\nsleep(0.01)\nprint('goes on')\n"
        );
        let ended = interrupted(&program);
        let shown = "ready\ncaught KeyboardInterrupt()\ngoes on\n";
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), shown), "{ended:?}");
        assert_eq!(ended.stderr, "");
    }
}

#[test]
fn it_ends_the_other_tasks_and_their_finally_runs() {
    let ended = interrupted(
        "def work():\n  try: sleep(60)\n  finally: print('finally')\n\
         go(work)\nsleep(0)\nprint('ready', flush=True)\nsleep(60)\n",
    );
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(130), "ready\nfinally\n"), "{ended:?}");
    // The main program has ended before.
    let ended = interrupted(
        "def work():\n  try:\n    print('ready', flush=True)\n    sleep(60)\n  finally: print('finally')\n\
         go(work)\n",
    );
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(130), "ready\nfinally\n"), "{ended:?}");
    let ended =
        interrupted("import http\nserver = http.serve(lambda r: '')\nprint('ready', flush=True)\n");
    assert_eq!(ended.status, Some(130), "{ended:?}");
}

#[test]
fn the_first_interrupt_cancels_the_main_coroutine() {
    let program = "import asyncio\n\
                   async def main():\n  print('ready', flush=True)\n  try: await asyncio.sleep(60)\n  \
                   except asyncio.CancelledError:\n    await asyncio.sleep(0)\n    \
                   print('cleaned up')\n    raise\n\
                   try: asyncio.run(main())\nexcept KeyboardInterrupt: print('interrupted')\n";
    let ended = interrupted(program);
    assert_eq!(ended.stdout, "ready\ncleaned up\ninterrupted\n", "{ended:?}");
}

#[test]
fn an_interrupt_cancels_threads() {
    let program = "import threading, time\n\
                   def work():\n  try: time.sleep(60)\n  finally: print('cleaned up')\n\
                   threading.Thread(target=work).start()\nprint('ready', flush=True)\n\
                   time.sleep(60)\n";
    let ended = interrupted(program);
    assert_eq!(ended.stdout, "ready\ncleaned up\n", "{ended:?}");
    assert!(ended.stderr.ends_with("\nKeyboardInterrupt\n"), "{ended:?}");
}

#[test]
fn each_of_several_interrupts_counts() {
    let (_directory, mut session) = start(
        "print('ready', flush=True)\nfor n in range(3):\n  try:\n    while True: pass\n  \
         except KeyboardInterrupt: print('again', n, flush=True)\n",
    );
    for n in 0..3 {
        std::thread::sleep(Duration::from_millis(100));
        session.interrupt().expect("the signal is sent");
        session.wait_for(&format!("again {n}\n")).expect("it is caught");
    }
    assert_eq!(session.end(SOON).expect("it ends").status, Some(0));
}

#[test]
fn a_second_interrupt_forces_the_end_of_what_does_not_listen() {
    // Reading a directory of the pool's, or a native that looks at no flag: whatever it is that
    // does not come back, the second signal ends it.
    let (_directory, mut session) =
        start("import math\nprint('ready', flush=True)\nmath.fsum(iter(int, 1))\n");
    session.interrupt().expect("the signal is sent");
    std::thread::sleep(Duration::from_millis(200));
    if !session.has_ended().expect("its state is known") {
        session.interrupt().expect("the signal is sent");
    }
    let ended = session.end(Duration::from_secs(2)).expect("it ends");
    assert_eq!(ended.status, Some(130), "{ended:?}");
}

#[test]
fn an_interrupt_that_was_ignored_stays_ignored() {
    let program = "import os, signal\n\
                   os.kill(os.getpid(), signal.SIGINT)\n\
                   print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)\n\
                   signal.signal(signal.SIGINT, lambda *_: print(\"handled\"))\n\
                   os.kill(os.getpid(), signal.SIGINT)\n";
    let outcome = shell(&format!("trap '' INT; \"$MS\" -c '{program}'"));
    check(&outcome, 0, "True\nhandled\n", "");
}
